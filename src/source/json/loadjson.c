/*
 * loadjson.c
 *		JSON from any stream of bytes into a table.
 *
 * As for CSV: a sample says what the columns are; the table is created, or its
 * columns are bound by name; then COPY loads the rows, which makes the rights,
 * the constraints and the progress those of COPY. Nothing but the item at hand
 * is held in memory, so documents may be of any size.
 */
#include "postgres.h"

#include <limits.h>

#include "pg/compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/bridge.h"
#include "source/copyin.h"
#include "source/gunzip.h"
#include "source/json/jsonfeed.h"
#include "source/json/jsonoptions.h"
#include "source/json/loadjson.h"
#include "source/csv/utf16.h"

/* Without the option sample_rows, the sample is this many rows, and at most this many bytes. */
#define DEFAULT_ROWS 10000
#define DEFAULT_BYTES (4 * 1024 * 1024)

const MlParam mlplat_json_params[] = {
	{"path", ML_PARAM_TEXT, "\"$\"", 0, 0, NULL,
	 "where in a document the rows are: $, $.data.items, $.\"odd name\"[*]"},
	{"flatten", ML_PARAM_JSON, "false", 0, 0, NULL,
	 "whether members of nested objects are columns of their own; a number: so many levels"},
	{"separator", ML_PARAM_TEXT, "\"_\"", 0, 0, NULL,
	 "what stands between the keys in the name of such a column"},
	{"columns", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "array of the keys to load, or object of key and name of its column, null to leave it out"},
	{"types", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "object of column name and type, in place of the inferred types of a new table"},
	{"extra", ML_PARAM_CHOICE, "\"error\"", 0, 0, "error|ignore",
	 "what to do about a key that has no column: error or ignore"},
	{"sample_rows", ML_PARAM_INT, "null", 0, INT_MAX, NULL,
	 "rows from which columns and types are inferred, 0 for all (default: 10000 or 4 MB)"},
	{"on_error", ML_PARAM_CHOICE, "\"stop\"", 0, 0, "stop|reject",
	 "what to do about a row that cannot be taken: stop, or reject it into import_rejects"},
	{"max_rejects", ML_PARAM_REAL, "null", 0, 1e18, NULL,
	 "most rows that may be rejected, below 1 a share of all (default: any number)"},
	{"max_bytes", ML_PARAM_REAL, "null", 1, 1e18, NULL,
	 "most bytes that a gzip file may hold (default: 200 times its size, at least 1 GB)"},
	{NULL, ML_PARAM_INT, NULL, 0, 0, NULL, NULL}};

/* An import at work; everything of it is allocated in the current context. */
typedef struct Load
{
	MlEnv *env;
	MlArena arena;
	const MlParams *options;
	MlJsonPath path;
	MlJsonRow row;
	MlplatTarget target;
	MlplatJsonColumns columns;
	MlplatJsonFeed feed;
} Load;

/* ---- options */

/* How many levels of objects are opened below the row. */
static unsigned
flatten_levels(const MlParams *options)
{
	const MlJson *flatten = options->values[JSON_FLATTEN].json;

	if (flatten->type == ML_JSON_BOOL)
		return flatten->boolean ? ML_JSON_MAX_DEPTH : 0;
	if (flatten->type != ML_JSON_NUMBER || flatten->number < 0 ||
		flatten->number > ML_JSON_MAX_DEPTH || flatten->number != (unsigned) flatten->number)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"flatten\" must be true, false, or a number of levels up "
							   "to %d",
							   ML_JSON_MAX_DEPTH)));
	return (unsigned) flatten->number;
}

/* An option that only matters with another one would be passed over in silence. */
static void
check_options(const MlParams *options)
{
	if (ml_param_given(options, JSON_SEPARATOR) && flatten_levels(options) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"separator\" needs \"flatten\"")));
	if (ml_param_given(options, JSON_MAX_REJECTS) &&
		strcmp(ml_param_text(options, JSON_ON_ERROR), "reject") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"max_rejects\" needs {\"on_error\": \"reject\"}")));
}

/* 0: not given. */
static int64
max_bytes(const MlParams *options)
{
	return ml_param_given(options, JSON_MAX_BYTES) ? (int64) ml_param_real(options, JSON_MAX_BYTES)
												   : 0;
}

/* ---- the import */

static bool
is_value_error(int code)
{
	return code == ERRCODE_INVALID_TEXT_REPRESENTATION ||
		   code == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE || code == ERRCODE_INVALID_DATETIME_FORMAT ||
		   code == ERRCODE_DATETIME_FIELD_OVERFLOW;
}

/* Say what was read, and its line where COPY counts otherwise. */
static void
say_line(const Load *load)
{
	int64 row = mlplat_copyin_line(&load->feed);
	uint64 line = mlplat_json_feed_line(&load->feed, row);

	if (line > 0 && line != (uint64) row)
		errcontext("import of %s, where it is line " UINT64_FORMAT, load->feed.bytes->name, line);
	else if (row == 0)
		errcontext("import of %s, where COPY's lines are rows", load->feed.bytes->name);
	else
		errcontext("import of %s", load->feed.bytes->name);
}

/* Say what option may help as well. */
static void
load_error_callback(void *arg)
{
	const Load *load = arg;

	say_line(load);
	if (load->target.created && is_value_error(geterrcode()))
		errhint("The types were inferred from the first " INT64_FORMAT
				" rows. Look at more with the option {\"sample_rows\": 0}, or name the type, for "
				"example {\"types\": {\"column\": \"text\"}}.",
				load->columns.n_rows);
}

static void
read_sample(Load *load)
{
	MlplatJsonFeed *feed = &load->feed;
	bool given = ml_param_given(load->options, JSON_SAMPLE_ROWS);
	int64 max_rows = given ? ml_param_int(load->options, JSON_SAMPLE_ROWS) : DEFAULT_ROWS;
	uint64 n_bytes = 0;

	mlplat_json_feed_start(feed, true);
	while ((max_rows == 0 || load->columns.n_rows < max_rows) &&
		   (given || n_bytes <= DEFAULT_BYTES) && mlplat_json_feed_next(feed))
	{
		mlplat_json_observe(&load->columns);
		n_bytes += (uint64) (feed->reader.item_end - feed->reader.item);
	}
	mlplat_json_feed_end(feed);
}

static void
init_feed(Load *load, MlplatImport *import, MlplatBytes *bytes)
{
	const MlParams *options = load->options;

	load->feed =
		(MlplatJsonFeed){.import = import,
						 .bytes = bytes,
						 .env = load->env,
						 .path = &load->path,
						 .row = &load->row,
						 .columns = &load->columns,
						 .rejecting = strcmp(ml_param_text(options, JSON_ON_ERROR), "reject") == 0,
						 .max_rejects = ml_param_given(options, JSON_MAX_REJECTS)
											? ml_param_real(options, JSON_MAX_REJECTS)
											: 1e18};
	load->feed.batch =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat json", ALLOCSET_DEFAULT_SIZES);
	load->feed.lines = palloc(sizeof(uint64_t) * MLPLAT_JSON_LINES);
	ml_buffer_init(&load->feed.out, load->env);
}

static void
check_share_rejected(const MlplatJsonFeed *feed)
{
	const MlplatImport *import = feed->import;
	int64 n_rows = import->rows + import->rejected;

	if (feed->max_rejects < 1 && (double) import->rejected > feed->max_rejects * (double) n_rows)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg(INT64_FORMAT " of " INT64_FORMAT
											" rows are to be rejected, more than the share of %g",
							   import->rejected, n_rows, feed->max_rejects)));
}

static uint64
copy_rows(Load *load, const char *what)
{
	List *options = mlplat_copy_option(NIL, "format", "text");
	uint64 n_rows;

	options = mlplat_copy_option(options, "encoding", "UTF8");
	mlplat_json_feed_start(&load->feed, false);
	n_rows = mlplat_copyin_run(load->target.rel, mlplat_json_copy_columns(&load->columns), options,
							   what, mlplat_json_feed_read, &load->feed);
	mlplat_json_feed_end(&load->feed);
	return n_rows;
}

static void
load_bytes(Load *load, MlplatImport *import, MlplatBytes *bytes)
{
	mlplat_target_open(&load->target, import->target);
	mlplat_check(load->env,
				 ml_json_row_init(&load->row, &load->arena, flatten_levels(load->options)));
	init_feed(load, import, bytes);
	mlplat_json_columns_init(&load->columns, load->options, &load->target, &load->row, bytes->name);
	read_sample(load);
	mlplat_json_bind(&load->columns);
	mlplat_json_check_init(&load->feed.check, &load->columns, load->env);
	import->rows += (int64) copy_rows(load, import->function);
	check_share_rejected(&load->feed);
	if (load->feed.n_ignored > 0)
		ereport(NOTICE,
				(errmsg("values that were left out, as their keys have no column: " UINT64_FORMAT,
						load->feed.n_ignored)));
	mlplat_target_close(&load->target);
	ml_json_row_free(&load->row);
	ml_buffer_free(&load->feed.out);
}

void
mlplat_load_json(MlplatImport *import, MlplatBytes *bytes, MlEnv *env, const MlParams *options)
{
	Load *load = palloc0(sizeof(Load));
	ErrorContextCallback callback = {
		.callback = load_error_callback, .arg = load, .previous = error_context_stack};

	load->env = env;
	load->options = options;
	ml_arena_init(&load->arena, env);
	check_options(options);
	mlplat_check(env,
				 ml_json_path_parse(&load->arena, ml_param_text(options, JSON_PATH), &load->path));
	bytes = mlplat_utf16(mlplat_gunzip(bytes, max_bytes(options)));
	load->feed.bytes = bytes;
	import->encoding = PG_UTF8;
	error_context_stack = &callback;
	load_bytes(load, import, bytes);
	error_context_stack = callback.previous;
	import->bytes += bytes->n_read;
	ml_arena_free(&load->arena);
	mlplat_bytes_close(bytes);
}
