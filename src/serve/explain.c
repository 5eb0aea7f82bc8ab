/*
 * explain.c
 *		Why a model predicts what it does: the contribution of each feature to one prediction.
 *
 * Contributions and the base add up to the prediction of a regression, and to the log-odds or raw score of
 * a class: the positive one of two, else the most probable. The algorithm computes them exactly.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "core/json.h"
#include "pg/bridge.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "serve/site.h"

PG_FUNCTION_INFO_V1(mlplat_explain);
PG_FUNCTION_INFO_V1(mlplat_explain_json);

typedef struct Effect
{
	double contribution;
	uint32 feature;
} Effect;

typedef struct Explanation
{
	const MlModel *model;
	const double *x; /* feature vector */
	uint32 output;   /* the one that is explained */
	double base;
	Effect *effects; /* the strongest first */
	uint32 n;        /* how many are wanted */
} Explanation;

/* The stronger effect first, then the earlier feature. */
static int
compare_effects(const void *a, const void *b)
{
	const Effect *x = a, *y = b;
	double p = fabs(x->contribution), q = fabs(y->contribution);

	if (p != q)
		return p < q ? 1 : -1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

/* Which output of the model: the only one, or the most probable class. */
static uint32
choose_output(const MlModel *model, const double *x)
{
	double *probs;
	uint32 best;

	if (model->n_outputs == 1)
		return 0;
	probs = palloc(sizeof(double) * model->n_classes);
	ml_model_predict(model, x, probs);
	best = ml_model_class(model, probs);
	pfree(probs);
	return best;
}

/* How many features to tell: argument 2. */
static uint32
wanted_features(FunctionCallInfo fcinfo, uint32 n_features)
{
	int32 top = PG_ARGISNULL(2) ? PG_INT32_MAX : PG_GETARG_INT32(2);

	if (top < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"top\" must not be negative, but is %d", top)));
	return Min((uint32) top, n_features);
}

/* Fill the explanation of the call's row; false when the model or the row is NULL. */
static bool
explain(FunctionCallInfo fcinfo, Explanation *e)
{
	uint32 n_features;
	double *contributions;
	MlEnv env;

	mlplat_need_arguments(fcinfo, 3);
	e->x = mlplat_site_features(fcinfo, &e->model);
	if (!e->x)
		return false;
	if (!e->model->algo->contributions)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("algorithm \"%s\" does not explain its predictions",
							   e->model->algo->name)));
	n_features = ml_model_features(e->model)->n_features;
	e->n = wanted_features(fcinfo, n_features);
	e->output = choose_output(e->model, e->x);
	contributions = palloc0(sizeof(double) * (n_features + 1));
	mlplat_env_init(&env, CurrentMemoryContext);
	mlplat_check(&env, e->model->algo->contributions(&env, e->model->fitted, e->x, e->output,
													 contributions, &e->base));
	e->effects = palloc(sizeof(Effect) * (n_features + 1));
	for (uint32 j = 0; j < n_features; j++)
		e->effects[j] = (Effect){contributions[j], j};
	qsort(e->effects, n_features, sizeof(Effect), compare_effects);
	return true;
}

/* The value of a feature as people read it; NULL: missing. */
static const char *
feature_text(const Explanation *e, uint32 j)
{
	const MlFeature *feature = &ml_model_features(e->model)->features[j];
	double value = e->x[j];
	char *text;

	if (isnan(value))
		return NULL;
	if (!feature->categorical)
	{
		text = palloc(32);
		ml_format_double(text, value);
		return text;
	}
	if (value < 0 || value >= feature->n_levels)
		return "(not seen in training)";
	return ml_dict_text(ml_model_features(e->model)->inputs[feature->input].levels, (uint32) value);
}

/* explain(model, row, top) -> feature, value, contribution; the base comes first. */
Datum
mlplat_explain(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 3, &desc);
	Explanation e = {0};
	Datum values[3];

	if (!explain(fcinfo, &e))
		return (Datum) 0;
	values[0] = CStringGetTextDatum("(base)");
	values[2] = Float8GetDatum(e.base);
	tuplestore_putvalues(rows, desc, values, (bool[]){false, true, false});
	for (uint32 i = 0; i < e.n; i++)
	{
		const char *text = feature_text(&e, e.effects[i].feature);

		values[0] =
			CStringGetTextDatum(ml_model_features(e.model)->features[e.effects[i].feature].name);
		values[1] = text ? CStringGetTextDatum(text) : (Datum) 0;
		values[2] = Float8GetDatum(e.effects[i].contribution);
		tuplestore_putvalues(rows, desc, values, (bool[]){false, text == NULL, false});
	}
	return (Datum) 0;
}

/* explain_json(model, row, top) -> {"class", "base", "features": [{"feature", "value", "contribution"}]} */
Datum
mlplat_explain_json(PG_FUNCTION_ARGS)
{
	Explanation e = {0};
	MlEnv env;
	MlBuffer out;
	MlJsonWriter w;

	if (!explain(fcinfo, &e))
		PG_RETURN_NULL();
	mlplat_env_init(&env, CurrentMemoryContext);
	ml_buffer_init(&out, &env);
	ml_json_writer(&w, &out);
	ml_json_open(&w, NULL, '{');
	if (e.model->n_classes > 0)
		ml_json_text(&w, "class", e.model->classes[e.model->n_classes == 2 ? 1 : e.output]);
	ml_json_number(&w, "base", e.base);
	ml_json_open(&w, "features", '[');
	for (uint32 i = 0; i < e.n; i++)
	{
		ml_json_open(&w, NULL, '{');
		ml_json_text(&w, "feature",
					 ml_model_features(e.model)->features[e.effects[i].feature].name);
		ml_json_text(&w, "value", feature_text(&e, e.effects[i].feature));
		ml_json_number(&w, "contribution", e.effects[i].contribution);
		ml_json_close(&w, '}');
	}
	ml_json_close(&w, ']');
	ml_json_close(&w, '}');
	ml_put_u8(&out, 0);
	mlplat_check(&env, out.status);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum((char *) out.data)));
}
