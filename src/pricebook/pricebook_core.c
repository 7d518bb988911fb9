/*
 * pricebook_core.c
 *	  Compares what two groups paid for the same thing.
 */
#include "pricebook/pricebook_core.h"

#include <math.h>

#include "statistics/distributions.h"

static inline int64
pack_count(uint32 count)
{
	return decimal_pack_small(count, 0);
}

/*
 * Makes all points of an item relative to the first: then spreads and logarithms
 * keep all digits even if prices are large and nearly equal.
 */
void
price_points_set_origin(PricePoint *points, uint32 npoints, const DecimalPool *pool)
{
	float8		origin = decimal_packed_to_double(points[0].price, pool);

	for (uint32 i = 0; i < npoints; i++)
	{
		PricePoint *point = &points[i];
		float8		ratio;

		check_interrupts(i);
		point->offset = decimal_packed_difference(point->price, points[0].price, pool);
		ratio = point->offset / origin;
		point->log = fabs(ratio) < 0.5 ? log1p(ratio) :
			log(decimal_packed_to_double(point->price, pool) / origin);
	}
}

/*
 * Opens one group's points of a cell, at least one, in order of their prices.
 * False if the sum of the prices is out of range.
 */
bool
price_side_open(PriceSide *side, const PricePoint *points, uint32 npoints,
				float8 base, const DecimalPool *pool)
{
	float8		first = points[0].offset;
	float8		shift = 0;

	side->points = points;
	side->npoints = npoints;
	side->rows = 0;
	side->log_sum = side->log_squares = 0;
	side->folds = NULL;
	side->nfolds = 0;
	memset(&side->sum, 0, sizeof(side->sum));
	for (uint32 i = 0; i < npoints; i++)
	{
		check_interrupts(i);
		side->rows += points[i].count;
		side->log_sum += points[i].count * (points[i].log - base);
		shift += points[i].count * (points[i].offset - first);
		if (!decimal_total_add(&side->sum, 1, points[i].price, pool, pack_count(points[i].count), NULL))
			return false;
	}

	/* Relative to the side's first price, so that equal prices have exactly no spread. */
	side->spread.n = side->rows;
	side->spread.mean = first + shift / side->rows;
	side->spread.squares = 0;
	for (uint32 i = 0; i < npoints; i++)
	{
		float8		deviation = points[i].offset - side->spread.mean;
		float8		log_deviation = points[i].log - base - side->log_sum / side->rows;

		check_interrupts(i);
		side->spread.squares += points[i].count * deviation * deviation;
		side->log_squares += points[i].count * log_deviation * log_deviation;
	}
	return true;
}

/* The same for the reference, with whose points many groups are compared. */
bool
price_reference_open(PriceReference *reference, const PricePoint *points, uint32 npoints,
					 DecimalPool *pool)
{
	int64		rows = 0;

	reference->base = points[0].log;
	if (!price_side_open(&reference->side, points, npoints, reference->base, pool))
		return false;
	reference->median = price_median(points, npoints, reference->side.rows, pool);
	reference->cubes = 0;
	for (uint32 i = 0; i < npoints; i++)
	{
		uint128		count = points[i].count;

		check_interrupts(i);
		reference->below[i] = rows;
		rows += points[i].count;
		reference->cubes += count * count * count;
	}
	return true;
}

/*
 * The first of the reference's points from `from` on whose price is not below
 * the given one, found by doubling steps and then bisection: a group with few
 * points does not walk through all of the reference's.
 */
static uint32
advance(const PriceReference *reference, uint32 from, int64 price, const DecimalPool *pool)
{
	const PricePoint *points = reference->side.points;
	uint32		npoints = reference->side.npoints;
	uint32		low = from;
	uint32		step = 1;
	uint32		high;

	while (low < npoints && decimal_packed_compare(points[low].price, price, pool) < 0)
	{
		from = low + 1;
		low += step;
		step *= 2;
	}
	high = Min(low, npoints);
	while (from < high)
	{
		uint32		middle = from + (high - from) / 2;

		if (decimal_packed_compare(points[middle].price, price, pool) < 0)
			from = middle + 1;
		else
			high = middle;
	}
	return from;
}

/* Pools two spreads (Chan, Golub and LeVeque 1979). */
static void
pool_spread(PriceSpread *spread, const PriceSpread *other)
{
	float8		delta = other->mean - spread->mean;
	int64		n = spread->n + other->n;

	if (spread->n == 0)
	{
		*spread = *other;
		return;
	}
	spread->mean += delta * other->n / n;
	spread->squares += other->squares + delta * delta * ((float8) spread->n * other->n / n);
	spread->n = n;
}

/*
 * Adds a cell in which both bought to a gap; false if its money is out of range.
 *
 * The rank sum is computed as by Mann and Whitney: W - E is the number of pairs
 * in which the group paid more, ties as halves, less half of all pairs.  The
 * variance is mn / 12 * (N^3 - sum of t^3) / (N (N - 1)) over the counts t of
 * each price, which is the usual formula as one fraction.
 */
bool
price_gap_add_cell(PriceGap *gap, const PriceReference *reference,
				   const PriceSide *side, const DecimalPool *pool)
{
	float8		m = side->rows;
	float8		n = reference->side.rows;
	float8		all = m + n;
	float8		difference;		/* of the means of logarithms */
	FixedEffectRows rows;
	Decimal		reference_sum;
	uint128		total = (uint128) side->rows + reference->side.rows;
	uint128		cubes = reference->cubes;
	float8		excess = 0;		/* twice W - E */
	uint32		at = 0;

	for (uint32 i = 0; i < side->npoints; i++)
	{
		const PricePoint *point = &side->points[i];
		uint128		equal = 0;
		uint128		together;
		int64		below;
		int			order;

		check_interrupts(i);
		at = advance(reference, at, point->price, pool);
		below = at < reference->side.npoints ? reference->below[at] : reference->side.rows;
		if (at < reference->side.npoints &&
			decimal_packed_compare(reference->side.points[at].price, point->price, pool) == 0)
			equal = reference->side.points[at].count;
		together = equal + point->count;
		cubes += together * together * together - equal * equal * equal;
		excess += (float8) point->count *
			(float8) (2 * below + (int64) equal - reference->side.rows);

		order = decimal_packed_compare(point->price, reference->median, pool);
		if (order != 0)
		{
			DecimalTotal *money = order > 0 ? &gap->above : &gap->below;

			if (!decimal_total_add(money, order, point->price, pool, point->quantity, pool) ||
				!decimal_total_add(money, -order, reference->median, pool, point->quantity, pool))
				return false;
		}
	}

	gap->cells++;
	gap->n += side->rows;
	gap->reference_n += reference->side.rows;
	gap->rank_sum += excess / 2 / (all + 1);
	gap->rank_variance += m * n / 12 * ((float8) (total * total * total - cubes) / (all * (all - 1))) /
		((all + 1) * (all + 1));

	/*
	 * x~ is n / all in the group and -m / all in the reference.  The residual of a row is
	 * its deviation from the mean of its side and (difference - slope) * x~ of that.
	 */
	difference = side->log_sum / m - reference->side.log_sum / n;
	gap->log_product += m * n / all * difference;
	gap->log_square += m * n / all;
	rows.weight = m * n / all * (n * n * n + m * m * m) / (all * all * all);
	rows.mean = difference;
	rows.squares = (n / all) * (n / all) * side->log_squares + (m / all) * (m / all) * reference->side.log_squares;
	fixed_effect_add_rows(&gap->log_rows, &rows);
	if (!decimal_total_get(&reference->side.sum, &reference_sum))
		return false;
	gap->mean_sum += decimal_to_double(&reference_sum) * (m / n);
	pool_spread(&gap->spread, &side->spread);
	pool_spread(&gap->reference_spread, &reference->side.spread);
	return decimal_total_merge(&gap->sum, &side->sum) &&
		decimal_total_merge(&gap->reference_sum, &reference->side.sum);
}

/* The logarithm of a price in units of 2^-PRICE_LOG_BITS. */
int64
price_log(float8 price)
{
	return (int64) rint(ldexp(log(price), PRICE_LOG_BITS));
}

/* Rows and sum of logarithms, less the base, of a side of a cell or of part of it. */
typedef struct LogSum
{
	int64		rows;
	int128		sum;
} LogSum;

static LogSum
sum_folds(const PriceSide *side)
{
	LogSum		all = {0};

	for (uint32 i = 0; i < side->nfolds; i++)
	{
		all.rows += side->folds[i].rows;
		all.sum += side->folds[i].log_sum;
	}
	return all;
}

/* Takes the base from every row's logarithm: then means that are nearly equal keep their digits. */
static inline LogSum
rebase(LogSum sum, int64 base)
{
	sum.sum -= (int128) sum.rows * base;
	return sum;
}

/* x~ y~ and x~ squared of a cell with these sides. */
static inline void
log_effect(LogSum own, LogSum reference, float8 *product, float8 *square)
{
	float8		m = own.rows;
	float8		n = reference.rows;

	*square = m * n / (m + n);
	*product = *square * ldexp((float8) own.sum / m - (float8) reference.sum / n, -PRICE_LOG_BITS);
}

/* Takes a fold away from a side, if its next fold is that one; returns the number of its rows. */
static int64
leave_out(LogSum *rest, const PriceSide *side, uint32 *at, uint32 fold, int64 base)
{
	LogSum		gone;

	if (*at == side->nfolds || side->folds[*at].fold != fold)
		return 0;
	gone = rebase((LogSum) {side->folds[*at].rows, side->folds[*at].log_sum}, base);
	rest->rows -= gone.rows;
	rest->sum -= gone.sum;
	(*at)++;
	return gone.rows;
}

/* Adds what a cell has if the members of a fold are left out, for each fold. */
void
price_gap_add_folds(FixedEffectFolds *folds, const PriceReference *reference, const PriceSide *side)
{
	LogSum		own = sum_folds(side);
	LogSum		other = sum_folds(&reference->side);
	int64		base = (int64) (other.sum / other.rows);
	uint32		at = 0;
	uint32		reference_at = 0;
	float8		share;			/* of the group in the rows of the cell */
	float8		product;
	float8		square;

	own = rebase(own, base);
	other = rebase(other, base);
	share = (float8) own.rows / (own.rows + other.rows);
	log_effect(own, other, &product, &square);
	for (uint32 f = 0; f < MEMBER_FOLDS; f++)
	{
		FixedEffectFold *fold = &folds->fold[f];
		LogSum		rest = own;
		LogSum		reference_rest = other;
		int64		rows = leave_out(&rest, side, &at, f, base);
		int64		reference_rows = leave_out(&reference_rest, &reference->side, &reference_at, f, base);

		float8		product_left = product;
		float8		square_left = square;

		if (rows + reference_rows > 0)
		{
			fold->is_used = true;
			fold->weight += rows * (1 - share) * (1 - share) + reference_rows * share * share;
			if (rest.rows == 0 || reference_rest.rows == 0)
				continue;
			log_effect(rest, reference_rest, &product_left, &square_left);
		}
		fold->product += product_left;
		fold->square += square_left;
	}
}

/*
 * Adds the gap of one item to that of all items, except for the spreads, which
 * belong to an item; false as above.
 */
bool
price_gap_merge(PriceGap *gap, const PriceGap *other)
{
	gap->cells += other->cells;
	gap->n += other->n;
	gap->reference_n += other->reference_n;
	gap->rank_sum += other->rank_sum;
	gap->rank_variance += other->rank_variance;
	gap->log_product += other->log_product;
	gap->log_square += other->log_square;
	fixed_effect_add_rows(&gap->log_rows, &other->log_rows);
	gap->mean_sum += other->mean_sum;
	return decimal_total_merge(&gap->sum, &other->sum) &&
		decimal_total_merge(&gap->reference_sum, &other->reference_sum) &&
		decimal_total_merge(&gap->above, &other->above) &&
		decimal_total_merge(&gap->below, &other->below);
}

/* van Elteren's statistic; 0 where all prices of every cell are equal. */
float8
price_gap_z(const PriceGap *gap)
{
	return gap->rank_variance > 0 ? gap->rank_sum / sqrt(gap->rank_variance) : 0;
}

/* Hedges' g for a difference of means; NAN where it is not defined. */
float8
price_gap_hedges(const PriceGap *gap, float8 difference)
{
	float8		df = (float8) gap->n + gap->reference_n - 2;
	float8		squares = gap->spread.squares + gap->reference_spread.squares;

	if (df < 2 || !(squares > 0))
		return NAN;
	return difference / sqrt(squares / df) * statistics_hedges_correction(df);
}

/*
 * The median of points in order of their prices, weighted by their numbers of
 * rows: the middle one, or the mean of the two in the middle, which may need the
 * pool.
 */
int64
price_median(const PricePoint *points, uint32 npoints, int64 rows, DecimalPool *pool)
{
	static const Decimal half = {.word = {5}, .scale = 1};
	int64		seen = 0;
	uint32		low = npoints;

	for (uint32 i = 0; i < npoints; i++)
	{
		check_interrupts(i);
		seen += points[i].count;
		if (low == npoints && seen > (rows - 1) / 2)
			low = i;
		if (seen > rows / 2)
		{
			Decimal		a;
			Decimal		b;

			if (i == low)
				return points[i].price;
			a = decimal_unpack(points[low].price, pool);
			b = decimal_unpack(points[i].price, pool);
			(void) decimal_add(&a, &b);	/* prices have 66 digits of 76 */
			(void) decimal_multiply(&a, &half);
			(void) decimal_set_scale(&a, 0);
			return decimal_pack(&a, pool);
		}
	}
	Assert(false);
	return 0;
}

static bool
multiply_total(const DecimalTotal *total, int64 n, Decimal *product)
{
	Decimal		factor = {.word = {(uint32) n, (uint32) (n >> 32)}};

	return decimal_total_get(total, product) && decimal_multiply(product, &factor);
}

/*
 * The difference of two means, and the same in percent of the reference's;
 * equal means give exactly 0.  False if the sums are out of range.
 */
bool
price_compare_means(const DecimalTotal *sum, int64 n,
					const DecimalTotal *reference_sum, int64 reference_n,
					float8 *difference, float8 *percent)
{
	Decimal		own;
	Decimal		reference;
	Decimal		excess;

	if (!multiply_total(sum, reference_n, &own) || !multiply_total(reference_sum, n, &reference))
		return false;
	excess = own;
	if (!decimal_subtract(&excess, &reference))
		return false;
	*difference = decimal_to_double(&excess) / ((float8) n * reference_n);
	*percent = 100 * (decimal_to_double(&excess) / decimal_to_double(&reference));
	return true;
}
