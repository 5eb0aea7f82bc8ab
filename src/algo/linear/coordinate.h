/*
 * coordinate.h
 *		Coordinate descent on a quadratic with an elastic net penalty.
 *
 * Minimise over b
 *		1/2 b'Hb - q'b + l1 sum_j f_j |b_j| + l2/2 sum_j f_j b_j^2
 * for a symmetric H that is positive semidefinite. One coordinate at a time is
 * set to its best value given the others: soft(q_j - sum_k!=j H_jk b_k, l1 f_j) /
 * (H_jj + l2 f_j) (Friedman, Hastie and Tibshirani 2010, "covariance updates").
 * Sweeps go over the coordinates that have ever been other than zero until those
 * rest, then once over all (their section 2.6).
 *
 * The descent is cut into slices of bounded work, so that it may run as tasks of
 * a pool: a slice allocates nothing and gives the same bytes wherever it is cut.
 */
#ifndef ML_COORDINATE_H
#define ML_COORDINATE_H

#include "core/env.h"

typedef struct MlDescent
{
	size_t n, ld;
	const double *h;      /* both triangles: column j from h + j * ld on */
	const double *q;      /* n */
	const double *factor; /* f, n of them >= 0; NULL: all 1 */
	double l1, l2;

	double *b; /* the point */
	double *r; /* q - Hb, kept up to date */
	uint32_t *active;
	uint8_t *is_active;
	size_t n_active;

	bool all;     /* this sweep goes over all coordinates */
	size_t at;    /* where it is */
	double moved; /* the greatest H_jj (change of b_j)^2 in it */
	uint64_t sweeps;
} MlDescent;

/* Room for n coordinates, from b = 0. h, q and penalties are the caller's to set; h and q stay the caller's. */
extern MlStatus ml_descent_create(MlArena *arena, size_t n, MlDescent *descent);

/* Begin sweeps afresh after h, q, b or a penalty has changed; r is computed when recompute. */
extern void ml_descent_start(MlDescent *descent);
extern void ml_descent_residual(MlDescent *descent);

/*
 * Go on for about `work` operations. True: a sweep over all coordinates changed none by more than
 * H_jj change^2 = still. False: call again.
 */
extern bool ml_descent_run(MlDescent *descent, double still, size_t work);

/*
 * How far the objective is above its minimum at most, where H = X'X, q = X'y and yy = y'y, all f = 1: the gap
 * to the dual point that the residual gives (Kim, Koh, Lustig, Boyd and Gorinevsky 2007). l1 > 0.
 */
extern double ml_descent_gap(const MlDescent *descent, double yy);

/* y'y - 2 q'b + b'Hb */
extern double ml_descent_rss(const MlDescent *descent, double yy);

#endif /* ML_COORDINATE_H */
