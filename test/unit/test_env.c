/*
 * test_env.c
 *		Counted memory, the budget, regions, error sentences, arenas.
 */
#include "unit.h"

#include <limits.h>

static void
used_counts_every_byte(void)
{
	MlEnv env;
	char *a, *b;

	ml_env_init(&env);
	a = ml_alloc(&env, 1000);
	CHECK(env.used >= 1000 && env.used <= 1064);
	b = ml_zalloc_array(&env, 10, 100);
	CHECK(env.used >= 2000 && env.used <= 2128);
	for (int i = 0; i < 1000; i++)
		CHECK(b[i] == 0);
	CHECK((uintptr_t) a % 16 == 0 && (uintptr_t) b % 16 == 0);
	ml_free(&env, a);
	ml_free(&env, NULL);
	ml_free(&env, b);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

/* An allocator that gives 8-byte alignment, as the server's memory contexts do. */
static void *
odd_alloc(void *ctx, size_t size)
{
	char *base = malloc(size + 16);

	(void) ctx;
	return base ? base + 8 : NULL;
}

static void
odd_free(void *ctx, void *ptr)
{
	(void) ctx;
	free((char *) ptr - 8);
}

static void
blocks_are_aligned_whatever_the_allocator(void)
{
	MlEnv env;
	MlRegion region;

	ml_env_init(&env);
	env.alloc = odd_alloc;
	env.free = odd_free;
	for (size_t size = 0; size < 100; size++)
	{
		char *ptr = ml_alloc(&env, size);

		CHECK((uintptr_t) ptr % 16 == 0);
		memset(ptr, 1, size);
		ml_free(&env, ptr);
	}
	CHECK(ml_region_alloc(&env, &region, 100, 8) == ML_OK);
	CHECK((uintptr_t) region.data % 64 == 0);
	ml_region_free(&env, &region);
	CHECK(env.used == 0);
}

static void
sizes_that_overflow_are_refused(void)
{
	MlEnv env;
	MlRegion region;
	MlArena arena;

	ml_env_init(&env);
	CHECK(ml_alloc(&env, SIZE_MAX) == NULL);
	CHECK(ml_alloc(&env, SIZE_MAX - 20) == NULL);
	CHECK(ml_alloc_array(&env, SIZE_MAX / 4, 8) == NULL);
	CHECK(ml_zalloc_array(&env, (size_t) 1 << 40, (size_t) 1 << 40) == NULL);
	CHECK(ml_region_alloc(&env, &region, SIZE_MAX / 2, 3) == ML_ENOMEM);
	CHECK(region.data == NULL && region.size == 0);
	ml_arena_init(&arena, &env);
	CHECK(ml_arena_alloc(&arena, SIZE_MAX) == NULL);
	CHECK(ml_arena_alloc(&arena, SIZE_MAX - 15) == NULL);
	CHECK(ml_arena_array(&arena, SIZE_MAX / 8, 16) == NULL);
	CHECK(ml_arena_text(&arena, "", SIZE_MAX) == NULL);
	CHECK(strncmp(env.error, "out of memory", 13) == 0);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
}

static void
the_budget_holds_and_says_so(void)
{
	MlEnv env;
	void *a, *b;

	ml_env_init(&env);
	env.budget = 4 * 1024 * 1024;
	a = ml_alloc(&env, 3 * 1024 * 1024);
	CHECK(a != NULL);
	b = ml_alloc(&env, 1024 * 1024);
	CHECK(b == NULL);
	CHECK(strcmp(env.error, "training needs more than its memory budget of 4 MB: 3072 kB in use, "
							"1025 kB more needed") == 0);
	CHECK(strstr(env.hint, "mlplat.training_memory") != NULL);
	b = ml_alloc(&env, 1000 * 1024);
	CHECK(b != NULL);
	CHECK(env.used <= env.budget);
	ml_free(&env, a);
	ml_free(&env, b);
	CHECK(env.used == 0);
}

typedef struct MapCount
{
	int maps, unmaps;
	bool refuse;
} MapCount;

static void *
test_map(void *ctx, size_t size)
{
	MapCount *count = ctx;

	if (count->refuse)
		return NULL;
	count->maps++;
	return calloc(1, size);
}

static void
test_unmap(void *ctx, void *ptr, size_t size)
{
	(void) size;
	((MapCount *) ctx)->unmaps++;
	free(ptr);
}

static void
regions_spill_beyond_three_quarters(void)
{
	MapCount count = {0};
	MlEnv env;
	MlRegion heap, mapped;
	void *block;

	ml_env_init(&env);
	env.ctx = &count;
	env.map = test_map;
	env.unmap = test_unmap;
	env.budget = 1000000;
	CHECK(ml_region_alloc(&env, &heap, 700000, 1) == ML_OK);
	CHECK(!heap.mapped && count.maps == 0);
	CHECK(ml_region_alloc(&env, &mapped, 20000, 8) == ML_OK);
	CHECK(mapped.mapped && count.maps == 1 && mapped.size == 160000 && env.mapped == 160000);
	for (size_t i = 0; i < 20000; i++)
		CHECK(((uint64_t *) mapped.data)[i] == 0);
	/* The algorithm still finds room. */
	block = ml_alloc(&env, 150000);
	CHECK(block != NULL);
	ml_free(&env, block);
	ml_region_free(&env, &mapped);
	ml_region_free(&env, &heap);
	ml_region_free(&env, &heap); /* again: harmless */
	CHECK(env.used == 0 && env.mapped == 0 && count.unmaps == 1);

	count.refuse = true;
	CHECK(ml_region_alloc(&env, &mapped, 900000, 1) == ML_ENOMEM);
	CHECK(strstr(env.error, "temporary file") != NULL);
	CHECK(mapped.data == NULL);
}

static void
large_blocks_beyond_the_budget_are_mapped(void)
{
	MapCount count = {0};
	MlEnv env;
	void *heap, *block, *small[2];

	ml_env_init(&env);
	env.ctx = &count;
	env.map = test_map;
	env.unmap = test_unmap;
	env.budget = 1000000;
	heap = ml_alloc(&env, 870000);
	block = ml_alloc(&env, 5000000);
	CHECK(heap != NULL && block != NULL && count.maps == 1 && env.mapped >= 5000000);
	CHECK((uintptr_t) block % 16 == 0);
	memset(block, 1, 5000000);
	small[0] = ml_alloc(&env, 60000); /* not worth a file */
	small[1] = ml_alloc(&env, 60000);
	CHECK(small[0] != NULL && small[1] != NULL && count.maps == 1);
	CHECK(ml_alloc(&env, 60000) == NULL && strstr(env.error, "memory budget") != NULL);
	ml_free(&env, small[0]);
	ml_free(&env, small[1]);
	CHECK(ml_alloc(&env, SIZE_MAX - 10) == NULL && ml_alloc(&env, SIZE_MAX / 2) == NULL);
	ml_free(&env, block);
	CHECK(env.mapped == 0 && count.unmaps == 1 && env.used < env.budget);
	count.refuse = true;
	CHECK(ml_alloc(&env, 5000000) == NULL && strstr(env.error, "memory budget") != NULL);
	ml_free(&env, heap);
	CHECK(env.used == 0);
}

/* A caller that looks at several blocks at once passes on what the first one that failed has said. */
static void
a_mapped_block_keeps_what_was_said_before(void)
{
	MapCount count = {0};
	MlEnv env;
	MlRegion region;
	void *block;

	ml_env_init(&env);
	env.map = test_map;
	env.unmap = test_unmap;
	env.ctx = &count;
	env.budget = 1000;
	CHECK(ml_alloc(&env, 2000) == NULL);
	CHECK(strstr(env.error, "memory budget") != NULL);
	block = ml_alloc(&env, 100000);
	CHECK(block != NULL && count.maps == 1);
	CHECK(strstr(env.error, "memory budget") != NULL);
	CHECK(ml_region_alloc(&env, &region, 200000, 1) == ML_OK && region.mapped);
	CHECK(strstr(env.error, "memory budget") != NULL);
	ml_region_free(&env, &region);
	ml_free(&env, block);
	ml_env_close(&env);
}

static void
regions_without_a_map_use_the_whole_budget(void)
{
	MlEnv env;
	MlRegion region;

	ml_env_init(&env);
	env.budget = 1000000;
	CHECK(ml_region_alloc(&env, &region, 900000, 1) == ML_OK);
	ml_region_free(&env, &region);
	CHECK(ml_region_alloc(&env, &region, 1000001, 1) == ML_ENOMEM);
	CHECK(strstr(env.error, "memory budget") != NULL);
	CHECK(env.used == 0);
}

static void
large_regions_are_zeroed(void)
{
	MlEnv env;
	MlRegion region;
	unsigned char sum = 0;

	ml_env_init(&env);
	CHECK(ml_region_alloc(&env, &region, 9, 1000001) == ML_OK);
	for (size_t i = 0; i < region.size; i++)
		sum |= ((unsigned char *) region.data)[i];
	CHECK(sum == 0);
	memset(region.data, 1, region.size);
	ml_region_free(&env, &region);
	CHECK(ml_region_alloc(&env, &region, 0, 8) == ML_OK);
	CHECK(region.data != NULL);
	ml_region_free(&env, &region);
	CHECK(env.used == 0);
}

static void
grow_keeps_contents(void)
{
	MlEnv env;
	uint32_t *items = NULL;
	size_t capacity = 0;

	ml_env_init(&env);
	for (uint32_t n = 0; n < 1000; n++)
	{
		CHECK(ml_grow(&env, &items, &capacity, n + 1, sizeof *items) == ML_OK);
		CHECK(capacity > n);
		items[n] = n;
	}
	for (uint32_t n = 0; n < 1000; n++)
		CHECK(items[n] == n);
	CHECK(capacity < 2100);
	CHECK(ml_grow(&env, &items, &capacity, SIZE_MAX, sizeof *items) == ML_ENOMEM);
	CHECK(items[999] == 999);
	ml_free(&env, items);
	CHECK(env.used == 0);
}

static void
errors_may_quote_the_last_error(void)
{
	MlEnv env;

	ml_env_init(&env);
	CHECK(ml_fail(&env, ML_EDATA, "value %d", 7) == ML_EDATA);
	ml_hint(&env, "Try %d.", 8);
	CHECK(strcmp(env.hint, "Try 8.") == 0);
	CHECK(ml_fail(&env, ML_EINVAL, "row 3: %s", env.error) == ML_EINVAL);
	CHECK(strcmp(env.error, "row 3: value 7") == 0);
	CHECK(env.hint[0] == '\0');
}

static void
long_errors_are_cut_between_characters(void)
{
	MlEnv env;
	char text[2000];

	for (int shift = 0; shift < 3; shift++)
	{
		size_t len;

		/* Three bytes each: the euro sign. */
		for (int i = 0; i < 1999; i++)
			text[i] = i < shift ? 'x' : "\xE2\x82\xAC"[(i - shift) % 3];
		text[1999] = '\0';
		ml_env_init(&env);
		ml_fail(&env, ML_EINVAL, "%s", text);
		len = strlen(env.error);
		CHECK(len > 1018 && len < sizeof env.error);
		CHECK((len - (size_t) shift) % 3 == 0);
	}
}

static bool
always(void *ctx)
{
	(void) ctx;
	return true;
}

static void
count_progress(void *ctx, const MlProgress *line)
{
	*(int *) ctx += line->iteration;
}

static void
poll_and_report_call_back(void)
{
	MlEnv env;
	int sum = 0;

	ml_env_init(&env);
	CHECK(ml_poll(&env) == ML_OK);
	ml_report(&env, &(MlProgress){.iteration = 5});
	env.canceled = always;
	env.progress = count_progress;
	env.ctx = &sum;
	CHECK(ml_poll(&env) == ML_ECANCELED);
	CHECK(env.error[0] != '\0');
	ml_report(&env, &(MlProgress){.iteration = 7});
	CHECK(sum == 7);
}

/* Zeroing a large block listens; a small one is not worth it. */
static void
large_regions_can_be_canceled(void)
{
	MlEnv env;
	MlRegion region;
	int sum = 0;

	ml_env_init(&env);
	env.canceled = always;
	env.ctx = &sum;
	CHECK(ml_region_alloc(&env, &region, 1000, 8) == ML_OK);
	ml_region_free(&env, &region);
	CHECK(ml_region_alloc(&env, &region, 20, 1 << 20) == ML_ECANCELED);
	CHECK(region.data == NULL && env.used == 0);
}

/* So do the blocks whose owner cannot be told but by NULL. */
static void
large_zeroed_blocks_can_be_canceled(void)
{
	MlEnv env;
	MlArena arena;
	void *block;
	int sum = 0;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	env.canceled = always;
	env.ctx = &sum;
	block = ml_zalloc(&env, 1000);
	CHECK(block != NULL && ml_arena_alloc(&arena, 1000) != NULL);
	CHECK(ml_zalloc_array(&env, 20, 1 << 20) == NULL && env.error[0] != '\0');
	CHECK(ml_arena_array(&arena, 20, 1 << 20) == NULL);
	ml_free(&env, block);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
}

static void
arenas_give_zeroed_aligned_memory(void)
{
	MlEnv env;
	MlArena arena;
	unsigned char *last = NULL;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (size_t i = 0; i < 5000; i++)
	{
		size_t size = i * 7 % 301 + (i % 500 == 0 ? 50000 : 0);
		unsigned char *ptr = ml_arena_alloc(&arena, size), sum = 0;

		CHECK(ptr != NULL && (uintptr_t) ptr % 16 == 0 && ptr != last);
		for (size_t k = 0; k < size; k++)
			sum |= ptr[k];
		CHECK(sum == 0);
		memset(ptr, 0xFF, size);
		last = ptr;
	}
	CHECK(strcmp(ml_arena_text(&arena, "abcdef", 3), "abc") == 0);
	CHECK(strcmp(ml_arena_text(&arena, NULL, 0), "") == 0);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
	ml_arena_free(&arena); /* again: harmless */
}

static void
small_arenas_stay_small(void)
{
	MlEnv env;
	MlArena arena;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(env.used == 0);
	ml_arena_alloc(&arena, 100);
	CHECK(env.used < 1200);
	/* A first allocation that is large takes its own size and no more. */
	ml_arena_free(&arena);
	ml_arena_alloc(&arena, 100000);
	CHECK(env.used < 100200);
	ml_arena_alloc(&arena, 16);
	CHECK(env.used < 400000);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
}

static MlStatus
use_everything(MlEnv *env, void *arg)
{
	MlRegion region;
	MlArena arena;
	size_t capacity = 0;
	char *items = NULL;
	MlStatus status;

	(void) arg;
	ML_TRY(ml_region_alloc(env, &region, 10, 10));
	ml_arena_init(&arena, env);
	status = ml_grow(env, &items, &capacity, 10, 1);
	for (int i = 0; i < 100 && status == ML_OK; i++)
		status = ml_arena_alloc(&arena, 100) ? ML_OK : ML_ENOMEM;
	ml_free(env, items);
	ml_arena_free(&arena);
	ml_region_free(env, &region);
	return status;
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(use_everything, NULL, 100);
}

static bool
cancel_after(void *ctx)
{
	return --*(int *) ctx < 0;
}

/* Large arrays are cleared with an eye on cancel, small ones as ever. */
static void
zeros_are_zero_and_can_be_canceled(void)
{
	size_t n = 3u << 20;
	MlArena arena;
	double *small, *large;
	int polls = 1;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(ml_arena_zeros(&arena, 3, sizeof(double), &small) == ML_OK);
	CHECK(ml_arena_zeros(&arena, n, sizeof(double), &large) == ML_OK);
	CHECK(small[0] == 0 && small[2] == 0);
	for (size_t i = 0; i < n; i += 511)
		CHECK(large[i] == 0);
	CHECK(large[n - 1] == 0);
	CHECK(((uintptr_t) large & 15) == 0);
	env.canceled = cancel_after;
	env.ctx = &polls;
	CHECK(ml_arena_zeros(&arena, n, sizeof(double), &large) == ML_ECANCELED);
	CHECK(ml_arena_zeros(&arena, SIZE_MAX / 2, 16, &large) == ML_ENOMEM);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(used_counts_every_byte);
	RUN(blocks_are_aligned_whatever_the_allocator);
	RUN(sizes_that_overflow_are_refused);
	RUN(the_budget_holds_and_says_so);
	RUN(regions_spill_beyond_three_quarters);
	RUN(large_blocks_beyond_the_budget_are_mapped);
	RUN(a_mapped_block_keeps_what_was_said_before);
	RUN(regions_without_a_map_use_the_whole_budget);
	RUN(large_regions_are_zeroed);
	RUN(grow_keeps_contents);
	RUN(errors_may_quote_the_last_error);
	RUN(long_errors_are_cut_between_characters);
	RUN(poll_and_report_call_back);
	RUN(large_regions_can_be_canceled);
	RUN(large_zeroed_blocks_can_be_canceled);
	RUN(arenas_give_zeroed_aligned_memory);
	RUN(small_arenas_stay_small);
	RUN(every_allocation_may_fail);
	RUN(zeros_are_zero_and_can_be_canceled);
	return unit_end();
}
