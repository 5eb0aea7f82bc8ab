/*
 * markup_check.h
 *		A strict reader of our own SVG and HTML: every element closed in order, attributes quoted once.
 *
 * It knows as much of markup as our writers use; whatever else it meets is an error, so that a name
 * that breaks out of its place is found.
 */
#ifndef MARKUP_CHECK_H
#define MARKUP_CHECK_H

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MARKUP_DEPTH 64

typedef struct MarkupReader
{
	const char *at;
	char open[MARKUP_DEPTH][16];
	int depth;
	const char *error;
} MarkupReader;

/* Read a name of an element or attribute into out; false: there is none. */
static inline bool
markup_name(MarkupReader *r, char *out, size_t room)
{
	size_t n = 0;

	while (isalnum((unsigned char) *r->at) || *r->at == '-')
	{
		if (n + 1 >= room)
			return false;
		out[n++] = *r->at++;
	}
	out[n] = '\0';
	return n > 0;
}

/* An entity that we write; false: another one, or a bare ampersand. */
static inline bool
markup_entity(const char *at)
{
	static const char *const known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(at, known[i], strlen(known[i])) == 0)
			return true;
	return false;
}

/* Attributes up to the end of the tag; *closed: it ended in "/>". */
static inline void
markup_attributes(MarkupReader *r, bool *closed)
{
	char name[32], seen[16][32];
	int n = 0;

	*closed = false;
	while (*r->at == ' ')
	{
		r->at++;
		if (!markup_name(r, name, sizeof name) || n == 16)
		{
			r->error = "no attribute name";
			return;
		}
		for (int i = 0; i < n; i++)
			if (strcmp(seen[i], name) == 0)
				r->error = "attribute given twice";
		strcpy(seen[n++], name);
		if (strncmp(r->at, "=\"", 2) != 0)
		{
			r->error = "attribute without a quoted value";
			return;
		}
		for (r->at += 2; *r->at != '"'; r->at++)
			if (*r->at == '\0' || *r->at == '<' || (*r->at == '&' && !markup_entity(r->at)))
			{
				r->error = "wrong character in an attribute";
				return;
			}
		r->at++;
	}
	if (*r->at == '/')
	{
		*closed = true;
		r->at++;
	}
	if (*r->at++ != '>')
		r->error = "tag without an end";
}

/* One tag; r->at is behind its '<'. */
static inline void
markup_tag(MarkupReader *r)
{
	char name[16];
	bool end = *r->at == '/', closed;

	r->at += end;
	if (!markup_name(r, name, sizeof name))
	{
		r->error = "no element name";
		return;
	}
	if (end)
	{
		if (*r->at++ != '>' || r->depth == 0 || strcmp(r->open[--r->depth], name) != 0)
			r->error = "element closed that was not open";
		return;
	}
	markup_attributes(r, &closed);
	if (closed || r->error || strcmp(name, "meta") == 0)
		return;
	if (r->depth == MARKUP_DEPTH)
	{
		r->error = "too deep";
		return;
	}
	strcpy(r->open[r->depth++], name);
	/* The contents of these are no markup. */
	if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0)
	{
		const char *rest = strstr(r->at, strcmp(name, "style") == 0 ? "</style>" : "</script>");

		r->at = rest ? rest : r->at + strlen(r->at);
	}
}

/* NULL when the text is well formed, else what is wrong; prints the place. */
static inline const char *
markup_error(const char *text)
{
	MarkupReader r = {.at = text};

	if (strncmp(text, "<!doctype html>\n", 16) == 0)
		r.at += 16;
	while (*r.at && !r.error)
	{
		if (*r.at == '<')
		{
			r.at++;
			markup_tag(&r);
		}
		else if (*r.at == '&' && !markup_entity(r.at))
			r.error = "a bare ampersand";
		else if ((unsigned char) *r.at < 0x20 && *r.at != '\n' && *r.at != '\t')
			r.error = "a control character";
		else
			r.at++;
	}
	if (!r.error && r.depth > 0)
		r.error = "element left open";
	if (r.error)
		printf("# %s before: %.60s\n", r.error, r.at);
	return r.error;
}

/* How often a string stands in a text. */
static inline size_t
markup_count(const char *text, const char *what)
{
	size_t n = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		n++;
	return n;
}

#endif /* MARKUP_CHECK_H */
