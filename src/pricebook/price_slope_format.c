/*
 * price_slope_format.c
 *	  The bytes of a price_slope_summary: checking, reading and merging them.
 */
#include "pricebook/price_slope.h"

#include "datatype/timestamp.h"
#include "shared/bytes.h"
#include "shared/member_fold.h"
#include "utils/date.h"

#define PRICE_SLOPE_VERSION 1

static const char *price_slope_check(const uint8 *bytes, Size length);
static void price_slope_merge_tails(const BookFormat *format, const BookReader *parts, int n,
									const BookMergeOrder *order, ByteBuffer *buffer);

const BookFormat price_slope_format = {
	.type = {"price_slope_summary", price_slope_check},
	.stored_kind = STORED_PRICE_SLOPE,
	.stored_version = PRICE_SLOPE_VERSION,
	.form_hint = "Make all parts with the same arguments: all with a period or none, all with members or none.",
	.size_hint = "Take longer periods, or make one per slice of the items, for example WHERE hashint8(item) & 3 = 0 for the first of four (hashtext for text).",
	.merge_tails = price_slope_merge_tails
};

/* The largest number of rows of a cell: those of all folds do not exceed SLOPE_ROWS_MAX. */
static inline int64
price_slope_rows_max(uint8 form)
{
	return slope_has_members(form) ? SLOPE_ROWS_MAX / MEMBER_FOLDS : SLOPE_ROWS_MAX;
}

/* Raises an error if a cell has more rows than can be stored. */
void
price_slope_check_rows(const SlopeCell *cell, uint8 form)
{
	if (unlikely(cell->n > price_slope_rows_max(form)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("price_slope_summary cannot hold more than " INT64_FORMAT " rows of an item in a period%s",
						price_slope_rows_max(form), slope_has_members(form) ? " of one fold of the members" : ""),
				 errhint("Use periods, or shorter ones.")));
}

/* Writes a cell and returns what is behind it; a book without members has no folds. */
uint8 *
price_slope_store_cell(uint8 form, int32 period, uint32 fold, const SlopeCell *cell, uint8 *bytes)
{
	bytes = store_u32(bytes, (uint32) period);
	if (slope_has_members(form))
		*bytes++ = (uint8) fold;
	slope_store(cell, bytes);
	return bytes + SLOPE_STORED_SIZE;
}

/* ---------- reading ---------- */

/* Finds the parts of the tail; returns what is wrong with their sizes, or NULL. */
const char *
price_slope_split(SlopeReader *slopes)
{
	const uint8 *bytes = slopes->reader.tail;
	Size		left = slopes->reader.tail_size;
	Size		cells = 0;

	if (left < SLOPE_HEAD_SIZE || (left - SLOPE_HEAD_SIZE) / 4 < slopes->reader.count)
		return "it is truncated";
	slopes->cell_count = load_u32(bytes);
	slopes->item_cells = bytes + SLOPE_HEAD_SIZE;
	slopes->cells = slopes->item_cells + (Size) slopes->reader.count * 4;
	left -= SLOPE_HEAD_SIZE + (Size) slopes->reader.count * 4;
	if (left != (Size) slopes->cell_count * SLOPE_CELL_SIZE(slopes->reader.form))
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

/* Reads a cell by its number among those of all items. */
void
price_slope_get_cell(const SlopeReader *slopes, uint32 i, ItemCell *cell)
{
	uint8		form = slopes->reader.form;
	const uint8 *bytes = slopes->cells + (Size) i * SLOPE_CELL_SIZE(form);

	cell->period = (int32) load_u32(bytes);
	cell->fold = slope_has_members(form) ? bytes[4] : 0;
	slope_load(bytes + SLOPE_CELL_SIZE(form) - SLOPE_STORED_SIZE, &cell->sums);
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
		(wrong = price_slope_split(&slopes)) != NULL)
		return wrong;
	for (uint32 item = 0; item < slopes.reader.count; item++)
	{
		uint32		n = load_u32(slopes.item_cells + (Size) item * 4);
		ItemCell	last = {0};

		for (uint32 i = 0; i < n; i++)
		{
			ItemCell	cell;

			check_interrupts(at);
			price_slope_get_cell(&slopes, at++, &cell);
			if (!IS_VALID_DATE(cell.period))
				return "a period is out of range";
			if (!slope_has_periods(slopes.reader.form) && cell.period != 0)
				return "it has periods although its form has none";
			if (cell.fold >= MEMBER_FOLDS)
				return "a fold is out of range";
			if (i > 0 && compare_item_cells(&last, &cell) >= 0)
				return "its periods do not ascend";
			if ((wrong = slope_check(&cell.sums)) != NULL)
				return wrong;
			if (cell.sums.n > price_slope_rows_max(slopes.reader.form))
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
	price_slope_check_rows(&cell->sums, *form);
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
	Size		next_item = head + SLOPE_HEAD_SIZE;
	uint32		total = 0;
	uint8		form = readers[0].form;
	CellRuns	cells;

	for (int i = 0; i < n; i++)
	{
		parts[i].reader = readers[i];
		(void) price_slope_split(&parts[i]);
	}
	buffer_advance(buffer, buffer_reserve(buffer, SLOPE_HEAD_SIZE + (Size) order->count * 4) +
				   SLOPE_HEAD_SIZE + (Size) order->count * 4);
	CellRuns_init(&cells);
	for (Size i = 0; i < order->n; i++)
	{
		int			p = order->source[i] & BOOK_ORDER_PART;
		uint32		count = load_u32(parts[p].item_cells + (Size) item[p]++ * 4);
		ItemCell   *run = CellRuns_append(&cells, count);

		for (uint32 cell = 0; cell < count; cell++)
		{
			check_interrupts(cell);
			price_slope_get_cell(&parts[p], at[p]++, &run[cell]);
		}
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		CellRuns_merge(&cells, &form);
		for (Size cell = 0; cell < cells.count; cell++)
		{
			const ItemCell *c = &cells.element[cell];

			check_interrupts(cell);
			buffer_advance(buffer, price_slope_store_cell(form, c->period, c->fold, &c->sums,
											  buffer_reserve(buffer, SLOPE_CELL_SIZE(form))));
		}
		store_u32(buffer->data + next_item, (uint32) cells.count);
		next_item += 4;
		total += (uint32) cells.count;
		CellRuns_clear(&cells);
	}
	store_u32(buffer->data + head, total);
	CellRuns_free(&cells);
}
