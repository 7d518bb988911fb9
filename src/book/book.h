/*
 * book.h
 *	  A summary for every key of a table, in one value.
 *
 * A book is an expanded object while it is built and a varlena of bytes
 * (docs/storage-format.md) when it is at rest.  This room does all that books
 * have in common: finding the key, batching rows so that cache misses overlap,
 * merging, flattening, limits and errors.  What is kept per key, and what else
 * beside the keys, is plugged in by a capability through a BookKind.
 *
 * Books that are stored in the order of their keys can also be merged as they
 * are stored, in one walk through both (book_merge.c).
 *
 * Stored: kind, version, key type, form (the capability's), number of keys (4
 * bytes), rows skipped (8), keys, then the capability's tail.
 */
#ifndef CUSTMART_BOOK_H
#define CUSTMART_BOOK_H

#include "custmart.h"

#include "shared/byte_buffer.h"
#include "shared/keytable.h"
#include "lib/stringinfo.h"
#include "shared/stored_value.h"
#include "utils/expandeddatum.h"

#define BOOK_HEADER_SIZE 16

typedef struct Book Book;
typedef struct BookKind BookKind;

/* A stored book, opened for reading. */
typedef struct BookReader
{
	bytea	   *stored;
	bool		is_copy;		/* made when it was opened */
	KeyType		key_type;
	uint8		form;
	uint32		count;
	int64		rows_skipped;
	const uint8 *keys;
	const uint8 *tail;
	Size		tail_size;
} BookReader;

/* Reads the keys of a stored book one after the other. */
typedef struct BookKeyCursor
{
	KeyType		key_type;
	const uint8 *key;			/* KEY_BYTES: its length */
	const uint8 *bytes;
} BookKeyCursor;

struct BookKind
{
	StoredType	type;			/* name and checker */
	uint8		stored_kind;
	uint8		stored_version;
	Size		payload_size;	/* of one key, zeros at first */
	Size		row_size;		/* of one pending row */
	bool		sorted;			/* stored in ascending order of the keys */
	const char *form_hint;		/* what to do about parts of different forms, if there are forms */
	const char *size_hint;		/* and about a book that is too large */

	/* Makes book->extra; may be NULL. */
	void		(*init) (Book *book);

	/* Adds n rows to the payloads of the entries, in the rows' order. */
	void		(*apply) (Book *book, const uint32 *entries, const void *rows, int n);

	/*
	 * Of sorted kinds that are merged as they are stored, and which therefore need
	 * none of copy, merge and store_tail.  tail_size is never asked to be exact.
	 *
	 * take_part: notes what a stored book says that is about to be a part of this
	 * one, and raises an error if it does not fit.
	 *
	 * append_tail: writes the tail of the table's keys, in the order of book->order,
	 * and empties the extra.
	 *
	 * merge_tails: writes the tail of n stored books merged.  A step is a member of
	 * one of them, tells which, and whether the next one has the same key.
	 */
	void		(*take_part) (Book *book, const BookReader *part);
	void		(*append_tail) (Book *book, ByteBuffer *buffer);
	void		(*merge_tails) (const Book *book, const BookReader *parts, int n,
								const uint8 *steps, Size nsteps, ByteBuffer *buffer);

	/* Fills an empty extra with a copy; only of books of form 0.  May be NULL: merge will do. */
	void		(*copy) (Book *book, const Book *source);

	/* Merges the tail of a stored book; entries[i] is where its key i stands. */
	void		(*merge) (Book *book, const BookReader *source, const uint32 *entries);

	/*
	 * Everything stored after the keys.  The size is asked for after every
	 * batch; then, not exact, it must be quick and may be a little too low.
	 */
	Size		(*tail_size) (Book *book, bool exact);
	void		(*store_tail) (Book *book, uint8 *bytes);

	/* What is wrong with the tail of a sorted book from outside, beyond its checker.  May be NULL. */
	const char *(*check_foreign) (const BookReader *source);
};

#define BOOK_PARTS_MAX 64

/* A step of merging parts: the number of one, and a flag. */
#define BOOK_STEP_PART 0x3F
#define BOOK_STEP_SAME_KEY 0x80

struct Book
{
	ExpandedObjectHeader hdr;
	const BookKind *kind;
	uint8		form;
	KeyTable	table;
	int64		rows_skipped;	/* beside those of the parts */
	void	   *extra;			/* the capability's */
	bool		is_broken;		/* something is being added, or could not be */
	bool		canonical;		/* keys are in order: store the tail so, too */
	uint32	   *order;			/* while a sorted book is stored: its entries in order */
	bool		is_full;		/* the table is to become a part: set by apply */

	/* Stored books that belong to this one, beside what is in the table. */
	bytea	   *parts[BOOK_PARTS_MAX];
	int			nparts;
	int64		parts_skipped;	/* rows skipped of all parts */
	MemoryContext table_context;	/* of the table, so that it can be emptied */

	int			pending;		/* rows not yet applied */
	Key			pending_keys[KEYTABLE_BATCH];
	char	   *pending_rows;
	StringInfoData pending_bytes;	/* texts of pending rows */
};

extern Book *book_make(const BookKind *kind, KeyType key_type, uint8 form, MemoryContext parent);
extern const ExpandedObjectMethods book_methods;
extern Book *book_of_other_state(FunctionCallInfo fcinfo, const BookKind *kind,
								 KeyType key_type, uint8 form);
extern void book_flush(Book *book);
extern void book_merge(Book *book, Datum source);
extern Datum book_combine(FunctionCallInfo fcinfo, const BookKind *kind);
extern Datum book_add(FunctionCallInfo fcinfo, const BookKind *kind);

/* book_merge.c */
extern void book_add_part(Book *book, const BookReader *part);
extern void book_store_table(Book *book);
extern bytea *book_stored(Book *book);

/* For book_merge.c alone. */
extern void book_check_same(const Book *book, KeyType key_type, uint8 form);
extern void book_check_size(const Book *book, Size size, uint32 count);
extern void book_add_skipped(int64 *rows_skipped, int64 more);
extern uint8 *book_store_header(const Book *book, uint32 count, int64 rows_skipped, uint8 *bytes);

extern void book_open(BookReader *reader, Datum value, const BookKind *kind);
extern const char *book_read_header(BookReader *reader, const BookKind *kind,
									const uint8 *bytes, Size length);
extern void book_key_cursor(BookKeyCursor *cursor, const BookReader *reader);
extern Key	book_next_key(BookKeyCursor *cursor);
extern int	book_compare(FunctionCallInfo fcinfo, const BookKind *kind);
extern bytea *book_canonical(Datum value, const BookKind *kind);
extern const char *book_check_order(const BookReader *reader);
extern Datum book_in(FunctionCallInfo fcinfo, const BookKind *kind);
extern Datum book_out(FunctionCallInfo fcinfo, const BookKind *kind);
extern Datum book_recv(FunctionCallInfo fcinfo, const BookKind *kind);
extern Datum book_rows_skipped(FunctionCallInfo fcinfo, const BookKind *kind);
extern Datum book_key_count(FunctionCallInfo fcinfo, const BookKind *kind);
extern Oid	book_key_oid(KeyType key_type);
extern void book_check_key_type(const BookReader *reader, const BookKind *kind, Oid asked,
								const char *keys, const char *function, const char *arguments);
extern Datum book_key_datum(KeyType key_type, const Key *key);

/* True if books of this kind are merged as they are stored. */
static inline bool
book_has_parts(const BookKind *kind)
{
	return kind->merge_tails != NULL;
}

/*
 * The state of an aggregate, argument 0 of its transition function: the book
 * being built, at every row but the first, or a new one.
 */
static inline Book *
book_of_state(FunctionCallInfo fcinfo, const BookKind *kind, KeyType key_type, uint8 form)
{
	if (likely(!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)) &&
			   AggCheckCallContext(fcinfo, NULL)))
	{
		Book	   *book = (Book *) DatumGetEOHP(PG_GETARG_DATUM(0));

		if (likely(book->hdr.eoh_methods == &book_methods && book->kind == kind &&
				   book->table.key_type == key_type && book->form == form))
			return book;
	}
	return book_of_other_state(fcinfo, kind, key_type, form);
}

/*
 * The place for one more row, its key to be put into *key; call book_push when
 * it is filled in.
 */
static inline void *
book_next_row(Book *book, Key **key)
{
	*key = &book->pending_keys[book->pending];
	return book->pending_rows + book->pending * book->kind->row_size;
}

static inline void
book_push(Book *book)
{
	if (++book->pending == KEYTABLE_BATCH || book->pending_bytes.len > 1024 * 1024)
		book_flush(book);
}

/*
 * Keeps bytes until the next flush; returns their offset, to be turned into a
 * pointer when the batch is applied, for the buffer moves when it grows.
 */
static inline Size
book_keep_bytes(Book *book, const char *data, uint32 length)
{
	Size		offset = book->pending_bytes.len;

	appendBinaryStringInfo(&book->pending_bytes, data, length);
	return offset;
}

/*
 * The functions of a type that is a book: in, out and recv; combine, which merges
 * argument 1 into the state of an aggregate, and so is rollup's transition
 * function, too; add, the operator +; rows_skipped, rows left out.
 */
#define BOOK_FUNCTIONS(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_in); \
Datum custmart_##type##_in(PG_FUNCTION_ARGS) { return book_in(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_out); \
Datum custmart_##type##_out(PG_FUNCTION_ARGS) { return book_out(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_recv); \
Datum custmart_##type##_recv(PG_FUNCTION_ARGS) { return book_recv(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_combine); \
Datum custmart_##type##_combine(PG_FUNCTION_ARGS) { return book_combine(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_add); \
Datum custmart_##type##_add(PG_FUNCTION_ARGS) { return book_add(fcinfo, kind); } \
CUSTMART_FUNCTION(custmart_##type##_rows_skipped); \
Datum custmart_##type##_rows_skipped(PG_FUNCTION_ARGS) { return book_rows_skipped(fcinfo, kind); }

/* member_count, of a book whose keys are members: how many there are. */
#define BOOK_MEMBER_COUNT(type, kind) \
CUSTMART_FUNCTION(custmart_##type##_member_count); \
Datum custmart_##type##_member_count(PG_FUNCTION_ARGS) { return book_key_count(fcinfo, kind); }

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

#endif							/* CUSTMART_BOOK_H */
