/*
 * preplayout.c
 *		Where the outputs of a recipe stand, what they are called, and the schema of them.
 *
 * The schema of the outputs has an input for each column of the recipe, with the
 * kind, width and levels that algorithms ask for; nothing binds to it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/prep/prep_inner.h"

/* ---- how many ---- */

/* The outputs of a column. */
static uint32_t
count_outputs(const MlPrepColumn *column)
{
	uint32_t n = 1;

	if (column->form == ML_PREP_NUMBER)
		n = column->degree;
	else if (column->form == ML_PREP_CYCLE)
		n = 2;
	else if (column->form == ML_PREP_ONE_HOT)
		n = column->n_kept;
	else if (column->form == ML_PREP_TABLE)
		n = column->n_values;
	return n + column->indicator;
}

/* From codes to outputs, of a one-hot column. */
static MlStatus
index_levels(MlArena *arena, MlPrepColumn *column)
{
	size_t n = (size_t) column->n_codes + 1;

	column->output_of = ml_arena_array(arena, n, sizeof(uint32_t));
	if (!column->output_of)
		return ML_ENOMEM;
	memset(column->output_of, 0xff, n * sizeof(uint32_t)); /* ML_NO_LEVEL */
	for (uint32_t k = 0; k < column->n_kept; k++)
		column->output_of[column->kept[k]] = k;
	return ML_OK;
}

/* Number the outputs of all columns. */
static MlStatus
place_outputs(MlArena *arena, MlPrep *prep, uint32_t *n_outputs)
{
	uint64_t n = 0;

	for (uint32_t c = 0; c < prep->n_columns; c++)
	{
		MlPrepColumn *column = &prep->columns[c];

		column->first = (uint32_t) n;
		column->n_outputs = count_outputs(column);
		column->filled = ml_prep_power(column, column->fill);
		n += column->n_outputs;
		if (n + prep->n_products > ML_MAX_SLOTS)
			return ml_fail(arena->env, ML_EDATA,
						   "option \"prep\" makes more than %d features, counted up to column "
						   "\"%.64s\"",
						   ML_MAX_SLOTS, prep->from->features[column->feature].name);
		if (column->form == ML_PREP_ONE_HOT)
			ML_TRY(index_levels(arena, column));
	}
	if (n == 0)
		return ml_fail(arena->env, ML_EDATA, "option \"prep\" leaves no feature");
	*n_outputs = (uint32_t) n + prep->n_products;
	return ML_OK;
}

/* ---- names ---- */

/* The number of a bin as its range: "<10", "[10,20)", ">=20". */
static void
put_bin(const MlPrepColumn *column, uint32_t bin, MlBuffer *out)
{
	char low[32], high[32];

	if (column->n_edges == 0)
	{
		ml_put_format(out, "all");
		return;
	}
	ml_format_double(low, column->edges[bin > 0 ? bin - 1 : 0]);
	ml_format_double(high, column->edges[bin < column->n_edges ? bin : column->n_edges - 1]);
	if (bin == 0)
		ml_put_format(out, "<%s", high);
	else if (bin == column->n_edges)
		ml_put_format(out, ">=%s", low);
	else
		ml_put_format(out, "[%s, %s)", low, high);
}

/* The name of what a column starts from: "age", "when.week". */
static void
put_source(const MlPrep *prep, const MlPrepColumn *column, MlBuffer *out)
{
	const MlFeature *feature = &prep->from->features[column->feature];
	const char *name = feature->name;

	if (column->part == ML_PART_VALUE)
		ml_put_bytes(out, name, strlen(name));
	else /* in the place of ".epoch" */
		ml_put_format(out, "%.*s.%s",
					  (int) (strlen(name) - strlen(ml_part_name(ML_PART_EPOCH)) - 1), name,
					  ml_part_name(column->part));
}

/* A date is missing as a whole: the indicator has its name. */
static void
put_indicator(const MlPrep *prep, const MlPrepColumn *column, MlBuffer *out)
{
	const MlFeature *feature = &prep->from->features[column->feature];
	const char *input = prep->from->inputs[feature->input].name;

	if (feature->part != ML_PART_VALUE && input[0])
		ml_put_bytes(out, input, strlen(input));
	else
		put_source(prep, column, out);
	ml_put_bytes(out, " is missing", 11);
}

/* "origin=ATL", "origin is missing", "price=[10, 20)". */
static void
put_level(const MlPrep *prep, const MlPrepColumn *column, uint32_t code, MlBuffer *out)
{
	const MlFeature *feature = &prep->from->features[column->feature];

	put_source(prep, column, out);
	if (code == column->n_codes)
		ml_put_bytes(out, " is missing", 11);
	else
		ml_put_u8(out, '=');
	if (code < column->n_codes && column->binned)
		put_bin(column, code, out);
	else if (code < column->n_codes)
		ml_put_bytes(out, ml_dict_text(prep->from->inputs[feature->input].levels, code),
					 ml_dict_len(prep->from->inputs[feature->input].levels, code));
}

/* "zip (target)", "zip (target=red)". */
static void
put_encoded(const MlPrep *prep, const MlPrepColumn *column, uint32_t k, MlBuffer *out)
{
	const char *word = column->encoding == ML_ENCODE_TARGET      ? "target"
					   : column->encoding == ML_ENCODE_FREQUENCY ? "frequency"
					   : column->binned                          ? "bin"
																 : "ordinal";

	put_source(prep, column, out);
	ml_put_bytes(out, " (", 2);
	ml_put_bytes(out, word, strlen(word));
	if (column->n_values > 1)
	{
		ml_put_u8(out, '=');
		ml_put_bytes(out, prep->labels[k], strlen(prep->labels[k]));
	}
	ml_put_u8(out, ')');
}

/* The name of output k of a column. */
static void
put_name(const MlPrep *prep, const MlPrepColumn *column, uint32_t k, MlBuffer *out)
{
	if (column->indicator && k == column->n_outputs - 1)
		put_indicator(prep, column, out);
	else if (column->form == ML_PREP_ONE_HOT)
		put_level(prep, column, column->kept[k], out);
	else if (column->form == ML_PREP_TABLE)
		put_encoded(prep, column, k, out);
	else
	{
		put_source(prep, column, out);
		if (column->form == ML_PREP_CYCLE)
			ml_put_format(out, "_%s", k == 0 ? "sin" : "cos");
		else if (k > 0)
			ml_put_format(out, "^%u", k + 1);
	}
}

/* The text of a buffer in the arena; the buffer is emptied. */
static MlStatus
take_name(MlArena *arena, MlBuffer *text, char **out)
{
	ML_TRY(text->status);
	*out = ml_arena_text(arena, (const char *) text->data, text->len);
	text->len = 0;
	return *out ? ML_OK : ML_ENOMEM;
}

/* ---- the schema ---- */

/* The levels of bins are their ranges. */
static MlStatus
bin_levels(MlArena *arena, const MlPrepColumn *column, MlBuffer *text, MlDict **out)
{
	MlDict *levels = ml_dict_create(arena);
	uint32_t code;

	if (!levels)
		return ML_ENOMEM;
	for (uint32_t bin = 0; bin < column->n_codes; bin++)
	{
		text->len = 0;
		put_bin(column, bin, text);
		ML_TRY(text->status);
		ML_TRY(ml_dict_add(levels, (const char *) text->data, text->len, &code));
	}
	text->len = 0;
	*out = levels;
	return ML_OK;
}

/* The input of the outputs' schema that stands for a column. */
static MlStatus
describe_input(MlArena *arena, const MlPrep *prep, const MlPrepColumn *column, MlBuffer *text,
			   MlInput *input)
{
	const MlFeature *feature = &prep->from->features[column->feature];

	*input = prep->from->inputs[feature->input];
	input->n_slots = 1;
	input->first_slot = 0;
	input->first_feature = column->first;
	input->n_features = column->n_outputs;
	if (column->form != ML_PREP_LEVELS)
	{
		input->kind = input->kind == ML_CATEGORICAL ? ML_NUMERIC : input->kind;
		input->levels = NULL;
		if (!ml_prep_passes(column))
			input->width = ML_WIDTH_FLOAT64;
	}
	else if (column->binned)
	{
		input->kind = ML_CATEGORICAL;
		input->width = ML_WIDTH_LEVEL;
		return bin_levels(arena, column, text, &input->levels);
	}
	return ML_OK;
}

/*
 * The outputs of a date are missing together: the first of them stands for all as the epoch does among the parts
 * (data/design.h), whatever it is.
 */
static MlPart
shared_part(const MlPrep *prep, uint32_t c, uint32_t k)
{
	const MlFeature *features = prep->from->features;
	const MlFeature *source = &features[prep->columns[c].feature];
	bool first = c == 0 || features[prep->columns[c - 1].feature].input != source->input;

	if (source->part == ML_PART_VALUE)
		return ML_PART_VALUE;
	return first && k == 0 ? ML_PART_EPOCH : ML_PART_YEAR;
}

/* The features of one column. */
static MlStatus
describe_features(MlArena *arena, const MlPrep *prep, uint32_t c, MlBuffer *text, MlSchema *schema)
{
	const MlPrepColumn *column = &prep->columns[c];

	for (uint32_t k = 0; k < column->n_outputs; k++)
	{
		MlFeature *feature = &schema->features[column->first + k];

		feature->input = c;
		feature->part = shared_part(prep, c, k);
		feature->categorical = column->form == ML_PREP_LEVELS && k == 0;
		if (feature->categorical)
			feature->n_levels = ml_dict_size(schema->inputs[c].levels);
		put_name(prep, column, k, text);
		ML_TRY(take_name(arena, text, &feature->name));
		prep->column_of[column->first + k] = c;
	}
	return ML_OK;
}

/* "height * width" */
static MlStatus
describe_products(MlArena *arena, const MlPrep *prep, MlBuffer *text, MlSchema *schema)
{
	MlFeature *features = schema->features + schema->n_features - prep->n_products;

	for (uint32_t p = 0; p < prep->n_products; p++)
	{
		const MlPrepProduct *product = &prep->products[p];

		put_source(prep, &prep->columns[product->a], text);
		ml_put_bytes(text, " * ", 3);
		put_source(prep, &prep->columns[product->b], text);
		ML_TRY(take_name(arena, text, &features[p].name));
		features[p].input = product->a;
	}
	return ML_OK;
}

static MlStatus
describe(MlArena *arena, const MlPrep *prep, MlBuffer *text, MlSchema *schema)
{
	for (uint32_t c = 0; c < prep->n_columns; c++)
	{
		if (c % 1024 == 0)
			ML_TRY(ml_poll(arena->env));
		ML_TRY(describe_input(arena, prep, &prep->columns[c], text, &schema->inputs[c]));
		ML_TRY(describe_features(arena, prep, c, text, schema));
	}
	return describe_products(arena, prep, text, schema);
}

MlStatus
ml_prep_layout(MlArena *arena, const MlSchema *from, MlPrep *prep)
{
	MlSchema *schema = ml_arena_alloc(arena, sizeof *schema);
	uint32_t n = 0;
	MlBuffer text;
	MlStatus status;

	if (!schema)
		return ML_ENOMEM;
	prep->from = from;
	prep->schema = schema;
	ML_TRY(place_outputs(arena, prep, &n));
	schema->arena = arena;
	schema->n_inputs = prep->n_columns;
	schema->n_features = n;
	schema->inputs = ml_arena_array(arena, prep->n_columns, sizeof(MlInput));
	schema->features = ml_arena_array(arena, n, sizeof(MlFeature));
	prep->column_of = ml_arena_array(arena, n, sizeof(uint32_t));
	if (!schema->inputs || !schema->features || !prep->column_of)
		return ML_ENOMEM;
	ml_buffer_init(&text, arena->env);
	status = describe(arena, prep, &text, schema);
	ml_buffer_free(&text);
	return status;
}
