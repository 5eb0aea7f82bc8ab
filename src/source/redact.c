/*
 * redact.c
 *		Texts that people write passwords into, fit to be kept and shown.
 *
 * A query over dblink may hold a connection string, in either of the forms of
 * libpq: key=value, where the value may be quoted, by ' or, inside a literal of
 * SQL, by '' or \'; or an address. What is not sure to be no password counts as one.
 */
#include "postgres.h"

#include <ctype.h>

#include "pg/compat.h"
#include "lib/stringinfo.h"

#include "source/redact.h"

#define MASK "***"

static const char *
skip_blanks(const char *s)
{
	while (isspace((unsigned char) *s))
		s++;
	return s;
}

/* The end of a value that starts here: of a quoted one, its closing quote; else a blank or what ends a literal. */
static const char *
value_end(const char *s)
{
	if (s[0] == '\'' || (s[0] == '\\' && s[1] == '\''))
	{
		s += s[0] == '\\' ? 2 : s[1] == '\'' ? 2 : 1;
		while (*s && *s != '\'')
			s += s[0] == '\\' && s[1] ? 2 : 1;
		return s;
	}
	while (*s && !isspace((unsigned char) *s) && !strchr("'\"&)", *s))
		s += s[0] == '\\' && s[1] ? 2 : 1;
	return s;
}

/* Where s goes on after "password =" or "password =>", which may be the end of a word; NULL: it is not that. */
static const char *
password_value(const char *s)
{
	const char *after;

	if (pg_strncasecmp(s, "password", 8) != 0)
		return NULL;
	after = skip_blanks(s + 8);
	if (*after != '=')
		return NULL;
	return skip_blanks(after + (after[1] == '>' ? 2 : 1));
}

static bool
is_port(const char *s, const char *end)
{
	while (s < end && isdigit((unsigned char) *s))
		s++;
	return s == end;
}

/* In "://user:password@", which s begins with: the password; NULL: there is none. */
static const char *
address_password(const char *s, const char **end)
{
	const char *colon = NULL, *at = NULL;

	if (strncmp(s, "://", 3) != 0)
		return NULL;
	/* A slash may stand in a password that was not escaped, but not behind a port; the last @ counts. */
	for (s += 3; *s && !isspace((unsigned char) *s) && !strchr("'\"", *s); s++)
	{
		if (*s == ':' && !colon)
			colon = s;
		if (*s == '@')
			at = s;
		if ((*s == '/' || *s == '?') && (!colon || at || is_port(colon + 1, s)))
			break;
	}
	if (!colon || !at || at < colon)
		return NULL;
	*end = at;
	return colon + 1;
}

char *
mlplat_redact(const char *text, bool *found)
{
	StringInfoData out;
	bool any = false;

	initStringInfo(&out);
	while (*text)
	{
		const char *end = NULL;
		const char *value = address_password(text, &end);

		if (!value && (value = password_value(text)) != NULL)
			end = value_end(value);
		if (!value)
		{
			appendStringInfoChar(&out, *text++);
			continue;
		}
		appendBinaryStringInfo(&out, text, (int) (value - text));
		appendStringInfoString(&out, MASK);
		text = end;
		any = true;
	}
	if (found)
		*found = any;
	return out.data;
}
