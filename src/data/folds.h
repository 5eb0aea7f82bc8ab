/*
 * folds.h
 *		Hold-outs and folds of rows: at random, by group, in order of time.
 *
 * Words: a *part* is a set of rows that is kept apart from others: the hold-out,
 * or one fold. At random, each class keeps its share in every part (stratified).
 * By group, all rows of a group are in one part, and the parts come as near to
 * their shares of rows and classes as groups allow. In order, rows are cut by
 * a value (a time), equal values never apart: the hold-out are the last rows,
 * and fold k trains on the rows before it only (forward chaining).
 */
#ifndef ML_FOLDS_H
#define ML_FOLDS_H

#include "data/dataset.h"

#define ML_MAX_FOLDS 1000

/* What is split, and how. With group_column >= 0 by group, with order_column >= 0 in order; not both. */
typedef struct MlSplitInput
{
	const MlDataset *data;
	MlRows rows;
	uint64_t seed;
	int64_t group_column;      /* of the frame: codes from 0; -1: none */
	int64_t order_column;      /* of the frame: numbers; -1: none */
	const char *group, *order; /* their names, for errors */
} MlSplitInput;

/*
 * Take a share (0..1) of the rows out as a hold-out. Index arrays are allocated in arena, ascending. No rows are held
 * out when the share comes to none. ML_EDATA where there is one group, or one value to order by, only.
 */
extern MlStatus ml_split_holdout(MlArena *arena, const MlSplitInput *input, double share,
								 MlRows *train, MlRows *valid);

typedef struct MlFolds
{
	MlRows rows;
	uint32_t n;
	bool ordered;
	/* By position in rows. At random and by group: the fold that the row is tested in. In order: blocks 0..n, of which
	 * fold k trains on blocks 0..k and is tested on block k + 1. */
	uint16_t *part;
} MlFolds;

/* Divide the rows into n folds, 2 <= n <= ML_MAX_FOLDS. The array is allocated in arena. */
extern MlStatus ml_folds_create(MlArena *arena, const MlSplitInput *input, uint32_t n,
								MlFolds *folds);

/* Rows that fold k trains on and is tested on, ascending: arrays with room for all rows. */
extern void ml_folds_rows(const MlFolds *folds, uint32_t k, uint32_t *train, size_t *n_train,
						  uint32_t *valid, size_t *n_valid);

/* ML_EDATA where rows to train a classifier on have fewer than two classes. */
extern MlStatus ml_check_classes(MlEnv *env, const MlDataset *data, const MlRows *rows);

/* ---- folds_by.c: parts of rows by group and in order; part[i] is that of rows[i]. */

/* shares: n_parts numbers that sum to 1. */
extern MlStatus ml_parts_by_group(MlEnv *env, const MlSplitInput *input, const double *shares,
								  uint32_t n_parts, uint16_t *part);
extern MlStatus ml_parts_in_order(MlEnv *env, const MlSplitInput *input, const double *shares,
								  uint32_t n_parts, uint16_t *part);

#endif /* ML_FOLDS_H */
