/* needs: money/decimal.c money/decimal_total.c statistics/fixed_effect.c pricebook/pricebook_core.c statistics/distributions.c */
#include "pricebook/pricebook_core.h"

#include <math.h>

#include "statistics/fixed_effect.h"

#include "tap.h"

/*
 * Expected values come from rows one by one, as a textbook has it: midranks by
 * sorting, pairs, medians of expanded rows, sums in integers, means and
 * deviations in long doubles.  Prices are integers here, of some unit that is a
 * power of ten.
 */
__extension__ typedef __int128 Int;

typedef struct Row
{
	int			item;
	int			period;
	int			group;			/* 0 is the reference */
	Int			price;
	int			quantity;
	int			fold;			/* of its member */
} Row;

/* What prices are counted in: scale decimals, or more than 56 bits. */
static int	price_scale;

static DecimalPool pool;

static const char *
int_to_text(Int number, int scale)
{
	static char texts[4][80];
	static int	next;
	char	   *text = texts[next++ % 4];
	char		digits[64];
	int			n = 0;
	bool		negative = number < 0;
	char	   *p = text;

	for (; number != 0 || n <= scale; number /= 10)
		digits[n++] = (char) ('0' + (int) (negative ? -(number % 10) : number % 10));
	if (negative)
		*p++ = '-';
	while (n > 0)
	{
		if (n == scale)
			*p++ = '.';
		*p++ = digits[--n];
	}
	*p = '\0';
	return text;
}

static Decimal
decimal_of(Int number, int scale)
{
	const char *text = int_to_text(number, scale);
	Decimal		d;

	if (!decimal_from_text(text, strlen(text), &d))
	{
		diag("%s is refused", text);
		exit(1);
	}
	return d;
}

/* Without zeros at the end, as prices in a book are. */
static int64
packed_of(Int number, int scale)
{
	Decimal		d;

	while (scale > 0 && number % 10 == 0)
	{
		number /= 10;
		scale--;
	}
	d = decimal_of(number, scale);
	return decimal_pack(&d, &pool);
}

static bool
is_total(const DecimalTotal *total, Int number, int scale)
{
	Decimal		d;
	Decimal		expected = decimal_of(number, scale);

	return decimal_total_get(total, &d) && decimal_compare(&d, &expected) == 0;
}

static bool
near(long double got, long double expected, long double tolerance)
{
	return fabsl(got - expected) <= tolerance;
}

static long double
to_number(Int price)
{
	return (long double) price / powl(10, price_scale);
}

/* ---------- comparing cells with the core ---------- */

static int
compare_prices(const void *a, const void *b)
{
	Int			x = ((const Row *) a)->price;
	Int			y = ((const Row *) b)->price;

	return (x > y) - (x < y);
}

/* The rows of a group in a cell, sorted by price, with nothing behind them. */
static Row *
take_rows(const Row *rows, int n, int item, int period, int group, int *taken)
{
	Row		   *mine = malloc((n + 1) * sizeof(Row));
	Row		   *exact;

	*taken = 0;
	for (int i = 0; i < n; i++)
		if (rows[i].item == item && rows[i].period == period && rows[i].group == group)
			mine[(*taken)++] = rows[i];
	qsort(mine, *taken, sizeof(Row), compare_prices);
	exact = exact_copy(mine, *taken * sizeof(Row));
	free(mine);
	return exact;
}

/* Appends the distinct prices of sorted rows; returns how many there are. */
static uint32
add_points(PricePoint *points, const Row *rows, int n)
{
	uint32		npoints = 0;
	int			quantity = 0;

	for (int i = 0; i < n; i++)
	{
		PricePoint *point = &points[npoints];

		if (i == 0 || rows[i].price != rows[i - 1].price)
			*point = (PricePoint) {.price = packed_of(rows[i].price, price_scale)};
		point->count++;
		quantity += rows[i].quantity;
		if (i + 1 == n || rows[i + 1].price != rows[i].price)
		{
			/* Tenths, so that products have more decimals than prices. */
			point->quantity = packed_of(quantity, 1);
			quantity = 0;
			npoints++;
		}
	}
	return npoints;
}

/* Adds the cells of an item to a gap. */
static void
add_item(PriceGap *gap, const Row *rows, int n, int item, int periods)
{
	PricePoint *points = malloc((n + 1) * sizeof(PricePoint));
	PricePoint *exact;
	uint32		npoints[periods][2];
	uint32		at = 0;

	for (int period = 0; period < periods; period++)
		for (int group = 0; group < 2; group++)
		{
			int			size;
			Row		   *mine = take_rows(rows, n, item, period, group, &size);

			npoints[period][group] = add_points(points + at, mine, size);
			at += npoints[period][group];
			free(mine);
		}
	exact = exact_copy(points, at * sizeof(PricePoint));
	free(points);
	if (at > 0)
		price_points_set_origin(exact, at, &pool);
	at = 0;
	for (int period = 0; period < periods; period++)
	{
		const uint32 *count = npoints[period];
		PriceReference reference = {.below = malloc(count[0] * sizeof(int64))};
		PriceSide	side;

		if (count[0] > 0 && count[1] > 0 &&
			!(price_reference_open(&reference, exact + at, count[0], &pool) &&
			  price_side_open(&side, exact + at + count[0], count[1], reference.base, &pool) &&
			  price_gap_add_cell(gap, &reference, &side, &pool)))
			diag("a cell does not fit");
		free(reference.below);
		at += count[0] + count[1];
	}
	free(exact);
}

/* What the core makes of all cells of an item, or of all items if it is -1. */
static PriceGap
gap_of(const Row *rows, int n, int item, int periods, int items)
{
	PriceGap	gap = {0};

	for (int i = 0; i < items; i++)
		if (item == -1 || item == i)
			add_item(&gap, rows, n, i, periods);
	return gap;
}

/* ---------- the same, by rows ---------- */

typedef struct Expected
{
	int64		cells;
	int64		n[2];
	long double rank_sum;
	long double rank_variance;
	long double product;
	long double square;
	Int			sum[2];
	Int			above;			/* in halves of a tenth of the unit */
	Int			below;
	long double mean[2];
	long double squares[2];		/* of one item */
	bool		is_item;
} Expected;

static Expected
expect(const Row *rows, int n, int item, int periods, int items)
{
	Expected	e = {.is_item = item >= 0 || items == 1};
	Int			first = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < items; i++)
			for (int period = 0; period < periods && (item == -1 || item == i); period++)
			{
				int			sizes[2];
				Row		   *mine[2];
				long double	means[2] = {0};
				long double all_mean;
				Int			median;
				int			total;
				long double ties = 0;
				long double rank_sum = 0;

				for (int group = 0; group < 2; group++)
					mine[group] = take_rows(rows, n, i, period, group, &sizes[group]);
				total = sizes[0] + sizes[1];
				if (sizes[0] > 0 && sizes[1] > 0 && pass == 0)
				{
					/* Twice the median. */
					median = mine[0][(sizes[0] - 1) / 2].price + mine[0][sizes[0] / 2].price;
					e.cells++;
					for (int group = 0; group < 2; group++)
						for (int k = 0; k < sizes[group]; k++)
						{
							e.n[group]++;
							e.sum[group] += mine[group][k].price;
							/* Relative to any price, so that no digit is lost. */
							first = first == 0 ? mine[group][k].price : first;
							e.mean[group] += to_number(mine[group][k].price - first);
							means[group] += logl(to_number(mine[group][k].price)) / sizes[group];
						}
					for (int k = 0; k < sizes[1]; k++)
					{
						Int			excess = (2 * mine[1][k].price - median) * mine[1][k].quantity;

						*(excess > 0 ? &e.above : &e.below) += excess > 0 ? excess : -excess;
					}
					all_mean = (means[0] * sizes[0] + means[1] * sizes[1]) / total;
					for (int group = 0; group < 2; group++)
						for (int k = 0; k < sizes[group]; k++)
						{
							long double x = group - (long double) sizes[1] / total;

							e.product += x * (logl(to_number(mine[group][k].price)) - all_mean);
							e.square += x * x;
						}

					/* Midranks: the ranks of equal prices are shared. */
					for (int group = 0; group < 2; group++)
						for (int k = 0; k < sizes[group]; k++)
						{
							int			less = 0;
							int			equal = 0;

							for (int other = 0; other < 2; other++)
								for (int j = 0; j < sizes[other]; j++)
								{
									less += mine[other][j].price < mine[group][k].price;
									equal += mine[other][j].price == mine[group][k].price;
								}
							if (group == 1)
								rank_sum += less + (equal + 1) / 2.0L;
							/* Each of t equal ones adds a t-th of t^3 - t. */
							ties += (long double) equal * equal - 1;
						}
					e.rank_sum += (rank_sum - sizes[1] * (total + 1) / 2.0L) / (total + 1);
					e.rank_variance += (long double) sizes[0] * sizes[1] / 12 *
						(total + 1 - ties / ((long double) total * (total - 1))) / ((long double) (total + 1) * (total + 1));
				}
				if (sizes[0] > 0 && sizes[1] > 0 && pass == 1)
					for (int group = 0; group < 2; group++)
						for (int k = 0; k < sizes[group]; k++)
							e.squares[group] += powl(to_number(mine[group][k].price - first) - e.mean[group], 2);
				free(mine[0]);
				free(mine[1]);
			}
		for (int group = 0; group < 2 && pass == 0 && e.cells > 0; group++)
			e.mean[group] /= e.n[group];
	}
	return e;
}

static void
check_gap(const PriceGap *gap, const Expected *e, int run)
{
	long double rows = e->n[0] + e->n[1];
	float8		difference = 0;
	float8		percent = 0;
	float8		hedges;
	long double df = rows - 2;

	holds(gap->cells == e->cells && gap->n == e->n[1] && gap->reference_n == e->n[0], "counts, run %d", run);
	holds(near(gap->rank_sum, e->rank_sum, 1e-13L * rows), "rank sum, run %d: %.17g, not %.20Lg", run, gap->rank_sum,
		  e->rank_sum);
	holds(near(gap->rank_variance, e->rank_variance, 1e-13L * (e->rank_variance + 1e-3L)), "rank variance, run %d: %.17g, not %.20Lg",
		  run, gap->rank_variance, e->rank_variance);
	holds((gap->rank_variance == 0) == (e->rank_variance < 1e-12L), "rank variance 0, run %d", run);
	holds(near(price_gap_z(gap), e->rank_variance < 1e-12L ? 0 : e->rank_sum / sqrtl(e->rank_variance), 1e-11L),
		  "z, run %d: %.17g", run, price_gap_z(gap));
	holds(near(gap->log_product, e->product, 1e-13L * rows * 10), "product, run %d: %.17g, not %.20Lg", run,
		  gap->log_product, e->product);
	holds(near(gap->log_square, e->square, 1e-13L * e->square), "square, run %d: %.17g", run, gap->log_square);
	holds(is_total(&gap->sum, e->sum[1], price_scale) && is_total(&gap->reference_sum, e->sum[0], price_scale),
		  "sums of prices, run %d", run);
	holds(is_total(&gap->above, e->above * 5, price_scale + 2), "money above, run %d: %s", run,
		  int_to_text(e->above * 5, price_scale + 2));
	holds(is_total(&gap->below, e->below * 5, price_scale + 2), "money below, run %d: %s", run,
		  int_to_text(e->below * 5, price_scale + 2));
	if (e->cells == 0)
		return;

	holds(price_compare_means(&gap->sum, gap->n, &gap->reference_sum, gap->reference_n, &difference, &percent),
		  "means cannot be compared, run %d", run);
	/* Of the integers, so that no digit is lost: mean1 - mean0 = (sum1 n0 - sum0 n1) / (n1 n0). */
	{
		Int			excess = e->sum[1] * e->n[0] - e->sum[0] * e->n[1];
		long double expected = to_number(excess) / e->n[0] / e->n[1];

		holds(near(difference, expected, 1e-15L * fabsl(expected)), "difference, run %d: %.17g", run, difference);
		expected = 100 * (long double) excess / ((long double) e->sum[0] * e->n[1]);
		holds(near(percent, expected, 1e-15L * fabsl(expected)), "percent, run %d: %.17g", run, percent);
		holds((difference == 0) == (excess == 0) && (percent == 0) == (excess == 0), "equal means, run %d", run);
	}

	if (!e->is_item)
		return;
	holds(gap->spread.n == e->n[1] && gap->reference_spread.n == e->n[0], "rows of spreads, run %d", run);
	holds(near(gap->spread.squares, e->squares[1], 1e-12L * e->squares[1]) &&
		  near(gap->reference_spread.squares, e->squares[0], 1e-12L * e->squares[0]),
		  "squares, run %d: %.17g, %.17g, not %.20Lg, %.20Lg", run, gap->spread.squares, gap->reference_spread.squares,
		  e->squares[1], e->squares[0]);
	hedges = price_gap_hedges(gap, difference);
	if (df < 2 || e->squares[0] + e->squares[1] == 0)
		holds(isnan(hedges), "Hedges of nothing, run %d: %.17g", run, hedges);
	else
	{
		long double j = expl(lgammal(df / 2) - lgammal((df - 1) / 2)) / sqrtl(df / 2);
		long double expected = j * difference / sqrtl((e->squares[0] + e->squares[1]) / df);

		holds(near(hedges, expected, 1e-11L * fabsl(expected)), "Hedges, run %d: %.17g, not %.20Lg", run, hedges, expected);
	}
}

/* A shop in which few prices occur, or many. */
static int
make_rows(Row *rows, int most, int run, int items, int periods)
{
	int			n = 1 + (int) random_below(most);
	int			kinds = 1 + (int) random_below(run % 2 ? 4 : 40);
	int			kind = run % 4;
	Int			unit = 1;

	/* Whole numbers; cents; up to 8 decimals; wide ones, of which some differ in the last digits only. */
	price_scale = kind == 0 ? 0 : kind == 1 ? 2 : kind == 2 ? (int) random_below(9) : (int) random_below(3) * 10;
	if (kind == 3)
		for (int i = 0; i < 25; i++)
			unit *= 10;
	for (int i = 0; i < n; i++)
	{
		rows[i].item = (int) random_below(items);
		rows[i].period = (int) random_below(periods);
		rows[i].group = (int) random_below(run % 5 ? 2 : 3);
		rows[i].price = (1 + (Int) random_below(kinds) * (kind == 2 ? 10 : 1)) * unit;
		if (kind == 3)
			rows[i].price += (Int) random_below(3);
		rows[i].quantity = 1 + (int) random_below(30);
	}
	return n;
}

static void
forget(void)
{
	free(pool.item);
	memset(&pool, 0, sizeof(pool));
}

#define ROWS 120

static void
test_shops(void)
{
	property("cells, items and groups: what a textbook makes of the rows");
	for (int run = 0; run < 3000; run++)
	{
		Row			rows[ROWS];
		int			items = 1 + (int) random_below(4);
		int			periods = 1 + (int) random_below(3);
		int			n = make_rows(rows, run % 7 == 0 ? 6 : ROWS, run, items, periods);
		PriceGap	whole = gap_of(rows, n, -1, periods, items);
		PriceGap	merged = {0};
		Expected	e = expect(rows, n, -1, periods, items);

		check_gap(&whole, &e, run);
		for (int item = 0; item < items; item++)
		{
			PriceGap	gap = gap_of(rows, n, item, periods, items);

			if (run % 4 == 1)
			{
				e = expect(rows, n, item, periods, items);
				check_gap(&gap, &e, run);
			}
			holds(price_gap_merge(&merged, &gap), "merging, run %d", run);
		}
		/* Spreads are those of one item. */
		merged.spread = whole.spread;
		merged.reference_spread = whole.reference_spread;
		e = expect(rows, n, -1, periods, items);
		check_gap(&merged, &e, run);
		forget();
	}
	property_end();
}

/* Few prices of the group among many of the reference's, and the other way round. */
static void
test_sizes(void)
{
	property("sides of very different sizes");
	price_scale = 2;
	for (int run = 0; run < 150; run++)
	{
		static Row	rows[3000];
		int			few = 1 + (int) random_below(6);
		int			many = 1 + (int) random_below(run % 10 == 0 ? 2500 : 300);
		PriceGap	gap;
		Expected	e;

		for (int i = 0; i < few + many; i++)
			rows[i] = (Row) {0, 0, (i < few) == (run % 2), 1 + (Int) random_below(run % 3 ? 5000 : 400), 10};
		gap = gap_of(rows, few + many, -1, 1, 1);
		e = expect(rows, few + many, -1, 1, 1);
		check_gap(&gap, &e, run);
		forget();
	}
	property_end();
}

/* ---------- relating prices ---------- */

static void
test_relate(void)
{
	property("offsets and logarithms keep all digits, relative to the first price");
	for (int run = 0; run < 5000; run++)
	{
		Row			rows[20];
		PricePoint	points[LENGTH_OF(rows)];
		int			n = make_rows(rows, LENGTH_OF(rows), run, 1, 1);
		Int			origin = rows[0].price;

		/* Now and then from the smallest to the largest that there are. */
		if (run % 6 == 0)
		{
			price_scale = 28;
			for (int i = 0; i < n; i++)
			{
				rows[i].price = 1 + (Int) random_below(1000);
				for (int zeros = (int) random_below(34); zeros > 0; zeros--)
					rows[i].price *= 10;
			}
			origin = rows[0].price;
		}
		for (int i = 0; i < n; i++)
			points[i] = (PricePoint) {.price = packed_of(rows[i].price, price_scale)};
		price_points_set_origin(points, n, &pool);
		for (int i = 0; i < n; i++)
		{
			Int			difference = rows[i].price - origin;
			long double ratio = (long double) difference / origin;
			long double expected = fabsl(ratio) < 0.1L ? log1pl(ratio) : logl((long double) rows[i].price) - logl((long double) origin);

			holds(near(points[i].offset, to_number(difference), 1.2e-16L * fabsl(to_number(difference))),
				  "offset, run %d: %.17g", run, points[i].offset);
			holds(near(points[i].log, expected, 2e-15L * fabsl(expected)), "logarithm, run %d: %.17g, not %.20Lg", run,
				  points[i].log, expected);
		}
		forget();
	}
	property_end();

	property("prices that differ in their last digits only have a spread and a premium");
	for (int run = 0; run < 1000; run++)
	{
		static const Int bases[] = {1000000000, 36028797018963000, 9007199254740992000, (Int) 1000000000000000000 * 1000000000000};
		Int			base = bases[run % 4];
		Row			rows[30];
		int			n = 4 + (int) random_below(LENGTH_OF(rows) - 3);
		long double means[2] = {0};
		long double product = 0;
		int			sizes[2] = {0};
		PriceGap	gap;
		Expected	e;

		price_scale = 2;
		for (int i = 0; i < n; i++)
		{
			rows[i] = (Row) {0, 0, i < 2 ? i : (int) random_below(2), base + (Int) random_below(5), 10};
			sizes[rows[i].group]++;
		}
		gap = gap_of(rows, n, -1, 1, 1);
		e = expect(rows, n, -1, 1, 1);
		check_gap(&gap, &e, run);
		/* ln(p / base) is (p - base) / base but for less than any digit of it. */
		for (int i = 0; i < n; i++)
			means[rows[i].group] += log1pl((long double) (rows[i].price - base) / base) / sizes[rows[i].group];
		product = (long double) sizes[0] * sizes[1] / n * (means[1] - means[0]);
		holds(near(gap.log_product, product, 1e-13L * n / base + 1e-12L * fabsl(product)), "run %d: %.17g, not %.20Lg", run,
			  gap.log_product, product);
		forget();
	}
	property_end();
}

/* ---------- medians ---------- */

static void
test_medians(void)
{
	property("medians are those of the expanded rows");
	for (int run = 0; run < 20000; run++)
	{
		Row			rows[40];
		int			n = make_rows(rows, run % 3 ? 8 : 40, run, 1, 1);
		PricePoint	points[LENGTH_OF(rows)];
		uint32		npoints;
		int64		packed;
		Int			middle;
		Decimal		median;
		Decimal		expected;

		qsort(rows, n, sizeof(Row), compare_prices);
		npoints = add_points(points, rows, n);
		middle = rows[(n - 1) / 2].price + rows[n / 2].price;
		packed = price_median(points, npoints, n, &pool);
		median = decimal_unpack(packed, &pool);
		expected = decimal_of(middle * 5, price_scale + 1);
		holds(decimal_compare(&median, &expected) == 0, "run %d, %d rows", run, n);
		/* One that is a price is that very price; any other has no zeros at its end. */
		for (uint32 i = 0; i < npoints; i++)
			holds(packed == points[i].price || rows[(n - 1) / 2].price != rows[n / 2].price ||
				  decimal_packed_compare(packed, points[i].price, &pool) != 0, "a price anew, run %d", run);
		holds(decimal_is_pooled(packed) || packed == packed_of(middle * 5, price_scale + 1), "bits of run %d", run);
		forget();
	}
	property_end();

	{
		/* 2^32 - 1 rows of one price and of the next, and one more of either. */
		PricePoint	points[] = {
			{.price = packed_of(1, 0), .count = PG_UINT32_MAX},
			{.price = packed_of(2, 0), .count = PG_UINT32_MAX},
			{.price = packed_of(5, 0), .count = 1}
		};

		ok(price_median(points, 2, 2 * (int64) PG_UINT32_MAX, &pool) == packed_of(15, 1), "the middle of 2^33 - 2 rows");
		ok(price_median(points, 3, 2 * (int64) PG_UINT32_MAX + 1, &pool) == packed_of(2, 0), "the middle of 2^33 - 1 rows");
		points[0].count--;
		ok(price_median(points, 2, 2 * (int64) PG_UINT32_MAX - 1, &pool) == packed_of(2, 0), "the middle of 2^33 - 3 rows");
		forget();
	}
}

/* ---------- worked examples ---------- */

/* The example of docs/pricebook.md. */
static void
test_example(void)
{
	static const Row rows[] = {
		{0, 0, 0, 1000, 10}, {0, 0, 1, 1100, 10}, {0, 0, 1, 1200, 10}, {0, 1, 0, 1000, 10},
		{1, 0, 0, 2000, 10}, {1, 0, 0, 2100, 10}, {1, 0, 1, 2200, 10},
		{2, 0, 1, 500, 10}, {2, 0, 0, 500, 10}, {2, 0, 1, 550, 10}
	};
	FixedEffectCluster clusters[3];
	FixedEffect effect;
	FixedEffectInference inference;
	PriceGap	gap;
	DecimalTotal sums[2] = {{0}};
	int			n[2] = {0};
	float8		difference;
	float8		naive;

	price_scale = 2;
	gap = gap_of(rows, LENGTH_OF(rows), -1, 2, 3);
	ok(gap.cells == 3 && gap.n == 5 && gap.reference_n == 4, "worked example: three cells of five and four rows");
	ok(is_total(&gap.above, 500, 2) && is_total(&gap.below, 0, 2), "worked example: overcharge 5.00, all of it net");
	for (int item = 0; item < 3; item++)
	{
		PriceGap	mine = gap_of(rows, LENGTH_OF(rows), item, 2, 3);

		clusters[item] = (FixedEffectCluster) {mine.log_product, mine.log_square};
	}
	effect = fixed_effect(clusters, 3, NULL, &gap.log_rows);
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(near(effect.slope, .08579535197L, 5e-12L), "worked example: gamma");
	ok(near(100 * expm1(effect.slope), 8.958332441L, 5e-10L), "worked example: premium");
	/* As test/oracle/price_inference.py has it. */
	ok(near(inference.error, 0.02734738473L, 5e-12L), "worked example: standard error");
	ok(near(effect.effective_items, 3, 1e-14L) && near(inference.df, 2, 1e-14L), "worked example: three items alike");
	/* Student's t of df = 2: t^2 = 2 (1 - a)^2 / (a (2 - a)) */
	ok(near(inference.high - effect.slope, sqrt(2 * 0.95 * 0.95 / (0.05 * 1.95)) * 0.02734738473L, 1e-10L) &&
	   near(effect.slope - inference.low, inference.high - effect.slope, 1e-15L), "worked example: interval");

	for (size_t i = 0; i < LENGTH_OF(rows); i++)
	{
		n[rows[i].group]++;
		(void) decimal_total_add(&sums[rows[i].group], 1, packed_of(rows[i].price, 2), NULL, packed_of(1, 0), NULL);
	}
	ok(price_compare_means(&sums[1], n[1], &sums[0], n[0], &difference, &naive) &&
	   near(naive, -15.90909091L, 5e-9L) && near(difference, 11.1L - 13.2L, 1e-15L), "worked example: naive gap");
	forget();
}

/* R's ToothGrowth: len by supp, OJ against VC, in strata of dose. */
static void
test_toothgrowth(void)
{
	static const int len[2][3][10] = {
		{
			{42, 115, 73, 58, 64, 100, 112, 112, 52, 70},
			{165, 165, 152, 173, 225, 173, 136, 145, 188, 155},
			{236, 185, 339, 255, 264, 325, 267, 215, 233, 295}
		}, {
			{152, 215, 176, 97, 145, 100, 82, 94, 165, 97},
			{197, 233, 236, 264, 200, 252, 258, 212, 145, 273},
			{255, 264, 224, 245, 248, 309, 264, 273, 294, 230}
		}
	};
	/* W of OJ, and V; E is 105 in all. */
	static const float8 w[] = {135.5, 143.5, 104.5};
	static const float8 v[] = {174.6052632, 174.6052632, 174.3421053};
	Row			rows[60];
	PriceGap	gap;
	int			n = 0;

	for (int group = 0; group < 2; group++)
		for (int dose = 0; dose < 3; dose++)
			for (int i = 0; i < 10; i++)
				rows[n++] = (Row) {0, dose, group, len[group][dose][i], 10};
	price_scale = 1;
	gap = gap_of(rows, n, -1, 3, 1);
	ok(near(price_gap_z(&gap), 2.993714619L, 5e-10L), "ToothGrowth: z");
	/* With equal sizes all weights are 1 / 21. */
	ok(near(gap.rank_sum * 21, w[0] + w[1] + w[2] - 315, 1e-12L), "ToothGrowth: W - E");
	ok(near(gap.rank_variance * 21 * 21, v[0] + v[1] + v[2], 2e-7L), "ToothGrowth: V");
	for (int dose = 0; dose < 3; dose++)
	{
		Row			mine[20];

		n = 0;
		for (int i = 0; i < 60; i++)
			if (rows[i].period == dose)
				mine[n++] = rows[i];
		gap = gap_of(mine, n, -1, 3, 1);
		ok(near(gap.rank_sum * 21 + 105, w[dose], 1e-12L) && near(gap.rank_variance * 21 * 21, v[dose], 6e-8L),
		   "ToothGrowth: W and V of dose %d", dose);
	}
	forget();
}

static void
test_constant(void)
{
	/* One price in both groups; one in each; a tenth that no float8 is. */
	static const Row one[] = {{0, 0, 0, 10, 10}, {0, 0, 1, 10, 10}, {0, 0, 1, 10, 10}, {1, 0, 0, 7, 10}, {1, 0, 1, 7, 10}};
	static const Row each[] = {{0, 0, 0, 10, 10}, {0, 0, 0, 10, 10}, {0, 0, 1, 11, 10}, {0, 0, 1, 11, 10}};
	PriceGap	gap;
	float8		difference;
	float8		percent;

	price_scale = 2;
	gap = gap_of(one, LENGTH_OF(one), -1, 1, 2);
	ok(gap.rank_sum == 0 && gap.rank_variance == 0 && price_gap_z(&gap) == 0 && gap.log_product == 0,
	   "equal prices: nothing to tell, exactly");
	gap = gap_of(one, 3, -1, 1, 1);
	ok(isnan(price_gap_hedges(&gap, 0)), "one price: no spread, no Hedges");
	gap = gap_of(each, LENGTH_OF(each), -1, 1, 1);
	ok(isnan(price_gap_hedges(&gap, 0.01)), "a price in each group: no spread, no Hedges");
	ok(price_compare_means(&gap.sum, gap.n, &gap.reference_sum, gap.reference_n, &difference, &percent) &&
	   near(difference, 0.01L, 1e-17L) && near(percent, 10, 1e-14L), "a price in each group: the gap");
	/* W = 7, E = 5, V = 4/12 (5 - 12/12): z = 2 / sqrt(4/3) = sqrt(3) */
	ok(near(price_gap_z(&gap), sqrtl(3), 1e-15L), "a price in each group: z by hand");
	gap = gap_of(each + 1, 2, -1, 1, 1);
	ok(isnan(price_gap_hedges(&gap, 0.01)), "two rows: no degree of freedom");

	/* Rounding must not make a difference where there is none. */
	property("prices that never vary in a cell have no spread and no premium, exactly");
	for (int run = 0; run < 3000; run++)
	{
		static const int cells = 4;
		bool		same = run % 2;	/* in all cells but the first, which is the reference's alone */
		Row			rows[80];
		int			n = 1 + 2 * (cells - 1);

		/* What all else is related to. */
		rows[0] = (Row) {0, 0, 0, 1 + (Int) random_below(100000), 10};
		for (int i = 1; i < n; i++)
			rows[i] = (Row) {0, 1 + (i - 1) / 2, i % 2, 0, 10};
		for (int more = (int) random_below(LENGTH_OF(rows) - n); more > 0; more--)
			rows[n++] = (Row) {0, 1 + (int) random_below(cells - 1), (int) random_below(2), 0, 10};
		for (int i = 1; i < n; i++)
			rows[i].price = run + 1 + (same ? 0 : 1000 * rows[i].period);
		gap = gap_of(rows, n, -1, cells, 1);
		holds(gap.cells == cells - 1, "%d cells", (int) gap.cells);
		holds(gap.log_product == 0 && gap.rank_sum == 0 && gap.rank_variance == 0, "%d rows of %d: %g", n, run + 1,
			  gap.log_product);
		holds(!same || (gap.spread.squares == 0 && gap.reference_spread.squares == 0), "%d rows of %d: spread %g", n, run + 1,
			  gap.spread.squares);
	}
	property_end();
	forget();
}

/* ---------- extremes ---------- */

/* Points that each have so many rows, at prices first, first + 2, first + 4, ... */
static void
fill(PricePoint *points, int npoints, uint32 count, int first)
{
	for (int i = 0; i < npoints; i++)
		points[i] = (PricePoint) {
			.price = packed_of(first + 2 * i, 0), .quantity = packed_of(count, 0), .count = count
		};
}

static void
test_many_rows(void)
{
	property("as many rows as a book can have");
	for (int kind = 0; kind < 3; kind++)
	{
		/* Prices of the group between those of the reference; the same; all above. */
		static const int firsts[] = {2, 1, 5001};
		int			points = 512;
		uint32		count = PG_UINT32_MAX;
		PricePoint *a = malloc(2 * points * sizeof(PricePoint));
		PricePoint *b = a + points;
		PriceReference reference = {.below = malloc(points * sizeof(int64))};
		PriceSide	side;
		PriceGap	gap = {0};
		float8		difference = NAN;
		float8		percent = NAN;
		long double m = (long double) points * count;
		long double t = kind == 1 ? 2.0L * count : count;
		/* Tie groups: as many as there are prices. */
		long double variance = m * m / 12 * (2 * m + 1 - (2 * m / t) * (t * t * t - t) / (2 * m * (2 * m - 1)));
		/* W - E: pairs in which the group pays more, less half of all. */
		long double pairs = kind == 0 ? m * m / 2 + points * (long double) count * count / 2 : kind == 1 ? m * m / 2 : m * m;

		fill(a, points, count, 1);
		fill(b, points, count, firsts[kind]);
		price_points_set_origin(a, 2 * points, &pool);
		holds(price_reference_open(&reference, a, points, &pool) &&
			  price_side_open(&side, b, points, reference.base, &pool) &&
			  price_gap_add_cell(&gap, &reference, &side, &pool), "kind %d does not fit", kind);
		holds(gap.n == (int64) count * points && gap.reference_n == gap.n, "rows of kind %d", kind);
		holds(near(gap.rank_sum, (pairs - m * m / 2) / (2 * m + 1), 1e-13L * m), "rank sum of kind %d: %.17g", kind, gap.rank_sum);
		holds(near(gap.rank_variance, variance / ((2 * m + 1) * (2 * m + 1)), 1e-14L * m), "rank variance of kind %d: %.17g",
			  kind, gap.rank_variance);
		/* Sums of 1, 3, 5, ... are squares. */
		holds(is_total(&gap.reference_sum, (Int) count * points * points, 0), "sum of kind %d", kind);
		holds(is_total(&gap.sum, (Int) count * ((Int) points * points + (Int) (firsts[kind] - 1) * points), 0),
			  "the group's sum of kind %d", kind);
		/* Prices are 2 i + first, so means differ by what the first do; the reference's is 512. */
		holds(price_compare_means(&gap.sum, gap.n, &gap.reference_sum, gap.reference_n, &difference, &percent) &&
			  difference == firsts[kind] - 1 && near(percent, (firsts[kind] - 1) / 5.12L, 1e-12L),
			  "means of kind %d: %.17g, %.17g", kind, difference, percent);
		holds(near(gap.reference_spread.squares / (count * (long double) points), ((long double) points * points - 1) / 3, 1e-8L),
			  "squares of kind %d: %.17g", kind, gap.reference_spread.squares);
		free(reference.below);
		free(a);
	}
	property_end();

	/* All rows at one price: exactly no variance, though N^3 has 126 bits. */
	{
		PricePoint *a = malloc(sizeof(PricePoint));
		PriceReference reference = {.below = malloc(sizeof(int64))};
		PriceSide	side;
		PriceGap	gap = {0};

		fill(a, 1, PG_UINT32_MAX, 7);
		price_points_set_origin(a, 1, &pool);
		ok(price_reference_open(&reference, a, 1, &pool) && price_side_open(&side, a, 1, reference.base, &pool) &&
		   price_gap_add_cell(&gap, &reference, &side, &pool) && gap.rank_variance == 0 && gap.rank_sum == 0 &&
		   price_gap_z(&gap) == 0, "2^33 - 2 rows of one price have no variance");
		free(reference.below);
		free(a);
	}
	forget();
}

static void
test_limits(void)
{
	Decimal		end = {.scale = 0};
	PricePoint	point = {.count = 2, .quantity = packed_of(1, 0)};
	PriceReference reference = {.below = malloc(sizeof(int64))};
	PriceSide	side;
	PriceGap	gap = {0};
	PriceGap	other = {0};
	DecimalTotal one = {0};
	float8		difference;
	float8		percent;

	memset(end.word, 0xFF, sizeof(end.word));
	end.word[DECIMAL_WORDS - 1] = 0x7FFFFFFF;
	point.price = decimal_pack(&end, &pool);
	ok(!price_side_open(&side, &point, 1, 0, &pool), "a sum of prices that 256 bits do not hold is told");
	ok(!price_reference_open(&reference, &point, 1, &pool), "the reference's, too");

	/* Money of two cells that is held, but not their sum. */
	(void) decimal_total_add(&gap.above, 1, point.price, &pool, packed_of(1, 0), NULL);
	other = gap;
	ok(!price_gap_merge(&gap, &other), "a sum of money that 256 bits do not hold is told");
	memset(&gap, 0, sizeof(gap));
	gap.below = other.above;
	memset(&other, 0, sizeof(other));
	other.below = gap.below;
	ok(!price_gap_merge(&gap, &other), "money below, too");

	(void) decimal_total_add(&one, 1, packed_of(1, 0), NULL, packed_of(1, 0), NULL);
	ok(!price_compare_means(&other.below, 1, &one, 2, &difference, &percent) &&
	   !price_compare_means(&one, 2, &other.below, 1, &difference, &percent), "so is a mean that cannot be compared");
	ok(price_compare_means(&one, 1, &one, 1, &difference, &percent) && difference == 0 && percent == 0,
	   "equal means do not differ");
	free(reference.below);

	/* The money of a cell: a price of 38 digits, more often than 256 bits hold. */
	{
		PricePoint	cheap = {.price = packed_of(1, 0), .quantity = packed_of(1, 0), .count = 1};
		PricePoint	dear = {.count = 1};
		Decimal		amount;

		decimal_from_text("99999999999999999999999999999999999999.9999999999999999999999999999", 67, &amount);
		dear.price = decimal_pack(&amount, &pool);
		dear.quantity = dear.price;
		reference.below = malloc(sizeof(int64));
		memset(&gap, 0, sizeof(gap));
		ok(price_reference_open(&reference, &cheap, 1, &pool) && price_side_open(&side, &dear, 1, reference.base, &pool) &&
		   !price_gap_add_cell(&gap, &reference, &side, &pool), "money above that 256 bits do not hold is told");
		cheap.quantity = dear.quantity;
		memset(&gap, 0, sizeof(gap));
		ok(price_reference_open(&reference, &dear, 1, &pool) && price_side_open(&side, &cheap, 1, reference.base, &pool) &&
		   !price_gap_add_cell(&gap, &reference, &side, &pool), "money below, too");

		/* As long as prices are equal, only their sums can be too much. */
		point.count = 1;
		memset(&gap, 0, sizeof(gap));
		ok(price_reference_open(&reference, &point, 1, &pool) && price_side_open(&side, &point, 1, reference.base, &pool) &&
		   price_gap_add_cell(&gap, &reference, &side, &pool) && !price_gap_add_cell(&gap, &reference, &side, &pool),
		   "sums of prices of two cells that 256 bits do not hold are told");
		free(reference.below);
	}
	forget();
}

/* ---------- fixed effects ---------- */

static void
test_fixed_effect(void)
{
	static const FixedEffectCluster one = {3, 2};
	static const FixedEffectCluster line[] = {{3, 2}, {1.5, 1}, {6, 4}};
	/* Slope 3 / 2; without either 1 / 2 and 5 / 2: 1 / 2 (1 + 1). */
	static const FixedEffectCluster two[] = {{2.5, 1}, {0.5, 1}};
	/* Without one of three folds: 2.5 / 1, 4 / 3, 3 / 2 again; 2 / 3 (1 + 1 / 36). */
	FixedEffectFolds folds = {.fold = {
		[0] = {2.5, 1, 1, true},
		[7] = {4, 3, 1, true},
		[31] = {3, 2, 2, true}
	}};
	/* 5 + 2 * (1 - 1.5)^2 = 5.5, over the square of 2 */
	static const FixedEffectRows rows = {2, 1, 5};
	/* Slope 3; without the first, whose weight is nearly all, 1: 2 / 3 * 2^2. */
	static const FixedEffectCluster heavy[] = {{0x1.8p101, 0x1p100}, {0.25, 0.25}, {0.75, 0.75}};
	FixedEffect effect = fixed_effect(&one, 1, NULL, &rows);

	ok(effect.slope == 1.5 && isnan(effect.items_variance) && isnan(effect.members_variance) && effect.rows_variance == 5.5 / 4,
	   "one item: a slope, whose variance by items is unknown");
	effect = fixed_effect(&one, 1, NULL, NULL);
	ok(isnan(effect.rows_variance), "without rows, their variance is unknown");
	effect = fixed_effect(line, 3, NULL, NULL);
	ok(effect.slope == 1.5 && effect.items_variance == 0, "items that agree: exactly no variance");
	ok(near(effect.effective_items, 49 / 21.0L, 1e-15L), "effective items by hand");
	effect = fixed_effect(heavy, 3, NULL, NULL);
	ok(effect.slope == 3 && near(effect.items_variance, 8 / 3.0L, 1e-15L) && effect.effective_items == 1, "what is left without an item that outweighs all others");
	effect = fixed_effect(two, 2, &folds, &rows);
	ok(effect.slope == 1.5 && near(effect.items_variance, 1, 1e-15L) && effect.effective_items == 2, "two items by hand");
	ok(near(effect.members_variance, 2 / 3.0L * (1 + 1 / 36.0L), 1e-15L), "three folds by hand");
	ok(near(effect.effective_folds, 16 / 6.0L, 1e-15L), "effective folds by hand");
	ok(near(effect.rows_variance, 5.5L / 4, 1e-15L), "rows by hand");
	folds.fold[31].product = folds.fold[31].square = 0;
	effect = fixed_effect(two, 2, &folds, &rows);
	ok(isnan(effect.members_variance) && isnan(effect.effective_folds), "nothing is known of members if nothing is left without some");
	folds.fold[31].is_used = false;
	effect = fixed_effect(two, 2, &folds, &rows);
	ok(near(effect.members_variance, (1 + 1 / 36.0L) / 2, 1e-15L) && effect.effective_folds == 2, "folds that are not used do not count");

	property("one item never has a variance");
	for (int i = 1; i < 1000; i++)
	{
		FixedEffectCluster cluster = {i / 10.0, (i * 7 % 1000 + 1) / 30.0};

		effect = fixed_effect(&cluster, 1, NULL, NULL);
		holds(effect.slope == cluster.product / cluster.square && isnan(effect.items_variance) && effect.effective_items == 1,
			  "%g, %g: %g", cluster.product, cluster.square, effect.items_variance);
	}
	property_end();

	property("slope and jackknife over items, left out one by one");
	for (int run = 0; run < 5000; run++)
	{
		FixedEffectCluster clusters[8];
		int			count = 2 + (int) random_below(7);
		long double slope = 0;
		long double square = 0;
		long double squares = 0;
		long double variance = 0;

		for (int i = 0; i < count; i++)
		{
			clusters[i] = (FixedEffectCluster) {(double) random_below(2001) / 100 - 10, (1 + (double) random_below(1000)) / 100};
			slope += clusters[i].product;
			square += clusters[i].square;
			squares += (long double) clusters[i].square * clusters[i].square;
		}
		slope /= square;
		for (int i = 0; i < count; i++)
		{
			long double product_left = 0;
			long double square_left = 0;

			for (int k = 0; k < count; k++)
				if (k != i)
				{
					product_left += clusters[k].product;
					square_left += clusters[k].square;
				}
			variance += powl(product_left / square_left - slope, 2) * (count - 1) / count;
		}
		effect = fixed_effect(clusters, count, NULL, NULL);
		holds(near(effect.slope, slope, 1e-13L) && near(effect.items_variance, variance, 1e-11L * variance + 1e-20L),
			  "run %d: %.17g, %.17g, not %.20Lg", run, effect.slope, effect.items_variance, variance);
		holds(near(effect.effective_items, square * square / squares, 1e-13L), "effective items, run %d", run);
	}
	property_end();
}

/* The variance that an inference is about. */
static bool
has_variance(const FixedEffect *effect, bool within_item, long double variance, long double df)
{
	FixedEffectInference inference = fixed_effect_infer(effect, within_item, 0.05);

	return near(inference.error, sqrtl(variance), 1e-15L) && near(inference.df, df, 1e-15L);
}

static void
test_inference(void)
{
	FixedEffect effect = {
		.slope = 3, .items_variance = 4, .members_variance = 2, .rows_variance = 1, .has_members = true,
		.effective_items = 9, .effective_folds = 3
	};
	FixedEffectInference inference = fixed_effect_infer(&effect, false, 0.05);
	/* Student's t of df = 2: t^2 = 2 (1 - a)^2 / (a (2 - a)), p = 1 - t / sqrt(t^2 + 2) */
	long double t = 3 / sqrtl(5);

	ok(has_variance(&effect, false, 5, 2), "items and members, less the rows that both have");
	ok(near(inference.high - 3, sqrtl(5 * 2 * 0.9025L / 0.0975L), 1e-11L) && near(3 - inference.low, inference.high - 3, 1e-14L),
	   "the interval");
	ok(near(inference.p, 1 - t / sqrtl(t * t + 2), 1e-13L), "the test");
	ok(inference.design_effect == 5, "the design effect");
	ok(has_variance(&effect, true, 2, 2), "of one item, members alone");
	inference = fixed_effect_infer(&effect, true, 0.05);
	ok(inference.design_effect == 2, "and their design effect");
	effect.rows_variance = 3;
	ok(has_variance(&effect, false, 4, 2), "not less than by items");
	effect.members_variance = 4.5;
	effect.rows_variance = 5;
	ok(has_variance(&effect, false, 4.5L, 2), "nor than by members");
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(inference.design_effect == 1, "a design effect is at least 1");
	effect.effective_items = 1.5;
	ok(has_variance(&effect, false, 4.5L, 1), "one degree of freedom at least");
	effect.effective_items = 2.25;
	ok(has_variance(&effect, false, 4.5L, 1.25L), "degrees of freedom are not whole");
	effect.members_variance = NAN;
	effect.effective_folds = NAN;
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(isnan(inference.error) && isnan(inference.df) && isnan(inference.low) && isnan(inference.high) && isnan(inference.p) &&
	   isnan(inference.design_effect), "nothing follows if it is not known how members vary");
	inference = fixed_effect_infer(&effect, true, 0.05);
	ok(isnan(inference.error) && isnan(inference.design_effect), "nor of one item");
	effect.has_members = false;
	ok(has_variance(&effect, false, 5, 1.25L), "without members, the larger one of items and rows");
	effect.items_variance = 6;
	ok(has_variance(&effect, false, 6, 1.25L), "which may be that of items");
	effect.rows_variance = NAN;
	ok(has_variance(&effect, false, 6, 1.25L), "and is if rows are not known");
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(inference.design_effect == 1, "then nobody knows a design effect");
	effect.items_variance = NAN;
	effect.rows_variance = 5;
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(isnan(inference.error), "rows alone do not suffice");
	effect = (FixedEffect) {.slope = 3, .members_variance = NAN, .effective_items = 2, .effective_folds = NAN};
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(inference.error == 0 && inference.low == 3 && inference.high == 3 && inference.p == 0 && inference.design_effect == 1,
	   "no variance: an interval of no width, and certainty");
	effect.slope = 0;
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(inference.p == 1, "or the certainty that there is nothing");
}

/* ---------- members ---------- */

/* Appends what the folds paid of sorted rows of a group in a cell. */
static uint32
add_price_folds(PriceFold *folds, const Row *rows, int n)
{
	uint32		nfolds = 0;

	for (int fold = 0; fold < MEMBER_FOLDS; fold++)
	{
		folds[nfolds] = (PriceFold) {.fold = (uint32) fold};
		for (int i = 0; i < n; i++)
			if (rows[i].fold == fold)
			{
				folds[nfolds].rows++;
				folds[nfolds].log_sum += price_log((double) to_number(rows[i].price));
			}
		if (folds[nfolds].rows > 0)
			nfolds++;
	}
	return nfolds;
}

/* What the core makes of rows with members; no cells: a slope of NAN. */
static FixedEffect
effect_of(const Row *rows, int n, int periods, int items)
{
	FixedEffectCluster *clusters = malloc(items * sizeof(FixedEffectCluster));
	FixedEffectFolds folds = {.fold = {{0}}};
	PriceGap	whole = {0};
	FixedEffect effect = {.slope = NAN};
	Size		nclusters = 0;

	for (int item = 0; item < items; item++)
	{
		FixedEffectFolds item_folds = {.fold = {{0}}};
		PriceGap	gap = {0};

		for (int period = 0; period < periods; period++)
		{
			int			sizes[2];
			Row		   *mine[2];
			uint32		npoints[2];
			PricePoint *points;
			PriceFold  *price_folds[2];
			uint32		nfolds[2];
			PriceReference reference;
			PriceSide	side;

			for (int group = 0; group < 2; group++)
				mine[group] = take_rows(rows, n, item, period, group, &sizes[group]);
			points = malloc((sizes[0] + sizes[1] + 1) * sizeof(PricePoint));
			npoints[0] = add_points(points, mine[0], sizes[0]);
			npoints[1] = add_points(points + npoints[0], mine[1], sizes[1]);
			for (int group = 0; group < 2; group++)
			{
				PriceFold	all[MEMBER_FOLDS + 1];

				nfolds[group] = add_price_folds(all, mine[group], sizes[group]);
				price_folds[group] = exact_copy(all, nfolds[group] * sizeof(PriceFold));
				free(mine[group]);
			}
			reference.below = malloc((npoints[0] + 1) * sizeof(int64));
			if (npoints[0] > 0 && npoints[1] > 0)
			{
				price_points_set_origin(points, npoints[0] + npoints[1], &pool);
				holds(price_reference_open(&reference, points, npoints[0], &pool) &&
					  price_side_open(&side, points + npoints[0], npoints[1], reference.base, &pool) &&
					  price_gap_add_cell(&gap, &reference, &side, &pool), "a cell does not fit");
				reference.side.folds = price_folds[0];
				reference.side.nfolds = nfolds[0];
				side.folds = price_folds[1];
				side.nfolds = nfolds[1];
				price_gap_add_folds(&item_folds, &reference, &side);
			}
			free(reference.below);
			free(points);
			free(price_folds[0]);
			free(price_folds[1]);
		}
		if (gap.cells == 0)
			continue;
		clusters[nclusters++] = (FixedEffectCluster) {gap.log_product, gap.log_square};
		fixed_effect_add_folds(&folds, &item_folds);
		holds(price_gap_merge(&whole, &gap), "items do not fit");
	}
	if (nclusters > 0)
		effect = fixed_effect(clusters, nclusters, &folds, &whole.log_rows);
	free(clusters);
	return effect;
}

/* Nothing left out, the rows of an item, or those of a fold. */
typedef enum Without
{
	WITHOUT_NOTHING,
	WITHOUT_ITEM,
	WITHOUT_FOLD
} Without;

/* What the definitions make of rows; estimates are made anew of the rows that are left. */
typedef struct Definition
{
	long double slope;
	long double square;
	long double rows_variance;
	long double effective;
} Definition;

/*
 * The mean difference of logarithms, weighted by mn / (m + n), and the variance of
 * rows; false if no cell compares.  by: what the weights belong to.
 */
static bool
define(const Row *rows, int n, int periods, int items, Without without, int which, Without by, Definition *d)
{
	long double weights[MEMBER_FOLDS] = {0};
	long double product = 0;
	long double sum = 0;
	long double squares = 0;

	*d = (Definition) {0};
	for (int pass = 0; pass < 2; pass++)
		for (int cell = 0; cell < items * periods; cell++)
		{
			long double m[2] = {0};
			long double mean[2] = {0};

			for (int i = 0; i < n; i++)
				if (rows[i].item * periods + rows[i].period == cell && rows[i].group < 2 &&
					!(without == WITHOUT_ITEM && rows[i].item == which) && !(without == WITHOUT_FOLD && rows[i].fold == which))
				{
					m[rows[i].group]++;
					mean[rows[i].group] += logl(to_number(rows[i].price));
				}
			if (m[0] == 0 || m[1] == 0)
				continue;
			mean[0] /= m[0];
			mean[1] /= m[1];
			if (pass == 0)
			{
				d->square += m[0] * m[1] / (m[0] + m[1]);
				product += m[0] * m[1] / (m[0] + m[1]) * (mean[1] - mean[0]);
				continue;
			}
			for (int i = 0; i < n && without == WITHOUT_NOTHING; i++)
				if (rows[i].item * periods + rows[i].period == cell && rows[i].group < 2)
				{
					long double x = rows[i].group - m[1] / (m[0] + m[1]);
					long double y = logl(to_number(rows[i].price)) - (m[0] * mean[0] + m[1] * mean[1]) / (m[0] + m[1]);

					d->rows_variance += powl(x * (y - x * product / d->square), 2) / d->square / d->square;
					weights[by == WITHOUT_ITEM ? rows[i].item : rows[i].fold] += x * x;
				}
		}
	for (int i = 0; i < MEMBER_FOLDS; i++)
	{
		sum += weights[i];
		squares += weights[i] * weights[i];
	}
	d->slope = product / d->square;
	d->effective = sum * sum / squares;
	return d->square > 0;
}

/* The jackknife, and if every estimate exists; NAN if there are fewer than two. */
static long double
jackknife(const Row *rows, int n, int periods, int items, Without without, bool *all_exist)
{
	Definition	whole;
	long double sum = 0;
	int			estimates = 0;

	*all_exist = true;
	(void) define(rows, n, periods, items, WITHOUT_NOTHING, 0, without, &whole);
	for (int which = 0; which < MEMBER_FOLDS; which++)
	{
		Definition	left;
		bool		is_used = false;

		/* Rows of cells that compare. */
		for (int i = 0; i < n && !is_used; i++)
			for (int k = 0; k < n && (without == WITHOUT_ITEM ? rows[i].item : rows[i].fold) == which && rows[i].group < 2; k++)
				is_used |= rows[k].item == rows[i].item && rows[k].period == rows[i].period && rows[k].group == 1 - rows[i].group;
		if (!is_used)
			continue;
		if (define(rows, n, periods, items, without, which, without, &left))
		{
			sum += powl(left.slope - whole.slope, 2);
			estimates++;
		}
		else
			*all_exist = false;
	}
	return estimates < 2 ? NAN : sum * (estimates - 1) / estimates;
}

static bool
near_error(float8 variance, long double expected)
{
	return isnan(variance) ? isnan(expected) : near(sqrtl(variance), sqrtl(expected), 1e-12L + 1e-10L * sqrtl(expected));
}

static void
test_members(void)
{
	int			known = 0;
	int			unknown = 0;

	property("variances by items, members and rows: estimates made anew of the rows that are left");
	for (int run = 0; run < 1500; run++)
	{
		Row			rows[60];
		int			items = 1 + (int) random_below(4);
		int			periods = 1 + (int) random_below(3);
		int			n = make_rows(rows, run % 7 == 0 ? 6 : LENGTH_OF(rows), run, items, periods);
		int			members = run % 3 == 0 ? 3 : run % 3 == 1 ? 12 : MEMBER_FOLDS;
		int			last = (int) random_below(2) * (MEMBER_FOLDS - members);
		FixedEffect effect;
		Definition	d;
		bool		all_exist;
		long double variance;

		for (int i = 0; i < n; i++)
			rows[i].fold = last + (int) random_below(members);
		effect = effect_of(rows, n, periods, items);
		if (!define(rows, n, periods, items, WITHOUT_NOTHING, 0, WITHOUT_ITEM, &d))
		{
			holds(isnan(effect.slope), "an effect of nothing, run %d", run);
			forget();
			continue;
		}
		holds(near(effect.slope, d.slope, 1e-13L), "slope, run %d: %.17g, not %.20Lg", run, effect.slope, d.slope);
		holds(near_error(effect.rows_variance, d.rows_variance), "rows, run %d: %.17g, not %.20Lg", run, effect.rows_variance, d.rows_variance);
		holds(near(effect.effective_items, d.effective, 1e-12L), "effective items, run %d: %.17g", run, effect.effective_items);
		variance = jackknife(rows, n, periods, items, WITHOUT_ITEM, &all_exist);
		holds(near_error(effect.items_variance, variance), "items, run %d: %.17g, not %.20Lg", run, effect.items_variance, variance);
		variance = jackknife(rows, n, periods, items, WITHOUT_FOLD, &all_exist);
		if (!all_exist)
		{
			unknown++;
			variance = NAN;
		}
		else
		{
			known++;
			(void) define(rows, n, periods, items, WITHOUT_NOTHING, 0, WITHOUT_FOLD, &d);
			holds(near(effect.effective_folds, d.effective, 1e-12L * d.effective), "effective folds, run %d: %.17g, not %.20Lg", run,
				  effect.effective_folds, d.effective);
		}
		holds(near_error(effect.members_variance, variance), "members, run %d: %.17g, not %.20Lg", run, effect.members_variance, variance);
		forget();
	}
	holds(known > 500 && unknown > 20, "%d known and %d unknown", known, unknown);
	property_end();
}

/* An example small enough for paper; every member is a fold of its own. */
static void
test_members_example(void)
{
	static const Row rows[] = {
		{0, 0, 1, 1100, 10, 1}, {0, 0, 1, 1200, 10, 2}, {0, 0, 0, 1000, 10, 3},
		{1, 0, 1, 2200, 10, 1}, {1, 0, 0, 2000, 10, 3}, {1, 0, 0, 2100, 10, 4},
		{2, 0, 1, 550, 10, 2}, {2, 0, 0, 500, 10, 4}
	};
	/* Differences of the items' mean logarithms, and their weights mn / (m + n). */
	const long double d[] = {logl(132) / 2 - logl(10), logl(22) - logl(420) / 2, logl(1.1L)};
	const long double h[] = {2 / 3.0L, 2 / 3.0L, 0.5L};
	const long double gamma = (h[0] * d[0] + h[1] * d[1] + h[2] * d[2]) / (11 / 6.0L);
	/* Without m1 a and c are left, without m2 a and b, without m3 b and c, without m4 a and b. */
	const long double without[] = {
		(logl(1.2L) + logl(1.1L)) / 2, (logl(1.1L) / 2 + h[1] * d[1]) / (7 / 6.0L),
		(logl(22 / 21.0L) + logl(1.1L)) / 2, (h[0] * d[0] + logl(1.1L) / 2) / (7 / 6.0L)
	};
	long double items = 0;
	long double members = 0;
	long double squares;
	FixedEffect effect;
	FixedEffectInference inference;

	for (int i = 0; i < 3; i++)
		items += 2 / 3.0L * powl((11 / 6.0L * gamma - h[i] * d[i]) / (11 / 6.0L - h[i]) - gamma, 2);
	for (int i = 0; i < 4; i++)
		members += 3 / 4.0L * powl(without[i] - gamma, 2);
	/* A pair faces a single row in a and b: x~ is 1/3 and 2/3; a row a row in c: 1/2. */
	squares = 2 * powl((d[2] - gamma) / 4, 2);
	for (int i = 0; i < 2; i++)
	{
		long double half = logl(i == 0 ? 12 / 11.0L : 21 / 20.0L) / 2;

		squares += powl((d[i] - gamma) / 9 + half / 3, 2) + powl((d[i] - gamma) / 9 - half / 3, 2) + powl((d[i] - gamma) * 4 / 9, 2);
	}

	price_scale = 2;
	effect = effect_of(rows, LENGTH_OF(rows), 1, 3);
	ok(near(effect.slope, gamma, 1e-15L) && near(effect.slope, .1022594912L, 5e-11L), "example with members: gamma");
	ok(near(effect.items_variance, items, 1e-16L), "example with members: variance by items");
	ok(near(effect.members_variance, members, 1e-16L), "example with members: by members");
	ok(near(effect.rows_variance, squares / powl(11 / 6.0L, 2), 1e-16L), "example with members: by rows");
	ok(near(effect.effective_items, powl(11 / 6.0L, 2) / (4 / 9.0L + 4 / 9.0L + 1 / 4.0L), 1e-14L), "example with members: effective items");
	/* Sums of x~ squared of m1 to m4: 1/9 + 4/9, 1/9 + 1/4, 4/9 + 1/9, 1/9 + 1/4. */
	ok(near(effect.effective_folds, powl(11 / 6.0L, 2) / (2 * 25 / 81.0L + 2 * 169 / 1296.0L), 1e-14L), "example with members: effective folds");
	inference = fixed_effect_infer(&effect, false, 0.05);
	ok(near(inference.error, sqrtl(fmaxl(items + members - squares / powl(11 / 6.0L, 2), fmaxl(items, members))), 1e-15L),
	   "example with members: standard error");
	forget();
}

int
main(void)
{
	test_shops();
	test_sizes();
	test_relate();
	test_medians();
	test_example();
	test_toothgrowth();
	test_constant();
	test_many_rows();
	test_limits();
	test_fixed_effect();
	test_inference();
	test_members_example();
	test_members();
	return done_testing();
}
