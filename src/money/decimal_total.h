/*
 * decimal_total.h
 *	  Exact sums of products, such as price times quantity.
 *
 * A total is near + far.  What 128 bits hold, at the largest scale so far, is
 * added up in `near`; only what does not fit goes to the 256 bits of `far`.  So
 * a total never depends on the order of its terms, unless even 256 bits do not
 * hold it, which is an error and never a rounding.
 */
#ifndef CUSTMART_DECIMAL_TOTAL_H
#define CUSTMART_DECIMAL_TOTAL_H

#include "money/decimal.h"

typedef struct DecimalTotal
{
	int128		near;
	int32		scale;			/* of near */
	bool		has_far;
	Decimal		far;
} DecimalTotal;

extern bool decimal_total_add(DecimalTotal *total, int sign,
							  int64 a, const DecimalPool *a_pool,
							  int64 b, const DecimalPool *b_pool);
extern bool decimal_total_merge(DecimalTotal *total, const DecimalTotal *other);
extern bool decimal_total_get(const DecimalTotal *total, Decimal *sum);

#endif							/* CUSTMART_DECIMAL_TOTAL_H */
