/*
 * aggregate.c
 *	  Shared by the support functions of all aggregates.
 */
#include "shared/aggregate.h"

#include "nodes/memnodes.h"
#include "nodes/primnodes.h"
#include "utils/memutils.h"

/* The context in which the aggregate keeps its state; an error if no aggregate is calling. */
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

#define STATES_NAME "custmart states"
#define STATES_LOOKED_AT 8

/*
 * The context of all states of an aggregate that are expanded objects.  A separate
 * context for each group would take much more memory and, worse, time that grows
 * with the square of the number of groups: hash aggregation adds up the memory of
 * all contexts for every new group.  So all states below one context of the
 * executor share one.  It is deleted as a whole with the executor's; a single
 * state never is, because a transition function that receives a state of its kind
 * returns that same one (decision 19).
 */
MemoryContext
aggregate_states_context(FunctionCallInfo fcinfo)
{
	MemoryContext parent = aggregate_context(fcinfo);
	MemoryContext states = parent->firstchild;

	for (int i = 0; states != NULL && strcmp(states->name, STATES_NAME) != 0; i++)
		states = i < STATES_LOOKED_AT ? states->nextchild : NULL;
	if (states == NULL)
		return AllocSetContextCreate(parent, STATES_NAME, ALLOCSET_DEFAULT_SIZES);

	/* To the front, or other aggregates' contexts of each group would soon hide it. */
	if (states != parent->firstchild)
	{
		MemoryContextSetParent(states, NULL);
		MemoryContextSetParent(states, parent);
	}
	return states;
}

/* Code that catches an error must not go on with a state that the error left half-way. */
void
aggregate_check_complete(bool is_broken, const char *type)
{
	if (unlikely(is_broken))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is incomplete because an earlier error interrupted it", type),
				 errhint("Build it again.")));
}

/*
 * True if a combine function is called for the states of other processes of the same
 * query.  They come from this library and not from outside, and need no check.
 */
bool
aggregate_combines_workers(FunctionCallInfo fcinfo)
{
	Aggref	   *aggregate = AggGetAggref(fcinfo);

	return aggregate != NULL && DO_AGGSPLIT_COMBINE(aggregate->aggsplit);
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
