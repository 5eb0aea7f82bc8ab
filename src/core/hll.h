/*
 * hll.h
 *		HyperLogLog: about how many different values there are, in 16 kB.
 */
#ifndef ML_HLL_H
#define ML_HLL_H

#include "core/buffer.h"

/* The standard error is 1.04 / sqrt(2^14) = 0.8 %. */
#define ML_HLL_BITS 14
#define ML_HLL_REGISTERS (1u << ML_HLL_BITS)

typedef struct MlHll
{
	uint8_t registers[ML_HLL_REGISTERS]; /* start with zeros */
} MlHll;

/* hash: all of its 64 bits must be well mixed, as those of ml_mix64 and ml_hash_bytes. */
static inline void
ml_hll_add(MlHll *hll, uint64_t hash)
{
	uint8_t *value = &hll->registers[hash >> (64 - ML_HLL_BITS)];
	/* The 1 behind the bits that are left ends the run of zeros. */
	uint64_t rest = (hash << ML_HLL_BITS) | (1u << (ML_HLL_BITS - 1));
	uint8_t rank = (uint8_t) (__builtin_clzll(rest) + 1);

	*value = ML_MAX(*value, rank);
}

/* Fetch what adding the hash will touch. */
static inline void
ml_hll_prefetch(const MlHll *hll, uint64_t hash)
{
	__builtin_prefetch(&hll->registers[hash >> (64 - ML_HLL_BITS)]);
}

extern double ml_hll_estimate(const MlHll *hll);

/* What both have seen, as if one had seen all of it: the estimate does not depend on who saw what. */
extern void ml_hll_merge(MlHll *hll, const MlHll *other);
extern void ml_hll_save(const MlHll *hll, MlBuffer *out);
extern MlStatus ml_hll_load(MlReader *in, MlHll *hll);

#endif /* ML_HLL_H */
