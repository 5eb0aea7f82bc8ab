/*
 * comatrix.c
 *		How many columns go together, each with each: correlations over the rows where both are there.
 *
 * Rows are collected in batches. A batch is shifted by its own means, multiplied with itself by BLAS, and put to the
 * others by the formulas of Chan, Golub and LeVeque 1979: as fast as a matrix product, and a large common offset
 * costs digits once, not squared. As long as nothing is missing, all pairs share one mean a column and one count. With missing
 * values each pair has its own, and a batch takes six products of 64 x 64 blocks: of the values Z (0 where missing),
 * their squares Q and the mask M (1 where there is a value).
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "core/comatrix.h"
#include "core/spread.h"

#define BLOCK 64
#define BATCH_BYTES ((size_t) 1 << 20)
#define MAX_BATCH_ROWS 1024
/* A pair whose rows leave this share of a column's spread is taken for constant: it may be no more than rounding. */
#define CONSTANT_SHARE 1e-13

/* ---- memory */

/* Batches of about a megabyte, of 64 to 1,024 rows. */
static size_t
rows_of_batch(size_t p)
{
	return ML_MAX(BLOCK, ML_MIN(MAX_BATCH_ROWS, BATCH_BYTES / (p * sizeof(double))));
}

static MlStatus
alloc_doubles(MlEnv *env, size_t rows, size_t columns, double **doubles)
{
	*doubles = ml_zalloc_array(env, rows, columns * sizeof(double));
	return *doubles ? ML_OK : ML_ENOMEM;
}

MlStatus
ml_comatrix_init(MlComatrix *matrix, MlEnv *env, size_t p)
{
	*matrix = (MlComatrix){.env = env, .p = p, .complete = true, .batch_rows = rows_of_batch(p)};
	ML_TRY(alloc_doubles(env, p, p, &matrix->c));
	ML_TRY(alloc_doubles(env, 1, p, &matrix->mean));
	ML_TRY(alloc_doubles(env, 1, p, &matrix->shift));
	ML_TRY(alloc_doubles(env, 1, p, &matrix->sum));
	/* A row more, for the distance between the batch and what there is. */
	return alloc_doubles(env, matrix->batch_rows + 1, p, &matrix->batch);
}

void
ml_comatrix_free(MlComatrix *matrix)
{
	double *owned[] = {matrix->c,           matrix->mean,  matrix->n,     matrix->pair_mean,
					   matrix->pair_square, matrix->batch, matrix->shift, matrix->sum,
					   matrix->mask,        matrix->square};

	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
		ml_free(matrix->env, owned[i]);
	*matrix = (MlComatrix){.env = matrix->env};
}

static MlStatus
alloc_pairs(MlComatrix *matrix)
{
	ML_TRY(alloc_doubles(matrix->env, matrix->p, matrix->p, &matrix->n));
	ML_TRY(alloc_doubles(matrix->env, matrix->p, matrix->p, &matrix->pair_mean));
	return alloc_doubles(matrix->env, matrix->p, matrix->p, &matrix->pair_square);
}

/* From one mean a column to one a pair. */
static MlStatus
split_pairs(MlComatrix *matrix)
{
	size_t p = matrix->p;

	ML_TRY(alloc_pairs(matrix));
	for (size_t i = 0; i < p; i++)
	{
		for (size_t j = 0; j < p; j++)
		{
			matrix->n[i * p + j] = (double) matrix->n_rows;
			matrix->pair_mean[i * p + j] = matrix->mean[i];
			matrix->pair_square[i * p + j] = matrix->c[i * p + i];
		}
		ML_TRY(ml_poll(matrix->env));
	}
	matrix->complete = false;
	return ML_OK;
}

/* ---- a batch without missing values */

/* Shift the batch by its means, which go to sum. Distances to the first row: a constant stays one. */
static void
center_complete(MlComatrix *matrix)
{
	size_t p = matrix->p, n = matrix->n_batch;
	double *sum = matrix->sum, *batch = matrix->batch;

	memcpy(matrix->shift, batch, p * sizeof(double));
	memset(sum, 0, p * sizeof(double));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < p; j++)
			sum[j] += batch[i * p + j] - matrix->shift[j];
	for (size_t j = 0; j < p; j++)
		sum[j] = matrix->shift[j] + sum[j] / (double) n;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < p; j++)
			batch[i * p + j] -= sum[j];
}

/* The last row of the batch, times itself: what lies between the means of the batch and of the rows before. */
static void
add_distance(MlComatrix *matrix)
{
	double before = (double) matrix->n_rows, added = (double) matrix->n_batch;
	double share = added / (before + added), root = sqrt(before * share);
	double *distance = matrix->batch + matrix->n_batch * matrix->p;

	for (size_t j = 0; j < matrix->p; j++)
	{
		double delta = matrix->sum[j] - matrix->mean[j];

		distance[j] = matrix->n_rows > 0 ? delta * root : 0;
		matrix->mean[j] = matrix->n_rows > 0 ? matrix->mean[j] + delta * share : matrix->sum[j];
	}
}

/* c += batch' batch in strips of rows, so that it can be cancelled. */
static MlStatus
multiply_complete(MlComatrix *matrix)
{
	int p = (int) matrix->p, k = (int) matrix->n_batch + 1;

	for (int i = 0; i < p; i += BLOCK)
	{
		cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, ML_MIN(BLOCK, p - i), p - i, k, 1,
					matrix->batch + i, p, matrix->batch + i, p, 1, matrix->c + (size_t) i * p + i,
					p);
		ML_TRY(ml_poll(matrix->env));
	}
	return ML_OK;
}

/* ---- a batch with missing values, or after one */

/* Distances to the means of what is there, which go to sum; missing: 0. Fills mask and square. */
static void
center_pairs(MlComatrix *matrix)
{
	size_t p = matrix->p, n = matrix->n_batch;

	for (size_t j = 0; j < p; j++)
	{
		double first = NAN, sum = 0, present = 0;

		for (size_t i = 0; i < n; i++)
		{
			double x = matrix->batch[i * p + j];

			if (isnan(x))
				continue;
			first = isnan(first) ? x : first;
			sum += x - first;
			present++;
		}
		matrix->sum[j] = present > 0 ? first + sum / present : 0;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < p; j++)
		{
			size_t at = i * p + j;
			bool there = !isnan(matrix->batch[at]);

			matrix->batch[at] = there ? matrix->batch[at] - matrix->sum[j] : 0;
			matrix->mask[at] = there;
			matrix->square[at] = matrix->batch[at] * matrix->batch[at];
		}
}

/* Products of the columns of a block i with those of a block j, in the rows of a batch where both are there. */
typedef struct PairBlock
{
	double n[BLOCK * BLOCK];
	double x[BLOCK * BLOCK], y[BLOCK * BLOCK]; /* sums of column i, of column j */
	double xx[BLOCK * BLOCK], yy[BLOCK * BLOCK];
	double xy[BLOCK * BLOCK];
} PairBlock;

static void
multiply_block(const MlComatrix *matrix, size_t i, size_t j, PairBlock *block)
{
	const double *z = matrix->batch, *m = matrix->mask, *q = matrix->square;
	const struct
	{
		const double *left, *right;
		double *out;
	} products[] = {{m, m, block->n},  {z, m, block->x},  {m, z, block->y},
					{q, m, block->xx}, {m, q, block->yy}, {z, z, block->xy}};
	int p = (int) matrix->p, k = (int) matrix->n_batch;
	int rows = ML_MIN(BLOCK, p - (int) i), columns = ML_MIN(BLOCK, p - (int) j);

	for (size_t t = 0; t < sizeof products / sizeof *products; t++)
		cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, columns, k, 1,
					products[t].left + i, p, products[t].right + j, p, 0, products[t].out, BLOCK);
}

/* A count that is kept as a double; sums of hostile counts may be anything. */
static uint64_t
to_count(double n)
{
	return n < 0x1p63 ? (uint64_t) n : INT64_MAX;
}

/* The comoments of a pair i <= j. */
static MlComoments
get_pair(const MlComatrix *matrix, size_t i, size_t j)
{
	size_t p = matrix->p, ij = i * p + j, ji = j * p + i;

	if (matrix->complete)
		return (MlComoments){matrix->n_rows,       matrix->mean[i],      matrix->mean[j],
							 matrix->c[i * p + i], matrix->c[j * p + j], matrix->c[ij]};
	return (MlComoments){to_count(matrix->n[ij]), matrix->pair_mean[ij],   matrix->pair_mean[ji],
						 matrix->pair_square[ij], matrix->pair_square[ji], matrix->c[ij]};
}

static void
merge_pair(MlComatrix *matrix, size_t i, size_t j, const MlComoments *other)
{
	size_t ij = i * matrix->p + j, ji = j * matrix->p + i;
	MlComoments pair = get_pair(matrix, i, j);

	ml_comoments_merge(&pair, other);
	matrix->n[ij] = (double) pair.n;
	matrix->pair_mean[ij] = pair.mean_x;
	matrix->pair_mean[ji] = pair.mean_y;
	matrix->pair_square[ij] = pair.m2_x;
	matrix->pair_square[ji] = pair.m2_y;
	matrix->c[ij] = pair.c;
}

static void
merge_block(MlComatrix *matrix, size_t first_i, size_t first_j, const PairBlock *block)
{
	for (size_t i = first_i; i < ML_MIN(first_i + BLOCK, matrix->p); i++)
		for (size_t j = ML_MAX(first_j, i); j < ML_MIN(first_j + BLOCK, matrix->p); j++)
		{
			size_t at = (i - first_i) * BLOCK + (j - first_j);
			double n = block->n[at], x = block->x[at], y = block->y[at];
			MlComoments pair = {.n = (uint64_t) n};

			if (n == 0)
				continue;
			pair.mean_x = matrix->sum[i] + x / n;
			pair.mean_y = matrix->sum[j] + y / n;
			pair.m2_x = ML_MAX(block->xx[at] - x * (x / n), 0.0);
			pair.m2_y = ML_MAX(block->yy[at] - y * (y / n), 0.0);
			pair.c = block->xy[at] - x * (y / n);
			merge_pair(matrix, i, j, &pair);
		}
}

static MlStatus
multiply_pairs(MlComatrix *matrix)
{
	PairBlock *block = ml_alloc(matrix->env, sizeof(PairBlock));
	MlStatus status = block ? ML_OK : ML_ENOMEM;

	for (size_t i = 0; i < matrix->p && status == ML_OK; i += BLOCK)
		for (size_t j = i; j < matrix->p && status == ML_OK; j += BLOCK)
		{
			multiply_block(matrix, i, j, block);
			merge_block(matrix, i, j, block);
			status = ml_poll(matrix->env);
		}
	ml_free(matrix->env, block);
	return status;
}

/* ---- rows */

/* Is a value missing in the batch? */
static bool
lacks_values(const MlComatrix *matrix)
{
	size_t n = matrix->n_batch * matrix->p, n_missing = 0;

	for (size_t i = 0; i < n; i++)
		n_missing += matrix->batch[i] != matrix->batch[i];
	return n_missing > 0;
}

static MlStatus
begin_pairs(MlComatrix *matrix)
{
	if (matrix->complete)
		ML_TRY(split_pairs(matrix));
	if (!matrix->mask)
		ML_TRY(alloc_doubles(matrix->env, matrix->batch_rows, matrix->p, &matrix->mask));
	if (!matrix->square)
		ML_TRY(alloc_doubles(matrix->env, matrix->batch_rows, matrix->p, &matrix->square));
	return ML_OK;
}

MlStatus
ml_comatrix_flush(MlComatrix *matrix)
{
	if (matrix->n_batch == 0)
		return ML_OK;
	if (matrix->complete && !lacks_values(matrix))
	{
		center_complete(matrix);
		add_distance(matrix);
		ML_TRY(multiply_complete(matrix));
	}
	else
	{
		ML_TRY(begin_pairs(matrix));
		center_pairs(matrix);
		ML_TRY(multiply_pairs(matrix));
	}
	matrix->n_rows += matrix->n_batch;
	matrix->n_batch = 0;
	return ML_OK;
}

MlStatus
ml_comatrix_add(MlComatrix *matrix, const double *row)
{
	double *to;

	if (matrix->n_batch == matrix->batch_rows)
		ML_TRY(ml_comatrix_flush(matrix));
	to = matrix->batch + matrix->n_batch++ * matrix->p;
	for (size_t j = 0; j < matrix->p; j++)
		to[j] = fabs(row[j]) < INFINITY ? row[j] : (double) NAN;
	return ML_OK;
}

/* ---- merge, save, load */

static void
merge_complete(MlComatrix *matrix, const MlComatrix *other)
{
	double before = (double) matrix->n_rows, added = (double) other->n_rows;
	double share = added / (before + added);
	size_t p = matrix->p;

	for (size_t i = 0; i < p; i++)
		for (size_t j = i; j < p; j++)
			matrix->c[i * p + j] += other->c[i * p + j] + (other->mean[i] - matrix->mean[i]) *
															  (other->mean[j] - matrix->mean[j]) *
															  (before * share);
	for (size_t i = 0; i < p; i++)
		matrix->mean[i] += (other->mean[i] - matrix->mean[i]) * share;
}

MlStatus
ml_comatrix_merge(MlComatrix *matrix, const MlComatrix *other)
{
	if (other->p != matrix->p)
		return ml_fail(matrix->env, ML_EDATA,
					   "correlations of %zu columns cannot be merged with those of %zu", other->p,
					   matrix->p);
	if (other->n_rows == 0)
		return ML_OK;
	if (matrix->complete && other->complete)
		merge_complete(matrix, other);
	else
	{
		if (matrix->complete)
			ML_TRY(split_pairs(matrix));
		for (size_t i = 0; i < matrix->p; i++)
		{
			for (size_t j = i; j < matrix->p; j++)
			{
				MlComoments pair = get_pair(other, i, j);

				merge_pair(matrix, i, j, &pair);
			}
			ML_TRY(ml_poll(matrix->env));
		}
	}
	matrix->n_rows += other->n_rows;
	return ML_OK;
}

/* The rows of a matrix from the diagonal on. */
static void
put_upper(MlBuffer *out, const double *a, size_t p)
{
	for (size_t i = 0; i < p; i++)
		ml_put_f64_array(out, a + i * p + i, p - i);
}

static void
get_upper(MlReader *in, double *a, size_t p)
{
	for (size_t i = 0; i < p; i++)
		for (size_t j = i; j < p; j++)
			a[i * p + j] = ml_get_f64(in);
}

static void
get_all(MlReader *in, double *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] = ml_get_f64(in);
}

void
ml_comatrix_save(const MlComatrix *matrix, MlBuffer *out)
{
	size_t p = matrix->p;

	ml_put_u32(out, (uint32_t) p);
	ml_put_u64(out, matrix->n_rows);
	ml_put_u8(out, matrix->complete);
	put_upper(out, matrix->c, p);
	if (matrix->complete)
	{
		ml_put_f64_array(out, matrix->mean, p);
		return;
	}
	put_upper(out, matrix->n, p);
	ml_put_f64_array(out, matrix->pair_mean, p * p);
	ml_put_f64_array(out, matrix->pair_square, p * p);
}

/* Any numbers will do, but for counts: nothing but the result depends on them. */
MlStatus
ml_comatrix_load(MlReader *in, MlComatrix *matrix)
{
	size_t p = ml_get_u32(in), cells = p * (p + 1) / 2;
	uint64_t n_rows = ml_get_u64(in);
	uint8_t complete = ml_get_u8(in);

	*matrix = (MlComatrix){.env = in->env};
	if (in->failed || p == 0 || p > ML_COMATRIX_MAX || complete > 1 ||
		(in->len - in->pos) / sizeof(double) < (complete ? cells + p : 2 * cells + 2 * p * p))
		return ml_corrupt(in->env, "correlations");
	ML_TRY(ml_comatrix_init(matrix, in->env, p));
	matrix->n_rows = n_rows;
	matrix->complete = complete;
	get_upper(in, matrix->c, p);
	if (complete)
		get_all(in, matrix->mean, p);
	else
	{
		ML_TRY(alloc_pairs(matrix));
		get_upper(in, matrix->n, p);
		get_all(in, matrix->pair_mean, p * p);
		get_all(in, matrix->pair_square, p * p);
		for (size_t i = 0; i < p * p; i++)
			if (!(matrix->n[i] >= 0 && matrix->n[i] < 0x1p63))
				return ml_corrupt(in->env, "rows of a correlation");
	}
	return ml_reader_check(in, "correlations");
}

/* ---- the result */

double
ml_comatrix_correlation(const MlComatrix *matrix, size_t i, size_t j, uint64_t *n)
{
	MlComoments pair = get_pair(matrix, ML_MIN(i, j), ML_MAX(i, j));
	MlComoments of_i = get_pair(matrix, ML_MIN(i, j), ML_MIN(i, j));
	MlComoments of_j = get_pair(matrix, ML_MAX(i, j), ML_MAX(i, j));

	*n = pair.n;
	if (pair.n < 2 || pair.m2_x <= CONSTANT_SHARE * of_i.m2_x ||
		pair.m2_y <= CONSTANT_SHARE * of_j.m2_y)
		return NAN;
	return i == j ? 1.0 : ml_comoments_correlation(&pair);
}
