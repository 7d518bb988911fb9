/*
 * check_book.c
 *	  Builds a check_book: the aggregate, and what every book can do.
 *
 * Rows are appended to an array, each with the number of its head; ids are looked
 * up in three tables, that of the orders being the book's own.  They are sorted
 * only when the book is stored.  After some millions of rows the table is stored
 * as a part of the book: a stored row takes a third of one that waits.  When parts
 * are merged, one order at a time is put together, with all of its rows; where many
 * have no order id, which are one order here, memory grows with them.
 */
#include "order_checks/check_book.h"

#include "shared/arguments.h"
#include "shared/growing_array.h"
#include "shared/time_arguments.h"
#include "utils/fmgrprotos.h"

/* Rows after which the table becomes a part. */
#define LINES_MAX (4 * 1024 * 1024)

/* Heads of an order that are compared; where there are more, equal ones are joined when the book is stored. */
#define CHAIN_MAX 4

#define NO_ENTRY PG_UINT32_MAX

typedef struct BuildHead
{
	int64		time;
	uint32		member;			/* entry, or NO_ENTRY */
	uint32		currency;
	uint32		previous;		/* of the same order, or NO_ENTRY */
	uint32		lines;
} BuildHead;

typedef struct BuildLine
{
	int64		price;
	int64		quantity;
	uint32		item;
	uint32		head;
} BuildLine;

typedef struct CheckExtra
{
	KeyTable	names[CHECK_NAMES];
	BuildHead  *heads;
	Size		nheads;
	Size		heads_room;
	BuildLine  *lines;
	Size		nlines;
	Size		lines_room;
	DecimalPool pool;
	int			price_scale;
	int			quantity_scale;
	uint32		last_head;		/* of the last line */
	bool		has_scattered_lines;	/* not in the order of their heads */
} CheckExtra;

/* A text of a pending row: its place in the pending bytes. */
typedef struct PendingName
{
	Size		offset;
	uint32		length;			/* NO_ENTRY: NULL */
} PendingName;

typedef struct PendingCheck
{
	int64		time;
	int64		price;
	int64		quantity;
	PendingName names[CHECK_NAMES];
} PendingCheck;

/* In the entry of an order: its latest head + 1. */
typedef uint32 LastHead;

static void check_book_init(Book *book);
static void check_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size check_book_tail_size(const Book *book);
static void check_book_append_tail(Book *book, ByteBuffer *buffer);

static const BookKind check_book_kind = {
	.format = &check_book_format,
	.payload_size = sizeof(LastHead),
	.row_size = sizeof(PendingCheck),
	.init = check_book_init,
	.apply = check_book_apply,
	.tail_size = check_book_tail_size,
	.append_tail = check_book_append_tail
};

static CheckExtra *
extra_of(const Book *book)
{
	return book->extra;
}

/* ---------- building ---------- */

static void
check_book_init(Book *book)
{
	CheckExtra *extra = palloc0(sizeof(CheckExtra));

	for (int i = 0; i < CHECK_NAMES; i++)
		keytable_init(&extra->names[i], KEY_BYTES, 0, book->hdr.eoh_context);
	extra->pool.context = book->hdr.eoh_context;
	book->extra = extra;
}

/* The entries of a name of all rows of a batch; each is looked up once where it is repeated from row to row. */
static void
locate_names(KeyTable *table, const char *bytes, const PendingCheck *rows, CheckNames names, int n, uint32 *entries)
{
	Key			keys[KEYTABLE_BATCH];
	uint32		found[KEYTABLE_BATCH];
	uint8		place[KEYTABLE_BATCH];
	int			nkeys = 0;

	for (int i = 0; i < n; i++)
	{
		const PendingName *name = &rows[i].names[names];

		if (name->length == NO_ENTRY)
			continue;
		if (nkeys == 0 || keys[nkeys - 1].bytes.length != name->length ||
			memcmp(keys[nkeys - 1].bytes.data, bytes + name->offset, name->length) != 0)
		{
			keys[nkeys].bytes.data = bytes + name->offset;
			keys[nkeys++].bytes.length = name->length;
		}
		place[i] = (uint8) (nkeys - 1);
	}
	if (nkeys > 0)
		keytable_locate(table, keys, nkeys, found);
	for (int i = 0; i < n; i++)
		entries[i] = rows[i].names[names].length == NO_ENTRY ? NO_ENTRY : found[place[i]];
}

/* Finds the head of a row among the last ones of its order, or makes it. */
static inline uint32
find_head(CheckExtra *extra, LastHead *last, int64 time, uint32 member, uint32 currency, MemoryContext context)
{
	uint32		head = *last - 1;
	BuildHead  *made;

	for (int i = 0; i < CHAIN_MAX && head != NO_ENTRY; i++)
	{
		const BuildHead *known = &extra->heads[head];

		if (known->time == time && known->member == member && known->currency == currency)
			return head;
		head = known->previous;
	}
	if (unlikely(extra->nheads == extra->heads_room))
		extra->heads = array_grow(extra->heads, &extra->heads_room, extra->nheads + 1, sizeof(BuildHead), context);
	made = &extra->heads[extra->nheads];
	made->time = time;
	made->member = member;
	made->currency = currency;
	made->previous = *last - 1;
	made->lines = 0;
	*last = (uint32) ++extra->nheads;
	return *last - 1;
}

static void
check_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	CheckExtra *extra = extra_of(book);
	const PendingCheck *row = rows;
	uint32		names[CHECK_NAMES][KEYTABLE_BATCH];
	BuildLine  *line;

	for (int i = 0; i < CHECK_NAMES; i++)
		locate_names(&extra->names[i], book->pending_bytes.data, row, i, n, names[i]);
	for (int i = 0; i < n; i++)
	{
		uint32		last = *(LastHead *) keytable_payload(&book->table, entries[i]);

		if (last > 0)
			__builtin_prefetch(&extra->heads[last - 1]);
	}
	if (unlikely(extra->lines_room - extra->nlines < (Size) n))
		extra->lines = array_grow(extra->lines, &extra->lines_room, extra->nlines + n, sizeof(BuildLine),
								  book->hdr.eoh_context);
	line = extra->lines + extra->nlines;
	for (int i = 0; i < n; i++, line++)
	{
		uint32		head = find_head(extra, keytable_payload(&book->table, entries[i]), row[i].time,
									 names[CHECK_MEMBERS][i], names[CHECK_CURRENCIES][i], book->hdr.eoh_context);

		extra->heads[head].lines++;
		extra->has_scattered_lines |= head < extra->last_head;
		extra->last_head = head;
		line->price = row[i].price;
		line->quantity = row[i].quantity;
		line->item = names[CHECK_ITEMS][i];
		line->head = head;
	}
	extra->nlines += n;
	book->is_full = extra->nlines >= LINES_MAX;
}

static inline PendingName
keep_name(FunctionCallInfo fcinfo, int argument, Book *book)
{
	PendingName name = {0, NO_ENTRY};
	text	   *t;

	if (PG_ARGISNULL(argument))
		return name;
	t = PG_GETARG_TEXT_PP(argument);
	name.length = (uint32) VARSIZE_ANY_EXHDR(t);
	name.offset = book_keep_bytes(book, VARDATA_ANY(t), name.length);
	PG_FREE_IF_COPY(t, argument);
	return name;
}

/* The key of an order id, which may be NULL. */
static inline void
set_order_key(FunctionCallInfo fcinfo, int argument, Book *book, Key *key)
{
	text	   *t;

	key->bytes.length = 0;
	key->bytes.data = (const char *) (Size) book->pending_bytes.len;
	if (PG_ARGISNULL(argument))
		return;
	t = PG_GETARG_TEXT_PP(argument);
	if (unlikely(check_key_is_escaped(VARDATA_ANY(t), (uint32) VARSIZE_ANY_EXHDR(t))))
	{
		(void) book_keep_bytes(book, "\001", 1);
		key->bytes.length = 1;
	}
	key->bytes.length += (uint32) VARSIZE_ANY_EXHDR(t);
	(void) book_keep_bytes(book, VARDATA_ANY(t), (uint32) VARSIZE_ANY_EXHDR(t));
	PG_FREE_IF_COPY(t, argument);
}

/* A price or a quantity, without trailing zeros; the largest scale is kept. */
static inline int64
number_argument(FunctionCallInfo fcinfo, int argument, const char *name, DecimalPool *pool, int *scale)
{
	int64		number;
	int			own_scale;

	if (PG_ARGISNULL(argument))
		return CHECK_NO_NUMBER;
	number = numeric_read(PG_GETARG_DATUM(argument), name, pool);
	own_scale = decimal_packed_scale(number, pool);
	if (own_scale > *scale)
		*scale = own_scale;
	return own_scale == 0 ? number : decimal_normalize(number, pool);
}

/* ordered_at: a moment, or what the clocks of the shop showed; infinite ones are data, too. */
static inline int64
time_argument(FunctionCallInfo fcinfo, int argument, bool is_date)
{
	if (PG_ARGISNULL(argument))
		return CHECK_NO_TIME;
	if (is_date)
		return date_clock_argument(PG_GETARG_DATEADT(argument), "ordered_at");
	return PG_GETARG_TIMESTAMP(argument);
}

/* Adds one row to the state: arguments are member, order, item, time, quantity, price, perhaps currency. */
static inline Datum
check_book_step(FunctionCallInfo fcinfo, uint8 form, bool is_date)
{
	Book	   *book = book_of_state(fcinfo, &check_book_kind, KEY_BYTES, form);
	CheckExtra *extra = extra_of(book);
	Key		   *key;
	PendingCheck *row = book_next_row(book, &key);

	row->time = time_argument(fcinfo, 4, is_date);
	row->quantity = number_argument(fcinfo, 5, "quantity", &extra->pool, &extra->quantity_scale);
	row->price = number_argument(fcinfo, 6, "price", &extra->pool, &extra->price_scale);
	row->names[CHECK_MEMBERS] = keep_name(fcinfo, 1, book);
	row->names[CHECK_ITEMS] = keep_name(fcinfo, 3, book);
	row->names[CHECK_CURRENCIES] = (PendingName) {0, NO_ENTRY};
	if (PG_NARGS() > 7)
		row->names[CHECK_CURRENCIES] = keep_name(fcinfo, 7, book);
	set_order_key(fcinfo, 2, book, key);
	return book_push(book);
}

/* check_book_step[_<time>](check_book, member, order_id, item, ordered_at, quantity, price[, currency]) */
#define CHECK_BOOK_STEP(name, form, is_date) \
CUSTMART_FUNCTION(custmart_check_book_step##name); \
Datum \
custmart_check_book_step##name(PG_FUNCTION_ARGS) \
{ \
	return check_book_step(fcinfo, form, is_date); \
}

CHECK_BOOK_STEP(, CHECK_BOOK_MOMENTS, false)
CHECK_BOOK_STEP(_timestamp, CHECK_BOOK_CLOCK, false)
CHECK_BOOK_STEP(_date, CHECK_BOOK_CLOCK, true)

/* ---------- storing ---------- */

/* What a head and a line take at least; of the names little is left out. */
#define STORED_HEAD_SIZE 6
#define STORED_LINE_SIZE 5

static Size
check_book_tail_size(const Book *book)
{
	const CheckExtra *extra = extra_of(book);
	Size		size = extra->nheads * STORED_HEAD_SIZE + extra->nlines * STORED_LINE_SIZE;

	for (int i = 0; i < CHECK_NAMES; i++)
		size += keytable_stored_size(&extra->names[i]);
	return size;
}

/* The lines, those of each head together; sets where each head's lines end. */
static BuildLine *
group_lines(CheckExtra *extra, Size *ends)
{
	BuildLine  *grouped;
	Size		end = 0;

	for (Size i = 0; i < extra->nheads; i++)
	{
		check_interrupts(i);
		ends[i] = end;
		end += extra->heads[i].lines;
	}
	if (!extra->has_scattered_lines)
	{
		for (Size i = 0; i < extra->nheads; i++)
			ends[i] += extra->heads[i].lines;
		return extra->lines;
	}
	grouped = large_alloc(CurrentMemoryContext, Max(extra->nlines, 1) * sizeof(BuildLine));
	for (Size i = 0; i < extra->nlines; i++)
	{
		check_interrupts(i);
		grouped[ends[extra->lines[i].head]++] = extra->lines[i];
	}
	pfree(extra->lines);
	extra->lines_room = Max(extra->nlines, 1);
	return grouped;
}

/* For each entry of a table its place in the order, from 1. */
static uint32 *
ranks_of(const KeyTable *table, const uint32 *sorted)
{
	uint32	   *ranks = large_alloc(CurrentMemoryContext, Max((Size) table->count, 1) * sizeof(uint32));

	for (uint32 i = 0; i < table->count; i++)
	{
		check_interrupts(i);
		ranks[sorted[i]] = i + 1;
	}
	return ranks;
}

static inline uint32
rank_of(const uint32 *ranks, uint32 entry)
{
	return entry == NO_ENTRY ? 0 : ranks[entry];
}

static void
check_book_append_tail(Book *book, ByteBuffer *buffer)
{
	CheckExtra *extra = extra_of(book);
	CheckTailWriter *writer = palloc(sizeof(CheckTailWriter));
	CheckOrder	order = {.pool.context = CurrentMemoryContext};
	Size	   *ends = large_alloc(CurrentMemoryContext, Max(extra->nheads, 1) * sizeof(Size));
	uint32	   *sorted[CHECK_NAMES];
	uint32	   *ranks[CHECK_NAMES];

	extra->lines = group_lines(extra, ends);
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		sorted[i] = keytable_sorted(&extra->names[i]);
		ranks[i] = ranks_of(&extra->names[i], sorted[i]);
	}
	check_tail_begin(writer);
	for (uint32 i = 0; i < book->table.count; i++)
	{
		uint32		last = *(LastHead *) keytable_payload(&book->table, book->order[i]) - 1;

		check_interrupts(i);
		if (i + 16 < book->table.count)
			keytable_prefetch(&book->table, book->order[i + 16]);
		order.nheads = 0;
		order.nlines = 0;
		order.pool.count = 0;
		for (; last != NO_ENTRY; last = extra->heads[last].previous)
		{
			const BuildHead *from = &extra->heads[last];
			const BuildLine *line = &extra->lines[ends[last] - from->lines];
			CheckHead  *head = check_order_head(&order);
			CheckLine  *lines = check_order_lines(&order, from->lines);

			check_interrupts(order.nheads);
			head->time = from->time;
			head->member = rank_of(ranks[CHECK_MEMBERS], from->member);
			head->currency = rank_of(ranks[CHECK_CURRENCIES], from->currency);
			head->lines = from->lines;
			for (uint32 k = 0; k < from->lines; k++)
			{
				lines[k].price = check_order_number(&order, line[k].price, &extra->pool);
				lines[k].quantity = check_order_number(&order, line[k].quantity, &extra->pool);
				lines[k].item = rank_of(ranks[CHECK_ITEMS], line[k].item);
				lines[k].count = 1;
			}
		}
		check_order_arrange(&order);
		check_tail_order(writer, &order);
	}
	check_tail_end(writer, extra->price_scale, extra->quantity_scale, extra->names, sorted, buffer);

	check_order_free(&order);
	pfree(writer);
	pfree(ends);
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		pfree(sorted[i]);
		pfree(ranks[i]);
		keytable_clear(&extra->names[i]);
	}
	if (extra->heads != NULL)
		pfree(extra->heads);
	if (extra->lines != NULL)
		pfree(extra->lines);
	extra->heads = NULL;
	extra->lines = NULL;
	extra->nheads = extra->heads_room = 0;
	extra->nlines = extra->lines_room = 0;
	extra->last_head = 0;
	extra->has_scattered_lines = false;
	extra->price_scale = extra->quantity_scale = 0;
	decimal_pool_clear(&extra->pool);
}

/* ---------- text, binary, merging ---------- */

BOOK_TYPE_FUNCTIONS(check_book, &check_book_kind)
