/*
 * arguments.c
 *		Arguments of SQL functions, by their number.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/builtins.h"

#include "pg/arguments.h"

void
mlplat_refuse_null(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"%s\" must not be null", name)));
}

void
mlplat_refuse_nulls(FunctionCallInfo fcinfo, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		mlplat_refuse_null(fcinfo, i, names[i]);
}

char *
mlplat_text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}
