/*
 * clv_estimate.c
 *	  clv_fit: models made of a book, and of columns.
 */
#include "clv/clv_estimate.h"

#include "catalog/pg_type.h"
#include "clv/clv_tracking.h"
#include "money/decimal_numeric.h"
#include "shared/aggregate.h"
#include "shared/array_state.h"
#include "shared/growing_array.h"

/* What of spend is a reason for a warning. */
#define CORRELATION_ALLOWED 0.2
#define LEFT_OUT_ALLOWED 0.05	/* of members with repeats */

/* ---------- fitting ---------- */

/* Members as they are collected. */
typedef struct Sample
{
	ClvRow	   *row;
	Size		n;
	Size		capacity;
	ClvSpendRow *spend;
	Size		spend_n;
	Size		spend_capacity;
	int64		left_out;		/* members with repeats but not with money above 0 */
} Sample;

/* Adds a member, whose mean may be NaN for no figure. */
static void
add_member(Sample *sample, uint32 repeats, float8 last_age, float8 age, float8 mean)
{
	if (sample->n == sample->capacity)
		sample->row = array_grow(sample->row, &sample->capacity, sample->n + 1, sizeof(ClvRow), CurrentMemoryContext);
	sample->row[sample->n++] = (ClvRow) {.repeats = repeats, .members = 1, .last_age = last_age, .age = age};
	if (repeats == 0 || isnan(mean))
		return;
	if (!(mean > 0))
	{
		sample->left_out++;
		return;
	}
	if (sample->spend_n == sample->spend_capacity)
		sample->spend = array_grow(sample->spend, &sample->spend_capacity, sample->spend_n + 1, sizeof(ClvSpendRow),
								   CurrentMemoryContext);
	sample->spend[sample->spend_n++] = (ClvSpendRow) {.repeats = repeats, .members = 1, .mean = mean};
}

static void
fit_orders(Sample *sample, ClvChoice choice, float8 penalty, ClvFitted *fitted)
{
	ClvRows		rows;
	ClvFit		fit;
	ClvFitStatus status;

	clv_rows_init(&rows, sample->row, sample->n);
	status = choice == CLV_ASK_BEST ? clv_fit_best(&rows, penalty, &fit) : clv_fit((ClvModel) choice, &rows, penalty, &fit);
	if (status == CLV_NO_REPEATS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no member has ordered on a second day"),
				 errhint("Nothing can be told from first orders alone: wait, or take a later day.")));
	fitted->orders.model = fit.model;
	memcpy(fitted->orders.value, fit.parameter, sizeof(fit.parameter));
	fitted->warnings |= fit.warnings;
	fitted->members = (int64) rows.members;
	fitted->repeaters = (int64) rows.repeaters;
	fitted->repeats = (int64) rows.repeats;
	fitted->max_age = rows.max_age;
	fitted->log_likelihood = fit.log_likelihood;
	fitted->nbd_log_likelihood = fit.nbd_log_likelihood;
	fitted->has_covariance = fit.has_covariance;
	memcpy(fitted->covariance, fit.covariance, sizeof(fit.covariance));
}

static void
fit_spend(Sample *sample, float8 penalty, ClvFitted *fitted)
{
	ClvSpendRows rows;
	ClvSpendFit fit;

	fitted->spend_left_out = sample->left_out;
	if (sample->left_out > LEFT_OUT_ALLOWED * ((float8) sample->left_out + sample->spend_n))
		fitted->warnings |= CLV_SPEND_LEFT_OUT;
	if (sample->spend_n == 0)
		return;
	clv_spend_rows_init(&rows, sample->spend, sample->spend_n);
	(void) clv_spend_fit(&rows, penalty, &fit);
	fitted->spend_members = (int64) sample->spend_n;
	fitted->spend_log_likelihood = fit.log_likelihood;
	memcpy(fitted->spend, fit.parameter, sizeof(fitted->spend));
	fitted->has_spend_covariance = fit.has_covariance;
	memcpy(fitted->spend_covariance, fit.covariance, sizeof(fit.covariance));
	fitted->has_correlation = clv_spend_correlation(&rows, &fitted->correlation);
	if (fit.weak_prior_used)
		fitted->warnings |= CLV_WEAK_PRIOR_USED;
	if (!(fitted->spend[CLV_SPEND_Q] > 1))
		fitted->warnings |= CLV_SPEND_MEAN_UNDEFINED;
	if (fitted->has_correlation && fabs(fitted->correlation) > CORRELATION_ALLOWED)
		fitted->warnings |= CLV_SPEND_DEPENDS_ON_FREQUENCY;
}

static void
fit(Sample *sample, ClvChoice choice, float8 penalty, ClvFitted *fitted)
{
	memset(fitted, 0, sizeof(*fitted));
	fitted->asked = choice;
	fitted->penalty = penalty;
	fit_orders(sample, choice, penalty, fitted);
	fit_spend(sample, penalty, fitted);
}

/* ---------- of a book ---------- */

/* Whether more or fewer orders came for some weeks than the model expects. */
static bool
is_seasonal(ClvTracking *tracking, const ClvParameters *parameters)
{
	bool		seasonal;

	if (tracking->is_too_long)
		return false;
	clv_tracking_expect(tracking, parameters);
	seasonal = clv_tracking_is_seasonal(tracking);
	clv_tracking_free(tracking);
	return seasonal;
}

/* Fits a model to the members of a book, which has been opened. */
void
clv_fit_book(ClvBook *book, ClvChoice choice, float8 penalty, ClvFitted *fitted)
{
	Sample		sample = {0};
	ClvTracking tracking;

	clv_tracking_init(&tracking, book->until, book->until);
	while (clv_book_next(book))
	{
		const ClvHistory *history = &book->history;

		add_member(&sample, history->repeats, history->last_age, history->age,
				   history->repeats > 0 ? clv_book_mean_spend(book) : NAN);
		clv_tracking_add_history(&tracking, history->first, book->days.events, book->days.count);
	}
	fit(&sample, choice, penalty, fitted);
	if (is_seasonal(&tracking, &fitted->orders))
		fitted->warnings |= CLV_SEASONAL;
	fitted->until = book->until;
	fitted->zone_size = (uint32) book->days.settings_size - 1;
	memcpy(fitted->zone, book->days.settings + 1, fitted->zone_size);
	pfree(sample.row);
	if (sample.spend != NULL)
		pfree(sample.spend);
}

/* clv_fit(retention_book, model, until, penalty): NULL of a book without members. */
CUSTMART_FUNCTION(custmart_clv_fit);
Datum
custmart_clv_fit(PG_FUNCTION_ARGS)
{
	ClvBook		book;
	ClvChoice	choice;
	float8		penalty;
	ClvFitted	fitted;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	choice = clv_choice_argument(fcinfo, 1);
	penalty = clv_penalty_argument(fcinfo, 3);
	if (!clv_book_open(&book, PG_GETARG_DATUM(0)))
		PG_RETURN_NULL();
	clv_book_set_until(&book, fcinfo, 2, "until", true);
	clv_fit_book(&book, choice, penalty, &fitted);
	PG_RETURN_DATUM(clv_model_datum(&fitted));
}

/* ---------- of columns ---------- */

/*
 * State: a bigint[] of the model, then for each member the repeats and the bits of
 * last_age, age and mean spend as float8, which is NaN if there is no figure.
 */
#define MEMBER_NUMBERS 4

static void
state_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("state of an aggregate is not valid")));
}

/* The model that a state names; anybody may have written it. */
static ClvChoice
state_choice(int64 choice)
{
	if (choice < CLV_ASK_BG || choice > CLV_ASK_BEST)
		state_error();
	return (ClvChoice) choice;
}

static int
state_header(const char *elements, int count)
{
	int64		choice;

	if (count < 1 || (count - 1) % MEMBER_NUMBERS != 0)
		state_error();
	memcpy(&choice, elements, 8);
	(void) state_choice(choice);
	return 1;
}

static void
models_differ_error(ClvChoice a, ClvChoice b)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model must be the same in all rows, not \"%s\" and \"%s\"", clv_choice_name(a), clv_choice_name(b)),
			 errhint("Write it as a constant.")));
}

/* clv_fit_step(bigint[], repeats, last_age, age, mean_spend, model): collects one member. */
CUSTMART_FUNCTION(custmart_clv_fit_step);
Datum
custmart_clv_fit_step(PG_FUNCTION_ARGS)
{
	ArrayState	state;
	ClvChoice	choice;
	int64		repeats;
	float8		last_age;
	float8		age;
	float8		mean = NAN;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(5))
		return aggregate_same_state(fcinfo);
	(void) aggregate_context(fcinfo);
	choice = clv_choice_argument(fcinfo, 5);
	repeats = PG_GETARG_INT64(1);
	last_age = PG_GETARG_FLOAT8(2);
	age = PG_GETARG_FLOAT8(3);
	clv_raise_row(clv_row_check(repeats, last_age, age), repeats, last_age, age);
	if (!PG_ARGISNULL(4))
	{
		DecimalPool pool = {.context = CurrentMemoryContext};

		mean = decimal_packed_to_double(numeric_read(PG_GETARG_DATUM(4), "mean_spend", &pool), &pool);
		decimal_pool_clear(&pool);
	}

	if (!array_state_of_aggregate(fcinfo, &state))
		array_state_append(&state, choice);
	else if (array_state_element(&state, 1) != choice)
		models_differ_error(state_choice(array_state_element(&state, 1)), choice);
	array_state_append(&state, repeats);
	array_state_append(&state, float8_bits(last_age));
	array_state_append(&state, float8_bits(age));
	array_state_append(&state, float8_bits(mean));
	PG_RETURN_DATUM(state.array);
}

/* clv_fit_combine(bigint[], bigint[]): appends the members of the second state to the first. */
CUSTMART_FUNCTION(custmart_clv_fit_combine);
Datum
custmart_clv_fit_combine(PG_FUNCTION_ARGS)
{
	return array_state_combine(fcinfo, state_header, "model");
}

/* Adds the members that a state holds; anybody may have written it. */
static void
add_members(Sample *sample, const char *elements, int count)
{
	for (int i = 0; i < count; i += MEMBER_NUMBERS)
	{
		int64		repeats;
		float8		number[MEMBER_NUMBERS - 1];

		check_interrupts(i);
		memcpy(&repeats, elements + (Size) i * 8, 8);
		memcpy(number, elements + (Size) i * 8 + 8, sizeof(number));
		if (clv_row_check(repeats, number[0], number[1]) != CLV_ROW_GOOD || isinf(number[2]))
			state_error();
		add_member(sample, (uint32) repeats, number[0], number[1], number[2]);
	}
}

/* clv_fit_final(bigint[]): the model; NULL if there were no rows. */
CUSTMART_FUNCTION(custmart_clv_fit_final);
Datum
custmart_clv_fit_final(PG_FUNCTION_ARGS)
{
	Sample		sample = {0};
	ClvFitted	fitted;
	const char *elements;
	int			count;
	int64		choice;

	(void) aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	elements = array_state_elements(PG_GETARG_DATUM(0), &count);
	(void) state_header(elements, count);
	memcpy(&choice, elements, 8);
	add_members(&sample, elements + 8, count - 1);
	if (sample.n == 0)
		PG_RETURN_NULL();
	fit(&sample, (ClvChoice) choice, 0, &fitted);
	PG_RETURN_DATUM(clv_model_datum(&fitted));
}
