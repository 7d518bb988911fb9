/*
 * spend.c
 *	  Building and storing the type spend.
 */
#include "tier_by_spend/spend.h"

#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"

static void spend_arrange_series(History *history);
static Size spend_stored_size(const History *history);
static void spend_store_series(const History *history, uint8 *bytes);
static void spend_load_series(History *history, const uint8 *bytes, Size length);

const HistoryKind spend_kind = {
	.type = {"spend", spend_check},
	.row_size = sizeof(SpendMoment),
	.arrange = spend_arrange_series,
	.stored_size = spend_stored_size,
	.store = spend_store_series,
	.load = spend_load_series,
	.size_hint = "Add amounts up by day first, or leave out what is older than the span that decides."
};

static void
spend_arrange_series(History *history)
{
	if (!spend_arrange((SpendMoment *) history->rows, &history->count, &history->pool))
		decimal_sum_error();
}

static Size
spend_stored_size(const History *history)
{
	return spend_size(spend_moments(history), history->count, &history->pool);
}

static void
spend_store_series(const History *history, uint8 *bytes)
{
	spend_store(spend_moments(history), history->count, &history->pool, bytes);
}

static void
spend_load_series(History *history, const uint8 *bytes, Size length)
{
	SpendMoment *moments = history_append_rows(history, spend_count(bytes));

	spend_load(bytes, &history->pool, moments);
}

HISTORY_FUNCTIONS(spend, &spend_kind)

/* spend_step(spend, timestamptz, numeric): adds one amount. */
CUSTMART_FUNCTION(custmart_spend_step);
Datum
custmart_spend_step(PG_FUNCTION_ARGS)
{
	History	   *history;
	SpendMoment moment;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return aggregate_same_state(fcinfo);
	history = history_of_state(fcinfo, &spend_kind);

	/* Room first: while it is made, the pool is tidied of what no row uses. */
	if (unlikely(history->count == history->capacity))
		history_reserve(history, 1);
	moment.time = time_check(PG_GETARG_TIMESTAMPTZ(1), "occurred_at");
	moment.amount = numeric_read(PG_GETARG_DATUM(2), "amount", &history->pool);
	*(SpendMoment *) history_append(history) = moment;
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}
