/*
 * keyhash.c
 *		A hash of a key's value that is the same on every machine and version.
 *
 * Splits by hash must give one row the same part for ever: after a dump and
 * restore, on a replica of another architecture, in the next major version. So
 * values are brought to a canonical form of bytes, and these are hashed with
 * XXH64, which is fixed by its specification:
 *
 * - whole numbers of any numeric type, and booleans, as 8 bytes little-endian,
 *   so that 5::smallint, 5::bigint, 5.00 and 5::float8 are one key;
 * - other numeric values as their digits without trailing zeros, other floats
 *   as the 8 bytes of the double;
 * - text in UTF-8, without the padding of character(n); bytea and uuid as they
 *   are; dates and times as their integer; enums as their label;
 * - any other type as its text, provided that no setting changes this text.
 *
 * What depends on settings (arrays, rows, ranges, geometry) is refused: the
 * functions built on this are immutable.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "core/rng.h"
#include "pg/keyhash.h"

static uint64
key_int64(int64 value, uint64 seed)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t) ((uint64) value >> (8 * i));
	return ml_hash_bytes(bytes, sizeof(bytes), seed);
}

static uint64
key_float8(double value, uint64 seed)
{
	int64 bits;

	/* All of [-2^63, 2^63) converts without overflow; NaN fails both comparisons. */
	if (value >= -9223372036854775808.0 && value < 9223372036854775808.0 && value == floor(value))
		return key_int64((int64) value, seed);
	if (isnan(value))
		return ml_hash_bytes("NaN", 3, seed);
	memcpy(&bits, &value, sizeof(bits));
	return key_int64(bits, seed);
}

static uint64
key_numeric(Numeric value, uint64 seed)
{
	char *digits = numeric_normalize(value);
	char *end;
	int64 whole;
	uint64 hash;

	errno = 0;
	whole = strtoll(digits, &end, 10);
	if (*end == '\0' && errno == 0)
		hash = key_int64(whole, seed);
	else
		hash = ml_hash_bytes(digits, strlen(digits), seed);
	pfree(digits);
	return hash;
}

/* Text in the encoding of the database; hashed as UTF-8. SQL_ASCII says nothing of its bytes. */
static uint64
key_text(const char *text, size_t len, uint64 seed)
{
	int encoding = GetDatabaseEncoding();
	char *utf8;
	uint64 hash;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return ml_hash_bytes(text, len, seed);
	utf8 = (char *) pg_do_encoding_conversion((unsigned char *) unconstify(char *, text), (int) len,
											  encoding, PG_UTF8);
	if (utf8 == text)
		return ml_hash_bytes(text, len, seed);
	hash = ml_hash_bytes(utf8, strlen(utf8), seed);
	pfree(utf8);
	return hash;
}

static uint64
key_varlena(Datum value, Oid type, uint64 seed)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	const char *data = VARDATA_ANY(packed);
	size_t len = VARSIZE_ANY_EXHDR(packed);
	uint64 hash;

	if (type == BPCHAROID)
		len = bpchartruelen(unconstify(char *, data), (int) len);
	hash = type == BYTEAOID ? ml_hash_bytes(data, len, seed) : key_text(data, len, seed);
	if ((Pointer) packed != DatumGetPointer(value))
		pfree(packed);
	return hash;
}

static uint64
key_output(MlplatKeyType *key, Datum value, uint64 seed)
{
	char *text = OutputFunctionCall(&key->output, value);
	uint64 hash = key_text(text, strlen(text), seed);

	pfree(text);
	return hash;
}

static bool
has_own_form(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case BYTEAOID:
		case UUIDOID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

/* Is the text of the type's values the same whatever the settings? */
static bool
has_stable_text(Oid type, Oid output)
{
	char category;
	bool preferred;

	if (get_typtype(type) == TYPTYPE_ENUM)
		return true;
	get_type_category_preferred(type, &category, &preferred);
	/* The output of geometric types is marked immutable but follows extra_float_digits. */
	return get_typtype(type) == TYPTYPE_BASE && category != TYPCATEGORY_GEOMETRIC &&
		   func_volatile(output) == PROVOLATILE_IMMUTABLE;
}

void
mlplat_key_type_init(MlplatKeyType *key, Oid type, MemoryContext context)
{
	Oid output;
	bool is_varlena;

	key->type = type;
	key->base_type = getBaseType(type);
	key->by_output = !has_own_form(key->base_type);
	if (!key->by_output)
		return;
	getTypeOutputInfo(key->base_type, &output, &is_varlena);
	if (!has_stable_text(key->base_type, output))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("cannot split by a key of type %s", format_type_be(type)),
						errhint("Use a number, text, date, time, boolean, uuid, bytea or enum, or "
								"cast the key to text.")));
	fmgr_info_cxt(output, &key->output, context);
}

uint64
mlplat_key_hash(MlplatKeyType *key, Datum value, uint64 seed)
{
	if (key->by_output)
		return key_output(key, value, seed);
	switch (key->base_type)
	{
		case BOOLOID:
			return key_int64(DatumGetBool(value), seed);
		case INT2OID:
			return key_int64(DatumGetInt16(value), seed);
		case INT4OID:
			return key_int64(DatumGetInt32(value), seed);
		case INT8OID:
			return key_int64(DatumGetInt64(value), seed);
		case OIDOID:
			return key_int64(DatumGetObjectId(value), seed);
		case FLOAT4OID:
			return key_float8(DatumGetFloat4(value), seed);
		case FLOAT8OID:
			return key_float8(DatumGetFloat8(value), seed);
		case NUMERICOID:
			return key_numeric(DatumGetNumeric(value), seed);
		case NAMEOID:
			return key_text(NameStr(*DatumGetName(value)), strlen(NameStr(*DatumGetName(value))),
							seed);
		case UUIDOID:
			return ml_hash_bytes(DatumGetUUIDP(value)->data, UUID_LEN, seed);
		case DATEOID:
			return key_int64(DatumGetDateADT(value), seed);
		case TIMEOID:
			return key_int64(DatumGetTimeADT(value), seed);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return key_int64(DatumGetTimestamp(value), seed);
		default:
			return key_varlena(value, key->base_type, seed);
	}
}
