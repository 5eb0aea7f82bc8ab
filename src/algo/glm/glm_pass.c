/*
 * glm_pass.c
 *		Passes over the rows of a generalised linear model: objective, gradient, Hessian, likelihood.
 *
 * Rows are read from the frame anew in every pass: a fit takes some ten passes, and
 * a copy of the design would take more memory than the frame itself. For numbers
 * the Hessian X' diag(s) X is a product of matrices; for levels it is index
 * arithmetic: each row adds its scaled numbers to the strips of its levels, and s
 * to the cells of each pair of levels.
 *
 * The blocks are divided among parts, whose number depends on the size of the sums
 * alone; each part adds up its blocks in order, and the parts are added up in order.
 * So results do not depend on the number of threads.
 */
#include <cblas.h>
#include <string.h>

#include "algo/glm/glm_pass.h"
#include "core/linalg.h"
#include "core/pool.h"
#include "core/vmath.h"

#define TASK_SECONDS 0.004
#define PARTS_MAX 32
#define PARTS_BYTES ((size_t) 64 << 20)

/* ---- running a pass */

static void
visit_chunk(void *arg, size_t part, int worker)
{
	const MlGlmPass *pass = arg;
	MlGlmProblem *problem = pass->problem;
	double *sums = problem->partial + part * pass->stride;
	size_t first = (pass->round * pass->parts + part) * pass->chunk;
	size_t end = ML_MIN(first + pass->chunk, problem->n_blocks);

	if (pass->round == 0)
		memset(sums, 0, pass->n_sums * sizeof(double));
	for (size_t block = first; block < end; block++)
		if (!pass->visit(pass, block, &problem->scratch[worker], sums))
			sums[pass->n_sums - 1] += 1;
}

static MlStatus
reserve_partial(MlGlmProblem *problem, size_t n)
{
	if (n <= problem->partial_size)
		return ML_OK;
	ml_free(problem->env, problem->partial);
	problem->partial_size = 0;
	problem->partial = ml_alloc_array(problem->env, n, sizeof(double));
	if (!problem->partial)
		return ML_ENOMEM;
	problem->partial_size = n;
	return ML_OK;
}

MlStatus
ml_glm_run(MlGlmPass *pass, double *total)
{
	MlGlmProblem *problem = pass->problem;
	size_t affordable;

	pass->stride = (pass->n_sums + 7) / 8 * 8 + 8; /* no cache line is shared between parts */
	affordable = PARTS_BYTES / (pass->stride * sizeof(double));
	pass->parts = ML_MIN(problem->n_blocks, ML_MIN(PARTS_MAX, ML_MAX(affordable, 1)));
	pass->chunk = (size_t) fmax(1, TASK_SECONDS / pass->block_seconds);
	pass->chunk = ML_MIN(pass->chunk, (problem->n_blocks + pass->parts - 1) / pass->parts);
	ML_TRY(reserve_partial(problem, pass->parts * pass->stride));
	for (pass->round = 0; pass->round * pass->parts * pass->chunk < problem->n_blocks;
		 pass->round++)
		ML_TRY(ml_pool_run(problem->env, pass->parts, visit_chunk, pass));
	memcpy(total, problem->partial, pass->n_sums * sizeof(double));
	for (size_t part = 1; part < pass->parts; part++)
		for (size_t i = 0; i < pass->n_sums; i++)
			total[i] += problem->partial[part * pass->stride + i];
	return ml_poll(problem->env);
}

double
ml_glm_block_seconds(const MlGlmProblem *problem, bool hessian)
{
	double dense = problem->n_dense, factors = problem->n_factors;
	double cells = 30 + 3 * dense + 5 * factors;

	if (hessian)
		cells += dense * dense / 8 + factors * (factors + dense);
	return 1e-9 * (double) problem->block * cells;
}

/* ---- reading a block */

void
ml_glm_read_figures(const MlGlmProblem *problem, size_t block, MlGlmScratch *s)
{
	size_t first = block * problem->block, n = ML_MIN(problem->block, problem->n - first);

	s->rows.n = n;
	ml_dataset_target(problem->data, problem->rows, first, n, s->rows.y);
	ml_dataset_weight(problem->data, problem->rows, first, n, s->rows.w);
	if (problem->offset_feature < 0)
	{
		memset(s->offset, 0, n * sizeof(double));
		return;
	}
	ml_dataset_feature(problem->data, (uint32_t) problem->offset_feature, problem->rows, first, n,
					   s->offset);
	for (size_t i = 0; i < n; i++)
		s->offset[i] = ml_glm_offset(problem->exposure, s->offset[i]);
}

/* All of a block: ones and standardised numbers in x, levels from 0. */
static void
read_block(const MlGlmProblem *problem, size_t block, MlGlmScratch *s)
{
	size_t stride = problem->block, n;

	ml_glm_read_figures(problem, block, s);
	n = s->rows.n;
	ml_design_block(problem->design, problem->data, problem->rows, block * stride, n, stride,
					s->x + stride, s->levels);
	for (size_t i = 0; i < n; i++)
		s->x[i] = 1;
	for (uint32_t j = 0; j < problem->n_dense; j++)
	{
		double *column = s->x + (1 + j) * stride, center = problem->center[j];
		double factor = 1 / problem->scale[j];

		for (size_t i = 0; i < n; i++)
			column[i] = (column[i] - center) * factor;
	}
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < n; i++)
		{
			uint32_t *level = &s->levels[f * stride + i];

			*level = *level == ML_NO_COLUMN ? problem->n_levels : *level - problem->n_dense;
		}
}

/* eta = X b + offset. */
static void
predict_block(const MlGlmProblem *problem, const double *b, MlGlmScratch *s)
{
	size_t width = 1 + (size_t) problem->n_dense, n = s->rows.n;
	double *eta = s->rows.eta;

	memcpy(eta, s->offset, n * sizeof(double));
	cblas_dgemv(CblasColMajor, CblasNoTrans, (int) n, (int) width, 1.0, s->x, (int) problem->block,
				b, 1, 1.0, eta, 1);
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < n; i++)
		{
			uint32_t level = s->levels[f * problem->block + i];

			if (level < problem->n_levels)
				eta[i] += b[width + level];
		}
}

/* eta and all that follows from it. Without b: the means to start from, and the score for a step from 0. */
static bool
evaluate_rows(const MlGlmPass *pass, MlGlmScratch *s, double *deviance, double *pearson)
{
	const MlGlmProblem *problem = pass->problem;
	MlGlmBlock *k = &s->rows;

	if (pass->b)
	{
		predict_block(problem, pass->b, s);
		return ml_glm_evaluate_block(&problem->law, k, deviance, pearson);
	}
	for (size_t i = 0; i < k->n; i++)
		k->eta[i] = ml_glm_link(&problem->law, ml_glm_start(&problem->law, k->y[i]));
	if (!ml_glm_evaluate_block(&problem->law, k, deviance, pearson))
		return false;
	for (size_t i = 0; i < k->n; i++)
		k->score[i] += k->curvature[i] * (k->eta[i] - s->offset[i]);
	return true;
}

bool
ml_glm_visit_rows(const MlGlmPass *pass, size_t block, MlGlmScratch *s, double *deviance,
				  double *pearson)
{
	read_block(pass->problem, block, s);
	return evaluate_rows(pass, s, deviance, pearson);
}

/* ---- objective, gradient, Hessian */

/* gradient += X' score. */
static void
add_gradient(const MlGlmProblem *problem, const MlGlmScratch *s, double *gradient)
{
	size_t width = 1 + (size_t) problem->n_dense, n = s->rows.n;

	cblas_dgemv(CblasColMajor, CblasTrans, (int) n, (int) width, 1.0, s->x, (int) problem->block,
				s->rows.score, 1, 1.0, gradient, 1);
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < n; i++)
		{
			uint32_t level = s->levels[f * problem->block + i];

			if (level < problem->n_levels)
				gradient[width + level] += s->rows.score[i];
		}
}

/* The strips of levels: row by row, scaled numbers and pairs of levels. */
ML_CLONES static void
add_levels(const MlGlmProblem *problem, const MlGlmScratch *s, const double *scaled, double *h)
{
	size_t width = 1 + (size_t) problem->n_dense, order = problem->n_columns, ld = problem->block;

	for (size_t i = 0; i < s->rows.n; i++)
		for (uint32_t f = 0; f < problem->n_factors; f++)
		{
			uint32_t level = s->levels[f * ld + i];
			double *column = h + (width + level) * order;

			if (level >= problem->n_levels)
				continue;
			for (size_t j = 0; j < width; j++)
				column[j] += scaled[i * width + j];
			for (uint32_t g = 0; g <= f; g++)
				if (s->levels[g * ld + i] < problem->n_levels)
					column[width + s->levels[g * ld + i]] += s->rows.curvature[i];
		}
}

/* h += X' diag(curvature) X, upper triangle. */
static void
add_hessian(const MlGlmProblem *problem, MlGlmScratch *s, double *h)
{
	size_t width = 1 + (size_t) problem->n_dense, n = s->rows.n, ld = problem->block;
	double *root = s->rows.a;

	for (size_t i = 0; i < n; i++)
		root[i] = sqrt(s->rows.curvature[i]);
	for (size_t j = 0; j < width; j++)
		for (size_t i = 0; i < n; i++)
			s->tile[j * ld + i] = s->x[j * ld + i] * root[i];
	cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, (int) width, (int) n, 1.0, s->tile, (int) ld,
				1.0, h, (int) problem->n_columns);
	if (problem->n_factors == 0)
		return;
	for (size_t j = 0; j < width; j++)
		for (size_t i = 0; i < n; i++)
			s->tile[i * width + j] = s->x[j * ld + i] * s->rows.curvature[i];
	add_levels(problem, s, s->tile, h);
}

/* Sums: Hessian, gradient, weights of levels, deviance, Pearson. */
static bool
visit_evaluate(const MlGlmPass *pass, size_t block, MlGlmScratch *s, double *sums)
{
	const MlGlmProblem *problem = pass->problem;
	size_t order = problem->n_columns;
	double *gradient = sums + order * order, *level_weight = gradient + order;

	read_block(problem, block, s);
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < s->rows.n; i++)
			if (s->levels[f * problem->block + i] < problem->n_levels)
				level_weight[s->levels[f * problem->block + i]] += s->rows.w[i];
	if (!evaluate_rows(pass, s, level_weight + problem->n_levels,
					   level_weight + problem->n_levels + 1))
		return false;
	add_gradient(problem, s, gradient);
	add_hessian(problem, s, sums);
	return true;
}

MlStatus
ml_glm_point_create(const MlGlmProblem *problem, MlGlmPoint *point)
{
	size_t order = problem->n_columns;

	point->sums =
		ml_alloc_array(problem->env, order * (order + 1) + problem->n_levels + 3, sizeof(double));
	if (!point->sums)
		return ML_ENOMEM;
	point->hessian = point->sums;
	point->gradient = point->hessian + order * order;
	point->level_weight = point->gradient + order;
	return ML_OK;
}

void
ml_glm_point_free(const MlGlmProblem *problem, MlGlmPoint *point)
{
	ml_free(problem->env, point->sums);
	point->sums = NULL;
}

/* The penalty on everything but the intercept. */
static void
add_penalty(const MlGlmProblem *problem, const double *b, MlGlmPoint *point)
{
	size_t order = problem->n_columns;

	point->penalty_norm = 0;
	for (size_t j = 1; j < order; j++)
	{
		double value = b ? b[j] : 0;

		point->penalty_norm += value * value;
		point->gradient[j] -= problem->l2 * value;
		point->hessian[j * order + j] += problem->l2;
	}
	point->objective = 0.5 * (point->deviance + problem->l2 * point->penalty_norm);
}

MlStatus
ml_glm_evaluate(MlGlmProblem *problem, const double *b, MlGlmPoint *point)
{
	size_t order = problem->n_columns;
	MlGlmPass pass = {.problem = problem, .b = b, .visit = visit_evaluate};
	const double *figures = point->level_weight + problem->n_levels;

	pass.n_sums = order * (order + 1) + problem->n_levels + 3;
	pass.block_seconds = ml_glm_block_seconds(problem, true);
	ML_TRY(ml_glm_run(&pass, point->sums));
	point->deviance = figures[0];
	point->pearson = figures[1];
	add_penalty(problem, b, point);
	if (figures[2] > 0)
		point->objective = INFINITY;
	for (size_t j = 0; j < order; j++)
	{
		if (!problem->skip[j])
			continue;
		point->gradient[j] = 0;
		for (size_t i = 0; i <= j; i++)
			point->hessian[j * order + i] = 0;
		for (size_t i = j; i < order; i++)
			point->hessian[i * order + j] = 0;
	}
	return ML_OK;
}

/* ---- the triangle of a QR factorisation */

/* The rows of a block below the triangle: root of the curvature times each column, levels as 0 and 1. */
static void
put_rows(const MlGlmProblem *problem, const MlGlmScratch *s, double *a, size_t ld)
{
	size_t width = 1 + (size_t) problem->n_dense, n = s->rows.n, order = problem->n_columns;

	for (size_t j = 0; j < order; j++)
	{
		double *column = a + j * ld + order;

		for (size_t i = 0; i < n; i++)
			column[i] = j < width && !problem->skip[j]
							? s->x[j * problem->block + i] * sqrt(s->rows.curvature[i])
							: 0;
	}
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < n; i++)
		{
			uint32_t level = s->levels[f * problem->block + i];

			if (level < problem->n_levels && !problem->skip[width + level])
				a[(width + level) * ld + order + i] = sqrt(s->rows.curvature[i]);
		}
}

/* The rows of the penalty: sqrt(l2) on the diagonal. */
static MlStatus
fold_penalty(const MlGlmProblem *problem, double *a, size_t ld, double *work)
{
	size_t order = problem->n_columns;

	for (size_t at = 1; problem->l2 > 0 && at < order; at += problem->block)
	{
		size_t n = ML_MIN(problem->block, order - at);

		for (size_t j = 0; j < order; j++)
			memset(a + j * ld + order, 0, n * sizeof(double));
		for (size_t i = 0; i < n; i++)
			if (!problem->skip[at + i])
				a[(at + i) * ld + order + i] = sqrt(problem->l2);
		ML_TRY(ml_qr_update(problem->env, a, order, n, ld, work));
	}
	return ML_OK;
}

/* All blocks into the triangle at the top of a. */
static MlStatus
fold_rows(MlGlmProblem *problem, const double *b, double *a, size_t ld, double *work)
{
	MlGlmPass pass = {.problem = problem, .b = b};
	MlGlmScratch *s = &problem->scratch[0];

	for (size_t block = 0; block < problem->n_blocks; block++)
	{
		double deviance = 0, pearson = 0;

		ML_TRY(ml_poll(problem->env));
		read_block(problem, block, s);
		if (!evaluate_rows(&pass, s, &deviance, &pearson))
			return ml_fail(problem->env, ML_ENOCONV, "a fitted mean is out of range");
		put_rows(problem, s, a, ld);
		ML_TRY(ml_qr_update(problem->env, a, problem->n_columns, s->rows.n, ld, work));
	}
	return fold_penalty(problem, a, ld, work);
}

MlStatus
ml_glm_triangle(MlGlmProblem *problem, const double *b, double *triangle)
{
	size_t order = problem->n_columns, ld = order + problem->block;
	double *a = ml_zalloc_array(problem->env, ld * order, sizeof(double));
	double *work = ml_alloc_array(problem->env, ml_qr_work(order), sizeof(double));
	MlStatus status = a && work ? fold_rows(problem, b, a, ld, work) : ML_ENOMEM;

	for (size_t j = 0; j < order && status == ML_OK; j++)
		for (size_t i = 0; i < order; i++)
			triangle[j * order + i] = i <= j ? a[j * ld + i] : 0;
	ml_free(problem->env, work);
	ml_free(problem->env, a);
	return status;
}

/* ---- likelihood */

static bool
visit_likelihood(const MlGlmPass *pass, size_t block, MlGlmScratch *s, double *sums)
{
	const MlGlmProblem *problem = pass->problem;
	double sum = 0, deviance = 0, pearson = 0;

	if (!ml_glm_visit_rows(pass, block, s, &deviance, &pearson))
		return false;
	for (size_t i = 0; i < s->rows.n; i++)
		sum += ml_glm_log_likelihood(&problem->law, s->rows.y[i], s->rows.mu[i], s->rows.w[i],
									 pass->dispersion);
	sums[0] += sum;
	return true;
}

MlStatus
ml_glm_likelihood(MlGlmProblem *problem, const double *b, double dispersion, double *log_likelihood)
{
	MlGlmPass pass = {.problem = problem,
					  .b = b,
					  .dispersion = dispersion,
					  .visit = visit_likelihood,
					  .n_sums = 2};
	double sums[2];

	pass.block_seconds = ml_glm_block_seconds(problem, false) + 1.5e-7 * (double) problem->block;
	ML_TRY(ml_glm_run(&pass, sums));
	*log_likelihood = sums[0];
	return ML_OK;
}
