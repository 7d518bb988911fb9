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

/* The form of a book: of prices, and perhaps more. */
#define PRICEBOOK_PERIODS 1		/* with periods and quantities */
#define PRICEBOOK_MEMBERS 2		/* with what the folds of the members paid */
#define PRICEBOOK_FORMS 3

/* Sizes of the parts of the stored tail. */
#define PRICEBOOK_HEAD_SIZE 21	/* decimals, skipped, skipped, number of groups */
#define PRICEBOOK_ROW_SIZE(form) (((form) & PRICEBOOK_PERIODS) != 0 ? 28 : 16)
#define PRICEBOOK_FOLD_SIZE(form) (((form) & PRICEBOOK_PERIODS) != 0 ? 25 : 21)
#define PRICEBOOK_FOLD_SIZE_MAX 25

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
	const uint8 *item_folds;	/* in a book with members: number of fold rows of each item */
	const uint8 *folds;
	uint32		fold_count;
} PriceReader;

/* Writes a tail, item by item. */
typedef struct PriceTailWriter
{
	uint8		form;
	Size		next_item;		/* offset in the buffer of its number of rows */
	uint32		rows;			/* of the current item */
	DecimalPool wide;
	ByteBuffer	item_folds;		/* which follow everything else */
	ByteBuffer	folds;
	uint32		fold_rows;		/* of the current item */
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
extern PriceFold pricebook_get_fold(const PriceReader *prices, uint32 fold);

extern void price_tail_begin(PriceTailWriter *writer, uint8 form, int decimals,
							 int64 price_skipped, int64 quantity_skipped,
							 const KeyTable *groups, uint32 items, ByteBuffer *buffer);
extern void price_tail_row(PriceTailWriter *writer, int32 period, uint32 group,
						   int64 price, const DecimalPool *price_pool, uint32 count,
						   int64 quantity, const DecimalPool *quantity_pool, ByteBuffer *buffer);
extern void price_tail_fold(PriceTailWriter *writer, const PriceFold *fold);
extern void price_tail_end_item(PriceTailWriter *writer, ByteBuffer *buffer);
extern void price_tail_end(PriceTailWriter *writer, ByteBuffer *buffer);
extern uint32 price_locate_group(KeyTable *groups, const char *name, uint32 length);
extern void price_raise_count(void);
extern void price_raise_quantities(void);

static inline bool
pricebook_has_periods(uint8 form)
{
	return (form & PRICEBOOK_PERIODS) != 0;
}

static inline bool
pricebook_has_members(uint8 form)
{
	return (form & PRICEBOOK_MEMBERS) != 0;
}

/* The order in which the fold rows of an item are stored. */
static inline int
compare_price_folds(const PriceFold *a, const PriceFold *b)
{
	if (a->period != b->period)
		return a->period < b->period ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->fold > b->fold) - (a->fold < b->fold);
}

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
