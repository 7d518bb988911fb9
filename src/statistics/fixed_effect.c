/*
 * fixed_effect.c
 *	  Slope and clustered standard error.
 */
#include "statistics/fixed_effect.h"

#include <math.h>

#include "statistics/distributions.h"

/* The effect over n clusters, at least one. */
FixedEffect
fixed_effect(const FixedEffectCluster *clusters, Size n, float8 alpha)
{
	FixedEffect effect;
	float8		product = 0;
	float8		square = 0;
	float8		meat = 0;
	float8		margin;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		product += clusters[i].product;
		square += clusters[i].square;
	}
	effect.slope = product / square;
	for (Size i = 0; i < n; i++)
	{
		float8		score = clusters[i].product - effect.slope * clusters[i].square;

		check_interrupts(i);
		meat += score * score;
	}
	if (n == 1)
	{
		effect.error = effect.low = effect.high = NAN;
		return effect;
	}
	effect.error = sqrt(meat * n / (n - 1)) / square;
	margin = statistics_student_quantile(alpha, n - 1) * effect.error;
	effect.low = effect.slope - margin;
	effect.high = effect.slope + margin;
	return effect;
}
