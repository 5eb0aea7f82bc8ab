/*
 * gbdt_refit.c
 *		Leaf values for losses whose gradient says the side, but not how far.
 *
 * The best constant of a leaf is the median of its residuals for the absolute
 * error, a quantile for a quantile's loss, and for Huber's the median plus the
 * mean of what the residuals differ from it by, cut off at alpha (Friedman
 * 2001, algorithms 3 and 4). A weighted quantile at a is the least value that
 * at least the share a of the weight does not exceed, or half-way to the next
 * one where it is exactly that share: so the median of two values is their
 * mean, and a whole weight counts as so many rows.
 *
 * Residuals are grouped by leaf, in the order of rows, and selected from. Of a leaf
 * of more than MAX_SELECT rows every so-manieth is looked at.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt_objective.h"
#include "core/pool.h"

#define MAX_SELECT ((size_t) 1 << 19) /* rows: a selection takes some 10 ms */

typedef struct Residual
{
	float r, w;
} Residual;

/* Room for the residuals of all training rows; kept from tree to tree. */
typedef struct GbdtRefit
{
	Residual *residuals;
	size_t *first; /* by leaf, and the end */
	uint32_t n_leaves;
} GbdtRefit;

typedef struct RefitJob
{
	const GbdtObjective *o;
	Residual *residuals;
	const size_t *first;
	double *values;
} RefitJob;

/* ---- weighted quantiles */

static void
swap_residuals(Residual *a, Residual *b)
{
	Residual c = *a;

	*a = *b;
	*b = c;
}

/* Ranges of a partition by a pivot, and the weights of two of them. */
typedef struct Parts
{
	size_t less_end, equal_end;
	double less, equal;
} Parts;

/* Part residuals low..high-1 into those below, at and above the pivot. */
static Parts
part_residuals(Residual *all, size_t low, size_t high, float pivot)
{
	Parts parts = {low, low, 0, 0};
	size_t end = high;

	while (parts.equal_end < end)
	{
		Residual *at = &all[parts.equal_end];

		if (at->r < pivot)
		{
			parts.less += (double) at->w;
			swap_residuals(at, &all[parts.less_end++]);
			parts.equal_end++;
		}
		else if (at->r > pivot)
			swap_residuals(at, &all[--end]);
		else
		{
			parts.equal += (double) at->w;
			parts.equal_end++;
		}
	}
	return parts;
}

/* The least residual above a value, or the value where there is none. Weightless rows don't count. */
static double
next_above(const Residual *all, size_t n, float value)
{
	float next = value;

	for (size_t i = 0; i < n; i++)
	{
		if (all[i].w > 0 && all[i].r > value && (next == value || all[i].r < next))
			next = all[i].r;
	}
	return (double) next;
}

/* The quantile at share of n residuals, which it reorders; 0 where there is no weight. */
static double
weighted_quantile(Residual *all, size_t n, double share)
{
	size_t low = 0, high = n;
	double total = 0, below = 0, goal;
	float last = 0;
	uint64_t state = n;

	for (size_t i = 0; i < n; i++)
		total += (double) all[i].w;
	goal = share * total;
	while (low < high)
	{
		Parts parts;

		/* any pivot will do; a multiplicative sequence foils orders that would make a fixed choice slow */
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		last = all[low + (size_t) ((state >> 33) % (high - low))].r;
		parts = part_residuals(all, low, high, last);
		if (parts.less > 0 && below + parts.less >= goal)
			high = parts.less_end;
		else if (parts.equal > 0 && below + parts.less + parts.equal >= goal)
		{
			double value = (double) last;

			if (below + parts.less + parts.equal > goal)
				return value;
			return value / 2 + next_above(all, n, last) / 2;
		}
		else
		{
			below += parts.less + parts.equal;
			low = parts.equal_end;
		}
	}
	return (double) last;
}

/* ---- leaves */

/* Huber's constant: from the median on. */
static double
huber_value(const Residual *all, size_t n, double alpha, double median)
{
	double sum = 0, total = 0;

	for (size_t i = 0; i < n; i++)
	{
		double d = (double) all[i].r - median;

		sum += (double) all[i].w * ML_MIN(ML_MAX(d, -alpha), alpha);
		total += (double) all[i].w;
	}
	return total > 0 ? median + sum / total : median;
}

/* The value of one leaf. */
static void
leaf_task(void *arg, size_t task, int worker)
{
	const RefitJob *job = arg;
	Residual *all = job->residuals + job->first[task];
	size_t n = job->first[task + 1] - job->first[task];
	size_t step = (n + MAX_SELECT - 1) / MAX_SELECT;
	double alpha = (double) job->o->alpha;

	(void) worker;
	if (step > 1)
	{
		for (size_t i = 0; i * step < n; i++)
			all[i] = all[i * step];
		n = (n + step - 1) / step;
	}
	job->values[task] = weighted_quantile(all, n, job->o->loss == GBDT_QUANTILE ? alpha : 0.5);
	if (job->o->loss == GBDT_HUBER)
		job->values[task] = huber_value(all, n, alpha, job->values[task]);
}

/* Group the residuals of the training rows by leaf. */
static MlStatus
group_residuals(const GbdtObjective *o, const float *scores, const uint16_t *leaf_of,
				uint32_t n_leaves)
{
	size_t *first = o->refit->first, at = 0;

	memset(first, 0, ((size_t) n_leaves + 1) * sizeof(*first));
	for (size_t i = 0; i < o->n_train; i++)
		first[leaf_of ? leaf_of[i] : 0]++;
	ML_TRY(ml_poll(o->env));
	for (uint32_t leaf = 0; leaf <= n_leaves; leaf++)
	{
		size_t n = first[leaf];

		first[leaf] = at;
		at += n;
	}
	for (size_t i = 0; i < o->n_train; i++)
	{
		size_t leaf = leaf_of ? leaf_of[i] : 0;

		if (i % GBDT_CHUNK_ROWS == 0)
			ML_TRY(ml_poll(o->env));
		o->refit->residuals[first[leaf]++] =
			(Residual){o->target[i] - (scores ? scores[i] : 0.0f), o->weight ? o->weight[i] : 1.0f};
	}
	/* placing has moved each start to the next one's: move them back */
	memmove(first + 1, first, n_leaves * sizeof(*first));
	first[0] = 0;
	return ML_OK;
}

/* Room for all rows and so many leaves. */
static MlStatus
make_room(GbdtObjective *o, uint32_t n_leaves)
{
	if (!o->refit)
	{
		o->refit = ml_zalloc(o->env, sizeof(*o->refit));
		if (!o->refit)
			return ML_ENOMEM;
	}
	if (!o->refit->residuals)
		o->refit->residuals = ml_alloc_array(o->env, o->n_tiled, sizeof(*o->refit->residuals));
	if (o->refit->n_leaves < n_leaves)
	{
		ml_free(o->env, o->refit->first);
		o->refit->n_leaves = 0;
		o->refit->first = ml_alloc_array(o->env, (size_t) n_leaves + 1, sizeof(*o->refit->first));
		if (!o->refit->first)
			return ML_ENOMEM;
		o->refit->n_leaves = n_leaves;
	}
	return o->refit->residuals ? ML_OK : ML_ENOMEM;
}

/* values[leaf] = the best constant for what targets exceed scores by (scores NULL: 0), over the training rows. */
MlStatus
ml_gbdt_refit_leaves(GbdtObjective *o, const float *scores, const uint16_t *leaf_of,
					 uint32_t n_leaves, double *values)
{
	RefitJob job = {.o = o, .values = values};

	ML_TRY(make_room(o, n_leaves));
	ML_TRY(group_residuals(o, scores, leaf_of, n_leaves));
	job.residuals = o->refit->residuals;
	job.first = o->refit->first;
	return ml_pool_run(o->env, n_leaves, leaf_task, &job);
}

void
ml_gbdt_refit_free(GbdtObjective *o)
{
	if (!o->refit)
		return;
	ml_free(o->env, o->refit->residuals);
	ml_free(o->env, o->refit->first);
	ml_free(o->env, o->refit);
	o->refit = NULL;
}
