/*
 * mlp.h
 *		What the files of the multilayer perceptron share.
 *
 * Words: a *layer* is a matrix of weights and a row of biases; the last one is
 * the output. A *unit* is one of its columns. Rows of weights are padded with
 * zeros to MLP_LANES columns (*ld*). The *inputs* are the columns of the design,
 * standardised: numbers and indicators are dense, of the levels of a factor at
 * most one is active. All weights and biases are one vector, theta: layer by
 * layer the weights from dense inputs or units and the biases, and at the end
 * the weights from levels to the first layer.
 *
 * A *batch* is the rows of one step of the optimiser; it is cut into a fixed
 * number of *chunks*, which threads take; a chunk of a large net is worked off
 * in several *rounds*, so that a cancel is answered between two of them.
 *
 * Objective: mean over rows of w_i loss_i + l2 / 2 |weights|^2 (biases are free),
 * where loss is half the squared error of the standardised target, or the log
 * loss; weights of rows are divided by their mean.
 */
#ifndef ML_MLP_H
#define ML_MLP_H

#include "algo/algo.h"
#include "data/design.h"

#define MLP_LANES 16u
#define MLP_MAX_HIDDEN 8    /* hidden layers */
#define MLP_MAX_WIDTH 4096u /* units of a layer */
#define MLP_MAX_PARAMS ((size_t) 1 << 25)
#define MLP_MAX_CHUNKS 8
#define MLP_BINS 16 /* of a histogram of weights */

/* Standardised inputs beyond are as far: no outlier shall rule the net, nor overflow it. */
#define MLP_FAR 30.0

/* Options, in the order of the parameter table. */
enum
{
	MLP_HIDDEN,
	MLP_ACTIVATION,
	MLP_SOLVER,
	MLP_LEARNING_RATE,
	MLP_MOMENTUM,
	MLP_BATCH_SIZE,
	MLP_MAX_ITER,
	MLP_L2,
	MLP_DROPOUT,
	MLP_EARLY_STOPPING,
	MLP_VALIDATION_FRACTION,
	MLP_TOL,
	MLP_MAX_LEVELS
};

typedef enum MlMlpActivation
{
	MLP_RELU = 0,
	MLP_TANH,
	MLP_LOGISTIC
} MlMlpActivation;

typedef struct MlMlpOptions
{
	bool adam; /* else stochastic gradient descent with Nesterov's momentum */
	double learning_rate, momentum, l2, dropout, valid_share, tol;
	uint32_t batch_size, max_iter, early_stopping;
} MlMlpOptions;

typedef struct MlMlpLayer
{
	uint32_t n_in, n_out, ld; /* of the first layer, n_in counts the dense inputs only */
	size_t weights, biases;   /* where they begin in theta: n_in rows of ld, one row of ld */
	size_t transposed;        /* n_out rows of the ld of the layer before; not of the first layer */
} MlMlpLayer;

typedef struct MlMlpModel
{
	const MlDesign *design;
	MlMlpActivation activation;
	uint32_t n_classes;
	uint32_t n_outputs;     /* units of the last layer */
	double y_mean, y_scale; /* regression: target = y_mean + y_scale * output */
	uint32_t n_layers;      /* the output included */
	MlMlpLayer layers[MLP_MAX_HIDDEN + 1];
	uint32_t n_levels; /* inputs that are levels */
	size_t levels;     /* where their weights begin: n_levels rows of the first layer's ld */
	size_t n_theta;    /* padding included */
	size_t n_transposed;
	size_t n_parameters; /* without the padding */
	float *theta;
} MlMlpModel;

/* Offsets and sizes from design, widths of hidden layers and n_outputs; ML_EDATA when the net is too large. */
extern MlStatus ml_mlp_lay_out(MlEnv *env, MlMlpModel *model, const uint32_t *hidden,
							   uint32_t n_hidden);

/* A dense input from the value of column c of the design. */
static inline float
ml_mlp_input(const MlDesignColumn *column, double value)
{
	double z = (value - column->mean) / column->scale;

	return (float) (z > MLP_FAR ? MLP_FAR : z < -MLP_FAR ? -MLP_FAR : z);
}

/* ---- mlp_kernel.c: the same bytes on every CPU */

/* c[i * ldc + j] = start + sum over k of a[i * a_row + k * a_col] * b[k * ldb + j], k ascending. */
typedef struct MlMlpProduct
{
	size_t m, n, k; /* n: a multiple of MLP_LANES */
	const float *a;
	size_t a_row, a_col;
	const float *b;
	size_t ldb;
	float *c;
	size_t ldc;
	const float *start; /* n values that every row starts from; NULL: zeros, or c itself */
	bool add;           /* start from c */
} MlMlpProduct;

extern void ml_mlp_multiply(const MlMlpProduct *p);
extern void ml_mlp_activate(MlMlpActivation activation, float *z, size_t n);
/* d *= the derivative, from the activated value a. */
extern void ml_mlp_deactivate(MlMlpActivation activation, const float *a, float *d, size_t n);
extern void ml_mlp_add(const float *x, float *sum, size_t n); /* sum += x; n a multiple of 16 */
extern double ml_mlp_squares(const float *x, size_t n);

/* One step on n parameters, n a multiple of MLP_LANES; gradient without the penalty at entry. */
typedef struct MlMlpStep
{
	bool adam;
	float rate; /* Adam: with the correction of both biases */
	float beta1, beta2, epsilon, momentum;
	float l2;
} MlMlpStep;

extern void ml_mlp_step(const MlMlpStep *step, float *gradient, float *theta, float *m, float *v,
						size_t n);

/* ---- the working copy (mlp_data.c) */

typedef struct MlMlpData
{
	MlEnv *env;
	const MlDataset *data;
	size_t n, n_fit; /* rows; the first n_fit are trained on, the others tell when to stop */
	uint32_t n_dense, n_factors;
	MlRegion x;       /* n x n_dense inputs */
	MlRegion columns; /* n x n_factors: the active level from 0 on, or ML_NO_COLUMN */
	float *y, *w;     /* standardised target or class; weight, by the mean of those trained on */
	double valid_weight;
} MlMlpData;

/* Read the rows; sets y_mean and y_scale of the model unless keep_target. */
extern MlStatus ml_mlp_load_rows(MlMlpData *rows, MlMlpModel *model, const MlRows *fit,
								 const MlRows *valid, bool keep_target);
extern void ml_mlp_free_rows(MlMlpData *rows);

/* ---- batches (mlp_batch.c) */

/* Parameters that one task of a step works on: rows first..end-1 of a layer (row n_in: the biases), or levels. */
typedef struct MlMlpSpan
{
	uint32_t layer, first, end;
	bool levels;
} MlMlpSpan;

typedef struct MlMlpTrainer
{
	MlEnv *env;
	MlMlpModel *model;
	const MlMlpOptions *options;
	const MlMlpData *data;
	size_t max_batch;
	uint32_t n_chunks, n_rounds;
	MlMlpSpan *spans;
	size_t n_spans;
	double *span_squares; /* of the gradient */

	MlRegion work;
	float *x;                          /* max_batch x n_dense: the batch */
	float *a[MLP_MAX_HIDDEN + 1];      /* max_batch x ld: activations, dropped ones zero */
	float *d[MLP_MAX_HIDDEN + 1];      /* max_batch x ld: derivatives of the loss by the sums */
	float *keep[MLP_MAX_HIDDEN + 1];   /* dropout: 0 or 1 / (1 - dropout); NULL: none */
	float *chunk_gradient;             /* n_chunks x levels (the parameters before the levels) */
	float *gradient, *m, *v;           /* n_theta each */
	float *transposed;                 /* n_transposed */
	double chunk_loss[MLP_MAX_CHUNKS]; /* sums of weighted losses */

	/* The batch at work. */
	const uint32_t *rows;
	size_t n_rows;
	uint32_t round;
	bool learn; /* gradients as well; else only losses */
	uint64_t drop_seed;
	MlMlpStep step;
} MlMlpTrainer;

extern MlStatus ml_mlp_trainer_begin(MlMlpTrainer *trainer);
extern void ml_mlp_trainer_end(MlMlpTrainer *trainer);

/* Weights changed from outside: make the transposed ones anew. */
extern void ml_mlp_transpose(MlMlpTrainer *trainer);

/* Losses of at most max_batch rows, and with learn their gradients by chunk; *loss: the sum of w loss. */
extern MlStatus ml_mlp_batch(MlMlpTrainer *trainer, const uint32_t *rows, size_t n, bool learn,
							 double *loss);

/* Gradients of the chunks added up into gradient, and trainer->step taken; *squares: of the gradient, with penalty. */
extern MlStatus ml_mlp_descend(MlMlpTrainer *trainer, double *squares);

/* ---- epochs (mlp_epochs.c) */

extern MlStatus ml_mlp_train(MlEnv *env, MlMlpModel *model, const MlMlpOptions *options,
							 const MlMlpData *data, uint64_t seed, MlFitReport *report);

/* ---- mlp_model.c */

extern void ml_mlp_predict(const void *model, const double *x, double *out);
extern void ml_mlp_save(const void *model, MlBuffer *out);
extern MlStatus ml_mlp_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							uint32_t n_outputs, void **model);

#endif /* ML_MLP_H */
