/*
 * mlplat.c
 *		The module: magic, and what happens when the library is loaded.
 */
#include "postgres.h"

#include "fmgr.h"

#include "analyze/metrics_common.h"
#include "pg/guc.h"
#include "pg/progress.h"
#include "pg/threads.h"
#include "prepare/profile/profile.h"
#include "train/train.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	mlplat_tame_blas();
	mlplat_define_settings();
	mlplat_progress_register();
	mlplat_metrics_register();
	mlplat_train_register();
	mlplat_profile_register();
	mlplat_correlations_register();
}
