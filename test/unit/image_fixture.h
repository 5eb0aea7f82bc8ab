/*
 * image_fixture.h
 *		Small images of every algorithm and task, and everything that can be done with a decoded one.
 */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include "core/rng.h"
#include "model/trainer.h"
#include "unit.h"

#define IMAGE_ROWS 200
#define IMAGE_MAX_CASES 64
#define IMAGE_CRC_AT 16   /* the checksum; it covers all that follows it */
#define IMAGE_TABLE_AT 24 /* tags and lengths */

/* An image to make: an algorithm, and the number of classes (0: not a classification). */
typedef struct ImageCase
{
	const MlAlgo *algo;
	MlTask task;
	uint32_t n_classes;
	const char *more; /* options: a comma and members, or NULL */
} ImageCase;

static inline bool
has_target(const ImageCase *c)
{
	return (ML_TASK_BIT(c->task) & ML_TASKS_WITH_TARGET) != 0;
}

/* What the target of a case is. */
static inline void
image_target(const ImageCase *c, MlTrainerSetup *setup)
{
	setup->target = has_target(c) ? "delay" : "";
	setup->target_kind = c->n_classes > 0 ? ML_TARGET_TEXT
						 : has_target(c)  ? ML_TARGET_NUMBER
										  : ML_TARGET_NONE;
	setup->target_width = c->n_classes > 0 ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
}

static inline void
fill_input(MlArena *arena, MlInput *input, const char *name, MlKind kind, uint32_t n_slots)
{
	input->name = ml_arena_text(arena, name, strlen(name));
	input->type_name = ml_arena_text(arena, "test", 4);
	input->kind = kind;
	input->width = kind == ML_CATEGORICAL ? ML_WIDTH_LEVEL : ML_WIDTH_FLOAT64;
	input->n_slots = n_slots;
}

/* A number, a date, a categorical column, a block of two. */
static inline MlStatus
image_schema(MlArena *arena, MlSchema **schema)
{
	ML_TRY(ml_schema_create(arena, 4, schema));
	fill_input(arena, &(*schema)->inputs[0], "distance", ML_NUMERIC, 1);
	fill_input(arena, &(*schema)->inputs[1], "departs", ML_DATE, 1);
	fill_input(arena, &(*schema)->inputs[2], "origin", ML_CATEGORICAL, 1);
	fill_input(arena, &(*schema)->inputs[3], "weather", ML_BLOCK, 2);
	for (int i = 0; i < 4; i++)
	{
		if (!(*schema)->inputs[i].name || !(*schema)->inputs[i].type_name)
			return ML_ENOMEM;
	}
	return ml_schema_layout(*schema);
}

static inline bool
has_param(const MlAlgo *algo, const char *name)
{
	for (const MlParam *param = algo->params; param->name; param++)
	{
		if (strcmp(param->name, name) == 0)
			return true;
	}
	return false;
}

/* The options of a training that gives a small image. */
static inline void
image_options(const ImageCase *c, char *out, size_t size)
{
	snprintf(out, size, "{\"algorithm\":\"%s\",\"task\":\"%s\"%s%s%s%s%s}", c->algo->name,
			 ml_task_name(c->task), has_param(c->algo, "n_trees") ? ",\"n_trees\":3" : "",
			 has_param(c->algo, "max_leaves") ? ",\"max_leaves\":5" : "",
			 has_param(c->algo, "min_leaf_rows") ? ",\"min_leaf_rows\":5" : "",
			 has_param(c->algo, "hidden") ? ",\"hidden\":[4,3],\"max_iter\":3" : "",
			 c->more ? c->more : "");
}

static inline MlStatus
add_image_rows(MlTrainer *trainer, const ImageCase *c)
{
	static const char *const origins[] = {"ATL", "JFK", "LAX", "M\xC3\xBC\x6E"};
	static const char *const labels[] = {"late", "on time", "never"};
	MlDict *levels = ml_trainer_schema(trainer)->inputs[2].levels;
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	for (int i = 0; i < IMAGE_ROWS; i++)
	{
		uint32_t origin = (uint32_t) ml_rng_below(&rng, 4), code;
		double raw[6] = {ml_rng_uniform(&rng) * 1000, (double) i * 86400e6, 0,
						 ml_rng_normal(&rng),         ml_rng_normal(&rng),  0};
		double y = raw[0] / 500 + origin + raw[3] + 0.2 * ml_rng_normal(&rng);

		ML_TRY(ml_dict_add(levels, origins[origin], strlen(origins[origin]), &code));
		raw[2] = i % 20 == 0 ? NAN : code;
		if (i % 15 == 0)
			raw[0] = NAN;
		raw[5] = y;
		if (c->n_classes > 0)
		{
			uint32_t k = y < 2.2 ? 0 : c->n_classes == 2 || y < 3.2 ? 1 : 2;

			ML_TRY(ml_dict_add(ml_trainer_target_levels(trainer), labels[k], strlen(labels[k]),
							   &code));
			raw[5] = code;
		}
		ML_TRY(ml_trainer_add(trainer, raw));
	}
	return ML_OK;
}

/* Train, and leave the image in result->image. */
static inline MlStatus
train_image(MlArena *arena, const ImageCase *c, MlTrainResult *result)
{
	char options[400];
	MlTrainerSetup setup = {.options = options};
	MlTrainer *trainer;
	MlStatus status;

	image_target(c, &setup);
	image_options(c, options, sizeof options);
	setup.options_len = strlen(options);
	ML_TRY(image_schema(arena, &setup.schema));
	ML_TRY(ml_trainer_create(arena, &setup, &trainer));
	status = add_image_rows(trainer, c);
	if (status == ML_OK)
		status = ml_trainer_finish(trainer, arena, &(MlTrainOptions){0}, result);
	ml_trainer_free(trainer);
	return status;
}

/* All algorithms and tasks, two classes and three, two that decide, and some that prepare; returns how many. */
static inline size_t
image_cases(ImageCase cases[IMAGE_MAX_CASES])
{
	static const char *const deciding[] = {",\"calibration\":\"isotonic\",\"threshold\":\"f1\"",
										   ",\"calibration\":\"platt\""};
	static const char *const preparing[] = {
		",\"prep\":{\"distance\":{\"impute\":\"median\",\"indicator\":true,\"clip\":[0.05,0.95],"
		"\"power\":\"log1p\",\"scale\":\"robust\",\"polynomial\":2},\"origin\":{\"encode\":"
		"\"target\"},\"departs\":{\"dates\":[\"month\",\"week\"],\"cyclic\":true}}",
		",\"prep\":{\"distance\":{\"bins\":3,\"encode\":\"none\"},\"origin\":{\"encode\":"
		"\"one_hot\",\"top\":2}}"};
	size_t n = 0;

	for (const MlAlgo *const *algo = ml_algorithms; *algo; algo++)
	{
		for (int task = ML_REGRESSION; task <= ML_DECOMPOSITION; task++)
		{
			bool classes = task == ML_CLASSIFICATION;

			for (uint32_t k = 2; ((*algo)->tasks & ML_TASK_BIT(task)) && k <= 2u + classes; k++)
			{
				if (n == IMAGE_MAX_CASES)
					abort();
				cases[n++] = (ImageCase){*algo, (MlTask) task, classes ? k : 0, NULL};
			}
		}
	}
	for (uint32_t k = 2; k <= 3 && n < IMAGE_MAX_CASES; k++)
		cases[n++] = (ImageCase){ml_algo_find("logistic"), ML_CLASSIFICATION, k, deciding[k - 2]};
	if (n + 2 > IMAGE_MAX_CASES)
		abort();
	cases[n++] = (ImageCase){ml_algo_find("logistic"), ML_CLASSIFICATION, 3, preparing[0]};
	cases[n++] = (ImageCase){ml_algo_find("tree"), ML_REGRESSION, 0, preparing[1]};
	return n;
}

static inline void
put_le(uint8_t *out, uint64_t value, int n)
{
	for (int i = 0; i < n; i++)
		out[i] = (uint8_t) (value >> (8 * i));
}

/* Give an image the checksum of its bytes. */
static inline void
seal_image(uint8_t *image, size_t len)
{
	if (len >= IMAGE_CRC_AT + 4)
		put_le(image + IMAGE_CRC_AT, ml_crc32c(image + IMAGE_CRC_AT + 4, len - IMAGE_CRC_AT - 4),
			   4);
}

static inline MlStatus
count_coefficient(void *arg, const MlCoefficient *row)
{
	*(size_t *) arg += strlen(row->feature) + 1;
	return ML_OK;
}

static inline MlStatus
count_node(void *arg, const MlNode *node)
{
	for (uint32_t i = 0; i < node->n_levels; i++)
		*(size_t *) arg += node->levels[i];
	return ML_OK;
}

/* The strange rows: all missing, nothing seen in training, infinite, random. */
static inline void
strange_row(const MlSchema *schema, int which, double *x)
{
	MlRng rng;

	ml_rng_seed(&rng, (uint64_t) which, 7);
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		const MlFeature *feature = &schema->features[j];

		if (which == 0)
			x[j] = NAN;
		else if (feature->categorical)
			x[j] = which == 1 || feature->n_levels == 0
					   ? ML_UNSEEN
					   : (double) ml_rng_below(&rng, feature->n_levels);
		else
			x[j] = which == 1 ? INFINITY : which == 2 ? -1e308 : ml_rng_normal(&rng) * 100;
	}
}

/* Do everything that a model can be asked for. Results may be nonsense; memory must be whole. */
static inline MlStatus
exercise_model(MlEnv *env, const MlModel *model)
{
	const MlSchema *features = ml_model_features(model);
	size_t n_features = features->n_features, seen = 0;
	double *row = ml_zalloc_array(env, model->schema->n_features, sizeof *row);
	double *x = ml_zalloc_array(env, n_features * 2, sizeof *x);
	double *probs = ml_zalloc_array(env, ML_MAX(model->n_classes, model->n_outputs), sizeof *probs);
	MlStatus status = row && x && probs ? ML_OK : ML_ENOMEM;
	size_t n_components = model->algo->transform ? model->algo->n_components(model->fitted) : 0;
	double *place = ml_zalloc_array(env, n_components + 1, sizeof *place);
	double base;

	if (!place)
		status = ML_ENOMEM;
	for (int which = 0; which < 6 && status == ML_OK; which++)
	{
		strange_row(model->schema, which, row);
		if (model->prep)
			ml_prep_row(model->prep, row, x);
		else
			memcpy(x, row, n_features * sizeof *x);
		if (model->algo->predict)
			ml_model_predict(model, x, probs);
		if (model->algo->transform)
			model->algo->transform(model->fitted, x, place);
		if (model->algo->contributions)
			status = model->algo->contributions(env, model->fitted, x, model->n_outputs - 1,
												x + n_features, &base);
	}
	if (status == ML_OK && model->algo->importance)
		model->algo->importance(model->fitted, x);
	if (status == ML_OK && model->algo->nodes)
		status = model->algo->nodes(env, model->fitted, features, count_node, &seen);
	if (status == ML_OK && model->algo->coefficients)
		status = model->algo->coefficients(env, model->fitted, features, count_coefficient, &seen);
	ml_free(env, row);
	ml_free(env, x);
	ml_free(env, probs);
	ml_free(env, place);
	return status;
}

/* Decode bytes and use what comes out. Anything but a clean status is the caller's to judge. */
static inline MlStatus
decode_and_use(MlEnv *env, const uint8_t *data, size_t len)
{
	MlArena arena;
	MlModel *model;
	MlStatus status;
	const char *info;
	size_t info_len;

	ml_arena_init(&arena, env);
	status = ml_image_open(&arena, data, len, &model, &info, &info_len);
	if (status == ML_OK)
		status = ml_image_decode(&arena, data, len, &model);
	if (status == ML_OK)
		status = exercise_model(env, model);
	ml_arena_free(&arena);
	return status;
}

#endif /* IMAGE_FIXTURE_H */
