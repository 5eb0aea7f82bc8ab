/*
 * jsoncheck.h
 *		Will COPY take the values of an item into the table?
 */
#ifndef MLPLAT_JSONCHECK_H
#define MLPLAT_JSONCHECK_H

#include "source/csv/csvfields.h"
#include "source/json/jsoncolumns.h"

typedef struct MlplatJsonCheck
{
	const MlplatJsonColumns *columns;
	MlplatCsvField *fields; /* by column */
	MlEnv *env;
	const int *unsure; /* columns that are being asked about */
	int n_unsure, asking;

	/* Of the last item that was bad. */
	const char *column;
	const char *reason;
} MlplatJsonCheck;

/* After the columns are bound. */
extern void mlplat_json_check_init(MlplatJsonCheck *check, const MlplatJsonColumns *columns,
								   MlEnv *env);

/*
 * False, with the reason: COPY would fail on the last item, as a type or a domain refuses one of its values, or one is
 * missing where there must be one. Constraints of the table are not looked at. Leaves garbage in the current context.
 */
extern bool mlplat_json_check_row(MlplatJsonCheck *check);

#endif
