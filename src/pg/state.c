/*
 * state.c
 *		The SQL type mlplat.state: the state of any mergeable aggregate.
 *
 * Flat form, after the varlena header, little-endian, no padding:
 *
 *		magic "MLST", version u8, kind u8, zero u16, the kind's bytes, CRC-32C u32 of all before it
 *
 * Text form: base64 of that. The envelope is checked on input, and all of it whenever a flat state
 * is opened: text input, binary input and a cast from bytes out of anywhere are hostile.
 *
 * Traps: the server hands expanded pointers to output and send functions too, so everything goes
 * through PG_DETOAST_DATUM, which flattens. A flat state cannot pass 1 GB, though the one in memory can.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "common/base64.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/bridge.h"
#include "pg/state.h"

#define STATE_MAGIC 0x54534C4DU /* "MLST" */
#define STATE_VERSION 1
#define STATE_HEAD 8
#define STATE_TAIL 4
#define STATE_ENVELOPE (STATE_HEAD + STATE_TAIL)

static const MlStateKind *kinds[256];

static Size state_flat_size(ExpandedObjectHeader *header);
static void state_flatten(ExpandedObjectHeader *header, void *result, Size allocated);

static const ExpandedObjectMethods state_methods = {state_flat_size, state_flatten};

PG_FUNCTION_INFO_V1(mlplat_state_in);
PG_FUNCTION_INFO_V1(mlplat_state_out);
PG_FUNCTION_INFO_V1(mlplat_state_recv);
PG_FUNCTION_INFO_V1(mlplat_state_send);
PG_FUNCTION_INFO_V1(mlplat_state_combine);
PG_FUNCTION_INFO_V1(mlplat_state_serialfn);
PG_FUNCTION_INFO_V1(mlplat_state_deserialfn);

void
mlplat_state_register(const MlStateKind *kind)
{
	if (kinds[kind->code] && kinds[kind->code] != kind)
		elog(ERROR, "state kind %d is registered twice", kind->code);
	kinds[kind->code] = kind;
}

MemoryContext
mlplat_agg_context(FunctionCallInfo fcinfo)
{
	MemoryContext aggcontext;

	if (!AggCheckCallContext(fcinfo, &aggcontext))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("support functions of aggregates cannot be called directly")));
	return aggcontext;
}

Datum
mlplat_return_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * The context of all states below aggcontext. One for all, because hashed grouping adds up the memory
 * of every context below its own at each new group: with a context a group, that is quadratic.
 */
static MemoryContext
shared_context(MemoryContext aggcontext)
{
	MemoryContext child = aggcontext->firstchild;

	/* Ours is the newest but for what other aggregates have made since; a second one does no harm. */
	for (int i = 0; child && i < 8; i++, child = child->nextchild)
		if (strcmp(child->name, "mlplat states") == 0)
			return child;
	return AllocSetContextCreate(aggcontext, "mlplat states", ALLOCSET_DEFAULT_SIZES);
}

/* The context of a state outside aggregates: the server may move or delete it. */
static MemoryContext
private_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "mlplat state", ALLOCSET_START_SMALL_SIZES);
}

static MlState *
state_create(const MlStateKind *kind, MemoryContext context)
{
	MlState *state = MemoryContextAllocZero(context, sizeof(MlState));

	EOH_init_header(&state->header, &state_methods, context);
	state->kind = kind;
	return state;
}

MlState *
mlplat_state_new(const MlStateKind *kind, MemoryContext aggcontext)
{
	return state_create(kind, shared_context(aggcontext));
}

/* ---- expanded to flat */

static _Noreturn void
state_too_large(const MlStateKind *kind, size_t len)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a state of \"%s\" with %zu bytes cannot leave its process", kind->name, len),
			 errdetail("States are passed between processes and stored up to 1 GB."),
			 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
}

/* The bytes of a kind without size, kept for the flatten that follows. */
static void
state_save(MlState *state)
{
	MlEnv env;
	MlBuffer out;

	if (state->saved)
		pfree(state->saved);
	state->saved = NULL;
	mlplat_env_init(&env, state->header.eoh_context);
	ml_buffer_init(&out, &env);
	state->kind->save(state->data, &out);
	mlplat_check(&env, out.status);
	state->saved = MemoryContextAllocHuge(state->header.eoh_context, Max(out.len, 1));
	memcpy(state->saved, out.data, out.len);
	state->saved_len = out.len;
	ml_buffer_free(&out);
}

static Size
state_flat_size(ExpandedObjectHeader *header)
{
	MlState *state = (MlState *) header;
	size_t len;

	if (state->kind->size)
		len = state->kind->size(state->data);
	else
	{
		state_save(state);
		len = state->saved_len;
	}
	if (len > MaxAllocSize - VARHDRSZ - STATE_ENVELOPE)
		state_too_large(state->kind, len);
	return VARHDRSZ + STATE_ENVELOPE + len;
}

/* An allocator that refuses: a kind that appends more than it said must not move the buffer. */
static void *
no_alloc(void *context, size_t size)
{
	(void) context;
	(void) size;
	return NULL;
}

static void
state_flatten(ExpandedObjectHeader *header, void *result, Size allocated)
{
	MlState *state = (MlState *) header;
	size_t len = allocated - VARHDRSZ - STATE_TAIL;
	uint8 *bytes = (uint8 *) VARDATA(result);
	MlEnv env;
	MlBuffer out;

	SET_VARSIZE(result, allocated);
	mlplat_env_init(&env, CurrentMemoryContext);
	env.alloc = no_alloc;
	ml_buffer_init(&out, &env);
	out.data = bytes;
	out.capacity = allocated - VARHDRSZ;
	ml_put_u32(&out, STATE_MAGIC);
	ml_put_u8(&out, STATE_VERSION);
	ml_put_u8(&out, state->kind->code);
	ml_put_bytes(&out, "\0\0", 2);
	if (state->saved)
		ml_put_bytes(&out, state->saved, state->saved_len);
	else
		state->kind->save(state->data, &out);
	if (out.status != ML_OK || out.len != len)
		elog(ERROR, "state of \"%s\" took %zu bytes instead of %zu", state->kind->name, out.len,
			 len);
	ml_put_u32(&out, ml_crc32c(bytes, len));
	if (state->saved)
		pfree(state->saved);
	state->saved = NULL;
}

/* ---- flat to expanded */

static _Noreturn void
state_damaged(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED), errmsg("aggregate state is damaged: %s", what)));
}

/* Check the envelope; the kind, and its bytes in *payload. */
static const MlStateKind *
state_open(const uint8 *bytes, size_t len, MlReader *payload, MlEnv *env)
{
	MlReader in;
	uint8 version, code;

	if (len < STATE_ENVELOPE)
		state_damaged("it is too short");
	ml_reader_init(&in, env, bytes, len);
	if (ml_get_u32(&in) != STATE_MAGIC)
		state_damaged("it does not begin as a state does");
	version = ml_get_u8(&in);
	code = ml_get_u8(&in);
	if (version != STATE_VERSION)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("aggregate state has format version %d, but only %d is known",
							   version, STATE_VERSION)));
	ml_reader_init(&in, env, bytes + len - STATE_TAIL, STATE_TAIL);
	if (ml_get_u32(&in) != ml_crc32c(bytes, len - STATE_TAIL))
		state_damaged("its checksum does not match");
	if (bytes[6] != 0 || bytes[7] != 0 || !kinds[code])
		state_damaged("its kind is not known");
	ml_reader_init(payload, env, bytes + STATE_HEAD, len - STATE_ENVELOPE);
	return kinds[code];
}

void *
mlplat_state_loaded(const MlReader *in, MlStatus status, void *data)
{
	if (status == ML_ECORRUPT)
		return NULL;
	mlplat_check(in->env, status);
	return data;
}

/* A new expanded state in context from a flat one. */
static MlState *
state_load(const struct varlena *flat, MemoryContext context)
{
	MlEnv env;
	MlReader in;
	MlState *state;

	mlplat_env_init(&env, context);
	state = state_create(
		state_open((const uint8 *) VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), &in, &env), context);
	state->data = state->kind->load(&in, context);
	if (!state->data || in.failed || in.pos != in.len)
		state_damaged(state->kind->name);
	return state;
}

static void
check_kind(const MlStateKind *got, const MlStateKind *wanted)
{
	if (wanted && got != wanted)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("a state of \"%s\" cannot be used as a state of \"%s\"", got->name,
							   wanted->name)));
}

/* The expanded state behind a datum, or NULL when it is flat. */
static MlState *
state_expanded(Datum datum)
{
	ExpandedObjectHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		return NULL;
	header = DatumGetEOHP(datum);
	return header->eoh_methods == &state_methods ? (MlState *) header : NULL;
}

MlState *
mlplat_state_get_rw(Datum datum, const MlStateKind *kind, MemoryContext aggcontext)
{
	MlState *state = NULL;
	struct varlena *flat;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)))
		state = state_expanded(datum);
	if (!state)
	{
		flat = PG_DETOAST_DATUM_PACKED(datum);
		state = state_load(flat, shared_context(aggcontext));
		if ((Pointer) flat != DatumGetPointer(datum))
			pfree(flat);
	}
	check_kind(state->kind, kind);
	return state;
}

const MlState *
mlplat_state_get_ro(Datum datum, const MlStateKind *kind)
{
	const MlState *state = state_expanded(datum);

	if (!state)
		state = state_load(PG_DETOAST_DATUM_PACKED(datum), private_context());
	check_kind(state->kind, kind);
	return state;
}

/* ---- the type's functions */

/* Throws unless the envelope of these bytes is sound. */
static void
check_flat(const struct varlena *flat)
{
	MlEnv env;
	MlReader payload;

	mlplat_env_init(&env, CurrentMemoryContext);
	state_open((const uint8 *) VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), &payload, &env);
}

Datum
mlplat_state_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	int text_len = (int) strlen(text);
	int room = text_len / 4 * 3 + 3; /* pg_b64_dec_len overflows from 716 MB on */
	struct varlena *flat = palloc(VARHDRSZ + (Size) room);
	int len = pg_b64_decode(text, text_len, (void *) VARDATA(flat), room);

	if (len < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for type %s: not base64", "mlplat.state")));
	SET_VARSIZE(flat, VARHDRSZ + len);
	check_flat(flat);
	PG_RETURN_POINTER(flat);
}

Datum
mlplat_state_out(PG_FUNCTION_ARGS)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	size_t len = VARSIZE_ANY_EXHDR(flat);
	char *text;
	int text_len;

	if (len / 3 >= MaxAllocSize / 4)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("an aggregate state of %zu bytes is too large to be text", len)));
	text_len = (int) ((len + 2) / 3 * 4); /* pg_b64_enc_len overflows from 537 MB on */
	text = palloc((Size) text_len + 1);
	text_len = pg_b64_encode((const void *) VARDATA_ANY(flat), (int) len, text, text_len);
	if (text_len < 0)
		elog(ERROR, "could not encode an aggregate state");
	text[text_len] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
mlplat_state_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int len = buf->len - buf->cursor;
	struct varlena *flat = palloc(VARHDRSZ + (Size) len);

	SET_VARSIZE(flat, VARHDRSZ + len);
	pq_copymsgbytes(buf, VARDATA(flat), len);
	check_flat(flat);
	PG_RETURN_POINTER(flat);
}

Datum
mlplat_state_send(PG_FUNCTION_ARGS)
{
	struct varlena *flat = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(flat), (int) VARSIZE_ANY_EXHDR(flat));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/*
 * Add the second state to the first: the combine function of every aggregate with this type, and the
 * transition function of merge(). Outside an aggregate it works on a copy.
 */
Datum
mlplat_state_combine(PG_FUNCTION_ARGS)
{
	MemoryContext aggcontext;
	bool in_aggregate = AggCheckCallContext(fcinfo, &aggcontext) != 0;
	MlState *state;
	const MlState *other;

	if (PG_ARGISNULL(1))
		return mlplat_return_state(fcinfo);
	if (PG_ARGISNULL(0) || !in_aggregate)
	{
		Datum from = PG_ARGISNULL(0) ? PG_GETARG_DATUM(1) : PG_GETARG_DATUM(0);

		state = state_load(PG_DETOAST_DATUM_PACKED(from),
						   in_aggregate ? shared_context(aggcontext) : private_context());
		if (PG_ARGISNULL(0))
			PG_RETURN_DATUM(MlStateGetDatum(state));
	}
	else
		state = mlplat_state_get_rw(PG_GETARG_DATUM(0), NULL, aggcontext);
	other = mlplat_state_get_ro(PG_GETARG_DATUM(1), NULL);
	if (other->kind != state->kind)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("cannot merge a state of \"%s\" with a state of \"%s\"",
							   state->kind->name, other->kind->name)));
	state->kind->merge(state->data, other->data, state->header.eoh_context);
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

/* For aggregates with stype internal: the state as bytes, and back. */
Datum
mlplat_state_serialfn(PG_FUNCTION_ARGS)
{
	mlplat_agg_context(fcinfo);
	PG_RETURN_BYTEA_P(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0)));
}

Datum
mlplat_state_deserialfn(PG_FUNCTION_ARGS)
{
	MlState *state;

	mlplat_agg_context(fcinfo);
	/* Into the short-lived context of the call: the combine function copies from it. */
	state = state_load(PG_GETARG_BYTEA_PP(0), private_context());
	PG_RETURN_DATUM(MlStateGetDatum(state));
}
