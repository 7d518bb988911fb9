/*
 * pricebook_report.h
 *	  Shared by the reports on a pricebook: the book, opened with one of its groups
 *	  as the reference, and a walk through its items.
 *
 * Items are processed one by one in their stored order, so sums of floating-point
 * numbers have one order.
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
	MemoryContext context;		/* of the points, which outlive a row of a report */

	PricePoint *points;			/* of the current item */
	uint32		npoints;
	uint32		room;
	uint32		next_row;

	PriceFold  *folds;			/* of the current item, in a book with members */
	uint32		nfolds;
	uint32		folds_room;
	uint32		next_fold;
} PriceReport;

extern bool price_report_open(PriceReport *report, FunctionCallInfo fcinfo, int argument);
extern void price_report_load_item(PriceReport *report, uint32 item);
extern bool price_report_find_reference(const PriceReport *report, uint32 begin, uint32 end,
										uint32 *first, uint32 *npoints);
extern Datum price_report_money_datum(const Decimal *money, const PriceReport *report);
extern Datum price_report_packed_datum(int64 packed, const PriceReport *report);
extern void price_raise_out_of_range(void);

/* The end of the points of this point's group in its period. */
static inline uint32
price_report_end_of_group(const PriceReport *report, uint32 i)
{
	const PricePoint *first = &report->points[i];

	while (++i < report->npoints && report->points[i].group == first->group &&
		   report->points[i].period == first->period)
		;
	return i;
}

/* The end of the points of this point's period. */
static inline uint32
price_report_end_of_cell(const PriceReport *report, uint32 i)
{
	const PricePoint *first = &report->points[i];

	while (++i < report->npoints && report->points[i].period == first->period)
		;
	return i;
}

#endif							/* CUSTMART_PRICEBOOK_REPORT_H */
