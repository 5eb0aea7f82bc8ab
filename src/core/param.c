/*
 * param.c
 *		Parameter tables: parse, check, explain.
 *
 * One table says name, type, default, range and help of each parameter; this
 * file makes of it the values, the errors and the documentation.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/param.h"

#define NEAR_MAX 64 /* names longer than this are not compared */

/* ---- the nearest name ---- */

/* Levenshtein's distance of two short texts, a swap of neighbours counting one. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t before[NEAR_MAX + 1], last[NEAR_MAX + 1], row[NEAR_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		last[j] = j;
	for (size_t i = 1; i <= n; i++)
	{
		row[0] = i;
		for (size_t j = 1; j <= m; j++)
		{
			row[j] = ML_MIN(last[j], row[j - 1]) + 1;
			row[j] = ML_MIN(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = ML_MIN(row[j], before[j - 2] + 1);
		}
		memcpy(before, last, sizeof last);
		memcpy(last, row, sizeof row);
	}
	return last[m];
}

const char *
ml_nearest(const char *name, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t best_distance = ML_MAX((size_t) 1, strlen(name) / 3) + 1;

	if (strlen(name) > NEAR_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		size_t distance = strlen(names[i]) <= NEAR_MAX ? edit_distance(name, names[i]) : SIZE_MAX;

		if (distance < best_distance)
		{
			best = names[i];
			best_distance = distance;
		}
	}
	return best;
}

/* ---- values ---- */

/* The index of word in "a|b|c", or -1. */
static int
choice_index(const char *choices, const char *word)
{
	size_t len = strlen(word);
	int index = 0;

	for (const char *c = choices; *c; index++)
	{
		size_t n = strcspn(c, "|");

		if (n == len && memcmp(c, word, n) == 0)
			return index;
		c += n + (c[n] == '|');
	}
	return -1;
}

/* "an integer between 1 and 64" */
static void
describe(const MlParam *param, char *out, size_t size)
{
	const char *noun = param->type == ML_PARAM_INT ? "an integer" : "a number";

	switch (param->type)
	{
		case ML_PARAM_INT:
		case ML_PARAM_REAL:
			if (isinf(param->max))
				snprintf(out, size, "%s of %.15g or more", noun, param->min);
			else
				snprintf(out, size, "%s between %.15g and %.15g", noun, param->min, param->max);
			break;
		case ML_PARAM_BOOL:
			snprintf(out, size, "true or false");
			break;
		case ML_PARAM_CHOICE:
			snprintf(out, size, "one of %s", param->choices);
			break;
		case ML_PARAM_TEXT:
			snprintf(out, size, "a string");
			break;
		case ML_PARAM_JSON:
			snprintf(out, size, "JSON");
			break;
	}
}

/* option "max_depth" of gbdt must be an integer between 1 and 64, not "deep" */
static MlStatus
wrong_value(MlEnv *env, const char *where, const MlParam *param, const MlJson *value)
{
	char wanted[256];
	const char *quote = value->type == ML_JSON_STRING ? "\"" : "";
	const char *got = value->type == ML_JSON_STRING || value->type == ML_JSON_NUMBER ? value->string
					  : value->type == ML_JSON_BOOL ? (value->boolean ? "true" : "false")
													: ml_json_type_name(value->type);

	describe(param, wanted, sizeof wanted);
	return ml_fail(env, ML_EINVAL, "option \"%s\" of %s must be %s, not %s%.64s%s", param->name,
				   where, wanted, quote, got, quote);
}

/* One value by its parameter; null stands for the default where that is null. */
static MlStatus
parse_value(MlEnv *env, const char *where, const MlParam *param, const MlJson *value,
			MlParamValue *out)
{
	bool is_null = value->type == ML_JSON_NULL;

	out->json = value;
	out->null = is_null;
	if (is_null && strcmp(param->fallback, "null") == 0)
		return ML_OK;
	switch (param->type)
	{
		case ML_PARAM_INT:
		case ML_PARAM_REAL:
			if (value->type != ML_JSON_NUMBER ||
				!(value->number >= param->min && value->number <= param->max) ||
				(param->type == ML_PARAM_INT && value->number != floor(value->number)))
				return wrong_value(env, where, param, value);
			out->number = value->number;
			return ML_OK;
		case ML_PARAM_BOOL:
			if (value->type != ML_JSON_BOOL)
				return wrong_value(env, where, param, value);
			out->number = value->boolean;
			return ML_OK;
		case ML_PARAM_CHOICE:
			if (value->type != ML_JSON_STRING || choice_index(param->choices, value->string) < 0)
				return wrong_value(env, where, param, value);
			out->number = choice_index(param->choices, value->string);
			out->text = value->string;
			return ML_OK;
		case ML_PARAM_TEXT:
			if (value->type != ML_JSON_STRING)
				return wrong_value(env, where, param, value);
			out->text = value->string;
			return ML_OK;
		case ML_PARAM_JSON:
			break;
	}
	return ML_OK;
}

static size_t
table_length(const MlParam *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	return n;
}

/* All parameters of a table at their defaults. */
static MlStatus
fill_defaults(MlArena *arena, const char *where, const MlParam *table, MlParams *out)
{
	out->table = table;
	out->n = table_length(table);
	out->values = ml_arena_array(arena, out->n + 1, sizeof(MlParamValue));
	if (!out->values)
		return ML_ENOMEM;
	for (size_t i = 0; i < out->n; i++)
	{
		MlJson *value;

		ML_TRY(ml_json_parse(arena, table[i].fallback, strlen(table[i].fallback), &value));
		ML_TRY(parse_value(arena->env, where, &table[i], value, &out->values[i]));
	}
	return ML_OK;
}

/* No table has the name: say so, and which one is near. */
static MlStatus
unknown_option(MlArena *arena, const char *where, const char *name, const MlParams *params,
			   size_t n_tables)
{
	const char **names;
	const char *near;
	size_t n = 0;

	for (size_t t = 0; t < n_tables; t++)
		n += params[t].n;
	names = ml_arena_array(arena, n + 1, sizeof(char *));
	if (!names)
		return ML_ENOMEM;
	n = 0;
	for (size_t t = 0; t < n_tables; t++)
	{
		for (size_t i = 0; i < params[t].n; i++)
			names[n++] = params[t].table[i].name;
	}
	near = ml_nearest(name, names, n);
	ml_fail(arena->env, ML_EINVAL, "unknown option \"%.64s\" for %s", name, where);
	if (near)
		ml_hint(arena->env, "Did you mean \"%s\"?", near);
	return ML_EINVAL;
}

MlStatus
ml_params_parse(MlArena *arena, const char *where, const MlParam *const *tables, size_t n_tables,
				const MlJson *object, MlParams *out)
{
	for (size_t t = 0; t < n_tables; t++)
		ML_TRY(fill_defaults(arena, where, tables[t], &out[t]));
	if (object && object->type != ML_JSON_OBJECT)
		return ml_fail(arena->env, ML_EINVAL, "the options of %s must be an object, not %s", where,
					   ml_json_type_name(object->type));
	for (size_t m = 0; object && m < object->n; m++)
	{
		bool found = false;

		for (size_t t = 0; t < n_tables && !found; t++)
		{
			for (size_t i = 0; i < out[t].n && !found; i++)
			{
				if (strcmp(out[t].table[i].name, object->keys[m]) != 0)
					continue;
				found = true;
				ML_TRY(parse_value(arena->env, where, &out[t].table[i], &object->items[m],
								   &out[t].values[i]));
				out[t].values[i].given = true;
			}
		}
		if (!found)
			return unknown_option(arena, where, object->keys[m], out, n_tables);
	}
	return ML_OK;
}

/* ---- reading ---- */

int
ml_param_int(const MlParams *params, int index)
{
	return (int) params->values[index].number;
}

double
ml_param_real(const MlParams *params, int index)
{
	return params->values[index].number;
}

bool
ml_param_bool(const MlParams *params, int index)
{
	return params->values[index].number != 0;
}

bool
ml_param_given(const MlParams *params, int index)
{
	return params->values[index].given && !params->values[index].null;
}

const char *
ml_param_text(const MlParams *params, int index)
{
	return params->values[index].null ? NULL : params->values[index].text;
}

void
ml_params_write(const MlParams *params, MlJsonWriter *w, const char *key)
{
	ml_json_open(w, key, '{');
	for (size_t i = 0; i < params->n; i++)
	{
		const MlParamValue *value = &params->values[i];
		const char *name = params->table[i].name;

		if (value->null)
			ml_json_raw(w, name, "null", 4);
		else if (params->table[i].type == ML_PARAM_BOOL)
			ml_json_bool(w, name, value->number != 0);
		else if (params->table[i].type == ML_PARAM_CHOICE || params->table[i].type == ML_PARAM_TEXT)
			ml_json_text(w, name, value->text);
		else if (params->table[i].type != ML_PARAM_JSON)
			ml_json_number(w, name, value->number);
	}
	ml_json_close(w, '}');
}
