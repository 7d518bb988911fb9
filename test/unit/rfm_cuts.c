/* needs: money/decimal.c shared/packed_column.c rfm/rfm_core.c */
#include "rfm/rfm_core.h"

#include <float.h>
#include <math.h>

#include "tap.h"

#define MEMBERS 70

typedef __int128 int128;

static int
compare_times(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static int
compare_numbers(const void *a, const void *b)
{
	float8		x = *(const float8 *) a;
	float8		y = *(const float8 *) b;

	return (x > y) - (x < y);
}

/*
 * Limit i of the sorted values lies rest / bins of the way from values[at] to
 * values[at + 1] (type 7 of Hyndman and Fan), and rest is 0 at the last value.
 */
typedef struct Place
{
	int			at;
	int			rest;
} Place;

static Place
limit_place(int i, int n, int bins)
{
	return (Place) {i * (n - 1) / bins, i * (n - 1) % bins};
}

/* How many of the exact limits lie below a value that is among the values. */
static int
limits_below(float8 value, const float8 *sorted, int n, int bins)
{
	int			below = 0;

	for (int i = 1; i < bins; i++)
	{
		Place		place = limit_place(i, n, bins);
		float8		low = sorted[place.at];
		float8		high = place.rest == 0 ? low : sorted[place.at + 1];

		/*
		 * A value of the population is at most low or at least high, and the
		 * limit, unless it is low, lies truly between the two.
		 */
		below += value > low && value >= high;
	}
	return below;
}

/* The score of recency, from days as statistics.md defines it. */
static int
score_of_recency(int64 last_order, const int64 *sorted, int n, int bins)
{
	int			score = bins;
	int64		as_of = sorted[n - 1];

	/* Days since the last order ascend where orders descend. */
	for (int i = 1; i < bins; i++)
	{
		Place		place = limit_place(i, n, bins);
		int128		low = (int128) as_of - sorted[n - 1 - place.at];
		int128		high = place.rest == 0 ? low : (int128) as_of - sorted[n - 2 - place.at];
		int128		recency = (int128) as_of - last_order;

		/* low + (high - low) * rest / bins < recency */
		score -= low * bins + (high - low) * place.rest < recency * bins;
	}
	return score;
}

typedef struct Population
{
	int			n;
	int64		last_order[MEMBERS];
	float8		frequency[MEMBERS];
	float8		monetary[MEMBERS];
} Population;

enum Kind
{
	ORDINARY, ALL_EQUAL, FEW_VALUES, NEIGHBOURS, ENDS, BELOW_ZERO, KINDS
};

static Population
random_population(enum Kind kind)
{
	Population	p = {.n = 1 + (int) random_below(random_below(2) ? 6 : MEMBERS)};
	float8		base = ldexp(1 + random_below(1000), (int) random_below(80) - 20);

	for (int i = 0; i < p.n; i++)
		switch (kind)
		{
			case ORDINARY:
				p.last_order[i] = (int64) random_below(UINT64CONST(86400000000) * 700);
				p.frequency[i] = 1 + random_below(50);
				p.monetary[i] = random_below(10000000) / 100.0;
				break;
			case ALL_EQUAL:
				p.last_order[i] = 12345;
				p.frequency[i] = 3;
				p.monetary[i] = 99.99;
				break;
			case FEW_VALUES:
				p.last_order[i] = random_below(4);
				p.frequency[i] = 1 + random_below(3);
				p.monetary[i] = random_below(3) * 0.1;
				break;
			case NEIGHBOURS:	/* hardly a float8 between any two of them */
				p.last_order[i] = TIME_MIN + random_below(5);
				p.frequency[i] = UINT32_MAX - random_below(3);
				p.monetary[i] = base;
				for (uint64_t steps = random_below(8); steps > 0; steps--)
					p.monetary[i] = nextafter(p.monetary[i], random_below(2) ? INFINITY : base);
				break;
			case ENDS:
				p.last_order[i] = random_below(2) ? TIME_MIN : TIME_END - 1;
				p.frequency[i] = random_below(2) ? 1 : UINT32_MAX;
				p.monetary[i] = random_below(2) ? -1e66 : 1e66;
				break;
			case BELOW_ZERO:
				p.last_order[i] = -(int64) random_below(1000);
				p.frequency[i] = 1;
				p.monetary[i] = -(float8) random_below(1000) / 8;
				break;
			case KINDS:
				break;
		}
	return p;
}

static void
test_limits(void)
{
	property("limits make the scores that exact arithmetic on the sorted population makes");
	for (int run = 0; run < 12000; run++)
	{
		int			bins = run % 4 ? 2 + (int) random_below(12) : RFM_BINS_MIN + (int) random_below(98);
		Population	p = random_population(run % KINDS);
		Population	sorted = p;
		Population	reordered = p;
		RfmCuts		cuts;
		uint8	   *bytes = malloc(RFM_CUTS_STORED_SIZE(bins));
		const char *wrong;

		rfm_cuts_make(&cuts, bins, false, p.n, reordered.last_order, reordered.frequency, reordered.monetary);
		qsort(sorted.last_order, p.n, sizeof(int64), compare_times);
		qsort(sorted.frequency, p.n, sizeof(float8), compare_numbers);
		qsort(sorted.monetary, p.n, sizeof(float8), compare_numbers);

		holds(cuts.bins == bins && cuts.members == (uint64) p.n, "run %d: bins and members", run);
		rfm_cuts_store(&cuts, bytes);
		wrong = rfm_cuts_check(bytes, RFM_CUTS_STORED_SIZE(bins));
		holds(wrong == NULL, "run %d, kind %d: limits just made are refused: %s", run, run % KINDS, wrong);
		free(bytes);

		for (int i = 1; i < bins; i++)
		{
			Place		place = limit_place(i, p.n, bins);
			int			next = place.rest == 0 ? place.at : place.at + 1;
			int128		scaled = (int128) sorted.last_order[place.at] * bins +
				((int128) sorted.last_order[next] - sorted.last_order[place.at]) * place.rest;
			int128		limit = (int128) cuts.last_order[i - 1] * bins;
			long double money = sorted.monetary[place.at] +
				((long double) sorted.monetary[next] - sorted.monetary[place.at]) * place.rest / bins;
			long double span = fabsl((long double) sorted.monetary[next]) + fabsl((long double) sorted.monetary[place.at]);

			holds(limit >= scaled && limit < scaled + bins, "run %d: date %d of %d is not the next microsecond",
				  run, i, bins);
			holds(fabsl(cuts.monetary[i - 1] - money) <= span * 2 * DBL_EPSILON, "run %d: money %d of %d: %.17g, not %.17Lg",
				  run, i, bins, cuts.monetary[i - 1], money);
		}
		for (int i = 0; i < p.n; i++)
		{
			RfmScore	score = rfm_score(&cuts, p.last_order[i], p.frequency[i], p.monetary[i]);
			int			r = score_of_recency(p.last_order[i], sorted.last_order, p.n, bins);
			int			f = 1 + limits_below(p.frequency[i], sorted.frequency, p.n, bins);
			int			m = 1 + limits_below(p.monetary[i], sorted.monetary, p.n, bins);

			holds(score.r == r && score.f == f && score.m == m,
				  "run %d, kind %d, %d bins, %d members: %d %d %d, not %d %d %d", run, run % KINDS, bins, p.n,
				  score.r, score.f, score.m, r, f, m);
		}
	}
	property_end();

	property("limits are the same in whatever order the members come");
	for (int run = 0; run < 3000; run++)
	{
		int			bins = 2 + (int) random_below(20);
		Population	p = random_population(run % KINDS);
		Population	q = p;
		RfmCuts		a = {0};
		RfmCuts		b = {0};

		for (int i = p.n - 1; i > 0; i--)
		{
			int			j = (int) random_below(i + 1);
			int64		time = q.last_order[i];
			float8		money = q.monetary[i];

			q.last_order[i] = q.last_order[j];
			q.last_order[j] = time;
			q.monetary[i] = q.monetary[j];
			q.monetary[j] = money;
		}
		rfm_cuts_make(&a, bins, false, p.n, p.last_order, p.frequency, p.monetary);
		rfm_cuts_make(&b, bins, false, q.n, q.last_order, q.frequency, q.monetary);
		holds(memcmp(&a, &b, sizeof(a)) == 0, "run %d", run);
	}
	property_end();
}

static void
test_by_hand(void)
{
	/* R: quantile(c(1, 2, 3, 4, 10), c(.2, .4, .6, .8)) = 1.8 2.6 3.4 5.2 */
	int64		last_order[] = {10000000, 4000000, 3000000, 2000000, 1000000};
	float8		frequency[] = {4, 10, 2, 1, 3};
	float8		monetary[] = {1, 2, 3, 4, 10};
	static const int64 times[] = {1800000, 2600000, 3400000, 5200000};
	static const float8 numbers[] = {1.8, 2.6, 3.4, 5.2};
	RfmCuts		cuts;

	rfm_cuts_make(&cuts, 5, false, 5, last_order, frequency, monetary);
	property("limits of 1, 2, 3, 4, 10 as R's quantile() gives them");
	for (int i = 0; i < 4; i++)
	{
		holds(cuts.last_order[i] == times[i], "date %d: %" PRId64, i, cuts.last_order[i]);
		holds(fabs(cuts.frequency[i] - numbers[i]) < 1e-15, "frequency %d: %.17g", i, cuts.frequency[i]);
		holds(fabs(cuts.monetary[i] - numbers[i]) < 1e-15, "monetary %d: %.17g", i, cuts.monetary[i]);
	}
	property_end();

	{
		float8		two[] = {1e16, 1e16 + 4};
		float8		f[] = {1, 1};
		int64		t[] = {0, 0};

		rfm_cuts_make(&cuts, 5, false, 2, t, f, two);
		ok(cuts.monetary[0] <= cuts.monetary[1] && cuts.monetary[1] <= cuts.monetary[2] &&
		   cuts.monetary[2] <= cuts.monetary[3] && cuts.monetary[3] < 1e16 + 4,
		   "limits ascend also where float8 has hardly any numbers left between two sums");
	}
	is_int(rfm_score_number(rfm_score(&(RfmCuts) {.bins = 2, .last_order = {10}, .frequency = {2}, .monetary = {5}},
									  9, 2, 5.5), 2), 112, "equal to a limit is not above it; before it is less recent");
}

/* ---------- stored limits ---------- */

static bool
taken(const uint8 *bytes, size_t length)
{
	uint8	   *copy = exact_copy(bytes, length);
	bool		result = rfm_cuts_check(copy, length) == NULL;

	if (result)
	{
		RfmCuts		cuts;
		uint8	   *again = malloc(length);

		rfm_cuts_load(copy, &cuts);
		rfm_cuts_store(&cuts, again);
		holds(memcmp(again, bytes, length) == 0, "%zu bytes are taken but stored differently", length);
		free(again);
		for (int i = 0; i < cuts.bins - 1; i++)
			holds(isfinite(cuts.frequency[i]) && isfinite(cuts.monetary[i]) &&
				  (i == 0 || (cuts.last_order[i] >= cuts.last_order[i - 1] && cuts.frequency[i] >= cuts.frequency[i - 1] &&
							  cuts.monetary[i] >= cuts.monetary[i - 1])), "limits in disorder are taken");
	}
	free(copy);
	return result;
}

static void
test_checker(void)
{
	static const int all_bins[] = {2, 3, 5, 10, 99};
	static uint8 bytes[RFM_CUTS_STORED_SIZE(RFM_BINS_MAX) + 8];

	property("limits of any population are taken, cut off or longer they are not");
	for (size_t k = 0; k < LENGTH_OF(all_bins); k++)
		for (int kind = 0; kind < KINDS; kind++)
		{
			Population	p = random_population(kind);
			size_t		size = RFM_CUTS_STORED_SIZE(all_bins[k]);
			RfmCuts		cuts;

			rfm_cuts_make(&cuts, all_bins[k], false, p.n, p.last_order, p.frequency, p.monetary);
			memset(bytes, 0, sizeof(bytes));
			rfm_cuts_store(&cuts, bytes);
			for (size_t length = 0; length <= size + 8; length++)
				holds(taken(bytes, length) == (length == size), "%d bins, kind %d, %zu bytes", all_bins[k], kind, length);
		}
	property_end();

	property("with any one byte changed, what is taken is stored as it came");
	for (size_t k = 0; k < LENGTH_OF(all_bins) - 1; k++)
		for (int kind = 0; kind < KINDS; kind++)
		{
			Population	p = random_population(kind);
			size_t		size = RFM_CUTS_STORED_SIZE(all_bins[k]);
			RfmCuts		cuts;

			rfm_cuts_make(&cuts, all_bins[k], false, p.n, p.last_order, p.frequency, p.monetary);
			rfm_cuts_store(&cuts, bytes);
			for (size_t at = 0; at < size; at++)
				for (int change = 1; change < 256; change++)
				{
					bytes[at] ^= change;
					holds(!taken(bytes, size) || at >= 4 || (at == 3 && change == 1), "another header");
					bytes[at] ^= change;
				}
		}
	property_end();

	property("what is no limit is refused");
	{
		static const float8 bad[] = {NAN, -NAN, INFINITY, -INFINITY};
		RfmCuts		good = {.bins = 3, .members = 2, .frequency = {1, 2}, .monetary = {-1, 1}, .last_order = {5, 6}};
		RfmCuts		cuts;

		rfm_cuts_store(&good, bytes);
		holds(taken(bytes, RFM_CUTS_STORED_SIZE(3)), "the good one");
		cuts = good;
		cuts.members = 0;
		rfm_cuts_store(&cuts, bytes);
		holds(taken(bytes, RFM_CUTS_STORED_SIZE(3)), "limits that somebody set");
		cuts.per_order = true;
		rfm_cuts_store(&cuts, bytes);
		holds(bytes[3] == 1 && taken(bytes, RFM_CUTS_STORED_SIZE(3)), "limits of the mean of an order");
#define REFUSED(change, what) \
		do { \
			cuts = good; \
			change; \
			rfm_cuts_store(&cuts, bytes); \
			holds(!taken(bytes, RFM_CUTS_STORED_SIZE(3)), what); \
		} while (0)
		for (int i = 0; i < 2; i++)
			for (size_t k = 0; k < LENGTH_OF(bad); k++)
			{
				REFUSED(cuts.frequency[i] = bad[k], "frequency no number");
				REFUSED(cuts.monetary[i] = bad[k], "money no number");
			}
		REFUSED(cuts.frequency[0] = 0.5, "frequency below 1");
		REFUSED(cuts.frequency[1] = 4294967296.0, "frequency of 2^32");
		REFUSED(cuts.frequency[0] = 3, "frequencies descend");
		REFUSED(cuts.monetary[0] = 3, "money descends");
		REFUSED(cuts.last_order[0] = 7, "dates descend");
		REFUSED(cuts.last_order[0] = TIME_MIN - 1, "before all time");
		REFUSED(cuts.last_order[1] = TIME_END, "after all time");
		REFUSED(cuts.last_order[0] = INT64_MIN, "-infinity");
	}
	property_end();
}

int
main(void)
{
	test_by_hand();
	test_limits();
	test_checker();
	return done_testing();
}
