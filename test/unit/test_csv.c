/*
 * test_csv.c
 *		The CSV reader, the dialect, the types.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/csv.h"
#include "data/csvtype.h"

static const MlCsvDialect comma = {',', '"', '"'};

/* Read all of text in pieces of the given size into out: fields as [a][b], records by '/'. */
static MlStatus
read_all(MlEnv *env, const char *text, size_t len, MlCsvDialect dialect, size_t piece, char *out,
		 size_t size)
{
	MlCsvReader in;
	MlStatus status = ML_OK;
	size_t used = 0;

	out[0] = '\0';
	ml_csv_reader_init(&in, env, dialect, 1000);
	for (size_t at = 0; status == ML_OK;)
	{
		const char *next = text + at, *end = text + ML_MIN(len, at + piece);
		bool whole = true;

		while (status == ML_OK && whole)
		{
			status = ml_csv_next(&in, &next, end, end == text + len, &whole);
			for (size_t j = 0; status == ML_OK && whole && j < in.n_fields; j++)
				used += (size_t) snprintf(out + used, size - used, "%s%s%s%s%s", j ? "" : "/",
										  in.fields[j].quoted ? "{" : "[", ml_csv_text(&in, j),
										  in.fields[j].quoted ? "}" : "]", "");
		}
		if (end == text + len)
			break;
		at += piece;
	}
	ml_csv_reader_free(&in);
	return status;
}

/* The same records come out whatever the pieces. */
static void
check_records(const char *text, MlCsvDialect dialect, const char *want)
{
	MlEnv env;
	char got[1000];

	ml_env_init(&env);
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++)
	{
		CHECK(read_all(&env, text, strlen(text), dialect, piece, got, sizeof got) == ML_OK);
		if (strcmp(got, want) != 0)
			printf("# pieces of %zu: %s, not %s\n", piece, got, want);
		CHECK(strcmp(got, want) == 0);
	}
}

static void
reads_as_copy_does(void)
{
	MlCsvDialect backslash = {',', '"', '\\'}, bar = {'|', '\'', '\''};

	check_records("a,b\n1,2\n", comma, "/[a][b]/[1][2]");
	check_records("a,b\r\n1,2\r\n", comma, "/[a][b]/[1][2]");
	check_records("a,b\r1,2", comma, "/[a][b]/[1][2]");
	check_records("", comma, "");
	check_records("\n\n", comma, "/[]/[]");
	check_records(",\n", comma, "/[][]");
	check_records("\"a,1\",\"b\"\"c\"\n", comma, "/{a,1}{b\"c}");
	check_records("\"two\nlines\r\nthree\",x\n", comma, "/{two\nlines\r\nthree}[x]");
	check_records("x\"y,z\"w,\"\"\n", comma, "/{xy,zw}{}");
	check_records("\"never closed,\n", comma, "/{never closed,\n}");
	check_records("\"a\\\"b\\\\c\\d\",e\n", backslash, "/{a\"b\\c\\d}[e]");
	check_records("\"a\\", backslash, "/{a}");
	check_records("'a|b'|\"c\"\n", bar, "/{a|b}[\"c\"]");
}

/* Random text of special characters comes out the same in pieces of any size, and the sniffer survives it. */
static void
reads_noise_in_any_pieces(void)
{
	static const char alphabet[] = "a1,;\"\"'\n\r\\\t";
	MlRng rng;
	MlEnv env;

	ml_env_init(&env);
	ml_rng_seed(&rng, 11, 0);
	for (int i = 0; i < 2000; i++)
	{
		MlCsvDialect dialect = {0, 0, (char) (i % 3 ? 0 : '\\')};
		size_t len = ml_rng_below(&rng, 40);
		char text[41], whole[2000], pieces[2000];

		for (size_t j = 0; j < len; j++)
			text[j] = alphabet[ml_rng_below(&rng, sizeof alphabet - 1)];
		text[len] = '\0';
		CHECK(ml_csv_sniff(&env, text, len, i % 2, &dialect) == ML_OK);
		CHECK(read_all(&env, text, len, dialect, len + 1, whole, sizeof whole) == ML_OK);
		CHECK(read_all(&env, text, len, dialect, 1 + ml_rng_below(&rng, 7), pieces,
					   sizeof pieces) == ML_OK);
		CHECK(strcmp(whole, pieces) == 0);
	}
}

static void
refuses_long_records(void)
{
	MlEnv env;
	char text[1200], out[2000];

	ml_env_init(&env);
	memset(text, 'x', sizeof text);
	CHECK(read_all(&env, text, 900, comma, 64, out, sizeof out) == ML_OK);
	CHECK(read_all(&env, text, sizeof text, comma, 64, out, sizeof out) == ML_EDATA);
	CHECK(strstr(env.error, "longer than 1000 bytes") != NULL);
}

static void
check_sniff(const char *text, char delimiter, char quote)
{
	MlEnv env;
	MlCsvDialect dialect = {0, 0, 0};

	ml_env_init(&env);
	CHECK(ml_csv_sniff(&env, text, strlen(text), true, &dialect) == ML_OK);
	if (dialect.delimiter != delimiter || dialect.quote != quote)
		printf("# %s: %c %c\n", text, dialect.delimiter, dialect.quote);
	CHECK(dialect.delimiter == delimiter && dialect.quote == quote);
	CHECK(dialect.escape == quote);
}

static void
sniffs_dialects(void)
{
	MlEnv env;
	MlCsvDialect given = {';', 0, 0};

	check_sniff("a,b\n1,2\n", ',', '"');
	check_sniff("a;b;c\n1,5;2,5;3\n1,0;2,25;4,5\n", ';', '"');
	check_sniff("a\tb\nx, y\tz, w\n", '\t', '"');
	check_sniff("a|b|c\n1|2|3\n", '|', '"');
	check_sniff("a\n1\n2\n", ',', '"');
	check_sniff("", ',', '"');
	check_sniff("a,b\n'x, 1',2\n'y, 2',3\n", ',', '\'');
	check_sniff("a,b\nit's,2\nthey're,3\n", ',', '"');
	check_sniff("name;text\n1;\"a,b,c\nd,e\"\n2;\"f,g,h\"\n", ';', '"');
	ml_env_init(&env);
	CHECK(ml_csv_sniff(&env, "a,b\n", 4, true, &given) == ML_OK && given.delimiter == ';');
}

/* The type of values separated by bars; "" is a missing value. */
static MlCsvType
type_of(const char *values, const char **word)
{
	MlCsvColumn column;

	ml_csv_column_init(&column);
	for (;;)
	{
		char value[200];
		size_t len = strcspn(values, "|");

		memcpy(value, values, len);
		value[len] = '\0';
		ml_csv_observe(&column, value, len, false);
		if (values[len] == '\0')
			break;
		values += len + 1;
	}
	*word = ml_csv_missing_word(&column, 1);
	return ml_csv_column_type(&column, *word);
}

static void
check_type(const char *values, MlCsvType want, const char *want_word)
{
	const char *word;
	MlCsvType got = type_of(values, &word);

	if (got != want)
		printf("# %s: %s, not %s\n", values, ml_csv_type_name(got), ml_csv_type_name(want));
	CHECK(got == want);
	CHECK(want_word ? word && strcmp(word, want_word) == 0 : word == NULL);
}

static void
infers_numbers(void)
{
	check_type("1|-2||2147483647", ML_CSV_INTEGER, NULL);
	check_type("1|2147483648", ML_CSV_BIGINT, NULL);
	check_type("9223372036854775807|-9223372036854775808", ML_CSV_BIGINT, NULL);
	check_type("9223372036854775808", ML_CSV_NUMERIC, NULL);
	check_type("123456789012345678901234567890", ML_CSV_NUMERIC, NULL);
	check_type("9007199254740993|1.5", ML_CSV_NUMERIC, NULL);
	check_type("1|2.50|.5|3.|-1e-7|  4 ", ML_CSV_DOUBLE, NULL);
	check_type("0.1234567890123456789", ML_CSV_NUMERIC, NULL);
	check_type("0.1000000000000000000000", ML_CSV_DOUBLE, NULL);
	check_type("0.30000000000000004|2.2250738585072014e-308", ML_CSV_DOUBLE, NULL);
	check_type("1e400", ML_CSV_NUMERIC, NULL);
	check_type("1|NaN|inf|-Infinity", ML_CSV_DOUBLE, NULL);
	check_type("nan|nan", ML_CSV_TEXT, NULL);
	check_type("007|123", ML_CSV_TEXT, NULL);
	check_type("+4930123456", ML_CSV_TEXT, NULL);
	check_type("0|0.5|-0.5", ML_CSV_DOUBLE, NULL);
	check_type("1e|2", ML_CSV_TEXT, NULL);
	check_type(".", ML_CSV_TEXT, NULL);
	check_type("1,5", ML_CSV_TEXT, NULL);
	check_type("0x1F", ML_CSV_TEXT, NULL);
	check_type("", ML_CSV_TEXT, NULL);
}

/* All 17-digit decimals that are printed from doubles are kept by doubles. */
static void
keeps_printed_doubles(void)
{
	double x = 0.1;

	for (int i = 0; i < 2000; i++)
	{
		MlCsvColumn column;
		char text[40];

		x = x * 1.37 + 1e-3;
		if (x > 1e10)
			x /= 1e13;
		snprintf(text, sizeof text, "%.17g", -x);
		ml_csv_column_init(&column);
		ml_csv_observe(&column, text, strlen(text), false);
		CHECK(ml_csv_column_type(&column, NULL) == ML_CSV_DOUBLE);
	}
}

static void
infers_dates(void)
{
	check_type("2024-02-29|1999/12/31|", ML_CSV_DATE, NULL);
	check_type("2023-02-29", ML_CSV_TEXT, NULL);
	check_type("2024-13-01", ML_CSV_TEXT, NULL);
	check_type("0000-01-01", ML_CSV_TEXT, NULL);
	check_type("2024-1-1", ML_CSV_TEXT, NULL);
	check_type("2024-01/01", ML_CSV_TEXT, NULL);
	check_type("31.12.2024", ML_CSV_TEXT, NULL);
	check_type("2024-01-01 10:20|2024-01-01", ML_CSV_TIMESTAMP, NULL);
	check_type("2024-01-01T10:20:30.123456", ML_CSV_TIMESTAMP, NULL);
	check_type("2024-01-01 24:00:00", ML_CSV_TEXT, NULL);
	check_type("2024-01-01 10:20:30Z|2024-01-01 10:20:30+02|2024-01-01 10:20-05:30",
			   ML_CSV_TIMESTAMPTZ, NULL);
	check_type("2024-01-01 10:20:30Z|2024-01-01 10:20:30", ML_CSV_TEXT, NULL);
	check_type("2024-01-01|7", ML_CSV_TEXT, NULL);
}

static void
infers_booleans(void)
{
	check_type("true|FALSE|", ML_CSV_BOOLEAN, NULL);
	check_type("true", ML_CSV_BOOLEAN, NULL);
	check_type("yes|no", ML_CSV_BOOLEAN, NULL);
	check_type("t|f|T", ML_CSV_BOOLEAN, NULL);
	check_type("y|n", ML_CSV_BOOLEAN, NULL);
	check_type("n|n", ML_CSV_TEXT, NULL);
	check_type("on|on", ML_CSV_TEXT, NULL);
	check_type("true|f", ML_CSV_TEXT, NULL);
	check_type("t|1", ML_CSV_TEXT, NULL);
	check_type("0|1", ML_CSV_INTEGER, NULL);
}

static void
finds_missing_words(void)
{
	MlCsvColumn columns[2];

	check_type("1|NA|2", ML_CSV_INTEGER, "NA");
	check_type("1|?|2.5|?", ML_CSV_DOUBLE, "?");
	check_type("1|NA||2", ML_CSV_TEXT, NULL);
	check_type("1|NA|null", ML_CSV_TEXT, NULL);
	check_type("a|NA", ML_CSV_TEXT, NULL);
	check_type("NA|NA", ML_CSV_TEXT, NULL);
	check_type("2024-01-01|\\N", ML_CSV_DATE, "\\N");

	/* Two columns must agree. */
	for (int j = 0; j < 2; j++)
	{
		ml_csv_column_init(&columns[j]);
		ml_csv_observe(&columns[j], "1", 1, false);
		ml_csv_observe(&columns[j], j ? "null" : "NA", j ? 4 : 2, false);
	}
	CHECK(ml_csv_missing_word(columns, 1) != NULL);
	CHECK(ml_csv_missing_word(columns, 2) == NULL);
	CHECK(ml_csv_column_type(&columns[0], "NA") == ML_CSV_INTEGER);
	CHECK(ml_csv_column_type(&columns[1], "NA") == ML_CSV_TEXT);
	/* Quoted words are values. */
	ml_csv_column_init(&columns[0]);
	ml_csv_observe(&columns[0], "1", 1, false);
	ml_csv_observe(&columns[0], "NA", 2, true);
	CHECK(ml_csv_column_type(&columns[0], NULL) == ML_CSV_TEXT);
}

static MlStatus
read_and_sniff(MlEnv *env, void *arg)
{
	static const char text[] = "a;b\n1;'x'\n2;'y'\n";
	MlCsvDialect dialect = {0, 0, 0};
	char out[200];

	(void) arg;
	ML_TRY(ml_csv_sniff(env, text, sizeof text - 1, true, &dialect));
	CHECK(dialect.delimiter == ';' && dialect.quote == '\'');
	return read_all(env, text, sizeof text - 1, dialect, 5, out, sizeof out);
}

static void
survives_failing_allocations(void)
{
	unit_every_allocation_fails(read_and_sniff, NULL, 200);
}

int
main(void)
{
	RUN(reads_as_copy_does);
	RUN(reads_noise_in_any_pieces);
	RUN(refuses_long_records);
	RUN(sniffs_dialects);
	RUN(infers_numbers);
	RUN(keeps_printed_doubles);
	RUN(infers_dates);
	RUN(infers_booleans);
	RUN(finds_missing_words);
	RUN(survives_failing_allocations);
	return unit_end();
}
