/* needs: privacy/safe_count_core.c */
#include "privacy/safe_count_core.h"

#include "tap.h"

#define ROWS 12

/*
 * What has to be hidden, by definition: counts below the minimum, and then, as long
 * as one row only is hidden or what is hidden adds up to less than the minimum, the
 * smallest of the others, equal ones together.
 */
static void
hide_by_definition(const int64 *counts, int n, int32 min_members, bool *is_hidden)
{
	for (int i = 0; i < n; i++)
		is_hidden[i] = counts[i] > 0 && counts[i] < min_members;
	for (;;)
	{
		int			hidden = 0;
		int64		sum = 0;
		int64		smallest = 0;

		for (int i = 0; i < n; i++)
		{
			hidden += is_hidden[i];
			sum += is_hidden[i] ? counts[i] : 0;
			if (!is_hidden[i] && counts[i] > 0 && (smallest == 0 || counts[i] < smallest))
				smallest = counts[i];
		}
		if (hidden == 0 || (hidden >= 2 && sum >= min_members) || smallest == 0)
			return;
		for (int i = 0; i < n; i++)
			is_hidden[i] |= counts[i] == smallest;
	}
}

int
main(void)
{
	property("what is hidden is what the definition hides, step by step");
	for (int run = 0; run < 200000; run++)
	{
		int			n = (int) random_below(ROWS + 1);
		int32		min_members = 2 + (int32) random_below(12);
		int64		largest = 1 + (int64) random_below(40);
		int64		counts[ROWS];
		bool		is_hidden[ROWS];
		SafeCount	known = {0};
		int64		cut;

		for (int i = 0; i < n; i++)
		{
			counts[i] = (int64) random_below(largest + 1);
			safe_count_add(&known, counts[i], min_members);
		}
		cut = safe_count_cut(&known, min_members);
		hide_by_definition(counts, n, min_members, is_hidden);
		for (int i = 0; i < n; i++)
			holds((counts[i] > 0 && counts[i] <= cut) == is_hidden[i], "row %d of %d: %" PRId64 ", cut %" PRId64, i, n, counts[i], cut);
	}
	property_end();
	property("large counts do not overflow");
	{
		SafeCount	known = {0};

		for (int i = 0; i < 5; i++)
		{
			safe_count_add(&known, INT32_MAX - 1, INT32_MAX);
			safe_count_add(&known, PG_INT64_MAX, INT32_MAX);
		}
		holds(safe_count_cut(&known, INT32_MAX) == INT32_MAX - 1, "cut %" PRId64, safe_count_cut(&known, INT32_MAX));
	}
	property_end();
	return done_testing();
}
