/*
 * jsonpath.h
 *		Where in a document the rows are: $, $.data.items, $."odd name".rows[*]
 *
 * The part of JSONPath that names one place: members by name, and [*] at the
 * end for the elements of an array.
 */
#ifndef ML_JSONPATH_H
#define ML_JSONPATH_H

#include "core/env.h"

typedef struct MlJsonPath
{
	const char *text;
	char **names; /* of members, from the outermost */
	size_t *lens;
	size_t n;
	bool elements; /* ends in [*]: there must be an array */
} MlJsonPath;

/* Parse; what it has lives in the arena. ML_EINVAL: it is none of these. */
extern MlStatus ml_json_path_parse(MlArena *arena, const char *text, MlJsonPath *path);

#endif /* ML_JSONPATH_H */
