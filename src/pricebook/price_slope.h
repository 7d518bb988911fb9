/*
 * price_slope.h
 *	  The stored form of price_slope_summary: for each item its cells, one per period,
 *	  with the sums of a regression; without periods each item has one cell.
 */
#ifndef CUSTMART_PRICE_SLOPE_H
#define CUSTMART_PRICE_SLOPE_H

#include "custmart.h"

#include "book/book.h"
#include "pricebook/price_slope_core.h"

/* The form of a book. */
#define SLOPE_NO_PERIODS 1
#define SLOPE_MEMBERS 2			/* cells by folds of the members */
#define SLOPE_FORMS 3

#define SLOPE_HEAD_SIZE 4		/* number of cells */
#define SLOPE_CELL_SIZE(form) (4 + (slope_has_members(form) ? 1 : 0) + SLOPE_STORED_SIZE)	/* period, fold, sums */

/* The sums of an item in a period, in a book with members those of one fold. */
typedef struct ItemCell
{
	int32		period;
	uint32		fold;
	SlopeCell	sums;
} ItemCell;

/* A price_slope_summary opened for reading. */
typedef struct SlopeReader
{
	BookReader	reader;
	const uint8 *item_cells;	/* how many cells each item has */
	const uint8 *cells;
	uint32		cell_count;
} SlopeReader;

static inline bool
slope_has_periods(uint8 form)
{
	return (form & SLOPE_NO_PERIODS) == 0;
}

static inline bool
slope_has_members(uint8 form)
{
	return (form & SLOPE_MEMBERS) != 0;
}

extern const BookFormat price_slope_format;

extern const char *price_slope_split(SlopeReader *slopes);
extern void price_slope_get_cell(const SlopeReader *slopes, uint32 i, ItemCell *cell);
extern uint8 *price_slope_store_cell(uint8 form, int32 period, uint32 fold, const SlopeCell *cell, uint8 *bytes);
extern void price_slope_check_rows(const SlopeCell *cell, uint8 form);

#endif							/* CUSTMART_PRICE_SLOPE_H */
