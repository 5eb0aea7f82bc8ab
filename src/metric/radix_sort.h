/*
 * radix_sort.h
 *		Sort numbers, with or without a number that moves along.
 */
#ifndef ML_RADIX_SORT_H
#define ML_RADIX_SORT_H

#include <math.h>
#include <string.h>

#include "core/env.h"

/* Keys in the order of the numbers: positive ones get the sign bit, negative ones are inverted. */
static inline uint64_t
ml_sort_key(double value)
{
	uint64_t bits;

	value += 0.0; /* -0.0 is 0.0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits ^ ((uint64_t) - (int64_t) (bits >> 63) | UINT64_C(1) << 63);
}

static inline double
ml_sort_value(uint64_t key)
{
	double value;

	key ^= ((key >> 63) - 1) | UINT64_C(1) << 63;
	memcpy(&value, &key, sizeof(value));
	return value;
}

/*
 * Sort n keys ascending, and along (or NULL) in the same way. On success *keys and *along point to
 * the sorted arrays: the ones given or others; all are the caller's to free.
 */
extern MlStatus ml_radix_sort(MlEnv *env, uint64_t **keys, double **along, size_t n);

#endif /* ML_RADIX_SORT_H */
