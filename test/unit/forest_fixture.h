/*
 * forest_fixture.h
 *		Trees and forests on the random table of gbdt_fixture.h.
 */
#ifndef FOREST_FIXTURE_H
#define FOREST_FIXTURE_H

#include "algo/forest/forest.h"
#include "gbdt_fixture.h"

extern const MlAlgo ml_algo_tree, ml_algo_forest, ml_algo_extra_trees;

/* Train on all rows of the table with options as JSON. */
static inline MlStatus
table_grow(Table *t, const MlAlgo *algo, const char *options, MlFitReport *report, void **model)
{
	MlParams params;
	MlJson *json;
	MlFitInput input = {.params = &params, .data = &t->data, .train = {NULL, t->n}, .seed = 1};
	MlStatus status;

	ML_TRY(ml_json_parse(&t->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&t->arena, algo->name, &algo->params, 1, json, &params));
	memset(report, 0, sizeof(*report));
	ml_buffer_init(&report->summary, t->env);
	ml_buffer_init(&report->log, t->env);
	status = algo->fit(t->env, &t->arena, &input, report, model);
	if (status != ML_OK)
	{
		ml_buffer_free(&report->summary);
		ml_buffer_free(&report->log);
	}
	return status;
}

/* Mean squared error, or error rate, of the model on the table's rows. */
static inline double
table_error(const Table *t, const MlAlgo *algo, const void *model)
{
	double out[16], sum = 0;

	for (size_t i = 0; i < t->n; i++)
	{
		uint32_t best = 0;

		algo->predict(model, t->x + i * FEATURES, out);
		for (uint32_t k = 1; k < t->data.n_classes && t->data.n_classes > 2; k++)
			best = out[k] > out[best] ? k : best;
		if (t->data.n_classes == 2)
			best = out[0] > 0.5;
		sum += t->data.n_classes == 0 ? (out[0] - t->y[i]) * (out[0] - t->y[i])
									  : best != (uint32_t) t->y[i];
	}
	return sum / (double) t->n;
}

#endif /* FOREST_FIXTURE_H */
