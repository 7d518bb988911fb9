/*
 * points.c
 *	  The type points_summary, what one member earned and redeemed, and the SQL face
 *	  of their account.
 */
#include "custmart.h"

#include "history/history.h"
#include "money/decimal_numeric.h"
#include "shared/arguments.h"
#include "shared/calendar.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "tier_by_spend/points_core.h"
#include "tier_by_spend/programme_arguments.h"
#include "tier_by_spend/tier_by_spend_core.h"
#include "utils/builtins.h"

#define POINTS_VERSION 1

static const char *points_summary_check(const uint8 *bytes, Size length);

static const HistoryKind points_kind = {
	.type = {"points_summary", points_summary_check},
	.format = {STORED_POINTS, POINTS_VERSION, EVENTS_ENTRIES},
	.size_hint = "Add points up by day first, what is earned and what is redeemed apart."
};

HISTORY_FUNCTIONS(points_summary, &points_kind)

/* points_step(points_summary, timestamptz, numeric): adds one entry. */
CUSTMART_FUNCTION(custmart_points_step);
Datum
custmart_points_step(PG_FUNCTION_ARGS)
{
	History	   *history;
	Event		entry;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return aggregate_same_state(fcinfo);
	history = history_of_state(fcinfo, &points_kind);

	/* Room first: while it is made, the pool is tidied of what no event uses. */
	if (unlikely(history->count == history->capacity))
		history_reserve(history, 1);
	entry.value = time_check(PG_GETARG_TIMESTAMPTZ(1), "occurred_at");
	entry.amount = numeric_read(PG_GETARG_DATUM(2), "points", &history->pool);
	*history_append(history) = entry;
	PG_RETURN_DATUM(EOHPGetRWDatum(&history->hdr));
}

/* ---------- an account ---------- */

/* Points of a member, and when they lapse. */
typedef struct Account
{
	const Interval *valid_for;
	CalendarSettings settings;
	PointsWalk	walk;
} Account;

/* The end of the period in which valid_for ends. */
static int64
lapse(void *context, int64 time)
{
	const Account *account = context;
	TimestampTz end = zone_after(account->settings.zone, time, account->valid_for);

	return end == DT_NOEND ? DT_NOEND : calendar_end(&account->settings, end);
}

static TimestampTz
as_of_argument(FunctionCallInfo fcinfo, Zone *zone, TimeType type, const History *history)
{
	return PG_ARGISNULL(1) ? history->events[history->count - 1].value :
		zone_time_argument(zone, PG_GETARG_DATUM(1), type, "as_of");
}

/* Opens an account with the arguments from 0 on: points, as_of, of a type, valid_for, unit, timezone. */
static void
open_account(FunctionCallInfo fcinfo, TimeType type, Account *account)
{
	PointsWalk *walk = &account->walk;
	const History *history;

	argument_check_not_null(fcinfo, 2, "valid_for");
	argument_check_not_null(fcinfo, 3, "unit");
	argument_check_not_null(fcinfo, 4, "timezone");
	account->valid_for = length_argument(PG_GETARG_DATUM(2), "valid_for", true);
	account->settings = *calendar_arguments(PG_GETARG_DATUM(3), PG_GETARG_DATUM(4));
	history = history_open(PG_GETARG_DATUM(0), &points_kind);
	walk->entries = history->events;
	walk->count = history->count;
	walk->pool = &history->pool;
	walk->lapse = lapse;
	walk->context = account;
	walk->until = as_of_argument(fcinfo, account->settings.zone, type, history);
	points_walk_begin(walk);
}

static bool
next_entry(PointsWalk *walk)
{
	bool		is_entry = points_walk_next(walk);

	if (walk->is_out_of_range)
		decimal_sum_error();
	return is_entry;
}

/* The account as it is at as_of. */
static void
walk_to_as_of(FunctionCallInfo fcinfo, TimeType type, Account *account)
{
	open_account(fcinfo, type, account);
	while (next_entry(&account->walk))
		;
}

/* Goes on to when points lapse after as_of if none are redeemed; false: they never do. */
static bool
next_lapse(Account *account)
{
	account->walk.count = account->walk.next;
	account->walk.until = PG_INT64_MAX;
	return next_entry(&account->walk);
}

/* ---------- functions ---------- */

/* points_balance(points_summary, as_of, valid_for, unit, timezone): what can be redeemed, or is owed. */
static Datum
points_balance(FunctionCallInfo fcinfo, TimeType type)
{
	Account		account;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	walk_to_as_of(fcinfo, type, &account);
	PG_RETURN_DATUM(numeric_of(&account.walk.balance));
}

AS_OF_FUNCTIONS(points_balance)

/* points_lapsed(points_summary, as_of, valid_for, unit, timezone): all that has lapsed. */
static Datum
points_lapsed(FunctionCallInfo fcinfo, TimeType type)
{
	Account		account;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	walk_to_as_of(fcinfo, type, &account);
	PG_RETURN_DATUM(numeric_of(&account.walk.lapsed));
}

AS_OF_FUNCTIONS(points_lapsed)

/* points_until(points_summary, as_of, valid_for, unit, timezone): when the next points lapse. */
static Datum
points_until(FunctionCallInfo fcinfo, TimeType type)
{
	Account		account;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	walk_to_as_of(fcinfo, type, &account);
	if (decimal_sign(&account.walk.balance) <= 0)
		PG_RETURN_NULL();
	if (next_lapse(&account))
		PG_RETURN_DATEADT(calendar_day(&account.settings, account.walk.at));
	PG_RETURN_DATEADT(DATEVAL_NOEND);
}

AS_OF_FUNCTIONS(points_until)

/* The sum of what was earned, or of what was redeemed, up to as_of. */
static Datum
sum_of(FunctionCallInfo fcinfo, TimeType type, bool is_redeemed)
{
	const History *history;
	TimestampTz as_of;
	Decimal		sum;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	argument_check_not_null(fcinfo, 2, "timezone");
	history = history_open(PG_GETARG_DATUM(0), &points_kind);
	as_of = as_of_argument(fcinfo, zone_argument(PG_GETARG_DATUM(2)), type, history);
	sum = payments_zero(history->events, history->count, &history->pool);
	for (Size i = 0; i < history->count && history->events[i].value <= as_of; i++)
	{
		Decimal		points = decimal_unpack(history->events[i].amount, &history->pool);

		check_interrupts(i);
		if ((decimal_sign(&points) < 0) != is_redeemed)
			continue;
		if (!(is_redeemed ? decimal_subtract(&sum, &points) : decimal_add(&sum, &points)))
			decimal_sum_error();
	}
	PG_RETURN_DATUM(numeric_of(&sum));
}

/* points_earned(points_summary, as_of, timezone): all that was earned. */
static Datum
points_earned(FunctionCallInfo fcinfo, TimeType type)
{
	return sum_of(fcinfo, type, false);
}

AS_OF_FUNCTIONS(points_earned)

/* points_redeemed(points_summary, as_of, timezone): all that was redeemed. */
static Datum
points_redeemed(FunctionCallInfo fcinfo, TimeType type)
{
	return sum_of(fcinfo, type, true);
}

AS_OF_FUNCTIONS(points_redeemed)

/* ---------- reports ---------- */

/* The variant is the type of as_of. */
static void *
open_points_history(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	Account    *account;

	if (PG_ARGISNULL(0))
		return NULL;
	account = palloc(sizeof(Account));
	open_account(fcinfo, (TimeType) type, account);
	return account;
}

static bool
next_change(void *state, Datum *values, bool *nulls)
{
	static const char *const reasons[] = {"earned", "redeemed", "lapsed"};
	PointsWalk *walk = &((Account *) state)->walk;
	Decimal		change;

	if (!next_entry(walk))
		return false;
	change = walk->zero;
	if (!(walk->reason == POINTS_EARNED ? decimal_add(&change, &walk->points) : decimal_subtract(&change, &walk->points)))
		decimal_sum_error();
	values[0] = TimestampTzGetDatum(walk->at);
	values[1] = numeric_of(&change);
	values[2] = numeric_of(&walk->balance);
	values[3] = CStringGetTextDatum(reasons[walk->reason]);
	return true;
}

/* points_history(points_summary, as_of, valid_for, unit, timezone): the account, line by line. */
static Datum
points_history(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report history = {open_points_history, next_change, 4};

	return report_rows(fcinfo, &history, (int) type);
}

AS_OF_FUNCTIONS(points_history)

static void *
open_points_lapses(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	Account    *account = open_points_history(fcinfo, columns, type);

	while (account != NULL && next_entry(&account->walk))
		;
	return account;
}

static bool
next_lapses(void *state, Datum *values, bool *nulls)
{
	Account    *account = state;

	if (!next_lapse(account))
		return false;
	values[0] = DateADTGetDatum(calendar_day(&account->settings, account->walk.at));
	values[1] = numeric_of(&account->walk.points);
	return true;
}

/* points_lapses(points_summary, as_of, valid_for, unit, timezone): what of the balance will lapse, and when. */
static Datum
points_lapses(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report lapses = {open_points_lapses, next_lapses, 2};

	return report_rows(fcinfo, &lapses, (int) type);
}

AS_OF_FUNCTIONS(points_lapses)
