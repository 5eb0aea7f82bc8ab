/*
 * clean_json.h
 *		JSON of a cleaning: UTF-8 outside of the server, its own encoding inside.
 */
#ifndef MLPLAT_CLEAN_JSON_H
#define MLPLAT_CLEAN_JSON_H

#include "core/json.h"

/* A text for the writer, which takes UTF-8 only; in the current context, or the text itself. */
extern char *mlplat_json_from_server(const char *text);

/* What the writer has put out, as a text of the server. */
extern char *mlplat_json_to_server(const MlBuffer *buffer);

/* Parse UTF-8; strings are then of the server's encoding, those that had to change in the current context. */
extern MlJson *mlplat_json_parse(MlArena *arena, const char *text, size_t len);

#endif
