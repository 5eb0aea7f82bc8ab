/*
 * csvdate.h
 *		Dates and times as people write them, and in which order of day, month and year.
 */
#ifndef ML_CSVDATE_H
#define ML_CSVDATE_H

#include "core/env.h"

/* Orders, by the words of PostgreSQL's DateStyle. */
typedef enum MlCsvOrder
{
	ML_CSV_YMD = 0,
	ML_CSV_DMY,
	ML_CSV_MDY,
	ML_CSV_N_ORDERS
} MlCsvOrder;

#define ML_CSV_ALL_ORDERS ((uint8_t) ((1 << ML_CSV_N_ORDERS) - 1))

typedef enum MlCsvMoment
{
	ML_CSV_NO_MOMENT = 0,
	ML_CSV_DAY,      /* a date */
	ML_CSV_TIME,     /* with a time of day */
	ML_CSV_ZONE_TIME /* and a time zone */
} MlCsvMoment;

/*
 * What the text is, and in which orders PostgreSQL reads it without guessing (bit o: order o). All forms have a year
 * of four digits: 2024-03-31 and 2024/03/31 (in any order), 31.3.2024, 3/31/2024, 31-03-2024, 31-Mar-2024, Mar 31, 2024.
 */
extern MlCsvMoment ml_csv_scan_moment(const char *text, const char *end, uint8_t *orders);

#endif /* ML_CSVDATE_H */
