/*
 * test_forest.c
 *		Trees and forests: what they learn, that they are the same everywhere, and their images.
 */
#include "forest_fixture.h"

/* Train, and measure on the table's own rows. */
static double
grow(const TableSpec *spec, const MlAlgo *algo, const char *options, int n_threads, uint32_t *crc)
{
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;
	double error = NAN;

	ml_env_init(&env);
	env.n_threads = n_threads;
	CHECK(table_open(&t, &env, spec) == ML_OK);
	if (table_grow(&t, algo, options, &report, &model) == ML_OK)
	{
		MlBuffer image;

		error = table_error(&t, algo, model);
		ml_buffer_init(&image, &env);
		algo->save(model, &image);
		ml_put_bytes(&image, report.summary.data, report.summary.len);
		ml_put_bytes(&image, report.log.data, report.log.len);
		if (crc)
			*crc = ml_crc32c(image.data, image.len);
		ml_buffer_free(&image);
		report_free(&report);
	}
	else
		printf("# %s\n", env.error);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
	return error;
}

/* A tree without limits knows its rows by heart; a pruned one does not, and is smaller. */
static void
learns(void)
{
	TableSpec numbers = {1500, 30, 0, false, 1}, two = {1500, 30, 2, true, 2};
	TableSpec four = {1500, 30, 4, false, 3}, heavy = {1500, 30, 4, true, 3};

	CHECK(grow(&numbers, &ml_algo_tree, "{}", 1, NULL) < 1e-9);
	CHECK(grow(&two, &ml_algo_tree, "{}", 1, NULL) < 0.01);
	CHECK(grow(&four, &ml_algo_tree, "{\"criterion\":\"entropy\"}", 1, NULL) < 0.01);
	CHECK(grow(&heavy, &ml_algo_tree, "{}", 1, NULL) < 0.01);
	CHECK(grow(&numbers, &ml_algo_tree, "{\"max_depth\":1}", 1, NULL) > 3);
	CHECK(grow(&numbers, &ml_algo_forest, "{\"n_trees\":30}", 1, NULL) < 0.15);
	CHECK(grow(&two, &ml_algo_forest, "{\"n_trees\":30}", 1, NULL) < 0.02);
	CHECK(grow(&four, &ml_algo_forest, "{\"n_trees\":30}", 1, NULL) < 0.02);
	CHECK(grow(&numbers, &ml_algo_extra_trees, "{\"n_trees\":30}", 1, NULL) < 1e-9);
	CHECK(grow(&four, &ml_algo_extra_trees, "{\"n_trees\":30}", 1, NULL) < 0.01);
}

static void
same_bytes_with_any_number_of_threads(void)
{
	static const char *const options[] = {
		"{\"n_trees\":7}", "{\"n_trees\":5,\"max_leaves\":40,\"criterion\":\"gini\"}",
		"{\"n_trees\":6,\"subsample\":0.4,\"bootstrap\":false}"};

	for (uint32_t n_classes = 0; n_classes <= 3; n_classes++)
	{
		TableSpec spec = {8000, 300, n_classes, n_classes == 2, 5};
		uint32_t one = 0, three = 1;

		if (n_classes == 1)
			continue;
		grow(&spec, &ml_algo_forest, options[n_classes ? n_classes - 1 : 0], 1, &one);
		grow(&spec, &ml_algo_forest, options[n_classes ? n_classes - 1 : 0], 3, &three);
		CHECK(one == three);
		grow(&spec, &ml_algo_tree, "{\"ccp_alpha\":\"auto\"}", 1, &one);
		grow(&spec, &ml_algo_tree, "{\"ccp_alpha\":\"auto\"}", 4, &three);
		CHECK(one == three);
	}
}

/* Options of size hold in every tree. */
static void
keeps_to_its_limits(void)
{
	TableSpec spec = {3000, 40, 2, true, 6};
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK(table_grow(&t, &ml_algo_extra_trees,
					 "{\"n_trees\":8,\"max_depth\":6,\"min_leaf_rows\":25,\"max_leaves\":20}",
					 &report, &model) == ML_OK);
	const ForestModel *forest = model;

	for (uint32_t i = 0; i < forest->n_trees; i++)
	{
		const ForestTree *tree = &forest->trees[i];
		uint32_t counts[20][2] = {{0}};

		CHECK(tree->n_leaves > 2 && tree->n_leaves <= 20 && tree->depth <= 6);
		for (size_t r = 0; r < t.n; r++)
			counts[ml_forest_leaf(forest, tree, t.x + r * FEATURES)][(int) t.y[r]]++;
		for (uint32_t leaf = 0; leaf < tree->n_leaves; leaf++)
		{
			uint32_t rows = 0;

			for (uint32_t s = tree->start[leaf]; s < tree->start[leaf + 1]; s++)
			{
				CHECK(tree->share_rows[s] == counts[leaf][tree->shares[s].class_of]);
				rows += tree->share_rows[s];
			}
			CHECK(rows >= 25 && rows == counts[leaf][0] + counts[leaf][1]);
		}
	}
	report_free(&report);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* ---- a tree of few rows, known by hand */

/* One numeric feature x and a target y; classes if n_classes > 0. */
static MlStatus
grow_few(MlEnv *env, MlArena *arena, const double *x, const double *y, size_t n, uint32_t n_classes,
		 const char *options, void **model)
{
	static double class_value[] = {0, 1, 2};
	MlWidth widths[2] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64};
	MlSchema *schema;
	MlFrame *frame;
	Table t = {.env = env, .n = n};
	MlFitReport report;
	MlStatus status;

	ML_TRY(ml_schema_create(arena, 1, &schema));
	schema->inputs[0].name = schema->inputs[0].type_name = ml_arena_text(arena, "x", 1);
	schema->inputs[0].kind = ML_NUMERIC;
	schema->inputs[0].n_slots = 1;
	ML_TRY(ml_schema_layout(schema));
	ml_schema_seal(schema);
	ML_TRY(ml_frame_create(env, widths, 2, &frame));
	for (size_t i = 0; i < n; i++)
		ML_TRY(ml_frame_append(frame, (double[]){x[i], y[i]}));
	t.arena = *arena;
	t.data = (MlDataset){.schema = schema,
						 .frame = frame,
						 .task = n_classes ? ML_CLASSIFICATION : ML_REGRESSION,
						 .n_classes = n_classes,
						 .target_column = 1,
						 .weight_column = -1,
						 .class_value = n_classes ? class_value : NULL};
	status = table_grow(&t, &ml_algo_tree, options, &report, model);
	*arena = t.arena;
	if (status == ML_OK)
		report_free(&report);
	ml_frame_free(frame);
	return status;
}

typedef struct NodeRow
{
	double rows, impurity, value, threshold, gain, counts[3];
	int64_t parent;
	bool is_leaf, is_left;
} NodeRow;

typedef struct NodeRows
{
	NodeRow row[16];
	uint32_t n, n_classes;
} NodeRows;

static MlStatus
take_node(void *arg, const MlNode *node)
{
	NodeRows *rows = arg;
	NodeRow *row = &rows->row[rows->n++];

	CHECK(node->node == rows->n - 1 && (int64_t) node->node > node->parent);
	*row = (NodeRow){.rows = node->rows,
					 .impurity = node->impurity,
					 .value = node->value,
					 .threshold = node->threshold,
					 .gain = node->gain,
					 .parent = node->parent,
					 .is_leaf = node->is_leaf,
					 .is_left = node->is_left};
	for (uint32_t k = 0; k < rows->n_classes; k++)
		row->counts[k] = node->counts[k];
	return ML_OK;
}

/* x 1..6: y 0 0 0 10 10 16. Root: variance 38.67 around 6; cut at 3.5, then at 5.5. */
static void
finds_the_tree_by_hand(void)
{
	double x[] = {1, 2, 3, 4, 5, 6}, y[] = {0, 0, 0, 10, 10, 16}, out;
	MlEnv env;
	MlArena arena;
	void *model = NULL;
	NodeRows rows = {0};

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(grow_few(&env, &arena, x, y, 6, 0, "{}", &model) == ML_OK);
	CHECK(ml_algo_tree.nodes(&env, model, &(MlSchema){.n_features = 1}, take_node, &rows) == ML_OK);
	CHECK(rows.n == 5);
	CHECK(rows.row[0].parent == -1 && rows.row[0].threshold == 3.5 && rows.row[0].rows == 6);
	CHECK_NEAR(rows.row[0].value, 6, 1e-12);
	CHECK_NEAR(rows.row[0].impurity, 40, 1e-6);
	CHECK_NEAR(rows.row[0].gain, 36, 1e-6); /* 40 - 8 / 2 */
	CHECK(rows.row[1].is_leaf && rows.row[1].is_left && rows.row[1].value == 0);
	CHECK(!rows.row[2].is_leaf && rows.row[2].threshold == 5.5 && rows.row[2].parent == 0);
	CHECK_NEAR(rows.row[2].impurity, 8, 1e-6);
	CHECK(rows.row[3].value == 10 && rows.row[4].value == 16 && rows.row[4].rows == 1);
	x[0] =
		NAN; /* no value was missing: to the side of more rows, the left one of three and three is none */
	ml_algo_tree.predict(model, x, &out);
	CHECK(out == 10);
	ml_arena_free(&arena);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* Missing values are a side of their own where that tells the classes apart. */
static void
learns_where_missing_values_go(void)
{
	double x[] = {1, 2, 3, 4, NAN, NAN}, y[] = {0, 0, 0, 0, 1, 1}, mixed[] = {0, 0, 1, 1, 0, 0};
	MlEnv env;
	MlArena arena;
	void *model = NULL;
	double out, missing = NAN, far = 1e9, one = 1;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(grow_few(&env, &arena, x, y, 6, 2, "{}", &model) == ML_OK);
	CHECK(((ForestModel *) model)->trees[0].n_leaves == 2);
	ml_algo_tree.predict(model, &missing, &out);
	CHECK(out == 1);
	ml_algo_tree.predict(model, &far, &out);
	CHECK(out == 0);
	CHECK(grow_few(&env, &arena, x, mixed, 6, 2, "{}", &model) == ML_OK);
	CHECK(((ForestModel *) model)->trees[0].n_leaves == 2);
	ml_algo_tree.predict(model, &missing, &out);
	CHECK(out == 0);
	ml_algo_tree.predict(model, &one, &out);
	CHECK(out == 0);
	ml_algo_tree.predict(model, &far, &out);
	CHECK(out == 1);
	ml_arena_free(&arena);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* ---- contributions */

/* The mean of output k over the leaves below a node when only the features of a coalition are known. */
static double
coalition_value(const ForestModel *f, const ForestTree *tree, const double *x, uint32_t k,
				uint32_t coalition, uint32_t at, double *rows)
{
	const ForestNode *node = &tree->nodes[at];
	uint32_t leaf = tree->extra[at];
	double rows_of[2], value[2];

	*rows = 0;
	if (ml_forest_is_leaf(node) && f->n_classes == 0)
	{
		*rows = tree->rows[leaf];
		return tree->values[leaf];
	}
	if (ml_forest_is_leaf(node))
	{
		double share = 0;

		for (uint32_t s = tree->start[leaf]; s < tree->start[leaf + 1]; s++)
		{
			*rows += tree->share_rows[s];
			if (tree->shares[s].class_of == (f->n_classes == 2 ? 1 : k))
				share = (double) tree->shares[s].share;
		}
		return share;
	}
	for (uint32_t side = 0; side < 2; side++)
		value[side] =
			coalition_value(f, tree, x, k, coalition, at + node->step + side, &rows_of[side]);
	*rows = rows_of[0] + rows_of[1];
	if (coalition >> ml_forest_feature(f, node) & 1)
	{
		uint32_t j = ml_forest_feature(f, node);
		const MlTreeFeature *feature = &f->features[j];
		uint32_t bin = ml_tree_bin(feature, x[j]);
		bool left =
			bin == feature->n_bins - 1 ? ml_forest_missing_left(node) : bin <= (node->test & 255);

		if (node->test & 256)
			left = f->sets[leaf * ML_TREE_SET_WORDS + bin / 32] >> bin % 32 & 1;
		return value[!left];
	}
	return (rows_of[0] * value[0] + rows_of[1] * value[1]) / *rows;
}

/* Shapley's definition: over all coalitions of the other features, by their sizes. */
static double
shapley(const ForestModel *f, const double *x, uint32_t k, uint32_t j)
{
	static const double weight[FEATURES] = {1 / 5.0, 1 / 20.0, 1 / 30.0, 1 / 20.0, 1 / 5.0};
	double sum = 0, rows;

	for (uint32_t t = 0; t < f->n_trees; t++)
	{
		for (uint32_t c = 0; c < 1u << FEATURES; c++)
		{
			if (!(c >> j & 1))
				sum += weight[__builtin_popcount(c)] *
					   (coalition_value(f, &f->trees[t], x, k, c | 1u << j, 0, &rows) -
						coalition_value(f, &f->trees[t], x, k, c, 0, &rows));
		}
	}
	return sum / f->n_trees;
}

static void
contributions_are_shapley_values(void)
{
	static const char *const options[] = {"{\"max_depth\":5}", NULL,
										  "{\"n_trees\":3,\"max_leaves\":9}",
										  "{\"n_trees\":3,\"max_depth\":4}"};

	for (uint32_t n_classes = 0; n_classes <= 3; n_classes++)
	{
		const MlAlgo *algo = n_classes == 0   ? &ml_algo_tree
							 : n_classes == 2 ? &ml_algo_forest
											  : &ml_algo_extra_trees;
		TableSpec spec = {300, 12, n_classes, false, 8};
		MlEnv env;
		Table t;
		MlFitReport report;
		void *model = NULL;

		if (n_classes == 1)
			continue;
		ml_env_init(&env);
		CHECK(table_open(&t, &env, &spec) == ML_OK);
		CHECK(table_grow(&t, algo, options[n_classes], &report, &model) == ML_OK);
		for (size_t i = 0; i < 12; i++)
		{
			const double *x = t.x + i * FEATURES;
			uint32_t k = n_classes > 2 ? (uint32_t) i % 3 : 0;
			double phi[FEATURES], base, out[4], sum = 0;

			CHECK(algo->contributions(&env, model, x, k, phi, &base) == ML_OK);
			for (uint32_t j = 0; j < FEATURES; j++)
			{
				sum += phi[j];
				CHECK_NEAR(phi[j], shapley(model, x, k, j), 1e-6);
			}
			algo->predict(model, x, out);
			CHECK_NEAR(base + sum, out[k], 1e-6);
		}
		report_free(&report);
		table_close(&t);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* ---- pruning */

/* Trees by alpha are nested: leaves only become fewer, down to the root. */
static void
prunes_to_nested_trees(void)
{
	static const char *const options[] = {"{}", "{\"ccp_alpha\":0.001}", "{\"ccp_alpha\":0.01}",
										  "{\"ccp_alpha\":0.1}", "{\"ccp_alpha\":100}"};
	TableSpec spec = {800, 12, 0, true, 9};
	uint32_t before = UINT32_MAX, leaves = 0;
	MlEnv env;
	Table t;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	for (int i = 0; i < 5; i++)
	{
		MlFitReport report;
		void *model = NULL;

		CHECK(table_grow(&t, &ml_algo_tree, options[i], &report, &model) == ML_OK);
		leaves = ((ForestModel *) model)->trees[0].n_leaves;
		CHECK(leaves < before);
		before = leaves;
		report_free(&report);
	}
	CHECK(leaves == 1);
	table_close(&t);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* y 0 0 0 10 10 16 at x 1..6: the second cut saves 24 of 240 in all, so 4 of an impurity of 40, the first 36. */
static void
knows_the_links_by_hand(void)
{
	double x[] = {1, 2, 3, 4, 5, 6}, y[] = {0, 0, 0, 10, 10, 16};
	static const char *const options[] = {"{\"ccp_alpha\":3.99}", "{\"ccp_alpha\":4.01}",
										  "{\"ccp_alpha\":35.99}", "{\"ccp_alpha\":36.01}"};
	static const uint32_t leaves[] = {3, 2, 2, 1};
	MlEnv env;
	MlArena arena;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (int i = 0; i < 4; i++)
	{
		void *model = NULL;

		CHECK(grow_few(&env, &arena, x, y, 6, 0, options[i], &model) == ML_OK);
		CHECK(((ForestModel *) model)->trees[0].n_leaves == leaves[i]);
	}
	ml_arena_free(&arena);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* ---- images */

static const MlAlgo *const algorithms[] = {&ml_algo_tree, &ml_algo_forest, &ml_algo_extra_trees};

static void
image_keeps_everything(void)
{
	for (uint32_t which = 0; which < 12; which++)
	{
		uint32_t n_classes = which % 4;
		const MlAlgo *algo = algorithms[which / 4];
		TableSpec spec = {400, 300, n_classes, which % 3 == 0, 11};
		uint32_t n_outputs = n_classes > 2 ? n_classes : 1;
		MlEnv env;
		Table t;
		MlFitReport report;
		void *model = NULL, *loaded = NULL;
		MlBuffer image, again;
		MlReader in;
		double gain[2][FEATURES];

		if (n_classes == 1)
			continue;
		ml_env_init(&env);
		CHECK(table_open(&t, &env, &spec) == ML_OK);
		CHECK(table_grow(&t, algo, "{}", &report, &model) == ML_OK);
		ml_buffer_init(&image, &env);
		ml_buffer_init(&again, &env);
		algo->save(model, &image);
		ml_reader_init(&in, &env, image.data, image.len);
		CHECK(algo->load(&in, &t.arena, t.schema, n_outputs, &loaded) == ML_OK);
		CHECK(ml_reader_end(&in, "forest") == ML_OK);
		algo->save(loaded, &again);
		CHECK(image.len == again.len && memcmp(image.data, again.data, image.len) == 0);
		for (size_t i = 0; i < t.n; i++)
		{
			double p[4], q[4];

			t.x[i * FEATURES + NUMBERS] = i % 9 == 0 ? ML_UNSEEN : t.x[i * FEATURES + NUMBERS];
			algo->predict(model, t.x + i * FEATURES, p);
			algo->predict(loaded, t.x + i * FEATURES, q);
			CHECK(memcmp(p, q, n_outputs * sizeof(double)) == 0);
		}
		algo->importance(model, gain[0]);
		algo->importance(loaded, gain[1]);
		CHECK(memcmp(gain[0], gain[1], sizeof(gain[0])) == 0);
		for (int j = 0; j < FEATURES; j++)
			CHECK(gain[0][j] > 0);
		ml_buffer_free(&image);
		ml_buffer_free(&again);
		report_free(&report);
		table_close(&t);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

static MlStatus
count_node(void *arg, const MlNode *node)
{
	*(size_t *) arg += node->is_leaf;
	return ML_OK;
}

/* Load some bytes; when they are taken, do everything with them. */
static MlStatus
try_image(const Table *t, uint32_t n_outputs, const uint8_t *bytes, size_t len)
{
	MlArena arena;
	MlReader in;
	void *model = NULL;
	MlStatus status;

	ml_arena_init(&arena, t->env);
	ml_reader_init(&in, t->env, bytes, len);
	status = ml_algo_forest.load(&in, &arena, t->schema, n_outputs, &model);
	if (status == ML_OK)
		status = ml_reader_end(&in, "forest");
	if (status == ML_OK)
	{
		double out[4], base, contributions[FEATURES];
		size_t n = 0;

		for (size_t i = 0; i < 20; i++)
			ml_algo_forest.predict(model, t->x + i * FEATURES, out);
		CHECK(ml_algo_forest.contributions(t->env, model, t->x, n_outputs - 1, contributions,
										   &base) == ML_OK);
		CHECK(ml_algo_forest.nodes(t->env, model, t->schema, count_node, &n) == ML_OK && n > 0);
	}
	ml_arena_free(&arena);
	return status;
}

/* Whatever happens to the bytes, loading ends in a model or in ML_ECORRUPT. */
static void
damaged_images_do_no_harm(void)
{
	for (uint32_t n_classes = 0; n_classes <= 3; n_classes += 3)
	{
		TableSpec spec = {200, 20, n_classes, true, 12};
		uint32_t n_outputs = n_classes > 0 ? n_classes : 1;
		MlEnv env;
		Table t;
		MlFitReport report;
		void *model = NULL;
		MlBuffer image;
		long taken = 0;

		ml_env_init(&env);
		CHECK(table_open(&t, &env, &spec) == ML_OK);
		CHECK(table_grow(&t, &ml_algo_forest, "{\"n_trees\":3,\"max_leaves\":6,\"max_bins\":20}",
						 &report, &model) == ML_OK);
		ml_buffer_init(&image, &env);
		ml_algo_forest.save(model, &image);
		CHECK(try_image(&t, n_outputs, image.data, image.len) == ML_OK);
		for (size_t len = 0; len < image.len; len++)
			CHECK(try_image(&t, n_outputs, image.data, len) == ML_ECORRUPT);
		for (size_t at = 0; at < image.len; at++)
		{
			for (int bit = 0; bit < 8; bit++)
			{
				MlStatus status;

				image.data[at] ^= (uint8_t) (1 << bit);
				status = try_image(&t, n_outputs, image.data, image.len);
				CHECK(status == ML_OK || status == ML_ECORRUPT);
				taken += status == ML_OK;
				image.data[at] ^= (uint8_t) (1 << bit);
			}
		}
		CHECK(taken > 0 && taken < (long) image.len * 8);
		ml_buffer_free(&image);
		report_free(&report);
		table_close(&t);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* ---- memory */

static MlStatus
do_everything(MlEnv *env, void *arg)
{
	const MlAlgo *algo = arg;
	TableSpec spec = {300, 20, algo == &ml_algo_forest ? 3 : 0, false, 13};
	Table t;
	MlFitReport report;
	void *model = NULL;
	MlBuffer image;
	MlReader in;
	double base, contributions[FEATURES];
	size_t n = 0;
	MlStatus status = table_open(&t, env, &spec);

	if (status == ML_OK)
		status = table_grow(&t, algo,
							algo == &ml_algo_tree ? "{\"ccp_alpha\":\"auto\",\"ccp_folds\":2}"
												  : "{\"n_trees\":2}",
							&report, &model);
	if (status != ML_OK)
	{
		table_close(&t);
		return status;
	}
	ml_buffer_init(&image, env);
	algo->save(model, &image);
	status = image.status;
	ml_reader_init(&in, env, image.data, image.len);
	if (status == ML_OK)
		status = algo->load(&in, &t.arena, t.schema, spec.n_classes ? 3 : 1, &model);
	if (status == ML_OK)
		status = algo->contributions(env, model, t.x, 0, contributions, &base);
	if (status == ML_OK)
		status = algo->nodes(env, model, t.schema, count_node, &n);
	ml_buffer_free(&image);
	report_free(&report);
	table_close(&t);
	return status;
}

static void
survives_failing_allocations(void)
{
	for (int i = 0; i < 3; i++)
		unit_every_allocation_fails(do_everything, (void *) algorithms[i], 3000);
}

int
main(void)
{
	RUN(learns);
	RUN(same_bytes_with_any_number_of_threads);
	RUN(keeps_to_its_limits);
	RUN(finds_the_tree_by_hand);
	RUN(learns_where_missing_values_go);
	RUN(contributions_are_shapley_values);
	RUN(prunes_to_nested_trees);
	RUN(knows_the_links_by_hand);
	RUN(image_keeps_everything);
	RUN(damaged_images_do_no_harm);
	RUN(survives_failing_allocations);
	return unit_end();
}
