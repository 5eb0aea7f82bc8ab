/*
 * glm_model.c
 *		A fitted generalised linear model: predict, explain, list, save and load.
 *
 * A prediction is the mean for the row's own exposure. Contributions add up to the
 * linear predictor, with the offset as what its column contributes.
 */
#include "algo/glm/glm.h"
#include "core/stats.h"

/* The linear predictor of a row, offset included. */
static double
linear_predictor(const MlGlmModel *m, const double *x)
{
	double eta = ml_scorer_score(m->scorer, x);

	if (m->offset_feature >= 0)
		eta += ml_glm_offset(m->exposure, x[m->offset_feature]);
	return eta;
}

void
ml_glm_predict(const void *model, const double *x, double *out)
{
	const MlGlmModel *m = model;

	*out = ml_glm_mean(&m->law, linear_predictor(m, x));
}

MlStatus
ml_glm_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
					 double *contributions, double *base)
{
	const MlGlmModel *m = model;

	(void) env;
	(void) k;
	*base = ml_scorer_contributions(m->scorer, x, contributions);
	if (m->offset_feature >= 0)
	{
		contributions[m->offset_feature] =
			ml_glm_offset(m->exposure, x[m->offset_feature]) - m->mean_offset;
		*base += m->mean_offset;
	}
	return ML_OK;
}

void
ml_glm_importance(const void *model, double *gain)
{
	ml_scorer_importance(((const MlGlmModel *) model)->scorer, gain);
}

/* Emit one coefficient; at: 0 the intercept, else a column of the design + 1. */
static MlStatus
emit_coefficient(const MlGlmModel *m, const MlSchema *schema, uint32_t at, MlBuffer *name,
				 MlCoefficientFn emit, void *arg)
{
	MlCoefficient row = {.feature = "(intercept)", .class_index = -1, .std_error = NAN};

	row.value = at > 0 ? m->scorer->coefficient[at - 1] : m->scorer->intercept;
	if (m->std_error)
		row.std_error = m->std_error[at];
	row.statistic = row.value / row.std_error;
	row.p_value = isnan(row.statistic) ? NAN : ml_student_p_two_sided(row.statistic, m->df);
	if (at > 0)
	{
		row.feature = ml_design_name(m->design, schema, at - 1, name);
		if (!row.feature)
			return ML_ENOMEM;
	}
	return emit(arg, &row);
}

/* The offset has no coefficient, and so no row. */
MlStatus
ml_glm_coefficients(MlEnv *env, const void *model, const MlSchema *schema, MlCoefficientFn emit,
					void *arg)
{
	const MlGlmModel *m = model;
	MlStatus status = ML_OK;
	MlBuffer name;

	ml_buffer_init(&name, env);
	for (uint32_t at = m->intercept ? 0 : 1; at <= m->design->n_columns && status == ML_OK; at++)
		if (at == 0 || (int64_t) m->design->columns[at - 1].feature != m->offset_feature)
			status = emit_coefficient(m, schema, at, &name, emit, arg);
	ml_buffer_free(&name);
	return status;
}

/* ---- its bytes */

void
ml_glm_save(const void *model, MlBuffer *out)
{
	const MlGlmModel *m = model;

	ml_design_save(m->design, out);
	ml_scorer_save(m->scorer, out);
	ml_put_u8(out, (uint8_t) m->law.family);
	ml_put_u8(out, (uint8_t) m->law.link);
	ml_put_f64(out, m->law.power);
	ml_put_f64(out, m->law.theta);
	ml_put_u8(out, m->intercept);
	ml_put_u8(out, m->exposure);
	ml_put_u8(out, m->std_error != NULL);
	ml_put_u32(out, m->offset_feature < 0 ? UINT32_MAX : (uint32_t) m->offset_feature);
	ml_put_f64(out, m->mean_offset);
	ml_put_f64(out, m->df);
	if (m->std_error)
		ml_put_f64_array(out, m->std_error, (size_t) m->design->n_columns + 1);
}

/* The offset is a number; errors may be NaN, nothing else. */
static bool
figures_are_sound(const MlGlmModel *m, const MlSchema *schema)
{
	if (m->offset_feature >= 0 && (m->offset_feature >= schema->n_features ||
								   schema->features[m->offset_feature].categorical))
		return false;
	if (!isfinite(m->law.power) || !isfinite(m->law.theta) || !isfinite(m->mean_offset) ||
		!(m->df >= 0))
		return false;
	for (uint32_t c = 0; m->std_error && c <= m->design->n_columns; c++)
		if (m->std_error[c] < 0 || isinf(m->std_error[c]))
			return false;
	return true;
}

MlStatus
ml_glm_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **model)
{
	MlGlmModel *m = ml_arena_alloc(arena, sizeof *m);
	uint8_t family, link, intercept, exposure, errors;
	uint32_t offset;

	if (m == NULL)
		return ML_ENOMEM;
	if (n_outputs != 1)
		return ml_corrupt(in->env, "a generalised linear model has one output");
	ML_TRY(ml_design_load(in, arena, schema, &m->design));
	ML_TRY(ml_scorer_load(in, arena, schema, m->design, "glm: coefficients", &m->scorer));
	family = ml_get_u8(in);
	link = ml_get_u8(in);
	m->law.power = ml_get_f64(in);
	m->law.theta = ml_get_f64(in);
	intercept = ml_get_u8(in);
	exposure = ml_get_u8(in);
	errors = ml_get_u8(in);
	offset = ml_get_u32(in);
	m->mean_offset = ml_get_f64(in);
	m->df = ml_get_f64(in);
	ML_TRY(ml_reader_check(in, "glm: figures"));
	if (family >= ML_GLM_N_FAMILIES || link == ML_GLM_AUTO || link >= ML_GLM_N_LINKS ||
		intercept > 1 || exposure > 1 || errors > 1)
		return ml_corrupt(in->env, "glm: flags");
	m->law.family = (MlGlmFamily) family;
	m->law.link = (MlGlmLink) link;
	m->intercept = intercept;
	m->exposure = exposure;
	m->offset_feature = offset == UINT32_MAX ? -1 : (int64_t) offset;
	if (errors)
		m->std_error = ml_get_f64_array(in, arena, (size_t) m->design->n_columns + 1);
	ML_TRY(ml_reader_check(in, "glm: standard errors"));
	if (!figures_are_sound(m, schema))
		return ml_corrupt(in->env, "glm: figures");
	*model = m;
	return ML_OK;
}
