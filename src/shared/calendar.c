/*
 * calendar.c
 *	  Looks up time zones, and what the clocks show in them.
 */
#include "shared/calendar.h"

#include "shared/compat.h"
#include "shared/time_arguments.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

static Zone *zones;

static void
zone_error(const char *name, const char *wrong)
{
	int			length = (int) strlen(name);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time zone \"%.*s\" %s", pg_mbcliplen(name, length, 60), name, wrong),
			 errhint("Use a full name such as 'UTC' or 'Europe/Berlin'; the view pg_timezone_names lists them.")));
}

/* The time zone of a name in upper or lower case; 22023 if there is none. */
Zone *
zone_find(const char *name, Size length)
{
	char		text[ZONE_NAME_MAX + 1];
	pg_tz	   *rules;
	Zone	   *zone;

	memcpy(text, name, Min(length, ZONE_NAME_MAX));
	text[Min(length, ZONE_NAME_MAX)] = '\0';
	rules = length > ZONE_NAME_MAX || strlen(text) < length ? NULL : pg_tzset(text);
	if (rules == NULL)
		zone_error(text, "is not known");
	if (!pg_tz_acceptable(rules))
		zone_error(text, "appears to use leap seconds, which PostgreSQL does not support");
	if (strcmp(pg_get_timezone_name(rules), "localtime") == 0 ||
		strcmp(pg_get_timezone_name(rules), "posixrules") == 0)
		zone_error(text, "differs between machines");

	for (zone = zones; zone != NULL; zone = zone->next)
		if (zone->rules == rules)
			return zone;
	zone = MemoryContextAllocZero(TopMemoryContext, sizeof(Zone));
	zone->rules = rules;
	zone->next = zones;
	zones = zone;
	return zone;
}

/* The name as the time zone data writes it. */
const char *
zone_name(const Zone *zone)
{
	return pg_get_timezone_name(zone->rules);
}

static pg_time_t
seconds_of(int64 time)
{
	return time / USECS_PER_SEC - (time % USECS_PER_SEC < 0) +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

#define ZONE_PIECE (INT64CONST(1) << ZONE_PIECE_BITS)

/* Looks up the offsets of a piece of time. */
static void
fill_piece(const Zone *zone, ZonePiece *piece, int64 number)
{
	pg_time_t	begin = seconds_of(number * ZONE_PIECE);
	pg_time_t	end = seconds_of(number * ZONE_PIECE + (ZONE_PIECE - 1)) + 1;
	pg_time_t	change;
	pg_time_t	next;
	long		before;
	long		after;
	long		unused;
	int			is_dst[2];
	int			found = pg_next_dst_boundary(&begin, &before, &is_dst[0], &change, &after, &is_dst[1], zone->rules);

	piece->number = number;
	piece->is_known = true;
	piece->is_irregular = found < 0;
	piece->offsets[0] = piece->offsets[1] = (int64) before * USECS_PER_SEC;
	piece->change = PG_INT64_MAX;
	if (found > 0 && change < end)
	{
		piece->change = (change - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
		piece->offsets[1] = (int64) after * USECS_PER_SEC;
		found = pg_next_dst_boundary(&change, &before, &is_dst[0], &next, &unused, &is_dst[1], zone->rules);
		piece->is_irregular = found < 0 || (found > 0 && next < end);
	}
}

/* The offset of a zone from UTC in microseconds, if it is not cached. */
int64
zone_offset_slow(Zone *zone, TimestampTz time)
{
	int64		number = time >> ZONE_PIECE_BITS;
	ZonePiece  *piece = &zone->pieces[(uint64) number % ZONE_PIECES];
	pg_time_t	seconds;
	struct pg_tm *tm;

	if (piece->number != number || !piece->is_known)
		fill_piece(zone, piece, number);
	if (!piece->is_irregular)
		return piece->offsets[time >= piece->change];

	seconds = seconds_of(time);
	tm = pg_localtime(&seconds, zone->rules);
	if (tm == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return (int64) tm->tm_gmtoff * USECS_PER_SEC;
}

/* When the offset of a zone may change next, after `time`; DT_NOEND if never. */
TimestampTz
zone_next_change(const Zone *zone, TimestampTz time)
{
	pg_time_t	seconds = seconds_of(time);
	pg_time_t	change;
	long		before;
	long		after;
	int			is_dst[2];

	if (pg_next_dst_boundary(&seconds, &before, &is_dst[0], &change, &after, &is_dst[1], zone->rules) <= 0 ||
		change >= seconds_of(END_TIMESTAMP - 1))
		return DT_NOEND;
	return (change - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
}

/*
 * Looks up the offset of a piece of what the clocks show.  Of a time that they
 * show, DetermineTimeZoneOffset looks at the first change that comes later than
 * the midnight before the last.  Where that is the same change for the whole
 * piece, and too late for all of it by either offset, the one before it holds.
 */
static void
fill_clock_piece(const Zone *zone, ClockPiece *piece, int64 number)
{
	int64		first = number * (INT64CONST(1) << CLOCK_PIECE_BITS);
	pg_time_t	begin = seconds_of(first) - 2 * SECS_PER_DAY;
	pg_time_t	end = seconds_of(first + (INT64CONST(1) << CLOCK_PIECE_BITS) - 1) + 1;
	pg_time_t	change;
	long		before;
	long		after;
	int			is_dst[2];
	int			found = pg_next_dst_boundary(&begin, &before, &is_dst[0], &change, &after, &is_dst[1], zone->rules);

	piece->number = number;
	piece->is_known = true;
	piece->offset = (int64) before * USECS_PER_SEC;
	piece->is_plain = found == 0 ||
		(found > 0 && change > end && change > end - before && change > end - after);
}

/* The result of zone_instant, if it is not cached. */
TimestampTz
zone_instant_slow(Zone *zone, Timestamp local)
{
	int64		number = local >> CLOCK_PIECE_BITS;
	ClockPiece *piece = &zone->clock_pieces[(uint64) number % CLOCK_PIECES];
	struct pg_tm tm;
	fsec_t		fsec;

	if (piece->number != number || !piece->is_known)
		fill_clock_piece(zone, piece, number);
	if (piece->is_plain)
		return local - piece->offset;
	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return local + (int64) DetermineTimeZoneOffset(&tm, zone->rules) * USECS_PER_SEC;
}

static inline int32
day_of(Timestamp local)
{
	return (int32) (local / USECS_PER_DAY) - (local % USECS_PER_DAY < 0);
}

/*
 * time - span as PostgreSQL computes it in a session of this zone: first months
 * and then days by the clock of the zone, then elapsed time.  No part of the span
 * is negative.  DT_NOBEGIN: before all times.
 */
TimestampTz
zone_before(Zone *zone, TimestampTz time, const Interval *span)
{
	if (span->month != 0)
	{
		Timestamp	local = zone_local(zone, time);
		int32		day = day_of(local);
		int32		before = calendar_months_before(day, span->month);

		if (before < CALENDAR_DAY_MIN)
			return DT_NOBEGIN;
		time = zone_instant(zone, local - (int64) (day - before) * USECS_PER_DAY);
	}
	if (span->day != 0)
	{
		Timestamp	local = zone_local(zone, time);

		if (span->day > day_of(local) - CALENDAR_DAY_MIN)
			return DT_NOBEGIN;
		time = zone_instant(zone, local - span->day * USECS_PER_DAY);
	}
	if (time < MIN_TIMESTAMP + span->time)
		return DT_NOBEGIN;
	return time - span->time;
}

/* The time at which the clocks of a zone show a later day, at the same time of day; DT_NOEND: after all times. */
static TimestampTz
on_day(Zone *zone, Timestamp local, int64 day)
{
	if (day >= END_TIMESTAMP / USECS_PER_DAY)
		return DT_NOEND;
	return zone_instant(zone, local - (int64) day_of(local) * USECS_PER_DAY + day * USECS_PER_DAY);
}

/*
 * time + span as PostgreSQL computes it in a session of this zone: first months
 * and then days by the clock of the zone, then elapsed time.  No part of the span
 * is negative.  DT_NOEND: after all times.
 */
TimestampTz
zone_after(Zone *zone, TimestampTz time, const Interval *span)
{
	if (span->month != 0)
	{
		Timestamp	local = zone_local(zone, time);

		if (span->month > (TIMESTAMP_END_JULIAN - DATETIME_MIN_JULIAN) / 28)
			return DT_NOEND;
		time = on_day(zone, local, calendar_months_before(day_of(local), -span->month));
	}
	if (span->day != 0 && time < END_TIMESTAMP)
	{
		Timestamp	local = zone_local(zone, time);

		time = on_day(zone, local, (int64) day_of(local) + span->day);
	}
	if (time >= END_TIMESTAMP - span->time)
		return DT_NOEND;
	return time + span->time;
}

/* The unit with this name, in lower case; 22023 if there is none. */
CalendarUnit
calendar_unit_argument(const char *name, Size length)
{
	CalendarUnit unit;

	if (!calendar_unit_of_name(name, length, &unit))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unit \"%.*s\" is not known", pg_mbcliplen(name, (int) length, 60), name),
				 errhint("Use day, week, month, quarter or year, in lower case; week(sunday) for weeks that begin on another day than Monday; quarter(february) or year(april) for quarters and years that begin with another month than January.")));
	return unit;
}

/* The text argument looked up last. */
typedef struct LastText
{
	Size		length;
	char		data[ZONE_NAME_MAX + 1];
} LastText;

/* True if the argument is the same as last time; else remembers it. */
static bool
is_last_text(LastText *last, Datum value)
{
	text	   *t = DatumGetTextPP(value);
	Size		length = VARSIZE_ANY_EXHDR(t);
	bool		same = length == last->length && memcmp(VARDATA_ANY(t), last->data, length) == 0;

	if (!same)
	{
		/* One that is too long is truncated and will be refused, because no name is that long. */
		last->length = Min(length, sizeof(last->data));
		memcpy(last->data, VARDATA_ANY(t), last->length);
	}
	if ((Pointer) t != DatumGetPointer(value))
		pfree(t);
	return same;
}

/*
 * Looks up the arguments unit and timezone.  They are the same in nearly all rows
 * that a process sees, so the last ones are cached; the result is valid until the
 * next call.  Errors: 22023.
 */
const CalendarSettings *
calendar_arguments(Datum unit, Datum zone)
{
	static LastText last_unit;
	static LastText last_zone;
	static CalendarSettings settings;
	static bool is_valid;
	bool		was_valid = is_valid;
	bool		same_unit;
	bool		same_zone;
	const char *name;

	/* The cache is invalid while reading an argument may fail. */
	is_valid = false;
	same_unit = is_last_text(&last_unit, unit);
	same_zone = is_last_text(&last_zone, zone);
	if (likely(same_unit && same_zone && was_valid))
	{
		is_valid = true;
		return &settings;
	}
	settings.unit = calendar_unit_argument(last_unit.data, last_unit.length);
	settings.zone = zone_find(last_zone.data, last_zone.length);
	name = zone_name(settings.zone);
	settings.bytes[0] = settings.unit;
	settings.size = 1 + strlen(name);
	memcpy(settings.bytes + 1, name, settings.size - 1);
	if (calendar_check_settings(settings.bytes, settings.size, &settings.unit) != NULL)
		zone_error(name, "has a name that cannot be stored");
	is_valid = true;
	return &settings;
}

/* Raises 22023 for a row whose settings differ from those of earlier rows. */
void
calendar_settings_error(const uint8 *bytes, Size size, const CalendarSettings *settings)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unit and timezone must be the same in all rows: \"%s\", \"%s\" after \"%s\", \"%.*s\"",
					calendar_unit_name(settings->unit), zone_name(settings->zone),
					calendar_unit_name(bytes[0]), (int) size - 1, bytes + 1),
			 errhint("Use constants, or group by what they depend on.")));
}

/* What is wrong with stored settings, or NULL. */
const char *
calendar_check_settings(const uint8 *bytes, Size size, CalendarUnit *unit)
{
	if (size < 2 || size > CALENDAR_SETTINGS_MAX)
		return "its time zone is not valid";
	if (!calendar_is_unit(bytes[0]))
		return "its unit is unknown";
	*unit = bytes[0];
	for (Size i = 1; i < size; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return "its time zone is not valid";
	return NULL;
}

/* The zone of checked settings; 22023 if this server does not know it. */
Zone *
calendar_stored_zone(const uint8 *bytes, Size size)
{
	return zone_find((const char *) bytes + 1, size - 1);
}

/* Checked settings, with their zone. */
void
calendar_open_settings(CalendarSettings *settings, const uint8 *bytes, Size size)
{
	settings->unit = bytes[0];
	settings->zone = calendar_stored_zone(bytes, size);
	settings->size = size;
	memcpy(settings->bytes, bytes, size);
}

/* The moment at which a day begins, given what clocks show then. */
static TimestampTz
day_begin(Zone *zone, Timestamp midnight)
{
	TimestampTz begin = zone_instant(zone, midnight);
	TimestampTz earlier = midnight - (zone_local(zone, begin - USECS_PER_DAY) - (begin - USECS_PER_DAY));

	/* Where clocks go back over midnight there are two, and the first one counts. */
	if (earlier < begin && zone_local(zone, earlier) >= midnight)
		return earlier;
	return begin;
}

/* The moment at which a period begins, or the nearest valid one. */
TimestampTz
calendar_begin(const CalendarSettings *settings, int32 period)
{
	int32		day = calendar_first_day(settings->unit, period);
	int64		midnight = Min(day, CALENDAR_DAY_MAX) * USECS_PER_DAY;
	TimestampTz begin;

	if (day > CALENDAR_DAY_MAX)
		return END_TIMESTAMP - 1;

	/* At its ends, the range of timestamps differs from what the clocks of a zone can show. */
	if (midnight <= MIN_TIMESTAMP + 8 * USECS_PER_DAY || midnight >= END_TIMESTAMP - 8 * USECS_PER_DAY)
	{
		begin = midnight - (zone_local(settings->zone, Min(midnight, END_TIMESTAMP - 1)) - Min(midnight, END_TIMESTAMP - 1));
		return Min(Max(begin, MIN_TIMESTAMP), END_TIMESTAMP - 1);
	}
	return day_begin(settings->zone, midnight);
}

/*
 * The first moment after `time` at which a period ends and the next begins;
 * DT_NOEND if that is after all times.
 */
TimestampTz
calendar_end(const CalendarSettings *settings, TimestampTz time)
{
	int32		next = calendar_period_of_day(settings->unit, day_of(zone_local(settings->zone, time))) + 1;

	/* Where clocks go back over midnight, they show the old day once more in the new one. */
	for (;; next++)
	{
		TimestampTz end = calendar_begin(settings, next);

		if (end >= END_TIMESTAMP - 1)
			return DT_NOEND;
		if (end > time)
			return end;
	}
}

/* The day in which a finite point in time lies. */
DateADT
calendar_day(const CalendarSettings *settings, TimestampTz time)
{
	return day_of(zone_local(settings->zone, time));
}

/* Raises 22008 for a time or a day, as text, of which a zone has no moment or no wall clock time that is a timestamp. */
static void
clock_range_error(const Zone *zone, const char *text, const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("%s \"%s\" is out of range in time zone \"%s\"", argument, text, zone_name(zone)),
			 errhint("Use times after the year 4714 BC and before the year 294277.")));
}

/* An argument that is what the clocks of a zone show, as a point in time; 22008. */
TimestampTz
zone_timestamp_argument(Zone *zone, Timestamp local, const char *argument)
{
	TimestampTz time = zone_instant(zone, time_check(local, argument));

	if (unlikely(!IS_VALID_TIMESTAMP(time)))
	{
		char		text[TIME_TEXT_SIZE];

		time_clock_to_text(local, text);
		clock_range_error(zone, text, argument);
	}
	return time;
}

/* An argument that is a point in time, as what the clocks of a zone show then; 22008. */
Timestamp
zone_clock_argument(Zone *zone, TimestampTz time, const char *argument)
{
	Timestamp	local = zone_local(zone, time_check(time, argument));

	if (unlikely(!IS_VALID_TIMESTAMP(local)))
	{
		char		text[TIME_TEXT_SIZE];

		time_to_text(time, text);
		clock_range_error(zone, text, argument);
	}
	return local;
}

/* An argument that is a day in a zone, as the moment at which it begins; 22008. */
TimestampTz
zone_date_argument(Zone *zone, DateADT date, const char *argument)
{
	TimestampTz time = 0;
	bool		is_valid;

	date_check(date, argument);
	is_valid = date >= CALENDAR_DAY_MIN && date < TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE;
	if (likely(is_valid))
		time = day_begin(zone, date * USECS_PER_DAY);
	if (unlikely(!is_valid || !IS_VALID_TIMESTAMP(time)))
		clock_range_error(zone, DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(date))), argument);
	return time;
}

/*
 * Whether a text is a day followed by an offset, without a time of day.  JDBC makes
 * that of a java.sql.Date, with the offset of the program.
 */
static bool
is_day_with_offset(const char *string)
{
	char		buffer[MAXDATELEN + 1];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	int			n;

	return ParseDateTime(string, buffer, sizeof(buffer), fields, types, MAXDATEFIELDS, &n) == 0 &&
		n == 2 && types[0] == DTK_DATE && types[1] == DTK_TZ;
}

/*
 * Raises an error of timestamptz_in or date_in anew, with the name of the argument:
 * the caller wrote no cast, and could not know what could not be read.  Its hint, such
 * as to look at the date style, stays.
 */
static void
text_error(const char *string, const char *argument)
{
	ErrorData  *error = CopyErrorData();
	int			length = (int) strlen(string);

	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR,
			(errcode(error->sqlerrcode),
			 errmsg("%s \"%.*s\" is not a time", argument, pg_mbcliplen(string, length, 60), string),
			 error->hint != NULL ? errhint("%s", error->hint) :
			 errhint("Write a time such as '2026-01-31 12:00', or a day such as '2026-01-31', after the year 4714 BC and before the year 294277.")));
}

/*
 * An argument that is the text of a timestamptz, which means the clocks of a zone
 * unless it names another; 22007, 22008 and 22023, as timestamptz_in and date_in have
 * them.  A day is a day even with an offset, as it is to date_in.
 */
TimestampTz
zone_text_argument(Zone *zone, text *time, const char *argument)
{
	char	   *string = text_to_cstring(time);
	bool		is_day = is_day_with_offset(string);
	pg_tz	   *session = session_timezone;
	MemoryContext context = CurrentMemoryContext;
	Datum		value = 0;

	PG_TRY();
	{
		session_timezone = zone->rules;
		value = is_day ? DirectFunctionCall1(date_in, CStringGetDatum(string)) :
			DirectFunctionCall3(timestamptz_in, CStringGetDatum(string),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	PG_CATCH();
	{
		session_timezone = session;
		MemoryContextSwitchTo(context);
		text_error(string, argument);
	}
	PG_END_TRY();
	session_timezone = session;
	pfree(string);
	return is_day ? zone_date_argument(zone, DatumGetDateADT(value), argument) :
		time_check(DatumGetTimestampTz(value), argument);
}

/* Raises 22008 for a time in the period that begins before all dates. */
void
calendar_range_error(TimestampTz time, CalendarUnit unit, const char *argument)
{
	char		text[TIME_TEXT_SIZE];

	time_to_text(time, text);
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("%s \"%s\" lies in a %s that begins before the first possible date",
					argument, text, calendar_unit_name(unit)),
			 errhint("Exclude rows before the year 4713 BC.")));
}
