/*
 * url.h
 *		Addresses of the web, and the rules about which of them may be asked.
 */
#ifndef MLPLAT_URL_H
#define MLPLAT_URL_H

#include "core/hosts.h"

#define MLPLAT_URL_SIZE 8192

typedef struct MlplatUrl
{
	char text[MLPLAT_URL_SIZE]; /* in libcurl's spelling, without fragment */
	char shown
		[MLPLAT_URL_SIZE]; /* for messages and logs: with * for the values of the query, which may be secrets */
	char scheme[8];
	char host[ML_HOST_SIZE]; /* an IPv6 address in brackets */
	char path[MLPLAT_URL_SIZE];
	int port, scheme_port;
} MlplatUrl;

/* Parse an absolute URL of http or https. The result is allocated in the current context; throws where it is none. */
extern MlplatUrl *mlplat_url_parse(const char *text);

/* How a URL is shown, also when it is none. */
extern const char *mlplat_url_shown(const char *text);

/* What a link means that stands in the answer of base; the URL base with one more parameter in its query. */
extern MlplatUrl *mlplat_url_resolve(const MlplatUrl *base, const char *link);
extern MlplatUrl *mlplat_url_with_parameter(const MlplatUrl *base, const char *name,
											const char *value);

/* Throw unless mlplat.allowed_hosts has the URL's host and port. */
extern void mlplat_url_check_allowed(const MlplatUrl *url);

/* May one connect to this address for that URL? Never throws. */
extern bool mlplat_url_allows_address(const MlplatUrl *url, const MlAddress *address);

/* Throw unless a server that was asked for one URL may send us on to the other. what: "redirects", "links". */
extern void mlplat_url_check_same_server(const MlplatUrl *from, const MlplatUrl *to,
										 const char *what);

/* Nobody on the way can listen: https, or the machine itself. */
extern bool mlplat_url_is_private(const MlplatUrl *url);

#endif
