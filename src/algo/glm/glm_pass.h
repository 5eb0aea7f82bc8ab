/*
 * glm_pass.h
 *		The machinery of passes over the rows, for the files that make passes.
 */
#ifndef ML_GLM_PASS_H
#define ML_GLM_PASS_H

#include "algo/glm/glm.h"

/* What a pass does with a block; sums: the part's. false: a mean is out of range. */
typedef struct MlGlmPass MlGlmPass;
struct MlGlmPass
{
	MlGlmProblem *problem;
	const double *b; /* NULL: start */
	double dispersion;
	bool (*visit)(const MlGlmPass *pass, size_t block, MlGlmScratch *scratch, double *sums);
	size_t n_sums; /* the last one counts blocks that are out of range */
	double block_seconds;
	/* the round */
	size_t parts, chunk, stride, round;
};

/* Visit all blocks; total: n_sums doubles, of which the last one is 0 when all means were in range. */
extern MlStatus ml_glm_run(MlGlmPass *pass, double *total);

/* Rough seconds for one block. */
extern double ml_glm_block_seconds(const MlGlmProblem *problem, bool hessian);

/* Target, weights and offset of a block. */
extern void ml_glm_read_figures(const MlGlmProblem *problem, size_t block, MlGlmScratch *scratch);

/* Reads a block and does all of ml_glm_evaluate_block. Without b: the means to start from. */
extern bool ml_glm_visit_rows(const MlGlmPass *pass, size_t block, MlGlmScratch *scratch,
							  double *deviance, double *pearson);

#endif /* ML_GLM_PASS_H */
