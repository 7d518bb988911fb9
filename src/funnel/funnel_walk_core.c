/*
 * funnel_walk_core.c
 *	  Walking all chains of a member at once.
 *
 * How far a chain can still get depends on the steps it has reached and on when
 * it began; beginning later never makes it less.  So of all chains that have
 * reached r steps only the one that began last needs to be known, and one pass
 * over the moments with at most one chain for each r finds the best; a second
 * pass from its beginning finds its times.
 */
#include "funnel/funnel_moment.h"

/* Rows of one moment that can matter: for each step, as many as there are steps. */
#define ROWS_MAX (FUNNEL_STEPS_MAX * FUNNEL_STEPS_MAX)

#define NOBODY (-1)

/* Which row of a moment is matched to which step. */
typedef struct Matching
{
	int			rows;
	uint32		tag[ROWS_MAX];
	int			step[ROWS_MAX]; /* or NOBODY */
	bool		seen[ROWS_MAX];
} Matching;

/* ---------- one row for each step ---------- */

/*
 * Takes the rows that can matter.  A step that an ignored row meets has as many
 * rows taken as there are steps, so one of those is free.
 */
static void
take_rows(Matching *matching, const Moment *moment, int steps)
{
	int			taken[FUNNEL_STEPS_MAX] = {0};

	matching->rows = 0;
	for (Size i = 0; i < moment->count; i++)
	{
		bool		matters = false;

		check_interrupts(i);
		for (uint32 left = moment->rows[i].tag; left != 0 && !matters; left &= left - 1)
			matters = taken[__builtin_ctz(left)] < steps;
		if (!matters)
			continue;
		for (uint32 left = moment->rows[i].tag; left != 0; left &= left - 1)
			taken[__builtin_ctz(left)]++;
		matching->tag[matching->rows] = moment->rows[i].tag;
		matching->step[matching->rows] = NOBODY;
		matching->rows++;
	}
}

/*
 * Finds a row for one more step, giving other rows to steps matched before if
 * need be (augmenting paths; Kuhn 1955, "The Hungarian method").
 */
static bool
match(Matching *matching, int step)
{
	for (int i = 0; i < matching->rows; i++)
	{
		if ((matching->tag[i] >> step & 1) == 0 || matching->seen[i])
			continue;
		matching->seen[i] = true;
		if (matching->step[i] == NOBODY || match(matching, matching->step[i]))
		{
			matching->step[i] = step;
			return true;
		}
	}
	return false;
}

static void
unmatch(Matching *matching, int step)
{
	for (int i = 0; i < matching->rows; i++)
		if (matching->step[i] == step)
			matching->step[i] = NOBODY;
}

/*
 * For every number of steps reached before the moment, how many have been
 * reached after it, if each row counts for one.  A chain of r + 1 steps gets at
 * least as far as one of r, so a single matching serves all: it loses a step at
 * its beginning and gains some at its end.
 */
static void
reach_once(const Funnel *funnel, const Moment *moment, int *reach)
{
	Matching	matching;
	int			end = 0;

	take_rows(&matching, moment, funnel->steps);
	for (int r = 0; r < funnel->steps; r++)
	{
		end = Max(end, r);
		for (; end < funnel->steps; end++)
		{
			memset(matching.seen, false, matching.rows * sizeof(bool));
			if (!match(&matching, end))
				break;
		}
		reach[r] = end;
		unmatch(&matching, r);
	}
}

/* True if rows of one moment can be given to all of the wanted steps, each to one. */
bool
funnel_can_match(const Moment *moment, uint32 wanted, int steps)
{
	Matching	matching;

	take_rows(&matching, moment, steps);
	for (; wanted != 0; wanted &= wanted - 1)
	{
		memset(matching.seen, false, matching.rows * sizeof(bool));
		if (!match(&matching, __builtin_ctz(wanted)))
			return false;
	}
	return true;
}

/* ---------- chains ---------- */

/*
 * How far the moment takes chains that have reached r steps, for each r that is a
 * bit of `wanted`.
 */
void
funnel_find_reach(const Funnel *funnel, const Moment *moment, uint32 wanted, int *reach)
{
	/* Only where two consecutive steps are met can a chain advance by more than one. */
	uint32		several = wanted & moment->met & moment->met >> 1;

	if (several != 0 && (funnel->mode & (FUNNEL_ONCE | FUNNEL_INCREASE)) == FUNNEL_ONCE &&
		moment->count > 1)
	{
		reach_once(funnel, moment, reach);
		return;
	}
	for (uint32 left = wanted; left != 0; left &= left - 1)
	{
		int			r = __builtin_ctz(left);
		uint64		from_here = (uint64) moment->met >> r;

		if (funnel->mode & (FUNNEL_ONCE | FUNNEL_INCREASE))
			reach[r] = r + (int) (from_here & 1);
		else
			reach[r] = r + __builtin_ctzll(~from_here);
	}
}

/* The level of the member, and at which event the chain that counts begins. */
static int
find_best(const Funnel *funnel, const Event *events, Size n, Size *best_start)
{
	bool		may_end = (funnel->mode & (FUNNEL_ORDER | FUNNEL_DEDUPLICATION)) != 0;
	uint32		alive = 0;		/* bit r: a chain that has reached r steps, not all */
	Size		start[FUNNEL_STEPS_MAX + 1];	/* and where it begins */
	int			best = 0;
	Moment		moment;

	for (Size at = 0, next; at < n; at = next)
	{
		int			reach[FUNNEL_STEPS_MAX];
		uint32		touched;

		next = read_moment(events, n, at, &moment);
		touched = may_end ? alive | (moment.met & 1) : (alive | 1) & moment.met;
		if (touched == 0)
			continue;
		funnel_find_reach(funnel, &moment, touched, reach);

		/* The highest first, so that what a chain arrives at is settled already. */
		while (touched != 0)
		{
			int			r = 31 - __builtin_clz(touched);
			Size		from = r == 0 ? at : start[r];
			int			to = reach[r];

			touched ^= UINT32_C(1) << r;
			if (!is_within(funnel, events[from].value, moment.rows->value))
			{
				alive &= ~(UINT32_C(1) << r);
				continue;
			}
			if (to == r)
			{
				if (is_over(funnel, &moment, r))
					alive &= ~(UINT32_C(1) << r);
				continue;
			}
			if (r > 0)
				alive &= ~(UINT32_C(1) << r);
			if (to > best || (to == best && from > *best_start))
			{
				best = to;
				*best_start = from;
			}
			if (to < funnel->steps && ((alive >> to & 1) == 0 || from > start[to]))
			{
				alive |= UINT32_C(1) << to;
				start[to] = from;
			}
		}
	}
	return best;
}

/* How far a member came, where there are no rules. */
static void
walk_freely(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	Size		at = 0;
	int			level = find_best(funnel, events, n, &at);
	int			reach[FUNNEL_STEPS_MAX];
	Moment		moment;

	chain->level = 0;
	while (chain->level < level)
	{
		at = read_moment(events, n, at, &moment);
		funnel_find_reach(funnel, &moment, UINT32_C(1) << chain->level, reach);
		for (int to = reach[chain->level]; chain->level < to; chain->level++)
			chain->time[chain->level] = moment.rows->value;
	}
	chain->reached = level == 0 ? 0 : funnel_all_steps(level);
}

/* How far a member came: `events` in order of time, then tag. */
void
funnel_walk(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain)
{
	if (unlikely(funnel->mode & FUNNEL_ANY_ORDER))
		funnel_walk_any_order(funnel, events, n, chain);
	else if (unlikely(funnel->rules != NULL))
		funnel_walk_by_rules(funnel, events, n, chain);
	else
		walk_freely(funnel, events, n, chain);
}
