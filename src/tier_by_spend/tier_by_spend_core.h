/*
 * tier_by_spend_core.h
 *	  The tiers that a member had by net spend, one after the other.
 *
 * The net at a payment of time t is what was spent from payment_window(t) to t,
 * that at the end E of a period in end_window(E) <= time < E: a payment at an
 * end belongs to the next period.  A window rolls, or begins with the period.
 * A tier is warranted if the net reaches its limit; for those from the present
 * one on that is, at an end, the limit to keep it.
 *
 * - The first payment gives the tier that its net warrants.
 * - A later payment can only give a better one, if its net warrants that.
 * - The end of a period gives the one that its net warrants, better or worse.
 *   It precedes a payment of the same time.
 *
 * Where tiers are kept (kept_until), a window that rolls takes away none before
 * the time has come up to which it is kept; then its net decides whether it is
 * kept as long again.  Where every period counts from 0, the net of one keeps
 * the tier that it warrants up to then, whatever other periods do, and the best
 * that is kept is the member's.
 *
 * The net is maintained by adding what enters the window and subtracting what
 * leaves it.  Months differ in length and clocks are set back, so its start can
 * move back a little; then what had left enters again.
 */
#ifndef CUSTMART_TIER_BY_SPEND_CORE_H
#define CUSTMART_TIER_BY_SPEND_CORE_H

#include "history/history_core.h"

/* When periods end and windows begin. */
typedef struct TierCalendar
{
	void	   *context;

	/* The first end of a period after a time; INT64_MAX: there is none. */
	int64		(*period_end) (void *context, int64 time);

	/* The earliest time in the window of a payment and of an end; INT64_MIN: before all times. */
	int64		(*payment_window) (void *context, int64 time);
	int64		(*end_window) (void *context, int64 end);

	/*
	 * The end of a period up to which a tier that was reached at a time is kept;
	 * INT64_MAX: for ever.  NULL: every end of a period decides anew.
	 */
	int64		(*kept_until) (void *context, int64 time);

	/* The window of an end begins with the period; kept_until is not NULL. */
	bool		from_zero;

	/* No window that rolls is shorter, from start to end, and none is longer. */
	int64		window_least;
	int64		window_most;
} TierCalendar;

typedef enum TierReason
{
	TIER_START,
	TIER_UPGRADE,
	TIER_DOWNGRADE,
	TIER_KEPT
} TierReason;

/* Set by the caller up to `until`; then the present tier and how it came about. */
typedef struct TierWalk
{
	const Event *payments;		/* arranged */
	Size		count;
	const DecimalPool *pool;
	const Decimal *limits;		/* of the tiers from the best on, descending */
	const Decimal *keep_limits;	/* to keep them: the same number, none above those */
	int			limit_count;
	const TierCalendar *calendar;
	int64	   *kept;			/* room for limit_count times, if there is kept_until */
	bool		soft_landing;	/* one tier down at a time */
	bool		with_kept;		/* stop where the net keeps the tier, too */
	int64		until;			/* payments and ends after it are left alone */

	int			tier;			/* 0 is the best, limit_count the last */
	int64		since;
	TierReason	reason;
	Decimal		net;			/* at `since`, with all decimals that amounts have */
	bool		is_out_of_range;	/* the net is: the walk ends */

	Size		next;			/* payment */
	Size		first;			/* payment in the window */
	int64		end;			/* of a period, the next to look at */
	bool		has_jumped;		/* over ends, to that one */
	int64		reached;		/* when the tier was, or what warranted it ended */
	uint32		steps;
} TierWalk;

extern void tier_walk_begin(TierWalk *walk);
extern bool tier_walk_next(TierWalk *walk);
extern Decimal payments_zero(const Event *payments, Size n, const DecimalPool *pool);
extern bool spend_net(const Event *payments, Size n, const DecimalPool *pool,
					  int64 from, int64 until, Decimal *net);

#endif							/* CUSTMART_TIER_BY_SPEND_CORE_H */
