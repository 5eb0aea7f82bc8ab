/*
 * gbdt_partition.c
 *		The rows of a leaf to the left and to the right of a split.
 *
 * Cuts, missing rows and sets of levels are one thing here: a set of bins that
 * go left. The order of the rows is kept, so that they stay ascending, which
 * the prefetcher likes.
 *
 * A block of rows is parted into a left and a right room at its own place;
 * then, when the counts of the blocks before it are known, copied to where it
 * belongs.
 */
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BLOCK_ROWS 8192
#define INLINE_ROWS 16384

typedef struct PartJob
{
	const GbdtPartition *room;
	const uint8_t *column;
	const uint32_t *set;
	uint32_t *positions;
	size_t n, rows_per_task;
	size_t n_left[GBDT_PART_BLOCKS]; /* by block; then the lefts before it */
	size_t total_left;
} PartJob;

/* Part n positions: returns how many went left. */
static size_t
part_plain(const uint8_t *column, const uint32_t *set, const uint32_t *positions, size_t n,
		   uint32_t *left, uint32_t *right)
{
	uint8_t goes_left[ML_TREE_BINS];
	size_t n_left = 0, n_right = 0;

	for (uint32_t bin = 0; bin < ML_TREE_BINS; bin++)
		goes_left[bin] = set[bin / 32] >> bin % 32 & 1;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t position = positions[i];
		uint8_t to_left = goes_left[column[position]];

		left[n_left] = position;
		right[n_right] = position;
		n_left += to_left;
		n_right += 1 - to_left;
	}
	return n_left;
}

#if defined(__x86_64__)

/* The same, 16 at a time. Gathers read 3 bytes beyond a cell, which the columns' padding allows. */
__attribute__((target("avx512f"))) static size_t
part_avx512(const uint8_t *column, const uint32_t *set, const uint32_t *positions, size_t n,
			uint32_t *left, uint32_t *right)
{
	__m512i words = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *) set));
	__m512i low_byte = _mm512_set1_epi32(0xff), low_bits = _mm512_set1_epi32(31);
	__m512i one = _mm512_set1_epi32(1);
	size_t n_left = 0, n_right = 0, i = 0;

	for (; i + 16 <= n; i += 16)
	{
		__m512i position = _mm512_loadu_si512(positions + i);
		__m512i bin = _mm512_and_si512(_mm512_i32gather_epi32(position, column, 1), low_byte);
		__m512i word = _mm512_permutexvar_epi32(_mm512_srli_epi32(bin, 5), words);
		__m512i bit = _mm512_srlv_epi32(word, _mm512_and_si512(bin, low_bits));
		__mmask16 to_left = _mm512_test_epi32_mask(bit, one);
		int n_here = __builtin_popcount(to_left);

		_mm512_storeu_si512(left + n_left, _mm512_maskz_compress_epi32(to_left, position));
		_mm512_storeu_si512(right + n_right,
							_mm512_maskz_compress_epi32((__mmask16) ~to_left, position));
		n_left += (size_t) n_here;
		n_right += (size_t) (16 - n_here);
	}
	return n_left + part_plain(column, set, positions + i, n - i, left + n_left, right + n_right);
}

#endif

/* The room of a block is as long as it, and a pad that its stores may run over. */
static size_t
room_of(const PartJob *job, size_t task)
{
	return task * (job->rows_per_task + GBDT_POSITION_PAD);
}

static void
part_task(void *arg, size_t task, int worker)
{
	PartJob *job = arg;
	const uint32_t *positions = job->positions + task * job->rows_per_task;
	size_t n = ML_MIN(job->rows_per_task, job->n - task * job->rows_per_task);
	uint32_t *left = job->room->left + room_of(job, task);
	uint32_t *right = job->room->right + room_of(job, task);

	(void) worker;
#if defined(__x86_64__)
	if (job->room->avx512)
	{
		job->n_left[task] = part_avx512(job->column, job->set, positions, n, left, right);
		return;
	}
#endif
	job->n_left[task] = part_plain(job->column, job->set, positions, n, left, right);
}

/* Copy a parted block to its place. */
static void
copy_task(void *arg, size_t task, int worker)
{
	PartJob *job = arg;
	size_t first = task * job->rows_per_task;
	size_t n = ML_MIN(job->rows_per_task, job->n - first);
	size_t lefts_before = job->n_left[task];
	size_t lefts_after = first + n < job->n ? job->n_left[task + 1] : job->total_left;
	size_t n_left = lefts_after - lefts_before;

	(void) worker;
	memcpy(job->positions + lefts_before, job->room->left + room_of(job, task),
		   n_left * sizeof(uint32_t));
	memcpy(job->positions + job->total_left + (first - lefts_before),
		   job->room->right + room_of(job, task), (n - n_left) * sizeof(uint32_t));
}

/* Room for n_rows positions. */
MlStatus
ml_gbdt_partition_create(MlEnv *env, size_t n_rows, GbdtPartition *room)
{
	size_t n_room = n_rows + GBDT_PART_BLOCKS * GBDT_POSITION_PAD;

	memset(room, 0, sizeof(*room));
	room->env = env;
	room->left = ml_alloc_array(env, n_room, sizeof(*room->left));
	room->right = ml_alloc_array(env, n_room, sizeof(*room->right));
#if defined(__x86_64__)
	/* gathers take signed 32-bit places */
	room->avx512 = __builtin_cpu_supports("avx512f") && n_rows <= INT32_MAX;
#endif
	return room->left && room->right ? ML_OK : ML_ENOMEM;
}

void
ml_gbdt_partition_free(GbdtPartition *room)
{
	if (!room->env)
		return;
	ml_free(room->env, room->left);
	ml_free(room->env, room->right);
}

/* Reorder positions[0..n-1]: those whose bin is in set first, order kept otherwise. */
MlStatus
ml_gbdt_partition(const GbdtPartition *room, const uint8_t *column, const uint32_t *set,
				  uint32_t *positions, size_t n, size_t *n_left)
{
	PartJob job = {room, column, set, positions, n, n, {0}, 0};
	size_t n_tasks = 1;

	if (n > INLINE_ROWS && ml_pool_size(ml_env_pool(room->env)) > 1)
	{
		n_tasks = ML_MIN((n + BLOCK_ROWS - 1) / BLOCK_ROWS, (size_t) GBDT_PART_BLOCKS);
		job.rows_per_task = (n + n_tasks - 1) / n_tasks;
		n_tasks = (n + job.rows_per_task - 1) / job.rows_per_task;
	}
	if (n_tasks == 1)
		part_task(&job, 0, 0);
	else
		ML_TRY(ml_pool_run(room->env, n_tasks, part_task, &job));
	for (size_t task = 0; task < n_tasks; task++)
	{
		size_t here = job.n_left[task];

		job.n_left[task] = job.total_left;
		job.total_left += here;
	}
	*n_left = job.total_left;
	if (n_tasks > 1)
		return ml_pool_run(room->env, n_tasks, copy_task, &job);
	copy_task(&job, 0, 0);
	return ML_OK;
}
