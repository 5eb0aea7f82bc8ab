/*
 * tsqr.h
 *		Rows folded into a triangular factor: a QR factorisation of all rows, without the rows.
 *
 * A row is sqrt(w) [1, columns...]; column 0 is the one of ones. The state keeps
 * a matrix whose cross products are those of all rows seen: first the rows
 * themselves, as they came; when they no longer fit, the factor R and the rows
 * that wait for the next update. Two states merge by appending the rows of one
 * to the other.
 *
 * Columns are *shifted* from the first factorisation on (by their mean until
 * then), because merging triangles of columns with large means loses digits.
 * A column may have an *indicator* column that is 1 where its value is missing;
 * the value there is then 0 after the shift, as it was before.
 */
#ifndef ML_TSQR_H
#define ML_TSQR_H

#include "core/buffer.h"

typedef struct MlTsqr
{
	MlArena *arena; /* where it grows */
	MlEnv *poll;    /* to ask for cancel; NULL: do not ask (on a thread of the pool) */
	size_t n_columns, column_capacity;
	size_t ld;           /* rows that the matrix has room for */
	size_t block;        /* rows that an update folds at most */
	size_t n_top;        /* rows of R: 0 or n_columns */
	size_t n_waiting;    /* rows below it */
	bool shifted;        /* the shift is fixed */
	double *a;           /* column-major */
	double *shift;       /* of each column; 0 while not shifted; column 0 and indicators stay 0 */
	uint32_t *indicator; /* of each column: its indicator column, 0 = none */
	double *work;
} MlTsqr;

/* At most n_rows rows (0: unknown) will come; with a small number less memory is taken at the start. */
extern MlStatus ml_tsqr_create(MlArena *arena, size_t n_columns, size_t n_rows, MlTsqr **tsqr);

/*
 * Room for up to want rows: returns how many may be written now (at least 1), from t->a[first] on, with
 * stride t->ld from column to column. The caller writes sqrt(w) (value - shift) into every column and commits.
 */
extern MlStatus ml_tsqr_room(MlTsqr *t, size_t want, size_t *first, size_t *rows);
extern MlStatus ml_tsqr_commit(MlTsqr *t, size_t rows);

/* A column of zeros for the rows so far, which becomes the indicator of column `of`. */
extern MlStatus ml_tsqr_add_indicators(MlTsqr *t, const uint32_t *of, size_t n);

/* column[c]: where column c of other is in t; every indicator of other must have its place. */
extern MlStatus ml_tsqr_merge(MlTsqr *t, const MlTsqr *other, const uint32_t *column);

static inline size_t
ml_tsqr_rows(const MlTsqr *t)
{
	return t->n_top + t->n_waiting;
}

/* The cross product of two columns over all rows. */
extern double ml_tsqr_product(const MlTsqr *t, size_t c, size_t d);

/* The rows, or the triangle, and the shift; not the layout of the columns, which load is told. */
extern void ml_tsqr_save(const MlTsqr *t, MlBuffer *out);
extern MlStatus ml_tsqr_load(MlReader *in, MlArena *arena, size_t n_columns,
							 const uint32_t *indicator, MlTsqr **tsqr);

#endif /* ML_TSQR_H */
