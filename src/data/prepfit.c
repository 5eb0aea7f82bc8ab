/*
 * prepfit.c
 *		Fitting a recipe to training rows: bounds, fills, scales, bins, levels.
 *
 * Columns are fitted in batches, so that what a batch needs stays within bounds
 * however many columns there are. A batch goes through stages: *settle* what the
 * one before has measured, *scan* all rows for moments or counts. Within a scan
 * each column is a task of a thread; threads change nothing about the result.
 *
 * Moments and counts come from all rows. Quantiles (clip, median, mode, robust,
 * quantile bins, and the exponent of Yeo and Johnson) come from a *sample*: all
 * rows up to SAMPLE_ROWS of them, else so many, one from each of as many equal
 * stretches of the rows. The rank of a quantile of the sample is off by 0.1 % of
 * the rows (one standard deviation) at most. Quantiles interpolate, as those of
 * scikit-learn, and do not look at weights.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pool.h"
#include "core/rng.h"
#include "data/columnstats.h"
#include "data/prep_inner.h"

#define BLOCK ML_COLUMN_BLOCK
#define SEGMENT ((size_t) 64 * BLOCK) /* rows between two polls of cancel */
#define SAMPLE_ROWS ((size_t) 1 << 18)
#define POWER_ROWS ((size_t) 1 << 14) /* of the sample, to fit an exponent */
#define BATCH_COLUMNS 64u
#define BATCH_BYTES ((size_t) 64 << 20) /* of samples and counts, but one column at least */
#define SAMPLE_STREAM 211               /* of random numbers */

/* What is measured of one column while it is fitted. */
typedef struct Work
{
	const MlPrepStep *step;
	MlPrepColumn *column;
	MlColumnMoments moments; /* of the last scan */
	double *sample;          /* of quantiles, or NULL */
	size_t n_sample;         /* values in it */
	uint64_t *counts;        /* rows by level, [n_codes] missing; or NULL */
	bool infinite;
} Work;

/* A batch of columns. */
typedef struct Batch
{
	MlEnv *env;
	MlArena *arena;
	const MlDataset *data;
	const MlRows *rows;
	MlRows sample; /* the rows that quantiles come from */
	Work *work;    /* n */
	size_t n;
	size_t first, count; /* the segment of a scan */
	bool prepared;       /* scan what scale and bins see; else what is imputed */
} Batch;

/* ---- samples ---- */

/* Is it a column of levels, not of numbers? */
static bool
has_levels(const MlPrepStep *step)
{
	return step->column.encoding != ML_ENCODE_AUTO && !step->column.binned;
}

static bool
needs_sample(const MlPrepStep *step)
{
	if (step->passes || has_levels(step))
		return false;
	return step->clips || step->impute == ML_IMPUTE_MEDIAN || step->impute == ML_IMPUTE_MODE ||
		   step->scale == ML_SCALE_ROBUST || step->column.power == ML_POWER_YEO_JOHNSON ||
		   step->column.binned;
}

/* One row from each of SAMPLE_ROWS equal stretches; all rows where there are no more. */
static MlStatus
choose_sample(Batch *b, uint64_t seed, uint32_t **index)
{
	size_t n = b->rows->n;
	MlRng rng;

	*index = NULL;
	b->sample = *b->rows;
	if (n <= SAMPLE_ROWS)
		return ML_OK;
	*index = ml_alloc_array(b->env, SAMPLE_ROWS, sizeof(uint32_t));
	if (!*index)
		return ML_ENOMEM;
	ml_rng_seed(&rng, seed, SAMPLE_STREAM);
	for (size_t k = 0; k < SAMPLE_ROWS; k++)
	{
		size_t from = n * k / SAMPLE_ROWS, to = n * (k + 1) / SAMPLE_ROWS;
		size_t i = from + (size_t) ml_rng_below(&rng, to - from);

		(*index)[k] = b->rows->index ? b->rows->index[i] : (uint32_t) i;
	}
	b->sample = (MlRows){*index, SAMPLE_ROWS};
	return ML_OK;
}

static int
compare_numbers(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* How far a value is taken through the steps before it is sampled. */
typedef enum Depth
{
	RAW,
	CLIPPED, /* what a fill is computed from */
	FILLED,  /* what the exponent of a power is fitted to */
	PREPARED /* what scale and bins see */
} Depth;

/* A value at a depth; NaN where it is missing there. */
static double
value_at(const MlPrepColumn *column, double value, Depth depth)
{
	double clipped;

	if (depth == RAW)
		return value;
	if (depth == PREPARED)
		return ml_prep_number(column, value);
	clipped = value < column->low ? column->low : value > column->high ? column->high : value;
	if (depth == FILLED)
		return clipped == clipped ? clipped : column->fill;
	return isnan(ml_prep_power(column, clipped)) ? NAN : clipped;
}

/* The sample of a column in ascending order, without what is missing. */
static void
take_sample(const Batch *b, Work *w, Depth depth)
{
	size_t n = 0;

	ml_prep_source(w->column, b->data, &b->sample, 0, b->sample.n, w->sample);
	for (size_t i = 0; i < b->sample.n; i++)
	{
		double value = value_at(w->column, w->sample[i], depth);

		if (value == value)
			w->sample[n++] = value;
	}
	w->n_sample = n;
	qsort(w->sample, n, sizeof(double), compare_numbers);
}

/* The quantile p of the sample, between two values in proportion; NaN: it is empty. */
static double
quantile(const Work *w, double p)
{
	double at, low;
	size_t i;

	if (w->n_sample == 0)
		return NAN;
	at = p * (double) (w->n_sample - 1);
	i = (size_t) at;
	low = w->sample[i];
	if (i + 1 >= w->n_sample || at == (double) i || low == w->sample[i + 1])
		return low;
	return low + (w->sample[i + 1] - low) * (at - (double) i);
}

/* The most frequent value of the sample, the least of several; NaN: it is empty. */
static double
mode_of(const Work *w)
{
	size_t longest = 0;
	double mode = NAN;

	for (size_t i = 0; i < w->n_sample;)
	{
		size_t end = i + 1;

		while (end < w->n_sample && w->sample[end] == w->sample[i])
			end++;
		if (end - i > longest)
		{
			longest = end - i;
			mode = w->sample[i];
		}
		i = end;
	}
	return mode;
}

/* ---- the exponent of Yeo and Johnson ---- */

/* The log likelihood of the sample being normal after the transform, but for constants. */
static double
normal_likelihood(const MlPrepColumn *column, const double *x, size_t n, size_t stride)
{
	double mean = 0, m2 = 0, jacobian = 0, count = 0;

	for (size_t i = 0; i < n; i += stride)
	{
		double y = ml_prep_power(column, x[i]), delta = y - mean;

		count++;
		mean += delta / count;
		m2 += delta * (y - mean);
		jacobian += copysign(log1p(fabs(x[i])), x[i]);
	}
	if (!(m2 > 0) || !isfinite(m2))
		return -INFINITY;
	return -count / 2 * log(m2 / count) + (column->lambda - 1) * jacobian;
}

/* Maximise over the exponent by golden sections of [-4, 6], in which the likelihood has one top. */
static void
fit_exponent(Work *w)
{
	static const double ratio = 0.61803398874989485;
	size_t stride = ML_MAX(w->n_sample / POWER_ROWS, (size_t) 1);
	double low = -4, high = 6, a = high - ratio * (high - low), b = low + ratio * (high - low);
	double at_a, at_b;
	MlPrepColumn *column = w->column;

	column->lambda = a;
	at_a = normal_likelihood(column, w->sample, w->n_sample, stride);
	column->lambda = b;
	at_b = normal_likelihood(column, w->sample, w->n_sample, stride);
	while (high - low > 1e-8)
	{
		bool left = at_a >= at_b;

		if (left)
		{
			high = b;
			b = a;
			at_b = at_a;
			column->lambda = a = high - ratio * (high - low);
			at_a = normal_likelihood(column, w->sample, w->n_sample, stride);
		}
		else
		{
			low = a;
			a = b;
			at_a = at_b;
			column->lambda = b = low + ratio * (high - low);
			at_b = normal_likelihood(column, w->sample, w->n_sample, stride);
		}
	}
	column->lambda = (low + high) / 2;
	if (!isfinite(at_a) && !isfinite(at_b))
		column->lambda = 1; /* constant, or nothing there: as it is */
}

/* ---- stages ---- */

/* Bounds from quantiles. */
static void
settle_clip(const Batch *b, Work *w)
{
	double low = w->column->low, high = w->column->high;

	if (!w->step->clips)
		return;
	w->column->low = -INFINITY;
	w->column->high = INFINITY;
	take_sample(b, w, RAW);
	if (w->n_sample == 0)
		return;
	w->column->low = quantile(w, low);
	w->column->high = quantile(w, high);
}

/* What is filled in for missing numbers, from the first scan; and the exponent, which sees it. */
static void
settle_fill(const Batch *b, Work *w)
{
	const MlColumnMoments *m = &w->moments;

	if (w->step->passes || has_levels(w->step))
		return;
	if (w->step->impute == ML_IMPUTE_MEAN)
		w->column->fill = m->weight > 0 ? m->min < m->max ? m->mean : m->min : 0;
	else if (w->step->impute == ML_IMPUTE_MEDIAN || w->step->impute == ML_IMPUTE_MODE)
	{
		take_sample(b, w, CLIPPED);
		w->column->fill = w->step->impute == ML_IMPUTE_MEDIAN ? quantile(w, 0.5) : mode_of(w);
		if (w->n_sample == 0)
			w->column->fill = 0;
	}
	w->infinite = isinf(w->column->fill);
	w->column->indicator =
		w->step->indicator == ML_INDICATOR_YES ||
		(w->step->indicator == ML_INDICATOR_IF_MISSING && m->missing_weight > 0 && m->weight > 0);
	if (w->column->power == ML_POWER_YEO_JOHNSON)
	{
		take_sample(b, w, FILLED);
		fit_exponent(w);
	}
	w->column->filled = ml_prep_power(w->column, w->column->fill);
}

/* Centre and scale, from the second scan. A constant column is only centred. */
static void
settle_scale(const Batch *b, Work *w)
{
	const MlColumnMoments *m = &w->moments;
	MlPrepColumn *column = w->column;
	double scale = 1, center = 0;

	if (column->form == ML_PREP_CYCLE)
		return;
	if (w->step->scale == ML_SCALE_STANDARD && m->weight > 0)
	{
		center = m->min < m->max ? m->mean : m->min;
		scale = m->min < m->max ? sqrt(m->m2 / m->weight) : 1;
	}
	else if (w->step->scale == ML_SCALE_MINMAX && m->weight > 0)
	{
		center = m->min;
		scale = m->max - m->min;
	}
	else if (w->step->scale == ML_SCALE_ROBUST)
	{
		take_sample(b, w, PREPARED);
		center = w->n_sample > 0 ? quantile(w, 0.5) : 0;
		scale = w->n_sample > 0 ? quantile(w, 0.75) - quantile(w, 0.25) : 1;
	}
	w->infinite |= !isfinite(center) || !isfinite(scale);
	column->center = center;
	column->scale = scale > 0 ? scale : 1;
}

/* Edges of bins that are not given; equal ones are one. */
static void
settle_bins(const Batch *b, Work *w)
{
	MlPrepColumn *column = w->column;
	const MlColumnMoments *m = &w->moments;
	uint32_t n = w->step->n_bins;

	if (!column->binned || w->step->bins == ML_BINS_EDGES)
		return;
	column->n_edges = 0;
	if (w->step->bins == ML_BINS_QUANTILE)
		take_sample(b, w, PREPARED);
	for (uint32_t k = 1; k < n && m->weight > 0 && m->min < m->max; k++)
	{
		double edge = w->step->bins == ML_BINS_QUANTILE
						  ? quantile(w, (double) k / n)
						  : m->min + (m->max - m->min) * ((double) k / n);

		w->infinite |= !isfinite(edge);
		/* Nothing is below the least value. */
		if (edge > m->min && (column->n_edges == 0 || edge > column->edges[column->n_edges - 1]))
			column->edges[column->n_edges++] = edge;
	}
	column->n_codes = column->n_edges + 1;
}

/* A task of settling: one column. */
typedef struct Settle
{
	const Batch *batch;
	void (*settle)(const Batch *, Work *);
} Settle;

static void
settle_column(void *arg, size_t at, int worker)
{
	const Settle *s = arg;

	(void) worker;
	s->settle(s->batch, &s->batch->work[at]);
}

static MlStatus
settle_all(Batch *b, void (*settle)(const Batch *, Work *))
{
	Settle s = {b, settle};

	return ml_pool_run(b->env, b->n, settle_column, &s);
}

/* Does the scan tell something about the column that a stage asks for? */
static bool
needs_scan(const Batch *b, const Work *w)
{
	const MlPrepStep *step = w->step;

	if (step->passes)
		return false;
	if (has_levels(step))
		return w->counts && !b->prepared;
	if (b->prepared)
		return (step->scale != ML_SCALE_NONE && step->scale != ML_SCALE_ROBUST) ||
			   (w->column->binned && step->bins != ML_BINS_EDGES);
	return step->impute == ML_IMPUTE_MEAN || step->indicator == ML_INDICATOR_IF_MISSING ||
		   w->column->binned;
}

/* A task of a scan: one column over the segment. */
static void
scan_column(void *arg, size_t at, int worker)
{
	const Batch *b = arg;
	Work *w = &b->work[at];
	double x[BLOCK], weight[BLOCK];

	(void) worker;
	if (!needs_scan(b, w))
		return;
	for (size_t i = 0; i < b->count; i += BLOCK)
	{
		size_t n = ML_MIN(b->count - i, (size_t) BLOCK);

		ml_prep_source(w->column, b->data, b->rows, b->first + i, n, x);
		if (w->counts)
		{
			ml_levels_count(w->counts, w->column->n_codes, x, n);
			continue;
		}
		for (size_t k = 0; k < n; k++)
			x[k] = value_at(w->column, x[k], b->prepared ? PREPARED : CLIPPED);
		ml_dataset_weight(b->data, b->rows, b->first + i, n, weight);
		ml_column_moments_add(&w->moments, x, weight, n);
	}
}

static MlStatus
scan_rows(Batch *b, bool prepared)
{
	bool any = false;

	b->prepared = prepared;
	for (size_t i = 0; i < b->n; i++)
	{
		if (!needs_scan(b, &b->work[i]))
			continue;
		ml_column_moments_init(&b->work[i].moments);
		any = true;
	}
	for (b->first = 0; any && b->first < b->rows->n; b->first += SEGMENT)
	{
		b->count = ML_MIN(b->rows->n - b->first, SEGMENT);
		ML_TRY(ml_pool_run(b->env, b->n, scan_column, b));
	}
	return ML_OK;
}

/* ---- levels ---- */

/* The codes of a dictionary by their bytes: chunks sorted, then merged, so that cancel can be polled. */
static MlStatus
sort_codes(MlEnv *env, const MlDict *dict, uint32_t *codes, uint32_t *other, uint32_t n)
{
	uint32_t *from = codes, *to = other;

	for (uint32_t i = 0; i < n; i++)
		codes[i] = i;
	for (size_t width = 1; width < n; width *= 2)
	{
		uint32_t *swap = from;

		for (size_t left = 0; left < n; left += 2 * width)
		{
			size_t middle = ML_MIN(left + width, (size_t) n),
				   end = ML_MIN(left + 2 * width, (size_t) n);
			size_t i = left, k = middle;

			for (size_t at = left; at < end; at++)
			{
				bool first = k == end || (i < middle && strcmp(ml_dict_text(dict, from[i]),
															   ml_dict_text(dict, from[k])) <= 0);

				if (at % 8192 == 0)
					ML_TRY(ml_poll(env));
				to[at] = first ? from[i++] : from[k++];
			}
		}
		from = to;
		to = swap;
	}
	if (from != codes)
		memcpy(codes, from, n * sizeof *codes);
	return ML_OK;
}

/* The number of a level is its place in the sorted order. */
static MlStatus
number_sorted(MlEnv *env, const MlDict *dict, MlPrepColumn *column)
{
	uint32_t n = column->n_codes;
	uint32_t *codes = ml_alloc_array(env, 2 * (size_t) n + 1, sizeof *codes);
	MlStatus status;

	if (!codes)
		return ML_ENOMEM;
	status = sort_codes(env, dict, codes, codes + n, n);
	for (uint32_t i = 0; i < n && status == ML_OK; i++)
		column->table[codes[i]] = i;
	ml_free(env, codes);
	return status;
}

/* The number of a level is its place in the order that was given; others are missing. */
static MlStatus
number_given(MlEnv *env, const MlDict *dict, const MlJson *order, MlPrepColumn *column,
			 const char *name)
{
	size_t known = 0;

	for (uint32_t code = 0; code < column->n_codes; code++)
		column->table[code] = NAN;
	for (size_t i = 0; i < order->n; i++)
	{
		uint32_t code = ml_dict_find(dict, order->items[i].string, strlen(order->items[i].string));

		if (code == ML_NO_LEVEL || code >= column->n_codes)
			continue;
		column->table[code] = (double) i;
		known++;
	}
	if (known > 0)
		return ML_OK;
	ml_fail(env, ML_EINVAL, "option \"order\" of prep: column \"%.64s\" has none of these levels",
			name);
	ml_hint(env, "Levels are written as the column's text shows them.");
	return ML_EINVAL;
}

/* Place for the numbers of levels, of missing and of unseen ones. */
static MlStatus
make_table(MlArena *arena, MlPrepColumn *column, uint32_t n_values)
{
	column->n_values = n_values;
	return ml_arena_zeros(arena, ((size_t) column->n_codes + 2) * n_values, sizeof(double),
						  &column->table);
}

static MlStatus
number_levels(Batch *b, Work *w)
{
	const MlFeature *source = &b->data->schema->features[w->column->feature];
	const MlDict *dict = b->data->schema->inputs[source->input].levels;
	uint32_t n = w->column->n_codes;

	ML_TRY(make_table(b->arena, w->column, 1));
	w->column->table[n] = w->column->table[n + 1] = NAN;
	for (uint32_t code = 0; code < n && w->column->binned; code++)
		w->column->table[code] = code;
	if (w->column->binned)
		return ML_OK;
	return w->step->order ? number_given(b->env, dict, w->step->order, w->column, w->step->name)
						  : number_sorted(b->env, dict, w->column);
}

/* The number of a level is its share of the rows. */
static MlStatus
share_levels(Batch *b, Work *w)
{
	uint32_t n = w->column->n_codes;

	ML_TRY(make_table(b->arena, w->column, 1));
	for (uint32_t code = 0; code <= n; code++)
		w->column->table[code] = (double) w->counts[code] / (double) b->rows->n;
	if (w->column->fill_code != ML_NO_LEVEL)
		w->column->table[w->column->fill_code] += w->column->table[n];
	return ML_OK;
}

/* The levels that get an output: the most frequent ones, and missing where it occurs and stays. */
static MlStatus
keep_levels(Batch *b, Work *w)
{
	MlPrepColumn *column = w->column;
	const MlFeature *source = &b->data->schema->features[column->feature];
	const MlDict *dict = b->data->schema->inputs[source->input].levels;
	uint32_t at_most = ML_MIN(column->n_codes, w->step->top), n_seen;
	bool missing = column->fill_code == ML_NO_LEVEL &&
				   (w->counts ? w->counts[column->n_codes] > 0
							  : isnan(column->filled) && w->moments.missing_weight > 0);
	bool all = column->binned || column->encoding == ML_ENCODE_HASH;
	MlLevel *levels = ml_alloc_array(b->env, (size_t) at_most + 1, sizeof *levels);

	column->kept = ml_arena_array(b->arena, (size_t) at_most + 1, sizeof(uint32_t));
	if (!levels || !column->kept)
	{
		ml_free(b->env, levels);
		return ML_ENOMEM;
	}
	if (w->counts && column->fill_code != ML_NO_LEVEL)
	{
		w->counts[column->fill_code] += w->counts[column->n_codes];
		w->counts[column->n_codes] = 0;
	}
	column->n_kept =
		all ? at_most : ml_levels_rank(dict, column->n_codes, w->counts, at_most, levels, &n_seen);
	for (uint32_t k = 0; k < column->n_kept; k++)
		column->kept[k] = all ? k : levels[k].code;
	if (missing)
		column->kept[column->n_kept++] = column->n_codes;
	ml_free(b->env, levels);
	return ML_OK;
}

/* The most frequent level stands for missing ones. */
static void
fill_by_mode(const Batch *b, Work *w)
{
	const MlFeature *source = &b->data->schema->features[w->column->feature];
	MlLevel first;
	uint32_t n_seen;

	if (ml_levels_rank(b->data->schema->inputs[source->input].levels, w->column->n_codes, w->counts,
					   1, &first, &n_seen) > 0)
		w->column->fill_code = first.code;
}

/* What is known of levels once they are counted, or bins once they are cut. */
static MlStatus
settle_levels(Batch *b, Work *w)
{
	if (w->counts && w->step->impute == ML_IMPUTE_MODE)
		fill_by_mode(b, w);
	if (has_levels(w->step))
		w->column->indicator = w->step->indicator == ML_INDICATOR_YES;
	if (w->column->form == ML_PREP_ONE_HOT)
		return keep_levels(b, w);
	if (w->column->form == ML_PREP_TABLE && w->column->encoding == ML_ENCODE_ORDINAL)
		return number_levels(b, w);
	if (w->column->form == ML_PREP_TABLE && w->column->encoding == ML_ENCODE_FREQUENCY)
		return share_levels(b, w);
	return ML_OK;
}

/* ---- batches ---- */

/* A column that a fit cannot use. */
static MlStatus
check_column(const Batch *b, const Work *w)
{
	if (w->infinite)
	{
		ml_fail(b->env, ML_EDATA,
				"column \"%.64s\" has infinite or too large values, which cannot "
				"be imputed, scaled or cut into bins",
				w->step->name);
		ml_hint(b->env, "Bound them by \"clip\": {\"min\": ..., \"max\": ...}.");
		return ML_EDATA;
	}
	if (w->step->impute == ML_IMPUTE_CONSTANT && w->column->fill == w->column->fill &&
		isnan(w->column->filled))
		return ml_fail(
			b->env, ML_EINVAL,
			"option \"power\" of prep: column \"%.64s\" is imputed by %g, for which it is "
			"not defined",
			w->step->name, w->column->fill);
	return ML_OK;
}

/* The stages of a batch whose work is laid out. */
static MlStatus
fit_batch(Batch *b)
{
	ML_TRY(settle_all(b, settle_clip));
	ML_TRY(scan_rows(b, false));
	ML_TRY(settle_all(b, settle_fill));
	ML_TRY(scan_rows(b, true));
	ML_TRY(settle_all(b, settle_bins));
	ML_TRY(settle_all(b, settle_scale));
	for (size_t i = 0; i < b->n; i++)
	{
		ML_TRY(ml_poll(b->env));
		ML_TRY(check_column(b, &b->work[i]));
		ML_TRY(settle_levels(b, &b->work[i]));
	}
	return ML_OK;
}

/* Does the column count its levels? */
static bool
needs_counts(const MlPrepStep *step)
{
	return has_levels(step) && !step->passes &&
		   (step->impute == ML_IMPUTE_MODE || step->column.form == ML_PREP_ONE_HOT ||
			step->column.encoding == ML_ENCODE_FREQUENCY);
}

/* The bytes that a column takes while it is fitted. */
static size_t
bytes_of(const Batch *b, const MlPrepStep *step)
{
	const MlFeature *feature = &b->data->schema->features[step->column.feature];

	if (needs_counts(step))
		return ((size_t) feature->n_levels + 1) * sizeof(uint64_t);
	return needs_sample(step) ? b->sample.n * sizeof(double) : 0;
}

/* Room for what is measured of a column. */
static MlStatus
begin_column(const Batch *b, const MlPrepStep *step, MlPrepColumn *column, Work *w)
{
	const MlFeature *feature = &b->data->schema->features[step->column.feature];

	*w = (Work){.step = step, .column = column};
	ml_column_moments_init(&w->moments);
	*column = step->column;
	if (feature->categorical)
		column->n_codes = feature->n_levels;
	if (column->binned && step->bins != ML_BINS_EDGES)
	{
		column->edges = ml_arena_array(b->arena, step->n_bins, sizeof(double));
		if (!column->edges)
			return ML_ENOMEM;
	}
	if (needs_counts(step))
	{
		w->counts = ml_zalloc_array(b->env, (size_t) feature->n_levels + 1, sizeof(uint64_t));
		return w->counts ? ML_OK : ML_ENOMEM;
	}
	if (!needs_sample(step))
		return ML_OK;
	w->sample = ml_alloc_array(b->env, b->sample.n + 1, sizeof(double));
	return w->sample ? ML_OK : ML_ENOMEM;
}

/* Fit the columns from *at on, as many as a batch may have. */
static MlStatus
next_batch(Batch *b, const MlPrepPlan *plan, MlPrep *prep, size_t *at)
{
	Work work[BATCH_COLUMNS];
	size_t bytes = 0;
	MlStatus status = ML_OK;

	b->work = work;
	for (b->n = 0; b->n < BATCH_COLUMNS && *at < plan->n && status == ML_OK; b->n++, (*at)++)
	{
		bytes += bytes_of(b, &plan->steps[*at]);
		if (b->n > 0 && bytes > BATCH_BYTES)
			break;
		status = begin_column(b, &plan->steps[*at], &prep->columns[*at], &work[b->n]);
	}
	if (status == ML_OK)
		status = fit_batch(b);
	for (size_t i = 0; i < b->n; i++)
	{
		ml_free(b->env, work[i].sample);
		ml_free(b->env, work[i].counts);
	}
	return status;
}

/* All columns but for what looks at the target. */
static MlStatus
fit_columns(MlArena *arena, const MlPrepPlan *plan, const MlDataset *data, const MlRows *rows,
			uint64_t seed, MlPrep *prep)
{
	Batch b = {.env = arena->env, .arena = arena, .data = data, .rows = rows};
	uint32_t *index;
	MlStatus status = choose_sample(&b, seed, &index);

	for (size_t at = 0; at < plan->n && status == ML_OK;)
		status = next_batch(&b, plan, prep, &at);
	ml_free(b.env, index);
	return status;
}

/* ---- the recipe ---- */

/* A recipe of the plan's columns, to be fitted. */
static MlStatus
create_prep(MlArena *arena, const MlPrepPlan *plan, const MlDataset *data, MlPrep **out)
{
	MlPrep *prep = ml_arena_alloc(arena, sizeof *prep);

	if (!prep)
		return ML_ENOMEM;
	prep->options = plan->options;
	prep->n_columns = (uint32_t) plan->n;
	prep->columns = ml_arena_array(arena, plan->n, sizeof *prep->columns);
	prep->n_products = (uint32_t) plan->n_products;
	prep->products = plan->products;
	if (data->task == ML_CLASSIFICATION && data->n_classes > 2)
	{
		prep->n_labels = data->n_classes;
		prep->labels = (char **) data->labels;
	}
	*out = prep;
	return prep->columns ? ML_OK : ML_ENOMEM;
}

/* The recipe of another model as it is, over the columns of this training. */
static MlStatus
adopt_prep(MlArena *arena, const MlPrep *adopted, const MlSchema *schema, MlPrep **out)
{
	MlPrep *prep = ml_arena_alloc(arena, sizeof *prep);

	if (!prep)
		return ML_ENOMEM;
	*prep = *adopted;
	prep->columns = ml_arena_array(arena, adopted->n_columns, sizeof *prep->columns);
	if (!prep->columns)
		return ML_ENOMEM;
	memcpy(prep->columns, adopted->columns, adopted->n_columns * sizeof *prep->columns);
	*out = prep;
	return ml_prep_layout(arena, schema, prep);
}

MlStatus
ml_prep_fit(MlArena *arena, const MlPrepPlan *plan, const MlDataset *data, const MlRows *rows,
			uint64_t seed, MlPrepView *view)
{
	MlDataset plain = *data;
	MlPrep *prep;

	*view = (MlPrepView){.env = arena->env, .data = data};
	if (plan->adopted)
	{
		ML_TRY(adopt_prep(arena, plan->adopted, data->schema, &prep));
		view->prep = prep;
		return ML_OK;
	}
	ml_phase(arena->env, "preparing", 0, 0);
	plain.class_weight = NULL;
	ML_TRY(create_prep(arena, plan, data, &prep));
	ML_TRY(fit_columns(arena, plan, &plain, rows, seed, prep));
	ML_TRY(ml_prep_fit_targets(arena, plan, &plain, rows, seed, prep, view));
	ML_TRY(ml_prep_layout(arena, data->schema, prep));
	view->prep = prep;
	return ML_OK;
}

void
ml_prep_view_free(MlPrepView *view)
{
	if (!view->env)
		return;
	for (uint32_t c = 0; view->tables && c < view->prep->n_columns; c++)
		ml_free(view->env, view->tables[c]);
	ml_free(view->env, view->tables);
	ml_free(view->env, view->fold);
}
