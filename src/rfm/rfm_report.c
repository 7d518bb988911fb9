/*
 * rfm_report.c
 *	  Reports on an rfm_book: score limits, members with scores and segments, and
 *	  the segments themselves.
 *
 * Everything is read from the flat book; no table is built again.
 */
#include "rfm/rfm_book.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* An open book and the limits of its members. */
typedef struct Population
{
	BookReader	reader;
	RfmTail		tail;
	DecimalPool pool;
	uint32		buyers;			/* members who have orders */
	RfmCuts		cuts;			/* valid if there are buyers */
} Population;

static RfmMember
get_member(const Population *population, uint32 i)
{
	RfmMember	member;

	rfm_member_read(population->tail.members + (Size) i * RFM_MEMBER_STORED_SIZE, &member);
	return member;
}

static void
open_population(Population *population, Datum book, int bins)
{
	uint32		count;
	uint32		n = 0;
	int64	   *last_order;
	float8	   *frequency;
	float8	   *monetary;

	book_open(&population->reader, book, &rfm_book_format);
	(void) rfm_book_split_tail(&population->reader, &population->tail);
	population->pool = rfm_book_load_wide(&population->tail);

	count = population->reader.count;
	last_order = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) count, 1) * sizeof(int64));
	frequency = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) count, 1) * sizeof(float8));
	monetary = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) count, 1) * sizeof(float8));
	for (uint32 i = 0; i < count; i++)
	{
		RfmMember	member = get_member(population, i);

		check_interrupts(i);
		if (member.frequency == 0)
			continue;
		last_order[n] = member.last_order;
		frequency[n] = member.frequency;
		monetary[n] = decimal_packed_to_double(member.money, &population->pool);
		n++;
	}
	population->buyers = n;
	if (n > 0)
		rfm_cuts_make(&population->cuts, bins, n, last_order, frequency, monetary);
	pfree(last_order);
	pfree(frequency);
	pfree(monetary);
}

/* The argument bins, which must not be NULL. */
static int
get_bins(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("bins must not be NULL"),
				 errhint("Omit it for 5 bins.")));
	return rfm_check_bins(PG_GETARG_INT32(argument));
}

/* The argument as_of; NULL is the time of the latest row, which may be a refund. */
static TimestampTz
get_as_of(FunctionCallInfo fcinfo, int argument, const Population *population)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(argument))
		return population->tail.latest;
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(argument), "as_of");
	if (population->reader.count > 0 && population->tail.latest > as_of)
		time_too_early_error(as_of, "as_of", population->tail.latest, "a row", "ordered_at");
	return as_of;
}

static RfmScore
score_of(const Population *population, const RfmMember *member)
{
	return rfm_score(&population->cuts, member->last_order, member->frequency,
					 decimal_packed_to_double(member->money, &population->pool));
}

/* Names of the segments as text, made once for many rows. */
static void
make_segment_texts(Datum *texts)
{
	for (int i = 0; i < RFM_SEGMENTS; i++)
		texts[i] = CStringGetTextDatum(rfm_segment_names[i]);
}

/* rfm_cuts(rfm_book, bins): the limits of all members; NULL if none has orders. */
CUSTMART_FUNCTION(custmart_rfm_book_cuts);
Datum
custmart_rfm_book_cuts(PG_FUNCTION_ARGS)
{
	Population	population;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	open_population(&population, PG_GETARG_DATUM(0), get_bins(fcinfo, 1));
	if (population.buyers == 0)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(rfm_cuts_datum(&population.cuts));
}

static Datum
rfm_members(FunctionCallInfo fcinfo, int book_argument)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Population	population;
	BookKeyCursor cursor;
	TimestampTz as_of;
	Datum		segment_texts[RFM_SEGMENTS];
	NumericBuffer money;
	int			bins;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(book_argument))
		return (Datum) 0;
	bins = get_bins(fcinfo, book_argument + 2);
	open_population(&population, PG_GETARG_DATUM(book_argument), bins);
	book_check_key_type(&population.reader, &rfm_book_format,
						TupleDescAttr(result->setDesc, 0)->atttypid, "members", "rfm_members", "book");
	as_of = get_as_of(fcinfo, book_argument + 1, &population);
	make_segment_texts(segment_texts);

	book_key_cursor(&cursor, &population.reader);
	for (uint32 i = 0; i < population.reader.count; i++)
	{
		RfmMember	member = get_member(&population, i);
		Key			key = book_next_key(&cursor);
		Datum		values[11];
		bool		nulls[11] = {0};

		check_interrupts(i);
		values[0] = book_key_datum(population.reader.key_type, &key);
		values[1] = Int64GetDatum((int64) member.frequency);
		values[2] = numeric_in_buffer(member.money, &population.pool, &money);
		if (member.frequency == 0)
		{
			memset(values + 3, 0, sizeof(Datum) * 8);
			memset(nulls + 3, true, 8);
		}
		else
		{
			RfmScore	score = score_of(&population, &member);

			values[3] = TimestampTzGetDatum(member.first_order);
			values[4] = TimestampTzGetDatum(member.last_order);
			values[5] = Float8GetDatum(rfm_days(member.last_order, as_of));
			values[6] = Int32GetDatum(score.r);
			values[7] = Int32GetDatum(score.f);
			values[8] = Int32GetDatum(score.m);
			values[9] = Int32GetDatum(rfm_score_number(score, bins));
			values[10] = segment_texts[rfm_segment_of(score, bins)];
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		if (population.reader.key_type == KEY_BYTES)
			pfree(DatumGetPointer(values[0]));
	}
	return (Datum) 0;
}

/* rfm_members(rfm_book, as_of, bins): one row per member, members bigint. */
CUSTMART_FUNCTION(custmart_rfm_members);
Datum
custmart_rfm_members(PG_FUNCTION_ARGS)
{
	return rfm_members(fcinfo, 0);
}

/* rfm_members(anyelement, rfm_book, as_of, bins): members of the given type. */
CUSTMART_FUNCTION(custmart_rfm_members_typed);
Datum
custmart_rfm_members_typed(PG_FUNCTION_ARGS)
{
	return rfm_members(fcinfo, 1);
}

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

/*
 * rfm_segments(rfm_book, as_of, bins): one row per segment that has members, in
 * the order of docs/rfm.md, and a last one for members without orders.
 */
CUSTMART_FUNCTION(custmart_rfm_segments);
Datum
custmart_rfm_segments(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Population	population;
	SegmentSums sums[RFM_SEGMENTS + 1] = {{0}};
	DecimalPool pool = {0};
	Datum		segment_texts[RFM_SEGMENTS];
	TimestampTz as_of;
	int64		total = 0;
	Decimal		total_decimal;
	int			bins;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	bins = get_bins(fcinfo, 2);
	open_population(&population, PG_GETARG_DATUM(0), bins);
	as_of = get_as_of(fcinfo, 1, &population);
	make_segment_texts(segment_texts);
	pool.context = CurrentMemoryContext;

	for (uint32 i = 0; i < population.reader.count; i++)
	{
		RfmMember	member = get_member(&population, i);
		int			segment = member.frequency == 0 ? RFM_SEGMENTS :
			rfm_segment_of(score_of(&population, &member), bins);

		check_interrupts(i);
		add_to_segment(&sums[segment], &pool, &member, &population.pool, as_of);
	}
	for (int segment = 0; segment <= RFM_SEGMENTS; segment++)
		if (sums[segment].members > 0 &&
			!decimal_add_packed(&total, &pool, sums[segment].money, &pool))
			rfm_raise(RFM_SUM_OUT_OF_RANGE);
	total_decimal = decimal_unpack(total, &pool);

	for (int segment = 0; segment <= RFM_SEGMENTS; segment++)
	{
		const SegmentSums *s = &sums[segment];
		Datum		values[8] = {0};
		bool		nulls[8] = {0};
		float8		members = (float8) s->members;

		if (s->members == 0)
			continue;
		values[1] = Int64GetDatum(s->members);
		values[2] = Float8GetDatum(members / population.reader.count);
		values[3] = numeric_from_packed(s->money, &pool);
		nulls[4] = decimal_sign(&total_decimal) == 0;
		if (!nulls[4])
			values[4] = Float8GetDatum(decimal_packed_to_double(s->money, &pool) /
									   decimal_to_double(&total_decimal));
		values[6] = Float8GetDatum((float8) s->orders / members);
		values[7] = DirectFunctionCall2(numeric_div, values[3],
										DirectFunctionCall1(int8_numeric, Int64GetDatum(s->members)));
		if (segment == RFM_SEGMENTS)
			nulls[0] = nulls[5] = true;
		else
		{
			values[0] = segment_texts[segment];
			values[5] = Float8GetDatum(((float8) s->recency_high * 4294967296.0 +
										(float8) s->recency_low) / members / RFM_DAY);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
