/*
 * profile_agg.c
 *		profile_columns: the summaries of separate columns as an aggregate, which the server runs in parallel.
 *
 * profile_columns(total, has_target, VARIADIC "any")
 *		total: columns of the whole query, which share what is counted exactly; with has_target the first of the
 *		columns is the target, which the others are set against. profile writes such calls, for as many columns each
 *		as a call takes. Separate columns, because a record costs twice as much a row to form and read.
 *
 * The result is the state itself, which profile loads: so the serial and the parallel way are one.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"

#include "pg/bridge.h"
#include "prepare/profile/profile.h"

PG_FUNCTION_INFO_V1(mlplat_profile_columns_transfn);
PG_FUNCTION_INFO_V1(mlplat_profile_columns_finalfn);

/* Where the columns begin among the arguments: after state, total and has_target. */
#define FIRST_COLUMN 3
#define NO_TARGET 255

/* ---- merge, save, load */

/* A profile whose summaries are complete. That it is settled changes nothing that it says. */
static Profile *
settled(const void *data)
{
	Profile *profile = unconstify(void *, data);

	mlplat_profile_settle(profile);
	return profile;
}

static uint8
target_code(const Profile *profile)
{
	return profile->target ? (uint8) profile->target->column.summary.kind : NO_TARGET;
}

static void
profile_merge(void *data, const void *other, MemoryContext context pg_attribute_unused())
{
	Profile *to = settled(data);
	const Profile *from = settled(other);

	if (to->n_columns != from->n_columns || target_code(to) != target_code(from))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("profiles of different columns cannot be merged")));
	to->takes_rows = false;
	to->n_rows += from->n_rows;
	for (int j = 0; j < to->n_columns; j++)
		mlplat_check(&to->env,
					 ml_summary_merge(&to->columns[j].summary, &from->columns[j].summary));
}

static void
profile_save(const void *data, MlBuffer *out)
{
	const Profile *profile = settled(data);

	ml_put_u32(out, (uint32) profile->n_columns);
	ml_put_u64(out, profile->n_rows);
	ml_put_u8(out, target_code(profile));
	for (int j = 0; j < profile->n_columns; j++)
		ml_summary_save(&profile->columns[j].summary, out);
}

static size_t
profile_size(const void *data)
{
	const Profile *profile = settled(data);
	size_t size = 4 + 8 + 1;

	for (int j = 0; j < profile->n_columns; j++)
		size += ml_summary_saved_size(&profile->columns[j].summary);
	return size;
}

/* Throws when a text is not valid in this database. */
static void
check_texts(const MlSummary *summary)
{
	const char *kept[] = {summary->min, summary->max, summary->shortest, summary->longest};

	for (size_t i = 0; i < lengthof(kept); i++)
		if (kept[i])
			(void) pg_verifymbstr(kept[i], (int) strlen(kept[i]), false);
	for (size_t slot = 0; summary->tally.texts && slot < summary->tally.n_slots; slot++)
		if (summary->tally.texts[slot])
			(void) pg_verifymbstr(summary->tally.texts[slot],
								  (int) strlen(summary->tally.texts[slot]), false);
}

/* The least a column takes in bytes: more columns than that are damage. */
#define COLUMN_BYTES 100

static void *
profile_load(MlReader *in, MemoryContext context)
{
	uint32 n_columns = ml_get_count(in, COLUMN_BYTES);
	Profile *profile = mlplat_profile_create(context, (int) n_columns);
	MlReader mine;
	uint8 code;

	profile->n_rows = ml_get_u64(in);
	code = ml_get_u8(in);
	if (in->failed || (code != NO_TARGET && code > ML_SUMMARY_OTHER))
		return NULL;
	if (code != NO_TARGET)
	{
		profile->target = MemoryContextAllocZero(context, sizeof(ProfileTarget));
		profile->target->column.summary.kind = (MlSummaryKind) code;
	}
	mine = *in;
	mine.env = &profile->env;
	for (uint32 j = 0; j < n_columns; j++)
	{
		MlSummary *summary = &profile->columns[j].summary;
		MlStatus status = ml_summary_load(&mine, summary);

		if (!mlplat_state_loaded(&mine, status, profile))
			return NULL;
		check_texts(summary);
	}
	in->pos = mine.pos;
	in->failed = mine.failed;
	return profile;
}

const MlStateKind mlplat_profile_kind = {
	.code = MLPLAT_STATE_PROFILE,
	.name = "profile",
	.merge = profile_merge,
	.save = profile_save,
	.load = profile_load,
	.size = profile_size,
};

void
mlplat_profile_register(void)
{
	mlplat_state_register(&mlplat_profile_kind);
}

/* ---- the aggregate */

/* The type of an argument; domains are looked through later. */
static Oid
argument_type(FunctionCallInfo fcinfo, int argument)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	if (!OidIsValid(type))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("profile_columns cannot tell the type of argument %d", argument)));
	return type;
}

/* The first row: total and has_target are the same in all of them. */
static MlState *
begin_state(FunctionCallInfo fcinfo, MemoryContext aggcontext)
{
	MlState *state = mlplat_state_new(&mlplat_profile_kind, aggcontext);
	bool has_target = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	int first = FIRST_COLUMN + has_target, n = PG_NARGS() - first;
	int total = PG_ARGISNULL(1) ? n : PG_GETARG_INT32(1);
	Oid types[FUNC_MAX_ARGS];
	Profile *profile;

	if (n < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("profile_columns needs a column to describe")));
	for (int j = 0; j < n; j++)
		types[j] = argument_type(fcinfo, first + j);
	profile = mlplat_profile_create(mlplat_state_context(state), n);
	mlplat_profile_begin(profile, types, Max(total, n),
						 has_target ? argument_type(fcinfo, FIRST_COLUMN) : InvalidOid);
	state->data = profile;
	return state;
}

Datum
mlplat_profile_columns_transfn(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext = mlplat_agg_context(fcinfo);
	MlState *state;
	Profile *profile;

	if (PG_ARGISNULL(0))
		state = begin_state(fcinfo, aggcontext);
	else
		state = mlplat_state_get_rw(PG_GETARG_DATUM(0), &mlplat_profile_kind, aggcontext);
	profile = state->data;
	if (!profile->takes_rows)
		elog(ERROR, "a profile that has travelled takes no rows");
	mlplat_profile_row(profile, fcinfo->args + FIRST_COLUMN + (profile->target != NULL),
					   fcinfo->args + FIRST_COLUMN);
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

Datum
mlplat_profile_columns_finalfn(PG_FUNCTION_ARGS)
{
	mlplat_agg_context(fcinfo);
	return mlplat_return_state(fcinfo);
}
