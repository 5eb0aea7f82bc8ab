/*
 * site.h
 *		A call site of predict: which model it uses, and how it reads its rows.
 *
 * A site lives in fn_extra, so per row there is neither a catalog look-up, nor a
 * detoasting, nor a decoding, nor a name to match.
 */
#ifndef MLPLAT_SITE_H
#define MLPLAT_SITE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fmgr.h"

#include "model/model.h"
#include "serve/site_models.h"

/*
 * The model of argument 0 (text or bytea) and the row of argument 1 (record, jsonb, float8[], or names
 * and VARIADIC "any" columns). Returns the probabilities of all classes, or the value in [0]; NULL when
 * the model argument or the whole row is NULL. *model is valid for the call.
 */
extern const double *mlplat_site_predict(FunctionCallInfo fcinfo, const MlModel **model);

/* The same as the features that the algorithm sees, before the prediction. */
extern const double *mlplat_site_features(FunctionCallInfo fcinfo, const MlModel **model);

/* After mlplat_site_predict: is argument 2 a label or threshold? Of the faces over columns it is a column. */
extern bool mlplat_site_has_label(FunctionCallInfo fcinfo);

/* The model of argument 0, bound to rows like desc; NULL when it is NULL. Stays until the end of the call. */
extern MlplatSiteModel *mlplat_site_open(FunctionCallInfo fcinfo, TupleDesc desc);

/* The prediction for one of these rows. */
extern const double *mlplat_site_predict_values(const MlplatSiteModel *sited, const Datum *values,
												const bool *nulls);

#endif
