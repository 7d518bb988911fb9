/*
 * packed_column.c
 *	  Columns of numbers, stored in as few bytes as their range needs.
 */
#include "shared/packed_column.h"

/* Bytes that a number needs. */
static inline int
width_of(uint64 number)
{
	return number == 0 ? 0 : pg_leftmost_one_pos64(number) / 8 + 1;
}

/*
 * Stores a block of n numbers, from 1 to PACKED_ROWS; returns its end.  Up to
 * PACKED_SIZE_MAX(n) bytes are written, what is behind the end without meaning.
 */
uint8 *
packed_store(const int64 *numbers, int n, uint8 *bytes)
{
	int64		smallest = numbers[0];
	int64		largest = numbers[0];
	int			width;

	for (int i = 1; i < n; i++)
	{
		smallest = Min(smallest, numbers[i]);
		largest = Max(largest, numbers[i]);
	}
	width = width_of((uint64) largest - (uint64) smallest);
	*bytes++ = (uint8) width;
	bytes = store_u64(bytes, (uint64) smallest);
	if (width > 0)
		for (int i = 0; i < n; i++)
		{
			store_u64(bytes, ((uint64) numbers[i] - (uint64) smallest) << (64 - 8 * width));
			bytes += width;
		}
	return bytes;
}

/* Reads a checked block of n numbers; returns its end. */
const uint8 *
packed_load(const uint8 *bytes, int n, int64 *numbers)
{
	PackedBlock block = packed_open(bytes);
	const uint8 *place = block.numbers;

	if (block.width == 0)
		for (int i = 0; i < n; i++)
			numbers[i] = block.smallest;
	else
		for (int i = 0; i < n; i++, place += block.width)
			numbers[i] = packed_number(&block, place);
	return place;
}

/* The end of a block of n numbers; NULL if it is not all there. */
const uint8 *
packed_skip(const uint8 *bytes, const uint8 *end, int n)
{
	Size		size;

	if (end - bytes < PACKED_HEADER_SIZE || bytes[0] > 8)
		return NULL;
	size = PACKED_HEADER_SIZE + (Size) n * bytes[0];
	return (Size) (end - bytes) < size ? NULL : bytes + size;
}

/*
 * Reads a block of n numbers and advances past it, and returns what is wrong with it,
 * or NULL.
 */
const char *
packed_check_and_load(const uint8 **bytes, const uint8 *end, int n, int64 *numbers)
{
	const uint8 *next = packed_skip(*bytes, end, n);
	PackedBlock block;
	const uint8 *place;
	uint64		most = 0;
	bool		has_smallest = false;

	if (next == NULL)
		return "a column is truncated";
	block = packed_open(*bytes);
	place = block.numbers;
	for (int i = 0; i < n; i++, place += block.width)
	{
		uint64		more;

		numbers[i] = packed_number(&block, place);
		more = (uint64) numbers[i] - (uint64) block.smallest;
		most = Max(most, more);
		has_smallest |= more == 0;
	}
	if (most > (uint64) PG_INT64_MAX - (uint64) block.smallest)
		return "a number is out of range";
	if (!has_smallest || width_of(most) != block.width)
		return "a column is wider than its numbers need";
	*bytes = next;
	return NULL;
}
