/*
 * session_book.c
 *	  The type session_book: when every member did something, and the reports of
 *	  sessions made of that.
 *
 * A book keeps the times, not the sessions, so that the gap can be chosen when it
 * is read.
 */
#include "session/session.h"

#include "history/history_book.h"
#include "session/session_core.h"
#include "shared/arguments.h"
#include "shared/duration.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "utils/timestamp.h"

#define SESSION_BOOK_VERSION 1

static const char *session_book_check(const uint8 *bytes, Size length);
static const char *check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits);

/* Moments, because rows of equal times are all events; they have no tag. */
static const EventLayout layouts[] = {EVENTS_MOMENTS};

static const HistoryBookFormat session_book_format = {
	HISTORY_BOOK_FORMAT("session_book", session_book_check, STORED_SESSION_BOOK, SESSION_BOOK_VERSION, NULL,
			   "Make one book per slice of the members, for example WHERE hashint8(member) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid), or of a shorter period of time."),
	.layouts = layouts,
	.forms = lengthof(layouts),
	.check_settings = check_settings
};

static const BookKind session_book_kind = HISTORY_BOOK_KIND(&session_book_format);

static const char *
check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits)
{
	if (size != 0)
		return "it has settings";
	limits->tag_max = 0;
	return NULL;
}

static const char *
session_book_check(const uint8 *bytes, Size length)
{
	return history_book_check(&session_book_format, bytes, length);
}

/* ---------- arguments ---------- */

/* The argument gap: days and time, not below 0. */
int64
session_gap(const Interval *interval)
{
	int64		gap = duration_argument(interval, "gap");

	if (gap < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gap must not be negative: \"%s\"", duration_text(interval)),
				 errhint("It is the longest pause within a session, such as '30 minutes'.")));
	return gap;
}

void
session_gap_null_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("gap must not be NULL"),
			 errhint("It is the longest pause within a session, such as '30 minutes'.")));
}

static int64
gap_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		session_gap_null_error();
	return session_gap(PG_GETARG_INTERVAL_P(argument));
}

/* ---------- building ---------- */

/* Adds one row to the state: argument 1 is the member, argument 2 the time. */
static inline Datum
session_book_step(FunctionCallInfo fcinfo, KeyType member_type)
{
	Book	   *book = book_of_state(fcinfo, &session_book_kind, member_type, 0);
	TimestampTz time;
	Key		   *key;
	Event	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return book_skip_row(book);
	time = time_check(PG_GETARG_TIMESTAMPTZ(2), "occurred_at");
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	history_book_note_time(book, time);
	row->value = time;
	row->tag = 0;
	return book_push(book);
}

/* session_book_step_<member>(session_book, member, occurred_at) */
#define SESSION_BOOK_STEP(name, member_type) \
CUSTMART_FUNCTION(custmart_session_book_step_##name); \
Datum \
custmart_session_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return session_book_step(fcinfo, member_type); \
}

SESSION_BOOK_STEP(bigint, KEY_INT64)
SESSION_BOOK_STEP(uuid, KEY_FIXED16)
SESSION_BOOK_STEP(text, KEY_BYTES)

BOOK_FUNCTIONS(session_book, &session_book_kind)
BOOK_FORGET(session_book, &session_book_format.book, "members")
BOOK_MEMBER_COUNT(session_book, &session_book_kind)

/* ---------- reports ---------- */

typedef struct SessionsReport
{
	HistoryReader events;
	int64		gap;
	Size		at;				/* of the member's events, where the next session begins */
	int64		number;
	Interval	length;
} SessionsReport;

/* Opens a book for a report of the given name; the variant is the argument with the book. */
static SessionsReport *
open_report(FunctionCallInfo fcinfo, TupleDesc columns, int book, const char *name)
{
	SessionsReport *report;
	int64		gap;

	if (PG_ARGISNULL(book))
		return NULL;
	gap = gap_argument(fcinfo, book + 1);
	report = palloc0(sizeof(SessionsReport));
	report->gap = gap;
	history_book_open(&report->events, PG_GETARG_DATUM(book), &session_book_format);
	book_check_key_type(&report->events.reader, &session_book_format.book,
						TupleDescAttr(columns, 0)->atttypid, "members", name, "book");
	return report;
}

/* A duration in days and time; a session may be longer than any gap in it. */
static Interval
interval_of(uint64 duration)
{
	return (Interval) {.day = (int32) (duration / USECS_PER_DAY), .time = (int64) (duration % USECS_PER_DAY)};
}

static void *
open_sessions(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	return open_report(fcinfo, columns, book, "sessions");
}

static bool
next_session(void *state, Datum *values, bool *nulls)
{
	SessionsReport *report = state;
	HistoryReader *events = &report->events;
	Size		end;
	int64		start;
	int64		last;

	if (report->at == events->count)
	{
		if (!history_book_next(events))
			return false;
		report->at = 0;
		report->number = 0;
	}
	end = session_end(events->events, events->count, report->at, report->gap);
	start = events->events[report->at].value;
	last = events->events[end - 1].value;
	report->length = interval_of((uint64) last - (uint64) start);
	values[0] = book_key_datum(events->reader.key_type, &events->key);
	values[1] = Int64GetDatum(++report->number);
	values[2] = TimestampTzGetDatum(start);
	values[3] = TimestampTzGetDatum(last);
	values[4] = IntervalPGetDatum(&report->length);
	values[5] = Float8GetDatum((float8) ((uint64) last - (uint64) start) / USECS_PER_SEC);
	values[6] = Int64GetDatum((int64) (end - report->at));
	report->at = end;
	return true;
}

static const Report sessions_report = {open_sessions, next_session, 7};

/* sessions(session_book, gap): one row per session, members bigint. */
CUSTMART_REPORT(custmart_sessions, sessions_report, 0)

/* sessions(anyelement, session_book, gap): members of the given type. */
CUSTMART_REPORT(custmart_sessions_typed, sessions_report, 1)

static void *
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	return open_report(fcinfo, columns, book, "session_members");
}

static bool
next_member(void *state, Datum *values, bool *nulls)
{
	SessionsReport *report = state;
	HistoryReader *events = &report->events;
	SessionTotals totals;

	if (!history_book_next(events))
		return false;
	session_total(events->events, events->count, report->gap, &totals);
	values[0] = book_key_datum(events->reader.key_type, &events->key);
	values[1] = Int64GetDatum(totals.sessions);
	values[2] = Int64GetDatum(totals.events);
	values[3] = Int64GetDatum(totals.single);
	values[4] = Float8GetDatum((float8) totals.length / USECS_PER_SEC);
	values[5] = TimestampTzGetDatum(events->events[0].value);
	values[6] = TimestampTzGetDatum(events->events[events->count - 1].value);
	return true;
}

static const Report members_report = {open_members, next_member, 7};

/* session_members(session_book, gap): one row per member, members bigint. */
CUSTMART_REPORT(custmart_session_members, members_report, 0)

/* session_members(anyelement, session_book, gap): members of the given type. */
CUSTMART_REPORT(custmart_session_members_typed, members_report, 1)
