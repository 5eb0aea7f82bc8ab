/*
 * prep.c
 *		Applying a fitted recipe, to one row and to many; what its outputs are called.
 *
 * A recipe is its list of columns; where their outputs stand, and the schema of
 * these, follow from it, so that an image stores the columns alone. Rows at
 * prediction and rows of a dataset pass through the same functions, so that there
 * can be no skew between them.
 *
 * Names: "age" for the number that stands in its place, "age^2", "age is missing",
 * "when.month", "when.month_sin", "origin=ATL" and "origin is missing" as data/design.h
 * has them, "price=[10, 20)" of bins, "zip (target)" and "zip (target=red)" with
 * several classes, "zip (ordinal)", "zip (frequency)", "height * width".
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/prep/prep_inner.h"

#define TILE 256 /* rows read at once into the stack */
#define DAY 86400e6
#define SECONDS_OF_DAY 86400.0

bool
ml_prep_passes(const MlPrepColumn *column)
{
	if (column->indicator || column->binned || column->part != ML_PART_VALUE)
		return false;
	if (column->form == ML_PREP_LEVELS)
		return column->fill_code == ML_NO_LEVEL;
	return column->form == ML_PREP_NUMBER && column->degree == 1 && isinf(column->low) &&
		   isinf(column->high) && isnan(column->fill) && column->power == ML_POWER_NONE &&
		   column->center == 0 && column->scale == 1;
}

/* ---- one value ---- */

/* The part of a date that a column wants, from the days since 2000-01-01. */
static inline double
source_value(const MlPrepColumn *column, double value)
{
	return column->part == ML_PART_VALUE ? value : ml_date_part(column->part, rint(value * DAY));
}

/* Yeo and Johnson (2000): a Box-Cox transform for both signs. */
static double
yeo_johnson(double x, double lambda)
{
	if (x >= 0)
		return fabs(lambda) < 1e-12 ? log1p(x) : (pow(x + 1, lambda) - 1) / lambda;
	return fabs(lambda - 2) < 1e-12 ? -log1p(-x) : -(pow(1 - x, 2 - lambda) - 1) / (2 - lambda);
}

/* NaN stays; so does everything that the power is not defined for. */
double
ml_prep_power(const MlPrepColumn *column, double value)
{
	switch (column->power)
	{
		case ML_POWER_NONE:
			return value;
		case ML_POWER_LOG:
			return value > 0 ? log(value) : NAN;
		case ML_POWER_LOG1P:
			return value > -1 ? log1p(value) : NAN;
		case ML_POWER_SQRT:
			return value >= 0 ? sqrt(value) : NAN;
		case ML_POWER_SQUARE:
			return value * value;
		case ML_POWER_YEO_JOHNSON:
			return yeo_johnson(value, column->lambda);
	}
	return value;
}

/* Within the bounds; NaN stays. */
static inline double
clip(const MlPrepColumn *column, double value)
{
	return value < column->low ? column->low : value > column->high ? column->high : value;
}

double
ml_prep_number(const MlPrepColumn *column, double value)
{
	double result = ml_prep_power(column, clip(column, value));

	return result == result ? result : column->filled;
}

/* The bin of a number: how many edges are not above it. */
static uint32_t
bin_of(const MlPrepColumn *column, double value)
{
	uint32_t low = 0, high = column->n_edges;

	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (column->edges[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
ml_prep_place(const MlPrepColumn *column, double value)
{
	if (column->binned)
	{
		double number = ml_prep_number(column, value);

		return number == number ? bin_of(column, number) : column->n_codes;
	}
	if (value != value)
		return column->fill_code != ML_NO_LEVEL ? column->fill_code : column->n_codes;
	return value >= 0 && value < column->n_codes ? (uint32_t) value : column->n_codes + 1;
}

/* Is there no value, or none that the power is defined for? */
static inline bool
is_missing(const MlPrepColumn *column, double value)
{
	if (column->form == ML_PREP_NUMBER || column->form == ML_PREP_CYCLE || column->binned)
		return isnan(ml_prep_power(column, clip(column, value)));
	return value != value;
}

/* The level that stands there: the feature's own, what is filled in, or the bin. */
static double
level_value(const MlPrepColumn *column, double value)
{
	uint32_t place;

	if (!column->binned)
		return value != value && column->fill_code != ML_NO_LEVEL ? column->fill_code : value;
	place = ml_prep_place(column, value);
	return place < column->n_codes ? place : NAN;
}

/* After how much a part comes round again, and where it begins. */
static double
period_of(const MlPrep *prep, const MlPrepColumn *column, double *start)
{
	MlPart part =
		column->part != ML_PART_VALUE ? column->part : prep->from->features[column->feature].part;

	*start = part == ML_PART_VALUE || part == ML_PART_DOW || part == ML_PART_HOUR ? 0 : 1;
	switch (part)
	{
		case ML_PART_MONTH:
			return 12;
		case ML_PART_DAY:
			return 31;
		case ML_PART_DOW:
			return 7;
		case ML_PART_HOUR:
			return 24;
		case ML_PART_QUARTER:
			return 4;
		case ML_PART_WEEK:
			return 53;
		case ML_PART_DOY:
			return 366;
		default:
			return SECONDS_OF_DAY;
	}
}

/* Output k (0 sine, 1 cosine) of a value that comes round; missing is the centre where it is imputed, else missing. */
static double
cycle_value(const MlPrep *prep, const MlPrepColumn *column, double value, uint32_t k)
{
	double start, period = period_of(prep, column, &start), angle;

	if (value != value || isinf(value))
		return column->fill == column->fill ? 0 : NAN;
	angle = 2 * M_PI * (value - start) / period;
	return k == 0 ? sin(angle) : cos(angle);
}

/* Output k of a number: its power k + 1. */
static double
number_value(const MlPrepColumn *column, double value, uint32_t k)
{
	double x = (ml_prep_number(column, value) - column->center) / column->scale, power = x;

	for (uint32_t i = 0; i < k; i++)
		power *= x;
	return power;
}

/* Output k of a column for a source value; table: that of the column, or of a fold. */
static double
output_value(const MlPrep *prep, const MlPrepColumn *column, const double *table, double value,
			 uint32_t k)
{
	if (column->indicator && k == column->n_outputs - 1)
		return is_missing(column, value);
	switch (column->form)
	{
		case ML_PREP_NUMBER:
			return number_value(column, value, k);
		case ML_PREP_LEVELS:
			return level_value(column, value);
		case ML_PREP_CYCLE:
			return cycle_value(prep, column, value, k);
		case ML_PREP_ONE_HOT:
		{
			uint32_t place = ml_prep_place(column, value);

			return place <= column->n_codes && column->output_of[place] == k;
		}
		case ML_PREP_TABLE:
			return table[(size_t) ml_prep_place(column, value) * column->n_values + k];
	}
	return NAN;
}

/* All outputs of a column. */
static inline void
put_outputs(const MlPrep *prep, const MlPrepColumn *column, const double *table, double value,
			double *out)
{
	uint32_t n = column->n_outputs - column->indicator;

	if (column->form == ML_PREP_ONE_HOT)
	{
		uint32_t place = ml_prep_place(column, value);

		memset(out, 0, n * sizeof *out);
		if (place <= column->n_codes && column->output_of[place] != ML_NO_LEVEL)
			out[column->output_of[place]] = 1;
	}
	else if (column->form == ML_PREP_TABLE)
		memcpy(out, table + (size_t) ml_prep_place(column, value) * n, n * sizeof *out);
	else
		for (uint32_t k = 0; k < n; k++)
			out[k] = output_value(prep, column, table, value, k);
	if (column->indicator)
		out[n] = is_missing(column, value);
}

/* ---- rows ---- */

/* The products stand behind the columns' outputs. */
static void
put_products(const MlPrep *prep, double *out)
{
	double *product = out + prep->schema->n_features - prep->n_products;

	for (uint32_t p = 0; p < prep->n_products; p++)
		product[p] = out[prep->columns[prep->products[p].a].first] *
					 out[prep->columns[prep->products[p].b].first];
}

void
ml_prep_row(const MlPrep *prep, const double *x, double *out)
{
	for (uint32_t c = 0; c < prep->n_columns; c++)
	{
		const MlPrepColumn *column = &prep->columns[c];

		put_outputs(prep, column, column->table, source_value(column, x[column->feature]),
					out + column->first);
	}
	put_products(prep, out);
}

void
ml_prep_source(const MlPrepColumn *column, const MlDataset *data, const MlRows *rows, size_t first,
			   size_t n, double *out)
{
	ml_dataset_feature(data, column->feature, rows, first, n, out);
	if (column->part != ML_PART_VALUE)
		for (size_t i = 0; i < n; i++)
			out[i] = source_value(column, out[i]);
}

/* The table for a row of the frame: that of its fold where it was trained on. */
static inline const double *
table_of(const MlPrepView *view, uint32_t c, const MlRows *rows, size_t row)
{
	const MlPrepColumn *column = &view->prep->columns[c];
	uint32_t fold;

	if (!view->tables || !view->tables[c])
		return column->table;
	fold = view->fold[rows->index ? rows->index[row] : row];
	return fold == 0 ? column->table
					 : view->tables[c] +
						   (size_t) (fold - 1) * ((size_t) column->n_codes + 2) * column->n_values;
}

/* One output of a column, of at most TILE rows. */
static void
view_column(const MlPrepView *view, uint32_t output, const MlRows *rows, size_t first, size_t n,
			double *out)
{
	const MlPrep *prep = view->prep;
	uint32_t c = prep->column_of[output];
	const MlPrepColumn *column = &prep->columns[c];

	ml_prep_source(column, view->data, rows, first, n, out);
	for (size_t i = 0; i < n; i++)
		out[i] = output_value(prep, column, table_of(view, c, rows, first + i), out[i],
							  output - column->first);
}

/* The product of two columns, of at most TILE rows. */
static void
view_product(const MlPrepView *view, const MlPrepProduct *product, const MlRows *rows, size_t first,
			 size_t n, double *out)
{
	const MlPrepColumn *columns = view->prep->columns;
	double other[TILE];

	view_column(view, columns[product->a].first, rows, first, n, out);
	view_column(view, columns[product->b].first, rows, first, n, other);
	for (size_t i = 0; i < n; i++)
		out[i] *= other[i];
}

void
ml_prep_view_feature(const MlPrepView *view, uint32_t output, const MlRows *rows, size_t first,
					 size_t n, double *out)
{
	const MlPrep *prep = view->prep;
	uint32_t n_plain = prep->schema->n_features - prep->n_products;

	for (size_t at = 0; at < n; at += TILE)
	{
		size_t m = ML_MIN(n - at, (size_t) TILE);

		if (output < n_plain)
			view_column(view, output, rows, first + at, m, out + at);
		else
			view_product(view, &prep->products[output - n_plain], rows, first + at, m, out + at);
	}
}

void
ml_prep_view_block(const MlPrepView *view, const MlRows *rows, size_t first, size_t n, double *out)
{
	const MlPrep *prep = view->prep;
	size_t width = prep->schema->n_features;
	double source[TILE];

	for (size_t at = 0; at < n; at += TILE)
	{
		size_t m = ML_MIN(n - at, (size_t) TILE);
		double *tile = out + at * width;

		for (uint32_t c = 0; c < prep->n_columns; c++)
		{
			const MlPrepColumn *column = &prep->columns[c];

			ml_prep_source(column, view->data, rows, first + at, m, source);
			for (size_t i = 0; i < m; i++)
				put_outputs(prep, column, table_of(view, c, rows, first + at + i), source[i],
							tile + i * width + column->first);
		}
		for (size_t i = 0; i < m; i++)
			put_products(prep, tile + i * width);
	}
}
