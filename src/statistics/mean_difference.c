/*
 * mean_difference.c
 *	  Welch's test of two means.
 */
#include "statistics/mean_difference.h"

#include <math.h>

#include "statistics/distributions.h"

/* Tests a difference of means; false if neither group varies, or nobody knows whether it does. */
bool
mean_difference(float8 difference, const MeanVariance *a, const MeanVariance *b,
				float8 alpha, MeanDifference *result)
{
	float8		variance = a->variance + b->variance;
	float8		share_a = a->variance / variance;
	float8		share_b = b->variance / variance;

	if (!(variance > 0))
		return false;

	/* Shares of the whole, so that squares of small variances do not underflow. */
	result->df = 1 / (share_a * share_a / a->df + share_b * share_b / b->df);
	result->error = sqrt(variance);
	result->t = difference / result->error;
	result->margin = statistics_student_quantile(alpha, result->df) * result->error;
	result->p = statistics_student_p(result->t, result->df);
	return true;
}
