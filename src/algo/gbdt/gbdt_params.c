/*
 * gbdt_params.c
 *		Options of boosting and what they stand for when not given.
 */
#include <math.h>

#include "algo/gbdt/gbdt.h"

enum
{
	N_TREES,
	LEARNING_RATE,
	MAX_LEAVES,
	MAX_DEPTH,
	MIN_LEAF_ROWS,
	MIN_LEAF_HESSIAN,
	L1,
	L2,
	MIN_GAIN,
	SUBSAMPLE,
	COLSAMPLE,
	MAX_BINS,
	EARLY_STOPPING,
	CAT_SMOOTH,
	CAT_L2
};

const MlParam ml_gbdt_params[] = {
	{"n_trees", ML_PARAM_INT, "null", 1, 100000, NULL,
	 "Rounds of boosting; each grows one tree, or one per class. Without it held-out rows decide."},
	{"learning_rate", ML_PARAM_REAL, "null", 1e-6, 1, NULL,
	 "Factor on each tree's values: smaller needs more trees and fits better. By default 0.1, and "
	 "0.05 where the rows are few and n_trees is not given."},
	{"max_leaves", ML_PARAM_INT, "31", 2, 32768, NULL, "Leaves of a tree."},
	{"max_depth", ML_PARAM_INT, "0", 0, ML_TREE_DEPTH, NULL, "Depth of a tree; 0: no limit."},
	{"min_leaf_rows", ML_PARAM_INT, "null", 1, 1e9, NULL,
	 "Rows that each leaf must have. By default 10, fewer below 200 rows."},
	{"min_leaf_hessian", ML_PARAM_REAL, "0.001", 0, 1e30, NULL,
	 "Sum of hessians (for regression: of weights) that each leaf must have."},
	{"l1", ML_PARAM_REAL, "0", 0, 1e30, NULL, "L1 penalty on the values of leaves."},
	{"l2", ML_PARAM_REAL, "0.3", 0, 1e30, NULL, "L2 penalty on the values of leaves."},
	{"min_gain", ML_PARAM_REAL, "0", 0, 1e30, NULL, "Gain that a split must exceed."},
	{"subsample", ML_PARAM_REAL, "1", 0.001, 1, NULL,
	 "Share of the rows, drawn anew for each tree, that it is grown from."},
	{"colsample", ML_PARAM_REAL, "0.7", 0.001, 1, NULL,
	 "Share of the features, drawn anew for each tree, that it may use."},
	{"max_bins", ML_PARAM_INT, "255", 2, 255, NULL,
	 "Bins into which the values of a numeric feature are put."},
	{"early_stopping", ML_PARAM_INT, "null", 0, 100000, NULL,
	 "Stop after so many rounds without a better loss on held-out rows; 0: never. By default 50 "
	 "where n_trees is not given, else 0."},
	{"cat_smooth", ML_PARAM_REAL, "10", 0, 1e30, NULL,
	 "Added to the hessian of a level when levels are put in order; keeps rare ones in the "
	 "middle."},
	{"cat_l2", ML_PARAM_REAL, "10", 0, 1e30, NULL, "L2 penalty on top of l2 in splits by levels."},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

/* Trees per row that training without n_trees may grow: some 5 s for a million rows of 20 features. */
#define AUTO_WORK 3e8
#define AUTO_TREES 1000 /* the most rounds then, at a learning rate of 0.1 */
#define AUTO_STOPPING 50
#define FEW_ROWS 100000 /* rows times classes below which the smaller learning rate is cheap */
#define TINY_ROWS 200   /* below: too few to hold any back */

/* Options that were not given, by the size of the data. */
static void
fill_in(const MlFitInput *input, GbdtOptions *options)
{
	const MlParams *p = input->params;
	uint32_t n_classes = input->data->task == ML_CLASSIFICATION ? input->data->n_classes : 1;
	double size = (double) input->train.n * (n_classes > 2 ? n_classes : 1);
	bool few = size < FEW_ROWS && p->values[N_TREES].null;
	bool tiny = input->train.n < TINY_ROWS && input->valid.n == 0;

	if (p->values[LEARNING_RATE].null)
		options->learning_rate = few && !tiny ? 0.05 : 0.1;
	if (p->values[MIN_LEAF_ROWS].null)
		options->min_leaf_rows = (uint32_t) ML_MIN(ML_MAX(input->train.n / 20, 2u), 10u);
	if (!p->values[N_TREES].null)
		return;
	if (p->values[EARLY_STOPPING].null)
		options->early_stopping = tiny ? 0 : AUTO_STOPPING;
	options->n_trees = options->early_stopping == 0
						   ? 100
						   : (uint32_t) ML_MAX(ML_MIN(AUTO_WORK / size, AUTO_TREES), 100);
	if (few && options->early_stopping > 0)
		options->n_trees *= 2;
}

MlStatus
ml_gbdt_options(MlEnv *env, const MlFitInput *input, GbdtOptions *options)
{
	const MlParams *p = input->params;

	*options = (GbdtOptions){
		.n_trees = (uint32_t) ml_param_int(p, N_TREES),
		.early_stopping = (uint32_t) ml_param_int(p, EARLY_STOPPING),
		.learning_rate = ml_param_real(p, LEARNING_RATE),
		.max_leaves = (uint32_t) ml_param_int(p, MAX_LEAVES),
		.max_depth =
			ml_param_int(p, MAX_DEPTH) > 0 ? (uint32_t) ml_param_int(p, MAX_DEPTH) : ML_TREE_DEPTH,
		.min_leaf_rows = (uint32_t) ml_param_int(p, MIN_LEAF_ROWS),
		.min_leaf_hessian = ml_param_real(p, MIN_LEAF_HESSIAN),
		.l1 = ml_param_real(p, L1),
		.l2 = ml_param_real(p, L2),
		.min_gain = ml_param_real(p, MIN_GAIN),
		.subsample = ml_param_real(p, SUBSAMPLE),
		.colsample = ml_param_real(p, COLSAMPLE),
		.max_bins = (uint32_t) ml_param_int(p, MAX_BINS),
		.cat_smooth = ml_param_real(p, CAT_SMOOTH),
		.cat_l2 = ml_param_real(p, CAT_L2),
		.seed = input->seed,
	};
	fill_in(input, options);
	if (input->data->schema->n_features == 0)
		return ml_fail(env, ML_EDATA, "boosting needs at least one feature");
	if (input->train.n < 2)
		return ml_fail(env, ML_EDATA, "boosting needs at least two rows, there are %zu",
					   input->train.n);
	return ML_OK;
}
