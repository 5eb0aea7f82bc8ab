/*
 * bayes.c
 *		Naive Bayes: parameters and the table of functions.
 *
 * One pass: bayes_state.c sums by class, bayes_fit.c makes the model of the sums,
 * bayes_model.c predicts and explains.
 */
#include "algo/bayes/bayes.h"

static const MlParam bayes_params[] = {
	[BAYES_LIKELIHOOD] =
		{"likelihood", ML_PARAM_JSON, "\"auto\"", 0, 0, NULL,
		 "Distribution of numbers: gaussian, multinomial (counts that belong "
		 "together, such as words), or auto: gaussian, and booleans as two levels; "
		 "or an object with one of them by column."},
	[BAYES_ALPHA] = {"alpha", ML_PARAM_REAL, "1.0", 1e-10, 1e9, NULL,
					 "Added to the count of each level and of each multinomial column: 1 is "
					 "Laplace's smoothing, less is Lidstone's."},
	[BAYES_VAR_SMOOTHING] = {"var_smoothing", ML_PARAM_REAL, "1e-9", 0, 1, NULL,
							 "Share of the greatest variance that is added to all variances."},
	[BAYES_PRIORS] =
		{"priors", ML_PARAM_JSON, "null", 0, 0, NULL,
		 "Probabilities of the classes: an object by label, or \"uniform\"; by default "
		 "their shares of the training rows."},
	{NULL},
};

static const MlStreaming bayes_streaming = {
	.begin = ml_bayes_begin,
	.accumulate = ml_bayes_accumulate,
	.merge_codes = ml_bayes_merge,
	.finish_classes = ml_bayes_finish,
	.save = ml_bayes_save_state,
	.load = ml_bayes_load_state,
};

const MlAlgo ml_algo_bayes = {
	.name = "naive_bayes",
	.summary = "Naive Bayes in one parallel pass: gaussian, categorical, multinomial by column",
	.tasks = ML_TASK_BIT(ML_CLASSIFICATION),
	.params = bayes_params,
	.streaming = &bayes_streaming,
	.fit = ml_bayes_fit,
	.save = ml_bayes_save,
	.load = ml_bayes_load,
	.predict = ml_bayes_predict,
	.importance = ml_bayes_importance,
	.coefficients = ml_bayes_coefficients,
	.contributions = ml_bayes_contributions,
};
