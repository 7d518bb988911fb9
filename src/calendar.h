/*
 * calendar.h
 *	  Calendar periods of points in time: units and time zones as arguments.
 *
 * A time zone is a full name (or a POSIX rule); abbreviations, which a setting
 * can redefine, are not taken.  So nothing here depends on a setting.
 */
#ifndef CUSTMART_CALENDAR_H
#define CUSTMART_CALENDAR_H

#include "custmart.h"

#include "calendar_core.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* Of the name of a time zone, without a terminating zero; PostgreSQL's own limit. */
#define ZONE_NAME_MAX 255

/* A time zone with what was looked up in it lately; lives as long as the process. */
typedef struct Zone Zone;

extern Zone *zone_find(const char *name, Size length);
extern const char *zone_name(const Zone *zone);
extern int32 zone_day_slow(Zone *zone, TimestampTz time);
extern TimestampTz zone_start_of_day(Zone *zone, int32 day);
extern CalendarUnit calendar_unit_argument(const char *name, Size length);

/* The local day of a finite point in time. */
extern int32 zone_day(Zone *zone, TimestampTz time);

/* The period of a finite point in time; 22008 if its first day is before all dates. */
extern int32 calendar_period(Zone *zone, CalendarUnit unit, TimestampTz time, const char *argument);

#endif							/* CUSTMART_CALENDAR_H */
