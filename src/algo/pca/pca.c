/*
 * pca.c
 *		Principal components: parameters and the table of functions.
 *
 * pca_stream.c folds rows into a triangular factor, pca_fit.c takes cross products
 * of a frame, pca_solve.c decomposes, pca_model.c transforms.
 */
#include "algo/pca/pca.h"

static const MlParam pca_params[] = {
	[PCA_N_COMPONENTS] = {"n_components", ML_PARAM_JSON, "null", 0, 0, NULL,
						  "Number of components; below 1, the share of the variance that they must "
						  "explain together; by default all."},
	[PCA_SCALE] =
		{"scale", ML_PARAM_BOOL, "false", 0, 0, NULL,
		 "Divide columns by their standard deviation, so that their units do not matter."},
	[PCA_WHITEN] = {"whiten", ML_PARAM_BOOL, "false", 0, 0, NULL,
					"Divide the transformed row by the deviations of its components, so that each "
					"has variance 1."},
	[PCA_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "255", 1, 65535, NULL,
						"Most frequent levels of a categorical feature that get a 0/1 column of "
						"their own."},
	{NULL},
};

const MlAlgo ml_algo_pca = {
	.name = "pca",
	.summary = "Principal components in one parallel pass, for transform",
	.tasks = ML_TASK_BIT(ML_DECOMPOSITION),
	.params = pca_params,
	.streaming = &ml_pca_streaming,
	.fit = ml_pca_fit,
	.save = ml_pca_save,
	.load = ml_pca_load,
	.n_components = ml_pca_n_components,
	.transform = ml_pca_transform,
	.component = "pc",
	.first_component = 1,
	.importance = ml_pca_importance,
	.coefficients = ml_pca_coefficients,
};
