/*
 * pca_model.c
 *		Fitted components: a row in their space, loadings, and the bytes.
 */
#include <math.h>
#include <string.h>

#include "algo/pca/pca.h"

/* What a unit of each column adds to each component, and where a row of means lies. */
MlStatus
ml_pca_index(MlArena *arena, MlPcaModel *m)
{
	size_t n = m->n_components;

	m->table = ml_arena_array(arena, m->n_columns, n * sizeof(double));
	m->offset = ml_arena_array(arena, n, sizeof(double));
	if (!m->table || !m->offset)
		return ML_ENOMEM;
	for (size_t c = 0; c < m->n_columns; c++)
	{
		for (size_t k = 0; k < n; k++)
		{
			double value = m->component[k * m->n_columns + c] * m->factor[c];

			m->table[c * n + k] = m->whiten ? value / sqrt(m->variance[k]) : value;
			if (c >= m->design->n_dense)
				m->offset[k] -= m->mean[c] * m->table[c * n + k];
		}
	}
	return ML_OK;
}

uint32_t
ml_pca_n_components(const void *model)
{
	return ((const MlPcaModel *) model)->n_components;
}

/* Missing and infinite numbers are the mean; unseen levels have no column. */
void
ml_pca_transform(const void *model, const double *x, double *out)
{
	const MlPcaModel *m = model;
	const MlDesign *design = m->design;
	size_t n = m->n_components;

	memcpy(out, m->offset, n * sizeof(double));
	for (uint32_t c = 0; c < design->n_dense; c++)
	{
		double value = x[design->dense_feature[c]];

		value = isfinite(value) ? value - m->mean[c] : 0;
		for (size_t k = 0; k < n; k++)
			out[k] += value * m->table[c * n + k];
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		uint32_t n_levels = design->factor_levels[f], column = ML_NO_COLUMN;
		double code = x[design->factor_feature[f]];

		if (code != code || (code >= 0 && code < n_levels))
			column = design->factor_column[f][code != code ? n_levels : (uint32_t) code];
		for (size_t k = 0; k < n && column != ML_NO_COLUMN; k++)
			out[k] += m->table[column * n + k];
	}
}

/* The share of the explained variance: squared loadings, weighted by the components' variances. */
void
ml_pca_importance(const void *model, double *gain)
{
	const MlPcaModel *m = model;

	memset(gain, 0, m->n_features * sizeof(double));
	for (size_t k = 0; k < m->n_components; k++)
	{
		for (uint32_t c = 0; c < m->n_columns; c++)
		{
			double loading = m->component[k * m->n_columns + c];

			gain[m->design->columns[c].feature] +=
				m->variance[k] / m->variance[0] * loading * loading;
		}
	}
}

/* The loadings: a row for each component and column. */
MlStatus
ml_pca_coefficients(MlEnv *env, const void *model, const MlSchema *schema, MlCoefficientFn emit,
					void *arg)
{
	const MlPcaModel *m = model;
	MlStatus status = ML_OK;
	MlBuffer name;

	ml_buffer_init(&name, env);
	for (uint32_t k = 0; k < m->n_components && status == ML_OK; k++)
	{
		for (uint32_t c = 0; c < m->n_columns && status == ML_OK; c++)
		{
			MlCoefficient row = {.class_index = (int) k,
								 .value = m->component[(size_t) k * m->n_columns + c],
								 .std_error = NAN,
								 .statistic = NAN,
								 .p_value = NAN};

			row.feature = ml_design_name(m->design, schema, c, &name);
			status = row.feature ? emit(arg, &row) : ML_ENOMEM;
		}
	}
	ml_buffer_free(&name);
	return status;
}

/* ---- its bytes */

void
ml_pca_save(const void *model, MlBuffer *out)
{
	const MlPcaModel *m = model;

	ml_design_save(m->design, out);
	ml_put_u32(out, m->n_components);
	ml_put_u8(out, m->whiten);
	ml_put_f64_array(out, m->mean, m->n_columns);
	ml_put_f64_array(out, m->factor, m->n_columns);
	ml_put_f64_array(out, m->component, (size_t) m->n_components * m->n_columns);
	ml_put_f64_array(out, m->variance, m->n_components);
}

/* Everything is finite; variances and factors are above zero. */
static bool
figures_are_sound(const MlPcaModel *m)
{
	double sum = 0;
	bool sound = true;

	for (uint32_t c = 0; c < m->n_columns; c++)
	{
		sum += 0 * m->mean[c] + 0 * m->factor[c];
		sound &= m->factor[c] > 0;
	}
	for (size_t i = 0; i < (size_t) m->n_components * m->n_columns; i++)
		sum += 0 * m->component[i];
	for (uint32_t k = 0; k < m->n_components; k++)
	{
		sum += 0 * m->variance[k];
		sound &= m->variance[k] >= 0;
	}
	return sound && sum == 0;
}

MlStatus
ml_pca_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **model)
{
	MlPcaModel *m = ml_arena_alloc(arena, sizeof *m);

	if (!m)
		return ML_ENOMEM;
	if (n_outputs != 1)
		return ml_corrupt(in->env, "a decomposition has no classes");
	ML_TRY(ml_design_load(in, arena, schema, &m->design));
	m->n_features = schema->n_features;
	m->n_columns = m->design->n_columns;
	m->n_components = ml_get_u32(in);
	m->whiten = ml_get_u8(in) != 0;
	m->mean = ml_get_f64_array(in, arena, m->n_columns);
	m->factor = ml_get_f64_array(in, arena, m->n_columns);
	ML_TRY(ml_reader_check(in, "columns of a decomposition"));
	if (m->n_components < 1 || m->n_components > m->n_columns)
		return ml_corrupt(in->env, "number of components");
	m->component = ml_get_f64_array(in, arena, (size_t) m->n_components * m->n_columns);
	m->variance = ml_get_f64_array(in, arena, m->n_components);
	ML_TRY(ml_reader_check(in, "components"));
	if (!figures_are_sound(m))
		return ml_corrupt(in->env, "the figures of a decomposition");
	*model = m;
	return ml_pca_index(arena, m);
}
