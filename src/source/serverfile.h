/*
 * serverfile.h
 *		A file on the server as a stream of bytes.
 */
#ifndef MLPLAT_SERVERFILE_H
#define MLPLAT_SERVERFILE_H

#include "source/bytes.h"

/* Open for reading. Throws unless the caller may read server files and path names a regular file, absolutely. */
extern MlplatBytes *mlplat_server_file_open(const char *path);

#endif
