/* needs: shared/packed_column.c */
#include "shared/packed_column.h"

#include "tap.h"

#define WIDTHS 9

/* The most that is added to the smallest number in a block of this width. */
static uint64
most_of_width(int width)
{
	return width == 0 ? 0 : UINT64_MAX >> (64 - 8 * width);
}

/* A stored block, with nothing before or behind it. */
typedef struct Block
{
	uint8	   *bytes;
	Size		size;
} Block;

static Block
store(const int64 *numbers, int n)
{
	uint8	   *bytes = malloc(PACKED_SIZE_MAX(n));
	Block		block;

	block.size = packed_store(numbers, n, bytes) - bytes;
	block.bytes = exact_copy(bytes, block.size);
	free(bytes);
	return block;
}

/* The bytes of a block, as docs/storage-format.md has them, by a loop over single bytes. */
static Block
store_plainly(int width, uint64 smallest, const uint64 *above, int n)
{
	Block		block = {.size = PACKED_HEADER_SIZE + (Size) n * width};
	uint8	   *p = block.bytes = malloc(block.size);

	*p++ = (uint8) width;
	for (int shift = 56; shift >= 0; shift -= 8)
		*p++ = (uint8) (smallest >> shift);
	for (int i = 0; i < n; i++)
		for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
			*p++ = (uint8) (above[i] >> shift);
	return block;
}

static bool
same(const Block *a, const Block *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Checks and reads a block; what is taken must be stored as it came. */
static const char *
check(const Block *block, int n, int64 *numbers)
{
	const uint8 *bytes = block->bytes;
	const uint8 *end = block->bytes + block->size;
	const char *wrong = packed_check_and_load(&bytes, end, n, numbers);

	if (wrong != NULL)
		holds(bytes == block->bytes, "refused, but passed: %s", wrong);
	else
	{
		Block		again = store(numbers, n);

		again.size = Min(again.size, block->size);
		holds(bytes == block->bytes + again.size && memcmp(again.bytes, block->bytes, again.size) == 0,
			  "%d numbers are taken, but stored differently", n);
		free(again.bytes);
	}
	return wrong;
}

static bool
is_wrong(const Block *block, int n, const char *expected)
{
	int64		numbers[PACKED_ROWS];
	const char *wrong = check(block, n, numbers);

	return wrong != NULL && strcmp(wrong, expected) == 0;
}

/*
 * n numbers that need exactly this width, or one; and by how much each is above the
 * smallest, which is returned.
 */
static int64
random_numbers(int width, int n, uint64 *above, int64 *numbers)
{
	uint64		most = most_of_width(width);
	uint64		least = width == 0 ? 0 : most_of_width(width - 1) + 1;
	uint64		largest = n == 1 ? 0 : random_below(3) ? least + random_below(most - least + 1) : random_below(2) ? least : most;
	uint64		room = UINT64_MAX - largest;
	uint64		smallest = (uint64) INT64_MIN;

	if (room > 0)
		smallest += random_below(3) ? random_u64() % room : random_below(2) ? 0 : room;
	for (int i = 0; i < n; i++)
		above[i] = largest == UINT64_MAX ? random_u64() : random_below(largest + 1);
	if (n == 1)
		above[0] = 0;
	else
	{
		int			first = (int) random_below(n);
		int			other = (first + 1 + (int) random_below(n - 1)) % n;

		above[first] = 0;
		above[other] = largest;
	}
	for (int i = 0; i < n; i++)
		numbers[i] = (int64) (smallest + above[i]);
	return (int64) smallest;
}

/* Everything that reads a block gives the numbers that were stored. */
static void
check_block(int width, int n)
{
	uint64		above[PACKED_ROWS];
	int64		numbers[PACKED_ROWS];
	int64		read[PACKED_ROWS];
	int64		smallest = random_numbers(width, n, above, numbers);
	Block		block = store(numbers, n);
	Block		plain = store_plainly(n == 1 ? 0 : width, (uint64) smallest, above, n);
	PackedBlock open = packed_open(block.bytes);
	const char *wrong;

	holds(same(&block, &plain), "width %d, %d numbers: other bytes than specified", width, n);
	holds(block.size <= PACKED_SIZE_MAX(n), "width %d, %d numbers: %zu bytes", width, n, (size_t) block.size);

	wrong = check(&block, n, read);
	holds(wrong == NULL && memcmp(read, numbers, n * sizeof(int64)) == 0, "width %d, %d numbers: %s", width, n, wrong ? wrong : "others");
	memset(read, 0x5A, sizeof(read));
	holds(packed_load(block.bytes, n, read) == block.bytes + block.size && memcmp(read, numbers, n * sizeof(int64)) == 0,
		  "width %d, %d numbers are read as others", width, n);
	holds(open.width == (n == 1 ? 0 : width) && open.smallest == smallest && open.numbers == block.bytes + PACKED_HEADER_SIZE,
		  "width %d, %d numbers: another header", width, n);
	for (int i = 0; i < n; i++)
		holds(packed_number(&open, open.numbers + i * open.width) == numbers[i], "width %d: number %d of %d", width, i, n);
	holds(packed_skip(block.bytes, block.bytes + block.size, n) == block.bytes + block.size, "width %d, %d numbers are not skipped", width, n);
	free(block.bytes);
	free(plain.bytes);
}

static void
test_round_trip(void)
{
	property("blocks of every width and length are stored as specified and come back");
	for (int width = 0; width < WIDTHS; width++)
		for (int n = 1; n <= PACKED_ROWS; n++)
			for (int run = 0; run < 3; run++)
				check_block(width, n);
	property_end();

	property("the ends of what 64 bits hold");
	{
		static const int64 ends[] = {INT64_MIN, INT64_MIN + 1, -256, -255, -1, 0, 1, 255, 256, INT64_MAX - 1, INT64_MAX};
		int64		read[2];

		for (size_t i = 0; i < LENGTH_OF(ends); i++)
			for (size_t j = 0; j < LENGTH_OF(ends); j++)
			{
				int64		numbers[] = {ends[i], ends[j]};
				Block		block = store(numbers, 2);

				holds(check(&block, 2, read) == NULL && read[0] == ends[i] && read[1] == ends[j], "%" PRId64 " and %" PRId64, ends[i], ends[j]);
				free(block.bytes);
			}
	}
	property_end();

	/* The format itself, pinned: docs/storage-format.md. */
	{
		int64		numbers[] = {5, 7, -1};
		Block		block = store(numbers, 3);

		ok(block.size == 12 && memcmp(block.bytes, "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x06\x08\0", 12) == 0, "5, 7, -1, byte for byte");
		free(block.bytes);
	}
	ok(packed_column_size_max(0) == 0 && packed_column_size_max(1) == 17 && packed_column_size_max(256) == 9 + 2048 &&
	   packed_column_size_max(257) == 2 * 9 + 2056 && packed_column_size_max(257) == PACKED_SIZE_MAX(256) + PACKED_SIZE_MAX(1),
	   "the most bytes of a column are those of its blocks");
}

static void
test_checker(void)
{
	property("a block that is cut off is neither skipped nor read");
	for (int width = 0; width < WIDTHS; width++)
		for (int n = 2; n <= PACKED_ROWS; n += n < 10 ? 1 : 82)
		{
			uint64		above[PACKED_ROWS];
			int64		numbers[PACKED_ROWS];
			Block		block;

			random_numbers(width, n, above, numbers);
			block = store(numbers, n);
			for (Size size = 0; size < block.size; size += size < 40 || size + 40 > block.size ? 1 : 37)
			{
				Block		piece = {exact_copy(block.bytes, size), size};

				holds(packed_skip(piece.bytes, piece.bytes + size, n) == NULL, "%zu bytes of %zu are skipped", (size_t) size, (size_t) block.size);
				holds(is_wrong(&piece, n, "a column is truncated"), "%zu bytes of %zu are read", (size_t) size, (size_t) block.size);
				free(piece.bytes);
			}
			free(block.bytes);
		}
	property_end();

	property("what follows a block is not part of it");
	for (int width = 0; width < WIDTHS; width++)
	{
		uint64		above[PACKED_ROWS];
		int64		numbers[PACKED_ROWS];
		uint8		bytes[PACKED_SIZE_MAX(7) + 20];
		Block		block;
		Block		longer;
		const uint8 *at;

		random_numbers(width, 7, above, numbers);
		block = store(numbers, 7);
		memset(bytes, 0xA5, sizeof(bytes));
		memcpy(bytes, block.bytes, block.size);
		longer = (Block) {bytes, sizeof(bytes)};
		at = longer.bytes;
		holds(packed_skip(longer.bytes, longer.bytes + longer.size, 7) == bytes + block.size, "width %d", width);
		holds(packed_check_and_load(&at, longer.bytes + longer.size, 7, numbers) == NULL && at == bytes + block.size, "width %d", width);
		free(block.bytes);
	}
	property_end();

	property("more than 8 bytes a number are none");
	for (int width = WIDTHS; width < 256; width++)
	{
		uint8	   *bytes = calloc(1, PACKED_HEADER_SIZE + 255);
		Block		block = {bytes, PACKED_HEADER_SIZE + 255};

		bytes[0] = (uint8) width;
		holds(packed_skip(bytes, bytes + block.size, 1) == NULL && is_wrong(&block, 1, "a column is truncated"), "width %d", width);
		free(bytes);
	}
	property_end();

	property("more bytes than are needed are refused, and so is a smallest number that is none");
	for (int width = 0; width < WIDTHS; width++)
		for (int run = 0; run < 50; run++)
		{
			int			n = 2 + (int) random_below(PACKED_ROWS - 1);
			uint64		above[PACKED_ROWS];
			int64		numbers[PACKED_ROWS];
			int64		smallest = random_numbers(width, n, above, numbers);
			uint64		largest = 0;
			Block		block;

			for (int wider = width + 1; wider < WIDTHS; wider++)
			{
				block = store_plainly(wider, (uint64) smallest, above, n);
				holds(is_wrong(&block, n, "a column is wider than its numbers need"), "width %d instead of %d", wider, width);
				free(block.bytes);
			}
			for (int i = 0; i < n; i++)
			{
				largest = Max(largest, above[i]);
				above[i]++;
			}
			if (smallest == INT64_MIN || width == 0 || largest == most_of_width(width))
				continue;
			block = store_plainly(width, (uint64) smallest - 1, above, n);
			holds(is_wrong(&block, n, "a column is wider than its numbers need"), "width %d, no number is the smallest", width);
			free(block.bytes);
		}
	property_end();

	property("numbers up to the largest are taken, and none beyond it");
	for (int width = 1; width < WIDTHS; width++)
		for (int past = -1; past <= 1; past++)
		{
			uint64		most = most_of_width(width);
			uint64		above[] = {0, most, 0};
			uint64		smallest = (uint64) INT64_MAX - most + (uint64) past;
			Block		block;
			int64		numbers[3];

			/* Of the full width the smallest of all is the only one that fits. */
			if (width == 8 && past < 0)
				continue;
			block = store_plainly(width, smallest, above, 3);
			if (past > 0)
				holds(is_wrong(&block, 3, "a number is out of range"), "width %d: one more than the largest", width);
			else
				holds(check(&block, 3, numbers) == NULL && numbers[1] == INT64_MAX + past, "width %d, %d past the largest", width, past);
			free(block.bytes);
		}
	property_end();

	property("with any byte changed, a block is refused, or stored as it came");
	for (int width = 0; width < WIDTHS; width++)
		for (int n = 1; n < 5; n++)
		{
			uint64		above[PACKED_ROWS];
			int64		numbers[PACKED_ROWS];
			Block		block;

			random_numbers(width, n, above, numbers);
			block = store(numbers, n);
			for (Size at = 0; at < block.size; at++)
				for (int change = 1; change < 256; change++)
				{
					block.bytes[at] ^= change;
					holds(check(&block, n, numbers) == NULL || true, "never");
					block.bytes[at] ^= change;
				}
			free(block.bytes);
		}
	property_end();
}

int
main(void)
{
	test_round_trip();
	test_checker();
	return done_testing();
}
