/*
 * test_kmeans.c
 *		Clusters around means: known optima, properties of a fit, threads, bytes, hostile input.
 */
#include "unit.h"

#include "algo/algo.h"
#include "core/rng.h"
#include "core/silhouette.h"
#include "iris.h"

extern const MlAlgo ml_algo_kmeans;

/* n rows of n_numbers numbers and then n_factors level codes; w may be NULL. */
typedef struct Table
{
	size_t n;
	uint32_t n_numbers, n_factors, n_levels;
	double *x, *w;
} Table;

/* A fit: everything in one arena. */
typedef struct Fit
{
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlFitReport report;
	MlJson *summary;
	void *model;
	MlBuffer bytes;
} Fit;

static MlStatus
fit_schema(Fit *fit, const Table *t)
{
	uint32_t n = t->n_numbers + t->n_factors;
	char text[32];

	ML_TRY(ml_schema_create(&fit->arena, n, &fit->schema));
	for (uint32_t i = 0; i < n; i++)
	{
		MlInput *input = &fit->schema->inputs[i];

		snprintf(text, sizeof text, "c%u", (unsigned) i + 1);
		input->name = input->type_name = ml_arena_text(&fit->arena, text, strlen(text));
		if (!input->name)
			return ML_ENOMEM;
		input->kind = i < t->n_numbers ? ML_NUMERIC : ML_CATEGORICAL;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(fit->schema));
	for (uint32_t i = t->n_numbers; i < n; i++)
		for (uint32_t k = 0; k < t->n_levels; k++)
		{
			uint32_t code;

			snprintf(text, sizeof text, "l%u", (unsigned) k);
			ML_TRY(ml_dict_add(fit->schema->inputs[i].levels, text, strlen(text), &code));
		}
	ml_schema_seal(fit->schema);
	return ML_OK;
}

static MlStatus
fit_frame(Fit *fit, const Table *t)
{
	uint32_t n = t->n_numbers + t->n_factors;
	MlWidth widths[64];
	double row[64];

	for (uint32_t j = 0; j < n + 1; j++)
		widths[j] = j >= t->n_numbers && j < n ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	ML_TRY(ml_frame_create(fit->env, widths, n + 1, &fit->frame));
	for (size_t i = 0; i < t->n; i++)
	{
		memcpy(row, t->x + i * n, n * sizeof(double));
		row[n] = t->w ? t->w[i] : 1;
		ML_TRY(ml_frame_append(fit->frame, row));
	}
	return ML_OK;
}

static MlStatus
fit_inner(Fit *fit, const Table *t, const char *options)
{
	const MlParam *tables[] = {ml_algo_kmeans.params};
	MlDataset data = {.task = ML_CLUSTERING, .target_column = -1, .weight_column = -1};
	MlFitInput input = {.data = &data, .seed = 1};
	MlParams params;
	MlBuffer text;
	MlJson *json;
	MlStatus status;

	ML_TRY(fit_schema(fit, t));
	ML_TRY(fit_frame(fit, t));
	ML_TRY(ml_json_parse(&fit->arena, options, strlen(options), &json));
	ML_TRY(ml_params_parse(&fit->arena, "kmeans", tables, 1, json, &params));
	data.schema = fit->schema;
	data.frame = fit->frame;
	data.weight_column = t->w ? (int64_t) t->n_numbers + t->n_factors : -1;
	input.params = &params;
	input.train.n = t->n;
	ML_TRY(ml_algo_kmeans.fit(fit->env, &fit->arena, &input, &fit->report, &fit->model));
	ML_TRY(fit->report.summary.status);
	ml_buffer_init(&text, fit->env);
	ml_put_format(&text, "{%.*s}", (int) fit->report.summary.len,
				  (char *) fit->report.summary.data);
	status = text.status;
	if (status == ML_OK)
		status = ml_json_parse(&fit->arena, (char *) text.data, text.len, &fit->summary);
	ml_buffer_free(&text);
	ML_TRY(status);
	ml_algo_kmeans.save(fit->model, &fit->bytes);
	return fit->bytes.status;
}

static MlStatus
fit_table(Fit *fit, MlEnv *env, const Table *t, const char *options)
{
	memset(fit, 0, sizeof *fit);
	fit->env = env;
	ml_arena_init(&fit->arena, env);
	ml_buffer_init(&fit->report.summary, env);
	ml_buffer_init(&fit->report.log, env);
	ml_buffer_init(&fit->bytes, env);
	return fit_inner(fit, t, options);
}

static void
fit_end(Fit *fit)
{
	ml_buffer_free(&fit->bytes);
	ml_buffer_free(&fit->report.summary);
	ml_buffer_free(&fit->report.log);
	if (fit->frame)
		ml_frame_free(fit->frame);
	ml_arena_free(&fit->arena);
}

static double
summary(const Fit *fit, const char *key)
{
	const MlJson *value = ml_json_get(fit->summary, key);

	return value && value->type == ML_JSON_NUMBER ? value->number : NAN;
}

static int
compare_numbers(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* The centers' first column, ascending. */
static MlStatus
keep_first(void *arg, const MlCoefficient *row)
{
	double *out = arg;

	if (strcmp(row->feature, "c1") == 0)
		out[row->class_index] = row->value;
	return ML_OK;
}

/*
 * Iris: the best inertia that scikit-learn 1.2 finds in 1,000 starts (KMeans(k, n_init=1000, tol=0)), and for 3
 * clusters the first column of its centers.
 */
static void
iris_has_known_optima(void)
{
	static const double inertia[] = {681.3706, 152.34795176035792, 78.851441426146,
									 57.228473214285714, 46.44618205128205};
	static const double scaled3 = 139.82049635974982;
	static const double first[] = {5.006, 5.901612903225807, 6.85};
	const Table t = {150, 4, 0, 0, (double *) iris, NULL};
	char options[96];
	double column[3] = {0};
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	for (int k = 1; k <= 5; k++)
	{
		snprintf(options, sizeof options,
				 "{\"n_clusters\":%d,\"scale\":false,\"n_init\":50,\"tol\":0}", k);
		CHECK(fit_table(&fit, &env, &t, options) == ML_OK);
		CHECK_NEAR(summary(&fit, "inertia"), inertia[k - 1], 1e-9);
		if (k == 3)
		{
			ml_algo_kmeans.coefficients(&env, fit.model, fit.schema, keep_first, column);
			qsort(column, 3, sizeof(double), compare_numbers);
			for (int i = 0; i < 3; i++)
				CHECK_NEAR(column[i], first[i], 1e-9);
		}
		fit_end(&fit);
	}
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":3,\"n_init\":50,\"tol\":0}") == ML_OK);
	CHECK_NEAR(summary(&fit, "inertia"), scaled3, 1e-9);
	fit_end(&fit);
	ml_env_close(&env);
}

/* Normal clouds around `clouds` centers; also a level that goes with the cloud, and some missing values. */
static Table
clouds_table(size_t n, uint32_t n_numbers, uint32_t n_factors, uint32_t clouds)
{
	Table t = {n, n_numbers, n_factors, clouds, NULL, NULL};
	uint32_t width = n_numbers + n_factors;
	MlRng rng;

	t.x = malloc(n * width * sizeof(double));
	ml_rng_seed(&rng, 5, 0);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t cloud = (uint32_t) ml_rng_below(&rng, clouds);

		for (uint32_t j = 0; j < width; j++)
		{
			double at = 20 * sin(1.7 * cloud * (j + 1) + j), z = ml_rng_normal(&rng);

			t.x[i * width + j] = j >= n_numbers                       ? (i % 50 == 0 ? NAN : cloud)
								 : (i + j) % 97 == 0 && n_factors > 0 ? NAN
																	  : at + z;
		}
	}
	return t;
}

/* Inertia, sizes and centers agree with what predict and transform say of the training rows. */
static void
figures_agree_with_predictions(void)
{
	Table t = clouds_table(3000, 3, 2, 5);
	double sizes[5] = {0}, distance[5], cluster, inertia = 0, weight = 0;
	MlEnv env;
	Fit fit;

	t.w = malloc(t.n * sizeof(double));
	for (size_t i = 0; i < t.n; i++)
		t.w[i] = 0.5 + (double) (i % 3);
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":5}") == ML_OK);
	CHECK(ml_algo_kmeans.n_components(fit.model) == 5);
	for (size_t i = 0; i < t.n; i++)
	{
		ml_algo_kmeans.predict(fit.model, t.x + i * 5, &cluster);
		ml_algo_kmeans.transform(fit.model, t.x + i * 5, distance);
		for (int k = 0; k < 5; k++)
			CHECK(distance[(int) cluster] <= distance[k]);
		sizes[(int) cluster] += t.w[i];
		inertia += t.w[i] * distance[(int) cluster] * distance[(int) cluster];
		weight += t.w[i];
	}
	CHECK_NEAR(summary(&fit, "inertia"), inertia, 1e-9);
	for (size_t k = 0; k < 5; k++)
		CHECK_NEAR(ml_json_get(fit.summary, "sizes")->items[k].number, sizes[k], 1e-9);
	CHECK(inertia < 0.6 * weight * 5);
	fit_end(&fit);
	ml_env_close(&env);
	free(t.x);
	free(t.w);
}

/* A weight of 2 is a row twice. */
static void
weights_are_repetitions(void)
{
	Table t = clouds_table(400, 2, 0, 3), twice = t;
	MlEnv env;
	Fit a, b;

	t.w = malloc(t.n * sizeof(double));
	twice.x = malloc(2 * 800 * sizeof(double));
	twice.n = 0;
	for (size_t i = 0; i < t.n; i++)
	{
		t.w[i] = 1 + (double) (i % 2);
		for (size_t k = 0; k <= i % 2; k++)
			memcpy(twice.x + 2 * twice.n++, t.x + 2 * i, 2 * sizeof(double));
	}
	ml_env_init(&env);
	CHECK(fit_table(&a, &env, &t, "{\"n_clusters\":3,\"scale\":false,\"tol\":0}") == ML_OK);
	CHECK(fit_table(&b, &env, &twice, "{\"n_clusters\":3,\"scale\":false,\"tol\":0}") == ML_OK);
	CHECK_NEAR(summary(&a, "inertia"), summary(&b, "inertia"), 1e-12);
	fit_end(&a);
	fit_end(&b);
	ml_env_close(&env);
	free(t.x);
	free(t.w);
	free(twice.x);
}

/* The number of clouds is found, as a range, as "auto", and by mini-batches; its silhouette is scikit-learn's to 0.05. */
static void
the_number_of_clusters_is_found(void)
{
	static const char *const options[] = {
		"{\"n_clusters\":\"auto\"}", "{\"n_clusters\":[2,8],\"scale\":false}",
		"{\"n_clusters\":[2,8],\"batch_size\":200}", "{\"n_clusters\":[4,4]}"};
	Table t = clouds_table(5000, 4, 0, 4);
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
	{
		CHECK(fit_table(&fit, &env, &t, options[i]) == ML_OK);
		CHECK(summary(&fit, "n_clusters") == 4);
		CHECK(summary(&fit, "silhouette") > 0.8);
		CHECK(strcmp(fit.report.metric, "silhouette") == 0);
		CHECK(fit.report.score == summary(&fit, "silhouette"));
		fit_end(&fit);
	}
	ml_env_close(&env);
	free(t.x);
}

/* Mini-batches come near to what all rows give. */
static void
batches_come_near(void)
{
	Table t = clouds_table(50000, 3, 1, 6);
	MlEnv env;
	Fit all, batches;

	ml_env_init(&env);
	CHECK(fit_table(&all, &env, &t, "{\"n_clusters\":6}") == ML_OK);
	CHECK(fit_table(&batches, &env, &t, "{\"n_clusters\":6,\"batch_size\":1024}") == ML_OK);
	CHECK(summary(&batches, "inertia") < 1.02 * summary(&all, "inertia"));
	CHECK(summary(&batches, "inertia") >= summary(&all, "inertia") * (1 - 1e-9));
	fit_end(&all);
	fit_end(&batches);
	ml_env_close(&env);
	free(t.x);
}

/* Same seed, same bytes, whatever the number of threads. */
static void
threads_change_nothing(void)
{
	static const char *const options[] = {"{\"n_clusters\":7,\"max_iter\":30}",
										  "{\"n_clusters\":7,\"batch_size\":500}"};
	Table t = clouds_table(40000, 5, 1, 9);
	MlEnv env;
	Fit a, b;

	for (int i = 0; i < 2; i++)
	{
		ml_env_init(&env);
		CHECK(fit_table(&a, &env, &t, options[i]) == ML_OK);
		ml_env_close(&env);
		env.pool = NULL;
		env.n_threads = 4;
		CHECK(fit_table(&b, &env, &t, options[i]) == ML_OK);
		CHECK(a.bytes.len == b.bytes.len && memcmp(a.bytes.data, b.bytes.data, a.bytes.len) == 0);
		CHECK(a.report.log.len == b.report.log.len);
		fit_end(&a);
		fit_end(&b);
		ml_env_close(&env);
	}
	free(t.x);
}

/* Fewer distinct rows than clusters: some stay empty, and nothing breaks. */
static void
few_distinct_rows(void)
{
	Table t = {60, 2, 0, 0, NULL, NULL};
	double cluster;
	MlEnv env;
	Fit fit;

	t.x = malloc(120 * sizeof(double));
	for (size_t i = 0; i < 60; i++)
	{
		t.x[2 * i] = (double) (i % 3);
		t.x[2 * i + 1] = 1;
	}
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":5}") == ML_OK);
	CHECK_NEAR(summary(&fit, "inertia"), 0, 1e-12);
	CHECK(ml_json_get(fit.summary, "advice") != NULL);
	ml_algo_kmeans.predict(fit.model, t.x, &cluster);
	CHECK(cluster >= 0 && cluster < 5);
	fit_end(&fit);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":61}") == ML_EDATA);
	fit_end(&fit);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":[5,2]}") == ML_EINVAL);
	fit_end(&fit);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":2.5}") == ML_EINVAL);
	fit_end(&fit);
	ml_env_close(&env);
	free(t.x);
}

/* An empty cluster takes the row that is farthest away: four far points and a heap, all found from any start. */
static void
empty_clusters_are_filled(void)
{
	Table t = {200, 1, 0, 0, NULL, NULL};
	MlEnv env;
	Fit fit;

	t.x = malloc(200 * sizeof(double));
	for (size_t i = 0; i < 200; i++)
		t.x[i] = i < 4 ? 1000.0 * (double) (1 + i) : (double) i * 1e-3;
	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":5,\"n_init\":1,\"tol\":0}") == ML_OK);
	for (size_t k = 0; k < 5; k++)
		CHECK(ml_json_get(fit.summary, "sizes")->items[k].number > 0);
	fit_end(&fit);
	ml_env_close(&env);
	free(t.x);
}

/* Saved and loaded, the model says the same; cut or changed bytes are refused or harmless. */
static void
bytes_are_checked(void)
{
	Table t = clouds_table(500, 2, 1, 3);
	double a, b, da[3], db[3];
	MlEnv env;
	Fit fit;

	ml_env_init(&env);
	CHECK(fit_table(&fit, &env, &t, "{\"n_clusters\":3}") == ML_OK);
	for (size_t cut = 0; cut <= fit.bytes.len; cut++)
	{
		MlReader in;
		MlArena arena;
		void *model;
		MlStatus status;

		ml_arena_init(&arena, &env);
		ml_reader_init(&in, &env, fit.bytes.data, cut);
		status = ml_algo_kmeans.load(&in, &arena, fit.schema, 1, &model);
		CHECK(status == (cut == fit.bytes.len ? ML_OK : ML_ECORRUPT));
		for (size_t i = 0; status == ML_OK && i < t.n; i++)
		{
			ml_algo_kmeans.predict(fit.model, t.x + i * 3, &a);
			ml_algo_kmeans.predict(model, t.x + i * 3, &b);
			ml_algo_kmeans.transform(fit.model, t.x + i * 3, da);
			ml_algo_kmeans.transform(model, t.x + i * 3, db);
			CHECK(a == b && memcmp(da, db, sizeof da) == 0);
		}
		ml_arena_free(&arena);
	}
	fit_end(&fit);
	ml_env_close(&env);
	free(t.x);
}

static MlStatus
fit_once(MlEnv *env, void *arg)
{
	Fit fit;
	MlStatus status;

	env->n_threads = 2;
	status = fit_table(&fit, env, arg, "{\"n_clusters\":[2,3],\"n_init\":2,\"max_iter\":3}");
	fit_end(&fit);
	if (status != ML_OK)
		return status;
	status = fit_table(&fit, env, arg, "{\"n_clusters\":3,\"batch_size\":50,\"max_iter\":2}");
	fit_end(&fit);
	return status;
}

static void
every_allocation_may_fail(void)
{
	Table t = clouds_table(200, 2, 1, 3);

	unit_every_allocation_fails(fit_once, &t, 2000);
	free(t.x);
}

/* Against scikit-learn 1.2: silhouette_score(iris, labels = species) and of the 3 clusters' own labels. */
static void
silhouettes_are_known(void)
{
	uint32_t species[150];
	double mean, count[75], x[75 * 4];
	MlSilhouettePoints points = {iris, 150, 4, species, 3, NULL};
	MlEnv env;

	ml_env_init(&env);
	for (uint32_t i = 0; i < 150; i++)
		species[i] = i / 50;
	CHECK(ml_silhouette(&env, &points, &mean) == ML_OK);
	CHECK_NEAR(mean, 0.5034774406932961, 1e-12);
	points.n_labels = 5; /* labels without points change nothing */
	CHECK(ml_silhouette(&env, &points, &mean) == ML_OK);
	CHECK_NEAR(mean, 0.5034774406932961, 1e-12);
	points.n = 50;
	CHECK(ml_silhouette(&env, &points, &mean) == ML_OK && isnan(mean));
	/* A count of 2 is a point twice. */
	for (uint32_t i = 0; i < 75; i++)
	{
		memcpy(x + 4 * i, iris + 8 * i, 4 * sizeof(double));
		species[i] = i / 25;
		count[i] = 2;
	}
	points = (MlSilhouettePoints){x, 75, 4, species, 3, count};
	CHECK(ml_silhouette(&env, &points, &mean) == ML_OK);
	{
		double twice[600], again;
		uint32_t label[150];

		for (uint32_t i = 0; i < 150; i++)
		{
			memcpy(twice + 4 * i, x + 4 * (i / 2), 4 * sizeof(double));
			label[i] = species[i / 2];
		}
		points = (MlSilhouettePoints){twice, 150, 4, label, 3, NULL};
		CHECK(ml_silhouette(&env, &points, &again) == ML_OK);
		CHECK_NEAR(mean, again, 1e-13);
	}
	ml_env_close(&env);
}

int
main(void)
{
	RUN(iris_has_known_optima);
	RUN(figures_agree_with_predictions);
	RUN(weights_are_repetitions);
	RUN(the_number_of_clusters_is_found);
	RUN(batches_come_near);
	RUN(threads_change_nothing);
	RUN(few_distinct_rows);
	RUN(empty_clusters_are_filled);
	RUN(bytes_are_checked);
	RUN(every_allocation_may_fail);
	RUN(silhouettes_are_known);
	return unit_end();
}
