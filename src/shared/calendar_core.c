/*
 * calendar_core.c
 *	  From days to periods and back.
 */
#include "shared/calendar_core.h"

static const char *const unit_names[] = {NULL, "day", "week", "month", "quarter", "year"};

#define DAYS_OF_400_YEARS 146097
#define MARCH_OF_2000 60		/* 2000-03-01, with which a cycle of 400 years begins */
#define FIRST_MONDAY 2			/* 2000-01-03 */

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

/* The period in which a day lies. */
int32
calendar_period_of_day(CalendarUnit unit, int32 day)
{
	switch (unit)
	{
		case UNIT_DAY:
			return day;
		case UNIT_WEEK:
			return floor_divide(day - FIRST_MONDAY, 7);
		case UNIT_MONTH:
			return month_of_day(day);
		case UNIT_QUARTER:
			return floor_divide(month_of_day(day), 3);
		case UNIT_YEAR:
			return floor_divide(month_of_day(day), 12);
	}
	return 0;
}

/* The day with which a period begins. */
int32
calendar_first_day(CalendarUnit unit, int32 period)
{
	switch (unit)
	{
		case UNIT_DAY:
			return period;
		case UNIT_WEEK:
			return period * 7 + FIRST_MONDAY;
		case UNIT_MONTH:
			return first_day_of_month(period);
		case UNIT_QUARTER:
			return first_day_of_month(period * 3);
		case UNIT_YEAR:
			return first_day_of_month(period * 12);
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

/* "day" ... "year", in lower case. */
const char *
calendar_unit_name(CalendarUnit unit)
{
	return unit_names[unit];
}

/* False if there is no such unit. */
bool
calendar_unit_of_name(const char *name, Size length, CalendarUnit *unit)
{
	for (int i = UNIT_DAY; i <= UNIT_LAST; i++)
		if (strlen(unit_names[i]) == length && memcmp(unit_names[i], name, length) == 0)
		{
			*unit = i;
			return true;
		}
	return false;
}
