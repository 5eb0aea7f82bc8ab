/*
 * export.c
 *		Models for elsewhere: as JSON, as an expression of SQL.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "analyze/inspect.h"
#include "model/modeljson.h"
#include "model/sqltext.h"
#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_export_model);
PG_FUNCTION_INFO_V1(mlplat_to_sql);

/* A buffer as a text. */
static text *
to_text(const MlEnv *env, const MlBuffer *buffer)
{
	mlplat_check(env, buffer->status);
	if (buffer->len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the text of the model would be larger than 1 GB")));
	return cstring_to_text_with_len((const char *) buffer->data, (int) buffer->len);
}

/* export_model(model, format) -> text */
Datum
mlplat_export_model(PG_FUNCTION_ARGS)
{
	MlplatInspected *inspected;
	MlBuffer out;
	char *format;

	mlplat_need_arguments(fcinfo, 2);
	format = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(format, "json") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there is no format \"%s\" to export to", format),
						errhint("There is json; mlplat.to_sql writes SQL.")));
	inspected = mlplat_inspect(fcinfo);
	ml_buffer_init(&out, inspected->env);
	mlplat_check(inspected->env, ml_model_json(inspected->env, inspected->model, inspected->info,
											   inspected->info_len, &out));
	PG_RETURN_TEXT_P(to_text(inspected->env, &out));
}

/* The class that argument 1 names; without it: the second of two. */
static uint32
choose_class(FunctionCallInfo fcinfo, const MlModel *model)
{
	char *label = mlplat_text_argument(fcinfo, 1);
	const char *near;

	if (model->n_classes == 0 && label)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"class\": the model has no classes")));
	if (model->n_classes > 2 && !label)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("to_sql needs a class: the model has %u", model->n_classes),
						errhint("Give one of them as the argument \"class\".")));
	if (!label)
		return model->n_classes == 2 ? 1 : 0;
	for (uint32 k = 0; k < model->n_classes; k++)
		if (strcmp(model->classes[k], label) == 0)
			return k;
	near = ml_nearest(label, (const char *const *) model->classes, model->n_classes);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("the model has no class \"%s\"", label),
					near ? errhint("Did you mean \"%s\"?", near) : 0));
}

/* to_sql(model, class) -> an expression; of two classes the first is 1 minus the other. */
Datum
mlplat_to_sql(PG_FUNCTION_ARGS)
{
	MlplatInspected *inspected;
	const MlModel *model;
	MlBuffer text;
	uint32 k;
	bool other;

	mlplat_need_arguments(fcinfo, 2);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	inspected = mlplat_inspect(fcinfo);
	model = inspected->model;
	k = choose_class(fcinfo, model);
	other = model->n_classes == 2 && k == 0;
	ml_buffer_init(&text, inspected->env);
	if (other)
		ml_put_format(&text, "(1::double precision OPERATOR(pg_catalog.-) ");
	mlplat_check(inspected->env,
				 ml_sql_text(inspected->env, model, model->n_outputs == 1 ? 0 : k, &text));
	if (other)
		ml_put_format(&text, ")");
	PG_RETURN_TEXT_P(to_text(inspected->env, &text));
}
