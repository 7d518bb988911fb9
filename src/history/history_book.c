/*
 * history_book.c
 *	  Books that keep the events of every member: logging, sorting, storing and
 *	  merging them.
 *
 * Stored behind the keys: size of the settings (2 bytes), settings, the latest
 * time of any row (8), and for every member, in the order of the keys, the
 * number of their events and the events (history_core.h).
 */
#include "history/history_book.h"

#include "money/decimal_numeric.h"
#include "shared/bytes.h"
#include "shared/growing_array.h"
#include "shared/time_arguments.h"
#include "shared/time_range.h"
#include "utils/memutils.h"

/* Rows of a piece of the log: 1 MB. */
#ifndef LOG_PIECE				/* fuzzing has shorter ones */
#define LOG_PIECE 65536
#endif

/*
 * A log of this many rows is sorted and stored before more are added, so that
 * duplicates do not pile up.
 */
#ifndef LOG_MAX
#define LOG_MAX 16777216
#endif

/* Periods of a member kept as bits, and how many of these lie before the first one noted. */
#define EVENT_BITS 64
#define BITS_BEFORE 8

#define HEAD_SIZE 10			/* size of the settings, latest time */

/* The payload of a member. */
typedef struct EventMember
{
	uint32		count;			/* rows in the log */
	uint32		base;			/* of periods: the tag of bit 0; 0: none yet */
	uint64		bits;			/* of periods from there on, beside those in the log */
} EventMember;

StaticAssertDecl(sizeof(EventMember) == HISTORY_PAYLOAD_SIZE, "the payload is a member");

typedef struct LogPiece
{
	Event	   *events;
	Size		count;
	Size		capacity;
} LogPiece;

/* The extra of a history book. */
typedef struct EventLog
{
	EventLayout layout;
	MemoryContext context;
	LogPiece   *pieces;			/* the last one is being filled */
	Size		npieces;
	Size		pieces_capacity;
	Size		count;			/* rows in all pieces */
	DecimalPool pool;			/* wide amounts */
	TimestampTz last;			/* of the rows in the log, or later */
	Size		settings_size;	/* of the parts, too */
	uint8		settings[HISTORY_SETTINGS_MAX];
} EventLog;

static const HistoryBookFormat *
format_of(const BookFormat *format)
{
	return (const HistoryBookFormat *) format;
}

static EventLog *
log_of(const Book *book)
{
	return book->extra;
}

static inline EventMember *
member_of(const Book *book, uint32 entry)
{
	return keytable_payload(&book->table, entry);
}

/* ---------- building ---------- */

void
history_book_init(Book *book)
{
	EventLog   *log = palloc0(sizeof(EventLog));

	log->layout = format_of(book->kind->format)->layouts[book->form];
	log->context = book->hdr.eoh_context;
	log->pool.context = log->context;
	log->last = PG_INT64_MIN;
	book->extra = log;
}

/* Notes the settings of a row; false if earlier rows had others. */
bool
history_book_set(Book *book, const void *settings, Size size)
{
	EventLog   *log = log_of(book);

	if (log->settings_size == 0)
	{
		Assert(size <= HISTORY_SETTINGS_MAX);
		memcpy(log->settings, settings, size);
		log->settings_size = size;
	}
	return log->settings_size == size && memcmp(log->settings, settings, size) == 0;
}

/* The settings that history_book_set noted. */
const uint8 *
history_book_settings(const Book *book, Size *size)
{
	*size = log_of(book)->settings_size;
	return log_of(book)->settings;
}

/* Notes the time of a row that is about to be pushed. */
void
history_book_note_time(Book *book, TimestampTz time)
{
	EventLog   *log = log_of(book);

	if (time > log->last)
		log->last = time;
}

/* Where wide amounts of rows about to be pushed are kept. */
DecimalPool *
history_book_pool(Book *book)
{
	return &log_of(book)->pool;
}

/* Room for n events at the end of the log, of which they are part at once. */
static Event *
log_append(EventLog *log, Size n)
{
	LogPiece   *piece = log->npieces > 0 ? &log->pieces[log->npieces - 1] : NULL;

	if (unlikely(piece == NULL || piece->capacity - piece->count < n))
	{
		if (log->npieces == log->pieces_capacity)
			log->pieces = array_grow(log->pieces, &log->pieces_capacity, log->npieces + 1,
									 sizeof(LogPiece), log->context);
		piece = log->pieces + log->npieces;

		/* Small books start small. */
		piece->capacity = Max(Min(Max(log->count, 8), LOG_PIECE), n);
		piece->count = 0;
		piece->events = MemoryContextAllocHuge(log->context, piece->capacity * sizeof(Event));
		log->npieces++;
	}
	piece->count += n;
	log->count += n;
	return piece->events + piece->count - n;
}

/* Notes one event in the log. */
static inline void
log_event(EventLog *log, EventMember *member, uint32 owner, const Event *event)
{
	Event	   *place = log_append(log, 1);

	*place = *event;
	place->owner = owner;
	member->count++;
}

/*
 * Writes the periods of a member that are bits behind `events`; returns how many
 * there are.
 */
static int
bits_to_events(const EventMember *member, uint32 owner, Event *events)
{
	int			n = 0;

	for (uint64 left = member->bits; left != 0; left &= left - 1)
	{
		Event		event = {.tag = member->base + 2 * (uint32) pg_rightmost_one_pos64(left), .owner = owner};

		events[n++] = event;
	}
	return n;
}

/*
 * Notes a period.  A member has bits for 64 of them, which is five years of
 * months, and most repetitions of a day come in a row; when a period lies
 * elsewhere, what was noted so far goes to the log.
 */
static inline void
note_period(EventLog *log, EventMember *member, uint32 owner, uint32 tag)
{
	uint32		place = (tag - member->base) / 2;

	if (unlikely(member->base == 0 || tag < member->base || place >= EVENT_BITS))
	{
		Event		events[EVENT_BITS];
		int			n = bits_to_events(member, owner, events);

		for (int i = 0; i < n; i++)
			log_event(log, member, owner, &events[i]);
		member->base = tag - 2 * BITS_BEFORE;
		member->bits = 0;
		place = BITS_BEFORE;
	}
	member->bits |= UINT64CONST(1) << place;
}

void
history_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	EventLog   *log = log_of(book);
	const Event *row = rows;

	if (log->layout == EVENTS_PERIODS)
		for (int i = 0; i < n; i++)
			note_period(log, member_of(book, entries[i]), entries[i], row[i].tag);
	else
		for (int i = 0; i < n; i++)
			log_event(log, member_of(book, entries[i]), entries[i], &row[i]);
	book->is_full = log->count >= LOG_MAX;
}

/* ---------- storing ---------- */

/* The least that members take: a number of events and an event each. */
Size
history_book_tail_size(const Book *book)
{
	return HEAD_SIZE + log_of(book)->settings_size + (Size) book->table.count * 2;
}

/*
 * Moves all rows into one array, grouped by member in the order of the keys.  The
 * log is read from front to end, but rows go to many places: what the next ones
 * need is prefetched.
 */
static Event *
gather(Book *book, EventLog *log)
{
	enum
	{
		NEAR = 12, FAR = 32
	};
	uint32		members = book->table.count;
	Event	   *gathered = MemoryContextAllocHuge(log->context, Max(log->count, 1) * sizeof(Event));
	Size	   *ends = MemoryContextAllocHuge(log->context, Max((Size) members, 1) * sizeof(Size));
	Size		sum = 0;

	for (uint32 i = 0; i < members; i++)
	{
		check_interrupts(i);
		if (i + FAR < members)
		{
			__builtin_prefetch(member_of(book, book->order[i + FAR]));
			__builtin_prefetch(&ends[book->order[i + FAR]], 1);
		}
		ends[book->order[i]] = sum;
		sum += member_of(book, book->order[i])->count;
	}
	Assert(sum == log->count);
	for (Size p = 0; p < log->npieces; p++)
	{
		LogPiece   *piece = &log->pieces[p];
		const Event *events = piece->events;

		for (Size i = 0; i < piece->count; i++)
		{
			check_interrupts(i);
			if (i + FAR < piece->count)
			{
				__builtin_prefetch(&ends[events[i + FAR].owner], 1);
				__builtin_prefetch(&gathered[ends[events[i + NEAR].owner]], 1);
			}
			gathered[ends[events[i].owner]++] = events[i];
		}
		pfree(piece->events);
	}
	log->npieces = 0;
	log->count = 0;
	pfree(ends);
	return gathered;
}

/* Writes what a tail begins with. */
static void
append_head(const uint8 *settings, Size settings_size, TimestampTz last, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, HEAD_SIZE + settings_size);

	bytes = history_store_settings(settings, settings_size, bytes);
	buffer_advance(buffer, store_u64(bytes, (uint64) last));
}

/* Writes the events of one member, which need not be sorted. */
static inline void
append_events(EventLog *log, Event *events, Size n, ByteBuffer *buffer)
{
	if (!events_arrange(events, &n, log->layout, &log->pool))
		decimal_sum_error();
	events_append(events, n, log->layout, &log->pool, buffer);
}

void
history_book_append_tail(Book *book, ByteBuffer *buffer)
{
	EventLog   *log = log_of(book);
	uint32		members = book->table.count;
	Event	   *gathered;
	Event	   *events;

	if (members == 0)
	{
		append_head((const uint8 *) "", 0, 0, buffer);
		return;
	}
	append_head(log->settings, log->settings_size, log->last, buffer);
	events = gathered = gather(book, log);
	for (uint32 i = 0; i < members; i++)
	{
		const EventMember *member = member_of(book, book->order[i]);
		Size		n = member->count;

		check_interrupts(i);
		if (i + 16 < members)
			__builtin_prefetch(member_of(book, book->order[i + 16]));
		if (unlikely(n > 0 && member->bits != 0))
		{
			Event	   *all = MemoryContextAllocHuge(log->context, (n + EVENT_BITS) * sizeof(Event));

			memcpy(all, events, n * sizeof(Event));
			n += bits_to_events(member, book->order[i], all + n);
			append_events(log, all, n, buffer);
			pfree(all);
		}
		else if (member->bits != 0)
		{
			Event		all[EVENT_BITS];

			append_events(log, all, bits_to_events(member, book->order[i], all), buffer);
		}
		else
			append_events(log, events, n, buffer);
		events += member->count;
	}
	pfree(gathered);
	if (log->pool.item != NULL)
		pfree(log->pool.item);
	log->pool = (DecimalPool) {.context = log->context};
}

/* ---------- reading ---------- */

/* Splits the tail of a book whose header was read; what is wrong with it, or NULL. */
static const char *
split(HistoryReader *events, const HistoryBookFormat *format)
{
	const BookReader *reader = &events->reader;
	const uint8 *end = reader->tail + reader->tail_size;

	if (reader->form >= format->forms)
		return "its form is unknown";
	events->layout = format->layouts[reader->form];
	events->at = reader->tail;
	if (!history_read_settings(&events->at, end, &events->settings, &events->settings_size) ||
		end - events->at < 8)
		return "it is truncated";
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
	EventLimits limits = {0, UNIT_DAY};
	TimestampTz last = PG_INT64_MIN;

	if (wrong != NULL ||
		(wrong = split(&events, format)) != NULL ||
		(wrong = book_check_order(&events.reader)) != NULL)
		return wrong;
	if (events.reader.count == 0)
	{
		if (events.settings_size > 0 || events.last != 0)
			return "it has settings without members";
	}
	else if ((wrong = format->check_settings(events.reader.form, events.settings,
										   events.settings_size, &limits)) != NULL)
		return wrong;
	else if (!time_is_in_range(events.last))
		return "its latest time is out of range";

	for (uint32 i = 0; i < events.reader.count; i++)
	{
		int64		member_last;

		check_interrupts(i);
		if ((wrong = history_check_events(&events.at, end, events.layout, &limits, &member_last)) != NULL)
			return wrong;
		last = Max(last, member_last);
	}
	if (events.at != end)
		return "its length is wrong";
	if (events.reader.count > 0 && last != events.last &&
		(events.layout == EVENTS_MOMENTS || events.layout == EVENTS_TIMES))
		return "its latest time is not that of an event";
	return NULL;
}

void
history_book_take_part(Book *book, const BookReader *part)
{
	HistoryReader events = {.reader = *part};

	(void) split(&events, format_of(book->kind->format));
	if (events.settings_size > 0 && !history_book_set(book, events.settings, events.settings_size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge two %s made with different settings", book->kind->format->type.name),
				 errhint("%s", format_of(book->kind->format)->settings_hint)));
}

/* Copies the next member of a stored book. */
static inline void
append_member(HistoryReader *from, ByteBuffer *buffer)
{
	const uint8 *begin = from->at;
	uint64		n;

	from->at = load_varint(begin, &n);
	from->at = events_end(from->at, end_of(from), n, from->layout);
	buffer_append(buffer, begin, from->at - begin);
}

/* The events of one member, from several books. */
typedef struct JoinedEvents
{
	Event	   *events;
	Event	   *spare;
	Size		count;
	Size		capacity;		/* of both */
	DecimalPool pool;
} JoinedEvents;

/* Reads the next member of a stored book and merges their events with those read before. */
static inline void
join_member(JoinedEvents *joined, HistoryReader *from)
{
	uint64		n;

	from->at = load_varint(from->at, &n);
	if (unlikely(n > joined->capacity - joined->count))
	{
		Size		capacity = joined->capacity;

		joined->events = array_grow(joined->events, &capacity, joined->count + n, sizeof(Event), joined->pool.context);
		joined->spare = array_grow(joined->spare, &joined->capacity, joined->count + n, sizeof(Event), joined->pool.context);
	}
	from->at = events_load(from->at, end_of(from), n, from->layout, &joined->pool,
						   joined->events + joined->count);
	if (joined->count > 0)
		events_join(joined->events, joined->count, n, from->layout, joined->spare);
	joined->count += n;
}

void
history_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
						 const BookSteps *steps, ByteBuffer *buffer)
{
	MemoryContext context = CurrentMemoryContext;
	HistoryReader readers[BOOK_PARTS_MAX];
	HistoryReader *any = NULL;
	TimestampTz last = PG_INT64_MIN;
	JoinedEvents joined = {.capacity = 64, .pool.context = context};

	/* A book without members has no settings and no latest time. */
	for (int i = 0; i < n; i++)
	{
		readers[i].reader = parts[i];
		(void) split(&readers[i], format_of(format));
		if (parts[i].count == 0)
			continue;
		any = &readers[i];
		last = Max(last, any->last);
	}
	if (any == NULL)
		append_head((const uint8 *) "", 0, 0, buffer);
	else
		append_head(any->settings, any->settings_size, last, buffer);

	joined.events = MemoryContextAllocHuge(context, joined.capacity * sizeof(Event));
	joined.spare = MemoryContextAllocHuge(context, joined.capacity * sizeof(Event));
	for (Size i = 0; i < steps->n; i++)
	{
		HistoryReader *reader = &readers[steps->step[i] & BOOK_STEP_PART];

		check_interrupts(i);
		__builtin_prefetch(reader->at + 192);
		if ((steps->step[i] & BOOK_STEP_SAME_KEY) == 0 && joined.count == 0)
		{
			append_member(reader, buffer);
			continue;
		}
		join_member(&joined, reader);
		if ((steps->step[i] & BOOK_STEP_SAME_KEY) != 0)
			continue;
		if (!events_arrange(joined.events, &joined.count, reader->layout, &joined.pool))
			decimal_sum_error();
		events_append(joined.events, joined.count, reader->layout, &joined.pool, buffer);
		joined.count = 0;
		joined.pool.count = 0;
	}
	pfree(joined.events);
	pfree(joined.spare);
	if (joined.pool.item != NULL)
		pfree(joined.pool.item);
}

/* Opens a book for reading, before its first member. */
void
history_book_open(HistoryReader *events, Datum value, const HistoryBookFormat *format)
{
	memset(events, 0, sizeof(*events));
	book_open(&events->reader, value, &format->book);
	(void) split(events, format);
	book_key_cursor(&events->keys, &events->reader);
	events->pool.context = CurrentMemoryContext;
}

/* Reads the next member; false behind the last one. */
bool
history_book_next(HistoryReader *events)
{
	uint64		n;

	if (events->done == events->reader.count)
		return false;
	check_interrupts(events->done++);
	events->key = book_next_key(&events->keys);
	events->at = load_varint(events->at, &n);
	if (unlikely(n > events->capacity))
		events->events = array_grow(events->events, &events->capacity, n, sizeof(Event), CurrentMemoryContext);
	events->count = n;
	events->pool.count = 0;
	events->at = events_load(events->at, end_of(events), n, events->layout, &events->pool, events->events);
	return true;
}

/* The last time or period of all events of a book just opened, which has members. */
int64
history_book_last_place(const HistoryReader *events)
{
	const uint8 *at = events->at;
	int64		last_of_all = PG_INT64_MIN;

	for (uint32 i = 0; i < events->reader.count; i++)
	{
		uint64		n;
		int64		last;

		check_interrupts(i);
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
		time_too_early_error(as_of, "as_of", events->last, "a row", "occurred_at");
	return as_of;
}
