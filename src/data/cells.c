/*
 * cells.c
 *		The loops between doubles and cells: one per width, so that the test for the width is outside.
 *
 * A level is its code as int32, so that the unseen one converts to ML_UNSEEN by
 * itself and only the missing one needs a test. A value that its width cannot
 * hold becomes missing (an unseen level): converting it would be undefined.
 *
 * Trap: NAN is a float, and an int beside it in ?: becomes one, which has 24 bits.
 */
#include <math.h>
#include <string.h>

#include "data/cells.h"

#define BOOL_MISSING 255
#define LEVEL_UNSEEN (-1)
#define LEVEL_MISSING (-2)

/* Bytes of a cell. */
size_t
ml_cell_bytes(MlWidth width)
{
	static const uint8_t bytes[] = {1, 2, 4, 4, 8, 4};

	return bytes[width];
}

/* True when missing values of this width are bits of a bitmap. */
bool
ml_cell_has_bitmap(MlWidth width)
{
	return width == ML_WIDTH_INT16 || width == ML_WIDTH_INT32;
}

/* ---- packing */

static inline uint8_t
pack_bool(double value)
{
	return value == value ? value != 0 : BOOL_MISSING;
}

static inline int32_t
pack_level(double value)
{
	if (value >= 0 && value <= INT32_MAX)
		return (int32_t) value;
	return value == value ? LEVEL_UNSEEN : LEVEL_MISSING;
}

static uint64_t
pack_int16(const double *in, size_t stride, size_t n, int16_t *cells)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < n; i++)
	{
		double value = in[i * stride];
		bool fits = value >= INT16_MIN && value <= INT16_MAX;

		cells[i] = fits ? (int16_t) value : 0;
		missing |= (uint64_t) !fits << i;
	}
	return missing;
}

static uint64_t
pack_int32(const double *in, size_t stride, size_t n, int32_t *cells)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < n; i++)
	{
		double value = in[i * stride];
		bool fits = value >= INT32_MIN && value <= INT32_MAX;

		cells[i] = fits ? (int32_t) value : 0;
		missing |= (uint64_t) !fits << i;
	}
	return missing;
}

#define PACK(type, convert) \
	do \
	{ \
		for (size_t i = 0; i < n; i++) \
			((type *) cells)[i] = convert(in[i * stride]); \
		return 0; \
	} while (0)

/* Pack n values that are stride apart; returns the bits of the missing ones. */
uint64_t
ml_cells_pack(MlWidth width, const double *in, size_t stride, size_t n, void *cells)
{
	switch (width)
	{
		case ML_WIDTH_BOOL:
			PACK(uint8_t, pack_bool);
		case ML_WIDTH_INT16:
			return pack_int16(in, stride, n, cells);
		case ML_WIDTH_INT32:
			return pack_int32(in, stride, n, cells);
		case ML_WIDTH_FLOAT32:
			PACK(float, (float) );
		case ML_WIDTH_FLOAT64:
			PACK(double, );
		case ML_WIDTH_LEVEL:
			PACK(int32_t, pack_level);
	}
	return 0;
}

/* ---- unpacking */

static inline double
unpack_bool(uint8_t cell)
{
	return cell == BOOL_MISSING ? (double) NAN : cell;
}

static inline double
unpack_level(int32_t cell)
{
	return cell == LEVEL_MISSING ? (double) NAN : cell;
}

/* Put NaN where the bits first..first+n-1 of a bitmap are set. */
static void
unpack_missing(const uint64_t *missing, size_t first, size_t n, double *out)
{
	size_t row = first, end = first + n;

	while (row < end)
	{
		size_t stop = ML_MIN((row / 64 + 1) * 64, end);
		uint64_t bits = missing[row / 64] >> row % 64;

		if (stop - row < 64)
			bits &= ((uint64_t) 1 << (stop - row)) - 1;
		for (; bits; bits &= bits - 1)
			out[row - first + __builtin_ctzll(bits)] = NAN;
		row = stop;
	}
}

#define UNPACK(type, convert) \
	do \
	{ \
		const type *from = (const type *) cells + first; \
\
		for (size_t i = 0; i < n; i++) \
			out[i] = convert(from[i]); \
	} while (0)

/* Cells first..first+n-1 as doubles. */
void
ml_cells_unpack(MlWidth width, const void *cells, const uint64_t *missing, size_t first, size_t n,
				double *out)
{
	switch (width)
	{
		case ML_WIDTH_BOOL:
			UNPACK(uint8_t, unpack_bool);
			break;
		case ML_WIDTH_INT16:
			UNPACK(int16_t, );
			break;
		case ML_WIDTH_INT32:
			UNPACK(int32_t, );
			break;
		case ML_WIDTH_FLOAT32:
			UNPACK(float, );
			break;
		case ML_WIDTH_FLOAT64:
			memcpy(out, (const double *) cells + first, n * sizeof(double));
			break;
		case ML_WIDTH_LEVEL:
			UNPACK(int32_t, unpack_level);
			break;
	}
	if (missing)
		unpack_missing(missing, first, n, out);
}

/* ---- gathering */

#define IS_MISSING(row) (missing[(row) / 64] >> (row) % 64 & 1)

#define GATHER(type, convert) \
	do \
	{ \
		const type *from = cells; \
\
		for (i = 0; i < n; i++) \
		{ \
			uint32_t row = index[i] - first_row; \
\
			if (row >= n_rows) \
				break; \
			out[i] = convert; \
		} \
	} while (0)

/* Cells index[i] - first_row as doubles, until one is not below n_rows. */
size_t
ml_cells_gather(MlWidth width, const void *cells, const uint64_t *missing, uint32_t first_row,
				uint32_t n_rows, const uint32_t *index, size_t n, double *out)
{
	size_t i = 0;

	switch (width)
	{
		case ML_WIDTH_BOOL:
			GATHER(uint8_t, unpack_bool(from[row]));
			break;
		case ML_WIDTH_INT16:
			GATHER(int16_t, IS_MISSING(row) ? (double) NAN : from[row]);
			break;
		case ML_WIDTH_INT32:
			GATHER(int32_t, IS_MISSING(row) ? (double) NAN : from[row]);
			break;
		case ML_WIDTH_FLOAT32:
			GATHER(float, from[row]);
			break;
		case ML_WIDTH_FLOAT64:
			GATHER(double, from[row]);
			break;
		case ML_WIDTH_LEVEL:
			GATHER(int32_t, unpack_level(from[row]));
			break;
	}
	return i;
}

/* ---- hostile cells */

/* False when a cell is a bit pattern that ml_cells_pack never makes. */
bool
ml_cells_valid(MlWidth width, const void *cells, size_t n)
{
	bool valid = true;

	if (width == ML_WIDTH_BOOL)
		for (size_t i = 0; i < n; i++)
		{
			uint8_t cell = ((const uint8_t *) cells)[i];

			valid &= cell <= 1 || cell == BOOL_MISSING;
		}
	else if (width == ML_WIDTH_LEVEL)
		for (size_t i = 0; i < n; i++)
			valid &= ((const int32_t *) cells)[i] >= LEVEL_MISSING;
	return valid;
}
