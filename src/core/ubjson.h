/*
 * ubjson.h
 *		Universal Binary JSON (draft 12) into the tree of json.h.
 */
#ifndef ML_UBJSON_H
#define ML_UBJSON_H

#include "core/json.h"

/*
 * Read a whole document of hostile bytes; depth is limited to 64. Numbers have no source text: the tree is to be read,
 * not written. ML_EINVAL with the place of the error.
 */
extern MlStatus ml_ubjson_parse(MlArena *arena, const void *data, size_t len, MlJson **out);

#endif /* ML_UBJSON_H */
