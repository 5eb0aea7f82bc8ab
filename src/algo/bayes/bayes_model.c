/*
 * bayes_model.c
 *		A fitted naive Bayes: probabilities, what each feature says, and its bytes.
 *
 * Missing and infinite values, and levels that no training row had, say nothing: they
 * are left out of the sum, which is exact for a model of independent features.
 */
#include <math.h>
#include <string.h>

#include "algo/bayes/bayes.h"
#include "core/stats.h"

/* What the tails of a normal distribution are cut at, so that sums of many stay finite. */
#define LEAST_LOG (-1e290)

MlStatus
ml_bayes_index(MlArena *arena, MlBayesModel *m)
{
	m->base = ml_arena_array(arena, m->n_features, sizeof *m->base);
	m->inverse = ml_arena_array(arena, m->n_features, sizeof *m->inverse);
	if (!m->base || !m->inverse)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < m->n_features; j++)
	{
		if (m->kind[j] != ML_BAYES_NORMAL)
			continue;
		m->base[j] = ml_arena_array(arena, m->n_classes, sizeof(double));
		m->inverse[j] = ml_arena_array(arena, m->n_classes, sizeof(double));
		if (!m->base[j] || !m->inverse[j])
			return ML_ENOMEM;
		for (uint32_t k = 0; k < m->n_classes && m->b[j][0] > 0; k++)
		{
			m->base[j][k] = -0.5 * log(2 * M_PI * m->b[j][k]);
			m->inverse[j][k] = 0.5 / m->b[j][k];
		}
	}
	return ML_OK;
}

/* ---- prediction */

/* log p(x_j | k); 0 where the value says nothing. */
static inline double
log_likelihood(const MlBayesModel *m, uint32_t j, double x, uint32_t k)
{
	double d;

	if (!isfinite(x))
		return 0;
	switch (m->kind[j])
	{
		case ML_BAYES_NORMAL:
			d = x - m->a[j][k];
			d = m->base[j][k] - d * d * m->inverse[j][k];
			return d > LEAST_LOG ? d : m->inverse[j][k] > 0 ? LEAST_LOG : 0;
		case ML_BAYES_LEVELS:
			if (!(x >= 0 && x < m->n_levels[j]))
				return 0;
			d = m->a[j][(size_t) x * m->n_classes + k];
			return d == d ? d : 0;
		case ML_BAYES_COUNTS:
			d = x > 0 ? x * m->a[j][k] : 0;
			return d > LEAST_LOG ? d : LEAST_LOG;
	}
	return 0;
}

void
ml_bayes_predict(const void *model, const double *x, double *out)
{
	const MlBayesModel *m = model;
	double greatest = -INFINITY, sum = 0;

	if (m->n_classes == 2)
	{
		double odds = m->log_prior[1] - m->log_prior[0];

		for (uint32_t j = 0; j < m->n_features; j++)
			odds += log_likelihood(m, j, x[j], 1) - log_likelihood(m, j, x[j], 0);
		*out = ml_sigmoid(odds);
		return;
	}
	for (uint32_t k = 0; k < m->n_classes; k++)
	{
		out[k] = m->log_prior[k];
		for (uint32_t j = 0; j < m->n_features; j++)
			out[k] += log_likelihood(m, j, x[j], k);
		greatest = fmax(greatest, out[k]);
	}
	for (uint32_t k = 0; k < m->n_classes; k++)
		sum += out[k] = exp(out[k] - greatest);
	for (uint32_t k = 0; k < m->n_classes; k++)
		out[k] /= sum;
}

/*
 * What each feature adds to the log-odds of two classes, or to the log-likelihood of class k over the mean of
 * all classes; the base is what the priors say. Exact, as features are independent in the model.
 */
MlStatus
ml_bayes_contributions(MlEnv *env, const void *model, const double *x, uint32_t k,
					   double *contributions, double *base)
{
	const MlBayesModel *m = model;
	double mean = 0;

	(void) env;
	if (m->n_classes == 2)
	{
		*base = m->log_prior[1] - m->log_prior[0];
		for (uint32_t j = 0; j < m->n_features; j++)
			contributions[j] = log_likelihood(m, j, x[j], 1) - log_likelihood(m, j, x[j], 0);
		return ML_OK;
	}
	for (uint32_t c = 0; c < m->n_classes; c++)
		mean += m->log_prior[c] / m->n_classes;
	*base = m->log_prior[k] - mean;
	for (uint32_t j = 0; j < m->n_features; j++)
	{
		mean = 0;
		for (uint32_t c = 0; c < m->n_classes; c++)
			mean += log_likelihood(m, j, x[j], c) / m->n_classes;
		contributions[j] = log_likelihood(m, j, x[j], k) - mean;
	}
	return ML_OK;
}

/* ---- importance: what a feature tells about the class, in nats */

/* The entropy of the normal distribution that all classes make, less their mean entropy. */
static double
normal_information(const MlBayesModel *m, uint32_t j)
{
	double mean = 0, variance = 0, rest = 0;

	if (!(m->b[j][0] > 0))
		return 0;
	for (uint32_t k = 0; k < m->n_classes; k++)
		mean += exp(m->log_prior[k]) * m->a[j][k];
	for (uint32_t k = 0; k < m->n_classes; k++)
	{
		double prior = exp(m->log_prior[k]), d = m->a[j][k] - mean;

		variance += prior * (m->b[j][k] + d * d);
		rest += prior * log(m->b[j][k]);
	}
	return isfinite(variance) ? 0.5 * (log(variance) - rest) : 0;
}

/* Sum over classes of prior p log(p / mean p), for p = exp of n_classes log-probabilities. */
static double
share_information(const MlBayesModel *m, const double *log_p)
{
	double mean = 0, sum = 0;

	for (uint32_t k = 0; k < m->n_classes; k++)
		mean += exp(m->log_prior[k] + log_p[k]);
	for (uint32_t k = 0; k < m->n_classes && mean > 0; k++)
		sum += exp(m->log_prior[k] + log_p[k]) * (log_p[k] - log(mean));
	return sum == sum ? sum : 0;
}

void
ml_bayes_importance(const void *model, double *gain)
{
	const MlBayesModel *m = model;

	for (uint32_t j = 0; j < m->n_features; j++)
	{
		double sum = 0;

		if (m->kind[j] == ML_BAYES_NORMAL)
			sum = normal_information(m, j);
		else if (m->kind[j] == ML_BAYES_COUNTS)
			sum = share_information(m, m->a[j]);
		for (uint32_t l = 0; l < m->n_levels[j]; l++)
			sum += share_information(m, m->a[j] + (size_t) l * m->n_classes);
		gain[j] = sum > 0 ? sum : 0;
	}
}

/* ---- the coefficient view: means and deviations, probabilities of levels, shares of counts */

typedef struct Emitter
{
	MlCoefficientFn emit;
	void *arg;
	MlBuffer name;
} Emitter;

/* A row for each class. what: appended to the feature's name. */
static MlStatus
emit_classes(Emitter *e, const MlBayesModel *m, const char *feature, const char *what,
			 const double *value, double (*figure)(double))
{
	e->name.len = 0;
	ml_put_bytes(&e->name, feature, strlen(feature));
	ml_put_bytes(&e->name, what, strlen(what));
	ml_put_u8(&e->name, 0);
	ML_TRY(e->name.status);
	for (uint32_t k = 0; k < m->n_classes; k++)
	{
		MlCoefficient row = {.feature = (const char *) e->name.data,
							 .class_index = (int) k,
							 .value = figure ? figure(value[k]) : value[k],
							 .std_error = NAN,
							 .statistic = NAN,
							 .p_value = NAN};

		ML_TRY(e->emit(e->arg, &row));
	}
	return ML_OK;
}

/* One table of levels: "origin=ATL", or of a boolean "late=false" and "late=true". */
static MlStatus
emit_levels(Emitter *e, const MlBayesModel *m, const MlSchema *schema, uint32_t j)
{
	const MlFeature *feature = &schema->features[j];
	MlBuffer what;
	MlStatus status = ML_OK;

	ml_buffer_init(&what, e->name.env);
	for (uint32_t l = 0; l < m->n_levels[j] && status == ML_OK; l++)
	{
		const double *p = m->a[j] + (size_t) l * m->n_classes;
		const char *text = feature->categorical
							   ? ml_dict_text(schema->inputs[feature->input].levels, l)
						   : l ? "true"
							   : "false";

		if (isnan(p[0]))
			continue;
		what.len = 0;
		ml_put_u8(&what, '=');
		ml_put_bytes(&what, text, strlen(text) + 1);
		status = what.status;
		if (status == ML_OK)
			status = emit_classes(e, m, feature->name, (const char *) what.data, p, exp);
	}
	ml_buffer_free(&what);
	return status;
}

static MlStatus
emit_all(Emitter *e, const MlBayesModel *m, const MlSchema *schema)
{
	ML_TRY(emit_classes(e, m, "(prior)", "", m->log_prior, exp));
	for (uint32_t j = 0; j < m->n_features; j++)
	{
		const char *name = schema->features[j].name;

		if (m->kind[j] == ML_BAYES_LEVELS)
			ML_TRY(emit_levels(e, m, schema, j));
		else if (m->kind[j] == ML_BAYES_COUNTS)
			ML_TRY(emit_classes(e, m, name, "", m->a[j], exp));
		else
		{
			ML_TRY(emit_classes(e, m, name, "", m->a[j], NULL));
			ML_TRY(emit_classes(e, m, name, " (deviation)", m->b[j], sqrt));
		}
	}
	return ML_OK;
}

MlStatus
ml_bayes_coefficients(MlEnv *env, const void *model, const MlSchema *schema, MlCoefficientFn emit,
					  void *arg)
{
	Emitter e = {.emit = emit, .arg = arg};
	MlStatus status;

	ml_buffer_init(&e.name, env);
	status = emit_all(&e, model, schema);
	ml_buffer_free(&e.name);
	return status;
}

/* ---- its bytes */

void
ml_bayes_save(const void *model, MlBuffer *out)
{
	const MlBayesModel *m = model;

	ml_put_u32(out, m->n_classes);
	ml_put_f64_array(out, m->log_prior, m->n_classes);
	for (uint32_t j = 0; j < m->n_features; j++)
	{
		size_t n = m->n_classes;

		ml_put_u8(out, (uint8_t) m->kind[j]);
		if (m->kind[j] == ML_BAYES_LEVELS)
		{
			ml_put_u32(out, m->n_levels[j]);
			n *= m->n_levels[j];
		}
		ml_put_f64_array(out, m->a[j], n);
		if (m->kind[j] == ML_BAYES_NORMAL)
			ml_put_f64_array(out, m->b[j], n);
	}
}

/* Log-probabilities: not above zero, finite; NaN where levels may be unknown. */
static bool
sound_logs(const double *p, size_t n, bool may_miss)
{
	for (size_t i = 0; i < n; i++)
	{
		if (isnan(p[i]) ? !may_miss : !(p[i] <= 1e-9 && p[i] >= -1e6))
			return false;
	}
	return true;
}

/* Means finite; variances all above zero, or all zero. */
static bool
sound_normal(const MlBayesModel *m, uint32_t j)
{
	for (uint32_t k = 0; k < m->n_classes; k++)
	{
		double v = m->b[j][k];

		if (!isfinite(m->a[j][k]) || !isfinite(v) || (v > 0) != (m->b[j][0] > 0) || v < 0 ||
			(v > 0 && !(v > 1e-300)))
			return false;
	}
	return true;
}

static MlStatus
load_feature(MlReader *in, MlArena *arena, const MlSchema *schema, MlBayesModel *m, uint32_t j)
{
	const MlFeature *feature = &schema->features[j];
	uint8_t kind = ml_get_u8(in);
	size_t n = m->n_classes;
	bool sound;

	if (kind >= ML_BAYES_N_KINDS || (feature->categorical && kind != ML_BAYES_LEVELS))
		return ml_corrupt(in->env, "kind of a feature");
	m->kind[j] = (MlBayesKind) kind;
	if (kind == ML_BAYES_LEVELS)
	{
		m->n_levels[j] = ml_get_u32(in);
		if (m->n_levels[j] > (feature->categorical ? feature->n_levels : 2))
			return ml_corrupt(in->env, "levels of a feature");
		n *= m->n_levels[j];
	}
	m->a[j] = ml_get_f64_array(in, arena, n);
	if (kind == ML_BAYES_NORMAL)
		m->b[j] = ml_get_f64_array(in, arena, n);
	ML_TRY(ml_reader_check(in, "figures of a feature"));
	sound = kind == ML_BAYES_NORMAL ? sound_normal(m, j)
									: sound_logs(m->a[j], n, kind == ML_BAYES_LEVELS);
	return sound ? ML_OK : ml_corrupt(in->env, "figures of a feature");
}

MlStatus
ml_bayes_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
			  void **model)
{
	MlBayesModel *m = ml_arena_alloc(arena, sizeof *m);
	size_t p = schema->n_features;

	if (!m)
		return ML_ENOMEM;
	m->n_features = schema->n_features;
	m->n_classes = ml_get_u32(in);
	if (in->failed || m->n_classes != (n_outputs == 1 ? 2 : n_outputs))
		return ml_corrupt(in->env, "number of classes");
	m->log_prior = ml_get_f64_array(in, arena, m->n_classes);
	ML_TRY(ml_reader_check(in, "priors"));
	if (!sound_logs(m->log_prior, m->n_classes, false))
		return ml_corrupt(in->env, "priors");
	m->kind = ml_arena_array(arena, p, sizeof *m->kind);
	m->n_levels = ml_arena_array(arena, p, sizeof *m->n_levels);
	m->a = ml_arena_array(arena, p, sizeof *m->a);
	m->b = ml_arena_array(arena, p, sizeof *m->b);
	if (!m->kind || !m->n_levels || !m->a || !m->b)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < m->n_features; j++)
		ML_TRY(load_feature(in, arena, schema, m, j));
	*model = m;
	return ml_bayes_index(arena, m);
}
