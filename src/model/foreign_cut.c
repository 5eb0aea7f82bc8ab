/*
 * foreign_cut.c
 *		A tree that tests a feature too often for an ensemble, as a sum of smaller ones.
 *
 * Take a subtree out of a tree and put a leaf of value 0 in its place; and make
 * another tree of the way to that subtree, with leaves of value 0 wherever the way
 * is left, and the subtree. Their sum predicts what the tree predicts. The rows
 * of all leaves are kept, so that Shapley values, which are linear in the trees, stay the same, too.
 *
 * Subtrees are taken from the bottom, as soon as they have PIECE_NODES nodes; none then has more than twice as many.
 */
#include "model/foreign_inner.h"

#define PIECE_NODES 100
#define NOT_THERE UINT32_MAX

/* By cell of the tree, in arrays. */
typedef struct Cutter
{
	const MlForeignTree *tree;
	const uint32_t *order; /* of its n cells, parents first */
	uint32_t n;
	MlArena *arena;
	uint32_t *parent;
	uint32_t *size; /* nodes below and at it that were not taken out */
	double *rows;
	bool *taken;     /* it is the root of a piece */
	uint8_t *part;   /* of the piece at hand */
	uint32_t *place; /* in the piece at hand */
} Cutter;

/* What a cell is in a piece. */
enum
{
	NO_PART = 0,
	WAY,     /* from the root to the piece's own subtree */
	NOTHING, /* a leaf of value 0 */
	SELF
};

static MlStatus
make_room(Cutter *c)
{
	size_t n = c->tree->n_cells;

	c->parent = ml_arena_array(c->arena, n, sizeof(*c->parent));
	c->size = ml_arena_array(c->arena, n, sizeof(*c->size));
	c->rows = ml_arena_array(c->arena, n, sizeof(*c->rows));
	c->taken = ml_arena_array(c->arena, n, sizeof(*c->taken));
	c->part = ml_arena_array(c->arena, n, sizeof(*c->part));
	c->place = ml_arena_array(c->arena, n, sizeof(*c->place));
	return c->parent && c->size && c->rows && c->taken && c->part && c->place ? ML_OK : ML_ENOMEM;
}

/* Sizes and rows from the leaves up; marks the subtrees that are taken out, and returns how many pieces there are. */
static size_t
plan(Cutter *c)
{
	size_t n_pieces = 1;

	c->parent[c->order[0]] = NOT_THERE;
	for (uint32_t i = c->n; i-- > 0;)
	{
		uint32_t at = c->order[i];
		const MlForeignCell *cell = &c->tree->cells[at];

		if (cell->leaf)
		{
			c->rows[at] = cell->rows > 0 ? cell->rows : 0;
			continue;
		}
		c->parent[cell->left] = c->parent[cell->right] = at;
		c->rows[at] = c->rows[cell->left] + c->rows[cell->right];
		c->size[at] = 1 + c->size[cell->left] + c->size[cell->right];
		if (c->size[at] < PIECE_NODES || i == 0)
			continue;
		c->taken[at] = true;
		c->size[at] = 0;
		n_pieces++;
	}
	return n_pieces;
}

/* What each cell is in the piece below top, and its place there; returns the number of the piece's cells. */
static uint32_t
choose_parts(Cutter *c, uint32_t top)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n; i++)
		c->part[c->order[i]] = NO_PART;
	for (uint32_t at = c->parent[top]; at != NOT_THERE; at = c->parent[at])
		c->part[at] = WAY;
	for (uint32_t i = 0; i < c->n; i++)
	{
		uint32_t at = c->order[i], parent = c->parent[at];

		if (at == top)
			c->part[at] = SELF;
		else if (c->part[at] == NO_PART && parent != NOT_THERE && c->part[parent] == WAY)
			c->part[at] = NOTHING;
		else if (c->part[at] == NO_PART && parent != NOT_THERE && c->part[parent] == SELF)
			c->part[at] = c->taken[at] ? NOTHING : SELF;
		if (c->part[at] != NO_PART)
			c->place[at] = n++;
	}
	return n;
}

static MlStatus
make_piece(Cutter *c, uint32_t top, MlForeignTree *piece)
{
	piece->output = c->tree->output;
	piece->n_cells = choose_parts(c, top);
	piece->cells = ml_arena_array(c->arena, piece->n_cells, sizeof(*piece->cells));
	if (!piece->cells)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < c->n; i++)
	{
		uint32_t at = c->order[i];
		MlForeignCell *cell = &piece->cells[c->place[at]];

		if (c->part[at] == NO_PART)
			continue;
		if (c->part[at] == NOTHING)
		{
			*cell = (MlForeignCell){.leaf = true, .rows = c->rows[at]};
			continue;
		}
		*cell = c->tree->cells[at];
		if (cell->leaf)
			continue;
		cell->left = c->place[cell->left];
		cell->right = c->place[cell->right];
	}
	return ml_poll(c->arena->env);
}

MlStatus
ml_foreign_cut(MlArena *arena, const MlForeignTree *tree, const uint32_t *order, uint32_t n,
			   MlForeignTree **pieces, size_t *n_pieces)
{
	Cutter c = {.tree = tree, .order = order, .n = n, .arena = arena};
	size_t made = 0;

	ML_TRY(make_room(&c));
	*n_pieces = plan(&c);
	*pieces = ml_arena_array(arena, *n_pieces, sizeof(**pieces));
	if (!*pieces)
		return ML_ENOMEM;
	ML_TRY(make_piece(&c, order[0], &(*pieces)[made++]));
	for (uint32_t i = 1; i < n; i++)
		if (c.taken[order[i]])
			ML_TRY(make_piece(&c, order[i], &(*pieces)[made++]));
	return ML_OK;
}
