/*
 * order_checks_items.c
 *	  Items: how many rows and sales each has, and what is usual for its price and quantity.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/large_memory.h"

/* Sales of an item: price and quantity above 0. */
typedef struct ItemSales
{
	int64		sales;
	uint32		lines;			/* that they are counted in */
	float8		lowest_price;
	float8		highest_price;
	float8		lowest_quantity;
	float8		highest_quantity;
	Size		prices;			/* where its prices begin, if they are needed; then where they end */
	Size		quantities;
	bool		needs_prices;
	bool		needs_quantities;
} ItemSales;

/* Counts rows and sales of each item. */
static ItemSales *
count_items(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	ItemSales  *items = large_alloc_zeroed(CurrentMemoryContext, ((Size) checks->names[CHECK_ITEMS].count + 1) * sizeof(ItemSales));
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;

	scan->item_rows = large_alloc_zeroed(CurrentMemoryContext, ((Size) checks->names[CHECK_ITEMS].count + 1) * sizeof(int64));
	check_cursor_open(cursor, checks);
	for (uint32 i = 0; i < checks->nlines; i++)
	{
		uint32		item = (uint32) column_next(&columns[COLUMN_ITEM]);
		int64		price = column_next(&columns[COLUMN_PRICE]);
		int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
		int64		count = column_next(&columns[COLUMN_COUNT]);
		ItemSales  *sales = &items[item];

		check_interrupts(i);
		findings->rows += count;
		scan->item_rows[item] += count;
		if (is_positive(findings, price) && is_positive(findings, quantity))
		{
			float8		p = to_double(findings, price);
			float8		q = to_double(findings, quantity);

			if (sales->sales == 0)
			{
				sales->lowest_price = sales->highest_price = p;
				sales->lowest_quantity = sales->highest_quantity = q;
			}
			sales->lowest_price = Min(sales->lowest_price, p);
			sales->highest_price = Max(sales->highest_price, p);
			sales->lowest_quantity = Min(sales->lowest_quantity, q);
			sales->highest_quantity = Max(sales->highest_quantity, q);
			sales->sales += count;
			sales->lines++;
		}
	}
	pfree(cursor);
	return items;
}

/* The median quantity of all sales, which are counted in so many lines, doubled. */
static float8
doubled_median_of_all(Scan *scan, Size lines)
{
	CheckFindings *findings = scan->findings;
	CheckCursor *cursor = palloc(sizeof(CheckCursor));
	ColumnReader *columns = cursor->columns;
	CountedNumber *quantities = large_alloc(CurrentMemoryContext, lines * sizeof(CountedNumber));
	Size		n = 0;
	float8		lower;
	float8		upper;

	check_cursor_open(cursor, &findings->checks);
	for (uint32 i = 0; i < findings->checks.nlines; i++)
	{
		int64		price = column_next(&columns[COLUMN_PRICE]);
		int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
		int64		count = column_next(&columns[COLUMN_COUNT]);

		check_interrupts(i);
		if (is_positive(findings, price) && is_positive(findings, quantity))
			quantities[n++] = (CountedNumber) {to_double(findings, quantity), (uint32) count};
	}
	lower = lower_median(quantities, n, &upper);
	pfree(quantities);
	pfree(cursor);
	return lower + upper;
}

/* Finds what is usual for each item: its price, and the quantity from which on a sale is huge. */
static void
find_usual(Scan *scan, ItemSales *items)
{
	CheckFindings *findings = scan->findings;
	const CheckReader *checks = &findings->checks;
	uint32		nitems = checks->names[CHECK_ITEMS].count + 1;
	CheckCursor *cursor;
	ColumnReader *columns;
	CountedNumber *numbers;
	Size		room = 0;
	Size		lines = 0;
	float8		lowest_quantity = 0;
	float8		of_all = 0;
	bool		needs_all = false;

	scan->usual = large_alloc_zeroed(CurrentMemoryContext, nitems * sizeof(UsualPrice));
	scan->huge = large_alloc_zeroed(CurrentMemoryContext, nitems * sizeof(float8));

	/* Medians lie in between, so most items need not be looked at. */
	for (uint32 item = 0; item < nitems; item++)
	{
		check_interrupts(item);
		if (items[item].sales > 0)
			lowest_quantity = lines == 0 ? items[item].lowest_quantity :
				Min(lowest_quantity, items[item].lowest_quantity);
		lines += items[item].lines;
	}
	for (uint32 item = 1; item < nitems; item++)
	{
		ItemSales  *own = &items[item];

		check_interrupts(item);
		if (own->sales >= CHECK_ITEM_SALES)
		{
			own->needs_prices = own->highest_price >= own->lowest_price * CHECK_LOOK_TIMES;
			own->needs_quantities = own->highest_quantity >= own->lowest_quantity * CHECK_HUGE_TIMES;
		}
		else if (own->sales > 0 && own->highest_quantity >= lowest_quantity * CHECK_HUGE_TIMES)
			needs_all = true;
		own->prices = room;
		room += own->needs_prices ? own->lines : 0;
		own->quantities = room;
		room += own->needs_quantities ? own->lines : 0;
	}
	if (needs_all)
		of_all = doubled_median_of_all(scan, lines);
	for (uint32 item = 1; item < nitems; item++)
		if (items[item].sales > 0 && items[item].sales < CHECK_ITEM_SALES)
			scan->huge[item] = of_all * CHECK_HUGE_TIMES;
	scan->has_huge = needs_all;
	if (room == 0)
		return;

	numbers = large_alloc(CurrentMemoryContext, room * sizeof(CountedNumber));
	cursor = palloc(sizeof(CheckCursor));
	columns = cursor->columns;
	check_cursor_open(cursor, checks);
	for (uint32 i = 0; i < checks->nlines; i++)
	{
		ItemSales  *own = &items[column_next(&columns[COLUMN_ITEM])];
		int64		price = column_next(&columns[COLUMN_PRICE]);
		int64		quantity = column_next(&columns[COLUMN_QUANTITY]);
		int64		count = column_next(&columns[COLUMN_COUNT]);

		check_interrupts(i);
		if ((!own->needs_prices && !own->needs_quantities) ||
			!is_positive(findings, price) || !is_positive(findings, quantity))
			continue;
		if (own->needs_prices)
			numbers[own->prices++] = (CountedNumber) {to_double(findings, price), (uint32) count};
		if (own->needs_quantities)
			numbers[own->quantities++] = (CountedNumber) {to_double(findings, quantity), (uint32) count};
	}
	for (uint32 item = 1; item < nitems; item++)
	{
		const ItemSales *own = &items[item];

		check_interrupts(item);
		if (own->needs_prices)
			scan->usual[item] = usual_price(numbers + own->prices - own->lines, own->lines);
		if (own->needs_quantities)
		{
			float8		upper;
			float8		lower = lower_median(numbers + own->quantities - own->lines, own->lines, &upper);

			scan->huge[item] = (lower + upper) * CHECK_HUGE_TIMES;
			scan->has_huge = true;
		}
	}
	pfree(numbers);
	pfree(cursor);
}

/* All lines, for what each item has of them. */
void
scan_items(Scan *scan)
{
	ItemSales  *items = count_items(scan);

	find_usual(scan, items);
	pfree(items);
}
