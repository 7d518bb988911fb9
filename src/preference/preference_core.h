/*
 * preference_core.h
 *	  What a member likes: which categories they buy from, and which of these more
 *	  than others do.
 *
 * With n purchases, n_c of them of category c, and s_c = n_c / n:
 *
 *		entropy		- sum of s_c ln s_c			(Shannon 1948), in nats
 *		effective	e ^ entropy					(the number of equal categories of that entropy)
 *		hhi			sum of s_c ^ 2				(Herfindahl and Hirschman)
 *		index		(n_c + k q_c) / (n + k) / q_c
 *
 * where q_c is the share of category c of all purchases of everybody, and k how many
 * purchases like everybody's each member is credited with.  What everybody buys is
 * nobody's preference: the index is how many times as often as others they buy it.
 */
#ifndef CUSTMART_PREFERENCE_CORE_H
#define CUSTMART_PREFERENCE_CORE_H

#include "money/decimal.h"

#define PREFERENCE_NONE UINT32_C(0xFFFFFFFF)	/* in place of a category */

/* What a member bought of one category. */
typedef struct PreferenceCell
{
	uint32		category;
	int64		n;				/* purchases */
	int64		money;			/* packed; refunds lower it */
} PreferenceCell;

typedef struct PreferenceMeasures
{
	int64		n;
	int64		categories;		/* with purchases */
	uint32		top;			/* the category with most purchases, PREFERENCE_NONE if several have */
	uint32		distinctive;	/* the one with the greatest index, PREFERENCE_NONE likewise, or if none has enough purchases */
	float8		top_share;
	float8		entropy;
	float8		effective;
	float8		hhi;
	float8		index;			/* of the distinctive one */
} PreferenceMeasures;

extern void preference_measure(const PreferenceCell *cells, Size n, const int64 *purchases, int64 all, int64 min_rows,
							   float8 prior_weight, PreferenceMeasures *measures);

#endif							/* CUSTMART_PREFERENCE_CORE_H */
