/*
 * clv_report.c
 *	  Does a model fit?  Numbers of repeats, and orders week by week, beside those
 *	  that it expects.
 */
#include "clv/clv_book.h"

#include "clv/clv_tracking.h"
#include "shared/report.h"

/* A row each for so many repeats, and one for more. */
#define FREQUENCIES 7

#define WEEK 7

/*
 * Opens argument 0, a book, until the day of argument 1, a model of it or of another,
 * and counts its members; false if there are none.
 */
static bool
open_counts(FunctionCallInfo fcinfo, ClvBook *book, ClvFitted *fitted)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || !clv_book_open(book, PG_GETARG_DATUM(0)))
		return false;
	clv_model_get(PG_GETARG_DATUM(1), fitted);
	clv_book_check_zone(book, fitted);
	if (fitted->zone_size > 0)
		book->until = fitted->until;
	return true;
}

static void
check_length(const ClvTracking *tracking)
{
	if (tracking->is_too_long)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the book has orders from more than %d days", CLV_TRACKED_DAYS),
				 errhint("Leave out rows from very long ago.")));
}

/* ---------- numbers of repeats ---------- */

typedef struct FrequenciesReport
{
	int64		members[FREQUENCIES + 1];
	float8		expected[FREQUENCIES + 1];
	int			next;
} FrequenciesReport;

/* What the model expects of members, by the day on which they came. */
static void
expect_frequencies(const ClvTracking *tracking, const ClvParameters *orders, float8 *expected)
{
	ClvSum		sum[FREQUENCIES + 1] = {0};

	for (uint32 age = 0; age < tracking->longest; age++)
	{
		const float8 members = tracking->came[age];
		float8		chance[FREQUENCIES];
		float8		rest = 1;

		CHECK_FOR_INTERRUPTS();
		if (members == 0)
			continue;
		clv_new_order_chances(orders, age, FREQUENCIES, chance);
		for (int i = 0; i < FREQUENCIES; i++)
		{
			clv_sum_add(&sum[i], members * chance[i]);
			rest -= chance[i];
		}
		clv_sum_add(&sum[FREQUENCIES], members * Max(0, rest));
	}
	for (int i = 0; i <= FREQUENCIES; i++)
		expected[i] = clv_finite(clv_sum_value(&sum[i]));
}

static void *
open_frequencies(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	ClvBook		book;
	ClvFitted	fitted;
	ClvTracking tracking;
	FrequenciesReport *report;

	if (!open_counts(fcinfo, &book, &fitted))
		return NULL;
	report = palloc0(sizeof(FrequenciesReport));
	clv_tracking_init(&tracking, book.until, book.until);
	while (clv_book_next(&book))
	{
		report->members[Min(book.history.repeats, FREQUENCIES)]++;
		clv_tracking_add_history(&tracking, book.history.first, book.days.events, book.days.count);
	}
	check_length(&tracking);
	expect_frequencies(&tracking, &fitted.orders, report->expected);
	clv_tracking_free(&tracking);
	return report;
}

static bool
next_frequency(void *state, Datum *values, bool *nulls)
{
	FrequenciesReport *report = state;
	int			i = report->next;

	if (i > FREQUENCIES)
		return false;
	report->next++;
	values[0] = Int32GetDatum(i);
	values[1] = BoolGetDatum(i == FREQUENCIES);
	values[2] = Int64GetDatum(report->members[i]);
	values[3] = Float8GetDatum(report->expected[i]);
	return true;
}

static const Report frequencies = {open_frequencies, next_frequency, 4};

/* clv_frequencies(retention_book, clv_model): members by repeats. */
CUSTMART_REPORT(custmart_clv_frequencies, frequencies, 0)

/* ---------- week by week ---------- */

typedef struct TrackingReport
{
	ClvTracking tracking;
	int32		day;			/* the last one of the week before */
	float8		repeats;		/* until then */
	float8		expected;
} TrackingReport;

static void *
open_tracking(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	ClvBook		book;
	ClvFitted	fitted;
	TrackingReport *report;
	ClvTracking *tracking;
	int32		first;

	if (!open_counts(fcinfo, &book, &fitted))
		return NULL;
	report = palloc0(sizeof(TrackingReport));
	tracking = &report->tracking;
	clv_tracking_init(tracking, book.until, book.last_day);
	while (clv_book_next(&book))
		clv_tracking_add_history(tracking, book.history.first, book.days.events, book.days.count);
	check_length(tracking);
	clv_tracking_expect(tracking, &fitted.orders);

	/* Weeks end with the day until which the model was fitted: the first one begins before the first member. */
	first = tracking->last_day - (int32) tracking->longest + 1;
	report->day = book.until - (book.until - first + WEEK) / WEEK * WEEK;
	return report;
}

static bool
next_week(void *state, Datum *values, bool *nulls)
{
	TrackingReport *report = state;
	const ClvTracking *tracking = &report->tracking;
	int32		day;
	float8		repeats;
	float8		expected;

	if (report->day >= tracking->last_day)
		return false;
	day = Min(report->day + WEEK, tracking->last_day);
	repeats = clv_tracking_repeats(tracking, report->day, day);
	expected = clv_finite(clv_tracking_expected(tracking, day));
	values[0] = DateADTGetDatum(day);
	values[1] = BoolGetDatum(day > tracking->until);
	values[2] = Int64GetDatum((int64) repeats);
	values[3] = Float8GetDatum(expected - report->expected);
	report->repeats += repeats;
	values[4] = Int64GetDatum((int64) report->repeats);
	values[5] = Float8GetDatum(expected);
	report->expected = expected;
	report->day = day;
	return true;
}

static const Report weeks = {open_tracking, next_week, 6};

/* clv_tracking(retention_book, clv_model): repeat orders of members week by week. */
CUSTMART_REPORT(custmart_clv_tracking, weeks, 0)
