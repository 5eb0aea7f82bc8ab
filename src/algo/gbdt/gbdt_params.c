/*
 * gbdt_params.c
 *		Options of boosting and what they stand for when not given.
 */
#include <math.h>
#include <string.h>

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
	CAT_L2,
	OBJECTIVE,
	ALPHA,
	TWEEDIE_POWER,
	POISSON_MAX_DELTA_STEP,
	MONOTONE,
	SAMPLING,
	TOP_RATE,
	OTHER_RATE
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
	{"colsample", ML_PARAM_REAL, "null", 0.001, 1, NULL,
	 "Share of the features, drawn anew for each tree, that it may use. By default 0.7, and 1 from "
	 "200,000 rows on."},
	{"max_bins", ML_PARAM_INT, "255", 2, 255, NULL,
	 "Bins into which the values of a numeric feature are put."},
	{"early_stopping", ML_PARAM_INT, "null", 0, 100000, NULL,
	 "Stop after so many rounds without a better loss on held-out rows; 0: never. By default 50 "
	 "where n_trees is not given, else 0."},
	{"cat_smooth", ML_PARAM_REAL, "10", 0, 1e30, NULL,
	 "Added to the hessian of a level when levels are put in order; keeps rare ones in the "
	 "middle."},
	{"cat_l2", ML_PARAM_REAL, "10", 0, 1e30, NULL, "L2 penalty on top of l2 in splits by levels."},
	{"objective", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
	 "auto|squared|absolute|huber|quantile|poisson|tweedie|binary|multiclass",
	 "The loss; auto: squared for numbers, binary or multiclass for classes. Poisson and tweedie "
	 "boost the logarithm of an amount of 0 or more."},
	{"alpha", ML_PARAM_REAL, "0.9", 1e-9, 1e15, NULL,
	 "Of objective quantile: which quantile; of huber: the error beyond which the loss is a "
	 "straight line."},
	{"tweedie_power", ML_PARAM_REAL, "1.5", 1.001, 1.999, NULL,
	 "Power of the variance of objective tweedie: nearer to 1 is like counts, nearer to 2 like "
	 "gamma."},
	{"poisson_max_delta_step", ML_PARAM_REAL, "0.7", 0, 10, NULL,
	 "Keeps the steps of objective poisson short."},
	{"monotone", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "Directions in which the prediction must follow a number: {\"column\": 1} rising, -1 "
	 "falling."},
	{"sampling", ML_PARAM_CHOICE, "\"uniform\"", 0, 0, "uniform|goss",
	 "Rows that a tree is grown from: goss takes those of great gradients, and some others that "
	 "stand for the rest."},
	{"top_rate", ML_PARAM_REAL, "0.2", 0.001, 0.999, NULL,
	 "Share of the rows that goss takes for their gradients."},
	{"other_rate", ML_PARAM_REAL, "0.1", 0.001, 0.999, NULL,
	 "Share of the rows that goss draws from the others."},
	{NULL, 0, NULL, 0, 0, NULL, NULL}};

/* Trees per row that training without n_trees may grow: some 5 s for a million rows of 20 features. */
#define AUTO_WORK 3e8
#define AUTO_TREES 1000 /* the most rounds then, at a learning rate of 0.1 */
#define AUTO_STOPPING 50
#define FEW_ROWS 100000 /* rows times classes below which the smaller learning rate is cheap */
#define MANY_ROWS \
	200000            /* rows from which more of them do what leaving features out does for few */
#define TINY_ROWS 200 /* below: too few to hold any back */

/* Options that were not given, by the size of the data. */
static void
fill_in(const MlFitInput *input, GbdtOptions *options)
{
	const MlParams *p = input->params;
	uint32_t n_classes = input->data->task == ML_CLASSIFICATION ? input->data->n_classes : 1;
	double size = (double) input->train.n * (n_classes > 2 ? n_classes : 1);
	bool few = size < FEW_ROWS && p->values[N_TREES].null && !input->previous;
	bool tiny = input->train.n < TINY_ROWS && input->valid.n == 0;

	if (p->values[LEARNING_RATE].null)
		options->learning_rate = few && !tiny ? 0.05 : 0.1;
	if (p->values[COLSAMPLE].null)
		options->colsample = input->train.n < MANY_ROWS ? 0.7 : 1;
	if (p->values[MIN_LEAF_ROWS].null)
		options->min_leaf_rows = (uint32_t) ML_MIN(ML_MAX(input->train.n / 20, 2u), 10u);
	if (!p->values[N_TREES].null)
		return;
	/* an earlier model has seen the rows that could be held out */
	if (p->values[EARLY_STOPPING].null)
		options->early_stopping = tiny || input->previous ? 0 : AUTO_STOPPING;
	options->n_trees = options->early_stopping == 0
						   ? 100
						   : (uint32_t) ML_MAX(ML_MIN(AUTO_WORK / size, AUTO_TREES), 100);
	if (few && options->early_stopping > 0)
		options->n_trees *= 2;
}

/* The words of objective after auto, as losses; binary and multiclass are what the classes make them. */
static const GbdtLoss losses[] = {GBDT_SQUARED, GBDT_ABSOLUTE, GBDT_HUBER,    GBDT_QUANTILE,
								  GBDT_POISSON, GBDT_TWEEDIE,  GBDT_LOGISTIC, GBDT_SOFTMAX};

/* The loss, checked against the task. */
static MlStatus
choose_loss(MlEnv *env, const MlFitInput *input, GbdtOptions *options)
{
	const MlDataset *data = input->data;
	bool classes = data->task == ML_CLASSIFICATION;
	const GbdtModel *previous = input->previous;
	const char *word = ml_param_text(input->params, OBJECTIVE);
	int wish = ml_param_int(input->params, OBJECTIVE);
	bool wish_classes;

	options->loss = !classes ? GBDT_SQUARED : data->n_classes > 2 ? GBDT_SOFTMAX : GBDT_LOGISTIC;
	if (wish == 0)
	{
		options->loss = previous ? previous->loss : options->loss;
		return ML_OK;
	}
	wish_classes = losses[wish - 1] == GBDT_LOGISTIC || losses[wish - 1] == GBDT_SOFTMAX;
	if (wish_classes != classes)
	{
		ml_fail(env, ML_EINVAL, "objective \"%s\" is for %s, but the task is %s", word,
				wish_classes ? "classes" : "numbers", ml_task_name(data->task));
		ml_hint(env, classes ? "Use objective \"binary\" or \"multiclass\", or task \"regression\"."
							 : "Use another objective, or task \"classification\".");
		return ML_EINVAL;
	}
	if (losses[wish - 1] == GBDT_LOGISTIC && data->n_classes > 2)
		return ml_fail(env, ML_EINVAL, "objective \"binary\" is for two classes, the target has %u",
					   data->n_classes);
	if (!classes)
		options->loss = losses[wish - 1];
	if (previous && previous->loss != options->loss)
		return ml_fail(env, ML_EINVAL,
					   "objective \"%s\" is not that of the model which training goes on from",
					   word);
	if (options->loss == GBDT_QUANTILE && options->alpha >= 1)
		return ml_fail(env, ML_EINVAL,
					   "option \"alpha\" is %g, but a quantile lies between 0 and 1",
					   options->alpha);
	return ML_OK;
}

/* Options of sampling that contradict each other. */
static MlStatus
check_sampling(MlEnv *env, const GbdtOptions *options)
{
	if (!options->goss)
		return ML_OK;
	if (options->subsample < 1)
		return ml_fail(
			env, ML_EINVAL,
			"sampling \"goss\" chooses the rows itself: it can't be used with subsample");
	if (options->top_rate + options->other_rate > 1)
		return ml_fail(env, ML_EINVAL, "top_rate %g and other_rate %g add up to more than 1",
					   options->top_rate, options->other_rate);
	return ML_OK;
}

/* ---- monotone features */

/* The feature of a name; errors name the nearest one. */
static MlStatus
find_feature(MlEnv *env, const MlSchema *schema, const char *name, uint32_t *feature)
{
	const char **names;
	const char *near;

	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		if (strcmp(schema->features[j].name, name) == 0)
		{
			*feature = j;
			return ML_OK;
		}
	}
	names = ml_alloc_array(env, schema->n_features, sizeof(*names));
	if (!names)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < schema->n_features; j++)
		names[j] = schema->features[j].name;
	near = ml_nearest(name, names, schema->n_features);
	ml_fail(env, ML_EINVAL, "option \"monotone\" names \"%.64s\", which is not a feature", name);
	if (near)
		ml_hint(env, "Did you mean \"%.64s\"?", near);
	ml_free(env, names);
	return ML_EINVAL;
}

/* One member of the option. */
static MlStatus
read_direction(MlEnv *env, const MlSchema *schema, const char *name, const MlJson *value,
			   int8_t *monotone)
{
	uint32_t feature;

	ML_TRY(find_feature(env, schema, name, &feature));
	if (value->type != ML_JSON_NUMBER ||
		(value->number != 0 && value->number != 1 && value->number != -1))
		return ml_fail(
			env, ML_EINVAL,
			"option \"monotone\" takes 1, -1 or 0 for \"%.64s\": rising, falling, either", name);
	if (schema->features[feature].categorical)
		return ml_fail(env, ML_EINVAL,
					   "option \"monotone\" names \"%.64s\", whose levels have no order", name);
	monotone[feature] = (int8_t) value->number;
	return ML_OK;
}

/* The directions by feature; NULL where there are none. */
static MlStatus
read_monotone(MlEnv *env, const MlFitInput *input, GbdtOptions *options)
{
	const MlSchema *schema = input->data->schema;
	const MlJson *json = input->params->values[MONOTONE].json;
	int8_t *monotone;
	bool any = false;

	if (input->params->values[MONOTONE].null || !json || json->type == ML_JSON_NULL)
		return ML_OK;
	if (json->type != ML_JSON_OBJECT)
		return ml_fail(env, ML_EINVAL, "option \"monotone\" must be an object, not %s",
					   ml_json_type_name(json->type));
	if (options->loss == GBDT_SOFTMAX && json->n > 0)
		return ml_fail(env, ML_EINVAL, "option \"monotone\" is for numbers and for two classes");
	options->monotone = monotone = ml_zalloc(env, ML_MAX(schema->n_features, 1u));
	if (!monotone)
		return ML_ENOMEM;
	for (size_t i = 0; i < json->n; i++)
		ML_TRY(read_direction(env, schema, json->keys[i], &json->items[i], monotone));
	for (uint32_t j = 0; j < schema->n_features; j++)
		any |= monotone[j] != 0;
	if (!any)
		ml_gbdt_options_free(env, options);
	return ML_OK;
}

/* Free what ml_gbdt_options made. */
void
ml_gbdt_options_free(MlEnv *env, GbdtOptions *options)
{
	ml_free(env, options->monotone);
	options->monotone = NULL;
}

/* Read and check the options; ml_gbdt_options_free follows, whatever the status. */
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
		.alpha = ml_param_real(p, ALPHA),
		.tweedie_power = ml_param_real(p, TWEEDIE_POWER),
		.max_delta_step = ml_param_real(p, POISSON_MAX_DELTA_STEP),
		.goss = strcmp(ml_param_text(p, SAMPLING), "goss") == 0,
		.top_rate = ml_param_real(p, TOP_RATE),
		.other_rate = ml_param_real(p, OTHER_RATE),
		.seed = input->seed,
	};
	fill_in(input, options);
	ML_TRY(choose_loss(env, input, options));
	ML_TRY(check_sampling(env, options));
	ML_TRY(read_monotone(env, input, options));
	if (input->data->schema->n_features == 0)
		return ml_fail(env, ML_EDATA, "boosting needs at least one feature");
	if (input->previous)
		ML_TRY(ml_gbdt_check_previous(env, input->previous, input->data,
									  options->loss == GBDT_SOFTMAX ? input->data->n_classes : 1));
	if (input->train.n < 2)
		return ml_fail(env, ML_EDATA, "boosting needs at least two rows, there are %zu",
					   input->train.n);
	return ML_OK;
}
