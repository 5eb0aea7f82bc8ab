/*
 * credentials.h
 *		Who we are to another server: from a file or a user mapping, never from the statement.
 */
#ifndef MLPLAT_CREDENTIALS_H
#define MLPLAT_CREDENTIALS_H

#include "source/web/url.h"

typedef struct MlplatCredentials
{
	const char *token;           /* NULL: none */
	const char *user, *password; /* NULL: none */
} MlplatCredentials;

/* A token from a file on the server, which takes the rights of pg_read_server_files. */
extern MlplatCredentials mlplat_credentials_from_file(const char *path);

/* What the current user's mapping for a foreign server holds, if that server is the URL's. */
extern MlplatCredentials mlplat_credentials_from_mapping(const char *server, const MlplatUrl *url);

/* Throw where they would go over the network in the clear. */
extern void mlplat_credentials_check(const MlplatCredentials *credentials, const MlplatUrl *url);

#endif
