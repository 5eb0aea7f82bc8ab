/*
 * guc.h
 *		The settings of the extension, mlplat.*.
 */
#ifndef MLPLAT_GUC_H
#define MLPLAT_GUC_H

extern int mlplat_training_memory; /* kB */
extern int mlplat_cache_memory;    /* kB */
extern int mlplat_threads;         /* 0: all cores, at most 8 */

extern void mlplat_define_settings(void);
extern int mlplat_thread_count(void); /* what mlplat.threads comes to on this machine */

#endif
