/*
 * forest_grow.c
 *		A tree, step by step.
 *
 * A slot first draws which rows are in the bag of its tree, then evaluates one
 * node after the other: the totals of its rows, then, feature by feature, the
 * sums by bin and the best split of these. Without a limit of leaves a node is
 * split as soon as its split is known, depth first; with one, nodes wait in a heap and the
 * best one is split next.
 *
 * Features come in groups whose cells fit the second-level cache. As long as no
 * feature of a node could be split at all, more features than max_features are drawn.
 *
 * Everything that takes longer than a moment keeps its place in the slot, so
 * that a step can end anywhere. Memory for more nodes is given between steps.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"

#define STEP_CELLS 2000000 /* some 3 ms of work */
#define GROUP_BYTES (256 * 1024)
#define FIRST_NODES 1024

typedef enum Phase
{
	IDLE,
	DRAWING,
	CHOOSING, /* the next node */
	TOTALLING,
	SEARCHING,
	DONE
} Phase;

/* A node whose best split is known, and that waits for its turn. */
typedef struct Waiting
{
	uint32_t node;
	ForestSplit split;
} Waiting;

struct ForestSlot
{
	const ForestGrower *grower;
	MlRng rng;
	uint32_t tree;
	Phase phase;
	bool wants_room;

	uint8_t *bag;                 /* by row; NULL: all rows once */
	uint32_t *positions, *spare;  /* by row */
	uint32_t drawn, n_in, n_out;  /* rows looked at, in the bag and out of it */
	uint64_t draw_low, draw_high; /* subsampling: of 2^64 */

	ForestGrown *nodes;
	size_t n_nodes, nodes_room;
	ForestEntry *entries;
	size_t n_entries, entries_room;
	uint32_t *sets;
	size_t n_sets, sets_room;
	uint32_t *pending; /* nodes to be evaluated, the next one last */
	size_t n_pending, pending_room;
	Waiting *waiting; /* a heap */
	size_t n_waiting, waiting_room;

	/* the node that is being evaluated */
	uint32_t node;
	uint32_t cursor;   /* its rows so far */
	uint32_t in_block; /* rows in the block, from the cursor on; 0: none */
	ForestBlock block;
	ForestTotals totals;
	double *class_rows, *class_weight;
	uint32_t *features;              /* active features, to draw from */
	uint32_t n_visited, group_first; /* of them: drawn so far, the group's first */
	bool any_valid;
	ForestSplit best;
	ForestBins bins;
	double *class_room;
	uint32_t group_room;
	void *cells; /* of the group's features: all zero between nodes */
	uint64_t (*touched)[ML_TREE_BINS / 64];
};

/* ---- life */

/* Multiplicities in a sample of a share of the rows with replacement, as good as Poisson (Oza and Russell 2001). */
static void
find_poisson(ForestGrower *grower)
{
	double p = exp(-grower->options->subsample), sum = 0;

	for (grower->n_poisson = 0; grower->n_poisson < 16; grower->n_poisson++)
	{
		sum += p;
		if (sum * 0x1p64 >= 0x1.fffffffffffffp63)
			break;
		grower->poisson[grower->n_poisson] = (uint64_t) (sum * 0x1p64);
		p *= grower->options->subsample / (grower->n_poisson + 1);
	}
}

void
ml_forest_grower_init(MlEnv *env, const ForestOptions *options, const ForestRows *rows,
					  const uint16_t *fold_of, ForestGrower *grower)
{
	memset(grower, 0, sizeof(*grower));
	grower->env = env;
	grower->options = options;
	grower->rows = rows;
	grower->fold_of = fold_of;
	grower->kind = ml_forest_cells(rows);
	grower->cell_bytes = ml_forest_cell_bytes(rows, grower->kind);
	find_poisson(grower);
}

/* Whatever the status, ml_forest_slot_free follows. */
MlStatus
ml_forest_slot_create(const ForestGrower *grower, ForestSlot **out)
{
	MlEnv *env = grower->env;
	const ForestRows *rows = grower->rows;
	const ForestOptions *options = grower->options;
	ForestSlot *slot = ml_zalloc(env, sizeof(*slot));
	size_t feature_bytes = ML_TREE_BINS * grower->cell_bytes;
	uint32_t n_active = rows->binned.n_active;
	bool bag = options->bootstrap || options->subsample < 1 || grower->fold_of;

	if (!slot)
		return ML_ENOMEM;
	*out = slot;
	slot->grower = grower;
	slot->group_room = (uint32_t) ML_MAX(
		ML_MIN(GROUP_BYTES / feature_bytes, (size_t) ML_MIN(options->max_features, n_active)),
		(size_t) 1);
	slot->positions = ml_alloc_array(env, rows->n, sizeof(uint32_t));
	slot->spare = ml_alloc_array(env, rows->n, sizeof(uint32_t));
	slot->class_rows = ml_alloc_array(env, rows->n_classes, 2 * sizeof(double));
	slot->class_room = ml_alloc_array(env, rows->n_classes, 4 * sizeof(double));
	slot->features = ml_alloc_array(env, n_active, sizeof(uint32_t));
	slot->cells = ml_zalloc_array(env, slot->group_room, feature_bytes);
	slot->touched = ml_zalloc_array(env, slot->group_room, sizeof(*slot->touched));
	if (bag)
		slot->bag = ml_alloc(env, rows->n);
	if (!slot->positions || !slot->spare || !slot->class_rows || !slot->class_room ||
		!slot->features || !slot->cells || !slot->touched || (bag && !slot->bag))
		return ML_ENOMEM;
	slot->class_weight = rows->weight ? slot->class_rows + rows->n_classes : slot->class_rows;
	slot->bins.left = slot->class_room;
	slot->bins.right = slot->class_room + rows->n_classes;
	slot->bins.axis = slot->class_room + 2 * (size_t) rows->n_classes;
	slot->bins.mean = slot->class_room + 3 * (size_t) rows->n_classes;
	return ML_OK;
}

void
ml_forest_slot_free(MlEnv *env, ForestSlot *slot)
{
	if (!slot)
		return;
	ml_free(env, slot->bag);
	ml_free(env, slot->positions);
	ml_free(env, slot->spare);
	ml_free(env, slot->nodes);
	ml_free(env, slot->entries);
	ml_free(env, slot->sets);
	ml_free(env, slot->pending);
	ml_free(env, slot->waiting);
	ml_free(env, slot->class_rows);
	ml_free(env, slot->class_room);
	ml_free(env, slot->features);
	ml_free(env, slot->cells);
	ml_free(env, slot->touched);
	ml_free(env, slot);
}

/* There is room to split one more node, and for the classes of one more leaf. */
static bool
has_room(const ForestSlot *slot)
{
	return slot->n_nodes + 2 <= slot->nodes_room &&
		   slot->n_sets + ML_TREE_SET_WORDS <= slot->sets_room &&
		   slot->n_entries + slot->grower->rows->n_classes <= slot->entries_room &&
		   slot->n_pending + 2 <= slot->pending_room && slot->n_waiting + 1 <= slot->waiting_room;
}

/* Give the slot the room that it needs to go on. */
MlStatus
ml_forest_slot_grow(ForestSlot *slot)
{
	MlEnv *env = slot->grower->env;
	uint32_t n_classes = slot->grower->rows->n_classes;
	bool best_first = slot->grower->options->max_leaves != UINT32_MAX;

	if (!slot->wants_room)
		return ML_OK;
	ML_TRY(ml_grow(env, &slot->nodes, &slot->nodes_room,
				   ML_MAX(slot->n_nodes + 2, (size_t) FIRST_NODES), sizeof(*slot->nodes)));
	ML_TRY(ml_grow(env, &slot->entries, &slot->entries_room,
				   slot->n_entries + n_classes + FIRST_NODES, sizeof(*slot->entries)));
	ML_TRY(ml_grow(env, &slot->sets, &slot->sets_room, slot->n_sets + ML_TREE_SET_WORDS,
				   sizeof(*slot->sets)));
	ML_TRY(ml_grow(env, &slot->pending, &slot->pending_room, slot->n_pending + 2,
				   sizeof(*slot->pending)));
	ML_TRY(ml_grow(env, &slot->waiting, &slot->waiting_room, best_first ? slot->n_waiting + 2 : 1,
				   sizeof(*slot->waiting)));
	slot->wants_room = false;
	return ML_OK;
}

/* Begin tree number t. */
void
ml_forest_slot_begin(ForestSlot *slot, uint32_t tree)
{
	ml_rng_seed(&slot->rng, slot->grower->options->seed, 1 + (uint64_t) tree);
	slot->tree = tree;
	slot->drawn = slot->n_in = slot->n_out = 0;
	slot->n_nodes = slot->n_entries = slot->n_sets = slot->n_pending = slot->n_waiting = 0;
	slot->wants_room = !has_room(slot);
	slot->phase = DRAWING;
	for (uint32_t a = 0; a < slot->grower->rows->binned.n_active; a++)
		slot->features[a] = a;
}

/* ---- rows */

/* How often row i is in the bag. */
static uint8_t
draw_row(ForestSlot *slot, uint32_t i)
{
	const ForestGrower *grower = slot->grower;
	uint64_t r;
	uint8_t count = 0;

	if (grower->fold_of)
		return slot->tree == 0 || grower->fold_of[i] != slot->tree - 1;
	if (!grower->options->bootstrap)
		return ml_rng_uniform(&slot->rng) < grower->options->subsample;
	r = ml_rng_next(&slot->rng);
	while (count < grower->n_poisson && r >= grower->poisson[count])
		count++;
	return count;
}

/* The root, once the bag is known; an empty bag gets all rows. */
static void
begin_nodes(ForestSlot *slot)
{
	uint32_t n = slot->grower->rows->n;

	if (slot->n_in == 0)
	{
		for (uint32_t i = 0; i < n; i++)
			slot->positions[i] = i;
		memset(slot->bag, 1, n);
		slot->n_in = n;
		slot->n_out = 0;
	}
	slot->nodes[0] =
		(ForestGrown){.n = slot->n_in, .out_first = slot->n_in, .out_n = slot->n_out, .left = -1};
	slot->n_nodes = 1;
	slot->pending[slot->n_pending++] = 0;
	slot->phase = CHOOSING;
}

/* Go on drawing: rows in the bag from the beginning of the positions, the others from the end. */
static void
draw_rows(ForestSlot *slot, int64_t *budget)
{
	uint32_t n = slot->grower->rows->n;
	uint32_t end = (uint32_t) ML_MIN((int64_t) n, slot->drawn + *budget);

	*budget -= end - slot->drawn;
	for (uint32_t i = slot->drawn; i < end; i++)
	{
		uint8_t count = slot->bag ? draw_row(slot, i) : 1;

		if (slot->bag)
			slot->bag[i] = count;
		if (count > 0)
			slot->positions[slot->n_in++] = i;
		else
			slot->positions[n - ++slot->n_out] = i;
	}
	slot->drawn = end;
	if (end == n)
		begin_nodes(slot);
}

/* Part n positions by the bins of a column: those of the set first, order kept. Returns their number. */
static uint32_t
part_rows(const uint8_t *column, const uint8_t *goes_left, uint32_t *positions, uint32_t n,
		  uint32_t *spare)
{
	uint32_t n_left = 0, n_right = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t at = positions[i], left = goes_left[column[at]];

		positions[n_left] = at;
		spare[n_right] = at;
		n_left += left;
		n_right += 1 - left;
	}
	memcpy(positions + n_left, spare, n_right * sizeof(*spare));
	return n_left;
}

/* ---- the heap of nodes that wait */

/* Whether a comes before b: more gain, then the earlier node. */
static bool
before(const Waiting *a, const Waiting *b)
{
	return a->split.gain != b->split.gain ? a->split.gain > b->split.gain : a->node < b->node;
}

static void
push_waiting(ForestSlot *slot, uint32_t node, const ForestSplit *split)
{
	Waiting *heap = slot->waiting, own = {node, *split};
	size_t at = slot->n_waiting++;

	for (; at > 0 && before(&own, &heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = own;
}

static Waiting
pop_waiting(ForestSlot *slot)
{
	Waiting *heap = slot->waiting, top = heap[0], last = heap[--slot->n_waiting];
	size_t at = 0, n = slot->n_waiting;

	for (size_t child; (child = 2 * at + 1) < n; at = child)
	{
		child += child + 1 < n && before(&heap[child + 1], &heap[child]);
		if (!before(&heap[child], &last))
			break;
		heap[at] = heap[child];
	}
	heap[at] = last;
	return top;
}

/* ---- nodes */

/* Split a node: part its rows, and let its children be evaluated, the left one first. */
static void
split_node(ForestSlot *slot, uint32_t which, const ForestSplit *split)
{
	const MlBinned *binned = &slot->grower->rows->binned;
	const uint8_t *column = binned->columns + split->active * binned->column_bytes;
	ForestGrown *node = &slot->nodes[which], *child = &slot->nodes[slot->n_nodes];
	uint8_t goes_left[ML_TREE_BINS];
	uint32_t n_left, out_left;

	for (uint32_t bin = 0; bin < ML_TREE_BINS; bin++)
		goes_left[bin] = split->set[bin / 32] >> bin % 32 & 1;
	n_left = part_rows(column, goes_left, slot->positions + node->first, node->n, slot->spare);
	out_left =
		part_rows(column, goes_left, slot->positions + node->out_first, node->out_n, slot->spare);
	node->left = (int32_t) slot->n_nodes;
	node->active = split->active;
	node->cut = split->cut;
	node->missing_left = split->missing_left;
	node->categorical = split->categorical;
	if (split->categorical)
	{
		node->set = (uint32_t) slot->n_sets / ML_TREE_SET_WORDS;
		memcpy(slot->sets + slot->n_sets, split->set, sizeof(split->set));
		slot->n_sets += ML_TREE_SET_WORDS;
	}
	for (int i = 0; i < 2; i++)
		child[i] = (ForestGrown){.left = -1, .depth = (uint16_t) (node->depth + 1)};
	child[0].first = node->first;
	child[0].n = n_left;
	child[0].out_first = node->out_first;
	child[0].out_n = out_left;
	child[1].first = node->first + n_left;
	child[1].n = node->n - n_left;
	child[1].out_first = node->out_first + out_left;
	child[1].out_n = node->out_n - out_left;
	slot->pending[slot->n_pending++] = (uint32_t) slot->n_nodes + 1;
	slot->pending[slot->n_pending++] = (uint32_t) slot->n_nodes;
	slot->n_nodes += 2;
}

/* The classes of a leaf. */
static void
write_entries(ForestSlot *slot, ForestGrown *node)
{
	const ForestTotals *totals = &slot->totals;

	node->first_entry = (uint32_t) slot->n_entries;
	for (uint32_t k = 0; k < slot->grower->rows->n_classes; k++)
	{
		if (totals->class_rows[k] > 0)
			slot->entries[slot->n_entries++] =
				(ForestEntry){k, (uint32_t) totals->class_rows[k], totals->class_weight[k]};
	}
	node->n_entries = (uint32_t) slot->n_entries - node->first_entry;
}

/* Begin with the totals of a node. */
static void
begin_node(ForestSlot *slot, uint32_t node)
{
	uint32_t n_classes = slot->grower->rows->n_classes;

	slot->node = node;
	slot->cursor = slot->in_block = 0;
	slot->totals = (ForestTotals){.min = INFINITY,
								  .max = -INFINITY,
								  .class_rows = slot->class_rows,
								  .class_weight = slot->class_weight};
	if (n_classes > 0)
		memset(slot->class_rows, 0, 2 * n_classes * sizeof(double));
	slot->phase = TOTALLING;
}

/* Choose what to do next: evaluate a node, split one that waits, or end. */
static void
choose_node(ForestSlot *slot)
{
	if (!has_room(slot))
		slot->wants_room = true;
	else if (slot->n_pending > 0)
		begin_node(slot, slot->pending[--slot->n_pending]);
	else if (slot->n_waiting > 0 && (slot->n_nodes + 1) / 2 < slot->grower->options->max_leaves)
	{
		Waiting next = pop_waiting(slot);

		split_node(slot, next.node, &next.split);
	}
	else
		slot->phase = DONE;
}

/* What is known of a node once its totals are. */
static void
describe_node(ForestSlot *slot, ForestGrown *node)
{
	const ForestRows *rows = slot->grower->rows;
	ForestTotals *totals = &slot->totals;

	totals->n_classes_in = 0;
	for (uint32_t k = 0; k < rows->n_classes; k++)
		totals->n_classes_in += totals->class_rows[k] > 0;
	node->rows = totals->rows;
	node->weight = totals->weight;
	node->risk = ml_forest_risk(rows, slot->grower->options->criterion, totals);
	if (rows->n_classes > 0)
		return;
	node->value = totals->min;
	if (totals->max > totals->min && rows->inverse > 0 && totals->weight > 0)
		node->value =
			ML_MIN(ML_MAX(rows->centre + totals->sum / totals->weight / rows->inverse, totals->min),
				   totals->max);
}

static bool
can_split(const ForestSlot *slot, const ForestGrown *node)
{
	const ForestOptions *options = slot->grower->options;
	bool pure = slot->grower->rows->n_classes > 0 ? slot->totals.n_classes_in < 2
												  : slot->totals.max <= slot->totals.min;

	return !pure && node->depth < options->max_depth && node->rows >= options->min_split_rows &&
		   node->rows >= 2.0 * options->min_leaf_rows && slot->grower->rows->binned.n_active > 0 &&
		   node->risk > 0;
}

/* Gather the rows at the cursor, unless they are there already. */
static const uint32_t *
gather_block(ForestSlot *slot, uint32_t *n)
{
	const ForestGrower *grower = slot->grower;
	const ForestGrown *node = &slot->nodes[slot->node];
	const uint32_t *positions = slot->positions + node->first + slot->cursor;

	*n = ML_MIN(node->n - slot->cursor, (uint32_t) FOREST_BLOCK);
	if (node->n > FOREST_BLOCK || slot->in_block != *n)
		ml_forest_gather(grower->rows, grower->kind, slot->bag, positions, *n, &slot->block);
	slot->in_block = *n;
	return positions;
}

/* Draw the next group of features; false: there is none to be drawn. */
static bool
draw_group(ForestSlot *slot)
{
	uint32_t n_active = slot->grower->rows->binned.n_active;
	uint32_t wanted = ML_MIN(slot->grower->options->max_features, n_active), n;

	slot->group_first = slot->n_visited;
	if (slot->n_visited < wanted)
		n = ML_MIN(wanted - slot->n_visited, slot->group_room);
	else
		n = !slot->any_valid && slot->n_visited < n_active;
	for (uint32_t end = slot->n_visited + n; wanted < n_active && slot->n_visited < end;)
	{
		uint32_t pick =
			slot->n_visited + (uint32_t) ml_rng_below(&slot->rng, n_active - slot->n_visited);
		uint32_t a = slot->features[pick];

		slot->features[pick] = slot->features[slot->n_visited];
		slot->features[slot->n_visited++] = a;
	}
	slot->n_visited = slot->group_first + n;
	slot->cursor = 0;
	return n > 0;
}

/* Totals: when they are complete, the node becomes a leaf or its features' turn comes. */
static void
total_node(ForestSlot *slot, int64_t *budget)
{
	ForestGrown *node = &slot->nodes[slot->node];
	uint32_t n;

	while (slot->cursor<node->n && * budget> 0)
	{
		const uint32_t *positions = gather_block(slot, &n);

		ml_forest_add_totals(slot->grower->rows, slot->grower->kind, positions, n, &slot->block,
							 &slot->totals);
		slot->cursor += n;
		*budget -= n + 16;
	}
	if (slot->cursor < node->n)
		return;
	describe_node(slot, node);
	write_entries(slot, node); /* taken back if it is split */
	slot->phase = CHOOSING;
	if (!can_split(slot, node))
		return;
	slot->n_visited = 0;
	slot->any_valid = false;
	slot->best.gain = -1;
	draw_group(slot);
	slot->phase = SEARCHING;
}

/* Find the splits of the group's features, and clear their cells. */
static void
search_group(ForestSlot *slot, bool sparse)
{
	const ForestGrower *grower = slot->grower;
	size_t feature_bytes = ML_TREE_BINS * grower->cell_bytes;
	ForestSearch search = {.options = grower->options,
						   .rows = grower->rows,
						   .kind = grower->kind,
						   .totals = &slot->totals,
						   .bins = &slot->bins,
						   .rng = &slot->rng};

	for (uint32_t i = 0; i < slot->n_visited - slot->group_first; i++)
	{
		uint32_t a = slot->features[slot->group_first + i];
		const MlTreeFeature *feature = &grower->rows->features[grower->rows->binned.active[a]];
		char *cells = (char *) slot->cells + i * feature_bytes;

		ml_forest_list_bins(&search, feature, cells, sparse ? slot->touched[i] : NULL);
		slot->any_valid |= ml_forest_find_split(&search, a, cells, &slot->best);
		if (sparse)
		{
			for (uint32_t b = 0; b < slot->bins.n; b++)
				memset(cells + slot->bins.bin[b] * grower->cell_bytes, 0, grower->cell_bytes);
			memset(slot->touched[i], 0, sizeof(slot->touched[i]));
		}
		else
			memset(cells, 0, feature->n_bins * grower->cell_bytes);
	}
}

/* The node's best split is known: use it, or let it wait. */
static void
end_node(ForestSlot *slot)
{
	const ForestOptions *options = slot->grower->options;
	ForestGrown *node = &slot->nodes[slot->node];

	slot->phase = CHOOSING;
	if (slot->best.gain < 0 ||
		(options->min_gain > 0 && slot->best.gain < options->min_gain * slot->nodes[0].risk))
		return;
	if (options->max_leaves != UINT32_MAX)
		push_waiting(slot, slot->node, &slot->best);
	else
	{
		slot->n_entries = node->first_entry;
		split_node(slot, slot->node, &slot->best);
	}
}

/* Sum the group's features, search them, and go on to the next group. */
static void
search_node(ForestSlot *slot, int64_t *budget)
{
	const ForestGrower *grower = slot->grower;
	const MlBinned *binned = &grower->rows->binned;
	const ForestGrown *node = &slot->nodes[slot->node];
	uint32_t n_group = slot->n_visited - slot->group_first, n;
	bool sparse = node->n < FOREST_SPARSE_ROWS;

	while (slot->cursor<node->n && * budget> 0)
	{
		const uint32_t *positions = gather_block(slot, &n);

		for (uint32_t i = 0; i < n_group; i++)
		{
			uint32_t a = slot->features[slot->group_first + i];

			ml_forest_add_cells(
				grower->rows, grower->kind, binned->columns + a * binned->column_bytes, positions,
				n, &slot->block, (char *) slot->cells + i * ML_TREE_BINS * grower->cell_bytes,
				sparse ? slot->touched[i] : NULL);
		}
		slot->cursor += n;
		*budget -= (int64_t) n * (n_group + 1);
	}
	if (slot->cursor < node->n)
		return;
	search_group(slot, sparse);
	*budget -= (sparse ? 64 : 512) * (int64_t) n_group;
	if (!draw_group(slot))
		end_node(slot);
}

/* Work on the tree for a few milliseconds, or until it is done or needs room; allocates nothing. */
void
ml_forest_slot_step(ForestSlot *slot)
{
	int64_t budget = STEP_CELLS;

	while (budget > 0 && !slot->wants_room && slot->phase != DONE && slot->phase != IDLE)
	{
		switch (slot->phase)
		{
			case DRAWING:
				draw_rows(slot, &budget);
				break;
			case CHOOSING:
				budget -= 100;
				choose_node(slot);
				break;
			case TOTALLING:
				total_node(slot, &budget);
				break;
			default:
				search_node(slot, &budget);
		}
	}
}

bool
ml_forest_slot_done(const ForestSlot *slot, ForestGrownTree *grown)
{
	if (slot->phase != DONE)
		return false;
	*grown = (ForestGrownTree){.tree = slot->tree,
							   .nodes = slot->nodes,
							   .n_nodes = (uint32_t) slot->n_nodes,
							   .entries = slot->entries,
							   .sets = slot->sets,
							   .positions = slot->positions};
	return true;
}
