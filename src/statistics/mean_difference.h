/*
 * mean_difference.h
 *	  Do two groups differ in their mean?  Welch's test (1947), which does not assume
 *	  equal variances, with the degrees of freedom of Satterthwaite (1946).
 */
#ifndef CUSTMART_MEAN_DIFFERENCE_H
#define CUSTMART_MEAN_DIFFERENCE_H

#include "shared/core.h"

/* What is known of the mean of one group. */
typedef struct MeanVariance
{
	float8		variance;		/* of the mean, finite and at least 0 */
	float8		df;
} MeanVariance;

typedef struct MeanDifference
{
	float8		error;			/* standard */
	float8		df;
	float8		t;
	float8		margin;			/* half the interval at level 1 - alpha */
	float8		p;				/* two-sided */
} MeanDifference;

extern bool mean_difference(float8 difference, const MeanVariance *a, const MeanVariance *b,
							float8 alpha, MeanDifference *result);

#endif							/* CUSTMART_MEAN_DIFFERENCE_H */
