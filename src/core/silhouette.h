/*
 * silhouette.h
 *		How well clusters are apart (Rousseeuw 1987).
 *
 * Of a point: (b - a) / max(a, b), where a is its mean distance to the others of its
 * cluster and b the least of its mean distances to the points of another cluster; 0 in a
 * cluster of one. The silhouette of a clustering is the mean over all points.
 */
#ifndef ML_SILHOUETTE_H
#define ML_SILHOUETTE_H

#include "core/env.h"

/* Points x[i * width + j] with a label below n_labels; count: how often a point occurs, NULL: once. */
typedef struct MlSilhouettePoints
{
	const double *x;
	size_t n, width;
	const uint32_t *label;
	uint32_t n_labels;
	const double *count;
} MlSilhouettePoints;

/* The mean; NaN with fewer than two clusters that have points. Time grows with the square of n. */
extern MlStatus ml_silhouette(MlEnv *env, const MlSilhouettePoints *points, double *mean);

#endif /* ML_SILHOUETTE_H */
