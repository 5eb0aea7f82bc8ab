/*
 * tree_rule.h
 *		What the splits of a tree say about rows, in words.
 */
#ifndef MLPLAT_TREE_RULE_H
#define MLPLAT_TREE_RULE_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "model/model.h"

/* The nodes of one tree. */
typedef struct MlplatTree
{
	const MlModel *model;
	int number;
	MlNode *nodes;   /* copies; node i is at place i */
	int (*child)[2]; /* by node: to the left and to the right */
	int n, room;
} MlplatTree;

/* The condition that leads from its parent to node i: "age <= 30 or age is null". NULL: the root. */
extern char *mlplat_tree_condition(const MlplatTree *tree, int i);

/*
 * The same for a drawing: numbers rounded, and not whether missing values come along. "age <= 30".
 */
extern char *mlplat_tree_brief(const MlplatTree *tree, int i);

/* All conditions from the root to node i, those on one feature taken together; "true" for the root. */
extern char *mlplat_tree_path(const MlplatTree *tree, int i);

#endif
