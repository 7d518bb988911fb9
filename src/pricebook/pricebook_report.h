/*
 * pricebook_report.h
 *	  What the reports made of a pricebook share: the book opened with one of its
 *	  groups as the reference, gone through item by item.
 *
 * Items are taken in their stored order and everything about an item is done
 * before the next, so that sums of floating point numbers have one order.
 */
#ifndef CUSTMART_PRICEBOOK_REPORT_H
#define CUSTMART_PRICEBOOK_REPORT_H

#include "pricebook/pricebook.h"

/* A book opened with one group as the reference. */
typedef struct PriceReport
{
	PriceReader prices;
	DecimalPool pool;			/* wide prices and quantities; results are added */
	uint32		reference;
	Datum	   *groups;			/* their names */
	MemoryContext row_context;	/* for one result row */

	PricePoint *points;			/* of the item in hand */
	uint32		npoints;
	uint32		room;
	uint32		next_row;
} PriceReport;

extern bool price_report_open(PriceReport *report, FunctionCallInfo fcinfo, int argument);
extern void price_report_load_item(PriceReport *report, uint32 item);
extern bool price_report_find_reference(const PriceReport *report, uint32 begin, uint32 end,
										uint32 *first, uint32 *npoints);
extern Datum price_report_money_datum(const Decimal *money, const PriceReport *report);
extern Datum price_report_packed_datum(int64 packed, const PriceReport *report);
extern void price_raise_out_of_range(void);

/* Where the points of this point's group in its period end. */
static inline uint32
price_report_end_of_group(const PriceReport *report, uint32 i)
{
	const PricePoint *first = &report->points[i];

	while (++i < report->npoints && report->points[i].group == first->group &&
		   report->points[i].period == first->period)
		;
	return i;
}

/* Where the points of this point's period end. */
static inline uint32
price_report_end_of_cell(const PriceReport *report, uint32 i)
{
	const PricePoint *first = &report->points[i];

	while (++i < report->npoints && report->points[i].period == first->period)
		;
	return i;
}

#endif							/* CUSTMART_PRICEBOOK_REPORT_H */
