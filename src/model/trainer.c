/*
 * trainer.c
 *		Taking rows: stream or collect, merge, travel.
 *
 * A streaming algorithm keeps a small state (stream.c); otherwise rows go to a
 * frame. Without a target, raw rows and frame lack its column. Both merge:
 * dictionaries by text, since two workers meet the levels in different orders.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/decision.h"

/* The widths of the frame's columns: slots, target, weight. */
static MlStatus
create_frame(MlTrainer *trainer)
{
	const MlSchema *schema = trainer->schema;
	uint32_t n = 0;
	MlWidth *widths = ml_arena_array(trainer->arena, (size_t) schema->n_slots + 4, sizeof *widths);

	if (!widths)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		for (uint32_t s = 0; s < schema->inputs[i].n_slots; s++)
			widths[n++] = schema->inputs[i].width;
	}
	if (trainer->target_at >= 0)
		widths[n++] = trainer->target_width;
	if (trainer->has_weight)
		widths[n++] = ML_WIDTH_FLOAT64;
	if (trainer->group_at >= 0)
		widths[n++] = ML_WIDTH_LEVEL;
	if (trainer->order_at >= 0)
		widths[n++] = ML_WIDTH_FLOAT64;
	return ml_frame_create(trainer->env, widths, n, &trainer->frame);
}

/* How errors name the target, which has no name beside an array of features. */
static MlStatus
name_target(MlTrainer *trainer)
{
	char words[80];
	int len = trainer->target_kind == ML_TARGET_NONE
				  ? snprintf(words, sizeof words, "a training without a target")
			  : trainer->target[0]
				  ? snprintf(words, sizeof words, "target \"%.64s\"", trainer->target)
				  : snprintf(words, sizeof words, "the label");

	trainer->target_words = ml_arena_text(trainer->arena, words, (size_t) len);
	return trainer->target_words ? ML_OK : ML_ENOMEM;
}

/* Where target, weight, group and value to order by stand behind the slots. */
static void
place_columns(MlTrainer *trainer)
{
	int64_t n = trainer->schema->n_slots;

	trainer->target_at = trainer->target_kind == ML_TARGET_NONE ? -1 : n++;
	trainer->weight_at = trainer->has_weight ? n++ : -1;
	trainer->group_at = trainer->spec->group_by ? n++ : -1;
	trainer->order_at = trainer->spec->order_by ? n++ : -1;
}

/* The fields that do not depend on rows; options are copied and parsed. */
static MlStatus
create_empty(MlArena *arena, const MlTrainerSetup *setup, MlTrainer **out)
{
	MlTrainer *trainer = ml_arena_alloc(arena, sizeof *trainer);
	MlJson *options;

	if (!trainer)
		return ML_ENOMEM;
	trainer->arena = arena;
	trainer->env = arena->env;
	trainer->options = ml_arena_text(arena, setup->options, setup->options_len);
	trainer->options_len = setup->options_len;
	trainer->schema = setup->schema;
	trainer->target = ml_arena_text(arena, setup->target, strlen(setup->target));
	trainer->target_kind = setup->target_kind;
	trainer->target_width = setup->target_width;
	trainer->has_weight = setup->has_weight;
	if (!trainer->options || !trainer->target)
		return ML_ENOMEM;
	ML_TRY(name_target(trainer));
	ML_TRY(ml_json_parse(arena, trainer->options, trainer->options_len, &options));
	ML_TRY(ml_train_spec_parse(arena, options, &trainer->spec));
	place_columns(trainer);
	ML_TRY(ml_prep_plan_create(arena, trainer->spec->prep, trainer->schema,
							   trainer->target_kind != ML_TARGET_NONE, &trainer->plan));
	*out = trainer;
	return ML_OK;
}

MlStatus
ml_trainer_create(MlArena *arena, const MlTrainerSetup *setup, MlTrainer **out)
{
	MlTrainer *trainer;
	MlTask task;

	if (setup->schema->n_features == 0)
	{
		ml_fail(arena->env, ML_EDATA,
				setup->target_kind == ML_TARGET_NONE
					? "there is no feature: no column of the query is left"
					: "there is no feature: the query has no column but the target");
		return ML_EDATA;
	}
	ML_TRY(create_empty(arena, setup, &trainer));
	if (!setup->keep_rows)
		ML_TRY(ml_train_spec_plain(arena->env, trainer->spec));
	/* A task that can't be done is known now, but for integers that may turn out to be classes. */
	ML_TRY(ml_train_spec_task(arena->env, trainer->spec, trainer->target_words,
							  trainer->target_kind, 0, &task));
	if (trainer->target_kind == ML_TARGET_TEXT)
	{
		trainer->target_levels = ml_dict_create(arena);
		if (!trainer->target_levels)
			return ML_ENOMEM;
	}
	if (trainer->group_at >= 0)
	{
		trainer->groups = ml_dict_create(arena);
		if (!trainer->groups)
			return ML_ENOMEM;
	}
	if (!setup->keep_rows && ml_stream_can(trainer, task))
		ML_TRY(ml_stream_begin(trainer, task));
	else
		ML_TRY(create_frame(trainer));
	*out = trainer;
	return ML_OK;
}

void
ml_trainer_free(MlTrainer *trainer)
{
	if (trainer && trainer->frame)
	{
		ml_frame_free(trainer->frame);
		trainer->frame = NULL;
	}
}

bool
ml_trainer_streams(const MlTrainer *trainer)
{
	return trainer->streaming != NULL;
}

const MlTrainSpec *
ml_trainer_spec(const MlTrainer *trainer)
{
	return trainer->spec;
}

MlSchema *
ml_trainer_schema(MlTrainer *trainer)
{
	return trainer->schema;
}

MlDict *
ml_trainer_target_levels(MlTrainer *trainer)
{
	return trainer->target_levels;
}

MlDict *
ml_trainer_groups(MlTrainer *trainer)
{
	return trainer->groups;
}

MlTargetKind
ml_trainer_target_kind(const MlTrainer *trainer)
{
	return trainer->target_kind;
}

/* Do two inputs read the same values, and hash the same texts? */
static bool
same_input(const MlInput *x, const MlInput *y)
{
	return strcmp(x->name, y->name) == 0 && x->kind == y->kind && x->n_slots == y->n_slots &&
		   (x->kind != ML_CATEGORICAL || ml_dict_buckets(x->levels) == ml_dict_buckets(y->levels));
}

/* The inputs of the model to go on from must be ours, by name, kind and order. */
static MlStatus
check_inputs(MlTrainer *trainer, const MlSchema *before, const char *reference)
{
	const MlSchema *now = trainer->schema;

	for (uint32_t i = 0; i < ML_MAX(now->n_inputs, before->n_inputs); i++)
	{
		const MlInput *x = i < now->n_inputs ? &now->inputs[i] : NULL;
		const MlInput *y = i < before->n_inputs ? &before->inputs[i] : NULL;

		if (x && y && same_input(x, y))
			continue;
		ml_fail(trainer->env, ML_EINVAL,
				"model \"%.64s\" cannot be continued: its column %u is %.64s%s%s, not %.64s%s%s",
				reference, i + 1, y ? y->name : "missing", y ? " " : "", y ? y->type_name : "",
				x ? x->name : "missing", x ? " " : "", x ? x->type_name : "");
		ml_hint(trainer->env, "The query must have the columns of that model, in their order.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* Levels keep the codes that the model to go on from knows them by; new ones come after. */
static MlStatus
adopt_levels(MlTrainer *trainer, const MlSchema *before)
{
	for (uint32_t i = 0; i < before->n_inputs; i++)
	{
		const MlDict *levels = before->inputs[i].levels;
		uint32_t code;

		if (before->inputs[i].kind != ML_CATEGORICAL)
			continue;
		for (uint32_t k = 0; k < ml_dict_size(levels); k++)
			ML_TRY(ml_dict_add(trainer->schema->inputs[i].levels, ml_dict_text(levels, k),
							   ml_dict_len(levels, k), &code));
	}
	return ML_OK;
}

/* The recipe stays as it was fitted: what is gone on from knows no other features. */
static MlStatus
adopt_prep(MlTrainer *trainer, const MlModel *previous, const char *reference)
{
	if (!trainer->plan && !previous->prep)
		return ML_OK;
	if (trainer->plan && previous->prep)
		return ml_prep_plan_adopt(trainer->plan, trainer->env, previous->prep, reference);
	ml_fail(trainer->env, ML_EINVAL, "model \"%.64s\" was %s", reference,
			previous->prep ? "prepared, which the training that continues it asks nothing of"
						   : "not prepared, and cannot be continued with option \"prep\"");
	ml_hint(trainer->env, "Its option \"prep\" is %.400s; a continued training keeps its recipe.",
			previous->prep && previous->prep->options[0] ? previous->prep->options : "not given");
	return ML_EINVAL;
}

MlStatus
ml_trainer_continue(MlTrainer *trainer, const MlModel *previous, const char *reference)
{
	const MlAlgo *algo = trainer->spec->algo;

	if (previous->algo != algo)
		return ml_fail(trainer->env, ML_EINVAL,
					   "model \"%.64s\" is of algorithm \"%s\", which \"%s\" cannot continue",
					   reference, previous->algo->name, algo->name);
	if (trainer->spec->search || trainer->spec->folds > 0)
		return ml_fail(trainer->env, ML_EINVAL,
					   "a training that continues model \"%.64s\" has nothing to compare by "
					   "\"search\" or \"folds\"",
					   reference);
	if (!algo->continues)
		return ml_fail(trainer->env, ML_EINVAL, "algorithm \"%s\" cannot continue a training",
					   algo->name);
	if (strcmp(previous->target, trainer->target) != 0)
		return ml_fail(trainer->env, ML_EINVAL,
					   "model \"%.64s\" predicts \"%.64s\", which %s cannot continue", reference,
					   previous->target, trainer->target_words);
	ML_TRY(check_inputs(trainer, previous->schema, reference));
	ML_TRY(adopt_levels(trainer, previous->schema));
	ML_TRY(adopt_prep(trainer, previous, reference));
	trainer->previous = previous;
	trainer->previous_name = reference;
	return ML_OK;
}

/* The weight of a row; errors name it. */
static MlStatus
check_weight(MlTrainer *trainer, double weight)
{
	if (!(weight >= 0) || isinf(weight))
	{
		ml_fail(trainer->env, ML_EDATA,
				"weight \"%.64s\" is %s in row %zu; weights are finite and not negative",
				trainer->spec->weight ? trainer->spec->weight : "",
				isnan(weight) ? "missing" : "out of range", trainer->rows + trainer->dropped + 1);
		return ML_EDATA;
	}
	return ML_OK;
}

/* What rows are split by must be there. */
static MlStatus
check_split_columns(MlTrainer *trainer, const double *raw)
{
	bool no_group = trainer->group_at >= 0 && isnan(raw[trainer->group_at]);

	if (!no_group && !(trainer->order_at >= 0 && isnan(raw[trainer->order_at])))
		return ML_OK;
	ml_fail(trainer->env, ML_EDATA, "%s column \"%.64s\" is missing in row %zu",
			no_group ? "group_by" : "order_by",
			no_group ? trainer->spec->group_by : trainer->spec->order_by,
			trainer->rows + trainer->dropped + 1);
	ml_hint(trainer->env, "Leave such rows out with a WHERE clause, or give them a value by "
						  "coalesce.");
	return ML_EDATA;
}

MlStatus
ml_trainer_add(MlTrainer *trainer, const double *raw)
{
	double y = trainer->target_at >= 0 ? raw[trainer->target_at] : 0;
	double weight = trainer->weight_at >= 0 ? raw[trainer->weight_at] : 1;

	if (isnan(y) || weight == 0)
	{
		trainer->dropped++;
		return ML_OK;
	}
	if (isinf(y))
	{
		ml_fail(trainer->env, ML_EDATA, "%s is infinite in row %zu", trainer->target_words,
				trainer->rows + trainer->dropped + 1);
		ml_hint(trainer->env, "Leave such rows out with a WHERE clause.");
		return ML_EDATA;
	}
	ML_TRY(check_weight(trainer, weight));
	if (trainer->group_at >= 0 || trainer->order_at >= 0)
		ML_TRY(check_split_columns(trainer, raw));
	trainer->rows++;
	if (!trainer->streaming)
		return ml_frame_append(trainer->frame, raw);
	return ml_stream_add(trainer, raw, y, weight);
}

MlStatus
ml_trainer_recode(MlTrainer *trainer, MlDict *ours, const MlDict *theirs, const uint32_t **out)
{
	uint32_t n = ml_dict_size(theirs);
	uint32_t *recode = ml_arena_array(trainer->arena, (size_t) n + 1, sizeof *recode);

	if (!recode)
		return ML_ENOMEM;
	for (uint32_t code = 0; code < n && ml_dict_buckets(ours); code++)
		recode[code] = code; /* the same buckets: same_setup */
	for (uint32_t code = 0; code < n && !ml_dict_buckets(ours); code++)
		ML_TRY(ml_dict_add(ours, ml_dict_text(theirs, code), ml_dict_len(theirs, code),
						   &recode[code]));
	*out = recode;
	return ML_OK;
}

/* Append other's rows to the frame, its level codes translated. */
static MlStatus
merge_frames(MlTrainer *trainer, const MlTrainer *other)
{
	MlSchema *schema = trainer->schema;
	const uint32_t **recode =
		ml_arena_array(trainer->arena, ml_frame_columns(trainer->frame), sizeof *recode);

	if (!recode)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		if (schema->inputs[i].kind == ML_CATEGORICAL)
			ML_TRY(ml_trainer_recode(trainer, schema->inputs[i].levels,
									 other->schema->inputs[i].levels,
									 &recode[schema->inputs[i].first_slot]));
	}
	if (trainer->target_kind == ML_TARGET_TEXT)
		ML_TRY(ml_trainer_recode(trainer, trainer->target_levels, other->target_levels,
								 &recode[trainer->target_at]));
	return ml_frame_concat(trainer->frame, other->frame, recode);
}

/* The two were made from the same columns and options. */
static bool
same_setup(const MlTrainer *a, const MlTrainer *b)
{
	if (a->options_len != b->options_len || memcmp(a->options, b->options, a->options_len) != 0 ||
		a->target_kind != b->target_kind || a->target_width != b->target_width ||
		a->has_weight != b->has_weight || a->streaming != b->streaming ||
		a->schema->n_inputs != b->schema->n_inputs || a->schema->n_slots != b->schema->n_slots ||
		strcmp(a->target, b->target) != 0)
		return false;
	for (uint32_t i = 0; i < a->schema->n_inputs; i++)
	{
		const MlInput *x = &a->schema->inputs[i], *y = &b->schema->inputs[i];

		if (!same_input(x, y) || x->width != y->width)
			return false;
	}
	return true;
}

MlStatus
ml_trainer_merge(MlTrainer *trainer, const MlTrainer *other)
{
	if (!same_setup(trainer, other))
		return ml_fail(trainer->env, ML_EINVAL,
					   "these training states come from different columns or options");
	ML_TRY(trainer->streaming ? ml_stream_merge(trainer, other) : merge_frames(trainer, other));
	trainer->rows += other->rows;
	trainer->dropped += other->dropped;
	return ML_OK;
}

/* Everything but the waiting block, which a streaming trainer's caller cannot flush: it travels too. */
void
ml_trainer_save(const MlTrainer *trainer, MlBuffer *out)
{
	const MlSchema *schema = trainer->schema;

	ml_put_u32(out, (uint32_t) trainer->options_len);
	ml_put_bytes(out, trainer->options, trainer->options_len);
	ml_put_text(out, trainer->target);
	ml_put_u8(out, (uint8_t) trainer->target_kind);
	ml_put_u8(out, (uint8_t) trainer->target_width);
	ml_put_u8(out, trainer->has_weight);
	ml_put_u8(out, trainer->streaming != NULL);
	ml_put_u64(out, trainer->rows);
	ml_put_u64(out, trainer->dropped);
	ml_schema_save(schema, out);
	for (uint32_t i = 0; i < schema->n_inputs; i++)
		ml_put_u8(out, (uint8_t) schema->inputs[i].width);
	if (trainer->target_kind == ML_TARGET_TEXT)
		ml_dict_save(trainer->target_levels, out);
	if (trainer->streaming)
		ml_stream_save(trainer, out);
	else
		ml_frame_save(trainer->frame, out);
}

/* Are all values of a column what the trainer would have put there? */
static bool
sound_column(const MlTrainer *trainer, uint32_t column, const MlDict *levels, bool may_miss)
{
	MlFrameRange range = ml_frame_range(trainer->frame, column);

	if (!may_miss && range.n_missing > 0)
		return false;
	return !levels || (range.max < (double) ml_dict_size(levels) && !(range.min < 0));
}

/* Every column of a loaded frame: codes of levels that are there, targets and weights that can be used. */
static bool
sound_frame(const MlTrainer *trainer)
{
	const MlSchema *schema = trainer->schema;

	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		if (schema->inputs[i].kind == ML_CATEGORICAL &&
			!sound_column(trainer, schema->inputs[i].first_slot, schema->inputs[i].levels, true))
			return false;
	}
	if (trainer->rows > 0 && trainer->target_at >= 0 &&
		!sound_column(trainer, (uint32_t) trainer->target_at, trainer->target_levels, false))
		return false;
	if (trainer->rows > 0 && trainer->weight_at >= 0)
	{
		MlFrameRange range = ml_frame_range(trainer->frame, (uint32_t) trainer->weight_at);

		return range.n_missing == 0 && range.min > 0 && range.max < INFINITY;
	}
	return true;
}

/* The frame's columns must be the slots, the target and the weight, and hold what they may. */
static MlStatus
load_frame(MlReader *in, MlTrainer *trainer)
{
	uint32_t n_columns =
		trainer->schema->n_slots + (trainer->target_at >= 0) + (trainer->weight_at >= 0);

	ML_TRY(ml_frame_load(in, trainer->env, &trainer->frame));
	if (ml_frame_columns(trainer->frame) != n_columns ||
		ml_frame_rows(trainer->frame) != trainer->rows || !sound_frame(trainer))
	{
		ml_trainer_free(trainer);
		return ml_corrupt(trainer->env, "collected rows");
	}
	return ML_OK;
}

/* Options, target and flags, as ml_trainer_save wrote them. */
static MlStatus
load_setup(MlReader *in, MlArena *arena, MlTrainer **trainer, bool *streams)
{
	MlTrainerSetup setup = {0};
	size_t rows, dropped;
	uint8_t kind, width;
	MlStatus status;

	setup.options_len = ml_get_count(in, 1);
	setup.options = (const char *) ml_get_bytes(in, setup.options_len);
	setup.target = ml_get_text(in, arena);
	kind = ml_get_u8(in);
	width = ml_get_u8(in);
	setup.has_weight = ml_get_u8(in) != 0;
	*streams = ml_get_u8(in) != 0;
	rows = ml_get_u64(in);
	dropped = ml_get_u64(in);
	ML_TRY(ml_reader_check(in, "training state"));
	if (kind >= ML_N_TARGET_KINDS || width > ML_WIDTH_LEVEL ||
		(kind == ML_TARGET_TEXT) != (width == ML_WIDTH_LEVEL))
		return ml_corrupt(arena->env, "training state");
	setup.target_kind = (MlTargetKind) kind;
	setup.target_width = (MlWidth) width;
	ML_TRY(ml_schema_load(in, arena, &setup.schema));
	for (uint32_t i = 0; i < setup.schema->n_inputs; i++)
	{
		width = ml_get_u8(in);
		if (width > ML_WIDTH_LEVEL)
			return ml_corrupt(arena->env, "column widths");
		setup.schema->inputs[i].width = (MlWidth) width;
	}
	status = create_empty(arena, &setup, trainer);
	if (status == ML_OK)
		status = ml_train_spec_plain(arena->env, (*trainer)->spec);
	if (status == ML_EINVAL)
		return ml_corrupt(arena->env, "training options");
	ML_TRY(status);
	(*trainer)->rows = rows;
	(*trainer)->dropped = dropped;
	return ML_OK;
}

MlStatus
ml_trainer_load(MlReader *in, MlArena *arena, MlTrainer **out)
{
	MlTrainer *trainer = NULL;
	bool streams;

	ML_TRY(load_setup(in, arena, &trainer, &streams));
	if (trainer->target_kind == ML_TARGET_TEXT)
		ML_TRY(ml_dict_load(in, arena, &trainer->target_levels));
	ML_TRY(streams ? ml_stream_load(in, trainer) : load_frame(in, trainer));
	*out = trainer;
	return ML_OK;
}
