/*
 * price_slope.c
 *	  The type price_slope_summary: how prices rise with x, such as years as a member,
 *	  for one item in one period.  Building it.
 */
#include "pricebook/price_slope.h"

#include "datatype/timestamp.h"
#include "money/decimal_numeric.h"
#include "shared/arguments.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "shared/time_arguments.h"
#include "utils/builtins.h"
#include "utils/date.h"

/* A row not yet applied. */
typedef struct PendingSlope
{
	float8		x;
	float8		y;
	int32		period;
	uint32		fold;
} PendingSlope;

/* What identifies a cell in the table of a book with members. */
typedef struct FoldCellKey
{
	uint32		item;
	int32		period;
	uint32		fold;
	uint32		unused;
} FoldCellKey;

StaticAssertDecl(sizeof(FoldCellKey) == 16, "a key has no holes");

/* What cells are sorted by when they are stored. */
typedef struct SortedCell
{
	uint32		item;			/* its position in the order of items */
	int32		period;
	uint32		fold;
	uint32		entry;
} SortedCell;

static void price_slope_init(Book *book);
static void price_slope_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size price_slope_tail_size(const Book *book);
static void price_slope_append_tail(Book *book, ByteBuffer *buffer);

static const BookKind price_slope_kind = {
	.format = &price_slope_format,
	.payload_size = 0,
	.row_size = sizeof(PendingSlope),
	.init = price_slope_init,
	.apply = price_slope_apply,
	.tail_size = price_slope_tail_size,
	.append_tail = price_slope_append_tail
};

/* ---------- building ---------- */

/* The table of cells: item, period and with members fold -> SlopeCell. */
static KeyTable *
cells_of(const Book *book)
{
	return book->extra;
}

static Key
cell_key(uint8 form, uint32 item, int32 period, uint32 fold)
{
	FoldCellKey fold_key = {item, period, fold, 0};
	Key			key = {0};

	if (slope_has_members(form))
		memcpy(key.fixed, &fold_key, sizeof(fold_key));
	else
		key.number = (int64) ((uint64) item << 32 | (uint32) period);
	return key;
}

static FoldCellKey
cell_of_entry(const Book *book, uint32 entry)
{
	Key			key = keytable_key(cells_of(book), entry);
	FoldCellKey cell = {0};

	if (slope_has_members(book->form))
		memcpy(&cell, key.fixed, sizeof(cell));
	else
	{
		cell.item = (uint32) ((uint64) key.number >> 32);
		cell.period = (int32) (uint32) key.number;
	}
	return cell;
}

static void
price_slope_init(Book *book)
{
	book->extra = palloc(sizeof(KeyTable));
	keytable_init(book->extra, slope_has_members(book->form) ? KEY_FIXED16 : KEY_INT64, sizeof(SlopeCell),
				  book->hdr.eoh_context);
}

static void
price_slope_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	const PendingSlope *row = rows;
	Key			keys[KEYTABLE_BATCH] = {{0}};
	uint32		found[KEYTABLE_BATCH];

	for (int i = 0; i < n; i++)
		keys[i] = cell_key(book->form, entries[i], row[i].period, row[i].fold);
	keytable_locate(cells_of(book), keys, n, found);
	for (int i = 0; i < n; i++)
	{
		SlopeCell  *cell = keytable_payload(cells_of(book), found[i]);

		slope_add(cell, row[i].x, row[i].y);
		price_slope_check_rows(cell, book->form);
	}
}

/*
 * Adds one row to the state: argument 1 is the item, then, if there are any, the
 * period, then x and price, then, if there are any, the member.
 */
static inline Datum
price_slope_step(FunctionCallInfo fcinfo, KeyType item_type, uint8 form, KeyType member_type)
{
	Book	   *book = book_of_state(fcinfo, &price_slope_kind, item_type, form);
	int			x_argument = slope_has_periods(form) ? 3 : 2;
	DecimalPool pool = {.context = CurrentMemoryContext};
	Key		   *key;
	PendingSlope *row;
	float8		x;
	float8		price;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(x_argument) || PG_ARGISNULL(x_argument + 1) ||
		(slope_has_members(form) && PG_ARGISNULL(x_argument + 2)))
		return book_skip_row(book);
	row = book_next_row(book, &key);
	row->period = slope_has_periods(form) ? date_check(PG_GETARG_DATEADT(2), "period") : 0;
	x = PG_GETARG_FLOAT8(x_argument);
	if (unlikely(!(fabs(x) <= SLOPE_X_MAX)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("x must be a number from -%.0f to %.0f, not %s", SLOPE_X_MAX, SLOPE_X_MAX,
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(x)))),
				 errhint("Use a larger unit, such as years, or exclude such rows.")));
	price = decimal_packed_to_double(numeric_read(PG_GETARG_DATUM(x_argument + 1), "price", &pool), &pool);
	if (pool.item != NULL)
		pfree(pool.item);
	if (price <= 0)
		return book_skip_row(book);
	row->x = x;
	row->y = log(price);
	row->fold = slope_has_members(form) ? argument_member_fold(fcinfo, x_argument + 2, member_type) : 0;
	if (item_type == KEY_INT64)
		key->number = PG_GETARG_INT64(1);
	else
		book_set_text_key(book, key, PG_GETARG_DATUM(1));
	return book_push(book);
}

/*
 * price_slope_step_<item>(price_slope_summary, item, x, price),
 * price_slope_step_<item>_period(price_slope_summary, item, period, x, price), and the
 * same with _member_<type> and a member behind
 */
#define PRICE_SLOPE_STEP(name, item_type, form, member_type) \
CUSTMART_FUNCTION(custmart_price_slope_step_##name); \
Datum \
custmart_price_slope_step_##name(PG_FUNCTION_ARGS) \
{ \
	return price_slope_step(fcinfo, item_type, form, member_type); \
}

#define PRICE_SLOPE_STEPS(name, item_type, form) \
PRICE_SLOPE_STEP(name, item_type, form, 0) \
PRICE_SLOPE_STEP(name##_member_bigint, item_type, (form) | SLOPE_MEMBERS, KEY_INT64) \
PRICE_SLOPE_STEP(name##_member_uuid, item_type, (form) | SLOPE_MEMBERS, KEY_FIXED16) \
PRICE_SLOPE_STEP(name##_member_text, item_type, (form) | SLOPE_MEMBERS, KEY_BYTES)

PRICE_SLOPE_STEPS(bigint, KEY_INT64, SLOPE_NO_PERIODS)
PRICE_SLOPE_STEPS(text, KEY_BYTES, SLOPE_NO_PERIODS)
PRICE_SLOPE_STEPS(bigint_period, KEY_INT64, 0)
PRICE_SLOPE_STEPS(text_period, KEY_BYTES, 0)

/* ---------- storing ---------- */

static Size
price_slope_tail_size(const Book *book)
{
	return SLOPE_HEAD_SIZE + (Size) book->table.count * 4 + (Size) cells_of(book)->count * SLOPE_CELL_SIZE(book->form);
}

static int
compare_cells(const void *a, const void *b, void *unused)
{
	const SortedCell *x = a;
	const SortedCell *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	if (x->period != y->period)
		return x->period < y->period ? -1 : 1;
	return (x->fold > y->fold) - (x->fold < y->fold);
}

static void
price_slope_append_tail(Book *book, ByteBuffer *buffer)
{
	KeyTable   *cells = cells_of(book);
	uint32		items = book->table.count;
	uint32	   *place = large_alloc(CurrentMemoryContext, Max((Size) items, 1) * sizeof(uint32));
	SortedCell *sorted = large_alloc(CurrentMemoryContext,
												Max((Size) cells->count, 1) * sizeof(SortedCell));
	uint8	   *bytes = buffer_reserve(buffer, price_slope_tail_size(book));
	uint32		at = 0;

	for (uint32 i = 0; i < items; i++)
	{
		check_interrupts(i);
		place[book->order[i]] = i;
	}
	for (uint32 i = 0; i < cells->count; i++)
	{
		FoldCellKey key = cell_of_entry(book, i);

		check_interrupts(i);
		sorted[i].item = place[key.item];
		sorted[i].period = key.period;
		sorted[i].fold = key.fold;
		sorted[i].entry = i;
	}
	qsort_interruptible(sorted, cells->count, sizeof(SortedCell), compare_cells, NULL);

	bytes = store_u32(bytes, cells->count);
	for (uint32 i = 0; i < items; i++)
	{
		uint32		begin = at;

		check_interrupts(i);
		while (at < cells->count && sorted[at].item == i)
			at++;
		bytes = store_u32(bytes, at - begin);
	}
	for (uint32 i = 0; i < cells->count; i++)
	{
		check_interrupts(i);
		bytes = price_slope_store_cell(book->form, sorted[i].period, sorted[i].fold,
						   keytable_payload(cells, sorted[i].entry), bytes);
	}
	buffer_advance(buffer, bytes);
	keytable_clear(cells);
	pfree(place);
	pfree(sorted);
}

/* ---------- text, binary, merging, count ---------- */

BOOK_FUNCTIONS(price_slope_summary, &price_slope_kind)
