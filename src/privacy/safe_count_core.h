/*
 * safe_count_core.h
 *	  Which counts of a table with a printed total have to be hidden.
 *
 * Counts below a minimum are hidden.  If only one is, the total gives it away, and
 * if all of them together are below the minimum, the total says that they are; so
 * the smallest count that is left goes as well.  One is enough: with it there are
 * two, and their sum is at least the minimum.  Equal counts are hidden together.
 * So what is hidden comes down to one number, the largest count that is.
 */
#ifndef CUSTMART_SAFE_COUNT_CORE_H
#define CUSTMART_SAFE_COUNT_CORE_H

#include "shared/core.h"

/* What is known of the counts of a table; initially zeros. */
typedef struct SafeCount
{
	int64		small;			/* how many counts are above 0 and below the minimum */
	int64		small_sum;		/* of these, up to the minimum */
	int64		next;			/* the smallest of the others; 0: there is none */
} SafeCount;

extern void safe_count_add(SafeCount *counts, int64 n, int32 min_members);
extern int64 safe_count_cut(const SafeCount *counts, int32 min_members);

#endif							/* CUSTMART_SAFE_COUNT_CORE_H */
