/*
 * test_schema.c
 *		Layout, names, date parts, expansion, hostile bytes.
 */
#include "unit.h"
#include "data/schema.h"

typedef struct InputSpec
{
	const char *name;
	MlKind kind;
	uint32_t n_slots;
} InputSpec;

static const InputSpec mixed[] = {{"age", ML_NUMERIC, 1}, {"city", ML_CATEGORICAL, 1},
								  {"born", ML_DATE, 1},   {"seen", ML_TIMESTAMP, 1},
								  {"opens", ML_TIME, 1},  {"pixels", ML_BLOCK, 3}};
#define N_MIXED 6

/* A laid out schema of these inputs. */
static MlStatus
make_schema(MlArena *arena, const InputSpec *specs, uint32_t n, MlSchema **schema)
{
	ML_TRY(ml_schema_create(arena, n, schema));
	for (uint32_t i = 0; i < n; i++)
	{
		MlInput *input = &(*schema)->inputs[i];

		input->name = ml_arena_text(arena, specs[i].name, strlen(specs[i].name));
		input->type_name = ml_arena_text(arena, "some type", 9);
		if (!input->name || !input->type_name)
			return ML_ENOMEM;
		input->kind = specs[i].kind;
		input->n_slots = specs[i].n_slots;
	}
	return ml_schema_layout(*schema);
}

static MlStatus
add_level(MlSchema *schema, uint32_t input, const char *text)
{
	uint32_t code;

	return ml_dict_add(schema->inputs[input].levels, text, strlen(text), &code);
}

static void
layout_names_every_feature(void)
{
	static const char *const names[] = {
		"age",       "city",       "born.epoch", "born.year",  "born.month", "born.day",
		"born.dow",  "seen.epoch", "seen.year",  "seen.month", "seen.day",   "seen.dow",
		"seen.hour", "opens",      "pixels[1]",  "pixels[2]",  "pixels[3]"};
	MlEnv env;
	MlArena arena;
	MlSchema *schema;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(make_schema(&arena, mixed, N_MIXED, &schema) == ML_OK);
	CHECK(schema->n_slots == 8 && schema->n_features == 17 && !schema->identity);
	for (uint32_t j = 0; j < schema->n_features; j++)
		CHECK(strcmp(schema->features[j].name, names[j]) == 0);
	CHECK(schema->features[1].categorical && schema->features[1].n_levels == 0);
	CHECK(schema->features[12].slot == 3 && schema->features[12].part == ML_PART_HOUR);
	CHECK(schema->features[16].slot == 7 && schema->features[16].input == 5);
	CHECK(add_level(schema, 1, "Bern") == ML_OK && add_level(schema, 1, "Basel") == ML_OK);
	ml_schema_seal(schema);
	CHECK(schema->features[1].n_levels == 2);
	CHECK(ml_schema_find(schema, "opens") == 4 && ml_schema_find(schema, "Age") == -1);
	ml_arena_free(&arena);
}

static void
bad_inputs_are_named(void)
{
	static const InputSpec twice[] = {
		{"a", ML_NUMERIC, 1}, {"b", ML_NUMERIC, 1}, {"a", ML_NUMERIC, 1}};
	static const InputSpec nameless[] = {{"", ML_NUMERIC, 1}, {"", ML_BLOCK, 2}};
	static const InputSpec empty[] = {{"v", ML_BLOCK, 0}};
	static const InputSpec large[] = {{"v", ML_BLOCK, ML_MAX_SLOTS}, {"w", ML_NUMERIC, 1}};
	static const InputSpec dates[] = {{"v", ML_BLOCK, ML_MAX_SLOTS - 4}, {"w", ML_DATE, 1}};
	MlEnv env;
	MlArena arena;
	MlSchema *schema;
	char long_name[400];

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(make_schema(&arena, twice, 3, &schema) == ML_EINVAL);
	CHECK(strcmp(env.error, "column name \"a\" occurs more than once") == 0);
	CHECK(make_schema(&arena, nameless, 2, &schema) == ML_OK);
	CHECK(schema->identity && strcmp(schema->features[0].name, "f1") == 0 &&
		  strcmp(schema->features[2].name, "f2[2]") == 0);
	CHECK(make_schema(&arena, empty, 1, &schema) == ML_EDATA && strstr(env.error, "\"v\""));
	CHECK(make_schema(&arena, large, 1, &schema) == ML_OK);
	CHECK(make_schema(&arena, large, 2, &schema) == ML_EDATA && strstr(env.error, "\"w\""));
	CHECK(make_schema(&arena, dates, 2, &schema) == ML_EDATA);
	CHECK(make_schema(&arena, twice, 0, &schema) == ML_EDATA);
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = 0;
	CHECK(make_schema(&arena, &(InputSpec){long_name, ML_NUMERIC, 1}, 1, &schema) == ML_EINVAL);
	ml_arena_free(&arena);
}

/* Microseconds of a day since 2000-01-01 and a time. */
static double
at(int64_t days, int hour, int minute, double second)
{
	return (double) days * 86400e6 + hour * 3600e6 + minute * 60e6 + second * 1e6;
}

static void
check_date(double us, double year, double month, double day, double dow, double hour)
{
	CHECK(ml_date_part(ML_PART_YEAR, us) == year);
	CHECK(ml_date_part(ML_PART_MONTH, us) == month);
	CHECK(ml_date_part(ML_PART_DAY, us) == day);
	CHECK(ml_date_part(ML_PART_DOW, us) == dow);
	CHECK_NEAR(ml_date_part(ML_PART_HOUR, us), hour, 1e-9);
}

/* Golden values: extract(year, month, day, dow) of PostgreSQL 15, whose dates end at these bounds. */
static void
date_parts_agree_with_postgresql(void)
{
	check_date(at(0, 0, 0, 0), 2000, 1, 1, 6, 0);
	check_date(at(59, 23, 59, 59.999999), 2000, 2, 29, 2, 24 - 1e-6 / 3600);
	check_date(at(-1, 12, 30, 0), 1999, 12, 31, 5, 12.5);
	check_date(at(-36465, 6, 0, 0), 1900, 3, 1, 4, 6);
	check_date(at(-730119, 0, 0, 0), 1, 1, 1, 1, 0);
	check_date(at(-730120, 0, 0, 0), -1, 12, 31, 0, 0);
	check_date(at(-730426, 0, 0, 0), -1, 2, 29, 2, 0);
	check_date(at(146156, 0, 0, 0), 2400, 2, 29, 2, 0);
	check_date(at(-2451545, 0, 0, 0), -4714, 11, 24, 1, 0);     /* the first date */
	check_date(at(2145031948, 0, 0, 0), 5874897, 12, 31, 2, 0); /* the last date */
	check_date(at(106751982, 23, 0, 0), 294276, 12, 31, 0, 23); /* the last timestamps */
	CHECK(ml_date_part(ML_PART_EPOCH, at(10, 12, 0, 0)) == 10.5);
	CHECK(ml_date_part(ML_PART_EPOCH, at(-10, 12, 0, 0)) == -9.5);
}

static void
a_microsecond_before_midnight_is_the_day_before(void)
{
	/* The quotient rounds to the next day in double from about day 10^7 on. */
	for (int64_t days = -90000; days < 90000; days += 997)
	{
		double midnight = at(days, 0, 0, 0);

		CHECK(ml_date_part(ML_PART_DOW, midnight) != ml_date_part(ML_PART_DOW, midnight - 1));
		CHECK(ml_date_part(ML_PART_HOUR, midnight) == 0);
		CHECK(ml_date_part(ML_PART_HOUR, midnight - 1) < 24);
	}
	for (int64_t days = 100000; days < 2145031948; days += 9999991)
	{
		CHECK(ml_date_part(ML_PART_DOW, at(days, 0, 0, 0)) == (days + 6) % 7);
		CHECK(ml_date_part(ML_PART_HOUR, at(days, 0, 0, 0)) == 0);
	}
}

static void
impossible_dates_are_missing(void)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -3e20};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (int part = ML_PART_VALUE; part <= ML_PART_HOUR; part++)
			CHECK(isnan(ml_date_part((MlPart) part, bad[i])));
}

static void
expand_gives_what_the_parts_give(void)
{
	MlEnv env;
	MlArena arena;
	MlSchema *schema;
	double raw[8] = {42, 1, at(-5000, 0, 0, 0), at(7777, 13, 45, 30), 3600, 1, NAN, 3};
	double features[17];

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	CHECK(make_schema(&arena, mixed, N_MIXED, &schema) == ML_OK);
	for (int missing = 0; missing < 2; missing++)
	{
		if (missing)
			raw[2] = raw[3] = -INFINITY;
		ml_schema_expand(schema, raw, features);
		for (uint32_t j = 0; j < schema->n_features; j++)
		{
			const MlFeature *f = &schema->features[j];
			double want =
				f->part == ML_PART_VALUE ? raw[f->slot] : ml_date_part(f->part, raw[f->slot]);

			CHECK(features[j] == want || (isnan(features[j]) && isnan(want)));
		}
	}
	ml_arena_free(&arena);
}

/* A schema with levels, saved. */
static MlStatus
saved_schema(MlArena *arena, MlBuffer *out)
{
	MlSchema *schema;

	ML_TRY(make_schema(arena, mixed, N_MIXED, &schema));
	ML_TRY(add_level(schema, 1, "Bern"));
	ML_TRY(add_level(schema, 1, "Basel"));
	ml_schema_seal(schema);
	ml_schema_save(schema, out);
	return out->status;
}

static MlStatus
save_and_load(MlEnv *env, void *arg)
{
	MlArena arena;
	MlBuffer first, second;
	MlReader in;
	MlSchema *schema = NULL;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&first, env);
	ml_buffer_init(&second, env);
	status = saved_schema(&arena, &first);
	if (status == ML_OK)
	{
		ml_reader_init(&in, env, first.data, first.len);
		status = ml_schema_load(&in, &arena, &schema);
	}
	if (status == ML_OK)
	{
		ml_schema_save(schema, &second);
		status = second.status;
	}
	if (status == ML_OK && arg)
	{
		CHECK(ml_reader_end(&in, "schema") == ML_OK);
		CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
		CHECK(schema->n_features == 17 && schema->features[1].n_levels == 2);
		CHECK(schema->inputs[1].width == ML_WIDTH_LEVEL &&
			  schema->inputs[0].width == ML_WIDTH_FLOAT64);
	}
	ml_buffer_free(&first);
	ml_buffer_free(&second);
	ml_arena_free(&arena);
	return status;
}

static void
save_then_load_is_the_same(void)
{
	MlEnv env;
	int checks = 1;

	ml_env_init(&env);
	CHECK(save_and_load(&env, &checks) == ML_OK);
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(save_and_load, NULL, 1000);
}

/* Load len bytes; the bytes are copied so that the sanitizer sees an overrun. */
static MlStatus
try_bytes(const uint8_t *data, size_t len)
{
	MlEnv env;
	MlArena arena;
	MlReader in;
	MlSchema *schema;
	MlStatus status;
	uint8_t *copy = malloc(len + 1);

	memcpy(copy, data, len);
	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_reader_init(&in, &env, copy, len);
	status = ml_schema_load(&in, &arena, &schema);
	if (status == ML_OK && schema->n_slots <= 64)
	{
		double raw[64] = {0}, features[64 * 6];

		ml_schema_expand(schema, raw, features);
	}
	CHECK(status == ML_OK || status == ML_ECORRUPT);
	ml_arena_free(&arena);
	free(copy);
	return status;
}

static void
hostile_bytes_are_refused(void)
{
	MlEnv env;
	MlArena arena;
	MlBuffer out;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	ml_buffer_init(&out, &env);
	CHECK(saved_schema(&arena, &out) == ML_OK);
	for (size_t len = 0; len < out.len; len++)
		CHECK(try_bytes(out.data, len) == ML_ECORRUPT);
	for (size_t i = 0; i < out.len; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			out.data[i] ^= (uint8_t) (1 << bit);
			try_bytes(out.data, out.len);
			out.data[i] ^= (uint8_t) (1 << bit);
		}
	ml_buffer_free(&out);
	ml_arena_free(&arena);
}

int
main(void)
{
	RUN(layout_names_every_feature);
	RUN(bad_inputs_are_named);
	RUN(date_parts_agree_with_postgresql);
	RUN(a_microsecond_before_midnight_is_the_day_before);
	RUN(impossible_dates_are_missing);
	RUN(expand_gives_what_the_parts_give);
	RUN(save_then_load_is_the_same);
	RUN(every_allocation_may_fail);
	RUN(hostile_bytes_are_refused);
	return unit_end();
}
