/*
 * beta_binomial.h
 *	  How many of n will do what so many of so many did?
 *
 * A rate that was seen in few trials is not known.  With Jeffreys' prior it has the
 * distribution Beta(successes + 1/2, failures + 1/2), and the number of successes
 * among n more trials, each with that same unknown rate, is beta-binomial.  It
 * spreads more widely than the binomial distribution of a rate that is known, by a
 * factor of about sqrt(1 + n / (successes + failures)).
 */
#ifndef CUSTMART_BETA_BINOMIAL_H
#define CUSTMART_BETA_BINOMIAL_H

#include "shared/core.h"

/* No number is negative. */
typedef struct BetaBinomial
{
	int64		trials;			/* those to come */
	int64		successes;		/* of those that were seen */
	int64		failures;
} BetaBinomial;

/* A probability that is above another by less than this, in relation to it, is no larger. */
#define BETA_BINOMIAL_PRECISION 1e-12

extern float8 beta_binomial_above(const BetaBinomial *of, int64 k);
extern float8 beta_binomial_up_to(const BetaBinomial *of, int64 k);
extern int64 beta_binomial_low_quantile(const BetaBinomial *of, float8 up_to);
extern int64 beta_binomial_quantile(const BetaBinomial *of, float8 above);

#endif							/* CUSTMART_BETA_BINOMIAL_H */
