/*
 * jsoncolumns.c
 *		Which key of the items goes to which column of the table.
 *
 * Types come from JSON itself: true and false are boolean, numbers the narrowest
 * type that keeps their digits, texts are text unless all of them are dates or
 * times, arrays and objects are jsonb. A key that has texts in some items and
 * numbers in others is text; one that has an object or an array in any is jsonb.
 *
 * A table that is there binds by name, as for CSV. Columns that no item of the
 * sample has are loaded as well, in case a later one has them, unless they have
 * a default: that would be lost to a null.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/bridge.h"
#include "source/json/jsoncolumns.h"
#include "source/json/jsonoptions.h"

/* Kinds of values that a key has. */
enum
{
	HAS_NULL = 1,
	HAS_BOOLEAN = 2,
	HAS_NUMBER = 4,
	HAS_TEXT = 8,
	HAS_NESTED = 16
};

static bool
is_json_type(Oid type)
{
	type = getBaseType(type);
	return type == JSONOID || type == JSONBOID;
}

/* ---- what is known before the first item */

static void
bad_columns_option(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"columns\" must be an array of keys, or an object of key and "
						   "column name")));
}

/* The option "columns"; NULL: not given. Throws unless it has the right form. */
static const MlJson *
columns_option(const MlplatJsonColumns *columns)
{
	const MlJson *given = columns->options->values[JSON_COLUMNS].json;

	if (!given || given->type == ML_JSON_NULL)
		return NULL;
	if ((given->type != ML_JSON_ARRAY && given->type != ML_JSON_OBJECT) || given->n == 0)
		bad_columns_option();
	for (size_t i = 0; i < given->n; i++)
		if (given->items[i].type != ML_JSON_STRING &&
			(given->type == ML_JSON_ARRAY || given->items[i].type != ML_JSON_NULL))
			bad_columns_option();
	return given;
}

/* The i-th key that the option names. */
static const char *
selected_key(const MlJson *selected, size_t i)
{
	return selected->type == ML_JSON_OBJECT ? selected->keys[i] : selected->items[i].string;
}

/* Make a name of the server's encoding known as a key of the items. */
static MlJsonKey *
know_key(MlJsonRow *row, const char *name)
{
	uint32 key;

	name = pg_server_to_any(pstrdup(name), (int) strlen(name), PG_UTF8);
	mlplat_check(row->arena->env, ml_json_row_know(row, name, strlen(name), &key));
	return key == ML_JSON_NO_KEY ? NULL : &row->keys[key];
}

/* The table's columns are known as keys from the start: so objects for columns of JSON are not taken apart. */
static void
know_columns(MlplatJsonColumns *columns)
{
	TupleDesc desc = RelationGetDescr(columns->target->rel);

	for (int j = 0; j < desc->natts; j++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, j);
		MlJsonKey *key;

		if (column->attisdropped)
			continue;
		key = know_key(columns->row, NameStr(column->attname));
		if (key && is_json_type(column->atttypid))
			key->whole = true;
	}
}

void
mlplat_json_columns_init(MlplatJsonColumns *columns, const MlParams *options, MlplatTarget *target,
						 MlJsonRow *row, const char *what)
{
	memset(columns, 0, sizeof *columns);
	columns->options = options;
	columns->what = what;
	columns->target = target;
	columns->row = row;
	columns->selected = columns_option(columns);
	for (size_t i = 0; columns->selected && i < columns->selected->n; i++)
		know_key(row, selected_key(columns->selected, i));
	if (target->rel)
		know_columns(columns);
}

/* Facts for all keys there are. */
static void
grow_facts(MlplatJsonColumns *columns)
{
	size_t n = columns->row->n_keys;

	if (n > columns->facts_capacity)
	{
		size_t capacity = Max(n, 2 * columns->facts_capacity);
		Size size = capacity * sizeof *columns->facts;

		columns->facts = columns->facts ? repalloc(columns->facts, size) : palloc(size);
		columns->facts_capacity = capacity;
	}
	for (; columns->n_facts < n; columns->n_facts++)
	{
		MlplatJsonFacts *facts = &columns->facts[columns->n_facts];

		memset(facts, 0, sizeof *facts);
		ml_csv_column_init(&facts->values);
		columns->facts[columns->row->keys[columns->n_facts].parent].has_inner = true;
	}
}

/* ---- the sample */

static void
observe_value(MlplatJsonFacts *facts, const MlJsonValue *value)
{
	size_t len = (size_t) (value->end - value->start);

	switch (value->kind)
	{
		case ML_TOKEN_NULL:
			facts->kinds |= HAS_NULL;
			break;
		case ML_TOKEN_TRUE:
		case ML_TOKEN_FALSE:
			facts->kinds |= HAS_BOOLEAN;
			break;
		case ML_TOKEN_NUMBER:
			facts->kinds |= HAS_NUMBER;
			ml_csv_observe(&facts->values, value->start, len, true);
			break;
		case ML_TOKEN_STRING:
			facts->kinds |= HAS_TEXT;
			ml_csv_observe(&facts->values, value->start + 1, len - 2, true);
			break;
		case ML_TOKEN_NONE:
			break;
		default:
			facts->kinds |= HAS_NESTED;
	}
}

void
mlplat_json_observe(MlplatJsonColumns *columns)
{
	const MlJsonRow *row = columns->row;

	grow_facts(columns);
	for (uint32 k = 1; k < row->n_keys; k++)
		if (row->keys[k].row == row->number)
			observe_value(&columns->facts[k], &row->keys[k].value);
	columns->n_rows++;
}

static const char *
type_of(const MlplatJsonFacts *facts)
{
	unsigned kinds = facts->kinds & ~(unsigned) HAS_NULL;
	MlCsvType type;

	if (kinds & HAS_NESTED)
		return "pg_catalog.jsonb";
	if (kinds == HAS_BOOLEAN)
		return ml_csv_type_name(ML_CSV_BOOLEAN);
	if (kinds != HAS_NUMBER && kinds != HAS_TEXT)
		return ml_csv_type_name(ML_CSV_TEXT);
	type =
		ml_csv_column_type(&facts->values, &(MlCsvReading){.way = ML_CSV_SQL, .order = ML_CSV_YMD});
	return ml_csv_type_name(kinds == HAS_NUMBER || type >= ML_CSV_DATE ? type : ML_CSV_TEXT);
}

/* ---- names */

/* Of legal length for a column. */
static char *
clip(char *name)
{
	size_t len = strlen(name);

	if (len >= NAMEDATALEN)
		name[pg_mbcliplen(name, (int) len, NAMEDATALEN - 1)] = '\0';
	return name;
}

char *
mlplat_json_key_name(const MlplatJsonColumns *columns, uint32 key)
{
	MlEnv *env = columns->row->arena->env;
	MlBuffer name;
	char *result;

	ml_buffer_init(&name, env);
	ml_json_put_name(columns->row, key, ml_param_text(columns->options, JSON_SEPARATOR), &name);
	ml_put_u8(&name, '\0');
	mlplat_check(env, name.status);
	if (name.len == 1)
		result = psprintf("column_%u", key);
	else
		result = pstrdup(pg_any_to_server((char *) name.data, (int) name.len - 1, PG_UTF8));
	ml_buffer_free(&name);
	return result;
}

/* The name of the column for a key, by the option "columns"; NULL: it is left out. */
static char *
column_name(const MlplatJsonColumns *columns, uint32 key)
{
	const MlJson *given = columns->selected, *renamed;
	char *name = mlplat_json_key_name(columns, key);

	if (!given)
		return clip(name);
	if (given->type == ML_JSON_OBJECT)
	{
		renamed = ml_json_get(given, name);
		if (!renamed)
			return clip(name);
		return renamed->type == ML_JSON_STRING ? clip(pstrdup(renamed->string)) : NULL;
	}
	for (size_t i = 0; i < given->n; i++)
		if (strcmp(given->items[i].string, name) == 0)
			return clip(name);
	return NULL;
}

/* Does the key stand for a column: has it values, or, if it never has, no members either? */
static bool
is_leaf(const MlplatJsonFacts *facts)
{
	return (facts->kinds & ~(unsigned) HAS_NULL) || (facts->kinds && !facts->has_inner);
}

/* What the option "columns" names must be there. */
static void
check_columns_option(const MlplatJsonColumns *columns)
{
	const MlJson *given = columns->selected;
	const char **names = palloc(sizeof(char *) * columns->n_facts);
	size_t n = 0;

	if (!given)
		return;
	for (uint32 k = 1; k < columns->n_facts; k++)
		if (is_leaf(&columns->facts[k]))
			names[n++] = mlplat_json_key_name(columns, k);
	for (size_t i = 0; i < given->n; i++)
	{
		const char *name = given->type == ML_JSON_OBJECT ? given->keys[i] : given->items[i].string;
		const char *near;
		size_t j = 0;

		while (j < n && strcmp(names[j], name) != 0)
			j++;
		if (j < n)
			continue;
		near = ml_nearest(name, names, n);
		ereport(
			ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("option \"columns\" names key \"%s\", which is not in the first " INT64_FORMAT
					" rows",
					name, columns->n_rows),
			 near ? errhint("Did you mean \"%s\"?", near)
				  : errhint("Look at all rows with the option {\"sample_rows\": 0}.")));
	}
}

/* ---- a new table */

static void
add_column(MlplatJsonColumns *columns, const char *name, uint32 key)
{
	columns->columns[columns->n++] = (MlplatJsonColumn){.name = name, .key = key};
	if (key != ML_JSON_NO_KEY)
		columns->row->keys[key].wanted = true;
}

/* Two keys cannot go to one column. That there are too many is said when the table is created. */
static void
check_names(const MlplatJsonColumns *columns)
{
	if (columns->n > MaxHeapAttributeNumber)
		return;
	for (int j = 0; j < columns->n; j++)
		for (int other = 0; other < j; other++)
			if (strcmp(columns->columns[j].name, columns->columns[other].name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("two keys go to column \"%s\"", columns->columns[j].name),
						 errhint("Give one another name with the option {\"columns\": {\"key\": "
								 "\"name\"}}, or flattened keys another {\"separator\": \".\"}.")));
}

static void
create_table(MlplatJsonColumns *columns)
{
	char **names = palloc(sizeof(char *) * columns->n_facts);
	char **types = palloc(sizeof(char *) * columns->n_facts);

	check_columns_option(columns);
	columns->columns = palloc(sizeof(MlplatJsonColumn) * columns->n_facts);
	for (uint32 k = 1; k < columns->n_facts; k++)
	{
		MlplatJsonFacts *facts = &columns->facts[k];
		char *name = is_leaf(facts) ? column_name(columns, k) : NULL;

		facts->looked_up = true;
		facts->left_out = is_leaf(facts) && !name;
		if (!name)
			continue;
		names[columns->n] = name;
		types[columns->n] = unconstify(char *, type_of(facts));
		add_column(columns, name, k);
	}
	if (columns->n == 0)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("%s has no object with keys from which columns of table \"%s\" "
							   "could be made",
							   columns->what, columns->target->name->relname)));
	check_names(columns);
	mlplat_target_create(columns->target, columns->n, names, types,
						 columns->options->values[JSON_TYPES].json);
}

/* ---- a table that is there */

/* Those of its columns that can be written to when no item of the sample has them. */
static bool
may_stay_null(Relation rel, Form_pg_attribute column)
{
	Oid user = GetUserId();

	if (column->attisdropped || column->atthasdef || column->attidentity || column->attgenerated)
		return false;
	return pg_class_aclcheck(RelationGetRelid(rel), user, ACL_INSERT) == ACLCHECK_OK ||
		   pg_attribute_aclcheck(RelationGetRelid(rel), column->attnum, user, ACL_INSERT) ==
			   ACLCHECK_OK;
}

static MlplatJsonColumn *
find_column(const MlplatJsonColumns *columns, const char *name)
{
	for (int j = 0; j < columns->n; j++)
		if (strcmp(columns->columns[j].name, name) == 0)
			return &columns->columns[j];
	return NULL;
}

/* The column of the table for a key; NULL: none, as there is no such column, or it is left out. */
static const char *
table_column(MlplatJsonColumns *columns, uint32 key)
{
	char *name = column_name(columns, key);

	columns->facts[key].looked_up = true;
	columns->facts[key].left_out = !name;
	return name ? mlplat_target_find_column(columns->target->rel, name) : NULL;
}

static void
bind_table(MlplatJsonColumns *columns)
{
	TupleDesc desc = RelationGetDescr(columns->target->rel);

	columns->columns = palloc(sizeof(MlplatJsonColumn) * Max(desc->natts, 1));
	for (uint32 k = 1; k < columns->n_facts; k++)
	{
		const char *name = is_leaf(&columns->facts[k]) ? table_column(columns, k) : NULL;

		if (name && !find_column(columns, name))
			add_column(columns, name, k);
	}
	for (int j = 0; j < desc->natts; j++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, j);

		if (may_stay_null(columns->target->rel, column) &&
			!find_column(columns, NameStr(column->attname)))
			add_column(columns, NameStr(column->attname), ML_JSON_NO_KEY);
	}
	if (columns->n == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("no key of %s is a column of table \"%s\"", columns->what,
							   RelationGetRelationName(columns->target->rel))));
}

void
mlplat_json_bind(MlplatJsonColumns *columns)
{
	grow_facts(columns);
	if (columns->target->rel)
		bind_table(columns);
	else
		create_table(columns);
	for (int j = 0; j < columns->n; j++)
	{
		AttrNumber number =
			get_attnum(RelationGetRelid(columns->target->rel), columns->columns[j].name);

		columns->columns[j].as_json =
			is_json_type(get_atttype(RelationGetRelid(columns->target->rel), number));
	}
}

List *
mlplat_json_copy_columns(const MlplatJsonColumns *columns)
{
	List *names = NIL;

	for (int j = 0; j < columns->n; j++)
		names = lappend(names, makeString(pstrdup(columns->columns[j].name)));
	return names;
}

/* ---- keys without a column */

bool
mlplat_json_selects(const MlplatJsonColumns *columns)
{
	return columns->selected && columns->selected->type == ML_JSON_ARRAY &&
		   columns->row->open_levels == 0;
}

/* A key that is not of the sample: the table may have a column for it that nothing else goes to. */
static void
look_up(MlplatJsonColumns *columns, uint32 key)
{
	const char *name = table_column(columns, key);
	MlplatJsonColumn *column = name ? find_column(columns, name) : NULL;

	if (!column || column->key != ML_JSON_NO_KEY)
		return;
	column->key = key;
	columns->row->keys[key].wanted = true;
}

uint32
mlplat_json_find_extra(MlplatJsonColumns *columns, uint64 *n)
{
	uint32 found = ML_JSON_NO_KEY;

	*n = 0;
	grow_facts(columns);
	for (uint32 k = columns->row->n_keys - 1; k > 0; k--)
	{
		if (columns->row->keys[k].wanted || !ml_json_row_value(columns->row, k))
			continue;
		if (!columns->facts[k].looked_up)
			look_up(columns, k);
		if (columns->row->keys[k].wanted || columns->facts[k].left_out)
			continue;
		found = k;
		++*n;
	}
	return found;
}

/* A new table, or a column whose default would have been lost: the sample was too short. */
static void
not_in_sample(const MlplatJsonColumns *columns, const char *name, uint64 line)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_UNDEFINED_COLUMN),
		 errmsg("key \"%s\" on line " UINT64_FORMAT " is not in the first " INT64_FORMAT
				" rows, by which the columns were chosen",
				name, line, columns->n_rows),
		 errhint("Look at all rows with the option {\"sample_rows\": 0}, or leave such keys out "
				 "with {\"extra\": \"ignore\"}.")));
}

/* The name among the table's columns that is most like it; NULL: none is. */
static const char *
nearest_column(Relation rel, const char *name)
{
	TupleDesc desc = RelationGetDescr(rel);
	const char **names = palloc(sizeof(char *) * Max(desc->natts, 1));
	size_t n = 0;

	for (int j = 0; j < desc->natts; j++)
		if (!TupleDescAttr(desc, j)->attisdropped)
			names[n++] = NameStr(TupleDescAttr(desc, j)->attname);
	return ml_nearest(name, names, n);
}

void
mlplat_json_extra_error(const MlplatJsonColumns *columns, uint32 key, uint64 line)
{
	Relation rel = columns->target->rel;
	const char *name, *column, *near;

	if (key == ML_JSON_NO_KEY)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("there are more than %d different keys up to line " UINT64_FORMAT,
							   ML_JSON_MAX_KEYS, line)));
	name = mlplat_json_key_name(columns, key);
	column = mlplat_target_find_column(rel, column_name(columns, key));
	if (columns->target->created || (column && !find_column(columns, column)))
		not_in_sample(columns, name, line);
	if (column)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
						errmsg("key \"%s\" on line " UINT64_FORMAT
							   " goes to column \"%s\", as another key does",
							   name, line, column)));
	column = column_name(columns, key);
	near = nearest_column(rel, column);
	if (strcmp(column, name) != 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("key \"%s\" on line " UINT64_FORMAT
							   " goes to column \"%s\", which is not in table \"%s\"",
							   name, line, column, RelationGetRelationName(rel)),
						near ? errhint("Did you mean column \"%s\"?", near) : 0));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("key \"%s\" on line " UINT64_FORMAT " is not in table \"%s\"", name, line,
					RelationGetRelationName(rel)),
			 near ? errhint("Did you mean column \"%s\"? Say so with the option {\"columns\": "
							"{\"%s\": \"%s\"}}.",
							near, name, near)
				  : errhint("Leave such keys out with the option {\"extra\": \"ignore\"}.")));
}
