/*
 * csvsample.c
 *		What the start of a CSV file says: dialect, encoding, names, types.
 *
 * The dialect is guessed from the first megabyte. Then records are read on and
 * looked at one by one, so that a sample of any number of rows costs the memory
 * of one record.
 */
#include "postgres.h"

#include <ctype.h>
#include <limits.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "core/buffer.h"
#include "pg/bridge.h"
#include "source/csv/csvsample.h"
#include "source/csv/csvstream.h"
#include "source/csv/loadcsv.h"

#define PIECE_SIZE (1024 * 1024)

/* Without the option sample_rows, the sample is this many rows, and at most this many bytes. */
#define DEFAULT_ROWS 10000
#define DEFAULT_BYTES (4 * 1024 * 1024)

/* A longer record ends the sample, unless it is the first: most likely a quote was never closed, which COPY will say. */
#define MAX_RECORD (16 * 1024 * 1024)

const MlParam mlplat_csv_params[] = {
	{"header", ML_PARAM_BOOL, "null", 0, 0, NULL,
	 "whether the first row holds the names of the columns (default: detected)"},
	{"delimiter", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "character between fields (default: detected among comma, semicolon, tab and bar)"},
	{"quote", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "character around fields (default: detected, a double quote or an apostrophe)"},
	{"escape", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "character before a quote inside quotes (default: the quote)"},
	{"null", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "unquoted text, or array of texts, for missing values (default: nothing, and what is "
	 "detected)"},
	{"encoding", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "encoding of the file (default: UTF-8 or UTF-16, else the database's or WIN1252)"},
	{"columns", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "array of names for the columns, in place of the header's"},
	{"types", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "object of column name and type, in place of the inferred types of a new table"},
	{"sample_rows", ML_PARAM_INT, "null", 0, INT_MAX, NULL,
	 "rows from which types are inferred, 0 for all (default: 10000 or 4 MB)"},
	{"max_bytes", ML_PARAM_REAL, "null", 1, 1e18, NULL,
	 "most bytes that a gzip file may hold (default: 200 times its size, at least 1 GB)"},
	{"decimal", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "decimal separator, a point or a comma (default: detected)"},
	{"thousands", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "separator between groups of three digits, empty for none (default: detected)"},
	{"date_order", ML_PARAM_CHOICE, "null", 0, 0, "ymd|dmy|mdy",
	 "order of day, month and year where it is not year-month-day (default: detected)"},
	{"on_error", ML_PARAM_CHOICE, "\"stop\"", 0, 0, "stop|reject",
	 "what a row that does not fit does: end the import, or go to import_rejects"},
	{"max_rejects", ML_PARAM_REAL, "null", 0, 1e18, NULL,
	 "rejected rows beyond which the import fails; below 1: share of all rows (default: no limit)"},
	{NULL, ML_PARAM_INT, NULL, 0, 0, NULL, NULL}};

/* A reading of the sample in progress. */
typedef struct Sampler
{
	MlplatBytes *file;
	MlEnv *env;
	MlplatCsvSample *sample;
	MlCsvReader reader;
	char *piece;
	const char *next, *end;
	int64 n_bytes;         /* read from the file */
	bool last;             /* the piece is the last of the file */
	int64 n_utf8, n_other; /* fields with characters beyond ASCII that are UTF-8, that are not */
} Sampler;

/* The option's character; 0 when it is not given. */
static char
option_char(const MlParams *options, int index)
{
	const char *text = ml_param_text(options, index);

	if (!text)
		return 0;
	if (index == CSV_DELIMITER && strcmp(text, "tab") == 0)
		return '\t';
	if (strlen(text) != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" must be a single one-byte character",
							   mlplat_csv_params[index].name)));
	return text[0];
}

static void
next_piece(Sampler *sampler)
{
	int n = sampler->n_bytes == 0 ? mlplat_csv_read_start(sampler->file, sampler->piece, PIECE_SIZE)
								  : mlplat_bytes_read(sampler->file, sampler->piece, PIECE_SIZE);

	sampler->next = sampler->piece;
	sampler->end = sampler->piece + n;
	sampler->n_bytes += n;
	sampler->last = n < PIECE_SIZE;
}

/* The first piece must be text that the server can read byte by byte. */
static void
check_start(const Sampler *sampler)
{
	const char *name = sampler->file->name;
	const char *data = sampler->piece;
	int64 n = sampler->n_bytes;

	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT), errmsg("%s is empty", name)));
	if (n >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s is in UTF-16", name),
						errhint("Leave out the option encoding.")));
}

/* The encoding that was given, or -1. */
static int
given_encoding(const MlParams *options)
{
	const char *name = ml_param_text(options, CSV_ENCODING);
	int encoding = name ? pg_char_to_encoding(name) : -1;

	if (name && encoding < 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("encoding \"%s\" does not exist", name)));
	return encoding;
}

/* Look for characters beyond ASCII. */
static void
observe_bytes(Sampler *sampler, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (IS_HIGHBIT_SET(text[i]))
		{
			if (ml_utf8_valid(text, len))
				sampler->n_utf8++;
			else
				sampler->n_other++;
			return;
		}
}

/*
 * Without the option, and when the origin does not say: UTF-8, also when a part of it is damaged. Only if nothing
 * beyond ASCII is UTF-8, the database's encoding; if that is UTF-8, the one of Windows in Western Europe and America.
 */
static void
guess_encoding(Sampler *sampler)
{
	MlplatCsvSample *sample = sampler->sample;

	if (ml_param_given(sample->options, CSV_ENCODING))
		return;
	sample->encoding = sampler->file->encoding;
	if (sample->encoding != PG_SQL_ASCII)
		return;
	sample->encoding_guessed = sampler->n_utf8 == 0 && sampler->n_other > 0;
	sample->encoding = PG_UTF8;
	if (sample->encoding_guessed && GetDatabaseEncoding() != PG_UTF8)
		sample->encoding = GetDatabaseEncoding();
	else if (sample->encoding_guessed)
		sample->encoding = PG_WIN1252;
}

static void
find_dialect(Sampler *sampler)
{
	MlplatCsvSample *sample = sampler->sample;

	sample->dialect.delimiter = option_char(sample->options, CSV_DELIMITER);
	sample->dialect.quote = option_char(sample->options, CSV_QUOTE);
	sample->dialect.escape = option_char(sample->options, CSV_ESCAPE);
	mlplat_check(sampler->env, ml_csv_sniff(sampler->env, sampler->piece, (size_t) sampler->n_bytes,
											sampler->last, &sample->dialect));
}

/* Is the record just read a blank line, which is no row? With one column it is one. */
static bool
is_blank(const Sampler *sampler)
{
	const MlCsvReader *reader = &sampler->reader;

	return sampler->sample->n_columns != 1 && reader->n_fields == 1 && reader->fields[0].len == 0 &&
		   !reader->fields[0].quoted;
}

/* Read the next record that is not blank. False at the end, or when a record is too long. */
static bool
next_record(Sampler *sampler)
{
	for (;;)
	{
		bool whole;
		MlStatus status =
			ml_csv_next(&sampler->reader, &sampler->next, sampler->end, sampler->last, &whole);

		if (status == ML_EDATA && sampler->sample->n_columns > 0)
			return false;
		mlplat_check(sampler->env, status);
		if (whole && !is_blank(sampler))
			return true;
		if (!whole && sampler->last)
		{
			sampler->sample->whole_file = true;
			return false;
		}
		if (!whole)
			next_piece(sampler);
	}
}

/* A header's field as a name: in the server's encoding, trimmed, of legal length; column_N when empty. */
static char *
make_name(const char *text, size_t len, int position, int encoding)
{
	char *name;

	while (len > 0 && isspace((unsigned char) text[len - 1]))
		len--;
	for (; len > 0 && isspace((unsigned char) *text); text++)
		len--;
	if (len == 0)
		return psprintf("column_%d", position + 1);
	name = pnstrdup(text, len);
	name = pg_any_to_server(name, (int) len, encoding);
	len = strlen(name);
	if (len >= NAMEDATALEN)
		name[pg_mbcliplen(name, (int) len, NAMEDATALEN - 1)] = '\0';
	return name;
}

/* The names of the option "columns"; false when it is not given. */
static bool
take_given_names(MlplatCsvSample *sample)
{
	const MlJson *given = sample->options->values[CSV_COLUMNS].json;

	if (!given || given->type == ML_JSON_NULL)
		return false;
	if (given->type != ML_JSON_ARRAY || given->n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"columns\" must be an array of names")));
	if (given->n != (size_t) sample->n_columns)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"columns\" has %zu names, the first row of the file has %d "
							   "fields",
							   given->n, sample->n_columns)));
	for (size_t j = 0; j < given->n; j++)
	{
		const MlJson *name = &given->items[j];

		if (name->type != ML_JSON_STRING)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"columns\" must be an array of names")));
		sample->names[j] =
			make_name(name->string, strlen(name->string), (int) j, GetDatabaseEncoding());
	}
	return true;
}

/* Names and number of columns, from the record just read. */
static void
take_first_record(Sampler *sampler)
{
	MlplatCsvSample *sample = sampler->sample;
	const MlCsvReader *reader = &sampler->reader;

	sample->n_columns = (int) reader->n_fields;
	if (sample->n_columns > MaxHeapAttributeNumber)
		ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
						errmsg("the data has %d columns, a table can have %d", sample->n_columns,
							   MaxHeapAttributeNumber)));
	sample->n_blank = (int64) reader->n_records - 1;
	sample->names = palloc(sizeof(char *) * reader->n_fields);
	sample->columns = palloc(sizeof(MlCsvColumn) * reader->n_fields);
	sample->names_given = take_given_names(sample);
	sample->first_looks_named = true;
	for (int j = 0; j < sample->n_columns; j++)
	{
		const char *text = ml_csv_text(reader, (size_t) j);

		ml_csv_column_init(&sample->columns[j]);
		if (ml_csv_is_value(text, reader->fields[j].len))
			sample->first_looks_named = false;
		observe_bytes(sampler, text, reader->fields[j].len);
		if (!sample->names_given && memchr(text, '\0', reader->fields[j].len))
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("the first row of %s has a zero byte", sampler->file->name)));
	}
	guess_encoding(sampler);
	for (int j = 0; j < sample->n_columns && !sample->names_given; j++)
		sample->names[j] =
			make_name(ml_csv_text(reader, (size_t) j), reader->fields[j].len, j, sample->encoding);
}

/* ---- missing values */

/* The words of the option "null"; false when it is not given. */
static bool
take_given_missing(MlplatCsvSample *sample)
{
	const MlJson *given = sample->options->values[CSV_NULL].json;
	size_t n = given && given->type == ML_JSON_ARRAY ? given->n : 1;

	if (!given || given->type == ML_JSON_NULL)
		return false;
	sample->missing = palloc(sizeof(char *) * (n + 1));
	for (size_t i = 0; i < n; i++)
	{
		const MlJson *word = given->type == ML_JSON_ARRAY ? &given->items[i] : given;

		if (word->type != ML_JSON_STRING)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"null\" must be a text or an array of texts")));
		sample->missing[sample->n_missing++] = word->string;
	}
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"null\" must be a text or an array of texts")));
	return true;
}

static void
find_missing(MlplatCsvSample *sample)
{
	MlCsvMissing *missing = &sample->reading.missing;

	*missing = ml_csv_find_missing(sample->columns, (size_t) sample->n_columns);
	sample->missing = palloc(sizeof(char *) * (1 + 8 * sizeof missing->markers));
	if (missing->empty)
		sample->missing[sample->n_missing++] = "";
	for (int m = 0; ml_csv_marker(m); m++)
		if (missing->markers & (1u << m))
			sample->missing[sample->n_missing++] = ml_csv_marker(m);
}

bool
mlplat_csv_is_missing(const MlplatCsvSample *sample, const char *text)
{
	for (int i = 0; i < sample->n_missing; i++)
		if (strcmp(text, sample->missing[i]) == 0)
			return true;
	return false;
}

/* ---- rows */

/* Look at the values of the record just read. Fields beyond the columns are COPY's to complain of. */
static void
observe_record(Sampler *sampler)
{
	MlplatCsvSample *sample = sampler->sample;
	const MlCsvReader *reader = &sampler->reader;
	size_t n = Min((size_t) sample->n_columns, reader->n_fields);

	for (size_t j = 0; j < n; j++)
	{
		const MlCsvField *field = &reader->fields[j];
		const char *text = ml_csv_text(reader, j);

		observe_bytes(sampler, text, field->len);
		if (field->quoted || !mlplat_csv_is_missing(sample, text))
			ml_csv_observe(&sample->columns[j], text, field->len, field->quoted);
	}
	sample->n_rows++;
}

static void
observe_records(Sampler *sampler, bool header)
{
	MlplatCsvSample *sample = sampler->sample;
	const MlParams *options = sample->options;
	bool given = ml_param_given(options, CSV_SAMPLE_ROWS);
	int64 max_rows = given ? ml_param_int(options, CSV_SAMPLE_ROWS) : DEFAULT_ROWS;
	bool missing_given = take_given_missing(sample);

	if (!header)
		observe_record(sampler);
	while ((max_rows == 0 || sample->n_rows < max_rows) &&
		   (given || sampler->n_bytes <= DEFAULT_BYTES) && next_record(sampler))
		observe_record(sampler);
	if (!missing_given)
		find_missing(sample);
	guess_encoding(sampler);
}

MlplatCsvSample *
mlplat_csv_sample(MlplatBytes *file, MlEnv *env, const MlParams *options, MlplatHeaderFn is_header,
				  void *arg, bool *header)
{
	MlplatCsvSample *sample = palloc0(sizeof(MlplatCsvSample));
	Sampler sampler = {.file = file, .env = env, .sample = sample};

	sample->options = options;
	sampler.piece = palloc(PIECE_SIZE);
	next_piece(&sampler);
	check_start(&sampler);
	sample->encoding = given_encoding(options);
	find_dialect(&sampler);
	ml_csv_reader_init(&sampler.reader, env, sample->dialect, MAX_RECORD);
	if (!next_record(&sampler))
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("%s does not start with a row of fields", file->name)));
	take_first_record(&sampler);
	*header = ml_param_given(options, CSV_HEADER) ? ml_param_bool(options, CSV_HEADER)
												  : is_header(sample, arg);
	observe_records(&sampler, *header);
	ml_csv_reader_free(&sampler.reader);
	pfree(sampler.piece);
	return sample;
}
