/*
 * jsonpick.h
 *		The value at one place of a JSON document.
 */
#ifndef ML_JSONPICK_H
#define ML_JSONPICK_H

#include "data/json/jsonpath.h"
#include "data/json/jsontoken.h"

typedef struct MlJsonPick
{
	MlJsonToken token; /* the value, or the bracket that opens it; ML_TOKEN_NONE: there is none */
	bool empty;        /* an array or object with nothing in it */
} MlJsonPick;

/*
 * Find the value that path leads to in the first document of text, the first if a name is there twice; [*] is not looked at.
 * The document is read to its end. ML_EDATA: it is no JSON, or ends too early.
 */
extern MlStatus ml_json_pick(MlEnv *env, const char *text, size_t len, const MlJsonPath *path,
							 MlJsonPick *pick);

#endif /* ML_JSONPICK_H */
