/*
 * history_book.c
 *	  Building books that keep the events of every member: logging and sorting.
 *
 * history_book_format.c reads, checks, writes and merges stored ones.
 */
#include "history/history_book.h"

#include "history/history_new_name.h"
#include "money/decimal_numeric.h"
#include "shared/bytes.h"
#include "shared/growing_array.h"
#include "shared/large_memory.h"
#include "shared/time_arguments.h"
#include "shared/time_range.h"
#include "utils/memutils.h"

/* Rows of a piece of the log: 4 MB. */
#ifndef LOG_PIECE				/* fuzzing has shorter ones */
#define LOG_PIECE 262144
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

/* The payload of a member. */
typedef struct EventMember
{
	uint32		count;			/* rows in the log */
	uint32		base;			/* of periods: the tag of bit 0; 0: none yet.  With starts: that of the start, or 1 for times */
	union
	{
		uint64		bits;		/* of periods from there on, beside those in the log */
		int64		start;		/* of times with starts */
	};
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
	HistoryHead head;			/* must be first */
	EventLayout layout;
	bool		has_start;
	MemoryContext context;
	LogPiece   *pieces;			/* the last one is being filled */
	Size		npieces;
	Size		pieces_capacity;
	Size		count;			/* rows in all pieces */
	DecimalPool pool;			/* wide amounts */
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
	log->has_start = history_form_has_start(format_of(book->kind->format), book->form);
	log->context = book->hdr.eoh_context;
	log->pool.context = log->context;
	log->head.last = PG_INT64_MIN;
	log->head.settings = log->head.near_settings;
	book->extra = log;
}

/* The rare cases of history_book_set_settings: those of the first row, and others. */
bool
history_book_set_other(Book *book, const void *settings, Size size)
{
	HistoryHead *head = &log_of(book)->head;

	if (head->settings_size != 0)
		return false;
	Assert(size <= HISTORY_SETTINGS_MAX);
	if (size > HISTORY_HEAD_SETTINGS)
		head->settings = MemoryContextAlloc(book->hdr.eoh_context, HISTORY_SETTINGS_MAX);
	memcpy(head->settings, settings, size);
	head->settings_size = size;
	return true;
}

/* The rare case of history_book_name: a name that is new. */
uint32
history_book_add_name(Book *book, const void *name, Size length)
{
	HistoryHead *head = &log_of(book)->head;
	EventName		names[NAMES_MAX];
	int			n = names_list(head->settings, head->settings_size, names);
	const HistoryBookFormat *format = format_of(book->kind->format);

	names_check_new(n, name, length, format->name_noun, format->book.type.name);
	if (head->settings == head->near_settings && head->settings_size + 2 + length > HISTORY_HEAD_SETTINGS)
	{
		head->settings = MemoryContextAlloc(book->hdr.eoh_context, NAMES_SIZE_MAX);
		memcpy(head->settings, head->near_settings, head->settings_size);
	}
	head->settings_size = names_append(head->settings, head->settings_size, name, length);
	return (uint32) n;
}

/* The settings that history_book_set_settings noted. */
const uint8 *
history_book_settings(const Book *book, Size *size)
{
	*size = log_of(book)->head.settings_size;
	return log_of(book)->head.settings;
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
		piece->events = large_alloc(log->context, piece->capacity * sizeof(Event));
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

/* Moves the periods that are bits to the log and sets the tag of bit 0. */
static void
move_bits(EventLog *log, EventMember *member, uint32 owner, uint32 base)
{
	Event		events[EVENT_BITS];
	int			n = bits_to_events(member, owner, events);

	for (int i = 0; i < n; i++)
		log_event(log, member, owner, &events[i]);
	member->base = base;
	member->bits = 0;
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
		move_bits(log, member, owner, tag - 2 * BITS_BEFORE);
		place = BITS_BEFORE;
	}
	member->bits |= UINT64CONST(1) << place;
}

/*
 * Notes a row with a start, of which the earliest is kept.  Periods from there on
 * have bits: of those who joined, most come soon or never.
 */
static inline void
note_row_with_start(EventLog *log, EventMember *member, uint32 owner, const Event *row)
{
	Event		event = *row;

	if (log->layout == EVENTS_TIMES)
	{
		event.amount = 0;
		if (member->base == 0 || row->amount < member->start)
			member->start = row->amount;
		member->base = 1;
		if (row->value != HISTORY_NO_TIME)
			log_event(log, member, owner, &event);
		return;
	}
	if (log->layout == EVENTS_AMOUNTS)
	{
		if (member->base == 0 || row->owner < member->base)
			member->base = row->owner;
		if (row->tag != HISTORY_NO_PERIOD)
			log_event(log, member, owner, &event);
		return;
	}
	if (member->base == 0 || row->owner < member->base)
		move_bits(log, member, owner, row->owner);
	if (row->tag == HISTORY_NO_PERIOD)
		return;
	if (row->tag >= member->base && (row->tag - member->base) / 2 < EVENT_BITS)
		member->bits |= UINT64CONST(1) << (row->tag - member->base) / 2;
	else
		log_event(log, member, owner, &event);
}

void
history_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	EventLog   *log = log_of(book);
	const Event *row = rows;

	if (unlikely(log->has_start))
		for (int i = 0; i < n; i++)
			note_row_with_start(log, member_of(book, entries[i]), entries[i], &row[i]);
	else if (log->layout == EVENTS_PERIODS)
		for (int i = 0; i < n; i++)
			note_period(log, member_of(book, entries[i]), entries[i], row[i].tag);
	else
		for (int i = 0; i < n; i++)
			log_event(log, member_of(book, entries[i]), entries[i], &row[i]);
	book->is_full = log->count >= LOG_MAX;
}

/* ---------- parts ---------- */

/* Takes over the settings of a part. */
void
history_book_before_add_part(Book *book, const BookReader *part)
{
	HistoryReader events = {.reader = *part};

	(void) history_book_split(&events, format_of(book->kind->format));
	if (log_of(book)->layout == EVENTS_NAMED)
		return;					/* names are united when parts are merged */
	if (events.settings_size > 0 && !history_book_set_settings(book, events.settings, events.settings_size))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge two %s made with different settings", book->kind->format->type.name),
				 errhint("%s", format_of(book->kind->format)->settings_hint)));
}

/* ---------- storing ---------- */

/* The least that members take: a number of events and an event each. */
Size
history_book_tail_size(const Book *book)
{
	return HISTORY_BOOK_HEAD_SIZE + log_of(book)->head.settings_size + (Size) book->table.count * 2;
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
	Event	   *gathered = large_alloc(log->context, Max(log->count, 1) * sizeof(Event));
	Size	   *ends = large_alloc(log->context, Max((Size) members, 1) * sizeof(Size));
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

/* Writes the events of one member, which need not be sorted. */
static inline void
append_events(EventLog *log, EventLayout layout, Event *events, Size n, ByteBuffer *buffer)
{
	if (!events_arrange(events, &n, layout, &log->pool))
		decimal_sum_error();
	events_append(events, n, layout, &log->pool, buffer);
}

/*
 * Writes the head of a book of named events, which get the numbers that their names
 * have at rest; returns the layout in which to store them.
 */
static EventLayout
arrange_names(EventLog *log, ByteBuffer *buffer, Size *place_of_last)
{
	uint8		sorted[NAMES_SIZE_MAX];
	bool		has_fractions = false;
	NameMap		map;
	Size		size;

	for (Size p = 0; p < log->npieces && !has_fractions; p++)
		for (Size i = 0; i < log->pieces[p].count && !has_fractions; i++)
		{
			check_interrupts(i);
			has_fractions = event_has_fraction(&log->pieces[p].events[i]);
		}
	size = names_sort(log->head.settings, log->head.settings_size, has_fractions, sorted, &map);
	for (Size p = 0; p < log->npieces; p++)
		names_renumber(log->pieces[p].events, log->pieces[p].count, &map);
	*place_of_last = history_book_append_head(sorted, size, false, buffer);
	return names_layout(log->layout, sorted, size);
}

static int64
start_of(const EventLog *log, const EventMember *member)
{
	Event		start = {.tag = member->base};

	return log->layout == EVENTS_TIMES ? member->start : event_period(&start);
}

void
history_book_append_tail(Book *book, ByteBuffer *buffer)
{
	EventLog   *log = log_of(book);
	uint32		members = book->table.count;
	EventLayout layout = log->layout;
	Event	   *gathered;
	Event	   *events;
	Size		place_of_last;
	TimestampTz last;

	if (members == 0)
	{
		Size		size = log->head.is_said_by_skipped ? log->head.settings_size : 0;

		(void) history_book_append_head(log->head.settings, size, log->head.is_said_by_skipped, buffer);
		log->head.is_said_by_skipped = false;
		return;
	}
	if (log->layout == EVENTS_NAMED)
		layout = arrange_names(log, buffer, &place_of_last);
	else
		place_of_last = history_book_append_head(log->head.settings, log->head.settings_size, log->head.is_said_by_skipped, buffer);
	log->head.is_said_by_skipped = false;
	last = log->head.last;
	events = gathered = gather(book, log);
	for (uint32 i = 0; i < members; i++)
	{
		const EventMember *member = member_of(book, book->order[i]);
		Size		n = member->count;
		bool		has_bits = log->layout == EVENTS_PERIODS && member->bits != 0;

		check_interrupts(i);
		if (i + 16 < members)
			__builtin_prefetch(member_of(book, book->order[i + 16]));
		if (log->has_start)
		{
			last = Max(last, start_of(log, member));
			history_book_append_start(start_of(log, member), buffer);
		}
		if (unlikely(n > 0 && has_bits))
		{
			Event	   *all = large_alloc(log->context, (n + EVENT_BITS) * sizeof(Event));

			memcpy(all, events, n * sizeof(Event));
			n += bits_to_events(member, book->order[i], all + n);
			append_events(log, layout, all, n, buffer);
			pfree(all);
		}
		else if (has_bits)
		{
			Event		all[EVENT_BITS];

			append_events(log, layout, all, bits_to_events(member, book->order[i], all), buffer);
		}
		else
			append_events(log, layout, events, n, buffer);
		events += member->count;
	}
	history_book_put_last(place_of_last, log->layout, last, buffer);
	pfree(gathered);
	if (log->pool.item != NULL)
		pfree(log->pool.item);
	log->pool = (DecimalPool) {.context = log->context};
}
