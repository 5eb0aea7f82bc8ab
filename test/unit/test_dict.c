/*
 * test_dict.c
 *		Dictionaries: codes in order of appearance, save and load, damage.
 */
#include "unit.h"

#include "core/dict.h"

static size_t
name_of(char *out, uint32_t i)
{
	return (size_t) snprintf(out, 32, "level %u", i * 2654435761u);
}

static MlDict *
filled(MlArena *arena, uint32_t n)
{
	MlDict *dict = ml_dict_create(arena);

	for (uint32_t i = 0; dict && i < n; i++)
	{
		char name[32];
		uint32_t code;

		if (ml_dict_add(dict, name, name_of(name, i), &code) != ML_OK)
			return NULL;
		CHECK(code == i);
	}
	return dict;
}

static void
codes_count_in_order_of_appearance(void)
{
	MlEnv env;
	MlArena arena;
	MlDict *dict;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	dict = ml_dict_create(&arena);
	CHECK(ml_dict_size(dict) == 0);
	CHECK(ml_dict_find(dict, "a", 1) == ML_NO_LEVEL);
	dict = filled(&arena, 20000);
	CHECK(ml_dict_size(dict) == 20000);
	for (uint32_t i = 0; i < 20000; i++)
	{
		char name[32];
		size_t len = name_of(name, i);
		uint32_t code;

		CHECK(ml_dict_find(dict, name, len) == i);
		CHECK(ml_dict_len(dict, i) == len && strcmp(ml_dict_text(dict, i), name) == 0);
		CHECK(ml_dict_add(dict, name, len, &code) == ML_OK && code == i);
	}
	CHECK(ml_dict_size(dict) == 20000);
	CHECK(ml_dict_find(dict, "level", 5) == ML_NO_LEVEL);
	ml_arena_free(&arena);
	CHECK(env.used == 0);
}

static void
bytes_decide(void)
{
	MlEnv env;
	MlArena arena;
	MlDict *dict;
	uint32_t code;

	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	dict = ml_dict_create(&arena);
	CHECK(ml_dict_add(dict, "", 0, &code) == ML_OK && code == 0);
	CHECK(ml_dict_add(dict, "a", 1, &code) == ML_OK && code == 1);
	CHECK(ml_dict_add(dict, "A", 1, &code) == ML_OK && code == 2);
	CHECK(ml_dict_add(dict, "a ", 2, &code) == ML_OK && code == 3);
	CHECK(ml_dict_add(dict, "abc", 1, &code) == ML_OK && code == 1); /* only len bytes count */
	CHECK(ml_dict_find(dict, "", 0) == 0);
	ml_arena_free(&arena);
}

static MlStatus
reload(MlEnv *env, MlArena *arena, const MlDict *dict, MlDict **loaded)
{
	MlBuffer buf;
	MlReader in;
	MlStatus status;

	ml_buffer_init(&buf, env);
	ml_dict_save(dict, &buf);
	status = buf.status;
	ml_reader_init(&in, env, buf.data, buf.len);
	if (status == ML_OK)
		status = ml_dict_load(&in, arena, loaded);
	if (status == ML_OK)
		status = ml_reader_end(&in, "dictionary");
	ml_buffer_free(&buf);
	return status;
}

static void
save_and_load_are_inverse(void)
{
	for (uint32_t n = 0; n < 3000; n = n * 3 + 1)
	{
		MlEnv env;
		MlArena arena;
		MlDict *dict, *loaded;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		dict = filled(&arena, n);
		CHECK(reload(&env, &arena, dict, &loaded) == ML_OK);
		CHECK(ml_dict_size(loaded) == n);
		for (uint32_t i = 0; i < n; i++)
			CHECK(strcmp(ml_dict_text(loaded, i), ml_dict_text(dict, i)) == 0);
		ml_arena_free(&arena);
	}
}

static void
damaged_bytes_are_refused(void)
{
	static const char twice[] = "\2\0\0\0\1\0\0\0a\1\0\0\0a",
					  shorter[] = "\2\0\0\0\1\0\0\0a\1\0\0\0", count[] = "\377\377\377\0\1\0\0\0a",
					  bad[] = "\1\0\0\0\1\0\0\0\377", zero[] = "\1\0\0\0\2\0\0\0a\0";
	static const struct
	{
		const char *bytes;
		size_t len;
	} cases[] = {{twice, sizeof twice - 1},
				 {shorter, sizeof shorter - 1},
				 {count, sizeof count - 1},
				 {bad, sizeof bad - 1},
				 {zero, sizeof zero - 1},
				 {"\1", 1},
				 {"", 0}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		MlEnv env;
		MlArena arena;
		MlReader in;
		MlDict *dict;

		ml_env_init(&env);
		ml_arena_init(&arena, &env);
		ml_reader_init(&in, &env, cases[i].bytes, cases[i].len);
		CHECK(ml_dict_load(&in, &arena, &dict) == ML_ECORRUPT);
		CHECK(strncmp(env.error, "model image is damaged", 22) == 0);
		ml_arena_free(&arena);
		CHECK(env.used == 0);
	}
}

static MlStatus
fill_and_reload(MlEnv *env, void *arg)
{
	MlArena arena;
	MlDict *dict, *loaded;
	MlStatus status = ML_ENOMEM;

	(void) arg;
	ml_arena_init(&arena, env);
	dict = filled(&arena, 300);
	if (dict)
		status = reload(env, &arena, dict, &loaded);
	ml_arena_free(&arena);
	return status;
}

static void
every_allocation_may_fail(void)
{
	unit_every_allocation_fails(fill_and_reload, NULL, 200);
}

int
main(void)
{
	RUN(codes_count_in_order_of_appearance);
	RUN(bytes_decide);
	RUN(save_and_load_are_inverse);
	RUN(damaged_bytes_are_refused);
	RUN(every_allocation_may_fail);
	return unit_end();
}
