/*
 * tagbloom_core.h
 *	  Sets of tags: exact up to 32, a split-block Bloom filter above.
 *
 * The filter is the one of the Parquet format (BloomFilter.md): blocks of eight
 * 32-bit words; a tag chooses one block by the upper half of its hash and sets
 * one bit in each word, chosen by the lower half.  The number of blocks is a
 * power of two, so that the block's number is the upper bits of the hash and
 * filters of different sizes can be brought to one size:
 *
 * - halving: blocks 2i and 2i + 1 together are block i of the filter that half
 *   the size would have given, to the bit;
 * - raising: every block is written twice.  The block that a tag chooses at the
 *   larger size is among the copies, so no tag is lost.
 *
 * A filter that was raised, or has a raised one in it, can be taken apart again
 * only by halving it back.  So it knows its grain: the smallest size that any
 * part of it had.  Halved to its grain or below, it is the very filter that its
 * tags would have given at that size, which is what containment and counting
 * need.
 */
#ifndef CUSTMART_TAGBLOOM_CORE_H
#define CUSTMART_TAGBLOOM_CORE_H

#include "shared/bytes.h"
#include "shared/core.h"

#define TAGBLOOM_VERSION 1
#define TAGBLOOM_HEADER 4		/* bytes before the hashes or blocks */
#define TAGBLOOM_EXACT_MAX 32	/* tags whose hashes are kept */
#define TAGBLOOM_BLOCK 32		/* bytes */
#define TAGBLOOM_LOG2_MAX 22	/* 2^22 blocks: 128 MB, the format's limit */

/* The last byte of the header: number of hashes, or this bit and a filter's grain. */
#define TAGBLOOM_IS_FILTER 0x80

/* Size of a filter, in bytes, by the binary logarithm of its blocks. */
#define FILTER_SIZE(log2_blocks) ((Size) TAGBLOOM_BLOCK << (log2_blocks))

/* A stored set, looked at where it lies; it has been checked. */
typedef struct TagBloom
{
	bool		is_exact;
	int			count;			/* exact: hashes, ascending */
	int			log2_blocks;	/* else: size of the filter, */
	int			log2_grain;		/* and the smallest size of its parts */
	const uint8 *bytes;			/* hashes in network order, or blocks */
} TagBloom;

/*
 * Tags that have been brought together and are to become one set: a filter as
 * large as the largest among them, or as those with hashes alone would have.
 */
typedef struct TagParts
{
	const uint8 *filter;		/* of those whose hashes are gone; may be NULL */
	int			log2_blocks;
	int			log2_grain;
	const uint64 *hashes;		/* of the others; ascending, each once */
	uint32		count;
	uint32		expected;		/* tags there is to be room for; 0: not known */
} TagParts;

extern const char *tagbloom_check(const uint8 *bytes, Size length);
extern const char *tagbloom_check_head(const uint8 *head, Size length);
extern int	tagbloom_log2_blocks(uint64 tags);
extern uint32 tagbloom_capacity(int log2_blocks);

extern uint32 sort_hashes(uint64 *hashes, uint32 count);
extern int	tagbloom_hashes(const TagBloom *tags, uint64 *hashes);
extern Size tagbloom_size(const TagParts *parts);
extern void tagbloom_store(const TagParts *parts, uint8 *to);
extern Size tagbloom_union_size(const TagBloom *a, const TagBloom *b);
extern void tagbloom_union(const TagBloom *a, const TagBloom *b, uint8 *to);
extern void tagbloom_resize(const TagBloom *tags, int log2_blocks, uint8 *to);

extern bool tagbloom_contains(const TagBloom *tags, const TagBloom *others);
extern float8 tagbloom_count(const TagBloom *tags);
extern float8 tagbloom_false_positive_rate(const TagBloom *tags);

extern void filter_insert(uint8 *filter, int log2_blocks, uint64 hash);
extern bool filter_test_block(const uint8 *block, uint64 hash);
extern void filter_raise(uint8 *to, int log2_to, const uint8 *from, int log2_from);
extern void filter_merge(uint8 *to, int log2_to, const uint8 *from, int log2_from);
extern void filter_halve(uint8 *to, int log2_to, const uint8 *from, int log2_from);

/* Number of the block that a hash chooses: its upper bits. */
static inline Size
filter_block(int log2_blocks, uint64 hash)
{
	return log2_blocks == 0 ? 0 : (Size) (hash >> (64 - log2_blocks));
}

/* Looks at stored bytes that have been checked. */
static inline void
tagbloom_view(const uint8 *bytes, TagBloom *tags)
{
	bool		is_exact = (bytes[3] & TAGBLOOM_IS_FILTER) == 0;

	tags->is_exact = is_exact;
	tags->count = is_exact ? bytes[3] : 0;
	tags->log2_blocks = bytes[2];
	tags->log2_grain = is_exact ? 0 : bytes[3] & ~TAGBLOOM_IS_FILTER;
	tags->bytes = bytes + TAGBLOOM_HEADER;
}

/* True if the set has a tag of this hash; a filter may say so wrongly. */
static inline bool
tagbloom_has(const TagBloom *tags, uint64 hash)
{
	const uint8 *end = tags->bytes + sizeof(uint64) * tags->count;
	uint8		wanted[sizeof(uint64)];
	uint64		pattern;
	uint64		stored[4];

	if (!tags->is_exact)
		return filter_test_block(tags->bytes + TAGBLOOM_BLOCK * filter_block(tags->log2_blocks, hash), hash);

	/*
	 * Compared as they lie, byte order and all, and four at a time: where among
	 * a dozen hashes to stop is no question that a processor guesses well.
	 */
	store_u64(wanted, hash);
	memcpy(&pattern, wanted, sizeof(pattern));
	for (const uint8 *p = tags->bytes; p < end; p += sizeof(stored))
	{
		if (end - p < (ptrdiff_t) sizeof(stored))
		{
			for (; p < end; p += sizeof(uint64))
			{
				memcpy(stored, p, sizeof(uint64));
				if (stored[0] == pattern)
					return true;
			}
			break;
		}
		memcpy(stored, p, sizeof(stored));
		if ((stored[0] == pattern) | (stored[1] == pattern) | (stored[2] == pattern) | (stored[3] == pattern))
			return true;
	}
	return false;
}

#endif							/* CUSTMART_TAGBLOOM_CORE_H */
