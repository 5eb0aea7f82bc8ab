/*
 * foreign_fixture.h
 *		Small models of other libraries, written by hand, and what can be done with the bytes of any.
 */
#ifndef FOREIGN_FIXTURE_H
#define FOREIGN_FIXTURE_H

#include "image_fixture.h"
#include "model/foreign.h"

/*
 * Two trees over "age" (missing: nan), "sum" (missing: none) and "job" (levels a, b, c, d by pandas):
 *		age <= 30.5, missing left ? (sum <= -1 ? 1 : 2) : (job in {b, d} ? 3 : 4)      and 0.5
 */
static const char lightgbm_text[] =
	"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=2\n"
	"objective=regression\nfeature_names=age sum job\nfeature_infos=[18:70] [-5:5] 0:1:2:3\n"
	"tree_sizes=1 1\n\n"
	"Tree=0\nnum_leaves=4\nnum_cat=1\nsplit_feature=0 1 2\nsplit_gain=10 5 2\n"
	"threshold=30.5 -1 0\ndecision_type=10 0 1\nleft_child=1 -1 -3\nright_child=2 -2 -4\n"
	"leaf_value=1 2 3 4\nleaf_weight=1 1 1 1\nleaf_count=10 20 30 40\ninternal_value=0 0 0\n"
	"cat_boundaries=0 1\ncat_threshold=10\nis_linear=0\nshrinkage=1\n\n\n"
	"Tree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\nleaf_count=100\n\nend of trees\n\n"
	"feature_importances:\nage=1\n\nparameters:\n[boosting: gbdt]\nend of parameters\n\n"
	"pandas_categorical:[[\"a\", \"b\", \"c\", \"d\"]]\n";

/*
 * A dart of two trees, the second with half its weight, and a base score of 0.25 (log-odds -1.0986):
 *		x < 0.1 (as floats), missing right ? 1 : (k in {1, 3}, missing left ? 3 : 2)      and 2 * 0.5
 */
static const char xgboost_text[] =
	"{\"learner\":{\"attributes\":{\"best_iteration\":\"1\"},\"feature_names\":[\"x\",\"k\"],"
	"\"feature_types\":[\"float\",\"c\"],\"gradient_booster\":{\"gbtree\":{\"model\":{"
	"\"gbtree_model_param\":{\"num_trees\":\"2\"},\"tree_info\":[0,0],\"trees\":["
	"{\"base_weights\":[0,1,0,2,3],\"categories\":[1,3],\"categories_nodes\":[2],"
	"\"categories_segments\":[0],\"categories_sizes\":[2],\"default_left\":[0,0,1,0,0],"
	"\"left_children\":[1,-1,3,-1,-1],\"right_children\":[2,-1,4,-1,-1],"
	"\"loss_changes\":[9.5,0,4,0,0],\"split_conditions\":[0.1,1,NaN,2,3],"
	"\"split_indices\":[0,0,1,0,0],\"split_type\":[0,0,1,0,0],"
	"\"sum_hessian\":[1.75,0.5,1.25,0.25,1],\"tree_param\":{\"size_leaf_vector\":\"0\"}},"
	"{\"default_left\":[0],\"left_children\":[-1],\"right_children\":[-1],\"loss_changes\":[0],"
	"\"split_conditions\":[2],\"split_indices\":[0],\"split_type\":[0],\"sum_hessian\":[1.75],"
	"\"tree_param\":{\"size_leaf_vector\":\"0\"}}]}},\"name\":\"dart\",\"weight_drop\":[1,5E-1]},"
	"\"learner_model_param\":{\"base_score\":\"2.5E-1\",\"num_class\":\"0\",\"num_feature\":\"2\","
	"\"num_target\":\"1\"},\"objective\":{\"name\":\"binary:logistic\"}},\"version\":[1,7,4]}";

/* Three classes, and two (which become one output). */
#define SOFTMAX_TREE(value) \
	"{\"default_left\":[1,0,0],\"left_children\":[1,-1,-1],\"right_children\":[2,-1,-1]," \
	"\"split_conditions\":[0.5,-" value "," value "],\"split_indices\":[0,0,0]," \
	"\"sum_hessian\":[2,1,1],\"tree_param\":{\"size_leaf_vector\":\"1\"}}"
#define SOFTMAX_MODEL(n, info, trees) \
	"{ \"learner\":{\"gradient_booster\":{\"model\":{\"tree_info\":[" info "],\"trees\":[" trees \
	"]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"[5E-1]\",\"num_class\":" \
	"\"" n "\",\"num_feature\":\"1\"},\"objective\":{\"name\":\"multi:softprob\"}}}"

static const char xgboost_three[] = SOFTMAX_MODEL(
	"3", "0,1,2,0",
	SOFTMAX_TREE("1") "," SOFTMAX_TREE("2") "," SOFTMAX_TREE("3") "," SOFTMAX_TREE("4"));
static const char xgboost_two[] =
	SOFTMAX_MODEL("2", "0,1", SOFTMAX_TREE("1") "," SOFTMAX_TREE("2"));

/* ---- UBJSON of a JSON tree: arrays of numbers with one type, as XGBoost writes them */

static inline void
put_big_endian(MlBuffer *out, uint64_t bits, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		ml_put_u8(out, (uint8_t) (bits >> 8 * i));
}

static inline void
put_ubjson_text(MlBuffer *out, const char *text)
{
	ml_put_u8(out, 'L');
	put_big_endian(out, strlen(text), 8);
	ml_put_bytes(out, text, strlen(text));
}

static inline void
put_double(MlBuffer *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	put_big_endian(out, bits, 8);
}

static inline void
put_ubjson(MlBuffer *out, const MlJson *json)
{
	bool numbers = json->type == ML_JSON_ARRAY && json->n > 0;

	for (size_t i = 0; numbers && i < json->n; i++)
		numbers = json->items[i].type == ML_JSON_NUMBER;
	switch (json->type)
	{
		case ML_JSON_OBJECT:
			ml_put_u8(out, '{');
			for (size_t i = 0; i < json->n; i++)
			{
				put_ubjson_text(out, json->keys[i]);
				put_ubjson(out, &json->items[i]);
			}
			ml_put_u8(out, '}');
			break;
		case ML_JSON_ARRAY:
			ml_put_bytes(out, numbers ? "[$D#L" : "[#L", numbers ? 5 : 3);
			put_big_endian(out, json->n, 8);
			for (size_t i = 0; i < json->n; i++)
			{
				if (numbers)
					put_double(out, json->items[i].number);
				else
					put_ubjson(out, &json->items[i]);
			}
			break;
		case ML_JSON_STRING:
			ml_put_u8(out, 'S');
			put_ubjson_text(out, json->string);
			break;
		case ML_JSON_NUMBER:
			ml_put_u8(out, 'D');
			put_double(out, json->number);
			break;
		default:
			ml_put_u8(out, json->type == ML_JSON_NULL ? 'Z' : json->boolean ? 'T' : 'F');
	}
}

/* The same model as UBJSON. */
static inline MlStatus
to_ubjson(MlEnv *env, const char *text, MlBuffer *out)
{
	MlArena arena;
	MlJson *json;
	MlStatus status;

	ml_arena_init(&arena, env);
	status = ml_json_parse_not_finite(&arena, text, strlen(text), &json);
	if (status == ML_OK)
		put_ubjson(out, json);
	ml_arena_free(&arena);
	return status == ML_OK ? out->status : status;
}

/* Import bytes, and use the image. */
static inline MlStatus
import_and_use(MlEnv *env, const char *format, const void *data, size_t len)
{
	MlBuffer image;
	MlStatus status;

	ml_buffer_init(&image, env);
	status = ml_foreign_import(env, format, data, len, NULL, &image);
	if (status == ML_OK)
		status = decode_and_use(env, image.data, image.len);
	ml_buffer_free(&image);
	return status;
}

#endif /* FOREIGN_FIXTURE_H */
