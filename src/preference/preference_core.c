/*
 * preference_core.c
 *	  Measures of what a member likes.
 */
#include "preference/preference_core.h"

#include <math.h>

/*
 * Measures the cells of one member, in the order of their categories.  shares: of
 * each category among all purchases; min_rows: how many purchases a distinctive
 * category has at least.
 */
void
preference_measure(const PreferenceCell *cells, Size n, const float8 *shares, int64 min_rows,
				   float8 prior_weight, PreferenceMeasures *measures)
{
	int64		most = 0;
	float8		sum = 0;

	*measures = (PreferenceMeasures) {.top = PREFERENCE_NONE, .distinctive = PREFERENCE_NONE};
	for (Size i = 0; i < n; i++)
		measures->n += cells[i].n;
	for (Size i = 0; i < n; i++)
	{
		float8		share = (float8) cells[i].n / (float8) measures->n;
		float8		index;

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
		index = ((float8) cells[i].n + prior_weight * shares[cells[i].category]) /
			((float8) measures->n + prior_weight) / shares[cells[i].category];
		if (index >= measures->index)
		{
			measures->distinctive = index == measures->index ? PREFERENCE_NONE : cells[i].category;
			measures->index = index;
		}
	}
	if (measures->n == 0)
		return;
	measures->top_share = (float8) most / (float8) measures->n;
	measures->entropy = measures->categories == 1 ? 0 : sum;
	measures->effective = exp(measures->entropy);
}
