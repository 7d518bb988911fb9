/*
 * funnel_book.c
 *	  The type funnel_book: the funnel of every member, in one scan, and its
 *	  reports.
 */
#include "custmart.h"

#include "catalog/pg_type.h"
#include "history/history_book.h"
#include "funcapi.h"
#include "funnel/funnel_arguments.h"
#include "shared/growing_array.h"
#include "utils/timestamp.h"

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
	.settings_hint = FUNNEL_SETTINGS_HINT
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

/* Adds one row to the state: argument 1 is the member, then come within, occurred_at and steps. */
static inline Datum
funnel_book_step(FunctionCallInfo fcinfo, KeyType key_type)
{
	Book	   *book = book_of_state(fcinfo, &funnel_book_kind, key_type, 0);
	FunnelRow	row;
	Key		   *key;
	Event	   *event;

	if (PG_ARGISNULL(1) || !funnel_row_arguments(fcinfo, 2, &row))
		return book_skip_row(book);
	if (unlikely(!history_book_set_settings(book, row.settings, FUNNEL_SETTINGS_SIZE)))
		funnel_settings_error();
	event = book_next_row(book, &key);
	event->value = row.time;
	event->tag = row.steps;
	book_set_key(book, key, key_type, PG_GETARG_DATUM(1));
	history_book_note_time(book, row.time);
	return book_push(book);
}

/* funnel_book_step_<member>(funnel_book, member, within, occurred_at, steps) */
#define FUNNEL_BOOK_STEP(name, key_type) \
CUSTMART_FUNCTION(custmart_funnel_book_step_##name); \
Datum \
custmart_funnel_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return funnel_book_step(fcinfo, key_type); \
}

FUNNEL_BOOK_STEP(bigint, KEY_INT64)
FUNNEL_BOOK_STEP(uuid, KEY_FIXED16)
FUNNEL_BOOK_STEP(text, KEY_BYTES)

BOOK_FUNCTIONS(funnel_book, &funnel_book_kind)
BOOK_MEMBER_COUNT(funnel_book, &funnel_book_kind)

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

/* funnel_steps(funnel_book, mode): one row for each step. */
CUSTMART_FUNCTION(custmart_funnel_steps);
Datum
custmart_funnel_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HistoryReader events;
	Funnel		funnel;
	int64		members[FUNNEL_STEPS_MAX] = {0};
	Durations	durations[FUNNEL_STEPS_MAX] = {{0}};
	int			mode;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	mode = funnel_mode_argument(fcinfo, 1);
	history_book_open(&events, PG_GETARG_DATUM(0), &funnel_book_format);
	if (events.reader.count == 0)
		return (Datum) 0;
	funnel = funnel_of_settings(events.settings, mode);
	while (history_book_next(&events))
	{
		FunnelChain chain;

		funnel_walk(&funnel, events.events, events.count, &chain);
		for (int i = 0; i < chain.level; i++)
		{
			members[i]++;
			if (i > 0)
				add_duration(&durations[i], chain.time[i] - chain.time[i - 1]);
		}
	}

	for (int i = 0; i < funnel.steps; i++)
	{
		Datum		values[6];
		bool		nulls[6] = {false, false, true, true, true, true};
		Interval	median;
		Interval	p90;

		values[0] = Int32GetDatum(i + 1);
		values[1] = Int64GetDatum(members[i]);
		if (i > 0 && members[i - 1] > 0)
		{
			values[2] = Float8GetDatum((float8) members[i] / members[i - 1]);
			nulls[2] = false;
		}
		if (members[0] > 0)
		{
			values[3] = Float8GetDatum((float8) members[i] / members[0]);
			nulls[3] = false;
		}
		if (i > 0 && members[i] > 0)
		{
			median = funnel_interval(funnel_percentile(durations[i].duration, durations[i].count, 5));
			p90 = funnel_interval(funnel_percentile(durations[i].duration, durations[i].count, 9));
			values[4] = IntervalPGetDatum(&median);
			values[5] = IntervalPGetDatum(&p90);
			nulls[4] = nulls[5] = false;
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Datum
funnel_members(FunctionCallInfo fcinfo, int book_argument)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HistoryReader events;
	Funnel		funnel;
	int			mode;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(book_argument))
		return (Datum) 0;
	mode = funnel_mode_argument(fcinfo, book_argument + 1);
	history_book_open(&events, PG_GETARG_DATUM(book_argument), &funnel_book_format);
	book_check_key_type(&events.reader, &funnel_book_format.book,
						TupleDescAttr(result->setDesc, 0)->atttypid, "members", "funnel_members", "book");
	if (events.reader.count == 0)
		return (Datum) 0;
	funnel = funnel_of_settings(events.settings, mode);
	while (history_book_next(&events))
	{
		FunnelChain chain;
		Datum		values[3];
		bool		nulls[3] = {0};

		funnel_walk(&funnel, events.events, events.count, &chain);
		values[0] = book_key_datum(events.reader.key_type, &events.key);
		values[1] = Int32GetDatum(chain.level);
		values[2] = funnel_times(&chain);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[2]));
		if (events.reader.key_type == KEY_BYTES)
			pfree(DatumGetPointer(values[0]));
	}
	return (Datum) 0;
}

/* funnel_members(funnel_book, mode): one row per member, members bigint. */
CUSTMART_FUNCTION(custmart_funnel_members);
Datum
custmart_funnel_members(PG_FUNCTION_ARGS)
{
	return funnel_members(fcinfo, 0);
}

/* funnel_members(anyelement, funnel_book, mode): members of the given type. */
CUSTMART_FUNCTION(custmart_funnel_members_typed);
Datum
custmart_funnel_members_typed(PG_FUNCTION_ARGS)
{
	return funnel_members(fcinfo, 1);
}
