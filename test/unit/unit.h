/*
 * unit.h
 *		The harness of the unit tests: named cases, checks, failing allocators.
 *
 * A test file defines static void functions, and ends with
 *		int main(void) { RUN(case_one); RUN(case_two); return unit_end(); }
 */
#ifndef UNIT_H
#define UNIT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"

static int unit_failed, unit_case_failed;

#define CHECK(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			unit_case_failed++; \
		} \
	} while (0)

/* |got - want| <= tolerance * max(1, |want|) */
#define CHECK_NEAR(got, want, tolerance) \
	do \
	{ \
		double got_ = (got), want_ = (want); \
		if (!(fabs(got_ - want_) <= (tolerance) *fmax(1.0, fabs(want_)))) \
		{ \
			printf("# %s:%d: %s is %.17g, not %.17g\n", __FILE__, __LINE__, #got, got_, want_); \
			unit_case_failed++; \
		} \
	} while (0)

#define RUN(name) \
	do \
	{ \
		unit_case_failed = 0; \
		name(); \
		printf("%s %s\n", unit_case_failed ? "not ok" : "ok", #name); \
		unit_failed += unit_case_failed > 0; \
	} while (0)

static inline int
unit_end(void)
{
	return unit_failed != 0;
}

/* An allocator that fails from the n-th call on; live counts what was not freed. */
typedef struct UnitAlloc
{
	long calls, fail_at; /* fail_at 0: never */
	long live;
} UnitAlloc;

static inline void *
unit_alloc(void *ctx, size_t size)
{
	UnitAlloc *a = ctx;
	void *ptr;

	if (++a->calls == a->fail_at)
		return NULL;
	ptr = malloc(size);
	if (ptr)
		a->live++;
	return ptr;
}

static inline void
unit_free(void *ctx, void *ptr)
{
	UnitAlloc *a = ctx;

	if (ptr)
		a->live--;
	free(ptr);
}

/*
 * Run work(env, arg) with the first, second, ... allocation failing, until it succeeds. Checks that
 * every failure is reported as ML_ENOMEM and that nothing leaks.
 */
static inline void
unit_every_allocation_fails(MlStatus (*work)(MlEnv *env, void *arg), void *arg, long at_most)
{
	MlStatus status = ML_ENOMEM;

	for (long n = 1; status != ML_OK && n <= at_most; n++)
	{
		UnitAlloc counter = {.fail_at = n};
		MlEnv env;

		ml_env_init(&env);
		env.alloc = unit_alloc;
		env.free = unit_free;
		env.ctx = &counter;
		status = work(&env, arg);
		ml_env_close(&env);
		CHECK(status == ML_OK || status == ML_ENOMEM);
		CHECK(counter.live == 0);
		if (unit_case_failed)
		{
			printf("# with allocation %ld failing: status %d, %ld left, %s\n", n, status,
				   counter.live, env.error);
			return;
		}
	}
	CHECK(status == ML_OK);
}

#endif /* UNIT_H */
