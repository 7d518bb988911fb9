/* needs: money/decimal.c preference/preference_core.c */
#include "preference/preference_core.h"

#include <math.h>

#include "tap.h"

#define CATEGORIES 8

static void
test_ties(void)
{
	static const int64 weights[] = {0, 1, 5, 1000000};

	property("the distinctive category has the greatest index, by fractions; of several there is none");
	for (int run = 0; run < 40000; run++)
	{
		int			categories = 1 + (int) random_below(CATEGORIES);
		int64		most = 1 + (int64) random_below(6);
		int64		min_rows = 1 + (int64) random_below(4);
		int64		weight = weights[random_below(LENGTH_OF(weights))];
		int64		purchases[CATEGORIES];
		PreferenceCell cells[CATEGORIES];
		PreferenceMeasures measures;
		int64		all = 0;
		int64		mine = 0;
		int			best = -1;
		bool		is_tied = false;
		int			top = -1;
		bool		top_is_tied = false;

		for (int i = 0; i < categories; i++)
		{
			cells[i] = (PreferenceCell) {.category = (uint32) i, .n = (int64) random_below(most + 1)};
			purchases[i] = cells[i].n + (int64) random_below(2 * most);
			all += purchases[i];
			mine += cells[i].n;
		}
		preference_measure(cells, categories, purchases, all, min_rows, (double) weight, &measures);

		/* The index is (n + k P / all) / P, but for what all categories share: n all + k P over P. */
		for (int i = 0; i < categories; i++)
		{
			int64		order;

			if (cells[i].n > 0 && (top < 0 || cells[i].n >= cells[top].n))
			{
				top_is_tied = top >= 0 && cells[i].n == cells[top].n;
				top = i;
			}
			if (cells[i].n == 0 || cells[i].n < min_rows)
				continue;
			order = best < 0 ? 1 : (cells[i].n * all + weight * purchases[i]) * purchases[best] - (cells[best].n * all + weight * purchases[best]) * purchases[i];
			is_tied = order == 0 || (is_tied && order < 0);
			if (order > 0)
				best = i;
		}
		holds(measures.n == mine, "n %" PRId64 ", not %" PRId64, measures.n, mine);
		holds(measures.distinctive == (best < 0 || is_tied ? PREFERENCE_NONE : (uint32) best), "run %d: distinctive %u, best %d, tied %d", run, measures.distinctive, best, is_tied);
		holds(measures.top == (top < 0 || top_is_tied ? PREFERENCE_NONE : (uint32) top), "run %d: top %u, %d, tied %d", run, measures.top, top, top_is_tied);
		if (best >= 0)
		{
			double		share = (double) purchases[best] / (double) all;
			double		index = ((double) cells[best].n + (double) weight * share) / ((double) mine + (double) weight) / share;

			holds(fabs(measures.index - index) <= 1e-12 * index, "index %g, not %g", measures.index, index);
		}
	}
	property_end();
}

static void
test_shares(void)
{
	property("entropy, hhi and effective are what their formulas say");
	for (int run = 0; run < 10000; run++)
	{
		int			categories = 1 + (int) random_below(CATEGORIES);
		int64		purchases[CATEGORIES];
		PreferenceCell cells[CATEGORIES];
		PreferenceMeasures measures;
		int64		mine = 0;
		double		entropy = 0;
		double		hhi = 0;

		for (int i = 0; i < categories; i++)
		{
			cells[i] = (PreferenceCell) {.category = (uint32) i, .n = (int64) random_below(9)};
			purchases[i] = cells[i].n + 1;
			mine += cells[i].n;
		}
		preference_measure(cells, categories, purchases, 100, 1, 5, &measures);
		for (int i = 0; i < categories; i++)
			if (cells[i].n > 0)
			{
				double		share = (double) cells[i].n / (double) mine;

				entropy += share * -log(share);
				hhi += share * share;
			}
		if (mine == 0)
		{
			holds(measures.n == 0 && measures.categories == 0 && measures.top == PREFERENCE_NONE && measures.distinctive == PREFERENCE_NONE, "nothing");
			continue;
		}
		holds(fabs(measures.entropy - entropy) < 1e-12 && measures.entropy >= 0, "entropy %g, not %g", measures.entropy, entropy);
		holds(fabs(measures.hhi - hhi) < 1e-12, "hhi %g, not %g", measures.hhi, hhi);
		holds(fabs(measures.effective - exp(entropy)) < 1e-10 && measures.effective <= (double) measures.categories + 1e-9, "effective %g", measures.effective);
	}
	property_end();
}

int
main(void)
{
	test_ties();
	test_shares();
	return done_testing();
}
