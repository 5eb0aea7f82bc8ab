/*
 * glm_open.c
 *		Before the first pass of a generalised linear model: sizes, scales, and what the rows may hold.
 */
#include "algo/glm/glm_pass.h"
#include "core/pool.h"

#define BLOCK_MAX 1024
#define BLOCK_MIN 16
#define BLOCK_FLOPS 2e7  /* of one block's product of matrices: about 5 ms */
#define MAX_COLUMNS 4096 /* the Hessian then takes 128 MB, and its factor some seconds */

/* Rows in a block: a product of matrices stays short. */
static size_t
block_rows(const MlGlmProblem *problem)
{
	double width = 1 + (double) problem->n_dense, rows = BLOCK_FLOPS / (width * width);
	size_t block = rows >= BLOCK_MAX ? BLOCK_MAX : rows <= BLOCK_MIN ? BLOCK_MIN : (size_t) rows;

	return ML_MAX(ML_MIN(block, (problem->n + 7) / 8 * 8), BLOCK_MIN);
}

/* Each worker's arrays, cut from two allocations. */
static MlStatus
allocate_scratch(MlGlmProblem *problem)
{
	size_t block = problem->block, tile = block * (1 + (size_t) problem->n_dense);
	size_t doubles = 10 * block + 2 * tile, levels = block * ML_MAX(problem->n_factors, 1);

	problem->n_workers = ml_pool_size(ml_env_pool(problem->env));
	problem->scratch =
		ml_alloc_array(problem->env, (size_t) problem->n_workers, sizeof(MlGlmScratch));
	problem->scratch_data =
		ml_alloc_array(problem->env, (size_t) problem->n_workers, doubles * sizeof(double));
	problem->scratch_levels =
		ml_alloc_array(problem->env, (size_t) problem->n_workers, levels * sizeof(uint32_t));
	if (!problem->scratch || !problem->scratch_data || !problem->scratch_levels)
		return ML_ENOMEM;
	for (int w = 0; w < problem->n_workers; w++)
	{
		MlGlmScratch *s = &problem->scratch[w];
		double *at = problem->scratch_data + (size_t) w * doubles;
		double **arrays[] = {&s->rows.y,     &s->rows.w,     &s->rows.eta,       &s->rows.mu,
							 &s->rows.slope, &s->rows.score, &s->rows.curvature, &s->rows.a,
							 &s->rows.b,     &s->offset};

		for (size_t k = 0; k < 10; k++, at += block)
			*arrays[k] = at;
		s->x = at;
		s->tile = at + tile;
		s->levels = problem->scratch_levels + (size_t) w * levels;
	}
	return ML_OK;
}

/* Numbers are centred only with an intercept: without one, zero must stay zero. Indicators stay 0 and 1. */
static void
fit_scale(MlGlmProblem *problem)
{
	for (uint32_t j = 0; j < problem->n_dense; j++)
	{
		const MlDesignColumn *column = &problem->design->columns[j];
		bool number = column->level == ML_DESIGN_NUMBER;

		problem->center[j] = number && problem->intercept ? column->mean : 0;
		problem->scale[j] = number ? column->scale : 1;
		problem->skip[1 + j] = (int64_t) column->feature == problem->offset_feature;
	}
	problem->skip[0] = !problem->intercept;
}

/* The value of a row that cannot be trained on. */
static MlStatus
refuse_target(const MlGlmProblem *problem, double y, const char *want)
{
	MlGlmFamily family = problem->law.family;

	ml_fail(problem->env, ML_EDATA,
			"the target has the value %g, but family \"%s\" takes values %s", y,
			ml_glm_family_name(family), want);
	if (family == ML_GLM_BINOMIAL)
		ml_hint(problem->env, "For classes, use algorithm \"logistic\".");
	else if (y == 0)
		ml_hint(problem->env,
				"Family \"tweedie\" with a power between 1 and 2 takes amounts with zeros.");
	else
		ml_hint(problem->env, "Leave those rows out by WHERE, or use family \"gaussian\".");
	return ML_EDATA;
}

static MlStatus
refuse_offset(const MlGlmProblem *problem, double value)
{
	const char *name = problem->data->schema->features[problem->offset_feature].name;

	if (value != value)
		return ml_fail(problem->env, ML_EDATA, "column \"%s\" is missing in a row, but is the %s",
					   name, problem->exposure ? "exposure" : "offset");
	return ml_fail(problem->env, ML_EDATA, "column \"%s\" has the value %g, but %s", name, value,
				   problem->exposure ? "an exposure must be above 0 and finite"
									 : "an offset must be finite");
}

/* Check one block and add up its figures; high: sum of w exp(offset). */
static MlStatus
scan_block(MlGlmProblem *problem, const MlGlmScratch *s, double *sum_y, double *high)
{
	for (size_t i = 0; i < s->rows.n; i++)
	{
		const char *want = ml_glm_refuse(&problem->law, s->rows.y[i]);

		if (want)
			return refuse_target(problem, s->rows.y[i], want);
		problem->sum_w += s->rows.w[i];
		*sum_y += s->rows.w[i] * s->rows.y[i];
		problem->mean_offset += s->rows.w[i] * s->offset[i];
		if (problem->offset_feature >= 0)
			*high += s->rows.w[i] * exp(s->offset[i]);
	}
	return ML_OK;
}

/* Missing and impossible values of the offset's column. */
static MlStatus
check_offset(const MlGlmProblem *problem, size_t block, MlGlmScratch *s)
{
	size_t first = block * problem->block, n = ML_MIN(problem->block, problem->n - first);

	ml_dataset_feature(problem->data, (uint32_t) problem->offset_feature, problem->rows, first, n,
					   s->rows.a);
	for (size_t i = 0; i < n; i++)
		if (!isfinite(s->rows.a[i]) || (problem->exposure && !(s->rows.a[i] > 0)))
			return refuse_offset(problem, s->rows.a[i]);
	return ML_OK;
}

/* One reading of target, weights and offset, to check them. */
static MlStatus
scan_rows(MlGlmProblem *problem)
{
	MlGlmScratch *s = &problem->scratch[0];
	double sum_y = 0, high = 0;

	for (size_t block = 0; block < problem->n_blocks; block++)
	{
		ML_TRY(ml_poll(problem->env));
		if (problem->offset_feature >= 0)
			ML_TRY(check_offset(problem, block, s));
		ml_glm_read_figures(problem, block, s);
		ML_TRY(scan_block(problem, s, &sum_y, &high));
	}
	if (!isfinite(sum_y) || !(problem->sum_w > 0 && isfinite(problem->sum_w)))
		return ml_fail(problem->env, ML_EDATA,
					   "the sum of the weights or of the target is not finite");
	problem->mean_y = sum_y / problem->sum_w;
	problem->mean_offset /= problem->sum_w;
	problem->ratio = problem->offset_feature >= 0 ? sum_y / high : problem->mean_y;
	if (problem->law.family != ML_GLM_GAUSSIAN && sum_y == 0)
		return ml_fail(problem->env, ML_EDATA,
					   "the target is 0 in all rows: there is nothing to fit");
	if (problem->law.family == ML_GLM_BINOMIAL && !(problem->mean_y < 1))
		return ml_fail(problem->env, ML_EDATA,
					   "the target is 1 in all rows: there is nothing to fit");
	return ML_OK;
}

MlStatus
ml_glm_open(MlGlmProblem *problem)
{
	MlEnv *env = problem->env;

	problem->n = problem->rows->n;
	if (problem->n == 0)
		return ml_fail(env, ML_EDATA, "there are no rows to train on");
	problem->n_dense = problem->design->n_dense;
	problem->n_factors = problem->design->n_factors;
	problem->n_levels = problem->design->n_columns - problem->n_dense;
	problem->n_columns = problem->design->n_columns + 1;
	if (problem->n_columns > MAX_COLUMNS)
	{
		ml_fail(env, ML_EDATA, "the model would have %u coefficients, but glm takes at most %d",
				problem->n_columns, MAX_COLUMNS);
		ml_hint(env, "Lower max_levels, exclude features, or use algorithm \"linear\".");
		return ML_EDATA;
	}
	problem->block = block_rows(problem);
	problem->n_blocks = (problem->n + problem->block - 1) / problem->block;
	problem->center = ml_alloc_array(env, ML_MAX(problem->n_dense, 1), sizeof(double));
	problem->scale = ml_alloc_array(env, ML_MAX(problem->n_dense, 1), sizeof(double));
	problem->skip = ml_zalloc_array(env, problem->n_columns, sizeof(bool));
	if (!problem->center || !problem->scale || !problem->skip)
		return ML_ENOMEM;
	ML_TRY(allocate_scratch(problem));
	fit_scale(problem);
	return scan_rows(problem);
}

void
ml_glm_close(MlGlmProblem *problem)
{
	MlEnv *env = problem->env;

	ml_free(env, problem->partial);
	ml_free(env, problem->scratch_levels);
	ml_free(env, problem->scratch_data);
	ml_free(env, problem->scratch);
	ml_free(env, problem->skip);
	ml_free(env, problem->scale);
	ml_free(env, problem->center);
}
