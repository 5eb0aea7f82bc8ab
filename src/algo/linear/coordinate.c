/*
 * coordinate.c
 *		Coordinate descent on a quadratic; see coordinate.h.
 */
#include <math.h>
#include <string.h>

#include "algo/linear/coordinate.h"
#include "core/vmath.h"

MlStatus
ml_descent_create(MlArena *arena, size_t n, MlDescent *d)
{
	memset(d, 0, sizeof *d);
	d->n = d->ld = n;
	d->b = ml_arena_array(arena, n, sizeof(double));
	d->r = ml_arena_array(arena, n, sizeof(double));
	d->active = ml_arena_array(arena, n, sizeof(uint32_t));
	d->is_active = ml_arena_array(arena, n, sizeof(uint8_t));
	d->all = true;
	return d->b && d->r && d->active && d->is_active ? ML_OK : ML_ENOMEM;
}

void
ml_descent_start(MlDescent *d)
{
	d->all = true;
	d->at = 0;
	d->moved = 0;
	d->sweeps = 0;
}

/* r -= step * column: the same bytes at any width of vectors. */
ML_CLONES static void
subtract_column(double *r, const double *column, double step, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r[i] -= step * column[i];
}

void
ml_descent_residual(MlDescent *d)
{
	memcpy(d->r, d->q, d->n * sizeof(double));
	for (size_t j = 0; j < d->n; j++)
	{
		if (d->b[j] != 0)
			subtract_column(d->r, d->h + j * d->ld, d->b[j], d->n);
	}
}

/* sign(z) max(|z| - limit, 0) */
static inline double
soft(double z, double limit)
{
	return z > limit ? z - limit : z < -limit ? z + limit : 0;
}

/* Set one coordinate to its best value; returns whether it changed. */
static bool
visit(MlDescent *d, size_t j)
{
	double h = d->h[j + j * d->ld], f = d->factor ? d->factor[j] : 1, old = d->b[j], best, step;

	/* A column without curvature has nothing to give. */
	if (!(h > 0))
		return false;
	best = soft(d->r[j] + h * old, d->l1 * f) / (h + d->l2 * f);
	step = best - old;
	if (step == 0)
		return false;
	d->b[j] = best;
	subtract_column(d->r, d->h + j * d->ld, step, d->n);
	d->moved = fmax(d->moved, h * step * step);
	if (!d->is_active[j])
	{
		d->is_active[j] = 1;
		d->active[d->n_active++] = (uint32_t) j;
	}
	return true;
}

/* What comes after a sweep; true: nothing. */
static bool
end_sweep(MlDescent *d, double still)
{
	bool rests = d->moved <= still, all = d->all;

	d->sweeps++;
	d->at = 0;
	d->moved = 0;
	d->all = rests && !all;
	return rests && all;
}

bool
ml_descent_run(MlDescent *d, double still, size_t work)
{
	for (size_t done = 0; done < work;)
	{
		size_t n = d->all ? d->n : d->n_active;

		if (d->at == n)
		{
			if (end_sweep(d, still))
				return true;
			done++;
			continue;
		}
		done += visit(d, d->all ? d->at : d->active[d->at]) ? 4 + d->n : 4;
		d->at++;
	}
	return false;
}

/* Sums over the coordinates that the two figures below share. */
typedef struct Sums
{
	double qb, rb, abs, square, greatest;
} Sums;

static Sums
add_up(const MlDescent *d)
{
	Sums s = {0};

	for (size_t j = 0; j < d->n; j++)
	{
		double b = d->b[j];

		s.qb += d->q[j] * b;
		s.rb += d->r[j] * b;
		s.abs += fabs(b);
		s.square += b * b;
		s.greatest = fmax(s.greatest, fabs(d->r[j] - d->l2 * b));
	}
	return s;
}

double
ml_descent_rss(const MlDescent *d, double yy)
{
	Sums s = add_up(d);

	return fmax(yy - s.qb - s.rb, 0);
}

double
ml_descent_gap(const MlDescent *d, double yy)
{
	Sums s = add_up(d);
	double rss = fmax(yy - s.qb - s.rb, 0), share = 1;

	/* The dual point is the residual, shrunk until it is feasible. */
	if (s.greatest > d->l1)
		share = d->l1 / s.greatest;
	return 0.5 * rss * (1 + share * share) - share * (yy - s.qb) + d->l1 * s.abs +
		   0.5 * d->l2 * (1 + share * share) * s.square;
}
