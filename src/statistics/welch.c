/*
 * welch.c
 *	  Do two groups differ in their mean?  Computed from count, avg and var_samp.
 */
#include "custmart.h"

#include <math.h>

#include "shared/arguments.h"
#include "funcapi.h"
#include "statistics/mean_difference.h"

/* What one group's arguments say. */
typedef struct Sample
{
	float8		mean;
	MeanVariance of_mean;		/* NAN if unknown */
} Sample;

/* The arguments of group i, 1 or 2, whose mean is known. */
static Sample
get_sample(FunctionCallInfo fcinfo, int i)
{
	int			first = 3 * (i - 1);
	Sample		sample = {PG_GETARG_FLOAT8(first + 1), {NAN, NAN}};
	float8		variance = PG_GETARG_FLOAT8(first + 2);

	if (!isfinite(sample.mean))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("mean%d must be finite, not %g", i, sample.mean),
				 errhint("It is the mean of sample %d, such as avg(x).", i)));
	if (!PG_ARGISNULL(first + 2) && (!(variance >= 0) || isinf(variance)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variance%d must be finite and at least 0, not %g", i, variance),
				 errhint("Use the result of var_samp().")));
	if (PG_ARGISNULL(first) || PG_ARGISNULL(first + 2) || PG_GETARG_INT64(first) < 2)
		return sample;
	sample.of_mean.variance = variance / (float8) PG_GETARG_INT64(first);
	sample.of_mean.df = (float8) PG_GETARG_INT64(first) - 1;
	return sample;
}

static void
raise_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("means or variances are too large to compare")));
}

/*
 * welch_test(n1, mean1, variance1, n2, mean2, variance2, alpha).  The difference
 * of the means needs no test.
 */
CUSTMART_FUNCTION(custmart_welch_test);
Datum
custmart_welch_test(PG_FUNCTION_ARGS)
{
	float8		alpha = argument_alpha(fcinfo, 6);
	Sample		a;
	Sample		b;
	float8		difference;
	MeanDifference test;
	TupleDesc	result;
	Datum		values[6] = {0};
	bool		nulls[6] = {false, true, true, true, true, true};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	a = get_sample(fcinfo, 1);
	b = get_sample(fcinfo, 2);
	difference = a.mean - b.mean;
	if (isinf(difference) || isinf(a.of_mean.variance + b.of_mean.variance))
		raise_too_large();
	values[0] = Float8GetDatum(difference);
	if (mean_difference(difference, &a.of_mean, &b.of_mean, alpha, &test))
	{
		values[1] = Float8GetDatum(difference - test.margin);
		values[2] = Float8GetDatum(difference + test.margin);
		values[3] = Float8GetDatum(test.t);
		values[4] = Float8GetDatum(test.df);
		values[5] = Float8GetDatum(test.p);
		memset(nulls, false, sizeof(nulls));
	}
	if (get_call_result_type(fcinfo, NULL, &result) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "welch_test called where no row is expected");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(result), values, nulls)));
}
