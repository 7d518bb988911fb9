/*
 * funnel_core.h
 *	  How far a member came through the steps of a funnel, and when.
 *
 * An event is a time and, as its tag, the steps that the row meets: bit j - 1
 * stands for step j.  Events of equal times are one moment and have no order.
 *
 * A chain begins at a moment with a row that meets step 1.  In each moment up to
 * `within` after its beginning, that one included, it advances from r steps
 * reached to r + m, the largest m for which rows of the moment meet the steps
 * r + 1 .. r + m.  A mode restricts that:
 *
 *	FUNNEL_ONCE				by m different rows
 *	FUNNEL_INCREASE			m is at most 1
 *	FUNNEL_ORDER			the chain is over in a moment in which it does not
 *							advance and a row meets none of the steps 1 .. r
 *	FUNNEL_DEDUPLICATION	it is over in a moment in which it does not advance
 *							and a row meets one of the steps 1 .. r
 *
 * The member's level is the largest r of all chains; of chains that reach it
 * the one that begins last counts.
 *
 * Rules add to that: conditions that are exclusions and no steps, and how long it
 * may take at most and must take at least from each step to the next.  Then the
 * earliest row for a step need not be the best one, so a chain may pass rows over,
 * unless FUNNEL_ORDER or FUNNEL_DEDUPLICATION say what a row does to it.  Of the
 * longest chains the one that begins last counts, and of these the one whose step
 * 2 is the earliest, then step 3, and so on.
 *
 * Optional steps have no part in that: the chain consists of the others, the
 * required ones, of which step 1 is one.  Then each optional step takes the first
 * row that it can, from the step taken before it to the required step behind it,
 * or, if the chain did not get that far, to where the chain ended.
 *
 * FUNNEL_ANY_ORDER: a chain is rows that meet different steps, the last at most
 * `within` after the first, and no exclusion between first and last.  The level is
 * how many they are; of those with the most steps the chain that begins last
 * counts, with each further step as early as can be.
 */
#ifndef CUSTMART_FUNNEL_CORE_H
#define CUSTMART_FUNNEL_CORE_H

#include "history/history_core.h"

#define FUNNEL_STEPS_MAX 32

#define FUNNEL_ONCE 1
#define FUNNEL_ORDER 2
#define FUNNEL_DEDUPLICATION 4
#define FUNNEL_INCREASE 8
#define FUNNEL_ANY_ORDER 16		/* beside FUNNEL_ONCE, or alone */

/* A chain that waits for its next step. */
typedef struct FunnelWaiting
{
	int64		time;			/* of its last step */
	int64		start;
	int			from;			/* the number of steps that it had before that moment, and as which of those */
	Size		before;
} FunnelWaiting;

/*
 * The chains that wait having reached the same number of steps.  From `head` to
 * `ripe` are those for which the gap is over, where an earlier one always began
 * later; from `pending` to `end` the others.  Both ascend in the time of the last
 * step.
 */
typedef struct FunnelQueue
{
	FunnelWaiting *chain;
	Size		capacity;
	Size		head;
	Size		ripe;
	Size		pending;
	Size		end;
} FunnelQueue;

#define FUNNEL_NO_STEP (-1)

/*
 * What a reader asks for beside a mode.  Times are microseconds.  Steps are
 * counted from 0 here, with the optional ones among them; the members of a funnel
 * are its required steps, which a chain of r steps has the first r of.
 */
typedef struct FunnelRules
{
	int			conditions;		/* of the stored rows */
	int			step[FUNNEL_STEPS_MAX]; /* that each condition is, or FUNNEL_NO_STEP */
	int			steps;			/* required and optional */
	uint32		optional;		/* a bit for each step that is */
	int64		way_within[FUNNEL_STEPS_MAX];	/* [i]: the longest time to step i from the one before */
	int64		way_gap[FUNNEL_STEPS_MAX];	/* [i]: the shortest */
	uint32		way_exclusions[FUNNEL_STEPS_MAX];	/* [i]: conditions that end a chain whose last step is i - 1 */
	int64		last_start;		/* chains begin no later */

	/* The same for chains, by funnel_rules_finish. */
	bool		has_others;		/* not all conditions are required steps */
	int			required[FUNNEL_STEPS_MAX]; /* which step each required one is */
	uint32		exclusions[FUNNEL_STEPS_MAX];	/* [r]: conditions that end a chain of r steps */
	int64		step_within[FUNNEL_STEPS_MAX];	/* [r]: the longest time from r steps to r + 1 */
	int64		step_gap[FUNNEL_STEPS_MAX]; /* [r]: the shortest */

	/* What walking needs. */
	MemoryContext context;
	Event	   *rows;			/* with required steps as their tags */
	Size		rows_capacity;
	Event	   *moment;			/* rows of a moment with all steps as their tags */
	Size		moment_capacity;
	FunnelQueue queue[FUNNEL_STEPS_MAX];
} FunnelRules;

typedef struct Funnel
{
	int			steps;			/* 1 to FUNNEL_STEPS_MAX; required ones */
	int64		within;			/* microseconds, not below 0 */
	int			mode;			/* FUNNEL_... together; 0: one row may meet several steps */
	FunnelRules *rules;			/* NULL: none */
} Funnel;

typedef struct FunnelChain
{
	int			level;			/* the last step reached, counted from 1 */
	uint32		reached;		/* a bit for each step; only optional ones may be missing below the level */
	int64		time[FUNNEL_STEPS_MAX]; /* of each that is */
} FunnelChain;

extern void funnel_rules_init(FunnelRules *rules, int conditions, MemoryContext context);
extern void funnel_rules_finish(Funnel *funnel);
extern void funnel_walk(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain);
extern int64 funnel_percentile(int64 *durations, Size n, int tenths);

/* A tag with every step of the funnel. */
static inline uint32
funnel_all_steps(int steps)
{
	return UINT32_MAX >> (FUNNEL_STEPS_MAX - steps);
}

/* True if the chain has a step, counted from 0. */
static inline bool
funnel_has_step(const FunnelChain *chain, int step)
{
	return (chain->reached >> step & 1) != 0;
}

/* How many steps the funnel has, required and optional. */
static inline int
funnel_steps_of(const Funnel *funnel)
{
	return funnel->rules == NULL ? funnel->steps : funnel->rules->steps;
}

#endif							/* CUSTMART_FUNNEL_CORE_H */
