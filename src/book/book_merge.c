/*
 * book_merge.c
 *	  Books that are merged as they are stored.
 *
 * Books stored in the order of their keys are sorted lists, so they are merged in
 * one walk through all of them, without a table, hashing or sorting.
 *
 * An expanded book of such a kind holds, beside the table that rows go to, other
 * stored books in memory of its own: its parts.  They are merged when they are
 * many or large, those of a kind of size at once; so rolling up N books goes over
 * each byte few times, and takes the memory of the bytes of the result.
 *
 * When the book is asked for as a whole the table is stored as one more part and
 * all are merged.  The one that is left is kept: whoever asks again finds it.
 */
#include "book/book.h"

#include "shared/bytes.h"
#include "miscadmin.h"
#include "utils/memutils.h"

static void
open_part(BookReader *reader, const Book *book, bytea *part)
{
	reader->stored = part;
	reader->is_copy = false;
	(void) book_read_header(reader, book->kind, (const uint8 *) VARDATA(part), VARSIZE(part) - VARHDRSZ);
}

/* Makes a varlena of a buffer that begins with room for its header, and gives back what it did not need. */
static bytea *
finish_part(const Book *book, ByteBuffer *buffer, uint32 count)
{
	bytea	   *part;

	book_check_size(book, buffer->size, count);
	part = buffer->size < buffer->capacity ? repalloc_huge(buffer->data, buffer->size) : buffer->data;
	SET_VARSIZE(part, buffer->size);
	return part;
}

/* ---------- keys ---------- */

static inline Size
fixed_key_size(KeyType key_type)
{
	return key_type == KEY_INT64 ? 8 : 16;
}

static inline void
go_on(KeyType key_type, BookKeyCursor *cursor)
{
	if (key_type == KEY_BYTES)
	{
		cursor->bytes += load_u32(cursor->key);
		cursor->key += 4;
	}
	else
		cursor->key += fixed_key_size(key_type);
}

/* The beginning of a key, as a number that orders like it. */
static inline uint64
key_prefix(KeyType key_type, const BookKeyCursor *cursor)
{
	uint32		length;
	uint64		prefix = 0;

	switch (key_type)
	{
		case KEY_INT64:
			return load_u64(cursor->key) ^ UINT64CONST(1) << 63;
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
 * of equal keys the one of the first part comes first.
 */
typedef uint128 NextKey;

#define NO_KEY (~(uint128) 0)	/* behind the last key */

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
next_key(KeyType key_type, const BookKeyCursor *cursors, int part, uint32 left)
{
	return left == 0 ? NO_KEY : (uint128) key_prefix(key_type, &cursors[part]) << 64 | (uint64) part;
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
 * Finds the order of all keys of n parts, equal ones in the order of the parts;
 * returns how many there are of different keys.  The compiler sees the key type as
 * a constant.
 *
 * The parts play a tournament (Knuth, The Art of Computer Programming, volume 3,
 * section 5.4.1): every match of the tree keeps its loser, so when the winner has
 * gone on to its next key, only its own matches are played again.
 */
static pg_attribute_always_inline uint32
find_steps(KeyType key_type, const BookReader *parts, int n, uint8 *steps)
{
	BookKeyCursor cursors[BOOK_PARTS_MAX];
	uint32		left[BOOK_PARTS_MAX];
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
		{
			book_key_cursor(&cursors[i], &parts[i]);
			left[i] = parts[i].count;
		}
		winners[leaves + i] = i < n ? next_key(key_type, cursors, i, left[i]) : NO_KEY;
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

	for (Size step = 0; winner != NO_KEY; step++)
	{
		NextKey		last = winner;
		int			part = part_of(last);
		BookKeyCursor last_key = cursors[part];

		check_interrupts(step);
		if (--left[part] > 0)
			go_on(key_type, &cursors[part]);
		__builtin_prefetch(cursors[part].key + 128);
		winner = next_key(key_type, cursors, part, left[part]);
		for (int match = (leaves + part) / 2; match > 0; match /= 2)
		{
			NextKey		other = losers[match];
			bool		stays = !comes_before(key_type, cursors, other, winner);

			losers[match] = stays ? other : winner;
			winner = stays ? winner : other;
		}

		steps[step] = (uint8) part;
		if (winner != NO_KEY && prefix_of(winner) == prefix_of(last) &&
			compare_rest(key_type, &cursors[part_of(winner)], &last_key) == 0)
			steps[step] |= BOOK_STEP_SAME_KEY;
		else
			count++;
	}
	return count;
}

/* Writes the keys of n parts merged. */
static void
merge_keys(const BookReader *parts, int n, const uint8 *steps, Size nsteps, uint32 count, ByteBuffer *buffer)
{
	KeyType		key_type = parts[0].key_type;
	BookKeyCursor cursors[BOOK_PARTS_MAX];
	Size		room = 0;
	uint8	   *key;
	uint8	   *bytes;

	/* Merged they take no more than all. */
	for (int i = 0; i < n; i++)
	{
		book_key_cursor(&cursors[i], &parts[i]);
		room += parts[i].tail - parts[i].keys;
	}
	key = buffer_reserve(buffer, room);
	bytes = key + (Size) count * 4;
	for (Size i = 0; i < nsteps; i++)
	{
		BookKeyCursor *from = &cursors[steps[i] & BOOK_STEP_PART];

		check_interrupts(i);
		if ((steps[i] & BOOK_STEP_SAME_KEY) == 0)
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
				memcpy(key, from->key, fixed_key_size(key_type));
				key += fixed_key_size(key_type);
			}
		}
		go_on(key_type, from);
	}
	buffer_advance(buffer, key_type == KEY_BYTES ? bytes : key);
}

/* ---------- parts ---------- */

/* Merges all parts from the given one on. */
static void
merge_parts(Book *book, int first)
{
	int			n = book->nparts - first;
	BookReader	parts[BOOK_PARTS_MAX];
	Size		nsteps = 0;
	Size		size = 0;
	int64		rows_skipped = 0;
	uint8	   *steps;
	uint32		count;
	ByteBuffer	buffer;
	bytea	   *merged;

	for (int i = 0; i < n; i++)
	{
		open_part(&parts[i], book, book->parts[first + i]);
		nsteps += parts[i].count;
		size += VARSIZE(parts[i].stored);
		book_add_skipped(&rows_skipped, parts[i].rows_skipped);
	}
	steps = MemoryContextAllocHuge(book->hdr.eoh_context, Max(nsteps, 1));
	switch (parts[0].key_type)
	{
		case KEY_INT64:
			count = find_steps(KEY_INT64, parts, n, steps);
			break;
		case KEY_BYTES:
			count = find_steps(KEY_BYTES, parts, n, steps);
			break;
		default:
			count = find_steps(KEY_FIXED16, parts, n, steps);
			break;
	}

	/* Hardly ever more than all, for what they share is stored once. */
	buffer_init(&buffer, size, book->hdr.eoh_context);
	buffer_advance(&buffer, book_store_header(book, count, rows_skipped, buffer.data + VARHDRSZ));
	merge_keys(parts, n, steps, nsteps, count, &buffer);
	book->kind->merge_tails(book, parts, n, steps, nsteps, &buffer);
	pfree(steps);

	merged = finish_part(book, &buffer, count);
	for (int i = first; i < book->nparts; i++)
		pfree(book->parts[i]);
	book->parts[first] = merged;
	book->nparts = first + 1;
}

/* Bytes of parts that may wait to be merged. */
#define PARTS_WAITING (64 * 1024 * 1024)

/* Takes a stored book in memory of the book for a part. */
static void
push_part(Book *book, bytea *part)
{
	Size		waiting = 0;
	int			first = 0;

	Assert(book->nparts < BOOK_PARTS_MAX);
	book->parts[book->nparts++] = part;
	for (int i = 1; i < book->nparts; i++)
		waiting += VARSIZE(book->parts[i]);
	if (book->nparts < BOOK_PARTS_MAX &&
		waiting < Max(PARTS_WAITING, (Size) VARSIZE(book->parts[0]) * 2))
		return;

	/* One that is more than twice as large as all behind it is left in peace. */
	while (first < book->nparts - 2 && VARSIZE(book->parts[first]) / 2 > waiting)
		waiting -= VARSIZE(book->parts[++first]);
	merge_parts(book, first);
}

/* Stores what is in the table, and the rows skipped, as one more part. */
void
book_store_table(Book *book)
{
	KeyTable   *table = &book->table;
	MemoryContext old = MemoryContextSwitchTo(book->hdr.eoh_context);
	uint32		count = table->count;
	Size		keys_size = keytable_stored_size(table);
	ByteBuffer	buffer;
	uint8	   *keys;

	buffer_init(&buffer, VARHDRSZ + BOOK_HEADER_SIZE + keys_size + 1024, book->hdr.eoh_context);
	keys = book_store_header(book, count, book->rows_skipped, buffer.data + VARHDRSZ);
	book->order = keytable_sorted(table);
	buffer_advance(&buffer, keytable_store_keys(table, book->order, keys));
	book->kind->append_tail(book, &buffer);
	pfree(book->order);
	book->order = NULL;

	MemoryContextReset(book->table_context);
	keytable_init(table, table->key_type, book->kind->payload_size, book->table_context);
	book_add_skipped(&book->parts_skipped, book->rows_skipped);
	book->rows_skipped = 0;
	book->is_full = false;
	push_part(book, finish_part(book, &buffer, count));
	MemoryContextSwitchTo(old);
}

/* Makes a copy of a stored book, checked, a part of this one. */
void
book_add_part(Book *book, const BookReader *part)
{
	Size		size = VARSIZE_ANY_EXHDR(part->stored);
	int64		rows_skipped = book->rows_skipped;
	bytea	   *copy;

	book_flush(book);
	book_check_same(book, part->key_type, part->form);
	book->kind->take_part(book, part);

	/* Too many are an error now, not when the book is asked for. */
	book_add_skipped(&rows_skipped, book->parts_skipped);
	book_add_skipped(&rows_skipped, part->rows_skipped);
	copy = MemoryContextAllocHuge(book->hdr.eoh_context, VARHDRSZ + size);
	SET_VARSIZE(copy, VARHDRSZ + size);
	memcpy(VARDATA(copy), VARDATA_ANY(part->stored), size);
	book->is_broken = true;
	book_add_skipped(&book->parts_skipped, part->rows_skipped);
	push_part(book, copy);
	book->is_broken = false;
}

/* The whole book as it is stored, in memory of the book; it stays until something is added. */
bytea *
book_stored(Book *book)
{
	book_flush(book);
	book->is_broken = true;
	if (book->table.count > 0 || book->rows_skipped > 0 || book->nparts == 0)
		book_store_table(book);
	if (book->nparts > 1)
		merge_parts(book, 0);
	book->is_broken = false;
	return book->parts[0];
}
