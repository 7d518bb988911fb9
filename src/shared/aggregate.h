/*
 * aggregate.h
 *	  Shared by the support functions of all aggregates.
 *
 * A support function changes the state in place, which only an aggregate may ask
 * for: called by hand, it could change a constant of the plan.  So each of them,
 * the final ones included, first makes sure that an aggregate calls it.
 */
#ifndef CUSTMART_AGGREGATE_H
#define CUSTMART_AGGREGATE_H

#include "custmart.h"

#include "shared/compat.h"
#include "utils/expandeddatum.h"

extern MemoryContext aggregate_context(FunctionCallInfo fcinfo);
extern MemoryContext aggregate_states_context(FunctionCallInfo fcinfo);
extern bool aggregate_combines_workers(FunctionCallInfo fcinfo);
extern Datum aggregate_same_state(FunctionCallInfo fcinfo);
extern void aggregate_check_complete(bool is_broken, const char *type);

/*
 * The state of an aggregate, argument 0, if it is an expanded object with these
 * methods that may be changed; otherwise NULL.  This is the path that every row
 * but the first takes.
 */
static inline ExpandedObjectHeader *
aggregate_expanded_state(FunctionCallInfo fcinfo, const ExpandedObjectMethods *methods)
{
	if (likely(!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)) &&
			   AggCheckCallContext(fcinfo, NULL)))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(PG_GETARG_DATUM(0));

		if (likely(header->eoh_methods == methods))
			return header;
	}
	return NULL;
}

#endif							/* CUSTMART_AGGREGATE_H */
