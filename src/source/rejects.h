/*
 * rejects.h
 *		Rows that an import does not take: to import_rejects, with the reason.
 */
#ifndef MLPLAT_REJECTS_H
#define MLPLAT_REJECTS_H

#include "source/importlog.h"

/*
 * Write down a row and count it in import->rejected. line: where it starts, from 1; column NULL: the row as a whole;
 * content: its bytes as they stand in the file, any bytes at all. May be called while COPY reads.
 */
extern void mlplat_reject(MlplatImport *import, int64 line, const char *column, const char *reason,
						  const char *content, size_t len);

/* Those that are still held back reach the table. */
extern void mlplat_rejects_flush(MlplatImport *import);

#endif
