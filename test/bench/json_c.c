/*
 * json_c.c
 *		Our reader of JSON against json-c's tokener, on the same rows: why import_json does not use json-c.
 *
 * 200,000 lines of 21 numbers are taken apart into the text of each value: by json-c a tree a line, by ours
 * a row a line. Both in one run, alternating, the least of 5. Then both read an array of these rows: json-c gives
 * nothing before its end, so its tree must fit into memory. Build and run, with json-c's headers installed
 * (libjson-c-dev):
 *
 *		make build/bench/libpure.a
 *		gcc -O3 -Isrc -o build/bench/json_c test/bench/json_c.c build/bench/libpure.a -ljson-c -lopenblas -lm -lpthread
 *		build/bench/json_c
 */
#include <json-c/json.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "data/json/jsonreader.h"

#define N_ROWS 200000
#define N_COLUMNS 21
#define N_RUNS 5

static void
die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* The lines, or an array of them. */
static char *
make_rows(bool array, size_t *len)
{
	size_t size = (size_t) N_ROWS * N_COLUMNS * 32, n = 0;
	char *text = malloc(size);
	MlRng rng;

	ml_rng_seed(&rng, 1, 0);
	if (array)
		text[n++] = '[';
	for (int i = 0; i < N_ROWS; i++)
	{
		for (int j = 0; j < N_COLUMNS; j++)
			n += (size_t) sprintf(text + n, "%c\"x%d\":%.17g", j ? ',' : '{', j,
								  ml_rng_uniform(&rng));
		n += (size_t) sprintf(text + n, "}%s", array && i < N_ROWS - 1 ? ",\n" : "\n");
	}
	if (array)
		text[n++] = ']';
	*len = n;
	return text;
}

/* Length of all values' texts, so that nothing is left out. */
static size_t
put_json_c(struct json_object *row)
{
	size_t n = 0;

	json_object_object_foreach(row, key, value)
	{
		(void) key;
		n += strlen(json_object_get_string(value));
	}
	return n;
}

static size_t
lines_by_json_c(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	size_t n = 0;

	for (const char *p = text, *feed; (feed = memchr(p, '\n', (size_t) (text + len - p)));
		 p = feed + 1)
	{
		struct json_object *row = json_tokener_parse_ex(tokener, p, (int) (feed + 1 - p));

		if (!row)
			die("json-c: no JSON");
		n += put_json_c(row);
		json_object_put(row);
	}
	json_tokener_free(tokener);
	return n;
}

static size_t
bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static size_t
array_by_json_c(const char *text, size_t len)
{
	size_t before = bytes_in_use();
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *rows = NULL;
	size_t n = 0, piece = 65536;

	for (size_t at = 0; at < len; at += piece)
		rows = json_tokener_parse_ex(tokener, text + at, (int) ML_MIN(piece, len - at));
	if (!rows)
		die("json-c: no JSON");
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		n += put_json_c(json_object_array_get_idx(rows, i));
	printf("  json-c holds %zu MB\n", (bytes_in_use() - before) >> 20);
	json_object_put(rows);
	json_tokener_free(tokener);
	return n;
}

static size_t
by_ours(const char *text, size_t len)
{
	MlEnv env;
	MlArena arena;
	MlJsonPath path;
	MlJsonRow row;
	MlJsonReader in;
	MlBuffer out;
	MlJsonEvent event = ML_JSON_NEEDS_MORE;
	size_t at = 0, n = 0;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&out, &env);
	if (ml_json_path_parse(&arena, "$", &path) != ML_OK ||
		ml_json_row_init(&row, &arena, 0) != ML_OK)
		die(env.error);
	ml_json_reader_init(&in, &env, &path, &row);
	for (; event != ML_JSON_END; out.len = 0)
	{
		char *room;
		size_t size;

		if (event == ML_JSON_NEEDS_MORE)
		{
			if (ml_json_reader_room(&in, &room, &size) != ML_OK)
				die(env.error);
			size = ML_MIN(size, len - at);
			memcpy(room, text + at, size);
			at += size;
			ml_json_reader_filled(&in, size, at == len);
		}
		if (ml_json_reader_next(&in, &event) != ML_OK || event == ML_JSON_BROKEN)
			die("ours: no JSON");
		for (uint32_t k = 1; event == ML_JSON_ITEM && k < row.n_keys; k++)
			ml_json_put_field(&out, ml_json_row_value(&row, k), false);
		n += out.len;
	}
	ml_json_reader_free(&in);
	ml_json_row_free(&row);
	ml_buffer_free(&out);
	ml_arena_free(&arena);
	return n;
}

int
main(void)
{
	for (int array = 0; array < 2; array++)
	{
		double best[2] = {1e9, 1e9}, start;
		size_t len, n[2];
		char *text = make_rows(array, &len);

		printf("%s of %d rows, %zu MB\n", array ? "an array" : "lines", N_ROWS, len >> 20);
		for (int run = 0; run < N_RUNS; run++)
		{
			start = ml_seconds();
			n[0] = array ? array_by_json_c(text, len) : lines_by_json_c(text, len);
			best[0] = ML_MIN(best[0], ml_seconds() - start);
			start = ml_seconds();
			n[1] = by_ours(text, len);
			best[1] = ML_MIN(best[1], ml_seconds() - start);
			if (n[0] != n[1])
				die("the values differ");
		}
		printf("  json-c %.3f s, ours %.3f s: %.1f x\n", best[0], best[1], best[0] / best[1]);
		free(text);
	}
	return 0;
}
