/*
 * fit.c
 *		Fitting a model: the recipe for the columns, then the algorithm on what it makes.
 *
 * Every fit goes through here, be it for the hold-out, a fold, a candidate or the
 * model itself, so that a recipe only ever sees the rows that the algorithm is
 * trained on.
 */
#include "model/model.h"

MlStatus
ml_model_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report,
			 MlModel *model)
{
	MlFitInput prepared = *input;
	MlDataset seen = *input->data;
	MlPrepView view = {0};
	MlStatus status;

	if (!input->data->plan)
		return model->algo->fit(env, arena, input, report, &model->fitted);
	status = ml_prep_fit(arena, input->data->plan, input->data, &input->train, input->seed, &view);
	if (status == ML_OK)
	{
		model->prep = (MlPrep *) view.prep;
		seen.schema = view.prep->schema;
		seen.plan = NULL;
		seen.view = &view;
		prepared.data = &seen;
		status = model->algo->fit(env, arena, &prepared, report, &model->fitted);
	}
	ml_prep_view_free(&view);
	return status;
}
