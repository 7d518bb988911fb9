/* needs: money/decimal.c pricebook/price_slope_core.c */
#include "pricebook/price_slope_core.h"

#include <math.h>

#include "shared/bytes.h"
#include "money/decimal.h"

#include "tap.h"
#include "plain_decimal.h"

#define X_UNIT 1099511627776.0L /* 2^40 */
#define Y_UNIT 4503599627370496.0L	/* 2^52 */

typedef struct Row
{
	double		x;
	double		y;
} Row;

static SlopeCell
cell_of(const Row *rows, int n)
{
	SlopeCell	cell = {0};

	for (int i = 0; i < n; i++)
		slope_add(&cell, rows[i].x, rows[i].y);
	return cell;
}

/* The cell n times, n a power of two. */
static SlopeCell
times(SlopeCell cell, int doublings)
{
	for (int i = 0; i < doublings; i++)
	{
		SlopeCell	copy = cell;

		slope_merge(&cell, &copy);
	}
	return cell;
}

/* A number of two's complement, lowest word first, in decimal. */
static void
words_to_text(const uint64 *words, int n, char *text)
{
	Decimal		d = {.scale = 0};

	for (int i = 0; i < DECIMAL_WORDS; i++)
		d.word[i] = i < 2 * n ? (uint32) (words[i / 2] >> (i % 2 * 32)) : (int64) words[n - 1] < 0 ? 0xFFFFFFFFu : 0;
	decimal_to_text(&d, text);
}

static bool
says(const uint64 *words, int n, const Plain *school)
{
	char		text[DECIMAL_TEXT_SIZE];
	char		school_text[PLAIN_TEXT_SIZE];

	words_to_text(words, n, text);
	plain_to_text(school, school_text);
	return strcmp(text, school_text) == 0;
}

static Plain
plain_from_number(long long number)
{
	char		text[32];

	sprintf(text, "%lld", number);
	return plain_from_text(text);
}

static long double
plain_to_number(const Plain *plain)
{
	char		text[PLAIN_TEXT_SIZE];

	plain_to_text(plain, text);
	return strtold(text, NULL);
}

/* Sums as school makes them, of numbers on the grids. */
typedef struct School
{
	Plain		n;
	Plain		x;
	Plain		y;
	Plain		xx;
	Plain		xy;
} School;

static School
school_of(const Row *rows, int n)
{
	School		school = {.n = plain_from_number(n)};

	for (int i = 0; i < n; i++)
	{
		Plain		x = plain_from_number(llrintl(rows[i].x * X_UNIT));
		Plain		y = plain_from_number(llrintl(rows[i].y * Y_UNIT));
		Plain		xx = plain_multiply(&x, &x);
		Plain		xy = plain_multiply(&x, &y);

		school.x = plain_add(&school.x, &x);
		school.y = plain_add(&school.y, &y);
		school.xx = plain_add(&school.xx, &xx);
		school.xy = plain_add(&school.xy, &xy);
	}
	return school;
}

/* n * sum of products - product of sums, divided by n and the units. */
static long double
school_deviation(const School *school, const Plain *products, const Plain *a, const Plain *b, long double units)
{
	Plain		deviation = plain_multiply(&school->n, products);
	Plain		product = plain_multiply(a, b);

	product = plain_negate(&product);
	deviation = plain_add(&deviation, &product);
	return plain_to_number(&deviation) / plain_to_number(&school->n) / units;
}

static bool
near(long double got, long double expected)
{
	return fabsl(got - expected) <= fabsl(expected) * 1e-15L;
}

static double
random_x(void)
{
	switch (random_below(6))
	{
		case 0:
			return random_below(2) ? SLOPE_X_MAX : -SLOPE_X_MAX;
		case 1:
			return (double) random_below(11) - 5;
		case 2:					/* on the grid and halfway between */
			return ldexp((double) random_below(9) - 4, -SLOPE_X_BITS - 1);
		case 3:
			return ldexp((double) (int64) random_u64(), -63 - (int) random_below(60));
		default:
			return ldexp((double) (int64) random_u64(), -43);
	}
}

static double
random_y(void)
{
	switch (random_below(5))
	{
		case 0:
			return random_below(2) ? SLOPE_Y_MAX : -SLOPE_Y_MAX;
		case 1:
			return ldexp((double) random_below(9) - 4, -SLOPE_Y_BITS - 1);
		default:
			return log((1 + (double) random_below(100000)) / 100);
	}
}

static void
shuffle(Row *rows, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = (int) random_below(i + 1);
		Row			swap = rows[i];

		rows[i] = rows[j];
		rows[j] = swap;
	}
}

static SlopeCell
cell_in_parts(const Row *rows, int n)
{
	SlopeCell	a;
	SlopeCell	b;
	int			half;

	if (n < 3)
		return cell_of(rows, n);
	half = 1 + (int) random_below(n - 1);
	a = cell_in_parts(rows, half);
	b = cell_in_parts(rows + half, n - half);
	slope_merge(&a, &b);
	return a;
}

/* ---------- sums ---------- */

#define ROWS 40

static void
test_sums(void)
{
	property("sums are exact, the same in any order and grouping, and come back from their bytes");
	for (int run = 0; run < 3000; run++)
	{
		Row			rows[ROWS];
		int			n = 1 + (int) random_below(ROWS);
		School		school;
		SlopeCell	cell;
		SlopeCell	back;
		uint8	   *bytes = malloc(SLOPE_STORED_SIZE);
		uint8		whole[8 * 3];
		double		product = NAN;
		double		square = NAN;
		long double expected_square;

		for (int i = 0; i < n; i++)
		{
			rows[i].x = i > 0 && random_below(3) == 0 ? rows[i - 1].x : random_x();
			rows[i].y = random_y();
		}
		school = school_of(rows, n);
		cell = cell_of(rows, n);
		holds(cell.n == n && says(cell.x, 2, &school.x) && says(cell.y, 2, &school.y) &&
			  says(cell.xx, 3, &school.xx) && says(cell.xy, 3, &school.xy), "sums of %d rows", n);
		holds(slope_check(&cell) == NULL, "%s", slope_check(&cell));

		slope_store(&cell, bytes);
		slope_load(bytes, &back);
		holds(memcmp(&cell, &back, sizeof(cell)) == 0, "bytes of %d rows", n);
		/* As the format has it: n, x, y, xx, xy, each from its highest byte on. */
		for (int i = 0; i < 3; i++)
			store_u64(whole + 8 * i, cell.xx[2 - i]);
		holds(load_u64(bytes) == (uint64) n && load_u64(bytes + 8) == cell.x[1] && load_u64(bytes + 32) == cell.y[0] &&
			  memcmp(bytes + 40, whole, 24) == 0 && load_u64(bytes + 80) == cell.xy[0], "order of the bytes");
		free(bytes);

		for (int try = 0; try < 4; try++)
		{
			shuffle(rows, n);
			back = try % 2 ? cell_of(rows, n) : cell_in_parts(rows, n);
			holds(memcmp(&cell, &back, sizeof(cell)) == 0, "%d rows in another order", n);
		}

		expected_square = school_deviation(&school, &school.xx, &school.x, &school.x, X_UNIT * X_UNIT);
		if (!slope_deviations(&cell, &product, &square))
			holds(expected_square == 0, "%d rows tell nothing: %Lg", n, expected_square);
		else
		{
			holds(square > 0 && near(square, expected_square), "square %.17g, not %.20Lg", square, expected_square);
			holds(near(product, school_deviation(&school, &school.xy, &school.x, &school.y, X_UNIT * Y_UNIT)),
				  "product %.17g of %d rows", product, n);
		}
	}
	property_end();
}

static void
test_by_hand(void)
{
	/* x = 1, 2, 3 and y = 1, 3, 8: deviations -1 0 1 and -3 -1 4, so 7 and 2. */
	static const Row three[] = {{1, 1}, {2, 3}, {3, 8}};
	static const Row same[] = {{0.1, 1}, {0.1, 2}, {0.1, -5}};
	/* Halves go to the even neighbour; less than half a step is nothing. */
	static const Row half[] = {{1.5 / 1099511627776.0, 0}, {0.5 / 1099511627776.0, 0}, {-2.5 / 1099511627776.0, 0}};
	SlopeCell	cell = cell_of(three, 3);
	double		product;
	double		square;

	ok(slope_deviations(&cell, &product, &square) && product == 7 && square == 2, "three rows by hand");
	cell = cell_of(same, 3);
	ok(!slope_deviations(&cell, &product, &square), "rows of one x tell nothing");
	cell = cell_of(same, 1);
	ok(!slope_deviations(&cell, &product, &square), "nor does one row");
	cell = cell_of(half, 3);
	ok(cell.x[0] == 0 && cell.xx[0] == 8, "halves of the grid's steps go to even numbers");

	/* Far from 0 and close together: what sums of squares in floating point lose. */
	{
		Row			far[] = {{1048575, 87}, {1048575 + 1e-9, 87.25}};

		cell = cell_of(far, 2);
		ok(slope_deviations(&cell, &product, &square) &&
		   near(square, powl(llrintl(far[1].x * X_UNIT) / X_UNIT - 1048575, 2) / 2) && product > 0,
		   "rows close together and far from 0");
	}
}

static void
test_large(void)
{
	property("deviations of up to 2^42 rows");
	for (int doublings = 0; doublings <= 41; doublings++)
	{
		/* Half of the rows at either end: n / 2 at a distance of 2^20 from the mean, or of 128. */
		static const Row ends[] = {{SLOPE_X_MAX, SLOPE_Y_MAX}, {-SLOPE_X_MAX, -SLOPE_Y_MAX}};
		static const Row falling[] = {{SLOPE_X_MAX, -SLOPE_Y_MAX}, {-SLOPE_X_MAX, SLOPE_Y_MAX}};
		static const Row close[] = {{SLOPE_X_MAX, SLOPE_Y_MAX}, {SLOPE_X_MAX - 0x1p-32, SLOPE_Y_MAX - 0x1p-45}};
		SlopeCell	cell = times(cell_of(ends, 2), doublings);
		double		product;
		double		square;

		holds(cell.n == INT64CONST(2) << doublings && slope_check(&cell) == NULL, "2^%d: %s", doublings + 1,
			  slope_check(&cell));
		holds(slope_deviations(&cell, &product, &square) && square == ldexp(1, 41 + doublings) &&
			  product == ldexp(1, 28 + doublings), "2^%d rows: %g, %g", doublings + 1, product, square);

		cell = times(cell_of(falling, 2), doublings);
		holds(slope_check(&cell) == NULL && slope_deviations(&cell, &product, &square) &&
			  square == ldexp(1, 41 + doublings) && product == -ldexp(1, 28 + doublings), "falling: %g", product);

		cell = times(cell_of(close, 2), doublings);
		holds(slope_check(&cell) == NULL && slope_deviations(&cell, &product, &square) &&
			  square == ldexp(1, -65 + doublings) && product == ldexp(1, -78 + doublings), "close: %g, %g", product, square);

		for (int i = 0; i < 2; i++)
		{
			cell = times(cell_of(&ends[i], 1), doublings + 1);
			holds(slope_check(&cell) == NULL && !slope_deviations(&cell, &product, &square), "one end only");
		}
	}
	property_end();
}

/* ---------- parts ---------- */

/* The sum of (x - mean x) (x - mean x or y - mean y) over some rows, with means of all. */
static long double
deviation_of(const Row *part, int npart, const Row *rows, int n, bool is_square)
{
	long double mean_x = 0;
	long double mean_y = 0;
	long double sum = 0;

	for (int i = 0; i < n; i++)
	{
		mean_x += llrintl(rows[i].x * X_UNIT) / X_UNIT / n;
		mean_y += llrintl(rows[i].y * Y_UNIT) / Y_UNIT / n;
	}
	for (int i = 0; i < npart; i++)
	{
		long double x = llrintl(part[i].x * X_UNIT) / X_UNIT - mean_x;

		sum += x * (is_square ? x : llrintl(part[i].y * Y_UNIT) / Y_UNIT - mean_y);
	}
	return sum;
}

static void
test_parts(void)
{
	property("parts of a cell: what they have in its sums, and the rest without them");
	for (int run = 0; run < 3000; run++)
	{
		Row			rows[ROWS];
		int			n = 2 + (int) random_below(ROWS - 1);
		int			npart = 1 + (int) random_below(n - 1);
		SlopeCell	cell;
		SlopeCell	part;
		SlopeCell	rest;
		SlopeCell	other;
		double		product[2];
		double		square[2];
		double		whole_product = 0;
		double		whole_square = 0;
		long double largest = 0;

		for (int i = 0; i < n; i++)
		{
			rows[i] = (Row) {random_x(), random_y()};
			largest = fmaxl(largest, fabs(rows[i].x));
		}
		cell = cell_of(rows, n);
		part = cell_of(rows, npart);
		rest = cell_of(rows + npart, n - npart);
		slope_part_deviations(&part, &cell, &product[0], &square[0]);
		slope_part_deviations(&rest, &cell, &product[1], &square[1]);
		/* Long doubles lose digits where x is large and differs by little. */
		holds(fabsl(square[0] - deviation_of(rows, npart, rows, n, true)) <= 1e-15L * n * largest * largest, "square %g", square[0]);
		holds(fabsl(product[0] - deviation_of(rows, npart, rows, n, false)) <= 1e-15L * n * largest * SLOPE_Y_MAX, "product %g", product[0]);
		holds(square[0] >= 0 && square[1] >= 0, "squares below 0: %g, %g", square[0], square[1]);
		(void) slope_deviations(&cell, &whole_product, &whole_square);
		holds(fabs(square[0] + square[1] - whole_square) <= 1e-15 * whole_square, "squares of parts: %g", whole_square);
		holds(fabs(product[0] + product[1] - whole_product) <= 1e-15 * (fabs(product[0]) + fabs(product[1])), "products of parts: %g", whole_product);
		other = cell;
		slope_subtract(&other, &part);
		holds(memcmp(&other, &rest, sizeof(rest)) == 0, "the rest of %d rows", n);
		slope_subtract(&other, &rest);
		holds(memcmp(&other, &(SlopeCell) {0}, sizeof(other)) == 0, "nothing left of %d rows", n);
	}
	property_end();

	property("parts of up to 2^42 rows");
	for (int doublings = 0; doublings <= 41; doublings++)
	{
		static const Row ends[] = {{SLOPE_X_MAX, SLOPE_Y_MAX}, {-SLOPE_X_MAX, -SLOPE_Y_MAX}};
		SlopeCell	cell = times(cell_of(ends, 2), doublings);
		SlopeCell	part = times(cell_of(ends, 1), doublings);
		SlopeCell	rest = times(cell_of(ends + 1, 1), doublings);
		double		product;
		double		square;

		slope_part_deviations(&part, &cell, &product, &square);
		holds(square == ldexp(1, 40 + doublings) && product == ldexp(1, 27 + doublings), "2^%d rows: %g, %g", doublings, square, product);
		slope_subtract(&cell, &part);
		holds(memcmp(&cell, &rest, sizeof(rest)) == 0, "the rest of 2^%d rows", doublings);
	}
	property_end();
}

/* ---------- checking ---------- */

static void
add_to(uint64 *words, int n, int64 step)
{
	for (int i = 0; i < n; i++)
	{
		uint64		old = words[i];

		words[i] += (uint64) step;
		step = (step < 0 ? -1 : 0) + (words[i] < old);
	}
}

/* One step beyond what n rows can add up to, and not one step before. */
static void
test_check(void)
{
	static const Row ends[] = {{SLOPE_X_MAX, SLOPE_Y_MAX}, {-SLOPE_X_MAX, -SLOPE_Y_MAX}};
	static const Row falling[] = {{-SLOPE_X_MAX, SLOPE_Y_MAX}, {SLOPE_X_MAX, -SLOPE_Y_MAX}};
	static const char *const out_of_range = "a cell's sum is out of range";
	SlopeCell	cell = {0};

	is_text(slope_check(&cell), "a cell's number of rows is out of range", "a cell without rows");
	cell.n = -1;
	is_text(slope_check(&cell), "a cell's number of rows is out of range", "with -1 rows");
	cell.n = SLOPE_ROWS_MAX;
	ok(slope_check(&cell) == NULL, "2^42 rows of x = 0, y = 0");
	cell.n++;
	is_text(slope_check(&cell), "a cell's number of rows is out of range", "2^42 + 1");
	cell.n = INT64_MIN;
	is_text(slope_check(&cell), "a cell's number of rows is out of range", "-2^63");

	property("sums up to what so many rows can have, and no farther");
	for (int doublings = 0; doublings <= 42; doublings++)
		for (int i = 0; i < 2; i++)
		{
			SlopeCell	end = times(cell_of(&ends[i], 1), doublings);
			SlopeCell	other = times(cell_of(&falling[i], 1), doublings);
			int64		outwards = i == 0 ? 1 : -1;

			holds(slope_check(&end) == NULL && slope_check(&other) == NULL, "2^%d rows", doublings);

			cell = end;
			add_to(cell.x, 2, outwards);
			holds(slope_check(&cell) != NULL && strcmp(slope_check(&cell), out_of_range) == 0, "x, 2^%d", doublings);
			cell = end;
			add_to(cell.y, 2, outwards);
			holds(slope_check(&cell) != NULL && strcmp(slope_check(&cell), out_of_range) == 0, "y, 2^%d", doublings);
			add_to(cell.y, 2, -2 * outwards);
			holds(slope_check(&cell) == NULL, "y inwards, 2^%d", doublings);
			cell = end;
			add_to(cell.xx, 3, 1);
			holds(slope_check(&cell) != NULL && strcmp(slope_check(&cell), out_of_range) == 0, "xx, 2^%d", doublings);
			cell = end;
			add_to(cell.xy, 3, 1);
			holds(slope_check(&cell) != NULL && strcmp(slope_check(&cell), out_of_range) == 0, "xy, 2^%d", doublings);
			cell = other;
			add_to(cell.xy, 3, -1);
			holds(slope_check(&cell) != NULL && strcmp(slope_check(&cell), out_of_range) == 0, "-xy, 2^%d", doublings);
			add_to(cell.xy, 3, 2);
			holds(slope_check(&cell) == NULL, "-xy inwards, 2^%d", doublings);

			/* All x are at the end, so their squares cannot be less than they are. */
			cell = end;
			add_to(cell.xx, 3, -1);
			holds(slope_check(&cell) != NULL && strcmp(slope_check(&cell), "a cell's squares are too small") == 0,
				  "xx less 1, 2^%d", doublings);
			cell.n = end.n - 1;
			holds(slope_check(&cell) != NULL, "a row less, 2^%d", doublings);
			cell = end;
			memset(cell.xx, 0xFF, sizeof(cell.xx));
			holds(slope_check(&cell) != NULL, "xx = -1, 2^%d", doublings);
		}
	property_end();

	property("bits that no sum has are not taken");
	for (int run = 0; run < 20000; run++)
	{
		Row			rows[5];
		int			n = 1 + (int) random_below(5);
		uint64	   *word;
		double		product;
		double		square;

		for (int i = 0; i < n; i++)
			rows[i] = (Row) {random_x(), random_y()};
		cell = cell_of(rows, n);
		word = (uint64 *[]) {&cell.x[1], &cell.y[1], &cell.xx[2], &cell.xy[2]}[random_below(4)];
		/* The highest words hold nothing but the sign of so few rows. */
		*word ^= UINT64_C(1) << random_below(64);
		holds(slope_check(&cell) != NULL, "%d rows", n);

		cell = cell_of(rows, n);
		word = (uint64 *[]) {&cell.x[0], &cell.y[0], &cell.xx[1], &cell.xy[1]}[random_below(4)];
		*word ^= UINT64_C(1) << random_below(64);
		/* What is taken is harmless. */
		if (slope_check(&cell) == NULL)
			holds(!slope_deviations(&cell, &product, &square) || (square > 0 && isfinite(square) && isfinite(product)),
				  "%g, %g", product, square);
	}
	property_end();
}

int
main(void)
{
	test_sums();
	test_by_hand();
	test_large();
	test_parts();
	test_check();
	return done_testing();
}
