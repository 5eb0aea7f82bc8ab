/*
 * tally.c
 *		How often each value occurs: exactly for few values, the frequent ones for many.
 *
 * An open hash table. When it has grown over its limit of values it becomes the
 * sketch of Misra and Gries 1982 in the form of Anderson et al. 2017 ("A
 * high-performance algorithm for identifying frequent items in data streams"):
 * when it is full, a number is taken off every count that leaves half of them, and
 * what has no count left goes. So a count is never too high, and what it lacks
 * at most is known.
 */
#include <string.h>

#include "core/tally.h"

#define FIRST_SLOTS 64
/* Half empty: most values of a column with many are not in it, and should be found missing at once. */
#define FREQUENT_SLOTS (2 * ML_TALLY_FREQUENT)

static MlStatus
alloc_slots(MlTally *tally, size_t n_slots)
{
	MlTallyEntry *slots = ml_zalloc_array(tally->env, n_slots, sizeof(MlTallyEntry));
	char **texts = tally->keep_text ? ml_zalloc_array(tally->env, n_slots, sizeof(char *)) : NULL;

	if (!slots || (tally->keep_text && !texts))
	{
		ml_free(tally->env, slots);
		ml_free(tally->env, texts);
		return ML_ENOMEM;
	}
	tally->slots = slots;
	tally->texts = texts;
	tally->n_slots = n_slots;
	return ML_OK;
}

MlStatus
ml_tally_init(MlTally *tally, MlEnv *env, size_t limit, bool keep_text)
{
	*tally = (MlTally){.env = env, .limit = limit, .exact = true, .keep_text = keep_text};
	return alloc_slots(tally, FIRST_SLOTS);
}

void
ml_tally_free(MlTally *tally)
{
	for (size_t i = 0; tally->texts && i < tally->n_slots; i++)
		ml_free(tally->env, tally->texts[i]);
	ml_free(tally->env, tally->texts);
	ml_free(tally->env, tally->slots);
	tally->texts = NULL;
	tally->slots = NULL;
}

/* Move the entries with more than "less" into a table of n_slots, their counts less that much. */
static MlStatus
rebuild(MlTally *tally, size_t n_slots, uint64_t less)
{
	MlTally old = *tally;

	ML_TRY(alloc_slots(tally, n_slots));
	tally->n = 0;
	for (size_t i = 0; i < old.n_slots; i++)
	{
		size_t slot;

		if (old.slots[i].count <= less)
		{
			if (old.texts)
				ml_free(old.env, old.texts[i]);
			continue;
		}
		slot = ml_tally_find(tally, old.slots[i].key);
		tally->slots[slot] = (MlTallyEntry){old.slots[i].key, old.slots[i].count - less};
		if (old.texts)
			tally->texts[slot] = old.texts[i];
		tally->n++;
	}
	ml_free(old.env, old.slots);
	ml_free(old.env, old.texts);
	return ML_OK;
}

/* How many counts are greater than bound. */
static size_t
count_above(const MlTally *tally, uint64_t bound)
{
	size_t n = 0;

	for (size_t i = 0; i < tally->n_slots; i++)
		n += tally->slots[i].count > bound;
	return n;
}

/*
 * What to take off every count to keep at most half of what the frequent table may hold. The power of two that does it
 * is found by trying: at least that half of the counts lose at least half of it, so that over all purges what a count
 * lacks is at most 2 / half of all that was counted.
 */
static uint64_t
find_less(const MlTally *tally)
{
	uint64_t less = tally->n > ML_TALLY_FREQUENT / 2;

	while (less > 0 && count_above(tally, less) > ML_TALLY_FREQUENT / 2)
		less *= 2;
	return less;
}

/* Purge a table of frequent values where it stands: mostly nearly nothing is left, and the table stays in the cache. */
static void
purge_in_place(MlTally *tally)
{
	MlTallyEntry kept[ML_TALLY_FREQUENT / 2];
	char *texts[ML_TALLY_FREQUENT / 2];
	uint64_t less = find_less(tally);
	size_t n = 0;

	for (size_t i = 0; i < tally->n_slots; i++)
	{
		MlTallyEntry entry = tally->slots[i];

		if (entry.count > less)
		{
			texts[n] = tally->texts ? tally->texts[i] : NULL;
			kept[n++] = (MlTallyEntry){entry.key, entry.count - less};
		}
		else if (tally->texts)
			ml_free(tally->env, tally->texts[i]);
	}
	memset(tally->slots, 0, tally->n_slots * sizeof(MlTallyEntry));
	if (tally->texts)
		memset(tally->texts, 0, tally->n_slots * sizeof(char *));
	for (size_t i = 0; i < n; i++)
	{
		size_t slot = ml_tally_find(tally, kept[i].key);

		tally->slots[slot] = kept[i];
		if (tally->texts)
			tally->texts[slot] = texts[i];
	}
	tally->n = n;
	tally->missed += less;
}

MlStatus
ml_tally_forget(MlTally *tally)
{
	uint64_t less = find_less(tally);

	tally->exact = false;
	ML_TRY(rebuild(tally, FREQUENT_SLOTS, less));
	tally->missed += less;
	return ML_OK;
}

MlStatus
ml_tally_enter(MlTally *tally, size_t slot, MlTallyEntry entry, const char *text, size_t len)
{
	char *copy = NULL;

	if (tally->exact ? tally->n * 8 >= tally->n_slots * 5 : tally->n >= ML_TALLY_FREQUENT)
	{
		if (tally->exact)
			ML_TRY(rebuild(tally, tally->n_slots * 2, 0));
		else
			purge_in_place(tally);
		slot = ml_tally_find(tally, entry.key);
	}
	if (tally->keep_text && text)
	{
		copy = ml_alloc(tally->env, len + 1);
		if (!copy)
			return ML_ENOMEM;
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	tally->slots[slot] = entry;
	if (tally->keep_text)
		tally->texts[slot] = copy;
	tally->n++;
	return ML_OK;
}

MlStatus
ml_tally_add(MlTally *tally, MlTallyEntry entry, const char *text, size_t len)
{
	MlTallyEntry *found = &tally->slots[ml_tally_find(tally, entry.key)];

	if (found->count == 0)
		return ml_tally_enter(tally, (size_t) (found - tally->slots), entry, text, len);
	/* Saturated, so that no sum of hostile counts looks like a free slot. */
	found->count =
		entry.count > UINT64_MAX - found->count ? UINT64_MAX : found->count + entry.count;
	return ML_OK;
}

/* ---- save and load: limit, exact, keep_text, missed, then key, count and text of each value */

#define ENTRY_BYTES 16

void
ml_tally_save(const MlTally *tally, MlBuffer *out)
{
	ml_put_u64(out, tally->limit);
	ml_put_u8(out, tally->exact);
	ml_put_u8(out, tally->keep_text);
	ml_put_u64(out, tally->missed);
	ml_put_u32(out, (uint32_t) tally->n);
	for (size_t i = 0; i < tally->n_slots; i++)
	{
		const char *text = tally->keep_text ? tally->texts[i] : NULL;

		if (tally->slots[i].count == 0)
			continue;
		ml_put_u64(out, tally->slots[i].key);
		ml_put_u64(out, tally->slots[i].count);
		if (!tally->keep_text)
			continue;
		ml_put_u8(out, text != NULL);
		if (text)
		{
			ml_put_u32(out, (uint32_t) strlen(text));
			ml_put_bytes(out, text, strlen(text));
		}
	}
}

size_t
ml_tally_saved_size(const MlTally *tally)
{
	size_t size = 8 + 1 + 1 + 8 + 4 + tally->n * ENTRY_BYTES;

	for (size_t i = 0; tally->keep_text && i < tally->n_slots; i++)
		if (tally->slots[i].count > 0)
			size += 1 + (tally->texts[i] ? 4 + strlen(tally->texts[i]) : 0);
	return size;
}

/* A key comes once, and was counted. */
static MlStatus
load_entry(MlReader *in, MlTally *tally)
{
	MlTallyEntry entry = {.key = ml_get_u64(in)};
	const uint8_t *text = NULL;
	size_t len = 0, slot;

	entry.count = ml_get_u64(in);
	if (tally->keep_text && ml_get_u8(in))
	{
		len = ml_get_u32(in);
		text = ml_get_bytes(in, len);
		if (!text || memchr(text, '\0', len))
			return ml_corrupt(in->env, "text of a counted value");
	}
	slot = ml_tally_find(tally, entry.key);
	if (in->failed || entry.count == 0 || tally->slots[slot].count > 0)
		return ml_corrupt(in->env, "counted value");
	return ml_tally_enter(tally, slot, entry, (const char *) text, len);
}

MlStatus
ml_tally_load(MlReader *in, MlTally *tally)
{
	uint64_t limit = ml_get_u64(in);
	uint8_t exact = ml_get_u8(in), keep_text = ml_get_u8(in);
	uint64_t missed = ml_get_u64(in);
	uint32_t n = ml_get_count(in, ENTRY_BYTES);
	MlStatus status = ML_OK;

	if (in->failed || exact > 1 || keep_text > 1 || limit > UINT32_MAX ||
		n > (exact ? limit : ML_TALLY_FREQUENT))
		return ml_corrupt(in->env, "counts of values");
	*tally = (MlTally){.env = in->env, .limit = limit, .exact = exact, .keep_text = keep_text};
	tally->missed = missed;
	ML_TRY(alloc_slots(tally, exact ? FIRST_SLOTS : FREQUENT_SLOTS));
	for (uint32_t i = 0; i < n && status == ML_OK; i++)
		status = load_entry(in, tally);
	if (status != ML_OK)
		ml_tally_free(tally);
	return status;
}
