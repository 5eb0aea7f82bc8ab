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

/* The same of a name or name@version. */
extern MlplatInspected *mlplat_inspect_model(const char *reference);

/* Argument 1, the query, which must be there, as must argument 0. */
extern char *mlplat_query_argument(FunctionCallInfo fcinfo, const char *function);

/* The metric that was asked for, or the task's default; what: "an evaluation". Throws where there is no target. */
extern const char *mlplat_choose_metric(const MlModel *model, const char *wish, const char *what);

/* The column with the truth: the one that was asked for, else the model's target. */
extern const char *mlplat_choose_target(const MlModel *model, const char *wish);

/* What a coefficient is of: a class's label, the number of a cluster (from 0) or component (from 1); NULL: none. */
extern const char *mlplat_group_label(const MlModel *model, int index);

#endif
