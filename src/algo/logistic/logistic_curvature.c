/*
 * logistic_curvature.c
 *		Approximate Hessians of logistic regression, summed and factored.
 *
 * A Hessian is X' diag(s) X. For the numbers that is a product of matrices; for
 * levels it is index arithmetic: each row adds its scaled numbers to the strips
 * of its levels, and s to the cells of each pair of levels. With more than two
 * classes the blocks off the diagonal are -X' diag(w p_k p_l) X, which is one
 * product of the matrix with columns sqrt(w) p_k x_j; the blocks on the diagonal
 * are summed by themselves, since p_k (1 - p_k) loses its digits as a difference.
 *
 * The solver needs these only as a metric, so a sample of blocks will do (Byrd,
 * Chin, Neveitt and Nocedal 2011): the error of the step falls with the square
 * root of rows per unknown.
 *
 * The products are BLAS's, whose rounding depends on the kind of CPU. That moves
 * the iterates, not the optimum: a fit elsewhere agrees to the tolerance, not to
 * the byte. On one machine the bytes are the same, whatever the number of threads,
 * as each product is computed by one thread and sums are in a fixed order.
 */
#include <math.h>
#include <string.h>

#include <cblas.h>

#include "algo/logistic/logistic.h"
#include "core/linalg.h"
#include "core/vmath.h"

#define MAX_CELLS (8u << 20)  /* doubles in the matrices of all groups */
#define TILE_ROWS 256         /* rows of a coupled tile */
#define JITTER 4e-6           /* share of the diagonal that float products need to stay definite */
#define SAMPLE_ROWS 32768     /* a sample has at least so many rows, */
#define ROWS_PER_UNKNOWN 100  /* and so many for each unknown */
#define COUPLED_FLOPS 2e10    /* a coupled matrix may cost about so much, */
#define COUPLED_ROWS_MIN 8    /* but has so many rows for each unknown, */
#define COUPLED_ROWS_MAX 50   /* and need not have more than so many */
#define PASSES_PER_BUILD 4.0  /* what a matrix may cost where that matters */
#define PIVOT_TOLERANCE 1e-12 /* a smaller share of its diagonal: the column depends on others */
#define FLOPS_PER_SECOND 3e10
#define COLUMNS_A_POLL 64

/* ---- sums */

/* scaled = x diag(s), row by row: row i is x[i][0..width-1] * s[i], the layout that the strips add up. */
ML_CLONES static void
scale_rows(const MlLogisticRows *rows, size_t width, double *scaled)
{
	for (size_t j = 0; j < width; j++)
		for (size_t i = 0; i < rows->n; i++)
			scaled[i * width + j] = rows->x[j * rows->ld + i] * rows->s[i];
}

/* The columns of levels in h: strips with the numbers, pairs with the levels of factors before, diagonal. */
ML_CLONES static void
add_levels(const MlLogisticRows *rows, size_t width, uint32_t n_factors, uint32_t n_levels,
		   const double *scaled, size_t order, double *h)
{
	for (size_t i = 0; i < rows->n; i++)
		for (uint32_t f = 0; f < n_factors; f++)
		{
			uint32_t level = rows->levels[f * rows->ld + i];
			double *column = h + (width + level) * order;

			if (level >= n_levels)
				continue;
			for (size_t j = 0; j < width; j++)
				column[j] += scaled[i * width + j];
			for (uint32_t g = 0; g <= f; g++)
				if (rows->levels[g * rows->ld + i] < n_levels)
					column[width + rows->levels[g * rows->ld + i]] += rows->s[i];
		}
}

/* The diagonal of the columns that are not taken in full. */
static void
add_diagonal(const MlLogisticProblem *problem, const MlLogisticRows *rows, uint32_t n_full,
			 double *diagonal)
{
	uint32_t width = 1 + problem->n_dense;

	for (uint32_t j = n_full; j < width; j++)
		for (size_t i = 0; i < rows->n; i++)
			diagonal[j - n_full] +=
				rows->s[i] * rows->x[j * rows->ld + i] * rows->x[j * rows->ld + i];
	for (uint32_t f = 0; f < problem->n_factors; f++)
		for (size_t i = 0; i < rows->n; i++)
		{
			uint32_t level = rows->levels[f * rows->ld + i];

			if (level < problem->n_levels)
				diagonal[width + level - n_full] += rows->s[i];
		}
}

/* tile = x diag(sqrt(s)), column by column. */
ML_CLONES static void
scale_columns(const MlLogisticRows *rows, size_t width, double *root, double *tile)
{
	for (size_t i = 0; i < rows->n; i++)
		root[i] = sqrt(rows->s[i]);
	for (size_t j = 0; j < width; j++)
		for (size_t i = 0; i < rows->n; i++)
			tile[j * rows->ld + i] = rows->x[j * rows->ld + i] * root[i];
}

/* h += X' diag(s) X over these rows. scratch->c is destroyed. */
void
ml_logistic_add_curvature(const MlLogisticProblem *problem, const MlLogisticRows *rows,
						  uint32_t n_full, MlLogisticScratch *scratch, double *h, double *diagonal)
{
	size_t width = 1 + (size_t) problem->n_dense;

	if (n_full >= width)
	{
		scale_columns(rows, width, scratch->c, scratch->tile);
		cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, (int) width, (int) rows->n, 1.0,
					scratch->tile, (int) rows->ld, 1.0, h, (int) n_full);
	}
	else
		for (size_t i = 0; i < rows->n; i++)
			h[0] += rows->s[i];
	if (n_full == problem->n_columns && problem->n_factors > 0)
	{
		scale_rows(rows, width, scratch->tile_rows);
		add_levels(rows, width, problem->n_factors, problem->n_levels, scratch->tile_rows, n_full,
				   h);
	}
	else if (n_full < problem->n_columns)
		add_diagonal(problem, rows, n_full, diagonal);
}

/* The numbers of a block in double, ones in front. */
static void
widen_block(const MlLogisticProblem *problem, const MlLogisticBlock *view, double *dense)
{
	size_t n = problem->block;

	for (size_t i = 0; i < n; i++)
		dense[i] = 1;
	ml_logistic_widen(view->x, dense + n, n * problem->n_dense);
}

/* s = the curvature of group k at the last evaluation. */
static void
group_curvature(const MlLogisticProblem *problem, const MlLogisticBlock *view, uint32_t k,
				double *s)
{
	const float *state = view->state + k * problem->block;

	if (problem->n_groups == 1)
		ml_logistic_widen(state, s, problem->block);
	else
		for (size_t i = 0; i < view->n; i++)
			s[i] = (double) view->weight[i] * (double) state[i] * (1.0 - (double) state[i]);
}

/* tile = columns sqrt(w) p_k x_j of rows first..first+n-1, levels as zeros and ones. */
static void
couple_tile(const MlLogisticProblem *problem, const MlLogisticBlock *view, size_t first, size_t n,
			float *tile)
{
	size_t block = problem->block, width = 1 + (size_t) problem->n_dense;

	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		float *group = tile + (size_t) k * problem->n_columns * TILE_ROWS;

		for (size_t i = 0; i < n; i++)
			group[i] = sqrtf(view->weight[first + i]) * view->state[k * block + first + i];
		for (size_t j = 1; j < width; j++)
			for (size_t i = 0; i < n; i++)
				group[j * TILE_ROWS + i] = group[i] * view->x[(j - 1) * block + first + i];
		memset(group + width * TILE_ROWS, 0,
			   problem->n_levels * (size_t) TILE_ROWS * sizeof(float));
		for (uint32_t f = 0; f < problem->n_factors; f++)
			for (size_t i = 0; i < n; i++)
			{
				uint32_t level = view->levels[f * block + first + i];

				if (level < problem->n_levels)
					group[(width + level) * TILE_ROWS + i] = group[i];
			}
	}
}

/*
 * The blocks off the diagonal; those on it are filled with what the other sums will overwrite. Products and
 * sums of a block of rows are float, which is twice as fast. work: a tile, and a matrix.
 */
static void
add_coupling(const MlLogisticMetric *metric, const MlLogisticBlock *view, float *work, double *h)
{
	const MlLogisticProblem *problem = metric->problem;
	size_t order = metric->order;
	float *matrix = work + order * TILE_ROWS;

	for (size_t first = 0; first < view->n; first += TILE_ROWS)
	{
		size_t n = ML_MIN(view->n - first, TILE_ROWS);

		couple_tile(problem, view, first, n, work);
		cblas_ssyrk(CblasColMajor, CblasUpper, CblasTrans, (int) order, (int) n, -1.0f, work,
					TILE_ROWS, first > 0 ? 1.0f : 0.0f, matrix, (int) order);
	}
	for (size_t j = 0; j < order; j++)
		for (size_t i = 0; i <= j; i++)
			h[j * order + i] += (double) matrix[j * order + i];
}

/* One block of rows. */
static void
visit_block(const MlLogisticPass *pass, size_t block, MlLogisticScratch *scratch, double *sums)
{
	const MlLogisticMetric *metric = pass->arg;
	const MlLogisticProblem *problem = pass->problem;
	MlLogisticBlock view = ml_logistic_block(problem, block);
	MlLogisticRows rows = {
		.n = view.n, .ld = problem->block, .x = scratch->dense, .levels = view.levels};
	size_t n_full = metric->n_full, rest = problem->n_columns - n_full;
	size_t cells = metric->n_matrices * metric->order * metric->order;
	double *matrices = metric->coupled ? sums + cells : sums, *diagonals = sums + cells;

	rows.s = scratch->a;
	widen_block(problem, &view, scratch->dense);
	for (uint32_t k = 0; k < problem->n_groups; k++)
	{
		group_curvature(problem, &view, k, scratch->a);
		ml_logistic_add_curvature(problem, &rows, metric->n_full, scratch,
								  matrices + k * n_full * n_full, diagonals + k * rest);
	}
	if (metric->coupled)
	{
		size_t worker = (size_t) (scratch - problem->scratch);

		add_coupling(metric, &view, metric->work + worker * metric->work_size, sums);
	}
}

/* ---- what to sum */

/* Rough seconds for one block of a matrix. */
static double
block_seconds(const MlLogisticMetric *metric)
{
	const MlLogisticProblem *problem = metric->problem;
	double width = 1.0 + problem->n_dense, factors = problem->n_factors, each = 4e-9 * width;

	if (metric->n_full >= width)
		each += width * width / FLOPS_PER_SECOND;
	if (metric->n_full == problem->n_columns)
		each += factors * width * 0.5e-9 + factors * factors * 1e-9;
	each *= problem->n_groups;
	if (metric->coupled)
		each += (double) metric->order * (double) metric->order / FLOPS_PER_SECOND;
	return each * (double) problem->block;
}

/* Seconds for a block of an evaluation, by the same measure. */
static double
pass_seconds(const MlLogisticProblem *problem)
{
	return (double) problem->block * problem->n_groups *
		   (4e-9 + problem->n_dense * 0.3e-9 + problem->n_factors * 3e-9);
}

/*
 * The stride of the sample: rows that suffice, and fewer where matrices cost much more than passes. Levels
 * suffer in a sample, as rare ones are not in it: then all rows are taken as long as that is cheap.
 */
static size_t
sample_stride(const MlLogisticMetric *metric)
{
	const MlLogisticProblem *problem = metric->problem;
	double order = (double) metric->order, n = (double) problem->n;
	double rows = fmax(SAMPLE_ROWS, ROWS_PER_UNKNOWN * order);
	double affordable = n * PASSES_PER_BUILD * pass_seconds(problem) / block_seconds(metric);

	if (metric->coupled)
	{
		rows = fmin(COUPLED_FLOPS / (order * order), COUPLED_ROWS_MAX * order);
		rows = fmax(fmax(rows, COUPLED_ROWS_MIN * order), SAMPLE_ROWS / 2.0);
	}
	else if (metric->newton && problem->n_factors > 0)
		rows = fmax(rows, affordable);
	else if (!metric->newton)
		rows = fmax(fmin(rows, affordable), COUPLED_ROWS_MIN * order);
	return (size_t) fmax(1, n / rows);
}

/*
 * How many columns of a group are taken in full: all, the numbers, or the intercept alone. A matrix of more
 * columns than rows costs more than the iterations that it saves.
 */
static uint32_t
full_columns(const MlLogisticProblem *problem)
{
	uint32_t choices[3] = {problem->n_columns, 1 + problem->n_dense, 1};

	for (int c = 0; c < 2; c++)
		if (choices[c] <= ML_LOGISTIC_MAX_FULL && choices[c] <= problem->n &&
			(uint64_t) problem->n_groups * choices[c] * choices[c] <= MAX_CELLS)
			return choices[c];
	return 1;
}

/* Choose the form by the sizes, and allocate. */
MlStatus
ml_logistic_metric_create(MlLogisticProblem *problem, MlLogisticMetric *metric)
{
	size_t groups = problem->n_groups, columns = problem->n_columns;

	memset(metric, 0, sizeof(*metric));
	metric->problem = problem;
	metric->coupled =
		groups > 1 && problem->n_unknowns <= ML_LOGISTIC_MAX_COUPLED && columns <= problem->n;
	metric->n_full = metric->coupled ? problem->n_columns : full_columns(problem);
	metric->newton = groups == 1 && metric->n_full == problem->n_columns;
	metric->whole = problem->options.l1 > 0 && (metric->newton || metric->coupled);
	metric->order = metric->coupled ? problem->n_unknowns : metric->n_full;
	metric->n_matrices = metric->coupled ? 1 : groups;
	metric->n_sums = metric->n_matrices * metric->order * metric->order;
	metric->n_sums +=
		metric->coupled ? groups * columns * columns : groups * (columns - metric->n_full);
	metric->work_size = metric->order * (TILE_ROWS + metric->order);
	metric->stride = sample_stride(metric);
	metric->sums = ml_alloc_array(problem->env, metric->n_sums, sizeof(double));
	metric->dropped = ml_zalloc_array(problem->env, problem->n_unknowns, sizeof(bool));
	if (metric->coupled)
		metric->work = ml_zalloc_array(problem->env, (size_t) problem->n_workers,
									   metric->work_size * sizeof(float));
	if (!metric->sums || !metric->dropped || (metric->coupled && !metric->work))
		return ML_ENOMEM;
	return ML_OK;
}

void
ml_logistic_metric_free(MlLogisticMetric *metric)
{
	MlEnv *env = metric->problem->env;

	ml_free(env, metric->work);
	ml_free(env, metric->dropped);
	ml_free(env, metric->sums);
}

/* ---- factoring and solving */

/* What the sums of the sample are multiplied by: all rows / its rows. */
static double
sample_factor(const MlLogisticMetric *metric)
{
	const MlLogisticProblem *problem = metric->problem;
	size_t visited = (problem->n_blocks - 1) / metric->stride + 1, rows = visited * problem->block;

	if ((problem->n_blocks - 1) % metric->stride == 0)
		rows -= problem->n_blocks * problem->block - problem->n;
	return (double) problem->n / (double) rows;
}

/* Put the blocks on the diagonal into the coupled matrix. */
static void
set_diagonal_blocks(MlLogisticMetric *metric)
{
	size_t columns = metric->n_full, order = metric->order;
	const double *blocks = metric->sums + order * order;

	for (uint32_t k = 0; k < metric->problem->n_groups; k++)
		for (size_t j = 0; j < columns; j++)
			memcpy(metric->sums + (k * columns + j) * order + k * columns,
				   blocks + (k * columns + j) * columns, (j + 1) * sizeof(double));
}

/*
 * Scores are free up to a constant for all classes, which nothing binds in the intercepts, nor without a
 * penalty in any column. Give that direction the curvature of the column: the gradient has no part in it, so
 * that the steps are the same, but the matrix is definite.
 */
static void
bind_constants(MlLogisticMetric *metric)
{
	const MlLogisticProblem *problem = metric->problem;
	size_t columns = problem->n_columns;
	size_t n_free = ml_logistic_penalized(&problem->options) ? 1 : columns;
	uint32_t groups = problem->n_groups;

	for (size_t j = 0; j < n_free; j++)
	{
		double mean = 0;

		for (uint32_t k = 0; k < groups; k++)
			mean += metric->sums[(k * columns + j) * (metric->order + 1)] / groups;
		for (uint32_t k = 0; k < groups; k++)
			for (uint32_t l = 0; l <= k; l++)
				metric->sums[(k * columns + j) * metric->order + l * columns + j] += mean;
	}
}

/* Add the penalty to the diagonal; a column that is not used gets 0 there, and is dropped. */
static void
penalise(MlLogisticMetric *metric, size_t unknown, double *cell)
{
	const MlLogisticProblem *problem = metric->problem;

	if (unknown % problem->n_columns != 0)
		*cell += problem->options.l2;
	else if (!problem->options.intercept)
		*cell = 0;
}

/* The lower triangle from the upper one. */
static MlStatus
mirror(const MlLogisticMetric *metric)
{
	size_t order = metric->order;

	for (size_t j = 0; j < order; j++)
	{
		for (size_t i = 0; i < j; i++)
			metric->sums[j + i * order] = metric->sums[i + j * order];
		if (j % COLUMNS_A_POLL == 0)
			ML_TRY(ml_poll(metric->problem->env));
	}
	return ML_OK;
}

/* Sum, penalise and factor at the point of the last evaluation. */
MlStatus
ml_logistic_metric_build(MlLogisticMetric *metric)
{
	MlLogisticProblem *problem = metric->problem;
	MlLogisticPass pass = {
		.visit = visit_block, .problem = problem, .arg = metric, .n_sums = metric->n_sums};
	size_t order = metric->order, columns = problem->n_columns, rest = columns - metric->n_full;
	double factor = sample_factor(metric), *diagonals;

	pass.stride = metric->stride;
	pass.block_seconds = block_seconds(metric);
	ML_TRY(ml_logistic_run(&pass, metric->sums));
	for (size_t i = 0; factor != 1 && i < metric->n_sums; i++)
		metric->sums[i] *= factor;
	if (metric->coupled)
	{
		set_diagonal_blocks(metric);
		bind_constants(metric);
		for (size_t j = 0; j < order; j++)
			metric->sums[j * (order + 1)] *= 1 + JITTER;
	}
	for (size_t m = 0; m < metric->n_matrices; m++)
	{
		double *matrix = metric->sums + m * order * order;

		for (size_t j = 0; j < order; j++)
			penalise(metric, m * columns + j, &matrix[j * order + j]);
		if (metric->whole)
			return mirror(metric);
		ML_TRY(ml_cholesky(problem->env, matrix, order, order, NULL, PIVOT_TOLERANCE,
						   metric->dropped + m * columns, NULL));
	}
	diagonals = metric->sums + metric->n_matrices * order * order;
	for (size_t i = 0; !metric->coupled && i < problem->n_groups * rest; i++)
		penalise(metric, i / rest * columns + metric->n_full + i % rest, &diagonals[i]);
	return ML_OK;
}

/* z = metric^-1 r; what was dropped stays where it is. z may be r. */
void
ml_logistic_metric_solve(const MlLogisticMetric *metric, const double *r, double *z)
{
	const MlLogisticProblem *problem = metric->problem;
	size_t order = metric->order, columns = metric->coupled ? order : problem->n_columns,
		   rest = columns - order;
	const double *diagonals = metric->sums + metric->n_matrices * order * order;

	for (size_t i = 0; i < problem->n_unknowns; i++)
		z[i] = metric->dropped[i] ? 0 : r[i];
	for (size_t m = 0; m < metric->n_matrices; m++)
	{
		const double *matrix = metric->sums + m * order * order;
		double *part = z + m * columns;

		ml_upper_solve_transposed(matrix, order, order, part);
		ml_upper_solve(matrix, order, order, part);
		for (size_t j = 0; j < rest; j++)
			part[order + j] =
				diagonals[m * rest + j] > 0 ? part[order + j] / diagonals[m * rest + j] : 0;
	}
}
