/*
 * linear_model.c
 *		The fitted linear model: predict, explain, list, save and load.
 *
 * The bytes hold the design and the figures of its columns; the tables by
 * feature, which make prediction one pass over the feature vector, are made from
 * them.
 */
#include <math.h>

#include "algo/linear/linear.h"
#include "core/stats.h"

/* ---- making the tables */

/* Room for the figures by column. */
static MlStatus
make_columns(MlArena *arena, MlLinearModel *m)
{
	uint32_t n = m->design->n_columns;

	m->coefficient = ml_arena_array(arena, n, sizeof(double));
	m->error = ml_arena_array(arena, n, sizeof(double));
	m->mean = ml_arena_array(arena, n, sizeof(double));
	m->scale = ml_arena_array(arena, n, sizeof(double));
	return m->coefficient && m->error && m->mean && m->scale ? ML_OK : ML_ENOMEM;
}

/* Room for the tables by feature. */
static MlStatus
make_tables(MlArena *arena, MlLinearModel *m)
{
	const MlDesign *d = m->design;

	m->n_factors = d->n_factors;
	m->slope = ml_arena_array(arena, m->n_features, sizeof(double));
	m->when_missing = ml_arena_array(arena, m->n_features, sizeof(double));
	m->centre = ml_arena_array(arena, m->n_features, sizeof(double));
	m->factor = d->factor_feature;
	m->factor_levels = d->factor_levels;
	m->level = ml_arena_array(arena, d->n_factors, sizeof(double *));
	if (!m->slope || !m->when_missing || !m->centre || !m->level)
		return ML_ENOMEM;
	for (uint32_t f = 0; f < d->n_factors; f++)
	{
		m->level[f] = ml_arena_array(arena, (size_t) d->factor_levels[f] + 1, sizeof(double));
		if (m->level[f] == NULL)
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* From the figures by column to the tables by feature. */
static MlStatus
index_features(MlArena *arena, MlLinearModel *m)
{
	const MlDesign *d = m->design;

	ML_TRY(make_tables(arena, m));
	for (uint32_t c = 0; c < d->n_columns; c++)
	{
		const MlDesignColumn *column = &d->columns[c];

		m->centre[column->feature] += m->coefficient[c] * m->mean[c];
		if (c >= d->n_dense)
			continue;
		if (column->level == ML_DESIGN_NUMBER)
		{
			m->slope[column->feature] = m->coefficient[c];
			m->when_missing[column->feature] += m->coefficient[c] * column->mean;
		}
		else
			m->when_missing[column->feature] += m->coefficient[c];
	}
	for (uint32_t f = 0; f < d->n_factors; f++)
	{
		for (uint32_t l = 0; l <= d->factor_levels[f]; l++)
		{
			uint32_t c = d->factor_column[f][l];

			m->level[f][l] = c == ML_NO_COLUMN ? 0 : m->coefficient[c];
		}
	}
	return ML_OK;
}

MlStatus
ml_linear_make(MlArena *arena, const MlSchema *schema, MlDesign *design, const MlLeastSquares *fit,
			   MlLinearModel **model)
{
	MlLinearModel *m = ml_arena_alloc(arena, sizeof *m);

	if (m == NULL)
		return ML_ENOMEM;
	m->design = design;
	m->n_features = schema->n_features;
	m->has_intercept = fit->has_intercept;
	m->intercept = fit->intercept;
	m->intercept_error = fit->intercept_error;
	m->df = fit->df;
	ML_TRY(make_columns(arena, m));
	for (uint32_t c = 0; c < design->n_columns; c++)
	{
		m->coefficient[c] = fit->coefficient[c];
		m->error[c] = fit->error[c];
		m->mean[c] = fit->mean[c];
		m->scale[c] = fit->scale[c];
	}
	ML_TRY(index_features(arena, m));
	*model = m;
	return ML_OK;
}

/* ---- using it */

/* What the level of factor f adds; an unseen one adds nothing. */
static inline double
level_effect(const MlLinearModel *m, uint32_t f, double code)
{
	uint32_t n = m->factor_levels[f];

	if (code != code)
		return m->level[f][n];
	return code >= 0 && code < n ? m->level[f][(uint32_t) code] : 0;
}

/* What numeric feature j adds. Categorical ones have slope 0, so that the loops need not skip them. */
static inline double
number_effect(const MlLinearModel *m, uint32_t j, double x)
{
	return x == x ? m->slope[j] * x : m->when_missing[j];
}

/* Four sums, so that additions need not wait for each other. */
void
ml_linear_predict(const void *model, const double *x, double *out)
{
	const MlLinearModel *m = model;
	uint32_t n = m->n_features, j = 0;
	double sum[4] = {m->intercept, 0, 0, 0};

	for (; j + 4 <= n; j += 4)
	{
		for (uint32_t k = 0; k < 4; k++)
			sum[k] += number_effect(m, j + k, x[j + k]);
	}
	for (; j < n; j++)
		sum[0] += number_effect(m, j, x[j]);
	for (uint32_t f = 0; f < m->n_factors; f++)
		sum[1] += level_effect(m, f, x[m->factor[f]]);
	*out = (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* What a feature adds here, less what it adds on average; so base is the prediction at the means. */
MlStatus
ml_linear_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
						double *contributions, double *base)
{
	const MlLinearModel *m = model;

	(void) env;
	(void) k;
	*base = m->intercept;
	for (uint32_t j = 0; j < m->n_features; j++)
	{
		contributions[j] = number_effect(m, j, x[j]) - m->centre[j];
		*base += m->centre[j];
	}
	for (uint32_t f = 0; f < m->n_factors; f++)
		contributions[m->factor[f]] = level_effect(m, f, x[m->factor[f]]) - m->centre[m->factor[f]];
	return ML_OK;
}

/* |coefficient| times the standard deviation of its column, added up over the columns of a feature. */
void
ml_linear_importance(const void *model, double *gain)
{
	const MlLinearModel *m = model;

	for (uint32_t j = 0; j < m->n_features; j++)
		gain[j] = 0;
	for (uint32_t c = 0; c < m->design->n_columns; c++)
		gain[m->design->columns[c].feature] += fabs(m->coefficient[c]) * m->scale[c];
}

/* One row of the coefficient view: t and its two-sided p from the estimate and its error. */
static MlStatus
emit_coefficient(const MlLinearModel *m, const char *name, double value, double error,
				 MlCoefficientFn emit, void *arg)
{
	MlCoefficient row = {.feature = name, .class_index = -1, .value = value, .std_error = error};

	row.statistic = value / error;
	row.p_value = isnan(row.statistic) ? NAN : ml_student_p_two_sided(row.statistic, m->df);
	return emit(arg, &row);
}

MlStatus
ml_linear_coefficients(MlEnv *env, const void *model, const MlSchema *schema, MlCoefficientFn emit,
					   void *arg)
{
	const MlLinearModel *m = model;
	MlBuffer name;
	MlStatus status = ML_OK;

	ml_buffer_init(&name, env);
	if (m->has_intercept)
		status = emit_coefficient(m, "(intercept)", m->intercept, m->intercept_error, emit, arg);
	for (uint32_t c = 0; c < m->design->n_columns && status == ML_OK; c++)
	{
		const char *feature = ml_design_name(m->design, schema, c, &name);

		status = feature ? emit_coefficient(m, feature, m->coefficient[c], m->error[c], emit, arg)
						 : ML_ENOMEM;
	}
	ml_buffer_free(&name);
	return status;
}

void
ml_linear_formula(const void *model, uint32_t k, MlFormula *formula)
{
	const MlLinearModel *m = model;

	(void) k;
	*formula = (MlFormula){ML_LINK_IDENTITY, m->intercept, 1, m->design, m->coefficient};
}

/* ---- its bytes */

void
ml_linear_save(const void *model, MlBuffer *out)
{
	const MlLinearModel *m = model;
	uint32_t n = m->design->n_columns;

	ml_design_save(m->design, out);
	ml_put_u8(out, m->has_intercept);
	ml_put_f64(out, m->intercept);
	ml_put_f64(out, m->intercept_error);
	ml_put_f64(out, m->df);
	ml_put_f64_array(out, m->coefficient, n);
	ml_put_f64_array(out, m->error, n);
	ml_put_f64_array(out, m->mean, n);
	ml_put_f64_array(out, m->scale, n);
}

/* Errors may be NaN, nothing else; nothing is infinite; scales are not negative. */
static bool
figures_are_sound(const MlLinearModel *m)
{
	double sum = m->intercept + m->df;
	bool sound = m->df >= 0 && !(m->intercept_error < 0) && !isinf(m->intercept_error);

	for (uint32_t c = 0; c < m->design->n_columns; c++)
	{
		sum += 0 * m->coefficient[c] + 0 * m->mean[c] + 0 * m->scale[c];
		sound &= m->scale[c] >= 0 && !(m->error[c] < 0) && !isinf(m->error[c]);
	}
	return sound && isfinite(sum);
}

MlStatus
ml_linear_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
			   void **model)
{
	MlLinearModel *m = ml_arena_alloc(arena, sizeof *m);
	double **by_column[4] = {NULL};
	uint32_t n;

	if (m == NULL)
		return ML_ENOMEM;
	if (n_outputs != 1)
		return ml_corrupt(in->env, "a linear model has one output");
	ML_TRY(ml_design_load(in, arena, schema, &m->design));
	m->n_features = schema->n_features;
	m->has_intercept = ml_get_u8(in) != 0;
	m->intercept = ml_get_f64(in);
	m->intercept_error = ml_get_f64(in);
	m->df = ml_get_f64(in);
	n = m->design->n_columns;
	by_column[0] = &m->coefficient;
	by_column[1] = &m->error;
	by_column[2] = &m->mean;
	by_column[3] = &m->scale;
	for (size_t k = 0; k < 4; k++)
	{
		*by_column[k] = ml_get_f64_array(in, arena, n);
		ML_TRY(ml_reader_check(in, "the figures of a linear model"));
	}
	if (!figures_are_sound(m))
		return ml_corrupt(in->env, "the figures of a linear model");
	ML_TRY(index_features(arena, m));
	*model = m;
	return ML_OK;
}
