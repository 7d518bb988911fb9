/*
 * audience_book.c
 *	  The type audience_book: in which audiences every member of a table is, and with
 *	  which score.
 *
 * The tail of a book is the number of audiences and, for each block of members, the
 * sets of audiences and the scores as packed columns.
 */
#include "audience/audience.h"

#include <math.h>

#include "book/book_forget.h"
#include "shared/bytes.h"
#include "shared/conditions.h"
#include "utils/float.h"

#define AUDIENCE_BOOK_VERSION 1

/* A guess of the stored size of what is kept of a member, for the limit of size. */
#define MEMBER_SIZE 8

/* The first byte of a tail: the number of audiences, and this bit if a row that was skipped had so many, too. */
#define SAID_BY_SKIPPED 0x80

/* Number of audiences, 0 before the first row that has conditions. */
typedef struct AudienceExtra
{
	int			audiences;
	bool		is_said_by_skipped;	/* a row that was skipped since the table was stored had so many, too */
} AudienceExtra;

static const char *audience_book_check(const uint8 *bytes, Size length);
static void audience_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
									  const BookMergeOrder *order, ByteBuffer *buffer);
static void audience_book_filter_tail(const BookFormat *format, const BookReader *reader,
									  const BookFilter *filter, ByteBuffer *buffer);
static void audience_book_init(Book *book);
static void audience_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static void audience_book_before_add_part(Book *book, const BookReader *part);
static Size audience_book_tail_size(const Book *book);
static void audience_book_append_tail(Book *book, ByteBuffer *buffer);

const BookFormat audience_book_format = {
	.type = {"audience_book", audience_book_check},
	.stored_kind = STORED_AUDIENCE_BOOK,
	.stored_version = AUDIENCE_BOOK_VERSION,
	.size_hint = "Leave members out who are in no audience.",
	.merge_tails = audience_book_merge_tails,
	.filter_tail = audience_book_filter_tail
};

static const BookKind audience_book_kind = {
	.format = &audience_book_format,
	.payload_size = sizeof(AudienceMember),
	.row_size = sizeof(AudienceMember),
	.init = audience_book_init,
	.apply = audience_book_apply,
	.before_add_part = audience_book_before_add_part,
	.tail_size = audience_book_tail_size,
	.append_tail = audience_book_append_tail
};

static const ConditionsText conditions_text = {
	.list = "audiences",
	.owner = "an audience_book",
	.hint = "Give one condition for each audience, that of the highest priority first."
};

/* ---------- building ---------- */

static void
audience_book_init(Book *book)
{
	book->extra = palloc0(sizeof(AudienceExtra));
}

/* Takes the number of audiences of the first row or part, and compares all others with it. */
static inline void
check_audiences(Book *book, int audiences)
{
	AudienceExtra *extra = book->extra;

	if (likely(extra->audiences == audiences))
		return;
	if (extra->audiences != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of audiences must be the same everywhere, not %d and %d",
						extra->audiences, audiences),
				 errhint("Give the same audiences in the same order, false for those that a member is not in.")));
	extra->audiences = audiences;
}

static void
audience_book_before_add_part(Book *book, const BookReader *part)
{
	/* A book of nothing but rows whose conditions were NULL does not know how many there are. */
	if (part->tail[0] > 0)
		check_audiences(book, part->tail[0] & ~SAID_BY_SKIPPED);
}

static void
audience_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	const AudienceMember *row = rows;

	for (int i = 0; i < n; i++)
		audience_merge(keytable_payload(&book->table, entries[i]), &row[i]);
}

/* How the conditions come. */
typedef enum ConditionsForm
{
	CONDITIONS_ARRAY,
	CONDITIONS_LISTED
} ConditionsForm;

static uint64
score_argument(FunctionCallInfo fcinfo, int argument)
{
	float8		score;

	if (PG_ARGISNULL(argument))
		return AUDIENCE_NO_SCORE;
	score = PG_GETARG_FLOAT8(argument);
	if (unlikely(!isfinite(score)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("score must be finite, not \"%s\"", float8out_internal(score)),
				 errhint("Use NULL for a member without a score.")));
	return audience_key_of_score(score);
}

/* Adds one row to the state: argument 1 is the member, then come the score and the conditions. */
static inline Datum
audience_book_step(FunctionCallInfo fcinfo, KeyType key_type, ConditionsForm form)
{
	Book	   *book = book_of_state(fcinfo, &audience_book_kind, key_type, 0);
	AudienceMember member;
	AudienceMember *row;
	Key		   *key;
	int			audiences;

	if (form == CONDITIONS_LISTED)
		member.audiences = conditions_listed(fcinfo, 3, &audiences);
	else if (PG_ARGISNULL(3))
		return book_skip_row(book);
	else
		member.audiences = conditions_of_array(fcinfo, 3, &conditions_text, &audiences);
	check_audiences(book, audiences);
	if (PG_ARGISNULL(1))
	{
		((AudienceExtra *) book->extra)->is_said_by_skipped = true;
		return book_skip_row(book);
	}
	member.score = score_argument(fcinfo, 2);
	row = book_next_row(book, &key);
	book_set_key(book, key, key_type, PG_GETARG_DATUM(1));
	*row = member;
	return book_push(book);
}

/* audience_book_step_<member>(audience_book, member, score, boolean[]), and with the conditions as arguments. */
#define AUDIENCE_BOOK_STEP(name, key_type, form) \
CUSTMART_FUNCTION(custmart_audience_book_step_##name); \
Datum \
custmart_audience_book_step_##name(PG_FUNCTION_ARGS) \
{ \
	return audience_book_step(fcinfo, key_type, form); \
}

AUDIENCE_BOOK_STEP(bigint, KEY_INT64, CONDITIONS_ARRAY)
AUDIENCE_BOOK_STEP(uuid, KEY_FIXED16, CONDITIONS_ARRAY)
AUDIENCE_BOOK_STEP(text, KEY_BYTES, CONDITIONS_ARRAY)
AUDIENCE_BOOK_STEP(bigint_listed, KEY_INT64, CONDITIONS_LISTED)
AUDIENCE_BOOK_STEP(uuid_listed, KEY_FIXED16, CONDITIONS_LISTED)
AUDIENCE_BOOK_STEP(text_listed, KEY_BYTES, CONDITIONS_LISTED)

/* ---------- storing ---------- */

/* Members that wait for their block to be full. */
typedef struct BlockWriter
{
	ByteBuffer *buffer;
	int			n;
	int64		sets[PACKED_ROWS];
	int64		scores[PACKED_ROWS];
} BlockWriter;

/* A score as a signed number of the same order, as packed columns have them. */
static inline int64
stored_score(uint64 score)
{
	return (int64) (score ^ UINT64CONST(1) << 63);
}

static inline uint64
loaded_score(int64 stored)
{
	return (uint64) stored ^ UINT64CONST(1) << 63;
}

static void
write_block(BlockWriter *writer)
{
	uint8	   *bytes;

	if (writer->n == 0)
		return;
	bytes = buffer_reserve(writer->buffer, 2 * PACKED_SIZE_MAX(writer->n));
	bytes = packed_store(writer->sets, writer->n, bytes);
	buffer_advance(writer->buffer, packed_store(writer->scores, writer->n, bytes));
	writer->n = 0;
}

static inline void
write_member(BlockWriter *writer, const AudienceMember *member)
{
	writer->sets[writer->n] = member->audiences;
	writer->scores[writer->n] = stored_score(member->score);
	if (++writer->n == PACKED_ROWS)
		write_block(writer);
}

static void
write_audiences(int audiences, bool is_said_by_skipped, ByteBuffer *buffer)
{
	uint8	   *bytes = buffer_reserve(buffer, 1);

	*bytes = (uint8) (audiences | (is_said_by_skipped ? SAID_BY_SKIPPED : 0));
	buffer_advance(buffer, bytes + 1);
}

static Size
audience_book_tail_size(const Book *book)
{
	return 1 + (Size) book->table.count * MEMBER_SIZE;
}

static void
audience_book_append_tail(Book *book, ByteBuffer *buffer)
{
	AudienceExtra *extra = book->extra;
	BlockWriter writer = {.buffer = buffer};

	write_audiences(book->table.count > 0 || extra->is_said_by_skipped ? extra->audiences : 0, extra->is_said_by_skipped, buffer);
	extra->is_said_by_skipped = false;
	for (uint32 i = 0; i < book->table.count; i++)
	{
		check_interrupts(i);
		if (i + 16 < book->table.count)
			keytable_prefetch(&book->table, book->order[i + 16]);
		write_member(&writer, keytable_payload(&book->table, book->order[i]));
	}
	write_block(&writer);
}

/* ---------- reading ---------- */

/* The checker of a stored audience_book. */
static const char *
audience_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	const uint8 *at;
	const uint8 *end;
	bool		is_said_by_skipped;
	int			audiences;
	const char *wrong = book_read_header(&reader, &audience_book_format, bytes, length);

	if (wrong != NULL)
		return wrong;
	if (reader.form != 0)
		return "its form is unknown";
	if ((wrong = book_check_order(&reader)) != NULL)
		return wrong;
	if (reader.tail_size < 1)
		return "it is too short";
	is_said_by_skipped = (reader.tail[0] & SAID_BY_SKIPPED) != 0;
	audiences = reader.tail[0] & ~SAID_BY_SKIPPED;
	if (audiences > AUDIENCES_MAX || (audiences == 0) != (reader.count == 0 && !is_said_by_skipped))
		return "its number of audiences is out of range";
	if (is_said_by_skipped && reader.rows_skipped == 0)
		return "no row was skipped that has its audiences";
	at = reader.tail + 1;
	end = reader.tail + reader.tail_size;
	for (uint32 left = reader.count; left > 0;)
	{
		int64		sets[PACKED_ROWS];
		int64		scores[PACKED_ROWS];
		int			n = (int) Min(left, PACKED_ROWS);

		check_interrupts(left / PACKED_ROWS);
		if ((wrong = packed_check_and_load(&at, end, n, sets)) != NULL ||
			(wrong = packed_check_and_load(&at, end, n, scores)) != NULL)
			return wrong;
		for (int i = 0; i < n; i++)
		{
			if (sets[i] < 0 || sets[i] >> audiences != 0)
				return "a member is in an audience that is not there";
			if (!audience_is_score_key(loaded_score(scores[i])))
				return "a score is out of range";
		}
		left -= n;
	}
	return at != end ? "its length is wrong" : NULL;
}

/* Positions before the first member of a book whose reader is open. */
void
audience_reader_init(AudienceReader *book)
{
	book->audiences = book->reader.tail[0] & ~SAID_BY_SKIPPED;
	book->is_said_by_skipped = (book->reader.tail[0] & SAID_BY_SKIPPED) != 0;
	book_key_cursor(&book->keys, &book->reader);
	book->bytes = book->reader.tail + 1;
	book->left = book->reader.count;
	book->next = book->count = 0;
}

/* Opens a book that was given as an argument. */
void
audience_book_open(AudienceReader *book, Datum value)
{
	book_open(&book->reader, value, &audience_book_format);
	audience_reader_init(book);
}

/* Reads the next member, without its key; false behind the last one. */
static inline bool
next_member(AudienceReader *book)
{
	if (book->next == book->count)
	{
		if (book->left == 0)
			return false;
		book->count = (int) Min(book->left, PACKED_ROWS);
		book->left -= book->count;
		book->next = 0;
		book->bytes = packed_load(book->bytes, book->count, book->sets);
		book->bytes = packed_load(book->bytes, book->count, book->scores);
	}
	book->member.audiences = (uint32) book->sets[book->next];
	book->member.score = loaded_score(book->scores[book->next++]);
	return true;
}

/* Reads the next member and their key; false behind the last one. */
bool
audience_book_next(AudienceReader *book)
{
	if (!next_member(book))
		return false;
	book->key = book_next_key(&book->keys);
	return true;
}

/* ---------- merging ---------- */

static void
audience_book_merge_tails(const BookFormat *format, const BookReader *readers, int n,
						  const BookMergeOrder *order, ByteBuffer *buffer)
{
	AudienceReader *parts = palloc(n * sizeof(AudienceReader));
	BlockWriter writer = {.buffer = buffer};
	AudienceMember sum = {0};
	int			audiences = 0;
	bool		is_said_by_skipped = false;

	for (int i = 0; i < n; i++)
	{
		parts[i].reader = readers[i];
		audience_reader_init(&parts[i]);
		audiences = Max(audiences, parts[i].audiences);
		is_said_by_skipped |= parts[i].is_said_by_skipped;
	}
	write_audiences(audiences, is_said_by_skipped, buffer);
	for (Size i = 0; i < order->n; i++)
	{
		AudienceReader *part = &parts[order->source[i] & BOOK_ORDER_PART];

		check_interrupts(i);
		(void) next_member(part);
		audience_merge(&sum, &part->member);
		if ((order->source[i] & BOOK_ORDER_SAME_KEY) != 0)
			continue;
		write_member(&writer, &sum);
		sum = (AudienceMember) {0};
	}
	write_block(&writer);
	pfree(parts);
}

/* ---------- forgetting ---------- */

static void
audience_book_filter_tail(const BookFormat *format, const BookReader *reader, const BookFilter *filter, ByteBuffer *buffer)
{
	AudienceReader *book = palloc(sizeof(AudienceReader));
	BookFilter	members = *filter;
	BlockWriter writer = {.buffer = buffer};

	book->reader = *reader;
	audience_reader_init(book);
	write_audiences(filter->count > 0 || book->is_said_by_skipped ? book->audiences : 0, book->is_said_by_skipped, buffer);
	for (uint32 i = 0; next_member(book); i++)
	{
		check_interrupts(i);
		if (book_filter_keeps(&members, i))
			write_member(&writer, &book->member);
	}
	write_block(&writer);
	pfree(book);
}

/* ---------- text, binary, merging, counts ---------- */

BOOK_FUNCTIONS(audience_book, &audience_book_kind)
BOOK_FORGET(audience_book, &audience_book_format, "members")
BOOK_MEMBER_COUNT(audience_book, &audience_book_kind)
