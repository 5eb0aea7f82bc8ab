/*
 * jsonfeed.c
 *		The rows of JSON documents, as COPY is to see them.
 *
 * What is wrong with an item ends the import, or sends it to import_rejects: no
 * object, a key twice in one object, a text that no database can hold, a key
 * without a column, and, where each item has a line of its own, no JSON at all.
 */
#include "postgres.h"

#include <limits.h>

#include "pg/compat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/bridge.h"
#include "source/json/jsonfeed.h"
#include "source/json/jsonoptions.h"
#include "source/rejects.h"

#define BOM "\xef\xbb\xbf"
#define BOM_SIZE 3
#define BATCH_SIZE (64 * 1024)

/* ---- bytes */

static void
fill(MlplatJsonFeed *feed)
{
	char *room;
	size_t size;
	int wanted, n;

	mlplat_check(feed->env, ml_json_reader_room(&feed->reader, &room, &size));
	wanted = (int) Min(size, (size_t) INT_MAX / 2);
	n = mlplat_bytes_read(feed->bytes, room, wanted);
	ml_json_reader_filled(&feed->reader, (size_t) n, n < wanted);
}

/* The first bytes: a byte order mark is passed over. */
static void
fill_first(MlplatJsonFeed *feed)
{
	const char *name = feed->bytes->name;
	char *room;
	size_t size;
	int n;

	mlplat_check(feed->env, ml_json_reader_room(&feed->reader, &room, &size));
	n = mlplat_bytes_read(feed->bytes, room, BOM_SIZE);
	if (n == 0)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT), errmsg("%s is empty", name)));
	if (n == BOM_SIZE && memcmp(room, BOM, BOM_SIZE) == 0)
		ml_json_reader_filled(&feed->reader, 0, false);
	else
		ml_json_reader_filled(&feed->reader, (size_t) n, n < BOM_SIZE);
}

void
mlplat_json_feed_start(MlplatJsonFeed *feed, bool sampling)
{
	feed->sampling = sampling;
	feed->ended = false;
	mlplat_bytes_rewind(feed->bytes);
	ml_json_reader_init(&feed->reader, feed->env, feed->path, feed->row);
	fill_first(feed);
}

void
mlplat_json_feed_end(MlplatJsonFeed *feed)
{
	ml_json_reader_free(&feed->reader);
}

/* ---- what is wrong */

/* A text of the pure code, which is in UTF-8, for a message. */
static const char *
message_text(const char *text)
{
	return pg_any_to_server(pstrdup(text), (int) strlen(text), PG_UTF8);
}

static void
throw_broken(const MlplatJsonFeed *feed)
{
	const MlJsonReader *reader = &feed->reader;
	const char *problem = message_text(reader->problem);

	if (reader->path_problem)
		ereport(ERROR,
				(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
				 errmsg("path %s does not fit line " UINT64_FORMAT " of %s: %s", feed->path->text,
						(uint64) reader->problem_line, feed->bytes->name, problem)));
	ereport(ERROR,
			(errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			 errmsg("invalid JSON at line " UINT64_FORMAT ", column " UINT64_FORMAT " of %s: %s",
					(uint64) reader->problem_line, (uint64) reader->problem_column,
					feed->bytes->name, problem)));
}

/* The most that may be rejected: a number from 1 on, below it a share, which is looked at in the end (loadjson.c). */
static void
check_n_rejected(const MlplatJsonFeed *feed, int64 line, const char *reason)
{
	if (feed->max_rejects < 1 || (double) feed->import->rejected <= feed->max_rejects)
		return;
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
					errmsg("more than %.0f rows of %s are to be rejected", feed->max_rejects,
						   feed->bytes->name),
					errdetail("The last is line " INT64_FORMAT ": %s.", line, reason)));
}

static void
reject(MlplatJsonFeed *feed, const char *column, const char *reason)
{
	const MlJsonReader *reader = &feed->reader;
	int64 line = (int64) ml_json_reader_line(&feed->reader);

	mlplat_reject(feed->import, line, column, reason, reader->item,
				  (size_t) (reader->item_end - reader->item));
	check_n_rejected(feed, line, reason);
}

/* The item is JSON, but no row; key ML_JSON_NO_KEY: as a whole. */
static void
refuse(MlplatJsonFeed *feed, uint32 key, const char *problem)
{
	const char *name;

	if (feed->rejecting && feed->sampling)
		return;
	name = key == ML_JSON_NO_KEY || key == ML_JSON_ROOT ? NULL
														: mlplat_json_key_name(feed->columns, key);
	if (feed->rejecting)
		reject(feed, name, problem);
	else if (name)
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("key \"%s\" of the row on line " UINT64_FORMAT " of %s: %s", name,
							   ml_json_reader_line(&feed->reader), feed->bytes->name, problem)));
	else
		ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
						errmsg("the row on line " UINT64_FORMAT " of %s: %s",
							   ml_json_reader_line(&feed->reader), feed->bytes->name, problem)));
}

/* ---- rows */

bool
mlplat_json_feed_next(MlplatJsonFeed *feed)
{
	while (!feed->ended)
	{
		MlJsonEvent event;

		mlplat_check(feed->env, ml_json_reader_next(&feed->reader, &event));
		switch (event)
		{
			case ML_JSON_ITEM:
				if (!feed->row->problem)
					return true;
				refuse(feed, feed->row->problem_key, feed->row->problem);
				break;
			case ML_JSON_BAD_LINE:
				if (!feed->rejecting)
					throw_broken(feed);
				if (!feed->sampling)
					reject(feed, NULL,
						   psprintf("invalid JSON: %s", message_text(feed->reader.problem)));
				break;
			case ML_JSON_BROKEN:
				throw_broken(feed);
				break;
			case ML_JSON_END:
				feed->ended = true;
				break;
			default:
				fill(feed);
		}
	}
	return false;
}

/* Values without a column: an error, a reject, or counted. True: the row is taken. */
static bool
take_extra(MlplatJsonFeed *feed)
{
	bool ignore = strcmp(ml_param_text(feed->columns->options, JSON_EXTRA), "ignore") == 0;
	uint64 n;
	uint32 key = mlplat_json_find_extra(feed->columns, &n);

	if (!mlplat_json_selects(feed->columns))
		n += feed->row->n_untold;
	if (n == 0)
		return true;
	if (ignore)
		feed->n_ignored += n;
	else if (feed->rejecting)
		reject(feed, key == ML_JSON_NO_KEY ? NULL : mlplat_json_key_name(feed->columns, key),
			   "there is no column for this key");
	else
		mlplat_json_extra_error(feed->columns, key, ml_json_reader_line(&feed->reader));
	return ignore;
}

/* Can all values of the row be stored as texts, and, when rejecting, does the table take them? */
static bool
check_row(MlplatJsonFeed *feed)
{
	const MlplatJsonColumns *columns = feed->columns;

	for (int j = 0; j < columns->n; j++)
	{
		uint32 key = columns->columns[j].key;
		const MlJsonValue *value = key == ML_JSON_NO_KEY ? NULL : ml_json_row_value(feed->row, key);

		if (value && (value->flags & ML_STRING_UNSTORABLE))
		{
			refuse(feed, key, ml_json_unstorable(value->flags));
			return false;
		}
	}
	if (!feed->rejecting || mlplat_json_check_row(&feed->check))
		return true;
	reject(feed, feed->check.column, feed->check.reason);
	return false;
}

static void
put_row(MlplatJsonFeed *feed)
{
	const MlplatJsonColumns *columns = feed->columns;

	feed->lines[feed->n_rows++ % MLPLAT_JSON_LINES] = ml_json_reader_line(&feed->reader);
	for (int j = 0; j < columns->n; j++)
	{
		const MlplatJsonColumn *column = &columns->columns[j];
		const MlJsonValue *value =
			column->key == ML_JSON_NO_KEY ? NULL : ml_json_row_value(feed->row, column->key);

		if (j > 0)
			ml_put_u8(&feed->out, '\t');
		ml_json_put_field(&feed->out, value, column->as_json);
	}
	ml_put_u8(&feed->out, '\n');
	mlplat_check(feed->env, feed->out.status);
}

static void
put_rows(MlplatJsonFeed *feed)
{
	feed->out.len = feed->out_pos = 0;
	while (feed->out.len < BATCH_SIZE && mlplat_json_feed_next(feed))
		if ((feed->row->n_unwanted == 0 || take_extra(feed)) && check_row(feed))
			put_row(feed);
}

uint64
mlplat_json_feed_line(const MlplatJsonFeed *feed, int64 row)
{
	uint64 i = (uint64) row - 1;

	if (row < 1 || i >= feed->n_rows || feed->n_rows - i > MLPLAT_JSON_LINES)
		return 0;
	return feed->lines[i % MLPLAT_JSON_LINES];
}

int
mlplat_json_feed_read(void *arg, char *out, int min pg_attribute_unused(), int max)
{
	MlplatJsonFeed *feed = arg;
	size_t n;

	if (feed->out_pos == feed->out.len)
	{
		MemoryContext caller = MemoryContextSwitchTo(feed->batch);

		put_rows(feed);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(feed->batch);
	}
	n = Min((size_t) max, feed->out.len - feed->out_pos);
	memcpy(out, feed->out.data + feed->out_pos, n);
	feed->out_pos += n;
	return (int) n;
}
