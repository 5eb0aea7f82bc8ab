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

#include "core/rng.h"
#include "core/tally.h"

#define FIRST_SLOTS 64
/* Mostly empty: most values of a column with many are not in it, and should be found missing at once. */
#define FREQUENT_SLOTS (4 * ML_TALLY_FREQUENT)

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

size_t
ml_tally_find(const MlTally *tally, uint64_t key)
{
	size_t slot = ml_mix64(key) & (tally->n_slots - 1);

	while (tally->slots[slot].count > 0 && tally->slots[slot].key != key)
		slot = (slot + 1) & (tally->n_slots - 1);
	return slot;
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
 * Keep at most half of what the frequent table may hold. The power of two that does it is found by
 * trying: at least that half of the counts lose at least half of it, so that over all purges what a count
 * lacks is at most 2 / half of all that was counted.
 */
static MlStatus
purge(MlTally *tally)
{
	uint64_t less = 0;

	while (count_above(tally, less) > ML_TALLY_FREQUENT / 2)
		less = less ? 2 * less : 1;
	ML_TRY(rebuild(tally, FREQUENT_SLOTS, less));
	tally->missed += less;
	return ML_OK;
}

MlStatus
ml_tally_forget(MlTally *tally)
{
	tally->exact = false;
	return purge(tally);
}

MlStatus
ml_tally_enter(MlTally *tally, size_t slot, uint64_t key, const char *text, size_t len)
{
	char *copy = NULL;

	if (tally->exact ? tally->n * 8 >= tally->n_slots * 5 : tally->n >= ML_TALLY_FREQUENT)
	{
		ML_TRY(tally->exact ? rebuild(tally, tally->n_slots * 2, 0) : purge(tally));
		slot = ml_tally_find(tally, key);
	}
	if (tally->keep_text && text)
	{
		copy = ml_alloc(tally->env, len + 1);
		if (!copy)
			return ML_ENOMEM;
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	tally->slots[slot] = (MlTallyEntry){key, 1};
	if (tally->keep_text)
		tally->texts[slot] = copy;
	tally->n++;
	return ML_OK;
}
