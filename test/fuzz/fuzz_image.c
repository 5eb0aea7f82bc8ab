/*
 * fuzz_image.c
 *		Hostile images: decode any bytes, and use what comes out.
 */
#include "fuzzer.h"
#include "image_fixture.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	MlEnv env;
	MlStatus status;

	ml_env_init(&env);
	env.budget = FUZZ_BUDGET;
	status = decode_and_use(&env, data, len);
	if ((status != ML_OK && status != ML_ECORRUPT && status != ML_ENOMEM) || env.used != 0 ||
		!ml_utf8_valid(env.error, strlen(env.error)))
		abort();
	return 0;
}

static void
repair(uint8_t *data, size_t len)
{
	seal_image(data, len);
}

#ifdef FUZZ_STANDALONE

/* One image per algorithm and task. */
static int
write_seeds(const char *directory)
{
	ImageCase cases[IMAGE_MAX_CASES];
	size_t n = image_cases(cases);
	int failed = 0;

	for (size_t i = 0; i < n; i++)
	{
		MlEnv env;
		MlArena arena;
		MlTrainResult result;
		char name[100];

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		if (train_image(&arena, &cases[i], &result) != ML_OK)
		{
			fprintf(stderr, "%s: %s\n", cases[i].algo->name, env.error);
			return 1;
		}
		snprintf(name, sizeof name, "%s_%s_%u_%zu", cases[i].algo->name,
				 ml_task_name(cases[i].task), cases[i].n_classes, i);
		failed += write_seed(directory, name, result.image.data, result.image.len);
		ml_buffer_free(&result.image);
		ml_buffer_free(&result.info);
		ml_arena_free(&arena);
		ml_env_close(&env);
	}
	return failed != 0;
}

#endif /* FUZZ_STANDALONE */
