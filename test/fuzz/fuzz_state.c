/*
 * fuzz_state.c
 *		Hostile states: load any bytes as the state of an aggregate, merge, add, finish.
 *
 * A user can write any bytes as a value of the type for states. The first byte here says which kind;
 * the envelope with its checksum belongs to the server's side and is left out.
 */
#include "core/comatrix.h"
#include "data/summary.h"
#include "fuzzer.h"
#include "image_fixture.h"
#include "metric/class_counts.h"
#include "metric/labelled_points.h"
#include "metric/prob_loss.h"
#include "metric/ranking.h"
#include "metric/regression_sums.h"

enum
{
	TRAINER,
	CLASS_COUNTS,
	RANKING,
	PROB_LOSS,
	REGRESSION,
	POINTS,
	SUMMARY,
	COMATRIX,
	N_KINDS
};

/* A state may ask for a hundred thousand trees; a user would cancel, and so do we. */
#define POLLS 200

static bool
impatient(void *ctx)
{
	return ++*(int *) ctx > POLLS;
}

/* Rows in a loaded trainer's own layout. */
static MlStatus
add_strange_rows(MlTrainer *trainer)
{
	uint32_t n = ml_trainer_schema(trainer)->n_slots;
	double *raw = calloc((size_t) n + 2, sizeof *raw);
	MlStatus status = raw ? ML_OK : ML_ENOMEM;

	for (int row = 0; row < 3 && status == ML_OK; row++)
	{
		for (uint32_t j = 0; j < n; j++)
			raw[j] = row == 0 ? NAN : ML_UNSEEN;
		raw[n] = ml_trainer_target_kind(trainer) == ML_TARGET_TEXT ? NAN : row % 2;
		raw[n + 1] = 1;
		status = ml_trainer_add(trainer, raw);
	}
	free(raw);
	return status;
}

static MlStatus
use_trainer(MlEnv *env, MlArena *arena, MlReader *in)
{
	MlReader again = *in;
	MlTrainer *trainer, *other;
	MlTrainResult result;
	MlStatus status;

	ML_TRY(ml_trainer_load(in, arena, &trainer));
	status = ml_reader_end(in, "state");
	if (status == ML_OK)
		status = ml_trainer_load(&again, arena, &other);
	if (status == ML_OK)
	{
		status = ml_trainer_merge(trainer, other);
		ml_trainer_free(other);
	}
	if (status == ML_OK)
		status = add_strange_rows(trainer);
	if (status == ML_OK)
	{
		status = ml_trainer_finish(trainer, arena, &(MlTrainOptions){.holdout = 0.3}, &result);
		if (status == ML_OK)
			status = decode_and_use(env, result.image.data, result.image.len);
		ml_buffer_free(&result.image);
		ml_buffer_free(&result.info);
	}
	ml_trainer_free(trainer);
	return status;
}

static MlStatus
use_class_counts(MlEnv *env, MlReader *in)
{
	MlClassCounts counts = {0}, sum = {0};
	MlClassTotals totals;
	double value;
	MlStatus status = ml_class_counts_load(in, &counts);

	sum.type = counts.type;
	if (status == ML_OK)
		status = ml_class_counts_merge(env, &sum, &counts);
	if (status == ML_OK)
		status = ml_class_counts_rate(env, &sum, ML_PRECISION, NULL, &value);
	if (status == ML_OK && (status = ml_class_counts_totals(env, &sum, &totals)) == ML_OK)
		ml_class_totals_free(env, &totals);
	ml_class_counts_free(env, &sum);
	ml_class_counts_free(env, &counts);
	return status;
}

static MlStatus
use_ranking(MlEnv *env, MlReader *in)
{
	MlRanking ranking = {0}, sum = {0};
	MlRankMetrics metrics;
	MlStatus status = ml_ranking_load(in, &ranking);

	if (status == ML_OK)
		status = ml_ranking_merge(env, &sum, &ranking);
	if (status == ML_OK)
		status = ml_ranking_metrics(env, &sum, &metrics);
	ml_ranking_free(env, &sum);
	ml_ranking_free(env, &ranking);
	return status;
}

static MlStatus
use_points(MlEnv *env, MlReader *in)
{
	MlLabelledPoints points = {0}, sum = {0};
	double x[16] = {0}, value;
	MlStatus status = ml_points_load(in, env, &points);

	if (status == ML_OK)
		status = ml_points_merge(&sum, env, &points);
	if (status == ML_OK && points.width <= 16)
		status = ml_points_add(&sum, env, 1, x, points.width, 1);
	if (status == ML_OK)
		status = ml_points_silhouette(&sum, env, &value);
	ml_points_free(&sum, env);
	ml_points_free(&points, env);
	return status;
}

static MlStatus
use_summary(MlEnv *env, MlReader *in)
{
	MlReader again = *in;
	MlSummary summary = {0}, other = {0};
	MlQuartiles quartiles;
	volatile double value = 0;
	bool known;
	double v;
	MlStatus status = ml_summary_load(in, &summary);

	if (status == ML_OK)
		status = ml_summary_load(&again, &other);
	if (status == ML_OK)
		status = ml_summary_merge(&summary, &other);
	if (status == ML_OK)
		status = ml_summary_add_key(&summary, 12345, 1, &known);
	if (status == ML_OK)
		status = ml_summary_quartiles(&summary, &quartiles);
	if (status == ML_OK)
		status = ml_groups_cramers_v(&summary.by_target, &v);
	if (status == ML_OK)
		value = (double) ml_summary_distinct(&summary) + ml_groups_eta(&summary.by_target);
	(void) value;
	(void) env;
	ml_summary_free(&other);
	ml_summary_free(&summary);
	return status;
}

static MlStatus
use_comatrix(MlReader *in)
{
	MlReader again = *in;
	MlComatrix matrix = {.env = in->env}, other = {.env = in->env};
	double row[16] = {0};
	volatile double value = 0;
	uint64_t n;
	MlStatus status = ml_comatrix_load(in, &matrix);

	if (status == ML_OK)
		status = ml_comatrix_load(&again, &other);
	if (status == ML_OK)
		status = ml_comatrix_merge(&matrix, &other);
	if (status == ML_OK && matrix.p <= 16)
		status = ml_comatrix_add(&matrix, row);
	if (status == ML_OK)
		status = ml_comatrix_flush(&matrix);
	if (status == ML_OK)
		value = ml_comatrix_correlation(&matrix, 0, matrix.p - 1, &n);
	(void) value;
	ml_comatrix_free(&other);
	ml_comatrix_free(&matrix);
	return status;
}

static MlStatus
use_sums(MlEnv *env, MlReader *in, int kind)
{
	MlProbLoss loss = {0}, twice = {0};
	MlRegressionSums sums, other = {0};
	volatile double value; /* nonsense in, nonsense out: only that it ends matters */

	if (kind == PROB_LOSS)
	{
		ML_TRY(ml_prob_loss_load(in, &loss));
		ML_TRY(ml_prob_loss_merge(env, &twice, &loss));
		value = ml_prob_brier(&twice) + ml_prob_log_loss(&twice);
	}
	else
	{
		ML_TRY(ml_regression_load(in, &sums));
		ml_regression_merge(&other, &sums);
		ml_regression_add(&other, 1, 2, 1);
		value = ml_regression_r2(&other) + ml_regression_mape(&other);
	}
	(void) value;
	return ML_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int polls = 0;
	MlEnv env;
	MlArena arena;
	MlReader in;
	MlStatus status;

	if (len == 0)
		return 0;
	ml_env_init(&env);
	env.budget = FUZZ_BUDGET;
	env.canceled = impatient;
	env.ctx = &polls;
	ml_arena_init(&arena, &env);
	ml_reader_init(&in, &env, data + 1, len - 1);
	if (data[0] % N_KINDS == TRAINER)
		status = use_trainer(&env, &arena, &in);
	else if (data[0] % N_KINDS == CLASS_COUNTS)
		status = use_class_counts(&env, &in);
	else if (data[0] % N_KINDS == RANKING)
		status = use_ranking(&env, &in);
	else if (data[0] % N_KINDS == POINTS)
		status = use_points(&env, &in);
	else if (data[0] % N_KINDS == SUMMARY)
		status = use_summary(&env, &in);
	else if (data[0] % N_KINDS == COMATRIX)
		status = use_comatrix(&in);
	else
		status = use_sums(&env, &in, data[0] % N_KINDS);
	ml_arena_free(&arena);
	ml_env_close(&env);
	if (env.used != 0 || (status != ML_OK && status != ML_ENOMEM && env.error[0] == '\0'))
		abort();
	return 0;
}

static void
repair(uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
}

#ifdef FUZZ_STANDALONE

/* A summary that has gone over to sketches, or a matrix with missing values. */
static void
put_profile(MlEnv *env, int kind, MlBuffer *out)
{
	MlSummary summary;
	MlComatrix matrix;

	if (ml_summary_init(&summary, env, ML_SUMMARY_FLOAT, 10, 100) != ML_OK ||
		ml_comatrix_init(&matrix, env, 4) != ML_OK)
		exit(1);
	for (int i = 0; i < 3000; i++)
	{
		uint64_t key = ml_double_to_key(i * 7919 % 1009);
		double row[4] = {i, i % 7, i % 5 ? i % 3 : NAN, i % 11};

		if (ml_summary_add_keys(&summary, &key, 1) != ML_OK ||
			ml_groups_add(&summary.by_target, (uint64_t) i % 9, (uint64_t) i % 4, i) != ML_OK ||
			ml_comatrix_add(&matrix, row) != ML_OK)
			exit(1);
	}
	if (ml_comatrix_flush(&matrix) != ML_OK)
		exit(1);
	if (kind == SUMMARY)
		ml_summary_save(&summary, out);
	else
		ml_comatrix_save(&matrix, out);
	ml_summary_free(&summary);
	ml_comatrix_free(&matrix);
}

/* A state of each metric after some rows. */
static void
put_metric(MlEnv *env, int kind, MlBuffer *out)
{
	MlClassCounts counts = {.type = ML_LABEL_TEXT};
	MlRanking ranking = {0};
	MlProbLoss loss = {0};
	MlRegressionSums sums = {0};
	MlLabelledPoints points = {0};
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < 30; i++)
	{
		MlLabel actual = ml_label_text(&"abcd"[ml_rng_below(&rng, 4)], 1);
		MlLabel predicted = ml_label_text(&"abcd"[ml_rng_below(&rng, 4)], 1);
		uint64_t label = ml_rng_below(&rng, 2);
		double p = ml_rng_uniform(&rng), weight = i < 20 ? 1 : p;

		ml_class_counts_add(env, &counts, &actual, &predicted, weight);
		ml_ranking_add(env, &ranking, ML_LABEL_INT, label, p, weight);
		ml_prob_loss_add(env, &loss, ML_LABEL_BOOL, label, p, weight);
		ml_regression_add(&sums, p, p * p, weight);
		ml_points_add(&points, env, label, (double[]){p, i % 3}, 2, 1);
	}
	if (kind == CLASS_COUNTS)
		ml_class_counts_save(&counts, out);
	else if (kind == RANKING)
		ml_ranking_save(&ranking, out);
	else if (kind == PROB_LOSS)
		ml_prob_loss_save(&loss, out);
	else if (kind == POINTS)
		ml_points_save(&points, out);
	else
		ml_regression_save(&sums, out);
	ml_class_counts_free(env, &counts);
	ml_ranking_free(env, &ranking);
	ml_points_free(&points, env);
}

/* A trainer with rows: streaming where the algorithm and the columns allow it. */
static MlStatus
put_trainer(MlArena *arena, const ImageCase *c, bool numbers_only, MlBuffer *out)
{
	char options[400];
	ImageCase numbers = *c;
	MlTrainerSetup setup = {.options = options};
	MlTrainer *trainer;
	MlStatus status = ML_OK;

	if (c->more && strstr(c->more, "\"prep\"")) /* it names columns */
		numbers.more = ",\"prep\":{\"v\":{\"impute\":\"median\",\"scale\":\"robust\"}}";
	image_target(c, &setup);
	image_options(numbers_only ? &numbers : c, options, sizeof options);
	setup.options_len = strlen(options);
	if (numbers_only)
	{
		ML_TRY(ml_schema_create(arena, 1, &setup.schema));
		fill_input(arena, &setup.schema->inputs[0], "v", ML_BLOCK, 3);
		ML_TRY(ml_schema_layout(setup.schema));
	}
	else
		ML_TRY(image_schema(arena, &setup.schema));
	ML_TRY(ml_trainer_create(arena, &setup, &trainer));
	if (!numbers_only)
		status = add_image_rows(trainer, c);
	for (int i = 0; numbers_only && i < 40 && status == ML_OK; i++)
		status = ml_trainer_add(trainer, (double[]){i, i * i, i % 3, i + i % 5});
	if (status == ML_OK)
		ml_trainer_save(trainer, out);
	ml_trainer_free(trainer);
	return status == ML_OK ? out->status : status;
}

/* Kind and bytes of seed i: every case with all kinds of columns, every case with numbers only, the metrics. */
static bool
put_seed(MlArena *arena, size_t i, MlBuffer *out)
{
	ImageCase cases[IMAGE_MAX_CASES];
	size_t n = image_cases(cases);

	if (i >= 2 * n)
	{
		int kind = (int) (i - 2 * n) + 1;

		if (kind == N_KINDS)
			return false;
		ml_put_u8(out, (uint8_t) kind);
		if (kind == SUMMARY || kind == COMATRIX)
			put_profile(arena->env, kind, out);
		else
			put_metric(arena->env, kind, out);
		return true;
	}
	ml_put_u8(out, TRAINER);
	if (put_trainer(arena, &cases[i % n], i >= n, out) != ML_OK)
	{
		fprintf(stderr, "seed %zu, %s: %s\n", i, cases[i % n].algo->name, arena->env->error);
		exit(1);
	}
	return true;
}

static int
write_seeds(const char *directory)
{
	int failed = 0;
	bool more = true;

	for (size_t i = 0; more; i++)
	{
		MlEnv env;
		MlArena arena;
		MlBuffer out;
		char name[100];

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		ml_buffer_init(&out, &env);
		more = put_seed(&arena, i, &out);
		snprintf(name, sizeof name, "state_%zu", i);
		if (more)
			failed += write_seed(directory, name, out.data, out.len);
		ml_buffer_free(&out);
		ml_arena_free(&arena);
		ml_env_close(&env);
	}
	return failed != 0;
}

#endif /* FUZZ_STANDALONE */
