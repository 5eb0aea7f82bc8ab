/*
 * rows.c
 *		Return rows from a set-returning function, all at once.
 *
 * The server has this as InitMaterializedSRF from version 15 on.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"

#include "pg/rows.h"
#include "pg/signature.h"

Tuplestorestate *
mlplat_rows_begin(FunctionCallInfo fcinfo, int n_columns, TupleDesc *desc)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;

	if (!result || !IsA(result, ReturnSetInfo) || !(result->allowedModes & SFRM_Materialize))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	*desc = mlplat_result_desc(fcinfo, n_columns);
	result->returnMode = SFRM_Materialize;
	result->setResult = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	result->setDesc = *desc;
	MemoryContextSwitchTo(caller);
	return result->setResult;
}
