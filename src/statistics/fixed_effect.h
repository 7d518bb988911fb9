/*
 * fixed_effect.h
 *	  The slope of a regression with one fixed effect, and its precision.
 *
 * Within each cell x and y are taken relative to their means in the cell, which
 * is what a fixed effect of the cell does.  The slope is the sum of x~ y~ over
 * the sum of x~ squared, and its variance is clustered: with e the residuals,
 *
 *		G / (G - 1) * sum over clusters of (sum of x~ e)^2 / (sum of x~^2)^2
 *
 * (Liang and Zeger 1986).  As the sum of x~ e in a cluster is its product less
 * slope times its square, two numbers per cluster are enough.
 */
#ifndef CUSTMART_FIXED_EFFECT_H
#define CUSTMART_FIXED_EFFECT_H

#include "shared/core.h"

typedef struct FixedEffectCluster
{
	float8		product;		/* sum of x~ y~ */
	float8		square;			/* sum of x~ squared, above 0 */
} FixedEffectCluster;

typedef struct FixedEffect
{
	float8		slope;
	float8		error;			/* standard; NAN, like the bounds, with one cluster */
	float8		low;			/* bounds at level 1 - alpha, by Student's t */
	float8		high;
} FixedEffect;

extern FixedEffect fixed_effect(const FixedEffectCluster *clusters, Size n, float8 alpha);

#endif							/* CUSTMART_FIXED_EFFECT_H */
