/*
 * clv_check.c
 *	  Holds a model against what came later: in one row, and by tenths of members.
 */
#include "clv/clv_estimate.h"

#include "money/decimal_numeric.h"
#include "shared/arguments.h"
#include "shared/large_memory.h"
#include "shared/report.h"
#include "utils/builtins.h"

/* Of all orders. */
#define BIAS_ALLOWED_PCT 20.0

/* How far a way to predict was off. */
typedef struct Errors
{
	ClvSum		predicted;
	ClvSum		absolute;
	ClvSum		square;
} Errors;

static void
errors_add(Errors *errors, float8 predicted, float8 actual)
{
	clv_sum_add(&errors->predicted, predicted);
	clv_sum_add(&errors->absolute, fabs(predicted - actual));
	clv_sum_add(&errors->square, (predicted - actual) * (predicted - actual));
}

/* A book, a model of its first part, and the days of the second. */
typedef struct Holdout
{
	ClvBook		book;
	ClvFitted	fitted;
	int32		days;
	ClvForecast forecast;
} Holdout;

/* A member in the second part. */
typedef struct Prediction
{
	float8		orders;
	float8		alive;
	float8		spend;			/* of an order; 0: not known */
} Prediction;

/* Opens the book, argument 0, until argument 1, and fits the model, argument 2. */
static Holdout *
open_holdout(FunctionCallInfo fcinfo)
{
	Holdout    *holdout;
	ClvBook    *book;
	ClvChoice	choice;
	float8		penalty;

	if (PG_ARGISNULL(0))
		return NULL;
	argument_check_not_null(fcinfo, 1, "until");
	choice = clv_choice_argument(fcinfo, 2);
	penalty = clv_penalty_argument(fcinfo, 3);
	holdout = palloc(sizeof(Holdout));
	book = &holdout->book;
	if (!clv_book_open(book, PG_GETARG_DATUM(0)))
		return NULL;
	clv_book_set_until(book, fcinfo, 1, "until", true);
	if (book->until == book->last_day)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("until \"%s\" is the last day of the book", DatumGetCString(clv_book_day(book->until))),
				 errhint("Give an earlier day: what comes after it is what the model is held against.")));
	clv_fit_book(book, choice, penalty, &holdout->fitted);
	clv_book_rewind(book);
	holdout->days = book->last_day - book->until;
	book->recent_from = book->until - holdout->days + 1;
	clv_forecast_init(&holdout->forecast, &holdout->fitted.orders, holdout->days, 0, holdout->fitted.members);
	return holdout;
}

/* Reads and predicts the next member; false behind the last one. */
static bool
next_prediction(Holdout *holdout, Prediction *prediction)
{
	const ClvHistory *history = &holdout->book.history;
	float8		orders_if_alive;
	float8		discounted;

	if (!clv_book_next(&holdout->book))
		return false;
	clv_forecast_if_alive(&holdout->forecast, history->repeats, history->age, &orders_if_alive, &discounted);
	prediction->alive = clv_p_alive(&holdout->fitted.orders, history->repeats, history->last_age, history->age);
	prediction->orders = prediction->alive * orders_if_alive;
	if (holdout->fitted.spend_members == 0 ||
		!clv_expected_spend(holdout->fitted.spend, history->repeats,
							history->repeats > 0 ? clv_book_mean_spend(&holdout->book) : 0, &prediction->spend))
		prediction->spend = 0;
	return true;
}

static bool
has_spend(const ClvFitted *fitted)
{
	return fitted->spend_members > 0 && fitted->spend[CLV_SPEND_Q] > 1;
}

/* ---------- clv_check ---------- */

typedef struct CheckReport
{
	Holdout    *holdout;
	bool		is_done;
} CheckReport;

static void *
open_check(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	CheckReport *report = palloc0(sizeof(CheckReport));

	report->holdout = open_holdout(fcinfo);
	return report->holdout == NULL ? NULL : report;
}

/* Writes total, bias, mean absolute error and root mean square error; returns the bias. */
static float8
put_errors(const Errors *errors, float8 actual, float8 members, Datum *values, bool *nulls)
{
	float8		predicted = clv_sum_value(&errors->predicted);
	float8		bias_pct = 100 * (predicted - actual) / actual;

	values[0] = Float8GetDatum(clv_finite(predicted));
	nulls[1] = !(actual > 0);
	values[1] = Float8GetDatum(nulls[1] ? 0 : clv_finite(bias_pct));
	values[2] = Float8GetDatum(clv_finite(clv_sum_value(&errors->absolute) / members));
	values[3] = Float8GetDatum(clv_finite(sqrt(clv_sum_value(&errors->square) / members)));
	return nulls[1] ? (predicted > 0 ? INFINITY : 0) : bias_pct;
}

static bool
next_check(void *state, Datum *values, bool *nulls)
{
	CheckReport *report = state;
	Holdout    *holdout = report->holdout;
	const ClvBook *book = &holdout->book;
	const ClvHistory *history = &book->history;
	uint32		warnings = holdout->fitted.warnings;
	Errors		model = {0};
	Errors		naive = {0};
	Errors		as_before = {0};
	ClvSum		alive = {0};
	ClvSum		money = {0};
	int64		actual = 0;
	int64		actual_net = 0;
	DecimalPool pool = {.context = CurrentMemoryContext};
	Prediction	prediction;
	float8		bias_pct;
	float8		best_naive;

	if (report->is_done)
		return false;
	report->is_done = true;
	while (next_prediction(holdout, &prediction))
	{
		actual += history->days_after;
		errors_add(&model, prediction.orders, history->days_after);
		errors_add(&naive, history->age > 0 ? history->repeats * (float8) holdout->days / history->age : 0, history->days_after);
		errors_add(&as_before, history->recent, history->days_after);
		clv_sum_add(&alive, prediction.alive);
		clv_sum_add(&money, prediction.orders * prediction.spend);
		if (!decimal_add_packed(&actual_net, &pool, history->money_after, &book->pool))
			decimal_sum_error();
	}
	values[0] = DateADTGetDatum(book->until);
	values[1] = Int32GetDatum(holdout->days);
	values[2] = CStringGetTextDatum(clv_choice_name((ClvChoice) holdout->fitted.orders.model));
	values[3] = Int64GetDatum(book->members);
	values[4] = Float8GetDatum(clv_finite(clv_sum_value(&alive)));
	values[5] = Int64GetDatum(actual);
	bias_pct = put_errors(&model, actual, book->members, values + 6, nulls + 6);
	(void) put_errors(&naive, actual, book->members, values + 10, nulls + 10);
	(void) put_errors(&as_before, actual, book->members, values + 14, nulls + 14);
	values[18] = numeric_from_packed(actual_net, &pool);
	nulls[19] = !has_spend(&holdout->fitted);
	if (!nulls[19])
		values[19] = Float8GetDatum(clv_finite(clv_sum_value(&money)));

	if (fabs(bias_pct) > BIAS_ALLOWED_PCT)
		warnings |= CLV_HOLDOUT_BIAS;
	if (holdout->days > CLV_AGES_AHEAD * holdout->fitted.max_age)
		warnings |= CLV_HORIZON_LONG;
	values[20] = clv_warnings_text(warnings);
	best_naive = Min(clv_sum_value(&naive.absolute), clv_sum_value(&as_before.absolute));
	values[21] = CStringGetTextDatum((warnings & CLV_HOLDOUT_BIAS) != 0 ? "biased" :
									 clv_sum_value(&model.absolute) < best_naive ? "good" : "no better than naive");
	return true;
}

static const Report check = {open_check, next_check, 22};

/* clv_check(retention_book, until, model, penalty): one row. */
CUSTMART_REPORT(custmart_clv_check, check, 0)

/* ---------- clv_check_deciles ---------- */

typedef struct Outcome
{
	float8		predicted;
	float8		predicted_money;
	float8		actual;
	float8		actual_money;
} Outcome;

typedef struct DecilesReport
{
	Outcome    *outcome;		/* the highest prediction first */
	Size		n;
	Size		next;
	bool		has_spend;
} DecilesReport;

static int
compare_outcomes(const void *a, const void *b, void *comparisons)
{
	const float8 x = ((const Outcome *) a)->predicted;
	const float8 y = ((const Outcome *) b)->predicted;

	check_interrupts(++*(Size *) comparisons);
	return (x < y) - (x > y);
}

static void *
open_deciles(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	Holdout    *holdout = open_holdout(fcinfo);
	DecilesReport *report;
	Prediction	prediction;
	Size		comparisons = 0;

	if (holdout == NULL)
		return NULL;
	report = palloc0(sizeof(DecilesReport));
	report->has_spend = has_spend(&holdout->fitted);
	report->outcome = large_alloc(CurrentMemoryContext, holdout->fitted.members * sizeof(Outcome));
	while (next_prediction(holdout, &prediction))
	{
		const ClvHistory *history = &holdout->book.history;

		report->outcome[report->n++] = (Outcome) {
			.predicted = clv_finite(prediction.orders),
			.predicted_money = clv_finite(prediction.orders * prediction.spend),
			.actual = history->days_after,
			.actual_money = decimal_packed_to_double(history->money_after, &holdout->book.pool)
		};
	}
	qsort_arg(report->outcome, report->n, sizeof(Outcome), compare_outcomes, &comparisons);
	return report;
}

/* The decile of the members from `first` on who have the same prediction: by the share above. */
static int
decile_of(const DecilesReport *report, Size first)
{
	return (int) (10 * first / report->n) + 1;
}

static bool
next_decile(void *state, Datum *values, bool *nulls)
{
	DecilesReport *report = state;
	const Outcome *outcome = report->outcome;
	const Size	begin = report->next;
	int			decile;
	ClvSum		sum[4] = {0};
	Size		i = begin;
	float8		members;

	if (begin == report->n)
		return false;
	decile = decile_of(report, begin);
	while (i < report->n && decile_of(report, i) == decile)
	{
		/* With all who have the same prediction. */
		for (const float8 predicted = outcome[i].predicted; i < report->n && outcome[i].predicted == predicted; i++)
		{
			check_interrupts(i);
			clv_sum_add(&sum[0], outcome[i].predicted);
			clv_sum_add(&sum[1], outcome[i].actual);
			clv_sum_add(&sum[2], outcome[i].predicted_money);
			clv_sum_add(&sum[3], outcome[i].actual_money);
		}
	}
	members = i - begin;
	report->next = i;
	values[0] = Int32GetDatum(decile);
	values[1] = Int64GetDatum((int64) members);
	for (int k = 0; k < 4; k++)
		values[2 + k] = Float8GetDatum(clv_finite(clv_sum_value(&sum[k]) / members));
	nulls[4] = !report->has_spend;
	return true;
}

static const Report deciles = {open_deciles, next_decile, 6};

/* clv_check_deciles(retention_book, until, model, penalty): a row for each tenth of members. */
CUSTMART_REPORT(custmart_clv_check_deciles, deciles, 0)
