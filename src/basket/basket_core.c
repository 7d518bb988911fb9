/*
 * basket_core.c
 *	  Counts which items are in the same baskets, and measures how they go together.
 */
#include "basket/basket_core.h"

#include <math.h>

#include "shared/growing_array.h"
#include "statistics/hypergeometric.h"

/* How far ahead the next baskets of an item are fetched: they are anywhere. */
#define FETCH_AHEAD 16

/*
 * The places of all items in `entries` but those that are the last of their basket,
 * with no item behind them: of item i from first[i] up to first[i + 1].
 */
static uint32 *
find_places(const Baskets *baskets, Size *first)
{
	const uint32 *entries = baskets->entries;
	uint32	   *places = large_alloc(CurrentMemoryContext, Max(baskets->nentries, 1) * sizeof(uint32));
	Size		sum = 0;

	memset(first, 0, ((Size) baskets->nitems + 1) * sizeof(Size));
	for (Size i = 0; i < baskets->nentries; i++)
	{
		check_interrupts(i);
		if ((entries[i] & BASKET_LAST) == 0)
			first[entries[i]]++;
	}
	for (uint32 item = 0; item <= baskets->nitems; item++)
	{
		Size		n = first[item];

		first[item] = sum;
		sum += n;
	}
	for (Size i = 0; i < baskets->nentries; i++)
	{
		check_interrupts(i);
		if ((entries[i] & BASKET_LAST) == 0)
			places[first[entries[i]]++] = (uint32) i;
	}

	/* Each has advanced to the end of its item, which is where the next one begins. */
	memmove(first + 1, first, (Size) baskets->nitems * sizeof(Size));
	first[0] = 0;
	return places;
}

/* Counts the items that are behind one item in its baskets; returns how many steps that took. */
static Size
count_behind(const uint32 *entries, const uint32 *places, Size n, uint32 *together)
{
	Size		steps = 0;

	for (Size i = 0; i < n; i++)
	{
		const uint32 *entry = entries + places[i];

		check_interrupts(i);
		if (i + FETCH_AHEAD < n)
			__builtin_prefetch(entries + places[i + FETCH_AHEAD] + 1);
		do
		{
			entry++;
			together[*entry & BASKET_ITEM]++;
			steps++;
		} while ((*entry & BASKET_LAST) == 0);
	}
	return steps;
}

/* Notes a pair, if it is one, and resets its count. */
static inline void
take_pair(BasketPairs *pairs, uint32 other, uint32 least, uint32 *together)
{
	if (*together >= least)
		pairs->pair[pairs->count++] = (BasketPair) {.other = other, .together = *together};
	*together = 0;
}

/*
 * Finds all pairs of items that are together in at least so many baskets; false if
 * they are more than BASKET_PAIRS_MAX.
 */
bool
basket_count_pairs(const Baskets *baskets, uint32 least, BasketPairs *pairs)
{
	uint32		nitems = baskets->nitems;
	const uint32 *entries = baskets->entries;
	Size	   *first = large_alloc(CurrentMemoryContext, ((Size) nitems + 1) * sizeof(Size));
	uint32	   *places = find_places(baskets, first);
	uint32	   *together = large_alloc(CurrentMemoryContext, Max((Size) nitems, 1) * sizeof(uint32));

	Assert(least > 0 && baskets->nentries <= PG_UINT32_MAX);
	memset(together, 0, Max((Size) nitems, 1) * sizeof(uint32));
	memset(pairs, 0, sizeof(*pairs));
	pairs->first = large_alloc(CurrentMemoryContext, ((Size) nitems + 1) * sizeof(Size));
	for (uint32 item = 0; item < nitems; item++)
	{
		const uint32 *own = places + first[item];
		Size		n = first[item + 1] - first[item];
		Size		steps = count_behind(entries, own, n, together);
		uint32		others = nitems - item - 1;

		check_interrupts(item);
		pairs->first[item] = pairs->count;
		if (pairs->room - pairs->count < Min(steps, others))
			pairs->pair = array_grow(pairs->pair, &pairs->room, pairs->count + Min(steps, others), sizeof(BasketPair), CurrentMemoryContext);

		/* Counts are read where they may be: all of them in turn, or those of the same baskets once more. */
		if (steps > others / 4)
			for (uint32 other = item + 1; other < nitems; other++)
				take_pair(pairs, other, least, &together[other]);
		else
			for (Size i = 0; i < n; i++)
			{
				const uint32 *entry = entries + own[i];

				do
				{
					entry++;
					take_pair(pairs, *entry & BASKET_ITEM, least, &together[*entry & BASKET_ITEM]);
				} while ((*entry & BASKET_LAST) == 0);
			}
		if (pairs->count > BASKET_PAIRS_MAX)
			break;
	}
	pairs->first[nitems] = pairs->count;
	pfree(together);
	pfree(places);
	pfree(first);
	return pairs->count <= BASKET_PAIRS_MAX;
}

/* The p-values of all pairs. */
void
basket_p_values(const Baskets *baskets, const BasketPairs *pairs, float8 *p)
{
	for (uint32 item = 0; item < baskets->nitems; item++)
		for (Size i = pairs->first[item]; i < pairs->first[item + 1]; i++)
		{
			uint32		having = baskets->having[item];
			uint32		other_having = baskets->having[pairs->pair[i].other];

			/* The test is symmetric, sums of floating point numbers are not. */
			Hypergeometric of = {
				.population = baskets->n,
				.marked = Max(having, other_having),
				.drawn = Min(having, other_having)
			};

			check_interrupts(i);
			p[i] = hypergeometric_at_least(&of, pairs->pair[i].together);
		}
}

/* Measures a pair of items, from the first one's side. */
void
basket_measure(int64 n, uint32 having, uint32 other_having, uint32 together, BasketMeasures *measures)
{
	float8		a = having;
	float8		b = other_having;
	float8		both = together;

	measures->support = both / (float8) n;
	measures->confidence = both / a;
	measures->lift = both * (float8) n / (a * b);
	measures->jaccard = both / (a + b - both);
	measures->cosine = both / sqrt(a * b);
}

/* What a companion of an item is ranked by. */
BasketCompanion
basket_companion(BasketRank by, uint32 having, uint32 other_having, uint32 together)
{
	BasketCompanion companion = {.numerator = together, .denominator = 1};

	switch (by)
	{
		case BASKET_BY_TOGETHER:
			break;
		case BASKET_BY_LIFT:
			companion.denominator = other_having;
			break;
		case BASKET_BY_JACCARD:
			companion.denominator = (uint64) having + other_having - together;
			break;
		case BASKET_BY_COSINE:
			/* Its square. */
			companion.numerator = (uint64) together * together;
			companion.denominator = other_having;
			break;
	}
	return companion;
}
