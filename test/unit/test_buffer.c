/*
 * test_buffer.c
 *		Buffers and readers: round trips, bounds, hostile counts, UTF-8, CRC.
 */
#include "unit.h"

#include "core/buffer.h"

static void
everything_comes_back(void)
{
	static const double values[] = {0.0, -0.0, 1.5, 1e308, -4.9e-324, INFINITY};
	MlEnv env;
	MlBuffer buf;
	MlReader in;
	MlArena arena;
	double *array;
	char *text;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&buf, &env);
	ml_put_u8(&buf, 200);
	ml_put_u32(&buf, 0xDEADBEEF);
	ml_put_u64(&buf, 0x0123456789ABCDEFu);
	ml_put_f32(&buf, -1.25f);
	ml_put_f64(&buf, M_PI);
	ml_put_f64(&buf, NAN);
	ml_put_text(&buf, "gr\xC3\xBC\xC3\x9F");
	ml_put_text(&buf, "");
	ml_put_f64_array(&buf, values, 6);
	ml_put_f64_array(&buf, values, 0);
	ml_put_format(&buf, "%d-%s", 42, "x");
	CHECK(buf.status == ML_OK);

	ml_reader_init(&in, &env, buf.data, buf.len);
	CHECK(ml_get_u8(&in) == 200);
	CHECK(ml_get_u32(&in) == 0xDEADBEEF);
	CHECK(ml_get_u64(&in) == 0x0123456789ABCDEFu);
	CHECK(ml_get_f32(&in) == -1.25f);
	CHECK(ml_get_f64(&in) == M_PI);
	CHECK(isnan(ml_get_f64(&in)));
	text = ml_get_text(&in, &arena);
	CHECK(text && strcmp(text, "gr\xC3\xBC\xC3\x9F") == 0);
	text = ml_get_text(&in, &arena);
	CHECK(text && strcmp(text, "") == 0);
	array = ml_get_f64_array(&in, &arena, 6);
	CHECK(array && memcmp(array, values, sizeof values) == 0);
	CHECK(ml_get_f64_array(&in, &arena, 0) != NULL);
	CHECK(ml_reader_check(&in, "test") == ML_OK);
	CHECK(ml_reader_end(&in, "test") == ML_ECORRUPT); /* the formatted text is left */
	CHECK(strcmp(env.error, "model image is damaged: test") == 0);
	CHECK(memcmp(ml_get_bytes(&in, 4), "42-x", 4) == 0);
	CHECK(ml_reader_end(&in, "test") == ML_OK);
	ml_buffer_free(&buf);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
}

static void
numbers_are_little_endian(void)
{
	static const uint8_t want[] = {4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F};
	static const double one = 1;
	MlEnv env;
	MlBuffer buf;

	ml_env_init(&env);
	ml_buffer_init(&buf, &env);
	ml_put_u32(&buf, 0x01020304);
	ml_put_f64(&buf, one);
	CHECK(buf.len == sizeof want && memcmp(buf.data, want, sizeof want) == 0);
	buf.len = 0;
	ml_put_f64_array(&buf, &one, 1);
	CHECK(buf.len == 8 && memcmp(buf.data, want + 4, 8) == 0);
	ml_buffer_free(&buf);
}

static void
a_failed_reader_stays_failed(void)
{
	static const uint8_t data[6] = {1, 2, 3, 4, 5, 6};
	MlEnv env;
	MlReader in;

	ml_env_init(&env);
	ml_reader_init(&in, &env, data, sizeof data);
	CHECK(ml_get_u32(&in) == 0x04030201);
	CHECK(ml_get_u32(&in) == 0);
	CHECK(in.failed);
	CHECK(ml_get_u8(&in) == 0); /* though there would be one */
	CHECK(ml_get_bytes(&in, 0) == NULL);
	CHECK(ml_reader_check(&in, "x") == ML_ECORRUPT);
	ml_reader_init(&in, &env, data, sizeof data);
	CHECK(ml_get_bytes(&in, SIZE_MAX) == NULL);
	ml_reader_init(&in, &env, NULL, 0);
	CHECK(ml_get_u64(&in) == 0 && in.failed);
}

static void
hostile_counts_are_refused(void)
{
	static const uint8_t data[12] = {2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
	static const uint8_t huge[8] = {0xFF, 0xFF, 0xFF, 0xFF, 1, 1, 1, 1};
	MlEnv env;
	MlArena arena;
	MlReader in;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_reader_init(&in, &env, data, sizeof data);
	CHECK(ml_get_count(&in, 4) == 2 && !in.failed);
	ml_reader_init(&in, &env, data, sizeof data);
	CHECK(ml_get_count(&in, 5) == 0 && in.failed);
	ml_reader_init(&in, &env, huge, sizeof huge);
	CHECK(ml_get_count(&in, 0) == 0 && in.failed);
	ml_reader_init(&in, &env, huge, sizeof huge);
	CHECK(ml_get_text(&in, &arena) == NULL && in.failed);
	ml_reader_init(&in, &env, huge, sizeof huge);
	CHECK(ml_get_f64_array(&in, &arena, SIZE_MAX / 4) == NULL && in.failed);
	CHECK(env.used == 0); /* nothing was allocated for them */
}

static void
texts_must_be_utf8(void)
{
	static const char *const valid[] = {"a",
										"\x7F",
										"\xC2\x80",
										"\xE0\xA0\x80",
										"\xED\x9F\xBF",
										"\xEE\x80\x80",
										"\xF0\x90\x80\x80",
										"\xF4\x8F\xBF\xBF"};
	static const char *const invalid[] = {"\x80",
										  "\xC0\x80",
										  "\xC1\xBF",
										  "\xC2",
										  "\xC2\x41",
										  "\xE0\x9F\xBF",
										  "\xED\xA0\x80",
										  "\xE2\x82",
										  "\xF0\x8F\xBF\xBF",
										  "\xF4\x90\x80\x80",
										  "\xF5\x80\x80\x80",
										  "a\xFF",
										  "\xF0\x90\x80"};
	MlEnv env;
	MlArena arena;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
		CHECK(ml_utf8_valid(valid[i], strlen(valid[i])));
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
	{
		size_t len = strlen(invalid[i]);
		MlBuffer buf;
		MlReader in;

		CHECK(!ml_utf8_valid(invalid[i], len));
		ml_buffer_init(&buf, &env);
		ml_put_text(&buf, invalid[i]);
		CHECK(buf.status == ML_EDATA && buf.len == 0);
		buf.status = ML_OK;
		ml_put_u32(&buf, (uint32_t) len);
		ml_put_bytes(&buf, invalid[i], len);
		ml_reader_init(&in, &env, buf.data, buf.len);
		CHECK(ml_get_text(&in, &arena) == NULL && in.failed);
		ml_buffer_free(&buf);
	}
	CHECK(!ml_utf8_valid("a\0b", 3));
	CHECK(ml_utf8_valid("", 0));
	ml_arena_free(&arena);
}

static void
cuts_fall_between_characters(void)
{
	CHECK(ml_utf8_cut("abc", 3) == 3);
	CHECK(ml_utf8_cut("abc", 2) == 2);
	CHECK(ml_utf8_cut("a\xE2\x82\xAC", 4) == 4);
	CHECK(ml_utf8_cut("a\xE2\x82\xAC", 3) == 1);
	CHECK(ml_utf8_cut("a\xE2\x82\xAC", 2) == 1);
	CHECK(ml_utf8_cut("", 5) == 0);
}

/* RFC 3720, appendix B.4, and the usual check value. */
static void
crc_gives_the_published_values(void)
{
	uint8_t data[48];

	CHECK(ml_crc32c("123456789", 9) == 0xE3069283);
	CHECK(ml_crc32c("", 0) == 0);
	memset(data, 0, 32);
	CHECK(ml_crc32c(data, 32) == 0x8A9136AA);
	memset(data, 0xFF, 32);
	CHECK(ml_crc32c(data, 32) == 0x62A8AB43);
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t) i;
	CHECK(ml_crc32c(data, 32) == 0x46DD794E);
	for (int i = 0; i < 32; i++)
		data[i] = (uint8_t) (31 - i);
	CHECK(ml_crc32c(data, 32) == 0x113FDB5C);
	/* Lengths that end between words. */
	for (size_t i = 0; i < 47; i++)
		CHECK(ml_crc32c(data, i) != ml_crc32c(data, i + 1));
}

static MlStatus
write_and_read(MlEnv *env, void *arg)
{
	MlBuffer buf;
	MlArena arena;
	MlReader in;
	MlStatus status;

	(void) arg;
	ml_buffer_init(&buf, env);
	ml_arena_init(&arena, env);
	for (int i = 0; i < 100; i++)
	{
		ml_put_text(&buf, "some text of some length");
		ml_put_format(&buf, "%s", "");
		ml_put_f64_array(&buf, (double[20]){1}, 20);
	}
	ml_reader_init(&in, env, buf.data, buf.len);
	for (int i = 0; buf.status == ML_OK && i < 100; i++)
	{
		ml_get_text(&in, &arena);
		ml_get_f64_array(&in, &arena, 20);
	}
	status = buf.status != ML_OK ? buf.status : ml_reader_end(&in, "round trip");
	ml_buffer_free(&buf);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(write_and_read, NULL, 100);
}

/* Arrays of 4-byte values: bit by bit, little-endian, and no more than there is. */
static void
arrays_of_words_round_trip(void)
{
	static const float reals[3] = {1.5f, -0.0f, 3e38f};
	static const uint32_t words[2] = {1, 0xfedcba98};
	MlEnv env;
	MlArena arena;
	MlBuffer buf;
	MlReader in;
	float *r;
	uint32_t *w;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&buf, &env);
	ml_put_f32_array(&buf, reals, 3);
	ml_put_u32_array(&buf, words, 2);
	CHECK(buf.len == 20 && buf.data[16] == 0x98 && buf.data[19] == 0xfe);
	ml_reader_init(&in, &env, buf.data, buf.len);
	r = ml_get_f32_array(&in, &arena, 3);
	w = ml_get_u32_array(&in, &arena, 2);
	CHECK(r && memcmp(r, reals, sizeof reals) == 0);
	CHECK(w && memcmp(w, words, sizeof words) == 0);
	CHECK(ml_get_u32_array(&in, &arena, 0) != NULL && !in.failed);
	CHECK(ml_get_u32_array(&in, &arena, 1) == NULL && in.failed);
	ml_reader_init(&in, &env, buf.data, buf.len);
	CHECK(ml_get_f32_array(&in, &arena, SIZE_MAX / 2) == NULL && in.failed && !in.no_memory);
	ml_buffer_free(&buf);
	ml_arena_free(&arena);
}

int
main(void)
{
	RUN(everything_comes_back);
	RUN(numbers_are_little_endian);
	RUN(a_failed_reader_stays_failed);
	RUN(hostile_counts_are_refused);
	RUN(texts_must_be_utf8);
	RUN(cuts_fall_between_characters);
	RUN(crc_gives_the_published_values);
	RUN(every_allocation_may_fail);
	RUN(arrays_of_words_round_trip);
	return unit_end();
}
