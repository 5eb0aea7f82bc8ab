/*
 * options.h
 *		The options of an import, by its parameter tables.
 */
#ifndef MLPLAT_OPTIONS_H
#define MLPLAT_OPTIONS_H

#include "utils/jsonb.h"

#include "core/param.h"

/*
 * Read them by n tables into as many results, in the current context; throws. options NULL: none. function: the SQL name, for messages.
 */
extern void mlplat_read_options(const char *function, const MlParam *const *tables, size_t n,
								Jsonb *options, MlParams *out);

#endif
