/*
 * gunzip.h
 *		A stream of bytes as it stands, or decompressed where it is gzip.
 */
#ifndef MLPLAT_GUNZIP_H
#define MLPLAT_GUNZIP_H

#include "source/bytes.h"

/*
 * raw itself unless it starts like gzip; else a stream of its content, which closes raw as well. max_bytes: refuse
 * content that is larger; 0: more than 1 GB and more than 200 times the bytes that it was packed in.
 */
extern MlplatBytes *mlplat_gunzip(MlplatBytes *raw, int64 max_bytes);

#endif
