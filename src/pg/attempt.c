/*
 * attempt.c
 *		Do something that may fail, and have its error in hand with nothing of it left over.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "pg/attempt.h"

ErrorData *
mlplat_attempt(MlplatWorkFn work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	MlplatShown shown = mlplat_shown();
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		mlplat_show_again(&shown);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}
