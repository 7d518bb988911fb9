/*
 * duration.h
 *	  Lengths of time as arguments: intervals of days and time, no months.
 */
#ifndef CUSTMART_DURATION_H
#define CUSTMART_DURATION_H

#include "custmart.h"

#include "datatype/timestamp.h"

extern int64 duration_argument(const Interval *interval, const char *argument);
extern char *duration_text(const Interval *interval);

#endif							/* CUSTMART_DURATION_H */
