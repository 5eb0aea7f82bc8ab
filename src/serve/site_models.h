/*
 * site_models.h
 *		The models that a call site of predict uses, each looked up or decoded once a statement.
 */
#ifndef MLPLAT_SITE_MODELS_H
#define MLPLAT_SITE_MODELS_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "utils/hsearch.h"

#include "model/model.h"
#include "pg/binder.h"

/*
 * How rows become vectors. Models with the same numeric inputs share one: a join that brings a model per group then
 * works on the same few lines of memory for all of them.
 */
typedef struct MlplatSiteRows
{
	const MlSchema *schema; /* of one of the models; the others' inputs are the same */
	Oid type;               /* of the rows that binding is for */
	int32 typmod;
	uint64 relations; /* generation of the relations when type was looked up */
	TupleDesc desc;
	MlplatBinding *binding; /* NULL: none yet, or an error came before it was there */
	MemoryContext context;  /* of desc and binding */
	double *raw, *features;
} MlplatSiteRows;

/* A model in use. */
typedef struct MlplatSiteModel
{
	uint64 key[3]; /* of the hash table */
	const char *name;
	Size name_len;
	const MlModel *model; /* NULL: an error came before it was there */
	MlplatSiteRows *rows;
	double *prepared; /* the features that the algorithm sees, where the model prepares them */
	double *probs;
} MlplatSiteModel;

/* Where an image was found, to know it again without hashing its bytes. */
typedef struct MlplatSeenImage MlplatSeenImage;

typedef struct MlplatPin MlplatPin;

/* The models of a site; all memory of theirs is below context. */
typedef struct MlplatSiteModels
{
	MemoryContext context;
	HTAB *table;
	size_t bytes;
	MlplatSiteRows *rows; /* made last */

	/* by name */
	MlplatSiteModel *last;
	MlplatPin *pins;
	Oid user;
	uint64 registry; /* generation of the registry when names were looked up */

	/* by image */
	MlplatSeenImage *seen;
	uint32 n_seen; /* a power of two */
} MlplatSiteModels;

/* A site without models yet. */
extern void mlplat_site_models_init(MlplatSiteModels *models, MemoryContext parent);

/*
 * The model of a name or name@version as the statement and the current role see it, or of an image. Stays until the
 * next call, which may forget all models when they take more than mlplat.cache_memory.
 */
extern MlplatSiteModel *mlplat_site_model_by_name(MlplatSiteModels *models, const text *reference);
extern MlplatSiteModel *mlplat_site_model_by_image(MlplatSiteModels *models, Datum image);

#endif
