/*
 * fetch.h
 *		The content of a URL, within limits: redirects are followed, failures that may pass are tried again.
 */
#ifndef MLPLAT_FETCH_H
#define MLPLAT_FETCH_H

#include "source/web/http.h"

typedef struct MlplatFetchLimits
{
	double timeout;    /* seconds for all that is fetched */
	int64 max_bytes;   /* of all that is fetched, as it comes over the network */
	int retries;       /* of one URL */
	double retry_wait; /* seconds before the first; doubles */
} MlplatFetchLimits;

typedef struct MlplatFetch MlplatFetch;

/* The clock starts here. Ends with the current context, or earlier by mlplat_fetch_close. */
extern MlplatFetch *mlplat_fetch_open(const MlplatHttpSettings *settings,
									  const MlplatFetchLimits *limits);
extern void mlplat_fetch_close(MlplatFetch *fetch);

/*
 * Get url into an empty body. Returns where the answer came from, after redirects. Throws unless it is a success: when
 * the URL or a redirect is not allowed, when a limit is reached, and after the last retry.
 */
extern const MlplatUrl *mlplat_fetch_get(MlplatFetch *fetch, const MlplatUrl *url,
										 MlplatSpool *body, MlplatHttpAnswer *answer);

/* Bytes that came over the network so far. */
extern int64 mlplat_fetch_bytes(const MlplatFetch *fetch);

#endif
