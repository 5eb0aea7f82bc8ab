/*
 * profile.c
 *		What is gathered of each column of a query while its rows pass.
 *
 * A column costs the same memory however many rows there are. Up to EXACT_VALUES
 * different values, all of them are counted, so that distinct values, quartiles
 * and top values are exact. When there are more, the count goes on as a
 * HyperLogLog, the quartiles as a KLL sketch, which starts from all the values
 * counted so far, and the top values as a sketch of frequent items.
 *
 * Values that are not numbers are known by a hash of 64 bits of their bytes. Of
 * their text no more is kept than PROFILE_TEXT_LENGTH bytes.
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
#include "prepare/profile.h"

/* Different values of a column that are counted exactly, and of all columns together. */
#define EXACT_VALUES 10000
#define ALL_EXACT_VALUES (100 * EXACT_VALUES)

/* ---- columns */

static ProfileKind
find_kind(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return PROFILE_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return PROFILE_INTEGER;
		case FLOAT4OID:
		case FLOAT8OID:
			return PROFILE_FLOAT;
		case NUMERICOID:
			return PROFILE_NUMERIC;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return PROFILE_DATE;
		case TIMEOID:
		case INTERVALOID:
			return PROFILE_TIME;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return PROFILE_TEXT;
		case NAMEOID:
		case UUIDOID:
			return PROFILE_LABEL;
		case INT2ARRAYOID:
		case INT4ARRAYOID:
		case INT8ARRAYOID:
		case FLOAT4ARRAYOID:
		case FLOAT8ARRAYOID:
			return PROFILE_BLOCK;
		default:
			return get_typtype(type) == TYPTYPE_ENUM ? PROFILE_LABEL : PROFILE_OTHER;
	}
}

/* Can the value be made again from its key? */
static bool
key_is_value(const ProfileColumn *column)
{
	return column->typbyval && column->kind <= PROFILE_TIME && column->kind != PROFILE_NUMERIC;
}

static void
begin_column(ProfileColumn *column, Form_pg_attribute attribute, MlEnv *env, size_t limit)
{
	Oid output;
	bool is_varlena;

	column->name = pstrdup(NameStr(attribute->attname));
	column->type = attribute->atttypid;
	column->typmod = attribute->atttypmod;
	column->base_type = getBaseType(column->type);
	get_typlenbyval(column->base_type, &column->typlen, &column->typbyval);
	getTypeOutputInfo(column->base_type, &output, &is_varlena);
	fmgr_info(output, &column->output);
	column->kind = find_kind(column->base_type);
	column->env = env;
	mlplat_check(env, ml_tally_init(&column->tally, env, limit, !key_is_value(column)));
}

Profile *
mlplat_profile_begin(TupleDesc desc, MlEnv *env)
{
	Profile *profile = palloc0(sizeof(Profile));
	size_t limit = Min(EXACT_VALUES, ALL_EXACT_VALUES / (size_t) desc->natts);

	profile->context = CurrentMemoryContext;
	profile->n_columns = desc->natts;
	profile->columns = palloc0(sizeof(ProfileColumn) * desc->natts);
	for (int j = 0; j < desc->natts; j++)
		begin_column(&profile->columns[j], TupleDescAttr(desc, j), env, limit);
	return profile;
}

bool
mlplat_profile_is_number(const ProfileColumn *column)
{
	return column->kind == PROFILE_INTEGER || column->kind == PROFILE_FLOAT ||
		   column->kind == PROFILE_NUMERIC || column->kind == PROFILE_TIME;
}

/* ---- values and keys */

static double
bits_to_double(uint64 bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Zeros of both signs are one value, and so are all NaNs. */
static uint64
double_to_key(double value)
{
	uint64 bits;

	value = isnan(value) ? NAN : value + 0.0;
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static Datum
key_to_datum(const ProfileColumn *column, uint64 key)
{
	switch (column->base_type)
	{
		case BOOLOID:
			return BoolGetDatum(key != 0);
		case INT2OID:
			return Int16GetDatum((int16) key);
		case INT4OID:
			return Int32GetDatum((int32) key);
		case FLOAT4OID:
			return Float4GetDatum((float4) bits_to_double(key));
		case FLOAT8OID:
			return Float8GetDatum(bits_to_double(key));
		case DATEOID:
			return DateADTGetDatum((DateADT) key);
		default:
			return Int64GetDatum((int64) key);
	}
}

char *
mlplat_profile_value_text(const ProfileColumn *column, size_t slot)
{
	if (column->tally.keep_text)
		return pstrdup(column->tally.texts[slot]);
	return OutputFunctionCall(unconstify(FmgrInfo *, &column->output),
							  key_to_datum(column, column->tally.slots[slot].key));
}

double
mlplat_profile_value_number(const ProfileColumn *column, size_t slot)
{
	uint64 key = column->tally.slots[slot].key;

	switch (column->kind)
	{
		case PROFILE_BOOL:
		case PROFILE_INTEGER:
		case PROFILE_DATE:
			return (double) (int64) key;
		case PROFILE_TIME:
			return (double) (int64) key / 1e6;
		case PROFILE_FLOAT:
			return bits_to_double(key);
		case PROFILE_NUMERIC:
			return strtod(column->tally.texts[slot], NULL);
		default:
			return NAN;
	}
}

/* ---- counting */

/* Too many different values: what was counted goes into the sketches. */
static void
end_exact_counts(ProfileColumn *column)
{
	MlEnv *env = column->env;
	const MlTally *tally = &column->tally;

	column->hll = ml_zalloc(env, sizeof(MlHll));
	if (!column->hll)
		mlplat_check(env, ML_ENOMEM);
	if (mlplat_profile_is_number(column))
		mlplat_check(env, ml_kll_create(env, 0, &column->kll));
	for (size_t slot = 0; slot < tally->n_slots; slot++)
	{
		double number;

		if (tally->slots[slot].count == 0)
			continue;
		ml_hll_add(column->hll, ml_mix64(tally->slots[slot].key));
		if (!column->kll)
			continue;
		number = mlplat_profile_value_number(column, slot);
		if (!isnan(number))
			mlplat_check(env, ml_kll_add_many(column->kll, number, tally->slots[slot].count));
	}
	mlplat_check(env, ml_tally_forget(&column->tally));
}

/* Count a value for the first time. text: NULL unless it is at hand. */
static void
enter_value(ProfileColumn *column, uint64 key, Datum value, const char *text, size_t len)
{
	MlTally *tally = &column->tally;

	if (tally->keep_text && !text)
	{
		text = OutputFunctionCall(&column->output, value);
		len = strlen(text);
	}
	if (len > PROFILE_TEXT_LENGTH && column->kind == PROFILE_NUMERIC)
	{
		/* Half of the digits would be another number. */
		text = psprintf("%.17g", strtod(text, NULL));
		len = strlen(text);
	}
	if (len > PROFILE_TEXT_LENGTH)
		len = (size_t) pg_mbcliplen(text, (int) len, PROFILE_TEXT_LENGTH);
	mlplat_check(column->env, ml_tally_enter(tally, ml_tally_find(tally, key), key, text, len));
}

/* Count a value by its key. text: NULL unless it is at hand. */
static void
count_value(ProfileColumn *column, uint64 key, Datum value, const char *text, size_t len)
{
	MlTally *tally = &column->tally;
	size_t slot = ml_tally_find(tally, key);

	column->n_values++;
	if (column->hll)
		ml_hll_add(column->hll, ml_mix64(key));
	if (tally->slots[slot].count > 0)
	{
		tally->slots[slot].count++;
		return;
	}
	if (ml_tally_full(tally))
	{
		end_exact_counts(column);
		ml_hll_add(column->hll, ml_mix64(key));
	}
	enter_value(column, key, value, text, len);
}

/* Replace a kept extreme; in the profile's context. */
static void
keep_datum(const Profile *profile, const ProfileColumn *column, Datum *kept, Datum value)
{
	MemoryContext caller = MemoryContextSwitchTo(profile->context);

	if (!column->typbyval && column->n_numbers > 0)
		pfree(DatumGetPointer(*kept));
	*kept = datumCopy(value, column->typbyval, column->typlen);
	MemoryContextSwitchTo(caller);
}

/* Take in a finite number. The sum is compensated (Knuth's TwoSum), so that whole numbers are summed exactly. */
static void
add_moments(ProfileColumn *column, double number)
{
	double sum = column->sum + number, added = sum - column->sum;
	double delta = number - column->mean;

	column->rest += (column->sum - (sum - added)) + (number - added);
	column->sum = sum;
	column->n_finite++;
	column->mean += delta / (double) column->n_finite;
	column->m2 += delta * (number - column->mean);
}

/* Take in a number that is counted: quartiles and moments. */
static void
add_number(ProfileColumn *column, double number)
{
	column->n_numbers++;
	if (column->kll)
		mlplat_check(column->env, ml_kll_add(column->kll, number));
	if (!isinf(number))
		add_moments(column, number);
}

/* A whole number: its order is not that of doubles, which have fewer digits. */
static void
add_integer(const Profile *profile, ProfileColumn *column, Datum value, int64 number)
{
	bool first = column->n_numbers == 0;

	count_value(column, (uint64) number, value, NULL, 0);
	if (first || number < column->least.integer)
	{
		keep_datum(profile, column, &column->min, value);
		column->least.integer = number;
	}
	if (first || number > column->greatest.integer)
	{
		keep_datum(profile, column, &column->max, value);
		column->greatest.integer = number;
	}
	add_number(column, (double) number);
}

/* Any other number, counted before. */
static void
add_real(const Profile *profile, ProfileColumn *column, Datum value, double number)
{
	bool first = column->n_numbers == 0;

	if (isnan(number))
		return;
	if (first || number < column->least.real)
	{
		keep_datum(profile, column, &column->min, value);
		column->least.real = number;
	}
	if (first || number > column->greatest.real)
	{
		keep_datum(profile, column, &column->max, value);
		column->greatest.real = number;
	}
	add_number(column, number);
}

static void
add_float(const Profile *profile, ProfileColumn *column, Datum value, double number)
{
	count_value(column, double_to_key(number), value, NULL, 0);
	add_real(profile, column, value, number);
}

static void
add_numeric(const Profile *profile, ProfileColumn *column, Datum value)
{
	Datum flat = PointerGetDatum(PG_DETOAST_DATUM(value));
	Datum key = DirectFunctionCall2(hash_numeric_extended, flat, Int64GetDatum(0));

	count_value(column, DatumGetUInt64(key), flat, NULL, 0);
	add_real(profile, column, flat,
			 DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, flat)));
}

/* A month of an interval is 30 days, as in comparisons of intervals. Absurdly long ones may overflow. */
static void
add_interval(const Profile *profile, ProfileColumn *column, Datum value)
{
	const Interval *interval = DatumGetIntervalP(value);
	int64 days = interval->day + (int64) interval->month * DAYS_PER_MONTH;
	uint64 key = (uint64) interval->time + (uint64) days * (uint64) USECS_PER_DAY;

	count_value(column, key, value, NULL, 0);
	add_real(profile, column, value, (double) (int64) key / 1e6);
}

static void
add_time(const Profile *profile, ProfileColumn *column, Datum value)
{
	TimeADT time = DatumGetTimeADT(value);

	count_value(column, (uint64) time, value, NULL, 0);
	add_real(profile, column, value, (double) time / 1e6);
}

/* ---- text and other types */

static bool
is_phrase(const char *text, size_t len)
{
	int n_blanks = 0;

	for (size_t i = 0; i < len && n_blanks < 2; i++)
		n_blanks += text[i] == ' ';
	return n_blanks >= 2;
}

/* The order of the bytes, so that it does not depend on a collation. */
static int
compare_text(const char *a, size_t a_len, Datum b)
{
	size_t b_len = VARSIZE_ANY_EXHDR(DatumGetPointer(b));
	int order = memcmp(a, VARDATA_ANY(DatumGetPointer(b)), Min(a_len, b_len));

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static void
keep_text(const Profile *profile, Datum *kept, const char *text, size_t len)
{
	MemoryContext caller = MemoryContextSwitchTo(profile->context);

	if (*kept)
		pfree(DatumGetPointer(*kept));
	*kept = PointerGetDatum(cstring_to_text_with_len(text, (int) len));
	MemoryContextSwitchTo(caller);
}

static void
add_text(const Profile *profile, ProfileColumn *column, Datum value)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(value);
	const char *text = VARDATA_ANY(flat);
	size_t len = VARSIZE_ANY_EXHDR(flat), shown = len;
	size_t n_before = column->tally.n;

	count_value(column, ml_hash_bytes(text, len, 0), value, text, len);
	column->n_bytes += (int64) len;
	if (column->tally.n != n_before)
	{
		column->n_entered++;
		column->n_phrases += is_phrase(text, Min(len, 1000));
	}
	if (len > PROFILE_TEXT_LENGTH)
		shown = (size_t) pg_mbcliplen(text, (int) len, PROFILE_TEXT_LENGTH);
	if (!column->min || compare_text(text, shown, column->min) < 0)
		keep_text(profile, &column->min, text, shown);
	if (!column->max || compare_text(text, shown, column->max) > 0)
		keep_text(profile, &column->max, text, shown);
}

/* All blocks must be arrays of one length without NULLs. */
static void
check_block(ProfileColumn *column, const ArrayType *array)
{
	int n = ARR_NDIM(array) == 1 && !ARR_HASNULL(array) ? ARR_DIMS(array)[0] : -1;

	if (column->n_values == 0)
		column->block_length = n;
	else if (column->block_length != n)
		column->block_length = -1;
}

static void
add_bytes(ProfileColumn *column, Datum value)
{
	uint64 key;

	if (column->typbyval)
		key = (uint64) value;
	else if (column->typlen == -1)
	{
		struct varlena *flat = PG_DETOAST_DATUM(value);

		if (column->kind == PROFILE_BLOCK)
			check_block(column, (ArrayType *) flat);
		key = ml_hash_bytes(VARDATA(flat), VARSIZE(flat) - VARHDRSZ, 0);
	}
	else
		key = ml_hash_bytes(DatumGetPointer(value), datumGetSize(value, false, column->typlen), 0);
	count_value(column, key, value, NULL, 0);
}

/* ---- rows */

static void
add_value(const Profile *profile, ProfileColumn *column, Datum value)
{
	switch (column->base_type)
	{
		case FLOAT8OID:
			add_float(profile, column, value, DatumGetFloat8(value));
			return;
		case FLOAT4OID:
			add_float(profile, column, value, DatumGetFloat4(value));
			return;
		case INT8OID:
			add_integer(profile, column, value, DatumGetInt64(value));
			return;
		case INT4OID:
			add_integer(profile, column, value, DatumGetInt32(value));
			return;
		case INT2OID:
			add_integer(profile, column, value, DatumGetInt16(value));
			return;
		case BOOLOID:
			add_integer(profile, column, value, DatumGetBool(value));
			return;
		case DATEOID:
			add_integer(profile, column, value, DatumGetDateADT(value));
			return;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			add_integer(profile, column, value, DatumGetTimestamp(value));
			return;
		case NUMERICOID:
			add_numeric(profile, column, value);
			return;
		case TIMEOID:
			add_time(profile, column, value);
			return;
		case INTERVALOID:
			add_interval(profile, column, value);
			return;
		default:
			break;
	}
	if (column->kind == PROFILE_TEXT)
		add_text(profile, column, value);
	else
		add_bytes(column, value);
}

void
mlplat_profile_row(void *arg, TupleTableSlot *slot)
{
	Profile *profile = arg;

	profile->n_rows++;
	for (int j = 0; j < profile->n_columns; j++)
		if (!slot->tts_isnull[j])
			add_value(profile, &profile->columns[j], slot->tts_values[j]);
}
