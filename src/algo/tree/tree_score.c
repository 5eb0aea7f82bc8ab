/*
 * tree_score.c
 *		Sums of many trees for one row, fast.
 *
 * Small trees (up to 64 leaves) are scored from a *mask table*, after
 * QuickScorer (Lucchese et al. 2015) with its false nodes gathered beforehand:
 * the leaves of a tree are numbered from left to right; a node that sends a
 * row to the right rules out the leaves of its left branch; the exit leaf is the
 * first one that no node ruled out. For each feature and bin the table has a
 * *line* with the AND of those masks for every tree, so that a row costs one
 * sequential line a feature, whatever the depth, and neither missing values
 * nor sets of levels cost anything. Where lines of single bins would take too
 * much memory a line stands for COARSE bins, and the nodes whose cut lies inside it are applied
 * one by one from a *fine* list.
 *
 * Larger trees are walked, WALK_LANES trees interleaved to hide the latency
 * of loads; leaves are nodes that lead to themselves.
 *
 * Trees are scored in groups so that the masks of a group fit a small array
 * on the stack. Sums are doubles in a fixed order: four interleaved sums when
 * there is one output, tree by tree otherwise; both ways of scoring agree to the last bit.
 */
#include <string.h>

#include "algo/tree/tree.h"
#include "core/vmath.h"

#define GROUP_TREES 512
#define CHUNK_WORDS 8 /* 64-bit words ANDed at a time: a cache line */
#define MASK_LEAVES 64
#define MASK_FEATURES 2048 /* features of a mask table: bounds an array on the stack */
#define FULL_BYTES (5u << 20)
#define TABLE_BYTES ((size_t) 64 << 20)
#define COARSE_SHIFT 3
#define WALK_LANES 8
#define SEARCH_LANES 8
#define WALK_MISSING 255            /* the missing bin of numeric features in walks */
#define SET_STAY (2 * ML_TREE_CUTS) /* the set of all bins: a leaf leads to itself */
#define CACHE_LINE 64

/* A cache line of masks; compilers make the widest vectors of it that there are. */
typedef uint64_t Chunk __attribute__((vector_size(CACHE_LINE), may_alias));

/* A feature that some node tests. */
typedef struct ScoreFeature
{
	uint32_t feature;
	uint32_t steps;      /* numeric: halvings of the padded cuts */
	size_t cuts;         /* numeric: first of 2^steps - 1 cuts, padded with infinity */
	uint32_t missing;    /* missing bin */
	uint32_t first_line; /* of a mask table */
	uint32_t
		missing_line; /* relative to first_line; 0 for categorical features: the bin is the line */
	size_t fine;      /* first of its fine positions in a group */
} ScoreFeature;

/* Node of a walk: bits of the set say which bins go to left, others to left + 1. */
typedef struct WalkNode
{
	uint32_t left;
	uint32_t set;
	uint32_t feature; /* place among the active ones */
} WalkNode;

typedef struct FineMask
{
	uint64_t mask;
	uint32_t word;
} FineMask;

typedef struct ScoreGroup
{
	uint32_t first_tree, n_trees;
	size_t n_words;       /* of a line; a multiple of CHUNK_WORDS */
	uint64_t *table;      /* lines */
	uint32_t *fine_start; /* by feature and bin: first fine mask with that cut or a greater one */
	FineMask *fine;
	float *values; /* by tree and leaf */
} ScoreGroup;

struct MlTreeScorer
{
	uint32_t n_active, n_numeric; /* numeric ones first */
	ScoreFeature *active;
	double *cuts;

	bool masks;
	uint32_t leaf_bits; /* 32 or 64: bits of a tree's mask */
	uint32_t shift;     /* bins of a line, as a power of two */
	uint32_t n_lines;
	size_t n_fine_starts;
	uint32_t n_groups;
	ScoreGroup *groups;

	uint32_t *roots;
	WalkNode *nodes;
	uint32_t *sets;
	float *node_values; /* of leaves, by node */
};

/* ---- building: features */

/* Bit j is set when some node tests feature j; the most leaves of a tree. */
static uint32_t
find_used_features(const MlTreeEnsemble *ensemble, uint8_t *used)
{
	uint32_t max_leaves = 1;

	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[t];

		max_leaves = ML_MAX(max_leaves, tree->n_leaves);
		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
			used[tree->nodes[i].feature] = 1;
	}
	return max_leaves;
}

/* Halvings that a search over n cuts takes. */
static uint32_t
search_steps(uint32_t n_cuts)
{
	uint32_t steps = 0;

	while ((1u << steps) - 1 < n_cuts)
		steps++;
	return steps;
}

/* List the used features, numeric ones first and by falling number of steps; place maps feature to list. */
static void
list_features(const MlTreeEnsemble *ensemble, const uint8_t *used, MlTreeScorer *scorer,
			  uint32_t *place)
{
	uint32_t n = 0;

	for (int steps = 8; steps >= -1; steps--)
	{
		for (uint32_t j = 0; j < ensemble->n_features; j++)
		{
			const MlTreeFeature *feature = &ensemble->features[j];
			int own = feature->categorical ? -1 : (int) search_steps(feature->n_cuts);

			if (!used[j] || own != steps)
				continue;
			place[j] = n;
			scorer->active[n].feature = j;
			scorer->active[n].steps = own > 0 ? (uint32_t) own : 0;
			scorer->active[n].missing = feature->n_bins - 1;
			n++;
		}
		if (steps == 0)
			scorer->n_numeric = n;
	}
	scorer->n_active = n;
}

/* Copy the cuts, padded so that every search takes all its steps. */
static MlStatus
pad_cuts(MlArena *arena, const MlTreeEnsemble *ensemble, MlTreeScorer *scorer)
{
	size_t n = 0;

	for (uint32_t a = 0; a < scorer->n_numeric; a++)
		n += (1u << scorer->active[a].steps) - 1;
	scorer->cuts = ml_arena_array(arena, n, sizeof(double));
	if (!scorer->cuts)
		return ML_ENOMEM;
	n = 0;
	for (uint32_t a = 0; a < scorer->n_numeric; a++)
	{
		ScoreFeature *active = &scorer->active[a];
		const MlTreeFeature *feature = &ensemble->features[active->feature];

		active->cuts = n;
		for (uint32_t c = 0; c < (1u << active->steps) - 1; c++)
			scorer->cuts[n++] = c < feature->n_cuts ? feature->cuts[c] : __builtin_inf();
	}
	return ML_OK;
}

/* ---- building: mask tables */

/* Number the lines of all features when a line stands for 2^shift bins. */
static void
number_lines(const MlTreeEnsemble *ensemble, MlTreeScorer *scorer, uint32_t shift)
{
	uint32_t line = 0;

	scorer->shift = shift;
	scorer->n_fine_starts = 0;
	for (uint32_t a = 0; a < scorer->n_active; a++)
	{
		ScoreFeature *active = &scorer->active[a];
		const MlTreeFeature *feature = &ensemble->features[active->feature];

		active->first_line = line;
		active->fine = scorer->n_fine_starts;
		if (feature->categorical)
		{
			line += feature->n_bins;
			continue;
		}
		active->missing_line = (feature->n_cuts >> shift) + 1;
		line += active->missing_line + 1;
		scorer->n_fine_starts += feature->n_bins;
	}
	scorer->n_lines = line;
}

/* For each node of tree: the leaves that going right rules out. Leaves are numbered from left to right. */
static void
find_masks(const MlTree *tree, uint64_t *masks, uint32_t *leaf_place)
{
	uint32_t leaves_below[MASK_LEAVES], first[MASK_LEAVES];
	int32_t n_nodes = (int32_t) tree->n_leaves - 1;

	for (int32_t i = n_nodes - 1; i >= 0; i--)
	{
		const MlTreeNode *node = &tree->nodes[i];

		leaves_below[i] = (node->left >= 0 ? leaves_below[node->left] : 1) +
						  (node->right >= 0 ? leaves_below[node->right] : 1);
	}
	first[0] = leaf_place[0] = 0;
	for (int32_t i = 0; i < n_nodes; i++)
	{
		const MlTreeNode *node = &tree->nodes[i];
		uint32_t n_left = node->left >= 0 ? leaves_below[node->left] : 1;

		*(node->left >= 0 ? &first[node->left] : &leaf_place[~node->left]) = first[i];
		*(node->right >= 0 ? &first[node->right] : &leaf_place[~node->right]) = first[i] + n_left;
		masks[i] = ~(((UINT64_C(1) << n_left) - 1) << first[i]);
	}
}

/* The word of tree t's mask in a line, and the mask in its place there. */
static uint64_t
place_mask(const MlTreeScorer *scorer, uint32_t t, uint64_t mask, uint32_t *word)
{
	uint32_t per_word = 64 / scorer->leaf_bits, at = t % per_word * scorer->leaf_bits;

	*word = t / per_word;
	if (scorer->leaf_bits == 64)
		return mask;
	return ~((~mask & UINT32_MAX) << at);
}

/* AND the mask of a node into all lines where it sends rows to the right. */
static void
fill_lines(const MlTreeEnsemble *ensemble, const MlTreeScorer *scorer, const ScoreFeature *active,
		   const MlTreeNode *node, uint64_t mask, uint32_t word, ScoreGroup *group)
{
	const MlTreeFeature *feature = &ensemble->features[active->feature];
	uint32_t n_lines = feature->categorical ? feature->n_bins : active->missing_line + 1;

	for (uint32_t line = 0; line < n_lines; line++)
	{
		uint32_t bin = feature->categorical          ? line
					   : line < active->missing_line ? line << scorer->shift
													 : active->missing;

		if (!ml_tree_goes_left(feature, node, bin))
			group->table[(active->first_line + line) * group->n_words + word] &= mask;
	}
}

/* Count (fine NULL) or place the fine masks of a group by feature and cut. */
static void
gather_fine(const MlTreeScorer *scorer, const MlTree *tree, const uint32_t *place,
			const uint64_t *masks, uint32_t t, ScoreGroup *group, bool counting)
{
	for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
	{
		const MlTreeNode *node = &tree->nodes[i];
		uint32_t *start;

		if (node->set)
			continue;
		start = &group->fine_start[scorer->active[place[node->feature]].fine + node->cut + 1];
		if (counting)
			(*start)++;
		else
		{
			FineMask *fine = &group->fine[start[-1]++];

			fine->mask = place_mask(scorer, t, masks[i], &fine->word);
		}
	}
}

/* The table and leaf values of a group of trees. */
static MlStatus
build_group(MlArena *arena, const MlTreeEnsemble *ensemble, const MlTreeScorer *scorer,
			const uint32_t *place, ScoreGroup *group)
{
	size_t n_values = ((size_t) group->n_trees + 1) * scorer->leaf_bits;
	size_t n_table = scorer->n_lines * group->n_words;
	uint8_t *table = ml_arena_alloc(arena, n_table * sizeof(uint64_t) + CACHE_LINE);

	group->values = ml_arena_array(arena, n_values, sizeof(float));
	if (!table || !group->values)
		return ML_ENOMEM;
	group->table = (uint64_t *) (table + (-(uintptr_t) table & (CACHE_LINE - 1)));
	memset(group->table, 0xff, n_table * sizeof(uint64_t));
	for (uint32_t t = 0; t < group->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[group->first_tree + t];
		uint64_t masks[MASK_LEAVES];
		uint32_t leaf_place[MASK_LEAVES];

		find_masks(tree, masks, leaf_place);
		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
		{
			const MlTreeNode *node = &tree->nodes[i];
			uint32_t word;
			uint64_t mask = place_mask(scorer, t, masks[i], &word);

			fill_lines(ensemble, scorer, &scorer->active[place[node->feature]], node, mask, word,
					   group);
		}
		for (uint32_t leaf = 0; leaf < tree->n_leaves; leaf++)
			group->values[t * scorer->leaf_bits + leaf_place[leaf]] = tree->values[leaf];
		ML_TRY(ml_poll(arena->env));
	}
	return ML_OK;
}

/* The lists of single nodes that coarse lines need. */
static MlStatus
build_fine(MlArena *arena, const MlTreeEnsemble *ensemble, const MlTreeScorer *scorer,
		   const uint32_t *place, ScoreGroup *group)
{
	size_t n = scorer->n_fine_starts + 1;

	group->fine_start = ml_arena_array(arena, n, sizeof(uint32_t));
	if (!group->fine_start)
		return ML_ENOMEM;
	for (int counting = 1; counting >= 0; counting--)
	{
		for (uint32_t t = 0; t < group->n_trees; t++)
		{
			const MlTree *tree = &ensemble->trees[group->first_tree + t];
			uint64_t masks[MASK_LEAVES];
			uint32_t leaf_place[MASK_LEAVES];

			find_masks(tree, masks, leaf_place);
			gather_fine(scorer, tree, place, masks, t, group, counting);
		}
		if (counting)
		{
			for (size_t i = 1; i < n; i++)
				group->fine_start[i] += group->fine_start[i - 1];
			group->fine = ml_arena_array(arena, group->fine_start[n - 1], sizeof(FineMask));
			if (!group->fine)
				return ML_ENOMEM;
		}
	}
	/* placing has moved each start to the next one's: move them back */
	memmove(group->fine_start + 1, group->fine_start, (n - 1) * sizeof(uint32_t));
	group->fine_start[0] = 0;
	return ML_OK;
}

/* Bytes of all tables when a line stands for 2^shift bins. */
static size_t
table_bytes(const MlTreeEnsemble *ensemble, MlTreeScorer *scorer, uint32_t shift)
{
	number_lines(ensemble, scorer, shift);
	return (size_t) scorer->n_lines * ensemble->n_trees * scorer->leaf_bits / 8;
}

static MlStatus
build_masks(MlArena *arena, const MlTreeEnsemble *ensemble, const uint32_t *place,
			MlTreeScorer *scorer)
{
	scorer->n_groups = (ensemble->n_trees + GROUP_TREES - 1) / GROUP_TREES;
	scorer->groups = ml_arena_array(arena, scorer->n_groups, sizeof(ScoreGroup));
	if (!scorer->groups)
		return ML_ENOMEM;
	for (uint32_t g = 0; g < scorer->n_groups; g++)
	{
		ScoreGroup *group = &scorer->groups[g];
		uint32_t left = ensemble->n_trees - g * GROUP_TREES;
		size_t words;

		group->first_tree = g * GROUP_TREES;
		group->n_trees = ML_MIN(left, GROUP_TREES);
		words = (group->n_trees * scorer->leaf_bits + 63) / 64;
		group->n_words = (words + CHUNK_WORDS - 1) / CHUNK_WORDS * CHUNK_WORDS;
		ML_TRY(build_group(arena, ensemble, scorer, place, group));
		if (scorer->shift > 0)
			ML_TRY(build_fine(arena, ensemble, scorer, place, group));
	}
	return ML_OK;
}

/* ---- building: walks */

/* Sets of the numeric splits: 2 * cut + missing_left. And the set of all bins. */
static void
fill_numeric_sets(uint32_t *sets)
{
	memset(sets + (size_t) SET_STAY * ML_TREE_SET_WORDS, 0xff, ML_TREE_SET_WORDS * sizeof(*sets));
	for (uint32_t cut = 0; cut < ML_TREE_CUTS; cut++)
	{
		for (uint32_t side = 0; side < 2; side++)
		{
			uint32_t *set = sets + (size_t) (2 * cut + side) * ML_TREE_SET_WORDS;

			for (uint32_t bin = 0; bin <= cut; bin++)
				set[bin / 32] |= 1u << bin % 32;
			if (side)
				set[WALK_MISSING / 32] |= 1u << WALK_MISSING % 32;
		}
	}
}

/* Lay the nodes of a tree out from node `at` on, breadth first, children side by side. Returns the next free. */
static uint32_t
lay_tree(const MlTree *tree, const uint32_t *place, uint32_t *queue, uint32_t at,
		 uint32_t *next_set, MlTreeScorer *scorer)
{
	uint32_t n = 1, root = at;

	/* queue[i]: what stands at root + i, a node or a leaf as in MlTreeNode */
	queue[0] = tree->n_leaves > 1 ? 0 : (uint32_t) ~0;
	for (uint32_t i = 0; i < n; i++)
	{
		int32_t what = (int32_t) queue[i];
		WalkNode *out = &scorer->nodes[root + i];

		if (what < 0)
		{
			out->left = root + i;
			out->set = SET_STAY;
			scorer->node_values[root + i] = tree->values[~what];
			continue;
		}
		const MlTreeNode *node = &tree->nodes[what];

		out->feature = place[node->feature];
		out->left = root + n;
		if (node->set)
		{
			out->set = (*next_set)++;
			memcpy(scorer->sets + (size_t) out->set * ML_TREE_SET_WORDS, node->set,
				   ML_TREE_SET_WORDS * sizeof(uint32_t));
		}
		else
			out->set = 2u * node->cut + node->missing_left;
		queue[n++] = (uint32_t) node->left;
		queue[n++] = (uint32_t) node->right;
	}
	return root + n;
}

static MlStatus
build_walks(MlArena *arena, const MlTreeEnsemble *ensemble, const uint32_t *place,
			uint32_t max_leaves, MlTreeScorer *scorer)
{
	size_t n_nodes = 0, n_sets = SET_STAY + 1;
	uint32_t at = 0, next_set = SET_STAY + 1;
	uint32_t *queue;

	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		const MlTree *tree = &ensemble->trees[t];

		n_nodes += 2 * (size_t) tree->n_leaves - 1;
		for (uint32_t i = 0; i + 1 < tree->n_leaves; i++)
			n_sets += tree->nodes[i].set != NULL;
	}
	if (n_nodes > UINT32_MAX / 2)
		return ml_fail(arena->env, ML_EINVAL, "the trees have too many nodes: %zu", n_nodes);
	scorer->roots = ml_arena_array(arena, ensemble->n_trees, sizeof(uint32_t));
	scorer->nodes = ml_arena_array(arena, n_nodes, sizeof(WalkNode));
	scorer->node_values = ml_arena_array(arena, n_nodes, sizeof(float));
	scorer->sets = ml_arena_array(arena, n_sets, ML_TREE_SET_WORDS * sizeof(uint32_t));
	if (!scorer->roots || !scorer->nodes || !scorer->node_values || !scorer->sets)
		return ML_ENOMEM;
	queue = ml_alloc_array(arena->env, 2 * (size_t) max_leaves, sizeof(*queue));
	if (!queue)
		return ML_ENOMEM;
	fill_numeric_sets(scorer->sets);
	for (uint32_t t = 0; t < ensemble->n_trees; t++)
	{
		scorer->roots[t] = at;
		at = lay_tree(&ensemble->trees[t], place, queue, at, &next_set, scorer);
	}
	ml_free(arena->env, queue);
	return ML_OK;
}

/* Choose the way of scoring and build it. place: room for n_features numbers. */
static MlStatus
build_scorer(MlArena *arena, const MlTreeEnsemble *ensemble, const uint8_t *used, uint32_t *place,
			 uint32_t max_leaves, MlTreeScorer *scorer)
{
	scorer->active = ml_arena_array(arena, ensemble->n_features, sizeof(ScoreFeature));
	if (!scorer->active)
		return ML_ENOMEM;
	list_features(ensemble, used, scorer, place);
	ML_TRY(pad_cuts(arena, ensemble, scorer));
	scorer->leaf_bits = max_leaves <= 32 ? 32 : 64;
	scorer->masks = max_leaves <= MASK_LEAVES && scorer->n_active <= MASK_FEATURES;
	if (scorer->masks && table_bytes(ensemble, scorer, 0) > FULL_BYTES)
		scorer->masks = table_bytes(ensemble, scorer, COARSE_SHIFT) <= TABLE_BYTES;
	return scorer->masks ? build_masks(arena, ensemble, place, scorer)
						 : build_walks(arena, ensemble, place, max_leaves, scorer);
}

/* Build the tables of the scorer; ensemble does not change after that. */
MlStatus
ml_trees_prepare(MlArena *arena, MlTreeEnsemble *ensemble)
{
	MlTreeScorer *scorer = ml_arena_alloc(arena, sizeof(*scorer));
	uint8_t *used;
	uint32_t *place;
	MlStatus status = ML_ENOMEM;

	if (!scorer)
		return ML_ENOMEM;
	used = ml_zalloc_array(arena->env, ensemble->n_features, sizeof(*used));
	place = ml_zalloc_array(arena->env, ensemble->n_features, sizeof(*place));
	if (used && place)
	{
		uint32_t max_leaves = find_used_features(ensemble, used);

		status = build_scorer(arena, ensemble, used, place, max_leaves, scorer);
	}
	ml_free(arena->env, used);
	ml_free(arena->env, place);
	if (status == ML_OK)
		ensemble->scorer = scorer;
	return status;
}

/* ---- scoring */

/* Bins of n numeric features that take equally many halvings: they advance side by side, to hide the latency. */
static inline __attribute__((always_inline)) void
search_side_by_side(const MlTreeScorer *scorer, const ScoreFeature *active, const double *x, int n,
					uint8_t *bins)
{
	const double *at[SEARCH_LANES];
	double value[SEARCH_LANES];

	for (int l = 0; l < n; l++)
	{
		at[l] = scorer->cuts + active[l].cuts;
		value[l] = x[active[l].feature];
	}
	for (size_t step = (size_t) 1 << active[0].steps >> 1; step > 0; step >>= 1)
	{
#pragma GCC unroll 8
		for (int l = 0; l < n; l++)
			at[l] += step & -(size_t) (at[l][step - 1] < value[l]); /* a mask: never a branch */
	}
	for (int l = 0; l < n; l++)
		bins[l] = value[l] != value[l] ? (uint8_t) active[l].missing
									   : (uint8_t) (at[l] - (scorer->cuts + active[l].cuts));
}

/* The bin of each active feature. */
static void
find_bins(const MlTreeEnsemble *ensemble, const double *x, uint8_t *bins)
{
	const MlTreeScorer *scorer = ensemble->scorer;
	const ScoreFeature *active = scorer->active;
	uint32_t a = 0;

	while (a < scorer->n_numeric)
	{
		uint32_t left = scorer->n_numeric - a;

		if (left >= SEARCH_LANES && active[a].steps == active[a + SEARCH_LANES - 1].steps)
		{
			search_side_by_side(scorer, active + a, x, SEARCH_LANES, bins + a);
			a += SEARCH_LANES;
		}
		else if (left >= SEARCH_LANES / 2 &&
				 active[a].steps == active[a + SEARCH_LANES / 2 - 1].steps)
		{
			search_side_by_side(scorer, active + a, x, SEARCH_LANES / 2, bins + a);
			a += SEARCH_LANES / 2;
		}
		else
		{
			search_side_by_side(scorer, active + a, x, 1, bins + a);
			a++;
		}
	}
	for (; a < scorer->n_active; a++)
		bins[a] = ml_tree_bin(&ensemble->features[active[a].feature], x[active[a].feature]);
}

/* Add the leaf values v of trees first.. to the sums: by tree number modulo n_sums. */
static inline __attribute__((always_inline)) void
add_values(const float *v, uint32_t first, uint32_t n, double *sums, uint32_t n_sums)
{
	uint32_t t = 0, k = first % n_sums;

	if (n_sums == 4 && k == 0)
	{
		double a = sums[0], b = sums[1], c = sums[2], d = sums[3];

		for (; t + 4 <= n; t += 4)
		{
			a += v[t];
			b += v[t + 1];
			c += v[t + 2];
			d += v[t + 3];
		}
		sums[0] = a;
		sums[1] = b;
		sums[2] = c;
		sums[3] = d;
	}
	for (; t < n; t++)
	{
		sums[k] += v[t];
		if (++k == n_sums)
			k = 0;
	}
}

/* AND the lines of one row into acc[0..n_words-1]. */
static inline __attribute__((always_inline)) void
and_lines(const ScoreGroup *group, const uint32_t *lines, uint32_t n_lines, uint64_t *acc)
{
	const uint64_t *line[MASK_FEATURES];

	for (uint32_t a = 0; a < n_lines; a++)
		line[a] = group->table + lines[a] * group->n_words;
	for (size_t c = 0; c < group->n_words; c += CHUNK_WORDS)
	{
		Chunk chunk = ~(Chunk){0};

		for (uint32_t a = 0; a < n_lines; a++)
			chunk &= *(const Chunk *) (line[a] + c);
		*(Chunk *) (acc + c) = chunk;
	}
}

/* Apply the nodes whose cut lies inside a coarse line, below the row's bin. */
static inline __attribute__((always_inline)) void
and_fine(const MlTreeScorer *scorer, const ScoreGroup *group, const uint8_t *bins, uint64_t *acc)
{
	for (uint32_t a = 0; a < scorer->n_numeric; a++)
	{
		const ScoreFeature *active = &scorer->active[a];
		const uint32_t *start = group->fine_start + active->fine;
		uint32_t bin = bins[a] == active->missing ? 0 : bins[a];
		uint32_t end = start[bin];

		for (uint32_t i = start[bin >> scorer->shift << scorer->shift]; i < end; i++)
			acc[group->fine[i].word] &= group->fine[i].mask;
	}
}

/* The leaf values of a group's trees, from what is left of their masks. */
static inline __attribute__((always_inline)) void
exit_values(const MlTreeScorer *scorer, const ScoreGroup *group, const uint64_t *acc, float *v)
{
	if (scorer->leaf_bits == 64)
	{
		for (uint32_t t = 0; t < group->n_trees; t++)
			v[t] = group->values[t * 64 + (uint32_t) __builtin_ctzll(acc[t])];
		return;
	}
	for (uint32_t t = 0; t < group->n_trees; t += 2)
	{
		uint32_t low = (uint32_t) acc[t / 2], high = (uint32_t) (acc[t / 2] >> 32);

		/* an odd last tree has a neighbour of ones, for which there is room */
		v[t] = group->values[t * 32 + (uint32_t) __builtin_ctz(low)];
		v[t + 1] = group->values[t * 32 + 32 + (uint32_t) __builtin_ctz(high)];
	}
}

ML_CLONES static void
score_masks(const MlTreeEnsemble *ensemble, const double *x, double *sums, uint32_t n_sums)
{
	const MlTreeScorer *scorer = ensemble->scorer;
	uint8_t bins[MASK_FEATURES];
	uint32_t lines[MASK_FEATURES];
	uint64_t acc[GROUP_TREES] __attribute__((aligned(CACHE_LINE)));
	float v[GROUP_TREES];

	find_bins(ensemble, x, bins);
	for (uint32_t a = 0; a < scorer->n_active; a++)
	{
		const ScoreFeature *active = &scorer->active[a];
		uint32_t line = bins[a];

		if (a < scorer->n_numeric)
			line = line == active->missing ? active->missing_line : line >> scorer->shift;
		lines[a] = active->first_line + line;
	}
	for (uint32_t g = 0; g < scorer->n_groups; g++)
	{
		const ScoreGroup *group = &scorer->groups[g];

		and_lines(group, lines, scorer->n_active, acc);
		if (scorer->shift > 0)
			and_fine(scorer, group, bins, acc);
		exit_values(scorer, group, acc, v);
		add_values(v, group->first_tree, group->n_trees, sums, n_sums);
	}
}

/* Walk n trees at once until none of them moves. */
static inline __attribute__((always_inline)) void
walk_trees(const MlTreeScorer *scorer, const uint8_t *bins, uint32_t first, uint32_t n, float *v)
{
	uint32_t at[WALK_LANES], before[WALK_LANES];
	bool moved;

	for (uint32_t l = 0; l < n; l++)
		at[l] = scorer->roots[first + l];
	do
	{
		moved = false;
		memcpy(before, at, sizeof(at));
		for (int step = 0; step < 2; step++)
		{
#pragma GCC unroll 16
			for (uint32_t l = 0; l < n; l++)
			{
				const WalkNode *node = &scorer->nodes[at[l]];
				uint32_t bin = bins[node->feature];
				const uint32_t *set = scorer->sets + (size_t) node->set * ML_TREE_SET_WORDS;

				at[l] = node->left + (~(set[bin / 32] >> bin % 32) & 1);
			}
		}
		for (uint32_t l = 0; l < n; l++)
			moved |= at[l] != before[l];
	} while (moved);
	for (uint32_t l = 0; l < n; l++)
		v[l] = scorer->node_values[at[l]];
}

static void
score_walks(const MlTreeEnsemble *ensemble, const double *x, double *sums, uint32_t n_sums)
{
	const MlTreeScorer *scorer = ensemble->scorer;
	uint8_t bins[ML_MAX_SLOTS];
	float v[WALK_LANES];

	find_bins(ensemble, x, bins);
	for (uint32_t a = 0; a < scorer->n_numeric; a++)
	{
		if (bins[a] == scorer->active[a].missing)
			bins[a] = WALK_MISSING;
	}
	for (uint32_t t = 0; t < ensemble->n_trees; t += WALK_LANES)
	{
		uint32_t left = ensemble->n_trees - t;

		if (left >= WALK_LANES)
			walk_trees(scorer, bins, t, WALK_LANES, v);
		else
			walk_trees(scorer, bins, t, left, v);
		add_values(v, t, ML_MIN(left, WALK_LANES), sums, n_sums);
	}
}

/* out: n_outputs raw sums for feature vector x, the same bits on every machine. */
void
ml_trees_score(const MlTreeEnsemble *ensemble, const double *x, double *out)
{
	double lanes[4] = {0};
	double *sums = ensemble->n_outputs == 1 ? lanes : out;
	uint32_t n_sums = ensemble->n_outputs == 1 ? 4 : ensemble->n_outputs;

	memset(out, 0, ensemble->n_outputs * sizeof(*out));
	if (ensemble->scorer->masks)
		score_masks(ensemble, x, sums, n_sums);
	else
		score_walks(ensemble, x, sums, n_sums);
	if (ensemble->n_outputs == 1)
		out[0] = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
	for (uint32_t k = 0; k < ensemble->n_outputs; k++)
		out[k] += ensemble->base[k];
}
