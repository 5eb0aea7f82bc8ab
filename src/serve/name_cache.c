/*
 * name_cache.c
 *		Which version a name stands for, remembered from statement to statement.
 *
 * Looking a name up runs a query, which costs more than most predictions. So the
 * answer is kept, by role, until the registry or any role changes. Two traps:
 *
 * A change becomes visible to snapshots before its message is sent. What is kept
 * is therefore looked up under a snapshot taken after all messages were read: a
 * change that this snapshot does not see will still send its message.
 *
 * A statement's own snapshot may be older than what is kept (a cursor's, or in
 * REPEATABLE READ): then it looks the name up itself. So do parallel workers and
 * their leader, who must agree, and transactions that have written something.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "core/rng.h"
#include "pg/catalog.h"
#include "serve/model_cache.h"
#include "serve/name_cache.h"

#define MAX_NAMES 1024
#define MAX_LEN 272 /* of a reference: a name of 255 bytes, @, a number */

typedef struct NameKey
{
	uint64 hash;
	Oid user;
	uint32 len;
} NameKey;

/* When a snapshot was taken: as transactions end, xmax rises, or stays and fewer below it are running. */
typedef struct Age
{
	TransactionId xmax;
	uint64 running;
} Age;

typedef struct NameEntry
{
	NameKey key;
	int64 version_id;
	Age age; /* of the snapshot that saw it */
	char text[MAX_LEN];
} NameEntry;

static HTAB *names = NULL;
static uint64 names_generation = 0; /* of the registry, when the first of them was looked up */

/* May an answer of another statement be used in this one? */
static bool
may_share(Size len)
{
	return len <= MAX_LEN && row_security && !IsInParallelMode() && ActiveSnapshotSet() &&
		   !GetActiveSnapshot()->suboverflowed && !TransactionIdIsValid(GetTopTransactionIdIfAny());
}

static Age
age_of(Snapshot snapshot)
{
	return (Age){snapshot->xmax, (uint64) snapshot->xcnt + (uint64) snapshot->subxcnt};
}

/* Is a snapshot of age a as new as one of age b, or newer? */
static bool
not_older(Age a, Age b)
{
	return TransactionIdFollows(a.xmax, b.xmax) || (a.xmax == b.xmax && a.running <= b.running);
}

/* An empty table for this generation of the registry. */
static void
begin_names(uint64 generation)
{
	HASHCTL control = {0};

	if (names)
		hash_destroy(names);
	names = NULL;
	control.keysize = sizeof(NameKey);
	control.entrysize = sizeof(NameEntry);
	control.hcxt = CacheMemoryContext;
	names = hash_create("mlplat names", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	names_generation = generation;
}

/* Keep the answer, if it still holds after all that has happened until now. */
static void
keep_name(const NameKey *key, const char *reference, int64 version_id)
{
	Snapshot snapshot;
	uint64 generation;
	int64 latest;
	NameEntry *entry;

	AcceptInvalidationMessages();
	generation = mlplat_registry_generation();
	snapshot = GetLatestSnapshot();
	if (snapshot->suboverflowed)
		return;
	PushActiveSnapshot(snapshot);
	latest = mlplat_lookup_version(reference);
	PopActiveSnapshot();
	AcceptInvalidationMessages();
	if (latest != version_id || generation != mlplat_registry_generation())
		return;
	if (!names || names_generation != generation || hash_get_num_entries(names) >= MAX_NAMES)
		begin_names(generation);
	entry = hash_search(names, key, HASH_ENTER, NULL);
	entry->version_id = version_id;
	entry->age = age_of(snapshot);
	memcpy(entry->text, reference, key->len);
}

int64
mlplat_resolve_name(const char *reference, Size len)
{
	bool share = may_share(len);
	NameKey key = {0};
	char *name;
	int64 version_id;

	if (share)
	{
		NameEntry *entry;

		AcceptInvalidationMessages();
		key.hash = ml_hash_bytes(reference, len, 0);
		key.user = GetUserId();
		key.len = (uint32) len;
		entry = names && names_generation == mlplat_registry_generation()
					? hash_search(names, &key, HASH_FIND, NULL)
					: NULL;
		if (entry && memcmp(entry->text, reference, len) == 0 &&
			not_older(age_of(GetActiveSnapshot()), entry->age))
			return entry->version_id;
	}
	name = pnstrdup(reference, len);
	version_id = mlplat_find_version(name).version_id;
	if (share)
		keep_name(&key, name, version_id);
	return version_id;
}
