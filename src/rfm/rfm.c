/*
 * rfm.c
 *	  The type rfm_summary: a summary of one member's orders.
 *
 * A value is 36 bytes (69 if its sum is very long), so the aggregate's state is
 * the stored value itself, changed in place: no expanded object, and no final
 * conversion.
 */
#include "rfm/rfm.h"

#include "lib/stringinfo.h"
#include "shared/aggregate.h"
#include "utils/builtins.h"

const StoredType rfm_type = {"rfm_summary", rfm_check};

/* Raises the error for an addition that failed. */
void
rfm_raise(RfmStatus status)
{
	switch (status)
	{
		case RFM_OK:
			break;
		case RFM_TOO_MANY_ORDERS:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a member cannot have more than %u orders or refunds", PG_UINT32_MAX)));
			break;
		case RFM_SUM_OUT_OF_RANGE:
			decimal_sum_error();
			break;
	}
}

/* Reads a stored value, checked; the result must not be moved. */
void
rfm_read(RfmValue *value, Datum stored)
{
	bytea	   *bytes = stored_get(stored, &rfm_type);

	rfm_load((const uint8 *) VARDATA_ANY(bytes), &value->member, &value->pool, &value->wide);
	if ((Pointer) bytes != DatumGetPointer(stored))
		pfree(bytes);
}

/* ---------- text and binary ---------- */

static char *
member_to_text(const uint8 *bytes)
{
	StringInfoData text;
	RfmMember	member;
	DecimalPool pool;
	Decimal		wide;
	char		money[DECIMAL_TEXT_SIZE];
	char		time[TIME_TEXT_SIZE];

	rfm_load(bytes, &member, &pool, &wide);
	wide = decimal_unpack(member.money, &pool);
	decimal_to_text(&wide, money);
	initStringInfo(&text);
	appendStringInfo(&text, "v1 frequency=%u refunds=%u monetary=%s",
					 member.frequency, member.refunds, money);
	if (member.frequency > 0)
	{
		time_to_text(member.first_order, time);
		appendStringInfo(&text, " first_order=%s", time);
		time_to_text(member.last_order, time);
		appendStringInfo(&text, " last_order=%s", time);
	}
	return text.data;
}

/* Advances past a word, if it comes next. */
static bool
read_word(const char **text, const char *word)
{
	Size		length = strlen(word);

	if (strncmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

static bool
read_count(const char **text, uint32 *count)
{
	uint64		n = 0;
	const char *start = *text;

	while (**text >= '0' && **text <= '9' && n <= PG_UINT32_MAX)
		n = n * 10 + (*(*text)++ - '0');
	*count = (uint32) n;
	return *text > start && n <= PG_UINT32_MAX;
}

/* Reads a literal into bytes; returns the length, or 0 if it does not parse. */
static Size
member_from_text(const char *text, uint8 *bytes)
{
	RfmMember	member = {0};
	DecimalPool pool = {0};
	Decimal		sum;
	Size		length;

	if (!read_word(&text, "v1 frequency=") || !read_count(&text, &member.frequency) ||
		!read_word(&text, " refunds=") || !read_count(&text, &member.refunds) ||
		!read_word(&text, " monetary="))
		return 0;
	length = strcspn(text, " ");
	if (!decimal_from_text(text, length, &sum))
		return 0;
	if (!decimal_fits_packed(&sum, &member.money))
	{
		pool.item = &sum;
		pool.count = 1;
		member.money = DECIMAL_IN_POOL;
	}
	text += length;
	if (*text != '\0' &&
		(!read_word(&text, " first_order=") || !time_from_text(&text, &member.first_order) ||
		 !read_word(&text, " last_order=") || !time_from_text(&text, &member.last_order)))
		return 0;
	if (*text != '\0')
		return 0;
	return rfm_store(&member, &pool, bytes);
}

/* rfm_summary_in(cstring): the text form; soft errors. */
CUSTMART_FUNCTION(custmart_rfm_summary_in);
Datum
custmart_rfm_summary_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	bytea	   *value = palloc(VARHDRSZ + RFM_STORED_MAX);
	uint8	   *bytes = (uint8 *) VARDATA(value);
	Size		length = member_from_text(text, bytes);
	const char *wrong = length == 0 ? "it does not have the form of one" : rfm_check(bytes, length);

	if (wrong == NULL && strcmp(member_to_text(bytes), text) != 0)
		wrong = "a number or date is not written as custmart writes it";
	if (wrong != NULL)
		return stored_input_error(text, &rfm_type, wrong,
								  "The form is: v1 frequency=2 refunds=0 monetary=20.50 first_order=2026-01-31T12:00:00+00:00 last_order=2026-02-01T09:30:00+00:00",
								  INPUT_ERROR_CONTEXT(fcinfo));
	SET_VARSIZE(value, VARHDRSZ + length);
	PG_RETURN_BYTEA_P(value);
}

/* rfm_summary_out(rfm_summary): the text form, which depends on no setting. */
CUSTMART_FUNCTION(custmart_rfm_summary_out);
Datum
custmart_rfm_summary_out(PG_FUNCTION_ARGS)
{
	bytea	   *value = stored_get(PG_GETARG_DATUM(0), &rfm_type);

	PG_RETURN_CSTRING(member_to_text((const uint8 *) VARDATA_ANY(value)));
}

/* rfm_summary_recv(internal): the stored bytes, checked. */
CUSTMART_FUNCTION(custmart_rfm_summary_recv);
Datum
custmart_rfm_summary_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(stored_recv(fcinfo, &rfm_type));
}

/*
 * Writes a member as the next state: over the current one, which belongs to the
 * aggregate, if it has the right size.
 */
static Datum
next_state(bytea *state, const RfmMember *member, const DecimalPool *pool)
{
	uint8		bytes[RFM_STORED_MAX];
	Size		length;

	if (likely(state != NULL && !decimal_is_pooled(member->money) &&
			   VARSIZE(state) == VARHDRSZ + RFM_STORED_SIZE))
	{
		rfm_member_store(member, (uint8 *) VARDATA(state) + RFM_HEADER_SIZE);
		return PointerGetDatum(state);
	}
	length = rfm_store(member, pool, bytes);
	state = palloc(VARHDRSZ + length);
	SET_VARSIZE(state, VARHDRSZ + length);
	memcpy(VARDATA(state), bytes, length);
	return PointerGetDatum(state);
}

/* ---------- from what is already aggregated ---------- */

/* A number of orders or refunds. */
static uint32
get_count(FunctionCallInfo fcinfo, int argument, const char *name)
{
	int64		n = PG_GETARG_INT64(argument);

	if (n < 0 || n > PG_UINT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be from 0 to %u, not " INT64_FORMAT, name, PG_UINT32_MAX, n),
				 errhint("Give how many orders and refunds of one member there are.")));
	return (uint32) n;
}

/* The time of an order, which there must be. */
static TimestampTz
get_order_time(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL where there are orders", name),
				 errhint("It may be NULL only if frequency is 0, of a member of whom there are only refunds.")));
	return time_check(PG_GETARG_TIMESTAMPTZ(argument), name);
}

/* rfm(frequency, monetary, first_order, last_order, refunds): a summary of these figures. */
CUSTMART_FUNCTION(custmart_rfm_from_figures);
Datum
custmart_rfm_from_figures(PG_FUNCTION_ARGS)
{
	RfmMember	member = {0};
	DecimalPool pool = {.context = CurrentMemoryContext};
	uint8		bytes[RFM_STORED_MAX];
	Size		length;
	const char *wrong;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	member.frequency = get_count(fcinfo, 0, "frequency");
	member.money = numeric_read(PG_GETARG_DATUM(1), "monetary", &pool);
	if (member.frequency > 0)
	{
		member.first_order = get_order_time(fcinfo, 2, "first_order");
		member.last_order = get_order_time(fcinfo, 3, "last_order");
	}
	member.refunds = get_count(fcinfo, 4, "refunds");
	length = rfm_store(&member, &pool, bytes);
	wrong = rfm_check(bytes, length);
	if (wrong == NULL && member.frequency == 0 && !(PG_ARGISNULL(2) && PG_ARGISNULL(3)))
		wrong = "a member without orders has dates";
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("figures of a member are not valid: %s", wrong),
				 errdetail("They are \"%s\".", member_to_text(bytes)),
				 errhint("An amount below 0 is a refund: it lowers monetary, counts in refunds, is not an order and moves no date.")));
	return next_state(NULL, &member, &pool);
}

/* ---------- aggregates ---------- */

/* The state in argument 0, read; NULL if there is none yet. */
static bytea *
get_state(FunctionCallInfo fcinfo, RfmValue *value)
{
	bytea	   *state = NULL;
	const char *wrong;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
	{
		memset(&value->member, 0, sizeof(value->member));
		memset(&value->pool, 0, sizeof(value->pool));
	}
	else
	{
		state = PG_GETARG_BYTEA_P(0);
		wrong = rfm_check_state((const uint8 *) VARDATA(state), VARSIZE(state) - VARHDRSZ);
		if (unlikely(wrong != NULL))
			stored_raise(&rfm_type, wrong);
		rfm_load((const uint8 *) VARDATA(state), &value->member, &value->pool, &value->wide);
	}
	value->pool.context = CurrentMemoryContext;
	return state;
}

/* rfm_step(rfm_summary, timestamptz, numeric): counts one order. */
CUSTMART_FUNCTION(custmart_rfm_step);
Datum
custmart_rfm_step(PG_FUNCTION_ARGS)
{
	RfmValue	value;
	DecimalPool amount_pool = {0};
	bytea	   *state;
	TimestampTz time;
	int64		amount;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return aggregate_same_state(fcinfo);
	state = get_state(fcinfo, &value);
	amount_pool.context = CurrentMemoryContext;
	time = time_check(PG_GETARG_TIMESTAMPTZ(1), "occurred_at");
	amount = numeric_read(PG_GETARG_DATUM(2), "amount", &amount_pool);
	rfm_raise(rfm_add_line(&value.member, &value.pool, time, amount, &amount_pool,
						   rfm_is_refund(amount, &amount_pool), true));
	return next_state(state, &value.member, &value.pool);
}

/* rfm_summary_combine(rfm_summary, rfm_summary): merges the second into the state. */
CUSTMART_FUNCTION(custmart_rfm_summary_combine);
Datum
custmart_rfm_summary_combine(PG_FUNCTION_ARGS)
{
	RfmValue	value;
	RfmValue	other;
	bytea	   *state;

	if (PG_ARGISNULL(1))
		return aggregate_same_state(fcinfo);
	state = get_state(fcinfo, &value);
	rfm_read(&other, PG_GETARG_DATUM(1));
	rfm_raise(rfm_merge(&value.member, &value.pool, &other.member, &other.pool));
	return next_state(state, &value.member, &value.pool);
}

/* rfm_summary_add(rfm_summary, rfm_summary): the operator +. */
CUSTMART_FUNCTION(custmart_rfm_summary_add);
Datum
custmart_rfm_summary_add(PG_FUNCTION_ARGS)
{
	RfmValue	value;
	RfmValue	other;

	rfm_read(&value, PG_GETARG_DATUM(0));
	value.pool.context = CurrentMemoryContext;
	rfm_read(&other, PG_GETARG_DATUM(1));
	rfm_raise(rfm_merge(&value.member, &value.pool, &other.member, &other.pool));
	return next_state(NULL, &value.member, &value.pool);
}

/* ---------- accessors ---------- */

/* frequency(rfm_summary): number of orders. */
CUSTMART_FUNCTION(custmart_rfm_frequency);
Datum
custmart_rfm_frequency(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	PG_RETURN_INT64(value.member.frequency);
}

/* refunds(rfm_summary): number of refunds. */
CUSTMART_FUNCTION(custmart_rfm_refunds);
Datum
custmart_rfm_refunds(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	PG_RETURN_INT64(value.member.refunds);
}

/* monetary(rfm_summary): the net total, equal to sum(amount). */
CUSTMART_FUNCTION(custmart_rfm_monetary);
Datum
custmart_rfm_monetary(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	PG_RETURN_DATUM(numeric_from_packed(value.member.money, &value.pool));
}

/* avg_order_value(rfm_summary): monetary / frequency; NULL without an order. */
CUSTMART_FUNCTION(custmart_rfm_avg_order_value);
Datum
custmart_rfm_avg_order_value(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	if (value.member.frequency == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_div,
										numeric_from_packed(value.member.money, &value.pool),
										DirectFunctionCall1(int8_numeric, Int64GetDatum(value.member.frequency))));
}

/* first_order(rfm_summary): time of the first order; NULL without one. */
CUSTMART_FUNCTION(custmart_rfm_first_order);
Datum
custmart_rfm_first_order(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	if (value.member.frequency == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(value.member.first_order);
}

/* last_order(rfm_summary): time of the last order; NULL without one. */
CUSTMART_FUNCTION(custmart_rfm_last_order);
Datum
custmart_rfm_last_order(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	rfm_read(&value, PG_GETARG_DATUM(0));
	if (value.member.frequency == 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(value.member.last_order);
}

/* as_of in argument 1; NULL is the last order, which must not be after it. */
static TimestampTz
get_as_of(FunctionCallInfo fcinfo, const RfmMember *member)
{
	TimestampTz as_of;

	if (PG_ARGISNULL(1))
		return member->last_order;
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(1), "as_of");
	if (unlikely(member->last_order > as_of))
		time_too_early_error(as_of, "as_of", member->last_order, "an order", false);
	return as_of;
}

/* recency(rfm_summary, as_of): days from the last order to as_of; NULL without one. */
CUSTMART_FUNCTION(custmart_rfm_recency);
Datum
custmart_rfm_recency(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	rfm_read(&value, PG_GETARG_DATUM(0));
	if (value.member.frequency == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(rfm_days(value.member.last_order, get_as_of(fcinfo, &value.member)));
}

/* tenure(rfm_summary, as_of): days from the first order to as_of; NULL without one. */
CUSTMART_FUNCTION(custmart_rfm_tenure);
Datum
custmart_rfm_tenure(PG_FUNCTION_ARGS)
{
	RfmValue	value;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	rfm_read(&value, PG_GETARG_DATUM(0));
	if (value.member.frequency == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(rfm_days(value.member.first_order, get_as_of(fcinfo, &value.member)));
}
