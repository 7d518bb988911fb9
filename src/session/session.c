/*
 * session.c
 *	  Sessions of rows as they are: window functions.
 *
 * They look at each row once, in the order of the window, and remember the one
 * before, so rows that have been seen need not be kept.
 */
#include "session/session.h"

#include "session/session_core.h"
#include "shared/time_arguments.h"
#include "utils/timestamp.h"
#include "windowapi.h"

/* What is known of a partition up to its current row. */
typedef struct Partition
{
	bool		has_gap;
	int64		gap;
	int64		number;			/* of the session; 0: there is none yet */
	TimestampTz start;			/* of the session */
	TimestampTz last;
} Partition;

/* The gap, which is the same for all rows of a partition. */
static void
note_gap(FunctionCallInfo fcinfo, WindowObject window, Partition *partition)
{
	bool		is_null;
	Datum		value;
	int64		gap;

	if (partition->has_gap && get_fn_expr_arg_stable(fcinfo->flinfo, 1))
		return;
	value = WinGetFuncArgCurrent(window, 1, &is_null);
	if (is_null)
		session_gap_null_error();
	gap = session_gap(DatumGetIntervalP(value));
	if (partition->has_gap && partition->gap != gap)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("gap must be the same for all rows of a partition"),
				 errhint("Partition by what it depends on, or write it as a constant.")));
	partition->gap = gap;
	partition->has_gap = true;
}

/* Goes on to the current row; false if it has no time. */
static bool
next_row(FunctionCallInfo fcinfo, Partition **result)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Partition  *partition = WinGetPartitionLocalMemory(window, sizeof(Partition));
	bool		is_null;
	Datum		value = WinGetFuncArgCurrent(window, 0, &is_null);
	TimestampTz time;

	*result = partition;
	WinSetMarkPosition(window, WinGetCurrentPosition(window));
	note_gap(fcinfo, window, partition);
	if (is_null)
		return false;
	time = time_check(DatumGetTimestampTz(value), "occurred_at");
	if (partition->number > 0 && time < partition->last)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows are not in the order of occurred_at"),
				 errhint("Write OVER (PARTITION BY member ORDER BY occurred_at).")));
	if (partition->number == 0 || !session_goes_on(partition->last, time, partition->gap))
	{
		partition->number++;
		partition->start = time;
	}
	partition->last = time;
	return true;
}

/* session_number(occurred_at, gap): which session of its partition the row belongs to, from 1. */
CUSTMART_FUNCTION(custmart_session_number);
Datum
custmart_session_number(PG_FUNCTION_ARGS)
{
	Partition  *partition;

	if (!next_row(fcinfo, &partition))
		PG_RETURN_NULL();
	PG_RETURN_INT64(partition->number);
}

/* session_start(occurred_at, gap): when that session began. */
CUSTMART_FUNCTION(custmart_session_start);
Datum
custmart_session_start(PG_FUNCTION_ARGS)
{
	Partition  *partition;

	if (!next_row(fcinfo, &partition))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(partition->start);
}
