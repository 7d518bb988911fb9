/*
 * safe_count.c
 *	  The SQL face of safe_count: a window function over the counts that share a
 *	  total.
 */
#include "custmart.h"

#include "miscadmin.h"
#include "privacy/safe_count_core.h"
#include "utils/memutils.h"
#include "windowapi.h"

/* What is known of a partition, once its first row was reached. */
typedef struct Partition
{
	bool		is_ready;
	int32		min_members;
	int64		cut;			/* the largest count that is hidden */
} Partition;

static int64
check_count(int64 n)
{
	if (n < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must not be negative, not " INT64_FORMAT, n),
				 errhint("n is how many members a row stands for, such as count(*).")));
	return n;
}

static int32
get_min_members(WindowObject window)
{
	bool		is_null;
	Datum		value = WinGetFuncArgCurrent(window, 1, &is_null);

	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("min_members must not be NULL"),
				 errhint("It is the smallest number of members that may be shown.")));
	if (DatumGetInt32(value) < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_members must be at least 2, not %d", DatumGetInt32(value)),
				 errhint("It is the smallest number of members that may be shown; with 1 nothing would be hidden.")));
	return DatumGetInt32(value);
}

/* Reads all counts of the partition; what their expression allocates goes with the scratch context. */
static void
prepare(WindowObject window, Partition *partition)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "custmart safe_count rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	int64		rows = WinGetPartitionRowCount(window);
	SafeCount	counts = {0};

	if (rows > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a partition cannot have more than %d rows", PG_INT32_MAX),
				 errhint("A partition is the rows that share a printed total.")));
	partition->min_members = get_min_members(window);
	old = MemoryContextSwitchTo(scratch);
	for (int i = 0; i < (int) rows; i++)
	{
		bool		is_null;
		bool		is_out;
		Datum		value = WinGetFuncArgInPartition(window, 0, i, WINDOW_SEEK_HEAD, false, &is_null, &is_out);

		if (!is_null)
			safe_count_add(&counts, check_count(DatumGetInt64(value)), partition->min_members);
		if (i % 1000 == 0)
		{
			CHECK_FOR_INTERRUPTS();
			MemoryContextReset(scratch);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	partition->cut = safe_count_cut(&counts, partition->min_members);
	partition->is_ready = true;
}

/* safe_count(bigint, integer) OVER (...): the count, NULL where it has to be hidden. */
CUSTMART_FUNCTION(custmart_safe_count);
Datum
custmart_safe_count(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Partition  *partition = WinGetPartitionLocalMemory(window, sizeof(Partition));
	bool		is_null;
	int64		n;

	if (!partition->is_ready)
		prepare(window, partition);
	else if (get_min_members(window) != partition->min_members)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_members must be the same for all rows of a partition"),
				 errhint("Write it as a constant.")));
	n = DatumGetInt64(WinGetFuncArgCurrent(window, 0, &is_null));
	if (is_null || (n > 0 && n <= partition->cut))
		PG_RETURN_NULL();
	PG_RETURN_INT64(n);
}
