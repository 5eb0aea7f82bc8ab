/*
 * designfit.c
 *		Fitting the transform of linear methods to the training rows.
 *
 * Fitting reads the training rows once, segment by segment; within a segment
 * each feature is a task of its own, so that the result does not depend on the
 * number of threads.
 *
 * The scale is the population standard deviation of the imputed column, as a
 * mean imputer before a standard scaler gives it; 1 for a constant column.
 * Levels' columns have mean 0 and scale 1: they are left as they are.
 *
 * Levels are ranked by their number of training rows, then by their bytes, so
 * that the order of the rows does not matter.
 */
#include <math.h>
#include <string.h>

#include "core/pool.h"
#include "data/columnstats.h"
#include "data/design.h"

/* Rows read at once into a thread's stack; rows between two polls of cancel. */
#define BLOCK ML_COLUMN_BLOCK
#define SEGMENT ((size_t) 64 * BLOCK)

/* ---- statistics of the training rows */

/* What is known of a feature after the pass: moments, or rows per level ([n_levels]: missing). */
typedef struct FeatureStats
{
	MlColumnMoments moments;
	uint64_t *level_rows;
} FeatureStats;

typedef struct Pass
{
	const MlDataset *data;
	const MlRows *rows;
	FeatureStats *stats; /* n_features */
	size_t first, n;     /* the segment */
} Pass;

/* A task: one feature over the segment. */
static void
scan_feature(void *arg, size_t feature, int worker)
{
	const Pass *pass = arg;
	const MlFeature *source = &pass->data->schema->features[feature];
	FeatureStats *stats = &pass->stats[feature];
	double x[BLOCK], w[BLOCK];

	(void) worker;
	for (size_t at = 0; at < pass->n; at += BLOCK)
	{
		size_t n = ML_MIN(pass->n - at, BLOCK);

		ml_dataset_feature(pass->data, (uint32_t) feature, pass->rows, pass->first + at, n, x);
		if (source->categorical)
			ml_levels_count(stats->level_rows, source->n_levels, x, n);
		else
		{
			ml_dataset_weight(pass->data, pass->rows, pass->first + at, n, w);
			ml_column_moments_add(&stats->moments, x, w, n);
		}
	}
}

/* Room for the statistics; level_rows of all features are one block of counts. */
static MlStatus
make_stats(MlEnv *env, const MlSchema *schema, FeatureStats **stats, uint64_t **counts)
{
	size_t n_counts = 0;

	for (uint32_t j = 0; j < schema->n_features; j++)
		n_counts += schema->features[j].categorical ? (size_t) schema->features[j].n_levels + 1 : 0;
	*stats = ml_zalloc_array(env, schema->n_features, sizeof(FeatureStats));
	*counts = ml_zalloc_array(env, ML_MAX(n_counts, 1), sizeof(uint64_t));
	if (!*stats || !*counts)
		return ML_ENOMEM;
	n_counts = 0;
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		ml_column_moments_init(&(*stats)[j].moments);
		if (schema->features[j].categorical)
		{
			(*stats)[j].level_rows = *counts + n_counts;
			n_counts += (size_t) schema->features[j].n_levels + 1;
		}
	}
	return ML_OK;
}

/* Refuse what no linear method can use. */
static MlStatus
check_numbers(MlEnv *env, const MlSchema *schema, const FeatureStats *stats)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		const MlColumnMoments *m = &stats[j].moments;
		const char *name = schema->features[j].name;

		if (schema->features[j].categorical || m->weight == 0)
			continue;
		if (isinf(m->min) || isinf(m->max))
		{
			ml_fail(env, ML_EDATA, "feature \"%s\" has an infinite value", name);
			ml_hint(env, "Clip it in the query, or exclude the feature.");
			return ML_EDATA;
		}
		if (!isfinite(m->m2))
		{
			ml_fail(env, ML_EDATA, "feature \"%s\" has values up to %g, too large to be scaled",
					name, fmax(fabs(m->min), fabs(m->max)));
			ml_hint(env, "Rescale it in the query, or exclude the feature.");
			return ML_EDATA;
		}
	}
	return ML_OK;
}

/* The pass over the training rows. */
static MlStatus
scan_rows(MlEnv *env, Pass *pass)
{
	for (pass->first = 0; pass->first < pass->rows->n; pass->first += SEGMENT)
	{
		pass->n = ML_MIN(pass->rows->n - pass->first, SEGMENT);
		ML_TRY(ml_pool_run(env, pass->data->schema->n_features, scan_feature, pass));
	}
	return check_numbers(env, pass->data->schema, pass->stats);
}

/* ---- from statistics to columns */

/* Columns on their way: they are in the arena only when their number is known. */
typedef struct ColumnList
{
	MlEnv *env;
	MlDesignColumn *columns;
	size_t n, capacity;
} ColumnList;

static MlStatus
add_column(ColumnList *list, uint32_t feature, int32_t level, double mean, double scale)
{
	if (list->n >= ML_NO_COLUMN - 1)
		return ml_fail(list->env, ML_EDATA, "more than %u columns of levels", ML_NO_COLUMN - 1);
	ML_TRY(
		ml_grow(list->env, &list->columns, &list->capacity, list->n + 1, sizeof(*list->columns)));
	list->columns[list->n++] =
		(MlDesignColumn){.feature = feature, .level = level, .mean = mean, .scale = scale};
	return ML_OK;
}

/* The scale of a column: 1 where it is constant, also up to the rounding of its sum. */
static double
scale_of(double m2, double weight, bool constant)
{
	double scale = weight > 0 ? sqrt(m2 / weight) : 0;

	return constant || !(scale > 0) ? 1 : scale;
}

/* The columns of the numeric features. */
static MlStatus
add_numbers(ColumnList *list, const MlSchema *schema, const FeatureStats *stats)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		const MlColumnMoments *m = &stats[j].moments;
		bool constant = !(m->min < m->max);

		if (schema->features[j].categorical)
			continue;
		ML_TRY(add_column(list, j, ML_DESIGN_NUMBER, constant && m->weight > 0 ? m->min : m->mean,
						  scale_of(m->m2, m->weight + m->missing_weight, constant)));
	}
	return ML_OK;
}

/* The indicators of missing values; the parts of a date are missing together, and share one. */
static MlStatus
add_indicators(ColumnList *list, const MlSchema *schema, const FeatureStats *stats)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		const MlFeature *feature = &schema->features[j];
		const MlColumnMoments *m = &stats[j].moments;
		double share = m->missing_weight / (m->weight + m->missing_weight);

		if (feature->categorical || feature->part > ML_PART_EPOCH || !(share > 0 && share < 1))
			continue;
		ML_TRY(add_column(list, j, ML_DESIGN_MISSING, share, sqrt(share * (1 - share))));
	}
	return ML_OK;
}

/*
 * The columns of one categorical feature. When rarer levels have none, those are the reference
 * already, and drop_first drops nothing: the columns then don't add up to a constant.
 */
static MlStatus
add_levels(ColumnList *list, const MlSchema *schema, uint32_t feature, const uint64_t *level_rows,
		   const MlDesignOptions *options)
{
	const MlFeature *source = &schema->features[feature];
	uint32_t at_most = ML_MIN(source->n_levels, options->max_levels), n_seen, n_kept;
	MlLevel *levels = ml_alloc_array(list->env, ML_MAX(at_most, 1), sizeof(*levels));
	MlStatus status = ml_poll(list->env);

	if (!levels)
		return ML_ENOMEM;
	n_kept = ml_levels_rank(schema->inputs[source->input].levels, source->n_levels, level_rows,
							at_most, levels, &n_seen);
	for (uint32_t k = options->drop_first && n_kept == n_seen; k < n_kept && status == ML_OK; k++)
		status = add_column(list, feature, (int32_t) levels[k].code, 0, 1);
	if (status == ML_OK && level_rows[source->n_levels] > 0 && n_seen > 0)
		status = add_column(list, feature, ML_DESIGN_MISSING, 0, 1);
	ml_free(list->env, levels);
	return status;
}

/* All columns in the order of the design. */
static MlStatus
add_columns(ColumnList *list, const MlSchema *schema, const FeatureStats *stats,
			const MlDesignOptions *options)
{
	ML_TRY(add_numbers(list, schema, stats));
	if (!options->no_indicators)
		ML_TRY(add_indicators(list, schema, stats));
	for (uint32_t j = 0; j < schema->n_features; j++)
		if (schema->features[j].categorical)
			ML_TRY(add_levels(list, schema, j, stats[j].level_rows, options));
	return ML_OK;
}

/* Fit the transform to the training rows. */
MlStatus
ml_design_fit(MlEnv *env, MlArena *arena, const MlDataset *data, const MlRows *rows,
			  const MlDesignOptions *options, MlDesign **design)
{
	FeatureStats *stats = NULL;
	uint64_t *counts = NULL;
	ColumnList list = {.env = env};
	MlStatus status = make_stats(env, data->schema, &stats, &counts);

	if (status == ML_OK)
	{
		Pass pass = {.data = data, .rows = rows, .stats = stats};

		status = scan_rows(env, &pass);
	}
	if (status == ML_OK)
		status = add_columns(&list, data->schema, stats, options);
	if (status == ML_OK)
		status = ml_design_make(arena, data->schema, list.columns, list.n, design);
	ml_free(env, list.columns);
	ml_free(env, counts);
	ml_free(env, stats);
	return status;
}
