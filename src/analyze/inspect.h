/*
 * inspect.h
 *		Open a model to look at it: by name or by image.
 */
#ifndef MLPLAT_INSPECT_H
#define MLPLAT_INSPECT_H

#include "postgres.h"

#include "fmgr.h"

#include "model/model.h"
#include "pg/catalog.h"

typedef struct MlplatInspected
{
	MlEnv *env;
	MlArena arena;
	MlModel *model;
	const char *info; /* JSON of the INFO section */
	size_t info_len;
	bytea *image;
	bool registered;
	MlplatModelRef ref; /* when registered */
} MlplatInspected;

/* The model of argument 0, a text (name or name@version) or a bytea; made in the current context. */
extern MlplatInspected *mlplat_inspect(FunctionCallInfo fcinfo);

/* What a coefficient is of: a class's label, the number of a cluster (from 0) or component (from 1); NULL: none. */
extern const char *mlplat_group_label(const MlModel *model, int index);

#endif
