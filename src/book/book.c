/*
 * book.c
 *	  Building, merging, flattening and reading books.
 */
#include "book/book.h"

#include "shared/bytes.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

static Size book_flat_size(ExpandedObjectHeader *header);
static void book_flatten(ExpandedObjectHeader *header, void *result, Size allocated);

const ExpandedObjectMethods book_methods = {book_flat_size, book_flatten};

/*
 * The largest book whose text form, in base64 and beside other columns, still
 * is below 1 GB: a larger one could be made, but not dumped.
 */
#define BOOK_SIZE_MAX (MaxAllocSize / 16 * 11)

/* Raises the error for a book that would be too large at rest. */
void
book_check_size(const Book *book, Size size, uint32 count)
{
	if (unlikely(size > BOOK_SIZE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s cannot be larger than %zu MB", book->kind->type.name,
						((Size) BOOK_SIZE_MAX + 512 * 1024) / (1024 * 1024)),
				 errdetail_plural("It has %u key.", "It has %u keys.", count, count),
				 errhint("%s", book->kind->size_hint)));
}

/* What the table takes at rest; not exact, it is quick and may be a little too low. */
static Size
check_size(Book *book, bool exact)
{
	Size		size = VARHDRSZ + BOOK_HEADER_SIZE + keytable_stored_size(&book->table) +
		book->kind->tail_size(book, exact);

	book_check_size(book, size, book->table.count);
	return size;
}

/* Makes an empty book in a memory context of its own below `parent`. */
Book *
book_make(const BookKind *kind, KeyType key_type, uint8 form, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "custmart book", ALLOCSET_DEFAULT_SIZES);
	Book	   *book = MemoryContextAllocZero(context, sizeof(Book));
	MemoryContext old = MemoryContextSwitchTo(context);

	EOH_init_header(&book->hdr, &book_methods, context);
	book->kind = kind;
	book->form = form;
	book->table_context = book_has_parts(kind) ?
		AllocSetContextCreate(context, "custmart book table", ALLOCSET_START_SMALL_SIZES) : context;
	keytable_init(&book->table, key_type, kind->payload_size, book->table_context);
	book->pending_rows = palloc(kind->row_size * KEYTABLE_BATCH);
	initStringInfo(&book->pending_bytes);
	if (kind->init != NULL)
		kind->init(book);
	MemoryContextSwitchTo(old);
	return book;
}

static const char *
key_type_name(KeyType key_type)
{
	return format_type_be(book_key_oid(key_type));
}

/* Raises an error unless a book of these keys and form can be merged into this one. */
void
book_check_same(const Book *book, KeyType key_type, uint8 form)
{
	if (book->table.key_type != key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot merge %s whose keys are %s with one whose keys are %s",
						book->kind->type.name, key_type_name(book->table.key_type),
						key_type_name(key_type)),
				 errhint("Make all parts with the same type of key.")));
	if (book->form != form)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot merge two %s of different forms", book->kind->type.name),
				 errhint("%s", book->kind->form_hint)));
}

/* The expanded book of this kind that a value points to, or NULL. */
static Book *
expanded_book(Datum value, const BookKind *kind)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(value);

		if (header->eoh_methods == &book_methods && ((Book *) header)->kind == kind)
			return (Book *) header;
	}
	return NULL;
}

/* The same where it may be written to. */
static Book *
writable_book(Datum value, const BookKind *kind)
{
	return VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)) ? expanded_book(value, kind) : NULL;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo, const BookKind *kind)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("support function of aggregates over %s called outside of an aggregate", kind->type.name)));
	return context;
}

/* The rarer cases of book_of_state: no state yet, a flat one, one that does not fit. */
Book *
book_of_other_state(FunctionCallInfo fcinfo, const BookKind *kind, KeyType key_type, uint8 form)
{
	MemoryContext context = aggregate_context(fcinfo, kind);
	Book	   *book;

	if (PG_ARGISNULL(0))
		return book_make(kind, key_type, form, context);
	book = writable_book(PG_GETARG_DATUM(0), kind);
	if (book == NULL)
	{
		book = book_make(kind, key_type, form, context);
		book_merge(book, PG_GETARG_DATUM(0));
	}
	else
		book_check_same(book, key_type, form);
	return book;
}

/* Applies the pending rows. */
void
book_flush(Book *book)
{
	uint32		entries[KEYTABLE_BATCH];
	int			n = book->pending;

	/* Whoever catches an error must not go on with half of the rows. */
	if (unlikely(book->is_broken))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is not complete, because an error broke it off", book->kind->type.name),
				 errhint("Make it anew.")));
	if (n == 0)
		return;
	book->is_broken = true;
	if (book->table.key_type == KEY_BYTES)
		for (int i = 0; i < n; i++)
			book->pending_keys[i].bytes.data =
				book->pending_bytes.data + (Size) book->pending_keys[i].bytes.data;

	book->pending = 0;
	keytable_locate(&book->table, book->pending_keys, n, entries);
	book->kind->apply(book, entries, book->pending_rows, n);
	resetStringInfo(&book->pending_bytes);
	check_size(book, false);
	if (unlikely(book->is_full))
		book_store_table(book);
	book->is_broken = false;
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

/* Finds or makes the entries of all keys of a book; entries may be NULL. */
static void
locate_all(Book *book, const BookReader *reader, uint32 *entries)
{
	BookKeyCursor cursor;
	Key			keys[KEYTABLE_BATCH];
	uint32		found[KEYTABLE_BATCH];

	keytable_reserve(&book->table, Max(book->table.count, reader->count));
	book_key_cursor(&cursor, reader);
	for (uint32 done = 0; done < reader->count;)
	{
		int			n = Min(KEYTABLE_BATCH, reader->count - done);

		for (int i = 0; i < n; i++)
			keys[i] = book_next_key(&cursor);
		keytable_locate(&book->table, keys, n, entries != NULL ? entries + done : found);
		done += n;
	}
}

/* Merges an opened book into this one. */
static void
merge_opened(Book *book, const BookReader *reader)
{
	uint32	   *entries;

	if (book_has_parts(book->kind))
	{
		book_add_part(book, reader);
		return;
	}
	book_flush(book);
	book_check_same(book, reader->key_type, reader->form);
	book->is_broken = true;
	entries = MemoryContextAllocHuge(CurrentMemoryContext,
									 Max((Size) reader->count, 1) * sizeof(uint32));
	locate_all(book, reader, entries);
	book->kind->merge(book, reader, entries);
	book_add_skipped(&book->rows_skipped, reader->rows_skipped);
	pfree(entries);
	check_size(book, false);
	book->is_broken = false;
}

/* Frees what book_open made. */
static void
close_reader(BookReader *reader)
{
	if (reader->is_copy)
		pfree(reader->stored);
}

/* Merges a stored book, or an expanded one, into this one. */
void
book_merge(Book *book, Datum source)
{
	BookReader	reader;

	book_open(&reader, source, book->kind);
	merge_opened(book, &reader);
	close_reader(&reader);
}

/*
 * A new book with what a stored or expanded one says.  The leader of a parallel
 * query hands its own part on expanded: that is copied as it stands, which
 * takes a fraction of the time of flattening and building it anew.
 */
static Book *
book_copy(Datum value, const BookKind *kind, MemoryContext context)
{
	Book	   *source = expanded_book(value, kind);
	BookReader	reader;
	Book	   *book;

	if (source != NULL && kind->copy != NULL && source->form == 0 &&
		source->table.key_type != KEY_BYTES)
	{
		book_flush(source);
		book = book_make(kind, source->table.key_type, source->form, context);
		keytable_copy(&book->table, &source->table);
		kind->copy(book, source);
		book->rows_skipped = source->rows_skipped;
		return book;
	}
	book_open(&reader, value, kind);
	book = book_make(kind, reader.key_type, reader.form, context);
	merge_opened(book, &reader);
	close_reader(&reader);
	return book;
}

/*
 * The combine function of an aggregate that makes books, and the transition
 * function of rollup: merges argument 1 into the state, argument 0.
 */
Datum
book_combine(FunctionCallInfo fcinfo, const BookKind *kind)
{
	MemoryContext context = aggregate_context(fcinfo, kind);
	Book	   *book = NULL;

	if (!PG_ARGISNULL(0))
	{
		book = writable_book(PG_GETARG_DATUM(0), kind);
		if (book == NULL)
			book = book_copy(PG_GETARG_DATUM(0), kind, context);
	}
	if (!PG_ARGISNULL(1))
	{
		Datum		source = PG_GETARG_DATUM(1);

		if (book == NULL)
			book = book_copy(source, kind, context);
		else
			book_merge(book, source);
	}
	if (book == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/* The operator +: a new book of two. */
Datum
book_add(FunctionCallInfo fcinfo, const BookKind *kind)
{
	Book	   *book = book_copy(PG_GETARG_DATUM(0), kind, CurrentMemoryContext);

	book_merge(book, PG_GETARG_DATUM(1));
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

static Size
book_flat_size(ExpandedObjectHeader *header)
{
	Book	   *book = (Book *) header;

	if (book_has_parts(book->kind))
		return VARSIZE(book_stored(book));
	book_flush(book);
	return check_size(book, true);
}

/* Writes what all books begin with; returns the end. */
uint8 *
book_store_header(const Book *book, uint32 count, int64 rows_skipped, uint8 *bytes)
{
	bytes[0] = book->kind->stored_kind;
	bytes[1] = book->kind->stored_version;
	bytes[2] = book->table.key_type;
	bytes[3] = book->form;
	return store_u64(store_u32(bytes + 4, count), rows_skipped);
}

static void
book_flatten(ExpandedObjectHeader *header, void *result, Size allocated)
{
	Book	   *book = (Book *) header;
	uint8	   *bytes = (uint8 *) VARDATA(result);
	MemoryContext old;

	if (book_has_parts(book->kind))
	{
		bytea	   *stored = book_stored(book);

		Assert(VARSIZE(stored) == allocated);
		memcpy(result, stored, allocated);
		return;
	}

	/* Whoever flattens may be in a context in which nothing can be freed. */
	old = MemoryContextSwitchTo(book->hdr.eoh_context);
	if (book->kind->sorted)
		book->order = keytable_sorted(&book->table);
	SET_VARSIZE(result, allocated);
	bytes = book_store_header(book, book->table.count, book->rows_skipped, bytes);
	bytes = keytable_store_keys(&book->table, book->order, bytes);
	book->kind->store_tail(book, bytes);
	if (book->order != NULL)
		pfree(book->order);
	book->order = NULL;
	MemoryContextSwitchTo(old);
}

/*
 * Reads the part that all books have and finds where keys and tail begin;
 * returns what is wrong with it, or NULL.  The tail itself is not looked at.
 */
const char *
book_read_header(BookReader *reader, const BookKind *kind, const uint8 *bytes, Size length)
{
	Size		left;
	Size		keys_size;

	if (length < BOOK_HEADER_SIZE)
		return "it is too short";
	if (bytes[0] != kind->stored_kind)
		return "it is of another type";
	if (bytes[1] != kind->stored_version)
		return "its version is unknown";
	reader->key_type = bytes[2];
	reader->form = bytes[3];
	reader->count = load_u32(bytes + 4);
	reader->rows_skipped = (int64) load_u64(bytes + 8);
	if (reader->rows_skipped < 0)
		return "its number of rows skipped is out of range";
	reader->keys = bytes + BOOK_HEADER_SIZE;
	left = length - BOOK_HEADER_SIZE;
	switch (reader->key_type)
	{
		case KEY_INT64:
			keys_size = (Size) reader->count * 8;
			break;
		case KEY_FIXED16:
			keys_size = (Size) reader->count * 16;
			break;
		case KEY_BYTES:
			keys_size = (Size) reader->count * 4;
			if (keys_size > left)
				return "its keys are cut off";
			for (uint32 i = 0; i < reader->count; i++)
			{
				if ((i & 0xFFFF) == 0)
					CHECK_FOR_INTERRUPTS();
				keys_size += load_u32(reader->keys + (Size) i * 4);
				if (keys_size > left)
					return "its keys are cut off";
			}
			break;
		default:
			return "its type of key is unknown";
	}
	if (keys_size > left)
		return "its keys are cut off";
	reader->tail = reader->keys + keys_size;
	reader->tail_size = left - keys_size;
	return NULL;
}

/*
 * Opens a book for reading: flat, whole in memory, checked, unless it was
 * expanded: what is written just now need not be.  It must not change while it
 * is read.
 */
void
book_open(BookReader *reader, Datum value, const BookKind *kind)
{
	Book	   *book = expanded_book(value, kind);

	if (book != NULL && book_has_parts(kind))
	{
		reader->stored = book_stored(book);
		reader->is_copy = false;
	}
	else
	{
		reader->stored = book != NULL ? DatumGetByteaPP(value) : stored_get(value, &kind->type);
		reader->is_copy = (Pointer) reader->stored != DatumGetPointer(value);
	}
	Assert(book == NULL || kind->type.check((const uint8 *) VARDATA_ANY(reader->stored),
											VARSIZE_ANY_EXHDR(reader->stored)) == NULL);
	(void) book_read_header(reader, kind, (const uint8 *) VARDATA_ANY(reader->stored),
							VARSIZE_ANY_EXHDR(reader->stored));
}

/* Number of keys and of rows skipped, without flattening what is in the table alone. */
static void
book_counts(Datum value, const BookKind *kind, uint32 *count, int64 *rows_skipped)
{
	Book	   *book = expanded_book(value, kind);
	BookReader	reader;

	if (book != NULL)
	{
		book_flush(book);
		if (book->nparts == 0)
		{
			*count = book->table.count;
			*rows_skipped = book->rows_skipped;
			return;
		}
	}
	book_open(&reader, value, kind);
	*count = reader.count;
	*rows_skipped = reader.rows_skipped;
}

/* rows_skipped of a book, argument 0. */
Datum
book_rows_skipped(FunctionCallInfo fcinfo, const BookKind *kind)
{
	uint32		count;
	int64		rows_skipped;

	book_counts(PG_GETARG_DATUM(0), kind, &count, &rows_skipped);
	PG_RETURN_INT64(rows_skipped);
}

/* Number of keys of a book, argument 0. */
Datum
book_key_count(FunctionCallInfo fcinfo, const BookKind *kind)
{
	uint32		count;
	int64		rows_skipped;

	book_counts(PG_GETARG_DATUM(0), kind, &count, &rows_skipped);
	PG_RETURN_INT64(count);
}

/* Before the first key of a checked book. */
void
book_key_cursor(BookKeyCursor *cursor, const BookReader *reader)
{
	cursor->key_type = reader->key_type;
	cursor->key = reader->keys;
	cursor->bytes = reader->keys + (Size) reader->count * 4;
}

/* The next key; bytes are not copied. */
Key
book_next_key(BookKeyCursor *cursor)
{
	Key			key = {0};

	switch (cursor->key_type)
	{
		case KEY_INT64:
			key.number = (int64) load_u64(cursor->key);
			cursor->key += 8;
			break;
		case KEY_FIXED16:
			memcpy(key.fixed, cursor->key, 16);
			cursor->key += 16;
			break;
		case KEY_BYTES:
			key.bytes.data = (const char *) cursor->bytes;
			key.bytes.length = load_u32(cursor->key);
			cursor->key += 4;
			cursor->bytes += key.bytes.length;
			break;
		case KEY_FIXED20:
			break;
	}
	return key;
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

/* The keys come out as the type asked for, or not at all; the hint is how to call the function. */
void
book_check_key_type(const BookReader *reader, const BookKind *kind, Oid asked,
					const char *keys, const char *function, const char *arguments)
{
	Oid			own = book_key_oid(reader->key_type);

	if (asked != own)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s of this %s are %s, not %s", keys, kind->type.name,
						format_type_be(own), format_type_be(asked)),
				 errhint("Call %s(NULL::%s, %s).", function, format_type_be(own), arguments)));
}

/* True if text keys are text in the encoding of this database. */
static bool
keys_are_text(const BookReader *reader)
{
	BookKeyCursor cursor;

	if (reader->key_type != KEY_BYTES)
		return true;
	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		Key			key = book_next_key(&cursor);

		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!pg_verifymbstr(key.bytes.data, (int) key.bytes.length, true))
			return false;
	}
	return true;
}

/* Checks that the keys ascend, which checkers of sorted books ask for. */
const char *
book_check_order(const BookReader *reader)
{
	BookKeyCursor cursor;
	Key			last;

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

/*
 * Looks for what the checker cannot see cheaply, asked of bytes from outside:
 * keys that are no text here, a key that stands twice.  A sorted book cannot
 * have the latter, its checker saw to that.  Else building the book anew
 * makes one of the two; members are looked at before anything of them is added
 * up, for a forged sum may overflow.
 */
static const char *
check_foreign(bytea *stored, const BookKind *kind)
{
	BookReader	reader;
	Book	   *book;
	const char *wrong = NULL;

	(void) book_read_header(&reader, kind, (const uint8 *) VARDATA_ANY(stored),
							VARSIZE_ANY_EXHDR(stored));
	reader.stored = stored;
	if (!keys_are_text(&reader))
		return "a key is not text in the encoding of this database";
	if (kind->sorted)
		return kind->check_foreign == NULL ? NULL : kind->check_foreign(&reader);
	book = book_make(kind, reader.key_type, reader.form, CurrentMemoryContext);
	locate_all(book, &reader, NULL);
	if (book->table.count < reader.count)
		wrong = "a key stands twice";
	else
	{
		merge_opened(book, &reader);
		if (book_flat_size(&book->hdr) != VARHDRSZ + VARSIZE_ANY_EXHDR(stored))
			wrong = "a member or an order stands twice";
	}
	MemoryContextDelete(book->hdr.eoh_context);
	return wrong;
}

/* The input function of a book: the text form; soft errors. */
Datum
book_in(FunctionCallInfo fcinfo, const BookKind *kind)
{
	char	   *text = PG_GETARG_CSTRING(0);
	bytea	   *value = stored_from_base64(text, &kind->type, INPUT_ERROR_CONTEXT(fcinfo));
	const char *wrong = value == NULL ? NULL : check_foreign(value, kind);

	if (wrong != NULL)
		return stored_input_error(text, &kind->type, wrong,
								  "Only text that custmart itself wrote can be read back.",
								  INPUT_ERROR_CONTEXT(fcinfo));
	PG_RETURN_POINTER(value);
}

/* The output function: the text form. */
Datum
book_out(FunctionCallInfo fcinfo, const BookKind *kind)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &kind->type), &kind->type));
}

/* The recv function: the stored bytes, checked. */
Datum
book_recv(FunctionCallInfo fcinfo, const BookKind *kind)
{
	bytea	   *value = stored_recv(fcinfo, &kind->type);
	const char *wrong = check_foreign(value, kind);

	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("binary %s is not valid: %s", kind->type.name, wrong),
				 errhint("Only bytes that custmart itself wrote, in a database of the same encoding, can be read back.")));
	PG_RETURN_BYTEA_P(value);
}

static int
compare_keys(const void *a, const void *b, void *key_type)
{
	return keytable_compare_keys(*(KeyType *) key_type, a, b);
}

/*
 * A book's bytes follow the order in which its keys came.  The canonical form
 * is that of a book that met its keys in ascending order, so two books that say
 * the same have the same canonical bytes.
 */
bytea *
book_canonical(Datum value, const BookKind *kind)
{
	BookReader	reader;
	BookKeyCursor cursor;
	Book	   *book;
	Key		   *keys;
	Size		size;
	bytea	   *canonical;

	Assert(!book_has_parts(kind));
	book_open(&reader, value, kind);
	keys = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) reader.count, 1) * sizeof(Key));
	book_key_cursor(&cursor, &reader);
	for (uint32 i = 0; i < reader.count; i++)
	{
		if ((i & 0xFFFF) == 0)
			CHECK_FOR_INTERRUPTS();
		keys[i] = book_next_key(&cursor);
	}
	qsort_interruptible(keys, reader.count, sizeof(Key), compare_keys, &reader.key_type);

	book = book_make(kind, reader.key_type, reader.form, CurrentMemoryContext);
	book->canonical = true;
	for (uint32 done = 0; done < reader.count; done += KEYTABLE_BATCH)
	{
		uint32		entries[KEYTABLE_BATCH];

		keytable_locate(&book->table, keys + done,
						Min(KEYTABLE_BATCH, reader.count - done), entries);
	}
	merge_opened(book, &reader);
	size = book_flat_size(&book->hdr);
	canonical = MemoryContextAllocHuge(CurrentMemoryContext, size);
	book_flatten(&book->hdr, canonical, size);
	MemoryContextDelete(book->hdr.eoh_context);
	pfree(keys);
	return canonical;
}

/*
 * Compares arguments 0 and 1 by their canonical bytes, -1, 0 or 1.  The header
 * is never reordered, so where it differs, or all bytes agree, that suffices.
 */
int
book_compare(FunctionCallInfo fcinfo, const BookKind *kind)
{
	bytea	   *a = stored_get(PG_GETARG_DATUM(0), &kind->type);
	bytea	   *b = stored_get(PG_GETARG_DATUM(1), &kind->type);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), BOOK_HEADER_SIZE);

	if (order == 0 &&
		(VARSIZE_ANY_EXHDR(a) != VARSIZE_ANY_EXHDR(b) ||
		 memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) != 0))
	{
		bytea	   *x = book_canonical(PointerGetDatum(a), kind);
		bytea	   *y = book_canonical(PointerGetDatum(b), kind);

		order = compare_bytes(VARDATA(x), VARSIZE(x) - VARHDRSZ, VARDATA(y), VARSIZE(y) - VARHDRSZ);
		pfree(x);
		pfree(y);
	}
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return (order > 0) - (order < 0);
}
