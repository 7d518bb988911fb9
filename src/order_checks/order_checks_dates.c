/*
 * order_checks_dates.c
 *	  Dates: day and month exchanged, days without any row.
 */
#include "order_checks/order_checks_scan.h"

#include "shared/growing_array.h"
#include "shared/large_memory.h"

#define ST_SORT sort_days
#define ST_ELEMENT_TYPE int32
#define ST_COMPARE(a, b) ((*a > *b) - (*a < *b))
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
note_swap(void *context, uint32 order)
{
	Scan	   *scan = context;

	scan->order_flags[order] |= ORDER_SWAPPED;
}

/* Finds orders whose day and month were exchanged, among those with a number in a series. */
void
find_swaps(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	OrderSeries **series = large_alloc_zeroed(CurrentMemoryContext, scan->series.count * sizeof(OrderSeries *));
	int64		numbered = 0;

	for (uint32 i = 0; i < scan->series.count; i++)
	{
		int64		orders = *(int64 *) keytable_payload(&scan->series, i);

		check_interrupts(i);
		if (orders >= CHECK_SERIES_MIN && (float8) orders >= CHECK_RARE_SHARE * (float8) findings->orders)
		{
			series[i] = palloc0(sizeof(OrderSeries));
			numbered += orders;
		}
	}
	findings->has_series = numbered > 0 && numbered * 2 >= findings->orders;
	for (uint32 i = 0; i < findings->checks.reader.count && findings->has_series; i++)
	{
		check_interrupts(i);
		if (scan->order_series[i] != NO_SERIES && series[scan->order_series[i]] != NULL)
			series_add(series[scan->order_series[i]], (SeriesOrder) {scan->order_times[i], i},
					   &findings->swaps, note_swap, scan);
	}
	for (uint32 i = 0; i < scan->series.count; i++)
		if (series[i] != NULL)
		{
			if (findings->has_series)
				series_end(series[i], &findings->swaps, note_swap, scan);
			pfree(series[i]);
		}
	if ((float8) findings->swaps.far > CHECK_SWAP_SHARE * (float8) findings->swaps.orders)
		findings->has_series = false;
	pfree(series);
}

/* Days that a map is made of; where there are more, a list is sorted. */
#define MAP_DAYS (1024 * 1024)

/* Lists the days on which there are rows, each once and ascending. */
static int32 *
list_days(CheckFindings *findings, int32 first, int32 last, Size *n)
{
	bool		has_map = (int64) last - first < MAP_DAYS;
	uint8	   *map = has_map ? large_alloc_zeroed(CurrentMemoryContext, (Size) (last - first) + 1) : NULL;
	ColumnReader *times = palloc(sizeof(ColumnReader));
	int32	   *days = NULL;
	Size		room = 0;

	*n = 0;
	column_open(times, findings->checks.columns[COLUMN_TIME], findings->checks.nheads);
	for (uint32 i = 0; i < findings->checks.nheads; i++)
	{
		int64		time = column_next(times);
		int32		day;

		check_interrupts(i);
		if (!check_time_is_finite(time))
			continue;
		day = day_of_time(check_local_time(findings, time));
		if (day_is_placeholder(day))
			continue;
		if (has_map)
			map[day - first] = 1;
		else if (*n == 0 || days[*n - 1] != day)
		{
			if (*n == room)
				days = array_grow(days, &room, *n + 1, sizeof(int32), CurrentMemoryContext);
			days[(*n)++] = day;
		}
	}
	if (has_map)
	{
		days = palloc(((Size) (last - first) + 1) * sizeof(int32));
		for (int32 day = first; day <= last; day++)
			if (map[day - first])
				days[(*n)++] = day;
	}
	else
	{
		Size		kept = 0;

		sort_days(days, *n);
		for (Size i = 1; i < *n; i++)
			if (days[i] != days[kept])
				days[++kept] = days[i];
		*n = kept + 1;
	}
	pfree(times);
	return days;
}

/* Looks for days without any row. */
void
find_gaps(Scan *scan)
{
	CheckFindings *findings = scan->findings;
	int32	   *days;
	Size		n;

	if (findings->first_real_time > findings->last_real_time)
		return;

	/* Clocks that are set back may show an earlier day at a later moment. */
	days = list_days(findings, day_of_time(check_local_time(findings, findings->first_real_time)) - 1,
					 day_of_time(check_local_time(findings, findings->last_real_time)) + 1, &n);
	findings->gaps = count_gaps(days, n);
	pfree(days);
}
