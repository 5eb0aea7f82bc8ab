/*
 * guc.c
 *		The settings of the extension, mlplat.*.
 */
#include "postgres.h"

#include <limits.h>
#include <unistd.h>

#include "pg/compat.h"
#include "utils/guc.h"

#include "core/hosts.h"
#include "pg/guc.h"

#define MAX_DEFAULT_THREADS 8

int mlplat_training_memory = 1024 * 1024;
int mlplat_cache_memory = 256 * 1024;
int mlplat_threads = 0;
char *mlplat_allowed_hosts = NULL;
char *mlplat_ca_file = NULL;

/* Every rule of the list can be read. */
static bool
check_hosts(char **value, void **extra pg_attribute_unused(),
			GucSource source pg_attribute_unused())
{
	const char *list = *value, *error;
	MlHostRule rule;

	while (ml_hosts_next(&list, &rule, &error))
		;
	if (error)
		GUC_check_errdetail("\"%s\" %s.", rule.name, error);
	return !error;
}

static bool
check_absolute_path(char **value, void **extra pg_attribute_unused(),
					GucSource source pg_attribute_unused())
{
	if (**value == '\0' || is_absolute_path(*value))
		return true;
	GUC_check_errdetail("The path of the file must be absolute.");
	return false;
}

/* Settings about other servers, which only an administrator may change. */
static void
define_network_settings(void)
{
	DefineCustomStringVariable(
		"mlplat.allowed_hosts", "Hosts that import_url may ask.",
		"Apart by commas: names, *.domain, addresses, networks, each with :port if it is not the "
		"scheme's own. Empty: none.",
		&mlplat_allowed_hosts, "", PGC_SUSET, 0, check_hosts, NULL, NULL);
	DefineCustomStringVariable("mlplat.ca_file",
							   "File of the certificate authorities that import_url trusts.",
							   "Empty stands for those that the system trusts.", &mlplat_ca_file,
							   "", PGC_SUSET, 0, check_absolute_path, NULL, NULL);
}

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
	define_network_settings();
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
