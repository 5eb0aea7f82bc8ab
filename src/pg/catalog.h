/*
 * catalog.h
 *		The registry in tables: find a model, add a version, change which is active.
 *
 * Everything runs with the caller's rights: row security decides what there is.
 * References are 'name' or 'name@version'.
 */
#ifndef MLPLAT_CATALOG_H
#define MLPLAT_CATALOG_H

#include "utils/jsonb.h"

typedef struct MlplatModelRef
{
	int64 model_id;
	int64 version_id; /* identifies the version for ever; 0: none */
	int version;      /* the one asked for, else the active one; 0: none is active */
	int active;       /* 0: none */
	char *name;       /* without @version */
} MlplatModelRef;

/* Everything of a version that is stored, image aside. NULLs where there is nothing. */
typedef struct MlplatNewVersion
{
	const char *query;
	const char *options; /* JSON text */
	const char *info;    /* JSON text */
	const char *metric;
	double score; /* NaN: none */
	Datum image;  /* bytea */
} MlplatNewVersion;

/* One training, for the view runs. */
typedef struct MlplatRun
{
	const char *model;
	int version;
	double seconds;
	const char *query, *target, *algorithm;
	const char *options; /* JSON text */
	int64 rows, dropped, holdout;
	const char *metric; /* NULL: not evaluated */
	double score;
	bool promoted;
	const char *trials; /* JSON array of what was compared; NULL: nothing was */
} MlplatRun;

extern void mlplat_log_run(const MlplatRun *run);

/* A training that failed, in a transaction of its own; a warning when that cannot be done. Of the run: model, query,
 * target, algorithm, options (NULL: not known), seconds, rows (read so far). */
extern void mlplat_log_failed_run(const MlplatRun *run, const ErrorData *error);
extern void mlplat_delete_trials(int64 run_id);

/* Find a model; error when it isn't there, isn't visible, or the version isn't there. */
extern MlplatModelRef mlplat_find_model(const char *reference);

/* The same, and the model must have the version that is asked for or an active one. */
extern MlplatModelRef mlplat_find_version(const char *reference);

/* Its version_id, or 0 where mlplat_find_version would say that there is none. */
extern int64 mlplat_lookup_version(const char *reference);

/*
 * The same for a change: the model is locked until the end of the transaction, and what others have
 * committed meanwhile is seen. *has_version: the reference names a version.
 */
extern MlplatModelRef mlplat_find_model_for_change(const char *reference, bool *has_version);

/* The oid of mlplat.registry, for invalidation. */
extern Oid mlplat_registry_relid(void);

/* The image of a version, detoasted, in the current context. */
extern bytea *mlplat_fetch_image(int64 version_id);

/* Make the model if it isn't there, and lock it: versions of one model are added one at a time. */
extern MlplatModelRef mlplat_lock_model(const char *name);
extern int mlplat_add_version(int64 model_id, const MlplatNewVersion *version);
extern void mlplat_set_active(int64 model_id, int version); /* remembers the one before */

extern int mlplat_pop_active(int64 model_id); /* back to the one before; 0: there is none */
extern void mlplat_delete_model(int64 model_id);
extern void mlplat_delete_versions(int64 model_id); /* all: the model goes */
extern void mlplat_delete_version(int64 model_id, int version);

/* What evaluate_model measured of a version. */
typedef struct MlplatNewEvaluation
{
	int64 version_id;
	const char *query;
	int64 rows;
	const char *metric;
	double score;                 /* NaN: none */
	const char *metrics, *curves; /* JSON text */
} MlplatNewEvaluation;

extern int64 mlplat_add_evaluation(const MlplatNewEvaluation *evaluation); /* returns its id */
extern void mlplat_delete_evaluations(int64 version_id);

/* The score and metric of a version; false: it has none. */
extern bool mlplat_version_score(int64 model_id, int version, char **metric, double *score);

/* SPI with errors phrased for users; the calls nest. */
extern void mlplat_spi_begin(void);
extern void mlplat_spi_end(void);

/* Check a name that a user chose for a model. */
extern void mlplat_check_model_name(const char *name);

#endif
