/*
 * radix_sort.c
 *		Sort numbers, with or without a number that moves along.
 *
 * Least significant digit first, from one array to another and back; the counts of all digits are
 * taken in one reading, and digits that are the same in all keys are skipped (scores that came from
 * float4 or from counting have many). Digits of 11 bits for many keys, 8 for fewer, insertion for a
 * handful. Stable, so the order of what moves along depends on nothing but the input.
 */
#include "metric/radix_sort.h"

#define FEW 48
#define MANY 65536
#define MAX_BITS 11
#define MAX_DIGITS 8
#define POLL_EVERY (1 << 20) /* keys: a few ms */

typedef struct Sorter
{
	uint64_t *from, *to;
	double *from_along, *to_along; /* or NULL */
	size_t n;
	size_t *counts; /* n_digits x 2^bits */
	int bits, n_digits;
} Sorter;

static void
insertion_sort(uint64_t *keys, double *along, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		uint64_t key = keys[i];
		double moved = along ? along[i] : 0;
		size_t at = i;

		for (; at > 0 && keys[at - 1] > key; at--)
		{
			keys[at] = keys[at - 1];
			if (along)
				along[at] = along[at - 1];
		}
		keys[at] = key;
		if (along)
			along[at] = moved;
	}
}

static MlStatus
count_digits(MlEnv *env, Sorter *s)
{
	size_t size = (size_t) 1 << s->bits, mask = size - 1;

	for (size_t begin = 0; begin < s->n; begin += POLL_EVERY)
	{
		size_t end = ML_MIN(s->n, begin + POLL_EVERY);

		ML_TRY(ml_poll(env));
		for (size_t i = begin; i < end; i++)
		{
			uint64_t key = s->from[i];

			for (int digit = 0; digit < s->n_digits; digit++, key >>= s->bits)
				s->counts[(size_t) digit * size + (key & mask)]++;
		}
	}
	return ML_OK;
}

static void
scatter(Sorter *s, size_t *place, int shift, size_t begin, size_t end)
{
	size_t mask = ((size_t) 1 << s->bits) - 1;

	if (s->from_along)
		for (size_t i = begin; i < end; i++)
		{
			size_t to = place[(s->from[i] >> shift) & mask]++;

			s->to[to] = s->from[i];
			s->to_along[to] = s->from_along[i];
		}
	else
		for (size_t i = begin; i < end; i++)
			s->to[place[(s->from[i] >> shift) & mask]++] = s->from[i];
}

/* Turn counts into first places; false when one digit holds all keys. */
static bool
places(size_t *counts, size_t size, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < size; i++)
	{
		size_t count = counts[i];

		if (count == n)
			return false;
		counts[i] = sum;
		sum += count;
	}
	return true;
}

static MlStatus
sort_digits(MlEnv *env, Sorter *s)
{
	size_t size = (size_t) 1 << s->bits;

	ML_TRY(count_digits(env, s));
	for (int digit = 0; digit < s->n_digits; digit++)
	{
		size_t *place = s->counts + (size_t) digit * size;
		uint64_t *keys = s->from;
		double *along = s->from_along;

		if (!places(place, size, s->n))
			continue;
		for (size_t begin = 0; begin < s->n; begin += POLL_EVERY)
		{
			ML_TRY(ml_poll(env));
			scatter(s, place, digit * s->bits, begin, ML_MIN(s->n, begin + POLL_EVERY));
		}
		s->from = s->to;
		s->to = keys;
		s->from_along = s->to_along;
		s->to_along = along;
	}
	return ML_OK;
}

MlStatus
ml_radix_sort(MlEnv *env, uint64_t **keys, double **along, size_t n)
{
	Sorter s = {.from = *keys, .from_along = along ? *along : NULL, .n = n};
	MlStatus status = ML_ENOMEM;

	if (n <= FEW)
	{
		insertion_sort(*keys, s.from_along, n);
		return ML_OK;
	}
	s.bits = n < MANY ? 8 : MAX_BITS;
	s.n_digits = (64 + s.bits - 1) / s.bits;
	s.counts = ml_zalloc_array(env, (size_t) s.n_digits << s.bits, sizeof(size_t));
	s.to = ml_alloc_array(env, n, sizeof(uint64_t));
	if (s.from_along)
		s.to_along = ml_alloc_array(env, n, sizeof(double));
	if (s.counts && s.to && (!s.from_along || s.to_along))
		status = sort_digits(env, &s);
	ml_free(env, s.counts);
	ml_free(env, s.to);
	ml_free(env, s.to_along);
	*keys = s.from;
	if (along)
		*along = s.from_along;
	return status;
}
