/*
 * history.h
 *	  A value that summarises one member by what they did: times, periods, money.
 *
 * A history is an expanded object while it is built and a varlena of bytes
 * (history_format.h) when it is at rest.  Growing, sorting, merging, flattening,
 * limits and errors are the same for all of them; a HistoryKind says the rest.
 */
#ifndef CUSTMART_HISTORY_H
#define CUSTMART_HISTORY_H

#include "custmart.h"

#include "history/history_format.h"
#include "shared/aggregate.h"
#include "shared/stored_value.h"
#include "utils/expandeddatum.h"

typedef struct HistoryKind
{
	StoredType	type;			/* name and checker, which is history_check with the format */
	HistoryFormat format;
	const char *settings_hint;	/* what to do about parts with different settings */
	const char *size_hint;		/* and about one that is too large */
	const char *name_noun;		/* what the names of named events are, in errors */
} HistoryKind;

#define HISTORY_NEAR_SETTINGS 20	/* bytes: most names of time zones */
#define HISTORY_FIRST_EVENTS 8

/*
 * With GROUP BY there is one for each group, and every row meets another: what it
 * touches lies together, down to the settings and the first events.
 */
typedef struct History
{
	ExpandedObjectHeader hdr;
	const HistoryKind *kind;
	Event	   *events;
	uint32		count;			/* no more fit into a value */
	uint32		capacity;
	bool		is_arranged;	/* sorted, without duplicates */
	bool		is_broken;		/* a merge is under way, or failed */

	/* What all rows must share, as it is stored. */
	uint16		settings_size;	/* 0: not known yet, or none */
	uint8		near_settings[HISTORY_NEAR_SETTINGS];
	uint8	   *settings;		/* these, or longer ones */
	DecimalPool pool;			/* of wide amounts, in the history's context */
	Event		first_events[HISTORY_FIRST_EVENTS];
} History;

/* The allocator rounds up to a power of two. */
StaticAssertDecl(sizeof(History) <= 256, "a history takes a chunk of 256 bytes");

extern const ExpandedObjectMethods history_methods;
extern History *history_make(const HistoryKind *kind, MemoryContext parent);
extern History *history_of_other_state(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern bool history_set_other(History *history, const void *settings, Size size);
extern uint32 history_add_name(History *history, const void *name, Size length);
extern void history_reserve(History *history, Size n);
extern const History *history_open(Datum value, const HistoryKind *kind);
extern Datum history_combine(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_add(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_in(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_out(FunctionCallInfo fcinfo, const HistoryKind *kind);
extern Datum history_recv(FunctionCallInfo fcinfo, const HistoryKind *kind);

/*
 * The state of an aggregate, argument 0 of its transition function: the history
 * being built, at every row but the first, or a new one.
 */
static inline History *
history_of_state(FunctionCallInfo fcinfo, const HistoryKind *kind)
{
	History	   *history = (History *) aggregate_expanded_state(fcinfo, &history_methods);

	if (likely(history != NULL && history->kind == kind && !history->is_broken))
		return history;
	return history_of_other_state(fcinfo, kind);
}

/* Notes the settings of a row; false if earlier rows had others. */
static inline bool
history_set(History *history, const void *settings, Size size)
{
	if (likely(history->settings_size == size && memcmp(history->settings, settings, size) == 0))
		return true;
	return history_set_other(history, settings, size);
}

/* The number of a name, which may be a new one; history_reserve may change it. */
static inline uint32
history_name(History *history, const void *name, Size length)
{
	int			number = names_find(history->settings, history->settings_size, name, length);

	return likely(number >= 0) ? (uint32) number : history_add_name(history, name, length);
}

/*
 * Room for n more events, one after the other; they count from now on, so fill
 * them in before anything else can fail.
 */
static inline Event *
history_append_events(History *history, Size n)
{
	Event	   *events;

	if (unlikely(n > history->capacity - history->count))
		history_reserve(history, n);
	events = history->events + history->count;
	history->count += (uint32) n;
	history->is_arranged = false;
	return events;
}

static inline Event *
history_append(History *history)
{
	return history_append_events(history, 1);
}

/*
 * The functions of a type that is a history: its checker, declared before the
 * kind, and in, out, recv, combine and add (+).
 */
#define HISTORY_FUNCTIONS(type, kind) \
static const char *type##_check(const uint8 *bytes, Size length) \
{ return history_check(&(kind)->format, bytes, length); } \
CUSTMART_FUNCTION(custmart_##type##_in); \
Datum custmart_##type##_in(PG_FUNCTION_ARGS) { return history_in(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_out); \
Datum custmart_##type##_out(PG_FUNCTION_ARGS) { return history_out(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_recv); \
Datum custmart_##type##_recv(PG_FUNCTION_ARGS) { return history_recv(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_combine); \
Datum custmart_##type##_combine(PG_FUNCTION_ARGS) { return history_combine(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_add); \
Datum custmart_##type##_add(PG_FUNCTION_ARGS) { return history_add(fcinfo, kind); }

#endif							/* CUSTMART_HISTORY_H */
