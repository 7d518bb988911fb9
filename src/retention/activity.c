/*
 * activity.c
 *	  The type activity_summary: the calendar periods in which one member was active.
 */
#include "retention/activity.h"

#include "catalog/pg_type.h"
#include "retention/retention_core.h"
#include "shared/time_arguments.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define ACTIVITY_VERSION 1

static const char *activity_summary_check(const uint8 *bytes, Size length);
static const char *check_settings(const uint8 *settings, Size size, EventLimits *limits);

const HistoryKind activity_kind = {
	.type = {"activity_summary", activity_summary_check},
	.format = {STORED_ACTIVITY, ACTIVITY_VERSION, EVENTS_PERIODS, check_settings},
	.settings_hint = "Make all parts with the same unit and timezone.",
	.size_hint = "Take a longer unit."
};

/* Settings are the unit and the time zone. */
static const char *
check_settings(const uint8 *settings, Size size, EventLimits *limits)
{
	return calendar_check_settings(settings, size, &limits->unit);
}

HISTORY_FUNCTIONS(activity_summary, &activity_kind)

/* ---------- building ---------- */

static inline Datum
activity_step(FunctionCallInfo fcinfo, TimeType type)
{
	const CalendarSettings *settings;
	History	   *history;
	TimestampTz time;
	Event		event = {0};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return aggregate_same_state(fcinfo);
	history = history_of_state(fcinfo, &activity_kind);
	settings = calendar_arguments(PG_GETARG_DATUM(2), PG_GETARG_DATUM(3));
	time = zone_time_argument(settings->zone, PG_GETARG_DATUM(1), type, "occurred_at");
	if (unlikely(!history_set(history, settings->bytes, settings->size)))
		calendar_settings_error(history->settings, history->settings_size, settings);
	event.tag = event_period_tag(calendar_period(settings->zone, settings->unit, time, "occurred_at"), true);
	if (history->count == 0 || history->events[history->count - 1].tag != event.tag)
		*history_append(history) = event;
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}

/*
 * activity_step(activity_summary, timestamptz, text, text), activity_step_timestamp and
 * activity_step_date: notes that a member was active.
 */
#define ACTIVITY_STEP(name, type) \
CUSTMART_FUNCTION(custmart_##name); \
Datum \
custmart_##name(PG_FUNCTION_ARGS) \
{ \
	return activity_step(fcinfo, type); \
}

ACTIVITY_STEP(activity_step, TYPE_TIMESTAMPTZ)
ACTIVITY_STEP(activity_step_timestamp, TYPE_TIMESTAMP)
ACTIVITY_STEP(activity_step_date, TYPE_DATE)

/* ---------- reading ---------- */

/* An activity opened for reading. */
typedef struct Periods
{
	CalendarUnit unit;
	const Event *events;
	Size		n;
} Periods;

static Periods
get_periods(FunctionCallInfo fcinfo)
{
	const History *history = history_open(PG_GETARG_DATUM(0), &activity_kind);
	Periods		periods = {history->settings[0], history->events, history->count};

	return periods;
}

/* The day in argument 1, as a period. */
static int32
get_period(FunctionCallInfo fcinfo, CalendarUnit unit)
{
	return calendar_period_of_day(unit, date_check(PG_GETARG_DATEADT(1), "day"));
}

static Datum
first_day(const Periods *periods, Size i)
{
	return DateADTGetDatum(calendar_first_day(periods->unit, event_period(&periods->events[i])));
}

/* first_period(activity_summary): the first day of the first period. */
CUSTMART_FUNCTION(custmart_activity_first_period);
Datum
custmart_activity_first_period(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);

	return first_day(&periods, 0);
}

/* last_period(activity_summary): the first day of the last period. */
CUSTMART_FUNCTION(custmart_activity_last_period);
Datum
custmart_activity_last_period(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);

	return first_day(&periods, periods.n - 1);
}

/* active_periods(activity_summary): how many periods there are. */
CUSTMART_FUNCTION(custmart_activity_active_periods);
Datum
custmart_activity_active_periods(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) get_periods(fcinfo).n);
}

/* period_list(activity_summary): the first days of all periods, ascending. */
CUSTMART_FUNCTION(custmart_activity_period_list);
Datum
custmart_activity_period_list(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);
	Datum	   *days;

	if (periods.n > MaxAllocSize / sizeof(Datum))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an array cannot hold %zu periods", periods.n)));
	days = palloc(periods.n * sizeof(Datum));
	for (Size i = 0; i < periods.n; i++)
	{
		check_interrupts(i);
		days[i] = first_day(&periods, i);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(days, (int) periods.n, DATEOID, sizeof(DateADT), true, TYPALIGN_INT));
}

/* is_active(activity_summary, date): active in the period in which a day lies? */
CUSTMART_FUNCTION(custmart_activity_is_active);
Datum
custmart_activity_is_active(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);
	int32		period = get_period(fcinfo, periods.unit);
	Size		i = events_find_period(periods.events, periods.n, period);

	PG_RETURN_BOOL(i < periods.n && event_period(&periods.events[i]) == period);
}

/* Periods in a row up to the one at position i. */
static int32
streak_up_to(const Periods *periods, Size i)
{
	Size		begin = i;

	while (begin > 0 &&
		   event_period(&periods->events[begin - 1]) == event_period(&periods->events[begin]) - 1)
	{
		check_interrupts(begin);
		begin--;
	}
	return (int32) (i - begin + 1);
}

/* streak(activity_summary): active periods in a row, up to the last one. */
CUSTMART_FUNCTION(custmart_activity_streak);
Datum
custmart_activity_streak(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);

	PG_RETURN_INT32(streak_up_to(&periods, periods.n - 1));
}

/* streak(activity_summary, date): up to the period in which a day lies; 0 if not active in it. */
CUSTMART_FUNCTION(custmart_activity_streak_day);
Datum
custmart_activity_streak_day(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);
	int32		period = get_period(fcinfo, periods.unit);
	Size		i = events_find_period(periods.events, periods.n, period);

	if (i == periods.n || event_period(&periods.events[i]) != period)
		PG_RETURN_INT32(0);
	PG_RETURN_INT32(streak_up_to(&periods, i));
}

/* longest_streak(activity_summary): the most active periods in a row. */
CUSTMART_FUNCTION(custmart_activity_longest_streak);
Datum
custmart_activity_longest_streak(PG_FUNCTION_ARGS)
{
	Periods		periods = get_periods(fcinfo);
	int32		longest = 1;
	int32		current = 1;

	for (Size i = 1; i < periods.n; i++)
	{
		check_interrupts(i);
		current = event_period(&periods.events[i]) == event_period(&periods.events[i - 1]) + 1 ? current + 1 : 1;
		longest = Max(longest, current);
	}
	PG_RETURN_INT32(longest);
}

/* lifecycle(activity_summary, date): what the member is in the period in which a day lies; NULL: nothing. */
CUSTMART_FUNCTION(custmart_activity_lifecycle);
Datum
custmart_activity_lifecycle(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {NULL, "new", "returning", "resurrecting", "dormant"};
	Periods		periods = get_periods(fcinfo);
	Lifecycle	lifecycle = lifecycle_of(periods.events, periods.n, get_period(fcinfo, periods.unit));

	if (lifecycle == LIFECYCLE_NONE)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(names[lifecycle]));
}
