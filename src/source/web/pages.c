/*
 * pages.c
 *		What a server gives out in pages, as one stream of bytes.
 *
 * All pages are fetched before the first row is loaded: types are inferred from
 * all of them, and no connection is held while the table is written. One page at
 * a time is in memory.
 *
 * A server decides how many pages there are, so nothing of it is trusted to end:
 * a page that was read before, a page that is the same as the one before it, and
 * a page beyond max_pages are errors. Nothing is left out in silence.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/rng.h"
#include "data/json/jsonpick.h"
#include "data/weblink.h"
#include "pg/bridge.h"
#include "source/gunzip.h"
#include "source/web/pages.h"

#define PIECE_SIZE (1024 * 1024)
#define MAX_PAGE (256 * 1024 * 1024)

/* A walk from page to page. */
typedef struct Walk
{
	const MlplatPaging *paging;
	const MlplatPageLayout *layout;
	MlplatFetch *fetch;
	MlEnv *env;
	const MlplatUrl *url;  /* as the caller gave it */
	const MlplatUrl *from; /* where the page came from */
	MlplatSpool *all;
	MemoryContext context;      /* of what outlives a page */
	char next[MLPLAT_URL_SIZE]; /* URL of the page to come */

	/* The page under way. */
	char *text;
	size_t len, capacity;
	int number; /* from 1 */
	bool empty; /* has no rows */
	MlplatHttpAnswer answer;

	uint64 *seen;   /* hashes of the URLs of all pages */
	uint64 content; /* hash of the page before */
	int64 n_bytes;  /* of all pages */
	char *header;   /* CSV: of the first page */
	size_t header_len;
} Walk;

/* ---- options */

enum
{
	PAGES_NEXT_LINK,
	PAGES_CURSOR,
	PAGES_PARAM,
	PAGES_PAGE,
	PAGES_START,
	PAGES_STEP
};

static const MlParam pages_params[] = {
	{"next_link", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "where the URL of the next page is: link_header, or a path in the JSON body such as $.next"},
	{"cursor", ML_PARAM_TEXT, "null", 0, 0, NULL,
	 "path in the JSON body of the value that stands for the next page"},
	{"param", ML_PARAM_TEXT, "null", 0, 0, NULL, "parameter of the URL that takes the cursor"},
	{"page", ML_PARAM_TEXT, "null", 0, 0, NULL, "parameter of the URL that takes a number"},
	{"start", ML_PARAM_INT, "1", 0, INT_MAX, NULL, "number of the first page"},
	{"step", ML_PARAM_INT, "1", 1, INT_MAX, NULL,
	 "what the next page has more, such as the size of a page for offsets"},
	{NULL, ML_PARAM_INT, NULL, 0, 0, NULL, NULL}};

static void
check_combination(const MlParams *options)
{
	bool cursor = ml_param_given(options, PAGES_CURSOR);
	int n = ml_param_given(options, PAGES_NEXT_LINK) + cursor + ml_param_given(options, PAGES_PAGE);

	if (n != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"pages\" needs one of next_link, cursor and page")));
	if (cursor != ml_param_given(options, PAGES_PARAM))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"pages\" needs cursor and param together")));
	if (!ml_param_given(options, PAGES_PAGE) &&
		(ml_param_given(options, PAGES_START) || ml_param_given(options, PAGES_STEP)))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"pages\" has start and step only with page")));
}

/* Letters, digits and what else needs no escape in a query. */
static const char *
check_parameter(const char *name)
{
	if (*name == '\0' || name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
										   "0123456789-._~[]$@:")] != '\0')
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" is no name of a parameter of a URL", name)));
	return name;
}

static void
parse_path(MlArena *arena, const char *text, MlJsonPath *path)
{
	mlplat_check(arena->env, ml_json_path_parse(arena, text, path));
	if (path->elements || path->n == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("JSON path \"%s\" does not lead to one value", text)));
}

void
mlplat_paging_parse(MlArena *arena, const MlJson *option, MlplatPaging *paging)
{
	const MlParam *table = pages_params;
	MlParams options;
	const char *link;

	mlplat_check(arena->env,
				 ml_params_parse(arena, "import_url's pages", &table, 1, option, &options));
	check_combination(&options);
	link = ml_param_text(&options, PAGES_NEXT_LINK);
	paging->start = ml_param_int(&options, PAGES_START);
	paging->step = ml_param_int(&options, PAGES_STEP);
	if (ml_param_given(&options, PAGES_PAGE))
	{
		paging->kind = PAGING_NUMBER;
		paging->parameter = check_parameter(ml_param_text(&options, PAGES_PAGE));
	}
	else if (ml_param_given(&options, PAGES_CURSOR))
	{
		paging->kind = PAGING_CURSOR;
		paging->parameter = check_parameter(ml_param_text(&options, PAGES_PARAM));
		parse_path(arena, ml_param_text(&options, PAGES_CURSOR), &paging->path);
	}
	else if (strcmp(link, "link_header") == 0)
		paging->kind = PAGING_LINK_HEADER;
	else
	{
		paging->kind = PAGING_LINK;
		parse_path(arena, link, &paging->path);
	}
}

/* ---- a page */

/* Read a page into memory, in place of the last one. */
static void
read_page(Walk *walk, MlplatBytes *page)
{
	int n;

	walk->len = 0;
	do
	{
		if (walk->capacity - walk->len < PIECE_SIZE)
		{
			walk->capacity = Max(2 * walk->capacity, 2 * PIECE_SIZE);
			walk->text = walk->text ? repalloc_huge(walk->text, walk->capacity)
									: MemoryContextAllocHuge(walk->context, walk->capacity);
		}
		n = mlplat_bytes_read(page, walk->text + walk->len, PIECE_SIZE);
		walk->len += (size_t) n;
		if (walk->len > MAX_PAGE)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("page %d of \"%s\" has more than %d MB", walk->number,
								   walk->url->shown, MAX_PAGE / (1024 * 1024)),
							errhint("Ask the server for smaller pages.")));
	} while (n == PIECE_SIZE);
	walk->n_bytes += (int64) walk->len;
	if (walk->n_bytes > walk->paging->max_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the pages of \"%s\" hold more than " INT64_FORMAT " bytes",
						walk->url->shown, walk->paging->max_bytes),
				 errhint("If they are meant to be so large, say so with the option max_bytes.")));
	mlplat_bytes_close(page);
}

static bool
is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ' && text[i] != '\t')
			return false;
	return true;
}

/* Pages that are the same show that the server passes over what tells them apart. */
static void
check_progress(Walk *walk)
{
	uint64 content = ml_hash_bytes(walk->text, walk->len, 0);

	if (walk->paging->kind == PAGING_NUMBER && walk->number > 1 && content == walk->content &&
		!is_blank(walk->text, walk->len))
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("page %d of \"%s\" is the same as the one before it", walk->number,
							   walk->url->shown),
						errhint("Is parameter \"%s\" the one that tells the pages apart?",
								walk->paging->parameter)));
	walk->content = content;
}

/* ---- CSV */

/* Length of the first record, without its newline. */
static size_t
first_record(const char *text, size_t len, char quote)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < len && (quoted || (text[i] != '\n' && text[i] != '\r')); i++)
		quoted ^= text[i] == quote;
	return i;
}

/* The first page that has something says what the header is. */
static void
keep_header(Walk *walk)
{
	walk->header_len = first_record(walk->text, walk->len, walk->layout->quote);
	walk->header = MemoryContextAllocHuge(walk->context, walk->header_len + 1);
	memcpy(walk->header, walk->text, walk->header_len);
}

static void
check_header(const Walk *walk)
{
	if (walk->len < walk->header_len || memcmp(walk->text, walk->header, walk->header_len) != 0 ||
		first_record(walk->text, walk->len, walk->layout->quote) != walk->header_len)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("page %d of \"%s\" has another header than the first", walk->number,
							   walk->url->shown),
						errhint("If the pages have no header, use the option {\"header\": "
								"false}.")));
}

/* Append what is after the header of the first page; a last line without newline gets one. */
static void
append_csv(Walk *walk)
{
	const char *text = walk->text, *end = walk->text + walk->len;

	walk->empty = is_blank(text, walk->len);
	if (walk->empty)
		return;
	if (walk->layout->header && walk->header)
	{
		check_header(walk);
		text += walk->header_len;
		text += text < end && *text == '\r';
		text += text < end && *text == '\n';
	}
	else if (walk->layout->header)
		keep_header(walk);
	walk->empty = is_blank(walk->text + walk->header_len, walk->len - walk->header_len);
	if (text > walk->text && walk->empty)
		return;
	mlplat_spool_append(walk->all, text, (size_t) (end - text));
	if (end[-1] != '\n')
		mlplat_spool_append(walk->all, "\n", 1);
}

/* ---- JSON */

static MlJsonPick
pick(const Walk *walk, const MlJsonPath *path)
{
	MlJsonPick found;
	MlStatus status = ml_json_pick(walk->env, walk->text, walk->len, path, &found);

	if (status == ML_EDATA)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("page %d of \"%s\" cannot be read: %s", walk->number,
							   walk->url->shown, walk->env->error)));
	mlplat_check(walk->env, status);
	return found;
}

/* One without rows ends the pages, or is of no account; one that lacks the place of the rows is for the loader to refuse. */
static void
append_json(Walk *walk)
{
	MlJsonPick rows = {0};

	walk->empty = is_blank(walk->text, walk->len);
	if (walk->empty)
		return;
	rows = pick(walk, walk->layout->rows);
	walk->empty =
		(rows.token.kind == ML_TOKEN_OPEN_ARRAY && rows.empty) || rows.token.kind == ML_TOKEN_NULL;
	if (walk->number > 1 && walk->empty)
		return;
	mlplat_spool_append(walk->all, walk->text, walk->len);
	mlplat_spool_append(walk->all, "\n", 1);
}

/* ---- from page to page */

/* A value of the body as text; NULL: there is none, so that this was the last page. */
static char *
read_value(const Walk *walk)
{
	MlJsonToken token;
	MlBuffer text;
	char *copy;

	if (is_blank(walk->text, walk->len))
		return NULL;
	token = pick(walk, &walk->paging->path).token;
	if (token.kind == ML_TOKEN_NONE || token.kind == ML_TOKEN_NULL || token.kind == ML_TOKEN_FALSE)
		return NULL;
	if (token.kind == ML_TOKEN_NUMBER)
		return pnstrdup(token.start, (Size) (token.end - token.start));
	if (token.kind != ML_TOKEN_STRING || token.flags & ML_STRING_UNSTORABLE)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("page %d of \"%s\" has no text at \"%s\"", walk->number,
							   walk->url->shown, walk->paging->path.text)));
	ml_buffer_init(&text, walk->env);
	ml_json_put_string(&text, &token);
	mlplat_check(walk->env, text.status);
	copy = pnstrdup((const char *) text.data, text.len);
	ml_buffer_free(&text);
	return *copy ? copy : NULL;
}

/* Remember where a link of this page leads. */
static bool
follow_link(Walk *walk, const char *link)
{
	const MlplatUrl *to;

	if (!link)
		return false;
	to = mlplat_url_resolve(walk->from, link);
	mlplat_url_check_same_server(walk->url, to, "links");
	strlcpy(walk->next, to->text, sizeof walk->next);
	return true;
}

static bool
set_parameter(Walk *walk, const char *value)
{
	if (!value)
		return false;
	strlcpy(walk->next, mlplat_url_with_parameter(walk->url, walk->paging->parameter, value)->text,
			sizeof walk->next);
	return true;
}

/* Work out the URL of the next page. False: there is none. */
static bool
find_next(Walk *walk)
{
	const MlplatPaging *paging = walk->paging;
	char link[MLPLAT_URL_SIZE];

	switch (paging->kind)
	{
		case PAGING_LINK_HEADER:
			return follow_link(walk,
							   ml_weblink_next(walk->answer.link, link, sizeof link) ? link : NULL);
		case PAGING_LINK:
			return follow_link(walk, read_value(walk));
		case PAGING_CURSOR:
			return set_parameter(walk, read_value(walk));
		case PAGING_NUMBER:
			return set_parameter(
				walk, walk->empty ? NULL
								  : psprintf(INT64_FORMAT,
											 paging->start + (int64) walk->number * paging->step));
	}
	return false;
}

/* Note that a page was asked for; it must be a new one. */
static void
note_seen(Walk *walk, const char *url)
{
	uint64 hash = ml_hash_bytes(url, strlen(url), 0);

	if (walk->number == walk->paging->max_pages)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("\"%s\" has more than %d pages", walk->url->shown, walk->paging->max_pages),
				 errhint("If it is meant to have so many, say so with the option "
						 "max_pages.")));
	for (int i = 0; i < walk->number; i++)
		if (walk->seen[i] == hash)
			ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
							errmsg("page %d of \"%s\" leads back to page %d", walk->number,
								   walk->url->shown, i + 1)));
	walk->seen[walk->number++] = hash;
}

/* The pages from the second on. Each works in a context of its own. */
static void
fetch_rest(Walk *walk)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(outer, "mlplat page", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(context);
	while (find_next(walk))
	{
		int64 left = walk->paging->max_bytes - walk->n_bytes;
		MlplatSpool *body;

		MemoryContextReset(context);
		note_seen(walk, walk->next);
		body = mlplat_spool_create(psprintf("page %d of \"%s\"", walk->number, walk->url->shown));
		walk->from =
			mlplat_fetch_get(walk->fetch, mlplat_url_parse(walk->next), body, &walk->answer);
		read_page(walk, mlplat_gunzip(mlplat_spool_read(body), Max(left, 1)));
		check_progress(walk);
		if (walk->layout->json)
			append_json(walk);
		else
			append_csv(walk);
	}
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(context);
}

const MlplatUrl *
mlplat_paging_first(const MlplatPaging *paging, const MlplatUrl *url)
{
	if (paging->kind != PAGING_NUMBER)
		return url;
	return mlplat_url_with_parameter(url, paging->parameter, psprintf("%d", paging->start));
}

MlplatBytes *
mlplat_pages_collect(const MlplatPaging *paging, const MlplatPageLayout *layout, MlplatFetch *fetch,
					 MlEnv *env, const MlplatUrl *url, const MlplatUrl *from,
					 const MlplatHttpAnswer *answer, MlplatBytes *page)
{
	Walk *walk = palloc0(sizeof(Walk));

	*walk = (Walk){.paging = paging,
				   .layout = layout,
				   .fetch = fetch,
				   .env = env,
				   .url = url,
				   .from = from,
				   .context = CurrentMemoryContext,
				   .answer = *answer};
	walk->all = mlplat_spool_create(page->name);
	walk->seen = palloc(sizeof(uint64) * (Size) paging->max_pages);
	note_seen(walk, mlplat_paging_first(paging, url)->text);
	read_page(walk, page);
	check_progress(walk);
	if (layout->json)
		append_json(walk);
	else
		append_csv(walk);
	fetch_rest(walk);
	return mlplat_spool_read(walk->all);
}
