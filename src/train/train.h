/*
 * train.h
 *		Training in SQL: the state behind the aggregates, and create_model.
 */
#ifndef MLPLAT_TRAIN_H
#define MLPLAT_TRAIN_H

#include "pg/binder.h"
#include "pg/bridge.h"
#include "pg/state.h"

/* A training that takes rows: a trainer, and how rows reach it. */
typedef struct MlplatTrainState
{
	MlEnv *env;
	MlArena arena;
	MlTrainer *trainer;
	MlplatTraining
		*training; /* how rows of a row type are read; NULL in a state that has travelled */
	Oid type;      /* of those rows */
	int32 typmod;
	TupleDesc desc;
	Datum *values;
	bool *nulls;
	double *raw;
	uint64 n_read; /* rows, in this process */
} MlplatTrainState;

/* What a training is told before its first row. */
typedef struct MlplatTrainSetup
{
	const char *target;  /* NULL: none */
	const char *options; /* the flat JSON object */
	bool keep_rows;      /* collect even where the algorithm could stream */
} MlplatTrainSetup;

/* A state below parent; nothing is known of rows and options yet. */
extern MlplatTrainState *mlplat_train_state_create(MemoryContext parent);

/* Parse the options into the state's arena, for the binder. */
extern MlTrainSpec *mlplat_train_spec(MlplatTrainState *state, const char *options);

/* Make the trainer for rows of desc. values and nulls: a first row, may be NULL without array columns. */
extern void mlplat_train_begin(MlplatTrainState *state, TupleDesc desc,
							   const MlplatTrainSetup *setup, const Datum *values,
							   const bool *nulls);

/* Add one row of that row type. */
extern void mlplat_train_row(MlplatTrainState *state, const Datum *values, const bool *nulls);

/* How such a state merges and travels. */
extern const MlStateKind mlplat_train_kind;
extern void mlplat_train_register(void);

#endif
