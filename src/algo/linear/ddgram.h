/*
 * ddgram.h
 *		Cross products of rows in double-double: for precision 'extended', and for few rows.
 *
 * Column 0 is the one of ones. Nothing is shifted: with 32 digits there is no
 * need, and any rounding of the values would cost more than it gains.
 */
#ifndef ML_DDGRAM_H
#define ML_DDGRAM_H

#include "core/buffer.h"
#include "core/dd.h"

typedef struct MlDdGram
{
	MlArena *arena;
	MlDdMatrix m; /* row i holds the columns i..n-1 */
} MlDdGram;

extern MlStatus ml_ddgram_create(MlArena *arena, size_t n_columns, MlDdGram **gram);

/* One row of n_columns values with its weight. */
extern void ml_ddgram_add(MlDdGram *g, const double *row, double weight);

/* The same for a row that is zero but for n columns, which ascend. */
extern void ml_ddgram_add_sparse(MlDdGram *g, const uint32_t *column, const double *value, size_t n,
								 double weight);

/* n more columns, zero in the rows so far. */
extern MlStatus ml_ddgram_widen(MlDdGram *g, size_t n);

/* column[c]: where column c of other is in g. */
extern void ml_ddgram_merge(MlDdGram *g, const MlDdGram *other, const uint32_t *column);

/* The element for i <= j or i > j. */
extern MlDd ml_ddgram_at(const MlDdGram *g, size_t i, size_t j);

extern void ml_ddgram_save(const MlDdGram *g, MlBuffer *out);
extern MlStatus ml_ddgram_load(MlReader *in, MlArena *arena, size_t n_columns, MlDdGram **gram);

#endif /* ML_DDGRAM_H */
