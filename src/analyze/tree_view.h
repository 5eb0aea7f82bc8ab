/*
 * tree_view.h
 *		A tree of a model, told in JSON.
 */
#ifndef MLPLAT_TREE_VIEW_H
#define MLPLAT_TREE_VIEW_H

#include "analyze/inspect.h"

#define MLPLAT_TREE_DEPTH 4 /* as deep as a drawing goes unless more is asked for */

typedef struct MlplatTreeWish
{
	int number;
	int max_depth; /* nodes below it are left out */
} MlplatTreeWish;

/* Write the member "tree" (plot/page_tree.c); nothing for models without trees. Throws when there is no such tree. */
extern void mlplat_write_tree(MlplatInspected *inspected, const MlplatTreeWish *wish,
							  MlJsonWriter *w);

#endif
