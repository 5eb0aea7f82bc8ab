/*
 * one_class.h
 *		What the files of the one-class machine share.
 *
 * Problem (Schoelkopf et al. 2001), for rows z that are the standardised columns or random Fourier
 * features of them:
 *	min over w, rho of |w|^2 / 2 - rho + sum_i c_i max(0, rho - w'z_i),	c_i = weight_i / (nu sum of weights).
 * Its dual: min |w|^2 / 2, w = sum alpha_i z_i, 0 <= alpha_i <= c_i, sum alpha_i = 1.
 * The score of a row is 1 - w'z / rho: above 0 outside, at most about 1 where nothing is alike.
 */
#ifndef ML_ONE_CLASS_H
#define ML_ONE_CLASS_H

#include "algo/svm/svm.h"

typedef struct MlOneClassOptions
{
	double nu, tol;
	int max_iter;
	uint64_t seed;
} MlOneClassOptions;

typedef struct MlOneClassSolution
{
	double *w, *alpha; /* ml_svm_n_weights, n */
	double rho;
	double violation; /* relative to rho */
	int iterations;
	bool converged;
} MlOneClassSolution;

/* w and alpha are the caller's. log: elements of a JSON array. */
extern MlStatus ml_one_class_solve(const MlSvmRows *rows, const MlOneClassOptions *options,
								   MlOneClassSolution *solution, MlBuffer *log);

#define ML_ONE_CLASS_FREQUENCIES 1024 /* at most: half the components */

/* A fitted model: linear in the columns, or in cosines and sines of n_frequencies projections of them. */
typedef struct MlOneClassModel
{
	MlDesign *design;
	MlScorer *scorer;       /* linear; else NULL */
	uint32_t n_frequencies; /* 0: linear */
	double
		*omega; /* n_columns x n_frequencies, on the scale of the data, side by side for a column */
	double *phase;         /* n_frequencies: of a row of zeros */
	double *cosine, *sine; /* n_frequencies: weights */
} MlOneClassModel;

/* Projections of one feature vector: n_frequencies numbers. */
extern void ml_one_class_project(const MlOneClassModel *model, const double *x, double *out);

extern void ml_one_class_save(const void *model, MlBuffer *out);
extern MlStatus ml_one_class_load(MlReader *in, MlArena *arena, const MlSchema *schema,
								  uint32_t n_outputs, void **model);
extern void ml_one_class_predict(const void *model, const double *x, double *out);

#endif /* ML_ONE_CLASS_H */
