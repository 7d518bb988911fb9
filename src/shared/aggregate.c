/*
 * aggregate.c
 *	  What the support functions of all aggregates share.
 */
#include "shared/aggregate.h"

/* The memory in which the aggregate keeps its state; an error if none is calling. */
MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("support function of an aggregate called outside an aggregate"),
				 errhint("Call the aggregate itself.")));
	return context;
}

/* The state as it is, for a row that is skipped. */
Datum
aggregate_same_state(FunctionCallInfo fcinfo)
{
	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
