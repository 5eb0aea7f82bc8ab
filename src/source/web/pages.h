/*
 * pages.h
 *		What a server gives out in pages, as one stream of bytes.
 */
#ifndef MLPLAT_PAGES_H
#define MLPLAT_PAGES_H

#include "core/param.h"
#include "data/json/jsonpath.h"
#include "source/web/fetch.h"

typedef enum MlplatPagingKind
{
	PAGING_LINK_HEADER, /* the header "Link" names the next page */
	PAGING_LINK,        /* a URL at a place of the JSON body */
	PAGING_CURSOR,      /* a value there, to be put into a parameter of the URL */
	PAGING_NUMBER       /* a number in a parameter, until a page is empty */
} MlplatPagingKind;

/* How to get from page to page. */
typedef struct MlplatPaging
{
	MlplatPagingKind kind;
	MlJsonPath path;       /* LINK, CURSOR */
	const char *parameter; /* CURSOR, NUMBER */
	int start, step;       /* NUMBER */
	int max_pages;
	int64 max_bytes; /* of all pages, decompressed */
} MlplatPaging;

/* What a page looks like inside. */
typedef struct MlplatPageLayout
{
	bool json;              /* else CSV */
	const MlJsonPath *rows; /* JSON */
	bool header;            /* CSV: each page begins with the names of the columns */
	char quote;
} MlplatPageLayout;

/* Parse the option "pages" into paging, but for the limits. */
extern void mlplat_paging_parse(MlArena *arena, const MlJson *option, MlplatPaging *paging);

/* The first page that the URL stands for. */
extern const MlplatUrl *mlplat_paging_first(const MlplatPaging *paging, const MlplatUrl *url);

/*
 * All pages one after another: of CSV with one header, of JSON one document each. page: the first, which is closed;
 * url: what the caller gave; from and answer: where the first page came from, and its answer.
 */
extern MlplatBytes *mlplat_pages_collect(const MlplatPaging *paging, const MlplatPageLayout *layout,
										 MlplatFetch *fetch, MlEnv *env, const MlplatUrl *url,
										 const MlplatUrl *from, const MlplatHttpAnswer *answer,
										 MlplatBytes *page);

#endif
