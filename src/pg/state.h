/*
 * state.h
 *		The SQL type mlplat.state: the state of any mergeable aggregate.
 *
 * In memory a state is an expanded object around the data of its kind; outside (another process,
 * shard or day) it is a flat, versioned, checksummed varlena. A kind is a table of functions that a
 * module registers at load, so that this file knows no module.
 *
 * How an aggregate uses it, with stype mlplat.state, COMBINEFUNC mlplat.state_combine and a
 * transition function that is not STRICT:
 *
 *		static const MlStateKind train_kind = {
 *			.code = MLPLAT_STATE_TRAINER, .name = "training",
 *			.merge = train_merge, .save = train_save, .load = train_load};
 *
 *		(from _PG_init)  mlplat_state_register(&train_kind);
 *
 *		Datum
 *		mlplat_train_transfn(PG_FUNCTION_ARGS)
 *		{
 *			MemoryContext aggcontext = mlplat_agg_context(fcinfo);
 *			MlState *state;
 *
 *			if (PG_ARGISNULL(1))
 *				(skip the row: mlplat_return_state(fcinfo))
 *			if (PG_ARGISNULL(0))
 *			{
 *				state = mlplat_state_new(&train_kind, aggcontext);
 *				state->data = (anything, allocated in mlplat_state_context(state));
 *			}
 *			else
 *				state = mlplat_state_get_rw(PG_GETARG_DATUM(0), &train_kind, aggcontext);
 *			(add the row to state->data)
 *			PG_RETURN_DATUM(MlStateGetDatum(state));
 *		}
 *
 * The final function takes const MlState *state = mlplat_state_get_ro(PG_GETARG_DATUM(0), &train_kind),
 * must not change it (window frames go on adding rows, and other aggregates may share it), and is STRICT.
 *
 * The same C functions serve an aggregate with stype internal (record, "any" and polymorphic faces):
 * the "internal" pointer is then the expanded pointer. Such an aggregate uses SERIALFUNC
 * mlplat.state_serialfn, DESERIALFUNC mlplat.state_deserialfn, COMBINEFUNC mlplat.state_combine.
 *
 * Traps: the executor keeps the pointer of an expanded state only when the object's context is a child
 * of the aggregate's, and deletes that context when a later call returns another pointer. All states of
 * an aggregate share one such context (state.c says why), so a transition function always returns
 * argument 0 once there is one, and nobody deletes the context of a state; it ends with the aggregate's.
 * Keep all caches in the state: fn_extra is lost at every row on Citus. A user can make any bytes into a
 * state: load checks everything it reads.
 */
#ifndef MLPLAT_STATE_H
#define MLPLAT_STATE_H

#include "fmgr.h"
#include "utils/expandeddatum.h"

#include "core/buffer.h"

/* Codes stand in stored states: never reuse one. */
#define MLPLAT_STATE_TRAINER 1
#define MLPLAT_STATE_CLASS_COUNTS 2
#define MLPLAT_STATE_RANKING 3
#define MLPLAT_STATE_PROB_LOSS 4
#define MLPLAT_STATE_REGRESSION 5
#define MLPLAT_STATE_POINTS 6
#define MLPLAT_STATE_PROFILE 7
#define MLPLAT_STATE_CORRELATIONS 8

typedef struct MlStateKind
{
	uint8 code;
	const char *name; /* for errors: a state of "name" */

	/* Add other to data, which lives in context; other is unchanged. Throws when they don't fit. */
	void (*merge)(void *data, const void *other, MemoryContext context);

	/* Append the bytes; a failure is left in out->status. */
	void (*save)(const void *data, MlBuffer *out);

	/*
	 * Data in context from hostile bytes; ends with return mlplat_state_loaded(in, status, data). NULL, or
	 * in->failed, or bytes left over: damaged. May throw too; in->env allocates from context, and lives no
	 * longer than the call.
	 */
	void *(*load)(MlReader *in, MemoryContext context);

	/* Optional, for kinds that can be large: exactly the bytes that save will append. Saves a copy. */
	size_t (*size)(const void *data);
} MlStateKind;

typedef struct MlState
{
	ExpandedObjectHeader header;
	const MlStateKind *kind;
	void *data;
	uint8 *saved; /* between flat_size and flatten, for kinds without size: bytes of save */
	size_t saved_len;
} MlState;

#define MlStateGetDatum(state) EOHPGetRWDatum(&(state)->header)
#define mlplat_state_context(state) ((state)->header.eoh_context)

extern void mlplat_state_register(const MlStateKind *kind);

/* The aggregate's context; an error when the function was not called by an aggregate. */
extern MemoryContext mlplat_agg_context(FunctionCallInfo fcinfo);

/* What a transition function returns for a row that it skips: argument 0, be it NULL. */
extern Datum mlplat_return_state(FunctionCallInfo fcinfo);

/* A state without data, in the context of all states below aggcontext. */
extern MlState *mlplat_state_new(const MlStateKind *kind, MemoryContext aggcontext);

/* The state to change, whether the datum is expanded or flat. kind NULL: any. */
extern MlState *mlplat_state_get_rw(Datum datum, const MlStateKind *kind, MemoryContext aggcontext);

/* The state to read; a flat one is loaded into the current context. */
extern const MlState *mlplat_state_get_ro(Datum datum, const MlStateKind *kind);

/* For load: data, or NULL when the status is that the bytes are damaged; throws on any other failure. */
extern void *mlplat_state_loaded(const MlReader *in, MlStatus status, void *data);

#endif
