/*
 * dict.h
 *		Dictionary: the levels of a categorical column, text to code and back.
 *
 * Codes count from 0 in order of first appearance. Comparison is by bytes, so
 * it does not depend on a collation.
 */
#ifndef ML_DICT_H
#define ML_DICT_H

#include "core/buffer.h"

#define ML_NO_LEVEL UINT32_MAX

typedef struct MlDict MlDict;

extern MlDict *ml_dict_create(MlArena *arena);
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
