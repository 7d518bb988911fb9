/*
 * check_book.h
 *	  A check_book: every row of a table of orders, packed.
 *
 * Only the whole rows tell which of them are there twice, what an order looks
 * like, and what is usual for an item.  So the book keeps them all, sorted, with
 * each id once: order by order (the keys of the book), what its rows share as its
 * heads (time, member, currency; nearly always one), and for each of them the
 * lines (item, price, quantity, how often).  That takes about ten bytes a row.
 *
 * NULLs are data here.  A NULL name has the number 0, a NULL time or number a
 * value of its own.
 */
#ifndef CUSTMART_CHECK_BOOK_H
#define CUSTMART_CHECK_BOOK_H

#include "custmart.h"

#include "book/book.h"
#include "money/decimal_numeric.h"
#include "order_checks/check_columns.h"

/* The form of a book: of moments, or of what the clocks of a shop showed. */
#define CHECK_BOOK_MOMENTS 0
#define CHECK_BOOK_CLOCK 1
#define CHECK_BOOK_FORMS 2

#define CHECK_NO_TIME (PG_INT64_MIN + 1)	/* between -infinity and the first time there is */
#define CHECK_NO_NUMBER INT64CONST(0xFE)	/* no packed decimal has this scale */

/* Besides a price and a quantity a book has ids of three kinds. */
typedef enum CheckNames
{
	CHECK_MEMBERS,
	CHECK_ITEMS,
	CHECK_CURRENCIES
} CheckNames;

#define CHECK_NAMES (CHECK_CURRENCIES + 1)

/* A list of names, ascending; name 0 is NULL, name i the one at i - 1. */
typedef struct NameList
{
	uint32		count;			/* without NULL */
	const uint8 *lengths;
	const uint8 *bytes;
	const uint8 *end;
} NameList;

/* What rows of an order share. */
typedef struct CheckHead
{
	int64		time;
	uint32		member;
	uint32		currency;
	uint32		lines;
	Size		first_line;		/* among those of the order */
} CheckHead;

typedef struct CheckLine
{
	int64		price;			/* packed and normal, or CHECK_NO_NUMBER */
	int64		quantity;
	uint32		item;
	uint32		count;			/* of equal rows */
} CheckLine;

/* One order while a book is written or merged. */
typedef struct CheckOrder
{
	CheckHead  *heads;
	Size		nheads;
	Size		heads_room;
	CheckLine  *lines;
	Size		nlines;
	Size		lines_room;
	CheckLine  *spare;
	Size		spare_room;
	DecimalPool pool;
} CheckOrder;

/* A stored book, opened: what is in its tail, and cursors over its columns. */
typedef struct CheckReader
{
	BookReader	reader;
	int			price_scale;	/* the largest that a price had */
	int			quantity_scale;
	NameList	names[CHECK_NAMES];
	uint32		nheads;
	uint32		nlines;
	const uint8 *columns[CHECK_COLUMNS];
	const uint8 *wide;
	uint32		wide_count;
} CheckReader;

/* Reads a book order by order, head by head, line by line. */
typedef struct CheckCursor
{
	ColumnReader columns[CHECK_COLUMNS];
} CheckCursor;

typedef struct CheckTailWriter
{
	ColumnWriter columns[CHECK_COLUMNS];
	uint32		nheads;
	uint32		nlines;
	DecimalPool wide;
} CheckTailWriter;

extern const BookFormat check_book_format;

/* check_book_format.c */
extern const char *check_book_split(CheckReader *checks);
extern void check_book_open(CheckReader *checks, Datum value);
extern void check_cursor_open(CheckCursor *cursor, const CheckReader *checks);
extern DecimalPool check_book_load_wide(const CheckReader *checks);

/* check_book_write.c */
extern uint32 *check_ranks(const uint32 *sorted, uint32 count);
extern void check_tail_begin(CheckTailWriter *writer);
extern void check_tail_order(CheckTailWriter *writer, const CheckOrder *order);
extern void check_tail_end(CheckTailWriter *writer, int price_scale, int quantity_scale,
						   const KeyTable *names, uint32 *const *sorted, ByteBuffer *buffer);
extern void check_order_arrange(CheckOrder *order);
extern CheckHead *check_order_head(CheckOrder *order);
extern CheckLine *check_order_lines(CheckOrder *order, Size n);
extern int64 check_order_number(CheckOrder *order, int64 number, const DecimalPool *pool);
extern void check_order_free(CheckOrder *order);

/* check_book_merge.c */
extern void check_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
								   const BookMergeOrder *order, ByteBuffer *buffer);

/* The order of heads and lines; numbers are normal, so equal ones have equal bits unless they are wide. */
static inline int
compare_check_heads(const CheckHead *a, const CheckHead *b)
{
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->member != b->member)
		return a->member < b->member ? -1 : 1;
	return (a->currency > b->currency) - (a->currency < b->currency);
}

static inline int
compare_check_numbers(int64 a, int64 b, const DecimalPool *pool)
{
	if (unlikely(decimal_is_pooled(a) || decimal_is_pooled(b)))
	{
		if (decimal_is_pooled(a) != decimal_is_pooled(b))
			return decimal_is_pooled(a) ? 1 : -1;
		return decimal_packed_compare(a, b, pool);
	}
	return (a > b) - (a < b);
}

static inline int
compare_check_lines(const CheckLine *a, const CheckLine *b, const DecimalPool *pool)
{
	int			order;

	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	order = compare_check_numbers(a->price, b->price, pool);
	return order != 0 ? order : compare_check_numbers(a->quantity, b->quantity, pool);
}

/*
 * The key of an order id: the id itself, but with one byte more in front where
 * that is necessary to tell an empty id from none.
 */
#define CHECK_KEY_ESCAPE '\001'

static inline bool
check_key_is_escaped(const char *id, uint32 length)
{
	return length == 0 || id[0] == CHECK_KEY_ESCAPE;
}

#endif							/* CUSTMART_CHECK_BOOK_H */
