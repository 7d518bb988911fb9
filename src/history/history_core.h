/*
 * history_core.h
 *	  The events of one member: sorted, stored in few bytes, read back.
 *
 * What an event is depends on the layout.  A moment is a time and a tag (which
 * steps of a funnel a row meets, what kind of interaction it is); equal moments
 * are all kept.  Times, payments (the net of a time) and periods (a calendar
 * period, with whether the member was active in it and perhaps its net) are kept
 * once each, and so are named events: a time and a tag that is made of the number
 * of a name (history_names.h) and a kind.  Entries of an account are payments that
 * keep what is below 0 apart: of a time the sum of what was paid in, then that of
 * what was paid out.
 *
 * Stored (docs/storage-format.md): the first time or period, then the distance
 * to each next one, in 7 bits a byte; so most events take 1 to 10 bytes.
 */
#ifndef CUSTMART_HISTORY_CORE_H
#define CUSTMART_HISTORY_CORE_H

#include "shared/byte_buffer.h"
#include "shared/calendar_core.h"
#include "money/decimal.h"

typedef enum EventLayout
{
	EVENTS_MOMENTS,				/* value: time; tag */
	EVENTS_TIMES,				/* value: time; tag 0 */
	EVENTS_PERIODS,				/* tag: period; value 0 */
	EVENTS_AMOUNTS,				/* tag: period; value: packed money */
	EVENTS_PAYMENTS,			/* value: time; amount.  Not in books: there is no room for the owner */
	EVENTS_ENTRIES,				/* the same */
	EVENTS_NAMED,				/* value: time; tag: number of the name, kind */
	EVENTS_NAMED_SECONDS		/* the same, of whole seconds, which is what is stored */
} EventLayout;

typedef struct Event
{
	int64		value;
	union
	{
		struct
		{
			uint32		tag;
			uint32		owner;	/* the member, while those of a book are still mixed */
		};
		int64		amount;		/* packed money */
	};
} Event;

/* What settings allow the events that are stored with them, and what named events turned out to be. */
typedef struct EventLimits
{
	uint32		tag_max;		/* of moments and named events */
	CalendarUnit unit;			/* of periods */
	uint32		kinds;			/* of named events */
	uint32		names_seen;		/* a bit for each name */
	bool		has_fractions;	/* a time is not a whole second */
} EventLimits;

/* Whether events have times, and not periods. */
static inline bool
events_have_time(EventLayout layout)
{
	return layout != EVENTS_PERIODS && layout != EVENTS_AMOUNTS;
}

/* A tag of named events. */
#define EVENT_KIND_BITS 3

static inline uint32
event_named_tag(uint32 name, uint32 kind)
{
	return name << EVENT_KIND_BITS | kind;
}

static inline uint32
event_name(const Event *event)
{
	return event->tag >> EVENT_KIND_BITS;
}

static inline uint32
event_kind(const Event *event)
{
	return event->tag & ((1 << EVENT_KIND_BITS) - 1);
}

/* The tag of a period. */
#define EVENT_PERIOD_BIAS (INT32_C(1) << 28)

static inline uint32
event_period_tag(int32 period, bool is_active)
{
	return (uint32) (period + EVENT_PERIOD_BIAS) << 1 | is_active;
}

static inline int32
event_period(const Event *event)
{
	return (int32) (event->tag >> 1) - EVENT_PERIOD_BIAS;
}

static inline bool
event_is_active(const Event *event)
{
	return (event->tag & 1) != 0;
}

extern bool events_arrange(Event *events, Size *n, EventLayout layout, DecimalPool *pool);
extern void events_tidy_pool(Event *events, Size n, EventLayout layout, DecimalPool *pool);
extern void events_join(Event *events, Size n, Size m, EventLayout layout, Event *spare);
extern Size events_size(const Event *events, Size n, EventLayout layout);
extern uint8 *events_store(const Event *events, Size n, EventLayout layout,
						   const DecimalPool *pool, uint8 *bytes);
extern const char *events_check_start(const uint8 **bytes, const uint8 *end, EventLayout layout,
									  const EventLimits *limits, int64 *start);
extern const char *events_check(const uint8 **bytes, const uint8 *end, Size n, EventLayout layout,
								EventLimits *limits, int64 *last);
extern const uint8 *events_end(const uint8 *bytes, const uint8 *end, Size n, EventLayout layout);
extern const uint8 *events_skip(const uint8 *bytes, Size n, EventLayout layout, int64 *last);
extern const uint8 *events_load(const uint8 *bytes, const uint8 *end, Size n, EventLayout layout,
								DecimalPool *pool, Event *events);
extern void events_append(const Event *events, Size n, EventLayout layout,
						  const DecimalPool *pool, ByteBuffer *buffer);

#endif							/* CUSTMART_HISTORY_CORE_H */
