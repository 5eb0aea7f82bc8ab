/*
 * csvcheck.h
 *		Will COPY take a record of CSV into the table, and how are its numbers written for it?
 */
#ifndef MLPLAT_CSVCHECK_H
#define MLPLAT_CSVCHECK_H

#include "source/csv/csvfields.h"
#include "source/csv/csvsample.h"

#define MLPLAT_MAX_REASON 1000

typedef struct MlplatCsvCheck
{
	const MlplatCsvSample *sample;
	MlplatCsvField *fields;
	const MlCsvReader *reader; /* of the record */
	MlCsvNumbers numbers;
	bool other_numbers; /* not written as SQL does */
	int asking;         /* the field whose input function is called; -1: none */

	/* Of the last record that was bad; column NULL: it is bad as a whole. */
	const char *column;
	int code; /* SQLSTATE */
	char reason[MLPLAT_MAX_REASON];
} MlplatCsvCheck;

extern void mlplat_csv_check_init(MlplatCsvCheck *check, const MlplatCsvSample *sample,
								  MlplatCsvField *fields, const MlCsvReader *reader);

/*
 * False, with the reason, or a throw: the record that the reader holds is bad. text: its bytes in the file.
 * all: whatever COPY would fail on; else only numbers that cannot be rewritten. Leaves garbage in the current context.
 */
extern bool mlplat_csv_check_record(MlplatCsvCheck *check, const char *text, size_t len, bool all);

/* What was thrown becomes the reason; an error about anything but a value (cancel, memory, rights) goes on its way. */
extern void mlplat_csv_check_failed(MlplatCsvCheck *check, ErrorData *error);

/* Field j as SQL writes numbers; 0: it stays as it is. */
extern size_t mlplat_csv_rewrite(const MlplatCsvCheck *check, int j, char plain[ML_CSV_MAX_NUMBER]);

#endif
