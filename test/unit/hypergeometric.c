/* needs: statistics/distributions.c statistics/hypergeometric.c */
#include "statistics/hypergeometric.h"

#include <math.h>

#include "tap.h"

static bool
close_to(float8 got, float8 expected, float8 tolerance)
{
	return fabs(got - expected) <= tolerance * fabs(expected);
}

int
main(void)
{
	/* Sums of whole numbers divided by one, in Python.  The first is Fisher's tea: 17/70, and 1/70 for all four cups. */
	struct
	{
		Hypergeometric of;
		int64		k;
		float8		p;
	}			known[] = {
		{{8, 4, 4}, 3, 0.242857142857142857},
		{{8, 4, 4}, 4, 0.0142857142857142857},
		{{50, 20, 10}, 7, 0.0364818494785757929},
		{{10000, 300, 400}, 30, 3.29725621559343214e-6},
		{{10000, 300, 400}, 12, 0.542454346629165486},
		{{10000, 300, 400}, 5, 0.993802063512937736},
		{{43367, 1000, 900}, 120, 3.09230865812370368e-55}
	};
	Hypergeometric of = {10, 7, 5};
	Hypergeometric all = {10, 7, 10};
	Hypergeometric none = {10, 7, 0};

	property("hypergeometric: known tails");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
		holds(close_to(hypergeometric_at_least(&known[i].of, known[i].k), known[i].p, 1e-12), "%zu: %.17g", i, hypergeometric_at_least(&known[i].of, known[i].k));
	property_end();
	ok(hypergeometric_at_least(&of, 2) == 1 && hypergeometric_at_least(&of, 6) == 0, "hypergeometric: 2 of 5 at least, and 5 at most");
	ok(hypergeometric_at_least(&all, 7) == 1 && hypergeometric_at_least(&all, 8) == 0 && hypergeometric_at_least(&none, 0) == 1 && hypergeometric_at_least(&none, 1) == 0,
	   "hypergeometric: all are drawn, or none");

	property("hypergeometric: sums of products, and the same if what is drawn is marked");
	for (int i = 0; i < 3000; i++)
	{
		Hypergeometric h = {1 + (int64) random_below(100), 0, 0};
		Hypergeometric turned;
		long double sum = 0;

		h.marked = (int64) random_below((uint64_t) h.population + 1);
		h.drawn = (int64) random_below((uint64_t) h.population + 1);
		turned = h;
		turned.marked = h.drawn;
		turned.drawn = h.marked;
		for (int64 k = Min(h.marked, h.drawn); k >= 0 && k >= h.drawn - (h.population - h.marked); k--)
		{
			long double n = (long double) h.population;
			long double m = (long double) h.marked;
			long double d = (long double) h.drawn;

			sum += expl(lgammal(m + 1) - lgammal(k + 1) - lgammal(m - k + 1) + lgammal(n - m + 1) - lgammal(d - k + 1) - lgammal(n - m - d + k + 1) -
						lgammal(n + 1) + lgammal(d + 1) + lgammal(n - d + 1));
			holds(close_to(hypergeometric_at_least(&h, k), (float8) sum, 1e-12) && close_to(hypergeometric_at_least(&turned, k), (float8) sum, 1e-12),
				  "%" PRId64 " of %" PRId64 ", %" PRId64 ", %" PRId64 ": %.17g, not %.17Lg", k, h.population, h.marked, h.drawn, hypergeometric_at_least(&h, k), sum);
		}
	}
	property_end();
	return done_testing();
}
