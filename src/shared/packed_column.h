/*
 * packed_column.h
 *	  Columns of numbers, stored in as few bytes as their range needs.
 *
 * A column is stored in blocks of PACKED_ROWS numbers, the last one perhaps
 * shorter.  A block is the width of its numbers in bytes (u8, 0 to 8), its
 * smallest number (i64), and for each number how much larger it is, in that many
 * bytes.  The width is the smallest that is enough, so equal columns have equal
 * bytes.
 */
#ifndef CUSTMART_PACKED_COLUMN_H
#define CUSTMART_PACKED_COLUMN_H

#include "shared/bytes.h"

#define PACKED_ROWS 256
#define PACKED_HEADER_SIZE 9

/* The most bytes that n numbers of a block may take. */
#define PACKED_SIZE_MAX(n) (PACKED_HEADER_SIZE + (Size) (n) * 8)

/* The same for a whole column. */
static inline Size
packed_column_size_max(Size n)
{
	return (n + PACKED_ROWS - 1) / PACKED_ROWS * PACKED_HEADER_SIZE + n * 8;
}

/* A block, as its header says. */
typedef struct PackedBlock
{
	int64		smallest;
	int			width;
	uint64		mask;			/* of a number */
	const uint8 *numbers;
} PackedBlock;

extern uint8 *packed_store(const int64 *numbers, int n, uint8 *bytes);
extern const uint8 *packed_load(const uint8 *bytes, int n, int64 *numbers);
extern const uint8 *packed_skip(const uint8 *bytes, const uint8 *end, int n);
extern const char *packed_check_and_load(const uint8 **bytes, const uint8 *end, int n, int64 *numbers);

/* Opens a block whose header is known to be valid. */
static inline PackedBlock
packed_open(const uint8 *bytes)
{
	PackedBlock block;

	block.width = bytes[0];
	block.mask = block.width == 0 ? 0 : PG_UINT64_MAX >> (64 - 8 * block.width);
	block.smallest = (int64) load_u64(bytes + 1);
	block.numbers = bytes + PACKED_HEADER_SIZE;
	return block;
}

/*
 * The number that is stored here.  Eight bytes are read that end with it; what
 * precedes it belongs to earlier numbers or the header.
 */
static inline int64
packed_number(const PackedBlock *block, const uint8 *place)
{
	return (int64) ((uint64) block->smallest + (load_u64(place + block->width - 8) & block->mask));
}

#endif							/* CUSTMART_PACKED_COLUMN_H */
