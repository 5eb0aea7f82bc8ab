/*
 * gbdt_target.c
 *		Targets, weights, and the constant that boosting starts from.
 *
 * A regression's targets are kept relative to a centre, so that floats hold
 * their digits, but for losses of a mean's logarithm, whose targets are
 * amounts from 0.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt_objective.h"

#define MAX_TARGET 1e18 /* floats must hold its square */
#define MAX_AMOUNT 1e15 /* where scores are logarithms */
#define MAX_WEIGHT 1e15
#define LEAST_SHARE 1e-6 /* of a class that training rows lack */

/* The name of a loss that takes amounts, for errors. */
static const char *
loss_name(GbdtLoss loss)
{
	return loss == GBDT_POISSON ? "poisson" : "tweedie";
}

/* Weights of rows from place `at` on. */
static MlStatus
read_weights(GbdtObjective *o, const MlDataset *data, const MlRows *rows, size_t at)
{
	for (size_t first = 0; first < rows->n; first += GBDT_CHUNK_ROWS)
	{
		size_t n = ML_MIN((size_t) GBDT_CHUNK_ROWS, rows->n - first);

		ml_dataset_weight(data, rows, first, n, o->values);
		for (size_t i = 0; i < n; i++)
		{
			if (!(o->values[i] >= 0 && o->values[i] <= MAX_WEIGHT))
				return ml_fail(o->env, ML_EDATA, "a row has the weight %g, boosting takes up to %g",
							   o->values[i], MAX_WEIGHT);
			o->weight[at + first + i] = (float) o->values[i];
			o->max_weight = ML_MAX(o->max_weight, (float) o->values[i]);
		}
		ML_TRY(ml_poll(o->env));
	}
	return ML_OK;
}

/* Whether the loss can take a target. */
static MlStatus
check_target(const GbdtObjective *o, double y)
{
	double most = ml_gbdt_log_link(o->loss) ? MAX_AMOUNT : MAX_TARGET;

	if (ml_gbdt_log_link(o->loss) && y < 0)
		return ml_fail(o->env, ML_EDATA, "objective \"%s\" needs targets of 0 or more, there is %g",
					   loss_name(o->loss), y);
	if (!(fabs(y) <= most))
		return ml_fail(o->env, ML_EDATA, "the target has the value %g, boosting takes up to %g", y,
					   most);
	return ML_OK;
}

/* Targets of rows from place `at` on, less the centre. */
static MlStatus
read_values(GbdtObjective *o, const MlDataset *data, const MlRows *rows, size_t at)
{
	for (size_t first = 0; first < rows->n; first += GBDT_CHUNK_ROWS)
	{
		size_t n = ML_MIN((size_t) GBDT_CHUNK_ROWS, rows->n - first);

		ml_dataset_target(data, rows, first, n, o->values);
		for (size_t i = 0; i < n; i++)
		{
			ML_TRY(check_target(o, o->values[i]));
			o->target[at + first + i] = (float) (o->values[i] - o->centre);
		}
		ML_TRY(ml_poll(o->env));
	}
	return ML_OK;
}

/* A regression's centre: the mean of some rows will do, as it only keeps digits. */
static double
find_centre(GbdtObjective *o, const MlDataset *data, const MlRows *rows)
{
	size_t n = ML_MIN((size_t) GBDT_CHUNK_ROWS, rows->n);
	double sum = 0;

	if (data->task != ML_REGRESSION || ml_gbdt_log_link(o->loss))
		return 0;
	ml_dataset_target(data, rows, 0, n, o->values);
	for (size_t i = 0; i < n; i++)
		sum += o->values[i] / (double) n;
	return fabs(sum) <= MAX_TARGET ? sum : 0;
}

/* Read targets and weights of train, then of others. */
MlStatus
ml_gbdt_read_targets(GbdtObjective *o, const MlDataset *data, const MlRows *train,
					 const MlRows *others)
{
	o->centre = find_centre(o, data, train);
	ML_TRY(read_values(o, data, train, 0));
	ML_TRY(read_values(o, data, others, train->n));
	o->max_weight = o->weight ? 0 : 1;
	if (o->weight)
	{
		ML_TRY(read_weights(o, data, train, 0));
		ML_TRY(read_weights(o, data, others, train->n));
	}
	if (o->max_weight <= 0)
		return ml_fail(o->env, ML_EDATA, "the weights of all rows are 0");
	return ML_OK;
}

/* Weighted means of the training rows' targets; for classes their shares. */
static MlStatus
find_means(GbdtObjective *o)
{
	double total = 0;

	memset(o->base, 0, o->n_outputs * sizeof(*o->base));
	for (size_t i = 0; i < o->n_train; i++)
	{
		double w = o->weight ? (double) o->weight[i] : 1;
		double y = (double) o->target[i];

		if (i % GBDT_CHUNK_ROWS == 0)
			ML_TRY(ml_poll(o->env));
		total += w;
		if (o->loss == GBDT_SOFTMAX)
			o->base[(uint32_t) y] += w;
		else
			o->base[0] += w * y;
	}
	for (uint32_t k = 0; k < o->n_outputs; k++)
		o->base[k] = total > 0 ? o->base[k] / total : 0;
	return ML_OK;
}

/* The best constant scores of the training rows, into o->base. */
MlStatus
ml_gbdt_find_base(GbdtObjective *o)
{
	if (ml_gbdt_refits(o->loss))
		return ml_gbdt_refit_leaves(o, NULL, NULL, 1, o->base);
	ML_TRY(find_means(o));
	if (ml_gbdt_log_link(o->loss) && o->base[0] <= 0)
		return ml_fail(o->env, ML_EDATA,
					   "objective \"%s\" needs a target above 0, all of them are 0",
					   loss_name(o->loss));
	for (uint32_t k = 0; k < o->n_outputs; k++)
	{
		double mean = o->base[k];

		if (o->loss == GBDT_LOGISTIC)
		{
			mean = ML_MIN(ML_MAX(mean, LEAST_SHARE), 1 - LEAST_SHARE);
			o->base[k] = log(mean / (1 - mean));
		}
		else if (o->loss == GBDT_SOFTMAX)
			o->base[k] = log(ML_MAX(mean, LEAST_SHARE));
		else if (ml_gbdt_log_link(o->loss))
			o->base[k] = log(mean);
	}
	return ML_OK;
}
