/*
 * tier_core.c
 *	  Cuts between grades.
 */
#include "tier/tier_core.h"

#include <math.h>

#define SELECT_NAME select_number
#define SELECT_TYPE float8
#define SELECT_LESS(a, b) ((a) > (b))	/* from the greatest down */
#include "shared/quickselect.h"

#define SELECT_NAME select_decimal
#define SELECT_TYPE int64
#define SELECT_CONTEXT DecimalPool
#define SELECT_LESS(a, b) (decimal_packed_compare(a, b, context) > 0)
#include "shared/quickselect.h"

/* Far more than the error of sums and quotients, far less than one member's share. */
#define ROUNDING 1e-12

/*
 * Adds up the sizes of the grades: sums[k] is the share of members who have
 * grade k or a better one.  Returns what is wrong with them, or NULL.
 *
 * A sum that exceeds 1 by no more than rounding is 1.
 */
const char *
tier_accumulate(const float8 *shares, int n, float8 *sums)
{
	float8		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (!(shares[i] >= 0) || !(shares[i] <= 1))
			return "each share must be from 0 to 1";
		sum += shares[i];
		if (sum > 1 + ROUNDING)
			return "their sum must not be above 1";
		sums[i] = Min(sum, 1);
	}
	return NULL;
}

/*
 * How many ranks (from 0) of n lie below a share of them.  A rank that is below
 * it only by rounding is not: 0.1 + 0.2 is meant to be 0.3, and 2.0 / 3 of three
 * members are two.
 */
static Size
ranks_below(float8 share, Size n)
{
	Size		count;

	share *= 1 - ROUNDING;
	count = (Size) Min((float8) n, floor(share * (float8) n));

	while (count > 0 && !((float8) (count - 1) / (float8) n < share))
		count--;
	while (count < n && (float8) count / (float8) n < share)
		count++;
	return count;
}

/*
 * The cut of each grade but the last, among n >= 1 values, which are reordered;
 * infinity where nobody can have the grade.
 */
void
tier_cuts_of_numbers(float8 *values, Size n, const float8 *sums, int grades, float8 *cuts)
{
	Size		done = 0;

	for (int i = 0; i < grades; i++)
	{
		Size		count = ranks_below(sums[i], n);

		if (count == 0)
		{
			cuts[i] = INFINITY;
			continue;
		}
		select_number(values + done, n - done, count - 1 - done);
		done = count - 1;
		cuts[i] = values[done];
	}
}

/*
 * The same of packed decimals, which are reordered, too; has_cut tells where
 * anybody can have the grade.
 */
void
tier_cuts_of_decimals(int64 *values, const DecimalPool *pool, Size n,
					  const float8 *sums, int grades, int64 *cuts, bool *has_cut)
{
	Size		done = 0;

	for (int i = 0; i < grades; i++)
	{
		Size		count = ranks_below(sums[i], n);

		has_cut[i] = count > 0;
		if (!has_cut[i])
			continue;
		select_decimal(values + done, n - done, count - 1 - done, pool);
		done = count - 1;
		cuts[i] = values[done];
	}
}
