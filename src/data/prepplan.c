/*
 * prepplan.c
 *		The option prep seen on the columns of a training: what is to be fitted, or what is wrong.
 *
 * Each column has a class by its kind: numbers, levels, dates. A step that was
 * asked of a column by its name must be possible there; one asked by "*" goes to
 * the columns that can take it. What neither names is the table's default, or
 * chosen by the class where the algorithm is 'prep'.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/prep_inner.h"

/* Classes of columns; a time of day is a number that comes round again. */
#define NUMBERS 1u
#define LEVELS 2u
#define DATES 4u
#define TIMES 8u

/* Which classes an option is for. */
static const uint8_t applies[ML_PREP_N_PARAMS] = {
	[ML_PREP_AS] = NUMBERS | LEVELS | DATES,
	[ML_PREP_DATES] = DATES,
	[ML_PREP_CYCLIC] = DATES | TIMES,
	[ML_PREP_CLIP] = NUMBERS,
	[ML_PREP_IMPUTE] = NUMBERS | LEVELS | DATES,
	[ML_PREP_FILL] = NUMBERS | LEVELS | DATES,
	[ML_PREP_INDICATOR] = NUMBERS | LEVELS | DATES,
	[ML_PREP_POWER] = NUMBERS,
	[ML_PREP_BINS] = NUMBERS,
	[ML_PREP_SCALE] = NUMBERS | DATES,
	[ML_PREP_ENCODE] = NUMBERS | LEVELS, /* of numbers: of their bins */
	[ML_PREP_TOP] = NUMBERS | LEVELS,
	[ML_PREP_ORDER] = LEVELS,
	[ML_PREP_SMOOTHING] = NUMBERS | LEVELS,
	[ML_PREP_BUCKETS] = LEVELS,
	[ML_PREP_POLYNOMIAL] = NUMBERS,
	[ML_PREP_PRODUCTS] = NUMBERS,
};

/* One column of the training, and what is said of it. */
typedef struct Column
{
	MlArena *arena;
	MlEnv *env;
	const MlPrepSpec *spec;
	const MlParams *own; /* by its name, or NULL */
	MlSchema *schema;
	MlInput *input;
	const char *name;
	uint32_t class;
	bool has_target;
	MlPrepPlan *plan;
} Column;

static uint32_t
class_of(MlKind kind)
{
	switch (kind)
	{
		case ML_CATEGORICAL:
			return LEVELS;
		case ML_DATE:
		case ML_TIMESTAMP:
			return DATES;
		case ML_TIME:
			return NUMBERS | TIMES;
		case ML_NUMERIC:
		case ML_BLOCK:
			break;
	}
	return NUMBERS;
}

/* ---- the options of a column ---- */

/* Was the option given for this column by name? */
static bool
said(const Column *c, int option)
{
	return c->own && ml_param_given(c->own, option);
}

/* Was it given for all columns, of which this one can take it? */
static bool
said_of_all(const Column *c, int option)
{
	return c->spec->defaults && ml_param_given(c->spec->defaults, option) &&
		   (applies[option] & c->class) && !(option == ML_PREP_ENCODE && c->class != LEVELS);
}

/* The options that hold for one option of the column. */
static const MlParams *
source_of(const Column *c, int option)
{
	return said(c, option)          ? c->own
		   : said_of_all(c, option) ? c->spec->defaults
									: &c->spec->fallback;
}

static int
choice(const Column *c, int option)
{
	return ml_param_int(source_of(c, option), option);
}

/* The JSON of an option, or NULL. */
static const MlJson *
json_of(const Column *c, int option)
{
	const MlParamValue *value = &source_of(c, option)->values[option];

	return value->null ? NULL : value->json;
}

/* An error about one option of the column. */
static MlStatus
refuse(const Column *c, int option, const char *why, const char *hint)
{
	ml_fail(c->env, ML_EINVAL, "option \"%s\" of prep: column \"%.64s\" %s",
			ml_prep_params[option].name, c->name, why);
	if (hint)
		ml_hint(c->env, "%s", hint);
	return ML_EINVAL;
}

/* What was said by name must suit the column's class. */
static MlStatus
check_class(const Column *c)
{
	for (int option = 0; option < ML_PREP_N_PARAMS; option++)
	{
		if (!said(c, option) || (applies[option] & c->class))
			continue;
		if (c->class == LEVELS)
			return refuse(c, option, "has levels, not numbers",
						  "Use \"encode\", or cast the column to a number in the query.");
		if (applies[option] == LEVELS)
			return refuse(c, option, "has no levels",
						  "Read it as levels by \"as\": \"categorical\", or cut it by \"bins\".");
		if (applies[option] == DATES || applies[option] == (DATES | TIMES))
			return refuse(c, option, "is not a date or timestamp", "Cast it to one in the query.");
		return refuse(c, option, "is a date, not a number",
					  "Choose its parts by \"dates\", and what is done to them by \"impute\", "
					  "\"scale\" and \"cyclic\".");
	}
	return ML_OK;
}

/* Options that only mean something beside another one. */
static MlStatus
check_companions(const Column *c)
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

	if (encoding == ML_ENCODE_AUTO && c->spec->automatic && c->class == LEVELS)
		encoding = ML_ENCODE_ONE_HOT;
	for (size_t i = 0; i < sizeof of_encoding / sizeof *of_encoding; i++)
	{
		if (said(c, of_encoding[i].option) && of_encoding[i].encoding != encoding)
			return refuse(c, of_encoding[i].option, of_encoding[i].why,
						  "Choose that encoding by \"encode\".");
	}
	if (said(c, ML_PREP_FILL) && choice(c, ML_PREP_IMPUTE) != ML_IMPUTE_CONSTANT)
		return refuse(c, ML_PREP_FILL, "is not imputed by a constant",
					  "Add \"impute\": \"constant\".");
	if (choice(c, ML_PREP_IMPUTE) == ML_IMPUTE_CONSTANT && !said(c, ML_PREP_FILL) &&
		said(c, ML_PREP_IMPUTE))
		return refuse(c, ML_PREP_IMPUTE, "has no constant to impute", "Give it by \"fill\".");
	return ML_OK;
}

/* Steps that exclude each other. */
static MlStatus
check_contradictions(const Column *c)
{
	bool binned = json_of(c, ML_PREP_BINS) != NULL;
	MlPrepEncoding encoding = (MlPrepEncoding) choice(c, ML_PREP_ENCODE);

	if (binned && said(c, ML_PREP_SCALE) && choice(c, ML_PREP_SCALE) > ML_SCALE_NONE)
		return refuse(c, ML_PREP_SCALE, "is cut into bins, which have no scale",
					  "Leave out \"bins\" or \"scale\".");
	if (binned && (said(c, ML_PREP_POLYNOMIAL) || said(c, ML_PREP_PRODUCTS)))
		return refuse(c, said(c, ML_PREP_POLYNOMIAL) ? ML_PREP_POLYNOMIAL : ML_PREP_PRODUCTS,
					  "is cut into bins, which cannot be multiplied",
					  "Leave out \"bins\", or the powers and products.");
	if ((c->class & NUMBERS) && encoding > ML_ENCODE_NONE && !binned)
		return refuse(c, ML_PREP_ENCODE, "has numbers, not levels",
					  "Read it as levels by \"as\": \"categorical\", or cut it by \"bins\".");
	if (binned && encoding == ML_ENCODE_FREQUENCY)
		return refuse(c, ML_PREP_ENCODE, "is cut into bins, which are not encoded by frequency",
					  "Use ordinal, one_hot, target or none.");
	if (encoding == ML_ENCODE_HASH && c->class != LEVELS)
		return refuse(c, ML_PREP_ENCODE, "has no texts to hash",
					  "Read it as levels by \"as\": \"categorical\".");
	if (encoding == ML_ENCODE_TARGET && !c->has_target)
		return refuse(c, ML_PREP_ENCODE, "cannot be encoded by a target: there is none",
					  "Name the target column of the training.");
	if (encoding == ML_ENCODE_NONE && c->spec->automatic && (binned || c->class == LEVELS))
		return refuse(c, ML_PREP_ENCODE, "would remain levels, which transform cannot return",
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
read_bounds(const Column *c, const MlJson *json, MlPrepStep *step)
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
		return refuse(c, ML_PREP_CLIP, "needs a \"min\" that is less than \"max\"", NULL);
	return ML_OK;
}

static MlStatus
read_clip(const Column *c, MlPrepStep *step)
{
	const MlJson *json = json_of(c, ML_PREP_CLIP);

	if (!json)
		return ML_OK;
	if (json->type == ML_JSON_OBJECT)
		return read_bounds(c, json, step);
	if (json->type != ML_JSON_ARRAY || json->n != 2 || json->items[0].type != ML_JSON_NUMBER ||
		json->items[1].type != ML_JSON_NUMBER ||
		!(json->items[0].number >= 0 && json->items[0].number < json->items[1].number &&
		  json->items[1].number <= 1))
		return refuse(c, ML_PREP_CLIP, "needs two quantiles or bounds",
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
read_edges(const Column *c, const MlJson *json, MlPrepStep *step)
{
	bool sound = json->type == ML_JSON_ARRAY && json->n > 0 && json->n < ML_PREP_MAX_BINS;

	for (size_t i = 0; sound && i < json->n; i++)
		sound = json->items[i].type == ML_JSON_NUMBER && isfinite(json->items[i].number) &&
				(i == 0 || json->items[i].number > json->items[i - 1].number);
	if (!sound)
		return refuse(
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
read_bins(const Column *c, MlPrepStep *step)
{
	const MlJson *json = json_of(c, ML_PREP_BINS);
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
		return refuse(c, ML_PREP_BINS, "needs a number of bins from 2 to 1000, or edges",
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
read_impute(const Column *c, MlPrepStep *step)
{
	const MlJson *fill = json_of(c, ML_PREP_FILL);
	const MlParamValue *indicator = &source_of(c, ML_PREP_INDICATOR)->values[ML_PREP_INDICATOR];

	step->impute = (MlPrepImpute) choice(c, ML_PREP_IMPUTE);
	if (step->impute == ML_IMPUTE_AUTO)
		step->impute = c->spec->automatic && c->class != LEVELS ? ML_IMPUTE_MEAN : ML_IMPUTE_NONE;
	if (c->class != LEVELS && step->impute == ML_IMPUTE_CONSTANT)
	{
		if (!fill || fill->type != ML_JSON_NUMBER)
			return refuse(c, ML_PREP_FILL, "needs a number to fill in", NULL);
		step->column.fill = fill->number;
	}
	if (!indicator->null)
		step->indicator = indicator->number != 0 ? ML_INDICATOR_YES : ML_INDICATOR_NO;
	else if (c->spec->automatic && c->class != LEVELS)
		step->indicator = ML_INDICATOR_IF_MISSING;
	return ML_OK;
}

static void
read_scale(const Column *c, MlPrepStep *step)
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
read_smoothing(const Column *c, double *smoothing)
{
	const MlJson *json = json_of(c, ML_PREP_SMOOTHING);

	*smoothing = NAN;
	if (!json || (json->type == ML_JSON_STRING && strcmp(json->string, "auto") == 0))
		return ML_OK;
	if (json->type != ML_JSON_NUMBER || !(json->number >= 0 && isfinite(json->number)))
		return refuse(c, ML_PREP_SMOOTHING, "needs a number of rows, or auto",
					  "Write \"smoothing\": 10.");
	*smoothing = json->number;
	return ML_OK;
}

/* The order of levels is an array of texts, each once. */
static MlStatus
read_order(const Column *c, MlPrepStep *step)
{
	const MlJson *json = json_of(c, ML_PREP_ORDER);
	bool sound = !json || (json->type == ML_JSON_ARRAY && json->n > 0);

	step->order = json;
	for (size_t i = 0; json && sound && i < json->n; i++)
	{
		sound = json->items[i].type == ML_JSON_STRING;
		for (size_t k = 0; sound && k < i; k++)
			sound = strcmp(json->items[i].string, json->items[k].string) != 0;
	}
	return sound ? ML_OK
				 : refuse(c, ML_PREP_ORDER, "needs an array of its levels, each once",
						  "Write [\"S\", \"M\", \"L\"].");
}

/* The form that an encoding gives; of bins without one their numbers. */
static MlStatus
read_encoding(const Column *c, MlPrepStep *step)
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
read_missing_level(const Column *c, MlPrepStep *step)
{
	const MlJson *fill = json_of(c, ML_PREP_FILL);

	ML_TRY(read_impute(c, step));
	if (step->impute == ML_IMPUTE_MEAN || step->impute == ML_IMPUTE_MEDIAN)
	{
		if (said(c, ML_PREP_IMPUTE))
			return refuse(c, ML_PREP_IMPUTE, "has levels, which have no mean or median",
						  "Use mode or constant.");
		step->impute = ML_IMPUTE_NONE;
	}
	if (step->impute != ML_IMPUTE_CONSTANT)
		return ML_OK;
	if (!fill || fill->type != ML_JSON_STRING || !fill->string[0])
		return refuse(c, ML_PREP_FILL, "needs a text to fill in", NULL);
	return ml_dict_add(c->input->levels, fill->string, strlen(fill->string),
					   &step->column.fill_code);
}

/* ---- steps ---- */

/* A new step for a feature, which passes. */
static MlPrepStep *
add_step(const Column *c, uint32_t feature)
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
plan_number(const Column *c, uint32_t feature)
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
	else if (c->class == (NUMBERS | TIMES) && choice(c, ML_PREP_CYCLIC))
		step->column.form = ML_PREP_CYCLE;
	return ML_OK;
}

static MlStatus
plan_levels(const Column *c, uint32_t feature)
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
plan_part(const Column *c, MlPart part, bool first)
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
find_part(const Column *c, const MlJson *json, MlPart *part)
{
	const char *names[ML_N_PARTS];
	const char *near;

	for (int p = ML_PART_EPOCH; p < ML_N_PARTS; p++)
		names[p - ML_PART_EPOCH] = ml_part_name((MlPart) p);
	if (json->type != ML_JSON_STRING)
		return refuse(c, ML_PREP_DATES, "needs an array of the names of parts",
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
read_parts(const Column *c, const MlJson *json, MlPart *parts, size_t *n)
{
	if (json->type != ML_JSON_ARRAY || json->n == 0)
		return refuse(c, ML_PREP_DATES, "needs an array of the names of parts",
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
				return refuse(c, ML_PREP_DATES, "is a date, which has no hour", NULL);
			continue;
		}
		if (!twice)
			parts[(*n)++] = part;
	}
	return ML_OK;
}

static MlStatus
plan_date(const Column *c)
{
	const MlJson *json = json_of(c, ML_PREP_DATES);
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
static bool
is_prepared(const Column *c)
{
	for (int option = ML_PREP_AS + 1; option < ML_PREP_N_PARAMS; option++)
	{
		if (said(c, option) || said_of_all(c, option))
			return true;
	}
	return c->spec->automatic;
}

static MlStatus
plan_column(const Column *c)
{
	uint32_t first = c->input->first_feature;

	if (said(c, ML_PREP_AS) && choice(c, ML_PREP_AS) != 0 && c->class != LEVELS)
		return refuse(c, ML_PREP_AS, "cannot be read as levels here",
					  "Train over records, or cast it to text in the query.");
	ML_TRY(check_class(c));
	ML_TRY(check_companions(c));
	ML_TRY(check_contradictions(c));
	if (is_prepared(c) && c->class == DATES)
		return plan_date(c);
	for (uint32_t j = first; j < first + c->input->n_features; j++)
	{
		if (!is_prepared(c))
			add_step(c, j);
		else
			ML_TRY(c->class == LEVELS ? plan_levels(c, j) : plan_number(c, j));
	}
	return ML_OK;
}

/* ---- products ---- */

/* The columns that may be factors, and what they want to be multiplied with. */
typedef struct Factor
{
	const char *name;
	uint32_t step;
	const MlJson *wants; /* an array of names, true, or NULL */
} Factor;

static bool
wants(const Factor *a, const Factor *b)
{
	if (!a->wants)
		return false;
	if (a->wants->type == ML_JSON_BOOL)
		return a->wants->boolean;
	for (size_t i = 0; i < a->wants->n; i++)
	{
		if (strcmp(a->wants->items[i].string, b->name) == 0)
			return true;
	}
	return false;
}

/* The names in "products" must be those of other numbers. */
static MlStatus
check_factor(const Column *c, const Factor *factors, size_t n, const MlJson *wanted)
{
	if (wanted->type == ML_JSON_BOOL)
		return ML_OK;
	if (wanted->type != ML_JSON_ARRAY)
		return refuse(c, ML_PREP_PRODUCTS, "needs an array of columns, or true",
					  "Write \"products\": [\"width\", \"depth\"].");
	for (size_t i = 0; i < wanted->n; i++)
	{
		const char *name = wanted->items[i].type == ML_JSON_STRING ? wanted->items[i].string : "";
		size_t k = 0;

		while (k < n && strcmp(factors[k].name, name) != 0)
			k++;
		if (strcmp(name, c->name) == 0)
			return refuse(c, ML_PREP_PRODUCTS, "is multiplied with itself",
						  "Use \"polynomial\": 2.");
		if (k < n)
			continue;
		ml_fail(c->env, ML_EINVAL,
				"option \"products\" of prep: column \"%.64s\" cannot be multiplied with \"%.64s\"",
				c->name, name);
		ml_hint(c->env, "Factors are columns of numbers that are not cut into bins.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* All pairs that one of the two wants. */
static MlStatus
add_products(const Column *c, const Factor *factors, size_t n)
{
	size_t capacity = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		size_t count = 0;

		for (size_t i = 0; i < n; i++)
		{
			ML_TRY(ml_poll(c->env));
			for (size_t k = i + 1; k < n; k++)
			{
				if (!wants(&factors[i], &factors[k]) && !wants(&factors[k], &factors[i]))
					continue;
				if (pass > 0 && count < capacity)
					c->plan->products[count] = (MlPrepProduct){factors[i].step, factors[k].step};
				count++;
			}
		}
		if (count > ML_MAX_SLOTS)
			return ml_fail(c->env, ML_EINVAL,
						   "option \"products\" of prep asks for %zu products; "
						   "a model has at most %d features",
						   count, ML_MAX_SLOTS);
		if (pass == 0)
			c->plan->products = ml_arena_array(c->arena, count + 1, sizeof(MlPrepProduct));
		if (!c->plan->products)
			return ML_ENOMEM;
		c->plan->n_products = capacity = count;
	}
	return ML_OK;
}

/* What a number wants to be multiplied with, after its step was planned. */
static void
note_factor(const Column *c, Factor *factors, size_t *n)
{
	const MlPrepStep *step = c->plan->n > 0 ? &c->plan->steps[c->plan->n - 1] : NULL;

	if (!(c->class & NUMBERS) || c->input->n_slots != 1 || step->column.form != ML_PREP_NUMBER)
		return;
	factors[(*n)++] = (Factor){c->name, (uint32_t) c->plan->n - 1, json_of(c, ML_PREP_PRODUCTS)};
}

/* ---- the plan ---- */

/* The options of every name must be for a column that is there. */
static MlStatus
check_names(MlEnv *env, const MlPrepSpec *spec, const MlSchema *schema)
{
	for (size_t i = 0; i < spec->n; i++)
	{
		const char *name = spec->wishes[i].name;

		if (strcmp(name, "*") == 0 || ml_schema_find(schema, name) >= 0)
			continue;
		ml_fail(env, ML_EINVAL, "option \"prep\" names column \"%.64s\", which is not a feature",
				name);
		ml_hint(env, "Target, weight and excluded columns are not prepared.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* The option as text, to compare with that of another training. */
static MlStatus
keep_options(MlArena *arena, const MlPrepSpec *spec, char **out)
{
	MlBuffer text;
	MlJsonWriter w;

	ml_buffer_init(&text, arena->env);
	ml_json_writer(&w, &text);
	if (spec->json)
		ml_json_value(&w, NULL, spec->json);
	*out = text.status == ML_OK
			   ? ml_arena_text(arena, text.len > 0 ? (const char *) text.data : "", text.len)
			   : NULL;
	ml_buffer_free(&text);
	return *out ? ML_OK : ML_ENOMEM;
}

/* What is said of the column by its name. */
static const MlParams *
own_wish(const MlPrepSpec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n; i++)
	{
		if (strcmp(spec->wishes[i].name, name) == 0)
			return &spec->wishes[i].params;
	}
	return NULL;
}

/* The steps of all columns; *prepares: some of them do something. */
static MlStatus
plan_columns(Column *c, Factor *factors, size_t *n_factors, bool *prepares)
{
	for (uint32_t i = 0; i < c->schema->n_inputs; i++)
	{
		c->input = &c->schema->inputs[i];
		c->name = c->schema->features[c->input->first_feature].name;
		if (c->input->name[0])
			c->name = c->input->name;
		c->own = own_wish(c->spec, c->name);
		c->class = class_of(c->input->kind);
		ML_TRY(ml_poll(c->env));
		ML_TRY(plan_column(c));
		note_factor(c, factors, n_factors);
		*prepares |= is_prepared(c);
	}
	return ML_OK;
}

/* The products that were asked for. */
static MlStatus
plan_products(Column *c, const Factor *factors, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
	{
		c->name = factors[i].name;
		if (factors[i].wants)
			ML_TRY(check_factor(c, factors, n, factors[i].wants));
		any |= factors[i].wants != NULL;
	}
	return any ? add_products(c, factors, n) : ML_OK;
}

MlStatus
ml_prep_plan_create(MlArena *arena, const MlPrepSpec *spec, MlSchema *schema, bool has_target,
					MlPrepPlan **out)
{
	MlPrepPlan *plan;
	Column c = {.arena = arena,
				.env = arena->env,
				.spec = spec,
				.schema = schema,
				.has_target = has_target};
	Factor *factors;
	size_t n_factors = 0;
	bool prepares = false;

	*out = NULL;
	if (!spec->json && !spec->automatic)
		return ML_OK;
	ML_TRY(check_names(arena->env, spec, schema));
	plan = c.plan = ml_arena_alloc(arena, sizeof *plan);
	factors = ml_arena_array(arena, (size_t) schema->n_inputs + 1, sizeof *factors);
	if (!plan || !factors)
		return ML_ENOMEM;
	plan->schema = schema;
	/* A date has three parts more than features. */
	plan->steps = ml_arena_array(arena, (size_t) schema->n_features + 3 * (size_t) schema->n_inputs,
								 sizeof *plan->steps);
	if (!plan->steps)
		return ML_ENOMEM;
	ML_TRY(keep_options(arena, spec, &plan->options));
	ML_TRY(plan_columns(&c, factors, &n_factors, &prepares));
	ML_TRY(plan_products(&c, factors, n_factors));
	if (prepares)
		*out = plan;
	return ML_OK;
}

MlStatus
ml_prep_plan_adopt(MlPrepPlan *plan, MlArena *arena, const MlPrep *prep, const char *model)
{
	MlPrep *copy = ml_arena_alloc(arena, sizeof *copy);

	if (!copy)
		return ML_ENOMEM;
	if (strcmp(plan->options, prep->options) != 0)
	{
		ml_fail(arena->env, ML_EINVAL, "model \"%.64s\" was prepared in another way", model);
		ml_hint(arena->env, "Its option \"prep\" is %.400s; a continued training keeps its recipe.",
				prep->options[0] ? prep->options : "not given");
		return ML_EINVAL;
	}
	*copy = *prep;
	plan->adopted = copy;
	return ML_OK;
}
