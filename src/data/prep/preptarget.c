/*
 * preptarget.c
 *		Target encoding: the mean of the target by level, without telling a row its own target.
 *
 * The encoding of a level (Micci-Barreca 2001; as scikit-learn's TargetEncoder)
 * is a blend of the level's mean and the mean of all training rows:
 *
 *     smoothing m:  (n * mean + m * overall) / (n + m)
 *     auto:         b * mean + (1 - b) * overall,  b = V * n / (V * n + v)
 *
 * with n the rows of the level (their weights, if there are any), V the variance
 * of the target, v that within the level: empirical Bayes. Missing is a level of
 * its own where it occurs; a level that was not seen is encoded by the overall
 * mean. With several classes there is an encoding for each: the target is then
 * 1 for its rows and 0 for the others.
 *
 * A training row's own target is part of its level's mean, so that a rare level
 * would give it away. The training rows are therefore divided into FOLDS folds,
 * each class evenly, and a row is encoded from the rows of the other folds. The
 * model serves with the encoding of all training rows.
 *
 * A numeric target is summed as its distance to the overall mean, so that squares
 * keep their digits.
 */
#include <math.h>
#include <string.h>

#include "data/folds.h"
#include "data/prep/prep_inner.h"

#define FOLDS 5
#define BLOCK 1024
#define SEGMENT ((size_t) 64 * BLOCK) /* rows between two polls of cancel */
#define SEED_STEP 0x70726570 /* folds apart from those of a cross-validation with the same seed */

/* The sums of a set of rows, of one output. */
typedef struct Sums
{
	double weight, sum, squares;
} Sums;

typedef struct Target
{
	MlEnv *env;
	MlArena *arena;
	const MlDataset *data;
	const MlRows *rows;
	uint32_t n_folds;    /* 1: too few rows, all of them encode all */
	const uint8_t *fold; /* by row of the frame, from 1; NULL: one fold */
	bool classes;
	uint32_t n_values;
	double shift; /* of a numeric target */
} Target;

/* The row of the frame that a training row is. */
static inline size_t
frame_row(const MlRows *rows, size_t i)
{
	return rows->index ? rows->index[i] : i;
}

/* ---- folds ---- */

/* The fold of each row of the frame. */
static MlStatus
assign_folds(Target *t, uint64_t seed, uint8_t **out)
{
	MlSplitInput split = {.data = t->data,
						  .rows = *t->rows,
						  .seed = seed ^ SEED_STEP,
						  .group_column = -1,
						  .order_column = -1};
	MlArena temp;
	MlFolds folds;
	MlStatus status;

	*out = ml_zalloc_array(t->env, ml_frame_rows(t->data->frame), 1);
	if (!*out)
		return ML_ENOMEM;
	ml_arena_init(&temp, t->env);
	status = ml_folds_create(&temp, &split, t->n_folds, &folds);
	for (size_t i = 0; i < t->rows->n && status == ML_OK; i++)
	{
		if (i % SEGMENT == 0)
			status = ml_poll(t->env);
		(*out)[frame_row(t->rows, i)] = (uint8_t) (folds.part[i] + 1);
	}
	ml_arena_free(&temp);
	return status;
}

/* ---- sums ---- */

/* The weighted mean of a numeric target. */
static MlStatus
find_shift(Target *t)
{
	double y[BLOCK], w[BLOCK], sum = 0, weight = 0;

	for (size_t first = 0; first < t->rows->n; first += BLOCK)
	{
		size_t n = ML_MIN(t->rows->n - first, (size_t) BLOCK);

		if (first % SEGMENT == 0)
			ML_TRY(ml_poll(t->env));
		ml_dataset_target(t->data, t->rows, first, n, y);
		ml_dataset_weight(t->data, t->rows, first, n, w);
		for (size_t i = 0; i < n; i++)
		{
			weight += w[i];
			sum += w[i] * y[i];
		}
	}
	t->shift = weight > 0 && isfinite(sum) ? sum / weight : 0;
	return ML_OK;
}

/* The value that output k encodes, of a target. */
static inline double
encoded_target(const Target *t, double y, uint32_t k)
{
	if (!t->classes)
		return y - t->shift;
	return t->n_values == 1 ? y == 1 : y == k;
}

/* Add one row to the sums of its level. */
static inline void
add_row(const Target *t, Sums *sums, double y, double weight)
{
	for (uint32_t k = 0; k < t->n_values; k++)
	{
		double value = encoded_target(t, y, k);

		sums[k].weight += weight;
		sums[k].sum += weight * value;
		sums[k].squares += weight * value * value;
	}
}

/* sums[(fold * n_places + place) * n_values + k] over all rows. */
static MlStatus
sum_rows(const Target *t, const MlPrepColumn *column, size_t n_places, Sums *sums)
{
	double x[BLOCK], y[BLOCK], w[BLOCK];

	for (size_t first = 0; first < t->rows->n; first += BLOCK)
	{
		size_t n = ML_MIN(t->rows->n - first, (size_t) BLOCK);

		if (first % SEGMENT == 0)
			ML_TRY(ml_poll(t->env));
		ml_prep_source(column, t->data, t->rows, first, n, x);
		ml_dataset_target(t->data, t->rows, first, n, y);
		ml_dataset_weight(t->data, t->rows, first, n, w);
		for (size_t i = 0; i < n; i++)
		{
			size_t place = ml_prep_place(column, x[i]);
			size_t fold = t->fold ? t->fold[frame_row(t->rows, first + i)] - 1u : 0;

			if (place < n_places)
				add_row(t, sums + (fold * n_places + place) * t->n_values, y[i], w[i]);
		}
	}
	return ML_OK;
}

/* ---- encodings ---- */

static inline Sums
plus(Sums a, Sums b)
{
	return (Sums){a.weight + b.weight, a.sum + b.sum, a.squares + b.squares};
}

static inline double
mean_of(Sums s)
{
	return s.weight > 0 ? s.sum / s.weight : 0;
}

/* The variance about the mean, of the population. */
static inline double
variance_of(Sums s)
{
	double mean = mean_of(s);

	return s.weight > 0 ? fmax(s.squares / s.weight - mean * mean, 0) : 0;
}

/* The blend of a level's mean and the overall mean. */
static double
encode(Sums level, Sums all, double smoothing)
{
	double overall = mean_of(all), trust;

	if (!(level.weight > 0))
		return overall;
	if (!isnan(smoothing))
		return (level.sum + smoothing * overall) / (level.weight + smoothing);
	trust = variance_of(all) * level.weight;
	trust /= trust + variance_of(level);
	return isnan(trust) ? overall : trust * mean_of(level) + (1 - trust) * overall;
}

/* The sums of a place and output over all folds but one; without: n_folds, all of them. */
static Sums
gather(const Target *t, const Sums *sums, size_t n_places, size_t place, uint32_t k,
	   uint32_t without)
{
	Sums total = {0};

	for (uint32_t fold = 0; fold < t->n_folds; fold++)
	{
		if (fold != without)
			total = plus(total, sums[(fold * n_places + place) * t->n_values + k]);
	}
	return total;
}

/* The table of all rows but those of one fold: of each level, of missing, and of unseen. */
static MlStatus
fill_table(const Target *t, const Sums *sums, size_t n_places, uint32_t without, double smoothing,
		   double *table)
{
	for (uint32_t k = 0; k < t->n_values; k++)
	{
		Sums all = {0};

		for (size_t place = 0; place < n_places; place++)
		{
			if (place % 65536 == 0)
				ML_TRY(ml_poll(t->env));
			all = plus(all, gather(t, sums, n_places, place, k, without));
		}
		for (size_t place = 0; place < n_places; place++)
		{
			if (place % 65536 == 0)
				ML_TRY(ml_poll(t->env));
			table[place * t->n_values + k] =
				t->shift + encode(gather(t, sums, n_places, place, k, without), all, smoothing);
		}
		table[n_places * t->n_values + k] = t->shift + mean_of(all);
	}
	return ML_OK;
}

/* The table of the column, and those of the folds where there are any. */
static MlStatus
fill_tables(const Target *t, const Sums *sums, size_t n_places, double smoothing,
			MlPrepColumn *column, double **fold_tables)
{
	size_t cells = (n_places + 1) * t->n_values;

	column->n_values = t->n_values;
	ML_TRY(ml_arena_zeros(t->arena, n_places + 1, t->n_values * sizeof(double), &column->table));
	ML_TRY(fill_table(t, sums, n_places, t->n_folds, smoothing, column->table));
	if (!t->fold)
		return ML_OK;
	*fold_tables = ml_alloc_array(t->env, cells * t->n_folds, sizeof(double));
	if (!*fold_tables)
		return ML_ENOMEM;
	for (uint32_t fold = 0; fold < t->n_folds; fold++)
		ML_TRY(fill_table(t, sums, n_places, fold, smoothing, *fold_tables + fold * cells));
	return ML_OK;
}

/* One column. */
static MlStatus
fit_column(const Target *t, const MlPrepStep *step, MlPrepColumn *column, double **fold_tables)
{
	size_t n_places = (size_t) column->n_codes + 1, n;
	Sums *sums;
	MlStatus status;

	if (__builtin_mul_overflow(n_places * t->n_folds, (size_t) t->n_values, &n))
		return ml_fail(t->env, ML_ENOMEM, "out of memory: too many levels and classes");
	sums = ml_zalloc_array(t->env, n, sizeof *sums);
	if (!sums)
		return ML_ENOMEM;
	status = sum_rows(t, column, n_places, sums);
	if (status == ML_OK)
		status = fill_tables(t, sums, n_places, step->smoothing, column, fold_tables);
	ml_free(t->env, sums);
	return status;
}

/* Does any column want it? */
static bool
any_target(const MlPrepPlan *plan)
{
	for (size_t c = 0; c < plan->n; c++)
	{
		if (plan->steps[c].column.encoding == ML_ENCODE_TARGET)
			return true;
	}
	return false;
}

MlStatus
ml_prep_fit_targets(MlArena *arena, const MlPrepPlan *plan, const MlDataset *data,
					const MlRows *rows, uint64_t seed, MlPrep *prep, MlPrepView *view)
{
	Target t = {.env = arena->env,
				.arena = arena,
				.data = data,
				.rows = rows,
				.n_folds = rows->n >= 2 * FOLDS ? FOLDS : 1,
				.classes = data->task == ML_CLASSIFICATION};

	view->prep = prep;
	if (!any_target(plan))
	{
		prep->n_labels = 0;
		return ML_OK;
	}
	t.n_values = t.classes && data->n_classes > 2 ? data->n_classes : 1;
	view->tables = ml_zalloc_array(t.env, plan->n + 1, sizeof *view->tables);
	if (!view->tables)
		return ML_ENOMEM;
	if (!t.classes)
		ML_TRY(find_shift(&t));
	if (t.n_folds > 1)
		ML_TRY(assign_folds(&t, seed, &view->fold));
	t.fold = view->fold;
	for (size_t c = 0; c < plan->n; c++)
	{
		if (plan->steps[c].column.encoding == ML_ENCODE_TARGET)
			ML_TRY(fit_column(&t, &plan->steps[c], &prep->columns[c], &view->tables[c]));
	}
	return ML_OK;
}
