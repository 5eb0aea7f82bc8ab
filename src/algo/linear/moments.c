/*
 * moments.c
 *		Cross products of centred columns; see moments.h.
 *
 * A value that is there stands in the state as sqrt(w) (x - shift), a missing
 * one as 0 with sqrt(w) in its indicator. So the column about a centre c is
 * z + (shift - c) (ones - indicator), which is 0 where the value is missing:
 * imputed by c, if c is the mean.
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "algo/linear/moments.h"

#define PRODUCTS_A_POLL 4.0e7 /* some 5 ms */
#define COLUMNS_A_POLL 64
#define SUMS_A_POLL ((size_t) 100000)

MlStatus
ml_moments_create(MlArena *arena, size_t n, MlMoments *m)
{
	memset(m, 0, sizeof *m);
	m->n = n;
	m->n_sums = 3 + n * (n + 2);
	/* A bit more than n_sums. */
	ML_TRY(ml_arena_zeros(arena, n + 3, (n + 3) * sizeof(double), &m->sums));
	m->t = (MlMomentTotals *) m->sums;
	m->x = m->sums + 3;
	m->q = m->x + n;
	m->h = m->q + n;
	return ML_OK;
}

/* The column of the state behind column k of the design; n: the target. */
static uint32_t
source_of(const MlLeastColumns *columns, size_t k)
{
	return k < columns->n ? columns->source[k] : columns->target;
}

/* Its indicator; 0: never missing. */
static uint32_t
indicator_of(const MlLeastColumns *columns, size_t k)
{
	return columns->indicator && k < columns->n ? columns->indicator[columns->source[k]] : 0;
}

void
ml_moments_centre(const MlTsqr *const *states, size_t n_states, const MlLeastColumns *columns,
				  double *centre)
{
	for (size_t k = 0; k <= columns->n; k++)
	{
		uint32_t source = source_of(columns, k), indicator = indicator_of(columns, k);
		double origin = states[0]->shift[source], sum = 0, total = 0;

		for (size_t s = 0; s < n_states; s++)
		{
			const MlTsqr *t = states[s];
			double there = ml_tsqr_product(t, 0, 0);

			there -= indicator ? ml_tsqr_product(t, 0, indicator) : 0;
			sum += ml_tsqr_product(t, 0, source) + (t->shift[source] - origin) * there;
			total += there;
		}
		centre[k] = total > 0 && isfinite(sum / total) ? origin + sum / total : 0;
	}
}

/* Ones, the dense columns and the target of a state about the centre, side by side. */
static void
fill_columns(const MlTsqr *t, const MlLeastColumns *columns, const double *centre, double *m)
{
	size_t rows = ml_tsqr_rows(t);

	memcpy(m, t->a, rows * sizeof(double));
	for (size_t k = 0; k <= columns->n; k++)
	{
		uint32_t source = source_of(columns, k), indicator = indicator_of(columns, k);
		const double *z = t->a + source * t->ld, *missing = t->a + indicator * t->ld;
		double move = t->shift[source] - centre[k], *to = m + (1 + k) * rows;

		for (size_t i = 0; i < rows; i++)
			to[i] = z[i] + move * (t->a[i] - (indicator ? missing[i] : 0));
	}
}

/* The products of columns first.. of m (rows high) with all up to them, into the strip's triangle of g. */
static MlStatus
multiply(MlEnv *env, const double *m, size_t rows, size_t n, double *g)
{
	size_t step = (size_t) fmax(8, fmin(256, PRODUCTS_A_POLL / (double) (2 * rows * n + 1)));

	for (size_t j = 0; j < n; j += step)
	{
		size_t cols = ML_MIN(step, n - j);

		cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) (j + cols), (int) cols,
					(int) rows, 1.0, m, (int) rows, m + j * rows, (int) rows, 0.0, g + j * n,
					(int) n);
		ML_TRY(ml_poll(env));
	}
	return ML_OK;
}

/* From the triangle of ones, p columns and target to the moments. */
static MlStatus
spread(MlEnv *env, MlMoments *m, const double *g, size_t p)
{
	size_t ld = p + 2;

	m->t->weight += g[0];
	m->t->y += g[(p + 1) * ld];
	m->t->yy += g[(p + 1) + (p + 1) * ld];
	for (size_t j = 0; j < p; j++)
	{
		const double *from = g + (1 + j) * ld + 1;
		double *to = m->h + j * m->n;

		m->x[j] += g[(1 + j) * ld];
		m->q[j] += g[(1 + j) + (p + 1) * ld];
		for (size_t i = 0; i <= j; i++)
			to[i] += from[i];
		for (size_t i = 0; i < j; i++)
			m->h[j + i * m->n] += from[i];
		if (j % COLUMNS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	return ML_OK;
}

/* The sums by level beside them. */
static MlStatus
add_levels(MlEnv *env, MlMoments *m, const MlLevelSums *levels)
{
	size_t p = levels->n_dense, n = levels->n_levels;

	for (size_t l = 0; l < n; l++)
	{
		const double *strip = levels->strip + l * (p + 2);
		double *column = m->h + (p + l) * m->n;

		m->x[p + l] += strip[0];
		m->q[p + l] += strip[1 + p];
		column[p + l] += strip[0];
		for (size_t k = 0; k < p; k++)
		{
			column[k] += strip[1 + k];
			m->h[(p + l) + k * m->n] += strip[1 + k];
		}
		for (size_t o = 0; o < l && levels->pairs; o++)
		{
			column[p + o] += levels->pairs[o + l * n];
			m->h[(p + l) + (p + o) * m->n] += levels->pairs[o + l * n];
		}
		if (l % COLUMNS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	return ML_OK;
}

MlStatus
ml_moments_add_rows(MlMoments *m, const MlTsqr *t, const MlLeastColumns *columns,
					const MlLevelSums *levels, const double *centre)
{
	MlEnv *env = t->arena->env;
	size_t rows = ml_tsqr_rows(t), n = columns->n + 2;
	double *wide, *g;
	MlStatus status = ML_ENOMEM;

	if (rows == 0)
		return ML_OK;
	wide = ml_alloc_array(env, rows, n * sizeof(double));
	g = ml_zalloc_array(env, n, n * sizeof(double));
	if (wide && g)
	{
		fill_columns(t, columns, centre, wide);
		status = multiply(env, wide, rows, n, g);
		if (status == ML_OK)
			status = spread(env, m, g, columns->n);
		if (status == ML_OK && levels)
			status = add_levels(env, m, levels);
	}
	ml_free(env, g);
	ml_free(env, wide);
	return status;
}

MlStatus
ml_moments_add(MlEnv *env, MlMoments *total, const MlMoments *other)
{
	for (size_t first = 0; first < total->n_sums; first += SUMS_A_POLL)
	{
		size_t end = ML_MIN(first + SUMS_A_POLL, total->n_sums);

		for (size_t i = first; i < end; i++)
			total->sums[i] += other->sums[i];
		ML_TRY(ml_poll(env));
	}
	return ML_OK;
}

/* Sums, not differences to the total, which lose the digits of a fold that is much smaller than another. */
MlStatus
ml_moments_complement(MlEnv *env, MlMoments *const *folds, size_t n_folds)
{
	for (size_t i = 0; i < folds[0]->n_sums; i++)
	{
		double before = 0;

		for (size_t f = 0; f < n_folds; f++)
		{
			double own = folds[f]->sums[i], others = before;

			for (size_t g = f + 1; g < n_folds; g++)
				others += folds[g]->sums[i];
			folds[f]->sums[i] = others;
			before += own;
		}
		if (i % SUMS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	return ML_OK;
}

MlStatus
ml_moments_to_means(MlEnv *env, MlMoments *m)
{
	if (!(m->t->weight > 0))
		return ML_OK;
	for (size_t j = 0; j < m->n; j++)
	{
		double *column = m->h + j * m->n, mean = m->x[j] / m->t->weight;

		for (size_t i = 0; i < m->n; i++)
			column[i] -= m->x[i] * mean;
		m->q[j] -= mean * m->t->y;
		if (j % COLUMNS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	m->t->yy = ml_not_negative(m->t->yy - m->t->y / m->t->weight * m->t->y);
	return ML_OK;
}

MlStatus
ml_moments_to_zero(MlEnv *env, MlMoments *m, const double *centre)
{
	double y = centre[m->n];

	for (size_t j = 0; j < m->n; j++)
	{
		double *column = m->h + j * m->n, c = centre[j];

		for (size_t i = 0; i < m->n; i++)
			column[i] += c * m->x[i] + centre[i] * m->x[j] + c * centre[i] * m->t->weight;
		m->q[j] += c * m->t->y + y * m->x[j] + c * y * m->t->weight;
		if (j % COLUMNS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	m->t->yy += 2 * y * m->t->y + y * y * m->t->weight;
	return ML_OK;
}

MlStatus
ml_moments_scale(MlEnv *env, MlMoments *m, const double *scale)
{
	for (size_t j = 0; j < m->n; j++)
	{
		double *column = m->h + j * m->n;

		for (size_t i = 0; i < m->n; i++)
			column[i] /= scale[i] * scale[j];
		m->q[j] /= scale[j];
		m->x[j] /= scale[j];
		if (j % COLUMNS_A_POLL == 0)
			ML_TRY(ml_poll(env));
	}
	return ML_OK;
}
