/*
 * tree_rule.c
 *		What the splits of a tree say about rows, in words.
 *
 * A *condition* is what is known of one feature: an interval of numbers, or the
 * levels that are possible, and whether the value may be missing. Each split on
 * the way to a node narrows the condition of its feature.
 *
 * Conditions are written in SQL, so that a rule can be pasted behind WHERE: it holds
 * for the rows of its leaf. Three things are beyond that: long lists of levels are
 * cut short (the view of nodes has them all), parts of dates are no columns, and
 * a level that training did not see goes where missing values or rare levels go.
 */
#include "postgres.h"

#include <math.h>

#include "common/string.h"
#include "utils/builtins.h"

#include "analyze/tree_rule.h"
#include "plot/markup.h"

#define MAX_LISTED 12 /* levels of a condition */
#define BRIEF_DIGITS 5

typedef struct Condition
{
	uint32 feature;
	double low, high; /* low < x <= high */
	bool *possible;   /* by level; NULL: a number */
	bool missing;     /* is possible */
} Condition;

/* Everything is possible. */
static void
begin_condition(const MlplatTree *tree, uint32 j, Condition *condition)
{
	const MlFeature *feature = &ml_model_features(tree->model)->features[j];

	*condition = (Condition){.feature = j, .low = -INFINITY, .high = INFINITY, .missing = true};
	if (!feature->categorical)
		return;
	condition->possible = palloc(feature->n_levels + 1);
	memset(condition->possible, true, feature->n_levels + 1);
}

/* Narrow the condition by a split, for the rows that go to one side. */
static void
narrow(const MlplatTree *tree, const MlNode *split, bool to_left, Condition *condition)
{
	uint32 n_levels = ml_model_features(tree->model)->features[split->feature].n_levels;
	bool *left;

	condition->missing &= split->missing_left == to_left;
	if (!condition->possible)
	{
		if (to_left)
			condition->high = Min(condition->high, split->threshold);
		else
			condition->low = Max(condition->low, split->threshold);
		return;
	}
	left = palloc0(n_levels + 1);
	for (uint32 l = 0; l < split->n_levels; l++)
		left[split->levels[l]] = true;
	for (uint32 level = 0; level < n_levels; level++)
		condition->possible[level] &= left[level] == to_left;
	pfree(left);
}

/* A number with all its digits. */
static void
put_number(StringInfo out, double value)
{
	char text[32];

	ml_format_double(text, value);
	appendStringInfoString(out, text);
}

/* The levels that are possible, or those that are not, as a list of literals. */
static void
put_levels(StringInfo out, const MlplatTree *tree, const Condition *condition, bool possible)
{
	const MlFeature *feature = &ml_model_features(tree->model)->features[condition->feature];
	const MlDict *levels = ml_model_features(tree->model)->inputs[feature->input].levels;
	uint32 n = 0;

	appendStringInfoString(out, possible ? " in (" : " not in (");
	for (uint32 level = 0; level < feature->n_levels; level++)
	{
		if (condition->possible[level] != possible)
			continue;
		if (n++ < MAX_LISTED)
			appendStringInfo(out, "%s%s", n > 1 ? ", " : "",
							 quote_literal_cstr(ml_dict_text(levels, level)));
	}
	if (n > MAX_LISTED)
		appendStringInfo(out, ", ... %u more", n - MAX_LISTED);
	appendStringInfoChar(out, ')');
}

/* A condition on levels. */
static void
put_set(StringInfo out, const MlplatTree *tree, const Condition *condition, const char *name)
{
	uint32 n_levels = ml_model_features(tree->model)->features[condition->feature].n_levels, n = 0;

	for (uint32 level = 0; level < n_levels; level++)
		n += condition->possible[level];
	if (n > 0 && n < n_levels)
	{
		appendStringInfoString(out, name);
		put_levels(out, tree, condition, n <= n_levels / 2);
	}
	else if (!condition->missing)
		appendStringInfo(out, n > 0 ? "%s is not null" : "false", name);
	else
		appendStringInfo(out, n > 0 ? "true" : "%s is null", name);
}

/* A condition on a number. */
static void
put_interval(StringInfo out, const Condition *condition, const char *name)
{
	bool low = condition->low > -INFINITY, high = condition->high < INFINITY;

	if (!low && !high)
		appendStringInfo(out, condition->missing ? "true" : "%s is not null", name);
	if (low)
	{
		appendStringInfo(out, "%s > ", name);
		put_number(out, condition->low);
	}
	if (high)
	{
		appendStringInfo(out, "%s%s <= ", low ? " and " : "", name);
		put_number(out, condition->high);
	}
}

/* A condition; inside others, parentheses go around what holds an "or". */
static void
put_condition(StringInfo out, const MlplatTree *tree, const Condition *condition, bool alone)
{
	const char *name =
		quote_identifier(ml_model_features(tree->model)->features[condition->feature].name);
	StringInfoData values;
	bool both;

	initStringInfo(&values);
	if (condition->possible)
		put_set(&values, tree, condition, name);
	else if (condition->low == INFINITY)
		appendStringInfo(&values, condition->missing ? "%s is null" : "false", name);
	else
		put_interval(&values, condition, name);
	both = condition->missing && strcmp(values.data, "true") != 0 &&
		   !(condition->low == INFINITY && !condition->possible) &&
		   !(condition->possible && pg_str_endswith(values.data, " is null"));
	appendStringInfo(out, "%s%s", both && !alone ? "(" : "", values.data);
	if (both)
		appendStringInfo(out, " or %s is null%s", name, alone ? "" : ")");
}

char *
mlplat_tree_condition(const MlplatTree *tree, int i)
{
	const MlNode *node = &tree->nodes[i];
	const MlNode *split;
	Condition condition;
	StringInfoData out;

	if (node->parent < 0)
		return NULL;
	split = &tree->nodes[node->parent];
	begin_condition(tree, split->feature, &condition);
	narrow(tree, split, node->is_left, &condition);
	initStringInfo(&out);
	put_condition(&out, tree, &condition, true);
	return out.data;
}

char *
mlplat_tree_brief(const MlplatTree *tree, int i)
{
	const MlNode *node = &tree->nodes[i], *split;
	char number[ML_NUMBER_ROOM];
	Condition condition;
	StringInfoData out;
	const char *name;

	if (node->parent < 0)
		return NULL;
	split = &tree->nodes[node->parent];
	name = ml_model_features(tree->model)->features[split->feature].name;
	begin_condition(tree, split->feature, &condition);
	if (!condition.possible && isinf(split->threshold))
		return mlplat_tree_condition(tree, i);
	if (!condition.possible)
		return psprintf("%s %s %s", name, node->is_left ? "<=" : ">",
						ml_human_number(number, split->threshold, BRIEF_DIGITS));
	narrow(tree, split, node->is_left, &condition);
	initStringInfo(&out);
	put_set(&out, tree, &condition, name);
	return out.data;
}

char *
mlplat_tree_path(const MlplatTree *tree, int i)
{
	int depth = (int) tree->nodes[i].depth, n = 0;
	int *path = palloc(sizeof(int) * (depth + 1));
	Condition *conditions = palloc(sizeof(Condition) * (depth + 1));
	StringInfoData out;

	initStringInfo(&out);
	for (int at = i, d = depth; d >= 0; at = (int) tree->nodes[at].parent, d--)
		path[d] = at;
	for (int d = 1; d <= depth; d++)
	{
		const MlNode *split = &tree->nodes[path[d - 1]];
		int c = 0;

		while (c < n && conditions[c].feature != split->feature)
			c++;
		if (c == n)
			begin_condition(tree, split->feature, &conditions[n++]);
		narrow(tree, split, tree->nodes[path[d]].is_left, &conditions[c]);
	}
	for (int c = 0; c < n; c++)
	{
		if (c > 0)
			appendStringInfoString(&out, " and ");
		put_condition(&out, tree, &conditions[c], n == 1);
	}
	if (n == 0)
		appendStringInfoString(&out, "true");
	return out.data;
}
