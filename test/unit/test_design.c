/*
 * test_design.c
 *		Impute, scale, one-hot: fitted moments, kept levels, rows as blocks, bytes.
 */
#include "unit.h"
#include "core/rng.h"
#include "data/design.h"

/* Inputs of the fixture: x and z numeric, city and day; then the weight. */
enum
{
	X,
	Z,
	CITY,
	DAY,
	WEIGHT,
	N_COLUMNS
};

static const char *const cities[] = {"Bern", "Aarau", "Chur", "Zug", "Basel"};

typedef struct Fixture
{
	MlEnv env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlDataset data;
	MlRows rows;
	MlDesign *design;
} Fixture;

static const MlDesignOptions keep_all = {.max_levels = 1000};

/* The schema, with the cities as levels, and an empty frame. */
static void
set_up(Fixture *f)
{
	static const MlKind kinds[] = {ML_NUMERIC, ML_NUMERIC, ML_CATEGORICAL, ML_DATE};
	static const MlWidth widths[] = {ML_WIDTH_FLOAT64, ML_WIDTH_INT32, ML_WIDTH_LEVEL,
									 ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64};
	static char *const names[] = {"x", "z", "city", "day"};

	memset(f, 0, sizeof(*f));
	ml_env_init(&f->env);
	ml_arena_init(&f->arena, &f->env);
	CHECK(ml_schema_create(&f->arena, 4, &f->schema) == ML_OK);
	for (uint32_t i = 0; i < 4; i++)
	{
		f->schema->inputs[i].name = f->schema->inputs[i].type_name = names[i];
		f->schema->inputs[i].kind = kinds[i];
		f->schema->inputs[i].n_slots = 1;
	}
	CHECK(ml_schema_layout(f->schema) == ML_OK);
	for (uint32_t k = 0; k < 5; k++)
	{
		uint32_t code;

		CHECK(ml_dict_add(f->schema->inputs[CITY].levels, cities[k], strlen(cities[k]), &code) ==
			  ML_OK);
	}
	ml_schema_seal(f->schema);
	CHECK(ml_frame_create(&f->env, widths, N_COLUMNS, &f->frame) == ML_OK);
	f->data = (MlDataset){.schema = f->schema,
						  .frame = f->frame,
						  .task = ML_REGRESSION,
						  .target_column = -1,
						  .weight_column = -1};
}

static void
tear_down(Fixture *f)
{
	ml_frame_free(f->frame);
	ml_arena_free(&f->arena);
	ml_env_close(&f->env);
	CHECK(f->env.used == 0);
}

static void
add_row(Fixture *f, double x, double z, double city, double day, double weight)
{
	double row[N_COLUMNS] = {x, z, city, day, weight};

	CHECK(ml_frame_append(f->frame, row) == ML_OK);
	f->rows.n++;
}

static MlStatus
fit(Fixture *f, const MlDesignOptions *options)
{
	return ml_design_fit(&f->env, &f->arena, &f->data, &f->rows, options, &f->design);
}

/* n rows of noise with missing values and unseen levels. */
static void
add_noise(Fixture *f, size_t n, uint64_t seed)
{
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (size_t i = 0; i < n; i++)
	{
		double x = ml_rng_below(&rng, 6) == 0 ? NAN : 1e6 + ml_rng_normal(&rng);
		double z = (double) ml_rng_below(&rng, 100);
		double city = ml_rng_below(&rng, 9) == 0 ? NAN : (double) ml_rng_below(&rng, 6) - 1;
		double day = ml_rng_below(&rng, 5) == 0 ? NAN : 86400e6 * (double) ml_rng_below(&rng, 9999);

		add_row(f, x, z, city, day, 1 + (double) ml_rng_below(&rng, 3));
	}
}

/* The name of a column equals text. */
static bool
named(Fixture *f, uint32_t column, const char *text)
{
	MlBuffer name;
	bool same;

	ml_buffer_init(&name, &f->env);
	same = strcmp(ml_design_name(f->design, f->schema, column, &name), text) == 0;
	ml_buffer_free(&name);
	return same;
}

static void
columns_are_numbers_indicators_levels(void)
{
	static const char *const names[] = {"x",
										"z",
										"day.epoch",
										"day.year",
										"day.month",
										"day.day",
										"day.dow",
										"x is missing",
										"day is missing",
										"city=Aarau",
										"city=Bern",
										"city is missing"};
	Fixture f;

	set_up(&f);
	add_row(&f, 1, 7, 1, NAN, 1);
	add_row(&f, 2, 7, 1, 0, 1);
	add_row(&f, NAN, 7, 0, 86400e6, 1);
	add_row(&f, 6, 7, NAN, 86400e6, 1);
	CHECK(fit(&f, &keep_all) == ML_OK);
	CHECK(f.design->n_numeric == 7 && f.design->n_dense == 9 && f.design->n_columns == 12 &&
		  f.design->n_factors == 1);
	for (uint32_t c = 0; c < 12; c++)
		CHECK(named(&f, c, names[c]));
	/* x is 1, 2, 3 (imputed), 6 */
	CHECK_NEAR(f.design->columns[0].mean, 3, 1e-15);
	CHECK_NEAR(f.design->columns[0].scale, sqrt((4 + 1 + 0 + 9) / 4.0), 1e-15);
	CHECK(f.design->columns[1].mean == 7 && f.design->columns[1].scale == 1); /* constant */
	CHECK(f.design->columns[7].mean == 0.25);
	CHECK_NEAR(f.design->columns[7].scale, sqrt(0.25 * 0.75), 1e-15);
	CHECK(f.design->columns[9].mean == 0 && f.design->columns[9].scale == 1);
	tear_down(&f);
}

static void
a_row_is_imputed_and_one_hot(void)
{
	Fixture f;
	double x[8] = {NAN, 3, 4, NAN, NAN, NAN, NAN, NAN}, dense[9];
	uint32_t active[1];

	set_up(&f);
	add_row(&f, 1, 7, 1, NAN, 1);
	add_row(&f, 2, 7, 1, 0, 1);
	add_row(&f, NAN, 7, 0, 86400e6, 1);
	add_row(&f, 6, 7, NAN, 86400e6, 1);
	CHECK(fit(&f, &keep_all) == ML_OK);
	x[2] = 1;
	ml_design_row(f.design, x, dense, active);
	CHECK(dense[0] == f.design->columns[0].mean && dense[1] == 3 && dense[7] == 1 && dense[8] == 1);
	CHECK(active[0] == 9); /* Aarau, the most frequent */
	x[2] = NAN;
	ml_design_row(f.design, x, dense, active);
	CHECK(active[0] == 11);
	x[2] = ML_UNSEEN;
	ml_design_row(f.design, x, dense, active);
	CHECK(active[0] == ML_NO_COLUMN);
	x[2] = 4; /* a level, but not in the training rows */
	ml_design_row(f.design, x, dense, active);
	CHECK(active[0] == ML_NO_COLUMN);
	x[2] = 5; /* not even a level */
	ml_design_row(f.design, x, dense, active);
	CHECK(active[0] == ML_NO_COLUMN);
	tear_down(&f);
}

static void
a_block_is_its_rows(void)
{
	enum
	{
		STRIDE = 3000
	};
	Fixture f;
	uint32_t index[STRIDE], *active, row_active[1];
	double *dense, x[8], row[9];
	MlRows some = {index, 0};

	set_up(&f);
	add_noise(&f, 4000, 1);
	CHECK(fit(&f, &keep_all) == ML_OK && f.design->n_dense == 9);
	for (uint32_t i = 3; i < 4000; i += 2)
		index[some.n++] = i;
	dense = malloc(f.design->n_dense * STRIDE * sizeof(double));
	active = malloc(STRIDE * sizeof(uint32_t));
	ml_design_block(f.design, &f.data, &some, 100, some.n - 100, STRIDE, dense, active);
	for (size_t i = 0; i < some.n - 100; i++)
	{
		ml_dataset_block(&f.data, &some, 100 + i, 1, x);
		ml_design_row(f.design, x, row, row_active);
		for (uint32_t c = 0; c < 9; c++)
			CHECK(dense[c * STRIDE + i] == row[c]);
		CHECK(active[i] == row_active[0]);
	}
	free(dense);
	free(active);
	tear_down(&f);
}

static void
moments_keep_their_digits(void)
{
	/* NIST's NumAcc4 in our units: 10000000.2, then 10000000.1 and 10000000.3 in turn; standard deviation 0.1. */
	Fixture f;

	set_up(&f);
	add_row(&f, 10000000.2, 0, 0, 0, 1);
	for (int i = 0; i < 1000; i++)
		add_row(&f, i % 2 ? 10000000.3 : 10000000.1, 0, 0, 0, 1);
	CHECK(fit(&f, &keep_all) == ML_OK);
	CHECK_NEAR(f.design->columns[X].mean, 10000000.2, 1e-15);
	CHECK_NEAR(f.design->columns[X].scale * sqrt(1001 / 1000.0), 0.1, 1e-8);
	tear_down(&f);
}

static void
a_weight_is_that_many_rows(void)
{
	Fixture weighted, repeated;

	set_up(&weighted);
	set_up(&repeated);
	add_noise(&weighted, 3000, 2);
	for (size_t i = 0; i < 3000; i++)
	{
		double row[N_COLUMNS];

		for (uint32_t c = 0; c < N_COLUMNS; c++)
			ml_frame_read(weighted.frame, c, i, 1, &row[c]);
		for (int k = 0; k < row[WEIGHT]; k++)
			add_row(&repeated, row[X], row[Z], row[CITY], row[DAY], 1);
	}
	weighted.data.weight_column = WEIGHT;
	CHECK(fit(&weighted, &keep_all) == ML_OK && fit(&repeated, &keep_all) == ML_OK);
	for (uint32_t c = 0; c < weighted.design->n_dense; c++)
	{
		CHECK_NEAR(weighted.design->columns[c].mean, repeated.design->columns[c].mean, 1e-14);
		CHECK_NEAR(weighted.design->columns[c].scale, repeated.design->columns[c].scale, 1e-9);
	}
	tear_down(&weighted);
	tear_down(&repeated);
}

/* Rows whose cities occur 3, 3, 2, 1, 0 times. */
static void
add_cities(Fixture *f)
{
	static const double codes[] = {3, 2, 0, 1, 0, 1, 2, 0, 1};

	for (size_t i = 0; i < 9; i++)
		add_row(f, (double) i, 0, codes[i], 0, 1);
}

static void
levels_are_ranked_by_rows_then_bytes(void)
{
	Fixture f;
	const MlDesignOptions two = {.max_levels = 2}, none = {.max_levels = 0};

	set_up(&f);
	add_cities(&f);
	CHECK(fit(&f, &keep_all) == ML_OK && f.design->n_columns == 11);
	CHECK(named(&f, 7, "city=Aarau") && named(&f, 8, "city=Bern") && named(&f, 9, "city=Chur") &&
		  named(&f, 10, "city=Zug"));
	CHECK(fit(&f, &two) == ML_OK && f.design->n_columns == 9);
	CHECK(named(&f, 7, "city=Aarau") && named(&f, 8, "city=Bern"));
	CHECK(fit(&f, &none) == ML_OK && f.design->n_columns == 7);
	tear_down(&f);
}

/* In the next case: 0 to 3. */
static uint64_t
rows_of_level(int32_t code)
{
	return ml_mix64((uint64_t) code) % 4;
}

static void
keeping_fewer_levels_keeps_the_first(void)
{
	enum
	{
		N = 2000
	};
	Fixture f;
	MlDesignOptions options = {.max_levels = N};
	int32_t *ranked = malloc(N * sizeof(*ranked));
	MlDict *levels;
	uint32_t first, n_seen;

	set_up(&f);
	levels = f.schema->inputs[CITY].levels;
	for (int i = 0; i < N; i++)
	{
		char text[16];
		uint32_t code;

		snprintf(text, sizeof(text), "%d", i * 7919 % N);
		CHECK(ml_dict_add(levels, text, strlen(text), &code) == ML_OK);
		for (uint64_t k = rows_of_level((int32_t) code); k > 0; k--)
			add_row(&f, 0, 0, code, 0, 1);
	}
	ml_schema_seal(f.schema);
	CHECK(fit(&f, &options) == ML_OK);
	first = f.design->n_dense;
	n_seen = f.design->n_columns - first;
	CHECK(n_seen > 1000);
	for (uint32_t k = 0; k < n_seen; k++)
		ranked[k] = f.design->columns[first + k].level;
	for (uint32_t k = 1; k < n_seen; k++)
	{
		uint64_t before = rows_of_level(ranked[k - 1]), rows = rows_of_level(ranked[k]);

		CHECK(before > rows ||
			  (before == rows && strcmp(ml_dict_text(levels, (uint32_t) ranked[k - 1]),
										ml_dict_text(levels, (uint32_t) ranked[k])) < 0));
	}
	for (uint32_t n = 0; n <= n_seen; n += 1 + n / 3)
	{
		options.max_levels = n;
		CHECK(fit(&f, &options) == ML_OK && f.design->n_columns - first == n);
		for (uint32_t k = 0; k < n; k++)
			CHECK(f.design->columns[first + k].level == ranked[k]);
	}
	free(ranked);
	tear_down(&f);
}

static void
drop_first_leaves_a_reference(void)
{
	Fixture f;
	const MlDesignOptions all = {.max_levels = 4, .drop_first = true};
	const MlDesignOptions three = {.max_levels = 3, .drop_first = true};

	set_up(&f);
	add_cities(&f);
	CHECK(fit(&f, &all) == ML_OK && f.design->n_columns == 10 && named(&f, 7, "city=Bern"));
	/* Zug has no column, and is the reference. */
	CHECK(fit(&f, &three) == ML_OK && f.design->n_columns == 10 && named(&f, 7, "city=Aarau"));
	tear_down(&f);
}

static void
all_missing_is_a_constant(void)
{
	Fixture f;
	double x[8] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}, dense[7];
	uint32_t active[1];

	set_up(&f);
	for (int i = 0; i < 10; i++)
		add_row(&f, NAN, NAN, NAN, NAN, 1);
	CHECK(fit(&f, &keep_all) == ML_OK && f.design->n_columns == 7);
	ml_design_row(f.design, x, dense, active);
	for (int c = 0; c < 7; c++)
		CHECK(dense[c] == 0 && f.design->columns[c].scale == 1);
	CHECK(active[0] == ML_NO_COLUMN);
	tear_down(&f);
}

static void
infinite_numbers_are_named(void)
{
	static const double bad[] = {INFINITY, -INFINITY, 1e200};

	for (int k = 0; k < 3; k++)
	{
		Fixture f;

		set_up(&f);
		for (int i = 0; i < 100; i++)
			add_row(&f, i == 50 ? bad[k] : i, i, 0, 0, 1);
		CHECK(fit(&f, &keep_all) == ML_EDATA && strstr(f.env.error, "feature \"x\"") &&
			  f.env.hint[0]);
		tear_down(&f);
	}
}

static void
threads_do_not_change_a_bit(void)
{
	Fixture one, two;
	MlBuffer a, b;

	set_up(&one);
	set_up(&two);
	two.env.n_threads = 2;
	add_noise(&one, 70000, 3);
	add_noise(&two, 70000, 3);
	CHECK(fit(&one, &keep_all) == ML_OK && fit(&two, &keep_all) == ML_OK);
	ml_buffer_init(&a, &one.env);
	ml_buffer_init(&b, &two.env);
	ml_design_save(one.design, &a);
	ml_design_save(two.design, &b);
	CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	ml_buffer_free(&a);
	ml_buffer_free(&b);
	tear_down(&one);
	tear_down(&two);
}

static bool
always(void *ctx)
{
	(void) ctx;
	return true;
}

static void
a_cancel_is_heard(void)
{
	Fixture f;

	set_up(&f);
	add_noise(&f, 100, 6);
	f.env.canceled = always;
	CHECK(fit(&f, &keep_all) == ML_ECANCELED);
	tear_down(&f);
}

/* Fit, save, load and save again in another environment. */
static MlStatus
journey(MlEnv *env, void *arg)
{
	Fixture *f = arg;
	MlArena arena;
	MlBuffer first, second;
	MlReader in;
	MlDesign *design;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&first, env);
	ml_buffer_init(&second, env);
	status = ml_design_fit(env, &arena, &f->data, &f->rows, &keep_all, &design);
	if (status == ML_OK)
		status = (ml_design_save(design, &first), first.status);
	if (status == ML_OK)
	{
		ml_reader_init(&in, env, first.data, first.len);
		status = ml_design_load(&in, &arena, f->schema, &design);
	}
	if (status == ML_OK)
		status = (ml_design_save(design, &second), second.status);
	if (status == ML_OK)
	{
		CHECK(ml_reader_end(&in, "design") == ML_OK);
		CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
		CHECK(design->n_dense == 9 && design->n_columns == 15);
	}
	ml_buffer_free(&first);
	ml_buffer_free(&second);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	Fixture f;

	set_up(&f);
	add_noise(&f, 500, 4);
	unit_every_allocation_fails(journey, &f, 200);
	tear_down(&f);
}

/* Load len bytes; use the design when there is one. */
static MlStatus
try_bytes(Fixture *f, const uint8_t *data, size_t len)
{
	MlArena arena;
	MlReader in;
	MlDesign *design;
	MlStatus status;
	uint8_t *copy = malloc(len + 1);

	memcpy(copy, data, len);
	ml_arena_init(&arena, &f->env);
	ml_reader_init(&in, &f->env, copy, len);
	status = ml_design_load(&in, &arena, f->schema, &design);
	if (status == ML_OK)
	{
		double x[8] = {NAN, 1, 2, 3, 4, 5, 6, 7}, *dense = malloc(design->n_dense * sizeof(double));
		uint32_t active[1];

		ml_design_row(design, x, dense, active);
		CHECK(active[0] == ML_NO_COLUMN || active[0] < design->n_columns);
		free(dense);
	}
	CHECK(status == ML_OK || status == ML_ECORRUPT);
	ml_arena_free(&arena);
	free(copy);
	return status;
}

static void
hostile_bytes_are_refused(void)
{
	Fixture f;
	MlBuffer out;

	set_up(&f);
	add_noise(&f, 500, 5);
	CHECK(fit(&f, &keep_all) == ML_OK);
	ml_buffer_init(&out, &f.env);
	ml_design_save(f.design, &out);
	for (size_t len = 0; len < out.len; len++)
		CHECK(try_bytes(&f, out.data, len) == ML_ECORRUPT);
	for (size_t i = 0; i < out.len; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			out.data[i] ^= (uint8_t) (1 << bit);
			try_bytes(&f, out.data, out.len);
			out.data[i] ^= (uint8_t) (1 << bit);
		}
	/* The last level column twice over: its level has two columns. */
	memcpy(out.data + out.len - 24, out.data + out.len - 48, 24);
	CHECK(try_bytes(&f, out.data, out.len) == ML_ECORRUPT);
	ml_buffer_free(&out);
	tear_down(&f);
}

int
main(void)
{
	RUN(columns_are_numbers_indicators_levels);
	RUN(a_row_is_imputed_and_one_hot);
	RUN(a_block_is_its_rows);
	RUN(moments_keep_their_digits);
	RUN(a_weight_is_that_many_rows);
	RUN(levels_are_ranked_by_rows_then_bytes);
	RUN(keeping_fewer_levels_keeps_the_first);
	RUN(drop_first_leaves_a_reference);
	RUN(all_missing_is_a_constant);
	RUN(infinite_numbers_are_named);
	RUN(threads_do_not_change_a_bit);
	RUN(a_cancel_is_heard);
	RUN(every_allocation_may_fail);
	RUN(hostile_bytes_are_refused);
	return unit_end();
}
