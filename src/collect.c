/*
 * collect.c
 *	  Numbers collected in an array.
 */
#include "collect.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

StaticAssertDecl(sizeof(int64) == 8 && sizeof(float8) == 8, "both kinds of element have 8 bytes");

/*
 * The state in argument 0 of a transition or combine function, made writable;
 * false if there was none and the collection is a new, empty one.
 */
bool
collection_of_state(FunctionCallInfo fcinfo, Oid type, Collection *collection)
{
	MemoryContext context;
	ExpandedArrayHeader *array;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("support function of an aggregate called outside of one")));
	if (PG_ARGISNULL(0))
		array = construct_empty_expanded_array(type, context, NULL);
	else
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		array = DatumGetExpandedArray(PG_GETARG_DATUM(0));
		MemoryContextSwitchTo(old);
	}
	collection->array = EOHPGetRWDatum(&array->hdr);
	collection->type = type;
	collection->count = array->ndims == 0 ? 0 : array->dims[0];
	return !PG_ARGISNULL(0);
}

/* Appends a number. */
void
collect(Collection *collection, Datum value)
{
	int			position = ++collection->count;

	collection->array = array_set_element(collection->array, 1, &position, value, false,
										  -1, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/*
 * The elements of a state, 8 bytes each in this machine's order, and how many.
 */
const char *
collected(Datum state, int *count)
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

/*
 * A combine function: appends the collected values of argument 1 to the state.
 * header(elements, count) tells how many elements at the beginning are
 * parameters, or -1 if the state is not valid.
 */
Datum
collect_combine(FunctionCallInfo fcinfo, Oid type, int (*header) (const char *, int))
{
	Collection	collection;
	const char *other;
	int			count;
	int			skip;

	if (PG_ARGISNULL(1) && PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
	{
		(void) collection_of_state(fcinfo, type, &collection);
		PG_RETURN_DATUM(collection.array);
	}
	other = collected(PG_GETARG_DATUM(1), &count);
	skip = header(other, count);
	if (collection_of_state(fcinfo, type, &collection))
	{
		int			own_count;
		const char *own = collected(PG_GETARG_DATUM(0), &own_count);
		int			own_skip = header(own, own_count);

		if (skip != own_skip || memcmp(own, other, (Size) skip * 8) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameters of an aggregate must be the same for all rows")));
	}
	else
		skip = 0;
	for (int i = skip; i < count; i++)
	{
		Datum		value;

		if (type == FLOAT8OID)
		{
			float8		number;

			memcpy(&number, other + (Size) i * 8, 8);
			value = Float8GetDatum(number);
		}
		else
		{
			int64		number;

			memcpy(&number, other + (Size) i * 8, 8);
			value = Int64GetDatum(number);
		}
		if ((i & 0xFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		collect(&collection, value);
	}
	PG_RETURN_DATUM(collection.array);
}
