/*
 * groups.h
 *		Rows counted by one or two keys, with the mean and spread of a number in each group: what measures how
 *		categories go together with numbers and with each other.
 */
#ifndef ML_GROUPS_H
#define ML_GROUPS_H

#include "core/buffer.h"

typedef struct MlGroup
{
	uint64_t a, b;   /* the keys */
	uint64_t n;      /* rows; 0: the slot is free */
	double mean, m2; /* of the number */
} MlGroup;

typedef struct MlGroups
{
	MlEnv *env;
	size_t limit; /* groups; with more, they are given up */
	bool full;    /* they were */
	size_t n;
	size_t n_slots; /* a power of two, or 0 */
	MlGroup *slots;
} MlGroups;

extern void ml_groups_init(MlGroups *groups, MlEnv *env, size_t limit);
extern void ml_groups_free(MlGroups *groups);
extern MlStatus ml_groups_add(MlGroups *groups, uint64_t a, uint64_t b, double number);

/* More groups than the limit in both together are given up, whoever has seen them. */
extern MlStatus ml_groups_merge(MlGroups *groups, const MlGroups *other);
extern void ml_groups_save(const MlGroups *groups, MlBuffer *out);
extern MlStatus ml_groups_load(MlReader *in, MlGroups *groups); /* free it on failure, too */

/*
 * How much of the spread of the number lies between the groups: the correlation ratio eta, 0 to 1, corrected for the
 * number of groups (Kelley 1935), so that it is about 0 where they say nothing. NaN: too few rows, no spread, given up.
 */
extern double ml_groups_eta(const MlGroups *groups);

/*
 * With two groups: Pearson's r of the number with 0 and 1, where 1 stands for the group of key a = one. NaN: there are
 * not two, no spread, given up.
 */
extern double ml_groups_contrast(const MlGroups *groups, uint64_t one);

/* Rows in all groups. */
extern uint64_t ml_groups_rows(const MlGroups *groups);

/*
 * Cramer's V of the keys a and b, 0 to 1, with the correction of Bergsma 2013. NaN likewise.
 */
extern MlStatus ml_groups_cramers_v(const MlGroups *groups, double *v);

#endif /* ML_GROUPS_H */
