/*
 * order_checks_scan.h
 *	  The passes over a check_book, and what they tell each other.
 *
 * First the ids, each once; then the orders without their lines, for members and
 * times; then the lines, for what is usual for an item; at last everything again, now
 * that each row can be judged.  The columns that a pass does not need are not read.
 */
#ifndef CUSTMART_ORDER_CHECKS_SCAN_H
#define CUSTMART_ORDER_CHECKS_SCAN_H

#include "order_checks/order_checks_findings.h"

/* Flags of an order. */
#define ORDER_TWO_MEMBERS 1
#define ORDER_TWO_TIMES 2
#define ORDER_SWAPPED 4
#define ORDER_SCIENTIFIC 8
#define ORDER_TEST 16

#define NO_SERIES PG_UINT32_MAX

/* What the passes tell each other, besides the findings. */
typedef struct Scan
{
	CheckFindings *findings;
	uint32	   *member_orders;	/* of each member */
	bool		has_dominant_member;
	uint8	   *order_flags;
	int64	   *order_times;	/* local, or CHECK_NO_TIME */
	uint32	   *order_series;	/* or NO_SERIES */
	KeyTable	series;			/* prefix and length of a number; how many orders */
	int64	   *item_rows;		/* of each item */
	UsualPrice *usual;
	float8	   *huge;			/* half of the quantities from which on a sale is huge, doubled; 0: none is */
	bool		has_huge;		/* some is above 0 */
	uint32	   *reversed;		/* lines that are huge and were taken back, ascending */
	Size		nreversed;
} Scan;

extern void scan_ids(Scan *scan);
extern void scan_orders(Scan *scan);
extern void find_swaps(Scan *scan);
extern void find_gaps(Scan *scan);
extern void scan_items(Scan *scan);
extern void scan_item_shapes(Scan *scan);
extern void scan_reversals(Scan *scan);
extern void scan_rows(Scan *scan);

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

/* ---------- prices and quantities ---------- */

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

#endif							/* CUSTMART_ORDER_CHECKS_SCAN_H */
