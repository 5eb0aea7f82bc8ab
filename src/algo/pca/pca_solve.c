/*
 * pca_solve.c
 *		From the scatter of the columns to components.
 *
 * The factor a of a'a = X'X is made a square triangle R, its columns in the order of
 * falling length (rotations of R' then converge fast), and the left singular vectors
 * of R' are the components. Where X'X itself is given, its own singular vectors are.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/pca/pca.h"
#include "core/linalg.h"
#include "core/svd.h"

/* A column whose deviation is below this share of its mean does not vary: it is what rounding makes. */
#define LEAST_SHARE 1e-14

typedef struct Solve
{
	MlEnv *env;
	MlArena *scratch;
	MlPcaScatter *scatter;
	size_t n;          /* columns */
	double *deviation; /* of each column, before scaling */
	double *factor;
	double *b; /* vectors, column after column */
	double *sigma;
	size_t n_vectors, rank;
} Solve;

/* ---- options */

/* *share: of the variance, 0: not given; *number: 0: not given. */
static bool
read_components(const MlJson *json, double *share, uint32_t *number)
{
	*share = 0;
	*number = 0;
	if (json->type == ML_JSON_NULL)
		return true;
	if (json->type != ML_JSON_NUMBER || !(json->number > 0) || json->number > ML_MAX_SLOTS)
		return false;
	if (json->number < 1)
		*share = json->number;
	else if (json->number == floor(json->number))
		*number = (uint32_t) json->number;
	else
		return false;
	return true;
}

MlStatus
ml_pca_check_options(MlEnv *env, const MlParams *params)
{
	double share;
	uint32_t number;

	if (!read_components(params->values[PCA_N_COMPONENTS].json, &share, &number))
		return ml_fail(env, ML_EINVAL,
					   "option \"n_components\" must be a number of components, or a share of the "
					   "variance below 1");
	return ML_OK;
}

/* ---- the singular value decomposition */

/* The lengths of the columns as deviations, and what they are divided by. */
static MlStatus
fit_scale(Solve *s, const MlSchema *schema, const MlDesign *design, bool scale)
{
	MlPcaScatter *x = s->scatter;

	for (size_t c = 0; c < s->n; c++)
	{
		double sum = 0;

		for (size_t i = 0; i < x->m && !x->squared; i++)
			sum += x->a[c * x->m + i] * x->a[c * x->m + i];
		sum = x->squared ? fmax(x->a[c * x->m + c], 0) : sum;
		if (!isfinite(sum))
			return ml_fail(s->env, ML_EDATA, "feature \"%s\" has values too large to be squared",
						   schema->features[design->columns[c].feature].name);
		s->deviation[c] = sqrt(sum / x->weight);
		if (s->deviation[c] <= LEAST_SHARE * fabs(x->mean[c]))
			s->deviation[c] = 0;
		s->factor[c] = scale && s->deviation[c] > 0 ? 1 / s->deviation[c] : 1;
		if (!isfinite(s->factor[c]))
			s->factor[c] = 1;
	}
	for (size_t c = 0; c < s->n; c++)
	{
		for (size_t i = 0; i < x->m; i++)
			x->a[c * x->m + i] *= s->deviation[c] == 0 ? 0
								  : x->squared && s->deviation[i] == 0
									  ? 0
									  : s->factor[c] * (x->squared ? s->factor[i] : 1);
	}
	return ML_OK;
}

typedef struct Ranked
{
	double length;
	uint32_t column;
} Ranked;

/* Greater length first, then the earlier column. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;

	if (x->length != y->length)
		return x->length < y->length ? 1 : -1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* The vectors to rotate: the rows of the triangle, in the order of the columns. */
static MlStatus
make_vectors(Solve *s)
{
	MlPcaScatter *x = s->scatter;
	size_t n = s->n, m = x->m, r = ML_MIN(m, n);
	Ranked *order = ml_arena_array(s->scratch, n + 1, sizeof *order);
	double *copy = ml_arena_array(s->scratch, n + 1, (m + 1) * sizeof(double));
	double *work = ml_arena_array(s->scratch, ml_qr_work(n) + 1, sizeof(double));

	s->b = ml_arena_array(s->scratch, r + 1, (n + 1) * sizeof(double));
	if (!order || !copy || !work || !s->b)
		return ML_ENOMEM;
	for (size_t c = 0; c < n; c++)
		order[c] = (Ranked){s->deviation[c] * s->factor[c], (uint32_t) c};
	qsort(order, n, sizeof *order, compare_ranked);
	for (size_t c = 0; c < n; c++)
		memcpy(copy + c * m, x->a + order[c].column * m, m * sizeof(double));
	if (m > n)
		ML_TRY(ml_qr_reduce(s->env, copy, m, n, m, work));
	for (size_t i = 0; i < r; i++)
	{
		for (size_t c = m > n ? i : 0; c < n; c++)
			s->b[i * n + order[c].column] = copy[c * m + i];
	}
	s->n_vectors = r;
	return ML_OK;
}

/* The components are s->b, their singular values s->sigma. */
static MlStatus
decompose(Solve *s)
{
	if (s->scatter->squared)
	{
		s->b = s->scatter->a;
		s->n_vectors = s->n;
	}
	else
		ML_TRY(make_vectors(s));
	s->sigma = ml_arena_array(s->scratch, s->n_vectors + 1, sizeof(double));
	if (!s->sigma)
		return ML_ENOMEM;
	ML_TRY(ml_svd_left(s->env, s->b, s->n, s->n_vectors, s->sigma, &s->rank));
	for (size_t k = 0; k < s->n_vectors && s->scatter->squared; k++)
		s->sigma[k] = sqrt(s->sigma[k]);
	s->rank = ML_MIN(s->rank, s->scatter->n_rows - 1);
	if (s->rank > 0)
		return ML_OK;
	ml_fail(s->env, ML_EDATA, "there is nothing to decompose: no feature varies");
	return ML_EDATA;
}

/* ---- the model */

/* How many components to keep. */
static MlStatus
count_components(const Solve *s, const MlParams *params, double total, uint32_t *n)
{
	double share, sum = 0;

	read_components(params->values[PCA_N_COMPONENTS].json, &share, n);
	if (*n > s->n)
	{
		ml_fail(s->env, ML_EINVAL, "option \"n_components\" is %u, but there %s %zu column%s", *n,
				s->n == 1 ? "is" : "are", s->n, s->n == 1 ? "" : "s");
		return ML_EINVAL;
	}
	if (*n == 0 || *n > s->rank)
		*n = (uint32_t) s->rank;
	for (uint32_t k = 0; k < s->rank && share > 0; k++)
	{
		sum += s->sigma[k] * s->sigma[k];
		if (sum < share * total)
			continue;
		*n = k + 1;
		break;
	}
	return ML_OK;
}

/* Copy a component with the sign by which its largest loading is above zero. */
static void
copy_component(const double *from, size_t n, double *to)
{
	size_t largest = 0;

	for (size_t c = 1; c < n; c++)
	{
		if (fabs(from[c]) > fabs(from[largest]))
			largest = c;
	}
	for (size_t c = 0; c < n; c++)
		to[c] = from[largest] < 0 ? -from[c] : from[c];
}

static MlStatus
make_model(const Solve *s, MlArena *arena, const MlSchema *schema, MlDesign *design, uint32_t n,
		   MlPcaModel **out)
{
	MlPcaModel *m = ml_arena_alloc(arena, sizeof *m);
	const MlPcaScatter *x = s->scatter;

	if (!m)
		return ML_ENOMEM;
	m->design = design;
	m->n_features = schema->n_features;
	m->n_columns = (uint32_t) s->n;
	m->n_components = n;
	m->mean = ml_arena_array(arena, s->n, sizeof(double));
	m->factor = ml_arena_array(arena, s->n, sizeof(double));
	m->component = ml_arena_array(arena, n, s->n * sizeof(double));
	m->variance = ml_arena_array(arena, n, sizeof(double));
	if (!m->mean || !m->factor || !m->component || !m->variance)
		return ML_ENOMEM;
	memcpy(m->mean, x->mean, s->n * sizeof(double));
	memcpy(m->factor, s->factor, s->n * sizeof(double));
	for (uint32_t k = 0; k < n; k++)
	{
		copy_component(s->b + k * s->n, s->n, m->component + k * s->n);
		m->variance[k] =
			s->sigma[k] * s->sigma[k] / x->weight * (double) x->n_rows / (double) (x->n_rows - 1);
	}
	*out = m;
	return ML_OK;
}

static void
write_summary(const Solve *s, const MlPcaModel *m, double total, MlFitReport *report)
{
	double sum = 0;
	MlJsonWriter w;

	for (uint32_t k = 0; k < m->n_components; k++)
		sum += s->sigma[k] * s->sigma[k] / total;
	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "n", (double) s->scatter->n_rows);
	ml_json_number(&w, "n_components", m->n_components);
	ml_json_number(&w, "rank", (double) s->rank);
	ml_json_open(&w, "explained_variance", '[');
	for (uint32_t k = 0; k < m->n_components; k++)
		ml_json_number(&w, NULL, m->variance[k]);
	ml_json_close(&w, ']');
	ml_json_open(&w, "explained_variance_ratio", '[');
	for (uint32_t k = 0; k < m->n_components; k++)
		ml_json_number(&w, NULL, s->sigma[k] * s->sigma[k] / total);
	ml_json_close(&w, ']');
	ml_json_number(&w, "explained", sum);
	report->metric = "explained_variance_ratio";
	report->score = sum;
}

MlStatus
ml_pca_make(MlEnv *env, MlArena *arena, const MlParams *params, const MlSchema *schema,
			MlDesign *design, MlPcaScatter *scatter, MlFitReport *report, void **model)
{
	Solve s = {.env = env, .scatter = scatter, .n = design->n_columns};
	double total = 0;
	MlPcaModel *m = NULL;
	MlArena scratch;
	uint32_t n;
	MlStatus status;

	if (scatter->n_rows < 2)
		return ml_fail(env, ML_EDATA, "there is nothing to decompose: there is one row only");
	ml_arena_init(&scratch, env);
	s.scratch = &scratch;
	s.deviation = ml_arena_array(&scratch, s.n + 1, sizeof(double));
	s.factor = ml_arena_array(&scratch, s.n + 1, sizeof(double));
	status = s.deviation && s.factor ? ML_OK : ML_ENOMEM;
	if (status == ML_OK)
		status = fit_scale(&s, schema, design, ml_param_bool(params, PCA_SCALE));
	if (status == ML_OK)
		status = decompose(&s);
	for (size_t k = 0; status == ML_OK && k < s.n_vectors; k++)
		total += s.sigma[k] * s.sigma[k];
	if (status == ML_OK)
		status = count_components(&s, params, total, &n);
	if (status == ML_OK)
		status = make_model(&s, arena, schema, design, n, &m);
	if (status == ML_OK)
	{
		m->whiten = ml_param_bool(params, PCA_WHITEN);
		write_summary(&s, m, total, report);
		status = ml_pca_index(arena, m);
	}
	ml_arena_free(&scratch);
	*model = m;
	return status;
}
