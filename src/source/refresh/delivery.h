/*
 * delivery.h
 *		What a source delivers, in a temporary table, before its target sees anything of it.
 *
 * A refresh has three steps: the delivery is loaded (delivery.c), cut down to what is new (highwater.c), and put
 * into the target (refresh.c, upsert.c).
 */
#ifndef MLPLAT_DELIVERY_H
#define MLPLAT_DELIVERY_H

#include "source/importlog.h"
#include "source/refresh/sourcecatalog.h"
#include "source/importtarget.h"

typedef struct MlplatDelivery
{
	MlplatSource *source;
	MlplatTarget target; /* rel NULL: to be created */
	Relation rel;        /* the temporary table */
	char *name;          /* its name, with its schema, quoted */
	List *from;          /* Strings: its columns that were loaded */
	List *to;            /* those of the target that they go to */
	bool nothing_came;   /* from and to are then all columns there are */
} MlplatDelivery;

/* Load what the source has, from the high-water mark on where the source is a query. Counts go to the import. */
extern void mlplat_deliver(MlplatDelivery *delivery, MlplatImport *import);

/* Create the target, if it is not there, and bind columns: throws when some have come or gone. */
extern void mlplat_delivery_bind(MlplatDelivery *delivery);

/* All of it into the target; returns the number of rows. */
extern uint64 mlplat_delivery_insert(const MlplatDelivery *delivery);

extern void mlplat_delivery_drop(MlplatDelivery *delivery);

/* A list of columns, quoted, each after the prefix: "old." */
extern char *mlplat_column_list(const List *columns, const char *prefix);

/* Throw: a column that the source was made with is not there; columns: those that are. */
extern void mlplat_no_such_delivered(const MlplatDelivery *delivery, const char *option,
									 const char *name, const List *columns) pg_attribute_noreturn();

/* ---- highwater.c: only rows whose column lies beyond the greatest value that was loaded */

/* The query that reads them; that of the source itself when there is no mark. */
extern const char *mlplat_high_water_query(const MlplatDelivery *delivery);

/* Where the source has no mark, and the target has rows: take its greatest value. */
extern void mlplat_high_water_begin(MlplatDelivery *delivery);

/* Take rows that are not beyond the mark out of the delivery; set the mark to the greatest value of the others. */
extern void mlplat_high_water_cut(MlplatDelivery *delivery);

/* ---- upsert.c */

/* Put the delivery into the target by the source's key, which becomes the primary key of a new target. */
extern void mlplat_upsert(MlplatDelivery *delivery, uint64 *inserted, uint64 *updated);

#endif
