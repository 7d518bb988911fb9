/*
 * clv_model.c
 *	  The type clv_model: a fitted model that can be stored, and what it says of
 *	  itself.
 */
#include "clv/clv_model.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "shared/arguments.h"
#include "shared/calendar.h"
#include "shared/report.h"
#include "shared/stored_value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define DAYS_OF_A_YEAR 365.25

static const char *const model_names[] = {"nbd", "bg/nbd", "mbg/nbd", "pareto/nbd", "best"};

/* By bit. */
static const char *const warning_names[CLV_WARNINGS] = {
	"few_repeaters", "short_history", "no_dropout", "weak_prior_used", "one_member_dominates",
	"seasonal", "spend_depends_on_frequency", "spend_mean_undefined", "spend_left_out",
	"holdout_bias", "horizon_long"
};

/* ---------- the type ---------- */

/* The name of a zone is checked as that of every stored calendar. */
static const char *
clv_model_check(const uint8 *bytes, Size length)
{
	const char *wrong = clv_check_stored(bytes, length);
	uint8		settings[CALENDAR_SETTINGS_MAX] = {UNIT_DAY};
	CalendarUnit unit;

	if (wrong != NULL)
		return wrong;
	if (bytes[5] == 0)
		return NULL;
	memcpy(settings + 1, bytes + length - bytes[5], bytes[5]);
	return calendar_check_settings(settings, 1 + bytes[5], &unit);
}

static const StoredType clv_model_type = {"clv_model", clv_model_check};

/* A model as a value.  If there is something wrong with it, no data say so much. */
Datum
clv_model_datum(const ClvFitted *fitted)
{
	bytea	   *value = palloc(VARHDRSZ + CLV_STORED_MAX);
	Size		length = clv_store(fitted, (uint8 *) VARDATA(value));

	SET_VARSIZE(value, VARHDRSZ + length);
	if (clv_model_check((const uint8 *) VARDATA(value), length) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the model's parameters are out of range"),
				 errhint("Give them a guess to start from: penalty => 1.")));
	PG_RETURN_BYTEA_P(value);
}

void
clv_model_get(Datum value, ClvFitted *fitted)
{
	bytea	   *stored = stored_get(value, &clv_model_type);

	clv_load((const uint8 *) VARDATA_ANY(stored), fitted);
	if ((Pointer) stored != DatumGetPointer(value))
		pfree(stored);
}

CUSTMART_FUNCTION(custmart_clv_model_in);
Datum
custmart_clv_model_in(PG_FUNCTION_ARGS)
{
	bytea	   *value = stored_from_base64(PG_GETARG_CSTRING(0), &clv_model_type, INPUT_ERROR_CONTEXT(fcinfo));

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(value);
}

CUSTMART_FUNCTION(custmart_clv_model_out);
Datum
custmart_clv_model_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(stored_to_base64(stored_get(PG_GETARG_DATUM(0), &clv_model_type), &clv_model_type));
}

CUSTMART_FUNCTION(custmart_clv_model_recv);
Datum
custmart_clv_model_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(stored_recv(fcinfo, &clv_model_type));
}

/* ---------- arguments ---------- */

const char *
clv_choice_name(ClvChoice choice)
{
	return model_names[choice];
}

/* The model that is to be fitted. */
ClvChoice
clv_choice_argument(FunctionCallInfo fcinfo, int argument)
{
	char	   *name;

	argument_check_not_null(fcinfo, argument, "model");
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	for (ClvChoice choice = CLV_ASK_BG; choice <= CLV_ASK_BEST; choice++)
		if (strcmp(name, model_names[choice]) == 0)
		{
			pfree(name);
			return choice;
		}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model \"%s\" is not known", name),
			 errhint("Use mbg/nbd, bg/nbd, pareto/nbd, or best for the one of these that fits best.")));
}

/* A number from 0 on. */
static float8
get_number(FunctionCallInfo fcinfo, int argument, const char *name, const char *hint)
{
	float8		number;

	argument_check_not_null(fcinfo, argument, name);
	number = PG_GETARG_FLOAT8(argument);
	if (!(number >= 0 && isfinite(number)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number from 0 on, not %g", name, number),
				 errhint("%s", hint)));
	return number;
}

float8
clv_penalty_argument(FunctionCallInfo fcinfo, int argument)
{
	return get_number(fcinfo, argument, "penalty", "It counts as the guess of as many members; 0 is none.");
}

/* What an order is worth less for each day that it comes later, from a rate a year. */
float8
clv_discount_argument(FunctionCallInfo fcinfo, int argument)
{
	return log1p(get_number(fcinfo, argument, "annual_discount",
							"It is a share: 0.10 stands for 10 %, 0 for none.")) / DAYS_OF_A_YEAR;
}

float8
clv_margin_argument(FunctionCallInfo fcinfo, int argument)
{
	return get_number(fcinfo, argument, "margin", "It is the share of an order's money that is earned: 0.4 stands for 40 %.");
}

/*
 * The days of a horizon that begins at the end of a day: months and years are those
 * of the calendar.  Without a day, a year has 365.25 of them and a month a twelfth.
 */
float8
clv_horizon_days(const Interval *horizon, bool has_day, DateADT day)
{
	float8		days;

	if (interval_is_infinite(horizon))
		days = horizon->month > 0 ? INFINITY : 0;
	else if (has_day)
	{
		Timestamp	begin = date_clock_argument(day, "as_of");
		/* With 31 days a month the end is at least as far away: what is beyond all times is not calculated. */
		float8		end = (float8) begin + (horizon->month * 31.0 + horizon->day) * USECS_PER_DAY + (float8) horizon->time;

		if (end >= (float8) END_TIMESTAMP)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("horizon \"%s\" is too long",
							DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(horizon)))),
					 errhint("Take one that ends before the year 294277.")));
		if (end > (float8) MIN_TIMESTAMP)
			end = (float8) DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(begin),
																 IntervalPGetDatum(horizon)));
		days = (end - (float8) begin) / USECS_PER_DAY;
	}
	else
		days = horizon->month * (DAYS_OF_A_YEAR / 12) + horizon->day + (float8) horizon->time / USECS_PER_DAY;
	if (!(days > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be above 0, not \"%s\"",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(horizon)))),
				 errhint("Give the time ahead for which orders are expected, such as '1 year'.")));
	return days;
}

/* Refuses an infinite time where what is expected in it has no end. */
void
clv_check_endless(const ClvParameters *orders, float8 days, float8 discount)
{
	if (isinf(days) && (orders->model != CLV_PARETO || !(discount > 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an infinite horizon needs pareto/nbd and a discount, not %s%s",
						clv_choice_name((ClvChoice) orders->model), discount > 0 ? "" : " without one"),
				 errhint("Give a finite horizon, such as '5 years'.")));
}

/* Raises the error of a member's figures. */
void
clv_raise_row(ClvRowStatus status, int64 repeats, float8 last_age, float8 age)
{
	static const char *const wrong[] = {
		[CLV_ROW_NOT_FINITE] = "must be finite numbers",
		[CLV_ROW_NEGATIVE] = "must not be negative",
		[CLV_ROW_LAST_AGE_ABOVE_AGE] = "do not fit together: last_age is above age",
		[CLV_ROW_LAST_AGE_WITHOUT_REPEATS] = "do not fit together: without repeats last_age must be 0",
		[CLV_ROW_REPEATS_WITHOUT_LAST_AGE] = "do not fit together: with repeats last_age must be above 0",
		[CLV_ROW_TOO_MANY_REPEATS] = "are out of range: repeats are at most 4294967295",
		[CLV_ROW_OUT_OF_RANGE] = "are out of range: ages are 0 or from 0.000001 to 1000000000 days"
	};

	if (status != CLV_ROW_GOOD)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("repeats, last_age and age %s", wrong[status]),
				 errdetail("They are " INT64_FORMAT ", %g and %g.", repeats, last_age, age),
				 errhint("repeats: days with orders after the first such day; last_age: days from the first one to the last; age: days from the first one to the day until which orders are known.")));
}

/* A result that is about to leave.  Only made-up models and members have others. */
float8
clv_finite(float8 result)
{
	if (unlikely(!isfinite(result)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a prediction is out of range"),
				 errhint("Compare the model, the member's figures and the horizon with those that were fitted.")));
	return result;
}

/* ---------- what a model says of itself ---------- */

/* Warnings as a list in a text, for reports: there are clients that do not read arrays. */
Datum
clv_warnings_text(uint32 warnings)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < CLV_WARNINGS; i++)
		if ((warnings & 1u << i) != 0)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", warning_names[i]);
	return CStringGetTextDatum(list.data);
}

/* Warnings as a text[]. */
Datum
clv_warnings_datum(uint32 warnings)
{
	Datum		names[CLV_WARNINGS];
	int			n = 0;

	for (int i = 0; i < CLV_WARNINGS; i++)
		if ((warnings & 1u << i) != 0)
			names[n++] = CStringGetTextDatum(warning_names[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* warnings(clv_model, horizon): why not to rely on it; with a horizon, for that time. */
CUSTMART_FUNCTION(custmart_clv_model_warnings);
Datum
custmart_clv_model_warnings(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	if (!PG_ARGISNULL(1) &&
		clv_horizon_days(PG_GETARG_INTERVAL_P(1), fitted.zone_size > 0, fitted.until) > CLV_AGES_AHEAD * fitted.max_age)
		fitted.warnings |= CLV_HORIZON_LONG;
	return clv_warnings_datum(fitted.warnings);
}

/* is_reliable(clv_model): no warnings. */
CUSTMART_FUNCTION(custmart_clv_model_is_reliable);
Datum
custmart_clv_model_is_reliable(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;

	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	PG_RETURN_BOOL(fitted.warnings == 0);
}

/* log_likelihood(clv_model): of the orders, without the prior. */
CUSTMART_FUNCTION(custmart_clv_model_log_likelihood);
Datum
custmart_clv_model_log_likelihood(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;

	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	PG_RETURN_FLOAT8(fitted.log_likelihood);
}

typedef struct ModelReport
{
	ClvFitted	fitted;
	int			next;
} ModelReport;

static void *
open_model(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	ModelReport *report;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc(sizeof(ModelReport));
	clv_model_get(PG_GETARG_DATUM(0), &report->fitted);
	report->next = 0;
	return report;
}

static bool
next_parameter(void *state, Datum *values, bool *nulls)
{
	static const char *const names[2][CLV_MATRIX_MAX] = {{"r", "alpha", "a", "b"}, {"r", "alpha", "s", "beta"}};
	static const char *const spend_names[CLV_SPEND_PARAMETERS] = {"p", "q", "gamma"};
	ModelReport *report = state;
	const ClvFitted *fitted = &report->fitted;
	const ClvModel model = fitted->orders.model;
	const int	orders = clv_parameter_count(model);
	const int	i = report->next < orders ? report->next : report->next - orders;
	const bool	is_spend = i < report->next;
	const bool	has_covariance = is_spend ? fitted->has_spend_covariance : fitted->has_covariance;
	float8		estimate;
	float8		error;
	float8		factor;

	if (is_spend && (fitted->spend_members == 0 || i == CLV_SPEND_PARAMETERS))
		return false;
	report->next++;
	estimate = is_spend ? fitted->spend[i] : fitted->orders.value[i];
	error = has_covariance ? sqrt(is_spend ? fitted->spend_covariance[i][i] : fitted->covariance[i][i]) : 0;
	factor = exp(1.96 * error / estimate);
	values[0] = CStringGetTextDatum(is_spend ? "gamma-gamma" : model_names[model]);
	values[1] = CStringGetTextDatum(is_spend ? spend_names[i] : names[model == CLV_PARETO][i]);
	values[2] = Float8GetDatum(estimate);
	values[3] = Float8GetDatum(error);
	nulls[3] = !has_covariance;
	values[4] = Float8GetDatum(estimate / factor);
	values[5] = Float8GetDatum(estimate * factor);
	nulls[4] = nulls[5] = !has_covariance || !isfinite(estimate * factor);
	return true;
}

static const Report parameters = {open_model, next_parameter, 6};

/* clv_parameters(clv_model): estimates with their errors and intervals. */
CUSTMART_REPORT(custmart_clv_parameters, parameters, 0)

static bool
next_detail(void *state, Datum *values, bool *nulls)
{
	ModelReport *report = state;
	const ClvFitted *fitted = &report->fitted;

	if (report->next++ > 0)
		return false;
	values[0] = CStringGetTextDatum(model_names[fitted->orders.model]);
	values[1] = CStringGetTextDatum(model_names[fitted->asked]);
	nulls[2] = nulls[3] = fitted->zone_size == 0;
	values[2] = DateADTGetDatum(fitted->until);
	values[3] = PointerGetDatum(cstring_to_text_with_len(fitted->zone, (int) fitted->zone_size));
	values[4] = Int64GetDatum(fitted->members);
	values[5] = Int64GetDatum(fitted->repeaters);
	values[6] = Int64GetDatum(fitted->repeats);
	values[7] = Float8GetDatum(fitted->max_age);
	values[8] = Float8GetDatum(fitted->penalty);
	values[9] = Float8GetDatum(fitted->log_likelihood);
	values[10] = Float8GetDatum(fitted->nbd_log_likelihood);
	values[11] = Int64GetDatum(fitted->spend_members);
	values[12] = Int64GetDatum(fitted->spend_left_out);
	values[13] = Float8GetDatum(fitted->spend_log_likelihood);
	nulls[13] = fitted->spend_members == 0;
	values[14] = Float8GetDatum(fitted->correlation);
	nulls[14] = !fitted->has_correlation;
	return true;
}

static const Report details = {open_model, next_detail, 15};

/* clv_details(clv_model): what it was made of and how well it fits, in one row. */
CUSTMART_REPORT(custmart_clv_details, details, 0)
