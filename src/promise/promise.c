/*
 * promise.c
 *	  Offers that are kept: how much stock the next one needs, and how well the past
 *	  ones were honoured.  Offers and claims are small tables, so all of this takes
 *	  counts.
 */
#include "custmart.h"

#include <float.h>

#include "shared/arguments.h"
#include "statistics/beta_binomial.h"
#include "statistics/proportions.h"

/* An argument that counts something; it is not NULL. */
static int64
get_count(FunctionCallInfo fcinfo, int argument, const char *name, const char *what)
{
	int64		count = PG_GETARG_INT64(argument);

	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be at least 0, not %lld", name, (long long) count),
				 errhint("It is %s.", what)));
	return count;
}

/* The arguments issued, redeemed and offered; false if one is NULL. */
static bool
get_offer(FunctionCallInfo fcinfo, BetaBinomial *offer)
{
	int64		offered;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return false;
	offer->trials = get_count(fcinfo, 0, "issued", "how many members get the next offer");
	offer->successes = get_count(fcinfo, 1, "redeemed", "how many of the offered ones were redeemed in the past");
	offered = get_count(fcinfo, 2, "offered", "how many were offered in the past");
	if (offer->successes > offered)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("redeemed must not be above offered, %lld, but is %lld", (long long) offered, (long long) offer->successes),
				 errhint("Redeemed counts those of the offered ones that were redeemed; both are 0 if there is no history.")));
	offer->failures = offered - offer->successes;
	return true;
}

/* stock_out_probability(issued, redeemed, offered, stock) */
CUSTMART_FUNCTION(custmart_stock_out_probability);
Datum
custmart_stock_out_probability(PG_FUNCTION_ARGS)
{
	BetaBinomial offer;

	if (!get_offer(fcinfo, &offer))
		PG_RETURN_NULL();
	/* Without a limit nothing runs out. */
	if (PG_ARGISNULL(3))
		PG_RETURN_FLOAT8(0);
	PG_RETURN_FLOAT8(beta_binomial_above(&offer, get_count(fcinfo, 3, "stock", "how many can be redeemed; NULL stands for any number")));
}

/* stock_needed(issued, redeemed, offered, confidence) */
CUSTMART_FUNCTION(custmart_stock_needed);
Datum
custmart_stock_needed(PG_FUNCTION_ARGS)
{
	BetaBinomial offer;
	float8		confidence;

	argument_check_not_null(fcinfo, 3, "confidence");
	confidence = PG_GETARG_FLOAT8(3);
	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must be above 0 and below 1, not %g", confidence),
				 errhint("It is the probability that stock lasts: 0.95 stands for 95 %%.")));
	if (!get_offer(fcinfo, &offer))
		PG_RETURN_NULL();
	if (confidence < 0.5)
		PG_RETURN_INT64(beta_binomial_low_quantile(&offer, confidence));

	/* By so much the nearest double of a confidence may be too large. */
	PG_RETURN_INT64(beta_binomial_quantile(&offer, (1 - confidence) + DBL_EPSILON / 4));
}

/* promise_score(kept, broken, alpha) */
CUSTMART_FUNCTION(custmart_promise_score);
Datum
custmart_promise_score(PG_FUNCTION_ARGS)
{
	float8		alpha = argument_alpha(fcinfo, 2);
	Proportion	kept;
	float8		low;
	float8		high;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	kept.count = (float8) get_count(fcinfo, 0, "kept", "how many claims were honoured");
	kept.n = kept.count + (float8) get_count(fcinfo, 1, "broken", "how many claims were refused though the member did nothing wrong");
	if (kept.n == 0)
		PG_RETURN_NULL();
	proportion_interval(&kept, alpha, &low, &high);
	PG_RETURN_FLOAT8(100 * low);
}
