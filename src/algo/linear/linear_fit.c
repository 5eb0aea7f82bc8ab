/*
 * linear_fit.c
 *		Least squares from a dataset: factors, hold-outs, threads.
 *
 * The dense columns of the design go through the same triangular factor as in
 * streaming. Those of levels never become a matrix: what is kept of them is sums
 * by level (leastsq.h).
 *
 * Rows are dealt out in chunks to a fixed number of *lanes*, each with sums of
 * its own, and the lanes are added up in their order: so the result does not
 * depend on the number of threads. How many lanes there are, and how long the
 * chunks, follows from the shape of the data alone. With folds a lane belongs to
 * one of them, and gets its chunks from the rows of that fold.
 */
#include <math.h>
#include <string.h>

#include "algo/linear/linear.h"
#include "core/pool.h"

#define CHUNK_CELLS 65536 /* values read at once; half a megabyte, which stays in the cache */
#define CHUNK_MAX 1024
#define CHUNK_MIN 64
#define LANES_MAX 8
#define LEVELS_A_POLL 64
#define ROWS_A_POLL ((size_t) 100000)

/* The sums of one lane, and the chunk it works on. */
typedef struct Lane
{
	MlTsqr *tsqr; /* one of the two */
	MlDdGram *gram;
	MlLevelSums levels; /* with tsqr only */
	double *dense, *y, *weight, *row;
	uint32_t *active, *place; /* place: columns of the row, for the cross products */
	uint64_t n_rows;
	double sum_log_weight;
	bool bad_target;
	MlStatus status;
} Lane;

typedef struct LinearFit
{
	MlEnv *env; /* for the calling thread only */
	const MlFitInput *input;
	const MlDesign *design;
	const MlLinearOptions *options;
	size_t n_lanes, chunk, n_levels; /* lane l is of fold l % n_folds */
	size_t wave;
	Lane *lanes;
	double *centre;
	size_t n_folds;
	MlRows rows[ML_LINEAR_MAX_FOLDS];
} LinearFit;

/* ---- a chunk of rows */

/* The dense columns, weighted and shifted, into the factor. */
static MlStatus
fold_dense(const LinearFit *fit, Lane *lane, size_t n)
{
	MlTsqr *t = lane->tsqr;
	size_t p = fit->design->n_dense, done = 0;

	while (done < n)
	{
		size_t first, rows;
		double *to, *root;

		ML_TRY(ml_tsqr_room(t, n - done, &first, &rows));
		root = t->a + first;
		for (size_t i = 0; i < rows; i++)
			root[i] = sqrt(lane->weight[done + i]);
		for (size_t k = 0; k <= p; k++)
		{
			const double *from = (k < p ? lane->dense + k * fit->chunk : lane->y) + done;
			double shift = t->shift[1 + k];

			to = t->a + (1 + k) * t->ld + first;
			for (size_t i = 0; i < rows; i++)
				to[i] = (from[i] - shift) * root[i];
		}
		ML_TRY(ml_tsqr_commit(t, rows));
		done += rows;
	}
	return ML_OK;
}

/* One row into the sums of the levels that it has. */
static void
add_to_levels(const LinearFit *fit, Lane *lane, size_t i)
{
	MlLevelSums *sums = &lane->levels;
	size_t p = fit->design->n_dense;
	double w = lane->weight[i];

	lane->row[0] = w;
	for (size_t k = 0; k < p; k++)
		lane->row[1 + k] = w * (lane->dense[k * fit->chunk + i] - sums->centre[k]);
	lane->row[1 + p] = w * (lane->y[i] - sums->centre[p]);
	for (uint32_t f = 0; f < fit->design->n_factors; f++)
	{
		uint32_t column = lane->active[f * fit->chunk + i];
		double *strip;

		if (column == ML_NO_COLUMN)
			continue;
		strip = sums->strip + (column - p) * (p + 2);
		for (size_t k = 0; k < p + 2; k++)
			strip[k] += lane->row[k];
		for (uint32_t g = 0; g < f; g++)
		{
			uint32_t other = lane->active[g * fit->chunk + i];

			if (other != ML_NO_COLUMN)
				sums->pairs[(other - p) + (column - p) * sums->n_levels] += w;
		}
	}
}

/* One row into the cross products: ones, dense columns, target, then its levels. */
static void
add_to_products(const LinearFit *fit, Lane *lane, size_t i)
{
	size_t p = fit->design->n_dense, n = p + 2;

	lane->row[0] = 1;
	for (size_t k = 0; k < p; k++)
		lane->row[1 + k] = lane->dense[k * fit->chunk + i];
	lane->row[1 + p] = lane->y[i];
	if (fit->design->n_factors == 0)
	{
		ml_ddgram_add(lane->gram, lane->row, lane->weight[i]);
		return;
	}
	for (uint32_t f = 0; f < fit->design->n_factors; f++)
	{
		uint32_t column = lane->active[f * fit->chunk + i];

		if (column == ML_NO_COLUMN)
			continue;
		lane->place[n] = column + 2; /* the target stands between */
		lane->row[n++] = 1;
	}
	ml_ddgram_add_sparse(lane->gram, lane->place, lane->row, n, lane->weight[i]);
}

/* Targets are finite; count rows and weights. */
static bool
check_chunk(Lane *lane, size_t n)
{
	double odd = 0;

	for (size_t i = 0; i < n; i++)
	{
		odd += lane->y[i] - lane->y[i];
		lane->n_rows += lane->weight[i] > 0;
		if (lane->weight[i] > 0 && lane->weight[i] != 1)
			lane->sum_log_weight += log(lane->weight[i]);
	}
	return odd == 0;
}

/* A task: the lane's chunk of this wave. */
static void
run_lane(void *arg, size_t task, int worker)
{
	LinearFit *fit = arg;
	Lane *lane = &fit->lanes[task];
	const MlDataset *data = fit->input->data;
	const MlRows *rows = &fit->rows[task % fit->n_folds];
	size_t a_fold = fit->n_lanes / fit->n_folds;
	size_t first = (fit->wave * a_fold + task / fit->n_folds) * fit->chunk, n;

	if (first >= rows->n || lane->status != ML_OK || lane->bad_target)
		return;
	n = ML_MIN(fit->chunk, rows->n - first);
	ml_design_block(fit->design, data, rows, first, n, fit->chunk, lane->dense, lane->active);
	ml_dataset_target(data, rows, first, n, lane->y);
	ml_dataset_weight(data, rows, first, n, lane->weight);
	lane->bad_target = !check_chunk(lane, n);
	if (lane->bad_target)
		return;
	if (lane->tsqr)
	{
		lane->tsqr->poll = worker == 0 ? fit->env : NULL;
		lane->status = fold_dense(fit, lane, n);
	}
	for (size_t i = 0; i < n && lane->tsqr && fit->n_levels > 0; i++)
		add_to_levels(fit, lane, i);
	for (size_t i = 0; i < n && lane->gram; i++)
		add_to_products(fit, lane, i);
}

/* ---- lanes */

/* Chunks that fit the cache; few lanes where each takes much memory, and one for few rows. */
static void
choose_lanes(LinearFit *fit)
{
	size_t q = fit->design->n_dense + 2, width = q + fit->design->n_factors;
	size_t all = q + fit->n_levels, n = fit->input->train.n;
	double bytes = fit->options->least.extended
					   ? 16.0 * (double) (all * all)
					   : 8.0 * (double) (q * (q + 256) + fit->n_levels * all);

	fit->chunk = ML_MAX(CHUNK_MIN, ML_MIN(CHUNK_MAX, CHUNK_CELLS / width));
	fit->n_lanes = bytes < 2e6 ? LANES_MAX : bytes < 16e6 ? LANES_MAX / 2 : LANES_MAX / 4;
	fit->n_lanes = ML_MIN(fit->n_lanes, ML_MAX(1, n / (2 * fit->chunk)));
	if (n < q + 256)
	{
		/* Rows that stay rows are solved with more digits; see leastsq.c. */
		fit->n_lanes = 1;
		fit->chunk = ML_MAX(1, ML_MIN(fit->chunk, n));
	}
	fit->n_lanes = ML_MAX(1, fit->n_lanes / fit->n_folds) * fit->n_folds;
}

/* The rows of each fold, ascending. */
static MlStatus
deal_rows(MlArena *scratch, LinearFit *fit)
{
	const MlRows *train = &fit->input->train;
	uint32_t *index[ML_LINEAR_MAX_FOLDS];

	fit->n_folds = ml_linear_folds(fit->options);
	fit->rows[0] = *train;
	if (fit->n_folds == 1)
		return ML_OK;
	for (size_t f = 0; f < fit->n_folds; f++)
	{
		index[f] = ml_arena_array(scratch, train->n / fit->n_folds + 1, sizeof(uint32_t));
		if (index[f] == NULL)
			return ML_ENOMEM;
		fit->rows[f] = (MlRows){index[f], 0};
	}
	for (size_t i = 0; i < train->n; i++)
	{
		size_t f = ml_linear_fold_of(i, fit->n_folds);

		index[f][fit->rows[f].n++] = train->index ? train->index[i] : (uint32_t) i;
		if (i % ROWS_A_POLL == 0)
			ML_TRY(ml_poll(scratch->env));
	}
	return ML_OK;
}

/* The sums by level of one lane. */
static MlStatus
make_levels(MlArena *scratch, const LinearFit *fit, MlLevelSums *levels)
{
	size_t n = fit->n_levels, p = fit->design->n_dense;

	levels->n_dense = p;
	levels->n_levels = n;
	levels->centre = fit->centre;
	levels->strip = ml_arena_array(scratch, n, (p + 2) * sizeof(double));
	if (levels->strip == NULL)
		return ML_ENOMEM;
	if (fit->design->n_factors > 1)
		ML_TRY(ml_arena_zeros(scratch, n, n * sizeof(double), &levels->pairs));
	return ML_OK;
}

/* A lane with all memory that it will need: its tasks allocate nothing. */
static MlStatus
make_lane(MlArena *scratch, const LinearFit *fit, Lane *lane)
{
	size_t p = fit->design->n_dense, factors = fit->design->n_factors, chunk = fit->chunk;
	size_t waves = fit->input->train.n / (fit->n_lanes * chunk) + 2;

	lane->dense = ml_arena_array(scratch, chunk, p * sizeof(double));
	lane->active = ml_arena_array(scratch, chunk, factors * sizeof(uint32_t));
	lane->y = ml_arena_array(scratch, chunk, sizeof(double));
	lane->weight = ml_arena_array(scratch, chunk, sizeof(double));
	lane->row = ml_arena_array(scratch, p + 2 + factors, sizeof(double));
	lane->place = ml_arena_array(scratch, p + 2 + factors, sizeof(uint32_t));
	if (!lane->dense || !lane->active || !lane->y || !lane->weight || !lane->row || !lane->place)
		return ML_ENOMEM;
	for (size_t c = 0; c < p + 2; c++)
		lane->place[c] = (uint32_t) c;
	if (fit->options->least.extended)
		return ml_ddgram_create(scratch, p + 2 + fit->n_levels, &lane->gram);
	ML_TRY(ml_tsqr_create(scratch, p + 2, waves * chunk, &lane->tsqr));
	return make_levels(scratch, fit, &lane->levels);
}

/* What is subtracted in the sums by level: the means of the design, and of the first targets. */
static MlStatus
choose_centre(MlArena *scratch, LinearFit *fit)
{
	const MlFitInput *input = fit->input;
	size_t p = fit->design->n_dense, n = ML_MIN(input->train.n, fit->chunk);
	double *y = ml_arena_array(scratch, n, sizeof(double)), sum = 0;

	fit->centre = ml_arena_array(scratch, p + 1, sizeof(double));
	if (y == NULL || fit->centre == NULL)
		return ML_ENOMEM;
	for (size_t k = 0; k < p; k++)
		fit->centre[k] = fit->design->columns[k].mean;
	ml_dataset_target(input->data, &input->train, 0, n, y);
	for (size_t i = 0; i < n; i++)
		sum += y[i] / (double) n;
	fit->centre[p] = isfinite(sum) ? sum : 0;
	return ML_OK;
}

/* Add lane to the first one. */
static MlStatus
add_lane(MlEnv *env, Lane *total, const Lane *lane, const uint32_t *same)
{
	size_t n = lane->levels.n_levels, strip = n * (lane->levels.n_dense + 2);

	total->n_rows += lane->n_rows;
	total->sum_log_weight += lane->sum_log_weight;
	if (lane->gram)
	{
		ml_ddgram_merge(total->gram, lane->gram, same);
		return ML_OK;
	}
	for (size_t k = 0; k < strip; k++)
		total->levels.strip[k] += lane->levels.strip[k];
	for (size_t l = 0; l < n && lane->levels.pairs; l++)
	{
		for (size_t k = l * n; k < l * n + l; k++)
			total->levels.pairs[k] += lane->levels.pairs[k];
		if (l % LEVELS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	return ml_tsqr_merge(total->tsqr, lane->tsqr, same);
}

/* ---- the fit */

/* All rows into the lanes, and those into the first of each fold. */
static MlStatus
sum_rows(MlEnv *env, LinearFit *fit, const uint32_t *same)
{
	size_t longest = 0, a_wave = fit->n_lanes / fit->n_folds * fit->chunk;

	for (size_t f = 0; f < fit->n_folds; f++)
		longest = ML_MAX(longest, fit->rows[f].n);
	for (fit->wave = 0; fit->wave * a_wave < longest; fit->wave++)
	{
		ML_TRY(ml_pool_run(env, fit->n_lanes, run_lane, fit));
		for (size_t l = 0; l < fit->n_lanes; l++)
		{
			ML_TRY(fit->lanes[l].status);
			if (fit->lanes[l].bad_target)
				return ml_fail(env, ML_EDATA, "the target has an infinite value");
		}
	}
	for (size_t l = 0; l < fit->n_lanes; l++)
	{
		if (fit->lanes[l].tsqr)
			fit->lanes[l].tsqr->poll = env;
		if (l >= fit->n_folds)
			ML_TRY(add_lane(env, &fit->lanes[l % fit->n_folds], &fit->lanes[l], same));
	}
	return ML_OK;
}

/* The columns of the sums: 0, 1, 2, ...; those of the design leave out the ones and the target. */
static MlStatus
number_columns(MlArena *scratch, const LinearFit *fit, uint32_t **same, uint32_t **source)
{
	size_t p = fit->design->n_dense, n = p + 2 + fit->n_levels;

	*same = ml_arena_array(scratch, n, sizeof(uint32_t));
	*source = ml_arena_array(scratch, n, sizeof(uint32_t));
	if (*same == NULL || *source == NULL)
		return ML_ENOMEM;
	for (size_t c = 0; c < n; c++)
		(*same)[c] = (uint32_t) c;
	for (size_t k = 0; k < p + fit->n_levels; k++)
		(*source)[k] = (uint32_t) (k < p ? k + 1 : k + 2);
	return ML_OK;
}

static MlStatus
solve_fit(MlArena *scratch, const LinearFit *fit, const uint32_t *source, MlFitReport *report,
		  MlLeastSquares **out)
{
	size_t p = fit->design->n_dense;
	MlLeastColumns columns = {
		.n = p, .n_numbers = fit->design->n_numeric, .source = source, .target = (uint32_t) p + 1};
	MlLinearSums sums = {.n_folds = fit->n_folds, .gram = fit->lanes[0].gram};

	if (sums.gram)
		columns.n = p + fit->n_levels;
	for (size_t f = 0; f < fit->n_folds; f++)
	{
		const Lane *lane = &fit->lanes[f];

		sums.tsqr[f] = lane->tsqr;
		sums.levels[f] = fit->n_levels > 0 ? &lane->levels : NULL;
		sums.n_rows += lane->n_rows;
		sums.sum_log_weight += lane->sum_log_weight;
	}
	return ml_linear_solve(scratch, &sums, &columns, fit->options, report, out);
}

/* Everything but the model in the scratch arena. */
static MlStatus
fit_in(MlArena *scratch, MlArena *arena, LinearFit *fit, MlFitReport *report, void **model)
{
	const MlFitInput *input = fit->input;
	MlEnv *env = scratch->env;
	const MlLinearOptions *options = fit->options;
	MlDesignOptions design = {
		.max_levels = options->max_levels,
		/* Without a penalty a reference level is needed, unless there is no intercept to absorb it. */
		.drop_first = !options->penalized && options->least.l2 == 0 && options->least.intercept};
	uint32_t *same, *source;
	MlLeastSquares *solution;
	MlLinearModel *made;
	MlDesign *fitted;

	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &design, &fitted));
	fit->design = fitted;
	fit->n_levels = fitted->n_columns - fitted->n_dense;
	ML_TRY(deal_rows(scratch, fit));
	choose_lanes(fit);
	ML_TRY(choose_centre(scratch, fit));
	fit->lanes = ml_arena_array(scratch, fit->n_lanes, sizeof(Lane));
	if (fit->lanes == NULL)
		return ML_ENOMEM;
	for (size_t l = 0; l < fit->n_lanes; l++)
		ML_TRY(make_lane(scratch, fit, &fit->lanes[l]));
	ML_TRY(number_columns(scratch, fit, &same, &source));
	ML_TRY(sum_rows(env, fit, same));
	ML_TRY(solve_fit(scratch, fit, source, report, &solution));
	ML_TRY(ml_linear_make(arena, input->data->schema, fitted, solution, &made));
	*model = made;
	return ML_OK;
}

MlStatus
ml_linear_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, const MlLinearOptions *options,
			  MlFitReport *report, void **model)
{
	LinearFit fit = {.env = env, .input = input, .options = options};
	MlArena scratch;
	MlStatus status;

	if (input->train.n == 0)
		return ml_fail(env, ML_EDATA, "there are no rows to train on");
	ml_arena_init(&scratch, env);
	status = fit_in(&scratch, arena, &fit, report, model);
	ml_arena_free(&scratch);
	return status;
}
