/*
 * query.h
 *		Read a user's query: what it returns, and its rows, one call a row.
 *
 * The text must be exactly one SELECT, VALUES, TABLE or WITH that changes
 * nothing. It runs once, with the caller's rights and row security, read-only,
 * and its rows are never stored on the way.
 */
#ifndef MLPLAT_QUERY_H
#define MLPLAT_QUERY_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

/* All columns of the slot are at hand (tts_values, tts_isnull). Memory allocated here is freed after the row. */
typedef void (*MlplatRowFn)(void *arg, TupleTableSlot *slot);

typedef enum MlplatPlanKind
{
	MLPLAT_PLAN_SERIAL,  /* the same rows come in the same order while the table is not changed */
	MLPLAT_PLAN_PARALLEL /* workers may be used; the callback must not write */
} MlplatPlanKind;

/* The columns that the query returns, without running it; allocated in the current context. */
extern TupleDesc mlplat_describe_query(const char *sql);

/* The query alone, to be put into another: without a semicolon and what comes after it. */
extern char *mlplat_statement_text(const char *sql);

/* Run the query to its end; returns the number of rows. Sees what the transaction has done so far. */
extern uint64 mlplat_run_query(const char *sql, MlplatPlanKind kind, MlplatRowFn row, void *arg);

/* The same for a query that was made from another; an error's context shows that one. */
extern uint64 mlplat_run_made_query(const char *sql, const char *shown, MlplatPlanKind kind,
									MlplatRowFn row, void *arg);

/*
 * The same in portions and in a serial plan, for those who write while they read: between two portions the
 * transaction may write, the query sees nothing of it. What an error leaves behind goes with the (sub)transaction.
 */
typedef struct MlplatCursor MlplatCursor;

extern MlplatCursor *mlplat_cursor_open(const char *sql);
/* Add up to n rows to the store; false: there are no more. */
extern bool mlplat_cursor_fetch(MlplatCursor *cursor, Tuplestorestate *rows, uint64 n);
extern void mlplat_cursor_close(MlplatCursor *cursor);

#endif
