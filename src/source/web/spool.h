/*
 * spool.h
 *		Bytes that are written once, then read as often as one likes: what was downloaded.
 */
#ifndef MLPLAT_SPOOL_H
#define MLPLAT_SPOOL_H

#include "source/bytes.h"

typedef struct MlplatSpool MlplatSpool;

/* An empty one in the current context and (sub)transaction. name: for messages. */
extern MlplatSpool *mlplat_spool_create(const char *name);
extern void mlplat_spool_append(MlplatSpool *spool, const char *data, size_t len);
extern uint64 mlplat_spool_size(const MlplatSpool *spool);

/* Empty again. */
extern void mlplat_spool_clear(MlplatSpool *spool);

/* Its bytes from the first on; nothing is appended from now on. Closing them frees the spool. */
extern MlplatBytes *mlplat_spool_read(MlplatSpool *spool);

#endif
