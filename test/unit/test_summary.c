/*
 * test_summary.c
 *		Summaries of columns: parts merged are as all at once, saved and loaded, from hostile bytes.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/summary_inner.h"

#define BATCH 100

/* A numeric value, as text; many share a double. */
static void
numeric_text(uint64_t value, char *text, size_t size)
{
	snprintf(text, size, "1234567890123456789%llu.%llu", (unsigned long long) (value % 10),
			 (unsigned long long) (value / 10));
}

/* Row i of kinds whose values come one by one, as the server's side adds them. */
static MlStatus
add_one(MlSummary *summary, uint64_t value)
{
	char text[64];
	bool known;
	double number = NAN;
	uint64_t key = value;

	snprintf(text, sizeof text, "text %llu", (unsigned long long) value);
	if (summary->kind == ML_SUMMARY_NUMERIC)
	{
		numeric_text(value, text, sizeof text);
		number = strtod(text, NULL);
		key = ml_hash_bytes(text, strlen(text), 0);
		if (!summary->min || ml_decimal_compare(text, summary->min) < 0)
			ML_TRY(ml_summary_keep(summary, &summary->min, text, strlen(text)));
		if (!summary->max || ml_decimal_compare(text, summary->max) > 0)
			ML_TRY(ml_summary_keep(summary, &summary->max, text, strlen(text)));
	}
	ML_TRY(ml_summary_add_key(summary, key, number, &known));
	if (!known)
		ML_TRY(ml_summary_enter(summary, key, text, strlen(text)));
	if (summary->kind == ML_SUMMARY_TEXT)
		ML_TRY(ml_summary_add_text(summary, text, strlen(text), strlen(text)));
	if (summary->kind == ML_SUMMARY_NUMERIC)
		ml_summary_add_numbers(summary, &number, 1, &number);
	return ML_OK;
}

/* Values 0 to levels - 1, those with i % step == first of n; half of the rows have the first ten. */
static MlStatus
add_values(MlSummary *summary, uint64_t n, uint64_t levels, uint64_t first, uint64_t step)
{
	uint64_t keys[BATCH];
	double numbers[BATCH], scratch[BATCH];
	size_t m = 0;

	for (uint64_t i = first; i < n; i += step)
	{
		uint64_t value = i % 2 ? i * 7919 % levels : i % 10;
		bool is_float = summary->kind == ML_SUMMARY_FLOAT;

		ML_TRY(ml_groups_add(&summary->by_target, value % 50, 0, (double) i));
		if (!ml_summary_key_is_value(summary->kind))
		{
			ML_TRY(add_one(summary, value));
			continue;
		}
		numbers[m] = (double) value - 5;
		keys[m++] = is_float ? ml_double_to_key((double) value - 5) : value - 5;
		if (m == BATCH || i + step >= n)
		{
			ML_TRY(ml_summary_add_keys(summary, keys, m));
			ml_summary_add_numbers(summary, numbers, m, scratch);
			m = 0;
		}
	}
	return ML_OK;
}

/* What must not depend on who saw which rows. */
static void
check_same(const MlSummary *a, const MlSummary *b)
{
	CHECK(a->n_values == b->n_values && a->n_numbers == b->n_numbers && a->n_zeros == b->n_zeros);
	CHECK(ml_summary_distinct(a) == ml_summary_distinct(b) && a->tally.exact == b->tally.exact);
	CHECK(a->least_key == b->least_key && a->greatest_key == b->greatest_key);
	CHECK((a->n_numbers == 0 || a->least == b->least) && (a->min == NULL) == (b->min == NULL));
	if (a->min && b->min)
		CHECK(strcmp(a->min, b->min) == 0 && strcmp(a->max, b->max) == 0);
	if (a->shortest && b->shortest)
		CHECK(strcmp(a->shortest, b->shortest) == 0 && strcmp(a->longest, b->longest) == 0);
	CHECK(a->min_length == b->min_length && a->max_length == b->max_length);
	CHECK(isnan(ml_groups_eta(&a->by_target)) == isnan(ml_groups_eta(&b->by_target)));
	if (!a->tally.exact)
		return;
	for (size_t slot = 0; slot < a->tally.n_slots; slot++)
		if (a->tally.slots[slot].count > 0)
			CHECK(a->tally.slots[slot].count ==
				  b->tally.slots[ml_tally_find(&b->tally, a->tally.slots[slot].key)].count);
}

/* Quartiles and outliers are those of all, exactly or nearly. */
static void
check_quartiles(const MlSummary *a, const MlSummary *b)
{
	MlQuartiles x, y;

	CHECK(ml_summary_quartiles(a, &x) == ML_OK && ml_summary_quartiles(b, &y) == ML_OK);
	CHECK(isnan(x.q[1]) == !ml_summary_is_number(a->kind) || a->kind == ML_SUMMARY_BOOL ||
		  a->kind == ML_SUMMARY_DATE);
	if (a->tally.exact && !isnan(x.q[1]))
		CHECK(memcmp(&x, &y, sizeof x) == 0);
	else if (!isnan(x.q[1]))
		CHECK(fabs(x.outlier_share - y.outlier_share) < 0.018);
}

static const MlSummaryKind kinds[] = {ML_SUMMARY_INTEGER, ML_SUMMARY_FLOAT,   ML_SUMMARY_DATE,
									  ML_SUMMARY_TIME,    ML_SUMMARY_NUMERIC, ML_SUMMARY_INTERVAL,
									  ML_SUMMARY_TEXT,    ML_SUMMARY_LABEL};
#define N_KINDS (sizeof kinds / sizeof *kinds)
#define LIMIT 200

/* Through bytes and back. */
static MlStatus
copy(MlSummary *from, MlSummary *to)
{
	MlBuffer out;
	MlReader in;
	MlStatus status;

	ml_buffer_init(&out, from->env);
	ml_summary_save(from, &out);
	CHECK(out.status != ML_OK || out.len == ml_summary_saved_size(from));
	ml_reader_init(&in, from->env, out.data, out.len);
	*to = (MlSummary){0};
	status = out.status == ML_OK ? ml_summary_load(&in, to) : out.status;
	if (status == ML_OK && in.pos != in.len)
		status = ML_ECORRUPT;
	ml_buffer_free(&out);
	return status;
}

static void
parts_are_as_all(void)
{
	/* Levels: few; as many as are counted; one more, which each part alone does not see; many. */
	const uint64_t levels[] = {11, LIMIT, LIMIT + 1, 5000};

	for (size_t k = 0; k < N_KINDS; k++)
		for (size_t l = 0; l < 4; l++)
		{
			MlEnv env;
			MlSummary all, part[3], loaded;

			ml_env_init(&env);
			CHECK(ml_summary_init(&all, &env, kinds[k], LIMIT, 40 + 10 * (l % 2)) == ML_OK);
			CHECK(add_values(&all, 20000, levels[l], 0, 1) == ML_OK);
			CHECK(all.tally.exact == (levels[l] <= LIMIT));
			for (uint64_t p = 0; p < 3; p++)
			{
				CHECK(ml_summary_init(&part[p], &env, kinds[k], LIMIT, 40 + 10 * (l % 2)) == ML_OK);
				CHECK(add_values(&part[p], 20000, levels[l], p, 3) == ML_OK);
			}
			CHECK(copy(&part[1], &loaded) == ML_OK);
			CHECK(ml_summary_merge(&part[2], &loaded) == ML_OK);
			CHECK(ml_summary_merge(&part[2], &part[0]) == ML_OK);
			check_same(&all, &part[2]);
			check_quartiles(&all, &part[2]);
			ml_summary_free(&loaded);
			for (int p = 0; p < 3; p++)
				ml_summary_free(&part[p]);
			ml_summary_free(&all);
			CHECK(env.used == 0);
		}
}

static void
decimals_compare_by_digits(void)
{
	const char *ascending[] = {"-12345678901234567890.2",
							   "-12345678901234567890.10",
							   "-3",
							   "-0.001",
							   "0",
							   "0.001",
							   "0.01",
							   "2.5",
							   "10",
							   "12345678901234567890.1",
							   "12345678901234567890.10001"};

	for (int i = 0; i < 11; i++)
		for (int j = 0; j < 11; j++)
		{
			int order = ml_decimal_compare(ascending[i], ascending[j]);

			CHECK((order > 0) - (order < 0) == (i > j) - (i < j));
		}
	CHECK(ml_decimal_compare("1.50", "1.5") == 0 && ml_decimal_compare("007", "7.000") == 0);
}

static void
load_takes_hostile_bytes(void)
{
	MlRng rng;

	ml_rng_seed(&rng, 5, 0);
	for (size_t k = 0; k < N_KINDS; k++)
		for (int many = 0; many < 2; many++)
		{
			MlEnv env;
			MlBuffer out;
			MlReader in;
			MlSummary summary, loaded;

			ml_env_init(&env);
			ml_buffer_init(&out, &env);
			CHECK(ml_summary_init(&summary, &env, kinds[k], LIMIT, 50) == ML_OK);
			CHECK(add_values(&summary, 3000, many ? 2000 : 20, 0, 1) == ML_OK);
			ml_summary_save(&summary, &out);
			for (int round = 0; round < 400; round++)
			{
				size_t at = ml_rng_below(&rng, round < 200 ? ML_MIN(out.len, 400) : out.len);
				uint8_t old = out.data[at];
				bool cut = round % 4 == 0;
				MlQuartiles quartiles;

				out.data[at] = (uint8_t) (round % 3 ? ml_rng_next(&rng) : 0xFF);
				ml_reader_init(&in, &env, out.data, cut ? at : out.len);
				loaded = (MlSummary){0};
				if (ml_summary_load(&in, &loaded) == ML_OK)
				{
					(void) ml_summary_merge(&loaded, &summary);
					(void) ml_summary_merge(&loaded, &summary);
					(void) ml_summary_quartiles(&loaded, &quartiles);
					(void) ml_summary_distinct(&loaded);
				}
				ml_summary_free(&loaded);
				out.data[at] = old;
			}
			ml_summary_free(&summary);
			ml_buffer_free(&out);
			CHECK(env.used == 0);
		}
}

static MlStatus
use_all(MlEnv *env, void *arg)
{
	MlSummary a, b = {0}, c = {0};
	MlStatus status = ml_summary_init(&a, env, *(const MlSummaryKind *) arg, 20, 60);

	if (status == ML_OK)
		status = ml_summary_init(&b, env, *(const MlSummaryKind *) arg, 20, 60);
	if (status == ML_OK)
		status = add_values(&a, 300, 15, 0, 1);
	if (status == ML_OK)
		status = add_values(&b, 1500, 100, 0, 1);
	if (status == ML_OK)
		status = copy(&b, &c);
	if (status == ML_OK)
		status = ml_summary_merge(&a, &c);
	ml_summary_free(&a);
	ml_summary_free(&b);
	ml_summary_free(&c);
	return status;
}

static void
survives_failing_allocations(void)
{
	MlSummaryKind tested[] = {ML_SUMMARY_FLOAT, ML_SUMMARY_TEXT, ML_SUMMARY_NUMERIC};

	for (int k = 0; k < 3; k++)
		unit_every_allocation_fails(use_all, &tested[k], 20000);
}

int
main(void)
{
	RUN(parts_are_as_all);
	RUN(decimals_compare_by_digits);
	RUN(load_takes_hostile_bytes);
	RUN(survives_failing_allocations);
	return unit_end();
}
