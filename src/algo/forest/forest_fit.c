/*
 * forest_fit.c
 *		The training: trees grown side by side, kept in their order.
 *
 * As many slots as there are threads work on a tree each. A tree that is done
 * waits until those before it are kept, so that everything that is summed over
 * trees is summed in one order, whatever the threads.
 */
#include <math.h>
#include <string.h>

#include "algo/forest/forest.h"
#include "core/pool.h"
#include "data/folds.h"

#define LOG_GROWTH 1.2 /* the error is logged each time there are so many times as many trees */

/* Everything one training works with; freed by free_training. */
typedef struct Training
{
	MlEnv *env;
	MlArena *arena, temp;
	const MlFitInput *input;
	MlFitReport *report;
	ForestOptions options;
	ForestRows rows;
	MlFolds folds;
	ForestGrower grower;
	ForestSlot **slots;
	uint32_t n_slots;
	uint32_t *tree_of; /* by slot */
	uint32_t n_jobs;   /* trees to grow: those of folds included */
	uint32_t n_begun, n_kept;
	ForestModel *model;
	ForestPruning *pruning;
	ForestPruned pruned;
	ForestOob *oob;
	ForestOobScore score;
	uint32_t next_log;
} Training;

/* ---- keeping trees */

/* One line of the log, and of the progress. */
static MlStatus
log_trees(Training *t)
{
	MlProgress line = {(int) t->n_kept, (int) t->n_jobs, NAN, NAN};
	MlJsonWriter w;

	if (t->oob && (t->n_kept >= t->next_log || t->n_kept == t->n_jobs))
	{
		t->next_log = (uint32_t) (t->n_kept * LOG_GROWTH) + 1;
		ML_TRY(ml_forest_oob_score(t->oob, &t->score));
		if (t->report->log.len > 0)
			ml_put_bytes(&t->report->log, ",", 1);
		ml_json_writer(&w, &t->report->log);
		ml_json_open(&w, NULL, '{');
		ml_json_number(&w, "iteration", t->n_kept);
		ml_json_number(&w, "valid_loss", t->score.loss);
		ml_json_close(&w, '}');
	}
	line.valid_loss = t->score.loss;
	ml_report(t->env, &line);
	return t->report->log.status;
}

/* A tree that has come to its turn. */
static MlStatus
keep_tree(Training *t, const ForestGrownTree *grown)
{
	t->n_kept++;
	if (t->options.folds == 0 && t->options.ccp_alpha == 0)
	{
		ML_TRY(ml_forest_keep(t->arena, &t->rows, grown, NULL, t->model,
							  &t->model->trees[grown->tree]));
		if (t->oob)
			ml_forest_oob_add(t->oob, grown);
	}
	else if (grown->tree == 0)
		ML_TRY(ml_forest_pruning_create(t->env, &t->rows, &t->options, grown, &t->pruning));
	else
		ML_TRY(ml_forest_pruning_add(t->pruning, grown));
	return log_trees(t);
}

/* Keep the main tree without what has been cut. */
static MlStatus
keep_pruned(Training *t)
{
	ForestGrownTree main_tree;
	const bool *marks;

	t->pruned = ml_forest_prune(t->pruning, &main_tree, &marks);
	return ml_forest_keep(t->arena, &t->rows, &main_tree, marks, t->model, &t->model->trees[0]);
}

/* ---- growing */

static void
step_task(void *arg, size_t task, int worker)
{
	Training *t = arg;

	(void) worker;
	ml_forest_slot_step(t->slots[task]);
}

/* Keep the trees whose turn has come, and begin others in their slots. */
static MlStatus
serve_slots(Training *t)
{
	bool again = true;

	while (again)
	{
		again = false;
		for (uint32_t s = 0; s < t->n_slots; s++)
		{
			ForestGrownTree grown;

			if (t->n_kept == t->n_jobs || t->tree_of[s] != t->n_kept ||
				!ml_forest_slot_done(t->slots[s], &grown))
				continue;
			ML_TRY(keep_tree(t, &grown));
			t->tree_of[s] = t->n_begun;
			if (t->n_begun < t->n_jobs)
				ml_forest_slot_begin(t->slots[s], t->n_begun++);
			again = true;
		}
	}
	for (uint32_t s = 0; s < t->n_slots; s++)
		ML_TRY(ml_forest_slot_grow(t->slots[s]));
	return ML_OK;
}

static MlStatus
grow_trees(Training *t)
{
	uint32_t n_workers = (uint32_t) ml_pool_size(ml_env_pool(t->env));

	t->n_slots = ML_MIN(n_workers, t->n_jobs);
	t->slots = ml_zalloc_array(t->env, t->n_slots, sizeof(*t->slots));
	t->tree_of = ml_zalloc_array(t->env, t->n_slots, sizeof(*t->tree_of));
	if (!t->slots || !t->tree_of)
		return ML_ENOMEM;
	for (uint32_t s = 0; s < t->n_slots; s++)
	{
		ML_TRY(ml_forest_slot_create(&t->grower, &t->slots[s]));
		t->tree_of[s] = t->n_begun;
		ml_forest_slot_begin(t->slots[s], t->n_begun++);
		ML_TRY(ml_forest_slot_grow(t->slots[s]));
	}
	while (t->n_kept < t->n_jobs)
	{
		ML_TRY(ml_pool_run(t->env, t->n_slots, step_task, t));
		ML_TRY(serve_slots(t));
	}
	return ML_OK;
}

/* ---- the whole */

static MlStatus
create_model(Training *t)
{
	ForestModel *model = t->model = ml_arena_alloc(t->arena, sizeof(*model));

	if (!model)
		return ML_ENOMEM;
	model->criterion = t->options.criterion;
	model->n_features = t->input->data->schema->n_features;
	model->n_classes = t->rows.n_classes;
	model->n_trees = t->options.n_trees;
	model->weighted = t->rows.weight != NULL;
	model->features = t->rows.features;
	model->trees = ml_arena_array(t->arena, model->n_trees, sizeof(*model->trees));
	model->importance = ml_arena_array(t->arena, model->n_features, sizeof(*model->importance));
	return model->trees && model->importance ? ML_OK : ML_ENOMEM;
}

/* Folds of the cross-validation of the pruning. */
static MlStatus
create_folds(Training *t)
{
	MlSplitInput split = {.data = t->input->data,
						  .rows = t->input->train,
						  .seed = t->options.seed,
						  .group_column = -1,
						  .order_column = -1};

	if (t->options.folds < 2)
		t->options.folds = 0; /* one row has none */
	if (t->options.folds == 0)
		return ML_OK;
	return ml_folds_create(&t->temp, &split, t->options.folds, &t->folds);
}

/* What the summary says. */
static void
summarise(Training *t)
{
	const ForestModel *model = t->model;
	double leaves = 0, depth = 0;
	MlJsonWriter w;

	for (uint32_t i = 0; i < model->n_trees; i++)
	{
		leaves += model->trees[i].n_leaves;
		depth = ML_MAX(depth, (double) model->trees[i].depth);
	}
	ml_json_writer(&w, &t->report->summary);
	if (model->n_trees > 1)
		ml_json_number(&w, "trees", model->n_trees);
	ml_json_number(&w, "leaves", leaves);
	ml_json_number(&w, "depth", depth);
	if (t->pruning)
		ml_json_number(&w, "ccp_alpha", t->pruned.alpha);
	if (t->options.folds > 0)
	{
		ml_json_number(&w, "cv_loss", t->pruned.loss);
		ml_json_number(&w, "cv_loss_se", t->pruned.loss_se);
	}
	if (!t->oob)
		return;
	ml_json_number(&w, "oob_rows", (double) t->score.rows);
	ml_json_number(&w, model->n_classes > 0 ? "oob_log_loss" : "oob_rmse",
				   model->n_classes > 0 ? t->score.loss : sqrt(t->score.loss));
	if (model->n_classes > 0)
		ml_json_number(&w, "oob_accuracy", t->score.accuracy);
	else
		ml_json_number(&w, "oob_r2", t->score.r2);
}

static MlStatus
train(Training *t)
{
	ML_TRY(ml_forest_options(t->env, t->input, &t->options));
	ML_TRY(ml_forest_rows_create(t->env, t->arena, t->input, t->options.max_bins, &t->rows));
	ML_TRY(create_model(t));
	ML_TRY(create_folds(t));
	if (t->options.bootstrap || t->options.subsample < 1)
		ML_TRY(ml_forest_oob_create(t->env, t->input->data, &t->rows, &t->oob));
	ml_forest_grower_init(t->env, &t->options, &t->rows, t->folds.part, &t->grower);
	t->n_jobs = t->options.n_trees + t->options.folds;
	ML_TRY(grow_trees(t));
	if (t->pruning)
		ML_TRY(keep_pruned(t));
	ML_TRY(ml_forest_finish(t->arena, t->model, true));
	summarise(t);
	return t->report->summary.status;
}

static void
free_training(Training *t)
{
	for (uint32_t s = 0; s < t->n_slots && t->slots; s++)
		ml_forest_slot_free(t->env, t->slots[s]);
	ml_free(t->env, t->slots);
	ml_free(t->env, t->tree_of);
	ml_forest_pruning_free(t->env, t->pruning);
	ml_forest_oob_free(t->env, t->oob);
	ml_forest_rows_free(t->env, &t->rows);
	ml_arena_free(&t->temp);
}

/* Train; the model is a ForestModel in arena. */
MlStatus
ml_forest_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **out)
{
	Training t = {.env = env,
				  .arena = arena,
				  .input = input,
				  .report = report,
				  .score = {0, NAN, NAN, NAN},
				  .pruned = {0, NAN, NAN}};
	MlStatus status;

	ml_arena_init(&t.temp, env);
	status = train(&t);
	if (status == ML_OK)
		*out = t.model;
	free_training(&t);
	return status;
}
