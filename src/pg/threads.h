/*
 * threads.h
 *		Threads inside a backend: keep the linear algebra library's away.
 */
#ifndef MLPLAT_THREADS_H
#define MLPLAT_THREADS_H

extern void mlplat_tame_blas(void);

#endif
