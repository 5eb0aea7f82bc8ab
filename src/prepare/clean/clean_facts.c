/*
 * clean_facts.c
 *		From what was gathered to JSON, and from JSON to what a step treats rows with.
 *
 * A step reads its values from JSON whether that is new or comes from a stored
 * recipe: a replay cannot treat rows otherwise than the first time.
 *
 * A bound is made to fit the type before it is written: whole for integers, of
 * the column's scale for numeric(p, s), always towards the inside, so that a
 * value that was clipped is never an outlier again.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "pg/bridge.h"
#include "prepare/clean/clean_fit.h"
#include "prepare/clean/clean_json.h"

/* A column with more frequent levels than this, or with longer ones in all, is no category. */
#define MAX_LEVELS 10000
#define MAX_LEVEL_BYTES (16 * 1024 * 1024)

/* ---- facts as JSON */

/* A value of a number type as a number, where JSON has it; anything else as a string. */
static void
put_value(MlJsonWriter *w, const char *key, const CleanColumn *column, Datum value)
{
	char *text = mlplat_clean_value_text(column, value);

	if (mlplat_clean_is_number(column->base_type) && isfinite(strtod(text, NULL)))
		ml_json_raw(w, key, text, strlen(text));
	else
		ml_json_text(w, key, mlplat_json_from_server(text));
}

static void
put_null(MlJsonWriter *w, const char *key)
{
	ml_json_raw(w, key, "null", 4);
}

/* Nothing to fill with: the column stays as it is. */
static void
put_nothing(const CleanStep *step, const CleanCell *cell, MlJsonWriter *w)
{
	ereport(NOTICE, (errmsg("step %d (%s): column \"%s\" has no value to fit on", step->number,
							ml_clean_action_name(step->spec->action), cell->column.name)));
	put_null(w, cell->column.key);
}

/* The mean, which is one of double precision, by the column's type: rounded for integers, as a cast would. */
static char *
mean_text(const CleanCell *cell)
{
	double mean = ml_clean_mean(&cell->fit->moments);
	Oid type = cell->column.base_type;
	char buffer[32];

	if (type == INT8OID && mean >= 9223372036854775807.0)
		return pstrdup("9223372036854775807"); /* which double precision has not */
	if (type == INT2OID || type == INT4OID || type == INT8OID)
		return psprintf("%.0f", rint(mean) + 0.0);
	ml_format_double(buffer, mean);
	return pstrdup(buffer);
}

static void
put_fill(const CleanStep *step, CleanCell *cell, MlJsonWriter *w)
{
	const CleanColumn *column = &cell->column;

	if (mlplat_clean_fill_of(step) == ML_CLEAN_MEAN)
	{
		if (cell->fit->moments.n == 0)
			put_nothing(step, cell, w);
		else
		{
			char *text = mean_text(cell);

			ml_json_raw(w, column->key, text, strlen(text));
		}
		return;
	}
	if (cell->fit->n_values == 0)
		put_nothing(step, cell, w);
	else
		put_value(w, column->key, column,
				  mlplat_clean_fill_of(step) == ML_CLEAN_MEDIAN ? mlplat_clean_median(cell)
																: mlplat_clean_mode(cell));
}

/* ---- bounds */

/* A bound of a column: which one, and whether it is rounded towards the inside, as what lies beyond it is then exact. */
typedef struct BoundKind
{
	bool is_lower, inside;
} BoundKind;

static bool
rounds_up(BoundKind kind)
{
	return kind.is_lower == kind.inside;
}

static Datum
numeric_from_text(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

/* To so many digits after the point, up or down. */
static Datum
round_numeric(Datum exact, int scale, bool up)
{
	Datum rounded = DirectFunctionCall2(numeric_round, exact, Int32GetDatum(scale));
	Datum unit = numeric_from_text(psprintf("1e%d", -scale));

	if (up && DatumGetBool(DirectFunctionCall2(numeric_lt, rounded, exact)))
		return DirectFunctionCall2(numeric_add, rounded, unit);
	if (!up && DatumGetBool(DirectFunctionCall2(numeric_gt, rounded, exact)))
		return DirectFunctionCall2(numeric_sub, rounded, unit);
	return rounded;
}

/* numeric(p, s): of its scale; NULL: no value of the type is beyond. */
static char *
numeric_bound(double bound, int32 typmod, BoundKind kind)
{
	int precision, scale;
	char text[32];
	Datum value;

	ml_format_double(text, bound);
	value = numeric_from_text(text);
	if (typmod >= (int32) VARHDRSZ)
	{
		precision = ((typmod - VARHDRSZ) >> 16) & 0xffff;
		scale = mlplat_numeric_scale(typmod);
		if ((kind.is_lower ? -bound : bound) >= pow(10.0, precision - scale))
			return NULL;
		value = round_numeric(value, scale, rounds_up(kind));
	}
	return DatumGetCString(DirectFunctionCall1(numeric_out, value));
}

/* A whole number; NULL: no value of the type is beyond. */
static char *
integer_bound(double bound, double least, double greatest, BoundKind kind)
{
	bound = rounds_up(kind) ? ceil(bound) : floor(bound);
	if (kind.is_lower ? bound <= least : bound >= greatest)
		return NULL;
	return psprintf("%.0f", bound + 0.0);
}

/* The bound as text of the column's type; NULL: there is none. */
static char *
bound_text(const CleanColumn *column, double bound, BoundKind kind)
{
	int32 typmod = column->typmod;
	char buffer[32];

	if (isnan(bound))
		return NULL;
	switch (column->base_type)
	{
		case INT2OID:
			return integer_bound(bound, PG_INT16_MIN, PG_INT16_MAX, kind);
		case INT4OID:
			return integer_bound(bound, PG_INT32_MIN, PG_INT32_MAX, kind);
		case INT8OID:
			return integer_bound(bound, -9223372036854775808.0, 9223372036854775807.0, kind);
		case NUMERICOID:
			getBaseTypeAndTypmod(column->type, &typmod);
			return numeric_bound(bound, typmod, kind);
		case FLOAT4OID:
			if (fabs(bound) > FLT_MAX)
				return NULL;
			break;
		default:
			break;
	}
	ml_format_double(buffer, bound);
	return pstrdup(buffer);
}

static void
put_bound(MlJsonWriter *w, const char *key, const char *text)
{
	if (text)
		ml_json_raw(w, key, text, strlen(text));
	else
		put_null(w, key);
}

static MlCleanBounds
given_bounds(const CleanStep *step)
{
	const MlParams *params = &step->spec->params;
	MlCleanBounds bounds = {NAN, NAN};

	if (ml_param_given(params, ML_CLEAN_CLIP_LOWER))
		bounds.lower = ml_param_real(params, ML_CLEAN_CLIP_LOWER);
	if (ml_param_given(params, ML_CLEAN_CLIP_UPPER))
		bounds.upper = ml_param_real(params, ML_CLEAN_CLIP_UPPER);
	return bounds;
}

static MlCleanBounds
fit_bounds(const CleanStep *step, CleanCell *cell)
{
	double quantiles[2];

	switch (mlplat_clean_by_of(step))
	{
		case ML_CLEAN_BY_BOUNDS:
			return given_bounds(step);
		case ML_CLEAN_BY_ZSCORE:
			return ml_clean_bounds_zscore(&cell->fit->moments, ml_clean_factor(step->spec));
		default:
			break;
	}
	if (cell->fit->n_values == 0)
		return (MlCleanBounds){NAN, NAN};
	if (mlplat_clean_by_of(step) == ML_CLEAN_BY_IQR)
	{
		mlplat_clean_quantiles(cell, 0.25, 0.75, quantiles);
		return ml_clean_bounds_iqr(quantiles[0], quantiles[1], ml_clean_factor(step->spec));
	}
	mlplat_clean_quantiles(cell, ml_clean_share(step->spec, ML_CLEAN_CLIP_LOWER),
						   ml_clean_share(step->spec, ML_CLEAN_CLIP_UPPER), quantiles);
	return (MlCleanBounds){isfinite(quantiles[0]) ? quantiles[0] : NAN,
						   isfinite(quantiles[1]) ? quantiles[1] : NAN};
}

/* Where no value of the type lies between the bounds, values can only be clipped to those around them. */
static void
put_bounds(const CleanStep *step, CleanCell *cell, MlJsonWriter *w)
{
	const CleanColumn *column = &cell->column;
	MlCleanBounds bounds = fit_bounds(step, cell);
	char *lower = bound_text(column, bounds.lower, (BoundKind){true, true});
	char *upper = bound_text(column, bounds.upper, (BoundKind){false, true});

	if (step->spec->action == ML_CLEAN_CLIP && lower && upper &&
		strtod(lower, NULL) > strtod(upper, NULL))
	{
		lower = bound_text(column, bounds.lower, (BoundKind){true, false});
		upper = bound_text(column, bounds.upper, (BoundKind){false, false});
	}
	ml_json_open(w, column->key, '{');
	put_bound(w, "lower", lower);
	put_bound(w, "upper", upper);
	ml_json_close(w, '}');
}

/* ---- levels, and columns to drop */

/* The least count of a level that is not rare. */
static double
least_count(const CleanStep *step, int64 n_values)
{
	const MlParams *params = &step->spec->params;
	bool has_count = ml_param_given(params, ML_CLEAN_RARE_COUNT);
	bool has_share = ml_param_given(params, ML_CLEAN_RARE_SHARE);
	double count = has_count ? ml_param_int(params, ML_CLEAN_RARE_COUNT) : 0;
	double share = has_share ? ml_param_real(params, ML_CLEAN_RARE_SHARE) : has_count ? 0 : 0.01;

	return Max(count, share * (double) n_values);
}

static _Noreturn void
too_many_levels(const CleanStep *step, const CleanCell *cell)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("step %d (group_rare): column \"%s\" has more than %d levels or %d MB of "
					"them that are not rare",
					step->number, cell->column.name, MAX_LEVELS, MAX_LEVEL_BYTES / (1024 * 1024)),
			 errhint("Raise \"min_share\" or \"min_count\".")));
}

static void
put_levels(const CleanStep *step, CleanCell *cell, MlJsonWriter *w)
{
	double least = least_count(step, cell->fit->n_values);
	size_t start = step->facts.len;
	CleanRuns runs;
	CleanRun run;
	int n = 0;

	mlplat_clean_runs(&runs, cell);
	ml_json_open(w, cell->column.key, '[');
	while (mlplat_clean_next_run(&runs, &run))
	{
		if ((double) run.count >= least)
		{
			char *text = mlplat_clean_value_text(&cell->column, run.value);

			if (++n > MAX_LEVELS || step->facts.len - start > MAX_LEVEL_BYTES)
				too_many_levels(step, cell);
			ml_json_text(w, NULL, mlplat_json_from_server(text));
			pfree(text);
		}
		pfree(DatumGetPointer(run.value));
	}
	ml_json_close(w, ']');
}

/* With no rows there is nothing to judge by. */
static bool
is_to_drop(const CleanStep *step, const CleanFit *fit)
{
	int64 n = fit->n_values + fit->n_missing;

	if (n == 0)
		return false;
	if (step->spec->action == ML_CLEAN_DROP_CONSTANT)
		return fit->n_values == 0 || (fit->n_missing == 0 && !fit->varies);
	return (double) fit->n_missing >
		   ml_param_real(&step->spec->params, ML_CLEAN_EMPTY_MAX) * (double) n;
}

static void
put_dropped(const CleanStep *step, MlJsonWriter *w)
{
	ml_json_open(w, "dropped", '[');
	for (int i = 0; i < step->n_cells; i++)
		if (is_to_drop(step, step->cells[i].fit))
			ml_json_text(w, NULL, step->cells[i].column.key);
	ml_json_close(w, ']');
}

/* ---- from the rows to facts, from the facts to cells */

static void
write_facts(CleanStep *step)
{
	MlJsonWriter w;

	ml_json_writer(&w, &step->facts);
	ml_json_open(&w, NULL, '{');
	if (mlplat_clean_drops_columns(step))
		put_dropped(step, &w);
	else
		for (int i = 0; i < step->n_cells; i++)
		{
			if (step->spec->action == ML_CLEAN_FILL)
				put_fill(step, &step->cells[i], &w);
			else if (step->spec->action == ML_CLEAN_GROUP_RARE)
				put_levels(step, &step->cells[i], &w);
			else
				put_bounds(step, &step->cells[i], &w);
		}
	ml_json_close(&w, '}');
	mlplat_check(step->env, step->facts.status);
}

static _Noreturn void
damaged_facts(const CleanStep *step)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("step %d (%s) of the recorded cleaning is damaged", step->number,
						   ml_clean_action_name(step->spec->action))));
}

/* A member of the facts, of a type that is expected. */
static const MlJson *
get_fact(const CleanStep *step, const MlJson *facts, const char *key)
{
	const MlJson *fact = facts ? ml_json_get(facts, key) : NULL;

	if (!fact)
		damaged_facts(step);
	return fact;
}

static const char *
fact_text(const CleanStep *step, const MlJson *fact)
{
	if (fact->type == ML_JSON_ARRAY || fact->type == ML_JSON_OBJECT)
		damaged_facts(step);
	return ml_clean_scalar(fact);
}

/* A bound by the type below domains, which need not allow it: it is checked when it becomes a value. */
static bool
read_bound(const CleanStep *step, const CleanCell *cell, const MlJson *fact, Datum *bound)
{
	const char *text = fact_text(step, fact);
	Oid input, ioparam;

	if (!text)
		return false;
	getTypeInputInfo(cell->column.base_type, &input, &ioparam);
	*bound = OidInputFunctionCall(input, unconstify(char *, text), ioparam, -1);
	return true;
}

static void
use_bounds(CleanStep *step, CleanCell *cell, const MlJson *facts)
{
	const MlJson *bounds = get_fact(step, facts, cell->column.name);

	*step->place = (CleanPlace){.step = step, .cell = cell};
	cell->has_low = read_bound(step, cell, get_fact(step, bounds, "lower"), &cell->low);
	cell->has_high = read_bound(step, cell, get_fact(step, bounds, "upper"), &cell->high);
}

static void
use_levels(CleanStep *step, CleanCell *cell, const MlJson *facts)
{
	const MlJson *kept = get_fact(step, facts, cell->column.name);

	if (kept->type != ML_JSON_ARRAY)
		damaged_facts(step);
	cell->levels.n = kept->n;
	cell->levels.olds = palloc(sizeof(Datum) * (kept->n + 1));
	for (size_t i = 0; i < kept->n; i++)
	{
		const char *text = fact_text(step, &kept->items[i]);

		if (!text)
			damaged_facts(step);
		cell->levels.olds[i] = mlplat_clean_read_value(step, cell, text);
	}
	mlplat_clean_sort_levels(cell);
}

static void
use_dropped(CleanStep *step, const MlJson *facts, CleanColumn *columns)
{
	const MlJson *dropped = get_fact(step, facts, "dropped");

	if (dropped->type != ML_JSON_ARRAY)
		damaged_facts(step);
	for (int i = 0; i < step->n_cells; i++)
		for (size_t k = 0; k < dropped->n; k++)
		{
			const char *name = fact_text(step, &dropped->items[k]);

			if (!name || strcmp(name, step->cells[i].column.name) != 0)
				continue;
			step->cells[i].has_value = true;
			columns[step->cells[i].index].dropped_by = step->number;
		}
}

static void
use_facts(CleanStep *step, const MlJson *facts, CleanColumn *columns)
{
	if (mlplat_clean_drops_columns(step))
		use_dropped(step, facts, columns);
	else
		for (int i = 0; i < step->n_cells; i++)
		{
			CleanCell *cell = &step->cells[i];

			if (mlplat_clean_seeks_outliers(step))
				use_bounds(step, cell, facts);
			else if (step->spec->action == ML_CLEAN_GROUP_RARE)
				use_levels(step, cell, facts);
			else
			{
				const char *text = fact_text(step, get_fact(step, facts, cell->column.name));

				cell->has_value = text != NULL;
				if (text)
					cell->value = mlplat_clean_read_value(step, cell, text);
			}
		}
	step->fitted = true;
}

/* Read back what was written. */
static void
use_written_facts(CleanStep *step, CleanColumn *columns)
{
	MlArena arena;

	ml_arena_init(&arena, step->env);
	use_facts(step, mlplat_json_parse(&arena, (const char *) step->facts.data, step->facts.len),
			  columns);
	ml_arena_free(&arena);
}

void
mlplat_clean_use_recorded(CleanStep *step, CleanColumn *columns)
{
	MlJsonWriter w;

	use_facts(step, ml_json_get(step->replay, "fitted"), columns);
	ml_json_writer(&w, &step->facts);
	ml_json_value(&w, NULL, ml_json_get(step->replay_utf8, "fitted"));
	mlplat_check(step->env, step->facts.status);
}

void
mlplat_clean_use_options(CleanStep *step, CleanColumn *columns)
{
	if (!mlplat_clean_seeks_outliers(step) || mlplat_clean_by_of(step) != ML_CLEAN_BY_BOUNDS)
		return;
	write_facts(step);
	use_written_facts(step, columns);
}

void
mlplat_clean_end_fit(CleanStep *step, CleanColumn *columns)
{
	MemoryContext caller = MemoryContextSwitchTo(step->context);
	int level = mlplat_clean_plain_texts_begin();

	mlplat_clean_sort_fit(step);
	write_facts(step);
	mlplat_clean_free_fit(step);
	use_written_facts(step, columns);
	*step->place = (CleanPlace){0};
	mlplat_clean_plain_texts_end(level);
	MemoryContextSwitchTo(caller);
}
