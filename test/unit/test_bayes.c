/*
 * test_bayes.c
 *		Naive Bayes through the trainer: scikit-learn's figures, parts in any order, frames, hostile states.
 */
#include "unit.h"

#include "iris.h"
#include "model/trainer.h"

#define N_ROWS 150
#define N_PROBES 5

static const int probes[N_PROBES] = {0, 60, 70, 106, 133};
static const char *const species[3] = {"setosa", "versicolor", "virginica"};

/* How the four columns of iris are read. */
typedef enum Reading
{
	AS_NUMBERS,
	AS_LEVELS, /* whole centimetres, as text */
	AS_COUNTS, /* tenths */
	MIXED      /* two numbers, a level and a boolean, some missing */
} Reading;

typedef struct Case
{
	Reading reading;
	const char *options;
	int parts; /* merged; the second of two travels, and reads its rows from the end */
	bool keep_rows, weighted;
} Case;

/* A training: its result and the probabilities of the probes. */
typedef struct Outcome
{
	double p[N_PROBES][3];
	double added[N_PROBES][3]; /* log-odds by contributions */
	double importance;
	size_t image;
} Outcome;

static double
cell(const Case *c, int i, int j)
{
	double value = iris[i * 4 + j];

	if (c->reading == AS_COUNTS)
		return round(value * 10);
	if (c->reading == MIXED && (i + j) % 13 == 5)
		return NAN;
	if (c->reading == AS_LEVELS || (c->reading == MIXED && j == 2))
		return floor(value);
	return c->reading == MIXED && j == 3 ? value > 1.3 : value;
}

static bool
is_level(const Case *c, int j)
{
	return c->reading == AS_LEVELS || (c->reading == MIXED && j == 2);
}

static MlStatus
begin(MlArena *arena, const Case *c, MlTrainer **trainer)
{
	MlTrainerSetup setup = {.options = c->options,
							.options_len = strlen(c->options),
							.target = "species",
							.target_kind = ML_TARGET_TEXT,
							.target_width = ML_WIDTH_LEVEL,
							.has_weight = c->weighted,
							.keep_rows = c->keep_rows};

	ML_TRY(ml_schema_create(arena, 4, &setup.schema));
	for (int j = 0; j < 4; j++)
	{
		MlInput *input = &setup.schema->inputs[j];
		char name[16];

		snprintf(name, sizeof name, "x%d", j + 1);
		input->name = input->type_name = ml_arena_text(arena, name, 2);
		if (!input->name)
			return ML_ENOMEM;
		input->kind = is_level(c, j) ? ML_CATEGORICAL : ML_NUMERIC;
		input->width = is_level(c, j)                  ? ML_WIDTH_LEVEL
					   : c->reading == MIXED && j == 3 ? ML_WIDTH_BOOL
													   : ML_WIDTH_FLOAT64;
		input->n_slots = 1;
	}
	ML_TRY(ml_schema_layout(setup.schema));
	return ml_trainer_create(arena, &setup, trainer);
}

static MlStatus
code_of(MlDict *dict, const char *text, double *out)
{
	uint32_t code;

	ML_TRY(ml_dict_add(dict, text, strlen(text), &code));
	*out = code;
	return ML_OK;
}

static MlStatus
add_row(MlTrainer *trainer, const Case *c, int i)
{
	double raw[6];

	for (int j = 0; j < 4; j++)
	{
		char text[16];

		raw[j] = cell(c, i, j);
		snprintf(text, sizeof text, "%g", raw[j]);
		if (is_level(c, j) && raw[j] == raw[j])
			ML_TRY(code_of(ml_trainer_schema(trainer)->inputs[j].levels, text, &raw[j]));
	}
	ML_TRY(code_of(ml_trainer_target_levels(trainer), species[i / 50], &raw[4]));
	raw[5] = 1 + i % 3;
	return ml_trainer_add(trainer, raw);
}

/* The trainer through its bytes. */
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
	if (status == ML_OK)
	{
		ml_reader_init(&in, arena->env, bytes.data, bytes.len);
		status = ml_trainer_load(&in, arena, trainer);
	}
	if (status == ML_OK)
		status = ml_reader_end(&in, "test");
	ml_buffer_free(&bytes);
	return status;
}

/* All rows: in one trainer, or shuffled over two of which one travels. */
static MlStatus
train(MlArena *arena, const Case *c, MlTrainer **trainer)
{
	MlTrainer *other;
	MlStatus status = ML_OK;

	ML_TRY(begin(arena, c, trainer));
	for (int i = 0; i < N_ROWS && status == ML_OK; i++)
	{
		if (c->parts == 1 || i % 3 != 0)
			status = add_row(*trainer, c, i);
	}
	if (status != ML_OK || c->parts == 1)
		return status;
	ML_TRY(begin(arena, c, &other));
	for (int i = N_ROWS - 1; i >= 0 && status == ML_OK; i--)
	{
		if (i % 3 == 0)
			status = add_row(other, c, i);
	}
	if (status == ML_OK)
		status = travel(arena, &other);
	if (status == ML_OK)
		status = ml_trainer_merge(*trainer, other);
	ml_trainer_free(other);
	return status;
}

/* The probes' probabilities, classes by their labels, and what the contributions add up to. */
static MlStatus
look(const MlModel *model, MlEnv *env, const Case *c, Outcome *out)
{
	for (int r = 0; r < N_PROBES; r++)
	{
		double x[4];

		for (int j = 0; j < 4; j++)
		{
			char text[16];

			x[j] = cell(c, probes[r], j);
			snprintf(text, sizeof text, "%g", x[j]);
			if (is_level(c, j) && x[j] == x[j])
				x[j] = ml_dict_find(model->schema->inputs[j].levels, text, strlen(text));
		}
		ml_model_predict(model, x, out->p[r]);
		for (uint32_t k = 0; k < 3; k++)
		{
			double part[4], base;

			CHECK(strcmp(model->classes[k], species[k]) == 0);
			ML_TRY(model->algo->contributions(env, model->fitted, x, k, part, &base));
			out->added[r][k] = base + part[0] + part[1] + part[2] + part[3];
		}
	}
	return ML_OK;
}

static MlStatus
outcome_in(MlArena *arena, const Case *c, Outcome *out)
{
	MlTrainOptions options = {0};
	MlTrainResult result;
	MlTrainer *trainer = NULL;
	MlStatus status = train(arena, c, &trainer);
	MlModel *again;

	if (status == ML_OK)
	{
		CHECK(ml_trainer_streams(trainer) == !c->keep_rows);
		status = ml_trainer_finish(trainer, arena, &options, &result);
		if (status == ML_OK)
			status = ml_image_decode(arena, result.image.data, result.image.len, &again);
		if (status == ML_OK)
		{
			out->image = result.image.len;
			status = look(again, arena->env, c, out);
		}
		ml_buffer_free(&result.image);
		ml_buffer_free(&result.info);
	}
	ml_trainer_free(trainer);
	return status;
}

static MlStatus
outcome(MlEnv *env, const Case *c, Outcome *out)
{
	MlArena arena;
	MlStatus status;

	ml_arena_init(&arena, env);
	memset(out, 0, sizeof *out);
	status = outcome_in(&arena, c, out);
	ml_arena_free(&arena);
	return status;
}

/* Streamed, in parts, and from a frame: all give these probabilities. */
static void
check_golden(Reading reading, const char *options, const double golden[N_PROBES][3])
{
	MlEnv env;
	Outcome got;

	ml_env_init(&env);
	for (int way = 0; way < 4; way++)
	{
		Case c = {reading, options, 1 + way % 2, way >= 2, false};

		CHECK(outcome(&env, &c, &got) == ML_OK);
		for (int r = 0; r < N_PROBES; r++)
			for (int k = 0; k < 3; k++)
				CHECK_NEAR(got.p[r][k], golden[r][k], 1e-9);
	}
	ml_env_close(&env);
}

/* scikit-learn 1.2: GaussianNB(); and with priors=[.6, .3, .1], var_smoothing=1e-2. */
static void
gaussian_as_scikit_learn(void)
{
	static const double plain[N_PROBES][3] = {
		{1, 1.3578426545097532e-18, 7.112835116303153e-26},
		{1.074993064785575e-41, 0.999999764931773, 2.3506822702927002e-07},
		{2.591538028250168e-130, 0.15449408494388256, 0.8455059150561174},
		{2.234637019775573e-109, 0.9735143446532974, 0.026485655346702722},
		{2.6838258262863244e-131, 0.7126451442155293, 0.2873548557844709}};
	static const double priors[N_PROBES][3] = {
		{0.9999999999999534, 4.6706873363558765e-14, 4.8634125914008635e-22},
		{7.253346295148872e-18, 0.999999014396236, 9.856037640955227e-07},
		{1.4238969421914864e-52, 0.6386804431228305, 0.3613195568771695},
		{1.0055211695970452e-43, 0.9916521504368295, 0.00834784956317049},
		{9.840785959074928e-58, 0.8355078985663492, 0.1644921014336507}};

	check_golden(AS_NUMBERS, "{\"algorithm\":\"naive_bayes\"}", plain);
	check_golden(AS_NUMBERS,
				 "{\"algorithm\":\"naive_bayes\",\"var_smoothing\":0.01,\"priors\":{\"setosa\":0.6,"
				 "\"versicolor\":0.3,\"virginica\":0.1}}",
				 priors);
}

/* scikit-learn 1.2: CategoricalNB(alpha=0.7) of the levels of floor(x). */
static void
categorical_as_scikit_learn(void)
{
	static const double golden[N_PROBES][3] = {
		{0.9999127469789714, 5.961368412773055e-05, 2.7639336901086002e-05},
		{7.645383525094367e-05, 0.9957664184494495, 0.004157127715299513},
		{0.0007911285196051757, 0.9651703372087532, 0.03403853427164173},
		{0.0002318032660751014, 0.9543706323794398, 0.045397564354485394},
		{1.5043249432270039e-06, 0.1828661479768665, 0.8171323476981902}};

	check_golden(AS_LEVELS, "{\"algorithm\":\"naive_bayes\",\"alpha\":0.7}", golden);
}

/* scikit-learn 1.2: MultinomialNB(alpha=0.3) of round(10 x). */
static void
multinomial_as_scikit_learn(void)
{
	static const double golden[N_PROBES][3] = {
		{0.9999997976385152, 2.0194153018928061e-07, 4.1995118323603175e-10},
		{3.567507336240601e-09, 0.680378630340183, 0.31962136609230396},
		{1.5192235572753335e-14, 0.44100829538536374, 0.5589917046146284},
		{9.07585058348552e-16, 0.2150368009525098, 0.7849631990474756},
		{2.4649100343273958e-14, 0.5267111349566723, 0.4732888650433013}};

	check_golden(AS_COUNTS,
				 "{\"algorithm\":\"naive_bayes\",\"alpha\":0.3,\"likelihood\":\"multinomial\"}",
				 golden);
}

/* Mixed columns with missing values and weights: parts and frames agree, and contributions add up. */
static void
parts_and_frames_agree(void)
{
	MlEnv env;
	Outcome whole, other;

	ml_env_init(&env);
	for (int way = 0; way < 4; way++)
	{
		Case c = {MIXED, "{\"algorithm\":\"naive_bayes\"}", 1 + way % 2, way >= 2, true};

		CHECK(outcome(&env, &c, way ? &other : &whole) == ML_OK);
		for (int r = 0; r < N_PROBES; r++)
		{
			double sum = 0;

			for (int k = 0; k < 3; k++)
				sum += exp(whole.added[r][k]);
			for (int k = 0; k < 3; k++)
			{
				CHECK_NEAR(whole.p[r][k], exp(whole.added[r][k]) / sum, 1e-12);
				if (way)
					CHECK_NEAR(other.p[r][k], whole.p[r][k], 1e-11);
			}
		}
	}
	ml_env_close(&env);
}

/* A column far from zero keeps its digits: variances of x + 1e8 are those of x. */
static void
offsets_lose_no_digits(void)
{
	const MlStreaming *s = ml_algo_find("naive_bayes")->streaming;
	const MlParam *tables[] = {ml_algo_find("naive_bayes")->params};
	double x[300], y[300], near[2] = {0.25, 0}, p[2];
	MlStreamInput input = {.n_features = 1, .task = ML_CLASSIFICATION};
	MlStreamEnd end = {
		.n_classes = 2, .labels = (char *const[]){"a", "b"}, .class_of = (const uint32_t[]){0, 1}};

	for (int offset = 0; offset < 2; offset++)
	{
		MlEnv env;
		MlArena arena;
		MlParams params;
		MlSchema *schema;
		MlFitReport report = {0};
		void *state, *model;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		ml_buffer_init(&report.summary, &env);
		CHECK(ml_params_parse(&arena, "test", tables, 1, NULL, &params) == ML_OK);
		CHECK(ml_schema_create(&arena, 1, &schema) == ML_OK);
		schema->inputs[0].name = schema->inputs[0].type_name = ml_arena_text(&arena, "x", 1);
		schema->inputs[0].n_slots = 1;
		schema->inputs[0].width = ML_WIDTH_FLOAT64;
		CHECK(ml_schema_layout(schema) == ML_OK);
		input.params = &params;
		input.schema = end.schema = schema;
		for (int i = 0; i < 300; i++)
		{
			y[i] = i % 2;
			x[i] = (i % 8) / 8.0 + 0.5 * y[i] + (offset ? 1e8 : 0);
		}
		CHECK(s->begin(&arena, &input, &state) == ML_OK);
		for (int i = 0; i < 300; i += 7)
			CHECK(s->accumulate(state, x + i, y + i, NULL, (size_t) ML_MIN(7, 300 - i)) == ML_OK);
		CHECK(s->finish_classes(state, &arena, &end, &report, &model) == ML_OK);
		near[1] = near[0] + (offset ? 1e8 : 0);
		ml_algo_find("naive_bayes")->predict(model, &near[1], &p[offset]);
		ml_buffer_free(&report.summary);
		ml_arena_free(&arena);
		ml_env_close(&env);
	}
	CHECK_NEAR(p[1], p[0], 1e-7);
}

static MlStatus
train_mixed(MlEnv *env, void *arg)
{
	Outcome out;

	return outcome(env, arg, &out);
}

static void
every_allocation_may_fail(void)
{
	Case stream = {MIXED, "{\"algorithm\":\"naive_bayes\"}", 2, false, true};
	Case frame = {MIXED, "{\"algorithm\":\"naive_bayes\"}", 2, true, true};

	unit_every_allocation_fails(train_mixed, &stream, 3000);
	unit_every_allocation_fails(train_mixed, &frame, 3000);
}

/* States that are cut, or changed in any one byte: an error or a training, never a crash. */
static void
hostile_states_are_borne(void)
{
	Case c = {MIXED, "{\"algorithm\":\"naive_bayes\"}", 1, false, true};
	MlEnv env;
	MlArena arena;
	MlTrainer *trainer;
	MlBuffer bytes;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&bytes, &env);
	CHECK(train(&arena, &c, &trainer) == ML_OK);
	ml_trainer_save(trainer, &bytes);
	for (size_t at = 0; at < 2 * bytes.len; at++)
	{
		MlTrainOptions options = {0};
		MlTrainResult result;
		MlArena inner;
		MlTrainer *loaded = NULL;
		MlReader in;
		bool cut = at >= bytes.len;
		uint8_t kept = cut ? 0 : bytes.data[at];

		if (!cut)
			bytes.data[at] ^= (uint8_t) (1 << at % 8);
		ml_arena_init(&inner, &env);
		ml_reader_init(&in, &env, bytes.data, cut ? at - bytes.len : bytes.len);
		if (ml_trainer_load(&in, &inner, &loaded) == ML_OK)
		{
			CHECK(!cut);
			if (ml_trainer_finish(loaded, &inner, &options, &result) == ML_OK)
				CHECK(result.image.len > 0);
			ml_buffer_free(&result.image);
			ml_buffer_free(&result.info);
			ml_trainer_free(loaded);
		}
		ml_arena_free(&inner);
		if (!cut)
			bytes.data[at] = kept;
	}
	ml_buffer_free(&bytes);
	ml_trainer_free(trainer);
	ml_arena_free(&arena);
	ml_env_close(&env);
}

int
main(void)
{
	RUN(gaussian_as_scikit_learn);
	RUN(categorical_as_scikit_learn);
	RUN(multinomial_as_scikit_learn);
	RUN(parts_and_frames_agree);
	RUN(offsets_lose_no_digits);
	RUN(every_allocation_may_fail);
	RUN(hostile_states_are_borne);
	return unit_end();
}
