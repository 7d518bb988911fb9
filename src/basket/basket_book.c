/*
 * basket_book.c
 *	  The type basket_book: which items every basket of a table has.
 *
 * While a table is read, rows are appended to a log, with the numbers of their basket
 * and item, and put in order when the book is stored or the log has become long.
 * basket_book_format.c reads, checks, writes and merges stored ones.
 */
#include "basket/basket.h"

#include "book/book_forget.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"

/* Rows of a piece of the log: 2 MB. */
#ifndef LOG_PIECE				/* fuzzing has shorter ones */
#define LOG_PIECE 262144
#endif

/*
 * A log of this many rows is put in order and stored before more are added, so that
 * items bought over and over do not pile up.
 */
#ifndef LOG_MAX
#define LOG_MAX 16777216
#endif

/* Baskets of no more are sorted by insertion. */
#define FEW_ITEMS 24

/* A row not yet applied.  Texts are bytes that the book keeps. */
typedef union BasketRow
{
	int64		number;
	struct
	{
		Size		offset;
		uint32		length;
	}			bytes;
} BasketRow;

/* A row, by the numbers of basket and item in their tables. */
typedef struct LogRow
{
	uint32		basket;
	uint32		item;
} LogRow;

typedef struct LogPiece
{
	LogRow	   *rows;
	Size		count;
	Size		room;
} LogPiece;

typedef struct BasketExtra
{
	MemoryContext context;
	KeyTable	items;			/* without payload */
	LogPiece   *pieces;			/* the last one is being filled */
	Size		npieces;
	Size		pieces_room;
	Size		count;			/* rows in all pieces */
} BasketExtra;

static void basket_book_init(Book *book);
static void basket_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size basket_book_tail_size(const Book *book);
static void basket_book_append_tail(Book *book, ByteBuffer *buffer);

static const BookKind basket_book_kind = {
	.format = &basket_book_format,
	.payload_size = 0,
	.row_size = sizeof(BasketRow),
	.init = basket_book_init,
	.apply = basket_book_apply,
	.tail_size = basket_book_tail_size,
	.append_tail = basket_book_append_tail
};

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE uint32
#define ST_COMPARE(a, b) ((*(a) > *(b)) - (*(a) < *(b)))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---------- building ---------- */

static void
basket_book_init(Book *book)
{
	BasketExtra *extra = palloc0(sizeof(BasketExtra));

	extra->context = book->hdr.eoh_context;
	keytable_init(&extra->items, book->form, 0, extra->context);
	book->extra = extra;
}

/* Room for one more row at the end of the log. */
static inline LogRow *
log_append(BasketExtra *extra)
{
	LogPiece   *piece = extra->npieces > 0 ? &extra->pieces[extra->npieces - 1] : NULL;

	if (unlikely(piece == NULL || piece->count == piece->room))
	{
		if (extra->npieces == extra->pieces_room)
			extra->pieces = array_grow(extra->pieces, &extra->pieces_room, extra->npieces + 1,
									   sizeof(LogPiece), extra->context);
		piece = &extra->pieces[extra->npieces];

		/* Small books start small. */
		piece->room = Min(Max(extra->count, 8), LOG_PIECE);
		piece->count = 0;
		piece->rows = large_alloc(extra->context, piece->room * sizeof(LogRow));
		extra->npieces++;
	}
	extra->count++;
	return &piece->rows[piece->count++];
}

static void
basket_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	BasketExtra *extra = book->extra;
	const BasketRow *row = rows;
	Key			keys[KEYTABLE_BATCH];
	uint32		items[KEYTABLE_BATCH];

	memset(keys, 0, n * sizeof(Key));
	if (book->form == KEY_INT64)
		for (int i = 0; i < n; i++)
			keys[i].number = row[i].number;
	else
		for (int i = 0; i < n; i++)
		{
			keys[i].bytes.data = book->pending_bytes.data + row[i].bytes.offset;
			keys[i].bytes.length = row[i].bytes.length;
		}
	keytable_locate(&extra->items, keys, n, items);
	for (int i = 0; i < n; i++)
		*log_append(extra) = (LogRow) {.basket = entries[i], .item = items[i]};
	book->is_full = extra->count >= LOG_MAX;
}

/* Adds one row to the state: argument 1 is the basket, argument 2 the item. */
static inline Datum
basket_book_step(FunctionCallInfo fcinfo, KeyType key_type, KeyType item_type)
{
	Book	   *book = book_of_state(fcinfo, &basket_book_kind, key_type, item_type);
	Key		   *key;
	BasketRow  *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return book_skip_row(book);
	row = book_next_row(book, &key);
	book_set_key(book, key, key_type, PG_GETARG_DATUM(1));
	if (item_type == KEY_INT64)
		row->number = PG_GETARG_INT64(2);
	else
	{
		text	   *item = PG_GETARG_TEXT_PP(2);

		row->bytes.length = (uint32) VARSIZE_ANY_EXHDR(item);
		row->bytes.offset = book_keep_bytes(book, VARDATA_ANY(item), row->bytes.length);
		PG_FREE_IF_COPY(item, 2);
	}
	return book_push(book);
}

/* basket_book_step_<basket>_<item>(basket_book, basket, item) */
#define BASKET_BOOK_STEP(name, key_type, item_type) \
CUSTMART_FUNCTION(custmart_basket_book_step_##name); \
Datum \
custmart_basket_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return basket_book_step(fcinfo, key_type, item_type); \
}

BASKET_BOOK_STEP(bigint_bigint, KEY_INT64, KEY_INT64)
BASKET_BOOK_STEP(uuid_bigint, KEY_FIXED16, KEY_INT64)
BASKET_BOOK_STEP(text_bigint, KEY_BYTES, KEY_INT64)
BASKET_BOOK_STEP(bigint_text, KEY_INT64, KEY_BYTES)
BASKET_BOOK_STEP(uuid_text, KEY_FIXED16, KEY_BYTES)
BASKET_BOOK_STEP(text_text, KEY_BYTES, KEY_BYTES)

/* ---------- storing ---------- */

/* The least that it takes: an item and its basket. */
static Size
basket_book_tail_size(const Book *book)
{
	const BasketExtra *extra = book->extra;

	return (extra->items.key_type == KEY_INT64 ? extra->items.count : keytable_stored_size(&extra->items)) +
		(Size) book->table.count * 2;
}

/* The place of every entry of a table in an order. */
static uint32 *
places_of(const uint32 *order, uint32 n)
{
	uint32	   *place = large_alloc(CurrentMemoryContext, Max((Size) n, 1) * sizeof(uint32));

	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		place[order[i]] = i;
	}
	return place;
}

/*
 * Empties the log into one list of items, those of one basket after the other, in
 * the order of arrival, which mostly is that of the rows: end[i] is where those of
 * basket i end.  Items become their places.
 */
static uint32 *
gather(BasketExtra *extra, const uint32 *place, uint32 baskets, uint32 *end)
{
	enum
	{
		NEAR = 12, FAR = 32
	};
	uint32	   *gathered = large_alloc(CurrentMemoryContext, Max(extra->count, 1) * sizeof(uint32));
	uint32		sum = 0;

	large_clear(end, (Size) baskets * sizeof(uint32));
	for (Size p = 0; p < extra->npieces; p++)
	{
		const LogRow *rows = extra->pieces[p].rows;
		Size		count = extra->pieces[p].count;

		for (Size i = 0; i < count; i++)
		{
			check_interrupts(i);
			if (i + FAR < count)
				__builtin_prefetch(&end[rows[i + FAR].basket], 1);
			end[rows[i].basket]++;
		}
	}
	for (uint32 i = 0; i < baskets; i++)
	{
		uint32		n = end[i];

		check_interrupts(i);
		end[i] = sum;
		sum += n;
	}
	for (Size p = 0; p < extra->npieces; p++)
	{
		const LogRow *rows = extra->pieces[p].rows;
		Size		count = extra->pieces[p].count;

		for (Size i = 0; i < count; i++)
		{
			check_interrupts(i);
			if (i + FAR < count)
			{
				__builtin_prefetch(&end[rows[i + FAR].basket], 1);
				__builtin_prefetch(&gathered[end[rows[i + NEAR].basket]], 1);
			}
			gathered[end[rows[i].basket]++] = place[rows[i].item];
		}
		pfree(extra->pieces[p].rows);
	}
	extra->npieces = 0;
	extra->count = 0;
	return gathered;
}

/* Sorts the items of a basket, and leaves each there once; returns how many are left. */
static uint32
make_set(uint32 *items, uint32 n)
{
	uint32		left = 0;

	/* Most baskets are small. */
	if (n > FEW_ITEMS)
		sort_items(items, n);
	else
		for (uint32 i = 1; i < n; i++)
		{
			uint32		item = items[i];
			uint32		place = i;

			for (; place > 0 && items[place - 1] > item; place--)
				items[place] = items[place - 1];
			items[place] = item;
		}
	for (uint32 i = 0; i < n; i++)
		if (left == 0 || items[left - 1] != items[i])
			items[left++] = items[i];
	return left;
}

static void
basket_book_append_tail(Book *book, ByteBuffer *buffer)
{
	BasketExtra *extra = book->extra;
	uint32		baskets = book->table.count;
	uint32	   *order = keytable_sorted(&extra->items);
	uint32	   *place = places_of(order, extra->items.count);
	uint32	   *end = large_alloc(CurrentMemoryContext, Max((Size) baskets, 1) * sizeof(uint32));
	BasketWriter *writer = palloc(sizeof(BasketWriter));
	uint32	   *gathered;

	basket_writer_init(writer, extra->count);
	gathered = gather(extra, place, baskets, end);
	for (uint32 i = 0; i < baskets; i++)
	{
		uint32		basket = book->order[i];
		uint32		begin = basket > 0 ? end[basket - 1] : 0;

		check_interrupts(i);
		if (i + 16 < baskets)
			__builtin_prefetch(&end[book->order[i + 16]]);
		if (i + 8 < baskets && book->order[i + 8] > 0)
			__builtin_prefetch(&gathered[end[book->order[i + 8] - 1]], 1);
		basket_write(writer, gathered + begin, make_set(gathered + begin, end[basket] - begin));
	}
	basket_write_tail(writer, &extra->items, order, buffer);
	pfree(writer);
	pfree(gathered);
	pfree(end);
	pfree(place);
	pfree(order);

	/* Empty again. */
	keytable_clear(&extra->items);
}

/* ---------- text, binary, merging, counts ---------- */

BOOK_FUNCTIONS(basket_book, &basket_book_kind)
BOOK_FORGET(basket_book, &basket_book_format, "baskets")

/* basket_count(basket_book) */
CUSTMART_FUNCTION(custmart_basket_book_basket_count);
Datum
custmart_basket_book_basket_count(PG_FUNCTION_ARGS)
{
	return book_key_count(fcinfo, &basket_book_format);
}

/* item_count(basket_book) */
CUSTMART_FUNCTION(custmart_basket_book_item_count);
Datum
custmart_basket_book_item_count(PG_FUNCTION_ARGS)
{
	BasketReader *book = palloc(sizeof(BasketReader));

	basket_book_open(book, PG_GETARG_DATUM(0));
	PG_RETURN_INT64(book->items.count);
}
