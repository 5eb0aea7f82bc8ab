/*
 * fuzz_json.c
 *		Hostile JSON: read any bytes as documents, and write what comes out as COPY takes it.
 *
 * The first byte chooses the path, how deep objects are opened, and the size of the pieces that the
 * bytes come in. The same bytes in one piece must give the same rows.
 */
#include "fuzzer.h"
#include "core/rng.h"
#include "data/json/jsonreader.h"

static const char *const paths[] = {"$", "$[*]", "$.a", "$.a.b[*]"};

/* Append what the last event was: the row's fields, or the mistake. */
static void
put_event(MlBuffer *out, const MlJsonReader *in, MlJsonEvent event)
{
	const MlJsonRow *row = in->row;

	ml_put_u8(out, (uint8_t) event);
	if (event != ML_JSON_ITEM)
	{
		ml_put_format(out, "%u:%u %s", (unsigned) in->problem_line, (unsigned) in->problem_column,
					  in->problem);
		return;
	}
	for (uint32_t k = 1; k < row->n_keys; k++)
	{
		const MlJsonValue *value = ml_json_row_value(row, k);

		ml_json_put_name(row, k, ".", out);
		if (value && !(value->flags & ML_STRING_UNSTORABLE))
			ml_json_put_field(out, value, k % 2);
	}
	ml_put_format(out, "%s", row->problem ? row->problem : "");
}

static MlStatus
read_pieces(MlJsonReader *in, const uint8_t *data, size_t len, size_t piece, MlBuffer *out)
{
	MlJsonEvent event = ML_JSON_NEEDS_MORE;
	size_t at = 0;

	while (event != ML_JSON_END && event != ML_JSON_BROKEN)
	{
		char *room;
		size_t size, n;

		if (event == ML_JSON_NEEDS_MORE)
		{
			ML_TRY(ml_json_reader_room(in, &room, &size));
			n = ML_MIN(ML_MIN(piece, len - at), size);
			if (n > 0)
				memcpy(room, data + at, n);
			at += n;
			ml_json_reader_filled(in, n, at == len);
		}
		ML_TRY(ml_json_reader_next(in, &event));
		if (event != ML_JSON_NEEDS_MORE)
			put_event(out, in, event);
	}
	return out->status;
}

/* A hash of all that comes out. */
static MlStatus
read_bytes(MlEnv *env, uint8_t choice, const uint8_t *data, size_t len, size_t piece,
		   uint64_t *hash)
{
	MlArena arena;
	MlJsonPath path;
	MlJsonRow row;
	MlJsonReader in;
	MlBuffer out;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&out, env);
	status = ml_json_path_parse(&arena, paths[choice % 4], &path);
	if (status == ML_OK)
	{
		status = ml_json_row_init(&row, &arena, choice / 4 % 4);
		ml_json_reader_init(&in, env, &path, &row);
		if (status == ML_OK)
			status = read_pieces(&in, data, len, piece, &out);
		ml_json_reader_free(&in);
		ml_json_row_free(&row);
	}
	*hash = ml_hash_bytes(out.data, out.len, 0);
	if (status == ML_OK && !ml_utf8_valid(in.problem, strlen(in.problem)))
		abort();
	ml_buffer_free(&out);
	ml_arena_free(&arena);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t whole, pieces;
	MlEnv env;
	MlStatus status;

	if (len == 0)
		return 0;
	ml_env_init(&env);
	env.budget = FUZZ_BUDGET;
	status = read_bytes(&env, data[0], data + 1, len - 1, SIZE_MAX, &whole);
	if (status == ML_OK)
		status = read_bytes(&env, data[0], data + 1, len - 1, (size_t) data[0] / 16 + 1, &pieces);
	if ((status != ML_OK && status != ML_ENOMEM) || env.used != 0 ||
		(status == ML_OK && whole != pieces))
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

static int
write_seeds(const char *directory)
{
	static const char *const seeds[] = {
		"\x10{\"a\":1,\"b\":\"x\\ny\",\"c\":null}\n{\"b\":\"\\u00e9\\ud83d\\ude00\",\"a\":-2.5e3}"
		"\n",
		"\x21[{\"a\":{\"b\":[1,{\"c\":2}]}},{\"a\":true},\n{}]",
		"\x0e{\"x\":[1,2],\"a\":{\"b\":1,\"c\":{\"d\":{}}}}",
		"\x33{\"n\":2,\"a\":{\"m\":\"\\u0000\",\"b\":[{\"k\":\"long enough for a "
		"word\"},{\"k\":0}]}}",
		"\x4c{\"a\":1\n{\"a\":x}\n{\"a\":{\"b\":{\"c\":{\"d\":\"\\\\\"}}}}\n\n{\"a\" : [ ] }",
		"\x50{\"a\":1,\"a\":2}{\"k\xC3\xA9y\":\"\xF0\x9F\x98\x80\",\"\\ud800\":\"\\udc00\"}"};
	int failed = 0;

	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
	{
		char name[30];

		snprintf(name, sizeof name, "json_%zu", i);
		failed += write_seed(directory, name, (const uint8_t *) seeds[i], strlen(seeds[i]));
	}
	return failed != 0;
}

#endif /* FUZZ_STANDALONE */
