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
#include "shared/large_memory.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"
#include "pricebook/price_slope_core.h"
#include "statistics/fixed_effect.h"
#include "utils/builtins.h"
#include "utils/date.h"

#define PRICE_SLOPE_VERSION 1

/* The form of a book. */
#define SLOPE_NO_PERIODS 1
#define SLOPE_MEMBERS 2			/* cells by folds of the members */
#define SLOPE_FORMS 3

#define HEAD_SIZE 4				/* number of cells */
#define CELL_SIZE(form) (4 + (has_members(form) ? 1 : 0) + SLOPE_STORED_SIZE)	/* period, fold, sums */

/* A row not yet applied. */
typedef struct PendingSlope
{
	float8		x;
	float8		y;
	int32		period;
	uint32		fold;
} PendingSlope;

/* The sums of an item in a period, in a book with members those of one fold. */
typedef struct ItemCell
{
	int32		period;
	uint32		fold;
	SlopeCell	sums;
} ItemCell;

/* What identifies a cell in the table of a book with members. */
typedef struct FoldCellKey
{
	uint32		item;
	int32		period;
	uint32		fold;
	uint32		unused;
} FoldCellKey;

StaticAssertDecl(sizeof(FoldCellKey) == 16, "a key has no holes");

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
	uint32		fold;
	uint32		entry;
} SortedCell;

static inline bool
has_periods(uint8 form)
{
	return (form & SLOPE_NO_PERIODS) == 0;
}

static inline bool
has_members(uint8 form)
{
	return (form & SLOPE_MEMBERS) != 0;
}

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
	.form_hint = "Make all parts with the same arguments: all with a period or none, all with members or none.",
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

	if (has_members(form))
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

	if (has_members(book->form))
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
	keytable_init(book->extra, has_members(book->form) ? KEY_FIXED16 : KEY_INT64, sizeof(SlopeCell),
				  book->hdr.eoh_context);
}

/* The largest number of rows of a cell: those of all folds do not exceed SLOPE_ROWS_MAX. */
static inline int64
rows_max(uint8 form)
{
	return has_members(form) ? SLOPE_ROWS_MAX / MEMBER_FOLDS : SLOPE_ROWS_MAX;
}

static void
check_row_count(const SlopeCell *cell, uint8 form)
{
	if (unlikely(cell->n > rows_max(form)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("price_slope_summary cannot hold more than " INT64_FORMAT " rows of an item in a period%s",
						rows_max(form), has_members(form) ? " of one fold of the members" : ""),
				 errhint("Use periods, or shorter ones.")));
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
		check_row_count(cell, book->form);
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
	int			x_argument = has_periods(form) ? 3 : 2;
	DecimalPool pool = {.context = CurrentMemoryContext};
	Key		   *key;
	PendingSlope *row;
	float8		x;
	float8		price;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(x_argument) || PG_ARGISNULL(x_argument + 1) ||
		(has_members(form) && PG_ARGISNULL(x_argument + 2)))
		return book_skip_row(book);
	row = book_next_row(book, &key);
	row->period = has_periods(form) ? date_check(PG_GETARG_DATEADT(2), "period") : 0;
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
	row->fold = has_members(form) ? argument_member_fold(fcinfo, x_argument + 2, member_type) : 0;
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
	return HEAD_SIZE + (Size) book->table.count * 4 + (Size) cells_of(book)->count * CELL_SIZE(book->form);
}

static uint8 *
store_cell(uint8 form, int32 period, uint32 fold, const SlopeCell *cell, uint8 *bytes)
{
	bytes = store_u32(bytes, (uint32) period);
	if (has_members(form))
		*bytes++ = (uint8) fold;
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
		bytes = store_cell(book->form, sorted[i].period, sorted[i].fold,
						   keytable_payload(cells, sorted[i].entry), bytes);
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
	if (left != (Size) slopes->cell_count * CELL_SIZE(slopes->reader.form))
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
get_cell(const SlopeReader *slopes, uint32 i, ItemCell *cell)
{
	uint8		form = slopes->reader.form;
	const uint8 *bytes = slopes->cells + (Size) i * CELL_SIZE(form);

	cell->period = (int32) load_u32(bytes);
	cell->fold = has_members(form) ? bytes[4] : 0;
	slope_load(bytes + CELL_SIZE(form) - SLOPE_STORED_SIZE, &cell->sums);
}

/* The order in which the cells of an item are stored. */
static inline int
compare_item_cells(const ItemCell *a, const ItemCell *b)
{
	if (a->period != b->period)
		return a->period < b->period ? -1 : 1;
	return (a->fold > b->fold) - (a->fold < b->fold);
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
	if (slopes.reader.form > SLOPE_FORMS)
		return "its form is unknown";
	if ((wrong = book_check_order(&slopes.reader)) != NULL ||
		(wrong = split(&slopes)) != NULL)
		return wrong;
	for (uint32 item = 0; item < slopes.reader.count; item++)
	{
		uint32		n = load_u32(slopes.item_cells + (Size) item * 4);
		ItemCell	last = {0};

		for (uint32 i = 0; i < n; i++)
		{
			ItemCell	cell;

			check_interrupts(at);
			get_cell(&slopes, at++, &cell);
			if (!IS_VALID_DATE(cell.period))
				return "a period is out of range";
			if (!has_periods(slopes.reader.form) && cell.period != 0)
				return "it has periods although its form has none";
			if (cell.fold >= MEMBER_FOLDS)
				return "a fold is out of range";
			if (i > 0 && compare_item_cells(&last, &cell) >= 0)
				return "its periods do not ascend";
			if ((wrong = slope_check(&cell.sums)) != NULL)
				return wrong;
			if (cell.sums.n > rows_max(slopes.reader.form))
				return "a cell's number of rows is out of range";
			last = cell;
		}
	}
	return NULL;
}

/* ---------- merging ---------- */

static void
add_cell(ItemCell *cell, const ItemCell *other, const uint8 *form)
{
	slope_merge(&cell->sums, &other->sums);
	check_row_count(&cell->sums, *form);
}

#define RUNS_NAME CellRuns
#define RUNS_ELEMENT ItemCell
#define RUNS_CONTEXT uint8
#define RUNS_COMPARE(a, b, form) compare_item_cells(a, b)
#define RUNS_ADD(a, b, form) add_cell(a, b, form)
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
	uint8		form = readers[0].form;
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
			get_cell(&parts[p], at[p]++, &run[cell]);
		}
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		CellRuns_merge(&cells, &form);
		for (Size cell = 0; cell < cells.count; cell++)
		{
			const ItemCell *c = &cells.element[cell];

			check_interrupts(cell);
			buffer_advance(buffer, store_cell(form, c->period, c->fold, &c->sums,
											  buffer_reserve(buffer, CELL_SIZE(form))));
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
	FixedEffect effect;			/* if there are items */
	FixedEffectInference inference;
	bool		is_done;
} SlopesReport;

/* What an item has of the sums by folds: of x~ y~ and of x~ squared. */
typedef struct ItemFolds
{
	float8		product[MEMBER_FOLDS];
	float8		square[MEMBER_FOLDS];
} ItemFolds;

/* Adds what a cell has without each of the folds; those that it has are its parts. */
static void
add_cell_folds(FixedEffectFolds *folds, ItemFolds *item, const ItemCell *part, uint32 nparts,
			   const SlopeCell *cell, float8 product, float8 square)
{
	uint32		next = 0;

	for (uint32 f = 0; f < MEMBER_FOLDS; f++)
	{
		FixedEffectFold *fold = &folds->fold[f];
		float8		product_left = product;
		float8		square_left = square;

		if (next < nparts && part[next].fold == f)
		{
			SlopeCell	rest = *cell;
			float8		part_product;
			float8		part_square;

			slope_part_deviations(&part[next].sums, cell, &part_product, &part_square);
			item->product[f] += part_product;
			item->square[f] += part_square;
			slope_subtract(&rest, &part[next++].sums);
			fold->is_used = true;
			fold->weight += part_square;
			if (rest.n == 0 || !slope_deviations(&rest, &product_left, &square_left))
				continue;
		}
		fold->product += product_left;
		fold->square += square_left;
	}
}

/*
 * The sums of (x~ e)^2, taking the rows of an item in a fold together: what items and
 * folds have in common, as rows themselves are not kept.
 */
static void
add_common_rows(FixedEffectRows *rows, const ItemFolds *item)
{
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		FixedEffectRows more = {.weight = item->square[i] * item->square[i], .mean = item->product[i] / item->square[i]};

		fixed_effect_add_rows(rows, &more);
	}
}

static void *
open_slopes(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	SlopesReport *report;
	SlopeReader slopes;
	FixedEffectCluster *clusters;
	FixedEffectFolds folds = {.fold = {{0}}};
	FixedEffectRows rows = {0};
	uint32		nclusters = 0;
	uint32		at = 0;
	float8		alpha;
	bool		by_members;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(SlopesReport));
	alpha = argument_alpha(fcinfo, book + 1);
	book_open(&slopes.reader, PG_GETARG_DATUM(book), &price_slope_format);
	(void) split(&slopes);
	by_members = has_members(slopes.reader.form);
	clusters = large_alloc(CurrentMemoryContext,
									  Max((Size) slopes.reader.count, 1) * sizeof(FixedEffectCluster));

	for (uint32 item = 0; item < slopes.reader.count; item++)
	{
		uint32		end = at + load_u32(slopes.item_cells + (Size) item * 4);
		FixedEffectCluster cluster = {0, 0};
		ItemFolds	item_folds = {.product = {0}};

		while (at < end)
		{
			ItemCell	part[MEMBER_FOLDS];
			uint32		nparts = 0;
			SlopeCell	cell;
			float8		product;
			float8		square;

			check_interrupts(at);
			get_cell(&slopes, at++, &part[nparts++]);
			cell = part[0].sums;
			for (; by_members && at < end; at++, nparts++)
			{
				ItemCell	next;

				get_cell(&slopes, at, &next);
				if (next.period != part[0].period)
					break;
				part[nparts] = next;
				slope_merge(&cell, &next.sums);
			}
			if (!slope_deviations(&cell, &product, &square))
				continue;
			cluster.product += product;
			cluster.square += square;
			if (by_members)
				add_cell_folds(&folds, &item_folds, part, nparts, &cell, product, square);
			report->cells++;
			if (pg_add_s64_overflow(report->rows, cell.n, &report->rows))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("number of rows is out of range")));
		}
		if (cluster.square > 0)
		{
			clusters[nclusters++] = cluster;
			add_common_rows(&rows, &item_folds);
		}
	}
	report->items = nclusters;
	if (nclusters > 0)
	{
		report->effect = fixed_effect(clusters, nclusters,
									  by_members ? &folds : NULL, by_members ? &rows : NULL);
		report->inference = fixed_effect_infer(&report->effect, nclusters == 1 && by_members, alpha);
	}
	pfree(clusters);
	return report;
}

static bool
next_slope(void *state, Datum *values, bool *nulls)
{
	SlopesReport *report = state;
	const FixedEffect *effect = &report->effect;
	const FixedEffectInference *inference = &report->inference;

	if (report->is_done)
		return false;
	report->is_done = true;
	values[0] = Int64GetDatum(report->items);
	values[2] = Int64GetDatum(report->cells);
	values[3] = Int64GetDatum(report->rows);
	if (report->items == 0)
	{
		nulls[1] = true;
		memset(nulls + 4, true, 7);
		return true;
	}
	values[1] = Float8GetDatum(effect->effective_items);
	values[4] = Float8GetDatum(effect->slope);
	values[5] = Float8GetDatum(100 * expm1(effect->slope));
	if (isnan(inference->error))
	{
		memset(nulls + 6, true, 5);
		return true;
	}
	values[6] = Float8GetDatum(100 * expm1(inference->low));
	values[7] = Float8GetDatum(100 * expm1(inference->high));
	values[8] = Float8GetDatum(inference->error);
	values[9] = Float8GetDatum(inference->df);
	values[10] = Float8GetDatum(inference->p);
	return true;
}

static const Report slopes = {open_slopes, next_slope, 11};

/*
 * price_slopes(price_slope_summary, alpha): one row, the slope over all items.  An item
 * contributes if x differs inside one of its periods.
 */
CUSTMART_REPORT(custmart_price_slopes, slopes, 0)

/* ---------- text, binary, merging, count ---------- */

BOOK_FUNCTIONS(price_slope_summary, &price_slope_kind)
