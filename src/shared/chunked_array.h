/*
 * chunked_array.h
 *	  Arrays that grow to tens of millions of elements and are read anywhere.
 *
 * An array that grows by reallocation is moved by the kernel, page by page, and what
 * lay in large pages is in small ones afterwards: most of its reads then miss the
 * translation cache as well.  Here chunks of some megabytes stay where they are.
 * Only the first one grows, so small arrays are small.
 */
#ifndef CUSTMART_CHUNKED_ARRAY_H
#define CUSTMART_CHUNKED_ARRAY_H

#include "shared/core.h"
#include "shared/large_memory.h"

#define CHUNK_BITS 18
#define CHUNK_ELEMENTS ((Size) 1 << CHUNK_BITS)
#define CHUNK_FIRST ((Size) 8)

typedef struct ChunkedArray
{
	MemoryContext context;
	Size		element_size;
	Size		count;			/* for the caller */
	Size		capacity;
	char	  **chunks;
} ChunkedArray;

static inline void
chunked_init(ChunkedArray *array, Size element_size, MemoryContext context)
{
	memset(array, 0, sizeof(*array));
	array->context = context;
	array->element_size = element_size;
}

/* An element; its type's size is a constant to the compiler. */
#define chunked_at(array, type, i) \
	((type *) (array)->chunks[(Size) (i) >> CHUNK_BITS] + ((Size) (i) & (CHUNK_ELEMENTS - 1)))

/* Makes room for this many elements in all. */
static inline void
chunked_reserve(ChunkedArray *array, Size count)
{
	while (unlikely(array->capacity < count))
	{
		Size		nchunks = array->capacity >> CHUNK_BITS;

		if (array->capacity == 0)
		{
			array->chunks = MemoryContextAllocHuge(array->context, sizeof(char *));
			array->chunks[0] = MemoryContextAllocHuge(array->context, CHUNK_FIRST * array->element_size);
			array->capacity = CHUNK_FIRST;
		}
		else if (nchunks == 0)
		{
			array->capacity *= 2;
			array->chunks[0] = large_realloc(array->chunks[0], array->capacity * array->element_size);
		}
		else
		{
			/* The list of chunks doubles whenever its length is a power of two. */
			if ((nchunks & (nchunks - 1)) == 0)
				array->chunks = repalloc_huge(array->chunks, nchunks * 2 * sizeof(char *));
			array->chunks[nchunks] = large_alloc(array->context, CHUNK_ELEMENTS * array->element_size);
			array->capacity += CHUNK_ELEMENTS;
		}
	}
}

/* Empties the array and frees its memory. */
static inline void
chunked_clear(ChunkedArray *array)
{
	Size		nchunks = (array->capacity + CHUNK_ELEMENTS - 1) >> CHUNK_BITS;

	for (Size i = 0; i < nchunks; i++)
		pfree(array->chunks[i]);
	if (array->chunks != NULL)
		pfree(array->chunks);
	array->chunks = NULL;
	array->count = array->capacity = 0;
}

#endif							/* CUSTMART_CHUNKED_ARRAY_H */
