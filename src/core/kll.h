/*
 * kll.h
 *		KLL: quantiles of a stream of numbers in little memory.
 */
#ifndef ML_KLL_H
#define ML_KLL_H

#include "core/buffer.h"
#include "core/rng.h"

#define ML_KLL_MAX_LEVELS 56

/*
 * With k = 1024, a quantile is off by less than 0.45 % of the rows with 99 % confidence (2.296 / k^0.9021),
 * and the numbers kept are about 3 k.
 */
#define ML_KLL_K 1024

typedef struct MlKllLevel
{
	double *items; /* ascending, but for level 0 */
	size_t n, capacity;
	size_t limit; /* compact at this many */
} MlKllLevel;

typedef struct MlKll
{
	MlEnv *env;
	MlRng rng;
	uint32_t n_levels;
	size_t n_items, limit; /* over all levels */
	MlKllLevel levels[ML_KLL_MAX_LEVELS];
} MlKll;

extern MlStatus ml_kll_create(MlEnv *env, uint64_t seed, MlKll **kll);
extern void ml_kll_free(MlKll *kll);

/* Values must not be NaN; infinities have their place. */
extern MlStatus ml_kll_add(MlKll *kll, double value);
extern MlStatus ml_kll_add_many(MlKll *kll, double value, uint64_t count);

/* The values at ranks p[i] (0 to 1, ascending) among all; NaN when there are none. */
extern void ml_kll_quantiles(MlKll *kll, const double *p, size_t n, double *out);

/* The share of the values that are less than value, and at most value, within the error of a quantile; NaN: there are none. */
extern double ml_kll_share_below(const MlKll *kll, double value);
extern double ml_kll_share_up_to(const MlKll *kll, double value);

/* Add what other has seen; the error stays what it is. Load takes hostile bytes; *kll is to be freed on failure, too. */
extern MlStatus ml_kll_merge(MlKll *kll, const MlKll *other);
extern void ml_kll_save(const MlKll *kll, MlBuffer *out);
extern MlStatus ml_kll_load(MlReader *in, MlKll **kll);

#endif /* ML_KLL_H */
