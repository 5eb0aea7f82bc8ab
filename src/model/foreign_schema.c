/*
 * foreign_schema.c
 *		What an imported model knows of its rows: names, levels, classes.
 *
 * Libraries train on codes of levels, and few of their files say what a code
 * stood for. Where the labels are known (from the file, or from the option
 * "categories") they are the levels; else a code is its own label, as text:
 * "3". A column of integers binds to that, since levels are compared by their text.
 * The levels are then those codes that some node lists; any other is unseen, and goes where unlisted ones go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/foreign_inner.h"

MlStatus
ml_foreign_begin(MlForeign *f, uint32_t n_features, uint32_t n_outputs)
{
	MlEnv *env = f->arena->env;

	if (n_features < 1 || n_features > ML_MAX_SLOTS)
		return ml_fail(env, ML_EDATA, "the model has %u features, there may be 1 to %d", n_features,
					   ML_MAX_SLOTS);
	if (n_outputs < 1 || n_outputs > ML_MAX_CLASSES)
		return ml_fail(env, ML_EDATA, "the model has %u outputs, there may be 1 to %d", n_outputs,
					   ML_MAX_CLASSES);
	f->n_features = n_features;
	f->n_outputs = n_outputs;
	f->best_iteration = -1;
	f->features = ml_arena_array(f->arena, n_features, sizeof(*f->features));
	f->base = ml_arena_array(f->arena, n_outputs, sizeof(*f->base));
	return f->features && f->base ? ML_OK : ML_ENOMEM;
}

/* ---- levels */

static int
compare_codes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

/* Sort, drop repetitions; returns how many are left. */
static uint32_t
sort_codes(uint32_t *codes, size_t n)
{
	size_t kept = 0;

	qsort(codes, n, sizeof(*codes), compare_codes);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || codes[kept - 1] != codes[i])
			codes[kept++] = codes[i];
	return (uint32_t) kept;
}

/* Call visit for every cell that lists codes of a categorical feature. */
static void
each_listing(MlForeign *f, void (*visit)(MlForeignFeature *feature, MlForeignCell *cell))
{
	for (size_t t = 0; t < f->n_trees; t++)
	{
		for (uint32_t i = 0; i < f->trees[t].n_cells; i++)
		{
			MlForeignCell *cell = &f->trees[t].cells[i];

			if (!cell->leaf && cell->codes && cell->feature < f->n_features &&
				f->features[cell->feature].categorical)
				visit(&f->features[cell->feature], cell);
		}
	}
}

static void
count_codes(MlForeignFeature *feature, MlForeignCell *cell)
{
	cell->n_codes = sort_codes(cell->codes, cell->n_codes);
	feature->n_codes += cell->n_codes;
}

static void
copy_codes(MlForeignFeature *feature, MlForeignCell *cell)
{
	memcpy(feature->codes + feature->n_codes, cell->codes, cell->n_codes * sizeof(*cell->codes));
	feature->n_codes += cell->n_codes;
}

/* Labels name the codes from 0 on; a code beyond them has none. */
static MlStatus
take_labels(MlForeign *f, uint32_t j)
{
	MlForeignFeature *feature = &f->features[j];

	if (feature->n_codes > 0 && feature->codes[feature->n_codes - 1] >= feature->n_labels)
		return ml_fail(f->arena->env, ML_EDATA,
					   "feature \"%.64s\" has %u categories, but a tree tests for code %u",
					   feature->name, feature->n_labels, feature->codes[feature->n_codes - 1]);
	feature->codes = ml_arena_array(f->arena, feature->n_labels, sizeof(*feature->codes));
	if (!feature->codes)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < feature->n_labels; i++)
		feature->codes[i] = i;
	feature->n_codes = feature->n_labels;
	return ML_OK;
}

/* The codes that are levels, of each feature. */
static MlStatus
find_codes(MlForeign *f)
{
	each_listing(f, count_codes);
	for (uint32_t j = 0; j < f->n_features; j++)
	{
		MlForeignFeature *feature = &f->features[j];

		if (!feature->categorical)
			continue;
		feature->codes = ml_arena_array(f->arena, feature->n_codes, sizeof(*feature->codes));
		if (!feature->codes)
			return ML_ENOMEM;
		feature->n_codes = 0;
	}
	each_listing(f, copy_codes);
	for (uint32_t j = 0; j < f->n_features; j++)
	{
		MlForeignFeature *feature = &f->features[j];

		if (!feature->categorical)
			continue;
		feature->n_codes = sort_codes(feature->codes, feature->n_codes);
		if (feature->labels)
			ML_TRY(take_labels(f, j));
	}
	return ML_OK;
}

/* The dictionary of a feature: its levels in the order of their codes. */
static MlStatus
make_levels(MlForeign *f, const MlForeignFeature *feature, MlInput *input)
{
	input->levels = ml_dict_create(f->arena);
	if (!input->levels)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < feature->n_codes; i++)
	{
		char number[16];
		const char *label = number;
		uint32_t code;

		if (feature->labels)
			label = feature->labels[feature->codes[i]];
		else
			snprintf(number, sizeof number, "%u", feature->codes[i]);
		ML_TRY(ml_dict_add(input->levels, label, strlen(label), &code));
		if (code != i)
			return ml_fail(f->arena->env, ML_EDATA,
						   "category \"%.64s\" of feature \"%.64s\" occurs twice", label,
						   feature->name);
	}
	return ML_OK;
}

/* ---- what the user says */

/* The text of an element that names something: a string, number or boolean. */
static MlStatus
label_text(MlArena *arena, const MlJson *value, char **out)
{
	char number[40];

	switch (value->type)
	{
		case ML_JSON_STRING:
			*out = value->string;
			return ML_OK;
		case ML_JSON_BOOL:
			*out = ml_arena_text(arena, value->boolean ? "true" : "false", value->boolean ? 4 : 5);
			break;
		case ML_JSON_NUMBER:
			ml_format_double(number, value->number);
			*out = ml_arena_text(arena, number, strlen(number));
			break;
		default:
			return ml_fail(arena->env, ML_EINVAL, "a label is %s, but must be a text or a number",
						   ml_json_type_name(value->type));
	}
	return *out ? ML_OK : ML_ENOMEM;
}

/* The texts of an array. what: for the error. */
MlStatus
ml_foreign_labels(MlArena *arena, const MlJson *array, const char *what, char ***out, uint32_t *n)
{
	if (array->type != ML_JSON_ARRAY || array->n > UINT32_MAX / 2)
		return ml_fail(arena->env, ML_EINVAL, "%s must be an array of labels, not %s", what,
					   ml_json_type_name(array->type));
	*out = ml_arena_array(arena, array->n, sizeof(**out));
	if (!*out)
		return ML_ENOMEM;
	for (size_t i = 0; i < array->n; i++)
		ML_TRY(label_text(arena, &array->items[i], &(*out)[i]));
	*n = (uint32_t) array->n;
	return ML_OK;
}

/* The option "features": names in the place of the file's. */
static MlStatus
rename_features(MlForeign *f, const MlJson *names)
{
	char **texts;
	uint32_t n;

	ML_TRY(ml_foreign_labels(f->arena, names, "option \"features\"", &texts, &n));
	if (n != f->n_features)
		return ml_fail(f->arena->env, ML_EINVAL,
					   "option \"features\" has %u names, but the model has %u features", n,
					   f->n_features);
	for (uint32_t j = 0; j < n; j++)
		f->features[j].name = texts[j];
	return ML_OK;
}

/* The option "categories": {"feature": [labels of codes 0, 1, ...]}. */
static MlStatus
name_categories(MlForeign *f, const MlJson *categories)
{
	MlEnv *env = f->arena->env;

	if (categories->type != ML_JSON_OBJECT)
		return ml_fail(env, ML_EINVAL, "option \"categories\" must be an object, not %s",
					   ml_json_type_name(categories->type));
	for (size_t i = 0; i < categories->n; i++)
	{
		MlForeignFeature *feature = NULL;

		for (uint32_t j = 0; j < f->n_features && !feature; j++)
			if (strcmp(f->features[j].name, categories->keys[i]) == 0)
				feature = &f->features[j];
		if (!feature || !feature->categorical)
			return ml_fail(env, ML_EINVAL, "option \"categories\": \"%.64s\" is no %s of the model",
						   categories->keys[i], feature ? "categorical feature" : "feature");
		ML_TRY(ml_foreign_labels(f->arena, &categories->items[i], "a member of \"categories\"",
								 &feature->labels, &feature->n_labels));
	}
	return ML_OK;
}

/* Two classes or more: the user's labels, or 0, 1, 2, ... */
static MlStatus
make_classes(MlForeign *f, const MlForeignNames *names, MlModel *model)
{
	MlEnv *env = f->arena->env;
	uint32_t n = f->n_outputs > 1 ? f->n_outputs : 2, n_given;

	if (!f->classes)
		return names->classes
				   ? ml_fail(env, ML_EINVAL, "option \"classes\": the model predicts a number")
				   : ML_OK;
	model->task = ML_CLASSIFICATION;
	model->n_classes = n;
	if (names->classes)
	{
		ML_TRY(ml_foreign_labels(f->arena, names->classes, "option \"classes\"", &model->classes,
								 &n_given));
		if (n_given != n)
			return ml_fail(env, ML_EINVAL,
						   "option \"classes\" has %u labels, but the model has %u classes",
						   n_given, n);
	}
	else
	{
		model->classes = ml_arena_array(f->arena, n, sizeof(*model->classes));
		for (uint32_t k = 0; model->classes && k < n; k++)
		{
			char number[16];

			snprintf(number, sizeof number, "%u", k);
			model->classes[k] = ml_arena_text(f->arena, number, strlen(number));
			if (!model->classes[k])
				return ML_ENOMEM;
		}
		if (!model->classes)
			return ML_ENOMEM;
	}
	for (uint32_t k = 1; k < n; k++)
		for (uint32_t other = 0; other < k; other++)
			if (strcmp(model->classes[k], model->classes[other]) == 0)
				return ml_fail(env, ML_EINVAL, "option \"classes\" has \"%.64s\" twice",
							   model->classes[k]);
	return ML_OK;
}

/* ---- the schema */

static MlStatus
make_inputs(MlForeign *f, MlModel *model)
{
	static const char number[] = "double precision", text[] = "text";

	ML_TRY(ml_schema_create(f->arena, f->n_features, &model->schema));
	for (uint32_t j = 0; j < f->n_features; j++)
	{
		const MlForeignFeature *feature = &f->features[j];
		MlInput *input = &model->schema->inputs[j];

		input->name = feature->name;
		input->type_name = feature->categorical ? (char *) text : (char *) number;
		input->kind = feature->categorical ? ML_CATEGORICAL : ML_NUMERIC;
		input->width = feature->categorical ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
		input->n_slots = 1;
		if (feature->categorical)
			ML_TRY(make_levels(f, feature, input));
	}
	return ml_schema_layout(model->schema);
}

MlStatus
ml_foreign_schema(MlForeign *f, const MlForeignNames *names, MlModel *model)
{
	if (names->features)
		ML_TRY(rename_features(f, names->features));
	if (names->categories)
		ML_TRY(name_categories(f, names->categories));
	else if (f->labels_unclear)
	{
		ml_fail(f->arena->env, ML_EDATA,
				"the file has labels of categories, but does not tell of which features");
		ml_hint(f->arena->env, "Give the option \"categories\": the labels by feature.");
		return ML_EDATA;
	}
	ML_TRY(find_codes(f));
	model->task = ML_REGRESSION;
	ML_TRY(make_classes(f, names, model));
	model->n_outputs = model->n_classes > 2 ? model->n_classes : 1;
	model->threshold = ML_THRESHOLD_DEFAULT;
	model->target = ml_arena_text(f->arena, names->target, strlen(names->target));
	if (!model->target)
		return ML_ENOMEM;
	return make_inputs(f, model);
}
