/*
 * safe_count_core.c
 *	  Finds the largest count that has to be hidden, in one pass.
 */
#include "privacy/safe_count_core.h"

/* Adds a count, which is not negative, of a table. */
void
safe_count_add(SafeCount *counts, int64 n, int32 min_members)
{
	Assert(n >= 0);
	if (n == 0)
		return;
	if (n < min_members)
	{
		counts->small++;
		counts->small_sum = Min(counts->small_sum + n, min_members);
	}
	else if (counts->next == 0 || n < counts->next)
		counts->next = n;
}

/* The largest count that is hidden: those from 1 to it are, and 0 and those above it are not. */
int64
safe_count_cut(const SafeCount *counts, int32 min_members)
{
	if (counts->small > 0 && counts->next > 0 && (counts->small < 2 || counts->small_sum < min_members))
		return counts->next;
	return min_members - 1;
}
