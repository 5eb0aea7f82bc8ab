/*
 * stats.h
 *		Distributions and link functions, accurate in the tails.
 */
#ifndef ML_STATS_H
#define ML_STATS_H

#include <stddef.h>

extern double ml_normal_cdf(double z);
extern double ml_normal_p_two_sided(double z); /* P(|Z| > |z|) */
extern double ml_student_p_two_sided(double t,
									 double df); /* by the regularised incomplete beta function */
extern double ml_f_p_upper(double f, double df1, double df2);
extern double ml_chi2_p_upper(double x, double df);
extern double ml_digamma(double x);     /* d log Gamma(x) / dx, x > 0 */
extern double ml_trigamma(double x);    /* its derivative */
extern double ml_sigmoid(double eta);   /* stable on both sides */
extern double ml_log1p_exp(double eta); /* log(1 + exp(eta)) */

#endif /* ML_STATS_H */
