/*
 * test_metric_curves.c
 *		All metrics and curves of a scored set, as the trainer asks for them.
 */
#include "metric_rows.h"

#include "metric/metric.h"
#include "metric/rank_curve.h"

#define TOLERANCE 1e-12

static char *const two_classes[] = {"on time", "late \"very\""};
static char *const five_classes[] = {"a", "b", "c", "d", "e"};

typedef struct Fixture
{
	double actual[N_ROWS], predicted[5 * N_ROWS], weight[N_ROWS];
	MlScored scored;
} Fixture;

static MlEnv env;
static Fixture fixture;

static void
make_binary(bool weighted)
{
	for (int i = 0; i < N_ROWS; i++)
	{
		MetricRow row = metric_row(i);

		fixture.actual[i] = row.label;
		fixture.predicted[i] = row.p;
		fixture.weight[i] = row.weight;
	}
	fixture.scored = (MlScored){.classification = true,
								.n_classes = 2,
								.classes = two_classes,
								.n = N_ROWS,
								.actual = fixture.actual,
								.predicted = fixture.predicted,
								.weight = weighted ? fixture.weight : NULL};
}

/* Probability 0.6 for the predicted class, 0.1 for each other. */
static void
make_several(bool weighted)
{
	make_binary(weighted);
	for (int i = 0; i < N_ROWS; i++)
	{
		MetricRow row = metric_row(i);

		fixture.actual[i] = row.actual;
		for (int k = 0; k < 5; k++)
			fixture.predicted[5 * i + k] = k == row.predicted ? 0.6 : 0.1;
	}
	fixture.scored.n_classes = 5;
	fixture.scored.classes = five_classes;
}

static void
make_regression(bool weighted)
{
	make_binary(weighted);
	for (int i = 0; i < N_ROWS; i++)
	{
		MetricRow row = metric_row(i);

		fixture.actual[i] = row.y;
		fixture.predicted[i] = row.y_hat;
	}
	fixture.scored.classification = false;
}

/* The object that metrics (max_points 0) or curves come to. */
static MlStatus
run(MlEnv *e, int max_points, MlArena *arena, MlJson **object)
{
	MlBuffer out;
	MlJsonWriter w;
	MlStatus status;

	ml_buffer_init(&out, e);
	ml_json_writer(&w, &out);
	ml_json_open(&w, NULL, '{');
	if (max_points > 0)
		status = ml_curves_all(e, &fixture.scored, max_points, &w);
	else
		status = ml_metrics_all(e, &fixture.scored, &w);
	ml_json_close(&w, '}');
	if (status == ML_OK)
		status = out.status;
	if (status == ML_OK)
		status = ml_json_parse(arena, (const char *) out.data, out.len, object);
	ml_buffer_free(&out);
	return status;
}

static double
number(const MlJson *object, const char *name)
{
	const MlJson *item = ml_json_get(object, name);

	CHECK(item != NULL);
	return item && item->type == ML_JSON_NUMBER ? item->number : NAN;
}

/* A golden value for each name of the list, and nothing else in the object but what others counts. */
static void
check_golden(const char *const *names, size_t n, const char *prefix, bool weighted, size_t others)
{
	MlArena arena;
	MlJson *object = NULL;

	ml_arena_init(&arena, &env);
	CHECK(run(&env, 0, &arena, &object) == ML_OK);
	for (size_t i = 0; object && i < n; i++)
	{
		char full[100];

		snprintf(full, sizeof(full), "%s%s", prefix, names[i]);
		CHECK_NEAR(number(object, names[i]), golden_metric(full, weighted), TOLERANCE);
	}
	CHECK(object && object->n == n + others);
	for (size_t i = 0; object && i < object->n; i++)
		CHECK(ml_metric_known(object->keys[i], fixture.scored.classification,
							  fixture.scored.n_classes));
	ml_arena_free(&arena);
}

static void
all_metrics_are_golden(void)
{
	static const char *const binary[] = {"accuracy",  "balanced_accuracy",
										 "precision", "recall",
										 "f1",        "mcc",
										 "roc_auc",   "pr_auc",
										 "ks",        "gini",
										 "log_loss",  "brier"};
	static const char *const several[] = {"accuracy",     "balanced_accuracy", "precision_macro",
										  "recall_macro", "f1_macro",          "f1_weighted",
										  "mcc"};
	static const char *const regression[] = {"mse",  "rmse", "mae",
											 "mape", "r2",   "explained_variance"};

	for (int weighted = 0; weighted < 2; weighted++)
	{
		make_binary(weighted);
		check_golden(binary, 12, "", weighted, 0);
		make_several(weighted);
		check_golden(several, 7, "many_", weighted, 1);
		make_regression(weighted);
		check_golden(regression, 6, "", weighted, 0);
	}
	CHECK(!ml_metric_known("rmse", true, 2) && !ml_metric_known("roc_auc", true, 3));
	CHECK(!ml_metric_known("nonsense", false, 0));
	CHECK(ml_metric_greater_is_better("r2") && !ml_metric_greater_is_better("log_loss"));
}

/* 76.6 % of the rows have 0.6 for the right class, the others 0.1. */
static void
log_loss_of_several_classes(void)
{
	MlArena arena;
	MlJson *object = NULL;

	make_several(false);
	ml_arena_init(&arena, &env);
	CHECK(run(&env, 0, &arena, &object) == ML_OK);
	CHECK_NEAR(number(object, "log_loss"), -0.766 * log(0.6) - 0.234 * log(0.1), TOLERANCE);
	ml_arena_free(&arena);
}

static const MlJson *
column(const MlJson *object, const char *curve, const char *name)
{
	const MlJson *at = ml_json_get(object, curve);

	at = at ? ml_json_get(at, name) : NULL;
	CHECK(at && at->type == ML_JSON_ARRAY);
	return at;
}

static void
check_monotone(const MlJson *values, double first, double last)
{
	CHECK(values->n > 0 && values->items[0].number == first);
	CHECK_NEAR(values->items[values->n - 1].number, last, TOLERANCE);
	for (size_t i = 1; i < values->n; i++)
		CHECK(values->items[i].number >= values->items[i - 1].number);
}

/* Ends, order, length, the KS point, and the area, whole and thinned. */
static void
rank_curves_keep_their_shape(void)
{
	static const int limits[] = {8, 20, 100000};

	for (size_t k = 0; k < 3; k++)
	{
		const MlJson *fpr, *tpr, *negative, *positive;
		double area = 0, ks = 0;
		MlArena arena;
		MlJson *object = NULL;

		make_binary(true);
		ml_arena_init(&arena, &env);
		CHECK(run(&env, limits[k], &arena, &object) == ML_OK);
		fpr = column(object, "roc", "fpr");
		tpr = column(object, "roc", "tpr");
		CHECK(fpr->n == tpr->n && fpr->n == column(object, "roc", "threshold")->n);
		CHECK(fpr->n <= (size_t) limits[k] && (k < 2 || fpr->n == 102));
		check_monotone(fpr, 0, 1);
		check_monotone(tpr, 0, 1);
		for (size_t i = 1; i < fpr->n; i++)
			area += (fpr->items[i].number - fpr->items[i - 1].number) *
					(tpr->items[i].number + tpr->items[i - 1].number) / 2;
		CHECK_NEAR(area, golden_metric("roc_auc", true), k == 0 ? 0.03 : k == 1 ? 0.01 : TOLERANCE);
		CHECK(column(object, "roc", "threshold")->items[0].type == ML_JSON_NULL);

		negative = column(object, "ks", "cdf_negative");
		positive = column(object, "ks", "cdf_positive");
		check_monotone(column(object, "ks", "threshold"), 0, 1);
		check_monotone(negative, 0, 1);
		check_monotone(positive, 0, 1);
		CHECK(negative->n == positive->n && negative->n <= (size_t) limits[k]);
		for (size_t i = 0; i < negative->n; i++)
			ks = fmax(ks, fabs(negative->items[i].number - positive->items[i].number));
		CHECK_NEAR(ks, golden_metric("ks", true), TOLERANCE);

		check_monotone(column(object, "pr", "recall"), 0, 1);
		CHECK(column(object, "pr", "precision")->items[0].number == 1);
		check_monotone(column(object, "lift", "share"), 0, 1);
		check_monotone(column(object, "lift", "gain"), 0, 1);
		CHECK_NEAR(column(object, "lift", "lift")->items[fpr->n - 1].number, 1, TOLERANCE);
		ml_arena_free(&arena);
	}
}

static void
calibration_adds_up(void)
{
	const MlJson *observed, *count, *predicted;
	double rows = 0, late = 0, labels = 0;
	MlArena arena;
	MlJson *object = NULL;

	make_binary(false);
	for (int i = 0; i < N_ROWS; i++)
		labels += fixture.actual[i];
	ml_arena_init(&arena, &env);
	CHECK(run(&env, 100, &arena, &object) == ML_OK);
	predicted = column(object, "calibration", "predicted");
	observed = column(object, "calibration", "observed");
	count = column(object, "calibration", "count");
	CHECK(count->n == 10 && observed->n == 10 && predicted->n == 10);
	for (size_t i = 0; i < count->n; i++)
	{
		rows += count->items[i].number;
		late += count->items[i].number * observed->items[i].number;
		CHECK(predicted->items[i].number > 0.1 * (double) i - 1e-9);
		CHECK(predicted->items[i].number < 0.1 * (double) (i + 1) + 1e-9);
	}
	CHECK(rows == N_ROWS);
	CHECK_NEAR(late, labels, TOLERANCE);
	ml_arena_free(&arena);
}

static void
confusion_and_residuals(void)
{
	static const double row_of_b[] = {0, 133, 34, 33, 0};
	const MlJson *matrix, *classes;
	MlArena arena;
	MlJson *object = NULL;

	make_several(false);
	ml_arena_init(&arena, &env);
	CHECK(run(&env, 100, &arena, &object) == ML_OK && object->n == 1);
	matrix = column(object, "confusion", "matrix");
	CHECK(matrix->n == 5 && matrix->items[1].n == 5);
	for (int k = 0; k < 5; k++)
		CHECK(matrix->items[1].items[k].number == row_of_b[k]);

	make_binary(false);
	CHECK(run(&env, 100, &arena, &object) == ML_OK);
	classes = column(object, "confusion", "classes");
	CHECK(classes->n == 2 && strcmp(classes->items[1].string, two_classes[1]) == 0);

	make_regression(false);
	CHECK(run(&env, 100, &arena, &object) == ML_OK && object->n == 1);
	CHECK(column(object, "residuals", "actual")->n == 100);
	CHECK(column(object, "residuals", "predicted")->items[1].number == fixture.predicted[10]);
	ml_arena_free(&arena);
}

/* No rows, one row, one class: nulls and empty columns, no failure. */
static void
little_data(void)
{
	MlArena arena;
	MlJson *object = NULL;

	ml_arena_init(&arena, &env);
	for (size_t n = 0; n < 2; n++)
	{
		make_binary(false);
		fixture.scored.n = n;
		CHECK(run(&env, 0, &arena, &object) == ML_OK && object->n == 12);
		CHECK(ml_json_get(object, "roc_auc")->type == ML_JSON_NULL);
		CHECK(run(&env, 100, &arena, &object) == ML_OK && object->n == 2);
		make_several(false);
		fixture.scored.n = n;
		CHECK(run(&env, 0, &arena, &object) == ML_OK && object->n == 8);
		CHECK(run(&env, 100, &arena, &object) == ML_OK);
		make_regression(false);
		fixture.scored.n = n;
		CHECK(run(&env, 0, &arena, &object) == ML_OK && object->n == 6);
		CHECK(ml_json_get(object, "r2")->type == ML_JSON_NULL);
		CHECK(run(&env, 100, &arena, &object) == ML_OK);
		CHECK(column(object, "residuals", "actual")->n == n);
	}
	ml_arena_free(&arena);
}

static void
impossible_rows_are_refused(void)
{
	static const double bad_classes[] = {2, -1, 0.5, NAN}, bad_values[] = {1.5, -0.1, NAN};
	MlArena arena;
	MlJson *object;

	ml_arena_init(&arena, &env);
	for (size_t i = 0; i < 4; i++)
	{
		make_binary(false);
		fixture.actual[7] = bad_classes[i];
		CHECK(run(&env, 0, &arena, &object) == ML_EDATA && strstr(env.error, "row 7") != NULL);
		CHECK(run(&env, 100, &arena, &object) == ML_EDATA);
	}
	for (size_t i = 0; i < 3; i++)
	{
		make_several(false);
		fixture.predicted[7 * 5 + 4] = bad_values[i];
		CHECK(run(&env, 0, &arena, &object) == ML_EDATA && strstr(env.error, "row 7") != NULL);
		CHECK(run(&env, 100, &arena, &object) == ML_EDATA);
	}
	make_regression(false);
	fixture.predicted[7] = INFINITY;
	CHECK(run(&env, 0, &arena, &object) == ML_EDATA);
	ml_arena_free(&arena);
}

/* n values from 0 on, each divided by how often it comes. */
static MlStatus
fill_scores(MlEnv *e, MlScores *scores, int n, int times, double weight)
{
	for (int i = 0; i < n; i++)
		ML_TRY(ml_scores_add(e, scores, i / times, weight));
	return ML_OK;
}

static MlStatus
stability(MlEnv *e, double value, double *psi)
{
	MlScores reference = {0}, values = {0};
	MlStatus status = fill_scores(e, &reference, 1000, 10, 1);

	if (status == ML_OK)
		status = fill_scores(e, &values, 500, 5, 3);
	for (int i = 0; i < 500 && status == ML_OK; i++)
		status = ml_scores_add(e, &values, value, 3);
	if (status == ML_OK)
		status = ml_stability_index(e, &reference, &values, psi);
	ml_scores_free(e, &reference);
	ml_scores_free(e, &values);
	return status;
}

/* Half of the values are spread as the reference is, half stand in one of its ten bins. */
static void
stability_is_that_of_the_shares(void)
{
	double want = 9 * (0.05 - 0.1) * log(0.05 / 0.1) + (0.55 - 0.1) * log(0.55 / 0.1), psi;
	double places[] = {-5, 0, 42, 99, 1e9};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
	{
		CHECK(stability(&env, places[i], &psi) == ML_OK);
		CHECK_NEAR(psi, want, TOLERANCE);
	}
}

/* Nothing to bin: below, at and above the one value. */
static void
stability_against_a_constant(void)
{
	MlScores reference = {0}, values = {0};
	double psi;

	CHECK(ml_stability_index(&env, &reference, &values, &psi) == ML_OK && isnan(psi));
	CHECK(fill_scores(&env, &reference, 10, 10, 2) == ML_OK);
	CHECK(ml_stability_index(&env, &reference, &values, &psi) == ML_OK && isnan(psi));
	CHECK(fill_scores(&env, &values, 10, 10, 1) == ML_OK);
	CHECK(ml_stability_index(&env, &reference, &values, &psi) == ML_OK);
	CHECK_NEAR(psi, 0, 0);
	CHECK(fill_scores(&env, &values, 20, 10, 1) == ML_OK); /* a third is above */
	CHECK(ml_stability_index(&env, &reference, &values, &psi) == ML_OK);
	CHECK_NEAR(psi, (1.0 / 3 - 1e-4) * log(1 / 3e-4) + (2.0 / 3 - 1) * log(2.0 / 3), TOLERANCE);
	ml_scores_free(&env, &reference);
	ml_scores_free(&env, &values);
}

static MlStatus
stability_at_zero(MlEnv *e, void *arg)
{
	return stability(e, 0, arg);
}

static MlStatus
everything(MlEnv *e, void *arg)
{
	MlArena arena;
	MlJson *object;
	MlStatus status;

	(void) arg;
	ml_arena_init(&arena, e);
	status = run(e, 0, &arena, &object);
	if (status == ML_OK)
		status = run(e, 20, &arena, &object);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_fails_once(void)
{
	double psi;

	make_binary(true);
	unit_every_allocation_fails(everything, NULL, 500);
	make_several(true);
	unit_every_allocation_fails(everything, NULL, 500);
	make_regression(true);
	unit_every_allocation_fails(everything, NULL, 500);
	unit_every_allocation_fails(stability_at_zero, &psi, 500);
}

int
main(void)
{
	ml_env_init(&env);
	RUN(all_metrics_are_golden);
	RUN(log_loss_of_several_classes);
	RUN(rank_curves_keep_their_shape);
	RUN(calibration_adds_up);
	RUN(confusion_and_residuals);
	RUN(little_data);
	RUN(stability_is_that_of_the_shares);
	RUN(stability_against_a_constant);
	RUN(impossible_rows_are_refused);
	RUN(every_allocation_fails_once);
	ml_env_close(&env);
	return unit_end();
}
