/*
 * spend.h
 *	  The type spend: what one member spent and got back, moment by moment.
 */
#ifndef CUSTMART_SPEND_H
#define CUSTMART_SPEND_H

#include "history/history.h"
#include "tier_by_spend/spend_core.h"

extern const HistoryKind spend_kind;

/* The moments of an arranged history. */
static inline const SpendMoment *
spend_moments(const History *history)
{
	return (const SpendMoment *) history->rows;
}

#endif							/* CUSTMART_SPEND_H */
