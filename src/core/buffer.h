/*
 * buffer.h
 *		Growing byte buffers to write, bounded cursors to read.
 *
 * Everything is little-endian whatever the machine. A reader treats its bytes
 * as hostile: after the first failed read every later one fails too and gives
 * zeros, so that a decoder may check once at the end of a group of reads.
 */
#ifndef ML_BUFFER_H
#define ML_BUFFER_H

#include "core/env.h"

typedef struct MlBuffer
{
	MlEnv *env;
	uint8_t *data;
	size_t len;
	size_t capacity;
	MlStatus status; /* sticky: once an append failed, ML_ENOMEM, or ML_EDATA for a text */
} MlBuffer;

extern void ml_buffer_init(MlBuffer *buf, MlEnv *env);
extern void ml_buffer_free(MlBuffer *buf);
extern void ml_put_bytes(MlBuffer *buf, const void *data, size_t len);
extern void ml_put_u8(MlBuffer *buf, uint8_t value);
extern void ml_put_u32(MlBuffer *buf, uint32_t value);
extern void ml_put_u64(MlBuffer *buf, uint64_t value);
extern void ml_put_f32(MlBuffer *buf, float value);
extern void ml_put_f64(MlBuffer *buf, double value);
extern void ml_put_text(MlBuffer *buf, const char *text); /* UTF-8: u32 length, bytes */
extern void ml_put_f64_array(MlBuffer *buf, const double *values, size_t n);
extern void ml_put_f32_array(MlBuffer *buf, const float *values, size_t n);
extern void ml_put_u32_array(MlBuffer *buf, const uint32_t *values, size_t n);
extern void ml_put_format(MlBuffer *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3))); /* text, no length, no zero byte */

typedef struct MlReader
{
	MlEnv *env;
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool failed;    /* sticky */
	bool no_memory; /* failed for want of memory, not because of the bytes */
} MlReader;

extern void ml_reader_init(MlReader *in, MlEnv *env, const void *data, size_t len);
extern uint8_t ml_get_u8(MlReader *in);
extern uint32_t ml_get_u32(MlReader *in);
extern uint64_t ml_get_u64(MlReader *in);
extern float ml_get_f32(MlReader *in);
extern double ml_get_f64(MlReader *in);
extern const uint8_t *ml_get_bytes(MlReader *in,
								   size_t len); /* points into the data; NULL: failed */
extern char *
ml_get_text(MlReader *in,
			MlArena *arena); /* copy of valid UTF-8 without a zero byte; NULL: failed */

/*
 * A count of things that take at least min_bytes each in the data that is left: a larger one is a
 * failure, so that a hostile count cannot make the decoder allocate more than a multiple of the input.
 */
extern uint32_t ml_get_count(MlReader *in, size_t min_bytes);
extern double *ml_get_f64_array(MlReader *in, MlArena *arena, size_t n);
extern float *ml_get_f32_array(MlReader *in, MlArena *arena, size_t n);
extern uint32_t *ml_get_u32_array(MlReader *in, MlArena *arena, size_t n);

/*
 * ML_OK when nothing has failed so far, else ML_ECORRUPT with "what" in the error, or ML_ENOMEM. Use it, and not
 * ml_corrupt, after a get that allocates. ml_reader_end also wants nothing left over.
 */
extern MlStatus ml_reader_check(MlReader *in, const char *what);
extern MlStatus ml_reader_end(MlReader *in, const char *what);
extern MlStatus ml_corrupt(MlEnv *env, const char *what); /* "model image is damaged: <what>" */

extern bool ml_utf8_valid(const char *text, size_t len); /* a zero byte is not valid */

/* Length of the longest prefix of at most max bytes that cuts no character; for "%.*s" in messages. */
extern int ml_utf8_cut(const char *text, int max);

extern uint32_t ml_crc32c(const void *data, size_t len); /* Castagnoli */

#endif /* ML_BUFFER_H */
