/*
 * contact_quiet.c
 *	  Hours of the day at which nobody is written to.
 */
#include "custmart.h"

#include "shared/calendar.h"
#include "shared/compat.h"
#include "shared/time_arguments.h"

/* Whether the clocks show a time in [from, to), which may go over midnight; from = to: never. */
static inline bool
is_quiet(TimeADT of_day, TimeADT from, TimeADT to)
{
	return from <= to ? from <= of_day && of_day < to : from <= of_day || of_day < to;
}

/*
 * The earliest moment that is not before `time` and not quiet.  Between two changes
 * of the clocks they go forward evenly, so quiet hours end when the clocks have
 * shown what is missing to `to`, or end or begin anew with a change before that:
 * there they are looked at again.
 */
static TimestampTz
after_quiet_hours(Zone *zone, TimestampTz time, TimeADT from, TimeADT to)
{
	for (;;)
	{
		Timestamp	local = zone_local(zone, time);
		TimeADT		of_day = (local % USECS_PER_DAY + USECS_PER_DAY) % USECS_PER_DAY;
		TimestampTz end;
		TimestampTz change;

		if (!is_quiet(of_day, from, to))
			return time;
		end = time + (to > of_day ? to - of_day : to - of_day + USECS_PER_DAY);
		change = zone_next_change(zone, time);
		time = Min(end, change);
		if (!IS_VALID_TIMESTAMP(time))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("quiet hours end after the last timestamp there is"),
					 errhint("Use times before the year 294277.")));
	}
}

/* after_quiet(t, quiet_from, quiet_to, timezone), which is strict. */
static Datum
after_quiet(FunctionCallInfo fcinfo, TimeType type)
{
	TimeADT		from = PG_GETARG_TIMEADT(1);
	TimeADT		to = PG_GETARG_TIMEADT(2);
	text	   *name = PG_GETARG_TEXT_PP(3);
	Zone	   *zone = zone_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	TimestampTz time = zone_time_argument(zone, PG_GETARG_DATUM(0), type, "t");

	if (from == 0 && to == USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quiet hours from \"00:00\" to \"24:00\" never end"),
				 errhint("Leave some time of the day; quiet_from = quiet_to stands for no quiet hours.")));
	PG_RETURN_TIMESTAMPTZ(after_quiet_hours(zone, time, from, to));
}

AS_OF_FUNCTIONS(after_quiet)
