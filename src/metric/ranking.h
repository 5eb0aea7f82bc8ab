/*
 * ranking.h
 *		Scores of two classes: the state behind the area under the ROC curve and its relatives.
 *
 * The scores are kept, 8 bytes each, those of the two labels apart: exact, mergeable, and no label to
 * store. Weights, another 8 bytes, only once there is one that is not 1.
 */
#ifndef ML_RANKING_H
#define ML_RANKING_H

#include "metric/label.h"

typedef struct MlScores
{
	size_t n;
	size_t capacity, weight_capacity;
	double *score;
	double *weight; /* NULL: all ones */
} MlScores;

typedef struct MlRanking
{
	MlLabelPair labels;
	MlScores of[2];      /* by slot of the label */
	uint32_t max_points; /* of a curve; 0: the default */
} MlRanking;

/* A zeroed struct is an empty state. The score is finite, the weight finite and >= 0. */
extern MlStatus ml_ranking_add(MlEnv *env, MlRanking *ranking, MlLabelType type, uint64_t label,
							   double score, double weight);
extern MlStatus ml_ranking_merge(MlEnv *env, MlRanking *ranking, const MlRanking *other);
extern void ml_ranking_free(MlEnv *env, MlRanking *ranking);

extern size_t ml_ranking_size(const MlRanking *ranking); /* of what save appends */
extern void ml_ranking_save(const MlRanking *ranking, MlBuffer *out);
extern MlStatus ml_ranking_load(MlReader *in, MlRanking *ranking);

/*
 * A walk over the distinct scores, from the highest down. After each step tp and fp are the weights of
 * positive and negative rows with at least that score.
 */
typedef struct MlRankWalk
{
	uint64_t *keys[2]; /* 0 negative, 1 positive: ascending sort keys */
	double *weight[2]; /* or NULL */
	size_t n[2], left[2];
	double total[2]; /* all of the class */
	double score, tp, fp;
	size_t ties; /* rows of this step */
} MlRankWalk;

/* Sort copies; the ranking stays as it is. negative and positive: the scores of the two classes. */
extern MlStatus ml_rank_walk_begin(MlEnv *env, MlRankWalk *walk, const MlScores *negative,
								   const MlScores *positive);
extern bool ml_rank_walk_next(MlRankWalk *walk);
extern void ml_rank_walk_rewind(MlRankWalk *walk);
extern void ml_rank_walk_end(MlEnv *env, MlRankWalk *walk);

/* NaN: not defined, for instance with one class only. */
typedef struct MlRankMetrics
{
	double roc_auc;
	double average_precision;
	double ks; /* greatest distance of the two distribution functions */
} MlRankMetrics;

extern MlStatus ml_rank_metrics(MlEnv *env, const MlScores *negative, const MlScores *positive,
								MlRankMetrics *metrics);

/* Scores of the negative and the positive label; false when it is not known which is positive. */
extern bool ml_ranking_classes(const MlRanking *ranking, const MlScores **negative,
							   const MlScores **positive);

/* The same metrics of a ranking, when it is known which label is positive; else all NaN. */
extern MlStatus ml_ranking_metrics(MlEnv *env, const MlRanking *ranking, MlRankMetrics *metrics);

/* Add a score to one class. */
extern MlStatus ml_scores_add(MlEnv *env, MlScores *scores, double score, double weight);
extern void ml_scores_free(MlEnv *env, MlScores *scores);

#endif /* ML_RANKING_H */
