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
 */
#ifndef CUSTMART_FUNNEL_CORE_H
#define CUSTMART_FUNNEL_CORE_H

#include "history/history_core.h"

#define FUNNEL_STEPS_MAX 32

#define FUNNEL_ONCE 1
#define FUNNEL_ORDER 2
#define FUNNEL_DEDUPLICATION 4
#define FUNNEL_INCREASE 8

typedef struct Funnel
{
	int			steps;			/* 1 to FUNNEL_STEPS_MAX */
	int64		within;			/* microseconds, not below 0 */
	int			mode;			/* FUNNEL_... together; 0: one row may meet several steps */
} Funnel;

typedef struct FunnelChain
{
	int			level;			/* steps reached */
	int64		time[FUNNEL_STEPS_MAX]; /* of each */
} FunnelChain;

extern void funnel_walk(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain);
extern int64 funnel_percentile(int64 *durations, Size n, int tenths);

/* A tag with every step of the funnel. */
static inline uint32
funnel_all_steps(int steps)
{
	return UINT32_MAX >> (FUNNEL_STEPS_MAX - steps);
}

#endif							/* CUSTMART_FUNNEL_CORE_H */
