/*
 * fuzz_image.c
 *		Hostile images: decode any bytes, and use what comes out.
 *
 * With clang's libFuzzer (make fuzz) the mutator gives each image a right
 * checksum, so that it gets past the first door. Without it (FUZZ_STANDALONE,
 * make fuzz-corpus) a main of our own writes seeds, runs over files, and
 * damages each of them at random some times:
 *
 *		fuzz_image seeds DIRECTORY
 *		fuzz_image run ROUNDS FILE...
 */
#include "image_fixture.h"

/* What a backend would give it; running out of it is a clean answer. */
#define BUDGET ((size_t) 64 << 20)

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	MlEnv env;
	MlStatus status;

	ml_env_init(&env);
	env.budget = BUDGET;
	status = decode_and_use(&env, data, len);
	if ((status != ML_OK && status != ML_ECORRUPT && status != ML_ENOMEM) || env.used != 0 ||
		!ml_utf8_valid(env.error, strlen(env.error)))
		abort();
	return 0;
}

#ifndef FUZZ_STANDALONE

extern size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max_len);
extern size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max_len, unsigned seed);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max_len, unsigned seed)
{
	(void) seed;
	len = LLVMFuzzerMutate(data, len, max_len);
	seal_image(data, len);
	return len;
}

#else

/* One image per algorithm and task. */
static int
write_seeds(const char *directory)
{
	ImageCase cases[32];
	size_t n = image_cases(cases, 32);

	for (size_t i = 0; i < n; i++)
	{
		MlEnv env;
		MlArena arena;
		MlTrainResult result;
		char path[4096];
		FILE *file;
		bool written;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		if (train_image(&arena, &cases[i], &result) != ML_OK)
		{
			fprintf(stderr, "%s: %s\n", cases[i].algo->name, env.error);
			return 1;
		}
		snprintf(path, sizeof path, "%s/%s_%s_%u", directory, cases[i].algo->name,
				 ml_task_name(cases[i].task), cases[i].n_classes);
		file = fopen(path, "wb");
		written = file && fwrite(result.image.data, 1, result.image.len, file) == result.image.len;
		if (!file || fclose(file) != 0 || !written)
		{
			perror(path);
			return 1;
		}
		ml_buffer_free(&result.image);
		ml_buffer_free(&result.info);
		ml_arena_free(&arena);
		ml_env_close(&env);
	}
	return 0;
}

/* The bytes of a file, in a block of their own length; NULL: message printed. */
static uint8_t *
read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
	uint8_t *data = size >= 0 ? malloc((size_t) size + (size == 0)) : NULL;

	if (data)
	{
		rewind(file);
		*len = fread(data, 1, (size_t) size, file);
	}
	else
		perror(path);
	if (file)
		fclose(file);
	return data;
}

/* Some bytes overwritten, a piece copied elsewhere, or the end cut off; then a right checksum. */
static size_t
damage(MlRng *rng, const uint8_t *from, size_t len, uint8_t *out)
{
	static const uint64_t numbers[] = {0, 1, UINT32_MAX, INT32_MAX, 65536, 0x7FF8000000000000u};
	size_t n = 1 + ml_rng_below(rng, 8);

	memcpy(out, from, len);
	for (size_t i = 0; i < n && len > 16; i++)
	{
		size_t at = ml_rng_below(rng, len - 8), source = ml_rng_below(rng, len - 8);

		switch (ml_rng_below(rng, 8))
		{
			case 0:
				put_le(out + at, numbers[ml_rng_below(rng, 6)], 4);
				break;
			case 1:
				put_le(out + at, numbers[ml_rng_below(rng, 6)], 8);
				break;
			case 2:
				memmove(out + at, out + source,
						ml_rng_below(rng, 1 + ML_MIN(len - ML_MAX(at, source), (size_t) 64)));
				break;
			default:
				out[at] ^= (uint8_t) (1u << ml_rng_below(rng, 8));
		}
	}
	if (ml_rng_below(rng, 16) == 0)
		len = ml_rng_below(rng, len + 1);
	seal_image(out, len);
	return len;
}

static int
run_file(const char *path, size_t rounds)
{
	size_t len = 0;
	uint8_t *data = read_file(path, &len);
	MlRng rng;

	if (data == NULL)
		return 1;
	LLVMFuzzerTestOneInput(data, len);
	ml_rng_seed(&rng, ml_hash_bytes(data, len, 0), 0);
	for (size_t i = 0; i < rounds; i++)
	{
		uint8_t *copy = malloc(len + 1);

		LLVMFuzzerTestOneInput(copy, damage(&rng, data, len, copy));
		free(copy);
	}
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	if (argc == 3 && strcmp(argv[1], "seeds") == 0)
		return write_seeds(argv[2]);
	if (argc < 4 || strcmp(argv[1], "run") != 0)
	{
		fprintf(stderr, "usage: %s seeds DIRECTORY | run ROUNDS FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 3; i < argc; i++)
		failed += run_file(argv[i], strtoul(argv[2], NULL, 10));
	printf("fuzz_image: %d files, %s damaged copies of each\n", argc - 3 - failed, argv[2]);
	return failed != 0;
}

#endif /* FUZZ_STANDALONE */
