/*
 * csvfields.h
 *		The table's columns that a CSV file's fields go to: what they take.
 */
#ifndef MLPLAT_CSVFIELDS_H
#define MLPLAT_CSVFIELDS_H

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "data/csv/csvfit.h"

typedef struct MlplatCsvField
{
	const char *name;
	bool is_number, is_moment; /* of type; moment: date or time */
	bool not_null; /* the table refuses null, and no trigger can put in something else */
	bool ask_null; /* only the input function knows: a domain */
	MlCsvFit fit;
	FmgrInfo input;
	Oid ioparam;
	int32 typmod;
} MlplatCsvField;

/* For each field of the file, n of them, its column: columns as for COPY, NIL for all. */
extern MlplatCsvField *mlplat_csv_fields(Relation rel, List *columns, int n);

/* Throw unless the column takes the text, which is in the server's encoding; NULL: a missing value. */
extern void mlplat_csv_ask(MlplatCsvField *field, const char *text);

/* Does an error of that code say that a value is wrong, and not that something else is? */
extern bool mlplat_csv_is_about_value(int code);

#endif
