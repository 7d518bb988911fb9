/*
 * rfm_report.c
 *	  Reports on an rfm_book: score limits, members with scores and segments, and
 *	  the segments themselves.
 */
#include "rfm/rfm_population.h"

#include "shared/report.h"

#include "utils/builtins.h"

/* The limits of all members; NULL if none has orders. */
static Datum
cuts_of_book(FunctionCallInfo fcinfo, bool per_order)
{
	Population	population;
	int			bins;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("bins must not be NULL"),
				 errhint("Omit it for %d bins.", RFM_BINS_DEFAULT)));
	bins = rfm_check_bins(PG_GETARG_INT32(1));
	rfm_open_population(&population, PG_GETARG_DATUM(0));
	if (!rfm_find_cuts(&population, bins, per_order))
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(rfm_cuts_datum(&population.cuts));
}

/* rfm_cuts(rfm_book, bins) */
CUSTMART_FUNCTION(custmart_rfm_book_cuts);
Datum
custmart_rfm_book_cuts(PG_FUNCTION_ARGS)
{
	return cuts_of_book(fcinfo, false);
}

/* rfm_cuts_per_order(rfm_book, bins) */
CUSTMART_FUNCTION(custmart_rfm_book_cuts_per_order);
Datum
custmart_rfm_book_cuts_per_order(PG_FUNCTION_ARGS)
{
	return cuts_of_book(fcinfo, true);
}

/* ---------- one member ---------- */

/* What a book says of the member in argument 1; NULL if the member is not in it. */
static Datum
summary_of_member(FunctionCallInfo fcinfo, KeyType key_type)
{
	Population	population;
	Key			key;
	int64		place;
	RfmMember	member;
	uint8		bytes[RFM_STORED_MAX];
	Size		length;
	bytea	   *summary;

	rfm_open_population(&population, PG_GETARG_DATUM(0));
	if (population.reader.key_type != key_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("members of this %s are %s, not %s", rfm_book_format.type.name,
						format_type_be(book_key_oid(population.reader.key_type)),
						format_type_be(book_key_oid(key_type))),
				 errhint("Cast the member to %s.", format_type_be(book_key_oid(population.reader.key_type)))));
	memset(&key, 0, sizeof(key));
	if (key_type == KEY_INT64)
		key.number = PG_GETARG_INT64(1);
	else if (key_type == KEY_FIXED16)
		memcpy(key.fixed, DatumGetPointer(PG_GETARG_DATUM(1)), 16);
	else
	{
		text	   *t = PG_GETARG_TEXT_PP(1);

		key.bytes.data = VARDATA_ANY(t);
		key.bytes.length = (uint32) VARSIZE_ANY_EXHDR(t);
	}
	place = book_find_key(&population.reader, &key);
	if (place < 0)
		PG_RETURN_NULL();
	member = rfm_member_at(&population.tail, population.reader.count, (uint32) place);
	length = rfm_store(&member, &population.pool, bytes);
	summary = palloc(VARHDRSZ + length);
	SET_VARSIZE(summary, VARHDRSZ + length);
	memcpy(VARDATA(summary), bytes, length);
	PG_RETURN_BYTEA_P(summary);
}

/* rfm_member(rfm_book, member): members bigint, uuid or text. */
#define RFM_MEMBER(name, key_type) \
CUSTMART_FUNCTION(custmart_rfm_member_##name); \
Datum \
custmart_rfm_member_##name(PG_FUNCTION_ARGS) \
{ \
	return summary_of_member(fcinfo, key_type); \
}

RFM_MEMBER(bigint, KEY_INT64)
RFM_MEMBER(uuid, KEY_FIXED16)
RFM_MEMBER(text, KEY_BYTES)

/* ---------- members ---------- */

typedef struct MembersReport
{
	Population	population;
	BookKeyCursor keys;
	Key			key;			/* of the row, which refers to it */
	RfmMemberCursor members;
	uint32		left;
	TimestampTz as_of;
	Segments	segments;
	NumericBuffer money;
} MembersReport;

/* The variant is the argument with the book. */
static void *
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	MembersReport *report;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc(sizeof(MembersReport));
	rfm_open_population(&report->population, PG_GETARG_DATUM(book));
	book_check_key_type(&report->population.reader, &rfm_book_format,
						TupleDescAttr(columns, 0)->atttypid, "members", "rfm_members", "book");
	report->as_of = rfm_get_as_of(fcinfo, book + 1, "as_of", &report->population);
	(void) rfm_choose_cuts(fcinfo, book + 2, book + 3, "cuts", &report->population);
	rfm_get_segments(fcinfo, book + 4, report->population.cuts.bins, &report->segments);
	book_key_cursor(&report->keys, &report->population.reader);
	rfm_member_cursor(&report->members, &report->population.tail, report->population.reader.count);
	report->left = report->population.reader.count;
	return report;
}

static bool
next_member(void *state, Datum *values, bool *nulls)
{
	MembersReport *report = state;
	const Population *population = &report->population;
	int			bins = population->cuts.bins;
	const RfmMember *member;
	RfmScore	score;

	if (report->left == 0)
		return false;
	report->left--;
	member = rfm_next_member(&report->members);
	report->key = book_next_key(&report->keys);
	values[0] = book_key_datum(population->reader.key_type, &report->key);
	values[1] = Int64GetDatum((int64) member->frequency);
	values[2] = Int64GetDatum((int64) member->refunds);
	values[3] = numeric_in_buffer(member->money, &population->pool, &report->money);
	if (member->frequency == 0)
	{
		memset(nulls + 4, true, 8);
		return true;
	}
	score = rfm_member_score(population, member);
	values[4] = TimestampTzGetDatum(member->first_order);
	values[5] = TimestampTzGetDatum(member->last_order);
	values[6] = Float8GetDatum(rfm_days(member->last_order, report->as_of));
	values[7] = Int32GetDatum(score.r);
	values[8] = Int32GetDatum(score.f);
	values[9] = Int32GetDatum(score.m);
	values[10] = Int32GetDatum(rfm_score_number(score, bins));
	values[11] = report->segments.names[rfm_segment_of_member_score(&report->segments, score, bins)];
	return true;
}

static const Report members_report = {open_members, next_member, 12};

/* rfm_members(rfm_book, as_of, bins, cuts, segments): one row per member, members bigint. */
CUSTMART_REPORT(custmart_rfm_members, members_report, 0)

/* rfm_members(anyelement, rfm_book, as_of, bins, cuts, segments): members of the given type. */
CUSTMART_REPORT(custmart_rfm_members_typed, members_report, 1)

/* ---------- segments ---------- */

/* Sums over the members of one segment, exact and so independent of their order. */
typedef struct SegmentSums
{
	int64		members;
	int64		orders;
	uint64		recency_high;	/* microseconds, upper and lower 32 bits separately */
	uint64		recency_low;
	int64		money;
} SegmentSums;

static void
add_to_segment(SegmentSums *sums, DecimalPool *pool, const RfmMember *member,
			   const DecimalPool *member_pool, TimestampTz as_of)
{
	if (sums->members == 0)
		sums->money = decimal_is_pooled(member->money) ? 0 : member->money & 0xFF;
	sums->members++;
	sums->orders += member->frequency;
	if (!decimal_add_packed(&sums->money, pool, member->money, member_pool))
		rfm_raise(RFM_SUM_OUT_OF_RANGE);
	if (member->frequency > 0)
	{
		uint64		recency = (uint64) as_of - (uint64) member->last_order;

		sums->recency_high += recency >> 32;
		sums->recency_low += recency & 0xFFFFFFFF;
	}
}

typedef struct SegmentsReport
{
	Segments	segments;
	SegmentSums *sums;			/* by segment, the last one of members without orders */
	int			next;
	DecimalPool pool;			/* of their money */
	Decimal		total;
	uint32		members;
} SegmentsReport;

static void *
open_segments(FunctionCallInfo fcinfo, TupleDesc columns, int book)
{
	SegmentsReport *report;
	Population	population;
	RfmMemberCursor members;
	TimestampTz as_of;
	int64		total = 0;

	if (PG_ARGISNULL(book))
		return NULL;
	report = palloc0(sizeof(SegmentsReport));
	rfm_open_population(&population, PG_GETARG_DATUM(book));
	as_of = rfm_get_as_of(fcinfo, book + 1, "as_of", &population);
	(void) rfm_choose_cuts(fcinfo, book + 2, book + 3, "cuts", &population);
	rfm_get_segments(fcinfo, book + 4, population.cuts.bins, &report->segments);
	report->sums = palloc0((report->segments.count + 1) * sizeof(SegmentSums));
	report->members = population.reader.count;
	report->pool.context = CurrentMemoryContext;

	rfm_member_cursor(&members, &population.tail, report->members);
	for (uint32 i = 0; i < report->members; i++)
	{
		const RfmMember *member = rfm_next_member(&members);

		check_interrupts(i);
		add_to_segment(&report->sums[rfm_member_segment(&report->segments, &population, member)],
					   &report->pool, member, &population.pool, as_of);
	}
	for (int segment = 0; segment <= report->segments.count; segment++)
		if (report->sums[segment].members > 0 &&
			!decimal_add_packed(&total, &report->pool, report->sums[segment].money, &report->pool))
			rfm_raise(RFM_SUM_OUT_OF_RANGE);
	report->total = decimal_unpack(total, &report->pool);
	return report;
}

static bool
next_segment(void *state, Datum *values, bool *nulls)
{
	SegmentsReport *report = state;
	const SegmentSums *s;
	float8		members;

	while (report->next <= report->segments.count && report->sums[report->next].members == 0)
		report->next++;
	if (report->next > report->segments.count)
		return false;
	s = &report->sums[report->next];
	members = (float8) s->members;
	values[1] = Int64GetDatum(s->members);
	values[2] = Float8GetDatum(members / report->members);
	values[3] = numeric_from_packed(s->money, &report->pool);
	nulls[4] = decimal_sign(&report->total) == 0;
	if (!nulls[4])
		values[4] = Float8GetDatum(decimal_packed_to_double(s->money, &report->pool) /
								   decimal_to_double(&report->total));
	values[6] = Float8GetDatum((float8) s->orders / members);
	values[7] = DirectFunctionCall2(numeric_div, values[3],
									DirectFunctionCall1(int8_numeric, Int64GetDatum(s->members)));
	if (report->next == report->segments.count)
		nulls[0] = nulls[5] = true;
	else
	{
		values[0] = report->segments.names[report->next];
		values[5] = Float8GetDatum(((float8) s->recency_high * 4294967296.0 +
									(float8) s->recency_low) / members / RFM_DAY);
	}
	report->next++;
	return true;
}

static const Report segments = {open_segments, next_segment, 8};

/*
 * rfm_segments(rfm_book, as_of, bins, cuts, segments): one row per segment that has members, in
 * the order of the segments, and a last one for members without orders.
 */
CUSTMART_REPORT(custmart_rfm_segments, segments, 0)
