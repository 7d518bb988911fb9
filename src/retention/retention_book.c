/*
 * retention_book.c
 *	  The type retention_book: when every member was active, in one scan.
 *
 * A book keeps calendar periods, with or without the money of each, or exact
 * times, and perhaps when each member joined.  Cohorts, growth and frequency of use are computed from it later, because
 * a member's cohort is known only when all of their rows are.
 */
#include "history/retention_book_format.h"

#include "retention/activity.h"
#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"

static const BookKind retention_book_kind = HISTORY_BOOK_KIND(&retention_book_format);

BOOK_FUNCTIONS(retention_book, &retention_book_kind)
BOOK_FORGET(retention_book, &retention_book_format.book, "members")
BOOK_MEMBER_COUNT(retention_book, &retention_book_kind)

static Book *
book_of(FunctionCallInfo fcinfo, KeyType member_type, uint8 form)
{
	return book_of_state(fcinfo, &retention_book_kind, member_type, form);
}

static void
set_settings(Book *book, const CalendarSettings *settings)
{
	Size		size;
	const uint8 *bytes;

	if (likely(history_book_set_settings(book, settings->bytes, settings->size)))
		return;
	bytes = history_book_settings(book, &size);
	calendar_settings_error(bytes, size, settings);
}

static inline int64
read_amount(Book *book, Datum value, bool *is_refund)
{
	DecimalPool *pool = history_book_pool(book);
	int64		amount = numeric_read(value, "amount", pool);

	*is_refund = decimal_is_pooled(amount) ? decimal_sign(&pool->item[amount >> 8]) < 0 : amount < 0;
	return amount;
}

/*
 * Adds one row to the state: argument 1 is the member, then come time, amount
 * (form 1 only), unit and time zone (not form 2).
 */
static inline Datum
retention_book_step(FunctionCallInfo fcinfo, KeyType member_type, uint8 form, TimeType type)
{
	Book	   *book = book_of(fcinfo, member_type, form);
	int			unit_argument = form == RETENTION_AMOUNTS ? 4 : 3;
	Event		event = {0};
	Key		   *key;
	Event	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		(form != RETENTION_TIMES && (PG_ARGISNULL(3) || PG_ARGISNULL(4))) ||
		(form == RETENTION_AMOUNTS && PG_ARGISNULL(5)))
		return book_skip_row(book);

	if (form == RETENTION_TIMES)
		event.value = time_check(PG_GETARG_TIMESTAMPTZ(2), "occurred_at");
	else
	{
		const CalendarSettings *settings = calendar_arguments(PG_GETARG_DATUM(unit_argument),
															  PG_GETARG_DATUM(unit_argument + 1));
		TimestampTz time;
		int32		period;
		bool		is_refund = false;

		time = zone_time_argument(settings->zone, PG_GETARG_DATUM(2), type, "occurred_at");
		period = calendar_period(settings->zone, settings->unit, time, "occurred_at");
		set_settings(book, settings);
		if (form == RETENTION_AMOUNTS)
			event.value = read_amount(book, PG_GETARG_DATUM(3), &is_refund);
		event.tag = event_period_tag(period, !is_refund);
	}
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	*row = event;
	if (form == RETENTION_TIMES)
		history_book_note_time(book, event.value);
	return book_push(book);
}

/*
 * retention_book_step_<member>(retention_book, member, occurred_at, unit, timezone),
 * retention_book_step_<member>_amount(retention_book, member, occurred_at, amount, unit, timezone),
 * both also with _timestamp or _date for the type of occurred_at, and
 * retention_book_step_<member>_time(retention_book, member, occurred_at)
 */
#define RETENTION_BOOK_STEP(name, member_type, form, type) \
CUSTMART_FUNCTION(custmart_retention_book_step_##name); \
Datum \
custmart_retention_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return retention_book_step(fcinfo, member_type, form, type); \
}

RETENTION_BOOK_STEP(bigint, KEY_INT64, RETENTION_PERIODS, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(uuid, KEY_FIXED16, RETENTION_PERIODS, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(text, KEY_BYTES, RETENTION_PERIODS, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(bigint_timestamp, KEY_INT64, RETENTION_PERIODS, TYPE_TIMESTAMP)
RETENTION_BOOK_STEP(uuid_timestamp, KEY_FIXED16, RETENTION_PERIODS, TYPE_TIMESTAMP)
RETENTION_BOOK_STEP(text_timestamp, KEY_BYTES, RETENTION_PERIODS, TYPE_TIMESTAMP)
RETENTION_BOOK_STEP(bigint_date, KEY_INT64, RETENTION_PERIODS, TYPE_DATE)
RETENTION_BOOK_STEP(uuid_date, KEY_FIXED16, RETENTION_PERIODS, TYPE_DATE)
RETENTION_BOOK_STEP(text_date, KEY_BYTES, RETENTION_PERIODS, TYPE_DATE)
RETENTION_BOOK_STEP(bigint_amount, KEY_INT64, RETENTION_AMOUNTS, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(uuid_amount, KEY_FIXED16, RETENTION_AMOUNTS, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(text_amount, KEY_BYTES, RETENTION_AMOUNTS, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(bigint_amount_timestamp, KEY_INT64, RETENTION_AMOUNTS, TYPE_TIMESTAMP)
RETENTION_BOOK_STEP(uuid_amount_timestamp, KEY_FIXED16, RETENTION_AMOUNTS, TYPE_TIMESTAMP)
RETENTION_BOOK_STEP(text_amount_timestamp, KEY_BYTES, RETENTION_AMOUNTS, TYPE_TIMESTAMP)
RETENTION_BOOK_STEP(bigint_amount_date, KEY_INT64, RETENTION_AMOUNTS, TYPE_DATE)
RETENTION_BOOK_STEP(uuid_amount_date, KEY_FIXED16, RETENTION_AMOUNTS, TYPE_DATE)
RETENTION_BOOK_STEP(text_amount_date, KEY_BYTES, RETENTION_AMOUNTS, TYPE_DATE)
RETENTION_BOOK_STEP(bigint_time, KEY_INT64, RETENTION_TIMES, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(uuid_time, KEY_FIXED16, RETENTION_TIMES, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP(text_time, KEY_BYTES, RETENTION_TIMES, TYPE_TIMESTAMPTZ)

/*
 * The same with the time when the member joined: argument 1 is the member, then
 * come the time when they joined, that of the row, which may be NULL if it says no
 * more than that, amount, unit and time zone.
 */
static inline Datum
retention_book_step_joined(FunctionCallInfo fcinfo, KeyType member_type, uint8 form,
						   TimeType joined_type, TimeType type)
{
	Book	   *book = book_of(fcinfo, member_type, form);
	int			unit_argument = form == RETENTION_JOINED_AMOUNTS ? 5 : 4;
	bool		came = !PG_ARGISNULL(3);
	TimestampTz joined;
	Event		event;
	Key		   *key;
	Event	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		(form != RETENTION_JOINED_TIMES && (PG_ARGISNULL(unit_argument) || PG_ARGISNULL(unit_argument + 1))) ||
		(form == RETENTION_JOINED_AMOUNTS && came && PG_ARGISNULL(4)))
		return book_skip_row(book);

	if (form == RETENTION_JOINED_TIMES)
	{
		joined = time_check(PG_GETARG_TIMESTAMPTZ(2), "joined_at");
		event = history_book_row_of_time(joined, came ? time_check(PG_GETARG_TIMESTAMPTZ(3), "occurred_at") : HISTORY_NO_TIME);
	}
	else
	{
		const CalendarSettings *settings = calendar_arguments(PG_GETARG_DATUM(unit_argument),
															  PG_GETARG_DATUM(unit_argument + 1));
		uint32		start;
		uint32		tag = HISTORY_NO_PERIOD;
		int64		amount = 0;

		joined = zone_time_argument(settings->zone, PG_GETARG_DATUM(2), joined_type, "joined_at");
		start = event_period_tag(calendar_period(settings->zone, settings->unit, joined, "joined_at"), true);
		set_settings(book, settings);
		if (came)
		{
			TimestampTz time;
			int32		period;
			bool		is_refund = false;

			time = zone_time_argument(settings->zone, PG_GETARG_DATUM(3), type, "occurred_at");
			period = calendar_period(settings->zone, settings->unit, time, "occurred_at");
			if (form == RETENTION_JOINED_AMOUNTS)
				amount = read_amount(book, PG_GETARG_DATUM(4), &is_refund);
			tag = event_period_tag(period, !is_refund);
		}
		event = history_book_row_of_period(start, tag, amount);
	}
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	*row = event;
	/* The earliest start of a member counts, which is known at the end. */
	if (form == RETENTION_JOINED_TIMES && came)
		history_book_note_time(book, event.value);
	return book_push(book);
}

/*
 * retention_book_step_<member>_since_<type>_<type>(retention_book, member, joined_at, occurred_at, unit, timezone),
 * retention_book_step_<member>_amount_since_<type>_<type>(retention_book, member, joined_at, occurred_at, amount, unit, timezone)
 * and retention_book_step_<member>_time_since(retention_book, member, joined_at, occurred_at)
 */
#define RETENTION_BOOK_STEP_JOINED(name, member_type, form, joined_type, type) \
CUSTMART_FUNCTION(custmart_retention_book_step_##name); \
Datum \
custmart_retention_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return retention_book_step_joined(fcinfo, member_type, form, joined_type, type); \
}

#define RETENTION_BOOK_STEPS_JOINED_AT(joined_name, joined_type, name, type) \
RETENTION_BOOK_STEP_JOINED(bigint_since_##joined_name##_##name, KEY_INT64, RETENTION_JOINED_PERIODS, joined_type, type) \
RETENTION_BOOK_STEP_JOINED(uuid_since_##joined_name##_##name, KEY_FIXED16, RETENTION_JOINED_PERIODS, joined_type, type) \
RETENTION_BOOK_STEP_JOINED(text_since_##joined_name##_##name, KEY_BYTES, RETENTION_JOINED_PERIODS, joined_type, type) \
RETENTION_BOOK_STEP_JOINED(bigint_amount_since_##joined_name##_##name, KEY_INT64, RETENTION_JOINED_AMOUNTS, joined_type, type) \
RETENTION_BOOK_STEP_JOINED(uuid_amount_since_##joined_name##_##name, KEY_FIXED16, RETENTION_JOINED_AMOUNTS, joined_type, type) \
RETENTION_BOOK_STEP_JOINED(text_amount_since_##joined_name##_##name, KEY_BYTES, RETENTION_JOINED_AMOUNTS, joined_type, type)

#define RETENTION_BOOK_STEPS_JOINED(joined_name, joined_type) \
RETENTION_BOOK_STEPS_JOINED_AT(joined_name, joined_type, timestamptz, TYPE_TIMESTAMPTZ) \
RETENTION_BOOK_STEPS_JOINED_AT(joined_name, joined_type, timestamp, TYPE_TIMESTAMP) \
RETENTION_BOOK_STEPS_JOINED_AT(joined_name, joined_type, date, TYPE_DATE)

RETENTION_BOOK_STEPS_JOINED(timestamptz, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEPS_JOINED(timestamp, TYPE_TIMESTAMP)
RETENTION_BOOK_STEPS_JOINED(date, TYPE_DATE)
RETENTION_BOOK_STEP_JOINED(bigint_time_since, KEY_INT64, RETENTION_JOINED_TIMES, TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP_JOINED(uuid_time_since, KEY_FIXED16, RETENTION_JOINED_TIMES, TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ)
RETENTION_BOOK_STEP_JOINED(text_time_since, KEY_BYTES, RETENTION_JOINED_TIMES, TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ)

/* Adds all periods of a member's activity to the state: arguments 1 and 2 are member and activity. */
static Datum
retention_book_step_activity(FunctionCallInfo fcinfo, KeyType member_type)
{
	Book	   *book = book_of(fcinfo, member_type, RETENTION_PERIODS);
	const History *activity;
	const Event *periods;
	CalendarSettings settings;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return book_skip_row(book);
	activity = history_open(PG_GETARG_DATUM(2), &activity_kind);
	periods = activity->events;
	calendar_open_settings(&settings, activity->settings, activity->settings_size);
	set_settings(book, &settings);
	for (Size i = 0; i < activity->count; i++)
	{
		Key		   *key;
		Event	   *row = book_next_row(book, &key);

		check_interrupts(i);
		book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
		*row = periods[i];
		book_push(book);
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/* retention_book_step_<member>_activity(retention_book, member, activity_summary) */
#define RETENTION_BOOK_STEP_ACTIVITY(name, member_type) \
CUSTMART_FUNCTION(custmart_retention_book_step_##name##_activity); \
Datum \
custmart_retention_book_step_##name##_activity(PG_FUNCTION_ARGS) \
{ \
	return retention_book_step_activity(fcinfo, member_type); \
}

RETENTION_BOOK_STEP_ACTIVITY(bigint, KEY_INT64)
RETENTION_BOOK_STEP_ACTIVITY(uuid, KEY_FIXED16)
RETENTION_BOOK_STEP_ACTIVITY(text, KEY_BYTES)

/*
 * retention_book_step_without_timezone(retention_book, member, occurred_at [, amount],
 * unit): raises an error that says more than PostgreSQL's, which would be that there
 * is no such function.  A plain function in place of the aggregate would not do: with
 * GROUP BY, PostgreSQL would complain of its arguments first.
 */
CUSTMART_FUNCTION(custmart_retention_book_step_without_timezone);
Datum
custmart_retention_book_step_without_timezone(PG_FUNCTION_ARGS)
{
	(void) aggregate_states_context(fcinfo);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("retention_book needs a unit and a timezone"),
			 errhint("Call retention_book(member, occurred_at, 'month', 'Europe/Berlin'), with the time zone whose calendar counts; with money retention_book(member, occurred_at, amount, 'month', 'Europe/Berlin'); for exact times retention_book(member, occurred_at).")));
}
