/*
 * groups.c
 *		Rows counted by one or two keys, with the mean and spread of a number in each group.
 *
 * An open hash table that grows up to its limit. Kept are means and sums of squares around them (Welford 1962, merged
 * as Chan, Golub and LeVeque 1979), so that a large common offset costs digits once, not squared.
 */
#include <math.h>

#include "core/groups.h"
#include "core/rng.h"

#define FIRST_SLOTS 16

void
ml_groups_init(MlGroups *groups, MlEnv *env, size_t limit)
{
	*groups = (MlGroups){.env = env, .limit = limit};
}

void
ml_groups_free(MlGroups *groups)
{
	ml_free(groups->env, groups->slots);
	groups->slots = NULL;
	groups->n = groups->n_slots = 0;
}

/* The group of these keys: its own slot, or the free one where it belongs. There must be slots. */
static MlGroup *
find_group(const MlGroups *groups, uint64_t a, uint64_t b)
{
	size_t mask = groups->n_slots - 1, slot = ml_mix64(a ^ ml_mix64(b)) & mask;

	while (groups->slots[slot].n > 0 && (groups->slots[slot].a != a || groups->slots[slot].b != b))
		slot = (slot + 1) & mask;
	return &groups->slots[slot];
}

static MlStatus
grow(MlGroups *groups)
{
	MlGroups old = *groups;
	size_t n_slots = ML_MAX(old.n_slots * 2, FIRST_SLOTS);

	groups->slots = ml_zalloc_array(old.env, n_slots, sizeof(MlGroup));
	if (!groups->slots)
	{
		groups->slots = old.slots;
		return ML_ENOMEM;
	}
	groups->n_slots = n_slots;
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slots[i].n > 0)
			*find_group(groups, old.slots[i].a, old.slots[i].b) = old.slots[i];
	ml_free(old.env, old.slots);
	return ML_OK;
}

static void
give_up(MlGroups *groups)
{
	ml_groups_free(groups);
	groups->full = true;
}

/* The group of these keys, made when it is new (n is then 0); NULL: given up, or *status. */
static MlGroup *
enter_group(MlGroups *groups, uint64_t a, uint64_t b, MlStatus *status)
{
	MlGroup *group;

	*status = ML_OK;
	if (groups->full)
		return NULL;
	if (groups->n * 2 >= groups->n_slots && (*status = grow(groups)) != ML_OK)
		return NULL;
	group = find_group(groups, a, b);
	if (group->n > 0)
		return group;
	if (groups->n == groups->limit)
	{
		give_up(groups);
		return NULL;
	}
	groups->n++;
	group->a = a;
	group->b = b;
	return group;
}

MlStatus
ml_groups_add(MlGroups *groups, uint64_t a, uint64_t b, double number)
{
	MlStatus status;
	MlGroup *group = enter_group(groups, a, b, &status);
	double delta;

	if (!group)
		return status;
	delta = number - group->mean;
	group->mean += delta / (double) ++group->n;
	group->m2 += delta * (number - group->mean);
	return ML_OK;
}

/* Put other into group, which may be empty. */
static void
merge_group(MlGroup *group, const MlGroup *other)
{
	double n = (double) group->n + (double) other->n, share = (double) other->n / n;
	double delta = other->mean - group->mean;

	group->m2 += other->m2 + delta * delta * ((double) group->n * share);
	group->mean += delta * share;
	/* Saturated, so that no sum of hostile counts looks like a free slot. */
	group->n = other->n > UINT64_MAX - group->n ? UINT64_MAX : group->n + other->n;
}

MlStatus
ml_groups_merge(MlGroups *groups, const MlGroups *other)
{
	MlStatus status = ML_OK;

	if (other->full)
		give_up(groups);
	for (size_t i = 0; i < other->n_slots && !groups->full && status == ML_OK; i++)
	{
		const MlGroup *from = &other->slots[i];
		MlGroup *to = from->n > 0 ? enter_group(groups, from->a, from->b, &status) : NULL;

		if (to)
			merge_group(to, from);
	}
	return status;
}

/* ---- save and load */

#define GROUP_BYTES 40

void
ml_groups_save(const MlGroups *groups, MlBuffer *out)
{
	ml_put_u32(out, (uint32_t) groups->limit);
	ml_put_u8(out, groups->full);
	ml_put_u32(out, (uint32_t) groups->n);
	for (size_t i = 0; i < groups->n_slots; i++)
	{
		const MlGroup *group = &groups->slots[i];

		if (group->n == 0)
			continue;
		ml_put_u64(out, group->a);
		ml_put_u64(out, group->b);
		ml_put_u64(out, group->n);
		ml_put_f64(out, group->mean);
		ml_put_f64(out, group->m2);
	}
}

MlStatus
ml_groups_load(MlReader *in, MlGroups *groups)
{
	uint32_t limit = ml_get_u32(in);
	uint8_t full = ml_get_u8(in);
	uint32_t n = ml_get_count(in, GROUP_BYTES);
	MlStatus status = ML_OK;

	ml_groups_init(groups, in->env, limit);
	if (in->failed || full > 1 || n > (full ? 0 : limit))
		return ml_corrupt(in->env, "groups");
	groups->full = full;
	for (uint32_t i = 0; i < n && status == ML_OK; i++)
	{
		uint64_t a = ml_get_u64(in), b = ml_get_u64(in);
		MlGroup *group = enter_group(groups, a, b, &status);

		if (!group)
			return status;
		/* A group comes once, and has rows. */
		if (group->n > 0)
			return ml_corrupt(in->env, "group");
		group->n = ml_get_u64(in);
		group->mean = ml_get_f64(in);
		group->m2 = ml_get_f64(in);
		if (in->failed || group->n == 0)
			return ml_corrupt(in->env, "group");
	}
	return status;
}

/* ---- measures */

/* All groups as one; *within: the spread that is left inside of them. */
static MlGroup
sum_groups(const MlGroups *groups, double *within)
{
	MlGroup all = {0};

	*within = 0;
	for (size_t i = 0; i < groups->n_slots; i++)
		if (groups->slots[i].n > 0)
		{
			*within += groups->slots[i].m2;
			merge_group(&all, &groups->slots[i]);
		}
	return all;
}

uint64_t
ml_groups_rows(const MlGroups *groups)
{
	double within;

	return sum_groups(groups, &within).n;
}

double
ml_groups_contrast(const MlGroups *groups, uint64_t one)
{
	double within, mean[2] = {NAN, NAN}, share;
	MlGroup all = sum_groups(groups, &within);

	for (size_t i = 0; i < groups->n_slots; i++)
		if (groups->slots[i].n > 0)
			mean[groups->slots[i].a == one] = groups->slots[i].mean;
	share = 1 - within / all.m2;
	if (groups->full || groups->n != 2 || !(all.m2 > 0) || !isfinite(share))
		return NAN;
	return copysign(sqrt(ML_MIN(ML_MAX(share, 0.0), 1.0)), mean[1] - mean[0]);
}

double
ml_groups_eta(const MlGroups *groups)
{
	double within, n, k = (double) groups->n, share;
	MlGroup all = sum_groups(groups, &within);

	n = (double) all.n;
	if (groups->full || n <= k || !(all.m2 > 0) || !isfinite(all.m2))
		return NAN;
	/* 1 - eta^2 is the share within; by degrees of freedom it is unbiased. */
	share = within / all.m2 * ((n - 1) / (n - k));
	return sqrt(ML_MIN(ML_MAX(1 - share, 0.0), 1.0));
}

/* Rows by key a, or by key b. */
static MlStatus
sum_margin(const MlGroups *groups, bool by_b, MlGroups *margin)
{
	ml_groups_init(margin, groups->env, groups->limit);
	for (size_t i = 0; i < groups->n_slots; i++)
	{
		const MlGroup *from = &groups->slots[i];
		MlStatus status;
		MlGroup *to;

		if (from->n == 0)
			continue;
		to = enter_group(margin, by_b ? from->b : from->a, 0, &status);
		if (!to)
			return status;
		merge_group(to, from);
	}
	return ML_OK;
}

/* chi^2 / n = sum of n_ab^2 / (n_a n_b) - 1; *n: rows. */
static double
mean_chi2(const MlGroups *groups, const MlGroups *by_a, const MlGroups *by_b, double *n)
{
	double sum = 0;

	*n = 0;
	for (size_t i = 0; i < groups->n_slots; i++)
	{
		const MlGroup *group = &groups->slots[i];

		if (group->n == 0)
			continue;
		sum += (double) group->n / (double) find_group(by_a, group->a, 0)->n * (double) group->n /
			   (double) find_group(by_b, group->b, 0)->n;
		*n += (double) group->n;
	}
	return sum - 1;
}

/* V^2 = phi^2 / min(k - 1, r - 1), with phi^2, k and r less what chance gives them. */
static double
corrected_v(double phi2, double n, double k, double r)
{
	double bias = (k - 1) * (r - 1) / (n - 1);
	double k_left = k - (k - 1) * (k - 1) / (n - 1), r_left = r - (r - 1) * (r - 1) / (n - 1);
	double room = ML_MIN(k_left, r_left) - 1;

	if (n < 2 || k < 2 || r < 2 || !(room > 0))
		return NAN;
	return sqrt(ML_MIN(ML_MAX(phi2 - bias, 0.0) / room, 1.0));
}

MlStatus
ml_groups_cramers_v(const MlGroups *groups, double *v)
{
	MlGroups by_a = {.env = groups->env}, by_b = {.env = groups->env};
	MlStatus status;

	*v = NAN;
	if (groups->full || groups->n == 0)
		return ML_OK;
	status = sum_margin(groups, false, &by_a);
	if (status == ML_OK)
		status = sum_margin(groups, true, &by_b);
	if (status == ML_OK)
	{
		double n, phi2 = mean_chi2(groups, &by_a, &by_b, &n);

		*v = corrected_v(phi2, n, (double) by_a.n, (double) by_b.n);
	}
	ml_groups_free(&by_a);
	ml_groups_free(&by_b);
	return status;
}
