/*
 * test_foreign.c
 *		Models of other libraries: what small ones predict, and what damaged ones come to.
 */
#include "foreign_fixture.h"

typedef struct Imported
{
	MlEnv env;
	MlArena arena;
	MlBuffer image;
	MlModel *model;
	MlStatus status;
} Imported;

static void
import(Imported *i, const char *format, const void *data, size_t len, const char *options)
{
	MlJson *json = NULL;

	ml_env_init(&i->env);
	ml_arena_init(&i->arena, &i->env);
	ml_buffer_init(&i->image, &i->env);
	i->model = NULL;
	if (options)
		CHECK(ml_json_parse(&i->arena, options, strlen(options), &json) == ML_OK);
	i->status = ml_foreign_import(&i->env, format, data, len, json, &i->image);
	if (i->status == ML_OK)
		i->status = ml_image_decode(&i->arena, i->image.data, i->image.len, &i->model);
}

static void
import_text(Imported *i, const char *format, const char *text, const char *options)
{
	import(i, format, text, strlen(text), options);
	if (i->status != ML_OK)
		printf("# %s\n", i->env.error);
}

static void
end(Imported *i)
{
	ml_buffer_free(&i->image);
	ml_arena_free(&i->arena);
	CHECK(i->env.used == 0);
	ml_env_close(&i->env);
}

static double
predict(const Imported *i, double a, double b, double c)
{
	double x[3] = {a, b, c}, probs[ML_MAX_CLASSES] = {NAN};

	if (i->model)
		ml_model_predict(i->model, x, probs);
	return probs[0];
}

/* The same text with one piece replaced. */
static char *
edited(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *result = malloc(strlen(text) + strlen(to) + 1);

	if (!at)
		abort();
	sprintf(result, "%.*s%s%s", (int) (at - text), text, to, at + strlen(from));
	return result;
}

static void
lightgbm_predicts(void)
{
	Imported i;

	import_text(&i, "lightgbm", lightgbm_text, "{\"target\":\"pay\"}");
	CHECK(i.status == ML_OK);
	CHECK_NEAR(predict(&i, 30.5, -1, 0), 1.5, 0);
	CHECK_NEAR(predict(&i, 30.5, -0.999, 0), 2.5, 0);
	CHECK_NEAR(predict(&i, NAN, -3, 0), 1.5, 0);
	CHECK_NEAR(predict(&i, NAN, NAN, 0), 2.5, 0); /* none: NaN is 0 */
	CHECK_NEAR(predict(&i, nextafter(30.5, 31), 0, 1), 3.5, 0);
	CHECK_NEAR(predict(&i, INFINITY, 0, 3), 3.5, 0);
	CHECK_NEAR(predict(&i, 40, 0, 0), 4.5, 0);
	CHECK_NEAR(predict(&i, 40, 0, NAN), 4.5, 0);
	CHECK_NEAR(predict(&i, 40, 0, ML_UNSEEN), 4.5, 0);
	if (i.model)
	{
		double effects[3], base = 0, x[3] = {40, 0, 1};

		CHECK(strcmp(i.model->target, "pay") == 0);
		CHECK(strcmp(ml_dict_text(i.model->schema->inputs[2].levels, 3), "d") == 0);
		CHECK(i.model->algo->contributions(&i.env, i.model->fitted, x, 0, effects, &base) == ML_OK);
		CHECK_NEAR(base, 3.5,
				   1e-12); /* the mean over the leaves' rows: 0.1 + 0.4 + 0.9 + 1.6 + 0.5 */
		CHECK_NEAR(base + effects[0] + effects[1] + effects[2], 3.5, 1e-12);
	}
	end(&i);
}

/* Each missing type at a node, by editing its decision_type. */
static void
lightgbm_missing_types(void)
{
	static const struct
	{
		const char *types;
		double missing; /* what NaN in "age" gives, with sum = -3 */
		MlStatus status;
	} cases[] = {
		{"decision_type=10 0 1", 1.5, ML_OK}, /* nan, default left */
		{"decision_type=8 0 1", 4.5, ML_OK},  /* nan, default right */
		{"decision_type=0 0 1", 1.5, ML_OK},  /* none: 0 <= 30.5 */
		{"decision_type=6 0 1", 1.5, ML_OK},  /* zero, default left, where 0 goes anyhow */
		{"decision_type=4 0 1", 0, ML_EDATA}, /* zero, default right: 0 would have to */
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
	{
		char *text = edited(lightgbm_text, "decision_type=10 0 1", cases[c].types);
		Imported i;

		import(&i, "lightgbm", text, strlen(text), NULL);
		CHECK(i.status == cases[c].status);
		if (i.status == ML_OK)
			CHECK_NEAR(predict(&i, NAN, -3, 0), cases[c].missing, 0);
		end(&i);
		free(text);
	}
}

static void
lightgbm_objectives(void)
{
	static const struct
	{
		const char *objective;
		double expected; /* of a sum of 1.5; NaN: refused */
	} cases[] = {
		{"objective=binary sigmoid:1", 0.81757447619364365},
		{"objective=binary sigmoid:2", 0.95257412682243336},
		{"objective=cross_entropy", 0.81757447619364365},
		{"objective=poisson", 4.4816890703380645},
		{"objective=gamma", 4.4816890703380645},
		{"objective=tweedie tweedie_variance_power:1.5", 4.4816890703380645},
		{"objective=quantile alpha:0.5", 1.5},
		{"objective=lambdarank", 1.5},
		{"objective=regression sqrt", NAN},
		{"objective=multiclassova num_class:3 sigmoid:1", NAN},
		{"objective=multiclass num_class:3", NAN},
		{"objective=cross_entropy_lambda", NAN},
		{"average_output\nobjective=regression", 0.75},
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
	{
		char *text = edited(lightgbm_text, "objective=regression", cases[c].objective);
		Imported i;
		double got[2] = {NAN, NAN}, x[3] = {20, -3, 0};

		import(&i, "lightgbm", text, strlen(text), NULL);
		CHECK((i.status == ML_OK) == !isnan(cases[c].expected));
		if (i.model)
		{
			ml_model_predict(i.model, x, got);
			CHECK_NEAR(got[i.model->n_classes > 0], cases[c].expected, 1e-12);
		}
		end(&i);
		free(text);
	}
}

static void
check_xgboost(const Imported *i)
{
	/* log-odds of 0.25, and 1 of the second tree */
	double rest = -1.0986122886681098 + 1;
	double x[2] = {0, NAN}, probs[2];
	static const struct
	{
		double x, k, leaf;
	} rows[] = {
		{-5, 0, 1},        {0.1, 0, 2},
		{0.1, 1, 3},       {0.1, 2, 2},
		{NAN, 1, 3},       {NAN, NAN, 2},
		{7, NAN, 2},       {7, ML_UNSEEN, 2},
		{INFINITY, 0, 2},  {-INFINITY, 0, 1},
		{0.0999999, 0, 1}, {0.09999999999999999, 0, 2}, /* its float is that of 0.1 */
	};

	if (!i->model)
		return;
	CHECK(i->model->n_classes == 2);
	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++)
	{
		/* levels are the listed codes: 1 and 3 */
		x[0] = rows[r].x;
		x[1] = rows[r].k == 1 ? 0 : isnan(rows[r].k) ? NAN : ML_UNSEEN;
		ml_model_predict(i->model, x, probs);
		CHECK_NEAR(probs[1], 1 / (1 + exp(-(rows[r].leaf + rest))), 1e-9);
	}
}

static void
xgboost_predicts(void)
{
	Imported i, j;
	MlBuffer ubjson;

	import_text(&i, "xgboost", xgboost_text, NULL);
	CHECK(i.status == ML_OK);
	check_xgboost(&i);
	ml_buffer_init(&ubjson, &i.env);
	CHECK(to_ubjson(&i.env, xgboost_text, &ubjson) == ML_OK);
	import(&j, "xgboost", ubjson.data, ubjson.len, NULL);
	CHECK(j.status == ML_OK);
	CHECK(i.image.len == j.image.len && memcmp(i.image.data, j.image.data, i.image.len) == 0);
	end(&j);
	ml_buffer_free(&ubjson);
	end(&i);
}

static void
xgboost_classes(void)
{
	Imported i;
	double x[1] = {0}, probs[3], e;

	import_text(&i, "xgboost", xgboost_three,
				"{\"classes\":[\"a\",\"b\",\"c\"],\"features\":[\"q\"]}");
	CHECK(i.status == ML_OK && i.model && i.model->n_classes == 3);
	if (i.model)
	{
		ml_model_predict(i.model, x, probs); /* sums -1 - 4, -2, -3 */
		e = exp(-5) + exp(-2) + exp(-3);
		CHECK_NEAR(probs[0], exp(-5) / e, 1e-12);
		CHECK_NEAR(probs[1], exp(-2) / e, 1e-12);
		CHECK(strcmp(i.model->schema->inputs[0].name, "q") == 0);
	}
	end(&i);
	import_text(&i, "xgboost", xgboost_two, NULL);
	CHECK(i.status == ML_OK && i.model && i.model->n_classes == 2 && i.model->n_outputs == 1);
	if (i.model)
	{
		ml_model_predict(i.model, x, probs); /* sums -1, -2 */
		CHECK_NEAR(probs[1], 1 / (1 + exp(1)), 1e-12);
	}
	end(&i);
}

/* A model with more thresholds than an ensemble has cuts: two trees of 200 each, as chains. */
static void
many_thresholds(void)
{
	MlBuffer text;
	Imported i;
	MlEnv env;

	ml_env_init(&env);
	ml_buffer_init(&text, &env);
	ml_put_format(&text, "tree\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n"
						 "objective=regression\nfeature_names=x\n");
	for (int t = 0; t < 2; t++)
	{
		ml_put_format(&text, "Tree=%d\nnum_leaves=201\nsplit_feature=", t);
		for (int n = 0; n < 200; n++)
			ml_put_format(&text, "0 ");
		ml_put_format(&text, "\nthreshold=");
		for (int n = 0; n < 200; n++)
			ml_put_format(&text, "%g ", 2 * n + t + 0.5);
		ml_put_format(&text, "\ndecision_type=");
		for (int n = 0; n < 200; n++)
			ml_put_format(&text, "0 ");
		ml_put_format(&text, "\nleft_child=");
		for (int n = 0; n < 200; n++)
			ml_put_format(&text, "%d ", -n - 1);
		ml_put_format(&text, "\nright_child=");
		for (int n = 0; n < 200; n++)
			ml_put_format(&text, "%d ", n < 199 ? n + 1 : -201);
		ml_put_format(&text, "\nleaf_value=");
		for (int n = 0; n <= 200; n++)
			ml_put_format(&text, "%d ", n);
		ml_put_format(&text, "\n\n");
	}
	ml_put_format(&text, "end of trees\n");
	import(&i, "lightgbm", text.data, text.len, NULL);
	if (i.status != ML_OK)
		printf("# %s\n", i.env.error);
	CHECK(i.status == ML_OK);
	/* leaf n of tree t: thresholds below x */
	for (int x = -1; x < 410 && i.model; x++)
	{
		int first = x < 1 ? 0 : x > 399 ? 200 : (x + 1) / 2, second = x < 2 ? 0 : x / 2;

		CHECK_NEAR(predict(&i, x, 0, 0), first + ML_MIN(second, 200), 0);
	}
	CHECK(decode_and_use(&i.env, i.image.data, i.image.len) == ML_OK);
	end(&i);
	ml_buffer_free(&text);
}

/* One tree that tests a number at 511 values: it is cut into pieces, and says the same. */
static void
large_tree(void)
{
	static const char *const keys[] = {"split_feature", "threshold", "decision_type", "left_child",
									   "right_child"};
	MlBuffer text;
	Imported i;
	MlEnv env;

	ml_env_init(&env);
	ml_buffer_init(&text, &env);
	ml_put_format(&text, "tree\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n"
						 "objective=regression\nfeature_names=x\nTree=0\nnum_leaves=512\n");
	for (int k = 0; k < 5; k++)
	{
		ml_put_format(&text, "%s=", keys[k]);
		for (int level = 0; level < 9; level++)
			for (int p = 0; p < 1 << level; p++)
			{
				int child = (1 << (level + 1)) - 1 + 2 * p + (k == 4);
				int values[] = {0, (2 * p + 1) * (256 >> level), 0, 0, 0};

				values[3] = values[4] = level < 8 ? child : -(2 * p + (k == 4)) - 1;
				ml_put_format(&text, "%d ", values[k]);
			}
		ml_put_format(&text, "\n");
	}
	ml_put_format(&text, "leaf_value=");
	for (int n = 0; n < 512; n++)
		ml_put_format(&text, "%d ", n);
	ml_put_format(&text, "\nend of trees\n");
	import(&i, "lightgbm", text.data, text.len, NULL);
	CHECK(i.status == ML_OK);
	for (int n = 0; n < 512 && i.model; n++)
		CHECK_NEAR(predict(&i, n + 0.5, 0, 0), n, 0);
	CHECK(decode_and_use(&i.env, i.image.data, i.image.len) == ML_OK);
	end(&i);
	ml_buffer_free(&text);
}

/* Options that do not fit, and their errors. */
static void
bad_options(void)
{
	static const char *const options[] = {
		"{\"classes\":[\"a\",\"b\"]}",
		"{\"features\":[\"a\"]}",
		"{\"featurs\":[\"a\"]}",
		"{\"features\":3}",
		"{\"categories\":{\"nobody\":[]}}",
		"{\"categories\":{\"age\":[1]}}",
		"{\"categories\":{\"job\":[1]}}",
		"{\"categories\":{\"job\":[1,1,2,3,4]}}",
		"{\"features\":[\"a\",\"a\",\"b\"]}",
		"{\"categories\":[]}",
		"{\"features\":[\"a\",\"b\",null]}",
	};
	Imported i;

	for (size_t c = 0; c < sizeof(options) / sizeof(*options); c++)
	{
		import(&i, "lightgbm", lightgbm_text, strlen(lightgbm_text), options[c]);
		CHECK(i.status == ML_EINVAL || i.status == ML_EDATA);
		CHECK(i.env.error[0]);
		end(&i);
	}
	import(&i, "lightgm", lightgbm_text, strlen(lightgbm_text), NULL);
	CHECK(i.status == ML_EINVAL && strstr(i.env.hint, "lightgbm"));
	end(&i);
	import(&i, "xgboost", "binf", 4, NULL);
	CHECK(i.status == ML_EDATA && strstr(i.env.hint, ".json"));
	end(&i);
}

/* Cut off anywhere, and with any byte changed: an answer or an error, never more. */
static void
damage(const char *format, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	for (size_t at = 0; at < len; at++)
	{
		static const uint8_t bytes[] = {0, '9', '-', 0xFF};
		MlEnv env;
		MlStatus status;

		ml_env_init(&env);
		memcpy(copy, data, len);
		copy[at] = bytes[at % sizeof bytes];
		status = import_and_use(&env, format, copy, len);
		CHECK(status == ML_OK || status == ML_EDATA || status == ML_EINVAL);
		status = import_and_use(&env, format, data, at);
		CHECK(status == ML_OK || status == ML_EDATA || status == ML_EINVAL);
		CHECK(env.used == 0);
		ml_env_close(&env);
	}
	free(copy);
}

static void
damaged_files(void)
{
	MlBuffer ubjson;
	MlEnv env;

	damage("lightgbm", (const uint8_t *) lightgbm_text, strlen(lightgbm_text));
	damage("xgboost", (const uint8_t *) xgboost_text, strlen(xgboost_text));
	ml_env_init(&env);
	ml_buffer_init(&ubjson, &env);
	CHECK(to_ubjson(&env, xgboost_text, &ubjson) == ML_OK);
	damage("xgboost", ubjson.data, ubjson.len);
	ml_buffer_free(&ubjson);
	ml_env_close(&env);
}

/* Counts that a small UBJSON cannot hold. */
static void
hostile_ubjson(void)
{
	static const struct
	{
		const char *bytes;
		size_t len;
	} cases[] = {
		{"{i\x01"
		 "a[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff}",
		 17},
		{"{i\x01"
		 "a[$D#L\x7f\xff\xff\xff\xff\xff\xff\xff}",
		 17},
		{"{i\x01"
		 "a[#l\xff\xff\xff\xff}",
		 12},
		{"{$[#i\x7f", 7},
		{"{$i#L\x00\x00\x00\x00\x10\x00\x00\x00", 13},
		{"{L\xff\xff\xff\xff\xff\xff\xff\xff", 10},
	};
	char deep[1000];
	MlEnv env;

	ml_env_init(&env);
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
		CHECK(import_and_use(&env, "xgboost", cases[c].bytes, cases[c].len) == ML_EDATA);
	memcpy(deep, "{i\x01x", 4);
	memset(deep + 4, '[', sizeof deep - 4);
	CHECK(import_and_use(&env, "xgboost", deep, sizeof deep) == ML_EDATA);
	CHECK(strstr(env.error, "nested") != NULL);
	ml_env_close(&env);
}

static MlStatus
import_each(MlEnv *env, void *arg)
{
	(void) arg;
	ML_TRY(import_and_use(env, "lightgbm", lightgbm_text, strlen(lightgbm_text)));
	ML_TRY(import_and_use(env, "xgboost", xgboost_three, strlen(xgboost_three)));
	return import_and_use(env, "xgboost", xgboost_text, strlen(xgboost_text));
}

static MlStatus
import_ubjson(MlEnv *env, void *arg)
{
	const MlBuffer *ubjson = arg;

	return import_and_use(env, "xgboost", ubjson->data, ubjson->len);
}

static void
allocations_fail(void)
{
	MlBuffer ubjson;
	MlEnv env;

	unit_every_allocation_fails(import_each, NULL, 5000);
	ml_env_init(&env);
	ml_buffer_init(&ubjson, &env);
	CHECK(to_ubjson(&env, xgboost_text, &ubjson) == ML_OK);
	unit_every_allocation_fails(import_ubjson, &ubjson, 5000);
	ml_buffer_free(&ubjson);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(lightgbm_predicts);
	RUN(lightgbm_missing_types);
	RUN(lightgbm_objectives);
	RUN(xgboost_predicts);
	RUN(xgboost_classes);
	RUN(many_thresholds);
	RUN(large_tree);
	RUN(bad_options);
	RUN(damaged_files);
	RUN(hostile_ubjson);
	RUN(allocations_fail);
	return unit_end();
}
