/*
 * csvtype.c
 *		Which SQL type a column of text can have without losing anything.
 *
 * Each value says which types hold it; the column's possible types are those
 * that hold all of its values, and the narrowest wins. "Hold" is stricter than
 * what PostgreSQL's input functions accept:
 *
 * - a number with leading zeros (a postal code) or a plus sign (a telephone
 *   number) stays text;
 * - double precision is for numbers that it gives back digit by digit: up to 15
 *   significant digits always, 16 and 17 when the double's own digits are the
 *   same, which they are in files written from doubles;
 * - booleans must be of one pair of words, and both words be there, except for
 *   true and false themselves;
 * - whole numbers in groups with blanks between (1 234) stay text, as telephone
 *   numbers look the same, and those with dots (1.234.567), as codes do, until
 *   another column of the file shows that it writes numbers so;
 * - 1,234 alone is no number, and 03/04/2024 no date, until another value of the
 *   file says what the comma and the order mean.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csv/csvtype.h"

#define BIT(n) ((uint16_t) (1u << (n)))
#define REALS (BIT(ML_CSV_DOUBLE) | BIT(ML_CSV_NUMERIC))
#define NUMBERS (REALS | BIT(ML_CSV_INTEGER) | BIT(ML_CSV_BIGINT))
#define MOMENTS (BIT(ML_CSV_DATE) | BIT(ML_CSV_TIMESTAMP) | BIT(ML_CSV_TIMESTAMPTZ))

/* Ways in which the comma ends the whole part, and in which blanks stand between groups. */
#define COMMA_WAYS (BIT(ML_CSV_COMMA) | BIT(ML_CSV_COMMA_DOT) | BIT(ML_CSV_COMMA_SPACE))
#define SPACE_WAYS (BIT(ML_CSV_COMMA_SPACE) | BIT(ML_CSV_DOT_SPACE))
#define UNSURE_WAYS (SPACE_WAYS | BIT(ML_CSV_COMMA_DOT)) /* of whole numbers */

/* Checking a long number costs about a microsecond; after this many the column is believed. */
#define MAX_LONG_CHECKS 1000

static const char *const markers[] = {"NA",   "N/A", "n/a", "na", "NULL", "null",
									  "None", "\\N", "?",   "-",  ".",    "#N/A"};
#define N_MARKERS ((int) (sizeof markers / sizeof *markers))

static const char *const pairs[][2] = {
	{"true", "false"}, {"t", "f"}, {"yes", "no"}, {"y", "n"}, {"on", "off"}};
#define N_PAIRS (sizeof pairs / sizeof *pairs)

void
ml_csv_column_init(MlCsvColumn *column)
{
	memset(column, 0, sizeof *column);
	column->possible = BIT(ML_CSV_BOOLEAN) | MOMENTS;
	for (int way = 0; way < ML_CSV_N_NUMBERS; way++)
		column->numbers[way] = NUMBERS;
	column->orders = ML_CSV_ALL_ORDERS;
	column->pairs = BIT(N_PAIRS) - 1;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_word(const char *text, const char *end, const char *word)
{
	size_t len = (size_t) (end - text);

	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* ---- numbers */

/* The types that hold a whole number. */
static uint16_t
whole_number_types(const char *text, const MlCsvNumber *number)
{
	long long value;

	if (number->n_digits > 19)
		return BIT(ML_CSV_NUMERIC);
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == ERANGE)
		return BIT(ML_CSV_NUMERIC);
	if (value >= INT32_MIN && value <= INT32_MAX)
		return NUMBERS;
	if (number->n_digits <= 15)
		return BIT(ML_CSV_BIGINT) | REALS;
	return BIT(ML_CSV_BIGINT) | BIT(ML_CSV_NUMERIC);
}

/* The types that hold a number of SQL's; text is what strtod and strtoll may read, up to a byte of no number. */
static uint16_t
number_types(MlCsvColumn *column, int way, const char *text, const char *end)
{
	MlCsvNumber number;

	if (ml_csv_is_nan(text, end))
		return REALS;
	if (ml_csv_is_infinite(text, end))
		return BIT(ML_CSV_DOUBLE);
	if (!ml_csv_scan_number(text, end, &number) || number.leading_zero)
		return 0;
	if (number.plus && !number.fraction)
		return 0;
	column->has_number = true;
	if (!number.fraction)
		return whole_number_types(text, &number);
	column->fractions |= (uint8_t) BIT(way);
	if (number.n_significant > 15)
	{
		if (!(column->numbers[way] & BIT(ML_CSV_DOUBLE)))
			return BIT(ML_CSV_NUMERIC);
		if (column->n_long++ >= MAX_LONG_CHECKS)
			return REALS;
	}
	else if (!number.exponent)
		return REALS;
	return ml_csv_double_keeps(text, &number) ? REALS : BIT(ML_CSV_NUMERIC);
}

/* The types of a value in a way other than SQL's. sql: in that one. */
static uint16_t
types_in_other_way(MlCsvColumn *column, int way, uint16_t sql, const char *text, const char *end)
{
	char plain[ML_CSV_MAX_NUMBER];
	size_t len;

	/* SQL's numbers have no separator but the point, which may mean something else. */
	if (sql != 0 &&
		(ml_csv_numbers[way].decimal == '.' || memchr(text, '.', (size_t) (end - text)) == NULL))
		return sql;
	len = ml_csv_plain_number(ml_csv_numbers[way], text, (size_t) (end - text), plain);
	return len ? number_types(column, way, plain, plain + len) : 0;
}

static void
observe_number(MlCsvColumn *column, const char *text, const char *end)
{
	uint16_t sql = number_types(column, ML_CSV_SQL, text, end);

	column->numbers[ML_CSV_SQL] &= sql;
	for (int way = 1; way < ML_CSV_N_NUMBERS; way++)
		if (column->numbers[way] != 0)
			column->numbers[way] &= types_in_other_way(column, way, sql, text, end);
}

/* ---- other values */

static uint16_t
boolean_types(MlCsvColumn *column, const char *text, const char *end)
{
	uint16_t fits = 0;

	for (size_t p = 0; p < N_PAIRS; p++)
		for (size_t k = 0; k < 2; k++)
			if (is_word(text, end, pairs[p][k]))
			{
				fits |= BIT(p);
				column->pair_seen |= BIT(2 * p + k);
			}
	column->pairs &= fits;
	return column->pairs ? BIT(ML_CSV_BOOLEAN) : 0;
}

static uint16_t
moment_types(MlCsvColumn *column, const char *text, const char *end)
{
	static const uint16_t types[] = {
		[ML_CSV_NO_MOMENT] = 0,
		[ML_CSV_DAY] = BIT(ML_CSV_DATE) | BIT(ML_CSV_TIMESTAMP),
		[ML_CSV_TIME] = BIT(ML_CSV_TIMESTAMP),
		[ML_CSV_ZONE_TIME] = BIT(ML_CSV_TIMESTAMPTZ),
	};
	uint8_t orders = 0;
	MlCsvMoment moment = ml_csv_scan_moment(text, end, &orders);

	column->orders &= orders;
	return types[moment];
}

const char *
ml_csv_marker(int m)
{
	return m < N_MARKERS ? markers[m] : NULL;
}

static int
find_marker(const char *text, size_t len)
{
	for (int m = 0; m < N_MARKERS; m++)
		if (strlen(markers[m]) == len && memcmp(markers[m], text, len) == 0)
			return m;
	return -1;
}

void
ml_csv_observe(MlCsvColumn *column, const char *text, size_t len, bool quoted)
{
	const char *end = text + len;
	int marker = quoted ? -1 : find_marker(text, len);

	if (len == 0 && !quoted)
		column->has_empty = true;
	if (marker >= 0)
		column->markers |= BIT(marker);
	if (marker >= 0 || (len == 0 && !quoted))
		return;
	column->has_value = true;
	while (text < end && is_blank(*text))
		text++;
	while (text < end && is_blank(end[-1]))
		end--;
	observe_number(column, text, end);
	if (column->possible & BIT(ML_CSV_BOOLEAN))
		column->possible &= MOMENTS | boolean_types(column, text, end);
	if (column->possible & MOMENTS)
		column->possible &= BIT(ML_CSV_BOOLEAN) | moment_types(column, text, end);
}

/* ---- columns */

/* The number types of a column in a way; 0: its values are not written in it. */
static uint16_t
types_in_way(const MlCsvColumn *column, int way)
{
	if (!column->has_value || !column->has_number)
		return 0;
	if ((SPACE_WAYS & BIT(way)) && column->numbers[ML_CSV_SQL] == 0 &&
		!(column->fractions & BIT(way)))
		return 0;
	return column->numbers[way];
}

/* Bit w: the column's values are numbers in way w. */
static uint16_t
ways_of(const MlCsvColumn *column, uint16_t allowed)
{
	uint16_t ways = 0;

	for (int way = 0; way < ML_CSV_N_NUMBERS; way++)
		if ((allowed & BIT(way)) && types_in_way(column, way) != 0)
			ways |= BIT(way);
	return ways;
}

/* The types of the values that are no markers, when they are read so. */
static uint16_t
value_types(const MlCsvColumn *column, int way, uint8_t orders)
{
	uint16_t types = column->possible | types_in_way(column, way), both = 0;

	if (!column->has_value)
		return 0;
	for (size_t p = 0; p < N_PAIRS; p++)
		if ((column->pairs & BIT(p)) && (p == 0 || (column->pair_seen >> (2 * p) & 3) == 3))
			both |= BIT(p);
	if (!both)
		types &= (uint16_t) ~BIT(ML_CSV_BOOLEAN);
	if (!(column->orders & orders))
		types &= (uint16_t) ~MOMENTS;
	return types;
}

/* Would the column have a type, if the best were chosen for it? */
static bool
may_have_type(const MlCsvColumn *column)
{
	return value_types(column, ML_CSV_SQL, ML_CSV_ALL_ORDERS) != 0 ||
		   ways_of(column, UINT16_MAX) != 0;
}

MlCsvMissing
ml_csv_find_missing(const MlCsvColumn *columns, size_t n)
{
	MlCsvMissing missing = {false, 0};

	for (size_t j = 0; j < n; j++)
	{
		missing.empty |= columns[j].has_empty;
		if (columns[j].markers && may_have_type(&columns[j]))
			missing.markers |= columns[j].markers;
	}
	/* One bit alone is a power of two. */
	if (missing.markers == 0 || (missing.markers & (missing.markers - 1)) != 0)
		missing.empty = true;
	return missing;
}

/* Are there missing values that are not known as such? They make the column text. */
static bool
has_other_markers(const MlCsvColumn *column, MlCsvMissing missing)
{
	return (column->markers & ~missing.markers) != 0 || (column->has_empty && !missing.empty);
}

MlCsvType
ml_csv_column_type(const MlCsvColumn *column, const MlCsvReading *reading)
{
	static const MlCsvReading as_sql = {{true, 0}, ML_CSV_SQL, ML_CSV_YMD};
	uint16_t types;

	if (!reading)
		reading = &as_sql;
	types = value_types(column, reading->way, (uint8_t) BIT(reading->order));
	if (has_other_markers(column, reading->missing))
		return ML_CSV_TEXT;
	for (int type = 0; type < ML_CSV_TEXT; type++)
		if (types & BIT(type))
			return (MlCsvType) type;
	return ML_CSV_TEXT;
}

/* ---- one way and one order for the file */

static int
lowest_bit(uint16_t bits)
{
	int bit = 0;

	while (bits && !(bits & BIT(bit)))
		bit++;
	return bit;
}

/* Of these ways, those in which most columns of numbers can be read; all of them if there is none for all. */
static uint16_t
ways_for_all(const MlCsvColumn *columns, size_t n, const bool *wanted, uint16_t ways)
{
	uint16_t all = ways;

	for (size_t j = 0; j < n; j++)
	{
		uint16_t fits = wanted && !wanted[j] ? 0 : ways_of(&columns[j], ways);

		if (fits)
			all &= fits;
	}
	return all ? all : ways;
}

/* The ways that a column is evidence for: those of numbers that SQL cannot read, and that can be nothing else. */
static uint16_t
odd_ways(const MlCsvColumn *column, uint16_t allowed)
{
	if (types_in_way(column, ML_CSV_SQL) != 0)
		return 0;
	return ways_of(column, allowed) & ((uint16_t) ~UNSURE_WAYS | column->fractions);
}

int
ml_csv_choose_way(const MlCsvColumn *columns, size_t n, const bool *wanted, uint16_t allowed,
				  MlCsvReading *reading)
{
	uint16_t agreed = allowed;
	int odd = -1; /* the first column that is evidence */

	reading->way = lowest_bit(allowed);
	for (size_t j = 0; j < n; j++)
	{
		uint16_t ways = odd_ways(&columns[j], allowed);

		if (ways == 0 || (wanted && !wanted[j]) || has_other_markers(&columns[j], reading->missing))
			continue;
		odd = odd < 0 ? (int) j : odd;
		agreed &= ways;
	}
	if (agreed == 0 || (odd < 0 && reading->way == ML_CSV_SQL))
		return -1;
	if (odd >= 0 && (agreed & COMMA_WAYS) && (agreed & BIT(ML_CSV_DOT_COMMA)))
		return odd;
	reading->way = lowest_bit(ways_for_all(columns, n, wanted, agreed));
	return -1;
}

int
ml_csv_choose_order(const MlCsvColumn *columns, size_t n, const bool *wanted, uint8_t allowed,
					MlCsvReading *reading)
{
	uint8_t agreed = allowed;
	int dated = -1; /* a column of dates whose order is not plain */

	reading->order = (MlCsvOrder) lowest_bit(allowed);
	for (size_t j = 0; j < n; j++)
	{
		if ((wanted && !wanted[j]) || !columns[j].has_value || !(columns[j].possible & MOMENTS) ||
			has_other_markers(&columns[j], reading->missing))
			continue;
		if (columns[j].orders == 0 || (columns[j].orders & BIT(ML_CSV_YMD)))
			continue;
		dated = dated < 0 ? (int) j : dated;
		agreed &= columns[j].orders;
	}
	if (dated < 0 || agreed == 0)
		return -1;
	if (agreed & (agreed - 1))
		return dated;
	reading->order = (MlCsvOrder) lowest_bit(agreed);
	return -1;
}

/* ---- names */

const char *
ml_csv_type_name(MlCsvType type)
{
	static const char *const names[] = {"boolean",
										"integer",
										"bigint",
										"double precision",
										"numeric",
										"date",
										"timestamp without time zone",
										"timestamp with time zone",
										"text"};

	return names[type];
}

bool
ml_csv_is_value(const char *text, size_t len)
{
	char plain[ML_CSV_MAX_NUMBER];
	uint8_t orders;

	if (ml_csv_scan_moment(text, text + len, &orders) != ML_CSV_NO_MOMENT)
		return true;
	if (ml_csv_is_nan(text, text + len) || ml_csv_is_infinite(text, text + len))
		return false;
	for (int way = 0; way < ML_CSV_N_NUMBERS; way++)
		if (ml_csv_plain_number(ml_csv_numbers[way], text, len, plain) > 0)
			return true;
	return false;
}
