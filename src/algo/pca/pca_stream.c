/*
 * pca_stream.c
 *		Principal components row by row: a triangular factor that merges and travels.
 *
 * Columns of the factor (linear/tsqr.h): 0 ones, 1..p the features, then the indicators
 * of missing values, each added when its feature is first missing. A missing value
 * counts as zero after the shift; the mean that it stands for is a multiple of its
 * indicator, so that imputing is left to the end.
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "algo/linear/tsqr.h"
#include "algo/pca/pca.h"

typedef struct PcaState
{
	MlArena *arena;
	const MlParams *params;
	const MlSchema *schema;
	uint32_t n_features, n_columns;
	uint32_t *indicator; /* by column: its indicator or 0 */
	uint32_t *added;     /* the features that have one, in the order of these */
	uint64_t n_rows;
	MlTsqr *tsqr;
	uint32_t *map, *fresh; /* scratch */
} PcaState;

static MlStatus
make_state(MlArena *arena, const MlStreamInput *input, PcaState **out)
{
	PcaState *s = ml_arena_alloc(arena, sizeof *s);
	size_t p = input->n_features;

	if (!s)
		return ML_ENOMEM;
	s->arena = arena;
	s->params = input->params;
	s->schema = input->schema;
	s->n_features = input->n_features;
	s->n_columns = s->n_features + 1;
	s->indicator = ml_arena_array(arena, 2 * p + 1, sizeof(uint32_t));
	s->added = ml_arena_array(arena, p, sizeof(uint32_t));
	s->map = ml_arena_array(arena, 2 * p + 1, sizeof(uint32_t));
	s->fresh = ml_arena_array(arena, p, sizeof(uint32_t));
	if (!s->indicator || !s->added || !s->map || !s->fresh)
		return ML_ENOMEM;
	*out = s;
	return ml_pca_check_options(arena->env, input->params);
}

static MlStatus
pca_begin(MlArena *arena, const MlStreamInput *input, void **state)
{
	PcaState *s;

	ML_TRY(make_state(arena, input, &s));
	*state = s;
	return ml_tsqr_create(arena, s->n_columns, 0, &s->tsqr);
}

/* Give n features indicators: columns of zeros so far. */
static MlStatus
add_indicators(PcaState *s, const uint32_t *features, uint32_t n)
{
	if (n == 0)
		return ML_OK;
	for (uint32_t k = 0; k < n; k++)
	{
		s->added[s->n_columns - s->n_features - 1 + k] = features[k];
		s->map[k] = 1 + features[k];
	}
	ML_TRY(ml_tsqr_add_indicators(s->tsqr, s->map, n));
	for (uint32_t k = 0; k < n; k++)
		s->indicator[1 + features[k]] = s->n_columns + k;
	s->n_columns += n;
	return ML_OK;
}

/* The features that are missing here for the first time; refuses what is infinite. */
static MlStatus
find_missing(const PcaState *s, const double *x, size_t n, uint32_t *n_new)
{
	size_t p = s->n_features;

	*n_new = 0;
	for (uint32_t j = 0; j < p; j++)
	{
		bool missing = false;

		for (size_t i = 0; i < n; i++)
		{
			if (isinf(x[i * p + j]))
			{
				ml_fail(s->arena->env, ML_EDATA, "feature \"%s\" has an infinite value",
						s->schema->features[j].name);
				ml_hint(s->arena->env, "Clip it in the query, or exclude the feature.");
				return ML_EDATA;
			}
			missing |= isnan(x[i * p + j]);
		}
		if (missing && s->indicator[1 + j] == 0)
			s->fresh[(*n_new)++] = j;
	}
	return ML_OK;
}

/* Rows into free places of the factor. */
static void
put_rows(const PcaState *s, const double *x, const double *w, size_t first, size_t n)
{
	const MlTsqr *t = s->tsqr;
	size_t p = s->n_features;

	for (size_t c = p + 1; c < s->n_columns; c++)
		memset(t->a + c * t->ld + first, 0, n * sizeof(double));
	for (size_t i = 0; i < n; i++)
	{
		double root = w ? sqrt(w[i]) : 1, *row = t->a + first + i;

		row[0] = root;
		for (size_t j = 0; j < p; j++)
		{
			double value = x[i * p + j];

			row[(1 + j) * t->ld] = value == value ? (value - t->shift[1 + j]) * root : 0;
			if (value != value)
				row[s->indicator[1 + j] * t->ld] = root;
		}
	}
}

static MlStatus
pca_accumulate(void *state, const double *x, const double *y, const double *w, size_t n)
{
	PcaState *s = state;
	uint32_t n_new;

	(void) y;
	ML_TRY(find_missing(s, x, n, &n_new));
	ML_TRY(add_indicators(s, s->fresh, n_new));
	s->n_rows += n;
	while (n > 0)
	{
		size_t first, room;

		ML_TRY(ml_tsqr_room(s->tsqr, n, &first, &room));
		put_rows(s, x, w, first, room);
		ML_TRY(ml_tsqr_commit(s->tsqr, room));
		x += room * s->n_features;
		w = w ? w + room : NULL;
		n -= room;
	}
	return ML_OK;
}

static MlStatus
pca_merge(void *state, const void *from)
{
	PcaState *s = state;
	const PcaState *other = from;
	uint32_t p = s->n_features, n_new = 0;

	if (other->n_features != p)
		return ml_fail(s->arena->env, ML_EINVAL, "states of %u and of %u features cannot be merged",
					   p, other->n_features);
	for (uint32_t j = 0; j < p; j++)
	{
		if (other->indicator[1 + j] && !s->indicator[1 + j])
			s->fresh[n_new++] = j;
	}
	ML_TRY(add_indicators(s, s->fresh, n_new));
	for (uint32_t c = 0; c <= p; c++)
		s->map[c] = c;
	for (uint32_t j = 0; j < p; j++)
	{
		if (other->indicator[1 + j])
			s->map[other->indicator[1 + j]] = s->indicator[1 + j];
	}
	s->n_rows += other->n_rows;
	return ml_tsqr_merge(s->tsqr, other->tsqr, s->map);
}

/* ---- the end */

/* Impute and centre the columns of the factor: a copy without the ones and the indicators. */
static void
centre(const PcaState *s, MlPcaScatter *out, MlDesignColumn *columns)
{
	const MlTsqr *t = s->tsqr;
	int m = (int) out->m;

	out->weight = cblas_ddot(m, t->a, 1, t->a, 1);
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		const double *from = t->a + (1 + j) * t->ld, *missing = t->a + s->indicator[1 + j] * t->ld;
		double *to = out->a + j * out->m, present = out->weight, mean;
		bool has = s->indicator[1 + j] != 0;

		present -= has ? cblas_ddot(m, t->a, 1, missing, 1) : 0;
		mean = present > 1e-12 * out->weight ? cblas_ddot(m, t->a, 1, from, 1) / present : 0;
		for (size_t i = 0; i < out->m; i++)
			to[i] = from[i] + mean * ((has ? missing[i] : 0) - t->a[i]);
		out->mean[j] = mean + t->shift[1 + j];
		columns[j] = (MlDesignColumn){j, ML_DESIGN_NUMBER, out->mean[j], 1};
	}
}

static MlStatus
finish_in(const PcaState *s, MlArena *scratch, MlArena *arena, MlFitReport *report, void **model)
{
	MlPcaScatter scatter = {.m = ml_tsqr_rows(s->tsqr), .n_rows = s->n_rows};
	MlDesignColumn *columns = ml_arena_array(scratch, s->n_features, sizeof *columns);
	MlDesign *design;
	size_t size;

	if (__builtin_mul_overflow(scatter.m, (size_t) s->n_features, &size))
		return ml_fail(scratch->env, ML_ENOMEM, "out of memory: too many columns");
	scatter.a = ml_arena_array(scratch, size, sizeof(double));
	scatter.mean = ml_arena_array(scratch, s->n_features, sizeof(double));
	if (!columns || !scatter.a || !scatter.mean)
		return ML_ENOMEM;
	centre(s, &scatter, columns);
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		if (!isfinite(scatter.mean[j]))
			return ml_fail(scratch->env, ML_EDATA,
						   "feature \"%s\" has values too large to be squared",
						   s->schema->features[j].name);
	}
	ML_TRY(ml_design_make(arena, s->schema, columns, s->n_features, &design));
	return ml_pca_make(scratch->env, arena, s->params, s->schema, design, &scatter, report, model);
}

static MlStatus
pca_finish(const void *state, MlArena *arena, const MlSchema *schema, MlFitReport *report,
		   void **model)
{
	MlArena scratch;
	MlStatus status;

	(void) schema;
	ml_arena_init(&scratch, arena->env);
	status = finish_in(state, &scratch, arena, report, model);
	ml_arena_free(&scratch);
	return status;
}

/* ---- travelling */

static void
pca_save_state(const void *state, MlBuffer *out)
{
	const PcaState *s = state;

	ml_put_u32(out, s->n_columns);
	ml_put_u64(out, s->n_rows);
	for (uint32_t c = s->n_features + 1; c < s->n_columns; c++)
		ml_put_u32(out, s->added[c - s->n_features - 1]);
	ml_tsqr_save(s->tsqr, out);
}

static MlStatus
pca_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input, void **state)
{
	uint32_t n_columns = ml_get_u32(in), p = input->n_features;
	PcaState *s;

	ML_TRY(make_state(arena, input, &s));
	s->n_rows = ml_get_u64(in);
	if (in->failed || n_columns < p + 1 || n_columns > 2 * p + 1)
		return ml_corrupt(in->env, "the number of columns of a pca state");
	for (uint32_t c = p + 1; c < n_columns; c++)
	{
		uint32_t j = ml_get_u32(in);

		if (in->failed || j >= p || s->indicator[1 + j] != 0)
			return ml_corrupt(in->env, "an indicator of a pca state");
		s->indicator[1 + j] = c;
		s->added[c - p - 1] = j;
	}
	s->n_columns = n_columns;
	*state = s;
	return ml_tsqr_load(in, arena, n_columns, s->indicator, &s->tsqr);
}

const MlStreaming ml_pca_streaming = {
	.begin = pca_begin,
	.accumulate = pca_accumulate,
	.merge = pca_merge,
	.finish = pca_finish,
	.save = pca_save_state,
	.load = pca_load_state,
};
