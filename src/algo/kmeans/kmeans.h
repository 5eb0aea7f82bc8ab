/*
 * kmeans.h
 *		What the files of the algorithm `kmeans` share: rows, centers, runs, the fitted model.
 *
 * Objective: sum of w |x - c(x)|^2, with c(x) the center nearest to x; its value
 * is the *inertia*. x is the row in the *space*: numbers, imputed, less their mean
 * and (by default) divided by their standard deviation, then a 0/1 column per level.
 *
 * Distances come from half |c|^2 - x'c, the *score* of a center: the center with the
 * least score is the nearest, and |x - c|^2 = |x|^2 + 2 score.
 *
 * Rows wait in blocks, the numbers in tiles of eight rows, so that a pass reads memory
 * from end to end; levels are kept as the number of the active column, so that no
 * one-hot matrix is formed.
 */
#ifndef ML_KMEANS_H
#define ML_KMEANS_H

#include "algo/algo.h"
#include "data/design.h"

#define ML_KMEANS_MAX_CLUSTERS 1000
#define ML_KMEANS_NO_LABEL UINT32_MAX

/* Indexes in the parameter table. */
typedef enum KmeansParam
{
	KMEANS_N_CLUSTERS,
	KMEANS_SCALE,
	KMEANS_MAX_ITER,
	KMEANS_TOL,
	KMEANS_N_INIT,
	KMEANS_BATCH_SIZE,
	KMEANS_MAX_LEVELS
} KmeansParam;

typedef struct MlKmeansOptions
{
	uint32_t least, most; /* clusters to try */
	bool scale;
	int max_iter;
	double tol;        /* of the mean variance of a column */
	int n_init;        /* 0: by the number of rows */
	size_t batch_size; /* 0: all rows in each iteration */
} MlKmeansOptions;

/* Where distances are measured. */
typedef struct MlKmeansSpace
{
	MlDesign *design;
	uint32_t n_dense, n_levels, n_columns;
	double *shift, *factor; /* n_dense: the coordinate is (x - shift) * factor */
} MlKmeansSpace;

/* ---- rows (kmeans_rows.c) */

typedef struct MlKmeansRows
{
	MlEnv *env;
	const MlKmeansSpace *space;
	const MlDataset *data;
	size_t n;
	size_t block; /* rows of a block, a multiple of ML_KMEANS_LANES */
	size_t n_blocks, capacity, block_bytes;
	MlRegion cells;
	double *scratch; /* block * n_dense of each worker, to read by column */
	double weight;   /* of all rows */
} MlKmeansRows;

/* Rows beyond the end are zeros of weight 0. */
typedef struct MlKmeansBlock
{
	double *x;       /* see ml_kmeans_cell */
	double *norm;    /* |x|^2 */
	double *weight;  /* of the row */
	double *closest; /* scratch: squared distance to the nearest center */
	uint32_t *level; /* [f * block + i]: column less n_dense; n_levels: none */
	uint32_t *label; /* the cluster; ML_KMEANS_NO_LABEL: not assigned yet */
	size_t n;        /* rows, those beyond the end not counted */
} MlKmeansBlock;

#define ML_KMEANS_LANES 8

/* Where coordinate j of row i of a block stands. */
static inline size_t
ml_kmeans_cell(const MlKmeansSpace *space, size_t i, size_t j)
{
	return (i / ML_KMEANS_LANES * space->n_dense + j) * ML_KMEANS_LANES + i % ML_KMEANS_LANES;
}

/* Room for up to capacity rows, to be compared with up to n_clusters centers. */
extern MlStatus ml_kmeans_rows_create(MlEnv *env, const MlKmeansSpace *space, const MlDataset *data,
									  size_t capacity, uint32_t n_clusters, MlKmeansRows *rows);
extern void ml_kmeans_rows_free(MlKmeansRows *rows);

/* Read n rows from some place on; what was there before goes. */
extern MlStatus ml_kmeans_rows_read(MlKmeansRows *rows, const MlRows *from, size_t first, size_t n);

extern MlKmeansBlock ml_kmeans_block(const MlKmeansRows *rows, size_t block);

/* The coordinates of a row: n_columns. */
extern void ml_kmeans_point(const MlKmeansRows *rows, size_t row, double *out);

/* A random sample of at most n of rows, ascending; the index is the caller's to free. */
extern MlStatus ml_kmeans_sample(MlEnv *env, const MlRows *rows, size_t n, MlRng *rng,
								 MlRows *sample, uint32_t **index);

/* ---- scores (kmeans_kernel.c) */

#define ML_KMEANS_GROUP 4 /* centers that are scored together */

/* Centers laid out for scoring, in groups; those beyond the last have an infinite score. */
typedef struct MlKmeansCenters
{
	uint32_t n, n_groups;
	double *half;  /* [g * GROUP + q]: half the squared length */
	double *dense; /* [(g * n_dense + j) * GROUP + q] */
	double *level; /* [(g * (n_levels + 1) + l) * GROUP + q]; a row of zeros at the end */
} MlKmeansCenters;

extern MlStatus ml_kmeans_centers_create(MlEnv *env, const MlKmeansSpace *space, uint32_t n,
										 MlKmeansCenters *centers);
extern void ml_kmeans_centers_free(MlEnv *env, MlKmeansCenters *centers);

/* Lay out centers: point[k * n_columns + c]. */
extern void ml_kmeans_centers_set(const MlKmeansSpace *space, MlKmeansCenters *centers,
								  const double *point);

/* The scores of group g: out[q * block + i]. */
extern void ml_kmeans_scores(const MlKmeansRows *rows, const MlKmeansBlock *b,
							 const MlKmeansCenters *centers, uint32_t g, double *out);

/* The nearest center of each row, the first of equals, and its score. scratch: GROUP * block doubles. */
extern void ml_kmeans_nearest(const MlKmeansRows *rows, const MlKmeansBlock *b,
							  const MlKmeansCenters *centers, double *scratch, uint32_t *label,
							  double *score);

/* ---- a run: from seeds to centers */

/* One line of a run's log. */
typedef struct MlKmeansLine
{
	double inertia, shift; /* shift: root of the summed squared moves of the centers */
} MlKmeansLine;

typedef struct MlKmeansRun
{
	MlEnv *env;
	const MlKmeansSpace *space;
	MlKmeansRows *rows;
	uint32_t k;
	double *center, *next; /* [k * n_columns + c] */
	double *size;          /* weight of each cluster */
	double inertia;
	int n_lines; /* iterations */
	bool converged;
	bool anew; /* the pass makes its sums anew, and does not go on from those there are */
	MlKmeansLine *lines;
	size_t line_capacity;

	MlKmeansCenters packed;
	size_t parts, stride;    /* doubles between the sums of parts */
	double *partial;         /* parts * stride: sums, weights, inertia, changes */
	double *total;           /* the same added up */
	double *scratch;         /* of each worker */
	uint32_t *scratch_label; /* of each worker */
	size_t scratch_stride;
} MlKmeansRun;

/* A run of k clusters over rows, whose labels it uses. */
extern MlStatus ml_kmeans_run_create(MlKmeansRows *rows, uint32_t k, MlKmeansRun *run);
extern void ml_kmeans_run_free(MlKmeansRun *run);

/* Seeds by k-means++ into run->center (kmeans_seed.c). */
extern MlStatus ml_kmeans_seed(MlKmeansRun *run, MlRng *rng);

/* Lloyd's iterations from run->center (kmeans_lloyd.c). loud: report progress. */
extern MlStatus ml_kmeans_lloyd(MlKmeansRun *run, int max_iter, double tol, bool loud);

/*
 * What it is made of. Assign: the sums by cluster of the nearest center's rows go to run->total (coordinates
 * by cluster, weights by cluster, inertia, rows that changed their label).
 */
extern MlStatus ml_kmeans_assign(MlKmeansRun *run);
extern MlStatus ml_kmeans_add_line(MlKmeansRun *run, double inertia, double moves, int total,
								   bool loud);
extern double ml_kmeans_variance(const MlKmeansRun *run); /* the mean of a column's, in the space */

/* Labels, sizes and the exact inertia of run->center; added to what was there if more. */
extern MlStatus ml_kmeans_measure(MlKmeansRun *run, bool more);

/* Iterations over small random batches of rows, from run->center; run->rows has room for one (kmeans_batch.c). */
extern MlStatus ml_kmeans_batches(MlKmeansRun *run, const MlRows *all, const MlKmeansOptions *o,
								  MlRng *rng);

/* ---- searching for centers (kmeans_search.c) */

/* What was tried for a number of clusters. */
typedef struct MlKmeansTrial
{
	uint32_t k;
	double inertia, silhouette;
} MlKmeansTrial;

typedef struct MlKmeansSearch
{
	MlEnv *env;
	const MlKmeansSpace *space;
	const MlDataset *data;
	const MlRows *all;
	const MlKmeansOptions *options;
	MlRng rng;
	MlKmeansTrial *trials; /* most - least + 1 */
	uint32_t n_trials;
	double silhouette; /* of the result; NaN: not defined */
	MlKmeansRows rows;
	MlKmeansRun run; /* the result, measured over all rows */
} MlKmeansSearch;

/* Choose the number of clusters and fit them. search->run and ->rows are freed by ml_kmeans_search_free. */
extern MlStatus ml_kmeans_search(MlKmeansSearch *search);
extern void ml_kmeans_search_free(MlKmeansSearch *search);

/* ---- the model (kmeans_model.c) */

typedef struct MlKmeansModel
{
	MlKmeansSpace space;
	uint32_t n_features, k;
	double *center; /* [c * k + cluster] */
	double *base;   /* of each cluster: the squared length of its levels' part */
	double *size;   /* weight of the training rows */
} MlKmeansModel;

extern MlStatus ml_kmeans_space_make(MlArena *arena, MlDesign *design, bool scale,
									 MlKmeansSpace *space);
extern MlStatus ml_kmeans_model_make(MlArena *arena, const MlSchema *schema, const MlKmeansRun *run,
									 MlKmeansModel **model);

extern void ml_kmeans_save(const void *model, MlBuffer *out);
extern MlStatus ml_kmeans_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							   uint32_t n_outputs, void **model);
extern void ml_kmeans_predict(const void *model, const double *x, double *out);
extern uint32_t ml_kmeans_n_components(const void *model);
extern void ml_kmeans_transform(const void *model, const double *x, double *out);
extern void ml_kmeans_importance(const void *model, double *gain);
extern MlStatus ml_kmeans_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
									   MlCoefficientFn emit, void *arg);

#endif /* ML_KMEANS_H */
