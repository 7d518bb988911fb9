/*
 * pricebook.h
 *	  Shared by the building of a pricebook, its stored form and the reports.
 */
#ifndef CUSTMART_PRICEBOOK_H
#define CUSTMART_PRICEBOOK_H

#include "custmart.h"

#include "book/book.h"
#include "money/decimal_numeric.h"
#include "pricebook/pricebook_core.h"

/* The forms of a book. */
#define PRICEBOOK_PRICES 0
#define PRICEBOOK_PERIODS 1		/* with periods and quantities */

/* Sizes of the parts of the stored tail. */
#define PRICEBOOK_HEAD_SIZE 21	/* decimals, skipped, skipped, number of groups */
#define PRICEBOOK_ROW_SIZE(form) ((form) == PRICEBOOK_PERIODS ? 28 : 16)

/* A pricebook opened for reading.  Rows are in order of item, period, group, price. */
typedef struct PriceReader
{
	BookReader	reader;
	int			decimals;		/* largest number that a price was given with */
	int64		price_skipped;
	int64		quantity_skipped;
	uint32		group_count;
	const uint8 *group_lengths;
	const uint8 *group_bytes;
	const uint8 *item_rows;		/* number of rows of each item */
	const uint8 *rows;
	uint32		row_count;
	uint32		wide_count;
	const uint8 *wide;
} PriceReader;

/* Writes a tail, item by item. */
typedef struct PriceTailWriter
{
	uint8		form;
	Size		next_item;		/* offset in the buffer of its number of rows */
	uint32		rows;			/* of the current item */
	DecimalPool wide;
} PriceTailWriter;

/* What rows are sorted by when a book is stored, and what its checker compares. */
typedef struct SortedPrice
{
	int64		price;
	int64		scaled;			/* at the item's largest scale; 0 if unknown, or if one of them does not fit */
	int32		period;
	uint32		group;			/* its position in the order of groups */
	uint32		entry;
} SortedPrice;

extern const BookFormat pricebook_format;

extern void pricebook_open(PriceReader *prices, Datum value);
extern DecimalPool pricebook_load_wide(const PriceReader *prices);
extern PricePoint pricebook_get_row(const PriceReader *prices, uint32 row);

extern void price_tail_begin(PriceTailWriter *writer, uint8 form, int decimals,
							 int64 price_skipped, int64 quantity_skipped,
							 const KeyTable *groups, uint32 items, ByteBuffer *buffer);
extern void price_tail_row(PriceTailWriter *writer, int32 period, uint32 group,
						   int64 price, const DecimalPool *price_pool, uint32 count,
						   int64 quantity, const DecimalPool *quantity_pool, ByteBuffer *buffer);
extern void price_tail_end_item(PriceTailWriter *writer, ByteBuffer *buffer);
extern void price_tail_end(PriceTailWriter *writer, ByteBuffer *buffer);
extern uint32 price_locate_group(KeyTable *groups, const char *name, uint32 length);
extern void price_raise_count(void);
extern void price_raise_quantities(void);

/* The order in which the rows of an item are stored. */
static inline int
compare_sorted_prices(const SortedPrice *a, const SortedPrice *b, const DecimalPool *pool)
{
	if (a->period != b->period)
		return a->period < b->period ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->scaled != b->scaled)
		return a->scaled < b->scaled ? -1 : 1;
	return decimal_packed_compare(a->price, b->price, pool);
}

#endif							/* CUSTMART_PRICEBOOK_H */
