/*
 * evaluate.c
 *		How good a model is on rows of a dataset: metrics and curves.
 */
#include <math.h>

#include "metric/metric.h"
#include "model/evaluate.h"

#define CURVE_POINTS 200 /* at most, per curve */

/* Predict, and measure. */
static MlStatus
evaluate(MlArena *temp, const MlModel *model, const MlDataset *data, const MlRows *rows,
		 MlBuffer *metrics, MlBuffer *curves)
{
	size_t n = rows->n;
	double *actual = ml_arena_array(temp, n, sizeof(double));
	double *weight = ml_arena_array(temp, n, sizeof(double));
	double *predicted = ml_arena_array(temp, n * model->n_outputs, sizeof(double));
	MlScored scored = {
		.classification = model->task == ML_CLASSIFICATION,
		.n_classes = model->n_classes,
		.classes = model->classes,
		.n = n,
		.threshold = model->threshold,
		.actual = actual,
		.predicted = predicted,
		.weight = data->weight_column >= 0 ? weight : NULL,
	};
	MlDataset unbalanced = *data;
	MlJsonWriter w;

	if (!actual || !weight || !predicted)
		return ML_ENOMEM;
	unbalanced.class_weight = NULL;
	ml_dataset_target(data, rows, 0, n, actual);
	ml_dataset_weight(&unbalanced, rows, 0, n, weight);
	ML_TRY(ml_model_predict_rows(temp->env, model, data, rows, predicted));
	ml_json_writer(&w, metrics);
	ML_TRY(ml_metrics_all(temp->env, &scored, &w));
	if (!curves)
		return ML_OK;
	ml_json_writer(&w, curves);
	return ml_curves_all(temp->env, &scored, CURVE_POINTS, &w);
}

MlStatus
ml_evaluate(MlEnv *env, const MlModel *model, const MlDataset *data, const MlRows *rows,
			MlBuffer *metrics, MlBuffer *curves)
{
	MlArena temp;
	MlStatus status;

	ml_arena_init(&temp, env);
	status = evaluate(&temp, model, data, rows, metrics, curves);
	ml_arena_free(&temp);
	return status;
}

MlStatus
ml_evaluate_read(MlEnv *env, const MlBuffer *metrics, const char *metric, double *value)
{
	MlArena temp;
	MlBuffer object;
	MlJson *json;
	const MlJson *member;
	MlStatus status;

	ml_arena_init(&temp, env);
	ml_buffer_init(&object, env);
	ml_put_format(&object, "{");
	ml_put_bytes(&object, metrics->data, metrics->len);
	ml_put_format(&object, "}");
	status = object.status;
	if (status == ML_OK)
		status = ml_json_parse(&temp, (const char *) object.data, object.len, &json);
	if (status == ML_OK)
	{
		member = ml_json_get(json, metric);
		*value = member && member->type == ML_JSON_NUMBER ? member->number : NAN;
	}
	ml_buffer_free(&object);
	ml_arena_free(&temp);
	return status;
}

MlStatus
ml_evaluate_score(MlEnv *env, const MlModel *model, const MlDataset *data, const MlRows *rows,
				  const char *metric, double *value)
{
	MlBuffer metrics;
	MlStatus status;

	ml_buffer_init(&metrics, env);
	status = ml_evaluate(env, model, data, rows, &metrics, NULL);
	if (status == ML_OK)
		status = metrics.status;
	if (status == ML_OK)
		status = ml_evaluate_read(env, &metrics, metric, value);
	ml_buffer_free(&metrics);
	return status;
}
