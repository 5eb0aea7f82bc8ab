/*
 * sketch_rows.h
 *		The rows of the tests of spread, groups and comatrix; test/golden/sketches.py makes the same.
 */
#ifndef SKETCH_ROWS_H
#define SKETCH_ROWS_H

#include <math.h>
#include <stdint.h>

#define N_SKETCH_ROWS 1000

typedef struct SketchRow
{
	double x, y, z; /* x has a large offset; z is missing in every third row */
	uint64_t a, b;  /* levels */
} SketchRow;

static inline SketchRow
sketch_row(long i)
{
	SketchRow row = {.a = (uint64_t) (i * 17 % 5)};
	double step = (double) (i * 7919 % 1009);

	row.x = 1e9 + step * step / 1000.0;
	row.y = (double) (i * 104729 % 1013) / 10.0 - 2.0 * (double) (i % 7) + 20.0 * (double) row.a;
	row.z = i % 3 == 0 ? NAN : (double) (i * 31 % 17) + row.y / 50;
	row.b = (row.a + (i % 4 == 0)) % 6;
	return row;
}

#endif /* SKETCH_ROWS_H */
