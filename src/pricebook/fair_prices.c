/*
 * fair_prices.c
 *	  The prices that the reference pays, for joins with what others paid.
 */
#include "pricebook/pricebook_report.h"

#include "shared/report.h"
#include "utils/date.h"

typedef struct FairPricesReport
{
	PriceReport prices;
	BookKeyCursor keys;
	Key			key;			/* of the item of the row */
	uint32		next_item;
	uint32		next_point;		/* where the item's next cell begins */
	uint32		wide;			/* prices in the pool, without medians */
} FairPricesReport;

/* The variant is the argument with the book. */
static void *
open_fair_prices(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	FairPricesReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(FairPricesReport));
	if (!price_report_open(&report->prices, fcinfo, book))
		return NULL;
	book_check_key_type(&report->prices.prices.reader, &pricebook_format,
						TupleDescAttr(columns, 0)->atttypid, "items", "fair_prices", "book, reference");
	book_key_cursor(&report->keys, &report->prices.prices.reader);
	report->wide = report->prices.pool.count;
	return report;
}

/* Finds the reference's points in the next cell in which it bought; false if there is none. */
static bool
find_next_cell(FairPricesReport *report, uint32 *first, uint32 *npoints)
{
	PriceReport *prices = &report->prices;

	for (;;)
	{
		uint32		begin = report->next_point;

		if (begin == prices->npoints)
		{
			if (report->next_item == prices->prices.reader.count)
				return false;
			CHECK_FOR_INTERRUPTS();
			report->key = book_next_key(&report->keys);
			price_report_load_item(prices, report->next_item++);
			begin = 0;
		}
		report->next_point = price_report_end_of_cell(prices, begin);
		if (price_report_find_reference(prices, begin, report->next_point, first, npoints))
			return true;
	}
}

static bool
next_fair_price(void *state, Datum *values, bool *nulls)
{
	FairPricesReport *report = state;
	PriceReport *prices = &report->prices;
	uint32		first;
	uint32		npoints;
	int64		rows = 0;
	const PricePoint *points;

	if (!find_next_cell(report, &first, &npoints))
		return false;
	points = prices->points + first;
	for (uint32 i = 0; i < npoints; i++)
		rows += points[i].count;
	prices->pool.count = report->wide;
	values[0] = book_key_datum(prices->prices.reader.key_type, &report->key);
	values[1] = DateADTGetDatum(points->period);
	nulls[1] = !pricebook_has_periods(prices->prices.reader.form);
	values[2] = price_report_packed_datum(price_median(points, npoints, rows, &prices->pool), prices);
	values[3] = Int64GetDatum(rows);
	return true;
}

static const Report fair_prices_report = {open_fair_prices, next_fair_price, 4};

/* fair_prices(pricebook_summary, reference): the reference's median in every cell; items are bigint. */
CUSTMART_REPORT(custmart_fair_prices, fair_prices_report, 0)

/* fair_prices(anyelement, pricebook_summary, reference): items of the given type. */
CUSTMART_REPORT(custmart_fair_prices_typed, fair_prices_report, 1)
