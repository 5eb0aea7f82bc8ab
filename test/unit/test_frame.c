/*
 * test_frame.c
 *		Rows in, columns out: every width, chunk borders, gathering, joining, bytes.
 */
#include "unit.h"
#include "core/rng.h"
#include "data/frame.h"

#define N_COLUMNS 6
static const MlWidth widths[N_COLUMNS] = {ML_WIDTH_BOOL,    ML_WIDTH_INT16,   ML_WIDTH_INT32,
										  ML_WIDTH_FLOAT32, ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL};

/* The value of a cell: every seventh is missing, levels are sometimes unseen. */
static double
cell(size_t row, uint32_t column)
{
	uint64_t h = ml_mix64(row * N_COLUMNS + column + 1);

	if (h % 7 == 0)
		return NAN;
	h >>= 8;
	switch (widths[column])
	{
		case ML_WIDTH_BOOL:
			return h % 2;
		case ML_WIDTH_INT16:
			return (int16_t) h;
		case ML_WIDTH_INT32:
			return (int32_t) h;
		case ML_WIDTH_FLOAT32:
			return (float) ((double) h * 1e-12);
		case ML_WIDTH_FLOAT64:
			return (double) h * 1e-12;
		case ML_WIDTH_LEVEL:
			return h % 11 == 0 ? ML_UNSEEN : (double) (h % 1000);
	}
	return 0;
}

static bool
same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Append rows first..first+n-1 of cell(). */
static MlStatus
fill(MlFrame *frame, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
	{
		double row[N_COLUMNS];

		for (uint32_t c = 0; c < N_COLUMNS; c++)
			row[c] = cell(i, c);
		ML_TRY(ml_frame_append(frame, row));
	}
	return ML_OK;
}

static MlFrame *
filled_frame(MlEnv *env, size_t n)
{
	MlFrame *frame = NULL;

	CHECK(ml_frame_create(env, widths, N_COLUMNS, &frame) == ML_OK);
	CHECK(fill(frame, 0, n) == ML_OK);
	CHECK(ml_frame_rows(frame) == n && ml_frame_columns(frame) == N_COLUMNS);
	return frame;
}

/* Whether rows first..first+n-1 of the frame read as they went in. */
static bool
reads_back(const MlFrame *frame, size_t first, size_t n)
{
	double *out = malloc((n + 1) * sizeof(double));
	bool good = true;

	for (uint32_t c = 0; c < N_COLUMNS; c++)
	{
		ml_frame_read(frame, c, first, n, out);
		for (size_t i = 0; i < n; i++)
			good &= same(out[i], cell(first + i, c));
	}
	free(out);
	return good;
}

static void
rows_read_back_whatever_their_number(void)
{
	static const size_t sizes[] = {0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 1000, 4096, 70000};
	MlEnv env;

	ml_env_init(&env);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
	{
		MlFrame *frame = filled_frame(&env, sizes[k]);

		CHECK(reads_back(frame, 0, sizes[k]));
		if (sizes[k] > 100)
			CHECK(reads_back(frame, 61, sizes[k] - 97));
		ml_frame_free(frame);
	}
	CHECK(env.used == 0);
}

static void
the_largest_chunks_read_back(void)
{
	/* Chunks stop growing at 8 * 65,536 rows. */
	const size_t n = 8 * 65536 + 2 * 65536 + 77;
	const MlWidth one = ML_WIDTH_INT32;
	MlEnv env;
	MlFrame *frame;
	double out[512];
	bool good = true;

	ml_env_init(&env);
	CHECK(ml_frame_create(&env, &one, 1, &frame) == ML_OK);
	for (size_t i = 0; i < n; i++)
	{
		double value = (double) i;

		good &= ml_frame_append(frame, &value) == ML_OK;
	}
	for (size_t first = 0; first < n; first += 512)
	{
		size_t m = ML_MIN(n - first, 512);

		ml_frame_read(frame, 0, first, m, out);
		for (size_t i = 0; i < m; i++)
			good &= out[i] == (double) (first + i);
	}
	CHECK(good);
	ml_frame_free(frame);
}

static void
gathering_is_reading_by_index(void)
{
	const size_t n = 5003;
	MlEnv env;
	MlRng rng;
	MlFrame *frame;
	uint32_t *index = malloc(n * sizeof(*index));
	double *out = malloc(n * sizeof(*out));

	ml_env_init(&env);
	ml_rng_seed(&rng, 1, 0);
	frame = filled_frame(&env, n);
	for (int order = 0; order < 4; order++)
	{
		size_t m = 0;

		for (size_t i = 0; i < n; i++)
			switch (order)
			{
				case 0: /* some, ascending */
					if (ml_rng_below(&rng, 5) == 0)
						index[m++] = (uint32_t) i;
					break;
				case 1: /* all, descending */
					index[m++] = (uint32_t) (n - 1 - i);
					break;
				case 2: /* any, with repeats */
					index[m++] = (uint32_t) ml_rng_below(&rng, n);
					break;
				default: /* none but the last */
					if (i == n - 1)
						index[m++] = (uint32_t) i;
			}
		for (uint32_t c = 0; c < N_COLUMNS; c++)
		{
			bool good = true;

			ml_frame_gather(frame, c, index, m, out);
			for (size_t i = 0; i < m; i++)
				good &= same(out[i], cell(index[i], c));
			CHECK(good);
		}
	}
	ml_frame_free(frame);
	free(index);
	free(out);
}

static void
the_ends_of_every_width_are_kept(void)
{
	static const double rows[][N_COLUMNS] = {
		{0, INT16_MIN, INT32_MIN, -0x1.fffffep127, -INFINITY, 0},
		{1, INT16_MAX, INT32_MAX, 0x1.fffffep127, INFINITY, INT32_MAX},
		{1, -1, -1, 0x1p-149, 0x1p-1074, 1}};
	/* What a width cannot hold is missing, or unseen. */
	static const double outside[N_COLUMNS] = {7, 32768, 2147483648.0, 1e300, 1e300, 4294967296.0};
	MlEnv env;
	MlFrame *frame;
	double out[130];

	ml_env_init(&env);
	CHECK(ml_frame_create(&env, widths, N_COLUMNS, &frame) == ML_OK);
	for (size_t i = 0; i < 128; i++)
		CHECK(ml_frame_append(frame, i == 100 ? outside : rows[i % 3]) == ML_OK);
	CHECK(ml_frame_append(frame, outside) == ML_OK);
	for (uint32_t c = 0; c < N_COLUMNS; c++)
	{
		ml_frame_read(frame, c, 0, 129, out);
		for (size_t i = 0; i < 128; i++)
			CHECK(i == 100 || out[i] == rows[i % 3][c]);
		CHECK(same(out[100], out[128])); /* flushed and staged alike */
	}
	ml_frame_read(frame, 0, 128, 1, out);
	CHECK(out[0] == 1);
	ml_frame_read(frame, 1, 128, 1, out);
	CHECK(isnan(out[0]));
	ml_frame_read(frame, 2, 128, 1, out);
	CHECK(isnan(out[0]));
	ml_frame_read(frame, 3, 128, 1, out);
	CHECK(isinf(out[0]));
	ml_frame_read(frame, 5, 128, 1, out);
	CHECK(out[0] == ML_UNSEEN);
	ml_frame_free(frame);
}

static void
joining_recodes_levels(void)
{
	MlEnv env;
	MlFrame *one, *two, *other;
	uint32_t codes[1000];
	const uint32_t *recode[N_COLUMNS] = {[5] = codes};
	double a[500], b[500];
	const MlWidth different[N_COLUMNS] = {ML_WIDTH_FLOAT32};

	ml_env_init(&env);
	for (uint32_t k = 0; k < 1000; k++)
		codes[k] = 999 - k;
	one = filled_frame(&env, 300);
	CHECK(ml_frame_create(&env, widths, N_COLUMNS, &two) == ML_OK);
	CHECK(fill(two, 300, 200) == ML_OK);
	CHECK(ml_frame_concat(one, two, NULL) == ML_OK);
	CHECK(ml_frame_rows(one) == 500 && reads_back(one, 0, 500));
	CHECK(ml_frame_concat(two, one, recode) == ML_OK && ml_frame_rows(two) == 700);
	ml_frame_read(one, 5, 0, 500, a);
	ml_frame_read(two, 5, 200, 500, b);
	for (size_t i = 0; i < 500; i++)
		CHECK(same(b[i], a[i] >= 0 ? 999 - a[i] : a[i]));
	CHECK(ml_frame_create(&env, different, N_COLUMNS, &other) == ML_OK);
	CHECK(ml_frame_concat(one, other, NULL) == ML_EINVAL);
	ml_frame_free(other);
	CHECK(ml_frame_create(&env, widths, 1, &other) == ML_OK);
	CHECK(ml_frame_concat(one, other, NULL) == ML_EINVAL);
	ml_frame_free(other);
	ml_frame_free(one);
	ml_frame_free(two);
	CHECK(env.used == 0);
}

static void
a_range_is_of_the_values_there(void)
{
	MlEnv env;
	MlFrame *frame;

	ml_env_init(&env);
	frame = filled_frame(&env, 1001);
	for (uint32_t c = 0; c < N_COLUMNS; c++)
	{
		MlFrameRange range = ml_frame_range(frame, c);
		double min = INFINITY, max = -INFINITY;
		size_t n_missing = 0;

		for (size_t i = 0; i < 1001; i++)
		{
			min = fmin(min, cell(i, c));
			max = fmax(max, cell(i, c));
			n_missing += isnan(cell(i, c));
		}
		CHECK(range.min == min && range.max == max && range.n_missing == n_missing);
	}
	ml_frame_free(frame);
	frame = filled_frame(&env, 0);
	CHECK(ml_frame_range(frame, 0).min == INFINITY && ml_frame_range(frame, 0).n_missing == 0);
	ml_frame_free(frame);
}

static void
memory_is_near_the_natural_width(void)
{
	static const size_t sizes[] = {10000, 20000, 33333};
	MlEnv env;

	ml_env_init(&env);
	for (size_t k = 0; k < 3; k++)
	{
		MlFrame *frame = filled_frame(&env, sizes[k]);

		CHECK((double) ml_frame_bytes(frame) <= 1.2 * 23 * (double) sizes[k]);
		CHECK((double) env.used <= 1.02 * (double) ml_frame_bytes(frame));
		ml_frame_free(frame);
	}
}

static void
wide_rows_make_small_chunks(void)
{
	MlWidth *wide = malloc(20000 * sizeof(*wide));
	double *row = calloc(20000, sizeof(*row)), out[200];
	MlEnv env;
	MlFrame *frame;
	bool good = true;

	for (size_t c = 0; c < 20000; c++)
		wide[c] = ML_WIDTH_FLOAT32;
	ml_env_init(&env);
	CHECK(ml_frame_create(&env, wide, 20000, &frame) == ML_OK);
	for (size_t i = 0; i < 200; i++)
	{
		row[19999] = (double) i;
		good &= ml_frame_append(frame, row) == ML_OK;
	}
	ml_frame_read(frame, 19999, 0, 200, out);
	for (size_t i = 0; i < 200; i++)
		good &= out[i] == (double) i;
	CHECK(good);
	ml_frame_free(frame);
	CHECK(ml_frame_create(&env, wide, 0, &frame) == ML_EINVAL);
	CHECK(ml_frame_create(&env, wide, ML_MAX_SLOTS + 3, &frame) == ML_EINVAL);
	free(wide);
	free(row);
}

/* What the unit tests of spilling need: a map that counts. */
static void *
count_map(void *ctx, size_t size)
{
	UnitAlloc *a = ctx;

	a->live++;
	return calloc(1, size);
}

static void
count_unmap(void *ctx, void *ptr, size_t size)
{
	UnitAlloc *a = ctx;

	(void) size;
	a->live--;
	free(ptr);
}

static void
beyond_the_budget_chunks_are_mapped(void)
{
	UnitAlloc counter = {0};
	MlEnv env;
	MlFrame *frame;

	ml_env_init(&env);
	env.alloc = unit_alloc;
	env.free = unit_free;
	env.ctx = &counter;
	env.budget = 100000;
	CHECK(ml_frame_create(&env, widths, N_COLUMNS, &frame) == ML_OK);
	CHECK(fill(frame, 0, 20000) == ML_ENOMEM && env.error[0]);
	ml_frame_free(frame);
	env.map = count_map;
	env.unmap = count_unmap;
	frame = filled_frame(&env, 20000);
	CHECK(reads_back(frame, 0, 20000) && env.mapped > 20000 * 12 && env.used <= env.budget);
	ml_frame_free(frame);
	CHECK(counter.live == 0 && env.mapped == 0 && env.used == 0);
}

/* Make, join, save, load, and compare when arg is given: the number of rows. */
static MlStatus
journey(MlEnv *env, void *arg)
{
	MlFrame *frame = NULL, *loaded = NULL;
	MlBuffer first, second;
	MlReader in;
	MlStatus status;
	size_t n = *(size_t *) arg;

	ml_buffer_init(&first, env);
	ml_buffer_init(&second, env);
	status = ml_frame_create(env, widths, N_COLUMNS, &frame);
	if (status == ML_OK)
		status = fill(frame, 0, n);
	if (status == ML_OK)
		status = (ml_frame_save(frame, &first), first.status);
	if (status == ML_OK)
	{
		ml_reader_init(&in, env, first.data, first.len);
		status = ml_frame_load(&in, env, &loaded);
	}
	if (status == ML_OK)
		status = (ml_frame_save(loaded, &second), second.status);
	if (status == ML_OK)
	{
		CHECK(ml_reader_end(&in, "frame") == ML_OK);
		CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
		CHECK(ml_frame_rows(loaded) == n && reads_back(loaded, 0, n));
		CHECK(first.len <= 16 + N_COLUMNS + n * 23 + (n + 63) / 64 * 16);
		status = ml_frame_concat(loaded, frame, NULL);
	}
	if (status == ML_OK)
		CHECK(ml_frame_rows(loaded) == 2 * n);
	ml_buffer_free(&first);
	ml_buffer_free(&second);
	ml_frame_free(frame);
	ml_frame_free(loaded);
	return status;
}

static void
save_then_load_is_the_same(void)
{
	static size_t sizes[] = {0, 1, 63, 64, 65, 1000, 3000};
	MlEnv env;

	ml_env_init(&env);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
		CHECK(journey(&env, &sizes[k]) == ML_OK);
	CHECK(env.used == 0);
}

static void
every_allocation_may_fail(void)
{
	size_t n = 700;

	unit_every_allocation_fails(journey, &n, 1000);
}

/* Load len bytes from a block of exactly that size. */
static MlStatus
try_bytes(const uint8_t *data, size_t len)
{
	MlEnv env;
	MlReader in;
	MlFrame *frame = NULL;
	MlStatus status;
	uint8_t *copy = malloc(len + 1);

	memcpy(copy, data, len);
	ml_env_init(&env);
	ml_reader_init(&in, &env, copy, len);
	status = ml_frame_load(&in, &env, &frame);
	if (status == ML_OK)
		for (uint32_t c = 0; c < ml_frame_columns(frame); c++)
		{
			double out[100];

			ml_frame_read(frame, c, 0, ML_MIN(ml_frame_rows(frame), 100), out);
		}
	CHECK(status == ML_OK || status == ML_ECORRUPT);
	ml_frame_free(frame);
	CHECK(env.used == 0);
	free(copy);
	return status;
}

static void
hostile_bytes_are_refused(void)
{
	MlEnv env;
	MlBuffer out;
	MlFrame *frame;

	ml_env_init(&env);
	ml_buffer_init(&out, &env);
	frame = filled_frame(&env, 70);
	ml_frame_save(frame, &out);
	ml_frame_free(frame);
	for (size_t len = 0; len < out.len; len += 1 + len / 50)
		CHECK(try_bytes(out.data, len) == ML_ECORRUPT);
	for (size_t i = 0; i < out.len; i += 1 + i / 50)
		for (int bit = 0; bit < 8; bit++)
		{
			out.data[i] ^= (uint8_t) (1 << bit);
			try_bytes(out.data, out.len);
			out.data[i] ^= (uint8_t) (1 << bit);
		}
	out.data[18] = 2; /* a boolean that is neither true, false nor missing */
	CHECK(try_bytes(out.data, out.len) == ML_ECORRUPT);
	ml_buffer_free(&out);
}

int
main(void)
{
	RUN(rows_read_back_whatever_their_number);
	RUN(the_largest_chunks_read_back);
	RUN(gathering_is_reading_by_index);
	RUN(the_ends_of_every_width_are_kept);
	RUN(joining_recodes_levels);
	RUN(a_range_is_of_the_values_there);
	RUN(memory_is_near_the_natural_width);
	RUN(wide_rows_make_small_chunks);
	RUN(beyond_the_budget_chunks_are_mapped);
	RUN(save_then_load_is_the_same);
	RUN(every_allocation_may_fail);
	RUN(hostile_bytes_are_refused);
	return unit_end();
}
