/*
 * csv.h
 *		CSV as COPY reads it: records and fields, and guessing the dialect.
 *
 * A *dialect* is how fields are told apart; a *record* is one row of fields,
 * which may take several lines. The reader is fed pieces of any size.
 */
#ifndef ML_CSV_H
#define ML_CSV_H

#include "core/env.h"

typedef struct MlCsvDialect
{
	char delimiter;
	char quote;
	char escape; /* before a quote inside quotes; mostly the quote itself */
} MlCsvDialect;

/* A record of more fields is ML_EDATA: no table has so many columns, and the fields of a long line of commas take memory. */
#define ML_CSV_MAX_FIELDS 65536

typedef struct MlCsvField
{
	size_t start; /* in the record's text */
	size_t len;
	bool quoted; /* any part of it was */
} MlCsvField;

typedef struct MlCsvReader
{
	MlEnv *env;
	MlCsvDialect dialect;
	size_t max_record; /* bytes of text in one record; more is ML_EDATA */

	/* The record that was read last, without quotes; each field ends with a zero byte. */
	char *text;
	size_t text_len, text_capacity;
	MlCsvField *fields;
	size_t n_fields, fields_capacity;
	size_t n_records;
	size_t n_quoted, n_stray; /* quoted fields; quotes inside a field, in all records */

	bool unclosed; /* the last record of the file ended inside quotes */

	int state; /* of the machine between two pieces */
	bool done; /* the record is whole: the next call starts another */
	bool ends_plain[256],
		ends_quoted[256]; /* bytes that mean something, outside and inside quotes */
} MlCsvReader;

extern void ml_csv_reader_init(MlCsvReader *in, MlEnv *env, MlCsvDialect dialect,
							   size_t max_record);
extern void ml_csv_reader_free(MlCsvReader *in);

/* Forget the record that was begun, if any: the next byte starts one. */
extern void ml_csv_reader_restart(MlCsvReader *in);

/*
 * Read on from *data up to end; *data moves to the first byte not used. *whole: a record is complete.
 * last: nothing comes after end, so that the last record needs no newline.
 */
extern MlStatus ml_csv_next(MlCsvReader *in, const char **data, const char *end, bool last,
							bool *whole);

/* Does the reader stand after a CR, so that a LF that follows belongs to the record before? */
extern bool ml_csv_after_return(const MlCsvReader *in);

/* Lines that a record's bytes take, its own end included. */
extern size_t ml_csv_count_lines(const char *text, size_t len);

/* Text of a field of the record that was read last. */
static inline const char *
ml_csv_text(const MlCsvReader *in, size_t field)
{
	return in->text + in->fields[field].start;
}

/* Guess from the start of a file the members of dialect that are 0; last: it is the whole file. */
extern MlStatus ml_csv_sniff(MlEnv *env, const char *sample, size_t len, bool last,
							 MlCsvDialect *dialect);

#endif /* ML_CSV_H */
