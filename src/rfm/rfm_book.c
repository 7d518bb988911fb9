/*
 * rfm_book.c
 *	  The type rfm_book: every member of an order table summarised in one scan.
 *
 * For orders, a book keeps one RfmMember per member.  For order lines it also
 * keeps the ids of all orders, each with two bits: has lines that are not
 * refunds, has lines that are.  Without them, an order whose lines are seen by
 * two workers, or on two days, could not be counted once.
 *
 * This file builds a book; rfm_book_format.c reads, checks, writes and
 * merges stored ones.
 */
#include "rfm/rfm_book.h"

#include "book/book_forget.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "utils/memutils.h"

/* A row not yet applied. */
typedef struct RfmRow
{
	int64		time;
	int64		amount;			/* packed; wide ones in amount_pool */
	union
	{
		int64		number;
		uint8		uuid[UUID_SIZE];
		struct
		{
			Size		place;	/* offset in the pending bytes of 4 bytes for the member and the id */
			uint32		length; /* of both */
		}			text;
	}			order;
} RfmRow;

/* A refund that was later than all orders of its member when it came. */
typedef struct LateRefund
{
	TimestampTz time;
	uint32		member;			/* entry */
} LateRefund;

typedef struct RfmExtra
{
	DecimalPool pool;			/* wide sums of members */
	DecimalPool amount_pool;	/* wide amounts of pending rows */
	LateRefund *late;			/* refunds are few, so they are listed and not kept with each member */
	Size		nlate;
	Size		late_room;
	KeyTable	orders;			/* member and order id -> bits; for order lines only */
} RfmExtra;

static void rfm_book_init(Book *book);
static void rfm_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static void rfm_book_apply_summaries(Book *book, const uint32 *entries, const void *rows, int n);
static Size rfm_book_tail_size(const Book *book);
static void rfm_book_append_tail(Book *book, ByteBuffer *buffer);

static const BookKind rfm_book_kind = {
	.format = &rfm_book_format,
	.payload_size = sizeof(RfmMember),
	.row_size = sizeof(RfmRow),
	.init = rfm_book_init,
	.apply = rfm_book_apply,
	.tail_size = rfm_book_tail_size,
	.append_tail = rfm_book_append_tail
};

/* The same book, made of summaries; a pending row is an RfmMember, whose wide sum is in amount_pool. */
static const BookKind rfm_book_of_summaries_kind = {
	.format = &rfm_book_format,
	.payload_size = sizeof(RfmMember),
	.row_size = sizeof(RfmMember),
	.init = rfm_book_init,
	.apply = rfm_book_apply_summaries,
	.tail_size = rfm_book_tail_size,
	.append_tail = rfm_book_append_tail
};

/* By member, the latest first. */
#define ST_SORT sort_late_refunds
#define ST_ELEMENT_TYPE LateRefund
#define ST_COMPARE(a, b) ((a)->member != (b)->member ? ((a)->member > (b)->member ? 1 : -1) : ((a)->time < (b)->time) - ((a)->time > (b)->time))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_orders
#define ST_ELEMENT_TYPE RfmOrder
#define ST_COMPARE(a, b) compare_orders(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static RfmExtra *
extra_of(const Book *book)
{
	return book->extra;
}

/* How orders are told apart: by the id and 4 bytes for the number of the member. */
static inline KeyType
order_key_type(uint8 form)
{
	return form == RFM_BOOK_LINES_BIGINT ? KEY_FIXED16 : form == RFM_BOOK_LINES_UUID ? KEY_FIXED20 : KEY_BYTES;
}

/* ---------- building ---------- */

static void
rfm_book_init(Book *book)
{
	bool		has_lines = book->form != RFM_BOOK_ORDERS;
	RfmExtra   *extra = palloc0(has_lines ? sizeof(RfmExtra) : offsetof(RfmExtra, orders));

	extra->pool.context = book->hdr.eoh_context;
	extra->amount_pool.context = book->hdr.eoh_context;
	if (has_lines)
		keytable_init(&extra->orders, order_key_type(book->form), sizeof(uint32), book->hdr.eoh_context);
	book->extra = extra;
}

/* Drops refunds that orders came after, and all but the latest of a member; the list is then in the order of members. */
static void
tidy_late_refunds(const Book *book, RfmExtra *extra)
{
	Size		n = 0;

	for (Size i = 0; i < extra->nlate; i++)
	{
		const RfmMember *member = keytable_payload(&book->table, extra->late[i].member);

		check_interrupts(i);
		if (member->frequency == 0 || extra->late[i].time > member->last_order)
			extra->late[n++] = extra->late[i];
	}
	extra->nlate = n;
	if (n > 1)
		sort_late_refunds(extra->late, n);
	n = 0;
	for (Size i = 0; i < extra->nlate; i++)
	{
		check_interrupts(i);
		if (i == 0 || extra->late[i].member != extra->late[i - 1].member)
			extra->late[n++] = extra->late[i];
	}
	extra->nlate = n;
}

/* Notes a refund, if it is the latest row of its member so far. */
static void
note_refund(const Book *book, RfmExtra *extra, uint32 entry, TimestampTz time)
{
	const RfmMember *member = keytable_payload(&book->table, entry);
	LateRefund *last = extra->nlate > 0 ? &extra->late[extra->nlate - 1] : NULL;

	if (member->frequency > 0 && time <= member->last_order)
		return;

	/* Lines of one refund follow each other. */
	if (last != NULL && last->member == entry)
	{
		last->time = Max(last->time, time);
		return;
	}
	if (extra->nlate == extra->late_room)
	{
		tidy_late_refunds(book, extra);
		if (extra->nlate >= extra->late_room / 2)
			extra->late = array_grow(extra->late, &extra->late_room, extra->nlate + 1, sizeof(LateRefund), book->hdr.eoh_context);
	}
	extra->late[extra->nlate++] = (LateRefund) {.time = time, .member = entry};
}

/* The key of an order among all orders: an id of a fixed length and the member's number. */
static Key
order_key_of(const void *id, Size length, uint32 member)
{
	Key			key;

	/* Initializing a union with {0} may leave bytes beyond its first member unset. */
	memset(&key, 0, sizeof(key));
	memcpy(key.fixed, id, length);
	memcpy(key.fixed + length, &member, 4);
	return key;
}

/* Sets a bit of an order; true if it was not set before. */
static bool
mark_order(RfmExtra *extra, uint32 order, uint32 bit)
{
	uint32	   *bits = keytable_payload(&extra->orders, order);
	bool		is_first = (*bits & bit) == 0;

	*bits |= bit;
	return is_first;
}

static void
rfm_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	RfmExtra   *extra = extra_of(book);
	const RfmRow *row = rows;
	uint32		orders[KEYTABLE_BATCH];

	if (book->form != RFM_BOOK_ORDERS)
	{
		Key			keys[KEYTABLE_BATCH] = {{0}};

		for (int i = 0; i < n; i++)
		{
			if (book->form == RFM_BOOK_LINES_BIGINT)
				keys[i] = order_key_of(&row[i].order.number, sizeof(int64), entries[i]);
			else if (book->form == RFM_BOOK_LINES_UUID)
				keys[i] = order_key_of(row[i].order.uuid, UUID_SIZE, entries[i]);
			else
			{
				char	   *place = book->pending_bytes.data + row[i].order.text.place;

				memcpy(place, &entries[i], 4);
				keys[i].bytes.data = place;
				keys[i].bytes.length = row[i].order.text.length;
			}
		}
		keytable_locate(&extra->orders, keys, n, orders);
	}

	for (int i = 0; i < n; i++)
	{
		bool		is_refund = rfm_is_refund(row[i].amount, &extra->amount_pool);
		bool		is_first = book->form == RFM_BOOK_ORDERS ||
			mark_order(extra, orders[i], is_refund ? ORDER_REFUNDED : ORDER_BOUGHT);
		RfmStatus	status = rfm_add_line(keytable_payload(&book->table, entries[i]),
										  &extra->pool, row[i].time, row[i].amount,
										  &extra->amount_pool, is_refund, is_first);

		if (unlikely(status != RFM_OK))
			rfm_raise(status);
		if (unlikely(is_refund))
			note_refund(book, extra, entries[i], row[i].time);
	}
	extra->amount_pool.count = 0;
}

/* Of the refunds of summaries it is not known when they were. */
static void
rfm_book_apply_summaries(Book *book, const uint32 *entries, const void *rows, int n)
{
	RfmExtra   *extra = extra_of(book);
	const RfmMember *row = rows;

	for (int i = 0; i < n; i++)
	{
		RfmStatus	status = rfm_merge(keytable_payload(&book->table, entries[i]), &extra->pool,
									   &row[i], &extra->amount_pool);

		if (unlikely(status != RFM_OK))
			rfm_raise(status);
	}
	extra->amount_pool.count = 0;
}

/*
 * Adds one row to the state: argument 1 is the member, then for order lines the
 * order id, then time and amount.
 */
static inline Datum
rfm_book_step(FunctionCallInfo fcinfo, KeyType member_type, uint8 form)
{
	Book	   *book = book_of_state(fcinfo, &rfm_book_kind, member_type, form);
	RfmExtra   *extra = extra_of(book);
	int			time_argument = form == RFM_BOOK_ORDERS ? 2 : 3;
	TimestampTz time;
	int64		amount;
	Key		   *key;
	RfmRow	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		(form != RFM_BOOK_ORDERS && PG_ARGISNULL(4)))
		return book_skip_row(book);

	time = time_check(PG_GETARG_TIMESTAMPTZ(time_argument), "occurred_at");
	amount = numeric_read(PG_GETARG_DATUM(time_argument + 1), "amount", &extra->amount_pool);
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	if (form == RFM_BOOK_LINES_BIGINT)
		row->order.number = PG_GETARG_INT64(2);
	else if (form == RFM_BOOK_LINES_UUID)
		memcpy(row->order.uuid, DatumGetPointer(PG_GETARG_DATUM(2)), UUID_SIZE);
	else if (form == RFM_BOOK_LINES_TEXT)
	{
		text	   *t = PG_GETARG_TEXT_PP(2);

		row->order.text.place = book_keep_bytes(book, "\0\0\0", 4);
		row->order.text.length = 4 + (uint32) VARSIZE_ANY_EXHDR(t);
		(void) book_keep_bytes(book, VARDATA_ANY(t), row->order.text.length - 4);
		PG_FREE_IF_COPY(t, 2);
	}
	row->time = time;
	row->amount = amount;
	return book_push(book);
}

/*
 * rfm_book_step_<member>(rfm_book, member, occurred_at, amount) and
 * rfm_book_step_<member>_<order id>(rfm_book, member, order_id, occurred_at, amount)
 */
#define RFM_BOOK_STEP(name, member_type, form) \
CUSTMART_FUNCTION(custmart_rfm_book_step_##name); \
Datum \
custmart_rfm_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return rfm_book_step(fcinfo, member_type, form); \
}

RFM_BOOK_STEP(bigint, KEY_INT64, RFM_BOOK_ORDERS)
RFM_BOOK_STEP(uuid, KEY_FIXED16, RFM_BOOK_ORDERS)
RFM_BOOK_STEP(text, KEY_BYTES, RFM_BOOK_ORDERS)
RFM_BOOK_STEP(bigint_bigint, KEY_INT64, RFM_BOOK_LINES_BIGINT)
RFM_BOOK_STEP(bigint_uuid, KEY_INT64, RFM_BOOK_LINES_UUID)
RFM_BOOK_STEP(bigint_text, KEY_INT64, RFM_BOOK_LINES_TEXT)
RFM_BOOK_STEP(uuid_bigint, KEY_FIXED16, RFM_BOOK_LINES_BIGINT)
RFM_BOOK_STEP(uuid_uuid, KEY_FIXED16, RFM_BOOK_LINES_UUID)
RFM_BOOK_STEP(uuid_text, KEY_FIXED16, RFM_BOOK_LINES_TEXT)
RFM_BOOK_STEP(text_bigint, KEY_BYTES, RFM_BOOK_LINES_BIGINT)
RFM_BOOK_STEP(text_uuid, KEY_BYTES, RFM_BOOK_LINES_UUID)
RFM_BOOK_STEP(text_text, KEY_BYTES, RFM_BOOK_LINES_TEXT)

/* Adds a summary to the state: arguments 1 and 2 are the member and what is known of their orders. */
static inline Datum
rfm_book_step_summary(FunctionCallInfo fcinfo, KeyType member_type)
{
	Book	   *book = book_of_state(fcinfo, &rfm_book_of_summaries_kind, member_type, RFM_BOOK_ORDERS);
	RfmValue	value;
	Key		   *key;
	RfmMember  *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return book_skip_row(book);

	rfm_read(&value, PG_GETARG_DATUM(2));
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	*row = value.member;
	if (unlikely(decimal_is_pooled(row->money)))
		row->money = decimal_pool_put(&extra_of(book)->amount_pool, &value.wide);
	return book_push(book);
}

/* rfm_book_step_<member>_summary(rfm_book, member, rfm_summary) */
#define RFM_BOOK_STEP_SUMMARY(name, member_type) \
CUSTMART_FUNCTION(custmart_rfm_book_step_##name##_summary); \
Datum \
custmart_rfm_book_step_##name##_summary(PG_FUNCTION_ARGS) \
{ \
	return rfm_book_step_summary(fcinfo, member_type); \
}

RFM_BOOK_STEP_SUMMARY(bigint, KEY_INT64)
RFM_BOOK_STEP_SUMMARY(uuid, KEY_FIXED16)
RFM_BOOK_STEP_SUMMARY(text, KEY_BYTES)

/* ---------- storing ---------- */

static Size
rfm_book_tail_size(const Book *book)
{
	/* Of most members time, count and money take hardly less than this. */
	Size		size = (Size) book->table.count * 12 + 12;

	if (book->form != RFM_BOOK_ORDERS)
	{
		const KeyTable *orders = &extra_of(book)->orders;

		size += (Size) book->table.count;

		/* Bits and id; the bytes of a text begin with the member's number, of 4 bytes. */
		if (book->form == RFM_BOOK_LINES_TEXT)
			size += orders->key_bytes - (Size) orders->count * 2;
		else
			size += (Size) orders->count * (book->form == RFM_BOOK_LINES_BIGINT ? 9 : 1 + UUID_SIZE);
	}
	return size;
}

/*
 * The member of an order and the order itself.  The key type is a constant to the
 * compiler.
 */
static inline uint32
order_member(KeyType key_type, const KeyTable *orders, uint32 entry)
{
	const char *place = keytable_entry(orders, entry);
	uint32		member;

	if (key_type == KEY_BYTES)
		place = keytable_entry_key(KEY_BYTES, place).bytes.data;
	else
		place += key_type == KEY_FIXED16 ? sizeof(int64) : UUID_SIZE;
	memcpy(&member, place, 4);
	return member;
}

static inline RfmOrder
get_order(KeyType key_type, const KeyTable *orders, uint32 entry)
{
	const char *place = keytable_entry(orders, entry);
	RfmOrder	order = {.bits = (uint8) *(uint32 *) keytable_payload(orders, entry)};

	if (key_type == KEY_FIXED16)
		memcpy(&order.number, place, sizeof(int64));
	else if (key_type == KEY_FIXED20)
	{
		order.text = (const uint8 *) place;
		order.length = UUID_SIZE;
	}
	else
	{
		Key			key = keytable_entry_key(KEY_BYTES, place);

		order.text = (const uint8 *) key.bytes.data + 4;
		order.length = key.bytes.length - 4;
	}
	return order;
}

/* The orders of one member. */
typedef struct OrderList
{
	RfmOrder   *order;
	Size		count;
	Size		room;
} OrderList;

static inline void
reserve_orders(OrderList *list, Size n)
{
	if (n > list->room)
	{
		if (list->order != NULL)
			pfree(list->order);
		list->room = Max(n, list->room * 2);
		list->order = large_alloc(CurrentMemoryContext, list->room * sizeof(RfmOrder));
	}
}

/*
 * The entries of all orders, grouped by member: those of member i end at ends[i],
 * and begin where those of the previous member in book->order end.
 */
static pg_attribute_always_inline void
group_by_member(KeyType key_type, const Book *book, uint32 *grouped, uint32 *ends)
{
	enum
	{
		NEAR = 12, FAR = 32
	};
	const KeyTable *orders = &extra_of(book)->orders;
	uint32		members = book->table.count;
	uint32		sum = 0;

	large_clear(ends, members * sizeof(uint32));
	for (uint32 i = 0; i < orders->count; i++)
	{
		check_interrupts(i);
		ends[order_member(key_type, orders, i)]++;
	}
	for (uint32 i = 0; i < members; i++)
	{
		uint32	   *end = &ends[book->order[i]];
		uint32		count = *end;

		check_interrupts(i);
		*end = sum;
		sum += count;
	}

	/* Reads are sequential, but writes are scattered: what the next orders need is prefetched. */
	for (uint32 i = 0; i < orders->count; i++)
	{
		check_interrupts(i);
		if (i + FAR < orders->count)
		{
			__builtin_prefetch(&ends[order_member(key_type, orders, i + FAR)], 1);
			__builtin_prefetch(&grouped[ends[order_member(key_type, orders, i + NEAR)]], 1);
		}
		grouped[ends[order_member(key_type, orders, i)]++] = i;
	}
}

/* Which members have late refunds, and where these are in the list. */
typedef struct LateIndex
{
	const LateRefund *late;
	uint64	   *bits;			/* of the entries; NULL: none has */
	uint32	   *before;			/* for each 64 of them, the bits of those before */
} LateIndex;

/* Makes the index of a list in the order of members. */
static void
index_late_refunds(LateIndex *index, const RfmExtra *extra, uint32 members)
{
	Size		words = (Size) members / 64 + 1;
	uint32		sum = 0;

	index->bits = NULL;
	if (extra->nlate == 0)
		return;
	index->late = extra->late;
	index->bits = large_alloc_zeroed(CurrentMemoryContext, words * sizeof(uint64));
	index->before = large_alloc(CurrentMemoryContext, words * sizeof(uint32));
	for (Size i = 0; i < extra->nlate; i++)
	{
		check_interrupts(i);
		index->bits[extra->late[i].member / 64] |= UINT64CONST(1) << extra->late[i].member % 64;
	}
	for (Size i = 0; i < words; i++)
	{
		check_interrupts(i);
		index->before[i] = sum;
		sum += pg_popcount64(index->bits[i]);
	}
}

/* The time of a member's latest row, if that is a refund. */
static inline TimestampTz
late_refund_of_entry(const LateIndex *index, uint32 entry)
{
	uint64		word;

	if (likely(index->bits == NULL))
		return RFM_NO_TIME;
	word = index->bits[entry / 64] >> entry % 64;
	if (likely((word & 1) == 0))
		return RFM_NO_TIME;
	word = index->bits[entry / 64] & ((UINT64CONST(1) << entry % 64) - 1);
	return index->late[index->before[entry / 64] + pg_popcount64(word)].time;
}

/* Writes the members in the order of their keys and, for order lines, the orders of each. */
static pg_attribute_always_inline void
append_members(KeyType order_key_type, Book *book, ByteBuffer *buffer)
{
	RfmExtra   *extra = extra_of(book);
	bool		has_lines = book->form != RFM_BOOK_ORDERS;
	const KeyTable *orders = has_lines ? &extra->orders : NULL;
	uint32		members = book->table.count;
	RfmTailWriter writer;
	uint32	   *grouped = NULL;
	uint32	   *ends = NULL;
	uint32		done = 0;
	OrderList	mine = {0};
	LateIndex	late;

	tidy_late_refunds(book, extra);
	index_late_refunds(&late, extra, members);
	if (has_lines)
	{
		grouped = large_alloc(CurrentMemoryContext, Max((Size) orders->count, 1) * sizeof(uint32));
		ends = large_alloc(CurrentMemoryContext, Max((Size) members, 1) * sizeof(uint32));
		group_by_member(order_key_type, book, grouped, ends);
	}
	rfm_tail_begin(&writer, book->form, members, buffer);
	for (uint32 i = 0; i < members; i++)
	{
		uint32		entry = book->order[i];

		check_interrupts(i);
		if (i + 16 < members)
			keytable_prefetch(&book->table, book->order[i + 16]);
		rfm_tail_member(&writer, keytable_payload(&book->table, entry), &extra->pool, late_refund_of_entry(&late, entry), buffer);
		if (!has_lines)
			continue;
		reserve_orders(&mine, ends[entry] - done);
		for (mine.count = 0; done < ends[entry]; done++)
		{
			check_interrupts(done);
			if (done + 16 < orders->count)
				__builtin_prefetch(keytable_entry(orders, grouped[done + 16]));
			mine.order[mine.count++] = get_order(order_key_type, orders, grouped[done]);
		}
		sort_orders(mine.order, mine.count);
		rfm_tail_orders(&writer, mine.order, mine.count);
	}
	rfm_tail_end(&writer, buffer);
	if (late.bits != NULL)
	{
		pfree(late.bits);
		pfree(late.before);
	}
	if (has_lines)
	{
		pfree(grouped);
		pfree(ends);
	}
	if (mine.order != NULL)
		pfree(mine.order);
}

static void
rfm_book_append_tail(Book *book, ByteBuffer *buffer)
{
	RfmExtra   *extra = extra_of(book);

	if (book->form == RFM_BOOK_LINES_TEXT)
		append_members(KEY_BYTES, book, buffer);
	else if (book->form == RFM_BOOK_LINES_UUID)
		append_members(KEY_FIXED20, book, buffer);
	else
		append_members(KEY_FIXED16, book, buffer);
	decimal_pool_clear(&extra->pool);
	if (extra->late != NULL)
		pfree(extra->late);
	extra->late = NULL;
	extra->nlate = extra->late_room = 0;
	if (book->form != RFM_BOOK_ORDERS)
		keytable_clear(&extra->orders);
}

/* ---------- text, binary, merging, counts ---------- */

/* custmart_rfm_book_in, _out, _recv, _combine, _add, _rows_skipped and _member_count */
BOOK_FUNCTIONS(rfm_book, &rfm_book_kind)
BOOK_MEMBER_COUNT(rfm_book, &rfm_book_kind)
BOOK_FORGET(rfm_book, &rfm_book_format, "members")
