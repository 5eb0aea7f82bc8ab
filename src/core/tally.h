/*
 * tally.h
 *		How often each value occurs: exactly for few values, the frequent ones for many.
 *
 * A value is known by a key of 64 bits: its own bits, or a hash of it.
 */
#ifndef ML_TALLY_H
#define ML_TALLY_H

#include "core/buffer.h"
#include "core/rng.h"

/* Once there are more values than the limit, this many are kept: counts are low by at most 1/256 of all. */
#define ML_TALLY_FREQUENT 1024

typedef struct MlTallyEntry
{
	uint64_t key;
	uint64_t count; /* 0: the slot is free */
} MlTallyEntry;

typedef struct MlTally
{
	MlEnv *env;
	size_t limit; /* values that are counted exactly */
	bool exact;   /* there were no more */
	bool keep_text;
	size_t n;        /* values */
	size_t n_slots;  /* a power of two */
	uint64_t missed; /* a count may be low by this much */
	MlTallyEntry *slots;
	char **texts; /* with keep_text: a text of each slot's value, or NULL */
} MlTally;

extern MlStatus ml_tally_init(MlTally *tally, MlEnv *env, size_t limit, bool keep_text);
extern void ml_tally_free(MlTally *tally);

/* The slot of a key: its own, or the free one where it belongs. hash: ml_mix64 of the key. */
static inline size_t
ml_tally_find_hashed(const MlTally *tally, uint64_t key, uint64_t hash)
{
	size_t mask = tally->n_slots - 1, slot = hash & mask;

	while (tally->slots[slot].count > 0 && tally->slots[slot].key != key)
		slot = (slot + 1) & mask;
	return slot;
}

static inline size_t
ml_tally_find(const MlTally *tally, uint64_t key)
{
	return ml_tally_find_hashed(tally, key, ml_mix64(key));
}

/*
 * Give a key that is not there its count, at the slot that ml_tally_find gave. text is copied; NULL without
 * keep_text.
 */
extern MlStatus ml_tally_enter(MlTally *tally, size_t slot, MlTallyEntry entry, const char *text,
							   size_t len);

/* Count a key count times more, be it there or not. An exact tally must have room for it. */
extern MlStatus ml_tally_add(MlTally *tally, MlTallyEntry entry, const char *text, size_t len);

/* True when the limit is reached: entering another key ends the exact counting. */
static inline bool
ml_tally_full(const MlTally *tally)
{
	return tally->exact && tally->n == tally->limit;
}

/* Go over to frequent values only. The caller has used what it needs of the exact counts. */
extern MlStatus ml_tally_forget(MlTally *tally);

/* Load into a tally that is not there yet, from hostile bytes. On failure there is nothing to free. */
extern void ml_tally_save(const MlTally *tally, MlBuffer *out);
extern size_t ml_tally_saved_size(const MlTally *tally);
extern MlStatus ml_tally_load(MlReader *in, MlTally *tally);

#endif /* ML_TALLY_H */
