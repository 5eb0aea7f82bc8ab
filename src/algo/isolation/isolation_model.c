/*
 * isolation_model.c
 *		A grown isolation forest: scores, bytes, nodes for the views.
 */
#include <math.h>

#include "algo/isolation/isolation.h"

#define TOGETHER 8 /* trees walked at the same time, so that their loads overlap */

/* ---- scores */

/* The leaf's path length of a row in one tree (Algorithm 3). */
static inline double
path_length(const MlIsoModel *model, uint32_t tree, const double *x)
{
	const MlIsoNode *nodes = model->nodes + model->first[tree];
	uint32_t at = 0;

	while (nodes[at].right != 0)
		at = ml_iso_goes_left(model, &nodes[at], x) ? at + 1 : nodes[at].right;
	return nodes[at].value;
}

/* The sum of path lengths over TOGETHER trees; all take a step, until none is left that can. */
static double
path_lengths(const MlIsoModel *model, uint32_t tree, const double *x)
{
	const MlIsoNode *at[TOGETHER], *first[TOGETHER];
	bool moved = true;
	double sum = 0;

	for (int t = 0; t < TOGETHER; t++)
		at[t] = first[t] = model->nodes + model->first[tree + (uint32_t) t];
	while (moved)
	{
		moved = false;
		for (int t = 0; t < TOGETHER; t++)
			if (at[t]->right != 0)
			{
				at[t] = ml_iso_goes_left(model, at[t], x) ? at[t] + 1 : first[t] + at[t]->right;
				moved = true;
			}
	}
	for (int t = 0; t < TOGETHER; t++)
		sum += at[t]->value;
	return sum;
}

/* E[h(x)] */
double
ml_iso_path_length(const MlIsoModel *model, const double *x)
{
	double sum = 0;
	uint32_t t = 0;

	for (; t + TOGETHER <= model->n_trees; t += TOGETHER)
		sum += path_lengths(model, t, x);
	for (; t < model->n_trees; t++)
		sum += path_length(model, t, x);
	return sum / model->n_trees;
}

/* The anomaly score, equation 2: near 1 an anomaly, well below 0.5 none. */
void
ml_iso_predict(const void *fitted, const double *x, double *out)
{
	const MlIsoModel *model = fitted;

	*out = exp2(-ml_iso_path_length(model, x) / model->normal);
}

/* Microseconds of a prediction: 5 ns a step. */
double
ml_iso_row_cost(const void *fitted)
{
	const MlIsoModel *model = fitted;

	return 5e-3 * model->n_trees * log2((double) model->psi + 1);
}

/* ---- bytes */

void
ml_iso_save(const void *fitted, MlBuffer *out)
{
	const MlIsoModel *model = fitted;

	ml_put_u32(out, model->psi);
	ml_put_f64(out, model->normal);
	ml_put_f64(out, model->threshold);
	ml_put_u32(out, model->n_trees);
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		ml_put_u32(out, (uint32_t) (model->first[t + 1] - model->first[t]));
		for (size_t i = model->first[t]; i < model->first[t + 1]; i++)
		{
			ml_put_f64(out, model->nodes[i].value);
			ml_put_u32(out, model->nodes[i].right);
			ml_put_u32(out, model->nodes[i].feature);
			ml_put_u32(out, model->rows[i]);
		}
		if (out->status == ML_OK)
			out->status = ml_poll(out->env);
	}
}

/* One node by itself. */
static bool
node_is_sound(const MlIsoModel *model, const MlIsoNode *node)
{
	uint32_t feature = node->feature & ISO_FEATURE;

	if (!isfinite(node->value))
		return false;
	if (node->right == 0)
		return node->feature == 0 && node->value >= 0 && node->value <= 1000;
	if (feature >= model->n_features ||
		!(node->feature & ISO_LEVELS) != (model->n_levels[feature] == 0))
		return false;
	/* Seeds are what a uint64_t and a double both hold. */
	return !(node->feature & ISO_LEVELS) || (node->value >= 0 && node->value <= 0x1p52);
}

/*
 * The nodes of a tree are those of a walk that goes left first: after a leaf comes the right child of the
 * last node that still lacks one. Children's rows add up to their parent's.
 */
static bool
tree_is_sound(const MlIsoModel *model, size_t first, uint32_t n)
{
	const MlIsoNode *nodes = model->nodes + first;
	const uint32_t *rows = model->rows + first;
	struct
	{
		uint32_t node, level;
	} waiting[ISO_MAX_DEPTH + 1]; /* right children: at most one a level */
	uint32_t level = 0;
	int depth = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		if (!node_is_sound(model, &nodes[i]) || rows[i] == 0 || level > ISO_MAX_DEPTH)
			return false;
		if (nodes[i].right != 0)
		{
			/* There is a right child, behind the left one. */
			if (depth > ISO_MAX_DEPTH || nodes[i].right <= i + 1 || nodes[i].right >= n ||
				(uint64_t) rows[i + 1] + rows[nodes[i].right] != rows[i])
				return false;
			waiting[depth].node = nodes[i].right;
			waiting[depth++].level = ++level;
		}
		else if (depth == 0)
			return i + 1 == n;
		else if (waiting[--depth].node != i + 1)
			return false;
		else
			level = waiting[depth].level;
	}
	return false;
}

/* The trees, one by one. */
static MlStatus
load_trees(MlReader *in, MlIsoModel *model, size_t room)
{
	size_t at = 0;

	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		uint32_t n = ml_get_count(in, 20);

		ML_TRY(ml_reader_check(in, "isolation_forest: nodes"));
		if (n == 0 || n > room - at)
			return ml_corrupt(in->env, "isolation_forest: number of nodes");
		for (size_t i = at; i < at + n; i++)
		{
			model->nodes[i].value = ml_get_f64(in);
			model->nodes[i].right = ml_get_u32(in);
			model->nodes[i].feature = ml_get_u32(in);
			model->rows[i] = ml_get_u32(in);
		}
		ML_TRY(ml_reader_check(in, "isolation_forest: nodes"));
		if (!tree_is_sound(model, at, n))
			return ml_corrupt(in->env, "isolation_forest: a tree");
		model->first[t] = at;
		at += n;
	}
	model->first[model->n_trees] = at;
	return ML_OK;
}

/* Read a model from hostile bytes. */
MlStatus
ml_iso_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **out)
{
	MlIsoModel *model = ml_arena_alloc(arena, sizeof(*model));
	size_t room;

	if (!model)
		return ML_ENOMEM;
	model->n_features = schema->n_features;
	model->psi = ml_get_u32(in);
	model->normal = ml_get_f64(in);
	model->threshold = ml_get_f64(in);
	model->n_trees = ml_get_count(in, 24);
	ML_TRY(ml_reader_check(in, "isolation_forest: head"));
	if (n_outputs != 1 || model->n_trees == 0 || model->psi == 0 || model->psi > ISO_MAX_SAMPLES ||
		!(model->normal >= 1 && model->normal <= 1000) || isinf(model->threshold))
		return ml_corrupt(in->env, "isolation_forest: head");
	room = (in->len - in->pos) / 20;
	model->first = ml_arena_array(arena, (size_t) model->n_trees + 1, sizeof(size_t));
	model->nodes = ml_arena_array(arena, room, sizeof(MlIsoNode));
	model->rows = ml_arena_array(arena, room, sizeof(uint32_t));
	model->n_levels = ml_arena_array(arena, schema->n_features, sizeof(uint32_t));
	if (!model->first || !model->nodes || !model->rows || !model->n_levels)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < schema->n_features; j++)
		if (schema->features[j].categorical)
			model->n_levels[j] = ML_MAX(schema->features[j].n_levels, 1);
	ML_TRY(load_trees(in, model, room));
	*out = model;
	return ML_OK;
}

/* ---- nodes for the views */

/* The levels that go left. */
static void
list_levels(const MlIsoModel *model, const MlIsoNode *node, uint32_t *levels, MlNode *row)
{
	row->levels = levels;
	for (uint32_t code = 0; code < model->n_levels[row->feature]; code++)
		if (ml_iso_level_left(node->value, code))
			levels[row->n_levels++] = code;
}

/* All nodes of one tree. */
static MlStatus
emit_tree(const MlIsoModel *model, uint32_t tree, uint32_t *levels, MlNodeFn emit, void *arg)
{
	size_t first = model->first[tree];
	uint32_t n = (uint32_t) (model->first[tree + 1] - first), parents[ISO_MAX_DEPTH + 2];
	uint32_t depth = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		const MlIsoNode *node = &model->nodes[first + i];
		MlNode row = {.tree = tree,
					  .node = i,
					  .parent = depth > 0 ? (int64_t) parents[depth - 1] : -1,
					  .is_left = depth > 0 && parents[depth - 1] + 1 == i,
					  .depth = depth,
					  .is_leaf = node->right == 0,
					  .feature = node->feature & ISO_FEATURE,
					  .threshold = node->feature & ISO_LEVELS ? NAN : node->value,
					  .missing_left = node->feature & ISO_MISSING_LEFT,
					  .gain = NAN,
					  .rows = model->rows[first + i],
					  .impurity = NAN,
					  .value = node->right == 0 ? node->value : NAN};

		if (node->feature & ISO_LEVELS)
			list_levels(model, node, levels, &row);
		ML_TRY(emit(arg, &row));
		if (node->right != 0)
			parents[depth++] = i;
		else
			/* The next node is the right child of the last one that lacks it. */
			while (depth > 0 && model->nodes[first + parents[depth - 1]].right != i + 1)
				depth--;
	}
	return ML_OK;
}

MlStatus
ml_iso_nodes(MlEnv *env, const void *fitted, const MlSchema *schema, MlNodeFn emit, void *arg)
{
	const MlIsoModel *model = fitted;
	MlStatus status = ML_OK;
	uint32_t most = 1, *levels;

	for (uint32_t j = 0; j < schema->n_features; j++)
		most = ML_MAX(most, model->n_levels[j]);
	levels = ml_alloc_array(env, most, sizeof(uint32_t));
	if (!levels)
		return ML_ENOMEM;
	for (uint32_t t = 0; t < model->n_trees && status == ML_OK; t++)
		status = emit_tree(model, t, levels, emit, arg);
	ml_free(env, levels);
	return status;
}
