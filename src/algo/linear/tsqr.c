/*
 * tsqr.c
 *		Rows folded into a triangular factor; see tsqr.h.
 *
 * The matrix has room for R and a block of rows. Blocks of 256 rows are the
 * fastest up to some hundred columns; beyond, smaller ones keep the time
 * between two polls short. It starts with room for few rows and grows, so that
 * the state of a small group is small.
 */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "algo/linear/tsqr.h"
#include "core/linalg.h"

#define FIRST_ROWS 16
#define GROWTH 4
#define BLOCK_MIN 64
#define BLOCK_MAX 256

static size_t
block_rows(size_t n_columns)
{
	return n_columns <= 256 ? BLOCK_MAX : n_columns <= 512 ? 128 : BLOCK_MIN;
}

/* Reaching this many rows makes them fold. */
static size_t
most_rows(const MlTsqr *t)
{
	return t->n_columns + t->block;
}

/* Move to a matrix of ld rows and capacity columns; the waiting rows then begin at row top. */
static MlStatus
reallocate(MlTsqr *t, size_t ld, size_t capacity, size_t top)
{
	size_t size;
	double *a = NULL;

	if (!__builtin_mul_overflow(ld, capacity, &size))
		a = ml_arena_array(t->arena, size, sizeof(double));
	else
		ml_fail(t->arena->env, ML_ENOMEM, "out of memory: %zu columns are too many", capacity);
	if (a == NULL)
		return ML_ENOMEM;
	for (size_t c = 0; c < t->n_columns && t->a; c++)
	{
		memcpy(a + c * ld, t->a + c * t->ld, t->n_top * sizeof(double));
		memcpy(a + c * ld + top, t->a + c * t->ld + t->n_top, t->n_waiting * sizeof(double));
	}
	t->a = a;
	t->ld = ld;
	t->n_top = top;
	return ML_OK;
}

/* The arrays with an element a column. */
static MlStatus
widen(MlTsqr *t, size_t capacity)
{
	double *shift = ml_arena_array(t->arena, capacity, sizeof(double));
	uint32_t *indicator = ml_arena_array(t->arena, capacity, sizeof(uint32_t));
	double *work = ml_arena_array(t->arena, ml_qr_work(capacity), sizeof(double));

	if (shift == NULL || indicator == NULL || work == NULL)
		return ML_ENOMEM;
	if (t->shift)
	{
		memcpy(shift, t->shift, t->n_columns * sizeof(double));
		memcpy(indicator, t->indicator, t->n_columns * sizeof(uint32_t));
	}
	t->shift = shift;
	t->indicator = indicator;
	t->work = work;
	t->column_capacity = capacity;
	return ML_OK;
}

MlStatus
ml_tsqr_create(MlArena *arena, size_t n_columns, size_t n_rows, MlTsqr **tsqr)
{
	MlTsqr *t = ml_arena_alloc(arena, sizeof *t);
	size_t rows = n_rows > 0 ? n_rows : FIRST_ROWS;

	if (t == NULL)
		return ML_ENOMEM;
	t->arena = arena;
	t->poll = arena->env;
	t->n_columns = n_columns;
	t->block = block_rows(n_columns);
	ML_TRY(widen(t, n_columns));
	ML_TRY(reallocate(t, ML_MIN(rows, most_rows(t)), n_columns, 0));
	*tsqr = t;
	return ML_OK;
}

/* From now on column c is value - shift[c], where it is not missing. */
static void
apply_shift(MlTsqr *t)
{
	size_t rows = ml_tsqr_rows(t);

	for (size_t c = 1; c < t->n_columns; c++)
	{
		double *column = t->a + c * t->ld;
		const double *missing = t->a + t->indicator[c] * t->ld;

		for (size_t i = 0; i < rows && t->shift[c] != 0; i++)
			column[i] -= t->shift[c] * (t->a[i] - (t->indicator[c] ? missing[i] : 0));
	}
	t->shifted = true;
}

/* The weighted mean of the rows so far, where not missing; indicators are not shifted. */
static void
choose_shift(MlTsqr *t)
{
	int rows = (int) ml_tsqr_rows(t);
	double total = cblas_ddot(rows, t->a, 1, t->a, 1);

	for (size_t c = 1; c < t->n_columns; c++)
	{
		const double *column = t->a + c * t->ld;
		double present = total, mean;

		if (t->indicator[c])
			present -= cblas_ddot(rows, t->a, 1, t->a + t->indicator[c] * t->ld, 1);
		mean = cblas_ddot(rows, t->a, 1, column, 1) / present;
		t->shift[c] = isfinite(mean) ? mean : 0;
	}
	for (size_t c = 1; c < t->n_columns; c++)
	{
		if (t->indicator[c])
			t->shift[t->indicator[c]] = 0;
	}
	apply_shift(t);
}

/* The matrix is full: make R of everything. */
static MlStatus
fold(MlTsqr *t)
{
	size_t n = t->n_columns;

	if (!t->shifted)
		choose_shift(t);
	if (t->n_top > 0)
		ML_TRY(ml_qr_update(t->poll, t->a, n, t->n_waiting, t->ld, t->work));
	else
	{
		ML_TRY(ml_qr_reduce(t->poll, t->a, t->n_waiting, n, t->ld, t->work));
		for (size_t c = 0; c + 1 < n; c++)
			memset(t->a + c * t->ld + c + 1, 0, (n - c - 1) * sizeof(double));
	}
	t->n_top = n;
	t->n_waiting = 0;
	return ML_OK;
}

MlStatus
ml_tsqr_room(MlTsqr *t, size_t want, size_t *first, size_t *rows)
{
	size_t used = ml_tsqr_rows(t);

	if (used == t->ld)
	{
		size_t more = GROWTH * t->ld, most = most_rows(t);

		ML_TRY(reallocate(t, 2 * more < most ? more : most, t->column_capacity, t->n_top));
	}
	*first = used;
	*rows = ML_MIN(want, t->ld - used);
	return ML_OK;
}

MlStatus
ml_tsqr_commit(MlTsqr *t, size_t rows)
{
	t->n_waiting += rows;
	return ml_tsqr_rows(t) == most_rows(t) ? fold(t) : ML_OK;
}

MlStatus
ml_tsqr_add_indicators(MlTsqr *t, const uint32_t *of, size_t n)
{
	size_t old = t->n_columns, total = old + n, top = t->n_top ? total : 0;
	size_t capacity = t->column_capacity;

	if (total > capacity)
	{
		capacity = ML_MAX(total, capacity + capacity / 2);
		ML_TRY(widen(t, capacity));
	}
	/* Twice the rows in use, or all that there can be, so that the next row finds room. */
	ML_TRY(reallocate(t, ML_MAX(FIRST_ROWS, ML_MIN(2 * (top + t->n_waiting), total + t->block)),
					  capacity, top));
	for (size_t k = 0; k < n; k++)
		t->indicator[of[k]] = (uint32_t) (old + k);
	t->n_columns = total;
	return ML_OK;
}

/* Take over other's shift: only while this one has none. */
static void
adopt_shift(MlTsqr *t, const MlTsqr *other, const uint32_t *column)
{
	for (size_t c = 0; c < other->n_columns; c++)
		t->shift[column[c]] = other->shift[c];
	apply_shift(t);
}

/* Rows first..first+rows-1 of other into place at row `at`, with this state's shift. */
static void
copy_rows(MlTsqr *t, size_t at, const MlTsqr *other, const uint32_t *column, size_t first,
		  size_t rows)
{
	for (size_t c = 0; c < t->n_columns; c++)
		memset(t->a + c * t->ld + at, 0, rows * sizeof(double));
	for (size_t c = 0; c < other->n_columns; c++)
	{
		const double *from = other->a + c * other->ld + first, *one = other->a + first;
		const double *missing = other->a + other->indicator[c] * other->ld + first;
		double *to = t->a + column[c] * t->ld + at;
		double move = other->shift[c] - t->shift[column[c]];

		for (size_t i = 0; i < rows; i++)
			to[i] = from[i];
		for (size_t i = 0; i < rows && move != 0; i++)
			to[i] += move * (one[i] - (other->indicator[c] ? missing[i] : 0));
	}
}

MlStatus
ml_tsqr_merge(MlTsqr *t, const MlTsqr *other, const uint32_t *column)
{
	size_t total = ml_tsqr_rows(other), done = 0;

	if (other->shifted && !t->shifted)
		adopt_shift(t, other, column);
	while (done < total)
	{
		size_t first, rows;

		ML_TRY(ml_tsqr_room(t, total - done, &first, &rows));
		copy_rows(t, first, other, column, done, rows);
		ML_TRY(ml_tsqr_commit(t, rows));
		done += rows;
	}
	return ML_OK;
}

double
ml_tsqr_product(const MlTsqr *t, size_t c, size_t d)
{
	return cblas_ddot((int) ml_tsqr_rows(t), t->a + c * t->ld, 1, t->a + d * t->ld, 1);
}

/* Rows 0..top-1 are R, then waiting rows; with R the columns are cut at the diagonal. */
static void
put_matrix(const MlTsqr *t, const double *a, size_t ld, size_t waiting, MlBuffer *out)
{
	ml_put_u8(out, t->shifted);
	ml_put_u8(out, t->n_top > 0);
	ml_put_u32(out, (uint32_t) t->block);
	ml_put_u32(out, (uint32_t) waiting);
	if (t->shifted)
		ml_put_f64_array(out, t->shift, t->n_columns);
	for (size_t c = 0; c < t->n_columns; c++)
	{
		if (t->n_top > 0)
			ml_put_f64_array(out, a + c * ld, c + 1);
		ml_put_f64_array(out, a + c * ld + t->n_top, waiting);
	}
}

/* Waiting rows are folded on a copy first, so that the bytes of a state with a triangle are few. */
void
ml_tsqr_save(const MlTsqr *t, MlBuffer *out)
{
	size_t n = t->n_columns, rows = ml_tsqr_rows(t);
	double *copy;

	if (t->n_top == 0 || t->n_waiting == 0)
	{
		put_matrix(t, t->a, t->ld, t->n_waiting, out);
		return;
	}
	copy = ml_alloc_array(out->env, n * rows + ml_qr_work(n), sizeof(double));
	if (copy == NULL)
	{
		out->status = ML_ENOMEM;
		return;
	}
	for (size_t c = 0; c < n; c++)
		memcpy(copy + c * rows, t->a + c * t->ld, rows * sizeof(double));
	ml_qr_update(NULL, copy, n, t->n_waiting, rows, copy + n * rows);
	put_matrix(t, copy, rows, 0, out);
	ml_free(out->env, copy);
}

/* n finite numbers, or the bytes are damaged. */
static MlStatus
get_finite(MlReader *in, double *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		out[i] = ml_get_f64(in);
		if (!isfinite(out[i]))
			return ml_corrupt(in->env, "a number of a linear state is not finite");
	}
	return in->failed ? ml_corrupt(in->env, "a linear state ends early") : ML_OK;
}

MlStatus
ml_tsqr_load(MlReader *in, MlArena *arena, size_t n_columns, const uint32_t *indicator,
			 MlTsqr **tsqr)
{
	bool shifted = ml_get_u8(in) != 0, factored = ml_get_u8(in) != 0;
	size_t block = ml_get_u32(in), waiting = ml_get_u32(in), top = factored ? n_columns : 0;
	size_t numbers = n_columns * waiting + (factored ? n_columns * (n_columns + 1) / 2 : 0);
	MlTsqr *t;

	/* What is announced must be there, before memory is taken for it. */
	if (in->failed || block < BLOCK_MIN || block > BLOCK_MAX || (factored && !shifted) ||
		top + waiting >= n_columns + block ||
		numbers + (shifted ? n_columns : 0) > (in->len - in->pos) / sizeof(double))
		return ml_corrupt(in->env, "the sizes in a linear state do not agree");
	ML_TRY(ml_tsqr_create(arena, n_columns, top + waiting, &t));
	memcpy(t->indicator, indicator, n_columns * sizeof(uint32_t));
	t->block = block;
	t->shifted = shifted;
	t->n_top = top;
	t->n_waiting = waiting;
	if (shifted)
		ML_TRY(get_finite(in, t->shift, n_columns));
	for (size_t c = 0; c < n_columns; c++)
	{
		if (factored)
			ML_TRY(get_finite(in, t->a + c * t->ld, c + 1));
		ML_TRY(get_finite(in, t->a + c * t->ld + top, waiting));
	}
	*tsqr = t;
	return ML_OK;
}
