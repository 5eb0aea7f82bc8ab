/*
 * model_cache.h
 *		Decoded models of this session, by version, within mlplat.cache_memory.
 */
#ifndef MLPLAT_MODEL_CACHE_H
#define MLPLAT_MODEL_CACHE_H

#include "postgres.h"

#include "model/model.h"

/* A decoded model; unpinned ones may go when memory is needed. */
typedef struct MlplatCachedModel
{
	const MlModel *model;
	MemoryContext context;
	Oid registry; /* with version_id: what it is of; 0: it is not in the cache, and goes when unpinned */
	int64 version_id;
	size_t bytes;
	int pins;
	uint64 used; /* clock of its last use */
	struct MlplatCachedModel *next;
} MlplatCachedModel;

/* Decode an image; the model belongs to context. */
extern const MlModel *mlplat_decode_image(MemoryContext context, const void *data, size_t len);

/* The decoded model of a version, pinned. */
extern MlplatCachedModel *mlplat_cache_pin(int64 version_id);
extern void mlplat_cache_unpin(MlplatCachedModel *cached);

/* Rises whenever the registry or a role may have changed: what was looked up by name must be looked up again. */
extern uint64 mlplat_registry_generation(void);

/* Rises whenever any relation, and so any row type, may have changed. */
extern uint64 mlplat_relations_generation(void);

#endif
