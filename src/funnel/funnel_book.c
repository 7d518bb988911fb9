/*
 * funnel_book.c
 *	  The type funnel_book: the funnel of every member, in one scan, and its
 *	  reports.
 */
#include "custmart.h"

#include "funnel/funnel.h"
#include "funnel/funnel_arguments.h"
#include "history/history_book.h"
#include "shared/growing_array.h"
#include "shared/report.h"
#include "shared/time_arguments.h"

#define FUNNEL_BOOK_VERSION 1

static const char *funnel_book_check(const uint8 *bytes, Size length);
static const char *check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits);

static const EventLayout layouts[] = {EVENTS_MOMENTS};

static const HistoryBookFormat funnel_book_format = {
	HISTORY_BOOK_FORMAT("funnel_book", funnel_book_check, STORED_FUNNEL_BOOK, FUNNEL_BOOK_VERSION, NULL,
			   "Leave out rows that meet no step, or make one per slice of the members, for example WHERE hashint8(member) & 3 = 0 for the first of four (uuid_hash, hashtext for other types)."),
	.layouts = layouts,
	.forms = lengthof(layouts),
	.check_settings = check_settings,
	.settings_hint = FUNNEL_SETTINGS_HINT,
	.skipped_rows_have_settings = true	/* they have steps all the same */
};

static const BookKind funnel_book_kind = HISTORY_BOOK_KIND(&funnel_book_format);

static const char *
funnel_book_check(const uint8 *bytes, Size length)
{
	return history_book_check(&funnel_book_format, bytes, length);
}

static const char *
check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits)
{
	return funnel_check_settings(settings, size, limits);
}

/* ---------- building ---------- */

static inline void
set_settings(Book *book, const uint8 *settings)
{
	if (unlikely(!history_book_set_settings(book, settings, FUNNEL_SETTINGS_SIZE)))
		funnel_settings_error();
}

static inline void
add_event(Book *book, KeyType key_type, Datum member, TimestampTz time, uint32 steps)
{
	Key		   *key;
	Event	   *event = book_next_row(book, &key);

	event->value = time;
	event->tag = steps;
	book_set_key(book, key, key_type, member);
	history_book_note_time(book, time);
	book_push(book);
}

/*
 * Adds one row to the state: argument 1 is the member, then come within, occurred_at
 * and steps.  A row without a member or a time is skipped, and still says which steps
 * there are.
 */
static inline Datum
funnel_book_step(FunctionCallInfo fcinfo, KeyType key_type, StepsForm form)
{
	Book	   *book = book_of_state(fcinfo, &funnel_book_kind, key_type, 0);
	FunnelRow	row;

	if (!funnel_row_arguments(fcinfo, 2, 4, form, &row))
		return book_skip_row(book);
	set_settings(book, row.settings);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3))
	{
		history_book_note_skipped_settings(book);
		return book_skip_row(book);
	}
	add_event(book, key_type, PG_GETARG_DATUM(1), time_check(PG_GETARG_TIMESTAMPTZ(3), "occurred_at"), row.steps);
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/*
 * funnel_book_step_<member>(funnel_book, member, within, occurred_at, steps); the
 * functions with an argument for each step share one here.
 */
#define FUNNEL_BOOK_STEP(name, key_type, form) \
CUSTMART_FUNCTION(custmart_funnel_book_step_##name); \
Datum \
custmart_funnel_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return funnel_book_step(fcinfo, key_type, form); \
}

FUNNEL_BOOK_STEP(bigint, KEY_INT64, STEPS_ARRAY)
FUNNEL_BOOK_STEP(uuid, KEY_FIXED16, STEPS_ARRAY)
FUNNEL_BOOK_STEP(text, KEY_BYTES, STEPS_ARRAY)
FUNNEL_BOOK_STEP(bigint_listed, KEY_INT64, STEPS_LISTED)
FUNNEL_BOOK_STEP(uuid_listed, KEY_FIXED16, STEPS_LISTED)
FUNNEL_BOOK_STEP(text_listed, KEY_BYTES, STEPS_LISTED)

/* Adds all rows of a member's funnel to the state: arguments 1 and 2 are member and funnel. */
static Datum
funnel_book_step_summary(FunctionCallInfo fcinfo, KeyType key_type)
{
	Book	   *book = book_of_state(fcinfo, &funnel_book_kind, key_type, 0);
	const History *funnel;

	if (PG_ARGISNULL(2))
		return book_skip_row(book);
	funnel = history_open(PG_GETARG_DATUM(2), &funnel_kind);
	set_settings(book, funnel->settings);
	if (PG_ARGISNULL(1))
	{
		history_book_note_skipped_settings(book);
		return book_skip_row(book);
	}
	for (Size i = 0; i < funnel->count; i++)
	{
		check_interrupts(i);
		add_event(book, key_type, PG_GETARG_DATUM(1), funnel->events[i].value, funnel->events[i].tag);
	}
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/* funnel_book_step_<member>_summary(funnel_book, member, funnel_summary) */
#define FUNNEL_BOOK_STEP_SUMMARY(name, key_type) \
CUSTMART_FUNCTION(custmart_funnel_book_step_##name##_summary); \
Datum \
custmart_funnel_book_step_##name##_summary(PG_FUNCTION_ARGS) \
{ \
	return funnel_book_step_summary(fcinfo, key_type); \
}

FUNNEL_BOOK_STEP_SUMMARY(bigint, KEY_INT64)
FUNNEL_BOOK_STEP_SUMMARY(uuid, KEY_FIXED16)
FUNNEL_BOOK_STEP_SUMMARY(text, KEY_BYTES)

BOOK_FUNCTIONS(funnel_book, &funnel_book_kind)
BOOK_MEMBER_COUNT(funnel_book, &funnel_book_kind)
BOOK_FORGET(funnel_book, &funnel_book_format.book, "members")

/* ---------- reading ---------- */

/* How long members took from the step before to this one. */
typedef struct Durations
{
	int64	   *duration;
	Size		count;
	Size		capacity;
} Durations;

static void
add_duration(Durations *durations, int64 duration)
{
	if (durations->count == durations->capacity)
		durations->duration = array_grow(durations->duration, &durations->capacity, durations->count + 1,
										 sizeof(int64), CurrentMemoryContext);
	durations->duration[durations->count++] = duration;
}

/* Notes for each step but the first which required one comes before it. */
static void
note_steps_before(const Funnel *funnel, int *before)
{
	int			required = 0;

	for (int i = 1; i < funnel_steps_of(funnel); i++)
	{
		before[i] = required;
		if (funnel->rules == NULL || (funnel->rules->optional >> i & 1) == 0)
			required = i;
	}
}

typedef struct StepsReport
{
	int			steps;
	int			next;
	int			before[FUNNEL_STEPS_MAX];	/* the required step before each */
	int64		members[FUNNEL_STEPS_MAX];	/* who reached each */
	Durations	durations[FUNNEL_STEPS_MAX];
	Interval	median;
	Interval	p90;
} StepsReport;

static void *
open_steps(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	StepsReport *report;
	HistoryReader events;
	Funnel		funnel;
	int			mode;

	if (PG_ARGISNULL(0))
		return NULL;
	mode = funnel_mode_argument(fcinfo, 1);
	history_book_open(&events, PG_GETARG_DATUM(0), &funnel_book_format);
	if (events.settings_size == 0)
		return NULL;
	report = palloc0(sizeof(StepsReport));
	funnel = funnel_of_settings(events.settings, mode);
	funnel_rules_arguments(fcinfo, 2, &funnel);
	report->steps = funnel_steps_of(&funnel);
	note_steps_before(&funnel, report->before);
	while (history_book_next(&events))
	{
		FunnelChain chain;

		funnel_walk(&funnel, events.events, events.count, &chain);
		for (int i = 0, last = 0; i < chain.level; i++)
		{
			if (!funnel_has_step(&chain, i))
				continue;
			report->members[i]++;
			if (i > 0)
				add_duration(&report->durations[i], chain.time[i] - chain.time[last]);
			last = i;
		}
	}
	return report;
}

static bool
next_step(void *state, Datum *values, bool *nulls)
{
	StepsReport *report = state;
	int			i = report->next;
	const int64 *members = report->members;

	if (i == report->steps)
		return false;
	report->next++;
	memset(nulls + 2, true, 6);
	values[0] = Int32GetDatum(i + 1);
	values[1] = Int64GetDatum(members[i]);
	if (i > 0 && members[report->before[i]] > 0)
	{
		values[2] = Float8GetDatum((float8) members[i] / members[report->before[i]]);
		nulls[2] = false;
	}
	if (members[0] > 0)
	{
		values[3] = Float8GetDatum((float8) members[i] / members[0]);
		nulls[3] = false;
	}
	if (i > 0 && members[i] > 0)
	{
		Durations  *durations = &report->durations[i];
		int64		median = funnel_percentile(durations->duration, durations->count, 5);
		int64		p90 = funnel_percentile(durations->duration, durations->count, 9);

		report->median = funnel_interval(median);
		report->p90 = funnel_interval(p90);
		values[4] = IntervalPGetDatum(&report->median);
		values[5] = IntervalPGetDatum(&report->p90);
		values[6] = Float8GetDatum(funnel_seconds(median));
		values[7] = Float8GetDatum(funnel_seconds(p90));
		memset(nulls + 4, false, 4);
	}
	return true;
}

static const Report steps = {open_steps, next_step, 8};

/* funnel_steps(funnel_book, mode, exclusions, step_within, step_gap, optional_steps): one row for each step. */
CUSTMART_REPORT(custmart_funnel_steps, steps, 0)

/* Members by the chains whose windows have ended, and by all. */
typedef struct ConversionsReport
{
	int			steps;
	int			next;
	int			before[FUNNEL_STEPS_MAX];	/* the required step before each */
	int64		members[FUNNEL_STEPS_MAX];
	int64		open[FUNNEL_STEPS_MAX]; /* who have the step in a chain of all, and in none that has ended */
} ConversionsReport;

static void *
open_conversions(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	ConversionsReport *report;
	HistoryReader events;
	Funnel		ended;
	Funnel		all;
	TimestampTz as_of;
	int			mode;

	if (PG_ARGISNULL(0))
		return NULL;
	mode = funnel_mode_argument(fcinfo, 2);
	history_book_open(&events, PG_GETARG_DATUM(0), &funnel_book_format);
	as_of = history_book_as_of(fcinfo, 1, &events);
	if (events.settings_size == 0)
		return NULL;
	report = palloc0(sizeof(ConversionsReport));
	all = funnel_of_settings(events.settings, mode);
	funnel_rules_arguments(fcinfo, 3, &all);
	ended = funnel_of_settings(events.settings, mode);
	funnel_rules_arguments(fcinfo, 3, &ended);
	funnel_last_start(&ended, as_of);
	report->steps = funnel_steps_of(&all);
	note_steps_before(&all, report->before);
	while (history_book_next(&events))
	{
		FunnelChain of_ended;
		FunnelChain of_all;

		/* The chain of all may lack an optional step that the one that has ended has. */
		funnel_walk(&ended, events.events, events.count, &of_ended);
		funnel_walk(&all, events.events, events.count, &of_all);
		for (int i = 0; i < report->steps; i++)
		{
			bool		has_ended = i < of_ended.level && funnel_has_step(&of_ended, i);

			report->members[i] += has_ended;
			report->open[i] += !has_ended && i < of_all.level && funnel_has_step(&of_all, i);
		}
	}
	return report;
}

static bool
next_conversion(void *state, Datum *values, bool *nulls)
{
	ConversionsReport *report = state;
	int			i = report->next;
	const int64 *members = report->members;

	if (i == report->steps)
		return false;
	report->next++;
	values[0] = Int32GetDatum(i + 1);
	values[1] = Int64GetDatum(members[i]);
	values[2] = Int64GetDatum(report->open[i]);
	nulls[3] = i == 0 || members[report->before[i]] == 0;
	if (!nulls[3])
		values[3] = Float8GetDatum((float8) members[i] / members[report->before[i]]);
	nulls[4] = members[0] == 0;
	if (!nulls[4])
		values[4] = Float8GetDatum((float8) members[i] / members[0]);
	return true;
}

static const Report conversions = {open_conversions, next_conversion, 5};

/* funnel_conversions(funnel_book, as_of, mode, exclusions, step_within, step_gap, optional_steps): one row for each step. */
CUSTMART_REPORT(custmart_funnel_conversions, conversions, 0)

typedef struct MembersReport
{
	HistoryReader events;
	Funnel		funnel;
} MembersReport;

/* The variant is the argument with the book. */
static void *
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	MembersReport *report;
	int			mode;

	if (PG_ARGISNULL(book))
		return NULL;
	mode = funnel_mode_argument(fcinfo, book + 1);
	report = palloc(sizeof(MembersReport));
	history_book_open(&report->events, PG_GETARG_DATUM(book), &funnel_book_format);
	book_check_key_type(&report->events.reader, &funnel_book_format.book,
						TupleDescAttr(columns, 0)->atttypid, "members", "funnel_members", "book");
	if (report->events.reader.count == 0)
		return NULL;
	report->funnel = funnel_of_settings(report->events.settings, mode);
	funnel_rules_arguments(fcinfo, book + 2, &report->funnel);
	return report;
}

static bool
next_member(void *state, Datum *values, bool *nulls)
{
	MembersReport *report = state;
	HistoryReader *events = &report->events;
	FunnelChain chain;

	if (!history_book_next(events))
		return false;
	funnel_walk(&report->funnel, events->events, events->count, &chain);
	values[0] = book_key_datum(events->reader.key_type, &events->key);
	values[1] = Int32GetDatum(chain.level);
	values[2] = funnel_times(&chain);
	return true;
}

static const Report members_report = {open_members, next_member, 3};

/* funnel_members(funnel_book, mode, exclusions, step_within, step_gap, optional_steps): one row per member, members bigint. */
CUSTMART_REPORT(custmart_funnel_members, members_report, 0)

/* funnel_members(anyelement, funnel_book, mode, ...): members of the given type. */
CUSTMART_REPORT(custmart_funnel_members_typed, members_report, 1)
