/*
 * order_checks_findings.h
 *	  Everything that the checks find in a check_book.
 */
#ifndef CUSTMART_ORDER_CHECKS_FINDINGS_H
#define CUSTMART_ORDER_CHECKS_FINDINGS_H

#include "order_checks/check_book.h"
#include "money/decimal_total.h"
#include "order_checks/order_checks_core.h"
#include "shared/calendar.h"

/* A text in the book, or NULL. */
typedef struct CheckText
{
	const char *data;
	uint32		length;
} CheckText;

typedef struct CheckFinding
{
	int64		rows;
	DecimalTotal amount;
	uint8	   *members;		/* a bit for each */
	CheckText	example;		/* an order id, the one of the row with most money */
	float8		example_money;
} CheckFinding;

/* A row, or what rows have in common, that a filter leaves out. */
typedef struct CheckListed
{
	CheckText	order;
	int64		time;
	uint32		item;
	int64		quantity;
	int64		price;
} CheckListed;

typedef struct CheckList
{
	CheckListed *items;
	Size		count;
	Size		room;
} CheckList;

typedef struct CheckFindings
{
	CheckReader checks;
	DecimalPool pool;
	Zone	   *zone;
	bool		has_as_of;
	int64		as_of;			/* in a book of clocks, what they show */

	int64		rows;
	DecimalTotal amount;
	CheckFinding of[ORDER_CHECKS];
	int64		orders;
	float8		farthest;		/* factor between a price and the usual one */

	/* ids */
	uint32	   *name_offsets[CHECK_NAMES];
	uint8	   *name_flags[CHECK_NAMES];
	int64		rounded_ids;
	int64		variants[CHECK_NAMES];	/* ids that are written in several ways */
	int64		variant_forms[CHECK_NAMES];
	uint32		rare_items;
	CheckText  *common_shapes;
	uint32		common_shape_count;

	/* members */
	int64		no_member_orders;
	uint32		top_member;		/* 0: none */
	int64		top_orders;
	int64		second_orders;

	/* orders */
	int64		two_member_orders;
	int64		two_time_orders;
	int64		times_of_these;
	int64		zero_orders;	/* of rows of price 0 alone */
	SwapCounts	swaps;
	bool		has_series;
	CheckList	swapped;

	/* dates: of all rows, and without placeholders */
	int64		first_time;
	int64		last_time;
	int64		first_real_time;
	int64		last_real_time;
	GapCounts	gaps;

	int64		duplicate_groups;
	CheckList	outliers;
	CheckList	slips;
	CheckList	reversals;
	bool		has_alike_reversals;	/* rows that are none have order, time, item, quantity and price of one */
	int64	   *currency_rows;
	uint32		main_currency;	/* 0: none */
	uint32		currencies;
} CheckFindings;

/* Flags of a name. */
#define NAME_IS_NOBODY 1
#define NAME_IS_VARIANT 2
#define NAME_IS_SCIENTIFIC 4
#define NAME_IS_TEST 8
#define NAME_IS_RARE 16

extern void order_checks_scan(CheckFindings *findings);
extern CheckText check_name_text(const CheckFindings *findings, CheckNames names, uint32 name);
extern int64 check_local_time(const CheckFindings *findings, int64 time);

static inline bool
check_time_is_finite(int64 time)
{
	return time != CHECK_NO_TIME && !TIMESTAMP_NOT_FINITE(time);
}

#endif							/* CUSTMART_ORDER_CHECKS_FINDINGS_H */
