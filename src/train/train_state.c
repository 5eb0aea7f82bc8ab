/*
 * train_state.c
 *		The state of a training: rows in, merged, sent.
 *
 * One state serves all faces: train over records, over columns, over arrays,
 * and create_model. Its environment, and so all its memory and threads, hangs
 * below the context that the caller gives.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/memutils.h"

#include "pg/progress.h"
#include "pg/state.h"
#include "train/train.h"

MlplatTrainState *
mlplat_train_state_create(MemoryContext parent)
{
	MlplatTrainState *state = MemoryContextAllocZero(parent, sizeof *state);

	state->env = mlplat_env_create(parent, "training");
	ml_arena_init(&state->arena, state->env);
	return state;
}

MlTrainSpec *
mlplat_train_spec(MlplatTrainState *state, const char *options)
{
	MlJson *json;
	MlTrainSpec *spec;

	mlplat_check(state->env, ml_json_parse(&state->arena, options, strlen(options), &json));
	mlplat_check(state->env, ml_train_spec_parse(&state->arena, json, &spec));
	return spec;
}

void
mlplat_train_begin(MlplatTrainState *state, TupleDesc desc, const MlplatTrainSetup *setup,
				   const Datum *values, const bool *nulls)
{
	MemoryContext old = MemoryContextSwitchTo(mlplat_env_context(state->env));
	MlTrainSpec *spec = mlplat_train_spec(state, setup->options);
	MlTrainerSetup trainer = {
		.options = setup->options,
		.options_len = strlen(setup->options),
		.target = setup->target ? setup->target : "",
		.has_weight = spec->weight != NULL,
		.keep_rows = setup->keep_rows,
	};

	state->desc = CreateTupleDescCopy(desc);
	state->values = palloc(sizeof(Datum) * (desc->natts + 1));
	state->nulls = palloc(sizeof(bool) * (desc->natts + 1));
	state->training =
		mlplat_bind_training(&state->arena, state->desc, spec, setup->target, values, nulls);
	trainer.schema = state->training->schema;
	trainer.target_kind = state->training->target_kind;
	trainer.target_width = state->training->target_width;
	mlplat_check(state->env, ml_trainer_create(&state->arena, &trainer, &state->trainer));
	if (state->training->target_column >= 0)
		state->training->binding.columns[state->training->target_column].levels =
			ml_trainer_target_levels(state->trainer);
	if (state->training->group_column >= 0)
		state->training->binding.columns[state->training->group_column].levels =
			ml_trainer_groups(state->trainer);
	state->raw = palloc(sizeof(double) * (state->training->binding.n_raw + 1));
	MemoryContextSwitchTo(old);
}

void
mlplat_train_row(MlplatTrainState *state, const Datum *values, const bool *nulls)
{
	MlStatus status;

	if (++state->n_read % MLPLAT_PROGRESS_ROWS == 0)
		mlplat_progress_rows(state->env, state->n_read);
	mlplat_bind_row(&state->training->binding, values, nulls, state->raw);
	status = ml_trainer_add(state->trainer, state->raw);
	if (status != ML_OK)
		mlplat_check(state->env, status);
}

/* ---- the kind: how such a state merges and travels ---- */

static void
train_merge(void *data, const void *other, MemoryContext context pg_attribute_unused())
{
	MlplatTrainState *state = data;

	mlplat_check(state->env,
				 ml_trainer_merge(state->trainer, ((const MlplatTrainState *) other)->trainer));
}

static void
train_save(const void *data, MlBuffer *out)
{
	ml_trainer_save(((const MlplatTrainState *) data)->trainer, out);
}

static void *
train_load(MlReader *in, MemoryContext context)
{
	MlplatTrainState *state = mlplat_train_state_create(context);
	MlReader mine = *in;

	mine.env = state->env;
	mlplat_check(state->env, ml_trainer_load(&mine, &state->arena, &state->trainer));
	in->pos = mine.pos;
	in->failed = mine.failed;
	return state;
}

const MlStateKind mlplat_train_kind = {
	.code = MLPLAT_STATE_TRAINER,
	.name = "training",
	.merge = train_merge,
	.save = train_save,
	.load = train_load,
};

void
mlplat_train_register(void)
{
	mlplat_state_register(&mlplat_train_kind);
}
