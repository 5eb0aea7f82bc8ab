/*
 * train_agg.c
 *		train as an aggregate: over records, over columns, over arrays.
 *
 * train(record, target, options)     the face for people: names and types come from the row
 * train(label, features[], options)  exact types and a state that travels: for wide numeric data, and
 *                                    for engines that push aggregates to where the rows are
 * train_columns(options, target, names, VARIADIC "any")
 *                                    the same over separate columns, twice as fast a row as a record:
 *                                    create_model writes such calls
 *
 * The final functions leave the state as it is: window frames go on adding rows.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "pg/progress.h"
#include "train/train.h"

PG_FUNCTION_INFO_V1(mlplat_train_record_transfn);
PG_FUNCTION_INFO_V1(mlplat_train_array_transfn);
PG_FUNCTION_INFO_V1(mlplat_train_columns_transfn);
PG_FUNCTION_INFO_V1(mlplat_train_finalfn);
PG_FUNCTION_INFO_V1(mlplat_finish);

/* ---- what the faces share ---- */

/* The state of argument 0, or a new one; *is_new tells which. */
static MlState *
get_state(FunctionCallInfo fcinfo, bool *is_new)
{
	MemoryContext context = mlplat_agg_context(fcinfo);
	MlState *state;

	*is_new = PG_ARGISNULL(0);
	if (!*is_new)
		return mlplat_state_get_rw(PG_GETARG_DATUM(0), &mlplat_train_kind, context);
	state = mlplat_state_new(&mlplat_train_kind, context);
	state->data = mlplat_train_state_create(mlplat_state_context(state));
	return state;
}

/* The options as text; NULL stands for none. */
static char *
options_text(FunctionCallInfo fcinfo, int argument)
{
	Jsonb *options;

	if (PG_ARGISNULL(argument))
		return pstrdup("{}");
	options = PG_GETARG_JSONB_P(argument);
	return JsonbToCString(NULL, &options->root, VARSIZE(options));
}

/* The name of the target; NULL: there is none. */
static char *
target_name(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* ---- train(record, target, options) ---- */

/* The first row: its type decides everything. */
static void
begin_record(FunctionCallInfo fcinfo, MlplatTrainState *data, HeapTupleHeader row, HeapTuple tuple)
{
	TupleDesc desc;
	MlplatTrainSetup setup = {.options = options_text(fcinfo, 3)};
	Datum *values;
	bool *nulls;

	setup.target = target_name(fcinfo, 2);
	data->type = HeapTupleHeaderGetTypeId(row);
	data->typmod = HeapTupleHeaderGetTypMod(row);
	desc = lookup_rowtype_tupdesc_copy(data->type, data->typmod);
	values = palloc(sizeof(Datum) * (desc->natts + 1));
	nulls = palloc(sizeof(bool) * (desc->natts + 1));
	heap_deform_tuple(tuple, desc, values, nulls);
	mlplat_train_begin(data, desc, &setup, values, nulls);
}

Datum
mlplat_train_record_transfn(PG_FUNCTION_ARGS)
{
	MlState *state;
	MlplatTrainState *data;
	HeapTupleHeader row;
	HeapTupleData tuple;
	bool is_new;

	if (PG_ARGISNULL(1))
		return mlplat_return_state(fcinfo);
	state = get_state(fcinfo, &is_new);
	data = state->data;
	row = PG_GETARG_HEAPTUPLEHEADER(1);
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	if (is_new)
		begin_record(fcinfo, data, row, &tuple);
	if (!data->training)
		elog(ERROR, "a training state that has travelled takes no records");
	if (HeapTupleHeaderGetTypeId(row) != data->type ||
		HeapTupleHeaderGetTypMod(row) != data->typmod)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the rows to train on must all have the same type")));
	heap_deform_tuple(&tuple, data->desc, data->values, data->nulls);
	mlplat_train_row(data, data->values, data->nulls);
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

/* ---- train_columns(options, target, names, VARIADIC "any") ---- */

/* A row type from the names and the types of the arguments. */
static TupleDesc
columns_desc(FunctionCallInfo fcinfo)
{
	int n = PG_NARGS() - 4;
	TupleDesc desc = CreateTemplateTupleDesc(n);
	Datum *names;
	bool *nulls;
	int n_names;

	if (PG_ARGISNULL(3))
		elog(ERROR, "train_columns needs the names of its columns");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &n_names);
	if (n_names != n)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("train_columns got %d names for %d columns", n_names, n)));
	for (int i = 0; i < n; i++)
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, i + 4);

		if (nulls[i] || !OidIsValid(type))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("train_columns cannot tell the name or type of column %d", i + 1)));
		TupleDescInitEntry(desc, (AttrNumber) (i + 1), TextDatumGetCString(names[i]), type, -1, 0);
	}
	return desc;
}

static void
read_columns(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	for (int i = 4; i < PG_NARGS(); i++)
	{
		values[i - 4] = PG_GETARG_DATUM(i);
		nulls[i - 4] = PG_ARGISNULL(i);
	}
}

/* The first row: it has the lengths of arrays. */
static void
begin_columns(FunctionCallInfo fcinfo, MlplatTrainState *data)
{
	MlplatTrainSetup setup = {.options = options_text(fcinfo, 1)};
	Datum values[FUNC_MAX_ARGS];
	bool nulls[FUNC_MAX_ARGS];

	setup.target = target_name(fcinfo, 2);
	read_columns(fcinfo, values, nulls);
	mlplat_train_begin(data, columns_desc(fcinfo), &setup, values, nulls);
}

Datum
mlplat_train_columns_transfn(PG_FUNCTION_ARGS)
{
	bool is_new;
	MlState *state = get_state(fcinfo, &is_new);
	MlplatTrainState *data = state->data;

	if (is_new)
		begin_columns(fcinfo, data);
	read_columns(fcinfo, data->values, data->nulls);
	mlplat_train_row(data, data->values, data->nulls);
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

/* ---- train(label, features[], options): rows whose label is NULL count as dropped ---- */

/* Options that name columns have no meaning where there are none. */
static void
refuse_names(const MlTrainSpec *spec)
{
	const char *option = spec->weight                                           ? "weight"
						 : spec->exclude && spec->exclude->type != ML_JSON_NULL ? "exclude"
																				: NULL;

	if (option)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("option \"%s\" names columns, which an array does not have", option),
						errhint("Train over records: train(record, target, options).")));
}

/* Does the algorithm of these options learn without a target? Then labels may be NULL. */
static bool
takes_no_target(const MlTrainSpec *spec)
{
	return !(spec->algo->tasks & ML_TASKS_WITH_TARGET);
}

/* The same before there is a state, for a first row whose label is NULL. */
static bool
options_take_no_target(const char *options)
{
	MlplatTrainState *state = mlplat_train_state_create(CurrentMemoryContext);
	bool result = takes_no_target(mlplat_train_spec(state, options));

	mlplat_env_delete(state->env);
	return result;
}

/* Features f1..fn, as in a row without names, so that arrays and such rows both fit the model. */
static void
begin_array(MlplatTrainState *data, const char *options, int n)
{
	MlTrainSpec *spec = mlplat_train_spec(data, options);
	MlTrainerSetup setup = {
		.options = options,
		.options_len = strlen(options),
		.target = "",
		.target_kind = takes_no_target(spec) ? ML_TARGET_NONE : ML_TARGET_INTEGER,
		.target_width = ML_WIDTH_FLOAT64,
	};

	refuse_names(spec);
	if (n < 1 || n > ML_MAX_SLOTS)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("the array of features has %d elements; 1 to %d are supported", n,
							   ML_MAX_SLOTS)));
	mlplat_check(data->env, ml_schema_create(&data->arena, (uint32) n, &setup.schema));
	for (int i = 0; i < n; i++)
	{
		MlInput *input = &setup.schema->inputs[i];
		char name[16];

		input->name =
			ml_arena_text(&data->arena, name, (size_t) snprintf(name, sizeof name, "f%d", i + 1));
		input->type_name = ml_arena_text(&data->arena, "double precision", 16);
		input->kind = ML_NUMERIC;
		input->width = ML_WIDTH_FLOAT64;
		input->n_slots = 1;
		if (!input->name || !input->type_name)
			mlplat_check(data->env, ML_ENOMEM);
	}
	mlplat_check(data->env, ml_schema_layout(setup.schema));
	mlplat_check(data->env, ml_trainer_create(&data->arena, &setup, &data->trainer));
}

/* The features of one row into raw. */
static void
read_features(MlplatTrainState *data, ArrayType *features)
{
	uint32 n_slots = ml_trainer_schema(data->trainer)->n_slots;
	int n = ArrayGetNItems(ARR_NDIM(features), ARR_DIMS(features));

	if ((uint32) n != n_slots)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("the array of features has %d elements in one row and %u in others",
							   n, n_slots)));
	if (!ARR_HASNULL(features))
		memcpy(data->raw, ARR_DATA_PTR(features), n * sizeof(double));
	else
	{
		Datum *values;
		bool *nulls;

		deconstruct_array(features, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &values, &nulls, &n);
		for (int i = 0; i < n; i++)
			data->raw[i] = nulls[i] ? get_float8_nan() : DatumGetFloat8(values[i]);
	}
}

Datum
mlplat_train_array_transfn(PG_FUNCTION_ARGS)
{
	MlState *state;
	MlplatTrainState *data;
	ArrayType *features;
	uint32 n_slots;
	bool is_new;

	if (PG_ARGISNULL(2) ||
		(PG_ARGISNULL(1) && PG_ARGISNULL(0) && !options_take_no_target(options_text(fcinfo, 3))))
		return mlplat_return_state(fcinfo);
	state = get_state(fcinfo, &is_new);
	data = state->data;
	features = PG_GETARG_ARRAYTYPE_P(2);
	if (is_new)
		begin_array(data, options_text(fcinfo, 3),
					ArrayGetNItems(ARR_NDIM(features), ARR_DIMS(features)));
	n_slots = ml_trainer_schema(data->trainer)->n_slots;
	if (!data->raw)
		data->raw =
			MemoryContextAlloc(mlplat_env_context(data->env), sizeof(double) * (n_slots + 1));
	read_features(data, features);
	if (ml_trainer_target_kind(data->trainer) != ML_TARGET_NONE)
		data->raw[n_slots] = PG_ARGISNULL(1) ? get_float8_nan() : PG_GETARG_FLOAT8(1);
	mlplat_check(data->env, ml_trainer_add(data->trainer, data->raw));
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

/* ---- the end ---- */

/* The image of a state; everything made on the way is freed. */
static bytea *
finish_state(MlplatTrainState *data)
{
	MlTrainOptions options = {0};
	MlTrainResult result;
	MlArena arena;
	MlStatus status;
	bytea *image;

	ml_arena_init(&arena, data->env);
	mlplat_progress_begin(data->env, NULL, ml_trainer_spec(data->trainer)->algo->name);
	status = ml_trainer_finish(data->trainer, &arena, &options, &result);
	ml_env_close(data->env);
	mlplat_progress_end(data->env);
	mlplat_check(data->env, status);
	if (result.image.len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the model has %zu bytes; an image is at most 1 GB", result.image.len)));
	image = palloc(VARHDRSZ + result.image.len);
	SET_VARSIZE(image, VARHDRSZ + result.image.len);
	memcpy(VARDATA(image), result.image.data, result.image.len);
	ml_buffer_free(&result.image);
	ml_buffer_free(&result.info);
	ml_arena_free(&arena);
	return image;
}

Datum
mlplat_train_finalfn(PG_FUNCTION_ARGS)
{
	const MlState *state;

	mlplat_agg_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = mlplat_state_get_ro(PG_GETARG_DATUM(0), &mlplat_train_kind);
	PG_RETURN_BYTEA_P(finish_state(state->data));
}

/* finish(state): the image of a state that was stored, sent or merged. */
Datum
mlplat_finish(PG_FUNCTION_ARGS)
{
	const MlState *state = mlplat_state_get_ro(PG_GETARG_DATUM(0), &mlplat_train_kind);

	PG_RETURN_BYTEA_P(finish_state(state->data));
}
