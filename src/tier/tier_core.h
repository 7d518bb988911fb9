/*
 * tier_core.h
 *	  Grades inside a cohort.
 *
 * A member's grade follows from the share of members with a strictly greater
 * value: grade k if that share is below the sum of the first k shares, the
 * last grade if it is below none.  So equal values have equal grades, and every
 * grade but the last comes down to one number, its cut: the lowest value that
 * still has it.  Cuts are found by selection, without sorting.
 */
#ifndef CUSTMART_TIER_CORE_H
#define CUSTMART_TIER_CORE_H

#include "money/decimal.h"

#define TIER_MAX 1000			/* grades */

extern const char *tier_accumulate(const float8 *shares, int n, float8 *sums);
extern void tier_cuts_of_numbers(float8 *values, Size n,
								 const float8 *sums, int grades, float8 *cuts);
extern void tier_cuts_of_decimals(int64 *values, const DecimalPool *pool, Size n,
								  const float8 *sums, int grades,
								  int64 *cuts, bool *has_cut);

#endif							/* CUSTMART_TIER_CORE_H */
