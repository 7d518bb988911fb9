/*
 * risk_ratio.c
 *	  The risk ratio of Mantel and Haenszel, with the interval of Greenland and
 *	  Robins.
 */
#include "statistics/risk_ratio.h"

#include <math.h>

#include "statistics/distributions.h"

/* Adds a stratum.  One without exposed or without unexposed has nothing to compare. */
void
risk_ratio_add(RiskRatio *r, float8 exposed_cases, float8 exposed, float8 unexposed_cases, float8 unexposed)
{
	float8		n = exposed + unexposed;
	float8		spared = exposed - exposed_cases;
	float8		unexposed_spared = unexposed - unexposed_cases;

	Assert(exposed_cases >= 0 && spared >= 0 && unexposed_cases >= 0 && unexposed_spared >= 0);
	if (!(exposed > 0) || !(unexposed > 0))
		return;
	r->numerator += exposed_cases * unexposed / n;
	r->denominator += unexposed_cases * exposed / n;

	/* n1 n0 (a + b) - a b N multiplied out: nothing is subtracted, so nothing cancels. */
	r->variance_sum += (exposed_cases * exposed_cases * unexposed_spared +
						unexposed_cases * unexposed_cases * spared +
						spared * unexposed_spared * (exposed_cases + unexposed_cases)) / (n * n);
	r->strata++;
}

/*
 * The ratio, which is 0 without exposed cases and NAN without unexposed ones, and its
 * interval at level 1 - alpha.  Without cases of both kinds there is no interval, nor
 * if cases do not vary at all: then the result is false and both bounds are NAN.
 */
bool
risk_ratio_estimate(const RiskRatio *r, float8 alpha, float8 *ratio, float8 *low, float8 *high)
{
	float8		margin;

	*ratio = r->denominator > 0 ? r->numerator / r->denominator : NAN;
	*low = *high = NAN;
	if (!(r->numerator > 0) || !(r->denominator > 0) || !(r->variance_sum > 0))
		return false;
	/* Divided twice: the product of both could leave the range of a double. */
	margin = statistics_normal_quantile(alpha) * sqrt(r->variance_sum / r->numerator / r->denominator);
	*low = *ratio * exp(-margin);
	*high = *ratio * exp(margin);
	return true;
}
