/*
 * rfm_book_format.c
 *	  The stored form of an rfm_book: reading, checking, writing and merging it.
 */
#include "rfm/rfm_book.h"

#include "book/book_forget.h"
#include "shared/bytes.h"
#include "utils/memutils.h"

#define RFM_BOOK_VERSION 1

static const char *rfm_book_check(const uint8 *bytes, Size length);
static void rfm_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
								 const BookMergeOrder *order, ByteBuffer *buffer);
static void rfm_book_filter_tail(const BookFormat *format, const BookReader *reader,
								 const BookFilter *filter, ByteBuffer *buffer);

const BookFormat rfm_book_format = {
	.type = {"rfm_book", rfm_book_check},
	.stored_kind = STORED_RFM_BOOK,
	.stored_version = RFM_BOOK_VERSION,
	.form_hint = "Make all parts with the same arguments: all of orders, or all of order lines with the same type of order id.",
	.size_hint = "Make one book per slice of the keys, for example WHERE hashint8(key) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid), or keep one summary per key with GROUP BY.",
	.merge_tails = rfm_book_merge_tails,
	.filter_tail = rfm_book_filter_tail
};

/* ---------- reading ---------- */

/* Finds the sections of the tail; returns what is wrong with their sizes, or NULL. */
const char *
rfm_book_split_tail(const BookReader *reader, RfmTail *tail)
{
	const uint8 *bytes = reader->tail;
	uint32		left = reader->count;

	tail->end = reader->tail + reader->tail_size;
	if (tail->end - bytes < 8)
		return "its members are truncated";
	tail->latest = (TimestampTz) load_u64(bytes);
	tail->members = bytes += 8;
	for (Size block = 0; left > 0; block++)
	{
		int			n = (int) Min(left, PACKED_ROWS);

		check_interrupts(block);
		bytes = rfm_block_skip(bytes, tail->end, n);
		if (bytes == NULL)
			return "its members are truncated";
		left -= n;
	}
	if (tail->end - bytes < 4)
		return "its members are truncated";
	tail->wide_count = load_u32(bytes);
	tail->wide = bytes + 4;
	if ((Size) (tail->end - tail->wide) < (Size) tail->wide_count * DECIMAL_STORED_SIZE)
		return "its wide sums are truncated";
	bytes = tail->wide + (Size) tail->wide_count * DECIMAL_STORED_SIZE;
	if (tail->end - bytes < 4)
		return "its refunds are truncated";
	tail->late_count = load_u32(bytes);
	tail->late = bytes += 4;
	for (uint32 i = 0; i < tail->late_count; i += Min(tail->late_count - i, (uint32) PACKED_ROWS))
	{
		int			n = (int) Min(tail->late_count - i, (uint32) PACKED_ROWS);

		check_interrupts(i / PACKED_ROWS);
		for (int column = 0; column < 2 && bytes != NULL; column++)
			bytes = packed_skip(bytes, tail->end, n);
		if (bytes == NULL)
			return "its refunds are truncated";
	}
	tail->orders = bytes;
	return NULL;
}

/* The wide sums of a checked tail, as a pool. */
DecimalPool
rfm_book_load_wide(const RfmTail *tail)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	decimal_pool_load(&pool, tail->wide, tail->wide_count);
	return pool;
}

/* Positions a cursor before the first late refund. */
static void
late_cursor(RfmLateCursor *cursor, const RfmTail *tail)
{
	cursor->bytes = tail->late;
	cursor->left = tail->late_count;
	cursor->next = cursor->count = 0;
}

/* The time of the latest row of a member, if that is a refund; asked of one after the other. */
static inline TimestampTz
late_refund_of(RfmLateCursor *cursor, uint32 place)
{
	if (cursor->next == cursor->count)
	{
		if (likely(cursor->left == 0))
			return RFM_NO_TIME;
		cursor->count = (int) Min(cursor->left, PACKED_ROWS);
		cursor->left -= cursor->count;
		cursor->next = 0;
		cursor->bytes = packed_load(cursor->bytes, cursor->count, cursor->place);
		cursor->bytes = packed_load(cursor->bytes, cursor->count, cursor->time);
	}
	return cursor->place[cursor->next] == place ? cursor->time[cursor->next++] : RFM_NO_TIME;
}

/* Positions a cursor before the first of `count` members. */
void
rfm_member_cursor(RfmMemberCursor *cursor, const RfmTail *tail, uint32 count)
{
	cursor->bytes = tail->members;
	cursor->left = count;
	cursor->next = cursor->count = 0;
}

/* Reads the next block. */
void
rfm_next_block(RfmMemberCursor *cursor)
{
	cursor->count = (int) Min(cursor->left, PACKED_ROWS);
	cursor->left -= cursor->count;
	cursor->next = 0;
	cursor->bytes = rfm_block_load(cursor->bytes, cursor->count, cursor->member);
}

/* One of `count` members; only its block is read. */
RfmMember
rfm_member_at(const RfmTail *tail, uint32 count, uint32 place)
{
	RfmMember	block[PACKED_ROWS];
	const uint8 *bytes = tail->members;

	for (uint32 i = 0; i < place / PACKED_ROWS; i++)
	{
		check_interrupts(i);
		bytes = rfm_block_skip(bytes, tail->end, PACKED_ROWS);
	}
	(void) rfm_block_load(bytes, (int) Min(count - place / PACKED_ROWS * PACKED_ROWS, PACKED_ROWS), block);
	return block[place % PACKED_ROWS];
}

/* Reads an order and advances past it; false if the bytes end before it does. */
static inline bool
read_order(const uint8 **bytes, const uint8 *end, uint8 form, RfmOrder *order)
{
	uint64		length;

	if (*bytes == end)
		return false;
	order->bits = *(*bytes)++;
	order->text = NULL;
	order->number = 0;
	order->length = 0;
	if (form == RFM_BOOK_LINES_BIGINT)
	{
		if (end - *bytes < 8)
			return false;
		order->number = (int64) load_u64(*bytes);
		*bytes += 8;
		return true;
	}
	if (form == RFM_BOOK_LINES_UUID)
		length = UUID_SIZE;
	else if (!check_varint(bytes, end, &length))
		return false;
	if (length > (Size) (end - *bytes))
		return false;
	order->text = *bytes;
	order->length = (uint32) length;
	*bytes += length;
	return true;
}

/* ---------- checking ---------- */

/* Checks that a member's orders ascend and that their numbers are those of the member. */
static const char *
check_orders(const uint8 **bytes, const uint8 *end, uint8 form, const RfmMember *member)
{
	RfmOrder	last;
	uint64		n;
	uint32		bought = 0;
	uint32		refunded = 0;

	if (!check_varint(bytes, end, &n))
		return "its orders are truncated";
	for (uint64 i = 0; i < n; i++)
	{
		RfmOrder	order;

		check_interrupts(i);
		if (!read_order(bytes, end, form, &order))
			return "its orders are truncated";
		if (order.bits < ORDER_BOUGHT || order.bits > (ORDER_BOUGHT | ORDER_REFUNDED))
			return "an order has neither purchases nor refunds";
		if (i > 0 && compare_orders(&last, &order) >= 0)
			return "a member's orders do not ascend";
		bought += (order.bits & ORDER_BOUGHT) != 0;
		refunded += (order.bits & ORDER_REFUNDED) != 0;
		last = order;
	}
	return bought != member->frequency || refunded != member->refunds ?
		"a member's orders are not as many as it says" : NULL;
}

/*
 * Checks late refunds: that they are those of members, in order and packed as tightly as can be.
 * Whether they are late is checked with the members.
 */
static const char *
check_late_refunds(const RfmTail *tail, uint32 members)
{
	const uint8 *bytes = tail->late;
	int64		place[PACKED_ROWS];
	int64		time[PACKED_ROWS];
	int64		last = -1;

	for (uint32 left = tail->late_count; left > 0;)
	{
		int			n = (int) Min(left, PACKED_ROWS);
		const char *wrong;

		check_interrupts(left / PACKED_ROWS);
		if ((wrong = packed_check_and_load(&bytes, tail->end, n, place)) != NULL ||
			(wrong = packed_check_and_load(&bytes, tail->end, n, time)) != NULL)
			return wrong;
		for (int i = 0; i < n; i++)
		{
			if (place[i] <= last || place[i] >= members)
				return "its refunds are not those of members in their order";
			if (!time_is_in_range(time[i]))
				return "the time of a refund is out of range";
			last = place[i];
		}
		left -= n;
	}
	return NULL;
}

/* The checker of a stored rfm_book. */
static const char *
rfm_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	RfmTail		tail;
	Decimal		wide;
	uint32		next_wide = 0;
	int64		latest = TIME_MIN;
	RfmLateCursor late;
	RfmMember	block[PACKED_ROWS];
	const uint8 *members;
	const uint8 *orders;
	const char *wrong = book_read_header(&reader, &rfm_book_format, bytes, length);

	if (wrong != NULL)
		return wrong;
	if (reader.form > RFM_BOOK_LINES_TEXT)
		return "its form is unknown";
	if ((wrong = rfm_book_split_tail(&reader, &tail)) != NULL ||
		(wrong = book_check_order(&reader)) != NULL ||
		(wrong = check_late_refunds(&tail, reader.count)) != NULL)
		return wrong;
	late_cursor(&late, &tail);
	members = tail.members;
	orders = tail.orders;
	for (uint32 i = 0; i < reader.count; i++)
	{
		RfmMember	member;
		TimestampTz refund;
		int			sign;

		check_interrupts(i);
		if (i % PACKED_ROWS == 0 &&
			(wrong = rfm_block_check_and_load(&members, tail.end, (int) Min(reader.count - i, PACKED_ROWS),
											  tail.wide_count, block)) != NULL)
			return wrong;
		member = block[i % PACKED_ROWS];
		if (unlikely(decimal_is_pooled(member.money)))
		{
			if (member.money >> 8 != next_wide)
				return "its wide sums are not in order";
			if ((wrong = decimal_check_and_load(tail.wide + (Size) next_wide++ * DECIMAL_STORED_SIZE, &wide)) != NULL)
				return wrong;
			sign = decimal_sign(&wide);
		}
		else
			sign = (member.money >> 8 > 0) - (member.money >> 8 < 0);
		if ((wrong = rfm_check_money(&member, sign)) != NULL)
			return wrong;
		refund = late_refund_of(&late, i);
		if (refund != RFM_NO_TIME && (member.refunds == 0 || (member.frequency > 0 && refund <= member.last_order)))
			return "a refund is not later than the orders of its member";
		latest = Max(latest, refund);
		if (member.frequency > 0)
			latest = Max(latest, member.last_order);
		if (reader.form != RFM_BOOK_ORDERS &&
			(wrong = check_orders(&orders, tail.end, reader.form, &member)) != NULL)
			return wrong;
	}
	if (next_wide != tail.wide_count)
		return "a wide sum belongs to no member";
	if (tail.latest != (reader.count > 0 ? latest : 0))
		return "the time of its latest row is not that of an order or a refund";
	return orders != tail.end ? "its length is wrong" : NULL;
}

/* ---------- writing ---------- */

/* Leaves room for the time of the latest row. */
void
rfm_tail_begin(RfmTailWriter *writer, uint8 form, uint32 count, ByteBuffer *buffer)
{
	writer->form = form;
	writer->count = 0;
	writer->written = writer->nlate = 0;
	writer->latest = TIME_MIN;
	writer->late.data = NULL;
	writer->wide = (DecimalPool) {.context = CurrentMemoryContext};
	writer->place_of_latest = buffer->size;
	buffer_advance(buffer, store_u64(buffer_reserve(buffer, 8), 0));
	if (form != RFM_BOOK_ORDERS)
		buffer_init(&writer->orders, (Size) count * 16 + 64, CurrentMemoryContext);
}

static void
write_block(RfmTailWriter *writer, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, RFM_BLOCK_SIZE_MAX(writer->count));

	buffer_advance(buffer, rfm_block_store(writer->member, writer->count, bytes));
	writer->count = 0;
}

/* Writes a block of late refunds, the last n. */
static void
write_late_refunds(RfmTailWriter *writer, int n)
{
	uint8	   *bytes;

	if (writer->late.data == NULL)
		buffer_init(&writer->late, 1024, CurrentMemoryContext);
	bytes = buffer_reserve(&writer->late, 2 * PACKED_SIZE_MAX(n));
	bytes = packed_store(writer->late_place, n, bytes);
	buffer_advance(&writer->late, packed_store(writer->late_time, n, bytes));
}

/* Notes that the latest row of the member being written is a refund. */
static void
note_late_refund(RfmTailWriter *writer, TimestampTz refund)
{
	int			waiting = (int) (writer->nlate % PACKED_ROWS);

	writer->late_place[waiting] = writer->written;
	writer->late_time[waiting] = refund;
	if (++writer->nlate % PACKED_ROWS == 0)
		write_late_refunds(writer, PACKED_ROWS);
	writer->latest = Max(writer->latest, refund);
}

/*
 * Writes the next member, whose money may be in a pool, and who perhaps has a refund
 * that is later than all orders.
 */
void
rfm_tail_member(RfmTailWriter *writer, const RfmMember *member, const DecimalPool *pool, TimestampTz refund, ByteBuffer *buffer)
{
	RfmMember  *stored = &writer->member[writer->count++];

	if (likely(member->frequency > 0))
		writer->latest = Max(writer->latest, member->last_order);
	if (unlikely(refund != RFM_NO_TIME && (member->frequency == 0 || refund > member->last_order)))
		note_late_refund(writer, refund);
	writer->written++;
	*stored = *member;
	if (unlikely(decimal_is_pooled(member->money)))
	{
		stored->money = decimal_repack(member->money, pool);
		if (decimal_is_pooled(stored->money))
			stored->money = decimal_pool_put(&writer->wide, &pool->item[stored->money >> 8]);
	}
	if (writer->count == PACKED_ROWS)
		write_block(writer, buffer);
}

/* Writes the orders of that member, which ascend. */
void
rfm_tail_orders(RfmTailWriter *writer, const RfmOrder *orders, Size n)
{
	ByteBuffer *buffer = &writer->orders;

	buffer_advance(buffer, store_varint(buffer_reserve(buffer, VARINT_MAX), n));
	for (Size i = 0; i < n; i++)
	{
		uint8	   *bytes = buffer_reserve(buffer, 1 + VARINT_MAX + orders[i].length);

		check_interrupts(i);
		*bytes++ = orders[i].bits;
		if (writer->form == RFM_BOOK_LINES_BIGINT)
			bytes = store_u64(bytes, (uint64) orders[i].number);
		else
		{
			if (writer->form == RFM_BOOK_LINES_TEXT)
				bytes = store_varint(bytes, orders[i].length);
			memcpy(bytes, orders[i].text, orders[i].length);
			bytes += orders[i].length;
		}
		buffer_advance(buffer, bytes);
	}
}

/* Writes what follows the members. */
void
rfm_tail_end(RfmTailWriter *writer, ByteBuffer *buffer)
{
	uint8	   *bytes;

	if (writer->count > 0)
		write_block(writer, buffer);
	bytes = buffer_reserve(buffer, 4 + (Size) writer->wide.count * DECIMAL_STORED_SIZE);
	buffer_advance(buffer, decimal_pool_store(&writer->wide, bytes));
	decimal_pool_clear(&writer->wide);
	buffer_advance(buffer, store_u32(buffer_reserve(buffer, 4), writer->nlate));
	if (writer->nlate > 0)
	{
		if (writer->nlate % PACKED_ROWS > 0)
			write_late_refunds(writer, (int) (writer->nlate % PACKED_ROWS));
		buffer_append(buffer, writer->late.data, writer->late.size);
		pfree(writer->late.data);
	}
	if (writer->written > 0)
		store_u64(buffer->data + writer->place_of_latest, (uint64) writer->latest);
	if (writer->form != RFM_BOOK_ORDERS)
	{
		buffer_append(buffer, writer->orders.data, writer->orders.size);
		pfree(writer->orders.data);
	}
}

/* ---------- merging ---------- */

/* A book that is being merged. */
typedef struct RfmPart
{
	RfmTail		tail;
	DecimalPool pool;
	RfmMemberCursor members;
	RfmLateCursor late;
	uint32		place;			/* of the next member */
	const uint8 *orders;		/* of the next one */
} RfmPart;

/* The orders of one member, merged from several books; an order in two of them is one order. */
#define RUNS_NAME OrderRuns
#define RUNS_ELEMENT RfmOrder
#define RUNS_CONTEXT void
#define RUNS_COMPARE(a, b, context) compare_orders(a, b)
#define RUNS_ADD(a, b, context) ((a)->bits |= (b)->bits)
#include "shared/merge_runs.h"

/* Reads the orders of the next member of a part. */
static void
add_orders(OrderRuns *orders, RfmPart *part, uint8 form)
{
	RfmOrder   *run;
	uint64		n;

	part->orders = load_varint(part->orders, &n);
	run = OrderRuns_append(orders, n);
	for (uint64 i = 0; i < n; i++)
	{
		check_interrupts(i);
		(void) read_order(&part->orders, part->tail.end, form, &run[i]);
	}
}

/* Counts a member's merged orders again: one that is in two books was counted twice. */
static void
count_orders(const OrderRuns *orders, RfmMember *member)
{
	member->frequency = member->refunds = 0;
	for (Size i = 0; i < orders->count; i++)
	{
		check_interrupts(i);
		member->frequency += (orders->element[i].bits & ORDER_BOUGHT) != 0;
		member->refunds += (orders->element[i].bits & ORDER_REFUNDED) != 0;
	}
}

static void
rfm_book_merge_tails(const BookFormat *format, const BookReader *readers, int n,
					 const BookMergeOrder *order, ByteBuffer *buffer)
{
	RfmPart    *parts = palloc(n * sizeof(RfmPart));
	RfmTailWriter writer;
	uint8		form = readers[0].form;
	DecimalPool pool = {.context = CurrentMemoryContext};
	RfmMember	sum = {0};
	TimestampTz refund_of_sum = RFM_NO_TIME;
	bool		is_shared = false;
	OrderRuns	orders;

	for (int i = 0; i < n; i++)
	{
		(void) rfm_book_split_tail(&readers[i], &parts[i].tail);
		parts[i].pool = rfm_book_load_wide(&parts[i].tail);
		rfm_member_cursor(&parts[i].members, &parts[i].tail, readers[i].count);
		late_cursor(&parts[i].late, &parts[i].tail);
		parts[i].place = 0;
		parts[i].orders = parts[i].tail.orders;
	}
	OrderRuns_init(&orders);

	rfm_tail_begin(&writer, form, order->count, buffer);
	for (Size i = 0; i < order->n; i++)
	{
		RfmPart    *part = &parts[order->source[i] & BOOK_ORDER_PART];
		bool		more_follow = (order->source[i] & BOOK_ORDER_SAME_KEY) != 0;
		const RfmMember *member = rfm_next_member(&part->members);
		TimestampTz refund = late_refund_of(&part->late, part->place++);
		RfmStatus	status;

		check_interrupts(i);
		if (form != RFM_BOOK_ORDERS)
			add_orders(&orders, part, form);
		if (!more_follow && !is_shared)
		{
			rfm_tail_member(&writer, member, &part->pool, refund, buffer);
			if (form != RFM_BOOK_ORDERS)
				rfm_tail_orders(&writer, orders.element, orders.count);
			OrderRuns_clear(&orders);
			continue;
		}

		/* The member is in several books. */
		if (!is_shared)
		{
			memset(&sum, 0, sizeof(sum));
			pool.count = 0;
			refund_of_sum = RFM_NO_TIME;
		}
		is_shared = more_follow;
		refund_of_sum = Max(refund_of_sum, refund);
		status = rfm_merge(&sum, &pool, member, &part->pool);
		if (unlikely(status != RFM_OK))
			rfm_raise(status);
		if (more_follow)
			continue;
		if (form != RFM_BOOK_ORDERS)
		{
			OrderRuns_merge(&orders, NULL);
			count_orders(&orders, &sum);
			rfm_tail_orders(&writer, orders.element, orders.count);
			OrderRuns_clear(&orders);
		}
		rfm_tail_member(&writer, &sum, &pool, refund_of_sum, buffer);
	}
	rfm_tail_end(&writer, buffer);

	for (int i = 0; i < n; i++)
		decimal_pool_clear(&parts[i].pool);
	pfree(parts);
	decimal_pool_clear(&pool);
	OrderRuns_free(&orders);
}

/* ---------- forgetting ---------- */

/* The end of the orders of one member. */
static const uint8 *
orders_end(const uint8 *bytes, const uint8 *end, uint8 form)
{
	RfmOrder	order;
	uint64		n;

	bytes = load_varint(bytes, &n);
	for (uint64 i = 0; i < n; i++)
	{
		check_interrupts(i);
		(void) read_order(&bytes, end, form, &order);
	}
	return bytes;
}

static void
rfm_book_filter_tail(const BookFormat *format, const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer)
{
	BookFilter	members = *filter;
	RfmPart    *from = palloc(sizeof(RfmPart));
	RfmTailWriter *writer = palloc(sizeof(RfmTailWriter));

	(void) rfm_book_split_tail(reader, &from->tail);
	from->pool = rfm_book_load_wide(&from->tail);
	rfm_member_cursor(&from->members, &from->tail, reader->count);
	late_cursor(&from->late, &from->tail);
	from->orders = from->tail.orders;
	rfm_tail_begin(writer, reader->form, filter->count, buffer);
	for (uint32 i = 0; i < reader->count; i++)
	{
		const RfmMember *member = rfm_next_member(&from->members);
		TimestampTz refund = late_refund_of(&from->late, i);
		const uint8 *orders = from->orders;
		bool		stays = book_filter_keeps(&members, i);

		check_interrupts(i);
		if (stays)
			rfm_tail_member(writer, member, &from->pool, refund, buffer);
		if (reader->form == RFM_BOOK_ORDERS)
			continue;
		from->orders = orders_end(orders, from->tail.end, reader->form);
		if (stays)
			buffer_append(&writer->orders, orders, from->orders - orders);
	}
	rfm_tail_end(writer, buffer);
	decimal_pool_clear(&from->pool);
	pfree(writer);
	pfree(from);
}
