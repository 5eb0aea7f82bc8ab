/*
 * signature.c
 *		Is the SQL definition that calls a C function the one it was written for?
 */
#include "postgres.h"

#include "pg/compat.h"
#include "funcapi.h"
#include "utils/lsyscache.h"

#include "pg/signature.h"

static _Noreturn void
refuse_definition(FunctionCallInfo fcinfo)
{
	char *name = get_func_name(fcinfo->flinfo->fn_oid);

	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("function \"%s\" and the library of mlplat are of different versions",
						   name ? name : "?"),
					errhint("Run ALTER EXTENSION mlplat UPDATE; after a change of the installed "
							"files, reconnect.")));
}

void
mlplat_need_arguments(FunctionCallInfo fcinfo, int n_arguments)
{
	if (unlikely(PG_NARGS() < n_arguments))
		refuse_definition(fcinfo);
}

TupleDesc
mlplat_result_desc(FunctionCallInfo fcinfo, int n_columns)
{
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != n_columns)
		refuse_definition(fcinfo);
	return desc;
}
