/*
 * event_book.h
 *	  Books that keep the events of every member.
 *
 * Rows are only noted while the table is read, in a log with the number of
 * their member; they are put in order, member by member, when the book is
 * stored, or the log has become long.  Stored books are merged as they are
 * (book_parts.c).
 */
#ifndef CUSTMART_EVENT_BOOK_H
#define CUSTMART_EVENT_BOOK_H

#include "book.h"
#include "events_core.h"

#define EVENT_SETTINGS_MAX 264
#define EVENT_PAYLOAD_SIZE 16

/* What a capability plugs in. */
typedef struct EventBookKind
{
	BookKind	book;			/* must be first */
	const EventLayout *layouts; /* of each form */
	int			forms;

	/* What is wrong with stored settings, or NULL; tells the greatest tag, or the unit of periods. */
	const char *(*check_settings) (uint8 form, const uint8 *settings, Size size,
								   uint32 *tag_max, CalendarUnit *unit);
	const char *settings_hint;	/* what to do about parts with different settings */
} EventBookKind;

/* Initializes the BookKind of an EventBookKind. */
#define EVENT_BOOK(name, check, kind, version, forms_differ, too_large) \
	.book = { \
		.type = {name, check}, \
		.stored_kind = kind, \
		.stored_version = version, \
		.payload_size = EVENT_PAYLOAD_SIZE, \
		.row_size = sizeof(Event), \
		.sorted = true, \
		.form_hint = forms_differ, \
		.size_hint = too_large, \
		.init = event_book_init, \
		.apply = event_book_apply, \
		.take_part = event_book_take_part, \
		.append_tail = event_book_append_tail, \
		.merge_tails = event_book_merge_tails, \
		.tail_size = event_book_tail_size \
	}

/* An event book opened for reading: members one after the other, in order of their keys. */
typedef struct EventReader
{
	BookReader	reader;
	BookKeyCursor keys;
	EventLayout layout;
	const uint8 *settings;
	Size		settings_size;
	TimestampTz last;			/* the latest time of any row; meaningless without members */
	const uint8 *at;
	uint32		done;			/* members read */
	DecimalPool pool;			/* of the member's wide amounts */
	Key			key;			/* the member */
	Event	   *events;			/* his, in order */
	Size		count;
	Size		capacity;
} EventReader;

extern void event_book_init(Book *book);
extern void event_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
extern void event_book_take_part(Book *book, const BookReader *part);
extern void event_book_append_tail(Book *book, ByteBuffer *buffer);
extern void event_book_merge_tails(const Book *book, const BookReader *parts, int n,
								   const uint8 *steps, Size nsteps, ByteBuffer *buffer);
extern Size event_book_tail_size(Book *book, bool exact);
extern const char *event_book_check(const EventBookKind *kind, const uint8 *bytes, Size length);

extern bool event_book_set(Book *book, const void *settings, Size size);
extern const uint8 *event_book_settings(const Book *book, Size *size);
extern void event_book_note_time(Book *book, TimestampTz time);
extern DecimalPool *event_book_pool(Book *book);
extern void event_book_open(EventReader *events, Datum value, const EventBookKind *kind);
extern bool event_book_next(EventReader *events);
extern int64 event_book_last_place(const EventReader *events);
extern TimestampTz event_book_as_of(FunctionCallInfo fcinfo, int argument, const EventReader *events);

#endif							/* CUSTMART_EVENT_BOOK_H */
