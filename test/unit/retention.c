/* needs: shared/calendar_core.c money/decimal.c history/history_core.c shared/keytable.c shared/keytable_order.c shared/packed_column.c retention/retention_core.c */
#include "retention/retention_core.h"

#include "tap.h"

#define PERIODS 40
#define MEMBERS 60
#define DAY INT64_C(86400000000)

/* A member in plain terms: by period, whether active and what was spent, in hundredths. */
typedef struct Member
{
	bool		active[PERIODS];
	bool		has_row[PERIODS];
	int64		net[PERIODS];
} Member;

static Member members[MEMBERS];
static int	member_count;
static int	origin;				/* the period with number 0 */
static int	as_of;				/* one of them */

static int
first_active(const Member *member)
{
	for (int p = 0; p < PERIODS; p++)
		if (member->active[p])
			return p;
	return -1;
}

/* Members of some kind, none of them with a row after as_of. */
static void
random_members(bool refunds)
{
	int			density = 1 + (int) random_below(12);

	origin = (int) random_below(4) * 100000 - 200000;
	as_of = (int) random_below(PERIODS);
	member_count = (int) random_below(random_below(3) ? 10 : MEMBERS + 1);
	memset(members, 0, sizeof(members));
	for (int m = 0; m < member_count; m++)
	{
		int			begin = (int) random_below(PERIODS);

		for (int p = 0; p <= as_of; p++)
		{
			Member	   *member = &members[m];

			if (p < begin || random_below(density) > 1)
				continue;
			member->has_row[p] = true;
			member->active[p] = !refunds || random_below(3) > 0;
			member->net[p] = member->active[p] ? (int64) random_below(20000) - 5000 : -1 - (int64) random_below(5000);
		}
	}
}

/* The events of a member, with nothing behind them. */
static Event *
events_of(const Member *member, Size *n)
{
	Event		events[PERIODS];

	*n = 0;
	for (int p = 0; p < PERIODS; p++)
		if (member->has_row[p])
			events[(*n)++] = (Event) {.value = decimal_pack_small(member->net[p], 2), .tag = event_period_tag(origin + p, member->active[p])};
	return exact_copy(events, *n * sizeof(Event));
}

/* ---------- cohorts ---------- */

static void
free_triangle(Triangle *triangle)
{
	for (uint32 i = 0; i < triangle->cohorts.count; i++)
	{
		Cohort	   *cohort = keytable_payload(&triangle->cohorts, i);

		free(cohort->active);
		free(cohort->last);
		free(cohort->net);
	}
	for (uint32 i = 0; i < triangle->cohorts.nchunks; i++)
		free(triangle->cohorts.chunks[i]);
	free(triangle->cohorts.chunks);
	for (uint64 i = 0; i < (triangle->cohorts.nslots + KEYTABLE_SLOTS - 1) / KEYTABLE_SLOTS; i++)
		free(triangle->cohorts.slots[i]);
	free(triangle->cohorts.slots);
	free(triangle->pool.item);
}

static Cohort *
cohort_of(const Triangle *triangle, int period)
{
	for (uint32 i = 0; i < triangle->cohorts.count; i++)
		if (keytable_key(&triangle->cohorts, i).number == origin + period)
			return keytable_payload(&triangle->cohorts, i);
	return NULL;
}

static void
test_triangle(void)
{
	long		cells = 0;

	property("cohorts are counted as members are counted one by one");
	for (int run = 0; run < 4000; run++)
	{
		bool		has_amounts = random_below(2);
		Triangle	triangle;
		uint32		cohorts = 0;
		Size		size = 0;

		random_members(has_amounts);
		triangle_init(&triangle, origin + as_of, has_amounts, NULL);
		for (int m = 0; m < member_count; m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);

			holds(triangle_add(&triangle, events, n, NULL) == RETENTION_OK, "run %d: member %d", run, m);
			free(events);
		}
		for (int c = 0; c < PERIODS; c++)
		{
			int64		of_cohort = 0;
			Cohort	   *cohort = cohort_of(&triangle, c);

			for (int m = 0; m < member_count; m++)
				of_cohort += first_active(&members[m]) == c;
			if (!holds((cohort != NULL) == (of_cohort > 0), "run %d: cohort %d", run, c) || cohort == NULL)
				continue;
			cohorts++;
			size += as_of - c + 1;
			holds(cohort->members == of_cohort, "run %d: %" PRId64 " members in cohort %d", run, cohort->members, c);
			holds((cohort->net != NULL) == has_amounts, "run %d: money", run);
			for (int k = 0; c + k <= as_of; k++)
			{
				int64		active = 0;
				int64		last = 0;
				int64		net = 0;

				for (int m = 0; m < member_count; m++)
					if (first_active(&members[m]) == c)
					{
						bool		later = false;

						for (int p = c + k + 1; p < PERIODS; p++)
							later |= members[m].active[p];
						active += members[m].active[c + k];
						last += members[m].active[c + k] && !later;
						net += members[m].net[c + k];
					}
				cells++;
				holds(cohort->active[k] == active && cohort->last[k] == last, "run %d: cohort %d, %d later: %" PRId64 " active, %" PRId64 " last",
					  run, c, k, cohort->active[k], cohort->last[k]);
				if (has_amounts)
				{
					Decimal		sum = decimal_unpack(cohort->net[k], &triangle.pool);
					Decimal		expected = decimal_unpack(decimal_pack_small(net, 2), NULL);

					holds(decimal_compare(&sum, &expected) == 0, "run %d: cohort %d, %d later: net", run, c, k);
				}
			}
		}
		holds(triangle.cohorts.count == cohorts && triangle.cells == size, "run %d: %u cohorts, %zu cells", run,
			  triangle.cohorts.count, triangle.cells);
		free_triangle(&triangle);
	}
	property_end();
	ok(cells > 100000, "%ld cells", cells);
}

/* Cohorts of those who joined: before, with or after their first activity, some of them never active. */
static void
test_triangle_since(void)
{
	long		never = 0;
	long		cells = 0;

	property("cohorts of members who joined in a period are counted one by one");
	for (int run = 0; run < 4000; run++)
	{
		bool		has_amounts = random_below(2);
		int			joined[MEMBERS];
		Triangle	triangle;
		Size		size = 0;

		random_members(has_amounts);
		triangle_init(&triangle, origin + as_of, has_amounts, NULL);
		for (int m = 0; m < member_count; m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);
			Size		first;

			joined[m] = (int) random_below(as_of + 1);
			first = events_find_period(events, n, origin + joined[m]);
			holds(triangle_add_since(&triangle, origin + joined[m], events + first, n - first, NULL) == RETENTION_OK, "run %d: member %d", run, m);
			never += first == n;
			free(events);
		}
		for (int c = 0; c <= as_of; c++)
		{
			int64		of_cohort = 0;
			Cohort	   *cohort = cohort_of(&triangle, c);

			for (int m = 0; m < member_count; m++)
				of_cohort += joined[m] == c;
			if (!holds((cohort != NULL) == (of_cohort > 0), "run %d: cohort %d", run, c) || cohort == NULL)
				continue;
			size += as_of - c + 1;
			holds(cohort->members == of_cohort, "run %d: %" PRId64 " members in cohort %d", run, cohort->members, c);
			for (int k = 0; c + k <= as_of; k++)
			{
				int64		active = 0;
				int64		last = 0;
				int64		net = 0;

				for (int m = 0; m < member_count; m++)
					if (joined[m] == c)
					{
						bool		later = false;

						for (int p = c + k + 1; p < PERIODS; p++)
							later |= members[m].active[p];
						active += members[m].active[c + k];
						last += members[m].active[c + k] && !later;
						net += members[m].net[c + k];
					}
				cells++;
				holds(cohort->active[k] == active && cohort->last[k] == last, "run %d: cohort %d, %d later: %" PRId64 " active, %" PRId64 " last",
					  run, c, k, cohort->active[k], cohort->last[k]);
				if (has_amounts)
				{
					Decimal		sum = decimal_unpack(cohort->net[k], &triangle.pool);
					Decimal		expected = decimal_unpack(decimal_pack_small(net, 2), NULL);

					holds(decimal_compare(&sum, &expected) == 0, "run %d: cohort %d, %d later: net", run, c, k);
				}
			}
		}
		holds(triangle.cells == size, "run %d: %zu cells", run, triangle.cells);
		free_triangle(&triangle);
	}
	property_end();
	ok(never > 1000 && cells > 100000, "%ld members never came, %ld cells", never, cells);
}

/* ---------- growth of revenue ---------- */

static bool
is_cents(int64 packed, int64 cents, const DecimalPool *pool)
{
	Decimal		a = decimal_unpack(packed, pool);
	Decimal		b = decimal_unpack(decimal_pack_small(cents, 2), NULL);

	return decimal_compare(&a, &b) == 0;
}

/* What each movement is, member by member, word by word. */
static void
test_revenue(void)
{
	long		seen[8] = {0};

	property("revenue moves as defined, and the movements add up to its change");
	for (int run = 0; run < 4000; run++)
	{
		Revenue		revenue;
		int			first = PERIODS;
		int64		before_all = 0;

		random_members(run % 4 > 0);
		revenue_init(&revenue, origin + as_of, NULL);
		for (int m = 0; m < member_count; m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);

			holds(revenue_add(&revenue, events, n, NULL) == RETENTION_OK, "run %d: member %d", run, m);
			free(events);
			for (int p = PERIODS - 1; p >= 0; p--)
				if (members[m].has_row[p])
					first = Min(first, p);
		}
		holds(revenue.count == (first == PERIODS ? 0 : (Size) (as_of - first + 1)), "run %d: %zu periods", run, revenue.count);
		for (int p = first; p <= as_of; p++)
		{
			const RevenueSums *sums = &revenue.sums[as_of - p];
			int64		expected[8] = {0};
			const int64 *got = &sums->revenue;

			for (int m = 0; m < member_count; m++)
			{
				int64		now = members[m].net[p];
				int64		before = p > 0 ? members[m].net[p - 1] : 0;
				int64		pays = Max(now, 0);
				int64		paid = Max(before, 0);
				bool		ever = false;

				for (int q = 0; q < p; q++)
					ever |= members[m].net[q] > 0;
				expected[0] += now;
				expected[1] += pays;
				if (pays > 0 && !ever)
					expected[2] += pays;
				else if (pays > 0 && paid == 0)
					expected[3] += pays;
				else if (pays > 0 && pays >= paid)
					expected[4] += pays - paid;
				else if (pays > 0)
					expected[5] += pays - paid;
				else
					expected[6] -= paid;
				expected[7] += Min(now, 0) - Min(before, 0);
			}
			for (int i = 0; i < 8; i++)
			{
				seen[i] += expected[i] != 0;
				holds(is_cents(got[i], expected[i], &revenue.pool), "run %d, period %d: sum %d", run, p, i);
			}
			holds(expected[0] - before_all == expected[2] + expected[3] + expected[4] + expected[5] + expected[6] + expected[7],
				  "run %d, period %d: does not add up", run, p);
			before_all = expected[0];
		}
		free(revenue.sums);
		free(revenue.pool.item);
		free(revenue.spare.item);
	}
	property_end();
	for (int i = 0; i < 8; i++)
		ok(seen[i] > 5000, "%ld times sum %d", seen[i], i);

	/* Amounts of many digits and of several scales, and the ends of 56 bits: 2^55 - 1 and -2^55. */
	{
		static const char *const nets[] = {
			"36028797018963967", "-36028797018963968", "36028797018963967", "99999999999999999999999999999999999999.5", "0.0000000000000000000000000001",
			"-99999999999999999999999999999999999999", "0", "1.10", "1.1", "7"
		};
		Event		events[LENGTH_OF(nets)];
		DecimalPool pool = {0};
		Decimal		sum = {{0}};
		Revenue		revenue;
		bool		adds_up = true;

		for (int i = 0; i < (int) LENGTH_OF(nets); i++)
		{
			Decimal		net;

			if (!decimal_from_text(nets[i], strlen(nets[i]), &net))
				exit(1);
			events[i] = (Event) {.value = decimal_pack(&net, &pool), .tag = event_period_tag(i, true)};
		}
		revenue_init(&revenue, (int) LENGTH_OF(nets) + 2, NULL);
		ok(revenue_add(&revenue, events, LENGTH_OF(nets), &pool) == RETENTION_OK, "one member of extreme amounts");
		for (Size i = revenue.count; i-- > 0;)
		{
			const int64 *sums = &revenue.sums[i].revenue;
			Decimal		is = decimal_unpack(sums[0], &revenue.pool);

			for (int movement = 2; movement < 8; movement++)
			{
				Decimal		moved = decimal_unpack(sums[movement], &revenue.pool);

				adds_up &= decimal_add(&sum, &moved);
			}
			adds_up &= decimal_compare(&sum, &is) == 0;
		}
		ok(adds_up && revenue.count == LENGTH_OF(nets) + 3, "adds up, to the last digit");
		free(revenue.sums);
		free(revenue.pool.item);
		free(revenue.spare.item);
		free(pool.item);
	}
}

/* ---------- growth accounting and lifecycle ---------- */

/* What a member is in a period, word by word. */
static Lifecycle
plain_lifecycle(const Member *member, int period)
{
	bool		now = period >= 0 && period < PERIODS && member->active[period];
	bool		before = period >= 1 && period <= PERIODS && member->active[period - 1];
	bool		ever = false;

	for (int p = 0; p < period && p < PERIODS; p++)
		ever |= member->active[p];
	if (now && !ever)
		return LIFECYCLE_NEW;
	if (now && before)
		return LIFECYCLE_RETURNING;
	if (now)
		return LIFECYCLE_RESURRECTING;
	return before ? LIFECYCLE_DORMANT : LIFECYCLE_NONE;
}

static void
test_growth(void)
{
	long		seen[LIFECYCLE_DORMANT + 1] = {0};

	property("members are new, returning, resurrecting and dormant as defined, and add up");
	for (int run = 0; run < 4000; run++)
	{
		Growth		growth = {0};
		int			first = PERIODS;
		int64		active_before = 0;

		random_members(true);
		growth.as_of = origin + as_of;
		for (int m = 0; m < member_count; m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);

			holds(growth_add(&growth, events, n) == RETENTION_OK, "run %d: member %d", run, m);
			free(events);
			if (first_active(&members[m]) >= 0)
				first = Min(first, first_active(&members[m]));
		}
		holds(growth.count == (first == PERIODS ? 0 : (Size) (as_of - first + 1)), "run %d: %zu periods", run, growth.count);
		for (int p = first; p <= as_of; p++)
		{
			const GrowthCount *count = &growth.counts[as_of - p];
			int64		expected[LIFECYCLE_DORMANT + 1] = {0};
			int64		active;

			for (int m = 0; m < member_count; m++)
				expected[plain_lifecycle(&members[m], p)]++;
			for (int i = 0; i <= LIFECYCLE_DORMANT; i++)
				seen[i] += expected[i];
			holds(count->came == expected[LIFECYCLE_NEW] && count->returning == expected[LIFECYCLE_RETURNING] &&
				  count->resurrecting == expected[LIFECYCLE_RESURRECTING] && count->dormant == expected[LIFECYCLE_DORMANT],
				  "run %d, period %d: %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, run, p,
				  count->came, count->returning, count->resurrecting, count->dormant);
			active = count->came + count->returning + count->resurrecting;
			holds(active - active_before == count->came + count->resurrecting - count->dormant, "run %d, period %d: does not add up", run, p);
			active_before = active;
		}
		free(growth.counts);
	}
	property_end();
	for (int i = LIFECYCLE_NEW; i <= LIFECYCLE_DORMANT; i++)
		ok(seen[i] > 10000, "%ld times %d", seen[i], i);

	/* More periods than the first array has room for, and more again. */
	{
		Growth		growth = {.as_of = 1000};
		bool		right = true;

		for (int i = 0; i < 3; i++)
		{
			Event		event = {.tag = event_period_tag(i == 0 ? 990 : i == 1 ? 700 : 100, true)};

			right &= growth_add(&growth, &event, 1) == RETENTION_OK;
		}
		ok(right && growth.count == 901 && growth.counts[10].came == 1 && growth.counts[9].dormant == 1 && growth.counts[300].came == 1 &&
		   growth.counts[299].dormant == 1 && growth.counts[900].came == 1 && growth.counts[899].dormant == 1 && growth.counts[500].came == 0,
		   "growth accounting of 901 periods");
		free(growth.counts);
	}

	property("and so is one member by himself");
	for (int run = 0; run < 3000; run++)
	{
		random_members(false);
		for (int m = 0; m < Min(member_count, 5); m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);

			for (int p = -2; p < PERIODS + 3; p++)
			{
				Size		at = events_find_period(events, n, origin + p);
				Size		before = 0;

				for (int q = 0; q < Min(p, PERIODS); q++)
					before += members[m].active[q];
				holds(lifecycle_of(events, n, origin + p) == plain_lifecycle(&members[m], p), "run %d, period %d", run, p);
				holds(at == before, "run %d, period %d: found at %zu", run, p, at);
			}
			holds(lifecycle_of(events, n, INT32_MIN + 1) == LIFECYCLE_NONE && lifecycle_of(events, n, INT32_MAX) == LIFECYCLE_NONE, "far off");
			free(events);
		}
	}
	property_end();

	property("the first activity is behind all refunds before it");
	for (int run = 0; run < 1000; run++)
	{
		random_members(true);
		for (int m = 0; m < member_count; m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);
			Size		at = events_first_active(events, n);
			int			first = first_active(&members[m]);

			holds(first < 0 ? at == n : at < n && event_period(&events[at]) == origin + first, "run %d", run);
			free(events);
		}
	}
	property_end();
}

/* ---------- stickiness ---------- */

static void
test_stickiness(void)
{
	property("members by the number of their active periods, all or some");
	for (int run = 0; run < 4000; run++)
	{
		Stickiness	stickiness = {0};
		int64		expected[PERIODS + 1] = {0};
		int			since = (int) random_below(PERIODS);
		int			until = since + (int) random_below(PERIODS);
		int			most = 0;

		random_members(true);
		stickiness.since = origin + since;
		stickiness.until = origin + until;
		if (run % 3 == 0)
		{
			since = 0;
			until = PERIODS;
			stickiness.since = INT32_MIN;
			stickiness.until = INT32_MAX;
		}
		for (int m = 0; m < member_count; m++)
		{
			Size		n;
			Event	   *events = events_of(&members[m], &n);
			int			periods = 0;

			stickiness_add(&stickiness, events, n);
			free(events);
			for (int p = since; p <= Min(until, PERIODS - 1); p++)
				periods += members[m].active[p];
			if (periods > 0)
				expected[periods - 1]++;
			most = Max(most, periods);
		}
		holds(stickiness.count == (Size) most, "run %d: up to %zu, not %d", run, stickiness.count, most);
		for (int i = 0; i < most; i++)
			holds(stickiness.members[i] == expected[i], "run %d: %" PRId64 " members of %d periods", run, stickiness.members[i], i + 1);
		free(stickiness.members);
	}
	property_end();

	/* More periods than the first array has room for. */
	{
		Stickiness	stickiness = {0};
		Event		events[500];

		stickiness.since = 3;
		stickiness.until = 402;
		for (int i = 0; i < 500; i++)
			events[i] = (Event) {.tag = event_period_tag(i, true)};
		stickiness_add(&stickiness, events, 10);
		stickiness_add(&stickiness, events, 500);
		ok(stickiness.count == 400 && stickiness.members[399] == 1 && stickiness.members[6] == 1 && stickiness.members[398] == 0,
		   "400 of 500 periods");
		free(stickiness.members);
	}
}

/* ---------- N-day retention ---------- */

static int
compare_times(const void *a, const void *b)
{
	const Event *x = a;
	const Event *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

static void
test_days(void)
{
	long		cells = 0;

	property("N-day retention counts whole days of 24 hours from a member's own start");
	for (int run = 0; run < 4000; run++)
	{
		int			last_day = (int) random_below(random_below(3) ? 6 : 40);
		int64		scale = run % 3 == 0 ? 1 : run % 3 == 1 ? DAY / 4 : DAY;
		/* From the first microsecond to the last is farther than 64 bits with a sign. */
		int64		first = run % 5 == 0 ? INT64_C(-211813488000000000) : INT64_C(800000000000000);
		int64		end = run % 5 == 0 && random_below(2) ? INT64_C(9223371331199999999) : first + (int64) random_below(30) * scale + (int64) random_below(2);
		int			n_members = 1 + (int) random_below(12);
		int64		times[12][10];
		int			n[12];
		DayRetention days;

		day_retention_init(&days, end, last_day, NULL);
		for (int m = 0; m < n_members; m++)
		{
			Event		events[10];
			Event	   *exact;

			n[m] = 0;
			for (int i = 0; i < 10; i++)
			{
				int64		t = first + (int64) random_below(20) * scale + (random_below(3) == 0 ? (int64) random_below(3) - 1 : 0);

				if (t <= end && t >= first && (n[m] == 0 || random_below(3)))
					times[m][n[m]++] = t;
			}
			if (n[m] == 0)
				times[m][n[m]++] = first;
			if (end == INT64_C(9223371331199999999) && random_below(2) && n[m] < 10)
				times[m][n[m]++] = end - (int64) random_below(2);
			for (int i = 0; i < n[m]; i++)
				events[i] = (Event) {.value = times[m][i]};
			qsort(events, n[m], sizeof(Event), compare_times);
			exact = exact_copy(events, n[m] * sizeof(Event));
			day_retention_add(&days, exact, n[m]);
			free(exact);
		}
		day_retention_finish(&days);
		for (int day = 0; day <= last_day; day++)
		{
			int64		of = 0;
			int64		active = 0;
			int64		later = 0;

			for (int m = 0; m < n_members; m++)
			{
				int128		start = times[m][0];
				bool		in_day = false;
				bool		on_or_after = false;

				for (int i = 1; i < n[m]; i++)
					start = Min(start, (int128) times[m][i]);
				if (start + (day + 1) * (int128) DAY > end)
					continue;
				of++;
				for (int i = 0; i < n[m]; i++)
				{
					in_day |= times[m][i] >= start + day * (int128) DAY && times[m][i] < start + (day + 1) * (int128) DAY;
					on_or_after |= times[m][i] >= start + day * (int128) DAY;
				}
				active += in_day;
				later += on_or_after;
			}
			cells += of > 0;
			holds(days.ended[day + 1] == of && days.active[day] == active && days.last[day] == later,
				  "run %d, day %d: %" PRId64 " %" PRId64 " %" PRId64 ", not %" PRId64 " %" PRId64 " %" PRId64, run, day,
				  days.ended[day + 1], days.active[day], days.last[day], of, active, later);
		}
		free(days.ended);
		free(days.active);
		free(days.last);
	}
	property_end();
	ok(cells > 5000, "%ld days with members", cells);
}

/* Brackets of days, from when members joined: they may come before, or never. */
static void
test_brackets(void)
{
	long		counted = 0;

	property("brackets of days since a member joined");
	for (int run = 0; run < 6000; run++)
	{
		int			n_bounds = 1 + (int) random_below(5);
		int32		bounds[6];
		int64		scale = run % 2 == 0 ? DAY / 3 : DAY;
		int64		first = INT64_C(800000000000000);
		int64		end = first + (int64) random_below(60) * scale + (int64) random_below(2);
		int			n_members = (int) random_below(12);
		int64		times[12][8];
		int64		joined[12];
		int			n[12];
		DayRetention days;

		bounds[0] = (int32) random_below(3);
		for (int i = 1; i <= n_bounds; i++)
			bounds[i] = bounds[i - 1] + 1 + (int32) random_below(8);
		day_retention_init_brackets(&days, end, bounds, n_bounds, NULL);
		for (int m = 0; m < n_members; m++)
		{
			Event		events[8];
			Event	   *exact;
			Size		at;

			joined[m] = first + (int64) random_below(20) * scale;
			joined[m] = Min(end, joined[m]);
			n[m] = (int) random_below(9);
			for (int i = 0; i < n[m]; i++)
			{
				int64		t = first + (int64) random_below(60) * scale + (random_below(4) == 0 ? (int64) random_below(3) - 1 : 0);

				times[m][i] = Min(end, t);
			}
			for (int i = 0; i < n[m]; i++)
				events[i] = (Event) {.value = times[m][i]};
			qsort(events, n[m], sizeof(Event), compare_times);
			exact = exact_copy(events, n[m] * sizeof(Event));
			at = events_find_time(exact, n[m], joined[m]);
			day_retention_add_since(&days, joined[m], exact + at, n[m] - at);
			free(exact);
		}
		day_retention_finish(&days);
		for (int b = 0; b < n_bounds; b++)
		{
			int64		of = 0;
			int64		active = 0;
			int64		later = 0;

			for (int m = 0; m < n_members; m++)
			{
				bool		in_bracket = false;
				bool		on_or_after = false;

				if (joined[m] + bounds[b + 1] * DAY > end)
					continue;
				of++;
				for (int i = 0; i < n[m]; i++)
				{
					bool		is_late = times[m][i] >= joined[m] + bounds[b] * DAY;

					on_or_after |= is_late;
					in_bracket |= is_late && times[m][i] < joined[m] + bounds[b + 1] * DAY;
				}
				active += in_bracket;
				later += on_or_after;
			}
			counted += active;
			holds(days.ended[b + 1] == of && days.active[b] == active && days.last[b] == later,
				  "run %d, bracket %d: %" PRId64 " %" PRId64 " %" PRId64 ", not %" PRId64 " %" PRId64 " %" PRId64, run, b,
				  days.ended[b + 1], days.active[b], days.last[b], of, active, later);
		}
		free(days.ended);
		free(days.active);
		free(days.last);
	}
	property_end();
	ok(counted > 5000, "%ld times active", counted);
}

/* ---------- limits ---------- */

static void
test_limits(void)
{
	Event		one = {.value = decimal_pack_small(1, 0), .tag = event_period_tag(0, true)};
	Event		refund = {.value = decimal_pack_small(-1, 0), .tag = event_period_tag(0, false)};
	Triangle	triangle;
	Growth		growth = {0};
	DecimalPool pool = {0};
	Decimal		most;

	triangle_init(&triangle, RETENTION_CELLS_MAX, false, NULL);
	ok(triangle_add(&triangle, &one, 1, NULL) == RETENTION_TOO_MANY_CELLS, "a cohort with a cell too many");
	free_triangle(&triangle);
	triangle_init(&triangle, RETENTION_CELLS_MAX - 1, false, NULL);
	ok(triangle_add(&triangle, &one, 1, NULL) == RETENTION_OK && triangle.cells == (Size) RETENTION_CELLS_MAX, "a cohort with as many as may be");
	one.tag = event_period_tag(RETENTION_CELLS_MAX - 1, true);
	ok(triangle_add(&triangle, &one, 1, NULL) == RETENTION_TOO_MANY_CELLS, "and no second one beside it");
	one.tag = event_period_tag(0, true);
	ok(triangle_add(&triangle, &one, 1, NULL) == RETENTION_OK && triangle_add(&triangle, &refund, 1, NULL) == RETENTION_OK &&
	   triangle_add(&triangle, NULL, 0, NULL) == RETENTION_OK && triangle.cohorts.count == 2, "but more members, some in no cohort");
	free_triangle(&triangle);

	growth.as_of = RETENTION_CELLS_MAX;
	ok(growth_add(&growth, &one, 1) == RETENTION_TOO_MANY_CELLS && growth_add(&growth, &refund, 1) == RETENTION_OK && growth.count == 0,
	   "growth accounting of a period too many");
	growth.as_of--;
	ok(growth_add(&growth, &one, 1) == RETENTION_OK && growth.count == (Size) RETENTION_CELLS_MAX &&
	   growth.counts[growth.count - 1].came == 1 && growth.counts[growth.count - 2].dormant == 1, "and of as many as may be");
	free(growth.counts);

	{
		Revenue		revenue;

		revenue_init(&revenue, RETENTION_CELLS_MAX, NULL);
		ok(revenue_add(&revenue, &one, 1, NULL) == RETENTION_TOO_MANY_CELLS && revenue.count == 0, "growth of revenue of a period too many");
		revenue_init(&revenue, RETENTION_CELLS_MAX - 1, NULL);
		ok(revenue_add(&revenue, &one, 1, NULL) == RETENTION_OK && revenue.count == (Size) RETENTION_CELLS_MAX, "and of as many as may be");
		free(revenue.sums);
	}

	/* 2^255 - 1 is the widest sum. */
	if (!decimal_from_text("57896044618658097711785492504343953926634992332820282019728792003956564819967", 77, &most))
		exit(1);
	triangle_init(&triangle, 0, true, NULL);
	one.value = decimal_pack(&most, &pool);
	ok(triangle_add(&triangle, &one, 1, &pool) == RETENTION_OK && triangle_add(&triangle, &one, 1, &pool) == RETENTION_SUM_OUT_OF_RANGE,
	   "a sum that does not fit");
	free_triangle(&triangle);
	{
		Revenue		revenue;

		revenue_init(&revenue, 0, NULL);
		ok(revenue_add(&revenue, &one, 1, &pool) == RETENTION_OK && revenue_add(&revenue, &one, 1, &pool) == RETENTION_SUM_OUT_OF_RANGE,
		   "nor does one of revenue");
		free(revenue.sums);
		free(revenue.pool.item);
		free(revenue.spare.item);
	}
	free(pool.item);
}

/* uid 0 is active on days 12, 13 and 14, uid 1 on 12 and 13, uid 2 on 12: 3, 2, 1. */
static void
test_by_hand(void)
{
	Triangle	triangle;
	Cohort	   *cohort;
	Event		events[3];

	origin = 0;
	for (int i = 0; i < 3; i++)
		events[i] = (Event) {.tag = event_period_tag(12 + i, true)};
	triangle_init(&triangle, 14, false, NULL);
	for (int n = 3; n >= 1; n--)
		(void) triangle_add(&triangle, events, n, NULL);
	cohort = cohort_of(&triangle, 12);
	ok(cohort != NULL && triangle.cohorts.count == 1 && cohort->members == 3 && cohort->active[0] == 3 && cohort->active[1] == 2 && cohort->active[2] == 1,
	   "the example of three users: 3, 2, 1");
	free_triangle(&triangle);
}

int
main(void)
{
	test_by_hand();
	test_triangle();
	test_triangle_since();
	test_revenue();
	test_growth();
	test_stickiness();
	test_days();
	test_brackets();
	test_limits();
	return done_testing();
}
