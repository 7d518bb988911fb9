/*
 * history_amount.h
 *	  Amounts of money in stored events: a byte with the scale and a flag whose
 *	  meaning the layout gives, then the mantissa (docs/storage-format.md).
 */
#ifndef CUSTMART_HISTORY_AMOUNT_H
#define CUSTMART_HISTORY_AMOUNT_H

#include "shared/bytes.h"
#include "money/decimal.h"

#define AMOUNT_SCALE 0x1F
#define AMOUNT_IS_WIDE 0x1F		/* in place of a scale: 33 bytes follow */
#define AMOUNT_FLAG 0x80

/* The most bytes that an amount takes. */
#define AMOUNT_SIZE_MAX (1 + DECIMAL_STORED_SIZE)

static inline Size
amount_size(int64 packed)
{
	return decimal_is_pooled(packed) ? AMOUNT_SIZE_MAX : 1 + varint_size(zigzag(packed >> 8));
}

static inline uint8 *
amount_store(int64 packed, bool flag, const DecimalPool *pool, uint8 *bytes)
{
	uint8		head = flag ? AMOUNT_FLAG : 0;

	if (unlikely(decimal_is_pooled(packed)))
	{
		*bytes++ = head | AMOUNT_IS_WIDE;
		decimal_store(&pool->item[packed >> 8], bytes);
		return bytes + DECIMAL_STORED_SIZE;
	}
	*bytes++ = head | (uint8) (packed & 0xFF);
	return store_varint(bytes, zigzag(packed >> 8));
}

/* Reads a checked amount, a wide one into the pool; the bytes go on to `end` at least. */
static inline const uint8 *
amount_load(const uint8 *bytes, const uint8 *end, DecimalPool *pool, int64 *packed, bool *flag)
{
	uint8		head = *bytes++;
	uint64		number;

	*flag = (head & AMOUNT_FLAG) != 0;
	if (unlikely((head & AMOUNT_SCALE) == AMOUNT_IS_WIDE))
	{
		Decimal		wide;

		(void) decimal_check_and_load(bytes, &wide);
		*packed = decimal_pool_put(pool, &wide);
		return bytes + DECIMAL_STORED_SIZE;
	}
	bytes = load_varint_before(bytes, end, &number);
	*packed = decimal_pack_small(unzigzag(number), head & AMOUNT_SCALE);
	return bytes;
}

/* Behind a checked amount. */
static inline const uint8 *
amount_end(const uint8 *bytes)
{
	return (*bytes & AMOUNT_SCALE) == AMOUNT_IS_WIDE ? bytes + AMOUNT_SIZE_MAX : skip_varint(bytes + 1);
}

/* Checks an amount from outside and goes behind it; returns what is wrong, or NULL. */
static pg_attribute_always_inline const char *
amount_check(const uint8 **bytes, const uint8 *end, bool *flag, int *sign)
{
	uint8		head;

	if (*bytes == end)
		return "an amount is truncated";
	head = *(*bytes)++;
	*flag = (head & AMOUNT_FLAG) != 0;
	if ((head & ~AMOUNT_FLAG & ~AMOUNT_SCALE) != 0)
		return "its reserved bits are not zero";
	if ((head & AMOUNT_SCALE) == AMOUNT_IS_WIDE)
	{
		const char *wrong;
		Decimal		wide;

		if (end - *bytes < DECIMAL_STORED_SIZE)
			return "an amount is truncated";
		if ((wrong = decimal_check_and_load(*bytes, &wide)) != NULL)
			return wrong;
		*bytes += DECIMAL_STORED_SIZE;
		*sign = decimal_sign(&wide);
	}
	else
	{
		uint64		number;
		int64		mantissa;

		if ((head & AMOUNT_SCALE) > DECIMAL_MAX_SCALE)
			return "an amount has too large a scale";
		if (!check_varint(bytes, end, &number))
			return "an amount is not valid";
		mantissa = unzigzag(number);
		if (mantissa > DECIMAL_PACKED_MAX || mantissa < DECIMAL_PACKED_MIN)
			return "an amount is not valid";
		*sign = (mantissa > 0) - (mantissa < 0);
	}
	return NULL;
}

#endif							/* CUSTMART_HISTORY_AMOUNT_H */
