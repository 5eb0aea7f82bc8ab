/*
 * profile_columns.c
 *		From the values of a query's columns to their summaries.
 *
 * Rows are taken in batches: a column's table of values and sketches then stay in the cache while its values are
 * counted, and moments are sums over arrays. Values that are not known by their key wait for nothing: their text is
 * at hand only now. What a text shows is cut at ML_SUMMARY_TEXT_BYTES.
 *
 * Numeric values are kept without trailing zeros of the fraction: 1.0 and 1.00 are one value, and which of them comes
 * first must not show. Of intervals that are equal (1 month, 30 days), one is shown.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "core/rng.h"
#include "pg/bridge.h"
#include "prepare/profile/profile.h"

#define MAX_BATCH_ROWS 4096
#define MIN_BATCH_ROWS 64
#define BATCH_BYTES (2 << 20)

/* ---- columns */

MlSummaryKind
mlplat_profile_kind_of(Oid base_type)
{
	switch (base_type)
	{
		case BOOLOID:
			return ML_SUMMARY_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return ML_SUMMARY_INTEGER;
		case FLOAT4OID:
		case FLOAT8OID:
			return ML_SUMMARY_FLOAT;
		case NUMERICOID:
			return ML_SUMMARY_NUMERIC;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return ML_SUMMARY_DATE;
		case TIMEOID:
			return ML_SUMMARY_TIME;
		case INTERVALOID:
			return ML_SUMMARY_INTERVAL;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return ML_SUMMARY_TEXT;
		case NAMEOID:
		case UUIDOID:
			return ML_SUMMARY_LABEL;
		case INT2ARRAYOID:
		case INT4ARRAYOID:
		case INT8ARRAYOID:
		case FLOAT4ARRAYOID:
		case FLOAT8ARRAYOID:
			return ML_SUMMARY_BLOCK;
		default:
			return get_typtype(base_type) == TYPTYPE_ENUM ? ML_SUMMARY_LABEL : ML_SUMMARY_OTHER;
	}
}

bool
mlplat_profile_has_number(MlSummaryKind kind)
{
	return kind <= ML_SUMMARY_NUMERIC;
}

bool
mlplat_profile_is_category(MlSummaryKind kind)
{
	return kind == ML_SUMMARY_TEXT || kind == ML_SUMMARY_LABEL;
}

void
mlplat_profile_begin_summary(MlSummary *summary, MlEnv *env, Oid base_type, int total)
{
	size_t limit = Min(PROFILE_EXACT_VALUES, PROFILE_ALL_EXACT_VALUES / (size_t) total);
	size_t groups = Min(PROFILE_GROUPS, PROFILE_ALL_GROUPS / (size_t) total);

	mlplat_check(env,
				 ml_summary_init(summary, env, mlplat_profile_kind_of(base_type), limit, groups));
}

/* What it takes to read values of a type. */
static void
begin_reading(ProfileColumn *column, Oid type)
{
	Oid output;
	bool is_varlena;

	column->base_type = getBaseType(type);
	get_typlenbyval(column->base_type, &column->typlen, &column->typbyval);
	getTypeOutputInfo(column->base_type, &output, &is_varlena);
	fmgr_info(output, &column->output);
	column->summary.kind = mlplat_profile_kind_of(column->base_type);
}

static void
begin_column(ProfileColumn *column, Profile *profile, Oid type, int total)
{
	begin_reading(column, type);
	mlplat_profile_begin_summary(&column->summary, &profile->env, column->base_type, total);
	if (ml_summary_key_is_value(column->summary.kind))
		column->keys = palloc(sizeof(uint64) * profile->batch_rows);
	if (mlplat_profile_has_number(column->summary.kind))
		column->numbers = palloc(sizeof(double) * profile->batch_rows);
}

static ProfileTarget *
begin_target(const Profile *profile, Oid type)
{
	ProfileTarget *target = palloc0(sizeof(ProfileTarget));

	begin_reading(&target->column, type);
	target->is_category = mlplat_profile_is_category(target->column.summary.kind);
	target->numbers = palloc(sizeof(double) * profile->batch_rows);
	target->keys = palloc(sizeof(uint64) * profile->batch_rows);
	target->present = palloc(sizeof(bool) * profile->batch_rows);
	return target;
}

Profile *
mlplat_profile_create(MemoryContext context, int n_columns)
{
	Profile *profile = MemoryContextAllocZero(context, sizeof(Profile));

	profile->context = context;
	profile->n_columns = n_columns;
	profile->columns = MemoryContextAllocZero(context, sizeof(ProfileColumn) * n_columns);
	mlplat_env_init(&profile->env, context);
	return profile;
}

void
mlplat_profile_begin(Profile *profile, const Oid *types, int total, Oid target)
{
	MemoryContext caller = MemoryContextSwitchTo(profile->context);
	int rows = BATCH_BYTES / (int) (2 * sizeof(double)) / profile->n_columns;

	profile->batch_rows = Max(MIN_BATCH_ROWS, Min(MAX_BATCH_ROWS, rows));
	profile->scratch = palloc(sizeof(double) * 2 * profile->batch_rows);
	profile->takes_rows = true;
	for (int j = 0; j < profile->n_columns; j++)
		begin_column(&profile->columns[j], profile, types[j], total);
	if (OidIsValid(target))
		profile->target = begin_target(profile, target);
	MemoryContextSwitchTo(caller);
}

/* ---- values: their key and number */

typedef struct ProfileValue
{
	Datum datum; /* not toasted where its bytes are looked at */
	uint64 key;
	double number; /* NaN where there is none */
} ProfileValue;

/* A month of an interval is 30 days, as in comparisons of intervals. Absurdly long ones may overflow. */
static uint64
interval_key(const Interval *interval)
{
	int64 days = interval->day + (int64) interval->month * DAYS_PER_MONTH;

	return (uint64) interval->time + (uint64) days * (uint64) USECS_PER_DAY;
}

static void
read_numeric(ProfileValue *value)
{
	value->datum = PointerGetDatum(PG_DETOAST_DATUM(value->datum));
	value->key =
		DatumGetUInt64(DirectFunctionCall2(hash_numeric_extended, value->datum, Int64GetDatum(0)));
	value->number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value->datum));
}

/* Text, and all that is compared for equality only. */
static void
read_bytes(const ProfileColumn *column, ProfileValue *value)
{
	Datum datum = value->datum;

	value->number = NAN;
	if (column->typbyval)
		value->key = (uint64) datum;
	else if (column->typlen == -1)
	{
		struct varlena *flat = column->summary.kind == ML_SUMMARY_TEXT
								   ? PG_DETOAST_DATUM_PACKED(datum)
								   : PG_DETOAST_DATUM(datum);

		value->datum = PointerGetDatum(flat);
		value->key = ml_hash_bytes(VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), 0);
	}
	else
		value->key =
			ml_hash_bytes(DatumGetPointer(datum), datumGetSize(datum, false, column->typlen), 0);
}

static inline void
set_whole(ProfileValue *value, int64 whole)
{
	value->key = (uint64) whole;
	value->number = (double) whole;
}

static inline void
set_real(ProfileValue *value, double real)
{
	value->key = ml_double_to_key(real);
	value->number = real;
}

static inline void
read_value(const ProfileColumn *column, ProfileValue *value)
{
	switch (column->base_type)
	{
		case FLOAT8OID:
			set_real(value, DatumGetFloat8(value->datum));
			return;
		case FLOAT4OID:
			set_real(value, DatumGetFloat4(value->datum));
			return;
		case INT8OID:
			set_whole(value, DatumGetInt64(value->datum));
			return;
		case INT4OID:
			set_whole(value, DatumGetInt32(value->datum));
			return;
		case INT2OID:
			set_whole(value, DatumGetInt16(value->datum));
			return;
		case BOOLOID:
			set_whole(value, DatumGetBool(value->datum));
			return;
		case DATEOID:
			set_whole(value, DatumGetDateADT(value->datum));
			return;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			set_whole(value, DatumGetTimestamp(value->datum));
			return;
		case TIMEOID:
			value->key = (uint64) DatumGetTimeADT(value->datum);
			value->number = (double) (int64) value->key / 1e6;
			return;
		case INTERVALOID:
			value->key = interval_key(DatumGetIntervalP(value->datum));
			value->number = (double) (int64) value->key / 1e6;
			return;
		case NUMERICOID:
			read_numeric(value);
			return;
		default:
			read_bytes(column, value);
	}
}

/* ---- values that are taken at once */

/* A numeric without trailing zeros of its fraction. */
static char *
numeric_text(ProfileColumn *column, Datum value)
{
	char *text = OutputFunctionCall(&column->output, value);
	size_t len = strlen(text);

	if (!strchr(text, '.'))
		return text;
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	text[len] = '\0';
	return text;
}

static char *
value_text(ProfileColumn *column, Datum value)
{
	char *text;

	if (column->summary.kind != ML_SUMMARY_NUMERIC)
		return OutputFunctionCall(&column->output, value);
	text = numeric_text(column, value);
	/* Half of the digits would be another number. */
	return strlen(text) <= ML_SUMMARY_TEXT_BYTES ? text : psprintf("%.17g", strtod(text, NULL));
}

/* How much of a text is kept. */
static size_t
shown_length(const char *text, size_t len)
{
	if (len <= ML_SUMMARY_TEXT_BYTES)
		return len;
	return (size_t) pg_mbcliplen(text, (int) len, ML_SUMMARY_TEXT_BYTES);
}

static void
count_value(ProfileColumn *column, const ProfileValue *value)
{
	MlSummary *summary = &column->summary;
	const char *text;
	size_t len;
	bool known;

	mlplat_check(summary->env, ml_summary_add_key(summary, value->key, value->number, &known));
	if (known)
		return;
	if (summary->kind == ML_SUMMARY_TEXT)
	{
		text = VARDATA_ANY(DatumGetPointer(value->datum));
		len = VARSIZE_ANY_EXHDR(DatumGetPointer(value->datum));
	}
	else
	{
		text = value_text(column, value->datum);
		len = strlen(text);
	}
	mlplat_check(summary->env,
				 ml_summary_enter(summary, value->key, text, shown_length(text, len)));
}

/* Three words and more, by the blanks among the first bytes. */
static bool
is_phrase(const char *text, size_t len)
{
	const char *end = text + Min(len, 1000), *blank = memchr(text, ' ', (size_t) (end - text));

	return blank && memchr(blank + 1, ' ', (size_t) (end - blank - 1));
}

/* As length(): characters. In UTF-8 those are the bytes that do not continue one. */
static size_t
count_characters(const char *text, size_t len)
{
	size_t n = 0;

	if (pg_database_encoding_max_length() == 1)
		return len;
	if (GetDatabaseEncoding() != PG_UTF8)
		return (size_t) pg_mbstrlen_with_len(text, (int) len);
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char) text[i] & 0xC0) != 0x80;
	return n;
}

static void
add_text(MlSummary *summary, Datum value)
{
	const char *text = VARDATA_ANY(DatumGetPointer(value));
	size_t len = VARSIZE_ANY_EXHDR(DatumGetPointer(value));

	summary->n_bytes += len;
	summary->n_phrases += is_phrase(text, len);
	mlplat_check(summary->env, ml_summary_add_text(summary, text, shown_length(text, len),
												   count_characters(text, len)));
}

/* All blocks must be arrays of one length without NULLs. The value is counted already. */
static void
check_block(MlSummary *summary, const ArrayType *array)
{
	int n = ARR_NDIM(array) == 1 && !ARR_HASNULL(array) ? ARR_DIMS(array)[0] : -1;

	if (summary->n_values == 1)
		summary->block_length = n;
	else if (summary->block_length != n)
		summary->block_length = -1;
}

static void
keep_datum(const Profile *profile, const ProfileColumn *column, Datum *kept, Datum value)
{
	MemoryContext caller = MemoryContextSwitchTo(profile->context);

	if (column->has_extremes)
		pfree(DatumGetPointer(*kept));
	*kept = datumCopy(value, false, column->typlen);
	MemoryContextSwitchTo(caller);
}

/* Is numeric or interval a less than b? Numeric values may differ where their doubles don't. */
static bool
is_less(const ProfileColumn *column, Datum a, double a_number, Datum b, double b_number)
{
	if (column->base_type == INTERVALOID)
		return (int64) interval_key(DatumGetIntervalP(a)) <
			   (int64) interval_key(DatumGetIntervalP(b));
	if (a_number != b_number)
		return a_number < b_number;
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, a, b)) < 0;
}

/* Keep the extremes themselves; as doubles they are in the summary. */
static void
add_extremes(const Profile *profile, ProfileColumn *column, const ProfileValue *value)
{
	MlSummary *summary = &column->summary;
	double number = value->number;
	bool first = !column->has_extremes;
	bool least = first || is_less(column, value->datum, number, column->min, summary->least);
	bool greatest = first || is_less(column, column->max, summary->greatest, value->datum, number);

	if (isnan(number))
		return;
	if (least)
	{
		keep_datum(profile, column, &column->min, value->datum);
		summary->least = number;
	}
	if (greatest)
	{
		keep_datum(profile, column, &column->max, value->datum);
		summary->greatest = number;
	}
	column->has_extremes = true;
}

static void
take_value(const Profile *profile, ProfileColumn *column, const ProfileValue *value)
{
	count_value(column, value);
	switch (column->summary.kind)
	{
		case ML_SUMMARY_TEXT:
			add_text(&column->summary, value->datum);
			break;
		case ML_SUMMARY_NUMERIC:
		case ML_SUMMARY_INTERVAL:
			add_extremes(profile, column, value);
			break;
		case ML_SUMMARY_BLOCK:
			check_block(&column->summary, (ArrayType *) DatumGetPointer(value->datum));
			break;
		default:
			break;
	}
}

/* ---- the target */

static void
read_target(const Profile *profile, const NullableDatum *value)
{
	ProfileTarget *target = profile->target;
	int row = profile->n_batch;
	ProfileValue read = {.datum = value->value, .number = NAN};

	if (!value->isnull)
		read_value(&target->column, &read);
	target->numbers[row] = read.number;
	target->keys[row] = read.key;
	target->present[row] = !value->isnull && (target->is_category || isfinite(read.number));
}

/* A level of a category: a group with the target's number, or one with its level. */
static void
add_level(const Profile *profile, MlSummary *summary, uint64 key)
{
	const ProfileTarget *target = profile->target;
	int row = profile->n_batch;

	if (!target->present[row])
		return;
	mlplat_check(summary->env, ml_groups_add(&summary->by_target, key,
											 target->is_category ? target->keys[row] : 0,
											 target->is_category ? 0 : target->numbers[row]));
}

/* The numbers of a batch, by levels of the target. */
static void
add_numbers_by_level(const Profile *profile, const ProfileColumn *column, MlGroups *groups)
{
	const ProfileTarget *target = profile->target;

	for (int i = 0; i < profile->n_batch; i++)
		if (target->present[i] && isfinite(column->numbers[i]))
			mlplat_check(&profile->env,
						 ml_groups_add(groups, target->keys[i], 0, column->numbers[i]));
}

/* The numbers of a batch with those of the target. */
static void
add_number_pairs(const Profile *profile, const ProfileColumn *column, MlComoments *comoments)
{
	const ProfileTarget *target = profile->target;
	double *x = profile->scratch, *y = x + profile->batch_rows;
	size_t n = 0;

	for (int i = 0; i < profile->n_batch; i++)
	{
		x[n] = column->numbers[i];
		y[n] = target->numbers[i];
		n += target->present[i] && isfinite(x[n]);
	}
	ml_comoments_add(comoments, x, y, n);
}

/* ---- rows */

static void
flush_column(const Profile *profile, ProfileColumn *column)
{
	MlSummary *summary = &column->summary;

	if (column->keys)
		mlplat_check(summary->env, ml_summary_add_keys(summary, column->keys, column->n_keys));
	column->n_keys = 0;
	if (!column->numbers)
		return;
	ml_summary_add_numbers(summary, column->numbers, (size_t) profile->n_batch, profile->scratch);
	if (profile->target && profile->target->is_category)
		add_numbers_by_level(profile, column, &summary->by_target);
	else if (profile->target)
		add_number_pairs(profile, column, &summary->with_target);
}

static void
flush_batch(Profile *profile)
{
	for (int j = 0; j < profile->n_columns; j++)
		flush_column(profile, &profile->columns[j]);
	profile->n_batch = 0;
}

static inline void
add_value(const Profile *profile, ProfileColumn *column, Datum datum)
{
	ProfileValue value = {.datum = datum};

	read_value(column, &value);
	if (column->keys)
		column->keys[column->n_keys++] = value.key;
	else
		take_value(profile, column, &value);
	if (column->numbers)
		column->numbers[profile->n_batch] = value.number;
	else if (profile->target && mlplat_profile_is_category(column->summary.kind))
		add_level(profile, &column->summary, value.key);
}

void
mlplat_profile_row(Profile *profile, const NullableDatum *values, const NullableDatum *target)
{
	if (profile->target)
		read_target(profile, target);
	for (int j = 0; j < profile->n_columns; j++)
	{
		ProfileColumn *column = &profile->columns[j];

		if (!values[j].isnull)
			add_value(profile, column, values[j].value);
		else if (column->numbers)
			column->numbers[profile->n_batch] = NAN;
	}
	profile->n_rows++;
	if (++profile->n_batch == profile->batch_rows)
		flush_batch(profile);
}

void
mlplat_profile_settle(Profile *profile)
{
	flush_batch(profile);
	for (int j = 0; j < profile->n_columns; j++)
	{
		ProfileColumn *column = &profile->columns[j];
		MlSummary *summary = &column->summary;
		const char *min, *max;

		if (!column->has_extremes)
			continue;
		min = column->base_type == NUMERICOID ? numeric_text(column, column->min)
											  : OutputFunctionCall(&column->output, column->min);
		max = column->base_type == NUMERICOID ? numeric_text(column, column->max)
											  : OutputFunctionCall(&column->output, column->max);
		mlplat_check(summary->env, ml_summary_keep(summary, &summary->min, min, strlen(min)));
		mlplat_check(summary->env, ml_summary_keep(summary, &summary->max, max, strlen(max)));
	}
}
