/*
 * glm_family.c
 *		Families and links of generalised linear models: means, variances, deviances, likelihoods.
 *
 * A block of rows goes through three loops: from the linear predictor to the mean
 * and its slope (the link), from the mean to variance and unit deviance (the
 * family), and then to score and curvature, which are the same for all. The log
 * link and the families that go with it use vectors; the rest is libm.
 *
 * Means that the logarithm or the logit would round to the end of their range are
 * kept just inside it: fitted probabilities of 0 and 1 are a matter of the solver.
 */
#include <string.h>

#include "algo/glm/glm.h"
#include "core/stats.h"
#include "core/vmath.h"

#define NEAREST_ONE (1 - 2.3e-16) /* a probability is at most this */
#define NEAREST_ZERO 2.3e-16
#define LARGEST 1e300 /* ratios are cut to this, so that logarithms stay finite */
#define TAU 6.28318530717958647693

static const char *const family_names[ML_GLM_N_FAMILIES] = {
	"gaussian", "poisson", "gamma", "tweedie", "negative_binomial", "inverse_gaussian", "binomial"};
static const char *const link_names[ML_GLM_N_LINKS] = {
	"auto", "identity", "log", "inverse", "inverse_squared", "sqrt", "logit", "probit", "cloglog"};

const char *
ml_glm_family_name(MlGlmFamily family)
{
	return family_names[family];
}

const char *
ml_glm_link_name(MlGlmLink link)
{
	return link_names[link];
}

/* ---- which law */

/* The place of a word in a list. */
static int
find_word(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return 0;
}

/* Links that keep a mean in (0, 1) are for binomial, and no other is: those beside logarithm can leave it. */
static bool
link_fits(MlGlmFamily family, MlGlmLink link)
{
	return (family == ML_GLM_BINOMIAL) == (link >= ML_GLM_LOGIT);
}

/* Options of one family only. */
static MlStatus
check_options(MlEnv *env, const MlParams *params, const MlGlmLaw *law)
{
	if (ml_param_given(params, GLM_POWER) && law->family != ML_GLM_TWEEDIE)
		return ml_fail(env, ML_EINVAL, "option \"power\" is for family \"tweedie\", not for \"%s\"",
					   family_names[law->family]);
	if (ml_param_given(params, GLM_THETA) && law->family != ML_GLM_NEGATIVE_BINOMIAL)
		return ml_fail(env, ML_EINVAL,
					   "option \"theta\" is for family \"negative_binomial\", not for \"%s\"",
					   family_names[law->family]);
	if (!link_fits(law->family, law->link))
	{
		ml_fail(env, ML_EINVAL, "family \"%s\" does not go with link \"%s\"",
				family_names[law->family], link_names[law->link]);
		ml_hint(env, "Its links are: %s.",
				law->family == ML_GLM_BINOMIAL ? "logit, probit, cloglog"
											   : "log, identity, inverse, inverse_squared, sqrt");
		return ML_EINVAL;
	}
	return ML_OK;
}

MlStatus
ml_glm_law(MlEnv *env, const MlParams *params, MlGlmLaw *law)
{
	law->family =
		(MlGlmFamily) find_word(ml_param_text(params, GLM_FAMILY), family_names, ML_GLM_N_FAMILIES);
	law->link = (MlGlmLink) find_word(ml_param_text(params, GLM_LINK), link_names, ML_GLM_N_LINKS);
	law->power = ml_param_real(params, GLM_POWER);
	law->theta = params->values[GLM_THETA].null ? 0 : ml_param_real(params, GLM_THETA);
	if (law->link == ML_GLM_AUTO)
		law->link = law->family == ML_GLM_GAUSSIAN   ? ML_GLM_IDENTITY
					: law->family == ML_GLM_BINOMIAL ? ML_GLM_LOGIT
													 : ML_GLM_LOG;
	ML_TRY(check_options(env, params, law));
	/* The ends and the middle of tweedie's powers are laws of their own. */
	if (law->family == ML_GLM_TWEEDIE && law->power == 1)
		law->family = ML_GLM_POISSON;
	if (law->family == ML_GLM_TWEEDIE && law->power == 2)
		law->family = ML_GLM_GAMMA;
	if (law->family == ML_GLM_TWEEDIE && law->power == 3)
		law->family = ML_GLM_INVERSE_GAUSSIAN;
	return ML_OK;
}

bool
ml_glm_estimates_dispersion(const MlGlmLaw *law)
{
	return law->family != ML_GLM_POISSON && law->family != ML_GLM_BINOMIAL &&
		   law->family != ML_GLM_NEGATIVE_BINOMIAL;
}

/* True when the target may be 0 but not below. */
static bool
takes_zero(const MlGlmLaw *law)
{
	return law->family == ML_GLM_POISSON || law->family == ML_GLM_NEGATIVE_BINOMIAL ||
		   (law->family == ML_GLM_TWEEDIE && law->power < 2);
}

const char *
ml_glm_refuse(const MlGlmLaw *law, double y)
{
	if (law->family == ML_GLM_GAUSSIAN)
		return NULL;
	if (law->family == ML_GLM_BINOMIAL)
		return y >= 0 && y <= 1 ? NULL : "between 0 and 1";
	if (takes_zero(law))
		return y >= 0 ? NULL : "0 or greater";
	return y > 0 ? NULL : "above 0";
}

/* ---- links, one value at a time */

/* The normal quantile by halving: it is asked for once a fit. */
static double
normal_quantile(double p)
{
	double low = -9, high = 9;

	for (int i = 0; i < 60; i++)
	{
		double middle = (low + high) / 2;

		if (ml_normal_cdf(middle) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

double
ml_glm_link(const MlGlmLaw *law, double mu)
{
	switch (law->link)
	{
		case ML_GLM_LOG:
			return log(mu);
		case ML_GLM_INVERSE:
			return 1 / mu;
		case ML_GLM_INVERSE_SQUARED:
			return 1 / (mu * mu);
		case ML_GLM_SQRT:
			return sqrt(mu);
		case ML_GLM_LOGIT:
			return log(mu) - log1p(-mu);
		case ML_GLM_PROBIT:
			return normal_quantile(mu);
		case ML_GLM_CLOGLOG:
			return log(-log1p(-mu));
		case ML_GLM_AUTO:
		case ML_GLM_IDENTITY:
			break;
	}
	return mu;
}

double
ml_glm_mean(const MlGlmLaw *law, double eta)
{
	switch (law->link)
	{
		case ML_GLM_LOG:
			return exp(eta);
		case ML_GLM_INVERSE:
			return 1 / eta;
		case ML_GLM_INVERSE_SQUARED:
			return 1 / sqrt(eta);
		case ML_GLM_SQRT:
			return eta * eta;
		case ML_GLM_LOGIT:
			return ml_sigmoid(eta);
		case ML_GLM_PROBIT:
			return ml_normal_cdf(eta);
		case ML_GLM_CLOGLOG:
			return -expm1(-exp(eta));
		case ML_GLM_AUTO:
		case ML_GLM_IDENTITY:
			break;
	}
	return eta;
}

/* As R's families start, with a number above 0 where only the mean must be. */
double
ml_glm_start(const MlGlmLaw *law, double y)
{
	if (law->family == ML_GLM_BINOMIAL)
		return (y + 0.5) / 2;
	if (takes_zero(law))
		return y + (y == 0 || law->family == ML_GLM_POISSON ? 0.1 : 0);
	return y;
}

/* ---- from eta to the mean and its slope, a block at a time */

static void
identity_means(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		k->mu[i] = k->eta[i];
		k->slope[i] = 1;
	}
}

static void
log_means(MlGlmBlock *k)
{
	ml_vexp(k->eta, k->mu, k->n);
	memcpy(k->slope, k->mu, k->n * sizeof(double));
}

static void
logit_means(MlGlmBlock *k)
{
	ml_vlogistic(k->eta, k->mu, k->a, k->n);
	for (size_t i = 0; i < k->n; i++)
	{
		k->mu[i] = fmin(fmax(k->mu[i], NEAREST_ZERO), NEAREST_ONE);
		k->slope[i] = k->mu[i] * (1 - k->mu[i]);
	}
}

/* The links whose means leave the range when eta changes its sign. */
static void
power_means(MlGlmLink link, MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		double eta = k->eta[i], mu;

		if (link == ML_GLM_INVERSE)
		{
			mu = 1 / eta;
			k->slope[i] = -mu * mu;
		}
		else if (link == ML_GLM_INVERSE_SQUARED)
		{
			mu = eta > 0 ? 1 / sqrt(eta) : NAN;
			k->slope[i] = -0.5 * mu / eta;
		}
		else
		{
			mu = eta > 0 ? eta * eta : NAN;
			k->slope[i] = 2 * eta;
		}
		k->mu[i] = mu;
	}
}

static void
probit_means(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		double eta = k->eta[i];

		k->mu[i] = fmin(fmax(ml_normal_cdf(eta), NEAREST_ZERO), NEAREST_ONE);
		k->slope[i] = fmax(exp(-0.5 * eta * eta) / sqrt(TAU), NEAREST_ZERO);
	}
}

static void
cloglog_means(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		double e = exp(fmin(k->eta[i], 700));

		k->mu[i] = fmin(fmax(-expm1(-e), NEAREST_ZERO), NEAREST_ONE);
		k->slope[i] = fmax(e * exp(-e), NEAREST_ZERO);
	}
}

static void
block_means(const MlGlmLaw *law, MlGlmBlock *k)
{
	switch (law->link)
	{
		case ML_GLM_LOG:
			log_means(k);
			break;
		case ML_GLM_LOGIT:
			logit_means(k);
			break;
		case ML_GLM_PROBIT:
			probit_means(k);
			break;
		case ML_GLM_CLOGLOG:
			cloglog_means(k);
			break;
		case ML_GLM_INVERSE:
		case ML_GLM_INVERSE_SQUARED:
		case ML_GLM_SQRT:
			power_means(law->link, k);
			break;
		case ML_GLM_AUTO:
		case ML_GLM_IDENTITY:
			identity_means(k);
			break;
	}
}

/* ---- from the mean to variance (into b) and unit deviance (into a) */

/* a = log(y / mu), 0 where y is 0. */
static void
log_ratios(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		double ratio = k->y[i] > 0 ? k->y[i] / k->mu[i] : 1;

		k->a[i] = fmin(fmax(ratio, 1 / LARGEST), LARGEST);
	}
	ml_vlog(k->a, k->a, k->n);
}

static void
gaussian_block(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		k->a[i] = (k->y[i] - k->mu[i]) * (k->y[i] - k->mu[i]);
		k->b[i] = 1;
	}
}

static void
poisson_block(MlGlmBlock *k)
{
	log_ratios(k);
	for (size_t i = 0; i < k->n; i++)
	{
		k->a[i] = 2 * (k->y[i] * k->a[i] - (k->y[i] - k->mu[i]));
		k->b[i] = k->mu[i];
	}
}

static void
gamma_block(MlGlmBlock *k)
{
	log_ratios(k);
	for (size_t i = 0; i < k->n; i++)
	{
		k->a[i] = 2 * ((k->y[i] - k->mu[i]) / k->mu[i] - k->a[i]);
		k->b[i] = k->mu[i] * k->mu[i];
	}
}

static void
inverse_gaussian_block(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		double y = k->y[i], mu = k->mu[i], d = (y - mu) / mu;

		k->a[i] = d * d / y;
		k->b[i] = mu * mu * mu;
	}
}

/* The deviance by log1p: near the Poisson limit its two parts are large and almost equal. */
static void
negative_binomial_block(double theta, MlGlmBlock *k)
{
	log_ratios(k);
	for (size_t i = 0; i < k->n; i++)
	{
		double y = k->y[i], mu = k->mu[i];

		k->a[i] = 2 * (y * k->a[i] - (y + theta) * log1p((y - mu) / (mu + theta)));
		k->b[i] = mu + mu * mu / theta;
	}
}

/*
 * With p the power: d = 2 (y^(2-p) / ((1-p)(2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p)). Powers of the
 * mean come from m = mu^(1-p).
 */
static void
tweedie_block(double p, MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
		k->a[i] = k->mu[i] > 1 / LARGEST ? fmin(k->mu[i], LARGEST) : 1 / LARGEST;
	ml_vlog(k->a, k->a, k->n);
	for (size_t i = 0; i < k->n; i++)
		k->a[i] *= 1 - p;
	ml_vexp(k->a, k->a, k->n);
	for (size_t i = 0; i < k->n; i++)
		k->b[i] = k->y[i] > 1 / LARGEST ? fmin(k->y[i], LARGEST) : 1 / LARGEST;
	ml_vlog(k->b, k->b, k->n);
	for (size_t i = 0; i < k->n; i++)
		k->b[i] *= 2 - p;
	ml_vexp(k->b, k->b, k->n);
	for (size_t i = 0; i < k->n; i++)
	{
		double y = k->y[i], mu = k->mu[i], m = k->a[i], power = y > 0 ? k->b[i] : 0;

		k->a[i] = 2 * (power / ((1 - p) * (2 - p)) - y * m / (1 - p) + mu * m / (2 - p));
		k->b[i] = mu / m;
	}
}

static void
binomial_block(MlGlmBlock *k)
{
	for (size_t i = 0; i < k->n; i++)
	{
		double y = k->y[i], mu = k->mu[i], d = 0;

		if (y > 0)
			d += y * log(y / mu);
		if (y < 1)
			d += (1 - y) * log((1 - y) / (1 - mu));
		k->a[i] = 2 * d;
		k->b[i] = mu * (1 - mu);
	}
}

static void
block_deviances(const MlGlmLaw *law, MlGlmBlock *k)
{
	switch (law->family)
	{
		case ML_GLM_GAUSSIAN:
			gaussian_block(k);
			break;
		case ML_GLM_POISSON:
			poisson_block(k);
			break;
		case ML_GLM_GAMMA:
			gamma_block(k);
			break;
		case ML_GLM_TWEEDIE:
			tweedie_block(law->power, k);
			break;
		case ML_GLM_NEGATIVE_BINOMIAL:
			negative_binomial_block(law->theta, k);
			break;
		case ML_GLM_INVERSE_GAUSSIAN:
			inverse_gaussian_block(k);
			break;
		case ML_GLM_BINOMIAL:
			binomial_block(k);
			break;
	}
}

bool
ml_glm_evaluate_block(const MlGlmLaw *law, MlGlmBlock *k, double *deviance, double *pearson)
{
	bool any = law->family == ML_GLM_GAUSSIAN, inside = true;
	double sum_d = 0, sum_p = 0;

	block_means(law, k);
	for (size_t i = 0; i < k->n; i++)
		inside &= (any || k->mu[i] > 0) && fabs(k->mu[i]) <= LARGEST;
	if (!inside)
		return false;
	block_deviances(law, k);
	for (size_t i = 0; i < k->n; i++)
	{
		double residual = k->y[i] - k->mu[i], v = k->b[i];

		k->score[i] = k->w[i] * residual * (k->slope[i] / v);
		k->curvature[i] = k->w[i] * k->slope[i] * (k->slope[i] / v);
		sum_d += k->w[i] * k->a[i];
		sum_p += k->w[i] * residual * (residual / v);
	}
	*deviance += sum_d;
	*pearson += sum_p;
	return isfinite(sum_d) && isfinite(sum_p);
}

/* ---- likelihoods */

/* log Gamma without the sign that the library keeps for all threads. */
static double
log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

/* Of y successes a trial in w trials. */
static double
binomial_log_likelihood(double y, double mu, double w)
{
	double sum = log_gamma(w + 1) - log_gamma(w * y + 1) - log_gamma(w * (1 - y) + 1);

	if (y > 0)
		sum += w * y * log(mu);
	if (y < 1)
		sum += w * (1 - y) * log1p(-mu);
	return sum;
}

double
ml_glm_log_likelihood(const MlGlmLaw *law, double y, double mu, double w, double dispersion)
{
	double shape = 1 / dispersion, theta = law->theta;

	switch (law->family)
	{
		case ML_GLM_GAUSSIAN:
			return -0.5 * (log(TAU * dispersion / w) + w * (y - mu) * ((y - mu) / dispersion));
		case ML_GLM_POISSON:
			return w * ((y > 0 ? y * log(mu) : 0) - mu - log_gamma(y + 1));
		case ML_GLM_GAMMA:
			return w *
				   (shape * log(shape * (y / mu)) - shape * (y / mu) - log(y) - log_gamma(shape));
		case ML_GLM_INVERSE_GAUSSIAN:
			return -0.5 * w *
				   (log(TAU * dispersion) + 3 * log(y) +
					(y - mu) / mu * ((y - mu) / mu) / (y * dispersion));
		case ML_GLM_NEGATIVE_BINOMIAL:
			return w * (log_gamma(y + theta) - log_gamma(theta) - log_gamma(y + 1) -
						theta * log1p(mu / theta) - (y > 0 ? y * log1p(theta / mu) : 0));
		case ML_GLM_BINOMIAL:
			return binomial_log_likelihood(y, mu, w);
		case ML_GLM_TWEEDIE:
			break;
	}
	return NAN;
}
