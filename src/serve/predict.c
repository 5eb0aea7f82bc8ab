/*
 * predict.c
 *		The predict functions: value, class, probability, all probabilities; and transform.
 *
 * Each takes (name | image) and (record | jsonb | float8[] | columns); site.c
 * deals with the arguments, so a function here only says what it returns.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/bridge.h"
#include "core/json.h"
#include "serve/prediction.h"
#include "serve/site.h"

PG_FUNCTION_INFO_V1(mlplat_predict);
PG_FUNCTION_INFO_V1(mlplat_predict_class);
PG_FUNCTION_INFO_V1(mlplat_predict_proba);
PG_FUNCTION_INFO_V1(mlplat_predict_probs);
PG_FUNCTION_INFO_V1(mlplat_transform);

static void
need_classes(const MlModel *model, const char *function)
{
	if (model->n_classes == 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("%s needs a classification model; this one does %s", function,
							   ml_task_name(model->task)),
						errhint("Use mlplat.predict.")));
}

double
mlplat_prediction_value(const MlModel *model, const double *probs)
{
	if (model->n_classes == 0)
		return probs[0];
	if (model->n_classes == 2)
		return probs[1];
	return ml_model_class(model, probs);
}

/* The value of a regression, P(positive) of two classes, else the index of the best class. */
Datum
mlplat_predict(PG_FUNCTION_ARGS)
{
	const MlModel *model;
	const double *probs = mlplat_site_predict(fcinfo, &model);

	if (!probs)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(mlplat_prediction_value(model, probs));
}

const char *
mlplat_prediction_class(const MlModel *model, const double *probs)
{
	if (model->task == ML_CLUSTERING)
		return psprintf("%.0f", probs[0]);
	return model->n_classes > 0 ? model->classes[ml_model_class(model, probs)] : NULL;
}

/* The class by the threshold of argument 2; errors say what it is for. */
static uint32
class_above(const MlModel *model, const double *probs, double threshold)
{
	if (model->n_classes != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a threshold is for two classes; the model has %u", model->n_classes)));
	if (!(threshold >= 0 && threshold <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"threshold\" must be between 0 and 1, not %g", threshold)));
	return probs[1] > threshold;
}

/*
 * The label of the class: of two by the threshold, the model's or argument 2, else the most probable one;
 * of a clustering, its number.
 */
Datum
mlplat_predict_class(PG_FUNCTION_ARGS)
{
	const MlModel *model;
	const double *probs = mlplat_site_predict(fcinfo, &model);
	uint32 class;

	if (!probs)
		PG_RETURN_NULL();
	if (model->task != ML_CLUSTERING || mlplat_site_has_label(fcinfo))
		need_classes(model, "predict_class");
	if (!mlplat_site_has_label(fcinfo))
		PG_RETURN_TEXT_P(cstring_to_text(mlplat_prediction_class(model, probs)));
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	class = class_above(model, probs, PG_GETARG_FLOAT8(2));
	PG_RETURN_TEXT_P(cstring_to_text(model->classes[class]));
}

/* The class whose label is argument 2; an error names those there are. */
static uint32
find_class(const MlModel *model, text *label)
{
	char *wanted = text_to_cstring(label);
	StringInfoData list;

	for (uint32 k = 0; k < model->n_classes; k++)
	{
		if (strcmp(model->classes[k], wanted) == 0)
			return k;
	}
	initStringInfo(&list);
	for (uint32 k = 0; k < Min(model->n_classes, 20); k++)
		appendStringInfo(&list, "%s\"%s\"", k > 0 ? ", " : "", model->classes[k]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the model has no class \"%s\"", wanted),
			 errhint("Its classes are %s%s.", list.data, model->n_classes > 20 ? ", ..." : "")));
}

/* The probability of a class: the one named, else the positive of two, else the most probable. */
Datum
mlplat_predict_proba(PG_FUNCTION_ARGS)
{
	const MlModel *model;
	const double *probs = mlplat_site_predict(fcinfo, &model);

	if (!probs)
		PG_RETURN_NULL();
	need_classes(model, "predict_proba");
	if (mlplat_site_has_label(fcinfo))
	{
		if (PG_ARGISNULL(2))
			PG_RETURN_NULL();
		PG_RETURN_FLOAT8(probs[find_class(model, PG_GETARG_TEXT_PP(2))]);
	}
	if (model->n_classes == 2)
		PG_RETURN_FLOAT8(probs[1]);
	PG_RETURN_FLOAT8(probs[ml_model_class(model, probs)]);
}

Datum
mlplat_prediction_probs(const MlModel *model, const double *probs)
{
	MlEnv env;
	MlBuffer out;
	MlJsonWriter w;

	mlplat_env_init(&env, CurrentMemoryContext);
	ml_buffer_init(&out, &env);
	ml_json_writer(&w, &out);
	ml_json_open(&w, NULL, '{');
	for (uint32 k = 0; k < model->n_classes; k++)
		ml_json_number(&w, model->classes[k], probs[k]);
	ml_json_close(&w, '}');
	ml_put_u8(&out, 0);
	mlplat_check(&env, out.status);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum((char *) out.data));
}

/* {label: probability} of all classes. */
Datum
mlplat_predict_probs(PG_FUNCTION_ARGS)
{
	const MlModel *model;
	const double *probs = mlplat_site_predict(fcinfo, &model);

	if (!probs)
		PG_RETURN_NULL();
	need_classes(model, "predict_probs");
	PG_RETURN_DATUM(mlplat_prediction_probs(model, probs));
}

/* The row in the model's own space: its components, or its distance to each cluster. */
Datum
mlplat_transform(PG_FUNCTION_ARGS)
{
	const MlModel *model;
	const double *features = mlplat_site_features(fcinfo, &model);
	ArrayType *array;
	Size size;
	int n;

	if (!features)
		PG_RETURN_NULL();
	if (!model->algo->transform)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" transforms nothing", model->algo->name),
						errhint("Use mlplat.predict.")));
	n = (int) model->algo->n_components(model->fitted);
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	size = ARR_OVERHEAD_NONULLS(1) + sizeof(double) * n;
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	model->algo->transform(model->fitted, features, (double *) ARR_DATA_PTR(array));
	PG_RETURN_ARRAYTYPE_P(array);
}
