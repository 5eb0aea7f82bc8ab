/*
 * site.c
 *		A call site of predict: which models it uses, and how it reads its rows.
 *
 * A site remembers the models of its rows in a hash table, so that a join which
 * brings a model per group looks up or decodes each once a statement. By name it
 * pins models of the session's cache, and looks all up again when the registry
 * or the role has changed. By image it decodes them itself: a toasted image is
 * known by its toast pointer, without fetching it; any other by a hash of its
 * bytes. When its models pass mlplat.cache_memory, the site forgets them all and
 * begins anew.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "core/rng.h"
#include "pg/binder.h"
#include "pg/bridge.h"
#include "pg/guc.h"
#include "serve/json_row.h"
#include "serve/model_cache.h"
#include "serve/name_cache.h"
#include "serve/site.h"

#define HEADER_BYTES 64 /* of an image compared to see that it is the one of the row before */

typedef enum RowKind
{
	ROW_RECORD,
	ROW_JSONB,
	ROW_ARRAY,
	ROW_COLUMNS
} RowKind;

/* A model in use, and how rows of one type bind to it. */
typedef struct SiteModel
{
	uint64 key[3]; /* of the hash table */
	const char *name;
	Size name_len;
	const MlModel *model; /* NULL: an error came before it was there */
	Oid type;             /* of the rows that binding is for */
	int32 typmod;
	uint64 relations; /* generation of the relations when type was looked up */
	TupleDesc desc;
	MlplatBinding *binding;
	MemoryContext context; /* of the binding */
	double *raw, *features, *prepared, *probs;
} SiteModel;

/* Models of the cache that must stay as long as a site uses them. */
typedef struct Pin
{
	MlplatCachedModel *cached;
	struct Pin *next;
} Pin;

typedef struct Site
{
	MemoryContext context;
	RowKind row_kind;
	bool by_name;
	Datum *values; /* of the widest row so far */
	bool *nulls;
	int n_values;

	/* the models; all memory of theirs is below models_context */
	MemoryContext models_context;
	HTAB *models;
	SiteModel *last;
	size_t bytes;

	/* by name */
	Pin *pins;
	Oid user;
	uint64 registry; /* generation of the registry when names were looked up */

	/* by image: where the last one was found, to know it again without hashing */
	const void *last_pointer;
	Size last_size;
	char last_header[HEADER_BYTES];
} Site;

/* ---- set-up ---- */

/* What the arguments are, by the declared types of the SQL function. */
static Site *
site_create(FunctionCallInfo fcinfo)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	Site *site = MemoryContextAllocZero(context, sizeof *site);
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	Oid model_type, row_type;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	model_type = ((Form_pg_proc) GETSTRUCT(tuple))->proargtypes.values[0];
	row_type = ((Form_pg_proc) GETSTRUCT(tuple))->proargtypes.values[1];
	ReleaseSysCache(tuple);
	site->context = context;
	site->models_context =
		AllocSetContextCreate(context, "mlplat models", ALLOCSET_START_SMALL_SIZES);
	site->by_name = model_type == TEXTOID;
	switch (row_type)
	{
		case RECORDOID:
			site->row_kind = ROW_RECORD;
			break;
		case JSONBOID:
			site->row_kind = ROW_JSONB;
			break;
		case FLOAT8ARRAYOID:
			site->row_kind = ROW_ARRAY;
			break;
		case TEXTARRAYOID:
			site->row_kind = ROW_COLUMNS;
			if (!get_fn_expr_arg_stable(fcinfo->flinfo, 1))
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("the names of the columns must be a constant")));
			break;
		default:
			elog(ERROR, "unexpected row type %u of a predict function", row_type);
	}
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* Room for the vectors of one prediction. */
static void
size_vectors(SiteModel *sited, const MlModel *model, MemoryContext context)
{
	sited->raw = MemoryContextAlloc(context, sizeof(double) * (model->schema->n_slots + 1));
	sited->features = MemoryContextAlloc(context, sizeof(double) * (model->schema->n_features + 1));
	if (model->prep)
		sited->prepared =
			MemoryContextAlloc(context, sizeof(double) * model->prep->schema->n_features);
	sited->probs = MemoryContextAlloc(context, sizeof(double) * Max(model->n_classes, 2));
	sited->context = AllocSetContextCreate(context, "mlplat binding", ALLOCSET_SMALL_SIZES);
	sited->model = model;
}

/* ---- the models ---- */

/* The models' context goes: let what it pinned go. */
static void
site_unpin(void *arg)
{
	Site *site = arg;

	for (Pin *pin = site->pins; pin; pin = pin->next)
		mlplat_cache_unpin(pin->cached);
	site->pins = NULL;
}

/* An empty table of models; what there was is forgotten. */
static void
forget_models(Site *site)
{
	HASHCTL control = {0};
	MemoryContextCallback *unpin;

	site->last = NULL;
	site->last_pointer = NULL;
	site->models = NULL;
	site->bytes = 0;
	MemoryContextReset(site->models_context);
	unpin = MemoryContextAlloc(site->models_context, sizeof *unpin);
	unpin->func = site_unpin;
	unpin->arg = site;
	MemoryContextRegisterResetCallback(site->models_context, unpin);
	control.keysize = sizeof(uint64) * 3;
	control.entrysize = sizeof(SiteModel);
	control.hcxt = site->models_context;
	site->models =
		hash_create("mlplat models", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The entry of a key, NULL when it is not there yet or was left unfinished by an error. */
static SiteModel *
find_entry(Site *site, const uint64 *key)
{
	SiteModel *sited = hash_search(site->models, key, HASH_FIND, NULL);

	return sited && sited->model ? sited : NULL;
}

/* An empty entry; room is made when the models together are too large. */
static SiteModel *
add_entry(Site *site, const uint64 *key)
{
	SiteModel *sited;

	if (site->bytes > (size_t) mlplat_cache_memory * 1024)
		forget_models(site);
	sited = hash_search(site->models, key, HASH_ENTER, NULL);
	memset((char *) sited + sizeof sited->key, 0, sizeof *sited - sizeof sited->key);
	return sited;
}

/* Look a name up, as the statement and the current role see it. */
static SiteModel *
resolve_name(Site *site, const char *name, Size len, const uint64 *key)
{
	int64 version_id = mlplat_resolve_name(name, len);
	SiteModel *sited;
	Pin *pin;

	sited = add_entry(site, key);
	sited->name = memcpy(MemoryContextAlloc(site->models_context, len + 1), name, len);
	sited->name_len = len;
	pin = MemoryContextAlloc(site->models_context, sizeof *pin);
	pin->cached = mlplat_cache_pin(version_id);
	pin->next = site->pins;
	site->pins = pin;
	site->bytes += pin->cached->bytes;
	size_vectors(sited, pin->cached->model, site->models_context);
	return sited;
}

static SiteModel *
model_by_name(Site *site, text *reference)
{
	const char *name = VARDATA_ANY(reference);
	Size len = VARSIZE_ANY_EXHDR(reference);
	uint64 generation = mlplat_registry_generation();
	uint64 key[3] = {0, len, 0};
	SiteModel *sited = site->last;

	if (site->registry != generation || site->user != GetUserId())
	{
		forget_models(site);
		site->registry = generation;
		site->user = GetUserId();
	}
	else if (sited && sited->name_len == len && memcmp(sited->name, name, len) == 0)
		return sited;
	key[0] = ml_hash_bytes(name, len, 0);
	sited = find_entry(site, key);
	if (!sited || memcmp(sited->name, name, len) != 0)
		sited = resolve_name(site, name, len, key);
	site->last = sited;
	return sited;
}

/* The key of an image: its toast pointer, or size and hash. Detoasts what is not toasted on disk. */
static void
image_key(struct varlena **image, uint64 *key)
{
	if (VARATT_IS_EXTERNAL_ONDISK(*image))
	{
		struct varatt_external pointer;

		VARATT_EXTERNAL_GET_POINTER(pointer, *image);
		key[0] = (uint64) pointer.va_toastrelid << 32 | pointer.va_valueid;
		key[1] = (uint64) pointer.va_rawsize;
		key[2] = 1;
		return;
	}
	*image = PG_DETOAST_DATUM_PACKED(PointerGetDatum(*image));
	key[0] = ml_hash_bytes(VARDATA_ANY(*image), VARSIZE_ANY_EXHDR(*image), 0);
	key[1] = VARSIZE_ANY_EXHDR(*image);
	key[2] = 2;
}

/* Decode a new image into its entry. */
static SiteModel *
decode_entry(Site *site, struct varlena *image, const uint64 *key)
{
	SiteModel *sited = add_entry(site, key);
	MemoryContext context =
		AllocSetContextCreate(site->models_context, "mlplat model", ALLOCSET_SMALL_SIZES);
	bytea *bytes = (bytea *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(image));
	const MlModel *model =
		mlplat_decode_image(context, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));

	if ((struct varlena *) bytes != image)
		pfree(bytes);
	size_vectors(sited, model, context);
	site->bytes += MemoryContextMemAllocated(context, true);
	return sited;
}

/* Remember the bytes at which the image was found, to know it again without hashing. */
static void
remember_image(Site *site, const struct varlena *image, SiteModel *sited)
{
	Size size = VARSIZE_ANY(image);

	site->last = sited;
	site->last_pointer = image;
	site->last_size = size;
	memcpy(site->last_header, image, Min(size, HEADER_BYTES));
}

static SiteModel *
model_by_image(Site *site, Datum datum)
{
	struct varlena *image = (struct varlena *) DatumGetPointer(datum);
	const struct varlena *found_at = image;
	uint64 key[3];
	SiteModel *sited;

	if (site->last && site->last_pointer == image && VARSIZE_ANY(image) == site->last_size &&
		memcmp(site->last_header, image, Min(site->last_size, HEADER_BYTES)) == 0)
		return site->last;
	if (!site->models)
		forget_models(site);
	image_key(&image, key);
	sited = find_entry(site, key);
	if (!sited)
		sited = decode_entry(site, image, key);
	remember_image(site, found_at, sited);
	return sited;
}

/* ---- the row ---- */

/* Room for the values of n columns. */
static void
size_values(Site *site, int n)
{
	if (n <= site->n_values)
		return;
	site->values = MemoryContextAlloc(site->context, sizeof(Datum) * n);
	site->nulls = MemoryContextAlloc(site->context, sizeof(bool) * n);
	site->n_values = n;
}

/* Bind rows of a type to the model; what was bound before goes. */
static void
bind_rows(Site *site, SiteModel *sited, TupleDesc desc, Oid type, int32 typmod)
{
	uint64 relations = mlplat_relations_generation();
	MemoryContext old;

	sited->binding = NULL;
	MemoryContextReset(sited->context);
	old = MemoryContextSwitchTo(sited->context);
	sited->desc = CreateTupleDescCopy(desc);
	sited->binding = mlplat_bind_model(sited->context, sited->model, sited->desc);
	sited->type = type;
	sited->typmod = typmod;
	sited->relations = relations;
	MemoryContextSwitchTo(old);
	size_values(site, desc->natts + 1);
}

static void
read_record(Site *site, SiteModel *sited, Datum datum)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
	Oid type = HeapTupleHeaderGetTypeId(row);
	int32 typmod = HeapTupleHeaderGetTypMod(row);
	HeapTupleData tuple;

	/* A named row type may change from one row to the next: variables of PL/pgSQL outlive an ALTER TABLE. */
	if (!sited->binding || sited->type != type || sited->typmod != typmod ||
		sited->relations != mlplat_relations_generation())
	{
		TupleDesc desc = lookup_rowtype_tupdesc(type, typmod);

		bind_rows(site, sited, desc, type, typmod);
		ReleaseTupleDesc(desc);
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, sited->desc, site->values, site->nulls);
	mlplat_bind_row(sited->binding, site->values, site->nulls, sited->raw);
}

/* The row type of predict(model, names, VARIADIC columns). */
static TupleDesc
columns_desc(FunctionCallInfo fcinfo)
{
	int n = PG_NARGS() - 2;
	TupleDesc desc = CreateTemplateTupleDesc(n);
	Datum *names;
	int n_names;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, NULL,
					  &n_names);
	if (n_names != n)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("got %d names for %d columns", n_names, n)));
	for (int i = 0; i < n; i++)
		TupleDescInitEntry(desc, (AttrNumber) (i + 1), TextDatumGetCString(names[i]),
						   get_fn_expr_argtype(fcinfo->flinfo, i + 2), -1, 0);
	return desc;
}

static void
read_columns(Site *site, SiteModel *sited, FunctionCallInfo fcinfo)
{
	int n = PG_NARGS() - 2;

	if (!sited->binding)
		bind_rows(site, sited, columns_desc(fcinfo), RECORDOID, 0);
	for (int i = 0; i < n; i++)
	{
		site->values[i] = PG_GETARG_DATUM(i + 2);
		site->nulls[i] = PG_ARGISNULL(i + 2);
	}
	mlplat_bind_row(sited->binding, site->values, site->nulls, sited->raw);
}

/* Numbers by position; levels and dates have none. */
static void
read_array(SiteModel *sited, ArrayType *array)
{
	const MlSchema *schema = sited->model->schema;
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if ((uint32) n != schema->n_slots)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("the array must have %u values, as the model has features, not %d",
							   schema->n_slots, n)));
	for (uint32 i = 0; i < schema->n_inputs; i++)
	{
		if (schema->inputs[i].kind == ML_CATEGORICAL || schema->inputs[i].kind == ML_DATE ||
			schema->inputs[i].kind == ML_TIMESTAMP)
			ereport(
				ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" is %s in the model, which an array of numbers cannot hold",
						schema->inputs[i].name, schema->inputs[i].type_name),
				 errhint("Pass the row, or a jsonb object.")));
	}
	if (!ARR_HASNULL(array))
		memcpy(sited->raw, ARR_DATA_PTR(array), n * sizeof(double));
	else
	{
		Datum *values;
		bool *nulls;

		deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &values, &nulls, &n);
		for (int i = 0; i < n; i++)
			sited->raw[i] = nulls[i] ? get_float8_nan() : DatumGetFloat8(values[i]);
	}
}

static void
read_row(Site *site, SiteModel *sited, FunctionCallInfo fcinfo)
{
	switch (site->row_kind)
	{
		case ROW_RECORD:
			read_record(site, sited, PG_GETARG_DATUM(1));
			break;
		case ROW_JSONB:
			mlplat_read_json_row(sited->model->schema, PG_GETARG_JSONB_P(1), sited->raw);
			break;
		case ROW_ARRAY:
			read_array(sited, PG_GETARG_ARRAYTYPE_P(1));
			break;
		case ROW_COLUMNS:
			read_columns(site, sited, fcinfo);
			break;
	}
}

/* What the algorithm sees of the raw row. */
static const double *
seen_features(SiteModel *sited)
{
	const MlModel *model = sited->model;
	const double *features = sited->raw;

	if (!model->schema->identity)
	{
		ml_schema_expand(model->schema, sited->raw, sited->features);
		features = sited->features;
	}
	if (!model->prep)
		return features;
	ml_prep_row(model->prep, features, sited->prepared);
	return sited->prepared;
}

/* The features of the row, and the model that reads them; NULL when either argument is. */
static const double *
site_features(FunctionCallInfo fcinfo, SiteModel **out)
{
	Site *site = fcinfo->flinfo->fn_extra;
	SiteModel *sited;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return NULL;
	if (unlikely(!site))
		site = site_create(fcinfo);
	sited = site->by_name ? model_by_name(site, PG_GETARG_TEXT_PP(0))
						  : model_by_image(site, PG_GETARG_DATUM(0));
	read_row(site, sited, fcinfo);
	*out = sited;
	return seen_features(sited);
}

const double *
mlplat_site_features(FunctionCallInfo fcinfo, const MlModel **model)
{
	SiteModel *sited;
	const double *features = site_features(fcinfo, &sited);

	if (features)
		*model = sited->model;
	return features;
}

const double *
mlplat_site_predict(FunctionCallInfo fcinfo, const MlModel **model)
{
	SiteModel *sited;
	const double *features = site_features(fcinfo, &sited);

	if (!features)
		return NULL;
	if (!sited->model->algo->predict)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" does %s, and predicts nothing",
							   sited->model->algo->name, ml_task_name(sited->model->task)),
						errhint("Use mlplat.transform.")));
	ml_model_predict(sited->model, features, sited->probs);
	*model = sited->model;
	return sited->probs;
}

bool
mlplat_site_has_label(FunctionCallInfo fcinfo)
{
	const Site *site = fcinfo->flinfo->fn_extra;

	return PG_NARGS() > 2 && site->row_kind != ROW_COLUMNS;
}
