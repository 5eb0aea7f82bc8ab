/*
 * sqltext.c
 *		Sums over trees or over columns of a design, written as SQL.
 *
 * The expression is a scalar subquery of three levels, so that each is computed once a row:
 *
 *		(SELECT prediction of s1, ... FROM
 *			(SELECT scores of x1, ... FROM (SELECT features OFFSET 0) AS x OFFSET 0) AS s)
 *
 * OFFSET 0 keeps the planner from writing a level into the next. The columns of
 * the row stand in the innermost level, which has no FROM, so that they can only
 * mean those of the query around it. A feature is NULL where it is missing, NaN
 * included. All operators and functions are pg_catalog's, whatever the search_path. (A model keeps a timestamp's
 * microseconds as a double, which rounds them beyond the years 1715 to 2285; SQL does not.)
 *
 * A sum of many trees is written as balanced parentheses, as the parser's stack
 * holds some thousand terms at most. exp() is held within what does not
 * overflow or underflow, which SQL takes for errors.
 */
#include <math.h>
#include <string.h>

#include "model/sqltext.h"

#define MAX_USED 1600                 /* features: a row of a subquery has up to 1,664 columns */
#define MAX_BYTES ((size_t) 64 << 20) /* of text */
#define MAX_DEPTH 256                 /* of a tree: the parser's stack */
#define EXP_MOST "700"                /* exp of it is finite, and of its negative not 0 */

/* All of them bind equally: what is multiplied stands in parentheses. */
#define OP(o) " OPERATOR(pg_catalog." o ") "

/* Words of the grammar, so that no search_path can change them. */
#define FLOAT "::double precision"

/* A node as it was emitted. */
typedef struct Node
{
	MlNode node;
	uint32_t child[2]; /* left, right */
} Node;

typedef struct Writer
{
	MlEnv *env;
	const MlModel *model;
	const MlSchema *schema;
	MlBuffer *out;
	bool *used; /* by feature */
	/* The trees of an output: */
	uint32_t k;
	uint32_t n_trees, tree; /* how many there are, and which one is at hand */
	bool counting;          /* they are counted */
	Node *nodes;            /* of the tree at hand */
	size_t n_nodes, node_capacity;
	uint32_t *levels; /* of its nodes, one after the other */
	size_t n_levels, level_capacity;
} Writer;

/* ---- words */

static void
put(Writer *w, const char *text)
{
	ml_put_bytes(w->out, text, strlen(text));
}

/* A number that reads back as the same double. */
static void
put_number(Writer *w, double value)
{
	char text[32];

	ml_format_double(text, value);
	ml_put_format(w->out, "'%s'" FLOAT, text);
}

/* Text between quotes, the quotes in it doubled. */
static void
put_quoted(Writer *w, char quote, const char *text, size_t len)
{
	ml_put_u8(w->out, (uint8_t) quote);
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == quote)
			ml_put_u8(w->out, (uint8_t) quote);
		ml_put_u8(w->out, (uint8_t) text[i]);
	}
	ml_put_u8(w->out, (uint8_t) quote);
}

/* A string, however standard_conforming_strings is set. */
static void
put_string(Writer *w, const char *text, size_t len)
{
	bool backslash = memchr(text, '\\', len) != NULL;

	if (!backslash)
	{
		put_quoted(w, '\'', text, len);
		return;
	}
	put(w, "E'");
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '\'' || text[i] == '\\')
			ml_put_u8(w->out, (uint8_t) text[i]);
		ml_put_u8(w->out, (uint8_t) text[i]);
	}
	put(w, "'");
}

/* The level of a feature, as a string. */
static void
put_level(Writer *w, uint32_t feature, uint32_t code)
{
	const MlDict *levels = w->schema->inputs[w->schema->features[feature].input].levels;

	put_string(w, ml_dict_text(levels, code), ml_dict_len(levels, code));
}

/* The column of a feature in the level above the row. */
static void
put_feature(Writer *w, uint32_t feature)
{
	ml_put_format(w->out, "x%u", feature);
}

/* ---- features from the columns of the row */

/* The column of an input; a nameless one is called as those of ROW() are. */
static void
put_column(Writer *w, const MlInput *input)
{
	if (input->name[0])
		put_quoted(w, '"', input->name, strlen(input->name));
	else
		ml_put_format(w->out, "f%u", (unsigned) (input - w->schema->inputs) + 1);
}

static bool
is_type(const MlInput *input, const char *type)
{
	return strcmp(input->type_name, type) == 0;
}

/* A level as text, as the binder has it. */
static MlStatus
put_level_text(Writer *w, const MlInput *input)
{
	static const char *const dated[] = {"date", "time without time zone",
										"timestamp without time zone", "timestamp with time zone"};

	for (size_t i = 0; i < sizeof(dated) / sizeof(*dated); i++)
		if (is_type(input, dated[i]))
			return ml_fail(w->env, ML_EINVAL,
						   "to_sql: column \"%.64s\" has levels of type %s, whose text depends on "
						   "settings",
						   input->name, input->type_name);
	if (is_type(input, "boolean"))
	{
		put(w, "CASE WHEN ");
		put_column(w, input);
		put(w, " THEN 't' WHEN NOT ");
		put_column(w, input);
		put(w, " THEN 'f' END");
		return ML_OK;
	}
	if (is_type(input, "numeric"))
		put(w, "pg_catalog.trim_scale");
	put(w, "(");
	put_column(w, input);
	put(w, ")::pg_catalog.text COLLATE pg_catalog.\"C\"");
	return ML_OK;
}

/* A part of a date or timestamp; infinite ones have none. */
static void
put_part(Writer *w, const MlInput *input, MlPart part)
{
	static const char *const fields[] = {
		[ML_PART_YEAR] = "year", [ML_PART_MONTH] = "month", [ML_PART_DAY] = "day",
		[ML_PART_DOW] = "dow",   [ML_PART_EPOCH] = "epoch", [ML_PART_HOUR] = "epoch"};
	bool zoned = is_type(input, "timestamp with time zone");

	put(w, "CASE WHEN pg_catalog.isfinite(");
	put_column(w, input);
	ml_put_format(w->out, ") THEN pg_catalog.date_part('%s', ", fields[part]);
	put_column(w, input);
	put(w, zoned ? " AT TIME ZONE 'UTC'" : "::timestamp");
	if (part == ML_PART_EPOCH)
		put(w, OP("-") "timestamp '2000-01-01')" OP("/") "86400" FLOAT " END");
	else if (part == ML_PART_HOUR)
	{
		put(w, OP("-") "pg_catalog.date_trunc('day', ");
		put_column(w, input);
		put(w, zoned ? " AT TIME ZONE 'UTC'" : "::timestamp");
		put(w, "))" OP("/") "3600" FLOAT " END");
	}
	else
		put(w, ") END");
}

/* A slot as a double. */
static void
put_float(Writer *w, const MlInput *input, uint32_t slot)
{
	put(w, "(");
	put_column(w, input);
	if (input->kind == ML_BLOCK)
		ml_put_format(w->out, ")[%u]", slot - input->first_slot + 1);
	else
		put(w, is_type(input, "boolean") ? ")::int" : ")");
	put(w, FLOAT);
}

/* A number, NULL where it is NaN. */
static void
put_value(Writer *w, const MlInput *input, uint32_t slot)
{
	if (input->kind == ML_TIME)
	{
		put(w, "pg_catalog.date_part('epoch', ");
		put_column(w, input);
		put(w, ")");
		return;
	}
	put(w, "CASE WHEN ");
	put_float(w, input, slot);
	put(w, OP("<>") "'NaN' THEN ");
	put_float(w, input, slot);
	put(w, " END");
}

static MlStatus
put_feature_source(Writer *w, uint32_t j)
{
	const MlFeature *feature = &w->schema->features[j];
	const MlInput *input = &w->schema->inputs[feature->input];

	if (feature->categorical)
		ML_TRY(put_level_text(w, input));
	else if (feature->part != ML_PART_VALUE)
		put_part(w, input, feature->part);
	else
		put_value(w, input, feature->slot);
	put(w, " AS ");
	put_feature(w, j);
	return ML_OK;
}

/* The innermost level: the features that are used. */
static MlStatus
put_row(Writer *w)
{
	uint32_t n = 0;

	put(w, "(SELECT ");
	for (uint32_t j = 0; j < w->schema->n_features; j++)
	{
		if (!w->used[j])
			continue;
		if (++n > MAX_USED)
			return ml_fail(w->env, ML_EINVAL,
						   "to_sql: the model uses more than %d features, which a subquery cannot "
						   "have",
						   MAX_USED);
		put(w, n > 1 ? ", " : "");
		ML_TRY(put_feature_source(w, j));
	}
	put(w, n == 0 ? "1 OFFSET 0) AS x" : " OFFSET 0) AS x");
	return ML_OK;
}

/* ---- trees */

/* Take a node of a tree of this output. */
static MlStatus
keep_node(Writer *w, const MlNode *node)
{
	Node kept = {.node = *node};

	if (node->node != w->n_nodes || node->depth > MAX_DEPTH ||
		(node->parent >= 0 && (size_t) node->parent >= w->n_nodes))
		return ml_fail(w->env, ML_EINVAL, "to_sql: tree %u is deeper than %d nodes", node->tree + 1,
					   MAX_DEPTH);
	if (node->parent >= 0)
		w->nodes[node->parent].child[!node->is_left] = node->node;
	if (node->probabilities)
		kept.node.value = node->probabilities[w->model->n_classes > 2 ? w->k : 1];
	if (node->levels)
	{
		ML_TRY(ml_grow(w->env, &w->levels, &w->level_capacity, w->n_levels + node->n_levels,
					   sizeof(*w->levels)));
		if (node->n_levels > 0)
			memcpy(w->levels + w->n_levels, node->levels, node->n_levels * sizeof(*w->levels));
		/* the array may move: what is kept is a place in it */
		kept.node.threshold = (double) w->n_levels;
		w->n_levels += node->n_levels;
	}
	ML_TRY(ml_grow(w->env, &w->nodes, &w->node_capacity, w->n_nodes + 1, sizeof(*w->nodes)));
	w->nodes[w->n_nodes++] = kept;
	return ML_OK;
}

/* Is code among the n ascending levels from *at on? *at moves past it. */
static bool
take_level(const uint32_t *levels, uint32_t n, uint32_t *at, uint32_t code)
{
	if (*at >= n || levels[*at] != code)
		return false;
	++*at;
	return true;
}

/* "feature is one of the levels that go left" (or right). */
static void
put_membership(Writer *w, const Node *node, bool left)
{
	const uint32_t *levels = w->levels + (size_t) node->node.threshold;
	uint32_t at = 0, n = 0, feature = node->node.feature;

	for (uint32_t code = 0; code < w->schema->features[feature].n_levels; code++)
	{
		if (take_level(levels, node->node.n_levels, &at, code) != left)
			continue;
		if (n++ == 0)
		{
			put_feature(w, feature);
			put(w, OP("=") "ANY (ARRAY[");
		}
		else
			put(w, ",");
		put_level(w, feature, code);
	}
	put(w, n > 0 ? "]::pg_catalog.text[])" : "false");
}

static void put_subtree(Writer *w, uint32_t at);

/* Whichever side is tested for, the other one is ELSE, where NULL goes, too. */
static void
put_split(Writer *w, const Node *node)
{
	bool test_left = node->node.levels ? !node->node.unseen_left : !node->node.missing_left;

	put(w, "CASE WHEN ");
	if (node->node.levels)
	{
		put_membership(w, node, test_left);
		if (node->node.missing_left == test_left)
		{
			put(w, " OR ");
			put_feature(w, node->node.feature);
			put(w, " IS NULL");
		}
	}
	else
	{
		put_feature(w, node->node.feature);
		put(w, test_left ? OP("<=") : OP(">"));
		put_number(w, node->node.threshold);
	}
	put(w, " THEN ");
	put_subtree(w, node->child[!test_left]);
	put(w, " ELSE ");
	put_subtree(w, node->child[test_left]);
	put(w, " END");
}

/* Recursion is bounded by MAX_DEPTH. */
static void
put_subtree(Writer *w, uint32_t at)
{
	const Node *node = &w->nodes[at];

	if (node->node.is_leaf)
	{
		put_number(w, node->node.value);
		return;
	}
	w->used[node->node.feature] = true;
	put_split(w, node);
}

/* Parentheses of a balanced sum of n terms that open before term i. */
static void
open_terms(Writer *w, uint32_t i, uint32_t n)
{
	for (uint32_t low = 0, high = n; high - low > 1;)
	{
		uint32_t middle = low + (high - low) / 2;

		if (i == low)
			put(w, "(");
		if (i < middle)
			high = middle;
		else
			low = middle;
	}
}

/* Those that close behind it, and the plus that follows. */
static void
close_terms(Writer *w, uint32_t i, uint32_t n)
{
	uint32_t n_closed = 0;

	for (uint32_t low = 0, high = n; high - low > 1;)
	{
		uint32_t middle = low + (high - low) / 2;

		n_closed = i + 1 == high ? n_closed + 1 : 0;
		if (i < middle)
			high = middle;
		else
			low = middle;
	}
	while (n_closed-- > 0)
		put(w, ")");
	if (i + 1 < n)
		put(w, OP("+"));
}

/* Write the tree whose nodes were kept. */
static MlStatus
put_tree(Writer *w)
{
	if (w->n_nodes == 0)
		return ML_OK;
	open_terms(w, w->tree, w->n_trees);
	put_subtree(w, 0);
	close_terms(w, w->tree, w->n_trees);
	w->tree++;
	w->n_nodes = w->n_levels = 0;
	if (w->out->len > MAX_BYTES)
		return ml_fail(w->env, ML_EINVAL, "to_sql: the expression is longer than %zu MB",
					   MAX_BYTES >> 20);
	return w->out->status;
}

/* A node: counted, or kept until its tree is complete. */
static MlStatus
take_node(void *arg, const MlNode *node)
{
	Writer *w = arg;

	if (!node->probabilities && node->class_index != w->k)
		return ML_OK;
	if (w->counting)
	{
		w->n_trees += node->node == 0;
		return ML_OK;
	}
	if (node->node == 0)
		ML_TRY(put_tree(w));
	return keep_node(w, node);
}

/* The sum of the trees of output k. */
static MlStatus
put_trees(Writer *w)
{
	const MlModel *model = w->model;

	w->n_trees = w->tree = 0;
	w->counting = true;
	ML_TRY(model->algo->nodes(w->env, model->fitted, model->schema, take_node, w));
	w->counting = false;
	w->n_nodes = w->n_levels = 0;
	if (w->n_trees == 0)
	{
		put_number(w, 0);
		return ML_OK;
	}
	ML_TRY(model->algo->nodes(w->env, model->fitted, model->schema, take_node, w));
	return put_tree(w);
}

/* ---- columns of a design */

/* What a number and the indicator of its being missing add. */
static void
put_dense(Writer *w, const MlFormula *formula, uint32_t c)
{
	const MlDesignColumn *column = &formula->design->columns[c];

	w->used[column->feature] = true;
	if (column->level == ML_DESIGN_MISSING)
	{
		put(w, "CASE WHEN ");
		put_feature(w, column->feature);
		put(w, " IS NULL THEN ");
		put_number(w, formula->coefficient[c]);
		put(w, " ELSE 0" FLOAT " END");
		return;
	}
	put(w, "(");
	put_number(w, formula->coefficient[c]);
	put(w, OP("*") "COALESCE(");
	put_feature(w, column->feature);
	put(w, ", ");
	put_number(w, column->mean);
	put(w, "))");
}

/* What the levels of a categorical feature add. */
static void
put_factor(Writer *w, const MlFormula *formula, uint32_t f)
{
	const MlDesign *design = formula->design;
	uint32_t feature = design->factor_feature[f], n = design->factor_levels[f];
	uint32_t missing = design->factor_column[f][n];

	w->used[feature] = true;
	put(w, "CASE WHEN ");
	put_feature(w, feature);
	put(w, " IS NULL THEN ");
	put_number(w, missing == ML_NO_COLUMN ? 0 : formula->coefficient[missing]);
	for (uint32_t code = 0; code < n; code++)
	{
		uint32_t column = design->factor_column[f][code];

		if (column == ML_NO_COLUMN)
			continue;
		put(w, " WHEN ");
		put_feature(w, feature);
		put(w, OP("="));
		put_level(w, feature, code);
		put(w, " THEN ");
		put_number(w, formula->coefficient[column]);
	}
	put(w, " ELSE 0" FLOAT " END");
}

/* The sum over the columns. */
static void
put_design(Writer *w, const MlFormula *formula)
{
	uint32_t n = formula->design->n_dense + formula->design->n_factors;

	if (n == 0)
		put_number(w, 0);
	for (uint32_t i = 0; i < n; i++)
	{
		open_terms(w, i, n);
		if (i < formula->design->n_dense)
			put_dense(w, formula, i);
		else
			put_factor(w, formula, i - formula->design->n_dense);
		close_terms(w, i, n);
	}
}

/* ---- scores and what becomes of them */

/* base + scale * sum AS s<k> */
static MlStatus
put_score(Writer *w, uint32_t k, const MlFormula *formula)
{
	w->k = k;
	put_number(w, formula->base);
	put(w, OP("+") "(");
	put_number(w, formula->scale);
	put(w, OP("*") "(");
	if (formula->design)
		put_design(w, formula);
	else
		ML_TRY(put_trees(w));
	ml_put_format(w->out, ")) AS s%u", k);
	return w->out->status;
}

/* exp(sign * s<k> - less) within bounds; less: the column or NULL. */
static void
put_exp(Writer *w, const char *sign, uint32_t k, const char *less)
{
	put(w, "pg_catalog.exp(GREATEST(LEAST(");
	ml_put_format(w->out, "%ss%u", sign, k);
	if (less)
	{
		put(w, OP("-"));
		put(w, less);
	}
	put(w, ", '" EXP_MOST "'" FLOAT "), '-" EXP_MOST "'" FLOAT "))");
}

static void
put_sigmoid(Writer *w, uint32_t k)
{
	put(w, "(1" FLOAT OP("/") "(1" FLOAT OP("+"));
	put_exp(w, "OPERATOR(pg_catalog.-) ", k, NULL);
	put(w, "))");
}

/* P(class k) of n: its part of the sum over all. */
static void
put_share(Writer *w, MlLink link, uint32_t k, uint32_t n)
{
	if (link == ML_LINK_SOFTMAX)
		put_exp(w, "", k, "most");
	else
		put_sigmoid(w, k);
	put(w, OP("/") "(");
	for (uint32_t i = 0; i < n; i++)
	{
		open_terms(w, i, n);
		if (link == ML_LINK_SOFTMAX)
			put_exp(w, "", i, "most");
		else
			put_sigmoid(w, i);
		close_terms(w, i, n);
	}
	put(w, ")");
}

/* The prediction of output k from the scores. */
static void
put_prediction(Writer *w, MlLink link, uint32_t k)
{
	uint32_t n = w->model->n_outputs;

	if (link == ML_LINK_IDENTITY)
		ml_put_format(w->out, "s%u", k);
	else if (link == ML_LINK_EXP)
		put_exp(w, "", k, NULL);
	else if (n == 1)
		put_sigmoid(w, k);
	else
		put_share(w, link, k, n);
}

/* The level of scores: those that the prediction needs; of a softmax the greatest, too. */
static MlStatus
put_scores(Writer *w, MlLink link, uint32_t k)
{
	uint32_t n = w->model->n_outputs;
	bool all = n > 1 && link != ML_LINK_IDENTITY;
	MlFormula formula;

	put(w, "(SELECT ");
	for (uint32_t i = all ? 0 : k; i < (all ? n : k + 1); i++)
	{
		put(w, all && i > 0 ? ", " : "");
		w->model->algo->formula(w->model->fitted, i, &formula);
		ML_TRY(put_score(w, i, &formula));
	}
	put(w, " FROM ");
	ML_TRY(put_row(w));
	put(w, " OFFSET 0) AS s");
	return ML_OK;
}

/* Softmax: one more level, with the greatest score. */
static MlStatus
put_levels(Writer *w, MlLink link, uint32_t k)
{
	uint32_t n = w->model->n_outputs;

	if (link != ML_LINK_SOFTMAX || n == 1)
		return put_scores(w, link, k);
	put(w, "(SELECT *, GREATEST(");
	for (uint32_t i = 0; i < n; i++)
		ml_put_format(w->out, "%ss%u", i > 0 ? ", " : "", i);
	put(w, ") AS most FROM ");
	ML_TRY(put_scores(w, link, k));
	put(w, " OFFSET 0) AS m");
	return ML_OK;
}

/* What cannot be written. */
static MlStatus
check_model(Writer *w, uint32_t k, MlFormula *formula)
{
	const MlModel *model = w->model;

	if (!model->algo->formula)
	{
		ml_fail(w->env, ML_EINVAL, "to_sql cannot write a model of algorithm \"%s\"",
				model->algo->name);
		ml_hint(w->env, "It can write linear, ridge, lasso, elastic_net, logistic, svm, tree, "
						"forest, extra_trees and gbdt.");
		return ML_EINVAL;
	}
	model->algo->formula(model->fitted, k, formula);
	if (model->prep)
	{
		ml_fail(w->env, ML_EINVAL, "to_sql cannot write a model whose columns are prepared");
		ml_hint(w->env, "Train without the option \"prep\".");
		return ML_EINVAL;
	}
	if (model->calibration)
	{
		ml_fail(w->env, ML_EINVAL, "to_sql cannot write calibrated probabilities");
		ml_hint(w->env, "Train without the option \"calibration\".");
		return ML_EINVAL;
	}
	return ML_OK;
}

MlStatus
ml_sql_text(MlEnv *env, const MlModel *model, uint32_t k, MlBuffer *out)
{
	Writer w = {.env = env, .model = model, .schema = model->schema, .out = out};
	MlFormula formula;
	MlStatus status;

	ML_TRY(check_model(&w, k, &formula));
	w.used = ml_zalloc_array(env, model->schema->n_features, sizeof(*w.used));
	if (!w.used)
		return ML_ENOMEM;
	put(&w, "(SELECT ");
	put_prediction(&w, formula.link, k);
	put(&w, " FROM ");
	status = put_levels(&w, formula.link, k);
	put(&w, ")");
	ml_free(env, w.used);
	ml_free(env, w.nodes);
	ml_free(env, w.levels);
	return status != ML_OK ? status : out->status;
}
