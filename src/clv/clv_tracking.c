/*
 * clv_tracking.c
 *	  Counts orders by day, and sums what a model expects of all members.
 */
#include "clv/clv_tracking.h"

#include "shared/large_memory.h"

/*
 * A season shows in blocks of four weeks that are off by this share and this many
 * standard deviations.  Orders of one member come in bunches, so the variance of their
 * number is taken to be the sum of the squares of what each member made of them.
 */
#define BLOCK_DAYS 28
#define SHARE_ALLOWED 0.3
#define DEVIATIONS_ALLOWED 3

void
clv_tracking_init(ClvTracking *tracking, int32 until, int32 last_day)
{
	memset(tracking, 0, sizeof(*tracking));
	tracking->until = until;
	tracking->last_day = Max(until, last_day);
}

/* A larger array with the same numbers, and zeros behind them. */
static void *
grow(void *array, Size before, Size n, Size size)
{
	char	   *grown = large_alloc_zeroed(CurrentMemoryContext, n * size);

	if (array != NULL)
	{
		large_copy(grown, array, before * size);
		pfree(array);
	}
	return grown;
}

/* Makes room for days from this one on; false if there are too many. */
static bool
reserve_days(ClvTracking *tracking, int32 first)
{
	int64		needed = (int64) tracking->last_day - first + 1;
	uint32		days = Max(tracking->days, 64);

	if (needed > CLV_TRACKED_DAYS)
		tracking->is_too_long = true;
	if (tracking->is_too_long)
		return false;
	tracking->longest = Max(tracking->longest, (uint32) needed);
	if (likely(needed <= tracking->days))
		return true;
	while (days < needed)
		days *= 2;
	tracking->came = grow(tracking->came, tracking->days, days, sizeof(uint32));
	tracking->repeats = grow(tracking->repeats, tracking->days, days, sizeof(uint32));
	tracking->squares = grow(tracking->squares, tracking->days / BLOCK_DAYS, days / BLOCK_DAYS, sizeof(float8));
	tracking->days = days;
	return true;
}

/* Notes a member's repeats in a block, unless the block is cut short by the first day. */
static inline void
square(ClvTracking *tracking, int32 block, float8 count)
{
	if ((uint32) block < tracking->days / BLOCK_DAYS)
		tracking->squares[block] += count * count;
}

/* Counts a member, whose first order was on that day, and the repeats to the last day. */
void
clv_tracking_add_history(ClvTracking *tracking, int32 first, const Event *days, Size n)
{
	int32		block = 0;
	float8		count = 0;

	if (!reserve_days(tracking, first))
		return;
	tracking->came[tracking->last_day - first]++;
	for (Size i = 0; i < n && event_period(&days[i]) <= tracking->last_day; i++)
	{
		const int32 day = event_period(&days[i]);

		if (!event_is_active(&days[i]) || day <= first)
			continue;
		tracking->repeats[tracking->last_day - day]++;
		if (day > tracking->until)
			continue;
		if ((tracking->until - day) / BLOCK_DAYS != block)
		{
			square(tracking, block, count);
			block = (tracking->until - day) / BLOCK_DAYS;
			count = 0;
		}
		count++;
	}
	square(tracking, block, count);
}

/* Computes what a model expects of a new member. */
void
clv_tracking_expect(ClvTracking *tracking, const ClvParameters *parameters)
{
	tracking->expected = large_alloc(CurrentMemoryContext, Max(tracking->longest, 1) * sizeof(float8));
	for (uint32 age = 0; age < tracking->longest; age++)
	{
		CHECK_FOR_INTERRUPTS();
		tracking->expected[age] = clv_new_orders(parameters, age);
	}
}

/* Repeat orders that are expected of all members from the beginning to the end of a day. */
float8
clv_tracking_expected(const ClvTracking *tracking, int32 day)
{
	const uint32 today = (uint32) (tracking->last_day - day);
	ClvSum		sum = {0};

	CHECK_FOR_INTERRUPTS();
	for (uint32 back = today; back < tracking->longest; back++)
		if (tracking->came[back] > 0)
			clv_sum_add(&sum, tracking->came[back] * tracking->expected[back - today]);
	return clv_sum_value(&sum);
}

/* Repeat orders that came after a day, to the end of another. */
float8
clv_tracking_repeats(const ClvTracking *tracking, int32 from, int32 to)
{
	float8		sum = 0;

	for (uint32 back = (uint32) (tracking->last_day - to); back < (uint32) (tracking->last_day - from) && back < tracking->longest; back++)
		sum += tracking->repeats[back];
	return sum;
}

/* Whether some block of four weeks, counted back from `until`, is far off. */
bool
clv_tracking_is_seasonal(const ClvTracking *tracking)
{
	const int64 first = (int64) tracking->last_day - tracking->longest + 1;

	for (int32 day = tracking->until; day - BLOCK_DAYS + 1 >= first; day -= BLOCK_DAYS)
	{
		float8		expected = clv_tracking_expected(tracking, day) - clv_tracking_expected(tracking, day - BLOCK_DAYS);
		float8		off = fabs(clv_tracking_repeats(tracking, day - BLOCK_DAYS, day) - expected);
		float8		variance = Max(expected, tracking->squares[(tracking->until - day) / BLOCK_DAYS]);

		if (off > SHARE_ALLOWED * expected && off > DEVIATIONS_ALLOWED * sqrt(variance))
			return true;
	}
	return false;
}

void
clv_tracking_free(ClvTracking *tracking)
{
	if (tracking->days > 0)
	{
		pfree(tracking->came);
		pfree(tracking->repeats);
		pfree(tracking->squares);
	}
	if (tracking->expected != NULL)
		pfree(tracking->expected);
}
