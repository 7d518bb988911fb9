/*
 * spend.c
 *	  The type spend_summary: what one member spent and got back, time by time.
 */
#include "tier_by_spend/spend.h"

#include "money/decimal_numeric.h"
#include "shared/time_arguments.h"

#define SPEND_VERSION 1

static const char *spend_summary_check(const uint8 *bytes, Size length);

const HistoryKind spend_kind = {
	.type = {"spend_summary", spend_summary_check},
	.format = {STORED_SPEND, SPEND_VERSION, EVENTS_PAYMENTS},
	.size_hint = "Add amounts up by day first, or leave out what is older than the span that decides."
};

HISTORY_FUNCTIONS(spend_summary, &spend_kind)

/* spend_step(spend_summary, timestamptz, numeric): adds one amount. */
CUSTMART_FUNCTION(custmart_spend_step);
Datum
custmart_spend_step(PG_FUNCTION_ARGS)
{
	History	   *history;
	Event		payment;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return aggregate_same_state(fcinfo);
	history = history_of_state(fcinfo, &spend_kind);

	/* Room first: while it is made, the pool is tidied of what no event uses. */
	if (unlikely(history->count == history->capacity))
		history_reserve(history, 1);
	payment.value = time_check(PG_GETARG_TIMESTAMPTZ(1), "occurred_at");
	payment.amount = numeric_read(PG_GETARG_DATUM(2), "amount", &history->pool);
	*history_append(history) = payment;
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}
