/*
 * price_check.c
 *	  Checks before a sale whether one price is fair.
 */
#include "custmart.h"

#include <math.h>

#include "money/decimal_numeric.h"
#include "utils/builtins.h"

/* Far above the rounding errors of quotients of decimals, far below any difference of prices. */
#define PERCENT_ROUNDING 1e-10

/* price_check(price numeric, fair numeric, tolerance_pct float8): 'ok', 'above by ...', 'below by ...'. */
CUSTMART_FUNCTION(custmart_price_check);
Datum
custmart_price_check(PG_FUNCTION_ARGS)
{
	DecimalPool pool = {.context = CurrentMemoryContext};
	int64		price = numeric_read(PG_GETARG_DATUM(0), "price", &pool);
	int64		fair = numeric_read(PG_GETARG_DATUM(1), "fair", &pool);
	float8		tolerance_pct = PG_GETARG_FLOAT8(2);
	float8		fair_value = decimal_packed_to_double(fair, &pool);
	Decimal		difference = decimal_unpack(price, &pool);
	Decimal		subtrahend = decimal_unpack(fair, &pool);
	float8		deviation_pct;
	float8		percent;

	if (!(fair_value > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fair must be above 0, not %s",
						DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(1)))),
				 errhint("Use a price from fair_prices(), where all are above 0.")));
	if (!(tolerance_pct >= 0) || isinf(tolerance_pct))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tolerance_pct must be finite and at least 0, not %g", tolerance_pct),
				 errhint("It is in percent of the fair price: 5 stands for 5 %%.")));

	/* Two amounts cannot overflow a sum of 256 bits. */
	(void) decimal_subtract(&difference, &subtrahend);
	deviation_pct = 100 * (decimal_to_double(&difference) / fair_value);
	percent = fabs(deviation_pct);
	if (percent <= tolerance_pct + PERCENT_ROUNDING)
		PG_RETURN_TEXT_P(cstring_to_text("ok"));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf(percent >= 0.05 ? "%s by %.1f %%" :
											  percent >= 0.001 ? "%s by %.3f %%" :
											  "%s by less than 0.001 %%",
											  deviation_pct > 0 ? "above" : "below", percent)));
}
