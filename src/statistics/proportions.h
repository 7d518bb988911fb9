/*
 * proportions.h
 *	  How often something happened in a group, and by how much two groups differ.
 *
 * Intervals are Wilson's (1927) for one group and Newcombe's hybrid of two of them
 * (1998, method 10) for a difference; both hold in small groups, too, and stay
 * between -1 and 1.
 */
#ifndef CUSTMART_PROPORTIONS_H
#define CUSTMART_PROPORTIONS_H

#include "shared/core.h"

/* So many of n; n is above 0. */
typedef struct Proportion
{
	float8		count;
	float8		n;
} Proportion;

typedef struct ProportionDifference
{
	float8		difference;		/* of the first less the second */
	float8		low;
	float8		high;
	float8		error;			/* standard, if there is no difference */
	float8		z;				/* NAN, as is p, if all or none of both happened */
	float8		p;				/* two-sided */
	float8		expected;		/* the smallest number of either kind in either group, if there is no difference */
} ProportionDifference;

/* Below this many expected the normal distribution does not hold for z (Cochran 1954). */
#define PROPORTION_EXPECTED_MIN 5

extern void proportion_interval(const Proportion *of, float8 alpha, float8 *low, float8 *high);
extern ProportionDifference proportion_difference(const Proportion *a, const Proportion *b, float8 alpha);
extern float8 proportion_group_size(float8 rate, float8 other_rate, float8 power, float8 alpha);

#endif							/* CUSTMART_PROPORTIONS_H */
