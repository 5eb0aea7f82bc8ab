/*
 * columnstats.h
 *		What the training rows of one column say: weighted moments of numbers, ranks of levels.
 */
#ifndef ML_COLUMNSTATS_H
#define ML_COLUMNSTATS_H

#include "core/dict.h"

#define ML_COLUMN_BLOCK 1024 /* rows at most that are added at once */

/* Weighted moments; what is missing (NaN) counts in missing_weight alone. */
typedef struct MlColumnMoments
{
	double weight, mean, m2; /* of the values that are there */
	double missing_weight;
	double min, max; /* INFINITY, -INFINITY: there is no value */
} MlColumnMoments;

extern void ml_column_moments_init(MlColumnMoments *moments);

/* Merge the moments of n rows; x and w have room for ML_COLUMN_BLOCK values, and what is behind n is overwritten. */
extern void ml_column_moments_add(MlColumnMoments *total, double *x, double *w, size_t n);

/* A level of a categorical column, with what it is ranked by. */
typedef struct MlLevel
{
	uint64_t n_rows;
	uint32_t code;
	const char *text;
} MlLevel;

/* Count n codes: level_rows[code], level_rows[n_levels] where missing; unseen ones nowhere. */
extern void ml_levels_count(uint64_t *level_rows, uint32_t n_levels, const double *x, size_t n);

/*
 * The first at_most levels by rank: by falling number of rows, then by their bytes, so that the order of rows does
 * not matter. heap: room for at_most. Returns how many; n_seen: how many levels occurred.
 */
extern uint32_t ml_levels_rank(const MlDict *dict, uint32_t n_levels, const uint64_t *level_rows,
							   uint32_t at_most, MlLevel *heap, uint32_t *n_seen);

#endif /* ML_COLUMNSTATS_H */
