/*
 * points_core.c
 *	  Walking through an account of points.
 */
#include "tier_by_spend/points_core.h"

#include "tier_by_spend/tier_by_spend_core.h"

static void
add(PointsWalk *walk, Decimal *sum, const Decimal *points)
{
	walk->is_out_of_range |= !decimal_add(sum, points);
}

static void
subtract(PointsWalk *walk, Decimal *sum, const Decimal *points)
{
	walk->is_out_of_range |= !decimal_subtract(sum, points);
}

/* Makes an entry the oldest with points left. */
static void
set_oldest(PointsWalk *walk, Size entry, const Decimal *left)
{
	int64		lapses = walk->lapse(walk->context, walk->entries[entry].value);

	/* Clocks that are set back over midnight show the day before once more: points of then do not overtake. */
	walk->lapses = Max(walk->lapses, lapses);
	walk->oldest = entry;
	walk->has_oldest = true;
	walk->left = *left;
}

/* Goes on to the next points that were earned, all of which are left. */
static void
next_oldest(PointsWalk *walk)
{
	for (Size i = walk->oldest + 1; i < walk->next; i++)
	{
		Decimal		points = decimal_unpack(walk->entries[i].amount, walk->pool);

		check_interrupts(++walk->steps);
		if (decimal_sign(&points) > 0)
		{
			set_oldest(walk, i, &points);
			return;
		}
	}
	walk->has_oldest = false;
}

static void
earn(PointsWalk *walk, const Decimal *points)
{
	Decimal		left = *points;

	walk->reason = POINTS_EARNED;
	if (decimal_sign(&walk->balance) < 0)
		add(walk, &left, &walk->balance);
	add(walk, &walk->earned, points);
	add(walk, &walk->balance, points);
	if (!walk->has_oldest && decimal_sign(&left) > 0 && !walk->is_out_of_range)
		set_oldest(walk, walk->next - 1, &left);
}

static void
redeem(PointsWalk *walk, const Decimal *points)
{
	Decimal		rest = *points;

	walk->reason = POINTS_REDEEMED;
	add(walk, &walk->redeemed, points);
	subtract(walk, &walk->balance, points);
	while (decimal_sign(&rest) > 0 && walk->has_oldest && !walk->is_out_of_range)
	{
		check_interrupts(++walk->steps);
		if (decimal_compare(&walk->left, &rest) > 0)
		{
			subtract(walk, &walk->left, &rest);
			return;
		}
		subtract(walk, &rest, &walk->left);
		next_oldest(walk);
	}
}

/* All that lapses at the same time as the oldest points. */
static void
lapse(PointsWalk *walk)
{
	walk->at = walk->lapses;
	walk->reason = POINTS_LAPSED;
	walk->points = walk->zero;
	add(walk, &walk->points, &walk->left);
	for (;;)
	{
		next_oldest(walk);
		if (!walk->has_oldest || walk->lapses != walk->at)
			break;
		add(walk, &walk->points, &walk->left);
	}
	add(walk, &walk->lapsed, &walk->points);
	subtract(walk, &walk->balance, &walk->points);
}

/* Before the first entry. */
void
points_walk_begin(PointsWalk *walk)
{
	walk->zero = payments_zero(walk->entries, walk->count, walk->pool);
	walk->balance = walk->earned = walk->redeemed = walk->lapsed = walk->zero;
	walk->is_out_of_range = false;
	walk->next = 0;
	walk->oldest = 0;
	walk->has_oldest = false;
	walk->lapses = PG_INT64_MIN;
	walk->steps = 0;
}

/* Goes on to the next entry, or to where points lapse; false: there is none, or a sum is out of range. */
bool
points_walk_next(PointsWalk *walk)
{
	int64		entry = walk->next < walk->count ? walk->entries[walk->next].value : PG_INT64_MAX;

	if (walk->is_out_of_range)
		return false;
	check_interrupts(++walk->steps);
	if (walk->has_oldest && walk->lapses != PG_INT64_MAX && walk->lapses <= Min(entry, walk->until))
		lapse(walk);
	else if (walk->next == walk->count || entry > walk->until)
		return false;
	else
	{
		Decimal		amount = decimal_unpack(walk->entries[walk->next++].amount, walk->pool);

		walk->at = entry;
		walk->points = walk->zero;
		if (decimal_sign(&amount) >= 0)
		{
			add(walk, &walk->points, &amount);
			earn(walk, &walk->points);
		}
		else
		{
			subtract(walk, &walk->points, &amount);
			redeem(walk, &walk->points);
		}
	}
	return !walk->is_out_of_range;
}
