/*
 * campaign_book.c
 *	  The type campaign_book: what a campaign brought in every segment, or at every
 *	  score, in one scan.
 *
 * A book keeps for each key the outcomes of both groups, of control and treated, in
 * this order.  A side of few members takes few bytes, because with scores there are
 * about as many keys as members.
 */
#include "campaign/campaign.h"

#include "money/decimal_numeric.h"
#include "shared/bytes.h"
#include "utils/builtins.h"

#define CAMPAIGN_BOOK_VERSION 1

/* A guess of the stored size of a key's sides, for the limit of size. */
#define SIDES_SIZE_LEAST 6

/* A row not yet applied. */
typedef struct CampaignRow
{
	Decimal		y;
	CampaignGroup group;
} CampaignRow;

static const char *campaign_book_check(const uint8 *bytes, Size length);
static void campaign_book_merge_tails(const BookFormat *format, const BookReader *parts, int n,
									  const BookMergeOrder *order, ByteBuffer *buffer);
static void campaign_book_apply(Book *book, const uint32 *entries, const void *rows, int n);
static Size campaign_book_tail_size(const Book *book);
static void campaign_book_append_tail(Book *book, ByteBuffer *buffer);

static const BookFormat campaign_book_format = {
	.type = {"campaign_book", campaign_book_check},
	.stored_kind = STORED_CAMPAIGN_BOOK,
	.stored_version = CAMPAIGN_BOOK_VERSION,
	.form_hint = "Make all parts of segments, or all of scores.",
	.size_hint = "Round scores, for example to three decimals: members of one score are one step of a curve.",
	.merge_tails = campaign_book_merge_tails
};

static const BookKind campaign_book_kind = {
	.format = &campaign_book_format,
	.payload_size = sizeof(CampaignSide) * CAMPAIGN_GROUPS,
	.row_size = sizeof(CampaignRow),
	.apply = campaign_book_apply,
	.tail_size = campaign_book_tail_size,
	.append_tail = campaign_book_append_tail
};

/* ---------- scores ---------- */

/* A finite score as a number that ascends as scores descend; -0 is 0. */
static int64
key_of_score(float8 score)
{
	int64		bits;

	score += 0.0;
	memcpy(&bits, &score, sizeof(bits));
	return bits < 0 ? bits ^ PG_INT64_MIN : ~bits;
}

float8
campaign_score_of_key(int64 key)
{
	int64		bits = key < 0 ? ~key : key ^ PG_INT64_MIN;
	float8		score;

	memcpy(&score, &bits, sizeof(score));
	return score;
}

/* ---------- building ---------- */

static void
campaign_book_apply(Book *book, const uint32 *entries, const void *rows, int n)
{
	const CampaignRow *row = rows;

	for (int i = 0; i < n; i++)
	{
		CampaignSide *sides = keytable_payload(&book->table, entries[i]);

		campaign_raise(campaign_side_add(&sides[row[i].group], &row[i].y));
	}
}

/* Adds one member to the state: argument 1 is the segment or score, then come treated and y. */
static inline Datum
campaign_book_step(FunctionCallInfo fcinfo, KeyType key_type)
{
	Book	   *book = book_of_state(fcinfo, &campaign_book_kind, key_type, 0);
	DecimalPool pool = {.context = CurrentMemoryContext};
	float8		score;
	Decimal		y;
	Key		   *key;
	CampaignRow *row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return book_skip_row(book);
	y = decimal_unpack(numeric_read(PG_GETARG_DATUM(3), "y", &pool), &pool);
	decimal_pool_clear(&pool);
	row = book_next_row(book, &key);
	if (key_type == CAMPAIGN_SCORE)
	{
		score = PG_GETARG_FLOAT8(1);
		if (!isfinite(score))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("score must be finite, not \"%s\"",
							DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(score)))),
					 errhint("Exclude such rows.")));
		key->number = key_of_score(score);
	}
	else
		book_set_text_key(book, key, PG_GETARG_DATUM(1));
	row->y = y;
	row->group = PG_GETARG_BOOL(2) ? CAMPAIGN_TREATED : CAMPAIGN_CONTROL;
	return book_push(book);
}

/* campaign_book_step_segment(campaign_book, segment, treated, y) */
CUSTMART_FUNCTION(custmart_campaign_book_step_segment);
Datum
custmart_campaign_book_step_segment(PG_FUNCTION_ARGS)
{
	return campaign_book_step(fcinfo, CAMPAIGN_SEGMENT);
}

/* campaign_book_step_score(campaign_book, score, treated, y) */
CUSTMART_FUNCTION(custmart_campaign_book_step_score);
Datum
custmart_campaign_book_step_score(PG_FUNCTION_ARGS)
{
	return campaign_book_step(fcinfo, CAMPAIGN_SCORE);
}

/* ---------- storing ---------- */

static Size
campaign_book_tail_size(const Book *book)
{
	return (Size) book->table.count * SIDES_SIZE_LEAST;
}

static void
append_sides(const CampaignSide *sides, ByteBuffer *buffer)
{
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
		buffer_advance(buffer, campaign_side_store(&sides[g], buffer_reserve(buffer, CAMPAIGN_SIDE_MAX)));
}

static void
campaign_book_append_tail(Book *book, ByteBuffer *buffer)
{
	for (uint32 i = 0; i < book->table.count; i++)
	{
		check_interrupts(i);
		if (i + 16 < book->table.count)
			keytable_prefetch(&book->table, book->order[i + 16]);
		append_sides(keytable_payload(&book->table, book->order[i]), buffer);
	}
}

/* ---------- reading ---------- */

/* Reads the sides of the next key and advances past them; returns what is wrong, or NULL. */
static const char *
read_sides(const uint8 **bytes, const uint8 *end, CampaignSide *sides)
{
	for (int g = 0; g < CAMPAIGN_GROUPS; g++)
	{
		const char *wrong = campaign_side_check_and_load(bytes, end, &sides[g]);

		if (wrong != NULL)
			return wrong;
	}
	return sides[CAMPAIGN_CONTROL].members + sides[CAMPAIGN_TREATED].members == 0 ? "a key has no members" : NULL;
}

/* Scores, whose order was checked, are finite, and 0 has no sign. */
static const char *
check_scores(const BookReader *reader)
{
	BookKeyCursor cursor;

	book_key_cursor(&cursor, reader);
	for (uint32 i = 0; i < reader->count; i++)
	{
		int64		key = book_next_key(&cursor).number;
		float8		score = campaign_score_of_key(key);

		check_interrupts(i);
		if (!isfinite(score) || key_of_score(score) != key)
			return "a score is out of range";
	}
	return NULL;
}

/* The checker of a stored campaign_book. */
static const char *
campaign_book_check(const uint8 *bytes, Size length)
{
	BookReader	reader;
	const uint8 *at;
	const uint8 *end;
	const char *wrong = book_read_header(&reader, &campaign_book_format, bytes, length);

	if (wrong != NULL)
		return wrong;
	if (reader.form != 0)
		return "its form is unknown";
	if (reader.key_type != CAMPAIGN_SEGMENT && reader.key_type != CAMPAIGN_SCORE)
		return "its type of key is unknown";
	if ((wrong = book_check_order(&reader)) != NULL)
		return wrong;
	if (reader.key_type == CAMPAIGN_SCORE && (wrong = check_scores(&reader)) != NULL)
		return wrong;
	at = reader.tail;
	end = reader.tail + reader.tail_size;
	for (uint32 i = 0; i < reader.count; i++)
	{
		CampaignSide sides[CAMPAIGN_GROUPS];

		check_interrupts(i);
		if ((wrong = read_sides(&at, end, sides)) != NULL)
			return wrong;
	}
	return at != end ? "its length is wrong" : NULL;
}

/* Opens a book of the keys that a report needs; false if there is nothing in it. */
bool
campaign_book_open(CampaignReader *book, Datum value, KeyType keys, const char *function)
{
	book_open(&book->reader, value, &campaign_book_format);
	if (book->reader.key_type != keys)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg(keys == CAMPAIGN_SCORE ? "this campaign_book has segments, and %s needs scores" :
						"this campaign_book has scores, and %s needs segments", function),
				 keys == CAMPAIGN_SCORE ?
				 errhint("Make it with a number in front: campaign_book(score, treated, y).") :
				 errhint("Make it with a text in front: campaign_book(segment, treated, y).")));
	book_key_cursor(&book->keys, &book->reader);
	book->next = book->reader.tail;
	book->left = book->reader.count;
	return book->left > 0;
}

/* Reads the next key and its sides; false behind the last one. */
bool
campaign_book_next(CampaignReader *book, Key *key, CampaignSide *sides)
{
	if (book->left == 0)
		return false;
	book->left--;
	*key = book_next_key(&book->keys);
	(void) read_sides(&book->next, book->reader.tail + book->reader.tail_size, sides);
	return true;
}

/* ---------- merging ---------- */

static void
campaign_book_merge_tails(const BookFormat *format, const BookReader *readers, int n,
						  const BookMergeOrder *order, ByteBuffer *buffer)
{
	const uint8 *next[BOOK_PARTS_MAX];
	CampaignSide sum[CAMPAIGN_GROUPS];
	bool		is_shared = false;

	for (int i = 0; i < n; i++)
		next[i] = readers[i].tail;
	for (Size i = 0; i < order->n; i++)
	{
		int			p = order->source[i] & BOOK_ORDER_PART;
		const uint8 *end = readers[p].tail + readers[p].tail_size;
		CampaignSide sides[CAMPAIGN_GROUPS];

		check_interrupts(i);
		if (!is_shared)
			(void) read_sides(&next[p], end, sum);
		else
		{
			(void) read_sides(&next[p], end, sides);
			for (int g = 0; g < CAMPAIGN_GROUPS; g++)
				campaign_raise(campaign_side_merge(&sum[g], &sides[g]));
		}
		is_shared = (order->source[i] & BOOK_ORDER_SAME_KEY) != 0;
		if (!is_shared)
			append_sides(sum, buffer);
	}
}

/* ---------- text, binary, merging, count ---------- */

BOOK_FUNCTIONS(campaign_book, &campaign_book_kind)
