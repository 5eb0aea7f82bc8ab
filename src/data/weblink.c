/*
 * weblink.c
 *		The header "Link" of HTTP (RFC 8288): <https://host/items?page=2>; rel="next", ...
 *
 * links = link *( "," link ), link = "<" target ">" *( ";" name [ "=" value ] ),
 * where a value is a word or in double quotes with backslashes, and that of
 * "rel" is a list of words. What is not so ends the search: a header is never
 * read in two ways.
 */
#include <string.h>
#include <strings.h>

#include "data/weblink.h"

typedef struct Span
{
	const char *start;
	size_t len;
} Span;

static const char *
skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* A value at *p, which moves behind it, without its quotes; backslashes stay, as no relation has any. */
static Span
take_value(const char **p)
{
	const char *start = *p;

	if (*start != '"')
	{
		size_t len = strcspn(start, " \t,;");

		*p += len;
		return (Span){start, len};
	}
	for (start++, (*p)++; **p && **p != '"'; (*p)++)
		if (**p == '\\' && (*p)[1])
			(*p)++;
	return (Span){start, (size_t) ((*p += **p == '"') - start)};
}

/* Is word one of those in the list? A closing quote may be at its end. */
static bool
has_word(Span list, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= list.len; i++)
	{
		char after = i + len < list.len ? list.start[i + len] : ' ';

		if (strncasecmp(list.start + i, word, len) == 0 && (i == 0 || list.start[i - 1] == ' ') &&
			(after == ' ' || after == '"'))
			return true;
	}
	return false;
}

/* The parameters of a link at *p, which moves behind them. Is one of them rel with the word next? */
static bool
take_parameters(const char **p)
{
	bool is_next = false;

	while (*(*p = skip_blanks(*p)) == ';')
	{
		Span name = {skip_blanks(*p + 1), 0};
		Span value = {"", 0};

		name.len = strcspn(name.start, " \t=,;");
		*p = skip_blanks(name.start + name.len);
		if (**p == '=')
		{
			*p = skip_blanks(*p + 1);
			value = take_value(p);
		}
		if (name.len == 3 && strncasecmp(name.start, "rel", 3) == 0)
			is_next |= has_word(value, "next");
	}
	return is_next;
}

bool
ml_weblink_next(const char *header, char *out, size_t size)
{
	const char *p = header;

	for (;;)
	{
		Span target;

		while (*p == ',' || *p == ' ' || *p == '\t')
			p++;
		if (*p != '<')
			return false;
		target = (Span){p + 1, strcspn(p + 1, ">")};
		p = target.start + target.len;
		if (*p++ != '>')
			return false;
		if (!take_parameters(&p))
			continue;
		if (target.len >= size)
			return false;
		memcpy(out, target.start, target.len);
		out[target.len] = '\0';
		return true;
	}
}
