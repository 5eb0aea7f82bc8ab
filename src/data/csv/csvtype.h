/*
 * csvtype.h
 *		Which SQL type a column of text can have without losing anything.
 *
 * Numbers and dates can be written in several ways and orders. A column keeps
 * what it would be in each of them; when the sample is read, one way and one
 * order are chosen for the whole file, as one program wrote it.
 */
#ifndef ML_CSVTYPE_H
#define ML_CSVTYPE_H

#include "data/csv/csvdate.h"
#include "data/csv/csvnumber.h"

typedef enum MlCsvType
{
	ML_CSV_BOOLEAN = 0,
	ML_CSV_INTEGER,
	ML_CSV_BIGINT,
	ML_CSV_DOUBLE,
	ML_CSV_NUMERIC,
	ML_CSV_DATE,
	ML_CSV_TIMESTAMP,
	ML_CSV_TIMESTAMPTZ,
	ML_CSV_TEXT
} MlCsvType;

/* What is known of a column after the values seen so far; start with ml_csv_column_init. */
typedef struct MlCsvColumn
{
	uint16_t possible;                  /* bit t: all values fit type t, which is none of numbers */
	uint16_t numbers[ML_CSV_N_NUMBERS]; /* [w], bit t: all fit the number type t, in way w */
	uint8_t fractions;                  /* bit w: a number with a fraction was seen, in way w */
	uint8_t orders;                     /* bit o: all dates fit order o */
	uint16_t markers;                   /* bit m: marker m of ml_csv_marker was seen */
	uint16_t pairs;                     /* bit p: all values are of boolean pair p */
	uint16_t pair_seen;                 /* bit 2p, 2p+1: a true, a false of pair p was seen */
	bool has_value;                     /* one that is neither missing nor a marker */
	bool has_number;                    /* one with digits, not only NaN */
	bool has_empty;                     /* an unquoted empty field */
	size_t n_long;                      /* numbers of more than 15 digits that were checked */
} MlCsvColumn;

extern void ml_csv_column_init(MlCsvColumn *column);

/* Take a value in; quoted values are never missing. text ends with a zero byte. */
extern void ml_csv_observe(MlCsvColumn *column, const char *text, size_t len, bool quoted);

/* Words that may stand for missing values when they are not quoted, such as NA; NULL: there is no marker m. */
extern const char *ml_csv_marker(int m);

/* What stands for a missing value when it is not quoted. */
typedef struct MlCsvMissing
{
	bool empty;       /* the empty field */
	uint16_t markers; /* bit m: marker m */
} MlCsvMissing;

/*
 * Find out: the markers of columns that would have a type but for them. The empty field is missing too, unless there
 * is none in the sample and exactly one marker.
 */
extern MlCsvMissing ml_csv_find_missing(const MlCsvColumn *columns, size_t n);

/* How the values of a file are read. */
typedef struct MlCsvReading
{
	MlCsvMissing missing;
	int way; /* of writing numbers: ML_CSV_SQL, ... */
	MlCsvOrder order;
} MlCsvReading;

/*
 * Choose how numbers are written (a bit of allowed), and the order of dates, by the columns j with wanted[j] (NULL:
 * all). A column that can be read in two ways with different values leaves the choice open: its index is returned,
 * else -1. Then, and when columns contradict each other, the plainest is chosen, so that such columns are text.
 */
extern int ml_csv_choose_way(const MlCsvColumn *columns, size_t n, const bool *wanted,
							 uint16_t allowed, MlCsvReading *reading);
extern int ml_csv_choose_order(const MlCsvColumn *columns, size_t n, const bool *wanted,
							   uint8_t allowed, MlCsvReading *reading);

/* The narrowest type that holds all values; reading NULL: as SQL writes them, and the empty text is missing. */
extern MlCsvType ml_csv_column_type(const MlCsvColumn *column, const MlCsvReading *reading);
extern const char *ml_csv_type_name(MlCsvType type); /* in SQL */

/* Is the text a number, date or time, so that it can hardly be a column's name? */
extern bool ml_csv_is_value(const char *text, size_t len);

#endif /* ML_CSVTYPE_H */
