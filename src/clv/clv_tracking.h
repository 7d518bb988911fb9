/*
 * clv_tracking.h
 *	  Repeat orders day by day, beside those that a model expects.
 *
 * All that it needs of members is how many had their first order on each day,
 * as what a model expects of a new member depends on the age alone.
 */
#ifndef CUSTMART_CLV_TRACKING_H
#define CUSTMART_CLV_TRACKING_H

#include "clv/clv_predict.h"
#include "history/history_core.h"

/* Longer than this, days are not tracked. */
#define CLV_TRACKED_DAYS 65536

/* Days are counted backwards from the last one, because the first is not known before the end. */
typedef struct ClvTracking
{
	int32		last_day;
	int32		until;			/* members came until then */
	bool		is_too_long;
	uint32		days;			/* those that there is room for */
	uint32		longest;		/* from the first day on which a member came */
	uint32	   *came;			/* members whose first order was on the day */
	uint32	   *repeats;		/* later days with orders, of those members */
	float8	   *squares;		/* of a member's repeats, by block of four weeks until `until` */
	float8	   *expected;		/* of one new member, by age; NULL: not known yet */
} ClvTracking;

extern void clv_tracking_init(ClvTracking *tracking, int32 until, int32 last_day);
extern void clv_tracking_add_history(ClvTracking *tracking, int32 first, const Event *days, Size n);
extern void clv_tracking_expect(ClvTracking *tracking, const ClvParameters *parameters);
extern float8 clv_tracking_expected(const ClvTracking *tracking, int32 day);
extern float8 clv_tracking_repeats(const ClvTracking *tracking, int32 from, int32 to);
extern bool clv_tracking_is_seasonal(const ClvTracking *tracking);
extern void clv_tracking_free(ClvTracking *tracking);

#endif							/* CUSTMART_CLV_TRACKING_H */
