/*
 * leastsq.h
 *		From what was kept of the rows to coefficients and their errors.
 *
 * Objective: sum of w (y - b0 - x'b)^2 + l2 |b|^2, the intercept b0 without
 * penalty; columns as they are (as scikit-learn's Ridge), or numbers standardised.
 *
 * A column that is a combination of earlier ones is *aliased*: its coefficient
 * is 0, its standard error NaN (what R prints as NA). Earlier columns win, so
 * numbers come before levels.
 */
#ifndef ML_LEASTSQ_H
#define ML_LEASTSQ_H

#include "algo/linear/ddgram.h"
#include "algo/linear/tsqr.h"

typedef struct MlLeastOptions
{
	bool intercept;
	bool extended;    /* all the way in double-double */
	bool standardize; /* the penalty is on the coefficients of numbers divided by their scale */
	double l2;
} MlLeastOptions;

/* Which columns of the state are regressed on which: column 0 of it is the one of ones. */
typedef struct MlLeastColumns
{
	size_t n, n_numbers;       /* columns; the first n_numbers are numbers, then indicators */
	const uint32_t *source;    /* n columns of the state */
	const uint32_t *indicator; /* of each column of the state: where it is missing; 0 = never */
	uint32_t target;
} MlLeastColumns;

/*
 * Sums by level of categorical features; the columns of levels follow the n dense ones. Dense values are
 * kept less a centre, so that the sums keep their digits.
 */
typedef struct MlLevelSums
{
	size_t n_dense, n_levels;
	double *strip; /* [l * (n_dense + 2)]: sums of w, of w (x_k - centre_k), of w (y - centre_y) */
	double
		*pairs; /* [l + m * n_levels], l < m: sum of w of the rows that have both; NULL: none can */
	double *centre; /* n_dense + 1, the last one of y */
} MlLevelSums;

typedef struct MlLeastSquares
{
	size_t n_columns; /* without the intercept */
	bool has_intercept;
	double intercept, intercept_error;
	double *coefficient,
		*error; /* standard errors; NaN: aliased, penalised, or no degree of freedom */
	double *mean,
		*scale;  /* weighted, of the imputed column; scale: population standard deviation */
	size_t rank; /* coefficients that were determined, the intercept included */
	double sum_weight;
	double df, rss, tss; /* residual degrees of freedom; sums of squares: residual and total */
} MlLeastSquares;

/* n_rows: rows with a weight above 0. levels may be NULL. The result lives in the arena. */
extern MlStatus ml_leastsq_from_tsqr(MlArena *arena, const MlTsqr *t, const MlLeastColumns *columns,
									 const MlLevelSums *levels, const MlLeastOptions *options,
									 uint64_t n_rows, MlLeastSquares **out);
extern MlStatus ml_leastsq_from_gram(MlArena *arena, const MlDdGram *g,
									 const MlLeastColumns *columns, const MlLeastOptions *options,
									 uint64_t n_rows, MlLeastSquares **out);

/* The parts that both share: room for the result, and its end. variance: of coefficients, for sigma = 1. */
extern double ml_leastsq_penalty(const MlLeastOptions *options, const MlLeastColumns *columns,
								 const MlLeastSquares *fit, size_t k); /* l2 of column k */
extern MlStatus ml_leastsq_create(MlArena *arena, size_t n_columns, MlLeastSquares **out);
extern MlStatus ml_leastsq_close(MlEnv *env, MlLeastSquares *fit, const MlLeastOptions *options,
								 uint64_t n_rows);

/* Below zero only by rounding; NaN stays. */
static inline double
ml_not_negative(double value)
{
	return value < 0 ? 0 : value;
}

/* A column whose part that is new has at most this length, relative to its own, counts as a combination. */
#define ML_LEAST_TOLERANCE 1e-11          /* NIST's Filip has 5e-8, exact copies 1e-15 */
#define ML_LEAST_TOLERANCE_EXTENDED 1e-14 /* the values themselves have no more digits */
/* ... or relative to its length with the mean: what the rounding of the values alone makes. */
#define ML_LEAST_ROUNDING 1e-15

#endif /* ML_LEASTSQ_H */
