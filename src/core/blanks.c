/*
 * blanks.c
 *		White space in text: cut off at the ends, made one space inside.
 */
#include <string.h>

#include "core/blanks.h"

/* Bytes of the white space at the start of text; 0: there is none. */
static size_t
blank_at(const char *text, size_t len, bool utf8)
{
	const unsigned char *s = (const unsigned char *) text;

	if (len > 0 && (s[0] == ' ' || (s[0] >= '\t' && s[0] <= '\r')))
		return 1;
	if (!utf8 || len < 2 || s[0] < 0xC2)
		return 0;
	if (s[0] == 0xC2) /* U+0085, U+00A0 */
		return s[1] == 0x85 || s[1] == 0xA0 ? 2 : 0;
	if (len < 3)
		return 0;
	if (s[0] == 0xE2 && s[1] == 0x80) /* U+2000 to U+200A, U+2028, U+2029, U+202F */
		return (s[2] >= 0x80 && s[2] <= 0x8A) || s[2] == 0xA8 || s[2] == 0xA9 || s[2] == 0xAF ? 3
																							  : 0;
	if ((s[0] == 0xE1 && s[1] == 0x9A && s[2] == 0x80) || /* U+1680 */
		(s[0] == 0xE2 && s[1] == 0x81 && s[2] == 0x9F) || /* U+205F */
		(s[0] == 0xE3 && s[1] == 0x80 && s[2] == 0x80))   /* U+3000 */
		return 3;
	return 0;
}

/* Bytes of the white space at the end. No lead byte is a continuation byte, so that looking back is safe. */
static size_t
blank_before_end(const char *text, size_t len, bool utf8)
{
	for (size_t n = 1; n <= 3 && n <= len; n++)
		if (blank_at(text + len - n, n, utf8) == n)
			return n;
	return 0;
}

const char *
ml_trim_blanks(const char *text, size_t *len, bool utf8)
{
	size_t n;

	while ((n = blank_at(text, *len, utf8)) > 0)
	{
		text += n;
		*len -= n;
	}
	while ((n = blank_before_end(text, *len, utf8)) > 0)
		*len -= n;
	return text;
}

size_t
ml_collapse_blanks(const char *text, size_t len, bool utf8, char *out)
{
	size_t n_out = 0;

	text = ml_trim_blanks(text, &len, utf8);
	while (len > 0)
	{
		size_t n = blank_at(text, len, utf8);

		if (n == 0 || n_out == 0 || out[n_out - 1] != ' ')
			out[n_out++] = n > 0 ? ' ' : *text;
		n = n > 0 ? n : 1;
		text += n;
		len -= n;
	}
	return n_out;
}
