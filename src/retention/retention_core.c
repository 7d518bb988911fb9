/*
 * retention_core.c
 *	  Counting members by cohort, period and day.
 */
#include "retention/retention_core.h"

#include "shared/growing_array.h"
#include "shared/large_memory.h"

#define DAY INT64CONST(86400000000)

static void *
allocate_zeros(MemoryContext context, Size n, Size size)
{
	void	   *array = large_alloc(context, n * size);

	memset(array, 0, n * size);
	return array;
}

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
		cohort->active = allocate_zeros(triangle->context, periods, sizeof(int64));
		cohort->last = allocate_zeros(triangle->context, periods, sizeof(int64));
		if (triangle->has_amounts)
			cohort->net = allocate_zeros(triangle->context, periods, sizeof(int64));
	}
	return cohort;
}

/* Counts one member, none of whose events is after as_of.  Money from before their cohort is ignored. */
RetentionStatus
triangle_add(Triangle *triangle, const Event *events, Size n, const DecimalPool *pool)
{
	Size		first = events_first_active(events, n);
	Cohort	   *cohort;
	int32		start;
	int32		last = 0;

	if (first == n)
		return RETENTION_OK;
	start = event_period(&events[first]);
	cohort = find_cohort(triangle, start);
	if (cohort == NULL)
		return RETENTION_TOO_MANY_CELLS;
	cohort->members++;
	for (Size i = first; i < n; i++)
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
	cohort->last[last]++;
	return RETENTION_OK;
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
day_retention_init(DayRetention *days, int64 as_of, int32 last_day, MemoryContext context)
{
	Size		n = (Size) last_day + 2;

	days->as_of = as_of;
	days->last_day = last_day;
	days->ended = allocate_zeros(context, n, sizeof(int64));
	days->active = allocate_zeros(context, n, sizeof(int64));
	days->last = allocate_zeros(context, n, sizeof(int64));
}

/* Counts one member, none of whose events is after as_of. */
void
day_retention_add(DayRetention *days, const Event *events, Size n)
{
	uint64		first = (uint64) events[0].value;
	uint64		ended = ((uint64) days->as_of - first) / DAY;
	uint64		known = Min(ended, (uint64) days->last_day + 1);	/* days that count */
	uint64		last = 0;
	uint64		counted = 0;	/* days before this one have been counted */

	days->ended[known]++;
	if (known == 0)
		return;
	for (Size i = 0; i < n; i++)
	{
		check_interrupts(i);
		last = ((uint64) events[i].value - first) / DAY;
		if (last >= known)
			break;
		if (last >= counted)
		{
			days->active[last]++;
			counted = last + 1;
		}
	}
	days->last[Min(last, known - 1)]++;
}

/*
 * Turns counts by last day into cumulative ones: of day N, ended[N + 1] are the
 * members whose day N has ended, and last[N] those of them who had an event on
 * day N or later.
 */
void
day_retention_finish(DayRetention *days)
{
	for (Size i = (Size) days->last_day + 1; i-- > 0;)
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
