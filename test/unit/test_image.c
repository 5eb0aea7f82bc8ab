/*
 * test_image.c
 *		Images: what is encoded is decoded, and no bytes whatever do harm.
 *
 * The checksum catches accidents. To see what the decoder does with malice, the
 * damaged images here get a right checksum.
 */
#include "image_fixture.h"

/* No hostile image may make the decoder take more than this, however it lies. */
#define DECODE_BUDGET ((size_t) 32 << 20)

typedef struct Image
{
	MlEnv env;
	MlArena arena;
	MlTrainResult result;
	uint8_t *data;
	size_t len;
} Image;

static bool
make_image(Image *image, const ImageCase *c)
{
	MlStatus status;

	memset(image, 0, sizeof *image);
	ml_env_init(&image->env);
	ml_arena_init(&image->arena, &image->env);
	status = train_image(&image->arena, c, &image->result);
	CHECK(status == ML_OK);
	if (status != ML_OK)
		printf("# %s, %u classes: %s\n", c->algo->name, c->n_classes, image->env.error);
	image->data = image->result.image.data;
	image->len = image->result.image.len;
	return status == ML_OK;
}

static void
drop_image(Image *image)
{
	ml_buffer_free(&image->result.image);
	ml_buffer_free(&image->result.info);
	ml_arena_free(&image->arena);
	ml_env_close(&image->env);
	CHECK(image->env.used == 0);
}

/* Run a check on the image of every case. */
static void
for_each_image(void (*check)(Image *image, const ImageCase *c))
{
	ImageCase cases[IMAGE_MAX_CASES];
	size_t n = image_cases(cases);

	CHECK(n > 0);
	for (size_t i = 0; i < n; i++)
	{
		Image image;

		if (make_image(&image, &cases[i]))
			check(&image, &cases[i]);
		drop_image(&image);
	}
}

/* The status of damaged bytes; checks that it is a clean one within the budget. */
static MlStatus
try_bytes(const uint8_t *data, size_t len, char *error)
{
	MlEnv env;
	MlStatus status;

	ml_env_init(&env);
	env.budget = DECODE_BUDGET;
	status = decode_and_use(&env, data, len);
	CHECK(status == ML_OK || status == ML_ECORRUPT);
	CHECK(env.used == 0);
	if (status != ML_OK && status != ML_ECORRUPT)
		printf("# status %d: %s\n", status, env.error);
	if (error)
		snprintf(error, sizeof env.error, "%s", env.error);
	return status;
}

static void
check_round_trip(Image *image, const ImageCase *c)
{
	MlModel *model, *trained = image->result.model;
	const char *info;
	size_t info_len;
	MlBuffer again;

	CHECK(ml_image_decode(&image->arena, image->data, image->len, &model) == ML_OK);
	CHECK(model->algo == c->algo && model->task == c->task && model->n_classes == c->n_classes);
	CHECK(strcmp(model->target, has_target(c) ? "delay" : "") == 0);
	CHECK(c->n_classes < 2 || strcmp(model->classes[0], "late") == 0);
	CHECK(model->schema->n_inputs == 4 && strcmp(model->schema->inputs[2].name, "origin") == 0);
	for (int which = 0; which < 20; which++)
	{
		double x[16], want[3] = {0}, got[3] = {0}, sum = 0;

		strange_row(model->schema, which, x);
		if (c->algo->predict)
		{
			ml_model_predict(trained, x, want);
			ml_model_predict(model, x, got);
		}
		CHECK(memcmp(want, got, sizeof want) == 0);
		for (uint32_t k = 0; k < c->n_classes; k++)
			sum += got[k];
		CHECK(c->n_classes == 0 || which < 3 || fabs(sum - 1) < 1e-12);
	}

	CHECK(ml_image_open(&image->arena, image->data, image->len, &model, &info, &info_len) == ML_OK);
	CHECK(model->fitted == NULL && model->algo == c->algo);
	CHECK(info_len == image->result.info.len &&
		  memcmp(info, image->result.info.data, info_len) == 0);

	/* Decoding loses nothing: what is encoded again is the same, byte for byte. */
	CHECK(ml_image_decode(&image->arena, image->data, image->len, &model) == ML_OK);
	ml_buffer_init(&again, &image->env);
	CHECK(ml_image_encode(&image->env, model, info, info_len, &again) == ML_OK);
	CHECK(again.len == image->len && memcmp(again.data, image->data, image->len) == 0);
	ml_buffer_free(&again);
}

static void
what_is_encoded_is_decoded(void)
{
	for_each_image(check_round_trip);
}

static void
check_same_bytes(Image *image, const ImageCase *c)
{
	Image other;

	if (make_image(&other, c))
		CHECK(other.len == image->len && memcmp(other.data, image->data, image->len) == 0);
	drop_image(&other);
}

static void
the_same_training_gives_the_same_bytes(void)
{
	for_each_image(check_same_bytes);
}

/* Every cut, in a block of its own length so that a read beyond it shows. */
static void
check_cuts(Image *image, const ImageCase *c)
{
	(void) c;
	for (size_t len = 0; len < image->len; len++)
	{
		uint8_t *cut = malloc(ML_MAX(len, 1));

		memcpy(cut, image->data, len);
		seal_image(cut, len);
		CHECK(try_bytes(cut, len, NULL) == ML_ECORRUPT);
		free(cut);
	}
}

static void
every_cut_is_refused(void)
{
	for_each_image(check_cuts);
}

/* One flipped bit is always found by the checksum; the writer's version, of no consequence, is before it. */
static void
check_flips(Image *image, const ImageCase *c)
{
	(void) c;
	for (size_t at = 0; at < image->len; at++)
	{
		MlStatus status;

		image->data[at] ^= (uint8_t) (1u << at % 8);
		status = try_bytes(image->data, image->len, NULL);
		CHECK(status == (at >= 12 && at < 16 ? ML_OK : ML_ECORRUPT));
		image->data[at] ^= (uint8_t) (1u << at % 8);
	}
}

static void
every_accident_is_found(void)
{
	for_each_image(check_flips);
}

/* Bytes of an image that the decoder reads: all but the facts at its end. */
static size_t
hostile_length(const Image *image)
{
	return image->len - image->result.info.len;
}

/* Each byte of each section changed in several ways, with a right checksum. */
static void
check_malice(Image *image, const ImageCase *c)
{
	static const uint8_t masks[] = {0x01, 0x10, 0x80, 0xFF};
	uint8_t *data = malloc(image->len);
	size_t refused = 0;

	(void) c;
	memcpy(data, image->data, image->len);
	for (size_t at = IMAGE_CRC_AT + 4; at < hostile_length(image); at++)
	{
		for (size_t m = 0; m < sizeof masks; m++)
		{
			data[at] ^= masks[m];
			seal_image(data, image->len);
			refused += try_bytes(data, image->len, NULL) == ML_ECORRUPT;
			data[at] = image->data[at];
		}
	}
	CHECK(refused > 0);
	free(data);
}

static void
changed_bytes_do_no_harm(void)
{
	for_each_image(check_malice);
}

/* At each place a number as a liar would choose it: counts, offsets, lengths, sizes. */
static void
check_numbers(Image *image, const ImageCase *c)
{
	static const uint64_t numbers[] = {
		0,
		UINT32_MAX,
		INT32_MAX,
		(uint64_t) 1 << 31,
		65535,
		65536,
		UINT64_MAX,
		INT64_MAX,
		0x7FF0000000000000u, /* infinity */
		0x7FF8000000000000u, /* NaN */
	};
	uint8_t *data = malloc(image->len);

	(void) c;
	memcpy(data, image->data, image->len);
	for (size_t at = IMAGE_CRC_AT + 4; at + 8 <= hostile_length(image); at++)
	{
		size_t k = at % (sizeof numbers / sizeof *numbers);
		int width = numbers[k] > UINT32_MAX ? 8 : 4;

		for (int turn = 0; turn < 2; turn++)
		{
			put_le(data + at, numbers[k], width);
			seal_image(data, image->len);
			try_bytes(data, image->len, NULL);
			memcpy(data + at, image->data + at, 8);
			k = (k + 5) % (sizeof numbers / sizeof *numbers);
			width = numbers[k] > UINT32_MAX ? 8 : 4;
		}
	}
	free(data);
}

static void
hostile_numbers_do_no_harm(void)
{
	for_each_image(check_numbers);
}

/* Several bytes at random, or a piece moved: what a fuzzer does, in small. */
static void
check_random_damage(Image *image, const ImageCase *c)
{
	uint8_t *data = malloc(image->len);
	size_t hostile = hostile_length(image) - IMAGE_CRC_AT - 4;
	MlRng rng;

	ml_rng_seed(&rng, c->n_classes, 3);
	for (int round = 0; round < 1500; round++)
	{
		size_t n = 1 + ml_rng_below(&rng, 6);

		memcpy(data, image->data, image->len);
		for (size_t i = 0; i < n; i++)
		{
			size_t at = IMAGE_CRC_AT + 4 + ml_rng_below(&rng, hostile);
			size_t from = IMAGE_CRC_AT + 4 + ml_rng_below(&rng, hostile);
			size_t len = 1 + ml_rng_below(&rng, 16);

			if (round % 2)
				data[at] = (uint8_t) ml_rng_next(&rng);
			else
				memmove(data + at, data + from, ML_MIN(len, image->len - ML_MAX(at, from)));
		}
		seal_image(data, image->len);
		try_bytes(data, image->len, NULL);
	}
	free(data);
}

static void
random_damage_does_no_harm(void)
{
	for_each_image(check_random_damage);
}

/* ---- single lies, each with its answer */

/* Byte offset of a section, by its place in the table. */
static size_t
section_at(const uint8_t *data, int section, size_t *len)
{
	size_t at = IMAGE_TABLE_AT + 4 * 12;

	for (int i = 0;; i++)
	{
		uint64_t size = 0;

		for (int b = 0; b < 8; b++)
			size |= (uint64_t) data[IMAGE_TABLE_AT + i * 12 + 4 + b] << (8 * b);
		if (i == section)
		{
			*len = size;
			return at;
		}
		at += size;
	}
}

static bool
regression_image(Image *image)
{
	return make_image(image, &(ImageCase){ml_algo_find("linear"), ML_REGRESSION, 0, NULL});
}

static void
errors_say_what_is_wrong(void)
{
	Image image;
	char error[1024];
	size_t head, len;
	uint8_t saved;

	if (!regression_image(&image))
		return;
	CHECK(try_bytes(image.data, image.len, error) == ML_OK);

	image.data[8] = 9;
	CHECK(try_bytes(image.data, image.len, error) == ML_ECORRUPT);
	CHECK(strstr(error, "format version 9, but this server reads up to 1") != NULL);
	image.data[8] = ML_IMAGE_FORMAT;

	CHECK(try_bytes((const uint8_t *) "PK\3\4 and what not else", 22, error) == ML_ECORRUPT);
	CHECK(strcmp(error, "these bytes are not a model image") == 0);
	CHECK(try_bytes(image.data, 0, error) == ML_ECORRUPT);
	CHECK(try_bytes(image.data, 19, error) == ML_ECORRUPT);
	CHECK(strstr(error, "cut off") != NULL);

	image.data[image.len - 1] ^= 1;
	CHECK(try_bytes(image.data, image.len, error) == ML_ECORRUPT);
	CHECK(strcmp(error, "model image is damaged: its checksum does not match") == 0);
	image.data[image.len - 1] ^= 1;

	head = section_at(image.data, 0, &len);
	memcpy(image.data + head + 4, "lunear", 6);
	seal_image(image.data, image.len);
	CHECK(try_bytes(image.data, image.len, error) == ML_ECORRUPT);
	CHECK(strstr(error, "algorithm \"lunear\", which this server does not have") != NULL);
	memcpy(image.data + head + 4, "linear", 6);

	saved = image.data[head + 10];
	image.data[head + 10] = ML_ANOMALY; /* a task, but not one of this algorithm */
	seal_image(image.data, image.len);
	CHECK(try_bytes(image.data, image.len, error) == ML_ECORRUPT);
	CHECK(strcmp(error, "model image is damaged: task") == 0);
	image.data[head + 10] = saved;

	image.data[image.len - 1] = 0xFF; /* the last byte of the facts */
	seal_image(image.data, image.len);
	CHECK(try_bytes(image.data, image.len, error) == ML_ECORRUPT);
	CHECK(strstr(error, "UTF-8") != NULL);
	drop_image(&image);
}

/* Put an image together anew from chosen sections; the original's tags unless tags says otherwise. */
static size_t
rebuild(const uint8_t *data, const int *order, const char *const *tags, int n, uint8_t *out)
{
	size_t at = IMAGE_TABLE_AT + (size_t) n * 12;

	memcpy(out, data, IMAGE_TABLE_AT);
	put_le(out + IMAGE_TABLE_AT - 4, (uint64_t) n, 4);
	for (int i = 0; i < n; i++)
	{
		size_t len, from = section_at(data, order[i], &len);

		memcpy(out + IMAGE_TABLE_AT + i * 12,
			   tags && tags[i] ? tags[i] : (const char *) data + IMAGE_TABLE_AT + order[i] * 12, 4);
		put_le(out + IMAGE_TABLE_AT + i * 12 + 4, len, 8);
		memcpy(out + at, data + from, len);
		at += len;
	}
	seal_image(out, at);
	return at;
}

static void
sections_may_be_moved_but_not_doubled_or_missing(void)
{
	static const char *const unknown[] = {NULL, "NEWS", NULL, NULL, NULL, NULL};
	Image image;
	uint8_t *out;
	char error[1024];

	if (!regression_image(&image))
		return;
	out = malloc(image.len * 3);
	/* An unknown section is for later releases: skipped. */
	CHECK(try_bytes(out, rebuild(image.data, (int[]){0, 3, 1, 2, 3}, unknown, 5, out), error) ==
		  ML_OK);
	CHECK(try_bytes(out, rebuild(image.data, (int[]){3, 2, 1, 0}, NULL, 4, out), error) == ML_OK);
	CHECK(try_bytes(out, rebuild(image.data, (int[]){0, 1, 2, 3, 0}, NULL, 5, out), error) ==
		  ML_ECORRUPT);
	CHECK(strstr(error, "occurs twice") != NULL);
	for (int missing = 0; missing < 4; missing++)
	{
		int order[3], n = 0;

		for (int i = 0; i < 4; i++)
		{
			if (i != missing)
				order[n++] = i;
		}
		CHECK(try_bytes(out, rebuild(image.data, order, NULL, 3, out), error) == ML_ECORRUPT);
		CHECK(strstr(error, "is missing") != NULL);
	}
	free(out);
	drop_image(&image);
}

/* A model section under the head of another algorithm or task. */
static void
models_of_others_are_refused_or_harmless(void)
{
	ImageCase cases[IMAGE_MAX_CASES];
	size_t n = image_cases(cases);
	Image *images = calloc(n, sizeof *images);

	for (size_t i = 0; i < n; i++)
		make_image(&images[i], &cases[i]);
	for (size_t i = 0; i < n; i++)
	{
		for (size_t k = 0; k < n; k++)
		{
			Image head = images[i], body = images[k];
			size_t head_len, body_len, from_head, from_body, rest;
			uint8_t *out;

			from_head = section_at(head.data, 0, &head_len);
			from_body = section_at(body.data, 0, &body_len);
			rest = body.len - from_body - body_len;
			out = malloc(body.len + head_len);
			memcpy(out, body.data, from_body);
			put_le(out + IMAGE_TABLE_AT + 4, head_len, 8);
			memcpy(out + from_body, head.data + from_head, head_len);
			memcpy(out + from_body + head_len, body.data + from_body + body_len, rest);
			seal_image(out, from_body + head_len + rest);
			CHECK(i != k || try_bytes(out, from_body + head_len + rest, NULL) == ML_OK);
			CHECK(cases[i].algo->load == cases[k].algo->load ||
				  try_bytes(out, from_body + head_len + rest, NULL) == ML_ECORRUPT);
			try_bytes(out, from_body + head_len + rest, NULL);
			free(out);
		}
	}
	for (size_t i = 0; i < n; i++)
		drop_image(&images[i]);
	free(images);
}

/* Labels as the head of a hand-made image; n_classes and n_outputs as given. */
static MlStatus
try_classes(uint32_t n_classes, uint32_t n_outputs, bool same_labels, char *error)
{
	Image image;
	MlBuffer head;
	MlStatus status = ML_ENOMEM;
	char label[16];

	if (!make_image(&image, &(ImageCase){ml_algo_find("gbdt"), ML_CLASSIFICATION, 2, NULL}))
		return ML_ENOMEM;
	ml_buffer_init(&head, &image.env);
	ml_put_text(&head, "gbdt");
	ml_put_u8(&head, ML_CLASSIFICATION);
	ml_put_text(&head, "delay");
	ml_put_u32(&head, n_classes);
	for (uint32_t k = 0; k < n_classes; k++)
	{
		snprintf(label, sizeof label, "%u", same_labels ? 1 : k);
		ml_put_text(&head, label);
	}
	ml_put_u32(&head, n_outputs);
	if (head.status == ML_OK)
	{
		size_t len, at = section_at(image.data, 0, &len), rest = image.len - at - len;
		uint8_t *out = malloc(image.len + head.len);

		memcpy(out, image.data, at);
		put_le(out + IMAGE_TABLE_AT + 4, head.len, 8);
		memcpy(out + at, head.data, head.len);
		memcpy(out + at + head.len, image.data + at + len, rest);
		seal_image(out, at + head.len + rest);
		status = try_bytes(out, at + head.len + rest, error);
		free(out);
	}
	ml_buffer_free(&head);
	drop_image(&image);
	return status;
}

static void
classes_must_fit_the_outputs(void)
{
	char error[1024];

	CHECK(try_classes(2, 1, false, error) == ML_OK);
	CHECK(try_classes(2, 2, false, error) == ML_ECORRUPT);
	CHECK(strstr(error, "number of outputs") != NULL);
	CHECK(try_classes(2, 1, true, error) == ML_ECORRUPT);
	CHECK(strstr(error, "two classes have one label") != NULL);
	CHECK(try_classes(1, 1, false, error) == ML_ECORRUPT);
	CHECK(strstr(error, "number of classes") != NULL);
	CHECK(try_classes(0, 1, false, error) == ML_ECORRUPT);
	CHECK(try_classes(ML_MAX_CLASSES + 1, ML_MAX_CLASSES + 1, false, error) == ML_ECORRUPT);
	CHECK(strstr(error, "number of classes") != NULL);
}

typedef struct Bytes
{
	const uint8_t *data;
	size_t len;
} Bytes;

static MlStatus
decode_work(MlEnv *env, void *arg)
{
	return decode_and_use(env, ((Bytes *) arg)->data, ((Bytes *) arg)->len);
}

static void
check_failing_memory(Image *image, const ImageCase *c)
{
	Bytes bytes = {image->data, image->len};

	(void) c;
	unit_every_allocation_fails(decode_work, &bytes, 1000);
}

static MlStatus
encode_work(MlEnv *env, void *arg)
{
	Image *image = arg;
	MlBuffer out;
	MlStatus status;

	ml_buffer_init(&out, env);
	status = ml_image_encode(env, image->result.model, "{}", 2, &out);
	ml_buffer_free(&out);
	return status;
}

static void
check_failing_encode(Image *image, const ImageCase *c)
{
	(void) c;
	unit_every_allocation_fails(encode_work, image, 100);
}

static void
every_allocation_may_fail(void)
{
	for_each_image(check_failing_memory);
	for_each_image(check_failing_encode);
}

int
main(void)
{
	RUN(what_is_encoded_is_decoded);
	RUN(the_same_training_gives_the_same_bytes);
	RUN(every_cut_is_refused);
	RUN(every_accident_is_found);
	RUN(changed_bytes_do_no_harm);
	RUN(hostile_numbers_do_no_harm);
	RUN(random_damage_does_no_harm);
	RUN(errors_say_what_is_wrong);
	RUN(sections_may_be_moved_but_not_doubled_or_missing);
	RUN(models_of_others_are_refused_or_harmless);
	RUN(classes_must_fit_the_outputs);
	RUN(every_allocation_may_fail);
	return unit_end();
}
