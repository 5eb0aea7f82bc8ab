/*
 * csvdate.c
 *		Dates and times as people write them, and in which order of day, month and year.
 *
 * Only forms that PostgreSQL's own input takes are known here, so that nothing
 * has to be rewritten: with DateStyle set to the order it reads them all, and
 * refuses those of another order. 03/04/2024 alone fits two orders; a dot
 * between the numbers means day first, as nobody writes the month first so.
 */
#include <string.h>
#include <strings.h>

#include "data/csv/csvdate.h"

#define ORDER(o) ((uint8_t) (1u << (o)))

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read min to max digits into *value; NULL when they are not there, or when a digit follows. */
static const char *
scan_digits(const char *p, const char *end, int min, int max, int *value)
{
	int n = 0;

	*value = 0;
	for (; p && p < end && is_digit(*p) && n <= max; p++, n++)
		*value = *value * 10 + (*p - '0');
	return p && n >= min && n <= max ? p : NULL;
}

static const char *
scan_char(const char *p, const char *end, char c)
{
	return p && p < end && *p == c ? p + 1 : NULL;
}

static bool
is_date(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
		   day <= days[month - 1] + (month == 2 && leap);
}

/* ---- dates */

/* year-month-day or year/month/day */
static const char *
scan_year_first(const char *p, const char *end, uint8_t *orders)
{
	int year, month, day;
	char separator;

	p = scan_digits(p, end, 4, 4, &year);
	if (!p || p == end || (*p != '-' && *p != '/'))
		return NULL;
	separator = *p;
	p = scan_digits(p + 1, end, 2, 2, &month);
	p = scan_char(p, end, separator);
	p = scan_digits(p, end, 2, 2, &day);
	*orders = ML_CSV_ALL_ORDERS;
	return p && is_date(year, month, day) ? p : NULL;
}

/* day.month.year, and day or month first with / and - */
static const char *
scan_year_last(const char *p, const char *end, uint8_t *orders)
{
	int first, second, year;
	char separator;

	p = scan_digits(p, end, 1, 2, &first);
	if (!p || p == end || (*p != '.' && *p != '/' && *p != '-'))
		return NULL;
	separator = *p;
	p = scan_digits(p + 1, end, 1, 2, &second);
	p = scan_char(p, end, separator);
	p = scan_digits(p, end, 4, 4, &year);
	if (!p)
		return NULL;
	*orders = is_date(year, second, first) ? ORDER(ML_CSV_DMY) : 0;
	if (separator != '.' && is_date(year, first, second))
		*orders |= ORDER(ML_CSV_MDY);
	return *orders ? p : NULL;
}

/* The month of an English name, in full or three letters; 0: none. */
static int
scan_month(const char **p, const char *end)
{
	static const char *const names[] = {"January",   "February", "March",    "April",
										"May",       "June",     "July",     "August",
										"September", "October",  "November", "December"};
	size_t len = 0;

	while (*p + len < end && (((*p)[len] | 0x20) >= 'a' && ((*p)[len] | 0x20) <= 'z'))
		len++;
	for (int month = 0; month < 12; month++)
		if ((len == 3 || len == strlen(names[month])) && strncasecmp(*p, names[month], len) == 0)
		{
			*p += len;
			return month + 1;
		}
	return 0;
}

/* 31-Mar-2024 or 31 March 2024 */
static const char *
scan_named_month(const char *p, const char *end, uint8_t *orders)
{
	int year, month, day;
	char separator;

	p = scan_digits(p, end, 1, 2, &day);
	if (!p || p == end || (*p != '-' && *p != ' '))
		return NULL;
	separator = *p++;
	month = scan_month(&p, end);
	p = scan_char(p, end, separator);
	p = scan_digits(p, end, 4, 4, &year);
	*orders = ML_CSV_ALL_ORDERS;
	return p && is_date(year, month, day) ? p : NULL;
}

/* March 31, 2024 */
static const char *
scan_month_first(const char *p, const char *end, uint8_t *orders)
{
	int year, day, month = scan_month(&p, end);

	p = scan_char(p, end, ' ');
	p = scan_digits(p, end, 1, 2, &day);
	if (p && p < end && *p == ',')
		p++;
	p = scan_char(p, end, ' ');
	p = scan_digits(p, end, 4, 4, &year);
	*orders = ML_CSV_ALL_ORDERS;
	return p && is_date(year, month, day) ? p : NULL;
}

/* ---- times */

/* " AM" or " PM" */
static const char *
scan_half_day(const char *p, const char *end, int hour)
{
	if (end - p < 3 || *p != ' ' || strncasecmp(p + 2, "m", 1) != 0)
		return p;
	if (strncasecmp(p + 1, "a", 1) != 0 && strncasecmp(p + 1, "p", 1) != 0)
		return p;
	return hour >= 1 && hour <= 12 ? p + 3 : NULL;
}

/* hour:minute[:second[.fraction]] [AM or PM]; *half_day: the latter are there */
static const char *
scan_time(const char *p, const char *end, bool *half_day)
{
	const char *clock_end;
	int hour, minute, second = 0, n = 0;

	p = scan_digits(p, end, 1, 2, &hour);
	p = scan_char(p, end, ':');
	p = scan_digits(p, end, 2, 2, &minute);
	if (p && p < end && *p == ':')
	{
		p = scan_digits(p + 1, end, 2, 2, &second);
		if (p && p < end && *p == '.')
			for (p++; p < end && is_digit(*p); p++)
				n++;
	}
	if (!p || hour > 23 || minute > 59 || second > 59 || n > 9)
		return NULL;
	clock_end = p;
	p = scan_half_day(p, end, hour);
	*half_day = p != clock_end;
	return p;
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
	p++;
	if (end - p == 4) /* hhmm */
	{
		p = scan_digits(p, end, 4, 4, &hour);
		minute = hour % 100;
		hour /= 100;
	}
	else
	{
		p = scan_digits(p, end, 2, 2, &hour);
		if (p && p < end)
			p = scan_digits(scan_char(p, end, ':'), end, 2, 2, &minute);
	}
	return p && hour <= 14 && minute < 60 ? p : NULL;
}

/* The rest of a text that begins with a date. by_t: the time may follow after a T, as in ISO 8601. */
static MlCsvMoment
scan_rest(const char *p, const char *end, bool by_t)
{
	bool half_day = false;

	if (p == end)
		return ML_CSV_DAY;
	if (*p != ' ' && !(by_t && *p == 'T'))
		return ML_CSV_NO_MOMENT;
	p = scan_time(p + 1, end, &half_day);
	if (!p)
		return ML_CSV_NO_MOMENT;
	if (p == end)
		return ML_CSV_TIME;
	return !half_day && scan_zone(p, end) == end ? ML_CSV_ZONE_TIME : ML_CSV_NO_MOMENT;
}

MlCsvMoment
ml_csv_scan_moment(const char *text, const char *end, uint8_t *orders)
{
	const char *p;

	if (end - text < 8)
		return ML_CSV_NO_MOMENT;
	p = scan_year_first(text, end, orders);
	if (p)
		return scan_rest(p, end, true);
	p = scan_year_last(text, end, orders);
	if (!p)
		p = scan_named_month(text, end, orders);
	if (!p)
		p = scan_month_first(text, end, orders);
	return p ? scan_rest(p, end, false) : ML_CSV_NO_MOMENT;
}
