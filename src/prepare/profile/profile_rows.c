/*
 * profile_rows.c
 *		profile: the columns of a query, one row each.
 *
 * The query becomes the inner one of SELECT mlplat.profile_columns(...), ... FROM (query), which the server may run
 * with workers wherever it could run the query so. The states that come back are loaded and shown here.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "pg/bridge.h"
#include "pg/query.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "prepare/profile/profile.h"

PG_FUNCTION_INFO_V1(mlplat_profile);

/* Of 100 arguments of a call, some are ours. */
#define COLUMNS_OF_CALL 90

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
	OUT_SKEWNESS,
	OUT_Q25,
	OUT_MEDIAN,
	OUT_Q75,
	OUT_ZEROS,
	OUT_OUTLIER_SHARE,
	OUT_MIN_LENGTH,
	OUT_MAX_LENGTH,
	OUT_SHORTEST,
	OUT_LONGEST,
	OUT_TOP,
	OUT_CORRELATION,
	OUT_ROLE,
	N_OUT
};

typedef struct ProfileReport
{
	MemoryContext context;
	MlEnv env;
	int n_columns;
	ProfileShown *columns;
	const ProfileShown *target; /* NULL: none */
	uint64 n_rows;
} ProfileReport;

/* ---- values as text */

static Datum
key_to_datum(Oid base_type, uint64 key)
{
	switch (base_type)
	{
		case BOOLOID:
			return BoolGetDatum(key != 0);
		case INT2OID:
			return Int16GetDatum((int16) key);
		case INT4OID:
			return Int32GetDatum((int32) key);
		case FLOAT4OID:
			return Float4GetDatum((float4) ml_key_to_double(key));
		case FLOAT8OID:
			return Float8GetDatum(ml_key_to_double(key));
		case DATEOID:
			return DateADTGetDatum((DateADT) key);
		default:
			return Int64GetDatum((int64) key);
	}
}

static char *
key_text(const ProfileShown *column, uint64 key)
{
	if (column->base_type == BOOLOID)
		return pstrdup(key != 0 ? "true" : "false");
	return OutputFunctionCall(unconstify(FmgrInfo *, &column->output),
							  key_to_datum(column->base_type, key));
}

/* Kept text as it is shown: numeric values of a column with a scale with all of its digits. */
static char *
shown_text(const ProfileShown *column, const char *text)
{
	if (column->base_type != NUMERICOID || column->base_typmod < 0 || strpbrk(text, "eEIN"))
		return pstrdup(text);
	return DatumGetCString(DirectFunctionCall1(
		numeric_out, DirectFunctionCall3(numeric_in, CStringGetDatum(text), InvalidOid,
										 Int32GetDatum(column->base_typmod))));
}

char *
mlplat_profile_slot_text(const ProfileShown *column, size_t slot)
{
	const MlTally *tally = &column->summary->tally;

	if (!tally->keep_text)
		return key_text(column, tally->slots[slot].key);
	return tally->texts[slot] ? shown_text(column, tally->texts[slot]) : pstrdup("");
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
find_top(const ProfileShown *column, Top *top)
{
	const MlTally *tally = &column->summary->tally;
	uint64 least = tally->exact ? 1 : (uint64) ceil(TOP_SHARE * (double) column->summary->n_values);
	int n = 0;

	for (size_t slot = 0; slot < tally->n_slots; slot++)
	{
		Top item = {.count = tally->slots[slot].count};
		int i;

		if (item.count == 0 || item.count + tally->missed < least ||
			(n == N_TOP && item.count < top[n - 1].count))
			continue;
		item.number = ml_summary_slot_number(column->summary, slot);
		item.text = mlplat_profile_slot_text(column, slot);
		for (i = n; i > 0 && compare_top(&item, &top[i - 1]) < 0; i--)
			if (i < N_TOP)
				top[i] = top[i - 1];
		if (i < N_TOP)
			top[i] = item;
		n = Min(n + 1, N_TOP);
	}
	return n;
}

/* Does JSON have a form of its own for the value? */
static bool
is_bare(const ProfileShown *column, const Top *top)
{
	switch (column->summary->kind)
	{
		case ML_SUMMARY_BOOL:
			return true;
		case ML_SUMMARY_INTEGER:
		case ML_SUMMARY_FLOAT:
		case ML_SUMMARY_NUMERIC:
			return isfinite(top->number);
		default:
			return false;
	}
}

/* [{"value": ..., "count": ...}, ...] */
static Datum
top_to_jsonb(const ProfileShown *column)
{
	Top top[N_TOP];
	int n = find_top(column, top);
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(&json, i > 0 ? ", {\"value\": " : "{\"value\": ");
		if (is_bare(column, &top[i]))
			appendStringInfoString(&json, top[i].text);
		else
			escape_json(&json, top[i].text);
		appendStringInfo(&json, ", \"count\": " UINT64_FORMAT "}", top[i].count);
	}
	appendStringInfoChar(&json, ']');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* ---- a row of the result */

typedef struct OutRow
{
	Datum values[N_OUT];
	bool nulls[N_OUT];
} OutRow;

static void
set_value(OutRow *row, int index, Datum value)
{
	row->values[index] = value;
	row->nulls[index] = false;
}

static void
set_text(OutRow *row, int index, const char *text)
{
	if (text)
		set_value(row, index, CStringGetTextDatum(text));
}

/* NaN: nothing to say, as between infinities of both signs. */
static void
set_number(OutRow *row, int index, double number)
{
	if (!isnan(number))
		set_value(row, index, Float8GetDatum(number));
}

/* Float values have their order as doubles, other keys their own, the rest is kept as text. */
static void
set_range(OutRow *row, const ProfileShown *column)
{
	const MlSummary *summary = column->summary;
	bool by_key = ml_summary_key_is_value(summary->kind);
	bool is_float = summary->kind == ML_SUMMARY_FLOAT;

	if (by_key && summary->n_numbers > 0)
	{
		uint64 least = is_float ? ml_double_to_key(summary->least) : (uint64) summary->least_key;
		uint64 greatest =
			is_float ? ml_double_to_key(summary->greatest) : (uint64) summary->greatest_key;

		set_text(row, OUT_MIN, key_text(column, least));
		set_text(row, OUT_MAX, key_text(column, greatest));
	}
	if (summary->min && summary->max)
	{
		set_text(row, OUT_MIN, shown_text(column, summary->min));
		set_text(row, OUT_MAX, shown_text(column, summary->max));
	}
}

static void
set_moments(OutRow *row, const MlSummary *summary)
{
	MlQuartiles quartiles;

	set_number(row, OUT_MEAN, ml_spread_mean(&summary->spread));
	set_number(row, OUT_STDDEV, ml_spread_stddev(&summary->spread));
	if (summary->n_numbers == 0 || summary->kind == ML_SUMMARY_BOOL)
		return;
	set_number(row, OUT_SKEWNESS, ml_spread_skewness(&summary->spread));
	mlplat_check(summary->env, ml_summary_quartiles(summary, &quartiles));
	for (int i = 0; i < 3; i++)
		set_number(row, OUT_Q25 + i, quartiles.q[i]);
	set_number(row, OUT_OUTLIER_SHARE, quartiles.outlier_share);
	if (summary->kind != ML_SUMMARY_TIME && summary->kind != ML_SUMMARY_INTERVAL)
		set_value(row, OUT_ZEROS, Int64GetDatum((int64) summary->n_zeros));
}

static void
set_lengths(OutRow *row, const MlSummary *summary)
{
	if (!summary->shortest || !summary->longest)
		return;
	set_value(row, OUT_MIN_LENGTH, Int64GetDatum((int64) summary->min_length));
	set_value(row, OUT_MAX_LENGTH, Int64GetDatum((int64) summary->max_length));
	set_text(row, OUT_SHORTEST, summary->shortest);
	set_text(row, OUT_LONGEST, summary->longest);
}

static void
set_column(OutRow *row, const ProfileReport *report, ProfileShown *column)
{
	const MlSummary *summary = column->summary;
	uint64 n_with_target = 0;

	column->n_distinct = ml_summary_distinct(summary);
	column->with_target = NAN;
	if (report->target)
		column->with_target = mlplat_profile_with_target(column, report->target, &n_with_target);
	set_text(row, OUT_NAME, column->name);
	set_text(row, OUT_TYPE, format_type_with_typemod(column->type, column->typmod));
	set_value(row, OUT_ROWS, Int64GetDatum((int64) report->n_rows));
	set_value(row, OUT_NULLS, Int64GetDatum((int64) (report->n_rows - summary->n_values)));
	set_value(row, OUT_DISTINCT, Int64GetDatum((int64) column->n_distinct));
	set_range(row, column);
	if (ml_summary_is_number(summary->kind) || summary->kind == ML_SUMMARY_BOOL)
		set_moments(row, summary);
	set_lengths(row, summary);
	set_value(row, OUT_TOP, top_to_jsonb(column));
	set_number(row, OUT_CORRELATION, column->with_target);
	set_text(row, OUT_ROLE, mlplat_profile_role(column, report->n_rows, n_with_target));
}

/* Put the columns' rows out, each in a memory context that is emptied after it. */
static void
put_columns(Tuplestorestate *store, TupleDesc desc, ProfileReport *report)
{
	MemoryContext work =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat profile row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);

	for (int j = 0; j < report->n_columns; j++)
	{
		OutRow row;

		CHECK_FOR_INTERRUPTS();
		memset(row.nulls, true, sizeof(row.nulls));
		set_column(&row, report, &report->columns[j]);
		tuplestore_putvalues(store, desc, row.values, row.nulls);
		MemoryContextReset(work);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}

/* ---- the query */

/* What is to be shown of a column, with an empty summary: that of a query without rows. */
static void
begin_column(ProfileReport *report, ProfileShown *column, Form_pg_attribute attribute)
{
	MlSummary *empty = palloc0(sizeof(MlSummary));
	Oid output;
	bool is_varlena;

	column->name = pstrdup(NameStr(attribute->attname));
	column->type = attribute->atttypid;
	column->typmod = column->base_typmod = attribute->atttypmod;
	column->base_type = getBaseTypeAndTypmod(column->type, &column->base_typmod);
	getTypeOutputInfo(column->base_type, &output, &is_varlena);
	fmgr_info(output, &column->output);
	mlplat_profile_begin_summary(empty, &report->env, column->base_type, report->n_columns);
	column->summary = empty;
}

/* The one column of that name. */
static ProfileShown *
find_target(const ProfileReport *report, const char *name)
{
	ProfileShown *found = NULL;

	for (int j = 0; j < report->n_columns; j++)
	{
		if (strcmp(report->columns[j].name, name) != 0)
			continue;
		if (found)
			ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_COLUMN),
							errmsg("the query returns several columns \"%s\"", name)));
		found = &report->columns[j];
	}
	if (!found)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("the query returns no column \"%s\" to be the target", name)));
	if (!mlplat_profile_has_number(found->summary->kind) &&
		!mlplat_profile_is_category(found->summary->kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target \"%s\" has type %s, which has no correlation", name,
						format_type_be(found->type)),
				 errdetail("Numbers, booleans, dates, times, texts, enums and uuids have one.")));
	return found;
}

static ProfileReport *
begin_report(TupleDesc desc, const char *target)
{
	ProfileReport *report = palloc0(sizeof(ProfileReport));
	ProfileShown *found;

	report->context = CurrentMemoryContext;
	mlplat_env_init(&report->env, CurrentMemoryContext);
	report->n_columns = desc->natts;
	report->columns = palloc0(sizeof(ProfileShown) * desc->natts);
	for (int j = 0; j < desc->natts; j++)
		begin_column(report, &report->columns[j], TupleDescAttr(desc, j));
	if (!target)
		return report;
	found = find_target(report, target);
	found->is_target = true;
	report->target = found;
	return report;
}

/* One call for columns first to end. */
static void
append_call(StringInfo sql, const ProfileReport *report, int first, int end)
{
	appendStringInfo(sql, "%smlplat.profile_columns(%d, %s", first > 0 ? ", " : "",
					 report->n_columns, report->target ? "true" : "false");
	if (report->target)
		appendStringInfo(sql, ", q.c%d", (int) (report->target - report->columns));
	for (int j = first; j < end; j++)
		appendStringInfo(sql, ", q.c%d", j);
	appendStringInfoChar(sql, ')');
}

/* Columns get names of ours, since those of the query need not differ. */
static char *
make_query(const ProfileReport *report, const char *query)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int j = 0; j < report->n_columns; j += COLUMNS_OF_CALL)
		append_call(&sql, report, j, Min(j + COLUMNS_OF_CALL, report->n_columns));
	appendStringInfo(&sql, " FROM (%s\n) AS q (c0", mlplat_statement_text(query));
	for (int j = 1; j < report->n_columns; j++)
		appendStringInfo(&sql, ", c%d", j);
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* An MlplatRowFn: the one row of states, in the order of the columns. NULL: there were no rows. */
static void
take_states(void *arg, TupleTableSlot *slot)
{
	ProfileReport *report = arg;
	MemoryContext caller = MemoryContextSwitchTo(report->context);

	for (int first = 0; first < report->n_columns; first += COLUMNS_OF_CALL)
	{
		int call = first / COLUMNS_OF_CALL;
		const Profile *profile;

		if (slot->tts_isnull[call])
			continue;
		profile = mlplat_state_get_ro(slot->tts_values[call], &mlplat_profile_kind)->data;
		report->n_rows = profile->n_rows;
		for (int j = 0; j < profile->n_columns; j++)
			report->columns[first + j].summary = &profile->columns[j].summary;
	}
	MemoryContextSwitchTo(caller);
}

Datum
mlplat_profile(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *store;
	MemoryContext work, caller;
	ProfileReport *report;
	char *query;

	mlplat_need_arguments(fcinfo, 2);
	store = mlplat_rows_begin(fcinfo, N_OUT, &desc);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "mlplat profile", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(work);
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	report = begin_report(mlplat_describe_query(query),
						  PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	mlplat_run_made_query(make_query(report, query), query, MLPLAT_PLAN_PARALLEL, take_states,
						  report);
	put_columns(store, desc, report);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return (Datum) 0;
}
