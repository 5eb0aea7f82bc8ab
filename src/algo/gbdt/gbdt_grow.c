/*
 * gbdt_grow.c
 *		One tree, leaf by leaf: always the split with the greatest gain next.
 *
 * Each leaf owns a run of the sampled positions, a run of the other positions
 * (rows left out by sampling and spare rows: they go along so that their leaf
 * is known at the end), and, while there is memory for it, a histogram. Of two
 * children only the smaller one's histogram is summed; the other's is the
 * parent's less that. A leaf whose histogram had to give way gets a new one
 * for each of its children when it is split: the numbers are the same.
 *
 * The search estimates how many rows a side of a split has. The truth comes out
 * when the rows are parted; if a side is smaller than min_leaf_rows after all,
 * the rows of that feature's bins are counted, the leaf's search is repeated
 * with the counts, and the leaf waits for its turn again.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/pool.h"

#define HISTOGRAM_BYTES ((size_t) 256 << 20)
#define MIN_SLOTS 3       /* a parent and two children */
#define INLINE_CELLS 2000 /* cells to search that are not worth waking another thread for */

/* A run of the grower's positions. While no tree has parted them they may be implied: the places themselves. */
typedef struct Run
{
	size_t first, n;
	bool implied;
} Run;

typedef struct Leaf
{
	Run sampled, others; /* in positions */
	GbdtSum total;
	GbdtBounds bounds;
	uint32_t depth;
	int32_t parent; /* node; -1: the root */
	bool is_left;
	int32_t slot; /* of its histogram; -1: none */
	GbdtHistogram histogram;
	GbdtSplit split; /* the best one; gain 0: none */
	bool parted;     /* split has been checked, and the sampled positions are in its order */
	size_t n_left;
} Leaf;

struct GbdtGrower
{
	MlEnv *env;
	GbdtGrowInput input;
	GbdtSummer summer;
	GbdtPartition room;
	uint32_t *positions;
	uint8_t *used;      /* features of this tree, by active feature */
	uint32_t *shuffled; /* active features, to draw from */
	GbdtBounds *bounds; /* of the last tree's leaves; NULL: none */
	GbdtSplit *splits;  /* of the two leaves that are searched, by active feature */
	bool *counted;      /* by active feature: its split comes from counts */

	MlRegion slots;
	size_t slot_bytes;
	uint32_t n_slots;
	int32_t *free_slots;
	uint32_t n_free;

	/* the tree that is being grown */
	const GbdtGradients *gradients;
	uint32_t max_leaves; /* no more than there are rows for */
	Leaf *leaves;
	MlTreeNode *nodes;
	uint32_t n_leaves;
	Run sampled, others;
};

/* A search for splits of one leaf or two siblings. */
typedef struct SearchJob
{
	GbdtGrower *grower;
	Leaf *leaf[2]; /* NULL: not to be searched */
	int n;
	const GbdtHistogram *subtract; /* leaf[1]'s histogram is still to be lowered by this */
} SearchJob;

/* ---- life */

MlStatus
ml_gbdt_grower_create(MlEnv *env, const GbdtGrowInput *input, GbdtGrower **out)
{
	GbdtGrower *g = ml_zalloc(env, sizeof(*g));
	uint32_t n_active = input->binned->n_active, max_leaves;
	size_t fit;

	if (!g)
		return ML_ENOMEM;
	*out = g;
	g->env = env;
	g->input = *input;
	g->max_leaves = max_leaves =
		(uint32_t) ML_MIN((size_t) input->options->max_leaves,
						  input->n_train / ML_MAX(input->options->min_leaf_rows, 1u) + 1);
	ML_TRY(ml_gbdt_summer_create(env, input->binned, &g->summer));
	ML_TRY(ml_gbdt_partition_create(env, input->n_all, &g->room));
	g->slot_bytes = (size_t) input->binned->cell[n_active] * sizeof(GbdtSum);
	fit = HISTOGRAM_BYTES / ML_MAX(g->slot_bytes, (size_t) 1);
	g->n_slots = (uint32_t) ML_MAX(ML_MIN(fit, (size_t) max_leaves), (size_t) MIN_SLOTS);
	ML_TRY(ml_region_alloc(env, &g->slots, g->n_slots, g->slot_bytes));
	g->positions = ml_zalloc_array(env, input->n_all + GBDT_PREFETCH_ROWS, sizeof(*g->positions));
	g->used = ml_alloc_array(env, n_active, sizeof(*g->used));
	g->shuffled = ml_alloc_array(env, n_active, sizeof(*g->shuffled));
	g->splits = ml_alloc_array(env, n_active, 2 * sizeof(*g->splits));
	g->counted = ml_alloc_array(env, n_active, sizeof(*g->counted));
	g->free_slots = ml_alloc_array(env, g->n_slots, sizeof(*g->free_slots));
	g->leaves = ml_alloc_array(env, max_leaves, sizeof(*g->leaves));
	g->nodes = ml_alloc_array(env, max_leaves, sizeof(*g->nodes));
	if (input->options->monotone &&
		!(g->bounds = ml_alloc_array(env, max_leaves, sizeof(*g->bounds))))
		return ML_ENOMEM;
	if (!g->positions || !g->used || !g->shuffled || !g->splits || !g->counted || !g->free_slots ||
		!g->leaves || !g->nodes)
		return ML_ENOMEM;
	return ML_OK;
}

void
ml_gbdt_grower_free(MlEnv *env, GbdtGrower *g)
{
	if (!g)
		return;
	ml_gbdt_summer_free(env, &g->summer);
	ml_gbdt_partition_free(&g->room);
	ml_region_free(env, &g->slots);
	ml_free(env, g->positions);
	ml_free(env, g->used);
	ml_free(env, g->shuffled);
	ml_free(env, g->bounds);
	ml_free(env, g->splits);
	ml_free(env, g->counted);
	ml_free(env, g->free_slots);
	ml_free(env, g->leaves);
	ml_free(env, g->nodes);
	ml_free(env, g);
}

/* ---- sampling */

/* The rows and features of the next tree. */
static MlStatus
sample_tree(GbdtGrower *g, MlRng *rng)
{
	GbdtSample sample = {
		g->input.options, g->input.n_train, g->input.n_all, g->input.binned->n_active,
		g->positions,     g->room.left,     g->used,        g->shuffled};
	size_t n = g->input.n_train;
	bool some = g->gradients->goss || g->input.options->subsample < 1;

	if (some)
		ML_TRY(ml_gbdt_sample_rows(g->env, &sample, g->gradients, rng, &n));
	g->sampled = (Run){0, n, !some};
	g->others = (Run){n, g->input.n_all - n, !some};
	ml_gbdt_summer_use(&g->summer, ml_gbdt_sample_features(&sample, rng) ? g->used : NULL);
	return ML_OK;
}

/* ---- histograms */

/* Give leaf a slot; if there is none left, that of the leaf whose turn to split is farthest away, keep excepted. */
static void
take_slot(GbdtGrower *g, Leaf *leaf, const Leaf *keep)
{
	Leaf *victim = NULL;

	if (g->n_free > 0)
		leaf->slot = g->free_slots[--g->n_free];
	else
	{
		for (uint32_t i = 0; i < g->n_leaves; i++)
		{
			Leaf *other = &g->leaves[i];

			if (other->slot >= 0 && other != keep && other != leaf &&
				(!victim || other->split.gain < victim->split.gain))
				victim = other;
		}
		leaf->slot = victim->slot;
		victim->slot = -1;
	}
	leaf->histogram.cells = (char *) g->slots.data + (size_t) leaf->slot * g->slot_bytes;
}

static void
drop_slot(GbdtGrower *g, Leaf *leaf)
{
	if (leaf->slot >= 0)
		g->free_slots[g->n_free++] = leaf->slot;
	leaf->slot = -1;
}

/* Sum the histogram of a leaf into a slot of its own. */
static MlStatus
sum_leaf(GbdtGrower *g, Leaf *leaf, const Leaf *keep)
{
	bool whole = leaf->sampled.n == g->input.n_train; /* then their order does not matter */

	take_slot(g, leaf, keep);
	return ml_gbdt_sum(g->env, &g->summer, whole ? NULL : g->positions + leaf->sampled.first,
					   leaf->sampled.n, &leaf->histogram);
}

/* ---- search */

/* A search in a leaf for splits of an active feature; of none for the leaf's value alone. */
static GbdtSearch
search_of(const GbdtGrower *g, const Leaf *leaf, int64_t active)
{
	const int8_t *monotone = g->input.options->monotone;
	int direction = monotone && active >= 0 ? monotone[g->input.binned->active[active]] : 0;

	return (GbdtSearch){g->input.options, g->gradients->g_unit, g->gradients->h_unit,
						leaf->total,      leaf->sampled.n,      leaf->bounds,
						direction};
}

/* The value of a leaf, before the learning rate. */
static double
leaf_value(const GbdtGrower *g, const Leaf *leaf)
{
	GbdtSearch search = search_of(g, leaf, -1);

	return ml_gbdt_leaf_value(&search);
}

/* The cells of one feature in a leaf's histogram. */
static GbdtHistogram
feature_cells(const GbdtGrower *g, const Leaf *leaf, uint32_t active)
{
	size_t size = leaf->histogram.packed ? sizeof(int64_t) : sizeof(GbdtSum);

	return (GbdtHistogram){leaf->histogram.packed,
						   (char *) leaf->histogram.cells + g->input.binned->cell[active] * size};
}

static const MlTreeFeature *
feature_of(const GbdtGrower *g, uint32_t active)
{
	return &g->input.features[g->input.binned->active[active]];
}

/* One feature of the leaves of a job. */
static void
search_task(void *arg, size_t task, int worker)
{
	SearchJob *job = arg;
	GbdtGrower *g = job->grower;
	const uint32_t *cell = g->input.binned->cell;
	uint32_t active = (uint32_t) task;

	(void) worker;
	if (!g->used[active])
		return;
	if (job->subtract)
		ml_gbdt_subtract(&job->leaf[1]->histogram, job->subtract, &job->leaf[1]->histogram,
						 cell[active], cell[active + 1]);
	for (int i = 0; i < job->n; i++)
	{
		GbdtSearch search;
		GbdtHistogram cells;
		GbdtSplit *split = &g->splits[2 * active + (uint32_t) i];

		if (!job->leaf[i] || g->counted[active])
			continue;
		search = search_of(g, job->leaf[i], active);
		cells = feature_cells(g, job->leaf[i], active);
		ml_gbdt_find_split(&search, feature_of(g, active), &cells, NULL, split);
		split->active = active;
	}
}

/* The best of the features' splits becomes the leaf's; the first one among equals. */
static void
choose_split(GbdtGrower *g, Leaf *leaf, int place)
{
	leaf->split.gain = 0;
	leaf->parted = false;
	for (uint32_t a = 0; a < g->input.binned->n_active; a++)
	{
		const GbdtSplit *split = &g->splits[2 * a + (uint32_t) place];

		if (g->used[a] && split->gain > leaf->split.gain)
			leaf->split = *split;
	}
}

static MlStatus
run_search(GbdtGrower *g, SearchJob *job)
{
	uint32_t n_active = g->input.binned->n_active;

	if (g->input.binned->cell[n_active] < INLINE_CELLS || g->summer.n_workers == 1)
	{
		for (uint32_t a = 0; a < n_active; a++)
			search_task(job, a, 0);
		ML_TRY(ml_poll(g->env));
	}
	else
		ML_TRY(ml_pool_run(g->env, n_active, search_task, job));
	for (int i = 0; i < job->n; i++)
	{
		if (job->leaf[i])
			choose_split(g, job->leaf[i], i);
	}
	return ML_OK;
}

static bool
can_split(const GbdtGrower *g, const Leaf *leaf)
{
	const GbdtOptions *options = g->input.options;

	return g->input.binned->n_active > 0 && leaf->sampled.n >= 2 &&
		   leaf->sampled.n >= 2 * (size_t) options->min_leaf_rows &&
		   leaf->depth < options->max_depth;
}

/* Histograms and best splits of two new siblings; parent: a copy of the leaf that they were. */
static MlStatus
search_children(GbdtGrower *g, Leaf *left, Leaf *right, const Leaf *parent)
{
	Leaf *smaller = left->sampled.n <= right->sampled.n ? left : right;
	Leaf *larger = smaller == left ? right : left;
	SearchJob job = {g, {smaller, larger}, 2, NULL};

	if (!can_split(g, larger) || g->n_leaves == g->max_leaves)
	{
		larger->slot = parent->slot;
		drop_slot(g, larger);
		return ML_OK;
	}
	larger->slot = parent->slot;
	larger->histogram = parent->histogram;
	ML_TRY(sum_leaf(g, smaller, larger));
	if (larger->slot < 0)
		ML_TRY(sum_leaf(g, larger, smaller));
	else
	{
		larger->histogram.packed = larger->sampled.n <= GBDT_PACKED_ROWS;
		if (larger->histogram.packed == parent->histogram.packed)
			job.subtract = &smaller->histogram;
		else
			ml_gbdt_subtract(&parent->histogram, &smaller->histogram, &larger->histogram, 0,
							 g->input.binned->cell[g->input.binned->n_active]);
	}
	if (!can_split(g, smaller))
		job.leaf[0] = NULL;
	ML_TRY(run_search(g, &job));
	if (!can_split(g, smaller))
		drop_slot(g, smaller);
	return ML_OK;
}

/* ---- splitting */

/* Search the leaf again, with counts for the feature of the split that turned out too small. */
static MlStatus
search_again(GbdtGrower *g, Leaf *leaf)
{
	uint32_t active = leaf->split.active, counts[ML_TREE_BINS] = {0};
	const uint8_t *column = g->input.binned->columns + active * g->input.binned->column_bytes;
	GbdtSearch search = search_of(g, leaf, active);
	GbdtHistogram cells;
	SearchJob job = {g, {leaf, NULL}, 1, NULL};

	if (leaf->slot < 0)
		ML_TRY(sum_leaf(g, leaf, leaf));
	for (size_t i = 0; i < leaf->sampled.n; i++)
		counts[column[g->positions[leaf->sampled.first + i]]]++; /* parted, so not implied */
	cells = feature_cells(g, leaf, active);
	ml_gbdt_find_split(&search, feature_of(g, active), &cells, counts, &g->splits[2 * active]);
	g->splits[2 * active].active = active;
	g->counted[active] = true;
	return run_search(g, &job);
}

/* Part a run of the leaf's rows by its split. */
static MlStatus
part_run(GbdtGrower *g, const GbdtSplit *split, Run *run, size_t *n_left)
{
	const uint8_t *column =
		g->input.binned->columns + split->active * g->input.binned->column_bytes;
	uint32_t *to = g->positions + run->first;
	const uint32_t *from = run->implied ? NULL : to;

	run->implied = false;
	return ml_gbdt_partition(&g->room, column, split->set, from, (uint32_t) run->first, to, run->n,
							 n_left);
}

/* Part the leaf's rows; where a side is too small, find the leaf's next best split, until one holds. */
static MlStatus
check_split(GbdtGrower *g, Leaf *leaf, bool *changed)
{
	size_t least = ML_MAX(g->input.options->min_leaf_rows, 1u);

	*changed = false;
	memset(g->counted, 0, g->input.binned->n_active * sizeof(*g->counted));
	while (leaf->split.gain > 0)
	{
		ML_TRY(part_run(g, &leaf->split, &leaf->sampled, &leaf->n_left));
		if (leaf->n_left >= least && leaf->sampled.n - leaf->n_left >= least)
			break;
		*changed = true;
		ML_TRY(search_again(g, leaf));
	}
	memset(g->counted, 0, g->input.binned->n_active * sizeof(*g->counted));
	leaf->parted = true;
	return ML_OK;
}

/* Write the node of a leaf's split, and hang it below the leaf's parent. */
static MlStatus
write_node(GbdtGrower *g, MlArena *arena, const Leaf *leaf, int32_t left, int32_t right)
{
	int32_t at = (int32_t) g->n_leaves - 1;
	MlTreeNode *node = &g->nodes[at];
	uint32_t *set = NULL;

	if (leaf->split.categorical)
	{
		set = ml_arena_alloc(arena, sizeof(leaf->split.set));
		if (!set)
			return ML_ENOMEM;
		memcpy(set, leaf->split.set, sizeof(leaf->split.set));
	}
	*node = (MlTreeNode){.feature = g->input.binned->active[leaf->split.active],
						 .gain = (float) ML_MIN(leaf->split.gain, (double) FLT_MAX),
						 .left = ~left,
						 .right = ~right,
						 .cut = leaf->split.cut,
						 .missing_left = leaf->split.missing_left,
						 .set = set};
	if (leaf->parent >= 0 && leaf->is_left)
		g->nodes[leaf->parent].left = at;
	else if (leaf->parent >= 0)
		g->nodes[leaf->parent].right = at;
	return ML_OK;
}

/* Below a split of a monotone feature the values of the two sides stay apart, half-way between what they are now. */
static void
bound_children(const GbdtGrower *g, const GbdtSplit *split, Leaf *left, Leaf *right)
{
	const int8_t *monotone = g->input.options->monotone;
	int direction = monotone ? monotone[g->input.binned->active[split->active]] : 0;
	double middle;

	if (direction == 0)
		return;
	middle = leaf_value(g, left) / 2 + leaf_value(g, right) / 2;
	if (direction > 0)
		left->bounds.high = right->bounds.low = middle;
	else
		left->bounds.low = right->bounds.high = middle;
}

/* Replace a leaf by two: the left one takes its place, the right one comes last. */
static MlStatus
split_leaf(GbdtGrower *g, MlArena *arena, uint32_t which)
{
	Leaf parent = g->leaves[which];
	Leaf *left = &g->leaves[which], *right = &g->leaves[g->n_leaves];
	size_t others_left;

	ML_TRY(part_run(g, &parent.split, &parent.others, &others_left));
	ML_TRY(write_node(g, arena, &parent, (int32_t) which, (int32_t) g->n_leaves));
	*left = (Leaf){.sampled = {parent.sampled.first, parent.n_left, false},
				   .others = {parent.others.first, others_left, false},
				   .total = parent.split.left,
				   .bounds = parent.bounds,
				   .depth = parent.depth + 1,
				   .parent = (int32_t) g->n_leaves - 1,
				   .is_left = true,
				   .slot = -1};
	*right = (Leaf){
		.sampled = {parent.sampled.first + parent.n_left, parent.sampled.n - parent.n_left, false},
		.others = {parent.others.first + others_left, parent.others.n - others_left, false},
		.total = {parent.total.g - parent.split.left.g, parent.total.h - parent.split.left.h},
		.bounds = parent.bounds,
		.depth = parent.depth + 1,
		.parent = (int32_t) g->n_leaves - 1,
		.slot = -1};
	bound_children(g, &parent.split, left, right);
	g->n_leaves++;
	return search_children(g, left, right, &parent);
}

/* The leaf with the greatest gain, the first one among equals; NULL when none can be split. */
static Leaf *
next_leaf(GbdtGrower *g)
{
	Leaf *best = NULL;

	for (uint32_t i = 0; i < g->n_leaves; i++)
	{
		if (g->leaves[i].split.gain > (best ? best->split.gain : 0))
			best = &g->leaves[i];
	}
	return best;
}

/* Sums of the sampled rows: of any feature's cells where there is a histogram. */
static GbdtSum
total_of(const GbdtGrower *g, const Leaf *root)
{
	const uint32_t *cell = g->input.binned->cell;
	GbdtSum total = {0, 0};
	uint32_t active = 0;

	while (root->slot >= 0 && !g->used[active])
		active++;
	for (uint32_t c = cell[active]; root->slot >= 0 && c < cell[active + 1]; c++)
	{
		GbdtSum sum = root->histogram.packed
						  ? ml_gbdt_unpack(((const int64_t *) root->histogram.cells)[c])
						  : ((const GbdtSum *) root->histogram.cells)[c];

		total.g += sum.g;
		total.h += sum.h;
	}
	for (size_t i = 0; root->slot < 0 && i < root->sampled.n; i++)
	{
		size_t at = root->sampled.implied ? i : g->positions[i];
		GbdtSum sum = ml_gbdt_unpack(ml_gbdt_widen(g->gradients->packed[at]));

		total.g += sum.g;
		total.h += sum.h;
	}
	return total;
}

static MlStatus
start_tree(GbdtGrower *g, MlRng *rng)
{
	Leaf *root = &g->leaves[0];
	SearchJob job = {g, {root, NULL}, 1, NULL};

	ML_TRY(sample_tree(g, rng));
	g->n_leaves = 1;
	g->n_free = g->n_slots;
	for (uint32_t i = 0; i < g->n_slots; i++)
		g->free_slots[i] = (int32_t) i;
	*root = (Leaf){.sampled = g->sampled,
				   .others = g->others,
				   .bounds = {-INFINITY, INFINITY},
				   .parent = -1,
				   .slot = -1};
	memset(g->counted, 0, g->input.binned->n_active * sizeof(*g->counted));
	if (can_split(g, root))
		ML_TRY(sum_leaf(g, root, root));
	root->total = total_of(g, root);
	return root->slot >= 0 ? run_search(g, &job) : ML_OK;
}

/* ---- the finished tree */

typedef struct LeafJob
{
	const GbdtGrower *grower;
	uint16_t *leaf_of;
} LeafJob;

/* Tell the rows of one leaf where they are. */
static void
leaf_task(void *arg, size_t task, int worker)
{
	const LeafJob *job = arg;
	const Leaf *leaf = &job->grower->leaves[task];
	const uint32_t *positions = job->grower->positions;

	(void) worker;
	for (size_t i = 0; i < leaf->sampled.n; i++)
		job->leaf_of[positions[leaf->sampled.first + i]] = (uint16_t) task;
	for (size_t i = 0; i < leaf->others.n; i++)
		job->leaf_of[positions[leaf->others.first + i]] = (uint16_t) task;
}

/* Copy the tree to the arena. */
static MlStatus
finish_tree(GbdtGrower *g, MlArena *arena, MlTree *tree, uint16_t *leaf_of)
{
	LeafJob job = {g, leaf_of};

	tree->n_leaves = g->n_leaves;
	tree->nodes = ml_arena_array(arena, g->n_leaves - 1, sizeof(*tree->nodes));
	tree->values = ml_arena_array(arena, g->n_leaves, sizeof(*tree->values));
	tree->rows = ml_arena_array(arena, g->n_leaves, sizeof(*tree->rows));
	if (!tree->nodes || !tree->values || !tree->rows)
		return ML_ENOMEM;
	memcpy(tree->nodes, g->nodes, (g->n_leaves - 1) * sizeof(*tree->nodes));
	for (uint32_t i = 0; i < g->n_leaves; i++)
	{
		double value = leaf_value(g, &g->leaves[i]);

		tree->values[i] = (float) (value * g->input.options->learning_rate);
		tree->rows[i] = (uint32_t) g->leaves[i].sampled.n;
		if (g->bounds)
			g->bounds[i] = g->leaves[i].bounds;
	}
	if (g->n_leaves > 1)
		return ml_pool_run(g->env, g->n_leaves, leaf_task, &job);
	memset(leaf_of, 0, g->input.n_all * sizeof(*leaf_of));
	return ML_OK;
}

/* Grow a tree in arena from a sample of rows and features; leaf_of gets the leaf of every position. */
MlStatus
ml_gbdt_grow(GbdtGrower *g, const GbdtGradients *gradients, MlRng *rng, MlArena *arena,
			 MlTree *tree, uint16_t *leaf_of)
{
	Leaf *leaf;

	g->gradients = gradients;
	g->summer.gradients = gradients->packed;
	ML_TRY(start_tree(g, rng));
	while (g->n_leaves < g->max_leaves && (leaf = next_leaf(g)) != NULL)
	{
		bool changed = false;

		if (!leaf->parted)
			ML_TRY(check_split(g, leaf, &changed));
		if (!changed)
			ML_TRY(split_leaf(g, arena, (uint32_t) (leaf - g->leaves)));
	}
	return finish_tree(g, arena, tree, leaf_of);
}

/* The bounds of the last tree's leaves; NULL: none. */
const GbdtBounds *
ml_gbdt_leaf_bounds(const GbdtGrower *g)
{
	return g->bounds;
}
