/*
 * contact_friend.c
 *	  New friends and old ones: who may be written to like everybody, and who not yet.
 */
#include "custmart.h"

#include "shared/arguments.h"
#include "shared/duration.h"
#include "shared/time_arguments.h"
#include "utils/builtins.h"

/* friend(frequency, first_order, as_of, min_orders, min_tenure) */
CUSTMART_FUNCTION(custmart_friend);
Datum
custmart_friend(PG_FUNCTION_ARGS)
{
	int64		frequency;
	int64		min_orders;
	int64		min_tenure;
	TimestampTz first_order;
	TimestampTz as_of;

	argument_check_not_null(fcinfo, 3, "min_orders");
	argument_check_not_null(fcinfo, 4, "min_tenure");
	min_orders = PG_GETARG_INT64(3);
	if (min_orders < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_orders must be at least 1, not %lld", (long long) min_orders),
				 errhint("It is the number of orders from which on a member is an old friend.")));
	min_tenure = duration_argument(PG_GETARG_INTERVAL_P(4), "min_tenure");
	if (min_tenure < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_tenure must not be negative, but is \"%s\"", duration_text(PG_GETARG_INTERVAL_P(4))),
				 errhint("It is the time since the first order from which on a member is an old friend.")));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	frequency = PG_GETARG_INT64(0);
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency must be at least 0, not %lld", (long long) frequency),
				 errhint("It is the number of a member's orders, as frequency() and rfm_members() give it.")));
	if (frequency == 0 || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	argument_check_not_null(fcinfo, 2, "as_of");
	first_order = time_check(PG_GETARG_TIMESTAMPTZ(1), "first_order");
	as_of = time_check(PG_GETARG_TIMESTAMPTZ(2), "as_of");
	if (first_order > as_of)
		time_too_early_error(as_of, "as_of", first_order, "a first order", false);
	/* As far apart as two times can be, the distance needs all 64 bits. */
	PG_RETURN_TEXT_P(cstring_to_text(frequency >= min_orders && (uint64) as_of - (uint64) first_order >= (uint64) min_tenure ?
									 "old" : "new"));
}
