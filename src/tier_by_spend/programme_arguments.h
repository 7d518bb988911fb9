/*
 * programme_arguments.h
 *	  Arguments of a loyalty programme: lengths of time by the clock, a time zone.
 */
#ifndef CUSTMART_PROGRAMME_ARGUMENTS_H
#define CUSTMART_PROGRAMME_ARGUMENTS_H

#include "custmart.h"

#include "money/decimal.h"
#include "shared/calendar.h"

static inline bool
length_is_zero(const Interval *length)
{
	return length->month == 0 && length->day == 0 && length->time == 0;
}

extern const Interval *length_argument(Datum value, const char *argument, bool zero_allowed);
extern Zone *zone_argument(Datum value);
extern Datum numeric_of(const Decimal *d);

#endif							/* CUSTMART_PROGRAMME_ARGUMENTS_H */
