/*
 * test_csv.c
 *		The CSV reader, the dialect, the types.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/csv/csv.h"
#include "data/csv/csvtype.h"

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

/* Lines are counted as an editor does; a record that is given up leaves nothing behind. */
static void
counts_lines_and_starts_again(void)
{
	static const char text[] = "a,\"never closed\nb,c\n";
	const char *next = text, *end = text + sizeof text - 1;
	MlCsvReader in;
	MlEnv env;
	bool whole;

	CHECK(ml_csv_count_lines("", 0) == 0);
	CHECK(ml_csv_count_lines("a\nb\r\nc\rd", 8) == 3);
	CHECK(ml_csv_count_lines("a\r", 2) == 1);
	CHECK(ml_csv_count_lines("\r\r\n\n", 4) == 3);
	ml_env_init(&env);
	ml_csv_reader_init(&in, &env, comma, 1000);
	CHECK(ml_csv_next(&in, &next, end, true, &whole) == ML_OK && whole && in.unclosed);
	next = strchr(text, '\n') + 1;
	ml_csv_reader_restart(&in);
	CHECK(ml_csv_next(&in, &next, end, true, &whole) == ML_OK && whole && !in.unclosed);
	CHECK(in.n_fields == 2 && strcmp(ml_csv_text(&in, 1), "c") == 0);
	ml_csv_reader_free(&in);
	CHECK(env.used == 0);
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

/* Observe values separated by bars; "" is a missing value, "~x" a quoted x. */
static void
observe_values(MlCsvColumn *column, const char *values)
{
	ml_csv_column_init(column);
	for (;;)
	{
		char value[200];
		bool quoted = *values == '~';
		size_t len;

		values += quoted;
		len = strcspn(values, "|");
		memcpy(value, values, len);
		value[len] = '\0';
		ml_csv_observe(column, value, len, quoted);
		if (values[len] == '\0')
			break;
		values += len + 1;
	}
}

/* Find out how the columns are read; returns the column that leaves the way or the order open, or -1. */
static int
find_reading(const MlCsvColumn *columns, size_t n, MlCsvReading *reading)
{
	int way, order;

	*reading = (MlCsvReading){.missing = ml_csv_find_missing(columns, n)};
	way = ml_csv_choose_way(columns, n, NULL, UINT16_MAX, reading);
	order = ml_csv_choose_order(columns, n, NULL, ML_CSV_ALL_ORDERS, reading);
	return ML_MAX(way, order);
}

/* missing: the markers, separated by blanks, "-" in front when the empty field is not missing. */
static void
check_missing(MlCsvMissing missing, const char *want)
{
	char got[200] = "";

	if (!missing.empty)
		strcat(got, "only");
	for (int m = 0; ml_csv_marker(m); m++)
		if (missing.markers & (1u << m))
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", *got ? " " : "",
					 ml_csv_marker(m));
	if (strcmp(got, want) != 0)
		printf("# %s, not %s\n", got, want);
	CHECK(strcmp(got, want) == 0);
}

static void
check_type(const char *values, MlCsvType want, const char *want_missing)
{
	MlCsvColumn column;
	MlCsvReading reading;
	MlCsvType got;

	observe_values(&column, values);
	find_reading(&column, 1, &reading);
	got = ml_csv_column_type(&column, &reading);
	if (got != want)
		printf("# %s: %s, not %s\n", values, ml_csv_type_name(got), ml_csv_type_name(want));
	CHECK(got == want);
	check_missing(reading.missing, want_missing ? want_missing : "");
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
	check_type("1,5", ML_CSV_DOUBLE, NULL);
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
		CHECK(ml_csv_column_type(&column, &(MlCsvReading){{true, 0}, ML_CSV_SQL, ML_CSV_YMD}) ==
			  ML_CSV_DOUBLE);
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
	check_type("31.12.2024", ML_CSV_DATE, NULL);
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
	MlCsvReading reading;

	check_type("1|NA|2", ML_CSV_INTEGER, "only NA");
	check_type("1|?|2.5|?", ML_CSV_DOUBLE, "only ?");
	check_type("1|NA||2", ML_CSV_INTEGER, "NA");
	check_type("1|NA|null", ML_CSV_INTEGER, "NA null");
	check_type("1,5|-", ML_CSV_DOUBLE, "only -");
	check_type("a|NA", ML_CSV_TEXT, NULL);
	check_type("NA|NA", ML_CSV_TEXT, NULL);
	check_type("2024-01-01|\\N", ML_CSV_DATE, "only \\N");
	check_type("1|~NA", ML_CSV_TEXT, NULL);

	observe_values(&columns[0], "1|NA");
	observe_values(&columns[1], "1|null");
	find_reading(columns, 2, &reading);
	check_missing(reading.missing, "NA null");
	/* What the user says is missing is not observed; other markers are values, and so is an empty field. */
	reading = (MlCsvReading){.missing = {false, 0}};
	CHECK(ml_csv_column_type(&columns[0], &reading) == ML_CSV_TEXT);
	observe_values(&columns[0], "1|");
	CHECK(ml_csv_column_type(&columns[0], &reading) == ML_CSV_TEXT);
}

static void
check_plain(int way, const char *text, const char *want)
{
	char plain[ML_CSV_MAX_NUMBER];
	size_t len = ml_csv_plain_number(ml_csv_numbers[way], text, strlen(text), plain);

	if (len == 0)
		plain[0] = '\0';
	if (strcmp(plain, want) != 0)
		printf("# %s in way %d: %s, not %s\n", text, way, plain, want);
	CHECK(strcmp(plain, want) == 0 && len == strlen(want));
}

static void
writes_numbers_plainly(void)
{
	char digits[1000];

	check_plain(ML_CSV_SQL, " -1.5e3 ", "-1.5e3");
	check_plain(ML_CSV_SQL, "1,5", "");
	check_plain(ML_CSV_COMMA, "1,5", "1.5");
	check_plain(ML_CSV_COMMA, "-,5", "-.5");
	check_plain(ML_CSV_COMMA, "1.5", "");
	check_plain(ML_CSV_COMMA, "1,5,0", "");
	check_plain(ML_CSV_COMMA, "1,5e-3", "1.5e-3");
	check_plain(ML_CSV_COMMA, "", "");
	check_plain(ML_CSV_COMMA, "-", "");
	check_plain(ML_CSV_COMMA_DOT, "1.234.567,89", "1234567.89");
	check_plain(ML_CSV_COMMA_DOT, "1234567,89", "1234567.89");
	check_plain(ML_CSV_COMMA_DOT, "1.23", "");
	check_plain(ML_CSV_COMMA_DOT, "1234.567", "");
	check_plain(ML_CSV_COMMA_DOT, ".123", "");
	check_plain(ML_CSV_COMMA_DOT, "1,234.567", "");
	check_plain(ML_CSV_COMMA_SPACE, "1 234,5", "1234.5");
	check_plain(ML_CSV_COMMA_SPACE,
				"1\xc2\xa0"
				"234\xe2\x80\xaf"
				"567",
				"1234567");
	check_plain(ML_CSV_COMMA_SPACE,
				"1\xa0"
				"234",
				"1234");
	check_plain(ML_CSV_DOT_COMMA, "-1,234.5", "-1234.5");
	check_plain(ML_CSV_DOT_QUOTE, "1'000'000", "1000000");
	check_plain(ML_CSV_COMMA, "NaN", "NaN");
	check_plain(ML_CSV_COMMA, "-Infinity", "-Infinity");
	memset(digits, '1', sizeof digits);
	digits[ML_CSV_MAX_NUMBER - 1] = '\0';
	check_plain(ML_CSV_SQL, digits, digits);
	digits[ML_CSV_MAX_NUMBER - 1] = '1';
	digits[sizeof digits - 1] = '\0';
	check_plain(ML_CSV_SQL, digits, "");
}

/* Two columns, how their numbers and dates are read, and what types they get. */
static void
check_reading(const char *first, const char *second, int open, int way, MlCsvOrder order,
			  MlCsvType type_1, MlCsvType type_2)
{
	MlCsvColumn columns[2];
	MlCsvReading reading;
	int got;

	observe_values(&columns[0], first);
	observe_values(&columns[1], second);
	got = find_reading(columns, 2, &reading);
	if (got != open || reading.way != way || reading.order != order)
		printf("# %s %s: open %d, way %d, order %d\n", first, second, got, reading.way,
			   reading.order);
	CHECK(got == open && reading.way == way && reading.order == order);
	CHECK(ml_csv_column_type(&columns[0], &reading) == type_1);
	CHECK(ml_csv_column_type(&columns[1], &reading) == type_2);
}

static void
finds_ways_of_numbers(void)
{
	const MlCsvType real = ML_CSV_DOUBLE, whole = ML_CSV_INTEGER, text = ML_CSV_TEXT;

	check_reading("1|2", "1.5", -1, ML_CSV_SQL, ML_CSV_YMD, whole, real);
	check_reading("1,5|2", "3", -1, ML_CSV_COMMA, ML_CSV_YMD, real, whole);
	check_reading("1.234,5", "2", -1, ML_CSV_COMMA_DOT, ML_CSV_YMD, real, whole);
	check_reading("1,234.5", "2", -1, ML_CSV_DOT_COMMA, ML_CSV_YMD, real, whole);
	check_reading("1,234,567", "2", -1, ML_CSV_DOT_COMMA, ML_CSV_YMD, whole, whole);
	check_reading("1'234", "2.5", -1, ML_CSV_DOT_QUOTE, ML_CSV_YMD, whole, real);
	/* Another column decides what a comma means, or nothing does. */
	check_reading("1,234", "0,5", -1, ML_CSV_COMMA, ML_CSV_YMD, real, real);
	check_reading("1,234", "1,234.5", -1, ML_CSV_DOT_COMMA, ML_CSV_YMD, whole, real);
	check_reading("1,234", "7", 0, ML_CSV_SQL, ML_CSV_YMD, text, whole);
	check_reading("1.234|5.678", "0,5", -1, ML_CSV_COMMA_DOT, ML_CSV_YMD, whole, real);
	/* Contradiction; telephone numbers; addresses. */
	check_reading("1.234,5", "1,234.5", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("089 123 456", "123 456 789", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("1 234,5", "123 456", -1, ML_CSV_COMMA_SPACE, ML_CSV_YMD, real, text);
	check_reading("10.0.0.1", "192.168.100.200", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("1.234.567|2.345", "0,5", -1, ML_CSV_COMMA_DOT, ML_CSV_YMD, whole, real);
	check_reading("007,5", "x", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
}

static void
finds_orders_of_dates(void)
{
	const MlCsvType day = ML_CSV_DATE, text = ML_CSV_TEXT;

	check_reading("2024-01-02", "x", -1, ML_CSV_SQL, ML_CSV_YMD, day, text);
	check_reading("31.12.2024|1.2.2024", "x", -1, ML_CSV_SQL, ML_CSV_DMY, day, text);
	check_reading("1/31/2024", "2/1/2024", -1, ML_CSV_SQL, ML_CSV_MDY, day, day);
	check_reading("2/1/2024", "1/2/2024", 0, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("31/1/2024", "2024-01-31|1/2/2024", -1, ML_CSV_SQL, ML_CSV_DMY, day, day);
	check_reading("31/1/2024|1/31/2024", "2/13/2024", -1, ML_CSV_SQL, ML_CSV_MDY, text, day);
	check_reading("31/1/2024", "1/31/2024", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("13.1.2024 8:05", "13/1/2024 11:59:59 PM", -1, ML_CSV_SQL, ML_CSV_DMY,
				  ML_CSV_TIMESTAMP, ML_CSV_TIMESTAMP);
	check_reading("31-Dec-2024|1 March 2024", "May 5, 2024 10:00+02", -1, ML_CSV_SQL, ML_CSV_YMD,
				  day, ML_CSV_TIMESTAMPTZ);
	check_reading("31-Foo-2024", "31.12.24", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("30.2.2024", "1.13.2024", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
	check_reading("1.2.2024 13:00 PM", "1.1.2024 0:00 AM", -1, ML_CSV_SQL, ML_CSV_YMD, text, text);
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
	RUN(counts_lines_and_starts_again);
	RUN(sniffs_dialects);
	RUN(infers_numbers);
	RUN(keeps_printed_doubles);
	RUN(infers_dates);
	RUN(infers_booleans);
	RUN(finds_missing_words);
	RUN(writes_numbers_plainly);
	RUN(finds_ways_of_numbers);
	RUN(finds_orders_of_dates);
	RUN(survives_failing_allocations);
	return unit_end();
}
