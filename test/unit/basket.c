/* needs: basket/basket_core.c statistics/distributions.c statistics/hypergeometric.c */
#include "basket/basket_core.h"

#include <math.h>

#include "tap.h"

#define ITEMS 40
#define BASKETS 200
#define WIDE 1500				/* items, of which most are in few baskets */

/* Baskets as the report lists them, and how often items are in them by looking at each pair. */
typedef struct Made
{
	Baskets		baskets;
	uint32		entries[BASKETS * ITEMS];
	uint32		having[WIDE];
	uint32	   *together;		/* of each pair */
} Made;

static Made made;

static double
random_double(void)
{
	return (double) (random_u64() >> 11) / 9007199254740992.0;
}

static void
make_baskets(int baskets, uint32 items, double share, uint32 room)
{
	Size		n = 0;

	memset(&made.having, 0, sizeof(made.having));
	memset(made.together, 0, sizeof(uint32) * WIDE * WIDE);
	for (int b = 0; b < baskets; b++)
	{
		uint32		list[ITEMS];
		uint32		size = 0;

		for (uint32 i = 0; i < items && size < room; i++)
			if (random_double() < share)
				list[size++] = i;
		for (uint32 i = 0; i < size; i++)
		{
			made.having[list[i]]++;
			for (uint32 k = 0; k < size; k++)
				made.together[list[i] * WIDE + list[k]]++;
		}
		if (size < 2)
			continue;
		for (uint32 i = 0; i < size; i++)
			made.entries[n++] = list[i] | (i + 1 == size ? BASKET_LAST : 0);
	}
	made.baskets = (Baskets) {.n = baskets, .nitems = items, .having = made.having, .entries = made.entries, .nentries = n};
}

static void
check_pairs(uint32 least)
{
	BasketPairs pairs;
	Size		expected = 0;

	holds(basket_count_pairs(&made.baskets, least, &pairs), "too many pairs");
	for (uint32 a = 0; a < made.baskets.nitems; a++)
	{
		for (uint32 b = a + 1; b < made.baskets.nitems; b++)
			expected += made.together[a * WIDE + b] >= least;
		for (Size i = pairs.first[a]; i < pairs.first[a + 1]; i++)
		{
			uint32		b = pairs.pair[i].other;

			holds(b > a && b < made.baskets.nitems, "pair of %u with %u", a, b);
			holds(pairs.pair[i].together == made.together[a * WIDE + b], "%u and %u are together %u times, not %u", a, b, made.together[a * WIDE + b], pairs.pair[i].together);
		}
	}
	/* None is missing, and as each is right none is there twice: its count was reset. */
	holds(pairs.count == expected && pairs.first[made.baskets.nitems] == expected, "%zu pairs, not %zu", pairs.count, expected);
	free(pairs.pair);
	free(pairs.first);
}

static void
test_pairs(void)
{
	property("pairs are those that looking at each one finds");
	for (int run = 0; run < 60; run++)
	{
		make_baskets(1 + (int) random_below(BASKETS), 1 + (uint32) random_below(ITEMS), random_double(), ITEMS);
		check_pairs(1 + (uint32) random_below(5));
	}
	for (int run = 0; run < 6; run++)
	{
		make_baskets(BASKETS, WIDE, 0.004, 6);
		check_pairs(1 + (uint32) random_below(2));
	}
	property_end();
}

/* The logarithm of n over k, by adding up. */
static long double
log_choose(int64 n, int64 k)
{
	long double sum = 0;

	for (int64 i = 1; i <= k; i++)
		sum += logl((long double) (n - k + i) / (long double) i);
	return sum;
}

static void
test_p_values(void)
{
	property("p-values are sums of the hypergeometric distribution, the same from both sides");
	for (int run = 0; run < 3000; run++)
	{
		uint32		having[2];
		int64		n = 2 + (int64) random_below(400);
		uint32		least;
		uint32		most;
		uint32		together;
		BasketPair	pair = {.other = 1};
		Size		first[] = {0, 1, 1};
		BasketPairs pairs = {.pair = &pair, .count = 1, .first = first};
		Baskets		baskets = {.n = n, .nitems = 2, .having = having};
		long double sum = 0;
		double		p;
		double		mirrored;

		having[0] = 1 + (uint32) random_below((uint64) n);
		having[1] = 1 + (uint32) random_below((uint64) n);
		least = having[0] + having[1] > n ? (uint32) (having[0] + having[1] - n) : 0;
		most = Min(having[0], having[1]);
		together = pair.together = least + (uint32) random_below(most - least + 1);
		for (int64 k = together; k <= most; k++)
			sum += expl(log_choose(having[0], k) + log_choose(n - having[0], having[1] - k) - log_choose(n, having[1]));
		basket_p_values(&baskets, &pairs, &p);
		holds(fabs(p - (double) sum) <= 1e-11 * (double) sum, "%g, not %Lg", p, sum);
		having[0] ^= having[1];
		having[1] ^= having[0];
		having[0] ^= having[1];
		basket_p_values(&baskets, &pairs, &mirrored);
		holds(p == mirrored, "%.17g one way, %.17g the other", p, mirrored);
	}
	property_end();
}

static void
test_order(void)
{
	static const BasketRank ranks[] = {BASKET_BY_TOGETHER, BASKET_BY_LIFT, BASKET_BY_JACCARD, BASKET_BY_COSINE};

	property("companions are ordered as their measures are, equal ones exactly");
	for (int run = 0; run < 100000; run++)
	{
		uint32		scale = 1 + (uint32) random_below(3) * 1000000;
		uint32		having = scale * (1 + (uint32) random_below(30));
		BasketMeasures measures[2];
		BasketCompanion companions[2];
		uint32		other[2];
		uint32		together[2];
		BasketRank	by = ranks[random_below(LENGTH_OF(ranks))];
		double		value[2];
		int			order;

		for (int i = 0; i < 2; i++)
		{
			other[i] = scale * (1 + (uint32) random_below(30));
			together[i] = Min(having, other[i]) / (1 + (uint32) random_below(4));
			basket_measure(1000000000, having, other[i], together[i], &measures[i]);
			companions[i] = basket_companion(by, having, other[i], together[i]);
			value[i] = by == BASKET_BY_TOGETHER ? measures[i].support : by == BASKET_BY_LIFT ? measures[i].lift : by == BASKET_BY_JACCARD ? measures[i].jaccard : measures[i].cosine;
		}
		order = basket_compare_fractions(&companions[0], &companions[1]);
		if (fabs(value[0] - value[1]) > 1e-12 * value[0])
			holds(order == (value[0] > value[1] ? -1 : 1), "%u and %u of %u and %u, %u: order %d", together[0], together[1], other[0], other[1], having, order);
		else
			holds(order == 0, "%u and %u of %u and %u, %u are equal, not %d", together[0], together[1], other[0], other[1], having, order);
		if (together[0] == together[1] && other[0] == other[1])
			holds(order == 0, "the same");
	}
	property_end();
}

int
main(void)
{
	made.together = malloc(sizeof(uint32) * WIDE * WIDE);
	test_pairs();
	test_p_values();
	test_order();
	free(made.together);
	return done_testing();
}
