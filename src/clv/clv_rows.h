/*
 * clv_rows.h
 *	  What the models know of members, each distinct history once.
 *
 * A model sees of a member the number of repeat days, the age at the last of them
 * and the age now; of spend it sees the repeat days and their mean.  Rows are
 * sorted and equal ones merged.  So a sum over them does not depend on the order
 * in which members came, and what depends on the repeats alone is computed once
 * for all rows that have them.
 */
#ifndef CUSTMART_CLV_ROWS_H
#define CUSTMART_CLV_ROWS_H

#include "shared/core.h"

/* Repeats come first, then members: both kinds of rows are sorted by one function. */
typedef struct ClvRow
{
	uint32		repeats;
	uint32		members;		/* who have this history */
	float8		last_age;
	float8		age;
} ClvRow;

typedef struct ClvSpendRow
{
	uint32		repeats;		/* > 0 */
	uint32		members;
	float8		mean;			/* > 0 */
} ClvSpendRow;

typedef struct ClvRows
{
	const ClvRow *row;
	Size		n;
	float8		members;
	float8		repeaters;		/* members with repeats > 0 */
	float8		repeats;		/* of all members */
	uint32		most_repeats;
	float8		mean_age;
	float8		mean_last_age;
	float8		max_age;
	bool		whole_days;		/* all ages are whole numbers, and not many */
} ClvRows;

typedef struct ClvSpendRows
{
	const ClvSpendRow *row;
	Size		n;
	float8		members;
	float8		mean;			/* of the members' means */
} ClvSpendRows;

/* What is wrong with the figures of a member. */
typedef enum ClvRowStatus
{
	CLV_ROW_GOOD,
	CLV_ROW_NOT_FINITE,
	CLV_ROW_NEGATIVE,
	CLV_ROW_LAST_AGE_ABOVE_AGE,
	CLV_ROW_LAST_AGE_WITHOUT_REPEATS,
	CLV_ROW_REPEATS_WITHOUT_LAST_AGE,
	CLV_ROW_TOO_MANY_REPEATS,
	CLV_ROW_OUT_OF_RANGE
} ClvRowStatus;

/* Ages in days, if they are not 0: beyond, squares of parameters are no numbers any more. */
#define CLV_AGE_MIN 1e-6
#define CLV_AGE_MAX 1e9

/* Ages up to here have tables. */
#define CLV_TABLE_DAYS 65536

extern ClvRowStatus clv_row_check(int64 repeats, float8 last_age, float8 age);
extern void clv_rows_init(ClvRows *rows, ClvRow *row, Size n);
extern void clv_spend_rows_init(ClvSpendRows *rows, ClvSpendRow *row, Size n);

#endif							/* CUSTMART_CLV_ROWS_H */
