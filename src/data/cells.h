/*
 * cells.h
 *		Values of one column in natural width: packing, unpacking, gathering.
 *
 * The inside of frame.c. A cell has the column's width; in the integer widths
 * every bit pattern is a value, so that missing ones are bits of a bitmap (bit
 * r % 64 of word r / 64); the other widths have a code for them.
 */
#ifndef ML_CELLS_H
#define ML_CELLS_H

#include "data/schema.h"

#define ML_CELLS_PACK 64 /* values packed at once: one word of a bitmap */

extern size_t ml_cell_bytes(MlWidth width);
extern bool ml_cell_has_bitmap(MlWidth width);

/* Pack n <= ML_CELLS_PACK values, in[i * stride]; returns the bits of the missing ones (of widths with a bitmap). */
extern uint64_t ml_cells_pack(MlWidth width, const double *in, size_t stride, size_t n,
							  void *cells);

/* Cells first..first+n-1 as doubles. missing: the bitmap of cells, NULL without one. */
extern void ml_cells_unpack(MlWidth width, const void *cells, const uint64_t *missing, size_t first,
							size_t n, double *out);

/* Cells index[i] - first_row as doubles, until one is not below n_rows; returns how many were. */
extern size_t ml_cells_gather(MlWidth width, const void *cells, const uint64_t *missing,
							  uint32_t first_row, uint32_t n_rows, const uint32_t *index, size_t n,
							  double *out);

/* False when a cell is a bit pattern that ml_cells_pack never makes. */
extern bool ml_cells_valid(MlWidth width, const void *cells, size_t n);

#endif /* ML_CELLS_H */
