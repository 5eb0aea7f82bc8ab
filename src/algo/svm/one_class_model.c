/*
 * one_class_model.c
 *		A fitted one-class machine: projections, score, bytes.
 *
 * Projections are added up straight from the feature vector, a column of the design at a time, so
 * that prediction needs no room of its own but the projections.
 */
#include <math.h>

#include "algo/svm/one_class.h"

static void
add_column(const MlOneClassModel *m, uint32_t column, double value, double *out)
{
	const double *omega = m->omega + (size_t) column * m->n_frequencies;

	for (uint32_t k = 0; k < m->n_frequencies; k++)
		out[k] += value * omega[k];
}

/* The column of a factor's level; unseen levels, and codes that are none, have none. */
static uint32_t
level_column(const MlDesign *d, uint32_t f, const double *x)
{
	uint32_t n = d->factor_levels[f];
	double code = x[d->factor_feature[f]];

	if (code != code)
		return d->factor_column[f][n];
	return code >= 0 && code < n ? d->factor_column[f][(uint32_t) code] : ML_NO_COLUMN;
}

void
ml_one_class_project(const MlOneClassModel *m, const double *x, double *out)
{
	const MlDesign *d = m->design;

	for (uint32_t k = 0; k < m->n_frequencies; k++)
		out[k] = m->phase[k];
	for (uint32_t c = 0; c < d->n_numeric; c++)
	{
		double value = x[d->dense_feature[c]];

		add_column(m, c, value == value ? value : d->columns[c].mean, out);
	}
	for (uint32_t c = d->n_numeric; c < d->n_dense; c++)
		if (isnan(x[d->dense_feature[c]]))
			add_column(m, c, 1, out);
	for (uint32_t f = 0; f < d->n_factors; f++)
	{
		uint32_t c = level_column(d, f, x);

		if (c != ML_NO_COLUMN)
			add_column(m, c, 1, out);
	}
}

/* A row so far out that its projections are not finite is like nothing: 1. */
void
ml_one_class_predict(const void *model, const double *x, double *out)
{
	const MlOneClassModel *m = model;
	double projection[ML_ONE_CLASS_FREQUENCIES], sum = 0;

	if (m->scorer)
	{
		*out = ml_scorer_score(m->scorer, x);
		return;
	}
	ml_one_class_project(m, x, projection);
	for (uint32_t k = 0; k < m->n_frequencies; k++)
		sum += m->cosine[k] * cos(projection[k]) + m->sine[k] * sin(projection[k]);
	*out = isfinite(sum) ? 1 - sum : 1;
}

/* ---- bytes */

void
ml_one_class_save(const void *model, MlBuffer *out)
{
	const MlOneClassModel *m = model;

	ml_design_save(m->design, out);
	ml_put_u32(out, m->n_frequencies);
	if (m->scorer)
	{
		ml_scorer_save(m->scorer, out);
		return;
	}
	ml_put_f64_array(out, m->phase, m->n_frequencies);
	ml_put_f64_array(out, m->cosine, m->n_frequencies);
	ml_put_f64_array(out, m->sine, m->n_frequencies);
	ml_put_f64_array(out, m->omega, (size_t) m->design->n_columns * m->n_frequencies);
}

static bool
all_finite(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += 0 * values[i];
	return sum == 0;
}

MlStatus
ml_one_class_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
				  void **model)
{
	MlOneClassModel *m = ml_arena_alloc(arena, sizeof *m);
	uint32_t n;

	if (m == NULL)
		return ML_ENOMEM;
	if (n_outputs != 1)
		return ml_corrupt(in->env, "a one-class machine has one output");
	ML_TRY(ml_design_load(in, arena, schema, &m->design));
	*model = m;
	m->n_frequencies = n = ml_get_count(in, 3 * sizeof(double));
	ML_TRY(ml_reader_check(in, "one_class_svm: frequencies"));
	if (n == 0)
		return ml_scorer_load(in, arena, schema, m->design, "one_class_svm: coefficients",
							  &m->scorer);
	if (n > ML_ONE_CLASS_FREQUENCIES)
		return ml_corrupt(in->env, "one_class_svm: frequencies");
	m->phase = ml_get_f64_array(in, arena, n);
	m->cosine = ml_get_f64_array(in, arena, n);
	m->sine = ml_get_f64_array(in, arena, n);
	ML_TRY(ml_reader_check(in, "one_class_svm: weights"));
	m->omega = ml_get_f64_array(in, arena, (size_t) m->design->n_columns * n);
	ML_TRY(ml_reader_check(in, "one_class_svm: projections"));
	if (!all_finite(m->phase, n) || !all_finite(m->cosine, n) || !all_finite(m->sine, n) ||
		!all_finite(m->omega, (size_t) m->design->n_columns * n))
		return ml_corrupt(in->env, "one_class_svm: a number is not finite");
	return ML_OK;
}
