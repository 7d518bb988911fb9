/*
 * clv_scalars.c
 *	  What a model expects of one member, given in columns, and of a new one.
 */
#include "clv/clv_model.h"

#include "money/decimal_numeric.h"
#include "shared/arguments.h"
#include "shared/report.h"

/* The member's figures, arguments 1 to 3, checked. */
typedef struct Figures
{
	uint32		repeats;
	float8		last_age;
	float8		age;
} Figures;

static Figures
get_figures(FunctionCallInfo fcinfo)
{
	int64		repeats = PG_GETARG_INT64(1);
	Figures		figures = {.last_age = PG_GETARG_FLOAT8(2), .age = PG_GETARG_FLOAT8(3)};

	clv_raise_row(clv_row_check(repeats, figures.last_age, figures.age), repeats, figures.last_age, figures.age);
	figures.repeats = (uint32) repeats;
	return figures;
}

/* The days ahead; infinity where it may be. */
static float8
get_days(FunctionCallInfo fcinfo, int argument, const ClvParameters *orders, float8 discount)
{
	float8		days = PG_GETARG_FLOAT8(argument);

	if (!(days >= 0) || (!isinf(days) && days > CLV_AGE_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days must be from 0 to %.0f, not %g", CLV_AGE_MAX, days),
				 errhint("Give the number of days ahead: 365 for a year.")));
	clv_check_endless(orders, days, discount);
	return days;
}

/* p_alive(model, repeats, last_age, age) */
CUSTMART_FUNCTION(custmart_p_alive);
Datum
custmart_p_alive(PG_FUNCTION_ARGS)
{
	Figures		member = get_figures(fcinfo);
	ClvFitted	fitted;

	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	PG_RETURN_FLOAT8(clv_finite(clv_p_alive(&fitted.orders, member.repeats, member.last_age, member.age)));
}

/* p_order(model, repeats, last_age, age, days) */
CUSTMART_FUNCTION(custmart_p_order);
Datum
custmart_p_order(PG_FUNCTION_ARGS)
{
	Figures		member = get_figures(fcinfo);
	ClvFitted	fitted;
	float8		days;

	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	days = get_days(fcinfo, 4, &fitted.orders, 0);
	PG_RETURN_FLOAT8(clv_finite(clv_p_order(&fitted.orders, member.repeats, member.last_age, member.age, days)));
}

/* expected_orders(model, repeats, last_age, age, days) */
CUSTMART_FUNCTION(custmart_expected_orders);
Datum
custmart_expected_orders(PG_FUNCTION_ARGS)
{
	Figures		member = get_figures(fcinfo);
	ClvFitted	fitted;
	float8		days;

	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	days = get_days(fcinfo, 4, &fitted.orders, 0);
	PG_RETURN_FLOAT8(clv_finite(clv_expected_orders(&fitted.orders, member.repeats, member.last_age, member.age, days)));
}

/* discounted_orders(model, repeats, last_age, age, days, annual_discount) */
CUSTMART_FUNCTION(custmart_discounted_orders);
Datum
custmart_discounted_orders(PG_FUNCTION_ARGS)
{
	Figures		member = get_figures(fcinfo);
	float8		discount = clv_discount_argument(fcinfo, 5);
	ClvFitted	fitted;
	float8		days;

	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	days = get_days(fcinfo, 4, &fitted.orders, discount);
	PG_RETURN_FLOAT8(clv_finite(clv_discounted_orders(&fitted.orders, member.repeats, member.last_age, member.age, days, discount)));
}

/*
 * The money of an order of a member, whose mean spend is an argument; false if it
 * is not known.
 */
static bool
get_spend(FunctionCallInfo fcinfo, int argument, const ClvFitted *fitted, uint32 repeats, float8 *spend)
{
	DecimalPool pool = {.context = CurrentMemoryContext};
	float8		mean = 0;

	if (!PG_ARGISNULL(argument))
		mean = decimal_packed_to_double(numeric_read(PG_GETARG_DATUM(argument), "mean_spend", &pool), &pool);
	else if (repeats > 0)
		return false;
	return fitted->spend_members > 0 && clv_expected_spend(fitted->spend, repeats, mean, spend);
}

/* expected_spend(model, repeats, mean_spend): of the next order. */
CUSTMART_FUNCTION(custmart_expected_spend);
Datum
custmart_expected_spend(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;
	int64		repeats;
	float8		spend;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	repeats = PG_GETARG_INT64(1);
	clv_raise_row(clv_row_check(repeats, repeats > 0, 1), repeats, repeats > 0, 1);
	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	if (!get_spend(fcinfo, 2, &fitted, (uint32) repeats, &spend))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_finite(spend));
}

/* clv(model, repeats, last_age, age, mean_spend, days, annual_discount, margin) */
CUSTMART_FUNCTION(custmart_clv);
Datum
custmart_clv(PG_FUNCTION_ARGS)
{
	ClvFitted	fitted;
	Figures		member;
	float8		discount;
	float8		margin;
	float8		days;
	float8		spend;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	member = get_figures(fcinfo);
	discount = clv_discount_argument(fcinfo, 6);
	margin = clv_margin_argument(fcinfo, 7);
	clv_model_get(PG_GETARG_DATUM(0), &fitted);
	days = get_days(fcinfo, 5, &fitted.orders, discount);
	if (!get_spend(fcinfo, 4, &fitted, member.repeats, &spend))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(clv_finite(margin * spend *
								clv_discounted_orders(&fitted.orders, member.repeats, member.last_age, member.age, days, discount)));
}

/* ---------- a new member ---------- */

typedef struct NewMemberReport
{
	ClvFitted	fitted;
	float8		days;
	float8		discount;
	float8		margin;
	bool		is_done;
} NewMemberReport;

static void *
open_new_member(FunctionCallInfo fcinfo, TupleDesc columns, int variant)
{
	NewMemberReport *report;

	if (PG_ARGISNULL(0))
		return NULL;
	report = palloc0(sizeof(NewMemberReport));
	clv_model_get(PG_GETARG_DATUM(0), &report->fitted);
	argument_check_not_null(fcinfo, 1, "horizon");
	report->days = clv_horizon_days(PG_GETARG_INTERVAL_P(1), report->fitted.zone_size > 0, report->fitted.until);
	report->discount = clv_discount_argument(fcinfo, 2);
	report->margin = clv_margin_argument(fcinfo, 3);
	clv_check_endless(&report->fitted.orders, report->days, report->discount);
	return report;
}

static bool
next_new_member(void *state, Datum *values, bool *nulls)
{
	NewMemberReport *report = state;
	const ClvFitted *fitted = &report->fitted;
	float8		spend;

	if (report->is_done)
		return false;
	report->is_done = true;
	nulls[0] = isinf(report->days);
	if (!nulls[0])
		values[0] = Float8GetDatum(clv_finite(clv_new_orders(&fitted->orders, report->days)));
	nulls[1] = nulls[2] = fitted->spend_members == 0 || !clv_expected_spend(fitted->spend, 0, 0, &spend);
	if (nulls[1])
		return true;
	values[1] = Float8GetDatum(clv_finite(spend));
	values[2] = Float8GetDatum(clv_finite(report->margin * spend *
										  clv_new_discounted(&fitted->orders, report->days, report->discount)));
	return true;
}

static const Report new_member = {open_new_member, next_new_member, 3};

/* new_member_value(model, horizon, annual_discount, margin): what one may cost. */
CUSTMART_REPORT(custmart_new_member_value, new_member, 0)
