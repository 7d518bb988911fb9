/* needs: shared/calendar_core.c money/decimal.c history/history_core.c tier_by_spend/tier_by_spend_core.c tier_by_spend/points_core.c */
#include "tier_by_spend/points_core.h"

#include "tap.h"

#define MOST 40
#define MOST_UNITS 4000
#define MOST_ROWS 400

/* ---------- an account, point by point ---------- */

/* One single point, or a hundredth of one. */
typedef struct Unit
{
	int64		earned;			/* when */
	int64		lapses;
	bool		is_gone;
} Unit;

typedef struct Ledger
{
	int64		at;
	PointsReason reason;
	long		points;
	long		balance;
} Ledger;

typedef struct Entry
{
	int64		time;
	long		points;
} Entry;

/* When points of a time lapse: at the end of a stretch, some later than others. */
typedef struct Rules
{
	int64		valid;
	int64		unit;
	int64		wobble[8];
} Rules;

static int64
lapse(void *context, int64 time)
{
	const Rules *rules = context;
	int64		end = time + rules->valid + rules->wobble[(uint64) time % 8];
	int64		rest = end % rules->unit;

	return end - (rest < 0 ? rest + rules->unit : rest) + rules->unit;
}

/*
 * Every moment, and at every moment every single point: first those lapse whose
 * time has come, then points are earned, which pay what is owed, then the oldest
 * are used up.
 */
static int
ledger_of(const Entry *entries, int n, Rules *rules, int64 until, Ledger *ledger, long *totals)
{
	static Unit units[MOST_UNITS];
	int			unit_count = 0;
	int			count = 0;
	long		owed = 0;
	int64		last_lapse = INT64_MIN;

	memset(totals, 0, sizeof(long) * 3);
	for (int64 t = -70; t <= until; t++)
	{
		long		lapsed = 0;
		bool		has[2] = {false, false};
		long		sums[2] = {0, 0};
		long		balance = 0;

		for (int i = 0; i < unit_count; i++)
			if (!units[i].is_gone && units[i].lapses == t)
			{
				units[i].is_gone = true;
				lapsed++;
			}
		for (int i = 0; i < unit_count; i++)
			balance += !units[i].is_gone;
		if (lapsed > 0)
			ledger[count++] = (Ledger) {t, POINTS_LAPSED, lapsed, balance};
		totals[POINTS_LAPSED] += lapsed;

		for (int i = 0; i < n; i++)
			if (entries[i].time == t)
			{
				has[entries[i].points < 0] = true;
				sums[entries[i].points < 0] += labs(entries[i].points);
			}
		if (has[0])
		{
			long		paid = owed < sums[0] ? owed : sums[0];

			owed -= paid;
			if (sums[0] > paid)
				last_lapse = last_lapse > lapse(rules, t) ? last_lapse : lapse(rules, t);
			for (long i = paid; i < sums[0]; i++)
				units[unit_count++] = (Unit) {t, last_lapse, false};
			balance += sums[0] - paid;
			ledger[count++] = (Ledger) {t, POINTS_EARNED, sums[0], balance - owed};
			totals[POINTS_EARNED] += sums[0];
		}
		if (has[1])
		{
			long		rest = sums[1];

			for (int i = 0; i < unit_count && rest > 0; i++)
				if (!units[i].is_gone)
				{
					units[i].is_gone = true;
					rest--;
					balance--;
				}
			owed += rest;
			ledger[count++] = (Ledger) {t, POINTS_REDEEMED, sums[1], balance - owed};
			totals[POINTS_REDEEMED] += sums[1];
		}
	}
	return count;
}

/* ---------- walks ---------- */

/* So many hundredths, with a number of decimals that shows them. */
static Decimal
decimal_of(long hundredths, int scale, int128 factor)
{
	Decimal		d = {.scale = 2};
	int128		n = hundredths * factor;

	for (int i = 0; i < DECIMAL_WORDS; i++)
	{
		d.word[i] = (uint32) n;
		n >>= 32;
	}
	(void) decimal_set_scale(&d, scale);
	return d;
}

static bool
is_number(const Decimal *d, long hundredths, int128 factor)
{
	Decimal		expected = decimal_of(hundredths, 4, factor);

	return decimal_compare(d, &expected) == 0;
}

static void
test_random(int128 factor, const char *name)
{
	long		lapses = 0;
	long		overdrawn = 0;

	property(name);
	for (int run = 0; run < 5000; run++)
	{
		Rules		rules = {.valid = (int64) random_below(30), .unit = 1 + (int64) random_below(12)};
		Entry		entries[MOST];
		int			n = 1 + (int) random_below(random_below(10) == 0 ? MOST : 8);
		Event		events[MOST];
		Size		count = n;
		Ledger		ledger[MOST_ROWS];
		long		totals[3];
		long		later_totals[3];
		int			expected_count;
		int			later_count;
		int			row = 0;
		int64		until = (int64) random_below(130) - 60;
		DecimalPool pool = {0};
		PointsWalk	walk;

		if (random_below(3) == 0)
			for (int i = 0; i < 8; i++)
				rules.wobble[i] = (int64) random_below(6);
		for (int i = 0; i < n; i++)
		{
			Decimal		d;

			entries[i].time = (int64) random_below(120) - 60;
			entries[i].points = (long) random_below(90);
			if (random_below(3) == 0)
				entries[i].points = -entries[i].points;
			d = decimal_of(entries[i].points, 2 + (int) random_below(3), factor);
			events[i].value = entries[i].time;
			events[i].amount = decimal_pack(&d, &pool);
		}
		holds(events_arrange(events, &count, EVENTS_ENTRIES, &pool), "run %d: a sum is refused", run);
		expected_count = ledger_of(entries, n, &rules, until, ledger, totals);

		memset(&walk, 0xAA, sizeof(walk));
		walk.entries = events;
		walk.count = count;
		walk.pool = &pool;
		walk.lapse = lapse;
		walk.context = &rules;
		walk.until = until;
		points_walk_begin(&walk);
		while (points_walk_next(&walk))
		{
			const Ledger *expected = &ledger[row < expected_count ? row : 0];

			holds(row < expected_count && walk.at == expected->at && walk.reason == expected->reason &&
				  is_number(&walk.points, expected->points, factor) && is_number(&walk.balance, expected->balance, factor),
				  "run %d, row %d: %d at %" PRId64 ", expected %d at %" PRId64, run, row, walk.reason, walk.at, expected->reason, expected->at);
			lapses += walk.reason == POINTS_LAPSED;
			overdrawn += decimal_sign(&walk.balance) < 0;
			row++;
		}
		holds(row == expected_count && !walk.is_out_of_range, "run %d: %d rows, expected %d", run, row, expected_count);
		holds(is_number(&walk.earned, totals[POINTS_EARNED], factor) && is_number(&walk.redeemed, totals[POINTS_REDEEMED], factor) &&
			  is_number(&walk.lapsed, totals[POINTS_LAPSED], factor) &&
			  is_number(&walk.balance, totals[POINTS_EARNED] - totals[POINTS_REDEEMED] - totals[POINTS_LAPSED], factor),
			  "run %d: totals", run);

		/* What lapses later if nothing more comes: without the entries after `until`. */
		for (int i = 0; i < n;)
			if (entries[i].time > until)
				entries[i] = entries[--n];
			else
				i++;
		later_count = ledger_of(entries, n, &rules, 300, ledger, later_totals);
		walk.count = walk.next;
		walk.until = INT64_MAX;
		for (row = expected_count; points_walk_next(&walk); row++)
			holds(row < later_count && walk.at == ledger[row].at && walk.reason == POINTS_LAPSED && ledger[row].reason == POINTS_LAPSED &&
				  is_number(&walk.points, ledger[row].points, factor), "run %d: lapses later, row %d", run, row);
		holds(row == later_count, "run %d: %d rows with what lapses later, expected %d", run, row, later_count);
		free(pool.item);
	}
	property_end();
	ok(lapses > 3000 && overdrawn > 3000, "%ld lapses, %ld times overdrawn", lapses, overdrawn);
}

static int64
never(void *context, int64 time)
{
	return INT64_MAX;
}

static void
test_ends(void)
{
	DecimalPool pool = {0};
	Decimal		huge = {.scale = 0};
	Event		events[] = {{.value = 1, .amount = 5 << 8}, {.value = 9, .amount = (int64) ((uint64) -3 << 8)}};
	PointsWalk	walk = {.entries = events, .count = 2, .pool = &pool, .lapse = never, .until = INT64_MAX};
	int			rows = 0;

	points_walk_begin(&walk);
	while (points_walk_next(&walk))
		rows++;
	ok(rows == 2 && is_number(&walk.balance, 200, 1) && is_number(&walk.lapsed, 0, 1), "points that never lapse");

	huge.word[DECIMAL_WORDS - 1] = 0x7FFFFFFF;
	events[0].amount = events[1].amount = decimal_pack(&huge, &pool);
	points_walk_begin(&walk);
	ok(points_walk_next(&walk) && !points_walk_next(&walk) && walk.is_out_of_range && !points_walk_next(&walk),
	   "sums that no decimal holds come from forged bytes alone, and are told of");
	free(pool.item);
}

int
main(void)
{
	test_random(1, "an account equals what single points give");
	test_random(INT64_C(1000000000000000000) * (int128) 1000000, "with wide amounts, too");
	test_ends();
	return done_testing();
}
