/*
 * clv_members.c
 *	  Reports with one row for each member of a book: what a fit sees of them, and
 *	  what a model expects.
 */
#include "clv/clv_book.h"

#include "money/decimal_numeric.h"
#include "shared/arguments.h"
#include "shared/report.h"
#include "utils/fmgrprotos.h"

/* ---------- what is expected ---------- */

typedef struct MembersReport
{
	ClvBook		book;
	ClvFitted	fitted;
	float8		margin;
	ClvForecast forecast;
} MembersReport;

/* The variant is the argument with the book. */
static void *
open_members(FunctionCallInfo fcinfo, TupleDesc columns, int argument)
{
	MembersReport *report;
	ClvBook    *book;
	float8		days;
	float8		discount;

	if (PG_ARGISNULL(argument) || PG_ARGISNULL(argument + 1))
		return NULL;
	report = palloc(sizeof(MembersReport));
	book = &report->book;
	if (!clv_book_open(book, PG_GETARG_DATUM(argument)))
		return NULL;
	book_check_key_type(&book->days.reader, &retention_book_format.book,
						TupleDescAttr(columns, 0)->atttypid, "members", "clv_members", "book, model");
	clv_book_set_until(book, fcinfo, argument + 3, "as_of", false);
	clv_model_get(PG_GETARG_DATUM(argument + 1), &report->fitted);
	clv_book_check_zone(book, &report->fitted);
	argument_check_not_null(fcinfo, argument + 2, "horizon");
	days = clv_horizon_days(PG_GETARG_INTERVAL_P(argument + 2), true, book->until);
	discount = clv_discount_argument(fcinfo, argument + 4);
	report->margin = clv_margin_argument(fcinfo, argument + 5);
	clv_check_endless(&report->fitted.orders, days, discount);
	clv_forecast_init(&report->forecast, &report->fitted.orders, days, discount, book->days.reader.count);
	return report;
}

static bool
next_member(void *state, Datum *values, bool *nulls)
{
	MembersReport *report = state;
	const ClvBook *book = &report->book;
	const ClvHistory *history = &book->history;
	const ClvFitted *fitted = &report->fitted;
	const ClvParameters *orders = &fitted->orders;
	const float8 days = report->forecast.days;
	float8		alive;
	float8		orders_if_alive;
	float8		discounted;
	float8		spend;
	bool		has_spend;

	if (!clv_book_next(&report->book))
		return false;
	clv_forecast_if_alive(&report->forecast, history->repeats, history->age, &orders_if_alive, &discounted);
	alive = clv_p_alive(orders, history->repeats, history->last_age, history->age);
	has_spend = fitted->spend_members > 0 &&
		clv_expected_spend(fitted->spend, history->repeats, history->repeats > 0 ? clv_book_mean_spend(book) : 0, &spend);
	values[0] = book_key_datum(book->days.reader.key_type, &book->days.key);
	values[1] = Int64GetDatum(history->repeats);
	values[2] = Float8GetDatum(history->last_age);
	values[3] = Float8GetDatum(history->age);
	values[4] = Float8GetDatum(clv_finite(alive));
	values[5] = Float8GetDatum(clv_finite(clv_p_order(orders, history->repeats, history->last_age, history->age, days)));
	nulls[6] = isinf(days);
	values[6] = Float8GetDatum(nulls[6] ? 0 : clv_finite(alive * orders_if_alive));
	nulls[7] = nulls[8] = !has_spend;
	if (has_spend)
	{
		values[7] = Float8GetDatum(clv_finite(spend));
		values[8] = Float8GetDatum(clv_finite(report->margin * spend * alive * discounted));
	}
	return true;
}

static const Report members_report = {open_members, next_member, 9};

/* clv_members(retention_book, clv_model, horizon, as_of, annual_discount, margin): members bigint. */
CUSTMART_REPORT(custmart_clv_members, members_report, 0)

/* clv_members(anyelement, ...): members of the given type. */
CUSTMART_REPORT(custmart_clv_members_typed, members_report, 1)

/* ---------- what a fit sees ---------- */

/* The variant is the argument with the book. */
static void *
open_summaries(FunctionCallInfo fcinfo, TupleDesc columns, int argument)
{
	ClvBook    *book;

	if (PG_ARGISNULL(argument))
		return NULL;
	book = palloc(sizeof(ClvBook));
	if (!clv_book_open(book, PG_GETARG_DATUM(argument)))
		return NULL;
	book_check_key_type(&book->days.reader, &retention_book_format.book,
						TupleDescAttr(columns, 0)->atttypid, "members", "clv_summaries", "book");
	clv_book_set_until(book, fcinfo, argument + 1, "until", true);
	return book;
}

static bool
next_summary(void *state, Datum *values, bool *nulls)
{
	ClvBook    *book = state;
	const ClvHistory *history = &book->history;

	if (!clv_book_next(book))
		return false;
	values[0] = book_key_datum(book->days.reader.key_type, &book->days.key);
	values[1] = Int64GetDatum(history->repeats);
	values[2] = Float8GetDatum(history->last_age);
	values[3] = Float8GetDatum(history->age);
	nulls[4] = history->repeats == 0;
	if (!nulls[4])
		values[4] = DirectFunctionCall2(numeric_div, numeric_from_packed(history->money, &book->pool),
										DirectFunctionCall1(int8_numeric, Int64GetDatum(history->repeats)));
	values[5] = Int64GetDatum(history->days_after);
	values[6] = numeric_from_packed(history->money_after, &book->pool);
	return true;
}

static const Report summaries_report = {open_summaries, next_summary, 7};

/* clv_summaries(retention_book, until): members bigint. */
CUSTMART_REPORT(custmart_clv_summaries, summaries_report, 0)

/* clv_summaries(anyelement, retention_book, until): members of the given type. */
CUSTMART_REPORT(custmart_clv_summaries_typed, summaries_report, 1)
