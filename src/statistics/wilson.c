/*
 * wilson.c
 *	  How often does something happen, and how sure is that?  Computed from counts.
 */
#include "custmart.h"

#include "shared/arguments.h"
#include "funcapi.h"
#include "statistics/proportions.h"

/* wilson_interval(successes, trials, alpha). */
CUSTMART_FUNCTION(custmart_wilson_interval);
Datum
custmart_wilson_interval(PG_FUNCTION_ARGS)
{
	float8		alpha = argument_alpha(fcinfo, 2);
	int64		successes;
	int64		trials;
	TupleDesc	result;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	successes = PG_GETARG_INT64(0);
	trials = PG_GETARG_INT64(1);
	if (successes < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("successes must be at least 0, not %lld", (long long) successes),
				 errhint("It is how many of the trials succeeded, such as count(*) FILTER (WHERE ...).")));
	if (trials < successes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trials must be at least successes, %lld, not %lld", (long long) successes, (long long) trials),
				 errhint("Trials are all that were tried, whether they succeeded or not.")));
	if (trials > 0)
	{
		Proportion	of = {(float8) successes, (float8) trials};
		float8		low;
		float8		high;

		proportion_interval(&of, alpha, &low, &high);
		values[0] = Float8GetDatum(of.count / of.n);
		values[1] = Float8GetDatum(low);
		values[2] = Float8GetDatum(high);
		memset(nulls, false, sizeof(nulls));
	}
	if (get_call_result_type(fcinfo, NULL, &result) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "wilson_interval called where no row is expected");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result), values, nulls)));
}
