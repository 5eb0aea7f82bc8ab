/*
 * split_table.h
 *		What the files of split_table share.
 *
 * Words: a *part* is one of the views or tables that are made; a *share* is the
 * fraction of rows of a part, or of the rest that no part gets; a part's
 * *condition* is the SQL expression that is true of its rows, and of no other's.
 */
#ifndef MLPLAT_SPLIT_TABLE_H
#define MLPLAT_SPLIT_TABLE_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#define SPLIT_MAX_PARTS 100
#define SPLIT_MAX_CLASSES 1000

typedef enum SplitRule
{
	SPLIT_RANDOM,
	SPLIT_STRATIFIED,
	SPLIT_BY_GROUP,
	SPLIT_IN_ORDER
} SplitRule;

/* One of the views or tables. */
typedef struct SplitPart
{
	const char *name;      /* train */
	const char *condition; /* on the alias t of the relation */
	Oid schema;
	const char *relation;  /* without schema */
	const char *qualified; /* quoted, with schema */
	Oid replaced;          /* there now, to be replaced */
} SplitPart;

typedef struct Split
{
	Relation rel;
	const char *source; /* quoted, with schema */
	SplitRule rule;
	int column;       /* attribute (from 0) to stratify by, group by or order by; -1: none */
	int class_column; /* attribute whose classes are counted; -1: none */
	List *key;        /* attributes; what tells rows apart, or the group */
	int32 seed;
	bool tables; /* else views */
	bool replace;
	int n_parts;
	SplitPart parts[SPLIT_MAX_PARTS];
	int n_shares;                       /* n_parts, or one more for the rest */
	double shares[SPLIT_MAX_PARTS + 1]; /* sum to 1 */
} Split;

/* ---- split_parts.c */

/* An attribute of the relation as SQL: t."name"; its name; its type. */
extern const char *mlplat_split_column(const Split *split, int attribute);
extern const char *mlplat_split_column_name(const Split *split, int attribute);
extern Oid mlplat_split_column_type(const Split *split, int attribute);

/* Find out what the parts are called, and that they can be. name: in place of the relation's; may be NULL. */
extern void mlplat_split_name_parts(Split *split, const char *name);

/* Make the views or tables; tables are empty. Within SPI, as all below. */
extern void mlplat_split_create(const Split *split);

/*
 * Fill the tables, and count: the SPI result then has part (from 1; NULL: the rest), class, rows, rows of the part and
 * rows of the class, ordered by part and class.
 */
extern void mlplat_split_count(const Split *split);

/* ---- split_rule.c: set the conditions of all parts, from the rows under the active snapshot. */
extern void mlplat_split_find_conditions(Split *split);

#endif
