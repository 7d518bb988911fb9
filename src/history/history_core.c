/*
 * history_core.c
 *	  Sorting, storing and reading the events of one member.
 */
#include "history/history_core.h"

#include "history/history_amount.h"
#include "shared/large_memory.h"
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
			case EVENTS_PAYMENTS: \
				return function(__VA_ARGS__, EVENTS_PAYMENTS); \
			case EVENTS_ENTRIES: \
				return function(__VA_ARGS__, EVENTS_ENTRIES); \
			case EVENTS_NAMED: \
				return function(__VA_ARGS__, EVENTS_NAMED); \
			case EVENTS_NAMED_SECONDS: \
				return function(__VA_ARGS__, EVENTS_NAMED_SECONDS); \
		} \
		pg_unreachable(); \
	} while (0)

#define SECOND INT64CONST(1000000)	/* in microseconds */

static inline bool
is_named(EventLayout layout)
{
	return layout == EVENTS_NAMED || layout == EVENTS_NAMED_SECONDS;
}

/* True if an event is a time and a tag. */
static inline bool
has_tag(EventLayout layout)
{
	return layout == EVENTS_MOMENTS || is_named(layout);
}

static inline bool
is_payment(EventLayout layout)
{
	return layout == EVENTS_PAYMENTS || layout == EVENTS_ENTRIES;
}

static inline bool
has_money(EventLayout layout)
{
	return layout == EVENTS_AMOUNTS || is_payment(layout);
}

/* Where an event of a layout with money has it. */
static inline int64 *
money_of(Event *event, EventLayout layout)
{
	return is_payment(layout) ? &event->amount : &event->value;
}

/* ---------- sorting ---------- */

static inline int
compare_moments(const Event *a, const Event *b)
{
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static inline int
compare_times(const Event *a, const Event *b)
{
	return (a->value > b->value) - (a->value < b->value);
}

static inline int
compare_periods(const Event *a, const Event *b)
{
	return (a->tag > b->tag) - (a->tag < b->tag);
}

static inline int
compare_events(const Event *a, const Event *b, EventLayout layout)
{
	return has_tag(layout) ? compare_moments(a, b) :
		events_have_time(layout) ? compare_times(a, b) : compare_periods(a, b);
}

#ifndef CUSTMART_STANDALONE
#define ST_SORT sort_moments
#define ST_ELEMENT_TYPE Event
#define ST_COMPARE(a, b) compare_moments(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_times
#define ST_ELEMENT_TYPE Event
#define ST_COMPARE(a, b) compare_times(a, b)
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
compare_void_times(const void *a, const void *b)
{
	return compare_times(a, b);
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
sort_times(Event *events, size_t n)
{
	qsort(events, n, sizeof(Event), compare_void_times);
}

static void
sort_periods(Event *events, size_t n)
{
	qsort(events, n, sizeof(Event), compare_void_periods);
}
#endif

/*
 * Merges the m events behind n ones with them; both runs are sorted.  There is
 * room for m events in `spare`.
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

/* True if two events of a layout that keeps each once are the same. */
static inline bool
is_duplicate(const Event *a, const Event *b, EventLayout layout)
{
	return has_tag(layout) ? a->value == b->value && a->tag == b->tag :
		events_have_time(layout) ? a->value == b->value : event_period(a) == event_period(b);
}

static pg_attribute_always_inline bool
arrange_events(Event *events, Size *n, DecimalPool *pool, EventLayout layout)
{
	Size		kept = 0;

	if (*n > 1 && has_tag(layout))
		sort_moments(events, *n);
	else if (*n > 1 && events_have_time(layout))
		sort_times(events, *n);
	else if (*n > 1)
		sort_periods(events, *n);
	if (layout == EVENTS_MOMENTS)
		return true;

	for (Size i = 0; i < *n; i++)
	{
		Event	   *last = kept == 0 ? NULL : &events[kept - 1];

		check_interrupts(i);
		if (last == NULL || !is_duplicate(last, &events[i], layout))
		{
			events[kept++] = events[i];
			continue;
		}
		if (layout == EVENTS_AMOUNTS)
			last->tag |= events[i].tag;
		if (has_money(layout) &&
			!decimal_add_packed(money_of(last, layout), pool, *money_of(&events[i], layout), pool))
			return false;
	}
	*n = kept;
	if (has_money(layout) && pool->count > 0)
		for (Size i = 0; i < kept; i++)
		{
			int64	   *money = money_of(&events[i], layout);

			check_interrupts(i);
			if (unlikely(decimal_is_pooled(*money)))
				*money = decimal_repack(*money, pool);
		}
	return true;
}

static bool
is_paid_out(const Event *event, const DecimalPool *pool)
{
	return decimal_is_pooled(event->amount) ? decimal_sign(&pool->item[event->amount >> 8]) < 0 : event->amount < 0;
}

/* Arranges what was paid in and what was paid out as payments of their own, then merges the two. */
static bool
arrange_entries(Event *events, Size *n, DecimalPool *pool)
{
	Size		paid_in = 0;
	Size		paid_out;
	Event	   *spare;

	for (Size i = 0; i < *n; i++)
	{
		Event		event = events[i];

		check_interrupts(i);
		if (!is_paid_out(&event, pool))
		{
			events[i] = events[paid_in];
			events[paid_in++] = event;
		}
	}
	paid_out = *n - paid_in;
	if (paid_out == 0 || paid_in == 0)
		return arrange_events(events, n, pool, EVENTS_PAYMENTS);

	if (!arrange_events(events + paid_in, &paid_out, pool, EVENTS_PAYMENTS))
		return false;
	*n = paid_in;
	if (!arrange_events(events, n, pool, EVENTS_PAYMENTS))
		return false;
	memmove(events + *n, events + paid_in, paid_out * sizeof(Event));
	spare = large_alloc(pool->context, paid_out * sizeof(Event));
	events_join(events, *n, paid_out, EVENTS_PAYMENTS, spare);
	pfree(spare);
	*n += paid_out;
	return true;
}

/*
 * Sorts the events of one member and merges duplicates where the layout keeps
 * each event once; *n becomes the number of events.  False: a sum of amounts is
 * out of range.
 */
bool
events_arrange(Event *events, Size *n, EventLayout layout, DecimalPool *pool)
{
	if (layout == EVENTS_ENTRIES)
		return arrange_entries(events, n, pool);
	BY_LAYOUT(arrange_events, layout, events, n, pool);
}

/* Leaves in the pool only what the events still use. */
void
events_tidy_pool(Event *events, Size n, EventLayout layout, DecimalPool *pool)
{
	DecimalPool tidy = {.context = pool->context};

	if (likely(pool->count == 0))
		return;
	for (Size i = 0; i < n; i++)
	{
		int64	   *money = money_of(&events[i], layout);

		check_interrupts(i);
		if (decimal_is_pooled(*money))
			*money = decimal_pool_put(&tidy, &pool->item[*money >> 8]);
	}
	pfree(pool->item);
	*pool = tidy;
}

/* ---------- stored ---------- */

/* Where in time an event lies. */
static inline int64
place_of(const Event *event, EventLayout layout)
{
	return layout == EVENTS_NAMED_SECONDS ? event->value / SECOND :
		events_have_time(layout) ? event->value : event_period(event);
}

static pg_attribute_always_inline Size
size_events(const Event *events, Size n, EventLayout layout)
{
	Size		size = 0;
	int64		last = 0;

	for (Size i = 0; i < n; i++)
	{
		int64		place = place_of(&events[i], layout);

		check_interrupts(i);
		size += varint_size(i == 0 ? zigzag(place) : (uint64) place - (uint64) last);
		last = place;
		if (has_tag(layout))
			size += varint_size(events[i].tag);
		else if (layout == EVENTS_AMOUNTS)
			size += amount_size(events[i].value);
		else if (is_payment(layout))
			size += amount_size(events[i].amount);
	}
	return size;
}

/* Bytes that events_store will write for arranged events. */
Size
events_size(const Event *events, Size n, EventLayout layout)
{
	BY_LAYOUT(size_events, layout, events, n);
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
		if (has_tag(layout))
			bytes = store_varint(bytes, events[i].tag);
		else if (layout == EVENTS_AMOUNTS)
			bytes = amount_store(events[i].value, event_is_active(&events[i]), pool, bytes);
		else if (is_payment(layout))
			bytes = amount_store(events[i].amount, false, pool, bytes);
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
	/* For a few events, too much room is cheaper than counting it first. */
	Size		room = n < 1000 ? n * EVENT_STORED_MAX : events_size(events, n, layout);
	uint8	   *bytes = store_varint(buffer_reserve(buffer, VARINT_MAX + room), n);

	buffer_advance(buffer, events_store(events, n, layout, pool, bytes));
}

/* Checks one amount from outside: where there was no activity, a period has refunds only. */
static pg_attribute_always_inline const char *
check_amount(const uint8 **bytes, const uint8 *end, EventLayout layout, int *sign)
{
	bool		flag;
	const char *wrong = amount_check(bytes, end, &flag, sign);

	if (wrong != NULL)
		return wrong;
	if (is_payment(layout))
		return flag ? "its reserved bits are not zero" : NULL;
	return !flag && *sign >= 0 ? "a period without activity has no refunds" : NULL;
}

static inline bool
is_in_range(int64 place, EventLayout layout, CalendarUnit unit)
{
	return layout == EVENTS_NAMED_SECONDS ? place >= TIME_MIN / SECOND && place < TIME_END / SECOND :
		events_have_time(layout) ? time_is_in_range(place) : calendar_is_period(unit, place);
}

static pg_attribute_always_inline const char *
check_events(const uint8 **bytes, const uint8 *end, Size n,
			 EventLimits *limits, int64 *last, EventLayout layout)
{
	int64		place = 0;
	uint64		last_tag = 0;
	int			last_sign = 0;

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
			if (!is_in_range(place, layout, limits->unit))
				return "a time is out of range";
		}
		else if (distance > (uint64) PG_INT64_MAX - (uint64) place)
			return "a time is out of range";
		else
			place = (int64) ((uint64) place + distance);
		if (has_tag(layout))
		{
			if (!check_varint(bytes, end, &tag) || tag > limits->tag_max)
				return "a tag is not valid";
			if (i > 0 && distance == 0 && tag < last_tag)
				return "its events do not ascend";
			if (is_named(layout))
			{
				Event		event = {.tag = (uint32) tag};

				if (event_kind(&event) >= limits->kinds)
					return "a tag is not valid";
				if (i > 0 && distance == 0 && tag == last_tag)
					return "an event appears twice";
				limits->names_seen |= UINT32_C(1) << event_name(&event);
				limits->has_fractions |= layout == EVENTS_NAMED && place % SECOND != 0;
			}
			last_tag = tag;
		}
		else
		{
			if (i > 0 && distance == 0 && (layout != EVENTS_ENTRIES || last_sign < 0))
				return "an event appears twice";
			if (has_money(layout))
			{
				int			sign;
				const char *wrong = check_amount(bytes, end, layout, &sign);

				if (wrong != NULL)
					return wrong;
				if (layout == EVENTS_ENTRIES && i > 0 && distance == 0 && sign >= 0)
					return "an event appears twice";
				last_sign = sign;
			}
		}
	}
	if (n == 0)
		return NULL;

	/* They ascend, so if the first and the last are in range all are. */
	if (!is_in_range(place, layout, limits->unit))
		return "a time is out of range";
	*last = layout == EVENTS_NAMED_SECONDS ? place * SECOND : place;
	return NULL;
}

/*
 * Checks the start of a member, a time or period like those of the events, and moves
 * *bytes behind it; returns what is wrong, or NULL.
 */
const char *
events_check_start(const uint8 **bytes, const uint8 *end, EventLayout layout,
				   const EventLimits *limits, int64 *start)
{
	uint64		number;

	if (!check_varint(bytes, end, &number))
		return "a start is not valid";
	*start = unzigzag(number);
	return is_in_range(*start, layout, limits->unit) ? NULL : "a start is out of range";
}

/*
 * Checks n events from outside and moves *bytes behind them; returns what is
 * wrong, or NULL.  *last becomes the last time or period, and the limits note what
 * named events are.
 */
const char *
events_check(const uint8 **bytes, const uint8 *end, Size n, EventLayout layout,
			 EventLimits *limits, int64 *last)
{
	BY_LAYOUT(check_events, layout, bytes, end, n, limits, last);
}

/* Behind n checked events; the bytes go on to `end` at least. */
const uint8 *
events_end(const uint8 *bytes, const uint8 *end, Size n, EventLayout layout)
{
	if (!has_money(layout))
		return skip_varints(bytes, end, has_tag(layout) ? n * 2 : n);
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		bytes = amount_end(skip_varint(bytes));
	}
	return bytes;
}

/* Goes over n checked events; *last becomes the last time or period as it is stored.  Returns their end. */
const uint8 *
events_skip(const uint8 *bytes, Size n, EventLayout layout, int64 *last)
{
	for (Size i = 0; i < n; i++)
	{
		uint64		number;

		check_interrupts(i);
		bytes = load_varint(bytes, &number);
		*last = i == 0 ? unzigzag(number) : (int64) ((uint64) *last + number);
		if (has_tag(layout))
			bytes = load_varint(bytes, &number);
		else if (has_money(layout))
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
		int64		amount;
		bool		flag;

		check_interrupts(i);
		bytes = load_varint_before(bytes, end, &number);
		last = i == 0 ? unzigzag(number) : (int64) ((uint64) last + number);
		switch (layout)
		{
			case EVENTS_MOMENTS:
				bytes = load_varint_before(bytes, end, &number);
				events[i] = (Event) {.value = last, .tag = (uint32) number};
				break;
			case EVENTS_NAMED:
			case EVENTS_NAMED_SECONDS:
				bytes = load_varint_before(bytes, end, &number);
				events[i] = (Event) {.value = layout == EVENTS_NAMED ? last : last * SECOND, .tag = (uint32) number};
				break;
			case EVENTS_TIMES:
				events[i] = (Event) {.value = last};
				break;
			case EVENTS_PERIODS:
				events[i] = (Event) {.tag = event_period_tag((int32) last, true)};
				break;
			case EVENTS_AMOUNTS:
				bytes = amount_load(bytes, end, pool, &amount, &flag);
				events[i] = (Event) {.value = amount, .tag = event_period_tag((int32) last, flag)};
				break;
			case EVENTS_PAYMENTS:
			case EVENTS_ENTRIES:
				bytes = amount_load(bytes, end, pool, &amount, &flag);
				events[i] = (Event) {.value = last, .amount = amount};
				break;
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
