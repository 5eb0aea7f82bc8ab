/*
 * trainer_state.h
 *		The inside of a trainer, for the files that implement it.
 */
#ifndef ML_TRAINER_STATE_H
#define ML_TRAINER_STATE_H

#include "model/trainer.h"

/* Rows wait in a small block, so that a streaming algorithm sees many at a time. */
#define ML_TRAINER_BLOCK 256

/* The classes of a streaming classifier, by code: in order of appearance. */
typedef struct MlStreamClasses
{
	double *value;    /* n: the target's value, of text its level code */
	uint32_t *order;  /* n: the codes, by ascending value */
	uint32_t n, last; /* last: the code that was asked for last */
} MlStreamClasses;

struct MlClasses;

struct MlTrainer
{
	MlArena *arena;
	MlEnv *env;
	char *options; /* JSON text, for the trip to another process */
	size_t options_len;
	MlTrainSpec *spec;
	MlSchema *schema;
	char *target;
	char *target_words; /* target "y", or the label */
	MlTargetKind target_kind;
	MlWidth target_width;
	bool has_weight;
	int64_t target_at, weight_at; /* in a raw row and in the frame; -1: none */
	int64_t group_at, order_at;   /* likewise */
	MlDict *groups;               /* levels of the group_by column */
	MlPrepPlan *plan;             /* the recipe to be fitted, or NULL */
	const MlModel *previous;      /* to go on from, or NULL */
	const char *previous_name;
	MlDict *target_levels; /* ML_TARGET_TEXT */
	size_t rows, dropped;

	/* streaming */
	const MlStreaming *streaming; /* NULL: rows are collected */
	MlStreamInput stream_input;
	void *stream;
	double *block_x, *block_y, *block_w;
	size_t n_block;
	MlStreamClasses classes;

	/* resident */
	MlFrame *frame;
};

/* stream.c: the streaming way. Does the algorithm stream these inputs for this task? */
extern bool ml_stream_can(const MlTrainer *trainer, MlTask task);
extern MlStatus ml_stream_begin(MlTrainer *trainer, MlTask task);
extern MlStatus ml_stream_add(MlTrainer *trainer, const double *raw, double y, double weight);
extern MlStatus ml_stream_merge(MlTrainer *trainer, const MlTrainer *other);
extern void ml_stream_save(const MlTrainer *trainer, MlBuffer *out);
extern MlStatus ml_stream_load(MlReader *in, MlTrainer *trainer);

/* Make the model; classes: of a classifier, made by ml_target_classes. */
extern MlStatus ml_stream_finish(MlTrainer *trainer, MlArena *arena,
								 const struct MlClasses *classes, MlFitReport *report,
								 void **model);

/* The codes that other's levels have in ours; new ones are added. */
extern MlStatus ml_trainer_recode(MlTrainer *trainer, MlDict *ours, const MlDict *theirs,
								  const uint32_t **out);

/* What the target's values mean: made by ml_target_classes. */
typedef struct MlClasses
{
	MlTask task;
	uint32_t n;
	char **labels;
	uint32_t *class_of;  /* by level code of text, by rank of numbers */
	double *class_value; /* numbers: the distinct values, ascending */
} MlClasses;

extern MlStatus ml_target_too_many(const MlTrainer *trainer); /* the error */
extern MlStatus ml_target_classes(MlTrainer *trainer, MlArena *arena, MlClasses *classes);

#endif /* ML_TRAINER_STATE_H */
