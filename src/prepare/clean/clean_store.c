/*
 * clean_store.c
 *		Recorded cleanings: what was done to which query, and what was fitted, to do it again.
 *
 * Everything runs with the caller's rights; the policy of mlplat.cleaning decides
 * what there is. A name that several owners use means the caller's own recipe.
 * What is read is not trusted: an owner may write into its own rows.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "pg/bridge.h"
#include "pg/catalog.h"
#include "prepare/clean/clean.h"
#include "prepare/clean/clean_json.h"
#include "prepare/clean/clean_store.h"

#define NAME_MAX_BYTES 255

static int
shown(const char *name)
{
	return pg_mbcliplen(name, (int) strlen(name), NAME_MAX_BYTES);
}

void
mlplat_clean_check_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("invalid name \"%.*s\" of a cleaning", shown(name), name),
						errdetail("A name has 1 to %d bytes.", NAME_MAX_BYTES)));
}

static uint64
run(const char *sql, int n, Oid *types, Datum *values, const char *nulls)
{
	int result = SPI_execute_with_args(sql, n, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "statement on the cleanings failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/* ---- writing */

static void
put_names(MlJsonWriter *w, const CleanStep *step)
{
	ml_json_open(w, "columns", '[');
	for (int i = 0; i < step->n_cells; i++)
		ml_json_text(w, NULL, step->cells[i].column.key);
	ml_json_close(w, ']');
}

/* What a replay needs of each step. */
static void
put_recipe(MlJsonWriter *w, const Cleaning *cleaning)
{
	ml_json_open(w, NULL, '[');
	for (int i = 0; i < cleaning->n_steps; i++)
	{
		const CleanStep *step = &cleaning->steps[i];

		ml_json_open(w, NULL, '{');
		put_names(w, step);
		ml_json_open(w, "types", '[');
		for (int k = 0; k < step->n_cells; k++)
			ml_json_text(
				w, NULL,
				mlplat_json_from_server(mlplat_clean_type_name(step->cells[k].column.type)));
		ml_json_close(w, ']');
		if (step->facts.len > 0)
			ml_json_raw(w, "fitted", (const char *) step->facts.data, step->facts.len);
		ml_json_close(w, '}');
	}
	ml_json_close(w, ']');
}

/* What each step did. */
static void
put_changes(MlJsonWriter *w, const Cleaning *cleaning)
{
	ml_json_open(w, NULL, '[');
	for (int i = 0; i < cleaning->n_steps; i++)
	{
		const CleanStep *step = &cleaning->steps[i];

		ml_json_open(w, NULL, '{');
		ml_json_number(w, "step", step->number);
		ml_json_text(w, "action", ml_clean_action_name(step->spec->action));
		ml_json_number(w, "rows_in", (double) step->rows_in);
		ml_json_number(w, "rows_dropped", (double) step->rows_dropped);
		ml_json_number(w, "cells_changed", (double) step->cells_changed);
		ml_json_close(w, '}');
	}
	ml_json_close(w, ']');
}

static Datum
json_text(Cleaning *cleaning, void (*put)(MlJsonWriter *, const Cleaning *))
{
	MlBuffer buffer;
	MlJsonWriter w;
	Datum text;

	ml_buffer_init(&buffer, &cleaning->env);
	ml_json_writer(&w, &buffer);
	put(&w, cleaning);
	mlplat_check(&cleaning->env, buffer.status);
	text = CStringGetTextDatum(mlplat_json_to_server(&buffer));
	ml_buffer_free(&buffer);
	return text;
}

void
mlplat_clean_save(Cleaning *cleaning, const char *name, const char *target, double seconds)
{
	Oid types[10] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID,   TEXTOID,
					 TEXTOID, INT8OID, INT8OID, FLOAT8OID, TEXTOID};
	Datum values[10] = {CStringGetTextDatum(name),        CStringGetTextDatum(cleaning->query),
						CStringGetTextDatum(target),      CStringGetTextDatum(cleaning->steps_text),
						json_text(cleaning, put_recipe),  json_text(cleaning, put_changes),
						Int64GetDatum(cleaning->rows_in), Int64GetDatum(cleaning->rows_out),
						Float8GetDatum(seconds)};
	char nulls[11] = "          ";

	if (cleaning->replay_name)
		values[9] = CStringGetTextDatum(cleaning->replay_name);
	else
		nulls[9] = 'n';
	mlplat_spi_begin();
	run("INSERT INTO mlplat.cleaning (name, query, target, steps, recipe, changes, rows_in, "
		"rows_out, seconds, replay_of) VALUES ($1, $2, $3, $4::pg_catalog.jsonb, "
		"$5::pg_catalog.jsonb, $6::pg_catalog.jsonb, $7, $8, $9, $10) "
		"ON CONFLICT (owner, name) DO UPDATE SET cleaned_at = pg_catalog.now(), "
		"query = EXCLUDED.query, target = EXCLUDED.target, steps = EXCLUDED.steps, "
		"recipe = EXCLUDED.recipe, changes = EXCLUDED.changes, rows_in = EXCLUDED.rows_in, "
		"rows_out = EXCLUDED.rows_out, seconds = EXCLUDED.seconds, replay_of = EXCLUDED.replay_of",
		10, types, values, nulls);
	mlplat_spi_end();
}

/* ---- reading */

static _Noreturn void
no_such_cleaning(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("cleaning \"%.*s\" does not exist", shown(name), name),
					errhint("The view mlplat.cleanings lists those that you may use.")));
}

static bool
is_name_list(const MlJson *list, size_t n)
{
	bool valid = list && list->type == ML_JSON_ARRAY && list->n == n;

	for (size_t i = 0; valid && i < n; i++)
		valid = list->items[i].type == ML_JSON_STRING;
	return valid;
}

/* An item a step, with as many types as columns. */
static void
check_recipe(const Cleaning *cleaning, const MlJson *recipe)
{
	bool valid = recipe->type == ML_JSON_ARRAY && recipe->n == (size_t) cleaning->n_steps;

	for (size_t i = 0; valid && i < recipe->n; i++)
	{
		const MlJson *names = ml_json_get(&recipe->items[i], "columns");

		valid = names && is_name_list(names, names->n) &&
				is_name_list(ml_json_get(&recipe->items[i], "types"), names->n);
	}
	if (!valid)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the recorded cleaning \"%s\" is damaged", cleaning->replay_name)));
}

static MlJson *
parse(Cleaning *cleaning, const char *text)
{
	const char *json = mlplat_json_from_server(text);

	return mlplat_json_parse(&cleaning->arena, json, strlen(json));
}

void
mlplat_clean_set_steps(Cleaning *cleaning, const char *steps)
{
	MlCleanStep *specs;
	size_t n;

	cleaning->steps_text = steps;
	mlplat_check(&cleaning->env,
				 ml_clean_parse(&cleaning->arena, parse(cleaning, steps), &specs, &n));
	cleaning->n_steps = (int) n;
	cleaning->steps = palloc0(sizeof(CleanStep) * n);
	for (size_t i = 0; i < n; i++)
		cleaning->steps[i].spec = &specs[i];
}

/* The text of a column of the first row, in the caller's context. */
static char *
result_text(int column, MemoryContext context)
{
	char *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return MemoryContextStrdup(context, text);
}

/* The caller's own of that name first, else the only one that it may use; *steps and *recipe are of the context. */
static int64
find_cleaning(const char *name, MemoryContext context, char **steps, char **recipe)
{
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(name)};
	uint64 n = run("SELECT steps::pg_catalog.text, recipe::pg_catalog.text, cleaning_id, "
				   "owner OPERATOR(pg_catalog.=) current_user FROM mlplat.cleaning "
				   "WHERE name OPERATOR(pg_catalog.=) $1 ORDER BY 4 DESC, 3 LIMIT 2",
				   1, types, values, NULL);
	bool isnull;

	if (n == 0)
		no_such_cleaning(name);
	if (n == 2 &&
		!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 4, &isnull)))
		ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_ALIAS),
						errmsg("several cleanings that you may use are named \"%s\"", name)));
	*steps = result_text(1, context);
	*recipe = result_text(2, context);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull));
}

void
mlplat_clean_load(Cleaning *cleaning, const char *name)
{
	MemoryContext context = CurrentMemoryContext;
	char *steps, *recipe;
	MlJson *replay;

	mlplat_spi_begin();
	(void) find_cleaning(name, context, &steps, &recipe);
	mlplat_spi_end();
	cleaning->replay_name = name;
	mlplat_clean_set_steps(cleaning, steps);
	recipe = mlplat_json_from_server(recipe);
	mlplat_check(&cleaning->env, ml_json_parse(&cleaning->arena, recipe, strlen(recipe), &replay));
	cleaning->replay_utf8 = replay;
	cleaning->replay = mlplat_json_parse(&cleaning->arena, recipe, strlen(recipe));
	check_recipe(cleaning, cleaning->replay);
}

void
mlplat_clean_drop(const char *name)
{
	Oid types[1] = {INT8OID};
	Datum values[1];
	char *steps, *recipe;

	mlplat_spi_begin();
	values[0] = Int64GetDatum(find_cleaning(name, CurrentMemoryContext, &steps, &recipe));
	run("DELETE FROM mlplat.cleaning WHERE cleaning_id OPERATOR(pg_catalog.=) $1", 1, types, values,
		NULL);
	mlplat_spi_end();
}
