/*
 * tier_by_spend_core.c
 *	  Walking through payments and ends of periods; rolling net.
 */
#include "tier_by_spend/tier_by_spend_core.h"

#define NEVER PG_INT64_MAX

/* 0 with as many decimals as the amount that has most. */
static Decimal
zero_of(const Event *payments, Size n, const DecimalPool *pool)
{
	Decimal		zero = {.scale = 0};

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		zero.scale = Max(zero.scale, decimal_packed_scale(payments[i].amount, pool));
	}
	return zero;
}

static bool
add(TierWalk *walk, Size i)
{
	Decimal		amount = decimal_unpack(walk->payments[i].amount, walk->pool);

	walk->is_out_of_range |= !decimal_add(&walk->net, &amount);
	return !walk->is_out_of_range;
}

static bool
subtract(TierWalk *walk, Size i)
{
	Decimal		amount = decimal_unpack(walk->payments[i].amount, walk->pool);

	walk->is_out_of_range |= !decimal_subtract(&walk->net, &amount);
	return !walk->is_out_of_range;
}

/* Makes `earliest` the earliest time whose payments are in the window. */
static bool
move_window(TierWalk *walk, int64 earliest)
{
	while (walk->first > 0 && walk->payments[walk->first - 1].value >= earliest)
	{
		check_interrupts(++walk->steps);
		if (!add(walk, --walk->first))
			return false;
	}
	while (walk->first < walk->next && walk->payments[walk->first].value < earliest)
	{
		check_interrupts(++walk->steps);
		if (!subtract(walk, walk->first++))
			return false;
	}
	return true;
}

/* The best tier of those from `best` to `worst` that the net warrants; worst if it warrants none. */
static int
warranted(const TierWalk *walk, int best, int worst)
{
	while (best < worst)
	{
		int			middle = (best + worst) / 2;

		if (decimal_compare(&walk->net, &walk->limits[middle]) >= 0)
			worst = middle;
		else
			best = middle + 1;
	}
	return best;
}

/* Sets the tier; true if it changed. */
static bool
change(TierWalk *walk, int tier, int64 since)
{
	if (tier == walk->tier)
		return false;
	walk->reason = tier < walk->tier ? TIER_UPGRADE : TIER_DOWNGRADE;
	walk->tier = tier;
	walk->since = since;
	return true;
}

static bool
at_payment(TierWalk *walk)
{
	int64		time = walk->payments[walk->next].value;
	int64		start = walk->calendar->window_start(walk->calendar->context, time);

	if (!add(walk, walk->next++) || !move_window(walk, start == PG_INT64_MIN ? start : start + 1))
		return false;
	if (walk->has_jumped || walk->end <= time)
	{
		walk->end = walk->calendar->period_end(walk->calendar->context, time);
		walk->has_jumped = false;
	}
	if (walk->next == 1)
	{
		walk->tier = warranted(walk, 0, walk->limit_count);
		walk->since = time;
		walk->reason = TIER_START;
		return true;
	}
	if (walk->tier == 0 || decimal_compare(&walk->net, &walk->limits[walk->tier - 1]) < 0)
		return false;
	return change(walk, warranted(walk, 0, walk->tier), time);
}

static bool
at_end(TierWalk *walk)
{
	int64		end = walk->end;

	if (!move_window(walk, walk->calendar->window_start(walk->calendar->context, end)))
		return false;

	/* A payment that has just left may enter again: go on end by end. */
	if (walk->first > 0 &&
		(uint64) end - (uint64) walk->payments[walk->first - 1].value <= (uint64) walk->calendar->window_most)
	{
		walk->end = walk->calendar->period_end(walk->calendar->context, end);
		walk->has_jumped = false;
		return change(walk, warranted(walk, 0, walk->limit_count), end);
	}

	/* The next end that can change something is that at which the earliest payment has left. */
	walk->end = NEVER;
	walk->has_jumped = true;
	if (walk->first < walk->next)
	{
		int64		kept;

		if (!pg_add_s64_overflow(walk->payments[walk->first].value, walk->calendar->window_least, &kept))
		{
			walk->has_jumped = kept > end;
			walk->end = walk->calendar->period_end(walk->calendar->context, Max(end, kept));
		}
	}
	return change(walk, warranted(walk, 0, walk->limit_count), end);
}

/* Before the first payment. */
void
tier_walk_begin(TierWalk *walk)
{
	walk->net = zero_of(walk->payments, walk->count, walk->pool);
	walk->is_out_of_range = false;
	walk->next = 0;
	walk->first = 0;
	walk->end = NEVER;
	walk->has_jumped = true;
	walk->steps = 0;
}

/* Goes on to the next change; false: there is none, or the net is out of range. */
bool
tier_walk_next(TierWalk *walk)
{
	while (!walk->is_out_of_range)
	{
		int64		payment = walk->next < walk->count ? walk->payments[walk->next].value : NEVER;

		check_interrupts(++walk->steps);
		if (walk->end != NEVER && walk->end <= Min(payment, walk->until))
		{
			if (at_end(walk))
				return true;
		}
		else if (payment == NEVER || payment > walk->until)
			return false;
		else if (at_payment(walk))
			return true;
	}
	return false;
}

/* The net of all with after < time <= until; false if it is out of range. */
bool
spend_net(const Event *payments, Size n, const DecimalPool *pool,
		  int64 after, int64 until, Decimal *net)
{
	Size		low = 0;
	Size		high = n;

	*net = zero_of(payments, n, pool);
	while (low < high)
	{
		Size		middle = low + (high - low) / 2;

		if (payments[middle].value > after)
			high = middle;
		else
			low = middle + 1;
	}
	for (; low < n && payments[low].value <= until; low++)
	{
		Decimal		amount = decimal_unpack(payments[low].amount, pool);

		check_interrupts(low);
		if (!decimal_add(net, &amount))
			return false;
	}
	return true;
}
