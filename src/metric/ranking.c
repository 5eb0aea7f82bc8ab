/*
 * ranking.c
 *		Scores of two classes: the area under the ROC curve and its relatives.
 *
 * With the scores of both classes sorted, one walk from the highest score down gives everything.
 * Tied scores make one step, so the area counts a tie as half (trapezoids, as scikit-learn and the
 * Mann-Whitney statistic do); average precision is the sum over steps of (R_n - R_{n-1}) P_n.
 *
 * Bytes: points of a curve u32, labels, then for either slot: count u64, weighted u8, scores f64, weights f64.
 */
#include "metric/ranking.h"

#include <math.h>

#include "metric/radix_sort.h"

#define COPY_CHUNK (1 << 20)

/* From now on scores have weights of their own. */
static MlStatus
make_weighted(MlEnv *env, MlScores *scores, size_t n)
{
	if (scores->weight)
		return ML_OK;
	ML_TRY(ml_grow(env, &scores->weight, &scores->weight_capacity, ML_MAX(n, 1), sizeof(double)));
	for (size_t i = 0; i < scores->n; i++)
		scores->weight[i] = 1;
	return ML_OK;
}

MlStatus
ml_scores_add(MlEnv *env, MlScores *scores, double score, double weight)
{
	if (weight == 0)
		return ML_OK;
	if (weight != 1)
		ML_TRY(make_weighted(env, scores, scores->n));
	if (scores->weight)
	{
		ML_TRY(
			ml_grow(env, &scores->weight, &scores->weight_capacity, scores->n + 1, sizeof(double)));
		scores->weight[scores->n] = weight;
	}
	if (scores->n == scores->capacity)
		ML_TRY(ml_grow(env, &scores->score, &scores->capacity, scores->n + 1, sizeof(double)));
	scores->score[scores->n++] = score;
	return ML_OK;
}

void
ml_scores_free(MlEnv *env, MlScores *scores)
{
	ml_free(env, scores->score);
	ml_free(env, scores->weight);
	*scores = (MlScores){0};
}

MlStatus
ml_ranking_add(MlEnv *env, MlRanking *ranking, MlLabelType type, uint64_t label, double score,
			   double weight)
{
	uint32_t slot;

	if (weight == 0)
		return ML_OK;
	ML_TRY(ml_label_pair_slot(env, &ranking->labels, type, label, &slot));
	return ml_scores_add(env, &ranking->of[slot], score, weight);
}

static MlStatus
append_scores(MlEnv *env, MlScores *scores, const MlScores *other)
{
	size_t n = scores->n + other->n;

	if (other->weight)
		ML_TRY(make_weighted(env, scores, n));
	ML_TRY(ml_grow(env, &scores->score, &scores->capacity, n, sizeof(double)));
	if (scores->weight)
		ML_TRY(ml_grow(env, &scores->weight, &scores->weight_capacity, n, sizeof(double)));
	for (size_t i = 0; i < other->n; i++)
		scores->score[scores->n + i] = other->score[i];
	if (scores->weight)
		for (size_t i = 0; i < other->n; i++)
			scores->weight[scores->n + i] = other->weight ? other->weight[i] : 1;
	scores->n = n;
	return ML_OK;
}

MlStatus
ml_ranking_merge(MlEnv *env, MlRanking *ranking, const MlRanking *other)
{
	ranking->max_points = ML_MAX(ranking->max_points, other->max_points);
	for (uint32_t i = 0; i < other->labels.n; i++)
	{
		uint32_t slot;

		ML_TRY(ml_label_pair_slot(env, &ranking->labels, other->labels.type, other->labels.bits[i],
								  &slot));
		if (other->of[i].n > 0)
			ML_TRY(append_scores(env, &ranking->of[slot], &other->of[i]));
	}
	return ML_OK;
}

void
ml_ranking_free(MlEnv *env, MlRanking *ranking)
{
	ml_scores_free(env, &ranking->of[0]);
	ml_scores_free(env, &ranking->of[1]);
	*ranking = (MlRanking){0};
}

/* ---- bytes */

size_t
ml_ranking_size(const MlRanking *ranking)
{
	size_t size = 6 + 8 * (size_t) ranking->labels.n;

	for (uint32_t i = 0; i < ranking->labels.n; i++)
		size += 9 + ranking->of[i].n * (ranking->of[i].weight ? 16 : 8);
	return size;
}

void
ml_ranking_save(const MlRanking *ranking, MlBuffer *out)
{
	ml_put_u32(out, ranking->max_points);
	ml_label_pair_save(&ranking->labels, out);
	for (uint32_t i = 0; i < ranking->labels.n; i++)
	{
		const MlScores *scores = &ranking->of[i];

		ml_put_u64(out, scores->n);
		ml_put_u8(out, scores->weight != NULL);
		ml_put_f64_array(out, scores->score, scores->n);
		if (scores->weight)
			ml_put_f64_array(out, scores->weight, scores->n);
	}
}

static MlStatus
load_scores(MlReader *in, MlScores *scores)
{
	uint64_t n = ml_get_u64(in);
	uint8_t weighted = ml_get_u8(in);
	bool sound = true;

	if (in->failed || weighted > 1 || n > (in->len - in->pos) / (weighted ? 16 : 8))
		return ml_corrupt(in->env, "count of scores");
	if (n == 0)
		return ML_OK;
	ML_TRY(ml_grow(in->env, &scores->score, &scores->capacity, n, sizeof(double)));
	for (size_t i = 0; i < n; i++)
	{
		scores->score[i] = ml_get_f64(in);
		sound &= isfinite(scores->score[i]) != 0;
	}
	if (weighted)
		ML_TRY(ml_grow(in->env, &scores->weight, &scores->weight_capacity, n, sizeof(double)));
	for (size_t i = 0; weighted && i < n; i++)
	{
		scores->weight[i] = ml_get_f64(in);
		sound &= isfinite(scores->weight[i]) && scores->weight[i] > 0;
	}
	scores->n = n;
	return sound ? ML_OK : ml_corrupt(in->env, "value of a score");
}

MlStatus
ml_ranking_load(MlReader *in, MlRanking *ranking)
{
	MlStatus status;

	*ranking = (MlRanking){0};
	ranking->max_points = ml_get_u32(in);
	status = ml_label_pair_load(in, &ranking->labels);
	for (uint32_t i = 0; status == ML_OK && i < ranking->labels.n; i++)
		status = load_scores(in, &ranking->of[i]);
	if (status != ML_OK)
		ml_ranking_free(in->env, ranking);
	return status;
}

/* ---- the walk */

static MlStatus
sorted_copy(MlEnv *env, const MlScores *scores, uint64_t **keys, double **weight, double *total)
{
	double sum = 0;

	*keys = ml_alloc_array(env, ML_MAX(scores->n, 1), sizeof(uint64_t));
	if (!*keys)
		return ML_ENOMEM;
	if (scores->weight)
	{
		*weight = ml_alloc_array(env, ML_MAX(scores->n, 1), sizeof(double));
		if (!*weight)
			return ML_ENOMEM;
	}
	for (size_t begin = 0; begin < scores->n; begin += COPY_CHUNK)
	{
		size_t end = ML_MIN(scores->n, begin + COPY_CHUNK);

		ML_TRY(ml_poll(env));
		for (size_t i = begin; i < end; i++)
			(*keys)[i] = ml_sort_key(scores->score[i]);
		for (size_t i = begin; *weight && i < end; i++)
			sum += (*weight)[i] = scores->weight[i];
	}
	*total = scores->weight ? sum : (double) scores->n;
	return ml_radix_sort(env, keys, scores->weight ? weight : NULL, scores->n);
}

MlStatus
ml_rank_walk_begin(MlEnv *env, MlRankWalk *walk, const MlScores *negative, const MlScores *positive)
{
	const MlScores *scores[2] = {negative, positive};
	MlStatus status = ML_OK;

	*walk = (MlRankWalk){.n = {negative->n, positive->n}};
	ml_rank_walk_rewind(walk);
	for (int k = 0; k < 2 && status == ML_OK; k++)
		status = sorted_copy(env, scores[k], &walk->keys[k], &walk->weight[k], &walk->total[k]);
	if (status != ML_OK)
		ml_rank_walk_end(env, walk);
	return status;
}

/* Take all rows of class k with this key; their weight. */
static double
take_ties(MlRankWalk *walk, int k, uint64_t key)
{
	const uint64_t *keys = walk->keys[k];
	size_t before = walk->left[k], left = before;
	double sum = 0;

	for (; left > 0 && keys[left - 1] == key; left--)
		if (walk->weight[k])
			sum += walk->weight[k][left - 1];
	walk->left[k] = left;
	walk->ties += before - left;
	return walk->weight[k] ? sum : (double) (before - left);
}

bool
ml_rank_walk_next(MlRankWalk *walk)
{
	uint64_t key = 0;

	if (walk->left[0] + walk->left[1] == 0)
		return false;
	for (int k = 0; k < 2; k++)
		if (walk->left[k] > 0)
			key = ML_MAX(key, walk->keys[k][walk->left[k] - 1]);
	walk->ties = 0;
	walk->fp += take_ties(walk, 0, key);
	walk->tp += take_ties(walk, 1, key);
	walk->score = ml_sort_value(key);
	return true;
}

void
ml_rank_walk_rewind(MlRankWalk *walk)
{
	walk->left[0] = walk->n[0];
	walk->left[1] = walk->n[1];
	walk->tp = walk->fp = 0;
}

void
ml_rank_walk_end(MlEnv *env, MlRankWalk *walk)
{
	for (int k = 0; k < 2; k++)
	{
		ml_free(env, walk->keys[k]);
		ml_free(env, walk->weight[k]);
	}
	*walk = (MlRankWalk){0};
}

MlStatus
ml_rank_metrics(MlEnv *env, const MlScores *negative, const MlScores *positive,
				MlRankMetrics *metrics)
{
	double area = 0, precision = 0, ks = 0, tp = 0, fp = 0, n, p;
	size_t rows = 0;
	MlRankWalk walk;
	MlStatus status = ML_OK;

	*metrics = (MlRankMetrics){NAN, NAN, NAN};
	ML_TRY(ml_rank_walk_begin(env, &walk, negative, positive));
	n = walk.total[0];
	p = walk.total[1];
	while (status == ML_OK && ml_rank_walk_next(&walk))
	{
		area += (walk.fp - fp) * (tp + walk.tp) / 2;
		precision += (walk.tp - tp) * (walk.tp / (walk.tp + walk.fp));
		ks = ML_MAX(ks, fabs(walk.tp / p - walk.fp / n));
		tp = walk.tp;
		fp = walk.fp;
		rows += walk.ties;
		if (rows >= COPY_CHUNK)
		{
			status = ml_poll(env);
			rows = 0;
		}
	}
	ml_rank_walk_end(env, &walk);
	ML_TRY(status);
	if (p > 0)
		metrics->average_precision = precision / p;
	if (p > 0 && n > 0)
	{
		metrics->roc_auc = area / n / p;
		metrics->ks = ks;
	}
	return ML_OK;
}

bool
ml_ranking_classes(const MlRanking *ranking, const MlScores **negative, const MlScores **positive)
{
	int slot = ml_label_pair_positive(&ranking->labels);

	if (slot < 0)
		return false;
	*negative = &ranking->of[!slot];
	*positive = &ranking->of[slot];
	return true;
}

MlStatus
ml_ranking_metrics(MlEnv *env, const MlRanking *ranking, MlRankMetrics *metrics)
{
	const MlScores *negative, *positive;

	*metrics = (MlRankMetrics){NAN, NAN, NAN};
	if (!ml_ranking_classes(ranking, &negative, &positive))
		return ML_OK;
	return ml_rank_metrics(env, negative, positive, metrics);
}
