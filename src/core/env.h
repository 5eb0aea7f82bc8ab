/*
 * env.h
 *		What pure code knows of the world: memory, cancel, progress, errors.
 *
 * Every pure function that can fail takes an MlEnv and returns an MlStatus.
 * The environment is made by the bridge (over memory contexts) or by a test
 * (over malloc, or over an allocator that fails on the n-th call). Pure code
 * never throws, prints, exits or touches a file; it writes one sentence into
 * the environment and returns.
 *
 * Words: a *region* is a large piece of memory that may live in a mapped
 * temporary file once the heap budget is used up; an *arena* is a set of
 * allocations that are freed together.
 */
#ifndef ML_ENV_H
#define ML_ENV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum MlStatus
{
	ML_OK = 0,
	ML_ENOMEM,    /* out of memory, or out of the training budget */
	ML_EINVAL,    /* an option or argument is wrong */
	ML_EDATA,     /* the data cannot be used for this */
	ML_ENOCONV,   /* an iterative method did not converge */
	ML_ECANCELED, /* the cancel poll said so */
	ML_ECORRUPT   /* an image or state is damaged */
} MlStatus;

/* One line of progress; metrics that do not apply are NaN. */
typedef struct MlProgress
{
	int iteration; /* from 1 */
	int total;     /* 0 when not known */
	double loss;
	double valid_loss;
} MlProgress;

typedef struct MlPool MlPool;

typedef struct MlEnv
{
	/* Callbacks, each with ctx as first argument. alloc returns NULL on failure and never throws. */
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *ptr);
	bool (*canceled)(void *ctx);                                       /* may be NULL */
	void (*progress)(void *ctx, const MlProgress *line);               /* may be NULL */
	void (*phase)(void *ctx, const char *name, int step, int n_steps); /* may be NULL */
	void *(*map)(
		void *ctx,
		size_t size); /* temporary file memory; NULL: none to be had, and error may say why */
	void (*unmap)(void *ctx, void *ptr, size_t size);
	void *ctx;

	size_t budget; /* bytes that alloc may hand out; 0: no limit */
	size_t used;   /* bytes in use, regions on the heap included */
	size_t mapped; /* bytes in mapped regions and blocks */
	int n_threads; /* threads that a pool may use, the caller's included */
	MlPool *pool;  /* made on first use by ml_env_pool */

	char error[1024]; /* one sentence: lower case, no period, the offending value in it */
	char hint[512];   /* what the user can do; empty: nothing to say */
} MlEnv;

/* Set up an environment over malloc, without limits; the caller may then change fields. */
extern void ml_env_init(MlEnv *env);

/* End the pool, if one was started. Memory stays with its owners. */
extern void ml_env_close(MlEnv *env);

/*
 * The pool of env->n_threads threads, started on first use; NULL never: with one thread it runs inline. Out of
 * memory, it is a pool of size 1 on which ml_pool_run gives ML_ENOMEM.
 */
extern MlPool *ml_env_pool(MlEnv *env);

/*
 * Counted allocation, zeroed or not; beyond the budget, large blocks are mapped. On failure: NULL, with the
 * error set (use ML_ENOMEM).
 */
extern void *ml_alloc(MlEnv *env, size_t size);
extern void *ml_zalloc(MlEnv *env, size_t size); /* NULL also when canceled meanwhile */
extern void ml_free(MlEnv *env, void *ptr);

/* n * size with overflow check. */
extern void *ml_alloc_array(MlEnv *env, size_t n, size_t size);
extern void *ml_zalloc_array(MlEnv *env, size_t n, size_t size);

/* Grow *ptr to hold at least n elements; *capacity is updated. Contents are kept. */
extern MlStatus ml_grow(MlEnv *env, void *ptr, size_t *capacity, size_t n, size_t size);

/*
 * A large, zeroed block, 64-byte aligned: from the heap within three quarters of the budget (so that
 * rows leave room for the algorithm), else mapped. Freed by ml_region_free.
 */
typedef struct MlRegion
{
	void *data;
	size_t size;
	bool mapped;
} MlRegion;

extern MlStatus ml_region_alloc(MlEnv *env, MlRegion *region, size_t n, size_t size);
extern void ml_region_free(MlEnv *env, MlRegion *region);

/* Set the error sentence and return status, so that a caller can write: return ml_fail(env, ML_EDATA, "..."). */
extern MlStatus ml_fail(MlEnv *env, MlStatus status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
extern void ml_hint(MlEnv *env, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ML_ECANCELED when the user asked to stop, else ML_OK. Call at least every 10 ms of work. */
extern MlStatus ml_poll(MlEnv *env);
extern void ml_report(MlEnv *env, const MlProgress *line);

/*
 * What the work is at, as people read it: "fitting", "calibrating", "evaluating"; step of n_steps, such as a fold
 * (from 1; 0: there are none). Iterations begin anew. name: a constant, up to 31 bytes.
 */
extern void ml_phase(MlEnv *env, const char *name, int step, int n_steps);

/* Seconds of a clock that only goes forward; its zero means nothing. For budgets of time, never for results. */
extern double ml_seconds(void);

/* Return from the calling function when status is not ML_OK. */
#define ML_TRY(call) \
	do \
	{ \
		MlStatus ml_try_ = (call); \
		if (ml_try_ != ML_OK) \
			return ml_try_; \
	} while (0)

/* Arena: everything allocated from it is freed together. */
typedef struct MlArenaBlock MlArenaBlock;

typedef struct MlArena
{
	MlEnv *env;
	MlArenaBlock *blocks;
	size_t left; /* bytes free at the end of the newest block */
} MlArena;

extern void ml_arena_init(MlArena *arena, MlEnv *env);
extern void ml_arena_free(MlArena *arena);
extern void *ml_arena_alloc(MlArena *arena,
							size_t size); /* zeroed, 16-byte aligned; NULL: error set */
extern void *ml_arena_array(MlArena *arena, size_t n, size_t size);

/* The same into *(void **) ptr for arrays that may be so large that clearing them takes long: polls cancel meanwhile. */
extern MlStatus ml_arena_zeros(MlArena *arena, size_t n, size_t size, void *ptr);
extern char *ml_arena_text(MlArena *arena, const char *text,
						   size_t len); /* a copy with a final zero byte */

#define ML_MIN(a, b) ((a) < (b) ? (a) : (b))
#define ML_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif /* ML_ENV_H */
