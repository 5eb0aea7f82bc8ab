/*
 * plainnumber.c
 *		Is a text a number that every reader of numbers takes?
 */
#include "data/plainnumber.h"

bool
ml_is_plain_number(const char *text, size_t len, int max_digits, bool fraction)
{
	const char *end = text + len;
	int n_digits = 0;

	if (text < end && (*text == '-' || *text == '+'))
		text++;
	for (; text < end; text++)
	{
		if (*text >= '0' && *text <= '9')
			n_digits++;
		else if (*text == '.' && fraction && n_digits > 0)
			fraction = false;
		else
			return false;
	}
	return n_digits >= 1 && n_digits <= max_digits;
}
