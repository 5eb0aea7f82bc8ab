/*
 * modeljson.h
 *		A model as JSON, for people and programs: its inputs, how it predicts, and its facts.
 */
#ifndef ML_MODELJSON_H
#define ML_MODELJSON_H

#include "model/model.h"

/*
 * Append one object. info: the INFO section, which becomes its member "info". ML_EINVAL: the algorithm has neither
 * trees nor coefficients to tell.
 */
extern MlStatus ml_model_json(MlEnv *env, const MlModel *model, const char *info, size_t info_len,
							  MlBuffer *out);

#endif /* ML_MODELJSON_H */
