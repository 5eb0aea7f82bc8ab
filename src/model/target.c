/*
 * target.c
 *		What the values of the target are: a number to predict, or classes.
 *
 * Labels of text are sorted by their bytes, numbers by value, booleans false
 * then true; the last of two is the positive class, unless the option
 * "positive" names the other.
 */
#include <string.h>

#include "model/trainer_state.h"

#define READ_BLOCK 4096

/* What is done with each value of the target; false ends the reading. */
typedef bool (*TargetFn)(void *arg, double value);

/* Read the target of all collected rows, in order. */
static MlStatus
read_target(const MlTrainer *trainer, TargetFn use, void *arg)
{
	size_t n_rows = ml_frame_rows(trainer->frame);
	double *block = ml_alloc_array(trainer->env, READ_BLOCK, sizeof(double));
	bool more = true;
	MlStatus status = ML_OK;

	if (!block)
		return ML_ENOMEM;
	for (size_t first = 0; first < n_rows && more && status == ML_OK; first += READ_BLOCK)
	{
		size_t count = ML_MIN((size_t) READ_BLOCK, n_rows - first);

		status = ml_poll(trainer->env);
		ml_frame_read(trainer->frame, (uint32_t) trainer->target_at, first, count, block);
		for (size_t i = 0; i < count && more; i++)
			more = use(arg, block[i]);
	}
	ml_free(trainer->env, block);
	return status;
}

/* The values of the target: of all rows, or of each class of a streaming classifier. */
static MlStatus
each_target(const MlTrainer *trainer, TargetFn use, void *arg)
{
	if (!trainer->streaming)
		return read_target(trainer, use, arg);
	for (uint32_t k = 0; k < trainer->classes.n; k++)
		use(arg, trainer->classes.value[k]);
	return ML_OK;
}

/* ---- distinct numbers ---- */

/* The distinct numbers so far, ascending; n is ML_MAX_CLASSES + 1 when there are more than that. */
typedef struct Distinct
{
	double *values; /* ML_MAX_CLASSES */
	size_t n;
} Distinct;

/* Insert the value unless it is there; false: there are too many. */
static bool
insert_distinct(void *arg, double value)
{
	Distinct *distinct = arg;
	double x = value == 0 ? 0 : value; /* no minus zero */
	size_t low = 0, high = distinct->n;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (distinct->values[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < distinct->n && distinct->values[low] == x)
		return true;
	if (distinct->n == ML_MAX_CLASSES)
	{
		distinct->n++;
		return false;
	}
	memmove(distinct->values + low + 1, distinct->values + low,
			(distinct->n - low) * sizeof(double));
	distinct->values[low] = x;
	distinct->n++;
	return true;
}

/* ---- classes ---- */

MlStatus
ml_target_too_many(const MlTrainer *trainer)
{
	ml_fail(trainer->env, ML_EDATA, "%s has more than %d classes", trainer->target_words,
			ML_MAX_CLASSES);
	ml_hint(trainer->env, "Group the rare ones, or predict a number by task \"regression\".");
	return ML_EDATA;
}

/* Note that a level code occurs: a level may have come only with a row of weight zero. */
static bool
mark_used(void *used, double code)
{
	((bool *) used)[(size_t) code] = true;
	return true;
}

/* Classes from the levels of a text target, sorted by their bytes. */
static MlStatus
text_classes(const MlTrainer *trainer, MlArena *arena, MlClasses *classes)
{
	const MlDict *dict = trainer->target_levels;
	uint32_t n = ml_dict_size(dict);
	bool *used = ml_arena_array(arena, (size_t) n + 1, sizeof(bool));

	classes->class_of = ml_arena_array(arena, (size_t) n + 1, sizeof(uint32_t));
	if (!used || !classes->class_of)
		return ML_ENOMEM;
	ML_TRY(each_target(trainer, mark_used, used));
	for (uint32_t code = 0; code < n; code++)
		classes->n += used[code];
	if (classes->n > ML_MAX_CLASSES)
		return ml_target_too_many(trainer);
	classes->labels = ml_arena_array(arena, (size_t) classes->n + 1, sizeof(char *));
	if (!classes->labels)
		return ML_ENOMEM;
	for (uint32_t code = 0; code < n; code++)
	{
		uint32_t rank = 0;

		if (!used[code])
			continue;
		for (uint32_t other = 0; other < n; other++)
			rank += used[other] && strcmp(ml_dict_text(dict, other), ml_dict_text(dict, code)) < 0;
		classes->class_of[code] = rank;
		classes->labels[rank] =
			ml_arena_text(arena, ml_dict_text(dict, code), ml_dict_len(dict, code));
		if (!classes->labels[rank])
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* Classes from distinct numbers; booleans have their own labels. */
static MlStatus
number_classes(const MlTrainer *trainer, MlArena *arena, const Distinct *distinct,
			   MlClasses *classes)
{
	const double *values = distinct->values;
	size_t n = distinct->n;

	if (n > ML_MAX_CLASSES)
		return ml_target_too_many(trainer);
	classes->n = (uint32_t) n;
	classes->labels = ml_arena_array(arena, n + 1, sizeof(char *));
	classes->class_of = ml_arena_array(arena, n + 1, sizeof(uint32_t));
	classes->class_value = ml_arena_array(arena, n + 1, sizeof(double));
	if (!classes->labels || !classes->class_of || !classes->class_value)
		return ML_ENOMEM;
	for (size_t k = 0; k < n; k++)
	{
		char number[32];
		int len = ml_format_double(number, values[k]);

		classes->class_value[k] = values[k];
		classes->class_of[k] = (uint32_t) k;
		if (trainer->target_kind == ML_TARGET_BOOL)
			classes->labels[k] =
				ml_arena_text(arena, values[k] != 0 ? "true" : "false", values[k] != 0 ? 4 : 5);
		else
			classes->labels[k] = ml_arena_text(arena, number, (size_t) len);
		if (!classes->labels[k])
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* Make the label that the option "positive" names class 1. */
static MlStatus
choose_positive(const MlTrainer *trainer, MlClasses *classes)
{
	const char *positive = trainer->spec->positive;
	char *label;

	if (!positive)
		return ML_OK;
	if (classes->n != 2)
		return ml_fail(trainer->env, ML_EINVAL, "option \"positive\" is for two classes; %s has %u",
					   trainer->target_words, classes->n);
	if (strcmp(classes->labels[1], positive) == 0)
		return ML_OK;
	if (strcmp(classes->labels[0], positive) != 0)
		return ml_fail(trainer->env, ML_EINVAL,
					   "option \"positive\" is \"%.64s\"; the classes are \"%.64s\" and \"%.64s\"",
					   positive, classes->labels[0], classes->labels[1]);
	label = classes->labels[0];
	classes->labels[0] = classes->labels[1];
	classes->labels[1] = label;
	for (int k = 0; k < 2; k++)
		classes->class_of[k] = 1 - classes->class_of[k];
	return ML_OK;
}

/* The task, and the classes when it is classification. */
MlStatus
ml_target_classes(MlTrainer *trainer, MlArena *arena, MlClasses *classes)
{
	Distinct distinct = {0};

	memset(classes, 0, sizeof *classes);
	if (trainer->target_kind != ML_TARGET_TEXT && trainer->target_kind != ML_TARGET_NONE)
	{
		distinct.values = ml_arena_array(arena, ML_MAX_CLASSES, sizeof(double));
		if (!distinct.values)
			return ML_ENOMEM;
		ML_TRY(each_target(trainer, insert_distinct, &distinct));
	}
	ML_TRY(ml_train_spec_task(trainer->env, trainer->spec, trainer->target_words,
							  trainer->target_kind, distinct.n, &classes->task));
	if (classes->task != ML_CLASSIFICATION)
		return ML_OK;
	if (trainer->target_kind == ML_TARGET_TEXT)
		ML_TRY(text_classes(trainer, arena, classes));
	else
		ML_TRY(number_classes(trainer, arena, &distinct, classes));
	if (classes->n < 2)
	{
		ml_fail(trainer->env, ML_EDATA, "%s has one class only: \"%.64s\"", trainer->target_words,
				classes->labels[0]);
		ml_hint(trainer->env, "A classifier needs rows of at least two classes.");
		return ML_EDATA;
	}
	return choose_positive(trainer, classes);
}
