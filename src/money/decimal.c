/*
 * decimal.c
 *	  Exact sums of money: the wide form and all conversions.
 */
#include "money/decimal.h"

#include <math.h>
#include <stdlib.h>

#include "shared/bytes.h"
#include "shared/growing_array.h"

/* Header bits of a numeric as PostgreSQL's numeric.c stores it. */
#define NUMERIC_FLAGS		0xC000
#define NUMERIC_SHORT_FORM	0x8000
#define NUMERIC_SPECIAL		0xC000
#define NUMERIC_NOT_A_NUMBER 0xC000

#define NBASE 10000

static const uint32 power10_u32[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000
};

/*
 * Exactly representable powers of ten: a mantissa below 2^53 divided by one of
 * them is rounded once, so it equals the cast of the numeric to float8.
 */
static const float8 power10_exact[] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
};

static bool
is_negative(const Decimal *d)
{
	return (d->word[DECIMAL_WORDS - 1] & 0x80000000u) != 0;
}

static bool
is_zero(const Decimal *d)
{
	for (int i = 0; i < DECIMAL_WORDS; i++)
		if (d->word[i] != 0)
			return false;
	return true;
}

static void
negate(Decimal *d)
{
	uint64		carry = 1;

	for (int i = 0; i < DECIMAL_WORDS; i++)
	{
		carry += (uint32) ~d->word[i];
		d->word[i] = (uint32) carry;
		carry >>= 32;
	}
}

/* True for -2^255, which is not a decimal, because its magnitude does not fit. */
static bool
has_no_magnitude(const Decimal *d)
{
	Decimal		m = *d;

	negate(&m);
	return is_negative(d) && is_negative(&m);
}

/* Multiplies a magnitude and adds; false if it no longer fits 255 bits. */
static bool
multiply_add(Decimal *d, uint32 factor, uint32 addend)
{
	uint64		carry = addend;

	for (int i = 0; i < DECIMAL_WORDS; i++)
	{
		carry += (uint64) d->word[i] * factor;
		d->word[i] = (uint32) carry;
		carry >>= 32;
	}
	return carry == 0 && !is_negative(d);
}

/* Divides a magnitude; returns the remainder. */
static uint32
divide(Decimal *d, uint32 divisor)
{
	uint64		rest = 0;

	for (int i = DECIMAL_WORDS - 1; i >= 0; i--)
	{
		rest = rest << 32 | d->word[i];
		d->word[i] = (uint32) (rest / divisor);
		rest %= divisor;
	}
	return (uint32) rest;
}

/* Multiplies a magnitude by a power of ten. */
static bool
shift_up(Decimal *d, int digits)
{
	while (digits > 0)
	{
		int			step = Min(digits, 9);

		if (!multiply_add(d, power10_u32[step], 0))
			return false;
		digits -= step;
	}
	return true;
}

static bool
raise_scale(Decimal *d, int scale)
{
	bool		negative = is_negative(d);
	bool		fits;

	if (negative)
		negate(d);
	fits = shift_up(d, scale - d->scale);
	if (negative)
		negate(d);
	d->scale = scale;
	return fits;
}

static Decimal
from_int64(int64 mantissa, int scale)
{
	Decimal		d;
	uint32		sign = mantissa < 0 ? 0xFFFFFFFFu : 0;

	d.word[0] = (uint32) mantissa;
	d.word[1] = (uint32) ((uint64) mantissa >> 32);
	for (int i = 2; i < DECIMAL_WORDS; i++)
		d.word[i] = sign;
	d.scale = scale;
	return d;
}

/* The decimal that a packed form stands for. */
Decimal
decimal_unpack(int64 packed, const DecimalPool *pool)
{
	if (decimal_is_pooled(packed))
	{
		Assert(pool != NULL && (packed >> 8) < pool->count);
		return pool->item[packed >> 8];
	}
	return from_int64(packed >> 8, (int) (packed & 0xFF));
}

/* True, with the packed form, if the mantissa has at most 56 bits. */
bool
decimal_fits_packed(const Decimal *d, int64 *packed)
{
	int64		low = (int64) ((uint64) d->word[1] << 32 | d->word[0]);
	uint32		sign = low < 0 ? 0xFFFFFFFFu : 0;

	for (int i = 2; i < DECIMAL_WORDS; i++)
		if (d->word[i] != sign)
			return false;
	if (low < DECIMAL_PACKED_MIN || low > DECIMAL_PACKED_MAX)
		return false;
	*packed = decimal_pack_small(low, d->scale);
	return true;
}

/* sum += d, at the larger scale; false if 256 bits do not hold the result. */
bool
decimal_add(Decimal *sum, const Decimal *d)
{
	Decimal		a = *sum;
	Decimal		b = *d;
	uint64		carry = 0;
	bool		a_negative;

	if (a.scale < b.scale && !raise_scale(&a, b.scale))
		return false;
	if (b.scale < a.scale && !raise_scale(&b, a.scale))
		return false;

	a_negative = is_negative(&a);
	for (int i = 0; i < DECIMAL_WORDS; i++)
	{
		carry += (uint64) a.word[i] + b.word[i];
		a.word[i] = (uint32) carry;
		carry >>= 32;
	}
	if (a_negative == is_negative(&b) && (a_negative != is_negative(&a) || has_no_magnitude(&a)))
		return false;
	*sum = a;
	return true;
}

/* sum -= d, at the larger scale; false if 256 bits do not hold the result. */
bool
decimal_subtract(Decimal *sum, const Decimal *d)
{
	Decimal		negative = *d;

	negate(&negative);
	return decimal_add(sum, &negative);
}

/*
 * product *= factor, the scales adding up; false if 256 bits do not hold the
 * result.
 */
bool
decimal_multiply(Decimal *product, const Decimal *factor)
{
	bool		negative = is_negative(product) != is_negative(factor);
	Decimal		a = *product;
	Decimal		b = *factor;
	uint32		word[2 * DECIMAL_WORDS] = {0};

	if (is_negative(&a))
		negate(&a);
	if (is_negative(&b))
		negate(&b);
	for (int i = 0; i < DECIMAL_WORDS; i++)
	{
		uint64		carry = 0;

		for (int j = 0; j < DECIMAL_WORDS; j++)
		{
			carry += (uint64) a.word[i] * b.word[j] + word[i + j];
			word[i + j] = (uint32) carry;
			carry >>= 32;
		}
		word[i + DECIMAL_WORDS] = (uint32) carry;
	}
	for (int i = DECIMAL_WORDS; i < 2 * DECIMAL_WORDS; i++)
		if (word[i] != 0)
			return false;
	memcpy(a.word, word, sizeof(a.word));
	if (is_negative(&a))
		return false;
	if (negative)
		negate(&a);
	a.scale = product->scale + factor->scale;
	*product = a;
	return true;
}

/*
 * Gives a decimal the scale or, if it has more decimals that are not zero, the
 * smallest scale that keeps them; false if 256 bits do not hold the result.
 */
bool
decimal_set_scale(Decimal *d, int scale)
{
	bool		negative = is_negative(d);

	if (d->scale < scale)
		return raise_scale(d, scale);
	if (negative)
		negate(d);
	while (d->scale > scale)
	{
		Decimal		shorter = *d;

		if (divide(&shorter, 10) != 0)
			break;
		shorter.scale--;
		*d = shorter;
	}
	if (negative)
		negate(d);
	return true;
}

/* -1, 0 or 1. */
int
decimal_sign(const Decimal *d)
{
	return is_negative(d) ? -1 : is_zero(d) ? 0 : 1;
}

/*
 * Orders two decimals by value: -1, 0 or 1.  Different scales are compared by
 * subtracting, which cannot overflow for sums of amounts.
 */
int
decimal_compare(const Decimal *a, const Decimal *b)
{
	Decimal		difference = *a;

	if (!decimal_subtract(&difference, b))
		return decimal_sign(a) - decimal_sign(b) >= 0 ? 1 : -1;
	return decimal_sign(&difference);
}

/* True if mantissa and power of ten are float8s, so that one division rounds once. */
static inline bool
is_exact_double(int64 packed)
{
	int64		m = packed >> 8;

	return (packed & 0xFF) <= 22 && m < (INT64CONST(1) << 53) && m > -(INT64CONST(1) << 53);
}

/* The nearest float8, equal to the cast of the numeric. */
float8
decimal_to_double(const Decimal *d)
{
	int64		packed;
	char		text[DECIMAL_TEXT_SIZE];

	if (decimal_fits_packed(d, &packed) && is_exact_double(packed))
		return (float8) (packed >> 8) / power10_exact[d->scale];
	decimal_to_text(d, text);
	return strtod(text, NULL);
}

/* decimal_to_double of a packed form. */
float8
decimal_packed_to_double(int64 packed, const DecimalPool *pool)
{
	Decimal		d;

	if (likely(is_exact_double(packed)))
		return (float8) (packed >> 8) / power10_exact[packed & 0xFF];
	d = decimal_unpack(packed, pool);
	return decimal_to_double(&d);
}

/*
 * Digits after the point that decide how a mean rounds.  A mean of at least
 * 10^-DECIMAL_MAX_SCALE / 2^32 has its last bit at 2^-177 or above, so the points
 * halfway between two float8s end within 178 digits.
 */
#define MEAN_DIGITS 180

/* A text of digits divided by n, to MEAN_DIGITS after the point and a 1 behind them if there is more. */
static float8
divide_text(const char *text, uint32 n)
{
	char		quotient[DECIMAL_TEXT_SIZE + MEAN_DIGITS + 2];
	char	   *to = quotient;
	uint64		rest = 0;
	int			digits = -1;	/* after the point; -1 before it */

	if (*text == '-')
		*to++ = *text++;
	while (digits < MEAN_DIGITS)
	{
		if (*text == '.' || (*text == '\0' && digits < 0))
		{
			text += *text == '.';
			*to++ = '.';
			digits = 0;
			continue;
		}
		rest = rest * 10 + (*text != '\0' ? (uint64) (*text++ - '0') : 0);
		*to++ = (char) ('0' + rest / n);
		rest %= n;
		digits += digits >= 0;
	}
	if (rest != 0)
		*to++ = '1';
	*to = '\0';
	return strtod(quotient, NULL);
}

/*
 * The nearest float8 to a packed decimal divided by n > 0.  It is rounded once, so
 * that equal means are equal, of whatever sums: 10.01 / 7 and 30.03 / 21.
 */
float8
decimal_packed_mean(int64 packed, const DecimalPool *pool, uint32 n)
{
	Decimal		d;
	char		text[DECIMAL_TEXT_SIZE];

	Assert(n > 0);
	if (likely(is_exact_double(packed)))
	{
		float8		divisor = power10_exact[packed & 0xFF] * n;

		if (likely(divisor < 9007199254740992.0))	/* 2^53: it was not rounded */
			return (float8) (packed >> 8) / divisor;
	}
	d = decimal_unpack(packed, pool);
	decimal_to_text(&d, text);
	return divide_text(text, n);
}

/* An integer as a packed decimal. */
int64
decimal_from_int64(int64 number, DecimalPool *pool)
{
	Decimal		d = from_int64(number, 0);

	return decimal_pack(&d, pool);
}

/*
 * The difference of two packed decimals times 10^scale, where scale is the larger
 * of theirs; false if the difference needs the wide form.
 */
static inline bool
subtract_packed(int64 a, int64 b, int128 *difference, int *scale)
{
	int			shift = (int) (a & 0xFF) - (int) (b & 0xFF);

	if (decimal_is_pooled(a) || decimal_is_pooled(b) || shift < -9 || shift > 9)
		return false;
	*difference = (int128) (a >> 8) * (shift < 0 ? power10_u32[-shift] : 1) -
		(int128) (b >> 8) * (shift > 0 ? power10_u32[shift] : 1);
	*scale = (int) (shift < 0 ? b & 0xFF : a & 0xFF);
	return true;
}

/* decimal_compare of two packed forms with one pool. */
int
decimal_packed_compare(int64 a, int64 b, const DecimalPool *pool)
{
	Decimal		x;
	Decimal		y;
	int128		difference;
	int			scale;

	if (likely(((a ^ b) & 0xFF) == 0 && !decimal_is_pooled(a)))
		return (a > b) - (a < b);
	if (subtract_packed(a, b, &difference, &scale))
		return (difference > 0) - (difference < 0);
	x = decimal_unpack(a, pool);
	y = decimal_unpack(b, pool);
	return decimal_compare(&x, &y);
}

/* The float8 nearest to a - b, both with one pool: subtracted, then rounded. */
float8
decimal_packed_difference(int64 a, int64 b, const DecimalPool *pool)
{
	Decimal		x;
	Decimal		y;
	int128		difference;
	int			scale;

	if (subtract_packed(a, b, &difference, &scale) && scale <= 22 &&
		difference < (INT64CONST(1) << 53) && difference > -(INT64CONST(1) << 53))
		return (float8) (int64) difference / power10_exact[scale];
	x = decimal_unpack(a, pool);
	y = decimal_unpack(b, pool);
	(void) decimal_subtract(&x, &y);	/* fits, if they are amounts */
	return decimal_to_double(&x);
}

/* Keeps a wide decimal in the pool; returns the packed form that names it. */
int64
decimal_pool_put(DecimalPool *pool, const Decimal *d)
{
	if (pool->count == pool->capacity)
	{
		Size		capacity = pool->capacity;

		pool->item = array_grow(pool->item, &capacity, capacity + 1, sizeof(Decimal), pool->context);
		Assert(capacity <= UINT32_MAX);	/* 80 GB; positions have 56 bits */
		pool->capacity = (uint32) capacity;
	}
	pool->item[pool->count] = *d;
	return (int64) pool->count++ << 8 | DECIMAL_IN_POOL;
}

/* Makes a pool empty and gives back its memory. */
void
decimal_pool_clear(DecimalPool *pool)
{
	if (pool->item != NULL)
		pfree(pool->item);
	*pool = (DecimalPool) {.context = pool->context};
}

/* Adds stored decimals, which were checked. */
void
decimal_pool_load(DecimalPool *pool, const uint8 *bytes, uint32 count)
{
	for (uint32 i = 0; i < count; i++, bytes += DECIMAL_STORED_SIZE)
	{
		Decimal		d;

		check_interrupts(i);
		(void) decimal_check_and_load(bytes, &d);
		(void) decimal_pool_put(pool, &d);
	}
}

/* Stores how many decimals there are (4 bytes) and the decimals; returns the end. */
uint8 *
decimal_pool_store(const DecimalPool *pool, uint8 *bytes)
{
	bytes = store_u32(bytes, pool->count);
	for (uint32 i = 0; i < pool->count; i++, bytes += DECIMAL_STORED_SIZE)
	{
		check_interrupts(i);
		decimal_store(&pool->item[i], bytes);
	}
	return bytes;
}

/* The packed form, in the pool if necessary. */
int64
decimal_pack(const Decimal *d, DecimalPool *pool)
{
	int64		packed;

	return decimal_fits_packed(d, &packed) ? packed : decimal_pool_put(pool, d);
}

/* The packed form that does not need the pool, if there is one. */
int64
decimal_repack(int64 packed, const DecimalPool *pool)
{
	if (decimal_is_pooled(packed))
		(void) decimal_fits_packed(&pool->item[packed >> 8], &packed);
	return packed;
}

/* The same number without trailing zeros after the point. */
int64
decimal_normalize(int64 packed, DecimalPool *pool)
{
	Decimal		d;

	if (likely(!decimal_is_pooled(packed)))
	{
		int64		mantissa = packed >> 8;
		int			scale = (int) (packed & 0xFF);

		while (scale > 0 && mantissa % 10 == 0)
		{
			mantissa /= 10;
			scale--;
		}
		return decimal_pack_small(mantissa, scale);
	}
	d = pool->item[packed >> 8];
	(void) decimal_set_scale(&d, 0);
	return decimal_pack(&d, pool);
}

/*
 * The general case of decimal_add_packed: different scales, or a sum that needs
 * more than 56 bits or did so before.
 */
bool
decimal_add_slow(int64 *sum, DecimalPool *sum_pool,
				 int64 amount, const DecimalPool *amount_pool)
{
	Decimal		total = decimal_unpack(*sum, sum_pool);
	Decimal		term = decimal_unpack(amount, amount_pool);
	int64		packed;

	if (!decimal_add(&total, &term))
		return false;
	if (decimal_is_pooled(*sum))
		sum_pool->item[*sum >> 8] = total;	/* stays wide: otherwise a sum that
											 * crosses the border often would
											 * fill the pool */
	else if (decimal_fits_packed(&total, &packed))
		*sum = packed;
	else
		*sum = decimal_pool_put(sum_pool, &total);
	return true;
}

/*
 * Reads a numeric from its stored bytes (those after the varlena header).  The
 * format is described at decimal_packed_from_numeric; the long form has the sign in
 * the two flag bits, the scale in the other 14, and a word for the weight.
 */
DecimalStatus
decimal_from_numeric(const uint8 *numeric, Size length, Decimal *d)
{
	uint16		header;
	bool		negative;
	int			scale;
	int			weight;
	int			ndigits;
	int			exponent;
	const uint8 *digits;
	int16		first = 0;

	if (length < 2)
		return DECIMAL_OUT_OF_RANGE;
	memcpy(&header, numeric, 2);
	if ((header & NUMERIC_FLAGS) == NUMERIC_SPECIAL)
		return (header & 0xF000) == NUMERIC_NOT_A_NUMBER ? DECIMAL_NAN : DECIMAL_INFINITE;

	if (header & NUMERIC_SHORT_FORM)
	{
		negative = (header & 0x2000) != 0;
		scale = (header & 0x1F80) >> 7;
		weight = (int) ((header & 0x7F) ^ 0x40) - 0x40;
		digits = numeric + 2;
	}
	else
	{
		int16		long_weight;

		if (length < 4)
			return DECIMAL_OUT_OF_RANGE;
		memcpy(&long_weight, numeric + 2, 2);
		negative = (header & 0x4000) != 0;
		scale = header & 0x3FFF;
		weight = long_weight;
		digits = numeric + 4;
	}
	ndigits = (int) ((length - (digits - numeric)) / 2);

	if (scale > DECIMAL_MAX_SCALE)
		return DECIMAL_OUT_OF_RANGE;
	*d = from_int64(0, scale);
	if (ndigits == 0)
		return DECIMAL_OK;

	memcpy(&first, digits, 2);
	if (weight > 9 || (weight == 9 && first >= 100))
		return DECIMAL_OUT_OF_RANGE;	/* 10^38 or more */
	if (ndigits > weight + 1 + (DECIMAL_MAX_SCALE + 3) / 4)
		return DECIMAL_OUT_OF_RANGE;	/* digits beyond the scale: corrupt */

	for (int i = 0; i < ndigits; i++)
	{
		int16		digit;

		memcpy(&digit, digits + 2 * i, 2);
		if (digit < 0 || digit >= NBASE || !multiply_add(d, NBASE, digit))
			return DECIMAL_OUT_OF_RANGE;
	}
	exponent = 4 * (weight + 1 - ndigits) + scale;
	if (exponent < -3)
		return DECIMAL_OUT_OF_RANGE;
	if (exponent < 0)
		divide(d, power10_u32[-exponent]);
	else if (!shift_up(d, exponent))
		return DECIMAL_OUT_OF_RANGE;
	if (negative)
		negate(d);
	return DECIMAL_OK;
}

/*
 * Writes base-10000 digits, given lowest first, as a numeric in its short
 * form; returns the length.  All our scales and weights fit that form.
 */
static Size
write_numeric(const int16 *digit, int ndigits, int fraction_digits,
			  int scale, bool negative, uint8 *numeric)
{
	int			low = 0;
	int			weight;
	uint16		header;
	uint8	   *p = numeric + 2;

	while (ndigits > 0 && digit[ndigits - 1] == 0)
		ndigits--;
	while (low < ndigits && digit[low] == 0)
		low++;
	weight = ndigits == low ? 0 : ndigits - 1 - fraction_digits;
	header = NUMERIC_SHORT_FORM | (negative && ndigits > low ? 0x2000 : 0) |
		(uint16) (scale << 7) | (weight & 0x7F);
	memcpy(numeric, &header, 2);
	for (int i = ndigits - 1; i >= low; i--, p += 2)
		memcpy(p, &digit[i], 2);
	return p - numeric;
}

/*
 * Writes a numeric as PostgreSQL stores it, without varlena header; returns
 * the length, at most DECIMAL_NUMERIC_SIZE.
 */
Size
decimal_to_numeric(const Decimal *d, uint8 *numeric)
{
	Decimal		m = *d;
	bool		negative = is_negative(&m);
	int			fraction_digits = (d->scale + 3) / 4;
	int16		digit[(78 + 3) / 4 + 2];
	int			ndigits = 0;
	int			pad = fraction_digits * 4 - d->scale;

	if (negative)
		negate(&m);

	/* The lowest digit lacks `pad` decimals; split it off separately. */
	if (pad > 0)
		digit[ndigits++] = (int16) (divide(&m, power10_u32[4 - pad]) * power10_u32[pad]);
	while (!is_zero(&m))
		digit[ndigits++] = (int16) divide(&m, NBASE);
	return write_numeric(digit, ndigits, fraction_digits, d->scale, negative, numeric);
}

/* decimal_to_numeric of a packed form, fast for the usual ones. */
Size
decimal_packed_to_numeric(int64 packed, const DecimalPool *pool, uint8 *numeric)
{
	int			scale = (int) (packed & 0xFF);
	int			fraction_digits = (scale + 3) / 4;
	int			pad = fraction_digits * 4 - scale;
	int64		mantissa = packed >> 8;
	uint64		m = mantissa < 0 ? -(uint64) mantissa : (uint64) mantissa;
	int16		digit[8];
	int			ndigits = 0;

	if (unlikely(decimal_is_pooled(packed)))
	{
		Decimal		d = decimal_unpack(packed, pool);

		return decimal_to_numeric(&d, numeric);
	}
	if (pad > 0)
	{
		digit[ndigits++] = (int16) (m % power10_u32[4 - pad] * power10_u32[pad]);
		m /= power10_u32[4 - pad];
	}
	while (m != 0)
	{
		digit[ndigits++] = (int16) (m % NBASE);
		m /= NBASE;
	}
	return write_numeric(digit, ndigits, fraction_digits, scale, mantissa < 0, numeric);
}

/* Writes the decimal as numeric's output would; returns the length. */
int
decimal_to_text(const Decimal *d, char *text)
{
	Decimal		m = *d;
	char		reversed[DECIMAL_TEXT_SIZE];
	int			n = 0;
	char	   *p = text;

	if (is_negative(&m))
	{
		*p++ = '-';
		negate(&m);
	}
	while (!is_zero(&m) || n <= d->scale)
	{
		reversed[n++] = (char) ('0' + divide(&m, 10));
		if (n == d->scale)
			reversed[n++] = '.';
	}
	/* The point has been counted as a digit: there is at least one before it. */
	if (d->scale > 0 && reversed[n - 1] == '.')
		reversed[n++] = '0';
	while (n > 0)
		*p++ = reversed[--n];
	*p = '\0';
	return (int) (p - text);
}

/*
 * Reads [-]digits[.digits] of the given length; false if it is anything else
 * or out of range.
 */
bool
decimal_from_text(const char *text, Size length, Decimal *d)
{
	bool		negative = length > 0 && text[0] == '-';
	bool		point = false;
	int			digits = 0;

	*d = from_int64(0, 0);
	if (length >= DECIMAL_TEXT_SIZE)
		return false;			/* bounds even leading zeros */
	for (Size i = negative; i < length; i++)
	{
		if (text[i] == '.' && !point && digits > 0)
			point = true;
		else if (text[i] >= '0' && text[i] <= '9')
		{
			if (!multiply_add(d, 10, text[i] - '0'))
				return false;
			digits++;
			d->scale += point;
		}
		else
			return false;
	}
	if (digits == 0 || (point && d->scale == 0) || d->scale > DECIMAL_MAX_SCALE)
		return false;
	if (negative)
		negate(d);
	return true;
}

/* Stores a decimal in DECIMAL_STORED_SIZE bytes. */
void
decimal_store(const Decimal *d, uint8 *bytes)
{
	bytes[0] = (uint8) d->scale;
	for (int i = 0; i < DECIMAL_WORDS; i++)
		store_u32(bytes + 1 + 4 * i, d->word[DECIMAL_WORDS - 1 - i]);
}

/* Reads a stored wide decimal; returns what is wrong with it, or NULL. */
const char *
decimal_check_and_load(const uint8 *bytes, Decimal *d)
{
	int64		packed;

	if (bytes[0] > DECIMAL_MAX_SCALE)
		return "a sum has too large a scale";
	d->scale = bytes[0];
	for (int i = 0; i < DECIMAL_WORDS; i++)
		d->word[DECIMAL_WORDS - 1 - i] = load_u32(bytes + 1 + 4 * i);
	if (decimal_fits_packed(d, &packed))
		return "a wide sum is not wide";
	if (has_no_magnitude(d))
		return "a sum is out of range";
	return NULL;
}

/*
 * Checks a stored packed decimal that may refer to a pool of pool_count wide
 * decimals; returns what is wrong with it, or NULL.
 */
const char *
decimal_check_packed(int64 packed, uint32 pool_count)
{
	if (decimal_is_pooled(packed))
		return packed >> 8 < 0 || packed >> 8 >= pool_count
			? "a wide sum is missing" : NULL;
	return (packed & 0xFF) > DECIMAL_MAX_SCALE ? "a sum has too large a scale" : NULL;
}
