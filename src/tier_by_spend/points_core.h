/*
 * points_core.h
 *	  An account of points: earned, redeemed, and lapsed, the oldest first.
 *
 * - Points earned at a time t lapse at lapse(t), or when older ones do, if that is
 *   later.  At that time they are gone: it precedes entries of the same time.
 * - What is redeemed uses up the oldest points there are, those of the same time
 *   included.
 * - What is redeemed beyond that makes the balance negative.  Points earned later
 *   fill it up at once, and only the rest can lapse or be redeemed.
 *
 * So earned = redeemed + lapsed + balance, always.
 */
#ifndef CUSTMART_POINTS_CORE_H
#define CUSTMART_POINTS_CORE_H

#include "history/history_core.h"

typedef enum PointsReason
{
	POINTS_EARNED,
	POINTS_REDEEMED,
	POINTS_LAPSED
} PointsReason;

/* Set by the caller up to `until`; then the present state and what led to it. */
typedef struct PointsWalk
{
	const Event *entries;		/* arranged, of the layout of entries */
	Size		count;
	const DecimalPool *pool;

	/* When points of a time lapse: later than that; INT64_MAX: never. */
	int64		(*lapse) (void *context, int64 time);
	void	   *context;
	int64		until;			/* what happens after it is left alone */

	int64		at;
	PointsReason reason;
	Decimal		points;			/* earned, redeemed or lapsed: not below 0 */
	Decimal		balance;		/* with all decimals that entries have, as the totals */
	Decimal		earned;
	Decimal		redeemed;
	Decimal		lapsed;
	bool		is_out_of_range;	/* a sum is: the walk ends */

	Decimal		zero;			/* with these decimals */
	Size		next;			/* entry */
	bool		has_oldest;		/* points are left */
	Size		oldest;			/* entry of the oldest of them */
	Decimal		left;			/* of it */
	int64		lapses;			/* when they do */
	uint32		steps;
} PointsWalk;

extern void points_walk_begin(PointsWalk *walk);
extern bool points_walk_next(PointsWalk *walk);

#endif							/* CUSTMART_POINTS_CORE_H */
