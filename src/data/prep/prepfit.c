/*
 * prepfit.c
 *		Fitting a recipe to training rows: bounds, fills, scales, bins, levels.
 *
 * Columns are fitted in batches, so that what a batch needs stays within bounds
 * however many columns there are. A batch goes through stages: *settle* what the
 * one before has measured, *scan* all rows for moments or counts. Within a scan
 * each column is a task of a thread; threads change nothing about the result.
 *
 * Moments and counts come from all rows, quantiles from a sample (prepsample.c).
 */
#include <math.h>
#include <string.h>

#include "core/pool.h"
#include "data/prep/prepfit.h"

#define BLOCK ML_COLUMN_BLOCK
#define SEGMENT ((size_t) 64 * BLOCK) /* rows between two polls of cancel */
#define BATCH_COLUMNS 64u
#define BATCH_BYTES ((size_t) 64 << 20) /* of samples and counts, but one column at least */

static bool
needs_sample(const MlPrepStep *step)
{
	if (step->passes || ml_prep_has_levels(step))
		return false;
	return step->clips || step->impute == ML_IMPUTE_MEDIAN || step->impute == ML_IMPUTE_MODE ||
		   step->scale == ML_SCALE_ROBUST || step->column.power == ML_POWER_YEO_JOHNSON ||
		   step->column.binned;
}

/* ---- stages ---- */

/* Bounds from quantiles. */
static void
settle_clip(const MlPrepBatch *b, MlPrepWork *w)
{
	double low = w->column->low, high = w->column->high;

	if (!w->step->clips)
		return;
	w->column->low = -INFINITY;
	w->column->high = INFINITY;
	ml_prep_take_sample(b, w, ML_PREP_RAW);
	if (w->n_sample == 0)
		return;
	w->column->low = ml_prep_quantile(w, low);
	w->column->high = ml_prep_quantile(w, high);
	/* Between two infinities there is nothing. */
	w->infinite = isnan(w->column->low) || isnan(w->column->high);
}

/* What is filled in for missing numbers, from the first scan. */
static void
settle_fill(const MlPrepBatch *b, MlPrepWork *w)
{
	const MlColumnMoments *m = &w->moments;

	if (w->step->passes || ml_prep_has_levels(w->step))
		return;
	if (w->step->impute == ML_IMPUTE_MEAN)
		w->column->fill = m->weight > 0 ? m->min < m->max ? m->mean : m->min : 0;
	else if (w->step->impute == ML_IMPUTE_MEDIAN || w->step->impute == ML_IMPUTE_MODE)
	{
		ml_prep_take_sample(b, w, ML_PREP_CLIPPED);
		w->column->fill =
			w->step->impute == ML_IMPUTE_MEDIAN ? ml_prep_quantile(w, 0.5) : ml_prep_mode(w);
		if (w->n_sample == 0)
			w->column->fill = 0;
	}
	w->infinite |= w->step->impute != ML_IMPUTE_NONE && !isfinite(w->column->fill);
	w->column->indicator =
		w->step->indicator == ML_INDICATOR_YES ||
		(w->step->indicator == ML_INDICATOR_IF_MISSING && m->missing_weight > 0 && m->weight > 0);
	w->column->filled = ml_prep_power(w->column, w->column->fill);
}

/* The exponent of a power that is fitted. */
static void
settle_power(const MlPrepBatch *b, MlPrepWork *w)
{
	if (w->column->power != ML_POWER_YEO_JOHNSON)
		return;
	ml_prep_take_sample(b, w, ML_PREP_FILLED);
	ml_prep_fit_exponent(w);
	w->column->filled = ml_prep_power(w->column, w->column->fill);
}

/* Centre and scale, from the second scan. A constant column is only centred. */
static void
settle_scale(const MlPrepBatch *b, MlPrepWork *w)
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
		ml_prep_take_sample(b, w, ML_PREP_PREPARED);
		center = w->n_sample > 0 ? ml_prep_quantile(w, 0.5) : 0;
		scale = w->n_sample > 0 ? ml_prep_quantile(w, 0.75) - ml_prep_quantile(w, 0.25) : 1;
	}
	w->infinite |= !isfinite(center) || !isfinite(scale);
	column->center = center;
	column->scale = scale > 0 ? scale : 1;
}

/* Edges of bins that are not given; equal ones are one. */
static void
settle_bins(const MlPrepBatch *b, MlPrepWork *w)
{
	MlPrepColumn *column = w->column;
	const MlColumnMoments *m = &w->moments;
	uint32_t n = w->step->n_bins;

	if (!column->binned || w->step->bins == ML_BINS_EDGES)
		return;
	column->n_edges = 0;
	if (w->step->bins == ML_BINS_QUANTILE)
		ml_prep_take_sample(b, w, ML_PREP_PREPARED);
	for (uint32_t k = 1; k < n && m->weight > 0 && m->min < m->max; k++)
	{
		double edge = w->step->bins == ML_BINS_QUANTILE
						  ? ml_prep_quantile(w, (double) k / n)
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
	const MlPrepBatch *batch;
	void (*settle)(const MlPrepBatch *, MlPrepWork *);
} Settle;

static void
settle_column(void *arg, size_t at, int worker)
{
	const Settle *s = arg;

	(void) worker;
	s->settle(s->batch, &s->batch->work[at]);
}

static MlStatus
settle_all(MlPrepBatch *b, void (*settle)(const MlPrepBatch *, MlPrepWork *))
{
	Settle s = {b, settle};

	return ml_pool_run(b->env, b->n, settle_column, &s);
}

/* Does the scan tell something about the column that a stage asks for? */
static bool
needs_scan(const MlPrepBatch *b, const MlPrepWork *w)
{
	const MlPrepStep *step = w->step;

	if (step->passes)
		return false;
	if (ml_prep_has_levels(step))
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
	const MlPrepBatch *b = arg;
	MlPrepWork *w = &b->work[at];
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
			x[k] =
				ml_prep_value_at(w->column, x[k], b->prepared ? ML_PREP_PREPARED : ML_PREP_CLIPPED);
		ml_dataset_weight(b->data, b->rows, b->first + i, n, weight);
		ml_column_moments_add(&w->moments, x, weight, n);
	}
}

static MlStatus
scan_rows(MlPrepBatch *b, bool prepared)
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

/* ---- batches ---- */

/* A column that a fit cannot use. */
static MlStatus
check_column(const MlPrepBatch *b, const MlPrepWork *w)
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
fit_batch(MlPrepBatch *b)
{
	ML_TRY(settle_all(b, settle_clip));
	ML_TRY(scan_rows(b, false));
	ML_TRY(settle_all(b, settle_fill));
	ML_TRY(settle_all(b, settle_power));
	ML_TRY(scan_rows(b, true));
	ML_TRY(settle_all(b, settle_bins));
	ML_TRY(settle_all(b, settle_scale));
	for (size_t i = 0; i < b->n; i++)
	{
		ML_TRY(ml_poll(b->env));
		ML_TRY(check_column(b, &b->work[i]));
		ML_TRY(ml_prep_settle_levels(b, &b->work[i]));
	}
	return ML_OK;
}

/* Does the column count its levels? */
static bool
needs_counts(const MlPrepStep *step)
{
	return ml_prep_has_levels(step) && !step->passes &&
		   (step->impute == ML_IMPUTE_MODE || step->column.form == ML_PREP_ONE_HOT ||
			step->column.encoding == ML_ENCODE_FREQUENCY);
}

/* The bytes that a column takes while it is fitted. */
static size_t
bytes_of(const MlPrepBatch *b, const MlPrepStep *step)
{
	const MlFeature *feature = &b->data->schema->features[step->column.feature];

	if (needs_counts(step))
		return ((size_t) feature->n_levels + 1) * sizeof(uint64_t);
	return needs_sample(step) ? b->sample.n * sizeof(double) : 0;
}

/* Room for what is measured of a column. */
static MlStatus
begin_column(const MlPrepBatch *b, const MlPrepStep *step, MlPrepColumn *column, MlPrepWork *w)
{
	const MlFeature *feature = &b->data->schema->features[step->column.feature];

	*w = (MlPrepWork){.step = step, .column = column};
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
next_batch(MlPrepBatch *b, const MlPrepPlan *plan, MlPrep *prep, size_t *at)
{
	MlPrepWork work[BATCH_COLUMNS];
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
	MlPrepBatch b = {.env = arena->env, .arena = arena, .data = data, .rows = rows};
	uint32_t *index;
	MlStatus status = ml_prep_choose_sample(&b, seed, &index);

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
