/*
 * prepstep.c
 *		What is asked of one column: from its options to its steps.
 *
 * Each column has a class by its kind: numbers, levels, dates. A step that was
 * asked of a column by its name must be possible there; one asked by "*" goes to
 * the columns that can take it. What neither names is the table's default, or
 * chosen by the class where the algorithm is 'prep'.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/prep/prep_inner.h"

/* Which classes an option is for. */
static const uint8_t applies[ML_PREP_N_PARAMS] = {
	[ML_PREP_AS] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS | ML_PREP_CLASS_DATES,
	[ML_PREP_DATES] = ML_PREP_CLASS_DATES,
	[ML_PREP_CYCLIC] = ML_PREP_CLASS_DATES | ML_PREP_CLASS_TIMES,
	[ML_PREP_CLIP] = ML_PREP_CLASS_NUMBERS,
	[ML_PREP_IMPUTE] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS | ML_PREP_CLASS_DATES,
	[ML_PREP_FILL] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS | ML_PREP_CLASS_DATES,
	[ML_PREP_INDICATOR] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS | ML_PREP_CLASS_DATES,
	[ML_PREP_POWER] = ML_PREP_CLASS_NUMBERS,
	[ML_PREP_BINS] = ML_PREP_CLASS_NUMBERS,
	[ML_PREP_SCALE] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_DATES,
	[ML_PREP_ENCODE] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS, /* of numbers: of their bins */
	[ML_PREP_TOP] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS,
	[ML_PREP_ORDER] = ML_PREP_CLASS_LEVELS,
	[ML_PREP_SMOOTHING] = ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_LEVELS,
	[ML_PREP_BUCKETS] = ML_PREP_CLASS_LEVELS,
	[ML_PREP_POLYNOMIAL] = ML_PREP_CLASS_NUMBERS,
	[ML_PREP_PRODUCTS] = ML_PREP_CLASS_NUMBERS,
};

uint32_t
ml_prep_class(MlKind kind)
{
	switch (kind)
	{
		case ML_CATEGORICAL:
			return ML_PREP_CLASS_LEVELS;
		case ML_DATE:
		case ML_TIMESTAMP:
			return ML_PREP_CLASS_DATES;
		case ML_TIME:
			return ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_TIMES;
		case ML_NUMERIC:
		case ML_BLOCK:
			break;
	}
	return ML_PREP_CLASS_NUMBERS;
}

/* ---- the options of a column ---- */

/* Was the option given for this column by name? */
static bool
said(const MlPrepAsked *c, int option)
{
	return c->own && ml_param_given(c->own, option);
}

/* Was it given for all columns, of which this one can take it? */
static bool
said_of_all(const MlPrepAsked *c, int option)
{
	return c->spec->defaults && ml_param_given(c->spec->defaults, option) &&
		   (applies[option] & c->class) &&
		   !(option == ML_PREP_ENCODE && c->class != ML_PREP_CLASS_LEVELS);
}

/* The options that hold for one option of the column. */
static const MlParams *
source_of(const MlPrepAsked *c, int option)
{
	return said(c, option)          ? c->own
		   : said_of_all(c, option) ? c->spec->defaults
									: &c->spec->fallback;
}

static int
choice(const MlPrepAsked *c, int option)
{
	return ml_param_int(source_of(c, option), option);
}

/* The JSON of an option, or NULL. */
const MlJson *
ml_prep_json_of(const MlPrepAsked *c, int option)
{
	const MlParamValue *value = &source_of(c, option)->values[option];

	return value->null ? NULL : value->json;
}

/* An error about one option of the column. */
MlStatus
ml_prep_refuse(const MlPrepAsked *c, int option, const char *why, const char *hint)
{
	ml_fail(c->env, ML_EINVAL, "option \"%s\" of prep: column \"%.64s\" %s",
			ml_prep_params[option].name, c->name, why);
	if (hint)
		ml_hint(c->env, "%s", hint);
	return ML_EINVAL;
}

/* An option that the column's class cannot take. */
static MlStatus
refuse_class(const MlPrepAsked *c, int option)
{
	if (!(applies[option] & ~(ML_PREP_CLASS_DATES | ML_PREP_CLASS_TIMES)))
		return ml_prep_refuse(c, option, "is not a date or timestamp",
							  "Cast it to one in the query.");
	if (c->class == ML_PREP_CLASS_LEVELS)
		return ml_prep_refuse(c, option, "has levels, not numbers",
							  "Use \"encode\", or cast the column to a number in the query.");
	if (applies[option] == ML_PREP_CLASS_LEVELS)
		return ml_prep_refuse(
			c, option, "has no levels",
			"Read it as levels by \"as\": \"categorical\", or cut it by \"bins\".");
	return ml_prep_refuse(c, option, "is a date, not a number",
						  "Choose its parts by \"dates\", and what is done to them by \"impute\", "
						  "\"scale\" and \"cyclic\".");
}

/* What was said by name must suit the column's class. */
static MlStatus
check_class(const MlPrepAsked *c)
{
	for (int option = 0; option < ML_PREP_N_PARAMS; option++)
	{
		if (said(c, option) && !(applies[option] & c->class))
			return refuse_class(c, option);
	}
	return ML_OK;
}

/* Options that only mean something beside another one. */
static MlStatus
check_companions(const MlPrepAsked *c)
{
	static const struct
	{
		int option;
		MlPrepEncoding encoding;
		const char *why;
	} of_encoding[] = {
		{ML_PREP_TOP, ML_ENCODE_ONE_HOT, "is not encoded by one_hot"},
		{ML_PREP_ORDER, ML_ENCODE_ORDINAL, "is not encoded by ordinal"},
		{ML_PREP_SMOOTHING, ML_ENCODE_TARGET, "is not encoded by target"},
		{ML_PREP_BUCKETS, ML_ENCODE_HASH, "is not encoded by hash"},
	};
	MlPrepEncoding encoding = (MlPrepEncoding) choice(c, ML_PREP_ENCODE);

	if (encoding == ML_ENCODE_AUTO && c->spec->automatic && c->class == ML_PREP_CLASS_LEVELS)
		encoding = ML_ENCODE_ONE_HOT;
	for (size_t i = 0; i < sizeof of_encoding / sizeof *of_encoding; i++)
	{
		if (said(c, of_encoding[i].option) && of_encoding[i].encoding != encoding)
			return ml_prep_refuse(c, of_encoding[i].option, of_encoding[i].why,
								  "Choose that encoding by \"encode\".");
	}
	if (said(c, ML_PREP_FILL) && choice(c, ML_PREP_IMPUTE) != ML_IMPUTE_CONSTANT)
		return ml_prep_refuse(c, ML_PREP_FILL, "is not imputed by a constant",
							  "Add \"impute\": \"constant\".");
	if (choice(c, ML_PREP_IMPUTE) == ML_IMPUTE_CONSTANT && !said(c, ML_PREP_FILL) &&
		said(c, ML_PREP_IMPUTE))
		return ml_prep_refuse(c, ML_PREP_IMPUTE, "has no constant to impute",
							  "Give it by \"fill\".");
	return ML_OK;
}

/* Steps that exclude each other. */
static MlStatus
check_contradictions(const MlPrepAsked *c)
{
	bool binned = ml_prep_json_of(c, ML_PREP_BINS) != NULL;
	MlPrepEncoding encoding = (MlPrepEncoding) choice(c, ML_PREP_ENCODE);

	if (binned && said(c, ML_PREP_SCALE) && choice(c, ML_PREP_SCALE) > ML_SCALE_NONE)
		return ml_prep_refuse(c, ML_PREP_SCALE, "is cut into bins, which have no scale",
							  "Leave out \"bins\" or \"scale\".");
	if (binned && (said(c, ML_PREP_POLYNOMIAL) || said(c, ML_PREP_PRODUCTS)))
		return ml_prep_refuse(c,
							  said(c, ML_PREP_POLYNOMIAL) ? ML_PREP_POLYNOMIAL : ML_PREP_PRODUCTS,
							  "is cut into bins, which cannot be multiplied",
							  "Leave out \"bins\", or the powers and products.");
	if ((c->class & ML_PREP_CLASS_NUMBERS) && encoding > ML_ENCODE_NONE && !binned)
		return ml_prep_refuse(
			c, ML_PREP_ENCODE, "has numbers, not levels",
			"Read it as levels by \"as\": \"categorical\", or cut it by \"bins\".");
	if (binned && encoding == ML_ENCODE_FREQUENCY)
		return ml_prep_refuse(c, ML_PREP_ENCODE,
							  "is cut into bins, which are not encoded by frequency",
							  "Use ordinal, one_hot, target or none.");
	if (encoding == ML_ENCODE_HASH && c->class != ML_PREP_CLASS_LEVELS)
		return ml_prep_refuse(c, ML_PREP_ENCODE, "has no texts to hash",
							  "Read it as levels by \"as\": \"categorical\".");
	if (encoding == ML_ENCODE_TARGET && !c->has_target)
		return ml_prep_refuse(c, ML_PREP_ENCODE, "cannot be encoded by a target: there is none",
							  "Name the target column of the training.");
	if (encoding == ML_ENCODE_NONE && c->spec->automatic &&
		(binned || c->class == ML_PREP_CLASS_LEVELS))
		return ml_prep_refuse(c, ML_PREP_ENCODE,
							  "would remain levels, which transform cannot return",
							  "Choose an encoding, or exclude the column.");
	return ML_OK;
}

/* ---- numbers ---- */

enum
{
	CLIP_MIN,
	CLIP_MAX
};

static const MlParam clip_params[] = {
	{"min", ML_PARAM_REAL, "null", -1e300, 1e300, NULL, "least value"},
	{"max", ML_PARAM_REAL, "null", -1e300, 1e300, NULL, "greatest value"},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

/* {"min": 0, "max": 100}, either may be left out. */
static MlStatus
read_bounds(const MlPrepAsked *c, const MlJson *json, MlPrepStep *step)
{
	const MlParam *table = clip_params;
	char where[96];
	MlParams parsed;

	snprintf(where, sizeof where, "clip of column \"%.*s\"", ml_utf8_cut(c->name, 64), c->name);
	ML_TRY(ml_params_parse(c->arena, where, &table, 1, json, &parsed));
	if (!parsed.values[CLIP_MIN].null)
		step->column.low = ml_param_real(&parsed, CLIP_MIN);
	if (!parsed.values[CLIP_MAX].null)
		step->column.high = ml_param_real(&parsed, CLIP_MAX);
	if (!(step->column.low < step->column.high))
		return ml_prep_refuse(c, ML_PREP_CLIP, "needs a \"min\" that is less than \"max\"", NULL);
	return ML_OK;
}

static MlStatus
read_clip(const MlPrepAsked *c, MlPrepStep *step)
{
	const MlJson *json = ml_prep_json_of(c, ML_PREP_CLIP);

	if (!json)
		return ML_OK;
	if (json->type == ML_JSON_OBJECT)
		return read_bounds(c, json, step);
	if (json->type != ML_JSON_ARRAY || json->n != 2 || json->items[0].type != ML_JSON_NUMBER ||
		json->items[1].type != ML_JSON_NUMBER ||
		!(json->items[0].number >= 0 && json->items[0].number < json->items[1].number &&
		  json->items[1].number <= 1))
		return ml_prep_refuse(c, ML_PREP_CLIP, "needs two quantiles or bounds",
							  "Write [0.01, 0.99], or {\"min\": 0, \"max\": 100}.");
	step->clips = true;
	step->column.low = json->items[0].number;
	step->column.high = json->items[1].number;
	return ML_OK;
}

enum
{
	BINS_METHOD,
	BINS_N,
	BINS_EDGES
};

static const MlParam bins_params[] = {
	{"method", ML_PARAM_CHOICE, "\"quantile\"", 0, 0, "quantile|uniform", "how edges are chosen"},
	{"n", ML_PARAM_INT, "10", 2, ML_PREP_MAX_BINS, NULL, "number of bins"},
	{"edges", ML_PARAM_JSON, "null", 0, 0, NULL, "array of the edges"},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

/* [10, 20, 50]: ascending numbers. */
static MlStatus
read_edges(const MlPrepAsked *c, const MlJson *json, MlPrepStep *step)
{
	bool sound = json->type == ML_JSON_ARRAY && json->n > 0 && json->n < ML_PREP_MAX_BINS;

	for (size_t i = 0; sound && i < json->n; i++)
		sound = json->items[i].type == ML_JSON_NUMBER && isfinite(json->items[i].number) &&
				(i == 0 || json->items[i].number > json->items[i - 1].number);
	if (!sound)
		return ml_prep_refuse(
			c, ML_PREP_BINS, "needs edges that are ascending numbers",
			"Write {\"edges\": [10, 20, 50]}; values below 10 are the first of four bins.");
	step->bins = ML_BINS_EDGES;
	step->column.n_edges = (uint32_t) json->n;
	step->column.n_codes = step->column.n_edges + 1;
	step->column.edges = ml_arena_array(c->arena, json->n, sizeof(double));
	if (!step->column.edges)
		return ML_ENOMEM;
	for (size_t i = 0; i < json->n; i++)
		step->column.edges[i] = json->items[i].number;
	return ML_OK;
}

static MlStatus
read_bins(const MlPrepAsked *c, MlPrepStep *step)
{
	const MlJson *json = ml_prep_json_of(c, ML_PREP_BINS);
	const MlParam *table = bins_params;
	MlParams parsed;
	char where[96];

	if (!json)
		return ML_OK;
	step->column.binned = true;
	if (json->type == ML_JSON_ARRAY)
		return read_edges(c, json, step);
	if (json->type == ML_JSON_NUMBER && json->number >= 2 && json->number <= ML_PREP_MAX_BINS &&
		json->number == floor(json->number))
	{
		step->n_bins = (uint32_t) json->number;
		return ML_OK;
	}
	if (json->type != ML_JSON_OBJECT)
		return ml_prep_refuse(c, ML_PREP_BINS, "needs a number of bins from 2 to 1000, or edges",
							  "Write 10, {\"method\": \"uniform\", \"n\": 10} or [10, 20, 50].");
	snprintf(where, sizeof where, "bins of column \"%.*s\"", ml_utf8_cut(c->name, 64), c->name);
	ML_TRY(ml_params_parse(c->arena, where, &table, 1, json, &parsed));
	if (!parsed.values[BINS_EDGES].null)
		return read_edges(c, parsed.values[BINS_EDGES].json, step);
	step->bins = (MlPrepBins) ml_param_int(&parsed, BINS_METHOD);
	step->n_bins = (uint32_t) ml_param_int(&parsed, BINS_N);
	return ML_OK;
}

/* What stands for missing numbers, and whether an output tells. */
static MlStatus
read_impute(const MlPrepAsked *c, MlPrepStep *step)
{
	const MlJson *fill = ml_prep_json_of(c, ML_PREP_FILL);
	const MlParamValue *indicator = &source_of(c, ML_PREP_INDICATOR)->values[ML_PREP_INDICATOR];

	step->impute = (MlPrepImpute) choice(c, ML_PREP_IMPUTE);
	if (step->impute == ML_IMPUTE_AUTO)
		step->impute = c->spec->automatic && c->class != ML_PREP_CLASS_LEVELS ? ML_IMPUTE_MEAN
																			  : ML_IMPUTE_NONE;
	if (c->class != ML_PREP_CLASS_LEVELS && step->impute == ML_IMPUTE_CONSTANT)
	{
		if (!fill || fill->type != ML_JSON_NUMBER)
			return ml_prep_refuse(c, ML_PREP_FILL, "needs a number to fill in", NULL);
		step->column.fill = fill->number;
	}
	if (!indicator->null)
		step->indicator = indicator->number != 0 ? ML_INDICATOR_YES : ML_INDICATOR_NO;
	else if (c->spec->automatic && c->class != ML_PREP_CLASS_LEVELS)
		step->indicator = ML_INDICATOR_IF_MISSING;
	return ML_OK;
}

static void
read_scale(const MlPrepAsked *c, MlPrepStep *step)
{
	step->scale = (MlPrepScale) choice(c, ML_PREP_SCALE);
	if (step->column.binned)
		step->scale = ML_SCALE_NONE;
	else if (step->scale == ML_SCALE_AUTO)
		step->scale = c->spec->automatic ? ML_SCALE_STANDARD : ML_SCALE_NONE;
}

/* ---- levels ---- */

/* m, or NaN for "auto". */
static MlStatus
read_smoothing(const MlPrepAsked *c, double *smoothing)
{
	const MlJson *json = ml_prep_json_of(c, ML_PREP_SMOOTHING);

	*smoothing = NAN;
	if (!json || (json->type == ML_JSON_STRING && strcmp(json->string, "auto") == 0))
		return ML_OK;
	if (json->type != ML_JSON_NUMBER || !(json->number >= 0 && isfinite(json->number)))
		return ml_prep_refuse(c, ML_PREP_SMOOTHING, "needs a number of rows, or auto",
							  "Write \"smoothing\": 10.");
	*smoothing = json->number;
	return ML_OK;
}

/* The order of levels is an array of texts, each once. */
static MlStatus
read_order(const MlPrepAsked *c, MlPrepStep *step)
{
	const MlJson *json = ml_prep_json_of(c, ML_PREP_ORDER);
	bool sound = !json || (json->type == ML_JSON_ARRAY && json->n > 0);

	step->order = json;
	for (size_t i = 0; json && sound && i < json->n; i++)
	{
		sound = json->items[i].type == ML_JSON_STRING;
		for (size_t k = 0; sound && k < i; k++)
			sound = strcmp(json->items[i].string, json->items[k].string) != 0;
	}
	return sound ? ML_OK
				 : ml_prep_refuse(c, ML_PREP_ORDER, "needs an array of its levels, each once",
								  "Write [\"S\", \"M\", \"L\"].");
}

/* The form that an encoding gives; of bins without one their numbers. */
static MlStatus
read_encoding(const MlPrepAsked *c, MlPrepStep *step)
{
	MlPrepEncoding encoding = (MlPrepEncoding) choice(c, ML_PREP_ENCODE);

	if (encoding == ML_ENCODE_AUTO)
		encoding = step->column.binned  ? ML_ENCODE_ORDINAL
				   : c->spec->automatic ? ML_ENCODE_ONE_HOT
										: ML_ENCODE_NONE;
	step->column.form = encoding == ML_ENCODE_NONE ? ML_PREP_LEVELS
						: encoding == ML_ENCODE_ONE_HOT || encoding == ML_ENCODE_HASH
							? ML_PREP_ONE_HOT
							: ML_PREP_TABLE;
	step->column.encoding = encoding;
	step->top = encoding == ML_ENCODE_HASH || step->column.binned
					? ML_MAX_BUCKETS
					: (uint32_t) choice(c, ML_PREP_TOP);
	ML_TRY(read_order(c, step));
	return read_smoothing(c, &step->smoothing);
}

/* Missing levels become the most frequent one, or a constant, which becomes a level. */
static MlStatus
read_missing_level(const MlPrepAsked *c, MlPrepStep *step)
{
	const MlJson *fill = ml_prep_json_of(c, ML_PREP_FILL);

	ML_TRY(read_impute(c, step));
	if (step->impute == ML_IMPUTE_MEAN || step->impute == ML_IMPUTE_MEDIAN)
	{
		if (said(c, ML_PREP_IMPUTE))
			return ml_prep_refuse(c, ML_PREP_IMPUTE, "has levels, which have no mean or median",
								  "Use mode or constant.");
		step->impute = ML_IMPUTE_NONE;
	}
	if (step->impute != ML_IMPUTE_CONSTANT)
		return ML_OK;
	if (!fill || fill->type != ML_JSON_STRING || !fill->string[0])
		return ml_prep_refuse(c, ML_PREP_FILL, "needs a text to fill in", NULL);
	return ml_dict_add(c->input->levels, fill->string, strlen(fill->string),
					   &step->column.fill_code);
}

/* ---- steps ---- */

/* A new step for a feature, which passes. */
static MlPrepStep *
add_step(const MlPrepAsked *c, uint32_t feature)
{
	MlPrepStep *step = &c->plan->steps[c->plan->n++];
	const MlFeature *source = &c->schema->features[feature];

	*step = (MlPrepStep){
		.name = source->name,
		.passes = true,
		.impute = ML_IMPUTE_NONE,
		.scale = ML_SCALE_NONE,
		.column = {.feature = feature,
				   .form = source->categorical ? ML_PREP_LEVELS : ML_PREP_NUMBER,
				   .low = -INFINITY,
				   .high = INFINITY,
				   .fill = NAN,
				   .filled = NAN,
				   .scale = 1,
				   .degree = 1,
				   .fill_code = ML_NO_LEVEL},
	};
	return step;
}

static MlStatus
plan_number(const MlPrepAsked *c, uint32_t feature)
{
	MlPrepStep *step = add_step(c, feature);

	step->passes = false;
	ML_TRY(read_clip(c, step));
	ML_TRY(read_impute(c, step));
	ML_TRY(read_bins(c, step));
	read_scale(c, step);
	step->column.power = (MlPrepPower) choice(c, ML_PREP_POWER);
	step->column.degree = step->column.binned ? 1 : (uint32_t) choice(c, ML_PREP_POLYNOMIAL);
	if (step->column.binned)
		ML_TRY(read_encoding(c, step));
	else if (c->class == (ML_PREP_CLASS_NUMBERS | ML_PREP_CLASS_TIMES) && choice(c, ML_PREP_CYCLIC))
		step->column.form = ML_PREP_CYCLE;
	return ML_OK;
}

static MlStatus
plan_levels(const MlPrepAsked *c, uint32_t feature)
{
	MlPrepStep *step = add_step(c, feature);

	step->passes = false;
	ML_TRY(read_missing_level(c, step));
	return read_encoding(c, step);
}

/* Does a part come round again? */
static bool
comes_round(MlPart part)
{
	return part != ML_PART_VALUE && part != ML_PART_EPOCH && part != ML_PART_YEAR;
}

static MlStatus
plan_part(const MlPrepAsked *c, MlPart part, bool first)
{
	bool derived = part > ML_PART_HOUR;
	MlPrepStep *step =
		add_step(c, c->input->first_feature + (derived ? 0 : (uint32_t) (part - ML_PART_EPOCH)));

	step->passes = false;
	step->column.part = derived ? part : ML_PART_VALUE;
	ML_TRY(read_impute(c, step));
	if (!first) /* the parts are missing together */
		step->indicator = ML_INDICATOR_NO;
	read_scale(c, step);
	if (choice(c, ML_PREP_CYCLIC) && comes_round(part))
		step->column.form = ML_PREP_CYCLE;
	return ML_OK;
}

/* The part that an element of "dates" names. */
static MlStatus
find_part(const MlPrepAsked *c, const MlJson *json, MlPart *part)
{
	const char *names[ML_N_PARTS];
	const char *near;

	for (int p = ML_PART_EPOCH; p < ML_N_PARTS; p++)
		names[p - ML_PART_EPOCH] = ml_part_name((MlPart) p);
	if (json->type != ML_JSON_STRING)
		return ml_prep_refuse(c, ML_PREP_DATES, "needs an array of the names of parts",
							  "Write [\"year\", \"month\", \"dow\"].");
	for (int p = ML_PART_EPOCH; p < ML_N_PARTS; p++)
	{
		if (strcmp(names[p - ML_PART_EPOCH], json->string) == 0)
		{
			*part = (MlPart) p;
			return ML_OK;
		}
	}
	near = ml_nearest(json->string, names, ML_N_PARTS - 1);
	ml_fail(c->env, ML_EINVAL, "option \"dates\" of prep: column \"%.64s\" has no part \"%.64s\"",
			c->name, json->string);
	if (near)
		ml_hint(c->env, "Did you mean \"%s\"?", near);
	else
		ml_hint(c->env, "Parts are epoch, year, quarter, month, week, day, doy, dow and hour.");
	return ML_EINVAL;
}

/* The parts that were asked for, in their order; *n of them. */
static MlStatus
read_parts(const MlPrepAsked *c, const MlJson *json, MlPart *parts, size_t *n)
{
	if (json->type != ML_JSON_ARRAY || json->n == 0)
		return ml_prep_refuse(c, ML_PREP_DATES, "needs an array of the names of parts",
							  "Write [\"year\", \"month\", \"dow\"].");
	for (size_t i = 0; i < json->n; i++)
	{
		MlPart part;
		bool twice = false;

		ML_TRY(find_part(c, &json->items[i], &part));
		for (size_t k = 0; k < *n; k++)
			twice |= parts[k] == part;
		if (part == ML_PART_HOUR && c->input->kind == ML_DATE)
		{
			if (said(c, ML_PREP_DATES))
				return ml_prep_refuse(c, ML_PREP_DATES, "is a date, which has no hour", NULL);
			continue;
		}
		if (!twice)
			parts[(*n)++] = part;
	}
	return ML_OK;
}

static MlStatus
plan_date(const MlPrepAsked *c)
{
	const MlJson *json = ml_prep_json_of(c, ML_PREP_DATES);
	MlPart parts[ML_N_PARTS];
	size_t n = 0;

	if (json)
		ML_TRY(read_parts(c, json, parts, &n));
	else
		for (; n < c->input->n_features; n++)
			parts[n] = (MlPart) (ML_PART_EPOCH + n);
	for (size_t i = 0; i < n; i++)
		ML_TRY(plan_part(c, parts[i], i == 0));
	return ML_OK;
}

/* Is anything asked of this column? */
bool
ml_prep_is_asked(const MlPrepAsked *c)
{
	for (int option = ML_PREP_AS + 1; option < ML_PREP_N_PARAMS; option++)
	{
		if (said(c, option) || said_of_all(c, option))
			return true;
	}
	return c->spec->automatic;
}

MlStatus
ml_prep_plan_column(const MlPrepAsked *c)
{
	uint32_t first = c->input->first_feature;

	if (said(c, ML_PREP_AS) && choice(c, ML_PREP_AS) != 0 && c->class != ML_PREP_CLASS_LEVELS)
		return ml_prep_refuse(c, ML_PREP_AS, "cannot be read as levels here",
							  "Train over records, or cast it to text in the query.");
	ML_TRY(check_class(c));
	ML_TRY(check_companions(c));
	ML_TRY(check_contradictions(c));
	if (ml_prep_is_asked(c) && c->class == ML_PREP_CLASS_DATES)
		return plan_date(c);
	for (uint32_t j = first; j < first + c->input->n_features; j++)
	{
		if (!ml_prep_is_asked(c))
			add_step(c, j);
		else
			ML_TRY(c->class == ML_PREP_CLASS_LEVELS ? plan_levels(c, j) : plan_number(c, j));
	}
	return ML_OK;
}
