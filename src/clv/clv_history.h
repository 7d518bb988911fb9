/*
 * clv_history.h
 *	  What a model sees of a member, from the days of a book.
 */
#ifndef CUSTMART_CLV_HISTORY_H
#define CUSTMART_CLV_HISTORY_H

#include "history/history_core.h"

/* Until a day, and after it. */
typedef struct ClvHistory
{
	int32		first;			/* day of the first order */
	uint32		repeats;		/* later days with orders */
	float8		last_age;		/* days from the first one to the last */
	float8		age;			/* and to the end of the day */
	int64		money;			/* packed: net of the days after the first */
	uint32		recent;			/* days with orders, from a given one on */
	uint32		days_after;		/* with orders */
	int64		money_after;	/* packed */
} ClvHistory;

typedef enum ClvHistoryStatus
{
	CLV_HISTORY_READ,
	CLV_HISTORY_NONE,			/* no order until that day */
	CLV_HISTORY_SUM_OUT_OF_RANGE
} ClvHistoryStatus;

extern ClvHistoryStatus clv_history_read(const Event *days, Size n, const DecimalPool *amounts, int32 until,
										 int32 recent_from, ClvHistory *history, DecimalPool *pool);

#endif							/* CUSTMART_CLV_HISTORY_H */
