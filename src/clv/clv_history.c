/*
 * clv_history.c
 *	  Reads the days of a member.
 */
#include "clv/clv_history.h"

/* Adds an amount to a sum.  The first one is the sum, scale and all. */
static inline bool
add_money(int64 *sum, DecimalPool *pool, int64 amount, const DecimalPool *amounts)
{
	if (*sum == 0 && !decimal_is_pooled(amount))
	{
		*sum = amount;
		return true;
	}
	return decimal_add_packed(sum, pool, amount, amounts);
}

/*
 * Reads what is known of a member until a day, and what came after it; the pool
 * takes wide sums.  Days with refunds only are none with orders, but their money
 * counts from the day after the first order on.
 */
ClvHistoryStatus
clv_history_read(const Event *days, Size n, const DecimalPool *amounts, int32 until,
				 int32 recent_from, ClvHistory *history, DecimalPool *pool)
{
	int32		last;
	Size		i = 0;

	memset(history, 0, sizeof(*history));
	decimal_pool_clear(pool);
	while (i < n && !event_is_active(&days[i]))
		i++;
	if (i == n || event_period(&days[i]) > until)
		return CLV_HISTORY_NONE;
	history->first = last = event_period(&days[i]);
	history->recent = last >= recent_from;
	for (i++; i < n; i++)
	{
		int32		day = event_period(&days[i]);
		bool		is_active = event_is_active(&days[i]);
		bool		is_after = day > until;

		check_interrupts(i);
		if (is_after)
			history->days_after += is_active;
		else if (is_active)
		{
			history->repeats++;
			history->recent += day >= recent_from;
			last = day;
		}
		if (!add_money(is_after ? &history->money_after : &history->money, pool, days[i].value, amounts))
			return CLV_HISTORY_SUM_OUT_OF_RANGE;
	}
	history->last_age = (float8) last - history->first;
	history->age = (float8) until - history->first;
	return CLV_HISTORY_READ;
}
