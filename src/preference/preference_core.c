/*
 * preference_core.c
 *	  Measures of what a member likes.
 */
#include "preference/preference_core.h"

#include <math.h>

/* Compares which part of all purchases of their categories two cells are. */
static inline int
compare_parts(const PreferenceCell *a, const PreferenceCell *b, const int64 *purchases)
{
	int128		left = (int128) a->n * purchases[b->category];
	int128		right = (int128) b->n * purchases[a->category];

	return (left > right) - (left < right);
}

/*
 * Measures the cells of one member, in the order of their categories.  purchases: of
 * each category by everybody, all: their sum; min_rows: how many purchases a
 * distinctive category has at least.
 *
 * Whatever the prior weight, the index ascends with the member's part of all purchases
 * of the category.  Fractions are compared exactly, so that equal ones are equal.
 */
void
preference_measure(const PreferenceCell *cells, Size n, const int64 *purchases, int64 all, int64 min_rows,
				   float8 prior_weight, PreferenceMeasures *measures)
{
	int64		most = 0;
	float8		sum = 0;
	const PreferenceCell *best = NULL;	/* of the greatest index */

	*measures = (PreferenceMeasures) {.top = PREFERENCE_NONE, .distinctive = PREFERENCE_NONE};
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		measures->n += cells[i].n;
	}
	for (Size i = 0; i < n; i++)
	{
		float8		share = (float8) cells[i].n / (float8) measures->n;
		int			order;

		check_interrupts(i);
		if (cells[i].n == 0)
			continue;
		measures->categories++;
		sum -= share * log(share);
		measures->hhi += share * share;
		if (cells[i].n >= most)
		{
			measures->top = cells[i].n == most ? PREFERENCE_NONE : cells[i].category;
			most = cells[i].n;
		}
		if (cells[i].n < min_rows)
			continue;
		order = best == NULL ? 1 : compare_parts(&cells[i], best, purchases);
		if (order > 0)
		{
			best = &cells[i];
			measures->distinctive = best->category;
		}
		else if (order == 0)
			measures->distinctive = PREFERENCE_NONE;
	}
	if (best != NULL)
	{
		float8		share = (float8) purchases[best->category] / (float8) all;

		measures->index = ((float8) best->n + prior_weight * share) / ((float8) measures->n + prior_weight) / share;
	}
	if (measures->n == 0)
		return;
	measures->top_share = (float8) most / (float8) measures->n;
	measures->entropy = measures->categories == 1 ? 0 : sum;
	measures->effective = exp(measures->entropy);
}
