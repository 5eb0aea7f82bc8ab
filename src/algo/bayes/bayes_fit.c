/*
 * bayes_fit.c
 *		From sums by class to the model; fitting a frame.
 *
 * As scikit-learn has it: variances are those of the population, plus var_smoothing
 * times the greatest variance of a normal feature over all rows; counts get alpha
 * added. A class in which a normal feature is always missing takes the feature's
 * overall distribution, so that it says nothing there.
 */
#include <math.h>
#include <string.h>

#include "algo/bayes/bayes.h"

#define READ_ROWS 256
#define LEAST_PRIOR 1e-300 /* of a class without rows */

/* ---- options */

static MlStatus
bad_likelihood(MlEnv *env)
{
	ml_fail(env, ML_EINVAL,
			"option \"likelihood\" must be \"auto\", \"gaussian\" or "
			"\"multinomial\", or an object with one of them by column");
	return ML_EINVAL;
}

static bool
is_likelihood(const MlJson *json)
{
	return json->type == ML_JSON_STRING &&
		   (strcmp(json->string, "auto") == 0 || strcmp(json->string, "gaussian") == 0 ||
			strcmp(json->string, "multinomial") == 0);
}

MlStatus
ml_bayes_check_options(MlEnv *env, const MlParams *params)
{
	const MlJson *likelihood = params->values[BAYES_LIKELIHOOD].json;
	const MlJson *priors = params->values[BAYES_PRIORS].json;

	if (likelihood->type != ML_JSON_OBJECT && !is_likelihood(likelihood))
		return bad_likelihood(env);
	for (size_t i = 0; likelihood->type == ML_JSON_OBJECT && i < likelihood->n; i++)
	{
		if (!is_likelihood(&likelihood->items[i]))
			return bad_likelihood(env);
	}
	if (priors->type != ML_JSON_NULL && priors->type != ML_JSON_OBJECT &&
		!(priors->type == ML_JSON_STRING && strcmp(priors->string, "uniform") == 0))
		return ml_fail(env, ML_EINVAL,
					   "option \"priors\" must be \"uniform\" or an object with a probability by "
					   "class, not %s",
					   ml_json_type_name(priors->type));
	return ML_OK;
}

/* The priors that the option gives by label; they sum to 1. */
static MlStatus
read_priors(MlEnv *env, const MlJson *priors, const MlStreamEnd *end, double *out)
{
	double sum = 0;

	if (priors->n != end->n_classes)
		return ml_fail(env, ML_EINVAL, "option \"priors\" names %zu classes, but there are %u",
					   priors->n, end->n_classes);
	for (uint32_t k = 0; k < end->n_classes; k++)
	{
		const MlJson *prior = ml_json_get(priors, end->labels[k]);

		if (!prior || prior->type != ML_JSON_NUMBER || !(prior->number > 0) ||
			!(prior->number <= 1))
			return ml_fail(env, ML_EINVAL,
						   "option \"priors\" needs a probability above 0 of class \"%.64s\"",
						   end->labels[k]);
		out[k] = prior->number;
		sum += prior->number;
	}
	if (!(fabs(sum - 1) <= 1e-6))
		return ml_fail(env, ML_EINVAL, "option \"priors\" must sum to 1, not %g", sum);
	return ML_OK;
}

/* ---- the model */

typedef struct Finish
{
	const MlBayesState *state;
	const MlStreamEnd *end;
	MlBayesModel *model;
	double alpha, epsilon;
} Finish;

static MlStatus
fit_priors(Finish *f, MlEnv *env)
{
	const MlBayesState *s = f->state;
	const MlJson *priors = s->params->values[BAYES_PRIORS].json;
	MlBayesModel *m = f->model;
	double total = 0;

	for (uint32_t c = 0; c < s->n_classes; c++)
		total += s->class_weight[c];
	for (uint32_t c = 0; c < s->n_classes; c++)
		m->log_prior[f->end->class_of[c]] =
			priors->type == ML_JSON_STRING ? 1.0 / m->n_classes : s->class_weight[c] / total;
	if (priors->type == ML_JSON_OBJECT)
		ML_TRY(read_priors(env, priors, f->end, m->log_prior));
	for (uint32_t k = 0; k < m->n_classes; k++)
		m->log_prior[k] = log(fmax(m->log_prior[k], LEAST_PRIOR));
	return ML_OK;
}

/* The moments of a feature over all classes. */
static MlBayesMoments
overall(const MlBayesState *s, const MlBayesFeature *f)
{
	MlBayesMoments all = {0, 0, 0};

	for (uint32_t c = 0; c < s->n_classes; c++)
	{
		const MlBayesMoments *m = &f->moments[c];
		double weight = all.weight + m->weight, delta = m->mean - all.mean;

		if (!(m->weight > 0))
			continue;
		all.m2 += m->m2 + delta * delta * (all.weight * m->weight / weight);
		all.mean += delta * (m->weight / weight);
		all.weight = weight;
	}
	return all;
}

/* The part of the greatest variance that is added to all. */
static MlStatus
fit_epsilon(Finish *f, MlEnv *env)
{
	const MlBayesState *s = f->state;
	double greatest = 0;

	for (uint32_t j = 0; j < s->n_features; j++)
	{
		MlBayesMoments all;

		if (s->features[j].kind != ML_BAYES_NORMAL)
			continue;
		all = overall(s, &s->features[j]);
		if (!isfinite(all.m2))
			return ml_fail(env, ML_EDATA, "feature \"%s\" has values too large to be squared",
						   s->schema->features[j].name);
		if (all.weight > 0)
			greatest = fmax(greatest, all.m2 / all.weight);
	}
	f->epsilon = ml_param_real(s->params, BAYES_VAR_SMOOTHING) * greatest;
	return ML_OK;
}

static void
fit_normal(const Finish *f, uint32_t j)
{
	const MlBayesState *s = f->state;
	MlBayesMoments all = overall(s, &s->features[j]);

	for (uint32_t c = 0; c < s->n_classes; c++)
	{
		const MlBayesMoments *m = &s->features[j].moments[c];
		uint32_t k = f->end->class_of[c];

		if (!(m->weight > 0))
			m = &all;
		f->model->a[j][k] = m->mean;
		f->model->b[j][k] = m->weight > 0 ? m->m2 / m->weight + f->epsilon : 0;
	}
	/* Without variance in a class, and nothing added, the feature has no density: it says nothing. */
	for (uint32_t k = 0; k < f->model->n_classes; k++)
	{
		if (f->model->b[j][k] > 1e-300 && f->model->b[j][k] < INFINITY)
			continue;
		memset(f->model->b[j], 0, f->model->n_classes * sizeof(double));
		return;
	}
}

/* (count + alpha) / (sum + alpha L) over the L levels that some row has. */
static void
fit_levels(const Finish *f, uint32_t j)
{
	const MlBayesState *s = f->state;
	const MlBayesFeature *feature = &s->features[j];
	uint32_t n = f->model->n_classes, seen = 0;
	double *p = f->model->a[j];

	for (uint32_t l = 0; l < feature->n_levels; l++)
	{
		double total = 0;

		for (uint32_t c = 0; c < s->n_classes; c++)
			total += feature->sum[(size_t) l * s->class_capacity + c];
		seen += total > 0;
		for (uint32_t c = 0; c < s->n_classes; c++)
			p[(size_t) l * n + f->end->class_of[c]] =
				total > 0 ? feature->sum[(size_t) l * s->class_capacity + c] : NAN;
	}
	for (uint32_t k = 0; k < n; k++)
	{
		double sum = 0;

		for (uint32_t l = 0; l < feature->n_levels; l++)
			sum += p[(size_t) l * n + k] >= 0 ? p[(size_t) l * n + k] : 0;
		for (uint32_t l = 0; l < feature->n_levels; l++)
			p[(size_t) l * n + k] =
				log((p[(size_t) l * n + k] + f->alpha) / (sum + f->alpha * seen));
	}
}

/* The multinomial over all features that are counts. */
static void
fit_counts(const Finish *f)
{
	const MlBayesState *s = f->state;

	for (uint32_t c = 0; c < s->n_classes; c++)
	{
		double sum = 0;

		for (uint32_t j = 0; j < s->n_features; j++)
			sum += s->features[j].kind == ML_BAYES_COUNTS ? s->features[j].sum[c] + f->alpha : 0;
		for (uint32_t j = 0; j < s->n_features; j++)
		{
			if (s->features[j].kind == ML_BAYES_COUNTS)
				f->model->a[j][f->end->class_of[c]] = log((s->features[j].sum[c] + f->alpha) / sum);
		}
	}
}

/* Room for the figures. */
static MlStatus
make_model(const MlBayesState *s, const MlStreamEnd *end, MlArena *arena, MlBayesModel **model)
{
	MlBayesModel *m = ml_arena_alloc(arena, sizeof *m);
	size_t p = s->n_features, n = end->n_classes;

	if (!m)
		return ML_ENOMEM;
	m->n_features = s->n_features;
	m->n_classes = end->n_classes;
	m->log_prior = ml_arena_array(arena, n, sizeof(double));
	m->kind = ml_arena_array(arena, p, sizeof *m->kind);
	m->n_levels = ml_arena_array(arena, p, sizeof *m->n_levels);
	m->a = ml_arena_array(arena, p, sizeof *m->a);
	m->b = ml_arena_array(arena, p, sizeof *m->b);
	if (!m->log_prior || !m->kind || !m->n_levels || !m->a || !m->b)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < p; j++)
	{
		const MlBayesFeature *f = &s->features[j];
		size_t rows = f->kind == ML_BAYES_LEVELS ? f->n_levels : 1;

		m->kind[j] = f->kind;
		m->n_levels[j] = f->kind == ML_BAYES_LEVELS ? f->n_levels : 0;
		m->a[j] = ml_arena_array(arena, rows * n, sizeof(double));
		m->b[j] = f->kind == ML_BAYES_NORMAL ? ml_arena_array(arena, n, sizeof(double)) : NULL;
		if (!m->a[j] || (f->kind == ML_BAYES_NORMAL && !m->b[j]))
			return ML_ENOMEM;
	}
	*model = m;
	return ML_OK;
}

static void
write_summary(const Finish *f, MlFitReport *report)
{
	MlJsonWriter w;

	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "n", (double) f->state->n_rows);
	ml_json_number(&w, "epsilon", f->epsilon);
	ml_json_open(&w, "priors", '{');
	for (uint32_t k = 0; k < f->model->n_classes; k++)
		ml_json_number(&w, f->end->labels[k], exp(f->model->log_prior[k]));
	ml_json_close(&w, '}');
}

MlStatus
ml_bayes_finish(const void *state, MlArena *arena, const MlStreamEnd *end, MlFitReport *report,
				void **model)
{
	const MlBayesState *s = state;
	Finish f = {.state = s, .end = end, .alpha = ml_param_real(s->params, BAYES_ALPHA)};

	ML_TRY(make_model(s, end, arena, &f.model));
	ML_TRY(fit_priors(&f, arena->env));
	ML_TRY(fit_epsilon(&f, arena->env));
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		if (j % 64 == 0 || s->features[j].n_levels > 10000)
			ML_TRY(ml_poll(arena->env));
		if (s->features[j].kind == ML_BAYES_NORMAL)
			fit_normal(&f, j);
		else if (s->features[j].kind == ML_BAYES_LEVELS)
			fit_levels(&f, j);
	}
	fit_counts(&f);
	write_summary(&f, report);
	*model = f.model;
	return ml_bayes_index(arena, f.model);
}

/* ---- a frame */

/* All rows into a state, whose class codes are the classes. */
static MlStatus
accumulate_rows(MlEnv *env, const MlFitInput *input, MlBayesState *s)
{
	const MlDataset *data = input->data;
	size_t p = data->schema->n_features;
	double *x = ml_arena_array(s->arena, READ_ROWS * p, sizeof(double));
	double y[READ_ROWS], w[READ_ROWS];

	if (!x)
		return ML_ENOMEM;
	for (size_t first = 0; first < input->train.n; first += READ_ROWS)
	{
		size_t n = ML_MIN((size_t) READ_ROWS, input->train.n - first);

		ML_TRY(ml_poll(env));
		ml_dataset_block(data, &input->train, first, n, x);
		ml_dataset_target(data, &input->train, first, n, y);
		ml_dataset_weight(data, &input->train, first, n, w);
		ML_TRY(ml_bayes_accumulate(s, x, y, w, n));
	}
	return ML_OK;
}

MlStatus
ml_bayes_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	const MlDataset *data = input->data;
	MlStreamInput stream = {input->params, data->schema->n_features, ML_CLASSIFICATION,
							data->schema};
	MlStreamEnd end = {
		.schema = data->schema, .n_classes = data->n_classes, .labels = data->labels};
	uint32_t *class_of;
	MlArena scratch;
	void *state;
	MlStatus status;

	ml_arena_init(&scratch, env);
	status = ml_bayes_begin(&scratch, &stream, &state);
	if (status == ML_OK)
		status = ml_bayes_grow(state, data->n_classes); /* a class may have no row to train on */
	if (status == ML_OK)
		status = accumulate_rows(env, input, state);
	class_of = ml_arena_array(&scratch, data->n_classes, sizeof *class_of);
	if (status == ML_OK && !class_of)
		status = ML_ENOMEM;
	if (status == ML_OK)
	{
		for (uint32_t k = 0; k < data->n_classes; k++)
			class_of[k] = k;
		end.class_of = class_of;
		status = ml_bayes_finish(state, arena, &end, report, model);
	}
	ml_arena_free(&scratch);
	return status;
}
