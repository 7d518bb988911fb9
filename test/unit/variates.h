/*
 * variates.h
 *	  Random numbers of some distributions, the same on every run.
 */
#ifndef VARIATES_H
#define VARIATES_H

#include <math.h>

#include "tap.h"

/* Between 0 and 1. */
static float8 TAP_UNUSED
uniform(void)
{
	return ((float8) (random_u64() >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller 1958. */
static float8 TAP_UNUSED
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * acos(-1) * uniform());
}

/* Marsaglia & Tsang 2000. */
static float8 TAP_UNUSED
gamma_variate(float8 shape)
{
	const float8 d = shape + 2.0 / 3;	/* for shape + 1 */
	const float8 c = 1 / sqrt(9 * d);

	for (;;)
	{
		float8		x = normal();
		float8		v = 1 + c * x;

		v = v * v * v;
		if (v > 0 && log(uniform()) < 0.5 * x * x + d - d * v + d * log(v))
			return d * v * pow(uniform(), 1 / shape);
	}
}

#endif							/* VARIATES_H */
