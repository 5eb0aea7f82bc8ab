/*
 * blanks.h
 *		White space in text: cut off at the ends, made one space inside.
 *
 * White space is what Unicode calls so (White_Space), as far as the text is UTF-8; otherwise that of
 * ASCII. Zero bytes, and bytes that are no valid UTF-8, are not white space.
 */
#ifndef ML_BLANKS_H
#define ML_BLANKS_H

#include <stdbool.h>
#include <stddef.h>

/* Where the text without white space at its ends begins; *len becomes its length. */
extern const char *ml_trim_blanks(const char *text, size_t *len, bool utf8);

/* Write the trimmed text with each run of white space as one space to out (len bytes of room); returns its length. */
extern size_t ml_collapse_blanks(const char *text, size_t len, bool utf8, char *out);

#endif /* ML_BLANKS_H */
