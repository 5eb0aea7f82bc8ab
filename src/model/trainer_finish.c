/*
 * trainer_finish.c
 *		From collected rows to an image: classes, hold-out, fit, evaluation, facts.
 *
 * The hold-out is never shown to the algorithm, not even for early stopping
 * (an algorithm that stops early keeps a share of its training rows for that),
 * so that its metrics are honest.
 */
#include <math.h>
#include <string.h>

#include "metric/metric.h"
#include "model/compare.h"
#include "model/decision.h"
#include "model/evaluate.h"
#include "model/info.h"

/* One training after the rows are in. */
typedef struct Finish
{
	MlTrainer *trainer;
	MlEnv *env;
	MlArena *arena; /* the result's */
	MlArena temp;
	MlClasses classes;
	MlDataset data;
	MlSplitInput split;
	MlRows train, valid;
	MlComparison comparison;
	MlModel *model;
	const MlParams *params; /* of the model's algorithm */
	MlFitReport report;
	MlBuffer metrics, curves, decision;
} Finish;

/* ---- the dataset ---- */

/* The frame seen through its schema, classes found, rows split. */
static MlStatus
prepare_dataset(Finish *f, double holdout)
{
	MlTrainer *trainer = f->trainer;
	const MlSchema *schema = trainer->schema;
	size_t n = ml_frame_rows(trainer->frame);
	double *weights;

	ml_schema_seal(trainer->schema);
	f->data.schema = schema;
	f->data.plan = trainer->plan;
	f->data.frame = trainer->frame;
	f->data.target_column = trainer->target_at;
	f->data.weight_column = trainer->weight_at;
	f->data.task = f->classes.task;
	f->data.n_classes = f->classes.n;
	f->data.class_of = f->classes.class_of;
	f->data.class_value = f->classes.class_value;
	f->split = (MlSplitInput){
		.data = &f->data,
		.rows = {NULL, n},
		.seed = trainer->spec->seed,
		.group_column = trainer->group_at,
		.order_column = trainer->order_at,
		.group = trainer->spec->group_by,
		.order = trainer->spec->order_by,
	};
	f->data.labels = f->classes.labels;
	f->train.n = n;
	if (holdout > 0)
	{
		ML_TRY(ml_split_holdout(&f->temp, &f->split, holdout, &f->train, &f->valid));
		ML_TRY(ml_check_classes(f->env, &f->data, &f->train));
	}
	ML_TRY(ml_class_weights(&f->temp, trainer->spec, &f->classes, &f->data, &f->train, &weights));
	f->data.class_weight = weights;
	return ML_OK;
}

/* ---- fitting ---- */

/* The model but for what is fitted. */
static MlStatus
create_model(Finish *f)
{
	MlModel *model = ml_arena_alloc(f->arena, sizeof *model);

	if (!model)
		return ML_ENOMEM;
	model->algo = f->trainer->spec->algo;
	f->params = &f->trainer->spec->params;
	model->task = model->algo->prepares ? ML_DECOMPOSITION : f->classes.task;
	model->target = f->trainer->target;
	model->n_classes = model->algo->prepares ? 0 : f->classes.n;
	model->classes = f->classes.labels;
	model->n_outputs = model->n_classes > 2 ? model->n_classes : 1;
	model->schema = f->trainer->schema;
	model->threshold = ML_THRESHOLD_DEFAULT;
	f->model = model;
	return ML_OK;
}

/* Fit on some rows; the report is begun afresh. */
static MlStatus
fit_rows(Finish *f, const MlRows *rows)
{
	MlFitInput input = {
		.params = f->params,
		.data = &f->data,
		.train = *rows,
		.seed = f->trainer->spec->seed,
	};

	if (f->trainer->previous)
		input.previous = f->trainer->previous->fitted;
	f->report.summary.len = 0;
	f->report.log.len = 0;
	ml_phase(f->env, "fitting", 0, 0);
	return ml_model_fit(f->env, f->arena, &input, &f->report, f->model);
}

/* Calibration and threshold, learnt inside the rows. */
static MlStatus
decide(Finish *f, const MlRows *rows)
{
	MlFitInput input = {
		.params = f->params,
		.data = &f->data,
		.train = *rows,
		.seed = f->trainer->spec->seed,
	};
	MlSplitInput split = f->split;

	f->decision.len = 0;
	split.rows = *rows;
	return ml_decision_fit(f->arena, f->trainer->spec, &input, &split, f->model, &f->decision);
}

/* The name of the metric that scores, checked against the task. */
static MlStatus
choose_metric(Finish *f, const char **metric)
{
	bool classes = f->classes.task == ML_CLASSIFICATION;
	const char *wish = f->trainer->spec->metric;

	*metric = wish ? wish : classes ? "log_loss" : "rmse";
	if (!ml_metric_known(*metric, classes, f->classes.n))
	{
		ml_fail(f->env, ML_EINVAL, "metric \"%.64s\" is not one of %s", *metric,
				classes ? f->classes.n == 2 ? "binary classification" : "multiclass classification"
						: "regression");
		ml_hint(f->env, "For instance: %s.",
				classes ? f->classes.n == 2 ? "log_loss, roc_auc, accuracy, f1"
											: "log_loss, accuracy, f1"
						: "rmse, mae, r2");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* ---- the facts ---- */

/* An object or array whose members were written before. */
static void
put_members(MlJsonWriter *w, const char *key, const char *brackets, const MlBuffer *members)
{
	ml_json_open(w, key, brackets[0]);
	ml_put_bytes(w->out, members->data, members->len);
	ml_json_close(w, brackets[1]);
}

/* "validation": what the chosen parameters came to on folds of the training rows. */
static void
write_comparison(const Finish *f, MlJsonWriter *w)
{
	const MlComparison *c = &f->comparison;
	const MlTrainSpec *spec = f->trainer->spec;

	ml_json_open(w, "validation", '{');
	ml_json_number(w, "trials", (double) c->n);
	ml_json_number(w, "folds", c->n_folds);
	if (spec->group_by)
		ml_json_text(w, "group_by", spec->group_by);
	if (spec->order_by)
		ml_json_text(w, "order_by", spec->order_by);
	ml_json_number(w, "score", c->best->score);
	ml_json_number(w, "stddev", c->best->stddev);
	ml_json_open(w, "fold_scores", '[');
	for (uint32_t k = 0; k < c->n_folds; k++)
		ml_json_number(w, NULL, c->best->fold_scores[k]);
	ml_json_close(w, ']');
	ml_json_close(w, '}');
}

/* The INFO section: everything a reader of the registry wants to know, nothing that changes between runs. */
static MlStatus
write_info(Finish *f, MlTrainResult *result)
{
	const MlTrainSpec *spec = f->trainer->spec;
	MlJsonWriter w;

	ml_json_writer(&w, &result->info);
	ml_json_open(&w, NULL, '{');
	ml_json_text(&w, "algorithm", f->model->algo->name);
	ml_json_text(&w, "task", ml_task_name(f->model->task));
	if (f->trainer->target_at >= 0)
		ml_json_text(&w, "target", f->trainer->target);
	if (f->trainer->previous)
		ml_json_text(&w, "continue_from", f->trainer->previous_name);
	ml_json_number(&w, "rows", (double) result->rows);
	ml_json_number(&w, "dropped", (double) result->dropped);
	ml_json_number(&w, "holdout_rows", (double) result->valid_rows);
	ml_json_number(&w, "seed", (double) spec->seed);
	ml_json_open(&w, "classes", '[');
	for (uint32_t k = 0; k < f->model->n_classes; k++)
		ml_json_text(&w, NULL, f->classes.labels[k]);
	ml_json_close(&w, ']');
	if (f->model->prep)
		ml_prep_write(f->model->prep, &w, "prep");
	ml_params_write(f->params, &w, "params");
	if (f->comparison.best)
		write_comparison(f, &w);
	put_members(&w, "summary", "{}", &f->report.summary);
	if (f->decision.len > 0)
		put_members(&w, "decision", "{}", &f->decision);
	put_members(&w, "metrics", "{}", &f->metrics);
	put_members(&w, "curves", "{}", &f->curves);
	put_members(&w, "log", "[]", &f->report.log);
	if (result->metric)
	{
		ml_json_text(&w, "metric", result->metric);
		ml_json_number(&w, "score", result->score);
	}
	ML_TRY(ml_info_importance(&f->temp, f->model, &w));
	ml_json_close(&w, '}');
	ML_TRY(f->report.summary.status);
	ML_TRY(f->report.log.status);
	return result->info.status;
}

/* ---- the whole ---- */

/* Without a target there is no hold-out: the algorithm says how good the fit is. */
static void
take_own_score(const Finish *f, MlTrainResult *result)
{
	result->metric = f->report.metric;
	result->score = f->report.metric ? f->report.score : NAN;
}

/* The streaming way: the state becomes the model. */
static MlStatus
finish_stream(Finish *f, MlTrainResult *result)
{
	MlTrainer *trainer = f->trainer;

	f->classes.task = trainer->stream_input.task;
	if (f->classes.task == ML_CLASSIFICATION)
		ML_TRY(ml_target_classes(trainer, f->arena, &f->classes));
	if (trainer->target_at >= 0)
		ML_TRY(choose_metric(f, &result->metric));
	ml_schema_seal(trainer->schema);
	ML_TRY(create_model(f));
	ML_TRY(ml_stream_finish(trainer, f->arena, &f->classes, &f->report, &f->model->fitted));
	if (trainer->target_at < 0)
		take_own_score(f, result);
	return ML_OK;
}

/* The model to go on from must do the same task on the same classes. */
static MlStatus
check_previous(const Finish *f)
{
	const MlModel *previous = f->trainer->previous;
	bool same = previous->task == f->classes.task && previous->n_classes == f->classes.n;

	for (uint32_t k = 0; same && k < f->classes.n; k++)
		same = strcmp(previous->classes[k], f->classes.labels[k]) == 0;
	if (same)
		return ML_OK;
	return ml_fail(f->env, ML_EINVAL,
				   "model \"%.64s\" cannot be continued: %s has other classes than it had then",
				   f->trainer->previous_name, f->trainer->target_words);
}

/* Without a prediction: fit on all rows; the algorithm itself says how good the fit is. */
static MlStatus
finish_untargeted(Finish *f, MlTrainResult *result)
{
	ML_TRY(prepare_dataset(f, 0));
	ML_TRY(create_model(f));
	ML_TRY(fit_rows(f, &f->train));
	take_own_score(f, result);
	return ML_OK;
}

/* Compare candidates on the training rows; the best one gives the model its algorithm and parameters. */
static MlStatus
compare(Finish *f, MlTrainResult *result)
{
	MlCompareInput input = {f->trainer->spec, f->model, f->split, result->metric};
	MlJsonWriter w;

	input.split.rows = f->train;
	ML_TRY(ml_compare(&f->temp, &input, &f->comparison));
	if (!f->comparison.best)
		return ML_OK;
	f->model->algo = f->comparison.best->algo;
	f->params = &f->comparison.best->params;
	result->score = f->comparison.best->score;
	ml_json_writer(&w, &result->trials);
	ml_json_open(&w, NULL, '[');
	ml_compare_write(&f->comparison, &w);
	ml_json_close(&w, ']');
	return result->trials.status;
}

/* The resident way: split, compare, fit, evaluate, and fit again on all rows when asked to. */
static MlStatus
finish_frame(Finish *f, const MlTrainOptions *options, MlTrainResult *result)
{
	ML_TRY(ml_target_classes(f->trainer, f->arena, &f->classes));
	if (f->trainer->previous)
		ML_TRY(check_previous(f));
	if (f->trainer->target_at < 0 || f->trainer->spec->algo->prepares)
		return finish_untargeted(f, result);
	ML_TRY(choose_metric(f, &result->metric));
	ML_TRY(prepare_dataset(f, options->holdout));
	ML_TRY(create_model(f));
	if (options->compare && ml_compare_wanted(f->trainer->spec) && !f->trainer->previous)
		ML_TRY(compare(f, result));
	ML_TRY(decide(f, &f->train));
	ML_TRY(fit_rows(f, &f->train));
	result->valid_rows = f->valid.n;
	if (f->valid.n == 0)
		return ML_OK;
	ml_phase(f->env, "evaluating", 0, 0);
	ML_TRY(ml_evaluate(f->env, f->model, &f->data, &f->valid, &f->metrics, &f->curves));
	ML_TRY(ml_evaluate_read(f->env, &f->metrics, result->metric, &result->score));
	if (options->refit)
	{
		MlRows all = {NULL, ml_frame_rows(f->trainer->frame)};

		ML_TRY(fit_rows(f, &all));
	}
	return ML_OK;
}

/* Fit, evaluate, write the facts, encode. */
static MlStatus
finish(Finish *f, const MlTrainOptions *options, MlTrainResult *result)
{
	MlTrainer *trainer = f->trainer;

	if (trainer->rows == 0)
	{
		if (trainer->dropped > 0 && trainer->target_at < 0)
			return ml_fail(f->env, ML_EDATA,
						   "there is no row to train on: the weight is zero in all %zu rows",
						   trainer->dropped);
		if (trainer->dropped > 0)
			return ml_fail(f->env, ML_EDATA,
						   "there is no row to train on: %s is missing%s in all %zu rows",
						   trainer->target_words,
						   trainer->has_weight ? ", or the weight zero," : "", trainer->dropped);
		return ml_fail(f->env, ML_EDATA, "there is no row to train on: the query is empty");
	}
	result->rows = trainer->rows;
	result->dropped = trainer->dropped;
	result->score = NAN;
	ML_TRY(trainer->streaming ? finish_stream(f, result) : finish_frame(f, options, result));
	result->model = f->model;
	ML_TRY(write_info(f, result));
	return ml_image_encode(f->env, f->model, (const char *) result->info.data, result->info.len,
						   &result->image);
}

MlStatus
ml_trainer_finish(MlTrainer *trainer, MlArena *arena, const MlTrainOptions *options,
				  MlTrainResult *result)
{
	Finish f = {.trainer = trainer, .env = trainer->env, .arena = arena};
	MlStatus status;

	memset(result, 0, sizeof *result);
	ml_arena_init(&f.temp, f.env);
	ml_buffer_init(&f.report.summary, f.env);
	ml_buffer_init(&f.report.log, f.env);
	ml_buffer_init(&f.metrics, f.env);
	ml_buffer_init(&f.curves, f.env);
	ml_buffer_init(&f.decision, f.env);
	ml_buffer_init(&result->image, f.env);
	ml_buffer_init(&result->info, f.env);
	ml_buffer_init(&result->trials, f.env);
	status = finish(&f, options, result);
	ml_buffer_free(&f.report.summary);
	ml_buffer_free(&f.report.log);
	ml_buffer_free(&f.metrics);
	ml_buffer_free(&f.curves);
	ml_buffer_free(&f.decision);
	ml_arena_free(&f.temp);
	return status;
}
