/*
 * fuzzer.h
 *		What the fuzz programs share: a mutator that repairs, and a main for when there is no libFuzzer.
 *
 * A target defines LLVMFuzzerTestOneInput, repair (give bytes what they need to get past the first
 * door, such as a checksum), and write_seeds (sound inputs, as files of a directory). With clang's
 * libFuzzer (make fuzz) repair is put behind its mutator. Otherwise (FUZZ_STANDALONE, make fuzz-corpus)
 * the main here writes the seeds, runs over files, and damages each of them at random some times:
 *
 *		fuzz_NAME seeds DIRECTORY
 *		fuzz_NAME run ROUNDS FILE...
 */
#ifndef FUZZER_H
#define FUZZER_H

#include "core/rng.h"
#include "unit.h"

/* What a backend would give it; running out of it is a clean answer. */
#define FUZZ_BUDGET ((size_t) 64 << 20)

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
static void repair(uint8_t *data, size_t len);

#ifndef FUZZ_STANDALONE

extern size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max_len);
extern size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max_len, unsigned seed);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max_len, unsigned seed)
{
	(void) seed;
	len = LLVMFuzzerMutate(data, len, max_len);
	repair(data, len);
	return len;
}

#else

static int write_seeds(const char *directory);

/* 0, or 1 with a message. */
static int
write_seed(const char *directory, const char *name, const uint8_t *data, size_t len)
{
	char path[4096];
	FILE *file;
	bool written;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "wb");
	written = file && fwrite(data, 1, len, file) == len;
	if (!file || fclose(file) != 0 || !written)
	{
		perror(path);
		return 1;
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

/* Some bytes overwritten, a piece copied elsewhere, or the end cut off; then repaired. */
static size_t
damage(MlRng *rng, const uint8_t *from, size_t len, uint8_t *out)
{
	/* The last are a NaN, an infinity and the largest number of 64 bits. */
	static const uint64_t numbers[] = {0,
									   1,
									   UINT32_MAX,
									   INT32_MAX,
									   65536,
									   0x7FF8000000000000u,
									   0x7FF0000000000000u,
									   0x7FEFFFFFFFFFFFFFu};
	size_t n = 1 + ml_rng_below(rng, 8);

	memcpy(out, from, len);
	for (size_t i = 0; i < n && len > 16; i++)
	{
		size_t at = ml_rng_below(rng, len - 8), source = ml_rng_below(rng, len - 8);

		switch (ml_rng_below(rng, 8))
		{
			case 0:
				memcpy(out + at, &numbers[ml_rng_below(rng, sizeof numbers / sizeof *numbers)], 4);
				break;
			case 1:
				memcpy(out + at, &numbers[ml_rng_below(rng, sizeof numbers / sizeof *numbers)], 8);
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
	repair(out, len);
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
		uint8_t *copy = malloc(len + 1), *exact;
		size_t n = damage(&rng, data, len, copy);

		/* In a block of its own length, so that a read beyond it shows. */
		exact = malloc(n + (n == 0));
		memcpy(exact, copy, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
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
	printf("%s: %d files, %s damaged copies of each\n", argv[0], argc - 3 - failed, argv[2]);
	return failed != 0;
}

#endif /* FUZZ_STANDALONE */

#endif /* FUZZER_H */
