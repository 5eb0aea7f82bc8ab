/*
 * kmeans.c
 *		Clusters around means: parameters, fitting, summary, and the table of functions.
 *
 * kmeans_rows.c keeps the rows, kmeans_kernel.c scores centers, kmeans_seed.c draws
 * seeds, kmeans_lloyd.c and kmeans_batch.c iterate, kmeans_search.c puts these
 * together, kmeans_model.c predicts.
 */
#include <math.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"

#define AUTO_LEAST 2
#define AUTO_MOST 10

static const MlParam kmeans_params[] = {
	[KMEANS_N_CLUSTERS] = {"n_clusters", ML_PARAM_JSON, "8", 0, 0, NULL,
						   "Number of clusters; or [least, most], or \"auto\" for [2, 10]: the "
						   "number with the greatest silhouette."},
	[KMEANS_SCALE] = {"scale", ML_PARAM_BOOL, "true", 0, 0, NULL,
					  "Divide numbers by their standard deviation, so that the unit of a column "
					  "does not matter; false: distances in the units of the data."},
	[KMEANS_MAX_ITER] = {"max_iter", ML_PARAM_INT, "300", 1, 100000, NULL,
						 "Most iterations over the rows."},
	[KMEANS_TOL] = {"tol", ML_PARAM_REAL, "1e-4", 0, 1e6, NULL,
					"Stop when the squared moves of the centers sum to at most so many mean "
					"variances of a column."},
	[KMEANS_N_INIT] = {"n_init", ML_PARAM_INT, "0", 0, 1000, NULL,
					   "Starts, of which the best is kept; 0: 10 up to 10,000 rows, else 3. Beyond "
					   "32,768 rows they are tried on a sample."},
	[KMEANS_BATCH_SIZE] = {"batch_size", ML_PARAM_INT, "0", 0, 10000000, NULL,
						   "Rows of a mini-batch; 0: all rows in each iteration."},
	[KMEANS_MAX_LEVELS] = {"max_levels", ML_PARAM_INT, "255", 1, 65535, NULL,
						   "Most frequent levels of a categorical feature that get a 0/1 column of "
						   "their own."},
	{NULL},
};

/* ---- options */

/* A number of clusters; false: it is none. */
static bool
read_number(const MlJson *json, uint32_t *out)
{
	if (json->type != ML_JSON_NUMBER || !(json->number >= 1) ||
		!(json->number <= ML_KMEANS_MAX_CLUSTERS) || json->number != floor(json->number))
		return false;
	*out = (uint32_t) json->number;
	return true;
}

static MlStatus
read_clusters(MlEnv *env, const MlJson *json, MlKmeansOptions *o)
{
	o->least = AUTO_LEAST;
	o->most = AUTO_MOST;
	if (json->type == ML_JSON_STRING && strcmp(json->string, "auto") == 0)
		return ML_OK;
	if (json->type == ML_JSON_ARRAY && json->n == 2 && read_number(&json->items[0], &o->least) &&
		read_number(&json->items[1], &o->most) && o->least <= o->most)
		return ML_OK;
	if (read_number(json, &o->least))
	{
		o->most = o->least;
		return ML_OK;
	}
	ml_fail(env, ML_EINVAL,
			"option \"n_clusters\" must be a number from 1 to %d, [least, most] or "
			"\"auto\"",
			ML_KMEANS_MAX_CLUSTERS);
	return ML_EINVAL;
}

/* The options, held against the number of rows. */
static MlStatus
read_options(MlEnv *env, const MlParams *params, size_t n_rows, MlKmeansOptions *o)
{
	o->scale = ml_param_bool(params, KMEANS_SCALE);
	o->max_iter = ml_param_int(params, KMEANS_MAX_ITER);
	o->tol = ml_param_real(params, KMEANS_TOL);
	o->n_init = ml_param_int(params, KMEANS_N_INIT);
	o->batch_size = ML_MIN((size_t) ml_param_int(params, KMEANS_BATCH_SIZE), n_rows);
	ML_TRY(read_clusters(env, params->values[KMEANS_N_CLUSTERS].json, o));
	if (o->least < o->most)
		o->most = (uint32_t) ML_MIN((size_t) o->most, ML_MAX(n_rows, (size_t) o->least));
	if (o->least > n_rows)
	{
		ml_fail(env, ML_EDATA, "%u clusters need as many rows, but there %s %zu", o->least,
				n_rows == 1 ? "is" : "are", n_rows);
		ml_hint(env, "Set n_clusters.");
		return ML_EDATA;
	}
	return ML_OK;
}

/* ---- the report */

static void
write_trials(const MlKmeansSearch *s, MlJsonWriter *w)
{
	ml_json_open(w, "trials", '[');
	for (uint32_t i = 0; i < s->n_trials; i++)
	{
		ml_json_open(w, NULL, '{');
		ml_json_number(w, "n_clusters", s->trials[i].k);
		ml_json_number(w, "inertia", s->trials[i].inertia);
		ml_json_number(w, "silhouette", s->trials[i].silhouette);
		ml_json_close(w, '}');
	}
	ml_json_close(w, ']');
}

static void
write_summary(const MlKmeansSearch *s, MlFitReport *report)
{
	const MlKmeansRun *run = &s->run;
	uint32_t empty = 0;
	MlJsonWriter w;

	ml_json_writer(&w, &report->summary);
	ml_json_number(&w, "n", (double) s->all->n);
	ml_json_number(&w, "n_clusters", run->k);
	ml_json_number(&w, "inertia", run->inertia);
	ml_json_number(&w, "silhouette", s->silhouette);
	ml_json_number(&w, "iterations", run->n_lines);
	ml_json_bool(&w, "converged", run->converged);
	ml_json_open(&w, "sizes", '[');
	for (uint32_t k = 0; k < run->k; k++)
	{
		ml_json_number(&w, NULL, run->size[k]);
		empty += run->size[k] == 0;
	}
	ml_json_close(&w, ']');
	if (s->n_trials > 1)
		write_trials(s, &w);
	if (empty > 0)
		ml_json_text(&w, "advice",
					 "Some clusters have no row: there are fewer distinct rows than clusters, or "
					 "the mini-batches missed them; ask for fewer.");
	else if (!run->converged)
		ml_json_text(&w, "advice",
					 "The iterations ended before the centers rested: raise max_iter.");
}

static void
write_log(const MlKmeansRun *run, MlFitReport *report)
{
	MlJsonWriter w;

	ml_json_writer(&w, &report->log);
	for (int i = 0; i < run->n_lines; i++)
	{
		ml_json_open(&w, NULL, '{');
		ml_json_number(&w, "iteration", i + 1);
		ml_json_number(&w, "loss", run->lines[i].inertia);
		ml_json_number(&w, "step", run->lines[i].shift);
		ml_json_close(&w, '}');
	}
}

/* ---- fitting */

static MlStatus
kmeans_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlDesignOptions columns = {.max_levels =
								   (uint32_t) ml_param_int(input->params, KMEANS_MAX_LEVELS),
							   .no_indicators = true};
	MlKmeansOptions options;
	MlKmeansSpace space;
	MlKmeansSearch search = {.env = env,
							 .space = &space,
							 .data = input->data,
							 .all = &input->train,
							 .options = &options};
	MlKmeansModel *m;
	MlDesign *design;
	MlStatus status;

	ML_TRY(read_options(env, input->params, input->train.n, &options));
	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &columns, &design));
	ML_TRY(ml_kmeans_space_make(arena, design, options.scale, &space));
	ml_rng_seed(&search.rng, input->seed, 0);
	status = ml_kmeans_search(&search);
	if (status == ML_OK)
		status = ml_kmeans_model_make(arena, input->data->schema, &search.run, &m);
	if (status == ML_OK)
	{
		write_summary(&search, report);
		write_log(&search.run, report);
		report->metric = "silhouette";
		report->score = search.silhouette;
		*model = m;
	}
	ml_kmeans_search_free(&search);
	return status;
}

const MlAlgo ml_algo_kmeans = {
	.name = "kmeans",
	.summary = "Clusters around means: k-means++, mini-batches, the number chosen by silhouette",
	.tasks = ML_TASK_BIT(ML_CLUSTERING),
	.params = kmeans_params,
	.fit = kmeans_fit,
	.save = ml_kmeans_save,
	.load = ml_kmeans_load,
	.predict = ml_kmeans_predict,
	.n_components = ml_kmeans_n_components,
	.transform = ml_kmeans_transform,
	.component = "distance_",
	.importance = ml_kmeans_importance,
	.coefficients = ml_kmeans_coefficients,
};
