/*
 * summary.c
 *		What is gathered of one column while its rows pass.
 *
 * A column costs the same memory however many rows there are. Up to a limit of different values, all of them are
 * counted, so that distinct values, quartiles and top values are exact. When there are more, the count goes on as a
 * HyperLogLog, the quartiles as a KLL sketch, which starts from all the values counted so far, and the top values as a
 * sketch of frequent items. Whether that happens depends on the values alone: summaries that are merged go over when
 * they have more together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/summary_inner.h"

bool
ml_summary_key_is_value(MlSummaryKind kind)
{
	return kind <= ML_SUMMARY_TIME;
}

bool
ml_summary_is_number(MlSummaryKind kind)
{
	return kind == ML_SUMMARY_INTEGER || kind == ML_SUMMARY_FLOAT || kind == ML_SUMMARY_NUMERIC ||
		   kind == ML_SUMMARY_TIME || kind == ML_SUMMARY_INTERVAL;
}

/* Are its extremes whole numbers, the keys themselves? */
static bool
has_whole_keys(MlSummaryKind kind)
{
	return kind != ML_SUMMARY_FLOAT && kind <= ML_SUMMARY_INTERVAL;
}

MlStatus
ml_summary_init(MlSummary *summary, MlEnv *env, MlSummaryKind kind, size_t limit,
				size_t group_limit)
{
	*summary = (MlSummary){.env = env, .kind = kind};
	ml_groups_init(&summary->by_target, env, group_limit);
	return ml_tally_init(&summary->tally, env, limit, !ml_summary_key_is_value(kind));
}

void
ml_summary_free(MlSummary *summary)
{
	MlEnv *env = summary->env;

	if (!env)
		return;
	ml_tally_free(&summary->tally);
	ml_kll_free(summary->kll);
	ml_free(env, summary->hll);
	ml_free(env, summary->min);
	ml_free(env, summary->max);
	ml_free(env, summary->shortest);
	ml_free(env, summary->longest);
	ml_groups_free(&summary->by_target);
	*summary = (MlSummary){0};
}

/* ---- keys and numbers */

double
ml_key_to_double(uint64_t key)
{
	double value;

	memcpy(&value, &key, sizeof value);
	return value;
}

uint64_t
ml_double_to_key(double value)
{
	uint64_t key;

	value = isnan(value) ? (double) NAN : value + 0.0;
	memcpy(&key, &value, sizeof key);
	return key;
}

/* The number of a key that is a whole number or a double. */
static double
key_number(MlSummaryKind kind, uint64_t key)
{
	if (kind == ML_SUMMARY_FLOAT)
		return ml_key_to_double(key);
	if (kind == ML_SUMMARY_TIME || kind == ML_SUMMARY_INTERVAL)
		return (double) (int64_t) key / 1e6;
	return (double) (int64_t) key;
}

double
ml_summary_slot_number(const MlSummary *summary, size_t slot)
{
	if (summary->kind <= ML_SUMMARY_INTERVAL)
		return key_number(summary->kind, summary->tally.slots[slot].key);
	if (summary->kind == ML_SUMMARY_NUMERIC && summary->tally.texts[slot])
		return strtod(summary->tally.texts[slot], NULL);
	return NAN;
}

/* ---- counting */

MlStatus
ml_summary_feed(MlSummary *summary, const MlSummary *counted, size_t slot)
{
	const MlTallyEntry *entry = &counted->tally.slots[slot];
	double number = summary->kll ? ml_summary_slot_number(counted, slot) : NAN;

	ml_hll_add(summary->hll, ml_mix64(entry->key));
	return isnan(number) ? ML_OK : ml_kll_add_many(summary->kll, number, entry->count);
}

MlStatus
ml_summary_end_exact_counts(MlSummary *summary)
{
	summary->hll = ml_zalloc(summary->env, sizeof(MlHll));
	if (!summary->hll)
		return ML_ENOMEM;
	if (ml_summary_is_number(summary->kind))
		ML_TRY(ml_kll_create(summary->env, 0, &summary->kll));
	for (size_t slot = 0; slot < summary->tally.n_slots; slot++)
		if (summary->tally.slots[slot].count > 0)
			ML_TRY(ml_summary_feed(summary, summary, slot));
	return ml_tally_forget(&summary->tally);
}

/* Count one value, of that hash; *known: false when it has no slot yet. */
static inline MlStatus
count_key(MlSummary *summary, uint64_t key, uint64_t hash, double number, bool *known)
{
	MlTally *tally = &summary->tally;
	MlTallyEntry *entry = &tally->slots[ml_tally_find_hashed(tally, key, hash)];

	*known = entry->count > 0;
	if (*known)
		entry->count++;
	else if (ml_tally_full(tally))
		ML_TRY(ml_summary_end_exact_counts(summary));
	if (summary->hll)
		ml_hll_add(summary->hll, hash);
	if (summary->kll && !isnan(number))
		return ml_kll_add(summary->kll, number);
	return ML_OK;
}

MlStatus
ml_summary_add_key(MlSummary *summary, uint64_t key, double number, bool *known)
{
	int64_t whole = (int64_t) key;

	if (summary->kind == ML_SUMMARY_INTERVAL)
	{
		if (summary->n_values == 0)
			summary->least_key = summary->greatest_key = whole;
		summary->least_key = ML_MIN(summary->least_key, whole);
		summary->greatest_key = ML_MAX(summary->greatest_key, whole);
	}
	summary->n_values++;
	return count_key(summary, key, ml_mix64(key), number, known);
}

MlStatus
ml_summary_enter(MlSummary *summary, uint64_t key, const char *text, size_t len)
{
	return ml_tally_enter(&summary->tally, ml_tally_find(&summary->tally, key),
						  (MlTallyEntry){key, 1}, text, len);
}

/* The extremes of whole numbers, in the order of the keys. */
static void
add_whole_range(MlSummary *summary, const uint64_t *keys, size_t n)
{
	int64_t least = summary->least_key, greatest = summary->greatest_key;

	if (summary->n_values == 0)
		least = greatest = (int64_t) keys[0];
	for (size_t i = 0; i < n; i++)
	{
		least = ML_MIN(least, (int64_t) keys[i]);
		greatest = ML_MAX(greatest, (int64_t) keys[i]);
	}
	summary->least_key = least;
	summary->greatest_key = greatest;
}

/* Hash keys ahead of their turn, and fetch their places: between two batches of a column they have left the cache. */
static void
hash_keys(const MlSummary *summary, const uint64_t *keys, size_t n, uint64_t *hashes)
{
	const MlTally *tally = &summary->tally;

	for (size_t i = 0; i < n; i++)
	{
		hashes[i] = ml_mix64(keys[i]);
		__builtin_prefetch(&tally->slots[hashes[i] & (tally->n_slots - 1)]);
		if (summary->hll)
			ml_hll_prefetch(summary->hll, hashes[i]);
	}
}

#define KEYS_AHEAD 64

MlStatus
ml_summary_add_keys(MlSummary *summary, const uint64_t *keys, size_t n)
{
	uint64_t hashes[KEYS_AHEAD];

	if (n == 0)
		return ML_OK;
	if (has_whole_keys(summary->kind))
		add_whole_range(summary, keys, n);
	summary->n_values += n;
	for (size_t i = 0; i < n; i++)
	{
		double number = key_number(summary->kind, keys[i]);
		bool known;

		if (i % KEYS_AHEAD == 0)
			hash_keys(summary, keys + i, ML_MIN(KEYS_AHEAD, n - i), hashes);
		ML_TRY(count_key(summary, keys[i], hashes[i % KEYS_AHEAD], number, &known));
		if (!known)
			ML_TRY(ml_summary_enter(summary, keys[i], NULL, 0));
	}
	return ML_OK;
}

void
ml_summary_add_numbers(MlSummary *summary, const double *numbers, size_t n, double *scratch)
{
	double least = summary->n_numbers > 0 ? summary->least : INFINITY;
	double greatest = summary->n_numbers > 0 ? summary->greatest : -INFINITY;
	uint64_t n_numbers = 0, n_zeros = 0;
	size_t n_finite = 0;

	/* Comparisons with NaN are false. */
	for (size_t i = 0; i < n; i++)
	{
		double x = numbers[i];

		n_numbers += x == x;
		n_zeros += x == 0;
		least = x < least ? x : least;
		greatest = x > greatest ? x : greatest;
		scratch[n_finite] = x;
		n_finite += fabs(x) < INFINITY;
	}
	summary->n_numbers += n_numbers;
	summary->n_zeros += n_zeros;
	summary->least = least + 0.0; /* no negative zero */
	summary->greatest = greatest + 0.0;
	ml_spread_add(&summary->spread, scratch, n_finite);
}

/* ---- text */

MlStatus
ml_summary_keep(MlSummary *summary, char **kept, const char *text, size_t len)
{
	char *copy = ml_alloc(summary->env, len + 1);

	if (!copy)
		return ML_ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	ml_free(summary->env, *kept);
	*kept = copy;
	return ML_OK;
}

/* The order of the bytes, so that it does not depend on a collation. */
static int
compare_text(const char *a, size_t a_len, const char *b)
{
	int order = strncmp(a, b, a_len);

	return order != 0 ? order : b[a_len] == '\0' ? 0 : -1;
}

MlStatus
ml_summary_add_length(MlSummary *summary, const char *shown, size_t len, uint64_t n)
{
	if (!summary->shortest || n < summary->min_length ||
		(n == summary->min_length && compare_text(shown, len, summary->shortest) < 0))
	{
		ML_TRY(ml_summary_keep(summary, &summary->shortest, shown, len));
		summary->min_length = n;
	}
	if (!summary->longest || n > summary->max_length ||
		(n == summary->max_length && compare_text(shown, len, summary->longest) < 0))
	{
		ML_TRY(ml_summary_keep(summary, &summary->longest, shown, len));
		summary->max_length = n;
	}
	return ML_OK;
}

MlStatus
ml_summary_add_range(MlSummary *summary, const char *min, size_t min_len, const char *max,
					 size_t max_len)
{
	if (!summary->min || compare_text(min, min_len, summary->min) < 0)
		ML_TRY(ml_summary_keep(summary, &summary->min, min, min_len));
	if (!summary->max || compare_text(max, max_len, summary->max) > 0)
		ML_TRY(ml_summary_keep(summary, &summary->max, max, max_len));
	return ML_OK;
}

MlStatus
ml_summary_add_text(MlSummary *summary, const char *shown, size_t shown_len, size_t n_characters)
{
	ML_TRY(ml_summary_add_range(summary, shown, shown_len, shown, shown_len));
	return ml_summary_add_length(summary, shown, shown_len, n_characters);
}
