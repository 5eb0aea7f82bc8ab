/*
 * plainnumber.h
 *		Is a text a number that every reader of numbers takes?
 */
#ifndef ML_PLAINNUMBER_H
#define ML_PLAINNUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* A sign or none, 1 to max_digits digits, with fraction a point after the first or a later one; nothing else. */
extern bool ml_is_plain_number(const char *text, size_t len, int max_digits, bool fraction);

#endif /* ML_PLAINNUMBER_H */
