/*
 * rfm_book.c
 *	  The type rfm_book: every member of an order table summarised in one scan.
 *
 * Of orders, a book keeps one RfmMember per member.  Of order lines it keeps,
 * besides, the ids of all orders, each with two bits: has lines that are no
 * refund, has lines that are.  Only so can an order whose lines are met by two
 * workers, or on two days, be counted once.
 *
 * Here a book is built; rfm_book_format.c reads, checks and merges stored ones.
 */
#include "rfm/rfm_book.h"

#include "utils/memutils.h"

/* A row not yet applied. */
typedef struct RfmRow
{
	int64		time;
	int64		amount;			/* packed; wide ones in amount_pool */
	int64		order_number;	/* KEY_INT64 */
	Size		order_text;		/* KEY_BYTES: offset among the pending bytes, */
	uint32		order_length;	/* 4 bytes for the member, then the id */
} RfmRow;

typedef struct RfmExtra
{
	DecimalPool pool;			/* wide sums of members */
	DecimalPool amount_pool;	/* wide amounts of pending rows */
	KeyTable	orders;			/* member and order id -> bits; of order lines only */
} RfmExtra;

static void rfm_book_init(Book *book);
static void rfm_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
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

/* ---------- building ---------- */

static void
rfm_book_init(Book *book)
{
	bool		has_lines = book->form != RFM_BOOK_ORDERS;
	RfmExtra   *extra = palloc0(has_lines ? sizeof(RfmExtra) : offsetof(RfmExtra, orders));

	extra->pool.context = book->hdr.eoh_context;
	extra->amount_pool.context = book->hdr.eoh_context;
	if (has_lines)
		keytable_init(&extra->orders,
					  book->form == KEY_INT64 ? KEY_FIXED16 : KEY_BYTES,
					  sizeof(uint32), book->hdr.eoh_context);
	book->extra = extra;
}

/* The key of an order among all orders: the member's number and the order's id. */
static Key
order_key_of_number(uint32 member, int64 number)
{
	Key			key;

	/* A union that is initialized with {0} may keep other bytes than its first member's. */
	memset(&key, 0, sizeof(key));
	memcpy(key.fixed, &number, 8);
	memcpy(key.fixed + 8, &member, 4);
	return key;
}

/* Marks an order; true if it did not have the bit yet. */
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
			if (book->form == KEY_INT64)
				keys[i] = order_key_of_number(entries[i], row[i].order_number);
			else
			{
				char	   *place = book->pending_bytes.data + row[i].order_text;

				memcpy(place, &entries[i], 4);
				keys[i].bytes.data = place;
				keys[i].bytes.length = row[i].order_length;
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
	}
	extra->amount_pool.count = 0;
}

/*
 * One row into the state: argument 1 the member, then for order lines the order
 * id, then time and amount.
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

	time = time_check(PG_GETARG_TIMESTAMPTZ(time_argument), "ordered_at");
	amount = numeric_read(PG_GETARG_DATUM(time_argument + 1), "amount", &extra->amount_pool);
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	if (form == KEY_INT64)
		row->order_number = PG_GETARG_INT64(2);
	else if (form == KEY_BYTES)
	{
		text	   *t = PG_GETARG_TEXT_PP(2);

		row->order_text = book_keep_bytes(book, "\0\0\0", 4);
		row->order_length = 4 + (uint32) VARSIZE_ANY_EXHDR(t);
		(void) book_keep_bytes(book, VARDATA_ANY(t), row->order_length - 4);
		PG_FREE_IF_COPY(t, 2);
	}
	row->time = time;
	row->amount = amount;
	return book_push(book);
}

/*
 * rfm_book_step_<member>(rfm_book, member, ordered_at, amount) and
 * rfm_book_step_<member>_<order id>(rfm_book, member, order_id, ordered_at, amount)
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
RFM_BOOK_STEP(bigint_bigint, KEY_INT64, KEY_INT64)
RFM_BOOK_STEP(bigint_text, KEY_INT64, KEY_BYTES)
RFM_BOOK_STEP(uuid_bigint, KEY_FIXED16, KEY_INT64)
RFM_BOOK_STEP(uuid_text, KEY_FIXED16, KEY_BYTES)
RFM_BOOK_STEP(text_bigint, KEY_BYTES, KEY_INT64)
RFM_BOOK_STEP(text_text, KEY_BYTES, KEY_BYTES)

/* ---------- storing ---------- */

static Size
rfm_book_tail_size(const Book *book)
{
	Size		size = (Size) book->table.count * RFM_MEMBER_STORED_SIZE + 4;

	if (book->form != RFM_BOOK_ORDERS)
	{
		const KeyTable *orders = &extra_of(book)->orders;

		/* Bits and id; the bytes of a text hold the member's number, too, of 4 bytes. */
		size += (Size) book->table.count;
		size += book->form == KEY_INT64 ? (Size) orders->count * 9 : orders->key_bytes - (Size) orders->count * 2;
	}
	return size;
}

static uint32
order_member(const KeyTable *orders, uint32 entry)
{
	Key			key = keytable_key(orders, entry);
	uint32		member;

	memcpy(&member, orders->key_type == KEY_FIXED16 ? (const char *) key.fixed + 8 : key.bytes.data, 4);
	return member;
}

static RfmOrder
get_order(const KeyTable *orders, uint32 entry)
{
	Key			key = keytable_key(orders, entry);
	RfmOrder	order = {.bits = (uint8) *(uint32 *) keytable_payload(orders, entry)};

	if (orders->key_type == KEY_FIXED16)
		memcpy(&order.number, key.fixed, 8);
	else
	{
		order.text = (const uint8 *) key.bytes.data + 4;
		order.length = key.bytes.length - 4;
	}
	return order;
}

/*
 * All orders, those of a member behind one another: the orders of member i are
 * those up to ends[i], from where the member before ends in book->order.  They
 * are read from front to end, but go to many places: what the next ones need is
 * fetched ahead.
 */
static RfmOrder *
gather_orders(const Book *book, Size *ends)
{
	enum
	{
		NEAR = 12, FAR = 32
	};
	const KeyTable *orders = &extra_of(book)->orders;
	uint32		members = book->table.count;
	RfmOrder   *gathered = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) orders->count, 1) * sizeof(RfmOrder));
	Size		sum = 0;

	memset(ends, 0, members * sizeof(Size));
	for (uint32 i = 0; i < orders->count; i++)
	{
		check_interrupts(i);
		ends[order_member(orders, i)]++;
	}
	for (uint32 i = 0; i < members; i++)
	{
		Size	   *end = &ends[book->order[i]];
		Size		count = *end;

		check_interrupts(i);
		*end = sum;
		sum += count;
	}
	for (uint32 i = 0; i < orders->count; i++)
	{
		check_interrupts(i);
		if (i + FAR < orders->count)
		{
			__builtin_prefetch(&ends[order_member(orders, i + FAR)], 1);
			__builtin_prefetch(&gathered[ends[order_member(orders, i + NEAR)]], 1);
		}
		gathered[ends[order_member(orders, i)]++] = get_order(orders, i);
	}
	return gathered;
}

static void
rfm_book_append_tail(Book *book, ByteBuffer *buffer)
{
	RfmExtra   *extra = extra_of(book);
	bool		has_lines = book->form != RFM_BOOK_ORDERS;
	uint32		members = book->table.count;
	RfmTailWriter writer;
	RfmOrder   *orders = NULL;
	Size	   *ends = NULL;
	Size		begin = 0;

	if (has_lines)
	{
		ends = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) members, 1) * sizeof(Size));
		orders = gather_orders(book, ends);
	}
	rfm_tail_begin(&writer, book->form, members, buffer);
	for (uint32 i = 0; i < members; i++)
	{
		uint32		entry = book->order[i];

		check_interrupts(i);
		if (i + 16 < members)
			__builtin_prefetch(keytable_payload(&book->table, book->order[i + 16]));
		rfm_tail_member(&writer, keytable_payload(&book->table, entry), &extra->pool, buffer);
		if (has_lines)
		{
			sort_orders(orders + begin, ends[entry] - begin);
			rfm_tail_orders(&writer, orders + begin, ends[entry] - begin);
			begin = ends[entry];
		}
	}
	rfm_tail_end(&writer, buffer);

	if (extra->pool.item != NULL)
		pfree(extra->pool.item);
	extra->pool = (DecimalPool) {.context = book->hdr.eoh_context};
	if (has_lines)
	{
		keytable_clear(&extra->orders);
		pfree(orders);
		pfree(ends);
	}
}

/* ---------- text, binary, merging, counts ---------- */

BOOK_FUNCTIONS(rfm_book, &rfm_book_kind)
BOOK_MEMBER_COUNT(rfm_book, &rfm_book_kind)
