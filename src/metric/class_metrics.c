/*
 * class_metrics.c
 *		Metrics of predicted classes, from the sums of a confusion matrix.
 *
 * Symbols: t_k rows of class k, p_k rows predicted as k, c_k rows that are both, s all rows (all
 * weighted). The correlation coefficient for several classes is R_K of Gorodkin, "Comparing two
 * K-category assignments by a K-category correlation coefficient" (2004):
 *
 *		(s sum c_k - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2))
 */
#include "metric/class_metrics.h"

#include <math.h>
#include <string.h>

MlStatus
ml_class_totals_init(MlEnv *env, MlClassTotals *totals, uint32_t n_classes)
{
	double *sums = ml_zalloc_array(env, 3 * (size_t) n_classes + 1, sizeof(double));

	*totals = (MlClassTotals){.n = n_classes, .hits = sums};
	if (!sums)
		return ML_ENOMEM;
	totals->actual = sums + n_classes;
	totals->predicted = totals->actual + n_classes;
	return ML_OK;
}

void
ml_class_totals_free(MlEnv *env, MlClassTotals *totals)
{
	ml_free(env, totals->hits);
	totals->hits = NULL;
}

MlAverage
ml_average_find(const char *name, size_t len)
{
	static const char *const names[] = {[ML_AVERAGE_MACRO] = "macro",
										[ML_AVERAGE_MICRO] = "micro",
										[ML_AVERAGE_WEIGHTED] = "weighted"};

	for (int i = 0; i < ML_AVERAGE_NONE; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return (MlAverage) i;
	return ML_AVERAGE_NONE;
}

static double
sum_hits(const MlClassTotals *totals)
{
	double sum = 0;

	for (uint32_t k = 0; k < totals->n; k++)
		sum += totals->hits[k];
	return sum;
}

double
ml_class_accuracy(const MlClassTotals *totals)
{
	return totals->total > 0 ? sum_hits(totals) / totals->total : NAN;
}

double
ml_class_balanced_accuracy(const MlClassTotals *totals)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t k = 0; k < totals->n; k++)
		if (totals->actual[k] > 0)
		{
			sum += totals->hits[k] / totals->actual[k];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

double
ml_class_mcc(const MlClassTotals *totals)
{
	double s = totals->total, tp = 0, tt = 0, pp = 0, both;

	for (uint32_t k = 0; k < totals->n; k++)
	{
		tp += totals->actual[k] * totals->predicted[k];
		tt += totals->actual[k] * totals->actual[k];
		pp += totals->predicted[k] * totals->predicted[k];
	}
	both = (s * s - pp) * (s * s - tt);
	return both > 0 ? (s * sum_hits(totals) - tp) / sqrt(both) : NAN;
}

double
ml_class_rate(const MlClassTotals *totals, MlRate rate, uint32_t k)
{
	double of = rate == ML_PRECISION ? totals->predicted[k]
				: rate == ML_RECALL  ? totals->actual[k]
									 : (totals->actual[k] + totals->predicted[k]) / 2;

	return of > 0 ? totals->hits[k] / of : NAN;
}

double
ml_class_rate_average(const MlClassTotals *totals, MlRate rate, MlAverage average)
{
	double sum = 0, sum_weight = 0;

	if (average == ML_AVERAGE_MICRO)
		return ml_class_accuracy(totals);
	for (uint32_t k = 0; k < totals->n; k++)
	{
		double weight = average == ML_AVERAGE_WEIGHTED ? totals->actual[k] : 1;
		double value = ml_class_rate(totals, rate, k);

		sum_weight += weight;
		if (!isnan(value))
			sum += weight * value;
	}
	return sum_weight > 0 ? sum / sum_weight : NAN;
}
