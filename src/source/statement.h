/*
 * statement.h
 *		SQL statements that are put together: run them, and write the names in them.
 */
#ifndef MLPLAT_STATEMENT_H
#define MLPLAT_STATEMENT_H

#include "utils/relcache.h"

/* Run a statement as the caller; returns the number of rows that it processed. */
extern uint64 mlplat_statement(const char *format, ...) pg_attribute_printf(1, 2);

/* The first column of the first row as text, in the current context; NULL: null, or no row. */
extern char *mlplat_statement_value(const char *format, ...) pg_attribute_printf(1, 2);

/* schema.table, quoted */
extern char *mlplat_relation_name(Relation rel);

/* OPERATOR(schema.=), so that the search path has no say */
extern char *mlplat_operator_name(Oid oid);

/* A column's type in full, to cast to */
extern char *mlplat_column_type_name(Relation rel, const char *column);
extern Oid mlplat_column_type(Relation rel, const char *column);

#endif
