/*
 * test_pca.c
 *		Principal components through the trainer: scikit-learn's figures, parts, levels, missing values, bytes.
 */
#include "unit.h"

#include "core/rng.h"
#include "core/svd.h"
#include "iris.h"
#include "model/trainer.h"

#define N_PROBES 5

static const int probes[N_PROBES] = {0, 60, 70, 106, 133};

/* Rows of iris in so many parts, of which the second travels; as numbers, or with a level that goes with the species. */
typedef struct Case
{
	const char *options;
	int parts;
	bool keep_rows, levels, missing;
	double offset; /* added to all */
} Case;

typedef struct Outcome
{
	uint32_t n;
	double variance[8], loading[64], point[N_PROBES][8];
} Outcome;

static double
cell(const Case *c, int i, int j)
{
	if (j >= 4) /* species as two 0/1 numbers, the third is the rest */
		return i / 50 == j - 4;
	return c->missing && (i * 7 + j) % 10 == 3 ? NAN : iris[i * 4 + j] + c->offset;
}

static MlStatus
begin(MlArena *arena, const Case *c, MlTrainer **trainer)
{
	uint32_t n = c->levels ? 5 : 4;
	MlTrainerSetup setup = {.options = c->options,
							.options_len = strlen(c->options),
							.target = "",
							.target_kind = ML_TARGET_NONE,
							.target_width = ML_WIDTH_FLOAT64,
							.keep_rows = c->keep_rows};

	ML_TRY(ml_schema_create(arena, n, &setup.schema));
	for (uint32_t j = 0; j < n; j++)
	{
		MlInput *input = &setup.schema->inputs[j];
		char name[16];

		snprintf(name, sizeof name, "x%u", (unsigned) j + 1);
		input->name = input->type_name = ml_arena_text(arena, name, 2);
		if (!input->name)
			return ML_ENOMEM;
		input->kind = j < 4 ? ML_NUMERIC : ML_CATEGORICAL;
		input->width = j < 4 ? ML_WIDTH_FLOAT64 : ML_WIDTH_LEVEL;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(setup.schema));
	return ml_trainer_create(arena, &setup, trainer);
}

static MlStatus
add_row(MlTrainer *trainer, const Case *c, int i)
{
	static const char *const species[] = {"a", "b", "c"};
	double raw[6];
	uint32_t code;

	for (int j = 0; j < 4; j++)
		raw[j] = cell(c, i, j);
	if (c->levels)
	{
		ML_TRY(
			ml_dict_add(ml_trainer_schema(trainer)->inputs[4].levels, species[i / 50], 1, &code));
		raw[4] = code;
	}
	return ml_trainer_add(trainer, raw);
}

static MlStatus
travel(MlArena *arena, MlTrainer **trainer)
{
	MlBuffer bytes;
	MlReader in;
	MlStatus status;

	ml_buffer_init(&bytes, arena->env);
	ml_trainer_save(*trainer, &bytes);
	status = bytes.status;
	ml_trainer_free(*trainer);
	*trainer = NULL;
	if (status == ML_OK)
	{
		ml_reader_init(&in, arena->env, bytes.data, bytes.len);
		status = ml_trainer_load(&in, arena, trainer);
	}
	ml_buffer_free(&bytes);
	return status;
}

static MlStatus
train(MlArena *arena, const Case *c, MlTrainer **trainer)
{
	MlTrainer *other;
	MlStatus status = ML_OK;

	ML_TRY(begin(arena, c, trainer));
	for (int i = 0; i < 150 && status == ML_OK; i++)
	{
		if (c->parts == 1 || i % 4 != 1)
			status = add_row(*trainer, c, i);
	}
	if (status != ML_OK || c->parts == 1)
		return status;
	ML_TRY(begin(arena, c, &other));
	for (int i = 149; i >= 0 && status == ML_OK; i--)
	{
		if (i % 4 == 1)
			status = add_row(other, c, i);
	}
	if (status == ML_OK)
		status = travel(arena, &other);
	if (status == ML_OK)
		status = ml_trainer_merge(*trainer, other);
	ml_trainer_free(other);
	return status;
}

/* Loadings come component by component. */
static MlStatus
keep_loading(void *arg, const MlCoefficient *row)
{
	double **next = arg;

	*(*next)++ = row->value;
	return ML_OK;
}

static MlStatus
look(const Case *c, const MlModel *model, MlArena *arena, const MlBuffer *info, Outcome *out)
{
	double *next = out->loading;
	MlJson *json;
	const MlJson *variance;

	out->n = model->algo->n_components(model->fitted);
	for (int r = 0; r < N_PROBES; r++)
	{
		double x[5];

		for (int j = 0; j < 4; j++)
			x[j] = cell(c, probes[r], j);
		x[4] = probes[r] / 50;
		model->algo->transform(model->fitted, x, out->point[r]);
	}
	ML_TRY(
		model->algo->coefficients(arena->env, model->fitted, model->schema, keep_loading, &next));
	ML_TRY(ml_json_parse(arena, (char *) info->data, info->len, &json));
	variance = ml_json_get(ml_json_get(json, "summary"), "explained_variance");
	CHECK(variance && variance->n == out->n);
	for (uint32_t k = 0; k < out->n; k++)
		out->variance[k] = variance->items[k].number;
	return ML_OK;
}

static MlStatus
outcome(MlEnv *env, const Case *c, Outcome *out)
{
	MlTrainOptions options = {0};
	MlTrainResult result;
	MlTrainer *trainer = NULL;
	MlModel *again;
	MlArena arena;
	MlStatus status;

	ml_arena_init(&arena, env);
	memset(out, 0, sizeof *out);
	status = train(&arena, c, &trainer);
	if (status == ML_OK)
	{
		CHECK(ml_trainer_streams(trainer) == (!c->keep_rows && !c->levels));
		status = ml_trainer_finish(trainer, &arena, &options, &result);
		if (status == ML_OK)
			status = ml_image_decode(&arena, result.image.data, result.image.len, &again);
		if (status == ML_OK)
			status = look(c, again, &arena, &result.info, out);
		ml_buffer_free(&result.image);
		ml_buffer_free(&result.info);
	}
	ml_trainer_free(trainer);
	ml_arena_free(&arena);
	return status;
}

/* The same but for the sign of a component, which is the one that makes its largest loading positive. */
static void
check_same(const Outcome *got, uint32_t n, uint32_t width, const double *variance,
		   const double *loading, const double (*point)[4], double tolerance)
{
	CHECK(got->n == n);
	for (uint32_t k = 0; k < n; k++)
	{
		double sign = 0, greatest = 0;

		CHECK_NEAR(got->variance[k], variance[k], tolerance);
		for (uint32_t j = 0; j < width; j++)
		{
			sign += got->loading[k * width + j] * loading[k * width + j];
			if (fabs(got->loading[k * width + j]) > fabs(greatest))
				greatest = got->loading[k * width + j];
		}
		sign = sign < 0 ? -1 : 1;
		CHECK(greatest > 0);
		for (uint32_t j = 0; j < width; j++)
			CHECK_NEAR(got->loading[k * width + j], sign * loading[k * width + j], tolerance);
		for (int r = 0; r < N_PROBES && point; r++)
			CHECK_NEAR(got->point[r][k], sign * point[r][k], tolerance);
	}
}

/* scikit-learn 1.2 on iris: PCA(), its whitened points, and PCA() after StandardScaler(). */
static const double variance_plain[] = {4.228241706034864, 0.24267074792863336, 0.07820950004291938,
										0.023835092973449434};
static const double loading_plain[] = {
	0.36138659178536864, -0.08452251406456868, 0.8566706059498349,   0.3582891971515507,
	0.6565887712868423,  0.7301614347850266,   -0.17337266279585706, -0.07548101991746337,
	-0.5820298513060651, 0.5979108301000855,   0.0762360758209632,   0.5458314320200757,
	-0.3154871929039752, 0.31972310366612955,  0.47983898699463434,  -0.7536574252640454};
static const double point_plain[N_PROBES][4] = {
	{-2.684125625969537, 0.31939724658510055, -0.027914827589414104, -0.0022624370713172207},
	{-0.5078408838353263, -1.265971190526394, -0.2698171827688527, -0.04556244080261845},
	{1.1162831773500488, -0.08461685219478837, 0.4596209913591039, 0.0750315528649475},
	{0.521232243909773, -1.192758727000646, 0.5456592956468124, 0.0981266196306463},
	{1.4441612423295087, -0.14341341045758074, -0.15323388806309007, 0.1909963579145095}};
static const double point_white[N_PROBES][4] = {
	{-1.305337863319856, 0.6483693157802378, -0.09981715675501593, -0.014654401400477463},
	{-0.24697202239653873, -2.569893395685212, -0.96480567330635, -0.29511994157624244},
	{0.5428682933034037, -0.17177033035691716, 1.6435014830535952, 0.48599914990957843},
	{0.25348447813907166, -2.421273721000173, 1.9511551441236261, 0.6355919863451704},
	{0.7023212073655544, -0.29112603757940364, -0.5479299836612409, 1.2371337662350559}};
static const double variance_scaled[] = {2.938085050199996, 0.9201649041624882, 0.14774182104494812,
										 0.020853862176462283};
static const double loading_scaled[] = {
	0.5210659146701195,   -0.2693474425059429, 0.5804130957962944,   0.5648565357793611,
	0.37741761556456715,  0.9232956595407147,  0.024491609085586674, 0.06694198696805853,
	-0.719566352700817,   0.2443817795143992,  0.14212636933390327,  0.6342727371109234,
	-0.26128627995245335, 0.12350961958551882, 0.8014492463359881,   -0.5235971345661905};
static const double point_scaled[N_PROBES][4] = {
	{-2.264702808807587, 0.4800265965209887, -0.12770602230015257, -0.0241682038554787},
	{-0.11019628000062859, -2.654072818536563, -0.046790444058382966, -0.013760731047283724},
	{0.7376826487712583, 0.3965715619602392, 0.6165263063228644, 0.08328412269380867},
	{0.3670176878607248, -1.561502891476505, 0.9868932674720264, 0.1331238342810174},
	{1.1141477406864746, -0.29292262333573105, -0.18348839165934286, 0.1863436965242136}};

static void
agrees_with_scikit_learn(void)
{
	MlEnv env;
	Outcome got;

	ml_env_init(&env);
	for (int way = 0; way < 4; way++)
	{
		Case c = {"{\"algorithm\":\"pca\"}", 1 + way % 2, way >= 2, false, false, 0};

		CHECK(outcome(&env, &c, &got) == ML_OK);
		check_same(&got, 4, 4, variance_plain, loading_plain, point_plain, 1e-9);
		c.options = "{\"algorithm\":\"pca\",\"whiten\":true,\"n_components\":4}";
		CHECK(outcome(&env, &c, &got) == ML_OK);
		check_same(&got, 4, 4, variance_plain, loading_plain, point_white, 1e-9);
		c.options = "{\"algorithm\":\"pca\",\"scale\":true}";
		CHECK(outcome(&env, &c, &got) == ML_OK);
		check_same(&got, 4, 4, variance_scaled, loading_scaled, point_scaled, 1e-9);
		/* 92.46 % are in the first, 97.77 % in two */
		c.options = "{\"algorithm\":\"pca\",\"n_components\":0.95}";
		CHECK(outcome(&env, &c, &got) == ML_OK);
		check_same(&got, 2, 4, variance_plain, loading_plain, point_plain, 1e-9);
		/* A large mean costs only the digits that the values themselves lose. */
		c.options = "{\"algorithm\":\"pca\"}";
		c.offset = 1048576;
		CHECK(outcome(&env, &c, &got) == ML_OK);
		check_same(&got, 4, 4, variance_plain, loading_plain, point_plain, 1e-7);
	}
	ml_env_close(&env);
}

/* Missing values are the mean: parts, frame and rows imputed by hand agree. */
static void
missing_values_are_the_mean(void)
{
	Case c = {"{\"algorithm\":\"pca\"}", 1, false, false, true, 0};
	Outcome whole, other;
	MlEnv env;

	ml_env_init(&env);
	CHECK(outcome(&env, &c, &whole) == ML_OK);
	for (int way = 1; way < 4; way++)
	{
		c.parts = 1 + way % 2;
		c.keep_rows = way >= 2;
		CHECK(outcome(&env, &c, &other) == ML_OK);
		check_same(&other, 4, 4, whole.variance, whole.loading, NULL, 1e-11);
		for (int r = 0; r < N_PROBES; r++)
			for (int k = 0; k < 4; k++)
				CHECK_NEAR(other.point[r][k], whole.point[r][k], 1e-11);
	}
	ml_env_close(&env);
}

/* Levels are 0/1 columns: rank 6 of 7 columns; variances sum to those of the columns. */
static void
levels_are_columns(void)
{
	Case c = {"{\"algorithm\":\"pca\"}", 2, false, true, false, 0};
	double sum = 0, want = 4.572957046979866 + 3 * (2.0 / 9) * 150 / 149;
	Outcome got;
	MlEnv env;

	ml_env_init(&env);
	CHECK(outcome(&env, &c, &got) == ML_OK);
	CHECK(got.n == 6);
	for (uint32_t k = 0; k < got.n; k++)
		sum += got.variance[k];
	CHECK_NEAR(sum, want, 1e-12);
	ml_env_close(&env);
}

/* Singular vectors of a random matrix: orthonormal, and they give it back; the same bytes on four threads. */
static void
singular_vectors_are_right(void)
{
	size_t length = 60, n = 40, rank;
	double *a = malloc(length * n * sizeof(double)), *b = malloc(length * n * sizeof(double)),
		   *c = malloc(length * n * sizeof(double)), sigma[40], again[40], square = 0, sum = 0;
	MlEnv env;
	MlRng rng;

	ml_rng_seed(&rng, 3, 0);
	for (size_t i = 0; i < length * n; i++)
		a[i] = ml_rng_normal(&rng) * pow(10, -(double) (i / length) / 8);
	for (size_t i = 0; i < length; i++) /* the last column is a sum of two */
		a[39 * length + i] = a[i] - a[length + i];
	memcpy(b, a, length * n * sizeof(double));
	memcpy(c, a, length * n * sizeof(double));
	ml_env_init(&env);
	CHECK(ml_svd_left(&env, b, length, n, sigma, &rank) == ML_OK);
	CHECK(rank == 39);
	for (size_t i = 0; i < rank; i++)
	{
		CHECK(i == 0 || sigma[i] <= sigma[i - 1]);
		for (size_t j = 0; j <= i; j++)
		{
			double dot = 0;

			for (size_t k = 0; k < length; k++)
				dot += b[i * length + k] * b[j * length + k];
			CHECK_NEAR(dot, i == j, 1e-12);
		}
		sum += sigma[i] * sigma[i];
	}
	for (size_t i = 0; i < length * n; i++)
		square += a[i] * a[i];
	CHECK_NEAR(sum, square, 1e-12);
	ml_env_close(&env);
	env.pool = NULL;
	env.n_threads = 4;
	CHECK(ml_svd_left(&env, c, length, n, again, &rank) == ML_OK);
	CHECK(memcmp(b, c, length * n * sizeof(double)) == 0 &&
		  memcmp(sigma, again, sizeof sigma) == 0);
	ml_env_close(&env);
	free(a);
	free(b);
	free(c);
}

static MlStatus
train_once(MlEnv *env, void *arg)
{
	Outcome out;

	return outcome(env, arg, &out);
}

static void
every_allocation_may_fail(void)
{
	Case stream = {"{\"algorithm\":\"pca\"}", 2, false, false, true, 0};
	Case frame = {"{\"algorithm\":\"pca\"}", 2, false, true, true, 0};

	unit_every_allocation_fails(train_once, &stream, 3000);
	unit_every_allocation_fails(train_once, &frame, 3000);
}

static void
bad_options_are_refused(void)
{
	static const char *const options[] = {"{\"algorithm\":\"pca\",\"n_components\":0}",
										  "{\"algorithm\":\"pca\",\"n_components\":2.5}",
										  "{\"algorithm\":\"pca\",\"n_components\":5}",
										  "{\"algorithm\":\"pca\",\"n_components\":\"all\"}"};
	Outcome out;
	MlEnv env;

	ml_env_init(&env);
	for (size_t i = 0; i < 4; i++)
	{
		Case c = {options[i], 1, false, false, false, 0};

		CHECK(outcome(&env, &c, &out) == ML_EINVAL);
	}
	ml_env_close(&env);
}

/* States and models that are cut or changed: an error or a result, never a crash. */
static void
hostile_bytes_are_borne(void)
{
	Case c = {"{\"algorithm\":\"pca\"}", 1, false, false, true, 0};
	MlEnv env;
	MlArena arena;
	MlTrainer *trainer;
	MlBuffer bytes;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&bytes, &env);
	CHECK(train(&arena, &c, &trainer) == ML_OK);
	ml_trainer_save(trainer, &bytes);
	for (size_t at = 0; at < bytes.len; at += at < 400 ? 1 : 37)
	{
		MlTrainOptions options = {0};
		MlTrainResult result;
		MlArena inner;
		MlTrainer *loaded = NULL;
		MlReader in;

		for (int cut = 0; cut < 2; cut++)
		{
			uint8_t kept = bytes.data[at];

			bytes.data[at] ^= cut ? 0 : (uint8_t) (1 << at % 8);
			ml_arena_init(&inner, &env);
			ml_reader_init(&in, &env, bytes.data, cut ? at : bytes.len);
			if (ml_trainer_load(&in, &inner, &loaded) == ML_OK)
			{
				ml_trainer_finish(loaded, &inner, &options, &result);
				ml_buffer_free(&result.image);
				ml_buffer_free(&result.info);
				ml_trainer_free(loaded);
			}
			ml_arena_free(&inner);
			bytes.data[at] = kept;
		}
	}
	ml_buffer_free(&bytes);
	ml_trainer_free(trainer);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(agrees_with_scikit_learn);
	RUN(missing_values_are_the_mean);
	RUN(levels_are_columns);
	RUN(singular_vectors_are_right);
	RUN(every_allocation_may_fail);
	RUN(bad_options_are_refused);
	RUN(hostile_bytes_are_borne);
	return unit_end();
}
