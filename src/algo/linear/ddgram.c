/*
 * ddgram.c
 *		Cross products of rows in double-double; see ddgram.h.
 */
#include <math.h>
#include <string.h>

#include "algo/linear/ddgram.h"

/* A matrix of ld x ld zeros for n columns. */
static MlStatus
new_matrix(MlArena *arena, size_t n, size_t ld, MlDdMatrix *m)
{
	m->n = n;
	m->ld = ld;
	ML_TRY(ml_arena_zeros(arena, ld, ld * sizeof(double), &m->hi));
	return ml_arena_zeros(arena, ld, ld * sizeof(double), &m->lo);
}

MlStatus
ml_ddgram_create(MlArena *arena, size_t n_columns, MlDdGram **gram)
{
	MlDdGram *g = ml_arena_alloc(arena, sizeof *g);

	if (g == NULL)
		return ML_ENOMEM;
	g->arena = arena;
	*gram = g;
	return new_matrix(arena, n_columns, n_columns, &g->m);
}

void
ml_ddgram_add(MlDdGram *g, const double *row, double weight)
{
	size_t n = g->m.n, ld = g->m.ld;

	for (size_t i = 0; i < n; i++)
	{
		MlDd factor = weight == 1 ? ml_dd(row[i]) : ml_two_product(weight, row[i]);
		size_t at = i * ld + i;

		/* Indicators and sparse columns are mostly zero. */
		if (factor.hi != 0)
			ml_dd_add_scaled(factor.hi, row + i, g->m.hi + at, g->m.lo + at, n - i);
		if (factor.lo != 0)
			ml_dd_add_scaled(factor.lo, row + i, g->m.hi + at, g->m.lo + at, n - i);
	}
}

void
ml_ddgram_add_sparse(MlDdGram *g, const uint32_t *column, const double *value, size_t n,
					 double weight)
{
	for (size_t i = 0; i < n; i++)
	{
		MlDd factor = weight == 1 ? ml_dd(value[i]) : ml_two_product(weight, value[i]);
		size_t row = column[i] * g->m.ld;

		for (size_t j = i; j < n; j++)
		{
			size_t at = row + column[j];
			MlDd sum = {g->m.hi[at], g->m.lo[at]};

			sum = ml_dd_add(sum, ml_dd_mul(factor, ml_dd(value[j])));
			g->m.hi[at] = sum.hi;
			g->m.lo[at] = sum.lo;
		}
	}
}

MlStatus
ml_ddgram_widen(MlDdGram *g, size_t n)
{
	size_t total = g->m.n + n;
	MlDdMatrix m;

	if (total > g->m.ld)
	{
		ML_TRY(new_matrix(g->arena, total, ML_MAX(total, g->m.ld + g->m.ld / 2), &m));
		for (size_t i = 0; i < g->m.n; i++)
		{
			memcpy(m.hi + i * m.ld, g->m.hi + i * g->m.ld, g->m.n * sizeof(double));
			memcpy(m.lo + i * m.ld, g->m.lo + i * g->m.ld, g->m.n * sizeof(double));
		}
		g->m = m;
	}
	g->m.n = total; /* beyond the old columns everything is still zero */
	return ML_OK;
}

/* Where the element (i, j) is kept. */
static size_t
place(const MlDdMatrix *m, size_t i, size_t j)
{
	return i <= j ? i * m->ld + j : j * m->ld + i;
}

MlDd
ml_ddgram_at(const MlDdGram *g, size_t i, size_t j)
{
	size_t at = place(&g->m, i, j);

	return (MlDd){g->m.hi[at], g->m.lo[at]};
}

void
ml_ddgram_merge(MlDdGram *g, const MlDdGram *other, const uint32_t *column)
{
	for (size_t i = 0; i < other->m.n; i++)
	{
		for (size_t j = i; j < other->m.n; j++)
		{
			size_t at = place(&g->m, column[i], column[j]);
			MlDd sum = ml_dd_add((MlDd){g->m.hi[at], g->m.lo[at]}, ml_ddgram_at(other, i, j));

			g->m.hi[at] = sum.hi;
			g->m.lo[at] = sum.lo;
		}
	}
}

void
ml_ddgram_save(const MlDdGram *g, MlBuffer *out)
{
	for (size_t i = 0; i < g->m.n; i++)
	{
		ml_put_f64_array(out, g->m.hi + i * g->m.ld + i, g->m.n - i);
		ml_put_f64_array(out, g->m.lo + i * g->m.ld + i, g->m.n - i);
	}
}

MlStatus
ml_ddgram_load(MlReader *in, MlArena *arena, size_t n_columns, MlDdGram **gram)
{
	MlDdGram *g;

	if (in->failed || n_columns * (n_columns + 1) > (in->len - in->pos) / sizeof(double))
		return ml_corrupt(in->env, "a linear state ends early");
	ML_TRY(ml_ddgram_create(arena, n_columns, &g));
	for (size_t i = 0; i < n_columns; i++)
	{
		double *part[2] = {g->m.hi + i * g->m.ld, g->m.lo + i * g->m.ld};

		for (size_t k = 0; k < 2; k++)
		{
			for (size_t j = i; j < n_columns; j++)
			{
				part[k][j] = ml_get_f64(in);
				if (!isfinite(part[k][j]))
					return ml_corrupt(in->env, "a number of a linear state is not finite");
			}
		}
	}
	*gram = g;
	return ML_OK;
}
