/*
 * svm_model.c
 *		A fitted support vector machine: predict, explain, list, save and load.
 *
 * A class's probability is its sigmoid of the decision value; those of several classes are
 * divided by their sum. Contributions add up to the decision value itself.
 */
#include <math.h>

#include "algo/svm/svm.h"
#include "core/stats.h"

static double
probability(const MlSvmModel *m, uint32_t k, const double *x)
{
	return ml_sigmoid(-(m->sigmoid[k].a * ml_scorer_score(m->scorer[k], x) + m->sigmoid[k].b));
}

void
ml_svm_predict(const void *model, const double *x, double *out)
{
	const MlSvmModel *m = model;
	double sum = 0;

	if (!m->classes)
	{
		out[0] = ml_scorer_score(m->scorer[0], x);
		return;
	}
	for (uint32_t k = 0; k < m->n_groups; k++)
		sum += out[k] = probability(m, k, x);
	for (uint32_t k = 0; k < m->n_groups && m->n_groups > 1; k++)
		out[k] = sum > 0 ? out[k] / sum : 1.0 / m->n_groups;
}

/* The sigmoid's slope and offset go into the score. */
void
ml_svm_formula(const void *model, uint32_t k, MlFormula *formula)
{
	const MlSvmModel *m = model;
	const MlScorer *scorer = m->scorer[k];

	*formula = (MlFormula){ML_LINK_IDENTITY, scorer->intercept, 1, m->design, scorer->coefficient};
	if (!m->classes)
		return;
	formula->link = ML_LINK_SIGMOID;
	formula->base = -(m->sigmoid[k].a * scorer->intercept + m->sigmoid[k].b);
	formula->scale = -m->sigmoid[k].a;
}

MlStatus
ml_svm_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
					 double *contributions, double *base)
{
	const MlSvmModel *m = model;

	(void) env;
	*base = ml_scorer_contributions(m->scorer[m->n_groups == 1 ? 0 : k], x, contributions);
	return ML_OK;
}

/* Classes are averaged: contributions to gain are added up, and gains are not normalised. */
void
ml_svm_importance(const void *model, double *gain)
{
	const MlSvmModel *m = model;
	uint32_t n = m->scorer[0]->n_features;

	ml_scorer_importance(m->scorer[0], gain);
	for (uint32_t k = 1; k < m->n_groups; k++)
	{
		const MlScorer *s = m->scorer[k];

		for (uint32_t c = 0; c < m->design->n_columns; c++)
			gain[m->design->columns[c].feature] += ml_scorer_spread(s, c);
	}
	for (uint32_t j = 0; j < n; j++)
		gain[j] /= m->n_groups;
}

/* Emit one coefficient; at: 0 the intercept, else a column of the design + 1. */
static MlStatus
emit_coefficient(const MlSvmModel *m, const MlSchema *schema, uint32_t k, uint32_t at,
				 MlBuffer *name, MlCoefficientFn emit, void *arg)
{
	MlCoefficient row = {.feature = "(intercept)",
						 .class_index = m->n_groups == 1 ? -1 : (int) k,
						 .std_error = NAN,
						 .statistic = NAN,
						 .p_value = NAN};

	row.value = at > 0 ? m->scorer[k]->coefficient[at - 1] : m->scorer[k]->intercept;
	if (at > 0)
	{
		row.feature = ml_design_name(m->design, schema, at - 1, name);
		if (!row.feature)
			return ML_ENOMEM;
	}
	return emit(arg, &row);
}

MlStatus
ml_svm_coefficients(MlEnv *env, const void *model, const MlSchema *schema, MlCoefficientFn emit,
					void *arg)
{
	const MlSvmModel *m = model;
	MlStatus status = ML_OK;
	MlBuffer name;

	ml_buffer_init(&name, env);
	for (uint32_t k = 0; k < m->n_groups; k++)
		for (uint32_t at = m->intercept ? 0 : 1; at <= m->design->n_columns && status == ML_OK;
			 at++)
			status = emit_coefficient(m, schema, k, at, &name, emit, arg);
	ml_buffer_free(&name);
	return status;
}

/* ---- its bytes */

void
ml_svm_save(const void *model, MlBuffer *out)
{
	const MlSvmModel *m = model;

	ml_design_save(m->design, out);
	ml_put_u8(out, m->classes);
	ml_put_u8(out, m->intercept);
	ml_put_u32(out, m->n_groups);
	for (uint32_t k = 0; k < m->n_groups; k++)
	{
		ml_scorer_save(m->scorer[k], out);
		if (m->classes)
		{
			ml_put_f64(out, m->sigmoid[k].a);
			ml_put_f64(out, m->sigmoid[k].b);
		}
	}
}

static MlStatus
load_group(MlReader *in, MlArena *arena, const MlSchema *schema, MlSvmModel *m, uint32_t k)
{
	ML_TRY(ml_scorer_load(in, arena, schema, m->design, "svm: coefficients", &m->scorer[k]));
	if (!m->classes)
		return ML_OK;
	m->sigmoid[k].a = ml_get_f64(in);
	m->sigmoid[k].b = ml_get_f64(in);
	ML_TRY(ml_reader_check(in, "svm: sigmoid"));
	if (!isfinite(m->sigmoid[k].a) || !isfinite(m->sigmoid[k].b))
		return ml_corrupt(in->env, "svm: sigmoid");
	return ML_OK;
}

MlStatus
ml_svm_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **model)
{
	MlSvmModel *m = ml_arena_alloc(arena, sizeof *m);
	uint8_t classes, intercept;

	if (m == NULL)
		return ML_ENOMEM;
	ML_TRY(ml_design_load(in, arena, schema, &m->design));
	classes = ml_get_u8(in);
	intercept = ml_get_u8(in);
	m->n_groups = ml_get_count(in, sizeof(double));
	ML_TRY(ml_reader_check(in, "svm: flags"));
	if (classes > 1 || intercept > 1 || m->n_groups != n_outputs || (!classes && m->n_groups != 1))
		return ml_corrupt(in->env, "svm: flags");
	m->classes = classes;
	m->intercept = intercept;
	m->scorer = ml_arena_array(arena, m->n_groups, sizeof(*m->scorer));
	m->sigmoid = ml_arena_array(arena, m->n_groups, sizeof(*m->sigmoid));
	if (!m->scorer || !m->sigmoid)
		return ML_ENOMEM;
	for (uint32_t k = 0; k < m->n_groups; k++)
		ML_TRY(load_group(in, arena, schema, m, k));
	*model = m;
	return ML_OK;
}
