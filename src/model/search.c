/*
 * search.c
 *		A space of parameters, and the candidates drawn from it.
 *
 * The space is checked against the algorithm's own table, value by value, so
 * that a mistake is found before anything is trained. Numbers drawn from a
 * range are rounded to four digits: nobody tells 0.03471 from 0.03471182, and
 * trials stay readable.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "model/search.h"

#define STREAM 3  /* of random numbers: folds use others */
#define DRAWS 100 /* for one candidate, until it is a new one */
#define FALLBACK_TRIALS 20

enum
{
	METHOD,
	N_TRIALS,
	FACTOR
};

static const MlParam search_params[] = {
	{"method", ML_PARAM_CHOICE, "null", 0, 0, "grid|random|halving", "how candidates are chosen"},
	{"n_trials", ML_PARAM_INT, "null", 1, ML_MAX_TRIALS, NULL, "candidates to draw"},
	{"factor", ML_PARAM_INT, "3", 2, 100, NULL, "halving: one candidate of so many goes on"},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

enum
{
	RANGE_MIN,
	RANGE_MAX,
	RANGE_LOG
};

static const MlParam range_params[] = {
	{"min", ML_PARAM_REAL, "null", -1e300, 1e300, NULL, "least value"},
	{"max", ML_PARAM_REAL, "null", -1e300, 1e300, NULL, "greatest value"},
	{"log", ML_PARAM_BOOL, "false", 0, 0, NULL, "draw the logarithm evenly"},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

/* One parameter that varies. */
typedef struct Dimension
{
	size_t param; /* in the algorithm's table */
	bool integer, log;
	double min, max;
	size_t n; /* values in the list; 0: a range */
	MlParamValue *values;
} Dimension;

typedef struct Space
{
	MlArena *arena;
	MlEnv *env;
	const MlAlgo *algo;
	const MlParams *base;
	MlParams options; /* search_params */
	size_t n;
	Dimension *dimensions;
	bool has_range;
	double n_points; /* of the grid; infinite with a range */
} Space;

/* ---- reading ---- */

/* The place of a name in a table, or -1. */
static int
find_param(const MlParam *table, const char *name)
{
	for (int i = 0; table[i].name; i++)
	{
		if (strcmp(table[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* The member is neither an option of the search nor a parameter: name the nearest. */
static MlStatus
unknown_param(const Space *s, const char *name)
{
	const MlParam *tables[2] = {search_params, s->algo->params};
	size_t n = s->base->n + sizeof search_params / sizeof *search_params, count = 0;
	const char **names = ml_arena_array(s->arena, n, sizeof *names);
	const char *near;

	if (!names)
		return ML_ENOMEM;
	for (int t = 0; t < 2; t++)
	{
		for (const MlParam *p = tables[t]; p->name; p++)
			names[count++] = p->name;
	}
	near = ml_nearest(name, names, count);
	ml_fail(s->env, ML_EINVAL, "search over \"%.*s\": algorithm \"%s\" has no such parameter",
			ml_utf8_cut(name, 64), name, s->algo->name);
	if (near)
		ml_hint(s->env, "Did you mean \"%s\"?", near);
	return ML_EINVAL;
}

/* The object of some members of another. */
static MlStatus
pick_members(const Space *s, const MlJson *from, const MlParam *table, MlJson *out)
{
	*out = (MlJson){.type = ML_JSON_OBJECT};
	out->keys = ml_arena_array(s->arena, from->n + 1, sizeof *out->keys);
	out->items = ml_arena_array(s->arena, from->n + 1, sizeof *out->items);
	if (!out->keys || !out->items)
		return ML_ENOMEM;
	for (size_t i = 0; i < from->n; i++)
	{
		if (find_param(table, from->keys[i]) < 0)
			continue;
		out->keys[out->n] = from->keys[i];
		out->items[out->n++] = from->items[i];
	}
	return ML_OK;
}

/* A value of a parameter, checked by the algorithm's table. */
static MlStatus
read_value(const Space *s, const char *name, const MlJson *value, MlParamValue *out)
{
	char *keys[1] = {(char *) name};
	MlJson object = {.type = ML_JSON_OBJECT, .n = 1, .keys = keys, .items = (MlJson *) value};
	MlParams parsed;

	ML_TRY(ml_params_parse(s->arena, s->algo->name, &s->algo->params, 1, &object, &parsed));
	*out = parsed.values[find_param(s->algo->params, name)];
	out->given = true; /* null, too: the candidate takes the default */
	return ML_OK;
}

static MlStatus
read_list(Space *s, const char *name, const MlJson *list, Dimension *d)
{
	if (list->n == 0)
		return ml_fail(s->env, ML_EINVAL, "search over \"%.64s\" has an empty list", name);
	d->n = list->n;
	d->values = ml_arena_array(s->arena, list->n, sizeof *d->values);
	if (!d->values)
		return ML_ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		ML_TRY(read_value(s, name, &list->items[i], &d->values[i]));
	s->n_points *= (double) list->n;
	return ML_OK;
}

/* {"min": 0.01, "max": 0.3, "log": true} */
static MlStatus
read_range(Space *s, const char *name, const MlJson *range, Dimension *d)
{
	const MlParam *param = &s->algo->params[d->param], *table = range_params;
	char where[96];
	MlParams parsed;
	MlParamValue end;

	snprintf(where, sizeof where, "search over \"%.64s\"", name);
	if (param->type != ML_PARAM_INT && param->type != ML_PARAM_REAL)
	{
		ml_fail(s->env, ML_EINVAL, "%s cannot be a range: its values are not numbers", where);
		ml_hint(s->env, "List them: \"%.64s\": [...].", name);
		return ML_EINVAL;
	}
	ML_TRY(ml_params_parse(s->arena, where, &table, 1, range, &parsed));
	if (parsed.values[RANGE_MIN].null || parsed.values[RANGE_MAX].null)
		return ml_fail(s->env, ML_EINVAL, "%s needs both \"min\" and \"max\"", where);
	ML_TRY(read_value(s, name, parsed.values[RANGE_MIN].json, &end));
	ML_TRY(read_value(s, name, parsed.values[RANGE_MAX].json, &end));
	d->integer = param->type == ML_PARAM_INT;
	d->min = ml_param_real(&parsed, RANGE_MIN);
	d->max = ml_param_real(&parsed, RANGE_MAX);
	d->log = ml_param_bool(&parsed, RANGE_LOG);
	if (!(d->min < d->max))
		return ml_fail(s->env, ML_EINVAL, "%s needs a \"min\" that is less than \"max\"", where);
	if (d->log && !(d->min > 0))
		return ml_fail(s->env, ML_EINVAL, "%s with \"log\" needs a \"min\" above zero", where);
	s->has_range = true;
	s->n_points = INFINITY;
	return ML_OK;
}

/* One member that is not an option of the search. */
static MlStatus
read_dimension(Space *s, const char *name, const MlJson *value)
{
	int param = find_param(s->algo->params, name);
	Dimension *d = &s->dimensions[s->n];

	if (param < 0)
		return unknown_param(s, name);
	for (size_t i = 0; i < s->n; i++)
	{
		if (s->dimensions[i].param == (size_t) param)
			return ml_fail(s->env, ML_EINVAL, "search over \"%.64s\" is given twice", name);
	}
	d->param = (size_t) param;
	s->n++;
	if (value->type == ML_JSON_ARRAY)
		return read_list(s, name, value, d);
	if (value->type == ML_JSON_OBJECT)
		return read_range(s, name, value, d);
	ml_fail(s->env, ML_EINVAL, "search over \"%.64s\" must be a list of values or a range, not %s",
			name, ml_json_type_name(value->type));
	ml_hint(s->env, "Write [...] or {\"min\": ..., \"max\": ..., \"log\": true}. What all trials "
					"share belongs in params.");
	return ML_EINVAL;
}

static MlStatus
read_space(Space *s, const MlJson *search)
{
	const MlParam *table = search_params;
	MlJson own;

	if (search->type != ML_JSON_OBJECT)
		return ml_fail(s->env, ML_EINVAL, "option \"search\" must be an object, not %s",
					   ml_json_type_name(search->type));
	ML_TRY(pick_members(s, search, search_params, &own));
	ML_TRY(ml_params_parse(s->arena, "search", &table, 1, &own, &s->options));
	s->dimensions = ml_arena_array(s->arena, search->n + 1, sizeof *s->dimensions);
	if (!s->dimensions)
		return ML_ENOMEM;
	s->n_points = 1;
	for (size_t i = 0; i < search->n; i++)
	{
		if (find_param(search_params, search->keys[i]) < 0)
			ML_TRY(read_dimension(s, search->keys[i], &search->items[i]));
	}
	if (s->n > 0)
		return ML_OK;
	ml_fail(s->env, ML_EINVAL, "option \"search\" names no parameter of algorithm \"%s\"",
			s->algo->name);
	ml_hint(s->env, "The view mlplat.parameters lists them.");
	return ML_EINVAL;
}

/* ---- drawing ---- */

/* A copy of the base, to be changed. */
static MlStatus
copy_params(const Space *s, MlParams *out)
{
	*out = *s->base;
	out->values = ml_arena_array(s->arena, s->base->n, sizeof *out->values);
	if (!out->values)
		return ML_ENOMEM;
	memcpy(out->values, s->base->values, s->base->n * sizeof *out->values);
	return ML_OK;
}

/* A number of a range. */
static double
draw_number(const Dimension *d, MlRng *rng)
{
	double u = ml_rng_uniform(rng), top = d->integer ? d->max + 1 : d->max, x;
	char text[32];

	x = d->log ? exp(log(d->min) + u * (log(top) - log(d->min))) : d->min + u * (top - d->min);
	if (d->integer)
		x = floor(x);
	else
	{
		snprintf(text, sizeof text, "%.4g", x);
		x = strtod(text, NULL);
	}
	return ML_MIN(ML_MAX(x, d->min), d->max);
}

/* A number as the value of a parameter. */
static MlStatus
number_value(const Space *s, double number, MlParamValue *out)
{
	MlJson *json;
	char text[32];
	int len = ml_format_double(text, number);

	ML_TRY(ml_json_parse(s->arena, text, (size_t) len, &json));
	*out = (MlParamValue){.given = true, .number = number, .json = json};
	return ML_OK;
}

/* One candidate at random. */
static MlStatus
draw(const Space *s, MlRng *rng, MlParams *out)
{
	for (size_t i = 0; i < s->n; i++)
	{
		const Dimension *d = &s->dimensions[i];

		if (d->n > 0)
			out->values[d->param] = d->values[ml_rng_below(rng, d->n)];
		else
			ML_TRY(number_value(s, draw_number(d, rng), &out->values[d->param]));
	}
	return ML_OK;
}

/* The combination number `point` of the lists; the last list turns fastest. */
static void
pick_point(const Space *s, size_t point, MlParams *out)
{
	for (size_t i = s->n; i-- > 0;)
	{
		const Dimension *d = &s->dimensions[i];

		out->values[d->param] = d->values[point % d->n];
		point /= d->n;
	}
}

/* Are two candidates the same? Values of lists are the same where they are the same element. */
static bool
same_candidate(const Space *s, const MlParams *a, const MlParams *b)
{
	for (size_t i = 0; i < s->n; i++)
	{
		const Dimension *d = &s->dimensions[i];
		const MlParamValue *x = &a->values[d->param], *y = &b->values[d->param];

		if (d->n > 0 ? x->json != y->json : x->number != y->number)
			return false;
	}
	return true;
}

static bool
is_new(const Space *s, const MlSearch *out, const MlParams *candidate)
{
	for (size_t i = 0; i < out->n; i++)
	{
		if (same_candidate(s, &out->candidates[i], candidate))
			return false;
	}
	return true;
}

/* Every combination. */
static MlStatus
take_grid(const Space *s, MlSearch *out)
{
	for (; out->n < (size_t) s->n_points; out->n++)
	{
		ML_TRY(copy_params(s, &out->candidates[out->n]));
		pick_point(s, out->n, &out->candidates[out->n]);
	}
	return ML_OK;
}

/* n different candidates at random; fewer where there seem to be no more. */
static MlStatus
take_random(const Space *s, size_t n, uint64_t seed, MlSearch *out)
{
	MlRng rng;

	ml_rng_seed(&rng, seed, STREAM);
	while (out->n < n)
	{
		MlParams *candidate = &out->candidates[out->n];
		bool new = false;

		ML_TRY(ml_poll(s->env));
		ML_TRY(copy_params(s, candidate));
		for (int i = 0; i < DRAWS && !new; i++)
		{
			ML_TRY(draw(s, &rng, candidate));
			new = is_new(s, out, candidate);
		}
		if (!new)
			return ML_OK;
		out->n++;
	}
	return ML_OK;
}

/* What the method allows. */
static MlStatus
check_method(const Space *s, MlSearchMethod method)
{
	if (method == ML_SEARCH_GRID && s->has_range)
	{
		ml_fail(s->env, ML_EINVAL, "method \"grid\" needs a list for each parameter");
		ml_hint(s->env, "Use method \"random\" for ranges.");
		return ML_EINVAL;
	}
	if (method == ML_SEARCH_GRID && s->options.values[N_TRIALS].given)
	{
		ml_fail(s->env, ML_EINVAL,
				"method \"grid\" tries every combination and takes no "
				"\"n_trials\"");
		ml_hint(s->env, "Use method \"random\" to try some of them.");
		return ML_EINVAL;
	}
	if (method != ML_SEARCH_HALVING && s->options.values[FACTOR].given)
		return ml_fail(s->env, ML_EINVAL, "option \"factor\" is for method \"halving\"");
	if (method == ML_SEARCH_GRID && s->n_points > ML_MAX_TRIALS)
	{
		ml_fail(s->env, ML_EINVAL, "the grid has %.0f combinations; at most %d are tried",
				s->n_points, ML_MAX_TRIALS);
		ml_hint(s->env, "Use method \"random\" to try some of them.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* The method that was named; else a grid where every parameter has a list and no number of trials is given. */
static MlSearchMethod
method_of(const Space *s)
{
	if (!s->options.values[METHOD].null)
		return (MlSearchMethod) ml_param_int(&s->options, METHOD);
	return s->has_range || s->options.values[N_TRIALS].given ? ML_SEARCH_RANDOM : ML_SEARCH_GRID;
}

MlStatus
ml_search_create(MlArena *arena, const MlAlgo *algo, const MlParams *base, const MlJson *search,
				 uint64_t seed, MlSearch *out)
{
	Space s = {.arena = arena, .env = arena->env, .algo = algo, .base = base};
	size_t n;

	*out = (MlSearch){0};
	ML_TRY(read_space(&s, search));
	out->method = method_of(&s);
	out->factor = (uint32_t) ml_param_int(&s.options, FACTOR);
	ML_TRY(check_method(&s, out->method));
	n = s.options.values[N_TRIALS].null ? FALLBACK_TRIALS
										: (size_t) ml_param_int(&s.options, N_TRIALS);
	if (out->method == ML_SEARCH_GRID || s.n_points <= (double) n)
		n = (size_t) s.n_points;
	out->candidates = ml_arena_array(arena, n, sizeof *out->candidates);
	if (!out->candidates)
		return ML_ENOMEM;
	if ((double) n == s.n_points)
		return take_grid(&s, out);
	return take_random(&s, n, seed, out);
}

void
ml_search_write(const MlParams *candidate, MlJsonWriter *w, const char *key)
{
	ml_json_open(w, key, '{');
	for (size_t i = 0; i < candidate->n; i++)
	{
		if (candidate->values[i].given)
			ml_json_value(w, candidate->table[i].name, candidate->values[i].json);
	}
	ml_json_close(w, '}');
}
