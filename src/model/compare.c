/*
 * compare.c
 *		Which candidates there are, on which folds, and which one wins.
 *
 * The presets of 'auto' stand here, in one table: cheap and robust ones first,
 * so that something good is there however short the time is. An algorithm that
 * is not built in, or does not do the task, is passed over.
 */
#include <math.h>
#include <string.h>

#include "model/compare.h"

#define INNER_HOLDOUT 0.2

/* With fewer rows, differences between algorithms are chance. */
#define AUTO_ROWS 50

/* Folds of 'auto' by the number of rows: few rows need more of them to tell candidates apart. */
#define AUTO_FIVE_FOLDS 10000
#define AUTO_THREE_FOLDS 50000

#define AUTO_SECONDS 60

typedef struct Preset
{
	const char *algorithm;
	const char *params;
} Preset;

static const Preset presets[] = {
	{"gbdt", "{}"},
	{"linear", "{}"},
	{"logistic", "{}"},
	{"ridge", "{}"},
	{"forest", "{}"},
	{"extra_trees", "{}"},
	{"gbdt", "{\"max_leaves\": 15, \"min_leaf_rows\": 20}"},
	{"gbdt", "{\"max_leaves\": 63, \"min_leaf_rows\": 20, \"colsample\": 0.5}"},
	{"gbdt", "{\"max_leaves\": 8, \"l2\": 3}"},
	{"gbdt", "{\"subsample\": 0.7, \"colsample\": 0.5, \"min_leaf_rows\": 5}"},
};
#define N_PRESETS (sizeof presets / sizeof *presets)

/* ---- candidates ---- */

bool
ml_compare_wanted(const MlTrainSpec *spec)
{
	return spec->is_auto || spec->folds > 0 || spec->search;
}

/* 'auto' takes no parameter of one algorithm's own. */
static MlStatus
check_auto(MlEnv *env, const MlTrainSpec *spec)
{
	if (spec->search)
	{
		ml_fail(env, ML_EINVAL,
				"option \"search\" is over the parameters of one algorithm, "
				"not \"auto\"");
		ml_hint(env, "Name the algorithm, for instance \"%s\".", spec->algo->name);
		return ML_EINVAL;
	}
	for (size_t i = 0; i < spec->params.n; i++)
	{
		if (!spec->params.values[i].given)
			continue;
		ml_fail(env, ML_EINVAL,
				"option \"%s\" belongs to one algorithm, and \"auto\" compares several",
				spec->params.table[i].name);
		ml_hint(env, "Name the algorithm, for instance \"%s\".", spec->algo->name);
		return ML_EINVAL;
	}
	return ML_OK;
}

/* The presets of the algorithms that do the task; the user's weights and folds are theirs too. */
static MlStatus
auto_trials(MlArena *arena, MlTask task, MlComparison *out)
{
	out->trials = ml_arena_array(arena, N_PRESETS, sizeof *out->trials);
	if (!out->trials)
		return ML_ENOMEM;
	for (size_t i = 0; i < N_PRESETS; i++)
	{
		const MlAlgo *algo = ml_algo_find(presets[i].algorithm);
		MlTrial *trial = &out->trials[out->n];
		MlJson *params;

		if (!algo || !(algo->tasks & ML_TASK_BIT(task)))
			continue;
		ML_TRY(ml_json_parse(arena, presets[i].params, strlen(presets[i].params), &params));
		trial->algo = algo;
		ML_TRY(ml_params_parse(arena, algo->name, &algo->params, 1, params, &trial->params));
		out->n++;
	}
	return ML_OK;
}

/* The candidates of the search. */
static MlStatus
search_trials(MlArena *arena, const MlTrainSpec *spec, MlSearch *search, MlComparison *out)
{
	ML_TRY(ml_search_create(arena, spec->algo, &spec->params, spec->search, spec->seed, search));
	out->n = search->n;
	out->trials = ml_arena_array(arena, out->n, sizeof *out->trials);
	if (!out->trials)
		return ML_ENOMEM;
	for (size_t i = 0; i < out->n; i++)
	{
		out->trials[i].algo = spec->algo;
		out->trials[i].params = search->candidates[i];
	}
	return ML_OK;
}

/* The one candidate that is to be cross-validated. */
static MlStatus
single_trial(MlArena *arena, const MlTrainSpec *spec, MlComparison *out)
{
	out->n = 1;
	out->trials = ml_arena_alloc(arena, sizeof *out->trials);
	if (!out->trials)
		return ML_ENOMEM;
	out->trials->algo = spec->algo;
	out->trials->params = spec->params;
	return ML_OK;
}

MlStatus
ml_compare_check(MlArena *arena, const MlTrainSpec *spec)
{
	MlComparison unused = {0};
	MlSearch search;

	if (spec->is_auto)
		return check_auto(arena->env, spec);
	if (!isnan(spec->time_budget) && !ml_compare_wanted(spec))
	{
		ml_fail(arena->env, ML_EINVAL,
				"option \"time_budget\" is for comparing candidates, and there is one only");
		ml_hint(arena->env, "Add \"search\" or \"folds\", or leave the algorithm to \"auto\".");
		return ML_EINVAL;
	}
	return spec->search ? search_trials(arena, spec, &search, &unused) : ML_OK;
}

/* ---- folds ---- */

/* How many folds: as asked for; 1 is a hold-out of the training rows; 0 where 'auto' has too few rows. */
static uint32_t
count_folds(const MlTrainSpec *spec, size_t n_rows)
{
	if (spec->folds > 0)
		return spec->folds;
	if (!spec->is_auto)
		return 1;
	return n_rows < AUTO_ROWS          ? 0
		   : n_rows < AUTO_FIVE_FOLDS  ? 5
		   : n_rows < AUTO_THREE_FOLDS ? 3
									   : 1;
}

/* The folds, or the one inner hold-out. */
static MlStatus
make_folds(MlArena *arena, const MlCompareInput *in, uint32_t n, MlFolds *folds,
		   MlTrialsInput *trials)
{
	if (n > 1)
	{
		trials->folds = folds;
		return ml_folds_create(arena, &in->split, n, folds);
	}
	ML_TRY(ml_split_holdout(arena, &in->split, INNER_HOLDOUT, &trials->train, &trials->valid));
	if (trials->valid.n == 0)
		return ml_fail(arena->env, ML_EDATA, "there are too few rows to compare candidates on: %zu",
					   in->split.rows.n);
	return ML_OK;
}

/* ---- the whole ---- */

MlStatus
ml_compare(MlArena *arena, const MlCompareInput *in, MlComparison *out)
{
	const MlTrainSpec *spec = in->spec;
	MlSearch search = {0};
	MlFolds folds;
	MlTrialsInput trials = {
		.model = in->model,
		.data = in->split.data,
		.metric = in->metric,
		.seed = spec->seed,
		.time_budget = !isnan(spec->time_budget) ? spec->time_budget
					   : spec->is_auto           ? AUTO_SECONDS
												 : INFINITY,
	};

	*out = (MlComparison){.n_folds = count_folds(spec, in->split.rows.n)};
	if (out->n_folds == 0)
		return ML_OK;
	ML_TRY(spec->is_auto  ? auto_trials(arena, in->model->task, out)
		   : spec->search ? search_trials(arena, spec, &search, out)
						  : single_trial(arena, spec, out));
	trials.halving = spec->search && search.method == ML_SEARCH_HALVING;
	trials.factor = search.factor;
	ML_TRY(make_folds(arena, in, out->n_folds, &folds, &trials));
	return ml_trials_run(arena, &trials, out->trials, out->n, &out->best);
}

void
ml_compare_write(const MlComparison *comparison, MlJsonWriter *w)
{
	for (size_t i = 0; i < comparison->n; i++)
	{
		const MlTrial *trial = &comparison->trials[i];

		ml_json_open(w, NULL, '{');
		ml_json_number(w, "trial", (double) i + 1);
		ml_json_text(w, "algorithm", trial->algo->name);
		ml_search_write(&trial->params, w, "params");
		ml_json_number(w, "score", trial->score);
		ml_json_number(w, "stddev", trial->stddev);
		if (trial->rank > 0)
		{
			ml_json_open(w, "fold_scores", '[');
			for (uint32_t k = 0; k < comparison->n_folds; k++)
				ml_json_number(w, NULL, trial->fold_scores[k]);
			ml_json_close(w, ']');
			ml_json_number(w, "rank", trial->rank);
		}
		ml_json_number(w, "share", trial->share);
		ml_json_number(w, "seconds", trial->seconds);
		ml_json_bool(w, "chosen", trial->chosen);
		if (trial->error)
			ml_json_text(w, "error", trial->error);
		ml_json_close(w, '}');
	}
}
