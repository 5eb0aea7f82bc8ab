/*
 * test_gbdt.c
 *		Boosting: what it learns, what its options promise, and that it is the same everywhere.
 */
#include "gbdt_fixture.h"

/* Train, and give the loss on the table's own rows; the image's CRC too, where asked for. */
static double
train_loss(const TableSpec *spec, const char *options, int n_threads, uint32_t *crc)
{
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;
	double loss = NAN;

	ml_env_init(&env);
	env.n_threads = n_threads;
	CHECK(table_open(&t, &env, spec) == ML_OK);
	if (table_boost(&t, options, 0, &report, &model) == ML_OK)
	{
		loss = table_loss(&t, model);
		if (crc)
		{
			MlBuffer image;

			ml_buffer_init(&image, &env);
			ml_algo_gbdt.save(model, &image);
			*crc = ml_crc32c(image.data, image.len);
			ml_buffer_free(&image);
		}
		report_free(&report);
	}
	else
		printf("# %s\n", env.error);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
	return loss;
}

static void
learns_a_regression(void)
{
	TableSpec spec = {3000, 30, 0, false, 1};

	/* noise has variance 0.09; the signal's is above 5 */
	CHECK(train_loss(&spec, "{\"n_trees\":100}", 1, NULL) < 0.12);
	CHECK(train_loss(&spec, "{\"n_trees\":1,\"learning_rate\":0.000001}", 1, NULL) > 3);
}

static void
learns_classes(void)
{
	TableSpec binary = {3000, 30, 2, false, 2}, many = {3000, 30, 4, false, 3};

	CHECK(train_loss(&binary, "{\"n_trees\":60}", 1, NULL) < 0.15);
	CHECK(train_loss(&many, "{\"n_trees\":60}", 1, NULL) < 0.25);
}

static void
stops_early(void)
{
	TableSpec spec = {1500, 30, 2, true, 4};

	CHECK(train_loss(&spec, "{}", 1, NULL) < 0.35);
}

static void
same_bytes_with_any_number_of_threads(void)
{
	static const char *const options[] = {
		"{\"n_trees\":5,\"max_leaves\":20}",
		"{\"n_trees\":5,\"subsample\":0.7,\"colsample\":0.6}",
		"{\"early_stopping\":2,\"n_trees\":10}",
	};

	for (uint32_t n_classes = 0; n_classes <= 3; n_classes++)
	{
		TableSpec spec = {30000, 300, n_classes, n_classes == 0, 5};
		uint32_t one = 0, three = 1;

		if (n_classes == 1)
			continue;
		train_loss(&spec, options[n_classes % 3], 1, &one);
		train_loss(&spec, options[n_classes % 3], 3, &three);
		CHECK(one == three);
	}
}

/* Rows below each node, from the leaves. */
static void
each_leaf_has_its_rows(void)
{
	TableSpec spec = {2000, 40, 2, true, 6};
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK(table_boost(&t, "{\"n_trees\":50,\"min_leaf_rows\":25,\"max_leaves\":60,\"max_depth\":7}",
					  0, &report, &model) == ML_OK);
	const MlTreeEnsemble *trees = ((const GbdtModel *) model)->trees;

	CHECK(trees->n_trees == 50);
	for (uint32_t i = 0; i < trees->n_trees; i++)
	{
		const MlTree *tree = &trees->trees[i];
		uint32_t counts[64] = {0}, depth[64] = {0};

		CHECK(tree->n_leaves > 2 && tree->n_leaves <= 60);
		for (size_t r = 0; r < t.n; r++)
			counts[ml_tree_leaf(trees, tree, t.x + r * FEATURES)]++;
		for (uint32_t leaf = 0; leaf < tree->n_leaves; leaf++)
			CHECK(tree->rows[leaf] >= 25 && tree->rows[leaf] == counts[leaf]);
		for (uint32_t n = 0; n + 1 < tree->n_leaves; n++)
		{
			CHECK(depth[n] < 7);
			if (tree->nodes[n].left >= 0)
				depth[tree->nodes[n].left] = depth[n] + 1;
			if (tree->nodes[n].right >= 0)
				depth[tree->nodes[n].right] = depth[n] + 1;
		}
	}
	report_free(&report);
	table_close(&t);
	ml_env_close(&env);
}

/* With a validation set the log has its loss, and the model is the best round's. */
static void
watches_the_validation_set(void)
{
	TableSpec spec = {1200, 30, 2, false, 7};
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;
	MlJson *log;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK(table_boost(&t, "{\"early_stopping\":5,\"n_trees\":300}", 400, &report, &model) == ML_OK);
	MlBuffer text;

	ml_buffer_init(&text, &env);
	ml_put_format(&text, "[%.*s]", (int) report.log.len, (const char *) report.log.data);
	CHECK(ml_json_parse(&t.arena, (const char *) text.data, text.len, &log) == ML_OK);
	uint32_t n_trees = ((const GbdtModel *) model)->trees->n_trees;
	double best = INFINITY;
	size_t best_round = 0;

	CHECK(log->n == n_trees + 5);
	for (size_t i = 0; i < log->n; i++)
	{
		double loss = ml_json_get(&log->items[i], "valid_loss")->number;

		CHECK(ml_json_get(&log->items[i], "iteration")->number == (double) (i + 1));
		if (loss < best)
		{
			best = loss;
			best_round = i + 1;
		}
	}
	CHECK(best_round == n_trees);
	t.n = 400; /* the validation rows: the loss of the model is the one that was logged */
	CHECK_NEAR(table_loss(&t, model), best, 1e-5);
	ml_buffer_free(&text);
	report_free(&report);
	table_close(&t);
	ml_env_close(&env);
}

/* A whole weight counts as so many rows. */
static void
weights_count_rows(void)
{
	enum
	{
		N = 200
	};
	TableSpec spec = {N, 10, 0, true, 8}, twice = {2 * N, 10, 0, false, 8};
	const char *options = "{\"n_trees\":20,\"min_leaf_rows\":1,\"min_leaf_hessian\":19.5}";
	MlEnv env;
	Table a, b;
	MlFitReport report;
	void *weighted = NULL, *repeated = NULL;

	ml_env_init(&env);
	CHECK(table_open(&a, &env, &spec) == ML_OK);
	CHECK(table_open(&b, &env, &twice) == ML_OK);
	ml_frame_free(b.frame);
	MlWidth widths[FEATURES + 2] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64,
									ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL,   ML_WIDTH_FLOAT64,
									ML_WIDTH_FLOAT64};

	CHECK(ml_frame_create(&env, widths, FEATURES + 2, &b.frame) == ML_OK);
	b.data.frame = b.frame;
	for (size_t i = 0; i < N; i++)
	{
		double row[FEATURES + 2] = {0};

		memcpy(row, a.x + i * FEATURES, FEATURES * sizeof(double));
		row[FEATURES] = a.y[i];
		for (int copy = 0; copy < (int) a.w[i]; copy++)
			CHECK(ml_frame_append(b.frame, row) == ML_OK);
	}
	b.n = ml_frame_rows(b.frame);
	CHECK(b.n <= 2 * N);
	CHECK(table_boost(&a, options, 0, &report, &weighted) == ML_OK);
	report_free(&report);
	CHECK(table_boost(&b, options, 0, &report, &repeated) == ML_OK);
	report_free(&report);
	double worst = 0;

	for (size_t i = 0; i < N; i++)
	{
		double p, q;

		ml_algo_gbdt.predict(weighted, a.x + i * FEATURES, &p);
		ml_algo_gbdt.predict(repeated, a.x + i * FEATURES, &q);
		worst = fmax(worst, fabs(p - q));
	}
	CHECK(worst < 1e-3);
	table_close(&a);
	table_close(&b);
	ml_env_close(&env);
}

/* Where one row's gradient is 100,000 times the others', those still add up to what they are. */
static void
small_gradients_are_right_on_average(void)
{
	TableSpec spec = {20000, 10, 0, false, 9};
	MlEnv env;
	Table t;
	GbdtObjective *objective = NULL;
	GbdtGradients gradients;
	double base, loss, spare_loss, want = 0, got = 0;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	ml_frame_free(t.frame);
	MlWidth width = ML_WIDTH_FLOAT64;

	CHECK(ml_frame_create(&env, &width, 1, &t.frame) == ML_OK);
	t.data.frame = t.frame;
	t.data.target_column = 0;
	for (size_t i = 0; i < t.n; i++)
	{
		double y = i == 0 ? -1e5 : 1 + i % 2;

		CHECK(ml_frame_append(t.frame, &y) == ML_OK);
		base = i == 0 ? y : base + y;
	}
	base /= (double) t.n;
	MlRows rows = {NULL, t.n}, none = {NULL, 0};

	GbdtOptions options = {.loss = GBDT_SQUARED};
	GbdtObjectiveInput input = {&options, &t.data, &rows, &none, NULL};

	CHECK(ml_gbdt_objective_create(&env, &input, &objective) == ML_OK);
	CHECK(ml_gbdt_objective_start(objective, t.n, &base) == ML_OK);
	CHECK(ml_gbdt_objective_round(objective, 3, &loss, &spare_loss) == ML_OK);
	CHECK(isnan(spare_loss));
	CHECK(ml_gbdt_objective_gradients(objective, 0, &gradients) == ML_OK);
	for (size_t i = 1; i < t.n; i++)
	{
		GbdtSum sum = ml_gbdt_unpack(ml_gbdt_widen(gradients.packed[i]));

		want += base - (1 + i % 2);
		got += (double) sum.g * gradients.g_unit;
		CHECK(sum.h == 1);
	}
	CHECK(gradients.g_unit > 2);
	CHECK_NEAR(got, want, 0.01);
	ml_gbdt_objective_free(&env, objective);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* Histograms by subtraction are the histograms: with room for three only, trees are the same. */
static void
histograms_are_exact(void)
{
	TableSpec spec = {70000, 10, 2, false, 10};
	MlEnv env;
	Table t;
	MlTreeFeature features[FEATURES] = {0};
	MlBinned binned;
	GbdtSummer summer;
	MlArena arena;

	ml_env_init(&env);
	env.n_threads = 2;
	ml_arena_init(&arena, &env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	MlRows rows = {NULL, t.n}, none = {NULL, 0};

	MlBinnedInput input = {
		.data = &t.data, .tiled = &rows, .others = &none, .max_bins = 255, .seed = 1};

	CHECK(ml_binned_create(&env, &arena, &input, features, &binned) == ML_OK);
	CHECK(ml_gbdt_summer_create(&env, &binned, &summer) == ML_OK);
	ml_gbdt_summer_use(&summer, NULL);
	int32_t *gradients = malloc(t.n * sizeof(int32_t));
	uint32_t *positions = malloc(t.n * sizeof(uint32_t));
	size_t n_cells = binned.cell[binned.n_active], n_part = 0;
	GbdtHistogram all = {.cells = calloc(n_cells, sizeof(GbdtSum))};
	GbdtHistogram part = {.cells = calloc(n_cells, sizeof(GbdtSum))};
	GbdtHistogram rest = {.cells = calloc(n_cells, sizeof(GbdtSum))};

	for (size_t i = 0; i < t.n; i++)
	{
		gradients[i] = ml_gbdt_pack_row((int32_t) (i * 7919 % 65533) - GBDT_G_MAX,
										(int32_t) (i * 104729 % (GBDT_H_MAX + 1)));
		if (i % 3 == 0)
			positions[n_part++] = (uint32_t) i;
	}
	summer.gradients = gradients;
	CHECK(ml_gbdt_sum(&env, &summer, NULL, t.n, &all) == ML_OK);
	CHECK(ml_gbdt_sum(&env, &summer, positions, n_part, &part) == ML_OK);
	CHECK(!all.packed && part.packed);
	rest.packed = true;
	ml_gbdt_subtract(&all, &part, &rest, 0, n_cells);
	for (uint32_t a = 0; a < binned.n_active; a++)
	{
		GbdtSum want[2][ML_TREE_BINS] = {0};

		for (size_t i = 0; i < t.n; i++)
		{
			GbdtSum *cell = &want[i % 3 == 0][binned.columns[a * binned.column_bytes + i]];

			cell->g += gradients[i] >> 16;
			cell->h += gradients[i] & 0xffff;
		}
		for (uint32_t c = binned.cell[a]; c < binned.cell[a + 1]; c++)
		{
			const GbdtSum *others = &want[0][c - binned.cell[a]], *third = others + ML_TREE_BINS;
			GbdtSum got = ((GbdtSum *) all.cells)[c];
			GbdtSum got_part = ml_gbdt_unpack(((int64_t *) part.cells)[c]);
			GbdtSum got_rest = ml_gbdt_unpack(((int64_t *) rest.cells)[c]);

			third = &want[1][c - binned.cell[a]];
			CHECK(got.g == others->g + third->g && got.h == others->h + third->h);
			CHECK(got_part.g == third->g && got_part.h == third->h);
			CHECK(got_rest.g == others->g && got_rest.h == others->h);
		}
	}
	free(gradients);
	free(positions);
	free(all.cells);
	free(part.cells);
	free(rest.cells);
	ml_gbdt_summer_free(&env, &summer);
	ml_binned_free(&env, &binned);
	ml_arena_free(&arena);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* Parting rows, in any number of blocks, keeps the order and loses no row. */
static void
partition_keeps_order(void)
{
	enum
	{
		N = 40000
	};
	static uint8_t column[N + ML_BINNED_PAD];
	static uint32_t positions[N], want[N];
	uint32_t set[ML_TREE_SET_WORDS];
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < N; i++)
		column[i] = (uint8_t) ml_rng_below(&rng, 256);
	for (int trial = 0; trial < 12; trial++)
	{
		MlEnv env;
		GbdtPartition room;
		size_t n = trial % 3 == 0 ? N : (size_t) trial * 7 + 1, n_left = 0, left = 0, right = 0;

		ml_env_init(&env);
		env.n_threads = 1 + trial % 2;
		CHECK(ml_gbdt_partition_create(&env, n, &room) == ML_OK);
		for (int w = 0; w < ML_TREE_SET_WORDS; w++)
			set[w] = trial < 2 ? 0 : trial < 4 ? UINT32_MAX : (uint32_t) ml_rng_next(&rng);
		for (uint32_t i = 0; i < n; i++)
		{
			positions[i] = i;
			left += set[column[i] / 32] >> column[i] % 32 & 1;
		}
		right = left;
		left = 0;
		for (uint32_t i = 0; i < n; i++)
			want[set[column[i] / 32] >> column[i] % 32 & 1 ? left++ : right++] = i;
		CHECK(ml_gbdt_partition(&room, column, set, trial % 4 < 2 ? NULL : positions, 0, positions,
								n, &n_left) == ML_OK);
		CHECK(n_left == left);
		CHECK(memcmp(positions, want, n * sizeof(*want)) == 0);
		ml_gbdt_partition_free(&room);
		ml_env_close(&env);
	}
}

typedef struct WorkSpec
{
	TableSpec table;
	const char *options;
} WorkSpec;

/* Open, train, save, load. */
static MlStatus
whole_life(MlEnv *env, void *arg)
{
	const WorkSpec *spec = arg;
	Table t;
	MlFitReport report;
	void *model = NULL, *loaded = NULL;
	MlBuffer image;
	MlStatus status = table_open(&t, env, &spec->table);

	if (status == ML_OK)
		status = table_boost(&t, spec->options, 0, &report, &model);
	if (status == ML_OK)
	{
		MlReader in;

		report_free(&report);
		ml_buffer_init(&image, env);
		ml_algo_gbdt.save(model, &image);
		status = image.status;
		ml_reader_init(&in, env, image.data, image.len);
		if (status == ML_OK)
			status =
				ml_algo_gbdt.load(&in, &t.arena, t.schema,
								  spec->table.n_classes > 2 ? spec->table.n_classes : 1, &loaded);
		ml_buffer_free(&image);
	}
	table_close(&t);
	return status;
}

static void
every_allocation_can_fail(void)
{
	WorkSpec specs[] = {
		{{60, 5, 0, true, 1}, "{\"n_trees\":2,\"min_leaf_rows\":5,\"max_leaves\":4}"},
		{{60, 400, 3, false, 2}, "{\"n_trees\":2,\"early_stopping\":1,\"max_leaves\":3}"},
		{{60, 5, 2, false, 3}, "{\"n_trees\":1,\"min_leaf_rows\":5,\"max_leaves\":100}"},
	};

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		unit_every_allocation_fails(whole_life, &specs[i], 2000);
}

static bool
cancel_later(void *ctx)
{
	UnitAlloc *counter = ctx;

	return ++counter->calls > 40;
}

static void
can_be_canceled(void)
{
	TableSpec spec = {3000, 30, 2, false, 1};
	UnitAlloc counter = {0};
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	env.canceled = cancel_later;
	env.ctx = &counter;
	CHECK(table_boost(&t, "{\"n_trees\":1000}", 0, &report, &model) == ML_ECANCELED);
	table_close(&t);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

/* Constant features, a constant target, fewer rows than a leaf: the mean. */
static void
little_to_learn(void)
{
	TableSpec tiny = {5, 2, 0, false, 1}, one_level = {100, 1, 2, false, 2};
	double loss = train_loss(&tiny, "{}", 1, NULL);

	CHECK(loss >= 0 && loss < 50);
	CHECK(train_loss(&one_level, "{\"n_trees\":3}", 1, NULL) < 0.7);
}

int
main(void)
{
	RUN(learns_a_regression);
	RUN(learns_classes);
	RUN(stops_early);
	RUN(same_bytes_with_any_number_of_threads);
	RUN(each_leaf_has_its_rows);
	RUN(watches_the_validation_set);
	RUN(weights_count_rows);
	RUN(small_gradients_are_right_on_average);
	RUN(histograms_are_exact);
	RUN(partition_keeps_order);
	RUN(every_allocation_can_fail);
	RUN(can_be_canceled);
	RUN(little_to_learn);
	return unit_end();
}
