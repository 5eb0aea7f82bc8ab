/*
 * svg.h
 *		Drawing primitives: the shapes and texts that charts are made of.
 *
 * Shapes carry classes, never colours: the style sheet (ml_svg_style) gives
 * light and dark. A drawing scales with its box; most are ML_CHART_WIDTH units
 * wide, so that their texts have one size on a page.
 */
#ifndef ML_SVG_H
#define ML_SVG_H

#include "plot/markup.h"

#define ML_CHART_WIDTH 360.0
#define ML_WIDE_CHART 640.0 /* the widest that shrinks to its box; wider ones are scrolled */
#define ML_FONT_SIZE 12.0

typedef enum MlAnchor
{
	ML_ANCHOR_START,
	ML_ANCHOR_MIDDLE,
	ML_ANCHOR_END
} MlAnchor;

typedef struct MlPlace
{
	double x, y; /* of a text: its baseline */
	MlAnchor anchor;
} MlPlace;

typedef struct MlBox
{
	double x, y, width, height;
} MlBox;

/* What a drawing says without being seen, and where it will stand. */
typedef struct MlCaption
{
	const char *title;
	const char *summary;
	/* A file of its own, with style sheet, ground and heading: what it shows, below the title. NULL: part of a page. */
	const char *subject;
	const MlBuffer *words; /* markup whose text goes on with the summary; NULL: none */
} MlCaption;

/* The style sheet of all drawings: variables for light and dark, and the classes used by charts. */
extern const char ml_svg_style[];

extern void ml_svg_begin(MlBuffer *out, const MlCaption *caption, double width, double height);
extern void ml_svg_end(MlBuffer *out, const MlCaption *caption);

extern void ml_svg_coordinate(MlBuffer *out, double value); /* two decimals, no needless zeros */
extern void ml_svg_line(MlBuffer *out, const char *class, double x1, double y1, double x2,
						double y2);
/* name, value: the tooltip "name: value"; value may be NULL, and so may both. */
extern void ml_svg_rect(MlBuffer *out, const char *class, MlBox box, const char *name,
						const char *value);
extern void ml_svg_circle(MlBuffer *out, const char *class, double x, double y, double r);

/* A text within width units: cut with an ellipsis, and then whole in a <title>. class: "" for none. */
extern void ml_svg_text(MlBuffer *out, const char *class, MlPlace place, double width,
						const char *text);

#endif /* ML_SVG_H */
