/*
 * folds_by.c
 *		Parts of rows by group, and in order of a value.
 *
 * By group: whole groups go to parts, the largest first, each to the part that
 * it leaves nearest to its share of every class: the sum over parts f and
 * classes k of (n_fk / N_k)^2 / s_f is least where n_fk = s_f N_k, and a group
 * goes where it adds least to that sum. Groups of one size come in random
 * order. This is the greedy rule of multiprocessor scheduling (Graham 1969,
 * longest processing time first), taken to several classes.
 *
 * In order: the values are sorted and cut at the shares; a cut that falls among
 * equal values moves to their nearer end, so that what comes after a cut really
 * is later.
 */
#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "data/folds.h"

#define TILE 1024
#define POLL_KEYS 65536

/* ---- sorting keys ---- */

/* One pass of a radix sort: by the byte at shift. */
static MlStatus
sort_pass(MlEnv *env, const uint64_t *from, uint64_t *to, size_t n, int shift)
{
	size_t start[257] = {0};

	for (size_t i = 0; i < n; i++)
		start[((from[i] >> shift) & 255) + 1]++;
	for (int b = 0; b < 256; b++)
		start[b + 1] += start[b];
	for (size_t i = 0; i < n; i++)
	{
		if (i % POLL_KEYS == 0)
			ML_TRY(ml_poll(env));
		to[start[(from[i] >> shift) & 255]++] = from[i];
	}
	return ML_OK;
}

/* Sort n keys, ascending; spare has room for n. Eight passes: the result is in keys. */
static MlStatus
sort_keys(MlEnv *env, uint64_t *keys, uint64_t *spare, size_t n)
{
	for (int shift = 0; shift < 64; shift += 16)
	{
		ML_TRY(sort_pass(env, keys, spare, n, shift));
		ML_TRY(sort_pass(env, spare, keys, n, shift + 8));
	}
	return ML_OK;
}

/* ---- by group ---- */

typedef struct Groups
{
	MlEnv *env;
	const MlSplitInput *input;
	const double *shares;
	uint32_t n_parts, n_classes;
	uint32_t n_codes;    /* of groups, absent ones included */
	uint32_t n_groups;   /* that have rows */
	uint32_t *group;     /* by row */
	uint32_t *first;     /* n_codes + 1: rows of a group in member */
	uint32_t *member;    /* rows, group by group */
	uint16_t *class;     /* by row */
	double *class_total; /* N_k */
	double *in_part;     /* n_fk: in_part[part * n_classes + k] */
	size_t *part_rows;   /* by part */
	uint64_t *keys, *spare;
	uint32_t *shuffled; /* groups */
	uint16_t *part_of;  /* by group */
	uint32_t *here;     /* classes of the group at hand ... */
	double *here_count; /* ... and its rows in each class */
	uint32_t n_here;
} Groups;

static void
free_groups(Groups *g)
{
	void *blocks[] = {g->group,     g->first, g->member,    g->class,    g->class_total,
					  g->in_part,   g->keys,  g->spare,     g->shuffled, g->part_of,
					  g->part_rows, g->here,  g->here_count};

	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		ml_free(g->env, blocks[i]);
}

/* Read groups and classes of the rows. */
static MlStatus
read_groups(Groups *g)
{
	const MlSplitInput *in = g->input;
	const MlRows *rows = &in->rows;
	double block[TILE];

	g->group = ml_alloc_array(g->env, rows->n, sizeof(*g->group));
	g->class = ml_zalloc_array(g->env, rows->n, sizeof(*g->class));
	if (!g->group || !g->class)
		return ML_ENOMEM;
	for (size_t first = 0; first < rows->n; first += TILE)
	{
		size_t m = ML_MIN(rows->n - first, TILE);

		ML_TRY(ml_poll(g->env));
		if (rows->index)
			ml_frame_gather(in->data->frame, (uint32_t) in->group_column, rows->index + first, m,
							block);
		else
			ml_frame_read(in->data->frame, (uint32_t) in->group_column, first, m, block);
		for (size_t i = 0; i < m; i++)
		{
			g->group[first + i] = (uint32_t) block[i];
			g->n_codes = ML_MAX(g->n_codes, (uint32_t) block[i] + 1);
		}
		if (g->n_classes == 1)
			continue;
		ml_dataset_target(in->data, rows, first, m, block);
		for (size_t i = 0; i < m; i++)
			g->class[first + i] = (uint16_t) block[i];
	}
	return ML_OK;
}

/* Room for all that is counted by group, class and part. */
static MlStatus
make_room(Groups *g)
{
	size_t n_codes = g->n_codes, n = g->input->rows.n;

	g->first = ml_zalloc_array(g->env, n_codes + 1, sizeof(*g->first));
	g->member = ml_alloc_array(g->env, n, sizeof(*g->member));
	g->class_total = ml_zalloc_array(g->env, g->n_classes, sizeof(double));
	g->in_part = ml_zalloc_array(g->env, (size_t) g->n_parts * g->n_classes, sizeof(double));
	g->part_rows = ml_zalloc_array(g->env, g->n_parts, sizeof(size_t));
	g->keys = ml_alloc_array(g->env, n_codes, sizeof(*g->keys));
	g->spare = ml_alloc_array(g->env, n_codes, sizeof(*g->spare));
	g->shuffled = ml_alloc_array(g->env, n_codes, sizeof(*g->shuffled));
	g->part_of = ml_zalloc_array(g->env, n_codes, sizeof(*g->part_of));
	g->here = ml_alloc_array(g->env, g->n_classes, sizeof(*g->here));
	g->here_count = ml_zalloc_array(g->env, g->n_classes, sizeof(double));
	return g->first && g->member && g->class_total && g->in_part && g->part_rows && g->keys &&
				   g->spare && g->shuffled && g->part_of && g->here && g->here_count
			   ? ML_OK
			   : ML_ENOMEM;
}

/* Put the rows in the order of their groups, by counting. */
static void
gather_members(Groups *g)
{
	size_t n = g->input->rows.n;

	for (size_t i = 0; i < n; i++)
	{
		g->first[g->group[i]]++;
		g->class_total[g->class[i]]++;
	}
	for (uint32_t c = 0, sum = 0; c <= g->n_codes; c++)
	{
		uint32_t count = g->first[c];

		g->first[c] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		g->member[g->first[g->group[i]]++] = (uint32_t) i;
	memmove(g->first + 1, g->first, g->n_codes * sizeof(*g->first));
	g->first[0] = 0;
}

static uint32_t
group_size(const Groups *g, uint32_t group)
{
	return g->first[group + 1] - g->first[group];
}

/* The groups that have rows, largest first, those of one size at random: keys' lower halves point into shuffled. */
static MlStatus
order_groups(Groups *g)
{
	MlRng rng;

	for (uint32_t c = 0; c < g->n_codes; c++)
		if (group_size(g, c) > 0)
			g->shuffled[g->n_groups++] = c;
	ml_rng_seed(&rng, g->input->seed, 2);
	ml_rng_shuffle(&rng, g->shuffled, g->n_groups);
	for (uint32_t i = 0; i < g->n_groups; i++)
		g->keys[i] = (uint64_t) (UINT32_MAX - group_size(g, g->shuffled[i])) << 32 | i;
	return sort_keys(g->env, g->keys, g->spare, g->n_groups);
}

/* Count the classes of a group. */
static void
count_group(Groups *g, uint32_t group)
{
	for (uint32_t h = 0; h < g->n_here; h++)
		g->here_count[g->here[h]] = 0;
	g->n_here = 0;
	for (uint32_t m = g->first[group]; m < g->first[group + 1]; m++)
	{
		uint16_t class = g->class[g->member[m]];

		if (g->here_count[class]++ == 0)
			g->here[g->n_here++] = class;
	}
}

/* What the group at hand adds to the sum when it goes to part f. */
static double
cost_of(const Groups *g, uint32_t f)
{
	const double *in_part = g->in_part + (size_t) f * g->n_classes;
	double cost = 0;

	for (uint32_t h = 0; h < g->n_here; h++)
	{
		uint32_t k = g->here[h];
		double count = g->here_count[k];

		cost += (2 * in_part[k] + count) * count / (g->class_total[k] * g->class_total[k]);
	}
	return cost / g->shares[f];
}

/* Put the group at hand into a part. */
static void
put_group(Groups *g, uint32_t group, uint32_t f)
{
	for (uint32_t h = 0; h < g->n_here; h++)
		g->in_part[(size_t) f * g->n_classes + g->here[h]] += g->here_count[g->here[h]];
	g->part_rows[f] += group_size(g, group);
	g->part_of[group] = (uint16_t) f;
}

/*
 * Each group to the part where it costs least, or else the emptiest one; once no more groups are left
 * than empty parts, to those.
 */
static MlStatus
place_groups(Groups *g)
{
	uint32_t n_empty = g->n_parts;

	for (uint32_t i = 0; i < g->n_groups; i++)
	{
		uint32_t group = g->shuffled[(uint32_t) g->keys[i]];
		bool only_empty = g->n_groups - i <= n_empty;
		uint32_t best = UINT32_MAX;
		double best_cost = INFINITY;

		if (i % 64 == 0)
			ML_TRY(ml_poll(g->env));
		count_group(g, group);
		for (uint32_t f = 0; f < g->n_parts; f++)
		{
			double cost;

			if (only_empty && g->part_rows[f] > 0)
				continue;
			cost = cost_of(g, f);
			if (best == UINT32_MAX || cost < best_cost ||
				(cost == best_cost && g->part_rows[f] < g->part_rows[best]))
			{
				best = f;
				best_cost = cost;
			}
		}
		n_empty -= g->part_rows[best] == 0;
		put_group(g, group, best);
	}
	return ML_OK;
}

static MlStatus
too_few_groups(const Groups *g)
{
	MlEnv *env = g->env;

	if (g->n_groups == 1)
	{
		ml_fail(env, ML_EDATA, "group_by column \"%.64s\" has one group only", g->input->group);
		ml_hint(env, "Rows of one group are never split: at least two groups are needed.");
	}
	else
	{
		ml_fail(env, ML_EDATA, "%u folds cannot be made of the %u groups of column \"%.64s\"",
				g->n_parts, g->n_groups, g->input->group);
		ml_hint(env, "Use at most as many folds as there are groups.");
	}
	return ML_EDATA;
}

static MlStatus
assign_groups(Groups *g, uint16_t *part)
{
	ML_TRY(read_groups(g));
	ML_TRY(make_room(g));
	gather_members(g);
	ML_TRY(order_groups(g));
	if (g->n_groups < g->n_parts)
		return too_few_groups(g);
	ML_TRY(place_groups(g));
	for (size_t i = 0; i < g->input->rows.n; i++)
		part[i] = g->part_of[g->group[i]];
	return ML_OK;
}

MlStatus
ml_parts_by_group(MlEnv *env, const MlSplitInput *input, const double *shares, uint32_t n_parts,
				  uint16_t *part)
{
	bool classes = input->data->task == ML_CLASSIFICATION && input->data->target_column >= 0;
	Groups g = {
		.env = env,
		.input = input,
		.shares = shares,
		.n_parts = n_parts,
		.n_classes = classes ? input->data->n_classes : 1,
	};
	MlStatus status = assign_groups(&g, part);

	free_groups(&g);
	return status;
}

/* ---- in order ---- */

/* An integer that is ordered as the number is; minus zero is zero. */
static uint64_t
order_key(double value)
{
	uint64_t bits;

	value += 0.0;
	memcpy(&bits, &value, sizeof bits);
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/* Keys of rows, in their order. */
static MlStatus
read_keys(MlEnv *env, const MlSplitInput *in, uint64_t *keys)
{
	double block[TILE];

	for (size_t first = 0; first < in->rows.n; first += TILE)
	{
		size_t m = ML_MIN(in->rows.n - first, TILE);

		ML_TRY(ml_poll(env));
		if (in->rows.index)
			ml_frame_gather(in->data->frame, (uint32_t) in->order_column, in->rows.index + first, m,
							block);
		else
			ml_frame_read(in->data->frame, (uint32_t) in->order_column, first, m, block);
		for (size_t i = 0; i < m; i++)
			keys[first + i] = order_key(block[i]);
	}
	return ML_OK;
}

/* How many of n sorted keys are below (or, with_equal, not above) key. */
static size_t
rank_of(const uint64_t *sorted, size_t n, uint64_t key, bool with_equal)
{
	size_t low = 0, high = n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (sorted[middle] < key || (with_equal && sorted[middle] == key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first key of each part but the first; false: there are too few different values. */
static bool
find_cuts(const uint64_t *sorted, size_t n, const double *shares, uint32_t n_parts, uint64_t *cuts)
{
	size_t last = 0;
	double end = 0;

	for (uint32_t p = 0; p + 1 < n_parts; p++)
	{
		size_t wanted, low, high;

		end += shares[p];
		wanted = ML_MIN((size_t) floor((double) n * end + 0.5), n - 1);
		wanted = ML_MAX(wanted, last + 1);
		if (wanted >= n)
			return false;
		low = rank_of(sorted, n, sorted[wanted], false);
		high = rank_of(sorted, n, sorted[wanted], true);
		if (low <= last || (high < n && high - wanted < wanted - low))
			low = high;
		if (low >= n)
			return false;
		cuts[p] = sorted[low];
		last = low;
	}
	return true;
}

/* The parts of rows, once keys, spare and cuts have room. */
static MlStatus
cut_rows(MlEnv *env, const MlSplitInput *in, const double *shares, uint32_t n_parts, uint64_t *keys,
		 uint64_t *spare, uint64_t *cuts, uint16_t *part)
{
	size_t n = in->rows.n;

	ML_TRY(read_keys(env, in, keys));
	ML_TRY(sort_keys(env, keys, spare, n));
	if (!find_cuts(keys, n, shares, n_parts, cuts))
	{
		if (keys[0] == keys[n - 1])
			ml_fail(env, ML_EDATA, "order_by column \"%.64s\" has one value only", in->order);
		else
			ml_fail(env, ML_EDATA,
					"order_by column \"%.64s\" has too few different values for %u parts",
					in->order, n_parts);
		ml_hint(env, "Rows of one value are never split.");
		return ML_EDATA;
	}
	ML_TRY(read_keys(env, in, keys));
	for (size_t i = 0; i < n; i++)
		part[i] = (uint16_t) rank_of(cuts, n_parts - 1, keys[i], true);
	return ML_OK;
}

MlStatus
ml_parts_in_order(MlEnv *env, const MlSplitInput *input, const double *shares, uint32_t n_parts,
				  uint16_t *part)
{
	uint64_t *keys = ml_alloc_array(env, input->rows.n, sizeof(*keys));
	uint64_t *spare = ml_alloc_array(env, input->rows.n, sizeof(*spare));
	uint64_t *cuts = ml_alloc_array(env, n_parts, sizeof(*cuts));
	MlStatus status = keys && spare && cuts
						  ? cut_rows(env, input, shares, n_parts, keys, spare, cuts, part)
						  : ML_ENOMEM;

	ml_free(env, keys);
	ml_free(env, spare);
	ml_free(env, cuts);
	return status;
}
