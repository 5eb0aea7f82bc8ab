/*
 * dataset.c
 *		Features, target and weights of a frame, as algorithms read them.
 *
 * Everything is read in blocks of rows of one column, so that the frame tests
 * the width once a block. Date parts are taken here, from the raw slot.
 */
#include <math.h>

#include "data/dataset.h"
#include "data/prep/prep.h"

/* Rows that a function reads at once into its own stack. */
#define TILE 256

/* The name of a task as options and views show it. */
const char *
ml_task_name(MlTask task)
{
	static const char *const names[ML_N_TASKS] = {"regression", "classification", "clustering",
												  "anomaly", "decomposition"};

	return names[task];
}

/* rows[first..first+n-1] of a column of the frame. */
static void
read_column(const MlDataset *data, uint32_t column, const MlRows *rows, size_t first, size_t n,
			double *out)
{
	if (rows->index)
		ml_frame_gather(data->frame, column, rows->index + first, n, out);
	else
		ml_frame_read(data->frame, column, first, n, out);
}

/* A feature of rows[first..first+n-1]. */
void
ml_dataset_feature(const MlDataset *data, uint32_t feature, const MlRows *rows, size_t first,
				   size_t n, double *out)
{
	const MlFeature *source = &data->schema->features[feature];

	if (data->view)
	{
		ml_prep_view_feature(data->view, feature, rows, first, n, out);
		return;
	}
	read_column(data, source->slot, rows, first, n, out);
	if (source->part != ML_PART_VALUE)
		for (size_t i = 0; i < n; i++)
			out[i] = ml_date_part(source->part, out[i]);
}

/* The position of a value among n ascending ones of which it is one. */
static size_t
position(const double *values, size_t n, double value)
{
	size_t low = 0;

	while (n > 1)
	{
		size_t half = n / 2;

		low += values[low + half] <= value ? half : 0;
		n -= half;
	}
	return low;
}

/* The target of rows[first..first+n-1]: the value, or the class. NaN stays. */
void
ml_dataset_target(const MlDataset *data, const MlRows *rows, size_t first, size_t n, double *out)
{
	read_column(data, (uint32_t) data->target_column, rows, first, n, out);
	if (data->class_value)
		for (size_t i = 0; i < n; i++)
			if (out[i] == out[i])
				out[i] = (double) position(data->class_value, data->n_classes, out[i]);
	if (data->class_of)
		for (size_t i = 0; i < n; i++)
			if (out[i] >= 0)
				out[i] = data->class_of[(size_t) out[i]];
}

/* Multiply the weights of rows[first..first+n-1] by the factors of their classes. */
static void
weigh_classes(const MlDataset *data, const MlRows *rows, size_t first, size_t n, double *out)
{
	double class[TILE];

	for (size_t at = 0; at < n; at += TILE)
	{
		size_t m = ML_MIN(n - at, TILE);

		ml_dataset_target(data, rows, first + at, m, class);
		for (size_t i = 0; i < m; i++)
			if (class[i] >= 0)
				out[at + i] *= data->class_weight[(size_t) class[i]];
	}
}

/* The weights of rows[first..first+n-1], class weights included; ones when there are none. */
void
ml_dataset_weight(const MlDataset *data, const MlRows *rows, size_t first, size_t n, double *out)
{
	if (data->weight_column >= 0)
		read_column(data, (uint32_t) data->weight_column, rows, first, n, out);
	else
		for (size_t i = 0; i < n; i++)
			out[i] = 1;
	if (data->class_weight && data->target_column >= 0)
		weigh_classes(data, rows, first, n, out);
}

/* Feature vectors of rows[first..first+n-1], row-major. */
void
ml_dataset_block(const MlDataset *data, const MlRows *rows, size_t first, size_t n, double *out)
{
	size_t n_features = data->schema->n_features;
	double column[TILE];

	if (data->view)
	{
		ml_prep_view_block(data->view, rows, first, n, out);
		return;
	}
	for (size_t at = 0; at < n; at += TILE)
	{
		size_t m = ML_MIN(n - at, TILE);
		double *tile = out + at * n_features;

		for (uint32_t j = 0; j < n_features; j++)
		{
			ml_dataset_feature(data, j, rows, first + at, m, column);
			for (size_t i = 0; i < m; i++)
				tile[i * n_features + j] = column[i];
		}
	}
}
