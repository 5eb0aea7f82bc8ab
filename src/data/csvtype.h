/*
 * csvtype.h
 *		Which SQL type a column of text can have without losing anything.
 */
#ifndef ML_CSVTYPE_H
#define ML_CSVTYPE_H

#include "core/env.h"

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
	uint16_t possible;  /* bit t: all values fit type t */
	uint16_t markers;   /* bit m: marker m of ml_csv_marker was seen */
	uint16_t pairs;     /* bit p: all values are of boolean pair p */
	uint16_t pair_seen; /* bit 2p, 2p+1: a true, a false of pair p was seen */
	bool has_value;     /* one that is neither missing nor a marker */
	bool has_number;    /* one with digits, not only NaN */
	bool has_empty;     /* an unquoted empty field */
	size_t n_long;      /* numbers of more than 15 digits that were checked */
} MlCsvColumn;

extern void ml_csv_column_init(MlCsvColumn *column);

/* Take a value in; quoted values are never missing. text ends with a zero byte. */
extern void ml_csv_observe(MlCsvColumn *column, const char *text, size_t len, bool quoted);

/*
 * The word that stands for missing values in the file: NULL when it is the empty field, as usual. A
 * word counts when all columns that would have a type but for such words agree on it, and no field is empty.
 */
extern const char *ml_csv_missing_word(const MlCsvColumn *columns, size_t n);

/* The narrowest type that holds all values; missing: as ml_csv_missing_word said or the user gave, or NULL. */
extern MlCsvType ml_csv_column_type(const MlCsvColumn *column, const char *missing);
extern const char *ml_csv_type_name(MlCsvType type); /* in SQL */

/* Is the text a number, date or time, so that it can hardly be a column's name? */
extern bool ml_csv_is_value(const char *text, size_t len);

#endif /* ML_CSVTYPE_H */
