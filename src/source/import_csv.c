/*
 * import_csv.c
 *		import_csv: a CSV file on the server into a table.
 *
 * A sample of the file says how it is written and what its columns are; the
 * table is created, or its columns are bound by name; then COPY loads the file,
 * which makes the speed, the rights and the behaviour those of COPY. After an
 * error there is no table and no row (importlog.h).
 */
#include "postgres.h"

#include "pg/compat.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/bridge.h"
#include "pg/signature.h"
#include "source/copyin.h"
#include "source/csvsample.h"
#include "source/csvstream.h"
#include "source/gunzip.h"
#include "source/importlog.h"
#include "source/serverfile.h"
#include "source/target.h"

PG_FUNCTION_INFO_V1(mlplat_import_csv);

typedef struct Import
{
	const char *path;
	Jsonb *given_options;
	MlplatTarget target;
	MlEnv env;
	MlArena arena;
	MlParams options;
	const MlplatCsvSample *sample;
} Import;

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
import_error_callback(void *arg)
{
	const Import *import = arg;
	const MlplatCsvSample *sample = import->sample;
	int code = geterrcode();

	if (sample && sample->n_blank > 0)
		errcontext("import of file \"%s\", where " INT64_FORMAT
				   " blank lines at the start are not counted",
				   import->path, sample->n_blank);
	else
		errcontext("import of file \"%s\"", import->path);
	if (code == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE || code == ERRCODE_UNTRANSLATABLE_CHARACTER)
		errhint("If the file is in another encoding, name it, for example with the option "
				"{\"encoding\": \"LATIN1\"}.");
	else if (sample && import->target.created && is_value_error(code))
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
	const Import *import = arg;

	if (import->target.rel && !sample->names_given)
	{
		int j = 0;

		while (j < sample->n_columns &&
			   mlplat_target_find_column(import->target.rel, sample->names[j]))
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
create_target(Import *import)
{
	const MlplatCsvSample *sample = import->sample;
	char **types = palloc(sizeof(char *) * sample->n_columns);

	for (int j = 0; j < sample->n_columns; j++)
		types[j] = unconstify(
			char *, ml_csv_type_name(ml_csv_column_type(&sample->columns[j], sample->missing)));
	mlplat_target_create(&import->target, sample->n_columns, sample->names, types,
						 import->options.values[CSV_TYPES].json);
}

static List *
bind_columns(const Import *import)
{
	const MlplatCsvSample *sample = import->sample;

	return mlplat_target_bind(&import->target, sample->n_columns, sample->names,
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
import_file(Import *import, MlplatBytes *file)
{
	MlplatCsvSample *sample;
	MlplatCsvStream stream;
	List *columns = NIL;
	bool header;

	sample = mlplat_csv_sample(file, &import->env, &import->options, is_header, import, &header);
	import->sample = sample;
	if (!header && !sample->names_given)
		number_columns(sample);
	mlplat_target_check_names(sample->n_columns, sample->names);
	if (!import->target.rel)
		create_target(import);
	else if (header || sample->names_given)
		columns = bind_columns(import);
	mlplat_csv_stream_init(&stream, file, sample->n_columns == 1);
	if (header || sample->n_columns > 1)
		mlplat_csv_stream_skip_blank(&stream);
	return mlplat_copyin_run(import->target.rel, columns, copy_options(sample, header),
							 "import_csv", mlplat_csv_stream_read, &stream);
}

static void
parse_options(Import *import)
{
	const MlParam *table = mlplat_csv_params;
	Jsonb *options = import->given_options;
	char *text = JsonbToCString(NULL, &options->root, VARSIZE(options));
	MlJson *object;

	mlplat_check(&import->env, ml_json_parse(&import->arena, text, strlen(text), &object));
	mlplat_check(&import->env, ml_params_parse(&import->arena, "import_csv", &table, 1, object,
											   &import->options));
}

/* 0: not given. */
static int64
max_bytes(const MlParams *options)
{
	return ml_param_given(options, CSV_MAX_BYTES) ? (int64) ml_param_real(options, CSV_MAX_BYTES)
												  : 0;
}

/* The work of an import: everything of it is allocated in the current context. */
static void
import_csv(MlplatImport *log, void *arg)
{
	Import *import = arg;
	ErrorContextCallback callback = {
		.callback = import_error_callback, .arg = import, .previous = error_context_stack};
	MlplatBytes *file;

	mlplat_env_init(&import->env, CurrentMemoryContext);
	ml_arena_init(&import->arena, &import->env);
	parse_options(import);
	file = mlplat_gunzip(mlplat_server_file_open(import->path), max_bytes(&import->options));
	error_context_stack = &callback;
	mlplat_target_open(&import->target, log->target);
	log->rows = (int64) import_file(import, file);
	error_context_stack = callback.previous;
	log->bytes = file->n_read;
	mlplat_target_close(&import->target);
	mlplat_bytes_close(file);
}

Datum
mlplat_import_csv(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"target", "path", "options"};
	MlplatImport log = {.function = "import_csv", .kind = "csv"};
	Import import = {0};

	mlplat_need_arguments(fcinfo, 3);
	mlplat_result_desc(fcinfo, 4);
	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("argument \"%s\" must not be null", names[i])));
	import.path = text_to_cstring(PG_GETARG_TEXT_PP(1));
	import.given_options = PG_GETARG_JSONB_P(2);
	log.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	log.location = import.path;
	mlplat_import_run(&log, import_csv, &import);
	return mlplat_import_result(fcinfo, &log);
}
