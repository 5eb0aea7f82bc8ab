/*
 * test_registry.c
 *		What the tables of all algorithms promise: names, texts, defaults, and functions that belong together.
 */
#include "unit.h"

#include <ctype.h>

#include "model/trainer.h"

/* A word of lower-case letters, digits and underscores that begins with a letter. */
static bool
is_name(const char *name)
{
	bool ok = islower((unsigned char) name[0]);

	for (const char *c = name; *c; c++)
		ok = ok && (islower((unsigned char) *c) || isdigit((unsigned char) *c) || *c == '_');
	return ok;
}

/* One sentence: a capital or a number first; with_stop: a full stop at the end, else none. */
static bool
is_sentence(const char *text, bool with_stop)
{
	size_t len = strlen(text);

	return len > 1 && (isupper((unsigned char) text[0]) || isdigit((unsigned char) text[0])) &&
		   (text[len - 1] == '.') == with_stop;
}

/* Say which table is wrong, as a failed CHECK names the line only. */
static bool
expect(bool ok, const char *algorithm, const char *what)
{
	if (!ok)
		printf("# %s: %s\n", algorithm, what);
	return ok;
}

static void
check_table(const char *owner, const MlParam *table)
{
	for (const MlParam *p = table; p->name; p++)
	{
		CHECK(expect(is_name(p->name), owner, p->name));
		CHECK(expect(is_sentence(p->help, true), owner, p->help));
		CHECK(expect((p->choices != NULL) == (p->type == ML_PARAM_CHOICE), owner, p->name));
		for (const MlParam *other = table; other < p; other++)
			CHECK(expect(strcmp(other->name, p->name) != 0, owner, p->name));
	}
}

static void
tables_are_well_written(void)
{
	check_table("common options", ml_train_params);
	for (const MlAlgo *const *a = ml_algorithms; *a; a++)
	{
		CHECK(expect(is_name((*a)->name), (*a)->name, "its name"));
		CHECK(expect(is_sentence((*a)->summary, false), (*a)->name, (*a)->summary));
		CHECK(expect(ml_algo_find((*a)->name) == *a, (*a)->name, "is not found, or twice there"));
		check_table((*a)->name, (*a)->params);
	}
}

/* A name that stood in both tables could not be given to the algorithm. */
static void
options_belong_to_one_table(void)
{
	for (const MlAlgo *const *a = ml_algorithms; *a; a++)
		for (const MlParam *p = (*a)->params; p->name; p++)
			for (const MlParam *common = ml_train_params; common->name; common++)
				CHECK(expect(strcmp(p->name, common->name) != 0, (*a)->name, p->name));
}

/* Each default must pass the checks that a given value has to pass. */
static void
defaults_are_allowed(void)
{
	for (const MlAlgo *const *a = ml_algorithms; *a; a++)
		for (const MlParam *p = (*a)->params; p->name; p++)
		{
			char text[512];
			MlEnv env;
			MlArena arena;
			MlJson *json;
			MlParams parsed;

			ml_env_init(&env);
			ml_arena_init(&arena, &env);
			snprintf(text, sizeof text, "{\"%s\":%s}", p->name, p->fallback);
			CHECK(ml_json_parse(&arena, text, strlen(text), &json) == ML_OK);
			CHECK(expect(ml_params_parse(&arena, (*a)->name, &(*a)->params, 1, json, &parsed) ==
							 ML_OK,
						 (*a)->name, env.error));
			ml_arena_free(&arena);
		}
}

/* What the trainer and the SQL functions rely on without asking. */
static void
functions_go_together(void)
{
	for (const MlAlgo *const *a = ml_algorithms; *a; a++)
	{
		const MlAlgo *algo = *a;

		CHECK(
			expect(algo->tasks != 0 && algo->tasks < ML_TASK_BIT(ML_N_TASKS), algo->name, "tasks"));
		CHECK(expect(algo->fit && algo->save && algo->load, algo->name, "fit, save, load"));
		CHECK(expect((algo->predict != NULL) == !(algo->tasks & ML_TASK_BIT(ML_DECOMPOSITION)),
					 algo->name, "predict"));
		CHECK(expect((algo->transform != NULL) == (algo->n_components != NULL), algo->name,
					 "transform and n_components"));
		CHECK(expect(algo->predict || algo->transform, algo->name, "predict or transform"));
	}
	for (int task = 0; task < ML_N_TASKS; task++)
	{
		const MlAlgo *algo = ml_algo_default((MlTask) task);

		CHECK(algo && (algo->tasks & ML_TASK_BIT(task)));
	}
}

int
main(void)
{
	RUN(tables_are_well_written);
	RUN(options_belong_to_one_table);
	RUN(defaults_are_allowed);
	RUN(functions_go_together);
	return unit_end();
}
