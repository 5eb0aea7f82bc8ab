/*
 * csvreading.c
 *		How the numbers and dates of a CSV file are written.
 *
 * Dates need no rewriting: while COPY runs, DateStyle has the order that was
 * found (year-month-day when the sample has no other), so that the input
 * functions read that and refuse another, instead of guessing by the session's
 * setting. Numbers that SQL does not read are rewritten by csvfilter.c.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/guc.h"

#include "source/csv/csvreading.h"

static const char *const orders[] = {
	[ML_CSV_YMD] = "ymd", [ML_CSV_DMY] = "dmy", [ML_CSV_MDY] = "mdy"};

const char *
mlplat_csv_order_name(MlCsvOrder order)
{
	return orders[order];
}

/* ---- options */

/* The character of an option; -1: not given, 0: none. */
static int
separator(const MlParams *options, int index, const char *choices, const char *what)
{
	const char *text = ml_param_text(options, index);

	if (!text)
		return -1;
	if (strlen(text) > 1 || (*text ? strchr(choices, *text) == NULL : index == CSV_DECIMAL))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" must be %s, not \"%s\"", options->table[index].name,
							   what, text)));
	return *text;
}

/* The ways of numbers that the options leave. */
static uint16_t
allowed_ways(const MlParams *options)
{
	int decimal = separator(options, CSV_DECIMAL, ".,", "\".\" or \",\"");
	int thousands =
		separator(options, CSV_THOUSANDS, ".,' ", "one of \".\", \",\", \"'\", a blank, or empty");
	uint16_t ways = 0;

	for (int way = 0; way < ML_CSV_N_NUMBERS; way++)
		if ((decimal < 0 || decimal == ml_csv_numbers[way].decimal) &&
			(thousands < 0 || thousands == ml_csv_numbers[way].thousands))
			ways |= (uint16_t) (1 << way);
	if (ways == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("no number is written with decimal separator \"%c\" and \"%c\" "
							   "between thousands",
							   decimal, thousands)));
	return ways;
}

static uint8_t
allowed_orders(const MlParams *options)
{
	if (!ml_param_given(options, CSV_DATE_ORDER))
		return ML_CSV_ALL_ORDERS;
	return (uint8_t) (1 << ml_param_int(options, CSV_DATE_ORDER));
}

/* ---- the choice */

static const char numbers_hint[] =
	"Say which with the options decimal and thousands, for example {\"decimal\": \",\"}.";
static const char dates_hint[] =
	"Say which with the option date_order, for example {\"date_order\": \"dmy\"}.";

/* Has the option "types" a type for the column? */
static bool
is_typed(const MlplatCsvSample *sample, int column)
{
	const MlJson *types = sample->options->values[CSV_TYPES].json;

	for (size_t i = 0; types && types->type == ML_JSON_OBJECT && i < types->n; i++)
		if (strcmp(types->keys[i], sample->names[column]) == 0)
			return true;
	return false;
}

static void
undecided(const MlplatCsvSample *sample, bool made, int column, const char *file, const char *what,
		  const char *hint)
{
	if (!made)
		ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_DATATYPE),
						errmsg("%s of column \"%s\" of %s can be read in two ways", what,
							   sample->names[column], file),
						errhint("%s", hint)));
	if (!is_typed(sample, column))
		ereport(NOTICE, (errmsg("%s of column \"%s\" of %s can be read in two ways: it is text",
								what, sample->names[column], file),
						 errhint("%s", hint)));
}

void
mlplat_csv_choose_reading(MlplatCsvSample *sample, const MlplatCsvField *fields, const char *file)
{
	size_t n = (size_t) sample->n_columns;
	bool *numbers = fields ? palloc(sizeof(bool) * n) : NULL;
	bool *moments = fields ? palloc(sizeof(bool) * n) : NULL;
	int open;

	for (size_t j = 0; fields && j < n; j++)
	{
		numbers[j] = fields[j].is_number;
		moments[j] = fields[j].is_moment;
	}
	open = ml_csv_choose_way(sample->columns, n, numbers, allowed_ways(sample->options),
							 &sample->reading);
	if (open >= 0)
		undecided(sample, !fields, open, file, "numbers", numbers_hint);
	open = ml_csv_choose_order(sample->columns, n, moments, allowed_orders(sample->options),
							   &sample->reading);
	if (open >= 0)
		undecided(sample, !fields, open, file, "dates", dates_hint);
}

MlCsvNumbers
mlplat_csv_numbers(const MlplatCsvSample *sample)
{
	return ml_csv_numbers[sample->reading.way];
}

void
mlplat_csv_tell_reading(const MlplatCsvSample *sample, const char *file)
{
	const MlParams *options = sample->options;
	const MlCsvReading *reading = &sample->reading;
	MlCsvNumbers numbers = mlplat_csv_numbers(sample);
	StringInfoData text;

	initStringInfo(&text);
	if (numbers.decimal != '.' && !ml_param_given(options, CSV_DECIMAL))
		appendStringInfo(&text, ", decimal \"%c\"", numbers.decimal);
	if (numbers.thousands && !ml_param_given(options, CSV_THOUSANDS))
		appendStringInfo(&text, ", thousands \"%c\"", numbers.thousands);
	if (reading->order != ML_CSV_YMD && !ml_param_given(options, CSV_DATE_ORDER))
		appendStringInfo(&text, ", date_order \"%s\"", orders[reading->order]);
	if (sample->encoding_guessed)
		appendStringInfo(&text, ", encoding \"%s\"", pg_encoding_to_char(sample->encoding));
	if (text.len > 0)
		ereport(NOTICE, (errmsg("%s is read with %s", file, text.data + 2)));
	pfree(text.data);
}

void
mlplat_csv_set_date_order(MlCsvOrder order)
{
	(void) set_config_option("datestyle", orders[order], PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}
