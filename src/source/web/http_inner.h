/*
 * http_inner.h
 *		What http.c and httptake.c share: an exchange under way, and the callbacks of libcurl.
 */
#ifndef MLPLAT_HTTP_INNER_H
#define MLPLAT_HTTP_INNER_H

#include <netinet/in.h>

#include <curl/curl.h>

#include "source/web/http.h"

/* What a callback stopped the exchange for. */
typedef enum HttpStop
{
	STOP_NONE,
	STOP_HEADERS, /* too many */
	STOP_ROOM,    /* the body is too large */
	STOP_EXCERPT, /* enough was seen of a body that nobody wants */
	STOP_THROWN   /* an error waits on the error stack */
} HttpStop;

/* The exchange under way. */
typedef struct HttpExchange
{
	const MlplatUrl *url;
	MlplatSpool *body;
	int64 room;
	MlplatHttpAnswer *answer;
	HttpStop stop;
	size_t n_header_bytes, n_excerpt;
	bool chunked;
	bool connected;                 /* a socket was made */
	char refused[INET6_ADDRSTRLEN]; /* an address that may not be connected to; empty: none */
} HttpExchange;

struct MlplatHttp
{
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	bool added;          /* easy is in multi */
	bool has_descriptor; /* counted by AcquireExternalFD */
	MemoryContextCallback on_reset;
	char problem[CURL_ERROR_SIZE];
	HttpExchange exchange;
};

/* Callbacks of libcurl; none throws. The last argument is an HttpExchange, for the body an MlplatHttp. */
extern curl_socket_t mlplat_http_open_socket(void *arg, curlsocktype purpose,
											 struct curl_sockaddr *to);
extern size_t mlplat_http_take_header(char *line, size_t size, size_t n, void *arg);
extern size_t mlplat_http_take_body(char *data, size_t size, size_t n, void *arg);

#endif
