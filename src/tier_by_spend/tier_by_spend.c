/*
 * tier_by_spend.c
 *	  The SQL face of tiers by net spend.
 */
#include "custmart.h"

#include "shared/arguments.h"
#include "shared/calendar.h"
#include "catalog/pg_type.h"
#include "shared/duration.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "mb/pg_wchar.h"
#include "money/decimal_numeric.h"
#include "tier_by_spend/programme_arguments.h"
#include "tier_by_spend/spend.h"
#include "tier_by_spend/tier_by_spend_core.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#define LIMITS_MAX 999

/* The rules of a loyalty programme, and when its periods end and its windows begin. */
typedef struct Programme
{
	Decimal    *limits;
	Decimal    *keep_limits;	/* the same where none are given */
	int			limit_count;
	const Interval *span;
	const Interval *keep_for;	/* NULL: to the next end, or where periods count from 0 to the end of the next */
	CalendarSettings settings;
	TierCalendar calendar;
} Programme;

/* A member in a programme: their payments and a walk through them. */
typedef struct Member
{
	Programme	programme;
	const History *history;
	TimestampTz as_of;
	TierWalk	walk;
} Member;

/* ---------- arguments ---------- */

/* Refuses NULL (22004) for what has no default but stands behind as_of, which has one. */
static void
check_given(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be NULL", name),
				 errhint("Give what each tier but the last begins at and, where tiers are named, their names: limits => ARRAY[1000, 500], names => ARRAY['gold', 'silver', 'member'].")));
}

/* Raises 22023 with limits as given, truncated if there are many. */
static void
limits_error(const char *argument, ArrayType *array, const char *wrong)
{
	char	   *text = OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array));
	int			length = (int) strlen(text);
	int			quoted = pg_mbcliplen(text, length, 100);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%.*s%s\" are not valid: %s", argument, quoted, text, quoted < length ? "..." : "", wrong),
			 errhint("Give what each tier but the last begins at, the best first: ARRAY[1000, 500] for one from 1000 on and one from 500 on.")));
}

static Decimal *
get_limits(Datum value, const char *argument, int *count)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Decimal    *limits;
	Datum	   *elements;
	bool	   *nulls;
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array) || n < 1 || n > LIMITS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a list of 1 to %d numbers without NULL", argument, LIMITS_MAX),
				 errhint("Give a one-dimensional array such as ARRAY[1000, 500], the limit of the best tier first.")));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	limits = palloc(sizeof(Decimal) * n);
	for (int i = 0; i < n; i++)
	{
		Decimal    *limit = &limits[i];
		struct varlena *numeric = PG_DETOAST_DATUM_PACKED(elements[i]);

		switch (decimal_from_numeric((const uint8 *) VARDATA_ANY(numeric), VARSIZE_ANY_EXHDR(numeric), limit))
		{
			case DECIMAL_OK:
				break;
			case DECIMAL_NAN:
			case DECIMAL_INFINITE:
				limits_error(argument, array, "each must be a finite number");
				break;
			case DECIMAL_OUT_OF_RANGE:
				limits_error(argument, array, "one has more than 38 digits before the decimal point or 28 after it");
				break;
		}
		if (decimal_sign(limit) <= 0)
			limits_error(argument, array, "each must be above 0");
		if (i > 0 && decimal_compare(limit, limit - 1) >= 0)
			limits_error(argument, array, "each must be below the one before");
	}
	*count = n;
	return limits;
}

/* The limits to keep tiers: as many as to reach them, and none above those. */
static Decimal *
get_keep_limits(const Programme *programme, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			n;
	Decimal    *limits = get_limits(value, "keep_limits", &n);

	if (n != programme->limit_count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be %d keep_limits, as many as limits, not %d", programme->limit_count, n),
				 errhint("Give one for each tier but the last; it can be the same as in limits.")));
	for (int i = 0; i < n; i++)
		if (decimal_compare(&limits[i], &programme->limits[i]) > 0)
			limits_error("keep_limits", array, "none may be above the limit to reach the tier");
	return limits;
}

/* One name for each limit and one for the rest. */
static Datum *
get_names(Datum value, int limits)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *names;
	bool	   *nulls;
	int			n;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("names must be a list of texts without NULL"),
				 errhint("Give a one-dimensional array such as ARRAY['gold', 'silver', 'member'].")));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	if (n != limits + 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there must be %d names, one more than limits, not %d", limits + 1, n),
				 errhint("Give one name more than limits, the best first: the last is for the rest.")));
	return names;
}

/* ---------- the calendar of a programme ---------- */

static int64
period_end(void *context, int64 time)
{
	const Programme *programme = context;

	return time < END_TIMESTAMP ? calendar_end(&programme->settings, time) : DT_NOEND;
}

static int64
rolling_end_window(void *context, int64 end)
{
	const Programme *programme = context;

	return zone_before(programme->settings.zone, end, programme->span);
}

static int64
rolling_payment_window(void *context, int64 time)
{
	int64		start = rolling_end_window(context, time);

	return start == PG_INT64_MIN ? start : start + 1;
}

/* Where the period begins in which a time lies. */
static int64
period_begin(void *context, int64 time)
{
	const CalendarSettings *settings = &((const Programme *) context)->settings;
	int32		period = calendar_period_of_day(settings->unit, calendar_day(settings, time));
	int64		next = calendar_begin(settings, period + 1);

	/* Where clocks go back over midnight, they show the old day once more in the new one. */
	return next <= time ? next : calendar_begin(settings, period);
}

static int64
period_end_window(void *context, int64 end)
{
	return period_begin(context, end - 1);
}

static int64
kept_until(void *context, int64 time)
{
	const Programme *programme = context;

	if (programme->keep_for == NULL)
		return period_end(context, period_end(context, time));
	return period_end(context, zone_after(programme->settings.zone, time, programme->keep_for));
}

/*
 * How long windows are, give or take `slack`.  Months are never more than 5 days
 * away from their average of 146097 / 4800 days, and clocks never more than two.
 */
static int64
window_length(const Interval *span, int64 slack)
{
	int128		length = (int128) span->month * (146097 * USECS_PER_DAY / 4800) +
		(int128) span->day * USECS_PER_DAY + span->time;

	if (span->month != 0 || span->day != 0)
		length += slack;
	return (int64) Max(Min(length, PG_INT64_MAX), 0);
}

/* From argument `rest` on: span, unit, timezone, from_zero, keep_for, keep_limits, soft_landing. */
static void
get_programme(FunctionCallInfo fcinfo, Programme *programme, int rest)
{
	TierCalendar *calendar = &programme->calendar;

	argument_check_not_null(fcinfo, rest, "span");
	argument_check_not_null(fcinfo, rest + 1, "unit");
	argument_check_not_null(fcinfo, rest + 2, "timezone");
	argument_check_not_null(fcinfo, rest + 3, "from_zero");
	argument_check_not_null(fcinfo, rest + 6, "soft_landing");
	programme->limits = get_limits(PG_GETARG_DATUM(2), "limits", &programme->limit_count);
	programme->span = length_argument(PG_GETARG_DATUM(rest), "span", false);
	programme->settings = *calendar_arguments(PG_GETARG_DATUM(rest + 1), PG_GETARG_DATUM(rest + 2));
	programme->keep_for = PG_ARGISNULL(rest + 4) ? NULL : length_argument(PG_GETARG_DATUM(rest + 4), "keep_for", true);
	programme->keep_limits = PG_ARGISNULL(rest + 5) ? programme->limits : get_keep_limits(programme, PG_GETARG_DATUM(rest + 5));

	calendar->context = programme;
	calendar->period_end = period_end;
	calendar->from_zero = PG_GETARG_BOOL(rest + 3);
	if (calendar->from_zero)
	{
		const Interval *span = programme->span;

		/* Its default cannot be told from what is given. */
		if (span->month != MONTHS_PER_YEAR || span->day != 0 || span->time != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("span must not be given with from_zero, where every period counts from 0, as \"%s\"", duration_text(span)),
					 errhint("Leave span out: it is the unit that says what counts.")));
		calendar->payment_window = period_begin;
		calendar->end_window = period_end_window;
		calendar->kept_until = kept_until;
	}
	else
	{
		calendar->payment_window = rolling_payment_window;
		calendar->end_window = rolling_end_window;
		calendar->kept_until = programme->keep_for == NULL || length_is_zero(programme->keep_for) ? NULL : kept_until;
		calendar->window_least = window_length(programme->span, -10 * USECS_PER_DAY);
		calendar->window_most = window_length(programme->span, 10 * USECS_PER_DAY);
	}
}

/*
 * Opens a member with the arguments from 0 on: spend, as_of, of a type, limits,
 * then, from argument `rest` on, the rest of the programme.
 */
static void
open_member(FunctionCallInfo fcinfo, TimeType type, Member *member, int rest)
{
	Programme  *programme = &member->programme;
	TierWalk   *walk = &member->walk;
	const Event *payments;
	TimestampTz last;

	check_given(fcinfo, 2, "limits");
	get_programme(fcinfo, programme, rest);
	member->history = history_open(PG_GETARG_DATUM(0), &spend_kind);
	payments = member->history->events;
	last = payments[member->history->count - 1].value;
	member->as_of = PG_ARGISNULL(1) ? last :
		zone_time_argument(programme->settings.zone, PG_GETARG_DATUM(1), type, "as_of");
	if (last > member->as_of)
		time_too_early_error(member->as_of, "as_of", last, "an amount", true);
	walk->payments = payments;
	walk->count = member->history->count;
	walk->pool = &member->history->pool;
	walk->limits = programme->limits;
	walk->keep_limits = programme->keep_limits;
	walk->limit_count = programme->limit_count;
	walk->calendar = &programme->calendar;
	walk->kept = programme->calendar.kept_until == NULL ? NULL : palloc(sizeof(int64) * programme->limit_count);
	walk->soft_landing = PG_GETARG_BOOL(rest + 6);
	walk->with_kept = false;
	walk->until = member->as_of;
	tier_walk_begin(walk);
}

/* Goes on to the next change of tier; false: there is none. */
static bool
next_change(Member *member)
{
	bool		is_change = tier_walk_next(&member->walk);

	if (member->walk.is_out_of_range)
		decimal_sum_error();
	return is_change;
}

/* The net of from <= time <= until, from an opened history. */
static Decimal
net_of(const History *history, TimestampTz from, TimestampTz until)
{
	Decimal		net;

	if (!spend_net(history->events, history->count, &history->pool, from, until, &net))
		decimal_sum_error();
	return net;
}

/* ---------- functions ---------- */

/* rolling_spend(spend_summary, as_of, span, timezone): the net of the span up to as_of. */
static Datum
rolling_spend(FunctionCallInfo fcinfo, TimeType type)
{
	const History *history;
	Zone	   *zone;
	TimestampTz as_of;
	TimestampTz start;
	Decimal		net;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	argument_check_not_null(fcinfo, 2, "span");
	argument_check_not_null(fcinfo, 3, "timezone");
	history = history_open(PG_GETARG_DATUM(0), &spend_kind);
	zone = zone_argument(PG_GETARG_DATUM(3));
	as_of = PG_ARGISNULL(1) ? history->events[history->count - 1].value :
		zone_time_argument(zone, PG_GETARG_DATUM(1), type, "as_of");
	start = zone_before(zone, as_of, length_argument(PG_GETARG_DATUM(2), "span", false));
	net = net_of(history, start == PG_INT64_MIN ? start : start + 1, as_of);
	PG_RETURN_DATUM(numeric_of(&net));
}

AS_OF_FUNCTIONS(rolling_spend)

/* tier_by_spend(spend_summary, as_of, limits, names, span ...): the tier at as_of. */
static Datum
tier_by_spend(FunctionCallInfo fcinfo, TimeType type)
{
	Member		member;
	Datum	   *names;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	check_given(fcinfo, 3, "names");
	open_member(fcinfo, type, &member, 4);
	names = get_names(PG_GETARG_DATUM(3), member.programme.limit_count);
	while (next_change(&member))
		;
	PG_RETURN_TEXT_P(DatumGetTextPCopy(names[member.walk.tier]));
}

AS_OF_FUNCTIONS(tier_by_spend)

/* spend_to_next(spend_summary, as_of, limits, span ...): what is missing for a better tier. */
static Datum
spend_to_next(FunctionCallInfo fcinfo, TimeType type)
{
	Member		member;
	Decimal		missing;
	Decimal		net;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	open_member(fcinfo, type, &member, 3);
	while (next_change(&member))
		;
	if (member.walk.tier == 0)
		PG_RETURN_NULL();
	net = net_of(member.history, member.programme.calendar.payment_window(&member.programme, member.as_of), member.as_of);
	missing = member.programme.limits[member.walk.tier - 1];
	if (!decimal_subtract(&missing, &net))
		decimal_sum_error();

	/* An old refund can leave the window between two rows; then any next row will do. */
	if (decimal_sign(&missing) < 0)
		(void) decimal_subtract(&missing, &missing);
	PG_RETURN_DATUM(numeric_of(&missing));
}

AS_OF_FUNCTIONS(spend_to_next)

/* tier_until(spend_summary, as_of, limits, span ...): the first day without the tier if nothing more comes. */
static Datum
tier_until(FunctionCallInfo fcinfo, TimeType type)
{
	Member		member;
	int			tier;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	open_member(fcinfo, type, &member, 3);
	while (next_change(&member))
		;
	tier = member.walk.tier;
	if (tier == member.programme.limit_count)
		PG_RETURN_NULL();
	member.walk.until = PG_INT64_MAX;
	while (next_change(&member))
		if (member.walk.tier > tier)
			PG_RETURN_DATEADT(calendar_day(&member.programme.settings, member.walk.since));
	PG_RETURN_DATEADT(DATEVAL_NOEND);
}

AS_OF_FUNCTIONS(tier_until)

typedef struct TierHistory
{
	Member		member;
	Datum	   *names;
} TierHistory;

/* The variant is the type of as_of. */
static void *
open_tier_history(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	TierHistory *history;

	if (PG_ARGISNULL(0))
		return NULL;
	history = palloc(sizeof(TierHistory));
	check_given(fcinfo, 3, "names");
	open_member(fcinfo, (TimeType) type, &history->member, 4);
	history->names = get_names(PG_GETARG_DATUM(3), history->member.programme.limit_count);
	argument_check_not_null(fcinfo, 11, "with_kept");
	history->member.walk.with_kept = PG_GETARG_BOOL(11);
	return history;
}

static bool
next_tier(void *state, Datum *values, bool *nulls)
{
	static const char *const reasons[] = {"start", "upgrade", "downgrade", "kept"};
	TierHistory *history = state;
	const TierWalk *walk = &history->member.walk;

	if (!next_change(&history->member))
		return false;
	values[0] = TimestampTzGetDatum(walk->since);
	values[1] = history->names[walk->tier];
	values[2] = numeric_of(&walk->net);
	values[3] = CStringGetTextDatum(reasons[walk->reason]);
	return true;
}

/* tier_history(spend_summary, as_of, limits, names, span ...): every tier there was. */
static Datum
tier_history(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report history = {open_tier_history, next_tier, 4};

	return report_rows(fcinfo, &history, (int) type);
}

AS_OF_FUNCTIONS(tier_history)
