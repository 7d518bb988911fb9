/*
 * order_checks_core.h
 *	  What is suspicious in a table of orders: ids, prices, dates.
 *
 * All definitions are those of docs/order_checks.md.  The thresholds are constants,
 * so that two shops, or two days, are measured by the same rule.
 */
#ifndef CUSTMART_ORDER_CHECKS_CORE_H
#define CUSTMART_ORDER_CHECKS_CORE_H

#include "shared/core.h"

/* In the order of the report. */
typedef enum OrderCheck
{
	CHECK_NO_MEMBER,
	CHECK_DOMINANT_MEMBER,
	CHECK_DUPLICATE_ROW,
	CHECK_ORDER_TWO_MEMBERS,
	CHECK_ORDER_TWO_TIMES,
	CHECK_AFTER_AS_OF,
	CHECK_PLACEHOLDER_DATE,
	CHECK_DAY_MONTH_SWAP,
	CHECK_GAP,
	CHECK_NEGATIVE_PRICE,
	CHECK_ZERO_PRICE,
	CHECK_PRICE_OUTLIER,
	CHECK_DECIMAL_SLIP,
	CHECK_HUGE_REVERSAL,
	CHECK_REFUND,
	CHECK_ITEM_VARIANT,
	CHECK_MEMBER_VARIANT,
	CHECK_RARE_ITEM_SHAPE,
	CHECK_SCIENTIFIC_ID,
	CHECK_TEST_ROW,
	CHECK_MIXED_CURRENCY
} OrderCheck;

#define ORDER_CHECKS (CHECK_MIXED_CURRENCY + 1)

/* Shares from which on a finding is an error. */
#define CHECK_ERROR_SHARE 0.05

/* A dominant member has this share of all orders, and so many times as many as the second. */
#define CHECK_DOMINANT_SHARE 0.05
#define CHECK_DOMINANT_TIMES 10

/* Prices and quantities. */
#define CHECK_ITEM_SALES 10		/* fewer say nothing about an item */
#define CHECK_PRICE_Z 3.5
#define CHECK_PRICE_TIMES 10.0
#define CHECK_TOLERANCE 1e-9	/* of the ratio, for prices in binary: 6.5 is 10 times .65 */
#define CHECK_SLIP_TOLERANCE 0.005
#define CHECK_SLIP_POWERS 3
#define CHECK_LOOK_TIMES (CHECK_PRICE_TIMES * (1 - CHECK_SLIP_TOLERANCE))	/* nearer ones need not be looked at */
#define CHECK_HUGE_TIMES 100.0

/* A shape of items, and a series of order numbers, that is rarer than this. */
#define CHECK_RARE_SHARE 0.01

/* Dates. */
#define CHECK_NEIGHBOURS 5		/* on each side */
#define CHECK_SERIES_MIN (2 * CHECK_NEIGHBOURS + 1)
#define CHECK_SWAP_FAR_DAYS 10
#define CHECK_SWAP_NEAR_DAYS 2
#define CHECK_SWAP_SHARE 0.15	/* of orders that are far, beyond which numbers do not tell */
#define CHECK_DAY_USECS INT64CONST(86400000000)

/* ids */

extern bool id_is_no_member(const char *id, uint32 length);
extern void id_trim(const char **id, uint32 *length);
extern uint32 id_fold(const char *id, uint32 length, char *folded);
extern void id_shape(const char *id, uint32 length, char *shape);
extern bool id_is_scientific(const char *id, uint32 length);
extern bool id_has_test_word(const char *id, uint32 length);
extern bool id_number(const char *id, uint32 length, uint32 *prefix);

/* prices */

/* What is usual for the price of an item. */
typedef struct UsualPrice
{
	float8		median;			/* 0: too few sales, or none is far from it */
	float8		log_median;
	float8		log_far;		/* logarithms farther from it than this are outliers */
} UsualPrice;

/* A number that is there several times. */
typedef struct CountedNumber
{
	float8		number;
	uint32		count;			/* above 0 */
} CountedNumber;

extern UsualPrice usual_price(CountedNumber *prices, Size n);
extern float8 lower_median(CountedNumber *numbers, Size n, float8 *upper);

/* What a price, above 0, is. */
typedef enum PriceVerdict
{
	PRICE_USUAL = 0,
	PRICE_OUTLIER = 1,			/* by its item's own spread and by a factor of 10 */
	PRICE_SLIP = 2				/* by its spread, and the usual one but for the place of the point */
} PriceVerdict;

/* Says whether a price is so far from the usual that it has to be judged. */
static inline bool
price_may_be_far(const UsualPrice *usual, float8 price)
{
	return usual->median > 0 &&
		(price >= usual->median * CHECK_LOOK_TIMES || price * CHECK_LOOK_TIMES <= usual->median);
}

extern int	price_judge(const UsualPrice *usual, float8 price);

/* dates */

/* One order in a series of ascending numbers. */
typedef struct SeriesOrder
{
	int64		time;			/* what the clocks show */
	uint32		order;
} SeriesOrder;

/* Orders in ascending order of their numbers, of which the latest are kept. */
typedef struct OrderSeries
{
	SeriesOrder last[CHECK_SERIES_MIN];
	int64		seen;			/* orders in all */
	int64		judged;
} OrderSeries;

typedef struct SwapCounts
{
	int64		orders;			/* judged */
	int64		far;			/* far from their neighbours */
	int64		swapped;
} SwapCounts;

typedef void (*SwapFound) (void *context, uint32 order);

extern void series_add(OrderSeries *series, SeriesOrder order, SwapCounts *counts, SwapFound found, void *context);
extern void series_end(OrderSeries *series, SwapCounts *counts, SwapFound found, void *context);
extern bool day_month_exchanged(int64 time, int64 *exchanged);

/* Days, from 2000-01-01, on which there are orders. */
typedef struct GapCounts
{
	int64		open;			/* days on which the shop is open, from the first to the last */
	int64		missing;		/* of them without an order */
	int32		longest_first;	/* days of the longest stretch without an order, closed days in it included */
	int32		longest_last;
} GapCounts;

extern GapCounts count_gaps(const int32 *days, Size n);
extern bool day_is_placeholder(int32 day);

#endif							/* CUSTMART_ORDER_CHECKS_CORE_H */
