/*
 * binder_train.c
 *		Binding rows for training: features, target, weight, group and order.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/binder_inner.h"
#include "pg/bridge.h"

/* Two columns of one name cannot be told apart by name. */
static void
refuse_duplicates(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped &&
			mlplat_find_attribute(desc, NameStr(attribute->attname)) != i)
			ereport(ERROR, errcode(ERRCODE_DUPLICATE_COLUMN),
					errmsg("column \"%s\" occurs more than once", NameStr(attribute->attname)),
					errhint("Give each column of the query a name of its own."));
	}
}

/* Is the attribute one of the excluded ones? */
static bool
is_excluded(const MlTrainSpec *spec, const char *name)
{
	const MlJson *exclude = spec->exclude;

	if (!exclude || exclude->type != ML_JSON_ARRAY)
		return false;
	for (size_t i = 0; i < exclude->n; i++)
	{
		if (strcmp(exclude->items[i].string, name) == 0)
			return true;
	}
	return false;
}

/* Names in the options must be columns, so that a typing error does not let a leak through. */
static void
check_option_columns(TupleDesc desc, const MlTrainSpec *spec)
{
	if (spec->exclude && spec->exclude->type == ML_JSON_ARRAY)
	{
		for (size_t i = 0; i < spec->exclude->n; i++)
		{
			if (mlplat_find_attribute(desc, spec->exclude->items[i].string) < 0)
				mlplat_no_such_column(desc, "excluded", spec->exclude->items[i].string);
		}
	}
	for (size_t i = 0; i < spec->prep->n; i++)
	{
		const char *name = spec->prep->wishes[i].name;

		if (strcmp(name, "*") != 0 && mlplat_find_attribute(desc, name) < 0)
			mlplat_no_such_column(desc, "prepared", name);
	}
}

/* Is the column what rows are split by? */
static bool
splits_rows(const MlTrainSpec *spec, const char *name)
{
	return (spec->group_by && strcmp(name, spec->group_by) == 0) ||
		   (spec->order_by && strcmp(name, spec->order_by) == 0);
}

/* A feature: not the target, not the weight, not what rows are split by, not excluded. */
static bool
is_feature(TupleDesc desc, int i, const MlTrainSpec *spec, const char *target)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, i);
	const char *name = NameStr(attribute->attname);

	return !attribute->attisdropped && !(target && strcmp(name, target) == 0) &&
		   !(spec->weight && strcmp(name, spec->weight) == 0) && !splits_rows(spec, name) &&
		   !is_excluded(spec, name);
}

bool
mlplat_needs_first_row(TupleDesc desc, const MlTrainSpec *spec, const char *target)
{
	for (int i = 0; i < desc->natts; i++)
	{
		bool is_array;

		if (is_feature(desc, i, spec, target) &&
			mlplat_find_type(TupleDescAttr(desc, i)->atttypid, &is_array) && is_array)
			return true;
	}
	return false;
}

/* The length of an array column, from the first row. */
static uint32
block_length(const char *name, int i, const Datum *values, const bool *nulls)
{
	ArrayType *array;
	int n;

	if (!values || nulls[i])
		ereport(
			ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			errmsg("array column \"%s\" is NULL in the first row, so that its length is not known",
				   name),
			errhint("Leave such rows out with a WHERE clause, or exclude the column."));
	array = DatumGetArrayTypeP(values[i]);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (n < 1 || n > ML_MAX_SLOTS)
		ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				errmsg("array column \"%s\" has %d elements; 1 to %d are supported", name, n,
					   ML_MAX_SLOTS));
	return (uint32) n;
}

/* The dictionary of a column that is hashed; others get theirs when the schema is laid out. */
static void
use_buckets(MlArena *arena, const MlTrainSpec *spec, MlInput *input)
{
	uint32 n_buckets = ml_prep_buckets(spec->prep, input->name);

	if (input->kind != ML_CATEGORICAL || n_buckets == 0)
		return;
	input->levels = ml_dict_create_hashed(arena, n_buckets);
	if (!input->levels)
		mlplat_check(arena->env, ML_ENOMEM);
}

/* One feature column: its input in the schema and its place in the binding. */
static void
bind_feature(MlplatTraining *training, MlArena *arena, TupleDesc desc, int i,
			 const MlTrainSpec *spec, const Datum *values, const bool *nulls, MlInput *input)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, i);
	const char *name = NameStr(attribute->attname);
	const char *type_name = mlplat_base_type_name(attribute->atttypid);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns++];
	bool is_array;
	const MlplatTypeFacts *facts = mlplat_find_type(attribute->atttypid, &is_array);

	if (!facts)
		mlplat_unsupported_type(name, attribute->atttypid);
	input->name = ml_arena_text(arena, name, strlen(name));
	input->type_name = ml_arena_text(arena, type_name, strlen(type_name));
	if (!input->name || !input->type_name)
		mlplat_check(arena->env, ML_ENOMEM);
	input->kind = is_array ? ML_BLOCK : facts->kind;
	input->width = facts->width;
	input->n_slots = is_array ? block_length(name, i, values, nulls) : 1;
	column->attribute = i;
	column->name = input->name;
	column->source = is_array ? MLPLAT_ARRAY : facts->source;
	column->element = facts->source;
	column->n_slots = input->n_slots;
	if (ml_prep_reads_levels(spec->prep, name))
	{
		if (is_array || facts->source == MLPLAT_INTERVAL)
			ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("column \"%s\" has type %s, which cannot be read as levels", name,
						   type_name),
					errhint("Cast it to text in the query."));
		input->kind = ML_CATEGORICAL;
		input->width = ML_WIDTH_LEVEL;
		if (facts->kind != ML_CATEGORICAL)
			mlplat_use_output(column, attribute->atttypid, mlplat_env_context(arena->env));
	}
	if (column->source == MLPLAT_OUTPUT && !column->output.fn_oid)
		mlplat_use_output(column, attribute->atttypid, mlplat_env_context(arena->env));
	use_buckets(arena, spec, input);
}

/* The target: numbers, booleans and texts. */
static void
bind_target(MlplatTraining *training, MlArena *arena, TupleDesc desc, const char *target)
{
	int i = mlplat_find_attribute(desc, target);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const MlplatTypeFacts *facts;
	bool is_array;
	Oid type;

	if (i < 0)
		mlplat_no_such_column(desc, "target", target);
	type = TupleDescAttr(desc, i)->atttypid;
	facts = mlplat_find_type(type, &is_array);
	if (!facts || is_array || (facts->kind != ML_NUMERIC && facts->kind != ML_CATEGORICAL))
		ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("target column \"%s\" has type %s, which cannot be predicted", target,
					   format_type_be(type)),
				errhint("Cast it to a number, a boolean or a text."));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = training->schema->n_slots;
	column->name = target;
	column->grow = true;
	if (facts->source == MLPLAT_OUTPUT)
		mlplat_use_output(column, type, mlplat_env_context(arena->env));
	training->target_column = training->binding.n_columns++;
	training->target_width = facts->width;
	if (facts->kind == ML_CATEGORICAL)
		training->target_kind = ML_TARGET_TEXT;
	else if (facts->source == MLPLAT_BOOL)
		training->target_kind = ML_TARGET_BOOL;
	else if (facts->source == MLPLAT_INT2 || facts->source == MLPLAT_INT4 ||
			 facts->source == MLPLAT_INT8)
		training->target_kind = ML_TARGET_INTEGER;
	else
		training->target_kind = ML_TARGET_NUMBER;
}

/* The weight: any number. */
static void
bind_weight(MlplatTraining *training, TupleDesc desc, const char *weight)
{
	int i = mlplat_find_attribute(desc, weight);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const MlplatTypeFacts *facts;
	bool is_array;

	if (i < 0)
		mlplat_no_such_column(desc, "weight", weight);
	facts = mlplat_find_type(TupleDescAttr(desc, i)->atttypid, &is_array);
	if (!facts || is_array || facts->kind != ML_NUMERIC)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("weight column \"%s\" has type %s, not a number", weight,
					   format_type_be(TupleDescAttr(desc, i)->atttypid)));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = training->schema->n_slots + (training->target_column >= 0);
	column->name = weight;
	training->weight_column = training->binding.n_columns++;
}

/* The slot of the next column behind the features. */
static uint32
next_slot(const MlplatTraining *training)
{
	const MlplatBinding *binding = &training->binding;
	const MlplatColumn *last = binding->columns + binding->n_columns - 1;

	return binding->n_columns > 0 ? Max(last->slot + 1, training->schema->n_slots)
								  : training->schema->n_slots;
}

/* What rows are kept together by: levels of any type. */
static void
bind_group(MlplatTraining *training, TupleDesc desc, const char *group, MemoryContext context)
{
	int i = mlplat_find_attribute(desc, group);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const MlplatTypeFacts *facts;
	bool is_array;

	if (i < 0)
		mlplat_no_such_column(desc, "group_by", group);
	facts = mlplat_find_type(TupleDescAttr(desc, i)->atttypid, &is_array);
	if (!facts || is_array || facts->source == MLPLAT_INTERVAL)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("group_by column \"%s\" has type %s, which has no groups", group,
					   format_type_be(TupleDescAttr(desc, i)->atttypid)),
				errhint("Cast it to text in the query."));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = next_slot(training);
	column->name = group;
	column->grow = true;
	if (facts->kind != ML_CATEGORICAL || facts->source == MLPLAT_OUTPUT)
		mlplat_use_output(column, TupleDescAttr(desc, i)->atttypid, context);
	training->group_column = training->binding.n_columns++;
}

/* What rows are split in the order of: numbers and times. */
static void
bind_order(MlplatTraining *training, TupleDesc desc, const char *order)
{
	int i = mlplat_find_attribute(desc, order);
	MlplatColumn *column = &training->binding.columns[training->binding.n_columns];
	const MlplatTypeFacts *facts;
	bool is_array;

	if (i < 0)
		mlplat_no_such_column(desc, "order_by", order);
	facts = mlplat_find_type(TupleDescAttr(desc, i)->atttypid, &is_array);
	if (!facts || is_array || facts->kind == ML_CATEGORICAL)
		ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("order_by column \"%s\" has type %s, which is neither a number nor a time",
					   order, format_type_be(TupleDescAttr(desc, i)->atttypid)),
				errhint("Use a number, a date, a time or a timestamp."));
	column->attribute = i;
	column->source = facts->source;
	column->n_slots = 1;
	column->slot = next_slot(training);
	column->name = order;
	training->binding.n_columns++;
}

/* What rows are split by has no other part to play. */
static void
refuse_double_use(const MlTrainSpec *spec, const char *target)
{
	const char *split = spec->group_by ? spec->group_by : spec->order_by;

	if (!split)
		return;
	if ((target && strcmp(split, target) == 0) ||
		(spec->weight && strcmp(split, spec->weight) == 0))
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("column \"%s\" cannot be both %s and %s", split,
					   target && strcmp(split, target) == 0 ? "target" : "weight",
					   spec->group_by ? "group_by" : "order_by"));
}

MlplatTraining *
mlplat_bind_training(MlArena *arena, TupleDesc desc, const MlTrainSpec *spec, const char *target,
					 const Datum *values, const bool *nulls)
{
	MemoryContext context = mlplat_env_context(arena->env);
	MlplatTraining *training = MemoryContextAllocZero(context, sizeof *training);
	MlplatBinding *binding = &training->binding;
	uint32 n_inputs = 0;

	refuse_duplicates(desc);
	check_option_columns(desc, spec);
	refuse_double_use(spec, target);
	binding->env = arena->env;
	binding->columns = MemoryContextAllocZero(context, sizeof(MlplatColumn) * (desc->natts + 2));
	binding->scratch = AllocSetContextCreate(context, "mlplat row", ALLOCSET_DEFAULT_SIZES);
	training->target_column = training->weight_column = training->group_column = -1;
	training->target_kind = ML_TARGET_NONE;
	for (int i = 0; i < desc->natts; i++)
		n_inputs += is_feature(desc, i, spec, target);
	mlplat_check(arena->env, ml_schema_create(arena, n_inputs, &training->schema));
	for (int i = 0; i < desc->natts; i++)
	{
		if (is_feature(desc, i, spec, target))
			bind_feature(training, arena, desc, i, spec, values, nulls,
						 &training->schema->inputs[binding->n_columns]);
	}
	mlplat_check(arena->env, ml_schema_layout(training->schema));
	for (uint32 c = 0; c < n_inputs; c++)
	{
		binding->columns[c].slot = training->schema->inputs[c].first_slot;
		binding->columns[c].levels = training->schema->inputs[c].levels;
		binding->columns[c].grow = true;
	}
	if (target)
		bind_target(training, arena, desc, target);
	if (spec->weight)
		bind_weight(training, desc, spec->weight);
	if (spec->group_by)
		bind_group(training, desc, spec->group_by, context);
	if (spec->order_by)
		bind_order(training, desc, spec->order_by);
	binding->n_raw = next_slot(training);
	for (int c = 0; c < binding->n_columns; c++)
		binding->needs_scratch |= mlplat_source_allocates(binding->columns[c].source);
	return training;
}
