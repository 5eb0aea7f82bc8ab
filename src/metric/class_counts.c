/*
 * class_counts.c
 *		How often which label was predicted as which: the state behind the class metrics.
 *
 * Bytes: type u8, option flag u8 and text, count u32 and labels (text, or bits u64), count u32 and
 * pairs (u32, u32, f64). The loader builds the tables by the same insertions as add does, so a label
 * or pair that is there twice shows, and nothing that it trusts is not checked.
 *
 * Trap: rows of weight zero leave no trace, not even their labels, as in training.
 */
#include "metric/class_counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 8

/* Finalizer of splitmix64: every bit of x moves half of the bits of the result. */
static uint32_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (uint32_t) (x ^ (x >> 31));
}

static uint32_t
hash_label(MlLabelType type, const MlLabel *label)
{
	uint64_t hash = label->len, word;
	size_t i;

	if (type != ML_LABEL_TEXT)
		return mix(label->bits);
	for (i = 0; i + 8 <= label->len; i += 8)
	{
		memcpy(&word, label->text + i, 8);
		hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	word = 0;
	if (i < label->len)
		memcpy(&word, label->text + i, label->len - i);
	return mix(hash ^ word);
}

static uint32_t
hash_pair(uint32_t actual, uint32_t predicted)
{
	return mix((uint64_t) actual << 32 | predicted);
}

static bool
same_label(MlLabelType type, const MlLabel *a, const MlLabel *b)
{
	if (type != ML_LABEL_TEXT)
		return a->bits == b->bits;
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Make room for n + 1 entries; *rebuild says that the caller must enter the old ones anew. */
static MlStatus
reserve_slots(MlEnv *env, MlHashSlots *table, size_t n, bool *rebuild)
{
	size_t n_slots = table->n_slots ? table->n_slots : FIRST_SLOTS;
	uint32_t *slots;

	*rebuild = false;
	while (n_slots < 2 * (n + 1))
		n_slots *= 2;
	if (n_slots == table->n_slots)
		return ML_OK;
	slots = ml_zalloc_array(env, n_slots, sizeof(uint32_t));
	if (!slots)
		return ML_ENOMEM;
	ml_free(env, table->slots);
	*table = (MlHashSlots){slots, n_slots};
	*rebuild = true;
	return ML_OK;
}

static void
enter(MlHashSlots *table, uint32_t hash, uint32_t index)
{
	size_t at = hash & (table->n_slots - 1);

	while (table->slots[at])
		at = (at + 1) & (table->n_slots - 1);
	table->slots[at] = index + 1;
}

static int64_t
find_label(const MlClassCounts *counts, const MlLabel *label, uint32_t hash)
{
	const MlHashSlots *table = &counts->label_slots;

	if (table->n_slots == 0)
		return -1;
	for (size_t at = hash & (table->n_slots - 1); table->slots[at];
		 at = (at + 1) & (table->n_slots - 1))
	{
		const MlLabelEntry *entry = &counts->labels[table->slots[at] - 1];

		if (entry->hash == hash && same_label(counts->type, &entry->label, label))
			return table->slots[at] - 1;
	}
	return -1;
}

int64_t
ml_class_counts_find(const MlClassCounts *counts, const MlLabel *label)
{
	return find_label(counts, label, hash_label(counts->type, label));
}

/* Append a label that is not there yet; its text is copied. */
static MlStatus
append_label(MlEnv *env, MlClassCounts *counts, const MlLabel *label, uint32_t hash)
{
	MlLabelEntry entry = {*label, hash};
	char *copy = NULL;
	bool rebuild;

	if (counts->n_labels == UINT32_MAX)
		return ml_fail(env, ML_EDATA, "there are too many labels");
	ML_TRY(ml_grow(env, &counts->labels, &counts->label_capacity, (size_t) counts->n_labels + 1,
				   sizeof(MlLabelEntry)));
	ML_TRY(reserve_slots(env, &counts->label_slots, counts->n_labels, &rebuild));
	if (rebuild)
		for (uint32_t i = 0; i < counts->n_labels; i++)
			enter(&counts->label_slots, counts->labels[i].hash, i);
	if (counts->type == ML_LABEL_TEXT)
	{
		copy = ml_alloc(env, ML_MAX(label->len, 1));
		if (!copy)
			return ML_ENOMEM;
		if (label->len > 0)
			memcpy(copy, label->text, label->len);
		entry.label.text = copy;
	}
	counts->labels[counts->n_labels] = entry;
	enter(&counts->label_slots, hash, counts->n_labels++);
	return ML_OK;
}

static MlStatus
label_index(MlEnv *env, MlClassCounts *counts, const MlLabel *label, uint32_t *index)
{
	uint32_t hash = hash_label(counts->type, label);
	int64_t found = find_label(counts, label, hash);

	if (found < 0)
	{
		ML_TRY(append_label(env, counts, label, hash));
		found = counts->n_labels - 1;
	}
	*index = (uint32_t) found;
	return ML_OK;
}

/* The count of a pair, made when it is new. */
static MlStatus
pair_count(MlEnv *env, MlClassCounts *counts, uint32_t actual, uint32_t predicted,
		   MlPairCount **count)
{
	uint32_t hash = hash_pair(actual, predicted);
	MlHashSlots *table = &counts->pair_slots;
	bool rebuild;

	if (table->n_slots > 0)
		for (size_t at = hash & (table->n_slots - 1); table->slots[at];
			 at = (at + 1) & (table->n_slots - 1))
		{
			*count = &counts->pairs[table->slots[at] - 1];
			if ((*count)->actual == actual && (*count)->predicted == predicted)
				return ML_OK;
		}
	if (counts->n_pairs == UINT32_MAX)
		return ml_fail(env, ML_EDATA, "there are too many pairs of labels");
	ML_TRY(ml_grow(env, &counts->pairs, &counts->pair_capacity, (size_t) counts->n_pairs + 1,
				   sizeof(MlPairCount)));
	ML_TRY(reserve_slots(env, table, counts->n_pairs, &rebuild));
	if (rebuild)
		for (uint32_t i = 0; i < counts->n_pairs; i++)
			enter(table, hash_pair(counts->pairs[i].actual, counts->pairs[i].predicted), i);
	*count = &counts->pairs[counts->n_pairs];
	**count = (MlPairCount){actual, predicted, 0};
	enter(table, hash, counts->n_pairs++);
	return ML_OK;
}

static MlStatus
add_pair(MlEnv *env, MlClassCounts *counts, uint32_t actual, uint32_t predicted, double weight)
{
	MlPairCount *count;

	ML_TRY(pair_count(env, counts, actual, predicted, &count));
	count->weight += weight;
	return ML_OK;
}

MlStatus
ml_class_counts_add(MlEnv *env, MlClassCounts *counts, const MlLabel *actual,
					const MlLabel *predicted, double weight)
{
	uint32_t a, p;

	if (weight == 0)
		return ML_OK;
	ML_TRY(label_index(env, counts, actual, &a));
	ML_TRY(label_index(env, counts, predicted, &p));
	return add_pair(env, counts, a, p, weight);
}

MlStatus
ml_class_counts_set_option(MlEnv *env, MlClassCounts *counts, const char *option, size_t len)
{
	if (counts->option)
	{
		if (strlen(counts->option) == len && memcmp(counts->option, option, len) == 0)
			return ML_OK;
		return ml_fail(env, ML_EINVAL,
					   "the option must be the same in all rows, not \"%.100s\" and \"%.*s\"",
					   counts->option, (int) ML_MIN(len, 100), option);
	}
	counts->option = ml_alloc(env, len + 1);
	if (!counts->option)
		return ML_ENOMEM;
	memcpy(counts->option, option, len);
	counts->option[len] = '\0';
	return ML_OK;
}

MlStatus
ml_class_counts_merge(MlEnv *env, MlClassCounts *counts, const MlClassCounts *other)
{
	uint32_t *map;
	MlStatus status = ML_OK;

	if (counts->type != other->type)
		return ml_fail(env, ML_EDATA, "labels of different types cannot be put together");
	if (!counts->option != !other->option)
		return ml_fail(env, ML_EINVAL, "states with and without an option cannot be put together");
	if (other->option)
		ML_TRY(ml_class_counts_set_option(env, counts, other->option, strlen(other->option)));
	map = ml_alloc_array(env, ML_MAX(other->n_labels, 1), sizeof(uint32_t));
	if (!map)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < other->n_labels && status == ML_OK; i++)
		status = label_index(env, counts, &other->labels[i].label, &map[i]);
	for (uint32_t i = 0; i < other->n_pairs && status == ML_OK; i++)
		status = add_pair(env, counts, map[other->pairs[i].actual], map[other->pairs[i].predicted],
						  other->pairs[i].weight);
	ml_free(env, map);
	return status;
}

void
ml_class_counts_free(MlEnv *env, MlClassCounts *counts)
{
	if (counts->type == ML_LABEL_TEXT)
		for (uint32_t i = 0; i < counts->n_labels; i++)
			ml_free(env, (char *) counts->labels[i].label.text);
	ml_free(env, counts->labels);
	ml_free(env, counts->pairs);
	ml_free(env, counts->label_slots.slots);
	ml_free(env, counts->pair_slots.slots);
	ml_free(env, counts->option);
	*counts = (MlClassCounts){.type = counts->type};
}

/* ---- bytes */

size_t
ml_class_counts_size(const MlClassCounts *counts)
{
	size_t size = 2 + 4 + 4 + 16 * (size_t) counts->n_pairs;

	if (counts->option)
		size += 4 + strlen(counts->option);
	for (uint32_t i = 0; i < counts->n_labels; i++)
		size += counts->type == ML_LABEL_TEXT ? 4 + counts->labels[i].label.len : 8;
	return size;
}

void
ml_class_counts_save(const MlClassCounts *counts, MlBuffer *out)
{
	ml_put_u8(out, (uint8_t) counts->type);
	ml_put_u8(out, counts->option != NULL);
	if (counts->option)
		ml_put_text(out, counts->option);
	ml_put_u32(out, counts->n_labels);
	for (uint32_t i = 0; i < counts->n_labels; i++)
	{
		const MlLabel *label = &counts->labels[i].label;

		if (counts->type == ML_LABEL_TEXT)
		{
			ml_put_u32(out, (uint32_t) label->len);
			ml_put_bytes(out, label->text, label->len);
		}
		else
			ml_put_u64(out, label->bits);
	}
	ml_put_u32(out, counts->n_pairs);
	for (uint32_t i = 0; i < counts->n_pairs; i++)
	{
		ml_put_u32(out, counts->pairs[i].actual);
		ml_put_u32(out, counts->pairs[i].predicted);
		ml_put_f64(out, counts->pairs[i].weight);
	}
}

/* A text as bytes of the input; no zero byte inside. */
static MlStatus
load_text(MlReader *in, const char **text, size_t *len)
{
	*len = ml_get_u32(in);
	*text = (const char *) ml_get_bytes(in, *len);
	if (in->failed || (*len > 0 && memchr(*text, 0, *len)))
		return ml_corrupt(in->env, "text of a label");
	return ML_OK;
}

static MlStatus
load_labels(MlReader *in, MlClassCounts *counts)
{
	uint32_t n = ml_get_count(in, 4);

	for (uint32_t i = 0; i < n; i++)
	{
		MlLabel label = {0};
		uint32_t index;

		if (counts->type == ML_LABEL_TEXT)
			ML_TRY(load_text(in, &label.text, &label.len));
		else
			label.bits = ml_get_u64(in);
		if (counts->type != ML_LABEL_TEXT && !ml_label_valid(counts->type, label.bits))
			return ml_corrupt(in->env, "value of a label");
		ML_TRY(label_index(in->env, counts, &label, &index));
		if (in->failed || index != i)
			return ml_corrupt(in->env, "labels");
	}
	return ML_OK;
}

static MlStatus
load_pairs(MlReader *in, MlClassCounts *counts)
{
	uint32_t n = ml_get_count(in, 16);

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t actual = ml_get_u32(in), predicted = ml_get_u32(in);
		double weight = ml_get_f64(in);

		if (in->failed || actual >= counts->n_labels || predicted >= counts->n_labels ||
			!(weight > 0) || !isfinite(weight))
			return ml_corrupt(in->env, "count of a pair of labels");
		ML_TRY(add_pair(in->env, counts, actual, predicted, weight));
		if (counts->n_pairs != i + 1)
			return ml_corrupt(in->env, "pairs of labels");
	}
	return in->failed ? ml_corrupt(in->env, "pairs of labels") : ML_OK;
}

static MlStatus
load_counts(MlReader *in, MlClassCounts *counts)
{
	uint8_t type = ml_get_u8(in), has_option = ml_get_u8(in);
	const char *option;
	size_t len;

	if (type >= ML_LABEL_TYPES || has_option > 1)
		return ml_corrupt(in->env, "type of the labels");
	counts->type = (MlLabelType) type;
	if (has_option)
	{
		ML_TRY(load_text(in, &option, &len));
		ML_TRY(ml_class_counts_set_option(in->env, counts, option, len));
	}
	ML_TRY(load_labels(in, counts));
	return load_pairs(in, counts);
}

MlStatus
ml_class_counts_load(MlReader *in, MlClassCounts *counts)
{
	MlStatus status;

	*counts = (MlClassCounts){0};
	status = load_counts(in, counts);
	if (status != ML_OK)
		ml_class_counts_free(in->env, counts);
	return status;
}

/* ---- results */

/* Sift down in a heap of labels, for a sort that needs neither memory nor a callback's context. */
static void
sift(const MlClassCounts *counts, uint32_t *order, size_t root, size_t n)
{
	uint32_t moved = order[root];
	size_t child;

	for (; (child = 2 * root + 1) < n; root = child)
	{
		if (child + 1 < n && ml_label_compare(counts->type, &counts->labels[order[child + 1]].label,
											  &counts->labels[order[child]].label) > 0)
			child++;
		if (ml_label_compare(counts->type, &counts->labels[order[child]].label,
							 &counts->labels[moved].label) <= 0)
			break;
		order[root] = order[child];
	}
	order[root] = moved;
}

void
ml_class_counts_order(const MlClassCounts *counts, uint32_t *order)
{
	size_t n = counts->n_labels;

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n / 2; i > 0; i--)
		sift(counts, order, i - 1, n);
	for (size_t end = n; end > 1; end--)
	{
		uint32_t greatest = order[0];

		order[0] = order[end - 1];
		order[end - 1] = greatest;
		sift(counts, order, 0, end - 1);
	}
}

MlStatus
ml_class_counts_totals(MlEnv *env, const MlClassCounts *counts, MlClassTotals *totals)
{
	ML_TRY(ml_class_totals_init(env, totals, counts->n_labels));
	for (uint32_t i = 0; i < counts->n_pairs; i++)
	{
		const MlPairCount *pair = &counts->pairs[i];

		totals->actual[pair->actual] += pair->weight;
		totals->predicted[pair->predicted] += pair->weight;
		totals->total += pair->weight;
		if (pair->actual == pair->predicted)
			totals->hits[pair->actual] += pair->weight;
	}
	return ML_OK;
}

/* More than two labels and nobody said which is positive. */
static MlStatus
too_many_labels(MlEnv *env, const MlClassCounts *counts)
{
	char names[3][ML_LABEL_NAME_MAX];

	for (uint32_t i = 0; i < 3; i++)
		ml_label_name(counts->type, &counts->labels[i].label, names[i]);
	ml_fail(env, ML_EDATA, "this metric needs two labels, but there are %u: %s, %s, %s%s",
			counts->n_labels, names[0], names[1], names[2], counts->n_labels > 3 ? ", ..." : "");
	ml_hint(env, "Pass the positive label, or an average: macro, micro or weighted.");
	return ML_EDATA;
}

/* The index of the label that counts as positive; -1: not seen, or not to be told. */
static MlStatus
positive_label(MlEnv *env, const MlClassCounts *counts, int64_t *index)
{
	MlLabelPair pair = {.type = counts->type, .n = counts->n_labels};

	*index = -1;
	if (counts->n_labels > 2)
		return too_many_labels(env, counts);
	if (counts->type != ML_LABEL_TEXT)
	{
		for (uint32_t i = 0; i < pair.n; i++)
			pair.bits[i] = counts->labels[i].label.bits;
		*index = ml_label_pair_positive(&pair);
		if (*index >= (int64_t) counts->n_labels)
			*index = -1;
	}
	else if (counts->n_labels == 2)
		*index =
			ml_label_compare(counts->type, &counts->labels[1].label, &counts->labels[0].label) > 0;
	return ML_OK;
}

MlStatus
ml_class_counts_rate(MlEnv *env, const MlClassCounts *counts, MlRate rate, const MlLabel *positive,
					 double *value)
{
	MlAverage average = ML_AVERAGE_NONE;
	MlClassTotals totals;
	int64_t k = -1;

	if (counts->option)
		average = ml_average_find(counts->option, strlen(counts->option));
	if (average == ML_AVERAGE_NONE)
	{
		if (positive)
			k = ml_class_counts_find(counts, positive);
		else
			ML_TRY(positive_label(env, counts, &k));
	}
	*value = NAN;
	ML_TRY(ml_class_counts_totals(env, counts, &totals));
	if (average != ML_AVERAGE_NONE)
		*value = ml_class_rate_average(&totals, rate, average);
	else if (k >= 0)
		*value = ml_class_rate(&totals, rate, (uint32_t) k);
	ml_class_totals_free(env, &totals);
	return ML_OK;
}
