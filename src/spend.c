/*
 * spend.c
 *	  Building and storing the type spend.
 */
#include "spend.h"

#include "instant.h"
#include "numeric.h"

static void spend_arrange_series(Series *series);
static Size spend_stored_size(const Series *series);
static void spend_store_series(const Series *series, uint8 *bytes);
static void spend_load_series(Series *series, const uint8 *bytes, Size length);

const SeriesKind spend_kind = {
	.type = {"spend", spend_check},
	.row_size = sizeof(SpendMoment),
	.arrange = spend_arrange_series,
	.stored_size = spend_stored_size,
	.store = spend_store_series,
	.load = spend_load_series,
	.size_hint = "Add amounts up by day first, or leave out what is older than the span that decides."
};

/* Raises the error for a sum that no decimal holds. */
void
spend_range_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("sum of amounts is out of range")));
}

static void
spend_arrange_series(Series *series)
{
	if (!spend_arrange((SpendMoment *) series->rows, &series->count, &series->pool))
		spend_range_error();
}

static Size
spend_stored_size(const Series *series)
{
	return spend_size(spend_moments(series), series->count, &series->pool);
}

static void
spend_store_series(const Series *series, uint8 *bytes)
{
	spend_store(spend_moments(series), series->count, &series->pool, bytes);
}

static void
spend_load_series(Series *series, const uint8 *bytes, Size length)
{
	SpendMoment *moments = series_append_rows(series, spend_count(bytes));

	spend_load(bytes, &series->pool, moments);
}

SERIES_FUNCTIONS(spend, &spend_kind)

/* spend_step(spend, timestamptz, numeric): adds one amount. */
CUSTMART_FUNCTION(custmart_spend_step);
Datum
custmart_spend_step(PG_FUNCTION_ARGS)
{
	Series	   *series;
	SpendMoment moment;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return series_same_state(fcinfo, &spend_kind);
	series = series_of_state(fcinfo, &spend_kind);

	/* Room first: while it is made, the pool is tidied of what no row uses. */
	if (unlikely(series->count == series->capacity))
		series_reserve(series, 1);
	moment.time = instant_check(PG_GETARG_TIMESTAMPTZ(1), "occurred_at");
	moment.amount = numeric_read(PG_GETARG_DATUM(2), "amount", &series->pool);
	*(SpendMoment *) series_append(series) = moment;
	PG_RETURN_DATUM(EOHPGetRWDatum(&series->hdr));
}
