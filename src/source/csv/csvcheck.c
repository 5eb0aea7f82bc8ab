/*
 * csvcheck.c
 *		Will COPY take a record of CSV into the table, and how are its numbers written for it?
 *
 * A record is bad when it has another number of fields than the first, bytes
 * that are no characters of the file's encoding or that the database's lacks, a
 * value that its column's type or domain refuses, or none where there must be
 * one. CHECK, UNIQUE and foreign keys are not looked at: they depend on more than
 * the value, and end the import.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "mb/pg_wchar.h"

#include "source/csv/csvcheck.h"

#define MAX_SHOWN 100 /* bytes of a value in a reason */

void
mlplat_csv_check_init(MlplatCsvCheck *check, const MlplatCsvSample *sample, MlplatCsvField *fields,
					  const MlCsvReader *reader)
{
	check->sample = sample;
	check->fields = fields;
	check->reader = reader;
	check->numbers = ml_csv_numbers[sample->reading.way];
	check->other_numbers = sample->reading.way != ML_CSV_SQL;
	for (int j = 0; j < sample->n_columns; j++)
		fields[j].fit.order = sample->reading.order;
	if (!PG_VALID_BE_ENCODING(sample->encoding))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("rows in encoding \"%s\" cannot be checked or rewritten",
							   pg_encoding_to_char(sample->encoding)),
						errhint("Convert the file to UTF-8 first, for example with iconv.")));
}

/* ---- reasons */

static bool bad(MlplatCsvCheck *check, const char *column, const char *format, ...)
	pg_attribute_printf(3, 4);

static bool
bad(MlplatCsvCheck *check, const char *column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->reason, sizeof check->reason, format, args);
	va_end(args);
	check->column = column;
	check->code = ERRCODE_INVALID_TEXT_REPRESENTATION;
	return false;
}

void
mlplat_csv_check_failed(MlplatCsvCheck *check, ErrorData *error)
{
	int len = (int) strlen(error->message);

	if (!mlplat_csv_is_about_value(error->sqlerrcode))
		ReThrowError(error);
	bad(check, check->asking >= 0 ? check->fields[check->asking].name : NULL, "%.*s",
		pg_mbcliplen(error->message, len, Min(len, MLPLAT_MAX_REASON - 1)), error->message);
}

/* A value in the server's encoding. Throws where that cannot be. */
static const char *
to_server(const MlplatCsvCheck *check, const char *text, size_t len)
{
	return pg_any_to_server(text, (int) len, check->sample->encoding);
}

static bool
bad_number(MlplatCsvCheck *check, int j, const char *text, size_t len)
{
	const char *shown = to_server(check, text, len);
	int shown_len = pg_mbcliplen(shown, (int) strlen(shown), MAX_SHOWN);

	if (check->numbers.thousands)
		return bad(check, check->fields[j].name,
				   "\"%.*s\" is no number with decimal separator \"%c\" and \"%c\" between "
				   "thousands",
				   shown_len, shown, check->numbers.decimal, check->numbers.thousands);
	return bad(check, check->fields[j].name, "\"%.*s\" is no number with decimal separator \"%c\"",
			   shown_len, shown, check->numbers.decimal);
}

/* ---- the record as a whole */

/* Has the text neither bytes beyond ASCII nor zero bytes? */
static bool
is_ascii(const char *text, size_t len)
{
	const uint64 low = UINT64CONST(0x0101010101010101), high = UINT64CONST(0x8080808080808080);

	for (; len >= 8; text += 8, len -= 8)
	{
		uint64 bytes;

		memcpy(&bytes, text, 8);
		/* Subtracting 1 from each byte sets the high bit of those that are zero. */
		if ((bytes | (bytes - low)) & high)
			return false;
	}
	for (; len > 0; text++, len--)
		if (IS_HIGHBIT_SET(*text) || *text == '\0')
			return false;
	return true;
}

/* Is there a line of only "\." within the record? Before version 18, COPY takes it for the end, quoted or not. */
static bool
has_end_marker(const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *p = text; (p = memchr(p, '\n', (size_t) (end - p))) != NULL; p++)
		if (end - p > 3 && p[1] == '\\' && p[2] == '.' && (p[3] == '\n' || p[3] == '\r'))
			return true;
	return false;
}

static bool
check_whole(MlplatCsvCheck *check, const char *text, size_t len)
{
	int n = (int) check->reader->n_fields, expected = check->sample->n_columns;

	if (n != expected)
		return bad(check, NULL, "%d field%s where %d %s expected", n, n == 1 ? "" : "s", expected,
				   expected == 1 ? "is" : "are");
	if (!is_ascii(text, len))
		(void) to_server(check, text, len);
	if (has_end_marker(text, len))
		return bad(check, NULL, "a line inside quotes holds only \"\\.\"");
	return true;
}

/* In COPY's words: it would stumble over the first number that is not written as SQL does. */
static bool
check_n_fields(MlplatCsvCheck *check)
{
	int n = (int) check->reader->n_fields;

	if (n < check->sample->n_columns)
		bad(check, NULL, "missing data for column \"%s\"", check->fields[n].name);
	else if (n > check->sample->n_columns)
		bad(check, NULL, "extra data after last expected column");
	check->code = ERRCODE_BAD_COPY_FILE_FORMAT;
	return n == check->sample->n_columns;
}

/* ---- values */

size_t
mlplat_csv_rewrite(const MlplatCsvCheck *check, int j, char plain[ML_CSV_MAX_NUMBER])
{
	if (!check->other_numbers || !check->fields[j].is_number)
		return 0;
	return ml_csv_plain_number(check->numbers, ml_csv_text(check->reader, (size_t) j),
							   check->reader->fields[j].len, plain);
}

static bool
check_missing(MlplatCsvCheck *check, int j)
{
	MlplatCsvField *field = &check->fields[j];

	if (field->not_null)
		return bad(check, field->name, "null value in column \"%s\"", field->name);
	if (field->ask_null)
	{
		check->asking = j;
		mlplat_csv_ask(field, NULL);
		check->asking = -1;
	}
	return true;
}

static void
check_type(MlplatCsvCheck *check, int j, const char *text, size_t len)
{
	MlplatCsvField *field = &check->fields[j];

	if (ml_csv_fits(&field->fit, text, len))
		return;
	check->asking = j;
	mlplat_csv_ask(field, to_server(check, text, len));
	check->asking = -1;
}

static bool
check_field(MlplatCsvCheck *check, int j, bool all)
{
	const MlCsvField *field = &check->reader->fields[j];
	const char *text = ml_csv_text(check->reader, (size_t) j);
	char plain[ML_CSV_MAX_NUMBER];
	size_t len = field->len;

	if (!field->quoted && mlplat_csv_is_missing(check->sample, text))
		return !all || check_missing(check, j);
	if (check->other_numbers && check->fields[j].is_number)
	{
		len = mlplat_csv_rewrite(check, j, plain);
		if (len == 0)
			return bad_number(check, j, text, field->len);
		text = plain;
	}
	if (all)
		check_type(check, j, text, len);
	return true;
}

bool
mlplat_csv_check_record(MlplatCsvCheck *check, const char *text, size_t len, bool all)
{
	check->asking = -1;
	if (all && !check_whole(check, text, len))
		return false;
	/* Without all, COPY says that a quote is not closed. */
	if (!all && check->reader->unclosed)
		return true;
	if (!all && !check_n_fields(check))
		return false;
	for (int j = 0; j < check->sample->n_columns; j++)
		if (!check_field(check, j, all))
			return false;
	return true;
}
