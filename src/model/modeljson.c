/*
 * modeljson.c
 *		Everything of a model that its views show, as one JSON object.
 *
 *		inputs			name, SQL type, kind, levels in the order of their codes
 *		features		what algorithms see: name, input, part ("epoch" of a date)
 *		formula			where prediction = link(base + scale * sum): the link, and base and scale by output;
 *						the sum is that of the leaves that a row ends in, or of coefficient * column
 *		columns			of a linear method's design: feature, level (or "missing"), the mean that replaces a missing
 *						number, and a coefficient for each output
 *		trees			by tree its output and nodes; a node has "left" and "right" (places in the list) and a test
 *						(left: x <= threshold, or one of levels_left), or a value (of a vote on classes: probabilities)
 *		coefficients	of other methods: clusters, components
 *
 * Numbers read back as the same doubles; infinite ones, which JSON lacks, are strings.
 */
#include <math.h>
#include <string.h>

#include "model/modeljson.h"

typedef struct Writer
{
	MlEnv *env;
	const MlModel *model;
	MlJsonWriter json;
	/* children of the tree at hand, by node */
	uint32_t *child;
	size_t n_nodes, capacity;
	bool counting; /* the children are noted */
	uint32_t tree; /* the one whose nodes are written; none yet: UINT32_MAX */
} Writer;

/* A number, or a string where JSON has none. */
static void
put_number(Writer *w, const char *key, double value)
{
	if (isinf(value))
		ml_json_text(&w->json, key, value > 0 ? "Infinity" : "-Infinity");
	else
		ml_json_number(&w->json, key, value);
}

/* ---- what the model knows of its rows */

static void
put_inputs(Writer *w)
{
	const MlSchema *schema = w->model->schema;

	ml_json_open(&w->json, "inputs", '[');
	for (uint32_t i = 0; i < schema->n_inputs; i++)
	{
		const MlInput *input = &schema->inputs[i];

		ml_json_open(&w->json, NULL, '{');
		ml_json_text(&w->json, "name", input->name);
		ml_json_text(&w->json, "type", input->type_name);
		ml_json_text(&w->json, "kind", ml_kind_name(input->kind));
		if (input->kind == ML_BLOCK)
			ml_json_number(&w->json, "length", input->n_slots);
		if (input->kind == ML_CATEGORICAL)
		{
			ml_json_open(&w->json, "levels", '[');
			for (uint32_t code = 0; code < ml_dict_size(input->levels); code++)
				ml_json_text(&w->json, NULL, ml_dict_text(input->levels, code));
			ml_json_close(&w->json, ']');
		}
		ml_json_close(&w->json, '}');
	}
	ml_json_close(&w->json, ']');
}

static void
put_features(Writer *w)
{
	static const char *const parts[] = {"value", "epoch", "year", "month", "day", "dow", "hour"};
	const MlSchema *schema = w->model->schema;

	ml_json_open(&w->json, "features", '[');
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		const MlFeature *feature = &schema->features[j];

		ml_json_open(&w->json, NULL, '{');
		ml_json_text(&w->json, "name", feature->name);
		ml_json_number(&w->json, "input", feature->input);
		ml_json_text(&w->json, "part", parts[feature->part]);
		ml_json_close(&w->json, '}');
	}
	ml_json_close(&w->json, ']');
}

static void
put_head(Writer *w)
{
	const MlModel *model = w->model;

	ml_json_text(&w->json, "format", "mlplat model 1");
	ml_json_text(&w->json, "algorithm", model->algo->name);
	ml_json_text(&w->json, "task", ml_task_name(model->task));
	ml_json_text(&w->json, "target", model->target);
	ml_json_open(&w->json, "classes", '[');
	for (uint32_t k = 0; k < model->n_classes; k++)
		ml_json_text(&w->json, NULL, model->classes[k]);
	ml_json_close(&w->json, ']');
	if (model->n_classes == 2)
		ml_json_number(&w->json, "threshold", model->threshold);
	ml_json_bool(&w->json, "calibrated", model->calibration != NULL);
}

/* ---- linear methods */

static void
put_column(Writer *w, const MlFormula *formulas, uint32_t c)
{
	const MlDesign *design = formulas[0].design;
	const MlDesignColumn *column = &design->columns[c];
	const MlFeature *feature = &w->model->schema->features[column->feature];

	ml_json_open(&w->json, NULL, '{');
	ml_json_text(&w->json, "feature", feature->name);
	if (column->level >= 0)
		ml_json_text(&w->json, "level",
					 ml_dict_text(w->model->schema->inputs[feature->input].levels,
								  (uint32_t) column->level));
	else if (column->level == ML_DESIGN_MISSING)
		ml_json_bool(&w->json, "missing", true);
	else
		put_number(w, "mean", column->mean);
	ml_json_open(&w->json, "coefficients", '[');
	for (uint32_t k = 0; k < w->model->n_outputs; k++)
		put_number(w, NULL, formulas[k].coefficient[c]);
	ml_json_close(&w->json, ']');
	ml_json_close(&w->json, '}');
}

/* The formula, and the columns of a design. */
static MlStatus
put_formula(Writer *w)
{
	static const char *const links[] = {"identity", "exp", "sigmoid", "softmax"};
	uint32_t n = w->model->n_outputs;
	MlFormula *formulas = ml_alloc_array(w->env, n, sizeof(*formulas));

	if (!formulas)
		return ML_ENOMEM;
	for (uint32_t k = 0; k < n; k++)
		w->model->algo->formula(w->model->fitted, k, &formulas[k]);
	ml_json_open(&w->json, "formula", '{');
	ml_json_text(&w->json, "link", links[formulas[0].link]);
	ml_json_open(&w->json, "outputs", '[');
	for (uint32_t k = 0; k < n; k++)
	{
		ml_json_open(&w->json, NULL, '{');
		put_number(w, "base", formulas[k].base);
		put_number(w, "scale", formulas[k].scale);
		ml_json_close(&w->json, '}');
	}
	ml_json_close(&w->json, ']');
	ml_json_close(&w->json, '}');
	if (formulas[0].design)
	{
		ml_json_open(&w->json, "columns", '[');
		for (uint32_t c = 0; c < formulas[0].design->n_columns; c++)
			put_column(w, formulas, c);
		ml_json_close(&w->json, ']');
	}
	ml_free(w->env, formulas);
	return ML_OK;
}

/* ---- trees */

/* Where a row goes from an inner node. */
static void
put_test(Writer *w, const MlNode *node, const uint32_t *child)
{
	const MlFeature *feature = &w->model->schema->features[node->feature];

	ml_json_text(&w->json, "feature", feature->name);
	if (node->levels)
	{
		const MlDict *levels = w->model->schema->inputs[feature->input].levels;

		ml_json_open(&w->json, "levels_left", '[');
		for (uint32_t i = 0; i < node->n_levels; i++)
			ml_json_text(&w->json, NULL, ml_dict_text(levels, node->levels[i]));
		ml_json_close(&w->json, ']');
		ml_json_bool(&w->json, "unseen_left", node->unseen_left);
	}
	else
		put_number(w, "threshold", node->threshold); /* left: x <= threshold */
	ml_json_bool(&w->json, "missing_left", node->missing_left);
	ml_json_number(&w->json, "left", child[0]);
	ml_json_number(&w->json, "right", child[1]);
}

static void
put_node(Writer *w, const MlNode *node, const uint32_t *child)
{
	ml_json_open(&w->json, NULL, '{');
	if (!node->is_leaf)
		put_test(w, node, child);
	else if (node->probabilities)
	{
		ml_json_open(&w->json, "probabilities", '[');
		for (uint32_t k = 0; k < w->model->n_classes; k++)
			put_number(w, NULL, node->probabilities[k]);
		ml_json_close(&w->json, ']');
	}
	else
		put_number(w, "value", node->value);
	put_number(w, "rows", node->rows);
	ml_json_close(&w->json, '}');
}

/* The first reading notes children, in the order of emission; the second writes. */
static MlStatus
take_node(void *arg, const MlNode *node)
{
	Writer *w = arg;

	if (w->tree != node->tree)
	{
		if (!w->counting && w->tree != UINT32_MAX)
		{
			ml_json_close(&w->json, ']');
			ml_json_close(&w->json, '}');
		}
		w->tree = node->tree;
		if (!w->counting)
		{
			ml_json_open(&w->json, NULL, '{');
			if (!node->probabilities)
				ml_json_number(&w->json, "output", node->class_index);
			ml_json_open(&w->json, "nodes", '[');
		}
	}
	if (!w->counting)
	{
		put_node(w, node, w->child + 2 * w->n_nodes++);
		return w->json.out->status;
	}
	ML_TRY(ml_grow(w->env, &w->child, &w->capacity, 2 * (w->n_nodes + 1), sizeof(*w->child)));
	w->child[2 * w->n_nodes] = w->child[2 * w->n_nodes + 1] = 0;
	if (node->parent >= 0)
		w->child[2 * (w->n_nodes - node->node + (size_t) node->parent) + !node->is_left] =
			node->node;
	w->n_nodes++;
	return ML_OK;
}

static MlStatus
put_trees(Writer *w)
{
	const MlModel *model = w->model;

	w->counting = true;
	w->tree = UINT32_MAX;
	ML_TRY(model->algo->nodes(w->env, model->fitted, model->schema, take_node, w));
	w->counting = false;
	w->n_nodes = 0;
	w->tree = UINT32_MAX;
	ml_json_open(&w->json, "trees", '[');
	ML_TRY(model->algo->nodes(w->env, model->fitted, model->schema, take_node, w));
	if (w->tree != UINT32_MAX)
	{
		ml_json_close(&w->json, ']');
		ml_json_close(&w->json, '}');
	}
	ml_json_close(&w->json, ']');
	return ML_OK;
}

/* ---- coefficients */

static MlStatus
put_coefficient(void *arg, const MlCoefficient *row)
{
	Writer *w = arg;

	ml_json_open(&w->json, NULL, '{');
	ml_json_text(&w->json, "feature", row->feature);
	if (row->class_index >= 0)
		ml_json_number(&w->json, "group", row->class_index);
	put_number(w, "value", row->value);
	ml_json_close(&w->json, '}');
	return w->json.out->status;
}

static MlStatus
put_coefficients(Writer *w)
{
	const MlModel *model = w->model;

	ml_json_open(&w->json, "coefficients", '[');
	ML_TRY(model->algo->coefficients(w->env, model->fitted, model->schema, put_coefficient, w));
	ml_json_close(&w->json, ']');
	return ML_OK;
}

/* ---- the whole */

/* The facts, if they are JSON: anyone can make an image. */
static MlStatus
put_info(Writer *w, const char *info, size_t info_len)
{
	MlArena arena;
	MlJson *json;
	MlStatus status;

	ml_arena_init(&arena, w->env);
	status = ml_json_parse(&arena, info, info_len, &json);
	ml_arena_free(&arena);
	if (status == ML_EINVAL)
		return ml_corrupt(w->env, "its facts are not JSON");
	ML_TRY(status);
	ml_json_raw(&w->json, "info", info, info_len);
	return ML_OK;
}

static MlStatus
put_model(Writer *w, const char *info, size_t info_len)
{
	const MlAlgo *algo = w->model->algo;

	ml_json_open(&w->json, NULL, '{');
	put_head(w);
	put_inputs(w);
	put_features(w);
	if (algo->formula)
		ML_TRY(put_formula(w));
	if (algo->nodes)
		ML_TRY(put_trees(w));
	if (algo->coefficients)
		ML_TRY(put_coefficients(w));
	ML_TRY(put_info(w, info, info_len));
	ml_json_close(&w->json, '}');
	return w->json.out->status;
}

MlStatus
ml_model_json(MlEnv *env, const MlModel *model, const char *info, size_t info_len, MlBuffer *out)
{
	Writer w = {.env = env, .model = model};
	MlStatus status;

	if (!model->algo->nodes && !model->algo->coefficients)
		return ml_fail(env, ML_EINVAL,
					   "a model of algorithm \"%s\" has neither trees nor coefficients to export",
					   model->algo->name);
	if (model->prep)
		return ml_fail(env, ML_EINVAL, "a model whose columns are prepared cannot be exported");
	ml_json_writer(&w.json, out);
	status = put_model(&w, info, info_len);
	ml_free(env, w.child);
	return status;
}
