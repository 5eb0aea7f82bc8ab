/*
 * knn_image.c
 *		The bytes of nearest neighbours: the points in their order.
 */
#include <math.h>

#include "algo/knn/knn.h"

#define PIECE 65536 /* values written between two polls */

/* ---- writing */

/* Write n values of 4 bytes, which may be many: a cancel ends it. */
static void
put_words(MlBuffer *out, const void *values, size_t n, bool floats)
{
	for (size_t at = 0; at < n && out->status == ML_OK; at += PIECE)
	{
		size_t m = ML_MIN(n - at, (size_t) PIECE);

		if (floats)
			ml_put_f32_array(out, (const float *) values + at, m);
		else
			ml_put_u32_array(out, (const uint32_t *) values + at, m);
		if (out->status == ML_OK)
			out->status = ml_poll(out->env);
	}
}

/* Design, flags, points, targets, weights. */
void
ml_knn_save(const void *fitted, MlBuffer *out)
{
	const MlKnnModel *model = fitted;
	size_t cells = (size_t) model->n_blocks * KNN_BLOCK;

	ml_design_save(model->design, out);
	ml_put_u32(out, model->n_neighbors);
	ml_put_u8(out, (uint8_t) model->distance);
	ml_put_u8(out, model->by_distance);
	ml_put_u8(out, model->scale);
	ml_put_u8(out, model->weight != NULL);
	ml_put_u32(out, model->n_classes);
	ml_put_u32(out, model->n);
	put_words(out, model->x, cells * model->design->n_dense, true);
	put_words(out, model->columns, cells * model->design->n_factors, false);
	put_words(out, model->row, model->n, false);
	if (model->n_classes == 0)
		ml_put_f64_array(out, model->value, model->n);
	else
		put_words(out, model->class, model->n, false);
	if (model->weight)
		put_words(out, model->weight, model->n, true);
}

/* ---- reading */

/* The part of the model before the points. */
static MlStatus
load_head(MlReader *in, MlKnnModel *model, uint32_t n_outputs, bool *weighted)
{
	uint8_t distance, by_distance, scale, weights;

	model->n_neighbors = ml_get_u32(in);
	distance = ml_get_u8(in);
	by_distance = ml_get_u8(in);
	scale = ml_get_u8(in);
	weights = ml_get_u8(in);
	model->n_classes = ml_get_u32(in);
	model->n = ml_get_u32(in);
	ML_TRY(ml_reader_check(in, "knn: head"));
	if (model->n_neighbors == 0 || model->n_neighbors > KNN_MAX_NEIGHBORS ||
		distance > KNN_MANHATTAN || by_distance > 1 || scale > 1 || weights > 1)
		return ml_corrupt(in->env, "knn: options");
	if (model->n_classes == 1 || (model->n_classes > 2 ? model->n_classes : 1) != n_outputs)
		return ml_corrupt(in->env, "knn: number of classes");
	if (model->design->n_dense > KNN_MAX_COLUMNS || model->design->n_factors > KNN_MAX_COLUMNS)
		return ml_corrupt(in->env, "knn: number of columns");
	/* A point takes 8 bytes at least. */
	if (model->n == 0 || model->n > (in->len - in->pos) / 8)
		return ml_corrupt(in->env, "knn: number of points");
	model->distance = (MlKnnDistance) distance;
	model->by_distance = by_distance;
	model->scale = scale;
	model->n_blocks = (model->n - 1) / KNN_BLOCK + 1;
	*weighted = weights;
	return ML_OK;
}

/* Every value that the search uses is checked here; the order is not: any is right. */
static MlStatus
check_points(MlReader *in, const MlKnnModel *model)
{
	size_t cells = (size_t) model->n_blocks * KNN_BLOCK;

	for (size_t i = 0; i < cells * model->design->n_dense; i++)
		if (!(fabsf(model->x[i]) <= (float) KNN_FAR))
			return ml_corrupt(in->env, "knn: a coordinate");
	for (uint32_t i = 0; i < model->n; i++)
	{
		if (model->value && !isfinite(model->value[i]))
			return ml_corrupt(in->env, "knn: a target");
		if (model->class && model->class[i] >= model->n_classes)
			return ml_corrupt(in->env, "knn: a class");
		if (model->weight && !(model->weight[i] > 0 && model->weight[i] <= 3e38f))
			return ml_corrupt(in->env, "knn: a weight");
	}
	return ML_OK;
}

/* Read a model from hostile bytes. */
MlStatus
ml_knn_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **out)
{
	MlKnnModel *model = ml_arena_alloc(arena, sizeof(*model));
	MlDesign *design;
	bool weighted = false;
	size_t cells;

	if (!model)
		return ML_ENOMEM;
	ML_TRY(ml_design_load(in, arena, schema, &design));
	model->design = design;
	ML_TRY(load_head(in, model, n_outputs, &weighted));
	cells = (size_t) model->n_blocks * KNN_BLOCK;
	model->x = ml_get_f32_array(in, arena, cells * design->n_dense);
	model->columns = ml_get_u32_array(in, arena, cells * design->n_factors);
	model->row = ml_get_u32_array(in, arena, model->n);
	if (model->n_classes == 0)
		model->value = ml_get_f64_array(in, arena, model->n);
	else
		model->class = ml_get_u32_array(in, arena, model->n);
	if (weighted)
		model->weight = ml_get_f32_array(in, arena, model->n);
	ML_TRY(ml_reader_check(in, "knn: points"));
	ML_TRY(check_points(in, model));
	ML_TRY(ml_knn_index(in->env, arena, model));
	*out = model;
	return ML_OK;
}
