/*
 * apart.h
 *		Log an error in a transaction of its own, whatever becomes of the caller's.
 */
#ifndef MLPLAT_APART_H
#define MLPLAT_APART_H

/*
 * Run a statement of ours that logs an error, with text parameters $1 to $n (NULL: null), as the current role, by a
 * background worker. Waits for it, ten seconds at most, but not after a cancel: who cancels is not kept waiting. False,
 * without an error, when it could not be done: no free worker, the session's role may no longer log in, the statement
 * failed (the server's log says why); after a cancel, when no worker could be asked. Do not call it while the current
 * (sub)transaction is failing: roll that back first, so that no lock of it is in the way.
 */
extern bool mlplat_log_apart(const ErrorData *error, const char *sql, int n,
							 const char *const *values);

#endif
