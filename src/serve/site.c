/*
 * site.c
 *		A call site of predict: which model it uses, and how it reads its rows.
 *
 * By name the site pins a model of the session's cache, and looks the name up
 * again when the registry or the role has changed. By image it keeps the models
 * it has decoded in a hash table of its own, so that a join which brings one
 * image per group decodes each once a statement: a toasted image is known by
 * its toast pointer, without fetching it; any other by a hash of its bytes.
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
#include "pg/catalog.h"
#include "serve/json_row.h"
#include "serve/model_cache.h"
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
	uint64 key[3]; /* of the hash table of images */
	const MlModel *model;
	Oid type; /* of the rows that binding is for */
	int32 typmod;
	TupleDesc desc;
	MlplatBinding *binding;
	MemoryContext context; /* of the binding */
	double *raw, *features, *probs;
} SiteModel;

typedef struct Site
{
	MemoryContext context;
	RowKind row_kind;
	bool by_name;
	Datum *values; /* of the widest row so far */
	bool *nulls;
	int n_values;

	/* by name */
	MlplatCachedModel *pinned;
	text *name;
	Oid user;
	uint64 generation;
	SiteModel *named;
	MemoryContextCallback unpin;

	/* by image */
	HTAB *images;
	SiteModel *last;
	const void *last_pointer;
	Size last_size;
	char last_header[HEADER_BYTES];
} Site;

/* ---- set-up ---- */

/* The expression context goes: let the pinned model go. */
static void
site_unpin(void *arg)
{
	Site *site = arg;

	if (site->pinned)
		mlplat_cache_unpin(site->pinned);
	site->pinned = NULL;
}

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
			break;
		default:
			elog(ERROR, "unexpected row type %u of a predict function", row_type);
	}
	site->unpin.func = site_unpin;
	site->unpin.arg = site;
	MemoryContextRegisterResetCallback(context, &site->unpin);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* Room for the vectors of one prediction. */
static void
size_vectors(SiteModel *sited, const MlModel *model, MemoryContext context)
{
	sited->model = model;
	sited->raw = MemoryContextAlloc(context, sizeof(double) * (model->schema->n_slots + 1));
	sited->features = MemoryContextAlloc(context, sizeof(double) * (model->schema->n_features + 1));
	sited->probs = MemoryContextAlloc(context, sizeof(double) * Max(model->n_classes, 2));
	sited->context = AllocSetContextCreate(context, "mlplat binding", ALLOCSET_SMALL_SIZES);
}

/* ---- the model ---- */

/* Look the name up, under the statement's snapshot and the current role. */
static void
resolve_name(Site *site, text *name)
{
	MlplatModelRef ref;
	uint64 generation = mlplat_registry_generation();
	MemoryContext old;

	ref = mlplat_find_model(text_to_cstring(name));
	if (ref.version == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no active version", ref.name),
						errhint("Promote one: mlplat.promote_model('%s@version').", ref.name)));
	if (!site->pinned || site->pinned->version_id != ref.version_id)
	{
		MlplatCachedModel *cached = mlplat_cache_pin(ref.version_id);

		site_unpin(site);
		site->pinned = cached;
		old = MemoryContextSwitchTo(site->context);
		site->named = palloc0(sizeof(SiteModel));
		size_vectors(site->named, cached->model, site->context);
		MemoryContextSwitchTo(old);
	}
	if (!site->name || VARSIZE_ANY_EXHDR(site->name) != VARSIZE_ANY_EXHDR(name) ||
		memcmp(VARDATA_ANY(site->name), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != 0)
	{
		old = MemoryContextSwitchTo(site->context);
		site->name = cstring_to_text_with_len(VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name));
		MemoryContextSwitchTo(old);
	}
	site->user = GetUserId();
	site->generation = generation;
}

static SiteModel *
model_by_name(Site *site, text *name)
{
	if (!site->name || site->generation != mlplat_registry_generation() ||
		site->user != GetUserId() || VARSIZE_ANY_EXHDR(site->name) != VARSIZE_ANY_EXHDR(name) ||
		memcmp(VARDATA_ANY(site->name), VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) != 0)
		resolve_name(site, name);
	return site->named;
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

static HTAB *
create_image_table(MemoryContext context)
{
	HASHCTL control = {0};

	control.keysize = sizeof(uint64) * 3;
	control.entrysize = sizeof(SiteModel);
	control.hcxt = context;
	return hash_create("mlplat images", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Decode a new image into its table entry; an error leaves no entry behind. */
static SiteModel *
decode_entry(Site *site, struct varlena *image, const uint64 *key)
{
	MemoryContext context =
		AllocSetContextCreate(site->context, "mlplat model", ALLOCSET_SMALL_SIZES);
	bytea *bytes = (bytea *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(image));
	const MlModel *model =
		mlplat_decode_image(context, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	SiteModel *sited;

	if ((struct varlena *) bytes != image)
		pfree(bytes);
	sited = hash_search(site->images, key, HASH_ENTER, NULL);
	memset((char *) sited + sizeof sited->key, 0, sizeof *sited - sizeof sited->key);
	size_vectors(sited, model, context);
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
	if (!site->images)
		site->images = create_image_table(site->context);
	image_key(&image, key);
	sited = hash_search(site->images, key, HASH_FIND, NULL);
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
	MemoryContext old;

	sited->binding = NULL;
	MemoryContextReset(sited->context);
	old = MemoryContextSwitchTo(sited->context);
	sited->desc = CreateTupleDescCopy(desc);
	sited->binding = mlplat_bind_model(sited->context, sited->model, sited->desc);
	sited->type = type;
	sited->typmod = typmod;
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

	if (!sited->binding || sited->type != type || sited->typmod != typmod)
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
						errmsg("the array has %d values, but the model has %u features", n,
							   schema->n_slots)));
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

const double *
mlplat_site_predict(FunctionCallInfo fcinfo, const MlModel **model)
{
	Site *site = fcinfo->flinfo->fn_extra;
	SiteModel *sited;
	const double *features;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return NULL;
	if (unlikely(!site))
		site = site_create(fcinfo);
	sited = site->by_name ? model_by_name(site, PG_GETARG_TEXT_PP(0))
						  : model_by_image(site, PG_GETARG_DATUM(0));
	read_row(site, sited, fcinfo);
	features = sited->raw;
	if (!sited->model->schema->identity)
	{
		ml_schema_expand(sited->model->schema, sited->raw, sited->features);
		features = sited->features;
	}
	ml_model_predict(sited->model, features, sited->probs);
	*model = sited->model;
	return sited->probs;
}
