/*
 * session_core.h
 *	  Sessions: what a member does without a long pause.
 *
 * Events in the order of their times belong to one session as long as each is at
 * most `gap` after the one before; a longer pause begins another.
 */
#ifndef CUSTMART_SESSION_CORE_H
#define CUSTMART_SESSION_CORE_H

#include "history/history_core.h"

/* What the sessions of a member amount to. */
typedef struct SessionTotals
{
	int64		sessions;
	int64		events;
	int64		single;		/* sessions of one event */
	int128		length;			/* of all sessions, in microseconds */
} SessionTotals;

/* True if an event belongs to the session of the one before. */
static inline bool
session_goes_on(int64 before, int64 time, int64 gap)
{
	return (uint64) time - (uint64) before <= (uint64) gap;
}

extern Size session_end(const Event *events, Size n, Size from, int64 gap);
extern void session_total(const Event *events, Size n, int64 gap, SessionTotals *totals);

#endif							/* CUSTMART_SESSION_CORE_H */
