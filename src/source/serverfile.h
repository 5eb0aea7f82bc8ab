/*
 * serverfile.h
 *		A file on the server, plain or gzip, as a stream of bytes.
 */
#ifndef MLPLAT_SERVERFILE_H
#define MLPLAT_SERVERFILE_H

typedef struct MlplatServerFile MlplatServerFile;

/* Open for reading. Throws unless the caller may read server files and path names a regular file, absolutely. */
extern MlplatServerFile *mlplat_server_file_open(const char *path);

/* Up to size bytes of content, decompressed; fewer than size only at the end. */
extern int mlplat_server_file_read(MlplatServerFile *file, char *out, int size);
extern void mlplat_server_file_rewind(MlplatServerFile *file);
extern void mlplat_server_file_close(MlplatServerFile *file);

#endif
