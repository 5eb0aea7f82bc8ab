/*
 * test_isolation.c
 *		Isolation forests: known path lengths, anomalies, contributions against brute force, hard data.
 */
#include "algo_fixture.h"

#include "algo/isolation/isolation.h"

extern const MlAlgo ml_algo_isolation_forest;

static Table
cloud(size_t n, uint32_t n_numbers, uint32_t n_factors, uint64_t seed)
{
	return table_random(n, n_numbers, n_factors, 6, ML_ANOMALY, 0, seed);
}

static double
score(const Trained *f, const double *x)
{
	double out;

	f->algo->predict(f->model, x, &out);
	return out;
}

/* ---- the meaning of scores */

/* Two rows are set apart by one cut: h = 1 = c(2), the score is 0.5; so it is where nothing can be cut. */
static void
known_path_lengths(void)
{
	Table two = table_make(2, 1, 0, 1, ML_ANOMALY, 0),
		  same = table_make(50, 2, 0, 1, ML_ANOMALY, 0),
		  one = table_make(1, 1, 0, 1, ML_ANOMALY, 0), line = cloud(256, 1, 0, 3);
	MlIsoModel *model;
	double sum = 0, harmonic = 0;
	MlEnv env;
	Trained f;

	two.x[1] = 1;
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &two, "{}") == ML_OK);
	CHECK(score(&f, two.x) == 0.5 && score(&f, two.x + 1) == 0.5);
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &same, "{}") == ML_OK);
	CHECK_NEAR(score(&f, same.x), 0.5, 1e-15);
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &one, "{}") == ML_OK);
	CHECK(score(&f, one.x) > 0 && score(&f, one.x) <= 1);
	trained_end(&f);
	/* The mean path length over the sample is near c(psi) = 2 H(psi - 1) - 2 (psi - 1) / psi. */
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &line, "{\"n_trees\":300}") == ML_OK);
	model = f.model;
	for (int i = 1; i < 256; i++)
		harmonic += 1.0 / i;
	CHECK_NEAR(model->normal, 2 * harmonic - 2 * 255.0 / 256, 2e-3);
	for (size_t i = 0; i < 256; i++)
		sum += ml_iso_path_length(model, line.x + i) / 256;
	CHECK(fabs(sum / model->normal - 1) < 0.1);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&two);
	table_free(&same);
	table_free(&one);
	table_free(&line);
}

/* Rows far off, a rare level, and an infinite value stand out; missing values do not. */
static void
finds_anomalies(void)
{
	Table t = cloud(2000, 3, 1, 5);
	double usual[4], far[4], rare[4], infinite[4], missing[4], unseen[4];
	MlEnv env;
	Trained f;

	for (size_t i = 0; i < t.n; i++)
		t.x[i * 4 + 3] = i == 0 ? 5 : (double) (i % 3);
	for (int j = 0; j < 4; j++)
		usual[j] = far[j] = rare[j] = infinite[j] = missing[j] = unseen[j] = 10.0 * j;
	usual[3] = far[3] = rare[3] = infinite[3] = missing[3] = 1;
	far[0] = 8;
	rare[3] = 5;
	infinite[1] = -INFINITY;
	missing[2] = missing[3] = NAN;
	unseen[3] = ML_UNSEEN;
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t,
				"{\"n_trees\":200,\"contamination\":0.05}") == ML_OK);
	CHECK(score(&f, usual) < 0.5);
	CHECK(score(&f, far) > score(&f, usual) + 0.08);
	CHECK(score(&f, infinite) > score(&f, usual) + 0.08);
	CHECK(score(&f, rare) > score(&f, usual));
	CHECK(score(&f, unseen) > score(&f, usual));
	CHECK(fabs(score(&f, missing) - score(&f, usual)) < 0.05);
	{
		size_t above = 0;
		double threshold = trained_number(&f, "threshold");

		for (size_t i = 0; i < t.n; i++)
			above += score(&f, t.x + i * 4) > threshold;
		CHECK(above == 100);
	}
	check_save_and_load(&f, &t);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

/* Heavy rows are usual, since they are drawn often. */
static void
weights_count(void)
{
	Table t = cloud(1000, 2, 0, 6);
	double far[2] = {6, 30}, plain, heavy;
	MlEnv env;
	Trained f;

	memcpy(t.x, far, sizeof far);
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{}") == ML_OK);
	plain = score(&f, far);
	trained_end(&f);
	t.w = malloc(t.n * sizeof(double));
	for (size_t i = 0; i < t.n; i++)
		t.w[i] = i == 0 ? 1e200 : 1e198;
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{}") == ML_OK);
	heavy = score(&f, far);
	CHECK(heavy < plain - 0.1);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

/* ---- contributions */

/* E of a tree's path length when only the features of a set are known. */
static double
expected_given(const MlIsoModel *model, size_t first, uint32_t at, const double *x, unsigned set)
{
	const MlIsoNode *node = &model->nodes[first + at];
	uint32_t feature = node->feature & ISO_FEATURE;
	double left, right;

	if (node->right == 0)
		return node->value;
	if (set >> feature & 1)
		return expected_given(model, first, ml_iso_goes_left(model, node, x) ? at + 1 : node->right,
							  x, set);
	left = model->rows[first + at + 1];
	right = model->rows[first + node->right];
	return (left * expected_given(model, first, at + 1, x, set) +
			right * expected_given(model, first, node->right, x, set)) /
		   (left + right);
}

/* Shapley's sum over all sets of the four features. */
static void
contributions_are_shapley_values(void)
{
	static const double factorial[5] = {1, 1, 2, 6, 24};
	Table t = cloud(300, 3, 1, 9);
	MlEnv env;
	Trained f;

	t.x[4 * 7 + 1] = NAN;
	t.x[4 * 8 + 3] = NAN;
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{\"n_trees\":12,\"max_samples\":64}") ==
		  ML_OK);
	for (size_t i = 0; i < 12; i++)
	{
		const MlIsoModel *model = f.model;
		const double *x = t.x + i * 4;
		double got[4], base, sum, want[4] = {0};

		CHECK(ml_iso_contributions(&env, model, x, 0, got, &base) == ML_OK);
		for (uint32_t tree = 0; tree < 12; tree++)
			for (unsigned set = 0; set < 16; set++)
				for (int j = 0; j < 4; j++)
				{
					int size = __builtin_popcount(set);

					if (set >> j & 1)
						continue;
					want[j] -= factorial[size] * factorial[3 - size] / 24 *
							   (expected_given(model, model->first[tree], 0, x, set | 1u << j) -
								expected_given(model, model->first[tree], 0, x, set)) /
							   (12 * model->normal);
				}
		sum = base;
		for (int j = 0; j < 4; j++)
		{
			CHECK_NEAR(got[j], want[j], 1e-12);
			sum += got[j];
		}
		CHECK_NEAR(sum, log2(score(&f, x)), 1e-12);
	}
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

/* ---- nodes, threads, failures */

typedef struct Counts
{
	size_t nodes, leaves, roots, levels;
	double rows;
} Counts;

static MlStatus
count_node(void *arg, const MlNode *node)
{
	Counts *counts = arg;

	counts->nodes++;
	counts->leaves += node->is_leaf;
	counts->roots += node->parent < 0;
	counts->levels += node->levels != NULL;
	counts->rows += node->is_leaf ? node->rows : 0;
	CHECK(node->node == 0 ? node->parent == -1 : node->parent < (int64_t) node->node);
	CHECK(node->parent < 0 || node->is_left == (node->parent + 1 == (int64_t) node->node));
	CHECK(node->levels == NULL || (node->n_levels < 6 && isnan(node->threshold)));
	return ML_OK;
}

static void
nodes_are_listed(void)
{
	Table t = cloud(200, 2, 1, 2);
	Counts counts = {0};
	MlEnv env;
	Trained f;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{\"n_trees\":9,\"max_samples\":50}") ==
		  ML_OK);
	CHECK(ml_iso_nodes(&env, f.model, f.schema, count_node, &counts) == ML_OK);
	CHECK(counts.roots == 9 && counts.leaves == (counts.nodes + 9) / 2);
	CHECK(counts.rows == 9 * 50 && counts.levels > 0);
	CHECK(counts.nodes == (size_t) trained_number(&f, "nodes"));
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
threads_do_not_change_a_byte(void)
{
	Table t = cloud(3000, 3, 1, 4);

	check_threads(&ml_algo_isolation_forest, &t, "{\"n_trees\":40}");
	check_threads(&ml_algo_isolation_forest, &t,
				  "{\"n_trees\":7,\"max_samples\":3000,\"contamination\":0.1}");
	table_free(&t);
}

/* All missing, constant columns beside others, huge ranges: scores between 0 and 1. */
static void
hard_data(void)
{
	Table t = cloud(100, 3, 1, 4);
	double q[4] = {1e308, -1e308, NAN, ML_UNSEEN};
	MlEnv env;
	Trained f;

	for (size_t i = 0; i < t.n; i++)
	{
		t.x[i * 4] = i % 2 ? 1e308 : -1e308;
		t.x[i * 4 + 1] = 7;
		t.x[i * 4 + 2] = t.x[i * 4 + 3] = NAN;
	}
	t.x[0] = INFINITY;
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{\"max_samples\":100}") == ML_OK);
	CHECK(score(&f, q) > 0 && score(&f, q) <= 1 && score(&f, t.x) > score(&f, t.x + 4));
	check_save_and_load(&f, &t);
	trained_end(&f);
	t.n = 0;
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{}") == ML_EDATA);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
hostile_bytes_are_harmless(void)
{
	Table t = cloud(60, 2, 1, 5);
	MlEnv env;
	Trained f;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{\"n_trees\":4,\"max_samples\":16}") ==
		  ML_OK);
	check_hostile_bytes(&f, &t, 4000);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

/* A tree that only ever goes right, deeper than any that is grown, is refused. */
static void
deep_trees_are_refused(void)
{
	Table t = cloud(60, 2, 1, 5);
	MlIsoNode nodes[81] = {{0}};
	uint32_t rows[81], n_levels[3] = {0, 0, 6};
	size_t first[2] = {0, 0};
	MlIsoModel model = {.n_features = 3,
						.n_trees = 1,
						.psi = 256,
						.normal = 10,
						.first = first,
						.nodes = nodes,
						.rows = rows,
						.n_levels = n_levels,
						.threshold = NAN};
	MlEnv env;
	Trained f;
	void *loaded;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_isolation_forest, &t, "{}") == ML_OK);
	for (uint32_t depth = 16; depth <= 40; depth++)
	{
		for (uint32_t i = 0; i <= 2 * depth; i++)
		{
			nodes[i].right = i % 2 == 0 && i < 2 * depth ? i + 2 : 0;
			rows[i] = i % 2 ? 1 : depth + 1 - i / 2;
		}
		first[1] = 2 * depth + 1;
		f.bytes.len = 0;
		ml_iso_save(&model, &f.bytes);
		CHECK(trained_load(&f, f.bytes.data, f.bytes.len, &loaded) ==
			  (depth <= ISO_MAX_DEPTH ? ML_OK : ML_ECORRUPT));
		if (depth <= ISO_MAX_DEPTH)
		{
			double out[3], base;
			Counts counts = {0};

			CHECK(ml_iso_contributions(&env, loaded, t.x, 0, out, &base) == ML_OK);
			CHECK(ml_iso_nodes(&env, loaded, f.schema, count_node, &counts) == ML_OK &&
				  counts.nodes == first[1]);
		}
	}
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
failures_leave_nothing(void)
{
	Table t = cloud(130, 2, 1, 5);
	TrainCase c = {&ml_algo_isolation_forest, &t, "{\"n_trees\":40,\"contamination\":0.1}"};

	t.w = malloc(t.n * sizeof(double));
	for (size_t i = 0; i < t.n; i++)
		t.w[i] = 1 + (double) i;
	unit_every_allocation_fails(train_and_forget, &c, 400);
	check_cancel(&ml_algo_isolation_forest, &t, c.options, 50, 3);
	table_free(&t);
}

int
main(void)
{
	RUN(known_path_lengths);
	RUN(finds_anomalies);
	RUN(weights_count);
	RUN(contributions_are_shapley_values);
	RUN(nodes_are_listed);
	RUN(threads_do_not_change_a_byte);
	RUN(hard_data);
	RUN(hostile_bytes_are_harmless);
	RUN(deep_trees_are_refused);
	RUN(failures_leave_nothing);
	return unit_end();
}
