/*
 * book.h
 *	  Building books: one scan of a table, one summary for each of its keys.
 *
 * A book under construction is an expanded object.  Rows wait in a small batch,
 * so that cache misses overlap, until they are applied to the entries of a hash
 * table.  A capability plugs in what is kept for each key, and besides the keys,
 * through a BookKind.  Besides the table an expanded book holds the stored books
 * that were merged into it, its parts.
 *
 * In a parallel plan each worker builds a book.  PostgreSQL flattens it
 * (book_flatten) to send it to the leader, where book_combine adds it as a part.
 *
 * When the book is asked for as a whole, the table is stored as one more part
 * and all parts are merged as sorted lists.  Books are merged in no other way,
 * and the one part that is left is kept for the next time.
 */
#ifndef CUSTMART_BOOK_H
#define CUSTMART_BOOK_H

#include "book/book_format.h"

#include "lib/stringinfo.h"
#include "shared/aggregate.h"
#include "utils/expandeddatum.h"

typedef struct Book Book;

/* What a capability plugs in. */
typedef struct BookKind
{
	const BookFormat *format;
	Size		payload_size;	/* of one key in the table, initially zeros */
	Size		row_size;		/* of one pending row */

	/* Makes book->extra; may be NULL. */
	void		(*init) (Book *book);

	/* Adds n rows to the payloads of the entries, in the rows' order. */
	void		(*apply) (Book *book, const uint32 *entries, const void *rows, int n);

	/*
	 * Called with a stored book that is about to become a part of this one: takes
	 * what it needs of it, and raises an error if it does not fit.  May be NULL.
	 */
	void		(*before_add_part) (Book *book, const BookReader *part);

	/* An estimate of the size of the tail, perhaps slightly low.  Called after every batch, so it must be fast. */
	Size		(*tail_size) (const Book *book);

	/* Writes the tail of the keys in the table, in the order of book->order, and empties the extra. */
	void		(*append_tail) (Book *book, ByteBuffer *buffer);
} BookKind;

/*
 * What every row needs comes first: with many groups each of them is another book,
 * and every line of it that is touched is another cache miss.
 */
struct Book
{
	ExpandedObjectHeader hdr;
	const BookKind *kind;
	void	   *extra;			/* the capability's */
	uint8		key_type;		/* that of the table */
	uint8		form;
	bool		is_broken;		/* something is being added, or could not be */
	bool		is_full;		/* the table is to become a part: set by apply */

	/* Rows not yet applied. */
	int			pending;
	int			pending_room;
	Key		   *pending_keys;
	char	   *pending_rows;
	StringInfoData pending_bytes;	/* their texts */

	KeyTable	table;
	int64		rows_skipped;	/* besides those of the parts */
	uint32	   *order;			/* while the table is being stored: its entries in order */

	/* Stored books that belong to this one, besides what is in the table. */
	bytea	  **parts;
	int			nparts;
	int			parts_room;
	int64		parts_skipped;	/* rows skipped of all parts */
};

extern const ExpandedObjectMethods book_methods;
extern Book *book_state_slow(FunctionCallInfo fcinfo, const BookKind *kind,
								 KeyType key_type, uint8 form);
extern void book_flush(Book *book);
extern Datum book_combine(FunctionCallInfo fcinfo, const BookKind *kind);
extern Datum book_add(FunctionCallInfo fcinfo, const BookKind *kind);
extern void book_open(BookReader *reader, Datum value, const BookFormat *format);
extern Datum book_rows_skipped(FunctionCallInfo fcinfo, const BookFormat *format);
extern Datum book_key_count(FunctionCallInfo fcinfo, const BookFormat *format);

/*
 * The state of an aggregate, argument 0 of its transition function: the book
 * being built, or a new one for the first row.
 */
static inline Book *
book_of_state(FunctionCallInfo fcinfo, const BookKind *kind, KeyType key_type, uint8 form)
{
	Book	   *book = (Book *) aggregate_expanded_state(fcinfo, &book_methods);

	if (likely(book != NULL && book->kind == kind && book->key_type == key_type && book->form == form))
		return book;
	return book_state_slow(fcinfo, kind, key_type, form);
}

/* The same book, for a row that is skipped. */
static inline Datum
book_skip_row(Book *book)
{
	book->rows_skipped++;
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/*
 * The place for one more row, whose key the caller puts into *key; call book_push
 * when both are filled in.
 */
static inline void *
book_next_row(Book *book, Key **key)
{
	*key = &book->pending_keys[book->pending];
	return book->pending_rows + book->pending * book->kind->row_size;
}

/* Adds the row; returns the book as the transition function does. */
static inline Datum
book_push(Book *book)
{
	if (++book->pending == book->pending_room || book->pending_bytes.len > 1024 * 1024)
		book_flush(book);
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/*
 * Keeps bytes until the next flush; returns their offset, which becomes a pointer
 * only when the batch is applied, because the buffer moves when it grows.
 */
static inline Size
book_keep_bytes(Book *book, const char *data, uint32 length)
{
	StringInfo	bytes = &book->pending_bytes;
	Size		offset = bytes->len;

	/* As appendBinaryStringInfo does it, but without calls, and without an end that nobody looks for. */
	if (unlikely((Size) bytes->maxlen - offset <= length))
		enlargeStringInfo(bytes, (int) length);
	memcpy(bytes->data + offset, data, length);
	bytes->len += (int) length;
	return offset;
}

/* Makes a text the key of the row being filled in. */
static inline void
book_set_text_key(Book *book, Key *key, Datum value)
{
	text	   *t = DatumGetTextPP(value);

	key->bytes.length = (uint32) VARSIZE_ANY_EXHDR(t);
	key->bytes.data = (const char *) book_keep_bytes(book, VARDATA_ANY(t), key->bytes.length);
	if ((Pointer) t != DatumGetPointer(value))
		pfree(t);
}

/* Makes an argument the key of the row being filled in. */
static inline void
book_set_key(Book *book, Key *key, KeyType key_type, Datum value)
{
	if (key_type == KEY_INT64)
		key->number = DatumGetInt64(value);
	else if (key_type == KEY_FIXED16)
		memcpy(key->fixed, DatumGetPointer(value), 16);
	else
		book_set_text_key(book, key, value);
}

/*
 * Defines the functions of a type that is a book: in, out and recv; combine, which
 * merges argument 1 into the state of an aggregate and is also rollup's transition
 * function; and add, the operator +.
 */
#define BOOK_TYPE_FUNCTIONS(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_in); \
Datum custmart_##type##_in(PG_FUNCTION_ARGS) { return book_in(fcinfo, (kind)->format); } \
CUSTMART_FUNCTION(custmart_##type##_out); \
Datum custmart_##type##_out(PG_FUNCTION_ARGS) { return book_out(fcinfo, (kind)->format); } \
CUSTMART_FUNCTION(custmart_##type##_recv); \
Datum custmart_##type##_recv(PG_FUNCTION_ARGS) { return book_recv(fcinfo, (kind)->format); } \
CUSTMART_FUNCTION(custmart_##type##_combine); \
Datum custmart_##type##_combine(PG_FUNCTION_ARGS) { return book_combine(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_add); \
Datum custmart_##type##_add(PG_FUNCTION_ARGS) { return book_add(fcinfo, kind); }

/* The same, and rows_skipped. */
#define BOOK_FUNCTIONS(type, kind) \
BOOK_TYPE_FUNCTIONS(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_rows_skipped); \
Datum custmart_##type##_rows_skipped(PG_FUNCTION_ARGS) { return book_rows_skipped(fcinfo, (kind)->format); }

/* Defines member_count, for a book whose keys are members. */
#define BOOK_MEMBER_COUNT(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_member_count); \
Datum custmart_##type##_member_count(PG_FUNCTION_ARGS) { return book_key_count(fcinfo, (kind)->format); }

#endif							/* CUSTMART_BOOK_H */
