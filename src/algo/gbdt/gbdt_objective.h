/*
 * gbdt_objective.h
 *		The inside of an objective, for the files that implement it.
 *
 *	gbdt_loss.c			kernels: gradients and losses of a block of rows
 *	gbdt_target.c		targets, weights, the scores to start from
 *	gbdt_objective.c	the rounds: gradients as integers, scores
 *	gbdt_refit.c		leaf values that a gradient step is too coarse for: medians, quantiles
 */
#ifndef ML_GBDT_OBJECTIVE_H
#define ML_GBDT_OBJECTIVE_H

#include "algo/gbdt/gbdt.h"

#define GBDT_CHUNK_ROWS 8192 /* of a task */
#define GBDT_BLOCK_ROWS 512  /* of a kernel */
#define GBDT_LANES 16        /* sums of a block that run side by side */

struct GbdtObjective
{
	MlEnv *env;
	GbdtLoss loss;
	float alpha; /* huber: where the loss turns straight; quantile: which one */
	float power; /* tweedie: of the variance */
	float widen; /* poisson: factor on the hessian */
	uint32_t n_outputs;
	uint32_t headroom;    /* gradients are to stay below 1 / headroom of what fits */
	uint64_t goss_rounds; /* before goss begins: at first all rows have something to say */
	size_t n_tiled;       /* positions that can be training rows */
	size_t n_all, n_train;
	float *target; /* relative to centre; the class of a classification */
	float *weight; /* NULL: all are 1 */
	float max_weight;
	double centre;
	double *base;             /* n_outputs scores to start from, relative to centre */
	float *scores;            /* output by output */
	float *start;             /* an earlier model's scores to start from, as scores; NULL: base */
	float *log_sum;           /* softmax: log of the sum of e^score */
	int32_t *gradients;       /* packed, of training rows */
	MlRegion gradient_region; /* read in any order: huge pages help */
	uint64_t round;
	double max_g, max_h; /* of the round's gradients, where they had to be looked for */
	double g_unit, h_unit;
	double square_sum; /* of the round's gradients */

	size_t n_chunks; /* at most; training rows and others have chunks of their own */
	double *chunk_loss, *chunk_weight, *chunk_squares;
	float *chunk_g, *chunk_h; /* greatest sizes */
	double *values;           /* room to read a chunk */
	struct GbdtRefit *refit;  /* room of gbdt_refit.c */
};

static inline size_t
ml_gbdt_chunks(size_t n)
{
	return (n + GBDT_CHUNK_ROWS - 1) / GBDT_CHUNK_ROWS;
}

/* The rows of a task: first come the chunks of the training rows. */
extern size_t ml_gbdt_chunk_rows(const GbdtObjective *o, size_t task, size_t *first);

/* Whether the hessian of a row is its weight. */
static inline bool
ml_gbdt_constant_hessian(GbdtLoss loss)
{
	return loss == GBDT_SQUARED || loss == GBDT_ABSOLUTE || loss == GBDT_HUBER ||
		   loss == GBDT_QUANTILE;
}

/* ---- gbdt_loss.c: n is a multiple of GBDT_LANES where a sum or maximum is taken; arrays are padded */

extern void ml_gbdt_loss_block(const GbdtObjective *o, const float *s, const float *y, size_t n,
							   float *g, float *h, float *loss);
extern void ml_gbdt_softmax_block(const float *s, const float *log_sum, const float *y, float k,
								  float factor, size_t n, float *g, float *h);
extern void ml_gbdt_add_exp_block(const float *s, const float *top, size_t n, float *sum);
extern void ml_gbdt_max_block(const float *s, size_t n, float *top);
extern void ml_gbdt_scale_block(const float *w, size_t n, float *values);
extern double ml_gbdt_sum_block(const float *values, size_t n);
extern double ml_gbdt_sum_squares_block(const float *values, size_t n);
extern float ml_gbdt_max_size_block(const float *values, size_t n);
extern void ml_gbdt_pack_block(const float *g, const float *h, size_t first, size_t n,
							   uint32_t shift, float g_scale, float h_scale, int32_t *packed);

/* ---- gbdt_target.c */

/* Read targets and weights of train, then of others. */
extern MlStatus ml_gbdt_read_targets(GbdtObjective *o, const MlDataset *data, const MlRows *train,
									 const MlRows *others);

/* The best constant scores of the training rows, into o->base. */
extern MlStatus ml_gbdt_find_base(GbdtObjective *o);

/* ---- gbdt_refit.c */

/* Whether the loss wants its leaves refitted. */
static inline bool
ml_gbdt_refits(GbdtLoss loss)
{
	return loss == GBDT_ABSOLUTE || loss == GBDT_HUBER || loss == GBDT_QUANTILE;
}

/* values[leaf] = the best constant for what targets exceed scores by (scores NULL: 0), over the training rows. */
extern MlStatus ml_gbdt_refit_leaves(GbdtObjective *o, const float *scores, const uint16_t *leaf_of,
									 uint32_t n_leaves, double *values);
extern void ml_gbdt_refit_free(GbdtObjective *o);

#endif /* ML_GBDT_OBJECTIVE_H */
