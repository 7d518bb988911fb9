/*
 * order_checks_passes.h
 *	  The passes over a check_book, and what they tell each other.
 *
 * First the ids, each once; then the orders without their lines, for times and
 * members; then the lines, for what is usual for an item; at last everything
 * again, now that each row can be judged.  The columns that a pass does not need
 * are not read.
 */
#ifndef CUSTMART_ORDER_CHECKS_PASSES_H
#define CUSTMART_ORDER_CHECKS_PASSES_H

#include "order_checks/order_checks_findings.h"

#include "shared/bytes.h"
#include "shared/growing_array.h"

/* Flags of an order. */
#define ORDER_TWO_MEMBERS 1
#define ORDER_TWO_TIMES 2
#define ORDER_SWAPPED 4
#define ORDER_SCIENTIFIC 8
#define ORDER_TEST 16

/* What the passes tell each other, besides the findings. */
typedef struct Scan
{
	CheckFindings *findings;
	uint32	   *member_orders;
	uint8	   *order_flags;
	int64	   *order_times;	/* local, or CHECK_NO_TIME */
	uint32	   *order_series;	/* or NO_SERIES */
	KeyTable	series;			/* prefix and length of a number; how many orders */
	UsualPrice *usual;			/* of each item */
	float8	   *huge;			/* half of the quantities from which on a sale is huge, doubled; 0: none is */
	bool		has_huge;		/* some is above 0 */
	uint32	   *reversed;		/* lines that are huge and were taken back, ascending */
	Size		nreversed;
} Scan;

#define NO_SERIES PG_UINT32_MAX

/* Sales of an item: price and quantity above 0. */
typedef struct ItemSales
{
	int64		sales;
	uint32		lines;			/* that they are counted in */
	float8		lowest_price;
	float8		highest_price;
	float8		lowest_quantity;
	float8		highest_quantity;
	Size		prices;			/* where its prices begin, if they are needed; then where they end */
	Size		quantities;
	bool		needs_prices;
	bool		needs_quantities;
} ItemSales;

/* ids: order_checks_ids.c */
extern void check_pass_names(CheckFindings *findings);
extern void check_pass_shapes(CheckFindings *findings, const int64 *item_rows);

/* orders without their lines: order_checks_orders.c */
extern void check_pass_heads(Scan *scan);
extern void check_pass_swaps(Scan *scan);
extern void check_pass_gaps(Scan *scan);
extern void check_pass_dominant(Scan *scan);
extern void check_sort_numbers(uint32 *numbers, Size n);

/* items, by their lines: order_checks_items.c */
extern ItemSales *check_pass_items(Scan *scan, int64 *item_rows);
extern void check_pass_usual(Scan *scan, ItemSales *items);
extern void check_pass_reversals(Scan *scan);
extern void check_pass_alike_reversals(Scan *scan);

static inline void *
alloc_zeroed(Size n, Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, Max(n, 1) * size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static inline int32
day_of_time(int64 local)
{
	return (int32) (local / USECS_PER_DAY) - (local % USECS_PER_DAY < 0);
}

/* An order id; its data is NULL if it has none. */
static inline CheckText
order_text(const Key *key)
{
	CheckText	text = {key->bytes.data, key->bytes.length};

	if (text.length == 0)
		text.data = NULL;
	else if (text.data[0] == CHECK_KEY_ESCAPE)
	{
		text.data++;
		text.length--;
	}
	return text;
}

static inline bool
is_positive(const CheckFindings *findings, int64 number)
{
	return number != CHECK_NO_NUMBER && decimal_packed_is_positive(number, &findings->pool);
}

static inline bool
is_negative(const CheckFindings *findings, int64 number)
{
	if (unlikely(decimal_is_pooled(number)))
		return decimal_sign(&findings->pool.item[number >> 8]) < 0;
	return number < 0;
}

static inline bool
is_zero(int64 number)
{
	return number >> 8 == 0 && number != CHECK_NO_NUMBER && !decimal_is_pooled(number);
}

static inline float8
to_double(const CheckFindings *findings, int64 number)
{
	if (likely((number & 0xFF) == 0))
		return (float8) (number >> 8);
	return decimal_packed_to_double(number, &findings->pool);
}

static inline float8
absolute(float8 number)
{
	return number < 0 ? -number : number;
}

static inline bool
has_dominant(const CheckFindings *findings)
{
	return findings->second_orders > 0 &&
		findings->top_orders >= CHECK_DOMINANT_TIMES * findings->second_orders &&
		(float8) findings->top_orders >= CHECK_DOMINANT_SHARE * (float8) findings->orders;
}

#endif							/* CUSTMART_ORDER_CHECKS_PASSES_H */
