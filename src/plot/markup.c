/*
 * markup.c
 *		Text for SVG and HTML: escaping, fitting, numbers for human eyes.
 *
 * There is no font to measure with, so widths are those of DejaVu Sans, the
 * widest of the fonts that a page like ours is shown in: what fits by them fits
 * everywhere. Trap: names are data of strangers, so that any byte may come.
 */
#include "plot/markup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xFFFD
#define ELLIPSIS "\xE2\x80\xA6"
#define ELLIPSIS_WIDTH 1.0
#define EN_DASH "\xE2\x80\x93"

/* Advance widths of U+0020 to U+007E in hundredths of an em. */
static const uint8_t ascii_width[95] = {
	32, 40, 46, 84, 64, 95, 78, 28, 39,  39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 34, 34, 84, 84, 84, 53, 100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79,
	61, 79, 70, 64, 61, 74, 69, 99, 69,  61, 69, 39, 34, 39, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64,
	64, 28, 28, 58, 28, 98, 64, 61, 64,  64, 41, 52, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
};

/* A run of code points of one width, in hundredths of an em. */
typedef struct WidthRange
{
	uint32_t first, last;
	uint8_t width;
} WidthRange;

/* What is not of the common width: nothing (marks, joiners, selectors), or a full square. */
static const WidthRange width_ranges[] = {
	{0x0300, 0x036F, 0},     {0x0483, 0x0489, 0},     {0x0591, 0x05BD, 0},
	{0x064B, 0x065F, 0},     {0x1100, 0x115F, 110},   {0x200B, 0x200F, 0},
	{0x2028, 0x202E, 0},     {0x2060, 0x2069, 0},     {0x20D0, 0x20FF, 0},
	{0x2E80, 0xA4CF, 110},   {0xAC00, 0xD7A3, 110},   {0xF900, 0xFAFF, 110},
	{0xFE00, 0xFE0F, 0},     {0xFE20, 0xFE2F, 0},     {0xFE30, 0xFE6F, 110},
	{0xFF00, 0xFFE6, 110},   {0x1F000, 0x1F3FA, 135}, {0x1F3FB, 0x1F3FF, 0},
	{0x1F400, 0x1FAFF, 135}, {0x20000, 0x3FFFD, 110}, {0xE0000, 0xE01EF, 0},
};
#define OTHER_WIDTH 80 /* Cyrillic, Greek, Arabic, ...: on the wide side of their averages */

/* Own markup, as it stands. */
void
ml_markup_raw(MlBuffer *out, const char *markup)
{
	ml_put_bytes(out, markup, strlen(markup));
}

/* Decode one code point of UTF-8 at text (which ends with a zero byte); *len: its bytes. */
static uint32_t
decode(const char *text, size_t *len)
{
	const uint8_t *p = (const uint8_t *) text;
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC0 ? 2 : 0;
	uint32_t code = n == 1 ? p[0] : n == 0 ? 0 : p[0] & (0xFFu >> (n + 1));

	*len = 1;
	if (n == 0 || p[0] > 0xF4)
		return REPLACEMENT;
	for (size_t i = 1; i < n; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
			return REPLACEMENT;
		code = code << 6 | (p[i] & 0x3F);
	}
	if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return REPLACEMENT;
	*len = n;
	return code;
}

/* Characters that neither XML nor HTML allows as text. */
static bool
forbidden(uint32_t code)
{
	return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
		   (code >= 0x7F && code <= 0x9F) || (code & 0xFFFE) == 0xFFFE || code == REPLACEMENT;
}

/* Escape the first len bytes of text. */
static void
put_escaped(MlBuffer *out, const char *text, size_t len)
{
	for (size_t i = 0, step; i < len; i += step)
	{
		uint32_t code = decode(text + i, &step);

		if (code == '<')
			ml_markup_raw(out, "&lt;");
		else if (code == '>')
			ml_markup_raw(out, "&gt;");
		else if (code == '&')
			ml_markup_raw(out, "&amp;");
		else if (code == '"')
			ml_markup_raw(out, "&quot;");
		else if (code == '\'')
			ml_markup_raw(out, "&#39;");
		else if (forbidden(code))
			ml_markup_raw(out, "\xEF\xBF\xBD");
		else
			ml_put_bytes(out, text + i, step);
	}
}

/* Text escaped for content and quoted attributes. */
void
ml_markup_text(MlBuffer *out, const char *text)
{
	put_escaped(out, text, strlen(text));
}

/* Width of one code point in hundredths of an em. */
static int
code_width(uint32_t code)
{
	if (code < 0x20)
		return 32;
	if (code < 0x7F)
		return ascii_width[code - 0x20];
	for (size_t i = 0; i < sizeof(width_ranges) / sizeof(width_ranges[0]); i++)
		if (code >= width_ranges[i].first && code <= width_ranges[i].last)
			return width_ranges[i].width;
	return OTHER_WIDTH;
}

/* Estimated width in em of the first len bytes. */
double
ml_markup_width(const char *text, size_t len)
{
	long sum = 0;

	for (size_t i = 0, step; i < len; i += step)
		sum += code_width(decode(text + i, &step));
	return (double) sum / 100.0;
}

/*
 * Bytes of text that fit into width em. A text that does not fit is cut where a character begins that
 * has a width of its own (not before an accent, a skin tone, or inside a joined emoji).
 */
size_t
ml_markup_fit(const char *text, double width)
{
	size_t len = strlen(text), fits = 0;
	double used = 0.0;
	bool joined = false;

	if (ml_markup_width(text, len) <= width)
		return len;
	for (size_t i = 0, step; i < len; i += step)
	{
		uint32_t code = decode(text + i, &step);
		int w = code_width(code);

		if (w > 0 && !joined)
			fits = i;
		joined = code == 0x200D;
		used += w / 100.0;
		if (used > width - ELLIPSIS_WIDTH)
			break;
	}
	return fits;
}

/* The text, or as much of it as fits and an ellipsis. */
bool
ml_markup_fitted(MlBuffer *out, const char *text, double width)
{
	size_t fits = ml_markup_fit(text, width);

	put_escaped(out, text, fits);
	if (text[fits] == '\0')
		return false;
	ml_markup_raw(out, ELLIPSIS);
	return true;
}

/* Put commas between the thousands of a number's integer part. */
static void
group_thousands(char *room)
{
	char plain[ML_NUMBER_ROOM];
	size_t sign = room[0] == '-', n, len = strlen(room), to = 0;

	memcpy(plain, room, len + 1);
	n = strspn(plain + sign, "0123456789");
	for (size_t i = 0; i < len && to + 2 < ML_NUMBER_ROOM; i++)
	{
		if (i > sign && i < sign + n && (sign + n - i) % 3 == 0)
			room[to++] = ',';
		room[to++] = plain[i];
	}
	room[to] = '\0';
}

/* "1.50e-09" becomes "1.5e-9". */
static void
tidy_exponent(char *room)
{
	char *e = strchr(room, 'e'), *end = e, *digits;

	if (!e)
		return;
	while (end > room && end[-1] == '0')
		end--;
	if (end > room && end[-1] == '.')
		end--;
	else if (!memchr(room, '.', (size_t) (e - room)))
		end = e;
	*end++ = 'e';
	digits = e + 1;
	if (*digits == '-')
		*end++ = '-';
	digits += strspn(digits, "+-0");
	memmove(end, digits, strlen(digits) + 1);
}

/* A number with this many significant digits, whole numbers in full. */
const char *
ml_human_number(char *room, double value, int digits)
{
	double size = fabs(value);
	int decimals;

	if (isnan(value))
		return EN_DASH;
	if (isinf(value))
		return value > 0 ? "\xE2\x88\x9E" : "-\xE2\x88\x9E";
	if (size == 0.0)
		return "0";
	if (size >= 1e15 || size < 1e-4)
	{
		snprintf(room, ML_NUMBER_ROOM, "%.*e", digits - 1, value);
		tidy_exponent(room);
		return room;
	}
	decimals = digits - 1 - (int) floor(log10(size));
	if (decimals < 0 || value == floor(value))
		decimals = 0;
	snprintf(room, ML_NUMBER_ROOM, "%.*f", decimals, value);
	group_thousands(room);
	return room;
}

/* A share as a percentage with one decimal, or more where it is next to nothing or all. */
const char *
ml_human_percent(char *room, double share)
{
	double percent = share * 100.0, edge = fmin(fabs(percent), fabs(100.0 - percent));

	if (isnan(share))
		return EN_DASH;
	if (!isfinite(percent) || fabs(percent) >= 1e6)
		return ml_human_number(room, percent, 3);
	snprintf(room, ML_NUMBER_ROOM, edge > 0.0 && edge < 0.1 ? "%.3f %%" : "%.1f %%", percent);
	if (percent == 0.0 || percent == 100.0)
		snprintf(room, ML_NUMBER_ROOM, "%.0f %%", fabs(percent));
	return room;
}

/* At most three digits and a suffix, for cells and bars. */
const char *
ml_human_compact(char *room, double value)
{
	static const char *const suffix[] = {"", "k", "M", "G", "T", "P"};
	double size = fabs(value);
	int step = 0;

	if (!(size >= 1000.0) || size >= 1e18)
		return ml_human_number(room, value, 3);
	/* 999.5 would be printed as 1000 */
	for (; size >= 999.5 && step < 5; step++)
		size /= 1000.0;
	snprintf(room, ML_NUMBER_ROOM, "%s%.*f%s", value < 0 ? "-" : "",
			 size < 9.995   ? 2
			 : size < 99.95 ? 1
							: 0,
			 size, suffix[step]);
	return room;
}

/* 1536: "1.5 kB". */
const char *
ml_human_bytes(char *room, double bytes)
{
	static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB"};
	int step = 0;

	if (!(bytes >= 0.0) || bytes >= 1e18)
		return EN_DASH;
	for (; bytes >= 1024.0 && step < 4; step++)
		bytes /= 1024.0;
	snprintf(room, ML_NUMBER_ROOM, "%.*f %s", step == 0 || bytes >= 10.0 ? 0 : 1, bytes,
			 unit[step]);
	return room;
}

/* A duration in the unit that people would say. */
const char *
ml_human_seconds(char *room, double seconds)
{
	if (!(seconds >= 0.0) || seconds >= 1e12)
		return EN_DASH;
	if (seconds < 0.9995)
		snprintf(room, ML_NUMBER_ROOM, "%.0f ms", seconds * 1000.0);
	else if (seconds < 59.95)
		snprintf(room, ML_NUMBER_ROOM, "%.*f s", seconds < 9.995 ? 2 : 1, seconds);
	else if (seconds < 3599.5)
		snprintf(room, ML_NUMBER_ROOM, "%.0f min %.0f s", floor(round(seconds) / 60.0),
				 fmod(round(seconds), 60.0));
	else if (seconds >= 172800.0)
		snprintf(room, ML_NUMBER_ROOM, "%.0f days", round(seconds / 86400.0));
	else
		snprintf(room, ML_NUMBER_ROOM, "%.0f h %.0f min", floor(round(seconds / 60.0) / 60.0),
				 fmod(round(seconds / 60.0), 60.0));
	return room;
}
