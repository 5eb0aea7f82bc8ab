/*
 * svg.c
 *		Drawing primitives: the shapes and texts that charts are made of.
 *
 * The colours are those of Okabe and Ito (Color Universal Design, 2008), which
 * people with any kind of colour vision tell apart; on a dark ground the ones of
 * that set that are bright enough stand in. Second series are dashed as well on
 * paper, where there may be no colour at all.
 */
#include "plot/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A drawing on its own. */
#define MARGIN 16.0  /* units around it */
#define HEADING 46.0 /* units for the two lines above it */
#define SCALE 1.5    /* pixels a unit, where nobody says how large it shall be */

const char ml_svg_style[] =
	":root{color-scheme:light dark;--surface:#fff;--ink:#16191d;--muted:#5a636e;--grid:#e6e9ed;"
	"--axis:#b3bac3;--c1:#0072b2;--c2:#d55e00;--c3:#009e73;--c4:#b8588c;--c5:#b87a00;--c6:#3d8fc4;"
	"--lo:#16191d;--on:#fff}"
	"@media(prefers-color-scheme:dark){:root{--surface:#171b21;--ink:#e9ecef;--muted:#9aa5b1;"
	"--grid:#2a313a;--axis:#4b5561;--c1:#56b4e9;--c2:#e69f00;--c3:#1fb88d;--c4:#d98bb6;--c5:#"
	"f0e442;"
	"--c6:#8fcdf0;--lo:#fff;--on:#000}}"
	"@media print{:root{color-scheme:light;--surface:#fff;--ink:#000;--muted:#444;--grid:#ddd;"
	"--axis:#888;--c1:#0072b2;--c2:#d55e00;--c3:#009e73;--c4:#b8588c;--c5:#b87a00;--c6:#3d8fc4;"
	"--lo:#000;--on:#fff}}"
	".ch{display:block;max-width:100%;height:auto;font:12px system-ui,-apple-system,\"Segoe "
	"UI\",Roboto,"
	"\"Helvetica Neue\",\"Noto Sans\",Arial,sans-serif;fill:var(--ink);"
	"font-variant-numeric:tabular-nums}"
	".ch .la{paint-order:stroke;stroke:var(--surface);stroke-width:4px;stroke-linejoin:round}"
	".ch.wd{max-width:none}.ch .he{font-size:15px;font-weight:650}"
	".ch .bg{fill:var(--surface)}.ch .mu{fill:var(--muted)}.ch .st{font-weight:600}"
	".ch .gr{stroke:var(--grid)}.ch .ax{stroke:var(--axis)}"
	".ch .rf{stroke:var(--axis);stroke-width:1.5;stroke-dasharray:4 4;fill:none}"
	".ch .mk{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 3}"
	".ch .ln{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}"
	".ch .ar{opacity:.1;stroke:none}"
	".ch .bx{fill:var(--surface);stroke:var(--axis)}.ch .mo{stroke-dasharray:3 3}"
	".ch .br{fill:none;stroke:var(--axis);stroke-width:1.25}"
	".ch .pt{fill-opacity:.45;stroke:none}.ch .do{stroke:var(--surface);stroke-width:1.5}"
	".ch .s1{stroke:var(--c1)}.ch .s2{stroke:var(--c2)}.ch .s3{stroke:var(--c3)}"
	".ch .s4{stroke:var(--c4)}.ch .s5{stroke:var(--c5)}.ch .s6{stroke:var(--c6)}"
	".ch .f1{fill:var(--c1)}.ch .f2{fill:var(--c2)}.ch .f3{fill:var(--c3)}"
	".ch .f4{fill:var(--c4)}.ch .f5{fill:var(--c5)}.ch .f6{fill:var(--c6)}"
	".ch .tr{fill:var(--grid);opacity:.55}.ch .lo{fill:var(--lo)}.ch .mi{fill:#000}.ch "
	".on{fill:var(--on)}"
	"@media print{.ch .s2{stroke-dasharray:6 3}}";

/* The text of markup of our own: what stands in tags is left out. */
static void
put_words(MlBuffer *out, const MlBuffer *words)
{
	bool tag = false;

	for (size_t i = 0; words && i < words->len; i++)
	{
		uint8_t c = words->data[i];

		tag |= c == '<';
		if (!tag)
			ml_put_bytes(out, &c, 1);
		tag &= c != '>';
	}
}

/* What a drawing says to those who do not see it. */
static void
put_alternative(MlBuffer *out, const MlCaption *caption)
{
	ml_markup_raw(out, "<title>");
	ml_markup_text(out, caption->title);
	if (caption->subject)
	{
		ml_markup_raw(out, " \xC2\xB7 ");
		ml_markup_text(out, caption->subject);
	}
	ml_markup_raw(out, "</title><desc>");
	ml_markup_text(out, caption->summary);
	if (caption->words && caption->words->len > 0)
		ml_markup_raw(out, " ");
	put_words(out, caption->words);
	ml_markup_raw(out, "</desc>");
}

/* Open a drawing of width x height units. On its own it has a ground with a margin, and a heading above it. */
void
ml_svg_begin(MlBuffer *out, const MlCaption *caption, double width, double height)
{
	double margin = caption->subject ? MARGIN : 0.0, heading = caption->subject ? HEADING : 0.0;
	double whole_width = ceil(width) + 2.0 * margin;
	double whole_height = ceil(height) + 2.0 * margin + heading;
	bool wide = width > ML_WIDE_CHART;
	double scale = wide ? 1.0 : SCALE;

	ml_put_format(out, "<svg class=\"ch%s\" role=\"img\" viewBox=\"0 0 %.0f %.0f\"",
				  wide ? " wd" : "", whole_width, whole_height);
	if (caption->subject || wide)
		ml_put_format(out, " width=\"%.0f\" height=\"%.0f\"", scale * whole_width,
					  scale * whole_height);
	if (caption->subject)
		ml_markup_raw(out, " xmlns=\"http://www.w3.org/2000/svg\"");
	ml_markup_raw(out, ">");
	put_alternative(out, caption);
	if (!caption->subject)
		return;
	ml_markup_raw(out, "<style>");
	ml_markup_raw(out, ml_svg_style);
	ml_markup_raw(out, "</style><rect class=\"bg\" width=\"100%\" height=\"100%\"/>");
	ml_put_format(out, "<g transform=\"translate(%.0f %.0f)\">", margin, margin + heading);
	ml_svg_text(out, "he", (MlPlace){0.0, 14.0 - heading, ML_ANCHOR_START}, width / 1.4,
				caption->title);
	ml_svg_text(out, "mu", (MlPlace){0.0, 32.0 - heading, ML_ANCHOR_START}, width,
				caption->subject);
}

/* Close the drawing. */
void
ml_svg_end(MlBuffer *out, const MlCaption *caption)
{
	ml_markup_raw(out, caption->subject ? "</g></svg>" : "</svg>");
}

/* A coordinate: two decimals, no needless zeros. What is no place at all becomes 0. */
void
ml_svg_coordinate(MlBuffer *out, double value)
{
	char text[32];
	size_t len;

	if (!(fabs(value) < 1e6))
		value = 0.0;
	len = (size_t) snprintf(text, sizeof(text), "%.2f", value);
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	if (len == 2 && text[0] == '-' && text[1] == '0')
		ml_put_bytes(out, "0", 1);
	else
		ml_put_bytes(out, text, len);
}

/* One attribute that is a coordinate. */
static void
put_attribute(MlBuffer *out, const char *name, double value)
{
	ml_put_format(out, " %s=\"", name);
	ml_svg_coordinate(out, value);
	ml_put_bytes(out, "\"", 1);
}

/* A straight line. */
void
ml_svg_line(MlBuffer *out, const char *class, double x1, double y1, double x2, double y2)
{
	ml_put_format(out, "<path class=\"%s\" d=\"M", class);
	ml_svg_coordinate(out, x1);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, y1);
	ml_put_bytes(out, "L", 1);
	ml_svg_coordinate(out, x2);
	ml_put_bytes(out, " ", 1);
	ml_svg_coordinate(out, y2);
	ml_markup_raw(out, "\"/>");
}

/* Close a shape, with a tooltip "name: value" in it where there is a name. */
static void
close_shape(MlBuffer *out, const char *element, const char *name, const char *value)
{
	if (!name)
	{
		ml_markup_raw(out, "/>");
		return;
	}
	ml_markup_raw(out, "><title>");
	ml_markup_text(out, name);
	if (value)
	{
		ml_markup_raw(out, ": ");
		ml_markup_text(out, value);
	}
	ml_put_format(out, "</title></%s>", element);
}

/* A filled rectangle. */
void
ml_svg_rect(MlBuffer *out, const char *class, MlBox box, const char *name, const char *value)
{
	ml_put_format(out, "<rect class=\"%s\"", class);
	put_attribute(out, "x", box.x);
	put_attribute(out, "y", box.y);
	put_attribute(out, "width", fmax(box.width, 0.0));
	put_attribute(out, "height", fmax(box.height, 0.0));
	close_shape(out, "rect", name, value);
}

/* A dot. */
void
ml_svg_circle(MlBuffer *out, const char *class, double x, double y, double r)
{
	ml_put_format(out, "<circle class=\"%s\"", class);
	put_attribute(out, "cx", x);
	put_attribute(out, "cy", y);
	put_attribute(out, "r", r);
	close_shape(out, "circle", NULL, NULL);
}

/* A text within width units, its baseline at y. */
void
ml_svg_text(MlBuffer *out, const char *class, MlPlace place, double width, const char *text)
{
	static const char *const anchor[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
	double em = width / ML_FONT_SIZE;

	ml_markup_raw(out, "<text");
	if (*class)
		ml_put_format(out, " class=\"%s\"", class);
	put_attribute(out, "x", place.x);
	put_attribute(out, "y", place.y);
	ml_put_format(out, "%s>", anchor[place.anchor]);
	if (ml_markup_fitted(out, text, em))
	{
		ml_markup_raw(out, "<title>");
		ml_markup_text(out, text);
		ml_markup_raw(out, "</title>");
	}
	ml_markup_raw(out, "</text>");
}
