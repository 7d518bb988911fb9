/*
 * retention_core.h
 *	  Who stays: cohorts, growth accounting of members and of money, frequency of
 *	  use, N-day retention.
 *
 * Each is counted member by member, given the sorted events of each.  Definitions:
 * docs/retention.md.
 */
#ifndef CUSTMART_RETENTION_CORE_H
#define CUSTMART_RETENTION_CORE_H

#include "history/history_core.h"
#include "shared/keytable.h"

/* Cells of a triangle, periods of growth accounting, days of N-day retention. */
#define RETENTION_CELLS_MAX (INT32_C(1) << 24)

typedef enum RetentionStatus
{
	RETENTION_OK,
	RETENTION_TOO_MANY_CELLS,
	RETENTION_SUM_OUT_OF_RANGE
} RetentionStatus;

/* What a member is in a period. */
typedef enum Lifecycle
{
	LIFECYCLE_NONE,				/* active neither in it nor in the one before */
	LIFECYCLE_NEW,
	LIFECYCLE_RETURNING,
	LIFECYCLE_RESURRECTING,
	LIFECYCLE_DORMANT
} Lifecycle;

/* The members who came in one period; arrays over the periods since, 0 first. */
typedef struct Cohort
{
	int64		members;
	int64	   *active;
	int64	   *last;			/* members whose last activity was in that period */
	int64	   *net;			/* packed; NULL without amounts */
} Cohort;

typedef struct Triangle
{
	MemoryContext context;
	int32		as_of;			/* the last period */
	bool		has_amounts;
	KeyTable	cohorts;		/* period -> Cohort */
	Size		cells;
	DecimalPool pool;
} Triangle;

extern void triangle_init(Triangle *triangle, int32 as_of, bool has_amounts, MemoryContext context);
extern RetentionStatus triangle_add(Triangle *triangle, const Event *events, Size n,
									const DecimalPool *pool);
extern RetentionStatus triangle_add_since(Triangle *triangle, int32 start, const Event *events, Size n,
										  const DecimalPool *pool);

typedef struct GrowthCount
{
	int64		came;			/* new ones */
	int64		returning;
	int64		resurrecting;
	int64		dormant;
} GrowthCount;

/* Growth accounting, the last period first: counts[as_of - period]. */
typedef struct Growth
{
	MemoryContext context;
	int32		as_of;
	GrowthCount *counts;
	Size		count;			/* periods from the first activity of all to as_of */
	Size		capacity;
} Growth;

extern RetentionStatus growth_add(Growth *growth, const Event *events, Size n);

/*
 * Money of one period, packed.  What a member pays in a period is their net in it
 * if that is above 0, else nothing; a net below 0 is in excess.  So revenue is
 * what is paid plus excess, and its change the sum of the six movements.
 */
typedef struct RevenueSums
{
	int64		revenue;
	int64		paid;
	int64		came;			/* paid by those who never paid before */
	int64		resurrected;	/* by those who paid earlier, but nothing in the period before */
	int64		expansion;		/* more than in the period before, in which they paid too */
	int64		contraction;	/* less; below 0 */
	int64		churned;		/* what they paid in the period before, and nothing now; below 0 */
	int64		excess;			/* change of what nets are below 0 */
} RevenueSums;

/* Growth of revenue, the last period first: sums[as_of - period]. */
typedef struct Revenue
{
	MemoryContext context;
	int32		as_of;
	RevenueSums *sums;
	Size		count;			/* periods from the first money of all to as_of */
	Size		capacity;
	DecimalPool pool;			/* of the sums */
	DecimalPool spare;
} Revenue;

extern void revenue_init(Revenue *revenue, int32 as_of, MemoryContext context);
extern RetentionStatus revenue_add(Revenue *revenue, const Event *events, Size n, const DecimalPool *pool);

/* Members by the number of periods in which they were active. */
typedef struct Stickiness
{
	MemoryContext context;
	int32		since;			/* periods that count */
	int32		until;
	int64	   *members;		/* of i + 1 periods */
	Size		count;
	Size		capacity;
} Stickiness;

extern void stickiness_add(Stickiness *stickiness, const Event *events, Size n);

/*
 * Members by days of 24 hours from their own start.  Days are single ones up to
 * the last, or brackets of several: bounds[i] up to, but not including, bounds[i + 1].
 */
typedef struct DayRetention
{
	int64		as_of;
	int32		brackets;
	const int32 *bounds;		/* brackets + 1, ascending; NULL: single days from 0 on */
	int64	   *ended;			/* arrays of brackets + 1: members by the number of brackets that have ended */
	int64	   *active;			/* members with an event in a bracket that has ended */
	int64	   *last;			/* members by the last such bracket in or before which they had an event later on */
} DayRetention;

extern void day_retention_init(DayRetention *days, int64 as_of, int32 last_day, MemoryContext context);
extern void day_retention_init_brackets(DayRetention *days, int64 as_of, const int32 *bounds, int32 brackets,
										MemoryContext context);
extern void day_retention_add(DayRetention *days, const Event *events, Size n);
extern void day_retention_add_since(DayRetention *days, int64 start, const Event *events, Size n);
extern void day_retention_finish(DayRetention *days);

extern Lifecycle lifecycle_of(const Event *events, Size n, int32 period);
extern Size events_first_active(const Event *events, Size n);
extern Size events_find_time(const Event *events, Size n, int64 time);
extern Size events_find_period(const Event *events, Size n, int32 period);

#endif							/* CUSTMART_RETENTION_CORE_H */
