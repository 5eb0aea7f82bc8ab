/*
 * bridge.h
 *		Between pure code and the server: environments over memory contexts, status to error.
 */
#ifndef MLPLAT_BRIDGE_H
#define MLPLAT_BRIDGE_H

#include "core/env.h"

/*
 * An environment whose memory comes from context and whose cancel poll sees Ctrl-C, timeouts and
 * shutdown. Memory that was not freed goes with the context. One thread, no budget, no mapped memory:
 * set those fields afterwards. With more than one thread the owner must call ml_env_close before it
 * throws (mlplat_check only after that).
 */
extern void mlplat_env_init(MlEnv *env, MemoryContext context);

/* Return when status is ML_OK, else throw what env says, with the errcode of the status. */
extern void mlplat_check(const MlEnv *env, MlStatus status);

#endif
