/*
 * jsontoken.c
 *		JSON by tokens: no tree, no recursion, no allocation; a piece of a document is enough.
 *
 * RFC 8259 to the letter. Mistakes that people and programs make (comments,
 * NaN, apostrophes, a comma too many) are called by their names.
 *
 * Most bytes of a document are in strings and numbers. Strings are skipped
 * eight bytes at a time by arithmetic on a word: x - 0x01... & ~x & 0x80... has
 * a bit for a byte that is zero, and, above the first such, perhaps for others;
 * so it tells whether there is one, and the bytes of that word are looked at
 * one by one.
 */
#include <string.h>

#include "data/json/jsontoken.h"

#define EACH(byte) ((uint64_t) (byte) *UINT64_C(0x0101010101010101))
#define HAS_ZERO(word) (((word) -EACH(0x01)) & ~(word) &EACH(0x80))
#define HAS_BELOW(word, limit) (((word) -EACH(limit)) & ~(word) &EACH(0x80))

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* May c follow a number or a word? Anything else glued to it is a mistake of that token. */
static bool
is_glued(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
		   c == '+' || c == '-' || c == '_';
}

static void
bad(MlJsonToken *token, const char *place, const char *problem)
{
	token->kind = ML_TOKEN_BAD;
	token->end = place;
	token->problem = problem;
}

/* ---- strings */

/* The first byte that is a quote, a backslash or a control character; *high gathers the top bits on the way. */
static const char *
skip_plain(const char *p, const char *end, uint64_t *high)
{
	for (; end - p >= 8; p += 8)
	{
		uint64_t word;

		memcpy(&word, p, sizeof word);
		if (HAS_ZERO(word ^ EACH('"')) | HAS_ZERO(word ^ EACH('\\')) | HAS_BELOW(word, 0x20))
			break;
		*high |= word;
	}
	for (; p < end && *p != '"' && *p != '\\' && (unsigned char) *p >= 0x20; p++)
		*high |= (unsigned char) *p;
	return p;
}

/* Four hexadecimal digits; -1: they aren't. */
static int
hex4(const char *p)
{
	int code = 0;

	for (int i = 0; i < 4; i++)
	{
		char c = p[i];
		int digit = is_digit(c)            ? c - '0'
					: c >= 'a' && c <= 'f' ? c - 'a' + 10
					: c >= 'A' && c <= 'F' ? c - 'A' + 10
										   : -1;

		if (digit < 0)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

static bool
is_high_half(int code)
{
	return code >= 0xD800 && code <= 0xDBFF;
}

static bool
is_low_half(int code)
{
	return code >= 0xDC00 && code <= 0xDFFF;
}

/*
 * p stands on the backslash of a \u. Returns the place behind it; NULL: wrong, with the token bad, or cut off, with
 * the token as it was. A low half of its own and a high one without its low are noted.
 */
static const char *
scan_unicode(const char *p, const char *end, MlJsonToken *token)
{
	int code, low = -1;

	if (end - p < 6)
		return NULL;
	code = hex4(p + 2);
	if (code < 0)
	{
		bad(token, p, "four hexadecimal digits must follow \\u");
		return NULL;
	}
	if (code == 0)
		token->flags |= ML_STRING_ZERO;
	if (is_low_half(code))
		token->flags |= ML_STRING_HALF;
	if (!is_high_half(code))
		return p + 6;
	/* The string goes on at least to its quote, so what tells is there or is cut off. */
	if (end - p < 7 || (p[6] == '\\' && end - p < 8) ||
		(p[6] == '\\' && p[7] == 'u' && end - p < 12))
		return NULL;
	if (p[6] == '\\' && p[7] == 'u')
		low = hex4(p + 8);
	if (is_low_half(low))
		return p + 12;
	token->flags |= ML_STRING_HALF;
	return p + 6;
}

/* p stands on a backslash. As scan_unicode. */
static const char *
scan_escape(const char *p, const char *end, MlJsonToken *token)
{
	if (end - p < 2)
		return NULL;
	token->flags |= ML_STRING_ESCAPED;
	if (p[1] == 'u')
		return scan_unicode(p, end, token);
	if (p[1] && strchr("\"\\/bfnrt", p[1]))
		return p + 2;
	bad(token, p, "unknown escape in a string");
	return NULL;
}

static void
scan_string(const char *end, MlJsonToken *token)
{
	const char *p = token->start + 1;
	uint64_t high = 0;

	token->kind = ML_TOKEN_MORE;
	for (;;)
	{
		p = skip_plain(p, end, &high);
		if (p == end)
			return;
		if (*p == '"')
			break;
		if (*p != '\\')
		{
			bad(token, p, "a control character in a string must be escaped");
			return;
		}
		p = scan_escape(p, end, token);
		if (!p)
			return;
	}
	token->kind = ML_TOKEN_STRING;
	token->end = p + 1;
	if (!(high & EACH(0x80)))
		return;
	token->flags |= ML_STRING_HIGH;
	if (!ml_utf8_valid(token->start + 1, (size_t) (p - token->start - 1)))
		token->flags |= ML_STRING_BROKEN;
}

/* ---- numbers and words */

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* A run of digits that must not be empty; NULL: it is, or has a leading zero where that is not allowed. */
static const char *
need_digits(const char *p, const char *end, bool zero_may_lead)
{
	const char *behind = skip_digits(p, end);

	if (behind == p || (!zero_may_lead && *p == '0' && behind - p > 1))
		return NULL;
	return behind;
}

/* number = [ minus ] int [ frac ] [ exp ]; NULL: it is none. */
static const char *
skip_number(const char *p, const char *end)
{
	p += *p == '-';
	p = need_digits(p, end, false);
	if (p && p < end && *p == '.')
		p = need_digits(p + 1, end, true);
	if (p && p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		p += p < end && (*p == '+' || *p == '-');
		p = need_digits(p, end, true);
	}
	return p;
}

static void
scan_number(const char *end, bool last, MlJsonToken *token)
{
	const char *p = skip_number(token->start, end);

	if (p && p < end && !is_glued(*p))
	{
		token->kind = ML_TOKEN_NUMBER;
		token->end = p;
		return;
	}
	/* Cut off in the middle, it may look like none. */
	for (p = token->start; p < end && is_glued(*p); p++)
		;
	if (p == end && !last)
		token->kind = ML_TOKEN_MORE;
	else if (p == skip_number(token->start, end))
	{
		token->kind = ML_TOKEN_NUMBER;
		token->end = p;
	}
	else
		bad(token, token->start, "not a number as JSON writes them");
}

static void
scan_word(const char *end, bool last, const char *word, MlJsonToken *token)
{
	size_t len = strlen(word), there = (size_t) (end - token->start);

	if (memcmp(token->start, word, ML_MIN(len, there)) != 0 ||
		(there > len && is_glued(token->start[len])))
		bad(token, token->start, "not true, false or null");
	else if (there > len || (there == len && last))
	{
		token->kind = (MlJsonTokenKind) word[0];
		token->end = token->start + len;
	}
	else
		token->kind = ML_TOKEN_MORE;
}

static const char *
why_not(char c)
{
	switch (c)
	{
		case '/':
		case '#':
			return "JSON has no comments";
		case '\'':
			return "strings and keys are in double quotes, not in apostrophes";
		case 'N':
		case 'I':
		case '+':
		case '.':
			return "not a number as JSON writes them";
		case '\0':
			return "a zero byte";
		case '\x1e':
			return "record separators between documents are not supported";
		default:
			return "no value starts like this";
	}
}

void
ml_json_scan(const char *p, const char *end, bool last, MlJsonToken *token)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	token->start = p;
	token->end = end;
	token->flags = 0;
	token->kind = ML_TOKEN_MORE;
	if (p == end)
		return;
	switch (*p)
	{
		case '{':
		case '}':
		case '[':
		case ']':
		case ':':
		case ',':
			token->kind = (MlJsonTokenKind) *p;
			token->end = p + 1;
			return;
		case '"':
			scan_string(end, token);
			return;
		case 't':
			scan_word(end, last, "true", token);
			return;
		case 'f':
			scan_word(end, last, "false", token);
			return;
		case 'n':
			scan_word(end, last, "null", token);
			return;
		default:
			if (*p == '-' || is_digit(*p))
				scan_number(end, last, token);
			else
				bad(token, p, why_not(*p));
	}
}

const char *
ml_json_unstorable(unsigned flags)
{
	if (flags & ML_STRING_BROKEN)
		return "not valid UTF-8";
	if (flags & ML_STRING_ZERO)
		return "\\u0000 cannot be stored";
	return "half of a surrogate pair cannot be stored";
}

/* ---- text of strings */

int
ml_json_utf8(char *out, unsigned code)
{
	int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (n == 1)
	{
		out[0] = (char) code;
		return 1;
	}
	for (int i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (char) (0x80 | (code & 0x3F));
	out[0] = (char) ((0xF00 >> n & 0xFF) | code);
	return n;
}

unsigned
ml_json_unicode(const char **p)
{
	unsigned code = (unsigned) hex4(*p + 2);

	*p += 6;
	if (!is_high_half((int) code))
		return code;
	code = 0x10000u + ((code - 0xD800) << 10) + ((unsigned) hex4(*p + 2) - 0xDC00);
	*p += 6;
	return code;
}

static char
escaped_char(char name)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";

	return bytes[strchr(names, name) - names];
}

void
ml_json_put_string(MlBuffer *out, const MlJsonToken *token)
{
	const char *p = token->start + 1, *end = token->end - 1;

	while (p < end)
	{
		const char *plain = p;
		char utf8[4];

		p = memchr(p, '\\', (size_t) (end - p));
		if (!p)
			p = end;
		ml_put_bytes(out, plain, (size_t) (p - plain));
		if (p == end)
			break;
		if (p[1] == 'u')
			ml_put_bytes(out, utf8, (size_t) ml_json_utf8(utf8, ml_json_unicode(&p)));
		else
		{
			ml_put_u8(out, (uint8_t) escaped_char(p[1]));
			p += 2;
		}
	}
}

/* ---- which token may follow */

static bool
in_object(const MlJsonNest *nest)
{
	size_t at = nest->depth - 1;

	return nest->is_object[at / 64] >> (at % 64) & 1;
}

static const char *
open_container(MlJsonNest *nest, bool is_object)
{
	size_t at = nest->depth;
	uint64_t bit = UINT64_C(1) << (at % 64);

	if (at == ML_JSON_MAX_DEPTH)
		return "nested more than 1024 deep";
	if (is_object)
		nest->is_object[at / 64] |= bit;
	else
		nest->is_object[at / 64] &= ~bit;
	nest->depth++;
	nest->wants = is_object ? ML_WANTS_KEY_OR_END : ML_WANTS_VALUE_OR_END;
	return NULL;
}

static const char *
close_container(MlJsonNest *nest)
{
	nest->depth--;
	nest->wants = ML_WANTS_COMMA_OR_END;
	return NULL;
}

static const char *
step_value(MlJsonNest *nest, const MlJsonToken *token)
{
	switch (token->kind)
	{
		case ML_TOKEN_OPEN_OBJECT:
			return open_container(nest, true);
		case ML_TOKEN_OPEN_ARRAY:
			return open_container(nest, false);
		case ML_TOKEN_CLOSE_ARRAY:
			if (nest->wants == ML_WANTS_VALUE_OR_END)
				return close_container(nest);
			return nest->depth > 0 && !in_object(nest) ? "a comma before the ]"
													   : "a value is missing";
		case ML_TOKEN_CLOSE_OBJECT:
		case ML_TOKEN_COLON:
		case ML_TOKEN_COMMA:
			return "a value is missing";
		default:
			nest->wants = ML_WANTS_COMMA_OR_END;
			return NULL;
	}
}

static const char *
step_key(MlJsonNest *nest, const MlJsonToken *token)
{
	if (token->kind == ML_TOKEN_STRING)
	{
		nest->wants = ML_WANTS_COLON;
		return NULL;
	}
	if (token->kind != ML_TOKEN_CLOSE_OBJECT)
		return "a key in double quotes is missing";
	return nest->wants == ML_WANTS_KEY_OR_END ? close_container(nest) : "a comma before the }";
}

static const char *
step_comma_or_end(MlJsonNest *nest, const MlJsonToken *token)
{
	bool object;

	if (nest->depth == 0)
		return "something follows the value";
	object = in_object(nest);
	if (token->kind == ML_TOKEN_COMMA)
		nest->wants = object ? ML_WANTS_KEY : ML_WANTS_VALUE;
	else if (token->kind == (object ? ML_TOKEN_CLOSE_OBJECT : ML_TOKEN_CLOSE_ARRAY))
		close_container(nest);
	else
		return object ? "a comma or } is missing" : "a comma or ] is missing";
	return NULL;
}

const char *
ml_json_step(MlJsonNest *nest, const MlJsonToken *token)
{
	switch (nest->wants)
	{
		case ML_WANTS_VALUE:
		case ML_WANTS_VALUE_OR_END:
			return step_value(nest, token);
		case ML_WANTS_KEY:
		case ML_WANTS_KEY_OR_END:
			return step_key(nest, token);
		case ML_WANTS_COLON:
			if (token->kind != ML_TOKEN_COLON)
				return "a colon is missing";
			nest->wants = ML_WANTS_VALUE;
			return NULL;
		default:
			return step_comma_or_end(nest, token);
	}
}
