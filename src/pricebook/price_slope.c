/*
 * price_slope.c
 *	  The type price_slope_summary: how prices rise with x, such as years as a member,
 *	  for one item in one period.
 *
 * A book of items; each has cells, one per period, with the sums of a regression.
 * Without periods each item has one cell.
 */
#include "custmart.h"

#include <math.h>

#include "shared/arguments.h"
#include "book/book.h"
#include "shared/bytes.h"
#include "datatype/timestamp.h"
#include "statistics/fixed_effect.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"
#include "pricebook/price_slope_core.h"
#include "statistics/distributions.h"
#include "utils/builtins.h"
#include "utils/date.h"

#define PRICE_SLOPE_VERSION 1

/* The forms of a book. */
#define SLOPE_PERIODS 0
#define SLOPE_NO_PERIODS 1

#define HEAD_SIZE 4				/* number of cells */
#define CELL_SIZE (4 + SLOPE_STORED_SIZE)	/* period, sums */

/* A row not yet applied. */
typedef struct PendingSlope
{
	float8		x;
	float8		y;
	int32		period;
} PendingSlope;

/* A price_slope opened for reading. */
typedef struct SlopeReader
{
	BookReader	reader;
	const uint8 *item_cells;	/* how many cells each item has */
	const uint8 *cells;
	uint32		cell_count;
} SlopeReader;

/* What cells are sorted by when they are stored. */
typedef struct SortedCell
{
	uint32		item;			/* its position in the order of items */
	int32		period;
	uint32		entry;
} SortedCell;

static const char *price_slope_check(const uint8 *bytes, Size length);
static void price_slope_merge_tails(const BookFormat *format, const BookReader *parts, int n,
									const BookMergeOrder *order, ByteBuffer *buffer);
static void price_slope_init(Book *book);
static void price_slope_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size price_slope_tail_size(const Book *book);
static void price_slope_append_tail(Book *book, ByteBuffer *buffer);

static const BookFormat price_slope_format = {
	.type = {"price_slope_summary", price_slope_check},
	.stored_kind = STORED_PRICE_SLOPE,
	.stored_version = PRICE_SLOPE_VERSION,
	.form_hint = "Make all parts with the same arguments: all with a period, or all without.",
	.size_hint = "Take longer periods, or make one per slice of the items, for example WHERE hashint8(item) & 3 = 0 for the first of four (hashtext for text).",
	.merge_tails = price_slope_merge_tails
};

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

/* The table of cells: item and period -> SlopeCell. */
static KeyTable *
cells_of(const Book *book)
{
	return book->extra;
}

static Key
cell_key(uint32 item, int32 period)
{
	Key			key = {0};

	key.number = (int64) ((uint64) item << 32 | (uint32) period);
	return key;
}

static void
price_slope_init(Book *book)
{
	book->extra = palloc(sizeof(KeyTable));
	keytable_init(book->extra, KEY_INT64, sizeof(SlopeCell), book->hdr.eoh_context);
}

static void
check_row_count(const SlopeCell *cell)
{
	if (unlikely(cell->n > SLOPE_ROWS_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("price_slope_summary cannot hold more than " INT64_FORMAT " rows of an item in a period",
						SLOPE_ROWS_MAX),
				 errhint("Use periods, or shorter ones.")));
}

static void
price_slope_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	const PendingSlope *row = rows;
	Key			keys[KEYTABLE_BATCH] = {{0}};
	uint32		found[KEYTABLE_BATCH];

	for (int i = 0; i < n; i++)
		keys[i] = cell_key(entries[i], row[i].period);
	keytable_locate(cells_of(book), keys, n, found);
	for (int i = 0; i < n; i++)
	{
		SlopeCell  *cell = keytable_payload(cells_of(book), found[i]);

		slope_add(cell, row[i].x, row[i].y);
		check_row_count(cell);
	}
}

/* Adds one row to the state: argument 1 is the item, then, if there are any, the period, then x and price. */
static inline Datum
price_slope_step(FunctionCallInfo fcinfo, KeyType item_type, uint8 form)
{
	Book	   *book = book_of_state(fcinfo, &price_slope_kind, item_type, form);
	int			x_argument = form == SLOPE_PERIODS ? 3 : 2;
	DecimalPool pool = {.context = CurrentMemoryContext};
	Key		   *key;
	PendingSlope *row;
	float8		x;
	float8		price;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) ||
		(form == SLOPE_PERIODS && PG_ARGISNULL(4)))
		return book_skip_row(book);
	row = book_next_row(book, &key);
	row->period = form == SLOPE_PERIODS ? date_check(PG_GETARG_DATEADT(2), "period") : 0;
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
	if (item_type == KEY_INT64)
		key->number = PG_GETARG_INT64(1);
	else
		book_set_text_key(book, key, PG_GETARG_DATUM(1));
	return book_push(book);
}

/*
 * price_slope_step_<item>(price_slope_summary, item, x, price) and
 * price_slope_step_<item>_period(price_slope_summary, item, period, x, price)
 */
#define PRICE_SLOPE_STEP(name, item_type, form) \
CUSTMART_FUNCTION(custmart_price_slope_step_##name); \
Datum \
custmart_price_slope_step_##name(PG_FUNCTION_ARGS) \
{ \
	return price_slope_step(fcinfo, item_type, form); \
}

PRICE_SLOPE_STEP(bigint, KEY_INT64, SLOPE_NO_PERIODS)
PRICE_SLOPE_STEP(text, KEY_BYTES, SLOPE_NO_PERIODS)
PRICE_SLOPE_STEP(bigint_period, KEY_INT64, SLOPE_PERIODS)
PRICE_SLOPE_STEP(text_period, KEY_BYTES, SLOPE_PERIODS)

/* ---------- storing ---------- */

static Size
price_slope_tail_size(const Book *book)
{
	return HEAD_SIZE + (Size) book->table.count * 4 + (Size) cells_of(book)->count * CELL_SIZE;
}

static uint8 *
store_cell(int32 period, const SlopeCell *cell, uint8 *bytes)
{
	bytes = store_u32(bytes, (uint32) period);
	slope_store(cell, bytes);
	return bytes + SLOPE_STORED_SIZE;
}

static int
compare_cells(const void *a, const void *b, void *unused)
{
	const SortedCell *x = a;
	const SortedCell *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return (x->period > y->period) - (x->period < y->period);
}

static void
price_slope_append_tail(Book *book, ByteBuffer *buffer)
{
	KeyTable   *cells = cells_of(book);
	uint32		items = book->table.count;
	uint32	   *place = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) items, 1) * sizeof(uint32));
	SortedCell *sorted = MemoryContextAllocHuge(CurrentMemoryContext,
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
		uint64		key = (uint64) keytable_key(cells, i).number;

		check_interrupts(i);
		sorted[i].item = place[key >> 32];
		sorted[i].period = (int32) (uint32) key;
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
		bytes = store_cell(sorted[i].period, keytable_payload(cells, sorted[i].entry), bytes);
	}
	buffer_advance(buffer, bytes);
	keytable_clear(cells);
	pfree(place);
	pfree(sorted);
}

/* ---------- reading ---------- */

/* Finds the parts of the tail; returns what is wrong with their sizes, or NULL. */
static const char *
split(SlopeReader *slopes)
{
	const uint8 *bytes = slopes->reader.tail;
	Size		left = slopes->reader.tail_size;
	Size		cells = 0;

	if (left < HEAD_SIZE || (left - HEAD_SIZE) / 4 < slopes->reader.count)
		return "it is truncated";
	slopes->cell_count = load_u32(bytes);
	slopes->item_cells = bytes + HEAD_SIZE;
	slopes->cells = slopes->item_cells + (Size) slopes->reader.count * 4;
	left -= HEAD_SIZE + (Size) slopes->reader.count * 4;
	if (left != (Size) slopes->cell_count * CELL_SIZE)
		return "its length is wrong";
	for (uint32 i = 0; i < slopes->reader.count; i++)
	{
		uint32		n = load_u32(slopes->item_cells + (Size) i * 4);

		check_interrupts(i);
		if (n == 0)
			return "an item has no cell";
		cells += n;
	}
	return cells != slopes->cell_count ? "its numbers of cells do not add up" : NULL;
}

static void
get_cell(const SlopeReader *slopes, uint32 i, int32 *period, SlopeCell *cell)
{
	const uint8 *bytes = slopes->cells + (Size) i * CELL_SIZE;

	*period = (int32) load_u32(bytes);
	slope_load(bytes + 4, cell);
}

/* Returns what is wrong with stored bytes, or NULL. */
static const char *
price_slope_check(const uint8 *bytes, Size length)
{
	SlopeReader slopes;
	const char *wrong = book_read_header(&slopes.reader, &price_slope_format, bytes, length);
	uint32		at = 0;

	if (wrong != NULL)
		return wrong;
	if (slopes.reader.key_type == KEY_FIXED16)
		return "its items are neither bigint nor text";
	if (slopes.reader.form > SLOPE_NO_PERIODS)
		return "its form is unknown";
	if ((wrong = book_check_order(&slopes.reader)) != NULL ||
		(wrong = split(&slopes)) != NULL)
		return wrong;
	for (uint32 item = 0; item < slopes.reader.count; item++)
	{
		uint32		n = load_u32(slopes.item_cells + (Size) item * 4);
		int32		last = 0;

		for (uint32 i = 0; i < n; i++)
		{
			SlopeCell	cell;
			int32		period;

			check_interrupts(at);
			get_cell(&slopes, at++, &period, &cell);
			if (!IS_VALID_DATE(period))
				return "a period is out of range";
			if (slopes.reader.form == SLOPE_NO_PERIODS && period != 0)
				return "it has periods although its form has none";
			if (i > 0 && period <= last)
				return "its periods do not ascend";
			if ((wrong = slope_check(&cell)) != NULL)
				return wrong;
			last = period;
		}
	}
	return NULL;
}

/* ---------- merging ---------- */

/* A cell of the current item. */
typedef struct ItemCell
{
	int32		period;
	SlopeCell	sums;
} ItemCell;

static void
add_cell(ItemCell *cell, const ItemCell *other)
{
	slope_merge(&cell->sums, &other->sums);
	check_row_count(&cell->sums);
}

#define RUNS_NAME CellRuns
#define RUNS_ELEMENT ItemCell
#define RUNS_CONTEXT void
#define RUNS_COMPARE(a, b, context) (((a)->period > (b)->period) - ((a)->period < (b)->period))
#define RUNS_ADD(a, b, context) add_cell(a, b)
#include "shared/merge_runs.h"

static void
price_slope_merge_tails(const BookFormat *format, const BookReader *readers, int n,
						const BookMergeOrder *order, ByteBuffer *buffer)
{
	SlopeReader parts[BOOK_PARTS_MAX];
	uint32		item[BOOK_PARTS_MAX] = {0};
	uint32		at[BOOK_PARTS_MAX] = {0};
	Size		head = buffer->size;
	Size		next_item = head + HEAD_SIZE;
	uint32		total = 0;
	CellRuns	cells;

	for (int i = 0; i < n; i++)
	{
		parts[i].reader = readers[i];
		(void) split(&parts[i]);
	}
	buffer_advance(buffer, buffer_reserve(buffer, HEAD_SIZE + (Size) order->count * 4) +
				   HEAD_SIZE + (Size) order->count * 4);
	CellRuns_init(&cells);
	for (Size i = 0; i < order->n; i++)
	{
		int			p = order->source[i] & BOOK_ORDER_PART;
		uint32		count = load_u32(parts[p].item_cells + (Size) item[p]++ * 4);
		ItemCell   *run = CellRuns_append(&cells, count);

		for (uint32 cell = 0; cell < count; cell++)
		{
			check_interrupts(cell);
			get_cell(&parts[p], at[p]++, &run[cell].period, &run[cell].sums);
		}
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		CellRuns_merge(&cells, NULL);
		for (Size cell = 0; cell < cells.count; cell++)
		{
			check_interrupts(cell);
			buffer_advance(buffer, store_cell(cells.element[cell].period, &cells.element[cell].sums,
											  buffer_reserve(buffer, CELL_SIZE)));
		}
		store_u32(buffer->data + next_item, (uint32) cells.count);
		next_item += 4;
		total += (uint32) cells.count;
		CellRuns_clear(&cells);
	}
	store_u32(buffer->data + head, total);
	CellRuns_free(&cells);
}

/* ---------- the result ---------- */

/* The one row of price_slopes. */
typedef struct SlopesReport
{
	int64		items;
	int64		cells;
	int64		rows;
	FixedEffect effect;			/* if there are items; its errors, if there are two */
	bool		is_done;
} SlopesReport;

static void *
open_slopes(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	SlopesReport *report;
	SlopeReader slopes;
	FixedEffectCluster *clusters;
	uint32		nclusters = 0;
	uint32		at = 0;
	float8		alpha;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(SlopesReport));
	alpha = argument_alpha(fcinfo, book + 1);
	book_open(&slopes.reader, PG_GETARG_DATUM(book), &price_slope_format);
	(void) split(&slopes);
	clusters = MemoryContextAllocHuge(CurrentMemoryContext,
									  Max((Size) slopes.reader.count, 1) * sizeof(FixedEffectCluster));

	for (uint32 item = 0; item < slopes.reader.count; item++)
	{
		uint32		end = at + load_u32(slopes.item_cells + (Size) item * 4);
		FixedEffectCluster cluster = {0, 0};

		for (; at < end; at++)
		{
			SlopeCell	cell;
			int32		period;
			float8		product;
			float8		square;

			check_interrupts(at);
			get_cell(&slopes, at, &period, &cell);
			if (!slope_deviations(&cell, &product, &square))
				continue;
			cluster.product += product;
			cluster.square += square;
			report->cells++;
			if (pg_add_s64_overflow(report->rows, cell.n, &report->rows))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("number of rows is out of range")));
		}
		if (cluster.square > 0)
			clusters[nclusters++] = cluster;
	}
	report->items = nclusters;
	if (nclusters > 0)
		report->effect = fixed_effect(clusters, nclusters, alpha);
	pfree(clusters);
	return report;
}

static bool
next_slope(void *state, Datum *values, bool *nulls)
{
	SlopesReport *report = state;
	const FixedEffect *effect = &report->effect;

	if (report->is_done)
		return false;
	report->is_done = true;
	values[0] = Int64GetDatum(report->items);
	values[1] = Int64GetDatum(report->cells);
	values[2] = Int64GetDatum(report->rows);
	memset(nulls + 3, true, 6);
	if (report->items > 0)
	{
		values[3] = Float8GetDatum(effect->slope);
		values[4] = Float8GetDatum(100 * expm1(effect->slope));
		nulls[3] = nulls[4] = false;
	}
	if (report->items > 1)
	{
		float8		p = effect->error > 0 ?
			statistics_student_p(effect->slope / effect->error, report->items - 1) :
			effect->slope == 0 ? 1 : 0;

		values[5] = Float8GetDatum(effect->error);
		values[6] = Float8GetDatum(100 * expm1(effect->low));
		values[7] = Float8GetDatum(100 * expm1(effect->high));
		values[8] = Float8GetDatum(p);
		memset(nulls + 5, false, 4);
	}
	return true;
}

/*
 * price_slopes(price_slope_summary, alpha): one row, the slope over all items.  An item
 * contributes if x differs inside one of its periods.
 */
CUSTMART_FUNCTION(custmart_price_slopes);
Datum
custmart_price_slopes(PG_FUNCTION_ARGS)
{
	static const Report slopes = {open_slopes, next_slope};

	return report_rows(fcinfo, &slopes, 0);
}

/* ---------- text, binary, merging, count ---------- */

BOOK_FUNCTIONS(price_slope_summary, &price_slope_kind)
