/*
 * hypergeometric.c
 *	  The upper tail of the hypergeometric distribution: Fisher's exact test, one-sided.
 */
#include "statistics/hypergeometric.h"

#include <math.h>

#include "statistics/distributions.h"

/* A sum is done when its terms are far below its last digit. */
#define NEGLIGIBLE 1e-19

/* How probable k of n are, each with probability p = 1 - q: as Poisson's of both kinds, given that they are n. */
static float8
binomial(float8 k, float8 n, float8 p, float8 q)
{
	return statistics_poisson(k, n * p) * statistics_poisson(n - k, n * q) / statistics_poisson(n, n);
}

/* The probability of k, which is possible: binomial on either side, given that all drawn are so many. */
static float8
probability(const Hypergeometric *of, float8 k)
{
	float8		n = (float8) of->population;
	float8		p = (float8) of->drawn / n;
	float8		q = (float8) (of->population - of->drawn) / n;

	/* All or none are drawn. */
	if (p == 0 || q == 0)
		return 1;
	return binomial(k, (float8) of->marked, p, q) *
		binomial((float8) of->drawn - k, (float8) (of->population - of->marked), p, q) /
		binomial((float8) of->drawn, n, p, q);
}

/*
 * How probable k marked ones or more are.  The sum goes from k away from the mean, so
 * that its terms fall: as many as a few standard deviations have numbers.
 */
float8
hypergeometric_at_least(const Hypergeometric *of, int64 k)
{
	float8		marked = (float8) of->marked;
	float8		drawn = (float8) of->drawn;
	float8		neither = (float8) (of->population - of->marked) - drawn;
	int64		least = Max(of->drawn - (of->population - of->marked), 0);
	int64		most = Min(of->marked, of->drawn);
	float8		x;
	float8		term;
	float8		sum;

	if (k <= least)
		return 1;
	if (k > most)
		return 0;
	if ((float8) k > marked * drawn / (float8) of->population)
	{
		x = (float8) k;
		sum = term = probability(of, x);
		for (Size step = 1; x < (float8) most && term > NEGLIGIBLE * sum; step++)
		{
			check_interrupts(step);
			term *= (marked - x) / (x + 1) * ((drawn - x) / (neither + x + 1));
			sum += term;
			x++;
		}
		return Min(1, sum);
	}
	x = (float8) k - 1;
	sum = term = probability(of, x);
	for (Size step = 1; x > (float8) least && term > NEGLIGIBLE * sum; step++)
	{
		check_interrupts(step);
		term *= x / (marked - x + 1) * ((neither + x) / (drawn - x + 1));
		sum += term;
		x--;
	}
	return 1 - Min(1, sum);
}
