/*
 * http.h
 *		One exchange over HTTP or HTTPS: a GET request and its answer.
 *
 * Redirects, repetition and what is an error are the business of fetch.h.
 */
#ifndef MLPLAT_HTTP_H
#define MLPLAT_HTTP_H

#include "core/json.h"
#include "source/web/credentials.h"
#include "source/web/spool.h"
#include "source/web/url.h"

typedef struct MlplatHttp MlplatHttp;

typedef struct MlplatHttpSettings
{
	const MlJson *headers; /* an object that mlplat_http_check_headers has seen; NULL: none */
	MlplatCredentials credentials;
	int connect_timeout; /* ms to look the host up, connect and agree on encryption */
	int idle_timeout;    /* s without a byte */
} MlplatHttpSettings;

/* How an exchange ended, if not with an answer of the server. */
typedef enum MlplatHttpFailure
{
	HTTP_ANSWERED,
	HTTP_BROKE,       /* the network or the other side: may work another time */
	HTTP_NOT_TRUSTED, /* no encryption could be agreed on with a server that is who it should be */
	HTTP_ADDRESS_REFUSED, /* no address of the host is one that may be connected to */
	HTTP_TOO_LARGE,       /* more bytes than there was room for */
	HTTP_TOO_LONG,        /* more time than there was left */
	HTTP_UNUSABLE         /* what came is no HTTP */
} MlplatHttpFailure;

typedef struct MlplatHttpAnswer
{
	MlplatHttpFailure failure;
	char problem
		[512]; /* of a failure: a sentence without period, printable; the address that was refused */
	int status;      /* of HTTP; 0: there was none */
	int64 n_bytes;   /* of the body */
	int retry_after; /* seconds that the server asks for; 0: it does not */
	char content_type[128];
	char content_encoding[64];
	char link[MLPLAT_URL_SIZE];     /* headers "Link", one after another */
	char location[MLPLAT_URL_SIZE]; /* where a redirect leads, absolute */
	char excerpt[256];              /* printable start of the body, unless status is 2xx */
	bool end_unsure;                /* nothing tells whether the body is complete */
} MlplatHttpAnswer;

/* Throw where the option "headers" has what no request may have. */
extern void mlplat_http_check_headers(const MlJson *headers);

/* Ready to connect; ends with the current context, or earlier by mlplat_http_close. */
extern MlplatHttp *mlplat_http_open(const MlplatHttpSettings *settings);
extern void mlplat_http_close(MlplatHttp *http);

/*
 * Get url, within timeout ms, with a body of at most room bytes that is appended to body if the status is 2xx. What
 * went wrong is in the answer; thrown are only cancel and errors of our own side. The url has been checked.
 */
extern void mlplat_http_get(MlplatHttp *http, const MlplatUrl *url, MlplatSpool *body, int64 room,
							int timeout, MlplatHttpAnswer *answer);

/* Copy text from elsewhere so that it can be shown: printable ASCII only. */
extern void mlplat_printable(char *out, size_t size, const char *text, size_t len);

#endif
