/*
 * linear_stream.c
 *		Least squares row by row: a state that merges and travels.
 *
 * Columns of the state: 0 ones, 1..p the features, p + 1 the target, then the
 * indicators of missing values, each added when its feature is first missing.
 * A missing value counts as zero (after the shift); since the mean of the
 * others, by which it is imputed, is a multiple of its indicator, imputing is
 * left to the end.
 *
 * Trap: rows come row by row and the state is by column; tiles of 8 rows keep
 * that transposition in the first-level cache. A value minus itself is 0, or
 * NaN when it is infinite or missing; so one sum a row tells the rare rows that
 * need a closer look.
 */
#include <math.h>
#include <string.h>

#include "algo/linear/linear.h"

#define PRODUCTS_A_POLL ((size_t) 4 * 1000 * 1000) /* of double-double: some 5 ms */

#define TILE 8
#define PART_ROWS ((size_t) 256)

typedef struct LinearState
{
	MlArena *arena;
	const MlSchema *schema; /* for names in errors; may be NULL */
	MlLinearOptions options;
	size_t n_folds;
	uint32_t n_features;
	uint32_t n_columns;  /* of the state: n_features + 2 and the indicators */
	uint32_t *indicator; /* by column of the state: its indicator or 0 */
	uint32_t *added;     /* the features that have an indicator, in the order of these */
	uint64_t n_rows;     /* with a weight above 0 */
	double sum_log_weight;
	MlTsqr *tsqr[ML_LINEAR_MAX_FOLDS]; /* one of the two */
	MlDdGram *gram;
	double *row;           /* scratch of a row, for the cross products: 2 n_features + 2 */
	double *part;          /* scratch of a fold's rows: PART_ROWS x (n_features + 2) */
	uint32_t *map, *fresh; /* scratch */
} LinearState;

/* ---- making one */

static MlStatus
make_state(MlArena *arena, const MlStreamInput *input, const MlLinearOptions *options,
		   LinearState **out)
{
	LinearState *s = ml_arena_alloc(arena, sizeof *s);
	size_t p = input->n_features;

	if (s == NULL)
		return ML_ENOMEM;
	s->arena = arena;
	s->schema = input->schema;
	s->n_features = input->n_features;
	s->n_columns = s->n_features + 2;
	s->options = *options;
	s->n_folds = ml_linear_folds(options);
	s->indicator = ml_arena_array(arena, 2 * p + 2, sizeof(uint32_t));
	s->added = ml_arena_array(arena, p, sizeof(uint32_t));
	s->map = ml_arena_array(arena, 2 * p + 2, sizeof(uint32_t));
	s->fresh = ml_arena_array(arena, p, sizeof(uint32_t));
	if (!s->indicator || !s->added || !s->map || !s->fresh)
		return ML_ENOMEM;
	if (s->options.least.extended)
		s->row = ml_arena_array(arena, 2 * p + 2, sizeof(double));
	if (s->n_folds > 1)
		s->part = ml_arena_array(arena, PART_ROWS, (p + 2) * sizeof(double));
	if ((s->options.least.extended && !s->row) || (s->n_folds > 1 && !s->part))
		return ML_ENOMEM;
	*out = s;
	return ML_OK;
}

MlStatus
ml_linear_begin(MlArena *arena, const MlStreamInput *input, const MlLinearOptions *options,
				void **state)
{
	LinearState *s;

	ML_TRY(make_state(arena, input, options, &s));
	if (options->least.extended)
		ML_TRY(ml_ddgram_create(arena, s->n_columns, &s->gram));
	for (size_t f = 0; f < s->n_folds && !s->gram; f++)
		ML_TRY(ml_tsqr_create(arena, s->n_columns, 0, &s->tsqr[f]));
	*state = s;
	return ML_OK;
}

/* Give n features indicators: columns of zeros so far. */
static MlStatus
add_indicators(LinearState *s, const uint32_t *features, uint32_t n)
{
	uint32_t n_before = s->n_columns - s->n_features - 2;

	for (uint32_t k = 0; k < n; k++)
	{
		s->added[n_before + k] = features[k];
		s->map[k] = 1 + features[k];
	}
	if (s->gram)
		ML_TRY(ml_ddgram_widen(s->gram, n));
	for (size_t f = 0; f < s->n_folds && !s->gram; f++)
		ML_TRY(ml_tsqr_add_indicators(s->tsqr[f], s->map, n));
	for (uint32_t k = 0; k < n; k++)
		s->indicator[1 + features[k]] = s->n_columns + k;
	s->n_columns += n;
	return ML_OK;
}

/* ---- accumulating */

static MlStatus
refuse_feature(const LinearState *s, uint32_t j)
{
	MlEnv *env = s->arena->env;

	if (s->schema && j < s->schema->n_features)
		ml_fail(env, ML_EDATA, "feature \"%s\" has an infinite value", s->schema->features[j].name);
	else
		ml_fail(env, ML_EDATA, "feature %u has an infinite value", j + 1);
	ml_hint(env, "Clip it in the query, or exclude the feature.");
	return ML_EDATA;
}

/* The features that are missing in n rows and have no indicator yet, *n_new of them in fresh. Refuses what is infinite. */
static MlStatus
find_missing(const LinearState *s, const double *x, size_t n, uint32_t *fresh, uint32_t *n_new)
{
	uint32_t p = s->n_features;

	*n_new = 0;
	for (uint32_t j = 0; j < p; j++)
	{
		bool missing = false;

		for (size_t i = 0; i < n; i++)
		{
			if (isinf(x[i * p + j]))
				return refuse_feature(s, j);
			missing |= isnan(x[i * p + j]);
		}
		if (missing && s->indicator[1 + j] == 0)
			fresh[(*n_new)++] = j;
	}
	return ML_OK;
}

/* Count the rows, and refuse targets and weights that are not numbers. */
static MlStatus
check_targets(LinearState *s, const double *y, const double *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!isfinite(y[i]))
			return ml_fail(s->arena->env, ML_EDATA, "the target has an infinite value");
	}
	for (size_t i = 0; i < n && w; i++)
	{
		if (!(w[i] >= 0) || isinf(w[i]))
			return ml_fail(s->arena->env, ML_EDATA, "the weight %g is not a number above 0", w[i]);
		s->n_rows += w[i] > 0;
		s->sum_log_weight += w[i] > 0 && w[i] != 1 ? log(w[i]) : 0;
	}
	s->n_rows += w ? 0 : n;
	return ML_OK;
}

/*
 * A tile of rows into the columns of the state: to[c * ld + i]. Returns 0, or NaN when a feature is
 * missing or infinite (then zero stands in its place).
 */
static inline __attribute__((always_inline)) double
put_tile(const MlTsqr *t, const double *x, const double *y, const double *root, size_t p, size_t n,
		 double *to)
{
	double odd[TILE] = {0}, sum = 0;

	for (size_t j = 0; j < p; j++)
	{
		double *column = to + (1 + j) * t->ld, shift = t->shift[1 + j];

		for (size_t i = 0; i < n; i++)
		{
			double value = x[i * p + j];

			odd[i] += value - value;
			column[i] = (value - shift) * root[i];
		}
	}
	for (size_t i = 0; i < n; i++)
	{
		to[i] = root[i];
		to[(1 + p) * t->ld + i] = (y[i] - t->shift[1 + p]) * root[i];
		sum += odd[i];
	}
	for (size_t c = p + 2; c < t->n_columns; c++)
		memset(to + c * t->ld, 0, n * sizeof(double));
	return sum;
}

/*
 * The cells of a tile that are no numbers: a missing one becomes zero, and 1 in its indicator. False: it has none
 * yet, or the cell is infinite.
 */
static bool
mark_missing(const LinearState *s, const double *x, const double *root, size_t n, size_t ld,
			 double *to)
{
	uint32_t p = s->n_features;

	for (size_t i = 0; i < n; i++)
	{
		for (uint32_t j = 0; j < p; j++)
		{
			double value = x[i * p + j];
			uint32_t c = s->indicator[1 + j];

			if (value - value == 0)
				continue;
			if (c == 0 || !isnan(value))
				return false;
			to[(1 + j) * ld + i] = 0;
			to[c * ld + i] = root[i];
		}
	}
	return true;
}

/* Rows into a free place of the state; returns how many: fewer than room when the next tile needs a closer look. */
static size_t
put_rows(const LinearState *s, const MlTsqr *t, const double *x, const double *y, const double *w,
		 size_t room, size_t first)
{
	size_t p = s->n_features;

	for (size_t at = 0; at < room; at += TILE)
	{
		const double *rows = x + at * p;
		size_t n = ML_MIN(TILE, room - at);
		double root[TILE], *to = t->a + first + at, odd;

		for (size_t i = 0; i < n; i++)
			root[i] = w ? sqrt(w[at + i]) : 1;
		odd = n == TILE ? put_tile(t, rows, y + at, root, p, TILE, to)
						: put_tile(t, rows, y + at, root, p, n, to);
		if (odd != 0 && !mark_missing(s, rows, root, n, t->ld, to))
			return at;
	}
	return room;
}

/* Rows of one fold. */
static MlStatus
fold_rows(LinearState *s, MlTsqr *t, const double *x, const double *y, const double *w, size_t n)
{
	size_t p = s->n_features;

	while (n > 0)
	{
		size_t first, room, at;
		uint32_t n_new;

		ML_TRY(ml_tsqr_room(t, n, &first, &room));
		at = put_rows(s, t, x, y, w, room, first);
		ML_TRY(ml_tsqr_commit(t, at));
		x += at * p;
		y += at;
		w = w ? w + at : NULL;
		n -= at;
		if (at == room)
			continue;
		/* All that the rest of the batch needs, so that the state moves once. */
		ML_TRY(find_missing(s, x, n, s->fresh, &n_new));
		ML_TRY(add_indicators(s, s->fresh, n_new));
	}
	return ML_OK;
}

/* The rows first..first+n-1 of a batch that belong to a fold, gathered; before: rows that came earlier. */
static MlStatus
gather_fold(LinearState *s, size_t fold, uint64_t before, const double *x, const double *y,
			const double *w, size_t n)
{
	size_t p = s->n_features, m = 0;
	double *part_y = s->part + PART_ROWS * p, *part_w = part_y + PART_ROWS;

	for (size_t i = 0; i < n; i++)
	{
		if (ml_linear_fold_of(before + i, s->n_folds) != fold)
			continue;
		memcpy(s->part + m * p, x + i * p, p * sizeof(double));
		part_y[m] = y[i];
		part_w[m++] = w ? w[i] : 1;
	}
	return fold_rows(s, s->tsqr[fold], s->part, part_y, w ? part_w : NULL, m);
}

/* Rows into their folds. */
static MlStatus
accumulate_rows(LinearState *s, uint64_t before, const double *x, const double *y, const double *w,
				size_t n)
{
	if (s->n_folds == 1)
		return fold_rows(s, s->tsqr[0], x, y, w, n);
	for (size_t i = 0; i < n; i += PART_ROWS)
	{
		size_t m = ML_MIN(PART_ROWS, n - i);

		for (size_t f = 0; f < s->n_folds; f++)
			ML_TRY(
				gather_fold(s, f, before + i, x + i * s->n_features, y + i, w ? w + i : NULL, m));
	}
	return ML_OK;
}

/* One row as the state's columns have it. */
static void
expand_row(LinearState *s, const double *x, double y)
{
	uint32_t p = s->n_features;

	s->row[0] = 1;
	s->row[1 + p] = y;
	memset(s->row + p + 2, 0, (s->n_columns - p - 2) * sizeof(double));
	for (uint32_t j = 0; j < p; j++)
	{
		bool missing = isnan(x[j]);

		s->row[1 + j] = missing ? 0 : x[j];
		if (missing)
			s->row[s->indicator[1 + j]] = 1;
	}
}

static MlStatus
accumulate_products(LinearState *s, const double *x, const double *y, const double *w, size_t n)
{
	uint32_t p = s->n_features, n_new;
	size_t rows_a_poll;

	ML_TRY(find_missing(s, x, n, s->fresh, &n_new));
	if (n_new > 0)
		ML_TRY(add_indicators(s, s->fresh, n_new));
	rows_a_poll = 1 + PRODUCTS_A_POLL / ((size_t) s->n_columns * s->n_columns);
	for (size_t i = 0; i < n; i++)
	{
		expand_row(s, x + i * p, y[i]);
		ml_ddgram_add(s->gram, s->row, w ? w[i] : 1);
		if (i % rows_a_poll == 0)
			ML_TRY(ml_poll(s->arena->env));
	}
	return ML_OK;
}

MlStatus
ml_linear_accumulate(void *state, const double *x, const double *y, const double *w, size_t n)
{
	LinearState *s = state;
	uint64_t before = s->n_rows;

	ML_TRY(check_targets(s, y, w, n));
	return s->gram ? accumulate_products(s, x, y, w, n) : accumulate_rows(s, before, x, y, w, n);
}

/* ---- merging */

/* The indicators that other has and s has not. */
static MlStatus
join_indicators(LinearState *s, const LinearState *other)
{
	uint32_t n_new = 0;

	for (uint32_t j = 0; j < s->n_features; j++)
	{
		if (other->indicator[1 + j] && !s->indicator[1 + j])
			s->fresh[n_new++] = j;
	}
	return n_new > 0 ? add_indicators(s, s->fresh, n_new) : ML_OK;
}

MlStatus
ml_linear_merge(void *state, const void *from)
{
	LinearState *s = state;
	const LinearState *other = from;
	uint32_t p = s->n_features;

	if (other->n_features != p || other->options.least.extended != s->options.least.extended ||
		other->n_folds != s->n_folds)
		return ml_fail(s->arena->env, ML_EINVAL,
					   "states of different models cannot be merged: %u and %u features, or not "
					   "the same precision or folds",
					   p, other->n_features);
	ML_TRY(join_indicators(s, other));
	for (uint32_t c = 0; c < p + 2; c++)
		s->map[c] = c;
	for (uint32_t j = 0; j < p; j++)
	{
		if (other->indicator[1 + j])
			s->map[other->indicator[1 + j]] = s->indicator[1 + j];
	}
	s->n_rows += other->n_rows;
	s->sum_log_weight += other->sum_log_weight;
	if (s->gram)
		ml_ddgram_merge(s->gram, other->gram, s->map);
	for (size_t f = 0; f < s->n_folds && !s->gram; f++)
		ML_TRY(ml_tsqr_merge(s->tsqr[f], other->tsqr[f], s->map));
	return ML_OK;
}

/* ---- finishing */

/* The cross product of the ones with a column of the state. */
static double
sum_of(const LinearState *s, size_t column)
{
	double sum = 0;

	if (s->gram)
		return ml_ddgram_at(s->gram, 0, column).hi;
	for (size_t f = 0; f < s->n_folds; f++)
		sum += ml_tsqr_product(s->tsqr[f], 0, column);
	return sum;
}

/*
 * The columns of the design: features, then the indicators that it keeps. As ml_design_fit does, a feature
 * that was always missing has none, and the parts of a date share one.
 */
static MlStatus
choose_columns(const LinearState *s, MlArena *arena, const MlSchema *schema, uint32_t **source,
			   size_t *n)
{
	uint32_t p = s->n_features;
	double total;

	*source = ml_arena_array(arena, s->n_columns, sizeof(uint32_t));
	if (*source == NULL)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < p; j++)
		(*source)[j] = 1 + j;
	*n = p;
	total = sum_of(s, 0);
	for (uint32_t j = 0; j < p; j++)
	{
		uint32_t c = s->indicator[1 + j];

		if (c == 0 || schema->features[j].part > ML_PART_EPOCH)
			continue;
		if (sum_of(s, c) < total * (1 - 1e-12))
			(*source)[(*n)++] = c;
	}
	return ML_OK;
}

/* The design that prediction will use, from the columns and their means. */
static MlStatus
make_design(const LinearState *s, MlArena *arena, const MlSchema *schema, const uint32_t *source,
			const MlLeastSquares *fit, MlDesign **design)
{
	uint32_t p = s->n_features;
	MlDesignColumn *columns =
		ml_alloc_array(arena->env, ML_MAX(fit->n_columns, 1), sizeof *columns);
	MlStatus status;

	if (columns == NULL)
		return ML_ENOMEM;
	for (size_t k = 0; k < fit->n_columns; k++)
	{
		columns[k].feature = k < p ? (uint32_t) k : s->added[source[k] - p - 2];
		columns[k].level = k < p ? ML_DESIGN_NUMBER : ML_DESIGN_MISSING;
		columns[k].mean = fit->mean[k];
		columns[k].scale = fit->scale[k] > 0 ? fit->scale[k] : 1;
	}
	status = ml_design_make(arena, schema, columns, fit->n_columns, design);
	ml_free(arena->env, columns);
	return status;
}

/* Solve into the scratch arena; the model, which is all that stays, into the other. */
static MlStatus
finish_in(const LinearState *s, MlArena *scratch, MlArena *arena, const MlSchema *schema,
		  MlFitReport *report, void **model)
{
	MlLeastColumns columns = {
		.n_numbers = s->n_features, .indicator = s->indicator, .target = s->n_features + 1};
	MlLinearSums sums = {.n_folds = s->n_folds,
						 .gram = s->gram,
						 .n_rows = s->n_rows,
						 .sum_log_weight = s->sum_log_weight};
	MlLeastSquares *fit;
	MlLinearModel *made;
	MlDesign *design;
	uint32_t *source;

	for (size_t f = 0; f < s->n_folds; f++)
		sums.tsqr[f] = s->tsqr[f];
	ML_TRY(choose_columns(s, scratch, schema, &source, &columns.n));
	columns.source = source;
	ML_TRY(ml_linear_solve(scratch, &sums, &columns, &s->options, report, &fit));
	ML_TRY(make_design(s, arena, schema, source, fit, &design));
	ML_TRY(ml_linear_make(arena, schema, design, fit, &made));
	*model = made;
	return ML_OK;
}

MlStatus
ml_linear_finish(const void *state, MlArena *arena, const MlSchema *schema, MlFitReport *report,
				 void **model)
{
	const LinearState *s = state;
	MlArena scratch;
	MlStatus status;

	if (s->n_rows == 0)
		return ml_fail(arena->env, ML_EDATA, "there are no rows to train on");
	ml_arena_init(&scratch, arena->env);
	status = finish_in(s, &scratch, arena, schema, report, model);
	ml_arena_free(&scratch);
	return status;
}

/* ---- travelling */

void
ml_linear_save_state(const void *state, MlBuffer *out)
{
	const LinearState *s = state;

	ml_put_u8(out, s->options.least.extended);
	ml_put_u32(out, s->n_features);
	ml_put_u32(out, s->n_columns);
	ml_put_u64(out, s->n_rows);
	ml_put_f64(out, s->sum_log_weight);
	for (uint32_t c = s->n_features + 2; c < s->n_columns; c++)
		ml_put_u32(out, s->added[c - s->n_features - 2]);
	if (s->gram)
		ml_ddgram_save(s->gram, out);
	for (size_t f = 0; f < s->n_folds && !s->gram; f++)
		ml_tsqr_save(s->tsqr[f], out);
}

/* The indicators of a state that was read: each feature has at most one. */
static MlStatus
load_indicators(MlReader *in, LinearState *s, uint32_t n_columns)
{
	uint32_t p = s->n_features;

	if (in->failed || n_columns < p + 2 || n_columns > 2 * p + 2)
		return ml_corrupt(in->env, "the number of columns of a linear state");
	for (uint32_t c = p + 2; c < n_columns; c++)
	{
		uint32_t j = ml_get_u32(in);

		if (in->failed || j >= p || s->indicator[1 + j] != 0)
			return ml_corrupt(in->env, "an indicator of a linear state");
		s->indicator[1 + j] = c;
		s->added[c - p - 2] = j;
	}
	s->n_columns = n_columns;
	return ML_OK;
}

MlStatus
ml_linear_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input,
					 const MlLinearOptions *options, void **state)
{
	LinearState *s;
	uint8_t extended = ml_get_u8(in);
	uint32_t n_features = ml_get_u32(in), n_columns = ml_get_u32(in);

	if (in->failed || n_features != input->n_features)
		return ml_corrupt(in->env, "the number of features of a linear state");
	ML_TRY(make_state(arena, input, options, &s));
	if (extended != s->options.least.extended)
		return ml_corrupt(in->env, "the precision of a linear state");
	s->n_rows = ml_get_u64(in);
	s->sum_log_weight = ml_get_f64(in);
	ML_TRY(load_indicators(in, s, n_columns));
	if (!isfinite(s->sum_log_weight))
		return ml_corrupt(in->env, "a number of a linear state is not finite");
	if (extended)
		ML_TRY(ml_ddgram_load(in, arena, n_columns, &s->gram));
	for (size_t f = 0; f < s->n_folds && !extended; f++)
		ML_TRY(ml_tsqr_load(in, arena, n_columns, s->indicator, &s->tsqr[f]));
	*state = s;
	return ML_OK;
}
