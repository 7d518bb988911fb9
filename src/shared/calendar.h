/*
 * calendar.h
 *	  Time zones and calendar units as arguments: the day and the period in which
 *	  a point in time lies in a zone.
 *
 * A time zone is a full name or a POSIX rule; abbreviations, which a setting can
 * redefine, are refused.  So nothing here depends on a setting.
 */
#ifndef CUSTMART_CALENDAR_H
#define CUSTMART_CALENDAR_H

#include "custmart.h"

#include "shared/calendar_core.h"
#include "shared/time_arguments.h"
#include "utils/date.h"
#include "utils/timestamp.h"

/* Length of the name of a time zone: PostgreSQL's own limit. */
#define ZONE_NAME_MAX 255

/*
 * Offsets of a zone are cached for pieces of time of 2^41 microseconds, 25 days:
 * a piece without a change of the clocks has one offset, a piece with one change
 * has two, and with more changes offsets are looked up each time.
 */
#define ZONE_PIECE_BITS 41
#define ZONE_PIECES 256

typedef struct ZonePiece
{
	int64		number;			/* time >> ZONE_PIECE_BITS */
	int64		change;			/* where the second offset begins */
	int64		offsets[2];		/* east of Greenwich, microseconds */
	bool		is_known;
	bool		is_irregular;
} ZonePiece;

/*
 * The other way round, what the clocks show is cut into pieces of 2^39
 * microseconds, 6 days.  One is plain if no change of the clocks is near enough
 * to matter.
 */
#define CLOCK_PIECE_BITS 39
#define CLOCK_PIECES 256

typedef struct ClockPiece
{
	int64		number;			/* local >> CLOCK_PIECE_BITS */
	int64		offset;			/* east of Greenwich, microseconds */
	bool		is_known;
	bool		is_plain;
} ClockPiece;

/* A time zone; lives as long as the process, as PostgreSQL's own do. */
typedef struct Zone
{
	struct Zone *next;
	pg_tz	   *rules;

	/* The day looked up last: rows are mostly in order of time. */
	CalendarUnit last_unit;
	int32		last_day;
	int32		last_period;
	ZonePiece	pieces[ZONE_PIECES];
	ClockPiece	clock_pieces[CLOCK_PIECES];
} Zone;

/* The type in which SQL gives a time to a function that knows a time zone. */
typedef enum TimeType
{
	TYPE_TIMESTAMPTZ,
	TYPE_TIMESTAMP,				/* what the clocks of the zone show */
	TYPE_DATE,					/* the start of that day there */
	TYPE_TEXT					/* read as in a session of the zone */
} TimeType;

/* A unit and a time zone, as arguments and as stored in values. */
#define CALENDAR_SETTINGS_MAX (1 + ZONE_NAME_MAX)

typedef struct CalendarSettings
{
	CalendarUnit unit;
	Zone	   *zone;
	Size		size;
	uint8		bytes[CALENDAR_SETTINGS_MAX];	/* unit, name of the zone */
} CalendarSettings;

extern Zone *zone_find(const char *name, Size length);
extern const char *zone_name(const Zone *zone);
extern int64 zone_offset_slow(Zone *zone, TimestampTz time);
extern TimestampTz zone_next_change(const Zone *zone, TimestampTz time);
extern TimestampTz zone_instant_slow(Zone *zone, Timestamp local);
extern TimestampTz zone_timestamp_argument(Zone *zone, Timestamp local, const char *argument);
extern TimestampTz zone_date_argument(Zone *zone, DateADT date, const char *argument);
extern Timestamp zone_clock_argument(Zone *zone, TimestampTz time, const char *argument);
extern TimestampTz zone_text_argument(Zone *zone, text *time, const char *argument);
extern TimestampTz zone_before(Zone *zone, TimestampTz time, const Interval *span);
extern TimestampTz zone_after(Zone *zone, TimestampTz time, const Interval *span);
extern CalendarUnit calendar_unit_argument(const char *name, Size length);
extern const CalendarSettings *calendar_arguments(Datum unit, Datum zone);
extern void calendar_settings_error(const uint8 *bytes, Size size, const CalendarSettings *settings);
extern const char *calendar_check_settings(const uint8 *bytes, Size size, CalendarUnit *unit);
extern void calendar_open_settings(CalendarSettings *settings, const uint8 *bytes, Size size);
extern TimestampTz calendar_begin(const CalendarSettings *settings, int32 period);
extern TimestampTz calendar_end(const CalendarSettings *settings, TimestampTz time);
extern DateADT calendar_day(const CalendarSettings *settings, TimestampTz time);
extern Zone *calendar_stored_zone(const uint8 *bytes, Size size);
extern void calendar_range_error(TimestampTz time, CalendarUnit unit, const char *argument);

/* What the clocks of a zone show at a finite point in time. */
static inline Timestamp
zone_local(Zone *zone, TimestampTz time)
{
	const ZonePiece *piece = &zone->pieces[(uint64) (time >> ZONE_PIECE_BITS) % ZONE_PIECES];

	if (unlikely(piece->number != time >> ZONE_PIECE_BITS || !piece->is_known || piece->is_irregular))
		return time + zone_offset_slow(zone, time);
	return time + piece->offsets[time >= piece->change];
}

/*
 * The time at which the clocks of a zone show `local`, as AT TIME ZONE finds it:
 * if they show it twice or never, by the later or the earlier offset.
 */
static inline TimestampTz
zone_instant(Zone *zone, Timestamp local)
{
	const ClockPiece *piece = &zone->clock_pieces[(uint64) (local >> CLOCK_PIECE_BITS) % CLOCK_PIECES];

	if (unlikely(piece->number != local >> CLOCK_PIECE_BITS || !piece->is_plain))
		return zone_instant_slow(zone, local);
	return local - piece->offset;
}

/* An argument that must be a finite time, as a point in time; 22008. */
static inline TimestampTz
zone_time_argument(Zone *zone, Datum value, TimeType type, const char *argument)
{
	switch (type)
	{
		case TYPE_TIMESTAMPTZ:
			break;
		case TYPE_TIMESTAMP:
			return zone_timestamp_argument(zone, DatumGetTimestamp(value), argument);
		case TYPE_DATE:
			return zone_date_argument(zone, DatumGetDateADT(value), argument);
		case TYPE_TEXT:
			return zone_text_argument(zone, DatumGetTextPP(value), argument);
	}
	return time_check(DatumGetTimestampTz(value), argument);
}

/* The period in which a finite point in time lies; 22008 if its first day has no name. */
static inline int32
calendar_period(Zone *zone, CalendarUnit unit, TimestampTz time, const char *argument)
{
	Timestamp	local = zone_local(zone, time);
	int32		day = (int32) (local / USECS_PER_DAY) - (local % USECS_PER_DAY < 0);
	int32		period;

	if (likely(day == zone->last_day && unit == zone->last_unit))
		return zone->last_period;
	period = calendar_period_of_day(unit, day);
	if (unlikely(day < CALENDAR_DAY_MIN + 366) && !calendar_is_period(unit, period))
		calendar_range_error(time, unit, argument);
	zone->last_unit = unit;
	zone->last_day = day;
	zone->last_period = period;
	return period;
}

/*
 * What SQL calls, one function for each type of the argument as_of.  `function`
 * takes the type as well.
 */
#define AS_OF_FUNCTION(name, function, type) \
CUSTMART_FUNCTION(custmart_##name); \
Datum \
custmart_##name(PG_FUNCTION_ARGS) \
{ \
	return function(fcinfo, type); \
}

#define AS_OF_FUNCTIONS(name) \
AS_OF_FUNCTION(name, name, TYPE_TIMESTAMPTZ) \
AS_OF_FUNCTION(name##_timestamp, name, TYPE_TIMESTAMP) \
AS_OF_FUNCTION(name##_date, name, TYPE_DATE) \
AS_OF_FUNCTION(name##_text, name, TYPE_TEXT)

#endif							/* CUSTMART_CALENDAR_H */
