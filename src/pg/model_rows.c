/*
 * model_rows.c
 *		The rows of a query as a model sees them, collected in a frame.
 *
 * The model's binder reads the features. Target and weight are made inputs of a
 * schema that is extended by them: so the target's label is looked up among the
 * classes as any level is, whatever the type of the column. Booleans print as
 * "t" and "f", which are other names of the classes true and false.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "executor/tuptable.h"
#include "utils/memutils.h"

#include "pg/binder.h"
#include "pg/bridge.h"
#include "pg/model_rows.h"
#include "pg/query.h"

/* A reading on its way. */
typedef struct Reading
{
	MlEnv *env;
	MlplatModelRows *rows;
	MlplatBinding *binding;
	double *raw;
	int64 target, weight; /* slots; -1: none */
	uint32 n_classes;
	double *class_of; /* by code of the target's dictionary; NULL: a number */
} Reading;

/* A copy of an input's facts under the name by which a query can give it. */
static void
copy_input(const MlSchema *schema, uint32 k, MlInput *copy)
{
	const MlInput *input = &schema->inputs[k];

	*copy = *input;
	/* One that was trained by position is called as its feature is. */
	if (input->name[0] == '\0')
		copy->name = schema->features[input->first_feature].name;
}

/* Name, kind and width of an added input. */
static void
set_input(MlArena *arena, MlInput *input, const char *name, const MlModel *model)
{
	bool labels = model != NULL && model->n_classes > 0;

	input->name = ml_arena_text(arena, name, strlen(name));
	input->type_name = labels ? "text" : "double precision";
	input->kind = labels ? ML_CATEGORICAL : ML_NUMERIC;
	input->width = labels ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	input->n_slots = 1;
	if (!input->name)
		mlplat_check(arena->env, ML_ENOMEM);
}

/* Add a label under its class. */
static void
add_label(Reading *reading, MlDict *dict, const char *label, uint32 class)
{
	uint32 code;

	mlplat_check(reading->env, ml_dict_add(dict, label, strlen(label), &code));
	reading->class_of[code] = class;
}

/* The labels of the classes; booleans print otherwise than they are called. */
static MlDict *
class_labels(Reading *reading, MlArena *arena, const MlModel *model)
{
	MlDict *dict = ml_dict_create(arena);

	reading->class_of = ml_arena_array(arena, (size_t) model->n_classes * 2, sizeof(double));
	if (!dict || !reading->class_of)
		mlplat_check(arena->env, ML_ENOMEM);
	for (uint32 k = 0; k < model->n_classes; k++)
		add_label(reading, dict, model->classes[k], k);
	for (uint32 k = 0; k < model->n_classes; k++)
	{
		const char *other = strcmp(model->classes[k], "true") == 0    ? "t"
							: strcmp(model->classes[k], "false") == 0 ? "f"
																	  : NULL;

		if (other && ml_dict_find(dict, other, 1) == ML_NO_LEVEL)
			add_label(reading, dict, other, k);
	}
	return dict;
}

/* The model's inputs, then target and weight. */
static MlSchema *
extend_schema(Reading *reading, MlArena *arena, const MlModel *model, const char *target,
			  const char *weight)
{
	const MlSchema *schema = model->schema;
	uint32 n = schema->n_inputs;
	MlSchema *extended;

	mlplat_check(arena->env,
				 ml_schema_create(arena, n + (target != NULL) + (weight != NULL), &extended));
	for (uint32 k = 0; k < n; k++)
		copy_input(schema, k, &extended->inputs[k]);
	reading->target = target ? (int64) schema->n_slots : -1;
	reading->weight = weight ? (int64) schema->n_slots + (target != NULL) : -1;
	if (target)
	{
		set_input(arena, &extended->inputs[n], target, model);
		if (model->n_classes > 0)
			extended->inputs[n].levels = class_labels(reading, arena, model);
	}
	if (weight)
		set_input(arena, &extended->inputs[n + (target != NULL)], weight, NULL);
	mlplat_check(arena->env, ml_schema_layout(extended));
	return extended;
}

/* The natural width of what a column gives. */
static MlWidth
column_width(const MlplatColumn *column, const MlInput *input)
{
	if (input->kind == ML_CATEGORICAL)
		return ML_WIDTH_LEVEL;
	switch (column->source == MLPLAT_ARRAY ? column->element : column->source)
	{
		case MLPLAT_BOOL:
			return ML_WIDTH_BOOL;
		case MLPLAT_INT2:
			return ML_WIDTH_INT16;
		case MLPLAT_INT4:
			return ML_WIDTH_INT32;
		case MLPLAT_FLOAT4:
			return ML_WIDTH_FLOAT32;
		default:
			return ML_WIDTH_FLOAT64;
	}
}

/* An empty frame for the binding's rows. */
static void
create_frame(Reading *reading, const MlSchema *extended)
{
	MlWidth *widths = palloc(sizeof(MlWidth) * (extended->n_slots + 1));

	for (int c = 0; c < reading->binding->n_columns; c++)
	{
		const MlInput *input = &extended->inputs[c];

		for (uint32 s = 0; s < input->n_slots; s++)
			widths[input->first_slot + s] = column_width(&reading->binding->columns[c], input);
	}
	if (reading->target >= 0)
		widths[reading->target] = ML_WIDTH_FLOAT64; /* the class, no code */
	mlplat_check(reading->env,
				 ml_frame_create(reading->env, widths, extended->n_slots, &reading->rows->frame));
	pfree(widths);
}

/* Is the row one to keep? Turns the target's code into the class. */
static bool
keep_row(Reading *reading)
{
	double *raw = reading->raw;

	if (reading->target >= 0 && reading->class_of)
	{
		double code = raw[reading->target];

		raw[reading->target] = code >= 0 ? reading->class_of[(size_t) code] : NAN;
	}
	if (reading->target >= 0 && !isfinite(raw[reading->target]))
		return false;
	if (reading->weight < 0)
		return true;
	if (!(raw[reading->weight] >= 0) || isinf(raw[reading->weight]))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("a weight is missing, negative or infinite")));
	return raw[reading->weight] > 0;
}

static void
take_row(void *arg, TupleTableSlot *slot)
{
	Reading *reading = arg;
	MlStatus status = ML_OK;

	mlplat_bind_row(reading->binding, slot->tts_values, slot->tts_isnull, reading->raw);
	if (keep_row(reading))
		status = ml_frame_append(reading->rows->frame, reading->raw);
	if (status != ML_OK)
		mlplat_check(reading->env, status);
}

/* A column that is to be there beside the features. */
static void
need_column(TupleDesc desc, const char *role, const char *name)
{
	if (!name)
		return;
	for (int i = 0; i < desc->natts; i++)
	{
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0)
			return;
	}
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("%s column \"%s\" is not in the rows", role, name)));
}

/* The dataset over the frame. The target's column holds classes as they are. */
static void
describe_dataset(const Reading *reading, const MlModel *model)
{
	MlDataset *data = &reading->rows->data;

	data->schema = model->schema;
	data->frame = reading->rows->frame;
	data->task = model->task;
	data->n_classes = model->n_classes;
	data->target_column = reading->target;
	data->weight_column = reading->weight;
}

MlplatModelRows *
mlplat_read_model_rows(MlArena *arena, const MlModel *model, const char *query, const char *target,
					   const char *weight)
{
	Reading reading = {.env = arena->env};
	MemoryContext context = mlplat_env_context(arena->env);
	TupleDesc desc = mlplat_describe_query(query);
	MlModel extended = *model;

	need_column(desc, "target", target);
	need_column(desc, "weight", weight);
	reading.rows = MemoryContextAllocZero(context, sizeof *reading.rows);
	extended.schema = extend_schema(&reading, arena, model, target, weight);
	reading.binding = mlplat_bind_model(context, &extended, desc);
	reading.raw = palloc(sizeof(double) * (extended.schema->n_slots + 1));
	create_frame(&reading, extended.schema);
	mlplat_run_query(query, MLPLAT_PLAN_SERIAL, take_row, &reading);
	if (ml_frame_rows(reading.rows->frame) == 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg(target ? "the query has no row with a target that the model knows"
									  : "the query has no row")));
	describe_dataset(&reading, model);
	return reading.rows;
}
