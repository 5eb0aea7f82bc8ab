/*
 * guc.c
 *		The settings of the extension, mlplat.*.
 */
#include "postgres.h"

#include <limits.h>
#include <unistd.h>

#include "pg/compat.h"
#include "utils/guc.h"

#include "pg/guc.h"

#define MAX_DEFAULT_THREADS 8

int mlplat_training_memory = 1024 * 1024;
int mlplat_cache_memory = 256 * 1024;
int mlplat_threads = 0;

void
mlplat_define_settings(void)
{
	DefineCustomIntVariable(
		"mlplat.training_memory", "Memory that one training may take on the heap.",
		"Collected rows beyond it go to a temporary file, under temp_file_limit.",
		&mlplat_training_memory, 1024 * 1024, 1024, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, NULL,
		NULL, NULL);
	DefineCustomIntVariable("mlplat.cache_memory", "Memory of one session for decoded models.",
							NULL, &mlplat_cache_memory, 256 * 1024, 0, MAX_KILOBYTES, PGC_USERSET,
							GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("mlplat.threads", "Threads that one training may use.",
							"0 stands for all cores, at most 8. Results do not depend on it.",
							&mlplat_threads, 0, 0, 256, PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("mlplat");
}

/* What mlplat.threads comes to on this machine. */
int
mlplat_thread_count(void)
{
	static long cores =
		0; /* asked for once: it reads a file, and there may be a training per group */

	if (mlplat_threads > 0)
		return mlplat_threads;
	if (cores == 0)
		cores = sysconf(_SC_NPROCESSORS_ONLN);
	return (int) Max(1, Min(cores, MAX_DEFAULT_THREADS));
}
