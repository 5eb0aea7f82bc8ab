/*
 * csvnumber.h
 *		Numbers as people write them: 1.5, 1,5, 1.234,56, 1 234,56.
 */
#ifndef ML_CSVNUMBER_H
#define ML_CSVNUMBER_H

#include "core/env.h"

/* A way to write numbers. */
typedef struct MlCsvNumbers
{
	char decimal;
	char thousands; /* between groups of three digits; ' ' also a no-break space; 0: none */
} MlCsvNumbers;

/* The ways that are looked for. The first is SQL's own; of those that fit alike, an earlier one is taken. */
enum
{
	ML_CSV_SQL = 0,     /* 1234.56 */
	ML_CSV_COMMA,       /* 1234,56 */
	ML_CSV_COMMA_DOT,   /* 1.234,56 */
	ML_CSV_COMMA_SPACE, /* 1 234,56 */
	ML_CSV_DOT_COMMA,   /* 1,234.56 */
	ML_CSV_DOT_QUOTE,   /* 1'234.56 */
	ML_CSV_DOT_SPACE,   /* 1 234.56 */
	ML_CSV_N_NUMBERS
};
extern const MlCsvNumbers ml_csv_numbers[ML_CSV_N_NUMBERS];

/* A longer text is not looked at as a number. */
#define ML_CSV_MAX_NUMBER 512

/*
 * Write a number as SQL does, without the separators and blanks around it; NaN and infinities too. Ends with a zero
 * byte. Returns the length; 0: it is no number that is written in this way.
 */
extern size_t ml_csv_plain_number(MlCsvNumbers way, const char *text, size_t len,
								  char out[ML_CSV_MAX_NUMBER]);

/* A number as SQL writes it: [+-]digits[.digits][e[+-]digits] */
typedef struct MlCsvNumber
{
	size_t n_whole;       /* digits before the point */
	size_t n_significant; /* without leading and trailing zeros */
	size_t n_digits;      /* without leading zeros */
	bool leading_zero;    /* 007 */
	bool plus;
	bool fraction; /* a point or an exponent */
	bool exponent;
	char digits[20]; /* the first significant ones */
} MlCsvNumber;

extern bool ml_csv_scan_number(const char *text, const char *end, MlCsvNumber *number);

/* Does a double give back the digits of the number? text: as strtod reads it. */
extern bool ml_csv_double_keeps(const char *text, const MlCsvNumber *number);

/* NaN or an infinity, as double precision reads them. */
extern bool ml_csv_is_nan(const char *text, const char *end);
extern bool ml_csv_is_infinite(const char *text, const char *end);

#endif /* ML_CSVNUMBER_H */
