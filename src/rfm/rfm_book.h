/*
 * rfm_book.h
 *	  Shared by the building of an rfm_book, its stored form and the reports.
 */
#ifndef CUSTMART_RFM_BOOK_H
#define CUSTMART_RFM_BOOK_H

#include "rfm/rfm.h"

#include "book/book.h"
#include "shared/bytes.h"

/* The forms of a book: of orders, or of order lines by the type of the order id. */
#define RFM_BOOK_ORDERS 0
#define RFM_BOOK_LINES_BIGINT 1
#define RFM_BOOK_LINES_UUID 2
#define RFM_BOOK_LINES_TEXT 3

#define UUID_SIZE 16

/* What an order has lines of. */
#define ORDER_BOUGHT 1
#define ORDER_REFUNDED 2

/* Before all times: no refund is known that is later than all orders. */
#define RFM_NO_TIME PG_INT64_MIN

/*
 * The tail of a stored book, taken apart.  Of a member whose latest row is a refund it
 * has the time of that row: nobody else needs one, and without it a book could not
 * forget a member.
 */
typedef struct RfmTail
{
	TimestampTz latest;			/* row of all, refunds included; 0 without members */
	const uint8 *members;		/* in blocks */
	uint32		wide_count;
	const uint8 *wide;			/* DECIMAL_STORED_SIZE each */
	uint32		late_count;		/* members whose latest row is a refund */
	const uint8 *late;			/* their places and the times, in blocks */
	const uint8 *orders;		/* for order lines: for each member their number, and the orders */
	const uint8 *end;
} RfmTail;

/* Reads the members of a checked tail, block by block. */
typedef struct RfmMemberCursor
{
	const uint8 *bytes;			/* of the next block */
	uint32		left;			/* members in it and behind it */
	int			next;
	int			count;			/* of the block */
	RfmMember	member[PACKED_ROWS];
} RfmMemberCursor;

/* Reads the late refunds of a checked tail, block by block. */
typedef struct RfmLateCursor
{
	const uint8 *bytes;			/* of the next block */
	uint32		left;			/* in it and behind it */
	int			next;
	int			count;			/* of the block */
	int64		place[PACKED_ROWS];
	int64		time[PACKED_ROWS];
} RfmLateCursor;

/* An order, by the lines seen of it. */
typedef struct RfmOrder
{
	const uint8 *text;			/* its id, or the bytes of a uuid; NULL: it is a number */
	int64		number;
	uint32		length;
	uint8		bits;
} RfmOrder;

/* Writes a tail, member by member. */
typedef struct RfmTailWriter
{
	uint8		form;
	int			count;			/* members that wait */
	RfmMember	member[PACKED_ROWS];
	uint32		written;		/* members in all */
	DecimalPool wide;
	Size		place_of_latest;	/* in the buffer */
	TimestampTz latest;
	uint32		nlate;			/* late refunds in all */
	int64		late_place[PACKED_ROWS];
	int64		late_time[PACKED_ROWS];
	ByteBuffer	late;			/* full blocks of them */
	ByteBuffer	orders;			/* which follow all members */
} RfmTailWriter;

extern const BookFormat rfm_book_format;

extern const char *rfm_book_split_tail(const BookReader *reader, RfmTail *tail);
extern DecimalPool rfm_book_load_wide(const RfmTail *tail);

extern void rfm_member_cursor(RfmMemberCursor *cursor, const RfmTail *tail, uint32 count);
extern void rfm_next_block(RfmMemberCursor *cursor);
extern RfmMember rfm_member_at(const RfmTail *tail, uint32 count, uint32 place);

extern void rfm_tail_begin(RfmTailWriter *writer, uint8 form, uint32 count, ByteBuffer *buffer);
extern void rfm_tail_member(RfmTailWriter *writer, const RfmMember *member, const DecimalPool *pool,
							TimestampTz refund, ByteBuffer *buffer);
extern void rfm_tail_orders(RfmTailWriter *writer, const RfmOrder *orders, Size n);
extern void rfm_tail_end(RfmTailWriter *writer, ByteBuffer *buffer);

/* The next member of a tail; the caller knows how many there are. */
static inline const RfmMember *
rfm_next_member(RfmMemberCursor *cursor)
{
	if (unlikely(cursor->next == cursor->count))
		rfm_next_block(cursor);
	return &cursor->member[cursor->next++];
}

/* Orders two orders of one member by their ids: below, at or above 0. */
static inline int
compare_orders(const RfmOrder *a, const RfmOrder *b)
{
	if (a->text == NULL)
		return (a->number > b->number) - (a->number < b->number);
	return compare_bytes(a->text, a->length, b->text, b->length);
}

#endif							/* CUSTMART_RFM_BOOK_H */
