/*
 * progress.h
 *		What this backend's training is at, for other sessions to see.
 *
 * Everything here does nothing when mlplat is not in shared_preload_libraries.
 */
#ifndef MLPLAT_PROGRESS_H
#define MLPLAT_PROGRESS_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "core/env.h"

/* Ask for shared memory; called when the library is loaded. */
extern void mlplat_progress_register(void);

/*
 * Show the training of an environment of mlplat_env_create until that is deleted, from the phase "reading" on.
 * model: its name, NULL without one. Does nothing while another training of this backend is shown.
 */
extern void mlplat_progress_begin(MlEnv *env, const char *model, const char *algorithm);

/* So many rows have been read. */
extern void mlplat_progress_rows(MlEnv *env, uint64 rows);

/* The training ends, well or not: for the bridge. */
extern void mlplat_progress_end(const MlEnv *env);

/* How often rows are to be told, so that it costs nothing. */
#define MLPLAT_PROGRESS_ROWS 4096

#endif
