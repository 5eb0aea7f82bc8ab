/*
 * preplevels.c
 *		Fitting what a recipe makes of levels: which are kept, and their numbers.
 *
 * Levels are ranked by their number of training rows, and sorted by their bytes,
 * so that the order of the rows does not matter. A column may have millions of
 * them: whatever takes all of them polls cancel.
 */
#include <math.h>
#include <string.h>

#include "data/prep/prepfit.h"

/* The codes of a dictionary by their bytes: chunks sorted, then merged, so that cancel can be polled. */
static MlStatus
sort_codes(MlEnv *env, const MlDict *dict, uint32_t *codes, uint32_t *other, uint32_t n)
{
	uint32_t *from = codes, *to = other;

	for (uint32_t i = 0; i < n; i++)
		codes[i] = i;
	for (size_t width = 1; width < n; width *= 2)
	{
		uint32_t *swap = from;

		for (size_t left = 0; left < n; left += 2 * width)
		{
			size_t middle = ML_MIN(left + width, (size_t) n),
				   end = ML_MIN(left + 2 * width, (size_t) n);
			size_t i = left, k = middle;

			for (size_t at = left; at < end; at++)
			{
				bool first = k == end || (i < middle && strcmp(ml_dict_text(dict, from[i]),
															   ml_dict_text(dict, from[k])) <= 0);

				if (at % 8192 == 0)
					ML_TRY(ml_poll(env));
				to[at] = first ? from[i++] : from[k++];
			}
		}
		from = to;
		to = swap;
	}
	if (from != codes)
		memcpy(codes, from, n * sizeof *codes);
	return ML_OK;
}

/* The number of a level is its place in the sorted order. */
static MlStatus
number_sorted(MlEnv *env, const MlDict *dict, MlPrepColumn *column)
{
	uint32_t n = column->n_codes;
	uint32_t *codes = ml_alloc_array(env, 2 * (size_t) n + 1, sizeof *codes);
	MlStatus status;

	if (!codes)
		return ML_ENOMEM;
	status = sort_codes(env, dict, codes, codes + n, n);
	for (uint32_t i = 0; i < n && status == ML_OK; i++)
		column->table[codes[i]] = i;
	ml_free(env, codes);
	return status;
}

/* The number of a level is its place in the order that was given; others are missing. */
static MlStatus
number_given(MlEnv *env, const MlDict *dict, const MlJson *order, MlPrepColumn *column,
			 const char *name)
{
	size_t known = 0;

	for (uint32_t code = 0; code < column->n_codes; code++)
		column->table[code] = NAN;
	for (size_t i = 0; i < order->n; i++)
	{
		uint32_t code = ml_dict_find(dict, order->items[i].string, strlen(order->items[i].string));

		if (code == ML_NO_LEVEL || code >= column->n_codes)
			continue;
		column->table[code] = (double) i;
		known++;
	}
	if (known > 0)
		return ML_OK;
	ml_fail(env, ML_EINVAL, "option \"order\" of prep: column \"%.64s\" has none of these levels",
			name);
	ml_hint(env, "Levels are written as the column's text shows them.");
	return ML_EINVAL;
}

/* Place for the numbers of levels, of missing and of unseen ones. */
static MlStatus
make_table(MlArena *arena, MlPrepColumn *column, uint32_t n_values)
{
	column->n_values = n_values;
	return ml_arena_zeros(arena, ((size_t) column->n_codes + 2) * n_values, sizeof(double),
						  &column->table);
}

static MlStatus
number_levels(MlPrepBatch *b, MlPrepWork *w)
{
	const MlFeature *source = &b->data->schema->features[w->column->feature];
	const MlDict *dict = b->data->schema->inputs[source->input].levels;
	uint32_t n = w->column->n_codes;

	ML_TRY(make_table(b->arena, w->column, 1));
	w->column->table[n] = w->column->table[n + 1] = NAN;
	for (uint32_t code = 0; code < n && w->column->binned; code++)
		w->column->table[code] = code;
	if (w->column->binned)
		return ML_OK;
	return w->step->order ? number_given(b->env, dict, w->step->order, w->column, w->step->name)
						  : number_sorted(b->env, dict, w->column);
}

/* The number of a level is its share of the rows. */
static MlStatus
share_levels(MlPrepBatch *b, MlPrepWork *w)
{
	uint32_t n = w->column->n_codes;

	ML_TRY(make_table(b->arena, w->column, 1));
	for (uint32_t code = 0; code <= n; code++)
		w->column->table[code] = (double) w->counts[code] / (double) b->rows->n;
	if (w->column->fill_code != ML_NO_LEVEL)
		w->column->table[w->column->fill_code] += w->column->table[n];
	return ML_OK;
}

/* The levels that get an output: the most frequent ones, and missing where it occurs and stays. */
static MlStatus
keep_levels(MlPrepBatch *b, MlPrepWork *w)
{
	MlPrepColumn *column = w->column;
	const MlFeature *source = &b->data->schema->features[column->feature];
	const MlDict *dict = b->data->schema->inputs[source->input].levels;
	uint32_t at_most = ML_MIN(column->n_codes, w->step->top), n_seen;
	bool missing = column->fill_code == ML_NO_LEVEL &&
				   (w->counts ? w->counts[column->n_codes] > 0
							  : isnan(column->filled) && w->moments.missing_weight > 0);
	bool all = column->binned || column->encoding == ML_ENCODE_HASH;
	MlLevel *levels = ml_alloc_array(b->env, (size_t) at_most + 1, sizeof *levels);

	column->kept = ml_arena_array(b->arena, (size_t) at_most + 1, sizeof(uint32_t));
	if (!levels || !column->kept)
	{
		ml_free(b->env, levels);
		return ML_ENOMEM;
	}
	if (w->counts && column->fill_code != ML_NO_LEVEL)
	{
		w->counts[column->fill_code] += w->counts[column->n_codes];
		w->counts[column->n_codes] = 0;
	}
	column->n_kept =
		all ? at_most : ml_levels_rank(dict, column->n_codes, w->counts, at_most, levels, &n_seen);
	for (uint32_t k = 0; k < column->n_kept; k++)
		column->kept[k] = all ? k : levels[k].code;
	if (missing)
		column->kept[column->n_kept++] = column->n_codes;
	ml_free(b->env, levels);
	return ML_OK;
}

/* The most frequent level stands for missing ones. */
static void
fill_by_mode(const MlPrepBatch *b, MlPrepWork *w)
{
	const MlFeature *source = &b->data->schema->features[w->column->feature];
	MlLevel first;
	uint32_t n_seen;

	if (ml_levels_rank(b->data->schema->inputs[source->input].levels, w->column->n_codes, w->counts,
					   1, &first, &n_seen) > 0)
		w->column->fill_code = first.code;
}

/* What is known of levels once they are counted, or bins once they are cut. */
MlStatus
ml_prep_settle_levels(MlPrepBatch *b, MlPrepWork *w)
{
	if (w->counts && w->step->impute == ML_IMPUTE_MODE)
		fill_by_mode(b, w);
	if (ml_prep_has_levels(w->step))
		w->column->indicator = w->step->indicator == ML_INDICATOR_YES;
	if (w->column->form == ML_PREP_ONE_HOT)
		return keep_levels(b, w);
	if (w->column->form == ML_PREP_TABLE && w->column->encoding == ML_ENCODE_ORDINAL)
		return number_levels(b, w);
	if (w->column->form == ML_PREP_TABLE && w->column->encoding == ML_ENCODE_FREQUENCY)
		return share_levels(b, w);
	return ML_OK;
}
