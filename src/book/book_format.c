/*
 * book_format.c
 *	  Stored books: header, keys and checks; their text and binary forms.
 */
#include "book/book_format.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "shared/bytes.h"
#include "utils/builtins.h"

/* Raises the error for a book that would be too large at rest. */
void
book_check_size(const BookFormat *format, Size size, uint32 count)
{
	if (unlikely(size > STORED_SIZE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s cannot be larger than %zu MB", format->type.name,
						((Size) STORED_SIZE_MAX + 512 * 1024) / (1024 * 1024)),
				 errdetail_plural("It has %u key.", "It has %u keys.", count, count),
				 errhint("%s", format->size_hint)));
}

/* Adds up numbers of rows skipped. */
void
book_add_skipped(int64 *rows_skipped, int64 more)
{
	if (pg_add_s64_overflow(*rows_skipped, more, rows_skipped))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of rows skipped is out of range")));
}

/* ---------- the header ---------- */

/* Writes the common header of all books; returns its end. */
uint8 *
book_store_header(const BookFormat *format, KeyType key_type, uint8 form,
				  uint32 count, int64 rows_skipped, uint8 *bytes)
{
	bytes[0] = format->stored_kind;
	bytes[1] = format->stored_version;
	bytes[2] = key_type;
	bytes[3] = form;
	return store_u64(store_u32(bytes + 4, count), (uint64) rows_skipped);
}

/*
 * The end of so many stored keys, which begin here; NULL if they are truncated.
 * Their order is not checked.
 */
const uint8 *
book_skip_keys(KeyType key_type, uint32 count, const uint8 *keys, const uint8 *end)
{
	const uint8 *at = keys;
	Size		size;

	switch (key_type)
	{
		case KEY_INT64:
			for (uint32 i = 0; i < count && at != NULL; i += Min(count - i, (uint32) PACKED_ROWS))
			{
				check_interrupts(i / PACKED_ROWS);
				at = packed_skip(at, end, (int) Min(count - i, (uint32) PACKED_ROWS));
			}
			return at;
		case KEY_FIXED16:
			size = (Size) count * 16;
			break;
		case KEY_BYTES:
			size = (Size) count * 4;
			for (uint32 i = 0; i < count && size <= (Size) (end - keys); i++)
			{
				check_interrupts(i);
				size += load_u32(keys + (Size) i * 4);
			}
			break;
		default:
			return NULL;
	}
	return size <= (Size) (end - keys) ? keys + size : NULL;
}

/*
 * Reads the common header of all books and finds where keys and tail begin;
 * returns what is wrong, or NULL.  Neither the order of the keys nor the tail is
 * checked.
 */
const char *
book_read_header(BookReader *reader, const BookFormat *format, const uint8 *bytes, Size length)
{
	if (length < BOOK_HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != format->stored_kind)
		return "it is of another type";
	if (bytes[1] != format->stored_version)
		return "its version is unknown";
	reader->key_type = bytes[2];
	reader->form = bytes[3];
	reader->count = load_u32(bytes + 4);
	reader->rows_skipped = (int64) load_u64(bytes + 8);
	if (reader->rows_skipped < 0)
		return "its number of rows skipped is out of range";
	reader->keys = bytes + BOOK_HEADER_SIZE;
	if (reader->key_type != KEY_INT64 && reader->key_type != KEY_FIXED16 && reader->key_type != KEY_BYTES)
		return "its type of key is unknown";
	reader->tail = book_skip_keys(reader->key_type, reader->count, reader->keys, bytes + length);
	if (reader->tail == NULL)
		return "its keys are truncated";
	reader->tail_size = bytes + length - reader->tail;
	return NULL;
}

/* Opens stored bytes that were checked. */
void
book_read_stored(BookReader *reader, const BookFormat *format, bytea *stored)
{
	reader->stored = stored;
	(void) book_read_header(reader, format, (const uint8 *) VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored));
}

/* ---------- keys ---------- */

/* Opens the block that begins here, if there is one more. */
static inline void
open_block(BookKeyCursor *cursor, const uint8 *bytes)
{
	if (cursor->left == 0)
		return;
	cursor->block = packed_open(bytes);
	cursor->key = cursor->block.numbers;
	cursor->left_in_block = (int) Min(cursor->left, PACKED_ROWS);
}

/* Positions a cursor before the first key of a checked book. */
void
book_key_cursor(BookKeyCursor *cursor, const BookReader *reader)
{
	cursor->key_type = reader->key_type;
	cursor->left = reader->count;
	cursor->key = reader->keys;
	cursor->bytes = reader->keys + (Size) reader->count * 4;
	cursor->left_in_block = 0;
	if (reader->key_type == KEY_INT64)
		open_block(cursor, reader->keys);
}

/* Passes the next key. */
void
book_advance(BookKeyCursor *cursor)
{
	cursor->left--;
	switch (cursor->key_type)
	{
		case KEY_INT64:
			cursor->key += cursor->block.width;
			if (--cursor->left_in_block == 0)
				open_block(cursor, cursor->key);
			break;
		case KEY_FIXED16:
			cursor->key += 16;
			break;
		case KEY_BYTES:
			cursor->bytes += load_u32(cursor->key);
			cursor->key += 4;
			break;
		case KEY_FIXED20:
			break;
	}
}

/* The next key, which is passed; bytes are not copied. */
Key
book_next_key(BookKeyCursor *cursor)
{
	Key			key = {0};

	switch (cursor->key_type)
	{
		case KEY_INT64:
			key.number = packed_number(&cursor->block, cursor->key);
			break;
		case KEY_FIXED16:
			memcpy(key.fixed, cursor->key, 16);
			break;
		case KEY_BYTES:
			key.bytes.data = (const char *) cursor->bytes;
			key.bytes.length = load_u32(cursor->key);
			break;
		case KEY_FIXED20:
			break;
	}
	book_advance(cursor);
	return key;
}

/* The place of a number among packed ones: the block is found by its smallest. */
static int64
find_number(const BookReader *reader, int64 number)
{
	const uint8 *bytes = reader->keys;
	const uint8 *block_bytes = NULL;
	uint32		begin = 0;
	PackedBlock block;
	int			low = 0;
	int			high;

	for (uint32 i = 0; i < reader->count; i += Min(reader->count - i, (uint32) PACKED_ROWS))
	{
		check_interrupts(i / PACKED_ROWS);
		block = packed_open(bytes);
		if (block.smallest > number)
			break;
		block_bytes = bytes;
		begin = i;
		bytes = block.numbers + Min(reader->count - i, (uint32) PACKED_ROWS) * block.width;
	}
	if (block_bytes == NULL)
		return -1;
	block = packed_open(block_bytes);
	high = (int) Min(reader->count - begin, PACKED_ROWS) - 1;
	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (packed_number(&block, block.numbers + middle * block.width) <= number)
			low = middle;
		else
			high = middle - 1;
	}
	if (packed_number(&block, block.numbers + low * block.width) != number)
		return -1;
	return (int64) begin + low;
}

/* The place of a key in a checked book; -1 if it is not there. */
int64
book_find_key(const BookReader *reader, const Key *key)
{
	BookKeyCursor cursor;

	if (reader->key_type == KEY_INT64)
		return find_number(reader, key->number);
	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		Key			next = book_next_key(&cursor);
		int			order = keytable_compare_keys(reader->key_type, &next, key);

		check_interrupts(i);
		if (order >= 0)
			return order == 0 ? (int64) i : -1;
	}
	return -1;
}

/* Checks that keys that are numbers ascend and are packed as tightly as can be. */
static const char *
check_numbers(const BookReader *reader)
{
	const uint8 *bytes = reader->keys;
	int64		numbers[PACKED_ROWS];
	int64		last = 0;

	for (uint32 i = 0; i < reader->count; i += Min(reader->count - i, (uint32) PACKED_ROWS))
	{
		int			n = (int) Min(reader->count - i, (uint32) PACKED_ROWS);
		const char *wrong = packed_check_and_load(&bytes, reader->tail, n, numbers);
		bool		ascends = i == 0 || last < numbers[0];

		check_interrupts(i / PACKED_ROWS);
		if (wrong != NULL)
			return wrong;
		for (int k = 1; k < n; k++)
			ascends &= numbers[k - 1] < numbers[k];
		if (!ascends)
			return "its keys do not ascend";
		last = numbers[n - 1];
	}
	return NULL;
}

/* Checks that the keys ascend; every checker of a book calls this. */
const char *
book_check_order(const BookReader *reader)
{
	BookKeyCursor cursor;
	Key			last;

	if (reader->key_type == KEY_INT64)
		return check_numbers(reader);
	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		Key			key = book_next_key(&cursor);

		check_interrupts(i);
		if (i > 0 && keytable_compare_keys(reader->key_type, &last, &key) >= 0)
			return "its keys do not ascend";
		last = key;
	}
	return NULL;
}

/* True if text keys are text in the encoding of this database. */
bool
book_keys_are_text(const BookReader *reader)
{
	BookKeyCursor cursor;

	if (reader->key_type != KEY_BYTES)
		return true;
	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		Key			key = book_next_key(&cursor);

		check_interrupts(i);
		if (!pg_verifymbstr(key.bytes.data, (int) key.bytes.length, true))
			return false;
	}
	return true;
}

/* The SQL type of a type of key. */
Oid
book_key_oid(KeyType key_type)
{
	return key_type == KEY_INT64 ? INT8OID : key_type == KEY_FIXED16 ? UUIDOID : TEXTOID;
}

/* A key as a Datum; a uuid points into *key, a text is new. */
Datum
book_key_datum(KeyType key_type, const Key *key)
{
	switch (key_type)
	{
		case KEY_INT64:
			return Int64GetDatum(key->number);
		case KEY_FIXED16:
			return PointerGetDatum(key->fixed);
		case KEY_BYTES:
			return PointerGetDatum(cstring_to_text_with_len(key->bytes.data, (int) key->bytes.length));
		case KEY_FIXED20:
			break;
	}
	pg_unreachable();
}

/* Raises an error unless keys have the type asked for; its hint is how to call the function. */
void
book_check_key_type(const BookReader *reader, const BookFormat *format, Oid asked,
					const char *keys, const char *function, const char *arguments)
{
	Oid			own = book_key_oid(reader->key_type);

	if (asked != own)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s of this %s are %s, not %s", keys, format->type.name,
						format_type_be(own), format_type_be(asked)),
				 errhint("Call %s(NULL::%s, %s).", function, format_type_be(own), arguments)));
}

/* ---------- text and binary ---------- */

/*
 * Checks what the checker leaves out because reads are frequent and bytes from
 * outside are rare: that keys and names are text in this database's encoding.
 */
static const char *
check_encoding(bytea *stored, const BookFormat *format)
{
	BookReader	reader;

	book_read_stored(&reader, format, stored);
	if (!book_keys_are_text(&reader))
		return "a key is not text in the encoding of this database";
	return format->check_encoding == NULL ? NULL : format->check_encoding(&reader);
}

/* The input function of a book: the text form; soft errors. */
Datum
book_in(FunctionCallInfo fcinfo, const BookFormat *format)
{
	char	   *text = PG_GETARG_CSTRING(0);
	bytea	   *value = stored_from_base64(text, &format->type, INPUT_ERROR_CONTEXT(fcinfo));
	const char *wrong = value == NULL ? NULL : check_encoding(value, format);

	if (wrong != NULL)
		return stored_input_error(text, &format->type, wrong,
								  "Only text written by custmart can be read.",
								  INPUT_ERROR_CONTEXT(fcinfo));
	PG_RETURN_POINTER(value);
}

/* The output function: the text form. */
Datum
book_out(FunctionCallInfo fcinfo, const BookFormat *format)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &format->type), &format->type));
}

/* The recv function: the stored bytes, checked. */
Datum
book_recv(FunctionCallInfo fcinfo, const BookFormat *format)
{
	bytea	   *value = stored_recv(fcinfo, &format->type);
	const char *wrong = check_encoding(value, format);

	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary %s is not valid: %s", format->type.name, wrong),
				 errhint("Only bytes written by custmart in a database of the same encoding can be read.")));
	PG_RETURN_BYTEA_P(value);
}
