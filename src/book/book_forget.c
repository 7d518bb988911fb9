/*
 * book_forget.c
 *	  Books without some of their keys: the book that all other rows would have made.
 *
 * The keys to forget are put in order and looked for as the book is walked once.
 * What the capability keeps of the others is copied by its filter_tail.
 */
#include "book/book_forget.h"

#include "book/book.h"
#include "book/book_merge.h"
#include "catalog/pg_type.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "utils/array.h"
#include "utils/builtins.h"

static int
compare_keys(const void *a, const void *b, void *key_type)
{
	return keytable_compare_keys(*(const KeyType *) key_type, a, b);
}

/* A Datum as a key; the bytes of a text stay where they are. */
static Key
key_of(KeyType key_type, Datum value)
{
	Key			key;

	memset(&key, 0, sizeof(key));
	if (key_type == KEY_INT64)
		key.number = DatumGetInt64(value);
	else if (key_type == KEY_FIXED16)
		memcpy(key.fixed, DatumGetPointer(value), 16);
	else
	{
		text	   *t = DatumGetTextPP(value);

		key.bytes.data = VARDATA_ANY(t);
		key.bytes.length = (uint32) VARSIZE_ANY_EXHDR(t);
	}
	return key;
}

/* Finds the keys, which ascend, in a book; writes their places and returns how many are there. */
static uint32
find_places(const BookReader *reader, const Key *keys, Size n, uint32 *places)
{
	BookKeyCursor cursor;
	Size		next = 0;
	uint32		found = 0;

	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count && next < n; i++)
	{
		Key			key = book_next_key(&cursor);
		int			order = -1;

		check_interrupts(i);
		while (next < n && (order = keytable_compare_keys(reader->key_type, &keys[next], &key)) < 0)
			next++;
		if (next < n && order == 0)
			places[found++] = i;
	}
	return found;
}

/*
 * Numbers names anew, such as items, that those who are left still use: number[i] is 0 for a name
 * that nobody uses, and becomes the new number of every other.  Sets the filter of the names,
 * and returns the list in it, which the caller frees.
 */
uint32 *
book_renumber_used(uint32 *number, uint32 n, BookFilter *names)
{
	uint32	   *dropped = large_alloc(CurrentMemoryContext, Max((Size) n, 1) * sizeof(uint32));

	*names = (BookFilter) {.dropped = dropped};
	for (uint32 i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (number[i] != 0)
			number[i] = names->count++;
		else
			dropped[names->ndropped++] = i;
	}
	return dropped;
}

/* Writes the keys that are left, which are numbers. */
static void
filter_numbers(const BookReader *reader, BookFilter filter, ByteBuffer *buffer)
{
	const uint8 *bytes = reader->keys;
	int64		numbers[PACKED_ROWS];
	int64		kept[PACKED_ROWS];
	int			n = 0;
	int			nkept = 0;

	for (uint32 i = 0; i < reader->count; i++)
	{
		if (i % PACKED_ROWS == 0)
		{
			check_interrupts(i);
			n = (int) Min(reader->count - i, PACKED_ROWS);
			bytes = packed_load(bytes, n, numbers);
		}
		if (book_filter_keeps(&filter, i))
			kept[nkept++] = numbers[i % PACKED_ROWS];
		if (nkept == PACKED_ROWS || (nkept > 0 && i + 1 == reader->count))
		{
			buffer_advance(buffer, packed_store(kept, nkept, buffer_reserve(buffer, PACKED_SIZE_MAX(nkept))));
			nkept = 0;
		}
	}
}

/* The same for other keys, whose bytes are copied. */
static void
filter_bytes(const BookReader *reader, BookFilter filter, ByteBuffer *buffer)
{
	BookKeyCursor cursor;
	uint8	   *key = buffer_reserve(buffer, reader->tail - reader->keys);
	uint8	   *bytes = key + (Size) filter.count * 4;

	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		check_interrupts(i);
		if (book_filter_keeps(&filter, i))
		{
			if (reader->key_type == KEY_FIXED16)
			{
				memcpy(key, cursor.key, 16);
				key += 16;
			}
			else
			{
				uint32		length = load_u32(cursor.key);

				key = store_u32(key, length);
				memcpy(bytes, cursor.bytes, length);
				bytes += length;
			}
		}
		book_advance(&cursor);
	}
	buffer_advance(buffer, reader->key_type == KEY_FIXED16 ? key : bytes);
}

/* Writes the keys that are left, of a book or of a list that is stored in the same way. */
void
book_filter_keys(const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer)
{
	if (reader->key_type == KEY_INT64)
		filter_numbers(reader, *filter, buffer);
	else
		filter_bytes(reader, *filter, buffer);
}

/* A checked book without the keys at some places. */
static bytea *
without(const BookFormat *format, const BookReader *reader, const BookFilter *filter)
{
	ByteBuffer	buffer;
	bytea	   *stored;

	/* What is left takes hardly ever more. */
	buffer_init(&buffer, VARHDRSZ + VARSIZE_ANY(reader->stored), CurrentMemoryContext);
	buffer_advance(&buffer, buffer.data + VARHDRSZ + BOOK_HEADER_SIZE);
	book_filter_keys(reader, filter, &buffer);
	(void) book_store_header(format, reader->key_type, reader->form, filter->count, reader->rows_skipped,
							 buffer.data + VARHDRSZ);
	format->filter_tail(format, reader, filter, &buffer);
	stored = book_finish(format, &buffer, filter->count);
	Assert(format->type.check((const uint8 *) VARDATA(stored), VARSIZE(stored) - VARHDRSZ) == NULL);
	return stored;
}

/* Forgets keys, which need not be in order, of the book that is argument 0. */
static Datum
forget_keys(FunctionCallInfo fcinfo, const BookFormat *format, KeyType key_type, const char *noun, Key *keys, Size n)
{
	BookReader	reader;
	uint32	   *places;
	BookFilter	filter = {0};

	book_open(&reader, PG_GETARG_DATUM(0), format);
	if (reader.key_type != key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s of this %s are %s, not %s", noun, format->type.name,
						format_type_be(book_key_oid(reader.key_type)), format_type_be(book_key_oid(key_type))),
				 errhint("Give them as %s.", format_type_be(book_key_oid(reader.key_type)))));
	qsort_interruptible(keys, n, sizeof(Key), compare_keys, &key_type);
	places = large_alloc(CurrentMemoryContext, Max(Min(n, (Size) reader.count), 1) * sizeof(uint32));
	filter.dropped = places;
	filter.ndropped = find_places(&reader, keys, n, places);
	filter.count = reader.count - filter.ndropped;
	if (filter.ndropped == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (filter.count == 0 && reader.rows_skipped == 0)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(without(format, &reader, &filter));
}

/* forget(book, key): argument 1 is the key to forget. */
Datum
book_forget(FunctionCallInfo fcinfo, const BookFormat *format, KeyType key_type, const char *noun)
{
	Key			key;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s to forget must not be NULL", noun),
				 errhint("NULL is in no book: look up whose key it should have been.")));
	key = key_of(key_type, PG_GETARG_DATUM(1));
	return forget_keys(fcinfo, format, key_type, noun, &key, 1);
}

/* forget(book, keys): argument 1 is an array of keys to forget. */
Datum
book_forget_list(FunctionCallInfo fcinfo, const BookFormat *format, KeyType key_type, const char *noun)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	Key		   *keys;
	int			n;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the list of %s to forget must not be NULL", noun),
				 errhint("Give an empty array if there are none.")));
	array = PG_GETARG_ARRAYTYPE_P(1);
	if (key_type == KEY_INT64)
		deconstruct_array(array, INT8OID, 8, true, TYPALIGN_DOUBLE, &elements, &nulls, &n);
	else if (key_type == KEY_FIXED16)
		deconstruct_array(array, UUIDOID, 16, false, TYPALIGN_CHAR, &elements, &nulls, &n);
	else
		deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	keys = large_alloc(CurrentMemoryContext, (Size) Max(n, 1) * sizeof(Key));
	for (int i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the list of %s to forget must not contain NULL", noun),
					 errhint("NULL is in no book: look up whose key it should have been.")));
		keys[i] = key_of(key_type, elements[i]);
	}
	return forget_keys(fcinfo, format, key_type, noun, keys, (Size) n);
}
