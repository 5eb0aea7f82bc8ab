/*
 * foreign_xgboost.c
 *		Models of XGBoost: JSON or UBJSON of save_model, 1.0 and later.
 *
 * XGBoost compares floats: x becomes one, and goes left if it is less than the
 * node's condition. Our nodes compare doubles by "<=", so the condition becomes the
 * largest double whose float is less (cut_of). At categorical nodes listed codes go right.
 * NaN takes the default side.
 *
 * The base score is in the space of predictions and goes through the objective's
 * link. dart scales each tree. All trees count, as in Booster.predict; a best
 * iteration that early stopping noted is only told.
 */
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/ubjson.h"
#include "model/foreign_inner.h"

#define TOO_FEW "XGBoost model: \"%s\" of tree %zu has %zu values, but the tree %u nodes"

/* What the sums of an objective mean, and what became of its base score. */
typedef enum Link
{
	LINK_NONE,
	LINK_LOGIT,
	LINK_LOG
} Link;

typedef struct Meaning
{
	const char *objective;
	GbdtLoss loss;
	bool classes;
	Link link;
} Meaning;

static const Meaning meanings[] = {
	{"reg:squarederror", GBDT_SQUARED, false, LINK_NONE},
	{"reg:linear", GBDT_SQUARED, false, LINK_NONE},
	{"reg:squaredlogerror", GBDT_SQUARED, false, LINK_NONE},
	{"reg:pseudohubererror", GBDT_HUBER, false, LINK_NONE},
	{"reg:absoluteerror", GBDT_ABSOLUTE, false, LINK_NONE},
	{"reg:quantileerror", GBDT_QUANTILE, false, LINK_NONE},
	{"reg:logistic", GBDT_LOGISTIC, true, LINK_LOGIT},
	{"reg:gamma", GBDT_TWEEDIE, false, LINK_LOG},
	{"reg:tweedie", GBDT_TWEEDIE, false, LINK_LOG},
	{"count:poisson", GBDT_POISSON, false, LINK_LOG},
	{"survival:cox", GBDT_POISSON, false, LINK_LOG},
	{"survival:aft", GBDT_POISSON, false, LINK_LOG},
	{"binary:logistic", GBDT_LOGISTIC, true, LINK_LOGIT},
	{"binary:logitraw", GBDT_SQUARED, false, LINK_NONE},
	{"multi:softmax", GBDT_SOFTMAX, true, LINK_NONE},
	{"multi:softprob", GBDT_SOFTMAX, true, LINK_NONE},
	{"rank:pairwise", GBDT_SQUARED, false, LINK_NONE},
	{"rank:ndcg", GBDT_SQUARED, false, LINK_NONE},
	{"rank:map", GBDT_SQUARED, false, LINK_NONE},
};

/* Arrays over the nodes of a tree. */
typedef enum Array
{
	A_LEFT,
	A_RIGHT,
	A_FEATURE,
	A_CONDITION,
	A_DEFAULT_LEFT,
	A_HESSIAN,
	A_GAIN,
	A_TYPE,
	N_ARRAYS
} Array;

static const char *const array_keys[N_ARRAYS] = {
	"left_children", "right_children", "split_indices", "split_conditions",
	"default_left",  "sum_hessian",    "loss_changes",  "split_type"};

typedef struct Reader
{
	MlArena *arena;
	MlEnv *env;
	MlForeign *f;
	const MlJson *learner, *booster; /* booster: the object with "model" in it */
	const MlJson *drop;              /* dart: weights of trees; else NULL */
	const Meaning *meaning;
	size_t listing; /* of the categorical nodes of a tree: the next one */
} Reader;

/* ---- values */

/* The member of a member of ... : path is keys with dots between them. NULL: it is not there. */
static const MlJson *
get(const MlJson *object, const char *path)
{
	char key[64];
	size_t len;

	while (object && *path)
	{
		len = strcspn(path, ".");
		memcpy(key, path, len);
		key[len] = 0;
		object = ml_json_get(object, key);
		path += len + (path[len] == '.');
	}
	return object;
}

/* A number, which XGBoost writes as a string where it is a parameter: "5E-1", in later versions "[5E-1]". */
static bool
number_of(const MlJson *value, double *out)
{
	const char *text;
	char *end;

	if (!value || (value->type != ML_JSON_NUMBER && value->type != ML_JSON_STRING))
		return false;
	if (value->type == ML_JSON_NUMBER)
	{
		*out = value->number;
		return true;
	}
	text = value->string + (value->string[0] == '[');
	*out = strtod(text, &end);
	return end > text && isfinite(*out);
}

/* A whole number from least to most; false: it is something else. */
static bool
whole_of(const MlJson *value, double least, double most, double *out)
{
	return number_of(value, out) && *out >= least && *out <= most && *out == floor(*out);
}

/* A parameter that must be a whole number. */
static MlStatus
need_whole(Reader *r, const MlJson *object, const char *path, double most, uint32_t *out)
{
	double value;

	if (!whole_of(get(object, path), 0, most, &value))
		return ml_fail(r->env, ML_EDATA, "XGBoost model: \"%s\" is not a whole number up to %.0f",
					   path, most);
	*out = (uint32_t) value;
	return ML_OK;
}

/* An array that must be there. */
static MlStatus
need_array(Reader *r, const MlJson *object, const char *path, const MlJson **out)
{
	*out = get(object, path);
	if (!*out || (*out)->type != ML_JSON_ARRAY)
		return ml_fail(r->env, ML_EDATA, "XGBoost model: there is no array \"%s\"", path);
	return ML_OK;
}

/* Element i as a number; booleans are 0 and 1. NaN: it is something else, or not there. */
static double
element(const MlJson *array, size_t i)
{
	if (!array || i >= array->n)
		return NAN;
	if (array->items[i].type == ML_JSON_BOOL)
		return array->items[i].boolean;
	return array->items[i].type == ML_JSON_NUMBER ? array->items[i].number : NAN;
}

static bool
is_whole(double value, double most)
{
	return value >= 0 && value <= most && value == floor(value);
}

/* ---- splits */

/* A float as a double, with the infinite ones where the next floats would be. */
static double
widened(float x)
{
	return isinf(x) ? copysign(0x1p128, (double) x) : (double) x;
}

/*
 * The largest double whose float, rounded to the nearest and halves to the even one, is less than t: the middle
 * between t and the float before it, if that rounds down, else the double before the middle. NaN stays so.
 */
static double
cut_of(float t)
{
	float before = nextafterf(t, -INFINITY);
	double middle = (widened(before) + widened(t)) / 2;
	uint32_t bits;

	memcpy(&bits, &before, sizeof bits);
	return bits % 2 == 0 ? middle : nextafter(middle, (double) -INFINITY);
}

/* A categorical node: its codes are a run of the array "categories". */
static MlStatus
read_codes(Reader *r, const MlJson *tree, size_t t, uint32_t node, MlForeignCell *cell)
{
	const MlJson *nodes = get(tree, "categories_nodes"), *all = get(tree, "categories");
	double first = NAN, n = NAN;

	while (element(nodes, r->listing) < node) /* they ascend */
		r->listing++;
	if (element(nodes, r->listing) == node)
	{
		first = element(get(tree, "categories_segments"), r->listing);
		n = element(get(tree, "categories_sizes"), r->listing);
	}
	if (!all || !is_whole(first, (double) all->n) || !is_whole(n, (double) all->n - first))
		return ml_fail(r->env, ML_EDATA, "XGBoost model: node %u of tree %zu has no categories",
					   node, t);
	cell->codes = ml_arena_array(r->arena, (size_t) n, sizeof(*cell->codes));
	if (!cell->codes)
		return ML_ENOMEM;
	cell->n_codes = (uint32_t) n;
	cell->listed_right = true;
	for (uint32_t i = 0; i < cell->n_codes; i++)
	{
		double code = element(all, (size_t) first + i);

		if (!is_whole(code, INT32_MAX))
			return ml_fail(r->env, ML_EDATA, "XGBoost model: tree %zu has category %g", t, code);
		cell->codes[i] = (uint32_t) code;
	}
	if (cell->feature < r->f->n_features)
		r->f->features[cell->feature].categorical = true;
	return ML_OK;
}

static MlStatus
read_cell(Reader *r, const MlJson *tree, const MlJson *const *arrays, size_t t, uint32_t i,
		  MlForeignCell *cell)
{
	double left = element(arrays[A_LEFT], i), right = element(arrays[A_RIGHT], i);
	double feature = element(arrays[A_FEATURE], i), condition = element(arrays[A_CONDITION], i);

	if (isnan(left) || isnan(right) || !is_whole(feature, UINT32_MAX))
		return ml_fail(r->env, ML_EDATA, "XGBoost model: node %u of tree %zu is no node", i, t);
	if (left < 0)
	{
		cell->leaf = true;
		cell->value = condition;
		cell->rows = element(arrays[A_HESSIAN], i);
		return ML_OK;
	}
	if (!is_whole(left, UINT32_MAX) || !is_whole(right, UINT32_MAX))
		return ml_fail(r->env, ML_EDATA, "XGBoost model: node %u of tree %zu has children %g, %g",
					   i, t, left, right);
	cell->left = (uint32_t) left;
	cell->right = (uint32_t) right;
	cell->feature = (uint32_t) feature;
	cell->gain = element(arrays[A_GAIN], i);
	cell->missing_left = element(arrays[A_DEFAULT_LEFT], i) == 1;
	if (element(arrays[A_TYPE], i) == 1)
		return read_codes(r, tree, t, i, cell);
	cell->cut = cut_of((float) condition);
	return ML_OK;
}

static MlStatus
read_tree(Reader *r, const MlJson *json, size_t t, MlForeignTree *tree)
{
	const MlJson *arrays[N_ARRAYS];
	double vector;

	if (whole_of(get(json, "tree_param.size_leaf_vector"), 2, INFINITY, &vector))
		return ml_fail(r->env, ML_EDATA,
					   "XGBoost model: trees with vectors in their leaves cannot be imported");
	for (int k = 0; k < N_ARRAYS; k++)
	{
		if (k < A_HESSIAN)
			ML_TRY(need_array(r, json, array_keys[k], &arrays[k]));
		else
			arrays[k] = get(json, array_keys[k]);
	}
	if (arrays[A_LEFT]->n > INT32_MAX)
		return ml_fail(r->env, ML_EDATA, "XGBoost model: tree %zu is too large", t);
	tree->n_cells = (uint32_t) arrays[A_LEFT]->n;
	for (int k = 0; k < A_HESSIAN; k++)
		if (arrays[k]->n != tree->n_cells)
			return ml_fail(r->env, ML_EDATA, TOO_FEW, array_keys[k], t, arrays[k]->n,
						   tree->n_cells);
	tree->cells = ml_arena_array(r->arena, tree->n_cells, sizeof(*tree->cells));
	if (!tree->cells)
		return ML_ENOMEM;
	r->listing = 0;
	for (uint32_t i = 0; i < tree->n_cells; i++)
		ML_TRY(read_cell(r, json, arrays, t, i, &tree->cells[i]));
	return ml_poll(r->env);
}

/* dart: what tree t is multiplied by. */
static MlStatus
scale_tree(Reader *r, size_t t, MlForeignTree *tree)
{
	double weight = element(r->drop, t);

	if (!isfinite(weight))
		return ml_fail(r->env, ML_EDATA, "XGBoost model: \"weight_drop\" has none for tree %zu", t);
	for (uint32_t i = 0; i < tree->n_cells; i++)
		tree->cells[i].value *= weight;
	return ML_OK;
}

static MlStatus
read_trees(Reader *r)
{
	MlForeign *f = r->f;
	const MlJson *trees, *info;

	ML_TRY(need_array(r, r->booster, "model.trees", &trees));
	ML_TRY(need_array(r, r->booster, "model.tree_info", &info));
	if (info->n != trees->n)
		return ml_fail(r->env, ML_EDATA,
					   "XGBoost model: \"tree_info\" has %zu values for %zu trees", info->n,
					   trees->n);
	f->n_trees = trees->n;
	f->trees = ml_arena_array(r->arena, f->n_trees, sizeof(*f->trees));
	if (!f->trees)
		return ML_ENOMEM;
	for (size_t t = 0; t < f->n_trees; t++)
	{
		double output = element(info, t);

		if (!is_whole(output, f->n_outputs - 1))
			return ml_fail(r->env, ML_EDATA, "XGBoost model: tree %zu is for class %g of %u", t,
						   output, f->n_outputs);
		f->trees[t].output = (uint32_t) output;
		ML_TRY(read_tree(r, &trees->items[t], t, &f->trees[t]));
		if (r->drop)
			ML_TRY(scale_tree(r, t, &f->trees[t]));
	}
	return ML_OK;
}

/* ---- the learner */

/* gbtree and dart; dart wraps a gbtree. */
static MlStatus
read_booster(Reader *r)
{
	const MlJson *booster = get(r->learner, "gradient_booster"), *name = get(booster, "name");

	if (!name || name->type != ML_JSON_STRING)
		return ml_fail(r->env, ML_EDATA, "XGBoost model: there is no \"gradient_booster\" in it");
	r->booster = booster;
	if (strcmp(name->string, "dart") == 0)
	{
		r->booster = get(booster, "gbtree");
		return need_array(r, booster, "weight_drop", &r->drop);
	}
	if (strcmp(name->string, "gbtree") != 0)
		return ml_fail(r->env, ML_EDATA, "XGBoost model: booster \"%.64s\" cannot be imported",
					   name->string);
	return ML_OK;
}

static MlStatus
read_objective(Reader *r)
{
	const MlJson *name = get(r->learner, "objective.name");

	if (!name || name->type != ML_JSON_STRING)
		return ml_fail(r->env, ML_EDATA, "XGBoost model: there is no objective in it");
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strcmp(meanings[i].objective, name->string) == 0)
			r->meaning = &meanings[i];
	if (!r->meaning)
		return ml_fail(r->env, ML_EDATA, "XGBoost model: objective \"%.64s\" cannot be imported",
					   name->string);
	r->f->objective = r->meaning->objective;
	r->f->loss = r->meaning->loss;
	r->f->classes = r->meaning->classes;
	return ML_OK;
}

/* A base score as a sum of trees. */
static bool
link_base(Link link, double score, double *out)
{
	if (link == LINK_LOGIT)
		*out = -log(1 / score - 1);
	else
		*out = link == LINK_LOG ? log(score) : score;
	return isfinite(*out);
}

/* The base score: one for all outputs, or "[a,b,c]". */
static MlStatus
read_base(Reader *r)
{
	const MlJson *value = get(r->learner, "learner_model_param.base_score");
	const char *at = value && value->type == ML_JSON_STRING ? value->string : NULL;
	double score;

	if (!number_of(value, &score))
		return ml_fail(r->env, ML_EDATA, "XGBoost model: there is no base_score in it");
	at = at && at[0] == '[' ? at + 1 : NULL;
	for (uint32_t k = 0; k < r->f->n_outputs; k++)
	{
		char *end;

		if (at && (k == 0 || *at == ','))
		{
			at += k > 0;
			score = strtod(at, &end);
			at = end;
		}
		if (!link_base(r->meaning->link, (double) (float) score, &r->f->base[k]))
			return ml_fail(r->env, ML_EDATA, "XGBoost model: base_score %g is not possible for %s",
						   score, r->f->objective);
	}
	return ML_OK;
}

/* Names and kinds, where the file has them. */
static MlStatus
read_features(Reader *r)
{
	const MlJson *names = get(r->learner, "feature_names");
	const MlJson *types = get(r->learner, "feature_types");
	uint32_t n = r->f->n_features;

	if (names && names->n > 0 && (names->type != ML_JSON_ARRAY || names->n != n))
		return ml_fail(r->env, ML_EDATA,
					   "XGBoost model: there are %zu feature names for %u features", names->n, n);
	for (uint32_t j = 0; j < n; j++)
	{
		MlForeignFeature *feature = &r->f->features[j];

		feature->name = ml_arena_text(r->arena, "", 0);
		if (names && names->n > 0)
			feature->name = names->items[j].string;
		if (!feature->name)
			return names && names->n > 0
					   ? ml_fail(r->env, ML_EDATA, "XGBoost model: name %u is not a text", j)
					   : ML_ENOMEM;
		if (types && types->type == ML_JSON_ARRAY && j < types->n &&
			types->items[j].type == ML_JSON_STRING)
			feature->categorical = strcmp(types->items[j].string, "c") == 0;
	}
	return ML_OK;
}

/* JSON or UBJSON, by what follows the first brace. */
static MlStatus
parse(MlArena *arena, const char *data, size_t len, MlJson **out)
{
	size_t at = 1;
	MlStatus status;

	if (len < 2 || data[0] != '{')
	{
		ml_fail(arena->env, ML_EDATA, "XGBoost model: it is neither JSON nor UBJSON");
		ml_hint(arena->env, "Save it with save_model to a file that ends in .json or .ubj.");
		return ML_EDATA;
	}
	while (at < len && isspace((unsigned char) data[at]))
		at++;
	status = at < len && (data[at] == '"' || data[at] == '}')
				 ? ml_json_parse_not_finite(arena, data, len, out)
				 : ml_ubjson_parse(arena, data, len, out);
	return status == ML_EINVAL ? ML_EDATA : status;
}

MlStatus
ml_foreign_xgboost(MlArena *arena, const void *data, size_t len, MlForeign *out)
{
	Reader r = {.arena = arena, .env = arena->env, .f = out};
	MlJson *root;
	uint32_t n_features, n_class = 0, n_targets = 1;
	double best;

	ML_TRY(parse(arena, data, len, &root));
	out->library = "xgboost";
	r.learner = get(root, "learner");
	ML_TRY(read_booster(&r));
	ML_TRY(read_objective(&r));
	ML_TRY(need_whole(&r, r.learner, "learner_model_param.num_feature", ML_MAX_SLOTS, &n_features));
	ML_TRY(need_whole(&r, r.learner, "learner_model_param.num_class", ML_MAX_CLASSES, &n_class));
	if (get(r.learner, "learner_model_param.num_target"))
		ML_TRY(need_whole(&r, r.learner, "learner_model_param.num_target", 1e6, &n_targets));
	if (n_targets > 1 || (n_class > 1) != (r.meaning->loss == GBDT_SOFTMAX))
		return ml_fail(r.env, ML_EDATA, "XGBoost model: %u classes and %u targets with \"%s\"",
					   n_class, n_targets, out->objective);
	ML_TRY(ml_foreign_begin(out, n_features, ML_MAX(n_class, 1)));
	ML_TRY(read_features(&r));
	ML_TRY(read_base(&r));
	if (whole_of(get(r.learner, "attributes.best_iteration"), 0, 1e9, &best))
		out->best_iteration = (int64_t) best;
	return read_trees(&r);
}
