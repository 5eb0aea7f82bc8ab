/*
 * test_mlp.c
 *		The multilayer perceptron: gradients against finite differences, kernels, fits, going on, failures.
 */
#include "algo_fixture.h"

#include "algo/mlp/mlp.h"
#include "core/vmath.h"

extern const MlAlgo ml_algo_mlp;

/* ---- kernels */

/* Sums of every shape against sums in double. */
static void
products_are_products(void)
{
	static const size_t shapes[][3] = {{1, 16, 1}, {1, 80, 7}, {2, 16, 3},  {3, 32, 5}, {4, 16, 9},
									   {5, 48, 2}, {6, 16, 4}, {13, 96, 6}, {7, 16, 0}, {0, 16, 3}};
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
		for (int turned = 0; turned < 2; turned++)
			for (int start = 0; start < 3; start++)
			{
				size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
				float a[200], b[1000], c[1300], before[1300], bias[96];

				for (int i = 0; i < 200; i++)
					a[i] = (float) ml_rng_uniform(&rng) - 0.5f;
				for (int i = 0; i < 1000; i++)
					b[i] = (float) ml_rng_uniform(&rng) - 0.5f;
				for (int i = 0; i < 96; i++)
					bias[i] = (float) i;
				for (int i = 0; i < 1300; i++)
					c[i] = before[i] = (float) -i;
				ml_mlp_multiply(&(MlMlpProduct){.m = m,
												.n = n,
												.k = k,
												.a = a,
												.a_row = turned ? 1 : k,
												.a_col = turned ? m : 1,
												.b = b,
												.ldb = n,
												.c = c,
												.ldc = n,
												.start = start == 1 ? bias : NULL,
												.add = start == 2});
				for (size_t i = 0; i < m; i++)
					for (size_t j = 0; j < n; j++)
					{
						double sum = start == 1 ? bias[j] : start == 2 ? before[i * n + j] : 0;

						for (size_t l = 0; l < k; l++)
							sum += (double) a[turned ? l * m + i : i * k + l] * b[l * n + j];
						CHECK_NEAR(c[i * n + j], sum, 1e-5);
					}
				CHECK(c[m * n] == before[m * n]);
			}
}

static void
activations_are_accurate(void)
{
	float z[3][64], d[64];

	for (int i = 0; i < 64; i++)
		z[0][i] = z[1][i] = z[2][i] = i < 60 ? ((float) i - 30) / 3 : i % 2 ? 1e30f : -1e30f;
	ml_mlp_activate(MLP_RELU, z[0], 64);
	ml_mlp_activate(MLP_TANH, z[1], 64);
	ml_mlp_activate(MLP_LOGISTIC, z[2], 64);
	for (int i = 0; i < 64; i++)
	{
		double x = i < 60 ? ((float) i - 30) / 3 : i % 2 ? 1e30 : -1e30;

		CHECK(z[0][i] == (float) fmax(x, 0));
		CHECK_NEAR(z[1][i], tanh(x), 3e-7);
		CHECK_NEAR(z[2][i], 1 / (1 + exp(-x)), 2e-7);
		d[i] = 1;
	}
	ml_mlp_deactivate(MLP_TANH, z[1], d, 64);
	for (int i = 0; i < 60; i++)
		CHECK_NEAR(d[i], 1 - pow(tanh(((float) i - 30) / 3), 2), 1e-6);
}

/* Two steps of Adam by Kingma and Ba's Algorithm 1 as it stands, and of Nesterov's momentum. */
static void
steps_as_in_the_papers(void)
{
	float theta[16] = {0}, m[16] = {0}, v[16] = {0}, g[16];
	double t = 0, mt = 0, vt = 0, rate = 0.1;

	for (int step = 1; step <= 2; step++)
	{
		double gradient = step == 1 ? 0.5 : -2;

		for (int i = 0; i < 16; i++)
			g[i] = (float) gradient;
		ml_mlp_step(
			&(MlMlpStep){.adam = true,
						 .rate = (float) (rate * sqrt(1 - pow(0.999, step)) / (1 - pow(0.9, step))),
						 .beta1 = 0.9f,
						 .beta2 = 0.999f,
						 .epsilon = 1e-8f},
			g, theta, m, v, 16);
		mt = 0.9 * mt + 0.1 * gradient;
		vt = 0.999 * vt + 0.001 * gradient * gradient;
		t -= rate * (mt / (1 - pow(0.9, step))) / (sqrt(vt / (1 - pow(0.999, step))) + 1e-8);
		CHECK_NEAR(theta[3], t, 1e-6);
	}
	memset(theta, 0, sizeof theta);
	memset(m, 0, sizeof m);
	for (int i = 0; i < 16; i++)
		g[i] = 1;
	ml_mlp_step(&(MlMlpStep){.rate = 0.1f, .momentum = 0.5f, .l2 = 3}, g, theta, m, v, 16);
	CHECK_NEAR(theta[0], -0.5 * 0.1 - 0.1, 1e-7);
	CHECK_NEAR(ml_mlp_squares(theta, 16), 16 * 0.15 * 0.15, 1e-6);
}

/* ---- gradients */

/* The objective of a batch of all rows, without the penalty. */
static double
batch_loss(MlMlpTrainer *trainer, const uint32_t *rows, size_t n)
{
	double loss;

	ml_mlp_transpose(trainer);
	CHECK(ml_mlp_batch(trainer, rows, n, false, &loss) == ML_OK);
	return loss / (double) n;
}

/* The gradient of every parameter that is not padding, against differences of the loss. */
static void
check_gradient(const Table *t, const char *activation, uint32_t n_hidden)
{
	char options[200];
	MlMlpOptions settings = {.adam = false, .batch_size = 64};
	MlMlpData data;
	MlMlpModel *model;
	MlMlpTrainer trainer;
	MlDataset dataset;
	MlRows rows = {NULL, t->n}, none = {NULL, 0};
	uint32_t order[64];
	double loss, squares, worst = 0, size = 0;
	MlEnv env;
	Trained f;

	snprintf(options, sizeof options, "{\"hidden\":%s,\"activation\":\"%s\",\"max_iter\":2}",
			 n_hidden == 0   ? "[]"
			 : n_hidden == 1 ? "[5]"
							 : "[20,7]",
			 activation);
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_mlp, t, options) == ML_OK);
	model = f.model;
	dataset = trained_dataset(&f, t);
	data = (MlMlpData){.env = &env, .data = &dataset};
	CHECK(ml_mlp_load_rows(&data, model, &rows, &none, true) == ML_OK);
	trainer = (MlMlpTrainer){
		.env = &env, .model = model, .options = &settings, .data = &data, .max_batch = t->n};
	CHECK(ml_mlp_trainer_begin(&trainer) == ML_OK);
	for (uint32_t i = 0; i < t->n; i++)
		order[i] = i;
	CHECK(ml_mlp_batch(&trainer, order, t->n, true, &loss) == ML_OK);
	CHECK(ml_mlp_descend(&trainer, &squares) == ML_OK); /* a step of rate 0 */
	for (size_t i = 0; i < model->n_theta; i++)
	{
		float before = model->theta[i], step = 0.02f;
		double up, down, slope, gradient = trainer.gradient[i];

		if (gradient == 0)
			continue; /* padding, or a level that no row has */
		model->theta[i] = before + step;
		up = batch_loss(&trainer, order, t->n);
		model->theta[i] = before - step;
		down = batch_loss(&trainer, order, t->n);
		model->theta[i] = before;
		slope = (up - down) / (2 * (double) step);
		worst = fmax(worst, fabs(slope - gradient));
		size += gradient * gradient;
	}
	CHECK_NEAR(squares, size, 1e-5);
	CHECK(size > 0 && worst < 2e-3 * fmax(sqrt(size), 0.1));
	if (unit_case_failed)
		printf("# %s, %u hidden layers: %g of %g\n", activation, n_hidden, worst, sqrt(size));
	ml_mlp_trainer_end(&trainer);
	ml_mlp_free_rows(&data);
	trained_end(&f);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

static void
gradients_agree_with_differences(void)
{
	Table value = table_random(40, 3, 1, 3, ML_REGRESSION, 0, 1),
		  two = table_random(50, 2, 2, 3, ML_CLASSIFICATION, 2, 2),
		  four = table_random(60, 3, 1, 4, ML_CLASSIFICATION, 4, 3);

	two.w = malloc(two.n * sizeof(double));
	for (size_t i = 0; i < two.n; i++)
		two.w[i] = 1 + (double) (i % 4);
	for (uint32_t n_hidden = 0; n_hidden <= 2; n_hidden++)
	{
		check_gradient(&value, "tanh", n_hidden);
		check_gradient(&two, "logistic", n_hidden);
		check_gradient(&four, "tanh", n_hidden);
	}
	check_gradient(&four, "logistic", 2);
	table_free(&value);
	table_free(&two);
	table_free(&four);
}

/* ---- fits */

/* Share of rows of the wrong class, or the mean squared error over the variance. */
static double
error_on(const Trained *f, const Table *t)
{
	double wrong = 0, mean = 0, variance = 0, out[64];

	for (size_t i = 0; i < t->n; i++)
		mean += t->y[i] / (double) t->n;
	for (size_t i = 0; i < t->n; i++)
	{
		uint32_t best = 0;

		f->algo->predict(f->model, t->x + i * table_width(t), out);
		variance += pow(t->y[i] - mean, 2);
		if (t->n_classes == 0)
			wrong += pow(out[0] - t->y[i], 2);
		else if (t->n_classes == 2)
			wrong += (out[0] > 0.5) != t->y[i];
		else
		{
			double sum = 0;

			for (uint32_t k = 0; k < t->n_classes; k++)
			{
				sum += out[k];
				best = out[k] > out[best] ? k : best;
			}
			CHECK_NEAR(sum, 1, 1e-9);
			wrong += best != t->y[i];
		}
	}
	return t->n_classes == 0 ? wrong / variance : wrong / (double) t->n;
}

/* Curves that no linear model sees, learned well on rows that training did not see. */
static void
learns_curves(void)
{
	static const struct
	{
		uint32_t n_classes;
		const char *options;
		double most;
	} cases[] = {{0, "{\"hidden\":[32,16]}", 0.06},
				 {0, "{\"hidden\":[32,16],\"activation\":\"tanh\",\"learning_rate\":0.005}", 0.1},
				 {2, "{\"hidden\":[32,16]}", 0.09},
				 {3, "{\"hidden\":[32,16],\"learning_rate\":0.005}", 0.15},
				 {3, "{\"hidden\":[32,16],\"solver\":\"sgd\",\"learning_rate\":0.05}", 0.2},
				 {2, "{\"hidden\":[48,24],\"dropout\":0.1,\"learning_rate\":0.005}", 0.12}};

	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
	{
		uint32_t k = cases[c].n_classes;
		MlTask task = k ? ML_CLASSIFICATION : ML_REGRESSION;
		Table t = table_random(4000, 2, 1, 4, task, k, 11),
			  other = table_random(1000, 2, 1, 4, task, k, 12);
		MlEnv env;
		Trained f;
		double error;

		ml_env_init(&env);
		env.n_threads = 2;
		CHECK(train(&f, &env, &ml_algo_mlp, &t, cases[c].options) == ML_OK);
		error = error_on(&f, &other);
		CHECK(error < cases[c].most);
		if (unit_case_failed)
			printf("# case %zu: %g after %g epochs\n", c, error, trained_number(&f, "iterations"));
		CHECK(trained_number(&f, "valid_rows") == 400);
		check_save_and_load(&f, &t);
		trained_end(&f);
		ml_env_close(&env);
		table_free(&t);
		table_free(&other);
	}
}

/* A net without hidden layers is a linear model. */
static void
no_hidden_layer_is_linear(void)
{
	Table t = table_make(500, 1, 0, 1, ML_REGRESSION, 0);
	double x = 3, out;
	MlEnv env;
	Trained f;

	for (size_t i = 0; i < t.n; i++)
	{
		t.x[i] = (double) i / 50;
		t.y[i] = 5 - 2 * t.x[i];
	}
	ml_env_init(&env);
	CHECK(
		train(&f, &env, &ml_algo_mlp, &t,
			  "{\"hidden\":[],\"learning_rate\":0.02,\"l2\":0,\"tol\":0,\"early_stopping\":30}") ==
		ML_OK);
	ml_algo_mlp.predict(f.model, &x, &out);
	CHECK_NEAR(out, -1, 5e-3);
	CHECK(trained_number(&f, "parameters") == 2);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
threads_do_not_change_a_byte(void)
{
	Table t = table_random(700, 3, 2, 7, ML_CLASSIFICATION, 3, 9);

	check_threads(&ml_algo_mlp, &t, "{\"hidden\":[20,10],\"max_iter\":6,\"dropout\":0.3}");
	check_threads(&ml_algo_mlp, &t, "{\"max_iter\":3,\"batch_size\":37,\"solver\":\"sgd\"}");
	table_free(&t);
}

/* Going on keeps the loss; other shapes are refused; new levels are no harm. */
static void
goes_on_from_a_model(void)
{
	Table t = table_random(1500, 2, 1, 4, ML_REGRESSION, 0, 5), more = t;
	double first, second, x[3] = {1, 10, 5}, out;
	MlEnv env;
	Trained a, b;

	more.n_levels = 9;
	ml_env_init(&env);
	CHECK(train(&a, &env, &ml_algo_mlp, &t,
				"{\"hidden\":[16],\"learning_rate\":0.01,\"max_iter\":15}") == ML_OK);
	first = error_on(&a, &t);
	CHECK(train_on(&b, &env, &ml_algo_mlp, &more, "{\"max_iter\":25}", a.model) == ML_OK);
	second = error_on(&b, &t);
	CHECK(second < first && first < 0.9);
	CHECK(((MlMlpModel *) b.model)->layers[0].n_out == 16);
	ml_algo_mlp.predict(b.model, x, &out);
	CHECK(isfinite(out));
	check_save_and_load(&b, &more);
	trained_end(&b);
	CHECK(train_on(&b, &env, &ml_algo_mlp, &t, "{\"hidden\":[8]}", a.model) == ML_EINVAL);
	CHECK(strstr(env.error, "another shape"));
	trained_end(&b);
	CHECK(train_on(&b, &env, &ml_algo_mlp, &t, "{\"activation\":\"tanh\"}", a.model) == ML_EINVAL);
	trained_end(&b);
	trained_end(&a);
	ml_env_close(&env);
	table_free(&t);
}

/* A line per epoch from 0 on; histograms of three of them that count every weight. */
static void
log_tells_each_epoch(void)
{
	Table t = table_random(300, 2, 1, 3, ML_CLASSIFICATION, 2, 6);
	MlEnv env;
	MlArena arena;
	MlBuffer text;
	MlJson *log;
	Trained f;
	int histograms = 0;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&text, &env);
	CHECK(train(&f, &env, &ml_algo_mlp, &t,
				"{\"hidden\":[8,4],\"max_iter\":150,\"early_stopping\":0}") == ML_OK);
	ml_put_format(&text, "[");
	ml_put_bytes(&text, f.report.log.data, f.report.log.len);
	ml_put_format(&text, "]");
	CHECK(ml_json_parse(&arena, (const char *) text.data, text.len, &log) == ML_OK);
	CHECK(log->n == 151);
	for (size_t i = 0; i < log->n; i++)
	{
		const MlJson *layers = ml_json_get(&log->items[i], "layers"), *counts;
		double sum = 0;

		CHECK(ml_json_get(&log->items[i], "iteration")->number == (double) i);
		CHECK(ml_json_get(&log->items[i], "loss")->number > 0);
		CHECK(ml_json_get(&log->items[i], "weight_norm")->number > 0);
		if (i > 0)
			CHECK(ml_json_get(&log->items[i], "gradient_norm")->number > 0 &&
				  ml_json_get(&log->items[i], "step")->number == 0.003);
		if (!layers)
			continue;
		histograms++;
		CHECK(layers->n == 3);
		counts = ml_json_get(&layers->items[0], "histogram");
		for (size_t b = 0; b < counts->n; b++)
			sum += counts->items[b].number;
		CHECK(counts->n == MLP_BINS && sum == (2 + 3) * 8);
	}
	CHECK(histograms == 3);
	CHECK(ml_json_get(&log->items[150], "loss")->number <
		  0.7 * ml_json_get(&log->items[0], "loss")->number);
	trained_end(&f);
	ml_buffer_free(&text);
	ml_arena_free(&arena);
	ml_env_close(&env);
	table_free(&t);
}

/* One row, one class, constant or huge columns and targets: a model that predicts, or a clear error. */
static void
hard_data(void)
{
	Table one = table_random(1, 2, 0, 1, ML_REGRESSION, 0, 1),
		  t = table_random(200, 2, 1, 3, ML_REGRESSION, 0, 2);
	double q[3] = {1e308, -INFINITY, ML_UNSEEN}, out;
	MlEnv env;
	Trained f;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_mlp, &one, "{}") == ML_OK);
	ml_algo_mlp.predict(f.model, one.x, &out);
	CHECK_NEAR(out, one.y[0], 1);
	trained_end(&f);
	for (size_t i = 0; i < t.n; i++)
	{
		t.x[i * 3] = i == 7 ? 1e150 : 1e-150;
		t.y[i] = i == 9 ? 1e12 : 3;
	}
	CHECK(train(&f, &env, &ml_algo_mlp, &t, "{\"max_iter\":5}") == ML_OK);
	ml_algo_mlp.predict(f.model, q, &out);
	CHECK(isfinite(out));
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_mlp, &t,
				"{\"solver\":\"sgd\",\"learning_rate\":10,\"momentum\":0.999,\"max_iter\":1000,"
				"\"early_stopping\":0}") == ML_ENOCONV ||
		  isfinite(trained_number(&f, "loss")));
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_mlp, &t, "{\"hidden\":[4096,4096,4096]}") == ML_EDATA);
	CHECK(strstr(env.error, "33.") == NULL && strstr(env.error, "parameters"));
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_mlp, &t, "{\"hidden\":[3.5]}") == ML_EINVAL);
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_mlp, &t, "{\"hidden\":\"64\"}") == ML_EINVAL);
	trained_end(&f);
	t.n = 0;
	CHECK(train(&f, &env, &ml_algo_mlp, &t, "{}") == ML_EDATA);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&one);
	table_free(&t);
}

static void
hostile_bytes_are_harmless(void)
{
	Table t = table_random(60, 2, 1, 3, ML_CLASSIFICATION, 3, 5);
	MlEnv env;
	Trained f;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_mlp, &t, "{\"hidden\":[3,2],\"max_iter\":2}") == ML_OK);
	check_hostile_bytes(&f, &t, 3000);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
failures_leave_nothing(void)
{
	Table t = table_random(130, 2, 1, 3, ML_REGRESSION, 0, 5);
	TrainCase c = {&ml_algo_mlp, &t, "{\"hidden\":[3],\"max_iter\":2,\"dropout\":0.2}"};

	unit_every_allocation_fails(train_and_forget, &c, 400);
	check_cancel(&ml_algo_mlp, &t, c.options, 100, 3);
	table_free(&t);
}

int
main(void)
{
	RUN(products_are_products);
	RUN(activations_are_accurate);
	RUN(steps_as_in_the_papers);
	RUN(gradients_agree_with_differences);
	RUN(learns_curves);
	RUN(no_hidden_layer_is_linear);
	RUN(threads_do_not_change_a_byte);
	RUN(goes_on_from_a_model);
	RUN(log_tells_each_epoch);
	RUN(hard_data);
	RUN(hostile_bytes_are_harmless);
	RUN(failures_leave_nothing);
	return unit_end();
}
