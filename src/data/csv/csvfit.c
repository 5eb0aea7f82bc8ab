/*
 * csvfit.c
 *		Will the server's input function take this text? A quick yes, or: ask it.
 *
 * A "yes" must be right, or COPY fails later on a value that was let through;
 * so only the plain forms are known here, and all others are asked about.
 */
#include <string.h>
#include <strings.h>

#include "data/csv/csvfit.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
fits_integer(const MlCsvFit *fit, const char *p, const char *end)
{
	int64_t value = 0;

	if (p < end && *p == '-')
		p++;
	if (p == end || end - p > 18) /* 18 digits do not overflow */
		return false;
	for (; p < end; p++)
	{
		if (!is_digit(*p))
			return false;
		value = value * 10 + (*p - '0');
	}
	return value <= fit->max;
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* e[+-]digits */
static bool
fits_exponent(const MlCsvFit *fit, const char *p, const char *end)
{
	const char *first;

	if (*p != 'e' && *p != 'E')
		return false;
	p++;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	first = p;
	p = skip_digits(p, end);
	return p == end && p > first && p - first <= fit->max_exponent;
}

static bool
fits_decimal(const MlCsvFit *fit, const char *p, const char *end)
{
	const char *whole, *fraction;
	ptrdiff_t n_whole, n_fraction = 0;

	if (p < end && *p == '-')
		p++;
	whole = p;
	p = skip_digits(p, end);
	n_whole = p - whole;
	if (p < end && *p == '.')
	{
		fraction = ++p;
		p = skip_digits(p, end);
		n_fraction = p - fraction;
	}
	if (n_whole + n_fraction == 0 || n_whole > fit->max || n_fraction > fit->max_fraction)
		return false;
	return p == end || fits_exponent(fit, p, end);
}

static bool
fits_boolean(const char *text, size_t len)
{
	static const char *const words[] = {"t",   "f",  "true", "false", "1", "0",
										"yes", "no", "y",    "n",     "on"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], text, len) == 0)
			return true;
	return false;
}

static bool
fits_moment(const MlCsvFit *fit, const char *text, const char *end)
{
	uint8_t orders = 0;
	MlCsvMoment moment = ml_csv_scan_moment(text, end, &orders);

	if (moment == ML_CSV_NO_MOMENT || !(orders & (1u << fit->order)))
		return false;
	if (fit->kind == ML_CSV_FIT_DATE)
		return moment == ML_CSV_DAY;
	return moment != ML_CSV_ZONE_TIME || fit->kind == ML_CSV_FIT_TIMESTAMPTZ;
}

bool
ml_csv_fits(const MlCsvFit *fit, const char *text, size_t len)
{
	switch (fit->kind)
	{
		case ML_CSV_FIT_ASK:
			return false;
		case ML_CSV_FIT_ANY:
			return true;
		case ML_CSV_FIT_BYTES:
			return len <= (size_t) fit->max;
		case ML_CSV_FIT_INTEGER:
			return fits_integer(fit, text, text + len);
		case ML_CSV_FIT_DECIMAL:
			return fits_decimal(fit, text, text + len);
		case ML_CSV_FIT_BOOLEAN:
			return fits_boolean(text, len);
		default:
			return fits_moment(fit, text, text + len);
	}
}
