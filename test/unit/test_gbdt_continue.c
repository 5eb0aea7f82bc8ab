/*
 * test_gbdt_continue.c
 *		Going on from an earlier model: its trees keep their word, new ones improve on them.
 */
#include "gbdt_fixture.h"

/* Boost on all rows of a table, going on from a model. */
static MlStatus
boost_on(Table *t, const char *options, const void *previous, void **model)
{
	const MlParam *table = ml_gbdt_params;
	MlParams params;
	MlJson *json;
	MlFitReport report;
	MlFitInput input = {.params = &params,
						.data = &t->data,
						.train = {NULL, t->n},
						.seed = 3,
						.previous = previous};
	MlStatus status;

	ML_TRY(ml_json_parse(&t->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&t->arena, "gbdt", &table, 1, json, &params));
	ml_buffer_init(&report.summary, t->env);
	ml_buffer_init(&report.log, t->env);
	status = ml_algo_gbdt.fit(t->env, &t->arena, &input, &report, model);
	ml_buffer_free(&report.summary);
	ml_buffer_free(&report.log);
	return status;
}

/* The sum of trees first..end-1 of an output. */
static double
sum_of(const void *model, uint32_t first, uint32_t end, const double *x)
{
	const MlTreeEnsemble *trees = ((const GbdtModel *) model)->trees;
	double sum = 0;

	for (uint32_t t = first; t < end; t += trees->n_outputs)
		sum += (double) trees->trees[t].values[ml_tree_leaf(trees, &trees->trees[t], x)];
	return sum;
}

/* Old trees say the same in the new model for every kind of row, also for levels that are new. */
static void
old_trees_keep_their_word(void)
{
	static const uint32_t levels[][2] = {{20, 20}, {20, 60}, {200, 280}, {300, 400}, {255, 256}};

	for (size_t k = 0; k < sizeof(levels) / sizeof(*levels); k++)
	{
		uint32_t n_classes = k % 3 == 2 ? 3 : k % 3 == 1 ? 2 : 0;
		TableSpec first = {1500, levels[k][0], n_classes, false, 30 + k};
		TableSpec second = {1500, levels[k][1], n_classes, false, 60 + k};
		MlEnv env;
		Table a, b;
		void *old = NULL, *new = NULL;
		long wrong = 0;

		ml_env_init(&env);
		CHECK(table_open(&a, &env, &first) == ML_OK);
		CHECK(table_open(&b, &env, &second) == ML_OK);
		for (size_t i = 0; i < b.n && k == 0; i++)
			b.x[i * FEATURES] *= 3; /* the rows predicted below; training keeps its own */
		CHECK(boost_on(&a, "{\"n_trees\":30,\"max_leaves\":60}", NULL, &old) == ML_OK);
		CHECK(boost_on(&b, "{\"n_trees\":12}", old, &new) == ML_OK);
		const MlTreeEnsemble *was = ((GbdtModel *) old)->trees, *is = ((GbdtModel *) new)->trees;

		CHECK(is->n_trees == was->n_trees + 12 * was->n_outputs);
		for (size_t i = 0; i < b.n; i++)
		{
			const double *x = b.x + i * FEATURES;

			for (uint32_t t = 0; t < was->n_trees; t++)
				wrong += was->trees[t].values[ml_tree_leaf(was, &was->trees[t], x)] !=
						 is->trees[t].values[ml_tree_leaf(is, &is->trees[t], x)];
		}
		CHECK(wrong == 0);
		CHECK(memcmp(was->base, is->base, was->n_outputs * sizeof(double)) == 0);
		CHECK(k == 0 || table_loss(&b, new) < table_loss(&b, old));
		table_close(&a);
		table_close(&b);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* Half of the rounds and then the other half are about all of them. */
static void
two_halves_are_about_the_whole(void)
{
	for (uint32_t n_classes = 0; n_classes <= 3; n_classes++)
	{
		TableSpec spec = {2000, 20, n_classes, false, 40};
		MlEnv env;
		Table t;
		void *half = NULL, *whole = NULL, *both = NULL;
		double scale;

		ml_env_init(&env);
		CHECK(table_open(&t, &env, &spec) == ML_OK);
		const char *options = n_classes == TABLE_COUNTS
								  ? "{\"n_trees\":30,\"objective\":\"poisson\",\"colsample\":1}"
								  : "{\"n_trees\":30,\"colsample\":1}";
		const char *twice = n_classes == TABLE_COUNTS
								? "{\"n_trees\":60,\"objective\":\"poisson\",\"colsample\":1}"
								: "{\"n_trees\":60,\"colsample\":1}";

		CHECK(boost_on(&t, options, NULL, &half) == ML_OK);
		CHECK(boost_on(&t, "{\"n_trees\":30,\"colsample\":1}", half, &both) == ML_OK);
		CHECK(boost_on(&t, twice, NULL, &whole) == ML_OK);
		scale = table_loss(&t, half) - table_loss(&t, whole);
		CHECK(scale > 0);
		CHECK(fabs(table_loss(&t, both) - table_loss(&t, whole)) < 0.25 * scale);
		CHECK(((GbdtModel *) both)->loss == ((GbdtModel *) whole)->loss);
		/* the sums are those of all trees */
		if (n_classes == 0)
		{
			double out;

			ml_algo_gbdt.predict(both, t.x, &out);
			CHECK_NEAR(out, ((GbdtModel *) both)->trees->base[0] + sum_of(both, 0, 60, t.x), 1e-9);
		}
		table_close(&t);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* A model that is as good as it gets is not made worse: with early stopping no tree may be added. */
static void
stops_where_it_began(void)
{
	TableSpec spec = {1500, 20, 2, false, 41};
	MlEnv env;
	Table t;
	void *old = NULL, *new = NULL;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK(boost_on(&t, "{\"n_trees\":400,\"min_leaf_rows\":2}", NULL, &old) == ML_OK);
	CHECK(boost_on(&t, "{\"n_trees\":20,\"early_stopping\":3,\"max_leaves\":2}", old, &new) ==
		  ML_OK);
	CHECK(((GbdtModel *) new)->trees->n_trees >= 400);
	CHECK(table_loss(&t, new) < 1.01 * table_loss(&t, old));
	table_close(&t);
	ml_env_close(&env);
}

static void
refuses_other_models(void)
{
	TableSpec spec = {200, 5, 0, false, 42}, classes = {200, 5, 3, false, 42};
	TableSpec fewer = {200, 3, 0, false, 42};
	MlEnv env;
	Table a, b, c;
	void *old = NULL, *new = NULL;

	ml_env_init(&env);
	CHECK(table_open(&a, &env, &spec) == ML_OK);
	CHECK(table_open(&b, &env, &classes) == ML_OK);
	CHECK(table_open(&c, &env, &fewer) == ML_OK);
	CHECK(boost_on(&a, "{\"n_trees\":3}", NULL, &old) == ML_OK);
	CHECK(boost_on(&a, "{\"n_trees\":3,\"objective\":\"absolute\"}", old, &new) == ML_EINVAL);
	CHECK(strstr(env.error, "is not that of the model") != NULL);
	CHECK(boost_on(&b, "{\"n_trees\":3,\"objective\":\"multiclass\"}", old, &new) == ML_EINVAL);
	CHECK(boost_on(&c, "{\"n_trees\":3}", old, &new) == ML_EINVAL);
	CHECK(strstr(env.error, "otherwise") != NULL);
	table_close(&a);
	table_close(&b);
	table_close(&c);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

static MlStatus
continue_work(MlEnv *env, void *arg)
{
	TableSpec spec = {60, 5, 2, true, 43};
	Table t;
	void *new = NULL;
	MlStatus status = table_open(&t, env, &spec);

	if (status == ML_OK)
		status = boost_on(&t, "{\"n_trees\":2,\"min_leaf_rows\":5}", arg, &new);
	table_close(&t);
	return status;
}

static void
every_allocation_can_fail(void)
{
	TableSpec spec = {60, 5, 2, true, 44};
	MlEnv env;
	Table t;
	void *old = NULL;

	ml_env_init(&env);
	CHECK(table_open(&t, &env, &spec) == ML_OK);
	CHECK(boost_on(&t, "{\"n_trees\":2,\"min_leaf_rows\":5}", NULL, &old) == ML_OK);
	unit_every_allocation_fails(continue_work, old, 2000);
	table_close(&t);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(old_trees_keep_their_word);
	RUN(two_halves_are_about_the_whole);
	RUN(stops_where_it_began);
	RUN(refuses_other_models);
	RUN(every_allocation_can_fail);
	return unit_end();
}
