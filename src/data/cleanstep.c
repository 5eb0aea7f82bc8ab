/*
 * cleanstep.c
 *		The steps of a cleaning: which actions there are, their options, and how they are written.
 *
 * What can be said without the columns is checked here: names of actions and
 * options, kinds of values, options that exclude or need each other.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/cleanstep.h"

#define COLUMNS(help) \
	{ \
		"columns", ML_PARAM_JSON, "null", 0, 0, NULL, help \
	}
#define END \
	{ \
		0 \
	}

static const MlParam duplicates_params[] = {
	{"key", ML_PARAM_JSON, "null", 0, 0, NULL, "Columns that tell rows apart; default: all."},
	{"keep", ML_PARAM_CHOICE, "\"first\"", 0, 0, "first|last", "Which row of a group stays."},
	{"order_by", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "Columns that say what is first; default: the order of the query. NULLs never win."},
	END};
static const MlParam missing_params[] = {
	COLUMNS("Columns that must have a value; default: all."),
	{"how", ML_PARAM_CHOICE, "\"any\"", 0, 0, "any|all", "Drop when any or all are missing."},
	END};
static const MlParam fill_params[] = {
	COLUMNS("Columns to fill; default: all that it can be done for."),
	{"with", ML_PARAM_CHOICE, "null", 0, 0, "mean|median|mode|constant|previous",
	 "What takes the place of a missing value; default: constant where value is given."},
	{"value", ML_PARAM_JSON, "null", 0, 0, NULL, "The constant."},
	{"order_by", ML_PARAM_JSON, "null", 0, 0, NULL, "Columns that order the rows, for previous."},
	{"group_by", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "Columns of groups of which none fills another, for previous."},
	END};
static const MlParam trim_params[] = {
	COLUMNS("Text columns; default: all."),
	{"empty_to_null", ML_PARAM_BOOL, "false", 0, 0, NULL, "Make NULL of what is then empty."},
	END};
static const MlParam case_params[] = {COLUMNS("Text columns; default: all."), END};
static const MlParam normalize_params[] = {
	COLUMNS("Text columns; default: all."),
	{"case", ML_PARAM_CHOICE, "\"keep\"", 0, 0, "keep|lower|upper", "Change the case as well."},
	{"empty_to_null", ML_PARAM_BOOL, "false", 0, 0, NULL, "Make NULL of what is then empty."},
	END};
static const MlParam map_params[] = {
	COLUMNS("Columns whose values are replaced."),
	{"values", ML_PARAM_JSON, "null", 0, 0, NULL, "Object of old value and new value or null."},
	{"missing", ML_PARAM_JSON, "null", 0, 0, NULL, "The new value for missing ones."},
	{"other", ML_PARAM_CHOICE, "\"keep\"", 0, 0, "keep|null|error",
	 "What to do with values that are not in the object."},
	END};
static const MlParam cast_params[] = {
	COLUMNS("Columns to cast."),
	{"type", ML_PARAM_TEXT, "null", 0, 0, NULL, "The new type."},
	{"on_error", ML_PARAM_CHOICE, "\"error\"", 0, 0, "error|null|default|drop_row",
	 "What to do with a value that fails."},
	{"default", ML_PARAM_JSON, "null", 0, 0, NULL, "The value in place of one that fails."},
	END};
static const MlParam outlier_params[] = {
	COLUMNS("Number columns; default: all."),
	{"by", ML_PARAM_CHOICE, "\"iqr\"", 0, 0, "iqr|zscore|quantile|bounds",
	 "What an outlier is: far from the quartiles, from the mean, beyond quantiles, or given."},
	{"factor", ML_PARAM_REAL, "null", 0, INFINITY, NULL,
	 "How far: 1.5 interquartile ranges, 3 standard deviations."},
	{"lower", ML_PARAM_REAL, "null", -INFINITY, INFINITY, NULL,
	 "The lower quantile (default 0.01) or bound (default none)."},
	{"upper", ML_PARAM_REAL, "null", -INFINITY, INFINITY, NULL,
	 "The upper quantile (default 0.99) or bound (default none)."},
	END};
static const MlParam drop_columns_params[] = {COLUMNS("Columns to drop."), END};
static const MlParam constant_params[] = {COLUMNS("Columns to look at; default: all."), END};
static const MlParam empty_params[] = {
	COLUMNS("Columns to look at; default: all."),
	{"max_missing", ML_PARAM_REAL, "0.5", 0, 1, NULL, "Drop above this share of missing values."},
	END};
static const MlParam rare_params[] = {
	COLUMNS("Text columns; default: all."),
	{"min_share", ML_PARAM_REAL, "null", 0, 1, NULL,
	 "Levels of a smaller share of the values are rare; default 0.01 without min_count."},
	{"min_count", ML_PARAM_INT, "null", 1, INT_MAX, NULL, "Levels of fewer values are rare."},
	{"other", ML_PARAM_TEXT, "\"other\"", 0, 0, NULL, "What rare levels become."},
	END};
static const MlParam filter_params[] = {
	{"expression", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "SQL expression over the columns; rows where it is true stay."},
	END};

/* In the order of MlCleanAction. */
static const struct
{
	const char *name;
	const MlParam *params;
} actions[] = {
	{"drop_duplicates", duplicates_params},
	{"drop_missing", missing_params},
	{"fill", fill_params},
	{"trim", trim_params},
	{"lower", case_params},
	{"upper", case_params},
	{"normalize", normalize_params},
	{"map", map_params},
	{"cast", cast_params},
	{"clip", outlier_params},
	{"drop_outliers", outlier_params},
	{"drop_columns", drop_columns_params},
	{"drop_constant", constant_params},
	{"drop_empty", empty_params},
	{"group_rare", rare_params},
	{"filter", filter_params},
};

#define N_ACTIONS (sizeof actions / sizeof actions[0])

/* The step at hand, for its checks and messages. */
typedef struct Reader
{
	MlArena *arena;
	MlEnv *env;
	const MlCleanStep *step;
	char where[64]; /* "step 2 (fill)" */
} Reader;

const char *
ml_clean_action_name(MlCleanAction action)
{
	return actions[action].name;
}

const MlParam *
ml_clean_action_params(int action)
{
	return action >= 0 && (size_t) action < N_ACTIONS ? actions[action].params : NULL;
}

/* ---- values of options */

size_t
ml_clean_n_names(const MlCleanStep *step, int option)
{
	const MlJson *value = step->params.values[option].json;

	return value->type == ML_JSON_STRING ? 1 : value->type == ML_JSON_ARRAY ? value->n : 0;
}

const char *
ml_clean_name(const MlCleanStep *step, int option, size_t i)
{
	const MlJson *value = step->params.values[option].json;

	return value->type == ML_JSON_STRING ? value->string : value->items[i].string;
}

const char *
ml_clean_scalar(const MlJson *value)
{
	if (value->type == ML_JSON_NULL)
		return NULL;
	if (value->type == ML_JSON_BOOL)
		return value->boolean ? "true" : "false";
	return value->string;
}

double
ml_clean_factor(const MlCleanStep *step)
{
	if (ml_param_given(&step->params, ML_CLEAN_CLIP_FACTOR))
		return ml_param_real(&step->params, ML_CLEAN_CLIP_FACTOR);
	return ml_param_int(&step->params, ML_CLEAN_CLIP_BY) == ML_CLEAN_BY_ZSCORE ? 3.0 : 1.5;
}

double
ml_clean_share(const MlCleanStep *step, int option)
{
	if (ml_param_given(&step->params, option))
		return ml_param_real(&step->params, option);
	return option == ML_CLEAN_CLIP_LOWER ? 0.01 : 0.99;
}

/* ---- checks */

static bool
given(const Reader *r, int option)
{
	return ml_param_given(&r->step->params, option);
}

static MlStatus
need(const Reader *r, int option)
{
	if (given(r, option))
		return ML_OK;
	return ml_fail(r->env, ML_EINVAL, "%s needs the option \"%s\"", r->where,
				   r->step->params.table[option].name);
}

/* An option that would be passed over is a mistake. */
static MlStatus
refuse(const Reader *r, int option, const char *reason)
{
	if (!given(r, option))
		return ML_OK;
	return ml_fail(r->env, ML_EINVAL, "option \"%s\" of %s is %s",
				   r->step->params.table[option].name, r->where, reason);
}

/* A name, or an array of at least one name. */
static MlStatus
check_names(const Reader *r, int option)
{
	const MlJson *value = r->step->params.values[option].json;
	bool valid = value->type == ML_JSON_STRING || value->type == ML_JSON_NULL ||
				 (value->type == ML_JSON_ARRAY && value->n > 0);

	for (size_t i = 0; value->type == ML_JSON_ARRAY && i < value->n; i++)
		valid = valid && value->items[i].type == ML_JSON_STRING;
	if (!valid)
		return ml_fail(r->env, ML_EINVAL,
					   "option \"%s\" of %s must be a column's name or an array of them",
					   r->step->params.table[option].name, r->where);
	return ML_OK;
}

static MlStatus
check_scalar(const Reader *r, const char *what, const MlJson *value)
{
	if (value->type == ML_JSON_ARRAY || value->type == ML_JSON_OBJECT)
		return ml_fail(r->env, ML_EINVAL, "%s of %s must be a string, a number, true or false",
					   what, r->where);
	return ML_OK;
}

static MlStatus
check_duplicates(const Reader *r)
{
	ML_TRY(check_names(r, ML_CLEAN_DUPLICATES_ORDER));
	if (!given(r, ML_CLEAN_COLUMNS))
		return refuse(r, ML_CLEAN_DUPLICATES_ORDER,
					  "without effect: without a key, duplicates are the same in all columns");
	return ML_OK;
}

/* previous needs an order, constant a value; neither is of use to the others. */
static MlStatus
check_fill(Reader *r)
{
	MlParamValue *with = &r->step->params.values[ML_CLEAN_FILL_WITH];

	ML_TRY(check_names(r, ML_CLEAN_FILL_ORDER));
	ML_TRY(check_names(r, ML_CLEAN_FILL_GROUP));
	if (!with->given && given(r, ML_CLEAN_FILL_VALUE))
		*with = (MlParamValue){
			.given = true, .number = ML_CLEAN_CONSTANT, .text = "constant", .json = with->json};
	ML_TRY(need(r, ML_CLEAN_FILL_WITH));
	ML_TRY(check_scalar(r, "option \"value\"", r->step->params.values[ML_CLEAN_FILL_VALUE].json));
	if ((MlCleanFill) with->number == ML_CLEAN_CONSTANT)
	{
		ML_TRY(need(r, ML_CLEAN_FILL_VALUE));
		ML_TRY(need(r, ML_CLEAN_COLUMNS));
	}
	else
		ML_TRY(refuse(r, ML_CLEAN_FILL_VALUE, "only for \"constant\""));
	if ((MlCleanFill) with->number == ML_CLEAN_PREVIOUS)
		return need(r, ML_CLEAN_FILL_ORDER);
	ML_TRY(refuse(r, ML_CLEAN_FILL_ORDER, "only for \"previous\""));
	return refuse(r, ML_CLEAN_FILL_GROUP, "only for \"previous\"");
}

static MlStatus
check_map(const Reader *r)
{
	const MlJson *values = r->step->params.values[ML_CLEAN_MAP_VALUES].json;

	ML_TRY(need(r, ML_CLEAN_COLUMNS));
	if (!given(r, ML_CLEAN_MAP_MISSING))
		ML_TRY(need(r, ML_CLEAN_MAP_VALUES));
	if (given(r, ML_CLEAN_MAP_VALUES) && values->type != ML_JSON_OBJECT)
		return ml_fail(r->env, ML_EINVAL, "option \"values\" of %s must be an object", r->where);
	for (size_t i = 0; i < values->n; i++)
		ML_TRY(check_scalar(r, "a new value", &values->items[i]));
	return check_scalar(r, "option \"missing\"", r->step->params.values[ML_CLEAN_MAP_MISSING].json);
}

static MlStatus
check_cast(const Reader *r)
{
	ML_TRY(need(r, ML_CLEAN_COLUMNS));
	ML_TRY(need(r, ML_CLEAN_CAST_TYPE));
	ML_TRY(
		check_scalar(r, "option \"default\"", r->step->params.values[ML_CLEAN_CAST_DEFAULT].json));
	if (ml_param_int(&r->step->params, ML_CLEAN_CAST_ON_ERROR) == ML_CLEAN_ON_ERROR_DEFAULT)
		return need(r, ML_CLEAN_CAST_DEFAULT);
	return refuse(r, ML_CLEAN_CAST_DEFAULT, "only for the rule \"on_error\": \"default\"");
}

static MlStatus
check_quantiles(const Reader *r)
{
	double lower = ml_clean_share(r->step, ML_CLEAN_CLIP_LOWER);
	double upper = ml_clean_share(r->step, ML_CLEAN_CLIP_UPPER);

	if (!(lower >= 0 && lower < upper && upper <= 1))
		return ml_fail(r->env, ML_EINVAL,
					   "the quantiles of %s must be between 0 and 1, lower before upper", r->where);
	return ML_OK;
}

static MlStatus
check_outliers(const Reader *r)
{
	MlCleanBy by = (MlCleanBy) ml_param_int(&r->step->params, ML_CLEAN_CLIP_BY);

	if (by == ML_CLEAN_BY_IQR || by == ML_CLEAN_BY_ZSCORE)
	{
		ML_TRY(refuse(r, ML_CLEAN_CLIP_LOWER, "only for \"quantile\" and \"bounds\""));
		return refuse(r, ML_CLEAN_CLIP_UPPER, "only for \"quantile\" and \"bounds\"");
	}
	ML_TRY(refuse(r, ML_CLEAN_CLIP_FACTOR, "only for \"iqr\" and \"zscore\""));
	if (by == ML_CLEAN_BY_QUANTILE)
		return check_quantiles(r);
	ML_TRY(need(r, ML_CLEAN_COLUMNS));
	if (!given(r, ML_CLEAN_CLIP_LOWER))
		return need(r, ML_CLEAN_CLIP_UPPER);
	if (given(r, ML_CLEAN_CLIP_UPPER) && ml_param_real(&r->step->params, ML_CLEAN_CLIP_LOWER) >
											 ml_param_real(&r->step->params, ML_CLEAN_CLIP_UPPER))
		return ml_fail(r->env, ML_EINVAL, "option \"lower\" of %s is greater than \"upper\"",
					   r->where);
	return ML_OK;
}

static MlStatus
check_step(Reader *r)
{
	if (r->step->action == ML_CLEAN_FILTER)
		return need(r, 0);
	ML_TRY(check_names(r, ML_CLEAN_COLUMNS));
	switch (r->step->action)
	{
		case ML_CLEAN_DROP_DUPLICATES:
			return check_duplicates(r);
		case ML_CLEAN_FILL:
			return check_fill(r);
		case ML_CLEAN_MAP:
			return check_map(r);
		case ML_CLEAN_CAST:
			return check_cast(r);
		case ML_CLEAN_CLIP:
		case ML_CLEAN_DROP_OUTLIERS:
			return check_outliers(r);
		case ML_CLEAN_DROP_COLUMNS:
			return need(r, ML_CLEAN_COLUMNS);
		default:
			return ML_OK;
	}
}

/* ---- the steps */

static MlStatus
find_action(Reader *r, size_t number, const char *name, MlCleanAction *action)
{
	const char *names[N_ACTIONS], *nearest;

	for (size_t i = 0; i < N_ACTIONS; i++)
	{
		names[i] = actions[i].name;
		if (strcmp(name, names[i]) == 0)
		{
			*action = (MlCleanAction) i;
			return ML_OK;
		}
	}
	nearest = ml_nearest(name, names, N_ACTIONS);
	ml_fail(r->env, ML_EINVAL, "step %zu has the unknown action \"%.*s\"", number,
			ml_utf8_cut(name, 100), name);
	if (nearest)
		ml_hint(r->env, "Did you mean \"%s\"?", nearest);
	return ML_EINVAL;
}

/* {"<first option>": value}, for a step that gives no more. */
static MlStatus
wrap_first_option(Reader *r, const char *option, const MlJson *value, const MlJson **object)
{
	MlJson *wrapped = ml_arena_array(r->arena, 1, sizeof *wrapped);

	if (wrapped == NULL)
		return ML_ENOMEM;
	*wrapped = (MlJson){.type = ML_JSON_OBJECT, .n = 1};
	wrapped->keys = ml_arena_array(r->arena, 1, sizeof *wrapped->keys);
	wrapped->items = ml_arena_array(r->arena, 1, sizeof *wrapped->items);
	if (wrapped->keys == NULL || wrapped->items == NULL)
		return ML_ENOMEM;
	wrapped->keys[0] = ml_arena_text(r->arena, option, strlen(option));
	wrapped->items[0] = *value;
	*object = wrapped;
	return wrapped->keys[0] ? ML_OK : ML_ENOMEM;
}

static MlStatus
parse_step(Reader *r, size_t number, const MlJson *json, MlCleanStep *step)
{
	bool bare = json->type == ML_JSON_STRING;
	const MlJson *options = NULL;
	const MlParam *table;

	if (!bare && (json->type != ML_JSON_OBJECT || json->n != 1))
		return ml_fail(r->env, ML_EINVAL,
					   "step %zu must be an action's name, or an object of one action and its "
					   "options, not %s%s",
					   number, ml_json_type_name(json->type),
					   json->type == ML_JSON_OBJECT ? " of several members or none" : "");
	ML_TRY(find_action(r, number, bare ? json->string : json->keys[0], &step->action));
	r->step = step;
	table = actions[step->action].params;
	snprintf(r->where, sizeof r->where, "step %zu (%s)", number, actions[step->action].name);
	if (!bare && json->items[0].type != ML_JSON_NULL)
		options = &json->items[0];
	if (options && (options->type == ML_JSON_STRING || options->type == ML_JSON_ARRAY))
		ML_TRY(wrap_first_option(r, table[0].name, options, &options));
	ML_TRY(ml_params_parse(r->arena, r->where, &table, 1, options, &step->params));
	return check_step(r);
}

MlStatus
ml_clean_parse(MlArena *arena, const MlJson *steps, MlCleanStep **out, size_t *n)
{
	Reader reader = {.arena = arena, .env = arena->env};

	if (steps->type != ML_JSON_ARRAY)
		return ml_fail(arena->env, ML_EINVAL, "steps must be an array of steps, not %s",
					   ml_json_type_name(steps->type));
	if (steps->n == 0)
		return ml_fail(arena->env, ML_EINVAL, "steps must not be empty");
	if (steps->n > ML_CLEAN_MAX_STEPS)
		return ml_fail(arena->env, ML_EINVAL, "there are %zu steps, at most %d are possible",
					   steps->n, ML_CLEAN_MAX_STEPS);
	*out = ml_arena_array(arena, steps->n, sizeof **out);
	if (*out == NULL)
		return ML_ENOMEM;
	for (size_t i = 0; i < steps->n; i++)
		ML_TRY(parse_step(&reader, i + 1, &steps->items[i], &(*out)[i]));
	*n = steps->n;
	return ML_OK;
}
