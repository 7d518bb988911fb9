/*
 * decimal.h
 *	  Exact sums of money.
 *
 * A decimal is mantissa * 10^-scale; the scale is what PostgreSQL calls the
 * display scale: a sum has the largest scale among its terms, as in
 * sum(numeric).  Amounts may have DECIMAL_MAX_DIGITS digits before the point and
 * DECIMAL_MAX_SCALE after it.  The mantissa has 256 bits, so 2^33 such amounts
 * with any mixture of scales cannot overflow it:
 * 10^(38+28) * 2^33 < 8.6e75 < 2^255.  That is why a sum never depends on the
 * order of its terms, not even in whether it is an error.
 *
 * Nearly all sums need far less, so the usual form is *packed*: one int64 with
 * the mantissa in the upper 56 bits and the scale in the lower 8.  Adding two
 * packed decimals of one scale is one machine addition.  A packed decimal whose
 * low byte is DECIMAL_IN_POOL instead holds, in its upper bits, the position of
 * a wide decimal in a DecimalPool.  In stored bytes a sum is packed if and only
 * if it fits, so equal sums of one scale have equal bytes.
 */
#ifndef CUSTMART_DECIMAL_H
#define CUSTMART_DECIMAL_H

#include "shared/core.h"

#define DECIMAL_MAX_DIGITS	38	/* before the point, of one amount */
#define DECIMAL_MAX_SCALE	28	/* after the point */
#define DECIMAL_WORDS		8
#define DECIMAL_STORED_SIZE 33	/* scale, 32 bytes two's complement */
#define DECIMAL_TEXT_SIZE	88	/* sign, 77 digits, point, leading zeros, NUL */
#define DECIMAL_NUMERIC_SIZE 64 /* header and digits of the largest numeric */

typedef struct Decimal
{
	uint32		word[DECIMAL_WORDS];	/* two's complement, lowest first */
	int32		scale;
} Decimal;

#define DECIMAL_IN_POOL 0xFF
#define DECIMAL_PACKED_MAX ((INT64CONST(1) << 55) - 1)
#define DECIMAL_PACKED_MIN (-(INT64CONST(1) << 55))

typedef struct DecimalPool
{
	MemoryContext context;
	Decimal    *item;
	uint32		count;
	uint32		capacity;
} DecimalPool;

typedef enum DecimalStatus
{
	DECIMAL_OK,
	DECIMAL_NAN,
	DECIMAL_INFINITE,
	DECIMAL_OUT_OF_RANGE
} DecimalStatus;

static inline int64
decimal_pack_small(int64 mantissa, int scale)
{
	return (int64) ((uint64) mantissa << 8) | scale;
}

static inline bool
decimal_is_pooled(int64 packed)
{
	return (packed & 0xFF) == DECIMAL_IN_POOL;
}

/* Whether a number that is not in a pool has no zeros at its end, after the point; those that are said not to may have none. */
static inline bool
decimal_packed_is_normal(int64 packed)
{
	return !decimal_is_pooled(packed) && (packed >> 8) % 10 != 0;
}

extern Decimal decimal_unpack(int64 packed, const DecimalPool *pool);
extern bool decimal_fits_packed(const Decimal *d, int64 *packed);
extern bool decimal_add(Decimal *sum, const Decimal *d);
extern bool decimal_subtract(Decimal *sum, const Decimal *d);
extern bool decimal_multiply(Decimal *product, const Decimal *factor);
extern bool decimal_set_scale(Decimal *d, int scale);
extern int	decimal_sign(const Decimal *d);
extern int	decimal_compare(const Decimal *a, const Decimal *b);
extern float8 decimal_to_double(const Decimal *d);
extern float8 decimal_packed_to_double(int64 packed, const DecimalPool *pool);
extern float8 decimal_packed_mean(int64 packed, const DecimalPool *pool, uint32 n);

extern int64 decimal_from_int64(int64 number, DecimalPool *pool);
extern int	decimal_packed_compare(int64 a, int64 b, const DecimalPool *pool);
extern float8 decimal_packed_difference(int64 a, int64 b, const DecimalPool *pool);
extern int64 decimal_pool_put(DecimalPool *pool, const Decimal *d);
extern void decimal_pool_clear(DecimalPool *pool);
extern void decimal_pool_load(DecimalPool *pool, const uint8 *bytes, uint32 count);
extern uint8 *decimal_pool_store(const DecimalPool *pool, uint8 *bytes);
extern int64 decimal_pack(const Decimal *d, DecimalPool *pool);
extern int64 decimal_repack(int64 packed, const DecimalPool *pool);
extern int64 decimal_normalize(int64 packed, DecimalPool *pool);
extern bool decimal_add_slow(int64 *sum, DecimalPool *sum_pool,
							 int64 amount, const DecimalPool *amount_pool);

extern DecimalStatus decimal_from_numeric(const uint8 *numeric, Size length, Decimal *d);
extern Size decimal_to_numeric(const Decimal *d, uint8 *numeric);
extern Size decimal_packed_to_numeric(int64 packed, const DecimalPool *pool, uint8 *numeric);

extern int	decimal_to_text(const Decimal *d, char *text);
extern bool decimal_from_text(const char *text, Size length, Decimal *d);

extern void decimal_store(const Decimal *d, uint8 *bytes);
extern const char *decimal_check_and_load(const uint8 *bytes, Decimal *d);
extern const char *decimal_check_packed(int64 packed, uint32 pool_count);

/* Scale and sign of a packed decimal, wide or not. */
static inline int
decimal_packed_scale(int64 packed, const DecimalPool *pool)
{
	return decimal_is_pooled(packed) ? pool->item[packed >> 8].scale : (int) (packed & 0xFF);
}

static inline bool
decimal_packed_is_positive(int64 packed, const DecimalPool *pool)
{
	return decimal_is_pooled(packed) ? decimal_sign(&pool->item[packed >> 8]) > 0 : packed >> 8 > 0;
}

/*
 * Adds a packed amount to a packed sum, each with its pool.  False if the
 * sum does not fit into 256 bits (only forged stored bytes get that far).
 */
static inline bool
decimal_add_packed(int64 *sum, DecimalPool *sum_pool,
				   int64 amount, const DecimalPool *amount_pool)
{
	if (likely(((*sum ^ amount) & 0xFF) == 0 && !decimal_is_pooled(amount)))
	{
		int64		result;

		if (likely(!pg_add_s64_overflow(*sum, amount & ~INT64CONST(0xFF), &result)))
		{
			*sum = result;
			return true;
		}
	}
	return decimal_add_slow(sum, sum_pool, amount, amount_pool);
}

/*
 * Reads the common short forms of a numeric (at most 16 decimal digits) from
 * its stored bytes; false if it needs decimal_from_numeric.  The format is
 * that of PostgreSQL's numeric.c, unchanged since 9.1 and kept by pg_upgrade: a header word
 * (short form: 0x8000, sign 0x2000, scale 0x1F80, weight 0x007F signed), then
 * base-10000 digits, most significant first.
 */
static inline bool
decimal_packed_from_numeric(const uint8 *numeric, Size length, int64 *packed)
{
	static const int64 power10[] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
		INT64CONST(1000000000), INT64CONST(10000000000),
		INT64CONST(100000000000), INT64CONST(1000000000000)
	};
	uint16		header;
	int			scale;
	int			weight;
	int			ndigits;
	int			exponent;
	int64		m = 0;

	if (unlikely(length < 2 || length > 10))
		return false;
	memcpy(&header, numeric, 2);
	if (unlikely((header & 0xC000) != 0x8000))
		return false;

	scale = (header & 0x1F80) >> 7;
	weight = (int) ((header & 0x7F) ^ 0x40) - 0x40;
	ndigits = (int) (length - 2) / 2;
	for (int i = 0; i < ndigits; i++)
	{
		int16		digit;

		memcpy(&digit, numeric + 2 + 2 * i, 2);
		m = m * 10000 + digit;
	}
	if (ndigits == 0)
		exponent = 0;
	else
		exponent = 4 * (weight + 1 - ndigits) + scale;

	if (unlikely(scale > DECIMAL_MAX_SCALE || exponent < -3 || exponent > 12))
		return false;
	switch (exponent)
	{
		case 0:
			break;
		case -1:
			m /= 10;
			break;
		case -2:
			m /= 100;
			break;
		case -3:
			m /= 1000;
			break;
		default:
			if (pg_mul_s64_overflow(m, power10[exponent], &m))
				return false;
	}
	if (unlikely(m > DECIMAL_PACKED_MAX))
		return false;
	*packed = decimal_pack_small((header & 0x2000) ? -m : m, scale);
	return true;
}

#endif							/* CUSTMART_DECIMAL_H */
