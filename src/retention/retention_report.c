/*
 * retention_report.c
 *	  What a retention_book says: cohorts, growth accounting of members and of
 *	  money, frequency of use, N-day retention.
 *
 * Each report reads the stored book once, from front to end.
 */
#include "history/retention_book_format.h"

#include "shared/arguments.h"
#include "shared/calendar.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "shared/report.h"
#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"
#include "retention/retention_core.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Opens argument 0, a book that must have periods, or must have none; false if there is nothing in it. */
static bool
open_book(FunctionCallInfo fcinfo, HistoryReader *events, bool periods)
{
	if (PG_ARGISNULL(0))
		return false;
	history_book_open(events, PG_GETARG_DATUM(0), &retention_book_format);
	if (periods != (events->layout != EVENTS_TIMES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(periods ? "this retention_book has times instead of calendar periods" :
						"this retention_book has calendar periods instead of times"),
				 periods ? errhint("Make it with a unit and a timezone: retention_book(member, occurred_at, 'month', 'UTC').") :
				 errhint("Make it without a unit and a timezone: retention_book(member, occurred_at).")));
	return events->reader.count > 0;
}

/* Behind the events before the cohort of a member just read: their start, or their first activity. */
static Size
first_of_cohort(const HistoryReader *events)
{
	if (events->has_start)
		return events_find_period(events->events, events->count, (int32) events->start);
	return events_first_active(events->events, events->count);
}

static bool
has_amounts(const HistoryReader *events)
{
	return events->layout == EVENTS_AMOUNTS;
}

static CalendarUnit
unit_of(const HistoryReader *events)
{
	return events->settings[0];
}

/*
 * The period of the argument as_of, of a type, which no period of the book may lie after; the
 * book has members.  Of the rows no more is known than their periods, and the rules of
 * a time zone may have changed since the book was made, or be unknown here.
 */
static int32
get_last_period(FunctionCallInfo fcinfo, TimeType type, const HistoryReader *events)
{
	int32		last = (int32) history_book_last_place(events);
	Zone	   *zone;
	TimestampTz as_of;
	int32		period;

	if (PG_ARGISNULL(1))
		return last;
	zone = calendar_stored_zone(events->settings, events->settings_size);
	as_of = zone_time_argument(zone, PG_GETARG_DATUM(1), type, "as_of");
	period = calendar_period(zone, unit_of(events), as_of, "as_of");
	if (period < last)
	{
		char		text[TIME_TEXT_SIZE];

		time_to_text(as_of, text);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of \"%s\" is before the last period with rows, which begins on \"%s\"", text,
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(calendar_first_day(unit_of(events), last))))),
				 errhint("Exclude later rows with WHERE occurred_at <= as_of, or choose a later as_of.")));
	}
	return period;
}

static void
raise_status(RetentionStatus status, const char *function)
{
	switch (status)
	{
		case RETENTION_OK:
			break;
		case RETENTION_TOO_MANY_CELLS:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s cannot give more than %d rows", function, RETENTION_CELLS_MAX),
					 errhint("Take a longer unit or an earlier as_of, or leave out rows from very long ago.")));
			break;
		case RETENTION_SUM_OUT_OF_RANGE:
			decimal_sum_error();
			break;
	}
}

static void
put_share(Datum *value, bool *is_null, int64 part, int64 whole)
{
	*value = Float8GetDatum(whole > 0 ? (float8) part / (float8) whole : 0);
	*is_null = whole <= 0;
}

/* ---------- cohorts ---------- */

typedef struct CohortReport
{
	Triangle	triangle;
	CalendarUnit unit;
	uint32	   *order;			/* of the cohorts */
	uint32		next;			/* cohort */
	const Cohort *cohort;		/* whose cells are being read */
	int32		start;			/* its period */
	Size		cells;
	Size		k;				/* the next cell */
	float8		net_of_first;
	NumericBuffer net;
} CohortReport;

/* The variant is the type of as_of. */
static void *
open_cohorts(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	CohortReport *report;
	HistoryReader events;

	if (!open_book(fcinfo, &events, true))
		return NULL;
	report = palloc0(sizeof(CohortReport));
	report->unit = unit_of(&events);
	triangle_init(&report->triangle, get_last_period(fcinfo, type, &events),
				  has_amounts(&events), CurrentMemoryContext);
	while (history_book_next(&events))
	{
		Size		first = events.has_start ? first_of_cohort(&events) : 0;
		RetentionStatus status = events.has_start ?
			triangle_add_since(&report->triangle, (int32) events.start, events.events + first, events.count - first, &events.pool) :
			triangle_add(&report->triangle, events.events, events.count, &events.pool);

		raise_status(status, "cohort_retention");
	}
	report->order = keytable_sorted(&report->triangle.cohorts);
	return report;
}

/* Goes to the first cell of the next cohort; false behind the last one. */
static bool
next_cohort(CohortReport *report)
{
	Triangle   *triangle = &report->triangle;
	const Cohort *cohort;
	uint32		entry;

	if (report->next == triangle->cohorts.count)
		return false;
	entry = report->order[report->next++];
	report->cohort = cohort = keytable_payload(&triangle->cohorts, entry);
	report->start = (int32) keytable_key(&triangle->cohorts, entry).number;
	report->cells = (Size) (triangle->as_of - report->start) + 1;
	report->k = 0;

	/* Of members by the last period of activity, those with one in or after each. */
	for (Size k = report->cells - 1; k-- > 0;)
	{
		check_interrupts(k);
		cohort->last[k] += cohort->last[k + 1];
	}
	if (triangle->has_amounts)
		report->net_of_first = decimal_packed_to_double(cohort->net[0], &triangle->pool);
	return true;
}

static bool
next_cell(void *state, Datum *values, bool *nulls)
{
	CohortReport *report = state;
	const Triangle *triangle = &report->triangle;
	const Cohort *cohort;
	int64		members;
	Size		k;

	if (report->k == report->cells && !next_cohort(report))
		return false;
	cohort = report->cohort;
	k = report->k++;
	members = k + 1 < report->cells ? cohort->members : 0;	/* that rates are of: none before the period has ended */
	values[0] = DateADTGetDatum(calendar_first_day(report->unit, report->start));
	values[1] = Int32GetDatum((int32) k);
	values[2] = DateADTGetDatum(calendar_first_day(report->unit, report->start + (int32) k));
	values[3] = Int64GetDatum(cohort->members);
	values[4] = Int64GetDatum(cohort->active[k]);
	put_share(&values[5], &nulls[5], cohort->active[k], members);
	values[6] = Int64GetDatum(cohort->last[k]);
	put_share(&values[7], &nulls[7], cohort->last[k], members);
	nulls[8] = !triangle->has_amounts;
	if (triangle->has_amounts)
		values[8] = numeric_in_buffer(cohort->net[k], &triangle->pool, &report->net);
	nulls[9] = !triangle->has_amounts || members == 0 || !(report->net_of_first > 0);
	if (!nulls[9])
		values[9] = Float8GetDatum(decimal_packed_to_double(cohort->net[k], &triangle->pool) / report->net_of_first);
	return true;
}

/* cohort_retention(retention_book, as_of): one row per cohort and period since. */
static Datum
cohort_retention(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report cohorts = {open_cohorts, next_cell, 10};

	return report_rows(fcinfo, &cohorts, type);
}

AS_OF_FUNCTIONS(cohort_retention)

/*
 * net_outside(retention_book): money that belongs to no cohort, because it was
 * refunded before the first activity or there was none; NULL without amounts.
 */
CUSTMART_FUNCTION(custmart_retention_book_net_outside);
Datum
custmart_retention_book_net_outside(PG_FUNCTION_ARGS)
{
	DecimalPool pool = {.context = CurrentMemoryContext};
	HistoryReader events;
	int64		sum = 0;

	history_book_open(&events, PG_GETARG_DATUM(0), &retention_book_format);
	if (!has_amounts(&events))
		PG_RETURN_NULL();
	while (history_book_next(&events))
	{
		Size		first = first_of_cohort(&events);

		for (Size i = 0; i < first; i++)
			if (!decimal_add_packed(&sum, &pool, events.events[i].value, &events.pool))
				raise_status(RETENTION_SUM_OUT_OF_RANGE, "net_outside");
	}
	PG_RETURN_DATUM(numeric_from_packed(sum, &pool));
}

/* ---------- growth accounting ---------- */

typedef struct GrowthReport
{
	Growth		growth;
	CalendarUnit unit;
	Size		left;			/* periods to be read */
} GrowthReport;

/* The variant is the type of as_of. */
static void *
open_growth(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	GrowthReport *report;
	HistoryReader events;

	if (!open_book(fcinfo, &events, true))
		return NULL;
	report = palloc0(sizeof(GrowthReport));
	report->unit = unit_of(&events);
	report->growth.context = CurrentMemoryContext;
	report->growth.as_of = get_last_period(fcinfo, type, &events);
	while (history_book_next(&events))
		raise_status(growth_add(&report->growth, events.events, events.count), "lifecycle_counts");
	report->left = report->growth.count;
	return report;
}

static bool
next_growth(void *state, Datum *values, bool *nulls)
{
	GrowthReport *report = state;
	const GrowthCount *count;

	if (report->left == 0)
		return false;
	report->left--;
	count = &report->growth.counts[report->left];
	values[0] = DateADTGetDatum(calendar_first_day(report->unit, report->growth.as_of - (int32) report->left));
	values[1] = Int64GetDatum(count->came + count->returning + count->resurrecting);
	values[2] = Int64GetDatum(count->came);
	values[3] = Int64GetDatum(count->returning);
	values[4] = Int64GetDatum(count->resurrecting);
	values[5] = Int64GetDatum(count->dormant);
	nulls[5] = report->left == 0;
	return true;
}

/* lifecycle_counts(retention_book, as_of): one row per period from the first to that of as_of. */
static Datum
lifecycle_counts(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report growth = {open_growth, next_growth, 6};

	return report_rows(fcinfo, &growth, type);
}

AS_OF_FUNCTIONS(lifecycle_counts)

/* ---------- growth of revenue ---------- */

typedef struct RevenueReport
{
	Revenue		revenue;
	CalendarUnit unit;
	Size		left;			/* periods to be read */
	NumericBuffer numerics[8];
} RevenueReport;

/* The variant is the type of as_of. */
static void *
open_revenue(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	RevenueReport *report;
	HistoryReader events;

	if (!open_book(fcinfo, &events, true))
		return NULL;
	if (!has_amounts(&events))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this retention_book has no amounts"),
				 errhint("Make it with amounts: retention_book(member, occurred_at, amount, 'month', 'UTC').")));
	report = palloc0(sizeof(RevenueReport));
	report->unit = unit_of(&events);
	revenue_init(&report->revenue, get_last_period(fcinfo, type, &events), CurrentMemoryContext);
	while (history_book_next(&events))
		raise_status(revenue_add(&report->revenue, events.events, events.count, &events.pool), "revenue_growth");
	report->left = report->revenue.count;
	return report;
}

/* What is left of money after movements, as a share of it; NULL if there was none. */
static void
put_kept(const RevenueReport *report, int64 paid, const int64 *movements, int n, Datum *value, bool *is_null)
{
	const DecimalPool *pool = &report->revenue.pool;
	Decimal		kept = decimal_unpack(paid, pool);

	*is_null = !decimal_packed_is_positive(paid, pool);
	if (*is_null)
		return;
	for (int i = 0; i < n; i++)
	{
		Decimal		movement = decimal_unpack(movements[i], pool);

		if (!decimal_add(&kept, &movement))
			decimal_sum_error();
	}
	*value = Float8GetDatum(decimal_to_double(&kept) / decimal_packed_to_double(paid, pool));
}

static bool
next_revenue(void *state, Datum *values, bool *nulls)
{
	RevenueReport *report = state;
	const Revenue *revenue = &report->revenue;
	const RevenueSums *sums;
	int64		paid_before;

	if (report->left == 0)
		return false;
	report->left--;
	sums = &revenue->sums[report->left];
	paid_before = report->left + 1 < revenue->count ? sums[1].paid : 0;
	{
		const int64 columns[] = {sums->revenue, sums->came, sums->resurrected, sums->expansion, sums->contraction,
		sums->churned, sums->excess, paid_before};
		const int64 losses[] = {sums->contraction, sums->churned, sums->expansion};

		values[0] = DateADTGetDatum(calendar_first_day(report->unit, revenue->as_of - (int32) report->left));
		for (int i = 0; i < (int) lengthof(columns); i++)
			values[i + 1] = numeric_in_buffer(columns[i], &revenue->pool, &report->numerics[i]);
		put_kept(report, paid_before, losses, 3, &values[9], &nulls[9]);
		put_kept(report, paid_before, losses, 2, &values[10], &nulls[10]);
	}

	/* What has not been paid in a period that has not ended may still be. */
	if (report->left == 0)
		nulls[5] = nulls[6] = nulls[7] = nulls[9] = nulls[10] = true;
	return true;
}

/* revenue_growth(retention_book, as_of): one row per period from the first to that of as_of. */
static Datum
revenue_growth(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report revenue = {open_revenue, next_revenue, 11};

	return report_rows(fcinfo, &revenue, type);
}

AS_OF_FUNCTIONS(revenue_growth)

/* ---------- stickiness ---------- */

/* The period of a day that may be NULL. */
static int32
get_bound(FunctionCallInfo fcinfo, int argument, const char *name, CalendarUnit unit, int32 otherwise)
{
	if (PG_ARGISNULL(argument))
		return otherwise;
	return calendar_period_of_day(unit, date_check(PG_GETARG_DATEADT(argument), name));
}

typedef struct StickinessReport
{
	Stickiness	stickiness;
	int64		members;		/* of all */
	int64		at_least;		/* of the next row's periods or more */
	Size		next;
} StickinessReport;

/* The variant is the type of as_of. */
static void *
open_stickiness(FunctionCallInfo fcinfo, TupleDesc columns, int type)
{
	StickinessReport *report;
	HistoryReader events;

	if (!open_book(fcinfo, &events, true))
		return NULL;
	report = palloc0(sizeof(StickinessReport));
	report->stickiness.context = CurrentMemoryContext;
	if (!PG_ARGISNULL(1))
		(void) get_last_period(fcinfo, type, &events);	/* only to refuse rows after as_of */
	report->stickiness.since = get_bound(fcinfo, 2, "since", unit_of(&events), PG_INT32_MIN);
	report->stickiness.until = get_bound(fcinfo, 3, "until", unit_of(&events), PG_INT32_MAX);
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3) && PG_GETARG_DATEADT(2) > PG_GETARG_DATEADT(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since \"%s\" is after until \"%s\"",
						DatumGetCString(DirectFunctionCall1(date_out, PG_GETARG_DATUM(2))),
						DatumGetCString(DirectFunctionCall1(date_out, PG_GETARG_DATUM(3)))),
				 errhint("Give the earlier day first.")));
	while (history_book_next(&events))
		stickiness_add(&report->stickiness, events.events, events.count);
	for (Size i = 0; i < report->stickiness.count; i++)
		report->members += report->stickiness.members[i];
	report->at_least = report->members;
	return report;
}

static bool
next_stickiness(void *state, Datum *values, bool *nulls)
{
	StickinessReport *report = state;
	int64		members;

	if (report->next == report->stickiness.count)
		return false;
	members = report->stickiness.members[report->next++];
	values[0] = Int32GetDatum((int32) report->next);
	values[1] = Int64GetDatum(members);
	values[2] = Float8GetDatum((float8) members / (float8) report->members);
	values[3] = Int64GetDatum(report->at_least);
	values[4] = Float8GetDatum((float8) report->at_least / (float8) report->members);
	report->at_least -= members;
	return true;
}

/* stickiness(retention_book, as_of, since, until): one row per number of active periods. */
static Datum
stickiness(FunctionCallInfo fcinfo, TimeType type)
{
	static const Report report = {open_stickiness, next_stickiness, 5};

	return report_rows(fcinfo, &report, type);
}

AS_OF_FUNCTIONS(stickiness)

/* ---------- N-day retention ---------- */

typedef struct DaysReport
{
	DayRetention days;
	int32		next;
} DaysReport;

/* The first days of brackets, behind which stands the day after the last. */
static const int32 *
get_bounds(Datum value, int32 last_day, int32 *brackets)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	Datum	   *elements;
	bool	   *nulls;
	int32	   *bounds;
	int			n;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &elements, &nulls, &n);
	if (ARR_NDIM(array) > 1 || n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds must be a list of days, not %s", n == 0 ? "empty" : "a table"),
				 errhint("Give the first day of each bracket: '{1,8,31}' for the days 1 to 7, 8 to 30, and 31 to last_day.")));
	bounds = palloc(((Size) n + 1) * sizeof(int32));
	for (int i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("bounds must not contain NULL"),
					 errhint("Give the first day of each bracket: '{1,8,31}' for the days 1 to 7, 8 to 30, and 31 to last_day.")));
		bounds[i] = DatumGetInt32(elements[i]);
		if (bounds[i] < 0 || bounds[i] > last_day)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds must be from 0 to last_day, which is %d, not %d", last_day, bounds[i]),
					 errhint("The last bracket ends with last_day; a longer one needs a later last_day.")));
		if (i > 0 && bounds[i] <= bounds[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds must ascend: %d follows %d", bounds[i], bounds[i - 1]),
					 errhint("Give the first day of each bracket, the earliest first.")));
	}
	bounds[n] = last_day + 1;
	*brackets = n;
	return bounds;
}

static void *
open_days(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	DaysReport *report;
	HistoryReader events;
	int32		last_day;
	const int32 *bounds = NULL;
	int32		brackets = 0;
	TimestampTz as_of;

	if (PG_ARGISNULL(0))
		return NULL;
	argument_check_not_null(fcinfo, 2, "last_day");
	last_day = PG_GETARG_INT32(2);
	if (last_day < 0 || last_day >= RETENTION_CELLS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("last_day must be from 0 to %d, not %d", RETENTION_CELLS_MAX - 1, last_day),
				 errhint("Leave it out for 90 days.")));
	if (!PG_ARGISNULL(3))
		bounds = get_bounds(PG_GETARG_DATUM(3), last_day, &brackets);
	if (!open_book(fcinfo, &events, false))
		return NULL;
	report = palloc0(sizeof(DaysReport));
	as_of = history_book_as_of(fcinfo, 1, &events);
	if (bounds == NULL)
		day_retention_init(&report->days, as_of, last_day, CurrentMemoryContext);
	else
		day_retention_init_brackets(&report->days, as_of, bounds, brackets, CurrentMemoryContext);
	while (history_book_next(&events))
		if (events.has_start)
		{
			Size		first = events_find_time(events.events, events.count, events.start);

			day_retention_add_since(&report->days, events.start, events.events + first, events.count - first);
		}
		else
			day_retention_add(&report->days, events.events, events.count);
	day_retention_finish(&report->days);
	return report;
}

static bool
next_day(void *state, Datum *values, bool *nulls)
{
	DaysReport *report = state;
	const DayRetention *days = &report->days;
	int32		i = report->next;

	if (i == days->brackets)
		return false;
	report->next++;
	values[0] = Int32GetDatum(days->bounds == NULL ? i : days->bounds[i]);
	values[1] = Int32GetDatum(days->bounds == NULL ? i : days->bounds[i + 1] - 1);
	values[2] = Int64GetDatum(days->ended[i + 1]);
	values[3] = Int64GetDatum(days->active[i]);
	put_share(&values[4], &nulls[4], days->active[i], days->ended[i + 1]);
	values[5] = Int64GetDatum(days->last[i]);
	put_share(&values[6], &nulls[6], days->last[i], days->ended[i + 1]);
	return true;
}

static const Report days = {open_days, next_day, 7};

/* day_retention(retention_book, as_of, last_day, bounds): one row per day, or days, since a member's own start. */
CUSTMART_REPORT(custmart_day_retention, days, 0)
