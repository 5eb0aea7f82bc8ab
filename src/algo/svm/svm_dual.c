/*
 * svm_dual.c
 *		Dual coordinate descent for linear support vector machines.
 *
 * Classification: Hsieh, Chang, Lin, Keerthi and Sundararajan 2008, algorithm 3. With
 * U_i = C_i, D_i = 0 for the hinge and U_i infinite, D_i = 1 / (2 C_i) for its square:
 *	min over 0 <= alpha_i <= U_i of |w|^2 / 2 + sum D_i alpha_i^2 / 2 - sum alpha_i,
 *	w = sum y_i alpha_i x_i.
 * Regression: Ho and Lin 2012, algorithm 4. With the same U_i and D_i:
 *	min over |beta_i| <= U_i of |w|^2 / 2 + sum D_i beta_i^2 / 2 - sum y_i beta_i +
 *	epsilon sum |beta_i|,	w = sum beta_i x_i.
 * Both visit the coordinates in an order drawn anew each epoch, solve for one exactly, and
 * shrink: coordinates that stand at a bound and want to go beyond are left out until the rest
 * has converged; then all are checked again.
 *
 * A problem is a state that advances in slices of some milliseconds. Problems (classes, folds)
 * run on the threads side by side; the result of each depends on its own random numbers only.
 */
#include <math.h>
#include <string.h>

#include "algo/svm/svm.h"
#include "core/pool.h"

#define SLICE_SECONDS 0.004
#define LOOK_AHEAD 8    /* rows whose memory is asked for before they are needed */
#define NO_CHANGE 1e-12 /* a smaller projected gradient is not worth an update */

/* ---- beginning and end */

static MlStatus
allocate(MlSvmDual *d)
{
	MlEnv *env = d->rows->env;

	d->w = ml_zalloc_array(env, ml_svm_n_weights(d->rows), sizeof(double));
	d->alpha = ml_zalloc_array(env, d->rows->n, sizeof(double));
	d->index = ml_alloc_array(env, d->rows->n, sizeof(uint32_t));
	return d->w && d->alpha && d->index ? ML_OK : ML_ENOMEM;
}

static bool
is_regression(const MlSvmDual *d)
{
	return d->options->loss >= ML_SVM_EPSILON;
}

static bool
is_squared(const MlSvmDual *d)
{
	return d->options->loss == ML_SVM_SQUARED_HINGE || d->options->loss == ML_SVM_SQUARED_EPSILON;
}

/* What alpha_i multiplies x_i with. */
static inline double
sign_of(const MlSvmDual *d, size_t i)
{
	return is_regression(d) || d->rows->y[i] == d->positive ? 1 : -1;
}

/* D_i: what a squared loss adds to the diagonal. */
static inline double
diagonal(const MlSvmDual *d, size_t i)
{
	return is_squared(d) ? 0.5 / (d->options->c * d->rows->weight[i]) : 0;
}

static inline double
upper_bound(const MlSvmDual *d, size_t i)
{
	return is_squared(d) ? INFINITY : d->options->c * d->rows->weight[i];
}

/* The terms of row i in the dual objective that w does not hold. */
static void
add_terms(MlSvmDual *d, size_t i, double alpha, double factor)
{
	d->quadratic += factor * diagonal(d, i) * alpha * alpha;
	d->linear +=
		factor *
		(is_regression(d) ? d->rows->y[i] * alpha - d->options->epsilon * fabs(alpha) : alpha);
}

MlStatus
ml_svm_dual_begin(MlSvmDual *d, const MlSvmDual *from, uint64_t seed, uint64_t stream)
{
	ML_TRY(allocate(d));
	ml_rng_seed(&d->rng, seed, stream);
	if (from)
	{
		memcpy(d->w, from->w, ml_svm_n_weights(d->rows) * sizeof(double));
		memcpy(d->alpha, from->alpha, d->rows->n * sizeof(double));
	}
	for (size_t i = 0; i < d->rows->n; i++)
	{
		if (i % 8192 == 0)
			ML_TRY(ml_poll(d->rows->env));
		if (!d->fold || d->fold[i] != d->held_out)
		{
			d->index[d->n++] = (uint32_t) i;
			add_terms(d, i, d->alpha[i], 1);
		}
		else if (d->alpha[i] != 0)
		{
			ml_svm_add(d->rows, i, -sign_of(d, i) * d->alpha[i], d->w);
			d->alpha[i] = 0;
		}
	}
	d->active = d->n;
	d->high_before = INFINITY;
	d->low_before = -INFINITY;
	d->high = -INFINITY;
	d->low = INFINITY;
	d->first_sum = -1;
	d->done = d->converged = d->n == 0;
	return ML_OK;
}

void
ml_svm_dual_end(MlSvmDual *d)
{
	MlEnv *env = d->rows->env;

	ml_free(env, d->index);
	ml_free(env, d->alpha);
	ml_free(env, d->w);
}

/* ---- one coordinate */

/* Leave the coordinate at this place out until all others have converged. */
static void
shrink(MlSvmDual *d)
{
	uint32_t i = d->index[d->at];

	d->index[d->at] = d->index[--d->active];
	d->index[d->active] = i;
	d->at--;
}

static void
move(MlSvmDual *d, size_t i, double alpha)
{
	double step = alpha - d->alpha[i];

	add_terms(d, i, d->alpha[i], -1);
	add_terms(d, i, alpha, 1);
	d->alpha[i] = alpha;
	ml_svm_add(d->rows, i, step * sign_of(d, i), d->w);
}

/* Steps 3(b) to 3(d) of the first paper. */
static void
visit_class(MlSvmDual *d, size_t i)
{
	double sign = sign_of(d, i), extra = diagonal(d, i), bound = upper_bound(d, i);
	double alpha = d->alpha[i], gradient, projected = 0;

	gradient = sign * ml_svm_score(d->rows, i, d->w) - 1 + extra * alpha;
	if (alpha == 0)
	{
		if (gradient > d->high_before)
		{
			shrink(d);
			return;
		}
		projected = fmin(gradient, 0);
	}
	else if (alpha == bound)
	{
		if (gradient < d->low_before)
		{
			shrink(d);
			return;
		}
		projected = fmax(gradient, 0);
	}
	else
		projected = gradient;
	d->high = fmax(d->high, projected);
	d->low = fmin(d->low, projected);
	if (fabs(projected) > NO_CHANGE && d->rows->square[i] + extra > 0)
		move(d, i, fmin(fmax(alpha - gradient / (d->rows->square[i] + extra), 0), bound));
}

/*
 * The violation of a regression's coordinate; *out: it may be shrunk. up and down are the derivatives to
 * either side.
 */
static double
violation_of(const MlSvmDual *d, double beta, double bound, double up, double down, bool *out)
{
	*out = false;
	if (beta == 0)
	{
		if (up < 0)
			return -up;
		if (down > 0)
			return down;
		*out = up > d->high_before && down < -d->high_before;
		return 0;
	}
	if (beta >= bound)
	{
		*out = up < -d->high_before;
		return up > 0 ? up : 0;
	}
	if (beta <= -bound)
	{
		*out = down > d->high_before;
		return down < 0 ? -down : 0;
	}
	return beta > 0 ? fabs(up) : fabs(down);
}

/* The minimiser over one beta is where the derivative passes 0, which jumps by 2 epsilon at beta = 0. */
static void
visit_number(MlSvmDual *d, size_t i)
{
	double epsilon = d->options->epsilon, extra = diagonal(d, i), bound = upper_bound(d, i);
	double beta = d->alpha[i], h = d->rows->square[i] + extra, gradient, step = -beta, violation;
	bool out;

	gradient = ml_svm_score(d->rows, i, d->w) - d->rows->y[i] + extra * beta;
	violation = violation_of(d, beta, bound, gradient + epsilon, gradient - epsilon, &out);
	if (out)
	{
		shrink(d);
		return;
	}
	d->high = fmax(d->high, violation);
	d->sum += violation;
	if (!(h > 0))
		return;
	if (gradient + epsilon < h * beta)
		step = -(gradient + epsilon) / h;
	else if (gradient - epsilon > h * beta)
		step = -(gradient - epsilon) / h;
	if (fabs(step) > NO_CHANGE)
		move(d, i, fmin(fmax(beta + step, -bound), bound));
}

/* ---- epochs */

/* Draw the order as it is needed, a little ahead, so that rows are on their way from memory. */
static void
draw_ahead(MlSvmDual *d)
{
	size_t end = ML_MIN(d->at + LOOK_AHEAD, d->active);

	for (; d->ahead < end; d->ahead++)
	{
		size_t other = d->ahead + ml_rng_below(&d->rng, d->active - d->ahead);
		uint32_t i = d->index[other];

		d->index[other] = d->index[d->ahead];
		d->index[d->ahead] = i;
		ml_svm_prefetch(d->rows, i);
		__builtin_prefetch(&d->alpha[i]);
	}
}

/* Epochs 1 to 10, then every tenth and hundredth, as long as there is room, and the last. */
static void
log_epoch(MlSvmDual *d, double violation)
{
	int e = d->epoch;
	double square = 0;

	if (!d->done && e > 10 && (e > 200 ? e % 100 != 0 : e % 10 != 0))
		return;
	for (uint32_t c = 0; c <= d->rows->n_columns; c++)
		square += d->w[c] * d->w[c];
	d->n_log = ML_MIN(d->n_log, ML_SVM_EPOCHS - 1);
	d->log[d->n_log++] = (MlSvmEpoch){
		.epoch = e,
		.objective = d->linear - 0.5 * (square + d->quadratic),
		.violation = violation,
		.norm = sqrt(square),
	};
}

/* All active coordinates were seen: stop, check those left out, or go on with new bounds. */
static void
end_epoch(MlSvmDual *d)
{
	bool regression = is_regression(d), ended;
	double violation = regression ? d->sum : d->high - d->low;

	d->epoch++;
	if (d->first_sum < 0)
		d->first_sum = d->sum;
	if (d->active == 0)
		violation = 0;
	ended = violation <= (regression ? d->options->tol * d->first_sum : d->options->tol);
	d->converged = ended && d->active == d->n;
	d->done = d->converged || d->epoch >= d->options->max_iter;
	log_epoch(d, violation);
	if (ended)
	{
		d->active = d->n;
		d->high_before = INFINITY;
		d->low_before = -INFINITY;
	}
	else if (regression)
		d->high_before = d->high;
	else
	{
		d->high_before = d->high > 0 ? d->high : INFINITY;
		d->low_before = d->low < 0 ? d->low : -INFINITY;
	}
	d->at = d->ahead = 0;
	d->high = regression ? 0 : -INFINITY;
	d->low = INFINITY;
	d->sum = 0;
}

/* So many visits. */
static void
advance(MlSvmDual *d, size_t visits)
{
	bool regression = is_regression(d);

	for (; visits > 0 && !d->done; visits--)
	{
		if (d->at >= d->active)
		{
			end_epoch(d);
			continue;
		}
		draw_ahead(d);
		if (regression)
			visit_number(d, d->index[d->at]);
		else
			visit_class(d, d->index[d->at]);
		d->at++;
	}
}

/* ---- running */

typedef struct Run
{
	MlSvmDual **waiting;
	size_t visits;
} Run;

static void
advance_task(void *arg, size_t task, int worker)
{
	const Run *run = arg;

	(void) worker;
	advance(run->waiting[task], run->visits);
}

/* The progress of the first one that still runs. */
static void
report(MlEnv *env, const MlSvmDual *d)
{
	MlProgress line = {.iteration = d->epoch, .loss = NAN, .valid_loss = NAN};

	if (d->n_log > 0)
		line.loss = d->log[d->n_log - 1].objective / (double) d->n;
	ml_report(env, &line);
}

MlStatus
ml_svm_dual_run(MlEnv *env, MlSvmDual *duals, size_t n)
{
	MlSvmDual **waiting = ml_alloc_array(env, n, sizeof(*waiting));
	Run run = {.waiting = waiting};
	size_t left = n;
	MlStatus status = waiting ? ML_OK : ML_ENOMEM;

	while (status == ML_OK && left > 0)
	{
		left = 0;
		for (size_t k = 0; k < n; k++)
			if (!duals[k].done)
				waiting[left++] = &duals[k];
		if (left == 0)
			break;
		run.visits =
			1 + (size_t) (SLICE_SECONDS / (1.5e-7 + 2e-9 * (double) duals[0].rows->stride));
		status = ml_pool_run(env, left, advance_task, &run);
		report(env, waiting[0]);
	}
	ml_free(env, waiting);
	return status;
}
