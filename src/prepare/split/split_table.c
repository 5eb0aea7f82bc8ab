/*
 * split_table.c
 *		split_table: a table, view or matview into parts to train and to test on.
 *
 * Rows are told apart by their primary key, or by the columns that the caller
 * names, or else by all columns, so that equal rows are on the same side. What
 * makes a row belong to a part stands in split_rule.c; views and tables are made
 * by the same conditions, and hold the same rows when they are made.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "pg/arguments.h"
#include "pg/binder.h"
#include "pg/catalog.h"
#include "pg/keyhash.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "prepare/split/split_table.h"

PG_FUNCTION_INFO_V1(mlplat_split_table);

enum
{
	ARG_RELATION,
	ARG_FRACTIONS,
	ARG_STRATIFY,
	ARG_GROUP_BY,
	ARG_ORDER_BY,
	ARG_SEED,
	ARG_KIND,
	ARG_KEY,
	ARG_CLASSES,
	ARG_PARTS,
	ARG_NAME,
	ARG_REPLACE,
	N_ARGS
};

static const char *const arg_names[N_ARGS] = {"relation", "fractions", "stratify", "group_by",
											  "order_by", "seed",      "kind",     "key",
											  "classes",  "parts",     "name",     "replace"};

/* Decimal fractions such as 0.7, 0.2, 0.1 do not sum to 1 in binary. */
#define SUM_TOLERANCE 1e-6

#define N_RESULT_COLUMNS 6

/* ---- arguments */

static void
check_given(FunctionCallInfo fcinfo)
{
	static const int needed[] = {ARG_RELATION, ARG_FRACTIONS, ARG_SEED, ARG_KIND, ARG_REPLACE};

	for (size_t i = 0; i < lengthof(needed); i++)
		mlplat_refuse_null(fcinfo, needed[i], arg_names[needed[i]]);
}

/* The words of an argument of type text[]; NULL without it. */
static List *
list_argument(FunctionCallInfo fcinfo, int arg)
{
	ArrayType *array;
	Datum *values;
	bool *nulls;
	List *words = NIL;
	int n;

	if (PG_ARGISNULL(arg))
		return NIL;
	array = PG_GETARG_ARRAYTYPE_P(arg);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must not be empty", arg_names[arg])));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"%s\" must not contain nulls", arg_names[arg])));
		words = lappend(words, TextDatumGetCString(values[i]));
	}
	return words;
}

/* ---- the relation and its columns */

static Relation
open_relation(Oid relid)
{
	Relation rel = try_relation_open(relid, AccessShareLock);

	if (!rel)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relid)));
	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return rel;
		default:
			ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
							errmsg("\"%s\" is not a table or view", RelationGetRelationName(rel))));
	}
}

/* The attribute of a column that an argument names; -1 without the argument. */
static int
column_argument(FunctionCallInfo fcinfo, const Split *split, int arg)
{
	char *name = mlplat_text_argument(fcinfo, arg);
	int attribute;

	if (!name)
		return -1;
	attribute = mlplat_find_attribute(RelationGetDescr(split->rel), name);
	if (attribute < 0)
		mlplat_no_such_column(RelationGetDescr(split->rel), arg_names[arg], name);
	return attribute;
}

/* Values of the column must be told apart and put in order. */
static void
need_order(const Split *split, int attribute, int arg)
{
	TypeCacheEntry *type = lookup_type_cache(mlplat_split_column_type(split, attribute),
											 TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR);

	if (!OidIsValid(type->eq_opr) || !OidIsValid(type->lt_opr))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("%s column \"%s\" has type %s, which has no order", arg_names[arg],
							   mlplat_split_column_name(split, attribute),
							   format_type_be(mlplat_split_column_type(split, attribute)))));
}

/* ---- the rule */

/* At most one of stratify, group_by and order_by. */
static void
read_rule(FunctionCallInfo fcinfo, Split *split)
{
	static const struct
	{
		int arg;
		SplitRule rule;
	} rules[] = {{ARG_STRATIFY, SPLIT_STRATIFIED},
				 {ARG_GROUP_BY, SPLIT_BY_GROUP},
				 {ARG_ORDER_BY, SPLIT_IN_ORDER}};
	int given = -1;

	split->rule = SPLIT_RANDOM;
	split->column = -1;
	for (size_t i = 0; i < lengthof(rules); i++)
	{
		if (PG_ARGISNULL(rules[i].arg))
			continue;
		if (given >= 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("arguments \"%s\" and \"%s\" exclude each other",
								   arg_names[given], arg_names[rules[i].arg]),
							errhint("The argument \"classes\" counts the classes of any split.")));
		given = rules[i].arg;
		split->rule = rules[i].rule;
		split->column = column_argument(fcinfo, split, given);
	}
	if (split->rule == SPLIT_STRATIFIED || split->rule == SPLIT_IN_ORDER)
		need_order(split, split->column, given);
}

static void
read_class_column(FunctionCallInfo fcinfo, Split *split)
{
	split->class_column = column_argument(fcinfo, split, ARG_CLASSES);
	if (split->class_column >= 0)
		need_order(split, split->class_column, ARG_CLASSES);
	else if (split->rule == SPLIT_STRATIFIED)
		split->class_column = split->column;
}

/* What would be passed over in silence is refused. */
static void
check_options(FunctionCallInfo fcinfo, const Split *split)
{
	if (!PG_ARGISNULL(ARG_KEY) && (split->rule == SPLIT_BY_GROUP || split->rule == SPLIT_IN_ORDER))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"key\" has no meaning with \"%s\"",
							   split->rule == SPLIT_BY_GROUP ? "group_by" : "order_by")));
	if (split->seed != 0 && split->rule == SPLIT_IN_ORDER)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"seed\" has no meaning with \"order_by\"")));
}

/* ---- the key */

static List *
primary_key(const Split *split)
{
	Oid constraint;
	Bitmapset *attributes = get_primary_key_attnos(RelationGetRelid(split->rel), true, &constraint);
	List *key = NIL;
	int member = -1;

	while ((member = bms_next_member(attributes, member)) >= 0)
		key = lappend_int(key, member + FirstLowInvalidHeapAttributeNumber - 1);
	return key;
}

static List *
all_columns(const Split *split)
{
	TupleDesc desc = RelationGetDescr(split->rel);
	List *key = NIL;

	for (int j = 0; j < desc->natts; j++)
	{
		if (TupleDescAttr(desc, j)->attisdropped)
			continue;
		if (!mlplat_key_has_form(mlplat_split_column_type(split, j)))
			ereport(
				ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" has no primary key, and column \"%s\" of type %s cannot be part "
						"of one",
						RelationGetRelationName(split->rel), mlplat_split_column_name(split, j),
						format_type_be(mlplat_split_column_type(split, j))),
				 errhint("Name the columns that tell rows apart, for example "
						 "key => '{id}'.")));
		key = lappend_int(key, j);
	}
	ereport(NOTICE, (errmsg("\"%s\" has no primary key: rows are told apart by all their columns",
							RelationGetRelationName(split->rel)),
					 errhint("Name the columns that tell rows apart, for example key => '{id}'.")));
	return key;
}

static List *
given_key(const Split *split, List *names)
{
	TupleDesc desc = RelationGetDescr(split->rel);
	List *key = NIL;
	ListCell *cell;

	foreach (cell, names)
	{
		int attribute = mlplat_find_attribute(desc, lfirst(cell));

		if (attribute < 0)
			mlplat_no_such_column(desc, "key", lfirst(cell));
		key = lappend_int(key, attribute);
	}
	return key;
}

/* Values that are equal must have one hash. */
static void
check_key_column(const Split *split, int attribute)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(split->rel), attribute);

	if (!mlplat_key_has_form(column->atttypid))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("cannot split by column \"%s\" of type %s", NameStr(column->attname),
							   format_type_be(column->atttypid)),
						errhint("Split a view that casts it to text.")));
	if (OidIsValid(column->attcollation) && !get_collation_isdeterministic(column->attcollation))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot split by column \"%s\", whose collation is not deterministic",
						NameStr(column->attname)),
				 errdetail("Values are hashed by their bytes, so that equal ones could fall "
						   "into different parts.")));
}

static void
read_key(FunctionCallInfo fcinfo, Split *split)
{
	List *names = list_argument(fcinfo, ARG_KEY);
	ListCell *cell;

	if (split->rule == SPLIT_IN_ORDER)
		return;
	if (split->rule == SPLIT_BY_GROUP)
		split->key = list_make1_int(split->column);
	else if (names != NIL)
		split->key = given_key(split, names);
	else
		split->key = primary_key(split);
	if (split->key == NIL)
		split->key = all_columns(split);
	foreach (cell, split->key)
		check_key_column(split, lfirst_int(cell));
}

/* ---- fractions and parts */

static void
read_shares(FunctionCallInfo fcinfo, Split *split)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(ARG_FRACTIONS);
	const double *fractions = (const double *) ARR_DATA_PTR(array);
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	double sum = 0;

	if (ARR_NDIM(array) != 1 || n > SPLIT_MAX_PARTS || ARR_HASNULL(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fractions must be an array of 1 to %d numbers", SPLIT_MAX_PARTS)));
	for (int i = 0; i < n; i++)
	{
		if (!(fractions[i] > 0) || isinf(fractions[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("fraction %d must be greater than 0, not %g", i + 1, fractions[i])));
		split->shares[i] = fractions[i];
		sum += fractions[i];
	}
	if (sum > 1 + SUM_TOLERANCE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fractions must sum to 1 at most, not %.9g", sum)));
	split->n_parts = split->n_shares = n;
	if (sum < 1 - SUM_TOLERANCE)
		split->shares[split->n_shares++] = 1 - sum;
}

/* The usual names of up to three parts. */
static List *
usual_names(int n_parts)
{
	static char *const names[3][3] = {{"train"}, {"train", "test"}, {"train", "valid", "test"}};
	List *list = NIL;

	if (n_parts > 3)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%d parts need names", n_parts),
				 errhint("Name them with parts => '{train,tune,valid,test}'.")));
	for (int i = 0; i < n_parts; i++)
		list = lappend(list, names[n_parts - 1][i]);
	return list;
}

static void
read_parts(FunctionCallInfo fcinfo, Split *split)
{
	List *names = list_argument(fcinfo, ARG_PARTS);
	ListCell *cell;
	int i = 0;

	if (names == NIL)
		names = usual_names(split->n_parts);
	if (list_length(names) != split->n_parts)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"parts\" must have %d names, one for each fraction, not %d",
						split->n_parts, list_length(names))));
	foreach (cell, names)
		split->parts[i++].name = lfirst(cell);
	mlplat_split_name_parts(split, mlplat_text_argument(fcinfo, ARG_NAME));
}

static bool
read_kind(FunctionCallInfo fcinfo)
{
	const char *kind = mlplat_text_argument(fcinfo, ARG_KIND);

	if (strcmp(kind, "view") != 0 && strcmp(kind, "table") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("kind must be \"view\" or \"table\", not \"%s\"", kind)));
	return strcmp(kind, "table") == 0;
}

static Split *
read_arguments(FunctionCallInfo fcinfo)
{
	Split *split = palloc0(sizeof(Split));

	check_given(fcinfo);
	split->seed = PG_GETARG_INT32(ARG_SEED);
	split->tables = read_kind(fcinfo);
	split->replace = PG_GETARG_BOOL(ARG_REPLACE);
	read_shares(fcinfo, split);
	split->rel = open_relation(PG_GETARG_OID(ARG_RELATION));
	split->source = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(split->rel)),
											   RelationGetRelationName(split->rel));
	read_rule(fcinfo, split);
	read_class_column(fcinfo, split);
	check_options(fcinfo, split);
	read_key(fcinfo, split);
	read_parts(fcinfo, split);
	return split;
}

/* ---- the result: rows of part, relation, class, rows, share, class_share */

/* Where the counts of the last SPI result go. */
typedef struct SplitReport
{
	const Split *split;
	Tuplestorestate *store;
	TupleDesc desc;
	int64 total;
} SplitReport;

/* A number of the counts; 0 for NULL. */
static int64
count_at(uint64 row, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		return 0;
	return column == 1 ? DatumGetInt32(value) : DatumGetInt64(value);
}

/* A share of rows to a millionth; NULL of nothing. */
static Datum
share_of(int64 rows, int64 all, bool *isnull)
{
	*isnull = all == 0;
	return Float8GetDatum(*isnull ? 0 : rint(1e6 * (double) rows / (double) all) / 1e6);
}

/* all: the rows that the share is of; of_part: those of the part, when it is a row of a class. */
static void
put_row(const SplitReport *report, int part, const char *class, int64 rows, int64 all,
		int64 of_part)
{
	Datum values[N_RESULT_COLUMNS] = {0};
	bool nulls[N_RESULT_COLUMNS] = {false};

	nulls[0] = nulls[1] = part == report->split->n_parts;
	if (!nulls[0])
	{
		const SplitPart *p = &report->split->parts[part];

		values[0] = CStringGetTextDatum(p->name);
		values[1] = ObjectIdGetDatum(get_relname_relid(p->relation, p->schema));
	}
	nulls[2] = class == NULL;
	if (class)
		values[2] = CStringGetTextDatum(class);
	values[3] = Int64GetDatum(rows);
	values[4] = share_of(rows, all, &nulls[4]);
	values[5] = share_of(rows, of_part, &nulls[5]);
	tuplestore_putvalues(report->store, report->desc, values, nulls);
}

/* One part, whose counts are the result's rows from first to end. */
static void
put_part(const SplitReport *report, int part, uint64 first, uint64 end)
{
	int64 rows = first < end ? count_at(first, 4) : 0;

	put_row(report, part, NULL, rows, report->total, 0);
	if (report->split->class_column < 0)
		return;
	for (uint64 i = first; i < end; i++)
	{
		int64 here = count_at(i, 3);

		CHECK_FOR_INTERRUPTS();
		put_row(report, part, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2), here,
				count_at(i, 5), rows);
	}
}

/* The counts come by part, the rest last. */
static void
put_report(SplitReport *report)
{
	int n_parts = report->split->n_parts;
	uint64 n = SPI_processed, first = 0;

	for (uint64 i = 0; i < n; i++)
		report->total += count_at(i, 3);
	for (int part = 0; part <= n_parts; part++)
	{
		uint64 end = first;

		while (end < n && count_at(end, 1) == (part < n_parts ? part + 1 : 0))
			end++;
		if (part < n_parts || end > first)
			put_part(report, part, first, end);
		first = end;
	}
}

/* A class with a share of its rows in several parts is one. */
static void
check_classes(const Split *split)
{
	double n_classes = 0;

	if (split->class_column < 0)
		return;
	for (uint64 i = 0; i < SPI_processed; i++)
		n_classes += (double) count_at(i, 3) / (double) count_at(i, 5);
	if (rint(n_classes) > SPLIT_MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("column \"%s\" has more than %d classes",
						mlplat_split_column_name(split, split->class_column), SPLIT_MAX_CLASSES)));
}

Datum
mlplat_split_table(PG_FUNCTION_ARGS)
{
	SplitReport report = {0};
	Split *split;

	mlplat_need_arguments(fcinfo, N_ARGS);
	report.store = mlplat_rows_begin(fcinfo, N_RESULT_COLUMNS, &report.desc);
	report.split = split = read_arguments(fcinfo);
	mlplat_spi_begin();
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	mlplat_split_find_conditions(split);
	mlplat_split_create(split);
	mlplat_split_count(split);
	check_classes(split);
	put_report(&report);
	PopActiveSnapshot();
	mlplat_spi_end();
	relation_close(split->rel, NoLock);
	return (Datum) 0;
}
