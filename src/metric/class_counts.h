/*
 * class_counts.h
 *		How often which label was predicted as which: the state behind the class metrics.
 *
 * Labels and pairs of labels are found by hashing, so that the state grows with what was seen, not
 * with the square of the number of classes. It adds rows, merges, and travels as bytes. All memory
 * comes from the env of the call; the owner's env or context frees it.
 */
#ifndef ML_CLASS_COUNTS_H
#define ML_CLASS_COUNTS_H

#include "metric/class_metrics.h"
#include "metric/label.h"

typedef struct MlLabelEntry
{
	MlLabel label; /* its text is owned */
	uint32_t hash;
} MlLabelEntry;

typedef struct MlPairCount
{
	uint32_t actual, predicted; /* indexes of labels */
	double weight;              /* > 0 */
} MlPairCount;

/* Open addressing over the entries of an array: index + 1 of an entry, 0 = free. */
typedef struct MlHashSlots
{
	uint32_t *slots;
	size_t n_slots; /* a power of two, at least twice the entries */
} MlHashSlots;

typedef struct MlClassCounts
{
	MlLabelType type;
	char *option; /* of precision and its like: an average or a positive label; NULL: none */
	uint32_t n_labels, n_pairs;
	size_t label_capacity, pair_capacity;
	MlLabelEntry *labels;
	MlPairCount *pairs;
	MlHashSlots label_slots, pair_slots;
} MlClassCounts;

/* A zeroed struct with its type set is an empty state. */
extern MlStatus ml_class_counts_add(MlEnv *env, MlClassCounts *counts, const MlLabel *actual,
									const MlLabel *predicted, double weight);
extern MlStatus ml_class_counts_set_option(MlEnv *env, MlClassCounts *counts, const char *option,
										   size_t len);
extern MlStatus ml_class_counts_merge(MlEnv *env, MlClassCounts *counts,
									  const MlClassCounts *other);
extern void ml_class_counts_free(MlEnv *env, MlClassCounts *counts);

extern size_t ml_class_counts_size(const MlClassCounts *counts); /* of what save appends */
extern void ml_class_counts_save(const MlClassCounts *counts, MlBuffer *out);
extern MlStatus ml_class_counts_load(MlReader *in, MlClassCounts *counts);

/* Index of a label, or -1. */
extern int64_t ml_class_counts_find(const MlClassCounts *counts, const MlLabel *label);

/* order[0..n_labels-1]: the indexes of the labels, ascending by label. */
extern void ml_class_counts_order(const MlClassCounts *counts, uint32_t *order);

/* The sums that the metrics are made of, classes in the order of appearance; freed by ml_class_totals_free. */
extern MlStatus ml_class_counts_totals(MlEnv *env, const MlClassCounts *counts,
									   MlClassTotals *totals);

/*
 * precision, recall or F1 as the option says: an average (macro, micro, weighted); the label `positive`
 * (NULL: the greater of at most two, true for truth values). NaN: not defined.
 */
extern MlStatus ml_class_counts_rate(MlEnv *env, const MlClassCounts *counts, MlRate rate,
									 const MlLabel *positive, double *value);

#endif /* ML_CLASS_COUNTS_H */
