/*
 * foreign_trees.c
 *		From the trees of a file to ensembles.
 *
 * Our trees know a feature by its bins, 256 at most: the cuts that its nodes
 * test, or classes of levels that no node tells apart. A library's trees may
 * test more, so rounds are put into an *ensemble* until a feature would need
 * more bins, and then into the next one; the model is their sum. A single tree that needs more is cut into pieces,
 * which become trees of rounds behind all others.
 *
 * Two passes over the rounds of an ensemble: the first gathers cuts and
 * classes, the second makes trees of them. A round that did not fit leaves its
 * cuts behind in the first pass, which does no harm: they are dropped.
 *
 * Shapley values weigh by the rows of leaves, which we keep as integers. A
 * library that has sums of weights instead gets them multiplied by a power of
 * two, so that the shares keep 30 bits. Our values are floats: a tree whose values lie far from 0 (LightGBM's first
 * one has the mean in it) gives its middle to the base.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/foreign_inner.h"

#define MAX_LEAVES 65536u
#define MAX_CLASSES (ML_TREE_BINS - 1) /* of levels; a bin is for missing values */
#define ROWS_MOST 2147483648.0         /* of a tree, as they are */
#define ROWS_BITS 30                   /* of a tree, when they are scaled */

/* The bins of a feature while they grow. */
typedef struct Gathered
{
	double *cuts; /* ascending */
	size_t n_cuts, capacity;
	uint16_t *class_of; /* by level, and one more for those that no node lists */
	uint32_t n_classes;
} Gathered;

typedef struct Builder
{
	MlForeign *f;
	MlEnv *env;
	MlArena *arena;
	uint32_t n_outputs; /* of the image */
	bool fold;          /* two outputs become their difference */
	/* Trees by output and round. */
	size_t tree_capacity; /* of the file's list, once it was copied */
	size_t n_rounds;
	size_t *count;         /* by output */
	MlForeignTree **place; /* place[round * n_outputs + output]; NULL: no tree */
	Gathered *gathered;    /* by feature */
	/* Room for the largest tree. */
	uint32_t *order, *depth; /* the cells of a tree, parents first */
	int32_t *number;         /* by cell: the node's or ~leaf's */
} Builder;

/* ---- checking a tree, and the order of its cells */

/* A child is a cell that was not reached before. */
static bool
claim(Builder *b, const MlForeignTree *tree, uint32_t child)
{
	if (child >= tree->n_cells || b->number[child] != 0)
		return false;
	b->number[child] = 1;
	return true;
}

static MlStatus
check_cell(const Builder *b, const MlForeignCell *cell, size_t t)
{
	const MlForeign *f = b->f;

	if (cell->leaf)
		return fabs(cell->value) <= FLT_MAX
				   ? ML_OK
				   : ml_fail(b->env, ML_EDATA, "tree %zu has a leaf with the value %g", t,
							 cell->value);
	if (cell->feature >= f->n_features)
		return ml_fail(b->env, ML_EDATA, "tree %zu tests feature %u of %u", t, cell->feature,
					   f->n_features);
	if ((cell->codes != NULL) != f->features[cell->feature].categorical)
		return ml_fail(b->env, ML_EDATA, "tree %zu takes feature %u for a number and for levels", t,
					   cell->feature);
	if (!cell->codes && isnan(cell->cut))
		return ml_fail(b->env, ML_EDATA, "tree %zu has a threshold that is not a number", t);
	return ML_OK;
}

/*
 * List the cells of tree t that the root leads to in b->order, parents first, and number nodes and leaves in that
 * order. Returns their count by *n.
 */
static MlStatus
order_cells(Builder *b, const MlForeignTree *tree, size_t t, uint32_t *n)
{
	uint32_t n_listed = 1, n_nodes = 0, n_leaves = 0;

	if (tree->n_cells == 0)
		return ml_fail(b->env, ML_EDATA, "tree %zu is empty", t);
	memset(b->number, 0, tree->n_cells * sizeof(*b->number));
	b->order[0] = b->depth[0] = 0;
	b->number[0] = 1;
	for (uint32_t i = 0; i < n_listed; i++)
	{
		const MlForeignCell *cell = &tree->cells[b->order[i]];

		ML_TRY(check_cell(b, cell, t));
		if (cell->leaf)
		{
			b->number[b->order[i]] = ~(int32_t) n_leaves++;
			continue;
		}
		if (!claim(b, tree, cell->left) || !claim(b, tree, cell->right))
			return ml_fail(b->env, ML_EDATA, "tree %zu has a node with impossible children", t);
		if (b->depth[i] >= ML_TREE_DEPTH)
			return ml_fail(b->env, ML_EDATA, "tree %zu is deeper than %d nodes", t, ML_TREE_DEPTH);
		for (int side = 0; side < 2; side++)
		{
			b->order[n_listed] = side == 0 ? cell->left : cell->right;
			b->depth[n_listed++] = b->depth[i] + 1;
		}
		b->number[b->order[i]] = (int32_t) n_nodes++;
	}
	if (n_leaves > MAX_LEAVES)
		return ml_fail(b->env, ML_EDATA, "tree %zu has %u leaves, there may be %u", t, n_leaves,
					   MAX_LEAVES);
	*n = n_listed;
	return ML_OK;
}

/* ---- gathering bins */

/* Forget the bins of all features. */
static MlStatus
forget_bins(Builder *b)
{
	for (uint32_t j = 0; j < b->f->n_features; j++)
	{
		const MlForeignFeature *feature = &b->f->features[j];
		Gathered *own = &b->gathered[j];

		own->n_cuts = 0;
		own->n_classes = 1;
		if (!feature->categorical)
			continue;
		if (!own->class_of)
			own->class_of =
				ml_arena_array(b->arena, (size_t) feature->n_codes + 1, sizeof(*own->class_of));
		if (!own->class_of)
			return ML_ENOMEM;
		memset(own->class_of, 0, ((size_t) feature->n_codes + 1) * sizeof(*own->class_of));
	}
	return ML_OK;
}

/* The number of cuts below cut. */
static size_t
cuts_below(const Gathered *own, double cut)
{
	size_t low = 0, high = own->n_cuts;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (own->cuts[middle] < cut)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Add a cut; *fits becomes false when there are too many. */
static MlStatus
gather_cut(Builder *b, Gathered *own, double cut, bool *fits)
{
	size_t at = cuts_below(own, cut);

	if (at < own->n_cuts && own->cuts[at] == cut)
		return ML_OK;
	*fits = own->n_cuts < ML_TREE_CUTS;
	if (!*fits)
		return ML_OK;
	if (!own->cuts)
		own->cuts = ml_arena_array(b->arena, ML_TREE_CUTS, sizeof(*own->cuts));
	if (!own->cuts)
		return ML_ENOMEM;
	memmove(own->cuts + at + 1, own->cuts + at, (own->n_cuts - at) * sizeof(*own->cuts));
	own->cuts[at] = cut;
	own->n_cuts++;
	return ML_OK;
}

/* Tell the listed levels from the others: a class that has both becomes two. */
static void
gather_codes(const MlForeignFeature *feature, Gathered *own, const MlForeignCell *cell, bool *fits)
{
	bool listed[MAX_CLASSES] = {false}, others[MAX_CLASSES] = {false};
	uint16_t split[MAX_CLASSES];
	uint32_t c = 0;

	for (uint32_t i = 0; i <= feature->n_codes; i++)
	{
		bool is_listed =
			i < feature->n_codes && c < cell->n_codes && feature->codes[i] == cell->codes[c];

		c += is_listed;
		(is_listed ? listed : others)[own->class_of[i]] = true;
	}
	for (uint32_t k = 0, n = own->n_classes; k < n; k++)
	{
		split[k] = (uint16_t) k;
		if (!listed[k] || !others[k])
			continue;
		if (own->n_classes < MAX_CLASSES)
			split[k] = (uint16_t) own->n_classes++;
		else
			*fits = false;
	}
	for (uint32_t i = 0; i < cell->n_codes; i++)
	{
		uint16_t *class = &own->class_of[ml_foreign_level(feature, cell->codes[i])];

		*class = split[*class];
	}
}

/* Gather the bins that a tree needs. */
static MlStatus
gather_tree(Builder *b, const MlForeignTree *tree, bool *fits)
{
	uint32_t n;

	ML_TRY(order_cells(b, tree, (size_t) (tree - b->f->trees), &n));
	for (uint32_t i = 0; i < n && *fits; i++)
	{
		const MlForeignCell *cell = &tree->cells[b->order[i]];

		if (cell->leaf)
			continue;
		if (cell->codes)
			gather_codes(&b->f->features[cell->feature], &b->gathered[cell->feature], cell, fits);
		else
			ML_TRY(gather_cut(b, &b->gathered[cell->feature], cell->cut, fits));
	}
	return ml_poll(b->env);
}

/* Gather the bins that a round's trees need; *fits: there are enough. */
static MlStatus
gather_round(Builder *b, size_t round, bool *fits)
{
	*fits = true;
	for (uint32_t k = 0; k < b->n_outputs && *fits; k++)
	{
		const MlForeignTree *tree = b->place[round * b->n_outputs + k];

		if (tree)
			ML_TRY(gather_tree(b, tree, fits));
	}
	return ML_OK;
}

/* The features of an ensemble, from what was gathered. */
static MlStatus
make_features(Builder *b, MlTreeEnsemble *ensemble)
{
	ensemble->features = ml_arena_array(b->arena, ensemble->n_features, sizeof(MlTreeFeature));
	if (!ensemble->features)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < ensemble->n_features; j++)
	{
		const MlForeignFeature *from = &b->f->features[j];
		const Gathered *own = &b->gathered[j];
		MlTreeFeature *to = &ensemble->features[j];

		to->categorical = from->categorical;
		if (!from->categorical)
		{
			to->n_cuts = (uint32_t) own->n_cuts;
			to->n_bins = to->n_cuts + 2;
			to->cuts = ml_arena_array(b->arena, own->n_cuts, sizeof(*to->cuts));
			if (!to->cuts)
				return ML_ENOMEM;
			if (own->n_cuts > 0)
				memcpy(to->cuts, own->cuts, own->n_cuts * sizeof(*to->cuts));
			continue;
		}
		to->n_levels = from->n_codes;
		to->n_bins = own->n_classes + 1;
		to->unseen_bin = (uint8_t) own->class_of[from->n_codes];
		to->bin_of_level = ml_arena_alloc(b->arena, from->n_codes);
		if (!to->bin_of_level)
			return ML_ENOMEM;
		for (uint32_t i = 0; i < from->n_codes; i++)
			to->bin_of_level[i] = (uint8_t) own->class_of[i];
	}
	return ML_OK;
}

/* ---- making trees */

/* The bins that go left at a categorical cell. */
static MlStatus
make_set(Builder *b, const MlTreeFeature *feature, const MlForeignCell *cell, const uint32_t **out)
{
	const MlForeignFeature *from = &b->f->features[cell->feature];
	uint32_t *set = ml_arena_array(b->arena, ML_TREE_SET_WORDS, sizeof(*set));
	uint32_t missing = feature->n_bins - 1;

	if (!set)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < cell->n_codes; i++)
	{
		uint32_t bin = feature->bin_of_level[ml_foreign_level(from, cell->codes[i])];

		set[bin / 32] |= 1u << bin % 32;
	}
	for (uint32_t bin = 0; cell->listed_right && bin < missing; bin++)
		set[bin / 32] ^= 1u << bin % 32;
	set[missing / 32] |= (uint32_t) cell->missing_left << missing % 32;
	*out = set;
	return ML_OK;
}

static MlStatus
make_node(Builder *b, const MlTreeEnsemble *ensemble, const MlForeignCell *cell, MlTreeNode *node)
{
	double gain = cell->gain > 0 ? cell->gain : 0;

	node->feature = cell->feature;
	node->gain = (float) ML_MIN(gain, (double) FLT_MAX);
	node->left = b->number[cell->left];
	node->right = b->number[cell->right];
	if (cell->codes)
		return make_set(b, &ensemble->features[cell->feature], cell, &node->set);
	node->cut = (uint8_t) cuts_below(&b->gathered[cell->feature], cell->cut);
	node->missing_left = cell->missing_left;
	return ML_OK;
}

/* What the rows of a tree's leaves are multiplied by. */
static double
rows_scale(const Builder *b, const MlForeignTree *tree, uint32_t n)
{
	double sum = 0;
	bool whole = true;
	int exponent;

	for (uint32_t i = 0; i < n; i++)
	{
		const MlForeignCell *cell = &tree->cells[b->order[i]];

		if (!cell->leaf || !(cell->rows > 0))
			continue;
		sum += cell->rows;
		whole = whole && cell->rows == floor(cell->rows);
	}
	if ((whole && sum <= ROWS_MOST) || !isfinite(sum))
		return 1;
	frexp(sum, &exponent);
	return ldexp(1, ROWS_BITS - exponent);
}

/* The rows of a leaf: some, if it has any. */
static uint32_t
scaled_rows(double rows, double scale)
{
	double scaled = rows * scale;

	if (!(scaled > 0))
		return 0;
	return (uint32_t) ML_MIN(ML_MAX(rint(scaled), 1), ROWS_MOST);
}

/* The middle of a tree's values, if they lie so far from 0 that floats would lose digits for it; else 0. */
static double
centre_of(const Builder *b, const MlForeignTree *tree, uint32_t n)
{
	double least = INFINITY, most = -INFINITY, centre;
	bool exact = true;

	for (uint32_t i = 0; i < n; i++)
	{
		const MlForeignCell *cell = &tree->cells[b->order[i]];

		if (!cell->leaf)
			continue;
		least = ML_MIN(least, cell->value);
		most = ML_MAX(most, cell->value);
		exact = exact && (double) (float) cell->value == cell->value;
	}
	centre = (least + most) / 2;
	return exact || fabs(centre) < (most - least) / 2 ? 0 : centre;
}

/* Make a tree of the file. */
static MlStatus
make_tree(Builder *b, MlTreeEnsemble *ensemble, const MlForeignTree *from, MlTree *to)
{
	uint32_t n, k = b->fold ? 0 : from->output;
	double scale, centre, sign = b->fold && from->output == 0 ? -1 : 1;

	ML_TRY(order_cells(b, from, (size_t) (from - b->f->trees), &n));
	to->n_leaves = (n + 1) / 2;
	to->nodes = ml_arena_array(b->arena, to->n_leaves - 1, sizeof(*to->nodes));
	to->values = ml_arena_array(b->arena, to->n_leaves, sizeof(*to->values));
	to->rows = ml_arena_array(b->arena, to->n_leaves, sizeof(*to->rows));
	if (!to->nodes || !to->values || !to->rows)
		return ML_ENOMEM;
	scale = rows_scale(b, from, n);
	centre = centre_of(b, from, n);
	ensemble->base[k] += sign * centre;
	for (uint32_t i = 0; i < n; i++)
	{
		const MlForeignCell *cell = &from->cells[b->order[i]];
		int32_t number = b->number[b->order[i]];

		if (!cell->leaf)
		{
			ML_TRY(make_node(b, ensemble, cell, &to->nodes[number]));
			continue;
		}
		to->values[~number] = (float) (sign * (cell->value - centre));
		to->rows[~number] = scaled_rows(cell->rows, scale);
	}
	return ML_OK;
}

/* Where there is no tree of that round and output: one leaf that adds nothing. */
static MlStatus
make_nothing(Builder *b, MlTree *to)
{
	to->n_leaves = 1;
	to->nodes = ml_arena_array(b->arena, 0, sizeof(*to->nodes));
	to->values = ml_arena_array(b->arena, 1, sizeof(*to->values));
	to->rows = ml_arena_array(b->arena, 1, sizeof(*to->rows));
	return to->nodes && to->values && to->rows ? ML_OK : ML_ENOMEM;
}

/* The ensemble of the rounds first..end-1, whose bins were gathered. */
static MlStatus
make_ensemble(Builder *b, size_t first, size_t end, MlTreeEnsemble **out)
{
	MlTreeEnsemble *ensemble = ml_arena_alloc(b->arena, sizeof(*ensemble));
	size_t n = (end - first) * b->n_outputs;

	if (!ensemble)
		return ML_ENOMEM;
	ensemble->n_features = b->f->n_features;
	ensemble->n_outputs = b->n_outputs;
	ensemble->n_trees = (uint32_t) n;
	ensemble->base = ml_arena_array(b->arena, b->n_outputs, sizeof(double));
	ensemble->trees = ml_arena_array(b->arena, n, sizeof(MlTree));
	if (!ensemble->base || !ensemble->trees)
		return ML_ENOMEM;
	ML_TRY(make_features(b, ensemble));
	for (size_t i = 0; i < n; i++)
	{
		const MlForeignTree *from = b->place[first * b->n_outputs + i];

		if (from)
			ML_TRY(make_tree(b, ensemble, from, &ensemble->trees[i]));
		else
			ML_TRY(make_nothing(b, &ensemble->trees[i]));
		ML_TRY(ml_poll(b->env));
	}
	*out = ensemble;
	return ml_trees_compact(b->env, ensemble);
}

/* ---- trees that are too large */

/* Whether a tree alone has bins enough. */
static MlStatus
tree_fits(Builder *b, const MlForeignTree *tree, bool *fits)
{
	*fits = true;
	if (tree->n_cells <= 2 * ML_TREE_CUTS)
		return ML_OK;
	ML_TRY(forget_bins(b));
	return gather_tree(b, tree, fits);
}

/* Room for n trees in the file's list; it doubles, as the arena keeps the old one. */
static MlStatus
reserve_trees(Builder *b, size_t n)
{
	MlForeign *f = b->f;
	MlForeignTree *trees;

	if (n <= b->tree_capacity)
		return ML_OK;
	n = ML_MAX(n, 2 * f->n_trees);
	trees = ml_arena_array(b->arena, n, sizeof(*trees));
	if (!trees)
		return ML_ENOMEM;
	memcpy(trees, f->trees, f->n_trees * sizeof(*trees));
	f->trees = trees;
	b->tree_capacity = n;
	return ML_OK;
}

/* A tree's pieces to the end of the list; the first takes the tree's own place. */
static MlStatus
cut_tree(Builder *b, size_t t)
{
	MlForeign *f = b->f;
	MlForeignTree *pieces;
	size_t n_pieces;
	uint32_t n;

	ML_TRY(order_cells(b, &f->trees[t], t, &n));
	ML_TRY(ml_foreign_cut(b->arena, &f->trees[t], b->order, n, &pieces, &n_pieces));
	ML_TRY(reserve_trees(b, f->n_trees + n_pieces - 1));
	memcpy(f->trees + f->n_trees, pieces + 1, (n_pieces - 1) * sizeof(*f->trees));
	f->trees[t] = pieces[0];
	f->n_trees += n_pieces - 1;
	return ML_OK;
}

static MlStatus
cut_trees(Builder *b)
{
	size_t n = b->f->n_trees;

	for (size_t t = 0; t < n; t++)
	{
		bool fits;

		ML_TRY(tree_fits(b, &b->f->trees[t], &fits));
		if (!fits)
			ML_TRY(cut_tree(b, t));
	}
	return ML_OK;
}

/* ---- rounds */

/* Put the trees in their places: the i-th tree of an output belongs to round i. */
static MlStatus
place_trees(Builder *b)
{
	const MlForeign *f = b->f;

	b->count = ml_arena_array(b->arena, b->n_outputs, sizeof(*b->count));
	if (!b->count)
		return ML_ENOMEM;
	for (size_t t = 0; t < f->n_trees; t++)
	{
		if (f->trees[t].output >= f->n_outputs)
			return ml_fail(b->env, ML_EDATA, "tree %zu is for output %u of %u", t,
						   f->trees[t].output, f->n_outputs);
		b->count[b->fold ? 0 : f->trees[t].output]++;
	}
	for (uint32_t k = 0; k < b->n_outputs; k++)
		b->n_rounds = ML_MAX(b->n_rounds, b->count[k]);
	if (b->n_rounds > UINT32_MAX / b->n_outputs)
		return ml_fail(b->env, ML_EDATA, "%zu rounds are too many", b->n_rounds);
	b->place = ml_arena_array(b->arena, b->n_rounds * b->n_outputs, sizeof(*b->place));
	if (!b->place)
		return ML_ENOMEM;
	memset(b->count, 0, b->n_outputs * sizeof(*b->count));
	for (size_t t = 0; t < f->n_trees; t++)
	{
		uint32_t k = b->fold ? 0 : f->trees[t].output;

		b->place[b->count[k]++ * b->n_outputs + k] = &f->trees[t];
	}
	return ML_OK;
}

/* Room for what is done tree by tree. */
static MlStatus
make_room(Builder *b)
{
	size_t most = 1;

	for (size_t t = 0; t < b->f->n_trees; t++)
		most = ML_MAX(most, b->f->trees[t].n_cells);
	if (most > INT32_MAX)
		return ml_fail(b->env, ML_EDATA, "a tree has %zu nodes, which is too many", most);
	b->order = ml_arena_array(b->arena, most + 2, sizeof(*b->order));
	b->depth = ml_arena_array(b->arena, most + 2, sizeof(*b->depth));
	b->number = ml_arena_array(b->arena, most, sizeof(*b->number));
	b->gathered = ml_arena_array(b->arena, b->f->n_features, sizeof(*b->gathered));
	return b->order && b->depth && b->number && b->gathered ? ML_OK : ML_ENOMEM;
}

/* The ensemble of as many rounds from *round on as fit; *round moves on. */
static MlStatus
next_ensemble(Builder *b, size_t *round, MlTreeEnsemble **ensemble)
{
	size_t first = *round;
	bool fits = true;

	ML_TRY(forget_bins(b));
	while (*round < b->n_rounds)
	{
		ML_TRY(gather_round(b, *round, &fits));
		if (!fits)
			break;
		++*round;
	}
	if (!fits && *round == first)
		return ml_fail(b->env, ML_EDATA,
					   "the trees of round %zu test a feature at more than %d values", first + 1,
					   ML_TREE_CUTS);
	return make_ensemble(b, first, *round, ensemble);
}

/* Add the constants of the outputs. */
static void
set_base(const Builder *b, MlTreeEnsemble *ensemble)
{
	for (uint32_t k = 0; k < b->n_outputs; k++)
		ensemble->base[k] += b->fold ? b->f->base[1] - b->f->base[0] : b->f->base[k];
}

MlStatus
ml_foreign_fit(MlForeign *f, MlModel *model)
{
	Builder b = {.f = f,
				 .env = f->arena->env,
				 .arena = f->arena,
				 .n_outputs = model->n_outputs,
				 .fold = f->n_outputs == 2 && model->n_outputs == 1};
	GbdtModel *fitted = ml_arena_alloc(f->arena, sizeof(*fitted));
	size_t round = 0;

	if (!fitted)
		return ML_ENOMEM;
	fitted->loss = b.fold ? GBDT_LOGISTIC : f->loss;
	ML_TRY(make_room(&b));
	ML_TRY(cut_trees(&b));
	ML_TRY(place_trees(&b));
	fitted->more = ml_arena_array(b.arena, b.n_rounds, sizeof(*fitted->more));
	if (!fitted->more)
		return ML_ENOMEM;
	ML_TRY(next_ensemble(&b, &round, &fitted->trees));
	set_base(&b, fitted->trees);
	while (round < b.n_rounds)
		ML_TRY(next_ensemble(&b, &round, &fitted->more[fitted->n_more++]));
	model->fitted = fitted;
	return ML_OK;
}
