/*
 * registry.c
 *		The list of algorithms, made from algolist.h.
 */
#include <string.h>

#include "algo/algo.h"

#define ML_ALGORITHM(name) extern const MlAlgo name;
#include "algo/algolist.h"
#undef ML_ALGORITHM

#define ML_ALGORITHM(name) &name,
const MlAlgo *const ml_algorithms[] = {
#include "algo/algolist.h"
	NULL};
#undef ML_ALGORITHM

/* The algorithm of that name, or NULL. */
const MlAlgo *
ml_algo_find(const char *name)
{
	for (const MlAlgo *const *algo = ml_algorithms; *algo; algo++)
	{
		if (strcmp((*algo)->name, name) == 0)
			return *algo;
	}
	return NULL;
}

/* What 'auto' stands for: boosting, as it wins on most tables; else the first that does the task. */
const MlAlgo *
ml_algo_default(MlTask task)
{
	const MlAlgo *boosting = ml_algo_find("gbdt");

	if (boosting && (boosting->tasks & ML_TASK_BIT(task)))
		return boosting;
	for (const MlAlgo *const *algo = ml_algorithms; *algo; algo++)
	{
		if ((*algo)->tasks & ML_TASK_BIT(task))
			return *algo;
	}
	return NULL;
}
