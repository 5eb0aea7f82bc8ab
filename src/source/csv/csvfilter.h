/*
 * csvfilter.h
 *		CSV record by record on its way to COPY: what does not fit is kept out, numbers are rewritten.
 */
#ifndef MLPLAT_CSVFILTER_H
#define MLPLAT_CSVFILTER_H

#include "source/bytes.h"
#include "source/csv/csvfields.h"
#include "source/csv/csvsample.h"
#include "source/importlog.h"

typedef struct MlplatCsvFilter MlplatCsvFilter;

/* Is the plain stream of bytes (csvstream.h) not enough? */
extern bool mlplat_csv_filter_needed(const MlplatCsvSample *sample);

/* Start at the beginning of the file. The fields are those of the file's columns, in its order. */
extern MlplatCsvFilter *mlplat_csv_filter_create(MlplatBytes *file, MlEnv *env,
												 MlplatImport *import,
												 const MlplatCsvSample *sample,
												 MlplatCsvField *fields, bool header);

/* An MlplatByteFn over a MlplatCsvFilter. */
extern int mlplat_csv_filter_read(void *arg, char *out, int min, int max);

/* The line of the file for a line of what was handed out. */
extern int64 mlplat_csv_filter_line(const MlplatCsvFilter *filter, int64 line);

#endif
