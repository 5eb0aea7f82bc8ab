/*
 * weblink.h
 *		The header "Link" of HTTP (RFC 8288): <https://host/items?page=2>; rel="next", ...
 */
#ifndef ML_WEBLINK_H
#define ML_WEBLINK_H

#include <stdbool.h>
#include <stddef.h>

/* Copy the target of the first link whose relation is "next". False: there is none, or it does not fit. */
extern bool ml_weblink_next(const char *header, char *out, size_t size);

#endif /* ML_WEBLINK_H */
