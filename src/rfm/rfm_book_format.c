/*
 * rfm_book_format.c
 *	  The stored form of an rfm_book: reading, checking, writing and merging it.
 */
#include "rfm/rfm_book.h"

#include "shared/bytes.h"
#include "utils/memutils.h"

#define RFM_BOOK_VERSION 1

static const char *rfm_book_check(const uint8 *bytes, Size length);
static void rfm_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
								 const BookMergeOrder *order, ByteBuffer *buffer);

const BookFormat rfm_book_format = {
	.type = {"rfm_book", rfm_book_check},
	.stored_kind = STORED_RFM_BOOK,
	.stored_version = RFM_BOOK_VERSION,
	.form_hint = "Make all parts with the same arguments: all of orders, or all of order lines with the same type of order id.",
	.size_hint = "Make one book per slice of the keys, for example WHERE hashint8(key) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid), or keep one summary per key with GROUP BY.",
	.merge_tails = rfm_book_merge_tails
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
	tail->orders = tail->wide + (Size) tail->wide_count * DECIMAL_STORED_SIZE;
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

/* The checker of a stored rfm_book. */
static const char *
rfm_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	RfmTail		tail;
	Decimal		wide;
	uint32		next_wide = 0;
	int64		last_order = TIME_MIN;
	bool		has_refunds = false;
	RfmMember	block[PACKED_ROWS];
	const uint8 *members;
	const uint8 *orders;
	const char *wrong = book_read_header(&reader, &rfm_book_format, bytes, length);

	if (wrong != NULL)
		return wrong;
	if (reader.form > RFM_BOOK_LINES_TEXT)
		return "its form is unknown";
	if ((wrong = rfm_book_split_tail(&reader, &tail)) != NULL ||
		(wrong = book_check_order(&reader)) != NULL)
		return wrong;
	members = tail.members;
	orders = tail.orders;
	for (uint32 i = 0; i < reader.count; i++)
	{
		RfmMember	member;
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
		if (member.frequency > 0)
			last_order = Max(last_order, member.last_order);
		has_refunds |= member.refunds > 0;
		if (reader.form != RFM_BOOK_ORDERS &&
			(wrong = check_orders(&orders, tail.end, reader.form, &member)) != NULL)
			return wrong;
	}
	if (next_wide != tail.wide_count)
		return "a wide sum belongs to no member";
	if (reader.count == 0 ? tail.latest != 0 : !time_is_in_range(tail.latest))
		return "the time of its latest row is out of range";
	if (reader.count > 0 && (has_refunds ? tail.latest < last_order : tail.latest != last_order))
		return "the time of its latest row is not that of its latest order";
	return orders != tail.end ? "its length is wrong" : NULL;
}

/* ---------- writing ---------- */

/* Writes the time of the latest row. */
void
rfm_tail_begin(RfmTailWriter *writer, uint8 form, TimestampTz latest, uint32 count, ByteBuffer *buffer)
{
	writer->form = form;
	writer->count = 0;
	writer->wide = (DecimalPool) {.context = CurrentMemoryContext};
	buffer_advance(buffer, store_u64(buffer_reserve(buffer, 8), count == 0 ? 0 : (uint64) latest));
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

/* Writes the next member, whose money may be in a pool. */
void
rfm_tail_member(RfmTailWriter *writer, const RfmMember *member, const DecimalPool *pool, ByteBuffer *buffer)
{
	RfmMember  *stored = &writer->member[writer->count++];

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
	bool		is_shared = false;
	OrderRuns	orders;
	TimestampTz latest = TIME_MIN;

	for (int i = 0; i < n; i++)
	{
		(void) rfm_book_split_tail(&readers[i], &parts[i].tail);
		parts[i].pool = rfm_book_load_wide(&parts[i].tail);
		rfm_member_cursor(&parts[i].members, &parts[i].tail, readers[i].count);
		parts[i].orders = parts[i].tail.orders;
		if (readers[i].count > 0)
			latest = Max(latest, parts[i].tail.latest);
	}
	OrderRuns_init(&orders);

	rfm_tail_begin(&writer, form, latest, order->count, buffer);
	for (Size i = 0; i < order->n; i++)
	{
		RfmPart    *part = &parts[order->source[i] & BOOK_ORDER_PART];
		bool		more_follow = (order->source[i] & BOOK_ORDER_SAME_KEY) != 0;
		const RfmMember *member = rfm_next_member(&part->members);
		RfmStatus	status;

		check_interrupts(i);
		if (form != RFM_BOOK_ORDERS)
			add_orders(&orders, part, form);
		if (!more_follow && !is_shared)
		{
			rfm_tail_member(&writer, member, &part->pool, buffer);
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
		}
		is_shared = more_follow;
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
		rfm_tail_member(&writer, &sum, &pool, buffer);
	}
	rfm_tail_end(&writer, buffer);

	for (int i = 0; i < n; i++)
		decimal_pool_clear(&parts[i].pool);
	pfree(parts);
	decimal_pool_clear(&pool);
	OrderRuns_free(&orders);
}
