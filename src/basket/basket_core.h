/*
 * basket_core.h
 *	  What goes with what: how often two items are in the same basket, and how much
 *	  oftener than chance would have it.
 *
 * Of n baskets, n_a have item a, n_b have item b and n_ab have both:
 *
 *		support		n_ab / n
 *		confidence	n_ab / n_a
 *		lift		n n_ab / (n_a n_b)				(Brin, Motwani, Ullman & Tsur 1997)
 *		jaccard		n_ab / (n_a + n_b - n_ab)		(Jaccard 1912)
 *		cosine		n_ab / sqrt(n_a n_b)			(Ochiai 1957)
 *
 * The p-value is how probable n_ab or more are if neither item cares about the other
 * (Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution).
 *
 * Pairs are counted item by item: one array holds how often each other item comes
 * with it, and the baskets that have it are known by where it is in them.  So there
 * is no table of pairs, and no pair is looked up.
 */
#ifndef CUSTMART_BASKET_CORE_H
#define CUSTMART_BASKET_CORE_H

#include "shared/core.h"

/* Marks the last item of a basket; items are below. */
#define BASKET_LAST UINT32_C(0x80000000)
#define BASKET_ITEM UINT32_C(0x7FFFFFFF)

/* Each takes some 40 bytes, and nobody reads so many. */
#define BASKET_PAIRS_MAX 100000000

/* The baskets that are counted, and what is known of their items. */
typedef struct Baskets
{
	int64		n;				/* baskets, those that are not in `entries` included */
	uint32		nitems;
	const uint32 *having;		/* of each item: baskets that have it */
	const uint32 *entries;		/* the items of one basket after the other, ascending, the last one marked */
	Size		nentries;
} Baskets;

/* An item that is often enough in the same basket as another one, which is known from elsewhere. */
typedef struct BasketPair
{
	uint32		other;
	uint32		together;		/* baskets that have both */
} BasketPair;

/* All pairs that are together often enough, each once: those of item i and a later one from first[i] up to first[i + 1]. */
typedef struct BasketPairs
{
	BasketPair *pair;
	Size		count;
	Size		room;
	Size	   *first;			/* one more than items */
} BasketPairs;

/* By what the companions of an item are ranked. */
typedef enum BasketRank
{
	BASKET_BY_TOGETHER,			/* support and confidence give the same order */
	BASKET_BY_LIFT,
	BASKET_BY_JACCARD,
	BASKET_BY_COSINE
} BasketRank;

/* What an item is ranked by: a fraction, but for what all companions of an item have in common. */
typedef struct BasketCompanion
{
	uint64		numerator;
	uint64		denominator;
	uint32		other;
	uint32		pair;			/* number of the pair */
} BasketCompanion;

typedef struct BasketMeasures
{
	float8		support;
	float8		confidence;
	float8		lift;
	float8		jaccard;
	float8		cosine;
} BasketMeasures;

extern bool basket_count_pairs(const Baskets *baskets, uint32 least, BasketPairs *pairs);
extern void basket_p_values(const Baskets *baskets, const BasketPairs *pairs, float8 *p);
extern void basket_measure(int64 n, uint32 having, uint32 other_having, uint32 together, BasketMeasures *measures);
extern BasketCompanion basket_companion(BasketRank by, uint32 having, uint32 other_having, uint32 together);

/* Orders companions of one item: the one of the greater fraction first. */
static inline int
basket_compare_fractions(const BasketCompanion *a, const BasketCompanion *b)
{
	uint128		left = (uint128) a->numerator * b->denominator;
	uint128		right = (uint128) b->numerator * a->denominator;

	return (left < right) - (left > right);
}

#endif							/* CUSTMART_BASKET_CORE_H */
