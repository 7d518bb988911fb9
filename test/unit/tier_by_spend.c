/* needs: shared/calendar_core.c money/decimal.c history/history_core.c tier_by_spend/tier_by_spend_core.c */
#include "tier_by_spend/tier_by_spend_core.h"

#include "shared/calendar_core.h"
#include "shared/time_range.h"
#include "tap.h"

#define DAY INT64_C(86400000000)

/* ---------- money, in hundredths of 128 bits ---------- */

#define MOST 64

typedef struct Row
{
	int64		time;
	int128		cents;
	int			scale;			/* written with 0 to 4 decimals */
} Row;

typedef struct History
{
	Event		payments[MOST];
	Size		count;
	DecimalPool pool;
} History;

static void
write_cents(int128 cents, int scale, char *text)
{
	uint128		n = cents < 0 ? -(uint128) cents : (uint128) cents;
	char		digits[64];
	int			count = 0;

	if (cents < 0)
		*text++ = '-';
	while (n > 0 || count < 3)
	{
		digits[count++] = '0' + (char) (n % 10);
		n /= 10;
	}
	while (count > 2)
		*text++ = digits[--count];
	if (scale > 0)
		*text++ = '.';
	for (int i = 0; i < scale; i++)
		*text++ = i < 2 ? digits[1 - i] : '0';
	*text = '\0';
}

static Decimal
decimal_of(int128 cents, int scale)
{
	char		text[80];
	Decimal		d;

	write_cents(cents, scale, text);
	if (!decimal_from_text(text, strlen(text), &d))
	{
		diag("%s is refused", text);
		exit(1);
	}
	return d;
}

static bool
is_cents(const Decimal *d, int128 cents)
{
	Decimal		expected = decimal_of(cents, 4);

	return decimal_compare(d, &expected) == 0;
}

static void
put(History *history, const Row *rows, int n)
{
	history->count = n;
	for (int i = 0; i < n; i++)
	{
		Decimal		d = decimal_of(rows[i].cents, rows[i].scale);

		history->payments[i].value = rows[i].time;
		history->payments[i].amount = decimal_pack(&d, &history->pool);
	}
}

static void
clear(History *history)
{
	free(history->pool.item);
	memset(history, 0, sizeof(*history));
}

static int128
random_cents(bool wide)
{
	int128		cents = (int128) random_below(40);

	if (wide)
		cents = cents * INT64_C(1000000000000000000) * 100000000 + (int128) random_below(3);
	else if (random_below(4) == 0)
		cents *= 100;
	return random_below(4) == 0 ? -cents : cents;
}

/* Whole numbers may be written without decimals, tens of hundredths with one. */
static int
random_scale(int128 cents)
{
	int			least = cents % 10 != 0 ? 2 : cents % 100 != 0 ? 1 : 0;

	return least + (int) random_below(5 - least);
}

static int64
random_time(void)
{
	return (int64) ((uint64) TIME_MIN + random_u64() % ((uint64) TIME_END - (uint64) TIME_MIN));
}

/* ---------- a calendar whose rules are plain ---------- */

#define WOBBLES 16

typedef struct Rules
{
	int64		unit;
	int64		span;
	int64		end_wobble;		/* what the windows of ends are longer */
	int64		wobble[WOBBLES];	/* and those of payments */
	bool		from_zero;
	int64		keep;			/* how long a tier is kept; -1: as long as every end decides, or periods from 0 the next */
	bool		soft_landing;
	long		calls;
} Rules;

static int64
floor_to(int64 time, int64 unit)
{
	int64		rest = time % unit;

	return time - rest - (rest < 0 ? unit : 0);
}

static int64
period_end(void *context, int64 time)
{
	Rules	   *rules = context;
	int64		end = time >= TIME_END ? INT64_MAX : floor_to(time, rules->unit) + rules->unit;

	rules->calls++;
	return end < TIME_END ? end : INT64_MAX;
}

static int64
window_start(void *context, int64 time)
{
	Rules	   *rules = context;
	int64		length = rules->span + (floor_to(time, rules->unit) == time ? rules->end_wobble :
										rules->wobble[(uint64) time % WOBBLES]);

	rules->calls++;
	return time < TIME_MIN + length ? INT64_MIN : time - length;
}

static int64
payment_window(void *context, int64 time)
{
	int64		start = window_start(context, time);

	return start == INT64_MIN ? start : start + 1;
}

static int64
period_begin(void *context, int64 time)
{
	Rules	   *rules = context;

	rules->calls++;
	return floor_to(time, rules->unit);
}

static int64
period_window(void *context, int64 end)
{
	return period_begin(context, end - 1);
}

static int64
kept_until(void *context, int64 time)
{
	Rules	   *rules = context;

	if (rules->keep < 0)
		return period_end(rules, period_end(rules, time));
	return period_end(rules, time > TIME_END - rules->keep ? TIME_END : time + rules->keep);
}

static TierCalendar
calendar_of(Rules *rules)
{
	int64		longest = rules->end_wobble;
	TierCalendar calendar = {rules, period_end, payment_window, window_start, NULL, rules->from_zero};

	if (rules->from_zero)
	{
		calendar.payment_window = period_begin;
		calendar.end_window = period_window;
	}
	if (rules->from_zero || rules->keep >= 0)
		calendar.kept_until = kept_until;
	for (int i = 0; i < WOBBLES; i++)
		longest = Max(longest, rules->wobble[i]);
	calendar.window_least = rules->span;
	calendar.window_most = rules->span + longest;
	return calendar;
}

static Rules
random_rules(void)
{
	Rules		rules = {.unit = 1 + (int64) random_below(15), .span = 1 + (int64) random_below(30), .keep = -1};

	if (random_below(2) == 0)
		for (int i = 0; i < WOBBLES; i++)
			rules.wobble[i] = (int64) random_below(6);
	if (random_below(2) == 0)
		rules.end_wobble = (int64) random_below(6);
	return rules;
}

/* Those of periods from 0, of tiers that are kept for a time, and of soft landings. */
static Rules
random_other_rules(void)
{
	Rules		rules = random_rules();

	rules.from_zero = random_below(2) == 0;
	if (random_below(3) > 0)
		rules.keep = (int64) random_below(40);
	rules.soft_landing = random_below(2) == 0;
	return rules;
}

/* ---------- the same by adding everything up anew, every time ---------- */

typedef struct Change
{
	int64		since;
	int			tier;
	TierReason	reason;
	int128		net;
} Change;

#define MOST_CHANGES 1000

static int128
net_of(const Row *rows, int n, int64 from, int64 to)
{
	int128		net = 0;

	for (int i = 0; i < n; i++)
		if (rows[i].time >= from && rows[i].time <= to)
			net += rows[i].cents;
	return net;
}

static int
tier_of(int128 net, const int128 *limits, int n)
{
	for (int i = 0; i < n; i++)
		if (net >= limits[i])
			return i;
	return n;
}

static int
compare_times(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* A tier that was won, and up to when: a member has the best of those not over. */
typedef struct Award
{
	int			tier;
	int64		until;
} Award;

static bool
is_awarded(const Award *awards, int n, int tier, int64 time)
{
	for (int i = 0; i < n; i++)
		if (awards[i].tier == tier && awards[i].until > time)
			return true;
	return false;
}

/* The last time before the end of a period to which a tier of a time is kept. */
static int64
award_end(const Rules *rules, int64 time)
{
	if (rules->keep < 0)
		return floor_to(time, rules->unit) + (rules->from_zero ? 2 : 1) * rules->unit;
	return floor_to(time + rules->keep, rules->unit) + rules->unit;
}

/*
 * Looks at every point of time there is from the first row to `until`.  Where the
 * net keeps the tier is a change, too.
 */
static int
changes_of(const Row *rows, int n, const int128 *limits, const int128 *keep_limits, int limit_count, Rules *rules,
		   int64 until, Change *changes)
{
	int64		times[MOST];
	Award		awards[2 * MOST_CHANGES];
	int			award_count = 0;
	int			count = 0;
	int			tier = -1;
	int64		won = 0;

	for (int i = 0; i < n; i++)
		times[i] = rows[i].time;
	qsort(times, n, sizeof(int64), compare_times);
	for (int64 t = times[0]; t <= until; t++)
	{
		bool		is_payment = bsearch(&t, times, n, sizeof(int64), compare_times) != NULL;

		if (t > times[0] && floor_to(t, rules->unit) == t)
		{
			int128		net = net_of(rows, n, rules->from_zero ? t - rules->unit : window_start(rules, t), t - 1);
			int			by_net = limit_count;
			int			now;
			bool		is_kept;

			for (int i = limit_count - 1; i >= 0; i--)
				if (net >= (i < tier ? limits : keep_limits)[i])
					by_net = i;
			if (rules->from_zero)
			{
				awards[award_count++] = (Award) {by_net, award_end(rules, t - 1)};
				is_kept = by_net == tier && is_awarded(awards, award_count, tier, t) && won < t - rules->unit;
				for (now = 0; now < limit_count && !is_awarded(awards, award_count, now, t);)
					now++;
			}
			else
			{
				bool		is_over = tier < limit_count && !is_awarded(awards, award_count, tier, t);

				now = by_net < tier || is_over ? by_net : tier;
				is_kept = is_over && now == tier;
				if (is_over || now < tier)
					awards[award_count++] = (Award) {now, Max(award_end(rules, t - 1), t + rules->unit)};
			}
			if (now > tier + 1 && rules->soft_landing)
			{
				now = tier + 1;
				awards[award_count++] = (Award) {now, Max(award_end(rules, t - 1), t + rules->unit)};
			}
			if (now != tier)
			{
				changes[count++] = (Change) {t, now, now < tier ? TIER_UPGRADE : TIER_DOWNGRADE, net};
				won = t - 1;
			}
			else if (is_kept && tier < limit_count)
				changes[count++] = (Change) {t, now, TIER_KEPT, net};
			tier = now;
		}
		if (is_payment)
		{
			int128		net = net_of(rows, n, rules->from_zero ? floor_to(t, rules->unit) : window_start(rules, t) + 1, t);
			int			now = tier_of(net, limits, limit_count);

			if (tier == -1 || now < tier)
			{
				changes[count++] = (Change) {t, now, tier == -1 ? TIER_START : TIER_UPGRADE, net};
				awards[award_count++] = (Award) {now, rules->from_zero ? floor_to(t, rules->unit) + rules->unit : award_end(rules, t)};
				won = t;
				tier = now;
			}
		}
	}
	return count;
}

/* Leaves the ends that keep a tier out, unless they are asked for. */
static int
changes_only(Change *changes, int n, bool with_kept)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
		if (with_kept || changes[i].reason != TIER_KEPT)
			changes[count++] = changes[i];
	return count;
}

/* ---------- walks ---------- */

static void
test_random(bool wide, bool other_rules, int runs, const char *name)
{
	long		changes_seen = 0;
	long		downgrades = 0;
	long		upgrades_at_ends = 0;
	long		kept_seen = 0;

	property(name);
	for (int run = 0; run < runs; run++)
	{
		Row			rows[MOST];
		int			n = 1 + (int) random_below(random_below(10) == 0 ? 30 : 8);
		Rules		rules = other_rules ? random_other_rules() : random_rules();
		TierCalendar calendar = calendar_of(&rules);
		int128		limits[4];
		int128		keep_limits[4];
		Decimal		limit_decimals[4];
		Decimal		keep_decimals[4];
		int64		kept[4];
		bool		with_kept = other_rules && random_below(2) == 0;
		int			limit_count = 1 + (int) random_below(4);
		Change		expected[MOST_CHANGES];
		int			expected_count;
		int			count = 0;
		int			present;
		int64		until = (int64) random_below(120);
		int64		lost = INT64_MAX;
		Change		later[MOST_CHANGES];
		int			later_count;
		History		history = {0};
		TierWalk	walk;

		for (int i = 0; i < n; i++)
		{
			rows[i].time = (int64) random_below(120) - 60;
			rows[i].cents = random_cents(wide && random_below(2) == 0);
			rows[i].scale = random_scale(rows[i].cents);
			until = Max(until, rows[i].time);
		}
		for (int i = limit_count - 1; i >= 0; i--)
		{
			limits[i] = (i == limit_count - 1 ? 0 : limits[i + 1]) + 1 + (int128) random_below(60);
			if (wide && random_below(2) == 0)
				limits[i] += INT64_C(1000000000000000000) * (int128) 100000000;
			keep_limits[i] = limits[i];
			if (other_rules && random_below(2) == 0)
			{
				int128		above = i == limit_count - 1 ? 0 : keep_limits[i + 1];

				keep_limits[i] = above + 1 + (limits[i] - above - 1) / (1 + (int128) random_below(5));
			}
			limit_decimals[i] = decimal_of(limits[i], 2);
			keep_decimals[i] = decimal_of(keep_limits[i], 3);
		}
		expected_count = changes_only(expected, changes_of(rows, n, limits, keep_limits, limit_count, &rules, until, expected), with_kept);

		put(&history, rows, n);
		holds(events_arrange(history.payments, &history.count, EVENTS_PAYMENTS, &history.pool), "sums are refused");
		memset(&walk, 0xAA, sizeof(walk));
		walk.payments = history.payments;
		walk.count = history.count;
		walk.pool = &history.pool;
		walk.limits = limit_decimals;
		walk.keep_limits = keep_decimals;
		walk.limit_count = limit_count;
		walk.calendar = &calendar;
		walk.kept = kept;
		walk.soft_landing = rules.soft_landing;
		walk.with_kept = with_kept;
		walk.until = until;
		tier_walk_begin(&walk);
		while (tier_walk_next(&walk))
		{
			holds(count < expected_count && walk.since == expected[count].since && walk.tier == expected[count].tier &&
				  walk.reason == expected[count].reason && is_cents(&walk.net, expected[count].net),
				  "run %d: change %d is to tier %d at %" PRId64 ", expected %d at %" PRId64, run, count, walk.tier,
				  walk.since, count < expected_count ? expected[count].tier : -1,
				  count < expected_count ? expected[count].since : 0);
			downgrades += walk.reason == TIER_DOWNGRADE;
			kept_seen += walk.reason == TIER_KEPT;
			upgrades_at_ends += walk.reason == TIER_UPGRADE && floor_to(walk.since, rules.unit) == walk.since;
			count++;
		}
		holds(count == expected_count && !walk.is_out_of_range, "run %d: %d changes, expected %d", run, count, expected_count);
		holds(walk.tier == expected[expected_count - 1].tier, "run %d: the last tier", run);
		changes_seen += count;

		/* Going on without rows: when the present tier is lost. */
		present = walk.tier;
		later_count = changes_only(later, changes_of(rows, n, limits, keep_limits, limit_count, &rules, until + 250, later), with_kept);
		for (int i = later_count - 1; i >= expected_count; i--)
			if (later[i].tier > present)
				lost = later[i].since;
		walk.until = INT64_MAX;
		while (tier_walk_next(&walk) && walk.tier <= present)
			;
		holds(present == limit_count ? lost == INT64_MAX : walk.tier > present && walk.since == lost,
			  "run %d: tier %d is lost at %" PRId64 ", expected %" PRId64, run, present, walk.since, lost);

		/* The net at any time. */
		for (int i = 0; i < 4; i++)
		{
			int64		to = (int64) random_below(130) - 65;
			int64		after = to - (int64) random_below(40);
			Decimal		net;

			holds(spend_net(history.payments, history.count, &history.pool, after + 1, to, &net) &&
				  is_cents(&net, net_of(rows, n, after + 1, to)), "run %d: net from %" PRId64 " to %" PRId64, run, after, to);
		}
		clear(&history);
	}
	property_end();
	ok(changes_seen > runs && downgrades > runs / 10 && upgrades_at_ends > 0 && (!other_rules || kept_seen > runs / 10),
	   "%ld changes, %ld downgrades, %ld upgrades at an end of a period, kept %ld times", changes_seen, downgrades, upgrades_at_ends, kept_seen);
}

/* A member worked by hand: limits 100 and 50, a window of 10, periods of 10. */
static void
test_by_hand(void)
{
	static const Row rows[] = {
		{1, 4000, 2},			/* 40: the rest tier */
		{3, 1000, 0},			/* 50: the limit itself, silver */
		{6, 6000, 2},			/* 110: gold */
		{7, -3000, 2},			/* 80: a refund takes nothing away now ... */
		/* ... at 10 the net of 0 .. 9 is 80: silver */
		{12, 1000, 2},			/* 10 + 60 - 30 + 10 = 50, for the 40 has left: still silver */
		{13, 6000, 2},			/* 60 - 30 + 10 + 60 = 100, for the 10 has left: gold */
		/* at 20 the net of 10 .. 19 is 70: silver; at 30 it is 0: the rest tier */
		{40, 20000, 2},			/* gold; the end at 40 comes before */
	};
	static const Change expected[] = {
		{1, 2, TIER_START, 4000}, {3, 1, TIER_UPGRADE, 5000}, {6, 0, TIER_UPGRADE, 11000},
		{10, 1, TIER_DOWNGRADE, 8000}, {13, 0, TIER_UPGRADE, 10000}, {20, 1, TIER_DOWNGRADE, 7000},
		{30, 2, TIER_DOWNGRADE, 0}, {40, 0, TIER_UPGRADE, 20000}
	};
	Rules		rules = {.unit = 10, .span = 10, .keep = -1};
	TierCalendar calendar = calendar_of(&rules);
	Decimal		limits[2] = {decimal_of(10000, 0), decimal_of(5000, 2)};
	History		history = {0};
	TierWalk	walk = {.limits = limits, .keep_limits = limits, .limit_count = 2, .calendar = &calendar, .until = 45};
	int			count = 0;

	put(&history, rows, LENGTH_OF(rows));
	events_arrange(history.payments, &history.count, EVENTS_PAYMENTS, &history.pool);
	walk.payments = history.payments;
	walk.count = history.count;
	walk.pool = &history.pool;
	tier_walk_begin(&walk);
	property("a member worked by hand");
	while (tier_walk_next(&walk))
	{
		const Change *change = &expected[Min(count, (int) LENGTH_OF(expected) - 1)];

		holds(walk.since == change->since && walk.tier == change->tier && walk.reason == change->reason &&
			  is_cents(&walk.net, change->net), "change %d: tier %d at %" PRId64, count, walk.tier, walk.since);
		count++;
	}
	holds(count == LENGTH_OF(expected), "%d changes", count);
	property_end();
	clear(&history);
}

/* All of time, day by day: what cannot change anything is not looked at. */
static void
test_far(void)
{
	Row			rows[MOST];
	Decimal		limit = decimal_of(100, 2);

	property("long stretches are jumped over");
	for (int run = 0; run < 200; run++)
	{
		Rules		rules = {.unit = run % 2 == 0 ? DAY : 1, .span = 1 + (int64) (random_u64() >> random_below(60) >> 2), .keep = -1,
		.from_zero = run % 4 == 3};
		TierCalendar calendar = calendar_of(&rules);
		int			n = 1 + (int) random_below(MOST);
		History		history = {0};
		int64		kept;
		TierWalk	walk = {.limits = &limit, .keep_limits = &limit, .limit_count = 1, .calendar = &calendar, .kept = &kept, .until = TIME_END - 1};

		for (int i = 0; i < n; i++)
		{
			rows[i].time = random_time();
			rows[i].cents = random_cents(false);
			rows[i].scale = 2;
		}
		rows[0].time = TIME_MIN;
		if (n > 1)
			rows[1].time = TIME_END - 1;
		put(&history, rows, n);
		events_arrange(history.payments, &history.count, EVENTS_PAYMENTS, &history.pool);
		walk.payments = history.payments;
		walk.count = history.count;
		walk.pool = &history.pool;
		tier_walk_begin(&walk);
		while (tier_walk_next(&walk))
			;
		holds(walk.next == history.count, "run %d: %zu of %zu payments", run, walk.next, history.count);
		holds(rules.calls <= (rules.from_zero ? 9L : 6L) * n, "run %d: %ld calls for %d rows", run, rules.calls, n);
		clear(&history);
	}
	property_end();
}

/* Sums that no decimal holds come from forged bytes alone. */
static void
test_range(void)
{
	Decimal		huge = {.scale = 0};
	History		history = {0};
	Rules		rules = {.unit = 10, .span = 10, .keep = -1};
	TierCalendar calendar = calendar_of(&rules);
	Decimal		limit = decimal_of(100, 2);
	Decimal		net;
	TierWalk	walk = {.limits = &limit, .keep_limits = &limit, .limit_count = 1, .calendar = &calendar, .until = 100, .pool = &history.pool};

	huge.word[DECIMAL_WORDS - 1] = 0x7FFFFFFF;
	for (int i = 0; i < 2; i++)
		history.payments[i] = (Event) {.value = i, .amount = decimal_pack(&huge, &history.pool)};
	walk.payments = history.payments;
	walk.count = 2;
	tier_walk_begin(&walk);
	ok(tier_walk_next(&walk) && walk.tier == 0 && walk.since == 0, "the first payment");
	ok(!tier_walk_next(&walk) && walk.is_out_of_range, "the second is out of range");
	ok(!tier_walk_next(&walk) && walk.is_out_of_range, "and remains so");
	ok(!spend_net(history.payments, 2, &history.pool, 0, 1, &net), "and so is their net");
	ok(spend_net(history.payments, 2, &history.pool, 1, 1, &net), "but not that of one");
	history.payments[1].value = 0;
	history.count = 2;
	ok(!events_arrange(history.payments, &history.count, EVENTS_PAYMENTS, &history.pool), "nor do they make one payment");
	clear(&history);
}

/* ---------- months before ---------- */

static int
length_of_month(int year, int month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return lengths[month] + (month == 1 && (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)));
}

static void
test_months(void)
{
	/* First days of months since January 1600, counted through. */
	static int	first[12 * 900];
	int			day = -146097;

	for (int i = 0; i < (int) LENGTH_OF(first); i++)
	{
		first[i] = day;
		day += length_of_month(1600 + i / 12, i % 12);
	}
	property("months before a day");
	for (int i = 12 * 400; i < (int) LENGTH_OF(first) - 1; i++)
		for (int d = 0; d < first[i + 1] - first[i]; d++)
		{
			int			months = random_below(2) == 0 ? (int) random_below(25) : (int) random_below(12 * 400);
			int			length = first[i - months + 1] - first[i - months];

			holds(calendar_months_before(first[i] + d, months) == first[i - months] + Min(d, length - 1),
				  "%d months before day %d", months, first[i] + d);
		}
	property_end();
	ok(calendar_months_before(CALENDAR_DAY_MIN, 0) == CALENDAR_DAY_MIN &&
	   calendar_months_before(CALENDAR_DAY_MIN, 1) < CALENDAR_DAY_MIN &&
	   calendar_months_before(CALENDAR_DAY_MAX, INT32_MAX) < CALENDAR_DAY_MIN, "before all days");
}

int
main(void)
{
	test_by_hand();
	test_random(false, false, 60000, "walks equal what adding up anew gives");
	test_random(true, false, 10000, "walks with wide amounts, too");
	test_random(false, true, 60000, "so do periods from 0, tiers that are kept, soft landings");
	test_random(true, true, 10000, "and these with wide amounts");
	test_far();
	test_range();
	test_months();
	return done_testing();
}
