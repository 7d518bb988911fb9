/*
 * history_book.h
 *	  Books that keep the events of every member.
 *
 * While a table is read, rows are appended to a log, with the number of their
 * member, and sorted, member by member, when the book is stored or the log has
 * become long.  Calendar periods are first collected in a bitmap per member.
 *
 * In some forms members have a start as well, a time or a period like those of
 * their events: when they joined.  It is the earliest one that rows name, and a
 * member may have no events besides it.
 * Stored books are merged as they are (history_book_format.c).
 */
#ifndef CUSTMART_HISTORY_BOOK_H
#define CUSTMART_HISTORY_BOOK_H

#include "book/book.h"
#include "book/book_forget.h"
#include "history/history_format.h"

#define HISTORY_PAYLOAD_SIZE 16
#define HISTORY_BOOK_HEAD_SIZE 10	/* of a tail: size of the settings, latest time */

/* Most settings fit in so many bytes: the name of a time zone, a few names. */
#define HISTORY_HEAD_SETTINGS 264

/* What all rows of a book say together: the beginning of the extra. */
typedef struct HistoryHead
{
	TimestampTz last;			/* of the events in the log, or later; not of periods */
	bool		is_said_by_skipped;	/* a row that was skipped has these settings, too */
	Size		settings_size;	/* of the parts, too, unless events are named; 0: not known yet, or none */
	uint8	   *settings;		/* these, or longer ones */
	uint8		near_settings[HISTORY_HEAD_SETTINGS];
} HistoryHead;

/* What a capability says of its books of histories. */
typedef struct HistoryBookFormat
{
	BookFormat	book;			/* must be first */
	const EventLayout *layouts; /* of each form */
	int			forms;
	uint32		forms_with_start;	/* a bit for each */

	/* What is wrong with stored settings, or NULL and what they allow. */
	const char *(*check_settings) (uint8 form, const uint8 *settings, Size size, EventLimits *limits);
	const char *settings_hint;	/* what to do about parts with different settings */
	const char *name_noun;		/* what the names of named events are, in errors */
	bool		skipped_rows_have_settings;	/* so that a book may have settings and no members */
} HistoryBookFormat;

/* Initializes the BookFormat of a HistoryBookFormat. */
#define HISTORY_BOOK_FORMAT(name, check, kind, version, forms_differ, too_large) \
	.book = { \
		.type = {name, check}, \
		.stored_kind = kind, \
		.stored_version = version, \
		.form_hint = forms_differ, \
		.size_hint = too_large, \
		.merge_tails = history_book_merge_tails, \
		.filter_tail = history_book_filter_tail \
	}

/* Initializes the BookKind that belongs to it. */
#define HISTORY_BOOK_KIND(history_format) { \
		.format = &(history_format)->book, \
		.payload_size = HISTORY_PAYLOAD_SIZE, \
		.row_size = sizeof(Event), \
		.init = history_book_init, \
		.apply = history_book_apply, \
		.before_add_part = history_book_before_add_part, \
		.tail_size = history_book_tail_size, \
		.append_tail = history_book_append_tail \
	}

/* A history book opened for reading, member by member in the order of their keys. */
typedef struct HistoryReader
{
	BookReader	reader;
	BookKeyCursor keys;
	EventLayout layout;
	bool		has_start;
	const uint8 *settings;
	Size		settings_size;
	bool		is_said_by_skipped;	/* a row that was skipped has these settings, too */
	TimestampTz last;			/* the latest time of any event or start; meaningless without members, and of periods */
	const uint8 *at;
	uint32		done;			/* members read */
	DecimalPool pool;			/* of the member's wide amounts */
	Key			key;			/* the member */
	int64		start;			/* of the member, if the form has starts */
	Event	   *events;			/* of the member, sorted */
	Size		count;
	Size		capacity;
} HistoryReader;

extern void history_book_init(Book *book);
extern void history_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
extern void history_book_before_add_part(Book *book, const BookReader *part);
extern void history_book_append_tail(Book *book, ByteBuffer *buffer);
extern void history_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
									 const BookMergeOrder *order, ByteBuffer *buffer);
extern void history_book_filter_tail(const BookFormat *format, const BookReader *reader,
									 const BookFilter *filter, ByteBuffer *buffer);
extern Size history_book_tail_size(const Book *book);
extern const char *history_book_split(HistoryReader *events, const HistoryBookFormat *format);
extern Size history_book_append_head(const uint8 *settings, Size settings_size, bool is_said_by_skipped, ByteBuffer *buffer);
extern void history_book_put_last(Size place, EventLayout layout, TimestampTz last, ByteBuffer *buffer);
extern void history_book_append_start(int64 start, ByteBuffer *buffer);
extern const char *history_book_check(const HistoryBookFormat *format, const uint8 *bytes, Size length);

extern bool history_book_set_other(Book *book, const void *settings, Size size);
extern uint32 history_book_add_name(Book *book, const void *name, Size length);
extern const uint8 *history_book_settings(const Book *book, Size *size);
extern DecimalPool *history_book_pool(Book *book);
extern void history_book_open(HistoryReader *events, Datum value, const HistoryBookFormat *format);
extern bool history_book_next(HistoryReader *events);
extern int64 history_book_last_place(const HistoryReader *events);
extern TimestampTz history_book_as_of(FunctionCallInfo fcinfo, int argument, const HistoryReader *events);

/*
 * A row of a form with starts.  A period leaves room for that of the start in what
 * is the owner later, a time for that of the start in place of tag and owner.
 */
static inline Event
history_book_row_of_period(uint32 start_tag, uint32 tag, int64 amount)
{
	return (Event) {.value = amount, .tag = tag, .owner = start_tag};
}

static inline Event
history_book_row_of_time(TimestampTz start, TimestampTz time)
{
	return (Event) {.value = time, .amount = start};
}

/* Instead of the tag or time of a row that says no more than when a member joined. */
#define HISTORY_NO_PERIOD 0
#define HISTORY_NO_TIME PG_INT64_MIN

static inline bool
history_form_has_start(const HistoryBookFormat *format, uint8 form)
{
	return (format->forms_with_start >> form & 1) != 0;
}

/* Notes the settings of a row; false if earlier rows had others. */
static inline bool
history_book_set_settings(Book *book, const void *settings, Size size)
{
	const HistoryHead *head = book->extra;

	if (likely(head->settings_size == size && memcmp(head->settings, settings, size) == 0))
		return true;
	return history_book_set_other(book, settings, size);
}

/* The number of a row's name, which may be a new one. */
static inline uint32
history_book_name(Book *book, const void *name, Size length)
{
	const HistoryHead *head = book->extra;
	int			number = names_find(head->settings, head->settings_size, name, length);

	return likely(number >= 0) ? (uint32) number : history_book_add_name(book, name, length);
}

/* Notes that a row which is about to be skipped has the settings that were noted last. */
static inline void
history_book_note_skipped_settings(Book *book)
{
	HistoryHead *head = book->extra;

	head->is_said_by_skipped = true;
}

/* Notes the time of an event that is about to be pushed; periods have none. */
static inline void
history_book_note_time(Book *book, TimestampTz time)
{
	HistoryHead *head = book->extra;

	if (time > head->last)
		head->last = time;
}

#endif							/* CUSTMART_HISTORY_BOOK_H */
