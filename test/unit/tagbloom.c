/* needs: tagbloom/tag.c tagbloom/tagbloom_core.c */
#include "tagbloom/tagbloom_core.h"

#include <math.h>

#include "tagbloom/tag.h"
#include "tap.h"

/* ---------- another implementation of the Parquet format ---------- */

/*
 * Written from BloomFilter.md of the Parquet format: words of 32 bits, a block
 * is chosen by multiplication, and the words are little-endian bytes.
 */
static const uint32 parquet_salt[8] = {
	0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
	0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u
};

static uint32
parquet_mask(uint64 hash, int word)
{
	uint32		x = (uint32) (hash & 0xFFFFFFFFu);

	return UINT32_C(1) << ((uint32) (x * parquet_salt[word]) >> 27);
}

static uint32 *
parquet_block(uint32 *filter, uint64 blocks, uint64 hash)
{
	return filter + 8 * (((hash >> 32) * blocks) >> 32);
}

static void
parquet_insert(uint32 *filter, uint64 blocks, uint64 hash)
{
	uint32	   *block = parquet_block(filter, blocks, hash);

	for (int i = 0; i < 8; i++)
		block[i] |= parquet_mask(hash, i);
}

static bool
parquet_has(uint32 *filter, uint64 blocks, uint64 hash)
{
	uint32	   *block = parquet_block(filter, blocks, hash);

	for (int i = 0; i < 8; i++)
		if ((block[i] & parquet_mask(hash, i)) == 0)
			return false;
	return true;
}

static bool
parquet_same(const uint32 *filter, uint64 blocks, const uint8 *bytes)
{
	for (uint64 i = 0; i < 8 * blocks; i++)
		if (bytes[4 * i] != (filter[i] & 0xFF) || bytes[4 * i + 1] != (filter[i] >> 8 & 0xFF) ||
			bytes[4 * i + 2] != (filter[i] >> 16 & 0xFF) || bytes[4 * i + 3] != filter[i] >> 24)
			return false;
	return true;
}

static uint32 *
parquet_filter(const uint64 *hashes, size_t count, int log2_blocks)
{
	uint64		blocks = UINT64_C(1) << log2_blocks;
	uint32	   *filter = calloc(8 * blocks, sizeof(uint32));

	for (size_t i = 0; i < count; i++)
		parquet_insert(filter, blocks, hashes[i]);
	return filter;
}

/* ---------- values ---------- */

/* Stored bytes in memory of their very size, and how they are looked at. */
typedef struct Value
{
	uint8	   *bytes;
	size_t		length;
	TagBloom	view;
} Value;

static void
look(Value *value)
{
	tagbloom_view(value->bytes, &value->view);
}

static Value
value_of(const TagParts *parts)
{
	Value		value;

	value.length = tagbloom_size(parts);
	value.bytes = malloc(value.length);
	tagbloom_store(parts, value.bytes);
	look(&value);
	return value;
}

/* The set of some hashes in any order, repeated or not, as a user would make it. */
static Value
value_of_hashes(const uint64 *hashes, uint32 count, uint32 expected)
{
	uint64	   *sorted = exact_copy(hashes, count * sizeof(uint64));
	TagParts	parts = {.hashes = sorted, .expected = expected};
	Value		value;

	parts.count = sort_hashes(sorted, count);
	value = value_of(&parts);
	free(sorted);
	return value;
}

/* The filter of some hashes at a given size, however few they are. */
static Value
filter_of_hashes(const uint64 *hashes, size_t count, int log2_blocks)
{
	uint8	   *filter = calloc(1, FILTER_SIZE(log2_blocks));
	TagParts	parts = {.filter = filter, .log2_blocks = log2_blocks, .log2_grain = log2_blocks};
	Value		value;

	for (size_t i = 0; i < count; i++)
		filter_insert(filter, log2_blocks, hashes[i]);
	value = value_of(&parts);
	free(filter);
	return value;
}

static Value
union_of(const Value *a, const Value *b)
{
	Value		value;

	value.length = tagbloom_union_size(&a->view, &b->view);
	value.bytes = malloc(value.length);
	tagbloom_union(&a->view, &b->view, value.bytes);
	look(&value);
	return value;
}

static Value
resized(const Value *from, int log2_blocks)
{
	Value		value;

	value.length = TAGBLOOM_HEADER + FILTER_SIZE(log2_blocks);
	value.bytes = malloc(value.length);
	tagbloom_resize(&from->view, log2_blocks, value.bytes);
	look(&value);
	return value;
}

/* As if it had been written somewhere and read again. */
static Value
copied(const Value *from)
{
	Value		value = {exact_copy(from->bytes, from->length), from->length};

	look(&value);
	return value;
}

static bool
same(const Value *a, const Value *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void
replace(Value *value, Value by)
{
	free(value->bytes);
	*value = by;
}

static uint64 *
random_hashes(size_t count)
{
	uint64	   *hashes = malloc(count * sizeof(uint64));

	for (size_t i = 0; i < count; i++)
		hashes[i] = random_u64();
	return hashes;
}

/* ---------- the format ---------- */

static void
test_format(void)
{
	/*
	 * bloom_filter.xxhash.bin of the Parquet project's test files, behind its
	 * header: 1024 bytes made by parquet-mr of "hello", "parquet", "bloom" and
	 * "filter".  All blocks but these are 0.
	 */
	static const struct
	{
		int			block;
		uint8		bytes[TAGBLOOM_BLOCK + 1];
	}			published[] = {
		{4, "\0\0\x10\0\0\x02\0\0\0\x04\0\0\x80\0\0\0\0\x02\0\0\0\0\0\x80\0\0\0\x10\0\0\0\x08"},
		{5, "\0\0\x80\0\0\0\0\x10\x01\0\0\0\0\0\0\x10\x20\0\0\0\0\0\x20\0\0\0\0\x40\0\0\x08\0"},
		{7, "\x04\0\0\0\0\0\x40\0\0\0\x40\0\0\0\x08\0\0\0\0\x04\0\x20\0\0\x10\0\0\0\x02\0\0\0"},
		{10, "\0\0\x20\0\0\x08\0\0\0\x01\0\0\0\0\0\x20\0\0\x80\0\0\0\0\x08\0\x01\0\0\0\x10\0\0"}
	};
	static const char *const published_tags[] = {"hello", "parquet", "bloom", "filter"};

	/* 8 blocks of "tag 0" to "tag 99", by a program of a few lines of Python. */
	static const char by_python[] =
		"a081285a510aa00c6e1a0148428638ee859e43022a3653200404c90fc1640c51"
		"06461401c048013000981c82081240822620301183500005000110291c800019"
		"90a52e18934905a68271ca013281fa18409ee6d0808a2fd4b9b082851d0a5a06"
		"820400c800104d0d0002013123108940140c9014000022d885e1040002008d08"
		"021a7ef2814062fe61484bb46c118197bf03135017a6c108091b52a991001f14"
		"82a208424880200c840028e202004438226a0428011480880d33000411702280"
		"4814549c25410d3eb21635464247ac03e9814f0045858689ddad400f40b0498c"
		"2923101ac404860a4a3211840944950a8010655403246199a8a244c11140d0c0";
	uint8		expected[1024] = {0};
	uint8		filter[1024] = {0};
	char		hex[2 * 8 * TAGBLOOM_BLOCK + 1];
	uint64		hashes[100];
	Value		value;

	for (size_t i = 0; i < LENGTH_OF(published); i++)
		memcpy(expected + TAGBLOOM_BLOCK * published[i].block, published[i].bytes, TAGBLOOM_BLOCK);
	for (size_t i = 0; i < LENGTH_OF(published_tags); i++)
		filter_insert(filter, 5, tag_hash64(published_tags[i], strlen(published_tags[i])));
	ok(memcmp(filter, expected, sizeof(filter)) == 0, "the filter that the Parquet project has published");

	for (int i = 0; i < 100; i++)
	{
		char		tag[16];
		int			length = sprintf(tag, "tag %d", i);

		hashes[i] = tag_hash64(tag, length);
	}
	value = value_of_hashes(hashes, 100, 0);
	ok(value.length == 4 + 8 * TAGBLOOM_BLOCK && memcmp(value.bytes, "\x04\x01\x03\x83", 4) == 0,
	   "100 tags are 8 blocks behind 4 bytes: kind, version, size, grain");
	for (int i = 0; i < 8 * TAGBLOOM_BLOCK; i++)
		sprintf(hex + 2 * i, "%02x", value.bytes[TAGBLOOM_HEADER + i]);
	is_text(hex, by_python, "the blocks of 100 tags");
	replace(&value, value_of_hashes((uint64[]) {UINT64CONST(0xFEDCBA9876543210), 1, UINT64CONST(0xFEDCBA9876543210)}, 3, 0));
	ok(value.length == 20 && memcmp(value.bytes, "\x04\x01\x00\x02\0\0\0\0\0\0\0\x01\xfe\xdc\xba\x98\x76\x54\x32\x10", 20) == 0,
	   "an exact set is its hashes, ascending, the highest byte first");
	replace(&value, value_of_hashes(NULL, 0, 1000));
	ok(value.length == 4 && memcmp(value.bytes, "\x04\x01\0\0", 4) == 0, "no tag: 4 bytes");
	free(value.bytes);

	property("filters are, bit by bit, those of the Parquet format");
	for (int run = 0; run < 3000; run++)
	{
		int			log2_blocks = (int) random_below(run % 100 == 0 ? 15 : 7);
		size_t		count = random_below(run % 20 == 0 ? 20 << log2_blocks : 40);
		uint64	   *tags = random_hashes(count);
		uint32	   *parquet = parquet_filter(tags, count, log2_blocks);
		Value		own = filter_of_hashes(tags, count, log2_blocks);
		bool		is_right = parquet_same(parquet, UINT64_C(1) << log2_blocks, own.bytes + TAGBLOOM_HEADER);

		for (int i = 0; is_right && i < 100; i++)
		{
			/* Not only hashes far from any other. */
			uint64		hash = i % 2 == 0 || count == 0 ? random_u64() :
				tags[random_below(count)] ^ (i % 4 == 1 ? 0 : UINT64_C(1) << random_below(64));

			is_right = tagbloom_has(&own.view, hash) == parquet_has(parquet, UINT64_C(1) << log2_blocks, hash);
		}
		holds(is_right, "run %d: %zu tags in 2^%d blocks", run, count, log2_blocks);
		free(own.bytes);
		free(parquet);
		free(tags);
	}
	property_end();

	property("a hash chooses the same block as in the format, at all sizes and at their borders");
	for (int log2_blocks = 0; log2_blocks <= TAGBLOOM_LOG2_MAX; log2_blocks++)
		for (int i = 0; i < 2000; i++)
		{
			uint64		blocks = UINT64_C(1) << log2_blocks;
			uint64		hash = random_u64();

			if (i % 2 == 1 && log2_blocks > 0)
				hash = (random_below(blocks) << (64 - log2_blocks)) - i % 4 / 2;
			holds(filter_block(log2_blocks, hash) == ((hash >> 32) * blocks) >> 32,
				  "%016" PRIx64 " in 2^%d blocks", hash, log2_blocks);
		}
	property_end();
}

/* ---------- sizes ---------- */

/*
 * The expected rate of false positives of n tags in 2^k blocks: the sum over the
 * number j of tags in the block that is asked, each term from the one before.
 */
static double
rate_by_sum(double n, int log2_blocks)
{
	double		p = ldexp(1, -log2_blocks);
	double		probability = log2_blocks == 0 ? 0 : exp(n * log1p(-p));
	double		sum = 0;

	if (log2_blocks == 0)
		return pow(1 - pow(31.0 / 32, n), 8);
	for (int j = 0; j <= n && (j < 400 || j < n * p); j++)
	{
		sum += probability * pow(1 - pow(31.0 / 32, j), 8);
		probability *= (n - j) / (j + 1) * p / (1 - p);
	}
	return sum;
}

/* The same sum, with the power of 8 multiplied out: nine geometric means. */
static double
rate_in_closed_form(double n, int log2_blocks)
{
	static const int choose[9] = {1, -8, 28, -56, 70, -56, 28, -8, 1};
	long double sum = 0;

	for (int i = 0; i <= 8; i++)
		sum += choose[i] * expl(n * log1pl(-ldexpl(1 - powl(31.0L / 32, i), -log2_blocks)));
	return (double) sum;
}

static void
test_sizes(void)
{
	/* Of two blocks everything can be written down: 2^n ways to share the tags. */
	property("the rate is right for tags in two blocks, counted out");
	for (int n = 1; n <= 20; n++)
	{
		double		sum = 0;

		for (int way = 0; way < 1 << n; way++)
			sum += pow(1 - pow(31.0 / 32, __builtin_popcount(way)), 8);
		sum = ldexp(sum, -n);
		holds(fabs(rate_by_sum(n, 1) / sum - 1) < 1e-9, "%d tags: %g, not %g", n, rate_by_sum(n, 1), sum);
	}
	property_end();

	property("no capacity could be larger, and none has to be smaller");
	for (int k = 0; k <= TAGBLOOM_LOG2_MAX; k++)
	{
		double		n = tagbloom_capacity(k);

		/* One tag more changes the rate by 8e-8 of it at least; the sums are good to 1e-11. */
		holds(rate_by_sum(n, k) <= 0.001 && rate_by_sum(n + 1, k) > 0.001, "2^%d blocks, %.0f tags: %.12f, then %.12f",
			  k, n, rate_by_sum(n, k), rate_by_sum(n + 1, k));
		holds(rate_in_closed_form(n, k) <= 0.001 && rate_in_closed_form(n + 1, k) > 0.001, "2^%d blocks, closed form", k);
		holds(fabs(rate_by_sum(n, k) - rate_in_closed_form(n, k)) < 1e-13, "2^%d blocks: two ways to compute it", k);
		holds(k == 0 || tagbloom_capacity(k) > tagbloom_capacity(k - 1), "2^%d blocks: more than the size before", k);
	}
	property_end();

	property("the size chosen is the smallest that has room, or the largest there is");
	for (int k = 0; k <= TAGBLOOM_LOG2_MAX; k++)
	{
		uint64		n = tagbloom_capacity(k);

		holds(tagbloom_log2_blocks(n) == k, "%" PRIu64 " tags", n);
		holds(tagbloom_log2_blocks(n + 1) == Min(k + 1, TAGBLOOM_LOG2_MAX), "%" PRIu64 " tags", n + 1);
	}
	for (uint64 n = 0, before = 0; n < 100000; n++)
	{
		int			k = tagbloom_log2_blocks(n);

		holds(rate_by_sum(n, k) <= 0.001 && (k == 0 || rate_by_sum(n, k - 1) > 0.001) && k >= (int) before,
			  "%" PRIu64 " tags: 2^%d blocks", n, k);
		before = k;
		if (n > 1000)
			n += random_below(50);
	}
	holds(tagbloom_log2_blocks(UINT64_MAX) == TAGBLOOM_LOG2_MAX, "2^64 - 1 tags");
	property_end();

	property("sets are exact up to 32 tags; expected ones count for the size of a filter only");
	for (uint32 n = 0; n <= 300; n++)
		for (uint32 expected = 0; expected <= 3000; expected += 1 + expected / 3)
		{
			uint64	   *hashes = random_hashes(n);
			Value		value = value_of_hashes(hashes, n, expected);

			if (n <= 32)
				holds(value.view.is_exact && value.view.count == (int) n && value.length == 4 + 8 * n,
					  "%u tags, %u expected", n, expected);
			else
			{
				int			k = tagbloom_log2_blocks(Max(n, expected));

				holds(!value.view.is_exact && value.view.log2_blocks == k && value.view.log2_grain == k &&
					  value.length == 4 + ((size_t) 32 << k), "%u tags, %u expected", n, expected);
			}
			free(value.bytes);
			free(hashes);
		}
	property_end();
}

/* ---------- sequences of operations ---------- */

/* A set as the tests know it: all hashes that were ever put into it. */
typedef struct Reference
{
	Value		value;
	uint64	   *hashes;			/* in no order, perhaps repeated */
	uint32		count;
	uint32		room;
	int			least;			/* log2 of the smallest size of a filter in it */
} Reference;

static void
remember(Reference *set, const uint64 *hashes, uint32 count)
{
	if (set->count + count > set->room)
	{
		set->room = 2 * (set->count + count);
		set->hashes = realloc(set->hashes, set->room * sizeof(uint64));
	}
	if (count > 0)
		memcpy(set->hashes + set->count, hashes, count * sizeof(uint64));
	set->count += count;
}

static void
forget(Reference *set)
{
	free(set->value.bytes);
	free(set->hashes);
}

/* What must be so of any value, however it was made. */
static bool
is_sound(const Reference *set)
{
	const TagBloom *view = &set->value.view;

	if (tagbloom_check(set->value.bytes, set->value.length) != NULL)
		return false;
	for (uint32 i = 0; i < set->count; i++)
		if (!tagbloom_has(view, set->hashes[i]))
			return false;
	return view->is_exact || view->log2_grain == Min(set->least, view->log2_blocks);
}

/*
 * Halved to its grain, and below, it must be the filter of its tags and no more.
 */
static bool
is_filter_of_its_tags(const Reference *set)
{
	const TagBloom *view = &set->value.view;

	for (int k = view->log2_grain; k >= 0; k -= 1 + k / 2)
	{
		Value		halved = resized(&set->value, k);
		uint32	   *parquet = parquet_filter(set->hashes, set->count, k);
		bool		is_same = parquet_same(parquet, UINT64_C(1) << k, halved.bytes + TAGBLOOM_HEADER) &&
			halved.view.log2_grain == k;

		free(parquet);
		free(halved.bytes);
		if (!is_same)
			return false;
	}
	return true;
}

/* A few tags of few, so that sets share some; sometimes many. */
static Reference
random_set(uint64 universe, uint32 kinds)
{
	Reference	set = {.least = TAGBLOOM_LOG2_MAX};
	uint64		dice = random_below(1000);
	uint32		count = dice < 850 ? random_below(5) : dice < 930 ? random_below(20) :
		dice < 970 ? 28 + random_below(10) : dice < 999 ? 33 + random_below(40) : random_below(1000);
	uint32		expected = random_below(8) == 0 ? random_below(400) : 0;
	uint64		small[64];
	uint64	   *hashes = count <= LENGTH_OF(small) ? small : malloc(count * sizeof(uint64));

	for (uint32 i = 0; i < count; i++)
		hashes[i] = (universe + random_below(kinds)) * UINT64CONST(0x9E3779B97F4A7C15);
	remember(&set, hashes, count);
	set.value = value_of_hashes(hashes, count, expected);
	if (!set.value.view.is_exact)
		set.least = set.value.view.log2_blocks;
	else if (random_below(20) == 0)
	{
		/* A filter of few tags, as halving and other programs may give. */
		set.least = (int) random_below(4);
		replace(&set.value, filter_of_hashes(hashes, count, set.least));
	}
	if (hashes != small)
		free(hashes);
	return set;
}

/* a := a + b, as large as the larger of the two is as a filter. */
static bool
unite(Reference *a, const Reference *b)
{
	Value		both = union_of(&a->value, &b->value);
	bool		is_sized;
	uint32		distinct;
	bool		is_right;

	if (a->value.view.is_exact && b->value.view.is_exact)
	{
		uint64	   *hashes = malloc((a->count + b->count) * sizeof(uint64) + 1);

		if (a->count > 0)
			memcpy(hashes, a->hashes, a->count * sizeof(uint64));
		if (b->count > 0)
			memcpy(hashes + a->count, b->hashes, b->count * sizeof(uint64));
		distinct = sort_hashes(hashes, a->count + b->count);
		free(hashes);
		is_sized = distinct <= 32 ? both.view.is_exact && both.view.count == (int) distinct :
			!both.view.is_exact && both.view.log2_blocks == tagbloom_log2_blocks(distinct);
		a->least = both.view.log2_blocks;
	}
	else
	{
		is_sized = !both.view.is_exact && both.view.log2_blocks ==
			Max(a->value.view.is_exact ? tagbloom_log2_blocks(a->value.view.count) : a->value.view.log2_blocks,
				b->value.view.is_exact ? tagbloom_log2_blocks(b->value.view.count) : b->value.view.log2_blocks);
		a->least = Min(a->value.view.is_exact ? TAGBLOOM_LOG2_MAX : a->least,
					   b->value.view.is_exact ? TAGBLOOM_LOG2_MAX : b->least);
	}
	is_right = is_sized && tagbloom_contains(&both.view, &a->value.view) &&
		tagbloom_contains(&both.view, &b->value.view);
	if (a != b)
		remember(a, b->hashes, b->count);
	replace(&a->value, both);
	return is_right;
}

static bool
operate(Reference *sets, int count)
{
	Reference  *set = &sets[random_below(count)];
	bool		is_right = true;

	switch (random_below(5))
	{
		case 0:				/* add a tag */
			{
				uint64		hash = random_u64();
				Reference	one = {.value = value_of_hashes(&hash, 1, 0), .least = TAGBLOOM_LOG2_MAX};

				remember(&one, &hash, 1);
				is_right = unite(set, &one);
				forget(&one);
				break;
			}
		case 1:				/* also with itself */
			is_right = unite(set, &sets[random_below(count)]);
			break;
		case 2:
			if (!set->value.view.is_exact && set->value.view.log2_blocks > 0)
			{
				Value		halved = resized(&set->value, (int) random_below(set->value.view.log2_blocks));

				/* They have the same tags, and neither knows less of the other. */
				is_right = tagbloom_contains(&halved.view, &set->value.view) &&
					tagbloom_contains(&set->value.view, &halved.view);
				replace(&set->value, halved);
				set->least = Min(set->least, halved.view.log2_blocks);
			}
			break;
		case 3:
			if (!set->value.view.is_exact && set->value.view.log2_blocks < 8)
			{
				Value		raised = resized(&set->value, set->value.view.log2_blocks + 1 + (int) random_below(3));
				Value		back = resized(&raised, set->value.view.log2_blocks);

				is_right = same(&back, &set->value) && tagbloom_contains(&raised.view, &set->value.view) &&
					tagbloom_contains(&set->value.view, &raised.view);
				free(back.bytes);
				replace(&set->value, raised);
			}
			break;
		default:
			replace(&set->value, copied(&set->value));
	}
	return is_right && is_sound(set);
}

#define SETS 3

/* The union of all sets, brought together in a random order and grouping. */
static Reference
unite_all(const Reference *sets, int count, bool *is_right)
{
	Reference	all[SETS];
	int			left = count;

	for (int i = 0; i < count; i++)
	{
		all[i] = (Reference) {.value = copied(&sets[i].value), .least = sets[i].least};
		remember(&all[i], sets[i].hashes, sets[i].count);
	}
	while (left > 1)
	{
		int			into = (int) random_below(left);
		int			from = (int) random_below(left - 1);

		if (from >= into)
			from++;
		*is_right &= unite(&all[into], &all[from]);
		forget(&all[from]);
		all[from] = all[--left];
	}
	*is_right &= is_sound(&all[0]);
	return all[0];
}

static void
test_sequences(void)
{
	long		filters = 0;
	long		mixed = 0;

	property("a million sequences of build, add, unite, halve, raise and store: no tag is ever lost");
	for (long run = 0; run < 1000000; run++)
	{
		Reference	sets[SETS];
		int			count = 1 + (int) random_below(SETS);
		int			operations = (int) random_below(4);
		uint64		universe = random_u64();
		uint32		kinds = random_below(10) == 0 ? 5000 : 50;
		bool		all_filters = true;
		bool		is_right = true;
		Reference	one;

		for (int i = 0; i < count; i++)
		{
			sets[i] = random_set(universe, kinds);
			is_right &= is_sound(&sets[i]);
		}
		holds(is_right, "run %ld: as built", run);
		for (int i = 0; i < operations && is_right; i++)
			holds(is_right = operate(sets, count), "run %ld: operation %d", run, i);
		for (int i = 0; i < count; i++)
		{
			all_filters &= !sets[i].value.view.is_exact;
			if (!sets[i].value.view.is_exact && run % 4 == 0)
				holds(is_filter_of_its_tags(&sets[i]), "run %ld: set %d has bits that are not its tags'", run, i);
		}

		one = unite_all(sets, count, &is_right);
		holds(is_right, "run %ld: the union of all", run);
		for (int i = 0; i < count; i++)
			holds(tagbloom_contains(&one.value.view, &sets[i].value.view), "run %ld: set %d is contained", run, i);
		if (all_filters)
		{
			Reference	other = unite_all(sets, count, &is_right);

			holds(same(&one.value, &other.value), "run %ld: two ways to unite filters", run);
			forget(&other);
		}
		if (!one.value.view.is_exact && run % 8 == 0)
			holds(is_filter_of_its_tags(&one), "run %ld: the union has bits that are not its tags'", run);
		filters += all_filters && count > 1;
		mixed += !all_filters && !one.value.view.is_exact;
		for (int i = 0; i < count; i++)
			forget(&sets[i]);
		forget(&one);
	}
	property_end();
	ok(filters > 5000 && mixed > 50000, "of these, many had filters to unite, and many filters and exact sets");
	diag("%ld sequences ended with filters only, %ld with filters and exact sets", filters, mixed);
}

static void
test_largest(void)
{
	uint64	   *hashes = random_hashes(40);
	Reference	set = {.value = value_of_hashes(hashes, 40, 0), .least = 2};
	Value		small = copied(&set.value);
	Value		back;

	remember(&set, hashes, 40);
	replace(&set.value, resized(&small, TAGBLOOM_LOG2_MAX));
	back = resized(&set.value, 2);
	ok(set.value.length == 4 + (1 << 27) && is_sound(&set) && same(&back, &small) &&
	   tagbloom_contains(&set.value.view, &small.view) && tagbloom_contains(&small.view, &set.value.view),
	   "the largest filter, of 128 MB");
	free(small.bytes);
	free(back.bytes);
	free(hashes);
	forget(&set);
}

/* Aggregates keep hashes until the last step: the order of the rest is then all one. */
static void
test_carried_hashes(void)
{
	property("filters and hashes kept apart until the end: the same bytes in any order");
	for (int run = 0; run < 3000; run++)
	{
		Value		filters[3];
		uint64	   *hashes = random_hashes(60);
		Value		results[3];

		for (int i = 0; i < 3; i++)
		{
			uint64	   *tags = random_hashes(500);

			filters[i] = filter_of_hashes(tags, random_below(500), (int) random_below(7));
			free(tags);
		}
		for (int order = 0; order < 3; order++)
		{
			Value		two = union_of(&filters[order], &filters[(order + 1) % 3]);
			Value		all = union_of(&filters[(order + 2) % 3], &two);
			TagParts	parts = {
				.filter = all.view.bytes, .log2_blocks = all.view.log2_blocks,
				.log2_grain = all.view.log2_grain, .hashes = hashes
			};

			parts.count = sort_hashes(hashes, 60);
			results[order] = value_of(&parts);
			/* Large enough for the hashes alone, too: 60 of them need 4 blocks. */
			holds(results[order].view.log2_blocks == Max(all.view.log2_blocks, 2) &&
				  results[order].view.log2_grain == all.view.log2_grain, "run %d: 2^%d blocks", run,
				  results[order].view.log2_blocks);
			for (int i = 0; i < 60; i++)
				holds(tagbloom_has(&results[order].view, hashes[i]), "run %d: hash %d", run, i);
			free(two.bytes);
			free(all.bytes);
		}
		holds(same(&results[0], &results[1]) && same(&results[0], &results[2]), "run %d", run);
		for (int i = 0; i < 3; i++)
		{
			holds(tagbloom_contains(&results[i].view, &filters[0].view), "run %d: order %d", run, i);
			free(results[i].bytes);
		}
		for (int i = 0; i < 3; i++)
			free(filters[i].bytes);
		free(hashes);
	}
	property_end();

	property("hashes are sorted, and each is kept once");
	for (int run = 0; run < 20000; run++)
	{
		uint32		count = random_below(50);
		uint64	   *hashes = random_hashes(count);
		uint64	   *before;
		uint32		kept;
		bool		is_right = true;

		for (uint32 i = 1; i < count; i++)
			if (random_below(3) == 0)
				hashes[i] = hashes[random_below(i)];
		before = exact_copy(hashes, count * sizeof(uint64));
		kept = sort_hashes(hashes, count);
		for (uint32 i = 1; i < kept; i++)
			is_right &= hashes[i - 1] < hashes[i];
		for (uint32 i = 0; i < count; i++)
		{
			int			found = 0;

			for (uint32 j = 0; j < kept; j++)
				found += hashes[j] == before[i];
			is_right &= found == 1;
		}
		holds(is_right && kept <= count, "run %d", run);
		free(before);
		free(hashes);
	}
	property_end();
}

/* ---------- containment ---------- */

/* One set in a form of several: as it is made, a filter, halved, raised, united. */
static Value
in_form(const uint64 *hashes, size_t count, int form)
{
	Value		value = form == 0 ? value_of_hashes(hashes, count, 0) :
		filter_of_hashes(hashes, count, (int) random_below(6));

	if (form == 2)
		replace(&value, resized(&value, (int) random_below(value.view.log2_blocks + 1)));
	else if (form == 3)
		replace(&value, resized(&value, value.view.log2_blocks + (int) random_below(4)));
	else if (form == 4)
	{
		/* Half its tags came at one size, half at another, and all was halved or raised. */
		Value		half = filter_of_hashes(hashes + count / 2, count - count / 2, (int) random_below(6));

		replace(&value, filter_of_hashes(hashes, count / 2, (int) random_below(6)));
		replace(&value, union_of(&value, &half));
		replace(&value, resized(&value, (int) random_below(7)));
		free(half.bytes);
	}
	return value;
}

static void
test_containment(void)
{
	long		denials[5][5] = {{0}};
	bool		denies = true;

	property("what is contained is found to be, in all forms of both sets");
	for (int run = 0; run < 75000; run++)
	{
		size_t		outer_count = random_below(run % 50 == 0 ? 300 : 50);
		size_t		inner_count = random_below(outer_count + 1);
		uint64	   *hashes = random_hashes(outer_count);
		int			outer_form = run % 5;
		int			inner_form = run / 5 % 5;
		Value		outer = in_form(hashes, outer_count, outer_form);
		Value		inner = in_form(hashes + random_below(outer_count - inner_count + 1), inner_count, inner_form);

		holds(tagbloom_contains(&outer.view, &inner.view), "run %d: form %d has form %d", run, outer_form, inner_form);
		holds(tagbloom_contains(&outer.view, &outer.view) && tagbloom_contains(&inner.view, &inner.view),
			  "run %d: itself", run);
		free(outer.bytes);
		free(inner.bytes);
		free(hashes);
	}
	property_end();

	/* Ten tags, none of which is among ten others: hardly ever contained. */
	for (int run = 0; run < 25000; run++)
	{
		uint64	   *hashes = random_hashes(20);
		int			outer_form = run % 5;
		int			inner_form = run / 5 % 5;
		Value		outer = in_form(hashes, 10, outer_form);
		Value		inner = in_form(hashes + 10, 10, inner_form);

		denials[outer_form][inner_form] += !tagbloom_contains(&outer.view, &inner.view);
		free(outer.bytes);
		free(inner.bytes);
		free(hashes);
	}
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < 5; j++)
			denies &= denials[i][j] == 1000;
	ok(denies, "and what is not contained is not, in all forms");

	/*
	 * In a filter with a raised part only the other one's grain limits the size
	 * at which they are compared; at one block, this one would have everything.
	 */
	property("a raised part takes nothing from the sharpness of containment");
	for (int run = 0; run < 500; run++)
	{
		uint64	   *hashes = random_hashes(1021);
		Value		large = filter_of_hashes(hashes, 1000, 7);
		Value		one = filter_of_hashes(hashes + 1000, 1, 0);
		Value		both = union_of(&large, &one);
		Value		others = filter_of_hashes(hashes + 1001, 20, 7);

		holds(both.view.log2_grain == 0 && tagbloom_contains(&both.view, &large.view) &&
			  tagbloom_contains(&both.view, &one.view) && !tagbloom_contains(&both.view, &others.view), "run %d", run);
		free(large.bytes);
		free(one.bytes);
		free(both.bytes);
		free(others.bytes);
		free(hashes);
	}
	property_end();

	property("exact sets: contained if and only if every hash is there");
	for (int run = 0; run < 100000; run++)
	{
		uint64		outer[32];
		uint64		inner[32];
		uint32		outer_count = random_below(33);
		uint32		inner_count = random_below(5);
		bool		expected = true;
		Value		a;
		Value		b;

		for (uint32 i = 0; i < outer_count; i++)
			outer[i] = random_below(40);
		for (uint32 i = 0; i < inner_count; i++)
		{
			bool		found = false;

			inner[i] = random_below(40);
			for (uint32 j = 0; j < outer_count; j++)
				found |= outer[j] == inner[i];
			expected &= found;
		}
		a = value_of_hashes(outer, outer_count, 0);
		b = value_of_hashes(inner, inner_count, 0);
		holds(tagbloom_contains(&a.view, &b.view) == expected, "run %d", run);
		free(a.bytes);
		free(b.bytes);
	}
	property_end();
}

/* ---------- false positives ---------- */

/*
 * How often tags that are not in a filter are taken for ones that are, against
 * what it says of itself.  400 hits are expected at least, so that the ratio has
 * a standard error of at most 5 %: 1.3 is five of them away.
 */
static void
measure_rate(int tags, int log2_blocks, const char *name)
{
	static uint64 number;		/* no tag is used twice */
	double		expected_hits = 0;
	long		hits = 0;
	long		probes = 0;
	int			filters = 0;
	char		text[32];

	while (expected_hits < 400)
	{
		uint64	   *hashes = malloc(tags * sizeof(uint64));
		Value		filter;
		double		rate;
		long		questions;

		for (int i = 0; i < tags; i++)
			hashes[i] = tag_hash64(text, sprintf(text, "tag %" PRIu64, number++));
		filter = filter_of_hashes(hashes, tags, log2_blocks);
		rate = tagbloom_false_positive_rate(&filter.view);
		/* A tenth of all hits from each filter. */
		questions = (long) (40 / rate_by_sum(tags, log2_blocks));
		for (long i = 0; i < questions; i++)
		{
			uint64		hash;

			/* Real tags first; random hashes are quicker. */
			if (i < 100000)
				hash = tag_hash64(text, sprintf(text, "tag %" PRIu64, number++));
			else
				hash = random_u64();
			hits += tagbloom_has(&filter.view, hash);
		}
		filters++;
		probes += questions;
		expected_hits += rate * questions;
		free(filter.bytes);
		free(hashes);
	}
	if (!ok(hits < 1.3 * expected_hits && expected_hits < 1.3 * hits, "%s: measured and reported rate agree", name))
		diag("%ld hits, %.1f expected", hits, expected_hits);
	diag("%d tags in 2^%d blocks: %.3g measured, %.3g reported, %.3g by the formula; %ld hits, ratio %.3f +- %.3f",
		 tags, log2_blocks, (double) hits / probes, expected_hits / probes, rate_by_sum(tags, log2_blocks), hits,
		 hits / expected_hits, 1 / sqrt(expected_hits));
}

static void
test_rates(void)
{
	measure_rate(8, 0, "8 tags in one block");
	measure_rate(16, 0, "16 tags in one block");
	measure_rate(32, 0, "32 tags in one block");
	measure_rate(32, tagbloom_log2_blocks(32), "32 tags");
	measure_rate(64, tagbloom_log2_blocks(64), "64 tags");
	measure_rate(128, tagbloom_log2_blocks(128), "128 tags");
	measure_rate(1000, tagbloom_log2_blocks(1000), "1000 tags");
	measure_rate(10000, tagbloom_log2_blocks(10000), "10000 tags");
	/* Where the rate is at its limit. */
	measure_rate(tagbloom_capacity(2), 2, "62 tags, no more would go into 4 blocks");
	measure_rate(tagbloom_capacity(9), 9, "7762 tags, no more would go into 512 blocks");

	property("a raised filter has the same rate: its blocks are repeated");
	for (int run = 0; run < 1000; run++)
	{
		uint64	   *hashes = random_hashes(100);
		Value		filter = filter_of_hashes(hashes, 100, (int) random_below(4));
		Value		raised = resized(&filter, filter.view.log2_blocks + (int) random_below(4));
		double		rate = tagbloom_false_positive_rate(&filter.view);

		holds(fabs(tagbloom_false_positive_rate(&raised.view) / rate - 1) < 1e-12, "run %d: %g, not %g", run,
			  tagbloom_false_positive_rate(&raised.view), rate);
		free(filter.bytes);
		free(raised.bytes);
		free(hashes);
	}
	property_end();

	/*
	 * Promoted with just so many tags as go in, the rates that filters report
	 * are 0.1 % in the mean: the formula's expectation is over filters.
	 */
	property("filters report 0.1 % at most, in the mean, when they are as full as promotion makes them");
	for (int k = 2; k <= 10; k++)
	{
		int			filters = 2000 >> (k - 2) / 2;
		uint32		count = tagbloom_capacity(k);
		double		sum = 0;
		double		squares = 0;
		double		mean;
		double		error;

		for (int i = 0; i < filters; i++)
		{
			uint64	   *hashes = random_hashes(count);
			Value		filter = value_of_hashes(hashes, count, 0);
			double		rate = tagbloom_false_positive_rate(&filter.view);

			holds(filter.view.log2_blocks == k, "%u tags: 2^%d blocks", count, filter.view.log2_blocks);
			sum += rate;
			squares += rate * rate;
			free(filter.bytes);
			free(hashes);
		}
		mean = sum / filters;
		error = sqrt((squares / filters - mean * mean) / filters);
		holds(fabs(mean - rate_by_sum(count, k)) < 5 * error && mean < 0.001 + 5 * error,
			  "%u tags: %.6f +- %.6f, not %.6f", count, mean, error, rate_by_sum(count, k));
		holds(error < 0.00005, "%u tags: too few filters, +- %.6f", count, error);
	}
	property_end();

	{
		uint64	   *hashes = random_hashes(32);
		Value		value = value_of_hashes(hashes, 32, 0);

		ok(tagbloom_false_positive_rate(&value.view) == 32 / 18446744073709551616.0, "an exact set: its hashes among all 2^64");
		replace(&value, filter_of_hashes(hashes, 0, 3));
		ok(tagbloom_false_positive_rate(&value.view) == 0, "an empty filter has none");
		memset(value.bytes + TAGBLOOM_HEADER, 0xFF, value.length - TAGBLOOM_HEADER);
		ok(tagbloom_false_positive_rate(&value.view) == 1, "a full filter has only these");
		/* Two blocks: one with one bit in every word, one with four of 32 in every one. */
		replace(&value, filter_of_hashes(hashes, 0, 1));
		for (int i = 0; i < 8; i++)
		{
			value.bytes[TAGBLOOM_HEADER + 4 * i + i % 4] = 0x10;
			value.bytes[TAGBLOOM_HEADER + 32 + 4 * i + 3] = 0xF0;
		}
		ok(tagbloom_false_positive_rate(&value.view) == (pow(1.0 / 32, 8) + pow(1.0 / 8, 8)) / 2,
		   "a mean over blocks of products over words");
		free(value.bytes);
		free(hashes);
	}
}

/* ---------- numbers of tags ---------- */

/*
 * The standard error of linear counting in m bits, as a share of n: Whang,
 * Vander-Zanden and Taylor (1990).  There are eight words to count with; their
 * errors would be independent if they did not share the blocks.
 */
static double
counting_error(double n, int log2_blocks)
{
	double		m = ldexp(32, log2_blocks);
	double		t = n / m;

	return sqrt(m * (exp(t) - t - 1)) / n;
}

typedef struct Errors
{
	double		sum;
	double		squares;
	double		worst;
	int			count;
} Errors;

static void
note_error(Errors *errors, double counted, double tags)
{
	double		error = counted / tags - 1;

	errors->sum += error;
	errors->squares += error * error;
	errors->worst = fmax(errors->worst, fabs(error));
	errors->count++;
}

static double
deviation(const Errors *errors)
{
	return sqrt(errors->squares / errors->count);
}

static void
test_counts(void)
{
	property("exact sets know how many tags they have");
	for (uint32 n = 0; n <= 32; n++)
	{
		uint64	   *hashes = random_hashes(n);
		Value		value = value_of_hashes(hashes, n, 0);

		holds(tagbloom_count(&value.view) == n, "%u tags", n);
		free(value.bytes);
		free(hashes);
	}
	property_end();

	property("an empty filter has no tag, and its number is not below zero");
	for (int k = 0; k <= 10; k++)
		for (int raised = 0; raised <= 3; raised++)
		{
			Value		value = filter_of_hashes(NULL, 0, k);

			replace(&value, resized(&value, k + raised));
			holds(tagbloom_count(&value.view) == 0 && !signbit(tagbloom_count(&value.view)), "2^%d blocks: %g", k,
				  tagbloom_count(&value.view));
			free(value.bytes);
		}
	property_end();

	property("filters are counted as well as linear counting can, plain and raised");
	for (int k = 1; k <= 10; k++)
		for (int fill = 0; fill < 3; fill++)
		{
			/* Just too many for half the size; full; twice as many. */
			static const double fills[] = {0.52, 1, 2};
			double		n = floor(fills[fill] * tagbloom_capacity(k));
			double		bound = counting_error(n, k);
			int			filters = k <= 6 ? 400 : 60;
			Errors		plain = {0};

			for (int i = 0; i < filters; i++)
			{
				uint64	   *hashes = random_hashes((size_t) n);
				Value		value = filter_of_hashes(hashes, (size_t) n, k);
				Value		raised = resized(&value, k + 1 + (int) random_below(3));
				double		count = tagbloom_count(&value.view);

				note_error(&plain, count, n);
				holds(fabs(tagbloom_count(&raised.view) / count - 1) < 1e-9, "2^%d blocks, %.0f tags: %g, raised %g", k, n,
					  count, tagbloom_count(&raised.view));
				free(value.bytes);
				free(raised.bytes);
				free(hashes);
			}
			holds(deviation(&plain) < bound && fabs(plain.sum / plain.count) < 0.3 * bound + bound * 5 / sqrt(filters),
				  "2^%d blocks, %.0f tags: error %.4f, in the mean %.4f, with one word %.4f", k, n, deviation(&plain),
				  plain.sum / plain.count, bound);
			/* What is said of the function: about 3 %. */
			if (n > 32 && fill < 2)
				holds(deviation(&plain) < 0.03, "2^%d blocks, %.0f tags: error %.4f", k, n, deviation(&plain));
		}
	property_end();

	property("unions of filters of different sizes are counted, up to a rate of 10 %");
	for (int kind = 0; kind < 5; kind++)
	{
		/* A large set and small ones; or all sizes; or tags added afterwards. */
		static const struct
		{
			int			first;
			int			others;
			int			least;
			int			most;
			int			added;
		}			kinds[] = {{5000, 3, 40, 40, 0}, {10000, 1, 33, 60, 0}, {500, 2, 33, 300, 0}, {1000, 1, 40, 60, 1000}, {40, 1, 80, 80, 0}};
		Errors		errors = {0};
		double		rate = 0;

		for (int run = 0; run < 200; run++)
		{
			int			tags = kinds[kind].first;
			uint64	   *hashes = random_hashes(tags);
			Value		all = value_of_hashes(hashes, tags, 0);

			free(hashes);
			for (int i = 0; i < kinds[kind].others; i++)
			{
				int			more = kinds[kind].least + (int) random_below(kinds[kind].most - kinds[kind].least + 1);
				Value		other;

				hashes = random_hashes(more);
				other = value_of_hashes(hashes, more, 0);
				replace(&all, union_of(&all, &other));
				tags += more;
				free(other.bytes);
				free(hashes);
			}
			for (int i = 0; i < kinds[kind].added; i++)
				filter_insert(all.bytes + TAGBLOOM_HEADER, all.view.log2_blocks, random_u64());
			tags += kinds[kind].added;
			note_error(&errors, tagbloom_count(&all.view), tags);
			rate += tagbloom_false_positive_rate(&all.view) / 200;
			free(all.bytes);
		}
		holds(rate < 0.1 && deviation(&errors) < 0.07 && fabs(errors.sum / errors.count) < 0.02,
			  "kind %d: rate %.4f, error %.4f, in the mean %.4f", kind, rate, deviation(&errors), errors.sum / errors.count);
		diag("unions, kind %d: rate %.2g, counted to %.1f %%, at worst %.0f %%", kind, rate, 100 * deviation(&errors),
			 100 * errors.worst);
	}
	property_end();

	/*
	 * Halved to its grain a filter is that of its tags.  Too full to be counted
	 * there, it has more of them than it seems, or about as many.
	 */
	property("however full a filter is, its number is finite and not far below that at its grain");
	for (int run = 0; run < 2000; run++)
	{
		int			grain = (int) random_below(4);
		int			log2_blocks = grain + (int) random_below(7);
		size_t		count = (size_t) random_below((run % 3 == 0 ? 500 : 100) << grain);
		uint64	   *hashes = random_hashes(count);
		Value		value = filter_of_hashes(hashes, count, grain);
		Value		halved;
		double		number;

		replace(&value, resized(&value, log2_blocks));
		for (uint64 i = random_below((run % 2 == 0 ? 500 : 20) << log2_blocks); i > 0; i--)
			filter_insert(value.bytes + TAGBLOOM_HEADER, log2_blocks, random_u64());
		if (run % 50 == 0)
			memset(value.bytes + TAGBLOOM_HEADER, 0xFF, value.length - TAGBLOOM_HEADER);
		number = tagbloom_count(&value.view);
		halved = resized(&value, grain);
		holds(isfinite(number) && number >= 0.7 * tagbloom_count(&halved.view),
			  "run %d: 2^%d blocks, grain 2^%d, rate %.4f: %.1f tags, halved %.1f", run, log2_blocks, grain,
			  tagbloom_false_positive_rate(&value.view), number, tagbloom_count(&halved.view));
		free(value.bytes);
		free(halved.bytes);
		free(hashes);
	}
	property_end();
}

/* ---------- bytes from elsewhere ---------- */

/* All that can be asked of a value, to let the sanitizers see what is read. */
static double
ask_everything(const Value *value, const Value *other)
{
	uint64		hashes[TAGBLOOM_EXACT_MAX];
	double		sum = tagbloom_count(&value->view) + tagbloom_false_positive_rate(&value->view);
	Value		both = union_of(value, other);

	sum += tagbloom_hashes(&value->view, hashes);
	for (uint64 i = 0; i < 8; i++)
		sum += tagbloom_has(&value->view, i << 61 | 12345 * i);
	sum += tagbloom_contains(&value->view, &other->view) + tagbloom_contains(&other->view, &value->view);
	sum += tagbloom_contains(&both.view, &value->view) && tagbloom_contains(&both.view, &other->view) ? 0 : NAN;
	free(both.bytes);
	return sum;
}

/* Bytes that are taken must be those that their own value is stored as. */
static void
try_bytes(const uint8 *bytes, size_t length, const Value *other, long *taken)
{
	Value		value = {exact_copy(bytes, length), length};
	const char *wrong = tagbloom_check(value.bytes, length);

	if (wrong == NULL)
	{
		uint64		hashes[TAGBLOOM_EXACT_MAX];
		TagParts	parts = {.hashes = hashes};
		Value		again;

		look(&value);
		if (!value.view.is_exact)
		{
			parts.filter = value.view.bytes;
			parts.log2_blocks = value.view.log2_blocks;
			parts.log2_grain = value.view.log2_grain;
		}
		parts.count = tagbloom_hashes(&value.view, hashes);
		again = value_of(&parts);
		holds(same(&value, &again), "a value of %zu bytes is taken, but stored differently", length);
		holds(isfinite(ask_everything(&value, other)), "a value of %zu bytes, asked", length);
		free(again.bytes);
		++*taken;
	}
	free(value.bytes);
}

static void
test_check(void)
{
	static const int counts[] = {0, 1, 2, 5, 32};
	uint64	   *hashes = random_hashes(100);
	Value		other = value_of_hashes(hashes, 5, 0);
	Value		values[10];
	int			n = 0;
	long		taken = 0;
	long		cut = 0;
	struct
	{
		const char *bytes;
		size_t		length;
		const char *wrong;
	}			wrong[] = {
		{"", 0, "it is truncated"},
		{"\x04\x01\0", 3, "it is truncated"},
		{"\x01\x01\0\0", 4, "its first byte is not that of a tagbloom"},
		{"\x04\0\0\0", 4, "its version is not known"},
		{"\x04\x02\0\0", 4, "its version is not known"},
		{"\x04\x01\x01\0", 4, "a reserved byte is not 0"},
		{"\x04\x01\0\x21", 4, "it has more than 32 hashes"},
		{"\x04\x01\0\x7f", 4, "it has more than 32 hashes"},
		{"\x04\x01\0\x01", 4, "its length does not fit its number of hashes"},
		{"\x04\x01\0\0a", 5, "its length does not fit its number of hashes"},
		{"\x04\x01\0\x02" "11111111" "11111111", 20, "its hashes are not in ascending order"},
		{"\x04\x01\0\x02" "11111112" "11111111", 20, "its hashes are not in ascending order"},
		{"\x04\x01\0\x03" "\x7f" "1111111" "\x80" "1111111" "\x7f" "1111111", 28, "its hashes are not in ascending order"},
		{"\x04\x01\x17\x80", 4, "its filter is larger than 128 MB"},
		{"\x04\x01\xff\x80", 4, "its filter is larger than 128 MB"},
		{"\x04\x01\0\x81", 4, "its grain is larger than its filter"},
		{"\x04\x01\x05\x86", 4, "its grain is larger than its filter"},
		{"\x04\x01\x05\xff", 4, "its grain is larger than its filter"},
		{"\x04\x01\0\x80", 4, "its length does not fit its number of blocks"},
		{"\x04\x01\x16\x80", 4, "its length does not fit its number of blocks"},
		{"\x04\x01\0\x80" "0123456789abcdef0123456789abcdef+", 37, "its length does not fit its number of blocks"}
	};

	property("what is wrong is said");
	for (size_t i = 0; i < LENGTH_OF(wrong); i++)
	{
		uint8	   *copy = exact_copy(wrong[i].bytes, wrong[i].length);
		const char *said = tagbloom_check(copy, wrong[i].length);

		holds(said != NULL && strcmp(said, wrong[i].wrong) == 0, "case %zu: %s", i, said);
		free(copy);
	}
	property_end();

	for (size_t i = 0; i < LENGTH_OF(counts); i++)
		values[n++] = value_of_hashes(hashes, counts[i], 0);
	values[n++] = filter_of_hashes(hashes, 5, 0);
	values[n++] = filter_of_hashes(hashes, 20, 1);
	values[n++] = value_of_hashes(hashes, 40, 0);
	values[n++] = resized(&values[6], 2);
	values[n++] = resized(&values[7], 3);

	property("bytes with any one changed are refused, or another value; cut ones are refused");
	for (int i = 0; i < n; i++)
	{
		uint8	   *bytes = exact_copy(values[i].bytes, values[i].length);
		long		before = taken;

		try_bytes(bytes, values[i].length, &other, &taken);
		holds(taken == before + 1, "value %d itself", i);
		for (size_t at = 0; at < values[i].length; at++)
			for (int change = 1; change < 256; change++)
			{
				/* Blocks are alike: a few bits of each byte say as much as all. */
				if (at >= TAGBLOOM_HEADER + 64 && (change & (change - 1)) != 0)
					continue;
				bytes[at] ^= change;
				try_bytes(bytes, values[i].length, &other, &taken);
				bytes[at] ^= change;
			}
		for (size_t length = 0; length < values[i].length; length++)
			try_bytes(bytes, length, &other, &cut);
		free(bytes);
		bytes = calloc(1, values[i].length + 40);
		memcpy(bytes, values[i].bytes, values[i].length);
		for (size_t more = 1; more <= 40; more++)
			try_bytes(bytes, values[i].length + more, &other, &cut);
		free(bytes);
	}
	holds(cut == 0, "%ld values were taken although cut or too long", cut);
	property_end();

	/* Random headers, so that several bytes are wrong at once. */
	property("random bytes are refused, or a value");
	for (int run = 0; run < 300000; run++)
	{
		uint8		bytes[4 + 256];
		size_t		length = run % 2 == 0 ? 4 + 8 * random_below(33) : 4 + ((size_t) 32 << random_below(4));

		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8) random_u64();
		bytes[0] = 4;
		bytes[1] = 1;
		if (run % 2 == 0)
		{
			bytes[2] = 0;
			bytes[3] = (length - 4) / 8;
			/* Ascending more often than not. */
			for (size_t i = 4; random_below(8) > 0 && i < length; i += 8)
				bytes[i] = (uint8) ((i - 4) / 8 * 7);
		}
		else
		{
			bytes[2] = random_below(5);
			bytes[3] = 0x80 | random_below(5);
		}
		try_bytes(bytes, length, &other, &taken);
	}
	property_end();
	ok(taken > 100000, "of all these, many are values");

	for (int i = 0; i < n; i++)
		free(values[i].bytes);
	free(other.bytes);
	free(hashes);
}

int
main(void)
{
	test_format();
	test_sizes();
	test_sequences();
	test_largest();
	test_carried_hashes();
	test_containment();
	test_rates();
	test_counts();
	test_check();
	return done_testing();
}
