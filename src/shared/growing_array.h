/*
 * growing_array.h
 *	  Arrays whose length is not known before they are filled.
 */
#ifndef CUSTMART_GROWING_ARRAY_H
#define CUSTMART_GROWING_ARRAY_H

#include "shared/core.h"
#include "shared/large_memory.h"

#define GROWING_ARRAY_FIRST 128	/* bytes */

/*
 * Reallocates an array with room for `needed` elements, and at least twice as many
 * as before.  A NULL array is allocated in the context.
 */
static inline void *
array_grow(void *array, Size *capacity, Size needed, Size element_size, MemoryContext context)
{
	Size		room = Max(Max(needed, *capacity * 2), GROWING_ARRAY_FIRST / element_size);

	array = array == NULL ? large_alloc(context, room * element_size) :
		large_realloc(array, room * element_size);
	*capacity = room;
	return array;
}

/* The same, with zeros in all new elements. */
static inline void *
array_grow_zeroed(void *array, Size *capacity, Size needed, Size element_size, MemoryContext context)
{
	Size		before = *capacity;

	array = array_grow(array, capacity, needed, element_size, context);
	large_clear((char *) array + before * element_size, (*capacity - before) * element_size);
	return array;
}

#endif							/* CUSTMART_GROWING_ARRAY_H */
