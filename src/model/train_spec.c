/*
 * train_spec.c
 *		The options of a training: one flat JSON object, checked against two tables.
 *
 * The common options stand here; the rest belongs to the algorithm that is
 * named among them. An option that neither table has is an error that names the
 * nearest one.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/folds.h"
#include "metric/metric.h"
#include "model/decision.h"

const MlParam ml_train_params[] = {
	[ML_TRAIN_ALGORITHM] =
		{"algorithm", ML_PARAM_TEXT, "\"auto\"", 0, 0, NULL,
		 "Name of the algorithm, or auto: create_model compares several; train takes boosting."},
	[ML_TRAIN_TASK] = {"task", ML_PARAM_CHOICE, "\"auto\"", 0, 0,
					   "auto|regression|classification|clustering|anomaly|decomposition",
					   "What to learn; auto: text and boolean targets, and integers with two "
					   "distinct values, are classes."},
	[ML_TRAIN_POSITIVE] = {"positive", ML_PARAM_TEXT, "null", 0, 0, NULL,
						   "Label of the positive class of a binary target; default: true, or the "
						   "greater label."},
	[ML_TRAIN_SEED] = {"seed", ML_PARAM_INT, "0", 0, 9007199254740992.0, NULL,
					   "Seed of everything random: same seed, rows and order, same image."},
	[ML_TRAIN_EXCLUDE] = {"exclude", ML_PARAM_JSON, "null", 0, 0, NULL,
						  "Array of columns that are not features."},
	[ML_TRAIN_WEIGHT] = {"weight", ML_PARAM_TEXT, "null", 0, 0, NULL,
						 "Column with the weight of each row, zero or more."},
	[ML_TRAIN_CLASS_WEIGHT] =
		{"class_weight", ML_PARAM_JSON, "\"none\"", 0, 0, NULL,
		 "The word balanced: each class weighs the same in total; or an object with "
		 "the weight of each class: {\"late\": 5}; none."},
	[ML_TRAIN_PREP] = {"prep", ML_PARAM_JSON, "null", 0, 0, NULL,
					   "How columns are read and prepared, by name: {\"age\": {\"impute\": "
					   "\"median\", \"scale\": \"standard\"}, \"*\": {...}}; the steps are listed "
					   "as parameters of prep."},
	[ML_TRAIN_METRIC] = {"metric", ML_PARAM_TEXT, "null", 0, 0, NULL,
						 "Metric that scores the hold-out; default: log_loss for classes, rmse for "
						 "numbers."},
	[ML_TRAIN_REFIT] = {"refit", ML_PARAM_BOOL, "false", 0, 0, NULL,
						"After the evaluation on a hold-out, train once more on all rows."},
	[ML_TRAIN_CALIBRATION] = {"calibration", ML_PARAM_CHOICE, "\"none\"", 0, 0,
							  "none|platt|isotonic",
							  "Make probabilities of classes agree with frequencies, by a sigmoid "
							  "or a step function learnt on held-out training rows."},
	[ML_TRAIN_CALIBRATION_FOLDS] = {"calibration_folds", ML_PARAM_INT, "0", 0, 20, NULL,
									"Folds of the training rows that calibration and threshold "
									"are learnt on, each predicted by a model of the others; 1: a "
									"fifth, once; 0: 5, or 1 when each class has 5,000 rows."},
	[ML_TRAIN_THRESHOLD] = {"threshold", ML_PARAM_JSON, "null", 0, 0, NULL,
							"Probability above which a row is of the positive class of two: a "
							"number, or what it shall be best for on held-out training rows: "
							"accuracy, balanced_accuracy, f1, mcc, youden, or the costs of errors: "
							"{\"fp\": 1, \"fn\": 5}; default: 0.5."},
	[ML_TRAIN_GROUP_BY] =
		{"group_by", ML_PARAM_TEXT, "null", 0, 0, NULL,
		 "Of create_model: column whose groups the hold-out and folds keep together."},
	[ML_TRAIN_ORDER_BY] =
		{"order_by", ML_PARAM_TEXT, "null", 0, 0, NULL,
		 "Of create_model: column of times; the hold-out and folds are later than "
		 "what is trained on."},
	[ML_TRAIN_FOLDS] =
		{"folds", ML_PARAM_INT, "0", 0, ML_MAX_FOLDS, NULL,
		 "Of create_model: folds of the training rows for cross-validation; 0: none."},
	[ML_TRAIN_SEARCH] = {"search", ML_PARAM_JSON, "null", 0, 0, NULL,
						 "Of create_model: values of the algorithm's parameters to choose from: "
						 "{\"max_leaves\": [15, 31], \"learning_rate\": {\"min\": 0.01, "
						 "\"max\": 0.3, \"log\": true}, \"method\": \"random\", "
						 "\"n_trials\": 20}."},
	[ML_TRAIN_TIME_BUDGET] = {"time_budget", ML_PARAM_REAL, "null", 0, 1e9, NULL,
							  "Of create_model: seconds for comparing candidates; default: 60 for "
							  "auto, else no limit."},
	{NULL},
};

/* The algorithm that the options name, after looking for nothing else: its table is needed to read them. */
static MlStatus
find_algorithm(MlArena *arena, const MlJson *options, const MlAlgo **algo)
{
	const MlJson *name = options ? ml_json_get(options, "algorithm") : NULL;
	const char *names[64];
	const char *near;
	size_t n = 0;

	if (!name || name->type != ML_JSON_STRING || strcmp(name->string, "auto") == 0)
	{
		/* A wrong type is reported by the table. */
		*algo = ml_algo_default(ML_REGRESSION);
		return ML_OK;
	}
	*algo = ml_algo_find(name->string);
	if (*algo)
		return ML_OK;
	for (const MlAlgo *const *a = ml_algorithms; *a && n < 64; a++)
		names[n++] = (*a)->name;
	near = ml_nearest(name->string, names, n);
	ml_fail(arena->env, ML_EINVAL, "unknown algorithm \"%.64s\"", name->string);
	if (near)
		ml_hint(arena->env, "Did you mean \"%s\"? The view mlplat.algorithms lists them all.",
				near);
	else
		ml_hint(arena->env, "The view mlplat.algorithms lists them all.");
	return ML_EINVAL;
}

/* Names in an array of text; checks the type. */
static MlStatus
check_exclude(MlEnv *env, const MlJson *exclude)
{
	if (!exclude || exclude->type == ML_JSON_NULL)
		return ML_OK;
	if (exclude->type != ML_JSON_ARRAY)
		return ml_fail(env, ML_EINVAL,
					   "option \"exclude\" must be an array of column names, not %s",
					   ml_json_type_name(exclude->type));
	for (size_t i = 0; i < exclude->n; i++)
	{
		if (exclude->items[i].type != ML_JSON_STRING)
			return ml_fail(env, ML_EINVAL, "option \"exclude\" must hold column names, not %s",
						   ml_json_type_name(exclude->items[i].type));
	}
	return ML_OK;
}

/* How rows are split and what is compared on them. */
static MlStatus
read_validation(MlEnv *env, MlTrainSpec *spec)
{
	const MlParams *p = &spec->common;
	const MlParamValue *search = &p->values[ML_TRAIN_SEARCH];

	spec->group_by = ml_param_text(p, ML_TRAIN_GROUP_BY);
	spec->order_by = ml_param_text(p, ML_TRAIN_ORDER_BY);
	spec->folds = (uint32_t) ml_param_int(p, ML_TRAIN_FOLDS);
	spec->search = search->null ? NULL : search->json;
	spec->time_budget =
		p->values[ML_TRAIN_TIME_BUDGET].null ? NAN : ml_param_real(p, ML_TRAIN_TIME_BUDGET);
	if (spec->folds == 1)
		return ml_fail(env, ML_EINVAL, "option \"folds\" must be 0 or at least 2, not 1");
	if (spec->time_budget == 0)
		return ml_fail(env, ML_EINVAL, "option \"time_budget\" must be more than 0 seconds");
	if (spec->group_by && spec->order_by)
	{
		ml_fail(env, ML_EINVAL, "options \"group_by\" and \"order_by\" exclude each other");
		ml_hint(env, "Rows are kept together by group, or split in the order of time.");
		return ML_EINVAL;
	}
	return ML_OK;
}

MlStatus
ml_train_spec_plain(MlEnv *env, const MlTrainSpec *spec)
{
	for (int i = ML_TRAIN_GROUP_BY; i <= ML_TRAIN_TIME_BUDGET; i++)
	{
		if (!spec->common.values[i].given)
			continue;
		ml_fail(env, ML_EINVAL, "option \"%s\" is for create_model only", ml_train_params[i].name);
		ml_hint(env, "The aggregate trains on all its rows and compares nothing.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* A metric that some task has; whether it is this task's is seen when the task is known. */
static MlStatus
check_metric(MlEnv *env, const char *metric)
{
	if (!metric || ml_metric_known(metric, false, 0) || ml_metric_known(metric, true, 2) ||
		ml_metric_known(metric, true, 3))
		return ML_OK;
	ml_fail(env, ML_EINVAL, "there is no metric \"%.64s\"", metric);
	ml_hint(env, "Metrics are rmse, mae and r2 of numbers, log_loss, accuracy and f1 of classes, "
				 "roc_auc of two classes, and others.");
	return ML_EINVAL;
}

/* Read and check all options; what cannot be checked without the data is left to the trainer. */
MlStatus
ml_train_spec_parse(MlArena *arena, const MlJson *options, MlTrainSpec **out)
{
	MlTrainSpec *spec = ml_arena_alloc(arena, sizeof *spec);
	const MlParam *tables[2];
	MlParams parsed[2];
	MlPrepSpec *prep;

	if (!spec)
		return ML_ENOMEM;
	if (options && options->type != ML_JSON_OBJECT)
		return ml_fail(arena->env, ML_EINVAL, "the options must be an object, not %s",
					   ml_json_type_name(options->type));
	ML_TRY(find_algorithm(arena, options, &spec->algo));
	tables[0] = ml_train_params;
	tables[1] = spec->algo->params;
	ML_TRY(ml_params_parse(arena, spec->algo->name, tables, 2, options, parsed));
	spec->common = parsed[0];
	spec->params = parsed[1];
	spec->is_auto = strcmp(ml_param_text(&spec->common, ML_TRAIN_ALGORITHM), "auto") == 0;
	spec->auto_task = strcmp(ml_param_text(&spec->common, ML_TRAIN_TASK), "auto") == 0;
	if (!spec->auto_task) /* the words are auto and then the tasks, in their order */
		spec->task = (MlTask) (ml_param_int(&spec->common, ML_TRAIN_TASK) - 1);
	spec->positive = ml_param_text(&spec->common, ML_TRAIN_POSITIVE);
	spec->seed = (uint64_t) ml_param_real(&spec->common, ML_TRAIN_SEED);
	spec->exclude = spec->common.values[ML_TRAIN_EXCLUDE].json;
	spec->weight = ml_param_text(&spec->common, ML_TRAIN_WEIGHT);
	spec->class_weight = spec->common.values[ML_TRAIN_CLASS_WEIGHT].json;
	spec->calibration = (MlCalibrationKind) ml_param_int(&spec->common, ML_TRAIN_CALIBRATION);
	ML_TRY(ml_prep_spec_parse(arena, spec->common.values[ML_TRAIN_PREP].json, spec->algo->prepares,
							  &prep));
	spec->prep = prep;
	spec->metric = ml_param_text(&spec->common, ML_TRAIN_METRIC);
	spec->refit = ml_param_bool(&spec->common, ML_TRAIN_REFIT);
	ML_TRY(check_exclude(arena->env, spec->exclude));
	ML_TRY(check_metric(arena->env, spec->metric));
	ML_TRY(ml_decision_check(arena->env, spec));
	ML_TRY(read_validation(arena->env, spec));
	*out = spec;
	return ML_OK;
}

/* "does regression" etc., for errors. */
static const char *
list_tasks(uint32_t tasks, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (int task = 0; task < ML_N_TASKS; task++)
	{
		if ((tasks & ML_TASK_BIT(task)) && len < size)
			len += (size_t) snprintf(out + len, size - len, "%s%s", len ? " and " : "",
									 ml_task_name((MlTask) task));
	}
	return out;
}

/* The names of the algorithms that do any of these tasks. */
static const char *
algorithms_for(uint32_t tasks, char *out, size_t size)
{
	size_t len = 0;

	for (const MlAlgo *const *a = ml_algorithms; *a; a++)
	{
		if (((*a)->tasks & tasks) && len < size)
			len += (size_t) snprintf(out + len, size - len, "%s%s", len ? ", " : "", (*a)->name);
	}
	return out;
}

/* The algorithm cannot do this task: say what it does and who can. */
static MlStatus
wrong_task(MlEnv *env, const MlAlgo *algo, MlTask task, const char *words)
{
	char does[128], who[256] = "";

	ml_fail(env, ML_EINVAL, "algorithm \"%s\" does %s, but %s asks for %s", algo->name,
			list_tasks(algo->tasks, does, sizeof does), words, ml_task_name(task));
	ml_hint(env, "Algorithms for %s: %s.", ml_task_name(task),
			algorithms_for(ML_TASK_BIT(task), who, sizeof who));
	return ML_EINVAL;
}

/* Without a target all rows are trained on: options about hold-outs, candidates and classes have no meaning. */
static MlStatus
refuse_target_options(MlEnv *env, const MlTrainSpec *spec)
{
	static const int options[] = {ML_TRAIN_FOLDS,    ML_TRAIN_SEARCH,   ML_TRAIN_TIME_BUDGET,
								  ML_TRAIN_GROUP_BY, ML_TRAIN_ORDER_BY, ML_TRAIN_METRIC,
								  ML_TRAIN_POSITIVE};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
	{
		if (options[i] == ML_TRAIN_FOLDS ? spec->folds == 0
										 : !ml_param_given(&spec->common, options[i]))
			continue;
		ml_fail(env, ML_EINVAL, "option \"%s\" needs a target column",
				ml_train_params[options[i]].name);
		ml_hint(env, "Without one all rows are trained on, and the algorithm scores itself.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* The task that needs no target: the one wished for, or the algorithm's first such. */
static MlStatus
untargeted_task(MlEnv *env, const MlTrainSpec *spec, const char *words, MlTask *task)
{
	uint32_t tasks = spec->algo->tasks & ~ML_TASKS_WITH_TARGET;

	if (!spec->auto_task && (ML_TASK_BIT(spec->task) & ML_TASKS_WITH_TARGET))
		return ml_fail(env, ML_EINVAL, "task \"%s\" needs a target column",
					   ml_task_name(spec->task));
	if (tasks == 0)
	{
		ml_fail(env, ML_EINVAL, "algorithm \"%s\" needs a target column", spec->algo->name);
		ml_hint(env, "The view mlplat.algorithms shows which ones learn without.");
		return ML_EINVAL;
	}
	ML_TRY(refuse_target_options(env, spec));
	*task = spec->task;
	if (spec->auto_task)
	{
		*task = ML_CLUSTERING;
		while (!(tasks & ML_TASK_BIT(*task)))
			*task = (MlTask) (*task + 1);
	}
	if (!(tasks & ML_TASK_BIT(*task)))
		return wrong_task(env, spec->algo, *task, words);
	return ML_OK;
}

/* A recipe predicts nothing: options about predictions have no meaning. */
static MlStatus
refuse_predicting(MlEnv *env, const MlTrainSpec *spec)
{
	static const int options[] = {ML_TRAIN_FOLDS,        ML_TRAIN_SEARCH,      ML_TRAIN_TIME_BUDGET,
								  ML_TRAIN_GROUP_BY,     ML_TRAIN_ORDER_BY,    ML_TRAIN_METRIC,
								  ML_TRAIN_CLASS_WEIGHT, ML_TRAIN_CALIBRATION, ML_TRAIN_REFIT,
								  ML_TRAIN_THRESHOLD};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
	{
		if (options[i] == ML_TRAIN_FOLDS ? spec->folds == 0
										 : !ml_param_given(&spec->common, options[i]))
			continue;
		return ml_fail(env, ML_EINVAL,
					   "option \"%s\" is not for algorithm \"%s\", which predicts nothing",
					   ml_train_params[options[i]].name, spec->algo->name);
	}
	return ML_OK;
}

/*
 * The task for a kind of target, which words name in errors. n_distinct: of an integer target, 0 when not
 * counted. Explicit wishes win; then text and booleans are classes, and so are integers with two values; a
 * task that the algorithm lacks gives way to the one it has where the target allows it. Of an algorithm that only
 * prepares: the task that the target would be for.
 */
MlStatus
ml_train_spec_task(MlEnv *env, const MlTrainSpec *spec, const char *words, MlTargetKind kind,
				   size_t n_distinct, MlTask *task)
{
	uint32_t tasks = spec->algo->tasks;
	bool can_classify = spec->algo->prepares || (tasks & ML_TASK_BIT(ML_CLASSIFICATION));
	bool can_regress = spec->algo->prepares || (tasks & ML_TASK_BIT(ML_REGRESSION));
	bool open = spec->auto_task || (spec->algo->prepares && spec->task == ML_DECOMPOSITION);

	if (kind == ML_TARGET_NONE)
		return untargeted_task(env, spec, words, task);
	if (!can_classify && !can_regress)
	{
		ml_fail(env, ML_EINVAL, "algorithm \"%s\" does %s and takes no target", spec->algo->name,
				list_tasks(tasks, (char[128]){0}, 128));
		ml_hint(env, "Pass NULL as the target, and leave the column out by \"exclude\".");
		return ML_EINVAL;
	}
	if (spec->algo->prepares)
		ML_TRY(refuse_predicting(env, spec));
	if (!open)
		*task = spec->task;
	else if (kind == ML_TARGET_TEXT)
		*task = ML_CLASSIFICATION;
	else if (kind == ML_TARGET_BOOL || (kind == ML_TARGET_INTEGER && n_distinct == 2))
		*task = can_classify ? ML_CLASSIFICATION : ML_REGRESSION;
	else
		*task = can_regress ? ML_REGRESSION : ML_CLASSIFICATION;
	if (*task == ML_REGRESSION && kind == ML_TARGET_TEXT)
	{
		ml_fail(env, ML_EINVAL, "%s is text, which regression cannot predict", words);
		ml_hint(env, "Cast it to a number, or use task \"classification\".");
		return ML_EINVAL;
	}
	if (!(tasks & ML_TASK_BIT(*task)) && !spec->algo->prepares)
		return wrong_task(env, spec->algo, *task, words);
	return ML_OK;
}
