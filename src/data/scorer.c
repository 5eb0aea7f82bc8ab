/*
 * scorer.c
 *		Linear predictors over a design; see scorer.h.
 */
#include <math.h>

#include "data/scorer.h"

/* ---- making the tables */

/* Room for the tables by feature. */
static MlStatus
allocate(MlArena *arena, MlScorer *s)
{
	const MlDesign *d = s->design;

	s->slope = ml_arena_array(arena, s->n_features, sizeof(double));
	s->when_missing = ml_arena_array(arena, s->n_features, sizeof(double));
	s->centre = ml_arena_array(arena, s->n_features, sizeof(double));
	s->level = ml_arena_array(arena, d->n_factors, sizeof(double *));
	if (!s->slope || !s->when_missing || !s->centre || !s->level)
		return ML_ENOMEM;
	for (uint32_t f = 0; f < d->n_factors; f++)
	{
		s->level[f] = ml_arena_array(arena, (size_t) d->factor_levels[f] + 1, sizeof(double));
		if (s->level[f] == NULL)
			return ML_ENOMEM;
	}
	return ML_OK;
}

/* From the coefficients by column to the tables by feature. */
static MlStatus
index_features(MlArena *arena, MlScorer *s)
{
	const MlDesign *d = s->design;

	ML_TRY(allocate(arena, s));
	for (uint32_t c = 0; c < d->n_columns; c++)
	{
		const MlDesignColumn *column = &d->columns[c];
		double value = s->coefficient[c];

		s->centre[column->feature] +=
			value * (c < d->n_dense ? column->mean : s->share[c - d->n_dense]);
		if (c >= d->n_dense)
			continue;
		if (column->level == ML_DESIGN_NUMBER)
			s->slope[column->feature] = value;
		s->when_missing[column->feature] +=
			column->level == ML_DESIGN_NUMBER ? value * column->mean : value;
	}
	for (uint32_t f = 0; f < d->n_factors; f++)
		for (uint32_t l = 0; l <= d->factor_levels[f]; l++)
		{
			uint32_t c = d->factor_column[f][l];

			s->level[f][l] = c == ML_NO_COLUMN ? 0 : s->coefficient[c];
		}
	return ML_OK;
}

MlStatus
ml_scorer_make(MlArena *arena, const MlSchema *schema, const MlDesign *design, double intercept,
			   const double *coefficient, const double *share, MlScorer **scorer)
{
	MlScorer *s = ml_arena_alloc(arena, sizeof *s);
	size_t n = design->n_columns, n_levels = n - design->n_dense;

	if (s == NULL)
		return ML_ENOMEM;
	s->design = design;
	s->n_features = schema->n_features;
	s->intercept = intercept;
	s->coefficient = ml_arena_array(arena, n, sizeof(double));
	s->share = ml_arena_array(arena, n_levels, sizeof(double));
	if (!s->coefficient || !s->share)
		return ML_ENOMEM;
	for (size_t c = 0; c < n; c++)
		s->coefficient[c] = coefficient[c];
	for (size_t l = 0; l < n_levels; l++)
		s->share[l] = share[l];
	ML_TRY(index_features(arena, s));
	*scorer = s;
	return ML_OK;
}

/* ---- using it */

/* What the level of factor f adds; an unseen one, or a code that is none, adds nothing. */
static inline double
level_effect(const MlScorer *s, uint32_t f, const double *x)
{
	uint32_t n = s->design->factor_levels[f];
	double code = x[s->design->factor_feature[f]];

	if (code != code)
		return s->level[f][n];
	return code >= 0 && code < n ? s->level[f][(uint32_t) code] : 0;
}

/* What numeric feature j adds. */
static inline double
number_effect(const MlScorer *s, uint32_t j, const double *x)
{
	return x[j] == x[j] ? s->slope[j] * x[j] : s->when_missing[j];
}

/* Two sums, so that additions overlap. */
double
ml_scorer_score(const MlScorer *s, const double *x)
{
	const MlDesign *d = s->design;
	double even = s->intercept, odd = 0;
	uint32_t c = 0;

	for (; c + 2 <= d->n_numeric; c += 2)
	{
		even += number_effect(s, d->dense_feature[c], x);
		odd += number_effect(s, d->dense_feature[c + 1], x);
	}
	if (c < d->n_numeric)
		even += number_effect(s, d->dense_feature[c], x);
	for (uint32_t f = 0; f < d->n_factors; f++)
		odd += level_effect(s, f, x);
	return even + odd;
}

double
ml_scorer_contributions(const MlScorer *s, const double *x, double *contributions)
{
	const MlDesign *d = s->design;
	double base = s->intercept;

	for (uint32_t j = 0; j < s->n_features; j++)
		base += s->centre[j];
	for (uint32_t c = 0; c < d->n_numeric; c++)
	{
		uint32_t j = d->dense_feature[c];

		contributions[j] = number_effect(s, j, x) - s->centre[j];
	}
	for (uint32_t f = 0; f < d->n_factors; f++)
		contributions[d->factor_feature[f]] =
			level_effect(s, f, x) - s->centre[d->factor_feature[f]];
	return base;
}

double
ml_scorer_spread(const MlScorer *s, uint32_t column)
{
	const MlDesign *d = s->design;
	double share = column < d->n_dense ? 0 : s->share[column - d->n_dense];
	double scale =
		column < d->n_dense ? d->columns[column].scale : sqrt(share * fmax(1 - share, 0));

	return fabs(s->coefficient[column]) * scale;
}

void
ml_scorer_importance(const MlScorer *s, double *gain)
{
	for (uint32_t j = 0; j < s->n_features; j++)
		gain[j] = 0;
	for (uint32_t c = 0; c < s->design->n_columns; c++)
		gain[s->design->columns[c].feature] += ml_scorer_spread(s, c);
}

/* ---- bytes */

void
ml_scorer_save(const MlScorer *s, MlBuffer *out)
{
	ml_put_f64(out, s->intercept);
	ml_put_f64_array(out, s->coefficient, s->design->n_columns);
	ml_put_f64_array(out, s->share, s->design->n_columns - s->design->n_dense);
}

/* Finite coefficients, shares between 0 and 1. */
static bool
numbers_are_sound(const MlScorer *s)
{
	double sum = 0 * s->intercept;

	for (uint32_t c = 0; c < s->design->n_columns; c++)
		sum += 0 * s->coefficient[c];
	for (uint32_t l = 0; l < s->design->n_columns - s->design->n_dense; l++)
		if (!(s->share[l] >= 0 && s->share[l] <= 1 + 1e-9))
			return false;
	return sum == 0;
}

MlStatus
ml_scorer_load(MlReader *in, MlArena *arena, const MlSchema *schema, const MlDesign *design,
			   const char *what, MlScorer **scorer)
{
	MlScorer *s = ml_arena_alloc(arena, sizeof *s);

	if (s == NULL)
		return ML_ENOMEM;
	s->design = design;
	s->n_features = schema->n_features;
	s->intercept = ml_get_f64(in);
	s->coefficient = ml_get_f64_array(in, arena, design->n_columns);
	s->share = ml_get_f64_array(in, arena, design->n_columns - design->n_dense);
	ML_TRY(ml_reader_check(in, what));
	if (!numbers_are_sound(s))
		return ml_corrupt(in->env, what);
	ML_TRY(index_features(arena, s));
	*scorer = s;
	return ML_OK;
}
