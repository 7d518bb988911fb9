/*
 * duration.c
 *	  Lengths of time as arguments.
 */
#include "shared/duration.h"

#include "shared/compat.h"
#include "utils/fmgrprotos.h"

/* An interval as PostgreSQL writes it, for error messages. */
char *
duration_text(const Interval *interval)
{
	return DatumGetCString(DirectFunctionCall1(interval_out, PointerGetDatum(interval)));
}

/*
 * The microseconds of an interval, with days of 24 hours.  Months, which differ
 * in length, are refused (22023), and so are intervals that 64 bits cannot hold;
 * infinity is 22008.
 */
int64
duration_argument(const Interval *interval, const char *argument)
{
	int128		length = (int128) interval->day * USECS_PER_DAY + interval->time;

	if (interval_is_infinite(interval))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be a length of time, not \"%s\"", argument, duration_text(interval)),
				 errhint("Give a long time, such as '36500 days'.")));
	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must consist of days and time, not \"%s\"", argument, duration_text(interval)),
				 errhint("Months and years differ in length: use days, such as '30 days'.")));
	if (length > PG_INT64_MAX || length < PG_INT64_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is too long: \"%s\"", argument, duration_text(interval)),
				 errhint("The longest is 106751991 days.")));
	return (int64) length;
}
