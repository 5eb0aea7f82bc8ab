/*
 * trainer.h
 *		From rows to an image: what both faces of train and create_model share.
 *
 * A trainer takes raw rows one by one, streams or collects them as its
 * algorithm wants, merges with another, travels as bytes, and finishes as an
 * image.
 */
#ifndef ML_TRAINER_H
#define ML_TRAINER_H

#include "model/model.h"

/* How the target column is to be read. */
typedef enum MlTargetKind
{
	ML_TARGET_NONE,
	ML_TARGET_NUMBER,  /* int, float, numeric */
	ML_TARGET_INTEGER, /* two distinct values make it a class in task 'auto' */
	ML_TARGET_BOOL,    /* 0 and 1; classes "false", "true" */
	ML_TARGET_TEXT     /* codes of target_levels */
} MlTargetKind;

/* The options of training that are not an algorithm's own; parsed from the flat object. */
typedef struct MlTrainSpec
{
	const MlAlgo *algo;
	MlParams params; /* the algorithm's */
	MlParams common;
	bool auto_task;
	MlTask task;
	const char *positive; /* label of the positive class, or NULL */
	uint64_t seed;
	const MlJson *prep;
	const MlJson *exclude;
	const char *weight;
	const char *metric;
	const MlJson *options; /* the whole object */
} MlTrainSpec;

/* The table of common options, for validation and docs. */
extern const MlParam ml_train_params[];

/* options: the flat JSON object; target_kind decides what 'auto' means. */
extern MlStatus ml_train_spec_parse(MlArena *arena, const MlJson *options, MlTrainSpec **spec);

typedef struct MlTrainer MlTrainer;

typedef struct MlTrainerSetup
{
	const MlTrainSpec *spec;
	MlSchema *schema;   /* laid out; its dictionaries grow as rows come */
	const char *target; /* name, "" when positional */
	MlTargetKind target_kind;
	MlWidth target_width;
	bool has_weight;
	bool keep_rows; /* collect even where the algorithm could stream: for a hold-out */
} MlTrainerSetup;

extern MlStatus ml_trainer_create(MlArena *arena, const MlTrainerSetup *setup, MlTrainer **trainer);
extern void ml_trainer_free(MlTrainer *trainer);

/* True when the algorithm streams these inputs, so that no rows are kept. */
extern bool ml_trainer_streams(const MlTrainer *trainer);
extern MlDict *ml_trainer_target_levels(MlTrainer *trainer); /* ML_TARGET_TEXT: add labels here */

/*
 * raw: n_slots values and then target and weight. A NaN target is counted and left out; a weight that is
 * missing, negative or not finite is ML_EDATA; a zero weight leaves the row out.
 */
extern MlStatus ml_trainer_add(MlTrainer *trainer, const double *raw);
extern MlStatus ml_trainer_merge(MlTrainer *trainer, const MlTrainer *other);
extern void ml_trainer_save(const MlTrainer *trainer, MlBuffer *out);
extern MlStatus ml_trainer_load(MlReader *in, MlArena *arena, MlTrainer **trainer);

typedef struct MlTrainResult
{
	MlModel *model;   /* in the arena given to finish */
	MlBuffer image;   /* bytes for the registry */
	MlBuffer metrics; /* JSON object: metrics of the hold-out; "{}" without one */
	size_t rows;      /* used, hold-out included */
	size_t dropped;   /* rows without a target, or with weight zero */
	size_t valid_rows;
	const char *metric; /* the one that scores, e.g. "log_loss" */
	double score;       /* NaN without a hold-out */
	bool greater_is_better;
} MlTrainResult;

/* holdout: share of rows kept for evaluation, 0 = none. May be called once. */
extern MlStatus ml_trainer_finish(MlTrainer *trainer, MlArena *arena, double holdout, bool refit,
								  MlTrainResult *result);

#endif /* ML_TRAINER_H */
