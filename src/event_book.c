/*
 * event_book.c
 *	  Books that keep the events of every member: the log, its order, its bytes.
 *
 * Stored behind the keys: size of the settings (2 bytes), settings, the latest
 * time of any row (8), and for every member, in the order of the keys, the
 * number of his events and the events (events_core.h).
 */
#include "event_book.h"

#include "bytes.h"
#include "instant.h"
#include "utils/memutils.h"

/* Rows of a piece of the log: 1 MB. */
#ifndef LOG_PIECE				/* fuzzing has shorter ones */
#define LOG_PIECE 65536
#endif

/* Rows with which a log is put in order for the first time before it is stored. */
#ifndef LOG_ARRANGE
#define LOG_ARRANGE 16777216
#endif

#define HEAD_SIZE 10			/* size of the settings, latest time */

/* The payload of a member. */
typedef struct EventMember
{
	uint32		count;			/* rows in the log */
	uint32		last_tag;		/* of his latest row; only of periods */
} EventMember;

StaticAssertDecl(sizeof(EventMember) == EVENT_PAYLOAD_SIZE, "the payload is a member");

typedef struct LogPiece
{
	Event	   *events;
	Size		count;
	Size		capacity;
} LogPiece;

/* The extra of an event book. */
typedef struct EventLog
{
	EventLayout layout;
	MemoryContext context;
	LogPiece   *pieces;			/* the last one is being filled */
	Size		npieces;
	Size		pieces_capacity;
	Size		count;			/* rows in all pieces */
	Size		arrange_at;		/* rows with which to put the log in order */
	bool		is_arranged;	/* one piece, member by member, each in order */
	Size	   *begins;			/* of an arranged log: where the rows of each entry begin */
	Size		stored;			/* bytes of the events when it was arranged last */
	Size		stored_count;	/* and how many there were */
	DecimalPool pool;			/* wide amounts */
	TimestampTz last;
	Size		settings_size;
	uint8		settings[EVENT_SETTINGS_MAX];
} EventLog;

static const EventBookKind *
kind_of(const BookKind *kind)
{
	return (const EventBookKind *) kind;
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
event_book_init(Book *book)
{
	EventLog   *log = palloc0(sizeof(EventLog));

	log->layout = kind_of(book->kind)->layouts[book->form];
	log->context = book->hdr.eoh_context;
	log->pool.context = log->context;
	log->last = PG_INT64_MIN;
	log->arrange_at = LOG_ARRANGE;
	book->extra = log;
}

/*
 * Notes what all rows of a book must have been made with; false if it was
 * something else in earlier ones.
 */
bool
event_book_set(Book *book, const void *settings, Size size)
{
	EventLog   *log = log_of(book);

	if (log->settings_size == 0)
	{
		Assert(size <= EVENT_SETTINGS_MAX);
		memcpy(log->settings, settings, size);
		log->settings_size = size;
	}
	return log->settings_size == size && memcmp(log->settings, settings, size) == 0;
}

/* What event_book_set noted. */
const uint8 *
event_book_settings(const Book *book, Size *size)
{
	*size = log_of(book)->settings_size;
	return log_of(book)->settings;
}

/* Notes the time of a row that is about to be pushed. */
void
event_book_note_time(Book *book, TimestampTz time)
{
	EventLog   *log = log_of(book);

	if (time > log->last)
		log->last = time;
}

/* Where wide amounts of rows about to be pushed are kept. */
DecimalPool *
event_book_pool(Book *book)
{
	return &log_of(book)->pool;
}

/* Room for n events behind the log; they become part of it at once. */
static Event *
log_append(EventLog *log, Size n)
{
	LogPiece   *piece = log->npieces > 0 ? &log->pieces[log->npieces - 1] : NULL;

	if (unlikely(piece == NULL || piece->capacity - piece->count < n))
	{
		if (log->npieces == log->pieces_capacity)
		{
			Size		capacity = Max(log->pieces_capacity * 2, 16);

			log->pieces = log->pieces == NULL ?
				MemoryContextAllocHuge(log->context, capacity * sizeof(LogPiece)) :
				repalloc_huge(log->pieces, capacity * sizeof(LogPiece));
			log->pieces_capacity = capacity;
		}
		piece = log->pieces + log->npieces;

		/* A small book begins small. */
		piece->capacity = Max(Min(Max(log->count, 256), LOG_PIECE), n);
		piece->count = 0;
		piece->events = MemoryContextAllocHuge(log->context, piece->capacity * sizeof(Event));
		log->npieces++;
	}
	piece->count += n;
	log->count += n;
	log->is_arranged = false;
	return piece->events + piece->count - n;
}

static inline void
add_count(EventMember *member, Size n)
{
	if (unlikely(n > PG_UINT32_MAX - member->count))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a member cannot have more than %u rows", PG_UINT32_MAX)));
	member->count += (uint32) n;
}

/*
 * Moves all rows into one piece, each member's behind one another.  The log is
 * read from front to end, but rows go to many places: what the next ones need is
 * fetched ahead.
 */
static void
gather(Book *book, EventLog *log)
{
	enum
	{
		NEAR = 12, FAR = 32
	};
	uint32		members = book->table.count;
	Event	   *gathered = MemoryContextAllocHuge(log->context, Max(log->count, 1) * sizeof(Event));
	Size	   *ends = MemoryContextAllocHuge(log->context, ((Size) members + 1) * sizeof(Size));
	Size		sum = 0;

	for (uint32 i = 0; i < members; i++)
	{
		check_interrupts(i);
		ends[i] = sum;
		sum += member_of(book, i)->count;
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
		piece->events = NULL;
		piece->count = 0;
	}

	/* Each end is where the next member begins. */
	memmove(ends + 1, ends, (Size) members * sizeof(Size));
	ends[0] = 0;
	if (log->begins != NULL)
		pfree(log->begins);
	log->begins = ends;
	log->npieces = 0;
	if (log->count > 0)
	{
		log->pieces[0].events = gathered;
		log->pieces[0].count = log->pieces[0].capacity = log->count;
		log->npieces = 1;
	}
	else
		pfree(gathered);
}

/* A pool of just those wide amounts that are in use. */
static void
renew_pool(EventLog *log)
{
	DecimalPool pool = {.context = log->context};
	Event	   *events = log->pieces[0].events;

	for (Size i = 0; i < log->count; i++)
	{
		check_interrupts(i);
		if (decimal_is_pooled(events[i].value))
			events[i].value = decimal_pool_put(&pool, &log->pool.item[events[i].value >> 8]);
	}
	pfree(log->pool.item);
	log->pool = pool;
}

/* Puts the log in order, member by member, and finds how many bytes it takes. */
static void
arrange(Book *book)
{
	EventLog   *log = log_of(book);
	uint32		members = book->table.count;
	bool		is_broken = book->is_broken;
	Event	   *events;
	Size		kept = 0;

	if (log->is_arranged)
		return;
	book->is_broken = true;
	gather(book, log);
	events = log->count > 0 ? log->pieces[0].events : NULL;
	log->stored = 0;
	for (uint32 i = 0; i < members; i++)
	{
		Size		begin = log->begins[i];
		Size		n = log->begins[i + 1] - begin;

		check_interrupts(i);
		if (!events_arrange(events + begin, &n, log->layout, &log->pool))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("sum of amounts is out of range")));
		log->stored += varint_size(n) + events_size(events + begin, n, log->layout, &log->pool);
		if (kept < begin)
			memmove(events + kept, events + begin, n * sizeof(Event));
		log->begins[i] = kept;
		member_of(book, i)->count = (uint32) n;
		kept += n;
	}
	log->begins[members] = kept;
	log->count = kept;
	if (kept > 0 && kept < log->pieces[0].capacity / 2)
	{
		log->pieces[0].events = repalloc_huge(events, kept * sizeof(Event));
		log->pieces[0].capacity = kept;
	}
	if (log->npieces > 0)
		log->pieces[0].count = kept;
	if (log->pool.count > 0)
		renew_pool(log);
	log->stored_count = kept;
	log->arrange_at = Max(LOG_ARRANGE, kept * 2);
	log->is_arranged = true;
	book->is_broken = is_broken;
}

void
event_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	EventLog   *log = log_of(book);
	const Event *row = rows;
	Event	   *events = log_append(log, n);
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		EventMember *member = member_of(book, entries[i]);

		/* Tables are mostly in order of time: most repetitions come in a row. */
		if (log->layout == EVENTS_PERIODS)
		{
			if (member->last_tag == row[i].tag)
				continue;
			member->last_tag = row[i].tag;
		}
		add_count(member, 1);
		events[kept] = row[i];
		events[kept++].owner = entries[i];
	}
	log->pieces[log->npieces - 1].count -= n - kept;
	log->count -= n - kept;
	if (unlikely(log->count >= log->arrange_at))
		arrange(book);
}

/* ---------- storing ---------- */

Size
event_book_tail_size(Book *book, bool exact)
{
	EventLog   *log = log_of(book);

	if (exact)
		arrange(book);

	/* A number of events of each member, and a byte at least of every event. */
	return HEAD_SIZE + log->settings_size + log->stored + (log->count - Min(log->count, log->stored_count));
}

void
event_book_store_tail(Book *book, uint8 *bytes)
{
	EventLog   *log = log_of(book);
	uint32		members = book->table.count;

	arrange(book);
	*bytes++ = (uint8) (log->settings_size >> 8);
	*bytes++ = (uint8) log->settings_size;
	memcpy(bytes, log->settings, log->settings_size);
	bytes = store_u64(bytes + log->settings_size, members == 0 ? 0 : (uint64) log->last);
	for (uint32 i = 0; i < members; i++)
	{
		uint32		entry = book->order[i];
		Size		begin = log->begins[entry];
		Size		n = log->begins[entry + 1] - begin;

		check_interrupts(i);
		if (i + 8 < members)
			__builtin_prefetch(&log->pieces[0].events[log->begins[book->order[i + 8]]]);
		bytes = store_varint(bytes, n);
		bytes = events_store(log->pieces[0].events + begin, n, log->layout, &log->pool, bytes);
	}
}

/* ---------- reading ---------- */

/* Finds the parts of the tail of a book whose header was read; what is wrong, or NULL. */
static const char *
split(EventReader *events, const EventBookKind *kind)
{
	const BookReader *reader = &events->reader;

	if (reader->form >= kind->forms)
		return "its form is unknown";
	if (reader->tail_size < HEAD_SIZE)
		return "it is cut off";
	events->layout = kind->layouts[reader->form];
	events->settings_size = (Size) reader->tail[0] << 8 | reader->tail[1];
	if (events->settings_size > EVENT_SETTINGS_MAX ||
		events->settings_size > reader->tail_size - HEAD_SIZE)
		return "it is cut off";
	events->settings = reader->tail + 2;
	events->last = (TimestampTz) load_u64(events->settings + events->settings_size);
	events->at = events->settings + events->settings_size + 8;
	events->done = 0;
	return NULL;
}

/* The checker of all event books: returns what is wrong with stored bytes, or NULL. */
const char *
event_book_check(const EventBookKind *kind, const uint8 *bytes, Size length)
{
	EventReader events;
	const char *wrong = book_read_header(&events.reader, &kind->book, bytes, length);
	const uint8 *end = bytes + length;
	uint32		tag_max = 0;
	CalendarUnit unit = UNIT_DAY;
	TimestampTz last = PG_INT64_MIN;

	if (wrong != NULL ||
		(wrong = split(&events, kind)) != NULL ||
		(wrong = book_check_order(&events.reader)) != NULL)
		return wrong;
	if (events.reader.count == 0)
	{
		if (events.settings_size > 0 || events.last != 0)
			return "it has settings without members";
	}
	else if ((wrong = kind->check_settings(events.reader.form, events.settings,
										   events.settings_size, &tag_max, &unit)) != NULL)
		return wrong;
	else if (!IS_VALID_TIMESTAMP(events.last))
		return "its latest time is out of range";

	for (uint32 i = 0; i < events.reader.count; i++)
	{
		uint64		n;
		int64		member_last;

		check_interrupts(i);
		if (!check_varint(&events.at, end, &n) || n == 0 || n > (uint64) (end - events.at))
			return "a number of events is not valid";
		if ((wrong = events_check(&events.at, end, n, events.layout, tag_max, unit, &member_last)) != NULL)
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
event_book_merge(Book *book, const BookReader *source, const uint32 *entries)
{
	EventLog   *log = log_of(book);
	EventReader events = {.reader = *source};

	(void) split(&events, kind_of(book->kind));
	if (source->count == 0)
		return;
	if (events.settings_size > 0 && !event_book_set(book, events.settings, events.settings_size))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot merge two %s made with different settings", book->kind->type.name),
				 errhint("%s", kind_of(book->kind)->settings_hint)));
	log->last = Max(log->last, events.last);
	for (uint32 i = 0; i < source->count; i++)
	{
		EventMember *member = member_of(book, entries[i]);
		Event	   *room;
		uint64		n;

		check_interrupts(i);
		events.at = load_varint(events.at, &n);
		add_count(member, n);
		room = log_append(log, n);
		events.at = events_load(events.at, n, log->layout, &log->pool, room);
		for (Size j = 0; j < n; j++)
			room[j].owner = entries[i];
		if (unlikely(log->count >= log->arrange_at))
			arrange(book);
	}
}

/* Opens a book for reading, before its first member. */
void
event_book_open(EventReader *events, Datum value, const EventBookKind *kind)
{
	memset(events, 0, sizeof(*events));
	book_open(&events->reader, value, &kind->book);
	(void) split(events, kind);
	book_key_cursor(&events->keys, &events->reader);
	events->pool.context = CurrentMemoryContext;
}

/* Reads the next member; false behind the last one. */
bool
event_book_next(EventReader *events)
{
	uint64		n;

	if (events->done == events->reader.count)
		return false;
	check_interrupts(events->done++);
	events->key = book_next_key(&events->keys);
	events->at = load_varint(events->at, &n);
	if (n > events->capacity)
	{
		Size		capacity = Max(n, Max(events->capacity * 2, 64));

		if (events->events != NULL)
			pfree(events->events);
		events->events = MemoryContextAllocHuge(CurrentMemoryContext, capacity * sizeof(Event));
		events->capacity = capacity;
	}
	events->count = n;
	events->pool.count = 0;
	events->at = events_load(events->at, n, events->layout, &events->pool, events->events);
	return true;
}

/* The last time or period of any event of a book just opened, which has members. */
int64
event_book_last_place(const EventReader *events)
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

/*
 * Raises 22023 for a report as of a time before that of a row: the book cannot
 * tell any more what was then.
 */
void
event_book_as_of_error(TimestampTz as_of, TimestampTz last)
{
	char		text[2][INSTANT_TEXT_SIZE];

	instant_to_text(as_of, text[0]);
	instant_to_text(last, text[1]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("as_of \"%s\" is before a row of \"%s\"", text[0], text[1]),
			 errhint("Make the book of the rows up to then, with WHERE occurred_at <= as_of, or choose a later as_of.")));
}

/* The argument as_of of a report; NULL is the latest time of a row. */
TimestampTz
event_book_as_of(FunctionCallInfo fcinfo, int argument, const EventReader *events)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argument))
		return events->last;
	as_of = instant_check(PG_GETARG_TIMESTAMPTZ(argument), "as_of");
	if (events->reader.count > 0 && events->last > as_of)
		event_book_as_of_error(as_of, events->last);
	return as_of;
}
