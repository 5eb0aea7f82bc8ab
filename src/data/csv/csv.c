/*
 * csv.c
 *		CSV as COPY reads it: records and fields, and guessing the dialect.
 *
 * The reader follows PostgreSQL's COPY, so that what is seen in a sample is what
 * COPY will read: quotes may open and close anywhere in a field, a record ends
 * with LF, CR LF or CR outside quotes, and nothing is trimmed. It is a state
 * machine over bytes; a piece may end anywhere, also between CR and LF.
 *
 * Bytes are taken for ASCII where they look like it. That is right in all
 * encodings of a server; in those of clients only (SJIS, Big5, GBK, ...) the
 * second byte of a character may look like a bar or a backslash, which can lead
 * the guess of a dialect astray, and nothing else.
 */
#include <string.h>

#include "data/csv/csv.h"

/* States of the machine. */
enum
{
	RECORD_START,
	PLAIN,       /* outside quotes */
	CLOSED,      /* outside quotes, just after a closing one */
	QUOTED,      /* inside */
	ESCAPED,     /* inside, after the escape character */
	AFTER_RETURN /* a record ended with CR: a LF may follow */
};

void
ml_csv_reader_init(MlCsvReader *in, MlEnv *env, MlCsvDialect dialect, size_t max_record)
{
	memset(in, 0, sizeof *in);
	in->env = env;
	in->dialect = dialect;
	in->max_record = max_record;
	in->state = RECORD_START;
	in->ends_plain['\n'] = in->ends_plain['\r'] = true;
	in->ends_plain[(uint8_t) dialect.delimiter] = in->ends_plain[(uint8_t) dialect.quote] = true;
	in->ends_quoted[(uint8_t) dialect.quote] = in->ends_quoted[(uint8_t) dialect.escape] = true;
}

void
ml_csv_reader_restart(MlCsvReader *in)
{
	in->text_len = in->n_fields = 0;
	in->done = in->unclosed = false;
	in->state = RECORD_START;
}

void
ml_csv_reader_free(MlCsvReader *in)
{
	ml_free(in->env, in->text);
	ml_free(in->env, in->fields);
}

/* Make room in the record's text. */
static MlStatus
reserve(MlCsvReader *in, size_t n)
{
	if (n > in->max_record - in->text_len)
		return ml_fail(in->env, ML_EDATA, "record %zu is longer than %zu bytes", in->n_records + 1,
					   in->max_record);
	if (n > in->text_capacity - in->text_len)
		return ml_grow(in->env, &in->text, &in->text_capacity, in->text_len + n, 1);
	return ML_OK;
}

static MlStatus
put_char(MlCsvReader *in, char c)
{
	ML_TRY(reserve(in, 1));
	in->text[in->text_len++] = c;
	return ML_OK;
}

static MlStatus
begin_field(MlCsvReader *in)
{
	if (in->n_fields == ML_CSV_MAX_FIELDS)
		return ml_fail(in->env, ML_EDATA, "record %zu has more than %d fields", in->n_records + 1,
					   ML_CSV_MAX_FIELDS);
	if (in->n_fields == in->fields_capacity)
		ML_TRY(ml_grow(in->env, &in->fields, &in->fields_capacity, in->n_fields + 1,
					   sizeof(MlCsvField)));
	in->fields[in->n_fields++] = (MlCsvField){.start = in->text_len};
	return ML_OK;
}

static MlStatus
end_field(MlCsvReader *in)
{
	MlCsvField *field = &in->fields[in->n_fields - 1];

	field->len = in->text_len - field->start;
	in->n_quoted += field->quoted;
	return put_char(in, '\0');
}

static MlStatus
end_record(MlCsvReader *in, int next_state)
{
	ML_TRY(end_field(in));
	in->n_records++;
	in->state = next_state;
	in->done = true;
	return ML_OK;
}

/* One byte outside quotes. */
static MlStatus
plain_char(MlCsvReader *in, char c)
{
	MlCsvField *field = &in->fields[in->n_fields - 1];

	if (c == '\n')
		return end_record(in, RECORD_START);
	if (c == '\r')
		return end_record(in, AFTER_RETURN);
	if (c == in->dialect.delimiter)
	{
		ML_TRY(end_field(in));
		in->state = PLAIN;
		return begin_field(in);
	}
	/* Text before an opening quote or after a closing one: allowed, but a sign of another dialect. */
	if (in->state == CLOSED || (c == in->dialect.quote && in->text_len > field->start))
		in->n_stray++;
	if (c == in->dialect.quote)
	{
		field->quoted = true;
		in->state = QUOTED;
		return ML_OK;
	}
	in->state = PLAIN;
	return put_char(in, c);
}

/* One byte inside quotes. */
static MlStatus
quoted_char(MlCsvReader *in, char c)
{
	if (c == in->dialect.escape)
		in->state = ESCAPED;
	else if (c == in->dialect.quote)
		in->state = CLOSED;
	else
		return put_char(in, c);
	return ML_OK;
}

/* The byte after an escape character: it makes a quote or itself plain, and else was no escape. */
static MlStatus
escaped_char(MlCsvReader *in, char c)
{
	if (c == in->dialect.escape || c == in->dialect.quote)
	{
		in->state = QUOTED;
		return put_char(in, c);
	}
	if (in->dialect.escape == in->dialect.quote)
	{
		in->state = CLOSED;
		return plain_char(in, c);
	}
	in->state = QUOTED;
	ML_TRY(put_char(in, in->dialect.escape));
	return quoted_char(in, c);
}

static MlStatus
take_char(MlCsvReader *in, char c)
{
	switch (in->state)
	{
		case QUOTED:
			return quoted_char(in, c);
		case ESCAPED:
			return escaped_char(in, c);
		default:
			return plain_char(in, c);
	}
}

static bool
is_in_quotes(const MlCsvReader *in)
{
	return in->state == QUOTED || (in->state == ESCAPED && in->dialect.escape != in->dialect.quote);
}

/* Take all bytes at once that mean nothing. */
static MlStatus
take_run(MlCsvReader *in, const char **data, const char *end)
{
	const bool *ends = in->state == PLAIN ? in->ends_plain : in->ends_quoted;
	const char *p = *data;
	size_t n;

	while (p < end && !ends[(uint8_t) *p])
		p++;
	n = (size_t) (p - *data);
	if (n == 0)
		return ML_OK;
	ML_TRY(reserve(in, n));
	memcpy(in->text + in->text_len, *data, n);
	in->text_len += n;
	*data = p;
	return ML_OK;
}

MlStatus
ml_csv_next(MlCsvReader *in, const char **data, const char *end, bool last, bool *whole)
{
	*whole = false;
	if (in->done)
	{
		in->text_len = in->n_fields = 0;
		in->done = false;
	}
	while (*data < end && !in->done)
	{
		char c;

		if (in->state == PLAIN || in->state == QUOTED)
			ML_TRY(take_run(in, data, end));
		if (*data == end)
			break;
		c = *(*data)++;
		if (in->state == AFTER_RETURN)
		{
			in->state = RECORD_START;
			if (c == '\n')
				continue;
		}
		if (in->state == RECORD_START)
		{
			ML_TRY(begin_field(in));
			in->state = PLAIN;
		}
		ML_TRY(take_char(in, c));
	}
	if (!in->done && last && in->n_fields > 0)
	{
		in->unclosed = is_in_quotes(in);
		ML_TRY(end_record(in, RECORD_START));
	}
	*whole = in->done;
	return ML_OK;
}

bool
ml_csv_after_return(const MlCsvReader *in)
{
	return in->state == AFTER_RETURN;
}

size_t
ml_csv_count_lines(const char *text, size_t len)
{
	const char *end = text + len, *p = text;
	size_t n = 0;

	for (; (p = memchr(p, '\n', (size_t) (end - p))) != NULL; p++)
		n++;
	for (p = text; (p = memchr(p, '\r', (size_t) (end - p))) != NULL; p++)
		n += p + 1 == end || p[1] != '\n';
	return n;
}

/* ---- the dialect */

#define SNIFF_RECORDS 200
#define SNIFF_FIELDS 2048 /* counts above are taken together */

/* How well a dialect fits: records, how many of them have the most frequent number of fields. */
typedef struct Fit
{
	size_t n_records;
	size_t n_alike;
	size_t n_fields; /* the most frequent number */
	size_t n_quoted, n_stray;
} Fit;

/* Count the fields of the first records; a last record that may be cut off does not count. */
static MlStatus
fit_records(MlCsvReader *in, const char *sample, size_t len, bool last, Fit *fit)
{
	uint16_t counts[SNIFF_FIELDS + 1] = {0};
	const char *data = sample;
	bool whole;

	memset(fit, 0, sizeof *fit);
	while (fit->n_records < SNIFF_RECORDS)
	{
		MlStatus status = ml_csv_next(in, &data, sample + len, last, &whole);

		/* Too many fields: hardly the right delimiter. */
		if (status == ML_EDATA)
			break;
		if (status != ML_OK)
			return status;
		if (!whole)
			break;
		if (in->n_fields == 1 && in->fields[0].len == 0)
			continue;
		fit->n_records++;
		counts[ML_MIN(in->n_fields, SNIFF_FIELDS)]++;
	}
	for (size_t n = 1; n <= SNIFF_FIELDS; n++)
		if (counts[n] > fit->n_alike)
		{
			fit->n_alike = counts[n];
			fit->n_fields = n;
		}
	fit->n_quoted = in->n_quoted;
	fit->n_stray = in->n_stray;
	return ML_OK;
}

static MlStatus
fit_dialect(MlEnv *env, const char *sample, size_t len, bool last, MlCsvDialect dialect, Fit *fit)
{
	MlCsvReader in;
	MlStatus status;

	ml_csv_reader_init(&in, env, dialect, SIZE_MAX);
	status = fit_records(&in, sample, len, last, fit);
	ml_csv_reader_free(&in);
	return status;
}

/* Is a a better fit than b? A larger share of records alike, then more fields. */
static bool
fits_better(const Fit *a, const Fit *b)
{
	size_t left = a->n_alike * b->n_records, right = b->n_alike * a->n_records;

	if (a->n_fields < 2)
		return false;
	if (b->n_fields < 2)
		return true;
	return left != right ? left > right : a->n_fields > b->n_fields;
}

/* The best delimiter for a quote character. */
static MlStatus
sniff_delimiter(MlEnv *env, const char *sample, size_t len, bool last, MlCsvDialect *dialect,
				Fit *best)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	char given = dialect->delimiter;

	dialect->delimiter = given ? given : candidates[0];
	ML_TRY(fit_dialect(env, sample, len, last, *dialect, best));
	for (size_t i = 1; i < sizeof candidates && !given; i++)
	{
		MlCsvDialect other = *dialect;
		Fit fit;

		other.delimiter = candidates[i];
		ML_TRY(fit_dialect(env, sample, len, last, other, &fit));
		if (fits_better(&fit, best))
		{
			*best = fit;
			*dialect = other;
		}
	}
	return ML_OK;
}

/*
 * Fields are quoted with '"' unless there is none in the sample, there are
 * apostrophes, and these stand only around fields.
 */
MlStatus
ml_csv_sniff(MlEnv *env, const char *sample, size_t len, bool last, MlCsvDialect *dialect)
{
	MlCsvDialect doubled = *dialect, single = *dialect;
	Fit fit;

	doubled.quote = dialect->quote ? dialect->quote : '"';
	doubled.escape = dialect->escape ? dialect->escape : doubled.quote;
	ML_TRY(sniff_delimiter(env, sample, len, last, &doubled, &fit));
	if (!dialect->quote && !memchr(sample, '"', len) && memchr(sample, '\'', len))
	{
		single.quote = '\'';
		single.escape = dialect->escape ? dialect->escape : '\'';
		ML_TRY(sniff_delimiter(env, sample, len, last, &single, &fit));
		if (fit.n_quoted > 0 && fit.n_stray == 0)
			doubled = single;
	}
	*dialect = doubled;
	return ML_OK;
}
