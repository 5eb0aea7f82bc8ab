/*
 * threads.c
 *		Threads inside a backend: keep the linear algebra library's away.
 *
 * OpenBLAS starts a thread per core when it is loaded, with the backend's
 * signals unblocked: a signal handler of PostgreSQL may then run on a foreign
 * thread, which can crash the server. So at load it is set to one thread and
 * the others are shut down. Our own pool (core/pool.c) does the parallel work,
 * with all signals blocked.
 */
#include "postgres.h"

#include "pg/threads.h"

/* Weak: the serial and the OpenMP build of the library lack some of them. */
extern void openblas_set_num_threads(int n) __attribute__((weak));
extern int blas_thread_shutdown_(void) __attribute__((weak));

void
mlplat_tame_blas(void)
{
	if (openblas_set_num_threads)
		openblas_set_num_threads(1);
	if (blas_thread_shutdown_)
		blas_thread_shutdown_();
}
