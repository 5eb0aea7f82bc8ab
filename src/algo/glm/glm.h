/*
 * glm.h
 *		What the files of generalised linear models share.
 *
 * Words: a *law* is a family with its link and parameters. eta = b0 + x'b + offset
 * is the linear predictor, mu = g^-1(eta) the mean, V(mu) the variance for
 * dispersion 1. The *columns* are the intercept, then those of the design (numbers
 * and indicators, then levels). A *block* is a run of training rows, a *pass*
 * visits all of them and adds up sums.
 *
 * Objective (McCullagh and Nelder 1989): deviance / 2 + l2 / 2 |b|^2, the deviance
 * being sum_i w_i d(y_i, mu_i), over standardised numbers and plain 0/1 levels, the
 * intercept without penalty.
 */
#ifndef ML_GLM_H
#define ML_GLM_H

#include <math.h>

#include "algo/algo.h"
#include "data/scorer.h"

/* Options, in the order of the parameter table. */
enum
{
	GLM_FAMILY,
	GLM_LINK,
	GLM_POWER,
	GLM_THETA,
	GLM_EXPOSURE,
	GLM_OFFSET,
	GLM_L2,
	GLM_INTERCEPT,
	GLM_MAX_ITER,
	GLM_TOL,
	GLM_MAX_LEVELS
};

/* In the order of the option's words. */
typedef enum MlGlmFamily
{
	ML_GLM_GAUSSIAN,
	ML_GLM_POISSON,
	ML_GLM_GAMMA,
	ML_GLM_TWEEDIE,
	ML_GLM_NEGATIVE_BINOMIAL,
	ML_GLM_INVERSE_GAUSSIAN,
	ML_GLM_BINOMIAL
} MlGlmFamily;
#define ML_GLM_N_FAMILIES 7

typedef enum MlGlmLink
{
	ML_GLM_AUTO,
	ML_GLM_IDENTITY,
	ML_GLM_LOG,
	ML_GLM_INVERSE,
	ML_GLM_INVERSE_SQUARED,
	ML_GLM_SQRT,
	ML_GLM_LOGIT,
	ML_GLM_PROBIT,
	ML_GLM_CLOGLOG
} MlGlmLink;
#define ML_GLM_N_LINKS 9

typedef struct MlGlmLaw
{
	MlGlmFamily family;
	MlGlmLink link; /* never ML_GLM_AUTO */
	double power;   /* tweedie: V = mu^power, between 1 and 2 or 2 and 3 */
	double theta;   /* negative binomial: V = mu + mu^2 / theta */
} MlGlmLaw;

/* ---- families and links (glm_family.c) */

extern const char *ml_glm_family_name(MlGlmFamily family);
extern const char *ml_glm_link_name(MlGlmLink link);

/* The link and the family for options that the parameter table allows; ML_EINVAL when they do not go together. */
extern MlStatus ml_glm_law(MlEnv *env, const MlParams *params, MlGlmLaw *law);

/* What the dispersion is: true when it is estimated, false when it is 1. */
extern bool ml_glm_estimates_dispersion(const MlGlmLaw *law);

/* The values that the target may have: what they must be in words, or NULL when this one is good. */
extern const char *ml_glm_refuse(const MlGlmLaw *law, double y);

extern double ml_glm_link(const MlGlmLaw *law, double mu);
extern double ml_glm_mean(const MlGlmLaw *law, double eta);

/* A mean to start from, near y but inside the range of means. */
extern double ml_glm_start(const MlGlmLaw *law, double y);

/* One block's figures; every array has room for its rows. */
typedef struct MlGlmBlock
{
	size_t n;
	double *y, *w, *eta, *mu;
	double *slope;     /* d mu / d eta */
	double *score;     /* w (y - mu) slope / V: minus the derivative of half the deviance */
	double *curvature; /* w slope^2 / V: its expected second derivative */
	double *a, *b;     /* scratch */
} MlGlmBlock;

/*
 * From y, w and eta to all the rest; the deviance and Pearson's chi squared are added to. False: a mean is
 * outside the family's range.
 */
extern bool ml_glm_evaluate_block(const MlGlmLaw *law, MlGlmBlock *block, double *deviance,
								  double *pearson);

/* The log likelihood of one row, from y, mu and w, the dispersion as R's logLik has it; NaN: not known. */
extern double ml_glm_log_likelihood(const MlGlmLaw *law, double y, double mu, double w,
									double dispersion);

/* ---- passes over the rows (glm_pass.c) */

/* What a worker needs for a block. */
typedef struct MlGlmScratch
{
	MlGlmBlock rows;
	double *offset;
	double *x;        /* n_dense + 1 columns: ones, then standardised numbers and indicators */
	double *tile;     /* the same times the root of the curvature, by column or by row */
	uint32_t *levels; /* n_factors x block: 0..n_levels-1, n_levels = none */
} MlGlmScratch;

typedef struct MlGlmProblem
{
	MlEnv *env;
	const MlDataset *data;
	const MlRows *rows;
	const MlDesign *design;
	MlGlmLaw law;
	double l2, tol;
	int max_iter;
	bool intercept;
	int64_t offset_feature; /* -1: none */
	bool exposure;          /* the offset is the logarithm of the feature */

	size_t n, block, n_blocks;
	uint32_t n_dense, n_factors, n_levels;
	uint32_t n_columns;     /* 1 + n_dense + n_levels */
	double *center, *scale; /* n_dense: x = (value - center) / scale */
	bool *skip;             /* n_columns: has no coefficient (off, the offset, or aliased) */

	/* of the rows, found by ml_glm_open */
	double sum_w, mean_y, mean_offset;
	double
		ratio; /* sum of w y over that of w exp(offset): the mean for an offset of 0 under the log link */

	int n_workers;
	MlGlmScratch *scratch;
	double *scratch_data;
	uint32_t *scratch_levels;
	double *partial;
	size_t partial_size;
} MlGlmProblem;

/* What a pass leaves: hessian n_columns^2 (upper triangle), gradient, weights of levels. */
typedef struct MlGlmPoint
{
	double *sums; /* all in one allocation */
	double *hessian, *gradient, *level_weight;
	double deviance, pearson;
	double objective;    /* with the penalty; infinite: a mean is out of range */
	double penalty_norm; /* |b|^2 of the penalised ones */
} MlGlmPoint;

/* Rows are read and checked; the caller has set the fields before n. Whatever it returns, call ml_glm_close. */
extern MlStatus ml_glm_open(MlGlmProblem *problem);
extern void ml_glm_close(MlGlmProblem *problem);

extern MlStatus ml_glm_point_create(const MlGlmProblem *problem, MlGlmPoint *point);
extern void ml_glm_point_free(const MlGlmProblem *problem, MlGlmPoint *point);

/*
 * Objective, its negative gradient and the expected Hessian at b (n_columns). b NULL: at the means that
 * ml_glm_start gives, with X' (curvature (eta - offset)) added to the gradient, so that the step from 0 is
 * the first of iteratively reweighted least squares.
 */
extern MlStatus ml_glm_evaluate(MlGlmProblem *problem, const double *b, MlGlmPoint *point);

/* The triangle of a QR factorisation of the rows at b, instead of that of the Hessian: order^2 doubles. */
extern MlStatus ml_glm_triangle(MlGlmProblem *problem, const double *b, double *triangle);

/* The log likelihood at b. */
extern MlStatus ml_glm_likelihood(MlGlmProblem *problem, const double *b, double dispersion,
								  double *log_likelihood);

/*
 * law.theta by maximum likelihood at the means of b, from law.theta on (0: from moments). Returns its
 * standard error; theta is at most ML_GLM_MOST_THETA, where the law is Poisson's.
 */
#define ML_GLM_MOST_THETA 1e7
extern MlStatus ml_glm_fit_theta(MlGlmProblem *problem, const double *b, double *std_error);

/* ---- the solver (glm_solve.c) */

typedef struct MlGlmSolution
{
	double *b;        /* n_columns, in and out, on the standardised scale */
	MlGlmPoint point; /* at b; the Hessian is its factor U after ml_glm_errors */
	int iterations;   /* counts on from call to call */
	bool converged;
	bool separated; /* some coefficients went on growing while the deviance had ended falling */
	size_t rank;    /* columns that were determined */
} MlGlmSolution;

/* Minimise from solution->b; the point is created by the caller. log: elements of a JSON array, or NULL. */
extern MlStatus ml_glm_solve(MlGlmProblem *problem, MlGlmSolution *solution, MlBuffer *log);

/* Standard errors for dispersion 1 on the scale of the data; NaN where there is none. Destroys the Hessian. */
extern MlStatus ml_glm_errors(MlGlmProblem *problem, MlGlmSolution *solution, double *std_error);

/* ---- the fitted model (glm_model.c) */

typedef struct MlGlmModel
{
	MlDesign *design;
	MlScorer *scorer;
	MlGlmLaw law;
	bool intercept, exposure;
	int64_t offset_feature;
	double mean_offset;
	double df;         /* of t; infinite: z */
	double *std_error; /* n_columns, the intercept first; NULL: none */
} MlGlmModel;

extern void ml_glm_save(const void *model, MlBuffer *out);
extern MlStatus ml_glm_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							uint32_t n_outputs, void **model);
extern void ml_glm_predict(const void *model, const double *x, double *out);
extern void ml_glm_importance(const void *model, double *gain);
extern MlStatus ml_glm_coefficients(MlEnv *env, const void *model, const MlSchema *schema,
									MlCoefficientFn emit, void *arg);
extern MlStatus ml_glm_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
									 double *contributions, double *base);

/* The offset for a value of its feature; missing counts as exposure 1, offset 0. */
static inline double
ml_glm_offset(bool exposure, double value)
{
	if (value != value)
		return 0;
	return exposure ? log(value) : value;
}

#endif /* ML_GLM_H */
