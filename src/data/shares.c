/*
 * shares.c
 *		How many rows of each class go to each part of a split.
 *
 * The parts take their rows one after the other, each its share of what the
 * parts before it have left. Within a part, every class gives its share rounded
 * down, and the rows that are then missing come from the classes with the
 * largest rests (Hamilton's method). Rounding each class by itself would not
 * do: of a hundred classes with 3 rows each, all would give 1 to a part of 20 %.
 */
#include <math.h>
#include <stdlib.h>

#include "core/env.h"
#include "data/shares.h"

/* What a class gives to the part at hand. */
typedef struct Gift
{
	size_t class;
	uint64_t left; /* rows that no part has yet */
	uint64_t rows;
	double rest; /* of the exact share, after rounding down */
} Gift;

/* Larger rests first, then the lower class. */
static int
compare_rests(const void *a, const void *b)
{
	const Gift *x = a, *y = b;

	if (x->rest != y->rest)
		return x->rest > y->rest ? -1 : 1;
	return x->class < y->class ? -1 : 1;
}

/* Let all classes give the share of what they have left. at_least: rows of a class, where it has them. */
static void
fill_part(Gift *gifts, size_t n_classes, double share, uint64_t at_least)
{
	double wanted = 0;
	uint64_t total = 0;

	for (size_t k = 0; k < n_classes; k++)
	{
		Gift *gift = &gifts[k];
		double exact = (double) gift->left * share;

		gift->rows = ML_MAX((uint64_t) exact, at_least);
		gift->rows = ML_MIN(gift->rows, gift->left);
		gift->rest = exact - (double) gift->rows;
		wanted += exact;
		total += gift->rows;
	}
	qsort(gifts, n_classes, sizeof(Gift), compare_rests);
	for (size_t k = 0; k < n_classes && (double) total < floor(wanted + 0.5); k++)
		if (gifts[k].rows < gifts[k].left)
		{
			gifts[k].rows++;
			total++;
		}
}

MlStatus
ml_share_rows(MlEnv *env, const uint64_t *count, size_t n_classes, const double *fractions,
			  int n_parts, uint64_t *rows)
{
	Gift *gifts = ml_alloc_array(env, n_classes, sizeof(Gift));
	double ahead = 1; /* the sum of the fractions of this part and those after it */

	if (!gifts)
		return ML_ENOMEM;
	for (size_t k = 0; k < n_classes; k++)
		gifts[k] = (Gift){.class = k, .left = count[k]};
	for (int part = 0; part < n_parts; part++)
	{
		bool last = part == n_parts - 1;

		fill_part(gifts, n_classes, last ? 1 : ML_MIN(fractions[part] / ahead, 1), part == 0);
		for (size_t k = 0; k < n_classes; k++)
		{
			rows[gifts[k].class * n_parts + part] = gifts[k].rows;
			gifts[k].left -= gifts[k].rows;
		}
		ahead -= fractions[part];
	}
	ml_free(env, gifts);
	return ML_OK;
}
