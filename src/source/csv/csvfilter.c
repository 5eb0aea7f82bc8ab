/*
 * csvfilter.c
 *		CSV record by record on its way to COPY: what does not fit is kept out, numbers are rewritten.
 *
 * It stands between the file and COPY in two cases. With on_error = reject each
 * record is checked (csvcheck.c) before COPY sees it, and one that COPY would
 * fail on goes to import_rejects. And where numbers are not written as SQL does,
 * or several words stand for missing values, the fields are written anew.
 *
 * Records are checked many at a time in one attempt (pg/attempt.h), which ends
 * early at a record to be rejected: what it reports is written down outside, so
 * that no rollback can take it away. Nothing is read from the file inside an
 * attempt, since an error of reading is not one of a row.
 *
 * A quote that is never closed would take the rest of the file into one record.
 * So, when rejecting, a record that is longer than MAX_RECORD, or that the file
 * ends in, is given up: its first line is rejected, and reading goes on with the
 * next line.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/attempt.h"
#include "pg/bridge.h"
#include "source/csv/csvcheck.h"
#include "source/csv/csvfilter.h"
#include "source/csv/csvstream.h"
#include "source/rejects.h"

#define PIECE_SIZE (64 * 1024)

/* Bytes of a record when rejecting; the memory of an import is a small multiple. */
#define MAX_RECORD (16 * 1024 * 1024)

/* More records with quotes that are never closed: then the dialect is wrong, and each may cost reading MAX_RECORD bytes. */
#define MAX_UNCLOSED 100

/* From this line of what COPY sees on, the file's lines have numbers that are larger by shift. */
typedef struct Shift
{
	int64 line, shift;
} Shift;

/* Why produce() has stopped. */
typedef enum Stop
{
	STOP_FULL,    /* enough is ready to be handed out */
	STOP_HUNGRY,  /* more of the file is needed */
	STOP_BAD,     /* the current record is bad, as check says */
	STOP_CUT_OFF, /* the current record is given up after its first line */
	STOP_END
} Stop;

struct MlplatCsvFilter
{
	MlplatBytes *file;
	MlplatImport *import;
	const MlplatCsvSample *sample;
	MlplatCsvCheck check;
	bool reject, rewrite;
	MlCsvReader reader;
	MemoryContext scratch; /* of checking one record */

	/* What was read: the current record starts at start, the reader has got to pos. */
	char *in;
	Size in_size;
	Size start, pos, len;
	bool at_start, at_end;

	bool header;       /* the next record is the header */
	bool again;        /* the record that was read last has not been dealt with yet */
	int64 line;        /* where the current record starts, from 1 */
	int64 n_blank;     /* blank lines that may have to be handed on */
	int64 marker_line; /* of a line with nothing but "\.", when that came last; else 0 */
	int n_unclosed;
	Stop stop;

	StringInfoData out;
	int out_pos;
	int64 out_line; /* of what was handed out so far */
	bool any_out;
	Shift *shifts;
	Size n_shifts, shifts_size;
};

bool
mlplat_csv_filter_needed(const MlplatCsvSample *sample)
{
	return ml_param_int(sample->options, CSV_ON_ERROR) == 1 || sample->n_missing > 1 ||
		   sample->reading.way != ML_CSV_SQL;
}

MlplatCsvFilter *
mlplat_csv_filter_create(MlplatBytes *file, MlEnv *env, MlplatImport *import,
						 const MlplatCsvSample *sample, MlplatCsvField *fields, bool header)
{
	MlplatCsvFilter *filter = palloc0(sizeof(MlplatCsvFilter));

	filter->file = file;
	filter->import = import;
	filter->sample = sample;
	filter->header = header;
	filter->reject = ml_param_int(sample->options, CSV_ON_ERROR) == 1;
	filter->rewrite = sample->n_missing > 1 || sample->reading.way != ML_CSV_SQL;
	mlplat_csv_check_init(&filter->check, sample, fields, &filter->reader);
	ml_csv_reader_init(&filter->reader, env, sample->dialect,
					   filter->reject ? MAX_RECORD : MaxAllocSize);
	filter->scratch =
		AllocSetContextCreate(CurrentMemoryContext, "mlplat csv record", ALLOCSET_DEFAULT_SIZES);
	filter->in_size = 2 * PIECE_SIZE;
	filter->in = palloc(filter->in_size);
	filter->shifts_size = 64;
	filter->shifts = palloc(sizeof(Shift) * filter->shifts_size);
	filter->line = filter->out_line = 1;
	filter->at_start = true;
	initStringInfo(&filter->out);
	mlplat_bytes_rewind(file);
	return filter;
}

/* ---- lines */

/* A record is about to be handed out. */
static void
note_shift(MlplatCsvFilter *filter)
{
	int64 shift = filter->line - filter->out_line;
	int64 before = filter->n_shifts > 0 ? filter->shifts[filter->n_shifts - 1].shift : 0;

	if (shift == before)
		return;
	if (filter->n_shifts == filter->shifts_size)
	{
		filter->shifts_size *= 2;
		filter->shifts = repalloc_huge(filter->shifts, sizeof(Shift) * filter->shifts_size);
	}
	filter->shifts[filter->n_shifts++] = (Shift){filter->out_line, shift};
}

int64
mlplat_csv_filter_line(const MlplatCsvFilter *filter, int64 line)
{
	Size low = 0, high = filter->n_shifts;

	while (low < high)
	{
		Size middle = (low + high) / 2;

		if (filter->shifts[middle].line <= line)
			low = middle + 1;
		else
			high = middle;
	}
	return line + (low > 0 ? filter->shifts[low - 1].shift : 0);
}

/* ---- records of the file */

static void
read_piece(MlplatCsvFilter *filter)
{
	int n;

	/* A long record is at the start already: moving it with each piece would cost the square of its length. */
	if (filter->start > 0)
		memmove(filter->in, filter->in + filter->start, filter->len - filter->start);
	filter->pos -= filter->start;
	filter->len -= filter->start;
	filter->start = 0;
	if (filter->in_size - filter->len < PIECE_SIZE)
	{
		filter->in_size *= 2;
		filter->in = repalloc_huge(filter->in, filter->in_size);
	}
	n = filter->at_start ? mlplat_csv_read_start(filter->file, filter->in + filter->len, PIECE_SIZE)
						 : mlplat_bytes_read(filter->file, filter->in + filter->len, PIECE_SIZE);
	filter->at_start = false;
	filter->len += n;
	filter->at_end = n < PIECE_SIZE;
}

/* The current record's bytes, without the end of its line. */
static const char *
record_text(const MlplatCsvFilter *filter, Size *len)
{
	const char *text = filter->in + filter->start;

	*len = filter->pos - filter->start;
	while (*len > 0 && (text[*len - 1] == '\n' || text[*len - 1] == '\r'))
		(*len)--;
	return text;
}

static void
skip_record(MlplatCsvFilter *filter)
{
	const char *text = filter->in + filter->start;

	filter->line += (int64) ml_csv_count_lines(text, filter->pos - filter->start);
	filter->start = filter->pos;
}

/* Read the next record. False: stop says why there is none. */
static bool
next_record(MlplatCsvFilter *filter)
{
	const char *data = filter->in + filter->pos, *end = filter->in + filter->len;
	bool begun = filter->pos > filter->start, whole;
	MlStatus status;

	/* A LF after a CR belongs to the line before. */
	if (!begun && ml_csv_after_return(&filter->reader) && data < end && *data == '\n')
		filter->start++;
	status = ml_csv_next(&filter->reader, &data, end, filter->at_end, &whole);
	filter->pos = data - filter->in;
	filter->stop = STOP_HUNGRY;
	if (status == ML_EDATA && filter->reject)
		filter->stop = STOP_CUT_OFF;
	else
		mlplat_check(filter->reader.env, status);
	if (!whole && filter->at_end && status == ML_OK)
		filter->stop = STOP_END;
	return whole && status == ML_OK;
}

static bool
is_blank(const MlCsvReader *reader)
{
	return reader->n_fields == 1 && reader->fields[0].len == 0 && !reader->fields[0].quoted;
}

static bool
is_end_marker(const MlCsvReader *reader)
{
	return reader->n_fields == 1 && !reader->fields[0].quoted && reader->fields[0].len == 2 &&
		   memcmp(ml_csv_text(reader, 0), "\\.", 2) == 0;
}

/* ---- records for COPY */

/* A field with quotes around it. */
static void
put_quoted(StringInfo out, const MlCsvDialect *dialect, const char *text, size_t len)
{
	appendStringInfoCharMacro(out, dialect->quote);
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == dialect->quote || text[i] == dialect->escape)
			appendStringInfoCharMacro(out, dialect->escape);
		appendStringInfoCharMacro(out, text[i]);
	}
	appendStringInfoCharMacro(out, dialect->quote);
}

static void
put_field(MlplatCsvFilter *filter, int j)
{
	const MlCsvField *field = &filter->reader.fields[j];
	const char *text = ml_csv_text(&filter->reader, (size_t) j);
	char plain[ML_CSV_MAX_NUMBER];
	size_t len;

	if (!field->quoted && mlplat_csv_is_missing(filter->sample, text))
		appendStringInfoString(&filter->out, filter->sample->missing[0]);
	else if ((len = mlplat_csv_rewrite(&filter->check, j, plain)) > 0)
		appendBinaryStringInfo(&filter->out, plain, (int) len);
	else if (field->quoted)
		put_quoted(&filter->out, &filter->sample->dialect, text, field->len);
	else
		appendBinaryStringInfo(&filter->out, text, (int) field->len);
}

static void
put_fields(MlplatCsvFilter *filter)
{
	for (int j = 0; j < filter->sample->n_columns; j++)
	{
		if (j > 0)
			appendStringInfoChar(&filter->out, filter->sample->dialect.delimiter);
		put_field(filter, j);
	}
}

static void
put_record(MlplatCsvFilter *filter, bool rewrite)
{
	int first = filter->out.len;
	const char *text;
	Size len;

	note_shift(filter);
	text = record_text(filter, &len);
	if (rewrite && !filter->reader.unclosed)
		put_fields(filter);
	else
		appendBinaryStringInfo(&filter->out, text, (int) len);
	appendStringInfoChar(&filter->out, '\n');
	for (const char *p = filter->out.data + first, *end = filter->out.data + filter->out.len;
		 (p = memchr(p, '\n', (size_t) (end - p))) != NULL; p++)
		filter->out_line++;
	filter->any_out = true;
}

/* Blank lines between rows are COPY's to complain of, unless bad rows are rejected: then they are none. */
static void
put_blank_lines(MlplatCsvFilter *filter)
{
	for (; filter->n_blank > 0; filter->n_blank--)
		if (filter->any_out && !filter->reject)
		{
			appendStringInfoChar(&filter->out, '\n');
			filter->out_line++;
		}
}

/* Deal with the current record. False: it is bad. */
static bool
take_record(MlplatCsvFilter *filter)
{
	bool good = true, header = filter->header;
	const char *text;
	Size len;

	if (!header && (filter->reject || filter->rewrite))
	{
		text = record_text(filter, &len);
		good = mlplat_csv_check_record(&filter->check, text, len, filter->reject);
	}
	if (!good)
		return false;
	put_blank_lines(filter);
	put_record(filter, filter->rewrite && !header);
	filter->header = false;
	skip_record(filter);
	return true;
}

/* Is the current record no row but something to be remembered? */
static bool
is_no_row(MlplatCsvFilter *filter)
{
	if (filter->sample->n_columns > 1 && is_blank(&filter->reader))
	{
		filter->n_blank++;
		return true;
	}
	if (!is_end_marker(&filter->reader))
		return false;
	if (filter->marker_line == 0)
		filter->marker_line = filter->line;
	return true;
}

/* Records up to a full piece, or to a stop. Runs inside an attempt. */
static void
produce(void *arg)
{
	MlplatCsvFilter *filter = arg;

	filter->stop = STOP_FULL;
	while (filter->out.len < PIECE_SIZE)
	{
		if (!filter->again && !next_record(filter))
			return;
		filter->again = false;
		if (filter->reject && filter->reader.unclosed)
		{
			filter->stop = STOP_CUT_OFF;
			return;
		}
		if (is_no_row(filter))
		{
			skip_record(filter);
			continue;
		}
		if (filter->marker_line > 0 || !take_record(filter))
		{
			filter->stop = STOP_BAD;
			return;
		}
		MemoryContextReset(filter->scratch);
		filter->stop = STOP_FULL;
	}
}

/* ---- bad records */

static void
check_n_rejected(const MlplatCsvFilter *filter, int64 line, const char *reason)
{
	const MlParams *options = filter->sample->options;
	double max = ml_param_given(options, CSV_MAX_REJECTS) ? ml_param_real(options, CSV_MAX_REJECTS)
														  : INFINITY;

	if (max >= 1 && (double) filter->import->rejected > max)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("more than %.0f rows of %s are to be rejected", max, filter->file->name),
				 errdetail("The last is line " INT64_FORMAT ": %s.", line, reason)));
}

static void
reject(MlplatCsvFilter *filter, int64 line, const char *column, const char *reason,
	   const char *text, Size len)
{
	mlplat_reject(filter->import, line, column, reason, text, len);
	check_n_rejected(filter, line, reason);
}

/* A line with nothing but "\.", before other lines. The record that follows is still to be dealt with. */
static void
refuse_marker(MlplatCsvFilter *filter)
{
	static const char reason[] = "a line before the end of the file holds only \"\\.\"";

	if (!filter->reject)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT), errmsg("%s", reason),
						errdetail("COPY takes such a line for the end of the data.")));
	reject(filter, filter->marker_line, NULL, reason, "\\.", 2);
	filter->marker_line = 0;
	filter->again = true;
}

/* The record that check is about. When rows are not rejected, COPY stands at it and tells the line. */
static void
refuse_record(MlplatCsvFilter *filter)
{
	const MlplatCsvCheck *check = &filter->check;
	const char *text;
	Size len;

	note_shift(filter);
	if (!filter->reject)
		ereport(ERROR, (errcode(check->code), errmsg("%s", check->reason),
						check->column ? errcontext("column %s", check->column) : 0));
	text = record_text(filter, &len);
	reject(filter, filter->line, check->column, check->reason, text, len);
	skip_record(filter);
}

/* The first line of a record that has no end; reading goes on behind it. */
static void
refuse_first_line(MlplatCsvFilter *filter)
{
	const char *text = filter->in + filter->start;
	Size len = filter->len - filter->start, first = 0;
	bool unclosed = filter->reader.unclosed;

	while (first < len && text[first] != '\n' && text[first] != '\r')
		first++;
	if (++filter->n_unclosed > MAX_UNCLOSED)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("%s has more than %d rows without an end, the last in line " INT64_FORMAT,
						filter->file->name, MAX_UNCLOSED, filter->line)));
	reject(filter, filter->line, NULL,
		   unclosed ? "a quote is never closed"
					: psprintf("the row has more than %d bytes or %d fields", MAX_RECORD,
							   ML_CSV_MAX_FIELDS),
		   text, first);
	filter->start = filter->pos = filter->start + first;
	ml_csv_reader_restart(&filter->reader);
}

/* Go on behind the end of the line. */
static void
skip_line(MlplatCsvFilter *filter)
{
	for (;;)
	{
		while (filter->start < filter->len && filter->in[filter->start] != '\n' &&
			   filter->in[filter->start] != '\r')
			filter->start++;
		/* A CR at the very end of what was read may have a LF behind it. */
		if (filter->at_end || filter->len - filter->start >= 2)
			break;
		filter->pos = filter->start;
		read_piece(filter);
	}
	if (filter->len - filter->start >= 2 && memcmp(filter->in + filter->start, "\r\n", 2) == 0)
		filter->start++;
	if (filter->start < filter->len)
		filter->start++;
	filter->pos = filter->start;
	filter->line++;
}

/* ---- the stream */

/* What produce has stopped at. */
static void
handle_stop(MlplatCsvFilter *filter)
{
	switch (filter->stop)
	{
		case STOP_HUNGRY:
			read_piece(filter);
			break;
		case STOP_BAD:
			if (filter->marker_line > 0)
				refuse_marker(filter);
			else
				refuse_record(filter);
			break;
		case STOP_CUT_OFF:
			refuse_first_line(filter);
			skip_line(filter);
			break;
		default:
			break;
	}
}

/* Fill the buffer of what can be handed out; it stays empty at the end. */
static void
fill_out(MlplatCsvFilter *filter)
{
	ErrorData *error = NULL;

	resetStringInfo(&filter->out);
	filter->out_pos = 0;
	while (filter->out.len == 0 && filter->stop != STOP_END)
	{
		CHECK_FOR_INTERRUPTS();
		handle_stop(filter);
		if (filter->reject)
			error = mlplat_attempt(produce, filter);
		else
			produce(filter);
		if (error)
		{
			mlplat_csv_check_failed(&filter->check, error);
			filter->stop = STOP_BAD;
		}
		MemoryContextReset(filter->scratch);
	}
}

int
mlplat_csv_filter_read(void *arg, char *out, int min pg_attribute_unused(), int max)
{
	MlplatCsvFilter *filter = arg;
	MemoryContext caller = MemoryContextSwitchTo(filter->scratch);
	int n;

	if (filter->out_pos == filter->out.len)
		fill_out(filter);
	MemoryContextSwitchTo(caller);
	n = Min(max, filter->out.len - filter->out_pos);
	memcpy(out, filter->out.data + filter->out_pos, (size_t) n);
	filter->out_pos += n;
	return n;
}
