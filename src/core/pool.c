/*
 * pool.c
 *		Threads that sleep between jobs, and take tasks by an atomic ticket.
 *
 * A *job* is one call of ml_pool_run. The ticket holds the job's number in its
 * upper half and the next task in its lower half. A thread takes a task by
 * raising the ticket by one with compare-and-swap; so a thread that wakes late,
 * and still has an old job in mind, fails there, and nobody waits for it: a job
 * has ended as soon as all tasks that were taken are done.
 *
 * Boosting runs thousands of jobs a second, each of tasks of some 50 us. Waking
 * a sleeping thread costs about as much as such a task, so a thread looks for
 * the next job for SPIN_NS before it sleeps.
 *
 * Traps: a thread reads fn and arg before it takes the task, so they may belong
 * to a later job than its ticket; then the swap fails and they are not used.
 * That is why they are atomic. The ticket is written last. A task that calls ml_pool_run itself runs the
 * inner tasks at once, on its own thread, as worker 0 of that inner call.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "core/pool.h"

/* Stacks are reserved, not used. As large as a main thread's: a task may be a whole training. */
#define WORKER_STACK ((size_t) 8 * 1024 * 1024)
#define SPIN_NS 50000
#define POLL_NS 10000000 /* a caller that waits for long tasks looks for a cancel */
#define MAX_THREADS 256
#define NO_TASK UINT32_MAX /* above every n_tasks */

typedef struct Worker
{
	MlPool *pool;
	pthread_t thread;
	int number; /* from 1; the caller is 0 */
} Worker;

struct MlPool
{
	int size; /* threads, the caller's included */
	Worker *workers;
	bool out_of_memory; /* it could not be made: every run gives ML_ENOMEM */

	atomic_bool busy; /* a job runs */
	atomic_bool quit;
	_Atomic uint64_t ticket;   /* job << 32 | next task */
	_Atomic uint32_t n_tasks;  /* of the job */
	_Atomic uint32_t finished; /* tasks of the job that are done */
	_Atomic(MlTaskFn) fn;
	void *_Atomic arg;

	pthread_mutex_t lock; /* only for going to sleep and waking */
	pthread_cond_t work;  /* a new job, or quit */
	pthread_cond_t done;  /* a task ended while the caller sleeps */
	atomic_int sleepers;
	atomic_bool caller_sleeps;
};

/* The pools of size 1, on which everything runs inline; never written to. */
static const MlPool inline_pool = {.size = 1};
static const MlPool no_pool = {.size = 1, .out_of_memory = true};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static inline void
cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Take the next task of the job; false: none is left, or the job has ended. */
static bool
take_task(MlPool *pool, uint32_t job, MlTaskFn *fn, void **arg, uint32_t *task)
{
	uint64_t ticket = atomic_load(&pool->ticket);

	for (;;)
	{
		*task = (uint32_t) ticket;
		*fn = atomic_load(&pool->fn);
		*arg = atomic_load(&pool->arg);
		if (ticket >> 32 != job || *task >= atomic_load(&pool->n_tasks))
			return false;
		if (atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1))
			return true;
	}
}

/* Count a task as done, and wake the caller if it waits for that. */
static void
finish_task(MlPool *pool)
{
	atomic_fetch_add(&pool->finished, 1);
	if (atomic_load(&pool->caller_sleeps))
	{
		pthread_mutex_lock(&pool->lock);
		pthread_cond_signal(&pool->done);
		pthread_mutex_unlock(&pool->lock);
	}
}

static uint32_t
current_job(MlPool *pool)
{
	return (uint32_t) (atomic_load(&pool->ticket) >> 32);
}

/* Wait for a job other than the one seen last: first awake, then asleep. */
static uint32_t
wait_for_job(MlPool *pool, uint32_t seen)
{
	uint64_t end = now_ns() + SPIN_NS;

	while (now_ns() < end)
	{
		for (int i = 0; i < 32; i++)
		{
			if (current_job(pool) != seen || atomic_load(&pool->quit))
				return current_job(pool);
			cpu_relax();
		}
	}
	pthread_mutex_lock(&pool->lock);
	atomic_fetch_add(&pool->sleepers, 1);
	while (current_job(pool) == seen && !atomic_load(&pool->quit))
		pthread_cond_wait(&pool->work, &pool->lock);
	atomic_fetch_sub(&pool->sleepers, 1);
	pthread_mutex_unlock(&pool->lock);
	return current_job(pool);
}

static void *
worker_main(void *worker)
{
	Worker *self = worker;
	MlPool *pool = self->pool;
	uint32_t job = 0, task;
	MlTaskFn fn;
	void *arg;

	while (!atomic_load(&pool->quit))
	{
		job = wait_for_job(pool, job);
		while (take_task(pool, job, &fn, &arg, &task))
		{
			fn(arg, task, self->number);
			finish_task(pool);
		}
	}
	return NULL;
}

/* Start the threads with all signals blocked, so that the server's handlers run on its own thread only. */
static void
start_workers(MlPool *pool, int n_threads)
{
	sigset_t all, old;
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes) != 0)
		return;
	pthread_attr_setstacksize(&attributes, WORKER_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (pool->size < n_threads)
	{
		Worker *worker = &pool->workers[pool->size - 1];

		*worker = (Worker){.pool = pool, .number = pool->size};
		if (pthread_create(&worker->thread, &attributes, worker_main, worker) != 0)
			break; /* the system refuses: go on with those there are */
		pool->size++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
}

MlPool *
ml_pool_create(MlEnv *env, int n_threads)
{
	MlPool *pool = ml_zalloc(env, sizeof *pool);
	pthread_condattr_t monotonic;

	n_threads = ML_MAX(1, ML_MIN(n_threads, MAX_THREADS));
	if (pool == NULL)
		return NULL;
	pool->workers = ml_zalloc_array(env, (size_t) n_threads, sizeof *pool->workers);
	if (pool->workers == NULL)
	{
		ml_free(env, pool);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pool->size = 1;
	start_workers(pool, n_threads);
	return pool;
}

void
ml_pool_destroy(MlEnv *env, MlPool *pool)
{
	if (pool == NULL || pool == &inline_pool || pool == &no_pool)
		return;
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->quit, true);
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (int i = 0; i < pool->size - 1; i++)
		pthread_join(pool->workers[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	ml_free(env, pool->workers);
	ml_free(env, pool);
}

MlPool *
ml_env_pool(MlEnv *env)
{
	if (env->pool == NULL)
	{
		if (env->n_threads > 1)
			env->pool = ml_pool_create(env, env->n_threads);
		else
			env->pool = (MlPool *) &inline_pool;
		if (env->pool == NULL)
			env->pool = (MlPool *) &no_pool;
	}
	return env->pool;
}

int
ml_pool_size(const MlPool *pool)
{
	return pool->size;
}

/* Everything on the calling thread. */
static MlStatus
run_inline(MlEnv *env, size_t n_tasks, MlTaskFn fn, void *arg)
{
	for (size_t task = 0; task < n_tasks; task++)
	{
		ML_TRY(ml_poll(env));
		fn(arg, task, 0);
	}
	return ML_OK;
}

/* Publish a job, and wake as many sleepers as it has tasks for. Returns its number. */
static uint32_t
start_job(MlPool *pool, uint32_t n_tasks, MlTaskFn fn, void *arg)
{
	uint32_t job = current_job(pool) + 1;
	int asleep;

	/* Close the old ticket first: with the new n_tasks it could seem to have tasks left. */
	atomic_store(&pool->ticket, (uint64_t) (job - 1) << 32 | NO_TASK);
	atomic_store(&pool->finished, 0);
	atomic_store(&pool->fn, fn);
	atomic_store(&pool->arg, arg);
	atomic_store(&pool->n_tasks, n_tasks);
	atomic_store(&pool->ticket, (uint64_t) job << 32);
	asleep = atomic_load(&pool->sleepers);
	if (asleep > 0)
	{
		pthread_mutex_lock(&pool->lock);
		for (uint32_t i = 0; i + 1 < n_tasks && (int) i < asleep; i++)
			pthread_cond_signal(&pool->work);
		pthread_mutex_unlock(&pool->lock);
	}
	return job;
}

/* Sleep until a task ends, or for POLL_NS; with the lock held. */
static void
sleep_a_while(MlPool *pool)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += POLL_NS;
	if (t.tv_nsec >= 1000000000)
	{
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&pool->done, &pool->lock, &t);
}

/*
 * Wait until so many tasks are done: first awake, then asleep. Tasks that take long are told of a cancel by the
 * poll itself, if its owner has seen to that.
 */
static void
wait_for_tasks(MlEnv *env, MlPool *pool, uint32_t n)
{
	uint64_t end = now_ns() + SPIN_NS;

	while (now_ns() < end)
	{
		for (int i = 0; i < 32; i++)
		{
			if (atomic_load(&pool->finished) == n)
				return;
			cpu_relax();
		}
	}
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->caller_sleeps, true);
	while (atomic_load(&pool->finished) != n)
	{
		sleep_a_while(pool);
		if (env->canceled)
			(void) env->canceled(env->ctx);
	}
	atomic_store(&pool->caller_sleeps, false);
	pthread_mutex_unlock(&pool->lock);
}

/* A job of fewer than NO_TASK tasks: take part, poll between tasks, wait for the others. */
static MlStatus
run_job(MlEnv *env, MlPool *pool, uint32_t n_tasks, MlTaskFn fn, void *arg)
{
	uint32_t job = start_job(pool, n_tasks, fn, arg), task;
	MlStatus status = ml_poll(env);

	while (status == ML_OK && take_task(pool, job, &fn, &arg, &task))
	{
		fn(arg, task, 0);
		finish_task(pool);
		status = ml_poll(env);
	}
	if (status != ML_OK)
	{
		/* Take all that is left, so that nobody else does. */
		uint64_t ticket = atomic_exchange(&pool->ticket, (uint64_t) job << 32 | NO_TASK);

		n_tasks = ML_MIN(n_tasks, (uint32_t) ticket);
	}
	wait_for_tasks(env, pool, n_tasks);
	return status;
}

MlStatus
ml_pool_run(MlEnv *env, size_t n_tasks, MlTaskFn fn, void *arg)
{
	MlPool *pool = ml_env_pool(env);
	MlStatus status = ML_OK;

	if (pool->out_of_memory)
		return ml_fail(env, ML_ENOMEM, "out of memory: the threads could not be started");
	if (pool->size == 1)
		return run_inline(env, n_tasks, fn, arg);
	if (atomic_exchange(&pool->busy, true))
	{
		/* Called from a task, perhaps on a worker: neither poll nor write the error there. */
		for (size_t task = 0; task < n_tasks; task++)
			fn(arg, task, 0);
		return ML_OK;
	}
	if (n_tasks > 1 && n_tasks < NO_TASK)
		status = run_job(env, pool, (uint32_t) n_tasks, fn, arg);
	else
		status = run_inline(env, n_tasks, fn, arg);
	atomic_store(&pool->busy, false);
	return status;
}
