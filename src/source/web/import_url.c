/*
 * import_url.c
 *		import_url: CSV or JSON from a web server into a table.
 *
 * First all is downloaded, into temporary files and within limits; then the
 * connection is closed and the rows are loaded as those of a file (loadcsv.h,
 * loadjson.h). After an error there is no table and no row (importlog.h).
 *
 * Who may use it: whom an administrator grants EXECUTE, for the hosts that the
 * setting mlplat.allowed_hosts has (url.c). The log of imports shows a URL
 * without the values of its query.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/arguments.h"
#include "pg/bridge.h"
#include "pg/signature.h"
#include "source/csv/csvsample.h"
#include "source/gunzip.h"
#include "source/importlog.h"
#include "source/csv/loadcsv.h"
#include "source/json/loadjson.h"
#include "source/web/pages.h"

PG_FUNCTION_INFO_V1(mlplat_import_url);

enum
{
	URL_FORMAT,
	URL_HEADERS,
	URL_TOKEN_FILE,
	URL_USER_MAPPING,
	URL_PAGES,
	URL_TIMEOUT,
	URL_CONNECT_TIMEOUT,
	URL_IDLE_TIMEOUT,
	URL_RETRIES,
	URL_RETRY_WAIT,
	URL_MAX_BYTES,
	URL_MAX_PAGES
};

static const MlParam url_params[] = {
	{"format", ML_PARAM_CHOICE, "null", 0, 0, "csv|json",
	 "what is read (default: as the server says, or the ending of the path)"},
	{"headers", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "object of names and values of further headers of the request"},
	{"token_file", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "file on the server with a token, sent as \"Authorization: Bearer\""},
	{"user_mapping", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "foreign server whose user mapping has a token, or a user and password"},
	{"pages", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "object that says how to get from page to page: next_link, cursor and param, or page, start "
	 "and step"},
	{"timeout", ML_PARAM_REAL, "300", 0.001, 1e6, NULL, "most seconds for all that is read"},
	{"connect_timeout", ML_PARAM_REAL, "10", 0.001, 1e6, NULL, "most seconds for one connection"},
	{"idle_timeout", ML_PARAM_INT, "30", 1, 1e6, NULL, "most seconds without a byte"},
	{"retries", ML_PARAM_INT, "3", 0, 20, NULL,
	 "how often a request is tried again after a failure that may pass"},
	{"retry_wait", ML_PARAM_REAL, "0.5", 0, 1e6, NULL,
	 "seconds before the first time, doubling to 30 at most"},
	{"max_bytes", ML_PARAM_REAL, "1073741824", 1, 1e18, NULL,
	 "most bytes to read, over the network as well as decompressed"},
	{"max_pages", ML_PARAM_INT, "1000", 1, 100000, NULL, "most pages to read"},
	{NULL, ML_PARAM_INT, NULL, 0, 0, NULL, NULL}};

typedef enum Format
{
	FORMAT_UNKNOWN = -1,
	FORMAT_CSV, /* in the order of the option's choices */
	FORMAT_JSON
} Format;

typedef struct UrlImport
{
	const char *url_text;
	Jsonb *given_options;
	MlEnv env;
	MlArena arena;
	const MlJson *object; /* the options as they were given */
	MlParams options;     /* of url_params */
	MlParams loader;      /* of the format's table, once it is known */
	Format format;
	const MlplatUrl *url;
} UrlImport;

/* ---- options */

static void
read_object(UrlImport *import)
{
	char *text = JsonbToCString(NULL, &import->given_options->root, VARSIZE(import->given_options));
	MlJson *object;

	mlplat_check(&import->env, ml_json_parse(&import->arena, text, strlen(text), &object));
	import->object = object;
}

/* Read our options and those of the format; while it is not known, those of either are taken. */
static void
parse_options(UrlImport *import, Format format)
{
	const MlParam *tables[3] = {url_params, mlplat_csv_params, mlplat_json_params};
	MlParams options[3];
	const char *where = "import_url";
	size_t n_tables = 3;

	if (format != FORMAT_UNKNOWN)
	{
		where = format == FORMAT_CSV ? "import_url of CSV" : "import_url of JSON";
		tables[1] = format == FORMAT_CSV ? mlplat_csv_params : mlplat_json_params;
		n_tables = 2;
	}
	mlplat_check(&import->env,
				 ml_params_parse(&import->arena, where, tables, n_tables, import->object, options));
	import->options = options[0];
	import->loader = options[1];
	import->format = format;
}

static Format
given_format(const UrlImport *import)
{
	const MlJson *given = ml_json_get(import->object, "format");

	if (!given || given->type != ML_JSON_STRING)
		return FORMAT_UNKNOWN;
	return strcmp(given->string, "csv") == 0    ? FORMAT_CSV
		   : strcmp(given->string, "json") == 0 ? FORMAT_JSON
												: FORMAT_UNKNOWN;
}

static MlplatCredentials
find_credentials(const UrlImport *import)
{
	const char *file = ml_param_text(&import->options, URL_TOKEN_FILE);
	const char *mapping = ml_param_text(&import->options, URL_USER_MAPPING);

	if (file && mapping)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options \"token_file\" and \"user_mapping\" exclude each other")));
	if (file)
		return mlplat_credentials_from_file(file);
	if (mapping)
		return mlplat_credentials_from_mapping(mapping, import->url);
	return (MlplatCredentials){0};
}

/* Two answers to who we are would both be sent. */
static void
check_authorization(const MlplatHttpSettings *settings)
{
	const MlJson *headers = settings->headers;

	if (!headers || (!settings->credentials.token && !settings->credentials.user))
		return;
	for (size_t i = 0; i < headers->n; i++)
		if (pg_strcasecmp(headers->keys[i], "Authorization") == 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("header \"%s\" excludes token_file and user_mapping",
								   headers->keys[i])));
}

static MlplatHttpSettings
http_settings(const UrlImport *import)
{
	const MlParams *options = &import->options;
	MlplatHttpSettings settings = {.connect_timeout =
									   (int) (ml_param_real(options, URL_CONNECT_TIMEOUT) * 1000),
								   .idle_timeout = ml_param_int(options, URL_IDLE_TIMEOUT)};

	if (ml_param_given(options, URL_HEADERS))
	{
		settings.headers = options->values[URL_HEADERS].json;
		mlplat_http_check_headers(settings.headers);
	}
	settings.credentials = find_credentials(import);
	check_authorization(&settings);
	return settings;
}

static MlplatFetchLimits
fetch_limits(const MlParams *options)
{
	return (MlplatFetchLimits){.timeout = ml_param_real(options, URL_TIMEOUT),
							   .max_bytes = (int64) ml_param_real(options, URL_MAX_BYTES),
							   .retries = ml_param_int(options, URL_RETRIES),
							   .retry_wait = ml_param_real(options, URL_RETRY_WAIT)};
}

/* NULL: there is one page. */
static const MlplatPaging *
find_paging(UrlImport *import)
{
	MlplatPaging *paging;

	if (!ml_param_given(&import->options, URL_PAGES))
		return NULL;
	paging = palloc0(sizeof(MlplatPaging));
	mlplat_paging_parse(&import->arena, import->options.values[URL_PAGES].json, paging);
	paging->max_pages = ml_param_int(&import->options, URL_MAX_PAGES);
	paging->max_bytes = (int64) ml_param_real(&import->options, URL_MAX_BYTES);
	return paging;
}

/* ---- CSV or JSON */

static bool
ends_with(const char *text, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len >= n && pg_strncasecmp(text + len - n, ending, n) == 0;
}

/* What the server calls it; plain text and bytes may be anything. */
static Format
format_by_type(const char *type)
{
	size_t len = strcspn(type, "; \t,");

	if (ends_with(type, len, "/csv") || ends_with(type, len, "/tab-separated-values"))
		return FORMAT_CSV;
	if (ends_with(type, len, "json") || ends_with(type, len, "/jsonl") ||
		ends_with(type, len, "/json-seq"))
		return FORMAT_JSON;
	return FORMAT_UNKNOWN;
}

static Format
format_by_path(const char *path)
{
	size_t len = strlen(path);

	if (ends_with(path, len, ".gz"))
		len -= strlen(".gz");
	if (ends_with(path, len, ".csv") || ends_with(path, len, ".tsv"))
		return FORMAT_CSV;
	if (ends_with(path, len, "json") || ends_with(path, len, ".jsonl"))
		return FORMAT_JSON;
	return FORMAT_UNKNOWN;
}

static Format
find_format(const UrlImport *import, const MlplatHttpAnswer *answer)
{
	Format format = import->format;

	if (format == FORMAT_UNKNOWN)
		format = format_by_type(answer->content_type);
	if (format == FORMAT_UNKNOWN)
		format = format_by_path(import->url->path);
	if (format == FORMAT_UNKNOWN)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("whether \"%s\" is CSV or JSON cannot be told", import->url->shown),
			 errdetail("The server calls it \"%s\".", answer->content_type),
			 errhint("Say so with the option {\"format\": \"csv\"} or {\"format\": \"json\"}.")));
	return format;
}

/* ---- the import */

static const char *
find_text(const MlParams *options, const char *name)
{
	for (size_t i = 0; i < options->n; i++)
		if (strcmp(options->table[i].name, name) == 0)
			return options->values[i].text;
	return NULL;
}

/* What to know about a page's inside; that pages of CSV have a header is taken for granted, and then told to the loader. */
static MlplatPageLayout
page_layout(UrlImport *import)
{
	MlplatPageLayout layout = {.json = import->format == FORMAT_JSON, .quote = '"'};
	MlJsonPath *rows = palloc0(sizeof(MlJsonPath));
	const char *text;

	if (layout.json)
	{
		text = find_text(&import->loader, "path");
		mlplat_check(&import->env, ml_json_path_parse(&import->arena, text ? text : "$", rows));
		layout.rows = rows;
		return layout;
	}
	text = ml_param_text(&import->loader, CSV_QUOTE);
	layout.quote = text ? text[0] : '"';
	layout.header =
		!ml_param_given(&import->loader, CSV_HEADER) || ml_param_bool(&import->loader, CSV_HEADER);
	import->loader.values[CSV_HEADER].given = true;
	import->loader.values[CSV_HEADER].null = false;
	import->loader.values[CSV_HEADER].number = layout.header;
	return layout;
}

/* Pages of CSV can say where the next one is in their headers only. */
static void
check_paging(const UrlImport *import, const MlplatPaging *paging)
{
	if (import->format == FORMAT_CSV &&
		(paging->kind == PAGING_LINK || paging->kind == PAGING_CURSOR))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("pages of CSV have no JSON path \"%s\"", paging->path.text),
						errhint("Use {\"next_link\": \"link_header\"} or {\"page\": ...}.")));
}

/* Download all; the format and the loader's options are known afterwards. */
static MlplatBytes *
download(UrlImport *import, const MlplatPaging *paging, MlplatFetch *fetch)
{
	const MlplatUrl *first = paging ? mlplat_paging_first(paging, import->url) : import->url;
	MlplatSpool *body = mlplat_spool_create(psprintf("download \"%s\"", import->url->shown));
	MlplatHttpAnswer *answer = palloc(sizeof(MlplatHttpAnswer));
	const MlplatUrl *from = mlplat_fetch_get(fetch, first, body, answer);
	MlplatBytes *bytes;
	MlplatPageLayout layout;

	parse_options(import, find_format(import, answer));
	bytes = mlplat_gunzip(mlplat_spool_read(body),
						  (int64) ml_param_real(&import->options, URL_MAX_BYTES));
	if (!paging)
		return bytes;
	check_paging(import, paging);
	layout = page_layout(import);
	return mlplat_pages_collect(paging, &layout, fetch, &import->env, import->url, from, answer,
								bytes);
}

/* The work of an import: everything of it is allocated in the current context. */
static void
import_url(MlplatImport *log, void *arg)
{
	UrlImport *import = arg;
	const MlplatPaging *paging;
	MlplatHttpSettings settings;
	MlplatFetchLimits limits;
	MlplatFetch *fetch;
	MlplatBytes *bytes;

	mlplat_env_init(&import->env, CurrentMemoryContext);
	ml_arena_init(&import->arena, &import->env);
	read_object(import);
	parse_options(import, given_format(import));
	import->url = mlplat_url_parse(import->url_text);
	mlplat_url_check_allowed(import->url);
	paging = find_paging(import);
	settings = http_settings(import);
	limits = fetch_limits(&import->options);
	fetch = mlplat_fetch_open(&settings, &limits);
	bytes = download(import, paging, fetch);
	mlplat_fetch_close(fetch);
	if (import->format == FORMAT_CSV)
		mlplat_load_csv(log, bytes, &import->env, &import->loader);
	else
		mlplat_load_json(log, bytes, &import->env, &import->loader);
	log->bytes = (uint64) mlplat_fetch_bytes(fetch);
}

Datum
mlplat_import_url(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"target", "url", "options"};
	MlplatImport log = {.function = "import_url", .kind = "url"};
	UrlImport import = {0};

	mlplat_need_arguments(fcinfo, 3);
	mlplat_result_desc(fcinfo, 4);
	mlplat_refuse_nulls(fcinfo, names, lengthof(names));
	import.url_text = text_to_cstring(PG_GETARG_TEXT_PP(1));
	import.given_options = PG_GETARG_JSONB_P(2);
	log.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	log.location = mlplat_url_shown(import.url_text);
	mlplat_import_run(&log, import_url, &import);
	return mlplat_import_result(fcinfo, &log);
}
