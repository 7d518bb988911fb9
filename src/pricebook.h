/*
 * pricebook.h
 *	  What the building of a pricebook and the reports made of it share.
 */
#ifndef CUSTMART_PRICEBOOK_H
#define CUSTMART_PRICEBOOK_H

#include "custmart.h"

#include "book.h"
#include "numeric.h"
#include "pricebook_core.h"

/* The forms of a book. */
#define PRICEBOOK_PRICES 0
#define PRICEBOOK_PERIODS 1		/* with periods and quantities */

/* A pricebook opened for reading.  Rows are in order of item, period, group, price. */
typedef struct PriceReader
{
	BookReader	reader;
	int			decimals;		/* most that a price was given with */
	int64		price_skipped;
	int64		quantity_skipped;
	uint32		group_count;
	const uint8 *group_lengths;
	const uint8 *group_bytes;
	uint32		wide_count;
	const uint8 *wide;
	const uint8 *item_rows;		/* how many rows each item has */
	const uint8 *rows;
	uint32		row_count;
} PriceReader;

extern const BookKind pricebook_kind;

extern const char *pricebook_split(PriceReader *prices);
extern void pricebook_open(PriceReader *prices, Datum value);
extern DecimalPool pricebook_load_wide(const PriceReader *prices);
extern PricePoint pricebook_get_row(const PriceReader *prices, uint32 row);

#endif							/* CUSTMART_PRICEBOOK_H */
