/*
 * fixed_effect.h
 *	  The slope of a regression with one fixed effect, and how precise it is when
 *	  rows depend on each other.
 *
 * Within each cell x and y are taken relative to their means in the cell, which
 * is what a fixed effect of the cell does.  The slope is the sum of x~ y~ over
 * the sum of x~ squared.
 *
 * Rows of one item are alike, and so are rows of one member, so there are three
 * variances of the slope:
 *
 *		items		jackknife: the slope without each item in turn
 *		members		the same without each of 32 folds that members are dealt into
 *		rows		as if all rows were independent: sum of (x~ e)^2 over
 *					(sum of x~ squared)^2, with e the residuals
 *
 * Items and members cross, so what both have in common, the rows, is subtracted
 * once (Cameron, Gelbach and Miller 2011); the sum is never taken to be below
 * either.  Clusters count by their weight, w = sum of x~ squared: there are
 * (sum of w)^2 / sum of w^2 of them, and degrees of freedom are one less than the
 * fewer.  If nothing compares without one of the folds, nobody knows how much
 * members vary.
 */
#ifndef CUSTMART_FIXED_EFFECT_H
#define CUSTMART_FIXED_EFFECT_H

#include "shared/member_fold.h"

typedef struct FixedEffectCluster
{
	float8		product;		/* sum of x~ y~ */
	float8		square;			/* sum of x~ squared, above 0 */
} FixedEffectCluster;

/*
 * The sums over all cells if a fold is left out.  They are added up anew for each
 * fold, because what one fold leaves may be lost in a difference of large sums.
 */
typedef struct FixedEffectFold
{
	float8		product;
	float8		square;			/* exactly 0 if no cell has any x~ left */
	float8		weight;			/* sum of x~ squared of its own rows */
	bool		is_used;		/* it has rows in cells that count */
} FixedEffectFold;

typedef struct FixedEffectFolds
{
	FixedEffectFold fold[MEMBER_FOLDS];
} FixedEffectFolds;

/*
 * The sum of (x~ e)^2 over rows, for any slope: that of w (d - slope)^2 over parts in
 * which rows differ by d, and of what they differ by besides.  It is kept as
 * squares + weight * (mean - slope)^2, which loses no digits where d hardly varies.
 */
typedef struct FixedEffectRows
{
	float8		weight;			/* sum of w */
	float8		mean;			/* of d, weighted by w */
	float8		squares;
} FixedEffectRows;

/* The slope and its variances; NAN where there is too little to tell. */
typedef struct FixedEffect
{
	float8		slope;
	float8		items_variance;
	float8		members_variance;
	float8		rows_variance;
	bool		has_members;
	float8		effective_items;
	float8		effective_folds;
} FixedEffect;

/* What follows from the variances; all NAN if they do not suffice. */
typedef struct FixedEffectInference
{
	float8		error;			/* standard */
	float8		df;
	float8		low;			/* bounds at level 1 - alpha, by Student's t */
	float8		high;
	float8		p;				/* two-sided, of slope 0 */
	float8		design_effect;	/* the variance over that of independent rows, at least 1 */
} FixedEffectInference;

extern void fixed_effect_add_rows(FixedEffectRows *rows, const FixedEffectRows *more);
extern void fixed_effect_add_folds(FixedEffectFolds *folds, const FixedEffectFolds *more);
extern FixedEffect fixed_effect(const FixedEffectCluster *items, Size n,
								const FixedEffectFolds *folds, const FixedEffectRows *rows);
extern FixedEffectInference fixed_effect_infer(const FixedEffect *effect, bool within_item, float8 alpha);

#endif							/* CUSTMART_FIXED_EFFECT_H */
