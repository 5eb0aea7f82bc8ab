/*
 * labelled_points.h
 *		Points of a clustering for its silhouette: all of them while few, then a sample.
 *
 * Equal rows (label and coordinates) are one *point* with a count. Up to
 * ML_POINTS_MAX distinct points the silhouette is exact; beyond, those with the
 * least hashes are kept, with all their counts. Which they are does not depend on
 * the order of rows, nor on how parts are merged.
 */
#ifndef ML_LABELLED_POINTS_H
#define ML_LABELLED_POINTS_H

#include "core/buffer.h"

#define ML_POINTS_MAX ((size_t) 10000)

typedef struct MlLabelledPoint
{
	uint64_t hash, label;
	double count;
} MlLabelledPoint;

/* Start with zeros. Memory is the environment's of the calls; it goes with its context, or by ml_points_free. */
typedef struct MlLabelledPoints
{
	size_t width, n, capacity, x_capacity, n_slots;
	uint64_t limit; /* least hash that was left out; 0: none */
	MlLabelledPoint *points;
	double *x;       /* [i * width + j] */
	uint32_t *slots; /* number of a point + 1; 0: free */
} MlLabelledPoints;

/* One row; label: any 64 bits that tell labels apart. ML_EDATA: another width, or a coordinate is not finite. */
extern MlStatus ml_points_add(MlLabelledPoints *p, MlEnv *env, uint64_t label, const double *x,
							  size_t width, double count);
extern MlStatus ml_points_merge(MlLabelledPoints *p, MlEnv *env, const MlLabelledPoints *other);

/* NaN with fewer than two labels. */
extern MlStatus ml_points_silhouette(const MlLabelledPoints *p, MlEnv *env, double *mean);

extern void ml_points_save(const MlLabelledPoints *p, MlBuffer *out);
extern MlStatus ml_points_load(MlReader *in, MlEnv *env, MlLabelledPoints *p);
extern void ml_points_free(MlLabelledPoints *p, MlEnv *env);

#endif /* ML_LABELLED_POINTS_H */
