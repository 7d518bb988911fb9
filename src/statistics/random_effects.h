/*
 * random_effects.h
 *	  Do effects measured in several places differ, and what is each of them likely
 *	  to be?
 *
 * Each place i has an effect d that was measured with variance v.  Whether the true
 * effects differ is Cochran's Q (1954), the sum of (d - mean)^2 / v, whose
 * distribution is chi-squared if they do not.  By how much they differ is the
 * variance tau^2 of DerSimonian and Laird (1986), and with mu, the mean of all
 * with weights 1 / (v + tau^2), each effect is *shrunk* towards it:
 *
 *		(d tau^2 + mu v) / (tau^2 + v), with the variance tau^2 v / (tau^2 + v).
 *
 * The best of many measured effects is most likely too good, and shrinking takes
 * that out.  The variance above takes tau^2 and mu for known.  They are not, and
 * an interval from it would be far too narrow: with tau^2 estimated as 0 it has no
 * width.  `error` allows for both: mu adds its own variance, as far as an effect
 * is shrunk, and tau^2 is taken to be one standard error, sqrt(2 / sum of
 * (v + tau^2)^-2), larger.
 */
#ifndef CUSTMART_RANDOM_EFFECTS_H
#define CUSTMART_RANDOM_EFFECTS_H

#include "shared/core.h"

/* Fewer effects than this say too little about how much they differ: they stay as measured. */
#define RANDOM_EFFECTS_MIN 4

typedef struct RandomEffects
{
	Size		n;
	float8		q;				/* Cochran's; NAN, as is p, for fewer than 2 effects */
	float8		p;
	float8		tau_squared;
	float8		tau_squared_error;	/* standard */
	float8		mean;			/* mu; NAN without effects */
	float8		mean_variance;
} RandomEffects;

typedef struct ShrunkEffect
{
	float8		effect;
	float8		given_error;	/* standard, if tau^2 and mu were known */
	float8		error;			/* standard */
} ShrunkEffect;

extern RandomEffects random_effects(const float8 *effect, const float8 *variance, Size n);
extern ShrunkEffect random_effects_shrink(const RandomEffects *effects, float8 effect, float8 variance);

#endif							/* CUSTMART_RANDOM_EFFECTS_H */
