/*
 * risk_ratio.h
 *	  How many times as often something happens to the exposed as to the unexposed,
 *	  compared within strata only.
 *
 * Strata may be as small as one member each, exposed at some times and not at
 * others: what sets one stratum apart from another drops out.  With a cases among
 * n1 exposed and b among n0 unexposed, N = n1 + n0, the ratio of Mantel and
 * Haenszel is
 *
 *		R / S, R = sum of a n0 / N, S = sum of b n1 / N,
 *
 * and the variance of its logarithm, which holds for few large strata and for many
 * small ones (Greenland and Robins 1985, "Estimation of a common effect parameter
 * from sparse follow-up data"), is
 *
 *		sum of (n1 n0 (a + b) - a b N) / N^2, divided by R S.
 */
#ifndef CUSTMART_RISK_RATIO_H
#define CUSTMART_RISK_RATIO_H

#include "shared/core.h"

/* Starts out as zeros.  Equal sums need strata in the same order. */
typedef struct RiskRatio
{
	float8		numerator;		/* R */
	float8		denominator;	/* S */
	float8		variance_sum;
	int64		strata;			/* those with exposed and unexposed */
} RiskRatio;

extern void risk_ratio_add(RiskRatio *r, float8 exposed_cases, float8 exposed,
						   float8 unexposed_cases, float8 unexposed);
extern bool risk_ratio_estimate(const RiskRatio *r, float8 alpha, float8 *ratio, float8 *low, float8 *high);

#endif							/* CUSTMART_RISK_RATIO_H */
