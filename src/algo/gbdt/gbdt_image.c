/*
 * gbdt_image.c
 *		Boosted trees as bytes, and back from bytes that nobody vouches for.
 *
 * The loss, then the ensemble. A model of several ensembles (see GbdtModel) is
 * marked by a bit of the loss, and has the number of the others before the first.
 */
#include "algo/gbdt/gbdt.h"

#define SEVERAL 0x80       /* bit of the loss */
#define ENSEMBLE_BYTES 12u /* of the smallest: features, outputs, trees */

void
ml_gbdt_save(const void *model, MlBuffer *out)
{
	const GbdtModel *gbdt = model;

	ml_put_u8(out, (uint8_t) (gbdt->loss | (gbdt->n_more > 0 ? SEVERAL : 0)));
	if (gbdt->n_more > 0)
		ml_put_u32(out, gbdt->n_more);
	ml_trees_save(gbdt->trees, out);
	for (uint32_t i = 0; i < gbdt->n_more; i++)
		ml_trees_save(gbdt->more[i], out);
}

static MlStatus
load_ensemble(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
			  MlTreeEnsemble **ensemble)
{
	ML_TRY(ml_trees_load(in, arena, schema, n_outputs, ensemble));
	return ml_trees_prepare(arena, *ensemble);
}

MlStatus
ml_gbdt_load(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs, void **model)
{
	GbdtModel *gbdt = ml_arena_alloc(arena, sizeof(*gbdt));
	uint8_t loss = ml_get_u8(in);

	if (!gbdt)
		return ML_ENOMEM;
	if (loss & SEVERAL)
		gbdt->n_more = ml_get_count(in, ENSEMBLE_BYTES);
	loss &= (uint8_t) ~SEVERAL;
	if (in->failed || loss >= GBDT_LOSSES || (n_outputs > 1) != (loss == GBDT_SOFTMAX))
		return ml_corrupt(in->env, "loss of the boosted trees");
	if (gbdt->n_more > 0 && n_outputs > GBDT_MAX_OUTPUTS)
		return ml_corrupt(in->env, "number of outputs of the boosted trees");
	gbdt->loss = (GbdtLoss) loss;
	ML_TRY(load_ensemble(in, arena, schema, n_outputs, &gbdt->trees));
	gbdt->more = ml_arena_array(arena, gbdt->n_more, sizeof(*gbdt->more));
	if (!gbdt->more)
		return ML_ENOMEM;
	for (uint32_t i = 0; i < gbdt->n_more; i++)
		ML_TRY(load_ensemble(in, arena, schema, n_outputs, &gbdt->more[i]));
	*model = gbdt;
	return ML_OK;
}
