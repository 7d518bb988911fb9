/*
 * calendar_core.h
 *	  Calendar periods: days, weeks, months, quarters and years, numbered.
 *
 * A unit is a kind and a start: the day with which weeks begin, the month with
 * which quarters and years do.  A period is numbered within its unit, from the
 * first one that begins in the year 2000 of the proleptic Gregorian calendar.  So
 * the distance between two periods is a subtraction.  Days are counted from
 * 2000-01-01, as PostgreSQL's date is.
 */
#ifndef CUSTMART_CALENDAR_CORE_H
#define CUSTMART_CALENDAR_CORE_H

#include "shared/core.h"

/*
 * Stored in values, so never renumbered: in the lower four bits the kind, in the
 * upper ones the start, days after Monday or months after January.  Quarters from
 * April are those from January, so a quarter starts 0 to 2 months later.
 */
typedef uint8 CalendarUnit;

/* The kinds, which are the units of the calendar itself. */
#define UNIT_DAY ((CalendarUnit) 1)
#define UNIT_WEEK ((CalendarUnit) 2)	/* from Monday, as in ISO 8601 */
#define UNIT_MONTH ((CalendarUnit) 3)
#define UNIT_QUARTER ((CalendarUnit) 4)
#define UNIT_YEAR ((CalendarUnit) 5)
#define UNIT_LAST UNIT_YEAR

#define UNIT_KIND(unit) ((unit) & 0x0F)
#define UNIT_START(unit) ((unit) >> 4)
#define UNIT_OF(kind, start) ((CalendarUnit) ((kind) | (start) << 4))

/* The days on which a timestamp can fall in some time zone and that a date can represent. */
#define CALENDAR_DAY_MIN (-2451545)	/* 4714-11-24 BC */
#define CALENDAR_DAY_MAX 106751989	/* 294277-01-07: POSIX rules go up to a week east of Greenwich */

extern int32 calendar_period_of_day(CalendarUnit unit, int32 day);
extern int32 calendar_first_day(CalendarUnit unit, int32 period);
extern int32 calendar_months_before(int32 day, int32 months);
extern bool calendar_is_unit(uint8 unit);
extern bool calendar_unit_of_name(const char *name, Size length, CalendarUnit *unit);
extern const char *calendar_unit_name(CalendarUnit unit);
extern bool calendar_is_period(CalendarUnit unit, int64 period);

#endif							/* CUSTMART_CALENDAR_CORE_H */
