/* needs: statistics/distributions.c statistics/risk_ratio.c */
#include "statistics/risk_ratio.h"

#include <math.h>

#include "tap.h"

/* Cases among the exposed, the exposed, cases among the unexposed, the unexposed. */
typedef struct Stratum
{
	float8		a;
	float8		n1;
	float8		b;
	float8		n0;
} Stratum;

static RiskRatio
sum_of(const Stratum *strata, size_t n)
{
	RiskRatio	r = {0};

	for (size_t i = 0; i < n; i++)
		risk_ratio_add(&r, strata[i].a, strata[i].n1, strata[i].b, strata[i].n0);
	return r;
}

static bool
close_to(float8 got, float8 expected, float8 tolerance)
{
	return fabs(got - expected) <= tolerance * fabs(expected);
}

/* Digits beyond those that are published are mpmath's, with 40 digits, by the formulas of Greenland and Robins. */
static void
test_known(void)
{
	/* Manual of SAS PROC FREQ, "Cochran-Mantel-Haenszel Statistics", Migraine by sex: 2.1636 (1.2336 3.7948) and 0.6420 (0.4705 0.8761). */
	Stratum		better[] = {{16, 27, 5, 25}, {12, 28, 7, 26}};
	Stratum		same[] = {{11, 27, 20, 25}, {16, 28, 19, 26}};

	/* Rothman, "Epidemiology: An Introduction", deaths with tolbutamide and with a placebo, by age: 1.33. */
	Stratum		tolbutamide[] = {{8, 106, 5, 120}, {22, 98, 16, 85}};

	/* Hine et al. (1989), deaths with and without lidocaine in six trials. */
	Stratum		lidocaine[] = {{2, 39, 1, 43}, {4, 44, 4, 44}, {6, 107, 4, 110}, {7, 103, 5, 100}, {7, 110, 3, 106}, {11, 154, 4, 146}};
	struct
	{
		const char *name;
		const Stratum *strata;
		size_t		n;
		float8		alpha;
		float8		ratio;
		float8		low;
		float8		high;
	}			known[] = {
		{"migraine, better", better, 2, 0.05, 2.163596842466537, 1.2335679511768665, 3.7948061898537399},
		{"migraine, the same", same, 2, 0.05, 0.64201745741236097, 0.47045493764921937, 0.87614430763944322},
		{"tolbutamide", tolbutamide, 2, 0.05, 1.3255553241551053, 0.79790704014648569, 2.2021323650351115},
		{"tolbutamide, 90 %", tolbutamide, 2, 0.1, 1.3255553241551053, 0.86575321172194439, 2.0295586474362123},
		{"lidocaine", lidocaine, 6, 0.05, 1.7345277485479758, 1.0286670820539115, 2.9247426723092444}
	};

	for (size_t i = 0; i < LENGTH_OF(known); i++)
	{
		RiskRatio	r = sum_of(known[i].strata, known[i].n);
		float8		ratio;
		float8		low;
		float8		high;

		ok(risk_ratio_estimate(&r, known[i].alpha, &ratio, &low, &high) && close_to(ratio, known[i].ratio, 1e-14) &&
		   close_to(low, known[i].low, 1e-14) && close_to(high, known[i].high, 1e-14),
		   "risk ratio: %s", known[i].name);
	}
}

static void
test_none(void)
{
	Stratum		without[] = {{3, 10, 0, 0}, {0, 0, 2, 10}};
	Stratum		no_exposed_case[] = {{0, 10, 2, 10}, {0, 1, 0, 1}};
	Stratum		no_unexposed_case[] = {{2, 10, 0, 10}};
	Stratum		no_case[] = {{0, 10, 0, 10}};
	Stratum		all_cases[] = {{10, 10, 7, 7}, {3, 3, 1, 1}};
	RiskRatio	r = {0};
	float8		ratio;
	float8		low;
	float8		high;

	ok(!risk_ratio_estimate(&r, 0.05, &ratio, &low, &high) && isnan(ratio) && isnan(low) && isnan(high), "nothing: no ratio");
	r = sum_of(without, LENGTH_OF(without));
	ok(!risk_ratio_estimate(&r, 0.05, &ratio, &low, &high) && isnan(ratio) && r.strata == 0, "a stratum of one kind does not count");
	r = sum_of(no_exposed_case, LENGTH_OF(no_exposed_case));
	ok(!risk_ratio_estimate(&r, 0.05, &ratio, &low, &high) && ratio == 0 && isnan(low) && isnan(high) && r.strata == 2,
	   "no case among the exposed: 0, without an interval; a stratum without cases counts");
	r = sum_of(no_unexposed_case, 1);
	ok(!risk_ratio_estimate(&r, 0.05, &ratio, &low, &high) && isnan(ratio) && isnan(high), "no case among the unexposed: no ratio");
	r = sum_of(no_case, 1);
	ok(!risk_ratio_estimate(&r, 0.05, &ratio, &low, &high) && isnan(ratio), "no case: no ratio");
	r = sum_of(all_cases, LENGTH_OF(all_cases));
	ok(!risk_ratio_estimate(&r, 0.05, &ratio, &low, &high) && ratio == 1 && isnan(low), "all are cases: 1, without an interval");
}

static void
test_properties(void)
{
	property("risk ratio: the formulas as published, in extended precision");
	for (int i = 0; i < 20000; i++)
	{
		RiskRatio	r = {0};
		long double numerator = 0;
		long double denominator = 0;
		long double variance = 0;
		float8		ratio;
		float8		low;
		float8		high;
		bool		has_interval;

		for (uint64_t k = random_below(12) + 1; k > 0; k--)
		{
			float8		n1 = (float8) random_below(30);
			float8		n0 = (float8) random_below(i % 2 ? 30 : 3);
			float8		a = (float8) random_below((uint64_t) n1 + 1);
			float8		b = (float8) random_below((uint64_t) n0 + 1);
			long double n = n1 + n0;

			risk_ratio_add(&r, a, n1, b, n0);
			if (n1 == 0 || n0 == 0)
				continue;
			numerator += a * n0 / n;
			denominator += b * n1 / n;
			variance += (n1 * n0 * (a + b) - a * b * n) / (n * n);
		}
		has_interval = risk_ratio_estimate(&r, 0.05, &ratio, &low, &high);
		if (has_interval)
		{
			long double margin = 1.959963984540054L * sqrtl(variance / (numerator * denominator));

			holds(close_to(ratio, (float8) (numerator / denominator), 1e-13) &&
				  close_to(low, (float8) (numerator / denominator * expl(-margin)), 1e-12) &&
				  close_to(high, (float8) (numerator / denominator * expl(margin)), 1e-12),
				  "%.17g (%.17g %.17g)", ratio, low, high);
		}
		else
			holds(numerator == 0 || denominator == 0 || fabsl(variance) < 1e-15L, "no interval: %Lg %Lg %Lg", numerator, denominator, variance);
	}
	property_end();

	property("risk ratio: turned around with the groups, and the same for multiples of one stratum");
	for (int i = 0; i < 2000; i++)
	{
		float8		n1 = 2 + (float8) random_below(1000);
		float8		n0 = 2 + (float8) random_below(1000);
		float8		a = 1 + (float8) random_below((uint64_t) n1 - 1);
		float8		b = 1 + (float8) random_below((uint64_t) n0 - 1);
		Stratum		there[] = {{a, n1, b, n0}, {a, n1, b, n0}, {a, n1, b, n0}};
		Stratum		back = {b, n0, a, n1};
		RiskRatio	r = sum_of(there, 1);
		RiskRatio	turned = sum_of(&back, 1);
		RiskRatio	thrice = sum_of(there, 3);
		float8		x[3];
		float8		y[3];

		holds(risk_ratio_estimate(&r, 0.05, &x[0], &x[1], &x[2]) && risk_ratio_estimate(&turned, 0.05, &y[0], &y[1], &y[2]) &&
			  close_to(x[0] * y[0], 1, 1e-14) && close_to(x[1] * y[2], 1, 1e-13) && close_to(x[0], a * n0 / (b * n1), 1e-14),
			  "%g/%g %g/%g: %.17g", a, n1, b, n0, x[0]);
		holds(risk_ratio_estimate(&thrice, 0.05, &y[0], &y[1], &y[2]) && close_to(y[0], x[0], 1e-14) && y[1] > x[1] && y[2] < x[2],
			  "%g/%g %g/%g, three times", a, n1, b, n0);
	}
	property_end();
}

int
main(void)
{
	test_known();
	test_none();
	test_properties();
	return done_testing();
}
