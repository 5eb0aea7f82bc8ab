/*
 * sources.c
 *		create_source, drop_source: remember how a table gets its rows, and forget it.
 *
 * What can be checked without reading the source is checked here, so that a
 * refresh at night does not find it out. A source holds no password: it would be
 * shown, and dumped. Users' passwords have a place of their own in PostgreSQL, the
 * user mapping.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "pg/arguments.h"
#include "pg/query.h"
#include "pg/signature.h"
#include "source/query/loadquery.h"
#include "source/options.h"
#include "source/redact.h"
#include "source/refresh/sourcecatalog.h"
#include "source/statement.h"

PG_FUNCTION_INFO_V1(mlplat_create_source);
PG_FUNCTION_INFO_V1(mlplat_drop_source);

#define MAX_NAME_BYTES 255

enum
{
	SOURCE_REFRESH,
	SOURCE_KEY,
	SOURCE_HIGH_WATER,
	N_SOURCE_OPTIONS
};

static const MlParam params[] = {
	{"refresh", ML_PARAM_CHOICE, "\"replace\"", 0, 0, MLPLAT_REFRESHES,
	 "what a refresh does: replace all rows, append new ones, or upsert by key"},
	{"key", ML_PARAM_JSON, "null", 0, 0, NULL, "upsert: the columns by which a row is found again"},
	{"high_water", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "append, upsert: a column that grows; only rows from its greatest value on are read"},
	{0}};

static const char *const kinds[] = {"csv", "json", "url", "query"};

/* ---- checks */

static void
check_name(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > MAX_NAME_BYTES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("invalid source name \"%.*s\"",
							   pg_mbcliplen(name, (int) len, MAX_NAME_BYTES), name),
						errdetail("A name has 1 to 255 bytes.")));
}

static void
check_kind(const char *kind)
{
	const char *near;

	for (size_t i = 0; i < lengthof(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return;
	near = ml_nearest(kind, kinds, lengthof(kinds));
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("kind of a source must be csv, json, url or query, not \"%s\"", kind),
					near ? errhint("Did you mean \"%s\"?", near) : 0));
}

static void
check_location(const MlplatSource *source)
{
	bool has_password;

	(void) mlplat_redact(source->location, &has_password);
	if (has_password)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the location of a source must not hold a password"),
						errhint("Keep it in a user mapping: CREATE USER MAPPING ... OPTIONS "
								"(password ...).")));
}

/* The table's name with its schema, so that it does not depend on the search path of who refreshes. */
static const char *
qualify(const char *target)
{
	RangeVar *name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(target)));
	Oid relid = RangeVarGetRelid(name, NoLock, true);
	Oid schema = OidIsValid(relid) ? get_rel_namespace(relid) : RangeVarGetCreationNamespace(name);

	if (isAnyTempNamespace(schema))
		ereport(ERROR, (errcode(ERRCODE_INVALID_TABLE_DEFINITION),
						errmsg("the target of a source must not be a temporary table")));
	return quote_qualified_identifier(get_namespace_name(schema), name->relname);
}

/* A query is looked at, not run; its options are known here. */
static void
check_query(const MlplatSource *source, Jsonb *options)
{
	const MlParam *const tables[] = {params, mlplat_query_params};
	MlParams values[2];

	mlplat_read_options("create_source", tables, 2, options, values);
	(void) mlplat_describe_query(source->location);
}

/* ---- options */

/* The key as given: a name or an array of names. */
static List *
read_key(const MlJson *key)
{
	List *columns = NIL;

	if (key->type == ML_JSON_STRING)
		return list_make1(makeString(pstrdup(key->string)));
	for (size_t i = 0; key->type == ML_JSON_ARRAY && i < key->n; i++)
	{
		Node *name;

		if (key->items[i].type != ML_JSON_STRING)
			break;
		name = (Node *) makeString(pstrdup(key->items[i].string));
		if (list_member(columns, name))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("option \"key\" names column \"%s\" twice", key->items[i].string)));
		columns = lappend(columns, name);
	}
	if (key->type != ML_JSON_ARRAY || key->n == 0 || list_length(columns) != (int) key->n)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"key\" must be a column's name or an array of names")));
	return columns;
}

/* Which options go with which refresh. */
static void
check_refresh(const MlplatSource *source)
{
	bool upsert = strcmp(source->refresh, "upsert") == 0;
	const char *wrong = NULL, *hint = NULL;

	if (upsert && source->key == NIL)
		wrong = "refresh \"upsert\" needs the option \"key\"";
	else if (!upsert && source->key != NIL)
	{
		wrong = "option \"key\" goes with refresh \"upsert\" only";
		hint = "Add {\"refresh\": \"upsert\"}.";
	}
	else if (strcmp(source->refresh, "append") == 0 && !source->high_water_column)
	{
		wrong = "refresh \"append\" needs the option \"high_water\"";
		hint = "It names a column that grows, by which rows are known to be new.";
	}
	else if (strcmp(source->refresh, "replace") == 0 && source->high_water_column)
	{
		wrong = "option \"high_water\" goes with refresh \"append\" and \"upsert\" only";
		hint = "Add {\"refresh\": \"append\"}.";
	}
	if (wrong)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg_internal("%s", wrong),
						hint ? errhint("%s", hint) : 0));
}

/* Ours alone, as jsonb with only those keys; theirs is what is left: options of the import. */
static void
split_options(Jsonb *options, Jsonb **ours, Jsonb **theirs)
{
	Datum names[N_SOURCE_OPTIONS];
	JsonbParseState *state = NULL;

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the options of create_source must be an object")));
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < N_SOURCE_OPTIONS; i++)
	{
		JsonbValue key = {.type = jbvString};
		JsonbValue *value;

		key.val.string.val = unconstify(char *, params[i].name);
		key.val.string.len = (int) strlen(params[i].name);
		value = findJsonbValueFromContainer(&options->root, JB_FOBJECT, &key);
		if (value)
		{
			pushJsonbValue(&state, WJB_KEY, &key);
			pushJsonbValue(&state, WJB_VALUE, value);
		}
		names[i] = CStringGetTextDatum(params[i].name);
	}
	*ours = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	*theirs = DatumGetJsonbP(
		DirectFunctionCall2(jsonb_delete_array, JsonbPGetDatum(options),
							PointerGetDatum(construct_array(names, N_SOURCE_OPTIONS, TEXTOID, -1,
															false, TYPALIGN_INT))));
}

static void
read_options(MlplatSource *source, Jsonb *options)
{
	const MlParam *table = params;
	MlParams values;
	Jsonb *ours;

	split_options(options, &ours, &source->options);
	mlplat_read_options("create_source", &table, 1, ours, &values);
	source->refresh = ml_param_text(&values, SOURCE_REFRESH);
	source->high_water_column = ml_param_text(&values, SOURCE_HIGH_WATER);
	if (ml_param_given(&values, SOURCE_KEY))
		source->key = read_key(values.values[SOURCE_KEY].json);
	check_refresh(source);
}

/* ---- the functions */

Datum
mlplat_create_source(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"name", "kind", "location", "target", "options"};
	MlplatSource source = {0};

	mlplat_need_arguments(fcinfo, lengthof(names));
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	PreventCommandIfReadOnly("create_source");
	source.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	source.kind = text_to_cstring(PG_GETARG_TEXT_PP(1));
	source.location = text_to_cstring(PG_GETARG_TEXT_PP(2));
	check_name(source.name);
	check_kind(source.kind);
	check_location(&source);
	source.target = qualify(text_to_cstring(PG_GETARG_TEXT_PP(3)));
	read_options(&source, PG_GETARG_JSONB_P(4));
	if (strcmp(source.kind, "query") == 0)
		check_query(&source, PG_GETARG_JSONB_P(4));
	mlplat_source_insert(&source);
	PG_RETURN_VOID();
}

Datum
mlplat_drop_source(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"name", "drop_target"};
	MlplatSource *source;

	mlplat_need_arguments(fcinfo, lengthof(names));
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	PreventCommandIfReadOnly("drop_source");
	source = mlplat_source_lock(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (PG_GETARG_BOOL(1))
		mlplat_statement("DROP TABLE IF EXISTS %s", source->target);
	mlplat_source_delete(source);
	PG_RETURN_VOID();
}
