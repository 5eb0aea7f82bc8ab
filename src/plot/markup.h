/*
 * markup.h
 *		Text for SVG and HTML: escaping, fitting, numbers for human eyes.
 *
 * Everything that comes from data goes through these functions. Widths are in
 * em, estimated from a wide font, so that a text that fits here fits in every
 * browser.
 */
#ifndef ML_MARKUP_H
#define ML_MARKUP_H

#include "core/buffer.h"

/* Our own markup as it stands; never text that comes from data. */
extern void ml_markup_raw(MlBuffer *out, const char *markup);

/* Text escaped for content and for quoted attributes; bytes that are no text become U+FFFD. */
extern void ml_markup_text(MlBuffer *out, const char *text);

/* Estimated width of the first len bytes. */
extern double ml_markup_width(const char *text, size_t len);

/* Bytes of text that fit into width, with room for an ellipsis where it is cut. */
extern size_t ml_markup_fit(const char *text, double width);

/* The escaped text when it fits into width, else its start and an ellipsis. True when it was cut. */
extern bool ml_markup_fitted(MlBuffer *out, const char *text, double width);

#define ML_NUMBER_ROOM 40 /* bytes that a formatted number needs at most */

/* A number for people, digits significant ones: "1,234", "0.8123", "1.5e-9"; NaN: an en dash. */
extern const char *ml_human_number(char *room, double value, int digits);
extern const char *ml_human_percent(char *room, double share); /* 0.8123: "81.2 %" */
extern const char *ml_human_compact(char *room, double value); /* 12345: "12.3k" */
extern const char *ml_human_bytes(char *room, double bytes);
extern const char *ml_human_seconds(char *room, double seconds);

#endif /* ML_MARKUP_H */
