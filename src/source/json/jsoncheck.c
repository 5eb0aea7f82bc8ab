/*
 * jsoncheck.c
 *		Will COPY take the values of an item into the table?
 *
 * Most values are seen to fit at a glance (data/csv/csvfit.h). Of the others the
 * types' input functions are asked, all of an item in one attempt, whose failure
 * leaves nothing behind (pg/attempt.h).
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"

#include "pg/attempt.h"
#include "pg/bridge.h"
#include "source/json/jsoncheck.h"

/* Of JSON up to this length, nothing is too large for jsonb, unless a number is, which takes an exponent. */
#define MAX_SURE_JSON 65536

void
mlplat_json_check_init(MlplatJsonCheck *check, const MlplatJsonColumns *columns, MlEnv *env)
{
	check->columns = columns;
	check->env = env;
	check->fields =
		mlplat_csv_fields(columns->target->rel, mlplat_json_copy_columns(columns), columns->n);
}

static const MlJsonValue *
value_of(const MlplatJsonCheck *check, int j)
{
	uint32 key = check->columns->columns[j].key;

	return key == ML_JSON_NO_KEY ? NULL : ml_json_row_value(check->columns->row, key);
}

static bool
is_nested(const MlJsonValue *value)
{
	return value->kind == ML_TOKEN_OPEN_OBJECT || value->kind == ML_TOKEN_OPEN_ARRAY;
}

/* A number with an exponent, or text that looks like one. */
static bool
has_exponent(const MlJsonValue *value)
{
	for (const char *p = value->start + 1; p < value->end; p++)
		if ((*p == 'e' || *p == 'E') && p[-1] >= '0' && p[-1] <= '9')
			return true;
	return false;
}

/* Surely fits; false: that is not known. */
static bool
fits(const MlplatJsonCheck *check, int j, const MlJsonValue *value)
{
	const MlplatCsvField *field = &check->fields[j];
	size_t len;

	if (!value)
		return !field->not_null && !field->ask_null;
	len = (size_t) (value->end - value->start);
	if (check->columns->columns[j].as_json)
		return !field->ask_null && len <= MAX_SURE_JSON && !has_exponent(value);
	if (field->fit.kind == ML_CSV_FIT_ANY)
		return true;
	if (is_nested(value) || (value->flags & ML_STRING_ESCAPED))
		return false;
	if (value->kind == ML_TOKEN_STRING)
		return ml_csv_fits(&field->fit, value->start + 1, len - 2);
	return ml_csv_fits(&field->fit, value->start, len);
}

/* What the input function is given, in the server's encoding. */
static const char *
input_text(const MlplatJsonCheck *check, int j, const MlJsonValue *value)
{
	MlJsonToken token = {.start = value->start, .end = value->end};
	MlBuffer text;

	ml_buffer_init(&text, check->env);
	if (value->kind == ML_TOKEN_STRING && !check->columns->columns[j].as_json)
		ml_json_put_string(&text, &token);
	else
		ml_put_bytes(&text, value->start, (size_t) (value->end - value->start));
	ml_put_u8(&text, '\0');
	mlplat_check(check->env, text.status);
	return pg_any_to_server((char *) text.data, (int) text.len - 1, PG_UTF8);
}

static void
ask(void *arg)
{
	MlplatJsonCheck *check = arg;

	for (int i = 0; i < check->n_unsure; i++)
	{
		int j = check->unsure[i];
		const MlJsonValue *value = value_of(check, j);

		check->asking = j;
		mlplat_csv_ask(&check->fields[j], value ? input_text(check, j, value) : NULL);
	}
}

static bool
bad(MlplatJsonCheck *check, int j, const char *reason)
{
	check->column = check->columns->columns[j].name;
	check->reason = reason;
	return false;
}

bool
mlplat_json_check_row(MlplatJsonCheck *check)
{
	int *unsure = NULL;
	ErrorData *error;

	check->n_unsure = 0;
	for (int j = 0; j < check->columns->n; j++)
	{
		const MlJsonValue *value = value_of(check, j);

		if (fits(check, j, value))
			continue;
		if (!value && check->fields[j].not_null)
			return bad(check, j, psprintf("null value in column \"%s\"", check->fields[j].name));
		if (!unsure)
			unsure = palloc(sizeof(int) * check->columns->n);
		unsure[check->n_unsure++] = j;
	}
	if (check->n_unsure == 0)
		return true;
	check->unsure = unsure;
	error = mlplat_attempt(ask, check);
	if (!error)
		return true;
	if (!mlplat_csv_is_about_value(error->sqlerrcode))
		ReThrowError(error);
	return bad(check, check->asking, error->message);
}
