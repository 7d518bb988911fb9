/*
 * uplift_core.c
 *	  The curves of a score, and the areas below them.
 */
#include "campaign/uplift_core.h"

const char *const uplift_curve_names[UPLIFT_CURVES] = {"qini", "gain"};

/* The height of a curve at a point. */
float8
uplift_value(UpliftCurve curve, const UpliftPoint *point)
{
	float8		treated = point->members[CAMPAIGN_TREATED];
	float8		control = point->members[CAMPAIGN_CONTROL];
	float8		treated_sum = point->sum[CAMPAIGN_TREATED];
	float8		control_sum = point->sum[CAMPAIGN_CONTROL];

	if (curve == UPLIFT_QINI)
		return control == 0 ? treated_sum : treated_sum - control_sum * treated / control;
	if (treated == 0 || control == 0)
		return control == 0 ? treated_sum : -control_sum;	/* the other rate is 0 */
	return (treated_sum * control - control_sum * treated) * (treated + control) / (treated * control);
}

/* Adds the next point, below the score of the last. */
void
uplift_area_add(UpliftArea *area, UpliftCurve curve, const UpliftPoint *point)
{
	float8		members = point->members[CAMPAIGN_CONTROL] + point->members[CAMPAIGN_TREATED];
	float8		value = uplift_value(curve, point);

	area->area += (members - area->members) * (area->value + value) / 2;
	area->members = members;
	area->value = value;
}

/* The area without the triangle below the line to the last point. */
float8
uplift_above_chance(const UpliftArea *area)
{
	return area->area - area->members * area->value / 2;
}

/*
 * The same of the best order that there is for outcomes of 0 and 1.  For Qini: those
 * who bought and were treated, then those who did not buy, then those who bought
 * untreated.  For the gain: those who bought and were treated, then those who did not
 * buy untreated; of the others those who were treated in vain come first, unless they
 * are fewer than those who bought untreated.
 */
float8
uplift_perfect(UpliftCurve curve, const int64 *members, const int64 *buyers)
{
	enum
	{
		TREATED_BUYERS, TREATED_OTHERS, CONTROL_BUYERS, CONTROL_OTHERS, KINDS
	};
	int64		count[KINDS] = {
		buyers[CAMPAIGN_TREATED], members[CAMPAIGN_TREATED] - buyers[CAMPAIGN_TREATED],
		buyers[CAMPAIGN_CONTROL], members[CAMPAIGN_CONTROL] - buyers[CAMPAIGN_CONTROL]
	};
	bool		buyers_first = count[TREATED_OTHERS] < count[CONTROL_BUYERS];
	int			step[KINDS] = {0, 1, 2, 1};
	UpliftPoint point = {{0}, {0}};
	UpliftArea	area = {0};

	if (curve == UPLIFT_GAIN)
	{
		step[TREATED_OTHERS] = buyers_first ? 3 : 2;
		step[CONTROL_BUYERS] = buyers_first ? 2 : 3;
	}
	for (int s = 0; s < KINDS; s++)
	{
		bool		is_empty = true;

		for (int kind = 0; kind < KINDS; kind++)
		{
			CampaignGroup group = kind <= TREATED_OTHERS ? CAMPAIGN_TREATED : CAMPAIGN_CONTROL;

			if (step[kind] != s || count[kind] == 0)
				continue;
			point.members[group] += (float8) count[kind];
			if (kind == TREATED_BUYERS || kind == CONTROL_BUYERS)
				point.sum[group] += (float8) count[kind];
			is_empty = false;
		}
		if (!is_empty)
			uplift_area_add(&area, curve, &point);
	}
	return uplift_above_chance(&area);
}

/*
 * Whether each outcome of a side is 0 or 1: then sum, squares and buyers are the same,
 * and if they are, the sum of (y - 1)^2 over buyers is 0.
 */
bool
uplift_is_binary(const CampaignSide *side)
{
	DecimalPool no_pool = {0};
	Decimal		buyers = decimal_unpack(decimal_pack_small(side->buyers, 0), &no_pool);

	return decimal_compare(&side->sum, &buyers) == 0 && decimal_compare(&side->squares, &buyers) == 0;
}
