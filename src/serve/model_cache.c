/*
 * model_cache.c
 *		Decoded models of this session, by version, within mlplat.cache_memory.
 *
 * A version never changes and its id is never used again, so a decoded model
 * can't be stale; what can be stale is which version a name stands for. So a
 * call site asks the name cache once a statement, and again when the registry's
 * generation has moved.
 *
 * Models in use are pinned by the call sites. A model that is larger than the
 * whole cache lives as long as it is pinned.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "pg/bridge.h"
#include "pg/catalog.h"
#include "pg/guc.h"
#include "serve/model_cache.h"

static MlplatCachedModel *cache_list = NULL;
static size_t cache_bytes = 0;
static uint64 cache_clock = 0;
static uint64 registry_generation = 1;
static uint64 relations_generation = 1;
static Oid registry_relid = InvalidOid; /* InvalidOid: to be looked up */
static bool callback_registered = false;

/* Something about a relation has changed; InvalidOid stands for all. */
static void
relation_callback(Datum arg pg_attribute_unused(), Oid relid)
{
	relations_generation++;
	if (!OidIsValid(relid) || relid == registry_relid || !OidIsValid(registry_relid))
	{
		registry_generation++;
		if (!OidIsValid(relid))
			registry_relid = InvalidOid; /* the extension may have been made anew */
	}
}

/* Roles or their members have changed: so may have what they see of the registry. */
static void
role_callback(Datum arg pg_attribute_unused(), int cache pg_attribute_unused(),
			  uint32 hash pg_attribute_unused())
{
	registry_generation++;
}

/* Once a session: from now on changes are noticed. */
static void
watch_relations(void)
{
	if (!callback_registered)
	{
		CacheRegisterRelcacheCallback(relation_callback, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, role_callback, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, role_callback, (Datum) 0);
		callback_registered = true;
	}
}

/* The oid of the registry. */
static Oid
get_registry_relid(void)
{
	/* Looked up each time: cheap beside what follows, and right after DROP and CREATE EXTENSION. */
	registry_relid = mlplat_registry_relid();
	return registry_relid;
}

uint64
mlplat_registry_generation(void)
{
	watch_relations();
	return registry_generation;
}

uint64
mlplat_relations_generation(void)
{
	watch_relations();
	return relations_generation;
}

const MlModel *
mlplat_decode_image(MemoryContext context, const void *data, size_t len)
{
	MlEnv *env = MemoryContextAllocZero(context, sizeof *env);
	MlArena *arena = MemoryContextAllocZero(context, sizeof *arena);
	MlModel *model;

	mlplat_env_init(env, context);
	ml_arena_init(arena, env);
	mlplat_check(env, ml_image_decode(arena, data, len, &model));
	return model;
}

/* Take a model out of the list and free it. */
static void
evict(MlplatCachedModel *cached)
{
	MlplatCachedModel **link = &cache_list;

	while (*link && *link != cached)
		link = &(*link)->next;
	if (*link)
	{
		*link = cached->next;
		cache_bytes -= cached->bytes;
	}
	MemoryContextDelete(cached->context);
}

/* Let the models go that were not used for longest, until bytes more fit. */
static void
make_room(size_t bytes)
{
	size_t limit = (size_t) mlplat_cache_memory * 1024;

	while (cache_bytes + bytes > limit)
	{
		MlplatCachedModel *oldest = NULL;

		for (MlplatCachedModel *c = cache_list; c; c = c->next)
		{
			if (c->pins == 0 && (!oldest || c->used < oldest->used))
				oldest = c;
		}
		if (!oldest)
			return;
		evict(oldest);
	}
}

/* Fetch and decode; built below the caller's context, so that an error leaves nothing. */
static MlplatCachedModel *
load(Oid registry, int64 version_id)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat model", ALLOCSET_SMALL_SIZES);
	MlplatCachedModel *cached = MemoryContextAllocZero(context, sizeof *cached);
	bytea *image = mlplat_fetch_image(version_id);

	cached->context = context;
	cached->registry = registry;
	cached->version_id = version_id;
	cached->model = mlplat_decode_image(context, VARDATA(image), VARSIZE(image) - VARHDRSZ);
	pfree(image);
	cached->bytes = MemoryContextMemAllocated(context, true);
	return cached;
}

MlplatCachedModel *
mlplat_cache_pin(int64 version_id)
{
	Oid registry = get_registry_relid();
	MlplatCachedModel *cached = cache_list;

	while (cached && (cached->version_id != version_id || cached->registry != registry))
		cached = cached->next;
	if (!cached)
	{
		cached = load(registry, version_id);
		make_room(cached->bytes);
		MemoryContextSetParent(cached->context, CacheMemoryContext);
		if (cache_bytes + cached->bytes <= (size_t) mlplat_cache_memory * 1024)
		{
			cached->next = cache_list;
			cache_list = cached;
			cache_bytes += cached->bytes;
		}
		else
			cached->registry = InvalidOid; /* goes when unpinned */
	}
	cached->pins++;
	cached->used = ++cache_clock;
	return cached;
}

void
mlplat_cache_unpin(MlplatCachedModel *cached)
{
	Assert(cached->pins > 0);
	if (--cached->pins == 0 && !OidIsValid(cached->registry))
		evict(cached);
}
