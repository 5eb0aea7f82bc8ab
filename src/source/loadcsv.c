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

#include "source/copyin.h"
#include "source/csvsample.h"
#include "source/csvstream.h"
#include "source/gunzip.h"
#include "source/loadcsv.h"
#include "source/target.h"

typedef struct Load
{
	MlplatImport *import;
	MlEnv *env;
	const MlParams *options;
	MlplatBytes *file; /* decompressed */
	MlplatTarget target;
	const MlplatCsvSample *sample; /* NULL: not read yet */
} Load;

/* ---- error messages */

static bool
is_value_error(int code)
{
	return code == ERRCODE_INVALID_TEXT_REPRESENTATION ||
		   code == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE || code == ERRCODE_INVALID_DATETIME_FORMAT ||
		   code == ERRCODE_DATETIME_FIELD_OVERFLOW;
}

/* Say which file it was, and what option may help. */
static void
load_error_callback(void *arg)
{
	const Load *load = arg;
	const MlplatCsvSample *sample = load->sample;
	int code = geterrcode();

	if (sample && sample->n_blank > 0)
		errcontext("import of %s, where " INT64_FORMAT " blank lines at the start are not counted",
				   load->file->name, sample->n_blank);
	else
		errcontext("import of %s", load->file->name);
	if (code == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE || code == ERRCODE_UNTRANSLATABLE_CHARACTER)
		errhint("If the file is in another encoding, name it, for example with the option "
				"{\"encoding\": \"LATIN1\"}.");
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
	const MlplatCsvSample *sample = load->sample;
	char **types = palloc(sizeof(char *) * sample->n_columns);

	for (int j = 0; j < sample->n_columns; j++)
		types[j] = unconstify(
			char *, ml_csv_type_name(ml_csv_column_type(&sample->columns[j], sample->missing)));
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
	options = mlplat_copy_option(options, "null", sample->missing);
	options = mlplat_copy_option(options, "header", header ? "true" : "false");
	return mlplat_copy_option(options, "encoding", pg_encoding_to_char(sample->encoding));
}

static uint64
load_rows(Load *load)
{
	MlplatCsvSample *sample;
	MlplatCsvStream stream;
	List *columns = NIL;
	bool header;

	sample = mlplat_csv_sample(load->file, load->env, load->options, is_header, load, &header);
	load->sample = sample;
	if (!header && !sample->names_given)
		number_columns(sample);
	mlplat_target_check_names(sample->n_columns, sample->names);
	if (!load->target.rel)
		create_target(load);
	else if (header || sample->names_given)
		columns = bind_columns(load);
	mlplat_csv_stream_init(&stream, load->file, sample->n_columns == 1);
	if (header || sample->n_columns > 1)
		mlplat_csv_stream_skip_blank(&stream);
	return mlplat_copyin_run(load->target.rel, columns, copy_options(sample, header),
							 load->import->function, mlplat_csv_stream_read, &stream);
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

	load.file = mlplat_gunzip(bytes, max_bytes(options));
	error_context_stack = &callback;
	mlplat_target_open(&load.target, import->target);
	import->rows += (int64) load_rows(&load);
	error_context_stack = callback.previous;
	import->bytes += load.file->n_read;
	mlplat_target_close(&load.target);
	mlplat_bytes_close(load.file);
}
