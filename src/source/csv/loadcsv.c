/*
 * loadcsv.c
 *		CSV from any stream of bytes into a table: what import_csv and import_url have in common.
 *
 * A sample of the file says how it is written and what its columns are; the
 * table is created, or its columns are bound by name; then COPY loads the file,
 * which makes the speed, the rights and the behaviour those of COPY. After an
 * error there is no table and no row (importlog.h).
 */
#include "postgres.h"

#include "pg/compat.h"
#include "mb/pg_wchar.h"
#include "utils/guc.h"

#include "source/copyin.h"
#include "source/csv/csvfilter.h"
#include "source/csv/csvreading.h"
#include "source/csv/csvstream.h"
#include "source/gunzip.h"
#include "source/csv/loadcsv.h"
#include "source/importtarget.h"
#include "source/csv/utf16.h"

typedef struct Load
{
	MlplatImport *import;
	MlEnv *env;
	const MlParams *options;
	MlplatBytes *file; /* decompressed */
	MlplatTarget target;
	MlplatCsvSample *sample; /* NULL: not read yet */

	/* What COPY reads: the filter, or else the plain stream, which leaves out blank lines at the start. */
	void *stream;
	MlplatCsvFilter *filter;
	int64 n_skipped;
} Load;

/* ---- error messages */

static bool
is_value_error(int code)
{
	return code == ERRCODE_INVALID_TEXT_REPRESENTATION ||
		   code == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
}

static bool
is_date_error(int code)
{
	return code == ERRCODE_INVALID_DATETIME_FORMAT || code == ERRCODE_DATETIME_FIELD_OVERFLOW;
}

/* Say which file it was, and its line where COPY counts otherwise. */
static void
say_line(const Load *load)
{
	int64 seen = mlplat_copyin_line(load->stream), line = seen + load->n_skipped;

	if (seen > 0 && load->filter)
		line = mlplat_csv_filter_line(load->filter, seen);
	if (seen > 0 && seen != line)
		errcontext("import of %s, where it is line " INT64_FORMAT, load->file->name, line);
	else if (seen == 0 && (load->n_skipped > 0 || load->import->rejected > 0))
		errcontext("import of %s, where rejected rows and blank lines before them do not count",
				   load->file->name);
	else
		errcontext("import of %s", load->file->name);
}

/* Say which file it was, and what option may help. */
static void
load_error_callback(void *arg)
{
	const Load *load = arg;
	const MlplatCsvSample *sample = load->sample;
	int code = geterrcode();

	say_line(load);
	if (code == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE || code == ERRCODE_UNTRANSLATABLE_CHARACTER)
		errhint("If the file is in another encoding, name it, for example with the option "
				"{\"encoding\": \"LATIN1\"}.");
	else if (sample && is_date_error(code))
		errhint("Dates were read in the order %s. The option date_order names another, the option "
				"types another type.",
				mlplat_csv_order_name(sample->reading.order));
	else if (sample && load->target.created && is_value_error(code))
		errhint("The types were inferred from the first " INT64_FORMAT
				" rows. Look at more with the option {\"sample_rows\": 0}, or name the type, for "
				"example {\"types\": {\"column\": \"text\"}}.",
				sample->n_rows);
	else if (sample && code == ERRCODE_BAD_COPY_FILE_FORMAT)
		errhint("The file was read with delimiter %s and quote %c. The options delimiter, quote "
				"and escape name others.",
				sample->dialect.delimiter == '\t' ? "tab" : (char[]){sample->dialect.delimiter, 0},
				sample->dialect.quote);
}

/* ---- columns */

/* Without the option: the first record is a header when all its fields name columns, or look like names. */
static bool
is_header(const MlplatCsvSample *sample, void *arg)
{
	const Load *load = arg;

	if (load->target.rel && !sample->names_given)
	{
		int j = 0;

		while (j < sample->n_columns &&
			   mlplat_target_find_column(load->target.rel, sample->names[j]))
			j++;
		if (j == sample->n_columns)
			return true;
	}
	return sample->first_looks_named;
}

/* Without header and names, the columns are numbered. */
static void
number_columns(MlplatCsvSample *sample)
{
	for (int j = 0; j < sample->n_columns; j++)
		sample->names[j] = psprintf("column_%d", j + 1);
}

static void
create_target(Load *load)
{
	MlplatCsvSample *sample = load->sample;
	char **types = palloc(sizeof(char *) * sample->n_columns);

	mlplat_csv_choose_reading(sample, NULL, load->file->name);
	for (int j = 0; j < sample->n_columns; j++)
		types[j] = unconstify(
			char *, ml_csv_type_name(ml_csv_column_type(&sample->columns[j], &sample->reading)));
	mlplat_target_create(&load->target, sample->n_columns, sample->names, types,
						 load->options->values[CSV_TYPES].json);
}

static List *
bind_columns(const Load *load)
{
	const MlplatCsvSample *sample = load->sample;

	return mlplat_target_bind(&load->target, sample->n_columns, sample->names,
							  sample->names_given
								  ? NULL
								  : "If the first row holds no names, use the option "
									"{\"header\": false}; to name the columns of the file, "
									"{\"columns\": [...]}.");
}

/* ---- the import */

static List *
copy_options(const MlplatCsvSample *sample, bool header)
{
	const MlCsvDialect *dialect = &sample->dialect;
	List *options = mlplat_copy_option(NIL, "format", "csv");

	options = mlplat_copy_option(options, "delimiter", (char[]){dialect->delimiter, 0});
	options = mlplat_copy_option(options, "quote", (char[]){dialect->quote, 0});
	options = mlplat_copy_option(options, "escape", (char[]){dialect->escape, 0});
	options = mlplat_copy_option(options, "null", sample->missing[0]);
	options = mlplat_copy_option(options, "header", header ? "true" : "false");
	return mlplat_copy_option(options, "encoding", pg_encoding_to_char(sample->encoding));
}

/* Read the sample, and name the columns. True: the first record is the header. */
static bool
read_sample(Load *load)
{
	MlplatCsvSample *sample;
	bool header;

	sample = mlplat_csv_sample(load->file, load->env, load->options, is_header, load, &header);
	load->sample = sample;
	load->import->encoding = sample->encoding;
	if (!header && !sample->names_given)
		number_columns(sample);
	mlplat_target_check_names(sample->n_columns, sample->names);
	return header;
}

/* Open what COPY is to read. */
static MlplatByteFn
open_stream(Load *load, MlplatCsvField *fields, bool header)
{
	const MlplatCsvSample *sample = load->sample;
	MlplatCsvStream *plain;

	if (mlplat_csv_filter_needed(sample))
	{
		load->filter =
			mlplat_csv_filter_create(load->file, load->env, load->import, sample, fields, header);
		load->stream = load->filter;
		return mlplat_csv_filter_read;
	}
	load->stream = plain = palloc(sizeof(MlplatCsvStream));
	mlplat_csv_stream_init(plain, load->file, sample->n_columns == 1);
	if (header || sample->n_columns > 1)
	{
		mlplat_csv_stream_skip_blank(plain);
		load->n_skipped = sample->n_blank;
	}
	return mlplat_csv_stream_read;
}

static uint64
load_rows(Load *load)
{
	bool header = read_sample(load);
	MlplatCsvSample *sample = load->sample;
	MlplatCsvField *fields;
	MlplatByteFn read;
	List *columns = NIL;
	uint64 n_rows;
	int level;

	if (!load->target.rel)
		create_target(load);
	if (header || sample->names_given)
		columns = bind_columns(load);
	fields = mlplat_csv_fields(load->target.rel, columns, sample->n_columns);
	mlplat_csv_choose_reading(sample, fields, load->file->name);
	mlplat_csv_tell_reading(sample, load->file->name);
	read = open_stream(load, fields, header);
	level = NewGUCNestLevel();
	mlplat_csv_set_date_order(sample->reading.order);
	n_rows = mlplat_copyin_run(load->target.rel, columns, copy_options(sample, header),
							   load->import->function, read, load->stream);
	AtEOXact_GUC(true, level);
	return n_rows;
}

/* A share of rejected rows is looked at when all are known; their number, as they come (csvfilter.c). */
static void
check_share_rejected(const MlplatImport *import, const MlParams *options)
{
	double max =
		ml_param_given(options, CSV_MAX_REJECTS) ? ml_param_real(options, CSV_MAX_REJECTS) : 1;
	int64 n_rows = import->rows + import->rejected;

	if (max < 1 && (double) import->rejected > max * (double) n_rows)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg(INT64_FORMAT " of " INT64_FORMAT
											" rows are to be rejected, more than the share of %g",
							   import->rejected, n_rows, max)));
}

static void
check_options(const MlParams *options)
{
	if (ml_param_given(options, CSV_MAX_REJECTS) && ml_param_int(options, CSV_ON_ERROR) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"max_rejects\" needs {\"on_error\": \"reject\"}")));
}

/* 0: not given. */
static int64
max_bytes(const MlParams *options)
{
	return ml_param_given(options, CSV_MAX_BYTES) ? (int64) ml_param_real(options, CSV_MAX_BYTES)
												  : 0;
}

void
mlplat_load_csv(MlplatImport *import, MlplatBytes *bytes, MlEnv *env, const MlParams *options)
{
	Load load = {.import = import, .env = env, .options = options};
	ErrorContextCallback callback = {
		.callback = load_error_callback, .arg = &load, .previous = error_context_stack};

	check_options(options);
	load.file = mlplat_gunzip(bytes, max_bytes(options));
	if (!ml_param_given(options, CSV_ENCODING))
		load.file = mlplat_utf16(load.file);
	error_context_stack = &callback;
	mlplat_target_open(&load.target, import->target);
	import->rows += (int64) load_rows(&load);
	check_share_rejected(import, options);
	error_context_stack = callback.previous;
	import->bytes += load.file->n_read;
	mlplat_target_close(&load.target);
	mlplat_bytes_close(load.file);
}
