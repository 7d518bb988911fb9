/*
 * history_book_format.c
 *	  The stored form of history books: reading, checking and merging it.
 *
 * Stored behind the keys: size of the settings (2 bytes, the first bit of which says
 * that a row which was skipped has them, too), settings, the latest time of any event
 * or start (8; 0 of periods), and for every member, in the order of the keys, their
 * start, if the form has starts, the number of their events and the events
 * (history_core.h).
 */
#include "history/history_book.h"

#include "datatype/timestamp.h"
#include "history/history_new_name.h"
#include "money/decimal_numeric.h"
#include "shared/bytes.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "shared/time_arguments.h"
#include "shared/time_range.h"

static const HistoryBookFormat *
format_of(const BookFormat *format)
{
	return (const HistoryBookFormat *) format;
}

/* ---------- checking ---------- */

/* The first of the bits of the size of the settings. */
#define SAID_BY_SKIPPED 0x80

/* Finds the settings and moves behind them; false if they are not all there. */
static bool
read_settings(HistoryReader *events, const uint8 *end)
{
	const uint8 *bytes = events->at;

	if (end - bytes < 2)
		return false;
	events->is_said_by_skipped = (bytes[0] & SAID_BY_SKIPPED) != 0;
	events->settings_size = (Size) (bytes[0] & ~SAID_BY_SKIPPED) << 8 | bytes[1];
	events->settings = bytes + 2;
	if (events->settings_size > HISTORY_SETTINGS_MAX || events->settings_size > (Size) (end - events->settings))
		return false;
	events->at = events->settings + events->settings_size;
	return true;
}

/* Splits the tail of a book whose header was read; what is wrong with it, or NULL. */
const char *
history_book_split(HistoryReader *events, const HistoryBookFormat *format)
{
	const BookReader *reader = &events->reader;
	const uint8 *end = reader->tail + reader->tail_size;

	if (reader->form >= format->forms)
		return "its form is unknown";
	events->layout = format->layouts[reader->form];
	events->has_start = history_form_has_start(format, reader->form);
	events->at = reader->tail;
	if (!read_settings(events, end) || end - events->at < 8)
		return "it is truncated";
	events->layout = names_layout(events->layout, events->settings, events->settings_size);
	events->last = (TimestampTz) load_u64(events->at);
	events->at += 8;
	events->done = 0;
	return NULL;
}

static inline const uint8 *
end_of(const HistoryReader *events)
{
	return events->reader.tail + events->reader.tail_size;
}

/* The checker of all history books: returns what is wrong with stored bytes, or NULL. */
const char *
history_book_check(const HistoryBookFormat *format, const uint8 *bytes, Size length)
{
	HistoryReader events;
	const char *wrong = book_read_header(&events.reader, &format->book, bytes, length);
	const uint8 *end = bytes + length;
	EventLimits limits = {.unit = UNIT_DAY};
	TimestampTz last = PG_INT64_MIN;

	if (wrong != NULL ||
		(wrong = history_book_split(&events, format)) != NULL ||
		(wrong = book_check_order(&events.reader)) != NULL)
		return wrong;
	if (events.is_said_by_skipped && (!format->skipped_rows_have_settings || events.reader.rows_skipped == 0 || events.settings_size == 0))
		return "no row was skipped that has its settings";
	if (events.reader.count == 0 && events.settings_size > 0 && !events.is_said_by_skipped)
		return "it has settings without members";
	if (events.reader.count == 0 && events.last != 0)
		return "it has a latest time without members";
	if ((events.reader.count > 0 || events.settings_size > 0) &&
		(wrong = format->check_settings(events.reader.form, events.settings,
										events.settings_size, &limits)) != NULL)
		return wrong;

	for (uint32 i = 0; i < events.reader.count; i++)
	{
		int64		member_last = PG_INT64_MIN;
		int64		start = PG_INT64_MIN;

		check_interrupts(i);
		if ((events.has_start && (wrong = events_check_start(&events.at, end, events.layout, &limits, &start)) != NULL) ||
			(wrong = history_check_events(&events.at, end, events.has_start ? 0 : 1, events.layout, &limits, &member_last)) != NULL)
			return wrong;
		last = Max(last, Max(member_last, start));
	}
	if (events.at != end)
		return "its length is wrong";
	if (events.reader.count == 0)
		return NULL;

	if (events.last != (events_have_time(events.layout) ? last : 0))
		return "its latest time is not that of an event";
	return names_check_used(events.layout, &limits);
}

/* ---------- reading ---------- */

/* Opens a book for reading, before its first member. */
void
history_book_open(HistoryReader *events, Datum value, const HistoryBookFormat *format)
{
	memset(events, 0, sizeof(*events));
	book_open(&events->reader, value, &format->book);
	(void) history_book_split(events, format);
	book_key_cursor(&events->keys, &events->reader);
	events->pool.context = CurrentMemoryContext;
}

/* Reads the next member; false behind the last one. */
bool
history_book_next(HistoryReader *events)
{
	uint64		n;
	uint64		start;

	if (events->done == events->reader.count)
		return false;
	check_interrupts(events->done++);
	events->key = book_next_key(&events->keys);
	if (events->has_start)
	{
		events->at = load_varint(events->at, &start);
		events->start = unzigzag(start);
	}
	events->at = load_varint(events->at, &n);
	/* One more than there are, so that a member without events has a list, too. */
	if (unlikely(n >= events->capacity))
		events->events = array_grow(events->events, &events->capacity, n + 1, sizeof(Event), events->pool.context);
	events->count = n;
	events->pool.count = 0;
	events->at = events_load(events->at, end_of(events), n, events->layout, &events->pool, events->events);
	return true;
}

/* The last time or period of all events and starts of a book just opened, which has members. */
int64
history_book_last_place(const HistoryReader *events)
{
	const uint8 *at = events->at;
	int64		last_of_all = PG_INT64_MIN;

	for (uint32 i = 0; i < events->reader.count; i++)
	{
		uint64		n;
		uint64		start;
		int64		last = PG_INT64_MIN;

		check_interrupts(i);
		if (events->has_start)
		{
			at = load_varint(at, &start);
			last_of_all = Max(last_of_all, unzigzag(start));
		}
		at = load_varint(at, &n);
		at = events_skip(at, n, events->layout, &last);
		last_of_all = Max(last_of_all, last);
	}
	return last_of_all;
}

/* The argument as_of of a report; NULL is the latest time of a row. */
TimestampTz
history_book_as_of(FunctionCallInfo fcinfo, int argument, const HistoryReader *events)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argument))
		return events->last;
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(argument), "as_of");
	if (events->reader.count > 0 && events->last > as_of)
		time_too_early_error(as_of, "as_of", events->last, "a row", false);
	return as_of;
}

/* ---------- writing and merging ---------- */

/* Writes what a tail begins with, but for the latest time; returns its place. */
Size
history_book_append_head(const uint8 *settings, Size settings_size, bool is_said_by_skipped, ByteBuffer *buffer)
{
	uint8	   *begin = buffer_reserve(buffer, HISTORY_BOOK_HEAD_SIZE + settings_size);
	uint8	   *bytes = history_store_settings(settings, settings_size, begin);

	if (is_said_by_skipped)
		begin[0] |= SAID_BY_SKIPPED;
	buffer_advance(buffer, store_u64(bytes, 0));
	return buffer->size - 8;
}

/*
 * Writes the latest time of a book with members.  Of periods it is not kept: which
 * members have the latest one is in their events, and its time is nobody's business.
 */
void
history_book_put_last(Size place, EventLayout layout, TimestampTz last, ByteBuffer *buffer)
{
	if (events_have_time(layout))
		store_u64(buffer->data + place, (uint64) last);
}

/* Writes the start of a member, which comes before their events. */
void
history_book_append_start(int64 start, ByteBuffer *buffer)
{
	buffer_advance(buffer, store_varint(buffer_reserve(buffer, VARINT_MAX), zigzag(start)));
}

/* Goes over the next member of a stored book. */
static inline void
skip_member(HistoryReader *from)
{
	uint64		n;

	if (from->has_start)
		from->at = skip_varint(from->at);
	from->at = load_varint(from->at, &n);
	from->at = events_end(from->at, end_of(from), n, from->layout);
}

/* The same; *last becomes the later one of itself and the latest of the member's times. */
static inline void
skip_member_until(HistoryReader *from, int64 *last)
{
	int64		last_event = PG_INT64_MIN;
	uint64		n;
	uint64		start;

	if (from->has_start)
	{
		from->at = load_varint(from->at, &start);
		*last = Max(*last, unzigzag(start));
	}
	from->at = load_varint(from->at, &n);
	from->at = events_skip(from->at, n, from->layout, &last_event);
	if (n > 0 && from->layout == EVENTS_NAMED_SECONDS)
		last_event *= USECS_PER_SEC;
	*last = Max(*last, last_event);
}

/* Copies the next member of a stored book. */
static inline void
append_member(HistoryReader *from, ByteBuffer *buffer)
{
	const uint8 *begin = from->at;

	skip_member(from);
	buffer_append(buffer, begin, from->at - begin);
}

/* The same, if the latest time is not known otherwise. */
static inline void
append_member_until(HistoryReader *from, ByteBuffer *buffer, int64 *last)
{
	const uint8 *begin = from->at;

	skip_member_until(from, last);
	buffer_append(buffer, begin, from->at - begin);
}

/* The events of one member, from several books. */
typedef struct JoinedEvents
{
	Event	   *events;
	Event	   *spare;
	Size		count;
	Size		capacity;		/* of both */
	bool		is_begun;		/* one of the books was read */
	int64		start;			/* if the form has starts */
	DecimalPool pool;
} JoinedEvents;

/* Reads the next member of a stored book and merges their events with those read before. */
static inline void
join_member(JoinedEvents *joined, HistoryReader *from, const NameMap *map)
{
	uint64		n;
	uint64		start;

	if (from->has_start)
	{
		from->at = load_varint(from->at, &start);
		joined->start = joined->is_begun ? Min(joined->start, unzigzag(start)) : unzigzag(start);
	}
	joined->is_begun = true;
	from->at = load_varint(from->at, &n);
	if (unlikely(n >= joined->capacity - joined->count))
	{
		Size		capacity = joined->capacity;

		joined->events = array_grow(joined->events, &capacity, joined->count + n + 1, sizeof(Event), joined->pool.context);
		joined->spare = array_grow(joined->spare, &joined->capacity, joined->count + n + 1, sizeof(Event), joined->pool.context);
	}
	from->at = events_load(from->at, end_of(from), n, from->layout, &joined->pool,
						   joined->events + joined->count);
	names_renumber(joined->events + joined->count, n, map);
	if (joined->count > 0)
		events_join(joined->events, joined->count, n, from->layout, joined->spare);
	joined->count += n;
}

void
history_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
						 const BookMergeOrder *order, ByteBuffer *buffer)
{
	MemoryContext context = CurrentMemoryContext;
	HistoryReader readers[BOOK_PARTS_MAX];
	NameMap		maps[BOOK_PARTS_MAX];
	uint8		united[NAMES_SIZE_MAX];
	Size		united_size = 0;
	const uint8 *settings = united;
	Size		settings_size = 0;
	EventLayout layout;
	TimestampTz last = PG_INT64_MIN;
	JoinedEvents joined = {.capacity = 64, .pool.context = context};
	bool		is_named = format_of(format)->layouts[parts[0].form] == EVENTS_NAMED;
	bool		has_late_starts = false;
	bool		is_said_by_skipped = false;
	Size		place_of_last;

	/* A book without members has no latest time and may have no settings. */
	for (int i = 0; i < n; i++)
	{
		readers[i].reader = parts[i];
		(void) history_book_split(&readers[i], format_of(format));
		/* A member's start may be earlier in another book: then the latest time is not that of a book. */
		has_late_starts = readers[i].has_start && events_have_time(readers[i].layout);
		if (parts[i].count > 0 && !has_late_starts)
			last = Max(last, readers[i].last);
		is_said_by_skipped |= readers[i].is_said_by_skipped;
		if (is_named)
		{
			if (!names_unite(united, &united_size, readers[i].settings, readers[i].settings_size))
				names_too_many_error(format_of(format)->name_noun, format->type.name);
		}
		else if (readers[i].settings_size > 0)
		{
			settings = readers[i].settings;
			settings_size = readers[i].settings_size;
		}
	}
	if (is_named)
		settings_size = united_size;
	for (int i = 0; i < n; i++)
		if (is_named)
			names_map(readers[i].settings, readers[i].settings_size, united, united_size, &maps[i]);
		else
			maps[i].is_identity = true;
	layout = names_layout(format_of(format)->layouts[parts[0].form], settings, settings_size);
	place_of_last = history_book_append_head(settings, settings_size, is_said_by_skipped, buffer);

	joined.events = large_alloc(context, joined.capacity * sizeof(Event));
	joined.spare = large_alloc(context, joined.capacity * sizeof(Event));
	for (Size i = 0; i < order->n; i++)
	{
		int			part = order->source[i] & BOOK_ORDER_PART;
		HistoryReader *reader = &readers[part];

		check_interrupts(i);
		__builtin_prefetch(reader->at + 192);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) == 0 && !joined.is_begun &&
			reader->layout == layout && maps[part].is_identity)
		{
			if (has_late_starts)
				append_member_until(reader, buffer, &last);
			else
				append_member(reader, buffer);
			continue;
		}
		join_member(&joined, reader, &maps[part]);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		if (!events_arrange(joined.events, &joined.count, layout, &joined.pool))
			decimal_sum_error();
		if (reader->has_start)
			history_book_append_start(joined.start, buffer);
		if (has_late_starts)
		{
			last = Max(last, joined.start);
			if (joined.count > 0)
				last = Max(last, joined.events[joined.count - 1].value);
		}
		events_append(joined.events, joined.count, layout, &joined.pool, buffer);
		joined.count = 0;
		joined.is_begun = false;
		joined.pool.count = 0;
	}
	if (order->n > 0)
		history_book_put_last(place_of_last, layout, last, buffer);
	pfree(joined.events);
	pfree(joined.spare);
	if (joined.pool.item != NULL)
		pfree(joined.pool.item);
}

/* ---------- forgetting ---------- */

/*
 * Settings of the named events of members who are left: the names that they have, in
 * the unit that their times need.  Returns their size, and what becomes of the numbers.
 */
static Size
filter_names(HistoryReader *from, BookFilter members, uint8 *settings, NameMap *map)
{
	const uint8 *begin = from->at;
	EventName	names[NAMES_MAX];
	int			n = names_list(from->settings, from->settings_size, names);
	bool		is_used[NAMES_MAX] = {false};
	bool		has_fractions = false;
	Event	   *events = NULL;
	Size		capacity = 0;
	Size		size = 0;
	uint8		number = 0;

	for (uint32 i = 0; i < from->reader.count; i++)
	{
		uint64		count;

		check_interrupts(i);
		if (!book_filter_keeps(&members, i))
		{
			skip_member(from);
			continue;
		}
		from->at = load_varint(from->at, &count);
		if (count > capacity)
			events = array_grow(events, &capacity, count, sizeof(Event), CurrentMemoryContext);
		from->at = events_load(from->at, end_of(from), count, from->layout, NULL, events);
		for (Size k = 0; k < count; k++)
		{
			is_used[event_name(&events[k])] = true;
			has_fractions |= event_has_fraction(&events[k]);
		}
	}
	from->at = begin;
	if (events != NULL)
		pfree(events);
	map->is_identity = true;
	for (int i = 0; i < n; i++)
	{
		map->is_identity &= number == i;
		map->to[i] = number;
		if (!is_used[i])
			continue;
		size = names_append(settings, size, names[i].bytes, names[i].length);
		number++;
	}
	if (size > 0)
		settings[0] = has_fractions ? NAMES_MICROSECONDS : NAMES_SECONDS;
	return size;
}

void
history_book_filter_tail(const BookFormat *format, const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer)
{
	HistoryReader from = {.reader = *reader};
	BookFilter	members = *filter;
	uint8		names[NAMES_SIZE_MAX];
	const uint8 *settings;
	Size		settings_size;
	EventLayout layout;
	NameMap		map = {.is_identity = true};
	JoinedEvents own = {.capacity = 64, .pool.context = CurrentMemoryContext};
	int64		last = PG_INT64_MIN;
	Size		place_of_last;
	bool		is_named;

	(void) history_book_split(&from, format_of(format));
	is_named = format_of(format)->layouts[reader->form] == EVENTS_NAMED;
	settings = from.settings;
	settings_size = filter->count > 0 || from.is_said_by_skipped ? from.settings_size : 0;
	if (is_named)
	{
		settings = names;
		settings_size = filter_names(&from, *filter, names, &map);
	}
	layout = names_layout(format_of(format)->layouts[reader->form], settings, settings_size);
	place_of_last = history_book_append_head(settings, settings_size, from.is_said_by_skipped, buffer);
	own.events = large_alloc(own.pool.context, own.capacity * sizeof(Event));
	own.spare = large_alloc(own.pool.context, own.capacity * sizeof(Event));
	for (uint32 i = 0; i < reader->count; i++)
	{
		check_interrupts(i);
		if (!book_filter_keeps(&members, i))
			skip_member(&from);
		else if (!events_have_time(layout))
			append_member(&from, buffer);
		else if (layout == from.layout && map.is_identity)
			append_member_until(&from, buffer, &last);
		else
		{
			join_member(&own, &from, &map);
			last = Max(last, own.events[own.count - 1].value);
			events_append(own.events, own.count, layout, &own.pool, buffer);
			own.count = 0;
		}
	}
	if (filter->count > 0)
		history_book_put_last(place_of_last, layout, last, buffer);
	pfree(own.events);
	pfree(own.spare);
}
