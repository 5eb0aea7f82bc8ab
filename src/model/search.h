/*
 * search.h
 *		A space of parameters, and the candidates drawn from it.
 *
 * {"method": "random", "n_trials": 20, "max_leaves": [15, 31, 63],
 *	"learning_rate": {"min": 0.01, "max": 0.3, "log": true}}
 *
 * A parameter has a list of values or a range. Grid takes every combination of
 * lists; random draws n_trials of them, each at most once; halving draws as
 * random does, tries all candidates on few rows, and goes on with the best
 * 1/factor of them on factor times as many rows (Jamieson and Talwalkar 2016).
 */
#ifndef ML_SEARCH_H
#define ML_SEARCH_H

#include "algo/algo.h"

#define ML_MAX_TRIALS 10000

typedef enum MlSearchMethod
{
	ML_SEARCH_GRID,
	ML_SEARCH_RANDOM,
	ML_SEARCH_HALVING
} MlSearchMethod;

typedef struct MlSearch
{
	MlSearchMethod method;
	uint32_t factor; /* halving */
	size_t n;
	MlParams *candidates;
} MlSearch;

/*
 * Read a search over the parameters of algo, and draw its candidates, in arena. base: what all candidates share.
 * The same seed draws the same candidates. Whatever is wrong with the search is ML_EINVAL.
 */
extern MlStatus ml_search_create(MlArena *arena, const MlAlgo *algo, const MlParams *base,
								 const MlJson *search, uint64_t seed, MlSearch *out);

/* The values that were given, by the user or by the search, as an object: what tells candidates apart. */
extern void ml_search_write(const MlParams *candidate, MlJsonWriter *w, const char *key);

#endif /* ML_SEARCH_H */
