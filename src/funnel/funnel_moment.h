/*
 * funnel_moment.h
 *	  Rows of equal times, for the files that walk chains.
 */
#ifndef CUSTMART_FUNNEL_MOMENT_H
#define CUSTMART_FUNNEL_MOMENT_H

#include "funnel/funnel_core.h"

/* The rows of one time. */
typedef struct Moment
{
	const Event *rows;
	Size		count;
	uint32		met;			/* steps met by any row */
	int			stranger;		/* the highest first step of a row, from 0; 32 of a row that meets none */
} Moment;

extern void funnel_find_reach(const Funnel *funnel, const Moment *moment, uint32 wanted, int *reach);
extern bool funnel_can_match(const Moment *moment, uint32 wanted, int steps);
extern void funnel_walk_by_rules(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain);
extern void funnel_walk_any_order(const Funnel *funnel, const Event *events, Size n, FunnelChain *chain);
extern const Event *funnel_rows_of_steps(FunnelRules *rules, const Event *events, Size n);

/* Reads the moment that begins at an event; returns the next one's beginning. */
static inline Size
read_moment(const Event *events, Size n, Size at, Moment *moment)
{
	int64		time = events[at].value;

	moment->rows = events + at;
	moment->met = 0;
	moment->stranger = 0;
	for (; at < n && events[at].value == time; at++)
	{
		uint32		tag = events[at].tag;
		int			first = tag == 0 ? FUNNEL_STEPS_MAX : __builtin_ctz(tag);

		check_interrupts(at);
		moment->met |= tag;
		moment->stranger = Max(moment->stranger, first);
	}
	moment->count = (Size) (events + at - moment->rows);
	return at;
}

/* True if a chain of r steps, which the moment does not advance, is over. */
static inline bool
is_over(const Funnel *funnel, const Moment *moment, int r)
{
	return ((funnel->mode & FUNNEL_ORDER) && moment->stranger >= r) ||
		((funnel->mode & FUNNEL_DEDUPLICATION) && (moment->met & funnel_all_steps(r)) != 0);
}

static inline bool
is_within(const Funnel *funnel, int64 start, int64 time)
{
	return (uint64) time - (uint64) start <= (uint64) funnel->within;
}

#endif							/* CUSTMART_FUNNEL_MOMENT_H */
