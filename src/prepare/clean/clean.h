/*
 * clean.h
 *		clean: rows of a query through a list of steps into a new table.
 *
 * Words: a *step* is one action of the recipe; a *cell* is one column as one
 * step treats it; a *fit* gathers what a cell must know of all rows before it
 * can treat the first; a *stage* is a run of steps that rows go through one by
 * one, from one reading of all rows to the next. *Missing* is NULL, and NaN.
 *
 * A row is an array of values, one place for each column of the query from the
 * beginning to the end; a column that is dropped leaves its place empty.
 */
#ifndef MLPLAT_CLEAN_H
#define MLPLAT_CLEAN_H

#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/execnodes.h"
#include "utils/sortsupport.h"
#include "utils/tuplesort.h"

#include "data/cleanstep.h"

/* What a column is before a step. */
typedef struct CleanColumn
{
	const char *name;
	const char *key; /* the name in UTF-8, for JSON */
	Oid type;
	int32 typmod;
	Oid collation;
	Oid base_type; /* below domains */
	int16 typlen;
	bool typbyval;
	int dropped_by; /* number of a step; 0: it is there */
} CleanColumn;

typedef struct CleanRow
{
	Datum *values;
	bool *nulls;
	ExprContext *econtext; /* its memory is emptied before each row */
} CleanRow;

typedef struct CleanFit CleanFit;

/* Old values in ascending order; news[i] takes the place of olds[i] (NULL: the set alone matters). */
typedef struct CleanLevels
{
	size_t n;
	Datum *olds;
	Datum *news;
	bool *new_nulls;
} CleanLevels;

/* One column as one step treats it. */
typedef struct CleanCell
{
	int index; /* its place in the row */
	CleanColumn column;
	FmgrInfo input; /* of the column's type after the step */
	Oid ioparam;
	Oid to_type; /* of the column after the step */
	int32 to_typmod;
	void *domain; /* cache of the domain's checks */
	SortSupportData order;
	bool has_value, has_low, has_high;
	Datum value, low, high;
	CleanLevels levels;
	ExprState *cast;
	int sure_digits; /* plain numbers of so many digits can be cast; 0: who knows */
	bool sure_fraction;
	CleanFit *fit;
} CleanCell;

struct CleanStep;

/* What is being done, for messages; both NULL: nothing that a step is to blame for. */
typedef struct CleanPlace
{
	const struct CleanStep *step;
	const CleanCell *cell;
} CleanPlace;

typedef struct CleanStep
{
	const MlCleanStep *spec;
	int number; /* from 1 */
	CleanPlace *place;
	MlEnv *env;
	MemoryContext context; /* of the whole cleaning */
	TupleDesc desc;        /* the row before the step; for those that sort, fit or evaluate */
	int n_cells;
	CleanCell *cells;
	int n_order, n_group; /* columns that order rows, and that make groups */
	int *order, *group;
	ExprState *filter;
	TupleTableSlot *slot; /* the row, for expressions */
	const MlJson *replay; /* what the first time gave; NULL: this is the first time */
	const MlJson *replay_utf8;
	bool fitted;    /* needs no more fit */
	MlBuffer facts; /* the fit as JSON; empty: none */
	int64 rows_in, rows_dropped, cells_changed;
} CleanStep;

/* A cleaning at work. */
typedef struct Cleaning
{
	MlEnv env;
	MlArena arena;
	MemoryContext context;
	const char *query;
	const char *steps_text;    /* JSON */
	const MlJson *replay;      /* fits of the first time, an item a step; NULL: this is it */
	const MlJson *replay_utf8; /* the same as it is to be written */
	const char *replay_name;   /* the recipe that is replayed */
	TupleDesc described;       /* what the query returns */
	int n_columns;
	CleanColumn *columns; /* before the first step that is not bound yet */
	int n_steps, n_bound;
	CleanStep *steps;
	CleanRow row;
	CleanPlace place;
	int64 rows_in, rows_out;
} Cleaning;

/* ---- clean_columns.c */

extern void mlplat_clean_columns(Cleaning *cleaning, TupleDesc desc); /* those of the query */
extern void mlplat_clean_set_type(CleanColumn *column, Oid type, int32 typmod, Oid collation);

/* The row as it is before the next step. */
extern TupleDesc mlplat_clean_describe_row(const Cleaning *cleaning);

/* The place of a column; -1: it is not there, or was dropped. */
extern int mlplat_clean_look_for_column(const Cleaning *cleaning, const char *name);

/* The place of a column that a step names; an error where it is not there any more. */
extern int mlplat_clean_find_column(const Cleaning *cleaning, const CleanStep *step,
									const char *name);

/* A type as recipes name it: the same whatever search_path is. */
extern char *mlplat_clean_type_name(Oid type);

/* ---- clean_bind.c: steps meet columns */

extern void mlplat_clean_bind(Cleaning *cleaning, int i); /* step i; those before are bound */
extern void
mlplat_clean_check(Cleaning *cleaning); /* bind all, to see errors early, and forget it */
extern void mlplat_clean_fit_done(Cleaning *cleaning, CleanStep *step); /* it has seen all rows */

extern bool mlplat_clean_sorts(const CleanStep *step);
extern bool mlplat_clean_drops_columns(const CleanStep *step);
extern bool mlplat_clean_drops_rows(const CleanStep *step);

/* ---- clean_value.c: values of a column */

extern bool mlplat_clean_is_missing(const CleanColumn *column, Datum value, bool isnull);
extern bool mlplat_clean_is_number(Oid base_type);
extern bool mlplat_clean_is_text(Oid base_type);
extern double mlplat_clean_to_double(Oid base_type, Datum value); /* of a number */

extern int mlplat_clean_plain_texts_begin(void);
extern void mlplat_clean_plain_texts_end(int level);

/* The text of a value, and a value of the type after the step (text NULL: a null's); in the current context. */
extern char *mlplat_clean_value_text(const CleanColumn *column, Datum value);
extern Datum mlplat_clean_read_value(CleanStep *step, CleanCell *cell, const char *text);
extern void mlplat_clean_check_domain(CleanStep *step, CleanCell *cell, Datum value, bool isnull);

/* Which of the levels equals the value; -1: none. */
extern void mlplat_clean_sort_levels(CleanCell *cell);
extern int mlplat_clean_find_level(CleanCell *cell, Datum value);

/* The order of a type that has one, texts by their bytes: what equality goes by. */
extern Oid mlplat_clean_equality_collation(const CleanColumn *column);
extern void mlplat_clean_order(const CleanColumn *column, SortSupport order);
extern int mlplat_clean_compare(CleanCell *cell, Datum a, Datum b);

/* ---- clean_expr.c: SQL expressions over the columns */

extern void mlplat_clean_bind_filter(CleanStep *step, Cleaning *cleaning);
/* Returns the collation of the result. */
extern Oid mlplat_clean_bind_cast(CleanStep *step, CleanCell *cell);
extern bool mlplat_clean_keeps(CleanStep *step, CleanRow *row);
/* False: the row goes. */
extern bool mlplat_clean_cast(CleanStep *step, CleanCell *cell, CleanRow *row);

/* ---- clean_fit.c */

extern bool mlplat_clean_needs_fit(const CleanStep *step);
extern void mlplat_clean_begin_fit(CleanStep *step,
								   int work_kb); /* work_kb: for each of its cells */
extern int mlplat_clean_n_sorts(const CleanStep *step);
extern void mlplat_clean_fit_row(CleanStep *step, const CleanRow *row);

/* ---- clean_facts.c */

/* Facts from the rows, from the recipe, or, for given bounds, from the options; columns may be dropped. */
extern void mlplat_clean_end_fit(CleanStep *step, CleanColumn *columns);
extern void mlplat_clean_use_recorded(CleanStep *step, CleanColumn *columns);
extern void mlplat_clean_use_options(CleanStep *step, CleanColumn *columns);

/* ---- clean_row.c: what the steps do to one row */

/* False: the row goes. */
extern bool mlplat_clean_apply(CleanStep *step, CleanRow *row);

/* ---- clean_sort.c: duplicates and values of the row before, which need the rows in order */

typedef struct CleanSort CleanSort;
typedef void (*CleanRowFn)(void *arg); /* takes the cleaning's row */

extern CleanSort *mlplat_clean_sort_begin(Cleaning *cleaning, CleanStep *step);
extern void mlplat_clean_sort_put(CleanSort *sort);
extern void mlplat_clean_sort_emit(CleanSort *sort, CleanRowFn emit, void *arg);

/* ---- clean_target.c */

typedef struct CleanTarget CleanTarget;

/* Check the name and the right to make the table, and keep others from making it until the end of the transaction. */
extern CleanTarget *mlplat_clean_target(text *name, bool replace);
extern char *mlplat_clean_target_name(const CleanTarget *target); /* qualified and quoted */
extern void mlplat_clean_target_begin(CleanTarget *target, const Cleaning *cleaning);
extern void mlplat_clean_target_row(CleanTarget *target, const CleanRow *row);
extern void mlplat_clean_target_end(CleanTarget *target);

/* ---- clean_run.c */

extern void mlplat_clean_run(Cleaning *cleaning, CleanTarget *target);

#endif
