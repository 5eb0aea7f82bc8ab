/*
 * test_csvfit.c
 *		Which texts surely fit a type of the server.
 */
#include "unit.h"

#include "data/csv/csvfit.h"

static bool
fits(MlCsvFit fit, const char *text)
{
	return ml_csv_fits(&fit, text, strlen(text));
}

static void
knows_whole_numbers(void)
{
	const MlCsvFit small = {.kind = ML_CSV_FIT_INTEGER, .max = 32767};
	const MlCsvFit large = {.kind = ML_CSV_FIT_INTEGER, .max = 999999999999999999};

	CHECK(fits(small, "0") && fits(small, "-32767") && fits(small, "32767") && fits(small, "007"));
	CHECK(!fits(small, "32768") && !fits(small, "") && !fits(small, "-") && !fits(small, "+1"));
	CHECK(!fits(small, " 1") && !fits(small, "1.0") && !fits(small, "1e1") && !fits(small, "0x1"));
	CHECK(fits(large, "999999999999999999") && !fits(large, "9223372036854775807"));
	CHECK(!fits(large, "99999999999999999999999999999999999"));
}

static void
knows_decimals(void)
{
	const MlCsvFit money = {.kind = ML_CSV_FIT_DECIMAL, .max = 3, .max_fraction = 2};
	const MlCsvFit real = {ML_CSV_FIT_DECIMAL, 60, 60, 2, ML_CSV_YMD};

	CHECK(fits(money, "999.99") && fits(money, "-.5") && fits(money, "5.") && fits(money, "12"));
	CHECK(!fits(money, "1000") && !fits(money, "1.999") && !fits(money, ".") && !fits(money, ""));
	CHECK(!fits(money, "1e1") && !fits(money, "1,5") && !fits(money, "NaN"));
	CHECK(fits(real, "-1.5e-99") && fits(real, "1E+5") && !fits(real, "1e100"));
	CHECK(!fits(real, "1e") && !fits(real, "1e+") && !fits(real, "1e5x") && !fits(real, "1 "));
}

static void
knows_other_types(void)
{
	const MlCsvFit text = {.kind = ML_CSV_FIT_BYTES, .max = 3}, flag = {.kind = ML_CSV_FIT_BOOLEAN};
	const MlCsvFit any = {.kind = ML_CSV_FIT_ANY}, ask = {.kind = ML_CSV_FIT_ASK};

	CHECK(fits(text, "abc") && fits(text, "") && !fits(text, "abcd"));
	CHECK(fits(flag, "TRUE") && fits(flag, "0") && !fits(flag, "2") && !fits(flag, ""));
	CHECK(fits(any, "anything") && !fits(ask, "anything"));
}

static void
knows_moments_in_their_order(void)
{
	const MlCsvFit day = {.kind = ML_CSV_FIT_DATE, .order = ML_CSV_DMY};
	const MlCsvFit time = {.kind = ML_CSV_FIT_TIMESTAMP, .order = ML_CSV_MDY};
	const MlCsvFit zone = {.kind = ML_CSV_FIT_TIMESTAMPTZ, .order = ML_CSV_YMD};

	CHECK(fits(day, "31.12.2024") && fits(day, "2024-12-31") && fits(day, "31-Dec-2024"));
	CHECK(!fits(day, "12/31/2024") && !fits(day, "2024-12-31 10:00") && !fits(day, "31.12.24"));
	CHECK(fits(time, "12/31/2024") && fits(time, "12/31/2024 11:59 PM"));
	CHECK(!fits(time, "31/12/2024") && !fits(time, "2024-12-31 10:00Z"));
	CHECK(fits(zone, "2024-12-31T10:00:00.5+02:30") && fits(zone, "2024-12-31 10:00"));
	CHECK(!fits(zone, "31.12.2024 10:00Z") && !fits(zone, "2024-12-31 10:00 PMZ"));
	CHECK(!fits(zone, "May 1 2024T10:00") && !fits(zone, "infinity") && !fits(zone, ""));
}

int
main(void)
{
	RUN(knows_whole_numbers);
	RUN(knows_decimals);
	RUN(knows_other_types);
	RUN(knows_moments_in_their_order);
	return unit_end();
}
