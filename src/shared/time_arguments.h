/*
 * time_arguments.h
 *	  Points in time, and days, as arguments and in text literals.
 */
#ifndef CUSTMART_TIME_ARGUMENTS_H
#define CUSTMART_TIME_ARGUMENTS_H

#include "custmart.h"

#include "utils/date.h"
#include "utils/timestamp.h"

#define TIME_TEXT_SIZE 64

extern void time_error(TimestampTz time, const char *argument);
extern void time_too_early_error(TimestampTz as_of, const char *argument,
								 TimestampTz last, const char *what, bool has_zone);
extern void time_date_error(DateADT date, const char *argument);
extern void time_to_text(TimestampTz time, char *text);
extern void time_clock_to_text(Timestamp local, char *text);
extern Timestamp date_clock_argument(DateADT date, const char *argument);
extern bool time_from_text(const char **text, TimestampTz *time);

/* Refuses infinity and -infinity (22008), naming the argument. */
static inline TimestampTz
time_check(TimestampTz time, const char *argument)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(time)))
		time_error(time, argument);
	return time;
}

/* The same for a date. */
static inline DateADT
date_check(DateADT date, const char *argument)
{
	if (unlikely(DATE_NOT_FINITE(date)))
		time_date_error(date, argument);
	return date;
}

#endif							/* CUSTMART_TIME_ARGUMENTS_H */
