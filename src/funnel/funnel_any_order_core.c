/*
 * funnel_any_order_core.c
 *	  Walking chains whose steps may come in any order.
 *
 * Rows that can be given to different steps, each to one, are the independent
 * sets of a matroid (Edmonds and Fulkerson 1965, "Transversals and Matroid
 * Partition").  So from the last row to the first, a set of at most one row for
 * each step is kept: of the rows behind, the largest set, and of these the one
 * with the earliest rows.  Those of its rows that lie in the window of the
 * current one are then the largest set in that window, and their times are when
 * one step more is reached.
 */
#include "funnel/funnel_moment.h"

/* Rows that are given to steps. */
typedef struct Given
{
	uint32		steps;			/* those that have a row */
	int64		time[FUNNEL_STEPS_MAX];
	uint32		tag[FUNNEL_STEPS_MAX];
} Given;

/*
 * Gives a row that is earlier than all others to a step: to a free one, if other
 * rows can make room, else in place of the latest row whose place it can get.
 */
static void
give(Given *given, int64 time, uint32 tag)
{
	int			step[FUNNEL_STEPS_MAX]; /* in the order in which they are found */
	int			from[FUNNEL_STEPS_MAX]; /* the step whose row could move to it, or -1: the new row */
	uint32		seen = tag;
	int			count = 0;
	int			place = -1;

	for (uint32 left = tag; left != 0; left &= left - 1)
	{
		step[count] = __builtin_ctz(left);
		from[step[count++]] = -1;
	}
	for (int i = 0; i < count; i++)
	{
		int			s = step[i];

		if ((given->steps >> s & 1) == 0)
		{
			place = s;
			break;
		}
		if (place < 0 || given->time[s] > given->time[place])
			place = s;
		for (uint32 left = given->tag[s] & ~seen; left != 0; left &= left - 1)
		{
			step[count] = __builtin_ctz(left);
			from[step[count++]] = s;
		}
		seen |= given->tag[s];
	}
	if (place < 0)
		return;
	given->steps |= UINT32_C(1) << place;
	for (; from[place] >= 0; place = from[place])
	{
		given->time[place] = given->time[from[place]];
		given->tag[place] = given->tag[from[place]];
	}
	given->time[place] = time;
	given->tag[place] = tag;
}

/* The times of the rows up to an end, in their order; returns how many. */
static int
times_until(const Given *given, int64 end, int64 *times)
{
	int			n = 0;

	for (uint32 left = given->steps; left != 0; left &= left - 1)
	{
		int64		time = given->time[__builtin_ctz(left)];
		int			i = n;

		if (time > end)
			continue;
		for (; i > 0 && times[i - 1] > time; i--)
			times[i] = times[i - 1];
		times[i] = time;
		n++;
	}
	return n;
}

/* How far a member came if steps count in any order. */
void
funnel_walk_any_order(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	FunnelRules *rules = funnel->rules;
	const Event *rows = rules == NULL ? events : funnel_rows_of_steps(rules, events, n);
	uint32		exclusions = rules == NULL || funnel->steps < 2 ? 0 : rules->exclusions[1];
	int64		last_start = rules == NULL ? PG_INT64_MAX : rules->last_start;
	int64		excluded = PG_INT64_MAX;	/* when the next exclusion is met */
	Given		given = {0};
	Size		step = 0;

	chain->level = 0;
	for (Size end = n; end > 0;)
	{
		int64		time = rows[end - 1].value;
		uint32		met = 0;
		uint32		conditions = 0;
		int64		until;
		int64		times[FUNNEL_STEPS_MAX];
		int			level;

		for (; end > 0 && rows[end - 1].value == time; end--)
		{
			check_interrupts(step++);
			conditions |= events[end - 1].tag;
			met |= rows[end - 1].tag;
			if (funnel->mode & FUNNEL_ONCE)
				give(&given, time, rows[end - 1].tag);
		}
		if ((funnel->mode & FUNNEL_ONCE) == 0)
		{
			given.steps |= met;
			for (uint32 left = met; left != 0; left &= left - 1)
				given.time[__builtin_ctz(left)] = time;
		}
		if (met != 0 && time <= last_start)
		{
			if (pg_add_s64_overflow(time, funnel->within, &until))
				until = PG_INT64_MAX;
			level = times_until(&given, Min(until, excluded), times);
			/* Of those with as many steps the first that is found began last. */
			if (level > chain->level)
			{
				chain->level = level;
				memcpy(chain->time, times, level * sizeof(int64));
			}
		}
		if ((conditions & exclusions) != 0)
			excluded = time;
	}
	chain->reached = chain->level == 0 ? 0 : funnel_all_steps(chain->level);
}
