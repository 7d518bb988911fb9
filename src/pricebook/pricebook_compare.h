/*
 * pricebook_compare.h
 *	  Compares all groups of a pricebook with the reference, for every item.
 *
 * What needs all items of a group at once (q-values, flags, the order of items)
 * is left to price_gaps.c, which decides the verdicts.
 */
#ifndef CUSTMART_PRICEBOOK_COMPARE_H
#define CUSTMART_PRICEBOOK_COMPARE_H

#include "pricebook/pricebook_report.h"

#include "statistics/fixed_effect.h"

/* One group's result for one item. */
typedef struct ItemGap
{
	uint32		item;
	uint32		group;
	int64		n;
	int64		reference_n;
	int64		sum;			/* packed, like all money here */
	int64		reference_sum;
	int64		median;
	int64		reference_median;
	int64		overcharge;
	float8		gap_pct;
	float8		hedges_g;
	float8		z;
	float8		p;				/* NAN, like q, if members are too few to tell */
	float8		q;
	FixedEffectCluster cluster;
	bool		is_flagged;
} ItemGap;

/* One group's result over all items. */
typedef struct GroupGap
{
	PriceGap	gap;			/* common cells */
	FixedEffectFolds *folds;	/* in a book with members */
	DecimalTotal sum;			/* of prices, all rows */
	int64		rows;
	float8		revenue;
	float8		common_revenue;
	uint32		items;
	uint32		first;			/* its items in ItemGaps.order */
	uint32		items_flagged;
} GroupGap;

typedef struct ItemGaps
{
	ItemGap    *item;
	uint32		count;
	Size		capacity;
	GroupGap   *group;
	uint32	   *order;			/* positions of items, those of a group together */
} ItemGaps;

extern void price_compare_items(PriceReport *report, ItemGaps *gaps, bool want_medians);

#endif							/* CUSTMART_PRICEBOOK_COMPARE_H */
