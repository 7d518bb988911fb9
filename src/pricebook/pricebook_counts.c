/*
 * pricebook_counts.c
 *	  What is counted in a pricebook: rows skipped by reason, cells.
 */
#include "pricebook/pricebook.h"

#include "mb/pg_wchar.h"
#include "shared/bytes.h"
#include "utils/builtins.h"

/* rows_skipped(pricebook_summary, reason): rows left out for one reason. */
CUSTMART_FUNCTION(custmart_pricebook_rows_skipped_reason);
Datum
custmart_pricebook_rows_skipped_reason(PG_FUNCTION_ARGS)
{
	PriceReader prices;
	char	   *reason = text_to_cstring(PG_GETARG_TEXT_PP(1));

	pricebook_open(&prices, PG_GETARG_DATUM(0));
	if (strcmp(reason, "null") == 0)
		PG_RETURN_INT64(prices.reader.rows_skipped - prices.price_skipped - prices.quantity_skipped);
	if (strcmp(reason, "price") == 0)
		PG_RETURN_INT64(prices.price_skipped);
	if (strcmp(reason, "quantity") == 0)
		PG_RETURN_INT64(prices.quantity_skipped);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("reason \"%.*s\" is not known",
					pg_mbcliplen(reason, (int) strlen(reason), 60), reason),
			 errhint("Rows are skipped for one of: null (an argument is NULL), price (not above 0), quantity (not above 0).")));
}

/* cell_count(pricebook_summary): each item counts once for every period in which it was sold. */
CUSTMART_FUNCTION(custmart_pricebook_cell_count);
Datum
custmart_pricebook_cell_count(PG_FUNCTION_ARGS)
{
	PriceReader prices;
	int64		cells;
	uint32		row = 0;

	pricebook_open(&prices, PG_GETARG_DATUM(0));
	cells = prices.reader.count;
	for (uint32 item = 0; item < prices.reader.count; item++)
	{
		uint32		end = row + load_u32(prices.item_rows + (Size) item * 4);

		for (uint32 i = row; i + 1 < end; i++)
		{
			check_interrupts(i);
			cells += pricebook_get_row(&prices, i).period != pricebook_get_row(&prices, i + 1).period;
		}
		row = end;
	}
	PG_RETURN_INT64(cells);
}
