/*
 * info.c
 *		Parts of the INFO section that trained and imported models share.
 */
#include <stdlib.h>

#include "model/info.h"

#define MAX_IMPORTANCE 10000 /* features listed in the facts */

typedef struct Ranked
{
	double gain;
	uint32_t feature;
} Ranked;

/* Greater gain first, then the earlier feature. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain < y->gain ? 1 : -1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

MlStatus
ml_info_importance(MlArena *temp, const MlModel *model, MlJsonWriter *w)
{
	const MlSchema *schema = ml_model_features(model);
	uint32_t p = schema->n_features;
	double *gain, sum = 0;
	Ranked *ranked;

	if (!model->algo->importance)
		return ML_OK;
	gain = ml_arena_array(temp, p, sizeof(double));
	ranked = ml_arena_array(temp, p, sizeof(Ranked));
	if (!gain || !ranked)
		return ML_ENOMEM;
	model->algo->importance(model->fitted, gain);
	for (uint32_t j = 0; j < p; j++)
	{
		ranked[j] = (Ranked){gain[j], j};
		sum += gain[j];
	}
	qsort(ranked, p, sizeof(Ranked), compare_ranked);
	ml_json_open(w, "importance", '[');
	for (uint32_t j = 0; j < ML_MIN(p, (uint32_t) MAX_IMPORTANCE); j++)
	{
		ml_json_open(w, NULL, '{');
		ml_json_text(w, "feature", schema->features[ranked[j].feature].name);
		ml_json_number(w, "gain", sum > 0 ? ranked[j].gain / sum : 0);
		ml_json_close(w, '}');
	}
	ml_json_close(w, ']');
	return ML_OK;
}
