/*
 * test_effects.c
 *		Permutation importance and partial dependence: against brute force, exact cases, threads.
 */
#include "image_fixture.h"
#include "model/effects.h"

#define N IMAGE_ROWS

/* A model, and a frame of the rows it was trained on: five slots and the target. */
typedef struct Fixture
{
	MlEnv env;
	MlArena arena;
	MlTrainResult result;
	MlFrame *frame;
	MlDataset data;
	double raw[N][6];
} Fixture;

/* Rows like those of the image fixture, the target known. */
static MlStatus
fill_frame(Fixture *f)
{
	static const MlWidth widths[6] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL,
									  ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64};
	MlRng rng;

	ML_TRY(ml_frame_create(&f->env, widths, 6, &f->frame));
	ml_rng_seed(&rng, 5, 0);
	for (int i = 0; i < N; i++)
	{
		double *raw = f->raw[i];

		raw[0] = i % 15 == 0 ? NAN : floor(ml_rng_uniform(&rng) * 1000);
		raw[1] = (double) (i % 40) * 86400e6;
		raw[2] = i % 20 == 0 ? NAN : (double) ml_rng_below(&rng, i < 100 ? 4 : 2);
		raw[3] = ml_rng_normal(&rng);
		raw[4] = ml_rng_normal(&rng);
		raw[5] = (isnan(raw[0]) ? 1 : raw[0] / 500) + raw[3];
		ML_TRY(ml_frame_append(f->frame, raw));
	}
	return ML_OK;
}

static MlStatus
begin(Fixture *f, const ImageCase *c, int n_threads)
{
	memset(f, 0, sizeof *f);
	ml_env_init(&f->env);
	f->env.n_threads = n_threads;
	ml_arena_init(&f->arena, &f->env);
	ML_TRY(train_image(&f->arena, c, &f->result));
	ML_TRY(fill_frame(f));
	f->data = (MlDataset){
		.schema = f->result.model->schema,
		.frame = f->frame,
		.task = f->result.model->task,
		.n_classes = f->result.model->n_classes,
		.target_column = 5,
		.weight_column = -1,
	};
	return ML_OK;
}

static void
end(Fixture *f)
{
	ml_frame_free(f->frame);
	ml_buffer_free(&f->result.image);
	ml_buffer_free(&f->result.info);
	ml_arena_free(&f->arena);
	ml_env_close(&f->env);
	CHECK(f->env.used == 0);
}

/* The mean prediction with one slot set, row by row. */
static double
brute_force(const Fixture *f, uint32_t slot, double value, uint32_t output)
{
	const MlModel *model = f->result.model;
	double sum = 0;

	for (int i = 0; i < N; i++)
	{
		double raw[6], x[32], probs[3];

		memcpy(raw, f->raw[i], sizeof raw);
		raw[slot] = value;
		ml_schema_expand(model->schema, raw, x);
		ml_model_predict(model, x, probs);
		sum += model->n_classes == 2 ? probs[1] : probs[output];
	}
	return sum / N;
}

/* Every point of every input against brute force: numbers, dates with all their parts, levels, blocks. */
static void
dependence_is_brute_force(void)
{
	static const char *const names[] = {"distance", "departs", "origin", "weather[2]"};
	static const uint32_t slots[] = {0, 1, 2, 4};

	for (uint32_t n_classes = 0; n_classes <= 3; n_classes += n_classes == 0 ? 2 : 1)
	{
		ImageCase c = {ml_algo_find("gbdt"), n_classes ? ML_CLASSIFICATION : ML_REGRESSION,
					   n_classes, n_classes == 2 ? ",\"calibration\":\"platt\"" : NULL};
		Fixture f;

		CHECK(begin(&f, &c, 2) == ML_OK);
		for (int k = 0; k < 4; k++)
		{
			MlDependence wanted = {.n_points = 7};
			MlDependencePoint *points = NULL;
			uint32_t n = 0;

			CHECK(ml_dependence_find(f.result.model->schema, names[k], &wanted));
			CHECK(ml_partial_dependence(&f.arena, f.result.model, &f.data, &wanted, &points, &n) ==
				  ML_OK);
			CHECK(n == (k == 2 ? 5 : k == 0 ? 8 : 7)); /* missing values make one more */
			for (uint32_t i = 0; i < n; i++)
			{
				CHECK(i == 0 || !(points[i].raw <= points[i - 1].raw));
				for (uint32_t out = 0; out < f.result.model->n_outputs; out++)
					CHECK_NEAR(points[i].mean[out], brute_force(&f, slots[k], points[i].raw, out),
							   1e-12);
			}
			CHECK(isnan(points[n - 1].raw) == (k == 0 || k == 2));
		}
		end(&f);
	}
}

/* Frequent levels win, and a feature is more than its input. */
static void
points_are_chosen(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_REGRESSION, 0, NULL};
	MlDependence wanted = {.n_points = 2};
	MlDependencePoint *points;
	uint32_t n;
	Fixture f;

	CHECK(begin(&f, &c, 1) == ML_OK);
	CHECK(ml_dependence_find(f.result.model->schema, "origin", &wanted));
	CHECK(ml_partial_dependence(&f.arena, f.result.model, &f.data, &wanted, &points, &n) == ML_OK);
	CHECK(n == 3 && points[0].raw == 0 && points[1].raw == 1 && isnan(points[2].raw));
	CHECK(ml_dependence_find(f.result.model->schema, "departs.month", &wanted));
	CHECK(!wanted.whole_input);
	wanted.n_points = 12;
	CHECK(ml_partial_dependence(&f.arena, f.result.model, &f.data, &wanted, &points, &n) == ML_OK);
	CHECK(n == 2 && points[0].raw == 1 &&
		  points[1].raw == 2); /* 40 days from the first of January */
	CHECK(!ml_dependence_find(f.result.model->schema, "weather", &wanted));
	CHECK(!ml_dependence_find(f.result.model->schema, "nothing", &wanted));
	end(&f);
}

/* Quantiles of single predictions: of a linear model all move alike. */
static void
quantiles_are_of_rows(void)
{
	static const double shares[] = {0, 0.5, 1};
	ImageCase c = {ml_algo_find("linear"), ML_REGRESSION, 0, NULL};
	MlDependence wanted = {.n_points = 4, .n_quantiles = 3, .quantiles = shares};
	MlDependencePoint *points;
	uint32_t n;
	Fixture f;

	CHECK(begin(&f, &c, 2) == ML_OK);
	CHECK(ml_dependence_find(f.result.model->schema, "weather[1]", &wanted));
	CHECK(ml_partial_dependence(&f.arena, f.result.model, &f.data, &wanted, &points, &n) == ML_OK);
	CHECK(n == 4);
	for (uint32_t i = 0; i < n; i++)
	{
		const double *q = points[i].quantiles;

		CHECK(q[0] < points[i].mean[0] && points[i].mean[0] < q[2] && q[0] < q[1] && q[1] < q[2]);
		for (int k = 0; k < 3; k++)
			CHECK_NEAR(q[k] - points[i].mean[0], points[0].quantiles[k] - points[0].mean[0], 1e-9);
	}
	end(&f);
}

/* What the target depends on is important, and what it does not is not; threads change nothing. */
static void
importance_finds_what_matters(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_REGRESSION, 0, ",\"learning_rate\":0.5"};
	MlImportance first[4], second[4], once[4];
	Fixture f;

	for (int threads = 1; threads <= 2; threads++)
	{
		CHECK(begin(&f, &c, threads) == ML_OK);
		CHECK(ml_permutation_importance(&f.env, f.result.model, &f.data, "rmse", 4, 11,
										threads == 1 ? first : second) == ML_OK);
		end(&f);
	}
	CHECK(memcmp(first, second, sizeof first) == 0);
	CHECK(first[3].mean > 3 * fabs(first[1].mean) && first[3].mean > first[2].mean);
	CHECK(first[0].mean > 0 && first[3].stddev > 0 && first[3].stddev < first[3].mean);
	CHECK(begin(&f, &c, 1) == ML_OK);
	CHECK(ml_permutation_importance(&f.env, f.result.model, &f.data, "r2", 1, 12, once) == ML_OK);
	CHECK(once[3].mean > 0 && isnan(once[3].stddev));
	end(&f);
}

/* A feature without a coefficient has no importance at all. */
static void
importance_of_nothing_is_zero(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_REGRESSION, 0, ",\"max_depth\":1"};
	MlImportance importance[4];
	double gain[32];
	int none = 0;
	Fixture f;

	CHECK(begin(&f, &c, 1) == ML_OK);
	CHECK(ml_permutation_importance(&f.env, f.result.model, &f.data, "mae", 2, 3, importance) ==
		  ML_OK);
	f.result.model->algo->importance(f.result.model->fitted, gain);
	for (uint32_t k = 0; k < 4; k++)
	{
		const MlInput *input = &f.result.model->schema->inputs[k];
		double sum = 0;

		for (uint32_t j = 0; j < input->n_features; j++)
			sum += gain[input->first_feature + j];
		none += sum == 0;
		CHECK(sum > 0 || (importance[k].mean == 0 && importance[k].stddev == 0));
	}
	CHECK(none > 0);
	end(&f);
}

static MlStatus
everything(MlEnv *env, void *arg)
{
	static const double median = 0.5;
	const Fixture *f = arg;
	MlDependence wanted = {.n_points = 3, .n_quantiles = 1, .quantiles = &median};
	MlImportance importance[4];
	MlDependencePoint *points;
	MlArena arena;
	MlStatus status;
	uint32_t n;

	ml_arena_init(&arena, env);
	ml_dependence_find(f->result.model->schema, "origin", &wanted);
	status = ml_partial_dependence(&arena, f->result.model, &f->data, &wanted, &points, &n);
	if (status == ML_OK)
		status =
			ml_permutation_importance(env, f->result.model, &f->data, "roc_auc", 1, 0, importance);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	ImageCase c = {ml_algo_find("gbdt"), ML_CLASSIFICATION, 2, NULL};
	static const uint32_t class_of[2] = {0, 1};
	static const double class_value[2] = {-1e9, 1};
	Fixture f;

	CHECK(begin(&f, &c, 1) == ML_OK);
	f.data.class_of = class_of; /* by the greatest value that is not above the target */
	f.data.class_value = class_value;
	unit_every_allocation_fails(everything, &f, 500);
	end(&f);
}

int
main(void)
{
	RUN(dependence_is_brute_force);
	RUN(points_are_chosen);
	RUN(quantiles_are_of_rows);
	RUN(importance_finds_what_matters);
	RUN(importance_of_nothing_is_zero);
	RUN(every_allocation_may_fail);
	return unit_end();
}
