/*
 * glm_theta.c
 *		The theta of the negative binomial law by maximum likelihood (Lawless 1987).
 *
 * Coefficients and theta are orthogonal in the information matrix, so fitting them in
 * turn, as glm.nb of R's MASS does, converges in a few rounds.
 */
#include "algo/glm/glm_pass.h"
#include "core/stats.h"

/* Sums: n, moments, score and information of theta (Lawless 1987). */
static bool
visit_theta(const MlGlmPass *pass, size_t block, MlGlmScratch *s, double *sums)
{
	const MlGlmProblem *problem = pass->problem;
	double theta = problem->law.theta, deviance = 0, pearson = 0;
	double at_theta[2] = {0};

	if (!ml_glm_visit_rows(pass, block, s, &deviance, &pearson))
		return false;
	if (theta > 0)
	{
		at_theta[0] = ml_digamma(theta);
		at_theta[1] = ml_trigamma(theta);
	}
	for (size_t i = 0; i < s->rows.n; i++)
	{
		double y = s->rows.y[i], mu = s->rows.mu[i], w = s->rows.w[i], over = (y - mu) / mu;

		sums[0] += w * over * over;
		if (!(theta > 0))
			continue;
		sums[1] +=
			w * (ml_digamma(theta + y) - at_theta[0] - log1p(mu / theta) - (y - mu) / (theta + mu));
		sums[2] += w * (at_theta[1] - ml_trigamma(theta + y) - 1 / theta + 2 / (mu + theta) -
						(y + theta) / ((mu + theta) * (mu + theta)));
	}
	return true;
}

/* Newton's method on log(theta), so that theta stays above 0; a step changes it at most by a factor of 10. */
MlStatus
ml_glm_fit_theta(MlGlmProblem *problem, const double *b, double *std_error)
{
	MlGlmPass pass = {.problem = problem, .b = b, .visit = visit_theta, .n_sums = 4};
	double sums[4], change = 1;

	pass.block_seconds = ml_glm_block_seconds(problem, false) + 2e-7 * (double) problem->block;
	if (!(problem->law.theta > 0))
	{
		problem->law.family = ML_GLM_POISSON; /* its means need no theta */
		ML_TRY(ml_glm_run(&pass, sums));
		problem->law.family = ML_GLM_NEGATIVE_BINOMIAL;
		problem->law.theta = fmin(fmax(problem->sum_w / fmax(sums[0], 1e-10), 1e-3), 1e4);
	}
	for (int step = 0; step < 50 && fabs(change) > 1e-9; step++)
	{
		double theta = problem->law.theta, slope, curvature;

		ML_TRY(ml_glm_run(&pass, sums));
		slope = theta * sums[1];
		curvature = theta * theta * sums[2] - slope;
		change = curvature > 0 ? slope / curvature : slope > 0 ? 1 : -1;
		change = fmin(fmax(change, -2.3), 2.3);
		*std_error = sums[2] > 0 ? 1 / sqrt(sums[2]) : NAN;
		problem->law.theta = fmax(theta * exp(change), 1e-10);
		if (problem->law.theta > ML_GLM_MOST_THETA)
		{
			problem->law.theta = ML_GLM_MOST_THETA;
			*std_error = NAN;
			break;
		}
	}
	return ML_OK;
}
