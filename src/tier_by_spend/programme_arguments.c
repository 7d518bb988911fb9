/*
 * programme_arguments.c
 *	  Reading what the functions of tiers and of points have in common.
 */
#include "tier_by_spend/programme_arguments.h"

#include "money/decimal_numeric.h"
#include "shared/compat.h"
#include "shared/duration.h"

/*
 * A length of time, in which months and days go by the clock; infinity is 22008,
 * a part below 0, and 0 unless it is allowed, 22023.
 */
const Interval *
length_argument(Datum value, const char *argument, bool zero_allowed)
{
	const Interval *length = DatumGetIntervalP(value);

	if (interval_is_infinite(length))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must be a length of time, not \"%s\"", argument, duration_text(length)),
				 errhint("Give a long time, such as '1000 years'.")));
	if (length->month < 0 || length->day < 0 || length->time < 0 || (length_is_zero(length) && !zero_allowed))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be %s0, with no part below, not \"%s\"", argument,
						zero_allowed ? "at least " : "above ", duration_text(length)),
				 errhint("Give a length of time such as '1 year', '6 months' or '90 days'.")));
	return length;
}

Zone *
zone_argument(Datum value)
{
	text	   *name = DatumGetTextPP(value);

	return zone_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

Datum
numeric_of(const Decimal *d)
{
	DecimalPool pool = {.context = CurrentMemoryContext};

	return numeric_from_packed(decimal_pack(d, &pool), &pool);
}
