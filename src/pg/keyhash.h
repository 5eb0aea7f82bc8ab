/*
 * keyhash.h
 *		A hash of a key's value that is the same on every machine and version.
 */
#ifndef MLPLAT_KEYHASH_H
#define MLPLAT_KEYHASH_H

#include "fmgr.h"

/* How values of one type are hashed; made once a call site, then used for each row. */
typedef struct MlplatKeyType
{
	Oid type;      /* as given */
	Oid base_type; /* under domains */
	bool by_output;
	FmgrInfo output; /* when by_output */
} MlplatKeyType;

/* Errors when values of the type have no form that is the same everywhere. */
extern void mlplat_key_type_init(MlplatKeyType *key, Oid type, MemoryContext context);

extern uint64 mlplat_key_hash(MlplatKeyType *key, Datum value, uint64 seed);

#endif
