/*
 * knn.h
 *		What the files of nearest neighbours share.
 *
 * Words: a *point* is a training row in the space of the design: its numbers and
 * indicators, scaled, in single precision, and one *column* per categorical
 * feature (the level's column of the design, or ML_NO_COLUMN). A *block* is
 * KNN_BLOCK points side by side, so that a vector holds one coordinate of many
 * of them. A *node* is a run of blocks with the box of its points.
 *
 * Distance: sum over coordinates of (a - b)^2 or |a - b|, plus, per categorical
 * feature with different levels, one for each of the two that has a column: what
 * one-hot columns of 0 and 1 give. Sums are double, in the order of the columns.
 */
#ifndef ML_KNN_H
#define ML_KNN_H

#include "algo/algo.h"
#include "data/design.h"

#define KNN_BLOCK 16u
#define KNN_MAX_NEIGHBORS 1000
#define KNN_MAX_COLUMNS 4096u /* numbers and indicators; also categorical features */
#define KNN_MAX_IMAGE 1000000000u
#define KNN_FAR 1e15 /* scaled coordinates beyond are as far */

/* Options, in the order of the parameter table. */
enum
{
	KNN_N_NEIGHBORS,
	KNN_WEIGHTS,
	KNN_DISTANCE,
	KNN_SCALE
};

typedef enum MlKnnDistance
{
	KNN_EUCLIDEAN = 0,
	KNN_MANHATTAN
} MlKnnDistance;

typedef struct MlKnnNode
{
	uint32_t first, n; /* blocks */
	uint32_t right;    /* the second child; the first one is the next node; 0: a leaf */
} MlKnnNode;

typedef struct MlKnnModel
{
	const MlDesign *design;
	uint32_t n_neighbors;
	MlKnnDistance distance;
	bool by_distance; /* neighbours count by the inverse of their distance */
	bool scale;       /* coordinates are divided by the columns' scale */
	uint32_t n_classes;
	uint32_t n, n_blocks; /* points */
	float *x;             /* n_blocks x n_dense x KNN_BLOCK; the last block is filled up */
	uint32_t *columns;    /* n_blocks x n_factors x KNN_BLOCK */
	uint32_t *row;        /* number of the training row, by which ties are decided */
	double *value;        /* regression: the target */
	uint32_t *class;      /* classification */
	float *weight;        /* NULL: all alike */

	/* Made from the above. */
	MlKnnNode *nodes; /* parents before children; node 0 is the root */
	uint32_t n_nodes;
	float *boxes; /* per node: n_dense lower bounds, then n_dense upper ones */
} MlKnnModel;

/* The coordinate of a value in column c of the design. */
static inline float
ml_knn_coordinate(const MlKnnModel *model, uint32_t c, double value)
{
	const MlDesignColumn *column = &model->design->columns[c];
	double z = (value - column->mean) / (model->scale ? column->scale : 1);

	return (float) (z > KNN_FAR ? KNN_FAR : z < -KNN_FAR ? -KNN_FAR : z);
}

/* Blocks of a node without children, at most: a box is worth more points where it has more sides. */
static inline uint32_t
ml_knn_leaf_blocks(uint32_t n_dense)
{
	return n_dense <= 8 ? 2 : n_dense <= 16 ? 4 : 16;
}

/* ---- knn_tree.c */

/* Rows in training order: what the points are made of. */
typedef struct MlKnnRows
{
	const float *x; /* n x n_dense, row by row */
	size_t n;
	uint32_t n_dense;
} MlKnnRows;

/* Put the numbers 0..n-1 in order so that runs of blocks are near each other. */
extern MlStatus ml_knn_arrange(MlEnv *env, const MlKnnRows *rows, uint32_t *order);

/* Nodes and boxes of a model whose points are in place. */
extern MlStatus ml_knn_index(MlEnv *env, MlArena *arena, MlKnnModel *model);

/* ---- knn_search.c */

extern void ml_knn_predict(const void *model, const double *x, double *out);
extern double ml_knn_row_cost(const void *model);

/* ---- knn_image.c */

extern void ml_knn_save(const void *model, MlBuffer *out);
extern MlStatus ml_knn_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							uint32_t n_outputs, void **model);

#endif /* ML_KNN_H */
