/*
 * csvreading.h
 *		How the numbers and dates of a CSV file are written.
 */
#ifndef MLPLAT_CSVREADING_H
#define MLPLAT_CSVREADING_H

#include "source/csv/csvfields.h"
#include "source/csv/csvsample.h"

/*
 * Choose the way of numbers and the order of dates, by the options or the sample, into sample->reading. fields NULL:
 * for a table that is to be made, where an undecided column will be text; a notice says so, but for the columns that
 * "types" names. Else for the columns of these types, and what is undecided is an error.
 */
extern void mlplat_csv_choose_reading(MlplatCsvSample *sample, const MlplatCsvField *fields,
									  const char *file);

/* "ymd", "dmy" or "mdy". */
extern const char *mlplat_csv_order_name(MlCsvOrder order);

/* The ways of numbers, as they are to be read. */
extern MlCsvNumbers mlplat_csv_numbers(const MlplatCsvSample *sample);

/* Tell the user what was guessed and is not the usual. */
extern void mlplat_csv_tell_reading(const MlplatCsvSample *sample, const char *file);

/* Set DateStyle to the order until the level of settings ends (NewGUCNestLevel, AtEOXact_GUC). */
extern void mlplat_csv_set_date_order(MlCsvOrder order);

#endif
