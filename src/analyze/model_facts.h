/*
 * model_facts.h
 *		The facts of a model as one JSON object, for the report and the plots.
 */
#ifndef MLPLAT_MODEL_FACTS_H
#define MLPLAT_MODEL_FACTS_H

#include "analyze/inspect.h"
#include "analyze/tree_view.h"

/* Write them into json, whose environment is that of the inspection. tree: which one is among them; NULL: none. */
extern void mlplat_model_facts(MlplatInspected *inspected, const MlplatTreeWish *tree,
							   MlBuffer *json);

#endif
