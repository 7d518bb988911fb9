/*
 * uplift_core.h
 *	  How well a score puts those first whom a campaign moves: the curves of Qini
 *	  (Radcliffe 2007) and of the gain, whose area is also known as AUUC.
 *
 * Members are treated in the order of their score, the highest first; equal scores
 * are one step.  Of N members so far N_t were treated, with outcomes Y_t, and N_c were
 * not, with Y_c:
 *
 *		Qini = Y_t - Y_c N_t / N_c, without controls Y_t
 *		gain = (Y_t / N_t - Y_c / N_c) N, where the rate of an empty group is 0
 *
 * The area is by trapezoids over N from (0, 0).  The triangle below the straight line
 * to the last point is what chance would give, and is taken off.  If all outcomes are
 * 0 or 1, the coefficient is what is left, divided by the same of a perfect order.
 */
#ifndef CUSTMART_UPLIFT_CORE_H
#define CUSTMART_UPLIFT_CORE_H

#include "campaign/campaign_core.h"

typedef enum UpliftCurve
{
	UPLIFT_QINI,
	UPLIFT_GAIN
} UpliftCurve;

#define UPLIFT_CURVES 2

extern const char *const uplift_curve_names[UPLIFT_CURVES];

/* All members up to a score. */
typedef struct UpliftPoint
{
	float8		members[CAMPAIGN_GROUPS];
	float8		sum[CAMPAIGN_GROUPS];
} UpliftPoint;

extern float8 uplift_value(UpliftCurve curve, const UpliftPoint *point);

typedef struct UpliftArea
{
	float8		members;		/* of the last point */
	float8		value;
	float8		area;
} UpliftArea;

extern void uplift_area_add(UpliftArea *area, UpliftCurve curve, const UpliftPoint *point);
extern float8 uplift_above_chance(const UpliftArea *area);
extern float8 uplift_perfect(UpliftCurve curve, const int64 *members, const int64 *buyers);
extern bool uplift_is_binary(const CampaignSide *side);

#endif							/* CUSTMART_UPLIFT_CORE_H */
