/*
 * profile.h
 *		From the columns of a query to summaries, and from summaries to what is shown.
 *
 * profile_columns.c reads values, profile_agg.c makes an aggregate of it that runs in parallel, profile_rows.c runs
 * that over the user's query and returns rows, profile_role.c says what a column most likely is.
 */
#ifndef MLPLAT_PROFILE_H
#define MLPLAT_PROFILE_H

#include "fmgr.h"

#include "data/summary.h"
#include "pg/state.h"

/* Different values of a column that are counted exactly, and of all columns together. */
#define PROFILE_EXACT_VALUES 10000
#define PROFILE_ALL_EXACT_VALUES (100 * PROFILE_EXACT_VALUES)

/* Levels of a category, or pairs of levels, that are set against the target; likewise. */
#define PROFILE_GROUPS 1000
#define PROFILE_ALL_GROUPS (100 * PROFILE_GROUPS)

/* A column while its rows pass. Values whose key says all wait for the end of the batch, others are taken at once. */
typedef struct ProfileColumn
{
	Oid base_type;
	int16 typlen;
	bool typbyval;
	FmgrInfo output;
	MlSummary summary;
	Datum min,
		max; /* numeric, interval: extremes of these rows, when summary.n_numbers > 0 or extremes are kept */
	bool has_extremes;
	uint64 *keys; /* of the batch, without NULLs; NULL: taken at once */
	size_t n_keys;
	double *numbers; /* of each row of the batch, NaN: none; NULL: the column has none */
} ProfileColumn;

/* The target of each row of the batch. */
typedef struct ProfileTarget
{
	ProfileColumn column; /* only to read values */
	bool is_category;
	double *numbers; /* NaN: none */
	uint64 *keys;
	bool *present;
} ProfileTarget;

typedef struct Profile
{
	MemoryContext context;
	MlEnv env;
	bool takes_rows; /* not after it has travelled */
	int n_columns;
	uint64 n_rows;
	ProfileColumn *columns;
	ProfileTarget *target; /* NULL: none */
	int batch_rows, n_batch;
	double *scratch; /* two batches */
} Profile;

extern MlSummaryKind mlplat_profile_kind_of(Oid base_type);

/* Can it be set against a target, or be one? As a number, or as a category? */
extern bool mlplat_profile_has_number(MlSummaryKind kind);
extern bool mlplat_profile_is_category(MlSummaryKind kind);

/* A profile in context, without summaries: to be begun, or loaded. */
extern Profile *mlplat_profile_create(MemoryContext context, int n_columns);

/* Make it ready for rows. total: columns of the whole query. target: a type, or InvalidOid. */
extern void mlplat_profile_begin(Profile *profile, const Oid *types, int total, Oid target);

/* An empty summary of a column of that type. */
extern void mlplat_profile_begin_summary(MlSummary *summary, MlEnv *env, Oid base_type, int total);

/* values: a column each; target: ignored where there is none. */
extern void mlplat_profile_row(Profile *profile, const NullableDatum *values,
							   const NullableDatum *target);

/* Take in the rows that wait, so that the summaries are complete. */
extern void mlplat_profile_settle(Profile *profile);

extern const MlStateKind mlplat_profile_kind;
extern void mlplat_profile_register(void);
extern void mlplat_correlations_register(void);

/* ---- what is shown */

/* A column of the result. */
typedef struct ProfileShown
{
	const char *name;
	Oid type, base_type;
	int32 typmod, base_typmod;
	FmgrInfo output;
	const MlSummary *summary;
	bool is_target;
	uint64 n_distinct;
	double with_target; /* correlation; NaN: none */
} ProfileShown;

/* Of a slot of the tally: the value as text, in the current context. */
extern char *mlplat_profile_slot_text(const ProfileShown *column, size_t slot);

/* How the column goes together with the target; *rows: where both are there. NaN: not to be said. */
extern double mlplat_profile_with_target(const ProfileShown *column, const ProfileShown *target,
										 uint64 *rows);

/* What the column most likely is for a model. */
extern const char *mlplat_profile_role(const ProfileShown *column, uint64 n_rows,
									   uint64 n_with_target);

#endif
