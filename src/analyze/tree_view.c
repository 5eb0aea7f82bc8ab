/*
 * tree_view.c
 *		Look into trees: their nodes, one rule a leaf, as text, as a drawing for Graphviz.
 *
 * The algorithm emits its nodes; one tree at a time is kept here, in a context of
 * its own, until it is complete and can be told as a whole.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "analyze/inspect.h"
#include "analyze/tree_rule.h"
#include "analyze/tree_view.h"
#include "pg/bridge.h"
#include "pg/rows.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_tree_nodes);
PG_FUNCTION_INFO_V1(mlplat_tree_rules);
PG_FUNCTION_INFO_V1(mlplat_tree_text);
PG_FUNCTION_INFO_V1(mlplat_tree_dot);

typedef struct Viewing Viewing;

/* Trees on their way through a view. */
struct Viewing
{
	MlplatInspected *inspected;
	MlplatTree tree;
	int wanted;                     /* tree; -1: all */
	int n_seen;                     /* trees */
	MemoryContext memory;           /* of the tree */
	MemoryContext row;              /* below it: of what is told of one node */
	void (*tell)(Viewing *viewing); /* the complete tree, in the context of the row */
	Tuplestorestate *rows;
	TupleDesc desc;
	StringInfoData text;
	MlJsonWriter *json;
	int max_depth;
};

/* ---- gathering ---- */

/* Children of the nodes; values of inner ones that the algorithm does not keep are the means below them, by rows. */
static void
link_nodes(MlplatTree *tree)
{
	tree->child = palloc0(sizeof(*tree->child) * (size_t) tree->n);
	for (int i = 1; i < tree->n; i++)
		tree->child[tree->nodes[i].parent][!tree->nodes[i].is_left] = i;
	for (int i = tree->n - 1; i >= 0; i--)
	{
		MlNode *node = &tree->nodes[i];
		const MlNode *left = &tree->nodes[tree->child[i][0]],
					 *right = &tree->nodes[tree->child[i][1]];

		if (!node->is_leaf && !node->counts && isnan(node->value) && node->rows > 0)
			node->value = (left->rows * left->value + right->rows * right->value) / node->rows;
	}
}

/* Tell the tree that is complete, and make room for the next. */
static void
end_tree(Viewing *v)
{
	if (v->tree.n > 0)
	{
		MemoryContext caller = MemoryContextSwitchTo(v->memory);

		link_nodes(&v->tree);
		v->row = AllocSetContextCreate(v->memory, "mlplat tree row", ALLOCSET_DEFAULT_SIZES);
		MemoryContextSwitchTo(v->row);
		v->tell(v);
		MemoryContextSwitchTo(caller);
	}
	v->tree.n = v->tree.room = 0;
	v->tree.nodes = NULL;
	MemoryContextReset(v->memory);
}

/* Before the next node is told: conditions on many levels are not small. */
static void
begin_row(Viewing *v)
{
	CHECK_FOR_INTERRUPTS();
	MemoryContextReset(v->row);
}

static void *
copy_array(const void *from, size_t size)
{
	return from ? memcpy(palloc(size + 1), from, size) : NULL;
}

/* Keep a copy of a node. */
static MlStatus
take_node(void *arg, const MlNode *node)
{
	Viewing *v = arg;
	MemoryContext caller;
	MlNode *own;
	size_t n_classes = v->inspected->model->n_classes;

	if (node->node == 0)
	{
		end_tree(v);
		v->tree.number = (int) node->tree;
		v->n_seen = (int) node->tree + 1;
	}
	if (v->wanted >= 0 && (int) node->tree != v->wanted)
		return ML_OK;
	caller = MemoryContextSwitchTo(v->memory);
	if (v->tree.n == v->tree.room)
	{
		v->tree.room = Max(64, 2 * v->tree.room);
		v->tree.nodes = v->tree.nodes
							? repalloc_huge(v->tree.nodes, sizeof(*own) * (size_t) v->tree.room)
							: palloc(sizeof(*own) * (size_t) v->tree.room);
	}
	own = &v->tree.nodes[v->tree.n];
	*own = *node;
	own->levels = copy_array(node->levels, node->n_levels * sizeof(uint32));
	own->counts = copy_array(node->counts, n_classes * sizeof(double));
	own->probabilities = copy_array(node->probabilities, n_classes * sizeof(double));
	v->tree.n++;
	MemoryContextSwitchTo(caller);
	return ML_OK;
}

/* Let the algorithm tell the trees that are wanted. */
static void
walk_trees(Viewing *v)
{
	const MlModel *model = v->inspected->model;

	v->tree.model = model;
	v->memory =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat tree view", ALLOCSET_DEFAULT_SIZES);
	mlplat_check(v->inspected->env, model->algo->nodes(v->inspected->env, model->fitted,
													   ml_model_features(model), take_node, v));
	end_tree(v);
	MemoryContextDelete(v->memory);
}

/* Throw, unless the tree that was asked for has been seen. */
static void
check_seen(const Viewing *v)
{
	if (v->wanted >= v->n_seen)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no tree %d: the last one is %d", v->wanted, v->n_seen - 1)));
}

/* The trees of the model of argument 0. Argument 1: which one, NULL for all. */
static void
view_trees(FunctionCallInfo fcinfo, Viewing *v)
{
	const MlAlgo *algo;

	mlplat_need_arguments(fcinfo, 2);
	v->inspected = mlplat_inspect(fcinfo);
	algo = v->inspected->model->algo;
	if (!algo->nodes)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("a model of algorithm \"%s\" has no trees", algo->name)));
	v->wanted = PG_ARGISNULL(1) ? -1 : PG_GETARG_INT32(1);
	if (!PG_ARGISNULL(1) && v->wanted < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("trees are numbered from 0, there is no tree %d", v->wanted)));
	walk_trees(v);
	check_seen(v);
	mlplat_env_delete(v->inspected->env);
}

/* ---- values ---- */

/* Class labels with their figures, as jsonb; NULL where the node has none. */
static Datum
class_figures(const MlModel *model, const double *figures, bool *null)
{
	MlEnv env;
	MlBuffer json;
	MlJsonWriter w;
	Datum result;

	*null = figures == NULL || model->n_classes == 0;
	if (*null)
		return (Datum) 0;
	mlplat_env_init(&env, CurrentMemoryContext);
	ml_buffer_init(&json, &env);
	ml_json_writer(&w, &json);
	ml_json_open(&w, NULL, '{');
	for (uint32 k = 0; k < model->n_classes; k++)
		ml_json_number(&w, model->classes[k], figures[k]);
	ml_json_close(&w, '}');
	ml_put_u8(&json, 0);
	mlplat_check(&env, json.status);
	result = DirectFunctionCall1(jsonb_in, CStringGetDatum((char *) json.data));
	ml_buffer_free(&json);
	return result;
}

/* The most probable class, or the one that a boosted tree is for; NULL: none. */
static const char *
class_of(const MlModel *model, const MlNode *node)
{
	uint32 best = 0;

	if (node->probabilities && model->n_classes > 0)
	{
		for (uint32 k = 1; k < model->n_classes; k++)
			best = node->probabilities[k] > node->probabilities[best] ? k : best;
		return model->classes[best];
	}
	return model->n_outputs > 1 ? model->classes[node->class_index] : NULL;
}

static Datum
text_or_null(const char *text, bool *null)
{
	*null = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static Datum
number_or_null(double value, bool *null)
{
	*null = isnan(value);
	return Float8GetDatum(value);
}

/* The levels that go left, as text[]. */
static Datum
level_array(const MlModel *model, const MlNode *node, bool *null)
{
	const MlDict *levels;
	Datum *texts;

	*null = node->is_leaf || !node->levels;
	if (*null)
		return (Datum) 0;
	levels = ml_model_features(model)
				 ->inputs[ml_model_features(model)->features[node->feature].input]
				 .levels;
	texts = palloc(sizeof(Datum) * (node->n_levels + 1));
	for (uint32 l = 0; l < node->n_levels; l++)
		texts[l] = CStringGetTextDatum(ml_dict_text(levels, node->levels[l]));
	return PointerGetDatum(construct_array(texts, (int) node->n_levels, TEXTOID, -1, false, 'i'));
}

/* ---- tree_nodes ---- */

/* One row. */
static void
put_node(Viewing *v, int i)
{
	const MlNode *node = &v->tree.nodes[i];
	const MlModel *model = v->tree.model;
	Datum values[17];
	bool nulls[17] = {0};

	values[0] = Int32GetDatum((int32) node->tree);
	values[1] = Int32GetDatum((int32) node->node);
	nulls[2] = node->parent < 0;
	values[2] = Int32GetDatum((int32) node->parent);
	values[3] = Int32GetDatum((int32) node->depth);
	values[4] = BoolGetDatum(node->is_leaf);
	values[5] = text_or_null(mlplat_tree_condition(&v->tree, i), &nulls[5]);
	values[6] = text_or_null(
		node->is_leaf ? NULL : ml_model_features(model)->features[node->feature].name, &nulls[6]);
	values[7] = number_or_null(node->is_leaf || node->levels ? NAN : node->threshold, &nulls[7]);
	values[8] = level_array(model, node, &nulls[8]);
	values[9] = text_or_null(node->is_leaf        ? NULL
							 : node->missing_left ? "left"
												  : "right",
							 &nulls[9]);
	values[10] = Float8GetDatum(node->rows);
	values[11] = number_or_null(node->impurity, &nulls[11]);
	values[12] = number_or_null(node->gain, &nulls[12]);
	values[13] = number_or_null(node->value, &nulls[13]);
	values[14] = text_or_null(class_of(model, node), &nulls[14]);
	values[15] = class_figures(model, node->probabilities, &nulls[15]);
	values[16] = class_figures(model, node->counts, &nulls[16]);
	tuplestore_putvalues(v->rows, v->desc, values, nulls);
}

static void
tell_nodes(Viewing *v)
{
	for (int i = 0; i < v->tree.n; i++)
	{
		begin_row(v);
		put_node(v, i);
	}
}

/* tree_nodes(model, tree): one row a node. */
Datum
mlplat_tree_nodes(PG_FUNCTION_ARGS)
{
	Viewing v = {.tell = tell_nodes};

	v.rows = mlplat_rows_begin(fcinfo, 17, &v.desc);
	if (!PG_ARGISNULL(0))
		view_trees(fcinfo, &v);
	return (Datum) 0;
}

/* ---- tree_rules ---- */

/* One row. */
static void
put_rule(Viewing *v, int i)
{
	const MlNode *node = &v->tree.nodes[i];
	const MlModel *model = v->tree.model;
	Datum values[8];
	bool nulls[8] = {0};

	values[0] = Int32GetDatum((int32) node->tree);
	values[1] = Int32GetDatum((int32) node->node);
	values[2] = CStringGetTextDatum(mlplat_tree_path(&v->tree, i));
	values[3] = Float8GetDatum(node->rows);
	values[4] = number_or_null(node->value, &nulls[4]);
	values[5] = text_or_null(class_of(model, node), &nulls[5]);
	values[6] = class_figures(model, node->probabilities, &nulls[6]);
	values[7] = class_figures(model, node->counts, &nulls[7]);
	tuplestore_putvalues(v->rows, v->desc, values, nulls);
}

static void
tell_rules(Viewing *v)
{
	for (int i = 0; i < v->tree.n; i++)
	{
		begin_row(v);
		if (v->tree.nodes[i].is_leaf)
			put_rule(v, i);
	}
}

/* tree_rules(model, tree): one row a leaf. */
Datum
mlplat_tree_rules(PG_FUNCTION_ARGS)
{
	Viewing v = {.tell = tell_rules};

	v.rows = mlplat_rows_begin(fcinfo, 8, &v.desc);
	if (!PG_ARGISNULL(0))
		view_trees(fcinfo, &v);
	return (Datum) 0;
}

/* ---- text ---- */

/* "rows 30, impurity 0.5, no 0.2, yes 0.8", or the value. */
static void
put_facts(Viewing *v, const MlNode *node, const char *separator)
{
	const MlModel *model = v->tree.model;

	appendStringInfo(&v->text, "rows %.0f", node->rows);
	if (!isnan(node->impurity))
		appendStringInfo(&v->text, "%simpurity %.4g", separator, node->impurity);
	if (!isnan(node->value))
		appendStringInfo(&v->text, "%svalue %.6g", separator, node->value);
	for (uint32 k = 0; node->probabilities && k < model->n_classes; k++)
	{
		if (node->probabilities[k] > 0)
			appendStringInfo(&v->text, "%s%s %.4g", separator, model->classes[k],
							 node->probabilities[k]);
	}
}

/* A node's line. */
static void
put_line(Viewing *v, int i)
{
	const MlNode *node = &v->tree.nodes[i];
	char *condition = mlplat_tree_condition(&v->tree, i);

	for (uint32 d = 1; d < node->depth; d++)
		appendStringInfoString(&v->text, "|   ");
	appendStringInfo(&v->text, "%s%s: ", condition ? "|-- " : "",
					 condition ? condition : "all rows");
	put_facts(v, node, ", ");
	appendStringInfoChar(&v->text, '\n');
}

/* From the root down, left before right: up, as long as a right side has been told, then to the right. */
static void
tell_text(Viewing *v)
{
	const MlplatTree *tree = &v->tree;
	int i = 0;

	for (;;)
	{
		begin_row(v);
		put_line(v, i);
		if (!tree->nodes[i].is_leaf)
		{
			i = tree->child[i][0];
			continue;
		}
		while (i > 0 && !tree->nodes[i].is_left)
			i = (int) tree->nodes[i].parent;
		if (i == 0)
			return;
		i = tree->child[tree->nodes[i].parent][1];
	}
}

/* The text that a view has made of one tree. */
static Datum
text_of_tree(FunctionCallInfo fcinfo, void (*tell)(Viewing *viewing))
{
	Viewing v = {.tell = tell};

	initStringInfo(&v.text);
	view_trees(fcinfo, &v);
	return PointerGetDatum(cstring_to_text_with_len(v.text.data, v.text.len));
}

/* tree_text(model, tree): the tree with a line a node. */
Datum
mlplat_tree_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(text_of_tree(fcinfo, tell_text));
}

/* ---- Graphviz ---- */

/* Append text inside double quotes from `from` on: quotes and backslashes escaped, but for our line breaks. */
static void
escape_from(StringInfo out, int from)
{
	char *raw = pstrdup(out->data + from);

	out->len = from;
	out->data[from] = '\0';
	for (const char *c = raw; *c; c++)
	{
		if (*c == '"' || *c == '\\')
			appendStringInfoChar(out, '\\');
		if (*c == '\n')
			appendStringInfoString(out, "\\n");
		else
			appendStringInfoChar(out, *c);
	}
	pfree(raw);
}

static void
tell_dot(Viewing *v)
{
	StringInfo out = &v->text;
	int from;

	appendStringInfo(out, "digraph tree_%d {\n    node [shape=box, fontname=\"sans-serif\"];\n",
					 v->tree.number);
	for (int i = 0; i < v->tree.n; i++)
	{
		const MlNode *node = &v->tree.nodes[i];
		char *condition;

		begin_row(v);
		condition = mlplat_tree_condition(&v->tree, i);
		appendStringInfo(out, "    n%d [label=\"", i);
		from = out->len;
		put_facts(v, node, "\n");
		escape_from(out, from);
		appendStringInfoString(out, node->is_leaf ? "\", style=rounded];\n" : "\"];\n");
		if (!condition)
			continue;
		appendStringInfo(out, "    n%d -> n%d [label=\"", (int) node->parent, i);
		from = out->len;
		appendStringInfoString(out, condition);
		escape_from(out, from);
		appendStringInfoString(out, "\"];\n");
	}
	appendStringInfoString(out, "}\n");
}

/* tree_dot(model, tree): the tree as a graph for Graphviz. */
Datum
mlplat_tree_dot(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(text_of_tree(fcinfo, tell_dot));
}

/* ---- for drawings ---- */

/* One node; parent: its place among those that are told. */
static void
write_node(Viewing *v, int i, int parent)
{
	const MlNode *node = &v->tree.nodes[i];
	const MlModel *model = v->tree.model;
	MlJsonWriter *w = v->json;

	ml_json_open(w, NULL, '{');
	ml_json_text(w, "rule", mlplat_tree_brief(&v->tree, i));
	ml_json_text(w, "condition", mlplat_tree_condition(&v->tree, i));
	if (parent >= 0)
		ml_json_number(w, "parent", parent);
	ml_json_number(w, "rows", node->rows);
	if (class_of(model, node) && node->probabilities)
		ml_json_text(w, "class", class_of(model, node));
	else
		ml_json_number(w, "value", node->value);
	if (node->probabilities && model->n_classes > 0)
	{
		ml_json_open(w, "shares", '[');
		for (uint32 k = 0; k < model->n_classes; k++)
			ml_json_number(w, NULL, node->probabilities[k]);
		ml_json_close(w, ']');
	}
	ml_json_bool(w, "more", !node->is_leaf && (int) node->depth >= v->max_depth);
	ml_json_close(w, '}');
}

static void
tell_json(Viewing *v)
{
	MemoryContext caller = MemoryContextSwitchTo(v->memory);
	int *place = palloc(sizeof(int) * (size_t) v->tree.n), n = 0;

	MemoryContextSwitchTo(caller);
	ml_json_number(v->json, "number", v->tree.number);
	ml_json_open(v->json, "nodes", '[');
	for (int i = 0; i < v->tree.n; i++)
	{
		const MlNode *node = &v->tree.nodes[i];

		if ((int) node->depth > v->max_depth)
			continue;
		begin_row(v);
		write_node(v, i, node->parent < 0 ? -1 : place[node->parent]);
		place[i] = n++;
	}
	ml_json_close(v->json, ']');
}

void
mlplat_write_tree(MlplatInspected *inspected, const MlplatTreeWish *wish, MlJsonWriter *w)
{
	Viewing v = {.inspected = inspected,
				 .wanted = wish->number,
				 .tell = tell_json,
				 .json = w,
				 .max_depth = wish->max_depth};

	if (!inspected->model->algo->nodes)
		return;
	ml_json_open(w, "tree", '{');
	walk_trees(&v);
	/* boosting may have stopped before its first tree: then there is nothing to draw */
	if (v.n_seen > 0)
		check_seen(&v);
	ml_json_number(w, "trees", v.n_seen);
	ml_json_close(w, '}');
}
