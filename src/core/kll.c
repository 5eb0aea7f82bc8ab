/*
 * kll.c
 *		KLL: quantiles of a stream of numbers in little memory.
 *
 * Karnin, Lang and Liberty 2016, "Optimal quantile approximation in streams". An
 * item at level h stands for 2^h values. A level that is full is compacted:
 * sorted, and of each pair of neighbours one, always the left or always the
 * right by a coin, moves up a level. The room of a level shrinks by 2/3 with
 * every level above it, down to MIN_LIMIT.
 *
 * Levels above 0 are kept sorted by merging, so that only the few items of
 * level 0 are ever sorted.
 */
#include <math.h>
#include <string.h>

#include "core/kll.h"

#define MIN_LIMIT 8
#define SHRINK (2.0 / 3.0)
#define FEW 16

MlStatus
ml_kll_create(MlEnv *env, uint64_t seed, MlKll **kll)
{
	MlKll *made = ml_zalloc(env, sizeof(MlKll));

	*kll = made;
	if (!made)
		return ML_ENOMEM;
	made->env = env;
	ml_rng_seed(&made->rng, seed, 0);
	made->n_levels = 1;
	made->levels[0].limit = made->limit = ML_KLL_K;
	return ML_OK;
}

void
ml_kll_free(MlKll *kll)
{
	if (!kll)
		return;
	for (uint32_t h = 0; h < ML_KLL_MAX_LEVELS; h++)
		ml_free(kll->env, kll->levels[h].items);
	ml_free(kll->env, kll);
}

/* Have at least n_levels levels, and set their limits. */
static void
add_levels(MlKll *kll, uint32_t n_levels)
{
	double room = ML_KLL_K;

	if (n_levels <= kll->n_levels)
		return;
	kll->n_levels = n_levels;
	kll->limit = 0;
	for (uint32_t h = n_levels; h-- > 0; room *= SHRINK)
	{
		kll->levels[h].limit = (size_t) fmax(ceil(room), MIN_LIMIT);
		kll->limit += kll->levels[h].limit;
	}
}

/*
 * Sort few items by counting for each how many go before it: without branches that depend on the data,
 * which for random numbers cost more than all the comparisons.
 */
static void
sort_few(double *items, size_t n, double *scratch)
{
	memcpy(scratch, items, n * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		double item = scratch[i];
		uint64_t rank = 0;

		for (size_t j = 0; j < i; j++)
			rank += scratch[j] <= item;
		for (size_t j = i + 1; j < n; j++)
			rank += scratch[j] < item;
		items[rank] = item;
	}
}

/* Many are sorted by merging halves. scratch: room for FEW items, or half of them. */
static void
sort_items(double *items, size_t n, double *scratch)
{
	size_t half = n / 2, i = 0, j = half, m = 0;

	if (n <= FEW)
	{
		sort_few(items, n, scratch);
		return;
	}
	sort_items(items, half, scratch);
	sort_items(items + half, n - half, scratch);
	memcpy(scratch, items, half * sizeof(double));
	while (i < half && j < n)
	{
		bool right = items[j] < scratch[i];
		double a = scratch[i], b = items[j];

		items[m++] = right ? b : a;
		j += right;
		i += !right;
	}
	memcpy(items + m, scratch + i, (half - i) * sizeof(double));
}

/* Level 0 in order; it is never longer than ML_KLL_K. */
static void
sort_bottom(MlKll *kll)
{
	double scratch[ML_KLL_K / 2];

	sort_items(kll->levels[0].items, kll->levels[0].n, scratch);
}

/* Merge items (ascending) into a level that has room for them. */
static void
merge_up(MlKllLevel *level, const double *items, size_t n)
{
	size_t i = level->n, j = n, m = level->n + n;

	while (i > 0 && j > 0)
	{
		double a = level->items[i - 1], b = items[j - 1];
		bool old = a > b;

		level->items[--m] = old ? a : b;
		i -= old;
		j -= !old;
	}
	memcpy(level->items, items, j * sizeof(double));
	level->n += n;
}

/* Halve a level into the next. Of an odd number, the first item stays. */
static MlStatus
compact(MlKll *kll, uint32_t h)
{
	MlKllLevel *from = &kll->levels[h], *to = from + 1;
	size_t odd = from->n & 1, n = from->n / 2;
	size_t offset = odd + (ml_rng_next(&kll->rng) >> 63);

	if (h + 1 == kll->n_levels)
		add_levels(kll, h + 2);
	ML_TRY(ml_grow(kll->env, &to->items, &to->capacity, to->n + n, sizeof(double)));
	if (h == 0)
		sort_bottom(kll);
	for (size_t i = 0; i < n; i++)
		from->items[odd + i] = from->items[offset + 2 * i];
	merge_up(to, from->items + odd, n);
	from->n = odd;
	kll->n_items -= n;
	return ML_OK;
}

/* Compact the lowest full level until all is within the limit. */
static MlStatus
make_room(MlKll *kll)
{
	while (kll->n_items >= kll->limit)
	{
		uint32_t h = 0;

		while (kll->levels[h].n < kll->levels[h].limit)
			h++;
		if (h + 1 >= ML_KLL_MAX_LEVELS)
			return ml_fail(kll->env, ML_EDATA, "too many values for quantiles");
		ML_TRY(compact(kll, h));
	}
	return ML_OK;
}

MlStatus
ml_kll_add(MlKll *kll, double value)
{
	MlKllLevel *bottom = &kll->levels[0];

	/* The bottom may be over its own limit while others have room, but not over its array. */
	if (kll->n_items >= kll->limit || bottom->n >= ML_KLL_K)
	{
		if (bottom->n >= ML_KLL_K)
			ML_TRY(compact(kll, 0));
		ML_TRY(make_room(kll));
	}
	if (bottom->n == bottom->capacity)
		ML_TRY(ml_grow(kll->env, &bottom->items, &bottom->capacity, bottom->n + 1, sizeof(double)));
	bottom->items[bottom->n++] = value;
	kll->n_items++;
	return ML_OK;
}

/* A count is a sum of powers of two: one item at each of their levels. */
MlStatus
ml_kll_add_many(MlKll *kll, double value, uint64_t count)
{
	if (count & 1)
		ML_TRY(ml_kll_add(kll, value));
	for (uint32_t h = 1; count >> h; h++)
	{
		MlKllLevel *level = &kll->levels[h];

		if (!(count >> h & 1))
			continue;
		if (h + 1 >= ML_KLL_MAX_LEVELS)
			return ml_fail(kll->env, ML_EDATA, "too many values for quantiles");
		add_levels(kll, h + 1);
		ML_TRY(ml_grow(kll->env, &level->items, &level->capacity, level->n + 1, sizeof(double)));
		merge_up(level, &value, 1);
		kll->n_items++;
		ML_TRY(make_room(kll));
	}
	return ML_OK;
}

/* The least item that was not passed yet; adds its weight to *rank. */
static double
next_item(const MlKll *kll, size_t *passed, uint64_t *rank)
{
	uint32_t best = 0;
	double least = NAN;

	for (uint32_t h = 0; h < kll->n_levels; h++)
	{
		const MlKllLevel *level = &kll->levels[h];

		if (passed[h] < level->n && !(least <= level->items[passed[h]]))
		{
			least = level->items[passed[h]];
			best = h;
		}
	}
	passed[best]++;
	*rank += UINT64_C(1) << best;
	return least;
}

void
ml_kll_quantiles(MlKll *kll, const double *p, size_t n, double *out)
{
	size_t passed[ML_KLL_MAX_LEVELS] = {0};
	uint64_t total = 0, rank = 0;
	double item = NAN;

	for (uint32_t h = 0; h < kll->n_levels; h++)
		total += (uint64_t) kll->levels[h].n << h;
	if (kll->levels[0].n > 0)
		sort_bottom(kll);
	for (size_t i = 0; i < n; i++)
	{
		while (total > 0 && (rank == 0 || (double) rank < p[i] * (double) total))
			item = next_item(kll, passed, &rank);
		out[i] = item;
	}
}

/* The weight of the items that are less than value, or at most value. */
static uint64_t
weight_below(const MlKll *kll, double value, bool or_equal)
{
	uint64_t weight = 0;

	for (uint32_t h = 0; h < kll->n_levels; h++)
	{
		const MlKllLevel *level = &kll->levels[h];
		uint64_t n = 0;

		for (size_t i = 0; i < level->n; i++)
			n += level->items[i] < value || (or_equal && level->items[i] == value);
		weight += n << h;
	}
	return weight;
}

static double
share_below(const MlKll *kll, double value, bool or_equal)
{
	uint64_t total = weight_below(kll, INFINITY, true);

	return total > 0 ? (double) weight_below(kll, value, or_equal) / (double) total : NAN;
}

double
ml_kll_share_below(const MlKll *kll, double value)
{
	return share_below(kll, value, false);
}

double
ml_kll_share_up_to(const MlKll *kll, double value)
{
	return share_below(kll, value, true);
}

/* ---- merge, save, load */

MlStatus
ml_kll_merge(MlKll *kll, const MlKll *other)
{
	add_levels(kll, other->n_levels);
	for (uint32_t h = 1; h < other->n_levels; h++)
	{
		const MlKllLevel *from = &other->levels[h];
		MlKllLevel *to = &kll->levels[h];

		if (from->n == 0)
			continue;
		ML_TRY(ml_grow(kll->env, &to->items, &to->capacity, to->n + from->n, sizeof(double)));
		merge_up(to, from->items, from->n);
		kll->n_items += from->n;
	}
	ML_TRY(make_room(kll));
	for (size_t i = 0; i < other->levels[0].n; i++)
		ML_TRY(ml_kll_add(kll, other->levels[0].items[i]));
	return ML_OK;
}

void
ml_kll_save(const MlKll *kll, MlBuffer *out)
{
	for (int i = 0; i < 4; i++)
		ml_put_u64(out, kll->rng.s[i]);
	ml_put_u32(out, kll->n_levels);
	for (uint32_t h = 0; h < kll->n_levels; h++)
	{
		ml_put_u32(out, (uint32_t) kll->levels[h].n);
		ml_put_f64_array(out, kll->levels[h].items, kll->levels[h].n);
	}
}

/* Items of a level: no NaN, above the bottom in order. */
static MlStatus
load_level(MlReader *in, MlKll *kll, uint32_t h)
{
	MlKllLevel *level = &kll->levels[h];
	uint32_t n = ml_get_count(in, sizeof(double));

	if (in->failed || (h == 0 && n > ML_KLL_K))
		return ml_corrupt(in->env, "level of quantiles");
	ML_TRY(ml_grow(kll->env, &level->items, &level->capacity, n, sizeof(double)));
	for (uint32_t i = 0; i < n; i++)
	{
		double item = ml_get_f64(in);

		if (isnan(item) || (h > 0 && i > 0 && item < level->items[i - 1]))
			return ml_corrupt(in->env, "value of quantiles");
		level->items[i] = item;
	}
	level->n = n;
	kll->n_items += n;
	return ML_OK;
}

MlStatus
ml_kll_load(MlReader *in, MlKll **kll)
{
	uint32_t n_levels;

	ML_TRY(ml_kll_create(in->env, 0, kll));
	for (int i = 0; i < 4; i++)
		(*kll)->rng.s[i] = ml_get_u64(in);
	n_levels = ml_get_u32(in);
	if (in->failed || n_levels == 0 || n_levels >= ML_KLL_MAX_LEVELS)
		return ml_corrupt(in->env, "levels of quantiles");
	add_levels(*kll, n_levels);
	for (uint32_t h = 0; h < n_levels; h++)
		ML_TRY(load_level(in, *kll, h));
	return make_room(*kll);
}
