/*
 * summary_inner.h
 *		What the files of the summary share.
 */
#ifndef ML_SUMMARY_INNER_H
#define ML_SUMMARY_INNER_H

#include "data/summary.h"

/* Too many different values: from now on they are estimated. */
extern MlStatus ml_summary_end_exact_counts(MlSummary *summary);

/* Take what a slot of an exact tally has counted into the sketches. */
extern MlStatus ml_summary_feed(MlSummary *summary, const MlSummary *counted, size_t slot);

/* Extremes and lengths; text of len bytes, to its end where it is the start of a longer one. */
extern MlStatus ml_summary_add_range(MlSummary *summary, const char *min, size_t min_len,
									 const char *max, size_t max_len);
extern MlStatus ml_summary_add_length(MlSummary *summary, const char *shown, size_t len,
									  uint64_t n_characters);

/* The order of two decimal numbers of any length; neither is NaN nor infinite. */
extern int ml_decimal_compare(const char *a, const char *b);

#endif /* ML_SUMMARY_INNER_H */
