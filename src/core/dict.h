/*
 * dict.h
 *		Dictionary: the levels of a categorical column, text to code and back.
 *
 * Codes count from 0 in order of first appearance. Comparison is by bytes, so
 * it does not depend on a collation.
 *
 * A *hashed* dictionary (the hashing trick) has a fixed number of buckets, "#1",
 * "#2", ...: every text has the code of the bucket that its hash falls into,
 * seen before or not, and none is kept.
 */
#ifndef ML_DICT_H
#define ML_DICT_H

#include "core/buffer.h"

#define ML_NO_LEVEL UINT32_MAX

typedef struct MlDict MlDict;

#define ML_MAX_BUCKETS 65536

extern MlDict *ml_dict_create(MlArena *arena);
extern MlDict *ml_dict_create_hashed(MlArena *arena, uint32_t n_buckets); /* NULL: no memory */
extern uint32_t
ml_dict_buckets(const MlDict *dict); /* 0: not hashed, every text has its own code */
extern uint32_t ml_dict_find(const MlDict *dict, const char *text,
							 size_t len); /* ML_NO_LEVEL: unseen */
extern MlStatus ml_dict_add(MlDict *dict, const char *text, size_t len, uint32_t *code);
extern uint32_t ml_dict_size(const MlDict *dict);
extern const char *ml_dict_text(const MlDict *dict, uint32_t code); /* zero-terminated */
extern size_t ml_dict_len(const MlDict *dict, uint32_t code);

extern void ml_dict_save(const MlDict *dict, MlBuffer *out);
extern MlStatus ml_dict_load(MlReader *in, MlArena *arena,
							 MlDict **dict); /* duplicates are corrupt */

#endif /* ML_DICT_H */
