/*
 * decimal_total.c
 *	  Exact sums of products.
 */
#include "money/decimal_total.h"

/* Larger shifts than this go to far. */
#define SHIFT_MAX 18

static const int64 power10[SHIFT_MAX + 1] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	INT64CONST(10000000000), INT64CONST(100000000000), INT64CONST(1000000000000),
	INT64CONST(10000000000000), INT64CONST(100000000000000),
	INT64CONST(1000000000000000), INT64CONST(10000000000000000),
	INT64CONST(100000000000000000), INT64CONST(1000000000000000000)
};

static Decimal
decimal_of_near(int128 near, int scale)
{
	Decimal		d;

	for (int i = 0; i < DECIMAL_WORDS; i++)
	{
		d.word[i] = (uint32) near;
		near >>= 32;
	}
	d.scale = scale;
	return d;
}

static bool
add_far(DecimalTotal *total, const Decimal *term)
{
	if (total->has_far)
		return decimal_add(&total->far, term);
	total->far = *term;
	total->has_far = true;
	return true;
}

/* Brings near to the scale, or empties it if that is impossible. */
static bool
raise_near(DecimalTotal *total, int scale)
{
	int			shift = scale - total->scale;
	int128		near;

	if (shift <= SHIFT_MAX &&
		!__builtin_mul_overflow(total->near, (int128) power10[shift], &near))
		total->near = near;
	else
	{
		Decimal		d = decimal_of_near(total->near, total->scale);

		if (!add_far(total, &d))
			return false;
		total->near = 0;
	}
	total->scale = scale;
	return true;
}

static bool
add_near(DecimalTotal *total, int128 term, int scale)
{
	Decimal		d;

	if (scale > total->scale && !raise_near(total, scale))
		return false;
	if (scale < total->scale)
	{
		int128		shifted;

		if (total->scale - scale > SHIFT_MAX ||
			__builtin_mul_overflow(term, (int128) power10[total->scale - scale], &shifted))
		{
			d = decimal_of_near(term, scale);
			return add_far(total, &d);
		}
		term = shifted;
	}
	if (likely(!__builtin_add_overflow(total->near, term, &total->near)))
		return true;

	/* The sum has wrapped around: take the term out again. */
	total->near = (int128) ((uint128) total->near - (uint128) term);
	d = decimal_of_near(total->near, total->scale);
	total->near = term;
	return add_far(total, &d);
}

/*
 * total += sign * a * b, where sign is 1 or -1 and the factors are packed, each
 * with its pool; false if 256 bits do not hold the sum.
 */
bool
decimal_total_add(DecimalTotal *total, int sign,
				  int64 a, const DecimalPool *a_pool, int64 b, const DecimalPool *b_pool)
{
	Decimal		product;
	Decimal		factor;

	if (likely(!decimal_is_pooled(a) && !decimal_is_pooled(b)))
		return add_near(total, (int128) (a >> 8) * ((b >> 8) * sign),
						(int) (a & 0xFF) + (int) (b & 0xFF));

	product = decimal_unpack(a, a_pool);
	factor = decimal_unpack(b, b_pool);
	if (!decimal_multiply(&product, &factor))
		return false;
	factor = decimal_of_near(sign, 0);
	return decimal_multiply(&product, &factor) && add_far(total, &product);
}

/* total += other; false if 256 bits do not hold the sum. */
bool
decimal_total_merge(DecimalTotal *total, const DecimalTotal *other)
{
	return add_near(total, other->near, other->scale) &&
		(!other->has_far || add_far(total, &other->far));
}

/* The sum as one decimal; false if 256 bits do not hold it. */
bool
decimal_total_get(const DecimalTotal *total, Decimal *sum)
{
	*sum = decimal_of_near(total->near, total->scale);
	return !total->has_far || decimal_add(sum, &total->far);
}
