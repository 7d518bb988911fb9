/*
 * preference_book.c
 *	  The type preference_book: how often, and for how much, every member of a table
 *	  bought of every category.
 *
 * This file builds a book; preference_book_format.c reads, checks, writes and merges
 * stored ones.
 */
#include "preference/preference.h"

#include "book/book_forget.h"
#include "money/decimal_numeric.h"
#include "shared/large_memory.h"

/* A guess of the stored size of a cell, for the limit of size. */
#define CELL_SIZE 6

/* A row not yet applied. */
typedef struct PreferenceRow
{
	uint32		category;		/* number of arrival */
	int64		amount;			/* packed; wide ones in row_pool */
} PreferenceRow;

/* Member and category, as they are numbered in their tables. */
typedef struct CellKey
{
	uint32		member;
	uint32		category;
	uint64		unused;			/* 0 */
} CellKey;

typedef struct Cell
{
	int64		n;
	int64		money;			/* packed; wide ones in pool */
} Cell;

typedef struct PreferenceExtra
{
	KeyTable	categories;		/* names, without payload */
	KeyTable	cells;			/* CellKey -> Cell */
	DecimalPool pool;
	DecimalPool row_pool;
} PreferenceExtra;

static void preference_book_init(Book *book);
static void preference_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size preference_book_tail_size(const Book *book);
static void preference_book_append_tail(Book *book, ByteBuffer *buffer);

static const BookKind preference_book_kind = {
	.format = &preference_book_format,
	.payload_size = 0,
	.row_size = sizeof(PreferenceRow),
	.init = preference_book_init,
	.apply = preference_book_apply,
	.tail_size = preference_book_tail_size,
	.append_tail = preference_book_append_tail
};

#define ST_SORT sort_cells
#define ST_ELEMENT_TYPE PreferenceCell
#define ST_COMPARE(a, b) (((a)->category > (b)->category) - ((a)->category < (b)->category))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---------- building ---------- */

static void
init_extra(PreferenceExtra *extra, MemoryContext context)
{
	keytable_init(&extra->categories, KEY_BYTES, 0, context);
	keytable_init(&extra->cells, KEY_FIXED16, sizeof(Cell), context);
	extra->pool = (DecimalPool) {.context = context};
	extra->row_pool = (DecimalPool) {.context = context};
}

static void
preference_book_init(Book *book)
{
	book->extra = palloc(sizeof(PreferenceExtra));
	init_extra(book->extra, book->hdr.eoh_context);
}

static void
preference_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	PreferenceExtra *extra = book->extra;
	const PreferenceRow *row = rows;
	Key			keys[KEYTABLE_BATCH];
	uint32		cells[KEYTABLE_BATCH];

	memset(keys, 0, n * sizeof(Key));
	for (int i = 0; i < n; i++)
	{
		CellKey		key = {.member = entries[i], .category = row[i].category};

		memcpy(keys[i].fixed, &key, sizeof(key));
	}
	keytable_locate(&extra->cells, keys, n, cells);
	for (int i = 0; i < n; i++)
	{
		Cell	   *cell = keytable_payload(&extra->cells, cells[i]);
		int64		amount = row[i].amount;
		bool		is_refund = decimal_is_pooled(amount) ? decimal_sign(&extra->row_pool.item[amount >> 8]) < 0 : amount < 0;

		cell->n += !is_refund;
		if (!decimal_add_packed(&cell->money, &extra->pool, amount, &extra->row_pool))
			decimal_sum_error();
	}
	extra->row_pool.count = 0;
}

/* Adds one row to the state: argument 1 is the member, then come the category and the amount. */
static inline Datum
preference_book_step(FunctionCallInfo fcinfo, KeyType key_type)
{
	Book	   *book = book_of_state(fcinfo, &preference_book_kind, key_type, 0);
	PreferenceExtra *extra = book->extra;
	text	   *category;
	int64		amount;
	Key			name;
	Key		   *key;
	PreferenceRow *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return book_skip_row(book);
	amount = numeric_read(PG_GETARG_DATUM(3), "amount", &extra->row_pool);
	row = book_next_row(book, &key);
	book_set_key(book, key, key_type, PG_GETARG_DATUM(1));
	category = PG_GETARG_TEXT_PP(2);
	name.bytes.data = VARDATA_ANY(category);
	name.bytes.length = (uint32) VARSIZE_ANY_EXHDR(category);
	keytable_locate(&extra->categories, &name, 1, &row->category);
	PG_FREE_IF_COPY(category, 2);
	row->amount = amount;
	return book_push(book);
}

/* preference_book_step_<member>(preference_book, member, category, amount) */
#define PREFERENCE_BOOK_STEP(name, key_type) \
CUSTMART_FUNCTION(custmart_preference_book_step_##name); \
Datum \
custmart_preference_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return preference_book_step(fcinfo, key_type); \
}

PREFERENCE_BOOK_STEP(bigint, KEY_INT64)
PREFERENCE_BOOK_STEP(uuid, KEY_FIXED16)
PREFERENCE_BOOK_STEP(text, KEY_BYTES)

/* ---------- storing ---------- */

static Size
preference_book_tail_size(const Book *book)
{
	const PreferenceExtra *extra = book->extra;

	return keytable_stored_size(&extra->categories) + book->table.count + (Size) extra->cells.count * CELL_SIZE;
}

static void
preference_book_append_tail(Book *book, ByteBuffer *buffer)
{
	PreferenceExtra *extra = book->extra;
	uint32		members = book->table.count;
	uint32	   *first = large_alloc(CurrentMemoryContext, ((Size) members + 1) * sizeof(uint32));
	uint32	   *grouped = keytable_grouped(&extra->cells, offsetof(CellKey, member), members, first);
	uint32	   *order = keytable_sorted(&extra->categories);
	uint32	   *place = large_alloc(CurrentMemoryContext, Max((Size) extra->categories.count, 1) * sizeof(uint32));
	PreferenceCell *cells = large_alloc(CurrentMemoryContext, Max((Size) extra->categories.count, 1) * sizeof(PreferenceCell));
	PreferenceWriter *writer = palloc(sizeof(PreferenceWriter));

	for (uint32 i = 0; i < extra->categories.count; i++)
	{
		check_interrupts(i);
		place[order[i]] = i;
	}
	preference_writer_init(writer);
	for (uint32 i = 0; i < members; i++)
	{
		uint32		member = book->order[i];
		Size		n = 0;

		check_interrupts(i);
		for (uint32 k = first[member]; k < first[member + 1]; k++)
		{
			const Cell *cell = keytable_payload(&extra->cells, grouped[k]);
			CellKey		key;

			check_interrupts(k);
			memcpy(&key, keytable_entry(&extra->cells, grouped[k]), sizeof(key));
			cells[n] = (PreferenceCell) {.category = place[key.category], .n = cell->n, .money = cell->money};
			n++;
		}
		sort_cells(cells, n);
		preference_write_member(writer, cells, n, &extra->pool);
	}
	preference_write_tail(writer, &extra->categories, order, buffer);
	pfree(writer);
	pfree(cells);
	pfree(place);
	pfree(order);
	pfree(grouped);
	pfree(first);

	/* Empty again. */
	keytable_clear(&extra->categories);
	keytable_clear(&extra->cells);
	decimal_pool_clear(&extra->pool);
	decimal_pool_clear(&extra->row_pool);
	init_extra(extra, book->hdr.eoh_context);
}

/* ---------- text, binary, merging, counts ---------- */

BOOK_FUNCTIONS(preference_book, &preference_book_kind)
BOOK_MEMBER_COUNT(preference_book, &preference_book_kind)
BOOK_FORGET(preference_book, &preference_book_format, "members")
