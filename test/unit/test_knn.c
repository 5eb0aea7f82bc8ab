/*
 * test_knn.c
 *		Nearest neighbours against a plain search, ties, weights, hard data, failures.
 */
#include "algo_fixture.h"

#include "algo/knn/knn.h"

extern const MlAlgo ml_algo_knn;

/* ---- a plain search, in the coordinates of the definition */

typedef struct Near
{
	double d;
	uint32_t row;
} Near;

static int
compare_near(const void *a, const void *b)
{
	const Near *x = a, *y = b;

	if (x->d != y->d)
		return x->d < y->d ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* Mean and population standard deviation of a column; of constant columns 1. */
static void
moments(const Table *t, uint32_t j, double *mean, double *scale)
{
	*mean = *scale = 0;
	for (size_t i = 0; i < t->n; i++)
		*mean += t->x[i * table_width(t) + j] / (double) t->n;
	for (size_t i = 0; i < t->n; i++)
		*scale += pow(t->x[i * table_width(t) + j] - *mean, 2) / (double) t->n;
	*scale = *scale > 0 ? sqrt(*scale) : 1;
}

/* All training rows by their distance from q. */
static Near *
plain_search(const Table *t, const double *q, bool euclidean)
{
	Near *near = calloc(t->n, sizeof(Near));

	for (size_t i = 0; i < t->n; i++)
		near[i].row = (uint32_t) i;
	for (uint32_t j = 0; j < table_width(t); j++)
	{
		double mean, scale;

		moments(t, j, &mean, &scale);
		for (size_t i = 0; i < t->n; i++)
		{
			double a = t->x[i * table_width(t) + j], gap;

			if (j >= t->n_numbers)
				near[i].d += a == q[j] ? 0 : 2;
			else
			{
				gap = (a - q[j]) / scale;
				near[i].d += euclidean ? gap * gap : fabs(gap);
			}
		}
	}
	qsort(near, t->n, sizeof(Near), compare_near);
	return near;
}

/* The answer for a regression, or P(class k). */
static double
plain_answer(const Table *t, const Near *near, uint32_t k, uint32_t wanted, bool by_distance,
			 bool euclidean)
{
	double sum = 0, total = 0;

	for (uint32_t i = 0; i < ML_MIN(wanted, t->n); i++)
	{
		double d = euclidean ? sqrt(near[i].d) : near[i].d, w = t->w ? t->w[near[i].row] : 1;
		double y = t->y[near[i].row];

		if (by_distance)
			w /= d;
		total += w;
		sum += w * (t->n_classes == 0 ? y : y == k);
	}
	return sum / total;
}

/* Predictions for rows between the training rows. */
static void
compare_with_plain(const Table *t, const char *options, uint32_t wanted, bool by_distance,
				   bool euclidean)
{
	Table other =
		table_random(60, t->n_numbers, t->n_factors, t->n_levels, t->task, t->n_classes, 1234);
	double out[64];
	MlEnv env;
	Trained f;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_knn, t, options) == ML_OK);
	for (size_t i = 0; i < other.n && !unit_case_failed; i++)
	{
		const double *q = other.x + i * table_width(t);
		Near *near = plain_search(t, q, euclidean);
		uint32_t last = ML_MIN(wanted, (uint32_t) t->n) - 1;
		bool tied = last + 1 < t->n && near[last + 1].d - near[last].d < 1e-5;

		ml_algo_knn.predict(f.model, q, out);
		for (uint32_t k = 0; k < f.n_outputs && !tied; k++)
			CHECK_NEAR(
				out[k],
				plain_answer(t, near, t->n_classes == 2 ? 1 : k, wanted, by_distance, euclidean),
				1e-5);
		free(near);
	}
	check_save_and_load(&f, t);
	trained_end(&f);
	ml_env_close(&env);
	CHECK(env.used == 0);
	table_free(&other);
}

static void
finds_what_a_plain_search_finds(void)
{
	static const uint32_t sizes[] = {1, 2, 15, 16, 17, 33, 47, 48, 100, 333, 1500};

	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
	{
		Table t = table_random(sizes[s], 3, 0, 1, ML_REGRESSION, 0, s + 1);

		compare_with_plain(&t, "{}", 5, false, true);
		compare_with_plain(&t, "{\"n_neighbors\":1,\"distance\":\"manhattan\"}", 1, false, false);
		table_free(&t);
	}
}

static void
votes_of_classes_and_levels(void)
{
	Table two = table_random(700, 2, 1, 4, ML_CLASSIFICATION, 2, 3),
		  four = table_random(900, 20, 2, 5, ML_CLASSIFICATION, 4, 4);

	compare_with_plain(&two, "{\"n_neighbors\":9}", 9, false, true);
	compare_with_plain(&two, "{\"n_neighbors\":40,\"weights\":\"distance\"}", 40, true, true);
	compare_with_plain(&four, "{\"n_neighbors\":12}", 12, false, true);
	compare_with_plain(&four,
					   "{\"n_neighbors\":30,\"weights\":\"distance\",\"distance\":\"manhattan\"}",
					   30, true, false);
	four.w = malloc(four.n * sizeof(double));
	for (size_t i = 0; i < four.n; i++)
		four.w[i] = 1; /* scales are those of weighted rows: keep them, and weigh the votes below */
	compare_with_plain(&four, "{\"n_neighbors\":12}", 12, false, true);
	table_free(&two);
	table_free(&four);
}

/* Rows at x = 0 .. 9; the query between two of them: the earlier row is nearer. */
static void
ties_go_to_the_earlier_row(void)
{
	Table t = table_make(40, 1, 0, 1, ML_REGRESSION, 0);
	double q = 4.5, out;
	MlEnv env;
	Trained f;

	for (size_t i = 0; i < 40; i++)
	{
		t.x[i] = (double) (9 - i % 10);
		t.y[i] = (double) i;
	}
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{\"n_neighbors\":1,\"scale\":false}") == ML_OK);
	ml_algo_knn.predict(f.model, &q, &out);
	CHECK(out == 4); /* x = 5; x = 4, row 5, is as near */
	trained_end(&f);
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{\"n_neighbors\":3,\"scale\":false}") == ML_OK);
	ml_algo_knn.predict(f.model, &q, &out);
	CHECK_NEAR(out, (4 + 5 + 14) / 3.0, 1e-12);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

/* At no distance only the rows there count, by their weights. */
static void
exact_matches_and_weights(void)
{
	Table t = table_make(5, 1, 0, 1, ML_REGRESSION, 0);
	static const double x[] = {1, 1, 2, 3, 9}, y[] = {10, 20, 30, 40, 50}, w[] = {1, 3, 1, 1, 1};
	double q = 1, out;
	MlEnv env;
	Trained f;

	memcpy(t.x, x, sizeof x);
	memcpy(t.y, y, sizeof y);
	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{\"weights\":\"distance\"}") == ML_OK);
	ml_algo_knn.predict(f.model, &q, &out);
	CHECK_NEAR(out, 15, 1e-12);
	q = NAN; /* the mean, 3.2 */
	ml_algo_knn.predict(f.model, &q, &out);
	CHECK(out > 35 && out < 40);
	trained_end(&f);
	t.w = malloc(sizeof w);
	memcpy(t.w, w, sizeof w);
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{\"n_neighbors\":2}") == ML_OK);
	q = 0;
	ml_algo_knn.predict(f.model, &q, &out);
	CHECK_NEAR(out, (10 + 3 * 20) / 4.0, 1e-12);
	CHECK(trained_number(&f, "n") == 5 && trained_number(&f, "points_bytes") > 0);
	check_save_and_load(&f, &t);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

/* Outliers, huge scales, far queries, levels that training did not see: finite answers. */
static void
hard_numbers(void)
{
	Table t = table_random(300, 3, 1, 3, ML_CLASSIFICATION, 3, 8);
	double q[4] = {1e308, -1e308, INFINITY, ML_UNSEEN}, out[3];
	MlEnv env;
	Trained f;

	for (size_t i = 0; i < 300; i++)
	{
		t.x[i * 4] *= 1e150;
		t.x[i * 4 + 1] *= 1e-150;
		t.x[i * 4 + 2] = 5;
	}
	ml_env_init(&env);
	for (int k = 0; k < 2; k++)
	{
		CHECK(train(&f, &env, &ml_algo_knn, &t,
					k ? "{\"scale\":false,\"weights\":\"distance\"}" : "{\"n_neighbors\":1000}") ==
			  ML_OK);
		ml_algo_knn.predict(f.model, q, out);
		CHECK_NEAR(out[0] + out[1] + out[2], 1, 1e-9);
		check_save_and_load(&f, &t);
		trained_end(&f);
	}
	t.x[0] = INFINITY;
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{}") == ML_EDATA);
	CHECK(strstr(env.error, "x1"));
	trained_end(&f);
	t.n = 0;
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{}") == ML_EDATA);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
threads_do_not_change_a_byte(void)
{
	Table t = table_random(3000, 4, 1, 6, ML_CLASSIFICATION, 3, 12);

	check_threads(&ml_algo_knn, &t, "{}");
	table_free(&t);
}

static void
hostile_bytes_are_harmless(void)
{
	Table t = table_random(70, 2, 1, 3, ML_CLASSIFICATION, 3, 5);
	MlEnv env;
	Trained f;

	ml_env_init(&env);
	CHECK(train(&f, &env, &ml_algo_knn, &t, "{}") == ML_OK);
	check_hostile_bytes(&f, &t, 3000);
	trained_end(&f);
	ml_env_close(&env);
	table_free(&t);
}

static void
failures_leave_nothing(void)
{
	Table t = table_random(120, 2, 1, 3, ML_REGRESSION, 0, 5);
	TrainCase c = {&ml_algo_knn, &t, "{}"};

	t.w = malloc(t.n * sizeof(double));
	for (size_t i = 0; i < t.n; i++)
		t.w[i] = 1 + (double) i;
	unit_every_allocation_fails(train_and_forget, &c, 400);
	check_cancel(&ml_algo_knn, &t, "{}", 60, 3);
	table_free(&t);
}

int
main(void)
{
	RUN(finds_what_a_plain_search_finds);
	RUN(votes_of_classes_and_levels);
	RUN(ties_go_to_the_earlier_row);
	RUN(exact_matches_and_weights);
	RUN(hard_numbers);
	RUN(threads_do_not_change_a_byte);
	RUN(hostile_bytes_are_harmless);
	RUN(failures_leave_nothing);
	return unit_end();
}
