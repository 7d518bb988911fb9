/*
 * conditions.c
 *	  A list of conditions that comes as an array.
 */
#include "shared/conditions.h"

#include "utils/array.h"

/* The conditions of an array argument, which is not NULL; raises 22023 if there are not 1 to CONDITIONS_MAX. */
uint32
conditions_of_array(FunctionCallInfo fcinfo, int argument, const ConditionsText *text, int *count)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
	int			n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	const bits8 *present;
	const char *element;
	uint32		met = 0;

	if (unlikely(ARR_NDIM(array) > 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of conditions, not an array of %d dimensions", text->list, ARR_NDIM(array)),
				 errhint("%s", text->hint)));
	if (unlikely(n < 1 || n > CONDITIONS_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must have 1 to %d %s, not %d", text->owner, CONDITIONS_MAX, text->list, n),
				 errhint("%s", text->hint)));
	present = ARR_NULLBITMAP(array);
	element = (const char *) array + (present != NULL ? (Size) array->dataoffset : ARR_OVERHEAD_NONULLS(1));
	for (int i = 0; i < n; i++)
		if (likely(present == NULL) || (present[i / 8] >> i % 8 & 1))
			met |= (uint32) (*element++ != 0) << i;
	PG_FREE_IF_COPY(array, argument);
	*count = n;
	return met;
}
