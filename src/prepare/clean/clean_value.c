/*
 * clean_value.c
 *		Values of a column: missing or not, as text and back, as levels in order.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "prepare/clean/clean.h"

/* ---- kinds */

bool
mlplat_clean_is_number(Oid base_type)
{
	return base_type == INT2OID || base_type == INT4OID || base_type == INT8OID ||
		   base_type == FLOAT4OID || base_type == FLOAT8OID || base_type == NUMERICOID;
}

bool
mlplat_clean_is_text(Oid base_type)
{
	return base_type == TEXTOID || base_type == VARCHAROID || base_type == BPCHAROID;
}

bool
mlplat_clean_is_missing(const CleanColumn *column, Datum value, bool isnull)
{
	if (isnull)
		return true;
	switch (column->base_type)
	{
		case FLOAT8OID:
			return isnan(DatumGetFloat8(value));
		case FLOAT4OID:
			return isnan(DatumGetFloat4(value));
		case NUMERICOID:
			return numeric_is_nan(DatumGetNumeric(value));
		default:
			return false;
	}
}

double
mlplat_clean_to_double(Oid base_type, Datum value)
{
	switch (base_type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
}

/* ---- texts */

/*
 * While this is in force, texts of values are of the form that a recipe keeps: it does not depend on the
 * session, and keeps every digit. Returns a level for the end; an error ends it as well.
 */
int
mlplat_clean_plain_texts_begin(void)
{
	static const char *const settings[][2] = {{"datestyle", "ISO, YMD"},
											  {"intervalstyle", "postgres"},
											  {"extra_float_digits", "3"},
											  {"bytea_output", "hex"}};
	int level = NewGUCNestLevel();

	for (size_t i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

void
mlplat_clean_plain_texts_end(int level)
{
	AtEOXact_GUC(true, level);
}

char *
mlplat_clean_value_text(const CleanColumn *column, Datum value)
{
	Oid output;
	bool is_varlena;

	getTypeOutputInfo(column->type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

Datum
mlplat_clean_read_value(CleanStep *step, CleanCell *cell, const char *text)
{
	*step->place = (CleanPlace){.step = step, .cell = cell};
	if (!OidIsValid(cell->input.fn_oid))
	{
		Oid input;

		getTypeInputInfo(cell->to_type, &input, &cell->ioparam);
		fmgr_info(input, &cell->input);
	}
	return InputFunctionCall(&cell->input, unconstify(char *, text), cell->ioparam,
							 cell->to_typmod);
}

/* What did not come through a type's own functions may be against the rules of a domain. */
void
mlplat_clean_check_domain(CleanStep *step, CleanCell *cell, Datum value, bool isnull)
{
	if (cell->to_type != cell->column.base_type && getBaseType(cell->to_type) != cell->to_type)
		domain_check(value, isnull, cell->to_type, &cell->domain, step->context);
}

/* ---- order */

/* Equality of texts is that of their bytes but under a collation that says otherwise, and bytes are fast. */
Oid
mlplat_clean_equality_collation(const CleanColumn *column)
{
	if (!OidIsValid(column->collation))
		return InvalidOid;
	return get_collation_isdeterministic(column->collation) ? C_COLLATION_OID : column->collation;
}

void
mlplat_clean_order(const CleanColumn *column, SortSupport order)
{
	memset(order, 0, sizeof(*order));
	order->ssup_cxt = CurrentMemoryContext;
	order->ssup_collation = mlplat_clean_equality_collation(column);
	PrepareSortSupportFromOrderingOp(lookup_type_cache(column->type, TYPECACHE_LT_OPR)->lt_opr,
									 order);
}

int
mlplat_clean_compare(CleanCell *cell, Datum a, Datum b)
{
	return ApplySortComparator(a, false, b, false, &cell->order);
}

/* ---- levels */

static int
compare_levels(const void *a, const void *b, void *arg)
{
	CleanCell *cell = arg;

	return mlplat_clean_compare(cell, cell->levels.olds[*(const int *) a],
								cell->levels.olds[*(const int *) b]);
}

/* Put the levels in order; of equal ones, such as 1 and 1.0, the last stays, as with equal keys of JSON. */
void
mlplat_clean_sort_levels(CleanCell *cell)
{
	CleanLevels *levels = &cell->levels, sorted = {0};
	int *places = palloc(sizeof(int) * (levels->n + 1));

	for (size_t i = 0; i < levels->n; i++)
		places[i] = (int) i;
	qsort_arg(places, levels->n, sizeof(int), compare_levels, cell);
	sorted.olds = palloc(sizeof(Datum) * (levels->n + 1));
	sorted.news = palloc(sizeof(Datum) * (levels->n + 1));
	sorted.new_nulls = palloc(sizeof(bool) * (levels->n + 1));
	for (size_t i = 0; i < levels->n; i++)
	{
		int place = places[i];

		if (sorted.n > 0 &&
			mlplat_clean_compare(cell, sorted.olds[sorted.n - 1], levels->olds[place]) == 0)
			sorted.n--;
		sorted.olds[sorted.n] = levels->olds[place];
		sorted.news[sorted.n] = levels->news ? levels->news[place] : (Datum) 0;
		sorted.new_nulls[sorted.n] = levels->news ? levels->new_nulls[place] : false;
		sorted.n++;
	}
	*levels = sorted;
}

int
mlplat_clean_find_level(CleanCell *cell, Datum value)
{
	const CleanLevels *levels = &cell->levels;
	size_t low = 0, high = levels->n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;
		int order = mlplat_clean_compare(cell, value, levels->olds[middle]);

		if (order == 0)
			return (int) middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}
