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
 *   as the 8 bytes of the double; NaN and the infinities as their names;
 * - text in UTF-8, without the padding of character(n); bytea and uuid as they
 *   are; dates and times as their integer; enums as their label;
 * - network addresses, bit strings and a few more as their text, which no
 *   setting and no version changes;
 * - rows and arrays value by value, each hashed with the hash so far as its
 *   seed, so that ('ab', 'c') and ('a', 'bc') differ. In them, NULL is a value.
 *
 * Everything else is refused: text that follows settings (intervals, money,
 * geometry), that depends on the encoding (jsonb sorts its keys by their
 * bytes), or that is in the hands of another extension.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "core/rng.h"
#include "pg/keyhash.h"

/* Stands for a NULL within a row or an array. */
#define NULL_VALUE UINT64CONST(0x6e756c6c00000000) /* "null" */

/* The fields of a row type. */
typedef struct MlplatKeyFields
{
	MemoryContext context; /* of all this */
	Oid type;
	int32 typmod;
	TupleDesc desc;
	MlplatKeyType *keys; /* by attribute */
} MlplatKeyFields;

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
	if (isinf(value))
		return value > 0 ? ml_hash_bytes("Infinity", 8, seed) : ml_hash_bytes("-Infinity", 9, seed);
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

/* ---- rows and arrays */

/* A value within another one; seed is the hash of what came before. */
static uint64
key_part(MlplatKeyType *key, Datum value, bool isnull, uint64 seed)
{
	return isnull ? ml_mix64(seed ^ NULL_VALUE) : mlplat_key_hash(key, value, seed);
}

/* How the fields of a row of this type are hashed; remembered until a row of another type comes. */
static MlplatKeyFields *
fields_of(MlplatKeyType *key, Oid type, int32 typmod)
{
	MlplatKeyFields *fields = key->fields;
	MemoryContext context, caller;

	if (fields && fields->type == type && fields->typmod == typmod)
		return fields;
	context = AllocSetContextCreate(key->context, "mlplat fields of a key", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	fields = palloc0(sizeof(*fields));
	fields->context = context;
	fields->desc = lookup_rowtype_tupdesc_copy(type, typmod);
	fields->keys = palloc0(sizeof(MlplatKeyType) * Max(fields->desc->natts, 1));
	for (int j = 0; j < fields->desc->natts; j++)
	{
		Form_pg_attribute field = TupleDescAttr(fields->desc, j);

		if (!field->attisdropped)
			mlplat_key_type_init(&fields->keys[j], field->atttypid, context);
	}
	fields->type = type;
	fields->typmod = typmod;
	MemoryContextSwitchTo(caller);
	if (key->fields)
		MemoryContextDelete(key->fields->context);
	key->fields = fields;
	return fields;
}

static uint64
key_row(MlplatKeyType *key, Datum value, uint64 seed)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header), .t_data = header};
	MlplatKeyFields *fields =
		fields_of(key, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	int n = fields->desc->natts;
	Datum *values = palloc(sizeof(Datum) * Max(n, 1));
	bool *nulls = palloc(sizeof(bool) * Max(n, 1));

	heap_deform_tuple(&tuple, fields->desc, values, nulls);
	for (int j = 0; j < n; j++)
		if (!TupleDescAttr(fields->desc, j)->attisdropped)
			seed = key_part(&fields->keys[j], values[j], nulls[j], seed);
	pfree(values);
	pfree(nulls);
	if ((Pointer) header != DatumGetPointer(value))
		pfree(header);
	return seed;
}

static uint64
key_array(MlplatKeyType *key, Datum value, uint64 seed)
{
	ArrayType *array = DatumGetArrayTypeP(value);
	Datum *values;
	bool *nulls;
	int n;

	for (int i = 0; i < ARR_NDIM(array); i++)
		seed = key_int64(ARR_LBOUND(array)[i], key_int64(ARR_DIMS(array)[i], seed));
	deconstruct_array(array, ARR_ELEMTYPE(array), key->element_length, key->element_by_value,
					  key->element_align, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		seed = key_part(key->element, values[i], nulls[i], seed);
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
	/* An empty array has no value to be hashed. */
	return ml_mix64(seed ^ (uint64) n);
}

/* ---- which types */

static bool
has_own_form(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case CHAROID:
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
			return type_is_rowtype(type);
	}
}

/* Is the text of the type's values the same whatever the settings and the version? */
static bool
has_fixed_text(Oid type)
{
	switch (type)
	{
		case BITOID:
		case CIDROID:
		case INETOID:
		case MACADDROID:
		case MACADDR8OID:
		case PG_LSNOID:
		case TIDOID:
		case TIMETZOID:
		case VARBITOID:
		case XIDOID:
		case XID8OID:
			return true;
		default:
			return get_typtype(type) == TYPTYPE_ENUM;
	}
}

bool
mlplat_key_has_form(Oid type)
{
	Oid base = getBaseType(type);
	Oid element = get_element_type(base);

	return has_own_form(base) || has_fixed_text(base) ||
		   (OidIsValid(element) && mlplat_key_has_form(element));
}

static void
init_element(MlplatKeyType *key, Oid element)
{
	key->element = MemoryContextAllocZero(key->context, sizeof(MlplatKeyType));
	mlplat_key_type_init(key->element, element, key->context);
	get_typlenbyvalalign(element, &key->element_length, &key->element_by_value,
						 &key->element_align);
}

static void
init_output(MlplatKeyType *key)
{
	Oid output;
	bool is_varlena;

	if (!has_fixed_text(key->base_type))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("cannot split by a key of type %s", format_type_be(key->type)),
						errhint("Use a number, text, date, time, boolean, uuid, bytea or enum, a "
								"row or an array of them, or cast the key to text.")));
	getTypeOutputInfo(key->base_type, &output, &is_varlena);
	fmgr_info_cxt(output, &key->output, key->context);
}

void
mlplat_key_type_init(MlplatKeyType *key, Oid type, MemoryContext context)
{
	Oid element;

	check_stack_depth();
	*key = (MlplatKeyType){.type = type, .base_type = getBaseType(type), .context = context};
	if (has_own_form(key->base_type))
		return;
	element = get_element_type(key->base_type);
	if (OidIsValid(element))
		init_element(key, element);
	else
	{
		key->by_output = true;
		init_output(key);
	}
}

/* Of a byte that is no character of its own. */
static uint64
key_char(char value, uint64 seed)
{
	return ml_hash_bytes(&value, value == '\0' ? 0 : 1, seed);
}

uint64
mlplat_key_hash(MlplatKeyType *key, Datum value, uint64 seed)
{
	if (key->by_output)
		return key_output(key, value, seed);
	if (key->element)
		return key_array(key, value, seed);
	switch (key->base_type)
	{
		case BOOLOID:
			return key_int64(DatumGetBool(value), seed);
		case CHAROID:
			return key_char(DatumGetChar(value), seed);
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
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case BYTEAOID:
			return key_varlena(value, key->base_type, seed);
		default:
			return key_row(key, value, seed);
	}
}
