/*
 * prep_algo.c
 *		The algorithm 'prep': the recipe for the columns as a model of its own.
 *
 * The recipe is fitted before any algorithm sees the rows (model/fit.c), and is a
 * part of every model's image; here there is nothing left to learn. transform
 * gives what the recipe makes of a row.
 */
#include <string.h>

#include "algo/algo.h"

static const MlParam prep_params[] = {{NULL, 0, NULL, 0, 0, NULL, NULL}};

typedef struct PrepModel
{
	uint32_t n_features;
} PrepModel;

static MlStatus
create_model(MlArena *arena, uint32_t n_features, void **out)
{
	PrepModel *model = ml_arena_alloc(arena, sizeof *model);

	if (!model)
		return ML_ENOMEM;
	model->n_features = n_features;
	*out = model;
	return ML_OK;
}

static MlStatus
prep_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlJsonWriter w;

	(void) env;
	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "features", input->data->schema->n_features);
	ML_TRY(report->summary.status);
	return create_model(arena, input->data->schema->n_features, model);
}

static void
prep_save(const void *model, MlBuffer *out)
{
	ml_put_u32(out, ((const PrepModel *) model)->n_features);
}

static MlStatus
prep_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **model)
{
	uint32_t n_features = ml_get_u32(in);

	(void) n_outputs;
	if (in->failed || n_features != schema->n_features)
		return ml_corrupt(in->env, "number of features");
	return create_model(arena, n_features, model);
}

static uint32_t
prep_n_components(const void *model)
{
	return ((const PrepModel *) model)->n_features;
}

static void
prep_transform(const void *model, const double *x, double *out)
{
	memcpy(out, x, ((const PrepModel *) model)->n_features * sizeof *out);
}

const MlAlgo ml_algo_prep = {
	.name = "prep",
	.summary = "Prepared columns as a model: imputed, scaled, encoded; transform gives the numbers",
	.tasks = ML_TASK_BIT(ML_DECOMPOSITION),
	.params = prep_params,
	.prepares = true,
	.fit = prep_fit,
	.save = prep_save,
	.load = prep_load,
	.n_components = prep_n_components,
	.transform = prep_transform,
};
