/*
 * param.c
 *		Parameters: from a JSON object to checked values, by the tables.
 *
 * Defaults are JSON texts and take the same way as the user's values, so that
 * a default that breaks its own table's rule cannot exist for long. A null
 * stands for "not given".
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/param.h"

#define MAX_SHOWN 100 /* bytes of a value in a message */
#define MAX_NAME 64   /* longer names have no nearest one */

/* What the functions below need to say where an error is. */
typedef struct Context
{
	MlArena *arena;
	MlEnv *env;
	const char *where;
} Context;

/* ---- the nearest name */

/* Lower case, and one of the two word joiners. */
static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c == '-' || c == ' ' ? '_' : c;
}

/*
 * Edit distance with swaps of neighbours (optimal string alignment); case does not count. Rows of the
 * table: i - 2, i - 1, i.
 */
static int
edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	int rows[3][MAX_NAME + 1], *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= n_b; j++)
		last[j] = (int) j;
	for (size_t i = 1; i <= n_a; i++)
	{
		int *oldest = before;

		row[0] = (int) i;
		for (size_t j = 1; j <= n_b; j++)
		{
			int cost = fold(a[i - 1]) != fold(b[j - 1]);

			row[j] = ML_MIN(ML_MIN(last[j], row[j - 1]) + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
				fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = ML_MIN(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[n_b];
}

const char *
ml_nearest(const char *name, const char *const *names, size_t n)
{
	size_t len = strlen(name);
	/* One error in three characters is a typing error; more is another word. */
	int best = (int) (len + 2) / 3 + 1;
	const char *nearest = NULL;

	if (len > MAX_NAME)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		size_t other = strlen(names[i]);
		int distance = other <= MAX_NAME ? edit_distance(name, len, names[i], other) : best;

		if (distance < best && distance < (int) other)
		{
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

/* ---- errors */

/* A value that is not a string, as the user wrote it. */
static const char *
describe(const MlJson *value)
{
	if (value->type == ML_JSON_NUMBER)
		return value->string;
	if (value->type == ML_JSON_BOOL)
		return value->boolean ? "true" : "false";
	return ml_json_type_name(value->type);
}

/* option "x" of gbdt must be <expected>, not <value> */
static MlStatus
fail_value(const Context *c, const MlParam *param, const char *expected, const MlJson *value)
{
	const char *quote = value->type == ML_JSON_STRING ? "\"" : "";
	const char *text = value->type == ML_JSON_STRING ? value->string : describe(value);

	return ml_fail(c->env, ML_EINVAL, "option \"%s\" of %s must be %s, not %s%.*s%s", param->name,
				   c->where, expected, quote, ml_utf8_cut(text, MAX_SHOWN), text, quote);
}

/* Bounds that only say "no more than the type holds" are not worth a word. */
static bool
has_min(const MlParam *param)
{
	return param->min > (param->type == ML_PARAM_INT ? INT_MIN : -1e300);
}

static bool
has_max(const MlParam *param)
{
	return param->max < (param->type == ML_PARAM_INT ? INT_MAX : 1e300);
}

static MlStatus
fail_number(const Context *c, const MlParam *param, const MlJson *value)
{
	const char *kind = param->type == ML_PARAM_INT ? "an integer" : "a number";
	char min[32], max[32], expected[128];

	ml_format_double(min, param->min);
	ml_format_double(max, param->max);
	if (has_min(param) && has_max(param))
		snprintf(expected, sizeof expected, "%s between %s and %s", kind, min, max);
	else if (has_min(param))
		snprintf(expected, sizeof expected, "%s of at least %s", kind, min);
	else if (has_max(param))
		snprintf(expected, sizeof expected, "%s of at most %s", kind, max);
	else
		snprintf(expected, sizeof expected, "%s", kind);
	return fail_value(c, param, expected, value);
}

/* The words of "a|b|c" as an array in the arena. */
static MlStatus
split_choices(const Context *c, const char *choices, const char *const **words, size_t *n)
{
	size_t count = 1;
	const char **list;

	for (const char *s = choices; *s; s++)
		count += *s == '|';
	list = ml_arena_array(c->arena, count, sizeof *list);
	if (list == NULL)
		return ML_ENOMEM;
	for (size_t i = 0; i < count; i++)
	{
		size_t len = strcspn(choices, "|");

		list[i] = ml_arena_text(c->arena, choices, len);
		if (list[i] == NULL)
			return ML_ENOMEM;
		choices += len + 1;
	}
	*words = list;
	*n = count;
	return ML_OK;
}

/* "a", "b" or "c" */
static void
put_words(MlBuffer *out, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ml_put_format(out, "%s\"%s\"", i == 0 ? "" : i + 1 < n ? ", " : " or ", words[i]);
	ml_put_u8(out, '\0');
}

static MlStatus
fail_choice(const Context *c, const MlParam *param, const char *const *words, size_t n,
			const MlJson *value)
{
	const char *nearest =
		value->type == ML_JSON_STRING ? ml_nearest(value->string, words, n) : NULL;
	MlBuffer expected;
	MlStatus status;

	ml_buffer_init(&expected, c->env);
	put_words(&expected, words, n);
	status = expected.status;
	if (status == ML_OK)
	{
		status = fail_value(c, param, (const char *) expected.data, value);
		if (nearest)
			ml_hint(c->env, "Did you mean \"%s\"?", nearest);
	}
	ml_buffer_free(&expected);
	return status;
}

/* ---- values */

static MlStatus
read_number(const Context *c, const MlParam *param, const MlJson *value, MlParamValue *out)
{
	double number = value->number;
	bool valid = value->type == ML_JSON_NUMBER && number >= param->min && number <= param->max;

	if (param->type == ML_PARAM_INT)
		valid = valid && number == floor(number) && number >= INT_MIN && number <= INT_MAX;
	if (!valid)
		return fail_number(c, param, value);
	out->number = number;
	return ML_OK;
}

static MlStatus
read_choice(const Context *c, const MlParam *param, const MlJson *value, MlParamValue *out)
{
	const char *const *words;
	size_t n;

	ML_TRY(split_choices(c, param->choices, &words, &n));
	for (size_t i = 0; value->type == ML_JSON_STRING && i < n; i++)
	{
		if (strcmp(words[i], value->string) == 0)
		{
			out->number = (double) i;
			out->text = words[i];
			return ML_OK;
		}
	}
	return fail_choice(c, param, words, n, value);
}

static MlStatus
read_value(const Context *c, const MlParam *param, const MlJson *value, MlParamValue *out)
{
	out->null = value->type == ML_JSON_NULL;
	out->json = value;
	if (out->null)
		return ML_OK;
	switch (param->type)
	{
		case ML_PARAM_INT:
		case ML_PARAM_REAL:
			return read_number(c, param, value, out);
		case ML_PARAM_BOOL:
			if (value->type != ML_JSON_BOOL)
				return fail_value(c, param, "true or false", value);
			out->number = value->boolean;
			break;
		case ML_PARAM_CHOICE:
			return read_choice(c, param, value, out);
		case ML_PARAM_TEXT:
			if (value->type != ML_JSON_STRING)
				return fail_value(c, param, "a string", value);
			out->text = value->string;
			break;
		case ML_PARAM_JSON:
			break;
	}
	return ML_OK;
}

/* ---- tables */

/* The place of a name in the tables; NULL: in none. */
static MlParamValue *
find_param(const MlParams *params, size_t n_tables, const char *name, const MlParam **param)
{
	for (size_t t = 0; t < n_tables; t++)
	{
		for (size_t i = 0; i < params[t].n; i++)
		{
			*param = &params[t].table[i];
			if (strcmp((*param)->name, name) == 0)
				return &params[t].values[i];
		}
	}
	return NULL;
}

static MlStatus
fail_unknown(const Context *c, const MlParams *params, size_t n_tables, const char *name)
{
	const char **names, *nearest;
	size_t n = 0;

	for (size_t t = 0; t < n_tables; t++)
		n += params[t].n;
	names = ml_arena_array(c->arena, n, sizeof *names);
	if (names == NULL)
		return ML_ENOMEM;
	n = 0;
	for (size_t t = 0; t < n_tables; t++)
	{
		for (size_t i = 0; i < params[t].n; i++)
			names[n++] = params[t].table[i].name;
	}
	nearest = ml_nearest(name, names, n);
	ml_fail(c->env, ML_EINVAL, "unknown option \"%.*s\" for %s", ml_utf8_cut(name, MAX_SHOWN), name,
			c->where);
	if (nearest)
		ml_hint(c->env, "Did you mean \"%s\"?", nearest);
	return ML_EINVAL;
}

/* All defaults of a table. */
static MlStatus
read_defaults(const Context *c, const MlParam *table, MlParams *out)
{
	*out = (MlParams){.table = table};
	while (table[out->n].name)
		out->n++;
	out->values = ml_arena_array(c->arena, out->n, sizeof *out->values);
	if (out->values == NULL)
		return ML_ENOMEM;
	for (size_t i = 0; i < out->n; i++)
	{
		MlJson *value;

		ML_TRY(ml_json_parse(c->arena, table[i].fallback, strlen(table[i].fallback), &value));
		ML_TRY(read_value(c, &table[i], value, &out->values[i]));
	}
	return ML_OK;
}

MlStatus
ml_params_parse(MlArena *arena, const char *where, const MlParam *const *tables, size_t n_tables,
				const MlJson *object, MlParams *out)
{
	Context c = {arena, arena->env, where};

	for (size_t t = 0; t < n_tables; t++)
		ML_TRY(read_defaults(&c, tables[t], &out[t]));
	if (object == NULL)
		return ML_OK;
	if (object->type != ML_JSON_OBJECT)
		return ml_fail(c.env, ML_EINVAL, "the options of %s must be an object, not %s", where,
					   ml_json_type_name(object->type));
	for (size_t i = 0; i < object->n; i++)
	{
		const MlParam *param;
		MlParamValue *value = find_param(out, n_tables, object->keys[i], &param);

		if (value == NULL)
			return fail_unknown(&c, out, n_tables, object->keys[i]);
		if (object->items[i].type == ML_JSON_NULL)
			continue;
		ML_TRY(read_value(&c, param, &object->items[i], value));
		value->given = true;
	}
	return ML_OK;
}

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
	return params->values[index].given;
}

const char *
ml_param_text(const MlParams *params, int index)
{
	return params->values[index].text;
}

void
ml_params_write(const MlParams *params, MlJsonWriter *w, const char *key)
{
	ml_json_open(w, key, '{');
	for (size_t i = 0; i < params->n; i++)
		ml_json_value(w, params->table[i].name, params->values[i].json);
	ml_json_close(w, '}');
}
