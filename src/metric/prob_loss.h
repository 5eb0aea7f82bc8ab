/*
 * prob_loss.h
 *		Losses of predicted probabilities of two classes: log loss and Brier score, as sums.
 */
#ifndef ML_PROB_LOSS_H
#define ML_PROB_LOSS_H

#include "metric/label.h"

/*
 * By slot of the label; which slot is positive is known only at the end, so both sums are kept:
 * as if the label were positive [1], and as if it were negative [0].
 */
typedef struct MlProbLoss
{
	MlLabelPair labels;
	double weight[2];
	double log_loss[2][2];
	double square[2][2];
} MlProbLoss;

/* Log loss of a probability that should have been 1, kept off 0 as scikit-learn does. */
extern double ml_log_loss_of(double p);

/* A zeroed struct is an empty state. p in [0, 1], weight finite and >= 0. */
extern MlStatus ml_prob_loss_add(MlEnv *env, MlProbLoss *loss, MlLabelType type, uint64_t label,
								 double p, double weight);
extern MlStatus ml_prob_loss_merge(MlEnv *env, MlProbLoss *loss, const MlProbLoss *other);
extern void ml_prob_loss_save(const MlProbLoss *loss, MlBuffer *out);
extern MlStatus ml_prob_loss_load(MlReader *in, MlProbLoss *loss);

/* NaN: no rows, or not known which label is positive. */
extern double ml_prob_log_loss(const MlProbLoss *loss);
extern double ml_prob_brier(const MlProbLoss *loss);

#endif /* ML_PROB_LOSS_H */
