/*
 * profile_rows.c
 *		profile: the columns of a query, one row each, with a suggested role.
 *
 * The role says what a column most likely is for a model. It is a suggestion,
 * by simple rules that are stated at suggest_role; nothing depends on it.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "pg/bridge.h"
#include "pg/query.h"
#include "pg/rows.h"
#include "prepare/profile.h"

PG_FUNCTION_INFO_V1(mlplat_profile);

#define N_TOP 10
/* Once values are no longer counted exactly, a top value must have this share of the values, or may have it. */
#define TOP_SHARE 0.01

/* The columns of the result. */
enum
{
	OUT_NAME,
	OUT_TYPE,
	OUT_ROWS,
	OUT_NULLS,
	OUT_DISTINCT,
	OUT_MIN,
	OUT_MAX,
	OUT_MEAN,
	OUT_STDDEV,
	OUT_Q25,
	OUT_MEDIAN,
	OUT_Q75,
	OUT_TOP,
	OUT_ROLE,
	N_OUT
};

static int64
count_distinct(const ProfileColumn *column)
{
	if (!column->hll)
		return (int64) column->tally.n;
	return Min((int64) rint(ml_hll_estimate(column->hll)), column->n_values);
}

/* ---- quartiles */

typedef struct Weighted
{
	double value;
	uint64 count;
} Weighted;

static int
compare_weighted(const void *a, const void *b)
{
	double x = ((const Weighted *) a)->value, y = ((const Weighted *) b)->value;

	return (x > y) - (x < y);
}

/* The value at a rank, from 0. */
static double
value_at(const Weighted *values, size_t n, uint64 rank)
{
	size_t i = 0;

	while (i + 1 < n && rank >= values[i].count)
		rank -= values[i++].count;
	return values[i].value;
}

/* As percentile_cont: between two values, on the line. */
static double
quantile_of(const Weighted *values, size_t n, uint64 total, double p)
{
	double position = p * (double) (total - 1), below = floor(position);
	double low = value_at(values, n, (uint64) below);
	double high = value_at(values, n, (uint64) ceil(position));

	return low == high ? low : low + (high - low) * (position - below);
}

/* Quartiles of the numbers: exact while all values are counted, else of the sketch. */
static void
find_quartiles(const ProfileColumn *column, double *quartiles)
{
	static const double p[3] = {0.25, 0.5, 0.75};
	const MlTally *tally = &column->tally;
	Weighted *values;
	size_t n = 0;

	if (column->kll)
	{
		ml_kll_quantiles(column->kll, p, 3, quartiles);
		return;
	}
	values = palloc(sizeof(Weighted) * tally->n);
	for (size_t slot = 0; slot < tally->n_slots; slot++)
	{
		double number = tally->slots[slot].count ? mlplat_profile_value_number(column, slot) : NAN;

		if (!isnan(number))
			values[n++] = (Weighted){number, tally->slots[slot].count};
	}
	qsort(values, n, sizeof(Weighted), compare_weighted);
	for (int i = 0; i < 3; i++)
		quartiles[i] = quantile_of(values, n, (uint64) column->n_numbers, p[i]);
	pfree(values);
}

/* ---- top values */

typedef struct Top
{
	uint64 count;
	double number;
	char *text;
} Top;

/* More frequent first; among equals, the lesser value. */
static int
compare_top(const Top *a, const Top *b)
{
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (!isnan(a->number) && !isnan(b->number) && a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* The most frequent values, in order; returns how many. */
static int
find_top(const ProfileColumn *column, Top *top)
{
	const MlTally *tally = &column->tally;
	uint64 least = tally->exact ? 1 : (uint64) ceil(TOP_SHARE * (double) column->n_values);
	int n = 0;

	for (size_t slot = 0; slot < tally->n_slots; slot++)
	{
		Top item = {.count = tally->slots[slot].count};
		int i;

		if (item.count == 0 || item.count + tally->missed < least ||
			(n == N_TOP && item.count < top[n - 1].count))
			continue;
		item.number = mlplat_profile_value_number(column, slot);
		item.text = mlplat_profile_value_text(column, slot);
		for (i = n; i > 0 && compare_top(&item, &top[i - 1]) < 0; i--)
			if (i < N_TOP)
				top[i] = top[i - 1];
		if (i < N_TOP)
			top[i] = item;
		n = Min(n + 1, N_TOP);
	}
	return n;
}

/* [{"value": ..., "count": ...}, ...] */
static Datum
top_to_jsonb(const ProfileColumn *column)
{
	Top top[N_TOP + 1];
	int n = find_top(column, top);
	bool bare = column->kind == PROFILE_INTEGER || column->kind == PROFILE_FLOAT ||
				column->kind == PROFILE_NUMERIC;
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(&json, i > 0 ? ", {\"value\": " : "{\"value\": ");
		if (column->kind == PROFILE_BOOL)
			appendStringInfoString(&json, top[i].number != 0.0 ? "true" : "false");
		else if (bare && isfinite(top[i].number))
			appendStringInfoString(&json, top[i].text);
		else
			escape_json(&json, top[i].text);
		appendStringInfo(&json, ", \"count\": " UINT64_FORMAT "}", top[i].count);
	}
	appendStringInfoChar(&json, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* ---- the role */

/* With fewer values, being different from each other says nothing. */
#define FEW_VALUES 20

static bool
name_says_id(const char *name)
{
	size_t len = strlen(name);

	return pg_strcasecmp(name, "id") == 0 || pg_strcasecmp(name, "uuid") == 0 ||
		   (len > 3 && pg_strcasecmp(name + len - 3, "_id") == 0) ||
		   (len > 2 && strcmp(name + len - 2, "Id") == 0) ||
		   (len > 2 && strcmp(name + len - 2, "ID") == 0);
}

/* Nearly all values differ; an estimate is believed within three standard errors. */
static bool
is_unique(const ProfileColumn *column, int64 n_distinct)
{
	return column->n_values >= FEW_VALUES &&
		   (double) n_distinct >= (column->hll ? 0.975 : 1.0) * (double) column->n_values;
}

/* Unique whole numbers that leave few gaps, as a sequence gives them, or are called so. */
static bool
is_integer_id(const ProfileColumn *column, int64 n_distinct)
{
	double range = (double) column->greatest.integer - (double) column->least.integer;

	return is_unique(column, n_distinct) &&
		   (name_says_id(column->name) || range < 4.0 * (double) column->n_values);
}

/* Values that repeat are categories, unless they are long; others are ids when unique and of few words. */
static const char *
text_role(const ProfileColumn *column, int64 n_distinct)
{
	double length = (double) column->n_bytes / (double) column->n_values;
	bool repeats = 2 * n_distinct <= column->n_values || column->n_values < FEW_VALUES;

	if (length > 200)
		return "text";
	if (repeats)
		return "category";
	if (length > 60 || 2 * column->n_phrases > column->n_entered)
		return "text";
	return is_unique(column, n_distinct) || name_says_id(column->name) ? "id" : "text";
}

/*
 * unsupported: training does not take the type. constant: at most one value. date: dates and timestamps.
 * id: unique, and a sequence of whole numbers, a name that says so, or a short text or uuid. text: long or
 * hardly repeating. category: other texts, enums, booleans. feature: other numbers, times, arrays of one length.
 */
static const char *
suggest_role(const ProfileColumn *column, int64 n_rows, int64 n_distinct)
{
	if (column->kind == PROFILE_OTHER)
		return "unsupported";
	if (column->kind == PROFILE_BLOCK && column->n_values > 0 && column->block_length < 1)
		return "unsupported";
	if (n_rows > 0 && n_distinct <= 1)
		return "constant";
	switch (column->kind)
	{
		case PROFILE_DATE:
			return "date";
		case PROFILE_BOOL:
			return "category";
		case PROFILE_INTEGER:
			return is_integer_id(column, n_distinct) ? "id" : "feature";
		case PROFILE_TEXT:
			return column->n_values > 0 ? text_role(column, n_distinct) : "category";
		case PROFILE_LABEL:
			return is_unique(column, n_distinct) ? "id" : "category";
		default:
			return "feature";
	}
}

/* ---- the result */

static Datum
extreme_text(const ProfileColumn *column, Datum value)
{
	if (column->kind == PROFILE_TEXT)
		return PointerGetDatum(DatumGetTextPP(value));
	if (column->kind == PROFILE_BOOL)
		return CStringGetTextDatum(DatumGetBool(value) ? "true" : "false");
	return CStringGetTextDatum(OutputFunctionCall(unconstify(FmgrInfo *, &column->output), value));
}

static void
set_value(Datum *values, bool *nulls, int index, Datum value)
{
	values[index] = value;
	nulls[index] = false;
}

/* The sum may overflow where the mean does not. */
static double
mean_of(const ProfileColumn *column)
{
	double sum = column->sum + column->rest;

	return isfinite(sum) ? sum / (double) column->n_finite : column->mean;
}

static void
set_numbers(const ProfileColumn *column, Datum *values, bool *nulls)
{
	double quartiles[3];

	if (column->n_finite > 0)
		set_value(values, nulls, OUT_MEAN, Float8GetDatum(mean_of(column)));
	if (column->n_finite > 1)
		set_value(values, nulls, OUT_STDDEV,
				  Float8GetDatum(sqrt(column->m2 / (double) (column->n_finite - 1))));
	if (column->n_numbers == 0 || column->kind == PROFILE_BOOL)
		return;
	find_quartiles(column, quartiles);
	for (int i = 0; i < 3; i++)
		if (!isnan(quartiles[i])) /* between infinities of both signs */
			set_value(values, nulls, OUT_Q25 + i, Float8GetDatum(quartiles[i]));
}

static void
put_column(Tuplestorestate *store, TupleDesc desc, const ProfileColumn *column, int64 n_rows)
{
	Datum values[N_OUT];
	bool nulls[N_OUT];
	int64 n_distinct = count_distinct(column);

	memset(nulls, true, sizeof(nulls));
	set_value(values, nulls, OUT_NAME, CStringGetTextDatum(column->name));
	set_value(values, nulls, OUT_TYPE,
			  CStringGetTextDatum(format_type_with_typemod(column->type, column->typmod)));
	set_value(values, nulls, OUT_ROWS, Int64GetDatum(n_rows));
	set_value(values, nulls, OUT_NULLS, Int64GetDatum(n_rows - column->n_values));
	set_value(values, nulls, OUT_DISTINCT, Int64GetDatum(n_distinct));
	if (column->n_numbers > 0 || (column->kind == PROFILE_TEXT && column->n_values > 0))
	{
		set_value(values, nulls, OUT_MIN, extreme_text(column, column->min));
		set_value(values, nulls, OUT_MAX, extreme_text(column, column->max));
	}
	if (mlplat_profile_is_number(column) || column->kind == PROFILE_BOOL)
		set_numbers(column, values, nulls);
	set_value(values, nulls, OUT_TOP, top_to_jsonb(column));
	set_value(values, nulls, OUT_ROLE,
			  CStringGetTextDatum(suggest_role(column, n_rows, n_distinct)));
	tuplestore_putvalues(store, desc, values, nulls);
}

/* Put the columns' rows out, each in a memory context that is emptied after it. */
static void
put_columns(Tuplestorestate *store, TupleDesc desc, const Profile *profile)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat profile row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);

	for (int j = 0; j < profile->n_columns; j++)
	{
		CHECK_FOR_INTERRUPTS();
		put_column(store, desc, &profile->columns[j], profile->n_rows);
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

Datum
mlplat_profile(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *store = mlplat_rows_begin(fcinfo, N_OUT, &desc);
	char *sql = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat profile", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	Profile *profile;
	MlEnv env;

	mlplat_env_init(&env, work);
	profile = mlplat_profile_begin(mlplat_describe_query(sql), &env);
	mlplat_run_query(sql, MLPLAT_PLAN_PARALLEL, mlplat_profile_row, profile);
	put_columns(store, desc, profile);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
