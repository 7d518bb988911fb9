/*
 * array_state.c
 *	  Numbers collected in an array.
 */
#include "shared/array_state.h"

#include "catalog/pg_type.h"
#include "shared/aggregate.h"
#include "shared/core.h"
#include "utils/array.h"

StaticAssertDecl(sizeof(int64) == 8 && sizeof(float8) == 8, "both kinds of element have 8 bytes");

/*
 * More elements than this would not fit into PostgreSQL's expanded array, which
 * grows by an eighth and holds at most 1 GB.
 */
#define ARRAY_STATE_MAX 100000000

/*
 * The state in argument 0 of a transition or combine function, made writable;
 * false if there was none and the state is a new, empty one.
 */
bool
array_state_of_aggregate(FunctionCallInfo fcinfo, ArrayState *state)
{
	MemoryContext context = aggregate_context(fcinfo);
	ExpandedArrayHeader *array;

	if (PG_ARGISNULL(0))
		array = construct_empty_expanded_array(INT8OID, context, NULL);
	else
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		array = DatumGetExpandedArray(PG_GETARG_DATUM(0));
		MemoryContextSwitchTo(old);
	}
	state->array = EOHPGetRWDatum(&array->hdr);
	state->count = array->ndims == 0 ? 0 : array->dims[0];
	return !PG_ARGISNULL(0);
}

/* The array if its elements are there one by one, as they are once something was appended, without NULLs; else NULL. */
static inline ExpandedArrayHeader *
open_array(const ArrayState *state)
{
	ExpandedArrayHeader *array = (ExpandedArrayHeader *) DatumGetEOHP(state->array);

	return array->dvalues != NULL && array->dnulls == NULL && array->ndims == 1 && array->lbound[0] == 1 ? array : NULL;
}

/* Appends a number. */
void
array_state_append(ArrayState *state, int64 value)
{
	int			position = ++state->count;
	ExpandedArrayHeader *array = open_array(state);

	if (unlikely(position > ARRAY_STATE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an aggregate cannot collect more than %d numbers", ARRAY_STATE_MAX),
				 errhint("Use a sample, or a book where there is one: rfm_cuts(rfm_book), clv_fit(retention_book).")));
	/* What array_set_element does where there is room, which there nearly always is. */
	if (likely(array != NULL && array->nelems < array->dvalueslen))
	{
		array->dvalues[array->nelems++] = Int64GetDatum(value);
		array->dims[0]++;
		array->fvalue = NULL;
		array->flat_size = 0;
		return;
	}
	state->array = array_set_element(state->array, 1, &position, Int64GetDatum(value), false,
										  -1, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/*
 * The elements of a state, 8 bytes each in this machine's order, and how many.
 */
const char *
array_state_elements(Datum state, int *count)
{
	ArrayType  *array = DatumGetArrayTypeP(state);

	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) ||
		(ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] != 1))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of an aggregate is not valid")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (const char *) array + ARR_OVERHEAD_NONULLS(ARR_NDIM(array));
}

/* An element of a state that is being collected, by its position from 1. */
int64
array_state_element(const ArrayState *state, int position)
{
	ExpandedArrayHeader *array = open_array(state);
	bool		is_null;

	if (likely(array != NULL && position <= array->nelems))
		return DatumGetInt64(array->dvalues[position - 1]);
	return DatumGetInt64(array_get_element(state->array, 1, &position, -1, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &is_null));
}

/*
 * A combine function: appends the collected values of argument 1 to the state.
 * header(elements, count) returns how many elements at the beginning are
 * parameters, which a message calls by that name, or raises an error if the state
 * is not valid.
 */
Datum
array_state_combine(FunctionCallInfo fcinfo, int (*header) (const char *, int), const char *parameters)
{
	ArrayState	state;
	const char *other;
	int			count;
	int			skip;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	other = array_state_elements(PG_GETARG_DATUM(1), &count);
	skip = header(other, count);
	if (!array_state_of_aggregate(fcinfo, &state))
		skip = 0;
	for (int i = 0; i < count; i++)
	{
		int64		bits;

		check_interrupts(i);
		memcpy(&bits, other + (Size) i * 8, 8);
		if (i >= skip)
			array_state_append(&state, bits);
		else if (bits != array_state_element(&state, i + 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s of an aggregate must be the same for all rows", parameters),
					 errhint("Write them as constants.")));
	}
	PG_RETURN_DATUM(state.array);
}
