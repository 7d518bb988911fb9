/*
 * funnel_core.c
 *	  Percentiles of the time that steps take.
 */
#include "funnel/funnel_core.h"

#define SELECT_NAME select_duration
#define SELECT_TYPE int64
#define SELECT_LESS(a, b) ((a) < (b))
#include "shared/quickselect.h"

/*
 * The duration that tenths / 10 of n durations, which are not below 0, do not
 * exceed, as percentile_cont has it: the value at tenths / 10 * (n - 1) of the
 * sorted ones, between two of them in a straight line, to the nearest
 * microsecond.  Reorders them.
 */
int64
funnel_percentile(int64 *durations, Size n, int tenths)
{
	uint64		position = (uint64) tenths * (n - 1);
	Size		k = position / 10;
	int			rest = (int) (position % 10);
	int64		low;
	int64		high;

	select_duration(durations, n, k);
	low = durations[k];
	if (rest == 0)
		return low;
	select_duration(durations + k + 1, n - k - 1, 0);
	high = durations[k + 1];
	return low + (int64) (((int128) (high - low) * rest + 5) / 10);
}
