/*
 * env.c
 *		Counted memory, regions, error sentences, cancel, arenas.
 *
 * Each block carries a header just before its first byte: where the allocator's
 * piece begins, and how large it is. So the caller's allocator needs to give no
 * alignment of its own, and freeing needs no size.
 *
 * The budget has two parts. Plain allocations may use all of it. Regions stop
 * at three quarters and go on in mapped files, so that the rows of a large
 * table cannot starve the algorithm that is to work on them. What an algorithm
 * keeps per row can pass the budget too: large blocks then are mapped like
 * regions, and only many small ones end in an error.
 *
 * Trap: nothing here is locked. Only the thread that owns the environment
 * allocates, polls, or writes the error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/env.h"
#include "core/pool.h"

#define BLOCK_ALIGNMENT 16
#define REGION_ALIGNMENT 64 /* a cache line, and the widest vector */
#define MEGABYTE ((size_t) 1024 * 1024)

/* From here on the kernel is asked for huge pages: 2 MB each, so a block holds at least one. */
#define HUGE_PAGE (2 * MEGABYTE)
#define ZERO_STEP ((size_t) 8 << 20) /* bytes zeroed between two polls */
#define HUGE_PAGE_FROM (4 * MEGABYTE)

typedef struct BlockHeader
{
	void *base;  /* what the allocator returned */
	size_t size; /* what the allocator was asked for; with MAPPED when it is a file */
} BlockHeader;

#define MAPPED (~(SIZE_MAX >> 1)) /* no size has this bit */

/* Blocks from this size on may be mapped: each costs a file. */
#define MAP_FROM ((size_t) 64 * 1024)

struct MlArenaBlock
{
	MlArenaBlock *next; /* older */
	size_t size;        /* bytes after this header */
};

#define ARENA_BLOCK_MIN 1024u
#define ARENA_BLOCK_MAX (256u * 1024u)
#define ARENA_SLICE ((size_t) 4 << 20) /* bytes cleared between polls: about a millisecond */

_Static_assert(sizeof(BlockHeader) == BLOCK_ALIGNMENT, "a block header keeps the alignment");
_Static_assert(sizeof(MlArenaBlock) == BLOCK_ALIGNMENT, "an arena header keeps the alignment");

/* The default allocator. */
static void *
heap_alloc(void *ctx, size_t size)
{
	(void) ctx;
	return malloc(size);
}

static void
heap_free(void *ctx, void *ptr)
{
	(void) ctx;
	free(ptr);
}

void
ml_env_init(MlEnv *env)
{
	memset(env, 0, sizeof *env);
	env->alloc = heap_alloc;
	env->free = heap_free;
	env->n_threads = 1;
}

void
ml_env_close(MlEnv *env)
{
	ml_pool_destroy(env, env->pool);
	env->pool = NULL;
}

/* Say how much was needed, and which limit stood in the way. */
static void
fail_memory(MlEnv *env, size_t size, bool budget)
{
	if (budget)
	{
		ml_fail(env, ML_ENOMEM,
				"training needs more than its memory budget of %zu MB: %zu kB in use, %zu kB more "
				"needed",
				env->budget / MEGABYTE, env->used / 1024, size / 1024 + 1);
		ml_hint(env, "Raise mlplat.training_memory, or train on fewer rows or columns.");
	}
	else
		ml_fail(env, ML_ENOMEM, "out of memory: %zu kB needed", size / 1024 + 1);
}

/*
 * Ask for huge pages in the inner part of a large block; no harm where there are none. They are quicker to walk
 * through, and to give back: a GB of small ones takes the kernel 0.15 s, in which no cancel is answered.
 */
static void
prefer_huge_pages(void *ptr, size_t size)
{
#ifdef MADV_HUGEPAGE
	if (size >= HUGE_PAGE_FROM)
	{
		uintptr_t first = ((uintptr_t) ptr + HUGE_PAGE - 1) & ~(uintptr_t) (HUGE_PAGE - 1);
		uintptr_t end = ((uintptr_t) ptr + size) & ~(uintptr_t) (HUGE_PAGE - 1);

		if (end > first)
			(void) madvise((void *) first, end - first, MADV_HUGEPAGE);
	}
#else
	(void) ptr;
	(void) size;
#endif
}

/* A block within limit bytes in all (0: no limit). NULL: *over_limit says why. Sets no error. */
static void *
block_alloc(MlEnv *env, size_t size, size_t alignment, size_t limit, bool *over_limit)
{
	size_t total;
	char *base;
	uintptr_t start;

	*over_limit = false;
	if (__builtin_add_overflow(size, sizeof(BlockHeader) + alignment, &total))
		return NULL;
	if (limit > 0 && (env->used > limit || total > limit - env->used))
	{
		*over_limit = true;
		return NULL;
	}
	base = env->alloc(env->ctx, total);
	if (base == NULL)
		return NULL;
	start = ((uintptr_t) base + sizeof(BlockHeader) + alignment - 1) & ~(uintptr_t) (alignment - 1);
	prefer_huge_pages((void *) start, size);
	((BlockHeader *) start)[-1] = (BlockHeader){base, total};
	env->used += total;
	return (void *) start;
}

/* A block in a mapped file. NULL: map has failed, and may have said why. What was said before stays otherwise. */
static void *
block_map(MlEnv *env, size_t size)
{
	size_t total = size + REGION_ALIGNMENT;
	char error = env->error[0], hint = env->hint[0];
	char *base;

	env->error[0] = env->hint[0] = '\0';
	if (size >= MAPPED - REGION_ALIGNMENT)
		return NULL;
	base = env->map(env->ctx, total);
	if (base == NULL)
		return NULL;
	env->error[0] = error;
	env->hint[0] = hint;
	((BlockHeader *) (base + REGION_ALIGNMENT))[-1] = (BlockHeader){base, total | MAPPED};
	env->mapped += total;
	return base + REGION_ALIGNMENT;
}

void *
ml_alloc(MlEnv *env, size_t size)
{
	/* Large blocks, which can be mapped, leave an eighth to small ones, which cannot. */
	bool mappable = env->map && size >= MAP_FROM;
	size_t limit = mappable ? env->budget - env->budget / 8 : env->budget;
	bool over_limit;
	void *ptr = block_alloc(env, size, BLOCK_ALIGNMENT, limit, &over_limit);

	if (ptr)
		return ptr;
	if (over_limit && mappable)
	{
		ptr = block_map(env, size);
		if (ptr || env->error[0])
			return ptr;
	}
	fail_memory(env, size, over_limit);
	return NULL;
}

/* Zero a large block step by step: its pages are made on the way, which takes 0.3 s a GB. */
static MlStatus
zero_block(MlEnv *env, void *data, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += ZERO_STEP)
	{
		if (at > 0)
			ML_TRY(ml_poll(env));
		memset((char *) data + at, 0, ML_MIN(bytes - at, ZERO_STEP));
	}
	return ML_OK;
}

void *
ml_zalloc(MlEnv *env, size_t size)
{
	void *ptr = ml_alloc(env, size);

	if (ptr && zero_block(env, ptr, size) != ML_OK)
	{
		ml_free(env, ptr);
		return NULL;
	}
	return ptr;
}

void
ml_free(MlEnv *env, void *ptr)
{
	if (ptr)
	{
		BlockHeader header = ((BlockHeader *) ptr)[-1];
		size_t size = header.size & ~MAPPED;

		if (header.size & MAPPED)
		{
			env->mapped -= size;
			env->unmap(env->ctx, header.base, size);
			return;
		}
		env->used -= size;
		env->free(env->ctx, header.base);
	}
}

/* n * size, or a size that no allocator has. */
static size_t
array_size(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? SIZE_MAX : bytes;
}

void *
ml_alloc_array(MlEnv *env, size_t n, size_t size)
{
	return ml_alloc(env, array_size(n, size));
}

void *
ml_zalloc_array(MlEnv *env, size_t n, size_t size)
{
	return ml_zalloc(env, array_size(n, size));
}

MlStatus
ml_grow(MlEnv *env, void *ptr, size_t *capacity, size_t n, size_t size)
{
	void *old, *grown;
	size_t target;

	if (n <= *capacity)
		return ML_OK;
	target = ML_MAX(n, *capacity <= SIZE_MAX / 2 ? *capacity * 2 : SIZE_MAX);
	target = ML_MAX(target, 8);
	grown = ml_alloc_array(env, target, size);
	if (grown == NULL)
		return ML_ENOMEM;
	/* ptr points to a pointer of any type, which only memcpy may read as void * */
	memcpy(&old, ptr, sizeof old);
	if (old)
		memcpy(grown, old, *capacity * size);
	memcpy(ptr, &grown, sizeof grown);
	ml_free(env, old);
	*capacity = target;
	return ML_OK;
}

MlStatus
ml_region_alloc(MlEnv *env, MlRegion *region, size_t n, size_t size)
{
	size_t bytes = array_size(n, size);
	/* The rest of the budget is for the algorithm; without a map there is no other place to go. */
	size_t limit = env->map ? env->budget - env->budget / 4 : env->budget;
	bool over_limit;

	*region = (MlRegion){.size = bytes};
	region->data = block_alloc(env, bytes, REGION_ALIGNMENT, limit, &over_limit);
	if (region->data)
	{
		MlStatus status;

		status = zero_block(env, region->data, bytes);
		if (status != ML_OK)
			ml_region_free(env, region);
		return status;
	}
	if (env->map && bytes < SIZE_MAX / 2)
	{
		char error = env->error[0], hint = env->hint[0];

		env->error[0] = env->hint[0] = '\0';
		region->data = env->map(env->ctx, ML_MAX(bytes, 1));
		if (region->data)
		{
			env->error[0] = error;
			env->hint[0] = hint;
			region->mapped = true;
			env->mapped += bytes;
			return ML_OK;
		}
		region->size = 0;
		if (env->error[0])
			return ML_ENOMEM; /* map has said why */
		return ml_fail(env, ML_ENOMEM,
					   "training needs more than its memory budget of %zu MB, and a temporary "
					   "file of %zu kB could not be made",
					   env->budget / MEGABYTE, bytes / 1024 + 1);
	}
	region->size = 0;
	fail_memory(env, bytes, over_limit);
	return ML_ENOMEM;
}

void
ml_region_free(MlEnv *env, MlRegion *region)
{
	if (region->data && region->mapped)
	{
		env->mapped -= region->size;
		env->unmap(env->ctx, region->data, ML_MAX(region->size, 1));
	}
	else
		ml_free(env, region->data);
	*region = (MlRegion){0};
}

/* Format into out of n bytes; what does not fit is cut between characters of UTF-8. */
static void __attribute__((format(printf, 3, 0)))
format_sentence(char *out, size_t n, const char *format, va_list args)
{
	char text[1032]; /* apart, because an argument may be the old sentence */
	int len = vsnprintf(text, sizeof text, format, args);
	size_t keep = len < 0 ? 0 : (size_t) len;

	if (keep >= n)
	{
		keep = n - 1;
		while (keep > 0 && ((unsigned char) text[keep] & 0xC0) == 0x80)
			keep--;
	}
	memcpy(out, text, keep);
	out[keep] = '\0';
}

MlStatus
ml_fail(MlEnv *env, MlStatus status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_sentence(env->error, sizeof env->error, format, args);
	va_end(args);
	env->hint[0] = '\0';
	return status;
}

void
ml_hint(MlEnv *env, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_sentence(env->hint, sizeof env->hint, format, args);
	va_end(args);
}

MlStatus
ml_poll(MlEnv *env)
{
	if (env->canceled && env->canceled(env->ctx))
		return ml_fail(env, ML_ECANCELED, "canceled on request");
	return ML_OK;
}

void
ml_report(MlEnv *env, const MlProgress *line)
{
	if (env->progress)
		env->progress(env->ctx, line);
}

double
ml_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

void
ml_phase(MlEnv *env, const char *name, int step, int n_steps)
{
	if (env->phase)
		env->phase(env->ctx, name, step, n_steps);
}

void
ml_arena_init(MlArena *arena, MlEnv *env)
{
	*arena = (MlArena){.env = env};
}

void
ml_arena_free(MlArena *arena)
{
	while (arena->blocks)
	{
		MlArenaBlock *next = arena->blocks->next;

		ml_free(arena->env, arena->blocks);
		arena->blocks = next;
	}
	arena->left = 0;
}

/* A new block of size bytes, not yet linked nor cleared. */
static MlArenaBlock *
arena_block(MlArena *arena, size_t size)
{
	MlArenaBlock *block = NULL;

	if (size <= SIZE_MAX - sizeof(MlArenaBlock))
		block = ml_alloc(arena->env, size + sizeof(MlArenaBlock));
	else
		fail_memory(arena->env, size, false);
	if (block)
		*block = (MlArenaBlock){.size = size};
	return block;
}

/* A block of its own behind the newest, whose rest stays in use. */
static MlArenaBlock *
arena_large(MlArena *arena, size_t size)
{
	MlArenaBlock *newest = arena->blocks, *block = arena_block(arena, size);

	if (block == NULL)
		return NULL;
	if (newest)
	{
		block->next = newest->next;
		newest->next = block;
	}
	else
		arena->blocks = block;
	return block;
}

/* Bytes in whole alignments; SIZE_MAX: too many. */
static size_t
arena_rounded(size_t size)
{
	return size <= SIZE_MAX - 15 ? ML_MAX((size + 15) & ~(size_t) 15, 16) : SIZE_MAX;
}

void *
ml_arena_alloc(MlArena *arena, size_t size)
{
	MlArenaBlock *newest = arena->blocks;
	size_t rounded = arena_rounded(size);

	if (rounded > arena->left)
	{
		size_t standard = newest
							  ? ML_MIN(ML_MAX(newest->size * 2, ARENA_BLOCK_MIN), ARENA_BLOCK_MAX)
							  : ARENA_BLOCK_MIN;
		bool large = rounded > standard / 2;
		MlArenaBlock *block = large ? arena_large(arena, rounded) : arena_block(arena, standard);

		if (block == NULL)
			return NULL;
		if (large)
			return zero_block(arena->env, block + 1, rounded) == ML_OK ? block + 1 : NULL;
		memset(block + 1, 0, block->size);
		block->next = newest;
		arena->blocks = newest = block;
		arena->left = standard;
	}
	arena->left -= rounded;
	return (char *) (newest + 1) + (newest->size - arena->left - rounded);
}

MlStatus
ml_arena_zeros(MlArena *arena, size_t n, size_t size, void *ptr)
{
	size_t rounded = arena_rounded(array_size(n, size));
	MlArenaBlock *block = NULL;
	char *bytes;

	if (rounded <= ARENA_SLICE)
		bytes = ml_arena_alloc(arena, rounded);
	else
	{
		block = arena_large(arena, rounded);
		bytes = block ? (char *) (block + 1) : NULL;
	}
	*(void **) ptr = bytes;
	for (size_t at = 0; block && at < rounded; at += ARENA_SLICE)
	{
		memset(bytes + at, 0, ML_MIN(ARENA_SLICE, rounded - at));
		ML_TRY(ml_poll(arena->env));
	}
	return bytes ? ML_OK : ML_ENOMEM;
}

void *
ml_arena_array(MlArena *arena, size_t n, size_t size)
{
	return ml_arena_alloc(arena, array_size(n, size));
}

char *
ml_arena_text(MlArena *arena, const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? ml_arena_alloc(arena, len + 1) : NULL;

	if (copy && len > 0)
		memcpy(copy, text, len);
	return copy;
}
