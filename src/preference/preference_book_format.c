/*
 * preference_book_format.c
 *	  The stored form of a preference_book: reading, checking, writing and merging it.
 *
 * The tail is the names of all categories, in ascending order, the wide sums, how
 * many categories each member has, and the cells of all members, one member after
 * the other, in the order of their categories.
 */
#include "preference/preference.h"

#include "book/book_forget.h"
#include "money/decimal_numeric.h"
#include "shared/bytes.h"
#include "mb/pg_wchar.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"

#define PREFERENCE_BOOK_VERSION 1
#define CELL_COLUMNS 4

static const char *preference_book_check(const uint8 *bytes, Size length);
static const char *preference_book_check_encoding(const BookReader *reader);
static void preference_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
										const BookMergeOrder *order, ByteBuffer *buffer);
static void preference_book_filter_tail(const BookFormat *format, const BookReader *reader,
										const BookFilter *filter, ByteBuffer *buffer);

const BookFormat preference_book_format = {
	.type = {"preference_book", preference_book_check},
	.stored_kind = STORED_PREFERENCE_BOOK,
	.stored_version = PREFERENCE_BOOK_VERSION,
	.size_hint = "Make one book per slice of the members, for example WHERE hashint8(member) & 3 = 0 for the first of four, or use fewer categories.",
	.check_encoding = preference_book_check_encoding,
	.merge_tails = preference_book_merge_tails,
	.filter_tail = preference_book_filter_tail
};

/* ---------- writing ---------- */

void
preference_writer_init(PreferenceWriter *writer)
{
	buffer_init(&writer->counts, 1024, CurrentMemoryContext);
	buffer_init(&writer->cells, 1024, CurrentMemoryContext);
	writer->wide = (DecimalPool) {.context = CurrentMemoryContext};
	writer->ncells = 0;
	writer->purchases = 0;
	writer->members = writer->waiting = 0;
}

static void
append_column(ByteBuffer *buffer, const int64 *numbers, int n)
{
	buffer_advance(buffer, packed_store(numbers, n, buffer_reserve(buffer, PACKED_SIZE_MAX(n))));
}

static void
write_cells(PreferenceWriter *writer)
{
	append_column(&writer->cells, writer->category, writer->waiting);
	append_column(&writer->cells, writer->n, writer->waiting);
	append_column(&writer->cells, writer->mantissa, writer->waiting);
	append_column(&writer->cells, writer->scale, writer->waiting);
	writer->waiting = 0;
}

static void
purchases_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("number of purchases is out of range")));
}

/* Writes the next member's cells, in the order of their categories; their money may be in a pool. */
void
preference_write_member(PreferenceWriter *writer, const PreferenceCell *cells, Size n, const DecimalPool *pool)
{
	writer->cell_counts[writer->members++] = (int64) n;
	if (writer->members == PACKED_ROWS)
	{
		append_column(&writer->counts, writer->cell_counts, writer->members);
		writer->members = 0;
	}
	for (Size i = 0; i < n; i++)
	{
		int64		money = cells[i].money;

		check_interrupts(i);
		if (pg_add_s64_overflow(writer->purchases, cells[i].n, &writer->purchases))
			purchases_error();
		if (unlikely(decimal_is_pooled(money)))
		{
			money = decimal_repack(money, pool);
			if (decimal_is_pooled(money))
				money = decimal_pool_put(&writer->wide, &pool->item[money >> 8]);
		}
		writer->category[writer->waiting] = cells[i].category;
		writer->n[writer->waiting] = cells[i].n;
		writer->mantissa[writer->waiting] = money >> 8;
		writer->scale[writer->waiting] = money & 0xFF;
		if (++writer->waiting == PACKED_ROWS)
			write_cells(writer);
	}
	writer->ncells += n;
}

/* Writes what follows the names, and frees the writer's memory. */
static void
write_members(PreferenceWriter *writer, ByteBuffer *buffer)
{
	uint8	   *bytes;

	if (writer->members > 0)
		append_column(&writer->counts, writer->cell_counts, writer->members);
	if (writer->waiting > 0)
		write_cells(writer);
	bytes = buffer_reserve(buffer, 4 + (Size) writer->wide.count * DECIMAL_STORED_SIZE);
	buffer_advance(buffer, decimal_pool_store(&writer->wide, bytes));
	bytes = buffer_reserve(buffer, 8);
	buffer_advance(buffer, store_u64(bytes, writer->ncells));
	buffer_append(buffer, writer->counts.data, writer->counts.size);
	buffer_append(buffer, writer->cells.data, writer->cells.size);
	pfree(writer->counts.data);
	pfree(writer->cells.data);
	decimal_pool_clear(&writer->wide);
}

/* Writes the whole tail, with the names in an order, and frees the writer's memory. */
void
preference_write_tail(PreferenceWriter *writer, const KeyTable *names, const uint32 *order, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, 4 + keytable_stored_size(names));

	buffer_advance(buffer, keytable_store_keys(names, order, store_u32(bytes, names->count)));
	write_members(writer, buffer);
}

/* ---------- checking ---------- */

/* Where the parts of a tail begin. */
typedef struct TailParts
{
	uint32		ncategories;
	const uint8 *lengths;
	const uint8 *names;
	const uint8 *end_of_names;
	uint32		nwide;
	const uint8 *wide;
	uint64		ncells;
	const uint8 *counts;
	const uint8 *end;
} TailParts;

/* Finds the parts that have no packed columns; returns what is wrong with their sizes, or NULL. */
static const char *
split_tail(const BookReader *reader, TailParts *tail)
{
	const uint8 *at = reader->tail;

	tail->end = reader->tail + reader->tail_size;
	if (tail->end - at < 4)
		return "its categories are truncated";
	tail->ncategories = load_u32(at);
	tail->lengths = at += 4;
	if ((Size) (tail->end - at) < (Size) tail->ncategories * 4)
		return "its categories are truncated";
	tail->names = at += (Size) tail->ncategories * 4;
	for (uint32 i = 0; i < tail->ncategories; i++)
	{
		uint32		length = load_u32(tail->lengths + (Size) i * 4);

		check_interrupts(i);
		if (length > (Size) (tail->end - at))
			return "its categories are truncated";
		at += length;
	}
	tail->end_of_names = at;
	if (tail->end - at < 4)
		return "its wide sums are truncated";
	tail->nwide = load_u32(at);
	tail->wide = at += 4;
	if ((Size) (tail->end - at) < (Size) tail->nwide * DECIMAL_STORED_SIZE)
		return "its wide sums are truncated";
	at += (Size) tail->nwide * DECIMAL_STORED_SIZE;
	if (tail->end - at < 8)
		return "its members are truncated";
	tail->ncells = load_u64(at);
	tail->counts = at + 8;
	return NULL;
}

/* Names ascend, so that each is there once. */
static const char *
check_names(const TailParts *tail)
{
	const uint8 *name = tail->names;
	const uint8 *last = NULL;
	uint32		last_length = 0;

	for (uint32 i = 0; i < tail->ncategories; i++)
	{
		uint32		length = load_u32(tail->lengths + (Size) i * 4);

		check_interrupts(i);
		if (i > 0 && compare_bytes(last, last_length, name, length) >= 0)
			return "its categories do not ascend";
		last = name;
		last_length = length;
		name += length;
	}
	return NULL;
}

/* One cell of a checked block; next_wide is the number of the next wide sum. */
static const char *
check_cell(const TailParts *tail, const int64 column[CELL_COLUMNS][PACKED_ROWS], int i, uint32 *next_wide, uint8 *is_used)
{
	int64		category = column[0][i];
	int64		n = column[1][i];
	int64		mantissa = column[2][i];
	int64		scale = column[3][i];
	int			sign = (mantissa > 0) - (mantissa < 0);
	const char *wrong;

	if (category < 0 || category >= tail->ncategories)
		return "a category is missing";
	is_used[category] = 1;
	if (n < 0)
		return "a number of purchases is out of range";
	if (mantissa < DECIMAL_PACKED_MIN || mantissa > DECIMAL_PACKED_MAX || (uint64) scale > 0xFF)
		return "a sum is out of range";
	if ((wrong = decimal_check_packed(decimal_pack_small(mantissa, (int) scale), tail->nwide)) != NULL)
		return wrong;
	if (scale == DECIMAL_IN_POOL)
	{
		Decimal		wide;

		if (mantissa != *next_wide)
			return "its wide sums are not in order";
		if ((wrong = decimal_check_and_load(tail->wide + (Size) (*next_wide)++ * DECIMAL_STORED_SIZE, &wide)) != NULL)
			return wrong;
		sign = decimal_sign(&wide);
	}
	return n == 0 && sign >= 0 ? "a category has neither purchases nor refunds" : NULL;
}

/*
 * The numbers of cells of all members, one block after the other.  The checker of the
 * cells reads them a second time.
 */
static const char *
check_counts(const BookReader *reader, const TailParts *tail, const uint8 **end_of_counts)
{
	const uint8 *at = tail->counts;
	uint64		sum = 0;

	for (uint32 left = reader->count; left > 0;)
	{
		int64		counts[PACKED_ROWS];
		int			n = (int) Min(left, PACKED_ROWS);
		const char *wrong = packed_check_and_load(&at, tail->end, n, counts);

		check_interrupts(left / PACKED_ROWS);
		if (wrong != NULL)
			return wrong;
		for (int i = 0; i < n; i++)
		{
			if (counts[i] < 1 || counts[i] > tail->ncategories)
				return "a number of categories is out of range";
			sum += (uint64) counts[i];
		}
		left -= n;
	}
	*end_of_counts = at;
	return sum != tail->ncells ? "its numbers of categories do not add up" : NULL;
}

static const char *
check_cells(const BookReader *reader, const TailParts *tail, const uint8 *at, uint8 *is_used)
{
	const uint8 *counts = tail->counts;
	int64		block[PACKED_ROWS];
	uint32		members = 0;
	int64		left_of_member = 0;
	int64		last = -1;
	uint32		next_wide = 0;
	int64		all = 0;
	const char *wrong;

	for (uint64 left = tail->ncells; left > 0;)
	{
		int64		column[CELL_COLUMNS][PACKED_ROWS];
		int			n = (int) Min(left, PACKED_ROWS);

		check_interrupts(left / PACKED_ROWS);
		for (int c = 0; c < CELL_COLUMNS; c++)
			if ((wrong = packed_check_and_load(&at, tail->end, n, column[c])) != NULL)
				return wrong;
		for (int i = 0; i < n; i++)
		{
			if (left_of_member == 0)
			{
				if (members % PACKED_ROWS == 0)
					counts = packed_load(counts, (int) Min(reader->count - members, PACKED_ROWS), block);
				left_of_member = block[members++ % PACKED_ROWS];
				last = -1;
			}
			left_of_member--;
			if ((wrong = check_cell(tail, column, i, &next_wide, is_used)) != NULL)
				return wrong;
			/* Whatever is added up of it later does not overflow. */
			if (pg_add_s64_overflow(all, column[1][i], &all))
				return "a number of purchases is out of range";
			if (column[0][i] <= last)
				return "a member's categories do not ascend";
			last = column[0][i];
		}
		left -= n;
	}
	if (next_wide != tail->nwide)
		return "a wide sum belongs to no member";
	return at != tail->end ? "its length is wrong" : NULL;
}

/* The checker of a stored preference_book. */
static const char *
preference_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	TailParts	tail;
	const uint8 *end_of_counts;
	uint8	   *is_used;
	const char *wrong = book_read_header(&reader, &preference_book_format, bytes, length);

	if (wrong != NULL)
		return wrong;
	if (reader.form != 0)
		return "its form is unknown";
	if ((wrong = book_check_order(&reader)) != NULL ||
		(wrong = split_tail(&reader, &tail)) != NULL ||
		(wrong = check_names(&tail)) != NULL ||
		(wrong = check_counts(&reader, &tail, &end_of_counts)) != NULL)
		return wrong;
	is_used = large_alloc(CurrentMemoryContext, (Size) tail.ncategories + 1);
	memset(is_used, 0, (Size) tail.ncategories + 1);
	wrong = check_cells(&reader, &tail, end_of_counts, is_used);
	for (uint32 i = 0; i < tail.ncategories && wrong == NULL; i++)
	{
		check_interrupts(i);
		if (!is_used[i])
			wrong = "a category belongs to no member";
	}
	pfree(is_used);
	return wrong;
}

/* Names from outside are text in this database's encoding. */
static const char *
preference_book_check_encoding(const BookReader *reader)
{
	TailParts	tail;
	const uint8 *name;

	(void) split_tail(reader, &tail);
	name = tail.names;
	for (uint32 i = 0; i < tail.ncategories; i++)
	{
		uint32		length = load_u32(tail.lengths + (Size) i * 4);

		check_interrupts(i);
		if (!pg_verifymbstr((const char *) name, (int) length, true))
			return "a category is not text in the encoding of this database";
		name += length;
	}
	return NULL;
}

/* ---------- reading ---------- */

/* Positions before the first member of a book whose reader is open. */
void
preference_reader_init(PreferenceReader *book)
{
	TailParts	tail;

	(void) split_tail(&book->reader, &tail);
	book->ncategories = tail.ncategories;
	book->lengths = tail.lengths;
	book->names = tail.names;
	book->end_of_names = tail.end_of_names;
	book->pool = (DecimalPool) {.context = CurrentMemoryContext};
	decimal_pool_load(&book->pool, tail.wide, tail.nwide);
	book->counts = tail.counts;
	book->cells = tail.counts;
	for (uint32 left = book->reader.count; left > 0; left -= Min(left, PACKED_ROWS))
		book->cells = packed_skip(book->cells, tail.end, (int) Min(left, PACKED_ROWS));
	book_key_cursor(&book->keys, &book->reader);
	book->members_left = book->reader.count;
	book->cells_left = tail.ncells;
	book->member = book->members = book->cell = book->cells_at_hand = 0;
	book->context = CurrentMemoryContext;
	book->list = NULL;
	book->count = book->room = 0;
}

/* Opens a book that was given as an argument. */
void
preference_book_open(PreferenceReader *book, Datum value)
{
	book_open(&book->reader, value, &preference_book_format);
	preference_reader_init(book);
}

/* Reads the next block of cells. */
static void
read_cells(PreferenceReader *book)
{
	int			n = (int) Min(book->cells_left, PACKED_ROWS);

	book->cells = packed_load(book->cells, n, book->category);
	book->cells = packed_load(book->cells, n, book->n);
	book->cells = packed_load(book->cells, n, book->mantissa);
	book->cells = packed_load(book->cells, n, book->scale);
	book->cells_left -= n;
	book->cell = 0;
	book->cells_at_hand = n;
}

/* Reads the cells of the next member, without their key. */
static void
read_member(PreferenceReader *book)
{
	if (book->member == book->members)
	{
		book->members = (int) Min(book->members_left, PACKED_ROWS);
		book->counts = packed_load(book->counts, book->members, book->cell_counts);
		book->members_left -= book->members;
		book->member = 0;
	}
	book->count = (Size) book->cell_counts[book->member++];
	if (book->count > book->room)
		book->list = array_grow(book->list, &book->room, book->count, sizeof(PreferenceCell), book->context);
	for (Size i = 0; i < book->count; i++)
	{
		PreferenceCell *cell = &book->list[i];

		check_interrupts(i);
		if (book->cell == book->cells_at_hand)
			read_cells(book);
		cell->category = (uint32) book->category[book->cell];
		cell->n = book->n[book->cell];
		cell->money = decimal_pack_small(book->mantissa[book->cell], (int) book->scale[book->cell]);
		book->cell++;
	}
}

/* Reads the next member; false behind the last one. */
bool
preference_book_next(PreferenceReader *book)
{
	if (book->member == book->members && book->members_left == 0)
		return false;
	read_member(book);
	book->key = book_next_key(&book->keys);
	return true;
}

/* ---------- merging ---------- */

/* A book that is being merged. */
typedef struct Part
{
	PreferenceReader book;
	uint32	   *category;		/* what becomes of its numbers */
} Part;

static inline int
compare_cells(const PreferenceCell *a, const PreferenceCell *b)
{
	return (a->category > b->category) - (a->category < b->category);
}

static inline void
add_cell(PreferenceCell *sum, const PreferenceCell *cell, DecimalPool *pool)
{
	if (pg_add_s64_overflow(sum->n, cell->n, &sum->n))
		purchases_error();
	if (!decimal_add_packed(&sum->money, pool, cell->money, pool))
		decimal_sum_error();
}

/* The cells of one member, merged from several books; all wide sums are in one pool. */
#define RUNS_NAME CellRuns
#define RUNS_ELEMENT PreferenceCell
#define RUNS_CONTEXT DecimalPool
#define RUNS_COMPARE(a, b, pool) compare_cells(a, b)
#define RUNS_ADD(a, b, pool) add_cell(a, b, pool)
#include "shared/merge_runs.h"

/* Gathers the names of all parts and numbers them anew; returns their order. */
static uint32 *
unite_names(Part *parts, int n, KeyTable *names)
{
	uint32	   *order;
	uint32	   *place;

	keytable_init(names, KEY_BYTES, 0, CurrentMemoryContext);
	for (int i = 0; i < n; i++)
	{
		const PreferenceReader *book = &parts[i].book;
		const char *name = (const char *) book->names;

		parts[i].category = large_alloc(CurrentMemoryContext, (Size) Max(book->ncategories, 1) * sizeof(uint32));
		for (uint32 k = 0; k < book->ncategories; k++)
		{
			Key			key;

			check_interrupts(k);
			key.bytes.data = name;
			key.bytes.length = load_u32(book->lengths + (Size) k * 4);
			name += key.bytes.length;
			keytable_locate(names, &key, 1, &parts[i].category[k]);
		}
	}
	order = keytable_sorted(names);
	place = large_alloc(CurrentMemoryContext, (Size) Max(names->count, 1) * sizeof(uint32));
	for (uint32 i = 0; i < names->count; i++)
	{
		check_interrupts(i);
		place[order[i]] = i;
	}
	for (int i = 0; i < n; i++)
		for (uint32 k = 0; k < parts[i].book.ncategories; k++)
		{
			check_interrupts(k);
			parts[i].category[k] = place[parts[i].category[k]];
		}
	pfree(place);
	return order;
}

static void
preference_book_merge_tails(const BookFormat *format, const BookReader *readers, int n,
							const BookMergeOrder *order, ByteBuffer *buffer)
{
	Part	   *parts = palloc(n * sizeof(Part));
	PreferenceWriter *writer = palloc(sizeof(PreferenceWriter));
	DecimalPool pool = {.context = CurrentMemoryContext};
	KeyTable	names;
	uint32	   *name_order;
	CellRuns	runs;

	for (int i = 0; i < n; i++)
	{
		parts[i].book.reader = readers[i];
		preference_reader_init(&parts[i].book);
	}
	name_order = unite_names(parts, n, &names);
	preference_writer_init(writer);
	CellRuns_init(&runs);
	for (Size i = 0; i < order->n; i++)
	{
		Part	   *part = &parts[order->source[i] & BOOK_ORDER_PART];
		PreferenceCell *run;

		check_interrupts(i);
		read_member(&part->book);
		run = CellRuns_append(&runs, part->book.count);
		for (Size k = 0; k < part->book.count; k++)
		{
			run[k] = part->book.list[k];
			run[k].category = part->category[run[k].category];
			if (unlikely(decimal_is_pooled(run[k].money)))
				run[k].money = decimal_pool_put(&pool, &part->book.pool.item[run[k].money >> 8]);
		}
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		CellRuns_merge(&runs, &pool);
		preference_write_member(writer, runs.element, runs.count, &pool);
		CellRuns_clear(&runs);
		pool.count = 0;
	}
	CellRuns_free(&runs);
	preference_write_tail(writer, &names, name_order, buffer);
	keytable_clear(&names);
	for (int i = 0; i < n; i++)
		pfree(parts[i].category);
	pfree(parts);
	pfree(writer);
}

/* ---------- forgetting ---------- */

/* Numbers the categories anew that a member has who is left; the others are dropped, and listed with the filter. */
static uint32 *
renumber_categories(PreferenceReader *book, BookFilter members, uint32 *number, BookFilter *categories)
{
	memset(number, 0, Max((Size) book->ncategories, 1) * sizeof(uint32));
	for (uint32 i = 0; i < book->reader.count; i++)
	{
		check_interrupts(i);
		read_member(book);
		if (book_filter_keeps(&members, i))
			for (Size k = 0; k < book->count; k++)
				number[book->list[k].category] = 1;
	}
	return book_renumber_used(number, book->ncategories, categories);
}

static void
preference_book_filter_tail(const BookFormat *format, const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer)
{
	PreferenceReader *book = palloc(sizeof(PreferenceReader));
	PreferenceWriter *writer = palloc(sizeof(PreferenceWriter));
	BookFilter	members = *filter;
	BookFilter	categories;
	BookReader	names = {.key_type = KEY_BYTES};
	uint32	   *number;
	uint32	   *dropped;

	book->reader = *reader;
	preference_reader_init(book);
	number = large_alloc(CurrentMemoryContext, Max((Size) book->ncategories, 1) * sizeof(uint32));
	dropped = renumber_categories(book, *filter, number, &categories);
	names.count = book->ncategories;
	names.keys = book->lengths;
	names.tail = book->end_of_names;

	preference_reader_init(book);
	preference_writer_init(writer);
	for (uint32 i = 0; i < reader->count; i++)
	{
		check_interrupts(i);
		read_member(book);
		if (!book_filter_keeps(&members, i))
			continue;
		for (Size k = 0; k < book->count; k++)
			book->list[k].category = number[book->list[k].category];
		preference_write_member(writer, book->list, book->count, &book->pool);
	}
	buffer_advance(buffer, store_u32(buffer_reserve(buffer, 4), categories.count));
	book_filter_keys(&names, &categories, buffer);
	write_members(writer, buffer);
	pfree(dropped);
	pfree(number);
	pfree(writer);
	pfree(book);
}
