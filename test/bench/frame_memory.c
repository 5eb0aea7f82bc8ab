/*
 * frame_memory.c
 *		What a frame costs in memory and time, at three sizes.
 *
 * Twenty columns: ten float8, two float4, four int4, two int2, a boolean and a level. Natural bytes
 * are the widths of the cells alone; bytes in use are all that was asked of the allocator, bitmaps,
 * stages, headers and rows to come included. The worst ratio is the largest that the frame had on
 * its way from 1,000 rows to its size.
 *
 *		make frame-memory
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/rng.h"
#include "data/frame.h"

#define N_COLUMNS 20
#define LIMIT 1.2
#define N_ROWS_READY 1024 /* rows made beforehand, so that making them is not timed */
#define BLOCK 4096

static double
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

/* The widths of the columns; natural: bytes of a row. */
static double
set_widths(MlWidth *widths)
{
	static const struct
	{
		MlWidth width;
		int n, bytes;
	} kinds[] = {{ML_WIDTH_FLOAT64, 10, 8}, {ML_WIDTH_FLOAT32, 2, 4}, {ML_WIDTH_INT32, 4, 4},
				 {ML_WIDTH_INT16, 2, 2},    {ML_WIDTH_BOOL, 1, 1},    {ML_WIDTH_LEVEL, 1, 4}};
	double natural = 0;
	int c = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (int i = 0; i < kinds[k].n; i++)
		{
			widths[c++] = kinds[k].width;
			natural += kinds[k].bytes;
		}
	return natural;
}

/* Append n rows; returns the worst ratio of bytes in use to natural bytes on the way. */
static double
fill(MlEnv *env, MlFrame *frame, const double *rows, size_t n, double natural)
{
	double worst = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (ml_frame_append(frame, rows + i % N_ROWS_READY * N_COLUMNS) != ML_OK)
		{
			fprintf(stderr, "error: %s\n", env->error);
			exit(1);
		}
		if (i % 64 == 0 && i >= 1000)
			worst = fmax(worst, (double) env->used / (natural * (double) i));
	}
	return worst;
}

/* The sum of all cells, so that reading is not left out. */
static double
read_all(const MlFrame *frame, size_t n)
{
	double block[BLOCK], sum = 0;

	for (uint32_t c = 0; c < N_COLUMNS; c++)
		for (size_t first = 0; first < n; first += BLOCK)
		{
			size_t m = ML_MIN(n - first, BLOCK);

			ml_frame_read(frame, c, first, m, block);
			sum += block[m - 1];
		}
	return sum;
}

int
main(void)
{
	static const size_t sizes[] = {10000, 100000, 1000000};
	static double rows[N_ROWS_READY * N_COLUMNS];
	MlWidth widths[N_COLUMNS];
	double natural = set_widths(widths);
	MlRng rng;
	volatile double checksum = 0;
	int failed = 0;

	ml_rng_seed(&rng, 1, 0);
	for (size_t i = 0; i < N_ROWS_READY * N_COLUMNS; i++)
		rows[i] = ml_rng_below(&rng, 20) == 0 ? NAN : (double) ml_rng_below(&rng, 1000);
	printf("%9s %8s %11s %11s %7s %7s %11s %9s\n", "rows", "columns", "natural kB", "in use kB",
		   "ratio", "worst", "append ms", "read ms");
	for (size_t k = 0; k < 3; k++)
	{
		size_t n = sizes[k];
		MlEnv env;
		MlFrame *frame;
		double start, appended, done, worst, ratio;

		ml_env_init(&env);
		if (ml_frame_create(&env, widths, N_COLUMNS, &frame) != ML_OK)
			return 1;
		start = milliseconds();
		worst = fill(&env, frame, rows, n, natural);
		appended = milliseconds();
		checksum += read_all(frame, n);
		done = milliseconds();
		ratio = (double) env.used / (natural * (double) n);
		printf("%9zu %8d %11.0f %11.0f %7.3f %7.3f %11.1f %9.1f\n", n, N_COLUMNS,
			   natural * (double) n / 1024, (double) env.used / 1024, ratio, worst,
			   appended - start, done - appended);
		failed |= ratio > LIMIT || worst > LIMIT;
		ml_frame_free(frame);
	}
	printf("limit %.1f: %s\n", LIMIT, failed ? "exceeded" : "kept");
	return failed;
}
