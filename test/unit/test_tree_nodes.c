/*
 * test_tree_nodes.c
 *		The nodes that an ensemble tells: walked by hand they lead where the trees lead.
 */
#include "algo/tree/tree.h"
#include "image_fixture.h"

#define MAX_NODES 4096
#define MAX_LEVELS 16

typedef struct Kept
{
	MlNode node;
	uint32_t levels[MAX_LEVELS];
	int64_t children[2]; /* right, left */
} Kept;

typedef struct Sink
{
	Kept nodes[MAX_NODES];
	size_t n;
	uint32_t n_trees;
	size_t first[64]; /* of each tree */
} Sink;

/* Keep a node; checks that parents come first. */
static MlStatus
keep(void *arg, const MlNode *node)
{
	Sink *sink = arg;
	Kept *kept = &sink->nodes[sink->n];

	if (sink->n == MAX_NODES || node->n_levels > MAX_LEVELS || node->tree >= 64)
		return ML_EDATA;
	if (node->node == 0)
		sink->first[sink->n_trees++] = sink->n;
	CHECK(node->tree == sink->n_trees - 1);
	CHECK(sink->n - sink->first[node->tree] == node->node);
	kept->node = *node;
	if (node->levels)
		memcpy(kept->levels, node->levels, node->n_levels * sizeof(uint32_t));
	if (node->node > 0)
	{
		Kept *parent = &sink->nodes[sink->first[node->tree] + (size_t) node->parent];

		CHECK(node->parent >= 0 && node->parent < node->node && !parent->node.is_leaf);
		CHECK(node->depth == parent->node.depth + 1);
		parent->children[node->is_left] = node->node;
	}
	sink->n++;
	return ML_OK;
}

/* Where a row goes from a node, by what the node tells. */
static bool
goes_left(const Kept *kept, const double *x)
{
	double value = x[kept->node.feature];

	if (isnan(value))
		return kept->node.missing_left;
	if (!kept->node.levels)
		return value <= kept->node.threshold;
	for (uint32_t i = 0; i < kept->node.n_levels; i++)
	{
		if (kept->levels[i] == (uint32_t) value)
			return true;
	}
	return false;
}

/* The sum of the leaves that a row falls into, of trees for one class. */
static double
walk(const Sink *sink, const double *x, uint32_t class_index)
{
	double sum = 0;

	for (uint32_t t = 0; t < sink->n_trees; t++)
	{
		const Kept *kept = &sink->nodes[sink->first[t]];

		while (!kept->node.is_leaf)
			kept = &sink->nodes[sink->first[t] + (size_t) kept->children[goes_left(kept, x)]];
		if (kept->node.class_index == class_index)
			sum += kept->node.value;
	}
	return sum;
}

/* Differences of sums against differences of contributions, which leave the base out. */
static void
nodes_tell_the_trees(void)
{
	for (uint32_t n_classes = 0; n_classes <= 3; n_classes += n_classes == 0 ? 2 : 1)
	{
		ImageCase c = {ml_algo_find("gbdt"), n_classes ? ML_CLASSIFICATION : ML_REGRESSION,
					   n_classes, NULL};
		MlTrainResult result;
		MlArena arena;
		MlEnv env;
		Sink *sink = calloc(1, sizeof *sink);
		size_t splits[32] = {0};
		double gain[32];

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		CHECK(train_image(&arena, &c, &result) == ML_OK);
		CHECK(c.algo->nodes(&env, result.model->fitted, result.model->schema, keep, sink) == ML_OK);
		CHECK(sink->n_trees == (n_classes == 3 ? 9 : 3));
		for (uint32_t k = 0; k < result.model->n_outputs; k++)
		{
			double before = NAN, sum_before = 0;

			for (int which = 2; which < 12; which++)
			{
				double x[32], effects[32], base, sum;

				strange_row(result.model->schema, which, x);
				if (which % 3 == 0)
					x[0] = NAN;
				CHECK(c.algo->contributions(&env, result.model->fitted, x, k, effects, &base) ==
					  ML_OK);
				for (uint32_t j = 0; j < result.model->schema->n_features; j++)
					base += effects[j];
				sum = walk(sink, x, k);
				if (!isnan(before))
					CHECK_NEAR(sum - sum_before, base - before, 1e-6);
				before = base;
				sum_before = sum;
			}
		}
		for (size_t i = 0; i < sink->n; i++)
		{
			const MlNode *node = &sink->nodes[i].node;

			if (!node->is_leaf)
				splits[node->feature]++;
			if (node->node == 0)
				CHECK(node->rows > 0 && node->rows <= IMAGE_ROWS && node->parent == -1);
		}
		c.algo->importance(result.model->fitted, gain);
		for (uint32_t j = 0; j < result.model->schema->n_features; j++)
			CHECK((splits[j] > 0) == (gain[j] > 0));
		ml_buffer_free(&result.image);
		ml_buffer_free(&result.info);
		ml_arena_free(&arena);
		ml_env_close(&env);
		free(sink);
	}
}

static MlStatus
count_nodes(void *arg, const MlNode *node)
{
	*(size_t *) arg += node->n_levels + 1;
	return ML_OK;
}

static MlStatus
stop_soon(void *arg, const MlNode *node)
{
	(void) arg;
	return node->node == 2 ? ML_EDATA : ML_OK;
}

static MlStatus
list_nodes(MlEnv *env, void *arg)
{
	const MlModel *model = arg;
	size_t n = 0;

	return model->algo->nodes(env, model->fitted, model->schema, count_nodes, &n);
}

/* Memory that fails, and a reader who has seen enough. */
static void
the_walk_may_end(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_REGRESSION, 0, NULL};
	MlTrainResult result;
	MlArena arena;
	MlEnv env;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(train_image(&arena, &c, &result) == ML_OK);
	unit_every_allocation_fails(list_nodes, result.model, 50);
	CHECK(c.algo->nodes(&env, result.model->fitted, result.model->schema, stop_soon, NULL) ==
		  ML_EDATA);
	ml_buffer_free(&result.image);
	ml_buffer_free(&result.info);
	ml_arena_free(&arena);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

int
main(void)
{
	RUN(nodes_tell_the_trees);
	RUN(the_walk_may_end);
	return unit_end();
}
