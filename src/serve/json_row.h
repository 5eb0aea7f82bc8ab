/*
 * json_row.h
 *		A row as a jsonb object: members by name, numbers, texts and dates.
 */
#ifndef MLPLAT_JSON_ROW_H
#define MLPLAT_JSON_ROW_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "data/schema.h"

/* raw: n_slots values. A member that is missing is an error that names it; null is a missing value. */
extern void mlplat_read_json_row(const MlSchema *schema, Jsonb *row, double *raw);

#endif
