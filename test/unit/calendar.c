/* needs: shared/calendar_core.c */
#include "shared/calendar_core.h"

#include "tap.h"

#define UNITS UNIT_LAST

/* A day of the proleptic Gregorian calendar; the year before 1 is 0. */
typedef struct Date
{
	int			year;
	int			month;			/* 1 to 12 */
	int			day;
	int			weekday;		/* 0: Monday */
	int64		number;			/* from 2000-01-01 on */
	int64		weeks;			/* Mondays from 2000-01-03 on */
} Date;

/* 2000-01-01 was a Saturday. */
static const Date start = {2000, 1, 1, 5, 0, -1};

static int
month_length(int year, int month)
{
	static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return length[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

static void
next_day(Date *date)
{
	date->number++;
	date->weekday++;
	if (date->weekday == 7)
	{
		date->weekday = 0;
		date->weeks++;
	}
	if (++date->day <= month_length(date->year, date->month))
		return;
	date->day = 1;
	if (++date->month <= 12)
		return;
	date->month = 1;
	date->year++;
}

static void
previous_day(Date *date)
{
	date->number--;
	date->weekday--;
	if (date->weekday < 0)
	{
		date->weekday = 6;
		date->weeks--;
	}
	if (--date->day > 0)
		return;
	if (--date->month == 0)
	{
		date->month = 12;
		date->year--;
	}
	date->day = month_length(date->year, date->month);
}

/* The period of a day by its name in the calendar. */
static int64
period_of(const Date *date, CalendarUnit unit)
{
	switch (unit)
	{
		case UNIT_DAY:
			return date->number;
		case UNIT_WEEK:
			return date->weeks;
		case UNIT_MONTH:
			return (date->year - INT64_C(2000)) * 12 + date->month - 1;
		case UNIT_QUARTER:
			return (date->year - INT64_C(2000)) * 4 + (date->month - 1) / 3;
		default:
			return date->year - INT64_C(2000);
	}
}

static bool
begins(const Date *date, CalendarUnit unit)
{
	switch (unit)
	{
		case UNIT_DAY:
			return true;
		case UNIT_WEEK:
			return date->weekday == 0;
		case UNIT_MONTH:
			return date->day == 1;
		case UNIT_QUARTER:
			return date->day == 1 && date->month % 3 == 1;
		default:
			return date->day == 1 && date->month == 1;
	}
}

static long seen[UNITS + 1];

static bool
check_day(const Date *date)
{
	bool		right = true;

	/* Inside of months and weeks, to save time, not more than that it is there. */
	if (date->day != 1 && date->day < 28 && date->weekday != 0)
		return (calendar_period_of_day(UNIT_WEEK, (int32) date->number) == date->weeks &&
			calendar_period_of_day(UNIT_MONTH, (int32) date->number) == (date->year - 2000) * 12 + date->month - 1) ||
			holds(false, "%d-%02d-%02d is in another week or month", date->year, date->month, date->day);
	for (CalendarUnit unit = UNIT_DAY; unit <= UNIT_LAST; unit++)
	{
		int64		period = period_of(date, unit);

		if (calendar_period_of_day(unit, (int32) date->number) != period)
			right = holds(false, "%d-%02d-%02d is in %s %" PRId64 ", not %d", date->year, date->month, date->day,
						  calendar_unit_name(unit), period, calendar_period_of_day(unit, (int32) date->number));
		if (!begins(date, unit))
			continue;
		seen[unit]++;
		if (calendar_first_day(unit, (int32) period) != date->number)
			right = holds(false, "%s %" PRId64 " begins on day %" PRId64 ", not %d", calendar_unit_name(unit), period,
						  date->number, calendar_first_day(unit, (int32) period));
	}
	return right;
}

/* Every day there is, one after the other, from 2000 on to both ends. */
static void
test_every_day(void)
{
	Date		first = start;
	Date		last = start;

	property("every day is in its day, week, month, quarter and year, and each of them begins with its first day");
	for (; last.number <= CALENDAR_DAY_MAX + 400; next_day(&last))
		check_day(&last);
	for (; first.number >= CALENDAR_DAY_MIN - 400; previous_day(&first))
		check_day(&first);
	holds(last.number - first.number - 1 == CALENDAR_DAY_MAX - CALENDAR_DAY_MIN + 801, "%" PRId64 " days", last.number - first.number);
	property_end();
	ok(seen[UNIT_YEAR] > 298000 && seen[UNIT_QUARTER] > 1195000 && seen[UNIT_MONTH] > 3580000 && seen[UNIT_WEEK] > 15500000,
	   "%ld years, %ld quarters, %ld months, %ld weeks, %ld days", seen[UNIT_YEAR], seen[UNIT_QUARTER],
	   seen[UNIT_MONTH], seen[UNIT_WEEK], seen[UNIT_DAY]);
}

/* Days that have names elsewhere. */
static void
test_names(void)
{
	Date		date = start;

	/* Julian day 0 began on 24 November 4714 BC, and 2000-01-01 is day 2451545. */
	while (date.number > CALENDAR_DAY_MIN)
		previous_day(&date);
	ok(date.year == -4713 && date.month == 11 && date.day == 24 && CALENDAR_DAY_MIN == -2451545, "the first day is 4714-11-24 BC");
	/* To 294000-01-01 730 times 400 years of 146097 days; then 277 years, of which every fourth is a leap year, but not 294100 and 294200. */
	is_int(CALENDAR_DAY_MAX, INT64_C(730) * 146097 + 277 * 365 + 70 - 2 + 6, "the last day is 294277-01-07, seven days east of Greenwich");
	/* ISO 8601: week 53 of 2020 began on 2020-12-28; 2021-01-03 was its last day. */
	is_int(calendar_period_of_day(UNIT_WEEK, 7667), calendar_period_of_day(UNIT_WEEK, 7673), "2020-12-28 and 2021-01-03 are in one week");
	is_int(calendar_period_of_day(UNIT_WEEK, 7674), calendar_period_of_day(UNIT_WEEK, 7673) + 1, "2021-01-04 is in the next");
	is_int(calendar_first_day(UNIT_WEEK, 0), 2, "week 0 began on 2000-01-03");
	is_int(calendar_first_day(UNIT_MONTH, -1), -31, "the month before began on 1999-12-01");
	is_int(calendar_first_day(UNIT_QUARTER, -1), -92, "the quarter before on 1999-10-01");
	is_int(calendar_first_day(UNIT_YEAR, -100), -36524, "a hundred years before was 1900-01-01");
}

/*
 * Dates reach farther than times.  The day of a date is counted by another
 * formula than those of the core: that of Fliegel and Van Flandern (1968),
 * Communications of the ACM 11, page 657, shifted to years that are positive.
 */
static int64
day_of_date(int64 year, int64 month, int64 day)
{
	int64		y = year + 8000;

	return (1461 * (y + 4800 + (month - 14) / 12)) / 4 + (367 * (month - 2 - 12 * ((month - 14) / 12))) / 12 -
		(3 * ((y + 4900 + (month - 14) / 12) / 100)) / 4 + day - 32075 - 20 * INT64_C(146097) - 2451545;
}

static void
test_far_days(void)
{
	is_int(day_of_date(2000, 1, 1), 0, "the other formula knows 2000-01-01");
	is_int(day_of_date(-4713, 11, 24), CALENDAR_DAY_MIN, "and the first day");
	property("days up to 5874897-12-31, which dates can name, are in their periods");
	for (int i = 0; i < 300000; i++)
	{
		int			year = i < 1000 ? 5874897 - i : (int) random_below(5879611) - 4712;
		int			month = 1 + (int) random_below(12);
		int			day = 1 + (int) random_below(month_length(year, month));
		int64		number = day_of_date(year, month, day);
		Date		date = {year, month, day, 0, number, 0};

		for (CalendarUnit unit = UNIT_DAY; unit <= UNIT_LAST; unit++)
		{
			int32		period = calendar_period_of_day(unit, (int32) number);

			if (unit != UNIT_WEEK)
				holds(period == period_of(&date, unit), "%d-%02d-%02d: %s %d", year, month, day, calendar_unit_name(unit), period);
			holds(calendar_first_day(unit, period) <= number &&
				  (unit == UNIT_YEAR && year == 5874897 ? true : calendar_first_day(unit, period + 1) > number),
				  "%d-%02d-%02d is not within %s %d", year, month, day, calendar_unit_name(unit), period);
		}
	}
	property_end();
}

/* A period is one if its first day is not before all days, and its last not behind them. */
static void
test_bounds(void)
{
	property("periods are bounded by the days there are");
	for (CalendarUnit unit = UNIT_DAY; unit <= UNIT_LAST; unit++)
	{
		int64		low = calendar_period_of_day(unit, CALENDAR_DAY_MIN);
		int64		high = calendar_period_of_day(unit, CALENDAR_DAY_MAX);

		for (int64 period = low - 300; period <= low + 300; period++)
			holds(calendar_is_period(unit, period) == (calendar_first_day(unit, (int32) period) >= CALENDAR_DAY_MIN),
				  "%s %" PRId64, calendar_unit_name(unit), period);
		for (int64 period = high - 300; period <= high + 300; period++)
			holds(calendar_is_period(unit, period) == (calendar_first_day(unit, (int32) period) <= CALENDAR_DAY_MAX),
				  "%s %" PRId64, calendar_unit_name(unit), period);
		holds(calendar_is_period(unit, 0), "%s 0", calendar_unit_name(unit));
		for (int shift = 32; shift < 64; shift++)
		{
			holds(!calendar_is_period(unit, INT64_C(1) << 32 | shift) && !calendar_is_period(unit, (int64) (UINT64_MAX << (shift - 1))),
				  "%s, shifted by %d", calendar_unit_name(unit), shift);
			holds(!calendar_is_period(unit, (int64) (UINT64_C(1) << shift)), "%s 2^%d", calendar_unit_name(unit), shift);
		}
		holds(!calendar_is_period(unit, INT64_MAX) && !calendar_is_period(unit, INT64_MIN), "%s at the ends", calendar_unit_name(unit));
	}
	property_end();
}

/* The units that there are: every kind with every start. */
static const struct
{
	CalendarUnit unit;
	const char *name;
}			units[] = {
	{0x01, "day"}, {0x02, "week"}, {0x12, "week(tuesday)"}, {0x22, "week(wednesday)"}, {0x32, "week(thursday)"},
	{0x42, "week(friday)"}, {0x52, "week(saturday)"}, {0x62, "week(sunday)"}, {0x03, "month"}, {0x04, "quarter"},
	{0x14, "quarter(february)"}, {0x24, "quarter(march)"}, {0x05, "year"}, {0x15, "year(february)"},
	{0x25, "year(march)"}, {0x35, "year(april)"}, {0x45, "year(may)"}, {0x55, "year(june)"}, {0x65, "year(july)"},
	{0x75, "year(august)"}, {0x85, "year(september)"}, {0x95, "year(october)"}, {0xA5, "year(november)"},
	{0xB5, "year(december)"}
};

/* Does a period of a unit begin on a day?  By the name of the unit. */
static bool
begins_by_name(const Date *date, const char *name)
{
	static const char *const weekdays[] = {"(monday)", "(tuesday)", "(wednesday)", "(thursday)", "(friday)", "(saturday)", "(sunday)"};
	static const char *const months[] = {"(january)", "(february)", "(march)", "(april)", "(may)", "(june)", "(july)",
	"(august)", "(september)", "(october)", "(november)", "(december)"};
	const char *start = strchr(name, '(');
	int			first = 0;

	if (name[0] == 'd')
		return true;
	if (name[0] == 'w')
	{
		for (int i = 0; start != NULL && i < 7; i++)
			if (strcmp(start, weekdays[i]) == 0)
				first = i;
		return date->weekday == first;
	}
	for (int i = 0; start != NULL && i < 12; i++)
		if (strcmp(start, months[i]) == 0)
			first = i;
	return date->day == 1 &&
		(name[0] == 'm' || (date->month - 1 - first + 12) % (name[0] == 'y' ? 12 : 3) == 0);
}

/* Day by day over a stretch, what periods are is known from where they begin. */
static void
test_starts(void)
{
	static const int64 from[] = {CALENDAR_DAY_MIN - 400, -3700, CALENDAR_DAY_MAX - 3000};
	Date		date = start;

	property("weeks that begin on any day, quarters and years that begin with any month");
	while (date.number > from[0])
		previous_day(&date);
	for (int stretch = 0; stretch < (int) LENGTH_OF(from); stretch++)
	{
		int64		first_day[LENGTH_OF(units)] = {0};
		int32		period[LENGTH_OF(units)];
		bool		is_known[LENGTH_OF(units)] = {false};
		bool		has_zero[LENGTH_OF(units)] = {false};

		while (date.number < from[stretch])
			next_day(&date);
		for (int i = 0; i < 8000; i++, next_day(&date))
			for (int u = 0; u < (int) LENGTH_OF(units); u++)
			{
				CalendarUnit unit = units[u].unit;
				int32		found = calendar_period_of_day(unit, (int32) date.number);

				if (begins_by_name(&date, units[u].name))
				{
					if (is_known[u])
						holds(found == period[u] + 1, "%s: %d after %d", units[u].name, found, period[u]);
					is_known[u] = true;
					period[u] = found;
					first_day[u] = date.number;
					/* The first one that begins in 2000 is 0. */
					if (date.year == 2000 && !has_zero[u])
					{
						has_zero[u] = true;
						holds(found == 0, "%s: the first of 2000 is %d", units[u].name, found);
					}
				}
				if (is_known[u])
					holds(found == period[u] && calendar_first_day(unit, found) == first_day[u], "%s: %d-%02d-%02d is in %d from day %d",
						  units[u].name, date.year, date.month, date.day, found, calendar_first_day(unit, found));
			}
		if (stretch == 1)
			for (int u = 0; u < (int) LENGTH_OF(units); u++)
				holds(has_zero[u], "%s begins in 2000", units[u].name);
	}
	property_end();

	property("and they are bounded by the days there are");
	for (int u = 0; u < (int) LENGTH_OF(units); u++)
		for (int end = 0; end < 2; end++)
		{
			CalendarUnit unit = units[u].unit;
			int64		near = calendar_period_of_day(unit, end == 0 ? CALENDAR_DAY_MIN : CALENDAR_DAY_MAX);

			for (int64 period = near - 20; period <= near + 20; period++)
				holds(calendar_is_period(unit, period) ==
					  (calendar_first_day(unit, (int32) period) >= CALENDAR_DAY_MIN && calendar_first_day(unit, (int32) period) <= CALENDAR_DAY_MAX),
					  "%s %" PRId64, units[u].name, period);
		}
	property_end();

	property("bytes that stand for a unit, and their names");
	for (int byte = 0; byte < 256; byte++)
	{
		const char *name = NULL;
		CalendarUnit unit;

		for (int u = 0; u < (int) LENGTH_OF(units); u++)
			if (units[u].unit == byte)
				name = units[u].name;
		holds(calendar_is_unit((uint8) byte) == (name != NULL), "%02x", byte);
		if (name == NULL)
			continue;
		holds(strcmp(calendar_unit_name((CalendarUnit) byte), name) == 0, "%02x is %s", byte, calendar_unit_name((CalendarUnit) byte));
		holds(calendar_unit_of_name(name, strlen(name), &unit) && unit == byte, "%s", name);
	}
	property_end();
}

/* One period, several names: the first is how it is stored. */
static void
test_same_units(void)
{
	static const char *const same[][2] = {
		{"week", "week(monday)"}, {"year", "year(january)"}, {"quarter", "quarter(january)"}, {"quarter", "quarter(april)"},
		{"quarter", "quarter(july)"}, {"quarter", "quarter(october)"}, {"quarter(february)", "quarter(may)"},
		{"quarter(february)", "quarter(august)"}, {"quarter(february)", "quarter(november)"}, {"quarter(march)", "quarter(june)"},
		{"quarter(march)", "quarter(september)"}, {"quarter(march)", "quarter(december)"}
	};

	for (int i = 0; i < (int) LENGTH_OF(same); i++)
	{
		CalendarUnit unit;

		ok(calendar_unit_of_name(same[i][1], strlen(same[i][1]), &unit) && strcmp(calendar_unit_name(unit), same[i][0]) == 0,
		   "%s is %s", same[i][1], same[i][0]);
	}
}

static void
test_units(void)
{
	static const char *const names[] = {"day", "week", "month", "quarter", "year"};
	static const char *const others[] = {"", "d", "days", "Day", "da", "yea", "years", " day", "day ", "hour", "decade",
		"(", ")", "()", "(sunday)", "week(", "week()", "week)", "week(sunday", "week(sunday))", "week(sunday) ", "week( sunday)", "week (sunday)",
		"week(Sunday)", "WEEK(SUNDAY)", "week(sun)", "week(sundays)", "week(april)", "week(1)", "week(sunday)(sunday)", "day(sunday)", "day()",
		"month(april)", "month(sunday)", "month()", "year(sunday)", "year(apr)", "year(4)", "year(april", "year(april)x", "years(april)", "quarter(q2)",
	"quarter()", "quarter(monday)"};
	CalendarUnit unit;

	for (int i = 0; i < (int) LENGTH_OF(names); i++)
	{
		char	   *name = exact_copy(names[i], strlen(names[i]));

		/* Stored in values, so they never change. */
		ok(calendar_unit_of_name(name, strlen(names[i]), &unit) && unit == i + 1 &&
		   strcmp(calendar_unit_name(unit), names[i]) == 0, "unit %d is %s", i + 1, names[i]);
		free(name);
	}
	property("nothing else is a unit");
	for (int i = 0; i < (int) LENGTH_OF(others); i++)
	{
		char	   *name = exact_copy(others[i], strlen(others[i]));

		holds(!calendar_unit_of_name(name, strlen(others[i]), &unit), "\"%s\"", others[i]);
		free(name);
	}
	holds(!calendar_unit_of_name("day\0", 4, &unit), "day and a zero");
	property_end();
}

int
main(void)
{
	test_every_day();
	test_names();
	test_far_days();
	test_bounds();
	test_starts();
	test_same_units();
	test_units();
	return done_testing();
}
