/*
 * bridge.h
 *		Between pure code and the server: environments over memory contexts, status to error.
 *
 * Pure code never throws: after each call the bridge says mlplat_check(env, status).
 */
#ifndef MLPLAT_BRIDGE_H
#define MLPLAT_BRIDGE_H

#include "core/env.h"

/*
 * A plain environment: memory comes from context, the cancel poll sees Ctrl-C, timeouts and shutdown.
 * One thread, no budget, no mapped memory. Memory that was not freed goes with the context.
 */
extern void mlplat_env_init(MlEnv *env, MemoryContext context);

/*
 * The environment of a training: a context of its own below parent, budget and threads by the settings,
 * memory beyond the budget in temporary files. Deleting its context ends the threads and unmaps, so
 * that nothing outlives an error.
 */
extern MlEnv *mlplat_env_create(MemoryContext parent, const char *name);
extern MemoryContext mlplat_env_context(const MlEnv *env);
extern void mlplat_env_delete(MlEnv *env);

/* Return when status is ML_OK, else throw what env says, with the errcode of the status. */
extern void mlplat_check(const MlEnv *env, MlStatus status);

#endif
