/*
 * kmeans_search.c
 *		From rows to the best centers: starts, the number of clusters, the last iterations.
 *
 * Starts are tried on at most SEARCH_ROWS rows, drawn at random, with a few
 * iterations each; the best one then goes on over all rows. With fewer rows the
 * starts are the whole work, and the best of them is the result. So the time of a
 * large training is that of its last iterations, and more starts cost little.
 *
 * The number of clusters is the one with the greatest silhouette, which is taken
 * over a sample of the rows, the same for all numbers.
 */
#include <math.h>
#include <string.h>

#include "algo/kmeans/kmeans.h"
#include "core/silhouette.h"

#define SEARCH_ROWS ((size_t) 32768)
#define FEW_ROWS 10000 /* up to here, 10 starts cost next to nothing */
#define SEARCH_ITERATIONS 20
#define SAMPLE_ROWS ((size_t) 2000)
#define SAMPLE_CELLS ((size_t) 4 << 20)
#define CHUNK_ROWS ((size_t) 65536) /* of the last pass, after mini-batches */

/* ---- the silhouette of a run */

/* Points for silhouettes. */
typedef struct Sample
{
	size_t n;
	double *x;       /* [i * n_columns + c] */
	uint32_t *label; /* of the run at hand */
} Sample;

/* Draw the sample and keep its coordinates. */
static MlStatus
draw_sample(MlKmeansSearch *s, Sample *sample)
{
	size_t columns = s->space->n_columns, n = ML_MIN(SAMPLE_ROWS, s->all->n);
	MlKmeansRows rows = {0};
	uint32_t *index = NULL;
	MlRows drawn;
	MlStatus status;

	n = ML_MIN(n, ML_MAX(SAMPLE_CELLS / (columns + 1), (size_t) 2));
	status = ml_kmeans_sample(s->env, s->all, n, &s->rng, &drawn, &index);
	if (status == ML_OK)
		status = ml_kmeans_rows_create(s->env, s->space, s->data, drawn.n, 1, &rows);
	if (status == ML_OK)
		status = ml_kmeans_rows_read(&rows, &drawn, 0, drawn.n);
	if (status == ML_OK)
	{
		sample->n = drawn.n;
		sample->x = ml_alloc_array(s->env, drawn.n, (columns + 1) * sizeof(double));
		sample->label = ml_alloc_array(s->env, drawn.n, sizeof(uint32_t));
		status = sample->x && sample->label ? ML_OK : ML_ENOMEM;
	}
	for (size_t i = 0; i < sample->n && status == ML_OK; i++)
		ml_kmeans_point(&rows, i, sample->x + i * columns);
	ml_kmeans_rows_free(&rows);
	ml_free(s->env, index);
	return status;
}

static void
free_sample(MlEnv *env, Sample *sample)
{
	ml_free(env, sample->label);
	ml_free(env, sample->x);
}

/* The number of the center nearest to a point. */
static uint32_t
nearest(const MlKmeansRun *run, const double *point)
{
	size_t columns = run->space->n_columns;
	double least = INFINITY;
	uint32_t best = 0;

	for (uint32_t k = 0; k < run->k; k++)
	{
		double sum = 0;

		for (size_t c = 0; c < columns; c++)
		{
			double d = point[c] - run->center[k * columns + c];

			sum += d * d;
		}
		if (sum < least)
		{
			least = sum;
			best = k;
		}
	}
	return best;
}

static MlStatus
silhouette_of(const MlKmeansRun *run, const Sample *sample, double *silhouette)
{
	size_t columns = run->space->n_columns;
	MlSilhouettePoints points = {.x = sample->x,
								 .n = sample->n,
								 .width = columns,
								 .label = sample->label,
								 .n_labels = run->k};

	for (size_t i = 0; i < sample->n; i++)
	{
		if (i % 64 == 0)
			ML_TRY(ml_poll(run->env));
		sample->label[i] = nearest(run, sample->x + i * columns);
	}
	return ml_silhouette(run->env, &points, silhouette);
}

/* ---- starts */

static void
swap_runs(MlKmeansRun *a, MlKmeansRun *b)
{
	MlKmeansRun t = *a;

	*a = *b;
	*b = t;
}

static int
count_starts(const MlKmeansSearch *s)
{
	if (s->options->n_init > 0)
		return s->options->n_init;
	return s->all->n <= FEW_ROWS ? 10 : 3;
}

/* The best of some starts with k clusters; whole: these are all rows, so go on to the end. */
static MlStatus
try_starts(MlKmeansSearch *s, MlKmeansRows *rows, uint32_t k, bool whole, MlKmeansRun *best)
{
	const MlKmeansOptions *o = s->options;
	int n = count_starts(s),
		max_iter = whole ? o->max_iter : ML_MIN(o->max_iter, SEARCH_ITERATIONS);
	MlKmeansRun run = {0};
	MlStatus status = ml_kmeans_run_create(rows, k, best);

	if (status == ML_OK)
		status = ml_kmeans_run_create(rows, k, &run);
	for (int start = 0; start < n && status == ML_OK; start++)
	{
		status = ml_kmeans_seed(&run, &s->rng);
		if (status == ML_OK)
			status = ml_kmeans_lloyd(&run, max_iter, o->tol, whole);
		if (status == ML_OK)
			status = ml_kmeans_measure(&run, false);
		if (status == ML_OK && (start == 0 || run.inertia < best->inertia))
			swap_runs(&run, best);
	}
	ml_kmeans_run_free(&run);
	return status;
}

/* Try each number of clusters; the best run stays, the first of equals. */
static MlStatus
try_numbers(MlKmeansSearch *s, MlKmeansRows *rows, bool whole, const Sample *sample)
{
	MlStatus status = ML_OK;
	double best = -INFINITY;

	for (uint32_t k = s->options->least; k <= s->options->most && status == ML_OK; k++)
	{
		MlKmeansTrial *trial = &s->trials[s->n_trials++];
		MlKmeansRun run = {0};

		*trial = (MlKmeansTrial){k, NAN, NAN};
		status = try_starts(s, rows, k, whole, &run);
		if (status == ML_OK && s->options->least < s->options->most)
			status = silhouette_of(&run, sample, &trial->silhouette);
		trial->inertia = run.inertia;
		if (status == ML_OK && (s->n_trials == 1 || trial->silhouette > best))
		{
			best = isnan(trial->silhouette) ? -INFINITY : trial->silhouette;
			swap_runs(&run, &s->run);
		}
		ml_kmeans_run_free(&run);
	}
	return status;
}

/* ---- the last iterations */

/* Begin the run over all rows, or over batches of them, with the centers of another. */
static MlStatus
go_on(MlKmeansSearch *s, MlKmeansRows *rows, const MlKmeansRun *from, MlKmeansRun *run)
{
	ML_TRY(ml_kmeans_run_create(rows, from->k, run));
	memcpy(run->center, from->center, (size_t) from->k * s->space->n_columns * sizeof(double));
	return ML_OK;
}

/* Lloyd's iterations over all rows. */
static MlStatus
finish_all(MlKmeansSearch *s, MlKmeansRows *rows, const MlKmeansRun *from, MlKmeansRun *run)
{
	ML_TRY(ml_kmeans_rows_create(s->env, s->space, s->data, s->all->n, from->k, rows));
	ML_TRY(ml_kmeans_rows_read(rows, s->all, 0, s->all->n));
	ML_TRY(go_on(s, rows, from, run));
	ML_TRY(ml_kmeans_lloyd(run, s->options->max_iter, s->options->tol, true));
	return ml_kmeans_measure(run, false);
}

/* Mini-batches, then one pass over all rows, chunk by chunk. */
static MlStatus
finish_batches(MlKmeansSearch *s, MlKmeansRows *rows, const MlKmeansRun *from, MlKmeansRun *run)
{
	size_t n = s->all->n, chunk = ML_MIN(n, CHUNK_ROWS);

	ML_TRY(ml_kmeans_rows_create(s->env, s->space, s->data, ML_MAX(chunk, s->options->batch_size),
								 from->k, rows));
	ML_TRY(go_on(s, rows, from, run));
	ML_TRY(ml_kmeans_batches(run, s->all, s->options, &s->rng));
	for (size_t first = 0; first < n; first += chunk)
	{
		ML_TRY(ml_kmeans_rows_read(rows, s->all, first, ML_MIN(chunk, n - first)));
		ML_TRY(ml_kmeans_measure(run, first > 0));
	}
	return ML_OK;
}

/* Put the run over all rows in the place of the one over the sample. */
static MlStatus
finish_run(MlKmeansSearch *s)
{
	MlKmeansRows rows = {0}, sample_rows = s->rows;
	MlKmeansRun run = {0};
	MlStatus status = s->options->batch_size > 0 ? finish_batches(s, &rows, &s->run, &run)
												 : finish_all(s, &rows, &s->run, &run);

	swap_runs(&run, &s->run);
	s->rows = rows;
	s->run.rows = &s->rows;
	ml_kmeans_run_free(&run);
	ml_kmeans_rows_free(&sample_rows);
	return status;
}

/* ---- the whole */

/* The rows that starts are tried on: all, or a sample. */
static MlStatus
read_rows(MlKmeansSearch *s, bool whole)
{
	size_t n = whole ? s->all->n : ML_MIN(SEARCH_ROWS, s->all->n);
	uint32_t *index = NULL;
	MlRows drawn = *s->all;
	MlStatus status = ML_OK;

	if (!whole)
		status = ml_kmeans_sample(s->env, s->all, n, &s->rng, &drawn, &index);
	if (status == ML_OK)
		status = ml_kmeans_rows_create(s->env, s->space, s->data, n, s->options->most, &s->rows);
	if (status == ML_OK)
		status = ml_kmeans_rows_read(&s->rows, &drawn, 0, n);
	ml_free(s->env, index);
	return status;
}

MlStatus
ml_kmeans_search(MlKmeansSearch *s)
{
	bool whole = s->options->batch_size == 0 && s->all->n <= SEARCH_ROWS;
	Sample sample = {0};
	MlStatus status = draw_sample(s, &sample);

	s->trials =
		ml_zalloc_array(s->env, s->options->most - s->options->least + 1, sizeof(MlKmeansTrial));
	if (status == ML_OK && !s->trials)
		status = ML_ENOMEM;
	if (status == ML_OK)
		status = read_rows(s, whole);
	if (status == ML_OK)
		status = try_numbers(s, &s->rows, whole, &sample);
	if (status == ML_OK && !whole)
		status = finish_run(s);
	if (status == ML_OK)
		status = silhouette_of(&s->run, &sample, &s->silhouette);
	free_sample(s->env, &sample);
	return status;
}

void
ml_kmeans_search_free(MlKmeansSearch *s)
{
	ml_kmeans_run_free(&s->run);
	ml_kmeans_rows_free(&s->rows);
	ml_free(s->env, s->trials);
}
