/*
 * decimal_numeric.h
 *	  Converts PostgreSQL's numeric to decimals and back, in place.
 *
 * A numeric argument is read from its stored bytes without a copy: with a
 * short header, as from a table, or a long one.  (Text, and numeric's own
 * functions, would allocate for every row.)
 */
#ifndef CUSTMART_DECIMAL_NUMERIC_H
#define CUSTMART_DECIMAL_NUMERIC_H

#include "custmart.h"

#include "shared/compat.h"
#include "money/decimal.h"

/* Room for a numeric built in place, aligned for a varlena. */
typedef union NumericBuffer
{
	int32		align;
	char		bytes[VARHDRSZ + DECIMAL_NUMERIC_SIZE];
} NumericBuffer;

extern int64 numeric_read_slow(Datum value, const char *argument, DecimalPool *pool);
extern Datum numeric_from_packed(int64 packed, const DecimalPool *pool);
pg_noreturn extern void decimal_sum_error(void);

/*
 * Reads a numeric argument as a packed decimal, into the pool if it is wide.
 * NaN, infinities and numbers that a decimal cannot hold are errors (22003) that
 * name the argument.
 */
static inline int64
numeric_read(Datum value, const char *argument, DecimalPool *pool)
{
	const char *p = DatumGetPointer(value);
	int64		packed;

	if (likely(VARATT_IS_1B(p) ? !VARATT_IS_1B_E(p) : VARATT_IS_4B_U(p)) &&
		likely(decimal_packed_from_numeric((const uint8 *) VARDATA_ANY(p), VARSIZE_ANY_EXHDR(p), &packed)))
		return packed;
	return numeric_read_slow(value, argument, pool);
}

/* Writes a packed decimal as a numeric into the buffer. */
static inline Datum
numeric_in_buffer(int64 packed, const DecimalPool *pool, NumericBuffer *buffer)
{
	Size		size = decimal_packed_to_numeric(packed, pool, (uint8 *) VARDATA(buffer->bytes));

	SET_VARSIZE(buffer->bytes, VARHDRSZ + size);
	return PointerGetDatum(buffer->bytes);
}

#endif							/* CUSTMART_DECIMAL_NUMERIC_H */
