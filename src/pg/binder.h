/*
 * binder.h
 *		From PostgreSQL's rows to raw rows: which column feeds which slot, and how.
 *
 * In training the binder makes the schema from a row type; at prediction it
 * looks up a model's inputs in a row type. Both convert values the same way.
 */
#ifndef MLPLAT_BINDER_H
#define MLPLAT_BINDER_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "fmgr.h"

#include "model/trainer.h"

/* How a value becomes a double. */
typedef enum MlplatSource
{
	MLPLAT_BOOL,
	MLPLAT_INT2,
	MLPLAT_INT4,
	MLPLAT_INT8,
	MLPLAT_FLOAT4,
	MLPLAT_FLOAT8,
	MLPLAT_NUMERIC,
	MLPLAT_DATE,
	MLPLAT_TIME,
	MLPLAT_TIMESTAMP, /* with or without time zone: UTC */
	MLPLAT_INTERVAL,
	MLPLAT_TEXT,   /* text, varchar */
	MLPLAT_BPCHAR, /* without its trailing blanks */
	MLPLAT_OUTPUT, /* a level by the type's output function: name, "char", uuid, enum, bool, integers */
	MLPLAT_LEVEL,   /* a level by a text of ours: types whose output depends on settings */
	MLPLAT_UNTYPED, /* a literal without a type in a row: must be NULL */
	MLPLAT_ARRAY    /* fixed length, of a number type */
} MlplatSource;

typedef struct MlplatColumn
{
	int attribute; /* index in the row, from 0 */
	MlplatSource source;
	MlplatSource element; /* MLPLAT_ARRAY: of its elements */
	FmgrInfo output;      /* MLPLAT_OUTPUT */
	Oid level_type;       /* MLPLAT_LEVEL: the base type */
	uint32 slot, n_slots;
	MlDict *levels;
	bool grow; /* training: add levels that are not there */
	const char *name;
} MlplatColumn;

typedef struct MlplatBinding
{
	int n_columns;
	MlplatColumn *columns;
	uint32 n_raw;          /* doubles of a raw row, target and weight included */
	MemoryContext scratch; /* reset after each row that needed it */
	MlEnv *env;
	bool needs_scratch;
} MlplatBinding;

/* What training needs to know of a row type. */
typedef struct MlplatTraining
{
	MlplatBinding binding;
	MlSchema *schema;
	MlTargetKind target_kind;
	MlWidth target_width;
	int target_column, weight_column; /* in binding.columns; -1: none */
	int group_column;                 /* likewise; its levels are to be set */
} MlplatTraining;

/*
 * Bind a row type for training, everything in the arena's environment. Lengths of array columns come
 * from values (a first row); values may be NULL when there are no arrays. Errors name the column.
 */
extern MlplatTraining *mlplat_bind_training(MlArena *arena, TupleDesc desc, const MlTrainSpec *spec,
											const char *target, const Datum *values,
											const bool *nulls);

/* True when the row type has array features, so that a first row is needed. */
extern bool mlplat_needs_first_row(TupleDesc desc, const MlTrainSpec *spec, const char *target);

/* Bind a model's inputs by name; an error names the first that is missing or has an unsuitable type. */
extern MlplatBinding *mlplat_bind_model(MemoryContext context, const MlModel *model,
										TupleDesc desc);

/* Seconds of an interval, a month as 30 days. */
extern double mlplat_interval_seconds(const Interval *interval);

/* Have mlplat_level_text a text for values of this base type? */
extern bool mlplat_has_level_text(Oid type);

/*
 * A value as a level, the same whatever the session's settings: numerics without trailing zeros, floats
 * in the fewest digits, dates and times in ISO 8601, timestamptz in UTC. In the current context.
 */
extern char *mlplat_level_text(Oid type, Datum value);

/* Convert one row. raw: binding->n_raw doubles. Throws on bad values (array length). */
extern void mlplat_bind_row(MlplatBinding *binding, const Datum *values, const bool *nulls,
							double *raw);

/* The attribute of that name, or -1. */
extern int mlplat_find_attribute(TupleDesc desc, const char *name);

/* Error: there is no column of that name; names the nearest. what: "target", "weight", ... */
extern _Noreturn void mlplat_no_such_column(TupleDesc desc, const char *what, const char *name);

#endif
