/*
 * byte_buffer.h
 *	  A buffer for bytes whose number is not known before they are written.
 */
#ifndef CUSTMART_BYTE_BUFFER_H
#define CUSTMART_BYTE_BUFFER_H

#include "shared/core.h"
#include "shared/large_memory.h"

typedef struct ByteBuffer
{
	uint8	   *data;
	Size		size;			/* bytes written */
	Size		capacity;
} ByteBuffer;

static inline void
buffer_init(ByteBuffer *buffer, Size capacity, MemoryContext context)
{
	buffer->data = large_alloc(context, capacity);
	buffer->size = 0;
	buffer->capacity = capacity;
}

/* Where the next bytes go, with room for this many; fewer may be written. */
static inline uint8 *
buffer_reserve(ByteBuffer *buffer, Size room)
{
	if (unlikely(buffer->capacity - buffer->size < room))
	{
		Size		capacity = buffer->size + Max(room, buffer->size / 2);

		buffer->data = large_realloc(buffer->data, capacity);
		buffer->capacity = capacity;
	}
	return buffer->data + buffer->size;
}

/* Records that the bytes up to here have been written. */
static inline void
buffer_advance(ByteBuffer *buffer, const uint8 *end)
{
	buffer->size = end - buffer->data;
	Assert(buffer->size <= buffer->capacity);
}

static inline void
buffer_append(ByteBuffer *buffer, const uint8 *bytes, Size n)
{
	memcpy(buffer_reserve(buffer, n), bytes, n);
	buffer->size += n;
}

#endif							/* CUSTMART_BYTE_BUFFER_H */
