/*
 * test_prep.c
 *		Recipes: fitted values against scikit-learn, out-of-fold encodings, names, bytes, what is refused.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/prep/prep.h"
#include "golden_prep.h"

#define ROWS 60
#define MAX_OUT 64

/* Columns of the fixture, the target behind them. */
enum
{
	X,
	PRICE,
	ZIP,
	AT,
	Y,
	N_COLUMNS
};

typedef enum Goal
{
	NUMBER,
	BINARY,
	THREE
} Goal;

typedef struct Fixture
{
	MlEnv *env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlDataset data;
	MlRows rows;
	MlPrepPlan *plan;
	MlPrepView view;
} Fixture;

static double
level_of(int i)
{
	return i % 11 == 5 ? NAN : (i * i + 3 * i) % 7;
}

/* The rows of test/golden/prep.py. */
static void
make_row(int i, Goal goal, double *row)
{
	double level = level_of(i), code = isnan(level) ? 7 : level;
	double number = (i * 37 % 11) / 2.0 + code;

	row[X] = i % 9 == 4 ? NAN : ((i * i * 7 + i * 3) % 41) / 4.0 - 2;
	row[PRICE] = ((i * 13) % 29) / 2.0;
	row[ZIP] = level;
	row[AT] = (i * 97.0 - 1500) * 86400e6 + 3600e6 * (i % 24);
	row[Y] = goal == NUMBER ? number : goal == BINARY ? number > 5 : (i * 5 + (int) code) % 3;
}

static MlStatus
make_schema(Fixture *f)
{
	static char *const names[] = {"x", "price", "zip", "at"};
	static const MlKind kinds[] = {ML_NUMERIC, ML_NUMERIC, ML_CATEGORICAL, ML_TIMESTAMP};

	ML_TRY(ml_schema_create(&f->arena, 4, &f->schema));
	for (int i = 0; i < 4; i++)
	{
		f->schema->inputs[i].name = f->schema->inputs[i].type_name = names[i];
		f->schema->inputs[i].kind = kinds[i];
		f->schema->inputs[i].n_slots = 1;
	}
	ML_TRY(ml_schema_layout(f->schema));
	for (uint32_t k = 0; k < 7; k++)
	{
		char text[2] = {(char) ('g' - k), 0};
		uint32_t code;

		ML_TRY(ml_dict_add(f->schema->inputs[ZIP].levels, text, 1, &code));
	}
	return ML_OK;
}

/* A frame of n rows, and the plan that the option asks for. Call tear_down whatever it returns. */
static MlStatus
set_up(Fixture *f, MlEnv *env, const char *option, Goal goal, size_t n, bool automatic)
{
	static const MlWidth widths[] = {ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL,
									 ML_WIDTH_FLOAT64, ML_WIDTH_FLOAT64};
	static char *const labels[] = {"a", "b", "c"};
	MlPrepSpec *spec;
	MlJson *json;
	double row[N_COLUMNS];

	memset(f, 0, sizeof *f);
	f->env = env;
	ml_arena_init(&f->arena, env);
	ML_TRY(make_schema(f));
	ML_TRY(ml_frame_create(env, widths, N_COLUMNS, &f->frame));
	for (size_t i = 0; i < n; i++)
	{
		make_row((int) i, goal, row);
		ML_TRY(ml_frame_append(f->frame, row));
	}
	f->rows.n = n;
	ML_TRY(ml_json_parse(&f->arena, option, strlen(option), &json));
	ML_TRY(ml_prep_spec_parse(&f->arena, json, automatic, &spec));
	ML_TRY(ml_prep_plan_create(&f->arena, spec, f->schema, true, &f->plan));
	ml_schema_seal(f->schema);
	f->data = (MlDataset){.schema = f->schema,
						  .frame = f->frame,
						  .task = goal == NUMBER ? ML_REGRESSION : ML_CLASSIFICATION,
						  .n_classes = goal == NUMBER   ? 0
									   : goal == BINARY ? 2
														: 3,
						  .target_column = Y,
						  .weight_column = -1,
						  .labels = labels};
	return f->plan ? ml_prep_fit(&f->arena, f->plan, &f->data, &f->rows, 1, &f->view) : ML_OK;
}

static void
tear_down(Fixture *f)
{
	ml_prep_view_free(&f->view);
	ml_frame_free(f->frame);
	ml_arena_free(&f->arena);
	ml_env_close(f->env);
	CHECK(f->env->used == 0);
}

/* The place of an output by its name; a failed check where there is none. */
static uint32_t
find(const Fixture *f, const char *name)
{
	const MlSchema *schema = f->view.prep->schema;

	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		if (strcmp(schema->features[j].name, name) == 0)
			return j;
	}
	printf("# no output \"%s\"\n", name);
	unit_case_failed++;
	return 0;
}

/* What the recipe makes of row i at prediction. */
static void
serve(const Fixture *f, const MlPrep *prep, int i, double *out)
{
	double raw[N_COLUMNS], features[16];

	make_row(i, NUMBER, raw);
	ml_schema_expand(f->schema, raw, features);
	ml_prep_row(prep, features, out);
}

/* n outputs of all rows, from the one of this name on, are those golden values. */
static void
check_golden(const char *option, Goal goal, const char *name, const double *golden, uint32_t n,
			 double tolerance)
{
	Fixture f;
	MlEnv env;
	double out[MAX_OUT];

	ml_env_init(&env);
	CHECK(set_up(&f, &env, option, goal, ROWS, false) == ML_OK);
	for (int i = 0; i < ROWS; i++)
	{
		uint32_t first = find(&f, name);

		serve(&f, f.view.prep, i, out);
		for (uint32_t k = 0; k < n; k++)
			CHECK_NEAR(out[first + k], golden[(size_t) i * n + k], tolerance);
	}
	tear_down(&f);
}

static void
numbers_agree_with_scikit_learn(void)
{
	check_golden("{\"x\": {\"impute\": \"mean\", \"scale\": \"standard\"}}", NUMBER, "x",
				 golden_mean_standard, 1, 1e-14);
	check_golden("{\"x\": {\"impute\": \"median\", \"scale\": \"minmax\"}}", NUMBER, "x",
				 golden_median_minmax, 1, 1e-14);
	check_golden("{\"x\": {\"impute\": \"mode\", \"scale\": \"robust\"}}", NUMBER, "x",
				 golden_mode_robust, 1, 1e-14);
	check_golden("{\"x\": {\"clip\": [0.1, 0.9], \"impute\": \"mean\"}}", NUMBER, "x", golden_clip,
				 1, 1e-14);
	check_golden("{\"x\": {\"impute\": \"median\", \"power\": \"yeo_johnson\", \"scale\": "
				 "\"standard\"}}",
				 NUMBER, "x", golden_yeo_johnson, 1, 1e-6);
	check_golden("{\"price\": {\"bins\": 4}}", NUMBER, "price (bin)", golden_bins_quantile, 1, 0);
	check_golden("{\"price\": {\"bins\": {\"method\": \"uniform\", \"n\": 5}}}", NUMBER,
				 "price (bin)", golden_bins_uniform, 1, 0);
	check_golden("{\"price\": {\"polynomial\": 3}}", NUMBER, "price", golden_powers, 3, 1e-14);
}

static void
targets_agree_with_scikit_learn(void)
{
	check_golden("{\"zip\": {\"encode\": \"target\"}}", NUMBER, "zip (target)", golden_target_auto,
				 1, 1e-13);
	check_golden("{\"zip\": {\"encode\": \"target\", \"smoothing\": 10}}", NUMBER, "zip (target)",
				 golden_target_10, 1, 1e-13);
	check_golden("{\"zip\": {\"encode\": \"target\"}}", BINARY, "zip (target)",
				 golden_target_binary, 1, 1e-13);
	check_golden("{\"zip\": {\"encode\": \"target\", \"smoothing\": 2}}", THREE, "zip (target=a)",
				 golden_target_three, 3, 1e-13);
}

static void
parts_of_dates_agree_with_the_calendar(void)
{
	const char *option = "{\"at\": {\"dates\": [\"week\", \"doy\", \"quarter\"]}}";

	check_golden(option, NUMBER, "at.week", golden_week, 1, 0);
	check_golden(option, NUMBER, "at.doy", golden_doy, 1, 0);
	check_golden(option, NUMBER, "at.quarter", golden_quarter, 1, 0);
}

/* The encoding of a level from the rows of the other folds, in the plainest way. */
static double
encode_without(const Fixture *f, double level, int fold)
{
	double n = 0, sum = 0, all = 0, n_all = 0;

	for (int i = 0; i < ROWS; i++)
	{
		double row[N_COLUMNS];

		make_row(i, NUMBER, row);
		if (f->view.fold[i] == fold)
			continue;
		n_all++;
		all += row[Y];
		if (row[ZIP] == level || (isnan(level) && isnan(row[ZIP])))
		{
			n++;
			sum += row[Y];
		}
	}
	return n == 0 ? all / n_all : (sum + 10 * all / n_all) / (n + 10);
}

static void
training_rows_are_encoded_out_of_fold(void)
{
	Fixture f;
	MlEnv env;
	double out[ROWS];
	uint32_t at;
	int rows[6] = {0};

	ml_env_init(&env);
	CHECK(set_up(&f, &env, "{\"zip\": {\"encode\": \"target\", \"smoothing\": 10}}", NUMBER, ROWS,
				 false) == ML_OK);
	at = find(&f, "zip (target)");
	ml_prep_view_feature(&f.view, at, &f.rows, 0, ROWS, out);
	for (int i = 0; i < ROWS; i++)
	{
		CHECK(f.view.fold[i] >= 1 && f.view.fold[i] <= 5);
		rows[f.view.fold[i]]++;
		CHECK_NEAR(out[i], encode_without(&f, level_of(i), f.view.fold[i]), 1e-13);
	}
	for (int fold = 1; fold <= 5; fold++)
		CHECK(rows[fold] == ROWS / 5);
	tear_down(&f);
}

/* A row that was not trained on is encoded by all that were. */
static void
other_rows_are_encoded_by_all(void)
{
	Fixture f;
	MlEnv env;
	double out[ROWS], served[MAX_OUT];
	uint32_t at, index[ROWS / 2];

	ml_env_init(&env);
	CHECK(set_up(&f, &env, "{\"zip\": {\"encode\": \"target\"}}", NUMBER, ROWS, false) == ML_OK);
	ml_prep_view_free(&f.view);
	for (uint32_t i = 0; i < ROWS / 2; i++)
		index[i] = 2 * i;
	f.rows = (MlRows){index, ROWS / 2};
	CHECK(ml_prep_fit(&f.arena, f.plan, &f.data, &f.rows, 1, &f.view) == ML_OK);
	at = find(&f, "zip (target)");
	ml_prep_view_feature(&f.view, at, &(MlRows){NULL, ROWS}, 0, ROWS, out);
	for (int i = 1; i < ROWS; i += 2)
	{
		serve(&f, f.view.prep, i, served);
		CHECK(out[i] == served[at]);
	}
	tear_down(&f);
}

/* Everything at once; the target encoding is left out where rows of training and prediction are compared. */
static const char everything[] =
	"{\"*\": {\"indicator\": true}, \"x\": {\"clip\": {\"min\": -1}, \"impute\": \"median\", "
	"\"power\": "
	"\"log1p\", \"scale\": \"robust\", \"polynomial\": 2, \"products\": [\"price\"]}, \"zip\": "
	"{\"encode\": \"one_hot\", \"top\": 3}, \"at\": {\"dates\": [\"year\", \"month\", \"week\", "
	"\"hour\"], \"cyclic\": true, \"scale\": \"minmax\"}}";

static void
outputs_are_named(void)
{
	static const char *const names[] = {
		"x",           "x^2",           "x is missing", "price",          "price is missing",
		"zip=c",       "zip=g",         "zip=b",        "zip is missing", "zip is missing",
		"at.year",     "at is missing", "at.month_sin", "at.month_cos",   "at.week_sin",
		"at.week_cos", "at.hour_sin",   "at.hour_cos",  "x * price"};
	Fixture f;
	MlEnv env;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, everything, NUMBER, ROWS, false) == ML_OK);
	CHECK(f.view.prep->schema->n_features == sizeof names / sizeof *names);
	for (uint32_t j = 0; j < f.view.prep->schema->n_features; j++)
	{
		const char *name = f.view.prep->schema->features[j].name;

		if (j >= sizeof names / sizeof *names || strcmp(name, names[j]) != 0)
		{
			printf("# output %u is \"%s\"\n", j, name);
			unit_case_failed++;
		}
	}
	tear_down(&f);
}

static void
training_and_prediction_see_the_same(void)
{
	static const char *const options[] = {
		everything, "{}", "{\"price\": {\"bins\": [3, 5.5], \"encode\": \"none\"}}",
		"{\"price\": {\"bins\": 3, \"encode\": \"one_hot\"}, \"zip\": {\"encode\": \"frequency\"}}",
		"{\"zip\": {\"impute\": \"constant\", \"fill\": \"other\", \"encode\": \"ordinal\"}}"};

	for (size_t o = 0; o < sizeof options / sizeof *options; o++)
	{
		Fixture f;
		MlEnv env;
		double block[ROWS * MAX_OUT], column[ROWS], served[MAX_OUT];
		uint32_t n;

		ml_env_init(&env);
		CHECK(set_up(&f, &env, options[o], NUMBER, ROWS, strcmp(options[o], "{}") == 0) == ML_OK);
		n = f.view.prep->schema->n_features;
		CHECK(n <= MAX_OUT);
		ml_prep_view_block(&f.view, &f.rows, 0, ROWS, block);
		for (uint32_t j = 0; j < n; j++)
		{
			ml_prep_view_feature(&f.view, j, &f.rows, 0, ROWS, column);
			for (int i = 0; i < ROWS; i++)
			{
				serve(&f, f.view.prep, i, served);
				CHECK(memcmp(&column[i], &block[i * n + j], sizeof(double)) == 0 ||
					  (isnan(column[i]) && isnan(block[i * n + j])));
				CHECK(column[i] == served[j] || (isnan(column[i]) && isnan(served[j])));
			}
		}
		tear_down(&f);
	}
}

/* Missing and unseen values have their place in every form. */
static void
strange_values_have_a_place(void)
{
	Fixture f;
	MlEnv env;
	double out[MAX_OUT], features[9] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};

	ml_env_init(&env);
	CHECK(
		set_up(
			&f, &env,
			"{\"x\": {\"power\": \"log\", \"indicator\": true}, \"zip\": {\"encode\": \"target\"}, "
			"\"price\": {\"bins\": [5], \"encode\": \"one_hot\"}}",
			NUMBER, ROWS, false) == ML_OK);
	ml_prep_row(f.view.prep, features, out);
	CHECK(isnan(out[find(&f, "x")]) && out[find(&f, "x is missing")] == 1);
	CHECK(out[find(&f, "price=<5")] == 0 && out[find(&f, "price=>=5")] == 0);
	features[X] = -3; /* has no logarithm */
	features[ZIP] = ML_UNSEEN;
	features[PRICE] = INFINITY;
	ml_prep_row(f.view.prep, features, out);
	CHECK(isnan(out[find(&f, "x")]) && out[find(&f, "x is missing")] == 1);
	CHECK(out[find(&f, "price=>=5")] == 1);
	CHECK(isfinite(out[find(&f, "zip (target)")]));
	features[ZIP] = 1e300;
	ml_prep_row(f.view.prep, features, out);
	CHECK(isfinite(out[find(&f, "zip (target)")]));
	tear_down(&f);
}

/* Loaded bytes do the same and save as the same. */
static void
recipes_travel(void)
{
	static const Goal goals[] = {NUMBER, THREE};

	for (int g = 0; g < 2; g++)
	{
		Fixture f;
		MlEnv env;
		MlBuffer bytes, again;
		MlReader in;
		MlPrep *loaded = NULL;
		double a[MAX_OUT], b[MAX_OUT];

		ml_env_init(&env);
		CHECK(set_up(&f, &env,
					 g == 0 ? everything
							: "{\"zip\": {\"encode\": \"target\"}, \"price\": {\"bins\": 4}}",
					 goals[g], ROWS, false) == ML_OK);
		ml_buffer_init(&bytes, &env);
		ml_buffer_init(&again, &env);
		ml_prep_save(f.view.prep, &bytes);
		ml_reader_init(&in, &env, bytes.data, bytes.len);
		CHECK(ml_prep_load(&in, &f.arena, f.schema, &loaded) == ML_OK);
		CHECK(ml_reader_end(&in, "recipe") == ML_OK);
		ml_prep_save(loaded, &again);
		CHECK(again.len == bytes.len && memcmp(again.data, bytes.data, bytes.len) == 0);
		for (int i = 0; i < ROWS; i++)
		{
			serve(&f, f.view.prep, i, a);
			serve(&f, loaded, i, b);
			CHECK(memcmp(a, b, loaded->schema->n_features * sizeof(double)) == 0);
		}
		ml_buffer_free(&bytes);
		ml_buffer_free(&again);
		tear_down(&f);
	}
}

/* Load damaged bytes, and use what comes of them. */
static void
load_and_use(const Fixture *f, const uint8_t *data, size_t len)
{
	MlArena arena;
	MlReader in;
	MlPrep *prep;
	MlStatus status;
	double *out;

	ml_arena_init(&arena, f->env);
	ml_reader_init(&in, f->env, data, len);
	status = ml_prep_load(&in, &arena, f->schema, &prep);
	CHECK(status == ML_OK || status == ML_ECORRUPT || status == ML_ENOMEM);
	if (status == ML_OK)
	{
		out = ml_arena_array(&arena, prep->schema->n_features, sizeof(double));
		for (int i = 0; i < ROWS && out; i++)
			serve(f, prep, i, out);
	}
	ml_arena_free(&arena);
}

static void
hostile_bytes_do_no_harm(void)
{
	Fixture f;
	MlEnv env;
	MlBuffer bytes;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, everything, NUMBER, ROWS, false) == ML_OK);
	ml_buffer_init(&bytes, &env);
	ml_prep_save(f.view.prep, &bytes);
	for (size_t i = 0; i < bytes.len; i++)
	{
		uint8_t was = bytes.data[i];

		load_and_use(&f, bytes.data, i);
		for (int bit = 0; bit < 8; bit++)
		{
			bytes.data[i] = was ^ (uint8_t) (1 << bit);
			load_and_use(&f, bytes.data, bytes.len);
		}
		bytes.data[i] = 0xff;
		load_and_use(&f, bytes.data, bytes.len);
		bytes.data[i] = was;
	}
	ml_buffer_free(&bytes);
	tear_down(&f);
}

static MlStatus
fit_once(MlEnv *env, void *option)
{
	Fixture f;
	MlStatus status = set_up(&f, env, option, NUMBER, ROWS, false);

	tear_down(&f);
	return status;
}

static void
allocations_may_fail(void)
{
	unit_every_allocation_fails(fit_once, (void *) everything, 1000);
	unit_every_allocation_fails(fit_once, "{\"zip\": {\"encode\": \"target\"}}", 1000);
}

/* The same rows give the same recipe whatever the number of threads. */
static void
threads_change_nothing(void)
{
	MlBuffer bytes[2];
	MlEnv envs[2];

	for (int t = 0; t < 2; t++)
	{
		Fixture f;
		MlEnv env;

		ml_env_init(&env);
		env.n_threads = 1 + 2 * t;
		ml_env_init(&envs[t]);
		ml_buffer_init(&bytes[t], &envs[t]);
		CHECK(set_up(&f, &env, everything, NUMBER, 5000, false) == ML_OK);
		ml_prep_save(f.view.prep, &bytes[t]);
		tear_down(&f);
	}
	CHECK(bytes[0].len == bytes[1].len && memcmp(bytes[0].data, bytes[1].data, bytes[0].len) == 0);
	for (int t = 0; t < 2; t++)
		ml_buffer_free(&bytes[t]);
}

/* A column without a value, of one value, of one row. */
static void
poor_columns_are_prepared(void)
{
	Fixture f;
	MlEnv env;
	double out[MAX_OUT];

	ml_env_init(&env);
	CHECK(set_up(&f, &env,
				 "{\"*\": {\"impute\": \"median\", \"scale\": \"robust\", \"clip\": [0, 1]}, "
				 "\"zip\": {\"encode\": \"target\"}}",
				 NUMBER, 1, false) == ML_OK);
	serve(&f, f.view.prep, 0, out);
	for (uint32_t j = 0; j < f.view.prep->schema->n_features; j++)
		CHECK(isfinite(out[j]));
	CHECK(out[find(&f, "price")] == 0);
	tear_down(&f);
}

static void
mistakes_are_named(void)
{
	static const char *const cases[][2] = {
		{"{\"zip\": {\"scale\": \"standard\"}}", "column \"zip\" has levels"},
		{"{\"price\": {\"bins\": 3, \"scale\": \"robust\"}}", "column \"price\" is cut into bins"},
		{"{\"price\": {\"encode\": \"one_hot\"}}", "column \"price\" has numbers, not levels"},
		{"{\"at\": {\"clip\": [0, 1]}}", "column \"at\" is a date"},
		{"{\"price\": {\"dates\": [\"year\"]}}", "column \"price\" is not a date"},
		{"{\"at\": {\"dates\": [\"yaer\"]}}", "no part \"yaer\""},
		{"{\"price\": {\"clip\": [0.9, 0.1]}}", "needs two quantiles"},
		{"{\"price\": {\"impute\": \"constant\"}}", "no constant"},
		{"{\"price\": {\"fill\": 3}}", "not imputed by a constant"},
		{"{\"zip\": {\"impute\": \"mean\"}}", "no mean or median"},
		{"{\"zip\": {\"top\": 3}}", "not encoded by one_hot"},
		{"{\"zip\": {\"smoothing\": 3}}", "not encoded by target"},
		{"{\"zip\": {\"encode\": \"target\", \"smoothing\": -3}}", "needs a number of rows"},
		{"{\"price\": {\"bins\": [3, 2]}}", "ascending"},
		{"{\"price\": {\"bins\": 1}}", "number of bins"},
		{"{\"price\": {\"products\": [\"zip\"]}}", "cannot be multiplied with \"zip\""},
		{"{\"price\": {\"products\": [\"price\"]}}", "multiplied with itself"},
		{"{\"prise\": {\"bins\": 3}}", "names column \"prise\""},
		{"{\"price\": {\"bin\": 3}}", "bin"},
		{"{\"price\": 3}", "must be an object"},
		{"[]", "must be an object"},
		{"{\"*\": {\"as\": \"categorical\"}}", "cannot be said of all columns"},
		{"{\"zip\": {\"encode\": \"ordinal\", \"order\": [\"Z\"]}}", "none of these levels"},
		{"{\"price\": {\"power\": \"log\", \"impute\": \"constant\", \"fill\": 0}}", "not defined"},
	};

	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
	{
		Fixture f;
		MlEnv env;
		MlStatus status;

		ml_env_init(&env);
		status = set_up(&f, &env, cases[c][0], NUMBER, ROWS, false);
		if (status != ML_EINVAL || !strstr(env.error, cases[c][1]))
		{
			printf("# %s: %d %s\n", cases[c][0], status, env.error);
			unit_case_failed++;
		}
		tear_down(&f);
	}
}

static void
infinite_values_are_refused_or_clipped(void)
{
	Fixture f;
	MlEnv env;
	double row[N_COLUMNS] = {INFINITY, 1, 0, 0, 0};

	ml_env_init(&env);
	CHECK(set_up(&f, &env, "{\"x\": {\"scale\": \"standard\"}}", NUMBER, ROWS, false) == ML_OK);
	ml_prep_view_free(&f.view);
	CHECK(ml_frame_append(f.frame, row) == ML_OK);
	f.rows.n++;
	CHECK(ml_prep_fit(&f.arena, f.plan, &f.data, &f.rows, 1, &f.view) == ML_EDATA);
	CHECK(strstr(env.error, "infinite") && strstr(env.error, "\"x\""));
	tear_down(&f);
	ml_env_init(&env);
	CHECK(set_up(&f, &env, "{\"x\": {\"scale\": \"standard\", \"clip\": {\"max\": 9}}}", NUMBER,
				 ROWS, false) == ML_OK);
	ml_prep_view_free(&f.view);
	CHECK(ml_frame_append(f.frame, row) == ML_OK);
	f.rows.n++;
	CHECK(ml_prep_fit(&f.arena, f.plan, &f.data, &f.rows, 1, &f.view) == ML_OK);
	tear_down(&f);
}

/* A quantile between two infinities is none. */
static void
nothing_is_between_infinities(void)
{
	static const char *const options[] = {"{\"x\": {\"clip\": [0.5, 1]}}",
										  "{\"x\": {\"impute\": \"median\"}}"};

	for (int o = 0; o < 2; o++)
	{
		Fixture f;
		MlEnv env;

		ml_env_init(&env);
		CHECK(set_up(&f, &env, options[o], NUMBER, 0, false) == ML_OK);
		ml_prep_view_free(&f.view);
		for (int i = 0; i < 2; i++)
			CHECK(ml_frame_append(f.frame, (double[N_COLUMNS]){i ? INFINITY : -INFINITY}) == ML_OK);
		f.rows.n = 2;
		CHECK(ml_prep_fit(&f.arena, f.plan, &f.data, &f.rows, 1, &f.view) == ML_EDATA);
		tear_down(&f);
	}
}

/* Nothing is asked: there is no plan, and algorithms see the columns as they are. */
static void
nothing_asked_is_no_plan(void)
{
	Fixture f;
	MlEnv env;

	ml_env_init(&env);
	CHECK(set_up(&f, &env, "{}", NUMBER, ROWS, false) == ML_OK && !f.plan);
	tear_down(&f);
	ml_env_init(&env);
	CHECK(set_up(&f, &env, "{\"zip\": {\"as\": \"categorical\"}}", NUMBER, ROWS, false) == ML_OK &&
		  !f.plan);
	tear_down(&f);
}

int
main(void)
{
	RUN(numbers_agree_with_scikit_learn);
	RUN(targets_agree_with_scikit_learn);
	RUN(parts_of_dates_agree_with_the_calendar);
	RUN(training_rows_are_encoded_out_of_fold);
	RUN(other_rows_are_encoded_by_all);
	RUN(outputs_are_named);
	RUN(training_and_prediction_see_the_same);
	RUN(strange_values_have_a_place);
	RUN(recipes_travel);
	RUN(hostile_bytes_do_no_harm);
	RUN(allocations_may_fail);
	RUN(threads_change_nothing);
	RUN(poor_columns_are_prepared);
	RUN(mistakes_are_named);
	RUN(infinite_values_are_refused_or_clipped);
	RUN(nothing_is_between_infinities);
	RUN(nothing_asked_is_no_plan);
	return unit_end();
}
