/*
 * rfm_core.h
 *	  Recency, frequency and monetary value: the summary of one member, the
 *	  score limits of a population, scores and segments.
 *
 * The rules, all from docs/rfm.md: an amount below zero is a refund, which
 * lowers the monetary value, is counted, is not an order and moves no date; an
 * amount of zero is an order.
 */
#ifndef CUSTMART_RFM_CORE_H
#define CUSTMART_RFM_CORE_H

#include "money/decimal.h"
#include "shared/bytes.h"
#include "shared/packed_column.h"
#include "shared/time_range.h"

#define RFM_VERSION 1
#define RFM_CUTS_VERSION 1

#define RFM_DAY 86400e6

/*
 * One member in memory.  With frequency 0 the dates mean nothing and are 0.  A
 * member of whom nothing is known yet is all zeros.
 */
typedef struct RfmMember
{
	int64		money;			/* packed decimal: the net total */
	int64		first_order;
	int64		last_order;
	uint32		frequency;
	uint32		refunds;
} RfmMember;

/*
 * A stored rfm_summary: four bytes, then frequency, refunds, money, first order, last
 * order, in this order, and the sum if it is wide.
 */
#define RFM_HEADER_SIZE 4
#define RFM_STORED_SIZE (RFM_HEADER_SIZE + 32)
#define RFM_STORED_MAX (RFM_STORED_SIZE + DECIMAL_STORED_SIZE)

/* Why an addition failed. */
typedef enum RfmStatus
{
	RFM_OK,
	RFM_TOO_MANY_ORDERS,		/* 2^32 of one member */
	RFM_SUM_OUT_OF_RANGE		/* needs forged bytes */
} RfmStatus;

extern RfmStatus rfm_merge(RfmMember *member, DecimalPool *pool,
						   const RfmMember *other, const DecimalPool *other_pool);

extern const char *rfm_check_member(const RfmMember *member, uint32 pool_count);
extern const char *rfm_check_money(const RfmMember *member, int sign);
extern const char *rfm_check(const uint8 *bytes, Size length);
extern const char *rfm_check_state(const uint8 *bytes, Size length);
extern void rfm_load(const uint8 *bytes, RfmMember *member, DecimalPool *pool, Decimal *wide);
extern Size rfm_store(const RfmMember *member, const DecimalPool *pool, uint8 *bytes);

/* Stores the fields of a member whose money is packed, or already renumbered for its pool. */
static inline void
rfm_member_store(const RfmMember *member, uint8 *bytes)
{
	bytes = store_u32(bytes, member->frequency);
	bytes = store_u32(bytes, member->refunds);
	bytes = store_u64(bytes, (uint64) member->money);
	bytes = store_u64(bytes, (uint64) member->first_order);
	store_u64(bytes, (uint64) member->last_order);
}

/* Reads them. */
static inline void
rfm_member_read(const uint8 *bytes, RfmMember *member)
{
	member->frequency = load_u32(bytes);
	member->refunds = load_u32(bytes + 4);
	member->money = (int64) load_u64(bytes + 8);
	member->first_order = (int64) load_u64(bytes + 16);
	member->last_order = (int64) load_u64(bytes + 24);
}

/*
 * Many members, stored in blocks of PACKED_ROWS: of each block a packed column of
 * every field.  Wide money is its number in a pool.
 */
#define RFM_BLOCK_COLUMNS 6
#define RFM_BLOCK_SIZE_MAX(n) (RFM_BLOCK_COLUMNS * PACKED_SIZE_MAX(n))

extern uint8 *rfm_block_store(const RfmMember *members, int n, uint8 *bytes);
extern const uint8 *rfm_block_load(const uint8 *bytes, int n, RfmMember *members);
extern const uint8 *rfm_block_skip(const uint8 *bytes, const uint8 *end, int n);
extern const char *rfm_block_check_and_load(const uint8 **bytes, const uint8 *end, int n, uint32 pool_count,
											RfmMember *members);

/*
 * Counts one order line.  The caller knows whether it is the first line of its
 * order (or the first refund of that order).
 */
static inline RfmStatus
rfm_add_line(RfmMember *member, DecimalPool *pool, int64 time,
			 int64 amount, const DecimalPool *amount_pool, bool is_refund, bool is_first)
{
	/* A fresh member takes the scale of its first amount. */
	if (member->frequency == 0 && member->refunds == 0)
		member->money = decimal_is_pooled(amount) ? 0 : amount & 0xFF;

	if (unlikely(!decimal_add_packed(&member->money, pool, amount, amount_pool)))
		return RFM_SUM_OUT_OF_RANGE;

	if (unlikely(is_refund))
	{
		if (is_first && pg_add_u32_overflow(member->refunds, 1, &member->refunds))
			return RFM_TOO_MANY_ORDERS;
		return RFM_OK;
	}
	if (member->frequency == 0)
		member->first_order = member->last_order = time;
	else if (time > member->last_order)
		member->last_order = time;
	else if (time < member->first_order)
		member->first_order = time;
	if (is_first && pg_add_u32_overflow(member->frequency, 1, &member->frequency))
		return RFM_TOO_MANY_ORDERS;
	return RFM_OK;
}

/* True if the amount is below zero. */
static inline bool
rfm_is_refund(int64 amount, const DecimalPool *amount_pool)
{
	if (unlikely(decimal_is_pooled(amount)))
		return decimal_sign(&amount_pool->item[amount >> 8]) < 0;
	return amount < 0;
}

/*
 * Score limits: limit i of `bins` bins is the value at position
 * i * (n - 1) / bins of the n ordered values, interpolated linearly, for i = 1
 * .. bins - 1 (percentile_cont; type 7 of Hyndman and Fan 1996).  Positions are
 * computed in integers, so rounding cannot turn a limit into its neighbour.
 */
#define RFM_BINS_MIN 2
#define RFM_BINS_MAX 99
#define RFM_BINS_DEFAULT 5
#define RFM_LIMITS_MAX (RFM_BINS_MAX - 1)

typedef struct RfmCuts
{
	int32		bins;
	bool		per_order;		/* monetary is the mean of an order, not the total */
	uint64		members;		/* how many the limits were made of; 0: somebody set them */
	int64		last_order[RFM_LIMITS_MAX]; /* rounded up to a microsecond */
	float8		frequency[RFM_LIMITS_MAX];
	float8		monetary[RFM_LIMITS_MAX];
} RfmCuts;

#define RFM_CUTS_HEADER_SIZE 12
#define RFM_CUTS_STORED_SIZE(bins) (RFM_CUTS_HEADER_SIZE + ((bins) - 1) * 24)

extern void rfm_cuts_make(RfmCuts *cuts, int bins, bool per_order, Size n,
						  int64 *last_order, float8 *frequency, float8 *monetary);
extern const char *rfm_cuts_check(const uint8 *bytes, Size length);
extern void rfm_cuts_load(const uint8 *bytes, RfmCuts *cuts);
extern void rfm_cuts_store(const RfmCuts *cuts, uint8 *bytes);

typedef struct RfmScore
{
	int			r;
	int			f;
	int			m;
} RfmScore;

extern RfmScore rfm_score(const RfmCuts *cuts, int64 last_order, float8 frequency, float8 monetary);
extern int	rfm_score_number(RfmScore score, int bins);
extern int	rfm_score_place(RfmScore score, int bins);
extern int	rfm_place_of_number(int number, int bins);

/* The money by which a member who has orders is scored. */
static inline float8
rfm_scored_money(const RfmMember *member, const DecimalPool *pool, bool per_order)
{
	return unlikely(per_order) ? decimal_packed_mean(member->money, pool, member->frequency) :
		decimal_packed_to_double(member->money, pool);
}

#define RFM_SEGMENTS 11
extern const char *const rfm_segment_names[RFM_SEGMENTS];
extern int	rfm_segment_of_score(int score);
extern int	rfm_segment_of(RfmScore score, int bins);

#endif							/* CUSTMART_RFM_CORE_H */
