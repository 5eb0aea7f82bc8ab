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
 * - dates are in year-month-day order, the only one that does not depend on
 *   DateStyle.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csvtype.h"

#define BIT(n) ((uint16_t) (1u << (n)))
#define ALL_TYPES (BIT(ML_CSV_TEXT) - 1)
#define NUMBERS (BIT(ML_CSV_DOUBLE) | BIT(ML_CSV_NUMERIC))

/* Checking a long number costs about a microsecond; after this many the column is believed. */
#define MAX_LONG_CHECKS 1000

static const char *const markers[] = {"NA",   "N/A", "n/a", "na", "NULL", "null",
									  "None", "\\N", "?",   "-",  ".",    "#N/A"};
#define N_MARKERS (sizeof markers / sizeof *markers)

static const char *const pairs[][2] = {
	{"true", "false"}, {"t", "f"}, {"yes", "no"}, {"y", "n"}, {"on", "off"}};
#define N_PAIRS (sizeof pairs / sizeof *pairs)

void
ml_csv_column_init(MlCsvColumn *column)
{
	memset(column, 0, sizeof *column);
	column->possible = ALL_TYPES;
	column->pairs = BIT(N_PAIRS) - 1;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- numbers */

/* A number as written: [-]digits[.digits][e[+-]digits] */
typedef struct Number
{
	size_t n_whole;       /* digits before the point */
	size_t n_significant; /* without leading and trailing zeros */
	size_t n_digits;      /* without leading zeros */
	bool leading_zero;    /* 007 */
	bool plus;
	bool fraction; /* a point or an exponent */
	bool exponent;
	char digits[20]; /* the first significant ones */
} Number;

/* Read a run of digits; returns the first byte after it. */
static const char *
scan_digits(const char *p, const char *end, Number *number)
{
	for (; p < end && is_digit(*p); p++)
	{
		if (*p == '0' && number->n_digits == 0)
			continue;
		if (number->n_digits < sizeof number->digits)
			number->digits[number->n_digits] = *p;
		number->n_digits++;
		if (*p != '0')
			number->n_significant = number->n_digits;
	}
	return p;
}

static const char *
scan_exponent(const char *p, const char *end)
{
	const char *first;

	p++;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	for (first = p; p < end && is_digit(*p); p++)
		;
	return p > first ? p : NULL;
}

static bool
scan_number(const char *p, const char *end, Number *number)
{
	const char *whole, *fraction;
	size_t n_fraction = 0;

	memset(number, 0, sizeof *number);
	if (p < end && (*p == '-' || *p == '+'))
		number->plus = *p++ == '+';
	whole = p;
	p = scan_digits(p, end, number);
	number->n_whole = (size_t) (p - whole);
	number->leading_zero = number->n_whole > 1 && *whole == '0';
	if (p < end && *p == '.')
	{
		fraction = ++p;
		p = scan_digits(p, end, number);
		n_fraction = (size_t) (p - fraction);
		number->fraction = true;
	}
	if (number->n_whole + n_fraction == 0)
		return false;
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p = scan_exponent(p, end);
		number->fraction = number->exponent = true;
	}
	return p == end;
}

/* Does a double give back the digits of the text? */
static bool
double_keeps(const char *text, const Number *number)
{
	char printed[40];
	double value;

	errno = 0;
	value = strtod(text, NULL);
	if (errno == ERANGE)
		return false;
	if (number->n_significant <= 15)
		return true;
	if (number->n_significant > 17)
		return false;
	snprintf(printed, sizeof printed, "%.*e", (int) number->n_significant - 1, value);
	for (size_t i = 0, j = printed[0] == '-'; i < number->n_significant; i++, j++)
	{
		if (i == 1)
			j++; /* the point */
		if (printed[j] != number->digits[i])
			return false;
	}
	return true;
}

/* The types that hold a whole number. */
static uint16_t
whole_number_types(const char *text, const Number *number)
{
	long long value;

	if (number->n_digits > 19)
		return BIT(ML_CSV_NUMERIC);
	errno = 0;
	value = strtoll(text, NULL, 10);
	if (errno == ERANGE)
		return BIT(ML_CSV_NUMERIC);
	if (value >= INT32_MIN && value <= INT32_MAX)
		return BIT(ML_CSV_INTEGER) | BIT(ML_CSV_BIGINT) | NUMBERS;
	if (number->n_digits <= 15)
		return BIT(ML_CSV_BIGINT) | NUMBERS;
	return BIT(ML_CSV_BIGINT) | BIT(ML_CSV_NUMERIC);
}

/* The types that hold a number; text is what strtod and strtoll may read, up to a byte of no number. */
static uint16_t
number_types(MlCsvColumn *column, const char *text, const char *end)
{
	Number number;

	if (!scan_number(text, end, &number) || number.leading_zero)
		return 0;
	if (number.plus && !number.fraction)
		return 0;
	column->has_number = true;
	if (!number.fraction)
		return whole_number_types(text, &number);
	if (number.n_significant > 15)
	{
		if (!(column->possible & BIT(ML_CSV_DOUBLE)))
			return BIT(ML_CSV_NUMERIC);
		if (column->n_long++ >= MAX_LONG_CHECKS)
			return NUMBERS;
	}
	else if (!number.exponent)
		return NUMBERS;
	return double_keeps(text, &number) ? NUMBERS : BIT(ML_CSV_NUMERIC);
}

static bool
is_word(const char *text, const char *end, const char *word)
{
	size_t len = (size_t) (end - text);

	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* NaN and infinities, as double precision reads them. */
static uint16_t
special_number_types(const char *text, const char *end)
{
	if (is_word(text, end, "nan"))
		return NUMBERS;
	if (text < end && (*text == '-' || *text == '+'))
		text++;
	if (is_word(text, end, "inf") || is_word(text, end, "infinity"))
		return BIT(ML_CSV_DOUBLE);
	return 0;
}

/* ---- dates and times */

/* Read exactly n digits into *value; NULL when they are not there. */
static const char *
scan_fixed(const char *p, const char *end, int n, int *value)
{
	if (!p || end - p < n)
		return NULL;
	*value = 0;
	for (int i = 0; i < n; i++, p++)
	{
		if (!is_digit(*p))
			return NULL;
		*value = *value * 10 + (*p - '0');
	}
	return p;
}

static const char *
scan_char(const char *p, const char *end, char c)
{
	return p && p < end && *p == c ? p + 1 : NULL;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* year-month-day or year/month/day */
static const char *
scan_date(const char *p, const char *end)
{
	int year, month, day;
	char separator;

	p = scan_fixed(p, end, 4, &year);
	if (!p || p == end || (*p != '-' && *p != '/'))
		return NULL;
	separator = *p;
	p = scan_fixed(p + 1, end, 2, &month);
	p = scan_char(p, end, separator);
	p = scan_fixed(p, end, 2, &day);
	if (!p || year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return NULL;
	return p;
}

/* hour:minute[:second[.fraction]] */
static const char *
scan_time(const char *p, const char *end)
{
	int hour, minute, second = 0, n = 0;

	p = scan_fixed(p, end, 2, &hour);
	p = scan_char(p, end, ':');
	p = scan_fixed(p, end, 2, &minute);
	if (p && p < end && *p == ':')
	{
		p = scan_fixed(p + 1, end, 2, &second);
		if (p && p < end && *p == '.')
			for (p++; p < end && is_digit(*p); p++)
				n++;
	}
	return p && hour < 24 && minute < 60 && second < 60 && n <= 9 ? p : NULL;
}

/* Z, +hh, +hhmm or +hh:mm */
static const char *
scan_zone(const char *p, const char *end)
{
	int hour, minute = 0;

	if (*p == 'Z' || *p == 'z')
		return p + 1;
	if (*p != '+' && *p != '-')
		return NULL;
	p = scan_fixed(p + 1, end, 2, &hour);
	if (p && p < end)
	{
		if (*p == ':')
			p++;
		p = scan_fixed(p, end, 2, &minute);
	}
	return p && hour <= 14 && minute < 60 ? p : NULL;
}

static uint16_t
date_types(const char *p, const char *end)
{
	p = scan_date(p, end);
	if (!p)
		return 0;
	if (p == end)
		return BIT(ML_CSV_DATE) | BIT(ML_CSV_TIMESTAMP);
	if (*p != ' ' && *p != 'T')
		return 0;
	p = scan_time(p + 1, end);
	if (!p)
		return 0;
	if (p == end)
		return BIT(ML_CSV_TIMESTAMP);
	p = scan_zone(p, end);
	return p == end ? BIT(ML_CSV_TIMESTAMPTZ) : 0;
}

/* ---- columns */

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
value_types(MlCsvColumn *column, const char *text, const char *end)
{
	uint16_t types = boolean_types(column, text, end);

	if (types == 0 && (types = number_types(column, text, end)) == 0 &&
		(types = special_number_types(text, end)) == 0)
		types = date_types(text, end);
	return types;
}

static int
find_marker(const char *text, size_t len)
{
	for (size_t m = 0; m < N_MARKERS; m++)
		if (strlen(markers[m]) == len && memcmp(markers[m], text, len) == 0)
			return (int) m;
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
	if (column->possible == 0)
		return;
	while (text < end && is_blank(*text))
		text++;
	while (text < end && is_blank(end[-1]))
		end--;
	column->possible &= value_types(column, text, end);
}

/* The narrowest type of the values that are no markers. */
static MlCsvType
value_type(const MlCsvColumn *column)
{
	uint16_t possible = column->possible, both = 0;

	if (!column->has_value)
		return ML_CSV_TEXT;
	for (size_t p = 0; p < N_PAIRS; p++)
		if ((column->pairs & BIT(p)) && (p == 0 || (column->pair_seen >> (2 * p) & 3) == 3))
			both |= BIT(p);
	if (!both)
		possible &= (uint16_t) ~BIT(ML_CSV_BOOLEAN);
	if (!column->has_number)
		possible &= (uint16_t) ~NUMBERS;
	for (int type = 0; type < ML_CSV_TEXT; type++)
		if (possible & BIT(type))
			return (MlCsvType) type;
	return ML_CSV_TEXT;
}

const char *
ml_csv_missing_word(const MlCsvColumn *columns, size_t n)
{
	uint16_t used = 0;

	for (size_t j = 0; j < n; j++)
	{
		if (columns[j].has_empty)
			return NULL;
		if (columns[j].markers && value_type(&columns[j]) != ML_CSV_TEXT)
			used |= columns[j].markers;
	}
	for (size_t m = 0; m < N_MARKERS; m++)
		if (used == BIT(m))
			return markers[m];
	return NULL;
}

MlCsvType
ml_csv_column_type(const MlCsvColumn *column, const char *missing)
{
	int marker = missing ? find_marker(missing, strlen(missing)) : -1;
	uint16_t others = column->markers & (marker >= 0 ? (uint16_t) ~BIT(marker) : UINT16_MAX);

	/* With another word for missing values, an empty field is a value: that of a text. */
	if (others || (missing && *missing && column->has_empty))
		return ML_CSV_TEXT;
	return value_type(column);
}

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
	Number number;

	return scan_number(text, text + len, &number) || date_types(text, text + len) != 0;
}
