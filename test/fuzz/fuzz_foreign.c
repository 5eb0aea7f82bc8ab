/*
 * fuzz_foreign.c
 *		Hostile files of other libraries: import any bytes, and use what comes out.
 *
 * What begins with "tree" is taken for LightGBM's, everything else for XGBoost's.
 */
#include "fuzzer.h"
#include "foreign_fixture.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool text = len >= 4 && memcmp(data, "tree", 4) == 0;
	MlEnv env;
	MlStatus status;

	ml_env_init(&env);
	env.budget = FUZZ_BUDGET;
	status = import_and_use(&env, text ? "lightgbm" : "xgboost", data, len);
	if ((status != ML_OK && status != ML_EDATA && status != ML_EINVAL && status != ML_ENOMEM) ||
		env.used != 0 || !ml_utf8_valid(env.error, strlen(env.error)))
		abort();
	return 0;
}

/* Nothing stands before the contents. */
static void
repair(uint8_t *data, size_t len)
{
	(void) data;
	(void) len;
}

#ifdef FUZZ_STANDALONE

static int
write_text(const char *directory, const char *name, const char *text)
{
	return write_seed(directory, name, (const uint8_t *) text, strlen(text));
}

static int
write_seeds(const char *directory)
{
	MlBuffer ubjson;
	MlEnv env;
	int failed = write_text(directory, "lightgbm", lightgbm_text) +
				 write_text(directory, "xgboost_dart", xgboost_text) +
				 write_text(directory, "xgboost_three", xgboost_three) +
				 write_text(directory, "xgboost_two", xgboost_two);

	ml_env_init(&env);
	ml_buffer_init(&ubjson, &env);
	failed += to_ubjson(&env, xgboost_text, &ubjson) != ML_OK ||
			  write_seed(directory, "xgboost_ubj", ubjson.data, ubjson.len);
	ml_buffer_free(&ubjson);
	return failed != 0;
}

#endif /* FUZZ_STANDALONE */
