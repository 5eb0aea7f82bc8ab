/*
 * buffer.c
 *		Growing byte buffers, bounded cursors, UTF-8 and CRC-32C.
 *
 * Bytes are put together by shifts, which compilers turn into one load or store
 * on little-endian machines, and which are right on the others.
 *
 * Trap: a reader that fails stays failed, and gives zeros. A loop over a count
 * read before must not rely on the values to end; ml_get_count bounds it.
 */
#include <stdio.h>
#include <string.h>

#include "core/buffer.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LITTLE_ENDIAN_HOST 1
#else
#define LITTLE_ENDIAN_HOST 0
#endif

void
ml_buffer_init(MlBuffer *buf, MlEnv *env)
{
	*buf = (MlBuffer){.env = env};
}

void
ml_buffer_free(MlBuffer *buf)
{
	ml_free(buf->env, buf->data);
	ml_buffer_init(buf, buf->env);
}

/* Room for len more bytes, which then count as written; NULL: the buffer has failed. */
static uint8_t *
extend(MlBuffer *buf, size_t len)
{
	uint8_t *place;

	if (buf->status != ML_OK)
		return NULL;
	if (len > SIZE_MAX - buf->len)
		buf->status = ml_fail(buf->env, ML_ENOMEM, "out of memory: a buffer is too large");
	else
		buf->status = ml_grow(buf->env, &buf->data, &buf->capacity, buf->len + len, 1);
	if (buf->status != ML_OK)
		return NULL;
	place = buf->data + buf->len;
	buf->len += len;
	return place;
}

void
ml_put_bytes(MlBuffer *buf, const void *data, size_t len)
{
	uint8_t *place = len > 0 ? extend(buf, len) : NULL;

	if (place)
		memcpy(place, data, len);
}

void
ml_put_u8(MlBuffer *buf, uint8_t value)
{
	ml_put_bytes(buf, &value, 1);
}

/* The low n bytes of value, lowest first. */
static void
put_uint(MlBuffer *buf, uint64_t value, size_t n)
{
	uint8_t *place = extend(buf, n);

	for (size_t i = 0; place && i < n; i++)
		place[i] = (uint8_t) (value >> (8 * i));
}

void
ml_put_u32(MlBuffer *buf, uint32_t value)
{
	put_uint(buf, value, 4);
}

void
ml_put_u64(MlBuffer *buf, uint64_t value)
{
	put_uint(buf, value, 8);
}

void
ml_put_f32(MlBuffer *buf, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	put_uint(buf, bits, 4);
}

void
ml_put_f64(MlBuffer *buf, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	put_uint(buf, bits, 8);
}

void
ml_put_text(MlBuffer *buf, const char *text)
{
	size_t len = strlen(text);

	/* What no reader would take must not be written: the error comes when it can still be mended. */
	if (buf->status == ML_OK && !ml_utf8_valid(text, len))
		buf->status = ml_fail(buf->env, ML_EDATA, "a name or label is not valid UTF-8");
	else if (buf->status == ML_OK && len > UINT32_MAX)
		buf->status = ml_fail(buf->env, ML_EDATA, "a text of %zu bytes is too long", len);
	if (buf->status != ML_OK)
		return;
	ml_put_u32(buf, (uint32_t) len);
	ml_put_bytes(buf, text, len);
}

void
ml_put_f64_array(MlBuffer *buf, const double *values, size_t n)
{
	if (LITTLE_ENDIAN_HOST && n <= SIZE_MAX / sizeof *values)
	{
		ml_put_bytes(buf, values, n * sizeof *values);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ml_put_f64(buf, values[i]);
}

void
ml_put_f32_array(MlBuffer *buf, const float *values, size_t n)
{
	if (LITTLE_ENDIAN_HOST && n <= SIZE_MAX / sizeof *values)
	{
		ml_put_bytes(buf, values, n * sizeof *values);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ml_put_f32(buf, values[i]);
}

void
ml_put_u32_array(MlBuffer *buf, const uint32_t *values, size_t n)
{
	if (LITTLE_ENDIAN_HOST && n <= SIZE_MAX / sizeof *values)
	{
		ml_put_bytes(buf, values, n * sizeof *values);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ml_put_u32(buf, values[i]);
}

void
ml_put_format(MlBuffer *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	/* vsnprintf writes a zero byte behind the text: make room for it, then leave it out. */
	if (len < 0 || extend(buf, (size_t) len + 1) == NULL)
		return;
	buf->len -= (size_t) len + 1;
	va_start(args, format);
	vsnprintf((char *) buf->data + buf->len, (size_t) len + 1, format, args);
	va_end(args);
	buf->len += (size_t) len;
}

void
ml_reader_init(MlReader *in, MlEnv *env, const void *data, size_t len)
{
	*in = (MlReader){.env = env, .data = data, .len = len};
}

const uint8_t *
ml_get_bytes(MlReader *in, size_t len)
{
	const uint8_t *place;

	if (in->failed || len > in->len - in->pos)
	{
		in->failed = true;
		return NULL;
	}
	place = in->data + in->pos;
	in->pos += len;
	return place;
}

/* n bytes as a number, lowest first; 0 after a failure. */
static uint64_t
get_uint(MlReader *in, size_t n)
{
	const uint8_t *place = ml_get_bytes(in, n);
	uint64_t value = 0;

	for (size_t i = 0; place && i < n; i++)
		value |= (uint64_t) place[i] << (8 * i);
	return value;
}

uint8_t
ml_get_u8(MlReader *in)
{
	return (uint8_t) get_uint(in, 1);
}

uint32_t
ml_get_u32(MlReader *in)
{
	return (uint32_t) get_uint(in, 4);
}

uint64_t
ml_get_u64(MlReader *in)
{
	return get_uint(in, 8);
}

float
ml_get_f32(MlReader *in)
{
	uint32_t bits = ml_get_u32(in);
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

double
ml_get_f64(MlReader *in)
{
	uint64_t bits = ml_get_u64(in);
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

char *
ml_get_text(MlReader *in, MlArena *arena)
{
	uint32_t len = ml_get_u32(in);
	const uint8_t *place = ml_get_bytes(in, len);
	char *copy;

	if (place == NULL || !ml_utf8_valid((const char *) place, len))
	{
		in->failed = true;
		return NULL;
	}
	copy = ml_arena_text(arena, (const char *) place, len);
	if (copy == NULL)
		in->failed = in->no_memory = true;
	return copy;
}

uint32_t
ml_get_count(MlReader *in, size_t min_bytes)
{
	uint32_t n = ml_get_u32(in);

	if (in->failed || n > (in->len - in->pos) / ML_MAX(min_bytes, 1))
	{
		in->failed = true;
		return 0;
	}
	return n;
}

double *
ml_get_f64_array(MlReader *in, MlArena *arena, size_t n)
{
	double *values;

	if (in->failed || n > (in->len - in->pos) / sizeof *values)
	{
		in->failed = true;
		return NULL;
	}
	values = ml_arena_array(arena, n, sizeof *values);
	if (values == NULL)
	{
		in->failed = in->no_memory = true;
		return NULL;
	}
	if (LITTLE_ENDIAN_HOST && n > 0)
		memcpy(values, ml_get_bytes(in, n * sizeof *values), n * sizeof *values);
	else
	{
		for (size_t i = 0; i < n; i++)
			values[i] = ml_get_f64(in);
	}
	return values;
}

/* Room in the arena for n values of 4 bytes that the data still holds; NULL: failed. */
static void *
room_for_words(MlReader *in, MlArena *arena, size_t n)
{
	void *values = NULL;

	if (!in->failed && n <= (in->len - in->pos) / 4)
	{
		values = ml_arena_array(arena, n, 4);
		in->no_memory = values == NULL;
	}
	in->failed = values == NULL;
	return values;
}

float *
ml_get_f32_array(MlReader *in, MlArena *arena, size_t n)
{
	float *values = room_for_words(in, arena, n);

	if (values && LITTLE_ENDIAN_HOST && n > 0)
		memcpy(values, ml_get_bytes(in, n * sizeof *values), n * sizeof *values);
	for (size_t i = 0; values && !LITTLE_ENDIAN_HOST && i < n; i++)
		values[i] = ml_get_f32(in);
	return values;
}

uint32_t *
ml_get_u32_array(MlReader *in, MlArena *arena, size_t n)
{
	uint32_t *values = room_for_words(in, arena, n);

	if (values && LITTLE_ENDIAN_HOST && n > 0)
		memcpy(values, ml_get_bytes(in, n * sizeof *values), n * sizeof *values);
	for (size_t i = 0; values && !LITTLE_ENDIAN_HOST && i < n; i++)
		values[i] = ml_get_u32(in);
	return values;
}

MlStatus
ml_corrupt(MlEnv *env, const char *what)
{
	return ml_fail(env, ML_ECORRUPT, "model image is damaged: %s", what);
}

MlStatus
ml_reader_check(MlReader *in, const char *what)
{
	if (in->no_memory)
		return ML_ENOMEM; /* the arena has said how much */
	return in->failed ? ml_corrupt(in->env, what) : ML_OK;
}

MlStatus
ml_reader_end(MlReader *in, const char *what)
{
	ML_TRY(ml_reader_check(in, what));
	return in->pos < in->len ? ml_corrupt(in->env, what) : ML_OK;
}

/* Bytes of the character that starts at s, of at most left; 0: not UTF-8 (RFC 3629), or a zero byte. */
static size_t
utf8_length(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;

	if (s[0] == 0 || (s[0] >= 0x80 && s[0] < 0xC2) || s[0] > 0xF4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
		(s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return n;
}

bool
ml_utf8_valid(const char *text, size_t len)
{
	for (size_t i = 0; i < len;)
	{
		size_t n = utf8_length((const unsigned char *) text + i, len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

int
ml_utf8_cut(const char *text, int max)
{
	int len = (int) strnlen(text, (size_t) max + 1);

	if (len > max)
	{
		len = max;
		while (len > 0 && ((unsigned char) text[len] & 0xC0) == 0x80)
			len--;
	}
	return len;
}

#if defined(__x86_64__)
/* By the processor's own instruction. */
__attribute__((target("sse4.2"))) static uint32_t
crc_hardware(uint32_t crc, const uint8_t *data, size_t len)
{
	uint64_t wide = crc;

	for (; len >= 8; data += 8, len -= 8)
	{
		uint64_t word;

		memcpy(&word, data, sizeof word);
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t) wide;
	for (; len > 0; data++, len--)
		crc = _mm_crc32_u8(crc, *data);
	return crc;
}
#endif

/* Half a byte at a time, by the remainders of 0..15 of the reflected polynomial 0x82F63B78. */
static uint32_t
crc_portable(uint32_t crc, const uint8_t *data, size_t len)
{
	static const uint32_t remainder[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
										   0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
										   0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
										   0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};

	for (size_t i = 0; i < len; i++)
	{
		crc ^= data[i];
		crc = (crc >> 4) ^ remainder[crc & 15];
		crc = (crc >> 4) ^ remainder[crc & 15];
	}
	return crc;
}

uint32_t
ml_crc32c(const void *data, size_t len)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_hardware(0xFFFFFFFF, data, len);
#elif defined(__ARM_FEATURE_CRC32)
	uint32_t crc = 0xFFFFFFFF;
	const uint8_t *byte = data;

	for (; len >= 8; byte += 8, len -= 8)
	{
		uint64_t word;

		memcpy(&word, byte, sizeof word);
		crc = __crc32cd(crc, word);
	}
	return ~crc_portable(crc, byte, len);
#endif
	return ~crc_portable(0xFFFFFFFF, data, len);
}
