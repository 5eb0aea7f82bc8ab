/*
 * test_metric.c
 *		The states behind the metric aggregates: golden values, merging, bytes, failures.
 */
#include "metric_rows.h"

#include "metric/class_counts.h"
#include "metric/prob_loss.h"
#include "metric/radix_sort.h"
#include "metric/ranking.h"
#include "metric/regression_sums.h"

#define TOLERANCE 1e-12

static MlEnv env;

static void
add_class_row(MlClassCounts *counts, MlLabelType type, int actual, int predicted, double weight)
{
	static const char *const names[] = {"zero", "one", "two", "three", "four"};
	MlLabel a = ml_label_int(actual), p = ml_label_int(predicted);

	counts->type = type;
	if (type == ML_LABEL_TEXT)
	{
		a = ml_label_text(names[actual], strlen(names[actual]));
		p = ml_label_text(names[predicted], strlen(names[predicted]));
	}
	CHECK(ml_class_counts_add(&env, counts, &a, &p, weight) == ML_OK);
}

/* ---- class metrics */

static void
class_metrics_are_golden(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		MlClassCounts two = {0}, many = {0};
		MlClassTotals totals;
		double value;

		for (int i = 0; i < N_ROWS; i++)
		{
			MetricRow row = metric_row(i);
			double weight = weighted ? row.weight : 1;

			add_class_row(&two, ML_LABEL_INT, row.label, row.p > 0.5, weight);
			add_class_row(&many, ML_LABEL_INT, row.actual, row.predicted, weight);
		}
		CHECK(ml_class_counts_totals(&env, &two, &totals) == ML_OK);
		CHECK_NEAR(ml_class_accuracy(&totals), golden_metric("accuracy", weighted), TOLERANCE);
		CHECK_NEAR(ml_class_balanced_accuracy(&totals),
				   golden_metric("balanced_accuracy", weighted), TOLERANCE);
		CHECK_NEAR(ml_class_mcc(&totals), golden_metric("mcc", weighted), TOLERANCE);
		ml_class_totals_free(&env, &totals);
		CHECK(ml_class_counts_rate(&env, &two, ML_PRECISION, NULL, &value) == ML_OK);
		CHECK_NEAR(value, golden_metric("precision", weighted), TOLERANCE);
		CHECK(ml_class_counts_rate(&env, &two, ML_RECALL, NULL, &value) == ML_OK);
		CHECK_NEAR(value, golden_metric("recall", weighted), TOLERANCE);
		CHECK(ml_class_counts_rate(&env, &two, ML_F1, NULL, &value) == ML_OK);
		CHECK_NEAR(value, golden_metric("f1", weighted), TOLERANCE);

		CHECK(ml_class_counts_totals(&env, &many, &totals) == ML_OK);
		CHECK_NEAR(ml_class_accuracy(&totals), golden_metric("many_accuracy", weighted), TOLERANCE);
		CHECK_NEAR(ml_class_balanced_accuracy(&totals),
				   golden_metric("many_balanced_accuracy", weighted), TOLERANCE);
		CHECK_NEAR(ml_class_mcc(&totals), golden_metric("many_mcc", weighted), TOLERANCE);
		ml_class_totals_free(&env, &totals);
		ml_class_counts_free(&env, &two);
		ml_class_counts_free(&env, &many);
	}
}

static void
averages_are_golden(void)
{
	static const char *const rates[] = {"precision", "recall", "f1"};
	static const char *const options[] = {"macro", "micro", "weighted", "of_3"};

	for (int weighted = 0; weighted < 2; weighted++)
		for (int rate = 0; rate < 3; rate++)
			for (int option = 0; option < 4; option++)
			{
				MlClassCounts counts = {0};
				MlLabel three = ml_label_int(3);
				char name[100];
				double value;

				for (int i = 0; i < N_ROWS; i++)
				{
					MetricRow row = metric_row(i);

					add_class_row(&counts, ML_LABEL_INT, row.actual, row.predicted,
								  weighted ? row.weight : 1);
				}
				CHECK(ml_class_counts_set_option(&env, &counts, options[option],
												 strlen(options[option])) == ML_OK);
				CHECK(ml_class_counts_rate(&env, &counts, (MlRate) rate,
										   option == 3 ? &three : NULL, &value) == ML_OK);
				snprintf(name, sizeof(name), "many_%s_%s", rates[rate], options[option]);
				CHECK_NEAR(value, golden_metric(name, weighted), TOLERANCE);
				ml_class_counts_free(&env, &counts);
			}
}

static void
undefined_class_metrics_are_nan(void)
{
	MlClassCounts counts = {0};
	MlClassTotals totals;
	double value;

	CHECK(ml_class_counts_totals(&env, &counts, &totals) == ML_OK);
	CHECK(isnan(ml_class_accuracy(&totals)));
	CHECK(isnan(ml_class_mcc(&totals)));
	CHECK(isnan(ml_class_balanced_accuracy(&totals)));
	ml_class_totals_free(&env, &totals);

	/* all negative, none predicted as positive */
	add_class_row(&counts, ML_LABEL_INT, 0, 0, 1);
	for (int rate = 0; rate < 3; rate++)
	{
		CHECK(ml_class_counts_rate(&env, &counts, (MlRate) rate, NULL, &value) == ML_OK);
		CHECK(isnan(value));
	}
	/* one positive, missed: precision has no rows, F1 is 0 */
	add_class_row(&counts, ML_LABEL_INT, 1, 0, 1);
	CHECK(ml_class_counts_rate(&env, &counts, ML_PRECISION, NULL, &value) == ML_OK && isnan(value));
	CHECK(ml_class_counts_rate(&env, &counts, ML_RECALL, NULL, &value) == ML_OK && value == 0);
	CHECK(ml_class_counts_rate(&env, &counts, ML_F1, NULL, &value) == ML_OK && value == 0);
	/* a third label */
	add_class_row(&counts, ML_LABEL_INT, 4, 0, 1);
	CHECK(ml_class_counts_rate(&env, &counts, ML_F1, NULL, &value) == ML_EDATA);
	CHECK(strstr(env.error, "0, 1, 4") != NULL);
	ml_class_counts_free(&env, &counts);

	/* one text only: which would be positive? */
	add_class_row(&counts, ML_LABEL_TEXT, 2, 2, 1);
	CHECK(ml_class_counts_rate(&env, &counts, ML_F1, NULL, &value) == ML_OK && isnan(value));
	ml_class_counts_free(&env, &counts);
}

static bool
same_counts(const MlClassCounts *a, const MlClassCounts *b)
{
	double x = 0, y = 0;
	MlClassTotals totals;

	if (a->n_labels != b->n_labels || a->n_pairs != b->n_pairs || a->type != b->type ||
		!a->option != !b->option)
		return false;
	CHECK(ml_class_counts_totals(&env, a, &totals) == ML_OK);
	x = ml_class_mcc(&totals) + totals.total;
	ml_class_totals_free(&env, &totals);
	CHECK(ml_class_counts_totals(&env, b, &totals) == ML_OK);
	y = ml_class_mcc(&totals) + totals.total;
	ml_class_totals_free(&env, &totals);
	return fabs(x - y) < TOLERANCE * fabs(x);
}

/* Whether the bytes of one state load as a state that saves the same bytes. */
static void
check_bytes(const MlBuffer *first, const MlBuffer *second)
{
	CHECK(first->status == ML_OK && second->status == ML_OK);
	CHECK(first->len == second->len && memcmp(first->data, second->data, first->len) == 0);
}

static void
class_counts_merge_and_travel(void)
{
	for (int type = ML_LABEL_TEXT; type <= ML_LABEL_INT; type += ML_LABEL_INT)
	{
		MlClassCounts all = {0}, parts[2] = {0}, loaded;
		MlBuffer bytes, again;
		MlReader in;

		for (int i = 0; i < N_ROWS; i++)
		{
			MetricRow row = metric_row(i);

			add_class_row(&all, (MlLabelType) type, row.actual, row.predicted, row.weight);
			add_class_row(&parts[i % 3 == 0], (MlLabelType) type, row.actual, row.predicted,
						  row.weight);
		}
		CHECK(ml_class_counts_set_option(&env, &all, "macro", 5) == ML_OK);
		CHECK(ml_class_counts_merge(&env, &parts[0], &all) == ML_EINVAL);
		CHECK(ml_class_counts_set_option(&env, &parts[0], "macro", 5) == ML_OK);
		CHECK(ml_class_counts_set_option(&env, &parts[1], "macro", 5) == ML_OK);
		CHECK(ml_class_counts_set_option(&env, &parts[1], "micro", 5) == ML_EINVAL);
		CHECK(ml_class_counts_merge(&env, &parts[0], &parts[1]) == ML_OK);
		CHECK(same_counts(&all, &parts[0]));

		ml_buffer_init(&bytes, &env);
		ml_buffer_init(&again, &env);
		ml_class_counts_save(&all, &bytes);
		CHECK(bytes.len == ml_class_counts_size(&all));
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(ml_class_counts_load(&in, &loaded) == ML_OK && in.pos == in.len);
		ml_class_counts_save(&loaded, &again);
		check_bytes(&bytes, &again);
		CHECK(same_counts(&all, &loaded));
		ml_buffer_free(&bytes);
		ml_buffer_free(&again);
		ml_class_counts_free(&env, &all);
		ml_class_counts_free(&env, &parts[0]);
		ml_class_counts_free(&env, &parts[1]);
		ml_class_counts_free(&env, &loaded);
	}
}

static void
many_labels_are_found_again(void)
{
	MlClassCounts counts = {.type = ML_LABEL_TEXT};
	uint32_t *order = malloc(3000 * sizeof(uint32_t));
	char name[30];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 3000; i++)
		{
			MlLabel label =
				ml_label_text(name, (size_t) snprintf(name, sizeof(name), "level %d", i));

			CHECK(ml_class_counts_add(&env, &counts, &label, &label, 1) == ML_OK);
			CHECK(ml_class_counts_find(&counts, &label) == i);
		}
	CHECK(counts.n_labels == 3000 && counts.n_pairs == 3000);
	ml_class_counts_order(&counts, order);
	for (int i = 1; i < 3000; i++)
		CHECK(ml_label_compare(ML_LABEL_TEXT, &counts.labels[order[i - 1]].label,
							   &counts.labels[order[i]].label) < 0);
	free(order);
	ml_class_counts_free(&env, &counts);
}

/* ---- ranking */

static void
rank_metrics_are_golden(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		MlRanking ranking = {0}, parts[2] = {0};
		MlRankMetrics metrics, merged;

		for (int i = 0; i < N_ROWS; i++)
		{
			MetricRow row = metric_row(i);
			double weight = weighted ? row.weight : 1;
			uint64_t label = ml_label_int(row.label).bits;

			CHECK(ml_ranking_add(&env, &ranking, ML_LABEL_INT, label, row.p, weight) == ML_OK);
			CHECK(ml_ranking_add(&env, &parts[i % 3 == 0], ML_LABEL_INT, label, row.p, weight) ==
				  ML_OK);
		}
		CHECK(ml_ranking_metrics(&env, &ranking, &metrics) == ML_OK);
		CHECK_NEAR(metrics.roc_auc, golden_metric("roc_auc", weighted), TOLERANCE);
		CHECK_NEAR(metrics.average_precision, golden_metric("pr_auc", weighted), TOLERANCE);
		CHECK_NEAR(metrics.ks, golden_metric("ks", weighted), TOLERANCE);
		CHECK_NEAR(2 * metrics.roc_auc - 1, golden_metric("gini", weighted), TOLERANCE);

		CHECK(ml_ranking_merge(&env, &parts[1], &parts[0]) == ML_OK);
		CHECK(ml_ranking_metrics(&env, &parts[1], &merged) == ML_OK);
		CHECK_NEAR(merged.roc_auc, metrics.roc_auc, TOLERANCE);
		CHECK_NEAR(merged.average_precision, metrics.average_precision, TOLERANCE);
		ml_ranking_free(&env, &ranking);
		ml_ranking_free(&env, &parts[0]);
		ml_ranking_free(&env, &parts[1]);
	}
}

/* A weight of 2 is a row that is there twice, wherever weights begin, also after merging. */
static void
weights_are_repetitions(void)
{
	MlRanking repeated = {0}, weighted = {0}, plain = {0};
	MlRankMetrics a, b;

	for (int i = 0; i < N_ROWS; i++)
	{
		MetricRow row = metric_row(i);
		uint64_t label = ml_label_bool(row.label).bits;
		int times = i < 500 ? 1 : i % 3;

		for (int k = 0; k < times; k++)
			CHECK(ml_ranking_add(&env, &repeated, ML_LABEL_BOOL, label, row.p, 1) == ML_OK);
		CHECK(ml_ranking_add(&env, i < 300 ? &plain : &weighted, ML_LABEL_BOOL, label, row.p,
							 times) == ML_OK);
	}
	CHECK(plain.of[0].weight == NULL);
	CHECK(ml_ranking_merge(&env, &plain, &weighted) == ML_OK);
	CHECK(ml_ranking_metrics(&env, &repeated, &a) == ML_OK);
	CHECK(ml_ranking_metrics(&env, &plain, &b) == ML_OK);
	CHECK_NEAR(b.roc_auc, a.roc_auc, TOLERANCE);
	CHECK_NEAR(b.average_precision, a.average_precision, TOLERANCE);
	CHECK_NEAR(b.ks, a.ks, TOLERANCE);
	ml_ranking_free(&env, &repeated);
	ml_ranking_free(&env, &weighted);
	ml_ranking_free(&env, &plain);
}

static void
edge_cases_of_ranking(void)
{
	MlRanking ranking = {0};
	MlRankMetrics metrics;
	const uint64_t zero = ml_label_int(0).bits, one = ml_label_int(1).bits;

	CHECK(ml_ranking_metrics(&env, &ranking, &metrics) == ML_OK);
	CHECK(isnan(metrics.roc_auc) && isnan(metrics.average_precision) && isnan(metrics.ks));
	for (int i = 0; i < 100; i++)
		CHECK(ml_ranking_add(&env, &ranking, ML_LABEL_INT, one, 0.5, 1) == ML_OK);
	CHECK(ml_ranking_metrics(&env, &ranking, &metrics) == ML_OK);
	CHECK(isnan(metrics.roc_auc) && metrics.average_precision == 1 && isnan(metrics.ks));
	/* all tied */
	for (int i = 0; i < 300; i++)
		CHECK(ml_ranking_add(&env, &ranking, ML_LABEL_INT, zero, 0.5, 1) == ML_OK);
	CHECK(ml_ranking_metrics(&env, &ranking, &metrics) == ML_OK);
	CHECK(metrics.roc_auc == 0.5 && metrics.average_precision == 0.25 && metrics.ks == 0);
	CHECK(ml_ranking_add(&env, &ranking, ML_LABEL_INT, ml_label_int(-7).bits, 0.5, 1) == ML_EDATA);
	CHECK(strstr(env.error, "-7, 0, 1") != NULL);
	ml_ranking_free(&env, &ranking);
}

static void
positive_label_is_the_greater(void)
{
	MlLabelPair pair = {0};
	uint32_t slot;

	CHECK(ml_label_pair_positive(&pair) == -1);
	CHECK(ml_label_pair_slot(&env, &pair, ML_LABEL_REAL, ml_label_real(5).bits, &slot) == ML_OK);
	CHECK(slot == 0 && ml_label_pair_positive(&pair) == -1);
	CHECK(ml_label_pair_slot(&env, &pair, ML_LABEL_REAL, ml_label_real(-5).bits, &slot) == ML_OK);
	CHECK(slot == 1 && ml_label_pair_positive(&pair) == 0);

	pair = (MlLabelPair){.type = ML_LABEL_INT, .n = 1, .bits = {ml_label_int(-1).bits}};
	CHECK(ml_label_pair_positive(&pair) == 1);
	pair.bits[0] = ml_label_int(1).bits;
	CHECK(ml_label_pair_positive(&pair) == 0);
	CHECK(ml_label_real(-0.0).bits == ml_label_real(0.0).bits);
	CHECK(!ml_label_valid(ML_LABEL_REAL, UINT64_C(1) << 63)); /* -0.0 */
	CHECK(!ml_label_valid(ML_LABEL_BOOL, 2));
}

static void
sort_orders_all_numbers(void)
{
	static const size_t sizes[] = {0, 1, 2, 48, 49, 300, 70000};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (int with = 0; with < 2; with++)
		{
			size_t n = sizes[s];
			uint64_t *keys = ml_alloc_array(&env, n + 1, sizeof(uint64_t));
			double *along = ml_alloc_array(&env, n + 1, sizeof(double));
			double *none = NULL;
			uint64_t x = 88172645463325252u;

			for (size_t i = 0; i < n; i++)
			{
				double value;

				/* xorshift64: all exponents, both signs; every fourth from a few values */
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				memcpy(&value, &x, sizeof(value));
				if (!isfinite(value) || i % 4 == 0)
					value = (double) (x % 5) - 2;
				keys[i] = ml_sort_key(value);
				along[i] = ml_sort_value(keys[i]);
				CHECK(along[i] == value);
			}
			CHECK(ml_radix_sort(&env, &keys, with ? &along : &none, n) == ML_OK);
			for (size_t i = 0; i < n; i++)
			{
				CHECK(i == 0 || ml_sort_value(keys[i - 1]) <= ml_sort_value(keys[i]));
				CHECK(!with || along[i] == ml_sort_value(keys[i]));
			}
			ml_free(&env, keys);
			ml_free(&env, along);
		}
}

/* ---- probabilities and numbers */

static void
losses_are_golden(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		MlProbLoss all = {0}, parts[2] = {0}, loaded;
		MlBuffer bytes, again;
		MlReader in;

		for (int i = 0; i < N_ROWS; i++)
		{
			MetricRow row = metric_row(i);
			double weight = weighted ? row.weight : 1;
			uint64_t label = ml_label_real(row.label).bits;

			CHECK(ml_prob_loss_add(&env, &all, ML_LABEL_REAL, label, row.p, weight) == ML_OK);
			CHECK(ml_prob_loss_add(&env, &parts[i % 3 == 0], ML_LABEL_REAL, label, row.p, weight) ==
				  ML_OK);
		}
		CHECK_NEAR(ml_prob_log_loss(&all), golden_metric("log_loss", weighted), TOLERANCE);
		CHECK_NEAR(ml_prob_brier(&all), golden_metric("brier", weighted), TOLERANCE);
		CHECK(ml_prob_loss_merge(&env, &parts[1], &parts[0]) == ML_OK);
		CHECK_NEAR(ml_prob_log_loss(&parts[1]), ml_prob_log_loss(&all), TOLERANCE);

		ml_buffer_init(&bytes, &env);
		ml_buffer_init(&again, &env);
		ml_prob_loss_save(&all, &bytes);
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(ml_prob_loss_load(&in, &loaded) == ML_OK && in.pos == in.len);
		ml_prob_loss_save(&loaded, &again);
		check_bytes(&bytes, &again);
		ml_buffer_free(&bytes);
		ml_buffer_free(&again);
	}
}

static void
regression_metrics_are_golden(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		MlRegressionSums parts[2] = {0}, empty = {0}, loaded;
		MlBuffer bytes;
		MlReader in;

		for (int i = 0; i < N_ROWS; i++)
		{
			MetricRow row = metric_row(i);

			ml_regression_add(&parts[i % 3 == 0], row.y, row.y_hat, weighted ? row.weight : 1);
		}
		ml_regression_merge(&parts[0], &empty);
		ml_regression_merge(&parts[0], &parts[1]);
		ml_buffer_init(&bytes, &env);
		ml_regression_save(&parts[0], &bytes);
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(ml_regression_load(&in, &loaded) == ML_OK && in.pos == in.len);
		ml_buffer_free(&bytes);
		CHECK_NEAR(ml_regression_mse(&loaded), golden_metric("mse", weighted), TOLERANCE);
		CHECK_NEAR(ml_regression_rmse(&loaded), golden_metric("rmse", weighted), TOLERANCE);
		CHECK_NEAR(ml_regression_mae(&loaded), golden_metric("mae", weighted), TOLERANCE);
		CHECK_NEAR(ml_regression_mape(&loaded), golden_metric("mape", weighted), TOLERANCE);
		CHECK_NEAR(ml_regression_r2(&loaded), golden_metric("r2", weighted), TOLERANCE);
		CHECK_NEAR(ml_regression_explained_variance(&loaded),
				   golden_metric("explained_variance", weighted), TOLERANCE);
	}
}

/* A common offset of 1e9 must not cost digits, and a constant column has no r2. */
static void
offsets_keep_their_digits(void)
{
	MlRegressionSums near = {0}, far = {0}, constant = {0}, half = {0};

	for (int i = 0; i < N_ROWS; i++)
	{
		ml_regression_add(&near, i % 10, i % 10 + i % 3, 1);
		ml_regression_add(i < 200 ? &far : &half, 1e9 + i % 10, 1e9 + i % 10 + i % 3, 1);
		ml_regression_add(&constant, 0.1, i, 1);
	}
	ml_regression_merge(&far, &half);
	CHECK_NEAR(ml_regression_r2(&far), ml_regression_r2(&near), TOLERANCE);
	CHECK_NEAR(ml_regression_explained_variance(&far), ml_regression_explained_variance(&near),
			   TOLERANCE);
	CHECK(isnan(ml_regression_r2(&constant)));
	CHECK(constant.var_y == 0);
}

/* ---- failures */

static MlStatus
merge_and_load_everything(MlEnv *e, void *arg)
{
	MlRanking ranking = {0}, other = {0}, loaded = {0};
	MlClassCounts counts = {.type = ML_LABEL_TEXT}, more = {.type = ML_LABEL_TEXT}, back = {0};
	MlRankMetrics metrics;
	MlBuffer bytes;
	MlReader in;
	MlStatus status = ML_OK;
	double value;

	(void) arg;
	ml_buffer_init(&bytes, e);
	for (int i = 0; i < 100 && status == ML_OK; i++)
	{
		MetricRow row = metric_row(i);
		char name[30];
		MlLabel label =
			ml_label_text(name, (size_t) snprintf(name, sizeof(name), "%d", row.actual));

		status = ml_ranking_add(e, i % 2 ? &ranking : &other, ML_LABEL_INT,
								ml_label_int(row.label).bits, row.p, i < 50 ? 1 : row.weight);
		if (status == ML_OK)
			status = ml_class_counts_add(e, i % 2 ? &counts : &more, &label, &label, 1);
	}
	if (status == ML_OK)
		status = ml_class_counts_set_option(e, &counts, "macro", 5);
	if (status == ML_OK)
		status = ml_class_counts_set_option(e, &more, "macro", 5);
	if (status == ML_OK)
		status = ml_ranking_merge(e, &ranking, &other);
	if (status == ML_OK)
		status = ml_ranking_metrics(e, &ranking, &metrics);
	if (status == ML_OK)
		status = ml_class_counts_merge(e, &counts, &more);
	if (status == ML_OK)
		status = ml_class_counts_rate(e, &counts, ML_F1, NULL, &value);
	ml_class_counts_save(&counts, &bytes);
	ml_ranking_save(&ranking, &bytes);
	if (status == ML_OK)
		status = bytes.status;
	ml_reader_init(&in, e, bytes.data, bytes.len);
	if (status == ML_OK)
		status = ml_class_counts_load(&in, &back);
	if (status == ML_OK)
		status = ml_ranking_load(&in, &loaded);
	ml_buffer_free(&bytes);
	ml_ranking_free(e, &ranking);
	ml_ranking_free(e, &other);
	ml_ranking_free(e, &loaded);
	ml_class_counts_free(e, &counts);
	ml_class_counts_free(e, &more);
	ml_class_counts_free(e, &back);
	return status;
}

static void
every_allocation_fails_once(void)
{
	unit_every_allocation_fails(merge_and_load_everything, NULL, 500);
}

/* Every byte of each state flipped, and every truncation: an error or a state, never more. */
static void
hostile_bytes_are_refused(void)
{
	MlRanking ranking = {0};
	MlClassCounts counts = {.type = ML_LABEL_TEXT};
	MlProbLoss loss = {0};
	MlBuffer bytes[3];

	for (int i = 0; i < 20; i++)
	{
		MetricRow row = metric_row(i);
		uint64_t label = ml_label_int(row.label).bits;

		add_class_row(&counts, ML_LABEL_TEXT, row.actual, row.predicted, 1);
		CHECK(ml_ranking_add(&env, &ranking, ML_LABEL_INT, label, row.p, row.weight) == ML_OK);
		CHECK(ml_prob_loss_add(&env, &loss, ML_LABEL_INT, label, row.p, 1) == ML_OK);
	}
	for (int k = 0; k < 3; k++)
		ml_buffer_init(&bytes[k], &env);
	ml_class_counts_save(&counts, &bytes[0]);
	ml_ranking_save(&ranking, &bytes[1]);
	ml_prob_loss_save(&loss, &bytes[2]);
	ml_class_counts_free(&env, &counts);
	ml_ranking_free(&env, &ranking);
	for (int k = 0; k < 3; k++)
	{
		for (size_t at = 0; at < 9 * bytes[k].len; at++)
		{
			size_t len = bytes[k].len, byte = at / 9;
			uint8_t flip = at % 9 == 8 ? 0 : (uint8_t) (1 << at % 9);
			MlStatus status;
			MlReader in;

			if (at % 9 == 8)
				len = byte;
			bytes[k].data[byte] ^= flip;
			ml_reader_init(&in, &env, bytes[k].data, len);
			status = k == 0   ? ml_class_counts_load(&in, &counts)
					 : k == 1 ? ml_ranking_load(&in, &ranking)
							  : ml_prob_loss_load(&in, &loss);
			CHECK(status == ML_OK || status == ML_ECORRUPT);
			CHECK(status == ML_ECORRUPT || flip != 0);
			if (k == 0)
				ml_class_counts_free(&env, &counts);
			else if (k == 1)
				ml_ranking_free(&env, &ranking);
			bytes[k].data[byte] ^= flip;
		}
		ml_buffer_free(&bytes[k]);
	}
}

int
main(void)
{
	ml_env_init(&env);
	RUN(class_metrics_are_golden);
	RUN(averages_are_golden);
	RUN(undefined_class_metrics_are_nan);
	RUN(class_counts_merge_and_travel);
	RUN(many_labels_are_found_again);
	RUN(rank_metrics_are_golden);
	RUN(weights_are_repetitions);
	RUN(edge_cases_of_ranking);
	RUN(positive_label_is_the_greater);
	RUN(sort_orders_all_numbers);
	RUN(losses_are_golden);
	RUN(regression_metrics_are_golden);
	RUN(offsets_keep_their_digits);
	RUN(every_allocation_fails_once);
	RUN(hostile_bytes_are_refused);
	ml_env_close(&env);
	return unit_end();
}
