/*
 * time_arguments.c
 *	  Points in time: errors, and a text form that no setting changes.
 *
 * The text form is ISO 8601 in UTC, 2026-01-31T12:00:00.5+00:00, followed by
 * " BC" where it applies.
 */
#include "shared/time_arguments.h"

#include <ctype.h>

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"

/* Raises the error of time_check. */
void
time_error(TimestampTz time, const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("%s must be finite, not \"%s\"", argument,
					TIMESTAMP_IS_NOBEGIN(time) ? "-infinity" : "infinity"),
			 errhint("Use a finite time, or exclude such rows, for example with FILTER (WHERE isfinite(...)).")));
}

/*
 * Raises 22023 for an as_of before the last event that it should look back on,
 * such as "an order".  Where the function has no zone, the session's may be the
 * reason: times in the message are UTC, so that it is the same for everybody.
 */
void
time_too_early_error(TimestampTz as_of, const char *argument, TimestampTz last, const char *what, bool has_zone)
{
	char		text[2][TIME_TEXT_SIZE];

	time_to_text(as_of, text[0]);
	time_to_text(last, text[1]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" is before %s of \"%s\"", argument, text[0], what, text[1]),
			 has_zone ?
			 errhint("Exclude later rows with WHERE occurred_at <= %s, or choose a later %s.", argument, argument) :
			 errhint("Exclude later rows with WHERE occurred_at <= %s, or choose a later %s; both without a time zone of their own are read in that of the session.",
					 argument, argument)));
}

/* Raises the error of date_check. */
void
time_date_error(DateADT date, const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("%s must be a finite date, not \"%s\"", argument,
					DATE_IS_NOBEGIN(date) ? "-infinity" : "infinity"),
			 errhint("Use a finite date, or exclude such rows, for example with FILTER (WHERE isfinite(...)).")));
}

/* A day as the wall clock time at which it begins, infinity as infinity; 22008 for a day that no timestamp can be on. */
Timestamp
date_clock_argument(DateADT date, const char *argument)
{
	int			overflow;
	Timestamp	local = date2timestamp_opt_overflow(date, &overflow);

	if (unlikely(overflow != 0))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s \"%s\" is out of range", argument,
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(date)))),
				 errhint("Use days before the year 294277.")));
	return local;
}

/* Writes a finite time into a buffer of TIME_TEXT_SIZE. */
void
time_to_text(TimestampTz time, char *text)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (timestamp2tm(time, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	tm.tm_isdst = 0;			/* or the zone would be left out */
	EncodeDateTime(&tm, fraction, true, 0, NULL, USE_XSD_DATES, text);
}

/* The same of a wall clock time, which has no zone. */
void
time_clock_to_text(Timestamp local, char *text)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (timestamp2tm(local, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	EncodeDateTime(&tm, fraction, false, 0, NULL, USE_XSD_DATES, text);
}

static bool
read_digits(const char **text, int least, int most, int *number)
{
	int			n = 0;

	*number = 0;
	while (n < most && isdigit((unsigned char) **text))
	{
		*number = *number * 10 + (*(*text)++ - '0');
		n++;
	}
	return n >= least;
}

static bool
read_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/*
 * Reads what time_to_text wrote and advances past it.  It also accepts days and
 * hours that do not exist; callers compare with the canonical text.
 */
bool
time_from_text(const char **text, TimestampTz *time)
{
	struct pg_tm tm = {0};
	int			fraction = 0;
	int			utc = 0;

	if (!read_digits(text, 4, 6, &tm.tm_year) || !read_char(text, '-') ||
		!read_digits(text, 2, 2, &tm.tm_mon) || !read_char(text, '-') ||
		!read_digits(text, 2, 2, &tm.tm_mday) || !read_char(text, 'T') ||
		!read_digits(text, 2, 2, &tm.tm_hour) || !read_char(text, ':') ||
		!read_digits(text, 2, 2, &tm.tm_min) || !read_char(text, ':') ||
		!read_digits(text, 2, 2, &tm.tm_sec))
		return false;
	if (read_char(text, '.'))
	{
		const char *start = *text;

		if (!read_digits(text, 1, 6, &fraction))
			return false;
		for (int n = (int) (*text - start); n < 6; n++)
			fraction *= 10;
	}
	if (strncmp(*text, "+00:00", 6) != 0)
		return false;
	*text += 6;
	if (strncmp(*text, " BC", 3) == 0)
	{
		*text += 3;
		tm.tm_year = 1 - tm.tm_year;
	}
	if (tm.tm_mon < 1 || tm.tm_mon > 12)
		return false;
	return tm2timestamp(&tm, fraction, &utc, time) == 0;
}
