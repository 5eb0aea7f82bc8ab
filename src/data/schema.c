/*
 * schema.c
 *		Inputs to slots to features, and the parts of a date.
 *
 * The order of everything follows from the order of the inputs, so that an
 * image stores the inputs alone and lays the rest out again. An input with an
 * empty name is bound by position; its features are called f1, f2, ... as the
 * columns of ROW() are.
 *
 * Dates: civil dates by Howard Hinnant's "chrono-Compatible Low-Level Date
 * Algorithms" (civil_from_days), on the proleptic Gregorian calendar as
 * PostgreSQL's, and with its year numbers (no year 0: 1 BC is -1). An infinite
 * or impossible date is missing in every part, the epoch included: no method
 * could use an infinite number.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/schema.h"

#define DAY 86400e6 /* microseconds */
#define HOUR 3600e6

/* Beyond every date of PostgreSQL (5874897 AD is 1.85e20); what lies outside is missing. */
#define MAX_DATE 2e20

/* 2000-01-01 counted from 0000-03-01, the origin of civil_from_days. */
#define DAYS_BEFORE_2000 730425

static const char *const kind_names[ML_N_KINDS] = {"numeric",   "categorical", "date",
												   "timestamp", "time",        "block"};
static const char *const part_names[ML_N_PARTS] = {"value", "epoch", "year",    "month", "day",
												   "dow",   "hour",  "quarter", "week",  "doy"};

/* The name of a kind as error texts and views show it. */
const char *
ml_kind_name(MlKind kind)
{
	return kind_names[kind];
}

/* The name of a part, as extract() has it. */
const char *
ml_part_name(MlPart part)
{
	return part_names[part];
}

/* True for the kinds whose slot becomes several features. */
static bool
has_parts(MlKind kind)
{
	return kind == ML_DATE || kind == ML_TIMESTAMP;
}

/* How many features an input of this kind becomes. */
static uint32_t
features_of(const MlInput *input)
{
	if (input->kind == ML_DATE)
		return ML_PART_DOW - ML_PART_EPOCH + 1;
	if (input->kind == ML_TIMESTAMP)
		return ML_PART_HOUR - ML_PART_EPOCH + 1;
	return input->n_slots;
}

/* A schema with room for n_inputs inputs, all zero. */
MlStatus
ml_schema_create(MlArena *arena, uint32_t n_inputs, MlSchema **schema)
{
	MlSchema *result;

	if (n_inputs == 0)
		return ml_fail(arena->env, ML_EDATA, "there is no column to learn from");
	if (n_inputs > ML_MAX_SLOTS)
		return ml_fail(arena->env, ML_EDATA, "%u columns are too many: at most %d", n_inputs,
					   ML_MAX_SLOTS);
	result = ml_arena_alloc(arena, sizeof(*result));
	if (!result)
		return ML_ENOMEM;
	result->arena = arena;
	result->n_inputs = n_inputs;
	result->inputs = ml_arena_array(arena, n_inputs, sizeof(MlInput));
	if (!result->inputs)
		return ML_ENOMEM;
	*schema = result;
	return ML_OK;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Inputs bind by name, so two of one name are an error; nameless ones bind by position. */
static MlStatus
check_unique_names(const MlSchema *schema)
{
	MlEnv *env = schema->arena->env;
	const char **names = ml_alloc_array(env, schema->n_inputs, sizeof(*names));
	MlStatus status = ML_OK;

	if (!names)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < schema->n_inputs; i++)
		names[i] = schema->inputs[i].name;
	qsort(names, schema->n_inputs, sizeof(*names), compare_names);
	for (uint32_t i = 1; i < schema->n_inputs && status == ML_OK; i++)
		if (names[i][0] && strcmp(names[i - 1], names[i]) == 0)
		{
			status = ml_fail(env, ML_EINVAL, "column name \"%s\" occurs more than once", names[i]);
			ml_hint(env, "Give the columns of the query different names.");
		}
	ml_free(env, names);
	return status;
}

/* Check one input's own fields. */
static MlStatus
check_input(MlEnv *env, const MlInput *input)
{
	if (!input->name || !input->type_name || (uint32_t) input->kind >= ML_N_KINDS)
		return ml_fail(env, ML_EINVAL, "an input has no name, type or kind");
	if (strlen(input->name) > ML_MAX_NAME)
		return ml_fail(env, ML_EINVAL, "column name \"%.60s...\" is longer than %d bytes",
					   input->name, ML_MAX_NAME);
	if (input->n_slots == 0)
		return ml_fail(env, ML_EDATA, "column \"%s\" has no elements", input->name);
	if (input->kind != ML_BLOCK && input->n_slots != 1)
		return ml_fail(env, ML_EINVAL, "column \"%s\" of kind %s cannot have %u slots", input->name,
					   ml_kind_name(input->kind), input->n_slots);
	return ML_OK;
}

/* Number the slots and features of the inputs, and make the dictionaries that are not there. */
static MlStatus
number_slots(MlSchema *schema)
{
	MlEnv *env = schema->arena->env;

	schema->n_slots = schema->n_features = 0;
	schema->identity = true;
	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		MlInput *input = &schema->inputs[i];

		ML_TRY(check_input(env, input));
		input->first_slot = schema->n_slots;
		input->first_feature = schema->n_features;
		input->n_features = features_of(input);
		if (input->n_slots > ML_MAX_SLOTS - schema->n_slots ||
			input->n_features > ML_MAX_SLOTS - schema->n_features)
			return ml_fail(env, ML_EDATA, "more than %d features, counted up to column \"%s\"",
						   ML_MAX_SLOTS, input->name);
		schema->n_slots += input->n_slots;
		schema->n_features += input->n_features;
		if (has_parts(input->kind))
			schema->identity = false;
		if (input->kind == ML_CATEGORICAL && !input->levels)
		{
			input->levels = ml_dict_create(schema->arena);
			if (!input->levels)
				return ML_ENOMEM;
		}
	}
	return ML_OK;
}

/* "age", "when.month", "pixels[3]"; f<position> stands for an empty name. NULL: out of memory. */
static char *
feature_name(const MlSchema *schema, const MlInput *input, MlPart part, uint32_t offset)
{
	char text[ML_MAX_NAME + 32];
	int len;

	if (input->name[0])
		len = snprintf(text, sizeof(text), "%s", input->name);
	else
		len = snprintf(text, sizeof(text), "f%u", (uint32_t) (input - schema->inputs) + 1);
	if (part != ML_PART_VALUE)
		len += snprintf(text + len, sizeof(text) - len, ".%s", part_names[part]);
	else if (input->kind == ML_BLOCK)
		len += snprintf(text + len, sizeof(text) - len, "[%u]", offset + 1);
	return ml_arena_text(schema->arena, text, len);
}

/* Fill in the features of one input. */
static MlStatus
lay_out_features(MlSchema *schema, uint32_t index)
{
	const MlInput *input = &schema->inputs[index];

	for (uint32_t k = 0; k < input->n_features; k++)
	{
		MlFeature *feature = &schema->features[input->first_feature + k];

		feature->part = has_parts(input->kind) ? (MlPart) (ML_PART_EPOCH + k) : ML_PART_VALUE;
		feature->input = index;
		feature->slot = input->first_slot + (has_parts(input->kind) ? 0 : k);
		feature->categorical = input->kind == ML_CATEGORICAL;
		feature->name = feature_name(schema, input, feature->part, k);
		if (!feature->name)
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* Lay out slots and features from the inputs that the caller has filled in. */
MlStatus
ml_schema_layout(MlSchema *schema)
{
	ML_TRY(number_slots(schema));
	ML_TRY(check_unique_names(schema));
	schema->features = ml_arena_array(schema->arena, schema->n_features, sizeof(MlFeature));
	if (!schema->features)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < schema->n_inputs; i++)
		ML_TRY(lay_out_features(schema, i));
	ml_schema_seal(schema);
	return ML_OK;
}

/* Fix n_levels of the categorical features from the dictionaries. */
void
ml_schema_seal(MlSchema *schema)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		MlFeature *feature = &schema->features[j];

		if (feature->categorical)
			feature->n_levels = ml_dict_size(schema->inputs[feature->input].levels);
	}
}

/* The index of the input of that name, or -1. */
int
ml_schema_find(const MlSchema *schema, const char *name)
{
	for (uint32_t i = 0; i < schema->n_inputs; i++)
		if (strcmp(schema->inputs[i].name, name) == 0)
			return (int) i;
	return -1;
}

/* Days since 2000-01-01, rounded down; exact although the quotient may round up to the next midnight. */
static double
whole_days(double microseconds)
{
	double days = floor(microseconds / DAY);

	if (days * DAY > microseconds)
		days--;
	else if ((days + 1) * DAY <= microseconds)
		days++;
	return days;
}

typedef struct Civil
{
	int64_t year; /* as extract(year): 1 BC is -1 */
	int month, day;
} Civil;

/* Hinnant's civil_from_days. Eras are 400 years from 1 March, so that the leap day ends a year. */
static Civil
civil_from_days(int64_t days)
{
	int64_t z = days + DAYS_BEFORE_2000;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	Civil civil;

	civil.day = (int) (day_of_year - (153 * month_from_march + 2) / 5 + 1);
	civil.month = (int) (month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
	civil.year = year_of_era + era * 400 + (civil.month <= 2);
	if (civil.year <= 0)
		civil.year--;
	return civil;
}

/* The day of the week of a day since 2000-01-01, a Saturday; 0 is Sunday. */
static int
day_of_week(int64_t days)
{
	int dow = (int) ((days + 6) % 7);

	return dow < 0 ? dow + 7 : dow;
}

/* The day of the year, from 1. */
static int
day_of_year(Civil civil)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t year = civil.year < 0 ? civil.year + 1 : civil.year; /* with a year 0 */
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return before[civil.month - 1] + civil.day + (leap && civil.month > 2);
}

/* The ISO week, which begins on Monday: that of its Thursday in the Thursday's year. */
static int
iso_week(int64_t days)
{
	int64_t thursday = days - (day_of_week(days) + 6) % 7 + 3;

	return (day_of_year(civil_from_days(thursday)) - 1) / 7 + 1;
}

/* One part of a date or timestamp. NaN, infinities and impossible dates are missing (NaN). */
double
ml_date_part(MlPart part, double microseconds)
{
	double days;

	if (!(fabs(microseconds) <= MAX_DATE))
		return NAN;
	days = whole_days(microseconds);
	switch (part)
	{
		case ML_PART_VALUE:
			return microseconds;
		case ML_PART_EPOCH:
			return microseconds / DAY;
		case ML_PART_YEAR:
			return (double) civil_from_days((int64_t) days).year;
		case ML_PART_MONTH:
			return civil_from_days((int64_t) days).month;
		case ML_PART_DAY:
			return civil_from_days((int64_t) days).day;
		case ML_PART_DOW:
			return day_of_week((int64_t) days);
		case ML_PART_HOUR:
			return (microseconds - days * DAY) / HOUR;
		case ML_PART_QUARTER:
			return (civil_from_days((int64_t) days).month - 1) / 3 + 1;
		case ML_PART_WEEK:
			return iso_week((int64_t) days);
		case ML_PART_DOY:
			return day_of_year(civil_from_days((int64_t) days));
	}
	return NAN;
}

/* All parts of a date (n_features 5) or timestamp (6), in the order of MlPart. */
static void
expand_date(double microseconds, uint32_t n_features, double *out)
{
	double days;
	Civil civil;

	if (!(fabs(microseconds) <= MAX_DATE))
	{
		for (uint32_t k = 0; k < n_features; k++)
			out[k] = NAN;
		return;
	}
	days = whole_days(microseconds);
	civil = civil_from_days((int64_t) days);
	out[ML_PART_EPOCH - 1] = microseconds / DAY;
	out[ML_PART_YEAR - 1] = (double) civil.year;
	out[ML_PART_MONTH - 1] = civil.month;
	out[ML_PART_DAY - 1] = civil.day;
	out[ML_PART_DOW - 1] = day_of_week((int64_t) days);
	if (n_features >= ML_PART_HOUR)
		out[ML_PART_HOUR - 1] = (microseconds - days * DAY) / HOUR;
}

/* The feature vector of a raw row. */
void
ml_schema_expand(const MlSchema *schema, const double *raw, double *features)
{
	if (schema->identity)
	{
		memcpy(features, raw, schema->n_slots * sizeof(double));
		return;
	}
	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		const MlInput *input = &schema->inputs[i];
		const double *from = raw + input->first_slot;
		double *to = features + input->first_feature;

		if (has_parts(input->kind))
			expand_date(*from, input->n_features, to);
		else
			memcpy(to, from, input->n_slots * sizeof(double));
	}
}

/* Write the inputs; the layout follows from them. */
void
ml_schema_save(const MlSchema *schema, MlBuffer *out)
{
	ml_put_u32(out, schema->n_inputs);
	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		const MlInput *input = &schema->inputs[i];

		ml_put_text(out, input->name);
		ml_put_text(out, input->type_name);
		ml_put_u8(out, (uint8_t) input->kind);
		ml_put_u32(out, input->n_slots);
		if (input->kind == ML_CATEGORICAL)
			ml_dict_save(input->levels, out);
	}
}

/* The width that suits any value of a kind: what a loaded schema uses. */
static MlWidth
widest(MlKind kind)
{
	return kind == ML_CATEGORICAL ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
}

/* Read and check one input. */
static MlStatus
load_input(MlReader *in, MlArena *arena, MlInput *input)
{
	uint8_t kind;

	input->name = ml_get_text(in, arena);
	input->type_name = ml_get_text(in, arena);
	kind = ml_get_u8(in);
	input->n_slots = ml_get_u32(in);
	ML_TRY(ml_reader_check(in, "schema input"));
	if (kind >= ML_N_KINDS || strlen(input->name) > ML_MAX_NAME || input->n_slots == 0 ||
		(kind != ML_BLOCK && input->n_slots != 1))
		return ml_corrupt(in->env, "schema input");
	input->kind = (MlKind) kind;
	input->width = widest(input->kind);
	if (input->kind == ML_CATEGORICAL)
		ML_TRY(ml_dict_load(in, arena, &input->levels));
	return ML_OK;
}

/* Read a schema from hostile bytes and lay it out. */
MlStatus
ml_schema_load(MlReader *in, MlArena *arena, MlSchema **schema)
{
	uint32_t n_inputs = ml_get_count(in, 13); /* two lengths, kind, slots */
	MlSchema *result;
	MlStatus status;

	if (in->failed || n_inputs == 0 || n_inputs > ML_MAX_SLOTS)
		return ml_corrupt(in->env, "schema size");
	ML_TRY(ml_schema_create(arena, n_inputs, &result));
	for (uint32_t i = 0; i < n_inputs; i++)
		ML_TRY(load_input(in, arena, &result->inputs[i]));
	status = ml_schema_layout(result);
	if (status == ML_EINVAL || status == ML_EDATA)
		return ml_corrupt(in->env, "schema names or sizes");
	ML_TRY(status);
	*schema = result;
	return ML_OK;
}
