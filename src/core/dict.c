/*
 * dict.c
 *		Dictionary of levels: open addressing over the hashes of the texts.
 *
 * Texts, entries and slots live in the arena; an array that was outgrown stays
 * there unused until the arena goes, which costs at most as much again.
 */
#include <stdio.h>
#include <string.h>

#include "core/dict.h"
#include "core/rng.h"

typedef struct DictEntry
{
	const char *text;
	size_t len;
} DictEntry;

/* A slot is free when its code is ML_NO_LEVEL. */
typedef struct DictSlot
{
	uint32_t hash;
	uint32_t code;
} DictSlot;

struct MlDict
{
	MlArena *arena;
	DictEntry *entries; /* by code */
	DictSlot *slots;    /* capacity of entries times SLOTS_PER_ENTRY, a power of two */
	uint32_t n;
	uint32_t capacity; /* of entries, a power of two */
	bool hashed;       /* the entries are buckets */
};

#define FIRST_CAPACITY 8u
#define SLOTS_PER_ENTRY 2u
#define MAX_CAPACITY (1u << 30)

/* In bytes, a flag on the number of texts: they are the names of buckets. */
#define HASHED (1u << 31)
#define BUCKET_SEED 1 /* apart from the hashes of the slots */

MlDict *
ml_dict_create(MlArena *arena)
{
	MlDict *dict = ml_arena_alloc(arena, sizeof *dict);

	if (dict)
		dict->arena = arena;
	return dict;
}

MlDict *
ml_dict_create_hashed(MlArena *arena, uint32_t n_buckets)
{
	MlDict *dict = ml_dict_create(arena);
	char name[16];
	uint32_t code;

	for (uint32_t k = 1; dict && k <= n_buckets; k++)
	{
		int len = snprintf(name, sizeof name, "#%u", k);

		if (ml_dict_add(dict, name, (size_t) len, &code) != ML_OK)
			return NULL;
	}
	if (dict)
		dict->hashed = true;
	return dict;
}

uint32_t
ml_dict_buckets(const MlDict *dict)
{
	return dict->hashed ? dict->n : 0;
}

/* The bucket of a text. */
static uint32_t
bucket_of(const MlDict *dict, const char *text, size_t len)
{
	return (uint32_t) (ml_hash_bytes(text, len, BUCKET_SEED) % dict->n);
}

static uint32_t
hash_of(const char *text, size_t len)
{
	return (uint32_t) ml_hash_bytes(text, len, 0);
}

uint32_t
ml_dict_find(const MlDict *dict, const char *text, size_t len)
{
	uint32_t hash = hash_of(text, len), mask = dict->capacity * SLOTS_PER_ENTRY - 1;

	if (dict->n == 0)
		return ML_NO_LEVEL;
	if (dict->hashed)
		return bucket_of(dict, text, len);
	for (uint32_t i = hash & mask;; i = (i + 1) & mask)
	{
		const DictSlot *slot = &dict->slots[i];
		const DictEntry *entry;

		if (slot->code == ML_NO_LEVEL)
			return ML_NO_LEVEL;
		entry = &dict->entries[slot->code];
		if (slot->hash == hash && entry->len == len && memcmp(entry->text, text, len) == 0)
			return slot->code;
	}
}

/* Put a code that is not there yet into the slots. */
static void
slots_insert(DictSlot *slots, uint32_t mask, uint32_t hash, uint32_t code)
{
	uint32_t i = hash & mask;

	while (slots[i].code != ML_NO_LEVEL)
		i = (i + 1) & mask;
	slots[i] = (DictSlot){hash, code};
}

/* Twice the room; the dictionary is unchanged on failure. */
static MlStatus
dict_grow(MlDict *dict)
{
	uint32_t capacity = dict->capacity ? dict->capacity * 2 : FIRST_CAPACITY;
	size_t n_slots = (size_t) capacity * SLOTS_PER_ENTRY;
	DictEntry *entries;
	DictSlot *slots;

	if (capacity > MAX_CAPACITY)
		return ml_fail(dict->arena->env, ML_EDATA, "a column has more than %u levels", dict->n);
	entries = ml_arena_array(dict->arena, capacity, sizeof *entries);
	slots = ml_arena_array(dict->arena, n_slots, sizeof *slots);
	if (entries == NULL || slots == NULL)
		return ML_ENOMEM;
	memset(slots, 0xFF, n_slots * sizeof *slots);
	if (dict->n > 0)
		memcpy(entries, dict->entries, dict->n * sizeof *entries);
	for (size_t i = 0; dict->n > 0 && i < (size_t) dict->capacity * SLOTS_PER_ENTRY; i++)
	{
		if (dict->slots[i].code != ML_NO_LEVEL)
			slots_insert(slots, (uint32_t) n_slots - 1, dict->slots[i].hash, dict->slots[i].code);
	}
	dict->entries = entries;
	dict->slots = slots;
	dict->capacity = capacity;
	return ML_OK;
}

MlStatus
ml_dict_add(MlDict *dict, const char *text, size_t len, uint32_t *code)
{
	const char *copy;

	*code = ml_dict_find(dict, text, len);
	if (*code != ML_NO_LEVEL)
		return ML_OK;
	if (dict->n == dict->capacity)
		ML_TRY(dict_grow(dict));
	copy = ml_arena_text(dict->arena, text, len);
	if (copy == NULL)
		return ML_ENOMEM;
	*code = dict->n++;
	dict->entries[*code] = (DictEntry){copy, len};
	slots_insert(dict->slots, dict->capacity * SLOTS_PER_ENTRY - 1, hash_of(text, len), *code);
	return ML_OK;
}

uint32_t
ml_dict_size(const MlDict *dict)
{
	return dict->n;
}

const char *
ml_dict_text(const MlDict *dict, uint32_t code)
{
	return dict->entries[code].text;
}

size_t
ml_dict_len(const MlDict *dict, uint32_t code)
{
	return dict->entries[code].len;
}

void
ml_dict_save(const MlDict *dict, MlBuffer *out)
{
	ml_put_u32(out, dict->hashed ? dict->n | HASHED : dict->n);
	for (uint32_t code = 0; code < dict->n; code++)
		ml_put_text(out, dict->entries[code].text);
}

MlStatus
ml_dict_load(MlReader *in, MlArena *arena, MlDict **dict)
{
	uint32_t n = ml_get_u32(in);
	bool hashed = (n & HASHED) != 0;

	n &= ~HASHED;
	if (in->failed || n > (in->len - in->pos) / sizeof(uint32_t) || (hashed && n == 0))
		return ml_corrupt(in->env, "the size of a dictionary");
	*dict = ml_dict_create(arena);
	if (*dict == NULL)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
	{
		/* The bytes are checked in place; only the dictionary copies them. */
		uint32_t len = ml_get_u32(in), code;
		const char *text = (const char *) ml_get_bytes(in, len);

		if (text == NULL || !ml_utf8_valid(text, len))
			return ml_corrupt(in->env, "a level of a dictionary");
		ML_TRY(ml_dict_add(*dict, text, len, &code));
		if (code != i)
			return ml_corrupt(in->env, "a level appears twice");
	}
	(*dict)->hashed = hashed;
	return ml_reader_check(in, "a dictionary");
}
