/*
 * model_rows.h
 *		The rows of a query as a model sees them, collected in a frame.
 */
#ifndef MLPLAT_MODEL_ROWS_H
#define MLPLAT_MODEL_ROWS_H

#include "model/model.h"

typedef struct MlplatModelRows
{
	MlFrame *frame; /* slots, then the target, then the weight */
	MlDataset data; /* over it, with the model's schema */
} MlplatModelRows;

/*
 * Run the query, and keep what the model reads of it, within env's budget and beyond in a temporary file, as in a
 * training. target: the column with the truth, NULL: not wanted; a label is its class. Rows whose target is NULL, or
 * no class of the model, are left out; so are those of weight zero. An error when there is no row. The caller
 * need not free the frame: it goes with the environment.
 */
extern MlplatModelRows *mlplat_read_model_rows(MlArena *arena, const MlModel *model,
											   const char *query, const char *target,
											   const char *weight);

#endif
