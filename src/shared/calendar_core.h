/*
 * calendar_core.h
 *	  Calendar periods: days, weeks, months, quarters and years, numbered.
 *
 * A period is numbered within its unit, from the one that contains 2000-01-01
 * (weeks, which begin on Monday as in ISO 8601, from the one of 2000-01-03), in
 * the proleptic Gregorian calendar.  So the distance between two periods is a
 * subtraction.  Days are counted from 2000-01-01, as PostgreSQL's
 * date is.
 */
#ifndef CUSTMART_CALENDAR_CORE_H
#define CUSTMART_CALENDAR_CORE_H

#include "shared/core.h"

/* Stored in values: never renumber. */
typedef enum CalendarUnit
{
	UNIT_DAY = 1,
	UNIT_WEEK = 2,
	UNIT_MONTH = 3,
	UNIT_QUARTER = 4,
	UNIT_YEAR = 5
} CalendarUnit;

#define UNIT_LAST UNIT_YEAR

/* The days on which a timestamp can fall in some time zone and that a date can represent. */
#define CALENDAR_DAY_MIN (-2451545)	/* 4714-11-24 BC */
#define CALENDAR_DAY_MAX 106751989	/* 294277-01-07: POSIX rules go up to a week east of Greenwich */

extern int32 calendar_period_of_day(CalendarUnit unit, int32 day);
extern int32 calendar_first_day(CalendarUnit unit, int32 period);
extern int32 calendar_months_before(int32 day, int32 months);
extern bool calendar_unit_of_name(const char *name, Size length, CalendarUnit *unit);
extern const char *calendar_unit_name(CalendarUnit unit);
extern bool calendar_is_period(CalendarUnit unit, int64 period);

#endif							/* CUSTMART_CALENDAR_CORE_H */
