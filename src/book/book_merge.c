/*
 * book_merge.c
 *	  Merges stored books: finds the order of all their keys, then writes keys and
 *	  tails in that order.
 *
 * There is no table, no hashing and no sorting: one pass over all books in parallel.
 */
#include "book/book_merge.h"

#include "miscadmin.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "utils/memutils.h"

/* ---------- keys ---------- */

/* Writes keys that are numbers, as a packed column. */
typedef struct NumberWriter
{
	ByteBuffer *buffer;
	int			n;				/* that wait */
	int64		numbers[PACKED_ROWS];
} NumberWriter;

static void
write_numbers(NumberWriter *writer)
{
	uint8	   *bytes = buffer_reserve(writer->buffer, PACKED_SIZE_MAX(writer->n));

	buffer_advance(writer->buffer, packed_store(writer->numbers, writer->n, bytes));
	writer->n = 0;
}

static inline void
write_number(NumberWriter *writer, int64 number)
{
	writer->numbers[writer->n++] = number;
	if (unlikely(writer->n == PACKED_ROWS))
		write_numbers(writer);
}

/* The beginning of a key, as a number with the same order. */
static inline uint64
key_prefix(KeyType key_type, const BookKeyCursor *cursor)
{
	uint32		length;
	uint64		prefix = 0;

	switch (key_type)
	{
		case KEY_INT64:
			return (uint64) packed_number(&cursor->block, cursor->key) ^ UINT64CONST(1) << 63;
		case KEY_BYTES:
			length = load_u32(cursor->key);
			if (length >= 8)
				return load_u64(cursor->bytes);
			for (uint32 i = 0; i < 8; i++)
				prefix = prefix << 8 | (i < length ? cursor->bytes[i] : 0);
			return prefix;
		default:
			return load_u64(cursor->key);
	}
}

/* Orders two keys with equal prefixes. */
static inline int
compare_rest(KeyType key_type, const BookKeyCursor *a, const BookKeyCursor *b)
{
	switch (key_type)
	{
		case KEY_INT64:
			return 0;
		case KEY_BYTES:
			return compare_bytes(a->bytes, load_u32(a->key), b->bytes, load_u32(b->key));
		default:
			return memcmp(a->key, b->key, 16);
	}
}

/*
 * A part, by its next key: the key's prefix above the number of the part, so that
 * equal keys are in the order of their parts.
 */
typedef uint128 NextKey;

#define NO_KEY (~(uint128) 0)	/* after the last key */

static inline uint64
prefix_of(NextKey next)
{
	return (uint64) (next >> 64);
}

static inline int
part_of(NextKey next)
{
	return (int) (uint64) next;
}

static inline NextKey
next_key(KeyType key_type, const BookKeyCursor *cursors, int part)
{
	return cursors[part].left == 0 ? NO_KEY : (uint128) key_prefix(key_type, &cursors[part]) << 64 | (uint64) part;
}

static inline bool
comes_before(KeyType key_type, const BookKeyCursor *cursors, NextKey a, NextKey b)
{
	if (key_type != KEY_INT64 && prefix_of(a) == prefix_of(b) && a != NO_KEY && b != NO_KEY)
	{
		int			order = compare_rest(key_type, &cursors[part_of(a)], &cursors[part_of(b)]);

		if (order != 0)
			return order < 0;
	}
	return a < b;
}

/*
 * Finds the order of all keys of n parts, equal ones in the order of the parts, and
 * writes those that are numbers.  The key type is a constant to the compiler.
 *
 * The parts play a tournament (Knuth, The Art of Computer Programming, volume 3,
 * section 5.4.1): every match of the tree keeps its loser, so when the winner
 * advances to its next key, only its own matches are replayed.
 */
static pg_attribute_always_inline void
find_order(KeyType key_type, const BookReader *parts, int n, BookMergeOrder *order, NumberWriter *writer)
{
	BookKeyCursor cursors[BOOK_PARTS_MAX];
	NextKey		losers[BOOK_PARTS_MAX];
	NextKey		winners[BOOK_PARTS_MAX * 2];
	NextKey		winner;
	int			leaves = 1;
	uint32		count = 0;

	while (leaves < n)
		leaves *= 2;
	for (int i = 0; i < leaves; i++)
	{
		if (i < n)
			book_key_cursor(&cursors[i], &parts[i]);
		winners[leaves + i] = i < n ? next_key(key_type, cursors, i) : NO_KEY;
	}
	for (int match = leaves - 1; match > 0; match--)
	{
		NextKey		a = winners[match * 2];
		NextKey		b = winners[match * 2 + 1];
		bool		a_wins = comes_before(key_type, cursors, a, b);

		winners[match] = a_wins ? a : b;
		losers[match] = a_wins ? b : a;
	}
	winner = winners[1];

	for (Size i = 0; winner != NO_KEY; i++)
	{
		NextKey		last = winner;
		int			part = part_of(last);
		BookKeyCursor last_key = cursors[part];

		check_interrupts(i);
		book_advance(&cursors[part]);
		__builtin_prefetch(cursors[part].key + 128);
		winner = next_key(key_type, cursors, part);
		for (int match = (leaves + part) / 2; match > 0; match /= 2)
		{
			NextKey		other = losers[match];
			bool		stays = !comes_before(key_type, cursors, other, winner);

			losers[match] = stays ? other : winner;
			winner = stays ? winner : other;
		}

		order->source[i] = (uint8) part;
		if (winner != NO_KEY && prefix_of(winner) == prefix_of(last) &&
			compare_rest(key_type, &cursors[part_of(winner)], &last_key) == 0)
			order->source[i] |= BOOK_ORDER_SAME_KEY;
		else
		{
			count++;
			if (key_type == KEY_INT64)
				write_number(writer, (int64) (prefix_of(last) ^ UINT64CONST(1) << 63));
		}
	}
	order->count = count;
}

#define FEW_PARTS 8

/* Numbers of a part, a block at a time. */
typedef struct NumberRun
{
	uint8		part;
	uint32		left;			/* behind those at hand */
	const uint8 *bytes;			/* of the next block */
	int			at;
	int			n;
	int64		numbers[PACKED_ROWS];
} NumberRun;

/* Reads the next block; false if there is none. */
static bool
read_run(NumberRun *run)
{
	run->at = 0;
	run->n = (int) Min(run->left, PACKED_ROWS);
	if (run->n == 0)
		return false;
	run->left -= run->n;
	run->bytes = packed_load(run->bytes, run->n, run->numbers);
	return true;
}

/*
 * The same for few parts whose keys are numbers: comparing the next key of each
 * is faster than a tournament, whose matches are unpredictable branches, and a
 * key that is in all parts is looked at only once in each.
 */
static void
find_order_of_few(const BookReader *parts, int n, BookMergeOrder *order, NumberWriter *writer)
{
	NumberRun	runs[FEW_PARTS];
	int64		next[FEW_PARTS];
	uint8	   *source = order->source;
	uint32		count = 0;
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		runs[left] = (NumberRun) {.part = (uint8) i, .left = parts[i].count, .bytes = parts[i].keys};
		if (read_run(&runs[left]))
			next[left] = runs[left].numbers[0], left++;
	}
	while (left > 0)
	{
		int64		lowest = next[0];
		bool		is_at_end = false;

		check_interrupts(count);
		for (int i = 1; i < left; i++)
			lowest = Min(lowest, next[i]);
		for (int i = 0; i < left; i++)
		{
			NumberRun  *run = &runs[i];
			bool		is_lowest = next[i] == lowest;

			/* Written unconditionally; it counts if it is the lowest. */
			*source = run->part | BOOK_ORDER_SAME_KEY;
			source += is_lowest;
			run->at += is_lowest;
			if (unlikely(run->at == run->n))
				is_at_end = true;
			else
				next[i] = run->numbers[run->at];
		}
		source[-1] &= BOOK_ORDER_PART;
		count++;
		write_number(writer, lowest);
		if (unlikely(is_at_end))
		{
			int			more = 0;

			for (int i = 0; i < left; i++)
				if (runs[i].at < runs[i].n || read_run(&runs[i]))
				{
					if (more < i)
						runs[more] = runs[i];
					next[more] = runs[more].numbers[runs[more].at];
					more++;
				}
			left = more;
		}
	}
	order->count = count;
}

/* Writes the merged keys of n parts, which are not numbers. */
static void
merge_keys(const BookReader *parts, int n, const BookMergeOrder *order, ByteBuffer *buffer)
{
	KeyType		key_type = parts[0].key_type;
	BookKeyCursor cursors[BOOK_PARTS_MAX];
	Size		room = 0;
	uint8	   *key;
	uint8	   *bytes;

	/* Merged they take no more than all of them. */
	for (int i = 0; i < n; i++)
	{
		book_key_cursor(&cursors[i], &parts[i]);
		room += parts[i].tail - parts[i].keys;
	}
	key = buffer_reserve(buffer, room);
	bytes = key + (Size) order->count * 4;
	for (Size i = 0; i < order->n; i++)
	{
		BookKeyCursor *from = &cursors[order->source[i] & BOOK_ORDER_PART];

		check_interrupts(i);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) == 0)
		{
			if (key_type == KEY_BYTES)
			{
				uint32		length = load_u32(from->key);

				key = store_u32(key, length);
				memcpy(bytes, from->bytes, length);
				bytes += length;
			}
			else
			{
				memcpy(key, from->key, 16);
				key += 16;
			}
		}
		book_advance(from);
	}
	buffer_advance(buffer, key_type == KEY_BYTES ? bytes : key);
}

/* ---------- whole books ---------- */

/* Makes a varlena of a buffer that begins with room for its header, and frees the unused rest. */
bytea *
book_finish(const BookFormat *format, ByteBuffer *buffer, uint32 count)
{
	bytea	   *stored;

	book_check_size(format, buffer->size, count);
	stored = (bytea *) (buffer->size < buffer->capacity ? large_realloc(buffer->data, buffer->size) : buffer->data);
	SET_VARSIZE(stored, buffer->size);
	return stored;
}

/*
 * Merges stored books, which were checked and are known to fit together, into a
 * new one in the current memory context.
 */
bytea *
book_merge(const BookFormat *format, bytea *const *stored, int n)
{
	BookReader	parts[BOOK_PARTS_MAX];
	BookMergeOrder order = {0};
	Size		size = 0;
	int64		rows_skipped = 0;
	ByteBuffer	buffer;
	NumberWriter numbers;

	Assert(n > 0 && n <= BOOK_PARTS_MAX);
	for (int i = 0; i < n; i++)
	{
		book_read_stored(&parts[i], format, stored[i]);
		order.n += parts[i].count;
		size += VARSIZE_ANY(stored[i]);
		book_add_skipped(&rows_skipped, parts[i].rows_skipped);
	}
	order.source = large_alloc(CurrentMemoryContext, order.n + 1);

	/* Hardly ever more than all together, because what they share is stored once. */
	buffer_init(&buffer, VARHDRSZ + size, CurrentMemoryContext);
	buffer_advance(&buffer, buffer.data + VARHDRSZ + BOOK_HEADER_SIZE);
	numbers = (NumberWriter) {.buffer = &buffer};
	switch (parts[0].key_type)
	{
		case KEY_INT64:
			if (n <= FEW_PARTS)
				find_order_of_few(parts, n, &order, &numbers);
			else
				find_order(KEY_INT64, parts, n, &order, &numbers);
			if (numbers.n > 0)
				write_numbers(&numbers);
			break;
		case KEY_BYTES:
			find_order(KEY_BYTES, parts, n, &order, NULL);
			merge_keys(parts, n, &order, &buffer);
			break;
		default:
			find_order(KEY_FIXED16, parts, n, &order, NULL);
			merge_keys(parts, n, &order, &buffer);
			break;
	}
	(void) book_store_header(format, parts[0].key_type, parts[0].form, order.count, rows_skipped,
							 buffer.data + VARHDRSZ);
	format->merge_tails(format, parts, n, &order, &buffer);
	pfree(order.source);
	return book_finish(format, &buffer, order.count);
}
