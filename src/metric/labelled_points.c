/*
 * labelled_points.c
 *		Points of a clustering: counted by hash, and cut to those of the least hashes.
 *
 * A hash stands for its row: two rows with one hash of 64 bits are taken for equal.
 * Once points are left out, no hash from the limit on comes back, so that the
 * counts of those that stay are complete.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/silhouette.h"
#include "metric/labelled_points.h"

/* Cut when there are twice as many as are wanted. */
#define ROOM (2 * ML_POINTS_MAX)

void
ml_points_free(MlLabelledPoints *p, MlEnv *env)
{
	ml_free(env, p->slots);
	ml_free(env, p->x);
	ml_free(env, p->points);
	memset(p, 0, sizeof *p);
}

/* ---- the table */

/* The slot of a hash, or the free one where it belongs. */
static size_t
find_slot(const MlLabelledPoints *p, uint64_t hash)
{
	size_t slot = hash & (p->n_slots - 1);

	while (p->slots[slot] != 0 && p->points[p->slots[slot] - 1].hash != hash)
		slot = (slot + 1) & (p->n_slots - 1);
	return slot;
}

/* Put all points into empty slots. */
static void
fill_slots(MlLabelledPoints *p)
{
	memset(p->slots, 0, p->n_slots * sizeof *p->slots);
	for (size_t i = 0; i < p->n; i++)
		p->slots[find_slot(p, p->points[i].hash)] = (uint32_t) i + 1;
}

/* Room for one point more. */
static MlStatus
grow(MlLabelledPoints *p, MlEnv *env)
{
	size_t n_slots = p->n_slots ? 2 * p->n_slots : 16;

	ML_TRY(ml_grow(env, &p->points, &p->capacity, p->n + 1, sizeof *p->points));
	ML_TRY(ml_grow(env, &p->x, &p->x_capacity, (p->n + 1) * ML_MAX(p->width, 1), sizeof *p->x));
	if (2 * (p->n + 1) > p->n_slots)
	{
		uint32_t *slots = ml_alloc_array(env, n_slots, sizeof *slots);

		if (!slots)
			return ML_ENOMEM;
		ml_free(env, p->slots);
		p->slots = slots;
		p->n_slots = n_slots;
		fill_slots(p);
	}
	return ML_OK;
}

static int
compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

/* The hash that only ML_POINTS_MAX points are below; 0: there are no more points than that. */
static MlStatus
find_limit(const MlLabelledPoints *p, MlEnv *env, uint64_t *limit)
{
	uint64_t *hashes;

	*limit = 0;
	if (p->n <= ML_POINTS_MAX)
		return ML_OK;
	hashes = ml_alloc_array(env, p->n, sizeof *hashes);
	if (!hashes)
		return ML_ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		hashes[i] = p->points[i].hash;
	qsort(hashes, p->n, sizeof *hashes, compare_hashes);
	*limit = hashes[ML_POINTS_MAX];
	ml_free(env, hashes);
	return ML_OK;
}

/* Leave out the points whose hash is not below the limit. */
static void
leave_out(MlLabelledPoints *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++)
	{
		if (p->points[i].hash >= p->limit)
			continue;
		p->points[kept] = p->points[i];
		memmove(p->x + kept * p->width, p->x + i * p->width, p->width * sizeof *p->x);
		kept++;
	}
	p->n = kept;
	if (p->n_slots > 0)
		fill_slots(p);
}

/* Keep the points of the least hashes. */
static MlStatus
cut(MlLabelledPoints *p, MlEnv *env)
{
	ML_TRY(find_limit(p, env, &p->limit));
	leave_out(p);
	return ML_OK;
}

/* Count a point; x is copied where it is new. */
static MlStatus
count_point(MlLabelledPoints *p, MlEnv *env, const MlLabelledPoint *point, const double *x)
{
	size_t slot;

	if (p->limit > 0 && point->hash >= p->limit)
		return ML_OK;
	ML_TRY(grow(p, env));
	slot = find_slot(p, point->hash);
	if (p->slots[slot] != 0)
	{
		p->points[p->slots[slot] - 1].count += point->count;
		return ML_OK;
	}
	p->points[p->n] = *point;
	memmove(p->x + p->n * p->width, x, p->width * sizeof *x); /* x may stand there already */
	p->slots[slot] = (uint32_t) ++p->n;
	return p->n == ROOM ? cut(p, env) : ML_OK;
}

static MlStatus
other_width(MlEnv *env, size_t a, size_t b)
{
	return ml_fail(env, ML_EDATA,
				   "the array of features has %zu elements in one row and %zu in others", a, b);
}

MlStatus
ml_points_add(MlLabelledPoints *p, MlEnv *env, uint64_t label, const double *x, size_t width,
			  double count)
{
	MlLabelledPoint point = {ml_mix64(label), label, count};

	if (p->n > 0 && width != p->width)
		return other_width(env, width, p->width);
	p->width = width;
	for (size_t j = 0; j < width; j++)
	{
		double value = x[j] == 0 ? 0 : x[j]; /* no minus zero */

		if (!isfinite(value))
			return ml_fail(env, ML_EDATA, "features must be finite");
		point.hash = ml_hash_bytes(&value, sizeof value, point.hash);
	}
	return count_point(p, env, &point, x);
}

MlStatus
ml_points_merge(MlLabelledPoints *p, MlEnv *env, const MlLabelledPoints *other)
{
	if (other->n == 0)
		return ML_OK;
	if (p->n > 0 && p->width != other->width)
		return other_width(env, other->width, p->width);
	p->width = other->width;
	if (other->limit > 0 && (p->limit == 0 || other->limit < p->limit))
	{
		p->limit = other->limit;
		leave_out(p);
	}
	for (size_t i = 0; i < other->n; i++)
		ML_TRY(count_point(p, env, &other->points[i], other->x + i * p->width));
	return ML_OK;
}

/* ---- the result */

static int
compare_points(const void *a, const void *b)
{
	const MlLabelledPoint *const *x = a, *const *y = b;

	if ((*x)->label != (*y)->label)
		return (*x)->label < (*y)->label ? -1 : 1;
	return (*x)->hash < (*y)->hash ? -1 : (*x)->hash > (*y)->hash;
}

/* The points below the limit in the order of labels and hashes, so that the sum does not depend on the rows' order. */
static MlStatus
measure(const MlLabelledPoints *p, MlEnv *env, uint64_t limit, const MlLabelledPoint **order,
		double *mean)
{
	double *x = ml_alloc_array(env, p->n, (p->width + 1) * sizeof *x);
	double *count = ml_alloc_array(env, p->n, sizeof *count);
	uint32_t *label = ml_alloc_array(env, p->n, sizeof *label);
	MlSilhouettePoints points = {.x = x, .width = p->width, .label = label, .count = count};
	MlStatus status = x && count && label ? ML_OK : ML_ENOMEM;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
	{
		if (limit == 0 || p->points[i].hash < limit)
			order[n++] = &p->points[i];
	}
	qsort(order, n, sizeof *order, compare_points);
	for (size_t i = 0; i < n && status == ML_OK; i++)
	{
		size_t from = (size_t) (order[i] - p->points);

		points.n_labels += i == 0 || order[i]->label != order[i - 1]->label;
		label[i] = points.n_labels - 1;
		count[i] = order[i]->count;
		memcpy(x + i * p->width, p->x + from * p->width, p->width * sizeof *x);
	}
	points.n = n;
	if (status == ML_OK)
		status = ml_silhouette(env, &points, mean);
	ml_free(env, label);
	ml_free(env, count);
	ml_free(env, x);
	return status;
}

MlStatus
ml_points_silhouette(const MlLabelledPoints *p, MlEnv *env, double *mean)
{
	const MlLabelledPoint **order;
	uint64_t limit;
	MlStatus status;

	*mean = NAN;
	if (p->n == 0)
		return ML_OK;
	ML_TRY(find_limit(p, env, &limit));
	order = ml_alloc_array(env, p->n, sizeof *order);
	if (!order)
		return ML_ENOMEM;
	status = measure(p, env, limit, order, mean);
	ml_free(env, order);
	return status;
}

/* ---- travelling */

void
ml_points_save(const MlLabelledPoints *p, MlBuffer *out)
{
	ml_put_u32(out, (uint32_t) p->width);
	ml_put_u32(out, (uint32_t) p->n);
	ml_put_u64(out, p->limit);
	for (size_t i = 0; i < p->n; i++)
	{
		ml_put_u64(out, p->points[i].hash);
		ml_put_u64(out, p->points[i].label);
		ml_put_f64(out, p->points[i].count);
		ml_put_f64_array(out, p->x + i * p->width, p->width);
	}
}

/* Hashes are taken as they stand: a wrong one can only spoil its owner's result. */
MlStatus
ml_points_load(MlReader *in, MlEnv *env, MlLabelledPoints *p)
{
	size_t width = ml_get_u32(in), n = ml_get_u32(in);
	uint64_t limit = ml_get_u64(in);

	memset(p, 0, sizeof *p);
	if (in->failed || n >= ROOM ||
		(double) n * (3 + (double) width) * 8 > (double) (in->len - in->pos))
		return ml_corrupt(env, "points of a clustering");
	p->width = width;
	p->limit = limit;
	for (size_t i = 0; i < n; i++)
	{
		MlLabelledPoint point;
		size_t before = p->n;
		bool sound = true;

		ML_TRY(grow(p, env));
		point.hash = ml_get_u64(in);
		point.label = ml_get_u64(in);
		point.count = ml_get_f64(in);
		for (size_t j = 0; j < width; j++)
		{
			p->x[p->n * width + j] = ml_get_f64(in);
			sound &= isfinite(p->x[p->n * width + j]);
		}
		if (!sound || !(point.count >= 0) || isinf(point.count))
			return ml_corrupt(env, "a point of a clustering");
		ML_TRY(count_point(p, env, &point, p->x + p->n * width));
		if (p->n != before + 1)
			return ml_corrupt(env, "a point of a clustering appears twice");
	}
	return ml_reader_check(in, "points of a clustering");
}
