/*
 * report.h
 *		The report page of a model: one self-contained HTML document.
 *
 * The facts are a JSON object, so that the page does not know where they come
 * from: name, version, created, owner, query, target, task, algorithm,
 * algorithm_summary, rows, dropped, holdout_rows, seconds, image_bytes, active,
 * metric, score, params {}, summary {}, metrics {}, curves {} (see metric.h),
 * log [{"iteration":1,"loss":..,"valid_loss":..}], importance [{"feature","gain"}],
 * coefficients [{"feature","class","value","std_error","statistic","p_value"}],
 * classes [], features [{"name","type","kind"}], history [{"version","score","created","active"}].
 * Every member may be missing: the page leaves its part out, or says why.
 */
#ifndef ML_REPORT_H
#define ML_REPORT_H

#include "core/json.h"

extern MlStatus ml_report_html(MlEnv *env, const MlJson *facts, MlBuffer *out);

#endif /* ML_REPORT_H */
