/*
 * proportions.c
 *	  Intervals and tests of proportions.
 */
#include "statistics/proportions.h"

#include <math.h>

#include "statistics/distributions.h"

/* Wilson's interval at level 1 - alpha. */
void
proportion_interval(const Proportion *of, float8 alpha, float8 *low, float8 *high)
{
	float8		z = statistics_normal_quantile(alpha);
	float8		n = of->n;
	float8		rate = of->count / n;
	float8		center = (rate + z * z / (2 * n)) / (1 + z * z / n);
	float8		margin = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));

	/* At both ends the bound is exact, and rounding must not make it another. */
	*low = of->count == 0 ? 0 : Max(center - margin, 0);
	*high = of->count == n ? 1 : Min(center + margin, 1);
}

/* Compares two proportions. */
ProportionDifference
proportion_difference(const Proportion *a, const Proportion *b, float8 alpha)
{
	ProportionDifference result;
	float8		rate_a = a->count / a->n;
	float8		rate_b = b->count / b->n;
	float8		pooled = (a->count + b->count) / (a->n + b->n);
	float8		low_a;
	float8		high_a;
	float8		low_b;
	float8		high_b;

	proportion_interval(a, alpha, &low_a, &high_a);
	proportion_interval(b, alpha, &low_b, &high_b);
	/* Over one denominator, so that rates which differ by a tenth differ by 0.1. */
	result.difference = (a->count * b->n - b->count * a->n) / (a->n * b->n);
	result.low = result.difference - hypot(rate_a - low_a, high_b - rate_b);
	result.high = result.difference + hypot(high_a - rate_a, rate_b - low_b);
	result.expected = Min(pooled, 1 - pooled) * Min(a->n, b->n);
	result.error = sqrt(pooled * (1 - pooled) * (1 / a->n + 1 / b->n));
	result.z = result.error > 0 ? result.difference / result.error : NAN;
	result.p = result.error > 0 ? statistics_normal_p(result.z) : NAN;
	return result;
}

/*
 * How large each of two groups must be for a test at alpha to find the difference
 * between two rates with this power; NAN if there is none.
 */
float8
proportion_group_size(float8 rate, float8 other_rate, float8 power, float8 alpha)
{
	/* The quantile of the power is one-sided: twice what is left above it is its alpha. */
	float8		z_power = power < 0.5 ? -statistics_normal_quantile(2 * power) :
		power > 0.5 ? statistics_normal_quantile(2 * (1 - power)) : 0;
	float8		z = Max(statistics_normal_quantile(alpha) + z_power, 0) / (rate - other_rate);

	return rate == other_rate ? NAN :
		z * z * (rate * (1 - rate) + other_rate * (1 - other_rate));
}
