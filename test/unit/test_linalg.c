/*
 * test_linalg.c
 *		QR updates, dropping columns, Cholesky with dependent columns, inverse norms.
 */
#include "unit.h"

#include "core/linalg.h"
#include "core/rng.h"

static double *
random_matrix(size_t m, size_t n, size_t ld, uint64_t seed)
{
	double *a = calloc(ld * n, sizeof(double));
	MlRng rng;

	ml_rng_seed(&rng, seed, 0);
	for (size_t j = 0; j < n; j++)
	{
		for (size_t i = 0; i < m; i++)
			a[i + j * ld] = ml_rng_normal(&rng);
	}
	return a;
}

/* Largest difference between R'R and A'A, relative to the largest element. */
static double
gram_error(const double *r, size_t r_rows, size_t r_ld, const double *a, size_t m, size_t ld,
		   size_t n)
{
	double worst = 0, largest = 0;

	for (size_t i = 0; i < n; i++)
	{
		for (size_t j = i; j < n; j++)
		{
			double left = 0, right = 0;

			for (size_t k = 0; k < ML_MIN(i + 1, r_rows); k++)
				left += r[k + i * r_ld] * r[k + j * r_ld];
			for (size_t k = 0; k < m; k++)
				right += a[k + i * ld] * a[k + j * ld];
			worst = fmax(worst, fabs(left - right));
			largest = fmax(largest, fabs(right));
		}
	}
	return worst / largest;
}

/* R'R = A'A for tall, wide, small and panelled shapes. */
static void
qr_reduce_keeps_the_gram_matrix(void)
{
	static const size_t shapes[][2] = {{1, 1}, {5, 3}, {3, 5}, {300, 30}, {100, 90}, {90, 100}};
	MlEnv env;

	ml_env_init(&env);
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
	{
		size_t m = shapes[s][0], n = shapes[s][1], ld = m + 2;
		double *a = random_matrix(m, n, ld, s), *r = random_matrix(m, n, ld, s);
		double *work = malloc(ml_qr_work(n) * sizeof(double));

		CHECK(ml_qr_reduce(&env, r, m, n, ld, work) == ML_OK);
		CHECK(gram_error(r, m, ld, a, m, ld, n) < 1e-14);
		free(a), free(r), free(work);
	}
	ml_env_close(&env);
}

/* Blocks of rows one after the other give the R of all; few columns and many take different routines. */
static void
qr_update_equals_all_at_once(void)
{
	static const size_t columns[] = {1, 7, 22, 44, 45, 70};

	for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
	{
		size_t n = columns[c], m = 203, block = 50, ld = n + block;
		double *a = random_matrix(m, n, m, c), *r = calloc(ld * n, sizeof(double));
		double *work = malloc(ml_qr_work(n) * sizeof(double));

		for (size_t first = 0; first < m; first += block)
		{
			size_t rows = ML_MIN(block, m - first);

			for (size_t j = 0; j < n; j++)
				memcpy(r + n + j * ld, a + first + j * m, rows * sizeof(double));
			CHECK(ml_qr_update(NULL, r, n, rows, ld, work) == ML_OK);
		}
		CHECK(gram_error(r, n, ld, a, m, m, n) < 1e-14);
		for (size_t j = 0; j < n; j++)
		{
			for (size_t i = j + 1; i < n; i++)
				CHECK(r[i + j * ld] == 0);
		}
		free(a), free(r), free(work);
	}
}

/* Without column j, R is the factor of the matrix without it. */
static void
dropped_column_leaves_the_others(void)
{
	size_t n = 6, m = 20;
	MlEnv env;

	ml_env_init(&env);
	for (size_t drop = 0; drop < n; drop++)
	{
		double *a = random_matrix(m, n, m, 9), *r = random_matrix(m, n, m, 9);
		double *work = malloc(ml_qr_work(n) * sizeof(double));

		CHECK(ml_qr_reduce(&env, r, m, n, m, work) == ML_OK);
		for (size_t j = 0; j < n; j++)
			memset(r + j + 1 + j * m, 0, (m - j - 1) * sizeof(double));
		ml_qr_drop_column(r, n, m, drop);
		memmove(a + drop * m, a + (drop + 1) * m, (n - 1 - drop) * m * sizeof(double));
		CHECK(gram_error(r, n - 1, m, a, m, m, n - 1) < 1e-14);
		for (size_t j = 0; j + 1 < n; j++)
			CHECK(r[j + 1 + j * m] == 0);
		free(a), free(r), free(work);
	}
	ml_env_close(&env);
}

/* a'a with column 40 a copy of column 3, and column 70 zero. */
static double *
dependent_gram(size_t n, double *rows)
{
	size_t m = 2 * n;
	double *a = random_matrix(m, n, m, 4), *g = calloc(n * n, sizeof(double));

	memcpy(a + 40 * m, a + 3 * m, m * sizeof(double));
	memset(a + 70 * m, 0, m * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		for (size_t j = i; j < n; j++)
		{
			for (size_t k = 0; k < m; k++)
				g[i + j * n] += a[k + i * m] * a[k + j * m];
		}
	}
	for (size_t j = 0; j < n; j++)
		rows[j] = a[5 + j * m];
	free(a);
	return g;
}

/* Cholesky marks the dependent columns, and solves for the others. */
static void
cholesky_drops_dependent_columns(void)
{
	enum
	{
		N = 100
	};
	double rhs[N], b[N], worst = 0;
	double *g = dependent_gram(N, rhs), *u = dependent_gram(N, rhs);
	bool dropped[N];
	size_t rank;
	MlEnv env;

	ml_env_init(&env);
	CHECK(ml_cholesky(&env, u, N, N, NULL, 1e-11, dropped, &rank) == ML_OK);
	CHECK(rank == N - 2);
	for (size_t j = 0; j < N; j++)
		CHECK(dropped[j] == (j == 40 || j == 70));
	memcpy(b, rhs, sizeof b);
	b[40] = b[70] = 0;
	ml_upper_solve_transposed(u, N, N, b);
	ml_upper_solve(u, N, N, b);
	CHECK(b[40] == 0 && b[70] == 0);
	for (size_t i = 0; i < N; i++)
	{
		double sum = -rhs[i];

		for (size_t j = 0; j < N; j++)
			sum += b[j] * (i <= j ? g[i + j * N] : g[j + i * N]);
		worst = fmax(worst, fabs(sum));
	}
	CHECK(worst < 1e-10); /* the two dropped equations hold as well: the right side is a row of a */
	free(g), free(u);
	ml_env_close(&env);
}

/* Not positive definite, NaN and infinity end as dropped columns, never as NaN in the factor. */
static void
cholesky_survives_bad_numbers(void)
{
	double a[9] = {1, 0, 0, 2, 1, 0, NAN, INFINITY, 3};
	bool dropped[3];
	size_t rank;
	MlEnv env;

	ml_env_init(&env);
	CHECK(ml_cholesky(&env, a, 3, 3, NULL, 0, dropped, &rank) == ML_OK);
	CHECK(rank == 1 && !dropped[0] && dropped[1] && dropped[2]);
	CHECK(a[4] == 1 && a[8] == 1 && a[6] == 0 && a[7] == 0 && a[3] == 0);
	CHECK(ml_cholesky(&env, a, 0, 1, NULL, 0, dropped, &rank) == ML_OK && rank == 0);
	ml_env_close(&env);
}

/* The diagonal of (U'U)^-1, against solving with unit vectors. */
static void
inverse_norms_are_the_diagonal_of_the_inverse(void)
{
	enum
	{
		N = 67
	};
	double *u = random_matrix(N, N, N, 6), norms[N];
	MlEnv env;

	ml_env_init(&env);
	for (size_t j = 0; j < N; j++)
	{
		u[j + j * N] = 10 + fabs(u[j + j * N]);
		memset(u + j * N + j + 1, 0, (N - j - 1) * sizeof(double));
	}
	CHECK(ml_upper_inverse_norms(&env, u, N, N, norms) == ML_OK);
	for (size_t i = 0; i < N; i++)
	{
		double e[N] = {0};

		e[i] = 1;
		ml_upper_solve_transposed(u, N, N, e);
		ml_upper_solve(u, N, N, e);
		CHECK_NEAR(norms[i] / e[i], 1, 1e-13);
	}
	free(u);
	ml_env_close(&env);
}

static bool
always_canceled(void *ctx)
{
	(void) ctx;
	return true;
}

static MlStatus
factor_under(MlEnv *env, void *arg)
{
	double rhs[100], *g = dependent_gram(100, rhs), norms[100];
	bool dropped[100];
	MlStatus status;

	(void) arg;
	status = ml_cholesky(env, g, 100, 100, NULL, 1e-11, dropped, NULL);
	if (status == ML_OK)
		status = ml_upper_inverse_norms(env, g, 100, 100, norms);
	free(g);
	return status;
}

static void
failures_are_reported(void)
{
	MlEnv env;

	unit_every_allocation_fails(factor_under, NULL, 10);
	ml_env_init(&env);
	env.canceled = always_canceled;
	CHECK(factor_under(&env, NULL) == ML_ECANCELED);
	CHECK(env.used == 0);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(qr_reduce_keeps_the_gram_matrix);
	RUN(qr_update_equals_all_at_once);
	RUN(dropped_column_leaves_the_others);
	RUN(cholesky_drops_dependent_columns);
	RUN(cholesky_survives_bad_numbers);
	RUN(inverse_norms_are_the_diagonal_of_the_inverse);
	RUN(failures_are_reported);
	return unit_end();
}
