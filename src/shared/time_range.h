/*
 * time_range.h
 *	  PostgreSQL's range of timestamps, for cores and server code alike.
 */
#ifndef CUSTMART_TIME_RANGE_H
#define CUSTMART_TIME_RANGE_H

#include "shared/core.h"

#ifndef CUSTMART_STANDALONE
#include "datatype/timestamp.h"
#endif

/* From 4714-11-24 BC up to, but not including, 294277-01-01. */
#define TIME_MIN INT64CONST(-211813488000000000)
#define TIME_END INT64CONST(9223371331200000000)

#ifndef CUSTMART_STANDALONE
StaticAssertDecl(TIME_MIN == MIN_TIMESTAMP && TIME_END == END_TIMESTAMP,
				 "the range of timestamps is the server's");
#endif

static inline bool
time_is_in_range(int64 time)
{
	return time >= TIME_MIN && time < TIME_END;
}

#endif							/* CUSTMART_TIME_RANGE_H */
