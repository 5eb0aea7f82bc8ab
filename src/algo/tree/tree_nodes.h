/*
 * tree_nodes.h
 *		The nodes of an ensemble, one by one, for the views of trees.
 */
#ifndef ML_TREE_NODES_H
#define ML_TREE_NODES_H

#include "algo/algo.h"
#include "algo/tree/tree.h"

/* All nodes, tree by tree, parents before children; the value of a leaf is what it adds to the raw output. */
extern MlStatus ml_trees_nodes(MlEnv *env, const MlTreeEnsemble *ensemble, MlNodeFn emit,
							   void *arg);

#endif /* ML_TREE_NODES_H */
