/*
 * trials.c
 *		Candidates on folds: fitted, scored, compared.
 *
 * A *cell* is one fit: a trial on a fold. Cells are taken in the order of
 * trials, so that trials are completed one after the other. Each runs in an
 * environment of its own, of one of two kinds:
 *
 * - *inner*: one cell at a time on the caller's thread; memory, temporary
 *   files and threads are the caller's, so the algorithm has all of them.
 * - *side by side*: a cell a thread; memory comes from malloc within an even share of what is left of the
 *   budget, and goes back before the cell ends. A cell that has not enough
 *   is done again as an inner one.
 *
 * Traps: only the caller's thread may ask whether the user has canceled. It asks
 * in its own cells, between them and while it waits for the others, and tells
 * those by `stop`. What cells write is their own, or under the lock.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/pool.h"
#include "data/split.h"
#include "metric/metric.h"
#include "model/evaluate.h"
#include "model/trials.h"

/* Rows x features of a fit from which on it shall have all threads and all memory: a fit each would need as much
 * memory once for each thread, and gain little. */
#define LARGE_FIT 1e7

/* A halving begins with so many rows at least: with fewer, chance decides. */
#define HALVING_ROWS 500

#define MAX_ERROR 400
typedef enum CellState
{
	CELL_NEW,
	CELL_DONE,
	CELL_FAILED,
	CELL_NO_MEMORY, /* side by side: to be done again */
	CELL_LATE       /* not begun or not ended within the time budget */
} CellState;

typedef struct Cell
{
	CellState state;
	MlStatus status; /* of a failure */
	double score, seconds;
} Cell;

/* What is known of a trial while it runs. */
typedef struct Progress
{
	uint32_t n_done;
	bool failed;
	uint32_t failed_fold;
	char error[MAX_ERROR], hint[MAX_ERROR];
} Progress;

typedef struct Run
{
	MlArena *arena;
	MlEnv *env; /* the caller's */
	const MlTrialsInput *in;
	MlTrial *trials;
	size_t n_trials;
	uint32_t n_folds;
	double start;

	/* the round: one, but for halving */
	size_t *active; /* trials that take part, ascending */
	size_t n_active;
	double share;
	Cell *cells;        /* cells[a * n_folds + fold], a an index of active */
	Progress *progress; /* by a */

	uint32_t *rows; /* train and valid indexes of each worker: 2 * n_rows each */
	size_t n_rows;
	int n_workers;

	pthread_mutex_t lock;
	atomic_bool stop;     /* the user has canceled */
	atomic_bool complete; /* some trial has all its scores */
	atomic_size_t
		first; /* of active: the trial that goes on whatever the time, while none is complete */
	_Atomic uint64_t slowest; /* nanoseconds of the slowest cell */
} Run;

/* The environment of a cell; ctx of its MlEnv. */
typedef struct CellEnv
{
	MlEnv ml;
	Run *run;
	size_t a;       /* the trial in active; SIZE_MAX: none, only the user can cancel */
	bool on_caller; /* on the caller's thread */
	bool late;      /* the time budget has ended it */
} CellEnv;

/* ---- time ---- */

/* Is the time up for everybody but the one trial that must be completed? What the slowest fit took is kept for the
 * fit that follows. */
static bool
out_of_time(Run *run, size_t a)
{
	double left;

	if (isinf(run->in->time_budget))
		return false;
	left = run->start + run->in->time_budget - ml_seconds();
	if (left > (double) atomic_load(&run->slowest) * 1e-9)
		return false;
	return atomic_load(&run->complete) || a != atomic_load(&run->first);
}

static void
note_slowest(Run *run, double seconds)
{
	uint64_t mine = (uint64_t) (seconds * 1e9), known = atomic_load(&run->slowest);

	while (mine > known && !atomic_compare_exchange_weak(&run->slowest, &known, mine))
		;
}

/* ---- environments ---- */

static bool
cell_canceled(void *ctx)
{
	CellEnv *c = ctx;
	Run *run = c->run;

	if (c->on_caller && run->env->canceled && run->env->canceled(run->env->ctx))
		atomic_store(&run->stop, true);
	if (atomic_load(&run->stop))
		return true;
	if (c->a != SIZE_MAX && out_of_time(run, c->a))
		c->late = true;
	return c->late;
}

static void *
inner_alloc(void *ctx, size_t size)
{
	MlEnv *env = ((CellEnv *) ctx)->run->env;

	return env->alloc(env->ctx, size);
}

static void
inner_free(void *ctx, void *ptr)
{
	MlEnv *env = ((CellEnv *) ctx)->run->env;

	env->free(env->ctx, ptr);
}

/* The caller's map may say in its own environment why there is none. */
static void *
inner_map(void *ctx, size_t size)
{
	CellEnv *c = ctx;
	MlEnv *env = c->run->env;
	void *data;

	env->error[0] = env->hint[0] = '\0';
	data = env->map(env->ctx, size);
	if (!data)
	{
		memcpy(c->ml.error, env->error, sizeof env->error);
		memcpy(c->ml.hint, env->hint, sizeof env->hint);
	}
	return data;
}

static void
inner_unmap(void *ctx, void *ptr, size_t size)
{
	MlEnv *env = ((CellEnv *) ctx)->run->env;

	env->unmap(env->ctx, ptr, size);
}

static void
inner_progress(void *ctx, const MlProgress *line)
{
	ml_report(((CellEnv *) ctx)->run->env, line);
}

/* What is left of the caller's budget, in n shares; 0: no limit. */
static size_t
budget_share(const MlEnv *env, int n)
{
	if (env->budget == 0)
		return 0;
	return ML_MAX((env->budget - ML_MIN(env->used, env->budget)) / (size_t) n, (size_t) 1);
}

static void
cell_env_init(CellEnv *c, Run *run, size_t a, bool on_caller, bool inner)
{
	*c = (CellEnv){.run = run, .a = a, .on_caller = on_caller};
	ml_env_init(&c->ml);
	c->ml.ctx = c;
	c->ml.canceled = cell_canceled;
	c->ml.budget = budget_share(run->env, inner ? 1 : run->n_workers);
	if (!inner)
		return;
	c->ml.alloc = inner_alloc;
	c->ml.free = inner_free;
	if (run->env->map)
	{
		c->ml.map = inner_map;
		c->ml.unmap = inner_unmap;
	}
	c->ml.progress = inner_progress;
	c->ml.n_threads = run->env->n_threads;
	c->ml.pool = ml_env_pool(run->env); /* remains the caller's */
}

/* ---- the rows of a cell ---- */

/* Leave out all but a share of the rows: the same ones in every fold, and among those of any larger share. */
static size_t
thin_out(const Run *run, const uint32_t *from, size_t n, uint32_t *to)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (ml_split_uniform(from[i], run->in->seed) < run->share)
			to[kept++] = from[i];
	}
	return kept;
}

/* Training and test rows of a fold, in the room of a worker. */
static void
cell_rows(const Run *run, uint32_t fold, int worker, MlRows *train, MlRows *valid)
{
	uint32_t *room = run->rows + 2 * run->n_rows * (size_t) worker;

	*train = run->in->train;
	*valid = run->in->valid;
	if (run->in->folds)
	{
		ml_folds_rows(run->in->folds, fold, room, &train->n, room + run->n_rows, &valid->n);
		train->index = room;
		valid->index = room + run->n_rows;
	}
	if (run->share < 1)
	{
		train->n = thin_out(run, train->index, train->n, room);
		train->index = room;
	}
}

/* ---- a cell ---- */

/* Fit the trial and score it. */
static MlStatus
fit_and_score(Run *run, MlEnv *env, MlArena *arena, const MlTrial *trial, const MlRows *train,
			  const MlRows *valid, double *score)
{
	MlFitInput input = {
		.params = &trial->params, .data = run->in->data, .train = *train, .seed = run->in->seed};
	MlFitReport report = {.score = NAN};
	MlModel model = *run->in->model;
	MlStatus status;

	ML_TRY(ml_check_classes(env, input.data, train));
	model.algo = trial->algo;
	ml_buffer_init(&report.summary, env);
	ml_buffer_init(&report.log, env);
	status = ml_model_fit(env, arena, &input, &report, &model);
	ml_buffer_free(&report.summary);
	ml_buffer_free(&report.log);
	ML_TRY(status);
	return ml_evaluate_score(env, &model, input.data, valid, run->in->metric, score);
}

/* Note how a cell has ended. */
static void
note_end(Run *run, size_t a, uint32_t fold, Cell *cell, const CellEnv *c)
{
	Progress *p = &run->progress[a];
	size_t first = a;

	pthread_mutex_lock(&run->lock);
	if (cell->state == CELL_DONE && ++p->n_done == run->n_folds)
		atomic_store(&run->complete, true);
	if (cell->state == CELL_FAILED && (!p->failed || fold < p->failed_fold))
	{
		p->failed = true;
		p->failed_fold = fold;
		memcpy(p->error, c->ml.error, ml_utf8_cut(c->ml.error, MAX_ERROR - 1));
		p->error[ml_utf8_cut(c->ml.error, MAX_ERROR - 1)] = '\0';
		memcpy(p->hint, c->ml.hint, ml_utf8_cut(c->ml.hint, MAX_ERROR - 1));
		p->hint[ml_utf8_cut(c->ml.hint, MAX_ERROR - 1)] = '\0';
	}
	while (first == atomic_load(&run->first) && first < run->n_active &&
		   run->progress[first].failed)
		atomic_store(&run->first, ++first);
	pthread_mutex_unlock(&run->lock);
}

/* Has a cell of the trial failed? */
static bool
has_failed(Run *run, size_t a)
{
	bool failed;

	pthread_mutex_lock(&run->lock);
	failed = run->progress[a].failed;
	pthread_mutex_unlock(&run->lock);
	return failed;
}

/* One fit, unless its trial has failed or the time is up. */
static void
run_cell(Run *run, size_t at, int worker, bool inner)
{
	size_t a = at / run->n_folds;
	uint32_t fold = (uint32_t) (at % run->n_folds);
	Cell *cell = &run->cells[at];
	double begin = ml_seconds();
	MlRows train, valid;
	MlArena arena;
	CellEnv c;

	cell_env_init(&c, run, a, worker == 0, inner);
	cell->state = CELL_LATE;
	if (ml_poll(&c.ml) != ML_OK || has_failed(run, a))
		return;
	cell_rows(run, fold, worker, &train, &valid);
	ml_arena_init(&arena, &c.ml);
	cell->status = fit_and_score(run, &c.ml, &arena, &run->trials[run->active[a]], &train, &valid,
								 &cell->score);
	ml_arena_free(&arena);
	cell->seconds = ml_seconds() - begin;
	if (cell->status == ML_OK)
		cell->state = CELL_DONE;
	else if (cell->status == ML_ENOMEM && !inner)
		cell->state = CELL_NO_MEMORY;
	else if (cell->status != ML_ECANCELED)
		cell->state = CELL_FAILED;
	if (cell->state == CELL_DONE)
		note_slowest(run, cell->seconds);
	note_end(run, a, fold, cell, &c);
}

/* ---- a round ---- */

static void
cell_task(void *arg, size_t task, int worker)
{
	Run *run = arg;

	if (worker == 0)
		ml_phase(run->env, "comparing", (int) task + 1, (int) (run->n_active * run->n_folds));
	run_cell(run, task, worker, false);
}

/* Has the user canceled? */
static MlStatus
check_stop(Run *run)
{
	ML_TRY(ml_poll(run->env));
	if (atomic_load(&run->stop))
		return ml_fail(run->env, ML_ECANCELED, "canceled on request");
	return ML_OK;
}

/* All cells, one a thread. */
static MlStatus
run_side_by_side(Run *run)
{
	CellEnv outer;
	MlStatus status;

	cell_env_init(&outer, run, SIZE_MAX, true, true);
	status = ml_pool_run(&outer.ml, run->n_active * run->n_folds, cell_task, run);
	if (status == ML_ENOMEM)
		return ml_fail(run->env, status, "%s", outer.ml.error);
	return check_stop(run);
}

/* The cells that are in some state, one after the other on all threads. */
static MlStatus
run_inner(Run *run, CellState state)
{
	size_t n = run->n_active * run->n_folds;

	for (size_t at = 0; at < n; at++)
	{
		if (run->cells[at].state != state)
			continue;
		ml_phase(run->env, "comparing", (int) at + 1, (int) n);
		run_cell(run, at, 0, true);
		ML_TRY(check_stop(run));
	}
	return ML_OK;
}

/* Trials that the time budget has ended, until one is complete. */
static MlStatus
run_late(Run *run)
{
	for (size_t a = 0; a < run->n_active && !atomic_load(&run->complete); a++)
	{
		atomic_store(&run->first, a);
		for (uint32_t fold = 0; fold < run->n_folds && !run->progress[a].failed; fold++)
		{
			size_t at = a * run->n_folds + fold;

			if (run->cells[at].state == CELL_LATE)
				run_cell(run, at, 0, true);
			ML_TRY(check_stop(run));
		}
	}
	return ML_OK;
}

/* Shall fits run side by side? Not when they are large, or too few for all threads. */
static bool
side_by_side(const Run *run)
{
	double size = (double) run->n_rows * run->share * run->in->model->schema->n_features;

	return run->n_workers > 1 && size < LARGE_FIT &&
		   run->n_active * run->n_folds >= (size_t) run->n_workers;
}

/* Fit every active trial on every fold. */
static MlStatus
run_round(Run *run)
{
	size_t n = run->n_active * run->n_folds;

	memset(run->cells, 0, n * sizeof(Cell));
	memset(run->progress, 0, run->n_active * sizeof(Progress));
	atomic_store(&run->first, (size_t) 0);
	if (side_by_side(run))
	{
		ML_TRY(run_side_by_side(run));
		ML_TRY(run_inner(run, CELL_NO_MEMORY));
	}
	else
		ML_TRY(run_inner(run, CELL_NEW));
	if (atomic_load(&run->complete))
		return ML_OK;
	return run_late(run);
}

/* ---- what came of it ---- */

/* Mean and standard deviation (of a sample) of the folds on which the metric is defined. */
static void
summarise(MlTrial *trial, const Cell *cells, uint32_t n_folds)
{
	double sum = 0, squares = 0;
	uint32_t n = 0;

	for (uint32_t k = 0; k < n_folds; k++)
	{
		trial->fold_scores[k] = cells[k].score;
		if (isnan(cells[k].score))
			continue;
		sum += cells[k].score;
		n++;
	}
	trial->score = n > 0 ? sum / n : NAN;
	for (uint32_t k = 0; k < n_folds; k++)
	{
		double d = cells[k].score - trial->score;

		squares += isnan(d) ? 0 : d * d;
	}
	trial->stddev = n > 1 ? sqrt(squares / (n - 1)) : NAN;
}

/* A text in the arena. */
static MlStatus
keep_text(Run *run, const char *text, const char **out)
{
	*out = ml_arena_text(run->arena, text, strlen(text));
	return *out ? ML_OK : ML_ENOMEM;
}

/* Why a trial of the round has no score. */
static MlStatus
explain(Run *run, MlTrial *trial, const Progress *p)
{
	MlBuffer text;
	MlStatus status;

	if (!p->failed)
		return keep_text(run, "the time budget was used up before it was done", &trial->error);
	ml_buffer_init(&text, run->env);
	if (run->n_folds > 1)
		ml_put_format(&text, "fold %u: ", p->failed_fold + 1);
	ml_put_format(&text, "%s", p->error);
	ml_put_u8(&text, 0);
	status = text.status;
	if (status == ML_OK)
		status = keep_text(run, (const char *) text.data, &trial->error);
	ml_buffer_free(&text);
	return status;
}

/* Write what the round has given. A trial that did not end keeps what an earlier round gave. */
static MlStatus
note_round(Run *run)
{
	for (size_t a = 0; a < run->n_active; a++)
	{
		MlTrial *trial = &run->trials[run->active[a]];
		const Cell *cells = run->cells + a * run->n_folds;

		for (uint32_t k = 0; k < run->n_folds; k++)
			trial->seconds += cells[k].seconds;
		if (run->progress[a].n_done == run->n_folds)
		{
			trial->share = run->share;
			summarise(trial, cells, run->n_folds);
			trial->error = NULL;
			if (isnan(trial->score))
				ML_TRY(keep_text(run, "the metric is not defined on the test rows", &trial->error));
		}
		else if (isnan(trial->score))
			ML_TRY(explain(run, trial, &run->progress[a]));
	}
	return ML_OK;
}

/* How two trials compare: the greater share of rows first, then the better score, then the earlier one. */
typedef struct Ranked
{
	double share, loss;
	size_t trial;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;

	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	if (x->loss != y->loss)
		return x->loss < y->loss ? -1 : 1;
	return x->trial < y->trial ? -1 : 1;
}

/* Give ranks; *n_ranked trials have one, in order. */
static MlStatus
rank_trials(Run *run, Ranked **out, size_t *n_ranked)
{
	bool greater = ml_metric_greater_is_better(run->in->metric);
	Ranked *ranked = ml_arena_array(run->arena, run->n_trials, sizeof *ranked);

	if (!ranked)
		return ML_ENOMEM;
	*n_ranked = 0;
	for (size_t i = 0; i < run->n_trials; i++)
	{
		const MlTrial *trial = &run->trials[i];

		if (!isnan(trial->score))
			ranked[(*n_ranked)++] =
				(Ranked){trial->share, greater ? -trial->score : trial->score, i};
	}
	qsort(ranked, *n_ranked, sizeof *ranked, compare_ranked);
	for (size_t r = 0; r < *n_ranked; r++)
		run->trials[ranked[r].trial].rank = (uint32_t) r + 1;
	*out = ranked;
	return ML_OK;
}

/* ---- halving ---- */

/* How many rounds: until the first has too few rows, or the last one a single trial. */
static uint32_t
count_rounds(const Run *run)
{
	double rows = (double) run->n_rows, n = (double) run->n_trials;
	uint32_t rounds = 1;

	if (!run->in->halving)
		return 1;
	while (n > run->in->factor - 0.5 && rows / run->in->factor >= HALVING_ROWS)
	{
		n /= run->in->factor;
		rows /= run->in->factor;
		rounds++;
	}
	return rounds;
}

static int
compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *) a, y = *(const size_t *) b;

	return x < y ? -1 : x > y;
}

/* Only the best go on. */
static MlStatus
keep_best(Run *run)
{
	size_t n = (run->n_active + run->in->factor - 1) / run->in->factor, n_ranked;
	Ranked *ranked;

	ML_TRY(rank_trials(run, &ranked, &n_ranked));
	run->n_active = ML_MIN(n, n_ranked);
	for (size_t r = 0; r < run->n_active; r++)
		run->active[r] = ranked[r].trial;
	qsort(run->active, run->n_active, sizeof(size_t), compare_sizes);
	return ML_OK;
}

/* All rounds. */
static MlStatus
run_rounds(Run *run)
{
	uint32_t rounds = count_rounds(run);

	for (uint32_t round = 0; round < rounds && run->n_active > 0; round++)
	{
		run->share = pow(run->in->factor, -(double) (rounds - 1 - round));
		if (round > 0 && out_of_time(run, SIZE_MAX))
			return ML_OK;
		ML_TRY(run_round(run));
		ML_TRY(note_round(run));
		if (round + 1 < rounds)
			ML_TRY(keep_best(run));
	}
	return ML_OK;
}

/* ---- the whole ---- */

/* Rows that cells choose from. */
static size_t
count_rows(const MlTrialsInput *in)
{
	return in->folds ? in->folds->rows.n : in->train.n;
}

static MlStatus
make_room(Run *run)
{
	MlEnv *env = run->env;
	size_t n_cells;

	if (__builtin_mul_overflow(run->n_trials, (size_t) run->n_folds, &n_cells))
		return ml_fail(env, ML_ENOMEM, "out of memory: too many trials");
	run->active = ml_alloc_array(env, run->n_trials, sizeof *run->active);
	run->cells = ml_alloc_array(env, n_cells, sizeof *run->cells);
	run->progress = ml_alloc_array(env, run->n_trials, sizeof *run->progress);
	run->rows = ml_alloc_array(env, 2 * run->n_rows * (size_t) run->n_workers, sizeof *run->rows);
	if (!run->active || !run->cells || !run->progress || !run->rows)
		return ML_ENOMEM;
	run->n_active = run->n_trials;
	for (size_t i = 0; i < run->n_trials; i++)
	{
		MlTrial *trial = &run->trials[i];

		run->active[i] = i;
		*trial = (MlTrial){
			.algo = trial->algo, .params = trial->params, .score = NAN, .stddev = NAN, .share = 1};
		trial->fold_scores = ml_arena_array(run->arena, run->n_folds, sizeof(double));
		if (!trial->fold_scores)
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* No trial has a score: say why the first one has none. */
static MlStatus
all_failed(const Run *run)
{
	const Progress *p = &run->progress[0];
	MlStatus status = ML_EDATA;

	for (uint32_t k = 0; k < run->n_folds; k++)
	{
		if (run->cells[k].state == CELL_FAILED && p->failed_fold == k)
			status = run->cells[k].status;
	}
	ml_fail(run->env, status, "%s", run->trials[0].error);
	if (p->failed && p->hint[0])
		ml_hint(run->env, "%s", p->hint);
	return status;
}

static MlStatus
run_trials(Run *run, MlTrial **best)
{
	Ranked *ranked;
	size_t n_ranked;

	ML_TRY(make_room(run));
	ML_TRY(run_rounds(run));
	ML_TRY(rank_trials(run, &ranked, &n_ranked));
	if (n_ranked == 0)
		return all_failed(run);
	*best = &run->trials[ranked[0].trial];
	(*best)->chosen = true;
	return ML_OK;
}

MlStatus
ml_trials_run(MlArena *arena, const MlTrialsInput *input, MlTrial *trials, size_t n, MlTrial **best)
{
	Run run = {
		.arena = arena,
		.env = arena->env,
		.in = input,
		.trials = trials,
		.n_trials = n,
		.n_folds = input->folds ? input->folds->n : 1,
		.start = ml_seconds(),
		.n_rows = count_rows(input),
		.n_workers = ml_pool_size(ml_env_pool(arena->env)),
	};
	MlStatus status;

	pthread_mutex_init(&run.lock, NULL);
	status = run_trials(&run, best);
	pthread_mutex_destroy(&run.lock);
	ml_free(run.env, run.active);
	ml_free(run.env, run.cells);
	ml_free(run.env, run.progress);
	ml_free(run.env, run.rows);
	return status;
}
