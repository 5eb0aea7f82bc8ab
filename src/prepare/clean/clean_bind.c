/*
 * clean_bind.c
 *		The steps of a cleaning meet the columns: which they treat, and whether they can.
 *
 * Steps are bound one after the other, each to the columns as the steps before
 * have left them. What a step drops may depend on the rows, so that a later step
 * can be bound for good only when these have been read; binding all steps once
 * before the first row finds most mistakes without waiting for that.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "prepare/clean/clean.h"

/* ---- which columns an action is for */

static bool
has_order(const CleanColumn *column)
{
	return OidIsValid(lookup_type_cache(column->type, TYPECACHE_LT_OPR)->lt_opr);
}

static bool
is_time(Oid type)
{
	return type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID || type == TIMEOID ||
		   type == INTERVALOID;
}

/* What a column must be for the step; NULL: it can be treated. */
static const char *
missing_quality(const CleanStep *step, const CleanColumn *column)
{
	bool is_number = mlplat_clean_is_number(column->base_type);

	switch (step->spec->action)
	{
		case ML_CLEAN_DROP_DUPLICATES:
		case ML_CLEAN_MAP:
		case ML_CLEAN_DROP_CONSTANT:
			return has_order(column) ? NULL : "a type whose values can be compared";
		case ML_CLEAN_FILL:
			switch ((MlCleanFill) ml_param_int(&step->spec->params, ML_CLEAN_FILL_WITH))
			{
				case ML_CLEAN_MEAN:
					return is_number ? NULL : "a number";
				case ML_CLEAN_MEDIAN:
					return is_number || is_time(column->base_type) ? NULL : "a number or a time";
				case ML_CLEAN_MODE:
					return has_order(column) ? NULL : "a type whose values can be compared";
				default:
					return NULL;
			}
		case ML_CLEAN_TRIM:
		case ML_CLEAN_LOWER:
		case ML_CLEAN_UPPER:
		case ML_CLEAN_NORMALIZE:
		case ML_CLEAN_GROUP_RARE:
			return mlplat_clean_is_text(column->base_type) ? NULL : "a text";
		case ML_CLEAN_CLIP:
		case ML_CLEAN_DROP_OUTLIERS:
			return is_number ? NULL : "a number";
		default:
			return NULL;
	}
}

static void
check_quality(const CleanStep *step, const CleanColumn *column)
{
	const char *quality = missing_quality(step, column);

	if (quality)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("step %d (%s) needs %s, but column \"%s\" is of type %s",
							   step->number, ml_clean_action_name(step->spec->action), quality,
							   column->name, format_type_be(column->type)),
						errhint("Cast the column in the query or in a step before, or leave it "
								"out of \"%s\".",
								step->spec->params.table[0].name)));
}

/* Where no columns are given: is this one meant? A median of dates is only taken on request. */
static bool
is_meant(const CleanStep *step, const CleanColumn *column)
{
	const MlCleanStep *spec = step->spec;

	if (spec->action == ML_CLEAN_DROP_DUPLICATES)
		return true;
	if (spec->action == ML_CLEAN_FILL &&
		ml_param_int(&spec->params, ML_CLEAN_FILL_WITH) == ML_CLEAN_MEDIAN)
		return mlplat_clean_is_number(column->base_type);
	return missing_quality(step, column) == NULL;
}

/* ---- cells */

static void
begin_cell(CleanStep *step, const CleanColumn *column, int index)
{
	CleanCell *cell = &step->cells[step->n_cells++];

	check_quality(step, column);
	cell->index = index;
	cell->column = *column;
	cell->to_type = column->type;
	cell->to_typmod = column->typmod;
	if (has_order(column))
		mlplat_clean_order(column, &cell->order);
}

static void
add_named_cell(CleanStep *step, const Cleaning *cleaning, const char *name)
{
	int j = mlplat_clean_find_column(cleaning, step, name);

	for (int i = 0; i < step->n_cells; i++)
		if (step->cells[i].index == j)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("step %d (%s) names column \"%s\" twice", step->number,
								   ml_clean_action_name(step->spec->action), name)));
	begin_cell(step, &cleaning->columns[j], j);
}

/* Neither what orders the rows nor what groups them is filled unless it is named. */
static bool
orders_rows(const CleanStep *step, const CleanColumn *column)
{
	if (step->spec->action != ML_CLEAN_FILL)
		return false;
	for (int option = ML_CLEAN_FILL_ORDER; option <= ML_CLEAN_FILL_GROUP; option++)
		for (size_t i = 0; i < ml_clean_n_names(step->spec, option); i++)
			if (strcmp(column->name, ml_clean_name(step->spec, option, i)) == 0)
				return true;
	return false;
}

static _Noreturn void
type_has_changed(const CleanStep *step, const char *name, const char *before, const char *now)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" is of type %s, but was %s when step %d (%s) was recorded", name,
					now, before, step->number, ml_clean_action_name(step->spec->action)),
			 errhint("Cast it in the query to the type that it had.")));
}

/* The type that a column had the first time; NULL: it played no part. */
static const char *
recorded_type(const CleanStep *step, const char *name)
{
	const MlJson *names = ml_json_get(step->replay, "columns");
	const MlJson *types = ml_json_get(step->replay, "types");

	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i].string, name) == 0)
			return types->items[i].string;
	return NULL;
}

/* In a replay, columns must be of the types that they had the first time. */
static void
check_replayed_types(const CleanStep *step)
{
	for (int i = 0; step->replay && i < step->n_cells; i++)
	{
		const CleanColumn *column = &step->cells[i].column;
		const char *before = recorded_type(step, column->name);
		char *now = mlplat_clean_type_name(column->type);

		if (before && strcmp(before, now) != 0 && !mlplat_clean_drops_columns(step))
			type_has_changed(step, column->name, before, now);
	}
}

/* The columns of the first time. What is not there needs no dropping. */
static void
replay_cells(CleanStep *step, const Cleaning *cleaning)
{
	const MlJson *names = ml_json_get(step->replay, "columns");

	for (size_t i = 0; i < names->n; i++)
		if (!mlplat_clean_drops_columns(step) ||
			mlplat_clean_look_for_column(cleaning, names->items[i].string) >= 0)
			add_named_cell(step, cleaning, names->items[i].string);
}

static void
bind_cells(CleanStep *step, const Cleaning *cleaning)
{
	size_t n_given = ml_clean_n_names(step->spec, ML_CLEAN_COLUMNS);

	step->cells = palloc0(sizeof(CleanCell) * cleaning->n_columns);
	if (step->replay)
		replay_cells(step, cleaning);
	else if (n_given > 0)
		for (size_t i = 0; i < n_given; i++)
			add_named_cell(step, cleaning, ml_clean_name(step->spec, ML_CLEAN_COLUMNS, i));
	else
		for (int j = 0; j < cleaning->n_columns; j++)
			if (!cleaning->columns[j].dropped_by && is_meant(step, &cleaning->columns[j]) &&
				!orders_rows(step, &cleaning->columns[j]))
				begin_cell(step, &cleaning->columns[j], j);
}

/* ---- columns that order and group rows */

static int *
bind_sort_columns(const CleanStep *step, const Cleaning *cleaning, int option, int *n)
{
	int *columns;

	*n = (int) ml_clean_n_names(step->spec, option);
	columns = palloc(sizeof(int) * (*n + 1));
	for (int i = 0; i < *n; i++)
	{
		columns[i] = mlplat_clean_find_column(cleaning, step, ml_clean_name(step->spec, option, i));
		if (!has_order(&cleaning->columns[columns[i]]))
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("step %d (%s) cannot sort by column \"%s\" of type %s",
								   step->number, ml_clean_action_name(step->spec->action),
								   cleaning->columns[columns[i]].name,
								   format_type_be(cleaning->columns[columns[i]].type))));
	}
	return columns;
}

static void
bind_sort(CleanStep *step, const Cleaning *cleaning)
{
	if (step->spec->action == ML_CLEAN_FILL)
	{
		step->order = bind_sort_columns(step, cleaning, ML_CLEAN_FILL_ORDER, &step->n_order);
		step->group = bind_sort_columns(step, cleaning, ML_CLEAN_FILL_GROUP, &step->n_group);
		return;
	}
	step->order = bind_sort_columns(step, cleaning, ML_CLEAN_DUPLICATES_ORDER, &step->n_order);
	step->n_group = step->n_cells;
	step->group = palloc(sizeof(int) * (step->n_cells + 1));
	for (int i = 0; i < step->n_cells; i++)
		step->group[i] = step->cells[i].index;
}

/* ---- values that the recipe gives */

static void
bind_constant(CleanStep *step, const MlJson *value)
{
	for (int i = 0; i < step->n_cells; i++)
	{
		step->cells[i].value =
			mlplat_clean_read_value(step, &step->cells[i], ml_clean_scalar(value));
		step->cells[i].has_value = true;
	}
}

static void
bind_map(CleanStep *step)
{
	const MlJson *values = step->spec->params.values[ML_CLEAN_MAP_VALUES].json;

	if (ml_param_given(&step->spec->params, ML_CLEAN_MAP_MISSING))
		bind_constant(step, step->spec->params.values[ML_CLEAN_MAP_MISSING].json);
	for (int i = 0; i < step->n_cells; i++)
	{
		CleanLevels *levels = &step->cells[i].levels;

		levels->n = values->n;
		levels->olds = palloc(sizeof(Datum) * (values->n + 1));
		levels->news = palloc0(sizeof(Datum) * (values->n + 1));
		levels->new_nulls = palloc0(sizeof(bool) * (values->n + 1));
		for (size_t k = 0; k < values->n; k++)
		{
			const char *text = ml_clean_scalar(&values->items[k]);

			levels->olds[k] = mlplat_clean_read_value(step, &step->cells[i], values->keys[k]);
			levels->new_nulls[k] = text == NULL;
			if (text)
				levels->news[k] = mlplat_clean_read_value(step, &step->cells[i], text);
		}
		mlplat_clean_sort_levels(&step->cells[i]);
	}
}

/* The columns of a cast change their type. */
static void
bind_cast(CleanStep *step, Cleaning *cleaning)
{
	for (int i = 0; i < step->n_cells; i++)
	{
		CleanCell *cell = &step->cells[i];
		Oid collation = mlplat_clean_bind_cast(step, cell);

		mlplat_clean_set_type(&cleaning->columns[cell->index], cell->to_type, cell->to_typmod,
							  collation);
	}
	if (ml_param_given(&step->spec->params, ML_CLEAN_CAST_DEFAULT))
		bind_constant(step, step->spec->params.values[ML_CLEAN_CAST_DEFAULT].json);
}

static void
drop_columns(CleanStep *step, Cleaning *cleaning)
{
	for (int i = 0; i < step->n_cells; i++)
	{
		step->cells[i].has_value = true;
		cleaning->columns[step->cells[i].index].dropped_by = step->number;
	}
}

/* ---- steps */

bool
mlplat_clean_sorts(const CleanStep *step)
{
	return step->spec->action == ML_CLEAN_DROP_DUPLICATES ||
		   (step->spec->action == ML_CLEAN_FILL &&
			ml_param_int(&step->spec->params, ML_CLEAN_FILL_WITH) == ML_CLEAN_PREVIOUS);
}

bool
mlplat_clean_drops_columns(const CleanStep *step)
{
	return step->spec->action == ML_CLEAN_DROP_COLUMNS ||
		   step->spec->action == ML_CLEAN_DROP_CONSTANT ||
		   step->spec->action == ML_CLEAN_DROP_EMPTY;
}

bool
mlplat_clean_drops_rows(const CleanStep *step)
{
	switch (step->spec->action)
	{
		case ML_CLEAN_DROP_DUPLICATES:
		case ML_CLEAN_DROP_MISSING:
		case ML_CLEAN_DROP_OUTLIERS:
		case ML_CLEAN_FILTER:
			return true;
		case ML_CLEAN_CAST:
			return ml_param_int(&step->spec->params, ML_CLEAN_CAST_ON_ERROR) ==
				   ML_CLEAN_ON_ERROR_DROP;
		default:
			return false;
	}
}

/* A step that leaves nothing over is a mistake. */
static void
check_columns_left(const Cleaning *cleaning, const CleanStep *step)
{
	for (int j = 0; j < cleaning->n_columns; j++)
		if (!cleaning->columns[j].dropped_by)
			return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("step %d (%s) leaves no column", step->number,
						   ml_clean_action_name(step->spec->action))));
}

/* What the action itself takes from its options. */
static void
bind_action(CleanStep *step, Cleaning *cleaning)
{
	switch (step->spec->action)
	{
		case ML_CLEAN_FILL:
			if (ml_param_given(&step->spec->params, ML_CLEAN_FILL_VALUE))
				bind_constant(step, step->spec->params.values[ML_CLEAN_FILL_VALUE].json);
			break;
		case ML_CLEAN_MAP:
			bind_map(step);
			break;
		case ML_CLEAN_CAST:
			bind_cast(step, cleaning);
			break;
		case ML_CLEAN_DROP_COLUMNS:
			drop_columns(step, cleaning);
			break;
		case ML_CLEAN_GROUP_RARE:
			for (int i = 0; i < step->n_cells; i++)
				step->cells[i].value = mlplat_clean_read_value(
					step, &step->cells[i], ml_param_text(&step->spec->params, ML_CLEAN_RARE_OTHER));
			break;
		default:
			break;
	}
}

/* The step meets the columns as they are now. */
static void
bind_step(CleanStep *step, Cleaning *cleaning)
{
	if (mlplat_clean_sorts(step) || mlplat_clean_needs_fit(step) ||
		step->spec->action == ML_CLEAN_CAST || step->spec->action == ML_CLEAN_FILTER)
		step->desc = mlplat_clean_describe_row(cleaning);
	if (step->spec->action == ML_CLEAN_FILTER)
		mlplat_clean_bind_filter(step, cleaning);
	else
		bind_cells(step, cleaning);
	check_replayed_types(step);
	if (mlplat_clean_sorts(step))
		bind_sort(step, cleaning);
	bind_action(step, cleaning);
	step->fitted = !mlplat_clean_needs_fit(step);
	if (!step->fitted && step->replay)
		mlplat_clean_use_recorded(step, cleaning->columns);
	else if (!step->fitted)
		mlplat_clean_use_options(step, cleaning->columns);
	check_columns_left(cleaning, step);
}

/* Binding may already evaluate parts of an expression, which must not write. */
void
mlplat_clean_bind(Cleaning *cleaning, int i)
{
	CleanStep *step = &cleaning->steps[i];
	MemoryContext caller = MemoryContextSwitchTo(cleaning->context);
	int level = mlplat_clean_plain_texts_begin();
	bool was_read_only = XactReadOnly;

	Assert(i == cleaning->n_bound);
	step->number = i + 1;
	step->env = &cleaning->env;
	step->context = cleaning->context;
	step->replay = cleaning->replay ? &cleaning->replay->items[i] : NULL;
	step->replay_utf8 = cleaning->replay ? &cleaning->replay_utf8->items[i] : NULL;
	step->place = &cleaning->place;
	cleaning->place = (CleanPlace){.step = step};
	ml_buffer_init(&step->facts, &cleaning->env);
	XactReadOnly = true;
	bind_step(step, cleaning);
	XactReadOnly = was_read_only;
	cleaning->n_bound++;
	cleaning->place = (CleanPlace){0};
	mlplat_clean_plain_texts_end(level);
	MemoryContextSwitchTo(caller);
}

void
mlplat_clean_fit_done(Cleaning *cleaning, CleanStep *step)
{
	mlplat_clean_end_fit(step, cleaning->columns);
	check_columns_left(cleaning, step);
}

void
mlplat_clean_check(Cleaning *cleaning)
{
	MemoryContext kept = cleaning->context;
	MemoryContext work = AllocSetContextCreate(kept, "mlplat clean check", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(work);
	CleanColumn *columns = cleaning->columns;
	CleanStep *steps = cleaning->steps;

	cleaning->context = work;
	cleaning->env.ctx = work;
	cleaning->columns = palloc(sizeof(CleanColumn) * cleaning->n_columns);
	memcpy(cleaning->columns, columns, sizeof(CleanColumn) * cleaning->n_columns);
	cleaning->steps = palloc(sizeof(CleanStep) * cleaning->n_steps);
	memcpy(cleaning->steps, steps, sizeof(CleanStep) * cleaning->n_steps);
	for (int i = 0; i < cleaning->n_steps; i++)
		mlplat_clean_bind(cleaning, i);
	cleaning->n_bound = 0;
	cleaning->columns = columns;
	cleaning->steps = steps;
	cleaning->context = kept;
	cleaning->env.ctx = kept;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
}
