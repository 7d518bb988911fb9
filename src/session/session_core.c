/*
 * session_core.c
 *	  Dividing the events of a member into sessions.
 */
#include "session/session_core.h"

/* Behind the session that begins with an event; `events` are in order of time. */
Size
session_end(const Event *events, Size n, Size from, int64 gap)
{
	for (from++; from < n; from++)
	{
		check_interrupts(from);
		if (!session_goes_on(events[from - 1].value, events[from].value, gap))
			break;
	}
	return from;
}

/* Adds up the sessions of a member. */
void
session_total(const Event *events, Size n, int64 gap, SessionTotals *totals)
{
	*totals = (SessionTotals) {.events = (int64) n};
	for (Size at = 0, end; at < n; at = end)
	{
		end = session_end(events, n, at, gap);
		totals->sessions++;
		totals->single += end - at == 1;
		totals->length += (int128) events[end - 1].value - events[at].value;
	}
}
