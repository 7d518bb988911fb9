/*
 * interaction_book.c
 *	  The type interaction_book: every member's interactions, and the reports of
 *	  stages made of them.
 *
 * A book keeps the time and kind of each interaction, so that reports can be made
 * as of any moment and with any settings.
 */
#include "interaction/interaction.h"

#include "shared/arguments.h"
#include "history/history_book.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "utils/builtins.h"

#define INTERACTION_BOOK_VERSION 1

static const char *interaction_book_check(const uint8 *bytes, Size length);
static const char *check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits);

static const EventLayout layouts[] = {EVENTS_MOMENTS};

static const HistoryBookFormat interaction_book_format = {
	HISTORY_BOOK_FORMAT("interaction_book", interaction_book_check, STORED_INTERACTION_BOOK, INTERACTION_BOOK_VERSION,
			   NULL,
			   "Make one book per slice of the members, for example WHERE hashint8(member) & 3 = 0 for the first of four (hashtext for text, uuid_hash for uuid), or leave out interactions that are too old to count."),
	.layouts = layouts,
	.forms = lengthof(layouts),
	.check_settings = check_settings
};

static const BookKind interaction_book_kind = HISTORY_BOOK_KIND(&interaction_book_format);

/* A book has no settings of its own. */
static const char *
check_settings(uint8 form, const uint8 *settings, Size size, EventLimits *limits)
{
	if (size != 0)
		return "it has settings";
	limits->tag_max = INTERACTION_KINDS - 1;
	return NULL;
}

static const char *
interaction_book_check(const uint8 *bytes, Size length)
{
	return history_book_check(&interaction_book_format, bytes, length);
}

/* ---------- building ---------- */

/* Adds one row to the state: argument 1 is the member, then come kind and time. */
static inline Datum
interaction_book_step(FunctionCallInfo fcinfo, KeyType member_type)
{
	Book	   *book = book_of_state(fcinfo, &interaction_book_kind, member_type, 0);
	InteractionKind kind;
	TimestampTz time;
	Key		   *key;
	Event	   *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return book_skip_row(book);
	kind = interaction_kind_argument(fcinfo, 2);
	time = time_check(PG_GETARG_TIMESTAMPTZ(3), "occurred_at");
	row = book_next_row(book, &key);
	book_set_key(book, key, member_type, PG_GETARG_DATUM(1));
	history_book_note_time(book, time);
	row->value = time;
	row->tag = kind;
	return book_push(book);
}

/* interaction_book_step_<member>(interaction_book, member, kind, occurred_at) */
#define INTERACTION_BOOK_STEP(name, member_type) \
CUSTMART_FUNCTION(custmart_interaction_book_step_##name); \
Datum \
custmart_interaction_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return interaction_book_step(fcinfo, member_type); \
}

INTERACTION_BOOK_STEP(bigint, KEY_INT64)
INTERACTION_BOOK_STEP(uuid, KEY_FIXED16)
INTERACTION_BOOK_STEP(text, KEY_BYTES)

/* ---------- reports ---------- */

/* The settings of a report, of which none may be NULL. */
static InteractionSettings
get_settings(FunctionCallInfo fcinfo, int first)
{
	argument_check_not_null(fcinfo, first, "span");
	argument_check_not_null(fcinfo, first + 1, "min_own");
	argument_check_not_null(fcinfo, first + 2, "min_own_share");
	return interaction_settings_arguments(fcinfo, first);
}

/* An argument that is a point in time; NULL is the latest interaction. */
static TimestampTz
get_as_of(FunctionCallInfo fcinfo, int argument, const char *name, const HistoryReader *events)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argument))
		return events->last;
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(argument), name);
	if (events->reader.count > 0)
		interaction_check_as_of(as_of, events->last, name);
	return as_of;
}

/* Names of the stages as text, made once for many rows. */
static void
make_stage_texts(Datum *texts)
{
	for (int i = 0; i < INTERACTION_STAGES; i++)
		texts[i] = CStringGetTextDatum(interaction_stage_names[i]);
}

/* ---------- stages ---------- */

typedef struct StagesReport
{
	InteractionCounts sums[INTERACTION_STAGES];
	int64		members[INTERACTION_STAGES];
	int64		all_members;
	Datum		stage_texts[INTERACTION_STAGES];
	int			next;
} StagesReport;

static void *
open_stages(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	StagesReport *report;
	HistoryReader events;
	InteractionSettings settings;
	TimestampTz as_of;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(StagesReport));
	settings = get_settings(fcinfo, book + 2);
	history_book_open(&events, PG_GETARG_DATUM(book), &interaction_book_format);
	as_of = get_as_of(fcinfo, book + 1, "as_of", &events);
	while (history_book_next(&events))
	{
		InteractionCounts counts;
		InteractionStage stage;

		(void) interaction_count(events.events, events.count, as_of, settings.span, &counts);
		stage = interaction_stage_of(&counts, &settings);
		report->members[stage]++;
		for (int kind = 0; kind < INTERACTION_KINDS; kind++)
			report->sums[stage].of[kind] += counts.of[kind];
	}
	report->all_members = events.reader.count;
	make_stage_texts(report->stage_texts);
	return report;
}

static bool
next_stage(void *state, Datum *values, bool *nulls)
{
	StagesReport *report = state;
	int			stage = report->next++;

	if (stage == INTERACTION_STAGES)
		return false;
	values[0] = report->stage_texts[stage];
	values[1] = Int64GetDatum(report->members[stage]);
	nulls[2] = report->all_members == 0;
	if (!nulls[2])
		values[2] = Float8GetDatum((float8) report->members[stage] / (float8) report->all_members);
	for (int kind = 0; kind < INTERACTION_KINDS; kind++)
		values[3 + kind] = Int64GetDatum(report->sums[stage].of[kind]);
	return true;
}

static const Report stages = {open_stages, next_stage, 6};

/* interaction_stages(book, as_of, span, min_own, min_own_share): one row per stage, also if it has no members. */
CUSTMART_REPORT(custmart_interaction_stages, stages, 0)

/* ---------- members ---------- */

typedef struct MembersReport
{
	HistoryReader events;
	InteractionSettings settings;
	TimestampTz as_of;
	Datum		stage_texts[INTERACTION_STAGES];
} MembersReport;

/* The variant is the argument with the book. */
static void *
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	MembersReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc(sizeof(MembersReport));
	report->settings = get_settings(fcinfo, book + 2);
	history_book_open(&report->events, PG_GETARG_DATUM(book), &interaction_book_format);
	book_check_key_type(&report->events.reader, &interaction_book_format.book,
						TupleDescAttr(columns, 0)->atttypid, "members", "interaction_members", "book");
	report->as_of = get_as_of(fcinfo, book + 1, "as_of", &report->events);
	make_stage_texts(report->stage_texts);
	return report;
}

static bool
next_member(void *state, Datum *values, bool *nulls)
{
	MembersReport *report = state;
	HistoryReader *events = &report->events;
	InteractionCounts counts;

	if (!history_book_next(events))
		return false;
	(void) interaction_count(events->events, events->count, report->as_of, report->settings.span, &counts);
	values[0] = book_key_datum(events->reader.key_type, &events->key);
	values[1] = report->stage_texts[interaction_stage_of(&counts, &report->settings)];
	for (int kind = 0; kind < INTERACTION_KINDS; kind++)
		values[2 + kind] = Int64GetDatum(counts.of[kind]);
	return true;
}

static const Report members_report = {open_members, next_member, 5};

/* interaction_members(book, as_of, span, min_own, min_own_share): one row per member, members bigint. */
CUSTMART_REPORT(custmart_interaction_members, members_report, 0)

/* interaction_members(anyelement, book, ...): members of the given type. */
CUSTMART_REPORT(custmart_interaction_members_typed, members_report, 1)

/* ---------- transitions ---------- */

/* Members without any interaction up to from_as_of: they come from no stage. */
#define FROM_NOWHERE INTERACTION_STAGES

typedef struct TransitionsReport
{
	int64		members[INTERACTION_STAGES + 1][INTERACTION_STAGES];	/* from, to */
	int64		from_members[INTERACTION_STAGES + 1];
	Datum		stage_texts[INTERACTION_STAGES];
	int			next;
} TransitionsReport;

static void *
open_transitions(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	TransitionsReport *report;
	HistoryReader events;
	InteractionSettings settings;
	TimestampTz from_as_of;
	TimestampTz to_as_of;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(TransitionsReport));
	argument_check_not_null(fcinfo, book + 1, "from_as_of");
	from_as_of = time_check(PG_GETARG_TIMESTAMPTZ(book + 1), "from_as_of");
	settings = get_settings(fcinfo, book + 3);
	history_book_open(&events, PG_GETARG_DATUM(book), &interaction_book_format);
	to_as_of = get_as_of(fcinfo, book + 2, "to_as_of", &events);
	if (from_as_of >= to_as_of && !(PG_ARGISNULL(book + 2) && events.reader.count == 0))
	{
		char		text[2][TIME_TEXT_SIZE];

		time_to_text(from_as_of, text[0]);
		time_to_text(to_as_of, text[1]);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("from_as_of \"%s\" is not before to_as_of \"%s\"", text[0], text[1]),
				 errhint("Give the earlier moment first; to_as_of defaults to the latest interaction.")));
	}
	while (history_book_next(&events))
	{
		InteractionCounts counts;
		int			from = FROM_NOWHERE;

		if (interaction_count(events.events, events.count, from_as_of, settings.span, &counts))
			from = interaction_stage_of(&counts, &settings);
		(void) interaction_count(events.events, events.count, to_as_of, settings.span, &counts);
		report->members[from][interaction_stage_of(&counts, &settings)]++;
		report->from_members[from]++;
	}
	make_stage_texts(report->stage_texts);
	return report;
}

static bool
next_transition(void *state, Datum *values, bool *nulls)
{
	TransitionsReport *report = state;
	int			from = report->next / INTERACTION_STAGES;
	int			to = report->next++ % INTERACTION_STAGES;

	if (from > FROM_NOWHERE)
		return false;
	nulls[0] = from == FROM_NOWHERE;
	if (!nulls[0])
		values[0] = report->stage_texts[from];
	values[1] = report->stage_texts[to];
	values[2] = Int64GetDatum(report->members[from][to]);
	nulls[3] = report->from_members[from] == 0;
	if (!nulls[3])
		values[3] = Float8GetDatum((float8) report->members[from][to] / (float8) report->from_members[from]);
	return true;
}

static const Report transitions = {open_transitions, next_transition, 4};

/*
 * interaction_transitions(book, from_as_of, to_as_of, span, min_own, min_own_share):
 * how many members were in which stage then and now; all pairs, the new members last.
 */
CUSTMART_REPORT(custmart_interaction_transitions, transitions, 0)

/* ---------- text, binary, counts ---------- */

BOOK_FUNCTIONS(interaction_book, &interaction_book_kind)
BOOK_FORGET(interaction_book, &interaction_book_format.book, "members")
BOOK_MEMBER_COUNT(interaction_book, &interaction_book_kind)
