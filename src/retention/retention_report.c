/*
 * retention_report.c
 *	  What a retention_book says: cohorts, growth accounting, frequency of use,
 *	  N-day retention.
 *
 * Each report reads the stored book once, from front to end.
 */
#include "retention/retention_book.h"

#include "shared/arguments.h"
#include "shared/calendar.h"
#include "datatype/timestamp.h"
#include "funcapi.h"
#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"
#include "retention/retention_core.h"
#include "utils/builtins.h"

/* Opens argument 0, a book that must have periods, or must have none. */
static void
open_book(FunctionCallInfo fcinfo, HistoryReader *events, bool periods)
{
	history_book_open(events, PG_GETARG_DATUM(0), &retention_book_format);
	if (periods != (events->reader.form != RETENTION_TIMES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(periods ? "this retention_book has times instead of calendar periods" :
						"this retention_book has calendar periods instead of times"),
				 periods ? errhint("Make it with a unit and a timezone: retention_book(member, occurred_at, 'month', 'UTC').") :
				 errhint("Make it without a unit and a timezone: retention_book(member, occurred_at).")));
}

static CalendarUnit
unit_of(const HistoryReader *events)
{
	return events->settings[0];
}

/*
 * The period of the argument as_of, of a type, which no period of the book may lie after; the
 * book has members.  The end of the rows is taken from their periods, because the
 * rules of a time zone may have changed since the book was made, or be unknown here.
 */
static int32
get_last_period(FunctionCallInfo fcinfo, TimeType type, const HistoryReader *events)
{
	int32		last = (int32) history_book_last_place(events);
	Zone	   *zone;
	TimestampTz as_of;
	int32		period;

	if (PG_ARGISNULL(1))
		return last;
	zone = calendar_stored_zone(events->settings, events->settings_size);
	as_of = zone_time_argument(zone, PG_GETARG_DATUM(1), type, "as_of");
	if (as_of < events->last)
		time_too_early_error(as_of, "as_of", events->last, "a row", "occurred_at");
	period = calendar_period(zone, unit_of(events), as_of, "as_of");
	if (period < last)
		time_too_early_error(as_of, "as_of", events->last, "a row", "occurred_at");
	return period;
}

static void
raise_status(RetentionStatus status, const char *function)
{
	switch (status)
	{
		case RETENTION_OK:
			break;
		case RETENTION_TOO_MANY_CELLS:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s cannot give more than %d rows", function, RETENTION_CELLS_MAX),
					 errhint("Take a longer unit or an earlier as_of, or leave out rows from very long ago.")));
			break;
		case RETENTION_SUM_OUT_OF_RANGE:
			decimal_sum_error();
			break;
	}
}

static void
put_share(Datum *value, bool *is_null, int64 part, int64 whole)
{
	*value = Float8GetDatum(whole > 0 ? (float8) part / (float8) whole : 0);
	*is_null = whole <= 0;
}

/* ---------- cohorts ---------- */

static void
put_cohort(ReturnSetInfo *result, const Triangle *triangle, CalendarUnit unit,
		   int32 period, const Cohort *cohort)
{
	Size		n = (Size) (triangle->as_of - period) + 1;
	float8		net_of_first = 0;
	Datum		values[9] = {0};
	bool		nulls[9] = {0};

	/* Of members by the last period of activity, those with one in or after each. */
	for (Size k = n - 1; k-- > 0;)
	{
		check_interrupts(k);
		cohort->last[k] += cohort->last[k + 1];
	}
	if (triangle->has_amounts)
		net_of_first = decimal_packed_to_double(cohort->net[0], &triangle->pool);

	values[0] = DateADTGetDatum(calendar_first_day(unit, period));
	values[2] = Int64GetDatum(cohort->members);
	for (Size k = 0; k < n; k++)
	{
		bool		has_ended = k + 1 < n;
		NumericBuffer net;

		check_interrupts(k);
		values[1] = Int32GetDatum((int32) k);
		values[3] = Int64GetDatum(cohort->active[k]);
		values[5] = Int64GetDatum(cohort->last[k]);
		put_share(&values[4], &nulls[4], cohort->active[k], has_ended ? cohort->members : 0);
		put_share(&values[6], &nulls[6], cohort->last[k], has_ended ? cohort->members : 0);
		nulls[7] = nulls[8] = true;
		if (triangle->has_amounts)
		{
			values[7] = numeric_in_buffer(cohort->net[k], &triangle->pool, &net);
			nulls[7] = false;
			if (has_ended && net_of_first > 0)
			{
				values[8] = Float8GetDatum(decimal_packed_to_double(cohort->net[k], &triangle->pool) / net_of_first);
				nulls[8] = false;
			}
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* cohort_retention(retention_book, as_of): one row per cohort and period since. */
static Datum
cohort_retention(FunctionCallInfo fcinfo, TimeType type)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HistoryReader events;
	Triangle	triangle;
	uint32	   *order;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	open_book(fcinfo, &events, true);
	if (events.reader.count == 0)
		return (Datum) 0;

	triangle_init(&triangle, get_last_period(fcinfo, type, &events),
				  events.reader.form == RETENTION_AMOUNTS, CurrentMemoryContext);
	while (history_book_next(&events))
		raise_status(triangle_add(&triangle, events.events, events.count, &events.pool), "cohort_retention");
	order = keytable_sorted(&triangle.cohorts);
	for (uint32 i = 0; i < triangle.cohorts.count; i++)
		put_cohort(result, &triangle, unit_of(&events),
				   (int32) keytable_key(&triangle.cohorts, order[i]).number,
				   keytable_payload(&triangle.cohorts, order[i]));
	return (Datum) 0;
}

AS_OF_FUNCTIONS(cohort_retention)

/*
 * net_outside(retention_book): money that belongs to no cohort, because it was
 * refunded before the first activity or there was none; NULL without amounts.
 */
CUSTMART_FUNCTION(custmart_retention_book_net_outside);
Datum
custmart_retention_book_net_outside(PG_FUNCTION_ARGS)
{
	DecimalPool pool = {.context = CurrentMemoryContext};
	HistoryReader events;
	int64		sum = 0;

	history_book_open(&events, PG_GETARG_DATUM(0), &retention_book_format);
	if (events.reader.form != RETENTION_AMOUNTS)
		PG_RETURN_NULL();
	while (history_book_next(&events))
	{
		Size		first = events_first_active(events.events, events.count);

		for (Size i = 0; i < first; i++)
			if (!decimal_add_packed(&sum, &pool, events.events[i].value, &events.pool))
				raise_status(RETENTION_SUM_OUT_OF_RANGE, "net_outside");
	}
	PG_RETURN_DATUM(numeric_from_packed(sum, &pool));
}

/* ---------- growth accounting ---------- */

/* lifecycle_counts(retention_book, as_of): one row per period from the first to that of as_of. */
static Datum
lifecycle_counts(FunctionCallInfo fcinfo, TimeType type)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HistoryReader events;
	Growth		growth = {.context = CurrentMemoryContext};
	Datum		values[6];
	bool		nulls[6] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	open_book(fcinfo, &events, true);
	if (events.reader.count == 0)
		return (Datum) 0;

	growth.as_of = get_last_period(fcinfo, type, &events);
	while (history_book_next(&events))
		raise_status(growth_add(&growth, events.events, events.count), "lifecycle_counts");
	for (Size i = growth.count; i-- > 0;)
	{
		const GrowthCount *count = &growth.counts[i];

		check_interrupts(i);
		values[0] = DateADTGetDatum(calendar_first_day(unit_of(&events), growth.as_of - (int32) i));
		values[1] = Int64GetDatum(count->came + count->returning + count->resurrecting);
		values[2] = Int64GetDatum(count->came);
		values[3] = Int64GetDatum(count->returning);
		values[4] = Int64GetDatum(count->resurrecting);
		values[5] = Int64GetDatum(count->dormant);
		nulls[5] = i == 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

AS_OF_FUNCTIONS(lifecycle_counts)

/* ---------- stickiness ---------- */

/* The period of a day that may be NULL. */
static int32
get_bound(FunctionCallInfo fcinfo, int argument, const char *name, CalendarUnit unit, int32 otherwise)
{
	if (PG_ARGISNULL(argument))
		return otherwise;
	return calendar_period_of_day(unit, date_check(PG_GETARG_DATEADT(argument), name));
}

/* stickiness(retention_book, since, until): one row per number of active periods. */
CUSTMART_FUNCTION(custmart_stickiness);
Datum
custmart_stickiness(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HistoryReader events;
	Stickiness	stickiness = {.context = CurrentMemoryContext};
	int64		members = 0;
	int64		below = 0;
	Datum		values[5];
	bool		nulls[5] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	open_book(fcinfo, &events, true);
	if (events.reader.count == 0)
		return (Datum) 0;

	stickiness.since = get_bound(fcinfo, 1, "since", unit_of(&events), PG_INT32_MIN);
	stickiness.until = get_bound(fcinfo, 2, "until", unit_of(&events), PG_INT32_MAX);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && PG_GETARG_DATEADT(1) > PG_GETARG_DATEADT(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since \"%s\" is after until \"%s\"",
						DatumGetCString(DirectFunctionCall1(date_out, PG_GETARG_DATUM(1))),
						DatumGetCString(DirectFunctionCall1(date_out, PG_GETARG_DATUM(2)))),
				 errhint("Give the earlier day first.")));
	while (history_book_next(&events))
		stickiness_add(&stickiness, events.events, events.count);
	for (Size i = 0; i < stickiness.count; i++)
		members += stickiness.members[i];
	for (Size i = 0; i < stickiness.count; i++)
	{
		check_interrupts(i);
		values[0] = Int32GetDatum((int32) (i + 1));
		values[1] = Int64GetDatum(stickiness.members[i]);
		values[2] = Float8GetDatum((float8) stickiness.members[i] / (float8) members);
		values[3] = Int64GetDatum(members - below);
		values[4] = Float8GetDatum((float8) (members - below) / (float8) members);
		below += stickiness.members[i];
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---------- N-day retention ---------- */

/* day_retention(retention_book, as_of, last_day): one row per day since a member's own start. */
CUSTMART_FUNCTION(custmart_day_retention);
Datum
custmart_day_retention(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HistoryReader events;
	DayRetention days;
	int32		last_day;
	Datum		values[6];
	bool		nulls[6] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	argument_check_not_null(fcinfo, 2, "last_day");
	last_day = PG_GETARG_INT32(2);
	if (last_day < 0 || last_day >= RETENTION_CELLS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("last_day must be from 0 to %d, not %d", RETENTION_CELLS_MAX - 1, last_day),
				 errhint("Leave it out for 90 days.")));
	open_book(fcinfo, &events, false);
	if (events.reader.count == 0)
		return (Datum) 0;

	day_retention_init(&days, history_book_as_of(fcinfo, 1, &events), last_day, CurrentMemoryContext);
	while (history_book_next(&events))
		day_retention_add(&days, events.events, events.count);
	day_retention_finish(&days);
	for (int32 day = 0; day <= last_day; day++)
	{
		int64		members = days.ended[day + 1];

		check_interrupts(day);
		values[0] = Int32GetDatum(day);
		values[1] = Int64GetDatum(members);
		values[2] = Int64GetDatum(days.active[day]);
		put_share(&values[3], &nulls[3], days.active[day], members);
		values[4] = Int64GetDatum(days.last[day]);
		put_share(&values[5], &nulls[5], days.last[day], members);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
