/*
 * basket_book_format.c
 *	  The stored form of a basket_book: reading, checking, writing and merging it.
 *
 * The tail is all items, in ascending order, how many each basket has, and which, one
 * basket after the other, in ascending order.
 */
#include "basket/basket.h"

#include "book/book_forget.h"
#include "shared/bytes.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"

#define BASKET_BOOK_VERSION 1

static const char *basket_book_check(const uint8 *bytes, Size length);
static const char *basket_book_check_encoding(const BookReader *reader);
static void basket_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
									const BookMergeOrder *order, ByteBuffer *buffer);
static void basket_book_filter_tail(const BookFormat *format, const BookReader *reader,
									const BookFilter *filter, ByteBuffer *buffer);

const BookFormat basket_book_format = {
	.type = {"basket_book", basket_book_check},
	.stored_kind = STORED_BASKET_BOOK,
	.stored_version = BASKET_BOOK_VERSION,
	.form_hint = "Make all parts with the same type of item.",
	.size_hint = "Leave baskets of one item out, or take those of a shorter time.",
	.check_encoding = basket_book_check_encoding,
	.merge_tails = basket_book_merge_tails,
	.filter_tail = basket_book_filter_tail
};

/* ---------- writing ---------- */

/* Makes room for so many entries, a guess. */
void
basket_writer_init(BasketWriter *writer, Size entries)
{
	buffer_init(&writer->sizes, 1024, CurrentMemoryContext);
	buffer_init(&writer->entries, 1024 + 2 * entries, CurrentMemoryContext);
	writer->nentries = 0;
	writer->baskets = writer->waiting = 0;
}

static void
append_column(ByteBuffer *buffer, const int64 *numbers, int n)
{
	buffer_advance(buffer, packed_store(numbers, n, buffer_reserve(buffer, PACKED_SIZE_MAX(n))));
}

/* Writes the next basket's items, in ascending order. */
void
basket_write(BasketWriter *writer, const uint32 *items, Size n)
{
	writer->size[writer->baskets++] = (int64) n;
	if (writer->baskets == PACKED_ROWS)
	{
		append_column(&writer->sizes, writer->size, writer->baskets);
		writer->baskets = 0;
	}
	for (Size i = 0; i < n; i++)
	{
		writer->number[writer->waiting] = items[i];
		if (++writer->waiting == PACKED_ROWS)
		{
			check_interrupts(i);
			append_column(&writer->entries, writer->number, writer->waiting);
			writer->waiting = 0;
		}
	}
	writer->nentries += n;
}

/* Writes what follows the items, and frees the writer's memory. */
static void
write_baskets(BasketWriter *writer, ByteBuffer *buffer)
{
	if (writer->baskets > 0)
		append_column(&writer->sizes, writer->size, writer->baskets);
	if (writer->waiting > 0)
		append_column(&writer->entries, writer->number, writer->waiting);
	buffer_advance(buffer, store_u64(buffer_reserve(buffer, 8), writer->nentries));
	buffer_append(buffer, writer->sizes.data, writer->sizes.size);
	buffer_append(buffer, writer->entries.data, writer->entries.size);
	pfree(writer->sizes.data);
	pfree(writer->entries.data);
}

/* Writes the whole tail, with the items in an order, and frees the writer's memory. */
void
basket_write_tail(BasketWriter *writer, const KeyTable *items, const uint32 *order, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, 4 + keytable_stored_size(items));

	buffer_advance(buffer, keytable_store_keys(items, order, store_u32(bytes, items->count)));
	write_baskets(writer, buffer);
}

/* ---------- checking ---------- */

/* Where the parts of a tail begin. */
typedef struct TailParts
{
	BookReader	items;
	uint64		nentries;
	const uint8 *sizes;
	const uint8 *end;
} TailParts;

/* Finds the parts in front of the packed columns; returns what is wrong with their sizes, or NULL. */
static const char *
split_tail(const BookReader *reader, TailParts *tail)
{
	const uint8 *at = reader->tail;
	const uint8 *end_of_items;

	tail->end = reader->tail + reader->tail_size;
	if (tail->end - at < 4)
		return "its items are truncated";
	tail->items = (BookReader) {.key_type = reader->form, .count = load_u32(at), .keys = at + 4};
	end_of_items = book_skip_keys(tail->items.key_type, tail->items.count, tail->items.keys, tail->end);
	if (end_of_items == NULL)
		return "its items are truncated";
	tail->items.tail = end_of_items;
	if (tail->end - end_of_items < 8)
		return "its baskets are truncated";
	tail->nentries = load_u64(end_of_items);
	tail->sizes = end_of_items + 8;
	return NULL;
}

/*
 * The sizes of all baskets, one block after the other.  The checker of the entries
 * reads them a second time.
 */
static const char *
check_sizes(const BookReader *reader, const TailParts *tail, const uint8 **end_of_sizes)
{
	const uint8 *at = tail->sizes;
	uint64		sum = 0;

	for (uint32 left = reader->count; left > 0;)
	{
		int64		sizes[PACKED_ROWS];
		int			n = (int) Min(left, PACKED_ROWS);
		const char *wrong = packed_check_and_load(&at, tail->end, n, sizes);

		check_interrupts(left / PACKED_ROWS);
		if (wrong != NULL)
			return wrong;
		for (int i = 0; i < n; i++)
		{
			if (sizes[i] < 1 || sizes[i] > tail->items.count)
				return "a size of a basket is out of range";
			sum += (uint64) sizes[i];
		}
		left -= n;
	}
	*end_of_sizes = at;
	return sum != tail->nentries ? "the sizes of its baskets do not add up" : NULL;
}

static const char *
check_entries(const BookReader *reader, const TailParts *tail, const uint8 *at, uint8 *is_used)
{
	const uint8 *sizes = tail->sizes;
	int64		size[PACKED_ROWS];
	uint32		baskets = 0;
	int64		left_of_basket = 0;
	int64		last = -1;

	for (uint64 left = tail->nentries; left > 0;)
	{
		int64		number[PACKED_ROWS];
		int			n = (int) Min(left, PACKED_ROWS);
		const char *wrong = packed_check_and_load(&at, tail->end, n, number);

		check_interrupts(left / PACKED_ROWS);
		if (wrong != NULL)
			return wrong;
		for (int i = 0; i < n; i++)
		{
			if (left_of_basket == 0)
			{
				if (baskets % PACKED_ROWS == 0)
					sizes = packed_load(sizes, (int) Min(reader->count - baskets, PACKED_ROWS), size);
				left_of_basket = size[baskets++ % PACKED_ROWS];
				last = -1;
			}
			left_of_basket--;
			if (number[i] >= tail->items.count)
				return "an item is missing";
			if (number[i] <= last)
				return "the items of a basket do not ascend";
			last = number[i];
			is_used[number[i]] = 1;
		}
		left -= n;
	}
	return at != tail->end ? "its length is wrong" : NULL;
}

/* The checker of a stored basket_book. */
static const char *
basket_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	TailParts	tail;
	const uint8 *end_of_sizes;
	uint8	   *is_used;
	const char *wrong = book_read_header(&reader, &basket_book_format, bytes, length);

	if (wrong != NULL)
		return wrong;
	if (reader.form != KEY_INT64 && reader.form != KEY_BYTES)
		return "its type of item is unknown";
	if ((wrong = book_check_order(&reader)) != NULL ||
		(wrong = split_tail(&reader, &tail)) != NULL)
		return wrong;
	if (tail.items.count > BASKET_ITEM)
		return "its number of items is out of range";
	if (book_check_order(&tail.items) != NULL)
		return "its items do not ascend, or not as tightly packed as they can be";
	if ((wrong = check_sizes(&reader, &tail, &end_of_sizes)) != NULL)
		return wrong;
	is_used = large_alloc(CurrentMemoryContext, (Size) tail.items.count + 1);
	memset(is_used, 0, (Size) tail.items.count + 1);
	wrong = check_entries(&reader, &tail, end_of_sizes, is_used);
	for (uint32 i = 0; i < tail.items.count && wrong == NULL; i++)
	{
		check_interrupts(i);
		if (!is_used[i])
			wrong = "an item is in no basket";
	}
	pfree(is_used);
	return wrong;
}

/* Items from outside that are texts are so in this database's encoding. */
static const char *
basket_book_check_encoding(const BookReader *reader)
{
	TailParts	tail;

	(void) split_tail(reader, &tail);
	return book_keys_are_text(&tail.items) ? NULL : "an item is not text in the encoding of this database";
}

/* ---------- reading ---------- */

/* Positions before the first basket of a book whose reader is open. */
void
basket_reader_init(BasketReader *book)
{
	TailParts	tail;

	(void) split_tail(&book->reader, &tail);
	book->items = tail.items;
	book->sizes = tail.sizes;
	book->entries = tail.sizes;
	for (uint32 left = book->reader.count; left > 0; left -= Min(left, PACKED_ROWS))
		book->entries = packed_skip(book->entries, tail.end, (int) Min(left, PACKED_ROWS));
	book->baskets_left = book->reader.count;
	book->entries_left = tail.nentries;
	book->basket = book->baskets = book->entry = book->entries_at_hand = 0;
}

/* Opens a book that was given as an argument. */
void
basket_book_open(BasketReader *book, Datum value)
{
	book_open(&book->reader, value, &basket_book_format);
	basket_reader_init(book);
}

/* The size of the next basket, whose items must then be read or skipped; false behind the last one. */
bool
basket_next(BasketReader *book, uint32 *size)
{
	if (book->basket == book->baskets)
	{
		if (book->baskets_left == 0)
			return false;
		book->baskets = (int) Min(book->baskets_left, PACKED_ROWS);
		book->sizes = packed_load(book->sizes, book->baskets, book->size);
		book->baskets_left -= book->baskets;
		book->basket = 0;
	}
	*size = (uint32) book->size[book->basket++];
	return true;
}

/* Reads the next block of entries, of which there are some. */
static void
read_entries(BasketReader *book)
{
	book->entries_at_hand = (int) Min(book->entries_left, PACKED_ROWS);
	book->entries = packed_load(book->entries, book->entries_at_hand, book->number);
	book->entries_left -= book->entries_at_hand;
	book->entry = 0;
}

/* Reads the items of the basket at hand. */
void
basket_read_items(BasketReader *book, uint32 *items, uint32 n)
{
	for (uint32 i = 0; i < n;)
	{
		int			more;

		if (book->entry == book->entries_at_hand)
			read_entries(book);
		check_interrupts(i);
		more = (int) Min(n - i, (uint32) (book->entries_at_hand - book->entry));
		for (int k = 0; k < more; k++)
			items[i + k] = (uint32) book->number[book->entry + k];
		book->entry += more;
		i += more;
	}
}

/* Skips them. */
void
basket_skip_items(BasketReader *book, uint32 n)
{
	while (n > 0)
	{
		uint32		more;

		if (book->entry == book->entries_at_hand)
			read_entries(book);
		check_interrupts(n / PACKED_ROWS);
		more = Min(n, (uint32) (book->entries_at_hand - book->entry));
		book->entry += (int) more;
		n -= more;
	}
}

/* ---------- merging ---------- */

/* A book that is being merged. */
typedef struct Part
{
	BasketReader book;
	uint32	   *item;			/* what becomes of its numbers */
} Part;

/* The items of one basket, merged from several books; each is there once. */
#define RUNS_NAME ItemRuns
#define RUNS_ELEMENT uint32
#define RUNS_CONTEXT void
#define RUNS_COMPARE(a, b, unused) ((*(a) > *(b)) - (*(a) < *(b)))
#define RUNS_ADD(a, b, unused) ((void) 0)
#include "shared/merge_runs.h"

/* Gathers the items of all parts and numbers them anew; returns their order. */
static uint32 *
unite_items(Part *parts, int n, KeyTable *items)
{
	uint32	   *order;
	uint32	   *place;

	keytable_init(items, parts[0].book.items.key_type, 0, CurrentMemoryContext);
	for (int i = 0; i < n; i++)
	{
		uint32		count = parts[i].book.items.count;
		BookKeyCursor cursor;

		parts[i].item = large_alloc(CurrentMemoryContext, (Size) Max(count, 1) * sizeof(uint32));
		book_key_cursor(&cursor, &parts[i].book.items);
		for (uint32 k = 0; k < count;)
		{
			Key			keys[KEYTABLE_BATCH];
			int			batch = (int) Min(count - k, KEYTABLE_BATCH);

			check_interrupts(k / KEYTABLE_BATCH);
			for (int j = 0; j < batch; j++)
				keys[j] = book_next_key(&cursor);
			keytable_locate(items, keys, batch, parts[i].item + k);
			k += batch;
		}
	}
	order = keytable_sorted(items);
	place = large_alloc(CurrentMemoryContext, (Size) Max(items->count, 1) * sizeof(uint32));
	for (uint32 i = 0; i < items->count; i++)
	{
		check_interrupts(i);
		place[order[i]] = i;
	}
	for (int i = 0; i < n; i++)
		for (uint32 k = 0; k < parts[i].book.items.count; k++)
		{
			check_interrupts(k);
			parts[i].item[k] = place[parts[i].item[k]];
		}
	pfree(place);
	return order;
}

static void
basket_book_merge_tails(const BookFormat *format, const BookReader *readers, int n,
						const BookMergeOrder *order, ByteBuffer *buffer)
{
	Part	   *parts = palloc(n * sizeof(Part));
	BasketWriter *writer = palloc(sizeof(BasketWriter));
	Size		entries = 0;
	KeyTable	items;
	uint32	   *item_order;
	ItemRuns	runs;

	for (int i = 0; i < n; i++)
	{
		parts[i].book.reader = readers[i];
		basket_reader_init(&parts[i].book);
		entries += parts[i].book.entries_left;
	}
	item_order = unite_items(parts, n, &items);
	basket_writer_init(writer, entries);
	ItemRuns_init(&runs);
	for (Size i = 0; i < order->n; i++)
	{
		Part	   *part = &parts[order->source[i] & BOOK_ORDER_PART];
		uint32	   *run;
		uint32		size;

		check_interrupts(i);
		(void) basket_next(&part->book, &size);
		run = ItemRuns_append(&runs, size);
		basket_read_items(&part->book, run, size);
		for (uint32 k = 0; k < size; k++)
			run[k] = part->item[run[k]];
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		ItemRuns_merge(&runs, NULL);
		basket_write(writer, runs.element, runs.count);
		ItemRuns_clear(&runs);
	}
	ItemRuns_free(&runs);
	basket_write_tail(writer, &items, item_order, buffer);
	keytable_clear(&items);
	pfree(item_order);
	for (int i = 0; i < n; i++)
		pfree(parts[i].item);
	pfree(parts);
	pfree(writer);
}

/* ---------- forgetting ---------- */

/*
 * Numbers the items anew that are in a basket which is left; the others are dropped.
 * Returns the list of these, which goes with the filter.
 */
static uint32 *
renumber_items(BasketReader *book, BookFilter baskets, uint32 *number, BookFilter *items)
{
	uint32		nitems = book->items.count;
	uint32	   *entries = large_alloc(CurrentMemoryContext, Max((Size) nitems, 1) * sizeof(uint32));
	uint32		size;

	memset(number, 0, Max((Size) nitems, 1) * sizeof(uint32));
	for (uint32 i = 0; basket_next(book, &size); i++)
	{
		check_interrupts(i);
		if (!book_filter_keeps(&baskets, i))
		{
			basket_skip_items(book, size);
			continue;
		}
		basket_read_items(book, entries, size);
		for (uint32 k = 0; k < size; k++)
			number[entries[k]] = 1;
	}
	basket_reader_init(book);
	pfree(entries);
	return book_renumber_used(number, nitems, items);
}

static void
basket_book_filter_tail(const BookFormat *format, const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer)
{
	BasketReader *book = palloc(sizeof(BasketReader));
	BasketWriter *writer = palloc(sizeof(BasketWriter));
	BookFilter	baskets = *filter;
	BookFilter	items;
	uint32	   *number;
	uint32	   *dropped;
	uint32	   *entries;
	uint32		size;

	book->reader = *reader;
	basket_reader_init(book);
	number = large_alloc(CurrentMemoryContext, Max((Size) book->items.count, 1) * sizeof(uint32));
	entries = large_alloc(CurrentMemoryContext, Max((Size) book->items.count, 1) * sizeof(uint32));
	dropped = renumber_items(book, *filter, number, &items);
	basket_writer_init(writer, book->entries_left);
	for (uint32 i = 0; basket_next(book, &size); i++)
	{
		check_interrupts(i);
		if (!book_filter_keeps(&baskets, i))
		{
			basket_skip_items(book, size);
			continue;
		}
		basket_read_items(book, entries, size);
		for (uint32 k = 0; k < size; k++)
			entries[k] = number[entries[k]];
		basket_write(writer, entries, size);
	}
	buffer_advance(buffer, store_u32(buffer_reserve(buffer, 4), items.count));
	book_filter_keys(&book->items, &items, buffer);
	write_baskets(writer, buffer);
	pfree(dropped);
	pfree(entries);
	pfree(number);
	pfree(writer);
	pfree(book);
}
