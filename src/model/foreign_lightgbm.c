/*
 * foreign_lightgbm.c
 *		The text models of LightGBM (save_model, model_to_string).
 *
 * Lines of key=value: a head, then blocks that begin with "Tree=", then "end of
 * trees", and a last line with the labels of pandas' categories. A tree is
 * arrays over its nodes and its leaves; a child is a node, or ~leaf.
 *
 * Missing values, as LightGBM's NumericalDecision has them. A node's type says:
 * none (NaN is 0), zero (NaN and 0 take the default side), or nan (NaN takes the
 * default side). At categorical nodes NaN goes right, as unlisted codes do. "Zero" can be had here only
 * where 0 would take the default side anyhow; our nodes know one missing value.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/foreign_inner.h"

#define NODE_CATEGORICAL 1u
#define NODE_DEFAULT_LEFT 2u
#define MISSING_OF(type) ((type) >> 2 & 3u)
#define MISSING_ZERO 1u
#define MISSING_NAN 2u

#define ZERO_MOST 1e-35 /* LightGBM takes numbers up to this for 0 */

/* A piece of the text. */
typedef struct Span
{
	const char *at, *end;
} Span;

/* What we read of the head. */
typedef enum HeadKey
{
	H_NUM_CLASS,
	H_TREES_PER_ROUND,
	H_MAX_FEATURE,
	H_OBJECTIVE,
	H_NAMES,
	H_INFOS,
	N_HEAD
} HeadKey;

static const char *const head_keys[N_HEAD] = {"num_class",       "num_tree_per_iteration",
											  "max_feature_idx", "objective",
											  "feature_names",   "feature_infos"};

/* What we read of a tree. */
typedef enum TreeKey
{
	T_LEAVES,
	T_FEATURE,
	T_GAIN,
	T_THRESHOLD,
	T_TYPE,
	T_LEFT,
	T_RIGHT,
	T_VALUE,
	T_COUNT,
	T_CAT_BOUNDARIES,
	T_CAT_WORDS,
	T_LINEAR,
	N_TREE
} TreeKey;

static const char *const tree_keys[N_TREE] = {
	"num_leaves",  "split_feature", "split_gain", "threshold",      "decision_type", "left_child",
	"right_child", "leaf_value",    "leaf_count", "cat_boundaries", "cat_threshold", "is_linear"};

typedef struct Reader
{
	MlArena *arena;
	MlEnv *env;
	MlForeign *f;
	Span rest; /* lines to come */
	Span head[N_HEAD];
	Span pandas; /* the labels, as JSON; at NULL: none */
	bool average;
	double scale; /* of leaf values: the slope of a sigmoid, an average */
	uint32_t trees_per_round;
} Reader;

/* ---- lines and words */

/* The next line, without its end; false: there is none. */
static bool
next_line(Span *rest, Span *line)
{
	const char *end;

	if (rest->at >= rest->end)
		return false;
	end = memchr(rest->at, '\n', (size_t) (rest->end - rest->at));
	line->at = rest->at;
	line->end = end ? end : rest->end;
	rest->at = end ? end + 1 : rest->end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return true;
}

/* Does the span begin with text? */
static bool
begins(const Span *span, const char *text)
{
	size_t len = strlen(text);

	return (size_t) (span->end - span->at) >= len && memcmp(span->at, text, len) == 0;
}

/* Is the span text? */
static bool
is_text(const Span *span, const char *text)
{
	return begins(span, text) && (size_t) (span->end - span->at) == strlen(text);
}

/* If line is "key=value" with one of n keys, note the value. */
static void
note_value(const Span *line, const char *const *keys, size_t n, Span *values)
{
	for (size_t i = 0; i < n; i++)
	{
		size_t len = strlen(keys[i]);

		if (begins(line, keys[i]) && line->at + len < line->end && line->at[len] == '=')
			values[i] = (Span){line->at + len + 1, line->end};
	}
}

/* The next word of a span, at spaces; false: there is none. */
static bool
next_word(Span *rest, Span *word)
{
	while (rest->at < rest->end && *rest->at == ' ')
		rest->at++;
	if (rest->at >= rest->end)
		return false;
	word->at = rest->at;
	while (rest->at < rest->end && *rest->at != ' ')
		rest->at++;
	word->end = rest->at;
	return true;
}

/* A word that is a number. The text ends with a zero byte, so that strtod stops. */
static bool
read_number(const Span *word, double *out)
{
	char *end;

	*out = strtod(word->at, &end);
	return end == word->end && word->at < word->end;
}

/* n numbers, exactly, into an array; allowed to be absent: NULL. what: the key, for errors. */
static MlStatus
read_numbers(Reader *r, Span span, const char *what, size_t n, double **out)
{
	Span word;

	*out = NULL;
	if (n > (size_t) (span.end - span.at))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: %s has too few values", what);
	*out = ml_arena_array(r->arena, n, sizeof(**out));
	if (!*out)
		return ML_ENOMEM;
	for (size_t i = 0; i < n; i++)
	{
		if (!next_word(&span, &word))
			return ml_fail(r->env, ML_EDATA, "LightGBM model: %s has too few values", what);
		if (!read_number(&word, &(*out)[i]))
			return ml_fail(r->env, ML_EDATA, "LightGBM model: %s has \"%.*s\" in it", what,
						   ml_utf8_cut(word.at, (int) ML_MIN(word.end - word.at, 40)), word.at);
	}
	if (next_word(&span, &word))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: %s has more than %zu values", what, n);
	return ML_OK;
}

/* One whole number from 0 to most. */
static MlStatus
read_whole(Reader *r, Span span, const char *what, double most, uint32_t *out)
{
	Span word = {NULL, NULL};
	double value = -1;

	if (!span.at || !next_word(&span, &word) || !read_number(&word, &value) || !(value >= 0) ||
		value > most || value != floor(value))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: %s is not a whole number from 0 to %.0f",
					   what, most);
	*out = (uint32_t) value;
	return ML_OK;
}

/* ---- the head */

/* The parameter "name:value" of an objective, or fallback. */
static double
objective_parameter(Span objective, const char *name, double fallback)
{
	Span word;

	while (next_word(&objective, &word))
	{
		size_t len = strlen(name);
		double value;

		if (!begins(&word, name) || word.at + len >= word.end || word.at[len] != ':')
			continue;
		word.at += len + 1;
		if (read_number(&word, &value))
			return value;
	}
	return fallback;
}

/* What the sums of an objective mean. */
typedef struct Meaning
{
	const char *objective;
	GbdtLoss loss;
	bool classes;
} Meaning;

static const Meaning meanings[] = {
	{"regression", GBDT_SQUARED, false},  {"regression_l1", GBDT_ABSOLUTE, false},
	{"huber", GBDT_HUBER, false},         {"fair", GBDT_SQUARED, false},
	{"quantile", GBDT_QUANTILE, false},   {"mape", GBDT_ABSOLUTE, false},
	{"poisson", GBDT_POISSON, false},     {"gamma", GBDT_TWEEDIE, false},
	{"tweedie", GBDT_TWEEDIE, false},     {"lambdarank", GBDT_SQUARED, false},
	{"rank_xendcg", GBDT_SQUARED, false}, {"custom", GBDT_SQUARED, false},
	{"binary", GBDT_LOGISTIC, true},      {"cross_entropy", GBDT_LOGISTIC, true},
	{"multiclass", GBDT_SOFTMAX, true},
};

/* The objective: what the sums mean, and what they are multiplied by. */
static MlStatus
read_objective(Reader *r)
{
	Span objective = r->head[H_OBJECTIVE], word, rest = objective, parameter;
	static const Span none = {"custom", NULL};

	if (!objective.at || !next_word(&rest, &word))
		word = (Span){none.at, none.at + strlen(none.at)};
	while (next_word(&rest, &parameter))
		if (is_text(&parameter, "sqrt"))
			return ml_fail(
				r->env, ML_EDATA,
				"LightGBM model: reg_sqrt, which squares predictions, cannot be imported");
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
	{
		if (!is_text(&word, meanings[i].objective))
			continue;
		r->f->objective = meanings[i].objective;
		r->f->loss = meanings[i].loss;
		r->f->classes = meanings[i].classes;
		if (meanings[i].loss == GBDT_LOGISTIC)
			r->scale = objective_parameter(objective, "sigmoid", 1);
		if (!isfinite(r->scale))
			return ml_fail(r->env, ML_EDATA, "LightGBM model: sigmoid is %g", r->scale);
		return ML_OK;
	}
	return ml_fail(r->env, ML_EDATA, "LightGBM model: objective \"%.*s\" cannot be imported",
				   ml_utf8_cut(word.at, (int) ML_MIN(word.end - word.at, 64)), word.at);
}

/* Names of the features; their kinds by the ranges: "[0:48]" is a number, "1:2:0" are codes. */
static MlStatus
read_features(Reader *r)
{
	Span names = r->head[H_NAMES], infos = r->head[H_INFOS], word;

	for (uint32_t j = 0; j < r->f->n_features; j++)
	{
		MlForeignFeature *feature = &r->f->features[j];

		if (!names.at || !next_word(&names, &word))
			return ml_fail(r->env, ML_EDATA,
						   "LightGBM model: feature_names has fewer than %u names",
						   r->f->n_features);
		feature->name = ml_arena_text(r->arena, word.at, (size_t) (word.end - word.at));
		if (!feature->name)
			return ML_ENOMEM;
		if (infos.at && next_word(&infos, &word))
			feature->categorical = !begins(&word, "[") && !is_text(&word, "none");
	}
	return ML_OK;
}

static MlStatus
read_head(Reader *r)
{
	uint32_t last_feature, n_class;
	Span line;
	bool tree_next = false;

	while (!tree_next && next_line(&r->rest, &line))
	{
		if (begins(&line, "Tree=") || begins(&line, "end of trees"))
		{
			r->rest.at = line.at;
			tree_next = true;
		}
		else if (is_text(&line, "average_output"))
			r->average = true;
		else
			note_value(&line, head_keys, N_HEAD, r->head);
	}
	if (!tree_next)
		return ml_fail(r->env, ML_EDATA, "LightGBM model: there is no \"Tree=\" in it");
	ML_TRY(read_objective(r));
	ML_TRY(read_whole(r, r->head[H_MAX_FEATURE], "max_feature_idx", ML_MAX_SLOTS, &last_feature));
	ML_TRY(read_whole(r, r->head[H_NUM_CLASS], "num_class", ML_MAX_CLASSES, &n_class));
	ML_TRY(read_whole(r, r->head[H_TREES_PER_ROUND], "num_tree_per_iteration", ML_MAX_CLASSES,
					  &r->trees_per_round));
	if (r->trees_per_round != n_class || (n_class > 1) != (r->f->loss == GBDT_SOFTMAX))
		return ml_fail(r->env, ML_EDATA,
					   "LightGBM model: %u trees a round for %u classes with objective \"%s\"",
					   r->trees_per_round, n_class, r->f->objective);
	ML_TRY(ml_foreign_begin(r->f, last_feature + 1, n_class));
	return read_features(r);
}

/* ---- trees */

/* The arrays of one tree. */
typedef struct Arrays
{
	Span text[N_TREE];
	uint32_t n_leaves;
	double *numbers[N_TREE];
	double *cat_boundaries, *cat_words;
	uint32_t n_sets, n_words;
} Arrays;

/* The number of words in a span. */
static size_t
count_words(Span span)
{
	Span word;
	size_t n = 0;

	while (span.at && next_word(&span, &word))
		n++;
	return n;
}

/* A value of a column that must be a whole number from least to most. */
static bool
whole_between(double value, double least, double most)
{
	return value >= least && value <= most && value == floor(value);
}

/* The codes of set number index. */
static MlStatus
read_codes(Reader *r, const Arrays *a, double index, MlForeignCell *cell)
{
	double first, end;
	size_t n = 0;

	if (!whole_between(index, 0, (double) a->n_sets - 1))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: there is no set of categories %g", index);
	first = a->cat_boundaries[(size_t) index];
	end = a->cat_boundaries[(size_t) index + 1];
	if (!whole_between(first, 0, a->n_words) || !whole_between(end, first, a->n_words))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: a set of categories lies at %g to %g",
					   first, end);
	for (size_t i = (size_t) first; i < (size_t) end; i++)
	{
		if (!whole_between(a->cat_words[i], 0, UINT32_MAX))
			return ml_fail(r->env, ML_EDATA, "LightGBM model: cat_threshold has %g in it",
						   a->cat_words[i]);
		n += (size_t) __builtin_popcount((uint32_t) a->cat_words[i]);
	}
	cell->codes = ml_arena_array(r->arena, n, sizeof(*cell->codes));
	if (!cell->codes)
		return ML_ENOMEM;
	for (size_t i = (size_t) first; i < (size_t) end; i++)
		for (uint32_t bits = (uint32_t) a->cat_words[i]; bits != 0; bits &= bits - 1)
			cell->codes[cell->n_codes++] =
				(uint32_t) (i - (size_t) first) * 32 + (uint32_t) __builtin_ctz(bits);
	return ML_OK;
}

/* A numeric node: the side of missing values. */
static MlStatus
read_missing(Reader *r, uint32_t type, MlForeignCell *cell)
{
	bool default_left = type & NODE_DEFAULT_LEFT, zero_left = 0 <= cell->cut;

	cell->missing_left = MISSING_OF(type) == MISSING_NAN ? default_left : zero_left;
	if (MISSING_OF(type) == MISSING_ZERO &&
		(zero_left != default_left || fabs(cell->cut) < ZERO_MOST))
		return ml_fail(r->env, ML_EDATA,
					   "LightGBM model: a node at %g sends zeros elsewhere than its threshold says "
					   "(zero_as_missing), which cannot be imported",
					   cell->cut);
	return ML_OK;
}

/* A child: a node, or ~leaf. */
static MlStatus
read_child(Reader *r, double child, uint32_t n_leaves, uint32_t *cell)
{
	if (whole_between(child, 0, (double) n_leaves - 2))
		*cell = (uint32_t) child;
	else if (whole_between(child, -(double) n_leaves, -1))
		*cell = n_leaves - 1 + (uint32_t) (-child - 1);
	else
		return ml_fail(r->env, ML_EDATA, "LightGBM model: a node has child %g of %u leaves", child,
					   n_leaves);
	return ML_OK;
}

static MlStatus
read_node(Reader *r, const Arrays *a, uint32_t i, MlForeignCell *cell)
{
	double feature = a->numbers[T_FEATURE][i], type = a->numbers[T_TYPE][i];
	double threshold = a->numbers[T_THRESHOLD][i];

	if (!whole_between(feature, 0, (double) r->f->n_features - 1))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: a node tests feature %g of %u", feature,
					   r->f->n_features);
	if (!whole_between(type, 0, 15))
		return ml_fail(r->env, ML_EDATA, "LightGBM model: a node has decision_type %g", type);
	cell->feature = (uint32_t) feature;
	cell->gain = a->numbers[T_GAIN] ? a->numbers[T_GAIN][i] : 0;
	ML_TRY(read_child(r, a->numbers[T_LEFT][i], a->n_leaves, &cell->left));
	ML_TRY(read_child(r, a->numbers[T_RIGHT][i], a->n_leaves, &cell->right));
	if ((uint32_t) type & NODE_CATEGORICAL)
	{
		r->f->features[cell->feature].categorical = true;
		return read_codes(r, a, threshold, cell);
	}
	cell->cut = threshold;
	return read_missing(r, (uint32_t) type, cell);
}

/* The arrays of a tree as numbers. */
static MlStatus
read_arrays(Reader *r, Arrays *a)
{
	static const TreeKey of_nodes[] = {T_FEATURE, T_GAIN, T_THRESHOLD, T_TYPE, T_LEFT, T_RIGHT};
	size_t n_nodes = a->n_leaves - 1;

	for (size_t k = 0; n_nodes > 0 && k < sizeof(of_nodes) / sizeof(*of_nodes); k++)
	{
		TreeKey key = of_nodes[k];

		if (a->text[key].at || key != T_GAIN)
			ML_TRY(read_numbers(r, a->text[key], tree_keys[key], n_nodes, &a->numbers[key]));
	}
	ML_TRY(read_numbers(r, a->text[T_VALUE], "leaf_value", a->n_leaves, &a->numbers[T_VALUE]));
	/* a tree of one leaf may have no count */
	if (a->text[T_COUNT].at && (n_nodes > 0 || count_words(a->text[T_COUNT]) == 1))
		ML_TRY(read_numbers(r, a->text[T_COUNT], "leaf_count", a->n_leaves, &a->numbers[T_COUNT]));
	if (!a->text[T_CAT_BOUNDARIES].at)
		return ML_OK;
	a->n_sets = (uint32_t) count_words(a->text[T_CAT_BOUNDARIES]);
	a->n_words = (uint32_t) count_words(a->text[T_CAT_WORDS]);
	ML_TRY(read_numbers(r, a->text[T_CAT_BOUNDARIES], "cat_boundaries", a->n_sets,
						&a->cat_boundaries));
	a->n_sets -= a->n_sets > 0;
	return read_numbers(r, a->text[T_CAT_WORDS], "cat_threshold", a->n_words, &a->cat_words);
}

/* One tree, whose lines follow. */
static MlStatus
read_tree(Reader *r, MlForeignTree *tree)
{
	Arrays a = {0};
	Span line, rest = r->rest;
	uint32_t linear = 0;

	while (next_line(&rest, &line) && !begins(&line, "Tree=") && !begins(&line, "end of trees"))
	{
		note_value(&line, tree_keys, N_TREE, a.text);
		r->rest.at = rest.at;
	}
	if (a.text[T_LINEAR].at)
		ML_TRY(read_whole(r, a.text[T_LINEAR], "is_linear", 1, &linear));
	if (linear)
		return ml_fail(r->env, ML_EDATA,
					   "LightGBM model: trees with linear leaves cannot be imported");
	ML_TRY(read_whole(r, a.text[T_LEAVES], "num_leaves", INT32_MAX / 2, &a.n_leaves));
	if (a.n_leaves < 1)
		return ml_fail(r->env, ML_EDATA, "LightGBM model: a tree has no leaves");
	ML_TRY(read_arrays(r, &a));
	tree->n_cells = 2 * a.n_leaves - 1;
	tree->cells = ml_arena_array(r->arena, tree->n_cells, sizeof(*tree->cells));
	if (!tree->cells)
		return ML_ENOMEM;
	for (uint32_t i = 0; i + 1 < a.n_leaves; i++)
		ML_TRY(read_node(r, &a, i, &tree->cells[i]));
	for (uint32_t i = 0; i < a.n_leaves; i++)
	{
		MlForeignCell *leaf = &tree->cells[a.n_leaves - 1 + i];

		leaf->leaf = true;
		leaf->value = a.numbers[T_VALUE][i] * r->scale;
		leaf->rows = a.numbers[T_COUNT] ? a.numbers[T_COUNT][i] : 0;
	}
	return ml_poll(r->env);
}

/* All trees, up to "end of trees"; the labels of categories behind them. */
static MlStatus
read_trees(Reader *r)
{
	MlForeign *f = r->f;
	Span rest = r->rest, line;
	bool ended = false;

	while (!ended && next_line(&rest, &line))
	{
		f->n_trees += begins(&line, "Tree=");
		ended = begins(&line, "end of trees");
	}
	if (!ended)
		return ml_fail(r->env, ML_EDATA,
					   "LightGBM model: it is cut off, there is no \"end of trees\"");
	if (f->n_trees % r->trees_per_round != 0)
		return ml_fail(r->env, ML_EDATA, "LightGBM model: %zu trees for %u classes", f->n_trees,
					   r->trees_per_round);
	if (r->average && f->n_trees > 0)
		r->scale /= (double) (f->n_trees / r->trees_per_round);
	f->trees = ml_arena_array(r->arena, f->n_trees, sizeof(*f->trees));
	if (!f->trees)
		return ML_ENOMEM;
	for (size_t t = 0; t < f->n_trees; t++)
	{
		next_line(&r->rest, &line); /* Tree=t */
		f->trees[t].output = (uint32_t) (t % r->trees_per_round);
		ML_TRY(read_tree(r, &f->trees[t]));
	}
	while (next_line(&rest, &line))
		if (begins(&line, "pandas_categorical:"))
			r->pandas = (Span){line.at + strlen("pandas_categorical:"), line.end};
	return ML_OK;
}

/* What is invalid in a file is not the user's argument. */
static MlStatus
as_data(MlStatus status)
{
	return status == ML_EINVAL ? ML_EDATA : status;
}

/* pandas_categorical: a list of labels for each column of pandas' type category, in the order of columns. */
static MlStatus
read_labels(Reader *r)
{
	MlForeign *f = r->f;
	MlJson *lists;
	size_t next = 0, n_categorical = 0;

	for (uint32_t j = 0; j < f->n_features; j++)
		n_categorical += f->features[j].categorical;
	if (!r->pandas.at || n_categorical == 0)
		return ML_OK;
	ML_TRY(as_data(
		ml_json_parse(r->arena, r->pandas.at, (size_t) (r->pandas.end - r->pandas.at), &lists)));
	if (lists->n == 0) /* null or []: not trained from pandas */
		return ML_OK;
	/* other columns may have been named categorical, too: then nothing tells which list is whose */
	f->labels_unclear = lists->type != ML_JSON_ARRAY || lists->n != n_categorical;
	if (f->labels_unclear)
		return ML_OK;
	for (uint32_t j = 0; j < f->n_features; j++)
	{
		MlForeignFeature *feature = &f->features[j];

		if (feature->categorical)
			ML_TRY(as_data(ml_foreign_labels(r->arena, &lists->items[next++],
											 "LightGBM model: an element of pandas_categorical",
											 &feature->labels, &feature->n_labels)));
	}
	return ML_OK;
}

MlStatus
ml_foreign_lightgbm(MlArena *arena, const char *data, size_t len, MlForeign *out)
{
	Reader r = {.arena = arena, .env = arena->env, .f = out, .scale = 1};
	const char *text;
	Span line;

	if (!ml_utf8_valid(data, len))
		return ml_fail(r.env, ML_EDATA, "LightGBM model: it is not valid UTF-8 text");
	text = ml_arena_text(arena, data, len);
	if (!text)
		return ML_ENOMEM;
	r.rest = (Span){text, text + len};
	if (!next_line(&r.rest, &line) || !is_text(&line, "tree"))
		return ml_fail(r.env, ML_EDATA,
					   "LightGBM model: the first line is not \"tree\", as in files of save_model");
	out->library = "lightgbm";
	ML_TRY(read_head(&r));
	ML_TRY(read_trees(&r));
	return read_labels(&r);
}
