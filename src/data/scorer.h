/*
 * scorer.h
 *		A linear predictor over a design, applied straight to feature vectors.
 *
 * Score of a row: intercept + sum of coefficients times the columns of the
 * design, on the scale of the data. The tables by feature, which make it one
 * pass over the feature vector, follow from the coefficients: an image stores
 * only those.
 */
#ifndef ML_SCORER_H
#define ML_SCORER_H

#include "data/design.h"

typedef struct MlScorer
{
	const MlDesign *design;
	uint32_t n_features;
	double intercept;
	double *coefficient; /* by column of the design */
	double *share;       /* by column of a level: its weighted share of the training rows */

	double *slope, *when_missing; /* by feature; 0 for categorical ones */
	double *centre;               /* by feature: what it adds to the score on average */
	double **level;               /* by factor: what a level adds; [n_levels]: missing */
} MlScorer;

/*
 * Coefficients and shares (n_columns and n_columns - n_dense numbers) are copied; the design is not, and must
 * live as long.
 */
extern MlStatus ml_scorer_make(MlArena *arena, const MlSchema *schema, const MlDesign *design,
							   double intercept, const double *coefficient, const double *share,
							   MlScorer **scorer);

extern double ml_scorer_score(const MlScorer *scorer, const double *x);

/* What each feature adds, less what it adds on average; with base, which is returned, they add up to the score. */
extern double ml_scorer_contributions(const MlScorer *scorer, const double *x,
									  double *contributions);

/* The standard deviation, over the training rows, of what a column adds; and added up by feature. */
extern double ml_scorer_spread(const MlScorer *scorer, uint32_t column);
extern void ml_scorer_importance(const MlScorer *scorer, double *gain);

/* The design comes with it. what: for errors. All numbers are checked. */
extern void ml_scorer_save(const MlScorer *scorer, MlBuffer *out);
extern MlStatus ml_scorer_load(MlReader *in, MlArena *arena, const MlSchema *schema,
							   const MlDesign *design, const char *what, MlScorer **scorer);

#endif /* ML_SCORER_H */
