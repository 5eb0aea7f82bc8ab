/*
 * csvsample.h
 *		What the start of a CSV file says: dialect, encoding, names, types.
 */
#ifndef MLPLAT_CSVSAMPLE_H
#define MLPLAT_CSVSAMPLE_H

#include "core/param.h"
#include "data/csv/csv.h"
#include "data/csv/csvtype.h"
#include "source/bytes.h"

/* The indexes of mlplat_csv_params (loadcsv.h). */
enum
{
	CSV_HEADER,
	CSV_DELIMITER,
	CSV_QUOTE,
	CSV_ESCAPE,
	CSV_NULL,
	CSV_ENCODING,
	CSV_COLUMNS,
	CSV_TYPES,
	CSV_SAMPLE_ROWS,
	CSV_MAX_BYTES,
	CSV_DECIMAL,
	CSV_THOUSANDS,
	CSV_DATE_ORDER,
	CSV_ON_ERROR,
	CSV_MAX_REJECTS
};

typedef struct MlplatCsvSample
{
	const MlParams *options;
	MlCsvDialect dialect;
	int encoding;          /* of the file */
	bool encoding_guessed; /* not given, and not UTF-8 */
	int64 n_blank;         /* blank lines before the first record */
	int n_columns;
	char **names; /* of the first record or the option "columns", in the server's encoding */
	bool first_looks_named; /* no field of the first record is a number, date or time */
	bool names_given;       /* by the option */
	MlCsvColumn *columns;
	int n_missing;
	const char **missing; /* the words for missing values, where not quoted; "": the empty field */
	MlCsvReading reading; /* of values; way and order are chosen by csvreading.c */
	int64 n_rows;         /* looked at, without the header */
	bool whole_file;      /* all there are */
} MlplatCsvSample;

/* Is the first record the header? names: in the sample. arg is handed through. */
typedef bool (*MlplatHeaderFn)(const MlplatCsvSample *sample, void *arg);

/* Is the text one that stands for a missing value, where it is not quoted? */
extern bool mlplat_csv_is_missing(const MlplatCsvSample *sample, const char *text);

/* Read the sample; everything is allocated in the current context. env is for the pure parts. */
extern MlplatCsvSample *mlplat_csv_sample(MlplatBytes *file, MlEnv *env, const MlParams *options,
										  MlplatHeaderFn is_header, void *arg, bool *header);

#endif
