/*
 * fair_prices.c
 *	  The prices that the reference pays, for joins with what others paid.
 */
#include "pricebook/pricebook_report.h"

#include "funcapi.h"
#include "utils/date.h"

static Datum
fair_prices(FunctionCallInfo fcinfo, int book_argument)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	PriceReport report;
	BookKeyCursor cursor;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(book_argument) || !price_report_open(&report, fcinfo, book_argument))
		return (Datum) 0;
	book_check_key_type(&report.prices.reader, &pricebook_format,
						TupleDescAttr(result->setDesc, 0)->atttypid, "items", "fair_prices", "book, reference");

	book_key_cursor(&cursor, &report.prices.reader);
	for (uint32 item = 0; item < report.prices.reader.count; item++)
	{
		Key			key = book_next_key(&cursor);

		CHECK_FOR_INTERRUPTS();
		price_report_load_item(&report, item);
		for (uint32 begin = 0, end; begin < report.npoints; begin = end)
		{
			uint32		first;
			uint32		npoints;
			int64		rows = 0;
			uint32		wide = report.pool.count;
			Datum		values[4];
			bool		nulls[4] = {0};
			MemoryContext old;

			end = price_report_end_of_cell(&report, begin);
			if (!price_report_find_reference(&report, begin, end, &first, &npoints))
				continue;
			for (uint32 i = first; i < first + npoints; i++)
				rows += report.points[i].count;
			MemoryContextReset(report.row_context);
			old = MemoryContextSwitchTo(report.row_context);
			values[0] = book_key_datum(report.prices.reader.key_type, &key);
			values[1] = DateADTGetDatum(report.points[begin].period);
			nulls[1] = report.prices.reader.form == PRICEBOOK_PRICES;
			values[2] = price_report_packed_datum(price_median(report.points + first, npoints, rows,
															   &report.pool), &report);
			values[3] = Int64GetDatum(rows);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			MemoryContextSwitchTo(old);
			report.pool.count = wide;
		}
	}
	return (Datum) 0;
}

/* fair_prices(pricebook_summary, reference): the reference's median in every cell; items are text. */
CUSTMART_FUNCTION(custmart_fair_prices);
Datum
custmart_fair_prices(PG_FUNCTION_ARGS)
{
	return fair_prices(fcinfo, 0);
}

/* fair_prices(anyelement, pricebook_summary, reference): items of the given type. */
CUSTMART_FUNCTION(custmart_fair_prices_typed);
Datum
custmart_fair_prices_typed(PG_FUNCTION_ARGS)
{
	return fair_prices(fcinfo, 1);
}
