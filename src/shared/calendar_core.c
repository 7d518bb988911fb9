/*
 * calendar_core.c
 *	  From days to periods and back.
 */
#include "shared/calendar_core.h"

#define MONTHS_OF_YEAR 12
#define NAMED_STARTS MONTHS_OF_YEAR

/* By kind and start.  Behind the names of one kind there are NULLs. */
static const char *const unit_names[][NAMED_STARTS] = {
	[UNIT_DAY] = {"day"},
	[UNIT_WEEK] = {"week", "week(tuesday)", "week(wednesday)", "week(thursday)", "week(friday)", "week(saturday)",
	"week(sunday)"},
	[UNIT_MONTH] = {"month"},
	[UNIT_QUARTER] = {"quarter", "quarter(february)", "quarter(march)"},
	[UNIT_YEAR] = {"year", "year(february)", "year(march)", "year(april)", "year(may)", "year(june)", "year(july)",
	"year(august)", "year(september)", "year(october)", "year(november)", "year(december)"}
};

static const char *const day_names[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
static const char *const month_names[MONTHS_OF_YEAR] = {
	"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"
};

#define DAYS_OF_400_YEARS 146097
#define MARCH_OF_2000 60		/* 2000-03-01, with which a cycle of 400 years begins */
#define FIRST_MONDAY 2			/* 2000-01-03 */
#define DAYS_OF_WEEK 7
#define MONTHS_OF_QUARTER 3

static inline int32
floor_divide(int32 a, int32 b)
{
	return a / b - (a % b < 0);
}

/*
 * Months since January 2000 of a day.  Years are counted from March, so that
 * the leap day comes last; a month of such a year begins with day
 * (153 * month + 2) / 5 of it.
 */
static int32
month_of_day(int32 day)
{
	int32		cycle = floor_divide(day - MARCH_OF_2000, DAYS_OF_400_YEARS);
	int32		rest = day - MARCH_OF_2000 - cycle * DAYS_OF_400_YEARS;
	int32		year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
	int32		day_of_year = rest - (365 * year + year / 4 - year / 100);

	return (cycle * 400 + year) * 12 + (5 * day_of_year + 2) / 153 + 2;
}

static int32
first_day_of_month(int32 month)
{
	int32		from_march = month - 2;
	int32		years = floor_divide(from_march, 12);
	int32		cycle = floor_divide(years, 400);
	int32		year = years - cycle * 400;

	return cycle * DAYS_OF_400_YEARS + 365 * year + year / 4 - year / 100 +
		(153 * (from_march - years * 12) + 2) / 5 + MARCH_OF_2000;
}

/* The first day of 2000 with which a week begins. */
static inline int32
first_week(CalendarUnit unit)
{
	return (FIRST_MONDAY + UNIT_START(unit)) % DAYS_OF_WEEK;
}

/* The period in which a day lies. */
int32
calendar_period_of_day(CalendarUnit unit, int32 day)
{
	switch (UNIT_KIND(unit))
	{
		case UNIT_DAY:
			return day;
		case UNIT_WEEK:
			return floor_divide(day - first_week(unit), DAYS_OF_WEEK);
		case UNIT_MONTH:
			return month_of_day(day);
		case UNIT_QUARTER:
			return floor_divide(month_of_day(day) - UNIT_START(unit), MONTHS_OF_QUARTER);
		case UNIT_YEAR:
			return floor_divide(month_of_day(day) - UNIT_START(unit), MONTHS_OF_YEAR);
	}
	return 0;
}

/* The day with which a period begins. */
int32
calendar_first_day(CalendarUnit unit, int32 period)
{
	switch (UNIT_KIND(unit))
	{
		case UNIT_DAY:
			return period;
		case UNIT_WEEK:
			return period * DAYS_OF_WEEK + first_week(unit);
		case UNIT_MONTH:
			return first_day_of_month(period);
		case UNIT_QUARTER:
			return first_day_of_month(period * MONTHS_OF_QUARTER + UNIT_START(unit));
		case UNIT_YEAR:
			return first_day_of_month(period * MONTHS_OF_YEAR + UNIT_START(unit));
	}
	return 0;
}

/*
 * The day a number of months before another, or after it if below 0, as date -
 * interval computes it: the last day of a month that is too short.  Below
 * CALENDAR_DAY_MIN: before all days.
 */
int32
calendar_months_before(int32 day, int32 months)
{
	int32		month = month_of_day(day);
	int64		target = (int64) month - months;
	int32		first;
	int32		length;

	if (target < month_of_day(CALENDAR_DAY_MIN))
		return CALENDAR_DAY_MIN - 1;
	first = first_day_of_month((int32) target);
	length = first_day_of_month((int32) target + 1) - first;
	return first + Min(day - first_day_of_month(month), length - 1);
}

/* True if a timestamp can lie in the period, and a date can represent its first day. */
bool
calendar_is_period(CalendarUnit unit, int64 period)
{
	return period >= CALENDAR_DAY_MIN &&
		period <= calendar_period_of_day(unit, CALENDAR_DAY_MAX) &&
		calendar_period_of_day(unit, CALENDAR_DAY_MIN - 1) < period;
}

/* True for a byte that stands for a unit. */
bool
calendar_is_unit(uint8 unit)
{
	return UNIT_KIND(unit) <= UNIT_LAST && UNIT_START(unit) < NAMED_STARTS &&
		unit_names[UNIT_KIND(unit)][UNIT_START(unit)] != NULL;
}

/* "day" ... "year(december)", as it is written if there is more than one way. */
const char *
calendar_unit_name(CalendarUnit unit)
{
	return unit_names[UNIT_KIND(unit)][UNIT_START(unit)];
}

/* The position of a name in a list; -1 if it is not there. */
static int
find_name(const char *const *names, int n, const char *name, Size length)
{
	for (int i = 0; i < n; i++)
		if (names[i] != NULL && strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
			return i;
	return -1;
}

/*
 * Reads a unit: its name, behind which the day with which weeks begin, or the month
 * with which quarters and years do, may stand in parentheses.  False if there is no
 * such unit.
 */
bool
calendar_unit_of_name(const char *name, Size length, CalendarUnit *unit)
{
	const char *parenthesis = length > 0 ? memchr(name, '(', length) : NULL;
	Size		kind_length = parenthesis != NULL ? (Size) (parenthesis - name) : length;
	int			kind;
	int			start = 0;

	for (kind = UNIT_DAY; kind <= UNIT_LAST; kind++)
		if (find_name(unit_names[kind], 1, name, kind_length) == 0)
			break;
	if (kind > UNIT_LAST)
		return false;
	if (parenthesis != NULL)
	{
		Size		start_length;

		if (name[length - 1] != ')')
			return false;
		start_length = length - kind_length - 2;
		if (kind == UNIT_WEEK)
			start = find_name(day_names, DAYS_OF_WEEK, parenthesis + 1, start_length);
		else if (kind == UNIT_QUARTER || kind == UNIT_YEAR)
			start = find_name(month_names, MONTHS_OF_YEAR, parenthesis + 1, start_length);
		else
			return false;
		if (start < 0)
			return false;
		if (kind == UNIT_QUARTER)
			start %= MONTHS_OF_QUARTER;
	}
	*unit = UNIT_OF(kind, start);
	return true;
}
