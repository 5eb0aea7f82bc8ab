/*
 * keyhash.h
 *		A hash of a key's value that is the same on every machine and version.
 */
#ifndef MLPLAT_KEYHASH_H
#define MLPLAT_KEYHASH_H

#include "fmgr.h"

struct MlplatKeyFields;

/* How values of one type are hashed; made once a call site, then used for each row. */
typedef struct MlplatKeyType
{
	Oid type;      /* as given */
	Oid base_type; /* under domains */
	MemoryContext context;
	bool by_output;
	FmgrInfo output; /* when by_output */
	struct MlplatKeyFields
		*fields; /* of a row: how its last value's fields are hashed; NULL: none yet */
	struct MlplatKeyType *element; /* of an array; NULL: it is none */
	int16 element_length;
	bool element_by_value;
	char element_align;
} MlplatKeyType;

/* Have values of the type a form that is the same everywhere? Of a row type, its fields are not looked at. */
extern bool mlplat_key_has_form(Oid type);

/* Errors when values of the type have no form that is the same everywhere. The key lives in context. */
extern void mlplat_key_type_init(MlplatKeyType *key, Oid type, MemoryContext context);

extern uint64 mlplat_key_hash(MlplatKeyType *key, Datum value, uint64 seed);

#endif
