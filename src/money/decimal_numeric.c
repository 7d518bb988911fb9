/*
 * decimal_numeric.c
 *	  The slow path of numeric_read, and the error of a sum that is out of range.
 */
#include "money/decimal_numeric.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

/* The general case of numeric_read. */
int64
numeric_read_slow(Datum value, const char *argument, DecimalPool *pool)
{
	struct varlena *numeric = PG_DETOAST_DATUM_PACKED(value);
	int64		packed;
	Decimal		d;
	char	   *text;

	switch (decimal_from_numeric((const uint8 *) VARDATA_ANY(numeric),
								 VARSIZE_ANY_EXHDR(numeric), &d))
	{
		case DECIMAL_OK:
			if (!decimal_fits_packed(&d, &packed))
				packed = decimal_pool_put(pool, &d);
			break;
		case DECIMAL_NAN:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s must be a number, not \"NaN\"", argument),
					 errhint("Exclude such rows, for example with FILTER (WHERE %s <> 'NaN').", argument)));
			break;
		case DECIMAL_INFINITE:
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s must be finite, not \"%s\"", argument,
							DatumGetCString(DirectFunctionCall1(numeric_out, value))),
					 errhint("Exclude such rows, for example with FILTER (WHERE abs(%s) < 'infinity').", argument)));
			break;
		case DECIMAL_OUT_OF_RANGE:
			text = DatumGetCString(DirectFunctionCall1(numeric_out, value));
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s \"%.60s%s\" is out of range", argument, text,
							strlen(text) > 60 ? "..." : ""),
					 errdetail("At most %d digits before the decimal point and %d after it are kept exactly.",
							   DECIMAL_MAX_DIGITS, DECIMAL_MAX_SCALE),
					 errhint("Round it first, for example with round(%s, 10), or exclude it if it is a mistake.", argument)));
			break;
	}
	if ((Pointer) numeric != DatumGetPointer(value))
		pfree(numeric);
	return packed;
}

/* A new numeric from a packed decimal. */
Datum
numeric_from_packed(int64 packed, const DecimalPool *pool)
{
	NumericBuffer *buffer = palloc(sizeof(NumericBuffer));

	return numeric_in_buffer(packed, pool, buffer);
}

/* Raises the error for a sum that no decimal holds. */
void
decimal_sum_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("sum of amounts is out of range")));
}
