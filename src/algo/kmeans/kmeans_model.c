/*
 * kmeans_model.c
 *		A fitted clustering: which cluster, how far from each center, and its bytes.
 *
 * Centers stand column by column, so that the distances to all of them advance
 * together. They are kept in the space; the coefficient view shows them in the
 * units of the data, the share of the rows for a level.
 */
#include <math.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"

/* ---- making one */

/* The counts that follow from the design. */
static void
count_columns(MlKmeansSpace *space)
{
	space->n_dense = space->design->n_dense;
	space->n_columns = space->design->n_columns;
	space->n_levels = space->n_columns - space->n_dense;
}

MlStatus
ml_kmeans_space_make(MlArena *arena, MlDesign *design, bool scale, MlKmeansSpace *space)
{
	space->design = design;
	count_columns(space);
	space->shift = ml_arena_array(arena, (size_t) space->n_dense + 1, sizeof(double));
	space->factor = ml_arena_array(arena, (size_t) space->n_dense + 1, sizeof(double));
	if (!space->shift || !space->factor)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < space->n_dense; j++)
	{
		space->shift[j] = design->columns[j].mean;
		space->factor[j] = scale ? 1 / design->columns[j].scale : 1;
		/* The inverse of a scale below the normal numbers overflows: such a column is as good as constant. */
		if (!isfinite(space->factor[j]))
			space->factor[j] = 1;
	}
	return ML_OK;
}

/* What follows from the centers: the squared length of their levels' part. */
static MlStatus
index_centers(MlArena *arena, MlKmeansModel *m)
{
	m->base = ml_arena_array(arena, m->k, sizeof(double));
	if (!m->base)
		return ML_ENOMEM;
	for (uint32_t c = m->space.n_dense; c < m->space.n_columns; c++)
	{
		for (uint32_t k = 0; k < m->k; k++)
			m->base[k] += m->center[(size_t) c * m->k + k] * m->center[(size_t) c * m->k + k];
	}
	return ML_OK;
}

MlStatus
ml_kmeans_model_make(MlArena *arena, const MlSchema *schema, const MlKmeansRun *run,
					 MlKmeansModel **model)
{
	MlKmeansModel *m = ml_arena_alloc(arena, sizeof *m);
	size_t columns = run->space->n_columns;

	if (!m)
		return ML_ENOMEM;
	m->space = *run->space;
	m->n_features = schema->n_features;
	m->k = run->k;
	m->center = ml_arena_array(arena, columns + 1, m->k * sizeof(double));
	m->size = ml_arena_array(arena, m->k, sizeof(double));
	if (!m->center || !m->size)
		return ML_ENOMEM;
	memcpy(m->size, run->size, m->k * sizeof(double));
	for (uint32_t k = 0; k < m->k; k++)
	{
		for (size_t c = 0; c < columns; c++)
			m->center[c * m->k + k] = run->center[k * columns + c];
	}
	*model = m;
	return index_centers(arena, m);
}

/* ---- using it */

/* The squared distances of a row to all centers. */
static void
distances(const MlKmeansModel *m, const double *x, double *out)
{
	const MlDesign *design = m->space.design;
	size_t n = m->k;

	for (size_t k = 0; k < n; k++)
		out[k] = m->base[k];
	for (uint32_t j = 0; j < m->space.n_dense; j++)
	{
		const double *center = m->center + j * n;
		double value = x[design->dense_feature[j]];

		value = value == value ? (value - m->space.shift[j]) * m->space.factor[j] : 0;
		for (size_t k = 0; k < n; k++)
			out[k] += (value - center[k]) * (value - center[k]);
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		uint32_t n_levels = design->factor_levels[f], column;
		double code = x[design->factor_feature[f]];

		column = code != code                   ? design->factor_column[f][n_levels]
				 : code >= 0 && code < n_levels ? design->factor_column[f][(uint32_t) code]
												: ML_NO_COLUMN;
		for (size_t k = 0; k < n && column != ML_NO_COLUMN; k++)
			out[k] += 1 - 2 * m->center[column * n + k];
	}
}

/* The number of the nearest center; the first of equals. */
void
ml_kmeans_predict(const void *model, const double *x, double *out)
{
	const MlKmeansModel *m = model;
	double d[ML_KMEANS_MAX_CLUSTERS];
	uint32_t best = 0;

	distances(m, x, d);
	for (uint32_t k = 1; k < m->k; k++)
	{
		if (d[k] < d[best])
			best = k;
	}
	*out = best;
}

uint32_t
ml_kmeans_n_components(const void *model)
{
	return ((const MlKmeansModel *) model)->k;
}

/* The distance to each center. */
void
ml_kmeans_transform(const void *model, const double *x, double *out)
{
	const MlKmeansModel *m = model;

	distances(m, x, out);
	for (uint32_t k = 0; k < m->k; k++)
		out[k] = sqrt(out[k] > 0 ? out[k] : 0);
}

/* How much a feature sets the clusters apart: the weighted squared distances of the centers from their mean. */
void
ml_kmeans_importance(const void *model, double *gain)
{
	const MlKmeansModel *m = model;
	const MlDesign *design = m->space.design;
	double total = 0;

	memset(gain, 0, m->n_features * sizeof(double));
	for (uint32_t k = 0; k < m->k; k++)
		total += m->size[k];
	for (uint32_t c = 0; c < m->space.n_columns && total > 0; c++)
	{
		const double *center = m->center + (size_t) c * m->k;
		double mean = 0, sum = 0;

		for (uint32_t k = 0; k < m->k; k++)
			mean += m->size[k] / total * center[k];
		for (uint32_t k = 0; k < m->k; k++)
			sum += m->size[k] / total * (center[k] - mean) * (center[k] - mean);
		gain[design->columns[c].feature] += sum;
	}
}

MlStatus
ml_kmeans_coefficients(MlEnv *env, const void *model, const MlSchema *schema, MlCoefficientFn emit,
					   void *arg)
{
	const MlKmeansModel *m = model;
	MlStatus status = ML_OK;
	MlBuffer name;

	ml_buffer_init(&name, env);
	for (uint32_t k = 0; k < m->k && status == ML_OK; k++)
	{
		for (uint32_t c = 0; c < m->space.n_columns && status == ML_OK; c++)
		{
			double value = m->center[(size_t) c * m->k + k];
			MlCoefficient row = {
				.class_index = (int) k, .std_error = NAN, .statistic = NAN, .p_value = NAN};

			row.value =
				c < m->space.n_dense ? value / m->space.factor[c] + m->space.shift[c] : value;
			row.feature = ml_design_name(m->space.design, schema, c, &name);
			status = row.feature ? emit(arg, &row) : ML_ENOMEM;
		}
	}
	ml_buffer_free(&name);
	return status;
}

/* ---- its bytes */

void
ml_kmeans_save(const void *model, MlBuffer *out)
{
	const MlKmeansModel *m = model;

	ml_design_save(m->space.design, out);
	ml_put_f64_array(out, m->space.shift, m->space.n_dense);
	ml_put_f64_array(out, m->space.factor, m->space.n_dense);
	ml_put_u32(out, m->k);
	ml_put_f64_array(out, m->center, (size_t) m->space.n_columns * m->k);
	ml_put_f64_array(out, m->size, m->k);
}

/* All numbers are finite, factors above zero, sizes not below. */
static bool
figures_are_sound(const MlKmeansModel *m)
{
	double sum = 0;
	bool sound = true;

	for (uint32_t j = 0; j < m->space.n_dense; j++)
	{
		sum += 0 * m->space.shift[j] + 0 * m->space.factor[j];
		sound &= m->space.factor[j] > 0;
	}
	for (size_t i = 0; i < (size_t) m->space.n_columns * m->k; i++)
		sum += 0 * m->center[i];
	for (uint32_t k = 0; k < m->k; k++)
	{
		sum += 0 * m->size[k];
		sound &= m->size[k] >= 0;
	}
	return sound && sum == 0;
}

MlStatus
ml_kmeans_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
			   void **model)
{
	MlKmeansModel *m = ml_arena_alloc(arena, sizeof *m);

	if (!m)
		return ML_ENOMEM;
	if (n_outputs != 1)
		return ml_corrupt(in->env, "a clustering has one output");
	ML_TRY(ml_design_load(in, arena, schema, &m->space.design));
	m->n_features = schema->n_features;
	count_columns(&m->space);
	m->space.shift = ml_get_f64_array(in, arena, m->space.n_dense);
	m->space.factor = ml_get_f64_array(in, arena, m->space.n_dense);
	m->k = ml_get_u32(in);
	ML_TRY(ml_reader_check(in, "the space of a clustering"));
	if (m->k < 1 || m->k > ML_KMEANS_MAX_CLUSTERS)
		return ml_corrupt(in->env, "number of clusters");
	m->center = ml_get_f64_array(in, arena, (size_t) m->space.n_columns * m->k);
	m->size = ml_get_f64_array(in, arena, m->k);
	ML_TRY(ml_reader_check(in, "the centers of a clustering"));
	if (!figures_are_sound(m))
		return ml_corrupt(in->env, "the figures of a clustering");
	*model = m;
	return index_centers(arena, m);
}
