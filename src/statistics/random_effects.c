/*
 * random_effects.c
 *	  Cochran's Q, and effects shrunk towards their mean.
 */
#include "statistics/random_effects.h"

#include <math.h>

#include "statistics/distributions.h"

/* The mean of effects with weights 1 / (variance + tau_squared); the sums of weights and of their squares. */
static float8
weighted_mean(const float8 *effect, const float8 *variance, Size n, float8 tau_squared,
			  float8 *weights, float8 *squares)
{
	float8		sum = 0;

	*weights = *squares = 0;
	for (Size i = 0; i < n; i++)
	{
		float8		weight = 1 / (variance[i] + tau_squared);

		check_interrupts(i);
		sum += weight * effect[i];
		*weights += weight;
		*squares += weight * weight;
	}
	return sum / *weights;
}

/* What n effects, with variances above 0, have in common. */
RandomEffects
random_effects(const float8 *effect, const float8 *variance, Size n)
{
	RandomEffects result = {.n = n, .q = NAN, .p = NAN, .mean = NAN, .mean_variance = NAN};
	float8		weights;
	float8		squares;
	float8		mean;

	if (n == 0)
		return result;
	mean = weighted_mean(effect, variance, n, 0, &weights, &squares);
	if (n > 1)
	{
		float8		df = (float8) n - 1;

		result.q = 0;
		for (Size i = 0; i < n; i++)
		{
			check_interrupts(i);
			result.q += (effect[i] - mean) * (effect[i] - mean) / variance[i];
		}
		result.p = statistics_chi_squared_p(result.q, df);
		result.tau_squared = Max(0, (result.q - df) / (weights - squares / weights));
	}
	result.mean = weighted_mean(effect, variance, n, result.tau_squared, &weights, &squares);
	result.mean_variance = 1 / weights;
	result.tau_squared_error = sqrt(2 / squares);
	return result;
}

/* One of the effects, shrunk. */
ShrunkEffect
random_effects_shrink(const RandomEffects *effects, float8 effect, float8 variance)
{
	ShrunkEffect shrunk = {effect, sqrt(variance), sqrt(variance)};
	float8		tau_squared = effects->tau_squared;
	float8		kept = tau_squared / (tau_squared + variance);
	float8		wider = tau_squared + effects->tau_squared_error;

	if (effects->n < RANDOM_EFFECTS_MIN)
		return shrunk;
	shrunk.effect = kept * effect + (1 - kept) * effects->mean;
	shrunk.given_error = sqrt(kept * variance);
	shrunk.error = sqrt(wider / (wider + variance) * variance + (1 - kept) * (1 - kept) * effects->mean_variance);
	return shrunk;
}
