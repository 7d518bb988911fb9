/*
 * tier_by_spend_core.c
 *	  Walking through payments and ends of periods; the net of a window.
 */
#include "tier_by_spend/tier_by_spend_core.h"

#define NEVER PG_INT64_MAX

/* 0 with as many decimals as the amount that has most. */
Decimal
payments_zero(const Event *payments, Size n, const DecimalPool *pool)
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

/* The best tier of those from `best` to `worst` whose limit the net reaches; worst if there is none. */
static int
warranted(const TierWalk *walk, const Decimal *limits, int best, int worst)
{
	while (best < worst)
	{
		int			middle = (best + worst) / 2;

		if (decimal_compare(&walk->net, &limits[middle]) >= 0)
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

/* The tier that the net of an end warrants: a better one is reached, others are kept. */
static int
warranted_at_end(const TierWalk *walk)
{
	int			tier = warranted(walk, walk->limits, 0, walk->tier);

	return tier < walk->tier ? tier : warranted(walk, walk->keep_limits, tier, walk->limit_count);
}

/* Where the tier that was reached at the payment of a time is looked at first. */
static void
keep_reached(TierWalk *walk, int64 time)
{
	const TierCalendar *calendar = walk->calendar;

	walk->reached = time;
	if (calendar->kept_until != NULL && walk->tier < walk->limit_count)
		walk->kept[walk->tier] = calendar->from_zero ? walk->end : calendar->kept_until(calendar->context, time);
}

static bool
at_payment(TierWalk *walk)
{
	int64		time = walk->payments[walk->next].value;
	int64		start = walk->calendar->payment_window(walk->calendar->context, time);

	if (!add(walk, walk->next++) || !move_window(walk, start))
		return false;
	if (walk->has_jumped || walk->end <= time)
	{
		walk->end = walk->calendar->period_end(walk->calendar->context, time);
		walk->has_jumped = false;
	}
	if (walk->next == 1)
	{
		walk->tier = warranted(walk, walk->limits, 0, walk->limit_count);
		walk->since = time;
		walk->reason = TIER_START;
		keep_reached(walk, time);
		return true;
	}
	if (walk->tier == 0 || decimal_compare(&walk->net, &walk->limits[walk->tier - 1]) < 0)
		return false;
	(void) change(walk, warranted(walk, walk->limits, 0, walk->tier), time);
	keep_reached(walk, time);
	return true;
}

/* Up to when a tier is kept that the net of an end warrants: the next end at least. */
static int64
kept_from_end(const TierWalk *walk, int64 end)
{
	const TierCalendar *calendar = walk->calendar;
	int64		kept = calendar->kept_until(calendar->context, end - 1);

	return kept > end ? kept : calendar->period_end(calendar->context, end);
}

/* Notes that the tier is kept; true if that is asked for. */
static bool
keep(TierWalk *walk, int64 end)
{
	if (!walk->with_kept)
		return false;
	walk->reason = TIER_KEPT;
	walk->since = end;
	return true;
}

/* An end of a period where every period counts from 0. */
static bool
at_end_from_zero(TierWalk *walk)
{
	const TierCalendar *calendar = walk->calendar;
	int64		end = walk->end;
	int64		begin = calendar->end_window(calendar->context, end);
	int			last = walk->limit_count;
	int			present = walk->tier;
	int			tier;
	int			best = present;
	bool		is_kept;
	bool		is_change;

	if (!move_window(walk, begin))
		return false;
	tier = warranted_at_end(walk);
	if (tier < last)
	{
		int64		kept = calendar->kept_until(calendar->context, end - 1);

		walk->kept[tier] = Max(walk->kept[tier], kept);
	}
	is_kept = present < last && tier == present && walk->kept[present] > end && walk->reached < begin;

	while (best < last && walk->kept[best] <= end)
	{
		check_interrupts(++walk->steps);
		best++;
	}
	if (walk->soft_landing && best > present && present + 1 < last && walk->kept[present + 1] <= end)
	{
		best = present + 1;
		walk->kept[best] = kept_from_end(walk, end);
	}
	is_change = change(walk, best, end);
	if (is_change)
		walk->reached = end - 1;
	walk->end = best < last ? walk->kept[best] : NEVER;
	walk->has_jumped = true;
	return is_change || (is_kept && keep(walk, end));
}

/* An end of a period where the window rolls. */
static bool
at_end(TierWalk *walk)
{
	const TierCalendar *calendar = walk->calendar;
	int64		end = walk->end;
	int			last = walk->limit_count;
	int			tier;
	int			warrants;
	bool		is_review;

	if (!move_window(walk, calendar->end_window(calendar->context, end)))
		return false;
	warrants = warranted_at_end(walk);
	tier = walk->tier;
	is_review = tier < last && (calendar->kept_until == NULL || walk->kept[tier] <= end);
	if (warrants < tier)
		tier = warrants;
	else if (is_review && warrants > tier)
		tier = walk->soft_landing ? tier + 1 : warrants;
	if (calendar->kept_until != NULL && tier < last && (is_review || tier != walk->tier))
		walk->kept[tier] = kept_from_end(walk, end);

	/* A payment that has just left may enter again: go on end by end. */
	if ((walk->first > 0 &&
		 (uint64) end - (uint64) walk->payments[walk->first - 1].value <= (uint64) calendar->window_most) ||
		(calendar->kept_until == NULL && tier < last && (walk->with_kept || tier < warrants)))
	{
		walk->end = calendar->period_end(calendar->context, end);
		walk->has_jumped = false;
	}
	else
	{
		/* The next end that can change something is that at which the earliest payment has left. */
		walk->end = NEVER;
		walk->has_jumped = true;
		if (walk->first < walk->next)
		{
			int64		left;

			if (!pg_add_s64_overflow(walk->payments[walk->first].value, calendar->window_least, &left))
			{
				walk->has_jumped = left > end;
				walk->end = calendar->period_end(calendar->context, Max(end, left));
			}
		}

		/* Or at which the tier is no longer kept, unless its net remains for ever. */
		if (calendar->kept_until != NULL && tier < last && walk->kept[tier] < walk->end &&
			(walk->end != NEVER || walk->with_kept || tier < warrants))
		{
			walk->end = walk->kept[tier];
			walk->has_jumped = true;
		}
	}
	return change(walk, tier, end) || (is_review && keep(walk, end));
}

/* Before the first payment. */
void
tier_walk_begin(TierWalk *walk)
{
	walk->net = payments_zero(walk->payments, walk->count, walk->pool);
	walk->is_out_of_range = false;
	walk->next = 0;
	walk->first = 0;
	walk->end = NEVER;
	walk->has_jumped = true;
	walk->reached = NEVER;
	walk->steps = 0;
	if (walk->calendar->kept_until != NULL)
		for (int i = 0; i < walk->limit_count; i++)
			walk->kept[i] = PG_INT64_MIN;
}

/* Goes on to the next change, or to where the tier is kept; false: there is none, or the net is out of range. */
bool
tier_walk_next(TierWalk *walk)
{
	while (!walk->is_out_of_range)
	{
		int64		payment = walk->next < walk->count ? walk->payments[walk->next].value : NEVER;

		check_interrupts(++walk->steps);
		if (walk->end != NEVER && walk->end <= Min(payment, walk->until))
		{
			if (walk->calendar->from_zero ? at_end_from_zero(walk) : at_end(walk))
				return true;
		}
		else if (payment == NEVER || payment > walk->until)
			return false;
		else if (at_payment(walk))
			return true;
	}
	return false;
}

/* The net of all with from <= time <= until; false if it is out of range. */
bool
spend_net(const Event *payments, Size n, const DecimalPool *pool,
		  int64 from, int64 until, Decimal *net)
{
	Size		low = 0;
	Size		high = n;

	*net = payments_zero(payments, n, pool);
	while (low < high)
	{
		Size		middle = low + (high - low) / 2;

		if (payments[middle].value >= from)
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
