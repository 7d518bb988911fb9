/*
 * tagbloom_core.c
 *	  The algorithm of tagbloom: sets of hashes, filters, and what they answer.
 */
#include "tagbloom/tagbloom_core.h"

#include <math.h>

#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "shared/stored_kind.h"

/* ---------- the stored form ---------- */

/* Checks the first bytes, and the length, which is that of the whole value. */
const char *
tagbloom_check_head(const uint8 *head, Size length)
{
	if (length < TAGBLOOM_HEADER)
		return "it is truncated";
	if (head[0] != STORED_TAGBLOOM)
		return "its first byte is not that of a tagbloom";
	if (head[1] != TAGBLOOM_VERSION)
		return "its version is not known";
	if ((head[3] & TAGBLOOM_IS_FILTER) == 0)
	{
		if (head[3] > TAGBLOOM_EXACT_MAX)
			return "it has more than 32 hashes";
		if (head[2] != 0)
			return "a reserved byte is not 0";
		if (length != TAGBLOOM_HEADER + sizeof(uint64) * head[3])
			return "its length does not fit its number of hashes";
	}
	else
	{
		if (head[2] > TAGBLOOM_LOG2_MAX)
			return "its filter is larger than 128 MB";
		if ((head[3] & ~TAGBLOOM_IS_FILTER) > head[2])
			return "its grain is larger than its filter";
		if (length != TAGBLOOM_HEADER + FILTER_SIZE(head[2]))
			return "its length does not fit its number of blocks";
	}
	return NULL;
}

/*
 * The checker of the type (see stored_value.h).  Any bits are a filter's: that of the
 * tags that would have set them.
 */
const char *
tagbloom_check(const uint8 *bytes, Size length)
{
	const char *wrong = tagbloom_check_head(bytes, length);

	if (wrong != NULL || (bytes[3] & TAGBLOOM_IS_FILTER) != 0)
		return wrong;
	for (int i = 1; i < bytes[3]; i++)
	{
		const uint8 *hash = bytes + TAGBLOOM_HEADER + sizeof(uint64) * i;

		if (load_u64(hash - sizeof(uint64)) >= load_u64(hash))
			return "its hashes are not in ascending order";
	}
	return NULL;
}

static uint8 *
store_head(uint8 *to, int log2_blocks, int last)
{
	to[0] = STORED_TAGBLOOM;
	to[1] = TAGBLOOM_VERSION;
	to[2] = log2_blocks;
	to[3] = last;
	return to + TAGBLOOM_HEADER;
}

/* ---------- the filter ---------- */

static const uint32 salts[8] = {
	0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
	0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31
};

/* The format's words are little-endian, so bit b of a word is in its byte b / 8. */
void
filter_insert(uint8 *filter, int log2_blocks, uint64 hash)
{
	uint8	   *block = filter + TAGBLOOM_BLOCK * filter_block(log2_blocks, hash);

	for (int i = 0; i < 8; i++)
	{
		uint32		bit = ((uint32) hash * salts[i]) >> 27;

		block[4 * i + bit / 8] |= 1 << (bit % 8);
	}
}

bool
filter_test_block(const uint8 *block, uint64 hash)
{
	for (int i = 0; i < 8; i++)
	{
		uint32		bit = ((uint32) hash * salts[i]) >> 27;

		if ((block[4 * i + bit / 8] & (1 << (bit % 8))) == 0)
			return false;
	}
	return true;
}

/* Writes a filter at a larger size, or the same. */
void
filter_raise(uint8 *to, int log2_to, const uint8 *from, int log2_from)
{
	for (Size i = 0; i < (Size) 1 << log2_to; i++)
	{
		check_interrupts(i);
		memcpy(to + TAGBLOOM_BLOCK * i,
			   from + TAGBLOOM_BLOCK * (i >> (log2_to - log2_from)), TAGBLOOM_BLOCK);
	}
}

static inline void
or_block(uint8 *to, const uint8 *from)
{
	uint64		a[TAGBLOOM_BLOCK / 8];
	uint64		b[TAGBLOOM_BLOCK / 8];

	memcpy(a, to, TAGBLOOM_BLOCK);
	memcpy(b, from, TAGBLOOM_BLOCK);
	for (int i = 0; i < TAGBLOOM_BLOCK / 8; i++)
		a[i] |= b[i];
	memcpy(to, a, TAGBLOOM_BLOCK);
}

/* Adds a filter of the same size or a smaller one, which is raised. */
void
filter_merge(uint8 *to, int log2_to, const uint8 *from, int log2_from)
{
	for (Size i = 0; i < (Size) 1 << log2_to; i++)
	{
		check_interrupts(i);
		or_block(to + TAGBLOOM_BLOCK * i, from + TAGBLOOM_BLOCK * (i >> (log2_to - log2_from)));
	}
}

/* Writes a filter at a smaller size, or the same. */
void
filter_halve(uint8 *to, int log2_to, const uint8 *from, int log2_from)
{
	large_clear(to, FILTER_SIZE(log2_to));
	for (Size i = 0; i < (Size) 1 << log2_from; i++)
	{
		check_interrupts(i);
		or_block(to + TAGBLOOM_BLOCK * (i >> (log2_from - log2_to)), from + TAGBLOOM_BLOCK * i);
	}
}

/* ---------- sizes ---------- */

/*
 * The largest number of tags that a filter of 2^k blocks takes with an expected
 * rate of false positives of at most 0.001.  The rate is
 *
 *		sum over j of Binomial(j; n, 2^-k) (1 - (31/32)^j)^8,
 *
 * as j of the n tags share the block asked, and each of its eight words has any
 * given bit set with probability 1 - (31/32)^j.  The numbers are part of the
 * stored format: computed once, to 50 digits, so that no platform's arithmetic
 * decides how large a filter is.
 */
static const uint32 capacity[TAGBLOOM_LOG2_MAX + 1] = {
	17, 32, 62, 123, 244, 487, 972, 1942, 3882, 7762, 15522, 31043, 62085, 124168, 248335,
	496668, 993335, 1986669, 3973336, 7946670, 15893338, 31786675, 63573348
};

uint32
tagbloom_capacity(int log2_blocks)
{
	return capacity[log2_blocks];
}

/* The smallest size that takes so many tags, or the largest there is. */
int
tagbloom_log2_blocks(uint64 tags)
{
	int			log2_blocks = 0;

	while (log2_blocks < TAGBLOOM_LOG2_MAX && capacity[log2_blocks] < tags)
		log2_blocks++;
	return log2_blocks;
}

/* ---------- making sets ---------- */

#ifndef CUSTMART_STANDALONE
#define ST_SORT sort_u64
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"
#else
static int
compare_u64(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

static void
sort_u64(uint64 *data, size_t n)
{
	qsort(data, n, sizeof(uint64), compare_u64);
}
#endif

/* Puts hashes into ascending order, each once; returns how many are left. */
uint32
sort_hashes(uint64 *hashes, uint32 count)
{
	uint32		kept = 0;

	if (count > 1)
		sort_u64(hashes, count);
	for (uint32 i = 0; i < count; i++)
		if (kept == 0 || hashes[kept - 1] != hashes[i])
			hashes[kept++] = hashes[i];
	return kept;
}

/* The hashes of an exact set; returns how many. */
int
tagbloom_hashes(const TagBloom *tags, uint64 *hashes)
{
	for (int i = 0; i < tags->count; i++)
		hashes[i] = load_u64(tags->bytes + sizeof(uint64) * i);
	return tags->count;
}

static int
parts_log2_blocks(const TagParts *parts)
{
	int			log2_blocks = tagbloom_log2_blocks(Max(parts->count, parts->expected));

	return parts->filter != NULL ? Max(parts->log2_blocks, log2_blocks) : log2_blocks;
}

static bool
parts_are_exact(const TagParts *parts)
{
	return parts->filter == NULL && parts->count <= TAGBLOOM_EXACT_MAX;
}

/* Bytes that the set of these parts takes. */
Size
tagbloom_size(const TagParts *parts)
{
	if (parts_are_exact(parts))
		return TAGBLOOM_HEADER + sizeof(uint64) * parts->count;
	return TAGBLOOM_HEADER + FILTER_SIZE(parts_log2_blocks(parts));
}

/* Writes the set of these parts: the one place where sets are made. */
void
tagbloom_store(const TagParts *parts, uint8 *to)
{
	int			log2_blocks = parts_log2_blocks(parts);

	if (parts_are_exact(parts))
	{
		to = store_head(to, 0, parts->count);
		for (uint32 i = 0; i < parts->count; i++)
			to = store_u64(to, parts->hashes[i]);
		return;
	}
	to = store_head(to, log2_blocks,
					TAGBLOOM_IS_FILTER | (parts->filter != NULL ? parts->log2_grain : log2_blocks));
	if (parts->filter != NULL)
		filter_raise(to, log2_blocks, parts->filter, parts->log2_blocks);
	else
		large_clear(to, FILTER_SIZE(log2_blocks));
	for (uint32 i = 0; i < parts->count; i++)
	{
		check_interrupts(i);
		filter_insert(to, log2_blocks, parts->hashes[i]);
	}
}

/* Parts of two sets; hashes has room for both.  Filters: the larger one's. */
static TagParts
union_parts(const TagBloom *a, const TagBloom *b, uint64 *hashes)
{
	TagParts	parts = {0};
	const TagBloom *filter = a->is_exact ? b : b->is_exact ? a :
		a->log2_blocks >= b->log2_blocks ? a : b;

	if (!filter->is_exact)
	{
		parts.filter = filter->bytes;
		parts.log2_blocks = filter->log2_blocks;
		parts.log2_grain = filter->log2_grain;
	}
	parts.count = tagbloom_hashes(a, hashes);
	parts.count += tagbloom_hashes(b, hashes + parts.count);
	parts.count = sort_hashes(hashes, parts.count);
	parts.hashes = hashes;
	return parts;
}

Size
tagbloom_union_size(const TagBloom *a, const TagBloom *b)
{
	uint64		hashes[2 * TAGBLOOM_EXACT_MAX];
	TagParts	parts = union_parts(a, b, hashes);

	return tagbloom_size(&parts);
}

/* Writes the union of two sets; tagbloom_union_size tells how much room it takes. */
void
tagbloom_union(const TagBloom *a, const TagBloom *b, uint8 *to)
{
	uint64		hashes[2 * TAGBLOOM_EXACT_MAX];
	TagParts	parts = union_parts(a, b, hashes);

	if (!a->is_exact && !b->is_exact)
	{
		const TagBloom *other = parts.filter == a->bytes ? b : a;

		parts.log2_grain = Min(a->log2_grain, b->log2_grain);
		tagbloom_store(&parts, to);
		filter_merge(to + TAGBLOOM_HEADER, parts.log2_blocks, other->bytes, other->log2_blocks);
	}
	else
		tagbloom_store(&parts, to);
}

/* Writes a filter at another size: TAGBLOOM_HEADER + FILTER_SIZE bytes. */
void
tagbloom_resize(const TagBloom *tags, int log2_blocks, uint8 *to)
{
	to = store_head(to, log2_blocks, TAGBLOOM_IS_FILTER | Min(tags->log2_grain, log2_blocks));
	if (log2_blocks >= tags->log2_blocks)
		filter_raise(to, log2_blocks, tags->bytes, tags->log2_blocks);
	else
		filter_halve(to, log2_blocks, tags->bytes, tags->log2_blocks);
}

/* ---------- answers ---------- */

/* One block of a filter halved to a smaller size. */
static void
halved_block(const TagBloom *tags, int log2_blocks, Size block, uint8 *to)
{
	int			shift = tags->log2_blocks - log2_blocks;

	memset(to, 0, TAGBLOOM_BLOCK);
	for (Size i = block << shift; i < (block + 1) << shift; i++)
	{
		check_interrupts(i);
		or_block(to, tags->bytes + TAGBLOOM_BLOCK * i);
	}
}

/*
 * True if all tags of the other set are in the set; never false when they are.
 *
 * Filters are compared at a size where the other one's bits are those of its
 * tags and no more: at most its grain.
 */
bool
tagbloom_contains(const TagBloom *tags, const TagBloom *others)
{
	int			log2_blocks = tags->is_exact ? others->log2_grain :
		Min(tags->log2_blocks, others->log2_grain);
	uint64		hashes[TAGBLOOM_EXACT_MAX];
	int			count;

	if (others->is_exact)
	{
		count = tagbloom_hashes(others, hashes);
		for (int i = 0; i < count; i++)
			if (!tagbloom_has(tags, hashes[i]))
				return false;
		return true;
	}
	count = tagbloom_hashes(tags, hashes);
	for (Size block = 0; block < (Size) 1 << log2_blocks; block++)
	{
		uint8		inner[TAGBLOOM_BLOCK];
		uint8		outer[TAGBLOOM_BLOCK] = {0};

		halved_block(others, log2_blocks, block, inner);
		if (!tags->is_exact)
			halved_block(tags, log2_blocks, block, outer);
		for (int i = 0; i < count; i++)
			if (filter_block(log2_blocks, hashes[i]) == block)
				filter_insert(outer, 0, hashes[i]);
		for (int i = 0; i < TAGBLOOM_BLOCK; i++)
			if ((inner[i] & ~outer[i]) != 0)
				return false;
	}
	return true;
}

/*
 * Tags in a filter halved to a given size, by the share z of its bits that are
 * zero: ln z / ln(1 - 1/(32 blocks)) ("linear counting", Whang, Vander-Zanden
 * and Taylor 1990, once for each word of a block).  No zero bit at all counts
 * as half of one.
 */
static float8
estimate(const TagBloom *tags, int log2_blocks, float8 *zero_share)
{
	float8		bits = 8.0 * FILTER_SIZE(log2_blocks);
	float8		zeros = 0;

	for (Size block = 0; block < (Size) 1 << log2_blocks; block++)
	{
		uint8		bytes[TAGBLOOM_BLOCK];

		halved_block(tags, log2_blocks, block, bytes);
		for (int i = 0; i < TAGBLOOM_BLOCK; i += 8)
			zeros += 64 - pg_popcount64(load_u64(bytes + i));
	}
	*zero_share = zeros / bits;
	return fabs(log(Max(zeros, 0.5) / bits) / log1p(-8 / bits));	/* of no tags 0, not -0 */
}

/*
 * Number of tags: exact, or an estimate, mostly within about 3 %; of unions with
 * raised parts it may be a quarter off, and of overfull filters more.
 *
 * At its grain or below a filter is that of its tags.  Where it is too full to
 * count there, it is counted at the smallest size where it is not.  That counts
 * a tag of a raised part as often as its block was repeated; how much too many
 * these are shows in the next smaller size, which repeats them half as often, and
 * so counts at least half of what the larger does.
 */
float8
tagbloom_count(const TagBloom *tags)
{
	int			log2_blocks = tags->log2_blocks;
	float8		zero_share;
	float8		count;

	if (tags->is_exact)
		return tags->count;
	count = estimate(tags, log2_blocks, &zero_share);
	while (log2_blocks > tags->log2_grain)
	{
		float8		halved_share;
		float8		halved = estimate(tags, log2_blocks - 1, &halved_share);

		if (halved_share < 0.05)
			return count - Min(2 * (count - halved), count) *
				(1 - ldexp(1, tags->log2_grain - log2_blocks));
		count = halved;
		log2_blocks--;
	}
	return count;
}

/*
 * The probability that a tag that is not in the set is taken for one that is:
 * count / 2^64, or for a filter the mean over its blocks of the product over a
 * block's words of the share of bits set, which is exact for these bits.
 */
float8
tagbloom_false_positive_rate(const TagBloom *tags)
{
	float8		sum = 0;

	if (tags->is_exact)
		return ldexp(tags->count, -64);
	for (Size block = 0; block < (Size) 1 << tags->log2_blocks; block++)
	{
		float8		product = 1;

		check_interrupts(block);
		for (int i = 0; i < 8; i++)
			product *= pg_popcount32(load_u32(tags->bytes + TAGBLOOM_BLOCK * block + 4 * i)) / 32.0;
		sum += product;
	}
	return ldexp(sum, -tags->log2_blocks);
}
