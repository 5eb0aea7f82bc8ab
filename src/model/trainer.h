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
#include "model/threshold.h"

/* How the target column is to be read. */
typedef enum MlTargetKind
{
	ML_TARGET_NUMBER,  /* float, numeric */
	ML_TARGET_INTEGER, /* two distinct values make it a class in task 'auto' */
	ML_TARGET_BOOL,    /* 0 and 1; classes "false", "true" */
	ML_TARGET_TEXT,    /* codes of the trainer's target levels */
	ML_TARGET_NONE     /* no target: clustering, anomalies, decomposition */
} MlTargetKind;
#define ML_N_TARGET_KINDS 5

/* Indexes of ml_train_params. */
enum
{
	ML_TRAIN_ALGORITHM,
	ML_TRAIN_TASK,
	ML_TRAIN_POSITIVE,
	ML_TRAIN_SEED,
	ML_TRAIN_EXCLUDE,
	ML_TRAIN_WEIGHT,
	ML_TRAIN_CLASS_WEIGHT,
	ML_TRAIN_PREP,
	ML_TRAIN_METRIC,
	ML_TRAIN_REFIT,
	ML_TRAIN_CALIBRATION,
	ML_TRAIN_CALIBRATION_FOLDS,
	ML_TRAIN_THRESHOLD,
	ML_TRAIN_GROUP_BY,
	ML_TRAIN_ORDER_BY,
	ML_TRAIN_FOLDS,
	ML_TRAIN_SEARCH,
	ML_TRAIN_TIME_BUDGET
};

/* The table of common options, for validation and docs. */
extern const MlParam ml_train_params[];

/* The options of a training, parsed from the flat object. */
typedef struct MlTrainSpec
{
	const MlAlgo *algo;
	bool is_auto;    /* algo is what 'auto' stands for where nothing is compared */
	MlParams params; /* the algorithm's */
	MlParams common;
	bool auto_task;
	MlTask task;          /* when not auto_task */
	const char *positive; /* label of the positive class, or NULL */
	uint64_t seed;
	const MlJson *exclude;      /* array of names, or NULL, or JSON null */
	const char *weight;         /* column, or NULL */
	bool balanced;              /* class_weight */
	const MlJson *class_weight; /* object of factors by label, or NULL */
	MlCalibrationKind calibration;
	MlThresholdRule threshold;
	const MlPrepSpec *prep; /* how columns are read and prepared */
	const char *metric;     /* NULL: the task's default */
	bool refit;

	/* create_model only: how rows are split, and what is compared on them */
	const char *group_by, *order_by; /* columns, or NULL */
	uint32_t folds;                  /* 0: none */
	const MlJson *search;            /* NULL: none */
	double time_budget;              /* seconds; NaN: the default */
} MlTrainSpec;

extern MlStatus ml_train_spec_parse(MlArena *arena, const MlJson *options, MlTrainSpec **spec);
/* Refuse what only create_model can do: split rows and compare candidates. */
extern MlStatus ml_train_spec_plain(MlEnv *env, const MlTrainSpec *spec);
extern MlStatus ml_train_spec_task(MlEnv *env, const MlTrainSpec *spec, const char *words,
								   MlTargetKind kind, size_t n_distinct, MlTask *task);

typedef struct MlTrainer MlTrainer;

typedef struct MlTrainerSetup
{
	const char *options; /* JSON text of the flat object */
	size_t options_len;
	MlSchema *schema;   /* laid out; its dictionaries grow as rows come */
	const char *target; /* name, "" when positional or none */
	MlTargetKind target_kind;
	MlWidth target_width;
	bool has_weight;
	bool keep_rows; /* collect even where the algorithm could stream: for a hold-out or folds */
} MlTrainerSetup;

/* The trainer and all it keeps lives in the arena, but for the frame: ml_trainer_free. */
extern MlStatus ml_trainer_create(MlArena *arena, const MlTrainerSetup *setup, MlTrainer **trainer);
extern void ml_trainer_free(MlTrainer *trainer);

/* True when the algorithm streams these inputs, so that no rows are kept. */
extern bool ml_trainer_streams(const MlTrainer *trainer);
extern const MlTrainSpec *ml_trainer_spec(const MlTrainer *trainer);
extern MlSchema *ml_trainer_schema(MlTrainer *trainer);
extern MlDict *ml_trainer_target_levels(MlTrainer *trainer); /* ML_TARGET_TEXT: add labels here */
extern MlDict *
ml_trainer_groups(MlTrainer *trainer); /* group_by: add its levels here; NULL: none */
extern MlTargetKind ml_trainer_target_kind(const MlTrainer *trainer);

/*
 * Before the first row: fit from where previous ended, a model of the same algorithm, task and inputs, which must
 * live as long as the trainer. reference: its name, for the facts.
 */
extern MlStatus ml_trainer_continue(MlTrainer *trainer, const MlModel *previous,
									const char *reference);

/*
 * raw: n_slots values, then the target, the weight, the group and the value to order by, if there are any. A
 * missing target is counted and left out, so is a weight of zero; an infinite target, a weight that is missing,
 * negative or infinite, and a missing group or value to order by, are ML_EDATA.
 */
extern MlStatus ml_trainer_add(MlTrainer *trainer, const double *raw);
extern MlStatus ml_trainer_merge(MlTrainer *trainer, const MlTrainer *other);
extern void ml_trainer_save(const MlTrainer *trainer, MlBuffer *out);
extern MlStatus ml_trainer_load(MlReader *in, MlArena *arena, MlTrainer **trainer);

typedef struct MlTrainOptions
{
	double holdout; /* share of rows kept for evaluation, 0 = none */
	bool refit;     /* after the evaluation, fit again on all rows */
	bool
		compare; /* run the search, the folds or the candidates of 'auto' that the options ask for */
} MlTrainOptions;

typedef struct MlTrainResult
{
	MlModel *model;  /* in the arena given to finish */
	MlBuffer image;  /* bytes for the registry */
	MlBuffer info;   /* the INFO section: a JSON object */
	MlBuffer trials; /* a JSON array of what was compared; empty: nothing was */
	size_t rows;     /* used, hold-out included */
	size_t dropped;  /* rows without a target, or with weight zero */
	size_t valid_rows;
	const char *metric; /* the one that scores, e.g. "log_loss" */
	double score;       /* on the hold-out; without one the mean over folds; else NaN */
} MlTrainResult;

/* May be called once. The buffers of the result are the caller's to free. */
extern MlStatus ml_trainer_finish(MlTrainer *trainer, MlArena *arena, const MlTrainOptions *options,
								  MlTrainResult *result);

#endif /* ML_TRAINER_H */
