/*
 * rfm.h
 *	  Shared by the files of rfm that SQL calls into.
 */
#ifndef CUSTMART_RFM_H
#define CUSTMART_RFM_H

#include "custmart.h"

#include "shared/time_arguments.h"
#include "money/decimal_numeric.h"
#include "rfm/rfm_core.h"
#include "shared/stored_value.h"

extern const StoredType rfm_type;
extern const StoredType rfm_cuts_type;

/* A stored rfm_summary value, read: the member and, if the sum is wide, a pool that holds it. */
typedef struct RfmValue
{
	RfmMember	member;
	DecimalPool pool;
	Decimal		wide;
} RfmValue;

extern void rfm_read(RfmValue *value, Datum stored);
extern void rfm_raise(RfmStatus status);
extern int	rfm_check_bins(int32 bins);
extern bytea *rfm_cuts_datum(const RfmCuts *cuts);
extern void rfm_cuts_read(Datum value, RfmCuts *cuts);

/* Days between two points in time, whose difference may need an unsigned 64-bit number. */
static inline float8
rfm_days(TimestampTz from, TimestampTz to)
{
	return (float8) ((uint64) to - (uint64) from) / RFM_DAY;
}

#endif							/* CUSTMART_RFM_H */
