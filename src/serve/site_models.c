/*
 * site_models.c
 *		The models that a call site of predict uses, each looked up or decoded once a statement.
 *
 * A site remembers its models in a hash table, so that a join which brings a
 * model per group looks up or decodes each once. By name it pins models of the
 * session's cache, and looks all up again when the registry or the role has
 * changed. By image it decodes them itself: a toasted image is known by its
 * toast pointer, without fetching it; any other by a hash of its bytes. Both
 * are spared where the same bytes come from the same place again, as out of the
 * hash table of a join. When its models pass mlplat.cache_memory, the site
 * forgets them all and begins anew.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/detoast.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "core/rng.h"
#include "pg/bridge.h"
#include "pg/guc.h"
#include "serve/model_cache.h"
#include "serve/name_cache.h"
#include "serve/site_models.h"

#define HEADER_BYTES 64  /* of an image, compared to know it again; its checksum is among them */
#define SEEN_PER_MODEL 2 /* places remembered at least; each has two slots to choose from */
#define SEEN_LEAST 16
#define SEEN_MOST 65536 /* 6 MB */

struct MlplatSeenImage
{
	const struct varlena *place;
	Size size;
	MlplatSiteModel *model; /* NULL: empty */
	char header[HEADER_BYTES];
};

/* Models of the cache that must stay as long as a site uses them. */
struct MlplatPin
{
	MlplatCachedModel *cached;
	MlplatPin *next;
};

/* The models' context goes: let what it pinned go. */
static void
unpin_models(void *arg)
{
	MlplatSiteModels *models = arg;

	for (MlplatPin *pin = models->pins; pin; pin = pin->next)
		mlplat_cache_unpin(pin->cached);
	models->pins = NULL;
}

/* An empty table of models; what there was is forgotten. */
static void
forget_models(MlplatSiteModels *models)
{
	HASHCTL control = {0};
	MemoryContextCallback *unpin;

	models->last = NULL;
	models->seen = NULL;
	models->n_seen = 0;
	models->rows = NULL;
	models->table = NULL;
	models->bytes = 0;
	MemoryContextReset(models->context);
	unpin = MemoryContextAlloc(models->context, sizeof *unpin);
	unpin->func = unpin_models;
	unpin->arg = models;
	MemoryContextRegisterResetCallback(models->context, unpin);
	control.keysize = sizeof(uint64) * 3;
	control.entrysize = sizeof(MlplatSiteModel);
	control.hcxt = models->context;
	models->table =
		hash_create("mlplat models", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
mlplat_site_models_init(MlplatSiteModels *models, MemoryContext parent)
{
	models->context = AllocSetContextCreate(parent, "mlplat models", ALLOCSET_START_SMALL_SIZES);
}

/* The entry of a key, NULL when it is not there yet or was left unfinished by an error. */
static MlplatSiteModel *
find_entry(MlplatSiteModels *models, const uint64 *key)
{
	MlplatSiteModel *entry = hash_search(models->table, key, HASH_FIND, NULL);

	return entry && entry->model ? entry : NULL;
}

/* An empty entry; room is made when the models together are too large. */
static MlplatSiteModel *
add_entry(MlplatSiteModels *models, const uint64 *key)
{
	MlplatSiteModel *entry;

	if (models->bytes > (size_t) mlplat_cache_memory * 1024)
		forget_models(models);
	entry = hash_search(models->table, key, HASH_ENTER, NULL);
	memset((char *) entry + sizeof entry->key, 0, sizeof *entry - sizeof entry->key);
	return entry;
}

/* ---- vectors ---- */

/* Do rows bind to both alike? Levels have codes of their own in each model. */
static bool
same_inputs(const MlSchema *a, const MlSchema *b)
{
	if (a->n_inputs != b->n_inputs || a->n_slots != b->n_slots || a->n_features != b->n_features)
		return false;
	for (uint32 k = 0; k < a->n_inputs; k++)
	{
		const MlInput *x = &a->inputs[k], *y = &b->inputs[k];

		if (x->levels || y->levels || x->kind != y->kind || x->n_slots != y->n_slots ||
			strcmp(x->name, y->name) != 0 || strcmp(x->type_name, y->type_name) != 0)
			return false;
	}
	return true;
}

static MlplatSiteRows *
create_rows(MlplatSiteModels *models, const MlSchema *schema)
{
	MlplatSiteRows *rows = MemoryContextAllocZero(models->context, sizeof *rows);

	rows->schema = schema;
	rows->raw = MemoryContextAlloc(models->context, sizeof(double) * (schema->n_slots + 1));
	rows->features = MemoryContextAlloc(models->context, sizeof(double) * (schema->n_features + 1));
	rows->context = AllocSetContextCreate(models->context, "mlplat binding", ALLOCSET_SMALL_SIZES);
	return rows;
}

/* The entry is ready to predict. */
static void
finish_entry(MlplatSiteModels *models, MlplatSiteModel *entry, const MlModel *model)
{
	if (!models->rows || !same_inputs(models->rows->schema, model->schema))
		models->rows = create_rows(models, model->schema);
	entry->rows = models->rows;
	if (model->prep)
		entry->prepared =
			MemoryContextAlloc(models->context, sizeof(double) * model->prep->schema->n_features);
	entry->probs = MemoryContextAlloc(models->context, sizeof(double) * Max(model->n_classes, 2));
	entry->model = model;
}

/* ---- by name ---- */

/* Look a name up, as the statement and the current role see it. */
static MlplatSiteModel *
resolve_name(MlplatSiteModels *models, const char *name, Size len, const uint64 *key)
{
	int64 version_id = mlplat_resolve_name(name, len);
	MlplatSiteModel *entry;
	MlplatPin *pin;

	entry = add_entry(models, key);
	entry->name = memcpy(MemoryContextAlloc(models->context, len + 1), name, len);
	entry->name_len = len;
	pin = MemoryContextAlloc(models->context, sizeof *pin);
	pin->cached = mlplat_cache_pin(version_id);
	pin->next = models->pins;
	models->pins = pin;
	models->bytes += pin->cached->bytes;
	finish_entry(models, entry, pin->cached->model);
	return entry;
}

MlplatSiteModel *
mlplat_site_model_by_name(MlplatSiteModels *models, const text *reference)
{
	const char *name = VARDATA_ANY(reference);
	Size len = VARSIZE_ANY_EXHDR(reference);
	uint64 generation = mlplat_registry_generation();
	uint64 key[3] = {0, len, 0};
	MlplatSiteModel *entry = models->last;

	if (models->registry != generation || models->user != GetUserId())
	{
		forget_models(models);
		models->registry = generation;
		models->user = GetUserId();
	}
	else if (entry && entry->name_len == len && memcmp(entry->name, name, len) == 0)
		return entry;
	key[0] = ml_hash_bytes(name, len, 0);
	entry = find_entry(models, key);
	if (!entry || memcmp(entry->name, name, len) != 0)
		entry = resolve_name(models, name, len, key);
	models->last = entry;
	return entry;
}

/* ---- by image ---- */

/* The first of the two places at which an image is remembered; the other is its neighbour. */
static inline uint32
seen_slot(const MlplatSiteModels *models, const struct varlena *image)
{
	return (uint32) ml_mix64((uint64) (uintptr_t) image) & (models->n_seen - 1);
}

/* Is it the image that was seen, in the same place? */
static inline bool
is_seen(const MlplatSeenImage *seen, const struct varlena *image)
{
	return seen->place == image && seen->model && seen->size == VARSIZE_ANY(image) &&
		   memcmp(seen->header, image, Min(seen->size, HEADER_BYTES)) == 0;
}

/* The model of an image that came from the same place before, or NULL. */
static inline MlplatSiteModel *
recall_image(const MlplatSiteModels *models, const struct varlena *image)
{
	uint32 slot;

	if (models->n_seen == 0)
		return NULL;
	slot = seen_slot(models, image);
	if (likely(is_seen(&models->seen[slot], image)))
		return models->seen[slot].model;
	return is_seen(&models->seen[slot ^ 1], image) ? models->seen[slot ^ 1].model : NULL;
}

/* Slots enough for the models there are; all begin empty. */
static void
size_seen(MlplatSiteModels *models)
{
	long wanted = Min(SEEN_PER_MODEL * hash_get_num_entries(models->table), SEEN_MOST);
	uint32 n;

	if (models->n_seen > 0 && models->n_seen >= wanted)
		return;
	if (models->seen)
		pfree(models->seen);
	models->seen = NULL;
	models->n_seen = 0;
	n = pg_nextpower2_32((uint32) Max(Min(2 * wanted, SEEN_MOST), SEEN_LEAST));
	models->seen = MemoryContextAllocZero(models->context, sizeof *models->seen * n);
	models->n_seen = n;
}

/* Remember where the image was found; what was there moves to the neighbour. */
static void
remember_image(MlplatSiteModels *models, const struct varlena *image, MlplatSiteModel *entry)
{
	MlplatSeenImage *seen;
	uint32 slot;

	size_seen(models);
	slot = seen_slot(models, image);
	seen = &models->seen[slot];
	models->seen[slot ^ 1] = *seen;
	seen->place = image;
	seen->size = VARSIZE_ANY(image);
	seen->model = entry;
	memcpy(seen->header, image, Min(seen->size, HEADER_BYTES));
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
static MlplatSiteModel *
decode_entry(MlplatSiteModels *models, struct varlena *image, const uint64 *key)
{
	MlplatSiteModel *entry = add_entry(models, key);
	MemoryContext context =
		AllocSetContextCreate(models->context, "mlplat model", ALLOCSET_SMALL_SIZES);
	bytea *bytes = (bytea *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(image));
	const MlModel *model =
		mlplat_decode_image(context, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));

	if ((struct varlena *) bytes != image)
		pfree(bytes);
	finish_entry(models, entry, model);
	models->bytes += MemoryContextMemAllocated(context, true);
	return entry;
}

MlplatSiteModel *
mlplat_site_model_by_image(MlplatSiteModels *models, Datum datum)
{
	struct varlena *image = (struct varlena *) DatumGetPointer(datum);
	const struct varlena *found_at = image;
	uint64 key[3];
	MlplatSiteModel *entry = recall_image(models, found_at);

	if (entry)
		return entry;
	if (!models->table)
		forget_models(models);
	image_key(&image, key);
	entry = find_entry(models, key);
	if (!entry)
		entry = decode_entry(models, image, key);
	remember_image(models, found_at, entry);
	return entry;
}
