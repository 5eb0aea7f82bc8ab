/*
 * prepoptions.c
 *		The option prep: {"column": {"step": ...}, "*": {...}}.
 *
 * One table says which steps there are, for validation, defaults and docs. What
 * a step means for a column is seen when its type is known, by prepplan.c.
 */
#include <stdio.h>
#include <string.h>

#include "data/prep/prep.h"

const MlParam ml_prep_params[] = {
	[ML_PREP_AS] = {"as", ML_PARAM_CHOICE, "\"auto\"", 0, 0, "auto|categorical",
					"How to read the column; categorical: as levels whatever its type."},
	[ML_PREP_DATES] = {"dates", ML_PARAM_JSON, "null", 0, 0, NULL,
					   "Of a date or timestamp: array of the parts that become features, of epoch, "
					   "year, quarter, month, week, day, doy, dow and hour."},
	[ML_PREP_CYCLIC] = {"cyclic", ML_PARAM_BOOL, "false", 0, 0, NULL,
						"Of dates and times: sine and cosine of what comes round again, so that "
						"December is next to January."},
	[ML_PREP_CLIP] = {"clip", ML_PARAM_JSON, "null", 0, 0, NULL,
					  "Bounds for numbers: two quantiles of the training rows, [0.01, 0.99], or "
					  "values: {\"min\": 0, \"max\": 100}."},
	[ML_PREP_IMPUTE] = {"impute", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
						"auto|none|mean|median|mode|constant",
						"What stands for missing values; of levels mode or constant; auto: mean in "
						"algorithm prep, else none."},
	[ML_PREP_FILL] = {"fill", ML_PARAM_JSON, "null", 0, 0, NULL,
					  "The number or text that impute constant puts in."},
	[ML_PREP_INDICATOR] = {"indicator", ML_PARAM_BOOL, "null", 0, 0, NULL,
						   "Add a feature that is 1 where the value is missing; default: false; in "
						   "algorithm prep where a number is missing in some training row."},
	[ML_PREP_POWER] = {"power", ML_PARAM_CHOICE, "\"none\"", 0, 0,
					   "none|log|log1p|sqrt|square|yeo_johnson",
					   "Transform numbers; what it is not defined for, as the log of zero, counts "
					   "as missing. yeo_johnson is fitted to make them most nearly normal."},
	[ML_PREP_BINS] = {"bins", ML_PARAM_JSON, "null", 0, 0, NULL,
					  "Cut numbers into levels: a number of quantiles, {\"method\": \"uniform\", "
					  "\"n\": 10}, or an array of edges."},
	[ML_PREP_SCALE] = {"scale", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
					   "auto|none|standard|minmax|robust",
					   "Scale numbers: by mean and standard deviation, to 0..1, or by median and "
					   "quartiles; auto: standard in algorithm prep, else none."},
	[ML_PREP_ENCODE] = {"encode", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
						"auto|none|one_hot|ordinal|target|frequency|hash",
						"Numbers for levels; target: the mean of the target by level, fitted out "
						"of fold; auto: one_hot in algorithm prep, else none; of bins ordinal."},
	[ML_PREP_TOP] = {"top", ML_PARAM_INT, "100", 1, ML_MAX_SLOTS, NULL,
					 "Of one_hot: the most frequent levels that get a feature; the others have all "
					 "zeros."},
	[ML_PREP_ORDER] = {"order", ML_PARAM_JSON, "null", 0, 0, NULL,
					   "Of ordinal: array of the levels in their order, from 0; default: sorted. "
					   "Others are missing."},
	[ML_PREP_SMOOTHING] = {"smoothing", ML_PARAM_JSON, "\"auto\"", 0, 0, NULL,
						   "Of target: m rows of the overall mean are added to each level, "
						   "(n * mean + m * overall) / (n + m); auto: by empirical Bayes."},
	[ML_PREP_BUCKETS] = {"buckets", ML_PARAM_INT, "32", 2, ML_MAX_BUCKETS, NULL,
						 "Of hash: the number of features that levels are hashed to; levels that "
						 "are new at prediction as well."},
	[ML_PREP_POLYNOMIAL] = {"polynomial", ML_PARAM_INT, "1", 1, ML_PREP_MAX_DEGREE, NULL,
							"Add powers of the prepared number up to this one."},
	[ML_PREP_PRODUCTS] = {"products", ML_PARAM_JSON, "null", 0, 0, NULL,
						  "Add products with other columns: an array of names, or true for every "
						  "other number."},
	{NULL, ML_PARAM_INT, NULL, 0, 0, NULL, NULL},
};

/* Parse the options of one column. */
static MlStatus
parse_wish(MlArena *arena, const char *name, const MlJson *json, MlPrepWish *wish)
{
	const MlParam *table = ml_prep_params;
	char where[96];

	wish->name = name;
	if (json->type != ML_JSON_OBJECT)
	{
		ml_fail(arena->env, ML_EINVAL,
				"option \"prep\" of column \"%.64s\" must be an object, not %s", name,
				ml_json_type_name(json->type));
		ml_hint(arena->env,
				"Write {\"%.64s\": {\"impute\": \"median\"}}; mlplat.parameters lists the "
				"steps.",
				name);
		return ML_EINVAL;
	}
	snprintf(where, sizeof where, "prep of column \"%.*s\"", ml_utf8_cut(name, 64), name);
	return ml_params_parse(arena, where, &table, 1, json, &wish->params);
}

/* The options of "*" are for all columns: what names a column or a value of one is not. */
static MlStatus
check_defaults(MlEnv *env, const MlParams *defaults)
{
	static const int single[] = {ML_PREP_AS, ML_PREP_FILL, ML_PREP_ORDER};

	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
	{
		if (!ml_param_given(defaults, single[i]))
			continue;
		ml_fail(env, ML_EINVAL, "option \"%s\" of prep cannot be said of all columns by \"*\"",
				ml_prep_params[single[i]].name);
		ml_hint(env, "Name the column that it is for.");
		return ML_EINVAL;
	}
	return ML_OK;
}

static MlStatus
parse_wishes(MlArena *arena, const MlJson *json, MlPrepSpec *spec)
{
	spec->json = json;
	spec->n = json->n;
	spec->wishes = ml_arena_array(arena, json->n + 1, sizeof *spec->wishes);
	if (!spec->wishes)
		return ML_ENOMEM;
	for (size_t i = 0; i < json->n; i++)
	{
		ML_TRY(parse_wish(arena, json->keys[i], &json->items[i], &spec->wishes[i]));
		if (strcmp(json->keys[i], "*") == 0)
		{
			spec->defaults = &spec->wishes[i].params;
			ML_TRY(check_defaults(arena->env, spec->defaults));
		}
	}
	return ML_OK;
}

MlStatus
ml_prep_spec_parse(MlArena *arena, const MlJson *json, bool automatic, MlPrepSpec **out)
{
	MlPrepSpec *spec = ml_arena_alloc(arena, sizeof *spec);
	const MlParam *table = ml_prep_params;

	if (!spec)
		return ML_ENOMEM;
	spec->automatic = automatic;
	if (json && json->type != ML_JSON_NULL && json->type != ML_JSON_OBJECT)
		return ml_fail(arena->env, ML_EINVAL, "option \"prep\" must be an object, not %s",
					   ml_json_type_name(json->type));
	ML_TRY(ml_params_parse(arena, "prep", &table, 1, NULL, &spec->fallback));
	if (json && json->type == ML_JSON_OBJECT && json->n > 0)
		ML_TRY(parse_wishes(arena, json, spec));
	*out = spec;
	return ML_OK;
}

/* What is said of one column by its name, or NULL. */
static const MlParams *
find_wish(const MlPrepSpec *spec, const char *column)
{
	for (size_t i = 0; i < spec->n; i++)
	{
		if (strcmp(spec->wishes[i].name, column) == 0)
			return &spec->wishes[i].params;
	}
	return NULL;
}

bool
ml_prep_reads_levels(const MlPrepSpec *spec, const char *column)
{
	const MlParams *wish = strcmp(column, "*") != 0 ? find_wish(spec, column) : NULL;

	return wish && ml_param_int(wish, ML_PREP_AS) != 0;
}

uint32_t
ml_prep_buckets(const MlPrepSpec *spec, const char *column)
{
	const MlParams *wish = find_wish(spec, column), *said = wish;

	if (!said || !ml_param_given(said, ML_PREP_ENCODE))
		said = spec->defaults;
	if (!said || ml_param_int(said, ML_PREP_ENCODE) != ML_ENCODE_HASH)
		return 0;
	if (wish && ml_param_given(wish, ML_PREP_BUCKETS))
		said = wish;
	else if (spec->defaults && ml_param_given(spec->defaults, ML_PREP_BUCKETS))
		said = spec->defaults;
	return (uint32_t) ml_param_int(said, ML_PREP_BUCKETS);
}
