/* needs: money/decimal.c shared/calendar_core.c history/history_core.c session/session_core.c */
#include "session/session_core.h"

#include "tap.h"

#define ROWS 12

/* PostgreSQL's first and last timestamp. */
#define TIME_FIRST INT64_C(-211813488000000000)
#define TIME_LAST INT64_C(9223371331199999999)

static void
test_examples(void)
{
	static const Event events[] = {{.value = 0}, {.value = 10}, {.value = 20}, {.value = 31}, {.value = 31}};
	static const Event far_apart[] = {{.value = TIME_FIRST}, {.value = TIME_LAST}};
	SessionTotals totals;

	is_int((int) session_end(events, 5, 0, 10), 3, "a pause of just the gap is within a session");
	is_int((int) session_end(events, 5, 3, 10), 5, "a longer one is not");
	is_int((int) session_end(events, 5, 0, 11), 5, "unless the gap is longer, too");
	is_int((int) session_end(events, 5, 3, 0), 5, "equal times are one session whatever the gap");
	session_total(events, 5, 10, &totals);
	ok(totals.sessions == 2 && totals.events == 5 && totals.single == 0 && totals.length == 20, "two sessions, 20 and 0 long");
	session_total(events, 5, 9, &totals);
	ok(totals.sessions == 4 && totals.single == 3 && totals.length == 0, "four, three of one event");
	session_total(far_apart, 2, INT64_MAX, &totals);
	ok(totals.sessions == 2 && totals.length == 0, "all of time is longer than the longest gap");
}

/* Events by the definition: who begins a session has no other up to the gap before. */
static void
test_definition(void)
{
	property("sessions are those of the definition");
	for (int run = 0; run < 50000; run++)
	{
		Event		events[ROWS];
		int			n = 1 + (int) random_below(ROWS);
		int64		gap = (int64) random_below(6);
		int64		sessions = 0;
		int64		length = 0;
		int64		single = 0;
		SessionTotals totals;

		events[0].value = (int64) random_below(3);
		for (int i = 1; i < n; i++)
			events[i].value = events[i - 1].value + (int64) random_below(9);
		for (int i = 0; i < n; i++)
		{
			int			last = i;

			if (i > 0 && events[i].value - events[i - 1].value <= gap)
				continue;
			for (int j = i + 1; j < n; j++)
			{
				bool		is_same = true;

				for (int k = i + 1; k <= j; k++)
					is_same &= events[k].value - events[k - 1].value <= gap;
				if (is_same)
					last = j;
			}
			holds((int) session_end(events, n, i, gap) == last + 1, "run %d: a session ends at %d", run, last);
			sessions++;
			single += last == i;
			length += events[last].value - events[i].value;
		}
		session_total(events, n, gap, &totals);
		holds(totals.sessions == sessions && totals.single == single && totals.length == length && totals.events == n, "run %d", run);
	}
	property_end();
}

int
main(void)
{
	test_examples();
	test_definition();
	return done_testing();
}
