/*
 * split.h
 *		Which part or fold a row belongs to: deterministic, the same everywhere.
 */
#ifndef ML_SPLIT_H
#define ML_SPLIT_H

#include "data/dataset.h"

/* 0-based part of a key's hash among fractions that sum to 1 (the caller has checked them). */
extern int ml_part_of(uint64_t hash, const double *fractions, int n);

/* A pseudo-random number in [0, 1) for a hash and a seed. */
extern double ml_split_uniform(uint64_t hash, uint64_t seed);

/*
 * Split rows at random, a share holdout (0..1) going to the second part; with classes, each class
 * keeps its share (stratified). Index arrays are allocated in arena, ascending.
 */
extern MlStatus ml_split_subset(MlArena *arena, const MlDataset *data, const MlRows *rows,
								double holdout, uint64_t seed, MlRows *train, MlRows *valid);

/* The same of rows 0..n-1. */
extern MlStatus ml_split_rows(MlArena *arena, const MlDataset *data, size_t n, double holdout,
							  uint64_t seed, MlRows *train, MlRows *valid);

#endif /* ML_SPLIT_H */
