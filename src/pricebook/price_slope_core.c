/*
 * price_slope_core.c
 *	  Sums of a regression of ln(price) on x inside a cell.
 *
 * With 2^42 rows of 60 and 59 bits, sums have at most 102 bits, sums of products
 * 162, the results of slope_deviations 204 and those of slope_part_deviations 248:
 * all fit into the 255 of a Decimal.
 */
#include "pricebook/price_slope_core.h"

#include <math.h>

#include "shared/bytes.h"
#include "money/decimal.h"

/* sum += term, with the term's sign extended to all words of the sum. */
static inline void
add(uint64 *sum, int nsum, const uint64 *term, int nterm)
{
	uint64		sign = (int64) term[nterm - 1] < 0 ? ~UINT64CONST(0) : 0;
	uint64		carry = 0;

	for (int i = 0; i < nsum; i++)
	{
		uint128		s = (uint128) sum[i] + (i < nterm ? term[i] : sign) + carry;

		sum[i] = (uint64) s;
		carry = (uint64) (s >> 64);
	}
}

static inline void
add_number(uint64 *sum, int nsum, int128 number)
{
	uint64		term[2] = {(uint64) number, (uint64) ((uint128) number >> 64)};

	add(sum, nsum, term, 2);
}

/* Adds a row; x is at most SLOPE_X_MAX, y at most SLOPE_Y_MAX. */
void
slope_add(SlopeCell *cell, float8 x, float8 y)
{
	int64		p = (int64) rint(ldexp(x, SLOPE_X_BITS));
	int64		q = (int64) rint(ldexp(y, SLOPE_Y_BITS));

	cell->n++;
	add_number(cell->x, 2, p);
	add_number(cell->y, 2, q);
	add_number(cell->xx, 3, (int128) p * p);
	add_number(cell->xy, 3, (int128) p * q);
}

void
slope_merge(SlopeCell *cell, const SlopeCell *other)
{
	cell->n += other->n;
	add(cell->x, 2, other->x, 2);
	add(cell->y, 2, other->y, 2);
	add(cell->xx, 3, other->xx, 3);
	add(cell->xy, 3, other->xy, 3);
}

/* sum -= term, of n words each. */
static inline void
subtract(uint64 *sum, const uint64 *term, int n)
{
	uint64		negative[3];
	uint64		carry = 1;

	for (int i = 0; i < n; i++)
	{
		negative[i] = ~term[i] + carry;
		carry = carry && negative[i] == 0;
	}
	add(sum, n, negative, n);
}

/* Takes the rows of a part away from those of a cell. */
void
slope_subtract(SlopeCell *cell, const SlopeCell *part)
{
	cell->n -= part->n;
	subtract(cell->x, part->x, 2);
	subtract(cell->y, part->y, 2);
	subtract(cell->xx, part->xx, 3);
	subtract(cell->xy, part->xy, 3);
}

/* An integer as a Decimal, whose arithmetic is all that is needed here. */
static Decimal
integer(const uint64 *words, int n)
{
	uint64		sum[DECIMAL_WORDS / 2] = {0};
	Decimal		d = {.scale = 0};

	add(sum, DECIMAL_WORDS / 2, words, n);
	for (int i = 0; i < DECIMAL_WORDS; i++)
		d.word[i] = (uint32) (sum[i / 2] >> (i % 2 * 32));
	return d;
}

/* The float8 nearest to integer * 2^-bits, except for its last digit. */
static float8
scaled(Decimal d, int bits)
{
	Decimal		zero = {.scale = 0};
	bool		negative = decimal_sign(&d) < 0;
	float8		value = 0;

	if (negative)
	{
		(void) decimal_subtract(&zero, &d);
		d = zero;
	}
	for (int i = DECIMAL_WORDS - 1; i >= 0; i--)
		value = value * 4294967296.0 + d.word[i];
	return ldexp(negative ? -value : value, -bits);
}

/* n * sum of products - product of sums: exact. */
static Decimal
deviation(int64 n, const uint64 *products, const uint64 *a, const uint64 *b)
{
	uint64		count = (uint64) n;
	Decimal		d = integer(&count, 1);
	Decimal		sum = integer(products, 3);
	Decimal		both = integer(a, 2);
	Decimal		other = integer(b, 2);

	(void) decimal_multiply(&d, &sum);
	(void) decimal_multiply(&both, &other);
	(void) decimal_subtract(&d, &both);
	return d;
}

/*
 * The sums of x~ y~ and of x~ squared, where x~ and y~ are relative to their means
 * in the cell; false if x is the same in all rows, which then contribute nothing.
 */
bool
slope_deviations(const SlopeCell *cell, float8 *product, float8 *square)
{
	Decimal		xx = deviation(cell->n, cell->xx, cell->x, cell->x);
	Decimal		xy;

	if (decimal_sign(&xx) == 0)
		return false;
	xy = deviation(cell->n, cell->xy, cell->x, cell->y);
	*square = scaled(xx, 2 * SLOPE_X_BITS) / cell->n;
	*product = scaled(xy, SLOPE_X_BITS + SLOPE_Y_BITS) / cell->n;
	return true;
}

/* a * b * c */
static Decimal
product_of(Decimal a, Decimal b, Decimal c)
{
	(void) decimal_multiply(&a, &b);
	(void) decimal_multiply(&a, &c);
	return a;
}

/*
 * A part's share in the sum of (a - mean of a) (b - mean of b), where the means are
 * those of the whole cell, times the square of its number of rows: exact.
 */
static Decimal
part_deviation(const SlopeCell *part, const uint64 *part_products, const uint64 *part_a, const uint64 *part_b,
			   const SlopeCell *cell, const uint64 *a, const uint64 *b)
{
	uint64		counts[2] = {(uint64) part->n, (uint64) cell->n};
	Decimal		n = integer(&counts[1], 1);
	Decimal		sum = product_of(integer(part_products, 3), n, n);
	Decimal		left = product_of(integer(a, 2), integer(part_b, 2), n);
	Decimal		right = product_of(integer(part_a, 2), integer(b, 2), n);
	Decimal		both = product_of(integer(a, 2), integer(b, 2), integer(counts, 1));

	(void) decimal_subtract(&sum, &left);
	(void) decimal_subtract(&sum, &right);
	(void) decimal_add(&sum, &both);
	return sum;
}

/*
 * What the rows of a part of a cell have in the sums of x~ y~ and of x~ squared of
 * the cell: those of all parts add up to slope_deviations of it.
 */
void
slope_part_deviations(const SlopeCell *part, const SlopeCell *cell, float8 *product, float8 *square)
{
	float8		n = (float8) cell->n * cell->n;

	*square = scaled(part_deviation(part, part->xx, part->x, part->x, cell, cell->x, cell->x),
					 2 * SLOPE_X_BITS) / n;
	*product = scaled(part_deviation(part, part->xy, part->x, part->y, cell, cell->x, cell->y),
					  SLOPE_X_BITS + SLOPE_Y_BITS) / n;
}

static uint8 *
store_words(const uint64 *words, int n, uint8 *bytes)
{
	while (n > 0)
		bytes = store_u64(bytes, words[--n]);
	return bytes;
}

static const uint8 *
load_words(const uint8 *bytes, uint64 *words, int n)
{
	for (; n > 0; bytes += 8)
		words[--n] = load_u64(bytes);
	return bytes;
}

/* Stores a cell in SLOPE_STORED_SIZE bytes. */
void
slope_store(const SlopeCell *cell, uint8 *bytes)
{
	bytes = store_u64(bytes, (uint64) cell->n);
	bytes = store_words(cell->x, 2, bytes);
	bytes = store_words(cell->y, 2, bytes);
	bytes = store_words(cell->xx, 3, bytes);
	(void) store_words(cell->xy, 3, bytes);
}

void
slope_load(const uint8 *bytes, SlopeCell *cell)
{
	cell->n = (int64) load_u64(bytes);
	bytes = load_words(bytes + 8, cell->x, 2);
	bytes = load_words(bytes, cell->y, 2);
	bytes = load_words(bytes, cell->xx, 3);
	(void) load_words(bytes, cell->xy, 3);
}

/* True if the magnitude is at most n * 2^bits. */
static bool
is_within(const uint64 *words, int count, int64 n, int bits)
{
	Decimal		d = integer(words, count);
	uint64		limit[4] = {0};
	Decimal		bound;

	limit[bits / 64] = (uint64) n << bits % 64;
	if (bits % 64 > 0)
		limit[bits / 64 + 1] = (uint64) n >> (64 - bits % 64);
	bound = integer(limit, 4);
	if (decimal_compare(&d, &bound) > 0)
		return false;
	return decimal_add(&bound, &d) && decimal_sign(&bound) >= 0;
}

/* Returns what is wrong with a cell from outside, or NULL. */
const char *
slope_check(const SlopeCell *cell)
{
	Decimal		xx;

	if (cell->n < 1 || cell->n > SLOPE_ROWS_MAX)
		return "a cell's number of rows is out of range";
	if (!is_within(cell->x, 2, cell->n, 20 + SLOPE_X_BITS) ||
		!is_within(cell->y, 2, cell->n, 7 + SLOPE_Y_BITS) ||
		!is_within(cell->xx, 3, cell->n, 2 * (20 + SLOPE_X_BITS)) ||
		!is_within(cell->xy, 3, cell->n, 20 + SLOPE_X_BITS + 7 + SLOPE_Y_BITS))
		return "a cell's sum is out of range";
	xx = deviation(cell->n, cell->xx, cell->x, cell->x);
	if (decimal_sign(&xx) < 0)
		return "a cell's squares are too small";
	return NULL;
}
