/*
 * prepsave.c
 *		The bytes of a recipe, and its description for people.
 *
 * Bytes are hostile: every reference is checked against the schema of the
 * columns, every number that a value is divided by or compared with must be
 * sound, and counts are bounded by the bytes that are there.
 */
#include <math.h>
#include <string.h>

#include "data/prep/prep_inner.h"

/* ---- writing ---- */

static void
save_column(const MlPrepColumn *c, MlBuffer *out)
{
	ml_put_u32(out, c->feature);
	ml_put_u8(out, (uint8_t) c->part);
	ml_put_u8(out, (uint8_t) c->form);
	ml_put_u8(out, (uint8_t) c->encoding);
	ml_put_u8(out, c->indicator);
	ml_put_f64(out, c->low);
	ml_put_f64(out, c->high);
	ml_put_f64(out, c->fill);
	ml_put_u8(out, (uint8_t) c->power);
	ml_put_f64(out, c->lambda);
	ml_put_f64(out, c->center);
	ml_put_f64(out, c->scale);
	ml_put_u32(out, c->degree);
	ml_put_u8(out, c->binned);
	ml_put_u32(out, c->n_edges);
	ml_put_f64_array(out, c->edges, c->n_edges);
	ml_put_u32(out, c->n_codes);
	ml_put_u32(out, c->fill_code);
	ml_put_u32(out, c->n_kept);
	ml_put_u32_array(out, c->kept, c->n_kept);
	ml_put_u32(out, c->n_values);
	ml_put_f64_array(out, c->table, c->n_values ? ((size_t) c->n_codes + 2) * c->n_values : 0);
}

void
ml_prep_save(const MlPrep *prep, MlBuffer *out)
{
	ml_put_text(out, prep->options);
	ml_put_u32(out, prep->n_labels);
	for (uint32_t k = 0; k < prep->n_labels; k++)
		ml_put_text(out, prep->labels[k]);
	ml_put_u32(out, prep->n_columns);
	for (uint32_t c = 0; c < prep->n_columns; c++)
		save_column(&prep->columns[c], out);
	ml_put_u32(out, prep->n_products);
	for (uint32_t p = 0; p < prep->n_products; p++)
	{
		ml_put_u32(out, prep->products[p].a);
		ml_put_u32(out, prep->products[p].b);
	}
}

/* ---- reading ---- */

#define COLUMN_BYTES 82 /* of a column at least */

/* The numbers of a column; arrays follow. */
static MlStatus
get_numbers(MlReader *in, MlPrepColumn *c)
{
	uint8_t part, form, encoding, power, indicator, binned;

	c->feature = ml_get_u32(in);
	part = ml_get_u8(in);
	form = ml_get_u8(in);
	encoding = ml_get_u8(in);
	indicator = ml_get_u8(in);
	c->low = ml_get_f64(in);
	c->high = ml_get_f64(in);
	c->fill = ml_get_f64(in);
	power = ml_get_u8(in);
	c->lambda = ml_get_f64(in);
	c->center = ml_get_f64(in);
	c->scale = ml_get_f64(in);
	c->degree = ml_get_u32(in);
	binned = ml_get_u8(in);
	c->n_edges = ml_get_count(in, sizeof(double));
	ML_TRY(ml_reader_check(in, "a column of the recipe"));
	if (part >= ML_N_PARTS || form >= ML_PREP_N_FORMS || encoding >= ML_N_ENCODINGS ||
		power >= ML_N_POWERS || indicator > 1 || binned > 1)
		return ml_corrupt(in->env, "a word of the recipe");
	c->part = (MlPart) part;
	c->form = (MlPrepForm) form;
	c->encoding = (MlPrepEncoding) encoding;
	c->power = (MlPrepPower) power;
	c->indicator = indicator;
	c->binned = binned;
	return ML_OK;
}

/* Edges, kept levels, table. */
static MlStatus
get_arrays(MlReader *in, MlArena *arena, MlPrepColumn *c)
{
	size_t n_cells;

	c->edges = ml_get_f64_array(in, arena, c->n_edges);
	c->n_codes = ml_get_u32(in);
	c->fill_code = ml_get_u32(in);
	c->n_kept = ml_get_count(in, sizeof(uint32_t));
	c->kept = ml_get_u32_array(in, arena, c->n_kept);
	c->n_values = ml_get_u32(in);
	ML_TRY(ml_reader_check(in, "levels of the recipe"));
	if (__builtin_mul_overflow((size_t) c->n_codes + 2, (size_t) c->n_values, &n_cells) ||
		n_cells > (in->len - in->pos) / sizeof(double))
		return ml_corrupt(in->env, "a table of the recipe");
	c->table = ml_get_f64_array(in, arena, n_cells);
	return ml_reader_check(in, "a table of the recipe");
}

/* Does the source exist, and suit the form? */
static bool
sound_source(const MlSchema *from, const MlPrepColumn *c)
{
	const MlFeature *feature;
	bool levels;

	if (c->feature >= from->n_features)
		return false;
	feature = &from->features[c->feature];
	levels = feature->categorical;
	if (c->part != ML_PART_VALUE && (c->part <= ML_PART_HOUR || feature->part != ML_PART_EPOCH))
		return false;
	if (c->binned ? levels || c->n_codes != c->n_edges + 1 : c->n_edges != 0)
		return false;
	if (c->form == ML_PREP_NUMBER || c->form == ML_PREP_CYCLE)
		return !levels && !c->binned;
	return c->binned || (levels && c->n_codes <= feature->n_levels);
}

/* Are the numbers that values are compared with, or divided by, sound? */
static bool
sound_numbers(const MlPrepColumn *c)
{
	if (!(c->low <= c->high) || !isfinite(c->center) || !(c->scale > 0) || isinf(c->scale) ||
		isinf(c->fill) || !isfinite(c->lambda) || c->degree < 1 || c->degree > ML_PREP_MAX_DEGREE ||
		(c->fill_code != ML_NO_LEVEL && (c->binned || c->fill_code >= c->n_codes)))
		return false;
	for (uint32_t k = 0; k < c->n_edges; k++)
	{
		if (!isfinite(c->edges[k]) || (k > 0 && !(c->edges[k] > c->edges[k - 1])))
			return false;
	}
	return true;
}

/* Are levels and tables those of the form? */
static bool
sound_levels(const MlPrepColumn *c, uint32_t n_labels)
{
	bool table = c->form == ML_PREP_TABLE;

	if (table ? c->n_values != 1 && c->n_values != n_labels : c->n_values != 0)
		return false;
	if (table && c->encoding != ML_ENCODE_ORDINAL && c->encoding != ML_ENCODE_TARGET &&
		c->encoding != ML_ENCODE_FREQUENCY)
		return false;
	if (c->form != ML_PREP_ONE_HOT && c->n_kept != 0)
		return false;
	for (uint32_t k = 0; k < c->n_kept; k++)
	{
		if (c->kept[k] > c->n_codes)
			return false;
	}
	return !table || c->n_values > 0;
}

static MlStatus
get_column(MlReader *in, MlArena *arena, const MlSchema *from, uint32_t n_labels, MlPrepColumn *c)
{
	ML_TRY(get_numbers(in, c));
	ML_TRY(get_arrays(in, arena, c));
	if (!sound_source(from, c) || !sound_numbers(c) || !sound_levels(c, n_labels))
		return ml_corrupt(in->env, "a column of the recipe");
	return ML_OK;
}

/* All columns. Levels are used once, so that tables by level are no larger than the dictionaries. */
static MlStatus
get_columns(MlReader *in, MlArena *arena, const MlSchema *from, MlPrep *prep)
{
	uint32_t next = 0; /* the least feature whose levels are unused */

	for (uint32_t c = 0; c < prep->n_columns; c++)
	{
		MlPrepColumn *column = &prep->columns[c];

		ML_TRY(get_column(in, arena, from, prep->n_labels, column));
		if (!from->features[column->feature].categorical)
			continue;
		if (column->feature < next)
			return ml_corrupt(in->env, "order of the recipe's columns");
		next = column->feature + 1;
	}
	return ML_OK;
}

static MlStatus
get_labels(MlReader *in, MlArena *arena, MlPrep *prep)
{
	prep->n_labels = ml_get_count(in, sizeof(uint32_t));
	prep->labels = ml_arena_array(arena, (size_t) prep->n_labels + 1, sizeof(char *));
	if (!prep->labels)
		return ML_ENOMEM;
	for (uint32_t k = 0; k < prep->n_labels; k++)
		prep->labels[k] = ml_get_text(in, arena);
	return ml_reader_check(in, "classes of the recipe");
}

/* Products are of columns that are numbers. */
static MlStatus
get_products(MlReader *in, MlArena *arena, MlPrep *prep)
{
	prep->n_products = ml_get_count(in, 2 * sizeof(uint32_t));
	prep->products = ml_arena_array(arena, (size_t) prep->n_products + 1, sizeof *prep->products);
	if (!prep->products)
		return ML_ENOMEM;
	for (uint32_t p = 0; p < prep->n_products; p++)
	{
		MlPrepProduct *product = &prep->products[p];

		product->a = ml_get_u32(in);
		product->b = ml_get_u32(in);
		if (product->a >= prep->n_columns || product->b >= prep->n_columns ||
			prep->columns[product->a].form != ML_PREP_NUMBER ||
			prep->columns[product->b].form != ML_PREP_NUMBER)
			return ml_corrupt(in->env, "a product of the recipe");
	}
	return ml_reader_check(in, "products of the recipe");
}

MlStatus
ml_prep_load(MlReader *in, MlArena *arena, const MlSchema *from, MlPrep **out)
{
	MlPrep *prep = ml_arena_alloc(arena, sizeof *prep);
	MlStatus status;

	if (!prep)
		return ML_ENOMEM;
	prep->options = ml_get_text(in, arena);
	ML_TRY(ml_reader_check(in, "option of the recipe"));
	ML_TRY(get_labels(in, arena, prep));
	prep->n_columns = ml_get_count(in, COLUMN_BYTES);
	if (prep->n_columns == 0)
		return ml_corrupt(in->env, "columns of the recipe");
	prep->columns = ml_arena_array(arena, prep->n_columns, sizeof *prep->columns);
	if (!prep->columns)
		return ML_ENOMEM;
	ML_TRY(get_columns(in, arena, from, prep));
	ML_TRY(get_products(in, arena, prep));
	status = ml_prep_layout(arena, from, prep);
	if (status == ML_EDATA)
		return ml_corrupt(in->env, "number of outputs of the recipe");
	*out = prep;
	return status;
}

/* ---- for people ---- */

#define MAX_WRITTEN 10000 /* columns */

static const char *
word_of(int param, int index, char *out, size_t size)
{
	const char *word = ml_prep_params[param].choices;

	while (index-- > 0)
		word += strcspn(word, "|") + 1;
	size = ML_MIN(size - 1, strcspn(word, "|"));
	memcpy(out, word, size);
	out[size] = '\0';
	return out;
}

/* What was done to numbers, with what was fitted. */
static void
write_numbers(const MlPrepColumn *c, MlJsonWriter *w)
{
	char word[32];

	if (!isinf(c->low) || !isinf(c->high))
	{
		ml_json_open(w, "clip", '[');
		ml_json_number(w, NULL, c->low);
		ml_json_number(w, NULL, c->high);
		ml_json_close(w, ']');
	}
	if (c->fill == c->fill)
		ml_json_number(w, "fill", c->fill);
	if (c->power != ML_POWER_NONE)
		ml_json_text(w, "power", word_of(ML_PREP_POWER, c->power, word, sizeof word));
	if (c->power == ML_POWER_YEO_JOHNSON)
		ml_json_number(w, "lambda", c->lambda);
	if (c->center != 0 || c->scale != 1)
	{
		ml_json_number(w, "center", c->center);
		ml_json_number(w, "scale", c->scale);
	}
	if (!c->binned)
		return;
	ml_json_open(w, "edges", '[');
	for (uint32_t k = 0; k < c->n_edges; k++)
		ml_json_number(w, NULL, c->edges[k]);
	ml_json_close(w, ']');
}

/* One column: where it comes from, what is done, how many features come of it. */
static void
write_column(const MlPrep *prep, const MlPrepColumn *c, MlJsonWriter *w)
{
	const MlFeature *feature = &prep->from->features[c->feature];
	char word[32];

	ml_json_open(w, NULL, '{');
	ml_json_text(w, "column", feature->name);
	if (c->part != ML_PART_VALUE)
		ml_json_text(w, "part", ml_part_name(c->part));
	write_numbers(c, w);
	if (c->form == ML_PREP_CYCLE)
		ml_json_bool(w, "cyclic", true);
	if (c->fill_code != ML_NO_LEVEL)
		ml_json_text(w, "fill",
					 ml_dict_text(prep->from->inputs[feature->input].levels, c->fill_code));
	if (c->encoding > ML_ENCODE_NONE)
		ml_json_text(w, "encode", word_of(ML_PREP_ENCODE, c->encoding, word, sizeof word));
	if (c->indicator)
		ml_json_bool(w, "indicator", true);
	ml_json_number(w, "features", c->n_outputs);
	ml_json_close(w, '}');
}

void
ml_prep_write(const MlPrep *prep, MlJsonWriter *w, const char *key)
{
	size_t n = 0;

	ml_json_open(w, key, '[');
	for (uint32_t c = 0; c < prep->n_columns && n < MAX_WRITTEN; c++)
	{
		if (ml_prep_passes(&prep->columns[c]))
			continue;
		write_column(prep, &prep->columns[c], w);
		n++;
	}
	ml_json_close(w, ']');
}
