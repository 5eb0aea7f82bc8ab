/*
 * svm_rows.c
 *		The working copy of linear support vector machines: standardised rows, side by side.
 *
 * Coordinate descent visits rows in random order, so a row is one piece of memory. Numbers
 * are float, which halves what has to come from memory; products and sums are double.
 */
#include <math.h>
#include <string.h>

#include "algo/svm/svm.h"
#include "core/vmath.h"

#define BLOCK 256
#define LANES 4
#define FARTHEST \
	1e12 /* a value so many deviations out is cut, so that squares stay finite in float */

/* ---- products with a row */

/* The order of the sums is spelt out, so that every CPU gives the same bytes. */
ML_CLONES static double
dot(const float *restrict x, const double *restrict w, size_t n)
{
	double sum[LANES] = {0};
	size_t j = 0;

	for (; j + LANES <= n; j += LANES)
		for (size_t k = 0; k < LANES; k++)
			sum[k] += (double) x[j + k] * w[j + k];
	for (; j < n; j++)
		sum[0] += (double) x[j] * w[j];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

ML_CLONES static void
axpy(const float *restrict x, double step, double *restrict w, size_t n)
{
	for (size_t j = 0; j < n; j++)
		w[j] += step * (double) x[j];
}

double
ml_svm_score(const MlSvmRows *rows, size_t i, const double *w)
{
	const float *x = (const float *) rows->cells.data + i * rows->stride;
	const uint32_t *level = (const uint32_t *) (x + rows->n_dense);
	double sum = dot(x, w, rows->n_dense);

	for (uint32_t f = 0; f < rows->n_factors; f++)
		sum += w[level[f]];
	return rows->intercept ? sum + w[rows->n_columns] : sum;
}

void
ml_svm_add(const MlSvmRows *rows, size_t i, double step, double *w)
{
	const float *x = (const float *) rows->cells.data + i * rows->stride;
	const uint32_t *level = (const uint32_t *) (x + rows->n_dense);

	axpy(x, step, w, rows->n_dense);
	for (uint32_t f = 0; f < rows->n_factors; f++)
		if (level[f] < rows->n_columns)
			w[level[f]] += step;
	if (rows->intercept)
		w[rows->n_columns] += step;
}

ML_CLONES static double
squared_distance(const float *restrict a, const float *restrict b, size_t n)
{
	double sum[LANES] = {0};
	size_t j = 0;

	for (; j + LANES <= n; j += LANES)
		for (size_t k = 0; k < LANES; k++)
		{
			double d = (double) a[j + k] - (double) b[j + k];

			sum[k] += d * d;
		}
	for (; j < n; j++)
		sum[0] += ((double) a[j] - (double) b[j]) * ((double) a[j] - (double) b[j]);
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double
ml_svm_distance(const MlSvmRows *rows, size_t i, size_t j)
{
	const float *a = (const float *) rows->cells.data + i * rows->stride;
	const float *b = (const float *) rows->cells.data + j * rows->stride;
	const uint32_t *la = (const uint32_t *) (a + rows->n_dense);
	const uint32_t *lb = (const uint32_t *) (b + rows->n_dense);
	double sum = squared_distance(a, b, rows->n_dense);

	for (uint32_t f = 0; f < rows->n_factors; f++)
		if (la[f] != lb[f])
			sum += (la[f] < rows->n_columns) + (lb[f] < rows->n_columns);
	return sum;
}

/* ---- reading the frame */

/* Scratch for a block of rows by column. */
typedef struct Scratch
{
	double *dense;
	uint32_t *levels;
} Scratch;

/* One row of the block into its place; its square and the weights of its levels. */
static void
place_row(MlSvmRows *rows, const Scratch *s, size_t i, size_t row)
{
	float *x = (float *) rows->cells.data + row * rows->stride;
	uint32_t *level = (uint32_t *) (x + rows->n_dense);
	double square = rows->intercept;

	for (uint32_t j = 0; j < rows->n_dense; j++)
	{
		double value = (s->dense[j * BLOCK + i] - rows->center[j]) / rows->scale[j];

		x[j] = (float) fmin(fmax(value, -FARTHEST), FARTHEST);
		square += (double) x[j] * (double) x[j];
	}
	for (uint32_t f = 0; f < rows->n_factors; f++)
	{
		uint32_t column = s->levels[f * BLOCK + i];

		level[f] = column == ML_NO_COLUMN ? rows->n_columns + 1 : column;
		if (column == ML_NO_COLUMN)
			continue;
		square += 1;
		rows->level_share[column - rows->n_dense] += rows->weight[row];
	}
	rows->square[row] = square;
}

static MlStatus
read_rows(MlSvmRows *rows, const Scratch *s)
{
	double total = 0;

	for (size_t first = 0; first < rows->n; first += BLOCK)
	{
		size_t n = ML_MIN((size_t) BLOCK, rows->n - first);

		ML_TRY(ml_poll(rows->env));
		ml_design_block(rows->design, rows->data, rows->rows, first, n, BLOCK, s->dense, s->levels);
		if (rows->data->target_column >= 0)
			ml_dataset_target(rows->data, rows->rows, first, n, rows->y + first);
		ml_dataset_weight(rows->data, rows->rows, first, n, rows->weight + first);
		for (size_t i = 0; i < n; i++)
		{
			total += rows->weight[first + i];
			place_row(rows, s, i, first + i);
		}
	}
	if (!(total > 0 && isfinite(total)))
		return ml_fail(rows->env, ML_EDATA, "the sum of the weights is %g", total);
	for (uint32_t l = 0; l < rows->n_columns - rows->n_dense; l++)
		rows->level_share[l] /= total;
	return ML_OK;
}

/* Indicators stay 0 and 1. */
static void
fit_scale(MlSvmRows *rows)
{
	for (uint32_t j = 0; j < rows->n_dense; j++)
	{
		const MlDesignColumn *column = &rows->design->columns[j];
		bool number = column->level == ML_DESIGN_NUMBER;

		rows->center[j] = number && rows->centred ? column->mean : 0;
		rows->scale[j] = number ? column->scale : 1;
	}
}

static MlStatus
allocate(MlSvmRows *rows)
{
	MlEnv *env = rows->env;

	rows->center = ml_alloc_array(env, ML_MAX(rows->n_dense, 1), sizeof(double));
	rows->scale = ml_alloc_array(env, ML_MAX(rows->n_dense, 1), sizeof(double));
	rows->level_share =
		ml_zalloc_array(env, ML_MAX(rows->n_columns - rows->n_dense, 1), sizeof(double));
	rows->y = ml_zalloc_array(env, rows->n, sizeof(double));
	rows->weight = ml_alloc_array(env, rows->n, sizeof(double));
	rows->square = ml_alloc_array(env, rows->n, sizeof(double));
	if (!rows->center || !rows->scale || !rows->level_share || !rows->y || !rows->weight ||
		!rows->square)
		return ML_ENOMEM;
	return ml_region_alloc(env, &rows->cells, rows->n, ML_MAX(rows->stride, 1) * sizeof(float));
}

MlStatus
ml_svm_rows_load(MlSvmRows *rows)
{
	Scratch s;
	MlStatus status;

	rows->n = rows->rows->n;
	if (rows->n == 0)
		return ml_fail(rows->env, ML_EDATA, "there are no rows to train on");
	rows->n_dense = rows->design->n_dense;
	rows->n_factors = rows->design->n_factors;
	rows->n_columns = rows->design->n_columns;
	rows->stride = (size_t) rows->n_dense + rows->n_factors;
	ML_TRY(allocate(rows));
	fit_scale(rows);
	s.dense = ml_alloc_array(rows->env, ML_MAX(rows->n_dense, 1), BLOCK * sizeof(double));
	s.levels = ml_alloc_array(rows->env, ML_MAX(rows->n_factors, 1), BLOCK * sizeof(uint32_t));
	status = s.dense && s.levels ? read_rows(rows, &s) : ML_ENOMEM;
	ml_free(rows->env, s.levels);
	ml_free(rows->env, s.dense);
	return status;
}

void
ml_svm_rows_free(MlSvmRows *rows)
{
	MlEnv *env = rows->env;

	ml_region_free(env, &rows->cells);
	ml_free(env, rows->square);
	ml_free(env, rows->weight);
	ml_free(env, rows->y);
	ml_free(env, rows->level_share);
	ml_free(env, rows->scale);
	ml_free(env, rows->center);
}

MlStatus
ml_svm_scorer(const MlSvmRows *rows, const double *w, MlArena *arena, MlScorer **scorer)
{
	double *coef = ml_alloc_array(rows->env, (size_t) rows->n_columns + 1, sizeof(double));
	double intercept = rows->intercept ? w[rows->n_columns] : 0;
	MlStatus status;

	if (!coef)
		return ML_ENOMEM;
	for (uint32_t c = 0; c < rows->n_columns; c++)
	{
		coef[c] = c < rows->n_dense ? w[c] / rows->scale[c] : w[c];
		if (c < rows->n_dense)
			intercept -= coef[c] * rows->center[c];
	}
	status = ml_scorer_make(arena, rows->data->schema, rows->design, intercept, coef,
							rows->level_share, scorer);
	ml_free(rows->env, coef);
	return status;
}
