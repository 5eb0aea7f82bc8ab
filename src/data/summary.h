/*
 * summary.h
 *		What is gathered of one column while its rows pass: counts, distinct values, quartiles, moments, extremes.
 *
 * A value is known by a key of 64 bits: by itself where it fits, else by a hash of its bytes. What is counted exactly
 * does not depend on the order of the rows, nor on how they were shared out among summaries that are merged: rows,
 * values, distinct values (an estimate, too), extremes, zeros, lengths, and top values while there are few.
 */
#ifndef ML_SUMMARY_H
#define ML_SUMMARY_H

#include "core/groups.h"
#include "core/hll.h"
#include "core/kll.h"
#include "core/spread.h"
#include "core/tally.h"

/* Codes stand in saved summaries. */
typedef enum MlSummaryKind
{
	ML_SUMMARY_BOOL = 0,     /* key: 0, 1 */
	ML_SUMMARY_INTEGER = 1,  /* key: the value */
	ML_SUMMARY_FLOAT = 2,    /* key: the bits of the double */
	ML_SUMMARY_DATE = 3,     /* key: days or microseconds */
	ML_SUMMARY_TIME = 4,     /* key: microseconds of a day */
	ML_SUMMARY_INTERVAL = 5, /* key: microseconds; its text is kept */
	ML_SUMMARY_NUMERIC = 6,  /* key: a hash; its text is kept */
	ML_SUMMARY_TEXT = 7,     /* key: a hash; the same */
	ML_SUMMARY_LABEL = 8,    /* enum, uuid: compared for equality only; the same */
	ML_SUMMARY_BLOCK = 9,    /* array of numbers; the same */
	ML_SUMMARY_OTHER = 10    /* what training does not take; the same */
} MlSummaryKind;

typedef struct MlSummary
{
	MlEnv *env;
	MlSummaryKind kind;
	uint64_t n_values; /* not NULL */
	MlTally tally;     /* how often each value occurs */
	MlHll *hll;        /* from when there are too many different values on */
	MlKll *kll;        /* the same, numbers only */

	/* Numbers: NaN is left out; the moments are of finite values. */
	uint64_t n_numbers, n_zeros;
	double least, greatest; /* when n_numbers > 0 */
	int64_t least_key,
		greatest_key; /* whole numbers, dates, times, intervals: doubles have fewer digits */
	MlSpread spread;
	char *min, *max; /* numeric, interval: text of the extremes; text: its start; NULL: none */

	/* Text. */
	uint64_t n_bytes, n_phrases;     /* bytes of all values; values of three words and more */
	uint64_t min_length, max_length; /* in characters */
	char *shortest, *longest;        /* their start; among equals the lesser one; NULL: none */

	int64_t block_length; /* blocks: elements of each; -1: they differ */

	/* With the target: two numbers; or a number or pairs by levels. */
	MlComoments with_target;
	MlGroups by_target;
} MlSummary;

/* Longest text that is kept of a value, in bytes. */
#define ML_SUMMARY_TEXT_BYTES 100

/* limit: different values that are counted exactly; group_limit: groups with the target. Free it on failure, too. */
extern MlStatus ml_summary_init(MlSummary *summary, MlEnv *env, MlSummaryKind kind, size_t limit,
								size_t group_limit);
extern void ml_summary_free(MlSummary *summary);

/* Does the key say all of the value? Then no text is kept. */
extern bool ml_summary_key_is_value(MlSummaryKind kind);

/* Does the column hold numbers, with a mean and quartiles? Booleans have a mean only. */
extern bool ml_summary_is_number(MlSummaryKind kind);

/* The number of a slot of the tally; NaN where it is none. */
extern double ml_summary_slot_number(const MlSummary *summary, size_t slot);

extern uint64_t
ml_double_to_key(double value); /* zeros of both signs are one value, and so are all NaNs */
extern double ml_key_to_double(uint64_t key);

/* ---- adding rows */

/* Values of a kind whose key is the value. */
extern MlStatus ml_summary_add_keys(MlSummary *summary, const uint64_t *keys, size_t n);

/*
 * A value of another kind. number: NaN where it is none. *known false: it must be entered now with its text, which
 * was not looked at so far.
 */
extern MlStatus ml_summary_add_key(MlSummary *summary, uint64_t key, double number, bool *known);
extern MlStatus ml_summary_enter(MlSummary *summary, uint64_t key, const char *text, size_t len);

/* The numbers of rows that were added by their keys; NaN: none. scratch: room for n. */
extern void ml_summary_add_numbers(MlSummary *summary, const double *numbers, size_t n,
								   double *scratch);

/* Order and lengths of a text. shown: its first bytes, cut at a character. */
extern MlStatus ml_summary_add_text(MlSummary *summary, const char *shown, size_t shown_len,
									size_t n_characters);

/* Replace a text that is kept. */
extern MlStatus ml_summary_keep(MlSummary *summary, char **kept, const char *text, size_t len);

/* ---- merging */

extern MlStatus ml_summary_merge(MlSummary *summary, const MlSummary *other);
extern void ml_summary_save(const MlSummary *summary, MlBuffer *out);
extern size_t ml_summary_saved_size(const MlSummary *summary);
extern MlStatus ml_summary_load(MlReader *in, MlSummary *summary); /* free it on failure, too */

/* ---- results */

extern uint64_t ml_summary_distinct(const MlSummary *summary);

/* Quartiles as percentile_cont, and the share of numbers farther than 1.5 times their distance outside; NaN: none. */
typedef struct MlQuartiles
{
	double q[3];
	double outlier_share;
} MlQuartiles;

extern MlStatus ml_summary_quartiles(const MlSummary *summary, MlQuartiles *quartiles);

#endif /* ML_SUMMARY_H */
