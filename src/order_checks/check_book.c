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
#include "shared/chunked_array.h"
#include "shared/short_text.h"
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
	uint32		lines;			/* how many; while the book is stored: where they end */
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
	ChunkedArray heads;
	ChunkedArray lines;
	DecimalPool pool;
	int			price_scale;
	int			quantity_scale;
	uint32		last_head;		/* of the last line */
	bool		has_scattered_lines;	/* not in the order of their heads */
} CheckExtra;

/* A text of a pending row: its place in the pending bytes. */
typedef struct PendingName
{
	uint32		offset;
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

static inline BuildHead *
head_at(const CheckExtra *extra, uint32 head)
{
	return chunked_at(&extra->heads, BuildHead, head);
}

static inline BuildLine *
line_at(const CheckExtra *extra, uint32 line)
{
	return chunked_at(&extra->lines, BuildLine, line);
}

/* ---------- building ---------- */

static void
check_book_init(Book *book)
{
	CheckExtra *extra = palloc0(sizeof(CheckExtra));

	for (int i = 0; i < CHECK_NAMES; i++)
		keytable_init(&extra->names[i], KEY_BYTES, 0, book->hdr.eoh_context);
	chunked_init(&extra->heads, sizeof(BuildHead), book->hdr.eoh_context);
	chunked_init(&extra->lines, sizeof(BuildLine), book->hdr.eoh_context);
	extra->pool.context = book->hdr.eoh_context;
	book->extra = extra;
}

/* The entries of a name of all rows of a batch; one that is repeated from row to row is looked up once. */
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
		if (nkeys == 0 || keys[nkeys - 1].bytes.data != bytes + name->offset || keys[nkeys - 1].bytes.length != name->length)
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
find_head(CheckExtra *extra, LastHead *last, int64 time, uint32 member, uint32 currency)
{
	uint32		head = *last - 1;
	BuildHead  *made;

	for (int i = 0; i < CHAIN_MAX && head != NO_ENTRY; i++)
	{
		const BuildHead *known = head_at(extra, head);

		if (known->time == time && known->member == member && known->currency == currency)
			return head;
		head = known->previous;
	}
	head = (uint32) extra->heads.count++;
	chunked_reserve(&extra->heads, extra->heads.count);
	made = head_at(extra, head);
	made->time = time;
	made->member = member;
	made->currency = currency;
	made->previous = *last - 1;
	made->lines = 0;
	*last = head + 1;
	return head;
}

static void
check_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	CheckExtra *extra = extra_of(book);
	const PendingCheck *row = rows;
	uint32		names[CHECK_NAMES][KEYTABLE_BATCH];

	for (int i = 0; i < CHECK_NAMES; i++)
		locate_names(&extra->names[i], book->pending_bytes.data, row, i, n, names[i]);
	for (int i = 0; i < n; i++)
	{
		uint32		last = *(LastHead *) keytable_payload(&book->table, entries[i]);

		if (last > 0)
			__builtin_prefetch(head_at(extra, last - 1));
	}
	chunked_reserve(&extra->lines, extra->lines.count + n);
	for (int i = 0; i < n; i++)
	{
		uint32		head = find_head(extra, keytable_payload(&book->table, entries[i]), row[i].time,
									 names[CHECK_MEMBERS][i], names[CHECK_CURRENCIES][i]);
		BuildLine  *line = line_at(extra, (uint32) extra->lines.count++);

		head_at(extra, head)->lines++;
		extra->has_scattered_lines |= head < extra->last_head;
		extra->last_head = head;
		line->price = row[i].price;
		line->quantity = row[i].quantity;
		line->item = names[CHECK_ITEMS][i];
		line->head = head;
	}
	book->is_full = extra->lines.count >= LINES_MAX;
}

/* Keeps a text of a row until it is applied, unless it is that of the row before, as those of an order often are. */
static inline PendingName
keep_text(Book *book, const text *t, const PendingName *before)
{
	const char *data = VARDATA_ANY(t);
	PendingName name = {.length = (uint32) VARSIZE_ANY_EXHDR(t)};

	if (before != NULL && before->length == name.length &&
		text_equals(book->pending_bytes.data + before->offset, data, name.length))
		return *before;
	name.offset = (uint32) book_keep_bytes(book, data, name.length);
	return name;
}

static inline PendingName
keep_name(FunctionCallInfo fcinfo, int argument, Book *book, const PendingName *before)
{
	PendingName name = {0, NO_ENTRY};
	text	   *t;

	if (PG_ARGISNULL(argument))
		return name;
	t = PG_GETARG_TEXT_PP(argument);
	name = keep_text(book, t, before);
	PG_FREE_IF_COPY(t, argument);
	return name;
}

/* The key of an order id, which may be NULL, written where the bytes of a batch are. */
static inline void
set_order_key(FunctionCallInfo fcinfo, int argument, Book *book, Key *key)
{
	PendingName name = {.length = 0};
	text	   *t;

	if (!PG_ARGISNULL(argument))
	{
		t = PG_GETARG_TEXT_PP(argument);
		if (unlikely(check_key_is_escaped(VARDATA_ANY(t), (uint32) VARSIZE_ANY_EXHDR(t))))
		{
			name.offset = (uint32) book_keep_bytes(book, "\001", 1);
			(void) book_keep_bytes(book, VARDATA_ANY(t), (uint32) VARSIZE_ANY_EXHDR(t));
			name.length = (uint32) VARSIZE_ANY_EXHDR(t) + 1;
		}
		else
		{
			PendingName before = {0, NO_ENTRY};

			if (book->pending > 0)
				before = (PendingName) {(uint32) (Size) key[-1].bytes.data, key[-1].bytes.length};
			name = keep_text(book, t, &before);
		}
		PG_FREE_IF_COPY(t, argument);
	}
	key->bytes.data = (const char *) (Size) name.offset;
	key->bytes.length = name.length;
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
	return own_scale == 0 || decimal_packed_is_normal(number) ? number : decimal_normalize(number, pool);
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
	const PendingCheck *before = book->pending > 0 ? row - 1 : NULL;

	row->time = time_argument(fcinfo, 4, is_date);
	row->quantity = number_argument(fcinfo, 5, "quantity", &extra->pool, &extra->quantity_scale);
	row->price = number_argument(fcinfo, 6, "price", &extra->pool, &extra->price_scale);
	row->names[CHECK_MEMBERS] = keep_name(fcinfo, 1, book, before == NULL ? NULL : &before->names[CHECK_MEMBERS]);
	row->names[CHECK_ITEMS] = keep_name(fcinfo, 3, book, before == NULL ? NULL : &before->names[CHECK_ITEMS]);
	row->names[CHECK_CURRENCIES] = (PendingName) {0, NO_ENTRY};
	if (PG_NARGS() > 7)
		row->names[CHECK_CURRENCIES] = keep_name(fcinfo, 7, book, before == NULL ? NULL : &before->names[CHECK_CURRENCIES]);
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
	Size		size = extra->heads.count * STORED_HEAD_SIZE + extra->lines.count * STORED_LINE_SIZE;

	for (int i = 0; i < CHECK_NAMES; i++)
		size += keytable_stored_size(&extra->names[i]);
	return size;
}

/*
 * The numbers of the lines, those of each head together, or NULL if they are in that
 * order.  Heads then say where their lines end, which is where those of the next head begin.
 */
static uint32 *
group_lines(CheckExtra *extra)
{
	uint32	   *grouped = NULL;
	uint32		end = 0;

	if (extra->has_scattered_lines)
		grouped = large_alloc(CurrentMemoryContext, extra->lines.count * sizeof(uint32));
	for (uint32 i = 0; i < extra->heads.count; i++)
	{
		BuildHead  *head = head_at(extra, i);
		uint32		begin = end;

		check_interrupts(i);
		end += head->lines;
		head->lines = grouped == NULL ? end : begin;
	}
	for (uint32 i = 0; grouped != NULL && i < extra->lines.count; i++)
	{
		check_interrupts(i);
		grouped[head_at(extra, line_at(extra, i)->head)->lines++] = i;
	}
	return grouped;
}

static inline uint32
rank_of(const uint32 *ranks, uint32 entry)
{
	return entry == NO_ENTRY ? 0 : ranks[entry];
}

/* The latest head of the order at a place of the sorted table. */
static inline uint32
last_head(const Book *book, uint32 i)
{
	return *(LastHead *) keytable_payload(&book->table, book->order[i]) - 1;
}

/* Where the lines of a head begin, once they are grouped. */
static inline uint32
first_line(const CheckExtra *extra, uint32 head)
{
	return head == 0 ? 0 : head_at(extra, head - 1)->lines;
}

/* Fetches what later orders need, which may be anywhere: their entries, their heads, their lines. */
static pg_attribute_always_inline void
fetch_ahead(const Book *book, uint32 i, const uint32 *grouped)
{
	const CheckExtra *extra = extra_of(book);

	if (i + 32 < book->table.count)
		keytable_prefetch(&book->table, book->order[i + 32]);
	if (i + 20 < book->table.count)
		__builtin_prefetch(head_at(extra, last_head(book, i + 20)));
	if (i + 12 < book->table.count && grouped != NULL)
		__builtin_prefetch(&grouped[head_at(extra, last_head(book, i + 12))->lines - 1]);
	if (i + 6 < book->table.count)
	{
		uint32		head = last_head(book, i + 6);
		uint32		end = head_at(extra, head)->lines;

		if (grouped == NULL)
			__builtin_prefetch(line_at(extra, end - 1));
		else
			for (uint32 line = Max(first_line(extra, head), end - Min(end, 4)); line < end; line++)
				__builtin_prefetch(line_at(extra, grouped[line]));
	}
}

static void
check_book_append_tail(Book *book, ByteBuffer *buffer)
{
	CheckExtra *extra = extra_of(book);
	CheckTailWriter *writer = palloc(sizeof(CheckTailWriter));
	CheckOrder	order = {.pool.context = CurrentMemoryContext};
	uint32	   *grouped = group_lines(extra);
	uint32	   *sorted[CHECK_NAMES];
	uint32	   *ranks[CHECK_NAMES];

	for (int i = 0; i < CHECK_NAMES; i++)
	{
		sorted[i] = keytable_sorted(&extra->names[i]);
		ranks[i] = check_ranks(sorted[i], extra->names[i].count);
	}
	check_tail_begin(writer);
	for (uint32 i = 0; i < book->table.count; i++)
	{
		uint32		last = last_head(book, i);

		check_interrupts(i);
		fetch_ahead(book, i, grouped);
		order.nheads = 0;
		order.nlines = 0;
		order.pool.count = 0;
		for (; last != NO_ENTRY; last = head_at(extra, last)->previous)
		{
			const BuildHead *from = head_at(extra, last);
			uint32		first = first_line(extra, last);
			uint32		n = from->lines - first;
			CheckHead  *head = check_order_head(&order);
			CheckLine  *lines = check_order_lines(&order, n);

			check_interrupts(order.nheads);
			head->time = from->time;
			head->member = rank_of(ranks[CHECK_MEMBERS], from->member);
			head->currency = rank_of(ranks[CHECK_CURRENCIES], from->currency);
			head->lines = n;
			for (uint32 k = 0; k < n; k++)
			{
				const BuildLine *line = line_at(extra, grouped != NULL ? grouped[first + k] : first + k);

				lines[k].price = check_order_number(&order, line->price, &extra->pool);
				lines[k].quantity = check_order_number(&order, line->quantity, &extra->pool);
				lines[k].item = rank_of(ranks[CHECK_ITEMS], line->item);
				lines[k].count = 1;
			}
		}
		check_order_arrange(&order);
		check_tail_order(writer, &order);
	}
	check_tail_end(writer, extra->price_scale, extra->quantity_scale, extra->names, sorted, buffer);

	check_order_free(&order);
	pfree(writer);
	if (grouped != NULL)
		pfree(grouped);
	for (int i = 0; i < CHECK_NAMES; i++)
	{
		pfree(sorted[i]);
		pfree(ranks[i]);
		keytable_clear(&extra->names[i]);
	}
	chunked_clear(&extra->heads);
	chunked_clear(&extra->lines);
	extra->last_head = 0;
	extra->has_scattered_lines = false;
	extra->price_scale = extra->quantity_scale = 0;
	decimal_pool_clear(&extra->pool);
}

/* ---------- text, binary, merging ---------- */

BOOK_TYPE_FUNCTIONS(check_book, &check_book_kind)
