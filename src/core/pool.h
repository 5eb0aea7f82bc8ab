/*
 * pool.h
 *		A pool of threads that runs index ranges for pure code.
 *
 * Workers block all signals, never use the caller's environment, never call PostgreSQL. The calling
 * thread takes part as worker 0 and polls cancel between tasks, and while it waits. Which thread runs which
 * task is not fixed, so a task writes only to places of its own index; callers
 * reduce in index order. Then results do not depend on the number of threads.
 */
#ifndef ML_POOL_H
#define ML_POOL_H

#include "core/env.h"

typedef void (*MlTaskFn)(void *arg, size_t task, int worker);

/* Start n_threads - 1 threads; fewer when the system refuses. NULL only when out of memory. */
extern MlPool *ml_pool_create(MlEnv *env, int n_threads);
extern void ml_pool_destroy(MlEnv *env, MlPool *pool);
extern int ml_pool_size(const MlPool *pool); /* threads including the caller; worker < this */

/* Run fn(arg, 0..n_tasks-1, worker). Returns after the last task has ended; ML_ECANCELED: some were skipped. */
extern MlStatus ml_pool_run(MlEnv *env, size_t n_tasks, MlTaskFn fn, void *arg);

#endif /* ML_POOL_H */
