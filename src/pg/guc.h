/*
 * guc.h
 *		The settings of the extension, mlplat.*.
 */
#ifndef MLPLAT_GUC_H
#define MLPLAT_GUC_H

extern int mlplat_training_memory; /* kB */
extern int mlplat_cache_memory;    /* kB */
extern int mlplat_threads;         /* 0: all cores, at most 8 */

extern char *mlplat_allowed_hosts; /* a list of core/hosts.h; empty: import_url is off */
extern char *mlplat_ca_file;       /* certificates of authorities to trust; empty: the system's */

extern void mlplat_define_settings(void);
extern int mlplat_thread_count(void); /* what mlplat.threads comes to on this machine */

#endif
