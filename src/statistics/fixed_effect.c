/*
 * fixed_effect.c
 *	  Slope, its variances by items, by members and by rows, and what follows.
 */
#include "statistics/fixed_effect.h"

#include <math.h>

#include "statistics/distributions.h"

/* What differs by less than this part of it is the same up to rounding. */
#define SLOPE_ROUNDING 1e-13

/* Pools two (Chan, Golub and LeVeque 1979). */
void
fixed_effect_add_rows(FixedEffectRows *rows, const FixedEffectRows *more)
{
	float8		difference = more->mean - rows->mean;
	float8		weight = rows->weight + more->weight;

	if (!(more->weight > 0))
		return;
	rows->squares += more->squares + difference * difference * (rows->weight / weight) * more->weight;
	rows->mean += difference * (more->weight / weight);
	rows->weight = weight;
}

void
fixed_effect_add_folds(FixedEffectFolds *folds, const FixedEffectFolds *more)
{
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		folds->fold[i].product += more->fold[i].product;
		folds->fold[i].square += more->fold[i].square;
		folds->fold[i].weight += more->fold[i].weight;
		folds->fold[i].is_used |= more->fold[i].is_used;
	}
}

static float8
squared_difference(float8 without, float8 slope)
{
	float8		difference = without - slope;

	return fabs(difference) > SLOPE_ROUNDING * fabs(slope) ? difference * difference : 0;
}

/* The slope without an item that weighs more than all others, whose sums are added up anew. */
static float8
slope_without(const FixedEffectCluster *items, Size n, Size without)
{
	float8		product = 0;
	float8		square = 0;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (i == without)
			continue;
		product += items[i].product;
		square += items[i].square;
	}
	return product / square;
}

/*
 * The effect over n items, at least one.  folds: NULL without members; rows: NULL if
 * the variance of independent rows is not known.
 */
FixedEffect
fixed_effect(const FixedEffectCluster *items, Size n,
			 const FixedEffectFolds *folds, const FixedEffectRows *rows)
{
	FixedEffect effect = {.has_members = folds != NULL, .effective_folds = NAN};
	float8		product = 0;
	float8		square = 0;
	float8		squares = 0;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		product += items[i].product;
		square += items[i].square;
		squares += items[i].square * items[i].square;
	}
	effect.slope = product / square;
	effect.effective_items = square * square / squares;

	effect.items_variance = n > 1 ? 0 : NAN;
	for (Size i = 0; i < n && n > 1; i++)
	{
		/* The difference of the slopes without it and with it, whose quotients need not be subtracted. */
		float8		excess = items[i].product - effect.slope * items[i].square;

		check_interrupts(i);
		if (items[i].square > square / 2)
			effect.items_variance += squared_difference(slope_without(items, n, i), effect.slope);
		else if (fabs(excess) > SLOPE_ROUNDING * fabs(items[i].product))
		{
			float8		change = excess / (square - items[i].square);

			effect.items_variance += change * change;
		}
	}
	effect.items_variance *= (float8) (n - 1) / n;

	effect.members_variance = NAN;
	if (folds != NULL)
	{
		float8		sum = 0;
		float8		weight = 0;
		float8		weights = 0;
		int			used = 0;
		bool		is_known = true;

		for (int i = 0; i < MEMBER_FOLDS; i++)
		{
			const FixedEffectFold *fold = &folds->fold[i];

			if (!fold->is_used)
				continue;
			if (fold->square > 0)
				sum += squared_difference(fold->product / fold->square, effect.slope);
			else
				is_known = false;
			weight += fold->weight;
			weights += fold->weight * fold->weight;
			used++;
		}
		if (is_known)
		{
			effect.members_variance = sum * (used - 1) / used;
			effect.effective_folds = weight * weight / weights;
		}
	}

	effect.rows_variance = NAN;
	if (rows != NULL)
	{
		float8		sum = rows->squares + squared_difference(rows->mean, effect.slope) * rows->weight;
		float8		explained = effect.slope * effect.slope * rows->weight;

		effect.rows_variance = sum > SLOPE_ROUNDING * SLOPE_ROUNDING * explained ? sum / (square * square) : 0;
	}
	return effect;
}

/* The larger of two variances, of which the second may be unknown. */
static float8
larger(float8 a, float8 b)
{
	return isnan(b) || a > b ? a : b;
}

/*
 * The error, interval and test of an effect.  within_item: of rows of one item
 * only, where nothing can be said about other items.  alpha: NAN without an interval,
 * whose quantile takes longer than everything else.
 */
FixedEffectInference
fixed_effect_infer(const FixedEffect *effect, bool within_item, float8 alpha)
{
	FixedEffectInference inference;
	float8		rows = isnan(effect->rows_variance) ? 0 : effect->rows_variance;
	float8		variance;
	float8		clusters;
	float8		margin;

	if (within_item)
	{
		variance = effect->members_variance;
		clusters = effect->effective_folds;
	}
	else if (effect->has_members)
	{
		variance = effect->items_variance + effect->members_variance - rows;
		if (!isnan(variance))
			variance = fmax(variance, fmax(effect->items_variance, effect->members_variance));
		clusters = fmin(effect->effective_items, effect->effective_folds);
	}
	else
	{
		variance = isnan(effect->items_variance) ? NAN : larger(effect->items_variance, effect->rows_variance);
		clusters = effect->effective_items;
	}
	if (isnan(variance))
		return (FixedEffectInference) {NAN, NAN, NAN, NAN, NAN, NAN};

	inference.error = sqrt(variance);
	inference.df = fmax(clusters - 1, 1);
	margin = isnan(alpha) ? NAN : statistics_student_quantile(alpha, inference.df) * inference.error;
	inference.low = effect->slope - margin;
	inference.high = effect->slope + margin;
	if (inference.error > 0)
		inference.p = statistics_student_p(effect->slope / inference.error, inference.df);
	else
		inference.p = effect->slope == 0 ? 1 : 0;
	inference.design_effect = rows > 0 && variance > rows ? variance / rows : 1;
	return inference;
}
