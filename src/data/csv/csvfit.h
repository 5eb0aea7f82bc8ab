/*
 * csvfit.h
 *		Will the server's input function take this text? A quick yes, or: ask it.
 */
#ifndef ML_CSVFIT_H
#define ML_CSVFIT_H

#include "data/csv/csvdate.h"

typedef enum MlCsvFitKind
{
	ML_CSV_FIT_ASK = 0, /* never sure */
	ML_CSV_FIT_ANY,     /* every text fits */
	ML_CSV_FIT_BYTES,   /* up to max bytes */
	ML_CSV_FIT_INTEGER, /* from -max to max */
	ML_CSV_FIT_DECIMAL, /* max digits before the point, max_fraction behind, an exponent of max_exponent digits */
	ML_CSV_FIT_BOOLEAN,
	ML_CSV_FIT_DATE,
	ML_CSV_FIT_TIMESTAMP,
	ML_CSV_FIT_TIMESTAMPTZ
} MlCsvFitKind;

typedef struct MlCsvFit
{
	MlCsvFitKind kind;
	int64_t max;
	int max_fraction, max_exponent;
	MlCsvOrder order; /* of dates, as the server's DateStyle is set */
} MlCsvFit;

/* True: surely. False: it may fit all the same. */
extern bool ml_csv_fits(const MlCsvFit *fit, const char *text, size_t len);

#endif /* ML_CSVFIT_H */
