/*
 * fuzz_csv.c
 *		Hostile CSV: guess the dialect of any bytes, read them in pieces, infer types, rewrite numbers.
 *
 * The first byte chooses the dialect and the size of the pieces. What is asserted besides memory safety:
 * records do not depend on the pieces, lines are counted alike, a number that is rewritten is one of SQL's, and a text
 * that surely fits a type is of a form that the type has.
 */
#include "fuzzer.h"

#include "data/csv/csv.h"
#include "data/csv/csvfit.h"
#include "data/csv/csvtype.h"

#define MAX_COLUMNS 16
#define MAX_RECORD 4096

/* A hash of the records and what they hold. */
typedef struct Digest
{
	uint64_t hash;
	size_t n_records;
	MlStatus status;
} Digest;

static void
check_value(const char *text, size_t len)
{
	char plain[ML_CSV_MAX_NUMBER];
	MlCsvNumber number;

	for (int way = 0; way < ML_CSV_N_NUMBERS; way++)
	{
		size_t n = ml_csv_plain_number(ml_csv_numbers[way], text, len, plain);

		if (n > 0 && (plain[n] != '\0' ||
					  (!ml_csv_scan_number(plain, plain + n, &number) &&
					   !ml_csv_is_nan(plain, plain + n) && !ml_csv_is_infinite(plain, plain + n))))
			abort();
	}
	for (int kind = ML_CSV_FIT_ASK; kind <= ML_CSV_FIT_TIMESTAMPTZ; kind++)
		for (int order = 0; order < ML_CSV_N_ORDERS; order++)
		{
			MlCsvFit fit = {(MlCsvFitKind) kind, 30, 30, 2, (MlCsvOrder) order};
			bool fits = ml_csv_fits(&fit, text, len);

			if (fits && (kind == ML_CSV_FIT_INTEGER || kind == ML_CSV_FIT_DECIMAL) &&
				!ml_csv_scan_number(text, text + len, &number))
				abort();
		}
	(void) ml_csv_is_value(text, len);
}

static Digest
read_all(MlEnv *env, const char *text, size_t len, MlCsvDialect dialect, size_t piece,
		 MlCsvColumn *columns)
{
	MlCsvReader in;
	Digest digest = {0, 0, ML_OK};
	size_t at = 0;

	ml_csv_reader_init(&in, env, dialect, MAX_RECORD);
	do
	{
		const char *next = text + at, *end = text + ML_MIN(len, at + piece);
		bool whole = true;

		while (digest.status == ML_OK && whole)
		{
			digest.status = ml_csv_next(&in, &next, end, end == text + len, &whole);
			for (size_t j = 0; digest.status == ML_OK && whole && j < in.n_fields; j++)
			{
				const MlCsvField *field = &in.fields[j];
				const char *value = ml_csv_text(&in, j);

				digest.hash = ml_hash_bytes(value, field->len + 1, digest.hash + field->quoted);
				if (columns && j < MAX_COLUMNS)
					ml_csv_observe(&columns[j], value, field->len, field->quoted);
				if (columns)
					check_value(value, field->len);
			}
			digest.n_records += whole && digest.status == ML_OK;
		}
		at = (size_t) (end - text);
	} while (at < len && digest.status == ML_OK);
	if (digest.status == ML_OK && digest.n_records > ml_csv_count_lines(text, len) + 1)
		abort();
	ml_csv_reader_free(&in);
	return digest;
}

static void
choose_types(const MlCsvColumn *columns)
{
	MlCsvReading reading = {.missing = ml_csv_find_missing(columns, MAX_COLUMNS)};

	for (unsigned allowed = 1; allowed < 1u << ML_CSV_N_NUMBERS; allowed = 2 * allowed + 1)
	{
		int open = ml_csv_choose_way(columns, MAX_COLUMNS, NULL, (uint16_t) allowed, &reading);

		if (open >= MAX_COLUMNS || !(allowed >> reading.way & 1))
			abort();
		ml_csv_choose_order(columns, MAX_COLUMNS, NULL, ML_CSV_ALL_ORDERS, &reading);
		for (int j = 0; j < MAX_COLUMNS; j++)
			if (ml_csv_type_name(ml_csv_column_type(&columns[j], &reading)) == NULL)
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *) data + 1;
	MlCsvColumn columns[MAX_COLUMNS];
	MlCsvDialect dialect = {0, 0, 0};
	MlEnv env;
	Digest whole, pieces;

	if (len == 0)
		return 0;
	dialect.escape = data[0] & 1 ? '\\' : 0;
	dialect.delimiter = data[0] & 2 ? ';' : 0;
	ml_env_init(&env);
	env.budget = FUZZ_BUDGET;
	if (ml_csv_sniff(&env, text, len - 1, data[0] & 4, &dialect) != ML_OK)
		abort();
	for (int j = 0; j < MAX_COLUMNS; j++)
		ml_csv_column_init(&columns[j]);
	whole = read_all(&env, text, len - 1, dialect, len, columns);
	pieces = read_all(&env, text, len - 1, dialect, 1 + data[0] / 8, NULL);
	if (whole.hash != pieces.hash || whole.n_records != pieces.n_records ||
		whole.status != pieces.status)
		abort();
	choose_types(columns);
	if (env.used != 0 || (whole.status != ML_OK && env.error[0] == '\0'))
		abort();
	return 0;
}

/* Any bytes are a file. */
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
		"\010id,price,day\n1,1.5,2024-01-31\n2,NA,2024-02-29 10:20:30+02\n,,\n",
		"\020a;b;c\r\n1.234,5;31.12.2024;x\r\n\"2,5\";1/2/2024 9:05 PM;\"two\r\nlines\"\r\n",
		"\001a|b\n\"x\\\"y\"|1 234,5\n'it''s'|1'234.5\n\\.\n",
		"\377a\t'b\tc'\n1,234.5\t-1e-300\n9223372036854775808\tNaN\n\n\"never closed\n",
		"\012\"\"\"\"\"\"\n,,,\"\n\"\r\r\n0x1F,007,+1,1e400,-Infinity\nMay 5, 2024,t,yes,?\n",
		"\000one\n1\n\n12345678901234567.8901\n0.30000000000000004\n1\302\240234,5\n",
	};

	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
	{
		char name[40];
		size_t len = 1 + strlen(seeds[i] + 1);

		snprintf(name, sizeof name, "seed_%zu", i);
		if (write_seed(directory, name, (const uint8_t *) seeds[i], len) != 0)
			return 1;
	}
	return 0;
}

#endif
