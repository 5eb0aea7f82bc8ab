/*
 * frame.h
 *		Training rows in memory, column by column, in natural width.
 *
 * Rows are kept in chunks; inside a chunk each column is contiguous. Chunks
 * grow with the frame, from 64 rows to 65,536 (fewer when rows are wide), so a
 * small group stays small and a large frame wastes at most an eighth. Integer
 * columns have a bitmap for missing values; floats use NaN, booleans and levels
 * a code. Chunks are regions: beyond the memory budget they live in a mapped
 * temporary file. A value that its width cannot hold becomes missing.
 *
 * Columns are the raw row's slots, then the target, then the weight if any.
 */
#ifndef ML_FRAME_H
#define ML_FRAME_H

#include "data/schema.h"

#define ML_FRAME_CHUNK_MIN 64u
#define ML_FRAME_CHUNK_MAX 65536u

typedef struct MlFrame MlFrame;

extern MlStatus ml_frame_create(MlEnv *env, const MlWidth *widths, uint32_t n_columns,
								MlFrame **frame);
extern void ml_frame_free(MlFrame *frame);

/* Append one row: n_columns doubles, as in a raw row. ML_EDATA at 2^32 rows. Cancel is the caller's to poll. */
extern MlStatus ml_frame_append(MlFrame *frame, const double *row);

/* Append all rows of other, whose columns have the same widths; level codes pass through recode[column] where not NULL. */
extern MlStatus ml_frame_concat(MlFrame *frame, const MlFrame *other,
								const uint32_t *const *recode);

extern size_t ml_frame_rows(const MlFrame *frame);
extern uint32_t ml_frame_columns(const MlFrame *frame);
extern size_t ml_frame_bytes(const MlFrame *frame); /* heap and mapped */

/* Rows first..first+n-1 of a column as doubles: NaN missing, levels as codes. */
extern void ml_frame_read(const MlFrame *frame, uint32_t column, size_t first, size_t n,
						  double *out);

/* Rows index[0..n-1] (any order; ascending is fastest) of a column. */
extern void ml_frame_gather(const MlFrame *frame, uint32_t column, const uint32_t *index, size_t n,
							double *out);

/* What a column holds: to be checked where a frame was loaded. Without a value min is INFINITY, max -INFINITY. */
typedef struct MlFrameRange
{
	double min, max;
	size_t n_missing;
} MlFrameRange;

extern MlFrameRange ml_frame_range(const MlFrame *frame, uint32_t column);

extern void ml_frame_save(const MlFrame *frame, MlBuffer *out); /* for states that travel */
extern MlStatus ml_frame_load(MlReader *in, MlEnv *env, MlFrame **frame);

#endif /* ML_FRAME_H */
