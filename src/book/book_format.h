/*
 * book_format.h
 *	  Books as they are stored.
 *
 * A book is a summary for every key of a table, in one value: a list in the
 * order of the keys, so that equal books have equal bytes and books are merged
 * as sorted lists (book_merge.h).  docs/storage-format.md specifies every byte.
 *
 * Stored: kind, version, key type, form (the capability's), number of keys (4
 * bytes), rows skipped (8), keys in ascending order (numbers as a packed column),
 * then the capability's tail.
 */
#ifndef CUSTMART_BOOK_FORMAT_H
#define CUSTMART_BOOK_FORMAT_H

#include "custmart.h"

#include "shared/byte_buffer.h"
#include "shared/keytable.h"
#include "shared/packed_column.h"
#include "shared/stored_value.h"

#define BOOK_HEADER_SIZE 16

typedef struct BookFormat BookFormat;

/* A stored book, opened for reading. */
typedef struct BookReader
{
	bytea	   *stored;
	KeyType		key_type;
	uint8		form;
	uint32		count;
	int64		rows_skipped;
	const uint8 *keys;
	const uint8 *tail;
	Size		tail_size;
} BookReader;

/* Reads the keys of a stored book one by one. */
typedef struct BookKeyCursor
{
	KeyType		key_type;
	uint32		left;			/* the next key and those behind it */
	const uint8 *key;			/* KEY_BYTES: its length */
	const uint8 *bytes;
	PackedBlock block;			/* KEY_INT64: where the next key is */
	int			left_in_block;
} BookKeyCursor;

/* The order of all keys of several books: for each, which book it comes from. */
typedef struct BookMergeOrder
{
	uint8	   *source;			/* number of the book, and whether the next key is the same */
	Size		n;
	uint32		count;			/* of different keys */
} BookMergeOrder;

/* The keys of a book that are left when some are forgotten. */
typedef struct BookFilter
{
	const uint32 *dropped;		/* the places of the others, ascending */
	uint32		ndropped;
	uint32		count;			/* of keys that are left */
	uint32		next;			/* the next place to be dropped: of a copy by which a book is walked */
} BookFilter;

#define BOOK_PARTS_MAX 64
#define BOOK_ORDER_PART 0x3F
#define BOOK_ORDER_SAME_KEY 0x80

/* What a capability defines about its stored books. */
struct BookFormat
{
	StoredType	type;			/* name and checker */
	uint8		stored_kind;
	uint8		stored_version;
	const char *form_hint;		/* what to do about parts of different forms, if there are forms */
	const char *size_hint;		/* and about a book that is too large */

	/* What is wrong with the tail of a book from outside, beyond its checker.  May be NULL. */
	const char *(*check_encoding) (const BookReader *reader);

	/* Writes the merged tail of several books, which are known to fit together. */
	void		(*merge_tails) (const BookFormat *format, const BookReader *parts, int n,
								const BookMergeOrder *order, ByteBuffer *buffer);

	/* Writes the tail that a book would have had without some of its keys.  NULL if there is no forget. */
	void		(*filter_tail) (const BookFormat *format, const BookReader *reader,
								const BookFilter *filter, ByteBuffer *buffer);
};

/* Whether a key stays; asked of one after the other, and of a copy of the filter. */
static inline bool
book_filter_keeps(BookFilter *filter, uint32 place)
{
	if (likely(filter->next == filter->ndropped || filter->dropped[filter->next] != place))
		return true;
	filter->next++;
	return false;
}

extern const char *book_read_header(BookReader *reader, const BookFormat *format,
									const uint8 *bytes, Size length);
extern uint8 *book_store_header(const BookFormat *format, KeyType key_type, uint8 form,
								uint32 count, int64 rows_skipped, uint8 *bytes);
extern void book_read_stored(BookReader *reader, const BookFormat *format, bytea *stored);
extern const uint8 *book_skip_keys(KeyType key_type, uint32 count, const uint8 *keys, const uint8 *end);
extern void book_key_cursor(BookKeyCursor *cursor, const BookReader *reader);
extern void book_advance(BookKeyCursor *cursor);
extern Key	book_next_key(BookKeyCursor *cursor);
extern int64 book_find_key(const BookReader *reader, const Key *key);
extern const char *book_check_order(const BookReader *reader);
extern bool book_keys_are_text(const BookReader *reader);
extern void book_check_size(const BookFormat *format, Size size, uint32 count);
extern void book_add_skipped(int64 *rows_skipped, int64 more);

extern Oid	book_key_oid(KeyType key_type);
extern Datum book_key_datum(KeyType key_type, const Key *key);
extern void book_check_key_type(const BookReader *reader, const BookFormat *format, Oid asked,
								const char *keys, const char *function, const char *arguments);

extern Datum book_in(FunctionCallInfo fcinfo, const BookFormat *format);
extern Datum book_out(FunctionCallInfo fcinfo, const BookFormat *format);
extern Datum book_recv(FunctionCallInfo fcinfo, const BookFormat *format);

#endif							/* CUSTMART_BOOK_FORMAT_H */
