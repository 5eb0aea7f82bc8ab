/*
 * one_class_solve.c
 *		Coordinate descent on pairs for the one-class machine.
 *
 * The constraint sum alpha = 1 couples the coordinates, so two of them move at a time (Chou, Lin and
 * Lin 2020, section 4): with gradients G = w'z, the rows of smallest G that may grow are paired with
 * those of greatest G that may shrink; each pair is solved exactly for the gradients of that moment.
 * Computing all gradients for the choice is one product of the rows with w, on all threads; pairs are
 * updated in order, on one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/svm/one_class.h"
#include "core/pool.h"

#define CHUNK 512      /* rows of a task */
#define BUCKETS 4096   /* of the histogram that finds the extreme gradients */
#define PAIRS_SHARE 10 /* of the rows that are tried in an iteration */
#define PAIRS_MIN 64
#define PAIRS_MAX 16384
#define POLL_PAIRS 512
#define POLL_ROWS 16384
#define STEPS_MAX 100 /* lines in the log */

typedef struct Candidate
{
	double gradient;
	uint32_t row;
} Candidate;

typedef struct Solver
{
	MlEnv *env;
	const MlSvmRows *rows;
	const MlOneClassOptions *options;
	MlOneClassSolution *solution;
	double total; /* sum of weights */
	double *gradient;
	Candidate *up,
		*down; /* that may grow, smallest gradient first; that may shrink, greatest first */
	size_t n_pairs;
} Solver;

static inline double
bound(const Solver *s, size_t i)
{
	return s->rows->weight[i] / (s->options->nu * s->total);
}

/* ---- the start */

/* Rows in random order are filled to their bounds until the sum is 1, as LIBSVM does with the first ones. */
static MlStatus
start(Solver *s)
{
	size_t n = s->rows->n, filled = 0;
	uint32_t *order = ml_alloc_array(s->env, n, sizeof(uint32_t));
	double left = 1;
	MlStatus status = order ? ML_OK : ML_ENOMEM;
	MlRng rng;

	ml_rng_seed(&rng, s->options->seed, 1);
	for (size_t i = 0; i < n && order; i++)
		order[i] = (uint32_t) i;
	for (; filled < n && left > 0 && status == ML_OK; filled++)
	{
		size_t other = filled + ml_rng_below(&rng, n - filled);
		uint32_t i = order[other];
		double alpha = fmin(bound(s, i), left);

		order[other] = order[filled];
		s->solution->alpha[i] = alpha;
		left -= alpha;
		ml_svm_add(s->rows, i, alpha, s->solution->w);
		if (filled % POLL_PAIRS == 0)
			status = ml_poll(s->env);
	}
	ml_free(s->env, order);
	return status;
}

/* ---- choosing pairs */

static void
gradient_task(void *arg, size_t task, int worker)
{
	const Solver *s = arg;
	size_t end = ML_MIN((task + 1) * CHUNK, s->rows->n);

	(void) worker;
	for (size_t i = task * CHUNK; i < end; i++)
		s->gradient[i] = ml_svm_score(s->rows, i, s->solution->w);
}

/* What a row's gradient counts as in a list, the best ones smallest; NaN: it cannot move that way. */
static inline double
rank_of(const Solver *s, size_t i, bool up)
{
	double alpha = s->solution->alpha[i];

	if (up)
		return alpha < bound(s, i) ? s->gradient[i] : NAN;
	return alpha > 0 ? -s->gradient[i] : NAN;
}

static int
compare(const void *a, const void *b)
{
	const Candidate *x = a, *y = b;

	if (x->gradient != y->gradient)
		return x->gradient < y->gradient ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* The place of a rank in the histogram. */
static inline size_t
bucket_of(double rank, double low, double width)
{
	double place = (rank - low) / width;

	return place < BUCKETS - 1 ? (size_t) place : BUCKETS - 1;
}

/* Counts of ranks between low and high. */
static MlStatus
count_ranks(const Solver *s, bool up, double low, double width, size_t *count)
{
	memset(count, 0, BUCKETS * sizeof(*count));
	for (size_t i = 0; i < s->rows->n; i++)
	{
		double rank = rank_of(s, i, up);

		if (i % POLL_ROWS == 0)
			ML_TRY(ml_poll(s->env));
		if (rank == rank)
			count[bucket_of(rank, low, width)]++;
	}
	return ML_OK;
}

/* The n_pairs best rows of a list, sorted; *n: how many there are. */
static MlStatus
choose(const Solver *s, bool up, Candidate *list, size_t *n)
{
	size_t count[BUCKETS], last = 0, seen = 0;
	double low = INFINITY, high = -INFINITY, width;

	*n = 0;
	for (size_t i = 0; i < s->rows->n; i++)
	{
		double rank = rank_of(s, i, up);

		low = rank < low ? rank : low;
		high = rank > high ? rank : high;
	}
	if (!(low <= high))
		return ML_OK;
	width = fmax((high - low) / BUCKETS, 1e-300);
	ML_TRY(count_ranks(s, up, low, width, count));
	for (seen = count[0]; seen < s->n_pairs && last < BUCKETS - 1; last++)
		seen += count[last + 1];
	for (size_t i = 0; i < s->rows->n && *n < 2 * s->n_pairs; i++)
	{
		double rank = rank_of(s, i, up);

		if (rank == rank && bucket_of(rank, low, width) <= last)
			list[(*n)++] = (Candidate){rank, (uint32_t) i};
	}
	qsort(list, *n, sizeof(*list), compare);
	/* A full list may lack the best row: the range of one bucket held more than there is room for. */
	if (*n > 0)
		list[0].gradient = fmin(list[0].gradient, low);
	*n = ML_MIN(*n, s->n_pairs);
	return ML_OK;
}

/* ---- a pair */

/* Move weight from row j to row i, as far as the gradients of now say and the bounds allow. */
static void
solve_pair(Solver *s, size_t i, size_t j)
{
	double *alpha = s->solution->alpha, *w = s->solution->w;
	double slope = ml_svm_score(s->rows, j, w) - ml_svm_score(s->rows, i, w), room, step;
	double curvature = ml_svm_distance(s->rows, i, j);

	room = fmin(bound(s, i) - alpha[i], alpha[j]);
	if (!(slope > 0) || !(room > 0) || !(curvature > 0))
		return;
	step = slope / curvature;
	if (step >= room)
	{
		/* Exactly at a bound, so that it is seen as one. */
		step = room;
		if (alpha[j] <= bound(s, i) - alpha[i])
		{
			alpha[i] += step;
			alpha[j] = 0;
		}
		else
		{
			alpha[j] -= step;
			alpha[i] = bound(s, i);
		}
	}
	else
	{
		alpha[i] += step;
		alpha[j] -= step;
	}
	ml_svm_add(s->rows, i, step, w);
	ml_svm_add(s->rows, j, -step, w);
}

/* ---- iterations */

/* The level that free rows share; with none, between those that may grow and those that may shrink. */
static double
find_rho(const Solver *s, double low, double high)
{
	double sum = 0, n = 0;

	for (size_t i = 0; i < s->rows->n; i++)
	{
		double alpha = s->solution->alpha[i];

		if (alpha > 0 && alpha < bound(s, i))
		{
			sum += s->gradient[i];
			n++;
		}
	}
	return n > 0 ? sum / n : (low + high) / 2;
}

static void
log_iteration(const Solver *s, double square, MlBuffer *log)
{
	const MlOneClassSolution *solution = s->solution;
	MlProgress line = {.iteration = solution->iterations,
					   .total = s->options->max_iter,
					   .loss = square / 2,
					   .valid_loss = NAN};
	MlJsonWriter w;

	ml_report(s->env, &line);
	if (solution->iterations > STEPS_MAX)
		return;
	ml_json_writer(&w, log);
	w.comma = log->len > 0;
	ml_json_open(&w, NULL, '{');
	ml_json_number(&w, "iteration", solution->iterations);
	ml_json_number(&w, "loss", square / 2);
	ml_json_number(&w, "gradient_norm", solution->violation);
	ml_json_number(&w, "weight_norm", sqrt(square));
	ml_json_close(&w, '}');
}

static MlStatus
iterate(Solver *s, MlBuffer *log)
{
	MlOneClassSolution *solution = s->solution;
	size_t n_tasks = (s->rows->n + CHUNK - 1) / CHUNK;

	for (;;)
	{
		size_t n_up, n_down;
		double low, high, square = 0;

		ML_TRY(ml_pool_run(s->env, n_tasks, gradient_task, s));
		ML_TRY(choose(s, true, s->up, &n_up));
		ML_TRY(choose(s, false, s->down, &n_down));
		for (size_t c = 0; c < ml_svm_n_weights(s->rows); c++)
			square += solution->w[c] * solution->w[c];
		high = n_down > 0 ? -s->down[0].gradient : 0;
		low = n_up > 0 ? s->up[0].gradient : high;
		solution->rho = find_rho(s, low, high);
		solution->violation = (high - low) / fmax(fabs(solution->rho), 1e-12);
		solution->converged = high - low <= s->options->tol * fabs(solution->rho) ||
							  high - low <= 1e-12 * sqrt(square);
		log_iteration(s, square, log);
		if (solution->converged || solution->iterations >= s->options->max_iter)
			return ML_OK;
		for (size_t k = 0; k < ML_MIN(n_up, n_down); k++)
		{
			if (k % POLL_PAIRS == 0)
				ML_TRY(ml_poll(s->env));
			solve_pair(s, s->up[k].row, s->down[k].row);
		}
		solution->iterations++;
	}
}

MlStatus
ml_one_class_solve(const MlSvmRows *rows, const MlOneClassOptions *options,
				   MlOneClassSolution *solution, MlBuffer *log)
{
	Solver s = {.env = rows->env, .rows = rows, .options = options, .solution = solution};
	MlStatus status = ML_ENOMEM;

	for (size_t i = 0; i < rows->n; i++)
		s.total += rows->weight[i];
	s.n_pairs = ML_MIN(ML_MAX(rows->n / PAIRS_SHARE, PAIRS_MIN), PAIRS_MAX);
	s.gradient = ml_alloc_array(rows->env, rows->n, sizeof(double));
	s.up = ml_alloc_array(rows->env, 2 * s.n_pairs, sizeof(Candidate));
	s.down = ml_alloc_array(rows->env, 2 * s.n_pairs, sizeof(Candidate));
	if (s.gradient && s.up && s.down)
		status = start(&s);
	if (status == ML_OK)
		status = iterate(&s, log);
	ml_free(rows->env, s.down);
	ml_free(rows->env, s.up);
	ml_free(rows->env, s.gradient);
	return status;
}
