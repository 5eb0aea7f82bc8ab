/*
 * credentials.c
 *		Who we are to another server: from a file or a user mapping, never from the statement.
 *
 * A secret in a statement would stand in logs, in pg_stat_statements and in the
 * client's history. So it comes from a place that has rights of its own. Nothing
 * here puts it into a message.
 *
 * A user mapping belongs to a foreign server, and that server says in its option
 * "url" where it is: the secret goes to no other. Otherwise whoever may use the
 * server could have an administrator's secret sent to any allowed host.
 */
#include "postgres.h"

#include <ctype.h>

#include "pg/compat.h"
#include "catalog/pg_foreign_server.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "source/web/credentials.h"
#include "source/serverfile.h"

#define MAX_SECRET 8192

/* Printable ASCII without blanks, as it must be in a header. */
static bool
is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++)
		if ((unsigned char) *text <= ' ' || (unsigned char) *text >= 0x7f)
			return false;
	return true;
}

static const char *
check_token(const char *token, const char *source)
{
	if (!is_token(token))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s holds no token", source),
				 errdetail("A token is one word of printable ASCII characters.")));
	return token;
}

static char *
trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char) text[len - 1]))
		text[--len] = '\0';
	while (isspace((unsigned char) *text))
		text++;
	return text;
}

MlplatCredentials
mlplat_credentials_from_file(const char *path)
{
	MlplatBytes *file = mlplat_server_file_open(path);
	char *text = palloc0(MAX_SECRET + 1);
	int len = mlplat_bytes_read(file, text, MAX_SECRET + 1);

	if (len > MAX_SECRET)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s is too large to hold a token", file->name),
						errdetail("It has more than %d bytes.", MAX_SECRET)));
	text[len] = '\0';
	mlplat_bytes_close(file);
	return (MlplatCredentials){.token = check_token(trim(text), psprintf("file \"%s\"", path))};
}

static const char *
find_option(List *options, const char *name)
{
	ListCell *cell;

	foreach (cell, options)
	{
		DefElem *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

/* The server's own URL must be that of the request, up to the port. */
static void
check_place(const ForeignServer *server, const MlplatUrl *url)
{
	const char *text = find_option(server->options, "url");
	const MlplatUrl *place;

	if (!text)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("server \"%s\" has no option \"url\"", server->servername),
						errhint("It says to which server its users' secrets may go: ALTER SERVER "
								"... OPTIONS (ADD url 'https://host').")));
	place = mlplat_url_parse(text);
	if (strcmp(place->scheme, url->scheme) != 0 || pg_strcasecmp(place->host, url->host) != 0 ||
		place->port != url->port)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("server \"%s\" is not the one of the URL", server->servername),
				 errdetail("It is at \"%s\", the URL is \"%s\".", place->shown, url->shown)));
}

static void
check_usage(const ForeignServer *server)
{
	AclResult result = mlplat_server_aclcheck(server->serverid, GetUserId(), ACL_USAGE);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_FOREIGN_SERVER, server->servername);
}

MlplatCredentials
mlplat_credentials_from_mapping(const char *name, const MlplatUrl *url)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	MlplatCredentials found;
	UserMapping *mapping;

	check_usage(server);
	check_place(server, url);
	mapping = GetUserMapping(GetUserId(), server->serverid);
	found = (MlplatCredentials){.token = find_option(mapping->options, "token"),
								.user = find_option(mapping->options, "user"),
								.password = find_option(mapping->options, "password")};
	if (found.token)
		check_token(found.token, psprintf("the user mapping for server \"%s\"", name));
	else if (!found.user || !found.password)
		ereport(ERROR, (errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
						errmsg("the user mapping for server \"%s\" has neither a token nor a user "
							   "with a password",
							   name)));
	return found;
}

void
mlplat_credentials_check(const MlplatCredentials *credentials, const MlplatUrl *url)
{
	if ((credentials->token || credentials->user) && !mlplat_url_is_private(url))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("a secret is not sent to \"%s\" in the clear", url->shown),
						errhint("Use https.")));
}
