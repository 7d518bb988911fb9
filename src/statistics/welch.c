/*
 * welch.c
 *	  Do two groups differ in their mean?  Computed from count, avg and var_samp.
 */
#include "custmart.h"

#include <math.h>

#include "shared/arguments.h"
#include "funcapi.h"
#include "statistics/distributions.h"

/*
 * welch_test(n1, mean1, variance1, n2, mean2, variance2, alpha): Welch's test
 * (1947) with the degrees of freedom of Satterthwaite (1946).
 */
CUSTMART_FUNCTION(custmart_welch_test);
Datum
custmart_welch_test(PG_FUNCTION_ARGS)
{
	float8		n[2];
	float8		mean[2];
	float8		share[2];		/* of the variance of the difference */
	float8		alpha = argument_alpha(fcinfo, 6);
	float8		difference;
	float8		error;
	float8		df;
	float8		t;
	float8		margin;
	TupleDesc	result;
	Datum		values[6];
	bool		nulls[6] = {0};

	for (int i = 0; i < 6; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	for (int i = 0; i < 2; i++)
	{
		float8		variance = PG_GETARG_FLOAT8(3 * i + 2);

		n[i] = (float8) PG_GETARG_INT64(3 * i);
		mean[i] = PG_GETARG_FLOAT8(3 * i + 1);
		if (n[i] < 2)
			PG_RETURN_NULL();
		if (!isfinite(mean[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("mean%d must be finite, not %g", i + 1, mean[i])));
		if (!(variance >= 0) || isinf(variance))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("variance%d must be finite and at least 0, not %g", i + 1, variance),
					 errhint("Use the result of var_samp().")));
		share[i] = variance / n[i];
	}

	difference = mean[0] - mean[1];
	error = sqrt(share[0] + share[1]);
	if (isinf(difference) || isinf(error * error))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("means or variances are too large to compare")));
	if (error == 0)
		PG_RETURN_NULL();

	/* As shares of the whole, so that squares of small variances do not underflow. */
	for (int i = 0; i < 2; i++)
		share[i] /= error * error;
	df = 1 / (share[0] * share[0] / (n[0] - 1) + share[1] * share[1] / (n[1] - 1));
	t = difference / error;
	margin = statistics_student_quantile(alpha, df) * error;

	values[0] = Float8GetDatum(difference);
	values[1] = Float8GetDatum(difference - margin);
	values[2] = Float8GetDatum(difference + margin);
	values[3] = Float8GetDatum(t);
	values[4] = Float8GetDatum(df);
	values[5] = Float8GetDatum(statistics_student_p(t, df));
	if (get_call_result_type(fcinfo, NULL, &result) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "welch_test called where no row is expected");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result), values, nulls)));
}
