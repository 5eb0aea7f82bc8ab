/*
 * csvnumber.c
 *		Numbers as people write them: 1.5, 1,5, 1.234,56, 1 234,56.
 *
 * A *way* of writing is a decimal separator and perhaps one between groups of
 * three digits. What is read in a way is strict: where there are groups, all but
 * the first have three digits and the first has one to three, so that 1.23 is
 * no number to one who writes 1.234,5. A number is handed on as SQL writes it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csv/csvnumber.h"

const MlCsvNumbers ml_csv_numbers[ML_CSV_N_NUMBERS] = {
	[ML_CSV_SQL] = {'.', 0},         [ML_CSV_COMMA] = {',', 0},
	[ML_CSV_COMMA_DOT] = {',', '.'}, [ML_CSV_COMMA_SPACE] = {',', ' '},
	[ML_CSV_DOT_COMMA] = {'.', ','}, [ML_CSV_DOT_QUOTE] = {'.', '\''},
	[ML_CSV_DOT_SPACE] = {'.', ' '},
};

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

/* ---- as SQL writes them */

/* Read a run of digits; returns the first byte after it. */
static const char *
scan_digits(const char *p, const char *end, MlCsvNumber *number)
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

bool
ml_csv_scan_number(const char *p, const char *end, MlCsvNumber *number)
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
bool
ml_csv_double_keeps(const char *text, const MlCsvNumber *number)
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

static bool
is_word(const char *text, const char *end, const char *word)
{
	size_t len = (size_t) (end - text);

	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

bool
ml_csv_is_nan(const char *text, const char *end)
{
	return is_word(text, end, "nan");
}

bool
ml_csv_is_infinite(const char *text, const char *end)
{
	if (text < end && (*text == '-' || *text == '+'))
		text++;
	return is_word(text, end, "inf") || is_word(text, end, "infinity");
}

/* ---- in other ways */

/* Bytes of the separator of thousands at p; 0: there is none. */
static size_t
separator_len(char thousands, const char *p, const char *end)
{
	if (p == end || thousands == 0)
		return 0;
	if (*p == thousands)
		return 1;
	if (thousands != ' ')
		return 0;
	/* The no-break spaces U+00A0 and U+202F in UTF-8, the former in single-byte encodings. */
	if (end - p >= 2 && memcmp(p, "\xc2\xa0", 2) == 0)
		return 2;
	if (end - p >= 3 && memcmp(p, "\xe2\x80\xaf", 3) == 0)
		return 3;
	return *p == '\xa0';
}

/* Copy the digits before the decimal separator, without those between groups. NULL: the groups are not of three. */
static const char *
copy_whole(char thousands, const char *p, const char *end, char **out)
{
	bool grouped = false;

	for (;;)
	{
		const char *group = p;
		size_t n, gap;

		while (p < end && is_digit(*p))
			*(*out)++ = *p++;
		n = (size_t) (p - group);
		gap = separator_len(thousands, p, end);
		if (grouped ? n != 3 : gap > 0 && (n < 1 || n > 3))
			return NULL;
		if (gap == 0)
			return p;
		grouped = true;
		p += gap;
	}
}

size_t
ml_csv_plain_number(MlCsvNumbers way, const char *text, size_t len, char out[ML_CSV_MAX_NUMBER])
{
	const char *p = text, *end = text + len;
	char *to = out;
	MlCsvNumber number;

	while (p < end && is_blank(*p))
		p++;
	while (p < end && is_blank(end[-1]))
		end--;
	if (p == end || end - p >= ML_CSV_MAX_NUMBER)
		return 0;
	if (!ml_csv_is_nan(p, end) && !ml_csv_is_infinite(p, end))
	{
		if (*p == '-' || *p == '+')
			*to++ = *p++;
		p = copy_whole(way.thousands, p, end, &to);
		if (!p)
			return 0;
		if (p < end && *p == way.decimal)
		{
			*to++ = '.';
			p++;
		}
		else if (p < end && *p == '.')
			return 0;
	}
	memcpy(to, p, (size_t) (end - p));
	to += end - p;
	*to = '\0';
	if (!ml_csv_scan_number(out, to, &number) && !ml_csv_is_nan(out, to) &&
		!ml_csv_is_infinite(out, to))
		return 0;
	return (size_t) (to - out);
}
