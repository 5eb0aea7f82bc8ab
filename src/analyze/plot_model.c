/*
 * plot_model.c
 *		plot(model, kind, options): one drawing of a model as SVG; plots(model): which there are.
 *
 * Which drawings a model has is found by drawing them: so there is no second list that could say
 * otherwise, and the time is that of a few kilobytes of text.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "analyze/model_facts.h"
#include "core/param.h"
#include "pg/bridge.h"
#include "pg/rows.h"
#include "pg/signature.h"
#include "plot/plot.h"

PG_FUNCTION_INFO_V1(mlplat_plot);
PG_FUNCTION_INFO_V1(mlplat_plots);

#define DEEPEST_TREE 6 /* what still can be read */

enum
{
	PLOT_TREE,
	PLOT_MAX_DEPTH,
	PLOT_EVALUATION,
	PLOT_COMPARE,
	PLOT_COST_FP,
	PLOT_COST_FN,
	PLOT_LAYER
};

static const MlParam plot_params[] = {
	[PLOT_TREE] = {"tree", ML_PARAM_INT, "0", 0, INT_MAX, NULL, "tree: which one is drawn"},
	[PLOT_MAX_DEPTH] = {"max_depth", ML_PARAM_INT, "4", 1, DEEPEST_TREE, NULL,
						"tree: how deep it is drawn"},
	[PLOT_EVALUATION] = {"evaluation", ML_PARAM_INT, "null", 1, INT_MAX, NULL,
						 "number of a stored evaluation of the model, instead of its hold-out"},
	[PLOT_COMPARE] = {"compare", ML_PARAM_JSON, "null", 0, 0, NULL,
					  "roc, pr, gain, lift, calibration: up to 5 models by name, or evaluations by "
					  "number, to draw as well"},
	[PLOT_COST_FP] = {"cost_fp", ML_PARAM_REAL, "1", 1e-9, 1e9, NULL,
					  "threshold_cost: what a false alarm costs"},
	[PLOT_COST_FN] = {"cost_fn", ML_PARAM_REAL, "1", 1e-9, 1e9, NULL,
					  "threshold_cost: what a miss costs"},
	[PLOT_LAYER] = {"layer", ML_PARAM_INT, "1", 1, INT_MAX, NULL,
					"weight_distribution: which layer of a network"},
	{0},
};

/* What is drawn: the model and those that it is compared with. */
typedef struct Subject
{
	MlplatInspected *inspected;
	const MlJson *facts[ML_PLOT_MODELS];
	const char *labels[ML_PLOT_MODELS];
	size_t n;
} Subject;

/* ---- options ---- */

static void
read_options(MlplatInspected *inspected, FunctionCallInfo fcinfo, MlParams *params)
{
	static const MlParam *const tables[] = {plot_params};
	char *text = JsonbToCString(NULL, &PG_GETARG_JSONB_P(2)->root, 0);
	MlJson *object;

	mlplat_check(inspected->env, ml_json_parse(&inspected->arena, text, strlen(text), &object));
	mlplat_check(inspected->env,
				 ml_params_parse(&inspected->arena, "plot", tables, 1, object, params));
}

/* ---- facts ---- */

/* Parse facts into the arena of the inspection. */
static const MlJson *
parse_facts(MlplatInspected *inspected, const char *text, size_t len)
{
	MlJson *facts;

	mlplat_check(inspected->env, ml_json_parse(&inspected->arena, text, len, &facts));
	return facts;
}

/* The facts of a model. */
static const MlJson *
model_facts(MlplatInspected *inspected, const MlplatTreeWish *tree)
{
	MlBuffer json;

	ml_buffer_init(&json, inspected->env);
	mlplat_model_facts(inspected, tree, &json);
	return parse_facts(inspected, (char *) json.data, json.len);
}

/* "late@3" */
static const char *
label_of(const MlplatInspected *inspected)
{
	return inspected->registered ? psprintf("%s@%d", inspected->ref.name, inspected->ref.version)
								 : inspected->model->algo->name;
}

/* What is stored of an evaluation, as facts that hold its curves and metrics; *label: of what it is. */
static const MlJson *
evaluation_facts(MlplatInspected *inspected, int64 id, int64 *version_id, const char **label)
{
	static const char *const sql =
		"SELECT pg_catalog.jsonb_build_object('curves', e.curves, 'metrics', "
		"e.metrics)::pg_catalog.text, r.name, v.version, v.version_id FROM mlplat.evaluation e "
		"JOIN mlplat.version v ON v.version_id OPERATOR(pg_catalog.=) e.version_id "
		"JOIN mlplat.registry r ON r.model_id OPERATOR(pg_catalog.=) v.model_id "
		"WHERE e.evaluation_id OPERATOR(pg_catalog.=) $1";
	MemoryContext caller = CurrentMemoryContext;
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(id)};
	HeapTuple row;
	TupleDesc desc;
	bool isnull;
	char *facts;

	mlplat_spi_begin();
	if (SPI_execute_with_args(sql, 1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "evaluations cannot be read");
	if (SPI_processed != 1)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("evaluation " INT64_FORMAT " does not exist", id),
						errhint("See mlplat.evaluations.")));
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	MemoryContextSwitchTo(caller);
	facts = TextDatumGetCString(SPI_getbinval(row, desc, 1, &isnull));
	*label = psprintf("%s@%d, evaluation " INT64_FORMAT,
					  TextDatumGetCString(SPI_getbinval(row, desc, 2, &isnull)),
					  DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull)), id);
	*version_id = DatumGetInt64(SPI_getbinval(row, desc, 4, &isnull));
	mlplat_spi_end();
	return parse_facts(inspected, facts, strlen(facts));
}

/* The facts of the model with the curves and metrics of a stored evaluation of it. */
static void
use_evaluation(Subject *subject, int64 id)
{
	MlplatInspected *inspected = subject->inspected;
	int64 version_id;
	const MlJson *evaluation = evaluation_facts(inspected, id, &version_id, &subject->labels[0]);
	MlBuffer json;
	MlJsonWriter w;

	if (!inspected->registered || version_id != inspected->ref.version_id)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("evaluation " INT64_FORMAT " is not one of this model", id),
						errdetail("It is of %s.", subject->labels[0])));
	ml_buffer_init(&json, inspected->env);
	ml_json_writer(&w, &json);
	ml_json_open(&w, NULL, '{');
	for (size_t i = 0; i < subject->facts[0]->n; i++)
		ml_json_value(&w, subject->facts[0]->keys[i], &subject->facts[0]->items[i]);
	/* the last of equal keys counts */
	for (size_t i = 0; i < evaluation->n; i++)
		ml_json_value(&w, evaluation->keys[i], &evaluation->items[i]);
	ml_json_close(&w, '}');
	mlplat_check(inspected->env, json.status);
	subject->facts[0] = parse_facts(inspected, (char *) json.data, json.len);
}

/* Add one of the models or evaluations to compare with. */
static void
add_compared(Subject *subject, const MlJson *item)
{
	MlplatInspected *other;
	const MlJson *facts;
	int64 version_id;

	if (item->type == ML_JSON_NUMBER && item->number >= 1 && item->number < 9e15)
	{
		subject->facts[subject->n] = evaluation_facts(subject->inspected, (int64) item->number,
													  &version_id, &subject->labels[subject->n]);
		subject->n++;
		return;
	}
	if (item->type != ML_JSON_STRING)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"compare\" must hold names of models or numbers of "
							   "evaluations, not %s",
							   ml_json_type_name(item->type))));
	other = mlplat_inspect_model(item->string);
	facts = model_facts(other, NULL);
	if (!ml_json_get(ml_json_get(facts, "curves"), "roc"))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("%s has no curves to compare", label_of(other)),
						errhint("Measure it by mlplat.evaluate_model, and compare the number of "
								"that evaluation.")));
	subject->facts[subject->n] = facts;
	subject->labels[subject->n++] = label_of(other);
}

static void
use_compared(Subject *subject, const MlJson *list, size_t kind)
{
	if (!ml_plot_kind(kind)->compares)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("plots of kind \"%s\" do not compare models", ml_plot_kind(kind)->name),
				 errhint("roc, pr, gain, lift and calibration do.")));
	if (list->type != ML_JSON_ARRAY || list->n == 0 || list->n >= ML_PLOT_MODELS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"compare\" must be a list of 1 to %d models",
							   ML_PLOT_MODELS - 1)));
	for (size_t i = 0; i < list->n; i++)
		add_compared(subject, &list->items[i]);
}

/* ---- drawing ---- */

/* Draw into svg; false: there is nothing to draw. */
static bool
draw(const Subject *subject, size_t kind, const MlParams *params, MlBuffer *svg)
{
	MlPlotRequest request = {.subject = subject->labels[0],
							 .facts = subject->facts,
							 .labels = subject->labels,
							 .n = subject->n};
	bool drawn;

	if (params)
	{
		request.cost_fp = ml_param_real(params, PLOT_COST_FP);
		request.cost_fn = ml_param_real(params, PLOT_COST_FN);
		request.layer = (size_t) ml_param_int(params, PLOT_LAYER) - 1;
	}
	mlplat_check(subject->inspected->env,
				 ml_plot_svg(subject->inspected->env, kind, &request, svg, &drawn));
	return drawn;
}

/* Does the model have a drawing of this kind? */
static bool
has_kind(const Subject *subject, size_t kind)
{
	MlBuffer svg;
	bool drawn;

	ml_buffer_init(&svg, subject->inspected->env);
	drawn = draw(subject, kind, NULL, &svg);
	ml_buffer_free(&svg);
	return drawn;
}

/* The model of argument 0 with its first tree. */
static Subject
open_subject(FunctionCallInfo fcinfo)
{
	static const MlplatTreeWish first = {.number = 0, .max_depth = MLPLAT_TREE_DEPTH};
	Subject subject = {.inspected = mlplat_inspect(fcinfo), .n = 1};

	subject.facts[0] = model_facts(subject.inspected, &first);
	subject.labels[0] = label_of(subject.inspected);
	return subject;
}

/* The kinds that a model has, for a detail. */
static char *
kinds_of(const Subject *subject)
{
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < ml_plot_count(); i++)
		if (has_kind(subject, i))
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", ml_plot_kind(i)->name);
	return text.len > 0 ? psprintf("This model has: %s.", text.data)
						: pstrdup("This model has no plots.");
}

/* The kind of argument 1. */
static size_t
find_kind(FunctionCallInfo fcinfo)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	size_t kind = ml_plot_find(name);
	const char *near = ml_plot_nearest(name);
	Subject subject;

	if (kind < ml_plot_count())
		return kind;
	subject = open_subject(fcinfo);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no plot of kind \"%s\"", name), errdetail("%s", kinds_of(&subject)),
			 near ? errhint("Did you mean \"%s\"?", near) : 0));
}

/* The model has nothing of this kind. */
static void
refuse_kind(FunctionCallInfo fcinfo, size_t kind)
{
	Subject subject = open_subject(fcinfo);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("%s has no plot of kind \"%s\"", subject.labels[0], ml_plot_kind(kind)->name),
			 errdetail("It needs %s. %s", ml_plot_kind(kind)->needs, kinds_of(&subject))));
}

/* Collect what the options ask for. */
static void
apply_options(Subject *subject, size_t kind, const MlParams *params)
{
	MlplatTreeWish tree = {ml_param_int(params, PLOT_TREE), ml_param_int(params, PLOT_MAX_DEPTH)};
	bool wants_tree = strcmp(ml_plot_kind(kind)->name, "tree") == 0;

	subject->facts[0] = model_facts(subject->inspected, wants_tree ? &tree : NULL);
	subject->labels[0] = label_of(subject->inspected);
	subject->n = 1;
	if (ml_param_given(params, PLOT_EVALUATION))
		use_evaluation(subject, ml_param_int(params, PLOT_EVALUATION));
	if (ml_param_given(params, PLOT_COMPARE))
		use_compared(subject, params->values[PLOT_COMPARE].json, kind);
}

/* plot(model, kind, options): SVG */
Datum
mlplat_plot(PG_FUNCTION_ARGS)
{
	Subject subject = {0};
	MlParams params;
	MlBuffer svg;
	size_t kind;
	text *result;

	mlplat_need_arguments(fcinfo, 3);
	kind = find_kind(fcinfo);
	subject.inspected = mlplat_inspect(fcinfo);
	read_options(subject.inspected, fcinfo, &params);
	apply_options(&subject, kind, &params);
	ml_buffer_init(&svg, subject.inspected->env);
	if (!draw(&subject, kind, &params, &svg))
		refuse_kind(fcinfo, kind);
	result = cstring_to_text_with_len((char *) svg.data, (int) svg.len);
	mlplat_env_delete(subject.inspected->env);
	PG_RETURN_TEXT_P(result);
}

/* plots(model) -> kind, description */
Datum
mlplat_plots(PG_FUNCTION_ARGS)
{
	Subject subject = open_subject(fcinfo);
	TupleDesc desc;
	Tuplestorestate *rows = mlplat_rows_begin(fcinfo, 2, &desc);

	for (size_t i = 0; i < ml_plot_count(); i++)
	{
		Datum values[2] = {CStringGetTextDatum(ml_plot_kind(i)->name),
						   CStringGetTextDatum(ml_plot_kind(i)->title)};
		bool nulls[2] = {false, false};

		if (has_kind(&subject, i))
			tuplestore_putvalues(rows, desc, values, nulls);
	}
	mlplat_env_delete(subject.inspected->env);
	return (Datum) 0;
}
