/*
 * test_pool.c
 *		The thread pool: every task once, cancel, nesting, waking, signals.
 */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/pool.h"

#define N_TASKS 1000

typedef struct Counts
{
	unsigned done[N_TASKS];
	atomic_uint worker_bits;
} Counts;

static void
count_task(void *arg, size_t task, int worker)
{
	Counts *counts = arg;

	counts->done[task]++;
	atomic_fetch_or(&counts->worker_bits, 1u << worker);
}

static void
every_task_runs_once(void)
{
	for (int n_threads = 1; n_threads <= 4; n_threads++)
	{
		static Counts counts;
		MlEnv env;

		memset(&counts, 0, sizeof counts);
		ml_env_init(&env);
		env.n_threads = n_threads;
		CHECK(ml_pool_run(&env, 0, count_task, &counts) == ML_OK);
		for (size_t n = 1; n <= N_TASKS; n++)
			CHECK(ml_pool_run(&env, n, count_task, &counts) == ML_OK);
		for (size_t i = 0; i < N_TASKS; i++)
			CHECK(counts.done[i] == N_TASKS - i);
		CHECK(ml_pool_size(ml_env_pool(&env)) == n_threads);
		CHECK(counts.worker_bits < 1u << n_threads);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* Task 0 ends only when another thread runs task 1, so two threads must be there. */
static void
wait_for_other(void *arg, size_t task, int worker)
{
	atomic_int *seen = arg;

	(void) worker;
	if (task == 1)
		atomic_store(seen, 1);
	while (atomic_load(seen) == 0)
		;
}

static void
workers_take_part_awake_and_asleep(void)
{
	MlEnv env;

	ml_env_init(&env);
	env.n_threads = 2;
	for (int i = 0; i < 20; i++)
	{
		atomic_int seen = 0;

		if (i % 2)
			usleep(2000); /* long enough for the worker to sleep */
		CHECK(ml_pool_run(&env, 2, wait_for_other, &seen) == ML_OK);
		CHECK(seen == 1);
	}
	ml_env_close(&env);
}

typedef struct CancelCase
{
	atomic_int done;
	int polls, cancel_at;
} CancelCase;

static bool
cancel_at(void *ctx)
{
	CancelCase *c = ctx;

	return ++c->polls >= c->cancel_at;
}

static void
slow_task(void *arg, size_t task, int worker)
{
	(void) task;
	(void) worker;
	usleep(200);
	atomic_fetch_add(&((CancelCase *) arg)->done, 1);
}

static void
cancel_stops_handing_out_tasks(void)
{
	for (int n_threads = 1; n_threads <= 3; n_threads++)
	{
		CancelCase c = {.cancel_at = 5};
		MlEnv env;
		int done;

		ml_env_init(&env);
		env.n_threads = n_threads;
		env.canceled = cancel_at;
		env.ctx = &c;
		CHECK(ml_pool_run(&env, N_TASKS, slow_task, &c) == ML_ECANCELED);
		done = c.done;
		CHECK(done >= 4 && done < N_TASKS / 2);
		usleep(3000); /* nothing goes on behind our back */
		CHECK(c.done == done);
		/* The pool is as good as new. */
		c.cancel_at = INT32_MAX;
		CHECK(ml_pool_run(&env, 10, slow_task, &c) == ML_OK);
		CHECK(c.done == done + 10);
		ml_env_close(&env);
	}
}

typedef struct Nested
{
	MlEnv *env;
	unsigned char cells[40][50];
} Nested;

typedef struct NestedRow
{
	unsigned char *cells;
} NestedRow;

static void
inner_task(void *arg, size_t task, int worker)
{
	((NestedRow *) arg)->cells[task]++;
	CHECK(worker == 0);
}

static void
outer_task(void *arg, size_t task, int worker)
{
	Nested *nested = arg;
	NestedRow row = {nested->cells[task]};

	(void) worker;
	CHECK(ml_pool_run(nested->env, 50, inner_task, &row) == ML_OK);
}

static void
nested_runs_are_inline(void)
{
	static Nested nested;
	MlEnv env;

	ml_env_init(&env);
	env.n_threads = 3;
	nested.env = &env;
	for (int i = 0; i < 100; i++)
		CHECK(ml_pool_run(&env, 40, outer_task, &nested) == ML_OK);
	for (int i = 0; i < 40; i++)
	{
		for (int j = 0; j < 50; j++)
			CHECK(nested.cells[i][j] == 100);
	}
	ml_env_close(&env);
}

static void
check_mask(void *arg, size_t task, int worker)
{
	sigset_t mask;

	(void) task;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (worker > 0 && (!sigismember(&mask, SIGINT) || !sigismember(&mask, SIGTERM) ||
					   !sigismember(&mask, SIGALRM) || !sigismember(&mask, SIGUSR1)))
		atomic_store((atomic_int *) arg, 1);
	usleep(100);
}

static void
workers_block_all_signals(void)
{
	atomic_int unblocked = 0;
	sigset_t before, after;
	MlEnv env;

	ml_env_init(&env);
	env.n_threads = 3;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	CHECK(ml_pool_run(&env, 50, check_mask, &unblocked) == ML_OK);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	CHECK(unblocked == 0);
	CHECK(!sigismember(&after, SIGINT) && !sigismember(&before, SIGINT));
	ml_env_close(&env);
}

static void
sum_task(void *arg, size_t task, int worker)
{
	double s = 0;

	(void) worker;
	for (int i = 1; i < 100; i++)
		s += sin((double) task * i) / i;
	((double *) arg)[task] = s;
}

static void
results_do_not_depend_on_threads(void)
{
	static double results[3][N_TASKS];

	for (int n_threads = 1; n_threads <= 3; n_threads++)
	{
		MlEnv env;

		ml_env_init(&env);
		env.n_threads = n_threads;
		CHECK(ml_pool_run(&env, N_TASKS, sum_task, results[n_threads - 1]) == ML_OK);
		ml_env_close(&env);
	}
	CHECK(memcmp(results[0], results[1], sizeof results[0]) == 0);
	CHECK(memcmp(results[0], results[2], sizeof results[0]) == 0);
}

static MlStatus
run_with_threads(MlEnv *env, void *arg)
{
	Counts *counts = arg;

	env->n_threads = 2;
	/* Scratch is sized by the pool: that must hold even when the pool could not be made. */
	CHECK(ml_pool_size(ml_env_pool(env)) >= 1);
	return ml_pool_run(env, N_TASKS, count_task, counts);
}

static void
every_allocation_may_fail(void)
{
	static Counts counts;

	memset(&counts, 0, sizeof counts);
	unit_every_allocation_fails(run_with_threads, &counts, 10);
	CHECK(counts.done[0] == 1 && counts.done[N_TASKS - 1] == 1);
}

int
main(void)
{
	RUN(every_task_runs_once);
	RUN(workers_take_part_awake_and_asleep);
	RUN(cancel_stops_handing_out_tasks);
	RUN(nested_runs_are_inline);
	RUN(workers_block_all_signals);
	RUN(results_do_not_depend_on_threads);
	RUN(every_allocation_may_fail);
	return unit_end();
}
