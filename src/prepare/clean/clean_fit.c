/*
 * clean_fit.c
 *		What a step must know of all rows before it can treat the first.
 *
 * Order statistics are exact: the values of the column are sorted by the
 * server's own sort, which goes to temporary files beyond its share of work_mem.
 * The sorted values can be read once.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/typcache.h"

#include "prepare/clean/clean_fit.h"

/* ---- what is needed */

MlCleanFill
mlplat_clean_fill_of(const CleanStep *step)
{
	return (MlCleanFill) ml_param_int(&step->spec->params, ML_CLEAN_FILL_WITH);
}

MlCleanBy
mlplat_clean_by_of(const CleanStep *step)
{
	return (MlCleanBy) ml_param_int(&step->spec->params, ML_CLEAN_CLIP_BY);
}

bool
mlplat_clean_seeks_outliers(const CleanStep *step)
{
	return step->spec->action == ML_CLEAN_CLIP || step->spec->action == ML_CLEAN_DROP_OUTLIERS;
}

bool
mlplat_clean_needs_fit(const CleanStep *step)
{
	switch (step->spec->action)
	{
		case ML_CLEAN_FILL:
			return mlplat_clean_fill_of(step) <= ML_CLEAN_MODE;
		case ML_CLEAN_CLIP:
		case ML_CLEAN_DROP_OUTLIERS:
		case ML_CLEAN_DROP_CONSTANT:
		case ML_CLEAN_DROP_EMPTY:
		case ML_CLEAN_GROUP_RARE:
			return true;
		default:
			return false;
	}
}

static bool
needs_order(const CleanStep *step)
{
	if (step->spec->action == ML_CLEAN_FILL)
		return mlplat_clean_fill_of(step) != ML_CLEAN_MEAN;
	if (mlplat_clean_seeks_outliers(step))
		return mlplat_clean_by_of(step) == ML_CLEAN_BY_IQR ||
			   mlplat_clean_by_of(step) == ML_CLEAN_BY_QUANTILE;
	return step->spec->action == ML_CLEAN_GROUP_RARE;
}

static bool
needs_moments(const CleanStep *step)
{
	return (step->spec->action == ML_CLEAN_FILL && mlplat_clean_fill_of(step) == ML_CLEAN_MEAN) ||
		   (mlplat_clean_seeks_outliers(step) && mlplat_clean_by_of(step) == ML_CLEAN_BY_ZSCORE);
}

int
mlplat_clean_n_sorts(const CleanStep *step)
{
	return needs_order(step) ? step->n_cells : 0;
}

/* ---- gathering */

void
mlplat_clean_begin_fit(CleanStep *step, int work_kb)
{
	MemoryContext caller = MemoryContextSwitchTo(step->context);

	for (int i = 0; i < step->n_cells; i++)
	{
		CleanCell *cell = &step->cells[i];

		cell->fit = palloc0(sizeof(CleanFit));
		if (needs_order(step))
			cell->fit->sort = tuplesort_begin_datum(
				cell->column.type, lookup_type_cache(cell->column.type, TYPECACHE_LT_OPR)->lt_opr,
				mlplat_clean_equality_collation(&cell->column), false, work_kb, NULL, 0);
	}
	MemoryContextSwitchTo(caller);
}

/* Is the value another one than those before? A missing one is a value of its own. */
static void
compare_with_first(const CleanStep *step, CleanCell *cell, Datum value)
{
	CleanFit *fit = cell->fit;
	MemoryContext caller;

	if (fit->varies || fit->n_values > 1)
	{
		fit->varies = fit->varies || mlplat_clean_compare(cell, value, fit->first) != 0;
		return;
	}
	caller = MemoryContextSwitchTo(step->context);
	fit->first = datumCopy(value, cell->column.typbyval, cell->column.typlen);
	MemoryContextSwitchTo(caller);
}

static void
fit_value(const CleanStep *step, CleanCell *cell, Datum value)
{
	CleanFit *fit = cell->fit;

	fit->n_values++;
	if (fit->sort)
		tuplesort_putdatum(fit->sort, value, false);
	else if (needs_moments(step))
		ml_clean_moments_add(&fit->moments, mlplat_clean_to_double(cell->column.base_type, value));
	else if (step->spec->action == ML_CLEAN_DROP_CONSTANT)
		compare_with_first(step, cell, value);
}

void
mlplat_clean_fit_row(CleanStep *step, const CleanRow *row)
{
	for (int i = 0; i < step->n_cells; i++)
	{
		CleanCell *cell = &step->cells[i];

		if (mlplat_clean_is_missing(&cell->column, row->values[cell->index],
									row->nulls[cell->index]))
			cell->fit->n_missing++;
		else
			fit_value(step, cell, row->values[cell->index]);
	}
}

/* ---- reading the sorted values */

void
mlplat_clean_sort_fit(CleanStep *step)
{
	for (int i = 0; i < step->n_cells; i++)
		if (step->cells[i].fit->sort)
			tuplesort_performsort(step->cells[i].fit->sort);
}

void
mlplat_clean_free_fit(CleanStep *step)
{
	for (int i = 0; i < step->n_cells; i++)
		if (step->cells[i].fit->sort)
			tuplesort_end(step->cells[i].fit->sort);
}

/* The next value; the caller owns it where it is not by value. False: there are no more. */
static bool
next_value(CleanFit *fit, Datum *value)
{
	bool isnull;

	CHECK_FOR_INTERRUPTS();
	fit->next++;
	return mlplat_tuplesort_getdatum(fit->sort, value, &isnull);
}

/* The value of a rank that is not behind those read so far. */
static Datum
value_at(CleanFit *fit, int64 rank)
{
	Datum value;

	if (rank > fit->next && !tuplesort_skiptuples(fit->sort, rank - fit->next, true))
		elog(ERROR, "sorted values end before rank " INT64_FORMAT, rank);
	fit->next = rank;
	if (!next_value(fit, &value))
		elog(ERROR, "sorted values end at rank " INT64_FORMAT, rank);
	return value;
}

/* Numbers at n ranks in ascending order, some of which may be equal. */
static void
numbers_at(CleanCell *cell, const int64 *ranks, double *numbers, int n)
{
	for (int i = 0; i < n; i++)
		numbers[i] =
			i > 0 && ranks[i] == ranks[i - 1]
				? numbers[i - 1]
				: mlplat_clean_to_double(cell->column.base_type, value_at(cell->fit, ranks[i]));
}

/* Two quantiles, lower before upper, interpolated as percentile_cont does. */
void
mlplat_clean_quantiles(CleanCell *cell, double lower, double upper, double *quantiles)
{
	int64 n = cell->fit->n_values, ranks[4], low, high;
	double numbers[4], low_fraction = ml_clean_rank(lower, n, &low);
	double high_fraction = ml_clean_rank(upper, n, &high);
	int64 low_next = Min(low + 1, n - 1), high_next = Min(high + 1, n - 1);
	bool crossed = high < low_next; /* both between the same values */

	ranks[0] = low;
	ranks[1] = crossed ? high : low_next;
	ranks[2] = crossed ? low_next : high;
	ranks[3] = high_next;
	numbers_at(cell, ranks, numbers, 4);
	quantiles[0] = ml_clean_between(numbers[0], numbers[crossed ? 2 : 1], low_fraction);
	quantiles[1] = ml_clean_between(numbers[crossed ? 1 : 2], numbers[3], high_fraction);
}

/* The mean of two values of a type of numbers with a fraction. */
static Datum
middle_of(Oid type, Datum low, Datum high)
{
	Datum half;

	if (type == FLOAT8OID)
		return Float8GetDatum(ml_clean_between(DatumGetFloat8(low), DatumGetFloat8(high), 0.5));
	if (type == FLOAT4OID)
		return Float4GetDatum(
			(float4) ml_clean_between(DatumGetFloat4(low), DatumGetFloat4(high), 0.5));
	half = DirectFunctionCall3(numeric_in, CStringGetDatum("0.5"), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
	return DirectFunctionCall2(numeric_mul, DirectFunctionCall2(numeric_add, low, high), half);
}

/*
 * The middle value. Between the two middle ones: their mean where the type has fractions and the mean is defined,
 * as it is not of two infinities; else the lower one.
 */
Datum
mlplat_clean_median(CleanCell *cell)
{
	int64 n = cell->fit->n_values;
	Oid type = cell->column.base_type;
	Datum low = value_at(cell->fit, (n - 1) / 2), middle;

	if (n % 2 == 1 || (type != FLOAT4OID && type != FLOAT8OID && type != NUMERICOID))
		return low;
	middle = middle_of(type, low, value_at(cell->fit, n / 2));
	return mlplat_clean_is_missing(&cell->column, middle, false) ? low : middle;
}

void
mlplat_clean_runs(CleanRuns *runs, CleanCell *cell)
{
	runs->cell = cell;
	runs->has_ahead = next_value(cell->fit, &runs->ahead);
}

bool
mlplat_clean_next_run(CleanRuns *runs, CleanRun *run)
{
	CleanCell *cell = runs->cell;
	Datum value;

	if (!runs->has_ahead)
		return false;
	run->value = runs->ahead;
	run->count = 1;
	while ((runs->has_ahead = next_value(cell->fit, &value)))
	{
		if (mlplat_clean_compare(cell, run->value, value) != 0)
		{
			runs->ahead = value;
			break;
		}
		run->count++;
		if (!cell->column.typbyval)
			pfree(DatumGetPointer(value));
	}
	return true;
}

/* The most frequent value; among equals, the least. */
Datum
mlplat_clean_mode(CleanCell *cell)
{
	CleanRuns runs;
	CleanRun run, best = {0};

	mlplat_clean_runs(&runs, cell);
	while (mlplat_clean_next_run(&runs, &run))
	{
		CleanRun worse = run;

		if (run.count > best.count)
		{
			worse = best;
			best = run;
		}
		if (worse.count > 0 && !cell->column.typbyval)
			pfree(DatumGetPointer(worse.value));
	}
	return best.value;
}
