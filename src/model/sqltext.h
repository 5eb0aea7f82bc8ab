/*
 * sqltext.h
 *		A model as an expression of SQL, for servers without this extension.
 */
#ifndef ML_SQLTEXT_H
#define ML_SQLTEXT_H

#include "model/model.h"

/*
 * Append a scalar expression over the columns that the model's inputs are called: the value of a regression,
 * P(class 1) of two classes, or the probability of class k. ML_EINVAL says why there is none.
 */
extern MlStatus ml_sql_text(MlEnv *env, const MlModel *model, uint32_t k, MlBuffer *out);

#endif /* ML_SQLTEXT_H */
