/*
 * forest.c
 *		The tables of tree, forest and extra_trees, as the rest of the platform sees them.
 *
 * They are one model: a tree is a forest of one that uses all rows, all features
 * and can be pruned; extra_trees draws its cuts at random.
 */
#include "algo/forest/forest.h"

#define TASKS (ML_TASK_BIT(ML_REGRESSION) | ML_TASK_BIT(ML_CLASSIFICATION))

const MlAlgo ml_algo_tree = {
	.name = "tree",
	.summary = "One decision tree (CART), with cost-complexity pruning and readable rules",
	.tasks = TASKS,
	.params = ml_tree_params,
	.fit = ml_forest_fit,
	.save = ml_forest_save,
	.load = ml_forest_load,
	.predict = ml_forest_predict,
	.importance = ml_forest_importance,
	.nodes = ml_forest_nodes,
	.formula = ml_forest_formula,
	.contributions = ml_forest_contributions,
};

const MlAlgo ml_algo_forest = {
	.name = "forest",
	.summary = "Random forest: trees on samples of rows and features, with out-of-bag error",
	.tasks = TASKS,
	.params = ml_forest_params,
	.fit = ml_forest_fit,
	.save = ml_forest_save,
	.load = ml_forest_load,
	.predict = ml_forest_predict,
	.importance = ml_forest_importance,
	.nodes = ml_forest_nodes,
	.formula = ml_forest_formula,
	.contributions = ml_forest_contributions,
};

const MlAlgo ml_algo_extra_trees = {
	.name = "extra_trees",
	.summary = "Extremely randomised trees: cuts drawn at random, on all rows",
	.tasks = TASKS,
	.params = ml_extra_trees_params,
	.fit = ml_forest_fit,
	.save = ml_forest_save,
	.load = ml_forest_load,
	.predict = ml_forest_predict,
	.importance = ml_forest_importance,
	.nodes = ml_forest_nodes,
	.formula = ml_forest_formula,
	.contributions = ml_forest_contributions,
};
