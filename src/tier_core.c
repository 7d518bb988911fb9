/*
 * tier_core.c
 *	  Cuts between grades.
 */
#include "tier_core.h"

#include <math.h>

#define SELECT_NAME select_number
#define SELECT_TYPE float8
#define SELECT_LESS(a, b) ((a) > (b))	/* from the greatest down */
#include "select.h"

typedef struct PooledDecimal
{
	int64		packed;
	const DecimalPool *pool;
} PooledDecimal;

#define SELECT_NAME select_decimal
#define SELECT_TYPE PooledDecimal
#define SELECT_LESS(a, b) (decimal_packed_compare((a).packed, (b).packed, (a).pool) > 0)
#include "select.h"

/*
 * Adds up the sizes of the grades: sums[k] is the share of members who have
 * grade k or a better one.  Returns what is wrong with them, or NULL.
 *
 * Sums are rounded to 12 decimals: 0.1 + 0.2 is meant to be 0.3, and not to
 * give one more of ten members the second grade because it is a little more.
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
		sums[i] = rint(sum * 1e12) / 1e12;
		if (sums[i] > 1)
			return "their sum must not be above 1";
	}
	return NULL;
}

/* How many ranks (from 0) of n lie below a share of them. */
static Size
ranks_below(float8 share, Size n)
{
	Size		count = (Size) Min((float8) n, floor(share * (float8) n));

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

/* The same of packed decimals; has_cut tells where anybody can have the grade. */
void
tier_cuts_of_decimals(int64 *values, const DecimalPool *pool, Size n,
					  const float8 *sums, int grades, int64 *cuts, bool *has_cut)
{
	Size		done = 0;
	PooledDecimal *pooled = core_alloc_huge(n * sizeof(PooledDecimal));

	for (Size i = 0; i < n; i++)
	{
		pooled[i].packed = values[i];
		pooled[i].pool = pool;
	}
	for (int i = 0; i < grades; i++)
	{
		Size		count = ranks_below(sums[i], n);

		has_cut[i] = count > 0;
		if (!has_cut[i])
			continue;
		select_decimal(pooled + done, n - done, count - 1 - done);
		done = count - 1;
		cuts[i] = pooled[done].packed;
	}
	core_free(pooled);
}
