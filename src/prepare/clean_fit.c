/*
 * clean_fit.c
 *		What a step must know of all rows before it can treat the first.
 *
 * Order statistics are exact: the values of the column are sorted by the
 * server's own sort, which goes to temporary files beyond its share of work_mem.
 * What was found is written as JSON, and a step reads its values from there,
 * whether the JSON is new or comes from a stored recipe: a replay cannot treat
 * rows otherwise than the first time.
 *
 * A bound is made to fit the type before it is written: whole for integers, of
 * the column's scale for numeric(p, s), always towards the inside, so that a
 * value that was clipped is never an outlier again.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#include "core/json.h"
#include "data/cleanstat.h"
#include "pg/bridge.h"
#include "prepare/clean.h"

/* A column with more frequent levels than this is no category. */
#define MAX_LEVELS 10000

struct CleanFit
{
	int64 n_values, n_missing;
	MlCleanMoments moments;
	Tuplesortstate *sort; /* of the values; NULL: their order does not matter */
	int64 next;           /* rank of the value that the sort gives next */
	bool varies;          /* not all values are the same */
	Datum first;
};

/* ---- what is needed */

static MlCleanFill
fill_of(const CleanStep *step)
{
	return (MlCleanFill) ml_param_int(&step->spec->params, ML_CLEAN_FILL_WITH);
}

static MlCleanBy
by_of(const CleanStep *step)
{
	return (MlCleanBy) ml_param_int(&step->spec->params, ML_CLEAN_CLIP_BY);
}

static bool
seeks_outliers(const CleanStep *step)
{
	return step->spec->action == ML_CLEAN_CLIP || step->spec->action == ML_CLEAN_DROP_OUTLIERS;
}

bool
mlplat_clean_needs_fit(const CleanStep *step)
{
	switch (step->spec->action)
	{
		case ML_CLEAN_FILL:
			return fill_of(step) <= ML_CLEAN_MODE;
		case ML_CLEAN_CLIP:
		case ML_CLEAN_DROP_OUTLIERS:
		case ML_CLEAN_DROP_CONSTANT:
		case ML_CLEAN_DROP_EMPTY:
		case ML_CLEAN_GROUP_RARE:
			return true;
		default:
			return false;
	}
}

static bool
needs_order(const CleanStep *step)
{
	if (step->spec->action == ML_CLEAN_FILL)
		return fill_of(step) != ML_CLEAN_MEAN;
	if (seeks_outliers(step))
		return by_of(step) == ML_CLEAN_BY_IQR || by_of(step) == ML_CLEAN_BY_QUANTILE;
	return step->spec->action == ML_CLEAN_GROUP_RARE;
}

static bool
needs_moments(const CleanStep *step)
{
	return (step->spec->action == ML_CLEAN_FILL && fill_of(step) == ML_CLEAN_MEAN) ||
		   (seeks_outliers(step) && by_of(step) == ML_CLEAN_BY_ZSCORE);
}

int
mlplat_clean_n_sorts(const CleanStep *step)
{
	return needs_order(step) ? step->n_cells : 0;
}

/* ---- gathering */

void
mlplat_clean_begin_fit(CleanStep *step, int work_kb)
{
	MemoryContext caller = MemoryContextSwitchTo(step->context);

	for (int i = 0; i < step->n_cells; i++)
	{
		CleanCell *cell = &step->cells[i];

		cell->fit = palloc0(sizeof(CleanFit));
		if (needs_order(step))
			cell->fit->sort = tuplesort_begin_datum(
				cell->column.type, lookup_type_cache(cell->column.type, TYPECACHE_LT_OPR)->lt_opr,
				mlplat_clean_equality_collation(&cell->column), false, work_kb, NULL, 0);
	}
	MemoryContextSwitchTo(caller);
}

/* Is the value another one than those before? A missing one is a value of its own. */
static void
compare_with_first(const CleanStep *step, CleanCell *cell, Datum value)
{
	CleanFit *fit = cell->fit;
	MemoryContext caller;

	if (fit->varies || fit->n_values > 1)
	{
		fit->varies = fit->varies || mlplat_clean_compare(cell, value, fit->first) != 0;
		return;
	}
	caller = MemoryContextSwitchTo(step->context);
	fit->first = datumCopy(value, cell->column.typbyval, cell->column.typlen);
	MemoryContextSwitchTo(caller);
}

static void
fit_value(const CleanStep *step, CleanCell *cell, Datum value)
{
	CleanFit *fit = cell->fit;

	fit->n_values++;
	if (fit->sort)
		tuplesort_putdatum(fit->sort, value, false);
	else if (needs_moments(step))
		ml_clean_moments_add(&fit->moments, mlplat_clean_to_double(cell->column.base_type, value));
	else if (step->spec->action == ML_CLEAN_DROP_CONSTANT)
		compare_with_first(step, cell, value);
}

void
mlplat_clean_fit_row(CleanStep *step, const CleanRow *row)
{
	for (int i = 0; i < step->n_cells; i++)
	{
		CleanCell *cell = &step->cells[i];

		if (mlplat_clean_is_missing(&cell->column, row->values[cell->index],
									row->nulls[cell->index]))
			cell->fit->n_missing++;
		else
			fit_value(step, cell, row->values[cell->index]);
	}
}

/* ---- reading the sorted values */

/* The next value; the caller owns it where it is not by value. False: there are no more. */
static bool
next_value(CleanFit *fit, Datum *value)
{
	bool isnull;

	CHECK_FOR_INTERRUPTS();
	fit->next++;
	return mlplat_tuplesort_getdatum(fit->sort, value, &isnull);
}

/* The value of a rank that is not behind those read so far. */
static Datum
value_at(CleanFit *fit, int64 rank)
{
	Datum value;

	if (rank > fit->next && !tuplesort_skiptuples(fit->sort, rank - fit->next, true))
		elog(ERROR, "sorted values end before rank " INT64_FORMAT, rank);
	fit->next = rank;
	if (!next_value(fit, &value))
		elog(ERROR, "sorted values end at rank " INT64_FORMAT, rank);
	return value;
}

/* Numbers at n ranks in ascending order, some of which may be equal. */
static void
numbers_at(CleanCell *cell, const int64 *ranks, double *numbers, int n)
{
	for (int i = 0; i < n; i++)
		numbers[i] =
			i > 0 && ranks[i] == ranks[i - 1]
				? numbers[i - 1]
				: mlplat_clean_to_double(cell->column.base_type, value_at(cell->fit, ranks[i]));
}

/* Two quantiles, lower before upper, interpolated as percentile_cont does. */
static void
read_quantiles(CleanCell *cell, double lower, double upper, double *quantiles)
{
	int64 n = cell->fit->n_values, ranks[4], low, high;
	double numbers[4], low_fraction = ml_clean_rank(lower, n, &low);
	double high_fraction = ml_clean_rank(upper, n, &high);
	int64 low_next = Min(low + 1, n - 1), high_next = Min(high + 1, n - 1);
	bool crossed = high < low_next; /* both between the same values */

	ranks[0] = low;
	ranks[1] = crossed ? high : low_next;
	ranks[2] = crossed ? low_next : high;
	ranks[3] = high_next;
	numbers_at(cell, ranks, numbers, 4);
	quantiles[0] = ml_clean_between(numbers[0], numbers[crossed ? 2 : 1], low_fraction);
	quantiles[1] = ml_clean_between(numbers[crossed ? 1 : 2], numbers[3], high_fraction);
}

/* ---- facts as JSON */

/* A value of a number type as a number, where JSON has it; anything else as a string. */
static void
put_value(MlJsonWriter *w, const char *key, const CleanColumn *column, Datum value)
{
	char *text = mlplat_clean_value_text(column, value);

	if (mlplat_clean_is_number(column->base_type) && isfinite(strtod(text, NULL)))
		ml_json_raw(w, key, text, strlen(text));
	else
		ml_json_text(w, key, text);
}

static void
put_null(MlJsonWriter *w, const char *key)
{
	ml_json_raw(w, key, "null", 4);
}

/* Nothing to fill with: the column stays as it is. */
static void
put_nothing(const CleanStep *step, const CleanCell *cell, MlJsonWriter *w)
{
	ereport(NOTICE, (errmsg("step %d (%s): column \"%s\" has no value to fit on", step->number,
							ml_clean_action_name(step->spec->action), cell->column.name)));
	put_null(w, cell->column.name);
}

/* The middle value; between the two middle ones: their mean for numbers with a fraction, else the lower one. */
static Datum
read_median(CleanCell *cell)
{
	int64 n = cell->fit->n_values;
	Oid type = cell->column.base_type;
	Datum low = value_at(cell->fit, (n - 1) / 2), high;

	if (n % 2 == 1 || (type != FLOAT4OID && type != FLOAT8OID && type != NUMERICOID))
		return low;
	high = value_at(cell->fit, n / 2);
	if (type == NUMERICOID)
		return DirectFunctionCall2(numeric_mul, DirectFunctionCall2(numeric_add, low, high),
								   DirectFunctionCall3(numeric_in, CStringGetDatum("0.5"),
													   ObjectIdGetDatum(InvalidOid),
													   Int32GetDatum(-1)));
	if (type == FLOAT8OID)
		return Float8GetDatum(ml_clean_between(DatumGetFloat8(low), DatumGetFloat8(high), 0.5));
	return Float4GetDatum(
		(float4) ml_clean_between(DatumGetFloat4(low), DatumGetFloat4(high), 0.5));
}

/* A run of equal values. */
typedef struct Run
{
	Datum value;
	int64 count;
} Run;

/* Take the next run off the sort; *ahead holds the first value after it. False: there are no more. */
static bool
next_run(CleanCell *cell, Run *run, Datum *ahead, bool *has_ahead)
{
	Datum value;

	if (!*has_ahead)
		return false;
	run->value = *ahead;
	run->count = 1;
	while ((*has_ahead = next_value(cell->fit, &value)))
	{
		if (mlplat_clean_compare(cell, run->value, value) != 0)
		{
			*ahead = value;
			break;
		}
		run->count++;
		if (!cell->column.typbyval)
			pfree(DatumGetPointer(value));
	}
	return true;
}

/* The most frequent value; among equals, the least. */
static Datum
read_mode(CleanCell *cell)
{
	Run run, best = {0};
	Datum ahead;
	bool has_ahead = next_value(cell->fit, &ahead);

	while (next_run(cell, &run, &ahead, &has_ahead))
	{
		Run worse = run;

		if (run.count > best.count)
		{
			worse = best;
			best = run;
		}
		if (worse.count > 0 && !cell->column.typbyval)
			pfree(DatumGetPointer(worse.value));
	}
	return best.value;
}

/* The mean by the column's type: rounded for integers, as a cast would. */
static char *
mean_text(const CleanCell *cell)
{
	double mean = ml_clean_mean(&cell->fit->moments);
	Oid type = cell->column.base_type;
	char buffer[32];

	if (type == INT2OID || type == INT4OID || type == INT8OID)
		return psprintf("%.0f", rint(mean));
	ml_format_double(buffer, mean);
	return pstrdup(buffer);
}

static void
put_fill(const CleanStep *step, CleanCell *cell, MlJsonWriter *w)
{
	const CleanColumn *column = &cell->column;

	if (fill_of(step) == ML_CLEAN_MEAN)
	{
		if (cell->fit->moments.n == 0)
			put_nothing(step, cell, w);
		else
		{
			char *text = mean_text(cell);

			ml_json_raw(w, column->name, text, strlen(text));
		}
		return;
	}
	if (cell->fit->n_values == 0)
		put_nothing(step, cell, w);
	else
		put_value(w, column->name, column,
				  fill_of(step) == ML_CLEAN_MEDIAN ? read_median(cell) : read_mode(cell));
}

/* ---- bounds */

static Datum
numeric_of(double value)
{
	char text[32];

	ml_format_double(text, value);
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

/* numeric(p, s): to the scale, towards the inside; NULL: no value of the type is beyond. */
static char *
numeric_bound(double bound, int32 typmod, bool is_lower)
{
	int precision, scale;
	Datum exact = numeric_of(bound), rounded, unit;

	if (typmod < (int32) VARHDRSZ)
		return DatumGetCString(DirectFunctionCall1(numeric_out, exact));
	precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
	scale = mlplat_numeric_scale(typmod);
	if ((is_lower ? -bound : bound) >= pow(10.0, precision - scale))
		return NULL;
	rounded = DirectFunctionCall2(numeric_round, exact, Int32GetDatum(scale));
	unit = DirectFunctionCall3(numeric_in, CStringGetDatum(psprintf("1e%d", -scale)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	if (is_lower && DatumGetBool(DirectFunctionCall2(numeric_lt, rounded, exact)))
		rounded = DirectFunctionCall2(numeric_add, rounded, unit);
	if (!is_lower && DatumGetBool(DirectFunctionCall2(numeric_gt, rounded, exact)))
		rounded = DirectFunctionCall2(numeric_sub, rounded, unit);
	return DatumGetCString(DirectFunctionCall1(numeric_out, rounded));
}

/* A whole number; NULL: no value of the type is beyond. */
static char *
integer_bound(double bound, double least, double greatest, bool is_lower)
{
	bound = is_lower ? ceil(bound) : floor(bound);
	if (is_lower ? bound <= least : bound >= greatest)
		return NULL;
	return psprintf("%.0f", bound);
}

/* The bound as text of the column's type; NULL: there is none. */
static char *
bound_text(const CleanColumn *column, double bound, bool is_lower)
{
	int32 typmod = column->typmod;
	char buffer[32];

	if (isnan(bound))
		return NULL;
	switch (column->base_type)
	{
		case INT2OID:
			return integer_bound(bound, PG_INT16_MIN, PG_INT16_MAX, is_lower);
		case INT4OID:
			return integer_bound(bound, PG_INT32_MIN, PG_INT32_MAX, is_lower);
		case INT8OID:
			return integer_bound(bound, -9223372036854775808.0, 9223372036854775807.0, is_lower);
		case NUMERICOID:
			getBaseTypeAndTypmod(column->type, &typmod);
			return numeric_bound(bound, typmod, is_lower);
		case FLOAT4OID:
			if (fabs(bound) > FLT_MAX)
				return NULL;
			break;
		default:
			break;
	}
	ml_format_double(buffer, bound);
	return pstrdup(buffer);
}

static void
put_bound(MlJsonWriter *w, const char *key, const char *text)
{
	if (text)
		ml_json_raw(w, key, text, strlen(text));
	else
		put_null(w, key);
}

static MlCleanBounds
given_bounds(const CleanStep *step)
{
	const MlParams *params = &step->spec->params;
	MlCleanBounds bounds = {NAN, NAN};

	if (ml_param_given(params, ML_CLEAN_CLIP_LOWER))
		bounds.lower = ml_param_real(params, ML_CLEAN_CLIP_LOWER);
	if (ml_param_given(params, ML_CLEAN_CLIP_UPPER))
		bounds.upper = ml_param_real(params, ML_CLEAN_CLIP_UPPER);
	return bounds;
}

static MlCleanBounds
fit_bounds(const CleanStep *step, CleanCell *cell)
{
	double quantiles[2];

	switch (by_of(step))
	{
		case ML_CLEAN_BY_BOUNDS:
			return given_bounds(step);
		case ML_CLEAN_BY_ZSCORE:
			return ml_clean_bounds_zscore(&cell->fit->moments, ml_clean_factor(step->spec));
		default:
			break;
	}
	if (cell->fit->n_values == 0)
		return (MlCleanBounds){NAN, NAN};
	if (by_of(step) == ML_CLEAN_BY_IQR)
	{
		read_quantiles(cell, 0.25, 0.75, quantiles);
		return ml_clean_bounds_iqr(quantiles[0], quantiles[1], ml_clean_factor(step->spec));
	}
	read_quantiles(cell, ml_clean_share(step->spec, ML_CLEAN_CLIP_LOWER),
				   ml_clean_share(step->spec, ML_CLEAN_CLIP_UPPER), quantiles);
	return (MlCleanBounds){isfinite(quantiles[0]) ? quantiles[0] : NAN,
						   isfinite(quantiles[1]) ? quantiles[1] : NAN};
}

static void
put_bounds(const CleanStep *step, CleanCell *cell, MlJsonWriter *w)
{
	MlCleanBounds bounds = fit_bounds(step, cell);

	ml_json_open(w, cell->column.name, '{');
	put_bound(w, "lower", bound_text(&cell->column, bounds.lower, true));
	put_bound(w, "upper", bound_text(&cell->column, bounds.upper, false));
	ml_json_close(w, '}');
}

/* ---- levels, and columns to drop */

/* The least count of a level that is not rare. */
static double
least_count(const CleanStep *step, int64 n_values)
{
	const MlParams *params = &step->spec->params;
	bool has_count = ml_param_given(params, ML_CLEAN_RARE_COUNT);
	bool has_share = ml_param_given(params, ML_CLEAN_RARE_SHARE);
	double count = has_count ? ml_param_int(params, ML_CLEAN_RARE_COUNT) : 0;
	double share = has_share ? ml_param_real(params, ML_CLEAN_RARE_SHARE) : has_count ? 0 : 0.01;

	return Max(count, share * (double) n_values);
}

static void
put_levels(const CleanStep *step, CleanCell *cell, MlJsonWriter *w)
{
	double least = least_count(step, cell->fit->n_values);
	Run run;
	Datum ahead;
	bool has_ahead = next_value(cell->fit, &ahead);
	int n = 0;

	ml_json_open(w, cell->column.name, '[');
	while (next_run(cell, &run, &ahead, &has_ahead))
	{
		if ((double) run.count >= least)
		{
			if (++n > MAX_LEVELS)
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("step %d (group_rare): column \"%s\" has more than %d levels that "
								"are not rare",
								step->number, cell->column.name, MAX_LEVELS),
						 errhint("Raise \"min_share\" or \"min_count\".")));
			ml_json_text(w, NULL, mlplat_clean_value_text(&cell->column, run.value));
		}
		pfree(DatumGetPointer(run.value));
	}
	ml_json_close(w, ']');
}

/* With no rows there is nothing to judge by. */
static bool
is_to_drop(const CleanStep *step, const CleanFit *fit)
{
	int64 n = fit->n_values + fit->n_missing;

	if (n == 0)
		return false;
	if (step->spec->action == ML_CLEAN_DROP_CONSTANT)
		return fit->n_values == 0 || (fit->n_missing == 0 && !fit->varies);
	return (double) fit->n_missing >
		   ml_param_real(&step->spec->params, ML_CLEAN_EMPTY_MAX) * (double) n;
}

static void
put_dropped(const CleanStep *step, MlJsonWriter *w)
{
	ml_json_open(w, "dropped", '[');
	for (int i = 0; i < step->n_cells; i++)
		if (is_to_drop(step, step->cells[i].fit))
			ml_json_text(w, NULL, step->cells[i].column.name);
	ml_json_close(w, ']');
}

/* ---- from the rows to facts, from the facts to cells */

static void
write_facts(CleanStep *step)
{
	MlJsonWriter w;

	ml_json_writer(&w, &step->facts);
	ml_json_open(&w, NULL, '{');
	if (mlplat_clean_drops_columns(step))
		put_dropped(step, &w);
	else
		for (int i = 0; i < step->n_cells; i++)
		{
			if (step->spec->action == ML_CLEAN_FILL)
				put_fill(step, &step->cells[i], &w);
			else if (step->spec->action == ML_CLEAN_GROUP_RARE)
				put_levels(step, &step->cells[i], &w);
			else
				put_bounds(step, &step->cells[i], &w);
		}
	ml_json_close(&w, '}');
	mlplat_check(step->env, step->facts.status);
}

static _Noreturn void
damaged_facts(const CleanStep *step)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("step %d (%s) of the recorded cleaning is damaged", step->number,
						   ml_clean_action_name(step->spec->action))));
}

/* A member of the facts, of a type that is expected. */
static const MlJson *
get_fact(const CleanStep *step, const MlJson *facts, const char *key)
{
	const MlJson *fact = facts ? ml_json_get(facts, key) : NULL;

	if (!fact)
		damaged_facts(step);
	return fact;
}

static const char *
fact_text(const CleanStep *step, const MlJson *fact)
{
	if (fact->type == ML_JSON_ARRAY || fact->type == ML_JSON_OBJECT)
		damaged_facts(step);
	return ml_clean_scalar(fact);
}

static void
use_bounds(const CleanStep *step, CleanCell *cell, const MlJson *facts)
{
	const MlJson *bounds = get_fact(step, facts, cell->column.name);
	const char *low = fact_text(step, get_fact(step, bounds, "lower"));
	const char *high = fact_text(step, get_fact(step, bounds, "upper"));

	cell->has_low = low != NULL;
	cell->has_high = high != NULL;
	if (low)
		cell->low = mlplat_clean_read_value(cell, low);
	if (high)
		cell->high = mlplat_clean_read_value(cell, high);
}

static void
use_levels(const CleanStep *step, CleanCell *cell, const MlJson *facts)
{
	const MlJson *kept = get_fact(step, facts, cell->column.name);

	if (kept->type != ML_JSON_ARRAY)
		damaged_facts(step);
	cell->levels.n = kept->n;
	cell->levels.olds = palloc(sizeof(Datum) * (kept->n + 1));
	for (size_t i = 0; i < kept->n; i++)
	{
		const char *text = fact_text(step, &kept->items[i]);

		if (!text)
			damaged_facts(step);
		cell->levels.olds[i] = mlplat_clean_read_value(cell, text);
	}
	mlplat_clean_sort_levels(cell);
}

static void
use_dropped(CleanStep *step, const MlJson *facts, CleanColumn *columns)
{
	const MlJson *dropped = get_fact(step, facts, "dropped");

	if (dropped->type != ML_JSON_ARRAY)
		damaged_facts(step);
	for (int i = 0; i < step->n_cells; i++)
		for (size_t k = 0; k < dropped->n; k++)
		{
			const char *name = fact_text(step, &dropped->items[k]);

			if (!name || strcmp(name, step->cells[i].column.name) != 0)
				continue;
			step->cells[i].has_value = true;
			columns[step->cells[i].index].dropped_by = step->number;
		}
}

static void
use_facts(CleanStep *step, const MlJson *facts, CleanColumn *columns)
{
	if (mlplat_clean_drops_columns(step))
		use_dropped(step, facts, columns);
	else
		for (int i = 0; i < step->n_cells; i++)
		{
			CleanCell *cell = &step->cells[i];

			if (seeks_outliers(step))
				use_bounds(step, cell, facts);
			else if (step->spec->action == ML_CLEAN_GROUP_RARE)
				use_levels(step, cell, facts);
			else
			{
				const char *text = fact_text(step, get_fact(step, facts, cell->column.name));

				cell->has_value = text != NULL;
				if (text)
					cell->value = mlplat_clean_read_value(cell, text);
			}
		}
	step->fitted = true;
}

/* Read back what was written. */
static void
use_written_facts(CleanStep *step, CleanColumn *columns)
{
	MlArena arena;
	MlJson *facts;

	ml_arena_init(&arena, step->env);
	mlplat_check(step->env,
				 ml_json_parse(&arena, (const char *) step->facts.data, step->facts.len, &facts));
	use_facts(step, facts, columns);
	ml_arena_free(&arena);
}

void
mlplat_clean_use_facts(CleanStep *step, const MlJson *facts, CleanColumn *columns)
{
	MlJsonWriter w;

	use_facts(step, facts, columns);
	ml_json_writer(&w, &step->facts);
	ml_json_value(&w, NULL, facts);
	mlplat_check(step->env, step->facts.status);
}

void
mlplat_clean_use_options(CleanStep *step, CleanColumn *columns)
{
	if (!seeks_outliers(step) || by_of(step) != ML_CLEAN_BY_BOUNDS)
		return;
	write_facts(step);
	use_written_facts(step, columns);
}

void
mlplat_clean_end_fit(CleanStep *step, CleanColumn *columns)
{
	MemoryContext caller = MemoryContextSwitchTo(step->context);
	int level = mlplat_clean_plain_texts_begin();

	for (int i = 0; i < step->n_cells; i++)
		if (step->cells[i].fit->sort)
			tuplesort_performsort(step->cells[i].fit->sort);
	write_facts(step);
	for (int i = 0; i < step->n_cells; i++)
		if (step->cells[i].fit->sort)
			tuplesort_end(step->cells[i].fit->sort);
	use_written_facts(step, columns);
	mlplat_clean_plain_texts_end(level);
	MemoryContextSwitchTo(caller);
}
