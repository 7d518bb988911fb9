/*
 * history_core.c
 *	  Ordering, storing and reading the events of one member.
 */
#include "history/history_core.h"

#include "history/history_amount.h"
#include "shared/time_range.h"

/* The most bytes that an event takes: its distance, an amount. */
#define EVENT_STORED_MAX (VARINT_MAX + AMOUNT_SIZE_MAX)

/* The function with a layout that the compiler knows. */
#define BY_LAYOUT(function, layout, ...) \
	do { \
		switch (layout) \
		{ \
			case EVENTS_MOMENTS: \
				return function(__VA_ARGS__, EVENTS_MOMENTS); \
			case EVENTS_TIMES: \
				return function(__VA_ARGS__, EVENTS_TIMES); \
			case EVENTS_PERIODS: \
				return function(__VA_ARGS__, EVENTS_PERIODS); \
			case EVENTS_AMOUNTS: \
				return function(__VA_ARGS__, EVENTS_AMOUNTS); \
		} \
		pg_unreachable(); \
	} while (0)

static inline bool
has_time(EventLayout layout)
{
	return layout == EVENTS_MOMENTS || layout == EVENTS_TIMES;
}

/* ---------- in order ---------- */

static inline int
compare_moments(const Event *a, const Event *b)
{
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static inline int
compare_periods(const Event *a, const Event *b)
{
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static inline int
compare_events(const Event *a, const Event *b, EventLayout layout)
{
	return has_time(layout) ? compare_moments(a, b) : compare_periods(a, b);
}

#ifndef CUSTMART_STANDALONE
#define ST_SORT sort_moments
#define ST_ELEMENT_TYPE Event
#define ST_COMPARE(a, b) compare_moments(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_periods
#define ST_ELEMENT_TYPE Event
#define ST_COMPARE(a, b) compare_periods(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"
#else
static int
compare_void_moments(const void *a, const void *b)
{
	return compare_moments(a, b);
}

static int
compare_void_periods(const void *a, const void *b)
{
	return compare_periods(a, b);
}

static void
sort_moments(Event *events, size_t n)
{
	qsort(events, n, sizeof(Event), compare_void_moments);
}

static void
sort_periods(Event *events, size_t n)
{
	qsort(events, n, sizeof(Event), compare_void_periods);
}
#endif

/*
 * Brings the m events behind n ones into order with them; both are in order
 * already.  There is room for m events in `spare`.
 */
void
events_join(Event *events, Size n, Size m, EventLayout layout, Event *spare)
{
	Event	   *to = events + n + m;
	Size		step = 0;

	/* Parts are often made day by day. */
	if (n == 0 || m == 0 || compare_events(&events[n - 1], &events[n], layout) <= 0)
		return;
	memcpy(spare, events + n, m * sizeof(Event));
	while (m > 0 && n > 0)
	{
		check_interrupts(step++);
		*--to = compare_events(&events[n - 1], &spare[m - 1], layout) > 0 ? events[--n] : spare[--m];
	}
	memcpy(events, spare, m * sizeof(Event));
}

/*
 * Puts the events of one member in order and, of sets, makes one of those that
 * are the same; *n becomes their number.  False: a sum of amounts is out of
 * range.
 */
bool
events_arrange(Event *events, Size *n, EventLayout layout, DecimalPool *pool)
{
	Size		kept = 0;

	if (*n > 1 && has_time(layout))
		sort_moments(events, *n);
	else if (*n > 1)
		sort_periods(events, *n);
	if (layout == EVENTS_MOMENTS)
		return true;

	for (Size i = 0; i < *n; i++)
	{
		Event	   *last = kept == 0 ? NULL : &events[kept - 1];

		check_interrupts(i);
		if (last == NULL ||
			(layout == EVENTS_TIMES ? last->value != events[i].value : event_period(last) != event_period(&events[i])))
			events[kept++] = events[i];
		else if (layout == EVENTS_AMOUNTS)
		{
			last->tag |= events[i].tag;
			if (!decimal_add_packed(&last->value, pool, events[i].value, pool))
				return false;
		}
	}
	if (layout == EVENTS_AMOUNTS)
		for (Size i = 0; i < kept; i++)
			if (unlikely(decimal_is_pooled(events[i].value)))
				events[i].value = decimal_repack(events[i].value, pool);
	*n = kept;
	return true;
}

/* ---------- stored ---------- */

/* What an event's place in time is told by. */
static inline int64
place_of(const Event *event, EventLayout layout)
{
	return has_time(layout) ? event->value : event_period(event);
}

/* Bytes that events_store will write for arranged events. */
Size
events_size(const Event *events, Size n, EventLayout layout, const DecimalPool *pool)
{
	Size		size = 0;
	int64		last = 0;

	for (Size i = 0; i < n; i++)
	{
		int64		place = place_of(&events[i], layout);

		check_interrupts(i);
		size += varint_size(i == 0 ? zigzag(place) : (uint64) place - (uint64) last);
		last = place;
		if (layout == EVENTS_MOMENTS)
			size += varint_size(events[i].tag);
		else if (layout == EVENTS_AMOUNTS)
			size += amount_size(events[i].value);
	}
	return size;
}

static pg_attribute_always_inline uint8 *
store_events(const Event *events, Size n, const DecimalPool *pool, uint8 *bytes, EventLayout layout)
{
	int64		last = 0;

	for (Size i = 0; i < n; i++)
	{
		int64		place = place_of(&events[i], layout);

		check_interrupts(i);
		bytes = store_varint(bytes, i == 0 ? zigzag(place) : (uint64) place - (uint64) last);
		last = place;
		if (layout == EVENTS_MOMENTS)
			bytes = store_varint(bytes, events[i].tag);
		else if (layout == EVENTS_AMOUNTS)
			bytes = amount_store(events[i].value, event_is_active(&events[i]), pool, bytes);
	}
	return bytes;
}

/* Writes arranged events; returns the end. */
uint8 *
events_store(const Event *events, Size n, EventLayout layout, const DecimalPool *pool, uint8 *bytes)
{
	BY_LAYOUT(store_events, layout, events, n, pool, bytes);
}

/* Writes the number of arranged events and the events. */
void
events_append(const Event *events, Size n, EventLayout layout, const DecimalPool *pool, ByteBuffer *buffer)
{
	/* Of few events more room is taken than they need, rather than to go over them twice. */
	Size		room = n < 1000 ? n * EVENT_STORED_MAX : events_size(events, n, layout, pool);
	uint8	   *bytes = store_varint(buffer_reserve(buffer, VARINT_MAX + room), n);

	buffer_advance(buffer, events_store(events, n, layout, pool, bytes));
}

/* Checks one amount from outside: where there was no activity it is a refund. */
static const char *
check_amount(const uint8 **bytes, const uint8 *end)
{
	bool		is_active;
	int			sign;
	const char *wrong = amount_check(bytes, end, &is_active, &sign);

	if (wrong == NULL && !is_active && sign >= 0)
		return "a period without activity has no refunds";
	return wrong;
}

static inline bool
is_in_range(int64 place, EventLayout layout, CalendarUnit unit)
{
	return has_time(layout) ? time_is_in_range(place) : calendar_is_period(unit, place);
}

static pg_attribute_always_inline const char *
check_events(const uint8 **bytes, const uint8 *end, Size n,
			 uint32 tag_max, CalendarUnit unit, int64 *last, EventLayout layout)
{
	int64		place = 0;
	uint64		last_tag = 0;

	for (Size i = 0; i < n; i++)
	{
		uint64		distance;
		uint64		tag = 0;

		check_interrupts(i);
		if (!check_varint(bytes, end, &distance))
			return "a time is not valid";
		if (i == 0)
		{
			place = unzigzag(distance);
			if (!is_in_range(place, layout, unit))
				return "a time is out of range";
		}
		else if (distance > (uint64) PG_INT64_MAX - (uint64) place)
			return "a time is out of range";
		else
			place = (int64) ((uint64) place + distance);
		if (layout == EVENTS_MOMENTS)
		{
			if (!check_varint(bytes, end, &tag) || tag > tag_max)
				return "a tag is not valid";
			if (i > 0 && distance == 0 && tag < last_tag)
				return "its events do not ascend";
			last_tag = tag;
		}
		else
		{
			if (i > 0 && distance == 0)
				return "an event stands twice";
			if (layout == EVENTS_AMOUNTS)
			{
				const char *wrong = check_amount(bytes, end);

				if (wrong != NULL)
					return wrong;
			}
		}
	}
	if (n == 0)
		return NULL;

	/* They ascend, so if the first and the last are in range all are. */
	*last = place;
	return is_in_range(place, layout, unit) ? NULL : "a time is out of range";
}

/*
 * Checks n events from outside and moves *bytes behind them; returns what is
 * wrong, or NULL.  *last becomes the last time or period.
 */
const char *
events_check(const uint8 **bytes, const uint8 *end, Size n, EventLayout layout,
			 uint32 tag_max, CalendarUnit unit, int64 *last)
{
	BY_LAYOUT(check_events, layout, bytes, end, n, tag_max, unit, last);
}

/* Behind n checked events; the bytes go on to `end` at least. */
const uint8 *
events_end(const uint8 *bytes, const uint8 *end, Size n, EventLayout layout)
{
	if (layout != EVENTS_AMOUNTS)
		return skip_varints(bytes, end, layout == EVENTS_MOMENTS ? n * 2 : n);
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		bytes = amount_end(skip_varint(bytes));
	}
	return bytes;
}

/* Goes over n checked events; *last becomes the last time or period.  Returns their end. */
const uint8 *
events_skip(const uint8 *bytes, Size n, EventLayout layout, int64 *last)
{
	for (Size i = 0; i < n; i++)
	{
		uint64		number;

		check_interrupts(i);
		bytes = load_varint(bytes, &number);
		*last = i == 0 ? unzigzag(number) : (int64) ((uint64) *last + number);
		if (layout == EVENTS_MOMENTS)
			bytes = load_varint(bytes, &number);
		else if (layout == EVENTS_AMOUNTS)
			bytes = amount_end(bytes);
	}
	return bytes;
}

static pg_attribute_always_inline const uint8 *
load_events(const uint8 *bytes, const uint8 *end, Size n, DecimalPool *pool, Event *events, EventLayout layout)
{
	int64		last = 0;

	for (Size i = 0; i < n; i++)
	{
		uint64		number;

		check_interrupts(i);
		bytes = load_varint_before(bytes, end, &number);
		last = i == 0 ? unzigzag(number) : (int64) ((uint64) last + number);
		events[i].owner = 0;
		events[i].tag = 0;
		events[i].value = last;
		switch (layout)
		{
			case EVENTS_MOMENTS:
				bytes = load_varint_before(bytes, end, &number);
				events[i].tag = (uint32) number;
				break;
			case EVENTS_TIMES:
				break;
			case EVENTS_PERIODS:
				events[i].tag = event_period_tag((int32) last, true);
				events[i].value = 0;
				break;
			case EVENTS_AMOUNTS:
				{
					bool		is_active;

					bytes = amount_load(bytes, end, pool, &events[i].value, &is_active);
					events[i].tag = event_period_tag((int32) last, is_active);
					break;
				}
		}
	}
	return bytes;
}

/*
 * Reads n checked events; wide amounts go to the pool.  The bytes go on to `end`
 * at least.  Returns the end of the events.
 */
const uint8 *
events_load(const uint8 *bytes, const uint8 *end, Size n, EventLayout layout, DecimalPool *pool, Event *events)
{
	BY_LAYOUT(load_events, layout, bytes, end, n, pool, events);
}
