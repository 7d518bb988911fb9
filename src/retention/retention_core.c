/*
 * retention_core.c
 *	  Counting members by cohort, period and day.
 */
#include "retention/retention_core.h"

#include "shared/growing_array.h"
#include "shared/large_memory.h"

#define DAY INT64CONST(86400000000)

/* ---------- cohorts ---------- */

void
triangle_init(Triangle *triangle, int32 as_of, bool has_amounts, MemoryContext context)
{
	memset(triangle, 0, sizeof(*triangle));
	triangle->context = context;
	triangle->as_of = as_of;
	triangle->has_amounts = has_amounts;
	triangle->pool.context = context;
	keytable_init(&triangle->cohorts, KEY_INT64, sizeof(Cohort), context);
}

/* Finds or makes the cohort of a period; NULL if it would have too many cells. */
static Cohort *
find_cohort(Triangle *triangle, int32 period)
{
	Key			key;
	uint32		entry;
	Cohort	   *cohort;

	memset(&key, 0, sizeof(key));
	key.number = period;
	keytable_locate(&triangle->cohorts, &key, 1, &entry);
	cohort = keytable_payload(&triangle->cohorts, entry);
	if (cohort->active == NULL)
	{
		Size		periods = (Size) (triangle->as_of - period) + 1;

		if (periods > RETENTION_CELLS_MAX - triangle->cells)
			return NULL;
		triangle->cells += periods;
		cohort->active = large_alloc_zeroed(triangle->context, periods * sizeof(int64));
		cohort->last = large_alloc_zeroed(triangle->context, periods * sizeof(int64));
		if (triangle->has_amounts)
			cohort->net = large_alloc_zeroed(triangle->context, periods * sizeof(int64));
	}
	return cohort;
}

/*
 * Counts one member of the cohort of a period, none of whose events is after as_of
 * or before it.
 */
RetentionStatus
triangle_add_since(Triangle *triangle, int32 start, const Event *events, Size n, const DecimalPool *pool)
{
	Cohort	   *cohort = find_cohort(triangle, start);
	int32		last = -1;

	if (cohort == NULL)
		return RETENTION_TOO_MANY_CELLS;
	cohort->members++;
	for (Size i = 0; i < n; i++)
	{
		int32		since = event_period(&events[i]) - start;

		check_interrupts(i);
		if (triangle->has_amounts &&
			!decimal_add_packed(&cohort->net[since], &triangle->pool, events[i].value, pool))
			return RETENTION_SUM_OUT_OF_RANGE;
		if (event_is_active(&events[i]))
		{
			cohort->active[since]++;
			last = since;
		}
	}
	if (last >= 0)
		cohort->last[last]++;
	return RETENTION_OK;
}

/*
 * Counts one member of the cohort of their first activity, none of whose events is
 * after as_of.  Money from before it is ignored.
 */
RetentionStatus
triangle_add(Triangle *triangle, const Event *events, Size n, const DecimalPool *pool)
{
	Size		first = events_first_active(events, n);

	if (first == n)
		return RETENTION_OK;
	return triangle_add_since(triangle, event_period(&events[first]), events + first, n - first, pool);
}

/* ---------- growth accounting ---------- */

/* Makes room for a period; NULL if there would be too many. */
static GrowthCount *
growth_of(Growth *growth, int32 period)
{
	Size		place = (Size) (growth->as_of - period);

	if (place >= RETENTION_CELLS_MAX)
		return NULL;
	if (place >= growth->capacity)
		growth->counts = array_grow_zeroed(growth->counts, &growth->capacity, place + 1,
										   sizeof(GrowthCount), growth->context);
	growth->count = Max(growth->count, place + 1);
	return &growth->counts[place];
}

/* Counts one member, none of whose events is after as_of. */
RetentionStatus
growth_add(Growth *growth, const Event *events, Size n)
{
	bool		is_known = false;
	int32		last = 0;

	for (Size i = 0; i < n; i++)
	{
		int32		period = event_period(&events[i]);
		GrowthCount *count;

		check_interrupts(i);
		if (!event_is_active(&events[i]))
			continue;
		count = growth_of(growth, period);
		if (count == NULL)
			return RETENTION_TOO_MANY_CELLS;
		if (!is_known)
			count->came++;
		else if (last == period - 1)
			count->returning++;
		else
		{
			count->resurrecting++;
			growth_of(growth, last + 1)->dormant++;
		}
		is_known = true;
		last = period;
	}
	if (is_known && last < growth->as_of)
		growth_of(growth, last + 1)->dormant++;
	return RETENTION_OK;
}

/* ---------- growth of revenue ---------- */

void
revenue_init(Revenue *revenue, int32 as_of, MemoryContext context)
{
	memset(revenue, 0, sizeof(*revenue));
	revenue->context = context;
	revenue->as_of = as_of;
	revenue->pool.context = context;
	revenue->spare.context = context;
}

/* Makes room for a period; NULL if there would be too many. */
static RevenueSums *
revenue_of(Revenue *revenue, int32 period)
{
	Size		place = (Size) (revenue->as_of - period);

	if (place >= RETENTION_CELLS_MAX)
		return NULL;
	if (place >= revenue->capacity)
		revenue->sums = array_grow_zeroed(revenue->sums, &revenue->capacity, place + 1,
										  sizeof(RevenueSums), revenue->context);
	revenue->count = Max(revenue->count, place + 1);
	return &revenue->sums[place];
}

/* Adds plus - minus to a sum; false if it is out of range. */
static bool
add_difference(Revenue *revenue, int64 *sum, int64 plus, int64 minus, const DecimalPool *pool)
{
	Decimal		difference;
	Decimal		subtrahend;

	/* Nothing, which has no decimals, is on one side of most movements, and changes neither value nor scale. */
	if (minus == 0)
		return plus == 0 || decimal_add_packed(sum, &revenue->pool, plus, pool);
	if (plus == 0 && !decimal_is_pooled(minus))
		plus = minus & 0xFF;
	if (likely(((plus ^ minus) & 0xFF) == 0 && !decimal_is_pooled(plus)))
	{
		int64		mantissa = (plus >> 8) - (minus >> 8);

		if (likely(mantissa >= DECIMAL_PACKED_MIN && mantissa <= DECIMAL_PACKED_MAX))
			return decimal_add_packed(sum, &revenue->pool, decimal_pack_small(mantissa, (int) (plus & 0xFF)), pool);
	}
	difference = decimal_unpack(plus, pool);
	subtrahend = decimal_unpack(minus, pool);
	revenue->spare.count = 0;
	return decimal_subtract(&difference, &subtrahend) &&
		decimal_add_packed(sum, &revenue->pool, decimal_pack(&difference, &revenue->spare), &revenue->spare);
}

/* Adds what moved from one period to the next, given a member's net in both; false if a sum is out of range. */
static bool
add_movement(Revenue *revenue, RevenueSums *sums, int64 before, int64 now, bool has_paid, const DecimalPool *pool)
{
	bool		paid_before = decimal_packed_is_positive(before, pool);
	bool		pays = decimal_packed_is_positive(now, pool);
	int64		zero = 0;

	if (pays && paid_before)
		return decimal_packed_compare(now, before, pool) >= 0 ?
			add_difference(revenue, &sums->expansion, now, before, pool) :
			add_difference(revenue, &sums->contraction, now, before, pool);
	if ((pays && !add_difference(revenue, has_paid ? &sums->resurrected : &sums->came, now, zero, pool)) ||
		(paid_before && !add_difference(revenue, &sums->churned, zero, before, pool)))
		return false;
	return add_difference(revenue, &sums->excess, pays ? zero : now, paid_before ? zero : before, pool);
}

/* Counts the money of one member, none of whose events is after as_of. */
RetentionStatus
revenue_add(Revenue *revenue, const Event *events, Size n, const DecimalPool *pool)
{
	bool		has_paid = false;
	int64		before = 0;

	for (Size i = 0; i < n; i++)
	{
		int32		period = event_period(&events[i]);
		int64		net = events[i].value;
		RevenueSums *sums = revenue_of(revenue, period);
		bool		is_followed = i + 1 < n && event_period(&events[i + 1]) == period + 1;

		check_interrupts(i);
		if (sums == NULL)
			return RETENTION_TOO_MANY_CELLS;
		if (!add_movement(revenue, sums, before, net, has_paid, pool) ||
			!decimal_add_packed(&sums->revenue, &revenue->pool, net, pool))
			return RETENTION_SUM_OUT_OF_RANGE;
		if (decimal_packed_is_positive(net, pool))
		{
			has_paid = true;
			if (!decimal_add_packed(&sums->paid, &revenue->pool, net, pool))
				return RETENTION_SUM_OUT_OF_RANGE;
		}
		before = is_followed ? net : 0;
		if (!is_followed && period < revenue->as_of &&
			!add_movement(revenue, revenue_of(revenue, period + 1), net, 0, has_paid, pool))
			return RETENTION_SUM_OUT_OF_RANGE;
	}
	return RETENTION_OK;
}

/* ---------- stickiness ---------- */

/* Counts one member. */
void
stickiness_add(Stickiness *stickiness, const Event *events, Size n)
{
	Size		periods = 0;

	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		if (event_is_active(&events[i]) &&
			event_period(&events[i]) >= stickiness->since &&
			event_period(&events[i]) <= stickiness->until)
			periods++;
	}
	if (periods == 0)
		return;
	if (periods > stickiness->capacity)
		stickiness->members = array_grow_zeroed(stickiness->members, &stickiness->capacity, periods,
												sizeof(int64), stickiness->context);
	stickiness->members[periods - 1]++;
	stickiness->count = Max(stickiness->count, periods);
}

/* ---------- N-day retention ---------- */

void
day_retention_init_brackets(DayRetention *days, int64 as_of, const int32 *bounds, int32 brackets,
							MemoryContext context)
{
	Size		n = (Size) brackets + 1;

	days->as_of = as_of;
	days->bounds = bounds;
	days->brackets = brackets;
	days->ended = large_alloc_zeroed(context, n * sizeof(int64));
	days->active = large_alloc_zeroed(context, n * sizeof(int64));
	days->last = large_alloc_zeroed(context, n * sizeof(int64));
}

/* Single days from 0 to the last. */
void
day_retention_init(DayRetention *days, int64 as_of, int32 last_day, MemoryContext context)
{
	day_retention_init_brackets(days, as_of, NULL, last_day + 1, context);
}

/* How many brackets end by the end of a number of days. */
static uint64
brackets_ended(const DayRetention *days, uint64 ended)
{
	uint64		low = 0;
	uint64		high = (uint64) days->brackets;

	if (days->bounds == NULL)
		return Min(ended, high);
	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if ((uint64) days->bounds[middle + 1] <= ended)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Counts one member from their start on; none of their events is after as_of or before the start. */
void
day_retention_add_since(DayRetention *days, int64 start, const Event *events, Size n)
{
	uint64		first = (uint64) start;
	uint64		known = brackets_ended(days, ((uint64) days->as_of - first) / DAY);	/* brackets that count */
	uint64		last = 0;
	uint64		counted = 0;	/* brackets before this one have been counted */
	bool		came = false;

	days->ended[known]++;
	if (known == 0)
		return;
	for (Size i = 0; i < n; i++)
	{
		uint64		day = ((uint64) events[i].value - first) / DAY;

		check_interrupts(i);
		if (days->bounds == NULL)
			last = day;
		else if (day < (uint64) days->bounds[0])
			continue;
		else if (last < known && day >= (uint64) days->bounds[last + 1])
			last = Min(known, brackets_ended(days, day));	/* of many brackets most are passed over */
		came = true;
		if (last >= known)
			break;
		if (last >= counted)
		{
			days->active[last]++;
			counted = last + 1;
		}
	}
	if (came)
		days->last[Min(last, known - 1)]++;
}

/* Counts one member from their first event on. */
void
day_retention_add(DayRetention *days, const Event *events, Size n)
{
	day_retention_add_since(days, events[0].value, events, n);
}

/*
 * Turns counts by last bracket into cumulative ones: of bracket N, ended[N + 1] are
 * the members for whom it has ended, and last[N] those of them who had an event in
 * it or later.
 */
void
day_retention_finish(DayRetention *days)
{
	for (Size i = (Size) days->brackets; i-- > 0;)
	{
		check_interrupts(i);
		days->ended[i] += days->ended[i + 1];
		days->last[i] += days->last[i + 1];
	}
}

/* ---------- one member ---------- */

/* The position of the first activity, before which there are only refunds; n if there is none. */
Size
events_first_active(const Event *events, Size n)
{
	Size		i = 0;

	while (i < n && !event_is_active(&events[i]))
		i++;
	return i;
}

/* The position of the first event at or after a time. */
Size
events_find_time(const Event *events, Size n, int64 time)
{
	Size		low = 0;
	Size		high = n;

	while (low < high)
	{
		Size		middle = low + (high - low) / 2;

		if (events[middle].value < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The position of the first event in or after a period. */
Size
events_find_period(const Event *events, Size n, int32 period)
{
	Size		low = 0;
	Size		high = n;

	while (low < high)
	{
		Size		middle = low + (high - low) / 2;

		if (event_period(&events[middle]) < period)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What a member, whose events are all activity, is in a period. */
Lifecycle
lifecycle_of(const Event *events, Size n, int32 period)
{
	Size		i = events_find_period(events, n, period);
	bool		before = i > 0 && event_period(&events[i - 1]) == period - 1;

	if (i == n || event_period(&events[i]) != period)
		return before ? LIFECYCLE_DORMANT : LIFECYCLE_NONE;
	return i == 0 ? LIFECYCLE_NEW : before ? LIFECYCLE_RETURNING : LIFECYCLE_RESURRECTING;
}
