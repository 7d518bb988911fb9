/*
 * check_book_format.c
 *	  The stored form of a check_book: sections and columns, read, and checked if they
 *	  come from outside.  check_book_write.c writes it.
 *
 * Stored behind the keys: the largest scales of price and quantity (1 byte each);
 * the names of members, items and currencies, each a number (4), lengths (4 each)
 * and bytes; the numbers of heads and of lines (4 each); the columns
 * (check_columns.h); the number of wide decimals (4) and these (33 each).
 */
#include "order_checks/check_book.h"

#include "mb/pg_wchar.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "shared/time_range.h"

#define CHECK_BOOK_VERSION 1

static const char *check_book_check(const uint8 *bytes, Size length);
static const char *check_book_check_encoding(const BookReader *reader);

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
const char *
check_book_split(CheckReader *checks)
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
	(void) check_book_split(checks);
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

	if (wrong != NULL || (wrong = check_book_split(&checks)) != NULL ||
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
		checker->used[i] = large_alloc_zeroed(CurrentMemoryContext, (Size) checks.names[i].count + 1);
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

	(void) check_book_split(&checks);
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
