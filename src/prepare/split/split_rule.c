/*
 * split_rule.c
 *		The rules of split_table as SQL: for each part, a condition on the columns of a row.
 *
 * A condition is fixed when the split is made and looks at one row only, so a
 * row never changes sides because of other rows, and rows that come later fall
 * into a part at once:
 *
 * - at random: part_of the key. The shares hold on average;
 * - stratified: uniform_of the key, cut at a number of the class's own. A class
 *   that comes later is cut at the nominal shares;
 * - by group: uniform_of the group, cut where the rows of whole groups come
 *   nearest to the shares;
 * - in order: values, the earliest first. A cut that falls among equal values
 *   goes to their nearer end, as in data/folds_by.c.
 *
 * Cuts of random numbers are laid between those that are there, so that shares
 * are exact when the split is made, but as near to the nominal cut as that
 * allows, so that later rows keep to the shares and a split that is made anew
 * moves few rows.
 *
 * A row whose key, group or value is NULL belongs to the first part: what is
 * not known to be of the test part must not be in it.
 *
 * The texts are run under the caller's search_path: everything in them is
 * qualified, operators too.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "data/shares.h"
#include "pg/bridge.h"
#include "prepare/split/split_table.h"

/* The distance of neighbours among the numbers of uniform_of. */
#define UNIFORM_STEP 0x1p-53

/* ---- pieces of SQL */

/* Until the end of this level of settings, texts of values mean the same under all. */
static int
begin_constants(void)
{
	int level = NewGUCNestLevel();

	(void) set_config_option("extra_float_digits", "3", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	(void) set_config_option("datestyle", "ISO", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
	(void) set_config_option("intervalstyle", "iso_8601", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static void
end_constants(int level)
{
	AtEOXact_GUC(true, level);
}

/* A value as a constant. */
static char *
constant(Datum value, Oid type)
{
	int level = begin_constants();
	Oid output;
	bool is_varlena;
	char *text;

	getTypeOutputInfo(type, &output, &is_varlena);
	text = psprintf(
		"%s::%s", quote_literal_cstr(OidOutputFunctionCall(output, value)),
		format_type_extended(type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	end_constants(level);
	return text;
}

/* A number in the fewest digits that tell it from others. */
static char *
digits(double value)
{
	int level = begin_constants();
	char *text = float8out_internal(value);

	end_constants(level);
	return text;
}

/* A number as a constant. */
static char *
number(double value)
{
	return psprintf("'%s'::pg_catalog.float8", digits(value));
}

/* An operator with its schema. */
static char *
operator_text(Oid operator)
{
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char *text;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	text = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return text;
}

/* What the rows of one side share: a column, or a row of columns. */
static char *
key_text(const Split *split)
{
	StringInfoData text;
	ListCell *cell;
	const char *separator = "";

	if (list_length(split->key) == 1)
		return pstrdup(mlplat_split_column(split, linitial_int(split->key)));
	initStringInfo(&text);
	appendStringInfoString(&text, "ROW(");
	foreach (cell, split->key)
	{
		appendStringInfo(&text, "%s%s", separator, mlplat_split_column(split, lfirst_int(cell)));
		separator = ", ";
	}
	appendStringInfoChar(&text, ')');
	return text.data;
}

/*
 * call, or when it is NULL, instead. A NOT NULL of the column is no reason to leave this out, as it can be dropped; but a
 * row of columns is never NULL, whatever is in it.
 */
static char *
unless_null(const Split *split, const char *call, const char *instead)
{
	return list_length(split->key) == 1 ? psprintf("COALESCE(%s, %s)", call, instead)
										: pstrdup(call);
}

/* Both conditions; NULL stands for one that is always true. */
static const char *
both(const char *a, const char *b)
{
	if (a && b)
		return psprintf("%s AND %s", a, b);
	return a ? a : b ? b : "true";
}

/* ---- at random */

static void
random_conditions(Split *split)
{
	StringInfoData shares;
	const char *call;

	initStringInfo(&shares);
	for (int i = 0; i < split->n_shares; i++)
		appendStringInfo(&shares, "%s%s", i > 0 ? "," : "", digits(split->shares[i]));
	call = psprintf("mlplat.part_of(%s, '{%s}'::pg_catalog.float8[], %d)", key_text(split),
					shares.data, split->seed);
	for (int i = 0; i < split->n_parts; i++)
		split->parts[i].condition = psprintf("%s OPERATOR(pg_catalog.=) %d",
											 i == 0 ? unless_null(split, call, "1") : call, i + 1);
}

/* ---- stratified */

/* The random number of a row. */
static char *
number_of_row(const Split *split)
{
	return unless_null(split, psprintf("mlplat.uniform_of(%s, %d)", key_text(split), split->seed),
					   "0");
}

/* The classes that are there, in their order, NULL last. */
typedef struct Strata
{
	int n_classes, n_cuts;
	const char **when; /* by class: the condition of the CASE */
	uint64 *count;     /* by class: rows */
	double *cuts;      /* cuts[class * n_cuts + i], between part i and part i + 1 */
} Strata;

/* A number of the result: of type bigint, and not NULL. */
static int64
result_int64(uint64 row, int column)
{
	bool isnull;

	return DatumGetInt64(
		SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}

static void
run_query(const char *sql, int n, Oid *types, Datum *values, long limit)
{
	int result = SPI_execute_with_args(sql, n, types, values, NULL, true, limit);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "reading the relation failed: %s", SPI_result_code_string(result));
}

/* Count the rows of each class. */
static void
read_classes(const Split *split, Strata *strata)
{
	const char *column = mlplat_split_column(split, split->column);
	Oid type = mlplat_split_column_type(split, split->column);
	const char *equals = operator_text(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr);

	run_query(psprintf("SELECT %s, pg_catalog.count(*) FROM %s t GROUP BY 1 ORDER BY 1", column,
					   split->source),
			  0, NULL, NULL, SPLIT_MAX_CLASSES + 1);
	if (SPI_processed > SPLIT_MAX_CLASSES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("column \"%s\" has more than %d classes",
							   mlplat_split_column_name(split, split->column), SPLIT_MAX_CLASSES),
						errhint("Numbers are stratified by bins of them, which a view can add as "
								"a column.")));
	strata->n_classes = (int) SPI_processed;
	strata->when = palloc0(sizeof(char *) * (strata->n_classes + 1));
	strata->count = palloc0(sizeof(uint64) * (strata->n_classes + 1));
	for (int k = 0; k < strata->n_classes; k++)
	{
		bool isnull;
		Datum value = SPI_getbinval(SPI_tuptable->vals[k], SPI_tuptable->tupdesc, 1, &isnull);

		strata->when[k] = isnull ? psprintf("%s IS NULL", column)
								 : psprintf("%s %s %s", column, equals, constant(value, type));
		strata->count[k] = (uint64) result_int64(k, 2);
	}
}

/* The rank (from 1) of the last row before each cut, by class and cut. */
static uint64 *
find_ranks(const Split *split, const Strata *strata)
{
	uint64 *rows = palloc0(sizeof(uint64) * (strata->n_classes * split->n_shares + 1));
	uint64 *ranks = palloc0(sizeof(uint64) * (strata->n_classes * strata->n_cuts + 1));
	MlEnv env;

	mlplat_env_init(&env, CurrentMemoryContext);
	mlplat_check(&env, ml_share_rows(&env, strata->count, strata->n_classes, split->shares,
									 split->n_shares, rows));
	for (int k = 0; k < strata->n_classes; k++)
	{
		uint64 rank = 0;

		for (int i = 0; i < strata->n_cuts; i++)
		{
			rank += rows[k * split->n_shares + i];
			ranks[k * strata->n_cuts + i] = rank;
		}
	}
	return ranks;
}

/*
 * Where rows stand that are ordered by class and number: two for each cut, the row before it and the row after it, of
 * the same class. 0: there is no such row.
 */
static ArrayType *
find_places(const Strata *strata, const uint64 *ranks)
{
	int n = strata->n_classes * strata->n_cuts;
	Datum *places = palloc0(sizeof(Datum) * Max(2 * n, 1));
	uint64 rows_before = 0; /* the class */

	for (int k = 0; k < strata->n_classes; k++)
	{
		for (int i = k * strata->n_cuts; i < (k + 1) * strata->n_cuts; i++)
		{
			places[2 * i] = Int64GetDatum(ranks[i] > 0 ? (int64) (rows_before + ranks[i]) : 0);
			places[2 * i + 1] = Int64GetDatum(
				ranks[i] < strata->count[k] ? (int64) (rows_before + ranks[i] + 1) : 0);
		}
		rows_before += strata->count[k];
	}
	return construct_array(places, 2 * n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* The numbers of the rows beside the cuts, as find_places has them. NaN: there is no such row. */
static double *
read_numbers(const Split *split, const Strata *strata, const uint64 *ranks)
{
	int n = 2 * strata->n_classes * strata->n_cuts;
	double *numbers = palloc(sizeof(double) * Max(n, 1));
	Oid type = INT8ARRAYOID;
	Datum places = PointerGetDatum(find_places(strata, ranks));

	for (int i = 0; i < n; i++)
		numbers[i] = get_float8_nan();
	run_query(psprintf("SELECT w.at, s.number FROM (SELECT pg_catalog.row_number() OVER"
					   " (ORDER BY r.class, r.number) AS place, r.number"
					   " FROM (SELECT %s AS class, %s AS number FROM %s t) r) s"
					   " JOIN pg_catalog.unnest($1) WITH ORDINALITY w (place, at)"
					   " ON s.place OPERATOR(pg_catalog.=) w.place",
					   mlplat_split_column(split, split->column), number_of_row(split),
					   split->source),
			  1, &type, &places, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool isnull;

		numbers[result_int64(i, 1) - 1] =
			DatumGetFloat8(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2, &isnull));
	}
	return numbers;
}

/* The nearest to the nominal cut that is above the number before it, and not above the one after it. */
static double
place_cut(double nominal, double before, double after)
{
	double cut = nominal;

	if (!isnan(after))
		cut = Min(cut, after);
	if (!isnan(before))
		cut = Max(cut, before + UNIFORM_STEP);
	return cut;
}

static double
nominal_cut(const Split *split, int cut)
{
	double sum = 0;

	for (int i = 0; i <= cut; i++)
		sum += split->shares[i];
	return sum;
}

/* The number that a row is held against, by its class. */
static char *
cut_text(const Split *split, const Strata *strata, int cut)
{
	double nominal = nominal_cut(split, cut);
	StringInfoData text;

	if (strata->n_classes == 0)
		return number(nominal);
	initStringInfo(&text);
	appendStringInfoString(&text, "CASE");
	for (int k = 0; k < strata->n_classes; k++)
		appendStringInfo(&text, " WHEN %s THEN %s", strata->when[k],
						 number(strata->cuts[k * strata->n_cuts + cut]));
	appendStringInfo(&text, " ELSE %s END", number(nominal));
	return text.data;
}

static void
read_cuts(const Split *split, Strata *strata)
{
	double *numbers;
	int n;

	read_classes(split, strata);
	n = strata->n_classes * strata->n_cuts;
	numbers = read_numbers(split, strata, find_ranks(split, strata));
	strata->cuts = palloc(sizeof(double) * Max(n, 1));
	for (int i = 0; i < n; i++)
		strata->cuts[i] =
			place_cut(nominal_cut(split, i % strata->n_cuts), numbers[2 * i], numbers[2 * i + 1]);
}

static void
stratified_conditions(Split *split)
{
	Strata strata = {.n_cuts = split->n_shares - 1};
	const char *call = number_of_row(split);
	const char *not_below = NULL;

	read_cuts(split, &strata);
	for (int i = 0; i < split->n_parts; i++)
	{
		const char *cut = i < strata.n_cuts ? cut_text(split, &strata, i) : NULL;
		const char *below = cut ? psprintf("%s OPERATOR(pg_catalog.<) %s", call, cut) : NULL;

		split->parts[i].condition = both(not_below, below);
		not_below = cut ? psprintf("%s OPERATOR(pg_catalog.>=) %s", call, cut) : NULL;
	}
}

/* ---- by group, and in order: both cut an order of values, equal ones never apart */

/* What is put in order. */
typedef struct Order
{
	const Split *split;
	const char *value; /* SQL */
	int64 rows_before; /* the last cut */
} Order;

/* The values on both sides of a cut, in the memory of the SPI result. before is NULL for the first value. */
typedef struct OrderCut
{
	Datum before, after;
	bool has_before;
} OrderCut;

/*
 * Of the value among whose rows a cut falls: those before it, itself and after it, then how many rows are before it,
 * how many up to it, how many there should be before the cut, and all. $1: the share before the cut, $2: rows before
 * the last cut.
 */
#define ORDER_QUERY \
	"SELECT c.before, c.value, c.after, c.low, c.high, c.wanted, c.total FROM (SELECT" \
	" pg_catalog.lag(v.value) OVER (ORDER BY v.value) AS before, v.value," \
	" pg_catalog.lead(v.value) OVER (ORDER BY v.value) AS after," \
	" v.high OPERATOR(pg_catalog.-) v.n AS low, v.high, v.total," \
	" GREATEST(LEAST(pg_catalog.floor(v.total::pg_catalog.float8 OPERATOR(pg_catalog.*) $1" \
	" OPERATOR(pg_catalog.+) 0.5)::pg_catalog.int8," \
	" v.total OPERATOR(pg_catalog.-) 1::pg_catalog.int8)," \
	" $2 OPERATOR(pg_catalog.+) 1::pg_catalog.int8) AS wanted" \
	" FROM (SELECT g.value, g.n," \
	" (pg_catalog.sum(g.n) OVER (ORDER BY g.value))::pg_catalog.int8 AS high," \
	" (pg_catalog.sum(g.n) OVER ())::pg_catalog.int8 AS total" \
	" FROM (SELECT r.value, pg_catalog.count(*) AS n FROM (SELECT %s AS value FROM %s t) r" \
	" WHERE r.value IS NOT NULL GROUP BY 1) g) v) c" \
	" WHERE c.high OPERATOR(pg_catalog.>) c.wanted ORDER BY c.value LIMIT 1"

/* Find the cut that leaves a share of the rows before it; false: there are too few different values. */
static bool
find_cut(Order *order, double share, OrderCut *cut)
{
	Oid types[2] = {FLOAT8OID, INT8OID};
	Datum values[2] = {Float8GetDatum(share), Int64GetDatum(order->rows_before)};
	Datum around[3];
	bool nulls[3];
	int64 low, high, wanted, total;
	int after = 1;

	run_query(psprintf(ORDER_QUERY, order->value, order->split->source), 2, types, values, 0);
	if (SPI_processed == 0)
		return false;
	for (int i = 0; i < 3; i++)
		around[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
	low = result_int64(0, 4);
	high = result_int64(0, 5);
	wanted = result_int64(0, 6);
	total = result_int64(0, 7);
	if (low <= order->rows_before || (high < total && high - wanted < wanted - low))
	{
		low = high;
		after = 2;
	}
	if (low >= total)
		return false;
	order->rows_before = low;
	cut->after = around[after];
	cut->before = around[after - 1];
	cut->has_before = !nulls[after - 1];
	return true;
}

static void
need_cut(Order *order, double share, OrderCut *cut)
{
	const Split *split = order->split;

	if (!find_cut(order, share, cut))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("%s column \"%s\" has too few different values for %d parts",
							   split->rule == SPLIT_BY_GROUP ? "group_by" : "order_by",
							   mlplat_split_column_name(split, split->column), split->n_shares),
						errhint("Rows of one value are never split.")));
}

static void
group_conditions(Split *split)
{
	const char *value = number_of_row(split);
	Order order = {.split = split, .value = value};
	const char *not_below = NULL;

	for (int i = 0; i < split->n_parts; i++)
	{
		const char *text = NULL;
		OrderCut cut;

		if (i < split->n_shares - 1)
		{
			need_cut(&order, nominal_cut(split, i), &cut);
			text = number(place_cut(nominal_cut(split, i),
									cut.has_before ? DatumGetFloat8(cut.before) : NAN,
									DatumGetFloat8(cut.after)));
		}
		split->parts[i].condition =
			both(not_below, text ? psprintf("%s OPERATOR(pg_catalog.<) %s", value, text) : NULL);
		not_below = text ? psprintf("%s OPERATOR(pg_catalog.>=) %s", value, text) : NULL;
	}
}

/* The operator "not less" of a type's order. */
static char *
not_less_operator(const TypeCacheEntry *type)
{
	return operator_text(get_opfamily_member(type->btree_opf, type->btree_opintype,
											 type->btree_opintype, BTGreaterEqualStrategyNumber));
}

static void
ordered_conditions(Split *split)
{
	const char *column = mlplat_split_column(split, split->column);
	Order order = {.split = split, .value = column};
	TypeCacheEntry *type = lookup_type_cache(mlplat_split_column_type(split, split->column),
											 TYPECACHE_LT_OPR | TYPECACHE_BTREE_OPFAMILY);
	const char *less = operator_text(type->lt_opr), *not_less = not_less_operator(type);
	const char *not_below = NULL;

	for (int i = 0; i < split->n_parts; i++)
	{
		const char *text = NULL, *below = NULL;
		OrderCut cut;

		if (i < split->n_shares - 1)
		{
			need_cut(&order, nominal_cut(split, i), &cut);
			text = constant(cut.after, type->type_id);
			below = psprintf("%s %s %s", column, less, text);
		}
		if (i == 0 && below)
			below = psprintf("(%s OR %s IS NULL)", below, column);
		split->parts[i].condition = both(not_below, below);
		not_below = text ? psprintf("%s %s %s", column, not_less, text) : NULL;
	}
}

void
mlplat_split_find_conditions(Split *split)
{
	switch (split->rule)
	{
		case SPLIT_RANDOM:
			random_conditions(split);
			break;
		case SPLIT_STRATIFIED:
			stratified_conditions(split);
			break;
		case SPLIT_BY_GROUP:
			group_conditions(split);
			break;
		case SPLIT_IN_ORDER:
			ordered_conditions(split);
			break;
	}
}
