/*
 * prob_loss.c
 *		Losses of predicted probabilities of two classes: log loss and Brier score, as sums.
 */
#include "metric/prob_loss.h"

#include <float.h>
#include <math.h>

double
ml_log_loss_of(double p)
{
	return -log(ML_MIN(ML_MAX(p, DBL_EPSILON), 1 - DBL_EPSILON));
}

MlStatus
ml_prob_loss_add(MlEnv *env, MlProbLoss *loss, MlLabelType type, uint64_t label, double p,
				 double weight)
{
	double q = 1 - p;
	uint32_t slot;

	if (weight == 0)
		return ML_OK;
	ML_TRY(ml_label_pair_slot(env, &loss->labels, type, label, &slot));
	loss->weight[slot] += weight;
	loss->log_loss[slot][0] += weight * ml_log_loss_of(q);
	loss->log_loss[slot][1] += weight * ml_log_loss_of(p);
	loss->square[slot][0] += weight * p * p;
	loss->square[slot][1] += weight * q * q;
	return ML_OK;
}

MlStatus
ml_prob_loss_merge(MlEnv *env, MlProbLoss *loss, const MlProbLoss *other)
{
	for (uint32_t i = 0; i < other->labels.n; i++)
	{
		uint32_t slot;

		ML_TRY(ml_label_pair_slot(env, &loss->labels, other->labels.type, other->labels.bits[i],
								  &slot));
		loss->weight[slot] += other->weight[i];
		for (int as = 0; as < 2; as++)
		{
			loss->log_loss[slot][as] += other->log_loss[i][as];
			loss->square[slot][as] += other->square[i][as];
		}
	}
	return ML_OK;
}

void
ml_prob_loss_save(const MlProbLoss *loss, MlBuffer *out)
{
	ml_label_pair_save(&loss->labels, out);
	for (uint32_t i = 0; i < loss->labels.n; i++)
	{
		ml_put_f64(out, loss->weight[i]);
		ml_put_f64_array(out, loss->log_loss[i], 2);
		ml_put_f64_array(out, loss->square[i], 2);
	}
}

MlStatus
ml_prob_loss_load(MlReader *in, MlProbLoss *loss)
{
	*loss = (MlProbLoss){0};
	ML_TRY(ml_label_pair_load(in, &loss->labels));
	for (uint32_t i = 0; i < loss->labels.n; i++)
	{
		double *const sums[] = {&loss->weight[i], &loss->log_loss[i][0], &loss->log_loss[i][1],
								&loss->square[i][0], &loss->square[i][1]};

		for (size_t k = 0; k < sizeof(sums) / sizeof(sums[0]); k++)
		{
			*sums[k] = ml_get_f64(in);
			if (!(*sums[k] >= 0)) /* infinity is what too large weights come to */
				return ml_corrupt(in->env, "sum of losses");
		}
	}
	return in->failed ? ml_corrupt(in->env, "sums of losses") : ML_OK;
}

/* The mean of sums[slot][as], each label as what it is. */
static double
mean_loss(const MlProbLoss *loss, const double sums[2][2])
{
	int positive = ml_label_pair_positive(&loss->labels);

	if (positive < 0)
		return NAN;
	return (sums[positive][1] + sums[!positive][0]) / (loss->weight[0] + loss->weight[1]);
}

double
ml_prob_log_loss(const MlProbLoss *loss)
{
	return mean_loss(loss, loss->log_loss);
}

double
ml_prob_brier(const MlProbLoss *loss)
{
	return mean_loss(loss, loss->square);
}
