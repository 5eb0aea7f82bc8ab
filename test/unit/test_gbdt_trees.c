/*
 * test_gbdt_trees.c
 *		Cuts, scoring and images of trees.
 */
#include "gbdt_fixture.h"

/* ---- cuts */

static void
sorts_all_doubles(void)
{
	enum
	{
		N = 1000
	};
	double values[N], spare[N];
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < N; i++)
		values[i] = i % 7 == 0    ? -INFINITY
					: i % 11 == 0 ? INFINITY
								  : ldexp(ml_rng_normal(&rng), i % 60 - 30);
	ml_sort_doubles(values, spare, N);
	for (int i = 1; i < N; i++)
		CHECK(values[i - 1] <= values[i]);
	CHECK(values[0] == -INFINITY && values[N - 1] == INFINITY);
	ml_sort_doubles(values, spare, 0);
}

static void
few_values_have_a_bin_each(void)
{
	double sorted[] = {-INFINITY, -1, -1, 0, 1, 1, 1, 5, INFINITY, INFINITY}, cuts[10];
	uint32_t n = ml_find_cuts(sorted, 10, 6, cuts);

	CHECK(n == 5);
	CHECK(cuts[0] == -INFINITY && cuts[1] == -0.5 && cuts[2] == 0.5 && cuts[3] == 3 &&
		  cuts[4] == 5);
	CHECK(ml_find_cuts(sorted, 0, 6, cuts) == 0);
	CHECK(ml_find_cuts(sorted + 1, 2, 6, cuts) == 0);
}

/* Neighbouring doubles, and a sum that overflows. */
static void
cuts_part_their_values(void)
{
	double near[] = {1, nextafter(1, 2)}, far[] = {-1.7e308, 1.7e308}, cut;

	CHECK(ml_find_cuts(near, 2, 255, &cut) == 1 && cut == 1);
	CHECK(ml_find_cuts(far, 2, 255, &cut) == 1 && cut == 0);
}

static void
many_values_share_bins_evenly(void)
{
	enum
	{
		N = 10000
	};
	static double sorted[N];
	double cuts[ML_TREE_CUTS];
	uint32_t n, most = 0;

	/* a tenth of the rows has the value 0, the rest spreads */
	for (int i = 0; i < N; i++)
		sorted[i] = i < 4000 ? i - 4000 : i < 5000 ? 0 : i - 4999;
	n = ml_find_cuts(sorted, N, 100, cuts);
	CHECK(n >= 95 && n <= 99);
	for (uint32_t c = 0, i = 0; c <= n; c++)
	{
		uint32_t first = i;

		while (i < N && (c == n || sorted[i] <= cuts[c]))
			i++;
		if (sorted[first] == 0)
			CHECK(i - first == 1000);
		else
			most = ML_MAX(most, i - first);
	}
	CHECK(most <= 120);
}

/* ---- scoring */

typedef struct TreeSpec
{
	uint32_t n_trees, n_leaves, n_outputs, n_cuts, n_levels;
} TreeSpec;

/* Trees of random shape over two numeric features and a categorical one. */
static MlTreeEnsemble *
random_trees(MlArena *arena, const TreeSpec *spec, MlRng *rng)
{
	MlTreeEnsemble *e = ml_arena_alloc(arena, sizeof(*e));

	e->n_features = 3;
	e->n_outputs = spec->n_outputs;
	e->n_trees = spec->n_trees;
	e->base = ml_arena_array(arena, spec->n_outputs, sizeof(double));
	e->features = ml_arena_array(arena, 3, sizeof(MlTreeFeature));
	e->trees = ml_arena_array(arena, spec->n_trees, sizeof(MlTree));
	for (int j = 0; j < 3; j++)
	{
		MlTreeFeature *f = &e->features[j];

		f->categorical = j == 2;
		f->n_cuts = j == 2 ? 0 : spec->n_cuts;
		f->n_levels = j == 2 ? spec->n_levels : 0;
		f->n_bins = j == 2 ? spec->n_levels + 1 : spec->n_cuts + 2;
		f->unseen_bin = (uint8_t) spec->n_levels;
		f->cuts = ml_arena_array(arena, spec->n_cuts, sizeof(double));
		f->bin_of_level = ml_arena_alloc(arena, spec->n_levels);
		for (uint32_t c = 0; c < spec->n_cuts; c++)
			f->cuts[c] = (double) c / spec->n_cuts;
		for (uint32_t l = 0; l < spec->n_levels; l++)
			f->bin_of_level[l] = (uint8_t) (spec->n_levels - 1 - l);
	}
	for (uint32_t t = 0; t < spec->n_trees; t++)
	{
		MlTree *tree = &e->trees[t];
		uint32_t n = 1 + (uint32_t) ml_rng_below(rng, spec->n_leaves);

		if (t == 0)
			n = spec->n_leaves;
		tree->n_leaves = n;
		tree->nodes = ml_arena_array(arena, n, sizeof(MlTreeNode));
		tree->values = ml_arena_array(arena, n, sizeof(float));
		tree->rows = ml_arena_array(arena, n, sizeof(uint32_t));
		for (uint32_t i = 0; i < n; i++)
		{
			tree->values[i] = (float) ml_rng_normal(rng);
			tree->rows[i] = 1 + (uint32_t) ml_rng_below(rng, 50);
		}
		for (uint32_t i = 0; i + 1 < n; i++)
		{
			MlTreeNode *node = &tree->nodes[i];
			/* the leaf that is split, and where it hangs */
			uint32_t leaf = (uint32_t) ml_rng_below(rng, i + 1);

			for (uint32_t up = 0; up < i; up++)
			{
				if (tree->nodes[up].left == ~(int32_t) leaf)
					tree->nodes[up].left = (int32_t) i;
				if (tree->nodes[up].right == ~(int32_t) leaf)
					tree->nodes[up].right = (int32_t) i;
			}
			node->feature = (uint32_t) ml_rng_below(rng, 3);
			node->left = ~(int32_t) leaf;
			node->right = ~(int32_t) (i + 1);
			if (node->feature == 2)
			{
				uint32_t *set = ml_arena_array(arena, ML_TREE_SET_WORDS, sizeof(*set));

				for (uint32_t b = 0; b < spec->n_levels + 1; b++)
					set[b / 32] |= (uint32_t) (ml_rng_next(rng) & 1) << b % 32;
				node->set = set;
			}
			else
			{
				node->cut = (uint8_t) ml_rng_below(rng, spec->n_cuts);
				node->missing_left = ml_rng_next(rng) & 1;
			}
		}
	}
	return e;
}

/* The value of a tree by the definition: thresholds compared as doubles. */
static float
walk(const MlTreeEnsemble *e, const MlTree *tree, const double *x)
{
	int32_t at = tree->n_leaves > 1 ? 0 : ~0;

	while (at >= 0)
	{
		const MlTreeNode *node = &tree->nodes[at];
		const MlTreeFeature *f = &e->features[node->feature];
		double value = x[node->feature];
		bool left;

		if (f->categorical)
		{
			uint32_t bin = isnan(value)         ? f->n_bins - 1
						   : value == ML_UNSEEN ? f->unseen_bin
												: f->bin_of_level[(int) value];

			left = node->set[bin / 32] >> bin % 32 & 1;
		}
		else
			left = isnan(value) ? node->missing_left : value <= f->cuts[node->cut];
		at = left ? node->left : node->right;
	}
	return tree->values[~at];
}

/* The sums by the definition: four interleaved ones for one output. */
static void
walk_all(const MlTreeEnsemble *e, const double *x, double *out)
{
	double lanes[4] = {0};

	memset(out, 0, e->n_outputs * sizeof(*out));
	for (uint32_t t = 0; t < e->n_trees; t++)
	{
		float value = walk(e, &e->trees[t], x);

		if (e->n_outputs == 1)
			lanes[t % 4] += value;
		else
			out[t % e->n_outputs] += value;
	}
	if (e->n_outputs == 1)
		out[0] = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

/* A row with every kind of value: on a cut, beyond all, missing, unseen. */
static void
random_row(const TreeSpec *spec, MlRng *rng, double *x)
{
	for (int j = 0; j < 2; j++)
	{
		switch (ml_rng_below(rng, 8))
		{
			case 0:
				x[j] = NAN;
				break;
			case 1:
				x[j] = ml_rng_below(rng, 2) ? INFINITY : -INFINITY;
				break;
			case 2:
				x[j] = (double) ml_rng_below(rng, spec->n_cuts) / spec->n_cuts;
				break;
			case 3:
				x[j] = -0.0;
				break;
			default:
				x[j] = 1.2 * ml_rng_uniform(rng) - 0.1;
		}
	}
	x[2] = (double) ml_rng_below(rng, spec->n_levels);
	if (ml_rng_below(rng, 5) == 0)
		x[2] = ml_rng_below(rng, 2) ? NAN : ML_UNSEEN;
}

/* Mask tables of both widths, whole and coarse, and walks say what the nodes say. */
static void
scores_as_the_nodes_say(void)
{
	static const TreeSpec specs[] = {
		{1, 1, 1, 1, 1},       {7, 2, 1, 1, 2},        {40, 31, 1, 100, 255},
		{39, 63, 3, 254, 30},  {13, 64, 1, 254, 200},  {1100, 32, 1, 254, 10},
		{700, 64, 2, 254, 40}, {21, 300, 1, 200, 100}, {10, 65, 2, 20, 3},
	};

	for (size_t s = 0; s < sizeof(specs) / sizeof(*specs); s++)
	{
		MlEnv env;
		MlArena arena;
		MlRng rng;
		long wrong = 0;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		ml_rng_seed(&rng, s, 0);
		MlTreeEnsemble *e = random_trees(&arena, &specs[s], &rng);

		for (int compact = 0; compact < 2; compact++)
		{
			if (compact)
				CHECK(ml_trees_compact(&env, e) == ML_OK);
			CHECK(ml_trees_prepare(&arena, e) == ML_OK);
			for (int i = 0; i < 300; i++)
			{
				double x[3], got[3], want[3];

				random_row(&specs[s], &rng, x);
				walk_all(e, x, want);
				ml_trees_score(e, x, got);
				wrong += memcmp(got, want, e->n_outputs * sizeof(double)) != 0;
			}
		}
		if (wrong)
			printf("# %u trees of %u leaves: %ld rows are wrong\n", specs[s].n_trees,
				   specs[s].n_leaves, wrong);
		CHECK(wrong == 0);
		ml_arena_free(&arena);
		CHECK(env.used == 0);
	}
}

/* ---- contributions */

/* The mean of a tree's leaves when only the features of a coalition are known, by training rows. */
static double
coalition_value(const MlTreeEnsemble *e, const MlTree *tree, const double *x, uint32_t coalition,
				int32_t at, double *rows)
{
	const MlTreeNode *node = at >= 0 ? &tree->nodes[at] : NULL;
	double left_rows, right_rows, left, right;

	if (!node)
	{
		*rows = tree->rows[~at];
		return (double) tree->values[~at];
	}
	left = coalition_value(e, tree, x, coalition, node->left, &left_rows);
	right = coalition_value(e, tree, x, coalition, node->right, &right_rows);
	*rows = left_rows + right_rows;
	if (coalition >> node->feature & 1)
	{
		const MlTreeFeature *f = &e->features[node->feature];

		return ml_tree_goes_left(f, node, ml_tree_bin(f, x[node->feature])) ? left : right;
	}
	return (left_rows * left + right_rows * right) / *rows;
}

/* Shapley's definition: over all coalitions of the other features, by their sizes. */
static double
shapley(const MlTreeEnsemble *e, const MlTree *tree, const double *x, uint32_t j)
{
	static const double weight[3] = {1.0 / 3, 1.0 / 6, 1.0 / 3}; /* s! (2 - s)! / 3! */
	int32_t root = tree->n_leaves > 1 ? 0 : ~0;
	double sum = 0, rows;

	for (uint32_t coalition = 0; coalition < 8; coalition++)
	{
		if (coalition >> j & 1)
			continue;
		sum += weight[__builtin_popcount(coalition)] *
			   (coalition_value(e, tree, x, coalition | 1u << j, root, &rows) -
				coalition_value(e, tree, x, coalition, root, &rows));
	}
	return sum;
}

static void
contributions_are_shapley_values(void)
{
	static const TreeSpec specs[] = {
		{1, 1, 1, 3, 2}, {5, 4, 1, 5, 4}, {12, 30, 3, 20, 30}, {3, 200, 1, 99, 9}};

	for (size_t s = 0; s < sizeof(specs) / sizeof(*specs); s++)
	{
		MlEnv env;
		MlArena arena;
		MlRng rng;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		ml_rng_seed(&rng, s, 1);
		MlTreeEnsemble *e = random_trees(&arena, &specs[s], &rng);

		CHECK(ml_trees_prepare(&arena, e) == ML_OK);
		for (int i = 0; i < 20; i++)
		{
			double x[3], phi[3] = {0}, base = 0, score[3];
			uint32_t k = (uint32_t) i % e->n_outputs;

			random_row(&specs[s], &rng, x);
			ml_trees_score(e, x, score);
			CHECK(ml_trees_contributions(&env, e, x, k, phi, &base) == ML_OK);
			CHECK_NEAR(phi[0] + phi[1] + phi[2] + base, score[k], 1e-12);
			for (uint32_t j = 0; j < 3; j++)
			{
				double want = 0;

				for (uint32_t t = k; t < e->n_trees; t += e->n_outputs)
					want += shapley(e, &e->trees[t], x, j);
				CHECK_NEAR(phi[j], want, 1e-12);
			}
		}
		ml_arena_free(&arena);
		CHECK(env.used == 0);
	}
}

static MlStatus
contributions_work(MlEnv *env, void *arg)
{
	const TreeSpec *spec = arg;
	MlArena arena;
	MlRng rng;
	double x[3] = {0.1, 0.5, 1}, phi[3] = {0}, base = 0;
	MlEnv plain;
	MlStatus status;

	ml_env_init(&plain);
	ml_arena_init(&arena, &plain);
	ml_rng_seed(&rng, 1, 1);
	status = ml_trees_contributions(env, random_trees(&arena, spec, &rng), x, 0, phi, &base);
	ml_arena_free(&arena);
	return status;
}

static void
contributions_survive_failing_allocations(void)
{
	TreeSpec spec = {2, 9, 1, 5, 4};

	unit_every_allocation_fails(contributions_work, &spec, 20);
}

/* ---- images */

static void
image_keeps_every_prediction(void)
{
	for (uint32_t n_classes = 0; n_classes < 4; n_classes++)
	{
		TableSpec spec = {400, 300, n_classes, false, 11};
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
		CHECK(table_boost(&t, "{\"n_trees\":9,\"max_leaves\":12}", 0, &report, &model) == ML_OK);
		ml_buffer_init(&image, &env);
		ml_buffer_init(&again, &env);
		ml_algo_gbdt.save(model, &image);
		ml_reader_init(&in, &env, image.data, image.len);
		CHECK(ml_algo_gbdt.load(&in, &t.arena, t.schema, n_outputs, &loaded) == ML_OK);
		CHECK(ml_reader_end(&in, "gbdt") == ML_OK);
		ml_algo_gbdt.save(loaded, &again);
		CHECK(image.len == again.len && memcmp(image.data, again.data, image.len) == 0);
		for (size_t i = 0; i < t.n; i++)
		{
			double p[4], q[4];

			t.x[i * FEATURES + NUMBERS] = i % 9 == 0 ? ML_UNSEEN : t.x[i * FEATURES + NUMBERS];
			ml_algo_gbdt.predict(model, t.x + i * FEATURES, p);
			ml_algo_gbdt.predict(loaded, t.x + i * FEATURES, q);
			CHECK(memcmp(p, q, n_outputs * sizeof(double)) == 0);
		}
		ml_algo_gbdt.importance(model, gain[0]);
		ml_algo_gbdt.importance(loaded, gain[1]);
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

/* Load some bytes; when they are taken, predict with them. */
static MlStatus
try_image(const Table *t, const uint8_t *bytes, size_t len)
{
	MlArena arena;
	MlReader in;
	void *model = NULL;
	MlStatus status;

	ml_arena_init(&arena, t->env);
	ml_reader_init(&in, t->env, bytes, len);
	status = ml_algo_gbdt.load(&in, &arena, t->schema, 1, &model);
	if (status == ML_OK)
		status = ml_reader_end(&in, "gbdt");
	if (status == ML_OK)
	{
		double out;

		for (size_t i = 0; i < 20; i++)
			ml_algo_gbdt.predict(model, t->x + i * FEATURES, &out);
	}
	ml_arena_free(&arena);
	return status;
}

/* Whatever happens to the bytes, loading ends in a model or in ML_ECORRUPT. */
static void
damaged_images_do_no_harm(void)
{
	TableSpec spec = {300, 20, 2, false, 12};
	MlEnv env;
	Table t;
	MlFitReport report;
	void *model = NULL;
	MlBuffer image;
	long taken = 0;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK(table_boost(&t, "{\"n_trees\":3,\"max_leaves\":6,\"max_bins\":20}", 0, &report, &model) ==
		  ML_OK);
	ml_buffer_init(&image, &env);
	ml_algo_gbdt.save(model, &image);
	CHECK(try_image(&t, image.data, image.len) == ML_OK);
	for (size_t len = 0; len < image.len; len++)
		CHECK(try_image(&t, image.data, len) == ML_ECORRUPT);
	for (size_t at = 0; at < image.len; at++)
	{
		for (int bit = 0; bit < 8; bit++)
		{
			MlStatus status;

			image.data[at] ^= (uint8_t) (1 << bit);
			status = try_image(&t, image.data, image.len);
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

int
main(void)
{
	RUN(sorts_all_doubles);
	RUN(few_values_have_a_bin_each);
	RUN(cuts_part_their_values);
	RUN(many_values_share_bins_evenly);
	RUN(scores_as_the_nodes_say);
	RUN(contributions_are_shapley_values);
	RUN(contributions_survive_failing_allocations);
	RUN(image_keeps_every_prediction);
	RUN(damaged_images_do_no_harm);
	return unit_end();
}
