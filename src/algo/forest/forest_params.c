/*
 * forest_params.c
 *		Options of tree, forest and extra_trees, and what they stand for when not given.
 *
 * The three tables differ in what they have and in defaults; options are looked
 * up by name, and one that a table lacks has the value that switches it off.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define CRITERION \
	{ \
		"criterion", ML_PARAM_CHOICE, "null", 0, 0, "squared|gini|entropy", \
			"Impurity that splits lower: squared for numbers; gini (the default) or entropy for " \
			"classes." \
	}
#define MAX_DEPTH \
	{ \
		"max_depth", ML_PARAM_INT, "0", 0, ML_TREE_DEPTH, NULL, "Depth of a tree; 0: no limit." \
	}
#define MIN_SPLIT_ROWS \
	{ \
		"min_split_rows", ML_PARAM_INT, "2", 2, 1e9, NULL, \
			"Rows that a node must have to be split." \
	}
#define MAX_LEAVES \
	{ \
		"max_leaves", ML_PARAM_INT, "0", 0, 1e9, NULL, \
			"Leaves of a tree, the best splits first; 0: no limit." \
	}
#define MIN_GAIN \
	{ \
		"min_gain", ML_PARAM_REAL, "0", 0, 1, NULL, \
			"Share of the whole tree's impurity that a split must take away." \
	}
#define MAX_FEATURES(help) \
	{ \
		"max_features", ML_PARAM_JSON, "\"auto\"", 0, 0, NULL, help \
	}
#define MAX_BINS \
	{ \
		"max_bins", ML_PARAM_INT, "255", 2, 255, NULL, \
			"Bins into which the values of a numeric feature are put; fewer distinct values stay " \
			"exact." \
	}
#define N_TREES \
	{ \
		"n_trees", ML_PARAM_INT, "100", 1, 100000, NULL, "Trees." \
	}
#define SUBSAMPLE(help) \
	{ \
		"subsample", ML_PARAM_REAL, "1", 0.001, 1, NULL, help \
	}
#define FEATURES_HELP \
	"Features that are tried at a node, drawn anew each time: sqrt, log2, all, a share from 0 to " \
	"1, or " \
	"a number from 1; auto: "

const MlParam ml_tree_params[] = {
	CRITERION,
	MAX_DEPTH,
	{"min_leaf_rows", ML_PARAM_INT, "1", 1, 1e9, NULL, "Rows that each leaf must have."},
	MIN_SPLIT_ROWS,
	MAX_LEAVES,
	MIN_GAIN,
	MAX_FEATURES(FEATURES_HELP "all."),
	MAX_BINS,
	{"ccp_alpha", ML_PARAM_JSON, "0", 0, 0, NULL,
	 "Impurity that a leaf costs in pruning (cost complexity); \"auto\": the greatest within one "
	 "standard error of the best by cross-validation."},
	{"ccp_folds", ML_PARAM_INT, "10", 2, 100, NULL, "Folds of that cross-validation."},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

const MlParam ml_forest_params[] = {
	N_TREES,
	CRITERION,
	MAX_DEPTH,
	{"min_leaf_rows", ML_PARAM_INT, "null", 1, 1e9, NULL,
	 "Rows that each leaf must have. By default 1; 3 for two classes and 2,000 rows or more, where "
	 "purer leaves would only know the noise; more where the rows are many."},
	MIN_SPLIT_ROWS,
	MAX_LEAVES,
	MIN_GAIN,
	MAX_FEATURES(FEATURES_HELP "sqrt for classes, all for numbers."),
	MAX_BINS,
	{"bootstrap", ML_PARAM_BOOL, "true", 0, 0, NULL,
	 "Grow each tree from a sample drawn with replacement; the others measure the error."},
	SUBSAMPLE("Size of a tree's sample as a share of the rows."),
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

const MlParam ml_extra_trees_params[] = {
	N_TREES,
	CRITERION,
	MAX_DEPTH,
	{"min_leaf_rows", ML_PARAM_INT, "null", 1, 1e9, NULL,
	 "Rows that each leaf must have. By default 1; 3 for two classes and 2,000 rows or more, where "
	 "purer leaves would only know the noise; more where the rows are many."},
	MIN_SPLIT_ROWS,
	MAX_LEAVES,
	MIN_GAIN,
	MAX_FEATURES(FEATURES_HELP "sqrt for classes, all for numbers."),
	MAX_BINS,
	{"bootstrap", ML_PARAM_BOOL, "false", 0, 0, NULL,
	 "Grow each tree from a sample drawn with replacement; the others measure the error."},
	SUBSAMPLE("Size of a tree's sample as a share of the rows."),
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

#define MOST_LEAVES \
	50000 /* leaves of so many rows more that a tree has not many more leaves than this */
/*
 * Two classes, and more rows than a few: leaves of 3 rows lower the log loss on held-out rows by a sixth of what
 * leaves of 1 give (adult, telco_churn, mammography); classes that are more, and numbers, gain nothing.
 */
#define FEW_ROWS 2000
#define BINARY_LEAF_ROWS 3

/* The value of an option; NULL: the table lacks it, or it has none. */
static const MlParamValue *
find(const MlParams *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
	{
		if (strcmp(params->table[i].name, name) == 0)
			return params->values[i].null ? NULL : &params->values[i];
	}
	return NULL;
}

static double
number(const MlParams *params, const char *name, double otherwise)
{
	const MlParamValue *value = find(params, name);

	return value ? value->number : otherwise;
}

/* The criterion must be one of the task. */
static MlStatus
read_criterion(MlEnv *env, const MlFitInput *input, ForestOptions *options)
{
	const MlParamValue *value = find(input->params, "criterion");
	bool classes = input->data->task == ML_CLASSIFICATION;

	options->criterion = classes ? FOREST_GINI : FOREST_SQUARED;
	if (!value)
		return ML_OK;
	options->criterion = (ForestCriterion) value->number;
	if ((options->criterion != FOREST_SQUARED) != classes)
		return ml_fail(env, ML_EINVAL, "criterion \"%s\" is for %s", value->text,
					   classes ? "numbers, and the target has classes"
							   : "classes, and the target is a number");
	return ML_OK;
}

static MlStatus
fail_max_features(MlEnv *env)
{
	return ml_fail(env, ML_EINVAL,
				   "option \"max_features\" must be auto, sqrt, log2, all, a share below 1 or a "
				   "number of features");
}

/* How many features a node tries. */
static MlStatus
read_max_features(MlEnv *env, const MlFitInput *input, ForestOptions *options)
{
	const MlParamValue *value = find(input->params, "max_features");
	const MlJson *json = value ? value->json : NULL;
	bool is_tree = !find(input->params, "n_trees");
	double p = input->data->schema->n_features, n = p;
	const char *word = !json ? "auto" : json->type == ML_JSON_STRING ? json->string : NULL;

	if (word && strcmp(word, "auto") == 0)
		word = is_tree || input->data->task == ML_REGRESSION ? "all" : "sqrt";
	if (word && strcmp(word, "sqrt") == 0)
		n = sqrt(p);
	else if (word && strcmp(word, "log2") == 0)
		n = log2(p);
	else if (word && strcmp(word, "all") == 0)
		n = p;
	else if (json && json->type == ML_JSON_NUMBER && json->number > 0)
	{
		if (json->number >= 1 && json->number != floor(json->number))
			return fail_max_features(env);
		n = json->number >= 1 ? json->number : p * json->number;
	}
	else
		return fail_max_features(env);
	options->max_features = (uint32_t) ML_MAX(1, ML_MIN(n, p));
	return ML_OK;
}

/* A number from 0, or "auto". */
static MlStatus
read_ccp_alpha(MlEnv *env, const MlFitInput *input, ForestOptions *options)
{
	const MlParamValue *value = find(input->params, "ccp_alpha");

	if (!value)
		return ML_OK;
	if (value->json->type == ML_JSON_NUMBER && value->json->number >= 0)
	{
		options->ccp_alpha = value->json->number;
		return ML_OK;
	}
	if (value->json->type != ML_JSON_STRING || strcmp(value->json->string, "auto") != 0)
		return ml_fail(env, ML_EINVAL, "option \"ccp_alpha\" must be a number from 0, or auto");
	options->folds = (uint32_t) number(input->params, "ccp_folds", 10);
	if (options->folds > input->train.n)
		options->folds = (uint32_t) input->train.n;
	return ML_OK;
}

MlStatus
ml_forest_options(MlEnv *env, const MlFitInput *input, ForestOptions *options)
{
	const MlParams *p = input->params;
	double depth = number(p, "max_depth", 0), leaves = number(p, "max_leaves", 0);
	bool binary = input->data->task == ML_CLASSIFICATION && input->data->n_classes == 2;
	double least = binary && input->train.n >= FEW_ROWS ? BINARY_LEAF_ROWS : 1;

	least = ML_MAX(least, (double) (input->train.n / MOST_LEAVES));
	*options = (ForestOptions){
		.n_trees = (uint32_t) number(p, "n_trees", 1),
		.max_depth = depth > 0 ? (uint32_t) depth : ML_TREE_DEPTH,
		.max_leaves = leaves > 0 ? (uint32_t) leaves : UINT32_MAX,
		.min_leaf_rows = (uint32_t) number(p, "min_leaf_rows", least),
		.min_split_rows = (uint32_t) number(p, "min_split_rows", 2),
		.min_gain = number(p, "min_gain", 0),
		.max_bins = (uint32_t) number(p, "max_bins", 255),
		.bootstrap = number(p, "bootstrap", 0) != 0,
		.subsample = number(p, "subsample", 1),
		.random_cuts = p->table == ml_extra_trees_params,
		.seed = input->seed,
	};
	if (input->data->schema->n_features == 0)
		return ml_fail(env, ML_EDATA, "trees need at least one feature");
	ML_TRY(read_criterion(env, input, options));
	ML_TRY(read_max_features(env, input, options));
	return read_ccp_alpha(env, input, options);
}
