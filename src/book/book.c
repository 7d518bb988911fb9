/*
 * book.c
 *	  Builds books, and returns them as values.
 */
#include "book/book.h"

#include "book/book_merge.h"
#include "miscadmin.h"
#include "shared/bytes.h"
#include "shared/large_memory.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

static Size book_flat_size(ExpandedObjectHeader *header);
static void book_flatten(ExpandedObjectHeader *header, void *result, Size allocated);

const ExpandedObjectMethods book_methods = {book_flat_size, book_flatten};

/* ---------- where books live ---------- */

#define FIRST_PENDING 4			/* rows in a batch of a new book; there may be very many small books */

/* Makes an empty book in a context. */
static Book *
make_book(const BookKind *kind, KeyType key_type, uint8 form, MemoryContext context)
{
	Book	   *book = MemoryContextAllocZero(context, sizeof(Book));
	MemoryContext old = MemoryContextSwitchTo(context);

	EOH_init_header(&book->hdr, &book_methods, context);
	book->kind = kind;
	book->key_type = key_type;
	book->form = form;
	keytable_init(&book->table, key_type, kind->payload_size, context);
	book->pending_room = FIRST_PENDING;
	book->pending_keys = palloc(FIRST_PENDING * sizeof(Key));
	book->pending_rows = palloc(FIRST_PENDING * kind->row_size);
	book->pending_bytes.maxlen = 32;
	book->pending_bytes.data = palloc(book->pending_bytes.maxlen);
	resetStringInfo(&book->pending_bytes);
	if (kind->init != NULL)
		kind->init(book);
	MemoryContextSwitchTo(old);
	return book;
}

/* The expanded book of this format that a value points to, or NULL. */
static Book *
expanded_book(Datum value, const BookFormat *format)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(value);

		if (header->eoh_methods == &book_methods && ((Book *) header)->kind->format == format)
			return (Book *) header;
	}
	return NULL;
}

/* The same if it may be modified. */
static Book *
writable_book(Datum value, const BookFormat *format)
{
	return VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)) ? expanded_book(value, format) : NULL;
}

/* ---------- parts ---------- */

/* Merges all parts from the given one on. */
static void
merge_parts(Book *book, int first)
{
	bytea	   *merged = book_merge(book->kind->format, book->parts + first, book->nparts - first);

	for (int i = first; i < book->nparts; i++)
		pfree(book->parts[i]);
	book->parts[first] = merged;
	book->nparts = first + 1;
}

/* Less than this is copied faster than merged. */
#define LARGE_PART (1024 * 1024)

/* Bytes of parts that may wait to be merged. */
#define PARTS_WAITING (64 * 1024 * 1024)

/*
 * Makes a stored book, in memory of this one, a part of it.  Parts are merged when
 * they are many or large, and those of similar size at once, so rolling up N books
 * passes over each byte only a few times and takes the memory of the result.
 */
static void
push_part(Book *book, bytea *part)
{
	Size		waiting = 0;
	int			first = 0;

	if (book->nparts == book->parts_room)
	{
		int			room = Max(book->parts_room * 2, 2);

		book->parts = book->parts == NULL ? palloc(room * sizeof(bytea *)) :
			repalloc(book->parts, room * sizeof(bytea *));
		book->parts_room = room;
	}
	book->parts[book->nparts++] = part;
	for (int i = 1; i < book->nparts; i++)
		waiting += VARSIZE(book->parts[i]);
	if (book->nparts < BOOK_PARTS_MAX &&
		waiting < Max(PARTS_WAITING, (Size) VARSIZE(book->parts[0]) * 2))
		return;

	/* A part more than twice as large as all later ones is left alone. */
	while (first < book->nparts - 2 && VARSIZE(book->parts[first]) / 2 > waiting)
		waiting -= VARSIZE(book->parts[++first]);
	merge_parts(book, first);
}

/* Stores the table and the number of rows skipped as one more part. */
static void
store_table(Book *book)
{
	KeyTable   *table = &book->table;
	uint32		count = table->count;
	Size		keys_size = keytable_stored_size(table);
	ByteBuffer	buffer;
	uint8	   *end;

	buffer_init(&buffer, VARHDRSZ + BOOK_HEADER_SIZE + keys_size + book->kind->tail_size(book),
				CurrentMemoryContext);
	end = book_store_header(book->kind->format, table->key_type, book->form, count, book->rows_skipped,
							buffer.data + VARHDRSZ);
	book->order = keytable_sorted(table);
	buffer_advance(&buffer, keytable_store_keys(table, book->order, end));
	book->kind->append_tail(book, &buffer);
	pfree(book->order);
	book->order = NULL;

	keytable_clear(table);
	book_add_skipped(&book->parts_skipped, book->rows_skipped);
	book->rows_skipped = 0;
	book->is_full = false;
	push_part(book, book_finish(book->kind->format, &buffer, count));
}

/* Raises an error unless a book of these keys and form can be merged into this one. */
static void
check_same(const Book *book, KeyType key_type, uint8 form)
{
	const BookFormat *format = book->kind->format;

	if (book->table.key_type != key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot merge %s whose keys are %s with one whose keys are %s", format->type.name,
						format_type_be(book_key_oid(book->table.key_type)),
						format_type_be(book_key_oid(key_type))),
				 errhint("Make all parts with the same type of key.")));
	if (book->form != form)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cannot merge two %s of different forms", format->type.name),
				 errhint("%s", format->form_hint)));
}

static bytea *
copy_stored(const bytea *stored)
{
	Size		size = VARSIZE_ANY_EXHDR(stored);
	bytea	   *copy = large_alloc(CurrentMemoryContext, VARHDRSZ + size);

	SET_VARSIZE(copy, VARHDRSZ + size);
	large_copy(VARDATA(copy), VARDATA_ANY(stored), size);
	return copy;
}

/*
 * A stored book that is to become a part but is not in memory of this one: copied,
 * or, if it is large, merged with the latest part, which takes no longer.
 */
static void
push_foreign_part(Book *book, bytea *part)
{
	bytea	  **last = book->nparts > 0 ? &book->parts[book->nparts - 1] : NULL;
	bytea	   *both[2];

	if (last == NULL || VARSIZE_ANY(part) < LARGE_PART || VARSIZE(*last) / 2 > VARSIZE_ANY(part))
	{
		push_part(book, copy_stored(part));
		return;
	}
	both[0] = *last;
	both[1] = part;
	part = book_merge(book->kind->format, both, 2);
	pfree(*last);
	*last = part;
}

/* Makes a stored book, which was checked, a part of this one; it may be in memory of this one. */
static void
add_part(Book *book, const BookReader *part, bool is_own)
{
	int64		rows_skipped = book->rows_skipped;

	check_same(book, part->key_type, part->form);
	if (book->kind->before_add_part != NULL)
		book->kind->before_add_part(book, part);

	/* Too many are an error now rather than when the book is asked for. */
	book_add_skipped(&rows_skipped, book->parts_skipped);
	book_add_skipped(&rows_skipped, part->rows_skipped);

	book->is_broken = true;
	book_add_skipped(&book->parts_skipped, part->rows_skipped);
	if (is_own)
		push_part(book, part->stored);
	else
		push_foreign_part(book, part->stored);
	book->is_broken = false;
}

/*
 * Merges a stored or expanded book into *book, or into a new one if there is none
 * yet; `home` is the context of either.
 */
static void
merge(Book **book, Datum source, bool is_checked, const BookKind *kind, MemoryContext home)
{
	MemoryContext old = MemoryContextSwitchTo(home);
	BookReader	part;
	bool		is_fetched;

	/* A toasted value is fetched directly to where it stays. */
	if (is_checked && expanded_book(source, kind->format) == NULL)
		book_read_stored(&part, kind->format, DatumGetByteaPP(source));
	else
		book_open(&part, source, kind->format);
	is_fetched = expanded_book(source, kind->format) == NULL &&
		(Pointer) part.stored != DatumGetPointer(source) && VARATT_IS_4B_U(part.stored);
	if (*book == NULL)
		*book = make_book(kind, part.key_type, part.form, home);
	book_flush(*book);
	add_part(*book, &part, is_fetched);
	MemoryContextSwitchTo(old);
}

/* ---------- building ---------- */

/* The rare cases of book_of_state: no state yet, a flat one, one that does not fit. */
Book *
book_state_slow(FunctionCallInfo fcinfo, const BookKind *kind, KeyType key_type, uint8 form)
{
	MemoryContext states = aggregate_states_context(fcinfo);
	Book	   *book;

	if (PG_ARGISNULL(0))
		return make_book(kind, key_type, form, states);
	book = writable_book(PG_GETARG_DATUM(0), kind->format);

	/* Kinds that share a format have rows of their own. */
	if (book == NULL || book->kind != kind)
	{
		book = NULL;
		merge(&book, PG_GETARG_DATUM(0), false, kind, states);
	}
	check_same(book, key_type, form);
	return book;
}

/* The next batch is larger, up to the size at which misses overlap well. */
static void
grow_pending(Book *book)
{
	book->pending_room = Min(book->pending_room * 2, KEYTABLE_BATCH);
	book->pending_keys = repalloc(book->pending_keys, book->pending_room * sizeof(Key));
	book->pending_rows = repalloc(book->pending_rows, book->pending_room * book->kind->row_size);
}

/* The size of the table when stored, perhaps slightly low: of numbers little is left when they are packed. */
static inline Size
estimated_size(const Book *book)
{
	const KeyTable *table = &book->table;

	return VARHDRSZ + BOOK_HEADER_SIZE + book->kind->tail_size(book) +
		(table->key_type == KEY_INT64 ? table->count : keytable_stored_size(table));
}

/* Applies the pending rows. */
void
book_flush(Book *book)
{
	uint32		entries[KEYTABLE_BATCH];
	int			n = book->pending;

	aggregate_check_complete(book->is_broken, book->kind->format->type.name);
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
	book_check_size(book->kind->format, estimated_size(book), book->table.count);
	if (unlikely(n == book->pending_room && n < KEYTABLE_BATCH))
		grow_pending(book);
	if (unlikely(book->is_full))
	{
		MemoryContext old = MemoryContextSwitchTo(book->hdr.eoh_context);

		store_table(book);
		MemoryContextSwitchTo(old);
	}
	book->is_broken = false;
}

/*
 * The combine function of an aggregate that makes books, and the transition
 * function of rollup: merges argument 1 into the state, argument 0.
 */
Datum
book_combine(FunctionCallInfo fcinfo, const BookKind *kind)
{
	MemoryContext states = aggregate_states_context(fcinfo);
	Book	   *book = PG_ARGISNULL(0) ? NULL : writable_book(PG_GETARG_DATUM(0), kind->format);
	bool		is_checked = aggregate_combines_workers(fcinfo);

	if (book == NULL && !PG_ARGISNULL(0))
		merge(&book, PG_GETARG_DATUM(0), is_checked, kind, states);
	if (!PG_ARGISNULL(1))
		merge(&book, PG_GETARG_DATUM(1), is_checked, kind, book != NULL ? book->hdr.eoh_context : states);
	if (book == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/* ---------- the whole book ---------- */

/* The whole book in stored form, in memory of the book; valid until something is added. */
static bytea *
stored_book(Book *book)
{
	MemoryContext old;

	book_flush(book);

	/* The caller's context may be one in which nothing can be freed. */
	old = MemoryContextSwitchTo(book->hdr.eoh_context);
	book->is_broken = true;
	if (book->table.count > 0 || book->rows_skipped > 0 || book->nparts == 0)
		store_table(book);
	if (book->nparts > 1)
		merge_parts(book, 0);
	book->is_broken = false;
	MemoryContextSwitchTo(old);
	return book->parts[0];
}

static Size
book_flat_size(ExpandedObjectHeader *header)
{
	return VARSIZE(stored_book((Book *) header));
}

static void
book_flatten(ExpandedObjectHeader *header, void *result, Size allocated)
{
	bytea	   *stored = stored_book((Book *) header);

	Assert(VARSIZE(stored) == allocated);
	large_memory_advise(result, allocated);
	large_copy(result, stored, allocated);
}

/* The operator +: a new book of two, merged at once so that errors are raised here. */
Datum
book_add(FunctionCallInfo fcinfo, const BookKind *kind)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "custmart book", ALLOCSET_DEFAULT_SIZES);
	Book	   *book = NULL;

	merge(&book, PG_GETARG_DATUM(0), false, kind, context);
	merge(&book, PG_GETARG_DATUM(1), false, kind, context);
	(void) stored_book(book);
	PG_RETURN_DATUM(EOHPGetRWDatum(&book->hdr));
}

/*
 * Opens a book for reading: flat, whole in memory and checked, unless it was
 * expanded, because bytes just written need no check.  It must not change while
 * it is read.
 */
void
book_open(BookReader *reader, Datum value, const BookFormat *format)
{
	Book	   *book = expanded_book(value, format);
	bytea	   *stored = book != NULL ? stored_book(book) : stored_get(value, &format->type);

	Assert(book == NULL || format->type.check((const uint8 *) VARDATA_ANY(stored),
											  VARSIZE_ANY_EXHDR(stored)) == NULL);
	book_read_stored(reader, format, stored);
}

/* Number of keys and of rows skipped; a book that is only a table need not be stored for it. */
static void
book_counts(Datum value, const BookFormat *format, uint32 *count, int64 *rows_skipped)
{
	Book	   *book = expanded_book(value, format);
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
	book_open(&reader, value, format);
	*count = reader.count;
	*rows_skipped = reader.rows_skipped;
}

/* rows_skipped of a book, argument 0. */
Datum
book_rows_skipped(FunctionCallInfo fcinfo, const BookFormat *format)
{
	uint32		count;
	int64		rows_skipped;

	book_counts(PG_GETARG_DATUM(0), format, &count, &rows_skipped);
	PG_RETURN_INT64(rows_skipped);
}

/* Number of keys of a book, argument 0. */
Datum
book_key_count(FunctionCallInfo fcinfo, const BookFormat *format)
{
	uint32		count;
	int64		rows_skipped;

	book_counts(PG_GETARG_DATUM(0), format, &count, &rows_skipped);
	PG_RETURN_INT64(count);
}
