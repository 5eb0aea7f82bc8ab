/*
 * rng.h
 *		Random numbers and hashes, the same on every platform.
 *
 * xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64.
 */
#ifndef ML_RNG_H
#define ML_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct MlRng
{
	uint64_t s[4];
} MlRng;

extern void ml_rng_seed(MlRng *rng, uint64_t seed, uint64_t stream);
extern uint64_t ml_rng_next(MlRng *rng);
extern double ml_rng_uniform(MlRng *rng);                 /* [0, 1), 53 bits */
extern uint64_t ml_rng_below(MlRng *rng, uint64_t bound); /* [0, bound), unbiased; bound > 0 */
extern double ml_rng_normal(MlRng *rng);
extern void ml_rng_shuffle(MlRng *rng, uint32_t *items, size_t n);

/* splitmix64 finaliser */
static inline uint64_t
ml_mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

extern uint64_t ml_hash_bytes(const void *data, size_t len,
							  uint64_t seed); /* XXH64, by its specification */

#endif /* ML_RNG_H */
