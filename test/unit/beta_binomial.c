/* needs: statistics/beta_binomial.c */
#include "statistics/beta_binomial.h"

#include <math.h>

#include "tap.h"

static bool
close_to(float8 got, float8 expected, float8 tolerance)
{
	return fabs(got - expected) <= tolerance * fabs(expected);
}

/*
 * Sums of the probabilities with 35 digits, by mpmath.  The first three are SciPy's, too:
 * betabinom(1000, 60.5, 690.5).sf(100), ...
 */
static void
test_known(void)
{
	struct
	{
		BetaBinomial of;
		int64		k;
		float8		above;
		float8		up_to;
	}			known[] = {
		{{INT64CONST(1000), INT64CONST(60), INT64CONST(690)}, INT64CONST(100), 0.070104487297882369, 0.929895512702117631},
		{{INT64CONST(200), INT64CONST(3), INT64CONST(37)}, INT64CONST(20), 0.311293816876805498, 0.688706183123194502},
		{{INT64CONST(500), INT64CONST(0), INT64CONST(0)}, INT64CONST(100), 0.703800137057589884, 0.296199862942410116},
		{{INT64CONST(1), INT64CONST(0), INT64CONST(4)}, INT64CONST(0), 0.1, 0.9},
		{{INT64CONST(10), INT64CONST(9), INT64CONST(0)}, INT64CONST(9), 0.69329227257637956, 0.30670772742362044},
		{{INT64CONST(1000), INT64CONST(60), INT64CONST(690)}, INT64CONST(10), 0.999999999999967237, 3.27627847806544859e-14},
		{{INT64CONST(1000), INT64CONST(60), INT64CONST(690)}, INT64CONST(400), 3.8410876156679391e-57, 1.0},
		{{INT64CONST(1000000), INT64CONST(60), INT64CONST(690)}, INT64CONST(200000), 4.87108688008822452e-20, 1.0},
		{{INT64CONST(1000000000), INT64CONST(300000000), INT64CONST(700000000)}, INT64CONST(300100000), 5.32335461788414801e-7, 0.999999467664538212},
		{{INT64CONST(1000000000), INT64CONST(300000000), INT64CONST(700000000)}, INT64CONST(300600000), 1.29920935106289011e-188, 1.0},
		{{INT64CONST(1000000000), INT64CONST(300000000), INT64CONST(700000000)}, INT64CONST(299400000), 1.0, 7.9677673867894507e-189},
		{{INT64CONST(1000000000), INT64CONST(5000000), INT64CONST(995000000)}, INT64CONST(5001000), 0.375559569121823818, 0.624440430878176182},
		{{INT64CONST(1000000000), INT64CONST(0), INT64CONST(1000000000)}, INT64CONST(500), 5.43783802339402889e-153, 1.0},
		{{INT64CONST(1000000000), INT64CONST(12), INT64CONST(1000000000)}, INT64CONST(30), 0.0019890713530223735, 0.998010928646977627},
		{{INT64CONST(20), INT64CONST(1000000000000), INT64CONST(4000000000000)}, INT64CONST(15), 1.38034649509877379e-8, 0.999999986196535049}
	};

	property("beta-binomial: known tails, 12 digits of both");
	for (size_t i = 0; i < LENGTH_OF(known); i++)
		holds(close_to(beta_binomial_above(&known[i].of, known[i].k), known[i].above, 1e-12) &&
			  close_to(beta_binomial_up_to(&known[i].of, known[i].k), known[i].up_to, 1e-12),
			  "%zu: %.17g %.17g", i, beta_binomial_above(&known[i].of, known[i].k), beta_binomial_up_to(&known[i].of, known[i].k));
	property_end();
}

/* By definition, from one probability to the next, in extended precision. */
static void
test_sums(void)
{
	property("beta-binomial: sums of the probabilities");
	for (int i = 0; i < 200; i++)
	{
		BetaBinomial of = {1 + (int64) random_below(i % 4 == 0 ? 2000 : 60), (int64) random_below(i % 3 == 0 ? 3 : 400), (int64) random_below(i % 5 == 0 ? 2 : 3000)};
		long double a = (long double) of.successes + 0.5L;
		long double b = (long double) of.failures + 0.5L;
		long double n = (long double) of.trials;
		static long double p[2001];
		long double up_to = 0;

		p[0] = expl(lgammal(n + b) - lgammal(b) - lgammal(n + a + b) + lgammal(a + b));
		for (int64 k = 1; k <= of.trials; k++)
			p[k] = p[k - 1] * (n - k + 1) * (k - 1 + a) / (k * (n - k + b));
		for (int64 k = 0; k < of.trials; k++)
		{
			up_to += p[k];
			if (up_to > 1e-290L)
				holds(close_to(beta_binomial_up_to(&of, k), (float8) up_to, 2e-12), "%" PRId64 " of %" PRId64 ", %" PRId64 ", %" PRId64 ": %.17g, not %.17Lg", k, of.trials, of.successes, of.failures, beta_binomial_up_to(&of, k), up_to);
		}
	}
	property_end();
}

/* As large as they come: the turned-around question has the same answer, tails add up to 1, and everything comes to an end. */
static void
test_any(void)
{
	BetaBinomial one = {1, 0, 0};
	BetaBinomial two = {2, 0, 0};

	property("beta-binomial: any numbers, turned around, added up, in order");
	for (int i = 0; i < 1000; i++)
	{
		BetaBinomial of = {1 + (int64) (random_u64() >> (1 + random_below(63))), (int64) (random_u64() >> (1 + random_below(63))), (int64) (random_u64() >> (1 + random_below(63)))};
		BetaBinomial turned = {of.trials, of.failures, of.successes};
		int64		k = (int64) (random_u64() >> 1) % of.trials;
		float8		above;
		float8		up_to;

		if (i % 2 == 0)			/* near the middle */
			k = Min((int64) ((float8) of.trials * ((float8) of.successes + 0.5) / ((float8) of.successes + (float8) of.failures + 1) * 0.999999), of.trials - 1);
		above = beta_binomial_above(&of, k);
		up_to = beta_binomial_up_to(&of, k);
		holds(above >= 0 && above <= 1 && fabs(above + up_to - 1) < 4e-15 &&
			  close_to(beta_binomial_up_to(&turned, of.trials - k - 1), above, 1e-12) &&
			  beta_binomial_above(&of, k + 1) <= above * (1 + 1e-12),
			  "%" PRId64 " of %" PRId64 ", %" PRId64 ", %" PRId64 ": %.17g %.17g", k, of.trials, of.successes, of.failures, above, up_to);
	}
	property_end();

	ok(close_to(beta_binomial_above(&one, 0), 0.5, 1e-14) && close_to(beta_binomial_above(&two, 1), 0.375, 1e-14),
	   "beta-binomial: without a history the mean of p is 1/2, and that of p^2 is 3/8");
	ok(beta_binomial_above(&one, 1) == 0 && beta_binomial_above(&one, -1) == 1 && beta_binomial_up_to(&one, -1) == 0 && beta_binomial_up_to(&one, 1) == 1,
	   "beta-binomial: beyond all numbers");
}

static void
test_quantile(void)
{
	BetaBinomial example = {1000, 60, 690};
	BetaBinomial few = {200, 3, 37};
	BetaBinomial tie = {1, 0, 4};
	BetaBinomial none = {0, 5, 5};
	BetaBinomial unknown = {500, 0, 0};

	ok(beta_binomial_quantile(&example, 0.05) == 103 && beta_binomial_quantile(&few, 0.01) == 45, "quantile: SciPy's");
	ok(beta_binomial_quantile(&tie, 0.1) == 0, "quantile: a probability of exactly 1/10 is not above 0.1");
	ok(beta_binomial_quantile(&none, 0.5) == 0 && beta_binomial_quantile(&unknown, 0) == 500, "quantile: of none, and beyond doubt");
	property("quantile: the least that will do");
	for (int i = 0; i < 100; i++)
	{
		BetaBinomial of = {(int64) (random_u64() >> (1 + random_below(63))), (int64) (random_u64() >> (1 + random_below(63))), (int64) (random_u64() >> (1 + random_below(63)))};
		float8		above = (float8) (1 + random_below(999)) / 1000;
		int64		k = beta_binomial_quantile(&of, above);

		holds(beta_binomial_above(&of, k) <= above * (1 + 1e-11) && (k == 0 || beta_binomial_above(&of, k - 1) > above * (1 - 1e-11)),
			  "%" PRId64 ", %" PRId64 ", %" PRId64 ", %g: %" PRId64, of.trials, of.successes, of.failures, above, k);
	}
	property_end();
}

int
main(void)
{
	test_known();
	test_sums();
	test_any();
	test_quantile();
	return done_testing();
}
