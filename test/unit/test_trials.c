/*
 * test_trials.c
 *		Trials on folds, with toy algorithms: scores, ranks, failures, budgets of time and memory, cancel.
 */
#include <stdatomic.h>
#include <time.h>

#include "core/pool.h"
#include "model/trials.h"
#include "unit.h"

#define MAX_TRIALS 12

/* ---- toy algorithms: predict x + shift; a row is (x, y = x) ---- */

enum
{
	SHIFT,
	SECONDS,
	KILOBYTES
};

static const MlParam toy_params[] = {{"shift", ML_PARAM_REAL, "0", -1e9, 1e9, NULL, ""},
									 {"seconds", ML_PARAM_REAL, "0", 0, 1e9, NULL, ""},
									 {"kilobytes", ML_PARAM_INT, "0", 0, 1e9, NULL, ""},
									 {NULL, 0, NULL, 0, 0, NULL, NULL}};

/* Work for some time, polling; hold some memory. */
static MlStatus
toy_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	double end = ml_seconds() + ml_param_real(input->params, SECONDS);
	double *shift = ml_arena_alloc(arena, sizeof *shift);
	void *held = ml_alloc(env, (size_t) ml_param_int(input->params, KILOBYTES) * 1024 + 1);
	MlStatus status = ML_OK;

	if (!shift || !held)
		status = ML_ENOMEM;
	while (status == ML_OK && ml_seconds() < end)
	{
		nanosleep(&(struct timespec){0, 1000000}, NULL);
		status = ml_poll(env);
	}
	ml_free(env, held);
	ML_TRY(status);
	ml_put_format(&report->summary, "\"rows\":%zu", input->train.n);
	*shift = ml_param_real(input->params, SHIFT);
	*model = shift;
	return report->summary.status;
}

static void
toy_predict(const void *model, const double *x, double *out)
{
	out[0] = x[0] + *(const double *) model;
}

/* Fails from a shift of 10 on. */
static MlStatus
broken_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	if (ml_param_real(input->params, SHIFT) >= 10)
	{
		ml_fail(env, ML_EDATA, "the shift is too large");
		ml_hint(env, "Shift less.");
		return ML_EDATA;
	}
	return toy_fit(env, arena, input, report, model);
}

static const MlAlgo toy = {
	.name = "toy", .params = toy_params, .fit = toy_fit, .predict = toy_predict};
static const MlAlgo broken = {
	.name = "broken", .params = toy_params, .fit = broken_fit, .predict = toy_predict};

/* ---- the fixture ---- */

typedef struct Fixture
{
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlDataset data;
	MlModel model;
	MlFolds folds;
	MlTrialsInput input;
	MlTrial trials[MAX_TRIALS], *best;
} Fixture;

static MlStatus
make_schema(Fixture *f)
{
	ML_TRY(ml_schema_create(&f->arena, 1, &f->schema));
	f->schema->inputs[0].name = ml_arena_text(&f->arena, "x", 1);
	f->schema->inputs[0].type_name = ml_arena_text(&f->arena, "float8", 6);
	f->schema->inputs[0].width = ML_WIDTH_FLOAT64;
	f->schema->inputs[0].n_slots = 1;
	return f->schema->inputs[0].name && f->schema->inputs[0].type_name ? ml_schema_layout(f->schema)
																	   : ML_ENOMEM;
}

/* n rows, n_folds folds. */
static MlStatus
set_up(Fixture *f, MlEnv *env, size_t n, uint32_t n_folds)
{
	static const MlWidth widths[2] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64};
	MlSplitInput split = {.rows = {NULL, n}, .group_column = -1, .order_column = -1};

	*f = (Fixture){.env = env};
	ml_arena_init(&f->arena, env);
	ML_TRY(make_schema(f));
	ML_TRY(ml_frame_create(env, widths, 2, &f->frame));
	for (size_t i = 0; i < n; i++)
	{
		double row[2] = {(double) i, (double) i};

		ML_TRY(ml_frame_append(f->frame, row));
	}
	f->data = (MlDataset){
		.schema = f->schema, .frame = f->frame, .target_column = 1, .weight_column = -1};
	f->model = (MlModel){.n_outputs = 1, .schema = f->schema, .threshold = 0.5};
	split.data = &f->data;
	ML_TRY(ml_folds_create(&f->arena, &split, n_folds, &f->folds));
	f->input = (MlTrialsInput){
		.model = &f->model,
		.data = &f->data,
		.folds = &f->folds,
		.metric = "rmse",
		.time_budget = INFINITY,
		.factor = 3,
	};
	return ML_OK;
}

static void
tear_down(Fixture *f)
{
	if (f->frame)
		ml_frame_free(f->frame);
	ml_arena_free(&f->arena);
}

static MlStatus
set_trial(Fixture *f, size_t i, const MlAlgo *algo, const char *params)
{
	const MlParam *table = toy_params;
	MlJson *json;

	f->trials[i].algo = algo;
	ML_TRY(ml_json_parse(&f->arena, params, strlen(params), &json));
	return ml_params_parse(&f->arena, algo->name, &table, 1, json, &f->trials[i].params);
}

static MlStatus
run(Fixture *f, size_t n)
{
	return ml_trials_run(&f->arena, &f->input, f->trials, n, &f->best);
}

/* ---- cases ---- */

/* Scores, ranks and what failed do not depend on the number of threads. */
static void
scores_and_ranks(void)
{
	for (int threads = 1; threads <= 4; threads++)
	{
		MlEnv env;
		Fixture f;

		ml_env_init(&env);
		env.n_threads = threads;
		CHECK(set_up(&f, &env, 100, 4) == ML_OK);
		set_trial(&f, 0, &toy, "{\"shift\": 3}");
		set_trial(&f, 1, &broken, "{\"shift\": 10}");
		set_trial(&f, 2, &toy, "{\"shift\": -1}");
		set_trial(&f, 3, &broken, "{\"shift\": 1}");
		CHECK(run(&f, 4) == ML_OK);
		CHECK(f.best == &f.trials[2]); /* a tie: the first */
		CHECK(f.trials[2].rank == 1 && f.trials[3].rank == 2 && f.trials[0].rank == 3);
		CHECK(f.trials[2].chosen && !f.trials[3].chosen);
		CHECK(f.trials[0].score == 3 && f.trials[0].stddev == 0);
		CHECK(f.trials[0].fold_scores[3] == 3 && f.trials[0].share == 1);
		CHECK(f.trials[0].error == NULL && f.trials[0].seconds > 0);
		CHECK(isnan(f.trials[1].score) && f.trials[1].rank == 0);
		CHECK(f.trials[1].error &&
			  strcmp(f.trials[1].error, "fold 1: the shift is too large") == 0);
		tear_down(&f);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

static void
all_fail(void)
{
	for (int threads = 1; threads <= 2; threads++)
	{
		MlEnv env;
		Fixture f;

		ml_env_init(&env);
		env.n_threads = threads;
		CHECK(set_up(&f, &env, 100, 4) == ML_OK);
		set_trial(&f, 0, &broken, "{\"shift\": 10}");
		set_trial(&f, 1, &broken, "{\"shift\": 11}");
		CHECK(run(&f, 2) == ML_EDATA);
		CHECK(strcmp(env.error, "fold 1: the shift is too large") == 0);
		CHECK(strcmp(env.hint, "Shift less.") == 0);
		tear_down(&f);
		ml_env_close(&env);
	}
}

/* The standard deviation is that of a sample; a fold where the metric is not defined is left out. */
static void
statistics(void)
{
	uint32_t train[2] = {0, 1}, valid[2] = {2, 3};
	MlEnv env;
	Fixture f;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 4, 2) == ML_OK);
	f.input.folds = NULL;
	f.input.train = (MlRows){train, 2};
	f.input.valid = (MlRows){valid, 2};
	set_trial(&f, 0, &toy, "{\"shift\": 2}");
	CHECK(run(&f, 1) == ML_OK);
	CHECK(f.trials[0].score == 2 && isnan(f.trials[0].stddev));
	tear_down(&f);
	CHECK(env.used == 0);
}

/* The slow one is ended; the first is completed whatever the time; one that can't follows a failed first. */
static void
time_budget(void)
{
	for (int threads = 1; threads <= 2; threads++)
	{
		MlEnv env;
		Fixture f;
		double begin = ml_seconds();

		ml_env_init(&env);
		env.n_threads = threads;
		CHECK(set_up(&f, &env, 100, 2) == ML_OK);
		f.input.time_budget = 0.1;
		set_trial(&f, 0, &toy, "{\"shift\": 3}");
		set_trial(&f, 1, &toy, "{\"shift\": 1, \"seconds\": 100}");
		set_trial(&f, 2, &toy, "{\"shift\": 2, \"seconds\": 100}");
		CHECK(run(&f, 3) == ML_OK);
		CHECK(f.best == &f.trials[0]);
		CHECK(f.trials[1].error &&
			  strcmp(f.trials[1].error, "the time budget was used up before it was done") == 0);
		CHECK(f.trials[2].error && f.trials[2].rank == 0);

		set_trial(&f, 0, &toy, "{\"shift\": 3, \"seconds\": 0.1}");
		f.input.time_budget = 0.02;
		CHECK(run(&f, 3) == ML_OK);
		CHECK(f.best == &f.trials[0] && f.trials[0].score == 3);

		set_trial(&f, 0, &broken, "{\"shift\": 10}");
		set_trial(&f, 1, &toy, "{\"shift\": 1, \"seconds\": 0.1}");
		f.input.time_budget = 0.001;
		CHECK(run(&f, 3) == ML_OK);
		CHECK(f.best == &f.trials[1]);
		CHECK(ml_seconds() - begin < 20);
		tear_down(&f);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* From some time on the user has canceled; only the caller's thread may ask. */
typedef struct Cancel
{
	double at;
	atomic_int asked_at_once;
} Cancel;

static bool
canceled(void *ctx)
{
	Cancel *cancel = ctx;
	bool result = ml_seconds() > cancel->at;

	CHECK(atomic_fetch_add(&cancel->asked_at_once, 1) == 0);
	atomic_fetch_sub(&cancel->asked_at_once, 1);
	return result;
}

/* Whichever thread the slow fits are on, also while the caller only waits. */
static void
cancel(void)
{
	static const char *const slow = "{\"seconds\": 100}", *const fast = "{}";

	for (int way = 0; way < 3; way++)
	{
		MlEnv env;
		Fixture f;
		Cancel cancel = {.at = ml_seconds() + 1e9};

		ml_env_init(&env);
		env.n_threads = way == 0 ? 1 : 2;
		CHECK(set_up(&f, &env, 100, 2) == ML_OK);
		env.canceled = canceled;
		env.ctx = &cancel;
		set_trial(&f, 0, &toy, way == 2 ? fast : slow);
		set_trial(&f, 1, &toy, slow);
		cancel.at = ml_seconds() + 0.03;
		CHECK(run(&f, 2) == ML_ECANCELED);
		CHECK(strcmp(env.error, "canceled on request") == 0);
		CHECK(ml_seconds() - cancel.at < 5);
		env.canceled = NULL;
		tear_down(&f);
		ml_env_close(&env);
		CHECK(env.used == 0);
	}
}

/* Side by side a fit has a share of the budget; what needs more gets all of it afterwards. */
static void
memory_budget(void)
{
	MlEnv env;
	Fixture f;

	ml_env_init(&env);
	env.n_threads = 2;
	CHECK(set_up(&f, &env, 100, 2) == ML_OK);
	CHECK(ml_pool_size(ml_env_pool(&env)) == 2);
	env.budget = env.used + 1024 * 1024;
	set_trial(&f, 0, &toy, "{\"shift\": 2, \"kilobytes\": 100}");
	set_trial(&f, 1, &toy, "{\"shift\": 1, \"kilobytes\": 700}");
	set_trial(&f, 2, &toy, "{\"shift\": 0, \"kilobytes\": 2000}");
	CHECK(run(&f, 3) == ML_OK);
	CHECK(f.best == &f.trials[1]);
	CHECK(f.trials[2].error && strstr(f.trials[2].error, "memory budget"));
	tear_down(&f);
	ml_env_close(&env);
	CHECK(env.used == 0);
}

/* Nine trials, one of three goes on: 9 on a ninth of the rows, 3 on a third, 1 on all. */
static void
halving(void)
{
	MlEnv env;
	Fixture f;
	char params[64];
	int n_ninth = 0, n_third = 0, n_all = 0;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, 5000, 2) == ML_OK);
	f.input.halving = true;
	for (int i = 0; i < 9; i++)
	{
		snprintf(params, sizeof params, "{\"shift\": %d}", 1 + (i * 5) % 9);
		set_trial(&f, (size_t) i, &toy, params);
	}
	CHECK(run(&f, 9) == ML_OK);
	for (int i = 0; i < 9; i++)
	{
		double share = f.trials[i].share;

		n_ninth += fabs(share - 1.0 / 9) < 1e-12;
		n_third += fabs(share - 1.0 / 3) < 1e-12;
		n_all += share == 1;
		CHECK(f.trials[i].score == 1 + (i * 5) % 9);
		CHECK(f.trials[i].rank == (uint32_t) f.trials[i].score);
	}
	CHECK(n_ninth == 6 && n_third == 2 && n_all == 1);
	CHECK(f.best == &f.trials[0]);
	tear_down(&f);
	CHECK(set_up(&f, &env, 600, 2) == ML_OK); /* too few rows for a round of fewer */
	f.input.halving = true;
	for (size_t i = 0; i < 9; i++)
		set_trial(&f, i, &toy, "{}");
	CHECK(run(&f, 9) == ML_OK);
	CHECK(f.trials[8].share == 1);
	tear_down(&f);
	CHECK(env.used == 0);
}

static MlStatus
some_trials(MlEnv *env, void *arg)
{
	Fixture f;
	MlStatus status = set_up(&f, env, 60, 3);

	(void) arg;
	if (status == ML_OK)
		status = set_trial(&f, 0, &toy, "{\"shift\": 1}");
	if (status == ML_OK)
		status = run(&f, 1);
	tear_down(&f);
	return status;
}

static void
allocations_fail(void)
{
	unit_every_allocation_fails(some_trials, NULL, 1000);
}

int
main(void)
{
	RUN(scores_and_ranks);
	RUN(all_fail);
	RUN(statistics);
	RUN(time_budget);
	RUN(cancel);
	RUN(memory_budget);
	RUN(halving);
	RUN(allocations_fail);
	return unit_end();
}
