/*
 * dataset.h
 *		What a resident algorithm trains on: a frame seen through its schema.
 */
#ifndef ML_DATASET_H
#define ML_DATASET_H

#include "data/frame.h"

typedef enum MlTask
{
	ML_REGRESSION = 0,
	ML_CLASSIFICATION, /* binary when n_classes is 2 */
	ML_CLUSTERING,
	ML_ANOMALY,
	ML_DECOMPOSITION
} MlTask;
#define ML_N_TASKS 5
#define ML_TASK_BIT(task) (1u << (task))

/* Tasks that predict a column; the others take no target. */
#define ML_TASKS_WITH_TARGET (ML_TASK_BIT(ML_REGRESSION) | ML_TASK_BIT(ML_CLASSIFICATION))

extern const char *ml_task_name(MlTask task);

/* A subset of rows; index NULL: rows 0..n-1. Indexes ascend. */
typedef struct MlRows
{
	const uint32_t *index;
	size_t n;
} MlRows;

struct MlPrepPlan;
struct MlPrepView;

typedef struct MlDataset
{
	const MlSchema
		*schema; /* of the features that are read: with a view, those that a recipe makes */
	const MlFrame *frame;
	const struct MlPrepPlan *plan; /* to be fitted before an algorithm sees the rows; NULL: none */
	const struct MlPrepView *view; /* the rows through a fitted recipe; NULL: as they are */
	MlTask task;
	uint32_t n_classes;    /* classification: >= 2 */
	int64_t target_column; /* in the frame; -1: no target */
	int64_t weight_column; /* -1: all weights are 1 */
	/*
	 * The class of a target value t: its position k in class_value (n_classes distinct values, ascending),
	 * or k = t itself, a level code, where class_value is NULL; then class_of[k], or k where that is NULL.
	 */
	const double *class_value;
	const uint32_t *class_of;
	const double *class_weight; /* n_classes factors on the row weight; NULL: none */
	char *const *labels;        /* of the classes */
} MlDataset;

/* Values of rows[first..first+n-1] as doubles. Features: NaN missing, ML_UNSEEN, else value or code. */
extern void ml_dataset_feature(const MlDataset *data, uint32_t feature, const MlRows *rows,
							   size_t first, size_t n, double *out);
extern void ml_dataset_target(const MlDataset *data, const MlRows *rows, size_t first, size_t n,
							  double *out);
extern void ml_dataset_weight(const MlDataset *data, const MlRows *rows, size_t first, size_t n,
							  double *out);

/* Feature vectors of rows[first..first+n-1], row-major: out[i * n_features + j]. */
extern void ml_dataset_block(const MlDataset *data, const MlRows *rows, size_t first, size_t n,
							 double *out);

#endif /* ML_DATASET_H */
