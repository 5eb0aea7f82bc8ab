/*
 * linear_path.c
 *		Penalised least squares: a path of penalties, and the choice among them by cross-validation.
 *
 * Objective of lasso and elastic_net, with W the sum of weights (scikit-learn, and
 * glmnet with lambda for alpha):
 *		1 / (2 W) sum w (y - b0 - x'b)^2 + alpha (l1_ratio |b|_1 + (1 - l1_ratio) / 2 |b|^2),
 * of ridge (scikit-learn): sum w (y - b0 - x'b)^2 + alpha |b|^2. With standardize b
 * is that of numbers divided by their standard deviation; levels and indicators
 * are taken as they are.
 *
 * A *set* is rows that a model is fitted to: all of them, or all but a fold's. All
 * sets go down the path of alphas together, each from its last point (Friedman,
 * Hastie and Tibshirani 2010). The error on a fold is that on all rows less that on
 * the rows of its set, so rows are never read again. Means and scales for imputing
 * and standardising are those of all rows; centring is each set's own.
 *
 * Without an l1 part, the answer comes from the triangular factor as least squares
 * does (leastsq.h), which keeps the digits; only the choice is made here.
 */
#include <math.h>
#include <string.h>

#include "algo/linear/coordinate.h"
#include "algo/linear/linear.h"
#include "algo/linear/moments.h"
#include "core/linalg.h"
#include "core/pool.h"

#define PATH_RATIO 1e-3     /* smallest alpha of a path / the one that leaves nothing */
#define SMALLEST_RATIO 1e-3 /* l1_ratio that the path begins with at least, as glmnet's */
#define RIDGE_FROM 1e3      /* the ends of ridge's path, relative to the mean square of a column */
#define RIDGE_TO 1e-5
#define SLICE ((size_t) 2000000) /* operations between polls: about 2 ms */
#define STILL 0.01               /* how much finer than the gap a sweep must rest */
#define STILL_MIN 1e-20

typedef struct Set
{
	MlMoments m;
	MlDescent d;
	double still;
	bool done, converged;
} Set;

typedef struct Path
{
	MlEnv *env;
	const MlLinearSums *sums;
	const MlLeastColumns *columns;
	const MlLinearOptions *options;
	MlLeastSquares *fit;
	bool smooth; /* no l1 part */

	size_t n, n_levels;
	double *centre;    /* n, then the target's */
	double *scale;     /* what the columns are divided by */
	size_t n_sets;     /* 1, or 1 + folds */
	Set *set;          /* all rows, then all rows but those of each fold */
	double *u, *dense; /* scratch: n; n x n (smooth only) */
	bool *dropped;

	size_t n_alphas, best;
	double *alpha, *error,
		*spread;    /* of each alpha: cross-validated error and its standard error */
	double *points; /* n_alphas x n: solutions for all rows */
} Path;

/* ---- the sets */

/* The weight of the penalties' squares and sizes for a set. */
static double
l2_of(const Path *path, const Set *set, double alpha)
{
	return path->options->ridge ? alpha : alpha * (1 - path->options->l1_ratio) * set->m.t->weight;
}

static double
l1_of(const Path *path, const Set *set, double alpha)
{
	return path->smooth ? 0 : alpha * path->options->l1_ratio * set->m.t->weight;
}

/* What all columns are centred on. */
static MlStatus
find_centre(MlArena *scratch, Path *path)
{
	const MlLevelSums *levels = path->sums->levels[0];
	size_t p = path->columns->n;

	path->centre = ml_arena_array(scratch, path->n + 1, sizeof(double));
	if (path->centre == NULL)
		return ML_ENOMEM;
	if (levels)
		memcpy(path->centre, levels->centre, (p + 1) * sizeof(double));
	else
		ml_moments_centre(path->sums->tsqr, path->sums->n_folds, path->columns, path->centre);
	return ML_OK;
}

/* The moments of each set; then the target's centre goes behind the levels, whose own is 0. */
static MlStatus
sum_sets(MlArena *scratch, Path *path)
{
	const MlLinearSums *sums = path->sums;
	size_t n_folds = sums->n_folds, p = path->columns->n;
	MlMoments *folds[ML_LINEAR_MAX_FOLDS];
	double y_centre = path->centre[p];

	path->n_sets = n_folds > 1 ? 1 + n_folds : 1;
	path->set = ml_arena_array(scratch, path->n_sets, sizeof(Set));
	if (path->set == NULL)
		return ML_ENOMEM;
	for (size_t s = 0; s < path->n_sets; s++)
		ML_TRY(ml_moments_create(scratch, path->n, &path->set[s].m));
	for (size_t f = 0; f < n_folds; f++)
	{
		folds[f] = &path->set[n_folds > 1 ? 1 + f : 0].m;
		ML_TRY(ml_moments_add_rows(folds[f], sums->tsqr[f], path->columns, sums->levels[f],
								   path->centre));
		if (n_folds > 1)
			ML_TRY(ml_moments_add(path->env, &path->set[0].m, folds[f]));
	}
	if (n_folds > 1)
		ML_TRY(ml_moments_complement(path->env, folds, n_folds));
	memset(path->centre + p, 0, path->n_levels * sizeof(double));
	path->centre[path->n] = y_centre;
	return ML_OK;
}

/* Means and standard deviations of all rows, and what to divide by. */
static MlStatus
describe(MlArena *scratch, Path *path)
{
	const MlMoments *m = &path->set[0].m;
	MlLeastSquares *fit = path->fit;
	double total = m->t->weight;

	path->scale = ml_arena_array(scratch, path->n, sizeof(double));
	if (path->scale == NULL)
		return ML_ENOMEM;
	fit->sum_weight = total;
	for (size_t j = 0; j < path->n; j++)
	{
		double mean = m->x[j] / total,
			   scale = sqrt(ml_not_negative(m->h[j + j * path->n] / total - mean * mean));

		fit->mean[j] = path->centre[j] + mean;
		fit->scale[j] = scale > ML_LEAST_ROUNDING * fabs(fit->mean[j]) ? scale : 0;
		path->scale[j] =
			path->options->least.standardize && j < path->columns->n_numbers && fit->scale[j] > 0
				? fit->scale[j]
				: 1;
	}
	return ML_OK;
}

/* Centre and scale a set. What is constant has no curvature, not even by rounding. */
static MlStatus
prepare_set(Path *path, Set *set)
{
	bool intercept = path->options->least.intercept;

	if (intercept)
		ML_TRY(ml_moments_to_means(path->env, &set->m));
	else
		ML_TRY(ml_moments_to_zero(path->env, &set->m, path->centre));
	ML_TRY(ml_moments_scale(path->env, &set->m, path->scale));
	for (size_t j = 0; j < path->n && intercept; j++)
	{
		if (path->fit->scale[j] == 0)
			set->m.h[j + j * path->n] = set->m.q[j] = 0;
	}
	set->d.h = set->m.h;
	set->d.q = set->m.q;
	memcpy(set->d.r, set->m.q, path->n * sizeof(double));
	return ML_OK;
}

/* Everything that does not depend on alpha. */
static MlStatus
prepare(MlArena *scratch, Path *path)
{
	ML_TRY(find_centre(scratch, path));
	ML_TRY(sum_sets(scratch, path));
	ML_TRY(describe(scratch, path));
	for (size_t s = 0; s < path->n_sets; s++)
	{
		ML_TRY(ml_descent_create(scratch, path->n, &path->set[s].d));
		ML_TRY(prepare_set(path, &path->set[s]));
	}
	path->u = ml_arena_array(scratch, path->n, sizeof(double));
	if (path->u == NULL)
		return ML_ENOMEM;
	if (!path->smooth)
		return ML_OK;
	ML_TRY(ml_arena_zeros(scratch, path->n, path->n * sizeof(double), &path->dense));
	path->dropped = ml_arena_array(scratch, path->n, sizeof(bool));
	return path->dropped ? ML_OK : ML_ENOMEM;
}

/* ---- the alphas */

/* The ends of the path: from where nothing is left to where hardly anything is penalised. */
static void
path_ends(const Path *path, double *first, double *last)
{
	const MlMoments *m = &path->set[0].m;
	double greatest = 0, square = 0, live = 0, total = m->t->weight;

	for (size_t j = 0; j < path->n; j++)
	{
		double h = m->h[j + j * path->n];

		greatest = fmax(greatest, fabs(m->q[j]));
		square += h;
		live += h > 0;
	}
	if (!path->smooth)
	{
		*first = greatest / (total * fmax(path->options->l1_ratio, SMALLEST_RATIO));
		*last = *first * PATH_RATIO;
		return;
	}
	square = live > 0 ? square / live : 1;
	square /= path->options->ridge ? 1 : total;
	*first = RIDGE_FROM * square;
	*last = RIDGE_TO * square;
}

/* The alphas, falling; one where it is given, or where there is nothing to choose by. */
static MlStatus
lay_out(MlArena *scratch, Path *path)
{
	double first = path->options->alpha, last = first;
	size_t n;

	if (isnan(first))
		path_ends(path, &first, &last);
	n = path->n_sets > 1 && first > 0 ? (size_t) path->options->n_alphas : 1;
	path->n_alphas = n;
	path->alpha = ml_arena_array(scratch, n, sizeof(double));
	path->error = ml_arena_array(scratch, n, sizeof(double));
	path->spread = ml_arena_array(scratch, n, sizeof(double));
	path->points = ml_arena_array(scratch, n, path->n * sizeof(double));
	if (!path->alpha || !path->error || !path->spread || !path->points)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
		path->alpha[i] = i == 0 ? first : first * pow(last / first, (double) i / (double) (n - 1));
	return ML_OK;
}

/* ---- one alpha */

/* A task: a slice of a set's descent; finer sweeps until the gap is closed. */
static void
advance(void *arg, size_t task, int worker)
{
	Path *path = arg;
	Set *set = &path->set[task];
	double limit = path->options->tol * set->m.t->yy;
	bool rests;

	(void) worker;
	if (set->done)
		return;
	rests = ml_descent_run(&set->d, set->still, SLICE);
	if (rests)
	{
		set->converged = ml_descent_gap(&set->d, set->m.t->yy) <= limit;
		set->still *= STILL;
		set->d.all = true;
	}
	set->done = set->converged || set->d.sweeps >= (uint64_t) path->options->max_iter ||
				set->still < STILL_MIN * set->m.t->yy;
}

/* All sets to their minimum at alpha. */
static MlStatus
descend(Path *path, double alpha)
{
	bool done = false;

	for (size_t s = 0; s < path->n_sets; s++)
	{
		Set *set = &path->set[s];

		set->d.l1 = l1_of(path, set, alpha);
		set->d.l2 = l2_of(path, set, alpha);
		set->still = STILL * path->options->tol * set->m.t->yy;
		set->done = set->converged = false;
		ml_descent_start(&set->d);
	}
	while (!done)
	{
		ML_TRY(ml_pool_run(path->env, path->n_sets, advance, path));
		done = true;
		for (size_t s = 0; s < path->n_sets; s++)
			done &= path->set[s].done;
	}
	return ML_OK;
}

/* The same without an l1 part: by Cholesky factors. */
static MlStatus
solve_smooth(Path *path, double alpha)
{
	size_t n = path->n;

	for (size_t s = 0; s < path->n_sets; s++)
	{
		Set *set = &path->set[s];
		double l2 = l2_of(path, set, alpha);

		for (size_t j = 0; j < n; j++)
		{
			memcpy(path->dense + j * n, set->m.h + j * n, (j + 1) * sizeof(double));
			path->dense[j + j * n] += l2;
		}
		ML_TRY(ml_cholesky(path->env, path->dense, n, n, NULL, 1e-14, path->dropped, NULL));
		for (size_t j = 0; j < n; j++)
			set->d.b[j] = path->dropped[j] ? 0 : set->m.q[j];
		ml_upper_solve_transposed(path->dense, n, n, set->d.b);
		ml_upper_solve(path->dense, n, n, set->d.b);
		for (size_t j = 0; j < n; j++)
			set->d.r[j] = l2 * set->d.b[j];
		set->converged = true;
		ML_TRY(ml_poll(path->env));
	}
	return ML_OK;
}

/* The sum of squared errors on all rows, of the model of a set. */
static double
error_on_all(const Path *path, const Set *set)
{
	const MlMoments *all = &path->set[0].m, *own = &set->m;
	const double *b = set->d.b;
	double sum = all->t->yy, off = all->t->y / all->t->weight - own->t->y / own->t->weight;
	size_t n = path->n, count = 0;
	uint32_t *used = set->d.active; /* every coefficient that is not 0 is active */

	count = set->d.n_active;
	for (size_t a = 0; a < (path->smooth ? n : count); a++)
	{
		size_t j = path->smooth ? a : used[a];
		const double *column = all->h + j * n;
		double product = 0;

		for (size_t c = 0; b[j] != 0 && c < (path->smooth ? n : count); c++)
		{
			size_t k = path->smooth ? c : used[c];

			product += column[k] * b[k];
		}
		sum += b[j] * (product - 2 * all->q[j]);
		off -= b[j] * (all->x[j] / all->t->weight - own->x[j] / own->t->weight);
	}
	return path->options->least.intercept ? sum + all->t->weight * off * off : sum;
}

/* The cross-validated error of alpha i: the mean over all rows; its spread is between folds. */
static MlStatus
validate(Path *path, size_t i)
{
	double sum = 0, weight = 0, square = 0, total = path->set[0].m.t->weight, mean = 0;
	size_t folds = 0;

	for (size_t s = 1; s < path->n_sets; s++)
	{
		const Set *set = &path->set[s];
		double own = total - set->m.t->weight, error;

		if (!(own > total * 1e-12 && set->m.t->weight > 0))
			continue;
		error = ml_not_negative(error_on_all(path, set) - ml_descent_rss(&set->d, set->m.t->yy));
		sum += error;
		weight += own;
		mean += error / own;
		square += error / own * (error / own);
		folds++;
		ML_TRY(ml_poll(path->env));
	}
	mean /= (double) folds;
	path->error[i] = sum / weight;
	path->spread[i] =
		folds > 1
			? sqrt(ml_not_negative(square / (double) folds - mean * mean) / ((double) folds - 1))
			: 0;
	return ML_OK;
}

/* One line of the training log. */
static MlStatus
log_alpha(const Path *path, size_t i, MlBuffer *out)
{
	const Set *all = &path->set[0];
	MlProgress line = {.iteration = (int) i + 1, .total = (int) path->n_alphas};
	double square = 0, used = 0;
	MlJsonWriter w;

	for (size_t j = 0; j < path->n; j++)
	{
		square += all->d.b[j] * all->d.b[j];
		used += all->d.b[j] != 0;
	}
	line.loss = ml_descent_rss(&all->d, all->m.t->yy) / all->m.t->weight;
	line.valid_loss = path->n_sets > 1 ? path->error[i] : NAN;
	ml_json_writer(&w, out);
	w.comma = out->len > 0;
	ml_json_open(&w, NULL, '{');
	ml_json_number(&w, "iteration", line.iteration);
	ml_json_number(&w, "alpha", path->alpha[i]);
	ml_json_number(&w, "loss", line.loss);
	ml_json_number(&w, "valid_loss", line.valid_loss);
	ml_json_number(&w, "weight_norm", sqrt(square));
	ml_json_number(&w, "nonzero", used);
	ml_json_close(&w, '}');
	ml_report(path->env, &line);
	return out->status;
}

/* ---- the whole path */

/* The smallest error, or the greatest alpha within its standard error. */
static void
choose(Path *path)
{
	size_t best = 0;

	for (size_t i = 1; i < path->n_alphas; i++)
	{
		if (path->error[i] < path->error[best])
			best = i;
	}
	path->best = best;
	for (size_t i = best; path->options->one_se && i-- > 0;)
	{
		if (path->error[i] <= path->error[best] + path->spread[best])
			path->best = i;
	}
}

/* Down the path. */
static MlStatus
walk(Path *path, MlBuffer *log, bool *converged)
{
	*converged = true;
	for (size_t i = 0; i < path->n_alphas; i++)
	{
		ML_TRY(path->smooth ? solve_smooth(path, path->alpha[i]) : descend(path, path->alpha[i]));
		if (path->n_sets > 1)
			ML_TRY(validate(path, i));
		memcpy(path->points + i * path->n, path->set[0].d.b, path->n * sizeof(double));
		ML_TRY(log_alpha(path, i, log));
		*converged = path->set[0].converged;
	}
	choose(path);
	return ML_OK;
}

/* The solution at the chosen alpha on the scale of the data. */
static void
take_point(Path *path)
{
	Set *all = &path->set[0];
	MlLeastSquares *fit = path->fit;
	const MlMoments *m = &all->m;

	memcpy(all->d.b, path->points + path->best * path->n, path->n * sizeof(double));
	ml_descent_residual(&all->d);
	fit->rss = ml_descent_rss(&all->d, m->t->yy);
	fit->tss = m->t->yy;
	fit->rank = path->options->least.intercept;
	fit->intercept = path->centre[path->n] + m->t->y / m->t->weight;
	for (size_t j = 0; j < path->n; j++)
	{
		fit->coefficient[j] = all->d.b[j] / path->scale[j];
		fit->intercept -= fit->coefficient[j] * fit->mean[j];
		fit->rank += all->d.b[j] != 0;
	}
	if (!path->options->least.intercept)
		fit->intercept = 0;
	fit->intercept_error = NAN;
}

/* ---- the smooth case, finished by the triangular factor */

/* The factor of all folds. */
static MlStatus
merge_factors(MlArena *scratch, const Path *path, MlTsqr **out)
{
	const MlTsqr *const *folds = path->sums->tsqr;
	size_t n = folds[0]->n_columns;
	uint32_t *same = ml_arena_array(scratch, n, sizeof(uint32_t));

	if (same == NULL)
		return ML_ENOMEM;
	for (size_t c = 0; c < n; c++)
		same[c] = (uint32_t) c;
	ML_TRY(ml_tsqr_create(scratch, n, 0, out));
	memcpy((*out)->indicator, folds[0]->indicator, n * sizeof(uint32_t));
	for (size_t f = 0; f < path->sums->n_folds; f++)
		ML_TRY(ml_tsqr_merge(*out, folds[f], same));
	return ML_OK;
}

/* The sums by level of all folds. */
static MlStatus
merge_levels(MlArena *scratch, const Path *path, MlLevelSums *out)
{
	const MlLevelSums *const *folds = path->sums->levels;
	size_t n = folds[0]->n_levels, strip = folds[0]->n_dense + 2;

	*out = *folds[0];
	out->strip = ml_arena_array(scratch, n, strip * sizeof(double));
	if (!out->strip)
		return ML_ENOMEM;
	if (folds[0]->pairs)
		ML_TRY(ml_arena_zeros(scratch, n, n * sizeof(double), &out->pairs));
	for (size_t f = 0; f < path->sums->n_folds; f++)
	{
		for (size_t i = 0; i < n * strip; i++)
			out->strip[i] += folds[f]->strip[i];
		for (size_t l = 0; l < n && out->pairs; l++)
		{
			for (size_t k = l * n; k < l * n + l; k++)
				out->pairs[k] += folds[f]->pairs[k];
			if (l % 64 == 0)
				ML_TRY(ml_poll(path->env));
		}
	}
	return ML_OK;
}

static MlStatus
finish_smooth(MlArena *scratch, Path *path, double alpha)
{
	const MlLinearSums *sums = path->sums;
	MlLeastOptions least = path->options->least;
	const MlLevelSums *levels = sums->levels[0];
	const MlTsqr *factor = sums->tsqr[0];
	MlLevelSums all_levels;
	double weight = 0;

	for (size_t f = 0; f < sums->n_folds; f++)
		weight += ml_tsqr_product(sums->tsqr[f], 0, 0);
	least.l2 = path->options->ridge ? alpha : alpha * weight;
	if (sums->n_folds > 1)
	{
		MlTsqr *merged;

		ML_TRY(merge_factors(scratch, path, &merged));
		factor = merged;
		if (levels)
		{
			ML_TRY(merge_levels(scratch, path, &all_levels));
			levels = &all_levels;
		}
	}
	return ml_leastsq_from_tsqr(scratch, factor, path->columns, levels, &least, sums->n_rows,
								&path->fit);
}

/* ---- the face */

/* Members of the summary that only penalised fits have. */
static void
report_choice(const Path *path, double alpha, bool converged, MlBuffer *out)
{
	double used = 0;
	MlJsonWriter w;

	for (size_t j = 0; j < path->n; j++)
		used += path->fit->coefficient[j] != 0;
	ml_json_writer(&w, out);
	ml_json_number(&w, "alpha", alpha);
	if (!path->options->ridge)
		ml_json_number(&w, "l1_ratio", path->options->l1_ratio);
	ml_json_number(&w, "nonzero", used);
	if (path->n_sets > 1)
	{
		ml_json_number(&w, "cv_mse", path->error[path->best]);
		ml_json_number(&w, "cv_mse_error", path->spread[path->best]);
	}
	if (path->smooth)
		return;
	ml_json_bool(&w, "converged", converged);
	if (!converged)
		ml_json_text(&w, "advice", "The descent stopped early: raise max_iter or tol.");
}

MlStatus
ml_linear_path(MlArena *scratch, const MlLinearSums *sums, const MlLeastColumns *columns,
			   const MlLinearOptions *options, MlFitReport *report, MlLeastSquares **fit)
{
	Path path = {.env = scratch->env, .sums = sums, .columns = columns, .options = options};
	double alpha = options->alpha;
	bool converged = true;

	path.smooth = options->ridge || options->l1_ratio == 0 || alpha == 0;
	path.n_levels = sums->levels[0] ? sums->levels[0]->n_levels : 0;
	path.n = columns->n + path.n_levels;
	if (!path.smooth || isnan(alpha))
	{
		ML_TRY(ml_leastsq_create(scratch, path.n, &path.fit));
		ML_TRY(prepare(scratch, &path));
		ML_TRY(lay_out(scratch, &path));
		ML_TRY(walk(&path, &report->log, &converged));
		alpha = path.alpha[path.best];
	}
	if (path.smooth)
		ML_TRY(finish_smooth(scratch, &path, alpha));
	else
	{
		take_point(&path);
		ML_TRY(ml_leastsq_close(path.env, path.fit, &options->least, sums->n_rows));
	}
	report_choice(&path, alpha, converged, &report->summary);
	*fit = path.fit;
	return report->summary.status;
}
