/*
 * utf16.h
 *		A stream of bytes as it stands, or as UTF-8 where it is UTF-16 with a byte order mark.
 */
#ifndef MLPLAT_UTF16_H
#define MLPLAT_UTF16_H

#include "source/bytes.h"

/* Takes raw over. */
extern MlplatBytes *mlplat_utf16(MlplatBytes *raw);

#endif
