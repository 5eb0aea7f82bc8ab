/*
 * design.c
 *		Applying the fitted transform of linear methods, and its bytes.
 *
 * A design is its list of columns; the tables for applying it follow from them
 * and the schema, so that an image stores the columns alone.
 */
#include <math.h>
#include <string.h>

#include "data/design.h"

/* Rows read at once into the stack. */
#define BLOCK 1024

/* ---- the design from its columns */

/* Count numbers, dense columns and factors. */
static void
count_columns(MlDesign *design, const MlSchema *schema)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
		if (schema->features[j].categorical)
			design->n_factors++;
		else
			design->n_numeric++;
	for (uint32_t c = 0; c < design->n_columns; c++)
		if (!schema->features[design->columns[c].feature].categorical)
			design->n_dense++;
}

/* The tables from codes to columns. */
static MlStatus
index_levels(MlDesign *design, MlArena *arena, const MlSchema *schema)
{
	uint32_t c = design->n_dense, f = 0;

	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		uint32_t n_levels = schema->features[j].n_levels, *map;

		if (!schema->features[j].categorical)
			continue;
		map = ml_arena_array(arena, (size_t) n_levels + 1, sizeof(*map));
		if (!map)
			return ML_ENOMEM;
		memset(map, 0xff, ((size_t) n_levels + 1) * sizeof(*map)); /* ML_NO_COLUMN */
		for (; c < design->n_columns && design->columns[c].feature == j; c++)
		{
			int32_t level = design->columns[c].level;
			uint32_t place = level == ML_DESIGN_MISSING ? n_levels : (uint32_t) level;

			if (map[place] != ML_NO_COLUMN)
				return ml_corrupt(arena->env, "design: a level has two columns");
			map[place] = c;
		}
		design->factor_feature[f] = j;
		design->factor_levels[f] = n_levels;
		design->factor_column[f++] = map;
	}
	return ML_OK;
}

/* A design of these n columns, which have been checked; they are copied. */
MlStatus
ml_design_make(MlArena *arena, const MlSchema *schema, const MlDesignColumn *columns, size_t n,
			   MlDesign **design)
{
	MlDesign *result = ml_arena_alloc(arena, sizeof(*result));

	if (!result)
		return ML_ENOMEM;
	result->n_columns = (uint32_t) n;
	result->columns = ml_arena_array(arena, n, sizeof(*columns));
	if (!result->columns)
		return ML_ENOMEM;
	if (n > 0)
		memcpy(result->columns, columns, n * sizeof(*columns));
	count_columns(result, schema);
	result->dense_feature = ml_arena_array(arena, result->n_dense, sizeof(uint32_t));
	result->factor_feature = ml_arena_array(arena, result->n_factors, sizeof(uint32_t));
	result->factor_levels = ml_arena_array(arena, result->n_factors, sizeof(uint32_t));
	result->factor_column = ml_arena_array(arena, result->n_factors, sizeof(uint32_t *));
	if (!result->dense_feature || !result->factor_feature || !result->factor_levels ||
		!result->factor_column)
		return ML_ENOMEM;
	for (uint32_t c = 0; c < result->n_dense; c++)
		result->dense_feature[c] = result->columns[c].feature;
	ML_TRY(index_levels(result, arena, schema));
	*design = result;
	return ML_OK;
}

/* ---- applying it */

/* The column of a level code; unseen levels, and codes that are none, have no column. */
static inline uint32_t
active_column(const MlDesign *design, uint32_t f, double code)
{
	uint32_t n_levels = design->factor_levels[f];

	if (code != code)
		return design->factor_column[f][n_levels];
	return code >= 0 && code < n_levels ? design->factor_column[f][(uint32_t) code] : ML_NO_COLUMN;
}

/* One feature vector: imputed numbers, indicators, and the active column of each factor. */
void
ml_design_row(const MlDesign *design, const double *x, double *dense, uint32_t *active)
{
	for (uint32_t c = 0; c < design->n_numeric; c++)
	{
		double value = x[design->dense_feature[c]];

		dense[c] = value == value ? value : design->columns[c].mean;
	}
	for (uint32_t c = design->n_numeric; c < design->n_dense; c++)
		dense[c] = isnan(x[design->dense_feature[c]]);
	for (uint32_t f = 0; f < design->n_factors; f++)
		active[f] = active_column(design, f, x[design->factor_feature[f]]);
}

/* The dense part of ml_design_block: read, take the indicator if there is one, impute in place. */
static void
dense_block(const MlDesign *design, const MlDataset *data, const MlRows *rows, size_t first,
			size_t n, size_t stride, double *dense)
{
	uint32_t next = design->n_numeric; /* indicators come in the order of the numbers */

	for (uint32_t c = 0; c < design->n_numeric; c++)
	{
		double *column = dense + c * stride, mean = design->columns[c].mean;

		ml_dataset_feature(data, design->dense_feature[c], rows, first, n, column);
		if (next < design->n_dense && design->dense_feature[next] == design->dense_feature[c])
		{
			double *indicator = dense + next++ * stride;

			for (size_t i = 0; i < n; i++)
				indicator[i] = column[i] != column[i];
		}
		for (size_t i = 0; i < n; i++)
			column[i] = column[i] == column[i] ? column[i] : mean;
	}
}

/* The same for rows[first..first+n-1], by column. */
void
ml_design_block(const MlDesign *design, const MlDataset *data, const MlRows *rows, size_t first,
				size_t n, size_t stride, double *dense, uint32_t *active)
{
	double codes[BLOCK];

	dense_block(design, data, rows, first, n, stride, dense);
	for (uint32_t f = 0; f < design->n_factors; f++)
		for (size_t at = 0; at < n; at += BLOCK)
		{
			size_t m = ML_MIN(n - at, BLOCK);

			ml_dataset_feature(data, design->factor_feature[f], rows, first + at, m, codes);
			for (size_t i = 0; i < m; i++)
				active[f * stride + at + i] = active_column(design, f, codes[i]);
		}
}

/* The name of a column, in out. The parts of a date share an indicator, which has the date's name. */
const char *
ml_design_name(const MlDesign *design, const MlSchema *schema, uint32_t column, MlBuffer *out)
{
	const MlDesignColumn *c = &design->columns[column];
	const MlFeature *feature = &schema->features[c->feature];
	const MlInput *input = &schema->inputs[feature->input];

	out->len = 0;
	if (c->level == ML_DESIGN_MISSING && feature->part != ML_PART_VALUE && input->name[0])
		ml_put_bytes(out, input->name, strlen(input->name));
	else
		ml_put_bytes(out, feature->name, strlen(feature->name));
	if (c->level == ML_DESIGN_MISSING)
		ml_put_bytes(out, " is missing", 11);
	else if (c->level >= 0)
	{
		uint32_t code = (uint32_t) c->level;

		ml_put_u8(out, '=');
		ml_put_bytes(out, ml_dict_text(input->levels, code), ml_dict_len(input->levels, code));
	}
	ml_put_u8(out, 0);
	return out->status == ML_OK ? (const char *) out->data : NULL;
}

/* ---- images */

/* Write the columns; the rest follows from them and the schema. */
void
ml_design_save(const MlDesign *design, MlBuffer *out)
{
	ml_put_u32(out, design->n_columns);
	for (uint32_t c = 0; c < design->n_columns; c++)
	{
		ml_put_u32(out, design->columns[c].feature);
		ml_put_u32(out, (uint32_t) design->columns[c].level);
		ml_put_f64(out, design->columns[c].mean);
		ml_put_f64(out, design->columns[c].scale);
	}
}

/* Read n columns; the numbers in them are finite. */
static MlStatus
load_columns(MlReader *in, MlDesignColumn *columns, uint32_t n)
{
	for (uint32_t c = 0; c < n; c++)
	{
		columns[c].feature = ml_get_u32(in);
		columns[c].level = (int32_t) ml_get_u32(in);
		columns[c].mean = ml_get_f64(in);
		columns[c].scale = ml_get_f64(in);
		if (!isfinite(columns[c].mean) || !isfinite(columns[c].scale) || !(columns[c].scale > 0))
			return ml_corrupt(in->env, "design: mean or scale");
	}
	return ml_reader_check(in, "design columns");
}

/* True when the columns stand as ml_design_fit orders them: numbers, indicators, levels. */
static bool
well_ordered(const MlSchema *schema, const MlDesignColumn *columns, uint32_t n)
{
	uint32_t c = 0, least = 0;

	for (uint32_t j = 0; j < schema->n_features; j++)
		if (!schema->features[j].categorical)
		{
			if (c == n || columns[c].feature != j || columns[c].level != ML_DESIGN_NUMBER)
				return false;
			c++;
		}
	for (; c < n; c++)
	{
		const MlFeature *feature;

		if (columns[c].feature >= schema->n_features)
			return false;
		feature = &schema->features[columns[c].feature];
		if (feature->categorical)
			break;
		if (columns[c].feature < least || columns[c].level != ML_DESIGN_MISSING)
			return false;
		least = columns[c].feature + 1;
	}
	for (least = 0; c < n; c++)
	{
		const MlFeature *feature;

		if (columns[c].feature >= schema->n_features || columns[c].feature < least)
			return false;
		least = columns[c].feature;
		feature = &schema->features[least];
		if (!feature->categorical ||
			(columns[c].level != ML_DESIGN_MISSING &&
			 (columns[c].level < 0 || (uint32_t) columns[c].level >= feature->n_levels)))
			return false;
	}
	return true;
}

/* Read a design from hostile bytes. */
MlStatus
ml_design_load(MlReader *in, MlArena *arena, const MlSchema *schema, MlDesign **design)
{
	uint32_t n = ml_get_count(in, 24);
	MlDesignColumn *columns;
	MlStatus status;

	ML_TRY(ml_reader_check(in, "design size"));
	columns = ml_alloc_array(in->env, ML_MAX(n, 1), sizeof(*columns));
	if (!columns)
		return ML_ENOMEM;
	status = load_columns(in, columns, n);
	if (status == ML_OK && !well_ordered(schema, columns, n))
		status = ml_corrupt(in->env, "design: order of columns");
	if (status == ML_OK)
		status = ml_design_make(arena, schema, columns, n, design);
	ml_free(in->env, columns);
	return status;
}
