/*
 * check_book_format.c
 *	  The stored form of a check_book: sections and columns, the checker for all
 *	  bytes from outside, writing and merging.
 *
 * Stored behind the keys: the largest scales of price and quantity (1 byte each);
 * the names of members, items and currencies, each a number (4), lengths (4 each)
 * and bytes; the numbers of heads and of lines (4 each); the columns
 * (check_columns.h); the number of wide decimals (4) and these (33 each).
 */
#include "order_checks/check_book.h"

#include "mb/pg_wchar.h"
#include "shared/bytes.h"
#include "shared/growing_array.h"
#include "shared/time_range.h"

#define CHECK_BOOK_VERSION 1

static const char *check_book_check(const uint8 *bytes, Size length);
static const char *check_book_check_encoding(const BookReader *reader);
static void check_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
								   const BookMergeOrder *order, ByteBuffer *buffer);

const BookFormat check_book_format = {
	.type = {"check_book", check_book_check},
	.stored_kind = STORED_CHECK_BOOK,
	.stored_version = CHECK_BOOK_VERSION,
	.form_hint = "Make all parts with ordered_at of timestamptz, or all with a timestamp or a date.",
	.size_hint = "Make one book per slice of time, for example per year.",
	.check_encoding = check_book_check_encoding,
	.merge_tails = check_book_merge_tails
};

/* ---------- reading ---------- */

/* Passes a list of names; false if it is truncated. */
static bool
split_names(const uint8 **at, const uint8 *end, NameList *names)
{
	Size		left = end - *at;

	if (left < 4)
		return false;
	names->count = load_u32(*at);
	names->lengths = *at + 4;
	left -= 4;
	if (left / 4 < names->count)
		return false;
	left -= (Size) names->count * 4;
	names->bytes = names->lengths + (Size) names->count * 4;
	names->end = names->bytes;
	for (uint32 i = 0; i < names->count; i++)
	{
		uint32		length = load_u32(names->lengths + (Size) i * 4);

		check_interrupts(i);
		if (length > left)
			return false;
		left -= length;
		names->end += length;
	}
	*at = names->end;
	return true;
}

static uint32
column_length(const CheckReader *checks, int column)
{
	return column == COLUMN_ORDER_HEADS ? checks->reader.count :
		column <= COLUMN_HEAD_LINES ? checks->nheads : checks->nlines;
}

/* Finds the sections of the tail; returns what is wrong with their sizes, or NULL. */
static const char *
split(CheckReader *checks)
{
	const uint8 *at = checks->reader.tail;
	const uint8 *end = at + checks->reader.tail_size;

	if (checks->reader.form >= CHECK_BOOK_FORMS)
		return "its form is unknown";
	if (checks->reader.key_type != KEY_BYTES)
		return "its orders are no texts";
	if (end - at < 2)
		return "it is truncated";
	checks->price_scale = *at++;
	checks->quantity_scale = *at++;
	for (int i = 0; i < CHECK_NAMES; i++)
		if (!split_names(&at, end, &checks->names[i]))
			return "its names are truncated";
	if (end - at < 8)
		return "it is truncated";
	checks->nheads = load_u32(at);
	checks->nlines = load_u32(at + 4);
	at += 8;
	for (int i = 0; i < CHECK_COLUMNS; i++)
	{
		uint32		left = column_length(checks, i);

		checks->columns[i] = at;
		for (uint32 block = 0; left > 0; block++)
		{
			int			n = (int) Min(left, PACKED_ROWS);

			check_interrupts(block);
			at = packed_skip(at, end, n);
			if (at == NULL)
				return "a column is truncated";
			left -= n;
		}
	}
	if (end - at < 4)
		return "its wide numbers are truncated";
	checks->wide_count = load_u32(at);
	checks->wide = at + 4;
	if ((Size) (end - checks->wide) != (Size) checks->wide_count * DECIMAL_STORED_SIZE)
		return "its length is wrong";
	return NULL;
}

/* Opens a book for reading; checked. */
void
check_book_open(CheckReader *checks, Datum value)
{
	book_open(&checks->reader, value, &check_book_format);
	(void) split(checks);
}

/* Puts a cursor before the first order of a checked book. */
void
check_cursor_open(CheckCursor *cursor, const CheckReader *checks)
{
	for (int i = 0; i < CHECK_COLUMNS; i++)
		column_open(&cursor->columns[i], checks->columns[i], column_length(checks, i));
}

/* The wide numbers of a checked book. */
DecimalPool
check_book_load_wide(const CheckReader *checks)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	decimal_pool_load(&pool, checks->wide, checks->wide_count);
	return pool;
}

/* ---------- checking ---------- */

/* Reads a column of bytes from outside. */
typedef struct ColumnChecker
{
	const uint8 *bytes;
	const uint8 *end;
	uint32		left;
	int			n;
	int			at;
	int64		numbers[PACKED_ROWS];
} ColumnChecker;

static const char *
check_next(ColumnChecker *column, int64 least, int64 most, int64 *number)
{
	if (column->at == column->n)
	{
		const char *wrong;

		if (column->left == 0)
			return "a column is too short";
		column->n = (int) Min(column->left, PACKED_ROWS);
		column->left -= column->n;
		column->at = 0;
		if ((wrong = packed_check_and_load(&column->bytes, column->end, column->n, column->numbers)) != NULL)
			return wrong;
	}
	*number = column->numbers[column->at++];
	return *number < least || *number > most ? "a number is out of range" : NULL;
}

/* Whether a number has at most as many digits before its point as an argument may have. */
static bool
is_in_range(const Decimal *d)
{
	char		digits[DECIMAL_TEXT_SIZE];
	int			length = decimal_to_text(d, digits) - (d->scale > 0 ? d->scale + 1 : 0);

	return length - (digits[0] == '-') <= DECIMAL_MAX_DIGITS;
}

/* Checks a price or quantity of a scale up to the given one; wide ones are numbered in the order of the lines. */
static const char *
check_number(int64 packed, int most_scale, const DecimalPool *pool, uint32 *wide_seen)
{
	if (packed == CHECK_NO_NUMBER)
		return NULL;
	if (decimal_is_pooled(packed))
	{
		Decimal		d;
		int			scale;

		if (packed >> 8 != *wide_seen || *wide_seen >= pool->count)
			return "a wide number is missing or out of order";
		d = pool->item[(*wide_seen)++];
		scale = d.scale;
		if (scale > most_scale)
			return "a number has a larger scale than its column";
		if (!is_in_range(&d))
			return "a number is out of range";
		(void) decimal_set_scale(&d, 0);
		return d.scale != scale ? "a number has needless zeros" : NULL;
	}
	if ((packed & 0xFF) > most_scale)
		return "a number has a larger scale than its column";
	return (packed & 0xFF) != 0 && (packed >> 8) % 10 == 0 ? "a number has needless zeros" : NULL;
}

/* Checks that names ascend. */
static const char *
check_names(const NameList *names)
{
	const uint8 *name = names->bytes;
	const uint8 *last = NULL;
	uint32		last_length = 0;

	for (uint32 i = 0; i < names->count; i++)
	{
		uint32		length = load_u32(names->lengths + (Size) i * 4);

		check_interrupts(i);
		if (last != NULL && compare_bytes(last, last_length, name, length) >= 0)
			return "its names do not ascend";
		last = name;
		last_length = length;
		name += length;
	}
	return NULL;
}

/* Checks that an escaped order id needs to be. */
static const char *
check_keys(const BookReader *reader)
{
	BookKeyCursor cursor;

	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		Key			key = book_next_key(&cursor);

		check_interrupts(i);
		if (key.bytes.length > 0 && key.bytes.data[0] == CHECK_KEY_ESCAPE &&
			!check_key_is_escaped(key.bytes.data + 1, key.bytes.length - 1))
			return "an order id is not written as it should be";
	}
	return NULL;
}

/* What a check of the orders needs to remember. */
typedef struct OrderChecker
{
	ColumnChecker columns[CHECK_COLUMNS];
	int			price_scale;
	int			quantity_scale;
	DecimalPool pool;
	uint32		wide_seen;
	uint8	   *used[CHECK_NAMES];	/* names that are mentioned */
	uint32		counts[CHECK_NAMES];
} OrderChecker;

static const char *
check_name(OrderChecker *checker, CheckColumn column, CheckNames names, uint32 *name)
{
	int64		number;
	const char *wrong = check_next(&checker->columns[column], 0, checker->counts[names], &number);

	if (wrong == NULL)
	{
		*name = (uint32) number;
		checker->used[names][number] = 1;
	}
	return wrong;
}

static const char *
check_lines(OrderChecker *checker, int64 lines)
{
	CheckLine	last = {0};

	for (int64 i = 0; i < lines; i++)
	{
		CheckLine	line;
		int64		count;
		const char *wrong;

		check_interrupts(i);
		if ((wrong = check_name(checker, COLUMN_ITEM, CHECK_ITEMS, &line.item)) != NULL ||
			(wrong = check_next(&checker->columns[COLUMN_PRICE], PG_INT64_MIN, PG_INT64_MAX, &line.price)) != NULL ||
			(wrong = check_number(line.price, checker->price_scale, &checker->pool, &checker->wide_seen)) != NULL ||
			(wrong = check_next(&checker->columns[COLUMN_QUANTITY], PG_INT64_MIN, PG_INT64_MAX, &line.quantity)) != NULL ||
			(wrong = check_number(line.quantity, checker->quantity_scale, &checker->pool, &checker->wide_seen)) != NULL ||
			(wrong = check_next(&checker->columns[COLUMN_COUNT], 1, PG_UINT32_MAX, &count)) != NULL)
			return wrong;
		if (i > 0 && compare_check_lines(&last, &line, &checker->pool) >= 0)
			return "its lines do not ascend";
		last = line;
	}
	return NULL;
}

static const char *
check_orders(OrderChecker *checker, uint32 count)
{
	for (uint32 i = 0; i < count; i++)
	{
		CheckHead	last = {0};
		int64		heads;
		const char *wrong = check_next(&checker->columns[COLUMN_ORDER_HEADS], 1, PG_UINT32_MAX, &heads);

		check_interrupts(i);
		for (int64 h = 0; wrong == NULL && h < heads; h++)
		{
			CheckHead	head;
			int64		lines;

			if ((wrong = check_next(&checker->columns[COLUMN_TIME], PG_INT64_MIN, PG_INT64_MAX, &head.time)) != NULL ||
				(wrong = check_name(checker, COLUMN_MEMBER, CHECK_MEMBERS, &head.member)) != NULL ||
				(wrong = check_name(checker, COLUMN_CURRENCY, CHECK_CURRENCIES, &head.currency)) != NULL ||
				(wrong = check_next(&checker->columns[COLUMN_HEAD_LINES], 1, PG_UINT32_MAX, &lines)) != NULL)
				break;
			if (head.time != CHECK_NO_TIME && head.time != PG_INT64_MIN && head.time != PG_INT64_MAX &&
				!time_is_in_range(head.time))
				return "a time is out of range";
			if (h > 0 && compare_check_heads(&last, &head) >= 0)
				return "its heads do not ascend";
			last = head;
			wrong = check_lines(checker, lines);
		}
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

/* The checker: returns what is wrong with stored bytes, or NULL. */
static const char *
check_book_check(const uint8 *bytes, Size length)
{
	CheckReader checks;
	const char *wrong = book_read_header(&checks.reader, &check_book_format, bytes, length);
	OrderChecker *checker;

	if (wrong != NULL || (wrong = split(&checks)) != NULL ||
		(wrong = book_check_order(&checks.reader)) != NULL ||
		(wrong = check_keys(&checks.reader)) != NULL)
		return wrong;
	if (checks.reader.rows_skipped != 0)
		return "it has skipped rows";
	if (checks.reader.count == 0)
		return "it has no rows";
	if (checks.price_scale > DECIMAL_MAX_SCALE || checks.quantity_scale > DECIMAL_MAX_SCALE)
		return "its scale is too large";
	for (int i = 0; i < CHECK_NAMES; i++)
		if ((wrong = check_names(&checks.names[i])) != NULL)
			return wrong;
	checker = palloc0(sizeof(OrderChecker));
	checker->price_scale = checks.price_scale;
	checker->quantity_scale = checks.quantity_scale;
	for (int i = 0; i < CHECK_COLUMNS; i++)
	{
		checker->columns[i].bytes = checks.columns[i];
		checker->columns[i].end = bytes + length;
		checker->columns[i].left = column_length(&checks, i);
	}
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		checker->counts[i] = checks.names[i].count;
		checker->used[i] = MemoryContextAllocExtended(CurrentMemoryContext, (Size) checks.names[i].count + 1,
													  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	checker->pool.context = CurrentMemoryContext;
	for (uint32 i = 0; i < checks.wide_count && wrong == NULL; i++)
	{
		Decimal		d;

		check_interrupts(i);
		wrong = decimal_check_and_load(checks.wide + (Size) i * DECIMAL_STORED_SIZE, &d);
		if (wrong == NULL)
			(void) decimal_pool_put(&checker->pool, &d);
	}
	if (wrong == NULL)
		wrong = check_orders(checker, checks.reader.count);
	if (wrong == NULL && checker->wide_seen != checks.wide_count)
		wrong = "a wide number belongs to no line";
	for (int i = 0; i < CHECK_COLUMNS && wrong == NULL; i++)
		if (checker->columns[i].left > 0 || checker->columns[i].at < checker->columns[i].n)
			wrong = "a column is too long";
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		for (uint32 name = 1; name <= checks.names[i].count && wrong == NULL; name++)
			if (!checker->used[i][name])
				wrong = "a name is not used";
		pfree(checker->used[i]);
	}
	if (checker->pool.item != NULL)
		pfree(checker->pool.item);
	pfree(checker);
	return wrong;
}

/* Whether names are text in the encoding of this database. */
static const char *
check_book_check_encoding(const BookReader *reader)
{
	CheckReader checks = {.reader = *reader};

	(void) split(&checks);
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		const uint8 *name = checks.names[i].bytes;

		for (uint32 k = 0; k < checks.names[i].count; k++)
		{
			uint32		length = load_u32(checks.names[i].lengths + (Size) k * 4);

			check_interrupts(k);
			if (!pg_verifymbstr((const char *) name, (int) length, true))
				return "a name is not text in the encoding of this database";
			name += length;
		}
	}
	return NULL;
}

/* ---------- one order ---------- */

#define ST_SORT sort_heads
#define ST_ELEMENT_TYPE CheckHead
#define ST_COMPARE(a, b) compare_check_heads(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_lines
#define ST_ELEMENT_TYPE CheckLine
#define ST_COMPARE_ARG_TYPE const DecimalPool
#define ST_COMPARE(a, b, pool) compare_check_lines(a, b, pool)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Adds a head without lines to an order. */
CheckHead *
check_order_head(CheckOrder *order)
{
	CheckHead  *head;

	if (unlikely(order->nheads == order->heads_room))
		order->heads = array_grow(order->heads, &order->heads_room, order->nheads + 1, sizeof(CheckHead),
								  order->pool.context);
	head = &order->heads[order->nheads++];
	head->first_line = order->nlines;
	head->lines = 0;
	return head;
}

/* Adds lines to an order, which the caller fills in. */
CheckLine *
check_order_lines(CheckOrder *order, Size n)
{
	if (unlikely(order->lines_room - order->nlines < n))
		order->lines = array_grow(order->lines, &order->lines_room, order->nlines + n, sizeof(CheckLine),
								  order->pool.context);
	order->nlines += n;
	return order->lines + order->nlines - n;
}

/* A number of a line, from another pool. */
int64
check_order_number(CheckOrder *order, int64 number, const DecimalPool *pool)
{
	return decimal_is_pooled(number) ? decimal_pool_put(&order->pool, &pool->item[number >> 8]) : number;
}

/* Sorts the lines from the given one on and adds up equal ones. */
static void
arrange_lines(CheckOrder *order, Size first)
{
	CheckLine  *lines = order->lines + first;
	Size		n = order->nlines - first;
	Size		kept = 0;

	sort_lines(lines, n, &order->pool);
	for (Size i = 1; i < n; i++)
	{
		check_interrupts(i);
		if (compare_check_lines(&lines[kept], &lines[i], &order->pool) != 0)
			lines[++kept] = lines[i];
		else if (pg_add_u32_overflow(lines[kept].count, lines[i].count, &lines[kept].count))
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("check_book cannot count more than %u equal rows", PG_UINT32_MAX)));
	}
	order->nlines = first + kept + 1;
}

/* Sorts heads and lines of an order and joins what is equal. */
void
check_order_arrange(CheckOrder *order)
{
	Size		nlines = order->nlines;
	Size		kept = 0;
	CheckLine  *swap;
	Size		room;

	if (order->nheads == 1)
	{
		if (nlines > 1)
			arrange_lines(order, 0);
		order->heads[0].lines = (uint32) order->nlines;
		return;
	}
	sort_heads(order->heads, order->nheads);
	if (order->spare_room < nlines)
		order->spare = array_grow(order->spare, &order->spare_room, nlines, sizeof(CheckLine), order->pool.context);
	swap = order->spare;
	order->spare = order->lines;
	order->lines = swap;
	room = order->spare_room;
	order->spare_room = order->lines_room;
	order->lines_room = room;
	order->nlines = 0;
	for (Size i = 0; i < order->nheads;)
	{
		CheckHead	head = order->heads[i];
		Size		first = order->nlines;

		do
		{
			memcpy(order->lines + order->nlines, order->spare + order->heads[i].first_line,
				   order->heads[i].lines * sizeof(CheckLine));
			order->nlines += order->heads[i].lines;
			check_interrupts(i);
		} while (++i < order->nheads && compare_check_heads(&head, &order->heads[i]) == 0);
		arrange_lines(order, first);
		head.first_line = first;
		head.lines = (uint32) (order->nlines - first);
		order->heads[kept++] = head;
	}
	order->nheads = kept;
}

void
check_order_free(CheckOrder *order)
{
	if (order->heads != NULL)
		pfree(order->heads);
	if (order->lines != NULL)
		pfree(order->lines);
	if (order->spare != NULL)
		pfree(order->spare);
	if (order->pool.item != NULL)
		pfree(order->pool.item);
}

/* ---------- writing ---------- */

void
check_tail_begin(CheckTailWriter *writer)
{
	memset(writer, 0, sizeof(*writer));
	for (int i = 0; i < CHECK_COLUMNS; i++)
		buffer_init(&writer->columns[i].buffer, 256, CurrentMemoryContext);
	writer->wide.context = CurrentMemoryContext;
}

static inline int64
stored_number(CheckTailWriter *writer, int64 number, const DecimalPool *pool)
{
	return unlikely(decimal_is_pooled(number)) ? decimal_pool_put(&writer->wide, &pool->item[number >> 8]) : number;
}

/* Writes an order whose heads and lines are arranged. */
void
check_tail_order(CheckTailWriter *writer, const CheckOrder *order)
{
	if (order->nlines > PG_UINT32_MAX - writer->nlines)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("check_book cannot have more than %u different rows", PG_UINT32_MAX),
				 errhint("%s", check_book_format.size_hint)));
	column_put(&writer->columns[COLUMN_ORDER_HEADS], order->nheads);
	writer->nheads += order->nheads;
	writer->nlines += order->nlines;
	for (Size i = 0; i < order->nheads; i++)
	{
		const CheckHead *head = &order->heads[i];

		check_interrupts(i);
		column_put(&writer->columns[COLUMN_TIME], head->time);
		column_put(&writer->columns[COLUMN_MEMBER], head->member);
		column_put(&writer->columns[COLUMN_CURRENCY], head->currency);
		column_put(&writer->columns[COLUMN_HEAD_LINES], head->lines);
	}
	for (Size i = 0; i < order->nlines; i++)
	{
		const CheckLine *line = &order->lines[i];

		check_interrupts(i);
		column_put(&writer->columns[COLUMN_ITEM], line->item);
		column_put(&writer->columns[COLUMN_PRICE], stored_number(writer, line->price, &order->pool));
		column_put(&writer->columns[COLUMN_QUANTITY], stored_number(writer, line->quantity, &order->pool));
		column_put(&writer->columns[COLUMN_COUNT], line->count);
	}
}

/* Writes the tail; the names are in the tables, to be stored in the order given. */
void
check_tail_end(CheckTailWriter *writer, int price_scale, int quantity_scale,
			   const KeyTable *names, uint32 *const *sorted, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, 2);

	*bytes++ = (uint8) price_scale;
	*bytes++ = (uint8) quantity_scale;
	buffer_advance(buffer, bytes);
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		bytes = buffer_reserve(buffer, 4 + keytable_stored_size(&names[i]));
		bytes = store_u32(bytes, names[i].count);
		buffer_advance(buffer, keytable_store_keys(&names[i], sorted[i], bytes));
	}
	bytes = buffer_reserve(buffer, 8);
	buffer_advance(buffer, store_u32(store_u32(bytes, writer->nheads), writer->nlines));
	for (int i = 0; i < CHECK_COLUMNS; i++)
	{
		column_flush(&writer->columns[i]);
		buffer_append(buffer, writer->columns[i].buffer.data, writer->columns[i].buffer.size);
		pfree(writer->columns[i].buffer.data);
	}
	bytes = buffer_reserve(buffer, 4 + (Size) writer->wide.count * DECIMAL_STORED_SIZE);
	buffer_advance(buffer, decimal_pool_store(&writer->wide, bytes));
	if (writer->wide.item != NULL)
		pfree(writer->wide.item);
}

/* ---------- merging ---------- */

/* One of several books that are merged. */
typedef struct CheckPart
{
	CheckReader checks;
	CheckCursor cursor;
	DecimalPool pool;
	uint32	   *names[CHECK_NAMES];	/* the number of each name, and of NULL, in the merged book */
} CheckPart;

/* Finds or adds the names of a part in the table of all. */
static uint32 *
locate_names(const NameList *names, KeyTable *table)
{
	uint32	   *entries = large_alloc(CurrentMemoryContext, ((Size) names->count + 1) * sizeof(uint32));
	const uint8 *name = names->bytes;
	Key			keys[KEYTABLE_BATCH];

	entries[0] = 0;
	for (uint32 i = 0; i < names->count;)
	{
		int			n = 0;

		check_interrupts(i);
		for (; n < KEYTABLE_BATCH && i + n < names->count; n++)
		{
			memset(&keys[n], 0, sizeof(Key));
			keys[n].bytes.data = (const char *) name;
			keys[n].bytes.length = load_u32(names->lengths + (Size) (i + n) * 4);
			name += keys[n].bytes.length;
		}
		keytable_locate(table, keys, n, entries + 1 + i);
		i += n;
	}
	return entries;
}

/* The place of each entry in the sorted order, from 1. */
static uint32 *
ranks_of(const uint32 *sorted, uint32 count)
{
	uint32	   *ranks = large_alloc(CurrentMemoryContext, Max((Size) count, 1) * sizeof(uint32));

	for (uint32 i = 0; i < count; i++)
	{
		check_interrupts(i);
		ranks[sorted[i]] = i + 1;
	}
	return ranks;
}

/* Reads the next order of a part and adds it to one that is being merged. */
static void
join_order(CheckOrder *order, CheckPart *part)
{
	ColumnReader *columns = part->cursor.columns;
	int64		nheads = column_next(&columns[COLUMN_ORDER_HEADS]);

	for (int64 i = 0; i < nheads; i++)
	{
		CheckHead  *head = check_order_head(order);
		Size		first = order->nlines;
		CheckLine  *lines;

		head->time = column_next(&columns[COLUMN_TIME]);
		head->member = part->names[CHECK_MEMBERS][column_next(&columns[COLUMN_MEMBER])];
		head->currency = part->names[CHECK_CURRENCIES][column_next(&columns[COLUMN_CURRENCY])];
		head->lines = (uint32) column_next(&columns[COLUMN_HEAD_LINES]);
		lines = check_order_lines(order, head->lines);
		for (uint32 k = 0; k < head->lines; k++)
		{
			check_interrupts(first + k);
			lines[k].item = part->names[CHECK_ITEMS][column_next(&columns[COLUMN_ITEM])];
			lines[k].price = check_order_number(order, column_next(&columns[COLUMN_PRICE]), &part->pool);
			lines[k].quantity = check_order_number(order, column_next(&columns[COLUMN_QUANTITY]), &part->pool);
			lines[k].count = (uint32) column_next(&columns[COLUMN_COUNT]);
		}
	}
}

static void
check_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
					   const BookMergeOrder *order, ByteBuffer *buffer)
{
	CheckPart  *part = large_alloc(CurrentMemoryContext, n * sizeof(CheckPart));
	CheckTailWriter *writer = palloc(sizeof(CheckTailWriter));
	CheckOrder	joined = {.pool.context = CurrentMemoryContext};
	KeyTable	names[CHECK_NAMES];
	uint32	   *sorted[CHECK_NAMES];
	int			price_scale = 0;
	int			quantity_scale = 0;
	bool		is_joined = false;

	for (int i = 0; i < n; i++)
	{
		part[i].checks.reader = parts[i];
		(void) split(&part[i].checks);
		check_cursor_open(&part[i].cursor, &part[i].checks);
		part[i].pool = check_book_load_wide(&part[i].checks);
		price_scale = Max(price_scale, part[i].checks.price_scale);
		quantity_scale = Max(quantity_scale, part[i].checks.quantity_scale);
	}
	for (int k = 0; k < CHECK_NAMES; k++)
	{
		uint32	   *ranks;

		keytable_init(&names[k], KEY_BYTES, 0, CurrentMemoryContext);
		for (int i = 0; i < n; i++)
			part[i].names[k] = locate_names(&part[i].checks.names[k], &names[k]);
		sorted[k] = keytable_sorted(&names[k]);
		ranks = ranks_of(sorted[k], names[k].count);
		for (int i = 0; i < n; i++)
			for (uint32 name = 1; name <= part[i].checks.names[k].count; name++)
			{
				check_interrupts(name);
				part[i].names[k][name] = ranks[part[i].names[k][name]];
			}
		pfree(ranks);
	}
	check_tail_begin(writer);
	for (Size i = 0; i < order->n; i++)
	{
		check_interrupts(i);
		join_order(&joined, &part[order->source[i] & BOOK_ORDER_PART]);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
		{
			is_joined = true;
			continue;
		}

		/* The names of a part keep their order, so what comes from one part is arranged. */
		if (is_joined)
			check_order_arrange(&joined);
		check_tail_order(writer, &joined);
		joined.nheads = 0;
		joined.nlines = 0;
		joined.pool.count = 0;
		is_joined = false;
	}
	check_tail_end(writer, price_scale, quantity_scale, names, sorted, buffer);
	check_order_free(&joined);
	pfree(writer);
	for (int k = 0; k < CHECK_NAMES; k++)
	{
		keytable_clear(&names[k]);
		pfree(sorted[k]);
		for (int i = 0; i < n; i++)
			pfree(part[i].names[k]);
	}
	for (int i = 0; i < n; i++)
		if (part[i].pool.item != NULL)
			pfree(part[i].pool.item);
	pfree(part);
}
