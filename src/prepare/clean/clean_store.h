/*
 * clean_store.h
 *		Recorded cleanings: what was done to which query, and what was fitted, to do it again.
 */
#ifndef MLPLAT_CLEAN_STORE_H
#define MLPLAT_CLEAN_STORE_H

#include "prepare/clean/clean.h"

extern void mlplat_clean_check_name(const char *name);

/* Read the steps from JSON; all that can be checked without columns is checked. */
extern void mlplat_clean_set_steps(Cleaning *cleaning, const char *steps);

/* Steps and fits of a recorded cleaning; an error when there is none of that name. */
extern void mlplat_clean_load(Cleaning *cleaning, const char *name);

/* Record what was done, in the place of what the owner has recorded under that name. */
extern void mlplat_clean_save(Cleaning *cleaning, const char *name, const char *target,
							  double seconds);
extern void mlplat_clean_drop(const char *name);

#endif
