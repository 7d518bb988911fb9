/*
 * spend.h
 *	  The type spend: what one member spent and got back, moment by moment.
 */
#ifndef CUSTMART_SPEND_H
#define CUSTMART_SPEND_H

#include "series.h"
#include "spend_core.h"

extern const SeriesKind spend_kind;

/* The moments of an arranged series. */
static inline const SpendMoment *
spend_moments(const Series *series)
{
	return (const SpendMoment *) series->rows;
}

extern void spend_range_error(void);

#endif							/* CUSTMART_SPEND_H */
