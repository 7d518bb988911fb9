/*
 * rfm_book.c
 *	  The type rfm_book: every member of an order table summarised in one scan.
 *
 * Of orders, a book keeps one RfmMember per member.  Of order lines it keeps,
 * besides, the ids of all orders, each with two bits: has lines that are no
 * refund, has lines that are.  Only so can an order whose lines are met by two
 * workers, or on two days, be counted once.
 */
#include "rfm/rfm_book.h"

#include "shared/bytes.h"
#include "common/hashfn.h"
#include "utils/memutils.h"

#define RFM_BOOK_VERSION 1

/* Form 0 is a book of orders; else order lines, and the type of the order id. */
#define FORM_ORDERS 0

#define ORDER_BOUGHT 1
#define ORDER_REFUNDED 2

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
	KeyTable	orders;			/* member and order id -> bits */
} RfmExtra;

typedef struct StoredOrder
{
	uint32		member;
	uint8		bits;
	int64		number;
	const uint8 *text;
	uint32		length;
} StoredOrder;

#define ORDER_PREFIX 5			/* member and bits */

static const char *rfm_book_check(const uint8 *bytes, Size length);
static void rfm_book_init(Book *book);
static void rfm_book_copy(Book *book, const Book *source);
static void rfm_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static void rfm_book_merge(Book *book, const BookReader *source, const uint32 *entries);
static Size rfm_book_tail_size(Book *book, bool exact);
static void rfm_book_store_tail(Book *book, uint8 *bytes);

const BookKind rfm_book_kind = {
	.type = {"rfm_book", rfm_book_check},
	.stored_kind = STORED_RFM_BOOK,
	.stored_version = RFM_BOOK_VERSION,
	.payload_size = sizeof(RfmMember),
	.row_size = sizeof(RfmRow),
	.form_hint = "Make all parts with the same arguments: all of orders, or all of order lines with the same type of order id.",
	.size_hint = "Make one book per slice of the keys, for example WHERE hashint8(key) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid), or keep one summary per key with GROUP BY.",
	.init = rfm_book_init,
	.copy = rfm_book_copy,
	.apply = rfm_book_apply,
	.merge = rfm_book_merge,
	.tail_size = rfm_book_tail_size,
	.store_tail = rfm_book_store_tail
};

static RfmExtra *
extra_of(const Book *book)
{
	return book->extra;
}

/* ---------- building ---------- */

static void
rfm_book_init(Book *book)
{
	RfmExtra   *extra = palloc0(sizeof(RfmExtra));

	extra->pool.context = book->hdr.eoh_context;
	extra->amount_pool.context = book->hdr.eoh_context;
	if (book->form != FORM_ORDERS)
		keytable_init(&extra->orders,
					  book->form == KEY_INT64 ? KEY_FIXED16 : KEY_BYTES,
					  sizeof(uint32), book->hdr.eoh_context);
	book->extra = extra;
}

static void
rfm_book_copy(Book *book, const Book *source)
{
	const DecimalPool *pool = &extra_of(source)->pool;

	for (uint32 i = 0; i < pool->count; i++)
	{
		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		(void) decimal_pool_put(&extra_of(book)->pool, &pool->item[i]);
	}
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

	if (book->form != FORM_ORDERS)
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
		bool		is_first = book->form == FORM_ORDERS ||
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
	int			time_argument = form == FORM_ORDERS ? 2 : 3;
	TimestampTz time;
	int64		amount;
	Key		   *key;
	RfmRow	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		(form != FORM_ORDERS && PG_ARGISNULL(4)))
	{
		book->rows_skipped++;
		PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
	}

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
	book_push(book);
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
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

RFM_BOOK_STEP(bigint, KEY_INT64, FORM_ORDERS)
RFM_BOOK_STEP(uuid, KEY_FIXED16, FORM_ORDERS)
RFM_BOOK_STEP(text, KEY_BYTES, FORM_ORDERS)
RFM_BOOK_STEP(bigint_bigint, KEY_INT64, KEY_INT64)
RFM_BOOK_STEP(bigint_text, KEY_INT64, KEY_BYTES)
RFM_BOOK_STEP(uuid_bigint, KEY_FIXED16, KEY_INT64)
RFM_BOOK_STEP(uuid_text, KEY_FIXED16, KEY_BYTES)
RFM_BOOK_STEP(text_bigint, KEY_BYTES, KEY_INT64)
RFM_BOOK_STEP(text_text, KEY_BYTES, KEY_BYTES)

/* ---------- storing ---------- */

/* True, with the decimal, if a member's sum is to be stored wide. */
static bool
is_stored_wide(const RfmExtra *extra, const RfmMember *member, int64 *packed)
{
	*packed = decimal_repack(member->money, &extra->pool);
	return decimal_is_pooled(*packed);
}

static uint32
count_wide(const Book *book)
{
	RfmExtra   *extra = extra_of(book);
	uint32		wide = 0;
	int64		packed;

	if (extra->pool.count > 0)
		for (uint32 i = 0; i < book->table.count; i++)
		{
			if ((i & 0xFFFF) == 0)
				CHECK_FOR_INTERRUPTS();
			wide += is_stored_wide(extra, keytable_payload(&book->table, i), &packed);
		}
	return wide;
}

static Size
rfm_book_tail_size(Book *book, bool exact)
{
	KeyTable   *orders = &extra_of(book)->orders;
	Size		size = (Size) book->table.count * RFM_MEMBER_STORED_SIZE + 8;

	if (exact)
		size += (Size) count_wide(book) * DECIMAL_STORED_SIZE;
	if (book->form == KEY_INT64)
		size += (Size) orders->count * (ORDER_PREFIX + 8);
	else if (book->form == KEY_BYTES)	/* the id's length takes the member's place */
		size += (Size) orders->count * ORDER_PREFIX + orders->key_bytes;
	return size;
}

static StoredOrder
get_order(const Book *book, uint32 i)
{
	KeyTable   *orders = &extra_of(book)->orders;
	Key			key = keytable_key(orders, i);
	StoredOrder order = {0};

	order.bits = (uint8) *(uint32 *) keytable_payload(orders, i);
	if (book->form == KEY_INT64)
	{
		memcpy(&order.number, key.fixed, 8);
		memcpy(&order.member, key.fixed + 8, 4);
	}
	else
	{
		memcpy(&order.member, key.bytes.data, 4);
		order.text = (const uint8 *) key.bytes.data + 4;
		order.length = key.bytes.length - 4;
	}
	return order;
}

static int
compare_orders(const void *a, const void *b, void *book)
{
	StoredOrder x = get_order(book, *(const uint32 *) a);
	StoredOrder y = get_order(book, *(const uint32 *) b);
	int			order = (x.member > y.member) - (x.member < y.member);

	if (order == 0)
		order = (x.number > y.number) - (x.number < y.number);
	if (order == 0 && x.text != NULL)
		order = compare_bytes(x.text, x.length, y.text, y.length);
	return order;
}

static void
rfm_book_store_tail(Book *book, uint8 *bytes)
{
	RfmExtra   *extra = extra_of(book);
	uint32		wide = count_wide(book);
	uint32		next_wide = 0;
	uint32		order_count = extra->orders.count;
	uint8	   *decimals = bytes + (Size) book->table.count * RFM_MEMBER_STORED_SIZE + 4;
	uint32	   *sorted = NULL;

	for (uint32 i = 0; i < book->table.count; i++)
	{
		RfmMember	member = *(RfmMember *) keytable_payload(&book->table, i);
		const int64 money = member.money;

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (unlikely(is_stored_wide(extra, &member, &member.money)))
		{
			decimal_store(&extra->pool.item[money >> 8], decimals);
			decimals += DECIMAL_STORED_SIZE;
			member.money = (int64) next_wide++ << 8 | DECIMAL_IN_POOL;
		}
		rfm_member_store(&member, bytes);
		bytes += RFM_MEMBER_STORED_SIZE;
	}
	store_u32(bytes, wide);
	bytes = store_u32(decimals, order_count);

	if (book->canonical)
	{
		sorted = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) order_count, 1) * sizeof(uint32));
		for (uint32 i = 0; i < order_count; i++)
			sorted[i] = i;
		qsort_interruptible(sorted, order_count, sizeof(uint32), compare_orders, book);
	}
	for (uint32 i = 0; i < order_count; i++)
	{
		StoredOrder order = get_order(book, sorted == NULL ? i : sorted[i]);

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		bytes = store_u32(bytes, order.member);
		*bytes++ = order.bits;
		if (book->form == KEY_INT64)
			bytes = store_u64(bytes, (uint64) order.number);
		else
		{
			bytes = store_u32(bytes, order.length);
			memcpy(bytes, order.text, order.length);
			bytes += order.length;
		}
	}
}

/* ---------- reading ---------- */

/* Finds the parts of the tail; returns what is wrong with their sizes, or NULL. */
const char *
rfm_book_split_tail(const BookReader *reader, RfmTail *tail)
{
	const uint8 *bytes = reader->tail;
	const uint8 *end = reader->tail + reader->tail_size;
	Size		members_size = (Size) reader->count * RFM_MEMBER_STORED_SIZE;

	if ((Size) (end - bytes) < members_size + 8)
		return "its members are cut off";
	tail->members = bytes;
	bytes += members_size;
	tail->wide_count = load_u32(bytes);
	bytes += 4;
	if ((Size) (end - bytes) < (Size) tail->wide_count * DECIMAL_STORED_SIZE + 4)
		return "its wide sums are cut off";
	tail->wide = bytes;
	bytes += (Size) tail->wide_count * DECIMAL_STORED_SIZE;
	tail->order_count = load_u32(bytes);
	tail->orders = bytes + 4;
	return NULL;
}

/* Reads an order and moves on; false if the bytes end before it does. */
static bool
next_order(const uint8 **bytes, const uint8 *end, uint8 form, StoredOrder *order)
{
	Size		left = end - *bytes;

	memset(order, 0, sizeof(*order));
	if (left < ORDER_PREFIX + (form == KEY_INT64 ? 8 : 4))
		return false;
	order->member = load_u32(*bytes);
	order->bits = (*bytes)[4];
	*bytes += ORDER_PREFIX;
	if (form == KEY_INT64)
	{
		order->number = (int64) load_u64(*bytes);
		*bytes += 8;
		return true;
	}
	order->length = load_u32(*bytes);
	*bytes += 4;
	if (order->length > (Size) (end - *bytes))
		return false;
	order->text = *bytes;
	*bytes += order->length;
	return true;
}

/* Orders are there for order lines only, and are as many as the members say. */
static const char *
check_orders(const BookReader *reader, const RfmTail *tail)
{
	const uint8 *bytes = tail->orders;
	const uint8 *end = reader->tail + reader->tail_size;
	const char *wrong = NULL;
	uint32	   *bought;
	uint32	   *refunded;
	Size		size = Max((Size) reader->count, 1) * sizeof(uint32);

	if (reader->form == FORM_ORDERS)
		return tail->order_count != 0 ? "a book of orders has order ids" :
			bytes != end ? "its length is wrong" : NULL;

	bought = MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	refunded = MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < tail->order_count && wrong == NULL; i++)
	{
		StoredOrder order;

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!next_order(&bytes, end, reader->form, &order))
			wrong = "its orders are cut off";
		else if (order.member >= reader->count)
			wrong = "an order has no member";
		else if (order.bits < ORDER_BOUGHT || order.bits > (ORDER_BOUGHT | ORDER_REFUNDED))
			wrong = "an order is neither bought nor refunded";
		else
		{
			bought[order.member] += (order.bits & ORDER_BOUGHT) != 0;
			refunded[order.member] += (order.bits & ORDER_REFUNDED) != 0;
		}
	}
	if (wrong == NULL && bytes != end)
		wrong = "its length is wrong";
	for (uint32 i = 0; i < reader->count && wrong == NULL; i++)
	{
		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (load_u32(tail->members + (Size) i * RFM_MEMBER_STORED_SIZE) != bought[i] ||
			load_u32(tail->members + (Size) i * RFM_MEMBER_STORED_SIZE + 4) != refunded[i])
			wrong = "a member's orders are not as many as it says";
	}
	pfree(bought);
	pfree(refunded);
	return wrong;
}

/* The checker of a stored rfm_book. */
static const char *
rfm_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	RfmTail		tail;
	Decimal		wide;
	uint32		next_wide = 0;
	const char *wrong = book_read_header(&reader, &rfm_book_kind, bytes, length);

	if (wrong == NULL && reader.form != FORM_ORDERS && reader.form != KEY_INT64 && reader.form != KEY_BYTES)
		wrong = "its form is unknown";
	if (wrong == NULL)
		wrong = rfm_book_split_tail(&reader, &tail);
	for (uint32 i = 0; wrong == NULL && i < reader.count; i++)
	{
		RfmMember	member;

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		wrong = rfm_member_load(tail.members + (Size) i * RFM_MEMBER_STORED_SIZE,
								tail.wide_count, &member);
		if (wrong == NULL && decimal_is_pooled(member.money))
		{
			if (member.money >> 8 != next_wide)
				wrong = "its wide sums are not in order";
			else
				wrong = decimal_load(tail.wide + (Size) next_wide++ * DECIMAL_STORED_SIZE, &wide);
			if (wrong == NULL)
				wrong = rfm_check_money(&member, decimal_sign(&wide));
		}
		else if (wrong == NULL)
			wrong = rfm_check_money(&member, (member.money >> 8 > 0) - (member.money >> 8 < 0));
	}
	if (wrong == NULL && next_wide != tail.wide_count)
		wrong = "it has wide sums of no member";
	return wrong != NULL ? wrong : check_orders(&reader, &tail);
}

/* The wide sums of a checked tail, as a pool. */
DecimalPool
rfm_book_load_wide(const RfmTail *tail)
{
	DecimalPool pool = {0};

	pool.context = CurrentMemoryContext;
	for (uint32 i = 0; i < tail->wide_count; i++)
	{
		Decimal		d;

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		(void) decimal_load(tail->wide + (Size) i * DECIMAL_STORED_SIZE, &d);
		(void) decimal_pool_put(&pool, &d);
	}
	return pool;
}

static void
merge_orders(Book *book, const BookReader *source, const RfmTail *tail, const uint32 *entries)
{
	RfmExtra   *extra = extra_of(book);
	const uint8 *bytes = tail->orders;
	const uint8 *end = source->tail + source->tail_size;
	StringInfoData buffer;

	initStringInfo(&buffer);
	for (uint32 done = 0; done < tail->order_count;)
	{
		int			n = Min(KEYTABLE_BATCH, tail->order_count - done);
		StoredOrder order[KEYTABLE_BATCH];
		Key			keys[KEYTABLE_BATCH];
		uint32		found[KEYTABLE_BATCH];

		resetStringInfo(&buffer);
		for (int i = 0; i < n; i++)
		{
			(void) next_order(&bytes, end, source->form, &order[i]);
			order[i].member = entries[order[i].member];
			if (source->form == KEY_INT64)
				keys[i] = order_key_of_number(order[i].member, order[i].number);
			else
			{
				keys[i].bytes.length = order[i].length + 4;
				keys[i].bytes.data = (const char *) (Size) buffer.len;
				appendBinaryStringInfo(&buffer, (char *) &order[i].member, 4);
				appendBinaryStringInfo(&buffer, (const char *) order[i].text, order[i].length);
			}
		}
		if (source->form == KEY_BYTES)
			for (int i = 0; i < n; i++)
				keys[i].bytes.data = buffer.data + (Size) keys[i].bytes.data;
		keytable_locate(&extra->orders, keys, n, found);

		/* An order known on both sides has been counted on both: take one off. */
		for (int i = 0; i < n; i++)
		{
			RfmMember  *member = keytable_payload(&book->table, order[i].member);

			if ((order[i].bits & ORDER_BOUGHT) && !mark_order(extra, found[i], ORDER_BOUGHT))
				member->frequency--;
			if ((order[i].bits & ORDER_REFUNDED) && !mark_order(extra, found[i], ORDER_REFUNDED))
				member->refunds--;
		}
		done += n;
	}
	pfree(buffer.data);
}

static void
rfm_book_merge(Book *book, const BookReader *source, const uint32 *entries)
{
	RfmTail		tail;
	DecimalPool pool;

	(void) rfm_book_split_tail(source, &tail);
	pool = rfm_book_load_wide(&tail);
	for (uint32 i = 0; i < source->count; i++)
	{
		RfmMember	member;
		RfmStatus	status;

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (i + 16 < source->count)
			__builtin_prefetch(keytable_payload(&book->table, entries[i + 16]), 1);
		(void) rfm_member_load(tail.members + (Size) i * RFM_MEMBER_STORED_SIZE,
							   tail.wide_count, &member);
		status = rfm_merge(keytable_payload(&book->table, entries[i]),
						   &extra_of(book)->pool, &member, &pool);
		if (unlikely(status != RFM_OK))
			rfm_raise(status);
	}
	if (pool.item != NULL)
		pfree(pool.item);
	if (source->form != FORM_ORDERS)
		merge_orders(book, source, &tail, entries);
}

/* ---------- text, binary, merging, comparison ---------- */

BOOK_FUNCTIONS(rfm_book, &rfm_book_kind)
BOOK_MEMBER_COUNT(rfm_book, &rfm_book_kind)

#define RFM_BOOK_COMPARISON(name, condition) \
CUSTMART_FUNCTION(custmart_rfm_book_##name); \
Datum \
custmart_rfm_book_##name(PG_FUNCTION_ARGS) \
{ \
	PG_RETURN_BOOL(book_compare(fcinfo, &rfm_book_kind) condition); \
}

RFM_BOOK_COMPARISON(eq, == 0)
RFM_BOOK_COMPARISON(ne, != 0)
RFM_BOOK_COMPARISON(lt, < 0)
RFM_BOOK_COMPARISON(le, <= 0)
RFM_BOOK_COMPARISON(gt, > 0)
RFM_BOOK_COMPARISON(ge, >= 0)

/* rfm_book_cmp(rfm_book, rfm_book): an order of books, for sorting only. */
CUSTMART_FUNCTION(custmart_rfm_book_cmp);
Datum
custmart_rfm_book_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(book_compare(fcinfo, &rfm_book_kind));
}

/* rfm_book_hash(rfm_book): of the canonical bytes. */
CUSTMART_FUNCTION(custmart_rfm_book_hash);
Datum
custmart_rfm_book_hash(PG_FUNCTION_ARGS)
{
	bytea	   *canonical = book_canonical(PG_GETARG_DATUM(0), &rfm_book_kind);

	PG_RETURN_UINT32(hash_bytes((unsigned char *) VARDATA(canonical),
								(int) (VARSIZE(canonical) - VARHDRSZ)));
}

/* rfm_book_hash_extended(rfm_book, bigint): the same with a seed, 64 bits. */
CUSTMART_FUNCTION(custmart_rfm_book_hash_extended);
Datum
custmart_rfm_book_hash_extended(PG_FUNCTION_ARGS)
{
	bytea	   *canonical = book_canonical(PG_GETARG_DATUM(0), &rfm_book_kind);

	PG_RETURN_UINT64(hash_bytes_extended((unsigned char *) VARDATA(canonical),
										 (int) (VARSIZE(canonical) - VARHDRSZ),
										 PG_GETARG_INT64(1)));
}
